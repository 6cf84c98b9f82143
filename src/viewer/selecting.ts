import type { Hindsight } from '../engine/hindsight.js';
import type { PassOptions } from '../engine/pass.js';
import type { Row } from '../engine/row.js';
import type { Filter } from '../filter/index.js';
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
    this.rows = choice.rows === undefined ? null : new Set(choice.rows);
  }

  takes(row: number): boolean {
    const { all, choice } = this;
    const inner = all.inner(row);
    if (choice.kind === 'inner' && inner === 0) return false;
    if (choice.kind === 'outer' && inner > 1) return false;
    if (this.tunnels !== null && !this.tunnels.has(all.tunnel(row))) return false;
    return this.rows === null || this.rows.has(all.id(row));
  }
}

/** Goes on with a selection that needs no packet; false: everything that there is so far was looked at. */
export function selectByColumns(s: Selected, test: ColumnTest, rows: Rows): boolean {
  const end = Math.min(rows.count, s.seen + SLICE);
  for (let row = s.seen; row < end; row++) if (test.takes(row)) s.push(row);
  s.seen = end;
  return end < rows.count;
}

/** What a pass has to see so that a filter can say what it takes. */
export function filterOptions({ fields }: Filter, hindsight: Hindsight | undefined): Partial<PassOptions> {
  const analyseTcp = fields.some((f) => f.name.startsWith('tcp.'));
  return { fields, analyseTcp, hindsight };
}

/** Takes the rows of a pass one by one and keeps those that the filter and the columns take. */
export class FilterSink {
  private row = 0;

  constructor(
    private readonly s: Selected,
    private readonly filter: Filter,
    private readonly test: ColumnTest,
    private readonly rows: Rows,
  ) {}

  readonly take = (row: Row): undefined => {
    const number = this.numberOf(row);
    if (number < this.rows.count && this.test.takes(number) && this.filter.matches(row.dissection)) this.s.push(number);
    this.s.seen = number + 1;
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
