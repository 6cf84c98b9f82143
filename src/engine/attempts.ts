import { u16 } from '../kit/index.js';
import type { Findings } from '../model/findings.js';
import { type Moment, millis } from '../model/moment.js';
import { Flag, type TcpLife } from '../model/tcp-life.js';
import type { Packet } from './packet.js';
import { placeOf } from './tunnel-entity.js';

const HTTPS = 443;
const MOST = 4096;
/** RFC 6298 §2: the first SYN is repeated after a second, and then again: by then an answer would have come. */
const PATIENCE_MS = 3000;

/** Connections to port 443 that were asked for and have not been answered. */
export class Attempts {
  private readonly open = new Map<TcpLife, string>();

  /** A segment without payload, of a connection that is no tunnel yet. */
  segment(packet: Packet, tcp: TcpLife, flags: number): void {
    if ((flags & Flag.Syn) === 0) return;
    if ((flags & Flag.Ack) !== 0) this.open.delete(tcp);
    else if (u16(packet.transport!, packet.header + 2) === HTTPS && this.open.size < MOST && !this.open.has(tcp)) {
      const { b, bPort, a, aPort } = packet.flow!;
      const to = placeOf(packet.direction === 0 ? { address: b, port: bPort } : { address: a, port: aPort });
      this.open.set(tcp, to.address.includes(':') ? `[${to.address}]:${to.port}` : `${to.address}:${to.port}`);
    }
  }

  judge(end: Moment, findings: Findings): void {
    for (const [tcp, to] of this.open) {
      if (tcp.syn === null) continue;
      if (tcp.rst !== null && tcp.rst.side !== tcp.synSide)
        findings.raise('tcp.refused', tcp.rst, [], { detail: `The connection was to ${to}.` });
      else if (tcp.synRepeats > 0 || millis(tcp.syn, end) >= PATIENCE_MS) {
        const tries = tcp.synRepeats + 1;
        findings.raise('tcp.no-answer', tcp.syn, [], { detail: `${tries} SYN went to ${to}.` });
      }
    }
  }
}
