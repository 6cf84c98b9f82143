import { HEADER } from '../../dissectors/rtp.js';
import { COMFORT_NOISE, KEEP_ALIVE_TYPE } from '../../dissectors/rtp-payload-types.js';
import { DIGITS, eventName } from '../../dissectors/telephone-event.js';
import { LIMITS, type ReachedLimits } from '../limits.js';
import type { MediaEntity, RtcpEntry } from './entities.js';
import type { Arrival, Moment, Seen } from './moment.js';
import type { OfferAnswer } from './offer-answer.js';
import { opinion } from './quality.js';
import { RtpStream } from './rtp-stream.js';
import { SpeechFrames } from './speech-frames.js';
import { uid } from './uid.js';

/** What a session description said about the endpoint of a stream. */
export interface Negotiated {
  readonly kind: string;
  readonly callId: string;
  readonly payloadTypes: ReadonlyMap<number, Codec>;
  /** SRTP: payloads cannot be read. RFC 3711 */
  readonly secure: boolean;
}

/** An encoding that SDP gives a payload type, or that has its own from RFC 3551. */
export interface Codec {
  readonly name: string;
  readonly clock: number;
  /** What `a=fmtp` says. */
  readonly parameters?: string;
  /** Where media of several kinds share a port. */
  readonly kind?: string;
}

/** Packets of silence have less than this share of the octets of a payload. */
const SILENCE = 0.5;
/** Codecs that describe silence again and again, every two seconds at least. TS 26.093 §5.1.2, TS 26.445 §5.6 */
const STEADY = /^(AMR|AMR-WB|EVS)$/i;
/** Octets of a named event, and its bit that says "end". RFC 4733 §2.3 */
const EVENT_OCTETS = 4;
const END = 0x80;

/** A stream of media: RTP of one source, with what was agreed about it and what RTCP says of it. */
export class MediaStream {
  readonly rtp: RtpStream;
  /** The conversation that it is part of. */
  flow: { forget(s: MediaStream): void } | null = null;
  call = 0;
  /** What the call has agreed on, and how often that had turned when the last packet came. */
  private session: OfferAnswer | null = null;
  private turns = 0;
  dtmf = '';
  private eventTime = -1;
  /** Payload type of the packet at hand; its clock in hertz, 0 where unknown; whether it is a named event. */
  type = -1;
  clock = 0;
  isEvent = false;
  /** What was agreed before {@link negotiated}: the session was changed. */
  private before: Negotiated[] | null = null;
  /** Where the frames of the packet at hand are counted. */
  speaking: SpeechFrames | null = null;
  readonly headOfLine: { stall: number; packets: number; ms: number }[] = [];
  rtcp: RtcpEntry | undefined;
  /** Packets that were missing there and here when the first reception report came. */
  missed: { readonly there: number; readonly here: number } | undefined;
  /** Whether its source sent to or from elsewhere before. */
  isMoved = false;
  /** Sender reports, the middle of their NTP time and when they came: what a reception report answers; packets sent. */
  readonly reports: { readonly ntp: number; readonly at: Seen; readonly packets: number }[] = [];
  /** When its source said something in RTCP last, and when it said that it leaves. */
  control: Moment | null = null;
  left: Moment | null = null;

  /** File of its first packet. */
  readonly file: number;
  /** The stream in a tunnel of which this one is the same. */
  copyOf: MediaStream | null = null;

  constructor(
    public id: number,
    readonly tunnel: number,
    readonly up: boolean,
    readonly from: { readonly address: string; readonly port: number },
    readonly to: { readonly address: string; readonly port: number },
    ssrc: number,
    at: Arrival,
    public negotiated: Negotiated | undefined,
    private readonly reached: ReachedLimits,
  ) {
    this.rtp = new RtpStream(ssrc, at);
    this.file = at.file;
  }

  get uid(): string {
    const { start, ssrc } = this.rtp;
    return uid('media', ssrc, this.from.address, this.from.port, this.to.address, this.to.port, start.seconds);
  }

  /** It is known whose it is. */
  belongTo(call: number, session: OfferAnswer): void {
    this.call = call;
    this.session = session;
    this.turns = session.turns;
  }

  /** It goes on in this tunnel, where nobody announced it, and began in another. */
  continue(before: MediaStream): void {
    const { call, session, tunnel, negotiated } = before;
    if (session !== null) this.belongTo(call, session);
    this.negotiated = negotiated;
    this.cameFrom = tunnel;
  }
  /** The tunnel in which its source was before, as far as that makes it part of a call; 0: none. */
  cameFrom = 0;

  /** Looks, before a packet is counted, whether the session took a turn since the one before. */
  heed(): void {
    const { session } = this;
    if (session === null || session.turns === this.turns) return;
    this.turns = session.turns;
    this.rtp.interrupt();
  }

  /** Keeps those waits that were some. @param isReal whether a stall of its tunnel was one, and not a clock that was set */
  waited(isReal: (stall: number) => boolean): void {
    const real = this.headOfLine.filter((h) => isReal(h.stall));
    if (real.length < this.headOfLine.length) this.headOfLine.splice(0, this.headOfLine.length, ...real);
  }

  /** Another session description tells of it from now on. */
  agree(n: Negotiated): void {
    if (this.negotiated !== undefined && this.negotiated.payloadTypes !== n.payloadTypes) {
      this.before ??= [];
      this.before.push(this.negotiated);
      if (this.before.length > LIMITS.callParts && this.before.shift() !== undefined) this.reached.capped('callParts');
    }
    this.negotiated = n;
    this.type = -1;
  }

  /** What a payload type means, as it was agreed last; undefined where it was not. */
  agreed(type: number): Codec | undefined {
    return (
      this.negotiated?.payloadTypes.get(type) ??
      this.before?.findLast((n) => n.payloadTypes.has(type))?.payloadTypes.get(type)
    );
  }

  /** From now on packets have this payload type. */
  use(type: number, codec: Codec | undefined): void {
    this.type = type;
    this.clock = codec?.clock ?? 0;
    this.isEvent = codec !== undefined && codec.name.toLowerCase() === 'telephone-event';
    const speech = codec === undefined || this.negotiated?.secure === true ? null : this.speechOf(type, codec);
    this.speaking = speech;
  }

  /** Counts frames of a payload type; one count serves all of its packets. */
  private speechOf(type: number, codec: Codec): SpeechFrames | null {
    let s = this.speeches.get(type) ?? null;
    if (s === null) {
      s = SpeechFrames.of(codec.name, codec.parameters);
      if (s !== null) this.speeches.set(type, s);
    }
    return s;
  }
  /** By payload type. */
  private readonly speeches = new Map<number, SpeechFrames>();

  /** Frames of speech of the payload type that most packets have. */
  get speech(): SpeechFrames | null {
    return this.speeches.get(this.rtp.payloadType) ?? null;
  }

  /** A named event of RFC 4733 at `off`: digits are noted once, when their end comes. */
  event(b: Uint8Array, off: number, end: number, timestamp: number): void {
    if (end - off < EVENT_OCTETS || (b[off + 1] & END) === 0 || timestamp === this.eventTime) return;
    this.eventTime = timestamp;
    if (this.dtmf.length >= LIMITS.digits) this.reached.capped('digits');
    else this.dtmf += DIGITS[b[off]] ?? `(${eventName(b[off])})`;
  }

  /** Packets of it that waited for a stall of the tunnel to end. */
  delayed(stall: number, ms: number): void {
    const last = this.headOfLine[this.headOfLine.length - 1];
    if (last !== undefined && last.stall === stall) {
      last.packets++;
      last.ms = Math.max(last.ms, ms); // a longer one may have taken its place
    } else this.headOfLine.push({ stall, packets: 1, ms });
  }

  get lostPercent(): number {
    const { expected, lost } = this.rtp;
    return expected === 0 ? 0 : (100 * lost) / expected;
  }

  /** What was lost of what is likely to have been sent. */
  get loss(): { readonly lost: number; readonly expected: number; readonly percent: number } {
    const { skipped } = this.rtp;
    const lost = this.rtp.lost - skipped;
    const expected = this.rtp.expected - skipped;
    return { lost, expected, percent: expected === 0 ? 0 : (100 * lost) / expected };
  }

  get codec(): { readonly name: string; readonly clock: number } | undefined {
    return this.agreed(this.rtp.payloadType);
  }

  /**
   * Whether its last packet says that nobody speaks: a keep-alive, comfort noise (RFC 3389), or one so short that it
   * describes silence, after which nothing has to come.
   */
  get endsQuiet(): boolean {
    const { type, rtp, isEvent } = this;
    if (type === KEEP_ALIVE_TYPE || type === COMFORT_NOISE) return true;
    const name = this.agreed(type)?.name ?? '';
    if (/^CN$/i.test(name)) return true;
    return !isEvent && !STEADY.test(name) && rtp.lastOctets - HEADER < SILENCE * (rtp.octets / rtp.packets - HEADER);
  }

  entity(codec: { readonly name: string; readonly clock: number } | undefined): MediaEntity {
    const { rtp, negotiated, lostPercent, rtcp } = this;
    const speech = this.speech?.entry;
    const mos =
      codec === undefined || !rtp.hasJitter
        ? undefined
        : opinion(codec.name, this.loss.percent, rtp.jitterMean, rtcp?.roundTripMs, this.speech?.mode);
    const { tunnel } = this;
    return {
      id: this.id,
      uid: this.uid,
      tunnel: tunnel === 0 ? undefined : tunnel,
      call: this.call === 0 ? undefined : this.call,
      ssrc: `0x${rtp.ssrc.toString(16).padStart(8, '0')}`,
      direction: tunnel === 0 ? undefined : this.up ? 'up' : 'down',
      source: this.from,
      destination: this.to,
      start: rtp.start,
      end: rtp.end,
      payloadType: rtp.payloadType,
      codec: codec?.name,
      copyOf: this.copyOf?.id,
      negotiated: negotiated && agreement(negotiated, rtp.payloadType),
      packets: rtp.packets,
      bytes: rtp.octets,
      lost: rtp.lost,
      lostPercent,
      skipped: rtp.skipped === 0 ? undefined : rtp.skipped,
      duplicates: rtp.duplicates,
      reordered: rtp.reordered,
      jitterMs: rtp.hasJitter ? { mean: rtp.jitterMean, max: rtp.jitterMax } : undefined,
      bursts: rtp.bursts,
      mos,
      speech,
      keepAlives: rtp.keepAlives,
      dtmf: this.dtmf === '' ? undefined : this.dtmf,
      headOfLine: this.headOfLine,
      rtcp,
    };
  }
}

const agreement = (n: Negotiated, type: number): NonNullable<MediaEntity['negotiated']> => ({
  kind: n.payloadTypes.get(type)?.kind ?? n.kind,
  codecs: [...n.payloadTypes].map(([payloadType, { name, clock }]) => ({ payloadType, name, clock })),
});
