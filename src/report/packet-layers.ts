import { ICMP, ICMPV6, TCP, UDP } from '../../dissectors/numbers.js';
import { fold, hex, pseudoHeader, sumWords, u16 } from '../kit/index.js';

/** An IP packet at `[off, end)`: where the next layer starts, and who it is; undefined where there is none. */
function upper(b: Uint8Array, off: number, end: number): { at: number; protocol: number; whole: boolean } | undefined {
  if (b[off] >> 4 === 4 && end - off >= 20) {
    const at = off + (b[off] & 15) * 4;
    const word = u16(b, off + 6);
    return { at, protocol: (word & 0x1fff) === 0 ? b[off + 9] : -1, whole: (word & 0x3fff) === 0 };
  }
  if (b[off] >> 4 !== 6 || end - off < 40) return undefined;
  let at = off + 40;
  let protocol = b[off + 6];
  while ((protocol === 0 || protocol === 43 || protocol === 60) && at + 8 <= end) {
    protocol = b[at];
    at += 8 + b[at + 1] * 8; // RFC 8200 §4.3
  }
  if (protocol !== 44 || at + 8 > end) return { at, protocol, whole: true };
  const first = (u16(b, at + 2) & 0xfff8) === 0;
  return { at: at + 8, protocol: first ? b[at] : -1, whole: false };
}

/** What stands above the transport layer, fragments included: `[from, end)`. */
export function payloads(b: Uint8Array, off: number, end: number): [number, number][] {
  const u = upper(b, off, end);
  if (u === undefined) return [];
  const { at, protocol, whole } = u;
  if ((protocol === 4 || protocol === 41) && whole) return payloads(b, at, end);
  if (protocol === UDP) return [[at + 8, end]];
  if (protocol === TCP && at + 13 <= end) return [[at + (b[at + 12] >> 4) * 4, end]];
  if (protocol !== ICMP && protocol !== ICMPV6) return [[at, end]];
  if (!whole || isEcho(b, at, protocol)) return [[at + 8, end]];
  return quotes(b, at, protocol) ? payloads(b, at + 8, end) : [];
}

/** Whether an ICMP message quotes a packet. RFC 792, RFC 4443 §2.1 */
const quotes = (b: Uint8Array, at: number, protocol: number): boolean =>
  protocol === ICMPV6 ? b[at] < 128 : [3, 4, 5, 11, 12].includes(b[at]);

/** Whether an ICMP message asks for data to be sent back, or does so. RFC 792, RFC 4443 §4 */
const isEcho = (b: Uint8Array, at: number, protocol: number): boolean =>
  protocol === ICMPV6 ? b[at] === 128 || b[at] === 129 : b[at] === 0 || b[at] === 8;

/** A checksum of a packet. */
export interface Sum {
  right(): boolean;
  put(): void;
}

/** The checksums of a packet and of what it carries, the innermost first. */
export function checksums(b: Uint8Array, off: number, end: number): Sum[] {
  const u = upper(b, off, end);
  if (u === undefined) return [];
  const { at, protocol, whole } = u;
  const list: Sum[] = [];
  const version = b[off] >> 4 === 6 ? 6 : 4;
  const stop = Math.min(end, off + (version === 4 ? u16(b, off + 2) : 40 + u16(b, off + 4)));
  const field = FIELD[protocol];
  if ((protocol === 4 || protocol === 41) && whole) list.push(...checksums(b, at, stop));
  if ((protocol === ICMP || protocol === ICMPV6) && whole && quotes(b, at, protocol))
    list.push(...checksums(b, at + 8, stop));
  if (field !== undefined && at + field + 2 <= stop && !(protocol === UDP && u16(b, at + field) === 0)) {
    const [src, dst] = version === 4 ? [off + 12, off + 16] : [off + 8, off + 24];
    const length = whole ? stop - at : protocol === UDP ? u16(b, at + 4) : 0;
    const pseudo = (): number =>
      protocol === ICMP ? 0 : pseudoHeader({ version, buf: b, src, dst }, protocol, length);
    if (whole) list.push(sumAt(b, at + field, at, stop, pseudo, protocol === UDP));
    else if (length > 0) list.push(firstFragment(b, at, at + 8, pseudo));
  }
  if (version === 4) list.push(sumAt(b, off + 10, off, at, () => 0, false));
  return list;
}

/** Where the checksum stands in the header of ICMP, TCP, UDP, ICMPv6. */
const FIELD: Readonly<Record<number, number>> = { [ICMP]: 2, [TCP]: 16, [UDP]: 6, [ICMPV6]: 2 };

/** The checksum at `field` over `[from, to)` and a pseudo-header; UDP sends 0 as all ones (RFC 768). */
function sumAt(b: Uint8Array, field: number, from: number, to: number, pseudo: () => number, ones: boolean): Sum {
  return {
    right: () => fold(sumWords(b, from, to, pseudo())) === 0,
    put() {
      b[field] = b[field + 1] = 0;
      const sum = fold(sumWords(b, from, to, pseudo()));
      const v = sum === 0 && ones ? 0xffff : sum;
      b[field] = v >> 8;
      b[field + 1] = v;
    },
  };
}

/**
 * The checksum in the first fragment of a datagram of UDP, all of whose payload is blank; one that was put there for a
 * payload which is known stays.
 */
function firstFragment(b: Uint8Array, at: number, end: number, pseudo: () => number): Sum {
  const sum = sumAt(b, at + 6, at, end, pseudo, true);
  return { right: () => true, put: () => b.subarray(end).every((c) => c === 0) && sum.put() };
}

/** Writes the checksum of a whole datagram of UDP, ICMP or ICMPv6 between the addresses of the packet `b`. */
export function putChecksum(datagram: Uint8Array, protocol: number, b: Uint8Array): void {
  const field = FIELD[protocol];
  if (protocol === UDP && u16(datagram, field) === 0) return; // it has none
  const version = b[0] >> 4 === 6 ? 6 : 4;
  const [src, dst] = version === 4 ? [12, 16] : [8, 24];
  const pseudo = (): number =>
    protocol === ICMP ? 0 : pseudoHeader({ version, buf: b, src, dst }, protocol, datagram.length);
  sumAt(datagram, field, 0, datagram.length, pseudo, protocol === UDP).put();
}

/** Of a fragment: what it is a part of, where its octets stand in that, and where they begin in the packet. */
export interface Fragment {
  readonly of: string;
  readonly offset: number;
  readonly at: number;
}

/** RFC 791 §3.1, RFC 8200 §4.5; undefined for a packet that is whole. */
export function fragmentOf(b: Uint8Array): Fragment | undefined {
  const u = upper(b, 0, b.length);
  if (u === undefined || u.whole) return undefined;
  const v6 = b[0] >> 4 === 6;
  const id = v6 ? hex(b, u.at - 4, 4) : `${b[9]} ${hex(b, 4, 2)}`;
  const offset = v6 ? u16(b, u.at - 6) & 0xfff8 : (u16(b, 6) & 0x1fff) * 8;
  return { of: `${hex(b, v6 ? 8 : 12, v6 ? 32 : 8)} ${id}`, offset, at: u.at };
}
