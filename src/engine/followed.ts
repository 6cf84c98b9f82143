import type { CaptureInterface } from '../capture/chunk.js';
import { LIMITS } from '../limits.js';
import { type Flow, FlowTable } from '../stream/flow.js';
import { FragmentTable } from '../stream/ip-fragments.js';
import { Ledger } from '../stream/ledger.js';
import { PendingPool } from '../stream/tcp.js';
import type { Tunnel } from '../tunnel/tunnel.js';
import { EXPECTATION_COST, type FlowOwner, type FlowState, Scope, UdpState } from './scope.js';
import { TcpState } from './tcp-state.js';

/** Caps of {@link LIMITS}. */
export type Caps = Readonly<Record<'flows' | 'heldOctets' | 'tunnels', number>>;

/** What {@link Followed} asks of the pass. */
export interface FollowedOwner {
  /** A cap is reached in the packet at hand. */
  capped(): void;
  /** Reads what waits in a connection of the outer world, as part of the packet at hand. */
  flushOther(state: TcpState): void;
}

/**
 * All that an index pass follows from chunk to chunk: scopes, flows, fragments, and what waits in streams.
 *
 * Invariant: between two frames no more than {@link Caps} say is kept. A connection that both sides closed is let go of
 * once it was read; then those flows make room that were idle longest. What they still had is read before.
 */
export class Followed implements FlowOwner {
  /** What is kept, and the caps that were reached. */
  readonly ledger: Ledger;
  readonly flows: FlowTable;
  readonly fragments: FragmentTable;
  readonly pool: PendingPool;
  private readonly scopes = new Map<number, Scope>();
  /** Connections that are over. Records of them may be queued until the end of the chunk, and be read then. */
  private readonly leaving: TcpState[] = [];
  private nextScope = 1;

  constructor(
    private readonly owner: FollowedOwner,
    readonly caps: Caps = LIMITS,
  ) {
    this.ledger = new Ledger(caps.heldOctets, () => owner.capped());
    this.flows = new FlowTable(this.ledger);
    this.fragments = new FragmentTable(this.ledger);
    this.pool = new PendingPool(this.ledger);
  }

  /** See {@link IndexPass.outer}. */
  outer(iface: CaptureInterface, continued?: CaptureInterface): Scope {
    const key = iface.file * 65_536 + iface.index;
    let s = this.scopes.get(key);
    if (s !== undefined) return s;
    s = continued === undefined ? new Scope(this.nextScope++, null, this) : this.outer(continued);
    this.scopes.set(key, s);
    return s;
  }

  /** The inside of a tunnel. */
  inner(tunnel: Tunnel): Scope {
    const { last } = this;
    return last !== null && last.tunnel === tunnel ? last : (this.last = this.inside(tunnel));
  }
  /** The inside asked for last: most often it is asked for again. */
  private last: Scope | null = null;

  private inside(tunnel: Tunnel): Scope {
    const key = -tunnel.id;
    let s = this.scopes.get(key);
    if (s === undefined) {
      this.scopes.set(key, (s = new Scope(this.nextScope++, tunnel, this)));
      this.ledger.octets += s.cost;
    }
    return s;
  }

  /** A connection is over: it is let go of when all that was found in it is read. */
  finished(state: TcpState): void {
    this.leaving.push(state);
  }

  /** A connection gives way to another one between the same endpoints. */
  replaced(state: TcpState): void {
    state.tcp!.flush();
    this.flows.forget(state.flow);
    this.retire(state);
  }

  over(flow: Flow): void {
    const { state } = flow;
    if (!(state instanceof UdpState) || state.scope === null) return;
    this.ledger.octets -= state.cost + state.scope.forgetEnds(state, flow) * EXPECTATION_COST;
    this.flows.forget(flow);
  }

  /** Keeps the invariant; to be called before a frame is indexed. */
  tidy(): void {
    const { flows, ledger, caps } = this;
    while (flows.size >= caps.flows) this.evict('flows');
    if (ledger.octets <= ledger.cap) return;
    while (ledger.octets > ledger.cap && flows.size > 0) this.evict('heldOctets');
    if (ledger.octets > ledger.cap) this.forgetStates();
  }

  /** All that was found in the frames so far is read: lets go of the connections that are over. */
  read(): void {
    const { leaving } = this;
    for (const state of leaving) this.leave(state); // those inside a tunnel join them
    leaving.length = 0;
  }

  /** Gives up the flow that was idle longest. One whose connection was over is no loss. */
  private evict(limit: 'flows' | 'heldOctets'): void {
    const flow = this.flows.evict()!;
    const state = flow.state as FlowState | null;
    if (!(state instanceof TcpState)) {
      this.ledger.octets -= state === null ? 0 : state.cost;
      this.ledger.capped(limit);
      return;
    }
    if (!state.over) this.ledger.capped(limit);
    // Connections inside tunnels complete no row.
    if (state.scope.tunnel === null) this.owner.flushOther(state);
    this.retire(state);
  }

  /** Nobody follows a connection any longer. What was found in it may not be read yet. */
  private retire(state: TcpState): void {
    state.tcp?.abandon();
    state.connection?.release();
    this.ledger.octets -= state.cost;
    if (state.connection !== null) this.finished(state);
  }

  /** A connection is over and read: only the summary of its tunnel stays. */
  private leave(state: TcpState): void {
    const { connection, tunnel } = state;
    if (connection === null) return;
    state.connection = null;
    connection.release();
    connection.session?.release();
    if (tunnel !== null) this.leaveScope(-tunnel.id);
  }

  private leaveScope(key: number): void {
    const scope = this.scopes.get(key);
    if (scope === undefined) return;
    this.scopes.delete(key);
    if (scope === this.last) this.last = null;
    for (const flow of this.flows.forgetScope(scope.id)) {
      const state = flow.state as FlowState | null;
      if (state instanceof TcpState) this.retire(state);
      else if (state !== null) this.ledger.octets -= state.cost;
    }
    this.ledger.octets -= scope.cost;
  }

  /** Lets go of what dissectors keep for whole scopes. */
  private forgetStates(): void {
    this.ledger.capped('heldOctets');
    for (const scope of this.scopes.values()) {
      this.ledger.octets -= scope.cost;
      scope.forget();
      this.ledger.octets += scope.cost;
    }
  }
}
