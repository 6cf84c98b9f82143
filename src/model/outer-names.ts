import { codec, type DnsMessage, nameText, response, TYPE } from '../../dissectors/dns/index.js';
import { LIMITS, type ReachedLimits } from '../limits.js';
import type { Place } from './entities.js';
import { addressOf, type Content } from './events.js';
import { type Arrival, isBefore, type Moment, type Seen } from './moment.js';

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
  /** The name that it is another one for, where the answer has no address of that. RFC 1034 §3.6.2 */
  alias: string;
}

/** Names that stand for names, one after the other. */
const MOST_ALIASES = 8;

/** The DNS outside of tunnels: by which names the addresses of EFTFs were found. The oldest questions are let go of. */
export class OuterNames {
  private readonly questions = new Map<string, OuterQuestion>();

  /** @param reached is told of questions that are let go of */
  constructor(private readonly reached: ReachedLimits) {}

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
    if (known?.answerAt === null) {
      known.tries++;
      return;
    }
    if (this.questions.size >= LIMITS.transactions) {
      this.questions.delete(this.questions.keys().next().value!);
      this.reached.capped('transactions');
    }
    // Asked again after its answer it is another question, and what was told before stays.
    if (known !== undefined && this.questions.delete(key)) this.questions.set(`${key} ${known.at.row}`, known);
    const server = { address: c.to, port: c.dport };
    const begun = { at: at.seen(), tries: 1, code: -1, answerAt: null, addresses: [], alias: '' };
    this.questions.set(key, { client: c.from, server, name, ...begun });
  }

  private answered(at: Arrival, q: OuterQuestion | undefined, m: DnsMessage): void {
    // Of several servers one that knows the name is enough.
    if (q === undefined || (q.addresses.length > 0 && (m.flags & 15) !== 0)) return;
    q.code = m.flags & 15;
    q.answerAt = at.seen();
    for (const r of m.answers) if (r.type === TYPE.A || r.type === TYPE.AAAA) this.learn(q, addressOf(r.rdata));
    q.alias = q.addresses.length > 0 ? '' : aliasOf(q.name, m);
  }

  private learn({ addresses }: OuterQuestion, address: string): void {
    if (addresses.includes(address)) return;
    if (addresses.length < LIMITS.questionAddresses) addresses.push(address);
    else this.reached.capped('questionAddresses');
  }

  /** The name by which a client found an address before a time: what it asked for last, or for what that stands for. */
  nameOf(client: string, address: string, before: Moment): string | undefined {
    const asked = [...this.questions.values()].filter((q) => q.client === client && !isBefore(before, q.at));
    let name = asked.findLast((q) => q.addresses.includes(address))?.name;
    for (let i = 0; i < MOST_ALIASES && name !== undefined; i++) {
      const other = asked.findLast((q) => q.alias === name);
      if (other === undefined) break;
      name = other.name;
    }
    return name;
  }

  /** A name by which an address was found, by whomever. */
  nameFor(address: string): string | undefined {
    return [...this.questions.values()].find((q) => q.addresses.includes(address))?.name;
  }

  /** The questions of a client about a name. */
  about(client: string, name: string | undefined): OuterQuestion[] {
    const wanted = name?.toLowerCase();
    return [...this.questions.values()].filter((q) => q.client === client && q.name === wanted);
  }

  /** Names for which a client got addresses, with those that stand for them. */
  resolved(client: string): OuterQuestion[] {
    const own = [...this.questions.values()].filter((q) => q.client === client);
    const found = own.filter((q) => q.addresses.length > 0);
    for (const { name } of found) for (const q of own) if (q.alias === name && !found.includes(q)) found.push(q);
    return found;
  }

  /** Whether a client got any answer at all. */
  hears(client: string): boolean {
    return [...this.questions.values()].some((q) => q.client === client && q.answerAt !== null);
  }

  /** Questions that have no address as an answer. */
  failed(): OuterQuestion[] {
    return [...this.questions.values()].filter((q) => q.addresses.length === 0);
  }
}

/** The name at the end of the CNAMEs that lead away from `name`; '' without any. */
function aliasOf(name: string, m: DnsMessage): string {
  let alias = '';
  for (let i = 0; i < MOST_ALIASES; i++) {
    const next = m.answers.find((r) => r.type === TYPE.CNAME && nameText(r.name).toLowerCase() === (alias || name));
    if (next === undefined) break;
    alias = nameText(next.rdata).toLowerCase();
  }
  return alias;
}
