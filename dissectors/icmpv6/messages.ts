import {
  type Codec,
  checksum,
  fold,
  type NetPair,
  pseudoHeader,
  put16,
  put32,
  sumWords,
  u8,
  u16,
  u32,
} from 'fttscope/kit';
import { OPTION } from './nd-fields.js';

/**
 * ICMPv6 messages as plain data, and builders for what a host or a router of RFC 4861 sends. Nothing is lost: options
 * stay as type and octets, octets that are no option stay in `rest`.
 */
export const PROTOCOL = 58;
/** Types that are made as well as read. RFC 4443 §4, RFC 4861 §4 */
export const TYPE = {
  echoRequest: 128,
  echoReply: 129,
  routerSolicitation: 133,
  routerAdvertisement: 134,
  neighborSolicitation: 135,
  neighborAdvertisement: 136,
  redirect: 137,
  listenerReport: 143,
} as const;

/** Octets between the checksum and the options of a neighbor discovery message. RFC 4861 §4. */
const FIXED: Readonly<Record<number, number>> = {
  [TYPE.routerSolicitation]: 4,
  [TYPE.routerAdvertisement]: 12,
  [TYPE.neighborSolicitation]: 20,
  [TYPE.neighborAdvertisement]: 20,
  [TYPE.redirect]: 36,
};

/** An option: what stands behind its length octet; with it, a multiple of eight octets. */
export interface NdOption {
  type: number;
  bytes: Uint8Array;
}

/** RFC 4443 §2.1, with the options of RFC 4861 §4.6. */
export interface Icmpv6Message {
  type: number;
  code: number;
  /** Octets after the checksum, up to the options where the type has them. */
  body: Uint8Array;
  options: NdOption[];
  /** Octets at the end that are no whole option. */
  rest: Uint8Array;
}

const NONE = new Uint8Array(0);

/** Where the options start: `end` for types without them, and for messages too short to have any. */
const bodyEnd = (type: number, o: number, end: number) => Math.min(end, FIXED[type] ? o + 4 + FIXED[type] : end);
const sizeOf = (option: NdOption) => (option.bytes.length + 9) & ~7;

/** A message with its options as octets; the checksum is written from the addresses given. */
export const codec: Codec<Icmpv6Message> = {
  parse(b, o, end) {
    const type = u8(b, o);
    const options: NdOption[] = [];
    const stop = bodyEnd(type, o, end);
    let i = stop;
    while (i + 8 <= end && b[i + 1] !== 0 && i + 8 * b[i + 1] <= end) {
      options.push({ type: b[i], bytes: b.slice(i + 2, i + 8 * b[i + 1]) });
      i += 8 * b[i + 1];
    }
    return { type, code: u8(b, o + 1), body: b.slice(o + 4, stop), options, rest: b.slice(i, end) };
  },
  size: (r) => 4 + r.body.length + r.options.reduce((n, x) => n + sizeOf(x), 0) + r.rest.length,
  emit(r, b, o, net?: NetPair) {
    b[o] = r.type;
    b[o + 1] = r.code;
    put16(b, o + 2, 0);
    b.set(r.body, o + 4);
    let i = o + 4 + r.body.length;
    for (const x of r.options) {
      const n = sizeOf(x);
      b.fill(0, i, i + n);
      b[i] = x.type;
      b[i + 1] = n >> 3;
      b.set(x.bytes, i + 2);
      i += n;
    }
    b.set(r.rest, i);
    const n = i + r.rest.length - o;
    if (net) put16(b, o + 2, fold(sumWords(b, o, o + n, pseudoHeader(net, PROTOCOL, n)))); // RFC 4443 §2.3
    return n;
  },
};

/** Whether the checksum of the message in `[off, end)` is right. */
export const verified = (b: Uint8Array, off: number, end: number, net: NetPair): boolean =>
  checksum(b, off, end, pseudoHeader(net, PROTOCOL, end - off)) === 0;

function message(type: number, body: Uint8Array, options: readonly NdOption[] = []): Icmpv6Message {
  return { type, code: 0, body, options: [...options], rest: NONE };
}

/** RFC 4861 §4.1. */
export const routerSolicitation = (options: readonly NdOption[] = []): Icmpv6Message =>
  message(TYPE.routerSolicitation, new Uint8Array(4), options);

/** What a router advertisement says besides its options; lifetimes in seconds, timers in milliseconds. */
export interface RouterAdvertisement {
  hopLimit: number;
  managed: boolean;
  other: boolean;
  /** 0 medium, 1 high, 3 low. RFC 4191 §2.1. */
  preference: number;
  lifetime: number;
  reachable: number;
  retransmit: number;
}

/** RFC 4861 §4.2. */
export function routerAdvertisement(r: RouterAdvertisement, options: readonly NdOption[] = []): Icmpv6Message {
  const b = new Uint8Array(12);
  b[0] = r.hopLimit;
  b[1] = (r.managed ? 0x80 : 0) | (r.other ? 0x40 : 0) | ((r.preference & 3) << 3);
  put16(b, 2, r.lifetime);
  put32(b, 4, r.reachable);
  put32(b, 8, r.retransmit);
  return message(TYPE.routerAdvertisement, b, options);
}

/** RFC 4861 §4.3. */
export function neighborSolicitation(target: Uint8Array, options: readonly NdOption[] = []): Icmpv6Message {
  const b = new Uint8Array(20);
  b.set(target, 4);
  return message(TYPE.neighborSolicitation, b, options);
}

/** Flags of a neighbor advertisement, RFC 4861 §4.4. */
export interface AdvertisementFlags {
  router?: boolean;
  solicited?: boolean;
  override?: boolean;
}

/** RFC 4861 §4.4. */
export function neighborAdvertisement(
  target: Uint8Array,
  flags: AdvertisementFlags,
  options: readonly NdOption[] = [],
): Icmpv6Message {
  const b = new Uint8Array(20);
  b[0] = (flags.router ? 0x80 : 0) | (flags.solicited ? 0x40 : 0) | (flags.override ? 0x20 : 0);
  b.set(target, 4);
  return message(TYPE.neighborAdvertisement, b, options);
}

/** An echo request; the reply has the same octets and type {@link TYPE.echoReply}. RFC 4443 §4. */
export function echoRequest(ident: number, seq: number, data: Uint8Array): Icmpv6Message {
  const b = new Uint8Array(4 + data.length);
  put16(b, 0, ident);
  put16(b, 2, seq);
  b.set(data, 4);
  return message(TYPE.echoRequest, b);
}

/** A report that a host now listens to `groups` (type 4, exclude no source). RFC 9777 §5.2. */
export function listenerReport(groups: readonly Uint8Array[], recordType = 4): Icmpv6Message {
  const b = new Uint8Array(4 + 20 * groups.length);
  put16(b, 2, groups.length);
  groups.forEach((g, i) => {
    b[4 + 20 * i] = recordType;
    b.set(g, 8 + 20 * i);
  });
  return message(TYPE.listenerReport, b);
}

/** A prefix and what hosts may do with it; lifetimes in seconds, 0xffffffff is for ever. */
export interface PrefixInformation {
  prefix: Uint8Array;
  length: number;
  onLink: boolean;
  autonomous: boolean;
  valid: number;
  preferred: number;
}

/** RFC 4861 §4.6.2. */
export function prefixOption(r: PrefixInformation): NdOption {
  const b = new Uint8Array(30);
  b[0] = r.length;
  b[1] = (r.onLink ? 0x80 : 0) | (r.autonomous ? 0x40 : 0);
  put32(b, 2, r.valid);
  put32(b, 6, r.preferred);
  b.set(r.prefix, 14);
  return { type: OPTION.prefix, bytes: b };
}

/** RFC 4861 §4.6.4. */
export function mtuOption(mtu: number): NdOption {
  const b = new Uint8Array(6);
  put32(b, 2, mtu);
  return { type: OPTION.mtu, bytes: b };
}

/** RFC 8106 §5.1. */
export function rdnssOption(lifetime: number, servers: readonly Uint8Array[]): NdOption {
  const b = new Uint8Array(6 + 16 * servers.length);
  put32(b, 2, lifetime);
  servers.forEach((s, i) => {
    b.set(s, 6 + 16 * i);
  });
  return { type: OPTION.rdnss, bytes: b };
}

/** RFC 8106 §5.2: names without a final dot, in ASCII. */
export function dnsslOption(lifetime: number, names: readonly string[]): NdOption {
  const wire: number[] = [0, 0, lifetime >>> 24, lifetime >>> 16, lifetime >>> 8, lifetime];
  for (const name of names) {
    for (const label of name.split('.')) {
      wire.push(label.length);
      for (let i = 0; i < label.length; i++) wire.push(label.charCodeAt(i));
    }
    wire.push(0);
  }
  while (wire.length % 8 !== 6) wire.push(0);
  return { type: OPTION.dnssl, bytes: Uint8Array.from(wire) };
}

/** RFC 3971 §5.3.2, RFC 7527 §4.1: six octets fill an option. */
export const nonceOption = (nonce: Uint8Array): NdOption => ({ type: OPTION.nonce, bytes: nonce.slice() });

/** What a router advertisement says; undefined where it is too short. RFC 4861 §4.2. */
export function readAdvertisement(m: Icmpv6Message): RouterAdvertisement | undefined {
  const b = m.body;
  if (m.type !== TYPE.routerAdvertisement || b.length < 12) return undefined;
  return {
    hopLimit: b[0],
    managed: (b[1] & 0x80) !== 0,
    other: (b[1] & 0x40) !== 0,
    preference: (b[1] >> 3) & 3,
    lifetime: u16(b, 2),
    reachable: u32(b, 4),
    retransmit: u32(b, 8),
  };
}

/** The prefixes of a router advertisement. RFC 4861 §4.6.2. */
export function readPrefixes(m: Icmpv6Message): PrefixInformation[] {
  const found = m.options.filter((o) => o.type === OPTION.prefix && o.bytes.length === 30);
  return found.map(({ bytes: b }) => ({
    prefix: b.slice(14),
    length: b[0],
    onLink: (b[1] & 0x80) !== 0,
    autonomous: (b[1] & 0x40) !== 0,
    valid: u32(b, 2),
    preferred: u32(b, 6),
  }));
}

/** The MTU that a router advertises. RFC 4861 §4.6.4. */
export function readMtu(m: Icmpv6Message): number | undefined {
  const b = m.options.find((o) => o.type === OPTION.mtu)?.bytes;
  return b?.length === 6 ? u32(b, 2) : undefined;
}

/** DNS servers with the lifetime of each option, seconds. RFC 8106 §5.1. */
export function readRdnss(m: Icmpv6Message): { lifetime: number; servers: Uint8Array[] }[] {
  const found = m.options.filter((o) => o.type === OPTION.rdnss && o.bytes.length >= 22);
  return found.map(({ bytes: b }) => {
    const servers: Uint8Array[] = [];
    for (let i = 6; i + 16 <= b.length; i += 16) servers.push(b.slice(i, i + 16));
    return { lifetime: u32(b, 2), servers };
  });
}

/** Target of a neighbor solicitation or advertisement; undefined where it is too short. RFC 4861 §4.3, §4.4. */
export const readTarget = (m: Icmpv6Message): Uint8Array | undefined =>
  m.body.length >= 20 ? m.body.slice(4, 20) : undefined;
