import { put32 } from '../capture/output.js';
import { u32le } from '../kit/bytes.js';
import { LIMITS } from '../limits.js';

/** Block types of pcapng. draft-ietf-opsawg-pcapng §4 */
export const BLOCK = { section: 0x0a0d0d0a, interface: 1, packet: 6, statistics: 5, secrets: 10 } as const;

const SHORTEST = 12;
const LITTLE = 0x1a2b3c4d;

/** What a stream that is no pcapng of this machine is refused with. */
export class NotBlocks extends Error {}

/** Cuts a stream of pcapng, least significant octet first, into its blocks. */
export class BlockSplitter {
  private held: Uint8Array = new Uint8Array(0);
  private have = 0;

  /** @param take gets each block, valid only during the call; it may be changed */
  constructor(private readonly take: (block: Uint8Array, type: number) => void) {}

  /** @throws NotBlocks */
  feed(chunk: Uint8Array): void {
    if (this.have === 0) {
      const rest = this.cut(chunk, chunk.length);
      if (rest < chunk.length) this.keep(chunk.subarray(rest));
      return;
    }
    this.keep(chunk);
    const rest = this.cut(this.held, this.have);
    this.held.copyWithin(0, rest, this.have);
    this.have -= rest;
  }

  /** Hands on the whole blocks of the first `end` octets; returns where the first that is not whole begins. */
  private cut(b: Uint8Array, end: number): number {
    let at = 0;
    while (end - at >= SHORTEST) {
      const type = u32le(b, at);
      const length = u32le(b, at + 4);
      if (length < SHORTEST || length % 4 !== 0 || length > LIMITS.blockOctets)
        throw new NotBlocks('what came from the capturing program is no pcapng');
      if (type === BLOCK.section && u32le(b, at + 8) !== LITTLE)
        throw new NotBlocks('the capturing program writes pcapng of another byte order');
      if (end - at < length) break;
      this.take(b.subarray(at, at + length), type);
      at += length;
    }
    return at;
  }

  private keep(octets: Uint8Array): void {
    const need = this.have + octets.length;
    if (need > this.held.length) {
      const bigger = new Uint8Array(Math.max(need, 2 * this.held.length));
      bigger.set(this.held.subarray(0, this.have));
      this.held = bigger;
    }
    this.held.set(octets, this.have);
    this.have = need;
  }
}

/** Packets received and dropped that an Interface Statistics Block tells; undefined where it does not. §4.6 */
export function statisticsOf(block: Uint8Array): { received: number; dropped: number } | undefined {
  let received: number | undefined;
  let dropped = 0;
  for (let at = 20; at + 4 <= block.length - 4; ) {
    const code = block[at] | (block[at + 1] << 8);
    const length = block[at + 2] | (block[at + 3] << 8);
    if (code === 0) break;
    const value = length === 8 ? u32le(block, at + 4) + u32le(block, at + 8) * 2 ** 32 : 0;
    if (code === 4) received = value;
    else if (code === 5) dropped = value;
    at += 4 + ((length + 3) & ~3);
  }
  return received === undefined ? undefined : { received, dropped };
}

/** A Decryption Secrets Block with a TLS key log. §4.7 */
export function secretsBlock(keyLog: Uint8Array): Uint8Array {
  const total = 20 + ((keyLog.length + 3) & ~3);
  const b = new Uint8Array(total);
  put32(b, 0, BLOCK.secrets);
  put32(b, 4, total);
  put32(b, 8, 0x544c534b);
  put32(b, 12, keyLog.length);
  b.set(keyLog, 16);
  put32(b, total - 4, total);
  return b;
}
