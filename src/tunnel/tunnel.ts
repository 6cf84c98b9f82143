import type { Own } from '../kit/index.js';
import type { Hole, TlsSession } from '../tls/index.js';
import type { ProxyExchange } from './proxy-exchange.js';

/** One end of a connection. */
export interface Endpoint {
  /** Four or sixteen octets. */
  readonly address: Uint8Array;
  readonly port: number;
}

/** Octets of a tunnel's stream that the capture does not have. */
export interface Gap {
  readonly side: 0 | 1;
  readonly octets: number;
  /** The frame in which it was clear that they will not come: its number and file, and its place among all frames. */
  readonly frame: number;
  readonly file: number;
  readonly ordinal: number;
  /** The snaplen cut them off a frame that was captured. */
  readonly cut: boolean;
  /** The records that they were of. */
  readonly hole: Hole;
}

/** What a tunnel turned out to carry. */
export type Content = 'unknown' | 'fttims' | 'other';

/**
 * A TCP connection that is, or may be, an FTT-IMS tunnel: it has a CONNECT, a ClientHello, TLS records of a handshake
 * that was not captured, or envelopes in the clear.
 */
export class Tunnel {
  /** The side of the flow (0: endpoint seen first) that is the UE. */
  ue: 0 | 1 = 0;
  /** Whether {@link ue} rests on the port numbers alone. */
  inferred = false;
  content: Content = 'unknown';
  /** What it carries instead, in words, where it is not FTT-IMS. */
  other?: Own;
  /** What the server speaks in the place of envelopes, though the UE sends them: the UE reached something else than an EFTF. */
  answer?: Own;
  /** What came down in the place of TLS: an answer of HTTP with this status, or 0 for a page of HTML alone. */
  page?: number | undefined;
  /** HTTP proxy (access type II, TS 24.322 §5.2.2.3). */
  proxy?: ProxyExchange;
  transport: 'tls' | 'tcp' = 'tcp';
  session?: TlsSession;
  /** The side of the flow whose records the session has as direction 0. */
  client: 0 | 1 = 0;
  /** Envelopes up (from the UE) and down. */
  readonly envelopes = [
    { total: 0, ip4: 0, ip6: 0, unknown: 0, invalid: 0, octets: 0 },
    { total: 0, ip4: 0, ip6: 0, unknown: 0, invalid: 0, octets: 0 },
  ];
  /** Where octets are missing, in the order in which that was found: the first of them. */
  readonly gaps: Gap[] = [];
  readonly unknownTypes = new Map<number, number>();
  /** Octets of an envelope that was not whole when its stream ended, by side. */
  readonly unfinished: [number, number] = [0, 0];

  constructor(
    /** From 1, in the order of the frames in which they were seen. */
    readonly id: number,
    readonly ends: readonly [Endpoint, Endpoint],
  ) {}

  /** Direction of octets from side `side`. */
  direction(side: 0 | 1): 'up' | 'down' {
    return side === this.ue ? 'up' : 'down';
  }
}
