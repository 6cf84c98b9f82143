import { Header, headerId } from '../../dissectors/sip/index.js';
import { isChallenge } from '../../dissectors/sip/status.js';
import { addressText, type Own, parseAddress, UNTOLD, type Words } from '../kit/index.js';
import { LIMITS, type ReachedLimits } from '../limits.js';
import { SecurityAgreement, type SubscriberSecrets } from './aka.js';
import { ANSWER_MS, awaited, COPY_MS, EMERGENCY, IMS_ANSWER_MS } from './answer-time.js';
import { Authentication } from './authentication.js';
import { boundBy, type Contact, grantedTo } from './bindings.js';
import type { ClockSteps } from './clock.js';
import type { RegistrationEntity, RegistrationState, TransactionEntry } from './entities.js';
import type { Remark } from './findings.js';
import { type Arrival, earlier, later, type Moment, millis, type Seen } from './moment.js';
import { refusalOf } from './refusal.js';
import type { SipEvent } from './sip-event.js';
import { uid } from './uid.js';
import { Unheard } from './unheard.js';

/** TS 24.229 §5.1.1.4: refresh 600 s before the end, or half-way where that is 1200 s or less. */
const REFRESH_BEFORE = 600;
const DEFAULT_EXPIRES = 3600;
/** Challenges in a row from which on they are a loop: one, and one more for a stale nonce, are usual. */
const LOOP = 3;
/** Who asks so often again hears nothing: that need not be seen. */
const REPEATED = 3;
/** A little late is in time. */
export const LATE_MS = 30_000;
const NO_FILES: ReadonlySet<number> = new Set();
const MIN_EXPIRES = headerId('Min-Expires');
const REQUIRE = headerId('Require');

/** A transaction as it goes on. */
interface Running {
  /** Where it was seen: the number of the tunnel. */
  readonly tunnel: number;
  readonly entry: TransactionEntry;
  readonly at: Seen;
  answered: Seen | null;
  readonly own: Contact;
  readonly expires: number | undefined;
  /** It names no contact, and only asks which there are. RFC 3261 §10.2.3 */
  readonly asks: boolean;
  readonly branch: string;
  /** A provisional response came. */
  reached: boolean;
  /** It answers the challenge before it. */
  readonly authorized: boolean;
}

/** An answer that refuses a REGISTER. */
export interface Refused {
  readonly at: Seen;
  readonly status: number;
  /** Its status, and what it says beside that. */
  readonly said: Words;
}

/** One registration of a contact: the REGISTER requests of one Call-ID (RFC 3261 §10.2) and what came of them. */
export class Registration {
  readonly start: Seen;
  state: RegistrationState = 'in-progress';
  contact: string | undefined;
  /** What the registrar knows the contact by. */
  binding = '';
  /** The registration under which the binding goes on. */
  heir: Registration | null = null;
  /** The user was registered in the end, under another Call-ID. */
  isRecovered = false;
  /** The last refresh was refused. */
  unrefreshed: Refused | null = null;
  emergency = false;
  /** Whether its contacts name the instance (RFC 5626 §4.1), and one whose host is not the sender. */
  hasInstance = false;
  foreignContact: string | undefined;
  expiresSeconds: number | undefined;
  registered: Seen | null = null;
  end: Seen | null = null;
  readonly transactions: Running[] = [];
  readonly authentication: Authentication;
  readonly security: SecurityAgreement;
  /** Last final status, where it was sent, and what else it says. */
  status = 0;
  statusAt: Seen | null = null;
  said: Words = UNTOLD;
  retryAfter: number | undefined;
  /** A 421 demands a security agreement of a UE that offers none. RFC 3329 §2.3.1 */
  private demanded = false;
  retransmissions = 0;
  retransmittedAt: Seen | null = null;
  /** Requests that came again behind their answers. */
  readonly unheard = new Unheard();
  /** A refresh that came when the registration was over: for how many seconds that was granted, and until when. */
  refreshedLate: { readonly at: Seen; readonly granted: number; readonly over: Moment } | null = null;
  /** A refresh that came after it was due, though in time; and how late it was. */
  tardy: { readonly at: Seen; readonly ms: number } | null = null;
  /** First answer that the interval is too brief, with the least that it may be. */
  brief: { readonly at: Seen; readonly least: number | undefined } | null = null;
  /** First challenge that does not answer the offer of a security association, and whether there was one by then. */
  unsecured: { readonly at: Seen; readonly inForce: boolean } | null = null;
  /** First protected request that does not go where its protection is, and one whose Via names another address. */
  astray: Seen | null = null;
  translated: { readonly at: Seen; readonly via: string } | null = null;
  /** First time after which a request was sent again. */
  againMs = 0;

  constructor(
    readonly id: number,
    public tunnel: number,
    readonly aor: string,
    readonly callId: string,
    at: Arrival,
    /** Address that the first request came from. */
    readonly source: string,
    private readonly reached: ReachedLimits,
    /** Keys of subscribers, where there are any. */
    private readonly secrets?: SubscriberSecrets,
    /** Another one has its Call-ID. */
    private readonly isAnother = false,
  ) {
    this.start = at.seen();
    this.security = new SecurityAgreement(reached);
    this.authentication = new Authentication(secrets);
  }

  request(at: Arrival, e: SipEvent): void {
    const { cseq, branch } = e;
    const seen = at.seen();
    const again = this.transactions.findLast((t) => t.entry.cseq === cseq && t.branch === branch);
    if (again !== undefined) {
      if (again.tunnel !== at.tunnel) return; // in the tunnel and behind it: not sent twice
      again.entry.retransmissions++;
      this.retransmissions++;
      this.retransmittedAt ??= seen;
      if (again.answered !== null) this.unheard.repeated(again.answered, again.answered.row, seen, true);
      if (this.againMs === 0) this.againMs = millis(again.at, seen);
      return;
    }
    const own = boundBy(e);
    this.contact ??= own.uri === '' ? undefined : own.uri;
    if (!this.hasInstance) this.hasInstance = /\+sip\.instance\s*=/i.test(e.text(Header.Contact) ?? '');
    this.foreignContact ??= isForeign(own.uri, e.content.from) ? own.uri : undefined;
    this.emergency ||= /;\s*sos\b/i.test(`;${own.uri}`) || e.uri.toLowerCase().includes('urn:service:sos');
    const { sport, dport } = e.content;
    this.security.request(e.texts(Header.SecurityClient), e.texts(Header.SecurityVerify), sport, dport);
    if (at.tunnel !== 0) this.secured(seen, e);
    const credentials = e.text(Header.Authorization) ?? '';
    this.authentication.request(seen, e, credentials);
    if (this.transactions.length >= LIMITS.exchanges) {
      this.reached.capped('exchanges');
      return;
    }
    this.transactions.push({
      entry: { row: seen.row, at: seen, method: 'REGISTER', cseq, retransmissions: 0 },
      tunnel: at.tunnel,
      at: seen,
      answered: null,
      own,
      expires: own.expires ?? e.seconds(Header.Expires),
      asks: e.text(Header.Contact) === undefined,
      branch,
      reached: false,
      authorized: this.authentication.isAnswer(credentials),
    });
  }

  /** A request that follows a security agreement: it goes over the association, from the address that its Via names. */
  private secured(at: Seen, e: SipEvent): void {
    if (e.texts(Header.SecurityVerify).length === 0) return;
    const { sport, dport, from } = e.content;
    if (!this.security.covers(sport, dport)) this.astray ??= at;
    const via = e.viaHost;
    if (this.security.isBare && isForeign(`sip:${via}`, from)) this.translated ??= { at, via };
  }

  /** Whether a request has the numbers of one that nobody sends any more: whoever makes them up began anew. */
  isRepeated(at: Moment, { cseq, branch }: SipEvent): boolean {
    const same = this.transactions.findLast((t) => t.entry.cseq === cseq && t.branch === branch);
    if (same === undefined) return false;
    const last = this.transactions[this.transactions.length - 1];
    // Who has sent the next one waits no more for the answer to this; copies on other ways come at once.
    return millis(same.at, at) > IMS_ANSWER_MS || (last !== same && millis(last.at, at) > COPY_MS);
  }

  /** Whether what a response answers was seen. */
  hasAsked({ cseq }: SipEvent): boolean {
    return this.transactions.some((t) => t.entry.cseq === cseq);
  }

  /** Takes an answer; returns when it came where it accepts a binding, or its end. */
  response(at: Arrival, e: SipEvent): Seen | undefined {
    const { cseq, branch, status } = e;
    const t =
      this.transactions.findLast((x) => x.entry.cseq === cseq && x.branch === branch) ??
      this.transactions.findLast((x) => x.entry.cseq === cseq);
    if (t === undefined || t.answered !== null) return undefined;
    if (status < 200) {
      t.reached = true;
      return undefined;
    }
    const seen = at.seen();
    t.answered = seen;
    Object.assign(t.entry, { status, reason: e.reason, responseRow: seen.row, ms: millis(t.at, seen) });
    this.status = status;
    this.statusAt = seen;
    if (status >= 300) this.said = refusalOf(e);
    this.retryAfter = e.seconds(Header.RetryAfter);
    if (isChallenge(status)) this.challenged(seen, t, e);
    else if (status < 300) this.accepted(seen, t, e);
    else this.refused(seen, t, e);
    return status < 300 && !t.asks ? seen : undefined;
  }

  private challenged(at: Seen, t: Running, e: SipEvent): void {
    const { isAka, keys } = this.authentication.challenged(at, e, t.authorized);
    const servers = e.texts(Header.SecurityServer);
    const { isWanted, isInForce: inForce } = this.security;
    if (isAka && isWanted && servers.length === 0) this.unsecured ??= { at, inForce };
    this.security.response(servers);
    if (keys === undefined) return;
    this.secrets?.protect(this.security.ways(e.content.to, e.content.from), keys.ck, keys.ik);
  }

  private accepted(at: Seen, t: Running, e: SipEvent): void {
    this.authentication.accepted();
    this.security.accept();
    if (t.asks) return;
    this.unrefreshed = null;
    this.binding = t.own.key;
    const names = e.parties(Header.PAssociatedUri);
    if (names.length > LIMITS.identities) this.reached.capped('identities');
    this.associated = names.slice(0, LIMITS.identities).map((p) => p.uri);
    const given = grantedTo(t.own, e)?.expires ?? e.seconds(Header.Expires) ?? t.expires ?? DEFAULT_EXPIRES;
    if (t.expires === 0 || given === 0) {
      this.state = 'deregistered';
      this.end = at;
      return;
    }
    if (this.state === 'registered' && this.registered !== null && this.lapsed(t.at)) {
      const granted = this.expiresSeconds ?? 0;
      this.refreshedLate ??= { at: t.at, granted, over: later(this.registered, granted) };
    }
    if (this.state === 'registered' && this.refreshedLate === null) this.due(t.at);
    this.state = 'registered';
    this.expiresSeconds = given;
    this.contact = t.own.uri;
    this.registered = at;
    this.end = null;
  }

  /** Whether a refresh at `at` comes later than TS 24.229 §5.1.1.4 has it. */
  private due(at: Seen): void {
    const granted = this.expiresSeconds ?? 0;
    const ms = millis(this.registered!, at) - 1000 * (granted - leadOf(granted));
    if (ms > LATE_MS && this.tardy === null) this.tardy = { at, ms };
  }

  private refused(at: Seen, t: Running, e: SipEvent): void {
    const { status } = e;
    if (status === 423) this.brief ??= { at, least: e.seconds(MIN_EXPIRES) };
    if (status === 421 && /\bsec-agree\b/i.test(e.texts(REQUIRE).join())) this.demanded = true;
    if (status === 423 || status === 494) return; // RFC 3261 §10.2.8, RFC 3329 §2.3.1: asks for another try
    if (this.state === 'registered') {
      // The binding stays until it expires.
      if (this.isRefresh(t)) this.unrefreshed = { at, status, said: this.said };
      return;
    }
    this.state = 'failed';
    this.end = at;
  }

  /** Whether the network challenges without end. */
  get isLooping(): boolean {
    return this.isPestered && isChallenge(this.status);
  }

  /** Whether the network challenged again and again, whatever came of it. */
  get isPestered(): boolean {
    const { challenges, sameNonce } = this.authentication;
    return challenges >= LOOP || (sameNonce > 0 && this.state !== 'registered');
  }

  /** Whether the last answer refuses for want of a security agreement. RFC 3329 §2.3.1 */
  get isUnagreed(): boolean {
    return this.status === 494 || (this.status === 421 && this.demanded);
  }

  /** Whether the binding had run out by `at`. */
  lapsed(at: Moment, clock?: ClockSteps, files: ReadonlySet<number> = NO_FILES): boolean {
    if (this.registered === null) return false;
    const ms = clock === undefined ? millis(this.registered, at) : clock.passed(this.registered, at, files);
    return ms > (this.expiresSeconds ?? 0) * 1000;
  }

  /** Until when the binding is there, as far as is known; undefined where it never was. */
  get inForceUntil(): Moment | undefined {
    if (this.registered === null) return undefined;
    const lapse = later(this.registered, this.expiresSeconds ?? 0);
    return this.end === null ? lapse : earlier(this.end, lapse);
  }

  /** The first request that nothing answered although there was time. */
  unanswered(end: Moment): Running | undefined {
    const least = this.emergency ? EMERGENCY.registerMs : ANSWER_MS;
    return this.transactions.find((t) => t.answered === null && millis(t.at, end) >= least);
  }

  /** What is to be added about a request without an answer: who sent another one waits no more. */
  awaited(t: Running, end: Moment, detail: Own | ''): Remark {
    const last = this.transactions[this.transactions.length - 1];
    if (t === last && !this.isRecovered && !this.emergency) return awaited(t.at, end, this.againMs, detail);
    return detail === '' ? {} : { detail };
  }

  /** Whether a request without an answer was given up. */
  private isGivenUp(t: Running, end: Moment): boolean {
    return this.awaited(t, end, '').confidence === undefined;
  }

  /** The last request, where there was time for an answer and none came. */
  silent(end: Moment): Running | undefined {
    const last = this.transactions[this.transactions.length - 1];
    return last !== undefined && this.isRefresh(last) && last === this.unanswered(end) ? last : undefined;
  }

  /** The last request, where it was to end the registration; `unanswered`: there was time for an answer, and none came. */
  farewell(end: Moment): { readonly at: Seen; readonly unanswered: boolean } | undefined {
    const last = this.transactions[this.transactions.length - 1];
    if (last === undefined || last.expires !== 0) return undefined;
    return { at: last.at, unanswered: last.answered === null && millis(last.at, end) >= ANSWER_MS };
  }

  /** Whether a request is the last, and wants to go on. */
  private isRefresh(t: Running): boolean {
    return t === this.transactions[this.transactions.length - 1] && t.expires !== 0 && !t.asks;
  }

  /** It ended elsewhere: by another REGISTER, or by the network, which says what happened (RFC 3680 §4.7.1). */
  cease(at: Seen, event?: string): void {
    this.state = 'deregistered';
    this.end = at;
    if (event !== undefined) this.revoked ??= { at, event };
  }
  /** Other names of the user that are registered with it. RFC 7315 §4.1 */
  associated: readonly string[] = [];

  /** Whether the UE asked at about this time for the end of the registration. */
  isLeaving(when: Moment): boolean {
    return this.transactions.some((t) => t.expires === 0 && Math.abs(millis(t.at, when)) <= ANSWER_MS);
  }
  /** First time that the network ended it, and how. */
  revoked: { readonly at: Seen; readonly event: string } | null = null;

  /** Fails it where nobody waits any more for the answer to a request. */
  giveUp(end: Moment): void {
    const unanswered = this.state === 'in-progress' ? this.unanswered(end) : undefined;
    if (unanswered !== undefined && this.isGivenUp(unanswered, end)) this.state = 'failed';
  }

  /** It failed for want of an answer alone, and was not sent again and again for want of one. */
  get isPresumed(): boolean {
    return this.state === 'failed' && this.end === null && this.retransmissions < REPEATED;
  }

  /** What it waited for may have come, and was not captured. */
  doubt(): void {
    this.state = 'in-progress';
    this.isDoubtful = true;
  }
  isDoubtful = false;

  /**
   * Whether it was under way when its tunnel ended: a request waits for its answer, or a challenge for that of the UE.
   * @param byUe the UE let go of the tunnel: who does so when it is asked something does not go on
   */
  isWaiting(when: Moment, byUe: boolean): boolean {
    const last = this.transactions[this.transactions.length - 1];
    if (last === undefined || last.asks || last.expires === 0) return false;
    if (last.answered === null) return this.unanswered(when) === undefined;
    return this.state === 'in-progress' && !byUe && !this.isLooping && !this.isUnagreed;
  }

  /** Its tunnel ended: where it did not come about by then, it has failed. */
  close(at: Seen): void {
    const last = this.transactions[this.transactions.length - 1];
    if (this.state !== 'in-progress' || last === undefined || last.asks || last.expires === 0) return;
    this.state = 'failed';
    this.end = at;
  }

  /** Its tunnel ended while it was under way. */
  cutOff(at: Seen): void {
    this.isCutOff = true;
    if (this.state !== 'in-progress') return;
    this.state = 'failed';
    this.end = at;
  }
  isCutOff = false;

  /**
   * @param end of the capture
   * @param until when anything of it could be heard: its tunnel may end before the capture does
   * @param files in which it was seen
   */
  finish(end: Moment, until: Moment, clock: ClockSteps, files: ReadonlySet<number>): void {
    if (this.state === 'registered' && this.lapsed(end, clock, files)) this.state = 'expired';
    this.giveUp(until);
    const last = this.transactions[this.transactions.length - 1];
    const stuck = last?.answered != null && !last.asks && millis(last.answered, until) >= ANSWER_MS;
    if (this.state === 'in-progress' && (stuck || this.authentication.challenges >= LOOP)) this.state = 'failed';
  }

  entity(): RegistrationEntity {
    const { expiresSeconds, registered, contact, heir } = this;
    const { aka } = this.authentication;
    const secAgree = this.security.entry;
    const live = registered !== null && expiresSeconds !== undefined && this.state === 'registered' && heir === null;
    return {
      id: this.id,
      uid: this.uid,
      ...(this.tunnel !== 0 && { tunnel: this.tunnel }),
      aor: this.aor,
      ...(contact !== undefined && { contact }),
      callId: this.callId,
      state: this.state,
      emergency: this.emergency,
      start: this.start,
      ...(this.end !== null && { end: this.end }),
      transactions: this.transactions.map((t) => t.entry),
      ...(expiresSeconds !== undefined && { expiresSeconds }),
      ...(live && { nextRefresh: later(registered, expiresSeconds - leadOf(expiresSeconds)) }),
      ...(heir !== null && { continuedBy: heir.id }),
      ...(aka !== undefined && { aka }),
      ...(secAgree !== undefined && { secAgree }),
    };
  }

  get uid(): string {
    const { aor, callId, start } = this;
    return this.isAnother
      ? uid('registration', aor, callId, start.seconds, start.nanos)
      : uid('registration', aor, callId);
  }
}

/** Whether the host of a contact is an address, and not the one that sent it. */
function isForeign(uri: string, from: string): boolean {
  const host = /^sips?:(?:[^@]*@)?(\[[\da-f:.]+\]|[\d.]+)(?=[:;?]|$)/i.exec(uri)?.[1];
  if (host === undefined) return false;
  const b = parseAddress(host.replace(/^\[|\]$/g, ''));
  return b !== undefined && addressText(b) !== from;
}

/** Seconds before the end of a registration of so many seconds at which it is to be refreshed. */
const leadOf = (seconds: number): number => (seconds > 2 * REFRESH_BEFORE ? REFRESH_BEFORE : seconds / 2);
