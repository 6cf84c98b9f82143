import type { EspNote } from '../../dissectors/esp.js';
import type { EspKeys } from '../crypto/esp-keys.js';
import type { AnyDissector, Peek } from '../kit/index.js';
import type { EspSequences } from '../stream/esp-sequences.js';
import type { Packet } from './packet.js';

/** SPI and sequence number. RFC 4303 §2. */
const HEADER = 8;

/** What is known about ESP; null where nobody asks for it, undefined where there are no keys. */
export interface EspServices {
  readonly keys: EspKeys | undefined;
  readonly sequences: EspSequences | null;
}

/**
 * Follows the ESP packet at which `p` stands, and opens it if there is a key for it; `p` then stands at its payload.
 * Returns whether it was opened.
 */
export function followEsp(s: EspServices, esp: AnyDissector, p: Peek, addresses: Uint8Array, packet: Packet): boolean {
  if (p.end - p.off < HEADER) return false;
  const wrong = s.sequences?.see(p.buf, p.off) ?? '';
  const ends = { net: p.net, addresses, src: p.src, dst: p.dst };
  const opened = p.end < p.wireEnd ? undefined : s.keys?.open(ends, p.buf, p.off, p.end);
  packet.note(esp, p.buf, p.off, { opened, wrong } satisfies EspNote);
  if (opened === undefined) {
    packet.place(p, addresses);
    return false;
  }
  p.buf = opened.bytes;
  p.off = 0;
  p.end = opened.payload;
  p.wireEnd = opened.payload;
  p.table = 'ip.proto';
  p.key = opened.next;
  return true;
}
