import { HEADER, IP_PACKET } from '../../dissectors/ftt-ims.js';
import { UDP } from '../../dissectors/numbers.js';
import { UDP_STREAM } from '../../dissectors/udp.js';
import { type AnyDissector, type Field, Peek, type Source, type Tree, u16 } from '../kit/index.js';
import type { Envelope } from '../tunnel/deframe.js';
import { addFixed } from './fixed-fields.js';
import type { IndexPass } from './index-pass.js';
import { Depth, type Plan, type Step } from './plan.js';
import type { Registry } from './registry.js';
import type { Scope } from './scope.js';

/** Octets of plain headers. */
const UDP_HEADER = 8;
const IPV4_HEADER = 20;
const IPV6_HEADER = 40;

/** Reads the headers of what nearly all envelopes hold, a whole UDP datagram, at once. One instance serves all. */
export class PlainHeaders {
  /** Stands at the payload. */
  readonly p = new Peek();

  /** Whether an envelope holds a datagram with plain headers that agree on its length. */
  read(e: Envelope): boolean {
    const { buf, off, end } = e;
    const ip = off + HEADER;
    const is4 = buf[ip] === 0x45;
    const udp = ip + (is4 ? IPV4_HEADER : IPV6_HEADER);
    if (e.type !== IP_PACKET || end < udp + UDP_HEADER) return false;
    if (is4) {
      if (u16(buf, ip + 2) !== end - ip || (u16(buf, ip + 6) & 0x3fff) !== 0 || buf[ip + 9] !== UDP) return false;
    } else if (buf[ip] >> 4 !== 6 || u16(buf, ip + 4) !== end - udp || buf[ip + 6] !== UDP) return false;
    if (u16(buf, udp + 4) !== end - udp) return false;
    const { p } = this;
    p.buf = buf;
    p.off = udp + UDP_HEADER;
    p.end = p.wireEnd = end;
    p.header = udp;
    p.net = is4 ? 4 : 6;
    p.src = is4 ? ip + 12 : ip + 8;
    p.dst = is4 ? ip + 16 : ip + 24;
    p.sport = u16(buf, udp);
    p.dport = u16(buf, udp + 2);
    return true;
  }
}

/**
 * Indexes and shows in one step what nearly all envelopes hold: a whole UDP datagram of a known flow, of whose payload
 * nothing is wanted, or fields at fixed places alone. No packet is made for it (ADR 0010). All others go the long way,
 * which gives the same.
 */
export class PlainDatagrams {
  private readonly headers = new PlainHeaders();
  private readonly source: { -readonly [K in keyof Source]: Source[K] };
  private readonly envelope: Step;
  private readonly ip: Step;
  private readonly ipv6: Step;
  /** What is wanted of UDP, and whether the number of its flow is. */
  private readonly udp: readonly Field[] | null;
  private readonly streamWanted: boolean;
  private readonly dataWanted: boolean;
  /** Whether all that is wanted of the headers stands at fixed places. */
  private readonly usable: boolean;
  /** Who was last found to be of no interest; null: payload that nobody takes. */
  private passed: AnyDissector | null | undefined = undefined;
  /** That one, where fields of its header are wanted, or it has to be plain. */
  private payload: Step | null = null;

  constructor(
    private readonly plan: Plan,
    private readonly index: IndexPass,
    registry: Registry,
  ) {
    const step = (proto: string): Step => plan.of(registry.byProto(proto)!);
    this.source = { name: 'Envelope', buf: new Uint8Array(0), start: 0, end: 0 };
    this.envelope = step('fttims');
    this.ip = step('ip');
    this.ipv6 = step('ipv6');
    const { dissector: udp } = step('udp');
    this.udp = plan.quickBut(udp, UDP_STREAM);
    this.streamWanted = plan.wants[UDP_STREAM.id] !== 0;
    this.dataWanted = step('data').depth !== Depth.Skip;
    this.usable =
      this.udp !== null &&
      [this.envelope, this.ip, this.ipv6].every(
        ({ quick, depth, dissector }) => quick !== null && (dissector.plain !== undefined || depth !== Depth.Dissect),
      );
  }

  /** Whether the datagram in an envelope is plain; it is then indexed, and can be shown. */
  takes(e: Envelope, scope: Scope): boolean {
    const { p } = this.headers;
    if (!this.usable || !this.headers.read(e)) return false;
    const d = this.index.taker(p, scope);
    if (d === undefined || (d !== this.passed && !this.isPassed(d))) return false;
    return this.payload === null || this.payload.dissector.plain!(p.buf, p.off, p.end, p.wireEnd);
  }

  /** What was found to be of no interest may lead to something else by now. */
  forget(): void {
    this.passed = undefined;
  }

  /** Whether nothing is wanted of what a dissector takes, or nothing but fields at fixed places. */
  private isPassed(d: AnyDissector | null): boolean {
    let payload: Step | null = null;
    if (d === null) {
      if (this.dataWanted) return false;
    } else {
      if (d.peek !== undefined || this.plan.tracksPlain(d)) return false;
      const step = this.plan.of(d);
      if (step.depth !== Depth.Skip || this.index.tracked.has(d)) payload = step;
      if (payload !== null && (d.plain === undefined || step.quick === null || this.plan.below(d))) return false;
    }
    this.passed = d;
    this.payload = payload;
    return true;
  }

  /** Adds the wanted fields of the envelope that was taken last; its flow has a number by then. */
  show({ buf, off, end }: Envelope, t: Tree): void {
    const { source, payload } = this;
    const { p } = this.headers;
    source.buf = buf;
    source.start = off;
    source.end = end;
    const level = t.level;
    const before = t.enter(source);
    addFixed(this.envelope.quick!, buf, off, t);
    addFixed(p.net === 4 ? this.ip.quick! : this.ipv6.quick!, buf, off + HEADER, t);
    addFixed(this.udp!, buf, p.header, t);
    if (this.streamWanted) t.num(UDP_STREAM, p.header, 0, this.index.numbered.stream);
    if (payload !== null) addFixed(payload.quick!, buf, p.off, t);
    t.leave(before, level);
  }
}
