import { codec, type Icmpv6Message, TYPE } from '../../dissectors/icmpv6/messages.js';
import { OPTION } from '../../dissectors/icmpv6/nd-fields.js';
import { hex, ip6, type Own, ours, u16, u32 } from '../kit/index.js';
import { LIMITS, type ReachedLimits } from '../limits.js';
import type { AddressingMessage, PrefixEntry, Slaac } from './entities.js';
import type { Content } from './events.js';
import { type Arrival, type Moment, millis, type Seen } from './moment.js';

/** RFC 4862 §5.4: an address may be used when so long nobody has claimed it (RetransTimer, one probe). */
const DAD_MS = 1000;
const PREFIX_OCTETS = 30;
/** RFC 4861 §10; RFC 7559 §2 doubles the pause, a tenth more or less. */
const MOST_SOLICITATIONS = 3;
const GROWTH = 1.5;

/** What a router advertisement said; DNS servers and the MTU hold until they are said anew. RFC 4861 §6.3.4 */
export interface Advertisement {
  readonly at: Seen;
  readonly managed: boolean;
  readonly other: boolean;
  /** Of the routers that there are, that of the longest. */
  readonly lifetimeSeconds: number;
  readonly prefixes: readonly { readonly length: number; readonly entry: PrefixEntry }[];
  readonly dns: readonly string[];
  /** Of the link; 0: it says none. */
  readonly mtu: number;
}

/** An advertisement that takes a prefix back, and what it says of it. */
export interface Withdrawal {
  readonly at: Seen;
  readonly entry: PrefixEntry;
}

/** One address that was probed for duplicates. */
export interface Probe {
  readonly target: string;
  readonly at: Seen;
  /** When it was probed for the last time. */
  last: Seen;
  readonly up: boolean;
  /** Its nonces, by which it is known where the link sends it back. RFC 7527 §4.2 */
  readonly nonces: Set<string>;
  duplicate: Seen | null;
}

/** Stateless address autoconfiguration inside a tunnel (RFC 4861, RFC 4862), from the messages of both ends. */
export class RouterDiscovery {
  rs = 0;
  firstSolicitation: Seen | null = null;
  lastSolicitation: Seen | null = null;
  ra = 0;
  /** Solicitations that came sooner than RFC 4861 §6.3.7 has it, three every 4 s, and RFC 7559 §2, longer and longer. */
  hasty: Seen | null = null;
  private pauseMs = 0;
  lastAdvertisement: Advertisement | null = null;
  firstAdvertisement: Advertisement | null = null;
  private readonly prefixes = new Map<string, PrefixEntry>();
  /** Prefixes for addresses that an advertisement has taken back, with what it says of them. RFC 4862 §5.5.4 */
  private readonly withdrawn = new Map<string, Withdrawal>();
  /** Some advertisement had a prefix for addresses: routers may leave out of the next what they said (RFC 4861 §6.2.3). */
  hadPrefix = false;
  /** Router lifetimes in seconds, by the address that advertises. */
  private readonly routers = new Map<string, number>();
  readonly probes: Probe[] = [];
  /** The first messages of the kinds that an address comes of. */
  private readonly messages: AddressingMessage[] = [];
  /** Messages that a receiver has to discard (RFC 4861 §6.1). */
  readonly invalid: { readonly at: Seen; readonly why: Own }[] = [];

  /** @param reached is told of what does not fit */
  constructor(private readonly reached: ReachedLimits) {}

  /** Addresses of prefixes of which a host may make its own: those with the autonomous flag. */
  get usable(): string[] {
    return [...this.prefixes.values()].filter((p) => p.autonomous).map((p) => p.prefix.split('/')[0]);
  }

  get empty(): boolean {
    return this.rs === 0 && this.ra === 0 && this.probes.length === 0;
  }

  take(at: Arrival, c: Content): void {
    if (c.net !== 6 || c.end - c.off < 8) return;
    const type = c.buf[c.off];
    if (type < TYPE.routerSolicitation || type > TYPE.neighborAdvertisement) return;
    const m = codec.parse(c.buf, c.off, c.end);
    if (!this.valid(at, c, m)) return;
    if (type === TYPE.routerSolicitation) {
      if (at.up) this.solicited(at); // else a multicast that the EFTF floods: of this UE, or of another one
    } else if (type === TYPE.routerAdvertisement) this.advertised(at, hex(c.addresses, c.source, 16, ''), m);
    else if (m.body.length < 20) return;
    else if (type === TYPE.neighborSolicitation) this.probed(at, c, m);
    else this.claimed(at, ip6(m.body, 4), at.up);
  }

  /** RFC 4861 §6.1.1, §6.1.2, §7.1: what a receiver checks first. */
  private valid(at: Arrival, c: Content, m: Icmpv6Message): boolean {
    const why =
      c.hops !== 255
        ? ours`hop limit ${c.hops} instead of 255`
        : m.code !== 0
          ? ours`code ${m.code} instead of 0`
          : m.rest.length > 0 && m.rest[1] === 0
            ? ours`an option of length 0`
            : m.type === TYPE.routerAdvertisement && !isLinkLocal(c)
              ? ours`a source that is not link-local`
              : forbidden(c, m);
    if (why === undefined) return true;
    if (this.hasRoom(this.invalid.length)) this.invalid.push({ at: at.seen(), why });
    return false;
  }

  /** Whether one more fits beside so many prefixes, routers or addresses. */
  private hasRoom(kept: number): boolean {
    if (kept < LIMITS.neighbours) return true;
    this.reached.capped('neighbours');
    return false;
  }

  private list(at: Arrival, type: string): void {
    if (this.messages.length >= LIMITS.exchangeMessages) {
      this.reached.capped('exchangeMessages');
      return;
    }
    const seen = at.seen();
    this.messages.push({ row: seen.row, at: seen, type, direction: at.up ? 'up' : 'down' });
  }

  private solicited(at: Arrival): void {
    this.rs++;
    this.list(at, 'RS');
    if (this.lastSolicitation !== null && this.ra === 0) {
      const ms = millis(this.lastSolicitation, at);
      if (this.rs > MOST_SOLICITATIONS && ms < GROWTH * this.pauseMs) this.hasty ??= at.seen();
      this.pauseMs = ms;
    }
    this.lastSolicitation = at.seen();
    this.firstSolicitation ??= this.lastSolicitation;
  }

  private advertised(at: Arrival, router: string, m: Icmpv6Message): void {
    this.ra++;
    this.list(at, 'RA');
    const prefixes = m.options.flatMap((o) => {
      if (o.type !== OPTION.prefix || o.bytes.length < PREFIX_OCTETS) return [];
      const b = o.bytes;
      const entry: PrefixEntry = {
        prefix: `${ip6(b, 14)}/${b[0]}`,
        onLink: (b[1] & 0x80) !== 0,
        autonomous: (b[1] & 0x40) !== 0,
        validSeconds: u32(b, 2),
        preferredSeconds: u32(b, 6),
      };
      this.hadPrefix ||= entry.autonomous && entry.validSeconds > 0;
      this.withdraw(at, entry);
      if (this.prefixes.has(entry.prefix) || this.hasRoom(this.prefixes.size)) this.prefixes.set(entry.prefix, entry);
      return [{ length: b[0], entry }];
    });
    if (this.routers.has(router) || this.hasRoom(this.routers.size)) this.routers.set(router, u16(m.body, 2));
    const before = this.lastAdvertisement;
    const dns = m.options.flatMap((o) => (o.type === OPTION.rdnss ? servers(o.bytes) : []));
    this.lastAdvertisement = {
      at: at.seen(),
      managed: (m.body[1] & 0x80) !== 0,
      other: (m.body[1] & 0x40) !== 0,
      lifetimeSeconds: Math.max(...this.routers.values()),
      prefixes,
      dns: dns.length > 0 ? dns : (before?.dns ?? []),
      mtu: m.options.reduce(
        (n, o) => (o.type === OPTION.mtu && o.bytes.length >= 6 ? u32(o.bytes, 2) : n),
        before?.mtu ?? 0,
      ),
    };
    this.firstAdvertisement ??= this.lastAdvertisement;
  }

  /** A prefix that was preferred is not any longer; or is again. */
  private withdraw(at: Arrival, entry: PrefixEntry): void {
    const { prefix, autonomous } = entry;
    if (!autonomous) return;
    if (entry.preferredSeconds > 0 && entry.validSeconds > 0) this.withdrawn.delete(prefix);
    else if (this.prefixes.get(prefix)?.autonomous && !this.withdrawn.has(prefix))
      this.withdrawn.set(prefix, { at: at.seen(), entry });
  }

  /** Prefixes for addresses that are withdrawn in the end. */
  get withdrawals(): Withdrawal[] {
    return [...this.withdrawn.values()];
  }

  /** Whether a prefix for addresses is left that is preferred. */
  get isPreferred(): boolean {
    return [...this.prefixes.values()].some((p) => p.autonomous && p.preferredSeconds > 0 && p.validSeconds > 0);
  }

  /** RFC 4862 §5.4.2: a solicitation from `::` asks whether somebody has the address. */
  private probed(at: Arrival, c: Content, m: Icmpv6Message): void {
    if (!c.unspecified) return;
    this.list(at, 'DAD');
    const target = ip6(m.body, 4);
    const known = this.probes.findLast((p) => p.target === target);
    const option = m.options.find((o) => o.type === OPTION.nonce)?.bytes;
    const nonce = option === undefined ? '' : hex(option, 0, option.length, '');
    if (known !== undefined && known.up !== at.up) {
      if (known.nonces.has(nonce)) return;
      known.duplicate ??= at.seen(); // RFC 4862 §5.4.3: both want it
      return;
    }
    const seen = at.seen();
    const nonces = known?.nonces ?? new Set();
    if (nonce !== '' && nonces.size < LIMITS.neighbours) nonces.add(nonce);
    if (known !== undefined) known.last = seen;
    else if (this.hasRoom(this.probes.length))
      this.probes.push({ target, at: seen, last: seen, up: at.up, nonces, duplicate: null });
  }

  /** RFC 4862 §5.4.4: an advertisement from the other side while the address is tentative. */
  private claimed(at: Arrival, target: string, up: boolean): void {
    const probe = this.probes.findLast((p) => p.target === target);
    if (probe === undefined || probe.up === up || millis(probe.last, at) > DAD_MS) return;
    probe.duplicate ??= at.seen();
  }

  /**
   * @param used addresses from which the UE sent
   * @param end when the capture ended
   */
  entry(used: readonly string[], end: Moment): Slaac {
    const own = this.probes.filter((p) => p.up && p.duplicate === null).map((p) => p.target);
    return {
      rs: this.rs,
      ra: this.ra,
      messages: this.messages,
      prefixes: [...this.prefixes.values()],
      addresses: [...new Set([...own, ...used.filter((a) => a.includes(':'))])],
      dad: this.probes.map((p) => ({
        target: p.target,
        outcome:
          p.duplicate !== null
            ? 'duplicate'
            : used.includes(p.target) || millis(p.at, end) >= DAD_MS
              ? 'unique'
              : 'unknown',
      })),
    };
  }
}

const isLinkLocal = (c: Content): boolean =>
  c.addresses[c.source] === 0xfe && (c.addresses[c.source + 1] & 0xc0) === 0x80;

const SOLICITED_NODE = 'ff0200000000000000000001ff';
const SOLICITED = 0x40;

/** What nobody may ask without an address, and what an answer to a group may not be. RFC 4861 §6.1.1, §7.1.1, §7.1.2 */
function forbidden(
  { unspecified, addresses, destination }: Content,
  { type, body, options }: Icmpv6Message,
): Own | undefined {
  const asks = type === TYPE.routerSolicitation || type === TYPE.neighborSolicitation;
  if (asks && unspecified && options.some((o) => o.type === OPTION.sourceLinkLayer))
    return ours`a link-layer address, and no address for a source`;
  if (type === TYPE.routerSolicitation || type === TYPE.routerAdvertisement || body.length < 20) return undefined;
  if (body[4] === 0xff) return ours`a group for its target`;
  const to = hex(addresses, destination, 16, '');
  if (asks && unspecified && to !== SOLICITED_NODE + hex(body, 17, 3, ''))
    return ours`no address for a source, and another destination than the group of its target`;
  return !asks && to.startsWith('ff') && (body[0] & SOLICITED) !== 0
    ? ours`the flag of an answer, and goes to a group`
    : undefined;
}

function servers(b: Uint8Array): string[] {
  const out: string[] = [];
  for (let i = 6; i + 16 <= b.length; i += 16) out.push(ip6(b, i));
  return out;
}
