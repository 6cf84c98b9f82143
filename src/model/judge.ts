import { append, ours } from '../kit/index.js';
import type { Call } from './call.js';
import { type IsShaky, shakiness } from './capture-quality.js';
import type { TunnelEntity } from './entities.js';
import { judgeLapses, judgeMessages, judgeSubscriptions } from './exchanges.js';
import { judgeAddressing } from './judge-addressing.js';
import { judgeAttempts } from './judge-attempts.js';
import { judgeCall } from './judge-call.js';
import { judgeCrowd, judgeIssuer } from './judge-crowd.js';
import { judgeFlow, judgeProgress } from './judge-flow.js';
import {
  judgeBandwidth,
  judgeControl,
  judgeCopy,
  judgeMoves,
  judgeOutside,
  judgeSource,
  judgeStream,
} from './judge-media.js';
import { judgeReach } from './judge-reach.js';
import { judgeRegistration } from './judge-registration.js';
import { judgeKept, judgeReleases } from './judge-release.js';
import { judgePackets, judgePairs } from './judge-stream.js';
import { judgeTunnel, tunnelRef } from './judge-tunnel.js';
import { judgeUse, usesSix } from './judge-use.js';
import type { MediaStream } from './media-stream.js';
import { earlier, fileOf, isBefore, type Moment, type Seen } from './moment.js';
import type { Registration } from './registration.js';
import type { SessionModel } from './session-model.js';
import { Working } from './working.js';

/** So many envelopes that must be discarded are no trouble where there are many more. */
const STRAY = 3;

/** Judges what a capture showed, when all of it is known. */
export function judge(m: SessionModel): void {
  const { findings, signalling, end } = m;
  const isShaky = shakiness(findings, (id) => m.tunnel(id));
  judgeTunnels(m, isShaky);
  doubt(m, isShaky);
  judgeAttempts(m, end);
  const left = new Set(signalling.registrations.flatMap((r) => (r.state === 'deregistered' ? r.tunnel : [])));
  judgeCrowd(m.tunnels, signalling.calls, left, findings);
  judgeIssuer(m.tunnels, m.issuers, findings);
  judgeReleases(m, isShaky);
  judgeKept(m);
  failUnregistered(m);
  judgeSignalling(m);
  judgeMediaOfCalls(m);
}

/** Judges each tunnel by itself, and what ran inside. */
function judgeTunnels(m: SessionModel, isShaky: IsShaky): void {
  const { findings, signalling } = m;
  const agreed = new Map<number, Set<number>>();
  for (const r of signalling.registrations) {
    const spis = agreed.get(r.tunnel) ?? new Set();
    agreed.set(r.tunnel, spis);
    for (const spi of r.security.spis) spis.add(spi);
  }
  const served = servedSince(signalling.registrations);
  const servers = new Working(m.tunnels);
  for (const t of m.tunnels) {
    const first: Seen = { ...t.opened, row: (t.opened as Seen).row };
    const isOther = t.proxy === undefined && servers.isOther(t.eftf.address, t.eftf.name);
    judgeTunnel(t, first, isOther, findings);
    const inside = m.insides.get(t.id);
    if (inside !== undefined && t.state !== 'other') {
      const ended = t.release.at ?? m.endOf(t);
      const lacks = isShaky(t.id, 'dhcp.no-answer', 'sight');
      if (lacks && t.pcscf?.source === 'static') t.pcscf.source = 'unknown';
      const view = {
        signalled: inside.server !== undefined,
        hasSix: usesSix(inside.sources),
        isShaky: lacks,
        end: ended,
      };
      judgeAddressing(t, inside.addressing, view, findings);
      judgeReach(t, inside, served.get(t.id), lacks, ended, findings);
      judgeUse(t, inside, findings);
      inside.esp.judge([tunnelRef(t)], agreed.get(t.id) ?? new Set(), findings);
      inside.keepAlives.judge([tunnelRef(t)], ended, findings);
    }
    judgeWrongKey(m, t);
    judgeEnvelopes(m, t);
  }
}

/** Judges registrations, calls, messages and subscriptions. */
function judgeSignalling(m: SessionModel): void {
  const { findings, signalling, end } = m;
  const working = new Set(m.tunnels.flatMap((t) => (t.envelopes.up.total > 0 ? t.ue.address : [])));
  for (const r of signalling.registrations)
    judgeRegistration(
      r,
      heardUntil(m, [r.tunnel], r.start),
      r.tunnel === 0 && working.has(r.source),
      tripOf(m, [r.tunnel]),
      findings,
    );
  for (const c of signalling.calls)
    judgeCall(c, heardUntil(m, c.tunnels, c.start), () => registeredFor(m, c), tripOf(m, c.tunnels), findings);
  const heard = (tunnel: number | undefined, start: Seen): Moment => heardUntil(m, [tunnel ?? 0], start);
  judgeMessages(signalling.messages, heard, findings);
  judgeSubscriptions(signalling.subscriptions, heard, findings);
  const registered = registeredUntil(signalling.registrations);
  // Subscriptions end with the registration, which says so itself; where none was seen they stand for themselves.
  const wanted = (tunnel: number, start: Seen): Moment =>
    earlier(heardUntil(m, [tunnel], start), registered.get(tunnel) ?? end);
  judgeLapses(signalling.subscriptions, wanted, findings);
  for (const [tunnel, at] of signalling.tooLong)
    findings.raise('sip.udp-too-long', at, tunnel === 0 ? [] : [{ kind: 'tunnel', id: tunnel }]);
}

/** Judges streams, and calls by what their streams show. */
function judgeMediaOfCalls(m: SessionModel): void {
  const { findings, signalling, media, end } = m;
  const streams = new Map<number, MediaStream[]>();
  const calls = new Map<number, Call[]>();
  const inTunnel = new Map<number, MediaStream[]>();
  for (const c of signalling.calls) for (const tunnel of c.tunnels) append(calls, tunnel, c);
  for (const s of media.streams) {
    append(inTunnel, s.tunnel, s);
    if (s.copyOf === null) append(streams, s.call, s);
  }
  for (const s of media.streams)
    judgeStreamOf(m, s, end, s.call === 0 ? [] : (streams.get(s.call) ?? []), calls.get(s.tunnel) ?? []);
  for (const c of signalling.calls) {
    const own = streams.get(c.id) ?? [];
    const until = heardUntil(m, c.tunnels, c.start);
    judgeProgress(c, (tunnel) => inTunnel.get(tunnel) ?? [], until, findings);
    judgeFlow(c, own, until, findings);
    judgeMoves(c, own, findings);
    judgePairs(c, own, until, findings);
  }
}

/** What failed for want of an answer is not known to have where the capture lacks something. */
function doubt({ signalling }: SessionModel, isShaky: IsShaky): void {
  for (const r of signalling.registrations)
    if (r.isPresumed && r.tunnel !== 0 && isShaky(r.tunnel, 'sip.register-timeout', 'sight')) r.doubt();
  for (const c of signalling.calls)
    if (c.isPresumed && [...c.tunnels].some((t) => isShaky(t, 'call.no-answer', 'sight'))) c.doubt();
}

/**
 * Until when anything of what runs in tunnels, one or more, could be heard: they may end before the capture does.
 * @param start of it, where it is outside of tunnels
 */
export function heardUntil(m: SessionModel, tunnels: Iterable<number>, start: Seen): Moment {
  let until: Moment | undefined;
  for (const id of tunnels) {
    const t = m.tunnel(id);
    if (t === undefined) continue;
    const ended = t.release.at ?? m.endOf(t);
    if (until === undefined || isBefore(until, ended)) until = ended;
  }
  return until ?? m.watch.until([fileOf(start)], m.end);
}

/** When the UE of each tunnel began to register, of those where it was let in. */
function servedSince(registrations: readonly Registration[]): Map<number, Moment> {
  const since = new Map<number, Moment>();
  for (const { tunnel, registered, start } of registrations)
    if (registered !== null) since.set(tunnel, earlier(since.get(tunnel) ?? start, start));
  return since;
}

/** Until when the UE of each tunnel was registered; of one that never was until it first tried. */
function registeredUntil(registrations: readonly Registration[]): Map<number, Moment> {
  const until = new Map<number, Moment>();
  for (const r of registrations) {
    const known = until.get(r.tunnel);
    const ended = r.inForceUntil ?? r.start;
    if (known === undefined || isBefore(known, ended)) until.set(r.tunnel, ended);
  }
  return until;
}

/** Until when the UE of a call was registered in its tunnels; undefined where nothing is known of that. */
function registeredFor({ signalling }: SessionModel, c: Call): Moment | undefined {
  let until: Moment | undefined;
  for (const tunnel of c.tunnels)
    for (const { inForceUntil: ended } of signalling.registrationsIn(tunnel))
      if (ended !== undefined && (until === undefined || isBefore(until, ended))) until = ended;
  return until;
}

/** Milliseconds through tunnels and back, of the slowest; 0 where that is not known, or not yet. */
const tripOf = (m: SessionModel, tunnels: Iterable<number>): number =>
  Math.max(0, ...[...tunnels].map((id) => m.insides.get(id)?.tripMs ?? 0));

/** Judges a call that is over, with its streams, before the capture ends. */
export function judgeOver(m: SessionModel, c: Call, streams: readonly MediaStream[], now: Moment): void {
  judgeCall(c, now, () => registeredFor(m, c), tripOf(m, c.tunnels), m.findings);
  for (const s of streams) judgeStreamOf(m, s, now, streams);
  judgeProgress(c, (tunnel) => [...m.media.streams].filter((s) => s.tunnel === tunnel), now, m.findings);
  judgeFlow(c, streams, now, m.findings);
  judgeMoves(c, streams, m.findings);
  judgePairs(c, streams, now, m.findings);
}

/**
 * Judges one stream.
 * @param own the streams of its call, where it has one
 * @param calls those among which its own may be
 */
export function judgeStreamOf(
  m: SessionModel,
  s: MediaStream,
  end: Moment,
  own: readonly MediaStream[],
  calls: Iterable<Call> = m.signalling.calls,
): void {
  const { findings, signalling } = m;
  if (s.copyOf !== null) {
    judgeCopy(s.copyOf, s, findings);
    return;
  }
  const call = signalling.calls.at(s.call);
  judgeStream(s, findings);
  judgeOutside(s, s.call === 0 ? calls : call === undefined ? [] : [call], own, end, findings);
  judgeSource(s, call, findings);
  judgePackets(s, call, findings);
  judgeBandwidth(s, call, findings);
  judgeControl(s, call, findings);
}

/** A tunnel in which no registration came about has failed there, unless it did before. */
function failUnregistered(m: SessionModel): void {
  const good = new Set(m.signalling.registrations.filter((r) => r.state !== 'failed').map((r) => r.tunnel));
  for (const r of m.signalling.registrations) {
    const t = m.tunnel(r.tunnel);
    if (t === undefined || good.has(t.id)) continue;
    if (r.isDoubtful) continue;
    const answered = r.status === 0 ? 'not answered' : ours`answered with ${r.status}`;
    const cause = r.isCutOff ? ours`The tunnel ended while the UE registered.` : ours`REGISTER was ${answered}.`;
    t.failure ??= { stage: 'register', cause, row: (r.statusAt ?? r.start).row };
  }
}

/** Where no record of a session opens, that each of them fails is one and the same finding. */
function judgeWrongKey(m: SessionModel, t: TunnelEntity): void {
  const d = t.tls?.decryption;
  if (d !== undefined && d.up.decrypted + d.down.decrypted === 0) m.findings.withdraw('tls.bad-tag', t.id);
}

/** A stray envelope among many is discarded, and nobody notices (TS 24.322 §5.3.2.2). */
function judgeEnvelopes(m: SessionModel, { id, envelopes: { up, down } }: TunnelEntity): void {
  const invalid = up.invalid + down.invalid;
  if (invalid > STRAY || invalid * 10 > up.total + down.total) return;
  for (const code of ['fttims.bad-ip-version', 'fttims.inner-length', 'fttims.empty-ip']) m.findings.temper(code, id);
}
