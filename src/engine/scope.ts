import { type AnyDissector, latin1, type Peek } from '../kit/index.js';
import type { Flow } from '../stream/flow.js';
import type { Ledger } from '../stream/ledger.js';
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

/** What a scope costs, and an announced address and port in it. */
const SCOPE_COST = 600;
export const EXPECTATION_COST = 350;
/** What a state of a dissector costs, and each of the entries that its `size` counts. */
const STATE_COST = 300;
const ENTRY_COST = 300;

interface Kept {
  readonly state: unknown;
  /** Entries that were counted. */
  size: number;
}

/** State that dissectors keep for a flow or a scope. What grows with the capture says by `size` how much it holds. */
class KeptStates {
  /** What all cost, in octets. */
  cost = 0;
  private readonly states = new Map<AnyDissector, Kept>();

  /** The state of `d`, made when it is first asked for; what it costs goes to `ledger`. */
  of<S>(d: AnyDissector, make: () => S, ledger: Ledger): S {
    let kept = this.states.get(d);
    if (kept === undefined) {
      kept = { state: make(), size: 0 };
      this.states.set(d, kept);
      this.cost += STATE_COST;
      ledger.octets += STATE_COST;
    }
    const size = (kept.state as { readonly size?: number }).size ?? 0;
    if (size !== kept.size) {
      const more = (size - kept.size) * ENTRY_COST;
      kept.size = size;
      this.cost += more;
      ledger.octets += more;
    }
    return kept.state as S;
  }

  clear(): void {
    this.states.clear();
    this.cost = 0;
  }
}

/** Who lets go of flows that nobody follows any longer. */
export interface FlowOwner {
  /** A UDP conversation is over, as far as anybody wants to know of it. */
  over(flow: Flow): void;
}

/** A world of addresses: an interface of a capture file, or the inside of a tunnel. */
export class Scope {
  /** By the octets of the address, and the port. */
  readonly expectations = new Map<string, Expectation>();
  /** Grows with each expectation, so that flows know when to look again. */
  generation = 0;
  /** State that dissectors keep for the whole scope. */
  readonly kept = new KeptStates();
  /** The flow of the last plain datagram: inside a tunnel the next one is most often of the same. */
  recent: Flow | null = null;

  constructor(
    readonly id: number,
    /** The tunnel whose inside this is; null: the outer world. */
    readonly tunnel: Tunnel | null,
    /** Who follows its flows. */
    readonly owner: FlowOwner | null = null,
  ) {}

  /** What it costs, in octets. */
  get cost(): number {
    return SCOPE_COST + this.kept.cost + this.expectations.size * EXPECTATION_COST;
  }

  /** Lets go of what was announced for a conversation, RTCP beside RTP too; returns how many entries that were. */
  forgetEnds(state: UdpState, flow: Flow): number {
    let gone = 0;
    for (const e of state.expectations) {
      if (e === undefined) continue;
      for (const [address, port] of [
        [flow.a, flow.aPort],
        [flow.b, flow.bPort],
      ] as const) {
        if (this.expectations.get(endpointKey(address, port)) !== e) continue; // announced anew since
        this.expectations.delete(endpointKey(address, port));
        gone++;
        const control = endpointKey(address, port + 1);
        if (this.expectations.get(control)?.exchange !== e.exchange) continue;
        this.expectations.delete(control);
        gone++;
      }
    }
    return gone;
  }

  /** Lets go of what it learnt. */
  forget(): void {
    this.kept.clear();
    this.expectations.clear();
    this.generation++;
  }
}

/** What the engine hangs on a flow. */
export class FlowState {
  /** State that dissectors keep for the flow; made when first asked for. */
  private states: KeptStates | null = null;
  /** Number that people know it by: from 0; -1 until its first packet is shown. */
  stream = -1;
  /** What the model of a report keeps for the flow. */
  model: unknown = null;

  get kept(): KeptStates {
    this.states ??= new KeptStates();
    return this.states;
  }

  /** What {@link kept} costs, in octets. */
  get cost(): number {
    return this.states === null ? 0 : this.states.cost;
  }
}

/** What the engine hangs on a UDP conversation. */
export class UdpState extends FlowState implements Conversation {
  /** What SDP announced about the receiver of each direction, else about its sender. */
  readonly expectations: [Expectation | undefined, Expectation | undefined] = [undefined, undefined];
  /** Generation of the scope's expectations that {@link expectations} were looked up in. */
  generation = -1;
  /** Who was last recognised by the octets of a datagram. */
  recognised: AnyDissector | null = null;
  /** Who comes in it as well, as a handshake agreed. */
  settled: AnyDissector | null = null;
  /**
   * RTP was recognised where its port names another: speech is that, too, in some packets (in one of fourteen to the port of
   * AFS). Wireshark has it so; to who counts packets each of them would be lost.
   */
  isMedia = false;
  /** Who its ports name: one or nobody; null before its first datagram that nobody announced. */
  named: readonly AnyDissector[] | null = null;
  /** What numbers the datagrams after one that divides them from those before. */
  later: Conversation | null = null;
  /** Whether a packet came before SDP announced an endpoint, so that the flow has its own number. */
  own = false;

  private keys: readonly [string, string] | null = null;
  /** The world of the flow. */
  scope: Scope | null = null;

  /** Looks up what is announced about the endpoints of the flow. */
  expect(scope: Scope, flow: Flow): void {
    const { expectations, generation } = scope;
    this.scope = scope;
    this.generation = generation;
    this.expectations[0] = this.expectations[1] = undefined;
    if (expectations.size === 0) return;
    this.keys ??= [endpointKey(flow.a, flow.aPort), endpointKey(flow.b, flow.bPort)];
    const a = expectations.get(this.keys[0]);
    const b = expectations.get(this.keys[1]);
    this.expectations[0] = b ?? a;
    this.expectations[1] = a ?? b;
  }
}

/** Who reads `p` as SDP announced it; undefined: nobody was announced, or who was refuses it. */
export function announcedReader(state: UdpState, direction: 0 | 1, p: Peek): AnyDissector | undefined {
  const d = state.expectations[direction]?.dissector;
  return d?.refuses?.(p.buf, p.off, p.end) === true ? undefined : d;
}

/** Who was announced for `p`, or agreed on, and refuses it; null: nobody. */
export function refusing(state: UdpState, direction: 0 | 1, p: Peek): AnyDissector | null {
  const d = state.expectations[direction]?.dissector ?? state.settled;
  return d?.refuses?.(p.buf, p.off, p.end) === true ? d : null;
}

/** By which {@link Scope.expectations} are found. */
export const endpointKey = (address: Uint8Array, port: number): string =>
  `${latin1(address, 0, address.length)}:${port}`;

/** What numbers a datagram: what SDP announced about its sender, else its receiver; else its flow. */
export function conversation(state: UdpState, direction: 0 | 1): Conversation {
  if (state.later !== null) return state.later;
  if (state.own) return state;
  const e = state.expectations[direction === 0 ? 1 : 0];
  if (e === undefined) state.own = true;
  return e ?? state;
}
