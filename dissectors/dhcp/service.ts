/** Options that say where services and networks are: routes, search lists, SIP servers, places, leases. */
import { type Field, ip4, Short, type Tree, u16, u32 } from 'fttscope/kit';
import { readName } from '../dns/names.js';
import { E } from './experts.js';
import { F } from './fields.js';
import { putAscii } from './text.js';

/** A value that {@link joined} may have put together; `at` and `len` are where the tree shows it. */
export interface Value {
  readonly b: Uint8Array;
  readonly off: number;
  readonly end: number;
  /** True where several options of one code made it up: nodes then have no octets of their own. */
  readonly joined: boolean;
  readonly at: number;
}

const nodeOff = (v: Value, off: number): number => (v.joined ? v.at : off);
const nodeLen = (v: Value, len: number): number => (v.joined ? 0 : len);

/** Options 21 and 33: pairs of addresses. RFC 2132 §4.3, §5.8 */
export function pairs(t: Tree, off: number, end: number, first: Field, second: Field): void {
  if ((end - off) % 8 !== 0) {
    t.expert(E.badLength, "Option length isn't a multiple of 8");
    return;
  }
  for (let i = off; i < end; i += 8) {
    t.bytes(first, i, 4);
    t.push();
    t.bytes(second, i + 4, 4);
    t.pop();
  }
}

/** Lists of addresses after a first octet, or alone. */
export function addresses(t: Tree, f: Field, off: number, end: number): void {
  let i = off;
  for (; i + 4 <= end; i += 4) t.bytes(f, i, 4);
  if (i < end) t.expert(E.badLength, "Option length isn't a multiple of 4");
}

/** Option 25, RFC 2132 §4.7. */
export function plateaus(t: Tree, b: Uint8Array, off: number, end: number): boolean {
  if ((end - off) % 2 !== 0) return false;
  for (let i = off; i < end; i += 2) t.num(F.plateau, i, 2, u16(b, i));
  return true;
}

/** Names from `first`, which pointers count from, to the end of the option. The last may lack its final zero. */
function names(t: Tree, f: Field, v: Value, first: number): void {
  const list = new Uint8Array(v.end - first + 1);
  list.set(v.b.subarray(first, v.end));
  for (let at = 0; at < list.length - 1; ) {
    const off = nodeOff(v, first + at);
    const name = readName(list, at, list.length, 0);
    const end = Math.min(name.end, list.length - 1);
    t.text(f, off, nodeLen(v, end - at), name.text);
    if (name.end > end) t.expert(E.badLength, 'Name without its final zero');
    at = end;
  }
}

/** Option 119, RFC 3397: names with compression inside the option. */
export const searchList = (t: Tree, v: Value): void => names(t, F.searchName, v, v.off);

/** Option 120, RFC 3361 §3: names or addresses of SIP servers (for an IMS UE: the P-CSCF). */
export function sipServers(t: Tree, v: Value): void {
  const n = v.end - v.off;
  if (n === 0) return;
  const encoding = v.b[v.off];
  t.num(F.sipEncoding, nodeOff(v, v.off), nodeLen(v, 1), encoding);
  if (encoding === 0) {
    if (n < 3) t.expert(E.badLength, `length isn't >= 3 (len = ${n})`);
    else names(t, F.sipName, v, v.off + 1); // without compression (RFC 3361 §3.1), but a pointer is followed
  } else if (encoding === 1) {
    if (n < 5) t.expert(E.badLength, `length isn't >= 5 (len = ${n})`);
    else if (n % 4 !== 1) t.expert(E.badLength, sipLengthText(n, v.joined));
    else {
      for (let i = v.off + 1; i < v.end; i += 4) {
        if (v.joined) t.bytes(F.sipAddress, v.at, 0, v.b.slice(i, i + 4));
        else t.bytes(F.sipAddress, i, 4);
      }
    }
  } else t.expert(E.badSipEncoding, `RFC 3361 defines only 0 and 1 for Encoding byte (Encoding = ${encoding}).`);
}

const sipLengthText = (n: number, joined: boolean): string =>
  `length isn't a multiple of 4 plus 1 (len = ${n}).${
    joined
      ? ' For your information with RFC 3396, the length is the length sum of all options 120 into this BOOTP packet.'
      : ''
  }`;

/** Options 121 and 249: routes as mask width, as many octets of the destination as count, and router. RFC 3442 */
export function classlessRoutes(t: Tree, b: Uint8Array, off: number, end: number): void {
  if (end - off < 5) {
    t.expert(E.badLength, "length isn't >= 5");
    return;
  }
  for (let at = off; at < end; ) {
    const width = b[at];
    if (width > 32) {
      t.expert(E.badMaskWidth, `Mask width (${width}) > 32`);
      return;
    }
    const significant = (width + 7) >> 3;
    const n = 1 + significant + 4;
    if (at + n > end) throw new Short(n, end - at, at, false);
    t.bytes(F.classlessRoute, at, n);
    if (t.labels) t.label(` ${routeText(b, at + 1, width, significant)}-${ip4(b, at + 1 + significant)}`);
    at += n;
  }
}

/** Routes of several options 121 that are one value (RFC 3396). */
export function joinedRoutes(t: Tree, v: Value): void {
  if (!v.joined) {
    classlessRoutes(t, v.b, v.off, v.end);
    return;
  }
  for (let at = v.off; at < v.end; ) {
    const significant = (v.b[at] + 7) >> 3;
    const n = 5 + significant;
    if (v.b[at] > 32) {
      t.expert(E.badMaskWidth, `Mask width (${v.b[at]}) > 32`);
      return;
    }
    if (at + n > v.end) throw new Short(n, v.end - at, v.at, false);
    t.bytes(F.classlessRoute, v.at, 0, v.b.slice(at, at + n));
    at += n;
  }
}

function routeText(b: Uint8Array, off: number, width: number, significant: number): string {
  if (width === 0) return 'default';
  const net = new Uint8Array(4);
  net.set(b.subarray(off, off + significant));
  return `${ip4(net, 0)}/${width}`;
}

/** Option 99, RFC 4776 §3.1. */
export function civicLocation(t: Tree, b: Uint8Array, off: number, end: number): void {
  if (end - off < 3) return;
  t.num(F.civicWhat, off, 1, b[off]);
  putAscii(t, F.civicCountry, b, off + 1, off + 3);
  for (let at = off + 3; at + 2 <= end; ) {
    const n = b[at + 1];
    t.num(F.civicType, at, 1, b[at]);
    t.num(F.civicLength, at + 1, 1, n);
    if (at + 2 + n > end) {
      t.expert(E.badCivicType);
      return;
    }
    if (n > 0) putAscii(t, F.civicValue, b, at + 2, at + 2 + n);
    at += 2 + n;
  }
}

/** Option 146, RFC 6731 §4.3. */
export function rdnssSelection(t: Tree, b: Uint8Array, off: number, end: number): void {
  if (end - off < 10) {
    t.expert(E.badLength, 'length must be >= 10');
    return;
  }
  t.bits(F.rdnssReserved, off, 1, b[off]);
  t.bits(F.rdnssPreference, off, 1, b[off]);
  t.bytes(F.rdnssPrimary, off + 1, 4);
  t.bytes(F.rdnssSecondary, off + 5, 4);
  names(t, F.rdnssDomain, { b, off, end, joined: false, at: off }, off + 9);
}

/** Option 151, RFC 6926 §6.2.2. */
export function leaseStatus(t: Tree, b: Uint8Array, off: number, end: number): void {
  if (off === end) {
    t.expert(E.badLength, 'length must >= 1');
    return;
  }
  t.num(F.leaseStatus, off, 1, b[off]);
  if (end > off + 1) putAscii(t, F.leaseStatusMessage, b, off + 1, end);
}

/** Options 152, 154 and 155: seconds since the epoch. RFC 6926 §6.2 */
export function leaseTime(t: Tree, f: Field, b: Uint8Array, off: number, end: number): void {
  if (end - off !== 4) t.expert(E.badLength, 'length must be 4');
  else t.time(f, off, 4, u32(b, off));
}

/** Option 158, RFC 7291 §4: lists of addresses, each with its length. */
export function pcpServers(t: Tree, b: Uint8Array, off: number, end: number): void {
  if (end - off < 5) {
    t.expert(E.badLength, 'length must >= 5');
    return;
  }
  for (let at = off; at < end; ) {
    const n = b[at];
    t.num(F.pcpLength, at, 1, n);
    if (at + 1 + n > end || n % 4 !== 0) {
      t.expert(E.badLength, "list length isn't a multiple of 4 within the option");
      return;
    }
    for (let i = at + 1; i < at + 1 + n; i += 4) t.bytes(F.pcpServer, i, 4);
    at += 1 + n;
  }
}

/** Option 159, RFC 7618 §9. */
export function portParameters(t: Tree, b: Uint8Array, off: number, end: number): void {
  if (end - off !== 4) {
    t.expert(E.badLength, 'length must be 4');
    return;
  }
  t.num(F.psidOffset, off, 1, b[off]);
  t.num(F.psidLength, off + 1, 1, b[off + 1]);
  t.bytes(F.psid, off + 2, 2);
}

/** Option 212, RFC 5969 §7.1.1. */
export function sixRd(t: Tree, b: Uint8Array, off: number, end: number): void {
  const n = end - off;
  if (n < 22 || (n - 22) % 4 !== 0) {
    t.expert(E.bad6rd);
    return;
  }
  t.num(F.rd6MaskLength, off, 1, b[off]);
  t.num(F.rd6PrefixLength, off + 1, 1, b[off + 1]);
  t.bytes(F.rd6Prefix, off + 2, 16);
  for (let i = off + 18; i < end; i += 4) t.bytes(F.rd6Relay, i, 4);
}
