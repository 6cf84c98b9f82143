import {
  defineDissector,
  experts,
  type Field,
  fields,
  hex,
  nameOf,
  need,
  type Peek,
  put16,
  type Tree,
  u16,
  u24,
  u32,
  type View,
} from 'fttscope/kit';
import { ETHERTYPES, FABRIC_PATH } from './numbers.js';

/**
 * Ethernet, IEEE 802.3 §3:
 *
 *     +-----------------+------------+-------------+---------- - - +- - - - - - - - - - -+
 *     | Destination (6) | Source (6) | Type/Len (2)|   Payload     | padding, FCS, extra |
 *     +-----------------+------------+-------------+---------- - - +- - - - - - - - - - -+
 *
 * Type/Length up to 1500 is the length of an LLC payload, from 0x0600 on it is an EtherType (IEEE 802.3 §3.2.6).
 */
const HEADER = 14;
const MAX_LENGTH = 1500;
const MIN_TYPE = 0x0600;
/** Octets of the shortest frame without its check sequence: shorter ones are padded to it. IEEE 802.3 §3.2.8. */
const SHORTEST = 60;

const LG = {
  0: 'Globally unique address (factory default)',
  1: 'Locally administered address (this is NOT the factory default)',
};
const IG = { 0: 'Individual address (unicast)', 1: 'Group address (multicast/broadcast)' };
const FCS_STATUS = { 0: 'Bad', 1: 'Good', 2: 'Unverified' };

const F = fields({
  eth: { name: 'eth', label: 'Ethernet', type: 'protocol' },
  dst: { name: 'eth.dst', label: 'Destination', at: [0, 6], type: 'ether', aliases: ['eth.addr'] },
  dstOui: { name: 'eth.dst.oui', label: 'Destination OUI', type: 'u24', aliases: ['eth.addr.oui'] },
  dstLg: { name: 'eth.dst.lg', label: 'LG bit', type: 'bool', mask: 0x020000, values: LG, aliases: ['eth.lg'] },
  dstIg: { name: 'eth.dst.ig', label: 'IG bit', type: 'bool', mask: 0x010000, values: IG, aliases: ['eth.ig'] },
  src: { name: 'eth.src', label: 'Source', at: [6, 6], type: 'ether', aliases: ['eth.addr'] },
  srcOui: { name: 'eth.src.oui', label: 'Source OUI', type: 'u24', aliases: ['eth.addr.oui'] },
  srcLg: { name: 'eth.src.lg', label: 'LG bit', type: 'bool', mask: 0x020000, values: LG, aliases: ['eth.lg'] },
  srcIg: { name: 'eth.src.ig', label: 'IG bit', type: 'bool', mask: 0x010000, values: IG, aliases: ['eth.ig'] },
  len: { name: 'eth.len', label: 'Length', type: 'u16' },
  type: { name: 'eth.type', label: 'Type', at: [12, 2], type: 'u16', base: 'hex', values: ETHERTYPES },
  invalid: { name: 'eth.invalid_lentype', label: 'Invalid length/type', type: 'u16', base: 'hex_dec' },
  padding: { name: 'eth.padding', label: 'Padding', type: 'bytes' },
  trailer: { name: 'eth.trailer', label: 'Trailer', type: 'bytes' },
  fcs: { name: 'eth.fcs', label: 'Frame check sequence', type: 'u32', base: 'hex' },
  fcsStatus: { name: 'eth.fcs.status', label: 'FCS Status', type: 'u8', values: FCS_STATUS },
});

const E = experts({
  groupSource: {
    code: 'eth.group-source',
    severity: 'warn',
    message: 'Source MAC must not be a group address: IEEE 802.3-2002, Section 3.2.3(b)',
  },
  invalid: { code: 'eth.invalid-length-type', severity: 'warn', message: 'Invalid length/type' },
  pastEnd: {
    code: 'eth.length-past-end',
    severity: 'error',
    malformed: true,
    message: 'Length field value goes past the end of the payload',
  },
  oddPadding: {
    code: 'eth.odd-padding',
    severity: 'note',
    message: "Didn't find padding of zeros, and an undecoded trailer exists. There may be padding of non-zeros.",
  },
});

/** A frame; `type` below 0x0600 is what the length field said. */
export interface EthernetFrame {
  dst: Uint8Array;
  src: Uint8Array;
  type: number;
  payload: Uint8Array;
}

/** What IPX begins with, which Novell put into frames of 802.3 without LLC. */
const NOVELL = 0xffff;

const typeOf = (b: Uint8Array, o: number) => u16(b, o + 12);

/** How long the payload of an EtherType is by its own account, or -1 where it does not say. */
export function payloadLength(b: Uint8Array, etherType: number, off: number, end: number): number {
  const have = end - off;
  if (etherType === 0x0800 && have >= 20 && b[off] >> 4 === 4) return u16(b, off + 2) >= 20 ? u16(b, off + 2) : -1;
  if (etherType === 0x86dd && have >= 40 && b[off] >> 4 === 6) {
    const n = u16(b, off + 4);
    return n > 0 || (b[off + 6] !== 0 && b[off + 6] !== 6) ? 40 + n : -1; // 0 is a jumbogram or a segment to be cut
  }
  if ((etherType === 0x0806 || etherType === 0x8035) && have >= 8) return 8 + 2 * (b[off + 4] + b[off + 5]);
  return -1;
}

/** Also of layers between Ethernet and the payload: {@link addTrailer} shows it in the innermost. */
export const PADDING = { padding: F.padding };

/**
 * Shows what stands behind the payload: padding to the shortest frame, a trailer and, in a frame without tags, its
 * check sequence. `start` is where the payload ended; `trailer` is the field of the layer that carries it. How short a frame
 * is counts from where the octets begin that were captured: what is behind a packet in a tunnel is no padding.
 */
export function addTrailer(t: Tree, v: View, start: number, trailer: Field, withFcs: boolean): void {
  const { buf } = v;
  const frame = v.source.start;
  let off = start;
  let end = v.end;
  if (end <= off) return;
  const wire = v.wireEnd - frame;
  let odd = false;
  if (wire >= SHORTEST && off - frame < SHORTEST) {
    const stop = Math.min(frame + SHORTEST, v.wireEnd);
    let i = off;
    while (i < stop && i < end && buf[i] === 0) i++;
    odd = i < stop;
    if (!odd) {
      t.bytes(F.padding, off, stop - off);
      off = stop;
    }
  }
  const fcs = withFcs && wire >= SHORTEST + 4 && end === v.wireEnd && end - off >= 4;
  if (fcs) end -= 4;
  if (end > off) {
    t.bytes(trailer, off, end - off);
    if (odd) t.expert(E.oddPadding);
  }
  if (!fcs) return;
  t.num(F.fcs, end, 4, u32(buf, end));
  t.num(F.fcsStatus, end, 0, 2);
}

function address(t: Tree, b: Uint8Array, o: number, f: readonly [Field, Field, Field, Field]): void {
  t.bytes(f[0], o, 6);
  if (f[0] === F.src && (b[o] & 1) !== 0) t.expert(E.groupSource); // IEEE 802.3 §3.2.3 b
  t.push();
  const oui = u24(b, o);
  t.num(f[1], o, 3, oui);
  t.bits(f[2], o, 3, oui);
  t.bits(f[3], o, 3, oui);
  t.pop();
}

const DST = [F.dst, F.dstOui, F.dstLg, F.dstIg] as const;
const SRC = [F.src, F.srcOui, F.srcLg, F.srcIg] as const;

/** Whether `length` octets at `off` are IPX without LLC, as Novell sent it: they begin with the checksum that IPX does not use. */
const isNovell = (b: Uint8Array, off: number, length: number, end: number): boolean =>
  length >= 2 && end - off >= 2 && u16(b, off) === NOVELL;

export const ethernet = defineDissector<EthernetFrame>({
  proto: 'eth',
  title: 'Ethernet',
  short: 'Ethernet',
  spec: 'IEEE 802.3',
  fields: F,
  experts: E,
  on: {
    link: [1],
    'sll.ltype': [3],
    'ip.proto': [143],
    ethertype: [0x6558],
    'chdlc.protocol': [0x6558],
    'gre.proto': [0x6558, 0x6400],
    'vxlan.next_proto': [3],
  },
  tables: ['ethertype', 'eth.llc'],
  calls: ['cfp', 'ipx'],

  plain: (b, off, end) => end - off >= HEADER && typeOf(b, off) >= MIN_TYPE,

  peek(p: Peek) {
    if (p.end - p.off < HEADER) return p.stop();
    const type = typeOf(p.buf, p.off);
    p.off += HEADER;
    p.key = type;
    p.table = 'ethertype';
    if (type >= MIN_TYPE || type === 0) return;
    p.key = 0;
    p.table = type > MAX_LENGTH || isNovell(p.buf, p.off, type, p.end) ? '' : 'eth.llc';
    if (p.off + type < p.wireEnd) p.wireEnd = p.off + type;
    if (p.end > p.wireEnd) p.end = p.wireEnd;
  },

  dissect(v, t, cx) {
    need(v, HEADER);
    const { buf, off } = v;
    const type = typeOf(buf, off);
    // A length of no octets is none, for Wireshark.
    const typed = type >= MIN_TYPE || type === 0;
    const ether = typed || type > MAX_LENGTH;
    t.open(F.eth, off, HEADER);
    if (t.labels) {
      if (ether) t.label(`Ethernet II, Src: ${hex(buf, off + 6, 6)}, Dst: ${hex(buf, off, 6)}`);
      else t.label('IEEE 802.3 Ethernet');
    }
    address(t, buf, off, DST);
    address(t, buf, off + 6, SRC);
    const body = off + HEADER;
    let n = type;
    if (typed) {
      t.num(F.type, off + 12, 2, type);
      n = payloadLength(buf, type, body, v.end);
    } else if (ether) {
      t.num(F.invalid, off + 12, 2, type);
      t.expert(E.invalid); // IEEE 802.3 §3.2.6: neither length nor type
      n = -1;
    } else {
      t.num(F.len, off + 12, 2, type);
      if (body + type > v.wireEnd) t.expert(E.pastEnd);
    }
    // Only the frame that was captured may have been captured with its check sequence.
    if (n >= 0) addTrailer(t, v, body + n, F.trailer, off === v.source.start);
    t.pop();
    if (type === FABRIC_PATH) cx.call('cfp', v.sub(body));
    else if (typed) cx.next('ethertype', type, v.sub(body));
    else if (ether) cx.data(v.sub(body));
    else if (isNovell(buf, body, type, v.end)) cx.call('ipx', v.sub(body, body + type));
    else cx.next('eth.llc', 0, v.sub(body, body + type));
  },

  summary(v) {
    if (v.length < HEADER) return 'Frame cut short';
    const type = typeOf(v.buf, v.off);
    return type > MAX_LENGTH ? `Ethernet II, ${nameOf(ETHERTYPES, type)}` : 'IEEE 802.3 Ethernet';
  },

  codec: {
    parse: (b, o, end) => ({
      dst: b.slice(o, o + 6),
      src: b.slice(o + 6, o + 12),
      type: typeOf(b, o),
      payload: b.slice(o + HEADER, end),
    }),
    size: (r) => HEADER + r.payload.length,
    emit(r, b, o) {
      b.set(r.dst, o);
      b.set(r.src, o + 6);
      put16(b, o + 12, r.type);
      b.set(r.payload, o + HEADER);
      return HEADER + r.payload.length;
    },
  },
});
