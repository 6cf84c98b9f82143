import { defineDissector, experts, fields, need, put16, type Tree, u8, u16, type View } from 'fttscope/kit';

/**
 * H.265 video in RTP, RFC 7798 §4: a NAL unit, several in one packet (AP), or a part of one (FU).
 *
 *     +-+-----------+-----------+-----+ +-------------------------------+ +-+-+-----------+
 *     |F|   Type    |  LayerId  | TID | | size of a unit (aggregation)  | |S|E|  FuType   | (fragmentation)
 *     +-+-----------+-----------+-----+ +-------------------------------+ +-+-+-----------+
 *
 * Of the units themselves only the header is read.
 */
const HEADER = 2;
const AGGREGATION = 48;
const FRAGMENTATION = 49;
const MOST_UNITS = 256;

/** H.265 table 7-1, in Wireshark's words. */
const TYPES: Readonly<Record<number, string>> = {
  0: 'TRAIL_N - Coded slice segment of a non-TSA, non-STSA trailing picture',
  1: 'TRAIL_R - Coded slice segment of a non-TSA, non-STSA trailing picture',
  2: 'TSA_N - Coded slice segment of a TSA picture',
  3: 'TSA_R - Coded slice segment of a TSA picture',
  4: 'STSA_N - Coded slice segment of an STSA picture',
  5: 'STSA_R - Coded slice segment of an STSA picture',
  6: 'RADL_N - Coded slice segment of a RADL picture',
  7: 'RADL_R - Coded slice segment of a RADL picture',
  8: 'RASL_N - Coded slice segment of a RASL picture',
  9: 'RASL_R - Coded slice segment of a RASL picture',
  10: 'RSV_VCL_N10 - Reserved non-IRAP SLNR VCL NAL unit types',
  11: 'RSV_VCL_R11 - Reserved non-IRAP sub-layer reference VCL NAL unit types',
  12: 'RSV_VCL_N12 - Reserved non-IRAP SLNR VCL NAL unit types',
  13: 'RSV_VCL_R13 - Reserved non-IRAP sub-layer reference VCL NAL unit types',
  14: 'RSV_VCL_N14 - Reserved non-IRAP SLNR VCL NAL unit types',
  15: 'RSV_VCL_R15 - Reserved non-IRAP sub-layer reference VCL NAL unit types',
  16: 'BLA_W_LP - Coded slice segment of a BLA picture',
  17: 'BLA_W_RADL - Coded slice segment of a BLA picture',
  18: 'BLA_N_LP - Coded slice segment of a BLA picture',
  19: 'IDR_W_RADL - Coded slice segment of an IDR picture',
  20: 'IDR_N_LP - Coded slice segment of an IDR picture',
  21: 'CRA_NUT - Coded slice segment of a CRA picture',
  22: 'RSV_IRAP_VCL22 - Reserved IRAP VCL NAL unit types',
  23: 'RSV_IRAP_VCL23 - Reserved IRAP VCL NAL unit types',
  24: 'RSV_VCL24 - Reserved non-IRAP VCL NAL unit types',
  25: 'RSV_VCL25 - Reserved non-IRAP VCL NAL unit types',
  26: 'RSV_VCL26 - Reserved non-IRAP VCL NAL unit types',
  27: 'RSV_VCL27 - Reserved non-IRAP VCL NAL unit types',
  28: 'RSV_VCL28 - Reserved non-IRAP VCL NAL unit types',
  29: 'RSV_VCL29 - Reserved non-IRAP VCL NAL unit types',
  30: 'RSV_VCL30 - Reserved non-IRAP VCL NAL unit types',
  31: 'RSV_VCL31 - Reserved non-IRAP VCL NAL unit types',
  32: 'VPS_NUT - Video parameter set',
  33: 'SPS_NUT - Sequence parameter set',
  34: 'PPS_NUT - Picture parameter set',
  35: 'AUD_NUT - Access unit delimiter',
  36: 'EOS_NUT - End of sequence',
  37: 'EOB_NUT - End of bitstream',
  38: 'FD_NUT - Filler data',
  39: 'PREFIX_SEI_NUT - Supplemental enhancement information',
  40: 'SUFFIX_SEI_NUT - Supplemental enhancement information',
  41: 'RSV_NVCL41 - Reserved',
  42: 'RSV_NVCL42 - Reserved',
  43: 'RSV_NVCL43 - Reserved',
  44: 'RSV_NVCL44 - Reserved',
  45: 'RSV_NVCL45 - Reserved',
  46: 'RSV_NVCL46 - Reserved',
  47: 'RSV_NVCL47 - Reserved',
  48: 'APS -  Aggregation Packets',
  49: 'FU - Fragmentation Units',
  50: 'PACI - PACI Packets',
  51: 'UNSPEC51 - Unspecified',
  52: 'UNSPEC52 - Unspecified',
  53: 'UNSPEC53 - Unspecified',
  54: 'UNSPEC54 - Unspecified',
  55: 'UNSPEC55 - Unspecified',
  56: 'UNSPEC56 - Unspecified',
  57: 'UNSPEC57 - Unspecified',
  58: 'UNSPEC58 - Unspecified',
  59: 'UNSPEC59 - Unspecified',
  60: 'UNSPEC60 - Unspecified',
  61: 'UNSPEC61 - Unspecified',
  62: 'UNSPEC62 - Unspecified',
  63: 'UNSPEC63 - Unspecified',
};

const F = fields({
  h265: { name: 'h265', label: 'H.265', type: 'protocol' },
  part: { name: 'text', label: 'Part', type: 'none' },
  f: { name: 'h265.f', label: 'F bit', type: 'bool', mask: 0x8000 },
  type: { name: 'h265.nal_unit_type', label: 'Type', type: 'u16', mask: 0x7e00, values: TYPES },
  layer: { name: 'h265.layer_id', label: 'LayerId', type: 'u16', mask: 0x1f8 },
  temporal: { name: 'h265.temporal_id', label: 'TID', type: 'u16', mask: 7 },
  start: { name: 'h265.start.bit', label: 'Start bit', type: 'bool', mask: 0x80 },
  end: { name: 'h265.end.bit', label: 'End bit', type: 'bool', mask: 0x40 },
  unit: { name: 'h265.nal_unit_type', label: 'Nal_unit_type', type: 'u16', mask: 0x3f, values: TYPES },
});

const E = experts({
  units: { code: 'h265.too-many-units', severity: 'warn', message: 'Too many units; the rest is not shown' },
});

/** A NAL unit alone; units in an aggregation packet; or a part of a unit. `layer` and `temporal` are those of the header. */
export type H265Payload =
  | { unit: Uint8Array }
  | { layer: number; temporal: number; units: Uint8Array[] }
  | { layer: number; temporal: number; type: number; start: boolean; end: boolean; data: Uint8Array };

const typeOf = (b: Uint8Array, o: number): number => (u16(b, o) >> 9) & 0x3f;

export const h265 = defineDissector<H265Payload>({
  proto: 'h265',
  title: 'H.265',
  short: 'H.265',
  spec: 'RFC 7798',
  fields: F,
  experts: E,
  on: { rtp_dyn_payload_type: ['h265'] },

  dissect(v, t) {
    need(v, HEADER);
    const type = typeOf(v.buf, v.off);
    t.open(F.h265, v.off, v.length);
    const fragment = type === FRAGMENTATION;
    header(t, v.buf, v.off, fragment ? 'FU identifier' : 'NAL unit header or first two bytes of the payload');
    if (fragment) fragmentHeader(v, t);
    else if (type === AGGREGATION) aggregate(v, t);
    t.pop();
  },

  codec: {
    parse(b, o, end) {
      const whole = end - o > HEADER && b[o] < 0x80;
      const type = whole ? typeOf(b, o) : 0;
      const layer = whole ? (u16(b, o) >> 3) & 0x3f : 0;
      const temporal = whole ? b[o + 1] & 7 : 0;
      if (type === FRAGMENTATION) {
        const fu = b[o + 2];
        const flags = { start: fu >= 0x80, end: (fu & 0x40) !== 0 };
        return { layer, temporal, type: fu & 0x3f, ...flags, data: b.slice(o + 3, end) };
      }
      if (type !== AGGREGATION) return { unit: b.slice(o, end) };
      const units: Uint8Array[] = [];
      for (let at = o + HEADER; at + 2 <= end && units.length < MOST_UNITS; at += 2 + u16(b, at))
        units.push(b.slice(at + 2, Math.min(end, at + 2 + u16(b, at))));
      return { layer, temporal, units };
    },
    size(r) {
      if ('unit' in r) return r.unit.length;
      return 'units' in r ? r.units.reduce((n, u) => n + 2 + u.length, HEADER) : 3 + r.data.length;
    },
    emit(r, b, o) {
      if ('unit' in r) {
        b.set(r.unit, o);
        return r.unit.length;
      }
      put16(b, o, (('units' in r ? AGGREGATION : FRAGMENTATION) << 9) | (r.layer << 3) | r.temporal);
      if (!('units' in r)) {
        b[o + 2] = (r.start ? 0x80 : 0) | (r.end ? 0x40 : 0) | r.type;
        b.set(r.data, o + 3);
        return 3 + r.data.length;
      }
      let at = o + HEADER;
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
  t.open(F.part, at, HEADER, t.labels ? heading : undefined);
  for (const f of [F.f, F.type, F.layer, F.temporal]) t.bits(f, at, HEADER, u16(b, at));
  t.pop();
}

/** RFC 7798 §4.4.3. */
function fragmentHeader(v: View, t: Tree): void {
  const at = v.off + HEADER;
  need(v, 1, at);
  t.open(F.part, at, 1, t.labels ? 'FU Header' : undefined);
  for (const f of [F.start, F.end, F.unit]) t.bits(f, at, 1, u8(v.buf, at));
  t.pop();
}

/** Units with their sizes before them, RFC 7798 §4.4.2, without decoding order numbers. */
function aggregate(v: View, t: Tree): void {
  let n = 0;
  for (let at = v.off + HEADER; at < v.end; n++) {
    if (n === MOST_UNITS) {
      t.expert(E.units);
      return;
    }
    need(v, 2, at);
    const size = u16(v.buf, at);
    need(v, size, at + 2);
    if (size >= HEADER) header(t, v.buf, at + 2, `NAL unit of ${size} octets`);
    at += 2 + size;
  }
}
