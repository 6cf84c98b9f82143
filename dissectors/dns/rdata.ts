/** What the data of a record is read with. */
import { type Field, Short, type Tree, u16, u32, utf8Text, type View } from 'fttscope/kit';
import { escapeControls, readName } from './names.js';

/** A record's data on its way into the tree: `at` moves from its first octet to `end`. */
export class Rdata {
  at: number;

  /**
   * @param v the message
   * @param base where the header of the message begins, for pointers in names
   * @param owner name of the record
   */
  constructor(
    readonly t: Tree,
    readonly v: View,
    readonly base: number,
    off: number,
    readonly end: number,
    readonly owner: string,
    readonly type: number,
  ) {
    this.at = off;
  }

  get b(): Uint8Array {
    return this.v.buf;
  }
  get left(): number {
    return this.end - this.at;
  }

  /** Demands `n` octets. @throws Short */
  need(n: number): void {
    const stop = this.at + n;
    if (stop > this.end || stop > this.v.end)
      throw new Short(
        n,
        Math.max(0, Math.min(this.end, this.v.end) - this.at),
        this.at - this.v.source.start,
        stop <= this.v.wireEnd && stop <= this.end,
      );
  }

  u8(f: Field): number {
    this.need(1);
    const value = this.b[this.at];
    this.t.num(f, this.at++, 1, value);
    return value;
  }
  u16(f: Field): number {
    this.need(2);
    const value = u16(this.b, this.at);
    this.t.num(f, this.at, 2, value);
    this.at += 2;
    return value;
  }
  u32(f: Field): number {
    this.need(4);
    const value = u32(this.b, this.at);
    this.t.num(f, this.at, 4, value);
    this.at += 4;
    return value;
  }
  /** Seconds since the epoch. */
  time(f: Field): void {
    this.need(4);
    this.t.time(f, this.at, 4, u32(this.b, this.at));
    this.at += 4;
  }
  bytes(f: Field, n: number): void {
    this.need(n);
    this.t.bytes(f, this.at, n);
    this.at += n;
  }
  /** What is left, where there is something. */
  rest(f: Field): void {
    if (this.left > 0) this.bytes(f, this.left);
  }
  name(f: Field): string {
    const name = readName(this.b, this.at, this.v.end, this.base, this.v.wireEnd);
    const text = escapeControls(name.text);
    this.t.text(f, this.at, name.end - this.at, text);
    this.at = name.end;
    return text;
  }
  /** A character string: an octet of length and as many of text. RFC 1035 §3.3 */
  string(length: Field, f: Field): string {
    const n = this.u8(length);
    this.need(n);
    this.t.plainText(f, this.at, n);
    this.at += n;
    return utf8Text(this.b, this.at - n, this.at);
  }
}

/** Shows the data of one type. */
export type ShowRdata = (r: Rdata) => void;
