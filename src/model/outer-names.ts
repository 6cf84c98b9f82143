import { codec, type DnsMessage, nameText, response, TYPE } from '../../dissectors/dns/index.js';
import { addressText, append } from '../kit/index.js';
import { LIMITS, type ReachedLimits } from '../limits.js';
import type { Place } from './entities.js';
import type { Content } from './events.js';
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

/** The DNS outside of tunnels: by which names the addresses of EFTFs were found. The oldest questions are let go of. */
export class OuterNames {
  private readonly questions = new Map<string, OuterQuestion>();

  /** @param reached is told of questions that are let go of */
  constructor(private readonly reached: ReachedLimits) {}

  take(at: Arrival, c: Content): void {
    const m = c.parsed(codec);
    if (m === undefined) return;
    const q = m.questions[0];
    if (q === undefined || (q.type !== TYPE.A && q.type !== TYPE.AAAA)) return;
    this.indexed = null;
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
    for (const r of m.answers) if (r.type === TYPE.A || r.type === TYPE.AAAA) this.learn(q, addressText(r.rdata));
    q.alias = q.addresses.length > 0 ? '' : aliasOf(q.name, m);
  }

  private learn({ addresses }: OuterQuestion, address: string): void {
    if (addresses.includes(address)) return;
    if (addresses.length < LIMITS.questionAddresses) addresses.push(address);
    else this.reached.capped('questionAddresses');
  }

  /** The name by which a client found an address before a time: what it asked for last, or for what that stands for. */
  nameOf(client: string, address: string, before: Moment): string | undefined {
    return this.index.clients.get(client)?.nameOf(address, before);
  }

  /** A name by which an address was found, by whomever. */
  nameFor(address: string): string | undefined {
    return this.index.names.get(address);
  }

  /** The questions of a client about a name. */
  about(client: string, name: string | undefined): readonly OuterQuestion[] {
    const own = name === undefined ? undefined : this.index.clients.get(client);
    return own?.byName.get(name!.toLowerCase()) ?? [];
  }

  /** Names for which a client got addresses, with those that stand for them. */
  resolved(client: string): readonly OuterQuestion[] {
    return this.index.clients.get(client)?.resolved ?? [];
  }

  /** Whether a client got any answer at all. */
  hears(client: string): boolean {
    return this.index.clients.get(client)?.hears === true;
  }

  /** Questions that have no address as an answer. */
  failed(): OuterQuestion[] {
    return [...this.questions.values()].filter((q) => q.addresses.length === 0);
  }

  /** What is looked up for each tunnel, made when it first is. */
  private get index(): NamesIndex {
    this.indexed ??= new NamesIndex(this.questions.values());
    return this.indexed;
  }
  private indexed: NamesIndex | null = null;
}

class NamesIndex {
  readonly clients = new Map<string, ClientNames>();
  /** By address, the name by which somebody first found it. */
  readonly names = new Map<string, string>();

  constructor(questions: Iterable<OuterQuestion>) {
    for (const q of questions) {
      const own = this.clients.get(q.client) ?? new ClientNames();
      this.clients.set(q.client, own);
      own.add(q);
      for (const a of q.addresses) if (!this.names.has(a)) this.names.set(a, q.name);
    }
  }
}

/** The questions of one client, in the order in which they were asked. */
class ClientNames {
  readonly byName = new Map<string, OuterQuestion[]>();
  private readonly byAddress = new Map<string, OuterQuestion[]>();
  private readonly byAlias = new Map<string, OuterQuestion[]>();
  private readonly found: OuterQuestion[] = [];
  hears = false;

  add(q: OuterQuestion): void {
    append(this.byName, q.name, q);
    for (const a of q.addresses) append(this.byAddress, a, q);
    if (q.alias !== '') append(this.byAlias, q.alias, q);
    if (q.addresses.length > 0) this.found.push(q);
    this.hears ||= q.answerAt !== null;
  }

  nameOf(address: string, before: Moment): string | undefined {
    const last = (list: readonly OuterQuestion[] = []): string | undefined =>
      list.findLast((q) => !isBefore(before, q.at))?.name;
    const passed = new Set<string>(); // names may stand for each other in a circle
    let name = last(this.byAddress.get(address));
    for (let next = name; next !== undefined && !passed.has(next); next = last(this.byAlias.get(next))) {
      name = next;
      passed.add(name);
    }
    return name;
  }

  get resolved(): readonly OuterQuestion[] {
    if (this.kept !== null) return this.kept;
    const all = new Set(this.found);
    for (const { name } of all) for (const q of this.byAlias.get(name) ?? []) all.add(q); // and what stands for those
    this.kept = [...all];
    return this.kept;
  }
  private kept: readonly OuterQuestion[] | null = null;
}

/** The name at the end of the CNAMEs that lead away from `name`; '' without any. */
function aliasOf(name: string, m: DnsMessage): string {
  const targets = new Map<string, string>();
  for (const r of m.answers) {
    const owner = r.type === TYPE.CNAME ? nameText(r.name).toLowerCase() : '';
    if (owner !== '' && !targets.has(owner)) targets.set(owner, nameText(r.rdata).toLowerCase());
  }
  let alias = name;
  // Each leads on once: they may go in a circle.
  for (let next = targets.get(alias); next !== undefined; next = targets.get(alias)) {
    targets.delete(alias);
    alias = next;
  }
  return alias === name ? '' : alias;
}
