import { u8 } from '../kit/index.js';

/** RC4, for old captures: OpenSSL no longer has it. Its state runs on over the records of a direction. */
export class Rc4 {
  private i = 0;
  private j = 0;

  readonly #s: Uint8Array;

  private constructor(s: Uint8Array) {
    this.#s = s;
  }

  static of(key: Uint8Array): Rc4 {
    const s = Uint8Array.from({ length: 256 }, (_, i) => i);
    for (let i = 0, j = 0; i < 256; i++) {
      const v = u8(s, i);
      j = (j + v + u8(key, i % key.length)) & 255;
      s[i] = u8(s, j);
      s[j] = v;
    }
    return new Rc4(s);
  }

  clone(): Rc4 {
    const c = new Rc4(this.#s.slice());
    c.i = this.i;
    c.j = this.j;
    return c;
  }

  /** The next octet of keystream. */
  next(): number {
    const s = this.#s;
    this.i = (this.i + 1) & 255;
    const a = u8(s, this.i);
    this.j = (this.j + a) & 255;
    const b = u8(s, this.j);
    s[this.i] = b;
    s[this.j] = a;
    return u8(s, (a + b) & 255);
  }
}
