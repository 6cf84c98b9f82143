import { defineDissector, fields, nameOf, need, type Peek, u8, u16, u16le, u24, type View } from 'fttscope/kit';
import { ETHERTYPES } from './numbers.js';

/**
 * Logical link control, IEEE 802.2 §3, with the SNAP header of IEEE 802 §9.2 for DSAP AA:
 *
 *     +------+------+---------------+- - - - - - - - - - - - - - - - -+
 *     | DSAP | SSAP | Control (1-2) |  organization (3) | protocol (2) |
 *     +------+------+---------------+- - - - - - - - - - - - - - - - -+
 */
const XID = 0xaf;
const BASIC_XID = 0x81;
const SNAP = 0xaa;
const UNNUMBERED = 3;
const CISCO = 0x00000c;
const APPLE = 0x080007;
const NORTEL = 0x000081;
const SAPS: Readonly<Record<number, string>> = {
  0: 'NULL LSAP',
  2: 'LLC Sub-Layer Management',
  4: 'SNA Path Control',
  6: 'TCP/IP',
  66: 'Spanning Tree BPDU',
  170: 'SNAP',
  224: 'NetWare',
  240: 'NetBIOS',
  254: 'ISO Network Layer',
  255: 'Global DSAP',
};
const FRAME_TYPES = { 0: 'Information frame', 1: 'Supervisory frame', 2: 'Information frame', 3: 'Unnumbered frame' };

const F = fields({
  llc: { name: 'llc', label: 'Logical-Link Control', type: 'protocol' },
  dsap: { name: 'llc.dsap', label: 'DSAP', type: 'u8', base: 'hex', values: SAPS },
  ssap: { name: 'llc.ssap', label: 'SSAP', type: 'u8', base: 'hex', values: (n) => SAPS[n & 0xfe] },
  dsapSap: { name: 'llc.dsap.sap', label: 'SAP', type: 'u8', mask: 0xfe },
  dsapGroup: {
    name: 'llc.dsap.ig',
    label: 'IG Bit',
    type: 'bool',
    mask: 0x01,
    values: { 0: 'Individual', 1: 'Group' },
  },
  ssapSap: { name: 'llc.ssap.sap', label: 'SAP', type: 'u8', mask: 0xfe },
  ssapResponse: {
    name: 'llc.ssap.cr',
    label: 'CR Bit',
    type: 'bool',
    mask: 0x01,
    values: { 0: 'Command', 1: 'Response' },
  },
  control: { name: 'llc.control', label: 'Control field', type: 'u16', base: 'hex' },
  command: { name: 'llc.control.u_modifier_cmd', label: 'Command', type: 'u8', base: 'hex', mask: 0xec },
  response: { name: 'llc.control.u_modifier_resp', label: 'Response', type: 'u8', base: 'hex', mask: 0xec },
  ftype: { name: 'llc.control.ftype', label: 'Frame type', type: 'u16', base: 'hex', values: FRAME_TYPES },
  shortFtype: { name: 'llc.control.ftype', label: 'Frame type', type: 'u8', base: 'hex', values: FRAME_TYPES },
  oui: { name: 'llc.oui', label: 'Organization Code', type: 'u24' },
  type: { name: 'llc.type', label: 'Type', type: 'u16', base: 'hex', values: ETHERTYPES },
  pid: { name: 'llc.pid', label: 'Protocol ID', type: 'u16', base: 'hex' },
});

/** Octets of the control field: one for unnumbered frames, two for the others. IEEE 802.2 §5.2. */
const controlLength = (b: Uint8Array, o: number) => ((u8(b, o + 2) & 3) === UNNUMBERED ? 1 : 2);

/** Exchange identification in the basic format: what a station can do, in three octets. IEEE 802.2 §5.4.1.1.2. */
const isBasicXid = (v: View, at: number): boolean =>
  (u8(v.buf, at) & 0xef) === XID && v.end - at > 3 && u8(v.buf, at + 1) === BASIC_XID;

export const llc = defineDissector({
  proto: 'llc',
  title: 'Logical-Link Control',
  short: 'LLC',
  spec: 'IEEE 802.2',
  fields: F,
  on: { 'eth.llc': [0], 'sll.ltype': [4] },
  tables: ['ethertype.bare', 'llc.dsap', 'llc.cisco_pid', 'llc.apple_pid', 'llc.nortel_pid'],

  peek(p: Peek) {
    const { buf, off } = p;
    if (p.end - off < 3) return p.stop();
    const n = controlLength(buf, off);
    const body = off + 2 + n;
    const snap = buf[off] === SNAP && n === 1;
    if (p.end < (snap ? body + 5 : body)) return p.stop();
    const oui = snap ? u24(buf, body) : 0;
    if (oui !== 0 && oui !== CISCO) return p.stop();
    p.table = !snap ? 'llc.dsap' : oui === 0 ? 'ethertype.bare' : 'llc.cisco_pid';
    p.key = snap ? u16(buf, body + 3) : buf[off];
    p.off = snap ? body + 5 : body;
  },

  dissect(v, t, cx) {
    need(v, 3);
    const { buf, off } = v;
    const dsap = u8(buf, off);
    const n = controlLength(buf, off);
    t.open(F.llc, off, 2 + n);
    const ssap = u8(buf, off + 1);
    t.num(F.dsap, off, 1, dsap);
    t.push();
    t.bits(F.dsapSap, off, 1, dsap);
    t.bits(F.dsapGroup, off, 1, dsap);
    t.pop();
    t.num(F.ssap, off + 1, 1, ssap);
    t.push();
    t.bits(F.ssapSap, off + 1, 1, ssap);
    t.bits(F.ssapResponse, off + 1, 1, ssap);
    t.pop();
    need(v, 2 + n);
    // IEEE 802.2 §5.2: the first octet is the lower one
    t.num(F.control, off + 2, n, n === 1 ? u8(buf, off + 2) : u16le(buf, off + 2));
    t.push();
    if (n === 1) t.bits((ssap & 1) === 0 ? F.command : F.response, off + 2, 1, u8(buf, off + 2));
    t.num(n === 1 ? F.shortFtype : F.ftype, off + 2, n, (u8(buf, off + 2) & 1) === 0 ? 0 : u8(buf, off + 2) & 3);
    t.pop();
    let body = off + 2 + n;
    if (dsap !== SNAP || n === 2) {
      t.pop();
      const rest = v.sub(body);
      if (rest.wireLength > 0 && !(n === 1 && isBasicXid(v, off + 2))) cx.next('llc.dsap', dsap, rest);
      return;
    }
    need(v, 5, body);
    const oui = u24(buf, body);
    const type = u16(buf, body + 3);
    t.num(F.oui, body, 3, oui);
    t.num(oui === 0 ? F.type : F.pid, body + 3, 2, type);
    body += 5;
    t.pop();
    // IEEE 802 §9.2.3: organization 0 means an EtherType follows.
    if (oui === 0) cx.next('ethertype.bare', type, v.sub(body));
    else if (oui === CISCO) cx.next('llc.cisco_pid', type, v.sub(body));
    else if (oui === APPLE) cx.next('llc.apple_pid', type, v.sub(body));
    else if (oui === NORTEL) cx.next('llc.nortel_pid', type, v.sub(body));
    else cx.data(v.sub(body));
  },

  summary(v) {
    if (v.length < 3) return 'Header cut short';
    const { buf, off } = v;
    const frame = nameOf(FRAME_TYPES, buf[off + 2] & 3);
    return `${frame}; DSAP ${nameOf(SAPS, buf[off])}, SSAP ${nameOf(SAPS, buf[off + 1] & 0xfe)}`;
  },
});
