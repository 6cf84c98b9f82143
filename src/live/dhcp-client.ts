import {
  addressOption,
  clientIdOption,
  type DhcpMessage,
  type DhcpOption,
  DhcpType,
  dhcpMessage,
  type Hardware,
  messageType,
  messageTypeOption,
  octetsOption,
  optionAddresses,
  optionNumber,
  optionText,
  optionValue,
  searchList,
  shortOption,
  sipServers,
  textOption,
} from '../../dissectors/dhcp/message.js';
import { equalBytes, u32 } from '../kit/index.js';
import { type Address, BROADCAST, isUnspecified, same } from './address.js';
import type { Machine } from './clock.js';
import { type Random, word } from './random.js';

/*
 * The client of RFC 2131, without I/O, as figure 5 there has it:
 *
 *     INIT --DISCOVER--> SELECTING --REQUEST--> REQUESTING --ACK--> BOUND --T1--> RENEWING --T2--> REBINDING --> INIT
 *     INIT-REBOOT --REQUEST--> REBOOTING --ACK--> BOUND
 *
 * There is no link layer to probe an address with; DECLINE is sent where somebody asks for it.
 */

/** States of RFC 2131 §4.4 figure 5; `informing` is that of a client that has its address from elsewhere. */
export type DhcpClientState =
  | 'init'
  | 'selecting'
  | 'requesting'
  | 'bound'
  | 'renewing'
  | 'rebinding'
  | 'rebooting'
  | 'informing'
  | 'stopped';

/** What a server granted. Times in seconds, except `since`. */
export interface DhcpLease {
  address: Address;
  server: Address;
  /** When it was asked for, in ms of the clock: what its times count from. RFC 2131 §4.4.1 */
  since: number;
  seconds: number;
  renewal: number;
  rebinding: number;
  prefixLength: number;
  routers: Address[];
  dns: Address[];
  domain?: string;
  search: string[];
  /** Names, or addresses of four octets. RFC 3361 */
  sipServers: (string | Uint8Array)[];
  mtu?: number;
}

/** At which exchange the client gave up for now. */
export type DhcpFailure = 'no offer' | 'no answer to the request' | 'request refused' | 'no answer to the inform';

/** What became of the lease. */
export type DhcpClientEvent =
  | { type: 'bound'; lease: DhcpLease; how: 'new' | 'renewed' | 'rebound' | 'rebooted' }
  | { type: 'informed'; lease: DhcpLease }
  | { type: 'lost'; reason: 'expired' | 'nak' | 'released' | 'declined' }
  | { type: 'failed'; reason: DhcpFailure };

/** What the client is, and how it reaches a server; it has neither socket nor clock of its own. */
export interface DhcpClientOptions {
  /** RFC 3456 §4.1 by way of TS 24.322 §6.3.1: `tunnelHardware` or `lanHardware`. */
  hardware: Hardware;
  random: Random;
  /**
   * Sends a message from port 68 to port 67: from `src` (0.0.0.0 without an address) to `dst`, a server or everybody. The
   * answer may come during the call.
   */
  send(message: DhcpMessage, src: Address, dst: Address): void;
  onEvent(event: DhcpClientEvent): void;
  hostName?: string;
  /** Rounds of DISCOVER and REQUEST before it says that it failed; 2 without it. */
  rounds?: number;
}

const ANY = Uint8Array.of(0, 0, 0, 0);
/** Options that are asked for: mask, router, DNS, domain, MTU, times, search list, SIP servers. */
const WANTED = [1, 3, 6, 15, 26, 51, 58, 59, 119, 120];
/** RFC 2131 §4.1: 4 seconds, doubled up to 64, each with a second of chance. */
const FIRST_DELAY = 4000;
const LONGEST_DELAY = 64_000;
const DISCOVERS = 5;
/** RFC 2131 §3.1 5.: four requests take a minute. */
const REQUESTS = 4;
/** RFC 2131 §4.4.5: renewals are no closer together than a minute. */
const LEAST_RENEWAL = 60_000;
/** RFC 2131 §3.1 5.: after a DECLINE. */
const DECLINE_WAIT = 10_000;
/** Option 57: what fits the tunnel's usual MTU. */
const LARGEST_MESSAGE = 1500;
const FOREVER = 0xffff_ffff;

/** A client of DHCPv4 at the inner end of a tunnel. RFC 2131 §4.4 */
export class DhcpClient implements Machine {
  state: DhcpClientState = 'stopped';
  lease: DhcpLease | undefined;
  private due = Number.POSITIVE_INFINITY;
  private xid = 0;
  private started = 0;
  private sentAt = 0;
  /** When the DISCOVER was sent that the offer answers. */
  private discovered = 0;
  private tries = 0;
  private round = 0;
  private offer: { address: Address; server: Address } | undefined;

  constructor(private readonly options: DhcpClientOptions) {}

  pollAt(): number {
    return this.due;
  }

  /** Begins to ask for an address; for `former`, where it is given, first (INIT-REBOOT, RFC 2131 §3.2). */
  start(now: number, former?: Address): void {
    this.lease = undefined;
    this.round = 0;
    if (former) this.reboot(former, now);
    else this.init(now);
  }

  /** Asks for options alone, for an address that was configured otherwise. RFC 2131 §3.4 */
  inform(now: number, address: Address): void {
    this.offer = { address, server: BROADCAST };
    this.enter('informing', now);
    this.askForOptions(now);
  }

  /** Gives the address back. RFC 2131 §4.4.6 */
  release(now: number): void {
    const lease = this.lease;
    this.stop();
    if (!lease) return;
    this.xid = word(this.options.random);
    const ids = [messageTypeOption(DhcpType.Release), addressOption(54, lease.server), this.identity()];
    this.send({ secs: 0, ciaddr: lease.address, options: ids }, lease.address, lease.server, now); // RFC 2131 table 5
    this.lease = undefined;
    this.options.onEvent({ type: 'lost', reason: 'released' });
  }

  /** Says that somebody else has the address, and asks for another ten seconds later. RFC 2131 §3.1 5., §4.4.4 */
  decline(now: number): void {
    const lease = this.lease;
    if (!lease) return;
    this.xid = word(this.options.random);
    const ids = [addressOption(50, lease.address), addressOption(54, lease.server), this.identity()];
    this.send({ secs: 0, options: [messageTypeOption(DhcpType.Decline), ...ids] }, ANY, BROADCAST, now); // RFC 2131 table 5
    this.lose('declined');
    this.state = 'init';
    this.due = now + DECLINE_WAIT;
  }

  /** Does nothing any more, and tells nobody. */
  stop(): void {
    this.state = 'stopped';
    this.due = Number.POSITIVE_INFINITY;
  }

  poll(now: number): void {
    if (now < this.due) return;
    if (this.state === 'init') this.init(now);
    else if (this.state === 'selecting') this.next(now, DISCOVERS, () => this.discover(now), 'no offer');
    else if (this.state === 'requesting') this.next(now, REQUESTS, () => this.request(now), 'no answer to the request');
    else if (this.state === 'rebooting') this.retryReboot(now);
    else if (this.state === 'informing') this.retryInform(now);
    else if (this.state === 'bound') {
      this.enter('renewing', now);
      this.prolong(now);
    } else if (this.state !== 'stopped') this.prolong(now);
  }

  private next(now: number, most: number, send: () => void, reason: DhcpFailure): void {
    if (this.tries < most) send();
    else this.again(now, reason);
  }

  private retryReboot(now: number): void {
    if (this.tries < REQUESTS) this.confirm(now);
    else this.init(now);
  }

  private retryInform(now: number): void {
    if (this.tries < DISCOVERS) this.askForOptions(now);
    else this.fail('no answer to the inform');
  }

  /** Takes a message from a server. */
  handle(message: DhcpMessage, now: number): void {
    if (message.op !== 2 || message.xid !== this.xid || this.state === 'stopped') return;
    const { chaddr, hlen } = this.options.hardware;
    if (!equalBytes(message.chaddr, 0, chaddr, 0, Math.min(hlen, 16))) return;
    const type = messageType(message);
    if (type === DhcpType.Offer && this.state === 'selecting') this.select(message, now);
    else if (type === DhcpType.Ack) this.acknowledged(message, now);
    else if (type === DhcpType.Nak) this.refused(message, now);
  }

  private enter(state: DhcpClientState, now: number): void {
    this.state = state;
    this.tries = 0;
    this.started = now;
    this.xid = word(this.options.random);
  }

  private init(now: number): void {
    this.offer = undefined;
    this.enter('selecting', now);
    this.discover(now);
  }

  private reboot(former: Address, now: number): void {
    this.offer = { address: former, server: ANY };
    this.enter('rebooting', now);
    this.confirm(now);
  }

  private discover(now: number): void {
    this.broadcast([messageTypeOption(DhcpType.Discover), ...this.wishes()], now);
  }

  private select(message: DhcpMessage, now: number): void {
    const server = optionAddresses(message, 54)[0];
    if (server === undefined || isUnspecified(message.yiaddr)) return;
    this.offer = { address: message.yiaddr, server };
    this.discovered = this.sentAt;
    this.state = 'requesting'; // RFC 2131 §4.4.1: the request has the xid of the offer
    this.tries = 0;
    this.request(now);
  }

  private request(now: number): void {
    const { address, server } = this.offer!;
    const ids = [addressOption(50, address), addressOption(54, server)]; // RFC 2131 table 5
    this.broadcast([messageTypeOption(DhcpType.Request), ...ids, ...this.wishes()], now);
  }

  private confirm(now: number): void {
    const ids = [addressOption(50, this.offer!.address)]; // RFC 2131 §4.3.2: no server identifier
    this.broadcast([messageTypeOption(DhcpType.Request), ...ids, ...this.wishes()], now);
  }

  private askForOptions(now: number): void {
    const { address } = this.offer!;
    this.retransmitLater(now);
    this.send(
      { ciaddr: address, options: [messageTypeOption(DhcpType.Inform), ...this.wishes()] },
      address,
      BROADCAST,
      now,
    );
  }

  private broadcast(options: DhcpOption[], now: number): void {
    this.retransmitLater(now);
    this.send({ options }, ANY, BROADCAST, now);
  }

  private retransmitLater(now: number): void {
    const delay = Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** this.tries);
    this.tries++;
    this.due = now + delay + (2 * this.options.random.next() - 1) * 1000;
  }

  /** RENEWING asks the server, REBINDING everybody; neither names address or server as options. RFC 2131 table 5 */
  private renew(now: number): void {
    const lease = this.lease!;
    const dst = this.state === 'renewing' ? lease.server : BROADCAST;
    const options = [messageTypeOption(DhcpType.Request), ...this.wishes()];
    const end = lease.since + 1000 * (this.state === 'renewing' ? lease.rebinding : lease.seconds);
    // RFC 2131 §4.4.5: half of what remains, a minute at least
    this.due = Math.min(end, now + Math.max(LEAST_RENEWAL, (end - now) / 2));
    this.send({ ciaddr: lease.address, options }, lease.address, dst, now);
  }

  private prolong(now: number): void {
    const lease = this.lease!;
    if (now >= lease.since + 1000 * lease.seconds) {
      this.lose('expired');
      this.round = 0;
      this.init(now);
      return;
    }
    if (this.state === 'renewing' && now >= lease.since + 1000 * lease.rebinding) this.enter('rebinding', now);
    this.renew(now);
  }

  private acknowledged(message: DhcpMessage, now: number): void {
    if (this.state === 'informing') {
      const lease = leaseOf(message, this.sentAt);
      this.stop();
      this.options.onEvent({ type: 'informed', lease: { ...lease, address: this.offer!.address } });
      return;
    }
    const how = HOW[this.state];
    const lease = leaseOf(message, this.sentAt);
    if (how === undefined || isUnspecified(lease.address) || lease.seconds === 0) return;
    if (this.state === 'requesting' && !same(lease.address, this.offer!.address)) return;
    if (isUnspecified(lease.server)) lease.server = this.lease?.server ?? this.offer?.server ?? ANY;
    this.lease = lease;
    this.state = 'bound';
    this.round = 0;
    this.due = lease.seconds === FOREVER ? Number.POSITIVE_INFINITY : Math.max(now, lease.since + 1000 * lease.renewal);
    this.options.onEvent({ type: 'bound', lease, how });
  }

  private refused(message: DhcpMessage, now: number): void {
    if (this.state === 'selecting' || this.state === 'bound' || this.state === 'init') return;
    const server = optionAddresses(message, 54)[0];
    if (this.state === 'requesting' && server && !same(server, this.offer!.server)) return;
    if (this.lease) this.lose('nak');
    if (this.state === 'requesting') this.again(now, 'request refused');
    else this.init(now);
  }

  private again(now: number, reason: DhcpFailure): void {
    this.round++;
    if (this.round >= (this.options.rounds ?? 2)) this.fail(reason);
    else if (reason === 'request refused') {
      this.state = 'init';
      this.due = now + 1000 * (1 + 9 * this.options.random.next()); // RFC 2131 §4.4.1: one to ten seconds
    } else this.init(now);
  }

  private fail(reason: DhcpFailure): void {
    this.stop();
    this.options.onEvent({ type: 'failed', reason });
  }

  private lose(reason: 'expired' | 'nak' | 'declined'): void {
    this.lease = undefined;
    this.options.onEvent({ type: 'lost', reason });
  }

  private identity(): DhcpOption {
    return clientIdOption(this.options.hardware);
  }

  private wishes(): DhcpOption[] {
    const name = this.options.hostName ? [textOption(12, this.options.hostName)] : [];
    return [this.identity(), ...name, shortOption(57, LARGEST_MESSAGE), octetsOption(55, WANTED)];
  }

  private send(parts: Partial<DhcpMessage>, src: Address, dst: Address, now: number): void {
    this.sentAt = now;
    const at = this.state === 'requesting' ? this.discovered : now; // RFC 2131 §3.1 3.: as in the DISCOVER, for relays
    const secs = Math.min(0xffff, Math.max(0, Math.floor((at - this.started) / 1000)));
    const { hardware } = this.options;
    this.options.send(dhcpMessage({ op: 1, xid: this.xid, secs, ...hardware, ...parts }), src, dst);
  }
}

const HOW: Partial<Record<DhcpClientState, 'new' | 'renewed' | 'rebound' | 'rebooted'>> = {
  requesting: 'new',
  renewing: 'renewed',
  rebinding: 'rebound',
  rebooting: 'rebooted',
};

/** A time that can be one; undefined for 0 and for what lies behind the end. */
const timeWithin = (seconds: number | undefined, end: number): number | undefined =>
  seconds !== undefined && seconds > 0 && seconds <= end ? seconds : undefined;

/**
 * What an ACK grants. Times that it leaves out are those of RFC 2131 §4.4.5, and so are those that cannot be: T1 comes
 * before T2, and T2 before the end of the lease, which no time makes longer.
 */
function leaseOf(m: DhcpMessage, since: number): DhcpLease {
  const seconds = optionNumber(m, 51) ?? 0;
  const mask = optionAddresses(m, 1)[0];
  const mtu = optionValue(m, 26);
  const domain = optionText(m, 15);
  const rebinding = timeWithin(optionNumber(m, 59), seconds) ?? 0.875 * seconds;
  return {
    address: m.yiaddr,
    server: optionAddresses(m, 54)[0] ?? ANY,
    since,
    seconds,
    renewal: timeWithin(optionNumber(m, 58), rebinding) ?? Math.min(0.5 * seconds, rebinding),
    rebinding,
    prefixLength: mask ? Math.clz32(~u32(mask, 0)) : 32,
    routers: optionAddresses(m, 3),
    dns: optionAddresses(m, 6),
    ...(domain ? { domain } : {}),
    search: tolerant(() => searchList(m)),
    sipServers: tolerant(() => sipServers(m)),
    ...(mtu?.length === 2 ? { mtu: (mtu[0] << 8) | mtu[1] } : {}),
  };
}

/** A list that cannot be read is as good as none. */
function tolerant<T>(read: () => T[]): T[] {
  try {
    return read();
  } catch {
    return [];
  }
}
