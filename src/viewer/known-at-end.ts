import { Hindsight, hindsightAmong, type Lists } from '../engine/hindsight.js';
import type { Registry } from '../engine/registry.js';
import type { Field } from '../kit/index.js';

/** How far reading is, and who tells of all that was read. */
export interface Reading {
  isEnded(): boolean;
  /** The end is not in sight. */
  grows(): boolean;
  /** Resolves when there is more than before. */
  news(): Promise<void>;
  telling<T>(make: (report: Lists) => T): Promise<T>;
}

/** What is known of rows once everything was read; kept for whoever asks for the same again. */
export class KnownAtEnd {
  private asked = '';
  private known: Promise<Hindsight> | undefined;

  constructor(
    private readonly reading: Reading,
    private readonly registry: () => Pick<Registry, 'byName'>,
  ) {}

  /**
   * Of the fields that are asked for; where one is known only at the end, that is waited for. Undefined where nothing is to
   * be known. @throws Error where the end is not in sight
   */
  async of(asked: readonly Field[]): Promise<Hindsight | undefined> {
    const { reading } = this;
    const among = hindsightAmong(asked);
    const late = among.find((f) => f.atEnd === true);
    if (among.length === 0 || (late === undefined && !reading.isEnded())) return undefined;
    if (reading.grows())
      throw new Error(`${(late ?? among[0]).name} is known at the end of the capture, and this one still grows`);
    while (!reading.isEnded()) await reading.news();
    const names = [...new Set(among.map((f) => f.name))].sort().join();
    if (this.known === undefined || this.asked !== names) {
      this.asked = names;
      this.known = reading.telling((report) => new Hindsight(report, among, this.registry()));
    }
    return this.known;
  }

  /** The capture is read anew. */
  forget(): void {
    this.known = undefined;
  }
}
