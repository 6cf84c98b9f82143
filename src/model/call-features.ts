import { Header, headerId } from '../../dissectors/sip/index.js';
import { isChallenge } from '../../dissectors/sip/status.js';
import { LIMITS, type ReachedLimits } from '../limits.js';
import { ANSWER_MS } from './answer-time.js';
import type { CallDialog, CallFeatureEntries, Hold, Preconditions, SessionTimer } from './entities.js';
import { isBefore, type Moment, millis, type Seen } from './moment.js';
import { isHold, type SessionMedia } from './session-media.js';
import type { SipEvent } from './sip-event.js';
import { Transfers } from './transfers.js';

const REPLACES = headerId('Replaces');
/** Early Dialog Terminated. RFC 6228 */
export const GONE = 199;

type Side = 'caller' | 'callee';

/** Requests within a call whose answers are waited for; PRACK is judged by what it acknowledges. */
const WAITING: ReadonlySet<string> = new Set(['INVITE', 'UPDATE', 'OPTIONS', 'REFER', 'BYE']);
/** Those that end a call. RFC 3261 §9.1, §15.1.1 */
const ENDING: ReadonlySet<string> = new Set(['BYE', 'CANCEL']);

/** A request that waits for its answer; it may be repeated until then. */
interface Asked {
  readonly at: Seen;
  /** When it was last sent. */
  last: Seen;
  times: number;
  /** After how many milliseconds it was sent again; 0 where it was not. */
  againMs: number;
  readonly method: string;
  readonly cseq: number;
  readonly by: Side;
}

/** Whether a response to `method` answers a request that waits: a CANCEL has done its work where the INVITE is refused. */
const isAnswer = (waiting: string, method: string, status: number): boolean =>
  waiting === method || (waiting === 'CANCEL' && method === 'INVITE' && status >= 200);

/** A provisional response that was sent reliably, until PRACK acknowledges it. RFC 3262 §3 */
interface Reliable {
  readonly rseq: number;
  readonly toTag: string;
  readonly at: Seen;
  repeated: boolean;
  acknowledged: boolean;
  /** CSeq of its PRACK, and what refused that. */
  prack: number;
  refused: number | undefined;
  /** Its early dialog ended. */
  over: Seen | null;
}

/** Of one direction of the session: what a side says that its resources are. RFC 3312 §5 */
interface Quality {
  readonly at: Seen;
  readonly met: boolean;
  /** Whose resources are not there yet, by the last description that asks for any. */
  readonly lacking: readonly Side[];
}

/** What of a call goes beyond INVITE, ACK and BYE: forks, reliable responses, preconditions, hold, transfer, timers. */
export class CallFeatures {
  private dialogs: readonly CallDialog[] = [];
  readonly reliable: Reliable[] = [];
  private readonly holds: Hold[] = [];
  /** Holds, with what the UE sent before and after each: see {@link heard}. */
  readonly quiet: { readonly hold: Hold; readonly at: Seen; readonly before: number; after?: number }[] = [];
  /** The last hold that a request began, or ended. */
  private asked: { readonly hold: Hold; readonly by: Side; readonly cseq: number; readonly began: boolean } | null =
    null;
  private changed: { readonly hold: Hold; readonly at: Seen }[] = [];
  readonly transfers: Transfers;
  /** Absent: none were asked for. */
  quality: Quality | undefined;
  timer: SessionTimer | undefined;
  /** When the timer was last set. */
  refreshed: Seen | undefined;
  /** What the last try to refresh the session got. */
  unrefreshed: number | undefined;
  /** Call-ID of the call that this one is to take the place of. RFC 3891 §3 */
  replaces: string | undefined;
  replacedBy: string | undefined;

  /** Requests that are to change the session, to refresh or to end it, until something answers. */
  private asking: readonly Asked[] = [];

  /** @param reached is told of what does not fit */
  constructor(private readonly reached: ReachedLimits) {
    this.transfers = new Transfers(reached);
  }

  private hasRoom(list: readonly unknown[]): boolean {
    if (list.length < LIMITS.callParts) return true;
    this.reached.capped('callParts');
    return false;
  }

  request(at: Seen, e: SipEvent, side: Side, media: readonly SessionMedia[] | undefined): void {
    const { method, cseq } = e;
    if ((method === 'CANCEL' || (e.to.tag !== '' && WAITING.has(method))) && this.hasRoom(this.asking))
      this.asking = [...this.asking, { at, last: at, times: 1, againMs: 0, method, cseq, by: side }];
    if (e.method === 'INVITE') this.replaces ??= e.text(REPLACES)?.split(';')[0].trim();
    else if (e.method === 'PRACK') this.acknowledge(e);
    else if (e.method === 'REFER') this.transfers.asked(at, e, side);
    else if (e.method === 'NOTIFY') this.transfers.notified(at, e);
    if (media !== undefined) this.described(at, e, side, media);
  }

  response(at: Seen, e: SipEvent, side: Side, media: readonly SessionMedia[] | undefined): void {
    const { status, method, cseq } = e;
    if (this.asking.length > 0)
      this.asking = this.asking.filter((r) => r.by === side || r.cseq !== cseq || !isAnswer(r.method, method, status));
    if (method === 'INVITE') this.answered(at, e, side);
    if (method === 'PRACK' && status >= 300) this.unacknowledge(e);
    if (method === 'REFER') this.transfers.answered(at, e);
    if ((method === 'INVITE' || method === 'UPDATE') && status >= 200 && status < 300) this.clock(at, e, side);
    if ((method === 'INVITE' || method === 'UPDATE') && status >= 300 && !isChallenge(status))
      this.unrefreshed = status;
    if (media !== undefined) this.described(at, e, side, media);
  }

  /** A message that came before. */
  repeated(at: Seen, e: SipEvent, side: Side): void {
    const { method, cseq } = e;
    const asked = e.isRequest && this.asking.find((r) => r.method === method && r.cseq === cseq && r.by === side);
    if (asked) {
      asked.last = at;
      if (asked.times === 1) asked.againMs = millis(asked.at, at);
      asked.times++;
    }
    if (e.isRequest || e.status < 101 || e.status > 199) return;
    const rseq = e.seconds(Header.RSeq);
    const r = this.reliable.find((x) => x.rseq === rseq && x.toTag === e.to.tag);
    if (r !== undefined) r.repeated = true;
  }

  private answered(at: Seen, e: SipEvent, side: Side): void {
    const { status } = e;
    const { tag } = e.to;
    if (side === 'callee' && (status === GONE || status >= 300)) this.terminated(at, status === GONE ? tag : undefined);
    else if (status > 100 && status < 300 && tag !== '' && side === 'callee') {
      const known = this.dialogs.findIndex((d) => d.toTag === tag);
      const state = status >= 200 ? 'confirmed' : 'early';
      if (known < 0 && this.hasRoom(this.dialogs)) this.dialogs = [...this.dialogs, { toTag: tag, state, row: at.row }];
      else if (known >= 0 && status >= 200) this.dialogs = this.dialogs.with(known, { ...this.dialogs[known], state });
    }
    const rseq = status > 100 && status < 200 ? e.seconds(Header.RSeq) : undefined;
    // On each hop of a path the response is the same, and its PRACK need not pass all of them. RFC 3261 §16.6 step 4
    const isKnown = this.reliable.some((r) => r.rseq === rseq && r.toTag === tag);
    if (rseq !== undefined && !isKnown && this.hasRoom(this.reliable))
      this.reliable.push({
        ...{ rseq, toTag: tag, at, repeated: false, over: null },
        ...{ acknowledged: false, prack: 0, refused: undefined },
      });
  }

  /** The early dialog with this tag is over, or where none is named, and none was answered, all are. */
  private terminated(at: Seen, tag: string | undefined): void {
    if (tag === undefined && this.dialogs.some((d) => d.state === 'confirmed')) return;
    this.dialogs = this.dialogs.map((d) =>
      d.state === 'early' && (tag === undefined || d.toTag === tag) ? { ...d, state: 'terminated' } : d,
    );
    for (const r of this.reliable) if (tag === undefined || r.toTag === tag) r.over ??= at;
  }

  /** RFC 3262 §7.2: RAck repeats RSeq. */
  private acknowledge(e: SipEvent): void {
    const rseq = e.seconds(Header.RAck);
    const r =
      this.reliable.find((x) => x.rseq === rseq && x.toTag === e.to.tag) ?? this.reliable.find((x) => x.rseq === rseq);
    if (r === undefined) return;
    r.acknowledged = true;
    r.prack = e.cseq;
  }

  /** A PRACK that is refused acknowledges nothing. RFC 3262 §3 */
  private unacknowledge(e: SipEvent): void {
    const r = this.reliable.find((x) => x.prack === e.cseq && x.toTag === e.to.tag);
    if (r === undefined || isChallenge(e.status)) return;
    r.acknowledged = false;
    r.refused = e.status;
  }

  /** RFC 4028 §4: the interval that both sides have settled on; `by`: who answers. */
  private clock(at: Seen, e: SipEvent, by: Side): void {
    this.unrefreshed = undefined;
    const value = e.text(Header.SessionExpires);
    const seconds = e.seconds(Header.SessionExpires);
    if (value === undefined || seconds === undefined) {
      this.refreshed = undefined; // RFC 4028 §7.2: without the header the session does not expire
      return;
    }
    // The names are those of this transaction; told is who it is in the call.
    const refresher = /;\s*refresher\s*=\s*(uac|uas)/i.exec(value)?.[1].toLowerCase();
    const isAsker = refresher === 'uac';
    this.timer = {
      seconds,
      ...(refresher !== undefined && { refresher: isAsker === (by === 'callee') ? 'uac' : 'uas' }),
      refreshes: this.timer === undefined ? 0 : this.timer.refreshes + 1,
    };
    this.refreshed = at;
  }

  private described(at: Seen, e: SipEvent, by: Side, media: readonly SessionMedia[]): void {
    this.held(at, e, by, media);
    const wanted = media.filter((m) => m.mandatory);
    if (wanted.length === 0) return;
    const met = wanted.every((m) => m.unmet.length === 0);
    const other = by === 'caller' ? 'callee' : 'caller';
    const own: Readonly<Record<string, readonly Side[]>> = { local: [by], remote: [other], e2e: [by, other] };
    const lacking = [...new Set(wanted.flatMap((m) => m.unmet.flatMap((status) => own[status] ?? [])))];
    if (this.quality === undefined || (met && !this.quality.met)) this.quality = { at, met, lacking };
    else if (!this.quality.met) this.quality = { ...this.quality, lacking };
  }

  private held(at: Seen, e: SipEvent, by: Side, media: readonly SessionMedia[]): void {
    const open = this.holds.findLast((h) => h.end === undefined && h.by === by);
    const held = isHold(media);
    if (!held && open !== undefined) {
      open.end = at;
      this.asked = e.isRequest ? { hold: open, by, cseq: e.cseq, began: false } : null;
      this.changed.push({ hold: open, at });
    }
    // An answer on hold only follows the offer, and the first INVITE has nothing that it could hold.
    else if (held && open === undefined && e.isRequest && e.to.tag !== '' && this.hasRoom(this.holds)) {
      const hold = { by, row: at.row, start: at };
      this.holds.push(hold);
      this.asked = { hold, by, cseq: e.cseq, began: true };
      this.changed.push({ hold, at });
    }
  }

  /** A request of a side was refused: a hold that it began did not come about, one that it ended goes on. */
  refused(e: SipEvent, by: Side): void {
    const { asked } = this;
    if (asked === null || asked.by !== by || asked.cseq !== e.cseq) return;
    const { hold, began } = asked;
    this.asked = null;
    this.changed = this.changed.filter((x) => x.hold !== hold || (!began && x.at === hold.start));
    const quiet = this.quiet.findIndex((q) => q.hold === hold);
    if (began) {
      this.holds.splice(this.holds.indexOf(hold), 1);
      if (quiet >= 0) this.quiet.splice(quiet, 1);
    } else {
      delete hold.end;
      if (quiet >= 0) delete this.quiet[quiet].after;
    }
  }

  /** Whether a hold began or ended, so that {@link heard} is to be told. */
  get isChanged(): boolean {
    return this.changed.length > 0;
  }

  /** @param packets of media that the UE has sent in this call */
  heard(packets: number): void {
    for (const { hold, at } of this.changed) {
      const known = this.quiet.find((q) => q.hold === hold);
      if (known === undefined) this.quiet.push({ hold, at, before: packets });
      else known.after ??= packets;
    }
    this.changed = [];
  }

  /** The reliable responses that nobody acknowledged although they came again. */
  get unacknowledged(): readonly Reliable[] {
    return this.reliable.filter((r) => !r.acknowledged);
  }

  /** The first request within the call that nothing answered although there was time, until the call's end. */
  unanswered(end: Moment): Asked | undefined {
    return this.asking.find((r) => !ENDING.has(r.method) && millis(r.at, end) >= ANSWER_MS);
  }

  /** The last request that was to refresh the session since the timer was set, where nothing has answered it. RFC 4028 §7.4 */
  get refreshing(): Asked | undefined {
    const { refreshed } = this;
    return this.asking.findLast(
      (r) => (r.method === 'INVITE' || r.method === 'UPDATE') && refreshed !== undefined && isBefore(refreshed, r.at),
    );
  }

  /**
   * The first BYE or CANCEL that nothing answered although there was time, or although it was repeated for long: where
   * a way ends at once nobody repeats anything. Where both sides say BYE, both know.
   */
  unheeded(end: Moment): Asked | undefined {
    const all = this.asking.filter((r) => ENDING.has(r.method));
    if (all.some((r) => r.by !== all[0].by)) return undefined;
    return all.find((r) => millis(r.at, end) >= ANSWER_MS || millis(r.at, r.last) >= ANSWER_MS / 2);
  }

  /** Milliseconds since the timer was set. */
  since(end: Moment): number {
    return this.refreshed === undefined ? 0 : millis(this.refreshed, end);
  }

  /** Calls end with all of this. @param end of the call, where it has one */
  entries(end: Moment | null): CallFeatureEntries {
    const { quality, timer, replaces, replacedBy, reliable } = this;
    for (const h of this.holds) if (h.end === undefined && end !== null) h.end = end;
    const preconditions: Preconditions | undefined = quality && {
      met: quality.met,
      at: quality.at,
      row: quality.at.row,
    };
    const acknowledged = reliable.reduce((n, r) => (r.acknowledged ? n + 1 : n), 0);
    return {
      dialogs: this.dialogs.length === 0 ? undefined : [...this.dialogs],
      reliable: reliable.length === 0 ? undefined : { responses: reliable.length, acknowledged },
      preconditions,
      holds: this.holds.length === 0 ? undefined : this.holds,
      transfers: this.transfers.entries,
      replaces,
      replacedBy,
      sessionTimer: timer,
    };
  }
}
