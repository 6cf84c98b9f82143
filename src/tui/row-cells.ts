import type { RowValues, Viewer } from '../viewer/viewer.js';

/** Rows whose values are kept. */
const KEPT = 5000;
/** Rows that are asked for at once where all are wanted. */
const AT_ONCE = 500;

/** What rows in sight have in columns of fields, and how the frames that carried them look: asked for, and kept. */
export class RowCells {
  private columns: readonly string[] = [];
  private frames = false;
  private readonly kept = new Map<number, RowValues>();
  /** Rows that were asked for; none: nothing is. */
  private asked: ReadonlySet<number> = new Set();
  /** The reading of the capture that it is of. */
  private cleared = 0;

  constructor(
    private readonly viewer: Viewer,
    private readonly changed: () => void,
  ) {}

  /** Which columns are shown, and whether frames are. */
  set(columns: readonly string[], frames: boolean): void {
    const anew = this.viewer.rows.cleared !== this.cleared;
    this.cleared = this.viewer.rows.cleared;
    if (!anew && frames === this.frames && columns.join('\n') === this.columns.join('\n')) return;
    this.columns = columns;
    this.frames = frames;
    this.kept.clear();
    this.asked = new Set();
  }

  /** What a row has; undefined: it is not known yet. */
  get(row: number): RowValues | undefined {
    return this.kept.get(row);
  }

  /** The value of a row in a column; undefined: it is not known yet. */
  text(row: number, column: string): string | undefined {
    return this.kept.get(row)?.texts[this.columns.indexOf(column)];
  }

  /** Says which rows are in sight; those that are not known are asked for. */
  want(rows: readonly number[]): void {
    if (this.columns.length === 0 && !this.frames) return;
    const missing = rows.filter((row) => !this.kept.has(row));
    if (missing.length === 0 || missing.some((row) => this.asked.has(row))) return;
    void this.ask(missing);
  }

  private async ask(rows: readonly number[]): Promise<void> {
    const asked = new Set(rows);
    this.asked = asked;
    const { columns, frames } = this;
    let found: readonly RowValues[];
    try {
      found = await this.viewer.values({ rows, columns, frames });
    } catch (e) {
      const texts = columns.map((_, i) => (i === 0 ? (e as Error).message : ''));
      found = rows.map((row) => ({ row, texts }));
    }
    // Others are in sight, or other columns are shown.
    if (this.asked !== asked) return;
    this.asked = new Set();
    for (const one of found) {
      if (this.kept.size >= KEPT) this.kept.delete(this.kept.keys().next().value!);
      this.kept.set(one.row, one);
    }
    this.changed();
  }
}

/** What rows have in columns, all of them. */
export async function valuesOf(
  viewer: Viewer,
  rows: readonly number[],
  columns: readonly string[],
  frames: boolean,
): Promise<ReadonlyMap<number, RowValues>> {
  const out = new Map<number, RowValues>();
  if (columns.length === 0 && !frames) return out;
  for (let left = rows; left.length > 0; ) {
    for (const one of await viewer.values({ rows: left.slice(0, AT_ONCE), columns, frames })) out.set(one.row, one);
    left = left.filter((row) => !out.has(row));
  }
  return out;
}
