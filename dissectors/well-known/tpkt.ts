import { type Ctx, startsWith, u8, u16, type View } from 'fttscope/kit';
import { named } from './named.js';
import { framed } from './streams.js';

/** ISO transport over TCP, and what is known in it: Siemens' controllers, and Remote Desktop with its connections of T.125. */

const VERSION = 3;
const HEADER = 4;
const length = framed(HEADER, (b, o) => (u16(b, o) === VERSION << 8 ? u16(b, o + 2) : -1));

/** A connection request, its confirmation, and data; the octets before the variable part of the first two. ITU-T X.224 §13 */
const CONNECTION_REQUEST = 0xe0;
const CONNECTION_CONFIRM = 0xd0;
const DATA = 0xf0;
const CONNECTION_HEADER = 7;

/** What Siemens' messages begin with, and the port of Remote Desktop. */
const S7 = 0x32;
const RDP = 3389;

/** What a client of Remote Desktop asks for, and what the server answers; MS-RDPBCGR §2.2.1.1, §2.2.1.2. */
const COOKIE = 'Cookie: ';
const NEGOTIATE = 1;
const AGREED = 2;
const REFUSED = 3;
/** Connect-Initial and Connect-Response, and the choice of a domain PDU that the server sends on. ITU-T T.125 §11 */
const CONNECT: ReadonlySet<number> = new Set([0x7f65, 0x7f66]);
const SEND_DATA_INDICATION = 26;
/** Bits that are 0 in a PDU that is none of TPKT, and the one of its length that says that an octet more belongs to it. */
const FAST_PATH = 3;
const LONG = 0x80;

const isRequest = ({ buf, off, end }: View): boolean =>
  end - off > 1 && (buf[off + 1] & DATA) === CONNECTION_REQUEST && asksForDesktop(buf, off + CONNECTION_HEADER, end);

const asksForDesktop = (b: Uint8Array, at: number, end: number): boolean =>
  at < end && (b[at] === NEGOTIATE || startsWith(b, at, end, COOKIE));

/** Whether it is one, and whole. MS-RDPBCGR §2.2.8.1.2 */
function isFastPath({ buf, off, length: octets }: View): boolean {
  if (octets < 3 || (buf[off] & FAST_PATH) !== 0) return false;
  return octets >= ((buf[off + 1] & LONG) === 0 ? buf[off + 1] : u16(buf, off + 1) & ~(LONG << 8));
}

/** What stands in a PDU of the transport. */
function inside(v: View, cx: Ctx): void {
  const { buf, off } = v;
  const payload = v.sub(Math.min(v.end, off + 1 + u8(buf, off)));
  const isDesktop = cx.sport === RDP || cx.dport === RDP;
  if (u8(buf, off + 1) === CONNECTION_CONFIRM || isRequest(v)) {
    const part = v.sub(Math.min(v.end, off + CONNECTION_HEADER));
    const kind = part.length > 0 ? part.buf[part.off] : 0;
    if (isDesktop && (isRequest(v) || kind === AGREED || kind === REFUSED)) cx.call('rdp', part);
  } else if (buf[off + 1] !== DATA || payload.length === 0) return;
  else if (payload.buf[payload.off] === S7) cx.call('s7comm', payload);
  else if (isDesktop) cx.call('t125', payload);
  else cx.data(payload);
}

export const tpkts = [
  named({
    ...{ proto: 'tpkt', title: 'TPKT - ISO on TCP - RFC1006', short: 'TPKT', spec: 'RFC 1006 §6' },
    on: { 'tcp.port': [102] },
    calls: ['cotp', 'rdp'],
    pduLength: length,
    inner(v, cx) {
      if (v.buf[v.off] === VERSION) cx.call('cotp', v.sub(v.off + HEADER));
      else if (isFastPath(v)) cx.call('rdp', v);
    },
  }),
  named({
    ...{ proto: 'rdp.stream', layer: '', title: 'Remote Desktop', short: 'RDP', spec: 'MS-RDPBCGR §2.2.1' },
    on: { 'tcp.port': [RDP] },
    calls: ['tpkt', 'cotp'],
    /** What is no TPKT goes on with the segment. */
    pduLength: (b, off, end) => (u8(b, off) === VERSION ? length(b, off, end) : end - off),
    /** Wireshark knows the request by its octets, and lists no TPKT around it. */
    inner(v, cx) {
      const payload = v.sub(Math.min(v.end, v.off + HEADER));
      if (v.buf[v.off] === VERSION && isRequest(payload)) cx.call('cotp', payload);
      else cx.call('tpkt', v);
    },
  }),
  named({
    ...{ proto: 'cotp', title: 'ISO 8073/X.224 COTP Connection-Oriented Transport Protocol', short: 'COTP' },
    ...{ spec: 'ITU-T X.224 §13', calls: ['s7comm', 't125', 'rdp'], inner: inside },
  }),
  named({ proto: 's7comm', title: 'S7 Communication', short: 'S7COMM', spec: 'none' }),
  named({
    ...{ proto: 't125', title: 'MULTIPOINT-COMMUNICATION-SERVICE T.125', short: 'T.125', spec: 'ITU-T T.125' },
    calls: ['t124', 'rdp'],
    inner(v, cx) {
      if (v.length < 2) return;
      if (CONNECT.has(u16(v.buf, v.off))) cx.call('t124', v);
      else if (v.buf[v.off] >> 2 === SEND_DATA_INDICATION) cx.call('rdp', v);
    },
  }),
  named({
    ...{ proto: 't124', title: 'GENERIC-CONFERENCE-CONTROL T.124', short: 'T.124', spec: 'ITU-T T.124' },
  }),
  named({ proto: 'rdp', title: 'Remote Desktop Protocol', short: 'RDP', spec: 'MS-RDPBCGR' }),
];
