import { parseAddress } from '../kit/index.js';

/** Where the octets of an IPv4 address stand in an IPv6 one, by the length of the prefix before them. RFC 6052 §2.2 */
const PLACES = [
  [4, 5, 6, 7], // 32
  [5, 6, 7, 9], // 40; octet 8 is 0
  [6, 7, 9, 10], // 48
  [7, 9, 10, 11], // 56
  [9, 10, 11, 12], // 64
  [12, 13, 14, 15], // 96
] as const;

/** Whether an IPv6 address is what an IPv4 address becomes where a network translates (NAT64, 464XLAT). */
export function isTranslated(six: string, four: string): boolean {
  const a = parseAddress(six);
  const b = parseAddress(four);
  return a?.length === 16 && b?.length === 4 && PLACES.some((at) => at.every((place, i) => a[place] === b[i]));
}
