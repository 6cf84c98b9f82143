import { type Clock, Timer } from './clock.js';
import type { TunnelLink } from './tunnel-link.js';

/** A peer is silent after so long, in which so many packets were sent to it. */
const SILENT_MS = 30_000;
const UNHEARD = 3;
const LOOK_MS = 5000;

const seconds = (ms: number): string => `${Math.round(ms / 1000)} s`;

/**
 * Tells when nothing comes from an EFTF that packets are sent to, and when it is heard again: that a path is dead TCP itself
 * finds out after a quarter of an hour.
 * @param clock that of the link
 */
export function watchSilence(
  link: Pick<TunnelLink, 'ended' | 'lastHeard' | 'sent'>,
  clock: Clock,
  tell: (line: string) => void,
): void {
  const timer = new Timer(clock);
  let heard = link.lastHeard;
  let sent = link.sent.packets;
  let isTold = false;
  const look = (): void => {
    const silent = clock.now() - heard;
    if (link.lastHeard !== heard) {
      if (isTold) tell(`the EFTF is heard again, after ${seconds(link.lastHeard - heard)}`);
      heard = link.lastHeard;
      sent = link.sent.packets;
      isTold = false;
    } else if (!isTold && silent >= SILENT_MS && link.sent.packets - sent >= UNHEARD) {
      isTold = true;
      tell(`nothing came from the EFTF for ${seconds(silent)}, while ${link.sent.packets - sent} packets were sent`);
    }
    timer.set(LOOK_MS, look);
  };
  timer.set(LOOK_MS, look);
  void link.ended.then(() => timer.stop());
}
