import {
  BROADCAST_FLAG,
  type DhcpMessage,
  DhcpType,
  optionAddresses,
  optionNumber,
  optionValue,
  sipServers,
} from '../../dissectors/dhcp/index.js';
import { addressText, hex, hexNumber, ip4, isDamage, type Own, ofNumber, utf8Text } from '../kit/index.js';
import { LIMITS, type ReachedLimits } from '../limits.js';
import { Backoff } from './backoff.js';
import type { AddressingMessage, DhcpExchange } from './entities.js';

import { type Moment, millis, type Seen } from './moment.js';

const NAMES: readonly string[] = [
  'BOOTP',
  'DISCOVER',
  'OFFER',
  'REQUEST',
  'DECLINE',
  'ACK',
  'NAK',
  'RELEASE',
  'INFORM',
];
/** Stands for a message of BOOTP, which has no type. */
export const BOOTP = 0;
const Option = { dns: 6, requested: 50, lease: 51, server: 54, message: 56, clientId: 61 } as const;
/** RFC 2131 §4.1: the first answer is waited for so long. */
const PATIENCE_MS = 4000;
/** Who has asked again so often has had no answer, whenever the capture ends behind the last time. */
const REPETITIONS = 2;
const NONE: string[] = [];

const bitOf = (type: number): number => 1 << (type & 31);

/** RFC 2131 §4.1: 4 s, then twice as long each time up to 64 s, a second more or less. */
const newBackoff = (): Backoff => new Backoff(4000, 64_000, 1000, 0);
const IN_TIME = newBackoff();

/** Which of the messages of an exchange; or when it came, where they are too many to be kept. */
type Which = number | Seen;
/** Stands for a message that did not come. */
const NONE_YET = -1;

/** What is known of an exchange beside its messages. */
interface Facts {
  /** Requests of the client that no answer followed. */
  unanswered: number;
  /** The capture ended, and what the client asked last was not answered in time. */
  isDeserted: boolean;
  /** Type of the message that waits for an answer, 0 if none; the last message of the client. */
  waiting: number;
  asked: Which;
  /** Types of the client's messages, a bit each. */
  types: number;
  clientId: boolean;
  /** The client has an address: it asks for more time, or for what else there is. */
  isRenewal: boolean;
  isInform: boolean;
  /** Its last acknowledgment of a lease. */
  lease: Which;
  /** A message that asks for a broadcast. */
  broadcast: Which;
  refusal: Which;
  /** What the server says with it, '' if nothing. RFC 2132 §9.9 */
  why: string;
  decline: Which;
  /** A request for an address that no offer named, and an acknowledgment by another server than the one that was asked. */
  unoffered: Which;
  strange: Which;
  /** The addresses of hardware differ between messages. */
  hardwareChanged: Which;
  /** Addresses that it was offered or given, and those that the client says it has. */
  held: readonly string[];
  /** It has its address from a server of BOOTP. */
  byBootp: boolean;
  /** What an offer names as P-CSCF and the acknowledgment does not. */
  offered: readonly string[];
  /** The server that a request names; '' where it goes to any. */
  asking: string;
  /** Where {@link Backoff} stands: the message that is not answered, and the next pause. */
  unansweredSince: Which;
  dueMs: number;
  /** What is told of it. */
  entry: Omit<DhcpExchange, 'messages' | 'xid'>;
}

/** The facts of exchanges that were packed last. Those of a client are alike but for when their messages came. */
export class RecentFacts {
  private readonly last: Facts[] = [];

  /** Facts that say the same: those that others have, if there are. */
  same(facts: Facts): Facts {
    const { last } = this;
    facts.entry = last.find((x) => isEqual(x.entry, facts.entry))?.entry ?? facts.entry;
    facts.held = last.find((x) => isSame(x.held, facts.held))?.held ?? facts.held;
    const known = last.find((x) => isShared(x, facts));
    if (known !== undefined) return known;
    if (last.length === RecentFacts.most) last.shift();
    last.push(facts);
    return facts;
  }
  private static readonly most = 8;
}

function isShared(a: Facts, b: Facts): boolean {
  let name: keyof Facts;
  for (name in a) if (a[name] !== b[name]) return false;
  return true;
}

const isEqual = (a: Facts['entry'], b: Facts['entry']): boolean =>
  a.outcome === b.outcome &&
  a.htype === b.htype &&
  a.hlen === b.hlen &&
  a.chaddr === b.chaddr &&
  a.address === b.address &&
  a.server === b.server &&
  a.leaseSeconds === b.leaseSeconds &&
  isSame(a.dns, b.dns) &&
  isSame(a.pcscf, b.pcscf) &&
  isSame(Object.keys(a), Object.keys(b));

const isSame = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((x, i) => x === b[i]);

/** Messages as one text, which is a fifth of their size: a line each, behind the second of the first. */
function packed(list: readonly AddressingMessage[]): string {
  const from = list[0].at.seconds;
  const lines = list.map(({ row, at, type, direction }) => {
    const name = NAMES.indexOf(type);
    return `${row} ${at.seconds - from} ${at.nanos} ${direction === 'up' ? '>' : '<'}${name < 0 ? type : name}`;
  });
  return [from, ...lines].join('\n');
}

function unpacked(text: string): AddressingMessage[] {
  const [from, ...lines] = text.split('\n');
  return lines.map((line) => messageOf(line, Number(from)));
}

/** The message at an index of a text. */
function unpackedAt(text: string, index: number): AddressingMessage {
  const lines = text.split('\n', index + 2);
  return messageOf(lines[index + 1], Number(lines[0]));
}

function messageOf(line: string, from: number): AddressingMessage {
  const [row, seconds, nanos, ...words] = line.split(' ');
  const at: Seen = { row, seconds: from + Number(seconds), nanos: Number(nanos) };
  const name = words.join(' ');
  const type = name.slice(1);
  return { row, at, type: NAMES[Number(type)] ?? type, direction: name.startsWith('>') ? 'up' : 'down' };
}

/** The messages of an exchange that goes on, and how they are repeated. */
interface Live {
  readonly list: AddressingMessage[];
  readonly backoff: Backoff;
}

/** The messages of one transaction id, and what is to be judged of them. */
export class DhcpTransaction {
  private readonly number: number;
  /** Its own until it is packed. */
  private known: Facts;
  /** Once it is packed: the messages as one text. */
  private kept: Live | string;

  constructor(m: DhcpMessage) {
    this.number = m.xid | 0;
    this.kept = { list: [], backoff: newBackoff() };
    this.known = {
      unanswered: 0,
      isDeserted: false,
      waiting: 0,
      asked: 0,
      types: 0,
      clientId: false,
      isRenewal: false,
      isInform: false,
      lease: NONE_YET,
      broadcast: NONE_YET,
      refusal: NONE_YET,
      why: '',
      decline: NONE_YET,
      unoffered: NONE_YET,
      strange: NONE_YET,
      hardwareChanged: NONE_YET,
      held: NONE,
      byBootp: false,
      offered: NONE,
      asking: '',
      unansweredSince: NONE_YET,
      dueMs: 0,
      entry: {
        outcome: 'in-progress',
        htype: m.htype,
        hlen: m.hlen,
        chaddr: hex(m.chaddr, 0, Math.min(16, m.hlen)),
        pcscf: NONE,
        dns: NONE,
      },
    };
  }

  /** What is told of it beside {@link messages}, and the number by which it goes. */
  get entry(): Readonly<Facts['entry']> {
    return this.known.entry;
  }
  get xid(): Own {
    return ofNumber(this.number >>> 0, (n) => hexNumber(n, 8));
  }
  get told(): DhcpExchange {
    return { xid: this.xid, messages: this.messages, ...this.entry };
  }
  get facts(): Readonly<Facts> {
    return this.known;
  }
  get messages(): AddressingMessage[] {
    return typeof this.kept === 'string' ? unpacked(this.kept) : this.kept.list;
  }
  get first(): Seen {
    return this.seen(0)!;
  }
  get isAcknowledged(): boolean {
    return this.known.lease !== NONE_YET;
  }
  /** Its last acknowledgment of a lease. */
  get acknowledged(): Seen | null {
    return this.seen(this.known.lease);
  }
  get backoff(): Backoff {
    return typeof this.kept === 'string' ? IN_TIME : this.kept.backoff;
  }

  /** When one of {@link facts} came, null if it did not. */
  seen(which: Which): Seen | null {
    if (typeof which !== 'number') return which;
    if (which === NONE_YET) return null;
    const { at } = typeof this.kept === 'string' ? unpackedAt(this.kept, which) : this.kept.list[which];
    return at as Seen;
  }

  /** Whether the client sent anything, or a message of a type. */
  sent(type?: number): boolean {
    const { types } = this.known;
    return type === undefined ? types !== 0 : (types & bitOf(type)) !== 0;
  }

  /** It is over, most likely: from now on it takes a tenth of the memory. */
  pack(recent: RecentFacts): void {
    const { kept, known } = this;
    if (typeof kept === 'string' || kept.backoff.wrong !== null) return;
    const { list } = kept;
    const { last, dueMs } = kept.backoff;
    const which = list.findIndex((m) => m.at === last);
    known.unansweredSince = which < 0 && last !== null ? last : which;
    known.dueMs = dueMs;
    this.known = recent.same(known);
    this.kept = packed(list);
  }

  private unpack(): Live {
    const { kept, known, messages } = this;
    if (typeof kept !== 'string') return kept;
    this.known = { ...known, entry: { ...known.entry } }; // others may have it, too
    const backoff = newBackoff();
    const live = { list: messages, backoff };
    this.kept = live;
    backoff.last = this.seen(known.unansweredSince);
    backoff.dueMs = known.dueMs;
    return live;
  }

  /** @param reached is told of a message that does not fit */
  take(m: DhcpMessage, type: number, at: Seen, reached: ReachedLimits): void {
    const { list, backoff } = this.unpack();
    const { known } = this;
    const direction = m.op === 1 ? 'up' : 'down';
    const isKept = list.length < LIMITS.exchangeMessages;
    if (isKept) list.push({ row: at.row, at, type: NAMES[type] ?? `type ${type}`, direction });
    else reached.capped('exchangeMessages');
    const here = isKept ? list.length - 1 : at;
    const chaddr = hex(m.chaddr, 0, Math.min(16, m.hlen));
    if (m.htype !== known.entry.htype || chaddr !== known.entry.chaddr) note(known, 'hardwareChanged', here);
    if (m.op === 1) this.client(m, type, at, here, backoff);
    else this.server(m, type, here, backoff);
  }

  private client(m: DhcpMessage, type: number, at: Seen, here: Which, backoff: Backoff): void {
    const { known } = this;
    const { entry } = known;
    if ((m.flags & BROADCAST_FLAG) !== 0) note(known, 'broadcast', here);
    known.types |= bitOf(type);
    known.clientId ||= optionValue(m, Option.clientId) !== undefined;
    if (type === DhcpType.Decline) {
      known.decline = here;
      entry.outcome = 'declined';
    } else if (type === DhcpType.Release) entry.outcome = 'released';
    else {
      const hasAddress = m.ciaddr.some((x) => x !== 0);
      if (hasAddress) this.hold(addressText(m.ciaddr));
      known.isInform = type === DhcpType.Inform;
      known.isRenewal = type === DhcpType.Request && hasAddress; // it has its own pauses: RFC 2131 §4.4.5
      const isDisdained = known.byBootp && type === DhcpType.Discover; // the client goes on as if nobody had answered
      known.byBootp = false;
      if (isDisdained) entry.outcome = 'in-progress';
      else if (type !== known.waiting || known.isRenewal) backoff.answered();
      if (!known.isRenewal) backoff.sent(at);
      if (type === DhcpType.Request) this.selecting(m, here);
      known.asked = here;
      known.waiting = type;
      known.unanswered++;
    }
  }

  /** RFC 2131 §4.3.2: a request after an offer names the server and the address of that offer. */
  private selecting(m: DhcpMessage, here: Which): void {
    const { known } = this;
    const [server] = optionAddresses(m, Option.server);
    const [address] = optionAddresses(m, Option.requested);
    known.asking = server === undefined ? '' : ip4(server, 0);
    if (server === undefined || address === undefined || known.held.length === 0) return;
    if (!known.held.includes(ip4(address, 0))) note(known, 'unoffered', here);
  }

  private hold(address: string): void {
    const { known } = this;
    const { held } = known;
    if (held.length < LIMITS.exchangeMessages && !held.includes(address)) known.held = [...held, address];
  }

  /** RFC 2131 §3.1, §4.4.1: the client has chosen already, or has its answer; what another server says later is passed over. */
  private isLate(type: number, server: string): boolean {
    const { waiting, entry } = this.known;
    if (waiting !== 0) return type === DhcpType.Offer && waiting === DhcpType.Request;
    if (entry.outcome !== 'bound' && entry.outcome !== 'informed') return false;
    return type === DhcpType.Offer || (server !== '' && server !== entry.server);
  }

  private server(m: DhcpMessage, type: number, here: Which, backoff: Backoff): void {
    const { known } = this;
    const { entry } = known;
    const [id] = optionAddresses(m, Option.server);
    const server = id === undefined ? '' : ip4(id, 0);
    const address = addressText(m.yiaddr);
    if (address !== '0.0.0.0') this.hold(address);
    if (type === BOOTP && (known.waiting !== DhcpType.Discover || address === '0.0.0.0')) return;
    if (this.isLate(type, server)) return;
    if (type !== BOOTP) backoff.answered();
    known.waiting = 0;
    known.unanswered = 0;
    if (type === DhcpType.Nak) {
      entry.outcome = 'refused';
      known.refusal = here;
      const why = optionValue(m, Option.message);
      known.why = why === undefined ? '' : utf8Text(why, 0, why.length);
      return;
    }
    if (type === DhcpType.Offer) entry.outcome = 'offered';
    else if (type === DhcpType.Ack) {
      entry.outcome = known.isInform ? 'informed' : 'bound';
      if (!known.isInform) known.lease = here;
    } else if (type === BOOTP) {
      entry.outcome = 'bound'; // for ever, if the client takes it
      known.byBootp = true;
    }
    if (address !== '0.0.0.0') entry.address = address;
    if (server !== '') entry.server = server;
    if (type === DhcpType.Ack && known.asking !== '' && server !== '' && server !== known.asking)
      note(known, 'strange', here);
    const lease = optionNumber(m, Option.lease);
    if (lease !== undefined) entry.leaseSeconds = lease;
    const dns = optionAddresses(m, Option.dns).map(addressText);
    const pcscf = servers(m);
    // RFC 2131 §4.4.1: a client sets itself up by the acknowledgment, not by the offer before it.
    const isWhole = type === DhcpType.Ack && !known.isInform && !known.isRenewal;
    if (isWhole && pcscf.length === 0 && entry.pcscf.length > 0) known.offered = entry.pcscf;
    if (isWhole || dns.length > 0) entry.dns = dns;
    if (isWhole || pcscf.length > 0) entry.pcscf = pcscf;
  }

  /** The capture ended. */
  finish(end: Moment, recent: RecentFacts): void {
    const { known } = this;
    const { entry, waiting } = known;
    const isPatient = known.unanswered > REPETITIONS || millis(this.seen(known.asked)!, end) >= PATIENCE_MS;
    const isDeserted = waiting !== 0 && isPatient;
    const isOpen = entry.outcome === 'in-progress' || entry.outcome === 'offered';
    const outcome = isDeserted && isOpen ? 'unanswered' : entry.outcome;
    if (isDeserted === known.isDeserted && outcome === entry.outcome) return;
    const facts: Facts = { ...known, isDeserted, entry: { ...entry, outcome } };
    this.known = typeof this.kept === 'string' ? recent.same(facts) : facts;
  }
}

/** Notes which message was the first of its kind. */
function note(known: Facts, what: 'broadcast' | 'unoffered' | 'strange' | 'hardwareChanged', here: Which): void {
  if (known[what] === NONE_YET) known[what] = here;
}

/** P-CSCF names and addresses of option 120 (RFC 3361, TS 24.229 §9.2.1). */
function servers(m: DhcpMessage): string[] {
  try {
    return sipServers(m).map((s) => (typeof s === 'string' ? s : addressText(s)));
  } catch (e) {
    if (!isDamage(e)) throw e;
    return []; // an option that cannot be read names nobody
  }
}
