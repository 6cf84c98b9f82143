import { isChallenge } from '../../dissectors/sip/status.js';
import { counted } from '../kit/index.js';
import type {
  CallEntity,
  CallMessage,
  MediaEntity,
  Place,
  RegistrationEntity,
  SubscriptionEntity,
  TransactionEntry,
  TunnelEntity,
  TunnelStep,
} from '../model/entities.js';
import { isBefore, type Moment, millis } from '../model/moment.js';
import { type ArrowKind, type Ladder, LadderBuilder } from './ladder.js';
import type { Lists } from './report-select.js';
import { codecOf, gapWords, innerAddress } from './report-words.js';

/** Items of a ladder, unless somebody wants more. */
const MOST = 500;

/** Which columns the ends of messages are: UEs by the addresses of their tunnels, everybody else by address. */
class Ends {
  constructor(
    private readonly ladder: LadderBuilder,
    private readonly tunnels: readonly TunnelEntity[],
    /** Addresses that both ends of a message have: there, ports tell them apart. */
    private readonly shared: ReadonlySet<string>,
  ) {}

  ue(t: TunnelEntity): number {
    const title = this.tunnels.length > 1 ? `UE (tunnel ${t.id})` : 'UE';
    const address = innerAddress(t) ?? t.ue.address;
    return this.ladder.column(`ue ${t.id}`, title, address);
  }

  of({ address, port }: Place): number {
    const t = this.tunnels.find((x) => x.addresses.includes(address));
    if (t !== undefined) return this.ue(t);
    const key = this.shared.has(address) ? `${address} port ${port}` : address;
    const isProxy = this.tunnels.some((x) => x.pcscf?.address === address);
    return this.ladder.column(key, isProxy ? 'P-CSCF' : '', key);
  }
}

/** Addresses from which something went to the same address. */
function sharedAddresses(calls: readonly CallEntity[], media: readonly MediaEntity[]): Set<string> {
  const out = new Set<string>();
  for (const { source: s, destination: d } of [...calls.flatMap((c) => c.messages), ...media])
    if (s.address === d.address) out.add(s.address);
  return out;
}

/** The flow of one call: its messages, retransmissions folded, and its media. */
export function callLadder(lists: Lists, call: CallEntity, most = MOST): Ladder {
  const ladder = new LadderBuilder();
  const media = lists.media.filter((m) => m.call === call.id);
  const tunnels = lists.tunnels.filter((t) => call.tunnels.includes(t.id));
  const ends = new Ends(ladder, tunnels, sharedAddresses([call], media));
  addCall(ladder, ends, call, tunnels);
  addMedia(ladder, ends, media);
  for (const t of tunnels) {
    addGaps(ladder, t, call.start, call.end);
    addStalls(ladder, t, call.start, call.end);
  }
  return ladder.build(`Call ${call.id}: ${call.fromUri} → ${call.toUri}`, most);
}

/** The whole life of a tunnel, from its SYN to its end, with everything that ran in it. */
export function tunnelLadder(lists: Lists, t: TunnelEntity, most = MOST): Ladder {
  const ladder = new LadderBuilder();
  const calls = lists.calls.filter((c) => c.tunnels.includes(t.id));
  const media = lists.media.filter((m) => m.tunnel === t.id);
  const ends = new Ends(ladder, [t], sharedAddresses(calls, media));
  const ue = ends.ue(t);
  if (t.proxy !== undefined) ladder.column('proxy', 'proxy', t.proxy.address);
  const eftf = ladder.column('eftf', 'EFTF', t.eftf.name ?? t.eftf.address);
  addGaps(ladder, t);
  for (const s of t.steps) addStep(ladder, t, s, ue, eftf);
  addAddressing(ladder, lists, t, ue, eftf);
  for (const r of lists.registrations) if (r.tunnel === t.id) addRegistration(ladder, ends, t, r);
  for (const c of calls) addCall(ladder, ends, c, [t]);
  addMedia(ladder, ends, media);
  addExchanges(ladder, lists, t);
  addStalls(ladder, t);
  addEnd(ladder, lists, t);
  const name = t.eftf.name ?? t.eftf.address;
  return ladder.build(`Tunnel ${t.id}: ${t.ue.address} → ${name}`, most);
}

function addStep(ladder: LadderBuilder, t: TunnelEntity, s: TunnelStep, ue: number, eftf: number): void {
  const proxied = s.step !== 'client-hello' && s.step !== 'finished' && s.step !== 'close-notify';
  const far = proxied && t.proxy !== undefined ? ladder.column('proxy', 'proxy', t.proxy.address) : eftf;
  const [from, to] = s.direction === 'up' ? [ue, far] : [far, ue];
  const bad = s.step === 'rst' || (s.step === 'connect-answer' && (t.proxy?.status ?? 0) >= 300);
  ladder.arrow({ at: s.at, row: s.row, from, to, text: stepText(t, s), what: bad ? 'failure' : 'connection' });
}

function stepText(t: TunnelEntity, { step }: TunnelStep): string {
  switch (step) {
    case 'syn':
      return 'TCP SYN';
    case 'syn-ack':
      return 'TCP SYN, ACK';
    case 'connect':
      return `CONNECT ${t.proxy?.target ?? ''}`;
    case 'connect-answer':
      return t.proxy?.status === undefined ? 'answer to CONNECT' : `${t.proxy.status} to CONNECT`;
    case 'client-hello':
      return `ClientHello${t.tls?.sni === undefined ? '' : ` ${t.tls.sni}`}`;
    case 'finished':
      return `Finished ${t.tls?.version ?? ''}`.trim();
    case 'close-notify':
      return 'close_notify';
    case 'fin':
      return 'TCP FIN';
    case 'rst':
      return 'TCP RST';
  }
}

function addAddressing(ladder: LadderBuilder, lists: Lists, t: TunnelEntity, ue: number, eftf: number): void {
  for (const a of lists.addressing) {
    if (a.tunnel !== t.id) continue;
    const named = [
      ...a.dhcp.exchanges.flatMap((e) => e.messages.map((m) => ({ m, name: `DHCP ${m.type}`, address: e.address }))),
      ...a.dhcpv6.exchanges.flatMap((e) =>
        e.messages.map((m) => ({ m, name: `DHCPv6 ${m.type}`, address: undefined })),
      ),
      ...a.slaac.messages.map((m) => ({ m, name: SLAAC[m.type] ?? m.type, address: undefined })),
    ];
    for (const { m, name, address } of named) {
      const [from, to] = m.direction === 'up' ? [ue, eftf] : [eftf, ue];
      const text = m.type === 'ACK' && address !== undefined ? `${name} ${address}` : name;
      const what = m.type === 'NAK' || m.type === 'DECLINE' ? 'failure' : 'addressing';
      ladder.arrow({ at: m.at, row: m.row, from, to, text, what });
    }
  }
}

const SLAAC: Readonly<Record<string, string>> = {
  RS: 'Router Solicit.',
  RA: 'Router Advert.',
  DAD: 'DAD probe',
};

function addRegistration(ladder: LadderBuilder, ends: Ends, t: TunnelEntity, r: RegistrationEntity): void {
  const ue = ends.ue(t);
  const address = t.pcscf?.address ?? 'P-CSCF';
  const far = ladder.column(address, 'P-CSCF', address);
  for (const x of r.transactions) {
    const { row, at, retransmissions: again } = x;
    ladder.arrow({ at, row, from: ue, to: far, text: x.method, what: 'request', again });
    if (x.status !== undefined && x.responseRow !== undefined)
      ladder.arrow({ ...answer(x), row: x.responseRow, from: far, to: ue });
  }
}

function answer(x: TransactionEntry): { at: Moment; text: string; what: ArrowKind } {
  return { at: later(x.at, x.ms ?? 0), text: `${x.status} ${x.reason ?? ''}`.trim(), what: statusKind(x.status ?? 0) };
}

/** `ms` after `m`. */
export function later(m: Moment, ms: number): Moment {
  const nanos = m.nanos + Math.round(ms * 1e6);
  return { seconds: m.seconds + Math.floor(nanos / 1e9), nanos: ((nanos % 1e9) + 1e9) % 1e9 };
}

/** What an answer of SIP is in a ladder. A challenge is no failure: credentials follow it. */
export const statusKind = (status: number): ArrowKind =>
  status < 200 ? 'provisional' : status < 300 ? 'success' : status < 400 || isChallenge(status) ? 'other' : 'failure';

function addCall(ladder: LadderBuilder, ends: Ends, call: CallEntity, tunnels: readonly TunnelEntity[]): void {
  for (const m of call.messages) {
    ladder.arrow({
      at: m.at,
      row: m.row,
      from: ends.of(m.source),
      to: ends.of(m.destination),
      text: messageText(m),
      what: m.status === undefined ? 'request' : statusKind(m.status),
      again: m.retransmissions,
    });
  }
  if (call.failure === undefined) return;
  const how = call.state === 'failed' ? 'failed' : 'was cut off';
  ladder.note(call.end ?? closedLast(tunnels) ?? last(call), `call ${call.id} ${how}: ${call.failure.reason}`, true);
}

/** When the last of some tunnels ended; undefined where one of them did not. */
function closedLast(tunnels: readonly TunnelEntity[]): Moment | undefined {
  let at: Moment | undefined;
  for (const { closed } of tunnels) {
    if (closed === undefined) return undefined;
    if (at === undefined || isBefore(at, closed)) at = closed;
  }
  return at;
}

const last = (call: CallEntity): Moment => call.messages[call.messages.length - 1]?.at ?? call.start;

/** `INVITE (SDP offer)`, `200 OK (SDP answer, hold)`. */
function messageText(m: CallMessage): string {
  const name = m.status === undefined ? m.method : `${m.status} ${m.reason ?? ''}`.trim();
  const what = [...(m.sdp === undefined ? [] : [`SDP ${m.sdp}`]), ...(m.hold === true ? ['hold'] : [])];
  return what.length === 0 ? name : `${name} (${what.join(', ')})`;
}

/** One bar for what flows both ways at the same time. */
function addMedia(ladder: LadderBuilder, ends: Ends, media: readonly MediaEntity[]): void {
  const paired = new Set<MediaEntity>();
  for (const [i, m] of media.entries()) {
    if (paired.has(m)) continue;
    const from = ends.of(m.source);
    const to = ends.of(m.destination);
    const back = media.find((x, k) => k > i && !paired.has(x) && isReverse(m, x) && isBefore(x.start, m.end));
    if (back !== undefined) paired.add(back);
    const text =
      back === undefined ? `RTP ${codecOf(m)} ${packetsOf(m)}` : from < to ? bothWays(m, back) : bothWays(back, m);
    const end = back !== undefined && isBefore(m.end, back.end) ? back.end : m.end;
    ladder.bar({ at: m.start, end, from, to, text, both: back !== undefined });
  }
}

/** `RTP PCMA → 100, ← 97 (3 lost)`; the other codec stands with its way where it is another. */
function bothWays(forth: MediaEntity, back: MediaEntity): string {
  const other = codecOf(back) === codecOf(forth) ? '' : `${codecOf(back)} `;
  return `RTP ${codecOf(forth)} → ${packetsOf(forth)}, ← ${other}${packetsOf(back)}`;
}

const isReverse = (a: MediaEntity, b: MediaEntity): boolean =>
  a.call === b.call && same(a.source, b.destination) && same(a.destination, b.source);
const same = (a: Place, b: Place): boolean => a.address === b.address && a.port === b.port;
const packetsOf = (m: MediaEntity): string => (m.lost === 0 ? `${m.packets}` : `${m.packets} (${m.lost} lost)`);

/** Messages and subscriptions, of which a report tells only that they were, and what became of them. */
function addExchanges(ladder: LadderBuilder, lists: Lists, t: TunnelEntity): void {
  const answered = (status: number | undefined): string => (status === undefined ? 'not answered' : String(status));
  // Of one that began before the capture only notifications may be seen.
  const result = (s: SubscriptionEntity): string =>
    s.method === 'NOTIFY' && s.status === undefined ? '' : `: ${answered(s.status)}`;
  for (const m of lists.messages)
    if (m.tunnel === t.id)
      ladder.note(m.start, `MESSAGE ${m.fromUri} → ${m.toUri}: ${answered(m.status)}`, (m.status ?? 0) >= 400);
  for (const s of lists.subscriptions)
    if (s.tunnel === t.id)
      ladder.note(s.start, `${subscriptionText(s)} ${s.toUri}${result(s)}`, (s.status ?? 0) >= 400);
}

/** `SUBSCRIBE reg`, `PUBLISH presence`. */
export const subscriptionText = (s: SubscriptionEntity): string => `${s.method} ${s.event ?? ''}`.trim();

/** Says where octets of a tunnel are missing, in a span of time. */
export function addGaps(ladder: LadderBuilder, t: TunnelEntity, from?: Moment, to?: Moment): void {
  for (const g of t.gaps) if (isWithin(g.at, from, to)) ladder.note(g.at, gapWords(g), true);
}

/** Whether a time is in a span of which either end may be open. */
const isWithin = (at: Moment, from: Moment | undefined, to: Moment | undefined): boolean =>
  (from === undefined || !isBefore(at, from)) && (to === undefined || !isBefore(to, at));

function addStalls(ladder: LadderBuilder, t: TunnelEntity, from?: Moment, to?: Moment): void {
  for (const s of t.tcp.stalls) {
    if (!isWithin(s.at, from, to)) continue;
    const way = s.direction === 'up' ? 'from the UE' : 'to the UE';
    ladder.note(
      s.at,
      `TCP stood still ${way} for ${Math.round(s.ms)} ms; ${counted(s.released, 'envelope')} came at once`,
      true,
    );
  }
}

function addEnd(ladder: LadderBuilder, lists: Lists, t: TunnelEntity): void {
  const at = t.closed ?? lastOf(lists, t);
  if (t.failure !== undefined) ladder.note(at, t.failure.cause, true);
  if (t.release.how === 'silent') ladder.note(at, 'nothing more was heard', true);
  else if (t.release.how === 'capture-end') ladder.note(at, 'the capture ends');
}

/** The last moment that is known of a tunnel. */
function lastOf(lists: Lists, t: TunnelEntity): Moment {
  let at = t.established ?? t.opened;
  const times = [
    ...t.steps.map((s) => s.at),
    ...lists.media.filter((m) => m.tunnel === t.id).map((m) => m.end),
    ...lists.calls.filter((c) => c.tunnels.includes(t.id)).map(last),
    ...lists.registrations.filter((r) => r.tunnel === t.id).flatMap((r) => r.transactions.map((x) => answer(x).at)),
  ];
  for (const m of times) if (millis(at, m) > 0) at = m;
  return at;
}
