import { startLine } from '../../dissectors/http/message.js';
import { isChallenge } from '../../dissectors/sip/status.js';
import { u32, type View } from '../kit/index.js';
import { LIMITS, type ReachedLimits } from '../limits.js';
import type { AttemptEntry, Place, TunnelEntity } from './entities.js';
import type { Content } from './events.js';
import { type Arrival, isBefore, millis, type Seen } from './moment.js';
import { OuterNames, type OuterQuestion } from './outer-names.js';
import { type PortalProbe, portalProbe, probeOutcome } from './portal-probe.js';
import type { SipEvent } from './sip-event.js';

/** What was tried before a tunnel was opened belongs to it, as far back as a phone tries one way after the other. */
export const BEFORE_TUNNEL_MS = 120_000;
/** Requests within so long are one attempt. */
const ONE_ATTEMPT_MS = 120_000;
const IKE = { header: 28, exchange: 18, flags: 19, response: 0x20, init: 34, auth: 35, port: 4500 } as const;

/** One other way that a phone tried. */
interface Attempt extends Omit<AttemptEntry, 'at' | 'row'> {
  readonly from: string;
  readonly start: Seen;
  outcome: AttemptEntry['outcome'];
  tries: number;
  status?: number;
  ms?: number;
}

/**
 * What a phone tried beside its tunnel, for FTT-IMS is the last resort (TS 24.229 R.3.1.0): SIP without a tunnel, IKE to
 * an ePDG, probes for a captive portal, the name of the EFTF.
 */
export class OtherAttempts {
  readonly names: OuterNames;
  private readonly attempts = new Map<string, Attempt>();
  /** Probes that wait for their answer, by the flow that they are in. */
  private readonly probes = new WeakMap<object, { readonly probe: PortalProbe; readonly attempt: Attempt }>();

  /** Captive portals by who met them first, and whether they let him through later. */
  private readonly captive = new Map<string, { readonly met: Attempt; isLifted: boolean }>();

  /** @param reached is told of what does not fit */
  constructor(readonly reached: ReachedLimits) {
    this.names = new OuterNames(reached);
  }

  /** A request of `from`: a new attempt, or the same again. */
  asked(kind: AttemptEntry['kind'], at: Arrival, from: string, to: Place, name?: string): Attempt {
    const key = `${kind} ${from} ${to.address} ${to.port}`;
    let a = this.attempts.get(key);
    if (a !== undefined && millis(a.start, at) < ONE_ATTEMPT_MS) a.tries++;
    else {
      this.attempts.delete(key);
      if (this.attempts.size >= LIMITS.exchanges) {
        this.attempts.delete(this.attempts.keys().next().value!);
        this.reached.capped('exchanges');
      }
      a = { kind, from, to, start: at.seen(), tries: 1, outcome: 'unanswered', ...(name !== undefined && { name }) };
      this.attempts.set(key, a);
    }
    return a;
  }

  /** An answer of `from` to `to`, which asked there. */
  told(kind: AttemptEntry['kind'], at: Arrival, from: Place, to: string, outcome: AttemptEntry['outcome']): void {
    const a = this.attempts.get(`${kind} ${to} ${from.address} ${from.port}`);
    if (a === undefined) return;
    a.ms ??= millis(a.start, at);
    if (a.outcome !== 'succeeded') a.outcome = outcome;
  }

  /** A SIP message outside of tunnels: the REGISTER of a phone, and what came of it. */
  sip(at: Arrival, e: SipEvent): void {
    if (e.method !== 'REGISTER') return;
    const { content: c, status } = e;
    if (e.isRequest) this.asked('sip', at, c.from, { address: c.to, port: c.dport });
    else if (status >= 200) {
      const outcome = status < 300 ? 'succeeded' : isChallenge(status) ? 'answered' : 'failed';
      this.told('sip', at, { address: c.from, port: c.sport }, c.to, outcome);
      const a = this.attempts.get(`sip ${c.to} ${c.from} ${c.sport}`);
      if (a !== undefined) a.status = status;
    }
  }

  /** IKE on UDP port 500, or 4500 behind its marker (RFC 7296 §3.1, RFC 3948 §2.2). */
  ike(at: Arrival, c: Content): void {
    const marked = (c.sport === IKE.port || c.dport === IKE.port) && c.end - c.off > 4 && u32(c.buf, c.off) === 0;
    const off = marked ? c.off + 4 : c.off;
    if (c.end - off < IKE.header) return;
    const exchange = c.buf[off + IKE.exchange];
    if (exchange !== IKE.init && exchange !== IKE.auth) return;
    // The two ports are two halves of one attempt.
    const port = 500;
    if ((c.buf[off + IKE.flags] & IKE.response) === 0) {
      const a = this.asked('epdg', at, c.from, { address: c.to, port });
      // With EAP there are several: each has to be answered (RFC 7296 §2.16).
      if (exchange === IKE.auth && a.outcome !== 'unanswered') a.outcome = 'failed';
    } else this.told('epdg', at, { address: c.from, port }, c.to, exchange === IKE.auth ? 'succeeded' : 'answered');
  }

  /** A message of HTTP; `flow` is that of its connection. */
  http(at: Arrival, c: Content, v: View, flow: object): void {
    const line = startLine(v);
    const probe = portalProbe(line, v);
    if (probe !== undefined) {
      const attempt = this.asked('portal', at, c.from, { address: c.to, port: c.dport }, probe.host || undefined);
      this.probes.set(flow, { probe, attempt });
      return;
    }
    const asked = line.startsWith('HTTP/') ? this.probes.get(flow) : undefined;
    if (asked === undefined) return;
    this.probes.delete(flow);
    const { attempt } = asked;
    attempt.ms = millis(attempt.start, at);
    Object.assign(attempt, probeOutcome(asked.probe, v));
    const portal = this.captive.get(attempt.from);
    const isLifted = attempt.outcome === 'succeeded';
    if (portal !== undefined) portal.isLifted = isLifted;
    else if (isLifted) return;
    else if (this.captive.size < LIMITS.exchanges) this.captive.set(attempt.from, { met: { ...attempt }, isLifted });
    else this.reached.capped('exchanges');
  }

  /** Captive portals that were found, with or without a tunnel; first those that let nobody through. */
  get portals(): readonly { readonly met: Attempt; readonly isLifted: boolean }[] {
    return [...this.captive.values()].sort((a, b) => Number(a.isLifted) - Number(b.isLifted));
  }

  /** Adds to a tunnel what its UE tried beside it. */
  furnish(t: TunnelEntity): void {
    const isHere = (start: Seen): boolean =>
      millis(start, t.opened) <= BEFORE_TUNNEL_MS && (t.closed === undefined || isBefore(start, t.closed));
    const name = this.names.nameOf(t.ue.address, t.eftf.address, t.opened);
    if (name !== undefined) t.eftf.name ??= name;
    const entries: AttemptEntry[] = [];
    const wanted = t.proxy === undefined ? t.eftf.name : t.eftf.address;
    for (const q of this.names.about(t.ue.address, wanted)) if (isHere(q.at)) entries.push(ofQuestion(q));
    for (const a of this.attempts.values()) if (a.from === t.ue.address && isHere(a.start)) entries.push(entry(a));
    entries.sort((a, b) => millis(b.at, a.at));
    const more = entries.length - LIMITS.tunnelAttempts;
    if (more > 0) this.reached.capped('tunnelAttempts', more);
    if (entries.length > 0) t.attempts = entries.slice(0, LIMITS.tunnelAttempts);
  }
}

function entry({ from: _, start, ...a }: Attempt): AttemptEntry {
  return { ...a, at: start, row: start.row };
}

function ofQuestion(q: OuterQuestion): AttemptEntry {
  const found = q.addresses.length > 0 || q.alias !== '' ? 'succeeded' : 'answered';
  const outcome = q.code === 0 ? found : q.code > 0 ? 'failed' : 'unanswered';
  const ms = q.answerAt === null ? {} : { ms: millis(q.at, q.answerAt) };
  return { kind: 'dns', at: q.at, row: q.at.row, to: q.server, name: q.name, tries: q.tries, outcome, ...ms };
}
