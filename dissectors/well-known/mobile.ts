import { type Ctx, indexOf, u8, u16, u24, u32, type View } from 'fttscope/kit';
import { fromRows, named } from './named.js';
import { PPP_OPTIONS, pppOptions } from './ppp-options.js';
import { framed } from './streams.js';

/**
 * Signalling of mobile networks, only named, with what it carries for others: NAS of a UE in S1AP and NGAP, addresses that NAS
 * and GTP-C ask for, SDP of a session in Diameter, and what GSMTAP took from the air.
 */

/** Octets of a length determinant of aligned PER, and the length; -1: cut short, or in fragments. ITU-T X.691 §11.9 */
function determinant(v: View, at: number): readonly [number, number] {
  const { buf, end } = v;
  if (at >= end) return [1, -1];
  if (buf[at] < 0x80) return [1, buf[at]];
  return buf[at] < 0xc0 && at + 2 <= end ? [2, u16(buf, at) & 0x3fff] : [2, -1];
}

/** What the open type at `at` holds; undefined: it is cut short. */
function opened(v: View, at: number): View | undefined {
  const [octets, n] = determinant(v, at);
  const from = at + octets;
  return n < 0 || from + n > v.end ? undefined : v.sub(from, from + n);
}

/** Octets before the value of a message or of a protocol IE: a choice or a number of 16 bits, a procedure, and criticality. */
const BEFORE_VALUE = 3;

/** Calls `each` for the protocol IEs of a message, TS 36.413 §9.3.3, TS 38.413 §9.4.4: an extension bit, how many, and they. */
function elements(v: View, each: (id: number, value: View) => void): void {
  const message = opened(v, v.off + BEFORE_VALUE);
  if (message === undefined || message.length < 3) return;
  let at = message.off + 3;
  for (let n = u16(message.buf, message.off + 1); n > 0 && at + BEFORE_VALUE < message.end; n--) {
    const value = opened(message, at + BEFORE_VALUE);
    if (value === undefined) return;
    each(u16(message.buf, at), value);
    at = value.end;
  }
}

/** Names the message of NAS that an OCTET STRING holds. */
function nas(v: View, proto: string, cx: Ctx): void {
  const message = opened(v, v.off);
  if (message !== undefined && message.length > 0) cx.call(proto, message);
}

/** Protocol IEs of S1AP that carry NAS, or are lists of bearers whose items do; TS 36.413 §9.3.6. */
const S1_NAS = 26;
const S1_BEARERS: ReadonlySet<number> = new Set([16, 24, 30]);
/** The bearer of a context, for which NAS is optional: the second bit of the item says whether it is there. */
const S1_CONTEXT_BEARER = 52;
const S1_RADIO_CAPABILITY = 74;
const HAS_NAS = 0x40;

/** Names the NAS of each bearer that has some: the items are IEs by themselves, behind an octet that counts them. */
function bearers(v: View, cx: Ctx): void {
  for (let at = v.off + 1; at + BEFORE_VALUE < v.end; ) {
    const item = opened(v, at + BEFORE_VALUE);
    if (item === undefined || item.length === 0) return;
    if (u16(v.buf, at) !== S1_CONTEXT_BEARER || (item.buf[item.off] & HAS_NAS) !== 0) cx.call('nas-eps', item);
    at = item.end;
  }
}

/** The same of NGAP, TS 38.413 §9.4.7, where the items of a list are no IEs. */
const NG_NAS = 38;
const NG_SESSIONS: ReadonlySet<number> = new Set([64, 71, 74]);
const NG_RADIO_CAPABILITY = 117;

/** Header of a Diameter message and of an AVP, which has the number of a vendor where a flag says so. RFC 6733 §3, §4.1 */
const DIAMETER_HEADER = 20;
const AVP_HEADER = 8;
const HAS_VENDOR = 0x80;
const TGPP = 10415;
/** AVPs that hold others, and the one that holds SDP behind two lines that say which side offers. TS 29.214 §5.3.16, §5.3.7 */
const MEDIA_COMPONENT = 517;
const CODEC_DATA = 524;
const LF = 10;

/** Names the SDP in the AVPs from `at` on. */
function avps(v: View, at: number, cx: Ctx): void {
  const { buf, end } = v;
  while (at + AVP_HEADER <= end) {
    const n = u24(buf, at + 5);
    const stop = at + n;
    if (n < AVP_HEADER || stop > end) return;
    const isTgpp = (buf[at + 4] & HAS_VENDOR) !== 0 && n >= AVP_HEADER + 4 && u32(buf, at + AVP_HEADER) === TGPP;
    const inside = v.sub(at + AVP_HEADER + 4, stop);
    if (isTgpp && u32(buf, at) === MEDIA_COMPONENT) avps(inside, inside.off, cx);
    else if (isTgpp && u32(buf, at) === CODEC_DATA) codecData(inside, cx);
    at += (n + 3) & ~3;
  }
}

function codecData(v: View, cx: Ctx): void {
  const first = indexOf(v.buf, LF, v.off, v.end);
  const second = first < 0 ? -1 : indexOf(v.buf, LF, first + 1, v.end);
  if (second >= 0 && second + 1 < v.end && v.buf[second + 1] !== 0) cx.call('sdp', v.sub(second + 1));
}

/** Octets of the header, in words of four; its type says what follows. */
const GSMTAP_HEADER = 16;
const GSMTAP_TYPES = new Map([
  [0x0c, 'rrc'],
  [0x0d, 'lte_rrc'],
  [0x12, 'nas-eps'],
]);

/** Protocols of radio access and core networks. */
export const mobile = [
  named({
    ...{ proto: 's1ap', title: 'S1 Application Protocol', short: 'S1AP', spec: 'TS 36.413' },
    on: { 'sctp.ppi': [18], 'sctp.port': [36412] },
    calls: ['nas-eps', 'lte_rrc'],
    inner: (v, cx) =>
      elements(v, (id, value) => {
        if (id === S1_NAS) nas(value, 'nas-eps', cx);
        else if (S1_BEARERS.has(id)) bearers(value, cx);
        else if (id === S1_RADIO_CAPABILITY) cx.call('lte_rrc', value);
      }),
  }),
  // Wireshark shows a message of NGAP as a layer in one.
  named({
    ...{ proto: 'ngap', title: 'NG Application Protocol', short: 'NGAP', spec: 'TS 38.413' },
    on: { 'sctp.ppi': [60], 'sctp.port': [38412] },
    calls: ['ngap.message'],
    inner: (v, cx) => void cx.call('ngap.message', v),
  }),
  named({
    ...{ proto: 'ngap.message', layer: 'ngap', title: 'NG Application Protocol', short: 'NGAP', spec: 'TS 38.413' },
    calls: ['nas-5gs', 'nr-rrc'],
    inner: (v, cx) =>
      elements(v, (id, value) => {
        const hasNas = value.length > 1 && (value.buf[value.off + 1] & HAS_NAS) !== 0;
        if (id === NG_NAS) nas(value, 'nas-5gs', cx);
        else if (NG_SESSIONS.has(id) && hasNas) cx.call('nas-5gs', value);
        else if (id === NG_RADIO_CAPABILITY) cx.call('nr-rrc', value);
      }),
  }),
  named({
    ...{ proto: 'nas-eps', title: 'Non-Access-Stratum (NAS)PDU', short: 'NAS-EPS', spec: 'TS 24.301' },
    calls: PPP_OPTIONS,
    inner: pppOptions,
  }),
  ...fromRows([
    ['nas-5gs', 'Non-Access-Stratum 5GS (NAS)PDU', 'NAS-5GS', 'TS 24.501', {}],
    ['lte_rrc', 'LTE Radio Resource Control (RRC) protocol', 'LTE RRC', 'TS 36.331', {}],
    ['nr-rrc', 'NR Radio Resource Control (RRC) protocol', 'NR RRC', 'TS 38.331', {}],
    ['rrc', 'Radio Resource Control (RRC) protocol', 'RRC', 'TS 25.331', {}],
  ]),
  named({
    ...{ proto: 'diameter', title: 'Diameter Protocol', short: 'DIAMETER', spec: 'RFC 6733 §3' },
    on: { 'tcp.port': [3868], 'sctp.port': [3868], 'sctp.ppi': [46] },
    pduLength: framed(DIAMETER_HEADER, (b, o) => (u8(b, o) === 1 ? u24(b, o + 1) : -1)),
    calls: ['sdp'],
    inner: (v, cx) => avps(v, v.off + DIAMETER_HEADER, cx),
  }),
  named({
    ...{ proto: 'gsmtap', title: 'GSM Radiotap', short: 'GSMTAP', spec: 'none' },
    on: { 'udp.port': [4729] },
    calls: [...GSMTAP_TYPES.values()],
    inner(v, cx) {
      const { buf, off } = v;
      if (v.length < GSMTAP_HEADER) return;
      const inside = v.sub(off + 4 * u8(buf, off + 1));
      if (inside.length === 0) return;
      const proto = GSMTAP_TYPES.get(u8(buf, off + 2));
      if (proto === undefined) cx.data(inside);
      else cx.call(proto, inside);
    },
  }),
];
