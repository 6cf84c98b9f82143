import { COMFORT_NOISE, KEEP_ALIVE_TYPE } from '../../dissectors/rtp-payload-types.js';
import { joined, type Own, ours, ownCount, parseAddress, quoted, tenths, words } from '../kit/index.js';
import { LIMITS } from '../limits.js';
import type { Call } from './call.js';
import type { Place } from './entities.js';
import type { Findings, Ref, Remark } from './findings.js';
import type { MediaStream } from './media-stream.js';
import { isBefore, type Moment, millis } from './moment.js';
import { addressesOf } from './offer-answer.js';
import { isNowhere } from './session-media.js';
import { isTranslated } from './translation.js';

/** Packets that may have strayed, with a damaged header, and are no stream of anybody. */
const STRAY = 2;
const LOSS = { packets: 3, note: 0.5, warn: 2, error: 10 } as const;
const DOUBLED = { packets: 5, percent: 1 } as const;
const JITTER = { note: 30, warn: 60 } as const;
const HEAD_OF_LINE = { packets: 3, ms: 200, warn: 500 } as const;

/** Raises what is wrong with how a stream arrived: loss, jitter, gaps, and packets of the wrong kind. */
export function judgeStream(s: MediaStream, findings: Findings): void {
  const refs: Ref[] = [{ kind: 'media', id: s.id }];
  if (s.call !== 0) refs.push({ kind: 'call', id: s.call });
  if (s.tunnel !== 0) refs.push({ kind: 'tunnel', id: s.tunnel });
  const at = s.rtp.start;
  const raise = (code: string, remark: Remark): void => findings.raise(code, at, refs, remark);
  const { jitterMean, types, bursts } = s.rtp;
  const { lost, expected, percent } = s.loss;
  if (lost >= LOSS.packets && percent >= LOSS.note)
    raise('media.loss', {
      detail: ours`${lost} of ${expected} packets (${tenths(percent)} %) did not come, up to ${bursts.longest} in a row.${lostWhere(s, findings)}`,
      severity: percent >= LOSS.error ? 'error' : percent >= LOSS.warn ? 'warn' : 'note',
    });
  const sum = (of: 'packets' | 'ms'): number => s.headOfLine.reduce((n, h) => n + h[of], 0);
  const own = s.rtp.jitterWithout(sum('packets'), sum('ms'));
  if (own >= JITTER.note) {
    const held =
      s.headOfLine.length === 0 ? '' : ours` Without what waited for the tunnel it is ${Math.round(own)} ms.`;
    raise('media.jitter', {
      detail: ours`The mean jitter is ${Math.round(jitterMean)} ms.${held}`,
      severity: own >= JITTER.warn ? 'warn' : 'note',
    });
  }
  const { duplicates } = s.rtp;
  if (duplicates >= DOUBLED.packets && duplicates * 100 >= DOUBLED.percent * expected)
    raise('media.duplicates', { detail: ours`${ownCount(duplicates, 'packet')} came twice.` });
  const agreed = s.negotiated?.payloadTypes;
  const foreign = types.filter((t) => t !== KEEP_ALIVE_TYPE && t !== COMFORT_NOISE && s.agreed(t) === undefined);
  if (agreed !== undefined && agreed.size > 0 && foreign.length > 0)
    raise('media.payload-type', {
      detail: words`${foreign.length === 1 ? 'It is' : 'They are'} ${joined(
        foreign.map((t) => ours`${t}`),
        ', ',
      )}.`,
    });
  if (s.speech?.isForeign)
    raise('media.framing', {
      detail: ours`Of ${ownCount(s.speech.misfits, 'packet')} the length is not the one that the header asks for.`,
    });
  const held = s.headOfLine.filter((h) => h.packets >= HEAD_OF_LINE.packets && h.ms >= HEAD_OF_LINE.ms);
  const longest = Math.max(0, ...held.map((h) => h.ms));
  if (held.length > 0)
    raise('media.head-of-line', {
      detail: ours`Packets waited ${Math.round(longest)} ms at most.`,
      severity: longest >= HEAD_OF_LINE.warn ? 'warn' : 'note',
    });
}

/** What keeps packets of a tunnel from being seen. */
const HIDING = ['capture.gap', 'tls.bad-tag', 'tls.framing-lost'] as const;

/** Where packets were lost that run in a tunnel, which loses none: before they came into it. */
function lostWhere(s: MediaStream, findings: Findings): Own | '' {
  const lacks = HIDING.some((code) => findings.has(code, s.tunnel)) || findings.hasAtAll('capture.snaplen', s.file);
  if (s.tunnel === 0 || lacks) return '';
  return s.up
    ? ours` That was before the tunnel, in the UE or what is behind it.`
    : ours` That was before the tunnel, in the EFTF or the network behind it.`;
}

/**
 * Judges a stream inside a tunnel to where no session description wants it, while a call with agreed media was up.
 * @param own the streams of its call, where it has one
 */
export function judgeOutside(
  s: MediaStream,
  calls: Iterable<Call>,
  own: readonly MediaStream[],
  end: Moment,
  findings: Findings,
): void {
  const { start, packets } = s.rtp;
  if (s.tunnel === 0 || packets <= STRAY) return;
  const call = callOf(s, calls, end);
  if (call === undefined || call.endpoints.has(`${s.to.address} ${s.to.port}`) || call.session.hasCandidates) return;
  if (isCarriedOver(s, call)) return;
  // Who wants what is half the story where a side has not said it, or may have before the call began here.
  if (call.session.isDue(true) || call.session.isDue(false) || findings.has('capture.order', s.tunnel)) return;
  const isBack = isAnswering(s, call, own);
  findings.raise(
    'media.outside',
    start,
    [
      { kind: 'media', id: s.id },
      { kind: 'call', id: call.id },
      { kind: 'tunnel', id: s.tunnel },
    ],
    {
      detail: words`It goes to ${quoted('address', s.to.address)}:${s.to.port}${isBack ? ', where the media of the UE come from: the other side sends back to there' : ''}.`,
      ...(isBack && { severity: 'note' }),
    },
  );
}

/**
 * Whether a stream to a UE goes to where that sends from, and not to the address that it named, which is none of the tunnel:
 * gateways do so for who is behind a NAT. RFC 4961 §4, TS 23.228 annex G.2
 */
function isAnswering(s: MediaStream, { session }: Call, streams: readonly MediaStream[]): boolean {
  if (s.up || session.descriptions.some((d) => addressesOf(d).includes(s.to.address))) return false;
  const isSame = (a: Place, b: Place): boolean => a.address === b.address && a.port === b.port;
  return streams.some(
    (o) => o.up && o.tunnel === s.tunnel && o.rtp.packets >= STREAM && isSame(o.from, s.to) && isSame(o.to, s.from),
  );
}

/** Whether a stream goes by IPv6 between places that descriptions name by IPv4: a network translates. RFC 6052 */
function isCarriedOver({ from, to }: MediaStream, { endpoints }: Call): boolean {
  if (!to.address.includes(':')) return false;
  const named = [...endpoints].map((place) => place.split(' ') as [address: string, port: string]);
  const isOf = (end: Place): boolean => named.some(([a, p]) => Number(p) === end.port && isTranslated(end.address, a));
  // The UE has an IPv6 address of its own in the place of the one that it names.
  return isOf(to) || (isOf(from) && named.some(([a, p]) => !a.includes(':') && Number(p) === to.port));
}

/** Packets of a stream that is no accident. */
const STREAM = 10;

/** Whether media that a UE gets come from where the session descriptions of the other side say. RFC 4961 §4 */
export function judgeSource(s: MediaStream, c: Call | undefined, findings: Findings): void {
  if (s.tunnel === 0 || s.up || c === undefined || s.rtp.packets < STREAM || c.session.hasCandidates) return;
  if (c.direction === undefined || c.session.isDue(true) || c.session.isDue(false)) return;
  const isCaller = c.direction === 'terminated';
  const isBoth = c.tunnels.size > 1; // both sides are UEs, and each is the other one's other side
  const described = c.session.descriptions.filter((d) => isBoth || d.byCaller === isCaller);
  const named = new Set(described.flatMap(addressesOf));
  if (c.session.descriptions.length >= LIMITS.callParts) return; // the first ones are let go of
  // A name may be any address; where nothing is to be sent to, what comes may come from anywhere.
  if (named.size === 0 || named.has(s.from.address)) return;
  if ([...named].some((a) => isTranslated(s.from.address, a))) return;
  if ([...named].some((a) => parseAddress(a) === undefined || isNowhere(a))) return;
  const refs: Ref[] = [
    { kind: 'media', id: s.id },
    { kind: 'call', id: c.id },
    { kind: 'tunnel', id: s.tunnel },
  ];
  const places = joined(
    [...named].map((a) => quoted('address', a)),
    ', ',
  );
  findings.raise('media.foreign-source', s.rtp.start, refs, {
    detail: words`They come from ${quoted('address', s.from.address)}:${s.from.port}, and the other side named ${places}.`,
  });
}

/**
 * Judges whether a UE went on from another address in a tunnel, and no session description of the call names that. What DHCP
 * did is told as such.
 * @param streams those of the call
 */
export function judgeMoves(c: Call, streams: readonly MediaStream[], findings: Findings): void {
  if (c.session.hasCandidates) return;
  const own = streams.filter((s) => s.up && s.tunnel !== 0 && s.rtp.packets >= STREAM);
  if (own.length === 0) return;
  const named = new Set(c.session.descriptions.flatMap(addressesOf));
  for (const s of own) {
    if (named.has(s.from.address) || findings.has('dhcp.address-lost', s.tunnel)) continue;
    const before = own.find(
      (o) => o.tunnel === s.tunnel && named.has(o.from.address) && isBefore(o.rtp.start, s.rtp.start),
    );
    if (before === undefined || [...named].some((a) => isTranslated(s.from.address, a))) continue;
    const refs: Ref[] = [
      { kind: 'media', id: s.id },
      { kind: 'call', id: c.id },
      { kind: 'tunnel', id: s.tunnel },
    ];
    findings.raise('media.moved', s.rtp.start, refs, {
      detail: words`They came from ${quoted('address', before.from.address)} before, and from ${quoted('address', s.from.address)} now.`,
      rows: [before.rtp.end.row],
    });
    return;
  }
}

/** The call of a stream; of one that belongs to none the first that was up in its tunnel when it began. */
function callOf({ call, tunnel, rtp: { start } }: MediaStream, calls: Iterable<Call>, end: Moment): Call | undefined {
  for (const c of calls) if (c.id === call || (call === 0 && wasUp(c, tunnel, start, end))) return c;
  return undefined;
}

/** Whether a call with session descriptions was up at a time. */
const wasUp = (c: Call, tunnel: number, at: Moment, end: Moment): boolean =>
  c.tunnels.has(tunnel) && c.session.descriptions.length > 0 && !isBefore(at, c.start) && !isBefore(c.end ?? end, at);

/** Octets of IP and UDP headers, which `b=AS` counts (RFC 3550 §6.2, RFC 8866 §5.8). */
const HEADERS = { 4: 28, 6: 48 } as const;
/** A rate is told of a stream of so many packets and milliseconds; bursts may be this much above. */
const RATE = { packets: 50, ms: 2000, above: 1.1 } as const;

/** Judges whether a stream keeps to the bandwidth that its receiver named. */
export function judgeBandwidth(s: MediaStream, c: Call | undefined, findings: Findings): void {
  // What waited for the tunnel comes all at once: it was sent at the pace of its timestamps.
  const ms = Math.max(millis(s.rtp.start, s.rtp.end), s.rtp.spanMs);
  if (c === undefined || ms < RATE.ms || s.rtp.packets < RATE.packets) return;
  // The session may have changed: the most that was ever named counts.
  const named = c.session.descriptions.flatMap(({ audio: a }) =>
    a?.address === s.to.address && a.port === s.to.port && a.bandwidth !== undefined ? [a.bandwidth] : [],
  );
  const bandwidth = Math.max(...named);
  const refs: Ref[] = [
    { kind: 'media', id: s.id },
    { kind: 'call', id: c.id },
  ];
  if (named.length === 0) return;
  const headers = s.to.address.includes(':') ? HEADERS[6] : HEADERS[4];
  // What comes twice was doubled on the way or by the capture: the sender sent it once.
  const once = 1 - s.rtp.duplicates / s.rtp.packets;
  const rate = ((s.rtp.octets + headers * s.rtp.packets) * once * 8) / ms;
  if (rate <= RATE.above * bandwidth) return;
  findings.raise('media.bandwidth', s.rtp.start, refs, {
    detail: ours`It has ${Math.round(rate)} kbit/s, and b=AS says ${bandwidth}.`,
  });
}

/** RTCP is sent every 5 s at least (RFC 3550 §6.2). */
const CONTROL_MS = 15_000;
/** Loss that the receiver tells of, and that did not show here. */
const BEYOND = { packets: 5, percent: 1 } as const;

/** Judges what RTCP says of a stream, beside what came by. */
export function judgeControl(s: MediaStream, c: Call | undefined, findings: Findings): void {
  const refs: Ref[] = [{ kind: 'media', id: s.id }];
  if (c !== undefined) refs.push({ kind: 'call', id: c.id });
  const { rtcp, rtp } = s;
  const reports = rtcp === undefined ? 0 : rtcp.receiverReports + rtcp.senderReports;
  const off = c?.session.descriptions.some((d) => d.audio?.noControl) === true;
  if (reports === 0 && !off && s.negotiated !== undefined && millis(rtp.start, rtp.end) >= CONTROL_MS)
    findings.raise('rtcp.missing', rtp.start, refs);
  // Receivers differ in what they count where the numbers leap.
  if (rtcp?.lost === undefined || rtp.packets <= STRAY || rtp.isRenumbered) return;
  // RFC 3550 §6.4.1: the count is that of the source since it began, which may be before the capture or another way.
  const joined = s.isMoved || c === undefined || c.answer === null;
  const { there, here } = joined && s.missed !== undefined ? s.missed : { there: 0, here: 0 };
  const missed = rtcp.lost - there;
  const lost = rtp.lost - here;
  const beyond = missed - lost;
  if (beyond < BEYOND.packets || beyond * 100 < BEYOND.percent * rtp.expected) return;
  findings.raise('media.loss-beyond', rtp.start, refs, {
    detail: ours`The receiver misses ${ownCount(missed, 'packet')}, and ${lost} were missing here.`,
  });
}

/** Judges a stream by its packets in the tunnel and by those behind the EFTF: where are they lost? */
export function judgeCopy(inside: MediaStream, clear: MediaStream, findings: Findings): void {
  const [before, after] = inside.up ? [inside, clear] : [clear, inside];
  const lost = after.rtp.lost - before.rtp.lost;
  if (lost < LOSS.packets || lost * 100 < LOSS.note * inside.rtp.expected) return;
  const refs: Ref[] = [
    { kind: 'media', id: inside.id },
    { kind: 'tunnel', id: inside.tunnel },
  ];
  const way = inside.up ? 'from the tunnel to the network' : 'from the network to the tunnel';
  findings.raise('media.loss-at-eftf', after.rtp.start, refs, {
    detail: ours`${ownCount(lost, 'packet')} did not get through on the way ${way}.`,
  });
}
