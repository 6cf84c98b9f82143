import { u16, u16le, u32, type View } from 'fttscope/kit';
import { named } from './named.js';

/** Remote Desktop over UDP, only named, with the TLS that it carries. MS-RDPEUDP §2.2, MS-RDPEUDP2 §2.2 */

const HEADER = 8;
const FLAGS = 6;
const SYN = 0x0001;
const ACK = 0x0004;
const DATA = 0x0008;
const CORRECTION = 0x0010;
const ACK_OF_ACKS = 0x0100;
/** Octets before the data of a packet that carries its own: the numbers of the packet. §2.2.2.4 */
const SOURCE_HEADER = 8;
/** What a record of TLS begins with, of any version since 1.0. RFC 8446 §5.1 */
const FIRST_TYPE = 20;
const LAST_TYPE = 23;
const VERSIONS = 0x0301;
const NEWEST = 0x0303;

/** The eighth octet of a packet of the second version stands for the first one: bits that are set, and no type. */
const PREFIX = 7;
const PREFIX_BITS = 0xfe;
const PREFIX_VALUE = 0xe0;
/** Parts of such a packet before its data, in their order: flag and octets. MS-RDPEUDP2 §2.2.1.2 */
const PARTS = [
  [0x040, 1],
  [0x100, 3],
  [0x010, 2],
] as const;
const ACK_2 = 0x001;
const DATA_2 = 0x004;
const VECTOR_2 = 0x008;
const NUMBERS_2 = 4;

/** Where the data of a packet of the first version starts, or -1. */
function dataAt({ buf, off, end }: View): number {
  const flags = u16(buf, off + FLAGS);
  if ((flags & DATA) === 0 || (flags & (SYN | CORRECTION)) !== 0) return -1;
  let at = off + HEADER;
  // A vector of acknowledgments fills whole words with its length. §2.2.2.7
  if ((flags & ACK) !== 0 && at + 2 <= end) at += (2 + u16(buf, at) + 3) & ~3;
  if ((flags & ACK_OF_ACKS) !== 0) at += 4;
  return at + SOURCE_HEADER;
}

/** The same of the second version, where nothing is acknowledged with it. */
function dataAt2({ buf, off }: View): number {
  const flags = u16le(buf, off + 1) & 0x0fff;
  if ((flags & DATA_2) === 0 || (flags & (ACK_2 | VECTOR_2)) !== 0) return -1;
  let at = off + 3;
  for (const [flag, octets] of PARTS) if ((flags & flag) !== 0) at += octets;
  return at + NUMBERS_2;
}

/** Where a record of TLS starts that the packet carries, or -1. */
function recordAt(v: View): number {
  const { buf, off, end, length } = v;
  if (length < HEADER) return -1;
  const at = (buf[off + PREFIX] & PREFIX_BITS) === PREFIX_VALUE ? dataAt2(v) : dataAt(v);
  if (at < 0 || at + 5 > end || buf[at] < FIRST_TYPE || buf[at] > LAST_TYPE) return -1;
  const version = (u32(buf, at) >>> 8) & 0xffff;
  return version >= VERSIONS && version <= NEWEST ? at : -1;
}

export const rdpudp = named({
  ...{ proto: 'rdpudp', title: 'UDP Remote Desktop Protocol', short: 'RDPUDP', spec: 'MS-RDPEUDP §2.2' },
  on: { 'udp.port': [3389] },
  calls: ['tls'],
  inner(v, cx) {
    const at = recordAt(v);
    if (at >= 0) cx.call('tls', v.sub(at));
  },
});
