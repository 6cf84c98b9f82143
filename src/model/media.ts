import { packetLength } from '../../dissectors/rtcp/codec.js';
import * as packet from '../../dissectors/rtp.js';
import { staticPayloadType } from '../../dissectors/sdp/index.js';
import { i32, u16, u32 } from '../kit/index.js';
import { LIMITS, type ReachedLimits } from '../limits.js';
import type { Place } from './entities.js';
import type { Content } from './events.js';
import { Live } from './live.js';
import { MediaStream, type Negotiated } from './media-stream.js';
import { type Arrival, millis } from './moment.js';

const SENDER_REPORT = 200;
const RECEIVER_REPORT = 201;
const GOODBYE = 203;
const REPORT_BLOCK = 24;
const MOST_REPORTS = 32;
/** Streams that no session description announced are guesses: so many packets, in a row mostly, make one. */
const GUESS_PACKETS = 8;
/** Clocks of two captures may differ so much. */
const APART_MS = 60_000;
/** What a source sent last in one tunnel may come behind what it sends first in the next. */
const OVERLAP_MS = 1000;

/** The streams of one UDP conversation. */
export class MediaFlow {
  /** The stream that sent last in each direction, and where there are several all by SSRC. */
  private readonly last: [MediaStream | undefined, MediaStream | undefined] = [undefined, undefined];
  private readonly several: [Map<number, MediaStream> | null, Map<number, MediaStream> | null] = [null, null];

  /** @param over is told when none of its streams is followed any longer */
  constructor(private readonly over: () => void = () => undefined) {}

  /** The stream of a source; undefined before its first packet. */
  find(direction: 0 | 1, ssrc: number): MediaStream | undefined {
    const last = this.last[direction];
    if (last !== undefined && last.rtp.ssrc === ssrc) return last;
    const s = this.several[direction]?.get(ssrc);
    if (s !== undefined) this.last[direction] = s;
    return s;
  }

  add(direction: 0 | 1, s: MediaStream): void {
    const last = this.last[direction];
    if (last !== undefined) this.several[direction] ??= new Map([[last.rtp.ssrc, last]]);
    this.several[direction]?.set(s.rtp.ssrc, s);
    this.last[direction] = s;
  }

  forget(s: MediaStream): void {
    let left = 0;
    for (const way of [0, 1] as const) {
      const several = this.several[way];
      if (several?.get(s.rtp.ssrc) === s) several.delete(s.rtp.ssrc);
      if (this.last[way] === s) this.last[way] = undefined;
      left += several?.size ?? (this.last[way] === undefined ? 0 : 1);
    }
    if (left === 0) this.over();
  }
}

/** Media streams: what flowed, counted, beside what was agreed and what RTCP says. */
export class Media {
  readonly streams = new Live<MediaStream>();
  /** By SSRC: the streams of that source, in whichever tunnel. */
  private readonly bySource = new Map<number, Set<MediaStream>>();
  /** By {@link placesIn}: the last stream of a call in any tunnel that goes the same way between these places. */
  private readonly byPlaces = new Map<string, MediaStream>();
  /** By {@link sourceIn}: the newest of them down and up, for what RTCP says of it. */
  private readonly newest = new Map<number, [MediaStream | undefined, MediaStream | undefined]>();

  /**
   * @param reached is told of what does not fit
   * @param isOver whether the call with a number is: its media are not those of another
   * @param callOf the number of the call that has a Call-ID in a tunnel
   */
  constructor(
    private readonly reached: ReachedLimits,
    private readonly isOver: (call: number) => boolean,
    private readonly callOf: (callId: string, tunnel: number) => number | undefined,
  ) {}

  /** Takes an RTP packet; returns its stream. */
  rtp(
    at: Arrival,
    c: Content,
    flow: MediaFlow,
    direction: 0 | 1,
    note: Negotiated | undefined,
  ): MediaStream | undefined {
    const { buf, off, end } = c;
    if (end - off < packet.HEADER || packet.version(buf, off) !== 2) return undefined;
    const ssrc = packet.ssrc(buf, off);
    const known = flow.find(direction, ssrc);
    const isKnown = known !== undefined && (note === known.negotiated || !this.isFormer(known, note));
    const s = isKnown ? known : this.stream(at, c, flow, direction, ssrc, note);
    if (s === undefined) return undefined;
    if (note !== undefined && s.negotiated !== note) s.agree(note);
    const type = packet.payloadType(buf, off);
    if (type !== s.type) s.use(type, this.codec(s, type));
    const event = s.isEvent;
    s.heed();
    s.rtp.take(at, c, s.clock, event);
    if (s.speaking !== null && end === c.wireEnd) {
      const header = packet.headerLength(buf, off, end);
      const padding = (buf[off] & 0x20) !== 0 ? buf[end - 1] : 0; // RFC 3550 §5.1
      if (header > 0) s.speaking.take(buf, off + header, end - padding);
    }
    if (event && s.negotiated?.secure !== true) {
      const header = packet.headerLength(buf, off, end);
      if (header > 0) s.event(buf, off + header, end, packet.timestamp(buf, off));
    }
    return s;
  }

  /** Whether a stream was of a call that is over, and its source and places are those of another one now. */
  private isFormer(s: MediaStream, note: Negotiated | undefined): boolean {
    if (note === undefined || s.call === 0 || !this.isOver(s.call)) return false;
    return note.callId !== s.negotiated?.callId || this.callOf(note.callId, s.tunnel) !== s.call;
  }

  private codec(s: MediaStream, type: number): { readonly name: string; readonly clock: number } | undefined {
    return s.agreed(type) ?? STATIC[type];
  }

  private stream(
    at: Arrival,
    c: Content,
    flow: MediaFlow,
    direction: 0 | 1,
    ssrc: number,
    note: Negotiated | undefined,
  ): MediaStream | undefined {
    if (this.streams.size >= LIMITS.mediaStreams) {
      this.reached.capped('mediaStreams');
      return undefined;
    }
    const from = { address: c.from, port: c.sport };
    const to = { address: c.to, port: c.dport };
    const before =
      at.tunnel === 0
        ? undefined
        : (this.elsewhere(at, ssrc, at.up ? to : from, note) ??
          (note === undefined ? this.renumbered(at, from, to, packet.payloadType(c.buf, c.off)) : undefined));
    const s = new MediaStream(this.streams.total + 1, at.tunnel, at.up, from, to, ssrc, at, note, this.reached);
    if (before !== undefined && note === undefined) s.continue(before);
    this.streams.add(s);
    s.flow = flow;
    flow.add(direction, s);
    const all = this.bySource.get(ssrc);
    if (all === undefined) this.bySource.set(ssrc, new Set([s]));
    else all.add(s);
    const source = sourceIn(s.tunnel, ssrc);
    const newest = this.newest.get(source) ?? [undefined, undefined];
    this.newest.set(source, newest);
    const last = newest[Number(s.up)];
    s.isMoved = before !== undefined || (last !== undefined && !(last.call !== 0 && this.isOver(last.call)));
    newest[Number(s.up)] = s;
    if (s.tunnel !== 0) this.byPlaces.set(placesIn(s.up, from, to), s);
    return s;
  }

  /**
   * The stream of a call that goes on in the tunnel at hand: of one source, between the UE and the same place, in another
   * tunnel, which the UE had before.
   */
  private elsewhere(at: Arrival, ssrc: number, peer: Place, note: Negotiated | undefined): MediaStream | undefined {
    let last: MediaStream | undefined;
    for (const s of this.bySource.get(ssrc) ?? []) {
      if (s.call === 0 || s.tunnel === 0 || s.tunnel === at.tunnel || s.up !== at.up) continue;
      if (note === undefined ? this.isOver(s.call) : note.callId !== s.negotiated?.callId) continue;
      const there = s.up ? s.to : s.from;
      if (there.address === peer.address && there.port === peer.port) last = s;
    }
    return last;
  }

  /**
   * The stream of a call that goes on in the tunnel at hand under another SSRC, as after a restart of the program that sends:
   * the UE keeps the port that the call knows, and the other side its place.
   */
  private renumbered(at: Arrival, from: Place, to: Place, type: number): MediaStream | undefined {
    const s = this.byPlaces.get(placesIn(at.up, from, to));
    if (s === undefined || s.tunnel === at.tunnel || s.call === 0 || this.isOver(s.call)) return undefined;
    return s.agreed(type) !== undefined && millis(s.rtp.end, at) > -OVERLAP_MS ? s : undefined;
  }

  /** Takes a compound RTCP packet (RFC 3550 §6.4); returns the round trip that it tells of, in milliseconds. */
  rtcp(at: Arrival, c: Content): number | undefined {
    const { buf, end } = c;
    let trip: number | undefined;
    for (let o = c.off; o + 8 <= end && buf[o] >> 6 === 2; o += packetLength(buf, o)) {
      const stop = Math.min(end, o + packetLength(buf, o));
      const type = buf[o + 1];
      const count = buf[o] & 31;
      if (type === SENDER_REPORT && o + 28 <= stop) {
        this.sender(at, buf, o);
        this.control(at, u32(buf, o + 4), 'control');
        trip = this.reports(at, buf, o + 28, stop, count) ?? trip;
      } else if (type === RECEIVER_REPORT) {
        this.control(at, u32(buf, o + 4), 'control');
        trip = this.reports(at, buf, o + 8, stop, count) ?? trip;
      } else if (type === GOODBYE)
        for (let i = 0; i < count && o + 8 + 4 * i <= stop; i++) this.control(at, u32(buf, o + 4 + 4 * i), 'left');
    }
    return trip;
  }

  /** A source said something in RTCP, or that it leaves. RFC 3550 §6.6 */
  private control(at: Arrival, ssrc: number, what: 'control' | 'left'): void {
    const s = this.newest.get(sourceIn(at.tunnel, ssrc))?.[Number(at.up)];
    if (s !== undefined) s[what] = { seconds: at.seconds, nanos: at.nanos };
  }

  private sender(at: Arrival, b: Uint8Array, o: number): void {
    for (const s of this.newest.get(sourceIn(at.tunnel, u32(b, o + 4))) ?? []) {
      if (s === undefined) continue;
      s.rtcp ??= { senderReports: 0, receiverReports: 0 };
      s.rtcp.senderReports++;
      if (s.negotiated?.secure === true) continue; // RFC 3711 §3.4: what follows the SSRC is encrypted
      const packets = u32(b, o + 20);
      s.rtcp.packetsSent = packets;
      // LSR is the middle 32 bits of the NTP time.
      s.reports.push({ ntp: ((u16(b, o + 10) << 16) | u16(b, o + 12)) >>> 0, at: at.seen(), packets });
      if (s.reports.length > MOST_REPORTS) s.reports.shift();
    }
  }

  private reports(at: Arrival, b: Uint8Array, from: number, stop: number, count: number): number | undefined {
    let trip: number | undefined;
    for (let i = 0, o = from; i < count && o + REPORT_BLOCK <= stop; i++, o += REPORT_BLOCK)
      for (const s of this.newest.get(sourceIn(at.tunnel, u32(b, o))) ?? []) {
        if (s === undefined || s.negotiated?.secure === true) continue;
        s.rtcp ??= { senderReports: 0, receiverReports: 0 };
        s.rtcp.receiverReports++;
        s.rtcp.lost = (i32(b, o + 4) << 8) >> 8;
        s.missed ??= { there: s.rtcp.lost, here: s.rtp.lost };
        const clock = this.codec(s, s.rtp.payloadType)?.clock ?? 0;
        if (clock > 0) s.rtcp.jitterMs = (u32(b, o + 12) * 1000) / clock;
        const lsr = u32(b, o + 16);
        const sent = lsr === 0 ? undefined : s.reports.findLast((r) => r.ntp === lsr);
        const ms = sent === undefined ? -1 : millis(sent.at, at) - (u32(b, o + 20) * 1000) / 65_536;
        if (ms >= 0) trip = s.rtcp.roundTripMs = ms; // less than nothing: the receiver counts its delay otherwise
      }
    return trip;
  }

  /** Whether no other stream can be the same: one in the tunnel and one behind the EFTF may, which is said at the end. */
  isUnique(s: MediaStream): boolean {
    for (const other of this.bySource.get(s.rtp.ssrc)!) if ((other.tunnel === 0) !== (s.tunnel === 0)) return false;
    return true;
  }

  /** A stream is followed no longer. */
  forget(s: MediaStream): void {
    const { ssrc } = s.rtp;
    this.streams.remove(s);
    const all = this.bySource.get(ssrc)!;
    all.delete(s);
    if (all.size === 0) this.bySource.delete(ssrc);
    const source = sourceIn(s.tunnel, ssrc);
    const newest = this.newest.get(source)!;
    if (newest[Number(s.up)] === s) newest[Number(s.up)] = undefined;
    if (newest.every((x) => x === undefined)) this.newest.delete(source);
    const places = placesIn(s.up, s.from, s.to);
    if (this.byPlaces.get(places) === s) this.byPlaces.delete(places);
    s.flow?.forget(s);
  }

  /**
   * The streams that are more than a guess, numbered anew; guesses are let go of.
   * @param gone numbers of those that are followed no longer, and are told of
   * @returns the new numbers by the old ones
   */
  finish(gone: Iterable<number> = []): Int32Array<ArrayBuffer> {
    const numbers = new Int32Array(this.streams.total + 1);
    for (const id of gone) numbers[id] = 1;
    const kept = [...this.streams].filter(isSure);
    for (const s of kept) numbers[s.id] = 1;
    let count = 0;
    for (let id = 1; id < numbers.length; id++) if (numbers[id] !== 0) numbers[id] = ++count;
    for (const s of kept) {
      s.id = numbers[s.id];
      s.flow = null; // with it goes all that the pass follows
    }
    this.streams.replace(kept);
    for (const s of kept) if (s.tunnel === 0) s.copyOf ??= this.inTunnel(s) ?? null;
    return numbers;
  }

  /** The stream inside a tunnel that is the same: of one source and payload type, at the same time. */
  inTunnel(s: MediaStream): MediaStream | undefined {
    const { start, end, payloadType, ssrc } = s.rtp;
    for (const t of this.bySource.get(ssrc) ?? [])
      if (
        t.tunnel !== 0 &&
        t.rtp.payloadType === payloadType &&
        millis(t.rtp.start, end) > -APART_MS &&
        millis(start, t.rtp.end) > -APART_MS
      )
        return t;
    return undefined;
  }

  codecOf(s: MediaStream): { readonly name: string; readonly clock: number } | undefined {
    return this.codec(s, s.rtp.payloadType);
  }
}

/** One source as seen in one tunnel. */
const sourceIn = (tunnel: number, ssrc: number): number => tunnel * 2 ** 32 + ssrc;

/** Between which places media of a UE go, whatever address it has at that time. */
const placesIn = (up: boolean, from: Place, to: Place): string =>
  up ? `>${from.port} ${to.address} ${to.port}` : `<${to.port} ${from.address} ${from.port}`;

/** Whether a stream was announced, or is more than a guess: its numbers go up, and few are missing. */
export function isSure({ negotiated, rtp }: MediaStream): boolean {
  return negotiated !== undefined || (rtp.packets - rtp.duplicates >= GUESS_PACKETS && rtp.lost < rtp.packets);
}

/** Packets of media that the UE has sent in a call. */
export function sentUp(streams: Iterable<MediaStream>, call: number): number {
  let packets = 0;
  for (const s of streams) if (s.call === call && s.up) packets += s.rtp.packets;
  return packets;
}

/** The static payload types of RFC 3551 §6, by number. */
const STATIC = Array.from({ length: 128 }, (_, n) => staticPayloadType(n));
