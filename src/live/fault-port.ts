import type { Cancel, Clock } from './clock.js';
import type { PacketPort } from './port.js';
import { integer, type Random } from './random.js';

/** A packet that waits to be sent after the next one waits no longer than this. */
const REORDER_MS = 200;

/** A port on which some of the packets that are sent get lost, doubled, late, out of order or damaged. */
export class FaultPort implements PacketPort {
  /** Probability of each, from 0 to 1. */
  readonly parts = { drop: 0, duplicate: 0, reorder: 0, corrupt: 0 };
  delayMs = 0;
  /** How often each happened. */
  readonly counts = { drop: 0, duplicate: 0, reorder: 0, corrupt: 0, delay: 0 };
  private held: Uint8Array | undefined;
  private cancel: Cancel | undefined;

  constructor(
    private readonly port: PacketPort,
    private readonly random: Random,
    private readonly clock: Clock,
  ) {}

  /** Everything is sent as it is from now on. */
  off(): void {
    Object.assign(this.parts, { drop: 0, duplicate: 0, reorder: 0, corrupt: 0 });
    this.delayMs = 0;
    this.letGo();
  }

  send(ip: Uint8Array): void {
    if (this.happens('drop')) return;
    const packet = this.happens('corrupt') ? this.damaged(ip) : ip;
    const copies = this.happens('duplicate') ? 2 : 1;
    if (this.held === undefined && this.happens('reorder')) {
      this.held = packet.slice();
      this.cancel = this.clock.after(REORDER_MS, () => this.letGo());
      return;
    }
    for (let i = 0; i < copies; i++) this.later(packet);
    this.letGo();
  }

  onPacket(receive: (ip: Uint8Array) => void): void {
    this.port.onPacket(receive);
  }

  close(): void {
    this.letGo();
    this.port.close();
  }

  private happens(what: keyof FaultPort['parts']): boolean {
    if (this.parts[what] === 0 || this.random.next() >= this.parts[what]) return false;
    this.counts[what]++;
    return true;
  }

  private letGo(): void {
    const { held } = this;
    this.cancel?.();
    this.held = undefined;
    if (held !== undefined) this.later(held);
  }

  private later(packet: Uint8Array): void {
    if (this.delayMs === 0) {
      this.port.send(packet);
      return;
    }
    this.counts.delay++;
    const copy = packet.slice();
    this.clock.after(this.delayMs, () => this.port.send(copy));
  }

  private damaged(ip: Uint8Array): Uint8Array {
    const copy = ip.slice();
    copy[integer(this.random, 0, copy.length - 1)] ^= 1 << integer(this.random, 0, 7);
    return copy;
  }
}
