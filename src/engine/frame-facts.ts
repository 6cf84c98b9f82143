import type { FrameNote } from '../../dissectors/frame.js';
import type { CustomBlock } from '../capture/chunk.js';
import { difference } from '../kit/index.js';
import type { Packet } from './packet.js';

/** What the reader knows about a frame, for the `frame` dissector. One instance serves all frames. */
export class FrameFacts implements FrameNote {
  private packet!: Packet;
  private first: readonly [number, number] = [0, 0];

  /** `first` is the time of the first frame of the capture. */
  of(packet: Packet, first: readonly [number, number]): this {
    this.packet = packet;
    this.first = first;
    return this;
  }

  get link(): number {
    return this.packet.iface.link;
  }
  get interfaceId(): number | undefined {
    return this.packet.iface.id;
  }
  get interfaceName(): string | undefined {
    return this.packet.iface.name;
  }
  get interfaceDescription(): string | undefined {
    return this.packet.iface.description;
  }
  get customBlock(): CustomBlock | undefined {
    return this.packet.iface.customBlock;
  }
  get oddTime(): readonly [number, number] | undefined {
    return this.packet.oddTime;
  }
  get comments(): readonly string[] | undefined {
    return this.packet.comments;
  }
  get relative(): readonly [number, number] {
    return difference(this.packet.seconds, this.packet.nanos, this.first[0], this.first[1]);
  }
  get delta(): readonly [number, number] {
    const p = this.packet;
    return difference(p.seconds, p.nanos, p.previousSeconds, p.previousNanos);
  }
  get duplicateOf(): number | undefined {
    return this.packet.duplicateOf === 0 ? undefined : this.packet.duplicateOf;
  }
}
