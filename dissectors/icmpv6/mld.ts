import { fields, ip6, nameOf, need, type Tree, u8, u16, type View } from 'fttscope/kit';
import { SET } from '../numbers.js';

/**
 * Multicast listener discovery, version 1 (RFC 2710 §3) and 2 (RFC 9777 §5), after the checksum:
 *
 *     query, report, done:  +-------------------------------+-------------------------------+
 *                           |  Maximum Response Delay/Code  |           Reserved            |
 *                           +-------------------------------+-------------------------------+
 *                           |                   Multicast Address (16)                      |
 *                           +-------+-+-----+---------------+-------------------------------+
 *     version 2 query only: | Resv  |S| QRV |     QQIC      |     Number of Sources (N)     |
 *                           +-------+-+-----+---------------+-------------------------------+
 *                           |                   Source Address * N                          |
 *
 *     version 2 report:     | Reserved (2) | Number of Records (2) | records: type (1), aux length (1), N (2),
 *                             multicast address (16), source address * N, auxiliary data
 */
/** Octets of a version 1 message; a query of 28 and more is of version 2. RFC 9777 §8.1. */
const VERSION_1 = 24;
const VERSION_2_QUERY = 28;
const RECORD = 20;
/** Of these, the octets before the group. */
const RECORD_HEADER = 4;
export const QUERY = 130;
export const REPORT_V2 = 143;

const RECORD_TYPES: Readonly<Record<number, string>> = {
  1: 'Include',
  2: 'Exclude',
  3: 'Changed to include',
  4: 'Changed to exclude',
  5: 'Allow new sources',
  6: 'Block old sources',
};

export const F = fields({
  delay: {
    name: 'icmpv6.mld.maximum_response_delay',
    label: 'Maximum Response Delay [ms]',
    type: 'u16',
  },
  responseCode: { name: 'icmpv6.mld.maximum_response_code', label: 'Maximum Response Code', type: 'u16' },
  group: { name: 'icmpv6.mld.multicast_address', label: 'Multicast Address', type: 'ipv6' },
  reserved: { name: 'icmpv6.reserved', label: 'Reserved', type: 'bytes' },
  mldFlags: { name: 'icmpv6.mld.flag', label: 'Flags', type: 'u8', base: 'hex' },
  suppress: {
    name: 'icmpv6.mld.flag.s',
    label: 'Suppress Router-Side Processing',
    type: 'bool',
    mask: 0x08,
    values: SET,
  },
  robustness: {
    name: 'icmpv6.mld.flag.qrv',
    label: "QRV (Querier's Robustness Variable)",
    type: 'u8',
    mask: 0x07,
  },
  flagReserved: { name: 'icmpv6.mld.flag.reserved', label: 'Reserved', type: 'u8', mask: 0xf0 },
  queryInterval: { name: 'icmpv6.mld.qqi', label: "QQIC (Querier's Query Interval Code)", type: 'u8' },
  sources: { name: 'icmpv6.mld.nb_sources', label: 'Number of Sources', type: 'u16' },
  groupSource: { name: 'icmpv6.mld.source_address', label: 'Source Address', type: 'ipv6' },
  records: {
    name: 'icmpv6.mldr.nb_mcast_records',
    label: 'Number of Multicast Address Records',
    type: 'u16',
  },
  record: { name: 'icmpv6.mldr.mar', label: 'Multicast Address Record', type: 'none' },
  recordType: { name: 'icmpv6.mldr.mar.record_type', label: 'Record Type', type: 'u8', values: RECORD_TYPES },
  auxLength: { name: 'icmpv6.mldr.mar.aux_data_len', label: 'Aux Data Len', type: 'u8' },
  recordSources: { name: 'icmpv6.mldr.mar.nb_sources', label: 'Number of Sources', type: 'u16' },
  recordGroup: { name: 'icmpv6.mldr.mar.multicast_address', label: 'Multicast Address', type: 'ipv6' },
  recordSource: { name: 'icmpv6.mldr.mar.source_address', label: 'Source Address', type: 'ipv6' },
  auxiliary: { name: 'icmpv6.mldr.mar.auxiliary_data', label: 'Auxiliary Data', type: 'bytes' },
});

/** A code of `bits` bits: as it is where its first is 0, else an exponent of three bits and a mantissa. RFC 3810 §5.1.3 */
function decoded(code: number, bits: 8 | 16): number {
  const mantissa = bits - 4;
  if (code >> (bits - 1) === 0) return code;
  return ((code & ((1 << mantissa) - 1)) | (1 << mantissa)) << (((code >> mantissa) & 7) + 3);
}

/** A query, report or done message whose ICMPv6 header starts at `v`. */
export function listener(t: Tree, v: View): void {
  const { buf, off } = v;
  const version2 = u8(buf, off) === QUERY && v.wireLength >= VERSION_2_QUERY;
  need(v, 8);
  const delay = u16(buf, off + 4);
  t.num(version2 ? F.responseCode : F.delay, off + 4, 2, version2 ? decoded(delay, 16) : delay);
  t.bytes(F.reserved, off + 6, 2);
  need(v, VERSION_1);
  t.bytes(F.group, off + 8, 16);
  if (!version2) return;
  need(v, VERSION_2_QUERY);
  const flags = u8(buf, off + 24);
  t.num(F.mldFlags, off + 24, 1, flags);
  t.push();
  for (const f of [F.suppress, F.robustness, F.flagReserved]) t.bits(f, off + 24, 1, flags);
  t.pop();
  t.num(F.queryInterval, off + 25, 1, decoded(u8(buf, off + 25), 8)); // RFC 3810 §5.1.9
  const n = u16(buf, off + 26);
  t.num(F.sources, off + 26, 2, n);
  for (let i = 0, o = off + VERSION_2_QUERY; i < n; i++, o += 16) {
    need(v, 16, o);
    t.bytes(F.groupSource, o, 16);
  }
}

/** One record of a version 2 report; returns where the next one starts. */
function record(t: Tree, v: View, o: number): number {
  const { buf } = v;
  need(v, RECORD_HEADER, o);
  const aux = 4 * u8(buf, o + 1);
  const n = u16(buf, o + 2);
  const end = o + RECORD + 16 * n + aux;
  t.open(F.record, o, end - o);
  if (t.labels) {
    const group = o + RECORD <= v.end ? ip6(buf, o + 4) : '';
    t.label(`Multicast Address Record ${nameOf(RECORD_TYPES, u8(buf, o))}: ${group}`);
  }
  t.num(F.recordType, o, 1, u8(buf, o));
  t.num(F.auxLength, o + 1, 1, u8(buf, o + 1));
  t.num(F.recordSources, o + 2, 2, n);
  need(v, RECORD, o);
  t.bytes(F.recordGroup, o + 4, 16);
  for (let i = 0, at = o + RECORD; i < n; i++, at += 16) {
    need(v, 16, at);
    t.bytes(F.recordSource, at, 16);
  }
  if (aux > 0) {
    need(v, aux, end - aux);
    t.bytes(F.auxiliary, end - aux, aux);
  }
  t.pop();
  return end;
}

/** A version 2 report whose ICMPv6 header starts at `v`. */
export function report(t: Tree, v: View): void {
  need(v, 8);
  const n = u16(v.buf, v.off + 6);
  t.bytes(F.reserved, v.off + 4, 2);
  t.num(F.records, v.off + 6, 2, n);
  for (let i = 0, o = v.off + 8; i < n; i++) o = record(t, v, o);
}
