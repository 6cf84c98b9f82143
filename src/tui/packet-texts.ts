import { jsonOffer } from './export-actions.js';
import type { ExportOffer } from './exports.js';
import { gapText } from './packet-words.js';
import type { PacketsView } from './packets-view.js';
import { wordsOf } from './tree-pane.js';
import type { Reading } from './view.js';

/* The list and the packet under the cursor as text: for the pager, and for files. */

/** The whole tree, each level by two blanks to the right. */
const treeLines = ({ tree }: PacketsView): string[] =>
  (tree.detail?.nodes ?? []).map(
    (n) => `${'  '.repeat(n.depth)}${n.severity === undefined ? '' : `${n.severity}: `}${wordsOf(n)}`,
  );

/** Octets of all sources, sixteen a line. */
function octetLines({ tree, octets }: PacketsView): string[] {
  const { detail } = tree;
  if (detail === undefined) return [];
  return detail.sources.flatMap((_, i) => [...octets.linesOf(i), '']);
}

/** What has the focus; undefined: the tree has not come, or there is none. */
export function readingOf(view: PacketsView): Reading | undefined {
  const { gap } = view.packets;
  if (gap !== undefined) return { name: 'gap', lines: gapText(view.desk, view.packets) };
  if (view.tree.detail === undefined) return undefined;
  const name = `packet-${view.rowId}`;
  if (view.focus === 'octets') return { name: `${name}-octets`, lines: octetLines(view) };
  if (view.focus === 'tree') return { name, lines: treeLines(view) };
  return { name, lines: [...treeLines(view), '', ...octetLines(view)] };
}

/** What can be saved of the packets. */
export function packetOffers(view: PacketsView): readonly ExportOffer[] {
  const { packets, desk, rowId } = view;
  if (packets.count === 0) return [];
  const rows = { count: packets.count, at: (i: number) => packets.at(i), words: '' };
  const list = [
    { name: 'packets as listed, CSV', file: 'packets.csv', make: () => packets.csv(desk.preferences.time) },
    jsonOffer(desk, rows, 'packets as listed, JSON with all fields', 'packets.json'),
  ];
  if (view.tree.detail === undefined || rowId === '') return list;
  const { row } = packets;
  const text = (lines: readonly string[]): string => `${lines.join('\n')}\n`;
  return [
    ...list,
    {
      name: `packet ${rowId} as text`,
      file: `${rowId}.txt`,
      make: () => text([...treeLines(view), '', ...octetLines(view)]),
    },
    jsonOffer(desk, { count: 1, at: () => row, words: '' }, `packet ${rowId} as JSON`, `${rowId}.json`),
  ];
}
