import type { RegistrationEntity } from '../model/entities.js';
import { type Moment, millis } from '../model/moment.js';
import { type Ladder, LadderBuilder, type LadderColumn, type LadderItem } from '../report/ladder.js';
import { addGaps, callLadder, later, statusKind, subscriptionText, tunnelLadder } from '../report/ladder-flows.js';
import type { Dialogue } from './dialog-list.js';
import { nameOf } from './dialog-list.js';
import type { Story } from './told.js';

/** A ladder of several dialogues, and which of them each item belongs to. */
export interface Flow extends Ladder {
  /** Number of the dialogue among those asked for, by item; -1: of none. */
  readonly dialogue: readonly number[];
}

/** Items of a flow; what comes after them is counted. */
const MOST = 5000;

/** The messages of dialogues in one ladder, in the order of time, with their media and what is missing meanwhile. */
export function dialogueFlow(story: Story, dialogues: readonly Dialogue[]): Flow {
  const ladders = dialogues.map((d) => (d.kind === 'call' ? callLadder(story, d.entity, MOST) : otherLadder(story, d)));
  return joined(dialogues.map(nameOf).join(', '), ladders);
}

/** The last moment of a dialogue that is known. */
function endOf({ kind, entity: e }: Exclude<Dialogue, { kind: 'call' }>): Moment {
  if (kind !== 'registration') return e.start;
  const last = e.transactions.at(-1);
  return last === undefined ? e.start : later(last.at, last.ms ?? 0);
}

/** The whole life of tunnels, from the SYN on, with all that was in them; some of it are the dialogues. */
export function extendedFlow(story: Story, ids: ReadonlySet<number>, dialogues: readonly Dialogue[] = []): Flow {
  const ladders = story.tunnels.filter((t) => ids.has(t.id)).map((t) => tunnelLadder(story, t, MOST));
  const flow = joined([...ids].map((id) => `tunnel ${id}`).join(', '), ladders);
  const rows = new Map<string, number>();
  for (const [i, d] of dialogues.entries())
    if (d.kind === 'call') for (const m of d.entity.messages) rows.set(m.row, i);
  return { ...flow, dialogue: flow.items.map((x) => (x.kind === 'arrow' ? (rows.get(x.row) ?? -1) : -1)) };
}

/** A registration, a message or a subscription. */
function otherLadder(story: Story, d: Exclude<Dialogue, { kind: 'call' }>): Ladder {
  const ladder = new LadderBuilder();
  const tunnel = story.tunnels.find((t) => t.id === d.entity.tunnel);
  const address = tunnel?.addresses.find((a) => !a.startsWith('fe80:')) ?? tunnel?.ue.address ?? '';
  const ue = ladder.column('ue', 'UE', address);
  const far = ladder.column('far', 'P-CSCF', tunnel?.pcscf?.address ?? '');
  if (tunnel !== undefined) addGaps(ladder, tunnel, d.entity.start, endOf(d));
  if (d.kind === 'registration') addTransactions(ladder, d.entity, ue, far);
  else {
    const method = d.kind === 'message' ? 'MESSAGE' : subscriptionText(d.entity);
    const { rows, status, responseRow, start: at } = d.entity;
    const [row = ''] = rows;
    const isDown = d.kind === 'message' ? d.entity.direction === 'down' : d.entity.method === 'NOTIFY';
    const [from, to] = isDown ? [far, ue] : [ue, far];
    ladder.arrow({ at, row, from, to, text: method, what: 'request' });
    if (responseRow !== undefined && status !== undefined)
      ladder.arrow({ at, row: responseRow, from: to, to: from, text: String(status), what: statusKind(status) });
  }
  return ladder.build(nameOf(d), MOST);
}

function addTransactions(ladder: LadderBuilder, r: RegistrationEntity, ue: number, far: number): void {
  for (const t of r.transactions) {
    ladder.arrow({
      at: t.at,
      row: t.row,
      from: ue,
      to: far,
      text: t.method,
      what: 'request',
      again: t.retransmissions,
    });
    if (t.status === undefined || t.responseRow === undefined) continue;
    const text = `${t.status} ${t.reason ?? ''}`.trim();
    const at = later(t.at, t.ms ?? 0);
    ladder.arrow({ at, row: t.responseRow, from: far, to: ue, text, what: statusKind(t.status) });
  }
  if (r.state === 'failed') ladder.note(later(r.start, 0), 'the registration failed', true);
}

/** Ladders in one: columns with the same title and address are the same. */
function joined(title: string, ladders: readonly Ladder[]): Flow {
  const columns: LadderColumn[] = [];
  const all: { item: LadderItem; dialogue: number }[] = [];
  // What happened to a tunnel stands in the ladder of each of its dialogues.
  const noted = new Set<string>();
  for (const [dialogue, ladder] of ladders.entries()) {
    const places = ladder.columns.map((c) => placeOf(c, columns));
    for (const item of ladder.items) {
      const key = item.kind === 'note' && item.bad ? `${item.at.seconds} ${item.at.nanos} ${item.text}` : '';
      if (key !== '' && noted.has(key)) continue;
      noted.add(key);
      all.push({ item: moved(item, places), dialogue });
    }
  }
  all.sort((a, b) => millis(b.item.at, a.item.at));
  return {
    title,
    columns,
    items: all.map((a) => a.item),
    dialogue: all.map((a) => a.dialogue),
    dropped: ladders.reduce((n, l) => n + l.dropped, 0),
  };
}

function placeOf(c: LadderColumn, columns: LadderColumn[]): number {
  const known = columns.findIndex((k) => k.address === c.address && (k.title === c.title || c.address !== ''));
  if (known < 0) return columns.push(c) - 1;
  if (columns[known].title === '') columns[known] = c;
  return known;
}

function moved(item: LadderItem, places: readonly number[]): LadderItem {
  return item.kind === 'note' ? item : { ...item, from: places[item.from], to: places[item.to] };
}

/** What of a flow is wanted. */
export interface Wanted {
  readonly media: boolean;
  /** Session descriptions: said that they are there, with what they say beneath, nothing of them, or nothing else. */
  readonly sdp: 'shown' | 'notes' | 'hidden' | 'only';
}

/** What a session description of a row says, a line for each of its media. */
export type SdpOf = (row: string) => readonly string[];

const SDP = / \((SDP [a-z]+)(, )?(hold)?\)$/;

/** A flow as it is wanted; `numbers` are those that the items had in the whole, also of what was added to them. */
export function narrowed(flow: Flow, wanted: Wanted, sdpOf: SdpOf): Flow & { readonly numbers: readonly number[] } {
  const numbers: number[] = [];
  const items: LadderItem[] = [];
  for (const [i, item] of flow.items.entries()) {
    const described = item.kind === 'arrow' && SDP.test(item.text);
    if ((item.kind === 'bar' && !wanted.media) || (wanted.sdp === 'only' && !described)) continue;
    numbers.push(i);
    items.push(described && wanted.sdp === 'hidden' ? { ...item, text: item.text.replace(SDP, '') } : item);
    if (!described || (wanted.sdp !== 'notes' && wanted.sdp !== 'only')) continue;
    for (const text of sdpOf(item.row)) {
      numbers.push(i);
      items.push({ kind: 'note', at: item.at, text, bad: false });
    }
  }
  return { ...flow, items, numbers, dialogue: numbers.map((i) => flow.dialogue[i]) };
}

/** The row that an item stands for; a bar for the first of its media. */
export const rowOf = (item: LadderItem): string | undefined => (item.kind === 'arrow' ? item.row : undefined);
