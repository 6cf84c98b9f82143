import type { AnyDissector } from '../kit/index.js';
import { FragmentTable } from '../stream/ip-fragments.js';
import type { Tunnel } from '../tunnel/tunnel.js';

/** What SDP announced about an address and port. */
export interface Expectation {
  readonly dissector: AnyDissector;
  /** What the latest announcement said. */
  note: unknown;
}

/** A world of addresses: an interface of a capture file, or the inside of a tunnel. */
export class Scope {
  readonly fragments = new FragmentTable();
  /** By address in hex and port. */
  readonly expectations = new Map<string, Expectation>();
  /** Grows with each expectation, so that flows know when to look again. */
  generation = 0;
  /** State that dissectors keep for the whole scope. */
  readonly states = new Map<AnyDissector, unknown>();

  constructor(
    readonly id: number,
    /** The tunnel whose inside this is; null: the outer world. */
    readonly tunnel: Tunnel | null,
  ) {}
}

/** What the engine hangs on a flow. */
export class FlowState {
  /** State that dissectors keep for the flow; made when first asked for. */
  private kept: Map<AnyDissector, unknown> | null = null;
  /** What SDP announced about the receiver of each direction, else about its sender. */
  readonly expectations: [Expectation | undefined, Expectation | undefined] = [undefined, undefined];
  /** Generation of the scope's expectations that {@link expectations} were looked up in. */
  generation = -1;
  /** Number of the conversation (tcp.stream, udp.stream), -1 until its first packet is shown. */
  stream = -1;

  get states(): Map<AnyDissector, unknown> {
    this.kept ??= new Map();
    return this.kept;
  }
}
