import type { AnyDissector } from '../kit/index.js';
import { FragmentTable } from '../stream/ip-fragments.js';
import type { Tunnel } from '../tunnel/tunnel.js';

/** What has a number of its own (tcp.stream, udp.stream). */
export interface Conversation {
  /** From 0; -1 until its first packet is shown. */
  stream: number;
}

/**
 * What SDP announced about an address and port. Like Wireshark we count what comes from there as one conversation,
 * whoever it goes to.
 */
export interface Expectation extends Conversation {
  readonly dissector: AnyDissector;
  /** Frame that began the exchange. */
  readonly exchange: number;
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
export class FlowState implements Conversation {
  /** State that dissectors keep for the flow; made when first asked for. */
  private kept: Map<AnyDissector, unknown> | null = null;
  /** What SDP announced about the receiver of each direction, else about its sender. */
  readonly expectations: [Expectation | undefined, Expectation | undefined] = [undefined, undefined];
  /** Generation of the scope's expectations that {@link expectations} were looked up in. */
  generation = -1;
  stream = -1;
  /** UDP: who was last recognised by the octets of a datagram. */
  recognised: AnyDissector | null = null;
  /** UDP: whether a packet came before SDP announced an endpoint, so that the flow has its own number. */
  own = false;
  /** What the model of a report keeps for the flow. */
  model: unknown = null;

  get states(): Map<AnyDissector, unknown> {
    this.kept ??= new Map();
    return this.kept;
  }
}

/** What numbers a datagram: what SDP announced about its sender, else its receiver; else its flow. */
export function conversation(state: FlowState, direction: 0 | 1): Conversation {
  if (state.own) return state;
  const e = state.expectations[direction === 0 ? 1 : 0];
  if (e === undefined) state.own = true;
  return e ?? state;
}
