/** DHCPv6 messages as data: the codec, and functions that build and read options. */
import { type Codec, concat, put16, put24, put32, Short, u16, u24, u32 } from 'fttscope/kit';
import { expandName, nameOctets, nameText } from '../dns/names.js';

/** Types of messages that code asks for by name. RFC 9915 §7.3 */
export const Dhcpv6Type = {
  Advertise: 2,
  Reply: 7,
  Release: 8,
  Decline: 9,
  Reconfigure: 10,
  InformationRequest: 11,
} as const;
/** RFC 9915 §9: messages between relay agents and servers. */
const RELAY_FORW = 12;
const RELAY_REPL = 13;
/** Whether messages of this type hold another one. RFC 9915 §9 */
export const isRelay = (type: number): boolean => type === RELAY_FORW || type === RELAY_REPL;

/** Octets before the options: type and transaction id; in relays, hop count and two addresses. RFC 9915 §8, §9 */
export const CLIENT_HEADER = 4;
export const RELAY_HEADER = 34;

/** One option; options inside it stay in its octets: {@link parseOptions} reads them. */
export interface Dhcpv6Option {
  code: number;
  bytes: Uint8Array;
}

/** What both kinds of message end with. */
interface Tail {
  options: Dhcpv6Option[];
  /** Octets that are no whole option. */
  rest: Uint8Array;
}

/** A message between client and server, RFC 9915 §8. */
export interface ClientMessage extends Tail {
  type: number;
  xid: number;
}

/** A message between relay agent and server, RFC 9915 §9; the message that it carries is option 9. */
export interface RelayMessage extends Tail {
  type: typeof RELAY_FORW | typeof RELAY_REPL;
  hops: number;
  link: Uint8Array;
  peer: Uint8Array;
}

/** Either form of a message, RFC 9915 §8 and §9. */
export type Dhcpv6Message = ClientMessage | RelayMessage;

/** Reads options as long as there are whole ones. */
function parseOptions(b: Uint8Array, off = 0, end: number = b.length): Tail {
  const options: Dhcpv6Option[] = [];
  let at = off;
  while (at + 4 <= end && at + 4 + u16(b, at + 2) <= end) {
    const n = u16(b, at + 2);
    options.push({ code: u16(b, at), bytes: b.slice(at + 4, at + 4 + n) });
    at += 4 + n;
  }
  return { options, rest: b.slice(at, end) };
}

/** Options as octets, for an option that holds others. */
function emitOptions(options: readonly Dhcpv6Option[]): Uint8Array {
  const out = new Uint8Array(options.reduce((n, o) => n + 4 + o.bytes.length, 0));
  let at = 0;
  for (const o of options) {
    put16(out, at, o.code);
    put16(out, at + 2, o.bytes.length);
    out.set(o.bytes, at + 4);
    at += 4 + o.bytes.length;
  }
  return out;
}

/** @throws Short where the fixed header is not all there */
function parse(b: Uint8Array, off: number, end: number): Dhcpv6Message {
  const type = off < end ? b[off] : 0;
  const header = isRelay(type) ? RELAY_HEADER : CLIENT_HEADER;
  if (end - off < header) throw new Short(header, Math.max(0, end - off), off, false);
  const tail = parseOptions(b, off + header, end);
  if (type !== RELAY_FORW && type !== RELAY_REPL) return { type, xid: u24(b, off + 1), ...tail };
  return { type, hops: b[off + 1], link: b.slice(off + 2, off + 18), peer: b.slice(off + 18, off + 34), ...tail };
}

function size(r: Dhcpv6Message): number {
  let n = (isRelay(r.type) ? RELAY_HEADER : CLIENT_HEADER) + r.rest.length;
  for (const o of r.options) n += 4 + o.bytes.length;
  return n;
}

function emit(r: Dhcpv6Message, b: Uint8Array, off: number): number {
  b[off] = r.type;
  let at = off + CLIENT_HEADER;
  if ('hops' in r) {
    b[off + 1] = r.hops;
    b.set(r.link, off + 2);
    b.set(r.peer, off + 18);
    at = off + RELAY_HEADER;
  } else put24(b, off + 1, r.xid);
  const octets = emitOptions(r.options);
  b.set(octets, at);
  b.set(r.rest, at + octets.length);
  return at + octets.length + r.rest.length - off;
}

/** A message with its options in order, as octets; a relayed message is one of them. */
export const codec: Codec<Dhcpv6Message> = { parse, size, emit };

/** A message between client and server. */
export const dhcpv6Message = (type: number, xid: number, options: Dhcpv6Option[] = []): ClientMessage => ({
  type,
  xid,
  options,
  rest: new Uint8Array(0),
});

/** A DUID of a UUID, for a host without a link-layer address. RFC 9915 §11.5 */
export const uuidDuid = (uuid: Uint8Array): Uint8Array => concat([Uint8Array.of(0, 4), uuid.subarray(0, 16)]);

/** Option 6: codes of the options that the client asks for. RFC 9915 §21.7 */
export function requestOption(codes: readonly number[]): Dhcpv6Option {
  const bytes = new Uint8Array(2 * codes.length);
  for (const [i, code] of codes.entries()) put16(bytes, 2 * i, code);
  return { code: 6, bytes };
}

/** Option 8 for `ms` milliseconds since the first message of the exchange. RFC 9915 §21.9 */
export function elapsedOption(ms: number): Dhcpv6Option {
  const bytes = new Uint8Array(2);
  put16(bytes, 0, Math.min(0xffff, Math.max(0, Math.round(ms / 10))));
  return { code: 8, bytes };
}

/** An option of 32 bits, such as 32, 82 and 83 in seconds. */
export function numberOption(code: number, value: number): Dhcpv6Option {
  const bytes = new Uint8Array(4);
  put32(bytes, 0, value);
  return { code, bytes };
}

/** An option of addresses of sixteen octets each: 22 (SIP), 23 (DNS), 31 (SNTP). */
export const addressOption = (code: number, ...addresses: readonly Uint8Array[]): Dhcpv6Option => ({
  code,
  bytes: concat(addresses),
});

/** An option of domain names: 21 (SIP servers), 24 (search list). RFC 9915 §10 */
export const namesOption = (code: number, names: readonly string[]): Dhcpv6Option => ({
  code,
  bytes: concat(names.map(nameOctets)),
});

/** The first option with `code`. */
export const findOption = (m: { options: readonly Dhcpv6Option[] }, code: number): Uint8Array | undefined =>
  m.options.find((o) => o.code === code)?.bytes;

/** The addresses of an option, sixteen octets each; none without it. */
export function optionAddresses(m: { options: readonly Dhcpv6Option[] }, code: number): Uint8Array[] {
  const value = findOption(m, code) ?? new Uint8Array(0);
  const out: Uint8Array[] = [];
  for (let i = 0; i + 16 <= value.length; i += 16) out.push(value.slice(i, i + 16));
  return out;
}

/** The names of an option. @throws Short, Malformed */
export function optionNames(m: { options: readonly Dhcpv6Option[] }, code: number): string[] {
  const value = findOption(m, code) ?? new Uint8Array(0);
  const out: string[] = [];
  for (let at = 0; at < value.length; ) {
    const name = expandName(value, at, value.length, 0);
    out.push(nameText(name.wire));
    at = name.end;
  }
  return out;
}

/** The 32 bits of an option, or undefined where it is not there or not four octets long. */
export function optionNumber(m: { options: readonly Dhcpv6Option[] }, code: number): number | undefined {
  const value = findOption(m, code);
  return value?.length === 4 ? u32(value, 0) : undefined;
}
