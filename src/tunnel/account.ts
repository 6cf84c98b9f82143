import type { Ledger } from '../stream/ledger.js';
import type { TlsSession } from '../tls/index.js';

/** Octets that each of these costs, about; messages of a handshake are counted as they come. */
const COSTS = { connection: 900, session: 6000, tunnel: 1500, gap: 150 } as const;

/** What a connection holds beside its buffers, as the ledger is told. */
export class Account {
  private total = 0;
  private handshake = 0;
  private droppedMessages = 0;
  private droppedAlerts = 0;

  constructor(private readonly ledger: Ledger) {
    this.hold('connection');
  }

  hold(what: keyof typeof COSTS): void {
    this.count(COSTS[what]);
  }

  /** Messages of the session's handshake go on, or certificates or alerts came. */
  holdHandshake({ held, droppedMessages, droppedAlerts }: TlsSession): void {
    if (droppedMessages > this.droppedMessages) this.ledger.capped('handshakeOctets');
    if (droppedAlerts > this.droppedAlerts) this.ledger.capped('tlsAlerts');
    this.droppedMessages = droppedMessages;
    this.droppedAlerts = droppedAlerts;
    if (held === this.handshake || this.total === 0) return;
    this.count(held - this.handshake);
    this.handshake = held;
  }

  /** Nothing is held any more. */
  close(): void {
    this.count(-this.total);
  }

  private count(octets: number): void {
    this.total += octets;
    this.ledger.octets += octets;
  }
}
