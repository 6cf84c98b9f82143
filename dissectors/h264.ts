import { defineDissector, experts, fields, need, put16, type Tree, u8, u16, u24, type View } from 'fttscope/kit';

/**
 * H.264 video in RTP, RFC 6184 §5: a NAL unit, several in one packet (STAP, MTAP), or a part of one (FU).
 *
 *     +-+-----+---------+ +-------------------------------+ +-+-+-+---------+
 *     |F| NRI |  Type   | | size of a unit (aggregation)  | |S|E|R|  Type   | (fragmentation)
 *     +-+-----+---------+ +-------------------------------+ +-+-+-+---------+
 *
 * Of the units themselves only the header and the profile of a sequence parameter set are read.
 */
const Type = { Parameters: 7, StapA: 24, StapB: 25, Mtap16: 26, Mtap24: 27, FuA: 28, FuB: 29 } as const;
const LAST_UNIT = 23;
const MOST_UNITS = 256;

const UNITS = [
  'Undefined',
  'Coded slice of a non-IDR picture',
  'Coded slice data partition A',
  'Coded slice data partition B',
  'Coded slice data partition C',
  'Coded slice of an IDR picture',
  'Supplemental enhancement information (SEI)',
  'Sequence parameter set',
  'Picture parameter set',
  'Access unit delimiter',
  'End of sequence',
  'End of stream',
  'Filler data',
  'Sequence parameter set extension',
  'Prefix',
  'Subset sequence parameter set',
  'Reserved',
  'Reserved',
  'Reserved',
  'Coded slice of an auxiliary coded picture without partitioning',
  'Coded slice extension',
  'Coded slice extension for depth view components',
  'Reserved',
  'Reserved',
];
const PACKETS = [
  'Single-time aggregation packet A (STAP-A)',
  'Single-time aggregation packet B (STAP-B)',
  'Multi-time aggregation packet 16 (MTAP16)',
  'Multi-time aggregation packet 24 (MTAP24)',
  'Fragmentation unit A (FU-A)',
  'Fragmentation unit B (FU-B)',
  'NAL unit - Payload Content Scalability Information (PACSI)',
  'NAL unit - Extended NAL Header',
];
const headerName = (n: number): string =>
  n === 0 ? UNITS[0] : n <= LAST_UNIT ? `NAL unit - ${UNITS[n]}` : PACKETS[n - Type.StapA];
const unitName = (n: number): string => (n === 0 || n > LAST_UNIT ? 'Unspecified' : UNITS[n]);
const PROFILES = {
  66: 'Baseline profile',
  77: 'Main profile',
  83: 'Scalable Baseline',
  86: 'Scalable High',
  88: 'Extended profile',
  100: 'High profile',
  110: 'High 10 profile',
  118: 'Multi-view High',
  122: 'High 4:2:2 profile',
  128: 'Stereo High',
  144: 'High 4:4:4 profile',
};

const flag = (n: number) =>
  ({ name: `h264.constraint_set${n}_flag`, label: `Constraint_set${n}_flag`, type: 'u8', mask: 0x80 >> n }) as const;

const F = fields({
  h264: { name: 'h264', label: 'H.264', type: 'protocol' },
  part: { name: 'text', label: 'Part', type: 'none' },
  f: { name: 'h264.f', label: 'F bit', type: 'bool', mask: 0x80 },
  nri: { name: 'h264.nal_nri', label: 'Nal_ref_idc (NRI)', type: 'u8', mask: 0x60 },
  header: { name: 'h264.nal_unit_hdr', label: 'Type', type: 'u8', mask: 0x1f, values: headerName },
  start: { name: 'h264.start.bit', label: 'Start bit', type: 'bool', mask: 0x80 },
  end: { name: 'h264.end.bit', label: 'End bit', type: 'bool', mask: 0x40 },
  forbidden: { name: 'h264.forbidden.bit', label: 'Forbidden bit', type: 'u8', mask: 0x20 },
  unit: { name: 'h264.nal_unit_type', label: 'Nal_unit_type', type: 'u8', mask: 0x1f, values: unitName },
  size: { name: 'h264.nalu_size', label: 'NAL Unit Size', type: 'u16' },
  don: { name: 'h264.don', label: 'Decoder Order Number', type: 'u16', clause: 'RFC 6184 §5.7' },
  donDelta: { name: 'h264.don_delta', label: 'MTAP Decoder Order Number Delta', type: 'u8' },
  offset16: { name: 'h264.ts_offset16', label: 'MTAP TS Offset', type: 'u16' },
  offset24: { name: 'h264.ts_offset24', label: 'MTAP TS Offset', type: 'u24' },
  profile: { name: 'h264.profile_idc', label: 'Profile_idc', type: 'u8', values: PROFILES },
  set0: flag(0),
  set1: flag(1),
  set2: flag(2),
  set3: flag(3),
  set4: flag(4),
  set5: flag(5),
  zero: { name: 'h264.reserved_zero_2bits', label: 'Reserved_zero_2bits', type: 'u8', mask: 3 },
  level: { name: 'h264.level_id', label: 'Level_id', type: 'u8' },
});
const FLAGS = [F.set0, F.set1, F.set2, F.set3, F.set4, F.set5, F.zero];

const E = experts({
  units: { code: 'h264.too-many-units', severity: 'warn', message: 'Too many units; the rest is not shown' },
});

/** A NAL unit alone; units in a STAP-A; or a part of a unit in an FU-A. `nri` is the importance, 0 to 3. */
export type H264Payload =
  | { unit: Uint8Array }
  | { nri: number; units: Uint8Array[] }
  | { nri: number; type: number; start: boolean; end: boolean; data: Uint8Array };

export const h264 = defineDissector<H264Payload>({
  proto: 'h264',
  title: 'H.264',
  short: 'H.264',
  spec: 'RFC 6184',
  fields: F,
  experts: E,
  on: { rtp_dyn_payload_type: ['h264', 'h264-svc'] },

  dissect(v, t) {
    need(v, 1);
    const type = u8(v.buf, v.off) & 0x1f;
    t.open(F.h264, v.off, v.length);
    const fragment = type === Type.FuA;
    header(t, v.buf, v.off, fragment ? 'FU identifier' : 'NAL unit header or first byte of the payload');
    if (fragment) fragmentHeader(v, t);
    else if (type >= Type.StapA && type <= Type.Mtap24) aggregate(v, t, type);
    else if (type === Type.Parameters) parameters(v, t, v.off + 1);
    t.pop();
  },

  codec: {
    parse(b, o, end) {
      const nri = (b[o] >> 5) & 3;
      const type = b[o] & 0x9f;
      if (type === Type.FuA && end - o >= 2)
        return {
          nri,
          type: b[o + 1] & 0x1f,
          start: b[o + 1] >= 0x80,
          end: (b[o + 1] & 0x40) !== 0,
          data: b.slice(o + 2, end),
        };
      if (type !== Type.StapA) return { unit: b.slice(o, end) };
      const units: Uint8Array[] = [];
      for (let at = o + 1; at + 2 <= end && units.length < MOST_UNITS; at += 2 + u16(b, at))
        units.push(b.slice(at + 2, Math.min(end, at + 2 + u16(b, at))));
      return { nri, units };
    },
    size(r) {
      if ('unit' in r) return r.unit.length;
      return 'units' in r ? r.units.reduce((n, u) => n + 2 + u.length, 1) : 2 + r.data.length;
    },
    emit(r, b, o) {
      if ('unit' in r) {
        b.set(r.unit, o);
        return r.unit.length;
      }
      b[o] = (r.nri << 5) | ('units' in r ? Type.StapA : Type.FuA);
      if (!('units' in r)) {
        b[o + 1] = (r.start ? 0x80 : 0) | (r.end ? 0x40 : 0) | r.type;
        b.set(r.data, o + 2);
        return 2 + r.data.length;
      }
      let at = o + 1;
      for (const u of r.units) {
        put16(b, at, u.length);
        b.set(u, at + 2);
        at += 2 + u.length;
      }
      return at - o;
    },
  },
});

function header(t: Tree, b: Uint8Array, at: number, heading: string): void {
  t.open(F.part, at, 1, t.labels ? heading : undefined);
  t.bits(F.f, at, 1, u8(b, at));
  t.bits(F.nri, at, 1, u8(b, at));
  t.bits(F.header, at, 1, u8(b, at));
  t.pop();
}

/** RFC 6184 §5.8. */
function fragmentHeader(v: View, t: Tree): void {
  const at = v.off + 1;
  need(v, 1, at);
  t.open(F.part, at, 1, t.labels ? 'FU Header' : undefined);
  for (const f of [F.start, F.end, F.forbidden, F.unit]) t.bits(f, at, 1, u8(v.buf, at));
  t.pop();
  if (u8(v.buf, at) >= 0x80 && (u8(v.buf, at) & 0x1f) === Type.Parameters) parameters(v, t, at + 1);
}

/** Units with their sizes before them, RFC 6184 §5.7. */
function aggregate(v: View, t: Tree, type: number): void {
  const { buf } = v;
  let at = v.off + 1;
  if (type !== Type.StapA) {
    need(v, 2, at);
    t.num(F.don, at, 2, u16(buf, at));
    at += 2;
  }
  for (let n = 0; at < v.end; n++) {
    if (n === MOST_UNITS) {
      t.expert(E.units);
      return;
    }
    need(v, 2, at);
    const size = u16(buf, at);
    t.num(F.size, at, 2, size);
    at += 2;
    if (type >= Type.Mtap16) at = timing(v, t, type, at);
    need(v, size, at);
    if (size > 0) {
      header(t, buf, at, 'NAL unit header or first byte of the payload');
      if ((u8(buf, at) & 0x1f) === Type.Parameters) parameters(v.sub(at, at + size), t, at + 1);
    }
    at += size;
  }
}

/** RFC 6184 §5.7.2. */
function timing(v: View, t: Tree, type: number, at: number): number {
  const wide = type === Type.Mtap24;
  need(v, wide ? 4 : 3, at);
  t.num(F.donDelta, at, 1, u8(v.buf, at));
  if (wide) t.num(F.offset24, at + 1, 3, u24(v.buf, at + 1));
  else t.num(F.offset16, at + 1, 2, u16(v.buf, at + 1));
  return at + (wide ? 4 : 3);
}

/** The first octets of a sequence parameter set, H.264 §7.3.2.1.1. */
function parameters(v: View, t: Tree, at: number): void {
  need(v, 3, at);
  t.num(F.profile, at, 1, u8(v.buf, at));
  for (const f of FLAGS) t.bits(f, at + 1, 1, u8(v.buf, at + 1));
  t.num(F.level, at + 2, 1, u8(v.buf, at + 2));
}
