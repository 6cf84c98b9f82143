import { NTP_TO_UNIX } from '../../dissectors/ntp.js';
import { type RtcpPacket, codec as rtcpCodec } from '../../dissectors/rtcp/codec.js';
import { rtp } from '../../dissectors/rtp.js';
import { KEEP_ALIVE_TYPE } from '../../dissectors/rtp-payload-types.js';
import { DIGITS, type TelephoneEvent, telephoneEvent } from '../../dissectors/telephone-event.js';
import { concat, encode, put16, put24, put32, u32 } from '../kit/index.js';
import type { Cancel, Clock } from './clock.js';
import { integer, type Random, word } from './random.js';
import { RtpReception } from './rtp-reception.js';
import { type AudioSource, EchoSource } from './rtp-sources.js';
import type { NegotiatedMedia } from './sip/sdp.js';

/** What is said, in which encoding, and where the octets go. */
export interface RtpTalkerOptions {
  clock: Clock;
  random: Random;
  media: NegotiatedMedia;
  source: AudioSource;
  /** Canonical name. RFC 3550 §6.5.1 */
  cname: string;
  sendRtp(octets: Uint8Array): void;
  sendRtcp(octets: Uint8Array): void;
  /** Milliseconds since 1970, for sender reports. */
  wallClock?(): number;
  /** A digit that the peer sent, at its end. */
  onDigit?(signal: string, milliseconds: number): void;
}

/** RFC 4733 §2.5.1.4: the end is said three times. */
const END_REPEATS = 3;
const VOLUME = 10;
/** RFC 6263 §7: Tr, ms. */
const KEEP_ALIVE = 15_000;
/** RFC 3550 §6.2: ms, and what the randomised interval is divided by (§6.3.1). */
const RTCP_INTERVAL = 5000;
const COMPENSATION = Math.E - 1.5;
/** A talker that could not run for that long does not make it up, ms. */
const LATE = 500;
const SR = 200;
const RR = 201;
const SDES = 202;
const BYE = 203;

interface Dialled {
  event: number;
  /** Packets still to come, the repeated end included. */
  packets: number;
  timestamp: number;
  duration: number;
  first: boolean;
}

/** One end of an RTP session: sends at the pace of the clock, listens, reports. RFC 3550, RFC 4733, RFC 6263 */
export class RtpTalker {
  sent = 0;
  sentOctets = 0;
  keepAlives = 0;
  reception: RtpReception | undefined;
  /** Packets of sources before the last. */
  private before = 0;
  private media: NegotiatedMedia;
  private readonly ssrc: number;
  private sequence: number;
  private timestamp: number;
  private marker = true;
  private due = 0;
  private tick: Cancel = () => undefined;
  private reporting: Cancel = () => undefined;
  private readonly digits: Dialled[] = [];
  private lastSent = 0;
  private lastEvent = -1;
  private running = false;

  constructor(private readonly options: RtpTalkerOptions) {
    const { random } = options;
    this.media = options.media;
    this.ssrc = word(random);
    this.sequence = integer(random, 0, 0x7fff);
    this.timestamp = word(random);
  }

  start(): void {
    this.running = true;
    this.due = this.options.clock.now();
    this.lastSent = this.due;
    this.step();
    this.scheduleReport(0.5); // RFC 3550 §6.2: half of the interval before the first
  }

  /** Says BYE and is silent. */
  stop(): void {
    if (!this.running) return;
    this.running = false;
    this.tick();
    this.reporting();
    const bye: RtcpPacket = { count: 1, type: BYE, padding: false, body: words(this.ssrc) };
    this.compound([this.report(), this.description(), bye]);
  }

  /** Hold, resume, another codec or address. */
  change(media: NegotiatedMedia): void {
    this.media = media;
    this.marker = true;
  }

  /** Sends a digit as telephone event. False where the session has none. RFC 4733 §2.5 */
  dial(signal: string, milliseconds = 160): boolean {
    const event = DIGITS.indexOf(signal.toUpperCase());
    if (event < 0 || this.media.eventType === undefined) return false;
    const packets = Math.max(1, Math.round(milliseconds / this.media.ptime)) + END_REPEATS - 1;
    this.digits.push({ event, packets, timestamp: -1, duration: 0, first: true });
    return true;
  }

  /** Whether digits are still being sent, or wait. */
  get dialling(): boolean {
    return this.digits.length > 0;
  }

  /** Packets that came, of whatever source. */
  get received(): number {
    return this.before + (this.reception?.received ?? 0);
  }

  /** Takes an RTP packet. */
  receiveRtp(octets: Uint8Array): void {
    if (octets.length < 12 || octets[0] >> 6 !== 2) return;
    const p = rtp.codec!.parse(octets, 0, octets.length);
    if (this.reception?.ssrc !== p.ssrc) {
      this.before = this.received;
      this.reception = new RtpReception(p.ssrc, this.media.codec.clock);
    }
    this.reception.packet(p.sequence, p.timestamp, this.options.clock.now());
    const { source } = this.options;
    if (p.payloadType === this.media.eventType && p.payload.length >= 4) this.heard(p.payload, p.timestamp);
    else if (p.payloadType === this.media.codec.payloadType && source instanceof EchoSource) source.push(p.payload);
  }

  /** Takes an RTCP packet. */
  receiveRtcp(octets: Uint8Array): void {
    for (const p of rtcpCodec.parse(octets, 0, octets.length).packets) {
      if (p.type !== SR || p.body.length < 24 || u32(p.body, 0) !== this.reception?.ssrc) continue;
      const ntp = ((u32(p.body, 4) & 0xffff) * 0x10000 + (u32(p.body, 8) >>> 16)) >>> 0;
      this.reception.senderReport(ntp, this.options.clock.now());
    }
  }

  /** Sends what is due, and waits for the next time: by the schedule, not by how long this took. */
  private step(): void {
    const { clock } = this.options;
    const now = clock.now();
    if (now - this.due > LATE) {
      const missed = Math.floor((now - this.due) / this.media.ptime);
      this.timestamp = (this.timestamp + missed * this.samples) >>> 0;
      this.due += missed * this.media.ptime;
    }
    this.packet(now);
    this.timestamp = (this.timestamp + this.samples) >>> 0;
    this.due += this.media.ptime;
    this.tick = clock.after(this.due - now, () => this.step());
  }

  private get samples(): number {
    return Math.round((this.media.codec.clock * this.media.ptime) / 1000);
  }

  private packet(now: number): void {
    const { direction, codec } = this.media;
    if (direction !== 'sendrecv' && direction !== 'sendonly') {
      if (now - this.lastSent < KEEP_ALIVE) return;
      this.keepAlives++;
      this.transmit(KEEP_ALIVE_TYPE, new Uint8Array(0), this.timestamp, false, now);
      return;
    }
    if (this.media.eventType === undefined) this.digits.length = 0; // the session has them no more
    const dialled = this.digits[0];
    if (dialled) {
      this.event(dialled, now);
      return;
    }
    const payload = this.options.source.next(this.samples);
    if (payload === undefined) {
      this.marker = true;
      return;
    }
    this.transmit(codec.payloadType, payload, this.timestamp, this.marker, now);
    this.marker = false;
  }

  private event(d: Dialled, now: number): void {
    if (d.first) d.timestamp = this.timestamp;
    const end = d.packets <= END_REPEATS;
    if (!end || d.packets === END_REPEATS) d.duration += this.samples;
    const event: TelephoneEvent = { event: d.event, end, reserved: false, volume: VOLUME, duration: d.duration };
    this.transmit(this.media.eventType!, encode(telephoneEvent.codec!, event), d.timestamp, d.first, now);
    d.first = false;
    d.packets--;
    if (d.packets > 0) return;
    this.digits.shift();
    this.marker = true;
  }

  private transmit(payloadType: number, payload: Uint8Array, timestamp: number, marker: boolean, now: number): void {
    const { ssrc, sequence } = this;
    const packet = { marker, payloadType, sequence, timestamp, ssrc, csrc: [], payload, padding: 0 };
    this.sequence = (this.sequence + 1) & 0xffff;
    this.sent++;
    this.sentOctets += payload.length;
    this.lastSent = now;
    this.options.sendRtp(encode(rtp.codec!, packet));
  }

  /** Tells a digit once, however often its end is said. */
  private heard(payload: Uint8Array, timestamp: number): void {
    const e = telephoneEvent.codec!.parse(payload, 0, payload.length);
    if (!e.end || timestamp === this.lastEvent || e.event >= DIGITS.length) return;
    this.lastEvent = timestamp;
    this.options.onDigit?.(DIGITS[e.event], Math.round((1000 * e.duration) / this.media.codec.clock));
  }

  // RTCP

  private scheduleReport(part: number): void {
    const { clock, random } = this.options;
    const wait = (part * RTCP_INTERVAL * (0.5 + random.next())) / COMPENSATION; // RFC 3550 §6.3.1
    this.reporting = clock.after(wait, () => {
      this.compound([this.report(), this.description()]);
      this.scheduleReport(1);
    });
  }

  private compound(packets: RtcpPacket[]): void {
    this.options.sendRtcp(encode(rtcpCodec, { packets, trailer: new Uint8Array(0) }));
  }

  /** A sender report where something was sent, else a receiver report. RFC 3550 §6.4 */
  private report(): RtcpPacket {
    const { clock } = this.options;
    const now = clock.now();
    const block = this.reception && reportBlock(this.reception.report(now));
    const count = block ? 1 : 0;
    const blocks = block ?? new Uint8Array(0);
    if (this.sent === 0) return { count, type: RR, padding: false, body: concat([words(this.ssrc), blocks]) };
    const wall = (this.options.wallClock?.() ?? Date.now()) / 1000 + NTP_TO_UNIX;
    const seconds = Math.floor(wall);
    const fraction = Math.floor((wall - seconds) * 2 ** 32);
    // The timestamp that belongs to now: that of the next packet, less what is left until then.
    const ahead = Math.round(((this.due - now) * this.media.codec.clock) / 1000);
    const info = words(this.ssrc, seconds, fraction, (this.timestamp - ahead) >>> 0, this.sent, this.sentOctets);
    return { count, type: SR, padding: false, body: concat([info, blocks]) };
  }

  /** RFC 3550 §6.5 */
  private description(): RtcpPacket {
    const cname = new TextEncoder().encode(this.options.cname).subarray(0, 255);
    const body = new Uint8Array((4 + 2 + cname.length + 1 + 3) & ~3);
    put32(body, 0, this.ssrc);
    body[4] = 1;
    body[5] = cname.length;
    body.set(cname, 6);
    return { count: 1, type: SDES, padding: false, body };
  }
}

function words(...values: number[]): Uint8Array {
  const out = new Uint8Array(4 * values.length);
  for (const [i, v] of values.entries()) put32(out, 4 * i, v);
  return out;
}

/** RFC 3550 §6.4.1 */
function reportBlock(r: ReturnType<RtpReception['report']>): Uint8Array {
  const out = new Uint8Array(24);
  put32(out, 0, r.ssrc);
  out[4] = r.fraction;
  put24(out, 5, Math.max(-0x80_0000, Math.min(0x7f_ffff, r.lost)) & 0xff_ffff);
  put32(out, 8, r.highest);
  put32(out, 12, r.jitter);
  put16(out, 16, r.lsr >>> 16);
  put16(out, 18, r.lsr & 0xffff);
  put32(out, 20, r.dlsr);
  return out;
}
