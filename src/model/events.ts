import { ByOctets, type Codec, ip4, ip6, isDamage } from '../kit/index.js';

const MOST_ADDRESSES = 512;

/**
 * The content of a packet above its transport layer, or a message of ICMP. One instance serves all packets, and its
 * octets are valid while it is handed over.
 */
export class Content {
  buf: Uint8Array = new Uint8Array(0);
  /** Captured octets are `[off, end)`. */
  off = 0;
  end = 0;
  /** One past the last octet that was on the wire; larger than `end` where the capture cut it. */
  wireEnd = 0;
  net: 4 | 6 = 4;
  addresses: Uint8Array = new Uint8Array(0);
  /** Offsets of the addresses of sender and receiver in `addresses`. */
  source = 0;
  destination = 0;
  /** 0 in a message of ICMP. */
  sport = 0;
  dport = 0;
  /** Whether it came over TCP. */
  stream = false;

  get from(): string {
    return this.address(this.source);
  }
  get to(): string {
    return this.address(this.destination);
  }
  private address(off: number): string {
    const { addresses, net, texts } = this;
    const end = off + (net === 4 ? 4 : 16);
    const known = texts.find(addresses, off, end);
    return known ?? texts.set(addresses, off, end, net === 4 ? ip4(addresses, off) : ip6(addresses, off));
  }
  /** One text for all that has an address: much is kept. */
  private readonly texts = new ByOctets<string>(MOST_ADDRESSES);

  /** What a codec reads in it; undefined where it is damaged: its row says how. */
  parsed<R>(codec: Codec<R>): R | undefined {
    try {
      return codec.parse(this.buf, this.off, this.end);
    } catch (e) {
      if (!isDamage(e)) throw e;
      return undefined;
    }
  }

  /** Hop limit or TTL. */
  get hops(): number {
    return this.net === 6 ? this.addresses[this.source - 1] : this.addresses[this.source - 4];
  }
  /** Whether the sender is `::` or `0.0.0.0`. */
  get unspecified(): boolean {
    const n = this.net === 4 ? 4 : 16;
    for (let i = 0; i < n; i++) if (this.addresses[this.source + i] !== 0) return false;
    return true;
  }
}
