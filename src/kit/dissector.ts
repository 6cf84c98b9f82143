import type { LimitName } from '../limits.js';
import type { View } from './bytes.js';
import type { NetPair } from './checksum.js';
import type { Codec } from './codec.js';
import type { Field } from './fields.js';
import type { Expert, Tree } from './tree.js';

/** What a look at the first octets says. */
export const No = 0;
/** More octets would decide. */
export const Unsure = 1;
export const Yes = 2;
export type Probe = typeof No | typeof Unsure | typeof Yes;

/** A key of a dissector table. */
export type TableKey = number | string;

/**
 * One layer on the way down of the index pass. In: `[off, end)` is this layer. A `peek` sets them to its payload, and
 * `table` and `key` to who is next; `table` '' stops. One instance serves all packets; nothing is allocated and nothing
 * is thrown: a layer that is too short stops.
 */
export class Peek {
  buf: Uint8Array = new Uint8Array(0);
  off = 0;
  /** One past the last captured octet of this layer. */
  end = 0;
  /** Where this layer ended on the wire; larger than `end` when the snaplen cut it. */
  wireEnd = 0;
  table = '';
  key: TableKey = 0;
  /** Network layer seen last: 0 none, 4 or 6; `src` and `dst` are offsets of its addresses in `buf`. */
  net: 0 | 4 | 6 = 0;
  src = 0;
  dst = 0;
  /** Fragment of a datagram: `off`…`end` is its part, `key` the protocol of the whole. */
  fragment = false;
  fragmentId = 0;
  /** In octets. */
  fragmentOffset = 0;
  moreFragments = false;
  /** Transport layer. */
  sport = 0;
  dport = 0;
  seq = 0;
  ack = 0;
  flags = 0;
  window = 0;
  /** Offset of the header of the layer that stopped the walk (the transport header, for TCP and UDP). */
  header = 0;
  stop(): void {
    this.table = '';
  }
}

/**
 * What is known of a message of a stream that is not whole, so that octets which came before are not looked at again:
 * else a message in many small segments costs the square of its length. All is 0 when a message begins; offsets count
 * from its first octet.
 */
export class Framing {
  /** Octets that hold no end of what is looked for. */
  looked = 0;
  /** Which part of the message is looked through, as its dissector numbers them. */
  phase = 0;
  /** Where a line or another part began. */
  from = 0;
  /** A length that the message names. */
  length = 0;

  /** What is known of the stream from message to message, as its dissector numbers it. */
  stage = 0;

  /** @param port where the octets go to; 0: nobody says */
  constructor(readonly port = 0) {}

  /** The next message begins. */
  restart(): void {
    this.looked = this.phase = this.from = this.length = 0;
  }
}

/** A request and its answers. */
export interface Exchange {
  /** Frame of the request. */
  readonly frame: number;
  /** By which Wireshark knows the session: the Call-ID. */
  readonly id: string;
}

/** Ciphers for what a packet protects with keys that it gives itself (QUIC's Initial packets), with keys of 16 octets. */
export interface Ciphers {
  hmacSha256(key: Uint8Array, data: Uint8Array): Uint8Array;
  /** One block of 16 octets, encrypted by AES. */
  aesBlock(key: Uint8Array, block: Uint8Array): Uint8Array;
  /** What AES-GCM protects; `head` is authenticated too. Undefined where the tag does not fit. */
  aesGcmOpen(
    key: Uint8Array,
    nonce: Uint8Array,
    head: Uint8Array,
    text: Uint8Array,
    tag: Uint8Array,
  ): Uint8Array | undefined;
}

/** What `track` may see and leave. */
export interface Track {
  /** Frame number in its file. */
  readonly frame: number;
  /** Seconds since the epoch, and nanoseconds. */
  readonly seconds: number;
  readonly nanos: number;
  /** The addresses of the innermost network layer. */
  readonly net: NetPair;
  readonly sport: number;
  readonly dport: number;
  /** 0: from the endpoint seen first in the flow; 1: from the other. */
  readonly direction: 0 | 1;
  /** Whether the message was found in a stream (TCP), not in a datagram. */
  readonly stream?: boolean;
  /** Absent where nothing is to be opened. */
  readonly ciphers?: Ciphers;
  /** State of the dissector for the two endpoints that talk (a TCP connection, a UDP conversation). */
  flow<S>(d: AnyDissector, make: () => S): S;
  /** State of the dissector for the tunnel, or for the outer world of this capture. */
  scope<S>(d: AnyDissector, make: () => S): S;
  /**
   * UDP to or from this address and port is from now on `proto` (as SDP announces RTP). A later exchange, known by the
   * frame that began it, begins a conversation of its own.
   */
  expect(address: Uint8Array, port: number, proto: string, note?: unknown, exchange?: number): void;
  /** What `expect` was told about the endpoint that this packet came from or goes to, or about the one that is named. */
  expected<T>(address?: Uint8Array, port?: number): T | undefined;
  /**
   * From now on octets may be handed to the dissector of `table` at `key`: before, nobody looks for it in packets of which
   * nothing else is wanted. For a table that only SDP leads to. Absent where nothing follows.
   */
  announce?(table: string, key: TableKey): void;
  /**
   * A handshake agreed that `proto` comes in this flow as well: its datagrams are known by their octets alone. Absent where
   * nothing follows.
   */
  settle?(proto: string): void;
  /** What comes after this datagram between the same endpoints counts as another conversation. Absent where nothing follows. */
  divide?(): void;
  /** Hands a body on to another dissector's `track` (SDP inside SIP), and the exchange that it is part of. */
  track(table: string, key: TableKey, v: View, exchange?: Exchange): void;
  /** What the protocol around this body said about its exchange. */
  readonly exchange?: Exchange | undefined;
  /** A cap was reached: something that was kept for later messages is given up, or not kept. The row of the frame says so. */
  capped(name: LimitName): void;
  /** Leaves a value for `dissect` of the same layer. */
  note(value: unknown): void;
}

/** What `dissect` may see and do. */
export interface Ctx {
  readonly frame: number;
  readonly seconds: number;
  readonly nanos: number;
  /** Whether the messages of this packet were found in a stream (TCP), not in a datagram. */
  readonly stream?: boolean;
  /** Whether the message at hand was opened from TLS. */
  readonly inTls?: boolean;
  /** The innermost network layer so far; `ip` and `ipv6` set it. */
  net: NetPair;
  /** The innermost transport ports so far; `tcp` and `udp` set them. */
  sport: number;
  dport: number;
  /** True inside the packet that an ICMP error quotes: headers may be cut, and streams are not followed. */
  quoted: boolean;
  /**
   * Whether checksums of this protocol are to be verified: those inside a tunnel always, others where a user asks for
   * it. Network cards fill them in behind the capture point, and cards that take segments together make them up.
   */
  verifies(proto: string): boolean;
  /** Gives the payload to the dissector of `table` at `key`; what no dissector takes is shown as data. */
  next(table: string, key: TableKey, payload: View): void;
  /** Whether `next` would find a dissector there. */
  takes(table: string, key: TableKey): boolean;
  /** The key that `next` was last given for the table `media_type`. */
  readonly mediaType: string;
  /** Parameters of the media type that is handed on next: what follows the first `;` of Content-Type, '' if nothing. */
  mediaParameters: string;
  /** Parameters that SDP gives the RTP payload that is handed on next (`a=fmtp`); undefined if it says nothing. */
  payloadParameters?: string | undefined;
  /** What SDP calls the payload types of the stream whose payload is handed on next: RTP payloads may hold others. */
  payloadTypes?: PayloadTypes | undefined;
  /** Whether anything that `d` may lead to is wanted: if not, there is no need to find out where it leads. */
  wantsBelow(d: AnyDissector): boolean;
  /** Gives octets to a dissector by name. Returns false if there is none. */
  call(proto: string, payload: View): boolean;
  /** Gives a transport payload to what the index pass chose for this flow and packet. */
  payload(v: View): void;
  /** Shows octets as data. `instead`: of the layer at hand, which the protocol stack then leaves out. */
  data(v: View, instead?: boolean): void;
  /** Unpacks octets by their content coding (`gzip`); undefined where that cannot be done. */
  unpack?(coding: string, octets: Uint8Array): Uint8Array | undefined;
  /** What SDP announced about the quoted datagram whose payload is `v`: nothing is noted for those. */
  announced?<T>(v: View): T | undefined;
  /** What the index pass left for this dissector about the layer that starts at `v`. */
  note<T>(d: AnyDissector, v: View): T | undefined;
}

/** By payload type of RTP: its encoding name and what `a=fmtp` says of it. RFC 8866 §6.6, §6.15 */
export type PayloadTypes = ReadonlyMap<number, { readonly name: string; readonly parameters?: string | undefined }>;

/**
 * A protocol: plain data and functions, one file each, listed once in `dissectors/index.ts`.
 * `R` is the representation that its codec builds and parses.
 */
export interface Dissector<R = unknown> {
  /** Filter name and name in the protocol stack: `ip`, `fttims`. */
  readonly proto: string;
  /**
   * Name in the protocol stack where it is another: both versions of Linux cooked captures are `sll`. '': Wireshark does
   * not list it.
   */
  readonly layer?: string;
  /** Name in full: "Internet Protocol Version 4". */
  readonly title: string;
  /** Name in the protocol column: "IPv4". */
  readonly short: string;
  /** Where the format is laid down: `RFC 791`. */
  readonly spec: string;
  readonly fields: Readonly<Record<string, Field>>;
  readonly experts?: Readonly<Record<string, Expert>>;
  /** Tables that it is found by: `{ 'udp.port': [5060] }`. */
  readonly on?: Readonly<Record<string, readonly TableKey[]>>;
  /** Tables whose entries this dissector asks for: a dissector without one, whose fields nobody wants, is passed over. */
  readonly tables?: readonly string[];
  /** Protocols that it hands octets to by name ({@link Ctx.call}), for the same reason. */
  readonly calls?: readonly string[];
  /**
   * Whether octets look like this protocol, for streams and ports that nothing else names. `known`: an earlier datagram
   * between the same endpoints was recognised as this protocol. `wireEnd`: where a datagram ended on the wire; without it
   * at `end`.
   */
  probe?(b: Uint8Array, off: number, end: number, known?: boolean, wireEnd?: number): Probe;
  /**
   * Whether octets that were announced as this protocol cannot be it: then their ports and they themselves say what they
   * are. Asked of every datagram of media.
   */
  refuses?(b: Uint8Array, off: number, end: number): boolean;
  /**
   * Octets of the message that starts at `off` of a stream, which may be more than there are; 0: more octets are needed to
   * say; -1: not this protocol; `Infinity`: it ends with the stream. What was learned on the way to 0 stands in `known`,
   * which is given again when there are more octets.
   */
  pduLength?(b: Uint8Array, off: number, end: number, known?: Framing): number;
  /** Whether Wireshark lists the protocol for the segment, too, in which a message begins that is not whole. */
  readonly listsStart?: boolean;
  /**
   * Whether the header of the layer `[off, end)` is whole and plain: `dissect` shows every field that has an `at` as the
   * octets there say, and `peek` leads to all that is in it.
   */
  plain?(b: Uint8Array, off: number, end: number, wireEnd: number): boolean;
  /** The way down for the index pass. */
  peek?(p: Peek): void;
  /**
   * What `track` is for: fields that are made from its notes, and protocols that it announces. Where nobody wants any of
   * them it is not run. Without this `track` is always run. For fields `notPlain` it has no need of what is {@link plain}.
   */
  readonly serves?: {
    readonly fields: readonly Field[];
    readonly notPlain?: readonly Field[];
    readonly protocols?: readonly string[];
  };
  /** Sees each message once, in the order of the capture, before `dissect`: for what one packet says about later ones. */
  track?(v: View, cx: Track): void;
  /** The full tree. May throw Short or Malformed: the engine shows the rest as data and says what was wrong. */
  dissect(v: View, t: Tree, cx: Ctx): void;
  /** Name in the protocol column where it depends on the packet: "TLSv1.3". Without it: {@link short}. */
  column?(v: View, cx: Ctx): string;
  /** The Info column. Reads the same octets again; only asked for rows that are shown. */
  summary?(v: View, cx: Ctx): string;
  readonly codec?: Codec<R>;
}

/** A dissector whose representation does not matter: as in a list, or to whoever only has it show a packet. */
// biome-ignore lint/suspicious/noExplicitAny: a list of dissectors holds many representations
export type AnyDissector = Dissector<any>;

/** Every key of a dissector: the engine reads them packet by packet, which is fastest where all have the same shape. */
const SHAPE: { readonly [K in keyof Required<Dissector>]: undefined } = {
  proto: undefined,
  layer: undefined,
  title: undefined,
  short: undefined,
  spec: undefined,
  fields: undefined,
  experts: undefined,
  on: undefined,
  tables: undefined,
  calls: undefined,
  probe: undefined,
  refuses: undefined,
  pduLength: undefined,
  listsStart: undefined,
  plain: undefined,
  peek: undefined,
  serves: undefined,
  track: undefined,
  dissect: undefined,
  column: undefined,
  summary: undefined,
  codec: undefined,
};

/** Checks nothing at run time: it fixes the type of a dissector where it is written, and its shape. */
export const defineDissector = <R = unknown>(d: Dissector<R>): Dissector<R> => ({ ...(SHAPE as object), ...d });

/** A part of a message and the frame that carried it. */
export interface Segment {
  readonly frame: number;
  /** Offset of the part in the message. */
  readonly off: number;
  readonly len: number;
}

/** A message of a stream, found whole by the index pass in the frame that completes it. */
export interface Pdu {
  readonly dissector: AnyDissector;
  readonly view: View;
  /** The frames that carried it, where it took more than one. */
  readonly segments?: readonly Segment[] | undefined;
  /** What the dissector finds by `cx.note`. */
  readonly note?: unknown;
  /** A layer around the message without octets of its own (the tunnel of an HTTP CONNECT), and what it finds by `cx.note`. */
  readonly around?: { readonly dissector: AnyDissector; readonly note: unknown } | undefined;
  /**
   * Nothing of it is in the frame that completes it: the plain text of records before it, which the end of the stream ends.
   * The protocol stack leaves it out, as tshark does.
   */
  readonly unlisted?: boolean;
  /** An octet that is sent again to see whether the other side is there: it is part of no message. */
  readonly probes?: boolean;
  /** It was taken before, and its octets are sent again: it is shown once more, and counts for nothing. */
  readonly repeats?: boolean;
  /** Messages of another stream whose last octets this one carries: those in the plain text of a TLS record. */
  readonly messages?: readonly Pdu[] | null;
}
