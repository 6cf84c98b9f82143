import type { AnyDissector } from '../kit/index.js';
import type { Registry } from './registry.js';

/** What to do with a layer, given the fields that anyone wants. */
export const Depth = {
  /** Nothing of it or below it is wanted. */
  Skip: 0,
  /** Only what lies below it is wanted: its `peek` leads there. */
  Pass: 1,
  Dissect: 2,
} as const;

/**
 * Decides layer by layer how much work a packet deserves: with `-e ip.src -e sip.Method` an RTP packet ends at its IP
 * header. What can follow a layer is read from the tables that its dissector names; transport payloads can be anything.
 */
export class Plan {
  private readonly depths = new Map<AnyDissector, number>();

  /**
   * @param wants by field id
   * @param everything the whole stack is wanted (the protocol list, the Info column)
   */
  constructor(registry: Registry, wants: Uint8Array, everything: boolean) {
    const own = (d: AnyDissector): boolean => Object.values(d.fields).some((f) => wants[f.id] !== 0);
    const payload = registry.dissectors.some((d) => own(d) && !isBelowTransport(d));
    const leads = (d: AnyDissector, seen: Set<AnyDissector>): boolean => {
      if (seen.has(d)) return false;
      seen.add(d);
      if (own(d)) return true;
      if (d.proto === 'tcp' || d.proto === 'udp') return payload;
      for (const table of d.tables ?? [])
        for (const next of registry.entries(table)) if (leads(next, seen)) return true;
      return false;
    };
    for (const d of registry.dissectors) {
      const wanted = everything || own(d);
      const below = leads(d, new Set());
      // IP layers are always read: what is above them needs their addresses.
      const passable = d.peek !== undefined && d.proto !== 'ip' && d.proto !== 'ipv6';
      this.depths.set(d, wanted ? Depth.Dissect : below ? (passable ? Depth.Pass : Depth.Dissect) : Depth.Skip);
    }
  }

  of(d: AnyDissector): number {
    return this.depths.get(d) ?? Depth.Dissect;
  }
}

/** Whether the dissector is found on the way down to the transport layer, so that no payload can be it. */
function isBelowTransport(d: AnyDissector): boolean {
  if (d.proto === 'frame' || d.proto === 'tcp' || d.proto === 'udp' || d.proto === 'fttims') return true;
  const tables = Object.keys(d.on ?? {});
  return (
    tables.length > 0 &&
    tables.every((t) => ['link', 'ethertype', 'ip.version', 'ip.proto', 'ppp.protocol'].includes(t))
  );
}
