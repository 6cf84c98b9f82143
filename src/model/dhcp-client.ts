import { codec, messageType } from '../../dissectors/dhcp/index.js';
import { LIMITS, type ReachedLimits } from '../limits.js';
import { BOOTP, DhcpTransaction, RecentFacts } from './dhcp-transaction.js';
import type { Content } from './events.js';
import type { Arrival, Moment } from './moment.js';

/** RFC 2131 §2: of a client. */
const REQUEST = 1;
/** Exchanges of a client that stay unpacked. */
const UNPACKED = 4;

/** The DHCPv4 client of a tunnel, as its messages show it (RFC 2131, TS 24.322 §6.3). */
export class DhcpClient {
  readonly exchanges: DhcpTransaction[] = [];
  /** By their number as 32 bits with a sign, which takes no memory of its own. */
  private readonly byXid = new Map<number, DhcpTransaction>();
  private readonly recent = new RecentFacts();

  /** @param reached is told of what does not fit */
  constructor(private readonly reached: ReachedLimits) {}

  take(at: Arrival, c: Content): DhcpTransaction | undefined {
    const m = c.parsed(codec);
    if (m === undefined) return undefined;
    if (m.op === REQUEST && !at.up) return undefined; // a broadcast that the EFTF floods: of this UE, or of another one
    const type = messageType(m);
    let t = this.byXid.get(m.xid | 0);
    // A server that knows BOOTP alone may answer a client of DHCP. RFC 1534 §2
    if (type === BOOTP && (m.op === 1 || t === undefined)) return undefined;
    if (t === undefined) {
      if (this.exchanges.length >= LIMITS.exchanges) {
        this.reached.capped('exchanges');
        return undefined;
      }
      this.exchanges.push((t = new DhcpTransaction(m)));
      this.exchanges[this.exchanges.length - UNPACKED]?.pack(this.recent);
      this.byXid.set(m.xid | 0, t);
    }
    t.take(m, type, at.seen(), this.reached);
    return t;
  }

  finish(end: Moment): void {
    for (const e of this.exchanges) e.finish(end, this.recent);
  }
}
