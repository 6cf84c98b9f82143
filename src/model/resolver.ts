import { codec, type DnsMessage, nameText, response, TYPE } from '../../dissectors/dns/index.js';
import { addressText, isDamage } from '../kit/index.js';
import { LIMITS, ReachedLimits } from '../limits.js';
import type { Content } from './events.js';
import type { Arrival, Seen } from './moment.js';

const NXDOMAIN = 3;

/** A question that was asked inside a tunnel. */
export interface Question {
  readonly name: string;
  readonly type: number;
  readonly at: Seen;
  /** Response code, -1 while there is no answer. */
  code: number;
  answerAt: Seen | null;
}

/** The name that ends an SRV record, in lower case; '' where it is broken. RFC 2782 */
function targetOf(rdata: Uint8Array): string {
  try {
    return nameText(rdata.subarray(6)).toLowerCase();
  } catch (e) {
    if (!isDamage(e)) throw e;
    return ''; // its row says what is wrong with it
  }
}

/** The DNS client of a tunnel: names, the addresses that they stand for, and what failed. RFC 1035 */
export class Resolver {
  /** By name in lower case. */
  private readonly addresses = new Map<string, Set<string>>();
  private readonly asked = new Map<string, Question>();
  /** Types and names of those that were answered. */
  private readonly answered = new Set<string>();
  /** Names that NAPTR or SRV answers led to. RFC 3263 §4 */
  private readonly targets = new Set<string>();

  /** Addresses of all names. */
  private learnt = 0;

  /** @param reached is told of questions and answers that do not fit */
  constructor(private readonly reached = new ReachedLimits()) {}

  private hasRoom(kept: number): boolean {
    if (kept < LIMITS.transactions) return true;
    this.reached.capped('transactions');
    return false;
  }

  take(at: Arrival, c: Content): void {
    const m = c.parsed(codec);
    if (m === undefined) return;
    const q = m.questions[0];
    if (q === undefined) return;
    const name = nameText(q.name).toLowerCase();
    const key = `${m.id} ${q.type} ${name}`;
    if (!response(m.flags)) {
      if (this.asked.has(key) || !this.hasRoom(this.asked.size)) return;
      this.asked.set(key, { name, type: q.type, at: at.seen(), code: -1, answerAt: null });
      return;
    }
    const question = this.asked.get(key);
    const code = m.flags & 15;
    // Several servers may be asked under one number: one that has an answer is enough.
    if (question !== undefined && (question.code < 0 || code === 0)) {
      question.code = code;
      question.answerAt = at.seen();
      if (code === 0) this.answered.add(`${question.type} ${question.name}`);
    }
    this.learn(name, m);
  }

  private learn(name: string, m: DnsMessage): void {
    for (const r of m.answers) {
      if (r.type === TYPE.A || r.type === TYPE.AAAA) {
        const address = addressText(r.rdata);
        for (const n of new Set([name, nameText(r.name).toLowerCase()])) {
          const all = this.addresses.get(n) ?? new Set();
          if (all.has(address) || !this.hasRoom(this.learnt)) continue;
          this.learnt++;
          this.addresses.set(n, all.add(address));
        }
      } else if (r.type === TYPE.SRV && r.rdata.length > 6) {
        const target = targetOf(r.rdata);
        if (target !== '' && !this.targets.has(target) && this.hasRoom(this.targets.size)) this.targets.add(target);
      }
    }
  }

  /** Whether anything was asked. */
  get isUsed(): boolean {
    return this.asked.size > 0;
  }

  /** Addresses that a name stands for, by way of server records too where it has none itself. */
  addressesOf(name: string): readonly string[] {
    const wanted = name.toLowerCase();
    const own = this.addresses.get(wanted);
    if (own !== undefined) return [...own];
    return [...this.targets].flatMap((t) => (t.endsWith(wanted) ? [...(this.addresses.get(t) ?? [])] : []));
  }

  /** Whether `address` is one that `name` stands for. */
  leads(name: string, address: string): boolean {
    return this.addresses.get(name.toLowerCase())?.has(address) === true;
  }

  /** Whether `address` was found by way of a server record, or of any name. */
  found(address: string): 'srv' | 'name' | undefined {
    for (const t of this.targets) if (this.leads(t, address)) return 'srv';
    for (const all of this.addresses.values()) if (all.has(address)) return 'name';
    return undefined;
  }

  /** Questions that failed: refused by a code other than NXDOMAIN, or not answered. */
  failed(): Question[] {
    return [...this.asked.values()].filter((q) => q.code !== 0 && q.code !== NXDOMAIN);
  }

  /** Whether the same was asked again, of another server maybe, and answered. */
  isMended(q: Question): boolean {
    return this.answered.has(`${q.type} ${q.name}`);
  }

  /** Names that do not exist. */
  missing(): Question[] {
    return [...this.asked.values()].filter((q) => q.code === NXDOMAIN);
  }
}
