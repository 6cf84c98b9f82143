import { type Tree, u16, u32 } from 'fttscope/kit';
import { linkLayer } from '../dhcp/client.js';
import { E } from './experts.js';
import { F } from './fields.js';

/** RFC 9915 §11.2: 1 January 2000, 00:00 UTC, in seconds since the epoch of Unix. */
const DUID_EPOCH = 946_684_800;

/** Says that an option cannot be read; Wireshark takes the packet for malformed. */
export const bad = (t: Tree, what: string): void => t.expert(E.malformed, `${what}: malformed option`);

/** Options 1 and 2, RFC 9915 §11. */
export function duid(t: Tree, b: Uint8Array, off: number, end: number): void {
  if (end - off < 2) {
    bad(t, 'DUID');
    return;
  }
  const type = u16(b, off);
  t.bytes(F.duid, off, end - off);
  t.num(F.duidType, off, 2, type);
  if (type === 1) {
    if (end - off < 8) {
      bad(t, 'DUID');
      return;
    }
    t.num(F.lltHardware, off + 2, 2, u16(b, off + 2));
    t.time(F.lltTime, off + 4, 4, DUID_EPOCH + u32(b, off + 4));
    if (end > off + 8) t.text(F.lltAddress, off + 8, end - off - 8, linkLayer(b, u16(b, off + 2), off + 8, end));
  } else if (type === 2) {
    if (end - off < 6) {
      bad(t, 'DUID');
      return;
    }
    t.num(F.enEnterprise, off + 2, 4, u32(b, off + 2));
    if (end > off + 6) t.bytes(F.enIdentifier, off + 6, end - off - 6);
  } else if (type === 3) {
    if (end - off < 4) {
      bad(t, 'DUID');
      return;
    }
    t.num(F.llHardware, off + 2, 2, u16(b, off + 2));
    if (end > off + 4) t.text(F.llAddress, off + 4, end - off - 4, linkLayer(b, u16(b, off + 2), off + 4, end));
  } else if (type === 4 && end > off + 2) t.bytes(F.uuid, off + 2, end - off - 2);
}
