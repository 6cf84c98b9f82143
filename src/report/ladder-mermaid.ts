import { printable } from '../kit/index.js';
import { itemText, type Ladder } from './ladder.js';

/** Text that Mermaid takes for nothing but text: everything that has a meaning there as a character entity. */
const plain = (s: string): string =>
  printable(s).replace(/[^\p{L}\p{N} .,:/@+()!?=→←×…_-]/gu, (c) => `#${c.codePointAt(0)};`);

/** A ladder as a Mermaid sequence diagram, one statement a line. */
export function ladderMermaid({ columns, items }: Ladder): string {
  const lines = ['sequenceDiagram'];
  for (const [i, c] of columns.entries())
    lines.push(`  participant c${i} as ${plain(`${c.title} ${c.address}`.trim() || '-')}`);
  const all = columns.length > 1 ? `c0,c${columns.length - 1}` : 'c0';
  for (const item of items) {
    const text = plain(itemText(item)) || '-';
    if (item.kind === 'note') lines.push(`  Note over ${all}: ${text}`);
    else if (item.kind === 'bar')
      lines.push(`  Note over ${item.from === item.to ? `c${item.from}` : `c${item.from},c${item.to}`}: ${text}`);
    else lines.push(`  c${item.from}${item.what === 'provisional' ? '-->>' : '->>'}c${item.to}: ${text}`);
  }
  return `${lines.join('\n')}\n`;
}
