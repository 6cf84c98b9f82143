import { bareUri, Header, headerId } from '../../dissectors/sip/index.js';
import { isChallenge } from '../../dissectors/sip/status.js';
import { type Tell, type Words, words } from '../kit/index.js';
import { LIMITS, type ReachedLimits } from '../limits.js';
import { COPY_MS, EMERGENCY, IMS_ANSWER_MS, patience } from './answer-time.js';
import { callFailure, type Failure } from './call-failure.js';
import { CallFeatures, GONE } from './call-features.js';
import { CallMessages } from './call-messages.js';
import type { CallEntity, CallState } from './entities.js';
import type { MediaStream } from './media-stream.js';
import { type Arrival, fileOf, type Moment, millis, type Seen } from './moment.js';
import { type Misfit, OfferAnswer } from './offer-answer.js';
import { Pinholes } from './pinholes.js';
import { namesOf, warningOf } from './refusal.js';
import { type Release, releaseOf } from './release-reason.js';
import type { SessionMedia } from './session-media.js';
import { placesOf } from './session-media.js';
import type { SipEvent } from './sip-event.js';
import { uid } from './uid.js';
import { Unheard } from './unheard.js';

/** Loop Detected. */
const MERGED = 482;
const NO_TUNNELS: ReadonlySet<number> = new Set();
const MIN_SE = headerId('Min-SE');
const USSD = 'application/vnd.3gpp.ussd+xml';
/** Requests within a dialog whose refusal as unknown ends the call. RFC 5057 §5 */
const WITHIN: ReadonlySet<string> = new Set(['INVITE', 'UPDATE', 'INFO']);

const isUnmeasured = (m: SessionMedia): boolean =>
  (m.kind === 'audio' || m.kind === 'video') && m.port !== 0 && m.bandwidth === undefined;

/** What went wrong with USSD over IMS, as its body says, alone or beside others. TS 24.390 §5.1.3 */
function serviceError(e: SipEvent): number | undefined {
  if (e.mediaType !== USSD && !e.mediaType.startsWith('multipart/')) return undefined;
  const data = /<(?:[\w-]+:)?ussd-data\b[\s\S]*$/.exec(e.bodyText)?.[0];
  const code = data === undefined ? undefined : /<(?:[\w-]+:)?error-code\b[^>]*>\s*(\d{1,5})\s*</.exec(data)?.[1];
  return code === undefined ? undefined : Number(code);
}

/** A dialog that was answered. */
interface Answer {
  readonly tag: string;
  readonly at: Seen;
  acked: boolean;
  ackedAt: Seen | null;
}

/** One call: the dialogs of an INVITE and all that belongs to them, known by its Call-ID. */
export class Call {
  tunnels: ReadonlySet<number> = NO_TUNNELS;
  /** Tags of UEs, with the tunnel: of a call between two, or to several, each has its own; empty before it answers. */
  private readonly ends: { readonly tunnel: number; readonly tag: string }[] = [];
  readonly messages: CallMessages;
  /** Null: it has none. */
  private media: Set<number> | null = null;
  readonly session: OfferAnswer;
  /** Where its session descriptions want media: `address port`. */
  readonly endpoints = new Set<string>();
  readonly features: CallFeatures;
  readonly pinholes: Pinholes;
  readonly start: Seen;
  state: CallState = 'in-progress';
  trying: Seen | null = null;
  /** The INVITE that waited longest for any sign of the other side, and for how long. */
  slowest: { readonly at: Seen; readonly ms: number } | null = null;
  private isHeard = false;
  ringing: Seen | null = null;
  /** First response that tells of progress: 180 to 198. */
  progress: Seen | null = null;
  answer: Seen | null = null;
  end: Seen | null = null;
  cancel: Seen | null = null;
  releasedBy: 'caller' | 'callee' | undefined;
  /** What the BYE or CANCEL that ended it says of why. */
  release: Release | undefined;
  failure: Failure | undefined;
  failedAt: Seen | null = null;
  /** The network lost its state of the user: the UE is to register anew (TS 24.229 §5.1.2A.1.6). */
  restoration: Seen | null = null;
  /** Addresses at which it was tried, and the first redirection that names none but those. RFC 3261 §8.1.3.4 */
  private tried: readonly string[];
  circle: Seen | null = null;
  /** First description of the UE with a medium of speech or video whose bandwidth it does not tell. */
  unmeasured: Seen | null = null;
  /** The first answer of a session description that does not fit its offer, and how. */
  misfit: ({ readonly at: Seen } & Misfit) | null = null;
  /** Where the other side answered the BYE that it knew the call no longer. RFC 3261 §15.1.2 */
  unknownBye: Seen | null = null;
  /** Where a proxy answered the BYE that nobody else did. RFC 3261 §21.4.9 */
  vainBye: Seen | null = null;
  /** Where the BYE was refused otherwise: whoever was to have it may not. */
  refusedBye: { readonly at: Seen; readonly status: number } | null = null;
  /** Both sides said BYE: none of them has a call any more when it is asked to end it. */
  isMutual = false;
  /** The first answer within the dialog that ended it: the other side has lost it. */
  lost: { readonly at: Seen; readonly status: number } | null = null;
  /** The first error that a request of USSD over IMS got, or its answer. TS 24.390 §5.1.3 */
  serviceError: { readonly at: Seen; readonly code: number; readonly by: 'caller' | 'callee' } | null = null;
  acked = false;
  /** Its caller acknowledged a final response, of whatever kind. */
  private concluded = false;
  /** The dialogs that were answered, each with its own ACK. RFC 3261 §13.2.2.4 */
  private answers: readonly Answer[] = [];
  /** To tags of responses to the first INVITE. */
  private tags: readonly string[] = [];
  readonly fromUri: string;
  readonly toUri: string;
  emergency: boolean;
  readonly direction: 'originated' | 'terminated' | undefined;
  private readonly callerTag: string;
  private readonly isAnother: boolean;
  /** The initial INVITE that counts: another one follows a challenge or a redirection. */
  private cseq: number;
  /** When that was sent. */
  inviteAt: Seen;
  /** The connection of TCP that it was sent on; '' where none carries it. */
  carrier = '';
  /** That was reset before anything came of it. */
  private reset: { readonly at: Seen; readonly byUe: boolean } | null = null;
  /** After how many milliseconds an INVITE was sent again; 0 where none was. */
  againMs = 0;
  /** INVITE requests that came again behind an answer. */
  readonly unheard = new Unheard();
  /** Answers that came again behind their ACK. */
  readonly unheardAck = new Unheard();
  private branch: string;
  /** It had credentials. */
  private authorized: boolean;
  /** A final response refused the last one: another may follow, with credentials, other media, to another place. */
  private again = false;
  /** To tags of the dialogs that were answered, and are not over. */
  private open: readonly string[] = [];

  constructor(
    readonly id: number,
    readonly callId: string,
    at: Arrival,
    e: SipEvent,
    private readonly reached: ReachedLimits,
    /** Another call that has its Call-ID, and began before. */
    public older?: Call,
  ) {
    this.start = this.inviteAt = at.seen();
    this.isAnother = older !== undefined;
    this.messages = new CallMessages(reached);
    this.session = new OfferAnswer(reached);
    this.features = new CallFeatures(reached);
    this.pinholes = new Pinholes(reached);
    const { from, to } = e;
    this.fromUri = from.uri;
    this.toUri = to.uri;
    this.callerTag = from.tag;
    this.cseq = e.cseq;
    this.branch = e.branch;
    this.tried = [bareUri(e.uri)];
    this.authorized = e.hasCredentials;
    this.emergency = /urn:service:sos/i.test(`${e.uri} ${to.uri}`);
    this.direction = at.tunnel === 0 ? undefined : at.up ? 'originated' : 'terminated';
  }

  /** Whether another call may have its Call-ID. */
  get isOver(): boolean {
    return this.state === 'ended' || this.state === 'failed' || this.state === 'cancelled';
  }

  /** Whether an INVITE begins a dialog of another caller, or of the same one another time. */
  isForeign(e: SipEvent): boolean {
    return e.isRequest && e.method === 'INVITE' && e.to.tag === '' && e.from.tag !== this.callerTag;
  }

  /**
   * Whether an INVITE that begins a dialog is of another call, although its sender gave it the same Call-ID and tag: phones
   * that make them up do so again, and in captures that are given together two of them may at a time.
   */
  isRepeated(at: Arrival, e: SipEvent): boolean {
    if (!e.isRequest || e.method !== 'INVITE' || e.to.tag !== '' || e.cseq > this.cseq) return false;
    const ago = millis(this.last, at);
    if (ago > IMS_ANSWER_MS) return true;
    const isHere = at.tunnel === 0 ? this.tunnels.size === 0 : this.tunnels.has(at.tunnel);
    // Who acknowledged an answer does not send the INVITE again; copies on other ways come at once.
    if (isHere) return this.isOver && this.concluded && ago > COPY_MS && this.messages.same(e.identity) !== undefined;
    // A UE that comes with another tunnel may begin again what was not answered.
    if (at.tunnel === 0 || !at.up || this.direction !== 'originated') return false;
    return this.answer !== null || (at.severalFiles && fileOf(this.start) !== at.file);
  }

  /** Whether its last INVITE was refused, as a response or the ACK of it says. */
  get isRefused(): boolean {
    return this.again;
  }

  /** Whether a message comes from the side of the caller. */
  private byCaller(e: SipEvent): boolean {
    return (e.from.tag === this.callerTag) === e.isRequest;
  }

  take(at: Arrival, e: SipEvent): void {
    if (at.tunnel !== 0) this.heardIn(at, e);
    const { identity } = e;
    const known = this.messages.same(identity);
    if (known !== undefined) {
      // The same message in the tunnel and behind it was not sent twice.
      if ((known.direction === undefined) !== (at.tunnel === 0)) return;
      if (known.retransmissions === 0 && known.method === 'INVITE' && known.status === undefined)
        this.againMs = millis(known.at, at.seen());
      known.retransmissions++;
      if (e.method === 'INVITE' && at.tunnel !== 0) this.invitedAgain(at, e);
      if (e.isRequest && e.method === 'ACK') this.acknowledge(at.seen(), e); // that of another fork may have the same branch
      this.features.repeated(at.seen(), e, this.byCaller(e) ? 'caller' : 'callee');
      return;
    }
    const seen = at.seen();
    // What a refusal describes is what its sender could do, and agrees to nothing. RFC 3261 §21.4.26
    const media = e.status >= 300 ? undefined : e.media;
    const byCaller = this.byCaller(e);
    const tag = e.from.tag === this.callerTag ? e.to.tag : e.from.tag;
    this.messages.add(at, e, seen, identity, media, this.describe(seen, e, byCaller, media, tag));
    const side = byCaller ? 'caller' : 'callee';
    const { misfit } = this.session;
    if (misfit !== undefined) this.misfits(seen, misfit);
    if (media !== undefined) this.pinholes.described(side, media, tag, e.isRequest && e.to.tag !== '');
    if (media !== undefined && at.up && at.tunnel !== 0 && media.some(isUnmeasured)) this.unmeasured ??= seen;
    const error = serviceError(e);
    if (error !== undefined) this.serviceError ??= { at: seen, code: error, by: side };
    if (e.isRequest) this.features.request(seen, e, side, media);
    else this.features.response(seen, e, side, media);
    if (e.isRequest) this.request(seen, e);
    else this.response(seen, e);
  }

  /** An INVITE or its 2xx came again: any answer would have ended that, or ACK. RFC 3261 §17.1.1.2, §13.3.1.4 */
  private invitedAgain(at: Arrival, e: SipEvent): void {
    const answer = e.isRequest ? this.messages.answer(e.cseq) : undefined;
    if (answer !== undefined) this.unheard.repeated(answer.at, answer.row, at.seen(), at.up);
    if (e.status < 200 || e.status >= 300) return;
    const acked = this.answers.find((x) => x.tag === e.to.tag)?.ackedAt ?? null;
    if (acked !== null) this.unheardAck.repeated(acked, acked.row, at.seen(), at.up);
  }

  private heardIn({ tunnel, up }: Arrival, e: SipEvent): void {
    this.isIn(tunnel);
    this.endsIn(tunnel, (up === e.isRequest ? e.from : e.to).tag);
  }

  private isIn(tunnel: number): void {
    if (!this.tunnels.has(tunnel)) this.tunnels = new Set([...this.tunnels, tunnel]);
  }

  private endsIn(tunnel: number, tag: string): void {
    if (this.ends.some((x) => x.tunnel === tunnel && x.tag === tag)) return;
    if (this.ends.length < LIMITS.callParts) this.ends.push({ tunnel, tag });
    else this.reached.capped('callParts');
  }

  private tagsIn(tunnel: number): string[] {
    return this.ends.flatMap((x) => (x.tunnel === tunnel ? x.tag : []));
  }

  /** A stream of media is its own. */
  carry(s: MediaStream): void {
    this.media ??= new Set();
    this.media.add(s.id);
    if (s.copyOf === null) this.pinholes.flow(s.to.address, s.to.port, s.rtp.packets - s.rtp.keepAlives);
    if (s.cameFrom === 0) return;
    this.isIn(s.tunnel);
    for (const tag of this.tagsIn(s.cameFrom)) this.endsIn(s.tunnel, tag);
  }

  /** Whether the UE is the same in two of its tunnels. */
  isOneIn(a: number, b: number): boolean {
    const [one, other] = [this.tagsIn(a), this.tagsIn(b)];
    const isKnown = one.some((tag) => tag !== '') && other.some((tag) => tag !== '');
    return one.some((tag) => other.includes(tag) && (tag !== '' || !isKnown));
  }

  private describe(
    at: Seen,
    e: SipEvent,
    byCaller: boolean,
    media: SessionMedia[] | undefined,
    tag: string,
  ): 'offer' | 'answer' | undefined {
    for (const m of media ?? []) for (const place of placesOf(m)) this.wants(place);
    if (e.status >= 300 && this.session.refuse(at, e, byCaller)) {
      const offered = byCaller ? 'callee' : 'caller';
      this.pinholes.withdraw(offered);
      this.features.refused(e, offered);
    }
    return this.session.take(at, e, byCaller, media, tag);
  }

  private wants(place: string): void {
    if (this.endpoints.size < LIMITS.callPlaces) this.endpoints.add(place);
    else if (!this.endpoints.has(place)) this.reached.capped('callPlaces');
  }

  /** A list with one more: as long as what it holds, which an array that grows is not. */
  private with(list: readonly string[], what: string): readonly string[] {
    if (list.includes(what)) return list;
    if (list.length < LIMITS.callParts) return [...list, what];
    this.reached.capped('callParts');
    return list;
  }

  private request(at: Seen, e: SipEvent): void {
    switch (e.method) {
      case 'INVITE':
        this.invite(at, e);
        break;
      case 'ACK':
        this.answerless(at, e, true);
        this.acknowledge(at, e);
        this.unseen(e);
        break;
      case 'CANCEL':
        // RFC 3261 §9.1: it has the CSeq of what it cancels; another INVITE may be, while this one was answered.
        if (e.cseq !== this.cseq && this.answer !== null) break;
        this.cancel ??= at;
        this.release ??= releaseOf(e);
        break;
      case 'BYE':
        this.bye(at, e);
        break;
    }
  }

  private acknowledge(at: Seen, { cseq, to: { tag } }: SipEvent): void {
    const { answers } = this;
    this.concluded = true;
    // That of a refusal, 487 among them, acknowledges no answer.
    if (this.failure !== undefined || this.state === 'cancelled' || cseq < this.cseq) return;
    this.acked = true;
    const own = answers.length === 1 ? answers[0] : answers.find((x) => x.tag === tag);
    if (own === undefined) return;
    own.acked = true;
    own.ackedAt ??= at;
  }

  /** The answer of a fork that nobody acknowledged, while that of another was. */
  get unacked(): Seen | undefined {
    return this.acked ? this.answers.find((x) => !x.acked)?.at : undefined;
  }

  /** RFC 3261 §13.2.1: the 2xx answers what the INVITE offered, and ACK what a 2xx did. */
  private answerless(at: Seen, e: SipEvent, byCaller: boolean): void {
    if (e.body.length > 0 || !e.isWhole || this.failure !== undefined || !this.session.isDue(byCaller)) return;
    this.misfits(at, { how: words`Nothing answers the offer.`, isIdle: false });
  }

  /** The first one counts, and one that does no harm counts less. */
  private misfits(at: Seen, misfit: Misfit): void {
    if (this.misfit === null || (this.misfit.isIdle && !misfit.isIdle)) this.misfit = { at, ...misfit };
  }

  /** Takes from an ACK what the capture lacks: RFC 3261 §13.2.2.4, that of a 2xx has a branch of its own; §17.1.1.3. */
  private unseen(e: SipEvent): void {
    if (this.answer !== null || this.isOver || e.cseq !== this.cseq || e.branch === '') return;
    if (e.branch === this.branch) this.again = true;
    else this.state = 'established';
  }

  private invite(at: Seen, e: SipEvent): void {
    if (e.to.tag !== '' || e.cseq <= this.cseq || !this.again) return;
    this.cseq = e.cseq;
    this.inviteAt = at;
    this.isHeard = false;
    this.trying = null;
    this.branch = e.branch;
    this.tried = this.with(this.tried, bareUri(e.uri));
    this.authorized = e.hasCredentials;
    this.again = false;
    this.failure = undefined;
    this.failedAt = null;
    this.end = null;
    this.state = 'in-progress';
  }

  private bye(at: Seen, e: SipEvent): void {
    const byCaller = this.byCaller(e);
    this.isMutual ||= this.state === 'ended' && (this.releasedBy === 'caller') !== byCaller;
    if (this.state === 'ended' || this.state === 'failed') return;
    if (this.isOther((byCaller ? e.to : e.from).tag)) return;
    this.end = at;
    this.releasedBy = byCaller ? 'caller' : 'callee';
    this.release = releaseOf(e);
    this.state = 'ended';
  }

  /** Whether the end of the dialog with this tag leaves one that was answered: a forked call may have several. */
  private isOther(tag: string): boolean {
    const known = this.open.includes(tag) || this.tags.includes(tag);
    this.open = this.open.filter((other) => other !== tag);
    // Who was never acknowledged has no call.
    const isUnacked = (other: string): boolean => this.answers.some((x) => x.tag === other && !x.acked);
    return known && this.open.some((other) => !this.acked || !isUnacked(other));
  }

  private response(at: Seen, e: SipEvent): void {
    if (e.method !== 'INVITE' || e.cseq !== this.cseq || this.byCaller(e)) {
      if (WITHIN.has(e.method)) this.within(at, e);
      else if (e.method === 'BYE') this.parted(at, e);
      return;
    }
    const { status } = e;
    const { tag } = e.to;
    const waited = millis(this.inviteAt, at);
    if (!this.isHeard && waited > (this.slowest?.ms ?? 0)) this.slowest = { at: this.inviteAt, ms: waited };
    this.isHeard = true;
    this.reset = null;
    if (status > 100 && status < 300) this.tags = this.with(this.tags, tag);
    if (status >= 200 && status < 300) {
      this.open = this.with(this.open, tag);
      const isNew = this.answers.length < LIMITS.callParts && !this.answers.some((x) => x.tag === tag);
      if (isNew) {
        const acked = this.answers.length === 0 && this.acked;
        this.answers = [...this.answers, { tag, at, acked, ackedAt: null }];
      }
    }
    if (this.answer !== null) return;
    if (status === 100 || status === GONE) this.trying ??= at;
    else if (status < 200) this.early(at, e);
    else if (status < 300) {
      this.failure = undefined;
      this.answerless(at, e, false);
      this.session.settle(tag);
      this.pinholes.settle(tag);
      this.answer = at;
      this.state = 'established';
      this.releasedBy = this.release = undefined;
      this.end = null;
    } else this.refused(at, e);
  }

  /** RFC 3261 §12.2.1.2: 481 and 408 end a dialog, unless a later answer shows that it goes on. */
  private within(at: Seen, e: SipEvent): void {
    const { status } = e;
    const { tag } = this.byCaller(e) ? e.from : e.to;
    if (status === 481 || status === 408) {
      if (this.state !== 'established' || this.isOther(tag)) return;
      this.lost = { at, status };
      this.end = at;
      this.state = 'ended';
    } else if (status >= 200 && status < 300 && this.lost !== null && this.end === this.lost.at) {
      this.lost = this.end = null;
      this.open = [...this.open, tag];
      this.state = 'established';
    }
  }

  /** An answer to the BYE that ended the call. */
  private parted(at: Seen, { status }: SipEvent): void {
    if (status === 481 && this.state === 'ended') this.unknownBye ??= at;
    else if (status === 408 && this.state === 'ended') this.vainBye ??= at;
    else if (status < 300 && status >= 200) this.unknownBye = this.vainBye = this.refusedBye = null;
    else if (status >= 300 && !isChallenge(status) && status !== 408 && status !== 481)
      this.refusedBye ??= { at, status };
  }

  private early(at: Seen, e: SipEvent): void {
    this.progress ??= at;
    if (e.status !== 180) return;
    this.ringing ??= at;
    if (this.state === 'in-progress') this.state = 'ringing';
  }

  private refused(at: Seen, e: SipEvent): void {
    if (this.failure !== undefined) return;
    const { status } = e;
    // RFC 3261 §8.2.2.2: who gets an INVITE another time, on another way, refuses the copy alone.
    if (status === MERGED && e.branch !== this.branch) return;
    this.end = at;
    // RFC 3261 §15.1.2: a BYE on an early dialog ends the call as CANCEL does.
    if (status === 487 && (this.cancel !== null || this.releasedBy !== undefined)) {
      this.state = 'cancelled';
      return;
    }
    this.state = 'failed';
    this.again = true;
    this.failedAt = at;
    if (status < 400) {
      const targets = e.parties(Header.Contact).map((p) => bareUri(p.uri));
      if (targets.length > 0 && targets.every((t) => this.tried.includes(t))) this.circle ??= at;
    }
    if ((status === 504 || status === 380) && /restoration/i.test(e.bodyText)) this.restoration = at;
    this.failure = callFailure(status, e.reason, {
      reason: e.texts(Header.Reason),
      warning: warningOf(e),
      retryAfter: e.seconds(Header.RetryAfter),
      body: status === 380 ? e.bodyText : '',
      replacing: this.features.replaces !== undefined,
      authorized: this.authorized,
      byUe: this.direction === 'terminated',
      named: namesOf(e),
      leastSeconds: status === 422 ? e.seconds(MIN_SE) : undefined,
    });
    this.emergency ||= this.failure.alternative?.type === 'emergency'; // TS 24.229 §5.1.3.1: dialled as another number
  }

  /** The connection that its INVITE was sent on was reset: what was not answered by then is not, but on another way. */
  cutShort(at: Seen, byUe: boolean): void {
    if (this.state === 'in-progress' && !this.isHeard && this.cancel === null) this.reset ??= { at, byUe };
  }

  /** Whether nothing at all answered the INVITE, although there were `ms` milliseconds for it. */
  isUnheard(end: Moment, ms: number): boolean {
    const isHeard = this.acked || this.trying !== null || this.progress !== null;
    return this.state === 'in-progress' && !isHeard && millis(this.inviteAt, end) >= ms;
  }

  /** It failed for want of an answer alone, and its INVITE was not sent again for want of one. */
  get isPresumed(): boolean {
    return this.state === 'failed' && this.isUnanswered && this.againMs === 0;
  }
  private isUnanswered = false;

  /** What it waited for may have come, and was not captured. */
  doubt(): void {
    this.state = 'in-progress';
    this.failure = undefined;
    this.failedAt = null;
  }

  /** Its tunnel ended while it was on, as `reason` says. @param isSure nothing of the tunnel is missing in the capture */
  cutOff(at: Seen, reason: Words, isSure: boolean): void {
    this.severed = { reason };
    if (!isSure || (this.state !== 'ringing' && this.state !== 'in-progress')) return;
    this.state = 'failed';
    this.end = at;
  }
  private severed: Failure | undefined;
  /** A tunnel in which it was had ended before one side no longer knew it. */
  orphaned: { readonly tunnel: number; readonly at: Moment } | null = null;

  /** @param end until when something of it could be heard */
  finish(end: Moment): void {
    if (this.reset !== null && this.state === 'in-progress') {
      const { at, byUe } = this.reset;
      const ms = Math.round(millis(this.inviteAt, at));
      const who = byUe ? 'UE' : 'network';
      this.state = 'failed';
      this.failedAt = this.end = at;
      this.failure = {
        reason: words`The ${who} reset the connection of the INVITE ${ms} ms after it, without an answer.`,
      };
    } else if (this.isUnheard(end, this.emergency ? EMERGENCY.inviteMs : patience(this.againMs))) {
      this.state = 'failed';
      this.failedAt = this.inviteAt;
      this.isUnanswered = true;
      this.failure = { reason: words`The INVITE was not answered at all.` };
    } else if (this.cancel !== null && (this.state === 'ringing' || this.state === 'in-progress')) {
      this.state = 'cancelled';
      this.end = this.cancel;
    }
  }

  /** When something was last heard of it. */
  get last(): Moment {
    const { list } = this.messages;
    return list[list.length - 1]?.at ?? this.start;
  }

  /** From the INVITE to the first sign of the other end. */
  get pddMs(): number | undefined {
    const first = this.progress ?? this.answer;
    return first === null ? undefined : millis(this.start, first);
  }
  get setupMs(): number | undefined {
    return this.answer === null ? undefined : millis(this.start, this.answer);
  }
  get durationMs(): number | undefined {
    return this.answer === null || this.end === null ? undefined : millis(this.answer, this.end);
  }

  get uid(): string {
    const { callId, callerTag, start } = this;
    return this.isAnother ? uid('call', callId, callerTag, start.seconds, start.nanos) : uid('call', callId, callerTag);
  }

  /** @param tell how sentences are told */
  entity(tell: Tell): CallEntity {
    const pinholes = this.pinholes.list;
    const { direction, ringing, answer, end, releasedBy, release, pddMs, setupMs, durationMs } = this;
    const failure = this.failure ?? this.severed;
    return {
      id: this.id,
      uid: this.uid,
      tunnels: [...this.tunnels],
      callId: this.callId,
      fromUri: this.fromUri,
      toUri: this.toUri,
      direction,
      state: this.state,
      emergency: this.emergency,
      start: this.start,
      ringing: ringing ?? undefined,
      answer: answer ?? undefined,
      end: end ?? undefined,
      releasedBy,
      release: release && { reason: tell(release.reason), ...(release.q850 !== undefined && { q850: release.q850 }) },
      pddMs,
      setupMs,
      durationMs,
      failure: failure && { ...failure, reason: tell(failure.reason) },
      messages: this.messages.list,
      media: this.media === null ? [] : [...this.media].sort((a, b) => a - b),
      pinholes: pinholes.length === 0 ? undefined : pinholes,
      ...this.features.entries(end),
    };
  }
}
