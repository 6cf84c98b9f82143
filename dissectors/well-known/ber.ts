/** Octets of a BER element with a definite length; 0: too few to say; -1: it is none. ITU-T X.690 §8.1 */
export function berLength(b: Uint8Array, off: number, end: number): number {
  if (end - off < 2) return 0;
  const first = b[off + 1];
  if (first < 0x80) return 2 + first;
  const octets = first & 0x7f;
  if (octets === 0 || octets > 4) return -1;
  if (end - off < 2 + octets) return 0;
  let n = 0;
  for (let i = 0; i < octets; i++) n = n * 256 + b[off + 2 + i];
  return 2 + octets + n;
}
