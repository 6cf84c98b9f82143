import {
  type Ctx,
  defineDissector,
  type Field,
  fields,
  nameOf,
  need,
  type Tree,
  u8,
  u16le,
  type View,
} from 'fttscope/kit';

/**
 * Low-rate wireless networks, IEEE 802.15.4 §7.2; numbers are little-endian:
 *
 *     +---------------+--------+- - - - - - - - - - - -+- - - - - - - - - - - -+---------+-------+
 *     | Control (2)   | Number | PAN (2), address (2/8)| PAN (2), address (2/8)| Payload | (FCS) |
 *     +---------------+--------+- - - - - - - - - - - -+- - - - - - - - - - - -+---------+-------+
 *                                of the destination       of the source
 *
 * Which of them are there the control field says. What is secured, has information elements, or is data that does not
 * fit its check sequence is not read further.
 */
const HEADER = 3;
const FCS = 2;
const TYPES = { 0: 'Beacon', 1: 'Data', 2: 'Ack', 3: 'Command', 5: 'Multipurpose', 6: 'Fragment', 7: 'Extended' };
const [BEACON, DATA, ACK] = [0, 1, 2];
const MODES = { 0: 'None', 1: 'Reserved', 2: 'Short/16-bit', 3: 'Long/64-bit' };
const SHORT = 2;
const LONG = 3;
/** Octets of an address by its mode. */
const OCTETS = [0, 0, 2, 8];
const VERSIONS = { 0: 'IEEE Std 802.15.4-2003', 1: 'IEEE Std 802.15.4-2006', 2: 'IEEE Std 802.15.4-2015' };
const NEWEST = 2;
const SECURED = 0x0008;
const COMPRESSED = 0x0040;
const NO_NUMBER = 0x0100;
const ELEMENTS = 0x0200;

const F = fields({
  wpan: { name: 'wpan', label: 'IEEE 802.15.4', type: 'protocol' },
  control: { name: 'wpan.fcf', label: 'Frame Control Field', type: 'u16', base: 'hex' },
  type: { name: 'wpan.frame_type', label: 'Frame Type', type: 'u16', base: 'hex', mask: 0x0007, values: TYPES },
  security: { name: 'wpan.security', label: 'Security Enabled', type: 'bool', mask: SECURED },
  pending: { name: 'wpan.pending', label: 'Frame Pending', type: 'bool', mask: 0x0010 },
  ack: { name: 'wpan.ack_request', label: 'Acknowledge Request', type: 'bool', mask: 0x0020 },
  compression: { name: 'wpan.pan_id_compression', label: 'PAN ID Compression', type: 'bool', mask: COMPRESSED },
  toMode: {
    name: 'wpan.dst_addr_mode',
    label: 'Destination Addressing Mode',
    type: 'u16',
    base: 'hex',
    mask: 0x0c00,
    values: MODES,
  },
  version: { name: 'wpan.version', label: 'Frame Version', type: 'u16', mask: 0x3000, values: VERSIONS },
  fromMode: {
    name: 'wpan.src_addr_mode',
    label: 'Source Addressing Mode',
    type: 'u16',
    base: 'hex',
    mask: 0xc000,
    values: MODES,
  },
  number: { name: 'wpan.seq_no', label: 'Sequence Number', type: 'u8' },
  toPan: { name: 'wpan.dst_pan', label: 'Destination PAN', type: 'u16', base: 'hex' },
  to16: { name: 'wpan.dst16', label: 'Destination', type: 'u16', base: 'hex' },
  to64: { name: 'wpan.dst64', label: 'Destination', type: 'string' },
  fromPan: { name: 'wpan.src_pan', label: 'Source PAN', type: 'u16', base: 'hex' },
  from16: { name: 'wpan.src16', label: 'Source', type: 'u16', base: 'hex' },
  from64: { name: 'wpan.src64', label: 'Extended Source', type: 'string' },
  fcs: { name: 'wpan.fcs', label: 'FCS', type: 'u16', base: 'hex' },
});

/** Whether the PANs of destination and source are there, by the modes of their addresses. §7.2.2.6, table 7-2 */
function pans(control: number, to: number, from: number): readonly [boolean, boolean] {
  const compressed = (control & COMPRESSED) !== 0;
  if (((control >> 12) & 3) < NEWEST) return [to !== 0, from !== 0 && !(compressed && to !== 0)];
  if (to === 0 && from === 0) return [compressed, false];
  if (to === 0) return [false, !compressed];
  if (from === 0 || (to === LONG && from === LONG)) return [!compressed, false];
  return [true, !compressed];
}

/** The check sequence of octets: x^16 + x^12 + x^5 + 1, the lowest bit first. §7.2.11 */
function checkOf(b: Uint8Array, off: number, end: number): number {
  let crc = 0;
  for (let i = off; i < end; i++) {
    crc ^= b[i];
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) !== 0 ? (crc >>> 1) ^ 0x8408 : crc >>> 1;
  }
  return crc;
}

/** An address as people write it: the last octet first. */
function reversed(b: Uint8Array, off: number, n: number): string {
  const out: string[] = [];
  for (let i = n - 1; i >= 0; i--)
    out.push(
      u8(b, off + i)
        .toString(16)
        .padStart(2, '0'),
    );
  return out.join(':');
}

/** PAN and address of one side; returns where they end. */
function side(
  t: Tree,
  v: View,
  at: number,
  pan: Field | undefined,
  mode: number,
  names: readonly [Field, Field],
): number {
  let next = at;
  need(v, (pan === undefined ? 0 : 2) + OCTETS[mode], at);
  if (pan !== undefined) {
    t.num(pan, next, 2, u16le(v.buf, next));
    next += 2;
  }
  if (mode === SHORT) t.num(names[0], next, 2, u16le(v.buf, next));
  else if (mode === LONG) t.text(names[1], next, 8, reversed(v.buf, next, 8));
  return next + OCTETS[mode];
}

/** Octets of a beacon before its payload: superframe, guaranteed slots, and addresses that data waits for. §7.3.1 */
function beaconHead(v: View, at: number): number {
  need(v, 4, at);
  const slots = u8(v.buf, at + 2) & 7;
  const pending = at + 3 + (slots === 0 ? 0 : 1 + 3 * slots);
  need(v, 1, pending);
  const waiting = u8(v.buf, pending);
  return pending + 1 + 2 * (waiting & 7) + 8 * ((waiting >> 4) & 7);
}

function payload(v: View, type: number, from: number, cx: Ctx): void {
  const { buf, off } = v;
  if (type === BEACON && v.length > 0) {
    if (buf[off] === 0) cx.call('zbee_beacon', v);
    else cx.data(v);
  } else if (type === DATA && v.length > 1) {
    const version = (buf[off] >> 2) & 15;
    // A frame of ZigBee says its type and version, and comes from a short address. ZigBee §3.3.1.1
    if (from === SHORT && (buf[off] & 3) < 2 && version >= 1 && version <= 3) cx.call('zbee_nwk', v);
    else cx.data(v);
  } else if (type === DATA || type === ACK) cx.data(v);
}

/** Both with and without the check sequence, which is the last field of a frame. */
const framesOf = (proto: string, on: Readonly<Record<string, readonly number[]>>, check: number) =>
  defineDissector({
    ...{ proto, layer: 'wpan', title: 'IEEE 802.15.4 Low-Rate Wireless PAN', short: 'IEEE 802.15.4' },
    ...{ spec: 'IEEE 802.15.4 §7.2', fields: F, on, calls: ['zbee_beacon', 'zbee_nwk'] },

    dissect(v, t, cx) {
      const { buf, off } = v;
      t.open(F.wpan, off, v.length);
      need(v, HEADER);
      const control = u16le(buf, off);
      const [type, to, from] = [control & 7, (control >> 10) & 3, (control >> 14) & 3];
      t.num(F.control, off, 2, control);
      t.push();
      t.bits(F.type, off, 2, control);
      for (const f of [F.security, F.pending, F.ack, F.compression]) t.bits(f, off, 2, control);
      for (const f of [F.toMode, F.version, F.fromMode]) t.bits(f, off, 2, control);
      t.pop();
      let at = off + 2;
      const isNew = ((control >> 12) & 3) === NEWEST;
      if (!isNew || (control & NO_NUMBER) === 0) t.num(F.number, at, 1, u8(buf, at++));
      const [toPan, fromPan] = pans(control, to, from);
      at = side(t, v, at, toPan ? F.toPan : undefined, to, [F.to16, F.to64]);
      at = side(t, v, at, fromPan ? F.fromPan : undefined, from, [F.from16, F.from64]);
      if (type === BEACON && (control & SECURED) === 0) at = beaconHead(v, at);
      const end = Math.max(at, Math.min(v.end, v.wireEnd - check));
      const isChecked = check > 0 && v.wireEnd === v.end && end + check === v.end;
      if (isChecked) t.num(F.fcs, end, 2, u16le(buf, end));
      t.pop();
      if ((control & SECURED) !== 0 || (isNew && (control & ELEMENTS) !== 0) || at >= end) return;
      const isBroken = isChecked && type === DATA && checkOf(buf, off, end) !== u16le(buf, end);
      if (isBroken) cx.data(v.sub(at, end));
      else payload(v.sub(at, end), type, from, cx);
    },

    summary: (v) => (v.length < 2 ? 'Cut short' : nameOf(TYPES, v.buf[v.off] & 7)),
  });

export const wpan = framesOf('wpan', { link: [195], ethertype: [0x809a] }, FCS);
export const wpanBare = framesOf('wpan.bare', { link: [230] }, 0);
