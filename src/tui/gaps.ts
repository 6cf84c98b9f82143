import type { Moment } from '../model/moment.js';
import type { LadderItem } from '../report/ladder.js';
import { Direction, type Rows } from '../viewer/rows.js';
import { inSlices } from './slices.js';

/** Noticed of a row before which octets are missing. */
const GAP = 'capture.gap';
/** Rows that are looked at between two breaths. */
const BREATH = 1 << 14;

/** Whether octets are missing before a row. */
export const isAfterGap = (rows: Rows, row: number): boolean => rows.findings(row).includes(GAP);

/** Where octets of a tunnel are missing. */
export interface Gap {
  readonly tunnel: number;
  readonly at: Moment;
  /** What came first after them. */
  readonly row: string;
  readonly direction: 'up' | 'down';
}

/** The gaps in the connections of a capture, sought as rows come. */
export class Gaps {
  private found: number[] = [];
  /** Rows that were looked at. */
  private seen = 0;
  private cleared = 0;
  private stop: (() => void) | undefined;

  /** @param changed further ones were found */
  constructor(
    private readonly rows: Rows,
    private readonly changed: () => void,
  ) {}

  /** Looks at the rows that are new. */
  look(): void {
    const { rows } = this;
    if (rows.cleared !== this.cleared) {
      this.stop?.();
      this.stop = undefined;
      this.found = [];
      this.seen = 0;
      this.cleared = rows.cleared;
    }
    if (this.stop !== undefined || rows.count === this.seen) return;
    const to = rows.count;
    this.stop = inSlices(rows, gapsOf(rows, this.seen, to), (found) => {
      this.stop = undefined;
      if (found === undefined) return;
      this.seen = to;
      this.found.push(...found);
      if (found.length > 0) this.changed();
    });
  }

  /** The gaps of some tunnels, in the order of time. */
  of(tunnels: ReadonlySet<number>): Gap[] {
    const { rows } = this;
    return this.found
      .filter((row) => tunnels.has(rows.tunnel(row)))
      .map((row) => ({
        tunnel: rows.tunnel(row),
        at: { seconds: rows.seconds(row), nanos: rows.nanos(row) },
        row: rows.id(row),
        direction: rows.direction(row) === Direction.up ? 'up' : 'down',
      }));
  }
}

function* gapsOf(rows: Rows, from: number, to: number): Generator<void, number[]> {
  const found: number[] = [];
  for (let row = from; row < to; row++) {
    if (row % BREATH === 0) yield;
    if (isAfterGap(rows, row)) found.push(row);
  }
  return found;
}

/** A gap as a line of a ladder. */
export const gapNote = ({ at, row, direction }: Gap): LadderItem => ({
  kind: 'note',
  at,
  text: `octets ${direction === 'up' ? 'from' : 'to'} the UE are missing before ${row}`,
  bad: true,
});
