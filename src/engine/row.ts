import { difference } from '../kit/index.js';
import type { Tunnel } from '../tunnel/tunnel.js';
import type { Dissection } from './dissect.js';
import { FINDING_SEVERITIES } from './engine-fields.js';
import type { Packet } from './packet.js';

/** What a person reads as one packet (one instance serves all rows: copy what you keep). */
export class Row {
  /** Number of its file, from 1. */
  file = 1;
  frame = 0;
  /** From 1 for the envelopes that the frame completes; 0: the row is the frame itself. */
  inner = 0;
  /** Seconds since the epoch, and nanoseconds. */
  seconds = 0;
  nanos = 0;
  /** Time of the first frame of the capture. */
  first: readonly [number, number] = [0, 0];
  /** Octets of the frame on the wire. */
  frameLength = 0;
  /** Octets of the inner packet. */
  packetLength = 0;
  tunnel: Tunnel | null = null;
  direction: 'up' | 'down' | null = null;
  /** The frame; its octets are valid during the call that hands out the row. */
  outer!: Packet;
  /** The content of the envelope; null: the row is the frame itself. */
  content: Packet | null = null;
  /** Codes of findings that no expert item of the tree carries. */
  findings: readonly string[] = [];
  /** Octets of the tunnel's stream that are missing before it: of each gap. */
  missing: readonly number[] = [];
  /** Whether several files are read, so that the row is written `2:812.1`. */
  severalFiles = false;

  constructor(readonly dissection: Dissection) {}

  /** `812`, `812.1`, `2:812.1`. */
  get id(): string {
    const s = this.inner === 0 ? `${this.frame}` : `${this.frame}.${this.inner}`;
    return this.severalFiles ? `${this.file}:${s}` : s;
  }

  /** Seconds and nanoseconds since the first frame of the capture; may be negative. */
  get relative(): readonly [number, number] {
    return difference(this.seconds, this.nanos, this.first[0], this.first[1]);
  }

  /** Seconds and nanoseconds since the frame before. */
  get delta(): readonly [number, number] {
    return difference(this.seconds, this.nanos, this.outer.previousSeconds, this.outer.previousNanos);
  }

  /** Codes of everything noticed about the row, above chat, each once. */
  codes(): readonly string[] {
    if (this.dissection.tree.experts.length === 0) return this.findings;
    const out = [...this.findings];
    for (const e of this.dissection.tree.experts)
      if (FINDING_SEVERITIES[e.expert.severity] > 0 && !out.includes(e.expert.code)) out.push(e.expert.code);
    return out;
  }
}
