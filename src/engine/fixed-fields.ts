import { type Field, type Tree, u8, u16, u24, u32 } from '../kit/index.js';

/** Adds fields that stand at fixed places of the header at `off` of `buf`: see {@link Field.at}. */
export function addFixed(fields: readonly Field[], buf: Uint8Array, off: number, t: Tree): void {
  for (let i = 0; i < fields.length; i++) {
    const f = fields[i];
    const [at, octets] = f.at!;
    if (f.type === 'ipv4' || f.type === 'ipv6' || f.type === 'ether') t.bytes(f, off + at, octets);
    else {
      const word = wordAt(buf, off + at, octets);
      if (f.mask === undefined) t.num(f, off + at, octets, word);
      else t.bits(f, off + at, octets, word);
    }
  }
}

/** A number of one to four octets in network order. */
function wordAt(b: Uint8Array, off: number, octets: number): number {
  switch (octets) {
    case 1:
      return u8(b, off);
    case 2:
      return u16(b, off);
    case 3:
      return u24(b, off);
    default:
      return u32(b, off);
  }
}
