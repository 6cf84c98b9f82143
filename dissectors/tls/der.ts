import { latin1, Malformed } from 'fttscope/kit';

/**
 * Distinguished encoding rules, ITU-T X.690: identifier, length, contents.
 *
 *     +----------+--------------------------------+---------- - -
 *     |   tag    | 00-7F, or 81-84 and 1-4 octets | contents …
 *     +----------+--------------------------------+---------- - -
 */

export const Tag = {
  Boolean: 0x01,
  Integer: 0x02,
  BitString: 0x03,
  OctetString: 0x04,
  Null: 0x05,
  ObjectId: 0x06,
  Enumerated: 0x0a,
  Utf8: 0x0c,
  Printable: 0x13,
  Teletex: 0x14,
  Ia5: 0x16,
  UtcTime: 0x17,
  GeneralizedTime: 0x18,
  Visible: 0x1a,
  Universal: 0x1c,
  Bmp: 0x1e,
  Sequence: 0x30,
  Set: 0x31,
} as const;

/** Identifier of the context-specific tag `n`, constructed or primitive. */
export const context = (n: number, constructed = true): number => (constructed ? 0xa0 : 0x80) | n;

/** An element: `at` is its identifier, `[off, end)` its contents. */
export interface Element {
  readonly tag: number;
  readonly at: number;
  readonly off: number;
  readonly end: number;
}

/** Reads the elements in `[off, end)` one after the other, never past the end. */
export class Der {
  constructor(
    readonly buf: Uint8Array,
    public off: number,
    readonly end: number,
  ) {}

  get more(): boolean {
    return this.off < this.end;
  }

  /** Identifier of the next element, -1 at the end. */
  get tag(): number {
    return this.off < this.end ? this.buf[this.off] : -1;
  }

  /** The next element. @throws Malformed where there is none, or where it does not fit */
  next(): Element {
    const { buf, end, off: at } = this;
    if (at + 2 > end) throw new Malformed(`BER Error: no element at offset ${at}`);
    const tag = buf[at];
    if ((tag & 0x1f) === 0x1f) throw new Malformed('BER Error: tag numbers above 30 do not occur here');
    let off = at + 2;
    let length = buf[at + 1];
    if (length === 0x80 || length > 0x84) throw new Malformed('BER Error: length not in definite short form'); // X.690 §10.1
    if (length > 0x80) {
      const octets = length & 0x7f;
      if (off + octets > end) throw new Malformed('BER Error: length is cut short');
      length = 0;
      for (let i = 0; i < octets; i++) length = length * 256 + buf[off++];
    }
    if (off + length > end) throw new Malformed(`BER Error: element of ${length} octets in ${end - off}`);
    this.off = off + length;
    return { tag, at, off, end: off + length };
  }

  /** The next element, which must be a `tag`. @throws Malformed */
  expect(tag: number): Element {
    const e = this.next();
    if (e.tag !== tag)
      throw new Malformed(`BER Error: tag 0x${e.tag.toString(16)} where 0x${tag.toString(16)} is expected`);
    return e;
  }

  /** The next element if it is a `tag`. @throws Malformed */
  optional(tag: number): Element | undefined {
    return this.tag === tag ? this.next() : undefined;
  }
}

/** Over the contents of an element. */
export const inside = (b: Uint8Array, e: Element): Der => new Der(b, e.off, e.end);

/** Number of elements in the contents of `e`. */
export function countElements(b: Uint8Array, e: Element): number {
  const d = inside(b, e);
  let n = 0;
  for (; d.more; n++) d.next();
  return n;
}

/** Contents of an OBJECT IDENTIFIER in dotted form. X.690 §8.19 */
export function objectId(b: Uint8Array, off: number, end: number): string {
  let s = '';
  let arc = 0n;
  for (let i = off; i < end; i++) {
    arc = (arc << 7n) | BigInt(b[i] & 0x7f);
    if (b[i] & 0x80) continue;
    if (s === '') {
      const top = arc < 40n ? 0n : arc < 80n ? 1n : 2n;
      s = `${top}.${arc - top * 40n}`;
    } else s += `.${arc}`;
    arc = 0n;
  }
  return s;
}

/** Contents of an INTEGER of at most six octets as a number; larger ones are clipped to their last six octets. */
export function integer(b: Uint8Array, e: Element): number {
  let n = 0;
  const from = Math.max(e.off, e.end - 6);
  for (let i = from; i < e.end; i++) n = n * 256 + b[i];
  return e.end > e.off && b[from] & 0x80 ? n - 2 ** (8 * (e.end - from)) : n;
}

/** Bits of a positive INTEGER. */
export function integerBits(b: Uint8Array, e: Element): number {
  let off = e.off;
  while (off < e.end && b[off] === 0) off++;
  return off === e.end ? 0 : (e.end - off) * 8 - Math.clz32(b[off]) + 24;
}

/** Contents of a UTCTime or GeneralizedTime in seconds since the epoch, NaN where they say no time. RFC 5280 §4.1.2.5 */
export function derTime(b: Uint8Array, e: Element): number {
  let s = latin1(b, e.off, Math.min(e.end, e.off + 24));
  if (e.tag === Tag.UtcTime) s = (s < '50' ? '20' : '19') + s;
  const m = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)?(?:\.\d+)?(?:Z|([+-])(\d\d)(\d\d))$/.exec(s);
  if (m === null) return Number.NaN;
  const [, year, month, day, hour, minute, second = '0', sign, offHours = '0', offMinutes = '0'] = m;
  const utc = Date.UTC(+year, +month - 1, +day, +hour, +minute, +second) / 1000;
  const shift = (+offHours * 60 + +offMinutes) * 60;
  return sign === '-' ? utc + shift : utc - shift;
}
