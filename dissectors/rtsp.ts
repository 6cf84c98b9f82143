import {
  defineDissector,
  fields,
  LIMITS,
  latin1,
  need,
  type Track,
  type Tree,
  u8,
  u16,
  utf8Text,
  type View,
} from 'fttscope/kit';
import { fieldValue, type Message, readMessage } from './http/message.js';
import { CallIds } from './sdp/call-ids.js';
import type { MediaNote } from './sdp/media.js';
import { udp } from './udp.js';

/**
 * Real Time Streaming Protocol, RFC 7826 §20 and RFC 2326: messages laid out as those of HTTP, and between them frames of
 * media that are interleaved (RFC 7826 §14):
 *
 *     +----------+-------------+------------+------- - -
 *     | "$" (8)  | Channel (8) | Length (16)| RTP or RTCP
 *     +----------+-------------+------------+------- - -
 *
 * Other octets on its ports are shown as its own, as in Wireshark.
 */
const DOLLAR = 0x24;
const INTERLEAVED = 4;
const START = /^(?:RTSP\/\d\.\d \d{3}|[A-Z_]{3,32} \S+ RTSP\/\d\.\d)/;
const MOST_LINE = 2048;

const F = fields({
  rtsp: { name: 'rtsp', label: 'Real Time Streaming Protocol', type: 'protocol' },
  request: { name: 'rtsp.request', label: 'Request', type: 'string' },
  response: { name: 'rtsp.response', label: 'Response', type: 'string' },
  method: { name: 'rtsp.method', label: 'Method', type: 'string', clause: 'RFC 7826 §13' },
  url: { name: 'rtsp.url', label: 'URL', type: 'string' },
  status: { name: 'rtsp.status', label: 'Status', type: 'u32', clause: 'RFC 7826 §17' },
  session: { name: 'rtsp.session', label: 'Session', type: 'string', clause: 'RFC 7826 §18.49' },
  transport: { name: 'rtsp.transport', label: 'Transport', type: 'string', clause: 'RFC 7826 §18.54' },
  contentType: { name: 'rtsp.content-type', label: 'Content-type', type: 'string' },
  contentLength: { name: 'rtsp.content-length', label: 'Content-length', type: 'u32' },
  magic: { name: 'rtsp.magic', label: 'Magic', type: 'u8', base: 'hex' },
  channel: { name: 'rtsp.channel', label: 'Channel', type: 'u8', base: 'hex' },
  length: { name: 'rtsp.length', label: 'Length', type: 'u16' },
});

const startLine = (b: Uint8Array, off: number, end: number): string => latin1(b, off, Math.min(end, off + MOST_LINE));

/** Octets of the body that a message states; 0 where it states none. RFC 7826 §18.17 */
function bodyLength(m: Message): number {
  const length = fieldValue(m, 'content-length');
  return /^\d{1,9}$/.test(length) ? Number(length) : 0;
}

/** RTP over UDP, and the ports of the client for it and for its RTCP. RFC 2326 §12.39, RFC 7826 §18.54 */
const OVER_UDP = /^RTP\/AVP(?!\/TCP)/i;
const CLIENT_PORTS = /;client_port=(\d{1,5})(?:-(\d{1,5}))?/i;

/** An answer to a SETUP says where its RTP goes: to who asked. */
function expectMedia(m: Message, cx: Track): void {
  const transport = fieldValue(m, 'transport');
  const ports = OVER_UDP.test(transport) ? CLIENT_PORTS.exec(transport.replace(/\s/g, '')) : null;
  if (ports === null) return;
  const { version, buf, dst } = cx.net;
  const client = buf.slice(dst, dst + (version === 6 ? 16 : 4));
  const note: MediaNote = {
    ...{ setupFrame: cx.frame, callId: '', callIds: CallIds.NONE, kind: '', payloadTypes: new Map(), secure: false },
    by: 'RTSP',
  };
  for (const [port, proto] of [
    [Number(ports[1]), 'rtp'],
    [Number(ports[2] ?? 0), 'rtcp'],
  ] as const)
    if (port > 0 && port <= 0xffff) cx.expect(client, port, proto, note);
}

const HEADERS = [
  ['session', F.session],
  ['transport', F.transport],
  ['content-type', F.contentType],
] as const;

export const rtsp = defineDissector({
  proto: 'rtsp',
  title: 'Real Time Streaming Protocol',
  short: 'RTSP',
  spec: 'RFC 7826',
  fields: F,
  on: { 'tcp.port': [554, 8554] },
  tables: ['media_type'],
  serves: { fields: [udp.fields.stream], protocols: ['rtp', 'rtcp'] },

  pduLength(b, off, end) {
    if (b[off] === DOLLAR) return end - off < INTERLEAVED ? 0 : INTERLEAVED + u16(b, off + 2);
    if (!START.test(startLine(b, off, end)) || end - off > LIMITS.messageOctets) return end - off;
    const m = readMessage(b, off, end);
    return m?.complete === true ? m.body - off + bodyLength(m) : 0;
  },

  track({ buf, off, end }, cx) {
    const line = startLine(buf, off, end);
    const m = line.startsWith('RTSP/') && START.test(line) ? readMessage(buf, off, end) : undefined;
    if (m !== undefined) expectMedia(m, cx);
  },

  dissect(v, t, cx) {
    const { buf, off, end } = v;
    t.open(F.rtsp, off, v.length);
    if (u8(buf, off) === DOLLAR) {
      need(v, INTERLEAVED);
      t.num(F.magic, off, 1, u8(buf, off));
      t.num(F.channel, off + 1, 1, u8(buf, off + 1));
      t.num(F.length, off + 2, 2, u16(buf, off + 2));
    }
    const m = START.test(startLine(buf, off, end)) ? readMessage(buf, off, end) : undefined;
    if (m !== undefined) message(v, t, m);
    t.pop();
    if (m === undefined || m.body >= end || bodyLength(m) === 0) return;
    const type = fieldValue(m, 'content-type').split(';')[0].trim().toLowerCase();
    const body = v.sub(m.body, Math.min(end, m.body + bodyLength(m)));
    if (cx.takes('media_type', type)) cx.next('media_type', type, body);
    else cx.data(body);
  },

  summary(v) {
    const { buf, off, end } = v;
    if (buf[off] === DOLLAR && v.length >= INTERLEAVED)
      return `Interleaved channel 0x${u8(buf, off + 1)
        .toString(16)
        .padStart(2, '0')}, ${u16(buf, off + 2)} bytes`;
    const line = startLine(buf, off, end).split(/[\r\n]/)[0];
    if (!START.test(line)) return 'Continuation';
    return line.startsWith('RTSP/') ? `Reply: ${line}` : line;
  },
});

function message({ buf }: View, t: Tree, m: Message): void {
  const { off, end, next } = m.start;
  const [first, second = ''] = utf8Text(buf, off, end).split(' ');
  const isAnswer = first.startsWith('RTSP/');
  t.text(isAnswer ? F.response : F.request, off, next - off);
  t.push();
  if (isAnswer) t.num(F.status, off + first.length + 1, second.length, Number(second));
  else {
    t.text(F.method, off, first.length);
    t.text(F.url, off + first.length + 1, Buffer.byteLength(second));
  }
  t.pop();
  for (const [name, field] of HEADERS) {
    const h = m.headers.findLast((x) => x.name === name);
    if (h !== undefined) t.text(field, h.valueOff, h.end - h.valueOff);
  }
  const length = m.headers.findLast((h) => h.name === 'content-length');
  if (length !== undefined) t.num(F.contentLength, length.off, length.end - length.off, bodyLength(m));
}
