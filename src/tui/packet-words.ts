import type { Viewer } from '../viewer/viewer.js';
import type { PacketList } from './packet-list.js';
import type { Desk } from './view.js';
import { count, plural } from './words.js';

/** Why no packet is listed, and what to do about it. */
export const emptyWords = (desk: Desk, packets: PacketList): string[] =>
  reasons(desk, packets).map((line) => (line.startsWith(FILTER) ? line : desk.keymap.words(line)));

const FILTER = 'The filter is  ';

function reasons(desk: Desk, packets: PacketList): string[] {
  const { status } = desk.viewer;
  const { filter, kind, seen, sought, error } = packets;
  if (error !== undefined) return [error, '{back} clears the filter, {filter} edits it.'];
  if (sought) return ['Looking …'];
  if (status.rows === 0 && !status.done) return ['Waiting for the first packet.'];
  if (status.rows === 0) {
    const why = status.messages.find((m) => m.severity === 'error')?.text;
    return ['0 packets: the capture is empty.', ...(why === undefined ? [] : [why])];
  }
  if (filter !== '')
    return [
      `0 of ${plural(seen, 'packet')} match.`,
      `${FILTER}${filter}`,
      '{back} clears it, {filter} edits it, ↑ in the line brings earlier ones.',
    ];
  const { tunnels } = desk.scope;
  const isKnown = (id: number): boolean => status.tunnels.some((t) => t.id === id);
  if (tunnels !== undefined && !tunnels.some(isKnown) && status.done && status.moreTunnels === 0)
    return [
      `There is no tunnel ${tunnels.join()}; the capture has ${status.tunnels.length === 0 ? 'none' : count(status.tunnels.length)}.`,
      '{view-tunnels} lists the tunnels.',
    ];
  if (
    kind === 'inner' &&
    tunnels !== undefined &&
    status.tunnels.some((t) => !tunnels.includes(t.id) && t.up + t.down > 0)
  )
    return [
      'No inner packets here: nothing of this tunnel could be read.',
      '{layers} shows its outer frames instead, {view-tunnels} says why, {keys} loads keys.',
      '{view-packets} once more lists the inner packets of the other tunnels.',
    ];
  if (kind === 'inner')
    return [
      'No inner packets here: nothing of a tunnel could be read.',
      '{layers} shows the outer frames instead, {view-tunnels} says why, {keys} loads keys.',
    ];
  if (kind === 'outer') return ['No outer frames here.', '{layers} shows inner packets and outer frames.'];
  return ['No packets here.', '{back} goes back.'];
}

/** What there is to say of the gap under the cursor; nothing where there is none. */
export function gapText({ keymap, viewer }: Desk, packets: PacketList): string[] {
  const { gap } = packets;
  if (gap === undefined) return [];
  const next =
    packets.next < 0 ? 'Nothing comes after it here' : `What comes next is packet ${viewer.rows.id(packets.next)}`;
  return [
    `Gap: ${gap}.`,
    `The capture lacks these octets, and so the list lacks what they carried. ${next}.`,
    keymap.words('View {view-findings} says what helps against it.'),
  ];
}

/** What is said of a packet that nobody captured. */
export const missingPacket = ({ rows, status }: Pick<Viewer, 'rows' | 'status'>, id: string): string | undefined =>
  rows.byId(id) >= 0 ? undefined : `there is no packet ${id}${status.done ? '' : ' so far'}`;
