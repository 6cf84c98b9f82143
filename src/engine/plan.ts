import type { AnyDissector, Field, TableKey } from '../kit/index.js';
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
  /** Its wanted fields, if they all stand at fixed places of its header; null: it has to be dissected. */
  readonly quick: readonly Field[] | null;
}

/** Steps found last that are kept. */
const RECENT = 32;

/** Tables that lead down to the transport layer: what is only in these is no payload. */
const DOWN = [
  'link',
  'ethertype',
  'eth.llc',
  'llc.dsap',
  'sll.ltype',
  'chdlc.protocol',
  'ppp.framing',
  'user_dlt',
  'pppoes',
  'ip.version',
  'ip.proto',
  'ppp.protocol',
  'gre.proto',
  'vxlan.next_proto',
  'mpls.pw',
  'pwach.channel_type',
  'esp.payload',
  'wlan',
  'radiotap',
];

/** What is in this table alone is in no packet before SDP has announced it. RFC 8866 §6.6 */
const ANNOUNCED = 'rtp_dyn_payload_type';

/**
 * Decides layer by layer how much work a packet deserves: with `-e ip.src -e sip.Method` an RTP packet ends at its IP
 * header. What can follow a layer is read from the tables that its dissector names; transport payloads can be anything.
 */
export class Plan {
  private readonly steps = new Map<AnyDissector, Step>();
  /** Of each dissector, its wanted fields. */
  private readonly wantedOf = new Map<AnyDissector, readonly Field[]>();
  /** Whose octets come in no packet before they are announced. */
  private readonly awaited: Set<AnyDissector>;
  /** Also where data is wanted: that it is nothing else has to be seen. */
  private readonly everything: boolean;

  /**
   * @param wants by field id
   * @param everything the whole stack is wanted (the protocol list, the Info column)
   */
  constructor(
    private readonly registry: Registry,
    readonly wants: Uint8Array,
    everything: boolean,
  ) {
    const isWanted = (f: Field): boolean => wants[f.id] !== 0;
    this.awaited = new Set(registry.table(ANNOUNCED));
    for (const [table, keys] of registry.entries())
      if (table !== ANNOUNCED) for (const d of keys.values()) this.awaited.delete(d);
    for (const d of registry.dissectors) this.wantedOf.set(d, Object.values(d.fields).filter(isWanted));
    this.everything = everything || this.wanted(registry.byProto('data')!);
    const leading = this.everything ? new Set(registry.dissectors) : this.leading();
    for (const dissector of registry.dissectors) {
      const leads = leading.has(dissector);
      // IP layers are always read: what is above them needs their addresses, and ends where they are malformed.
      const passable = dissector.peek !== undefined && !/^ip(v6)?\b/.test(dissector.proto);
      const passed = passable && !this.everything && !this.wanted(dissector);
      const depth = !leads ? Depth.Skip : passed ? Depth.Pass : Depth.Dissect;
      this.steps.set(dissector, { dissector, depth, quick: quickFields(dissector, this.wantedOf.get(dissector)!) });
    }
  }

  /** Whether a field of the dissector itself is wanted. */
  private wanted(d: AnyDissector): boolean {
    return this.wantedOf.get(d)!.length > 0;
  }

  /** The dissectors that are wanted, or that may lead to one. */
  private leading(): Set<AnyDissector> {
    const { dissectors } = this.registry;
    const leading = new Set(dissectors.filter((d) => this.wanted(d)));
    const payload = [...leading].some((d) => !isBelowTransport(d));
    const leads = (d: AnyDissector): boolean => {
      if (d.proto === 'tcp') return payload;
      if (d.proto === 'udp' && payload) return true; // else a datagram may carry packets (VXLAN, GTP-U)
      for (const next of this.next(d)) if (leading.has(next)) return true;
      return false;
    };
    for (let before = -1; leading.size !== before; ) {
      before = leading.size;
      for (const d of dissectors) if (!leading.has(d) && leads(d)) leading.add(d);
    }
    return leading;
  }

  /** Those that the dissector may hand octets to. */
  private *next(d: AnyDissector): Iterable<AnyDissector> {
    for (const table of d.tables ?? []) yield* this.registry.table(table);
    for (const proto of d.calls ?? []) {
      const called = this.registry.byProto(proto);
      if (called === undefined) throw new Error(`${d.proto} calls ${proto}, which there is not`);
      yield called;
    }
  }

  /** Whether `track` of the dissector has to run: something that rests on it is wanted. */
  tracks(d: AnyDissector): boolean {
    const isWanted = (f: Field): boolean => this.wants[f.id] !== 0;
    if (d.track === undefined) return false;
    return d.serves?.notPlain?.some(isWanted) === true || this.serves(d, () => true);
  }

  /** The same for what is plain, after what was announced so far. */
  tracksPlain(d: AnyDissector): boolean {
    return this.serves(d, (served) => !this.awaited.has(served));
  }

  /** Whether something that rests on `track` of the dissector is wanted; of protocols, those that `counts` is true of. */
  private serves({ track, serves }: AnyDissector, counts: (served: AnyDissector) => boolean): boolean {
    if (track === undefined) return false;
    if (serves === undefined || this.everything) return true;
    if (serves.fields.some((f) => this.wants[f.id] !== 0)) return true;
    for (const name of serves.protocols ?? []) {
      const served = this.registry.byProto(name);
      if (served !== undefined && this.of(served).depth !== Depth.Skip && counts(served)) return true;
    }
    return false;
  }

  /** Whether anything that the dissector may lead to, after what was announced so far, is wanted. */
  below(d: AnyDissector): boolean {
    let wanted = this.belows.get(d);
    if (wanted === undefined) {
      const isWanted = (next: AnyDissector): boolean => this.of(next).depth !== Depth.Skip && !this.awaited.has(next);
      this.belows.set(d, (wanted = [...this.next(d)].some(isWanted)));
    }
    return wanted;
  }
  private readonly belows = new Map<AnyDissector, boolean>();

  /** What `d` reads may come from now on. */
  announce(d: AnyDissector): void {
    this.awaited.delete(d);
    this.belows.clear();
  }

  /** What {@link Step.quick} would be if `f` were not wanted. */
  quickBut(d: AnyDissector, f: Field): readonly Field[] | null {
    const others = this.wantedOf.get(d)!.filter((other) => other !== f);
    return quickFields(d, others);
  }

  of(d: AnyDissector): Step {
    return this.steps.get(d)!;
  }

  lookup(table: string, key: TableKey): Step | undefined {
    const d = this.registry.lookup(table, key);
    if (d === undefined) return undefined;
    // The way down to the transport layer is the same for most packets.
    const slot = typeof key === 'number' ? key & (RECENT - 1) : RECENT;
    const recent = this.recent[slot];
    if (recent?.dissector === d) return recent;
    const step = this.of(d);
    this.recent[slot] = step;
    return step;
  }
  private readonly recent: (Step | undefined)[] = new Array(RECENT + 1).fill(undefined);
}

/** Whether the dissector is found on the way down to the transport layer, so that no payload can be it. */
function isBelowTransport(d: AnyDissector): boolean {
  if (d.proto === 'frame' || d.proto === 'tcp' || d.proto === 'udp' || d.proto === 'fttims') return true;
  const tables = Object.keys(d.on ?? {});
  return tables.length > 0 && tables.every((t) => DOWN.includes(t));
}

/**
 * The wanted fields of a dissector in the order of their octets, if all of them stand at fixed places of its header; null
 * if not.
 */
function quickFields(d: AnyDissector, wanted: readonly Field[]): readonly Field[] | null {
  if (wanted.length === 0) return wanted;
  if (d.plain === undefined || wanted.some((f) => f.at === undefined)) return null;
  return [...wanted].sort((a, b) => a.at![0] - b.at![0]);
}
