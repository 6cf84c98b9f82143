import type { CaptureFile, CaptureInterface } from '../capture/chunk.js';

/** What was seen of an interface: seconds and nanoseconds of its last frame. */
interface SeenInterface {
  seconds: number;
  nanos: number;
  /** It goes on as another one. */
  taken: boolean;
}

/**
 * Recognises what goes on in another section or file, as an interface of the same name and link type:
 *
 * - a later section of a pcapng file (such files may be put behind each other), whose frames are not older;
 * - files of one rotation: a file whose first frame comes when another was read to its last frame. Where two places were
 *   captured, each file goes on in one other, and in one that is called alike if there is one.
 *
 * Its flows are those of the one before.
 */
export class Rotations {
  /** Number of the last frame seen, by file; the interfaces seen in each file. */
  private readonly last = new Map<number, number>();
  private readonly interfaces = new Map<number, Map<CaptureInterface, SeenInterface>>();
  private current: CaptureInterface | null = null;
  private seen: SeenInterface = { seconds: 0, nanos: 0, taken: false };

  constructor(private readonly files: readonly CaptureFile[]) {}

  /** The interface of an earlier section or file that this one goes on from; its first frame comes at this time. */
  continued(iface: CaptureInterface, seconds: number, nanos: number): CaptureInterface | undefined {
    if (iface === this.current) return undefined;
    const here = this.interfaces.get(iface.file);
    if (here?.has(iface) === true) return undefined;
    const found = this.before(iface, here, seconds, nanos) ?? this.rotated(iface);
    if (found === undefined) return undefined;
    found[1].taken = true;
    return found[0];
  }

  /** One of an earlier section of the file, if there is one with the same number in its section. */
  private before(
    iface: CaptureInterface,
    here: ReadonlyMap<CaptureInterface, SeenInterface> | undefined,
    seconds: number,
    nanos: number,
  ): [CaptureInterface, SeenInterface] | undefined {
    if (here === undefined || iface.section === undefined) return undefined;
    const list = [...here].filter(([f, s]) => {
      const isLater = s.seconds < seconds || (s.seconds === seconds && s.nanos <= nanos);
      return isLater && f.section! < iface.section! && goesOn(f, s, iface);
    });
    return list.find(([f]) => f.id === iface.id) ?? list[0];
  }

  /** One of a file of the same rotation, of files given later first. */
  private rotated(iface: CaptureInterface): [CaptureInterface, SeenInterface] | undefined {
    if (this.files.length < 2) return undefined;
    const called = this.patternOf(iface.file);
    const alike = [...this.files].reverse().flatMap((file) => {
      if (file.id === iface.file || !file.ended || this.last.get(file.id) !== file.frames) return [];
      const found = [...(this.interfaces.get(file.id) ?? [])].find(([f, s]) => goesOn(f, s, iface));
      return found === undefined ? [] : [found];
    });
    return alike.find(([f]) => this.patternOf(f.file) === called) ?? alike[0];
  }

  /** What files of one rotation are called, without their numbers and times. */
  private patternOf(id: number): string {
    return this.files.find((f) => f.id === id)?.name.replace(/\d+/g, '') ?? '';
  }

  /** A frame of this interface was taken. */
  saw(iface: CaptureInterface, frame: number, seconds: number, nanos: number): void {
    if (this.files.length > 1) this.last.set(iface.file, frame);
    if (iface !== this.current) this.turnTo(iface);
    this.seen.seconds = seconds;
    this.seen.nanos = nanos;
  }

  private turnTo(iface: CaptureInterface): void {
    this.current = iface;
    let list = this.interfaces.get(iface.file);
    if (list === undefined) this.interfaces.set(iface.file, (list = new Map()));
    let seen = list.get(iface);
    if (seen === undefined) list.set(iface, (seen = { seconds: 0, nanos: 0, taken: false }));
    this.seen = seen;
  }
}

/** Whether one interface may go on as another. */
const goesOn = (before: CaptureInterface, { taken }: SeenInterface, iface: CaptureInterface): boolean =>
  !taken && before.link === iface.link && before.name === iface.name;
