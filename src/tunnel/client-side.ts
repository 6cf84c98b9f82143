import { ContentType, HandshakeType } from '../../dissectors/tls/numbers.js';
import type { Flow } from '../stream/flow.js';
import { clientOf } from './ends.js';

/** An end of a flow, or the direction from there: 0 is the end that was seen first. */
export type Side = 0 | 1;

/** The opposite direction. */
export const other = (side: Side): Side => (side === 0 ? 1 : 0);

/** Which side of a flow speaks as the client, of TLS or of an HTTP proxy, and how sure that is. */
export class ClientSide {
  side: Side = 0;
  private isKnown = false;
  /** It rests on the port numbers alone. */
  isGuessed = false;

  /** A message that only a client sends, or a SYN that is no answer, came from `side`. */
  is(side: Side): void {
    this.side = side;
    this.isKnown = true;
  }

  /** The same where nothing has said it yet. */
  mayBe(side: Side): void {
    if (!this.isKnown) this.is(side);
  }

  /** Says it by the record from `side` in `b` from `off` to `end`, where that is a hello, else by the ports of the flow. */
  settle(flow: Flow, side: Side, b: Uint8Array, off: number, end: number): void {
    if (this.isKnown) return;
    const type = end - off > 5 && b[off] === ContentType.Handshake ? b[off + 5] : 0;
    if (type === HandshakeType.ClientHello) this.is(side);
    else if (type === HandshakeType.ServerHello) this.is(other(side));
    else {
      this.side = clientOf(flow);
      this.isGuessed = true;
    }
  }
}
