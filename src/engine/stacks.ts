import type { AnyDissector } from '../kit/index.js';
import type { Packet } from './packet.js';

/** Rows with a protocol stack, and their octets. */
export interface StackCount {
  rows: number;
  bytes: number;
}

const TRANSPORTS: Readonly<Record<number, string>> = { 6: 'tcp', 17: 'udp' };

/** Counts rows by their protocols from the network layer up; what runs in a tunnel begins with `fttims`. */
export class Stacks {
  /** By place in the tunnel, network layer and transport; within, by what runs above. */
  private readonly counts: Map<AnyDissector | null, StackCount>[] = Array.from({ length: 64 }, () => new Map());
  private readonly names = new Map<StackCount, string>();

  count(packet: Packet, inner: boolean, octets: number): void {
    this.add(packet.net, packet.protocol, aboveOf(packet), inner, octets);
  }

  /** Counts a row by its layers. */
  add(net: number, protocol: number, above: AnyDissector | null, inner: boolean, octets: number): void {
    const transport = protocol === 6 ? 1 : protocol === 17 ? 2 : 0;
    const place = (inner ? 32 : 0) + (net === 4 ? 8 : net === 6 ? 16 : 0) + transport;
    let c = this.counts[place].get(above);
    if (c === undefined) {
      c = { rows: 0, bytes: 0 };
      this.counts[place].set(above, c);
      this.names.set(c, nameOf(net, protocol, inner, above));
    }
    c.rows++;
    c.bytes += octets;
  }

  /** By name, the names in order. */
  list(): Record<string, StackCount> {
    const out: Record<string, StackCount> = {};
    for (const [c, name] of this.names) {
      out[name] ??= { rows: 0, bytes: 0 };
      out[name].rows += c.rows;
      out[name].bytes += c.bytes;
    }
    return Object.fromEntries(Object.entries(out).sort(([a], [b]) => (a < b ? -1 : 1)));
  }
}

const aboveOf = (p: Packet): AnyDissector | null => p.dissector ?? p.pdus?.[0].dissector ?? p.control;

function nameOf(net: number, protocol: number, inner: boolean, above: AnyDissector | null): string {
  const layers = [
    ...(inner ? ['fttims'] : []),
    ...(net === 4 ? ['ip'] : net === 6 ? ['ipv6'] : []),
    ...(TRANSPORTS[protocol] === undefined ? [] : [TRANSPORTS[protocol]]),
    ...(above === null ? [] : [above.proto]),
  ];
  return layers.length === 0 ? 'other' : layers.join(':');
}
