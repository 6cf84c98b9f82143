import { TCP, UDP } from '../../dissectors/numbers.js';
import type { AnyDissector, Peek } from '../kit/index.js';
import type { Envelope } from '../tunnel/deframe.js';
import type { Tunnel } from '../tunnel/tunnel.js';
import type { Faults } from './faults.js';
import type { Packet } from './packet.js';
import type { Tap } from './pass.js';
import type { UdpState } from './scope.js';

/** A tap that fails costs what it would have told of one packet, not those that follow. */
export class GuardedTap implements Pick<Tap, 'frame' | 'inner' | 'plain'> {
  constructor(
    private readonly tap: Tap,
    private readonly faults: Faults,
  ) {}

  frame(packet: Packet): void {
    try {
      this.tap.frame(packet);
    } catch (e) {
      this.faults.add(packet, readerOf(packet), e);
    }
  }

  inner(packet: Packet, k: number, tunnel: Tunnel): void {
    try {
      this.tap.inner(packet, k, tunnel);
    } catch (e) {
      this.faults.add(packet, readerOf(packet), e);
    }
  }

  plain(envelope: Envelope, k: number, p: Peek, d: AnyDissector | null, state: UdpState, direction: 0 | 1): boolean {
    try {
      return this.tap.plain(envelope, k, p, d, state, direction);
    } catch (e) {
      this.faults.count(d?.proto ?? 'udp', e);
      return true;
    }
  }
}

/** The protocol that a packet is told for. */
function readerOf({ dissector, pdus, control, protocol }: Packet): string {
  const d = dissector ?? pdus?.[0]?.dissector ?? control;
  return d?.proto ?? (protocol === TCP ? 'tcp' : protocol === UDP ? 'udp' : 'frame');
}
