import { hex, ip4, ip6 } from './text.js';

const DOT = 46;
const ZERO = 48;

/** Four octets of a dotted quad; undefined if it is none. */
function parseQuad(s: string): number[] | undefined {
  const out: number[] = [];
  for (let i = 0, digits = 0, n = 0; ; i++) {
    const d = i < s.length ? s.charCodeAt(i) - ZERO : DOT - ZERO;
    if (d >= 0 && d <= 9 && digits < 3) {
      n = 10 * n + d;
      digits++;
    } else if (d === DOT - ZERO && digits > 0 && n <= 255) {
      out.push(n);
      if (i >= s.length) return out.length === 4 ? out : undefined;
      n = digits = 0;
    } else return undefined;
  }
}

/** Octets of the 16-bit groups of part of an IPv6 address, which may end with a dotted quad. */
function groups(s: string): number[] | undefined {
  if (s === '') return [];
  const out: number[] = [];
  const parts = s.split(':');
  for (let i = 0; i < parts.length; i++) {
    const p = parts[i];
    if (i === parts.length - 1 && p.includes('.')) {
      const quad = parseQuad(p);
      if (quad === undefined) return undefined;
      out.push(...quad);
    } else if (!/^[0-9a-f]{1,4}$/i.test(p)) return undefined;
    else out.push(Number.parseInt(p, 16) >> 8, Number.parseInt(p, 16) & 0xff);
  }
  return out;
}

/** An address as people write it: IPv4, IPv6 (RFC 5952), and in hexadecimal what has another length. */
export const addressText = (octets: Uint8Array): string =>
  octets.length === 4 ? ip4(octets, 0) : octets.length === 16 ? ip6(octets, 0) : hex(octets, 0, octets.length);

/** Octets of an IPv4 or IPv6 address (RFC 4291 §2.2) written as text; undefined if it is neither. */
export function parseAddress(s: string): Uint8Array | undefined {
  if (s.length > 45) return undefined;
  if (!s.includes(':')) {
    const quad = parseQuad(s);
    return quad && Uint8Array.from(quad);
  }
  const halves = s.split('::');
  if (halves.length > 2) return undefined;
  const head = groups(halves[0]);
  const tail = groups(halves[1] ?? '');
  if (head === undefined || tail === undefined) return undefined;
  const gap = 16 - head.length - tail.length;
  if (halves.length === 1 ? gap !== 0 : gap < 2) return undefined; // `::` is one group at least
  return Uint8Array.from([...head, ...new Array<number>(gap).fill(0), ...tail]);
}

/** The eight groups of an IPv6 address written as text; undefined for anything else. */
export function ip6Groups(s: string): number[] | undefined {
  const octets = s.includes(':') ? parseAddress(s) : undefined;
  return octets && Array.from({ length: 8 }, (_, i) => (octets[2 * i] << 8) | octets[2 * i + 1]);
}

/** A host, a name or an address in text, with its port: an IPv6 address stands in brackets. RFC 3986 §3.2.2 */
export const hostAndPortText = (host: string, port: number | string): string =>
  `${host.includes(':') ? `[${host}]` : host}:${port}`;
