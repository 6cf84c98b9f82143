import { readFileSync } from 'node:fs';

/** The packets of a little-endian or big-endian microsecond or nanosecond pcap file: a reader for tests, not ours. */
export function pcapPackets(path: string): Buffer[] {
  const b = readFileSync(path);
  const little = b[0] === 0xd4 || b[0] === 0x4d;
  const u32 = (o: number): number => (little ? b.readUInt32LE(o) : b.readUInt32BE(o));
  const out: Buffer[] = [];
  for (let off = 24; off + 16 <= b.length; ) {
    const n = u32(off + 8);
    out.push(b.subarray(off + 16, off + 16 + n));
    off += 16 + n;
  }
  return out;
}
