import type { Packet } from './packet.js';

/** An exception in fttscope that no packet should cause. */
export interface Fault {
  /** The protocol that was read. */
  readonly proto: string;
  readonly error: unknown;
}

/**
 * Exceptions that are bugs: each costs what would have been said of one packet, which shows it, and nothing of any other.
 */
export class Faults {
  /** How often each protocol failed. */
  readonly counts = new Map<string, number>();

  first: Fault | undefined;

  count(proto: string, error: unknown): void {
    this.first ??= { proto, error };
    this.counts.set(proto, (this.counts.get(proto) ?? 0) + 1);
  }

  /** Before a packet is dissected: its row will show the first of them. */
  add(packet: Packet, proto: string, error: unknown): void {
    this.count(proto, error);
    packet.fault ??= { proto, error };
  }
}
