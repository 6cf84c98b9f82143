import { Held, type Tree } from '../kit/index.js';
import { jsonText, jsonValue } from './value.js';

const QUOTE = 34;
const BACKSLASH = 92;
const COLON = 58;
const DOT = 46;
const ZERO = 48;
const FIRST = 64 << 10;
/** Characters of a text that are sooner written one by one. */
const SHORT = 48;

/** By octet: its two hex digits, the first in the low octet. */
const PAIRS = Uint16Array.from({ length: 256 }, (_, v) => {
  const [high, low] = Buffer.from(v.toString(16).padStart(2, '0'));
  return high | (low << 8);
});

/**
 * Text and JSON written as octets into one growing buffer that is used for every row. A row of all fields has some 150 values
 * and, in hex, most octets of its frame three times: written as octets it costs a tenth of what joining strings does.
 */
export class TextBytes {
  private buf = Buffer.allocUnsafe(FIRST);
  private at = 0;

  /** Starts anew. */
  reset(): void {
    this.at = 0;
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

  /** Goes back to an earlier {@link size}. */
  truncate(size: number): void {
    this.at = size;
  }

  private room(n: number): void {
    if (this.at + n <= this.buf.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.buf.length * 2, this.at + n));
    larger.set(this.buf.subarray(0, this.at));
    this.buf = larger;
  }

  /** Text that is known to be ASCII. */
  ascii(s: string): void {
    const n = s.length;
    this.room(n);
    const { buf } = this;
    let { at } = this;
    for (let i = 0; i < n; i++) buf[at++] = s.charCodeAt(i);
    this.at = at;
  }

  /** Octets as they are. */
  raw(b: Uint8Array): void {
    const n = b.length;
    this.room(n);
    const { buf, at } = this;
    for (let i = 0; i < n; i++) buf[at + i] = b[i];
    this.at = at + n;
  }

  /** Takes out the `n` octets at `from`. */
  cut(from: number, n: number): void {
    this.buf.copyWithin(from, from + n, this.at);
    this.at -= n;
  }

  /** One octet. */
  octet(c: number): void {
    this.room(1);
    this.buf[this.at++] = c;
  }

  /** Any text as a JSON string. */
  string(s: string): void {
    const n = s.length;
    this.room(n + 2);
    const { buf } = this;
    let { at } = this;
    buf[at++] = QUOTE;
    for (let i = 0; i < n; i++) {
      const c = s.charCodeAt(i);
      if (c < 32 || c > 126 || c === QUOTE || c === BACKSLASH) {
        this.any(jsonText(s));
        return;
      }
      buf[at++] = c;
    }
    buf[at++] = QUOTE;
    this.at = at;
  }

  /** Text that may hold anything, as it is. */
  any(s: string): void {
    const n = s.length;
    this.room(n * 3);
    const { buf, at } = this;
    let i = 0;
    for (; i < n && i < SHORT; i++) {
      const c = s.charCodeAt(i);
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
    if (v < 0 || v > 0x7fffffff || v !== (v | 0)) {
      this.ascii(Number.isFinite(v) ? String(v) : 'null');
      return;
    }
    this.room(10);
    const { buf } = this;
    let digits = 1;
    for (let x = v; x >= 10; x = (x / 10) | 0) digits++;
    let x = v;
    for (let i = this.at + digits - 1; i >= this.at; i--) {
      const q = (x / 10) | 0;
      buf[i] = ZERO + x - q * 10;
      x = q;
    }
    this.at += digits;
  }

  /** Octets as a string of hex with colons. */
  hex(b: Uint8Array, off: number, end: number): void {
    this.room(3 * (end - off) + 3);
    const { buf } = this;
    let { at } = this;
    buf[at++] = QUOTE;
    for (let i = off; i < end; i++) {
      const pair = PAIRS[b[i]];
      buf[at] = pair;
      buf[at + 1] = pair >> 8;
      buf[at + 2] = COLON;
      at += 3;
    }
    if (end > off) at--;
    buf[at++] = QUOTE;
    this.at = at;
  }

  /** Four octets as a dotted quad. */
  quad(b: Uint8Array, off: number): void {
    this.room(15);
    const { buf } = this;
    let { at } = this;
    for (let i = off; i < off + 4; i++) {
      const v = b[i];
      if (i > off) buf[at++] = DOT;
      if (v >= 100) buf[at++] = ZERO + ((v / 100) | 0);
      if (v >= 10) buf[at++] = ZERO + (((v / 10) | 0) % 10);
      buf[at++] = ZERO + (v % 10);
    }
    this.at = at;
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
    const f = t.field[node];
    const held = t.held[node];
    if (held === Held.Number) {
      const v = t.number[node];
      if (f.type !== 'bool') this.number(v);
      else this.ascii(v !== 0 ? 'true' : 'false');
      return;
    }
    if (held === Held.Octets || held === Held.Text) {
      const s = t.sources[t.source[node]];
      const off = Math.max(s.start, t.off[node]);
      const end = Math.max(off, Math.min(s.end, t.off[node] + t.len[node]));
      if (held === Held.Text) this.octetsAsText(t, node, s.buf, off, end);
      else if (f.type === 'bytes' || f.type === 'ether') this.hex(s.buf, off, end);
      else if (f.type === 'ipv4' && end - off === 4) {
        this.octet(QUOTE);
        this.quad(s.buf, off);
        this.octet(QUOTE);
      } else this.ascii(jsonValue(t, node));
      return;
    }
    if (held === Held.Made && typeof t.made[node] === 'string') this.string(t.made[node] as string);
    else this.any(jsonValue(t, node));
  }
}
