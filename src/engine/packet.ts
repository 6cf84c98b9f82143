import type { TcpNote } from '../../dissectors/tcp/note.js';
import type { CaptureInterface } from '../capture/chunk.js';
import type { AnyDissector, Pdu, View } from '../kit/index.js';
import type { Flow } from '../stream/flow.js';
import type { Tunnel } from '../tunnel/tunnel.js';
import type { FlowState } from './scope.js';

/** Something that the index pass left for a dissector about the layer that starts at `off`. */
interface Note {
  readonly dissector: AnyDissector;
  readonly buf: Uint8Array;
  readonly off: number;
  readonly value: unknown;
}

/** What the payload of a transport header is, as the index pass found it. */
export interface Delivery {
  /** 6 or 17. */
  readonly protocol: number;
  readonly flow: Flow;
  readonly state: FlowState;
  readonly direction: 0 | 1;
  /** UDP: who takes the datagram; null: nobody. */
  readonly dissector: AnyDissector | null;
  /** TCP: the messages that this packet completes, in the order of the stream. */
  readonly pdus: Pdu[];
  /** What the analysis of the TCP connection says, where anyone wants it. */
  tcp: TcpNote | null;
}

/**
 * One packet as the index pass left it: an outer frame, or the content of an envelope. `dissect` reads it, so that a
 * row can be shown again without running the pass.
 */
export class Packet {
  readonly notes: Note[] = [];
  /** The innermost transport payload; null: there is none that is followed. */
  delivery: Delivery | null = null;
  /** The tunnel whose connection this packet belongs to, once it is known to be one. */
  tunnel: Tunnel | null = null;
  /** Codes of findings of this packet that no dissector raises. */
  findings: string[] | null = null;

  constructor(
    readonly frame: number,
    readonly seconds: number,
    readonly nanos: number,
    readonly view: View,
    /** Where the outer frame was captured. */
    readonly iface: CaptureInterface,
  ) {}

  note(dissector: AnyDissector, buf: Uint8Array, off: number, value: unknown): void {
    this.notes.push({ dissector, buf, off, value });
  }

  find(dissector: AnyDissector, buf: Uint8Array, off: number): unknown {
    for (const n of this.notes) if (n.dissector === dissector && n.off === off && n.buf === buf) return n.value;
    return undefined;
  }

  finding(code: string): void {
    if (this.findings === null) this.findings = [code];
    else if (!this.findings.includes(code)) this.findings.push(code);
  }
}
