import { fieldCount, isoSecond, remembered, type Tree } from '../kit/index.js';
import { BILLION, colonPairs, decimal, fraction, MOST, NUMBER, quad } from './digits.js';
import { Form, formOf, KINDS } from './form.js';
import { Ip6Phrases } from './ip6-phrases.js';
import { FALSE, Phrase, TRUE, WORD } from './phrase.js';
import { jsonText, jsonValue, pad9 } from './value.js';

const QUOTE = 34;
const BACKSLASH = 92;
const MINUS = 45;
const ZERO = 48;
const LETTER_Z = 90;
const FIRST = 64 << 10;
/** Characters of a text that are sooner written one by one, or remembered; most texts that are. */
const SHORT = 64;
const FEW = 24;
const TEXTS = 4096;
const SECONDS = 512;

/** V8 has many kinds of strings: that each of them has this method it would look up for each character. */
const { charCodeAt } = String.prototype;

/**
 * Text and JSON written as octets into one growing buffer that is used for every row. A row of all fields has some 150 values
 * and, in hex, most octets of its frame three times: written as octets it costs a fraction of what joining strings does.
 */
export class TextBytes {
  private buf = Buffer.allocUnsafeSlow(FIRST);
  private view = new DataView(this.buf.buffer);
  private at = 0;
  /** The beginning of a time as {@link isoTime} writes it, to the second. */
  readonly secondOf = remembered(SECONDS, (seconds: number) => new Phrase(`"${isoSecond(seconds)}`));
  /** Texts of fields; null: seen once. */
  private readonly texts = new Map<string, Phrase | null>();
  /** The octets written last as hex, and where. */
  private hexBuf: Uint8Array | null = null;
  private hexOff = 0;
  private hexEnd = 0;
  private hexAt = 0;
  readonly ip6 = new Ip6Phrases();

  /** Starts anew. */
  reset(): void {
    this.at = 0;
    this.forget();
  }

  /** Octets written. */
  get size(): number {
    return this.at;
  }

  /** What was written, until more is. */
  get octets(): Uint8Array {
    return this.buf.subarray(0, this.at);
  }

  /** The same as text. */
  get text(): string {
    return this.buf.toString('utf8', 0, this.at);
  }

  /** Octets that were written as hex may be others now. */
  forget(): void {
    this.hexBuf = null;
  }

  /** Goes back to an earlier {@link size}. */
  truncate(size: number): void {
    this.at = size;
    this.forget();
  }

  /** Makes room for `n` octets behind `at`, up to where one has written; returns where to write. */
  claim(at: number, n: number): DataView {
    this.at = at;
    this.room(n);
    return this.view;
  }

  /** Makes room for `n` octets and a word. */
  private room(n: number): void {
    if (this.at + n + WORD <= this.buf.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(this.buf.length * 2, this.at + n + WORD));
    larger.set(this.buf.subarray(0, this.at));
    this.buf = larger;
    this.view = new DataView(larger.buffer);
  }

  /** Text that is known to be ASCII. */
  ascii(s: string): void {
    const n = s.length;
    this.room(n);
    const { buf } = this;
    let { at } = this;
    for (let i = 0; i < n; i++) buf[at++] = charCodeAt.call(s, i);
    this.at = at;
  }

  phrase(p: Phrase): void {
    const { length, words } = p;
    this.room(length);
    const { view, at } = this;
    for (let i = 0, to = at; i < words.length; i++, to += WORD) view.setFloat64(to, words[i], true);
    this.at = at + length;
  }

  /** Puts what was written in `[start, end)` into an array that has room for it, from `to` on. */
  copyTo(target: Uint8Array, to: number, start: number, end: number): void {
    target.set(new Uint8Array(this.view.buffer, start, end - start), to);
  }

  /** The octets `[off, end)` as they are. */
  raw(b: Uint8Array, off: number, end: number): void {
    this.room(end - off);
    this.buf.set(off === 0 && end === b.length ? b : b.subarray(off, end), this.at);
    this.at += end - off;
  }

  /** One octet. */
  octet(c: number): void {
    this.room(1);
    this.buf[this.at++] = c;
  }

  /** Any text as a JSON string. */
  string(s: string): void {
    const n = s.length;
    this.room(n * 3 + 2);
    const { buf } = this;
    const from = this.at + 1;
    let end = from;
    // One call for all of it: long texts are in pieces, of which each character would have to be looked for.
    if (n > FEW) end += buf.write(s, from, 'utf8');
    else for (let i = 0; i < n; i++) buf[end++] = Math.min(charCodeAt.call(s, i), 127);
    for (let i = from; i < end; i++) {
      const c = buf[i];
      if (c < 32 || c > 126 || c === QUOTE || c === BACKSLASH) {
        this.any(jsonText(s));
        return;
      }
    }
    buf[from - 1] = QUOTE;
    buf[end] = QUOTE;
    this.at = end + 1;
  }

  /** The same for the value of a field: from its second time on a short text is copied. */
  private fieldString(s: string): void {
    const known = s.length <= SHORT ? this.texts.get(s) : undefined;
    if (known instanceof Phrase) {
      this.phrase(known);
      return;
    }
    this.string(s);
    if (s.length > SHORT) return;
    if (known === undefined && this.texts.size >= TEXTS) this.texts.clear();
    this.texts.set(s, known === undefined ? null : new Phrase(jsonText(s)));
  }

  /** A text that came more than once, as JSON; undefined for others. */
  known(s: unknown): Phrase | undefined {
    return typeof s === 'string' && s.length <= SHORT ? (this.texts.get(s) ?? undefined) : undefined;
  }

  /** Text that may hold anything, as it is. */
  any(s: string): void {
    const n = s.length;
    this.room(n * 3);
    const { buf, at } = this;
    let i = 0;
    for (; i < n && i < SHORT; i++) {
      const c = charCodeAt.call(s, i);
      if (c > 126) break;
      buf[at + i] = c;
    }
    if (i === n) {
      this.at = at + n;
      return;
    }
    this.at += this.buf.write(s, this.at, 'utf8');
  }

  number(v: number): void {
    if (!(v >= 0 && v < MOST) || Math.floor(v) !== v) {
      this.ascii(Number.isFinite(v) ? String(v) : 'null');
      return;
    }
    this.room(NUMBER);
    this.at = decimal(this.view, this.at, v);
  }

  /** A dot and nine digits. */
  private nanos(v: number): void {
    if (!(v >= 0 && v < BILLION)) {
      this.ascii(`.${pad9(v)}`);
      return;
    }
    this.room(NUMBER);
    this.at = fraction(this.view, this.at, v);
  }

  /** What {@link jsonValue} says of a time: ISO 8601 in UTC, with nanoseconds, as a string. */
  isoTime(seconds: number, nanos: number): void {
    this.phrase(this.secondOf(seconds));
    this.nanos(nanos);
    this.octet(LETTER_Z);
    this.octet(QUOTE);
  }

  /** Seconds with nine places as a string. */
  decimalSeconds(seconds: number, nanos: number): void {
    this.octet(QUOTE);
    this.seconds(seconds, nanos);
    this.octet(QUOTE);
  }

  private seconds(seconds: number, nanos: number): void {
    if (seconds < 0 || nanos < 0) this.octet(MINUS);
    this.number(Math.abs(seconds));
    this.nanos(Math.abs(nanos));
  }

  /** Seconds as a number, without trailing zeros. */
  jsonSeconds(seconds: number, nanos: number): void {
    if (nanos === 0) {
      this.number(seconds);
      return;
    }
    this.seconds(seconds, nanos);
    const { buf } = this;
    let { at } = this;
    while (buf[at - 1] === ZERO) at--;
    this.at = at;
  }

  /** Octets as a string of hex with colons. */
  hex(b: Uint8Array, off: number, end: number): void {
    this.room(3 * (end - off) + 3);
    if (b === this.hexBuf && off >= this.hexOff && end <= this.hexEnd && end - off > 2) {
      this.hexAgain(off, end);
      return;
    }
    const { view } = this;
    let { at } = this;
    view.setUint8(at++, QUOTE);
    if (end - off >= WORD) {
      this.hexBuf = b;
      this.hexOff = off;
      this.hexEnd = end;
      this.hexAt = at;
    }
    at = colonPairs(view, at, b, off, end);
    view.setUint8(at, QUOTE);
    this.at = at + 1;
  }

  /** A payload is part of the payload around it, whose hex was written last. */
  private hexAgain(off: number, end: number): void {
    const { view } = this;
    const length = 3 * (end - off) - 1;
    const from = this.hexAt + 3 * (off - this.hexOff);
    const to = this.at + 1;
    view.setUint8(this.at, QUOTE);
    let i = 0;
    for (; i + WORD < length; i += WORD) view.setFloat64(to + i, view.getFloat64(from + i, true), true);
    i = length - WORD; // the last word, some of it once more
    view.setFloat64(to + i, view.getFloat64(from + i, true), true);
    view.setUint8(to + length, QUOTE);
    this.at = to + length + 1;
  }

  /** Four octets as a dotted quad. */
  dotted(b: Uint8Array, off: number): void {
    this.room(NUMBER);
    this.at = quad(this.view, this.at, b, off);
  }

  /** Octets as text, straight from the packet where they are plain ASCII. */
  private octetsAsText(t: Tree, node: number, b: Uint8Array, off: number, end: number): void {
    this.room(end - off + 2);
    const { buf } = this;
    let { at } = this;
    buf[at++] = QUOTE;
    for (let i = off; i < end; i++) {
      const c = b[i];
      if (c < 32 || c > 126 || c === QUOTE || c === BACKSLASH) {
        this.any(jsonValue(t, node));
        return;
      }
      buf[at++] = c;
    }
    buf[at++] = QUOTE;
    this.at = at;
  }

  /** The value of a node: what {@link jsonValue} says, without making strings of the common kinds. */
  value(t: Tree, node: number): void {
    const form = this.forms[t.kind[node]] || this.form(t, node);
    switch (form) {
      case Form.Number:
        this.number(t.number[node]);
        return;
      case Form.Bool:
        this.phrase(t.number[node] !== 0 ? TRUE : FALSE);
        return;
      case Form.True:
        this.phrase(TRUE);
        return;
      case Form.Made: {
        const made = t.made[node];
        if (typeof made === 'string' && !made.includes('\0')) this.fieldString(made);
        else this.any(jsonValue(t, node));
        return;
      }
      case Form.Duration:
        this.jsonSeconds(t.number[node], t.made[node] as number);
        return;
      case Form.Epoch:
        this.decimalSeconds(t.number[node], t.made[node] as number);
        return;
      case Form.Iso:
        this.isoTime(t.number[node], t.made[node] as number);
        return;
      default:
        this.octetsOf(t, node, form);
    }
  }

  /** Remembers how nodes of this kind are written. */
  private form(t: Tree, node: number): number {
    return (this.forms[t.kind[node]] = formOf(t.field(node), t.held(node)));
  }
  /** By {@link Tree.kind}; 0: not known yet. */
  private readonly forms = new Uint8Array(fieldCount() * KINDS);

  private octetsOf(t: Tree, node: number, form: number): void {
    const s = t.sources[t.source(node)];
    const off = Math.max(s.start, t.off[node]);
    const end = Math.max(off, Math.min(s.end, t.off[node] + t.len[node]));
    if (form === Form.Text) this.octetsAsText(t, node, s.buf, off, end);
    else if (form === Form.Hex) this.hex(s.buf, off, end);
    else if (form === Form.Ip6 && end - off === 16) this.phrase(this.ip6.of(s.buf, off));
    else if (form === Form.Ip4 && end - off === 4) {
      this.octet(QUOTE);
      this.dotted(s.buf, off);
      this.octet(QUOTE);
    } else this.ascii(jsonValue(t, node));
  }
}
