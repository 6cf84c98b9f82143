/** MD5 of text, for fingerprints that are written so (JA3). RFC 1321. It protects nothing. */

/** Left rotations of each round, §3.4. */
const SHIFTS = [
  [7, 12, 17, 22],
  [5, 9, 14, 20],
  [4, 11, 16, 23],
  [6, 10, 15, 21],
];
/** §3.4: the whole part of 2^32 times |sin(i)|, i in radians. */
const SINES = Int32Array.from({ length: 64 }, (_, i) => Math.floor(Math.abs(Math.sin(i + 1)) * 0x1_0000_0000));
const FUNCTIONS: readonly ((x: number, y: number, z: number) => number)[] = [
  (x, y, z) => (x & y) | (~x & z),
  (x, y, z) => (x & z) | (y & ~z),
  (x, y, z) => x ^ y ^ z,
  (x, y, z) => y ^ (x | ~z),
];
/** Which word a step takes: `a * i + b`, by round. */
const WORDS = [
  [1, 0],
  [5, 1],
  [3, 5],
  [7, 0],
];

/** The digest of a text of ASCII characters, as 32 hexadecimal digits. */
export function md5(text: string): string {
  const n = text.length;
  const blocks = new Uint8Array(((n + 8) >> 6) * 64 + 64);
  for (let i = 0; i < n; i++) blocks[i] = text.charCodeAt(i);
  blocks[n] = 0x80; // §3.1
  const words = new DataView(blocks.buffer);
  words.setUint32(blocks.length - 8, n * 8, true); // §3.2
  const state = Int32Array.of(0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476); // §3.3
  for (let at = 0; at < blocks.length; at += 64) digest(state, words, at);
  const out = new DataView(new ArrayBuffer(16));
  state.forEach((word, i) => {
    out.setInt32(4 * i, word, true);
  });
  return Array.from(new Uint8Array(out.buffer), (octet) => octet.toString(16).padStart(2, '0')).join('');
}

/** Takes the block of 64 octets at `at`, §3.4. */
function digest(state: Int32Array, words: DataView, at: number): void {
  let [a, b, c, d] = state;
  for (let i = 0; i < 64; i++) {
    const round = i >> 4;
    const [times, plus] = WORDS[round];
    const word = words.getInt32(at + 4 * ((times * i + plus) & 15), true);
    const sum = (a + FUNCTIONS[round](b, c, d) + SINES[i] + word) | 0;
    const shift = SHIFTS[round][i & 3];
    [a, d, c] = [d, c, b];
    b = (b + ((sum << shift) | (sum >>> (32 - shift)))) | 0;
  }
  state[0] += a;
  state[1] += b;
  state[2] += c;
  state[3] += d;
}
