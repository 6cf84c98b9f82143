import { type AnyDissector, type Pdu, Peek, type Source, type TableKey, type Tree, type View } from '../kit/index.js';
import { LIMITS } from '../limits.js';
import { addFixed } from './fixed-fields.js';
import type { Packet } from './packet.js';
import { Depth, type Plan, type Step } from './plan.js';
import type { Registry } from './registry.js';

/** Who dissects what stands above headers that were read without. */
export interface Above {
  /** Adds what a segment or datagram of `packet` carries; `p` is at it, and has the headers below. */
  above(packet: Packet, p: Peek, source: Source): void;
}

/**
 * Reads fields that stand at fixed places of plain headers without dissecting: with `-e ip.src -e sip.Method` every
 * packet of RTP costs a walk over its headers. Whatever is not plain is left to the dissectors, and gives the same; so is
 * what plain headers carry, if anything of it is wanted.
 */
export class ShortCut {
  private readonly p = new Peek();
  private readonly tcp: AnyDissector | undefined;
  private readonly udp: AnyDissector | undefined;
  private readonly dataWanted: boolean;

  constructor(
    private readonly plan: Plan,
    registry: Registry,
    private readonly dissection: Above,
  ) {
    this.tcp = registry.byProto('tcp');
    this.udp = registry.byProto('udp');
    this.dataWanted = plan.of(registry.byProto('data')!).depth !== Depth.Skip;
  }

  /**
   * Adds the wanted fields of all layers of `packet` from `v` on to the tree, or nothing: then it returns false and the
   * packet has to be dissected.
   */
  add(table: string, key: TableKey, v: View, packet: Packet, t: Tree): boolean {
    const { p } = this;
    p.buf = v.buf;
    p.off = v.off;
    p.end = v.end;
    p.wireEnd = v.wireEnd;
    p.table = table;
    p.key = key;
    const before = t.length;
    const source = t.enter(v.source);
    const level = t.level;
    const done = this.descend(packet, v.source, t);
    if (!done) t.length = before;
    t.leave(source, level);
    return done;
  }

  private descend(packet: Packet, source: Source, t: Tree): boolean {
    const { p, plan } = this;
    for (let depth = 0; depth < LIMITS.layers; depth++) {
      const step = plan.lookup(p.table, p.key);
      if (step === undefined) return !this.dataWanted;
      if (step.depth === Depth.Skip) return true;
      const d = step.dissector;
      if (d.peek === undefined || !this.header(step, t)) return false;
      p.table = '';
      p.fragment = false;
      d.peek(p);
      if (p.table === '' || p.fragment) return false;
      if (d !== this.udp && d !== this.tcp) continue;
      // What is known of the payload is known of the innermost transport layer alone.
      if (packet.header !== p.header || packet.transport !== p.buf) return false;
      if (d === this.udp ? this.datagram(packet, t) : this.segment(packet)) return true;
      if (packet.refused !== null) return false;
      this.dissection.above(packet, p, source);
      return true;
    }
    return false;
  }

  /** Adds the wanted fields of the header at the position; false where they cannot be read like this. */
  private header(step: Step, t: Tree): boolean {
    const { quick } = step;
    if (quick === null) return false;
    const { p } = this;
    const { buf, off } = p;
    const { plain } = step.dissector;
    if (plain === undefined ? step.depth === Depth.Dissect : !plain(buf, off, p.end, p.wireEnd)) return false;
    addFixed(quick, buf, off, t);
    return true;
  }

  /** Whether nothing of the payload is wanted but fields of a plain header, which are added. */
  private datagram({ dissector, refused }: Packet, t: Tree): boolean {
    const { p } = this;
    if (p.wireEnd <= p.off) return true;
    if (refused !== null && this.plan.of(refused).depth !== Depth.Skip) return false;
    if (dissector === null) return !this.dataWanted;
    const step = this.plan.of(dissector);
    if (step.depth === Depth.Skip) return true;
    return dissector.plain !== undefined && !this.plan.below(dissector) && this.header(step, t);
  }

  /** Whether nothing of the messages that a segment completes is wanted. */
  segment({ pdus, begun }: Packet): boolean {
    if (pdus !== null) return this.passes(pdus);
    return begun === null || this.isPassed(begun);
  }

  /** Whether nothing of the messages is wanted. */
  private passes(pdus: readonly Pdu[]): boolean {
    for (const pdu of pdus) if (!this.isPassed(pdu)) return false;
    return true;
  }

  private isPassed({ dissector, around, messages }: Pdu): boolean {
    const { plan } = this;
    if (plan.of(dissector).depth !== Depth.Skip) return false;
    if (around !== undefined && plan.of(around.dissector).depth !== Depth.Skip) return false;
    return !messages || this.passes(messages);
  }
}
