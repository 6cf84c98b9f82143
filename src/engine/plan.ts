import type { AnyDissector, TableKey } from '../kit/index.js';
import type { Registry } from './registry.js';

/** What to do with a layer, given the fields that anyone wants. */
export const Depth = {
  /** Nothing of it or below it is wanted. */
  Skip: 0,
  /** Only what lies below it is wanted: its `peek` leads there. */
  Pass: 1,
  Dissect: 2,
} as const;

/** A dissector with what this run does with it. */
export interface Step {
  readonly dissector: AnyDissector;
  readonly depth: number;
}

/** Tables that lead down to the transport layer: what is only in these is no payload. */
const DOWN = [
  'link',
  'ethertype',
  'eth.llc',
  'llc.dsap',
  'sll.ltype',
  'pppoes',
  'ip.version',
  'ip.proto',
  'ppp.protocol',
];

/**
 * Decides layer by layer how much work a packet deserves: with `-e ip.src -e sip.Method` an RTP packet ends at its IP
 * header. What can follow a layer is read from the tables that its dissector names; transport payloads can be anything.
 */
export class Plan {
  private readonly steps = new Map<AnyDissector, Step>();
  private readonly tables = new Map<string, Map<TableKey, Step>>();
  private lastName = '';
  private last: Map<TableKey, Step> | undefined;

  /**
   * @param wants by field id
   * @param everything the whole stack is wanted (the protocol list, the Info column)
   */
  constructor(
    private readonly registry: Registry,
    private readonly wants: Uint8Array,
    private readonly everything: boolean,
  ) {
    const payload = registry.dissectors.some((d) => this.wanted(d) && !isBelowTransport(d));
    for (const dissector of registry.dissectors) {
      const leads = everything || this.leads(dissector, payload, new Set());
      // IP layers are always read: what is above them needs their addresses.
      const passable = dissector.peek !== undefined && dissector.proto !== 'ip' && dissector.proto !== 'ipv6';
      const passed = passable && !everything && !this.wanted(dissector);
      this.steps.set(dissector, { dissector, depth: !leads ? Depth.Skip : passed ? Depth.Pass : Depth.Dissect });
    }
    for (const [name, keys] of registry.entries()) {
      const table = new Map<TableKey, Step>();
      for (const [key, d] of keys) table.set(key, this.of(d));
      this.tables.set(name, table);
    }
  }

  /** Whether a field of the dissector itself is wanted. */
  private wanted(d: AnyDissector): boolean {
    for (const f of Object.values(d.fields)) if (this.wants[f.id] !== 0) return true;
    return false;
  }

  /** Whether the dissector, or any that it may lead to, is wanted. */
  private leads(d: AnyDissector, payload: boolean, seen: Set<AnyDissector>): boolean {
    if (seen.has(d)) return false;
    seen.add(d);
    if (this.wanted(d)) return true;
    if (d.proto === 'tcp' || d.proto === 'udp') return payload;
    for (const table of d.tables ?? [])
      for (const next of this.registry.table(table)) if (this.leads(next, payload, seen)) return true;
    return false;
  }

  /** Whether `track` of the dissector has to run: something that rests on it is wanted. */
  tracks(d: AnyDissector): boolean {
    if (d.track === undefined) return false;
    if (d.serves === undefined || this.everything) return true;
    if (d.serves.fields.some((f) => this.wants[f.id] !== 0)) return true;
    for (const name of d.serves.protocols ?? []) {
      const announced = this.registry.byProto(name);
      if (announced !== undefined && this.of(announced).depth !== Depth.Skip) return true;
    }
    return false;
  }

  /** Whether anything that the dissector's tables lead to is wanted. */
  below(d: AnyDissector): boolean {
    let wanted = this.belows.get(d);
    if (wanted === undefined) {
      const tables = (d.tables ?? []).flatMap((table) => [...this.registry.table(table)]);
      this.belows.set(d, (wanted = tables.some((next) => this.of(next).depth !== Depth.Skip)));
    }
    return wanted;
  }
  private readonly belows = new Map<AnyDissector, boolean>();

  of(d: AnyDissector): Step {
    return this.steps.get(d)!;
  }

  lookup(table: string, key: TableKey): Step | undefined {
    if (table !== this.lastName) {
      this.lastName = table;
      this.last = this.tables.get(table);
    }
    return this.last?.get(key);
  }
}

/** Whether the dissector is found on the way down to the transport layer, so that no payload can be it. */
function isBelowTransport(d: AnyDissector): boolean {
  if (d.proto === 'frame' || d.proto === 'tcp' || d.proto === 'udp' || d.proto === 'fttims') return true;
  const tables = Object.keys(d.on ?? {});
  return tables.length > 0 && tables.every((t) => DOWN.includes(t));
}
