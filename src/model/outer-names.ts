import { codec, type DnsMessage, nameText, response, TYPE } from '../../dissectors/dns/index.js';
import { LIMITS } from '../limits.js';
import type { Place } from './entities.js';
import { addressOf, type Content } from './events.js';
import type { Arrival, Seen } from './moment.js';

/** A question about a host that was asked outside of tunnels. */
export interface OuterQuestion {
  readonly client: string;
  readonly server: Place;
  readonly name: string;
  readonly at: Seen;
  tries: number;
  /** Response code, -1 while there is no answer. */
  code: number;
  answerAt: Seen | null;
  readonly addresses: string[];
}

const MOST_ADDRESSES = 16;

/** The DNS outside of tunnels: by which names the addresses of EFTFs were found. The oldest questions are let go of. */
export class OuterNames {
  private readonly questions = new Map<string, OuterQuestion>();

  take(at: Arrival, c: Content): void {
    let m: DnsMessage;
    try {
      m = codec.parse(c.buf, c.off, c.end);
    } catch {
      return; // its row says what is wrong with it
    }
    const q = m.questions[0];
    if (q === undefined || (q.type !== TYPE.A && q.type !== TYPE.AAAA)) return;
    const name = nameText(q.name).toLowerCase();
    if (response(m.flags)) this.answered(at, this.questions.get(`${c.to} ${q.type} ${name}`), m);
    else this.asked(at, c, `${c.from} ${q.type} ${name}`, name);
  }

  private asked(at: Arrival, c: Content, key: string, name: string): void {
    const known = this.questions.get(key);
    if (known !== undefined) {
      known.tries++;
      return;
    }
    if (this.questions.size >= LIMITS.transactions)
      for (const [k] of this.questions) if (this.questions.delete(k)) break;
    const server = { address: c.to, port: c.dport };
    const entry = { client: c.from, server, name, at: at.seen(), tries: 1, code: -1, answerAt: null, addresses: [] };
    this.questions.set(key, entry);
  }

  private answered(at: Arrival, q: OuterQuestion | undefined, m: DnsMessage): void {
    // Of several servers one that knows the name is enough.
    if (q === undefined || (q.addresses.length > 0 && (m.flags & 15) !== 0)) return;
    q.code = m.flags & 15;
    q.answerAt = at.seen();
    for (const r of m.answers)
      if ((r.type === TYPE.A || r.type === TYPE.AAAA) && q.addresses.length < MOST_ADDRESSES)
        q.addresses.push(addressOf(r.rdata));
  }

  /** The name by which a client found an address. */
  nameOf(client: string, address: string): string | undefined {
    for (const q of this.questions.values()) if (q.client === client && q.addresses.includes(address)) return q.name;
    return undefined;
  }

  /** The questions of a client about a name. */
  about(client: string, name: string | undefined): OuterQuestion[] {
    const wanted = name?.toLowerCase();
    return [...this.questions.values()].filter((q) => q.client === client && q.name === wanted);
  }

  /** Questions that have no address as an answer. */
  failed(): OuterQuestion[] {
    return [...this.questions.values()].filter(
      (q) => q.addresses.length === 0 && (q.code !== 0 || q.answerAt === null),
    );
  }
}
