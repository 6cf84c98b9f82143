import {
  defineDissector,
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
  type View,
  Yes,
} from 'fttscope/kit';

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
 * Header blocks are shown as octets: they are compressed over the whole connection (RFC 7541).
 */
const HEADER = 9;
const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
/** Flag of SETTINGS and PING. */
const ACK = 1;

const Type = { Data: 0, Settings: 4, Ping: 6, WindowUpdate: 8 } as const;
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
  payload: { name: 'http2.unknown', label: 'Payload', type: 'bytes' },
});

/** A frame, or the preface where the type is -1. */
export interface Http2Frame {
  type: number;
  flags: number;
  stream: number;
  payload: Uint8Array;
}

const isPreface = (b: Uint8Array, off: number, end: number): boolean => startsWith(b, off, end, PREFACE);

function frame(v: View, t: Tree): void {
  const { buf, off } = v;
  const type = buf[off + 3];
  const n = u24(buf, off);
  t.open(F.stream, off, v.length, t.labels ? frameText(v) : undefined);
  t.num(F.length, off, 3, n);
  t.num(F.type, off + 3, 1, type);
  t.num(F.flags, off + 4, 1, buf[off + 4]);
  t.bits(F.reserved, off + 5, 4, u32(buf, off + 5));
  t.bits(F.streamId, off + 5, 4, u32(buf, off + 5));
  payload(v.sub(off + HEADER, off + HEADER + n), type, t);
  t.pop();
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
  on: { 'tls.app': ['h2'] },

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

  dissect(v, t) {
    t.open(F.http2, v.off, v.length);
    if (isPreface(v.buf, v.off, v.end)) {
      t.open(F.stream, v.off, v.length, t.labels ? 'Stream: Magic' : undefined);
      t.text(F.magic, v.off, PREFACE.length);
      t.pop();
    } else {
      need(v, HEADER);
      frame(v, t);
      need(v, HEADER + u24(v.buf, v.off));
    }
    t.pop();
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
