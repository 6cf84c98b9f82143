import { TCP, UDP } from '../../dissectors/numbers.js';
import type { AnyDissector } from '../kit/index.js';
import type { ProtocolCounts } from '../model/entities.js';
import type { Packet } from './packet.js';

const TRANSPORTS: Readonly<Record<number, string>> = { 6: 'tcp', 17: 'udp' };

/** Rows with the same layers. */
interface Stack {
  /** Place in the tunnel, network layer and transport. */
  readonly place: number;
  readonly above: AnyDissector | null;
  readonly name: string;
  rows: number;
  bytes: number;
}

/** Counts rows by their protocols from the network layer up; what runs in a tunnel begins with `fttims`. */
export class Stacks {
  /** What comes often moves to the front. */
  private readonly stacks: Stack[] = [];

  count(packet: Packet, inner: boolean, octets: number): void {
    this.add(packet.net, packet.protocol, aboveOf(packet), inner, octets);
  }

  /** Counts a row by its layers. */
  add(net: number, protocol: number, above: AnyDissector | null, inner: boolean, octets: number): void {
    const { stacks } = this;
    const transport = protocol === TCP ? 1 : protocol === UDP ? 2 : 0;
    const place = (inner ? 32 : 0) + (net === 4 ? 8 : net === 6 ? 16 : 0) + transport;
    let i = 0;
    while (i < stacks.length && (stacks[i].above !== above || stacks[i].place !== place)) i++;
    if (i === stacks.length) {
      const name = nameOf(net, protocol, inner, above);
      stacks.push({ place, above, name, rows: 1, bytes: octets });
      return;
    }
    const s = stacks[i];
    s.rows++;
    s.bytes += octets;
    if (i === 0) return;
    stacks[i] = stacks[i - 1];
    stacks[i - 1] = s;
  }

  /** By name, the names in order; of several places together. */
  static list(all: Iterable<Stacks>): ProtocolCounts {
    const out: ProtocolCounts = {};
    for (const { stacks } of all)
      for (const { name, rows, bytes } of stacks) {
        out[name] ??= { rows: 0, bytes: 0 };
        out[name].rows += rows;
        out[name].bytes += bytes;
      }
    return Object.fromEntries(Object.entries(out).sort(([a], [b]) => (a < b ? -1 : 1)));
  }
}

function aboveOf(p: Packet): AnyDissector | null {
  const pdu = p.pdus?.[0];
  return p.dissector ?? (pdu === undefined || pdu.repeats ? p.control : pdu.dissector);
}

function nameOf(net: number, protocol: number, inner: boolean, above: AnyDissector | null): string {
  const layers = [
    ...(inner ? ['fttims'] : []),
    ...(net === 4 ? ['ip'] : net === 6 ? ['ipv6'] : []),
    ...(TRANSPORTS[protocol] === undefined ? [] : [TRANSPORTS[protocol]]),
    ...(above === null ? [] : [above.proto]),
  ];
  return layers.length === 0 ? 'other' : layers.join(':');
}
