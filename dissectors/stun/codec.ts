import { type Codec, padded, put16, put32, u16 } from 'fttscope/kit';
import { COOKIE } from './addresses.js';
import { fingerprintOf } from './fingerprint.js';
import { CHANNEL_HEADER, type ChannelData, isChannel, turnChannel } from './relay.js';
import { Attr } from './values.js';

/** One attribute; `padding` is what fills its last word, zero octets unless it says otherwise. */
export interface StunAttribute {
  type: number;
  value: Uint8Array;
  padding?: Uint8Array;
}

/** A message, RFC 8489 §5. `value` of a FINGERPRINT without octets is computed when it is written. */
export interface StunMessage {
  /** Method and class. */
  type: number;
  /** Twelve octets. */
  id: Uint8Array;
  attributes: StunAttribute[];
}

/** What one datagram, or one message of a stream, holds. */
export type Stun = StunMessage | ChannelData;

/** Octets before the attributes. RFC 8489 §5 */
export const HEADER = 20;
const ATTRIBUTE_HEADER = 4;

/** A message of STUN with its attributes as octets, or one of a TURN channel. */
export const codec: Codec<Stun> = {
  parse(b, o, end) {
    if (isChannel(b[o])) return turnChannel.codec!.parse(b, o, end);
    const attributes: StunAttribute[] = [];
    const stop = Math.min(end, o + HEADER + u16(b, o + 2));
    for (let at = o + HEADER; at + ATTRIBUTE_HEADER <= stop; ) {
      const from = at + ATTRIBUTE_HEADER;
      const to = Math.min(stop, from + u16(b, at + 2));
      const next = Math.min(stop, from + padded(to - from));
      const padding = b.slice(to, next);
      const filled = padding.some((x) => x !== 0);
      attributes.push({ type: u16(b, at), value: b.slice(from, to), ...(filled && { padding }) });
      at = next;
    }
    return { type: u16(b, o), id: b.slice(o + 8, o + HEADER), attributes };
  },
  size(r) {
    if ('channel' in r) return CHANNEL_HEADER + r.data.length;
    return r.attributes.reduce((n, a) => n + ATTRIBUTE_HEADER + padded(sizeOf(a)), HEADER);
  },
  emit(r, b, o) {
    if ('channel' in r) return turnChannel.codec!.emit(r, b, o);
    const size = codec.size(r);
    put16(b, o, r.type);
    put16(b, o + 2, size - HEADER);
    put32(b, o + 4, COOKIE);
    b.set(r.id, o + 8);
    let at = o + HEADER;
    for (const a of r.attributes) {
      const n = sizeOf(a);
      put16(b, at, a.type);
      put16(b, at + 2, n);
      if (n === a.value.length) b.set(a.value, at + ATTRIBUTE_HEADER);
      else put32(b, at + ATTRIBUTE_HEADER, fingerprintOf(b, o, at));
      const stop = at + ATTRIBUTE_HEADER + n;
      b.fill(0, stop, stop + padded(n) - n);
      if (a.padding !== undefined) b.set(a.padding.subarray(0, padded(n) - n), stop);
      at = at + ATTRIBUTE_HEADER + padded(n);
    }
    return size;
  },
};

const sizeOf = (a: StunAttribute): number => (a.type === Attr.Fingerprint && a.value.length === 0 ? 4 : a.value.length);
