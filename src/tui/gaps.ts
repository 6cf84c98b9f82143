import type { GapEntry } from '../model/entities.js';
import { counted } from '../report/report-words.js';
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

  /**
   * The Info of a row with what is missing before it: `[gap: 232 B, record 5] Router Advertisement  [about 1 segment,
   * resumed at record 6]`. What matters most stands first and is short, for narrow screens.
   */
  around(row: number, info: string): string {
    if (!this.rows.findings(row).includes(GAP)) return info;
    this.refresh();
    const gaps = this.byFrame.get(this.rows.id(row).replace(/\.\d+$/, ''));
    if (gaps === undefined) return `[gap] ${info}`;
    const details = gaps.map(detailsOf).filter(Boolean).join('; ');
    return `[gap: ${gaps.map(briefOf).join('; ')}] ${info}${details === '' ? '' : `  [${details}]`}`;
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

/** `232 B, record 5`; decryption that did not go on makes it `record 5 on`. */
function briefOf({ octets, firstRecord: first, resumedRecord: next }: GapEntry): string {
  if (first === undefined) return `${octets} B`;
  if (next === undefined) return `${octets} B, record ${first} on`;
  return `${octets} B, ${next - first > 1 ? `records ${first} to ${next - 1}` : `record ${first}`}`;
}

/** `about 1 segment, resumed at record 6`, as far as it is known. */
function detailsOf({ estimatedSegments: segments, resumedRecord: next }: GapEntry): string {
  const size = segments === undefined ? '' : `about ${counted(segments, 'segment')}`;
  return [size, next === undefined ? '' : `resumed at record ${next}`].filter(Boolean).join(', ');
}
