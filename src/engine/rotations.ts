import type { CaptureFile, CaptureInterface } from '../capture/chunk.js';

/**
 * Recognises files of one rotation: a file whose first frame comes when another, captured at an interface of the same
 * name and link type, was read to its last frame. Its flows are those of the file before.
 */
export class Rotations {
  /** Number of the last frame seen, by file; the interfaces seen in each file. */
  private readonly last = new Map<number, number>();
  private readonly interfaces = new Map<number, CaptureInterface[]>();
  private lastFile = 0;
  private lastIndex = 0;

  constructor(private readonly files: readonly CaptureFile[]) {}

  /** The interface of an earlier file that this one, seen for the first time, continues. */
  continued(iface: CaptureInterface): CaptureInterface | undefined {
    if (this.files.length < 2 || (iface.file === this.lastFile && iface.index === this.lastIndex)) return undefined;
    if (this.interfaces.get(iface.file)?.includes(iface)) return undefined;
    for (const file of [...this.files].reverse()) {
      if (file.id === iface.file || !file.ended || this.last.get(file.id) !== file.frames) continue;
      const before = this.interfaces.get(file.id)?.find((f) => f.link === iface.link && f.name === iface.name);
      if (before !== undefined) return before;
    }
    return undefined;
  }

  /** A frame of this interface was taken. */
  saw(iface: CaptureInterface, frame: number): void {
    if (this.files.length < 2) return;
    this.last.set(iface.file, frame);
    if (iface.file === this.lastFile && iface.index === this.lastIndex) return;
    this.lastFile = iface.file;
    this.lastIndex = iface.index;
    const list = this.interfaces.get(iface.file);
    if (list === undefined) this.interfaces.set(iface.file, [iface]);
    else if (!list.includes(iface)) list.push(iface);
  }
}
