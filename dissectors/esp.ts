import {
  type Ctx,
  defineDissector,
  experts,
  fields,
  hex,
  hexNumber,
  Malformed,
  need,
  type Peek,
  put32,
  type Tree,
  u8,
  u32,
  View,
} from 'fttscope/kit';
import { IP_PROTOCOLS } from './numbers.js';

/**
 * IP Encapsulating Security Payload, RFC 4303 §2. What follows the sequence number is encrypted as a rule; with NULL
 * encryption (RFC 2410) it is the packet itself, and the trailer in front of the check value can be read:
 *
 *     +---------------------------------------------------------------+
 *     |               Security Parameters Index (SPI)                 |
 *     +---------------------------------------------------------------+
 *     |                      Sequence Number                          |
 *     +---------------------------------------------------------------+
 *     |  Payload Data … Padding (0-255) | Pad Length  | Next Header   |
 *     +---------------------------------+-------------+---------------+
 *     |           Integrity Check Value: 96 bits or more              |
 */
const HEADER = 8;
const TRAILER = 2;
/** Octets that a check value may have, the most frequent first: RFC 2404, RFC 4868 §2.3. */
const CHECKS = [12, 16, 24, 32];
/** Where the payload is asked for: {@link espNull} stands there in runs that were asked to look for NULL encryption. */
const TABLE = 'esp.payload';
const ANY = 0;

const F = fields({
  esp: { name: 'esp', label: 'Encapsulating Security Payload', type: 'protocol' },
  spi: { name: 'esp.spi', label: 'ESP SPI', type: 'u32', base: 'hex_dec' },
  sequence: { name: 'esp.sequence', label: 'ESP Sequence', type: 'u32' },
});
const N = fields({
  pad: { name: 'esp.pad', label: 'Pad', type: 'bytes' },
  padLength: { name: 'esp.pad_len', label: 'ESP Pad Length', type: 'u8' },
  next: { name: 'esp.protocol', label: 'ESP Next Header', type: 'u8', base: 'hex', values: IP_PROTOCOLS },
  icv: { name: 'esp.icv', label: 'ESP ICV', type: 'bytes' },
  good: { name: 'esp.icv_good', label: 'Good', type: 'bool' },
});

const E = experts({
  sequence: {
    code: 'esp.wrong-sequence',
    severity: 'warn',
    message: 'Wrong Sequence Number for SPI',
    clause: 'RFC 4303 §2.2',
  },
});

/** What the index pass opened with a key. */
export interface OpenedEsp {
  /** Payload, padding and trailer. */
  readonly bytes: Uint8Array;
  /** Octets of the payload. */
  readonly payload: number;
  /** What it is. */
  readonly next: number;
  /** Octets of the check value. */
  readonly icv: number;
  /** Whether it was checked and is right. */
  readonly good: boolean;
}

/** What the index pass knows about a packet. */
export interface EspNote {
  readonly opened: OpenedEsp | undefined;
  /** What is wrong with the sequence number, '' if nothing. */
  readonly wrong: string;
}

/** A packet as it is sent: what follows the sequence number is opaque. */
export interface EspPacket {
  spi: number;
  sequence: number;
  /** Payload, trailer and check value. */
  payload: Uint8Array;
}

/** A payload that is not encrypted, with its padding and check value. */
export interface NullPayload {
  payload: Uint8Array;
  next: number;
  /** Octets of padding: 1, 2, 3 … RFC 4303 §2.4. */
  padding: number;
  /** Twelve octets, or 16, 24 or 32. */
  icv: Uint8Array;
}

/** Where the trailer starts; -1 where nothing in front of a check value makes sense as one. */
function trailerAt(b: Uint8Array, off: number, end: number): number {
  for (const check of CHECKS) if (isTrailer(b, off, end - check - TRAILER)) return end - check - TRAILER;
  return -1;
}

/** Whether pad length and next header stand at `trailer`, and the padding before them counts up. RFC 4303 §2.4. */
function isTrailer(b: Uint8Array, off: number, trailer: number): boolean {
  if (trailer < off) return false;
  const pad = b[trailer];
  if (trailer - pad <= off || IP_PROTOCOLS[b[trailer + 1]] === undefined) return false;
  for (let i = 0; i < pad; i++) if (b[trailer - pad + i] !== i + 1) return false;
  return true;
}

/** What a key opened: the trailer, the check value behind it, and the payload. */
function showOpened(opened: OpenedEsp, v: View, t: Tree, cx: Ctx): void {
  const { bytes, payload, next, icv, good } = opened;
  const plain = View.of(bytes, 'Decrypted ESP');
  const trailer = bytes.length - TRAILER;
  if (trailer > payload) t.bytes(N.pad, payload, 0, bytes.subarray(payload, trailer));
  t.num(N.padLength, v.end - icv, 0, bytes[trailer]);
  t.num(N.next, v.end - icv, 0, next);
  if (icv > 0) {
    t.bytes(N.icv, v.end - icv, icv);
    t.push();
    t.num(N.good, v.end - icv, icv, good ? 1 : 0);
    t.pop();
  }
  cx.next('ip.proto', next, plain.sub(0, payload));
}

export const esp = defineDissector<EspPacket>({
  proto: 'esp',
  title: 'Encapsulating Security Payload',
  short: 'ESP',
  spec: 'RFC 4303',
  fields: F,
  experts: E,
  on: { 'ip.proto': [50], 'ftt.envelope': ['esp'] },
  tables: [TABLE, 'ip.proto'],

  plain: () => false, // a key may have opened it

  peek(p: Peek) {
    if (p.end - p.off <= HEADER) return p.stop();
    p.off += HEADER;
    p.table = TABLE;
    p.key = ANY;
  },

  dissect(v, t, cx) {
    need(v, 4);
    const { buf, off } = v;
    t.open(F.esp, off, HEADER);
    t.num(F.spi, off, 4, u32(buf, off));
    need(v, HEADER);
    t.num(F.sequence, off + 4, 4, u32(buf, off + 4));
    const note = cx.note<EspNote>(esp, v);
    if (note !== undefined && note.wrong !== '')
      t.expert(E.sequence, `${E.sequence.message} ${hex(buf, off, 4, '')} - ${note.wrong}`);
    t.pop();
    const opened = note?.opened;
    if (opened !== undefined) showOpened(opened, v, t, cx);
    else if (v.length > HEADER && cx.takes(TABLE, ANY)) cx.next(TABLE, ANY, v.sub(off + HEADER));
  },

  summary(v) {
    return v.length < HEADER ? 'Header cut short' : `ESP (SPI=${hexNumber(u32(v.buf, v.off), 8)})`;
  },

  codec: {
    parse: (b, o, end) => ({ spi: u32(b, o), sequence: u32(b, o + 4), payload: b.slice(o + HEADER, end) }),
    size: (r) => HEADER + r.payload.length,
    emit(r, b, o) {
      put32(b, o, r.spi);
      put32(b, o + 4, r.sequence);
      b.set(r.payload, o + HEADER);
      return HEADER + r.payload.length;
    },
  },
});

/**
 * The payload of ESP with NULL encryption, for runs that were asked to look: nothing in a packet says that it is not
 * encrypted, so that one in some thousands may be taken for it. `-d esp.payload==0,esp.null` asks.
 */
export const espNull = defineDissector<NullPayload>({
  proto: 'esp.null',
  layer: '',
  title: 'ESP with NULL encryption',
  short: 'ESP',
  spec: 'RFC 2410',
  fields: N,
  tables: ['ip.proto'],

  peek(p: Peek) {
    const { buf, end } = p;
    if (end < p.wireEnd) return p.stop();
    const trailer = trailerAt(buf, p.off, end);
    if (trailer < 0) return p.stop();
    p.key = buf[trailer + 1];
    p.end = trailer - buf[trailer];
    p.wireEnd = p.end;
    p.table = 'ip.proto';
  },

  dissect(v, t, cx) {
    const { buf, off, end } = v;
    const trailer = end < v.wireEnd ? -1 : trailerAt(buf, off, end);
    if (trailer < 0) return;
    const stop = trailer - u8(buf, trailer);
    const check = end - trailer - TRAILER;
    if (trailer > stop) t.bytes(N.pad, stop, trailer - stop);
    t.num(N.padLength, trailer, 1, u8(buf, trailer));
    t.num(N.next, trailer + 1, 1, u8(buf, trailer + 1));
    t.bytes(N.icv, trailer + TRAILER, check);
    t.push();
    t.num(N.good, trailer + TRAILER, check, 0); // without the key it cannot be told
    t.pop();
    cx.next('ip.proto', u8(buf, trailer + 1), v.sub(off, stop));
  },

  codec: {
    parse(b, o, end) {
      const trailer = trailerAt(b, o, end);
      if (trailer < 0) throw new Malformed('no trailer of ESP');
      return {
        payload: b.slice(o, trailer - u8(b, trailer)),
        next: u8(b, trailer + 1),
        padding: u8(b, trailer),
        icv: b.slice(trailer + TRAILER, end),
      };
    },
    size: (r) => r.payload.length + r.padding + TRAILER + r.icv.length,
    emit(r, b, o) {
      b.set(r.payload, o);
      let at = o + r.payload.length;
      for (let i = 1; i <= r.padding; i++) b[at++] = i;
      b[at] = r.padding;
      b[at + 1] = r.next;
      b.set(r.icv, at + TRAILER);
      return at + TRAILER + r.icv.length - o;
    },
  },
});
