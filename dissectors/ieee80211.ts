import {
  type Ctx,
  defineDissector,
  experts,
  type Field,
  fields,
  nameOf,
  need,
  type Peek,
  put16,
  type Tree,
  u8,
  u16,
  u16le,
  type View,
} from 'fttscope/kit';

/**
 * IEEE 802.11 frames, IEEE 802.11 §9.2. Data frames (§9.3.2) lead on to LLC; of the others the header is shown. Numbers
 * are little-endian:
 *
 *     +---------------+----------+-----------+-----------+-----------+----------+- - - - - - +- - -+
 *     | Frame control | Duration | Address 1 | Address 2 | Address 3 | Sequence | Address 4  | QoS |
 *     +---------------+----------+-----------+-----------+-----------+----------+- - - - - - +- - -+
 *
 * The DS bits say what the addresses are, and whether there is a fourth. A QoS data frame may hold several MSDUs, each
 * with addresses and a length before it (§9.3.2.2), or one behind the Mesh Control of a mesh (§9.2.4.7.3).
 */
const SHORTEST = 10;
const MANAGEMENT = 0;
const DATA = 2;
const ORDER = 0x80;
const RETRY = 0x08;
const PROTECTED = 0x40;
const MORE_FRAGMENTS = 0x04;
const NO_DATA = 4;
const QOS = 8;
const AGGREGATE = 0x80;
const SUBFRAME = 14;
/** Octets of the headers of TKIP and CCMP, IEEE 802.11 §12.5.2.2 and §12.5.3.2; of that of WEP, and its ICV, §12.3.2.2. */
const SECURITY = 8;
const WEP = 4;
const EXTENDED_IV = 0x20;
const MESH = 0x01;
/** Octets of Mesh Control, and of each address that its two lowest flags announce. */
const MESH_CONTROL = 6;
const ADDRESS_EXTENSION = 3;

const TYPES = { 0: 'Management frame', 1: 'Control frame', 2: 'Data frame', 3: 'Extension frame' };
const NAMES: Readonly<Record<number, string>> = {
  0: 'Association Request',
  1: 'Association Response',
  2: 'Reassociation Request',
  3: 'Reassociation Response',
  4: 'Probe Request',
  5: 'Probe Response',
  8: 'Beacon frame',
  10: 'Disassociate',
  11: 'Authentication',
  12: 'Deauthentication',
  13: 'Action',
  24: '802.11 Block Ack Req',
  25: '802.11 Block Ack',
  26: 'Power-Save poll',
  27: 'Request-to-send',
  28: 'Clear-to-send',
  29: 'Acknowledgement',
  32: 'Data',
  36: 'Null function (No data)',
  40: 'QoS Data',
  44: 'QoS Null function (No data)',
};
const DS = {
  0: 'Not leaving DS or network is operating in AD-HOC mode (To DS: 0 From DS: 0)',
  1: 'Frame from STA to DS via an AP (To DS: 1 From DS: 0)',
  2: 'Frame from DS to a STA via AP(To DS: 0 From DS: 1)',
  3: 'WDS (AP to AP) or Mesh (MP to MP) Frame (To DS: 1 From DS: 1)',
};
const ADDRESS = ['wlan.addr'];

const F = fields({
  wlan: { name: 'wlan', label: 'IEEE 802.11 wireless LAN', type: 'protocol' },
  typeSubtype: { name: 'wlan.fc.type_subtype', label: 'Type/Subtype', type: 'u16', base: 'hex', values: NAMES },
  control: { name: 'wlan.fc', label: 'Frame Control Field', type: 'u16', base: 'hex' },
  version: { name: 'wlan.fc.version', label: 'Version', type: 'u8', mask: 0x03 },
  type: { name: 'wlan.fc.type', label: 'Type', type: 'u8', mask: 0x0c, values: TYPES },
  subtype: { name: 'wlan.fc.subtype', label: 'Subtype', type: 'u8', mask: 0xf0 },
  flags: { name: 'wlan.flags', label: 'Flags', type: 'u8', base: 'hex' },
  ds: { name: 'wlan.fc.ds', label: 'DS status', type: 'u8', base: 'hex', mask: 0x03, values: DS },
  toDs: { name: 'wlan.fc.tods', label: 'To DS', type: 'bool', mask: 0x01 },
  fromDs: { name: 'wlan.fc.fromds', label: 'From DS', type: 'bool', mask: 0x02 },
  more: { name: 'wlan.fc.frag', label: 'More Fragments', type: 'bool', mask: MORE_FRAGMENTS },
  retry: { name: 'wlan.fc.retry', label: 'Retry', type: 'bool', mask: RETRY },
  power: { name: 'wlan.fc.pwrmgt', label: 'PWR MGT', type: 'bool', mask: 0x10 },
  moreData: { name: 'wlan.fc.moredata', label: 'More Data', type: 'bool', mask: 0x20 },
  protected: { name: 'wlan.fc.protected', label: 'Protected flag', type: 'bool', mask: PROTECTED },
  order: { name: 'wlan.fc.order', label: '+HTC/Order flag', type: 'bool', mask: ORDER },
  duration: { name: 'wlan.duration', label: 'Duration', type: 'u16', mask: 0x7fff, unit: 'us' },
  ra: { name: 'wlan.ra', label: 'Receiver address', type: 'ether', aliases: ADDRESS },
  ta: { name: 'wlan.ta', label: 'Transmitter address', type: 'ether', aliases: ADDRESS },
  da: { name: 'wlan.da', label: 'Destination address', type: 'ether', aliases: ADDRESS },
  sa: { name: 'wlan.sa', label: 'Source address', type: 'ether', aliases: ADDRESS },
  bssid: { name: 'wlan.bssid', label: 'BSS Id', type: 'ether', aliases: ADDRESS },
  fragment: { name: 'wlan.frag', label: 'Fragment number', type: 'u16', mask: 0x000f },
  sequence: { name: 'wlan.seq', label: 'Sequence number', type: 'u16', mask: 0xfff0 },
  qos: { name: 'wlan.qos', label: 'Qos Control', type: 'u16', base: 'hex' },
  tid: { name: 'wlan.qos.tid', label: 'TID', type: 'u16', mask: 0x000f },
  ack: { name: 'wlan.qos.ack', label: 'Ack Policy', type: 'u16', base: 'hex', mask: 0x0060 },
  aggregate: { name: 'wlan.qos.amsdupresent', label: 'Payload Type', type: 'bool', mask: AGGREGATE },
  aggregated: { name: 'wlan_aggregate', label: 'IEEE 802.11 Aggregate MSDU', type: 'protocol' },
  subframe: { name: 'wlan_aggregate.a_mdsu.subframe', label: 'A-MSDU Subframe', type: 'none' },
  subframeLength: { name: 'wlan_aggregate.a_mdsu.length', label: 'A-MSDU Length', type: 'u16' },
  mesh: { name: 'wlan.qos.mesh_ctl_present', label: 'Mesh Control Present', type: 'u16', mask: 0x0100 },
  meshControl: { name: 'wlan.mesh.control_field', label: 'Mesh Control Field', type: 'none' },
  fcs: { name: 'wlan.fcs', label: 'Frame check sequence', type: 'u32', base: 'hex' },
});
/** The check sequence of a frame, shown by the layer that knows whether it was captured. */
export const FRAME_CHECK = F.fcs;

const E = experts({
  retry: {
    code: 'wlan.retry',
    severity: 'note',
    message: 'Retransmission (retry)',
    clause: 'IEEE 802.11 §9.2.4.1.6',
  },
});

/** A data frame. The fourth address and the QoS octets are empty where the frame has none. */
export interface WlanData {
  /** First octet of the frame control: type and subtype. */
  kind: number;
  /** Second octet. */
  flags: number;
  duration: number;
  /** Three addresses, or four where both DS bits are set. */
  addresses: Uint8Array[];
  sequence: number;
  /** Two octets where the subtype has them, else none. */
  qos: Uint8Array;
  payload: Uint8Array;
}

const typeOf = (b: Uint8Array, o: number) => (b[o] >> 2) & 3;
const subtypeOf = (b: Uint8Array, o: number) => b[o] >> 4;
const isQos = (b: Uint8Array, o: number) => typeOf(b, o) === DATA && (subtypeOf(b, o) & QOS) !== 0;
const hasFour = (b: Uint8Array, o: number) => typeOf(b, o) === DATA && (b[o + 1] & 3) === 3;
/** Where the QoS control is, if there is one. */
const qosAt = (b: Uint8Array, o: number) => o + 24 + (hasFour(b, o) ? 6 : 0);

/** Octets of the header of a management or data frame. IEEE 802.11 §9.2.4.1.10: the order bit announces HT control. */
function headerLength(b: Uint8Array, o: number): number {
  let n = qosAt(b, o) - o;
  if (isQos(b, o)) n += 2;
  if ((b[o + 1] & ORDER) !== 0 && (isQos(b, o) || typeOf(b, o) === MANAGEMENT)) n += 4;
  return n;
}

/** Octets of Mesh Control in front of the MSDU at `at`, 0 where there is none: only frames from a station of a mesh have it. */
function meshLength(b: Uint8Array, off: number, at: number): number {
  if (!isQos(b, off) || (b[off + 1] & 2) === 0 || (b[qosAt(b, off) + 1] & MESH) === 0) return 0;
  const flags = b[at];
  return flags < ADDRESS_EXTENSION ? MESH_CONTROL * (1 + flags) : 0;
}

/** Where LLC starts in a data frame, behind the header of its first MSDU if there are several; -1 where nothing can be read. */
function content(b: Uint8Array, off: number, end: number): number {
  const n = off + headerLength(b, off);
  if (
    isUnknown(b, off) ||
    typeOf(b, off) !== DATA ||
    (subtypeOf(b, off) & NO_DATA) !== 0 ||
    (b[off + 1] & PROTECTED) !== 0
  )
    return -1;
  if (n >= end || (b[off + 1] & MORE_FRAGMENTS) !== 0 || (b[off + 22] & 15) !== 0) return -1;
  const start = n + (isAggregate(b, off) ? SUBFRAME : meshLength(b, off, n));
  return start < end ? start : -1;
}

/** Whether nobody knows what the protocol version means. IEEE 802.11 §9.2.4.1.1 has 0 and 1. */
const isUnknown = (b: Uint8Array, off: number): boolean => (b[off] & 3) > 1;

const isAggregate = (b: Uint8Array, off: number) => isQos(b, off) && (b[qosAt(b, off)] & AGGREGATE) !== 0;

function control(t: Tree, { buf, off }: View): void {
  t.num(F.typeSubtype, off, 2, (typeOf(buf, off) << 4) | subtypeOf(buf, off));
  t.num(F.control, off, 2, u16(buf, off));
  t.push();
  for (const f of [F.version, F.type, F.subtype]) t.bits(f, off, 1, u8(buf, off));
  const bits = u8(buf, off + 1);
  t.num(F.flags, off + 1, 1, bits);
  t.push();
  for (const f of [F.ds, F.toDs, F.fromDs, F.more, F.retry, F.power, F.moreData, F.protected, F.order])
    t.bits(f, off + 1, 1, bits);
  if ((bits & RETRY) !== 0) t.expert(E.retry);
  t.pop();
  t.pop();
}

/** What addresses 1 to 4 are by the DS bits. IEEE 802.11 §9.3.2.1. */
const ROLES: readonly (readonly (readonly Field[])[])[] = [
  [[F.ra, F.da], [F.ta, F.sa], [F.bssid]],
  [[F.ra, F.bssid], [F.ta, F.sa], [F.da]],
  [[F.ra, F.da], [F.ta, F.bssid], [F.sa]],
  [[F.ra], [F.ta], [F.da], [F.sa]],
];

/** The same where each of several MSDUs has its own destination and source. IEEE 802.11 §9.3.2.1, table 9-30 */
const SHARED: typeof ROLES = [
  ROLES[0],
  [
    [F.ra, F.bssid],
    [F.ta, F.sa],
  ],
  [
    [F.ra, F.da],
    [F.ta, F.bssid],
  ],
  [[F.ra], [F.ta], [F.bssid], [F.bssid]],
];

function addresses(t: Tree, { buf, off }: View): void {
  const roles = (isAggregate(buf, off) ? SHARED : ROLES)[typeOf(buf, off) === DATA ? u8(buf, off + 1) & 3 : 0];
  roles.forEach((names, i) => {
    const at = i < 3 ? off + 4 + 6 * i : off + 24;
    for (const f of names) t.bytes(f, at, 6);
  });
}

function qosControl(t: Tree, { buf, off }: View, hasMesh: boolean): void {
  if (!isQos(buf, off)) return;
  const at = qosAt(buf, off);
  const word = u16le(buf, at);
  t.num(F.qos, at, 2, word);
  t.push();
  for (const f of [F.tid, F.ack, F.aggregate]) t.bits(f, at, 2, word);
  // IEEE 802.11 §9.2.4.5: it is a part of other things but from a station of a mesh.
  if (hasMesh) t.bits(F.mesh, at, 2, word);
  t.pop();
}

/** The body of a protected frame behind a header of `n` octets: nobody has its key. A header with an extended IV is not of WEP. */
function sealed(v: View, n: number): View {
  need(v, n + WEP);
  const at = v.off + n;
  if ((u8(v.buf, at + 3) & EXTENDED_IV) !== 0 && v.length >= n + SECURITY) return v.sub(at + SECURITY);
  return v.wireEnd - at < 2 * WEP ? v.sub(at + WEP) : v.sub(at + WEP, v.wireEnd - WEP);
}

/** MSDUs one behind the other, IEEE 802.11 §9.3.2.2. The index pass follows the first alone. */
function subframes(v: View, t: Tree, cx: Ctx): void {
  const { buf } = v;
  const { quoted } = cx;
  t.open(F.aggregated, v.off, v.length);
  for (let at = v.off, n = 1; at < v.end; n++) {
    need(v.sub(at), SUBFRAME);
    const from = at + SUBFRAME;
    const stop = from + u16(buf, from - 2);
    t.open(F.subframe, at, stop - at, t.labels ? `A-MSDU Subframe #${n}` : undefined);
    t.bytes(F.da, at, 6);
    t.bytes(F.sa, at + 6, 6);
    t.num(F.subframeLength, from - 2, 2, stop - from);
    cx.quoted = quoted || n > 1;
    cx.next('eth.llc', 0, v.sub(from, stop));
    cx.quoted = quoted;
    t.pop();
    at = stop + (-(stop - at) & 3);
  }
  t.pop();
}

export const wlan = defineDissector<WlanData>({
  proto: 'wlan',
  title: 'IEEE 802.11 wireless LAN',
  short: '802.11',
  spec: 'IEEE 802.11',
  fields: F,
  experts: E,
  on: {
    link: [105],
    wlan: [0],
    'gre.proto': Array.from({ length: 24 }, (_, i) => 0x8200 + 0x10 * i), // between access points and their controllers
  },
  tables: ['eth.llc'],

  // Of several MSDUs peek follows the first alone.
  plain: (b, off, end) => end - off >= SHORTEST && !isAggregate(b, off),

  peek(p: Peek) {
    const { buf, off } = p;
    if (p.end - off < 24) return p.stop();
    const at = content(buf, off, p.end);
    if (at < 0) return p.stop();
    if (isAggregate(buf, off)) {
      const stop = at + u16(buf, at - 2);
      if (stop < p.wireEnd) p.wireEnd = stop;
      if (p.end > stop) p.end = stop;
    }
    p.off = at;
    p.table = 'eth.llc';
    p.key = 0;
  },

  dissect(v, t, cx) {
    need(v, 2);
    const { buf, off } = v;
    if (isUnknown(buf, off)) {
      t.open(F.wlan, off, v.length, t.labels ? `IEEE 802.11 Unknown Protocol Version:${u8(buf, off) & 3}` : undefined);
      t.bits(F.version, off, 1, u8(buf, off));
      t.pop();
      return cx.data(v.sub(off + 2));
    }
    need(v, SHORTEST);
    const type = typeOf(buf, off);
    const n = type === DATA || type === MANAGEMENT ? headerLength(buf, off) : SHORTEST;
    t.open(F.wlan, off, Math.min(v.length, n));
    if (t.labels) t.label(`IEEE 802.11 ${nameOf(NAMES, (type << 4) | subtypeOf(buf, off))}`);
    control(t, v);
    t.bits(F.duration, off + 2, 2, u16le(buf, off + 2));
    if (n === SHORTEST) {
      t.bytes(F.ra, off + 4, 6);
      return t.pop();
    }
    need(v, n);
    addresses(t, v);
    t.bits(F.fragment, off + 22, 2, u16le(buf, off + 22));
    t.bits(F.sequence, off + 22, 2, u16le(buf, off + 22));
    const at = content(buf, off, v.end);
    const mesh = at < 0 || isAggregate(buf, off) ? 0 : at - off - n;
    qosControl(t, v, mesh > 0);
    t.pop();
    if ((type === DATA && (subtypeOf(buf, off) & NO_DATA) !== 0) || v.length === n) return;
    if ((u8(buf, off + 1) & PROTECTED) !== 0) return cx.data(sealed(v, n));
    if (type !== DATA) return;
    if (at < 0) return cx.data(v.sub(off + n));
    if (mesh > 0) t.none(F.meshControl, off + n, mesh);
    if (isAggregate(buf, off)) subframes(v.sub(at - SUBFRAME), t, cx);
    else cx.next('eth.llc', 0, v.sub(at));
  },

  summary(v) {
    if (v.length < SHORTEST) return 'Frame cut short';
    return nameOf(NAMES, (typeOf(v.buf, v.off) << 4) | subtypeOf(v.buf, v.off), 'Unknown frame');
  },

  codec: {
    parse(b, o, end) {
      const at = [o + 4, o + 10, o + 16, ...(hasFour(b, o) ? [o + 24] : [])];
      const q = qosAt(b, o);
      const body = isQos(b, o) ? q + 2 : q;
      return {
        kind: b[o],
        flags: b[o + 1],
        duration: u16le(b, o + 2),
        addresses: at.map((a) => b.slice(a, a + 6)),
        sequence: u16le(b, o + 22),
        qos: b.slice(q, body),
        payload: b.slice(body, end),
      };
    },
    size: (r) => 6 + 6 * r.addresses.length + r.qos.length + r.payload.length,
    emit(r, b, o) {
      b[o] = r.kind;
      b[o + 1] = r.flags;
      put16(b, o + 2, ((r.duration & 0xff) << 8) | (r.duration >> 8));
      r.addresses.forEach((a, i) => {
        b.set(a, i < 3 ? o + 4 + 6 * i : o + 24);
      });
      put16(b, o + 22, ((r.sequence & 0xff) << 8) | (r.sequence >> 8));
      const at = o + 6 + 6 * r.addresses.length;
      b.set(r.qos, at);
      b.set(r.payload, at + r.qos.length);
      return at + r.qos.length + r.payload.length - o;
    },
  },
});
