import { defineDissector, fields, need, type Peek, type Tree, u8, u16le, u32le, u64le, type View } from 'fttscope/kit';
import { FRAME_CHECK } from './ieee80211.js';

/**
 * Radiotap, LINKTYPE_IEEE802_11_RADIOTAP (www.radiotap.org): what the radio knows about a frame, before the frame.
 * Numbers are little-endian; each bit of the present words announces a field, aligned to its size:
 *
 *     +---------+---------+--------------+-------------------+- - - - - - - - - - -+-------------+
 *     | Version |   Pad   |  Length (2)  |  Present words (4) | fields               | 802.11 frame|
 *     +---------+---------+--------------+-------------------+- - - - - - - - - - -+-------------+
 */
const HEADER = 8;
const MORE = 0x80000000;
const TSFT = 1;
const FLAGS = 2;
const RATE = 4;
const CHANNEL = 8;
const SIGNAL = 0x20;
const NOISE = 0x40;
const ANTENNA = 0x800;
/** Octets and alignment of the fields announced by bits 0 to 11, in their order. */
const SIZES = [8, 1, 1, 4, 2, 1, 1, 2, 2, 2, 1, 1];
const ALIGNMENT = [8, 1, 1, 2, 1, 1, 1, 2, 2, 2, 1, 1];
const HAS_FCS = 0x10;
const FCS = 4;

const F = fields({
  radiotap: { name: 'radiotap', label: 'IEEE 802.11 Radiotap Capture header', type: 'protocol' },
  version: { name: 'radiotap.version', label: 'Header revision', type: 'u8' },
  pad: { name: 'radiotap.pad', label: 'Header pad', type: 'u8' },
  length: { name: 'radiotap.length', label: 'Header length', type: 'u16' },
  present: { name: 'radiotap.present', label: 'Present flags', type: 'none' },
  word: { name: 'radiotap.present.word', label: 'Present flags word', type: 'u32', base: 'hex' },
  tsft: { name: 'radiotap.mactime', label: 'MAC timestamp', type: 'u64' },
  flags: { name: 'radiotap.flags', label: 'Flags', type: 'u8', base: 'hex' },
  hasFcs: { name: 'radiotap.flags.fcs', label: 'FCS at end', type: 'bool', mask: HAS_FCS },
  rate: { name: 'radiotap.datarate', label: 'Data rate (Mb/s)', type: 'float' },
  frequency: { name: 'radiotap.channel.freq', label: 'Channel frequency', type: 'u32', unit: 'MHz' },
  signal: { name: 'radiotap.dbm_antsignal', label: 'Antenna signal', type: 'i8', unit: 'dBm' },
  noise: { name: 'radiotap.dbm_antnoise', label: 'Antenna noise', type: 'i8', unit: 'dBm' },
  antenna: { name: 'radiotap.antenna', label: 'Antenna', type: 'u32' },
});
const R = fields({ radio: { name: 'wlan_radio', label: '802.11 radio information', type: 'protocol' } });

/** A header as it stands, and the frame. */
export interface RadiotapFrame {
  /** Present words and fields: all between the length and the frame. */
  header: Uint8Array;
  payload: Uint8Array;
}

const headerLength = (b: Uint8Array, o: number) => u16le(b, o + 2);
const presentOf = (b: Uint8Array, o: number) => u32le(b, o + 4);

/** Where the fields start: behind the last present word. */
function fieldsAt(b: Uint8Array, off: number, end: number): number {
  let at = off + 4;
  while (at + 4 <= end && (u32le(b, at) & MORE) !== 0) at += 4;
  return at + 4;
}

/** Where the field of a bit is, the bits below it being those of `present`; alignment counts from the header. */
function fieldAt(off: number, start: number, present: number, bit: number): number {
  let at = start - off;
  for (let i = 0; ; i++) {
    if ((present & (1 << i)) === 0) continue;
    at = (at + ALIGNMENT[i] - 1) & -ALIGNMENT[i];
    if (1 << i === bit) return off + at;
    at += SIZES[i];
  }
}

/** Octets of a check sequence behind the frame. */
function checkLength(b: Uint8Array, off: number, end: number): number {
  const present = presentOf(b, off);
  if ((present & FLAGS) === 0) return 0;
  const at = fieldAt(off, fieldsAt(b, off, end), present, FLAGS);
  return at < end && (b[at] & HAS_FCS) !== 0 ? FCS : 0;
}

function items(t: Tree, v: View): void {
  const { buf, off } = v;
  const present = presentOf(buf, off);
  const start = fieldsAt(buf, off, v.end);
  for (let i = 0; i < SIZES.length; i++) {
    const bit = 1 << i;
    if ((present & bit) === 0) continue;
    const at = fieldAt(off, start, present, bit);
    if (at + SIZES[i] > v.end) return;
    if (bit === TSFT) t.big(F.tsft, at, 8, u64le(buf, at));
    else if (bit === FLAGS) {
      t.num(F.flags, at, 1, u8(buf, at));
      t.push();
      t.bits(F.hasFcs, at, 1, u8(buf, at));
      t.pop();
    } else if (bit === RATE) t.num(F.rate, at, 1, u8(buf, at) / 2);
    else if (bit === CHANNEL) t.num(F.frequency, at, 2, u16le(buf, at));
    else if (bit === SIGNAL) t.num(F.signal, at, 1, (u8(buf, at) << 24) >> 24);
    else if (bit === NOISE) t.num(F.noise, at, 1, (u8(buf, at) << 24) >> 24);
    else if (bit === ANTENNA) t.num(F.antenna, at, 1, u8(buf, at));
  }
}

export const radiotap = defineDissector<RadiotapFrame>({
  proto: 'radiotap',
  title: 'IEEE 802.11 Radiotap Capture header',
  short: 'Radiotap',
  spec: 'www.radiotap.org',
  fields: F,
  on: { link: [127] },
  tables: ['wlan', 'radiotap'],

  peek(p: Peek) {
    const { buf, off } = p;
    if (p.end - off < HEADER) return p.stop();
    const n = headerLength(buf, off);
    if (n < HEADER || off + n >= p.end) return p.stop();
    p.wireEnd -= checkLength(buf, off, off + n);
    if (p.end > p.wireEnd) p.end = p.wireEnd;
    p.off = off + n;
    p.table = 'radiotap';
    p.key = 0;
  },

  dissect(v, t, cx) {
    need(v, HEADER);
    const { buf, off } = v;
    const n = headerLength(buf, off);
    t.open(F.radiotap, off, Math.min(v.length, n));
    t.num(F.version, off, 1, u8(buf, off));
    t.num(F.pad, off + 1, 1, u8(buf, off + 1));
    t.num(F.length, off + 2, 2, n);
    need(v, Math.max(HEADER, n));
    const start = fieldsAt(buf, off, off + n);
    t.none(F.present, off + 4, start - off - 4);
    t.push();
    for (let at = off + 4; at + 4 <= start && at + 4 <= v.end; at += 4) t.num(F.word, at, 4, u32le(buf, at));
    t.pop();
    items(t, v.sub(off, off + n));
    t.pop();
    const check = checkLength(buf, off, off + n);
    if (check > 0 && v.end === v.wireEnd && v.end - off >= n + FCS)
      t.num(FRAME_CHECK, v.end - FCS, FCS, u32le(buf, v.end - FCS));
    cx.next('radiotap', 0, v.sub(off + n, v.wireEnd - check));
  },

  summary: (v) =>
    v.length < HEADER ? 'Header cut short' : `Radiotap capture header, ${headerLength(v.buf, v.off)} octets`,

  codec: {
    parse(b, o, end) {
      const n = headerLength(b, o);
      return { header: b.slice(o + 4, o + n), payload: b.slice(o + n, end) };
    },
    size: (r) => 4 + r.header.length + r.payload.length,
    emit(r, b, o) {
      const n = 4 + r.header.length;
      b[o] = 0;
      b[o + 1] = 0;
      b[o + 2] = n;
      b[o + 3] = n >> 8;
      b.set(r.header, o + 4);
      b.set(r.payload, o + n);
      return n + r.payload.length;
    },
  },
});

/** The layer that Wireshark shows between the two, without octets of its own. */
export const wlanRadio = defineDissector({
  proto: 'wlan_radio',
  title: '802.11 radio information',
  short: '802.11 Radio',
  spec: 'www.radiotap.org',
  fields: R,
  on: { radiotap: [0] },
  tables: ['wlan'],
  peek(p: Peek) {
    p.table = 'wlan';
    p.key = 0;
  },
  dissect(v, t, cx) {
    t.none(R.radio, v.off, 0);
    cx.next('wlan', 0, v);
  },
});
