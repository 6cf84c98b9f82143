import {
  addressOption,
  BROADCAST_FLAG,
  type DhcpMessage,
  type DhcpOption,
  DhcpType,
  dhcpMessage,
  messageType,
  messageTypeOption,
  numberOption,
  optionAddresses,
  optionNumber,
  optionValue,
  searchListOption,
  shortOption,
  sipServersOption,
  splitOption,
  textOption,
} from '../../dissectors/dhcp/message.js';
import { hex, put32, u32 } from '../kit/index.js';
import { LIMITS } from '../limits.js';
import { type Address, BROADCAST, inPrefix, isUnspecified, same } from './address.js';
import type { EftfFaults } from './fault-eftf.js';

/** What the server gives out. */
export interface DhcpServerOptions {
  /** The server's own address, option 54. */
  server: Address;
  /** Addresses are leased out of it; its first and last are not, nor those of `reserved`. */
  pool: { prefix: Address; length: number };
  /** Addresses of the pool that are somebody's already. */
  reserved?: readonly Address[];
  leaseSeconds?: number;
  /** T1 and T2, seconds; half and seven eighths of the lease without them. */
  renewalSeconds?: number;
  rebindingSeconds?: number;
  routers?: readonly Address[];
  dns?: readonly Address[];
  domain?: string;
  search?: readonly string[];
  /** P-CSCF: names, or addresses. RFC 3361 */
  sipServers?: readonly string[] | readonly Address[];
  mtu?: number;
  /** Gets what became of an address, before the client hears of it: a lease, its end. RFC 2131 §3.1 4. */
  onBinding?: (binding: Readonly<Binding>) => void;
  faults?: EftfFaults;
  /** A client on a link gets nothing: all addresses are taken, or the link holds as many as it may. */
  onRefused?: (link: number, why: 'pool' | 'link') => void;
}

/** An address and who has it. Times in ms of the clock. */
export interface Binding {
  address: Address;
  /** Client identifier in hexadecimal. */
  client: string;
  /** The link that the client was last heard on. */
  link: number;
  state: 'offered' | 'bound' | 'released' | 'declined';
  expires: number;
}

/** An answer, and where it goes. */
export interface DhcpAnswer {
  message: DhcpMessage;
  dst: Address;
}

/** An offer is kept that long for the client to come back. */
const OFFER_MS = 120_000;
/** An address that was declined is not given out that long. */
const DECLINED_MS = 600_000;
const DAY = 86_400;
/** A client that asks for less gets this. */
const LEAST_SECONDS = 60;

/**
 * The server of RFC 2131, without I/O: a message and the link that it came on in, an answer out.
 *
 * Every tunnel is a link of its own, and hardware addresses are unique on a link alone: hosts in many homes are
 * 192.168.0.2, and RFC 3456 §4.1 makes chaddr of that. So a client is its identifier; where another link that is still
 * up holds the same identifier, the newcomer is somebody else. A client that comes back on a new link, the old one
 * being gone, finds its lease.
 */
export class DhcpServer {
  /** Requests that could not be served since all addresses are taken. */
  exhausted = 0;
  private readonly byAddress = new Map<number, Binding>();
  private readonly byClient = new Map<string, Binding[]>();
  private readonly links = new Set<number>();
  private readonly first: number;
  private readonly last: number;
  private cursor: number;

  constructor(private readonly options: DhcpServerOptions) {
    const { prefix, length } = options.pool;
    const size = 2 ** (32 - length);
    const base = u32(prefix, 0) - (u32(prefix, 0) % size);
    this.first = length >= 31 ? base : base + 1; // RFC 3021 §2.1
    this.last = base + size - (length >= 31 ? 1 : 2);
    this.cursor = this.first;
  }

  /** A tunnel came up. */
  attach(link: number): void {
    this.links.add(link);
  }

  /** A tunnel is gone; its leases run on. */
  detach(link: number): void {
    this.links.delete(link);
  }

  /** Who has an address now, if anybody. */
  binding(address: Address, now: number): Binding | undefined {
    const b = this.byAddress.get(u32(address, 0));
    return b && b.state === 'bound' && b.expires > now ? b : undefined;
  }

  /** All that is bound, offered or remembered. */
  bindings(): Binding[] {
    return [...this.byAddress.values()];
  }

  /** Takes over what an earlier run had, as far as it is of this pool: leases outlive the server. RFC 2131 §2.1 */
  restore(bindings: readonly Binding[]): void {
    for (const b of bindings) if (this.inPool(b.address)) this.keep({ ...b });
  }

  /** The answer to a message that came on `link`; undefined where there is none. */
  handle(message: DhcpMessage, link: number, now: number): DhcpAnswer | undefined {
    if (message.op !== 1 || !message.cookie) return undefined;
    switch (messageType(message)) {
      case DhcpType.Discover:
        return this.discover(message, link, now);
      case DhcpType.Request:
        return this.request(message, link, now);
      case DhcpType.Decline:
        this.decline(message, link, now);
        return undefined;
      case DhcpType.Release:
        this.release(message, link, now);
        return undefined;
      case DhcpType.Inform:
        return this.inform(message);
      default:
        return undefined;
    }
  }

  private discover(m: DhcpMessage, link: number, now: number): DhcpAnswer | undefined {
    const wanted = optionAddresses(m, 50)[0];
    const known = this.mine(m, link);
    const crowded = known === undefined && this.crowded(link, now);
    const none = crowded || this.options.faults?.has('no-address');
    const b = known ?? (none ? undefined : this.allocate(m, link, wanted, now));
    if (b === undefined) {
      this.exhausted++;
      this.options.onRefused?.(link, crowded ? 'link' : 'pool');
      return undefined;
    }
    b.link = link;
    if (b.state !== 'bound' || b.expires <= now) {
      b.state = 'offered';
      b.expires = now + OFFER_MS;
    }
    return this.grant(m, DhcpType.Offer, b.address);
  }

  /** RFC 2131 §4.3.2: which of four states the client is in shows in options 50 and 54 and in ciaddr. */
  private request(m: DhcpMessage, link: number, now: number): DhcpAnswer | undefined {
    const server = optionAddresses(m, 54)[0];
    const wanted = optionAddresses(m, 50)[0];
    const b = this.mine(m, link);
    if (server) {
      if (!same(server, this.options.server)) {
        if (b?.state === 'offered') this.forget(b); // RFC 2131 §3.1 4.: another server was chosen
        return undefined;
      }
      if (b && wanted && same(b.address, wanted)) return this.bind(m, b, link, now);
      return this.refuse(m);
    }
    const asked = wanted ?? m.ciaddr;
    if (isUnspecified(asked)) return undefined;
    if (b && same(b.address, asked)) return this.bind(m, b, link, now);
    if (!this.inPool(asked)) return this.refuse(m);
    const other = this.byAddress.get(u32(asked, 0));
    if (other !== undefined || b !== undefined || this.options.faults?.has('no-address')) return this.refuse(m);
    if (this.crowded(link, now)) {
      this.options.onRefused?.(link, 'link');
      return this.refuse(m);
    }
    // Nobody is known to have it, as after a loss of memory: with one server, the client's memory is the better one.
    return this.bind(m, this.keep(this.fresh(m, link, asked, now)), link, now);
  }

  private bind(m: DhcpMessage, b: Binding, link: number, now: number): DhcpAnswer {
    b.state = 'bound';
    b.link = link;
    b.expires = now + 1000 * this.seconds(m);
    this.options.onBinding?.(b);
    return this.grant(m, DhcpType.Ack, b.address);
  }

  private decline(m: DhcpMessage, link: number, now: number): void {
    const address = optionAddresses(m, 50)[0];
    const b = this.mine(m, link);
    if (!b || !address || !same(b.address, address)) return;
    this.unlist(b);
    b.state = 'declined';
    b.client = '';
    b.expires = now + DECLINED_MS;
    this.options.onBinding?.(b);
  }

  private release(m: DhcpMessage, link: number, now: number): void {
    const b = this.mine(m, link);
    if (!b || !same(b.address, m.ciaddr)) return;
    b.state = 'released'; // RFC 2131 §4.3.4: remembered, for the client to have it again
    b.expires = now;
    this.options.onBinding?.(b);
  }

  private inform(m: DhcpMessage): DhcpAnswer | undefined {
    if (isUnspecified(m.ciaddr)) return undefined;
    const options = [messageTypeOption(DhcpType.Ack), addressOption(54, this.options.server), ...this.configuration(m)];
    return { message: this.reply(m, { ciaddr: m.ciaddr, options }), dst: m.ciaddr }; // RFC 2131 §4.3.5: no times
  }

  private refuse(m: DhcpMessage): DhcpAnswer {
    const options = [messageTypeOption(DhcpType.Nak), addressOption(54, this.options.server)];
    return { message: this.reply(m, { options }), dst: BROADCAST };
  }

  private grant(m: DhcpMessage, type: number, address: Address): DhcpAnswer {
    const seconds = this.seconds(m);
    const { renewalSeconds = Math.floor(seconds / 2), rebindingSeconds = Math.floor((seconds * 7) / 8) } = this.options;
    const rebinding = Math.min(rebindingSeconds, seconds);
    const options = [
      messageTypeOption(type),
      addressOption(54, this.options.server),
      numberOption(51, seconds),
      numberOption(58, Math.min(renewalSeconds, rebinding)),
      numberOption(59, rebinding),
      ...this.configuration(m),
    ];
    const message = this.reply(m, { yiaddr: address, ciaddr: m.ciaddr, options });
    // RFC 2131 §4.1: to ciaddr if it is there; else to everybody if asked, or to the new address
    const dst = !isUnspecified(m.ciaddr) ? m.ciaddr : (m.flags & BROADCAST_FLAG) !== 0 ? BROADCAST : address;
    return { message, dst };
  }

  private reply(m: DhcpMessage, parts: Partial<DhcpMessage>): DhcpMessage {
    const { xid, flags, giaddr, chaddr, htype, hlen } = m;
    const ids = optionValue(m, 61);
    const options = [...(parts.options ?? []), ...(ids ? [{ code: 61, bytes: ids }] : [])]; // RFC 6842 §3
    return dhcpMessage({ ...parts, op: 2, xid, flags, giaddr, chaddr, htype, hlen, options });
  }

  /** What the client asked for in option 55, or all without it. */
  private configuration(m: DhcpMessage): DhcpOption[] {
    const o = this.options;
    const wanted = optionValue(m, 55);
    const mask = new Uint8Array(4);
    put32(mask, 0, o.pool.length === 0 ? 0 : (0xffff_ffff << (32 - o.pool.length)) >>> 0);
    const all: DhcpOption[] = [{ code: 1, bytes: mask }];
    if (o.routers?.length) all.push(addressOption(3, ...o.routers));
    if (o.dns?.length) all.push(addressOption(6, ...o.dns));
    if (o.domain) all.push(textOption(15, o.domain));
    if (o.mtu) all.push(shortOption(26, o.mtu));
    if (o.search?.length) all.push(...splitOption(searchListOption(o.search)));
    if (o.sipServers?.length) all.push(...splitOption(sipServersOption(o.sipServers)));
    return all.filter((x) => wanted === undefined || wanted.includes(x.code));
  }

  private seconds(m: DhcpMessage): number {
    const most = this.options.leaseSeconds ?? DAY;
    const asked = optionNumber(m, 51);
    return asked === undefined ? most : Math.min(most, Math.max(LEAST_SECONDS, asked));
  }

  /** The binding of this client, unless another link that is up has it; of several the one that it asks for. */
  private mine(m: DhcpMessage, link: number): Binding | undefined {
    const list = this.byClient.get(identity(m)) ?? [];
    const own = list.find((b) => b.link === link);
    if (own !== undefined) return own;
    const free = list.filter((b) => !this.links.has(b.link));
    const asked = optionAddresses(m, 50)[0] ?? m.ciaddr;
    return free.find((b) => same(b.address, asked)) ?? free[0];
  }

  /** Whether a link holds so many addresses that it gets no more: one that asks on and on takes none from others. */
  private crowded(link: number, now: number): boolean {
    let n = 0;
    for (const b of this.byAddress.values()) if (b.link === link && b.expires > now) n++;
    return n >= LIMITS.leasesPerTunnel;
  }

  /** An address for a new client: what it asks for, else one never used, else the one free for longest. */
  private allocate(m: DhcpMessage, link: number, wanted: Address | undefined, now: number): Binding | undefined {
    if (wanted && this.inPool(wanted) && this.free(u32(wanted, 0), now))
      return this.keep(this.fresh(m, link, wanted, now));
    for (; this.cursor <= this.last; this.cursor++) {
      const address = octetsOf(this.cursor);
      if (this.inPool(address) && !this.byAddress.has(this.cursor)) return this.keep(this.fresh(m, link, address, now));
    }
    let oldest: Binding | undefined;
    for (const b of this.byAddress.values())
      if (b.expires <= now && (oldest === undefined || b.expires < oldest.expires)) oldest = b;
    if (oldest === undefined) return undefined;
    this.forget(oldest);
    return this.keep(this.fresh(m, link, oldest.address, now));
  }

  private free(key: number, now: number): boolean {
    const b = this.byAddress.get(key);
    if (b === undefined) return true;
    if (b.expires > now) return false;
    this.forget(b);
    return true;
  }

  private fresh(m: DhcpMessage, link: number, address: Address, now: number): Binding {
    return { address: address.slice(), client: identity(m), link, state: 'offered', expires: now + OFFER_MS };
  }

  private keep(b: Binding): Binding {
    this.byAddress.set(u32(b.address, 0), b);
    const list = this.byClient.get(b.client) ?? [];
    list.push(b);
    this.byClient.set(b.client, list);
    return b;
  }

  private forget(b: Binding): void {
    this.byAddress.delete(u32(b.address, 0));
    this.unlist(b);
  }

  private unlist(b: Binding): void {
    const list = (this.byClient.get(b.client) ?? []).filter((x) => x !== b);
    if (list.length === 0) this.byClient.delete(b.client);
    else this.byClient.set(b.client, list);
  }

  private inPool(a: Address): boolean {
    const { prefix, length } = this.options.pool;
    const n = u32(a, 0);
    if (!inPrefix(a, prefix, length) || n < this.first || n > this.last) return false;
    return !same(a, this.options.server) && !(this.options.reserved ?? []).some((r) => same(r, a));
  }
}

function octetsOf(n: number): Address {
  const out = new Uint8Array(4);
  put32(out, 0, n);
  return out;
}

/** Option 61, or hardware type and address without it. RFC 2131 §4.2 */
function identity(m: DhcpMessage): string {
  const id = optionValue(m, 61);
  if (id?.length) return hex(id, 0, id.length, '');
  return `${m.htype}/${hex(m.chaddr, 0, Math.min(16, m.hlen), '')}`;
}
