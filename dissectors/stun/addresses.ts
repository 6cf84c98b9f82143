import { ip4, ip6, type Tree, u8, u16 } from 'fttscope/kit';
import { F } from './fields.js';

/*
 * Addresses in attributes, RFC 8489 §14.1 and §14.2:
 *
 *     0               1               2               3
 *     +---------------+---------------+-------------------------------+
 *     |       0       |    Family     |             Port              |
 *     +---------------+---------------+-------------------------------+
 *     |  Address, 4 or 16 octets …
 */

/** The magic cookie of RFC 8489 §5, in network order. */
export const COOKIE = 0x2112a442;
const V4 = 1;
const V6 = 2;

/** The octets that addresses are XORed with: the cookie and the transaction identifier of the message at `o`. */
const key = (b: Uint8Array, o: number, i: number): number => b[o + 4 + i];

/** Port at `at`, unmasked where the attribute is XORed. */
const portAt = (b: Uint8Array, at: number, xor: boolean): number => (xor ? u16(b, at) ^ (COOKIE >>> 16) : u16(b, at));

/** Address of `n` octets at `at`, unmasked with the key of the message at `message`. */
function unmasked(b: Uint8Array, at: number, n: number, message: number): Uint8Array {
  const out = new Uint8Array(n);
  for (let i = 0; i < n; i++) out[i] = b[at + i] ^ key(b, message, i);
  return out;
}

/** "192.0.2.1:3478", or '' where the attribute `[at, end)` is no whole address. */
export function addressText(b: Uint8Array, at: number, end: number, xor: boolean, message: number): string {
  const n = end - at < 8 ? 0 : u8(b, at + 1) === V4 ? 4 : u8(b, at + 1) === V6 ? 16 : 0;
  if (n === 0 || end - at < 4 + n) return '';
  const address = xor ? unmasked(b, at + 4, n, message) : b.subarray(at + 4, at + 4 + n);
  return `${n === 4 ? ip4(address, 0) : ip6(address, 0)}:${portAt(b, at + 2, xor)}`;
}

/** Shows the address in `[at, end)`, as far as it is there. `message`: where the message starts. */
export function address(t: Tree, b: Uint8Array, at: number, end: number, xor: boolean, message: number): void {
  const n = end - at;
  if (n < 1) return;
  t.bytes(F.reserved, at, 1);
  if (n < 2) return;
  const family = u8(b, at + 1);
  t.num(F.family, at + 1, 1, family);
  if (n < 4) return;
  if (xor) t.bytes(F.xorPort, at + 2, 2);
  t.num(F.port, at + 2, 2, portAt(b, at + 2, xor));
  const size = family === V4 ? 4 : family === V6 ? 16 : 0;
  if (size === 0 || n < 4 + size) return;
  const field = size === 4 ? F.ipv4 : F.ipv6;
  if (!xor) t.bytes(field, at + 4, size);
  else {
    t.bytes(size === 4 ? F.xor4 : F.xor6, at + 4, size);
    if (t.wanted(field)) t.bytes(field, at + 4, size, unmasked(b, at + 4, size, message));
  }
}
