import type { CaptureInterface } from '../capture/chunk.js';
import { Arrival, type Moment } from '../model/moment.js';
import type { SessionModel } from '../model/session-model.js';
import type { Tunnel } from '../tunnel/tunnel.js';
import type { Packet } from './packet.js';
import type { Tap } from './pass.js';
import type { TcpState } from './tcp-state.js';
import { tunnelEntity } from './tunnel-entity.js';
import { segmentFacts, TunnelLife, tcpLife } from './tunnel-life.js';

/** First and last time of the frames of a file, and how many were captured twice. */
export interface FileSpan {
  start: Moment;
  end: Moment;
  duplicates: number;
}

/** Hands the packets of a pass to the model, as plain events. */
export class SessionTap implements Tap {
  readonly tracks: ReadonlySet<string> = new Set(['sip', 'sdp', 'mime_multipart']);
  readonly tunnels: TunnelLife[] = [];
  readonly files = new Map<number, FileSpan>();
  private readonly at: Arrival;

  constructor(
    private readonly model: SessionModel,
    severalFiles: boolean,
  ) {
    this.at = new Arrival(severalFiles);
  }

  frame(packet: Packet): void {
    const { at } = this;
    at.file = packet.iface.file;
    at.frame = packet.frame;
    at.inner = 0;
    at.seconds = packet.seconds;
    at.nanos = packet.nanos;
    at.length = packet.view.wireLength;
    at.tunnel = packet.tunnel?.id ?? 0;
    this.span(packet.iface, packet.duplicateOf !== 0);
    if (packet.duplicateOf !== 0) return;
    if (packet.findings !== null) for (const code of packet.findings) this.model.noticed(at, code);
    if (packet.protocol === 6) this.segment(packet);
  }

  private span(iface: CaptureInterface, duplicate: boolean): void {
    const { at } = this;
    let f = this.files.get(iface.file);
    if (f === undefined) {
      const t = at.seen();
      this.files.set(iface.file, (f = { start: t, end: t, duplicates: 0 }));
    }
    f.end = { seconds: at.seconds, nanos: at.nanos };
    if (duplicate) f.duplicates++;
  }

  private segment(packet: Packet): void {
    const { at } = this;
    const tcp = tcpLife(packet.state as TcpState, at);
    const stall = tcp.segment(at, packet.direction, segmentFacts(packet, packet.envelopes?.length ?? 0));
    const { tunnel } = packet;
    if (tunnel === null) return;
    let life = this.tunnels[tunnel.id - 1];
    if (life === undefined) this.tunnels[tunnel.id - 1] = life = new TunnelLife(tunnel, tcp);
    life.stall = stall;
    life.frame(at, packet);
  }

  inner(packet: Packet, k: number, tunnel: Tunnel): void {
    const { at } = this;
    at.inner = k;
    at.tunnel = tunnel.id;
    const lane = packet.carrier!.lane;
    at.up = tunnel.direction(lane.side) === 'up';
    at.length = packet.view.wireLength;
    this.tunnels[tunnel.id - 1]?.envelope(at, packet);
    if (packet.findings !== null) for (const code of packet.findings) this.model.noticed(at, code);
  }

  /** The tunnels as a report tells of them; call it when the pass has ended. */
  finish(): void {
    const end: Moment = { seconds: this.at.seconds, nanos: this.at.nanos };
    this.model.finish(
      this.tunnels.map((life) => tunnelEntity(life, end)),
      end,
    );
  }
}
