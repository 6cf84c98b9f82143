import { joined, type Own, ours, quoted, tenths, words } from '../kit/index.js';
import type { Call } from './call.js';
import type { Place } from './entities.js';
import type { Findings, Ref } from './findings.js';
import type { MediaStream } from './media-stream.js';
import { isBefore, type Moment, millis } from './moment.js';
import { isTwoWay } from './session-media.js';

/** Speech is expected so long after the answer. */
const ONE_WAY_MS = 1000;
const NONE_MS = 3000;
/** Packets of a direction that is not silent. */
const SPEAKING = 10;
/** Nobody who hears the other side hears nothing for so long; gateways give up after 10 s to 60 s. */
const STOPPED_MS = 10_000;
/** A sender that paused for so long before may pause again, for so many times as long. */
const LONGER = 2;
/** What a sender counts in RTCP after its last packet came by, so that it did send. */
const COUNTED = 10;
/** A report may wait for so long beside the last packets. */
const BESIDE_MS = 1000;

/**
 * Judges whether the media of an answered call flowed both ways.
 * @param streams those of the call
 */
export function judgeFlow(c: Call, streams: readonly MediaStream[], end: Moment, findings: Findings): void {
  if (c.answer === null) return;
  if (c.tunnels.size > 1) judgeMove(c, streams, findings);
  const caller = c.session.agreed(true);
  const callee = c.session.agreed(false);
  if (caller === undefined || callee === undefined) return;
  if (!isTwoWay(caller) || !isTwoWay(callee)) return;
  const ms = millis(c.answer, c.end ?? end);
  const refs: Ref[] = [{ kind: 'call', id: c.id }, ...[...c.tunnels].map((id): Ref => ({ kind: 'tunnel', id }))];
  const toCaller = packetsOf(streamsTo(streams, c, true));
  const toCallee = packetsOf(streamsTo(streams, c, false));
  const outside = c.tunnels.size === 0;
  const confidence = outside ? ({ confidence: 'possible' } as const) : {};
  // Either way may be none of those that were described, and lead past the tunnel; but both ways are one pair.
  const ice = c.session.hasCandidates;
  if (Math.min(toCaller, toCallee) === 0 && ice && (outside || !isNominated(streams, c))) return;
  if (toCaller + toCallee === 0) {
    // Outside of tunnels media may go another way than the signalling.
    if (ms >= NONE_MS)
      findings.raise('media.none', c.answer, refs, { ...confidence, ...(outside && { severity: 'note' }) });
    return;
  }
  if (Math.min(toCaller, toCallee) >= SPEAKING) {
    judgeStarts(c, streams, ice, findings);
    judgeStops(c, streams, end, findings);
  }
  if (ms < ONE_WAY_MS || Math.max(toCaller, toCallee) < SPEAKING || Math.min(toCaller, toCallee) > 0) return;
  const silent = toCaller === 0 ? 'callee' : 'caller';
  const where = toCaller === 0 ? caller : callee;
  findings.raise('media.one-way', c.answer, refs, {
    ...(ice ? { confidence: 'likely' } : confidence),
    detail: words`Nothing came from the ${silent}${partOf(c, silent)}; it was to send to ${quoted('host', where.address)}:${where.port}.`,
  });
}

/** Nobody listens so long to nothing. */
const SILENT_MS = 20_000;

/**
 * Judges whether a caller heard anything before the answer, where none came: ringing, or early media (RFC 3960 §3).
 * @param streamsIn the streams of a tunnel: of early media it need not be known that they are of the call
 * @param end until when something of it could be heard
 */
export function judgeProgress(
  c: Call,
  streamsIn: (tunnel: number) => Iterable<MediaStream>,
  end: Moment,
  findings: Findings,
): void {
  const { progress, ringing } = c;
  if (progress === null || ringing !== null || (c.state !== 'in-progress' && c.state !== 'cancelled')) return;
  const over = c.cancel ?? c.end ?? end;
  const ms = millis(progress, over);
  if (ms < SILENT_MS || c.direction === undefined || c.features.quality?.met === false) return;
  const up = c.direction === 'terminated';
  for (const tunnel of c.tunnels)
    for (const s of streamsIn(tunnel))
      if (s.up === up && isBefore(s.rtp.start, over) && isBefore(progress, s.rtp.end)) return;
  const refs: Ref[] = [{ kind: 'call', id: c.id }, ...[...c.tunnels].map((id): Ref => ({ kind: 'tunnel', id }))];
  const until = c.cancel === null ? '' : ' The caller gave it up then.';
  findings.raise('call.silent-progress', progress, refs, {
    detail: ours`Neither 180 nor media came in the ${Math.round(ms / 1000)} s after the first sign of progress.${until}`,
  });
}

/** Judges for how long media were away where the call went on in another tunnel of the UE. */
function judgeMove(c: Call, streams: readonly MediaStream[], findings: Findings): void {
  const all = [pauseOf(c, streams, true), pauseOf(c, streams, false)].flatMap((p) => p ?? []);
  const [first] = all;
  if (first === undefined) return;
  const { before, after } = first;
  const ways = all.map(({ ms, after: { up } }) => ours`${up ? 'up' : 'down'} for ${tenths(ms / 1000)} s`);
  const refs: Ref[] = [
    { kind: 'call', id: c.id },
    ...all.map(({ after: { id } }): Ref => ({ kind: 'media', id })),
    ...[before.tunnel, after.tunnel].map((id): Ref => ({ kind: 'tunnel', id })),
  ];
  findings.raise('media.interrupted', before.rtp.end, refs, {
    detail: words`It went on in tunnel ${after.tunnel} after tunnel ${before.tunnel}: nothing came ${joined(ways, ', ')}.`,
    rows: all.map((p) => p.after.rtp.start.row),
    ...(all.every((p) => p.ms < NONE_MS) && { severity: 'note' }),
  });
}

/** The longest pause of a direction from one tunnel of the UE to another. */
function pauseOf(
  c: Call,
  streams: readonly MediaStream[],
  up: boolean,
): { readonly before: MediaStream; readonly after: MediaStream; readonly ms: number } | undefined {
  const own = streams
    .filter((s) => s.tunnel !== 0 && s.up === up && s.rtp.packets >= SPEAKING)
    .sort((a, b) => millis(b.rtp.start, a.rtp.start));
  const { turned } = c.session;
  const pauses = own.slice(1).flatMap((after, i) => {
    const before = own[i];
    const ms = millis(before.rtp.end, after.rtp.start);
    const isHeld = turned !== null && isBefore(before.rtp.end, turned) && isBefore(turned, after.rtp.start);
    const isMove = after.tunnel !== before.tunnel && c.isOneIn(before.tunnel, after.tunnel);
    return isMove && !isHeld && !before.endsQuiet && ms >= ONE_WAY_MS ? { before, after, ms } : [];
  });
  return pauses.sort((a, b) => b.ms - a.ms)[0];
}

/** Until a pair is nominated each side may send on another one; this long after the answer there is one. RFC 8445 §12.1 */
const NOMINATED_MS = 5000;

/** Whether media went on in a tunnel when ICE had settled on a pair, which serves both ways. */
const isNominated = (streams: readonly MediaStream[], c: Call): boolean =>
  streams.some((s) => s.tunnel !== 0 && s.rtp.packets >= SPEAKING && millis(c.answer!, s.rtp.end) >= NOMINATED_MS);

/** Names a direction between two places. */
const wayOf = (from: Place, to: Place): string => `${from.address} ${from.port} ${to.address} ${to.port}`;

/**
 * Streams towards a side since the answer: to wherever it wanted them, or back to where its own come from, as gateways send
 * to who is behind a NAT (RFC 4961 §4); in a tunnel the direction says it where addresses are translated. Early media are
 * of the network, mostly, and no sign that the call has any.
 */
function streamsTo(streams: readonly MediaStream[], c: Call, byCaller: boolean): MediaStream[] {
  const up = c.direction === 'originated' ? !byCaller : undefined;
  const isWanted = ({ to }: MediaStream, side: boolean): boolean => c.session.hasWanted(side, to.address, to.port);
  const back = new Set(streams.flatMap((s) => (isWanted(s, !byCaller) ? wayOf(s.to, s.from) : [])));
  return streams.filter(
    (s) =>
      !isBefore(s.rtp.end, c.answer!) &&
      (isWanted(s, byCaller) ||
        (back.has(wayOf(s.from, s.to)) && !isWanted(s, !byCaller)) ||
        (up !== undefined && s.tunnel !== 0 && s.up === up)),
  );
}

/** Those that carry something. */
const packetsOf = (streams: readonly MediaStream[]): number =>
  streams.reduce((n, s) => n + s.rtp.packets - s.rtp.keepAlives, 0);

/** What one side sent first since the answer, and for how long it had sent nothing then. */
interface Start {
  readonly side: 'caller' | 'callee';
  readonly stream: MediaStream;
  readonly ms: number;
}

/**
 * Judges whether media began when the call was answered: what is said before they do is not heard (RFC 3264 §6.1). Where
 * ICE has still to find a way they wait for it, and a side that pauses as long later on does without packets in silence.
 */
function judgeStarts(c: Call, streams: readonly MediaStream[], ice: boolean, findings: Findings): void {
  const least = ice ? NOMINATED_MS : ONE_WAY_MS;
  const all = (['caller', 'callee'] as const).flatMap((side) => startOf(c, side, streams, least) ?? []);
  if (all.length === 0) return;
  const outside = c.tunnels.size === 0;
  const [first, second] = all.toSorted((a, b) => b.ms - a.ms);
  const refs: Ref[] = [
    { kind: 'call', id: c.id },
    ...all.map(({ stream }): Ref => ({ kind: 'media', id: stream.id })),
    ...[...c.tunnels].map((id): Ref => ({ kind: 'tunnel', id })),
  ];
  findings.raise('media.late-start', c.answer!, refs, {
    detail: second === undefined ? late(c, first) : ours`${late(c, first)} ${late(c, second)}`,
    rows: all.map((s) => s.stream.rtp.start.row),
    lasted: { from: c.answer!, to: first.stream.rtp.start, leastMs: least },
    ...((outside || first.ms < NONE_MS) && { severity: 'note' }),
    ...(outside && { confidence: 'possible' }),
  });
}

function startOf(
  c: Call,
  side: 'caller' | 'callee',
  streams: readonly MediaStream[],
  least: number,
): Start | undefined {
  let stream: MediaStream | undefined;
  for (const s of streamsTo(streams, c, side === 'callee'))
    if (stream === undefined || isBefore(s.rtp.start, stream.rtp.start)) stream = s;
  if (stream === undefined) return undefined;
  const ms = millis(c.answer!, stream.rtp.start);
  const { turned } = c.session;
  const isTurned = turned !== null && isBefore(turned, stream.rtp.start); // a hold came between
  const isHeld = stream.headOfLine.some((h) => h.ms > ms - least); // it waited for the tunnel
  return ms < least || isTurned || isHeld || stream.rtp.longestPause > ms ? undefined : { side, stream, ms };
}

const late = (c: Call, { side, ms }: Start): Own =>
  ours`The ${side}${partOf(c, side)} sent nothing for the first ${tenths(ms / 1000)} s of the call.`;

/** What one side sent last, and for how long it had nothing to say then. */
interface Stop {
  readonly side: 'caller' | 'callee';
  readonly stream: MediaStream;
  readonly ms: number;
}

/**
 * Judges whether the media of a call that flowed both ways went on until its end. Pauses of speech are none: a sender
 * that has said so with comfort noise, that sends keep-alives in the place of media, or that paused before.
 * @param end until when something of it could be heard
 */
function judgeStops(c: Call, streams: readonly MediaStream[], end: Moment, findings: Findings): void {
  // Media of a party that is transferred, or whose call another one replaces, end before the call does.
  if (c.features.transfers.list.length > 0 || c.features.replacedBy !== undefined) return;
  const over = c.end ?? end;
  const all = (['caller', 'callee'] as const).flatMap((side) => stopOf(c, side, streams, over) ?? []);
  if (all.length === 0) return;
  const outside = c.tunnels.size === 0;
  const refs: Ref[] = [
    { kind: 'call', id: c.id },
    ...all.map(({ stream }): Ref => ({ kind: 'media', id: stream.id })),
    ...[...c.tunnels].map((id): Ref => ({ kind: 'tunnel', id })),
  ];
  // Both sides at once, and no end of the call: it may have been captured no more than the media that followed.
  const isUnsure = outside || (c.end === null && all.length === 2);
  const isMuted = all.every((s) => heardAfter(s) === 'silent');
  const [first, second] = all;
  const rows = [...all.map((s) => s.stream.rtp.end.row), ...(c.end === null ? [] : [c.end.row])];
  const what = second === undefined ? ours`${told(c, first)}` : ours`${told(c, first)} ${told(c, second)}`;
  findings.raise('media.stopped', first.stream.rtp.end, refs, {
    detail: ours`${what}${c.end === null ? ' The end of the call is not in the capture.' : ''}`,
    rows,
    lasted: { from: first.stream.rtp.end, to: over, leastMs: STOPPED_MS },
    ...(isUnsure && { confidence: 'possible' }),
    ...((outside || isMuted) && { severity: 'note' }),
  });
}

function stopOf(c: Call, side: 'caller' | 'callee', streams: readonly MediaStream[], over: Moment): Stop | undefined {
  let stream: MediaStream | undefined;
  for (const s of streamsTo(streams, c, side === 'callee'))
    if (stream === undefined || isBefore(stream.rtp.end, s.rtp.end)) stream = s;
  if (stream === undefined || stream.endsQuiet) return undefined;
  const { turned } = c.session;
  const last: Moment = stream.rtp.end;
  const from = turned !== null && isBefore(last, turned) ? turned : last;
  const ms = millis(from, over);
  return ms >= Math.max(STOPPED_MS, LONGER * stream.rtp.longestPause) ? { side, stream, ms } : undefined;
}

/** What RTCP of a source tells of the time after its last packet: RFC 3550 §6.4.1, §6.6. */
function heardAfter({ stream: s, ms }: Stop): 'sent' | 'silent' | 'left' | undefined {
  const { end } = s.rtp;
  if (s.left !== null && !isBefore(s.left, end)) return 'left';
  const after = s.reports.filter((r) => millis(end, r.at) > BESIDE_MS);
  if (after.length > 1 && after[after.length - 1].packets - after[0].packets >= COUNTED) return 'sent';
  if (s.negotiated?.secure === true) return undefined; // what it counts is encrypted
  return s.control !== null && 2 * millis(end, s.control) >= ms ? 'silent' : undefined;
}

const HEARD = {
  sent: ours` Its RTCP counts packets all the same: they were lost before they came here.`,
  silent: ours` Its RTCP goes on and counts none: it is there, and sends none.`,
  left: ours` Its RTCP said BYE.`,
} as const;

/** Whether a side is the UE or the network, where that is known. */
export function partOf({ direction }: Call, side: 'caller' | 'callee'): Own | '' {
  if (direction === undefined) return '';
  return (side === 'caller') === (direction === 'originated') ? ours` (the UE)` : ours` (the network)`;
}

function told(c: Call, stop: Stop): Own {
  const { side, stream, ms } = stop;
  const before = c.end === null ? '' : c.releasedBy === undefined ? ' of the call' : ' before the BYE';
  const heard = heardAfter(stop);
  const ended = stream.control === null ? '' : ' Its RTCP ended too.';
  return ours`The ${side}${partOf(c, side)} sent nothing for the last ${Math.round(ms / 1000)} s${before}.${heard === undefined ? ended : HEARD[heard]}`;
}
