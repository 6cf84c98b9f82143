import { No, startsWith, u16, u16le, u32, Yes } from 'fttscope/kit';
import { named } from './named.js';
import { framed } from './streams.js';

/** Protocols of vehicles, plants and laboratories that are only named. */

/** Octets before the payload of a frame of CAN, the fifth of which counts it; flags in the first. */
const CAN_HEADER = 8;
const CAN_ERROR = 0x20;
const CAN_ID = 0x1fffffff;

/** An item of a common packet that is data of a connection. CIP volume 2 §2-6.3.2 */
const CONNECTED_DATA = 0xb1;
const ITEM_HEADER = 4;

/** A frame of S-Bus says how long it is, and in which version it is written. */
const SBUS_VERSION = 1;

/** Messages of HiSLIP begin with this; their length has eight octets. IVI-6.1 §2.4 */
const HISLIP = 'HS';
const HISLIP_HEADER = 16;

/** A frame of Gryphon counts what follows its header, and is filled up to whole words. */
const GRYPHON_HEADER = 8;

export const automation = [
  named({
    ...{ proto: 'can', title: 'Controller Area Network', short: 'CAN', spec: 'LINKTYPE_CAN_SOCKETCAN' },
    on: { link: [227], 'sll.ltype': [12] },
    calls: ['autosar-nm'],
    /** Network management has the identifier 0, where nobody sets another. */
    inner(v, cx) {
      const { buf, off } = v;
      if (v.length <= CAN_HEADER || (buf[off] & CAN_ERROR) !== 0) return;
      const payload = v.sub(off + CAN_HEADER, off + CAN_HEADER + buf[off + 4]);
      if ((u32(buf, off) & CAN_ID) === 0 && payload.length > 0) cx.call('autosar-nm', payload);
      else cx.data(payload);
    },
  }),
  named({
    ...{ proto: 'canfd', title: 'Controller Area Network FD', short: 'CANFD', spec: 'LINKTYPE_CAN_SOCKETCAN' },
    on: { 'sll.ltype': [13] },
    inner(v, cx) {
      if (v.length > CAN_HEADER) cx.data(v.sub(v.off + CAN_HEADER, v.off + CAN_HEADER + v.buf[v.off + 4]));
    },
  }),
  named({
    ...{ proto: 'autosar-nm', title: 'AUTOSAR Network Management', short: 'AUTOSAR NM' },
    ...{ spec: 'AUTOSAR CAN Network Management §7.1' },
  }),
  named({
    ...{ proto: 'cipio', title: 'Common Industrial Protocol, I/O', short: 'CIP I/O', spec: 'CIP volume 2 §2-6' },
    on: { 'udp.port': [2222] },
    calls: ['cipio.data'],
    inner(v, cx) {
      const { buf, end } = v;
      if (v.length < 2) return;
      let items = u16le(buf, v.off);
      for (let at = v.off + 2; items > 0 && at + ITEM_HEADER <= end; items--) {
        const next = at + ITEM_HEADER + u16le(buf, at + 2);
        if (u16le(buf, at) === CONNECTED_DATA && next <= end) cx.call('cipio.data', v.sub(at + ITEM_HEADER, next));
        at = next;
      }
    },
  }),
  named({
    ...{ proto: 'cipio.data', layer: 'cipio', title: 'Common Industrial Protocol, I/O', short: 'CIP I/O' },
    ...{ spec: 'CIP volume 1 §3-6' },
  }),
  named({
    ...{ proto: 'esio', title: 'SAIA S-Bus over Ethernet I/O', short: 'ESIO', spec: 'none' },
    on: { 'udp.port': [6060] },
    probe: (b, off, end) => (startsWith(b, off, end, 'ESIO') ? Yes : No),
  }),
  named({
    ...{ proto: 'sbus', title: 'SAIA S-Bus', short: 'SBUS', spec: 'none' },
    on: { 'udp.port': [5050] },
    probe: (b, off, end) => {
      const fits = end - off >= 12 && u32(b, off) === end - off;
      return fits && b[off + 4] <= SBUS_VERSION ? Yes : No;
    },
  }),
  named({
    ...{ proto: 'hislip', title: 'High-Speed LAN Instrument Protocol', short: 'HiSLIP', spec: 'IVI-6.1 §2.4' },
    on: { 'tcp.port': [4880] },
    pduLength: framed(HISLIP_HEADER, (b, o) =>
      startsWith(b, o, b.length, HISLIP) && u32(b, o + 8) === 0 ? HISLIP_HEADER + u32(b, o + 12) : -1,
    ),
  }),
  named({
    ...{ proto: 'gryphon', title: 'DG Gryphon Protocol', short: 'Gryphon', spec: 'none' },
    on: { 'tcp.port': [7000] },
    pduLength: framed(GRYPHON_HEADER, (b, o) => (GRYPHON_HEADER + u16(b, o + 4) + 3) & ~3),
  }),
];
