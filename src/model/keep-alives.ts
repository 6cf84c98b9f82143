import { type Own, ours } from '../kit/index.js';
import { LIMITS, type ReachedLimits } from '../limits.js';
import { ANSWER_MS, awaited } from './answer-time.js';
import type { KeepAlive } from './entities.js';
import type { Findings, Ref } from './findings.js';
import { type Arrival, type Moment, millis, type Seen } from './moment.js';
import type { SipEvent } from './sip-event.js';

interface Beat {
  readonly first: Seen;
  last: Moment;
  count: number;
}

/** RFC 5626 §4.4.1: so long a UE waits for the pong. */
const PONG_MS = 10_000;
/** A little late is in time. */
const LATE = 1.1;

/** How often a UE says that it is still there, by the way in which it does, and what was agreed about it. */
export class KeepAlives {
  private readonly beats = new Map<KeepAlive['kind'], Beat>();
  /** Seconds between keep-alives of SIP, as the network asked for them (RFC 6223 §5, RFC 5626 §4.4). */
  private negotiated = 0;
  private offered: Seen | null = null;
  /** First REGISTER that does not offer them, and first answer that passes the offer over. */
  private unoffered: Seen | null = null;
  private unanswered: Seen | null = null;
  /** The ping that waits for its pong; only streams have pongs. */
  private ping: Seen | null = null;
  private missed: Seen | null = null;

  take(kind: KeepAlive['kind'], at: Arrival): void {
    const b = this.beats.get(kind);
    if (b === undefined) {
      const first = at.seen();
      this.beats.set(kind, { first, last: first, count: 1 });
      return;
    }
    b.last = { seconds: at.seconds, nanos: at.nanos };
    b.count++;
  }

  /** An OPTIONS beside calls, or its answer. RFC 3261 §11 */
  options(at: Arrival, e: SipEvent, reached: ReachedLimits): void {
    const key = `${e.callId} ${e.cseq}`;
    if (!e.isRequest) {
      this.asked?.[at.up ? 'down' : 'up'].delete(key);
      return;
    }
    const way = at.up ? 'up' : 'down';
    this.asked ??= { up: new Map(), down: new Map() };
    const waiting = this.asked[way];
    if (waiting.has(key)) return;
    this.sent[way]++;
    if (waiting.size < LIMITS.exchanges) waiting.set(key, at.seen());
    else reached.capped('exchanges');
  }
  /** Null: nothing was. */
  private asked: Record<'up' | 'down', Map<string, Seen>> | null = null;
  private readonly sent = { up: 0, down: 0 };

  private judgeOptions(about: readonly Ref[], end: Moment, findings: Findings): void {
    const silent = { up: this.silent('up', end), down: this.silent('down', end) };
    const told = (way: 'up' | 'down', who: 'UE' | 'network'): Own | '' =>
      silent[way].length === 0
        ? ''
        : ours` Of ${this.sent[way]} that the ${who} sent ${silent[way].length} got no answer.`;
    const detail = ours`They come beside calls.${told('up', 'UE')}${told('down', 'network')}`;
    const all = [...silent.up, ...silent.down];
    // A single one may have been lost.
    const severity = all.length === 1 && this.sent.up + this.sent.down > 1 ? ({ severity: 'note' } as const) : {};
    // The first says how sure it is: whoever waits for the last ones has waited for that in vain.
    for (const at of all)
      findings.raise('sip.options-unanswered', at, about, { ...awaited(all[0], end, 0, detail), ...severity });
  }

  /** Those that nothing answered although there was time. */
  private silent(way: 'up' | 'down', end: Moment): Seen[] {
    return this.asked === null ? [] : [...this.asked[way].values()].filter((at) => millis(at, end) >= ANSWER_MS);
  }

  /** Line ends between messages: two from the UE ask, one from the network answers. RFC 5626 §3.5.1 */
  lineEnds(at: Arrival, stream: boolean): void {
    if (at.up) {
      this.take('crlf', at);
      if (!stream) return;
      this.expire(at);
      this.ping ??= at.seen();
    } else this.ping = null;
  }

  private expire(now: Moment): void {
    if (this.ping === null || millis(this.ping, now) <= PONG_MS) return;
    this.missed ??= this.ping;
    this.ping = null;
  }

  /** What a REGISTER and its answer say. */
  registration(at: Arrival, e: SipEvent): void {
    const keep = e.via('keep');
    if (e.isRequest) {
      if (keep !== undefined) this.offered ??= at.seen();
      else this.unoffered ??= at.seen();
      return;
    }
    if (e.status < 200 || e.status >= 300) return;
    const seconds = e.flowTimer ?? (/^\d{1,7}$/.test(keep ?? '') ? Number(keep) : undefined);
    if (seconds !== undefined && seconds > 0) this.negotiated = seconds;
    else if (keep === '' && this.negotiated === 0) this.unanswered ??= at.seen();
  }

  /** Those that came more than once, with their mean interval. */
  list(): KeepAlive[] {
    return [...this.beats].flatMap(([kind, { first, last, count }]) => {
      if (count < 2) return [];
      const agreed = this.negotiated > 0 && isSignalling(kind) ? { negotiatedMs: this.negotiated * 1000 } : {};
      return [{ kind, intervalMs: millis(first, last) / (count - 1), ...agreed }];
    });
  }

  judge(about: readonly Ref[], end: Moment, findings: Findings): void {
    this.expire(end);
    this.judgeOptions(about, end, findings);
    if (this.missed !== null) findings.raise('keep.no-pong', this.missed, about);
    if (this.unoffered !== null && this.offered === null) findings.raise('keep.not-offered', this.unoffered, about);
    if (this.unanswered !== null && this.negotiated === 0) findings.raise('keep.not-answered', this.unanswered, about);
    for (const { kind, intervalMs, negotiatedMs } of this.list())
      if (negotiatedMs !== undefined && intervalMs > LATE * negotiatedMs)
        findings.raise('keep.too-slow', this.beats.get(kind)!.first, about, {
          detail: ours`They come every ${Math.round(intervalMs / 1000)} s, and ${this.negotiated} s were agreed.`,
        });
  }
}

/** Whether a keep-alive is one of the connection of SIP, about which `keep` speaks. */
const isSignalling = (kind: KeepAlive['kind']): boolean => kind === 'crlf' || kind === 'stun';
