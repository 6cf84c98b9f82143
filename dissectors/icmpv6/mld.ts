import { fields, ip6, nameOf, need, type Tree, u8, u16, type View } from 'fttscope/kit';
import { SET } from '../numbers.js';
import { Reader } from './reader.js';

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
/** Octets of a query of version 2, at least: shorter ones are of version 1. RFC 9777 §8.1 */
const VERSION_2_QUERY = 28;
const RECORD = 20;
const QUERY = 130;
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
  querySuppress: {
    name: 'icmpv6.mld.flag.s',
    label: 'Suppress Router-Side Processing',
    type: 'bool',
    mask: 0x08,
    values: SET,
  },
  queryRobustness: {
    name: 'icmpv6.mld.flag.qrv',
    label: "QRV (Querier's Robustness Variable)",
    type: 'u8',
    mask: 0x07,
  },
  flagReserved: { name: 'icmpv6.mld.flag.reserved', label: 'Reserved', type: 'u8', mask: 0xf0 },
  codedInterval: { name: 'icmpv6.mld.qqi', label: "QQIC (Querier's Query Interval Code)", type: 'u8' },
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
  const r = new Reader(t, v, off + 4);
  const delay = u16(buf, r.take(2));
  t.num(version2 ? F.responseCode : F.delay, off + 4, 2, version2 ? decoded(delay, 16) : delay);
  r.bytes(F.reserved, 2);
  r.bytes(F.group, 16);
  if (!version2) return;
  r.flags8(F.mldFlags, F.querySuppress, F.queryRobustness, F.flagReserved);
  t.num(F.codedInterval, r.at, 1, decoded(u8(buf, r.take(1)), 8)); // RFC 3810 §5.1.9
  const n = r.u16(F.sources);
  for (let i = 0; i < n; i++) r.bytes(F.groupSource, 16);
}

/** One record of a version 2 report. */
function record(t: Tree, v: View, r: Reader): void {
  const { buf } = v;
  const o = r.at;
  const size = o + 4 <= v.end ? RECORD + 16 * u16(buf, o + 2) + 4 * u8(buf, o + 1) : 0;
  t.open(F.record, o, size);
  if (t.labels) {
    const group = o + RECORD <= v.end ? ip6(buf, o + 4) : '';
    t.label(`Multicast Address Record ${o < v.end ? nameOf(RECORD_TYPES, u8(buf, o)) : ''}: ${group}`);
  }
  r.u8(F.recordType);
  const aux = 4 * r.u8(F.auxLength);
  const n = r.u16(F.recordSources);
  r.bytes(F.recordGroup, 16);
  for (let i = 0; i < n; i++) r.bytes(F.recordSource, 16);
  if (aux > 0) r.bytes(F.auxiliary, aux);
  t.pop();
}

/**
 * A version 2 report whose ICMPv6 header starts at `v`: all records that are there, also beyond their number.
 * @throws Short where they are fewer; tshark does not look at their number
 */
export function report(t: Tree, v: View): void {
  const r = new Reader(t, v, v.off + 4);
  r.bytes(F.reserved, 2);
  const n = r.u16(F.records);
  let found = 0;
  for (; r.left > 0; found++) record(t, v, r);
  if (found < n) need(v, 1, r.at);
}
