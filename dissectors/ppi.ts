import {
  defineDissector,
  experts,
  type Field,
  fields,
  i8,
  need,
  type Peek,
  type Tree,
  u8,
  u16le,
  u32le,
  u64le,
  type View,
} from 'fttscope/kit';
import { FRAME_CHECK } from './ieee80211.js';
import { packetData } from './pktap.js';

/**
 * Per-Packet Information, LINKTYPE_PPI (CACE Technologies, PPI Packet Header 1.0.7): what the radio knows about a frame,
 * before the frame. Numbers are little-endian:
 *
 *     +---------+-------+------------+---------+ +----------+------------+- - - -+- - -+
 *     | Version | Flags | Length (2) | DLT (4) | | Type (2) | Length (2) | value | pad | …  frame
 *     +---------+-------+------------+---------+ +----------+------------+- - - -+- - -+
 *
 * Fields are padded to four octets where a flag says so. The parts of an A-MPDU are shown each in its own frame.
 */
const HEADER = 8;
const FIELD = 4;
const ALIGNED = 1;
const COMMON = 2;
const N_MAC = 3;
const N_MAC_PHY = 4;
const AGGREGATION = 8;
const ETHERNET_EXTENSION = 9;
const LINK_80211 = 105;
const HAS_FCS = 1;
const FCS = 4;
const TYPES: Readonly<Record<number, string>> = {
  2: '802.11-Common',
  3: '802.11n MAC Extensions',
  4: '802.11n MAC+PHY Extensions',
  5: 'Spectrum-Map',
  6: 'Process-Info',
  7: 'Capture-Info',
  8: 'Aggregation Extension',
  9: '802.3 Extension',
  30002: 'GPS Tagging',
  30003: 'VECTOR tags',
  30004: 'Sensor tags',
  30005: 'Antenna Tags',
  45075: 'F-Net',
};
/** Octets of a value whose length is fixed; what has another length is not read. */
const LENGTHS: Readonly<Record<number, number>> = { 2: 20, 3: 12, 4: 48, 8: 4, 9: 8 };
/** Layers that Wireshark has for what says where the radio was. */
const PLACES: Readonly<Record<number, string>> = {
  30002: 'ppi_gps',
  30003: 'ppi_vector',
  30004: 'ppi_sensor',
  30005: 'ppi_antenna',
};

const F = fields({
  ppi: { name: 'ppi', label: 'PPI Packet Header', type: 'protocol' },
  version: { name: 'ppi.version', label: 'Version', type: 'u8' },
  flags: { name: 'ppi.flags', label: 'Flags', type: 'u8', base: 'hex' },
  aligned: { name: 'ppi.flags.alignment', label: 'Alignment', type: 'bool', mask: ALIGNED },
  reserved: { name: 'ppi.flags.reserved', label: 'Reserved', type: 'u8', base: 'hex', mask: 0xfe },
  length: { name: 'ppi.length', label: 'Header length', type: 'u16', unit: 'octets' },
  dlt: { name: 'ppi.dlt', label: 'DLT', type: 'u32' },
  fieldType: { name: 'ppi.field_type', label: 'Field type', type: 'u16', values: TYPES },
  fieldLength: { name: 'ppi.field_len', label: 'Field length', type: 'u16', unit: 'octets' },
  spectrum: { name: 'ppi.spectrum-map', label: 'Radio spectrum map', type: 'bytes' },
  process: { name: 'ppi.proc-info', label: 'Process information', type: 'bytes' },
  capture: { name: 'ppi.cap-info', label: 'Capture information', type: 'bytes' },
  unknown: { name: 'ppi.reserved', label: 'Reserved', type: 'bytes' },
  interfaceId: { name: 'ppi.aggregation_extension.interface_id', label: 'Interface ID', type: 'u32' },
});

/** What the flags of a channel say, of the fields whose names begin so. */
const channelFlags = (prefix: string) =>
  fields({
    turbo: { name: `${prefix}.turbo`, label: 'Turbo', type: 'bool', mask: 0x10 },
    cck: { name: `${prefix}.cck`, label: 'Complementary Code Keying (CCK)', type: 'bool', mask: 0x20 },
    ofdm: { name: `${prefix}.ofdm`, label: 'OFDM', type: 'bool', mask: 0x40 },
    ghz2: { name: `${prefix}.2ghz`, label: '2 GHz spectrum', type: 'bool', mask: 0x80 },
    ghz5: { name: `${prefix}.5ghz`, label: '5 GHz spectrum', type: 'bool', mask: 0x100 },
    passive: { name: `${prefix}.passive`, label: 'Passive', type: 'bool', mask: 0x200 },
    dynamic: { name: `${prefix}.dynamic`, label: 'Dynamic CCK-OFDM', type: 'bool', mask: 0x400 },
    gfsk: { name: `${prefix}.gfsk`, label: 'GFSK', type: 'bool', mask: 0x800 },
  });
const CHANNEL = channelFlags('ppi.80211-common.chan.flags');
const EXTENDED = channelFlags('ppi.80211-mac-phy.ext-chan.flags');

/** 802.11-Common. */
const C = fields({
  tsft: { name: 'ppi.80211-common.tsft', label: 'TSFT', type: 'u64' },
  flags: { name: 'ppi.80211-common.flags', label: 'Flags', type: 'u16', base: 'hex' },
  fcs: { name: 'ppi.80211-common.flags.fcs', label: 'FCS present flag', type: 'bool', mask: HAS_FCS },
  millis: { name: 'ppi.80211-common.flags.tsft', label: 'TSFT flag', type: 'bool', mask: 2 },
  invalid: { name: 'ppi.80211-common.flags.fcs-invalid', label: 'FCS validity', type: 'bool', mask: 4 },
  phyError: { name: 'ppi.80211-common.flags.phy-err', label: 'PHY error flag', type: 'bool', mask: 8 },
  rate: { name: 'ppi.80211-common.rate', label: 'Data rate (kb/s)', type: 'u16' },
  frequency: { name: 'ppi.80211-common.chan.freq', label: 'Channel frequency', type: 'u16', unit: 'MHz' },
  channel: { name: 'ppi.80211-common.chan.flags', label: 'Channel flags', type: 'u16', base: 'hex' },
  hopset: { name: 'ppi.80211-common.fhss.hopset', label: 'FHSS hopset', type: 'u8', base: 'hex' },
  pattern: { name: 'ppi.80211-common.fhss.pattern', label: 'FHSS pattern', type: 'u8', base: 'hex' },
  signal: { name: 'ppi.80211-common.dbm.antsignal', label: 'dBm antenna signal', type: 'i8', unit: 'dBm' },
  noise: { name: 'ppi.80211-common.dbm.antnoise', label: 'dBm antenna noise', type: 'i8', unit: 'dBm' },
});

/** 802.11n, of the MAC and of the MAC and PHY. */
const N = fields({
  flags: { name: 'ppi.80211n-mac.flags', label: 'MAC flags', type: 'u32', base: 'hex' },
  greenfield: { name: 'ppi.80211n-mac.flags.greenfield', label: 'Greenfield flag', type: 'bool', mask: 1 },
  ht40: { name: 'ppi.80211n-mac.flags.ht20_40', label: 'HT20/HT40 flag', type: 'bool', mask: 2 },
  guard: {
    name: 'ppi.80211n-mac.flags.rx.short_guard_interval',
    label: 'RX Short Guard Interval',
    type: 'bool',
    mask: 4,
  },
  duplicate: { name: 'ppi.80211n-mac.flags.rx.duplicate', label: 'Duplicate RX flag', type: 'bool', mask: 8 },
  aggregate: { name: 'ppi.80211n-mac.flags.agg', label: 'Aggregate flag', type: 'bool', mask: 0x10 },
  more: { name: 'ppi.80211n-mac.flags.more_agg', label: 'More aggregates flag', type: 'bool', mask: 0x20 },
  crcError: {
    name: 'ppi.80211n-mac.flags.delim_crc_error_after',
    label: 'A-MPDU Delimiter CRC error after this frame flag',
    type: 'bool',
    mask: 0x40,
  },
  id: { name: 'ppi.80211n-mac.ampdu_id', label: 'AMPDU-ID', type: 'u32', base: 'hex' },
  delimiters: { name: 'ppi.80211n-mac.num_delimiters', label: 'Num-Delimiters', type: 'u8' },
  reserved: { name: 'ppi.80211n-mac.reserved', label: 'Reserved', type: 'u24', base: 'hex' },
  mcs: { name: 'ppi.80211n-mac-phy.mcs', label: 'MCS', type: 'u8' },
  streams: { name: 'ppi.80211n-mac-phy.num_streams', label: 'Number of spatial streams', type: 'u8' },
  rssi: { name: 'ppi.80211n-mac-phy.rssi.combined', label: 'RSSI combined', type: 'u8' },
  frequency: { name: 'ppi.80211-mac-phy.ext-chan.freq', label: 'Ext. channel frequency', type: 'u16', unit: 'MHz' },
  channel: { name: 'ppi.80211-mac-phy.ext-chan.flags', label: 'Channel flags', type: 'u16', base: 'hex' },
});
const NUMBERS = [0, 1, 2, 3] as const;
/** Of antennas 0 to 3: RSSI of the control channel and of the extension channel, signal and noise; and what EVMs there are. */
const ANTENNAS = {
  control: NUMBERS.map((i) => antenna(`rssi.ant${i}ctl`, `Antenna ${i} control RSSI`, 'u8')),
  extension: NUMBERS.map((i) => antenna(`rssi.ant${i}ext`, `Antenna ${i} extension RSSI`, 'u8')),
  signal: NUMBERS.map((i) => antenna(`dbmant${i}.signal`, `dBm antenna ${i} signal`, 'i8')),
  noise: NUMBERS.map((i) => antenna(`dbmant${i}.noise`, `dBm antenna ${i} noise`, 'i8')),
  evm: NUMBERS.map((i) => antenna(`evm${i}`, `EVM-${i}`, 'u32')),
};

function antenna(name: string, label: string, type: 'u8' | 'i8' | 'u32'): Field {
  return fields({ f: { name: `ppi.80211n-mac-phy.${name}`, label, type } }).f;
}

/** Ethernet with a check sequence, or with an error. */
const X = fields({
  flags: { name: 'ppi.8023_extension.flags', label: 'Flags', type: 'u32', base: 'hex' },
  fcs: { name: 'ppi.8023_extension.flags.fcs_present', label: 'FCS Present Flag', type: 'bool', mask: HAS_FCS },
  errors: { name: 'ppi.8023_extension.errors', label: 'Errors', type: 'u32', base: 'hex' },
  fcsError: { name: 'ppi.8023_extension.errors.fcs', label: 'FCS Error', type: 'bool', mask: 1 },
  sequence: { name: 'ppi.8023_extension.errors.sequence', label: 'Sequence Error', type: 'bool', mask: 2 },
  symbol: { name: 'ppi.8023_extension.errors.symbol', label: 'Symbol Error', type: 'bool', mask: 4 },
  data: { name: 'ppi.8023_extension.errors.data', label: 'Data Error', type: 'bool', mask: 8 },
});

const E = experts({
  length: { code: 'ppi.bad-length', severity: 'error', malformed: true, message: 'Invalid length' },
});

/** Where the field behind that at `at` starts, in the header at `off`. */
function nextField(b: Uint8Array, off: number, at: number): number {
  const end = at + FIELD + u16le(b, at + 2);
  return (b[off + 1] & ALIGNED) === 0 ? end : end + ((off - end) & 3);
}

interface Found {
  /** Where the frame starts; -1: behind what was captured. */
  at: number;
  /** Whether it is of 802.11. */
  radio: boolean;
  /** Octets of a check sequence behind an 802.11 frame. */
  check: number;
}
/** One object serves all packets. */
const found: Found = { at: -1, radio: false, check: 0 };

function find(b: Uint8Array, off: number, end: number): Found {
  const at = off + Math.max(HEADER, u16le(b, off + 2));
  found.at = at <= end ? at : -1;
  found.radio = u32le(b, off + 4) === LINK_80211;
  found.check = 0;
  for (let f = off + HEADER; f + FIELD <= Math.min(at, end); f = nextField(b, off, f)) {
    const type = u16le(b, f);
    if (type === N_MAC || type === N_MAC_PHY) found.radio = true;
    const isCommon = type === COMMON && u16le(b, f + 2) === LENGTHS[COMMON] && f + FIELD + LENGTHS[COMMON] <= end;
    if (isCommon && (u16le(b, f + FIELD + 8) & HAS_FCS) !== 0) found.check = FCS;
  }
  return found;
}

function flags(t: Tree, at: number, length: number, word: number, list: readonly Field[]): void {
  t.push();
  for (const f of list) t.bits(f, at, length, word);
  t.pop();
}

function common(t: Tree, b: Uint8Array, at: number): void {
  t.big(C.tsft, at, 8, u64le(b, at));
  const bits = u16le(b, at + 8);
  t.num(C.flags, at + 8, 2, bits);
  flags(t, at + 8, 2, bits, [C.fcs, C.millis, C.invalid, C.phyError]);
  t.num(C.rate, at + 10, 2, u16le(b, at + 10) * 500);
  t.num(C.frequency, at + 12, 2, u16le(b, at + 12));
  t.num(C.channel, at + 14, 2, u16le(b, at + 14));
  flags(t, at + 14, 2, u16le(b, at + 14), Object.values(CHANNEL));
  t.num(C.hopset, at + 16, 1, u8(b, at + 16));
  t.num(C.pattern, at + 17, 1, u8(b, at + 17));
  t.num(C.signal, at + 18, 1, i8(b, at + 18));
  t.num(C.noise, at + 19, 1, i8(b, at + 19));
}

const MAC_FLAGS = [N.greenfield, N.ht40, N.guard, N.duplicate, N.aggregate, N.more, N.crcError];

function mac(t: Tree, b: Uint8Array, at: number, phy: boolean): void {
  const bits = u32le(b, at);
  t.num(N.flags, at, 4, bits);
  flags(t, at, 4, bits, MAC_FLAGS);
  t.num(N.id, at + 4, 4, u32le(b, at + 4));
  t.num(N.delimiters, at + 8, 1, u8(b, at + 8));
  if (!phy) {
    t.num(N.reserved, at + 9, 3, u32le(b, at + 8) >>> 8);
    return;
  }
  t.num(N.mcs, at + 9, 1, u8(b, at + 9));
  t.num(N.streams, at + 10, 1, u8(b, at + 10));
  t.num(N.rssi, at + 11, 1, u8(b, at + 11));
  for (const i of NUMBERS) {
    t.num(ANTENNAS.control[i], at + 12 + i, 1, u8(b, at + 12 + i));
    t.num(ANTENNAS.extension[i], at + 16 + i, 1, u8(b, at + 16 + i));
  }
  t.num(N.frequency, at + 20, 2, u16le(b, at + 20));
  t.num(N.channel, at + 22, 2, u16le(b, at + 22));
  flags(t, at + 22, 2, u16le(b, at + 22), Object.values(EXTENDED));
  for (const i of NUMBERS) {
    t.num(ANTENNAS.signal[i], at + 24 + 2 * i, 1, i8(b, at + 24 + 2 * i));
    t.num(ANTENNAS.noise[i], at + 25 + 2 * i, 1, i8(b, at + 25 + 2 * i));
  }
  for (const i of NUMBERS) t.num(ANTENNAS.evm[i], at + 32 + 4 * i, 4, u32le(b, at + 32 + 4 * i));
}

function ethernetExtension(t: Tree, b: Uint8Array, at: number): void {
  t.num(X.flags, at, 4, u32le(b, at));
  flags(t, at, 4, u32le(b, at), [X.fcs]);
  t.num(X.errors, at + 4, 4, u32le(b, at + 4));
  flags(t, at + 4, 4, u32le(b, at + 4), [X.fcsError, X.sequence, X.symbol, X.data]);
}

const OCTETS: Readonly<Record<number, Field>> = { 5: F.spectrum, 6: F.process, 7: F.capture };

/** One field of the header. */
function field(t: Tree, v: View, at: number, type: number, n: number): void {
  const { buf } = v;
  const value = at + FIELD;
  const wanted = LENGTHS[type];
  if (wanted === undefined) {
    if (PLACES[type] !== undefined) t.layer(PLACES[type]);
    else t.bytes(OCTETS[type] ?? F.unknown, at, FIELD + n);
    return;
  }
  t.num(F.fieldType, at, 2, type);
  t.push();
  t.num(F.fieldLength, at + 2, 2, n);
  if (n !== wanted) t.expert(E.length);
  else if (type === COMMON) common(t, buf, value);
  else if (type === AGGREGATION) t.num(F.interfaceId, value, 4, u32le(buf, value));
  else if (type === ETHERNET_EXTENSION) ethernetExtension(t, buf, value);
  else mac(t, buf, value, type === N_MAC_PHY);
  t.pop();
}

/** Every field, under keys that tell them apart. */
const FIELDS: Readonly<Record<string, Field>> = Object.fromEntries(
  [F, C, N, X, CHANNEL, EXTENDED, ...Object.values(ANTENNAS)]
    .flatMap((o) => Object.values<Field>(o))
    .map((f) => [f.name, f]),
);

export const ppi = defineDissector({
  proto: 'ppi',
  title: 'PPI Packet Header',
  short: 'PPI',
  spec: 'LINKTYPE_PPI',
  fields: FIELDS,
  experts: E,
  on: { link: [192] },
  tables: ['radiotap', 'link'],

  peek(p: Peek) {
    if (p.end - p.off < HEADER) return p.stop();
    const { at, radio, check } = find(p.buf, p.off, p.end);
    if (at < 0) return p.stop();
    p.key = radio ? 0 : u32le(p.buf, p.off + 4);
    p.table = radio ? 'radiotap' : 'link';
    if (radio) p.wireEnd -= check;
    if (p.end > p.wireEnd) p.end = p.wireEnd;
    p.off = Math.min(at, p.end);
  },

  dissect(v, t, cx) {
    const { buf, off } = v;
    t.open(F.ppi, off, Math.min(v.length, HEADER));
    need(v, HEADER);
    const length = u16le(buf, off + 2);
    t.num(F.version, off, 1, u8(buf, off));
    t.num(F.flags, off + 1, 1, u8(buf, off + 1));
    flags(t, off + 1, 1, u8(buf, off + 1), [F.aligned, F.reserved]);
    t.num(F.length, off + 2, 2, length);
    t.num(F.dlt, off + 4, 4, u32le(buf, off + 4));
    const end = off + Math.max(HEADER, length);
    for (let at = off + HEADER; at < end; at = nextField(buf, off, at)) {
      need(v, FIELD, at);
      need(v, FIELD + u16le(buf, at + 2), at);
      field(t, v, at, u16le(buf, at), u16le(buf, at + 2));
    }
    t.pop();
    const { at, radio, check } = find(buf, off, v.end);
    if (!radio) return packetData(t, cx, u32le(buf, off + 4), v.sub(at));
    const stop = v.wireEnd - check;
    if (check > 0 && v.end === v.wireEnd && stop >= at) t.num(FRAME_CHECK, stop, FCS, u32le(buf, stop));
    cx.next('radiotap', 0, v.sub(at, stop));
  },

  summary: (v) => (v.length < HEADER ? 'Header cut short' : `PPI, ${u16le(v.buf, v.off + 2)} octets of header`),
});
