import type { AnyDissector, Pdu } from '../kit/index.js';
import type { Flow } from '../stream/flow.js';
import type { Ledger } from '../stream/ledger.js';
import type { Connection } from './connection.js';
import type { Envelope } from './deframe.js';
import type { TlsPdu } from './tls-pdu.js';
import type { Tunnel } from './tunnel.js';

/** What a connection asks of the engine that follows it. */
export interface ConnectionHost {
  /** The frame at hand: its number and file, and its place among the frames of all files. */
  readonly frame: number;
  readonly file: number;
  readonly ordinal: number;
  /** Counts what is kept. */
  readonly ledger: Ledger;
  readonly dissectors: {
    readonly tls: AnyDissector;
    readonly http: AnyDissector;
    readonly fttims: AnyDissector;
    readonly data: AnyDissector;
  };
  /** Who the ports (or decode-as) name for this flow. */
  streamDissector(flow: Flow): AnyDissector | undefined;
  /** Dissectors that may recognise a stream by its octets. */
  readonly probes: readonly AnyDissector[];
  /** Dissectors that may recognise the plain text of TLS by its octets. */
  readonly applications: readonly AnyDissector[];
  /** Who ALPN or the ports name for the plain text of TLS. */
  applicationDissector(flow: Flow, alpn: string | undefined): AnyDissector | undefined;
  /** The dissector of that name. */
  application(proto: string): AnyDissector | undefined;
  /** The connection is, or may be, a tunnel: gives it its number. */
  tunnel(connection: Connection): Tunnel;
  /** A message is whole in the frame at hand. */
  pdu(pdu: Pdu): void;
  /** A TLS record is whole in the frame at hand; its plain text is there once the decryptor was flushed. */
  record(pdu: TlsPdu): void;
  /** A message is whole in the plain text of a record; null: the end of the stream ended it. */
  message(message: Pdu, record: TlsPdu | null): void;
  /** An envelope is whole in the frame at hand. */
  clear(envelope: Envelope): void;
  /** A finding about the frame at hand. */
  finding(code: string): void;
  /** So many octets of the tunnel's stream are missing before the frame at hand. */
  missing(octets: number): void;
}
