import { type Field, need, type Tree, u8, u16, u32, u64, type View } from 'fttscope/kit';

/** An option ends before what its type says is in it, and more octets of the message follow. */
export class Overrun extends Error {}

/** Reads the fields of a message, or of an option of it, one after the other: what is there is shown before what is missing. */
export class Reader {
  /**
   * @param at where the next field begins
   * @param end where the message or the option says that it ends
   */
  constructor(
    readonly t: Tree,
    readonly v: View,
    public at: number,
    readonly end: number = v.wireEnd,
  ) {}

  /** Octets up to the end. */
  get left(): number {
    return Math.max(0, this.end - this.at);
  }

  /**
   * Passes over `n` octets and returns where they begin.
   * @throws Short where the message ends before, Overrun where the option does
   */
  take(n: number): number {
    const { at } = this;
    if (n < 0) throw new Overrun();
    need(this.v, n, at);
    if (at + n > this.end) throw new Overrun();
    this.at = at + n;
    return at;
  }

  u8(f: Field): number {
    const at = this.take(1);
    const value = u8(this.v.buf, at);
    this.t.num(f, at, 1, value);
    return value;
  }
  u16(f: Field): number {
    const at = this.take(2);
    const value = u16(this.v.buf, at);
    this.t.num(f, at, 2, value);
    return value;
  }
  u32(f: Field): number {
    const at = this.take(4);
    const value = u32(this.v.buf, at);
    this.t.num(f, at, 4, value);
    return value;
  }
  u64(f: Field): void {
    const at = this.take(8);
    this.t.big(f, at, 8, u64(this.v.buf, at));
  }
  /** Octets, or an address. */
  bytes(f: Field, n: number): void {
    this.t.bytes(f, this.take(n), n);
  }
  /** Octets of which only that they are there is shown. */
  none(f: Field, n: number): void {
    this.t.none(f, this.take(n), n);
  }
  text(f: Field, n: number): void {
    this.t.text(f, this.take(n), n);
  }
  /** Fields that share one octet. */
  bits8(...list: readonly Field[]): number {
    const at = this.take(1);
    const word = u8(this.v.buf, at);
    for (const f of list) this.t.bits(f, at, 1, word);
    return word;
  }
  /** Fields that share two octets. */
  bits16(...list: readonly Field[]): number {
    const at = this.take(2);
    const word = u16(this.v.buf, at);
    for (const f of list) this.t.bits(f, at, 2, word);
    return word;
  }
  /** An octet of flags, and each of them below it. */
  flags8(whole: Field, ...each: readonly Field[]): void {
    this.u8(whole);
    this.at--;
    this.t.push();
    this.bits8(...each);
    this.t.pop();
  }
  /** Two octets of flags, and each of them below. */
  flags16(whole: Field, ...each: readonly Field[]): void {
    this.u16(whole);
    this.at -= 2;
    this.t.push();
    this.bits16(...each);
    this.t.pop();
  }
}
