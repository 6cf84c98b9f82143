import {
  type Codec,
  type Ctx,
  checksum,
  type Dissector,
  defineDissector,
  experts,
  fields,
  ip4,
  nameOf,
  need,
  put16,
  type Tree,
  u8,
  u16,
  type View,
} from 'fttscope/kit';
import { CHECKSUM_STATUS } from './numbers.js';

/**
 * Internet Group Management Protocol, RFC 3376 §4 (version 3), RFC 2236 §2 (version 2), RFC 1112 appendix I (version 1):
 *
 *     +---------------+---------------+-------------------------------+
 *     |     Type      | Max Resp Code |           Checksum            |
 *     +---------------+---------------+-------------------------------+
 *     |  Group Address; report of version 3: reserved | records (2)   |
 *     +-------+-+-----+---------------+-------------------------------+
 *     | Resv  |S| QRV |     QQIC      |  Number of sources (queries of version 3), sources
 *     +-------+-+-----+---------------+-------------------------------+
 *
 * A record of a report: type (1), words of auxiliary data (1), number of sources (2), group (4), sources, auxiliary data.
 */
const HEADER = 8;
const QUERY = 0x11;
const REPORT_1 = 0x12;
const REPORT_2 = 0x16;
const LEAVE = 0x17;
const REPORT_3 = 0x22;
/** Octets that a query of version 3 has at least. RFC 3376 §7.1 */
const QUERY_3 = 12;
const RECORD = 8;

const TYPES: Readonly<Record<number, string>> = {
  [QUERY]: 'Membership Query',
  [REPORT_1]: 'Membership Report',
  [REPORT_2]: 'Membership Report',
  [LEAVE]: 'Leave Group',
  [REPORT_3]: 'Membership Report',
};
/** RFC 3376 §4.2.12 */
const RECORDS: Readonly<Record<number, string>> = {
  1: 'Mode Is Include',
  2: 'Mode Is Exclude',
  3: 'Change To Include Mode',
  4: 'Change To Exclude Mode',
  5: 'Allow New Sources',
  6: 'Block Old Sources',
};

const F = fields({
  igmp: { name: 'igmp', label: 'Internet Group Management Protocol', type: 'protocol' },
  version: { name: 'igmp.version', label: 'IGMP Version', type: 'u8' },
  type: { name: 'igmp.type', label: 'Type', type: 'u8', base: 'hex', values: TYPES },
  maxResponse: {
    name: 'igmp.max_resp',
    label: 'Max Resp Time (tenths of a second)',
    type: 'u16',
    clause: 'RFC 3376 §4.1.1',
  },
  exponent: { name: 'igmp.max_resp.exp', label: 'Exponent', type: 'u8', base: 'hex', mask: 0x70 },
  mantissa: { name: 'igmp.max_resp.mant', label: 'Mantissa', type: 'u8', base: 'hex', mask: 0x0f },
  reserved: { name: 'igmp.reserved', label: 'Reserved', type: 'bytes' },
  checksum: { name: 'igmp.checksum', label: 'Checksum', type: 'u16', base: 'hex' },
  status: { name: 'igmp.checksum.status', label: 'Checksum Status', type: 'u8', values: CHECKSUM_STATUS },
  badChecksum: { name: 'igmp.bad_checksum', label: 'Bad checksum', type: 'none' },
  group: { name: 'igmp.maddr', label: 'Multicast Address', type: 'ipv4' },
  suppress: { name: 'igmp.s', label: 'S', type: 'bool', mask: 0x08, clause: 'RFC 3376 §4.1.5' },
  robustness: { name: 'igmp.qrv', label: 'QRV', type: 'u8', mask: 0x07, clause: 'RFC 3376 §4.1.6' },
  interval: { name: 'igmp.qqic', label: 'QQIC', type: 'u8', clause: 'RFC 3376 §4.1.7' },
  sources: { name: 'igmp.num_src', label: 'Num Src', type: 'u16' },
  source: { name: 'igmp.saddr', label: 'Source Address', type: 'ipv4' },
  records: { name: 'igmp.num_grp_recs', label: 'Num Group Records', type: 'u16' },
  record: { name: 'text', label: 'Group Record', type: 'none' },
  recordType: { name: 'igmp.record_type', label: 'Record Type', type: 'u8', values: RECORDS },
  auxLength: { name: 'igmp.aux_data_len', label: 'Aux Data Len', type: 'u8', clause: 'RFC 3376 §4.2.6' },
  auxiliary: { name: 'igmp.aux_data', label: 'Aux Data', type: 'bytes' },
  data: { name: 'igmp.data', label: 'Data', type: 'bytes' },
});

const E = experts({
  badChecksum: { code: 'igmp.bad-checksum', severity: 'warn', message: 'Bad checksum', clause: 'RFC 3376 §4.1.2' },
});

/** Version of a message of a known type; `octets` are those on the wire. RFC 3376 §7.1 */
function versionOf(type: number, code: number, octets: number): 1 | 2 | 3 {
  if (type === REPORT_3) return 3;
  if (type !== QUERY) return type === REPORT_1 ? 1 : 2;
  return octets >= QUERY_3 ? 3 : code === 0 ? 1 : 2;
}

function checksumItem(t: Tree, v: View, cx: Ctx): void {
  const { buf, off, end } = v;
  need(v, 4);
  t.num(F.checksum, off + 2, 2, u16(buf, off + 2));
  const whole = end === v.wireEnd && !cx.quoted && end - off >= HEADER;
  const good = whole && checksum(buf, off, end) === 0;
  t.num(F.status, off + 2, 0, good ? 1 : whole ? 0 : 2);
  if (!whole || good) return;
  t.none(F.badChecksum, off + 2, 0);
  t.expert(E.badChecksum);
}

/** Source addresses from `at` on; returns the offset behind them. */
function sources(v: View, t: Tree, at: number, n: number): number {
  for (let i = 0; i < n; i++) {
    need(v, 4, at + 4 * i);
    t.bytes(F.source, at + 4 * i, 4);
  }
  return at + 4 * n;
}

function group(v: View, t: Tree, at: number): void {
  need(v, 4, at);
  t.bytes(F.group, at, 4);
}

/** What a query of version 3 has behind the group. RFC 3376 §4.1 */
function query(v: View, t: Tree): void {
  const { buf, off } = v;
  need(v, QUERY_3);
  t.bits(F.suppress, off + 8, 1, buf[off + 8]);
  t.bits(F.robustness, off + 8, 1, buf[off + 8]);
  t.num(F.interval, off + 9, 1, buf[off + 9]);
  t.num(F.sources, off + 10, 2, u16(buf, off + 10));
  sources(v, t, off + QUERY_3, u16(buf, off + 10));
}

/** RFC 3376 §4.2 */
function report(v: View, t: Tree): void {
  const { buf, off } = v;
  need(v, 6);
  t.bytes(F.reserved, off + 4, 2);
  need(v, HEADER);
  t.num(F.records, off + 6, 2, u16(buf, off + 6));
  let at = off + HEADER;
  for (let i = u16(buf, off + 6); i > 0; i--) {
    need(v, RECORD, at);
    const [aux, n] = [4 * u8(buf, at + 1), u16(buf, at + 2)];
    t.open(F.record, at, RECORD + 4 * n + aux);
    if (t.labels) t.label(`Group Record: ${nameOf(RECORDS, buf[at])}`);
    t.num(F.recordType, at, 1, buf[at]);
    t.num(F.auxLength, at + 1, 1, buf[at + 1]);
    t.num(F.sources, at + 2, 2, n);
    group(v, t, at + 4);
    at = sources(v, t, at + RECORD, n);
    need(v, aux, at);
    if (aux > 0) t.bytes(F.auxiliary, at, aux);
    t.pop();
    at += aux;
  }
}

function message(v: View, t: Tree, cx: Ctx): void {
  const { buf, off } = v;
  t.open(F.igmp, off, v.length);
  need(v, 2);
  const type = u8(buf, off);
  const code = u8(buf, off + 1);
  const version = versionOf(type, code, v.wireLength);
  t.num(F.version, off, 0, version);
  t.num(F.type, off, 1, type);
  if (version === 1 || type === REPORT_3) t.bytes(F.reserved, off + 1, 1);
  else {
    const floating = version === 3 && code >= 0x80; // RFC 3376 §4.1.1
    t.num(F.maxResponse, off + 1, 1, floating ? ((code & 0x0f) | 0x10) << (((code >> 4) & 7) + 3) : code);
    t.push();
    if (floating) for (const f of [F.exponent, F.mantissa]) t.bits(f, off + 1, 1, code);
    t.pop();
  }
  checksumItem(t, v, cx);
  if (type === REPORT_3) report(v, t);
  else {
    group(v, t, off + 4);
    if (version === 3) query(v, t);
  }
  t.pop();
}

/** A message: what stands behind its checksum, which {@link Codec.emit} fills in. */
export interface IgmpMessage {
  type: number;
  code: number;
  body: Uint8Array;
}

const codec: Codec<IgmpMessage> = {
  parse: (b, o, end) => ({ type: u8(b, o), code: u8(b, o + 1), body: b.slice(o + 4, end) }),
  size: (r) => 4 + r.body.length,
  emit(r, b, o) {
    b[o] = r.type;
    b[o + 1] = r.code;
    put16(b, o + 2, 0);
    b.set(r.body, o + 4);
    put16(b, o + 2, checksum(b, o, o + 4 + r.body.length));
    return 4 + r.body.length;
  },
};

const SHARED = { title: F.igmp.label, short: 'IGMP', spec: 'RFC 3376', fields: F, experts: E } as const;

/** Hands known types on: Wireshark lists them as a layer of the same name. */
export const igmp = defineDissector({
  proto: 'igmp',
  ...SHARED,
  on: { 'ip.proto': [2] },
  tables: ['igmp.type'],
  dissect(v, t, cx) {
    need(v, 1);
    const type = u8(v.buf, v.off);
    if (cx.takes('igmp.type', type)) {
      cx.next('igmp.type', type, v);
      return;
    }
    t.open(F.igmp, v.off, v.length);
    t.num(F.type, v.off, 1, type);
    if (v.length > 1) t.bytes(F.data, v.off + 1, v.length - 1);
    t.pop();
  },
});

export const igmpMessage: Dissector<IgmpMessage> = defineDissector<IgmpMessage>({
  proto: 'igmp.message',
  layer: 'igmp',
  ...SHARED,
  on: { 'igmp.type': Object.keys(TYPES).map(Number) },
  dissect: message,
  summary(v) {
    if (v.length < HEADER) return 'Cut short';
    const { buf, off } = v;
    const name = nameOf(TYPES, buf[off]);
    if (buf[off] === REPORT_3) return `${name}, ${u16(buf, off + 6)} groups`;
    return `${name} ${u16(buf, off + 4) === 0 && u16(buf, off + 6) === 0 ? 'for all groups' : ip4(buf, off + 4)}`;
  },
  codec,
});
