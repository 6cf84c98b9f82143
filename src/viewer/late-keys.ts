import type { Tunnel } from '../tunnel/tunnel.js';
import type { ViewedCapture } from './viewed-capture.js';

/** Milliseconds between two looks at key logs that may have grown. */
const EVERY_MS = 250;
const RANDOM = /\b[0-9a-f]{64}\b/gi;

/** Watches for key log lines that come after records which they open: those records were passed over. */
export class LateKeys {
  /** Such lines have come. */
  found = false;
  private readonly timer: NodeJS.Timeout | undefined;

  /** @param told called when lines have come while no frame did */
  constructor(
    private readonly viewed: ViewedCapture,
    private readonly tunnels: () => readonly Tunnel[],
    told: () => void,
  ) {
    if (!viewed.grows) return;
    this.timer = setInterval(() => {
      if (this.look()) told();
    }, EVERY_MS);
  }

  /** Takes what key logs have got; whether they have got anything. To be called before frames that they may open. */
  look(): boolean {
    const text = this.viewed.moreKeys();
    if (text === '') return false;
    this.note(text);
    return true;
  }

  /** Lines came, and were taken. */
  note(text: string): void {
    if (this.found) return;
    const waiting = this.tunnels().filter(isWaiting);
    if (waiting.length === 0) return;
    const randoms = new Set(text.match(RANDOM)?.map((r) => r.toLowerCase()));
    this.found = waiting.some(({ session }) => session!.keyRandom === '' || randoms.has(session!.keyRandom));
  }

  end(): void {
    clearInterval(this.timer);
  }
}

/** Whether records of a tunnel could not be opened. */
function isWaiting({ session }: Tunnel): boolean {
  if (session === undefined) return false;
  return ([0, 1] as const).some((d) => {
    const v = session.verdict(d);
    return v.records > 0 && v.verdict !== 'full' && (session.keyRandom !== '' || v.verdict === 'none');
  });
}
