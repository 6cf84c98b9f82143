import type { Registry } from '../../src/engine/registry.js';
import type { AnyDissector, LimitName, NetPair, TableKey, Track, View } from '../../src/kit/index.js';

/** From 10.0.0.1 to 10.0.0.2. */
export const ADDRESSES: NetPair = { version: 4, buf: Uint8Array.of(10, 0, 0, 1, 10, 0, 0, 2), src: 0, dst: 4 };

/** The only flow in the world: remembers what a dissector keeps, and what it leaves for `dissect`. */
export class Tracked implements Track {
  frame = 0;
  readonly seconds = 1;
  readonly nanos = 2;
  readonly net = ADDRESSES;
  readonly sport = 5060;
  readonly dport = 53;
  direction: 0 | 1 = 0;
  stream = false;
  noted: unknown = undefined;
  private readonly kept = new Map<AnyDissector, unknown>();

  constructor(private readonly registry: Registry) {}

  flow<S>(d: AnyDissector, make: () => S): S {
    if (!this.kept.has(d)) this.kept.set(d, make());
    return this.kept.get(d) as S;
  }
  scope<S>(d: AnyDissector, make: () => S): S {
    return this.flow(d, make);
  }
  expect(): void {}
  expected(): undefined {
    return undefined;
  }
  track(table: string, key: TableKey, v: View): void {
    const { noted } = this;
    this.registry.lookup(table, key)?.track?.(v, this);
    this.noted = noted; // what the body left is for the body
  }
  readonly limits: LimitName[] = [];
  capped(name: LimitName): void {
    this.limits.push(name);
  }
  note(value: unknown): void {
    this.noted = value;
  }
}
