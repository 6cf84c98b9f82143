import { type Ctx, u8, u16le, type View } from 'fttscope/kit';
import { fromRows, named } from './named.js';
import { framed } from './streams.js';

/** EtherNet/IP, only named, with the messages of CIP in it. ODVA CIP volume 2 §2-3 */

/** Octets of the encapsulation header, and of what stands before the items of the common packet format. */
const HEADER = 24;
const BEFORE_ITEMS = 6;
/** Commands whose data are items; the items that carry a message, behind a number where it is of a connection. */
const COMMANDS: ReadonlySet<number> = new Set([0x6f, 0x70]);
const UNCONNECTED = 0xb2;
const CONNECTED = 0xb1;
const SEQUENCE = 2;

function messages(v: View, cx: Ctx): void {
  const { buf, off, end } = v;
  const items = off + HEADER + BEFORE_ITEMS;
  if (items + 2 > end || !COMMANDS.has(u16le(buf, off))) return;
  let at = items + 2;
  for (let n = u16le(buf, items); n > 0 && at + 4 <= end; n--) {
    const type = u16le(buf, at);
    const stop = Math.min(end, at + 4 + u16le(buf, at + 2));
    const message = v.sub(at + (type === CONNECTED ? 4 + SEQUENCE : 4), stop);
    if ((type === CONNECTED || type === UNCONNECTED) && message.length > 0) cx.call('cip', message);
    at = stop;
  }
}

/** Objects whose services Wireshark shows as a layer of their own, by their class. ODVA CIP volume 1 §3-5 */
const OBJECTS = new Map([
  [0x06, 'cipcm'],
  [0x67, 'cippccc'],
]);
/** A path of two words or more whose first segment is a class of one octet. */
const CLASS = 0x20;
const ANSWER = 0x80;

/** Services that objects of those classes alone have: what an answer says of whom it is from. */
const SERVICES = new Map([
  [0x4b, 'cippccc'],
  [0x4e, 'cipcm'],
  [0x52, 'cipcm'],
  [0x54, 'cipcm'],
  [0x5b, 'cipcm'],
]);
const ANSWER_HEADER = 4;

/** Names the object that a request is for, or an answer from. */
function object(v: View, cx: Ctx): void {
  const { buf, off } = v;
  if (v.length < ANSWER_HEADER) return;
  const service = u8(buf, off);
  const words = buf[off + 1];
  const isRequest = service < ANSWER;
  if (isRequest && (words === 0 || buf[off + 2] !== CLASS)) return;
  const proto = isRequest ? OBJECTS.get(buf[off + 3]) : SERVICES.get(service - ANSWER);
  const rest = v.sub(off + (isRequest ? 2 + 2 * words : ANSWER_HEADER + 2 * buf[off + 3]));
  if (proto !== undefined) cx.call(proto, rest);
}

export const enips = [
  named({
    ...{ proto: 'enip', title: 'EtherNet/IP (Industrial Protocol)', short: 'ENIP', spec: 'ODVA CIP volume 2' },
    on: { 'udp.port': [44818], 'tcp.port': [44818] },
    pduLength: framed(4, (b, o) => HEADER + u16le(b, o + 2)),
    calls: ['cip'],
    inner: messages,
  }),
  named({
    ...{ proto: 'cip', title: 'Common Industrial Protocol', short: 'CIP', spec: 'ODVA CIP volume 1' },
    calls: [...OBJECTS.values()],
    inner: object,
  }),
  ...fromRows([
    ['cipcm', 'CIP Connection Manager', 'CIP CM', 'ODVA CIP volume 1 §3-5', {}],
    ['cippccc', 'CIP PCCC Object', 'CIP PCCC', 'none', {}],
  ]),
];
