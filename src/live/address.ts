import { domainToASCII } from 'node:url';
import { addressText, equalBytes, ip4, ip6, parseAddress, sameBytes } from '../kit/index.js';

/** IP addresses as octets: four for IPv4, sixteen for IPv6. */
export type Address = Uint8Array;

/** @throws RangeError for text that is no address */
export function address(text: string): Address {
  const octets = parseAddress(text);
  if (octets === undefined) throw new RangeError(`not an IP address: ${text}`);
  return octets;
}

export { addressText, parseAddress, sameBytes as same };

/**
 * The same octets as a plain array: a Buffer's `slice` is a view, and what codecs keep would change with the next packet.
 */
export const plain = (b: Uint8Array): Uint8Array =>
  b.constructor === Uint8Array ? b : new Uint8Array(b.buffer, b.byteOffset, b.byteLength);

/** An IPv4 address that a socket of both families shows as one of IPv6, as it is; others unchanged. RFC 4291 §2.5.5.2 */
export const unmapped = (text: string): string => text.replace(/^::ffff:(?=\d+\.)/i, '');

/** An address as it stands in a URI or a Via. */
export const hostText = (a: Address): string => (a.length === 4 ? ip4(a, 0) : `[${ip6(a, 0)}]`);

/** The name of a host as DNS and TLS have it; '' where it is none. RFC 5890 §2.3.2.1, RFC 6066 §3 */
export const asciiName = (name: string): string => (/^\p{ASCII}*$/u.test(name) ? name : domainToASCII(name));

/** Addresses that mean no host, and all hosts of a link. RFC 4291 §2.5.2, RFC 919 §7 */
export const ANY6 = address('::');
export const BROADCAST = address('255.255.255.255');
/** RFC 4291 §2.7.1 */
export const ALL_NODES = address('ff02::1');
export const ALL_ROUTERS = address('ff02::2');
/** RFC 9915 §7.1: All_DHCP_Relay_Agents_and_Servers */
export const ALL_DHCP = address('ff02::1:2');
/** RFC 9777 §5.2.14: where listener reports go. */
export const ALL_MLD_ROUTERS = address('ff02::16');

/** What an address is for, in either family. RFC 4291 §2.4, RFC 1112 §4 */
export const isUnspecified = (a: Address): boolean => a.every((o) => o === 0);
export const isMulticast = (a: Address): boolean => (a.length === 4 ? a[0] >> 4 === 14 : a[0] === 0xff);
/** fe80::/10, RFC 4291 §2.5.6; 169.254/16, RFC 3927. */
export const isLinkLocal = (a: Address): boolean =>
  a.length === 4 ? a[0] === 169 && a[1] === 254 : a[0] === 0xfe && a[1] >> 6 === 2;
/** Multicast that no router forwards: interface and link scope (RFC 4291 §2.7), 224.0.0/24 (RFC 5771 §4). */
export const isLocalMulticast = (a: Address): boolean =>
  a.length === 4 ? a[0] === 224 && a[1] === 0 && a[2] === 0 : a[0] === 0xff && (a[1] & 15) <= 2;

/** Whether the first `length` bits are those of `prefix`. */
export function inPrefix(a: Address, prefix: Address, length: number): boolean {
  if (a.length !== prefix.length) return false;
  const whole = length >> 3;
  if (!equalBytes(a, 0, prefix, 0, whole)) return false;
  const rest = length & 7;
  return rest === 0 || (a[whole] ^ prefix[whole]) >> (8 - rest) === 0;
}

/** Bits that two addresses of a family have in common at the front. */
export function commonBits(a: Address, b: Address): number {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return 8 * i + Math.clz32(a[i] ^ b[i]) - 24;
  return 8 * a.length;
}

/** The last address of the subnet of `a`: IPv4's broadcast address there. RFC 922 §7 */
export function lastAddress(a: Address, prefixLength: number): Address {
  const out = a.slice();
  for (let bit = prefixLength; bit < 8 * a.length; bit++) out[bit >> 3] |= 0x80 >> (bit & 7);
  return out;
}

/** A prefix and an interface identifier of 64 bits. RFC 4291 §2.5.1 */
export function withIdentifier(prefix: Address, identifier: Uint8Array): Address {
  const out = prefix.slice();
  out.set(identifier, 8);
  return out;
}

/** fe80:: and an interface identifier. RFC 4291 §2.5.6 */
export const linkLocal = (identifier: Uint8Array): Address => withIdentifier(address('fe80::'), identifier);

/** ff02::1:ffXX:XXXX. RFC 4291 §2.7.1 */
export function solicitedNode(a: Address): Address {
  const out = address('ff02::1:ff00:0');
  out.set(a.subarray(13), 13);
  return out;
}
