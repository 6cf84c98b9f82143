/** Up to four ASCII characters as the number that they are in memory. */
function packed(s: string): number {
  let v = 0;
  for (let i = 0; i < s.length; i++) v |= s.charCodeAt(i) << (8 * i);
  return v;
}
/** By octet: its two hex digits and a colon. */
export const PAIRS = Int32Array.from({ length: 256 }, (_, v) => packed(`${v.toString(16).padStart(2, '0')}:`));
/** By octet: its decimal digits and a dot. */
export const DOTTED = Int32Array.from({ length: 256 }, (_, v) => packed(`${v}.`));
/** By number below 1000: its digits, and as three digits. */
export const DIGITS = Int32Array.from({ length: 1000 }, (_, v) => packed(String(v)));
export const THREE_DIGITS = Int32Array.from({ length: 1000 }, (_, v) => packed(String(v).padStart(3, '0')));
