import type { GapEntry } from '../model/entities.js';
import { gapWords } from '../report/report-words.js';
import type { Rows } from '../viewer/rows.js';
import type { Story } from './told.js';

/** Noticed of a row before which octets are missing. */
const GAP = 'capture.gap';

interface Told {
  readonly tunnel: number;
  readonly gap: GapEntry;
}

/** Says of rows what is missing before them; how much it is, and of which records, once the report is there. */
export class Gaps {
  private story: Story | undefined;
  private readonly byFrame = new Map<string, Told[]>();

  /** @param told what the report says so far */
  constructor(
    private readonly rows: Rows,
    private readonly told: () => Story | undefined,
  ) {}

  /**
   * The Info of a row with what is missing before it, for lists in which gaps have no lines: `[gap: 232 B, record 5] Router
   * Advertisement`.
   */
  around(row: number, info: string): string {
    if (!this.rows.findings(row).includes(GAP)) return info;
    const gaps = this.of(row);
    return gaps.length === 0 ? `[gap] ${info}` : `[gap: ${gaps.map((t) => briefOf(t.gap)).join('; ')}] ${info}`;
  }

  /** What is missing before rows, for a line of its own; `tunnel` is told where it is not the one that all rows are of. */
  words(rows: readonly number[], tunnel?: number): string {
    const all = rows.flatMap((row) => this.of(row));
    if (all.length === 0) return 'octets are missing here';
    const named = all.map(({ gap, tunnel: t }) => `${t === tunnel ? '' : `tunnel ${t}: `}${gapWords(gap)}`);
    return named.join('; ');
  }

  private of(row: number): readonly Told[] {
    this.refresh();
    return this.byFrame.get(this.rows.id(row).replace(/\.\d+$/, '')) ?? [];
  }

  private refresh(): void {
    const story = this.told();
    if (story === this.story) return;
    this.story = story;
    this.byFrame.clear();
    for (const { id: tunnel, gaps } of story?.tunnels ?? [])
      for (const gap of gaps) {
        const others = this.byFrame.get(gap.row);
        if (others === undefined) this.byFrame.set(gap.row, [{ tunnel, gap }]);
        else others.push({ tunnel, gap });
      }
  }
}

/** `232 B, record 5`; decryption that did not go on makes it `record 5 on`. */
function briefOf({ octets, firstRecord: first, resumedRecord: next }: GapEntry): string {
  if (first === undefined) return `${octets} B`;
  if (next === undefined) return `${octets} B, record ${first} on`;
  return `${octets} B, ${next - first > 1 ? `records ${first} to ${next - 1}` : `record ${first}`}`;
}
