import type { EspKeys } from '../crypto/esp-keys.js';
import type { AnyDissector, Peek } from '../kit/index.js';
import type { Packet } from './packet.js';

/** Opens the ESP packet at which `p` stands, if there is a key for it; `p` then stands at its payload. */
export function openEsp(keys: EspKeys, esp: AnyDissector, p: Peek, addresses: Uint8Array, packet: Packet): boolean {
  if (p.end < p.wireEnd) return false;
  const opened = keys.open({ net: p.net, addresses, src: p.src, dst: p.dst }, p.buf, p.off, p.end);
  if (opened === undefined) return false;
  packet.note(esp, p.buf, p.off, opened);
  p.buf = opened.bytes;
  p.off = 0;
  p.end = opened.payload;
  p.wireEnd = opened.payload;
  p.table = 'ip.proto';
  p.key = opened.next;
  return true;
}
