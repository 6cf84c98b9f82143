import { HEADER } from '../../dissectors/rtp.js';
import { append, hexNumber, type Own, ofNumber, ours, ownCount } from '../kit/index.js';
import type { Call } from './call.js';
import type { Findings, Ref, Remark } from './findings.js';
import { sentUp } from './media.js';
import type { MediaStream } from './media-stream.js';
import { type Moment, millis, type Seen } from './moment.js';
import { OCTETS_A_MS } from './speech-frames.js';

const REORDERED = { packets: 5, percent: 1 } as const;
/** Packets of a stream whose habits can be told. */
const HABIT = 25;
/** Packets of speech may be so much longer than asked for, on average: silence is packed otherwise. */
const LONGER = 1.5;
/** What header extensions (RFC 8285) and the tags of SRTP look like beside speech in G.711. */
const ROOM_MS = 4;
/** A stream that begins so soon after another has ended goes on in its place. */
const AFTER_MS = 2000;
/** Keep-alives come every 15 s or so (RFC 8445 §11): in a pause of this length there are some. */
const HOLD_MS = 60_000;
/** Frames above what was asked for, so that it looks as if nobody listened. */
const UNHEARD = 0.5;

const refsOf = (s: MediaStream): Ref[] => [
  { kind: 'media', id: s.id },
  ...(s.call === 0 ? [] : [{ kind: 'call', id: s.call } as const]),
  ...(s.tunnel === 0 ? [] : [{ kind: 'tunnel', id: s.tunnel } as const]),
];

/** Judges how the packets of a stream follow each other, and where they come from. */
export function judgePackets(s: MediaStream, c: Call | undefined, findings: Findings): void {
  const { rtp } = s;
  const raise = (code: string, remark: Remark): void => findings.raise(code, rtp.start, refsOf(s), remark);
  if (rtp.reordered >= REORDERED.packets && rtp.reordered * 100 >= REORDERED.percent * rtp.expected)
    raise('media.reordered', { detail: ours`${ownCount(rtp.reordered, 'packet')} came late.` });
  const isRestarted = rtp.restarts === rtp.leaps;
  if (rtp.leaps > 0)
    raise('media.timestamp-jump', {
      detail: ours`It happened ${rtp.leaps === 1 ? 'once' : ours`${rtp.leaps} times`}${rtp.sureLeaps > 0 ? '' : isRestarted ? ', where its numbers begin anew too, as those of a sender that is restarted' : ', where its numbers jump too'}.`,
      isWhole: rtp.sureLeaps > 0,
      ...(isRestarted && { severity: 'note' }),
    });
  if (c === undefined || rtp.packets < HABIT) return;
  judgePorts(s, c, raise);
  judgeLength(s, c, raise);
}

type Raise = (code: string, remark: Remark) => void;

/** TS 24.229 §F.5: the UE sends from the port on which it wants to receive. */
function judgePorts(s: MediaStream, c: Call, raise: Raise): void {
  if (s.tunnel === 0 || !s.up || c.endpoints.has(`${s.from.address} ${s.from.port}`)) return;
  const own = c.session.descriptions.findLast((d) => d.audio?.address === s.from.address)?.audio;
  if (own === undefined) return;
  raise('media.asymmetric-ports', { detail: ours`It sends from ${s.from.port}, and receives on ${own.port}.` });
}

/** How long packets are beside what their receiver asked for (RFC 8866 §6.4, RFC 4867 §8.1). */
function judgeLength(s: MediaStream, c: Call, raise: Raise): void {
  const wanted = c.session.descriptions.findLast(
    (d) => d.audio?.address === s.to.address && d.audio.port === s.to.port,
  )?.audio;
  const g711 = s.codec?.name.startsWith('PCM') === true;
  const whole = g711 ? (s.rtp.octets / s.rtp.packets - HEADER) / OCTETS_A_MS : undefined;
  const ms = s.speech?.packetMs ?? whole;
  // Where frames are packed in another way than agreed, those that were read are none.
  if (wanted === undefined || ms === undefined || s.speech?.isForeign === true) return;
  const { ptimeMs = 0, maxptimeMs = 0 } = wanted;
  const room = g711 ? ROOM_MS : 0;
  const told = ours`Packets hold ${Math.round(ms)} ms`;
  if (maxptimeMs > 0 && ms > maxptimeMs + room)
    raise('media.packet-time', { detail: ours`${told}, and maxptime is ${maxptimeMs}.` });
  else if (ptimeMs > 0 && (ms > LONGER * ptimeMs || LONGER * ms < ptimeMs))
    raise('media.packet-time', { detail: ours`${told}, and ptime is ${ptimeMs}.`, severity: 'note' });
}

/** Judges the streams of a call beside each other. */
export function judgePairs(c: Call, streams: readonly MediaStream[], end: Moment, findings: Findings): void {
  const ended = byFlow(streams);
  for (const s of streams) {
    const before = ended.get(flowOf(s))?.findLast((x) => x !== s && millis(x.rtp.end, s.rtp.start) >= 0);
    if (before !== undefined && millis(before.rtp.end, s.rtp.start) <= AFTER_MS)
      findings.raise('media.source-changed', s.rtp.start, refsOf(s), {
        detail: ours`The SSRC was ${named(before.rtp.ssrc)}, and is ${named(s.rtp.ssrc)}.`,
      });
    judgeRequest(s, streams, findings);
  }
  judgeHolds(c, streams, end, findings);
}

const named = (ssrc: number): Own => ofNumber(ssrc, (n) => hexNumber(n, 1));

const flowOf = ({ from, to, tunnel }: MediaStream): string =>
  `${tunnel} ${from.address} ${from.port} ${to.address} ${to.port}`;

/** The streams between the same ports in which another may go on, in the order in which they ended. */
function byFlow(streams: readonly MediaStream[]): Map<string, MediaStream[]> {
  const flows = new Map<string, MediaStream[]>();
  for (const s of streams) if (s.rtp.packets >= HABIT) append(flows, flowOf(s), s);
  for (const list of flows.values()) list.sort((a, b) => millis(b.rtp.end, a.rtp.end));
  return flows;
}

/** RFC 4867 §8.1: whether a stream may have a mode; what asks for others is passed over (§4.3.1). */
function isInModeSet(s: MediaStream, mode: number): boolean {
  const set = /(?:^|[\s;])mode-set\s*=\s*([\d,\s]+)/i.exec(s.agreed(s.rtp.payloadType)?.parameters ?? '')?.[1];
  return set === undefined || set.split(',').map(Number).includes(mode);
}

/** RFC 4867 §4.3.1: a mode request asks for that mode or a lower one. */
function judgeRequest(s: MediaStream, streams: readonly MediaStream[], findings: Findings): void {
  const mode = s.speech?.asksFor;
  if (mode === undefined || s.rtp.packets < HABIT) return;
  const back = streams.find((x) => x.to.address === s.from.address && x.to.port === s.from.port && x !== s);
  const share = back?.speech?.shareAbove(mode) ?? 0;
  if (back === undefined || back.rtp.packets < HABIT || share < UNHEARD) return;
  if ([s, back].some((x) => !isInModeSet(x, mode))) return;
  findings.raise('media.request-ignored', back.rtp.start, refsOf(back), {
    detail: ours`${ofNumber(mode, (n) => s.speech!.nameOf(n))} kbit/s was asked for, and ${Math.round(100 * share)} % of the frames have more.`,
  });
}

/** Whether the UE kept the way of the media open while the call was on hold. */
function judgeHolds(c: Call, streams: readonly MediaStream[], end: Moment, findings: Findings): void {
  const sent = sentUp(streams, c.id);
  if (sent === 0) return;
  for (const q of c.features.quiet) {
    const ms = millis(q.at, q.hold.end ?? c.end ?? end);
    if (ms < HOLD_MS || (q.after ?? sent) > q.before) continue;
    const refs: Ref[] = [{ kind: 'call', id: c.id }, ...[...c.tunnels].map((id): Ref => ({ kind: 'tunnel', id }))];
    const at: Seen = q.at;
    findings.raise('media.no-keep-alive', at, refs, { detail: ours`The hold took ${Math.round(ms / 1000)} s.` });
  }
}
