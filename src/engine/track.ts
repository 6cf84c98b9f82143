import type { AnyDissector, Exchange, NetPair, TableKey, Track, View } from '../kit/index.js';
import { hex } from '../kit/index.js';
import { LIMITS } from '../limits.js';
import type { Packet } from './packet.js';
import type { Registry } from './registry.js';
import type { FlowState, Scope } from './scope.js';

interface Ports {
  readonly sport: number;
  readonly dport: number;
}

/** Runs `track` of dissectors: one instance serves all packets. */
export class TrackContext implements Track {
  frame = 0;
  seconds = 0;
  nanos = 0;
  net!: NetPair;
  sport = 0;
  dport = 0;
  direction: 0 | 1 = 0;
  stream = false;
  exchange: Exchange | undefined = undefined;
  private packet!: Packet;
  private scoped!: Scope;
  private owner: FlowState | null = null;
  private dissector!: AnyDissector;
  private view!: View;
  private depth = 0;

  constructor(private readonly registry: Registry) {}

  run(d: AnyDissector, v: View, packet: Packet, scope: Scope, flow: FlowState | null, net: NetPair, p: Ports): void {
    this.frame = packet.frame;
    this.seconds = packet.seconds;
    this.nanos = packet.nanos;
    this.packet = packet;
    this.scoped = scope;
    this.owner = flow;
    this.net = net;
    this.sport = p.sport;
    this.dport = p.dport;
    this.direction = packet.direction;
    this.stream = packet.protocol === 6;
    this.depth = 0;
    this.exchange = undefined;
    this.call(d, v);
  }

  private call(d: AnyDissector, v: View): void {
    const { dissector, view } = this;
    this.dissector = d;
    this.view = v;
    try {
      d.track!(v, this);
    } catch {
      // A message too malformed to be followed: its dissection will say what is wrong.
    }
    this.dissector = dissector;
    this.view = view;
  }

  flow<S>(d: AnyDissector, make: () => S): S {
    return stateOf(this.owner === null ? this.scoped.states : this.owner.states, d, make);
  }

  scope<S>(d: AnyDissector, make: () => S): S {
    return stateOf(this.scoped.states, d, make);
  }

  expect(address: Uint8Array, port: number, proto: string, note?: unknown, exchange = this.frame): void {
    const dissector = this.registry.byProto(proto);
    const s = this.scoped;
    if (dissector === undefined) return;
    const key = `${hex(address, 0, address.length, '')}:${port}`;
    const known = s.expectations.get(key);
    if (known !== undefined && known.dissector === dissector && known.exchange === exchange) {
      known.note = note; // flows that found it see the newer one
      return;
    }
    s.expectations.delete(key);
    if (s.expectations.size >= LIMITS.transactions) s.expectations.delete(s.expectations.keys().next().value!);
    s.expectations.set(key, { dissector, note, exchange, stream: -1 });
    s.generation++;
  }

  expected<T>(): T | undefined {
    return this.owner?.expectations[this.direction]?.note as T | undefined;
  }

  track(table: string, key: TableKey, v: View, exchange?: Exchange): void {
    const d = this.registry.lookup(table, key);
    if (d?.track === undefined || this.depth >= LIMITS.layers) return;
    const around = this.exchange;
    this.exchange = exchange ?? around;
    this.depth++;
    this.call(d, v);
    this.depth--;
    this.exchange = around;
  }

  note(value: unknown): void {
    this.packet.note(this.dissector, this.view.buf, this.view.off, value);
  }
}

function stateOf<S>(states: Map<AnyDissector, unknown>, d: AnyDissector, make: () => S): S {
  let s = states.get(d) as S | undefined;
  if (s === undefined) states.set(d, (s = make()));
  return s;
}
