import type { CaptureFile, CaptureInterface } from '../capture/chunk.js';

/**
 * Recognises files of one rotation: a file whose first frame comes when another, captured at an interface of the same
 * name and link type, was read to its last frame. Its flows are those of the file before. Where two places were captured,
 * each file goes on in one other, and in one that is called alike if there is one.
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
    const called = this.patternOf(iface.file);
    const alike = this.before(iface).sort(
      (a, b) => Number(this.patternOf(b.file) === called) - Number(this.patternOf(a.file) === called),
    );
    if (alike.length > 0) this.taken.add(alike[0]);
    return alike[0];
  }
  /** Interfaces that go on in another file. */
  private readonly taken = new Set<CaptureInterface>();

  /** The interfaces that one may continue, of files given later first. */
  private before(iface: CaptureInterface): CaptureInterface[] {
    return [...this.files].reverse().flatMap((file) => {
      if (file.id === iface.file || !file.ended || this.last.get(file.id) !== file.frames) return [];
      const list = this.interfaces.get(file.id) ?? [];
      return list.find((f) => f.link === iface.link && f.name === iface.name && !this.taken.has(f)) ?? [];
    });
  }

  /** What files of one rotation are called, without their numbers and times. */
  private patternOf(id: number): string {
    return this.files.find((f) => f.id === id)?.name.replace(/\d+/g, '') ?? '';
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
