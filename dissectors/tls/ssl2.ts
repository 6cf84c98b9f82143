import { No, type Probe, type Tree, Unsure, u8, u16, u24, type View } from 'fttscope/kit';
import { F } from './fields.js';
import { HandshakeType, Version } from './numbers.js';
import { Scan } from './scan.js';

/**
 * The ClientHello of SSL 2.0, which older clients sent first whatever version they wanted (RFC 5246 §E.2):
 *
 *     +--------+--------+------+--------+--------+--------+--------+--------+--------+--------+--------+- -
 *     | 80 + length     | type |     version     |  specs' length  | session's len.  | challenge's len.|
 *     +--------+--------+------+--------+--------+--------+--------+--------+--------+--------+--------+- -
 */
const HEADER = 11;
const LENGTH = 0x7fff;

/** Whether such a hello may begin at `off`. */
export function probeSsl2(b: Uint8Array, off: number, end: number): Probe {
  const n = end - off;
  if (n > 0 && u8(b, off) < 0x80) return No;
  if (n < 5) return n < 3 || u8(b, off + 2) === HandshakeType.ClientHello ? Unsure : No;
  if (u8(b, off + 2) !== HandshakeType.ClientHello) return No;
  const version = u16(b, off + 3);
  if (version !== 2 && (version < 0x300 || version > 0x304)) return No;
  if (n < HEADER) return Unsure;
  const specs = u16(b, off + 5);
  const whole = HEADER - 2 + specs + u16(b, off + 7) + u16(b, off + 9);
  return specs > 0 && specs % 3 === 0 && whole === (u16(b, off) & LENGTH) ? Unsure : No;
}

/** Octets of the hello with its two octets of length. */
export const ssl2Length = (b: Uint8Array, off: number): number => 2 + (u16(b, off) & LENGTH);

/** Octets of such a hello where all of it stands at `off`, else 0. */
export function wholeSsl2(b: Uint8Array, off: number, end: number): number {
  if (end - off < HEADER || probeSsl2(b, off, end) === No) return 0;
  const n = ssl2Length(b, off);
  return n <= end - off ? n : 0;
}

/** Adds the hello, under the layer that is open. */
export function dissectSsl2(v: View, t: Tree): void {
  const end = Math.min(v.wireEnd, v.off + ssl2Length(v.buf, v.off));
  t.open(F.record, v.off, end - v.off);
  if (t.labels) t.label('SSLv2 Record Layer: Client Hello');
  t.num(F.recordVersion, v.off, 0, Version.Ssl2);
  t.num(F.recordLength, v.off, 2, u16(v.buf, v.off) & LENGTH);
  const s = new Scan(t, v, v.off + 2, end);
  s.u8(F.type);
  s.u16(F.version);
  const specs = s.u16(F.cipherSpecLength);
  const session = s.u16(F.sessionIdLength);
  const challenge = s.u16(F.challengeLength);
  const list = s.part(specs);
  while (list.more && list.has(3)) {
    t.num(F.cipherSpec, list.off, 3, u24(v.buf, list.off));
    list.off += 3;
  }
  s.bytes(F.sessionId, session);
  if (challenge > 0) s.none(F.challenge, challenge);
  t.pop();
}
