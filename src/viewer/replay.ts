import type { Capture } from '../capture/source.js';
import type { Packet } from '../engine/packet.js';
import type { PassOptions } from '../engine/pass.js';
import type { Registry } from '../engine/registry.js';
import type { Row } from '../engine/row.js';
import { type Frames, type FrameTest, StoredFrames } from './frames.js';
import { SubPass } from './sub-pass.js';

/** A frame as the index left it, and the contents of its envelopes. */
interface Kept {
  readonly outer: Packet;
  readonly inner: Packet[];
  /** The frame as the end of the capture found it, where that set more free; and how many contents there were before. */
  end?: { readonly outer: Packet; readonly before: number };
}

/**
 * Reads the frames of one connection again, up to a row that somebody wants to see whole. Nothing is dissected on the
 * way. The frames of the last chunk stay, so that the rows around it can be shown at once.
 */
export class Replay extends SubPass {
  private readonly kept = new Map<number, Kept>();

  /** @param takes the frames that the rows rest on */
  constructor(registry: Registry, options: PassOptions, frames: Frames, capture: Capture, takes: FrameTest) {
    super(registry, options, frames, new StoredFrames(frames, capture, takes), () => undefined);
  }

  /** The place behind the last frame that was read. */
  get reached(): number {
    return this.source.at;
  }

  override more(): boolean {
    this.kept.clear();
    return super.more();
  }

  protected override show(packet: Packet): void {
    this.read(packet);
    this.number(packet);
    this.kept.set(packet.ordinal, { outer: packet, inner: [] });
    if (packet.envelopes !== null) this.innerRows(packet, 0);
  }

  /** The contents of envelopes stand by their frame; those that the end of the capture sets free by its last. */
  protected override innerRows(outer: Packet, _before: number): void {
    const kept = this.kept.get(outer.ordinal)!;
    const { inner } = kept;
    if (outer !== kept.outer) kept.end = { outer, before: inner.length };
    for (const e of outer.envelopes!) {
      const content = this.inner(outer, e);
      this.number(content);
      inner.push(content);
    }
  }

  /** Whether the row of a frame can be shown now. */
  has(ordinal: number): boolean {
    return this.kept.has(ordinal);
  }

  /** Dissects row `k` of a frame (0: the frame itself); undefined where the frame has no such row. */
  dissect(ordinal: number, k: number): Row | undefined {
    const kept = this.kept.get(ordinal);
    if (kept === undefined || k > kept.inner.length) return undefined;
    const { end } = kept;
    const ended = end !== undefined && k > end.before;
    this.outer(ended ? end.outer : kept.outer);
    const { row, dissection } = this;
    row.inner = 0;
    // What was noticed about the frame stands in its first row alone, and what the end of the capture told in the next.
    if (k > 1 || ended) dissection.tree.experts.length = 0;
    if (k > (ended ? end.before : 0) + 1) {
      row.findings = [];
      row.missing = [];
    }
    if (k > 0) this.within(kept.inner[k - 1], k);
    dissection.finish(row.tunnel, row.direction, row.findings, row.missing);
    return row;
  }
}
