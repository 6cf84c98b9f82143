import { defineDissector, fields, nameOf, need, type Peek, put16, put32, u8, u16, u32, type View } from 'fttscope/kit';

/**
 * Multiprotocol label switching, RFC 3032 §2.1: labels up to one with the S bit, and what the last of them stands for,
 * which nothing in the packet names. Its first four bits tell IP from a pseudo-wire (RFC 4928 §3) and from an associated
 * channel (RFC 5586); a pseudo-wire carries Ethernet here, with or without a control word (RFC 4448 §4.6):
 *
 *     +---------------------------------------+-----+-+---------------+
 *     |              Label (20)               | TC  |S|      TTL      |
 *     +---------------------------------------+-----+-+---------------+
 *     |0 0 0 0|       reserved        | Sequence number (16)          |  control word
 *     |0 0 0 1|Version|   Reserved    | Channel type (16)             |  associated channel header
 */
const ENTRY = 4;
const WORD = 4;
const BOTTOM = 0x100;
const CHANNEL_LABEL = 13;
const BRIDGED = 0x6558;
const ETHERNET = 14;
/** EtherTypes that frames in a pseudo-wire have. */
const CARRIED: readonly number[] = [0x0800, 0x0806, 0x86dd, 0x8100, 0x88a8, 0x8847, 0x8863, 0x8864, 0x88cc];

/** Keys of the table of what the first four bits may announce. */
const Wire = { Guess: 0, ControlWord: 1, Plain: 2, Channel: 3 } as const;

const LABELS: Readonly<Record<number, string>> = {
  0: 'IPv4 Explicit-Null',
  1: 'Router Alert',
  2: 'IPv6 Explicit-Null',
  3: 'Implicit-Null',
  7: 'Entropy Label Indicator',
  13: 'Generic Associated Channel Label (GAL)',
  14: 'OAM Alert Label',
};
const CHANNELS: Readonly<Record<number, string>> = {
  1: 'Management Communication Channel (MCC)',
  7: 'BFD Control, PW-ACH-encapsulated (BFD Without IP/UDP Headers)',
  33: 'IPv4 packet',
  34: 'MPLS-TP CC message',
  35: 'MPLS-TP CV message',
  37: 'On-Demand CV',
  39: 'PW OAM Message',
  87: 'IPv6 packet',
};

const F = fields({
  mpls: { name: 'mpls', label: 'MultiProtocol Label Switching Header', type: 'protocol' },
  label: {
    name: 'mpls.label',
    label: 'MPLS Label',
    type: 'u32',
    base: 'dec_hex',
    mask: 0xfffff000,
    values: (n) => LABELS[n],
  },
  exp: { name: 'mpls.exp', label: 'MPLS Experimental Bits', type: 'u32', mask: 0x0e00 },
  bottom: { name: 'mpls.bottom', label: 'MPLS Bottom Of Label Stack', type: 'u32', mask: BOTTOM },
  ttl: { name: 'mpls.ttl', label: 'MPLS TTL', type: 'u32', mask: 0xff },
});
const A = fields({
  pwach: { name: 'pwach', label: 'PW Associated Channel Header', type: 'protocol' },
  version: { name: 'pwach.ver', label: 'Channel Version', type: 'u8', mask: 0x0f },
  reserved: { name: 'pwach.res', label: 'Reserved', type: 'u8', base: 'hex' },
  type: { name: 'pwach.channel_type', label: 'Channel Type', type: 'u16', base: 'hex', values: CHANNELS },
});
const G = fields({
  guess: { name: 'pwethheuristic', label: 'Ethernet PW (CW is heuristically detected)', type: 'protocol' },
});
const W = fields({
  cw: { name: 'pwethcw', label: 'PW Ethernet Control Word', type: 'protocol' },
  sequence: { name: 'pweth.cw.sequence_number', label: 'PW sequence number (ethernet)', type: 'u16' },
});
const N = fields({ plain: { name: 'pwethnocw', label: 'Ethernet PW (no CW)', type: 'protocol' } });

/** Labels with what belongs to them, and the packet behind them. */
export interface MplsPacket {
  /** At least one; the S bit follows from the order. */
  labels: { label: number; tc: number; ttl: number }[];
  payload: Uint8Array;
}

const isChannel = (b: Uint8Array, last: number) => u32(b, last) >>> 12 === CHANNEL_LABEL;

/** Whether the octets at `o` start like a frame that is carried. */
const isFrame = (b: Uint8Array, o: number, end: number) => {
  if (o + ETHERNET > end) return false;
  const type = u16(b, o + 12);
  return CARRIED.includes(type) || (type <= 1500 && type > 3 && o + ETHERNET + type <= end);
};

/**
 * Whether a pseudo-wire whose first four bits are zero has a control word: they may as well be those of an address. A
 * known EtherType decides, where one is in its place in one reading only.
 */
const hasControlWord = (b: Uint8Array, o: number, end: number) =>
  o < end && b[o] >> 4 === 0 && (isFrame(b, o + WORD, end) || !isFrame(b, o, end));

export const mpls = defineDissector<MplsPacket>({
  proto: 'mpls',
  title: 'MultiProtocol Label Switching Header',
  short: 'MPLS',
  spec: 'RFC 3032',
  fields: F,
  on: {
    ethertype: [0x8847, 0x8848],
    'chdlc.protocol': [0x8847, 0x8848],
    'gre.proto': [0x8847, 0x8848],
    'ppp.protocol': [0x0281, 0x0283],
    'ip.proto': [137],
    'udp.port': [6635],
    'vxlan.next_proto': [5],
  },
  tables: ['ip.version', 'mpls.pw'],

  peek(p: Peek) {
    const { buf } = p;
    let o = p.off;
    while (o + ENTRY <= p.end && (buf[o + 2] & 1) === 0) o += ENTRY;
    p.off = o + ENTRY;
    if (p.off >= p.end) return p.stop();
    const nibble = buf[p.off] >> 4;
    p.table = 'mpls.pw';
    if (nibble === 1 || isChannel(buf, o)) p.key = Wire.Channel;
    else if (nibble === 0) p.key = Wire.Guess;
    else {
      p.table = 'ip.version';
      p.key = nibble;
    }
  },

  dissect(v, t, cx) {
    const { buf, off } = v;
    let o = off;
    let word = 0;
    for (; (word & BOTTOM) === 0 && (o === off || o < v.wireEnd); o += ENTRY) {
      need(v, ENTRY, o);
      word = u32(buf, o);
      t.open(F.mpls, o, ENTRY);
      if (t.labels)
        t.label(`MultiProtocol Label Switching Header, Label: ${nameOf(LABELS, word >>> 12, `${word >>> 12}`)}`);
      for (const f of [F.label, F.exp, F.bottom, F.ttl]) t.bits(f, o, ENTRY, word);
      t.pop();
    }
    const body = v.sub(o);
    if (body.length === 0) return;
    const nibble = u8(buf, o) >> 4;
    if (nibble === 1 || isChannel(buf, o - ENTRY)) cx.next('mpls.pw', Wire.Channel, body);
    else if (nibble === 0) cx.next('mpls.pw', Wire.Guess, body);
    else cx.next('ip.version', nibble, body);
  },

  summary: (v) =>
    v.length < ENTRY ? 'Label cut short' : `MPLS Label Switched Packet, label ${u32(v.buf, v.off) >>> 12}`,

  codec: {
    parse(b, o, end) {
      const labels: MplsPacket['labels'] = [];
      let at = o;
      for (let word = 0; (word & BOTTOM) === 0 && at + ENTRY <= end; at += ENTRY) {
        word = u32(b, at);
        labels.push({ label: word >>> 12, tc: (word >> 9) & 7, ttl: word & 0xff });
      }
      return { labels, payload: b.slice(at, end) };
    },
    size: (r) => ENTRY * r.labels.length + r.payload.length,
    emit(r, b, o) {
      r.labels.forEach(({ label, tc, ttl }, i) => {
        const bottom = i === r.labels.length - 1 ? BOTTOM : 0;
        put32(b, o + ENTRY * i, ((label << 12) | (tc << 9) | bottom | ttl) >>> 0);
      });
      b.set(r.payload, o + ENTRY * r.labels.length);
      return ENTRY * r.labels.length + r.payload.length;
    },
  },
});

/** The control word, if there is one, and a frame: a pseudo-wire of which only the first four bits are known. */
export const pwGuess = defineDissector({
  proto: 'pwethheuristic',
  title: 'Ethernet PW (CW is heuristically detected)',
  short: 'Ethernet PW',
  spec: 'RFC 4448',
  fields: G,
  on: { 'mpls.pw': [Wire.Guess] },
  tables: ['mpls.pw'],
  peek(p: Peek) {
    p.table = 'mpls.pw';
    p.key = hasControlWord(p.buf, p.off, p.end) ? Wire.ControlWord : Wire.Plain;
  },
  dissect(v, t, cx) {
    t.none(G.guess, v.off, 0);
    cx.next('mpls.pw', hasControlWord(v.buf, v.off, v.end) ? Wire.ControlWord : Wire.Plain, v);
  },
});

/** A control word and a frame. */
export interface ControlWordFrame {
  sequence: number;
  payload: Uint8Array;
}

export const pwControlWord = defineDissector<ControlWordFrame>({
  proto: 'pwethcw',
  title: 'PW Ethernet Control Word',
  short: 'Ethernet PW',
  spec: 'RFC 4448 §4.6',
  fields: W,
  on: { 'mpls.pw': [Wire.ControlWord] },
  tables: ['ethertype.bare'],
  peek(p: Peek) {
    if (p.end - p.off <= WORD) return p.stop();
    p.off += WORD;
    p.table = 'ethertype.bare';
    p.key = BRIDGED;
  },
  dissect(v, t, cx) {
    need(v, WORD);
    t.open(W.cw, v.off, WORD);
    t.num(W.sequence, v.off + 2, 2, u16(v.buf, v.off + 2));
    t.pop();
    if (v.length > WORD) cx.next('ethertype.bare', BRIDGED, v.sub(v.off + WORD));
  },
  codec: {
    parse: (b, o, end) => ({ sequence: u16(b, o + 2), payload: b.slice(o + WORD, end) }),
    size: (r) => WORD + r.payload.length,
    emit(r, b, o) {
      put16(b, o, 0);
      put16(b, o + 2, r.sequence);
      b.set(r.payload, o + WORD);
      return WORD + r.payload.length;
    },
  },
});

export const pwPlain = defineDissector({
  proto: 'pwethnocw',
  title: 'Ethernet PW (no CW)',
  short: 'Ethernet PW',
  spec: 'RFC 4448',
  fields: N,
  on: { 'mpls.pw': [Wire.Plain] },
  tables: ['ethertype.bare'],
  peek(p: Peek) {
    p.table = 'ethertype.bare';
    p.key = BRIDGED;
  },
  dissect(v, t, cx) {
    t.none(N.plain, v.off, 0);
    cx.next('ethertype.bare', BRIDGED, v);
  },
});

export const pwChannel = defineDissector({
  proto: 'pwach',
  title: 'PW Associated Channel Header',
  short: 'PW ACH',
  spec: 'RFC 4385 §5, RFC 5586',
  fields: A,
  on: { 'mpls.pw': [Wire.Channel] },
  tables: ['pwach.channel_type'],
  peek(p: Peek) {
    if (p.end - p.off <= WORD) return p.stop();
    p.key = u16(p.buf, p.off + 2);
    p.off += WORD;
    p.table = 'pwach.channel_type';
  },
  dissect(v: View, t, cx) {
    need(v, WORD);
    const { buf, off } = v;
    t.open(A.pwach, off, WORD);
    t.bits(A.version, off, 1, u8(buf, off));
    t.num(A.reserved, off + 1, 1, u8(buf, off + 1));
    t.num(A.type, off + 2, 2, u16(buf, off + 2));
    t.pop();
    if (v.length > WORD) cx.next('pwach.channel_type', u16(buf, off + 2), v.sub(off + WORD));
  },
  summary: (v) => (v.length < WORD ? 'Header cut short' : nameOf(CHANNELS, u16(v.buf, v.off + 2))),
});
