import { type Moment, millis } from '../model/moment.js';

/** A party of a call flow: one vertical line. */
export interface LadderColumn {
  /** What it is: `UE`, `EFTF`, `P-CSCF`; '' where only its address is known. */
  readonly title: string;
  readonly address: string;
}

/** What an arrow is, which decides its colour. */
export type ArrowKind = 'connection' | 'addressing' | 'request' | 'provisional' | 'success' | 'failure' | 'other';

/** A message from one column to another. */
export interface LadderArrow {
  readonly kind: 'arrow';
  readonly at: Moment;
  readonly row: string;
  readonly from: number;
  readonly to: number;
  readonly text: string;
  readonly what: ArrowKind;
  /** How often it was sent again. */
  readonly again: number;
}

/** Media between two columns, for a while. */
export interface LadderBar {
  readonly kind: 'bar';
  readonly at: Moment;
  readonly end: Moment;
  readonly from: number;
  readonly to: number;
  readonly text: string;
  /** Whether they flow both ways. */
  readonly both: boolean;
}

/** A remark across all columns. */
export interface LadderNote {
  readonly kind: 'note';
  readonly at: Moment;
  readonly text: string;
  readonly bad: boolean;
}

/** A line of a ladder, in the order of time. */
export type LadderItem = LadderArrow | LadderBar | LadderNote;

/** A call flow as plain data; {@link ladderText}, {@link ladderSvg} and {@link ladderMermaid} draw it. */
export interface Ladder {
  readonly title: string;
  readonly columns: readonly LadderColumn[];
  /** In the order in which they happened. */
  readonly items: readonly LadderItem[];
  /** Items that were left out because there were too many. */
  readonly dropped: number;
}

/** Seconds and milliseconds since the first item. */
export function since(ladder: Ladder, at: Moment): string {
  const [first] = ladder.items;
  return first === undefined ? '' : (millis(first.at, at) / 1000).toFixed(3);
}

/** The text of an item with what belongs to it: how often it was sent again. */
export const itemText = (item: LadderItem): string =>
  item.kind === 'arrow' && item.again > 0 ? `${item.text} (${item.again + 1}×)` : item.text;

/** Gathers the columns and items of a ladder. */
export class LadderBuilder {
  readonly columns: LadderColumn[] = [];
  private readonly byKey = new Map<string, number>();
  private readonly items: LadderItem[] = [];

  /** The column with this key, made when it is first asked for. */
  column(key: string, title: string, address = ''): number {
    const known = this.byKey.get(key);
    if (known !== undefined) return known;
    this.byKey.set(key, this.columns.length);
    return this.columns.push({ title, address }) - 1;
  }

  arrow(a: Omit<LadderArrow, 'kind' | 'again'> & { readonly again?: number }): void {
    this.items.push({ kind: 'arrow', again: 0, ...a });
  }

  bar(b: Omit<LadderBar, 'kind'>): void {
    this.items.push({ kind: 'bar', ...b });
  }

  note(at: Moment, text: string, bad = false): void {
    this.items.push({ kind: 'note', at, text, bad });
  }

  /** @param most items that are kept */
  build(title: string, most: number): Ladder {
    const sorted = this.items.sort((a, b) => millis(b.at, a.at));
    const dropped = Math.max(0, sorted.length - most);
    return { title, columns: this.columns, items: sorted.slice(0, most), dropped };
  }
}
