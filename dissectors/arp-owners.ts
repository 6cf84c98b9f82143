import { LIMITS, type Track, u8, u32 } from 'fttscope/kit';

/** Who was seen to have an address before another one. */
export interface Duplicate {
  /** The address, as a number. */
  readonly ip: number;
  /** The hardware address that has it now, and the one that it was seen with first. */
  readonly mac: Uint8Array;
  readonly owner: Uint8Array;
  /** Last frame that showed that one, and seconds since. */
  readonly frame: number;
  readonly seconds: number;
}

interface Owner {
  readonly mac: Uint8Array;
  frame: number;
  seconds: number;
}

const MAC = 6;

/** Which hardware address each IPv4 address was seen with first. RFC 5227 §2.4 */
export class Owners {
  private readonly owners = new Map<number, Owner>();

  /** Addresses that are remembered. */
  get size(): number {
    return this.owners.size;
  }

  /** Notes that the hardware address at `mac` has the address at `ip`; returns who had it, if that was another. */
  see(b: Uint8Array, mac: number, ip: number, cx: Track): Duplicate | undefined {
    const address = u32(b, ip);
    if (address === 0 || !isOne(b, mac)) return undefined;
    const known = this.owners.get(address);
    if (known === undefined) {
      this.remember(address, { mac: b.slice(mac, mac + MAC), frame: cx.frame, seconds: cx.seconds }, cx);
      return undefined;
    }
    if (known.mac.every((octet, i) => octet === b[mac + i])) {
      known.frame = cx.frame;
      known.seconds = cx.seconds;
      return undefined;
    }
    const { mac: owner, frame, seconds } = known;
    return { ip: address, mac: b.slice(mac, mac + MAC), owner, frame, seconds: Math.max(0, cx.seconds - seconds) };
  }

  private remember(address: number, owner: Owner, cx: Track): void {
    if (this.owners.size >= LIMITS.transactions) {
      this.owners.delete(this.owners.keys().next().value!);
      cx.capped('transactions');
    }
    this.owners.set(address, owner);
  }
}

/** Whether it is the address of one interface: neither all zeros nor that of a group. */
function isOne(b: Uint8Array, mac: number): boolean {
  if ((u8(b, mac) & 1) !== 0) return false;
  for (let i = 0; i < MAC; i++) if (b[mac + i] !== 0) return true;
  return false;
}
