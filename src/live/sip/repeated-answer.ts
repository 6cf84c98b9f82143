import type { Cancel } from '../clock.js';
import type { SipLayer } from './layer.js';

/** A 2xx to INVITE, repeated until somebody says stop. RFC 3261 §13.3.1.4 */
export class RepeatedAnswer {
  private cancel: Cancel = () => undefined;
  private interval: number;
  private readonly until: number;

  constructor(
    private readonly layer: SipLayer,
    private readonly send: () => void,
    private readonly giveUp: () => void,
  ) {
    const { t1 } = layer.timers;
    this.interval = t1;
    this.until = layer.clock.now() + 64 * t1;
  }

  /** Sends it for the first time; the ACK may come during the call. */
  start(): void {
    this.wait();
    this.send();
  }

  stop(): void {
    this.cancel();
  }

  private wait(): void {
    const { clock, timers } = this.layer;
    const left = this.until - clock.now();
    this.cancel = clock.after(Math.min(this.interval, left), () => {
      this.interval = Math.min(2 * this.interval, timers.t2);
      if (clock.now() >= this.until) this.giveUp();
      else this.start();
    });
  }
}
