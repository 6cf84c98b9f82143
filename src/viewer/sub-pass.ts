import type { CaptureInterface } from '../capture/chunk.js';
import type { Packet } from '../engine/packet.js';
import { Pass, type PassOptions } from '../engine/pass.js';
import type { Registry } from '../engine/registry.js';
import type { Row } from '../engine/row.js';
import type { Frames, StoredFrames } from './frames.js';

/**
 * A pass over some frames of a capture that was read before. Times, numbers of flows and numbers of tunnels are those
 * that the whole capture gave them.
 */
export class SubPass extends Pass {
  /** The frame at hand, by its place in the capture. */
  protected ordinal = 0;
  /** How many numbers were given out again, by list. */
  private readonly given = new Map<readonly number[], number>();
  private readonly dealt: { connection: number };

  constructor(
    registry: Registry,
    options: PassOptions,
    protected readonly stored: Frames,
    protected readonly source: StoredFrames,
    give: (row: Row) => boolean | undefined,
  ) {
    // The pass that is being made cannot be asked yet.
    const dealt = { connection: 0 };
    super(registry, { ...options, tunnelNumbers: () => stored.tunnels.get(dealt.connection) ?? 0 }, give);
    this.dealt = dealt;
    if (stored.count > 0) this.first = stored.time(0);
  }

  /** As the whole capture told: here frames may be missing at the end of a file. */
  protected override continued({ iface }: Packet): CaptureInterface | undefined {
    return this.stored.continued.get(iface);
  }

  protected override taken(packet: Packet): void {
    const { stored, source } = this;
    this.ordinal = source.ordinals[packet.ordinal - this.before];
    packet.ordinal = this.ordinal;
    this.first = stored.time(0);
    [packet.previousSeconds, packet.previousNanos] = stored.time(Math.max(0, this.ordinal - 1));
    this.dealt.connection = stored.connection(this.ordinal);
  }
  /** Frames of the chunks before. */
  private before = 0;

  /** The next frames; false where there are none. */
  more(): boolean {
    const chunk = this.source.read();
    if (chunk === null) return false;
    this.before = this.frames;
    this.feed(chunk);
    return true;
  }

  protected override number(packet: Packet): void {
    this.numbering = packet;
    super.number(packet);
  }
  private numbering: Packet | null = null;

  protected override udpStream(): number {
    const { stored, numbering } = this;
    const tunnel = this.tunnelOf(numbering!);
    const list = tunnel > 0 ? stored.innerUdp.get(tunnel) : stored.outerUdp.get(stored.connection(numbering!.ordinal));
    return this.deal(list) ?? super.udpStream();
  }

  protected override tcpStream(): number {
    const { stored, numbering } = this;
    const tunnel = this.tunnelOf(numbering!);
    if (tunnel > 0) return this.deal(stored.innerTcp.get(tunnel)) ?? super.tcpStream();
    const connection = stored.connection(numbering!.ordinal);
    return connection > 0 ? connection - 1 : super.tcpStream();
  }

  /** The tunnel that an inner packet is in. */
  private tunnelOf({ carrier }: Packet): number {
    return carrier === null ? 0 : carrier.lane.connection.tunnel!.id;
  }

  private deal(list: readonly number[] | undefined): number | undefined {
    if (list === undefined) return undefined;
    const i = this.given.get(list) ?? 0;
    this.given.set(list, i + 1);
    return list[i];
  }
}
