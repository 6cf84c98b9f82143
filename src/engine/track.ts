import { TCP } from '../../dissectors/numbers.js';
import { ciphers } from '../crypto/ciphers.js';
import {
  type AnyDissector,
  type Exchange,
  isDamage,
  type NetPair,
  type TableKey,
  type Track,
  type View,
} from '../kit/index.js';
import { LIMITS, type LimitName } from '../limits.js';
import type { Ledger } from '../stream/ledger.js';
import type { Faults } from './faults.js';
import type { Packet } from './packet.js';
import type { Registry } from './registry.js';
import { EXPECTATION_COST, endpointKey, type FlowState, type Scope, UdpState } from './scope.js';

/** What of the packets is worth the work: whoever shows them says so. */
export interface Interest {
  /** Whether `track` of a dissector has to run. */
  tracks(d: AnyDissector): boolean;
  /** Whether anything is wanted of what a dissector reads, or leads to; absent: it matters whose each datagram is. */
  wants?(d: AnyDissector): boolean;
  /** Takes note that what `d` reads may come: see {@link Track.announce}. */
  announced(d: AnyDissector): void;
}

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
  readonly ciphers = ciphers;
  exchange: Exchange | undefined = undefined;
  private packet!: Packet;
  private scoped!: Scope;
  private owner: FlowState | null = null;
  private dissector!: AnyDissector;
  private view!: View;
  private depth = 0;

  private readonly announced = new Set<AnyDissector>();

  constructor(
    private readonly registry: Registry,
    private readonly ledger: Ledger,
    private readonly interest: Interest,
    private readonly faults: Faults,
  ) {}

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
    this.stream = packet.protocol === TCP;
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
    } catch (e) {
      // A message too malformed to be followed: its dissection will say what is wrong.
      if (!isDamage(e)) this.faults.add(this.packet, d.proto, e);
    }
    this.dissector = dissector;
    this.view = view;
  }

  flow<S>(d: AnyDissector, make: () => S): S {
    return (this.owner ?? this.scoped).kept.of(d, make, this.ledger);
  }

  scope<S>(d: AnyDissector, make: () => S): S {
    return this.scoped.kept.of(d, make, this.ledger);
  }

  expect(address: Uint8Array, port: number, proto: string, note?: unknown, exchange = this.frame): void {
    const dissector = this.registry.byProto(proto);
    const s = this.scoped;
    if (dissector === undefined) return;
    const key = endpointKey(address, port);
    const known = s.expectations.get(key);
    if (known !== undefined && known.dissector === dissector && known.exchange === exchange) {
      known.note = note; // flows that found it see the newer one
      return;
    }
    // RFC 3261 §13.2.1: the first description in an answer holds, those in later answers to the request are ignored.
    if (known !== undefined && known.dissector === dissector && known.exchange > exchange) return;
    if (known !== undefined) s.expectations.delete(key);
    else if (s.expectations.size < LIMITS.transactions) this.ledger.octets += EXPECTATION_COST;
    else {
      this.ledger.capped('transactions');
      s.expectations.delete(s.expectations.keys().next().value!);
    }
    s.expectations.set(key, { dissector, note, exchange, stream: -1 });
    s.generation++;
  }

  expected<T>(address?: Uint8Array, port = 0): T | undefined {
    if (address !== undefined) return this.scoped.expectations.get(endpointKey(address, port))?.note as T | undefined;
    if (this.owner === null || this.stream) return undefined;
    return (this.owner as UdpState).expectations[this.direction]?.note as T | undefined;
  }

  announce(table: string, key: TableKey): void {
    const d = this.registry.lookup(table, key);
    if (d === undefined || this.announced.has(d)) return;
    this.announced.add(d);
    this.interest.announced(d);
  }

  settle(proto: string): void {
    if (this.owner instanceof UdpState) this.owner.settled = this.registry.byProto(proto) ?? null;
  }

  divide(): void {
    if (this.owner instanceof UdpState) this.owner.later ??= { stream: -1 };
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

  capped(name: LimitName): void {
    this.ledger.capped(name);
  }

  note(value: unknown): void {
    this.packet.note(this.dissector, this.view.buf, this.view.off, value);
  }
}
