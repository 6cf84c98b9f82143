import type { GapEntry } from '../model/entities.js';
import { gapWords } from '../report/report-words.js';
import type { Rows } from '../viewer/rows.js';
import type { Story } from './told.js';

/** Noticed of a row before which octets are missing. */
const GAP = 'capture.gap';

/** Says of rows what is missing before them; how much it is, and of which records, once the report is there. */
export class Gaps {
  private story: Story | undefined;
  private readonly byFrame = new Map<string, GapEntry[]>();

  /** @param told what the report says so far */
  constructor(
    private readonly rows: Rows,
    private readonly told: () => Story | undefined,
  ) {}

  /** `about 1 segment (232 B) missing …`; empty where nothing is missing. */
  before(row: number): string {
    if (!this.rows.findings(row).includes(GAP)) return '';
    this.refresh();
    const gaps = this.byFrame.get(this.rows.id(row).replace(/\.\d+$/, ''));
    if (gaps === undefined) return 'octets are missing before';
    return gaps.map((g) => gapWords(g, true)).join('; ');
  }

  private refresh(): void {
    const story = this.told();
    if (story === this.story) return;
    this.story = story;
    this.byFrame.clear();
    for (const g of story?.tunnels.flatMap((t) => t.gaps) ?? []) {
      const others = this.byFrame.get(g.row);
      if (others === undefined) this.byFrame.set(g.row, [g]);
      else others.push(g);
    }
  }
}
