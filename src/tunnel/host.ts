import type { AnyDissector, Pdu } from '../kit/index.js';
import type { Flow } from '../stream/flow.js';
import type { Connection } from './connection.js';
import type { Envelope } from './deframe.js';
import type { TlsPdu } from './tls-pdu.js';
import type { Tunnel } from './tunnel.js';

type Side = 0 | 1;

/** What a connection asks of the engine that follows it. */
export interface ConnectionHost {
  /** The frame at hand. */
  readonly frame: number;
  readonly dissectors: { readonly tls: AnyDissector; readonly http: AnyDissector; readonly fttims: AnyDissector };
  /** Who the ports (or decode-as) name for this flow. */
  streamDissector(flow: Flow): AnyDissector | undefined;
  /** Dissectors that may recognise a stream by its octets. */
  readonly probes: readonly AnyDissector[];
  /** The connection is, or may be, a tunnel: gives it its number. */
  tunnel(connection: Connection): Tunnel;
  /** A message is whole in the frame at hand. */
  pdu(pdu: Pdu, side: Side): void;
  /** A TLS record is whole in the frame at hand; its plain text is there once the decryptor was flushed. */
  record(pdu: TlsPdu): void;
  /** An envelope in the clear is whole in the frame at hand. */
  clear(envelope: Envelope): void;
  /** A finding about the frame at hand. */
  finding(code: string): void;
}

/** Takes the envelopes that a frame completes. */
export interface EnvelopeSink {
  envelopes: Envelope[] | null;
  finding(code: string): void;
}
