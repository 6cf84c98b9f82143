import { Header, headerId } from '../../dissectors/sip/index.js';
import { isChallenge } from '../../dissectors/sip/status.js';
import { unescaped } from '../kit/index.js';
import { LIMITS, type ReachedLimits } from '../limits.js';
import { ANSWER_MS } from './answer-time.js';
import type { Transfer } from './entities.js';
import { type Moment, millis, type Seen } from './moment.js';
import type { SipEvent } from './sip-event.js';

const REFER_TO = headerId('Refer-To');
const REFER_SUB = headerId('Refer-Sub');
const SUBSCRIPTION_STATE = headerId('Subscription-State');
/** Timer C: so long, and a little more, a target may ring. RFC 3261 §16.6 */
const RINGING_S = 180;

/** A REFER as it goes on. */
export interface Referral {
  readonly entry: Transfer & { readonly cseq: number };
  readonly at: Seen;
  /** When it was accepted, and when a NOTIFY told of it last. */
  accepted: Seen | null;
  told: Seen | null;
  /** For how many seconds from then on there will be more, as far as is said. */
  seconds: number | undefined;
  /** Nothing was to be told of it. RFC 4488 §4 */
  isQuiet: boolean;
  /** There will be no more. */
  isClosed: boolean;
}

/** The REFER requests of a call, and what became of them. RFC 3515 */
export class Transfers {
  readonly list: Referral[] = [];

  /** @param reached is told of what does not fit */
  constructor(private readonly reached: ReachedLimits) {}

  asked(at: Seen, e: SipEvent, by: Transfer['by']): void {
    const target = e.party(REFER_TO).uri;
    const replaces = /[?&]Replaces=([^&>]+)/i.exec(target)?.[1];
    const dialog = replaces === undefined ? undefined : unescaped(replaces).split(';')[0];
    const bare = target.split('?')[0];
    const last = this.list.at(-1)?.entry;
    if (last?.by === by && last.target === bare && isChallenge(last.status)) this.list.pop();
    if (this.list.length >= LIMITS.callParts) {
      this.reached.capped('callParts');
      return;
    }
    const entry = {
      row: at.row,
      at,
      by,
      target: bare,
      cseq: e.cseq,
      ...(dialog !== undefined && { replaces: dialog }),
    };
    const isQuiet = refusesToTell(e);
    this.list.push({ entry, at, accepted: null, told: null, seconds: undefined, isQuiet, isClosed: false });
  }

  answered(at: Seen, e: SipEvent): void {
    const r = this.list.findLast((x) => x.entry.cseq === e.cseq);
    if (r === undefined || e.status < 200) return;
    r.entry.status = e.status;
    if (e.status < 300) r.accepted ??= at;
    r.isQuiet ||= e.status === 204 || refusesToTell(e);
  }

  /** RFC 3515 §2.4.5, §2.4.6: the body says how the referred request goes, and the id of the event which one it is. */
  notified(at: Seen, e: SipEvent): void {
    const id = /;\s*id\s*=\s*(\d+)/i.exec(e.text(Header.Event) ?? '')?.[1];
    const r = this.list.findLast((x) => id === undefined || x.entry.cseq === Number(id));
    if (r === undefined) return;
    const m = /^SIP\/2\.0 (\d{3})/.exec(e.bodyText);
    if (m !== null) r.entry.progress = Number(m[1]);
    const state = e.text(SUBSCRIPTION_STATE) ?? '';
    const seconds = /;\s*expires\s*=\s*(\d{1,10})/i.exec(state)?.[1];
    r.told = at;
    r.seconds = seconds === undefined ? undefined : Number(seconds);
    r.isClosed ||= /^\s*terminated\b/i.test(state);
  }

  /** The first that was accepted, and of which nobody said how it ended although there was time. RFC 3515 §2.4.4 */
  untold(end: Moment): Referral | undefined {
    return this.list.find((r) => {
      const { accepted, told, seconds = RINGING_S } = r;
      if (accepted === null || r.isQuiet || (r.entry.progress ?? 0) >= 200) return false;
      if (told === null) return millis(accepted, end) >= ANSWER_MS;
      return millis(told, end) >= (r.isClosed ? 0 : seconds * 1000);
    });
  }

  /** As a report tells of them. */
  get entries(): Transfer[] | undefined {
    return this.list.length === 0 ? undefined : this.list.map(({ entry: { cseq: _, ...t } }) => t);
  }
}

/** `Refer-Sub: false`, and the option 204 No Notification before it. RFC 4488 §4 */
const refusesToTell = (e: SipEvent): boolean => /^\s*false\b/i.test(e.text(REFER_SUB) ?? '');
