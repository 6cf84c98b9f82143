import type { AnyDissector, Pdu } from '../kit/index.js';
import { hex, No, u16, View, Yes } from '../kit/index.js';
import { LIMITS } from '../limits.js';
import type { Flow } from '../stream/flow.js';
import { PduBuffer } from '../stream/pdu-buffer.js';
import type { StreamConsumer } from '../stream/tcp.js';
import { type TlsRecord, type TlsServices, TlsSession } from '../tls/index.js';
import { Deframer, type Envelope } from './deframe.js';
import { detect, proxyHeader } from './detect.js';
import { TlsPdu } from './tls-pdu.js';
import type { Tunnel } from './tunnel.js';

type Side = 0 | 1;

/** What a connection asks of the engine that follows it. */
export interface ConnectionHost {
  readonly tls: TlsServices;
  readonly dissectors: { readonly tls: AnyDissector; readonly http: AnyDissector; readonly fttims: AnyDissector };
  /** Who the ports (or decode-as) name for this flow. */
  streamDissector(flow: Flow): AnyDissector | undefined;
  /** Dissectors that may recognise a stream by its octets. */
  readonly probes: readonly AnyDissector[];
  /** The connection is, or may be, a tunnel: gives it its number. */
  tunnel(connection: Connection): Tunnel;
  /** A message is whole in the frame at hand. */
  pdu(pdu: Pdu, side: Side): void;
  /** A TLS record is whole in the frame at hand; its plain text is there once the decryptor was flushed. */
  record(connection: Connection, side: Side, record: TlsRecord, afterGap: boolean): void;
  /** An envelope in the clear is whole in the frame at hand. */
  clear(connection: Connection, side: Side, envelope: Envelope): void;
  /** A finding about the frame at hand. */
  finding(code: string): void;
}

/** Takes the envelopes that a frame completes. */
export interface EnvelopeSink {
  envelopes: { readonly connection: Connection; readonly side: Side; readonly envelope: Envelope }[] | null;
  finding(code: string): void;
}

/**
 * - `detect`: the first octets have not said yet what this is
 * - `wait`: a CONNECT was sent, its answer decides
 * - `pdus`: messages of the dissector in {@link Half.dissector}
 * - `tls`, `clear`: TLS records, envelopes in the clear
 * - `opaque`: nothing that is followed
 */
type Mode = 'detect' | 'wait' | 'pdus' | 'tls' | 'clear' | 'opaque';

/** One direction. */
class Half {
  readonly window = new PduBuffer();
  mode: Mode = 'detect';
  dissector: AnyDissector | null = null;
  /** Octets are missing before the window: look for the next message. */
  lost = false;
  /** Octets of the stream are missing before the next record. */
  afterGap = false;
  deframer: Deframer | null = null;
  /** A record could not be read: plain text is missing before the next one. */
  unread = false;
}

/** Undecided octets of a direction that are looked at before it is given up. */
const DETECT_OCTETS = 64 << 10;

/**
 * What runs in one TCP connection: HTTP CONNECT, TLS, envelopes in the clear (behind a TLS offload), or messages of
 * another stream protocol. Found by content, on any port; the port only decides where the octets leave it open.
 */
export class Connection implements StreamConsumer {
  private readonly halves: readonly [Half, Half] = [new Half(), new Half()];
  tunnel: Tunnel | null = null;
  session: TlsSession | null = null;
  /** The side of the flow that speaks as TLS client; the side that sent the CONNECT. */
  client: Side = 0;
  private clientKnown = false;
  /** Whether the payload is that of an HTTP CONNECT. */
  proxied = false;

  constructor(
    readonly flow: Flow,
    private readonly host: ConnectionHost,
  ) {}

  data(side: Side, buf: Uint8Array, off: number, end: number, frame: number): void {
    const half = this.halves[side];
    if (half.mode === 'opaque') return;
    half.window.feed(buf, off, end, frame);
    this.step(side, frame);
    half.window.settle();
  }

  gap(side: Side, octets: number): void {
    const half = this.halves[side];
    half.window.clear();
    this.host.finding('capture.gap');
    if (half.mode === 'tls') {
      this.session?.gap(this.tlsSide(side), octets);
      half.lost = true;
      half.afterGap = true;
    } else if (half.mode === 'clear') half.deframer!.gap();
    else if (half.mode === 'pdus') half.lost = true;
  }

  close(): void {}

  /** Short name of the protocol whose message goes on in a later segment of `side`; '' if none does. */
  waiting(side: Side): string {
    const half = this.halves[side];
    if (half.window.off === half.window.end || half.lost) return '';
    if (half.mode === 'tls') return this.host.dissectors.tls.short;
    return half.mode === 'pdus' ? half.dissector!.short : '';
  }

  private tlsSide(side: Side): Side {
    return side === this.client ? 0 : 1;
  }

  private step(side: Side, frame: number): void {
    const half = this.halves[side];
    for (;;) {
      const before = half.window.off;
      const mode = half.mode;
      if (mode === 'detect') this.detect(side);
      else if (mode === 'tls') this.records(side, frame);
      else if (mode === 'clear') this.envelopes(side, frame);
      else if (mode === 'pdus') this.messages(side);
      if (half.mode === mode && half.window.off === before) return;
    }
  }

  private detect(side: Side): void {
    const half = this.halves[side];
    const w = half.window;
    const n = w.end - w.off;
    if (n === 0) return;
    const skip = proxyHeader(w.buf, w.off, w.end);
    if (skip === 0) return;
    if (skip > 0) {
      w.skip(skip);
      return;
    }
    const found = this.recognise(side);
    if (found === 'more') {
      if (n > DETECT_OCTETS) half.mode = 'opaque';
      return;
    }
    if (found === null) {
      half.mode = 'opaque';
      return;
    }
    if (found === this.host.dissectors.tls) this.startTls(side);
    else if (found === this.host.dissectors.fttims) this.startClear(side);
    else {
      half.mode = 'pdus';
      half.dissector = found;
    }
  }

  /** Who speaks here; null: nobody known; 'more': more octets would say. */
  private recognise(side: Side): AnyDissector | null | 'more' {
    const { window: w } = this.halves[side];
    const { tls, http, fttims } = this.host.dissectors;
    const other = this.halves[side === 0 ? 1 : 0];
    if (other.mode === 'tls') return tls;
    if (other.mode === 'clear') return fttims;
    let unsure = false;
    for (const d of [tls, http]) {
      const p = d.probe!(w.buf, w.off, w.end);
      if (p === Yes) return d;
      if (p !== No) unsure = true;
    }
    const named = this.host.streamDissector(this.flow);
    if (named !== undefined && named !== tls && named !== http) return named;
    if (other.mode === 'pdus' && !this.proxied) return other.dissector;
    if (detect(w.buf, w.off, w.end).kind === 'fttims') return fttims;
    for (const d of this.host.probes) {
      const p = d.probe!(w.buf, w.off, w.end);
      if (p === Yes) return d;
      if (p !== No) unsure = true;
    }
    return unsure && w.end - w.off < 64 ? 'more' : null;
  }

  private startTls(side: Side): void {
    const w = this.halves[side].window;
    if (this.session === null) {
      if (!this.clientKnown) this.guessClient(side, w.buf, w.off, w.end);
      this.session = new TlsSession(this.host.tls, this.name());
      this.becomeTunnel();
      this.tunnel!.transport = 'tls';
      this.tunnel!.session = this.session;
    }
    this.halves[side].mode = 'tls';
  }

  /** The two ends in a fixed order, for handshakes that an earlier file of a rotation lends. */
  private name(): string {
    const { a, aPort, b, bPort } = this.flow;
    return [`${hex(a, 0, a.length, '')}:${aPort}`, `${hex(b, 0, b.length, '')}:${bPort}`].sort().join('-');
  }

  /** The client sends the ClientHello; else the side of the higher port is taken for it. */
  private guessClient(side: Side, b: Uint8Array, off: number, end: number): void {
    if (end - off > 5 && b[off] === 22 && (b[off + 5] === 1 || b[off + 5] === 2)) {
      this.client = b[off + 5] === 1 ? side : side === 0 ? 1 : 0;
      this.clientKnown = true;
      return;
    }
    const { aPort, bPort } = this.flow;
    if (aPort === 443 || bPort === 443) this.client = aPort === 443 ? 1 : 0;
    else this.client = aPort < bPort ? 1 : 0;
    if (this.tunnel) this.tunnel.inferred = true;
  }

  private startClear(side: Side): void {
    const half = this.halves[side];
    half.mode = 'clear';
    half.deframer = new Deframer();
    if (this.tunnel === null) {
      if (!this.clientKnown) this.guessClient(side, new Uint8Array(0), 0, 0);
      this.becomeTunnel();
    }
    this.tunnel!.content = 'fttims';
  }

  private becomeTunnel(): void {
    this.tunnel ??= this.host.tunnel(this);
    this.tunnel.ue = this.client;
  }

  private records(side: Side, frame: number): void {
    const half = this.halves[side];
    const w = half.window;
    if (half.lost) this.findRecord(half);
    while (half.mode === 'tls' && w.end - w.off >= 5) {
      const n = recordLength(w.buf, w.off);
      if (n < 0) {
        half.lost = true;
        half.afterGap = true;
        this.host.finding('tls.framing-lost');
        this.session!.gap(this.tlsSide(side), 0);
        this.findRecord(half);
        if (half.lost) return;
        continue;
      }
      if (w.end - w.off < n) return;
      const piece = w.take(n);
      const record = this.session!.record(this.tlsSide(side), piece.buf, piece.off, piece.end, frame);
      const view = new View(
        { name: 'TLS record', buf: piece.buf, start: piece.off, end: piece.end },
        piece.off,
        piece.end,
      );
      this.host.pdu(new TlsPdu(this.host.dissectors.tls, view, record, this.session!, piece.segments), side);
      this.host.record(this, side, record, half.afterGap);
      half.afterGap = false;
    }
  }

  /** Moves to the next place where a record starts: a header that is followed by another, or that ends the octets. */
  private findRecord(half: Half): void {
    const w = half.window;
    for (let at = w.off; w.end - at >= 5; at++) {
      const n = recordLength(w.buf, at);
      if (n < 0) continue;
      const next = at + n;
      if (next + 5 <= w.end && recordLength(w.buf, next) < 0) continue;
      if (next > w.end && at > w.off && n > LIMITS.tlsRecordOctets) continue;
      w.skip(at - w.off);
      half.lost = false;
      return;
    }
    if (w.end - w.off > 4) w.skip(w.end - w.off - 4);
  }

  private envelopes(side: Side, frame: number): void {
    const half = this.halves[side];
    const w = half.window;
    const d = half.deframer!;
    if (w.off === w.end) return;
    const piece = w.take(w.end - w.off);
    d.feed(piece.buf, piece.off, piece.end, frame);
    for (let e = d.next(); e !== undefined; e = d.next()) {
      if (e === 'lost') this.host.finding('fttims.bad-length');
      else this.host.clear(this, side, e);
    }
    d.settle();
  }

  private messages(side: Side): void {
    const half = this.halves[side];
    const d = half.dissector!;
    const w = half.window;
    if (half.lost) {
      if (d.probe === undefined || d.probe(w.buf, w.off, w.end) !== Yes) {
        w.skip(w.end - w.off);
        return;
      }
      half.lost = false;
    }
    while (w.off < w.end && half.mode === 'pdus') {
      const n = d.pduLength === undefined ? w.end - w.off : d.pduLength(w.buf, w.off, w.end);
      if (n < 0) {
        half.lost = true;
        w.skip(w.end - w.off);
        return;
      }
      if (n === 0 || n > w.end - w.off) {
        if (w.end - w.off > LIMITS.messageOctets) half.mode = 'opaque';
        return;
      }
      const piece = w.take(n);
      const view = piece.segments
        ? View.of(piece.buf.subarray(piece.off, piece.end), 'Reassembled TCP')
        : new View({ name: 'Frame', buf: piece.buf, start: piece.off, end: piece.end }, piece.off, piece.end);
      this.host.pdu({ dissector: d, view, ...(piece.segments && { segments: piece.segments }) }, side);
      if (d === this.host.dissectors.http) this.http(side, view);
    }
  }

  /** CONNECT and its answer: after a 2xx the connection is a tunnel in which everything starts anew (RFC 9110 §9.3.6). */
  private http(side: Side, v: View): void {
    const line = firstLine(v);
    const other: Side = side === 0 ? 1 : 0;
    if (line.startsWith('CONNECT ')) {
      this.client = side;
      this.clientKnown = true;
      this.becomeTunnel();
      this.tunnel!.proxy = { target: line.split(' ')[1] ?? '' };
      this.halves[side].mode = 'wait';
      this.connected = false;
      return;
    }
    const status = /^HTTP\/1\.\d (\d{3})/.exec(line);
    if (status === null || this.tunnel?.proxy === undefined || side === this.client || this.connected) return;
    const code = Number(status[1]);
    if (code < 200) return;
    this.tunnel.proxy.status = code;
    const up = this.halves[other];
    if (code < 300) {
      this.connected = true;
      this.proxied = true;
      this.halves[side].mode = 'detect';
      up.mode = 'detect';
    } else up.mode = 'pdus'; // a retry with credentials, or another request
  }
  private connected = false;

  /**
   * The plain text of a record of this connection, in the order of the frames: gives the envelopes that it completes.
   * What is not FTT-IMS is named.
   */
  plain(side: Side, record: TlsRecord, afterGap: boolean, into: EnvelopeSink): void {
    const tunnel = this.tunnel!;
    const half = this.halves[side];
    const p = record.plain;
    if (tunnel.content === 'other') return;
    if (p === null) {
      if (record.type === 23) half.unread = true;
      return;
    }
    if (record.contentType !== 23) return;
    half.deframer ??= new Deframer();
    if (afterGap || half.unread) half.deframer.gap();
    half.unread = false;
    half.deframer.feed(p.buf, p.off, p.end, record.frame);
    if (tunnel.content === 'unknown' && !this.decide(half, tunnel)) {
      half.deframer.settle();
      return;
    }
    for (let e = half.deframer.next(); e !== undefined; e = half.deframer.next()) {
      if (e === 'lost') into.finding('fttims.bad-length');
      else {
        const whole = { connection: this, side, envelope: e };
        if (into.envelopes === null) into.envelopes = [whole];
        else into.envelopes.push(whole);
      }
    }
    half.deframer.settle();
  }

  private decide(half: Half, tunnel: Tunnel): boolean {
    const [buf, off, end] = half.deframer!.peek();
    const v = detect(buf, off, end);
    if (v.kind === 'fttims') {
      tunnel.content = 'fttims';
      return true;
    }
    if (v.kind === 'other' || end - off > DETECT_OCTETS) {
      tunnel.content = 'other';
      tunnel.other = v.kind === 'other' ? v.name : 'unknown application data';
    }
    return false;
  }
}

/** Octets of the TLS record whose header stands at `off`, header included; -1: it is not a record header. */
function recordLength(b: Uint8Array, off: number): number {
  const type = b[off];
  if (type < 20 || type > 24 || b[off + 1] !== 3 || b[off + 2] > 4) return -1;
  const n = u16(b, off + 3);
  return n > LIMITS.tlsRecordOctets ? -1 : 5 + n; // RFC 5246 §6.2.3: at most 2^14 + 2048
}

function firstLine(v: View): string {
  let s = '';
  for (let i = v.off; i < v.end && v.buf[i] !== 13 && v.buf[i] !== 10 && s.length < 2048; i++)
    s += String.fromCharCode(v.buf[i]);
  return s;
}
