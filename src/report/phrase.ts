/** Octets that are written at once; so many may be written beyond what counts. */
export const WORD = 8;

/**
 * A text that is written often, as octets in words of eight: {@link TextBytes.phrase} copies it a word at a time. (UTF-8
 * is never the pattern of a NaN, which alone a processor may change.)
 */
export class Phrase {
  readonly words: Float64Array;
  readonly length: number;

  constructor(text: string) {
    const octets = Buffer.from(text);
    this.length = octets.length;
    this.words = new Float64Array(Math.ceil(octets.length / WORD));
    new Uint8Array(this.words.buffer).set(octets);
  }
}

/** How JSON writes the two. */
export const TRUE = new Phrase('true');
export const FALSE = new Phrase('false');
