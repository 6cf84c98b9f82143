import { hexNumber, type Tree, u32 } from 'fttscope/kit';
import { E, F } from './fields.js';

/** RFC 8489 §14.7: "STUN" in ASCII. */
const XOR = 0x5354554e;
const TABLE = new Uint32Array(256);
for (let n = 0; n < 256; n++) {
  let c = n;
  for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  TABLE[n] = c;
}

/** The CRC-32 of ITU-T V.42 over `[off, end)`. */
function crc32(b: Uint8Array, off: number, end: number): number {
  let c = 0xffffffff;
  for (let i = off; i < end; i++) c = TABLE[(c ^ b[i]) & 0xff] ^ (c >>> 8);
  return ~c >>> 0;
}

/** The value that a FINGERPRINT whose attribute starts at `end` must have, for the message at `off`. RFC 8489 §14.7. */
export const fingerprintOf = (b: Uint8Array, off: number, end: number): number => (crc32(b, off, end) ^ XOR) >>> 0;

/** Shows the value at `at` and whether it is right. */
export function checkFingerprint(t: Tree, b: Uint8Array, at: number, message: number): void {
  const have = u32(b, at);
  t.num(F.crc, at, 4, have);
  if (!t.wanted(F.crcStatus) && !t.wanted(F.badCrc) && !t.wantsExperts && !t.labels) return;
  const right = fingerprintOf(b, message, at - 4);
  if (t.labels)
    t.label(`CRC-32: ${hexNumber(have, 8)} ${have === right ? '[correct]' : `[should be ${hexNumber(right, 8)}]`}`);
  if (have !== right) {
    t.none(F.badCrc, at, 0);
    t.expert(E.fingerprint, `Bad Fingerprint [should be ${hexNumber(right, 8)}]`);
  }
  t.num(F.crcStatus, at, 0, have === right ? 1 : 0);
}
