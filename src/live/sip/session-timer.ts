import { headerOf, headersOf, type SipRepresentation } from '../../../dissectors/sip/index.js';
import type { Cancel, Clock } from '../clock.js';
import { listOf, parameters, secondsOf, splitOutside } from './header-text.js';

/*
 * Session timers: a call that nobody refreshes ends at both sides, so that none is kept for a peer that is gone.
 * RFC 4028
 */

/** Which side of a request refreshes: the one that sent it, or the one that answered. RFC 4028 §4 */
type Refresher = 'uac' | 'uas';

/** The least that may be asked for, seconds. RFC 4028 §5 */
const LEAST = 90;
/** How long before the end who does not refresh gives up, seconds; a third of the interval where that is less. §10 */
const LEAD = 32;

type Header = [string, string];

/** Value of Session-Expires. RFC 4028 §4 */
function sessionExpires(m: SipRepresentation): { seconds: number; refresher: Refresher | undefined } | undefined {
  const [head, ...rest] = splitOutside(headerOf(m, 'Session-Expires') ?? '', ';');
  const seconds = secondsOf(head);
  const refresher = parameters(rest).get('refresher');
  if (!seconds) return undefined; // none, or one that would be over at once
  return { seconds, refresher: refresher === 'uac' || refresher === 'uas' ? refresher : undefined };
}

const supportsTimer = (m: SipRepresentation): boolean =>
  listOf([...headersOf(m, 'Supported'), ...headersOf(m, 'Require')]).includes('timer');

/** Headers of a 422 to a request that asks for too short an interval; undefined where it does not. RFC 4028 §9 */
export function tooBrief(request: SipRepresentation): Header[] | undefined {
  const asked = sessionExpires(request);
  const brief = asked !== undefined && asked.seconds < LEAST && supportsTimer(request);
  return brief ? [['Min-SE', String(LEAST)]] : undefined;
}

/** How often a session is to be refreshed, and who is told when. */
export interface SessionTimerOptions {
  clock: Clock;
  /** Seconds to ask for; undefined: only what the peer asks for. */
  wanted: number | undefined;
  /** Half of the interval is over, and it is ours to refresh. */
  refresh(): void;
  /** Nobody refreshed. */
  expired(): void;
}

/** The timer of one call. */
export class SessionTimer {
  /** What is agreed on; undefined without a timer. */
  agreed: { seconds: number; ours: boolean } | undefined;
  /** The largest Min-SE that the peer, or something on the way to it, has named. §7.4 */
  private least: number | undefined;
  private cancel: Cancel = () => undefined;

  constructor(private readonly options: SessionTimerOptions) {}

  /** Headers of a request of ours that begins or refreshes the session. RFC 4028 §7.1, §7.4 */
  ask(): Header[] {
    const seconds = this.agreed?.seconds ?? this.options.wanted;
    if (seconds === undefined) return [];
    const role = this.agreed && `;refresher=${this.agreed.ours ? 'uac' : 'uas'}`;
    const list: Header[] = [['Session-Expires', `${Math.max(seconds, this.least ?? LEAST)}${role ?? ''}`]];
    if (this.least !== undefined) list.push(['Min-SE', String(this.least)]);
    return list;
  }

  /** Takes a 422; true where the request may go again with what {@link ask} says then. RFC 4028 §7.3 */
  lengthen(response: SipRepresentation): boolean {
    const before = this.least ?? LEAST;
    this.hear(response);
    return (this.least ?? LEAST) > before;
  }

  /** Takes the 2xx to a request of ours. RFC 4028 §7.2 */
  answered(response: SipRepresentation): void {
    const granted = sessionExpires(response);
    this.set(granted && { seconds: granted.seconds, ours: granted.refresher !== 'uas' });
  }

  /** Headers of our 2xx to a request of the peer: whoever called refreshes if it can. RFC 4028 §9 table 2 */
  answer(request: SipRepresentation): Header[] {
    const asked = sessionExpires(request);
    this.hear(request);
    if (asked === undefined) {
      this.set(undefined);
      return [];
    }
    const able = supportsTimer(request);
    const refresher: Refresher = able ? (asked.refresher ?? 'uac') : 'uas';
    this.set({ seconds: asked.seconds, ours: refresher === 'uas' });
    const require: Header[] = able ? [['Require', 'timer']] : [];
    return [['Session-Expires', `${asked.seconds};refresher=${refresher}`], ...require];
  }

  stop(): void {
    this.set(undefined);
  }

  /** Notes the Min-SE of a request, or of a 422. */
  private hear(m: SipRepresentation): void {
    const least = secondsOf(headerOf(m, 'Min-SE'));
    if (least !== undefined && least > (this.least ?? 0)) this.least = least;
  }

  private set(agreed: SessionTimer['agreed']): void {
    this.cancel();
    this.agreed = agreed;
    if (agreed === undefined) return;
    const { clock, refresh, expired } = this.options;
    const { seconds, ours } = agreed;
    const end = seconds - Math.min(LEAD, seconds / 3); // RFC 4028 §10
    if (!ours) {
      this.cancel = clock.after(1000 * end, expired);
      return;
    }
    const half = seconds / 2; // RFC 4028 §7.4
    this.cancel = clock.after(1000 * half, () => {
      this.cancel = clock.after(1000 * (end - half), expired); // §10: nor where no refresh succeeds
      refresh();
    });
  }
}
