import { hex, type Own, ours } from '../kit/index.js';
import type { Content } from './events.js';
import { type Arrival, type Moment, millis, type Seen } from './moment.js';
import type { SipEvent } from './sip-event.js';

/** What round trips are measured by: one is compared only with others of its kind, which take as long to answer. */
type Kind = 'INVITE' | 'OPTIONS' | 'RTCP' | 'STUN';

/** Round trips from which on a growth is no accident. */
const TRIPS = 5;
const BLOAT = { ms: 200, factor: 3, octets: 16_384, octetsFactor: 4 } as const;
/** Requests that wait for their answers. */
const MOST_ASKED = 64;
/** RFC 8489 §5: a Binding request, and its answers. */
export const BINDING = 0x0001;
const ANSWERS: ReadonlySet<number> = new Set([0x0101, 0x0111]);
const TRANSACTION = { at: 8, octets: 12 } as const;

/** One round trip inside, and octets that were under way outside. */
interface Trip extends Seen {
  readonly ms: number;
  readonly octets: number;
}

interface Series {
  count: number;
  least: Trip;
  most: Trip;
}

/** How long those inside a tunnel wait for each other, while its connection has octets under way. */
export class RoundTrips {
  private readonly series = new Map<Kind, Series>();
  /** When a request was seen; null: twice, so that nobody knows which one is answered. RFC 6298 §3 */
  private readonly asked = new Map<string, Moment | null>();

  /** @param underWay octets that the outer connection has sent and that are not acknowledged */
  constructor(private readonly underWay: () => number) {}

  take(kind: Kind, at: Arrival, ms: number): void {
    const s = this.series.get(kind);
    if (s === undefined) {
      const trip = this.trip(at, ms);
      this.series.set(kind, { count: 1, least: trip, most: trip });
      return;
    }
    s.count++;
    if (ms < s.least.ms) s.least = this.trip(at, ms);
    if (ms > s.most.ms) s.most = this.trip(at, ms);
  }

  private trip(at: Arrival, ms: number): Trip {
    return { ...at.seen(), ms, octets: this.underWay() };
  }

  /** A message of SIP: who gets OPTIONS answers it, and INVITE is answered by the next hop with 100. RFC 3261 §17.2.1 */
  sip(at: Arrival, e: SipEvent): void {
    const { method } = e;
    if (method !== 'INVITE' && method !== 'OPTIONS') return;
    const key = `${at.up === e.isRequest} ${e.callId} ${e.cseq} ${e.branch}`;
    if (e.isRequest) this.ask(key, at);
    else this.answer(method, key, at, method === 'OPTIONS' || e.status === 100);
  }

  /** A message of STUN. */
  stun(at: Arrival, { buf, off, end }: Content): void {
    if (end - off < TRANSACTION.at + TRANSACTION.octets) return;
    const type = (buf[off] << 8) | buf[off + 1];
    const isRequest = type === BINDING;
    if (!isRequest && !ANSWERS.has(type)) return;
    const key = `${at.up === isRequest} ${hex(buf, off + TRANSACTION.at, TRANSACTION.octets, '')}`;
    if (isRequest) this.ask(key, at);
    else this.answer('STUN', key, at, true);
  }

  private ask(key: string, at: Arrival): void {
    const again = this.asked.has(key);
    this.asked.set(key, again ? null : { seconds: at.seconds, nanos: at.nanos });
    if (this.asked.size > MOST_ASKED) this.asked.delete(this.asked.keys().next().value!);
  }

  /** @param tells whether the answer came at once, and so tells of the way */
  private answer(kind: Kind, key: string, at: Arrival, tells: boolean): void {
    const asked = this.asked.get(key);
    this.asked.delete(key);
    if (tells && asked) this.take(kind, at, millis(asked, at));
  }

  /** The round trip that grew most with what was under way, in words. */
  bloat(): { readonly at: Seen; readonly detail: Own } | undefined {
    for (const [kind, { count, least, most }] of this.series)
      if (count >= TRIPS && isBloat(least, most))
        return {
          at: most,
          detail: ours`The round trip inside grew from ${Math.round(least.ms)} to ${Math.round(most.ms)} ms (${kind}), with ${most.octets} octets under way.`,
        };
    return undefined;
  }
}

const isBloat = (a: Trip, b: Trip): boolean =>
  b.ms - a.ms >= BLOAT.ms &&
  b.ms >= BLOAT.factor * a.ms &&
  b.octets >= BLOAT.octets &&
  b.octets >= BLOAT.octetsFactor * a.octets;
