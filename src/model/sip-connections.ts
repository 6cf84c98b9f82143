import { LIMITS, type ReachedLimits } from '../limits.js';
import type { Content } from './events.js';
import type { Arrival, Seen } from './moment.js';
import { Flag } from './tcp-life.js';

/** RFC 3261 §19.1.2 */
export const isSipPort = (port: number): boolean => port === 5060 || port === 5061;

/** A place to which a UE asked for TCP connections that SIP is to use, and what came of that. */
export interface SipServer {
  readonly address: string;
  readonly port: number;
  readonly first: Seen;
  /** SYN that went there, and when the last of them did. */
  tries: number;
  last: Seen;
  /** Port of the UE that asked last. */
  from: number;
  /** First that was accepted, and that was refused with a reset. */
  accepted: Seen | null;
  refused: Seen | null;
}

/** The TCP connections inside a tunnel that a UE opens for SIP, until they are there. RFC 3261 §18.1.1 */
export class SipConnections {
  readonly servers = new Map<string, SipServer>();

  /** @param reached is told of places that do not fit */
  constructor(private readonly reached: ReachedLimits) {}

  /** A segment with SYN or RST to a port of SIP, or from one, with its flags. */
  take(at: Arrival, c: Content, flags: number): void {
    if (at.up) this.asked(at, c, flags);
    else this.told(at, c, flags);
  }

  private asked(at: Arrival, c: Content, flags: number): void {
    if ((flags & (Flag.Syn | Flag.Ack)) !== Flag.Syn) return;
    const address = c.to;
    const key = `${address} ${c.dport}`;
    const seen = at.seen();
    const known = this.servers.get(key);
    if (known !== undefined) {
      known.tries++;
      known.last = seen;
      known.from = c.sport;
    } else if (this.servers.size >= LIMITS.unreached) this.reached.capped('unreached');
    else
      this.servers.set(key, {
        ...{ address, port: c.dport, first: seen, tries: 1, last: seen, from: c.sport },
        ...{ accepted: null, refused: null },
      });
  }

  private told(at: Arrival, c: Content, flags: number): void {
    const server = this.servers.get(`${c.from} ${c.sport}`);
    if (server === undefined || server.from !== c.dport) return;
    if ((flags & Flag.Syn) !== 0) server.accepted ??= at.seen();
    else if (server.accepted === null) server.refused ??= at.seen();
  }
}
