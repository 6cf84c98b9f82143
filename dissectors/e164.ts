import { experts, fields, type Tree } from 'fttscope/kit';

/**
 * Telephone numbers in international form, ITU-T E.164 §6.2.1: one to three digits of a country code and what the country
 * gives out. They are part of other protocols' fields.
 */
export const E164 = fields({
  msisdn: { name: 'e164.msisdn', label: 'E.164 number (MSISDN)', type: 'string' },
  country: { name: 'e164.country_code', label: 'Country Code', type: 'u16' },
  notDecimal: {
    name: 'e164.country_code.non_decimal',
    label: 'Country Code contains non-decimal digits',
    type: 'none',
  },
});

export const E164_EXPERTS = experts({
  notDecimal: {
    code: 'e164.country-code-not-decimal',
    severity: 'warn',
    malformed: true,
    message: 'Country Code contains non-decimal digits',
  },
});

/** By first digit: whether a code has three digits, by its second one. ITU-T E.164 annex, list of assigned codes. */
const THREE: readonly (undefined | ((second: number) => boolean))[] = [
  undefined,
  undefined,
  (second) => second !== 0 && second !== 7,
  (second) => ![0, 1, 2, 3, 4, 6, 9].includes(second),
  (second) => second === 2,
  (second) => second === 0 || second === 9,
  (second) => second >= 7 && second <= 9,
  undefined,
  (second) => ![1, 2, 4, 6].includes(second),
  (second) => second === 6 || second === 7 || second === 9,
];

/** The country code of a number as Wireshark takes it, a digit in four bits: what is no digit gives nibbles above 9. */
function countryCode(digit: (i: number) => number): number {
  const three = ((digit(0) << 8) | (digit(1) << 4) | digit(2)) & 0xffff;
  const first = (three >> 8) & 15;
  if (first === 0 || first === 1 || first === 7) return three >> 8;
  return THREE[first]?.((three >> 4) & 15) === false ? three >> 4 : three;
}

function showCountry(t: Tree, off: number, octets: number, digit: (i: number) => number): void {
  const code = countryCode(digit);
  let value = 0;
  let decimal = true;
  for (let shift = 12; shift >= 0; shift -= 4) {
    const nibble = (code >> shift) & 15;
    value = value * 10 + nibble;
    if (nibble > 9) decimal = false;
  }
  t.num(E164.country, off, octets, value);
  if (decimal) return;
  t.none(E164.notDecimal, off, octets);
  t.expert(E164_EXPERTS.notDecimal);
}

/** Shows the number `[off, end)` in ASCII, without its `+`, and its country code below it. */
export function showE164(t: Tree, b: Uint8Array, off: number, end: number): void {
  t.text(E164.msisdn, off, end - off);
  t.push();
  showCountry(t, off, 3, (i) => (off + i < b.length ? b[off + i] - 48 : 0));
  t.pop();
}

/** The same for digits in semi-octets, the first in the low half; `digits` is their text. ITU-T Q.763 §3.9 */
export function showE164Digits(t: Tree, b: Uint8Array, off: number, end: number, digits: string): void {
  t.text(E164.msisdn, off, end - off, digits.replace(/\D/g, '?'));
  t.push();
  showCountry(t, off, 2, (i) => (off + (i >> 1) < end ? (b[off + (i >> 1)] >> (4 * (i & 1))) & 15 : 0));
  t.pop();
}
