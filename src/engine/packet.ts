import type { TcpNote } from '../../dissectors/tcp/note.js';
import type { CaptureInterface } from '../capture/chunk.js';
import type { AnyDissector, NetPair, Pdu, Peek, View } from '../kit/index.js';
import type { Flow } from '../stream/flow.js';
import type { Envelope } from '../tunnel/deframe.js';
import type { TlsPdu } from '../tunnel/tls-pdu.js';
import type { Tunnel } from '../tunnel/tunnel.js';
import type { Fault } from './faults.js';
import type { Conversation, Expectation, FlowState } from './scope.js';

/** Something that the index pass left for a dissector about the layer that starts at `off`. */
interface Note {
  readonly dissector: AnyDissector;
  readonly buf: Uint8Array;
  readonly off: number;
  readonly value: unknown;
}

/** A segment or datagram that an ICMP error quotes, or a datagram that carries packets. */
export interface Datagram {
  readonly buf: Uint8Array;
  /** Where its header and its payload start. */
  readonly header: number;
  readonly payload: number;
  readonly conversation: Conversation;
  /** Who would take the payload; null: the ports say it, if anything does. */
  readonly dissector: AnyDissector | null;
  /** What SDP announced about its receiver, else about its sender. */
  readonly announced?: unknown;
}

/**
 * One packet as the index pass left it: an outer frame, or the content of an envelope. `dissect` reads it, so that a
 * row can be shown again without running the pass.
 */
export class Packet {
  notes: Note[] | null = null;
  /** Innermost transport layer that is followed: 6, 17, or 0 for none; where its header starts, in `transport`. */
  protocol = 0;
  transport: Uint8Array | null = null;
  header = 0;
  /** What stands above the headers: captured octets `[payload, payloadEnd)`, and where they ended on the wire. */
  payload = 0;
  payloadEnd = 0;
  payloadWireEnd = 0;
  /** ICMP or ICMPv6 where the packet is a message of it; then `transport` holds it, from `payload` on. */
  control: AnyDissector | null = null;
  /** Addresses of the innermost network layer: 0 none, 4 or 6; offsets in `addresses`. */
  net: 0 | 4 | 6 = 0;
  addresses: Uint8Array | null = null;
  source = 0;
  destination = 0;
  flow: Flow | null = null;
  state: FlowState | null = null;
  /** UDP: what carries the number of the conversation. */
  conversation: Conversation | null = null;
  quote: Datagram | null = null;
  /** UDP datagrams that carry the layers which {@link protocol} speaks of (VXLAN, GTP-U), outermost first. */
  carriers: Datagram[] | null = null;
  /** Of the flow: 0 from the endpoint seen first. */
  direction: 0 | 1 = 0;
  /** UDP: what was announced for the datagram when it was indexed; the flow may know by now what comes later. */
  expectation: Expectation | undefined = undefined;
  /** UDP: who takes the datagram; null: nobody. */
  dissector: AnyDissector | null = null;
  /** UDP: who was announced for the datagram and refuses it. */
  refused: AnyDissector | null = null;
  /** TCP: the port that was connected to; 0: it is not known. */
  server = 0;
  /** TCP: the messages that this packet completes, in the order of the stream. */
  pdus: Pdu[] | null = null;
  /** TCP: what a message is of that begins with this packet and ends in a later one, where {@link pdus} is null. */
  begun: Pdu | null = null;
  /** TCP: behind the last of {@link pdus}, which came in several segments, another record begins that is not whole. */
  goesOn = false;
  /** What the analysis of the TCP connection says, where anyone wants it. */
  tcp: TcpNote | null = null;
  /** What is whole in this frame, before its plain text was read and after. */
  records: TlsPdu[] | null = null;
  envelopes: Envelope[] | null = null;
  /** The envelope that this packet is the content of, and its number in its direction. */
  carrier: Envelope | null = null;
  number = 0;
  /** The tunnel whose connection this packet belongs to, once it is known to be one. */
  tunnel: Tunnel | null = null;
  /** What failed before it was dissected. */
  fault: Fault | null = null;
  /** Codes of findings of this packet that no dissector raises. */
  findings: string[] | null = null;
  /** Octets of the tunnel's stream that are missing before what it brings: of each gap. */
  missing: number[] | null = null;
  /** Second and nanoseconds as the file has them, where they are no time. */
  oddTime: readonly [number, number] | undefined = undefined;
  /** Comments of the capture file. */
  comments: readonly string[] | undefined = undefined;
  /** Frame that it repeats, captured a second time; 0: none. */
  duplicateOf = 0;
  /** It repeats a segment of another file: captured at another place, its connection has a life of its own there. */
  isFurtherLeg = false;
  /** Number of the frame in the order of reading, from 0. */
  ordinal = 0;
  /** It stands for the end of the capture: its frame was read before, and has no part in what it brings. */
  isEnd = false;
  /** What the flows of the outer frame belong to: an interface, with those that go on from it. Its number. */
  scope = 0;
  /** Time of the frame before it. */
  previousSeconds = 0;
  previousNanos = 0;

  constructor(
    readonly frame: number,
    readonly seconds: number,
    readonly nanos: number,
    readonly view: View,
    /** Where the outer frame was captured. */
    readonly iface: CaptureInterface,
  ) {}

  /** Notes where the payload lies, and the addresses: of the innermost layers that the walk found. */
  place(p: Peek, addresses: Uint8Array): void {
    this.payload = p.off;
    this.payloadEnd = p.end;
    this.payloadWireEnd = p.wireEnd;
    this.net = p.net;
    this.addresses = addresses;
    this.source = p.src;
    this.destination = p.dst;
  }

  note(dissector: AnyDissector, buf: Uint8Array, off: number, value: unknown): void {
    const n = { dissector, buf, off, value };
    if (this.notes === null) this.notes = [n];
    else this.notes.push(n);
  }

  find(dissector: AnyDissector, buf: Uint8Array, off: number): unknown {
    if (this.notes !== null)
      for (const n of this.notes) if (n.dissector === dissector && n.off === off && n.buf === buf) return n.value;
    if (this.pdus !== null)
      for (const pdu of this.pdus)
        if (pdu.dissector === dissector && pdu.view.off === off && pdu.view.buf === buf) return pdu.note;
    return undefined;
  }

  carry(d: Datagram): void {
    if (this.carriers === null) this.carriers = [d];
    else this.carriers.push(d);
  }

  finding(code: string): void {
    if (this.findings === null) this.findings = [code];
    else if (!this.findings.includes(code)) this.findings.push(code);
  }
}

/** The ends of the flow of a packet, for what is said of it after it was indexed. */
export function endsOf(packet: Packet): { net: NetPair; sport: number; dport: number } {
  const { a, b, aPort, bPort } = packet.flow!;
  const [from, to] = packet.direction === 0 ? [a, b] : [b, a];
  const buf = new Uint8Array(2 * a.length);
  buf.set(from);
  buf.set(to, a.length);
  const net: NetPair = { version: a.length === 16 ? 6 : 4, buf, src: 0, dst: a.length };
  return packet.direction === 0 ? { net, sport: aPort, dport: bPort } : { net, sport: bPort, dport: aPort };
}
