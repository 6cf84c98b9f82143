import { LIMITS } from '../limits.js';
import type { Arrival, Moment, Seen } from './moment.js';
import { isLoss, type PathMessage } from './path-messages.js';

/** A destination inside a tunnel to which packets do not get, as hosts and routers there say. */
export interface Destination {
  /** The first message, and what it says. */
  readonly at: Seen;
  readonly said: PathMessage;
  /** Whether the packets are the UE's. */
  readonly up: boolean;
  readonly address: string;
  readonly port: number;
  /** Who sent them. */
  readonly from: string;
  /** Messages, and when the last of them came. */
  count: number;
  last: Moment;
}

/** What ICMP says inside a tunnel of packets that did not arrive. RFC 792, RFC 4443 §3.1, §3.3 */
export class Unreached {
  readonly destinations = new Map<string, Destination>();
  /** Messages about destinations that do not fit. */
  dropped = 0;

  /** The message at hand quotes a packet from one address to a port of another. */
  take(a: Arrival, said: PathMessage, from: string, address: string, port: number): void {
    if (!isLoss(said)) return;
    const key = `${from} ${address} ${port}`;
    const known = this.destinations.get(key);
    if (known !== undefined) {
      known.count++;
      known.last = a.seen();
    } else if (this.destinations.size >= LIMITS.unreached) this.dropped++;
    else {
      const at = a.seen();
      this.destinations.set(key, { at, said, up: !a.up, address, port, from, count: 1, last: at });
    }
  }
}
