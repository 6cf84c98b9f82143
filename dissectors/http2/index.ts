import {
  type AnyDissector,
  type Ctx,
  defineDissector,
  experts,
  type Field,
  fields,
  No,
  nameOf,
  need,
  put24,
  put32,
  startsWith,
  type Tree,
  Unsure,
  u16,
  u24,
  u32,
  View,
  Yes,
} from 'fttscope/kit';
import { takesBody } from '../bodies.js';
import { type Body, contentOf, type FrameNote, HEADER, Sender, Type } from './exchange.js';
import type { HeaderField } from './hpack.js';

/**
 * Frames of HTTP/2, RFC 9113 §4.1, after a preface of the client (§3.4):
 *
 *     +-----------------------------------------------+
 *     |                 Length (24)                   |
 *     +---------------+---------------+---------------+
 *     |   Type (8)    |   Flags (8)   |
 *     +-+-------------+---------------+-------------------------------+
 *     |R|                 Stream Identifier (31)                      |
 *     +=+=============================================================+
 *     |                   Frame Payload …
 *
 * Headers are compressed over the whole connection (RFC 7541): those of a capture that begins in the middle of it stay octets.
 */
const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
/** Flag of SETTINGS and PING. */
const ACK = 1;

const TYPES = {
  0: 'DATA',
  1: 'HEADERS',
  2: 'PRIORITY',
  3: 'RST_STREAM',
  4: 'SETTINGS',
  5: 'PUSH_PROMISE',
  6: 'PING',
  7: 'GOAWAY',
  8: 'WINDOW_UPDATE',
  9: 'CONTINUATION',
  10: 'ALTSVC',
  12: 'ORIGIN',
  16: 'PRIORITY_UPDATE',
};
const SETTINGS = {
  1: 'Header table size',
  2: 'Enable PUSH',
  3: 'Max concurrent streams',
  4: 'Initial Windows size',
  5: 'Max frame size',
  6: 'Max header list size',
  8: 'Extended CONNECT',
};

const F = fields({
  http2: { name: 'http2', label: 'HyperText Transfer Protocol 2', type: 'protocol' },
  stream: { name: 'http2.stream', label: 'Stream', type: 'none' },
  magic: { name: 'http2.magic', label: 'Magic', type: 'string', clause: 'RFC 9113 §3.4' },
  length: { name: 'http2.length', label: 'Length', type: 'u24' },
  type: { name: 'http2.type', label: 'Type', type: 'u8', values: TYPES },
  flags: { name: 'http2.flags', label: 'Flags', type: 'u8', base: 'hex' },
  reserved: { name: 'http2.r', label: 'Reserved', type: 'u32', base: 'hex', mask: 0x80000000 },
  streamId: { name: 'http2.streamid', label: 'Stream Identifier', type: 'u32', mask: 0x7fffffff },
  data: { name: 'http2.data.data', label: 'Data', type: 'bytes', clause: 'RFC 9113 §6.1' },
  settingId: { name: 'http2.settings.id', label: 'Settings Identifier', type: 'u16', values: SETTINGS },
  ping: { name: 'http2.ping', label: 'Ping', type: 'bytes', clause: 'RFC 9113 §6.7' },
  increment: {
    name: 'http2.window_update.window_size_increment',
    label: 'Window Size Increment',
    type: 'u32',
    mask: 0x7fffffff,
  },
  block: { name: 'http2.headers', label: 'Header Block Fragment', type: 'bytes', clause: 'RFC 9113 §6.2' },
  header: { name: 'http2.header', label: 'Header', type: 'none' },
  nameLength: { name: 'http2.header.name.length', label: 'Name Length', type: 'u32' },
  name: { name: 'http2.header.name', label: 'Name', type: 'string' },
  valueLength: { name: 'http2.header.value.length', label: 'Value Length', type: 'u32' },
  value: { name: 'http2.header.value', label: 'Value', type: 'string' },
  method: { name: 'http2.headers.method', label: ':method', type: 'string', clause: 'RFC 9113 §8.3.1' },
  scheme: { name: 'http2.headers.scheme', label: ':scheme', type: 'string' },
  authority: { name: 'http2.headers.authority', label: ':authority', type: 'string' },
  path: { name: 'http2.headers.path', label: ':path', type: 'string' },
  status: { name: 'http2.headers.status', label: ':status', type: 'u16', clause: 'RFC 9113 §8.3.2' },
  contentType: { name: 'http2.headers.content_type', label: 'content-type', type: 'string' },
  userAgent: { name: 'http2.headers.user_agent', label: 'user-agent', type: 'string' },
  payload: { name: 'http2.unknown', label: 'Payload', type: 'bytes' },
});

const E = experts({
  notUnpacked: {
    code: 'http2.not-unpacked',
    severity: 'warn',
    message: 'Body decompression failed',
    clause: 'RFC 9110 §8.4',
  },
});

/** Headers that have a field of their own. */
const TEXTS: ReadonlyMap<string, Field> = new Map([
  [':method', F.method],
  [':scheme', F.scheme],
  [':authority', F.authority],
  [':path', F.path],
  ['content-type', F.contentType],
  ['user-agent', F.userAgent],
]);

/** A frame, or the preface where the type is -1. */
export interface Http2Frame {
  type: number;
  flags: number;
  stream: number;
  payload: Uint8Array;
}

/** What is kept of a connection. */
class Connection {
  /** By direction. */
  readonly senders = [new Sender(), new Sender()] as const;

  get size(): number {
    return this.senders[0].size + this.senders[1].size;
  }
}

const isPreface = (b: Uint8Array, off: number, end: number): boolean => startsWith(b, off, end, PREFACE);

function frame(v: View, t: Tree, note: FrameNote | undefined): void {
  const { buf, off } = v;
  const type = buf[off + 3];
  const n = u24(buf, off);
  t.open(F.stream, off, v.length, t.labels ? frameText(v) : undefined);
  t.num(F.length, off, 3, n);
  t.num(F.type, off + 3, 1, type);
  t.num(F.flags, off + 4, 1, buf[off + 4]);
  t.bits(F.reserved, off + 5, 4, u32(buf, off + 5));
  t.bits(F.streamId, off + 5, 4, u32(buf, off + 5));
  if (type === Type.Headers || type === Type.Continuation || type === Type.PushPromise) headers(v, note, t);
  else payload(v.sub(off + HEADER, off + HEADER + n), type, t);
  t.pop();
}

/** A header block, and all headers where it ends. */
function headers(v: View, note: FrameNote | undefined, t: Tree): void {
  const { off, end } = contentOf(v);
  t.bytes(F.block, off, end - off);
  for (const field of note?.fields ?? []) header(field, off, end - off, t);
}

function header([name, value]: HeaderField, off: number, length: number, t: Tree): void {
  t.open(F.header, off, length, t.labels ? `Header: ${name}: ${value}` : undefined);
  t.num(F.nameLength, off, length, name.length);
  t.text(F.name, off, length, name);
  t.num(F.valueLength, off, length, value.length);
  t.text(F.value, off, length, value);
  const f = TEXTS.get(name);
  if (f !== undefined) t.text(f, off, length, value);
  else if (name === ':status' && /^\d{3}$/.test(value)) t.num(F.status, off, length, Number(value));
  t.pop();
}

/** All octets of a body that ends with the frame `v`. */
function wholeOf(v: View, { octets }: Body): View {
  if (octets !== undefined) return View.of(octets, 'Reassembled body');
  const { off, end } = contentOf(v);
  return v.sub(off, end);
}

/** Hands on the body that ends with the frame `v`: like tshark only where somebody takes its media type. */
function body(v: View, entity: Body, t: Tree, cx: Ctx): void {
  const { type, parameters, coding } = entity;
  let whole = wholeOf(v, entity);
  if (coding !== '' && coding !== 'identity') {
    const plain = cx.unpack?.(coding, whole.buf.subarray(whole.off, whole.end));
    if (plain === undefined) {
      t.expert(E.notUnpacked);
      return;
    }
    whole = View.of(plain, 'Unpacked body');
  }
  if (whole.length === 0 || !takesBody(cx, type, whole)) return;
  cx.mediaParameters = parameters;
  cx.next('media_type', type, whole);
}

function payload(v: View, type: number, t: Tree): void {
  const { buf, off } = v;
  if (v.length === 0) return;
  if (type === Type.Settings) for (let at = off; at + 6 <= v.end; at += 6) t.num(F.settingId, at, 2, u16(buf, at));
  else if (type === Type.Data) t.bytes(F.data, off, v.length);
  else if (type === Type.Ping) t.bytes(F.ping, off, v.length);
  else if (type === Type.WindowUpdate && v.length >= 4) t.bits(F.increment, off, 4, u32(buf, off));
  else t.bytes(F.payload, off, v.length);
}

function frameText(v: View): string {
  const { buf, off } = v;
  const stream = u32(buf, off + 5) & 0x7fffffff;
  return `Stream: ${nameOf(TYPES, buf[off + 3])}, Stream ID: ${stream}, Length ${u24(buf, off)}`;
}

export const http2 = defineDissector<Http2Frame>({
  proto: 'http2',
  title: 'HyperText Transfer Protocol 2',
  short: 'HTTP2',
  spec: 'RFC 9113',
  fields: F,
  experts: E,
  on: { 'tls.app': ['h2'] },
  tables: ['media_type'],

  /** The preface of the client, or the SETTINGS that a server sends first. */
  probe(b, off, end) {
    const n = Math.min(end - off, PREFACE.length);
    if (startsWith(b, off, end, PREFACE.slice(0, n))) return n === PREFACE.length ? Yes : Unsure;
    if (end - off < HEADER) return No;
    const settings = b[off + 3] === Type.Settings && b[off + 4] <= ACK && u32(b, off + 5) === 0;
    return settings && u24(b, off) % 6 === 0 && u24(b, off) <= 6 * 16 ? Unsure : No; // RFC 9113 §6.5
  },

  pduLength(b, off, end) {
    if (isPreface(b, off, end)) return PREFACE.length;
    return end - off < HEADER ? 0 : HEADER + u24(b, off);
  },

  track(v, cx) {
    if (isPreface(v.buf, v.off, v.end) || v.length < HEADER) return;
    const note = cx.flow(http2 as AnyDissector, () => new Connection()).senders[cx.direction].see(v, cx);
    if (note === undefined) return;
    cx.note(note);
    if (note.body === undefined || note.body.coding !== '') return;
    const exchange = { frame: cx.frame, id: String(u32(v.buf, v.off + 5) & 0x7fffffff) };
    cx.track('media_type', note.body.type, wholeOf(v, note.body), exchange);
  },

  dissect(v, t, cx) {
    const note = cx.note<FrameNote>(http2 as AnyDissector, v);
    t.open(F.http2, v.off, v.length);
    if (isPreface(v.buf, v.off, v.end)) {
      t.open(F.stream, v.off, v.length, t.labels ? 'Stream: Magic' : undefined);
      t.text(F.magic, v.off, PREFACE.length);
      t.pop();
    } else {
      need(v, HEADER);
      frame(v, t, note);
      need(v, HEADER + u24(v.buf, v.off));
    }
    t.pop();
    if (note?.body !== undefined) body(v, note.body, t, cx);
  },

  summary(v) {
    if (isPreface(v.buf, v.off, v.end)) return 'Magic';
    if (v.length < HEADER) return 'Frame cut short';
    return `${nameOf(TYPES, v.buf[v.off + 3])}[${u32(v.buf, v.off + 5) & 0x7fffffff}]`;
  },

  codec: {
    parse(b, o, end) {
      if (isPreface(b, o, end)) return { type: -1, flags: 0, stream: 0, payload: new Uint8Array(0) };
      const payload = b.slice(o + HEADER, o + HEADER + u24(b, o));
      return { type: b[o + 3], flags: b[o + 4], stream: u32(b, o + 5), payload };
    },
    size: (r) => (r.type < 0 ? PREFACE.length : HEADER + r.payload.length),
    emit(r, b, o) {
      if (r.type < 0) for (let i = 0; i < PREFACE.length; i++) b[o + i] = PREFACE.charCodeAt(i);
      else {
        put24(b, o, r.payload.length);
        b[o + 3] = r.type;
        b[o + 4] = r.flags;
        put32(b, o + 5, r.stream);
        b.set(r.payload, o + HEADER);
      }
      return r.type < 0 ? PREFACE.length : HEADER + r.payload.length;
    },
  },
});
