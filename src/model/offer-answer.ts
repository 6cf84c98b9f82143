import { oneOf, type Words, words } from '../kit/index.js';
import { LIMITS, type ReachedLimits } from '../limits.js';
import type { Seen } from './moment.js';
import { isTwoWay, type SessionMedia } from './session-media.js';
import type { SipEvent } from './sip-event.js';
import { MEDIA } from './standard-words.js';

/** What counts of a session description. */
export interface Description {
  /** Sent by the side that sent the first INVITE. */
  readonly byCaller: boolean;
  readonly answer: boolean;
  /** Of the message that it came in. */
  readonly method: string;
  readonly cseq: number;
  /** Tag of the callee, one a fork; '' in the first INVITE. */
  readonly tag: string;
  /** Its first audio medium that is not refused. */
  readonly audio: SessionMedia | undefined;
  /** All of its media, line by line. */
  readonly media: readonly SessionMedia[];
}

/** Where the media of a description that are not refused are wanted. */
export const addressesOf = ({ media }: Description): string[] =>
  media.flatMap((m) => (m.port === 0 ? [] : [m.address]));

/** Formats that carry no media by themselves. RFC 4733, RFC 3389, RFC 2198 */
const BESIDE: ReadonlySet<string> = new Set(['TELEPHONE-EVENT', 'CN', 'RED']);
/** The codecs of a medium; none where a format has no name, which may be any. */
const codecsOf = ({ codecs, formats }: SessionMedia): string[] =>
  codecs.length < formats.length ? [] : codecs.map((c) => c.toUpperCase()).filter((c) => !BESIDE.has(c));

/** Profiles of RTP with and without encryption. RFC 3711 §12, RFC 5124, RFC 5764 §8 */
const SECURED = /\bSAVPF?$/i;
const PLAIN = /\bAVPF?$/i;

/** How an answer does not fit its offer. */
export interface Misfit {
  readonly how: Words;
  /** What the answer leaves out was not offered to be used: nothing flows otherwise for that. */
  readonly isIdle: boolean;
}

/** How an answer does not fit its offer; undefined where it does. RFC 3264 §6 */
function misfitOf(offer: readonly SessionMedia[], answer: readonly SessionMedia[]): Misfit | undefined {
  if (offer.length === answer.length) {
    const how = lineMisfit(offer, answer);
    return how && { how, isIdle: false };
  }
  const left = offer.slice(answer.length);
  const isIdle = left.length > 0 && left.every((o) => o.port === 0) && lineMisfit(offer, answer) === undefined;
  return { how: words`The offer has ${offer.length} media, and the answer ${answer.length}.`, isIdle };
}

/** How the media of an answer do not fit those of the offer, each in its place. */
function lineMisfit(offer: readonly SessionMedia[], answer: readonly SessionMedia[]): Words | undefined {
  for (const [i, a] of answer.entries()) {
    const o = offer[i];
    if (o.kind !== a.kind)
      return words`Medium ${i + 1} is ${oneOf(o.kind, MEDIA)} in the offer, and ${oneOf(a.kind, MEDIA)} in the answer.`;
    // The other way round an offer may leave the choice: RFC 5939.
    if (a.port !== 0 && SECURED.test(o.protocol) && PLAIN.test(a.protocol))
      return words`Medium ${i + 1} is to be encrypted (SRTP) in the offer, and not in the answer.`;
    const [theirs, own] = [codecsOf(o), codecsOf(a)];
    if (a.port !== 0 && o.port !== 0 && theirs.length > 0 && own.length > 0 && !own.some((c) => theirs.includes(c)))
      return words`Medium ${i + 1} has no codec that was offered.`;
  }
  return undefined;
}

/** The last request of a side by its method. */
interface Asked {
  readonly byCaller: boolean;
  readonly method: string;
  readonly cseq: number;
  readonly offered: boolean;
  /** Inside a dialog: what it offers is to change a session that goes on. */
  readonly again: boolean;
}

/** The session descriptions of a call, and which offered, and which answered. RFC 3264, RFC 6337 §2 */
export class OfferAnswer {
  descriptions: readonly Description[] = [];
  private asked: readonly Asked[] = [];
  /** Tag of the dialog that was answered. */
  private settled: string | undefined;
  /** How the answer at hand does not fit its offer. */
  misfit: Misfit | undefined;
  /** How often, since audio flowed both ways first, a description stopped that, went on without, or took it up again. */
  turns = 0;
  /** When that was last. */
  turned: Seen | null = null;
  private flowed = false;
  private flows = false;

  /** @param reached is told of descriptions that are let go of */
  constructor(private readonly reached: ReachedLimits) {}

  /** Takes a message and what it describes; returns which of both that is. */
  take(
    at: Seen,
    e: SipEvent,
    byCaller: boolean,
    media: readonly SessionMedia[] | undefined,
    tag: string,
  ): 'offer' | 'answer' | undefined {
    const kind = media === undefined ? undefined : this.kindOf(e, byCaller);
    this.misfit = kind === 'answer' && e.isWhole ? this.compare(e, byCaller, media!, tag) : undefined;
    if (e.isRequest && (e.method === 'INVITE' || e.method === 'UPDATE' || e.method === 'PRACK'))
      this.ask({ byCaller, method: e.method, cseq: e.cseq, offered: kind === 'offer', again: e.to.tag !== '' });
    if (media === undefined || kind === undefined) return undefined;
    // What holds is what was said last.
    const isFull = this.descriptions.length >= LIMITS.callParts;
    if (isFull) this.reached.capped('callParts');
    const kept = isFull ? this.descriptions.slice(1) : this.descriptions;
    const { method, cseq } = e;
    const audio = media.find((m) => m.kind === 'audio' && m.port !== 0);
    this.descriptions = [...kept, { byCaller, answer: kind === 'answer', method, cseq, tag, audio, media }];
    this.turn(at);
    return kind;
  }

  /** Holds the first answer of a dialog to an offer against it: a later one says the same again. */
  private compare(e: SipEvent, byCaller: boolean, media: readonly SessionMedia[], tag: string): Misfit | undefined {
    const { descriptions: all } = this;
    const { method, cseq, isRequest } = e;
    const at = all.findLastIndex(
      (d) => !d.answer && d.byCaller !== byCaller && (isRequest || (d.method === method && d.cseq === cseq)),
    );
    if (at < 0 || all.slice(at + 1).some((d) => d.byCaller === byCaller && (d.tag === tag || isRequest)))
      return undefined;
    return misfitOf(all[at].media, media);
  }

  private ask(a: Asked): void {
    const known = this.asked.findIndex((x) => x.byCaller === a.byCaller && x.method === a.method);
    this.asked = known < 0 ? [...this.asked, a] : this.asked.with(known, a);
  }

  /** The request that a response of a side is for. */
  private request(e: SipEvent, byCaller: boolean): Asked | undefined {
    return this.asked.find((x) => x.byCaller !== byCaller && x.method === e.method && x.cseq === e.cseq);
  }

  /** RFC 3261 §13.2.1, RFC 3262 §5, RFC 3311 §5.1: INVITE and UPDATE offer, their answers answer what was offered. */
  private kindOf(e: SipEvent, byCaller: boolean): 'offer' | 'answer' {
    if (e.isRequest && (e.method === 'INVITE' || e.method === 'UPDATE')) return 'offer';
    const asked = e.isRequest ? undefined : this.request(e, byCaller);
    if (asked !== undefined) return asked.offered ? 'answer' : 'offer';
    const last = this.descriptions[this.descriptions.length - 1];
    return last !== undefined && !last.answer && last.byCaller !== byCaller ? 'answer' : 'offer';
  }

  /** A response of a side refuses; returns whether with it what was offered inside a dialog: all stays as it was (RFC 3261 §14.1). */
  refuse(at: Seen, e: SipEvent, byCaller: boolean): boolean {
    const asked = this.request(e, byCaller);
    if (asked === undefined || !asked.offered || !asked.again) return false;
    const index = this.descriptions.findLastIndex(
      (d) => d.byCaller === asked.byCaller && d.method === asked.method && d.cseq === asked.cseq && !d.answer,
    );
    if (index >= 0) this.descriptions = this.descriptions.toSpliced(index, 1);
    this.turn(at);
    return true;
  }

  /** Whether audio is to flow both ways, by what both sides said last: it does not on hold, and while there is a fax. */
  get isFlowing(): boolean {
    const [caller, callee] = [this.agreed(true), this.agreed(false)];
    return caller !== undefined && callee !== undefined && isTwoWay(caller) && isTwoWay(callee);
  }

  /** What holds was changed. */
  private turn(at: Seen): void {
    const before = this.flows;
    this.flows = this.isFlowing;
    if (this.flowed && !(before && this.flows)) {
      this.turns++;
      this.turned = at;
    }
    this.flowed ||= this.flows;
  }

  /** The dialog with this tag was answered: what other forks described counts no longer. */
  settle(tag: string): void {
    this.settled ??= tag;
  }

  /** Whether a side has still to answer what the other one offered first. */
  isDue(byCaller: boolean): boolean {
    return this.descriptions.length > 0 && this.descriptions.every((d) => d.byCaller !== byCaller);
  }

  /** The audio that a side agreed to last. */
  agreed(byCaller: boolean): SessionMedia | undefined {
    const { settled, descriptions } = this;
    const own = descriptions.findLast(
      (d) => d.byCaller === byCaller && (settled === undefined || d.tag === '' || d.tag === settled),
    );
    return (own ?? descriptions.findLast((d) => d.byCaller === byCaller))?.audio;
  }

  /** Whether a side wanted, at some time, media at a place. */
  hasWanted(byCaller: boolean, address: string, port: number): boolean {
    const place = `${address} ${port}`;
    return this.descriptions.some(
      ({ byCaller: by, audio: a }) =>
        by === byCaller &&
        a !== undefined &&
        ((a.address === address && a.port === port) || a.candidates.includes(place)),
    );
  }

  /** Whether both sides look for a way by themselves, which no description names. RFC 8445 */
  get hasCandidates(): boolean {
    const has = (byCaller: boolean) =>
      this.descriptions.some((d) => d.byCaller === byCaller && (d.audio?.candidates.length ?? 0) > 0);
    return has(true) && has(false);
  }
}
