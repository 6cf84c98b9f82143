import type { Hindsight } from '../engine/hindsight.js';
import type { PassOptions } from '../engine/pass.js';
import type { Row } from '../engine/row.js';
import type { Filter } from '../filter/index.js';
import type { Field } from '../kit/index.js';
import type { Dialogs } from '../report/dialogs.js';
import type { Rows } from './rows.js';
import type { Selected } from './selected.js';
import type { Choice } from './viewer.js';

/** Rows that are looked at in one go where no packet has to be read. */
const SLICE = 1 << 16;

/** What rows must be, as far as their columns tell. */
export class ColumnTest {
  private readonly tunnels: ReadonlySet<number> | null;
  private readonly rows: ReadonlySet<string> | null;

  constructor(
    private readonly choice: Choice,
    private readonly all: Rows,
  ) {
    this.tunnels = choice.tunnels === undefined ? null : new Set(choice.tunnels);
    this.rows = choice.rows === undefined ? null : new Set(choice.rows.map((id) => this.idListed(id)));
  }

  takes(row: number): boolean {
    const { all, choice } = this;
    if (choice.kind === 'inner' && all.inner(row) === 0) return false;
    if (this.listedFor(row) !== row) return false;
    if (this.tunnels !== null && !this.tunnels.has(all.tunnel(row))) return false;
    return this.rows === null || this.rows.has(this.idListed(all.id(row)));
  }

  /** The row that is listed for a row: itself, or among frames the first of its frame. */
  listedFor(row: number): number {
    const { all, choice } = this;
    const inner = all.inner(row);
    if (choice.kind !== 'outer' || inner === 0) return row;
    const first = row - inner + 1;
    // Where the end of the capture set rows free, their frame has one of its own.
    return first > 0 && all.ordinal(first - 1) === all.ordinal(row) ? first - 1 : first;
  }

  /** The id under which a row is listed. */
  private idListed(id: string): string {
    return this.choice.kind === 'outer' ? id.replace(/\.\d+$/, '') : id;
  }
}

/** Goes on with a selection that needs no packet; false: everything that there is so far was looked at. */
export function selectByColumns(s: Selected, test: ColumnTest, rows: Rows): boolean {
  const end = Math.min(rows.count, s.seen + SLICE);
  for (let row = s.seen; row < end; row++) if (test.takes(row)) s.push(row);
  s.seen = end;
  return end < rows.count;
}

/** What a pass has to see so that a filter, and the choice of a user's dialogs, can say what they take. */
export function filterOptions(asked: readonly Field[], hindsight: Hindsight | undefined): Partial<PassOptions> {
  const analyseTcp = asked.some((f) => f.name.startsWith('tcp.'));
  return { fields: asked, analyseTcp, hindsight };
}

/** Takes the rows of a pass one by one and keeps those that the filter, the dialogs and the columns take. */
export class FilterSink {
  private row = 0;
  /** The row that was taken last. */
  private pushed = -1;

  constructor(
    private readonly s: Selected,
    private readonly filter: Filter | null,
    private readonly dialogs: Dialogs | null,
    private readonly test: ColumnTest,
    private readonly rows: Rows,
  ) {}

  readonly take = (row: Row): undefined => {
    const number = this.numberOf(row);
    this.s.seen = number + 1;
    if (number >= this.rows.count) return undefined;
    const { test, filter, dialogs } = this;
    // Also of rows that are not listed dialogs are learned.
    if (dialogs?.takes(row) === false) return undefined;
    const listed = test.listedFor(number);
    if (listed === this.pushed || !test.takes(listed) || filter?.matches(row.dissection) === false) return undefined;
    this.s.push(listed);
    this.pushed = listed;
    return undefined;
  };

  /** Rows come in their order, but those of frames that were passed over are missing. */
  private numberOf({ outer, inner }: Row): number {
    const { rows } = this;
    const { ordinal } = outer;
    let n = this.row;
    if (n >= rows.count || rows.ordinal(n) !== ordinal || rows.inner(n) !== inner) {
      n = rows.byOrdinal(ordinal, inner);
      if (n < 0) n = rows.count;
    }
    this.row = n + 1;
    return n;
  }
}
