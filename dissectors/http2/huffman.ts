/**
 * The Huffman code of header compression, RFC 7541 Appendix B. It is canonical: how many bits each symbol has says which
 * they are. Letters of base 36, by symbol; the last one is that of EOS.
 */
const LENGTHS = [
  'dnsssssssoussussssssssusssssssss6aacd68baa8b8666555666666678f6ca',
  'd67777777777777777777777878djde6f56565666577666567655677777fbeds',
  'kmkkmmmnmnnnnnonoomnonnnnlmnmnnomlkmmnnlnmmolmnnllmlnmnnkmmmnmmn',
  'qqkjmnmpqqqrrqopjlqrrqrollqqsrrrkoklmllnmmppooqnqrqqrrrrrsrrrrrqu',
].join('');
const EOS = 256;
const LONGEST = 30;

/** By length: the symbols of it in the order of their codes, the first of which is `first`. */
const CODES = Array.from({ length: LONGEST + 1 }, (): { first: number; symbols: number[] } => ({
  first: 0,
  symbols: [],
}));
for (let symbol = 0; symbol <= EOS; symbol++) CODES[Number.parseInt(LENGTHS[symbol], 36)].symbols.push(symbol);
for (let n = 1, code = 0; n <= LONGEST; n++) {
  code *= 2;
  CODES[n].first = code;
  code += CODES[n].symbols.length;
}

/** The text that octets stand for, as Latin-1; undefined where they contradict the code. RFC 7541 §5.2 */
export function huffmanText(b: Uint8Array, off: number, end: number): string | undefined {
  let out = '';
  let code = 0;
  let bits = 0;
  for (let at = off; at < end; at++)
    for (let mask = 0x80; mask > 0; mask >>= 1) {
      code = 2 * code + ((b[at] & mask) === 0 ? 0 : 1);
      bits++;
      const { first, symbols } = CODES[bits];
      if (code - first < symbols.length) {
        const symbol = symbols[code - first];
        if (symbol === EOS) return undefined;
        out += String.fromCharCode(symbol);
        code = bits = 0;
      } else if (bits === LONGEST) return undefined;
    }
  // What fills the last octet are the first bits of EOS, all ones.
  return bits < 8 && code === 2 ** bits - 1 ? out : undefined;
}
