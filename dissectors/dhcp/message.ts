/** DHCPv4 messages as data: the codec, and functions that build and read options. */
import { type Codec, concat, put16, put32, Short, u16, u32, utf8Text } from 'fttscope/kit';
import { expandName, nameOctets, nameText } from '../dns/names.js';
import { END, MESSAGE_TYPE, OVERLOAD, PAD } from './options.js';
import { COOKIE, FILE, FIXED, SNAME } from './walk.js';

/** One option as it stands in the message; a pad is `{ code: 0 }` without octets. */
export interface DhcpOption {
  code: number;
  bytes: Uint8Array;
}

/** A whole message. Addresses are four octets each; chaddr, sname and file have their full width. */
export interface DhcpMessage {
  op: number;
  htype: number;
  hlen: number;
  hops: number;
  xid: number;
  secs: number;
  flags: number;
  ciaddr: Uint8Array;
  yiaddr: Uint8Array;
  siaddr: Uint8Array;
  giaddr: Uint8Array;
  chaddr: Uint8Array;
  sname: Uint8Array;
  file: Uint8Array;
  /** False: BOOTP, and everything after `file` is `rest`. */
  cookie: boolean;
  options: DhcpOption[];
  /** Whether an End option follows the options. */
  end: boolean;
  /** Octets after End (padding), or those of an option that runs past the message. */
  rest: Uint8Array;
}

const NOTHING = new Uint8Array(0);
/** Types of messages that code asks for by name. RFC 2132 §9.6 */
export const DhcpType = {
  Discover: 1,
  Offer: 2,
  Request: 3,
  Decline: 4,
  Ack: 5,
  Nak: 6,
  Release: 7,
  Inform: 8,
} as const;
/** RFC 2131 §2: the B bit of flags. */
export const BROADCAST_FLAG = 0x8000;
/** RFC 3456 §4.1: hardware type of a tunnel-mode interface. */
const HTYPE_IPSEC_TUNNEL = 31;

/** @throws Short below 236 octets */
function parse(b: Uint8Array, off: number, end: number): DhcpMessage {
  if (end - off < FIXED) throw new Short(FIXED, Math.max(0, end - off), off, false);
  const own = b.slice(off, end); // one copy, of which all parts are views
  const part = (from: number, to: number): Uint8Array => own.subarray(from - off, to - off);
  const cookie = end - off >= FIXED + 4 && u32(b, off + FIXED) === COOKIE;
  const options: DhcpOption[] = [];
  let at = off + FIXED + (cookie ? 4 : 0);
  while (cookie && at < end && b[at] !== END) {
    if (b[at] === PAD) {
      options.push({ code: PAD, bytes: NOTHING });
      at++;
      continue;
    }
    if (at + 2 > end || at + 2 + b[at + 1] > end) break;
    options.push({ code: b[at], bytes: part(at + 2, at + 2 + b[at + 1]) });
    at += 2 + b[at + 1];
  }
  const ended = cookie && at < end && b[at] === END;
  return {
    op: b[off],
    htype: b[off + 1],
    hlen: b[off + 2],
    hops: b[off + 3],
    xid: u32(b, off + 4),
    secs: u16(b, off + 8),
    flags: u16(b, off + 10),
    ciaddr: part(off + 12, off + 16),
    yiaddr: part(off + 16, off + 20),
    siaddr: part(off + 20, off + 24),
    giaddr: part(off + 24, off + 28),
    chaddr: part(off + 28, off + 44),
    sname: part(off + SNAME.off, off + SNAME.off + SNAME.len),
    file: part(off + FILE.off, off + FILE.off + FILE.len),
    cookie,
    options,
    end: ended,
    rest: part(ended ? at + 1 : at, end),
  };
}

function size(r: DhcpMessage): number {
  let n = FIXED + (r.cookie ? 4 : 0) + (r.end ? 1 : 0) + r.rest.length;
  for (const o of r.options) n += o.code === PAD ? 1 : 2 + o.bytes.length;
  return n;
}

/** @throws RangeError for an option of more than 255 octets: see {@link splitOption} */
function emit(r: DhcpMessage, b: Uint8Array, off: number): number {
  b.set([r.op, r.htype, r.hlen, r.hops], off);
  put32(b, off + 4, r.xid);
  put16(b, off + 8, r.secs);
  put16(b, off + 10, r.flags);
  b.set(r.ciaddr, off + 12);
  b.set(r.yiaddr, off + 16);
  b.set(r.siaddr, off + 20);
  b.set(r.giaddr, off + 24);
  b.set(r.chaddr, off + 28);
  b.set(r.sname, off + SNAME.off);
  b.set(r.file, off + FILE.off);
  let at = off + FIXED;
  if (r.cookie) {
    put32(b, at, COOKIE);
    at += 4;
  }
  for (const o of r.options) {
    b[at++] = o.code;
    if (o.code === PAD) continue;
    if (o.bytes.length > 255) throw new RangeError(`Option ${o.code} of ${o.bytes.length} octets: 255 at most`);
    b[at++] = o.bytes.length;
    b.set(o.bytes, at);
    at += o.bytes.length;
  }
  if (r.end) b[at++] = END;
  b.set(r.rest, at);
  return at + r.rest.length - off;
}

/** A message with its options in order; `sname` and `file` stay octets, whatever they hold. RFC 2131 §2 */
export const codec: Codec<DhcpMessage> = { parse, size, emit };

/** What a message is made of; what is left out is zero. */
export type DhcpParts = Partial<DhcpMessage> & Pick<DhcpMessage, 'op' | 'xid'>;

/** A message with cookie and End and zeros in all that `parts` leaves out; short fields are filled up with zeros. */
export function dhcpMessage(parts: DhcpParts): DhcpMessage {
  return {
    htype: HTYPE_IPSEC_TUNNEL,
    hlen: 0,
    hops: 0,
    secs: 0,
    flags: 0,
    cookie: true,
    options: [],
    end: true,
    rest: NOTHING,
    ...parts,
    ciaddr: filled(parts.ciaddr, 4),
    yiaddr: filled(parts.yiaddr, 4),
    siaddr: filled(parts.siaddr, 4),
    giaddr: filled(parts.giaddr, 4),
    chaddr: filled(parts.chaddr, 16),
    sname: filled(parts.sname, SNAME.len),
    file: filled(parts.file, FILE.len),
  };
}

function filled(octets: Uint8Array | undefined, n: number): Uint8Array {
  const out = new Uint8Array(n);
  if (octets !== undefined) out.set(octets.subarray(0, n));
  return out;
}

/** Hardware fields of a message. */
export type Hardware = Pick<DhcpMessage, 'htype' | 'hlen' | 'chaddr'>;

/**
 * The hardware fields of a host without a LAN interface: 40 00, the IPv4 address of the interface that gives
 * connectivity, and an octet that keeps several tunnels apart. RFC 3456 §4.1
 * @param address four octets
 */
export function tunnelHardware(address: Uint8Array, instance = 0): Hardware {
  const chaddr = new Uint8Array(16);
  chaddr[0] = 0x40;
  chaddr.set(address.subarray(0, 4), 2);
  chaddr[6] = instance;
  return { htype: HTYPE_IPSEC_TUNNEL, hlen: 7, chaddr };
}

/** The hardware fields of a host with a LAN interface: its address under hardware type 31. RFC 3456 §4.1 */
export const lanHardware = (mac: Uint8Array): Hardware => ({
  htype: HTYPE_IPSEC_TUNNEL,
  hlen: mac.length,
  chaddr: filled(mac, 16),
});

/** Option 61 from the hardware fields: type and address. RFC 2132 §9.14 */
export const clientIdOption = (h: Hardware): DhcpOption => ({
  code: 61,
  bytes: concat([Uint8Array.of(h.htype), h.chaddr.subarray(0, h.hlen)]),
});

/** Option 53. RFC 2132 §9.6 */
export const messageTypeOption = (type: number): DhcpOption => ({ code: MESSAGE_TYPE, bytes: Uint8Array.of(type) });

/** An option of addresses, four octets each. */
export const addressOption = (code: number, ...addresses: readonly Uint8Array[]): DhcpOption => ({
  code,
  bytes: concat(addresses),
});

/** An option of 32 bits, such as the times 51, 58 and 59 in seconds. */
export function numberOption(code: number, value: number): DhcpOption {
  const bytes = new Uint8Array(4);
  put32(bytes, 0, value);
  return { code, bytes };
}

/** An option of 16 bits, such as 26 (MTU) and 57 (largest message). */
export function shortOption(code: number, value: number): DhcpOption {
  const bytes = new Uint8Array(2);
  put16(bytes, 0, value);
  return { code, bytes };
}

/** An option of text, such as 12, 15, 56 and 60. */
export const textOption = (code: number, text: string): DhcpOption => ({ code, bytes: new TextEncoder().encode(text) });

/** An option of octets that are numbers, such as the parameter request list 55. */
export const octetsOption = (code: number, values: readonly number[]): DhcpOption => ({
  code,
  bytes: Uint8Array.from(values),
});

/** Option 120: SIP servers as names, or as addresses of four octets each. RFC 3361 §3 */
export function sipServersOption(servers: readonly string[] | readonly Uint8Array[]): DhcpOption {
  const names = servers.every((s) => typeof s === 'string');
  const parts = servers.map((s) => (typeof s === 'string' ? nameOctets(s) : s));
  return { code: 120, bytes: concat([Uint8Array.of(names ? 0 : 1), ...parts]) };
}

/** Option 119: domains to search, without compression. RFC 3397 §2 */
export const searchListOption = (domains: readonly string[]): DhcpOption => ({
  code: 119,
  bytes: concat(domains.map(nameOctets)),
});

/** Pieces of at most 255 octets of a long option. RFC 3396 §6 */
export function splitOption(option: DhcpOption): DhcpOption[] {
  const pieces: DhcpOption[] = [];
  for (let at = 0; at === 0 || at < option.bytes.length; at += 255)
    pieces.push({ code: option.code, bytes: option.bytes.slice(at, at + 255) });
  return pieces;
}

/**
 * The value of an option, its pieces joined in the order options, file, sname (RFC 3396 §7), or undefined without it.
 */
export function optionValue(m: DhcpMessage, code: number): Uint8Array | undefined {
  const found: DhcpOption[] = [];
  let said: number | undefined;
  for (const o of m.options) {
    if (o.code === code) found.push(o);
    if (o.code === OVERLOAD && o.bytes.length === 1) said ??= o.bytes[0];
  }
  const overload = said ?? 0;
  if (code !== OVERLOAD && overload <= 3) {
    if ((overload & 1) !== 0) found.push(...fieldOptions(m.file, code));
    if ((overload & 2) !== 0) found.push(...fieldOptions(m.sname, code));
  }
  return found.length <= 1 ? found[0]?.bytes : concat(found.map((o) => o.bytes));
}

function fieldOptions(b: Uint8Array, code: number): DhcpOption[] {
  const found: DhcpOption[] = [];
  for (let at = 0; at < b.length && b[at] !== END; ) {
    if (b[at] === PAD) at++;
    else {
      if (at + 2 > b.length || at + 2 + b[at + 1] > b.length) break;
      if (b[at] === code) found.push({ code, bytes: b.slice(at + 2, at + 2 + b[at + 1]) });
      at += 2 + b[at + 1];
    }
  }
  return found;
}

/** Value of option 53, 0 without it. */
export function messageType(m: DhcpMessage): number {
  const value = optionValue(m, MESSAGE_TYPE);
  return value !== undefined && value.length > 0 ? value[0] : 0;
}

/** The addresses of an option, four octets each; none without it. */
export function optionAddresses(m: DhcpMessage, code: number): Uint8Array[] {
  const value = optionValue(m, code) ?? NOTHING;
  const out: Uint8Array[] = [];
  for (let i = 0; i + 4 <= value.length; i += 4) out.push(value.slice(i, i + 4));
  return out;
}

/** The 32 bits of an option, or undefined where it is not there or not four octets long. */
export function optionNumber(m: DhcpMessage, code: number): number | undefined {
  const value = optionValue(m, code);
  return value?.length === 4 ? u32(value, 0) : undefined;
}

/** The text of an option, or undefined without it. */
export function optionText(m: DhcpMessage, code: number): string | undefined {
  const value = optionValue(m, code);
  return value === undefined ? undefined : utf8Text(value, 0, value.length);
}

/** SIP servers of option 120: names as text, addresses as four octets. @throws Short, Malformed */
export function sipServers(m: DhcpMessage): (string | Uint8Array)[] {
  const value = optionValue(m, 120);
  const out: (string | Uint8Array)[] = [];
  if (value === undefined || value.length < 2) return out;
  if (value[0] === 1) for (let i = 1; i + 4 <= value.length; i += 4) out.push(value.slice(i, i + 4));
  for (let at = 1; value[0] === 0 && at < value.length; ) {
    const name = expandName(value, at, value.length, 1);
    out.push(nameText(name.wire));
    at = name.end;
  }
  return out;
}

/** The domains of option 119. @throws Short, Malformed */
export function searchList(m: DhcpMessage): string[] {
  const value = optionValue(m, 119) ?? NOTHING;
  const out: string[] = [];
  for (let at = 0; at < value.length; ) {
    const name = expandName(value, at, value.length, 0); // RFC 3397 §2: pointers count from the start of the option
    out.push(nameText(name.wire));
    at = name.end;
  }
  return out;
}
