import {
  codec,
  type DhcpMessage,
  messageType,
  optionAddresses,
  optionNumber,
  optionValue,
  sipServers,
} from '../../dissectors/dhcp/index.js';
import { hex, hexNumber, ip4, type Own, ofNumber } from '../kit/index.js';
import { LIMITS, type ReachedLimits } from '../limits.js';
import { Backoff } from './backoff.js';
import type { AddressingMessage, DhcpExchange } from './entities.js';
import { addressOf, type Content } from './events.js';
import { type Arrival, type Moment, millis, type Seen } from './moment.js';

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
const Type = { Discover: 1, Offer: 2, Request: 3, Decline: 4, Ack: 5, Nak: 6, Release: 7, Inform: 8 } as const;
/** Stands for a message of BOOTP, which has no type. */
const BOOTP = 0;
const Option = { dns: 6, requested: 50, lease: 51, server: 54, clientId: 61 } as const;
/** RFC 2131 §4.1: the first answer is waited for so long. */
const PATIENCE_MS = 4000;
/** Exchanges of a client that stay unpacked. */
const UNPACKED = 4;
const NONE: string[] = [];
const NO_MESSAGES: AddressingMessage[] = [];
/** RFC 2131 §2: the only flag. */
const BROADCAST = 0x8000;

const bitOf = (type: number): number => 1 << (type & 31);

const packedOf = ({ row, at, direction, type }: AddressingMessage): string =>
  `${row} ${at.seconds} ${at.nanos} ${direction} ${type}`;

function unpacked(text: string): AddressingMessage {
  const [row, seconds, nanos, direction, ...type] = text.split(' ');
  const at: Seen = { row, seconds: Number(seconds), nanos: Number(nanos) };
  return { row, at, type: type.join(' '), direction: direction === 'up' ? 'up' : 'down' };
}

/** Stands for a message that did not come. */
const NONE_YET = -1;

type Told = DhcpTransaction['entry'];

const isEqual = (a: Told, b: Told): boolean =>
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

/** Of a client that waits for nothing. */
const NEVER: Seen = { row: '', seconds: 0, nanos: 0 };
const ANSWERED = new Backoff(4000, 64_000, 1000, 0);

/** The messages of one transaction id, and what is to be judged of them. */
export class DhcpTransaction {
  /** What is told of it beside {@link messages}, and the number by which it goes. */
  entry: Omit<DhcpExchange, 'messages' | 'xid'>;
  /** Requests of the client that no answer followed. */
  unanswered = 0;
  /** The capture ended, and what the client asked last was not answered in time. */
  isDeserted = false;
  /** The last message of the client, while it waits. */
  asked: Seen;
  /** Type of the message that waits for an answer, 0 if none. */
  waiting = 0;
  refusal: Seen | null = null;
  /** Its last acknowledgment of a lease; a message that asks for a broadcast: which of the messages, or when it came. */
  private lease: number | Seen = NONE_YET;
  private asksAll: number | Seen = NONE_YET;
  decline: Seen | null = null;
  clientId = false;
  /** A request for an address that no offer named, and an acknowledgment by another server than the one that was asked. */
  unoffered: Seen | null = null;
  strange: Seen | null = null;
  /** Addresses that it was offered or given, and those that the client says it has. */
  held: string[] = NONE;
  /** It has its address from a server of BOOTP. */
  private byBootp = false;
  /** What an offer names as P-CSCF and the acknowledgment does not. */
  offered: readonly string[] = NONE;
  /** The server that a request names; '' where it goes to any. */
  private asking = '';
  /** The client has an address: it asks for more time, or for what else there is. */
  isRenewal = false;
  isInform = false;
  /** RFC 2131 §4.1: 4 s, then twice as long each time up to 64 s, a second more or less. */
  backoff = new Backoff(4000, 64_000, 1000, 0);
  /** The addresses of hardware differ between messages. */
  hardwareChanged: Seen | null = null;
  private readonly number: number;
  /** Types of the client's messages, a bit each. */
  private types = 0;
  private list: AddressingMessage[] = [];
  /** The messages as one text, once they are packed. */
  private packed = '';

  constructor(m: DhcpMessage, at: Seen) {
    this.asked = at;
    this.number = m.xid | 0;
    this.entry = {
      outcome: 'in-progress',
      htype: m.htype,
      hlen: m.hlen,
      chaddr: hex(m.chaddr, 0, Math.min(16, m.hlen)),
      pcscf: NONE,
      dns: NONE,
    };
  }

  /** The first of them. */
  get messages(): AddressingMessage[] {
    return this.packed === '' ? this.list : this.packed.split('\n').map(unpacked);
  }

  get first(): Seen {
    return this.messages[0].at as Seen;
  }
  get isAcknowledged(): boolean {
    return this.lease !== NONE_YET;
  }
  get acknowledged(): Seen | null {
    return this.seen(this.lease);
  }
  get broadcast(): Seen | null {
    return this.seen(this.asksAll);
  }
  private seen(which: number | Seen): Seen | null {
    if (typeof which !== 'number') return which;
    return which === NONE_YET ? null : (this.messages[which].at as Seen);
  }

  get xid(): Own {
    return ofNumber(this.number >>> 0, (n) => hexNumber(n, 8));
  }

  get told(): DhcpExchange {
    return { xid: this.xid, messages: this.messages, ...this.entry };
  }

  /** Whether the client sent anything, or a message of a type. */
  sent(type?: number): boolean {
    return type === undefined ? this.types !== 0 : (this.types & bitOf(type)) !== 0;
  }

  /**
   * It is over, most likely: its messages are kept as one text, which is a quarter of their size, and what is as in the
   * exchange `before` it is kept once.
   */
  pack(before: DhcpTransaction | undefined): void {
    if (this.waiting !== 0 || this.packed !== '' || this.backoff.wrong !== null) return;
    this.packed = this.list.map(packedOf).join('\n');
    this.list = NO_MESSAGES;
    this.backoff = ANSWERED;
    this.asked = NEVER;
    if (before === undefined) return;
    if (before.packed !== '' && isEqual(this.entry, before.entry)) this.entry = before.entry;
    if (this.asking === before.asking) this.asking = before.asking;
    if (isSame(this.held, before.held)) this.held = before.held;
  }

  private unpack(): void {
    if (this.packed === '') return;
    this.list = this.messages;
    this.packed = '';
    this.entry = { ...this.entry }; // others may have it, too
    this.backoff = new Backoff(4000, 64_000, 1000, 0);
  }

  /** @param reached is told of a message that does not fit */
  take(m: DhcpMessage, type: number, at: Seen, reached: ReachedLimits): void {
    const { entry } = this;
    this.unpack();
    const direction = m.op === 1 ? 'up' : 'down';
    if (this.list.length >= LIMITS.exchangeMessages) reached.capped('exchangeMessages');
    else this.list.push({ row: at.row, at, type: NAMES[type] ?? `type ${type}`, direction });
    const here = this.list[this.list.length - 1].at === at ? this.list.length - 1 : at;
    const chaddr = hex(m.chaddr, 0, Math.min(16, m.hlen));
    if (m.htype !== entry.htype || chaddr !== entry.chaddr) this.hardwareChanged ??= at;
    if (m.op === 1) this.client(m, type, at, here);
    else this.server(m, type, at, here);
  }

  private client(m: DhcpMessage, type: number, at: Seen, here: number | Seen): void {
    if ((m.flags & BROADCAST) !== 0 && this.asksAll === NONE_YET) this.asksAll = here;
    this.types |= bitOf(type);
    this.clientId ||= optionValue(m, Option.clientId) !== undefined;
    if (type === Type.Decline) {
      this.decline = at;
      this.entry.outcome = 'declined';
    } else if (type === Type.Release) this.entry.outcome = 'released';
    else {
      const hasAddress = m.ciaddr.some((x) => x !== 0);
      if (hasAddress) this.hold(addressOf(m.ciaddr));
      this.isInform = type === Type.Inform;
      this.isRenewal = type === Type.Request && hasAddress; // it has its own pauses: RFC 2131 §4.4.5
      const isDisdained = this.byBootp && type === Type.Discover; // the client goes on as if nobody had answered
      this.byBootp = false;
      if (isDisdained) this.entry.outcome = 'in-progress';
      else if (type !== this.waiting || this.isRenewal) this.backoff.answered();
      if (!this.isRenewal) this.backoff.sent(at);
      if (type === Type.Request) this.selecting(m, at);
      this.asked = at;
      this.waiting = type;
      this.unanswered++;
    }
  }

  /** RFC 2131 §4.3.2: a request after an offer names the server and the address of that offer. */
  private selecting(m: DhcpMessage, at: Seen): void {
    const [server] = optionAddresses(m, Option.server);
    const [address] = optionAddresses(m, Option.requested);
    this.asking = server === undefined ? '' : ip4(server, 0);
    if (server === undefined || address === undefined || this.held.length === 0) return;
    if (!this.held.includes(ip4(address, 0))) this.unoffered ??= at;
  }

  private hold(address: string): void {
    if (this.held.length < LIMITS.exchangeMessages && !this.held.includes(address)) this.held = [...this.held, address];
  }

  /** RFC 2131 §3.1, §4.4.1: the client has chosen already, or has its answer; what another server says later is passed over. */
  private isLate(type: number, server: string): boolean {
    if (this.waiting !== 0) return type === Type.Offer && this.waiting === Type.Request;
    const { outcome } = this.entry;
    if (outcome !== 'bound' && outcome !== 'informed') return false;
    return type === Type.Offer || (server !== '' && server !== this.entry.server);
  }

  private server(m: DhcpMessage, type: number, at: Seen, here: number | Seen): void {
    const { entry } = this;
    const [id] = optionAddresses(m, Option.server);
    const server = id === undefined ? '' : ip4(id, 0);
    const address = addressOf(m.yiaddr);
    if (address !== '0.0.0.0') this.hold(address);
    if (type === BOOTP && (this.waiting !== Type.Discover || address === '0.0.0.0')) return;
    if (this.isLate(type, server)) return;
    if (type !== BOOTP) this.backoff.answered();
    this.waiting = 0;
    this.unanswered = 0;
    if (type === Type.Nak) {
      entry.outcome = 'refused';
      this.refusal = at;
      return;
    }
    if (type === Type.Offer) entry.outcome = 'offered';
    else if (type === Type.Ack) {
      entry.outcome = this.isInform ? 'informed' : 'bound';
      if (!this.isInform) this.lease = here;
    } else if (type === BOOTP) {
      entry.outcome = 'bound'; // for ever, if the client takes it
      this.byBootp = true;
    }
    if (address !== '0.0.0.0') entry.address = address;
    if (server !== '') entry.server = server;
    if (type === Type.Ack && this.asking !== '' && server !== '' && server !== this.asking) this.strange ??= at;
    const lease = optionNumber(m, Option.lease);
    if (lease !== undefined) entry.leaseSeconds = lease;
    const dns = optionAddresses(m, Option.dns).map(addressOf);
    const pcscf = servers(m);
    // RFC 2131 §4.4.1: a client sets itself up by the acknowledgment, not by the offer before it.
    const isWhole = type === Type.Ack && !this.isInform && !this.isRenewal;
    if (isWhole && pcscf.length === 0 && entry.pcscf.length > 0) this.offered = entry.pcscf;
    if (isWhole || dns.length > 0) entry.dns = dns;
    if (isWhole || pcscf.length > 0) entry.pcscf = pcscf;
  }

  /** The capture ended. */
  finish(end: Moment): void {
    const { entry } = this;
    this.isDeserted = this.waiting !== 0 && millis(this.asked, end) >= PATIENCE_MS;
    if (!this.isDeserted) return;
    if (entry.outcome === 'in-progress' || entry.outcome === 'offered') entry.outcome = 'unanswered';
  }
}

/** P-CSCF names and addresses of option 120 (RFC 3361, TS 24.229 §9.2.1). */
function servers(m: DhcpMessage): string[] {
  try {
    return sipServers(m).map((s) => (typeof s === 'string' ? s : addressOf(s)));
  } catch {
    return []; // an option that cannot be read names nobody
  }
}

/** The DHCPv4 client of a tunnel, as its messages show it (RFC 2131, TS 24.322 §6.3). */
export class DhcpClient {
  readonly exchanges: DhcpTransaction[] = [];
  /** By their number as 32 bits with a sign, which takes no memory of its own. */
  private readonly byXid = new Map<number, DhcpTransaction>();

  /** @param reached is told of what does not fit */
  constructor(private readonly reached: ReachedLimits) {}

  take(at: Arrival, c: Content): DhcpTransaction | undefined {
    let m: DhcpMessage;
    try {
      m = codec.parse(c.buf, c.off, c.end);
    } catch {
      return undefined; // its row says what is wrong with it
    }
    const type = messageType(m);
    let t = this.byXid.get(m.xid | 0);
    // A server that knows BOOTP alone may answer a client of DHCP. RFC 1534 §2
    if (type === BOOTP && (m.op === 1 || t === undefined)) return undefined;
    if (t === undefined) {
      if (this.exchanges.length >= LIMITS.exchanges) {
        this.reached.capped('exchanges');
        return undefined;
      }
      this.exchanges.push((t = new DhcpTransaction(m, at.seen())));
      const over = this.exchanges.length - UNPACKED;
      this.exchanges[over]?.pack(this.exchanges[over - 1]);
      this.byXid.set(m.xid | 0, t);
    }
    t.take(m, type, at.seen(), this.reached);
    return t;
  }

  finish(end: Moment): void {
    for (const e of this.exchanges) e.finish(end);
  }
}
