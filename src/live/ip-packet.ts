import { type IcmpMessage, icmp } from '../../dissectors/icmp.js';
import { type Icmpv6Message, codec as icmpv6 } from '../../dissectors/icmpv6/messages.js';
import { type Ipv4Packet, ipv4 } from '../../dissectors/ipv4.js';
import { ipv6 } from '../../dissectors/ipv6.js';
import { ICMP, ICMPV6, UDP } from '../../dissectors/numbers.js';
import { udp } from '../../dissectors/udp.js';
import {
  type Codec,
  checksum,
  concat,
  encode,
  type NetPair,
  pseudoHeader,
  put16,
  put32,
  u16,
  u32,
} from '../kit/index.js';
import { type Address, isMulticast, isUnspecified } from './address.js';

/*
 * Whole IP packets as octets: what an end of a tunnel builds, takes apart and cuts to size. Headers are built by the
 * codecs of the dissectors, so that what is sent and what is shown agree.
 */

const HOP_BY_HOP = 0;
const ROUTING = 43;
const FRAGMENT = 44;
const NO_NEXT = 59;
const DESTINATION_OPTIONS = 60;
const FRAGMENT_HEADER = 8;
/** RFC 8200 §5 */
export const IPV6_MINIMUM_MTU = 1280;
/** RFC 1812 §4.3.2.3: an ICMP error is no longer than that. */
const ICMP_ERROR_OCTETS = 576;

const codecs = {
  ipv4: ipv4.codec as Codec<Ipv4Packet>,
  ipv6: ipv6.codec!,
  udp: udp.codec!,
  icmp: icmp.codec!,
  icmpv6,
};

/** Addresses as the pseudo-header of a checksum wants them. */
export function netPair(src: Address, dst: Address): NetPair {
  return { version: src.length === 4 ? 4 : 6, buf: concat([src, dst]), src: 0, dst: src.length };
}

/** What stands in the header of a packet besides lengths and checksums. */
export interface PacketHeader {
  src: Address;
  dst: Address;
  protocol: number;
  /** TTL or hop limit; 64 without it (RFC 1700: IP TIME TO LIVE PARAMETER). */
  ttl?: number;
  /** Differentiated services octet, traffic class. */
  ds?: number;
  /** IPv4 only. */
  id?: number;
  dontFragment?: boolean;
}

/** A whole packet. */
export function ipPacket(h: PacketHeader, payload: Uint8Array): Uint8Array {
  const { src, dst, ttl = 64, ds = 0 } = h;
  if (src.length === 16)
    return encode(codecs.ipv6, { tclass: ds, flow: 0, next: h.protocol, hlim: ttl, src, dst, payload });
  const flags = h.dontFragment ? 0x40 : 0;
  const id = h.id ?? 0;
  const options = new Uint8Array(0);
  return encode(codecs.ipv4, { ds, id, flags, offset: 0, ttl, protocol: h.protocol, src, dst, options, payload });
}

/** A whole UDP packet. */
export function udpPacket(
  h: Omit<PacketHeader, 'protocol'>,
  srcport: number,
  dstport: number,
  payload: Uint8Array,
): Uint8Array {
  return ipPacket({ ...h, protocol: UDP }, encode(codecs.udp, { srcport, dstport, payload }, netPair(h.src, h.dst)));
}

/** An IPv4 packet with a message of ICMP, checksums filled in. RFC 792 */
export const icmpPacket = (h: Omit<PacketHeader, 'protocol'>, message: IcmpMessage): Uint8Array =>
  ipPacket({ ...h, protocol: ICMP }, encode(codecs.icmp, message));

/** An IPv6 packet with a message of ICMPv6; its checksum covers the pseudo-header. RFC 4443 §2.3 */
export const icmpv6Packet = (h: Omit<PacketHeader, 'protocol'>, message: Icmpv6Message): Uint8Array =>
  ipPacket({ ...h, protocol: ICMPV6 }, encode(codecs.icmpv6, message, netPair(h.src, h.dst)));

/** Version nibble; 0 for a packet without octets. */
export const ipVersion = (packet: Uint8Array): number => (packet.length === 0 ? 0 : packet[0] >> 4);

/** One IP packet, headers read; offsets into `packet`. */
export interface ReadPacket {
  readonly packet: Uint8Array;
  readonly version: 4 | 6;
  readonly src: Address;
  readonly dst: Address;
  readonly ttl: number;
  /** Upper-layer protocol, or of a part the protocol of the whole. */
  readonly protocol: number;
  /** Where the octet stands that names it. */
  readonly protocolAt: number;
  /** Payload of the last header that was read. */
  readonly off: number;
  readonly end: number;
  readonly fragment?: { id: number; offset: number; more: boolean };
  /** Set where a header asks for what we do not do: how to answer it. RFC 8200 §4 */
  readonly problem?: { code: number; pointer: number };
}

/** Reads the headers of a packet; text that says what is wrong where it must be discarded without an answer. */
export function readPacket(packet: Uint8Array): ReadPacket | string {
  const version = ipVersion(packet);
  if (version === 4) return readIpv4(packet);
  if (version === 6) return readIpv6(packet);
  return `IP version ${version}`;
}

function readIpv4(packet: Uint8Array): ReadPacket | string {
  const header = (packet[0] & 15) << 2;
  if (packet.length < 20 || header < 20 || packet.length < header) return 'IPv4 header cut short';
  const end = u16(packet, 2);
  if (end < header || end > packet.length) return 'IPv4 total length';
  if (checksum(packet, 0, header) !== 0) return 'IPv4 header checksum';
  const word = u16(packet, 6);
  const offset = (word & 0x1fff) << 3;
  const more = (word & 0x2000) !== 0;
  return {
    packet,
    version: 4,
    src: packet.slice(12, 16),
    dst: packet.slice(16, 20),
    ttl: packet[8],
    protocol: packet[9],
    protocolAt: 9,
    off: header,
    end,
    ...(more || offset > 0 ? { fragment: { id: u16(packet, 4), offset, more } } : {}),
  };
}

function readIpv6(packet: Uint8Array): ReadPacket | string {
  if (packet.length < 40) return 'IPv6 header cut short';
  const end = 40 + u16(packet, 4);
  if (end > packet.length) return 'IPv6 payload length';
  const base = {
    packet,
    version: 6 as const,
    src: packet.slice(8, 24),
    dst: packet.slice(24, 40),
    ttl: packet[7],
    end,
  };
  return extensions(packet, packet[6], 40, end, base);
}

type Base = Pick<ReadPacket, 'packet' | 'version' | 'src' | 'dst' | 'ttl' | 'end'>;

/** Goes through extension headers from `off` on: the upper layer, or a part of a datagram. RFC 8200 §4 */
function extensions(b: Uint8Array, first: number, from: number, end: number, base: Base): ReadPacket | string {
  let next = first;
  let off = from;
  let pointer = 6;
  for (;;) {
    if (next === FRAGMENT) {
      if (off + FRAGMENT_HEADER > end) return 'IPv6 fragment header cut short';
      const word = u16(b, off + 2);
      const fragment = { id: u32(b, off + 4), offset: word & 0xfff8, more: (word & 1) !== 0 };
      const protocol = b[off];
      if (fragment.offset > 0 || fragment.more)
        return { ...base, protocol, protocolAt: off, off: off + FRAGMENT_HEADER, fragment };
      pointer = off; // RFC 6946 §4: an atomic fragment is a whole packet
      next = protocol;
      off += FRAGMENT_HEADER;
      continue;
    }
    const here = { ...base, protocol: next, protocolAt: pointer, off };
    if (next !== HOP_BY_HOP && next !== ROUTING && next !== DESTINATION_OPTIONS) return here;
    if (next === HOP_BY_HOP && off !== 40) return { ...here, problem: { code: 1, pointer } };
    const size = 8 * (b[off + 1] + 1);
    if (off + 2 > end || off + size > end) return 'IPv6 extension header cut short';
    const problem = headerProblem(b, next, off, size, isMulticast(base.dst));
    if (problem === 'discard') return 'IPv6 option that asks to be discarded';
    if (problem) return { ...here, problem };
    pointer = off;
    next = b[off];
    off += size;
  }
}

/** What forbids to go on after the extension header at `off`. */
function headerProblem(
  b: Uint8Array,
  header: number,
  off: number,
  size: number,
  toMany: boolean,
): { code: number; pointer: number } | 'discard' | undefined {
  if (header === ROUTING) return b[off + 3] === 0 ? undefined : { code: 0, pointer: off + 2 }; // RFC 8200 §4.4
  for (let i = off + 2; i < off + size; ) {
    if (b[i] === 0) {
      i++;
      continue;
    }
    if (i + 1 >= off + size || i + 2 + b[i + 1] > off + size) return { code: 0, pointer: i };
    const action = b[i] >> 6; // RFC 8200 §4.2
    const isQuiet = action === 1 || (action === 3 && toMany);
    if (action !== 0 && b[i] !== 1) return isQuiet ? 'discard' : { code: 2, pointer: i };
    i += 2 + b[i + 1];
  }
  return undefined;
}

/** What the upper layers of a reassembled datagram are, once its fragment header is gone. RFC 8200 §4.5 */
export function readReassembled(p: ReadPacket, protocol: number, payload: Uint8Array): ReadPacket | string {
  const base = { packet: payload, version: p.version, src: p.src, dst: p.dst, ttl: p.ttl, end: payload.length };
  if (p.version === 4) return { ...base, protocol, protocolAt: p.protocolAt, off: 0 };
  return extensions(payload, protocol, 0, payload.length, base);
}

/** Payload of a UDP packet, shared; undefined where length or checksum is wrong. RFC 768, RFC 8200 §8.1 */
export function udpPayload(p: ReadPacket): Uint8Array | undefined {
  const b = p.packet;
  const length = p.end - p.off < 8 ? 0 : u16(b, p.off + 4);
  if (length < 8 || p.off + length > p.end) return undefined;
  const none = u16(b, p.off + 6) === 0;
  const good = none
    ? p.version === 4 // only there it may be left out
    : checksum(b, p.off, p.off + length, pseudoHeader(netPair(p.src, p.dst), UDP, length)) === 0;
  return good ? b.subarray(p.off + 8, p.off + length) : undefined;
}

/** `packet` in pieces of at most `mtu` octets; undefined where it must not be cut (IPv4 with DF). */
export function fragments(packet: Uint8Array, mtu: number, id: number): Uint8Array[] | undefined {
  if (packet.length <= mtu) return [packet];
  return ipVersion(packet) === 4 ? fragments4(packet, mtu) : fragments6(packet, mtu, id);
}

/** RFC 791 §3.2 */
function fragments4(packet: Uint8Array, mtu: number): Uint8Array[] | undefined {
  if ((packet[6] & 0x40) !== 0) return undefined;
  const r = codecs.ipv4.parse(packet, 0, packet.length);
  const header = packet.length - r.payload.length;
  const step = (mtu - header) & ~7;
  if (step < 8) return undefined;
  const more = r.flags & 0x20;
  const out: Uint8Array[] = [];
  for (let at = 0; at < r.payload.length; at += step) {
    const payload = r.payload.subarray(at, at + step);
    const last = at + step >= r.payload.length;
    const flags = last ? r.flags : r.flags | 0x20;
    const options = at === 0 ? r.options : copied(r.options);
    out.push(
      encode(codecs.ipv4, { ...r, options, flags: last ? flags | more : flags, offset: r.offset + at, payload }),
    );
  }
  return out;
}

/** Options that every fragment carries: those with the copied flag. RFC 791 §3.1 */
function copied(options: Uint8Array): Uint8Array {
  const out: number[] = [];
  for (let i = 0; i < options.length && options[i] !== 0; ) {
    const size = options[i] === 1 ? 1 : (options[i + 1] ?? 0);
    if (size < 1 || i + size > options.length) break;
    if (options[i] >= 0x80) out.push(...options.subarray(i, i + size));
    i += size;
  }
  return Uint8Array.from(out);
}

/** RFC 8200 §4.5; this end sends no header that would have to stand before the fragment header. */
function fragments6(packet: Uint8Array, mtu: number, id: number): Uint8Array[] {
  const r = codecs.ipv6.parse(packet, 0, packet.length);
  const step = (mtu - 40 - FRAGMENT_HEADER) & ~7;
  const out: Uint8Array[] = [];
  for (let at = 0; at < r.payload.length; at += step) {
    const part = r.payload.subarray(at, at + step);
    const payload = new Uint8Array(FRAGMENT_HEADER + part.length);
    payload[0] = r.next;
    put16(payload, 2, at | (at + step < r.payload.length ? 1 : 0));
    put32(payload, 4, id);
    payload.set(part, FRAGMENT_HEADER);
    out.push(encode(codecs.ipv6, { ...r, next: FRAGMENT, payload }));
  }
  return out;
}

/** What went wrong with a packet, and the word that goes with it (MTU, pointer). */
export interface IcmpError {
  type: number;
  code: number;
  word?: number;
}

/** The errors that hosts and routers of both families tell, [IPv4, IPv6]. RFC 792, RFC 4443 §3 */
export const ERRORS = {
  noRoute: [
    { type: 3, code: 0 },
    { type: 1, code: 0 },
  ],
  addressUnreachable: [
    { type: 3, code: 1 },
    { type: 1, code: 3 },
  ],
  prohibited: [
    { type: 3, code: 13 },
    { type: 1, code: 5 },
  ],
  portUnreachable: [
    { type: 3, code: 3 },
    { type: 1, code: 4 },
  ],
  protocolUnreachable: [
    { type: 3, code: 2 },
    { type: 4, code: 1 },
  ],
  timeExceeded: [
    { type: 11, code: 0 },
    { type: 3, code: 0 },
  ],
  tooBig: [
    { type: 3, code: 4 },
    { type: 2, code: 0 },
  ],
} as const satisfies Record<string, readonly [IcmpError, IcmpError]>;

/** An error that a host or router sends, in whichever family the packet was. */
export type ErrorName = keyof typeof ERRORS;

/** Whether an error about `p` may be sent at all. RFC 1122 §3.2.2, RFC 4443 §2.4 (e) */
function mayAnswer(p: ReadPacket, error: IcmpError): boolean {
  if (isUnspecified(p.src) || isMulticast(p.src)) return false;
  if (p.fragment && p.fragment.offset > 0) return false;
  if (p.version === 4) {
    if (isMulticast(p.dst) || p.dst.every((o) => o === 255)) return false;
    return p.protocol !== ICMP || [0, 8, 13, 14].includes(p.packet[p.off]);
  }
  const exempt = error.type === 2 || (error.type === 4 && error.code === 2);
  if (isMulticast(p.dst) && !exempt) return false;
  return p.protocol !== ICMPV6 || p.packet[p.off] >= 128;
}

/** An ICMP error about `p`, from `src`; undefined where none may be sent. */
export function icmpErrorPacket(p: ReadPacket, src: Address, error: IcmpError): Uint8Array | undefined {
  if (!mayAnswer(p, error)) return undefined;
  const { type, code, word = 0 } = error;
  if (p.version === 4) {
    const data = p.packet.slice(0, Math.min(p.packet.length, ICMP_ERROR_OCTETS - 28));
    return icmpPacket({ src, dst: p.src, ds: 0xc0 }, { type, code, word, data }); // RFC 1812 §4.3.2.5
  }
  const body = new Uint8Array(4 + Math.min(p.packet.length, IPV6_MINIMUM_MTU - 48)); // RFC 4443 §2.4 (c)
  put32(body, 0, word);
  body.set(p.packet.subarray(0, body.length - 4), 4);
  return icmpv6Packet({ src, dst: p.src }, { type, code, body, options: [], rest: new Uint8Array(0) });
}

/** Whether nothing follows the headers that were read. RFC 8200 §4.7 */
export const isEmpty = (p: ReadPacket): boolean => p.version === 6 && p.protocol === NO_NEXT;

/** Lets `rate` events a second pass, and `burst` at once. RFC 4443 §2.4 (f) */
export class TokenBucket {
  private tokens: number;
  private since = 0;
  constructor(
    private readonly rate: number,
    private readonly burst: number,
  ) {
    this.tokens = burst;
  }
  take(now: number): boolean {
    this.tokens = Math.min(this.burst, this.tokens + ((now - this.since) * this.rate) / 1000);
    this.since = now;
    if (this.tokens < 1) return false;
    this.tokens--;
    return true;
  }
}
