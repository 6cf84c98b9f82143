import type { Desk, View } from './view.js';

/** How many times as long as a reading took is waited before the next; and milliseconds at least. */
const REST = 10;
const LEAST_MS = 1000;

/** A reading that is under way, and where the user was before it. */
interface Reading {
  readonly began: number;
  readonly frames: number;
  readonly view: View;
  readonly place: unknown;
}

/** Reads a capture that grows once more when keys have come that open what was passed over; at most a tenth of the time. */
export class LateReading {
  private reading: Reading | undefined;
  /** The new reading has begun. */
  private anew = false;
  private next = 0;
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly desk: Desk & { readonly view: View }) {}

  /** To be called when the status of the viewer is another. */
  look(): void {
    const { status } = this.desk.viewer;
    const { reading } = this;
    if (reading !== undefined) {
      // Until the new reading tells of itself, the status is that of the old one.
      const read = status.done || status.frames >= reading.frames;
      if (this.anew && !status.late && read) this.finish(reading);
      return;
    }
    if (!status.late) return;
    const wait = this.next - Date.now();
    if (wait <= 0) void this.read();
    else if (this.timer === undefined) {
      this.timer = setTimeout(() => {
        this.timer = undefined;
        this.look();
      }, wait);
      this.timer.unref();
    }
  }

  private async read(): Promise<void> {
    const { desk } = this;
    const { view, viewer } = desk;
    this.reading = { began: Date.now(), frames: viewer.status.frames, view, place: view.place() };
    desk.say('keys have come: what waited for them is read again');
    if ((await desk.reopen({})) === undefined) this.anew = true;
    else this.rest(this.reading.began);
    this.look();
  }

  /** The next reading has time. */
  private rest(began: number): void {
    this.reading = undefined;
    this.anew = false;
    this.next = Date.now() + Math.max(LEAST_MS, REST * (Date.now() - began));
  }

  private finish({ began, view, place }: Reading): void {
    this.rest(began);
    // Back to the line where the user was, unless they have gone on.
    if (this.desk.view === view) view.restore(place);
    this.look();
  }
}
