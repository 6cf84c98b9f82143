import {
  badChecksum,
  checksum,
  experts,
  type Field,
  fields,
  nameOf,
  type Tree,
  u8,
  u16,
  u24,
  u32,
  type View,
} from 'fttscope/kit';
import { CHECKSUM_STATUS, SET } from './numbers.js';

/**
 * Multi-part extensions of ICMP and ICMPv6 errors, RFC 4884 §7: a header and objects up to the end of the message.
 *
 *     +-------+-----------------------+-------------------------------+
 *     |Version|      (Reserved)       |           Checksum            |
 *     +-------+-----------------------+---------------+---------------+
 *     |            Length             |   Class-Num   |    C-Type     |   one object, then the next
 *     +-------------------------------+---------------+---------------+
 *     |   object payload (Length - 4)
 */
const HEADER = 4;
/** Before RFC 4884 the version was 1. */
const VERSIONS = [1, 2];
/** Octets that a quoted packet is padded to where the message does not say how long it is. RFC 4884 §5.5. */
const QUOTED = 128;
const MPLS = 1;
const INTERFACE_INFORMATION = 2;
const INTERFACE_IDENTIFICATION = 3;
const CLASSES = {
  [MPLS]: 'MPLS Label Stack Class',
  [INTERFACE_INFORMATION]: 'Interface Information Object',
  [INTERFACE_IDENTIFICATION]: 'Interface Identification Object',
};
const ROLES = {
  0: 'IP interface upon which datagram arrived',
  1: 'sub-IP component of an IP interface upon which datagram arrived',
  2: 'IP interface through which datagram would be forwarded',
  3: 'IP next-hop to which datagram would be forwarded',
};
const FAMILIES = { 0: 'Reserved', 1: 'IPv4', 2: 'IPv6', 16389: '48-bit MAC Address', 16390: '64-bit MAC Address' };
const PRESENT = { 0: 'Not Present', 1: 'Present' };

export const F = fields({
  ext: { name: 'icmp.ext', label: 'ICMP Multi-Part Extensions', type: 'none' },
  object: { name: 'icmp.ext.object', label: 'Object', type: 'none' },
  extVersion: { name: 'icmp.ext.version', label: 'Version', type: 'u8', mask: 0xf0 },
  extReserved: { name: 'icmp.ext.res', label: 'Reserved', type: 'u16', base: 'hex', mask: 0x0fff },
  extChecksum: { name: 'icmp.ext.checksum', label: 'Checksum', type: 'u16', base: 'hex' },
  extStatus: { name: 'icmp.ext.checksum.status', label: 'Checksum Status', type: 'u8', values: CHECKSUM_STATUS },
  objectLength: { name: 'icmp.ext.length', label: 'Length', type: 'u16' },
  class: { name: 'icmp.ext.class', label: 'Class', type: 'u8', values: CLASSES },
  ctype: { name: 'icmp.ext.ctype', label: 'C-Type', type: 'u8' },
  data: { name: 'icmp.ext.data', label: 'Data', type: 'bytes' },
  label: { name: 'icmp.mpls.label', label: 'Label', type: 'u24', mask: 0xfffff0 },
  exp: { name: 'icmp.mpls.exp', label: 'Experimental', type: 'u24', mask: 0x00000e },
  bottom: { name: 'icmp.mpls.s', label: 'Stack bit', type: 'bool', mask: 0x000001, values: SET },
  mplsTtl: { name: 'icmp.mpls.ttl', label: 'Time to live', type: 'u8' },
  role: { name: 'icmp.int_info.role', label: 'Interface Role', type: 'u8', mask: 0xc0, values: ROLES },
  roleReserved: { name: 'icmp.int_info.reserved', label: 'Reserved', type: 'u8', mask: 0x30 },
  hasIndex: { name: 'icmp.int_info.ifindex', label: 'ifIndex', type: 'bool', mask: 0x08, values: PRESENT },
  hasAddress: { name: 'icmp.int_info.ipaddr', label: 'IP Address', type: 'bool', mask: 0x04, values: PRESENT },
  hasName: {
    name: 'icmp.int_info.name_present',
    label: 'Interface Name',
    type: 'bool',
    mask: 0x02,
    values: PRESENT,
  },
  hasMtu: { name: 'icmp.int_info.mtu_present', label: 'MTU', type: 'bool', mask: 0x01, values: PRESENT },
  index: { name: 'icmp.int_info.index', label: 'Interface Index', type: 'u32' },
  afi: { name: 'icmp.int_info.afi', label: 'Address Family Identifier', type: 'u16', values: FAMILIES },
  addressReserved: { name: 'icmp.reserved', label: 'Reserved', type: 'bytes' },
  ipv4: { name: 'icmp.int_info.ipv4', label: 'Source', type: 'ipv4' },
  ipv6: { name: 'icmp.int_info.ipv6', label: 'Source', type: 'ipv6' },
  nameLength: { name: 'icmp.int_info.name_length', label: 'Name Length', type: 'u8' },
  name: { name: 'icmp.int_info.name', label: 'Name', type: 'string' },
  interfaceMtu: { name: 'icmp.int_info.mtu', label: 'Maximum Transmission Unit', type: 'u32' },
  identName: { name: 'icmp.int_ident.name', label: 'Name', type: 'string' },
  identIndex: { name: 'icmp.int_ident.index', label: 'Interface Index', type: 'u32' },
  identAfi: { name: 'icmp.int_ident.afi', label: 'Address Family Identifier', type: 'u16', values: FAMILIES },
  identLength: { name: 'icmp.int_ident.addr_length', label: 'Address Length', type: 'u8' },
  identReserved: { name: 'icmp.int_ident.reserved', label: 'Reserved', type: 'bytes' },
  identIpv4: { name: 'icmp.int_ident.ipv4', label: 'Address', type: 'ipv4' },
  identIpv6: { name: 'icmp.int_ident.ipv6', label: 'Address', type: 'ipv6' },
  identAddress: { name: 'icmp.int_ident.address', label: 'Address', type: 'bytes' },
});

export const E = experts({
  badExtChecksum: {
    code: 'icmp.bad-extension-checksum',
    severity: 'warn',
    message: 'Bad checksum',
    clause: 'RFC 4884 §7',
  },
});

/**
 * Where the extensions of an error message start (beyond its end, if its length says so), or -1. `quotedAt` is where the
 * quoted packet starts, `length` what the message says about it: with extensions it has at least 128 octets (RFC 4884
 * §4), and a sender that knows nothing of the length field pads it to those (§5.5).
 */
export function extensionsAt(v: View, quotedAt: number, length: number): number {
  if (v.wireEnd <= quotedAt + QUOTED || v.end < quotedAt + 4) return -1;
  if (length > 0) return quotedAt + length;
  const total = v.buf[quotedAt] >> 4 === 6 ? 40 + u16(v.buf, quotedAt + 4) : u16(v.buf, quotedAt + 2);
  return total <= QUOTED ? quotedAt + QUOTED : -1;
}

function mplsStack(t: Tree, b: Uint8Array, off: number, end: number): void {
  for (let o = off; o + 4 <= end; o += 4) {
    const word = u24(b, o);
    t.bits(F.label, o, 3, word); // RFC 4950 §5
    t.bits(F.exp, o, 3, word);
    t.bits(F.bottom, o, 3, word);
    t.num(F.mplsTtl, o + 3, 1, u8(b, o + 3));
  }
}

/** An address behind its family; returns the octets that it took. */
function addressOf(t: Tree, o: number, end: number, family: number, f: readonly [Field, Field]): number {
  const n = family === 1 ? 4 : family === 2 ? 16 : 0;
  if (n === 0 || o + n > end) return 0;
  t.bytes(family === 1 ? f[0] : f[1], o, n);
  return n;
}

/** RFC 5837 §4; what is there stands in the C-Type. */
function interfaceInformation(t: Tree, b: Uint8Array, off: number, end: number, ctype: number): void {
  let o = off;
  if ((ctype & F.hasIndex.mask!) !== 0 && o + 4 <= end) {
    t.num(F.index, o, 4, u32(b, o));
    o += 4;
  }
  if ((ctype & F.hasAddress.mask!) !== 0 && o + 4 <= end) {
    t.num(F.afi, o, 2, u16(b, o));
    t.bytes(F.addressReserved, o + 2, 2);
    o += 4 + addressOf(t, o + 4, end, u16(b, o), [F.ipv4, F.ipv6]);
  }
  if ((ctype & F.hasName.mask!) !== 0 && o < end) {
    const n = u8(b, o);
    t.num(F.nameLength, o, 1, n);
    if (n > 1) t.text(F.name, o + 1, Math.min(n - 1, end - o - 1));
    o += Math.max(1, n);
  }
  if ((ctype & F.hasMtu.mask!) !== 0 && o + 4 <= end) t.num(F.interfaceMtu, o, 4, u32(b, o));
}

/** Octets of a text before the zeros that pad it. */
function textLength(b: Uint8Array, off: number, end: number): number {
  const zero = b.indexOf(0, off);
  return (zero < 0 || zero > end ? end : zero) - off;
}

/** RFC 8335 §2.1. */
function interfaceIdentification(t: Tree, b: Uint8Array, off: number, end: number, ctype: number): void {
  if (ctype === 1) t.text(F.identName, off, textLength(b, off, end));
  else if (ctype === 2 && off + 4 <= end) t.num(F.identIndex, off, 4, u32(b, off));
  else if (ctype === 3 && off + 4 <= end) {
    const n = Math.min(u8(b, off + 2), end - off - 4);
    t.num(F.identAfi, off, 2, u16(b, off));
    t.num(F.identLength, off + 2, 1, u8(b, off + 2));
    t.bytes(F.identReserved, off + 3, 1);
    if (addressOf(t, off + 4, off + 4 + n, u16(b, off), [F.identIpv4, F.identIpv6]) === 0 && n > 0)
      t.bytes(F.identAddress, off + 4, n);
  } else if (end > off) t.bytes(F.data, off, end - off);
}

function object(t: Tree, b: Uint8Array, o: number, end: number): void {
  const cls = u8(b, o + 2);
  const ctype = u8(b, o + 3);
  t.num(F.objectLength, o, 2, u16(b, o));
  t.num(F.class, o + 2, 1, cls);
  t.num(F.ctype, o + 3, 1, ctype);
  if (cls === INTERFACE_INFORMATION) {
    t.push();
    for (const f of [F.role, F.roleReserved, F.hasIndex, F.hasAddress, F.hasName, F.hasMtu]) t.bits(f, o + 3, 1, ctype);
    t.pop();
    interfaceInformation(t, b, o + 4, end, ctype);
  } else if (cls === INTERFACE_IDENTIFICATION) interfaceIdentification(t, b, o + 4, end, ctype);
  else if (cls === MPLS && ctype === 1) mplsStack(t, b, o + 4, end);
  else if (end > o + 4) t.bytes(F.data, o + 4, end - o - 4);
}

function header(t: Tree, v: View): void {
  const { buf, off, end } = v;
  t.bits(F.extVersion, off, 1, u8(buf, off));
  t.bits(F.extReserved, off, 2, u16(buf, off));
  const stored = u16(buf, off + 2);
  t.num(F.extChecksum, off + 2, 2, stored);
  const whole = end === v.wireEnd && stored !== 0; // RFC 4884 §7: zero means that there is none
  const rest = whole ? checksum(buf, off, end) : 0;
  t.num(F.extStatus, off + 2, 0, whole ? (rest === 0 ? 1 : 0) : stored === 0 ? 3 : 2);
  if (rest !== 0) t.expert(E.badExtChecksum, badChecksum(stored, rest));
}

/** Whether `v` begins with a header of extensions in a version that is read here. */
export const isExtension = (v: View): boolean => v.length >= HEADER && VERSIONS.includes(u8(v.buf, v.off) >> 4);

/** Shows the extensions that `v` holds. */
export function extensions(t: Tree, v: View): void {
  const { buf } = v;
  t.open(F.ext, v.off, v.length);
  if (v.length < HEADER) {
    t.pop();
    return;
  }
  header(t, v);
  if (!isExtension(v)) {
    t.pop();
    return;
  }
  for (let o = v.off + 4; o + 4 <= v.end; ) {
    const n = u16(buf, o);
    const end = Math.min(v.end, o + Math.max(n, 4));
    t.open(F.object, o, end - o, t.labels ? nameOf(CLASSES, u8(buf, o + 2), 'Unknown object') : undefined);
    object(t, buf, o, end);
    t.pop();
    if (n < 4) break;
    o += n;
  }
  t.pop();
}
