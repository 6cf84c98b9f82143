import { experts, type Field, Malformed, nameOf, need, type Track, type Tree, u8, type View } from 'fttscope/kit';
import type { CryptoStream, Delivery } from './crypto-stream.js';
import { F, FRAMES, T050, T051, varint, varintSize } from './header.js';
import { dissectMessages } from './messages.js';

/*
 * Frames that Initial packets may hold, RFC 9000 §12.4: their type, then what it says.
 *
 *     +------+------- - - ---+------- - - ---+------- - -
 *     | type |    offset     |    length     | data …          CRYPTO, RFC 9000 §19.6
 *     +------+------- - - ---+------- - - ---+------- - -
 */
const Frame = { Padding: 0, Ping: 1, Ack: 2, AckEcn: 3, Crypto: 6, Close: 28 } as const;
/** RFC 9001 §4.8: an alert of TLS, in the last octet. */
const GOOGLE_CRYPTO = 8;
const CRYPTO_ERROR = 0x100;
/** Acknowledged ranges that are shown. */
const MAX_RANGES = 1024;

export const E = experts({
  reused: {
    code: 'quic.reused-offset',
    severity: 'note',
    message: 'This QUIC frame has a reused stream offset (retransmission?)',
    clause: 'RFC 9000 §19.6',
  },
});

/** Reads numbers of variable length; the first that is not whole ends it. */
class Cursor {
  broken = false;
  constructor(
    readonly b: Uint8Array,
    public at: number,
    readonly end: number,
  ) {}
  number(): number {
    if (this.at >= this.end || this.at + varintSize(u8(this.b, this.at)) > this.end) {
      this.broken = true;
      return 0;
    }
    const n = varint(this.b, this.at);
    this.at += varintSize(u8(this.b, this.at));
    return n;
  }
  skip(n: number): void {
    if (n > this.end - this.at) this.broken = true;
    else this.at += n;
  }
}

/** Google's versions have another number for it. */
const isCrypto = (type: number, version: number): boolean =>
  version === T050 || version === T051 ? type === GOOGLE_CRYPTO : type === Frame.Crypto;

/** Gives the data of each CRYPTO frame of a payload to its stream; what that made available, in order. */
export function follow(payload: Uint8Array, stream: CryptoStream, cx: Track, version: number): Delivery[] {
  const out: Delivery[] = [];
  const c = new Cursor(payload, 0, payload.length);
  while (c.at < c.end && !c.broken) {
    const start = c.at;
    const type = c.number();
    if (isCrypto(type, version)) {
      const off = c.number();
      const length = c.number();
      const from = c.at;
      c.skip(length);
      if (c.broken) break;
      const delivery = stream.add(start, off, payload.subarray(from, c.at), cx);
      if (delivery !== undefined) out.push(delivery);
    } else if (!passed(c, type)) break;
  }
  return out;
}

/** Goes past a frame of another type; false: it may not stand here. */
function passed(c: Cursor, type: number): boolean {
  if (type === Frame.Padding || type === Frame.Ping) return true;
  if (type === Frame.Ack || type === Frame.AckEcn) {
    c.number();
    c.number();
    const ranges = c.number();
    for (let i = 0; i < 2 * ranges + 1 + (type === Frame.AckEcn ? 3 : 0) && !c.broken; i++) c.number();
    return true;
  }
  return false;
}

/** Shows the frames of an opened payload; what CRYPTO frames made available goes to TLS. */
export function dissectFrames(v: View, t: Tree, deliveries: readonly Delivery[], version: number): void {
  const { buf, end } = v;
  for (let at = v.off; at < end; ) {
    let stop = at + 1;
    const type = u8(buf, at);
    if (type === Frame.Padding) while (stop < end && u8(buf, stop) === 0) stop++;
    const isHandshake = isCrypto(type, version);
    const name = nameOf(FRAMES, isHandshake ? Frame.Crypto : type);
    t.open(F.frame, at, stop - at, t.labels ? name : undefined);
    big(t, F.frameType, at, 1, type);
    if (type === Frame.Padding) t.num(F.padding, at, 0, stop - at);
    else if (type === Frame.Ack || type === Frame.AckEcn) stop = ack(v, t, at + 1, type === Frame.AckEcn);
    else if (isHandshake) stop = crypto(v, t, at, deliveries);
    else if (type === Frame.Close) stop = close(v, t, at + 1);
    else if (type !== Frame.Ping) throw new Malformed(`a frame of type ${type} in an Initial packet`);
    t.pop();
    at = stop;
  }
}

const big = (t: Tree, f: Field, at: number, len: number, n: number): void => {
  if (t.wanted(f)) t.big(f, at, len, BigInt(n));
};

/** A number of variable length as a node. */
export function number(v: View, t: Tree, f: Field, at: number): number {
  need(v, 1, at);
  const size = varintSize(u8(v.buf, at));
  need(v, size, at);
  big(t, f, at, size, varint(v.buf, at));
  return at + size;
}

/** RFC 9000 §19.3. */
function ack(v: View, t: Tree, from: number, ecn: boolean): number {
  let at = number(v, t, F.ackLargest, from);
  at = number(v, t, F.ackDelay, at);
  const counted = at;
  at = number(v, t, F.ackCount, at);
  const ranges = varint(v.buf, counted);
  at = number(v, t, F.ackFirst, at);
  for (let i = 0; i < ranges; i++) {
    if (i >= MAX_RANGES) throw new Malformed(`${ranges} acknowledged ranges`);
    at = number(v, t, F.ackGap, at);
    at = number(v, t, F.ackRange, at);
  }
  if (ecn) for (const f of [F.ect0, F.ect1, F.ce]) at = number(v, t, f, at);
  return at;
}

function crypto(v: View, t: Tree, start: number, deliveries: readonly Delivery[]): number {
  let at = number(v, t, F.cryptoOffset, start + 1);
  const counted = at;
  at = number(v, t, F.cryptoLength, at);
  const length = varint(v.buf, counted);
  need(v, length, at);
  t.none(F.cryptoData, at, length);
  for (const d of deliveries) {
    if (d.at !== start - v.off) continue;
    if (d.reused) t.expert(E.reused);
    else dissectMessages(d, t);
  }
  return at + length;
}

/** RFC 9000 §19.19. */
function close(v: View, t: Tree, from: number): number {
  let at = number(v, t, F.closeCode, from);
  const code = varint(v.buf, from);
  if (code >> 8 === CRYPTO_ERROR >> 8) t.num(F.closeAlert, at - 1, 1, code & 0xff);
  at = number(v, t, F.closeFrame, at);
  const counted = at;
  at = number(v, t, F.closeLength, at);
  const length = varint(v.buf, counted);
  need(v, length, at);
  if (length > 0) t.text(F.closeReason, at, length);
  return at + length;
}
