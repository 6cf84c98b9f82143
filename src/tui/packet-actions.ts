import { addColumn, ColumnsDialog } from './columns-dialog.js';
import { Reader } from './dialogs.js';
import type { CommandId } from './keymap.js';
import { messageOf } from './message-source.js';
import { COLOURINGS } from './packet-colours.js';
import type { PacketsView } from './packets-view.js';
import type { Pane } from './panes.js';
import { plural } from './words.js';

/* What is done with the packet or the field under the cursor. */

/** What the hint line offers where the keys go to a pane. */
const OFFERS: Record<Pane, readonly CommandId[]> = {
  list: [
    'next-pane',
    'filter',
    'layers',
    'next-in-dialog',
    'next-finding',
    'find',
    'follow',
    'mark',
    'time-reference',
    'zoom',
    'layout',
    'copy',
  ],
  tree: [
    'next-pane',
    'filter-apply',
    'filter-and',
    'filter-not',
    'open',
    'copy',
    'find',
    'layers',
    'zoom',
    'layout',
    'filter-prepare',
  ],
  octets: ['next-pane', 'open', 'find', 'copy', 'filter-apply', 'layers', 'zoom', 'layout'],
};
/** Commands that the hint line names while a pane has the keys, the most useful first. */
export const offersIn = (pane: Pane): readonly CommandId[] => [...OFFERS[pane], 'palette', 'help'];

/** Filters for the selected field, narrows the filter down to it, leaves it out, or writes it for what is to follow. */
export function filterFromField(view: PacketsView, command: CommandId): void {
  if (view.packets.row >= 0) view.whenRead(() => filterFrom(view, command, view.current?.filter));
  else filterFrom(view, command, undefined);
}

function filterFrom(view: PacketsView, command: CommandId, field: string | undefined): void {
  if (field === undefined) {
    view.desk.say(view.desk.keymap.words('choose a field in the tree first: {next-pane} goes there'));
    return;
  }
  const { filter } = view.packets;
  const wrapped = / (or|\|\||and|&&) /.test(filter) ? `(${filter})` : filter;
  const both = filter === '' ? field : `${wrapped} && ${field}`;
  if (command === 'filter-apply') view.setFilter(field);
  else if (command === 'filter-and') view.setFilter(both);
  else if (command === 'filter-prepare') view.askFilter(both);
  else view.setFilter(filter === '' ? `!(${field})` : `${wrapped} && !(${field})`);
}

/** Octets as they are pasted elsewhere. */
const COPIES: Readonly<Record<string, readonly [words: string, of: (octets: Buffer) => string]>> = {
  hex: ['as hex', (o) => o.toString('hex')],
  c: ['as a C array', cArray],
  base64: ['as base64', (o) => o.toString('base64')],
  text: ['as text', (o) => o.toString('utf8')],
};
export const COPY_FORMS = Object.keys(COPIES);

function cArray(octets: Buffer): string {
  const lines: string[] = [];
  for (let at = 0; at < octets.length; at += 12)
    lines.push(`  ${[...octets.subarray(at, at + 12)].map((o) => `0x${o.toString(16).padStart(2, '0')}`).join(', ')},`);
  return `static const unsigned char octets[${octets.length}] = {\n${lines.join('\n')}\n};\n`;
}

/** Copies the octets of the field in a form. */
function copyOctets({ desk, tree, current: n }: PacketsView, form: string): void {
  const copy = COPIES[form];
  const octets = n && tree.detail?.sources[n.source]?.octets.subarray(n.off, n.off + n.length);
  if (copy === undefined) desk.say(`octets are copied as ${COPY_FORMS.join(', ')}, not as ${form}`, 'warn');
  else if (octets === undefined || octets.length === 0) desk.say('no octets are selected', 'warn');
  else desk.copy(copy[1](Buffer.from(octets)), `${plural(octets.length, 'octet')} ${copy[0]}`);
}

/** Copies what has the focus: the line of the packet, that of the field, or its octets as hex. */
function copyShown(view: PacketsView): void {
  const { desk, packets, focus, rowId, current: n } = view;
  if (focus === 'list' || n === undefined) {
    const { gap } = packets;
    if (gap !== undefined) desk.copy(gap, 'what is missing');
    else if (packets.row >= 0) desk.copy(packets.lineOf(packets.row, desk.preferences.time), `packet ${rowId}`);
  } else if (focus === 'tree') desk.copy(n.label, n.field || 'a line of the tree');
  else copyOctets(view, 'hex');
}

/** Shows the whole of a field: long values are cut in the tree. */
function showField({ desk, tree, current: n }: PacketsView): void {
  const { detail } = tree;
  if (n === undefined || detail === undefined) return;
  const lines = [n.label];
  if (n.clause !== undefined) lines.push(`clause    ${n.clause}`);
  if (n.filter !== undefined) lines.push(`filter    ${n.filter}`);
  if (n.length === 0) lines.push('computed, not in the octets');
  else lines.push(`octets    ${n.off}–${n.off + n.length - 1} of ${detail.sources[n.source].name}`);
  if (n.mask !== undefined) lines.push(`bits      0x${n.mask.toString(16)}`);
  desk.show(new Reader(n.field || 'Field', lines, desk));
}

/** Shows the innermost message: SIP as it was sent, anything else as its layer. */
function showMessage(view: PacketsView): void {
  const { desk, rowId } = view;
  view.whenRead((d) => desk.show(new Reader(`Packet ${rowId}`, messageOf(d).lines, desk)));
}

/** Does what a command says about the list and what it shows; false: it says nothing about it. */
export function listCommand(view: PacketsView, command: CommandId, argument: string): boolean {
  const { desk, packets } = view;
  switch (command) {
    case 'time-reference':
      if (packets.row < 0) return true;
      packets.reference = packets.reference === packets.row ? -1 : packets.row;
      if (packets.reference >= 0) desk.preferences.time = 'r';
      desk.say(packets.reference < 0 ? 'time counts from the first frame' : `time counts from packet ${view.rowId}`);
      return true;
    case 'tail':
      packets.toggleTail();
      return true;
    case 'pause':
      packets.paused = !packets.paused;
      return true;
    case 'colours':
      view.colours.colouring = COLOURINGS[(COLOURINGS.indexOf(view.colours.colouring) + 1) % COLOURINGS.length];
      desk.say(`coloured by: ${view.colours.colouring}`);
      return true;
    case 'columns':
      desk.show(new ColumnsDialog(view));
      return true;
    case 'add-column':
      addColumn(view, argument === '' && view.focus !== 'list' ? (view.current?.field ?? '') : argument);
      return true;
    case 'sort':
      desk.say(desk.keymap.words('packets stay in the order of the capture; {columns} chooses columns'));
      return true;
    case 'copy':
      if (argument === '') copyShown(view);
      else copyOctets(view, argument);
      return true;
    case 'info':
      view.whenRead(() => showField(view));
      return true;
    case 'raw':
      showMessage(view);
      return true;
    default:
      return false;
  }
}
