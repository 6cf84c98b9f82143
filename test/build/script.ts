/** What runs in a tunnel, by the clock. */

import { down, envelope, type Side, type Step, up } from './conversation.js';

/** Packets of both ends at milliseconds from the start of the tunnel. */
export class Script {
  protected said: { readonly ms: number; readonly side: Side; readonly packet: Uint8Array }[] = [];

  up(ms: number, packet: Uint8Array): this {
    this.said.push({ ms, side: 0, packet });
    return this;
  }
  down(ms: number, packet: Uint8Array): this {
    this.said.push({ ms, side: 1, packet });
    return this;
  }

  /** Milliseconds of the last packet. */
  get end(): number {
    return Math.max(0, ...this.said.map((s) => s.ms));
  }

  get steps(): Step[] {
    const steps: Step[] = [];
    let now = 0;
    for (const { ms, side, packet } of [...this.said].sort((a, b) => a.ms - b.ms)) {
      if (ms > now) steps.push({ pause: ms - now });
      now = Math.max(now, ms);
      steps.push(side === 0 ? up([envelope(packet)]) : down([envelope(packet)]));
    }
    return steps;
  }
}
