import {
  type Codec,
  defineDissector,
  type Field,
  fields,
  nameOf,
  need,
  type Tree,
  u8,
  type ValueStrings,
  type View,
} from 'fttscope/kit';
import { WIDE_BITS } from './amr.js';

/**
 * Enhanced Voice Services in RTP, TS 26.445 annex A. A payload of one of the protected sizes is one frame in Compact format
 * (A.2.1); any other has a header (A.2.2): a mode request if its first bit is set, and an entry for each frame.
 *
 *     +-+-----+-------+ +-+-+-----------+
 *     |1|  T  |   D   | |0|F|M|Q|  rate  | … frames, each padded to whole octets
 *     +-+-----+-------+ +-+-+-----------+
 */

/** Bits of a frame by rate, TS 26.445 table A.1: EVS Primary, and interoperable with AMR-WB. */
const PRIMARY_BITS = [56, 144, 160, 192, 264, 328, 488, 640, 960, 1280, 1920, 2560, 48];
/** Sizes of Compact payloads in octets. TS 26.445 table A.1. */
const PRIMARY_SIZES = new Map(PRIMARY_BITS.map((bits, rate) => [bits / 8, rate]));
/** With three bits of mode request before the frame. TS 26.445 §A.2.1.2. */
const IO_SIZES = new Map(WIDE_BITS.slice(0, 9).map((bits, rate) => [Math.ceil((bits + 3) / 8), rate]));
/** Octets of the one size that both formats have. */
const AMBIGUOUS = 7;

const RATES = ['2.8', '7.2', '8.0', '9.6', '13.2', '16.4', '24.4', '32.0', '48.0', '64.0', '96.0', '128.0'];
const IO_RATES = ['6.6', '8.85', '12.65', '14.24', '15.85', '18.25', '19.85', '23.05', '23.85'];
const REQUESTS = ['5.9', '7.2', '8', '9.6', '13.2', '16.4', '24.4', '32', '48', '64', '96', '128'];
const IO_REQUESTS = ['6.6', '8.8', '12.65', '14.25', '15.85', '18.25', '19.85', '23.05', '23.85'];
const AWARE = ['L-O2', 'L-O2', 'L-O5', 'L-O7', 'H-O2', 'H-O3', 'H-O5', 'H-O7'];

const primaryRate = (n: number): string =>
  RATES[n] !== undefined
    ? `Primary ${RATES[n]} kbps`
    : ['Primary 2.4 kbps SID', 'For future use', 'SPEECH_LOST', 'NO_DATA'][n - 12];
const ioRate = (n: number): string =>
  IO_RATES[n] !== undefined
    ? `AMR-WB IO ${IO_RATES[n]} kbps`
    : n === 9
      ? 'AMR-WB IO 2.0 kbps SID'
      : n === 14
        ? 'SPEECH_LOST'
        : n === 15
          ? 'NO_DATA'
          : 'For future use';

/** Requests for a bandwidth, from rate `least` to `most`. TS 26.445 table A.3. */
const requests =
  (band: string, least: number, most: number): ValueStrings =>
  (n) =>
    n < least || n > most ? 'Not used' : `${band} ${REQUESTS[n]} kbps${n === 0 ? ' (VBR)' : ''}`;
const NARROW = ['5.9', '7.2', '8.0', '9.6', '13.2', '16.4', '24.4'];
const narrowRequest: ValueStrings = (n) =>
  NARROW[n] === undefined ? 'Not used' : `NB ${NARROW[n]} kbps${n === 0 ? ' (VBR)' : ''}`;
const ioRequest: ValueStrings = (n) =>
  IO_REQUESTS[n] === undefined ? 'Not used' : `AMR-WB IO ${IO_REQUESTS[n]} kbps (mode-set ${n})`;
const aware =
  (band: string): ValueStrings =>
  (n) =>
    AWARE[n] === undefined ? 'Not used' : `${band} 13.2 kbps CA-${AWARE[n]}`;
const noRequest: ValueStrings = (n) => (n === 15 ? 'NO_REQ' : 'Reserved');
const IO_CMR = ['6.6', '8.85', '12.65', '15.85', '18.25', '23.05', '23.85'];
const ioCmr: ValueStrings = (n) => (IO_CMR[n] === undefined ? 'none' : `AMR-WB IO ${IO_CMR[n]} kbps`);

/** "NB generic" … by index: bandwidth and coding types. */
const signals = (...groups: readonly [string, string][]): ValueStrings => {
  const names = groups.flatMap(([band, types]) => types.split(' ').map((type) => `${band} ${type}`));
  return (n) => names[n];
};
/** TS 26.445 §7.1.1, §7.1.2: signalling bits of the rates up to 13.2 kbit/s and of 32 and 64 kbit/s. */
const INDEX_72 = signals(
  ['NB', 'generic unvoiced voiced transition audio inactive'],
  ['WB', 'generic unvoiced voiced transition audio inactive'],
  ['NB', 'generic'],
  ['WB', 'generic'],
  ['NB', 'lrMDCT'],
);
const INDEX_132 = signals(
  ['NB', 'generic voiced transition audio inactive'],
  ['WB', 'generic voiced transition audio inactive'],
  ['SWB', 'generic voiced transition audio inactive'],
  ['NB', 'generic voiced'],
  ['WB', 'generic voiced'],
  ['SWB', 'generic voiced'],
  ['WB', 'generic unvoiced voiced inactive'],
  ['SWB', 'generic unvoiced voiced inactive'],
  ['NB', 'lrMDCT'],
  ['WB', 'lrMDCT'],
  ['SWB', 'lrMDCT'],
);
const INDEX_320 = signals(
  ['WB', 'generic transition inactive'],
  ['SWB', 'generic transition inactive'],
  ['FB', 'generic transition inactive'],
  ['WB', 'generic transition'],
  ['SWB', 'generic transition'],
  ['FB', 'generic transition'],
);
const INDEX_640 = signals(
  ['WB', 'generic transition inactive'],
  ['SWB', 'generic transition inactive'],
  ['FB', 'generic transition inactive'],
  ['SWB', 'generic transition'],
  ['FB', 'generic transition'],
);
const BANDS = { 0: 'NB', 1: 'WB', 2: 'SWB', 3: 'FB' };
const KILOHERTZ = { 0: '12.8 kHz', 1: '16 kHz' };

const request = (n: number, values: ValueStrings) =>
  ({ name: `evs.cmr_t${n}_d`, label: 'D', type: 'u8', mask: 0x0f, values }) as const;

const F = fields({
  evs: { name: 'evs', label: 'Enhanced Voice Services', type: 'protocol' },
  part: { name: 'text', label: 'Part', type: 'none' },
  length: { name: 'evs.packet_length', label: 'Packet length', type: 'i32', unit: 'bits' },
  voice: { name: 'evs.voice_data', label: 'Voice data', type: 'bytes' },
  h: { name: 'evs.h_bit', label: 'Header Type identification bit (H)', type: 'bool', mask: 0x80 },
  requestType: { name: 'evs.cmr_t', label: 'Type of Request(T)', type: 'u8', mask: 0x70 },
  request0: request(0, narrowRequest),
  request1: request(1, ioRequest),
  request2: request(3, requests('WB', 0, 11)), // Wireshark has one name for wideband and super-wideband
  request3: request(3, requests('SWB', 3, 11)),
  request4: request(4, requests('FB', 5, 11)),
  request5: request(5, aware('WB')),
  request6: request(6, aware('SWB')),
  request7: request(7, noRequest),
  f: { name: 'evs.f_bit', label: 'F', type: 'bool', mask: 0x40 },
  mode: {
    name: 'evs.mode_bit',
    label: 'EVS Mode',
    type: 'u8',
    mask: 0x20,
    values: { 0: 'EVS Primary mode', 1: 'EVS AMR-WB IO' },
  },
  spare: { name: 'evs.toc_spare', label: 'Unused', type: 'u8', mask: 0x10 },
  quality: { name: 'evs.amr_wb_q_bit', label: 'AMR WB Q bit', type: 'bool', mask: 0x10 },
  rate: { name: 'evs.bit_rate_mode_0', label: 'EVS mode and bit rate', type: 'u8', mask: 0x0f, values: primaryRate },
  ioRate: { name: 'evs.bit_rate_mode_1', label: 'EVS mode and bit rate', type: 'u8', mask: 0x0f, values: ioRate },
  ioCmr: { name: 'evs.cmr_amr_io', label: 'CMR', type: 'u8', mask: 0xe0, values: ioCmr },
  ioCmrHidden: { name: 'evs.cmr_amr_io', label: 'CMR', type: 'u8', mask: 0xe0, values: ioCmr, hidden: true },
  band: { name: 'evs.bw', label: 'BW', type: 'u8', values: BANDS },
  reserved: { name: 'evs.reserved_1bit', label: 'Reserved', type: 'u8' },
  switch: { name: 'evs.celp_switch_to_mdct_core', label: 'CELP->HQ-MDCT core', type: 'u8' },
  core: {
    name: 'evs.celp_mdct_core',
    label: 'CELP/MDCT core',
    type: 'u8',
    values: { 0: 'CELP', 1: 'MDCT' },
  },
  tcx: {
    name: 'evs.tcx_hq_mdct_core',
    label: 'TCX/HQ-MDCT core',
    type: 'u8',
    values: { 0: 'HQ-MDCT core', 1: 'TCX Core' },
  },
  cng: { name: 'evs.sid.cng', label: 'CNG type', type: 'u8', values: { 0: 'LP-CNG SID', 1: 'FD-CNG' } },
  celpRate: { name: 'evs.sid.celp_sample_rate', label: 'CELP Sample Rate', type: 'u8', values: KILOHERTZ },
  coreRate: { name: 'evs.sid.core_sample_rate', label: 'Core sampling rate indicator', type: 'u8', values: KILOHERTZ },
  index132: { name: 'evs.132.bwctrf_idx', label: 'BW CT RF Index', type: 'u8', values: INDEX_132 },
  frameType: {
    name: 'evs.28.frame_type',
    label: 'Frame type',
    type: 'u8',
    values: { 0: 'Primary PPP/NELP', 1: 'AMR-WB IO SID' },
  },
  ppp: {
    name: 'evs.28.bw_ppp_nelp',
    label: 'BW PPP/NELP',
    type: 'u8',
    values: { 0: 'NB PPP', 1: 'WB PPP', 2: 'NB NELP', 3: 'WB NELP' },
  },
  index72: { name: 'evs.72.80.bwct_idx', label: 'BW CT Index', type: 'u8', values: INDEX_72 },
  index320: { name: 'evs.320.bwct_idx', label: 'BW CT Index', type: 'u8', values: INDEX_320 },
  index640: { name: 'evs.640.bwct_idx', label: 'BW CT Index', type: 'u8', values: INDEX_640 },
});

/** Requests by their type T. TS 26.445 table A.3. */
const REQUEST_FIELDS: readonly Field[] = [
  F.request0,
  F.request1,
  F.request2,
  F.request3,
  F.request4,
  F.request5,
  F.request6,
  F.request7,
];

/** One frame behind a header: the six bits of its entry that follow F (mode, quality, rate), and its octets. */
export interface EvsFrame {
  entry: number;
  data: Uint8Array;
}
/** A payload: one frame in Compact format, or frames behind a header with the request (T and D), -1 without one. */
export type EvsPayload = { compact: Uint8Array } | { request: number; frames: EvsFrame[] };

/** Whether a payload is in Compact format: 56 bits are it only if the first is 0. TS 26.445 §A.2.1.3. */
const isCompact = (b: Uint8Array, o: number, n: number): boolean =>
  (PRIMARY_SIZES.has(n) && (n !== AMBIGUOUS || b[o] < 0x80)) || IO_SIZES.has(n);

/** Octets of the frame that an entry announces. */
export function frameOctets(entry: number): number {
  const bits = (entry & 0x20) !== 0 ? WIDE_BITS[entry & 0x0f] : PRIMARY_BITS[entry & 0x0f];
  return bits === undefined ? 0 : Math.ceil(bits / 8); // lost frames and "no data" have none
}

const codec: Codec<EvsPayload> = {
  parse(b, o, end) {
    if (isCompact(b, o, end - o)) return { compact: b.slice(o, end) };
    let at = o;
    const wanted = at < end && b[at] >= 0x80 ? b[at++] & 0x7f : -1;
    const entries: number[] = [];
    for (let more = true; more && at < end; at++) {
      entries.push(b[at] & 0x3f);
      more = (b[at] & 0x40) !== 0;
    }
    const frames = entries.map((entry) => {
      const from = at;
      at = Math.min(end, at + frameOctets(entry));
      return { entry, data: b.slice(from, at) };
    });
    return { request: wanted, frames };
  },
  size(r) {
    if ('compact' in r) return r.compact.length;
    return r.frames.reduce((n, f) => n + 1 + f.data.length, r.request < 0 ? 0 : 1);
  },
  emit(r, b, o) {
    if ('compact' in r) {
      b.set(r.compact, o);
      return r.compact.length;
    }
    let at = o;
    if (r.request >= 0) b[at++] = 0x80 | r.request;
    for (const [i, f] of r.frames.entries()) b[at++] = (i + 1 < r.frames.length ? 0x40 : 0) | f.entry;
    for (const f of r.frames) {
      b.set(f.data, at);
      at += f.data.length;
    }
    return at - o;
  },
};

export const evs = defineDissector<EvsPayload>({
  proto: 'evs',
  title: 'Enhanced Voice Services',
  short: 'EVS',
  spec: 'TS 26.445 annex A',
  fields: F,
  on: { rtp_dyn_payload_type: ['evs'] },

  dissect(v, t) {
    need(v, 1);
    t.open(F.evs, v.off, v.length);
    const compact = v.end === v.wireEnd && isCompact(v.buf, v.off, v.length);
    t.open(F.part, v.off, 0, t.labels ? `Framing Mode: ${compact ? 'Compact' : 'Header-full'}` : undefined);
    t.pop();
    if (compact) compactFrame(v, t);
    else headerFull(v, t);
    t.pop();
  },

  codec,
});

function compactFrame(v: View, t: Tree): void {
  const { off, buf, length } = v;
  t.num(F.length, off, length, 8 * length);
  const io = IO_SIZES.get(length);
  if (io !== undefined) {
    t.bits(F.ioCmr, off, 1, u8(buf, off));
    t.open(F.part, off, length, t.labels ? `Voice Data (${ioRate(io)})` : undefined);
    t.pop();
    t.bits(F.ioCmrHidden, off, 1, u8(buf, off)); // Wireshark has it twice
    return;
  }
  const rate = PRIMARY_SIZES.get(length)!;
  t.open(F.part, off, length, t.labels ? `Voice Data (${primaryRate(rate)})` : undefined);
  signalling(new Bits(buf, off, t), rate);
  t.pop();
}

/** Takes the bits of the first octet one field after the other. */
class Bits {
  private at = 0;
  constructor(
    private readonly b: Uint8Array,
    private readonly off: number,
    private readonly t: Tree,
  ) {}
  take(f: Field, n: number): number {
    const value = (u8(this.b, this.off) >> (8 - this.at - n)) & ((1 << n) - 1);
    this.at += n;
    this.t.num(f, this.off, 1, value);
    return value;
  }
}

/** What the first bits of a primary frame say about its coding, TS 26.445 §7.1. */
function signalling(bits: Bits, rate: number): void {
  switch (PRIMARY_BITS[rate]) {
    case 48:
      if (bits.take(F.cng, 1) === 1) {
        bits.take(F.band, 2);
        bits.take(F.celpRate, 1);
      } else {
        bits.take(F.band, 1);
        bits.take(F.coreRate, 1);
      }
      break;
    case 56:
      bits.take(F.frameType, 1);
      bits.take(F.ppp, 2);
      break;
    case 144:
    case 160:
      bits.take(F.index72, 4);
      break;
    case 192:
      bits.take(F.band, 2);
      break;
    case 264:
      bits.take(F.index132, 5);
      break;
    case 640:
      if (bits.take(F.core, 1) === 0) bits.take(F.index320, 4);
      else if (bits.take(F.tcx, 1) === 1) bits.take(F.band, 2);
      break;
    case 1280:
      if (bits.take(F.core, 1) === 0) bits.take(F.index640, 4);
      else {
        if (bits.take(F.switch, 1) === 1) bits.take(F.celpRate, 1);
        bits.take(F.band, 2);
      }
      break;
    default:
      bits.take(F.band, 2);
      bits.take(F.reserved, 1);
      if (PRIMARY_BITS[rate] === 488 && bits.take(F.core, 1) === 1) bits.take(F.tcx, 1);
  }
}

function headerFull(v: View, t: Tree): void {
  const { buf } = v;
  let at = v.off;
  if (u8(buf, at) >= 0x80) {
    modeRequest(t, buf, at);
    at++;
  }
  const entries: number[] = [];
  for (let more = true; more; at++) {
    need(v, 1, at);
    const octet = u8(buf, at);
    entries.push(octet & 0x3f);
    entry(t, at, octet, entries.length);
    more = (octet & 0x40) !== 0;
  }
  for (const [i, e] of entries.entries()) {
    const n = frameOctets(e);
    const there = Math.min(n, v.end - at);
    if (there > 0 || n === 0) {
      t.open(F.part, at, there, t.labels ? `Speech frame for TOC # ${i + 1}` : undefined);
      t.bytes(F.voice, at, there);
      t.pop();
    }
    need(v, n, at);
    at += n;
  }
}

/** TS 26.445 §A.2.2.1.1. */
function modeRequest(t: Tree, b: Uint8Array, at: number): void {
  const octet = u8(b, at);
  const field = REQUEST_FIELDS[(octet >> 4) & 7];
  t.open(F.part, at, 1, t.labels ? `CMR ${nameOf(field.values!, octet & 0x0f)}` : undefined);
  t.bits(F.h, at, 1, octet);
  t.bits(F.requestType, at, 1, octet);
  t.bits(field, at, 1, octet);
  t.pop();
}

/** TS 26.445 §A.2.2.1.2. */
function entry(t: Tree, at: number, octet: number, number: number): void {
  t.open(F.part, at, 1, t.labels ? `TOC # ${number}` : undefined);
  t.bits(F.h, at, 1, octet);
  t.bits(F.f, at, 1, octet);
  t.bits(F.mode, at, 1, octet);
  const io = (octet & 0x20) !== 0;
  t.bits(io ? F.quality : F.spare, at, 1, octet);
  t.bits(io ? F.ioRate : F.rate, at, 1, octet);
  t.pop();
}
