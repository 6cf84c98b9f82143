import type { ConnectNote } from '../../dissectors/http/exchange.js';
import { connectAnswerLength, fieldValue, readMessage, startLine } from '../../dissectors/http/message.js';
import { type AnyDissector, No, type Pdu, type View } from '../kit/index.js';
import { LIMITS } from '../limits.js';
import type { Flow } from '../stream/flow.js';
import type { Piece } from '../stream/pdu-buffer.js';
import type { StreamConsumer } from '../stream/tcp.js';
import { type Hole, type TlsServices, TlsSession } from '../tls/index.js';
import { Deframer } from './deframe.js';
import { proxyHeader } from './detect.js';
import { clientOf, nameOf } from './ends.js';
import { Half } from './half.js';
import type { ConnectionHost } from './host.js';
import { Messages, viewOf } from './messages.js';
import { PlainText } from './plain-text.js';
import { answered, connectOf } from './proxy-exchange.js';
import { recognise } from './recognise.js';
import { isClientHello, RECORD_HEADER, recordLength } from './records.js';
import { TlsPdu } from './tls-pdu.js';
import type { Tunnel } from './tunnel.js';

type Side = 0 | 1;

/** Of octets in one segment, and in several. */
const TCP_NAMES = ['Frame', 'Reassembled TCP'] as const;

/** What a connection costs, and what a TLS session or a tunnel does, messages of a handshake aside. */
const CONNECTION_COST = 900;
const SESSION_COST = 6000;
const TUNNEL_COST = 1500;
const GAP_COST = 150;
/** Content types of records. RFC 8446 §5.1 */
const HANDSHAKE = 22;
const ALERT = 21;

/** Protocols that a connection of HTTP goes over to, by what Upgrade calls them. */
const UPGRADES: Readonly<Record<string, string>> = { h2c: 'http2', websocket: 'websocket' };

const other = (side: Side): Side => (side === 0 ? 1 : 0);

/**
 * What runs in one TCP connection: HTTP CONNECT, TLS, envelopes in the clear (behind a TLS offload), or messages of
 * another stream protocol. Found by content, on any port; the port only decides where the octets leave it open.
 */
export class Connection implements StreamConsumer {
  private readonly halves: readonly [Half, Half];
  tunnel: Tunnel | null = null;
  session: TlsSession | null = null;
  /** What the records of {@link session} say; null without one. */
  plainText: PlainText | null = null;
  /** The side of the flow that speaks as TLS client; the side that sent the CONNECT. */
  client: Side = 0;
  private clientKnown = false;
  /** {@link client} rests on the port numbers alone. */
  private guessed = false;
  /** What the ledger was told of, buffers aside; of it what a handshake holds. */
  private cost = 0;
  private handshake = 0;
  /** Whether the payload is that of an HTTP CONNECT. */
  proxied = false;
  /** The layer of that CONNECT. */
  around: Pdu['around'] = undefined;

  constructor(
    readonly flow: Flow,
    private readonly host: ConnectionHost,
    private readonly tls: TlsServices,
  ) {
    this.halves = [new Half(host.ledger), new Half(host.ledger)];
    this.count(CONNECTION_COST);
  }

  /** Nothing more is fed: what it holds no longer counts. */
  release(): void {
    this.count(-this.cost);
    for (const { window, deframer } of this.halves) {
      window.release();
      deframer?.release();
    }
    this.plainText?.release();
  }

  private count(octets: number): void {
    this.cost += octets;
    this.host.ledger.octets += octets;
  }

  /** Messages of a handshake go on, certificates or alerts came. */
  countHandshake(): void {
    this.noteLimits();
    const { held } = this.session!;
    if (held === this.handshake || this.cost === 0) return;
    this.count(held - this.handshake);
    this.handshake = held;
  }

  /** Says that a cap of the session was reached. */
  private noteLimits(): void {
    const { droppedMessages, droppedAlerts } = this.session!;
    if (droppedMessages > this.droppedMessages) this.host.ledger.capped('handshakeOctets');
    if (droppedAlerts > this.droppedAlerts) this.host.ledger.capped('tlsAlerts');
    this.droppedMessages = droppedMessages;
    this.droppedAlerts = droppedAlerts;
  }
  private droppedMessages = 0;
  private droppedAlerts = 0;

  /** `side` sent a SYN: its stream is captured from its start; the side whose SYN is no answer is the client. */
  opened(side: Side, answers: boolean): void {
    const half = this.halves[side];
    half.begun ||= half.frame === 0 && half.missing === 0;
    if (this.clientKnown) return;
    this.client = answers ? other(side) : side;
    this.clientKnown = true;
  }

  data(side: Side, buf: Uint8Array, start: number, end: number, frame: number): void {
    let off = start;
    const half = this.halves[side];
    half.frame = frame;
    if (buf[off] <= 23 && buf[off] >= 20) this.upgrade(side, buf, off, end);
    const { mode } = half;
    if (mode === 'opaque') {
      this.unknown(buf, off, end);
      return;
    }
    if (mode === 'tls') off = this.wholeRecords(side, buf, off, end);
    if (off === end) return;
    half.window.feed(buf, off, end, frame);
    this.step(side);
    if (half.unclaimed > 0) this.unknown(buf, Math.max(off, end - half.unclaimed), end);
    if (!half.window.settle()) half.window.overflow();
    if (half.mode === mode) return;
    // What one side is says what the other is, and the answer of a proxy what waits behind the CONNECT.
    const peer = this.halves[other(side)];
    if (peer.mode === 'detect' && peer.window.end > peer.window.off) {
      this.step(other(side));
      peer.window.settle();
    }
  }

  /** Shows octets of a segment that nobody takes. */
  private unknown(buf: Uint8Array, off: number, end: number): void {
    this.give({ dissector: this.host.dissectors.data, view: viewOf(buf, off, end, 'Frame') });
  }

  private give(pdu: Pdu): void {
    this.host.pdu(this.around === undefined ? pdu : { ...pdu, around: this.around });
  }

  /**
   * After a plain-text start one side may begin with TLS (STARTTLS and its like): a segment starts with a ClientHello,
   * or, once the other side sent one, with a record.
   */
  private upgrade(side: Side, buf: Uint8Array, off: number, end: number): void {
    const half = this.halves[side];
    const peer = this.halves[other(side)];
    if (half.mode === 'tls' || half.mode === 'clear' || half.mode === 'wait') return;
    if (half.window.end > half.window.off && half.unclaimed === 0) return;
    const hello = isClientHello(buf, off, end);
    if (!hello && (peer.mode !== 'tls' || end - off < RECORD_HEADER || recordLength(buf, off) < 0)) return;
    if (hello) {
      this.client = side;
      this.clientKnown = true;
    }
    half.window.clear();
    if (peer.unclaimed > 0) peer.window.clear();
    half.begun = true;
    half.unclaimed = 0;
    this.startTls(side);
  }

  gap(side: Side, octets: number): void {
    const half = this.halves[side];
    this.host.finding('capture.gap');
    this.noteGap(side, octets);
    if (half.mode === 'tls') {
      half.afterGap = true;
      this.cutRecord(side, octets);
    } else {
      half.window.clear();
      half.missing += octets;
      half.begun = false;
      half.restart();
      if (half.mode === 'clear') half.deframer!.gap();
      else if (half.mode === 'pdus') half.messages!.gap();
    }
  }

  private noteGap(side: Side, octets: number): void {
    const { tunnel } = this;
    if (tunnel === null) return;
    if (tunnel.gaps.length >= LIMITS.tunnelGaps) {
      this.host.ledger.capped('tunnelGaps');
      return;
    }
    const hole: Hole = {};
    tunnel.gaps.push({ side, octets, frame: this.host.frame, hole });
    this.count(GAP_COST);
    if (this.halves[side].mode === 'tls') this.session!.tear(this.tlsSide(side), hole);
  }

  /** Octets of a record, or more, are missing. Where its header is there, it is known where the next one may start. */
  private cutRecord(side: Side, octets: number): void {
    const half = this.halves[side];
    const w = half.window;
    const have = w.end - w.off;
    const n = half.lost || have < 5 ? -1 : recordLength(w.buf, w.off);
    let missing = octets - half.passing + (half.lost ? have : 0);
    half.passing = Math.max(0, -missing);
    if (n >= 0) {
      const { buf, off, end } = w.take(have);
      const record = this.session!.cut(this.tlsSide(side), buf, off, end, this.host.frame);
      const pdu = new TlsPdu(this, side, record, true, undefined, off + n - end);
      if (half.frame === this.host.frame) this.host.pdu(pdu);
      this.host.record(pdu);
      this.plainText!.record(pdu);
      missing = have + octets - n;
      half.passing = Math.max(0, -missing);
    }
    w.clear();
    half.restart();
    if (missing <= 0) return;
    half.lost = true;
    this.session!.gap(this.tlsSide(side), missing);
  }

  close(side: Side, how: 'fin' | 'rst'): void {
    if (how === 'rst') return;
    const half = this.halves[side];
    if (half.mode === 'tls') this.plainText!.close(side);
    else if (half.mode === 'clear') this.tunnel!.unfinished[side] = half.deframer!.torn;
    else if (half.mode === 'pdus') {
      const message = half.messages!.close();
      if (message !== undefined) this.give(message);
    }
  }

  /** The dissector of TLS. */
  /** Who reads the octets; undefined: nobody, or it is not known yet. */
  get reader(): AnyDissector | undefined {
    if (this.session !== null) return this.tlsDissector;
    return (this.halves[0].messages ?? this.halves[1].messages)?.dissector;
  }

  get tlsDissector(): AnyDissector {
    return this.host.dissectors.tls;
  }

  /** Short name of the protocol whose message goes on in a later segment of `side`; '' if none does. */
  waiting(side: Side): string {
    const half = this.halves[side];
    if (half.window.off === half.window.end || half.lost) return '';
    if (half.mode === 'tls') return this.host.dissectors.tls.short;
    return half.mode === 'pdus' ? half.messages!.dissector.short : '';
  }

  /** The record that begins with the last segment of `side`, of so many octets, and is not whole; null: none does. */
  begun(side: Side, octets: number): Pdu | null {
    const { mode, window, lost, frame } = this.halves[side];
    if (mode !== 'tls' || lost || octets === 0 || window.end - window.off !== octets || frame !== this.host.frame)
      return null;
    const view = viewOf(window.buf, window.off, window.end, TCP_NAMES[0]);
    return { dissector: this.host.dissectors.tls, view, around: this.around };
  }

  private tlsSide(side: Side): Side {
    return side === this.client ? 0 : 1;
  }

  private step(side: Side): void {
    const half = this.halves[side];
    for (;;) {
      const before = half.window.off;
      const mode = half.mode;
      if (mode === 'detect') this.detect(side);
      else if (mode === 'tls') this.records(side);
      else if (mode === 'clear') this.envelopes(side);
      else if (mode === 'pdus') this.messages(side);
      if (half.mode === mode && half.window.off === before) return;
    }
  }

  private detect(side: Side): void {
    const half = this.halves[side];
    const w = half.window;
    const n = w.end - w.off;
    if (n === 0) return;
    half.unclaimed = 0;
    if (half.begun) {
      const skip = proxyHeader(w.buf, w.off, w.end);
      if (skip === 0) return;
      if (skip > 0) {
        if (!this.clientKnown) this.client = side;
        this.clientKnown = true;
        w.skip(skip);
        return;
      }
    }
    const asked = !half.begun || half.undecided.isWorthALook(w);
    const found = asked ? recognise(this.host, this.flow, half, this.halves[other(side)], this.proxied) : 'more';
    if (found === 'more') {
      if (!this.isNamed() && this.host.dissectors.tls.probe!(w.buf, w.off, w.end) === No) half.unclaimed = n;
      if (n > LIMITS.undecidedOctets) this.giveUp(half);
      return;
    }
    half.restart();
    if (found === null) this.giveUp(half);
    else if (found === this.host.dissectors.tls) this.startTls(side);
    else if (found === this.host.dissectors.fttims) this.startClear(side);
    else {
      half.mode = 'pdus';
      half.messages = new Messages(found, w, TCP_NAMES, this.host.dissectors.data);
      half.messages.lost = half.lost;
    }
  }

  /** Whether the ports say what the connection carries, so that its octets wait to be understood. */
  private isNamed(): boolean {
    const { aPort, bPort } = this.flow;
    return aPort === 443 || bPort === 443 || this.host.streamDissector(this.flow) !== undefined;
  }

  private giveUp(half: Half): void {
    half.mode = 'opaque';
    half.unclaimed = half.window.end - half.window.off;
    half.window.clear();
  }

  private startTls(side: Side): void {
    const half = this.halves[side];
    const w = half.window;
    if (this.session === null) {
      if (!this.clientKnown) this.guessClient(side, w.buf, w.off, w.end);
      this.session = new TlsSession(this.tls, nameOf(this.flow));
      this.count(SESSION_COST);
      this.plainText = new PlainText(this, this.host);
      this.becomeTunnel();
      this.tunnel!.transport = 'tls';
      this.tunnel!.session = this.session;
    }
    half.mode = 'tls';
    if (half.begun) return;
    half.lost = true;
    half.afterGap = true;
    if (half.missing > 0) this.session.gap(this.tlsSide(side), half.missing);
  }

  /** The client sends the ClientHello; else the port has to say it. */
  private guessClient(side: Side, b: Uint8Array, off: number, end: number): void {
    if (end - off > 5 && b[off] === 22 && (b[off + 5] === 1 || b[off + 5] === 2)) {
      this.client = b[off + 5] === 1 ? side : other(side);
      this.clientKnown = true;
      return;
    }
    this.client = clientOf(this.flow);
    this.guessed = true;
  }

  private startClear(side: Side): void {
    const half = this.halves[side];
    half.mode = 'clear';
    half.deframer = new Deframer({ connection: this, side }, this.host.ledger);
    if (!half.begun) half.deframer.gap();
    if (this.tunnel === null) {
      if (!this.clientKnown) this.guessClient(side, new Uint8Array(0), 0, 0);
      this.becomeTunnel();
    }
    this.tunnel!.content = 'fttims';
  }

  private becomeTunnel(): void {
    if (this.tunnel === null) {
      this.tunnel = this.host.tunnel(this);
      this.count(TUNNEL_COST);
    }
    this.tunnel.ue = this.tunnel.client = this.client;
    this.tunnel.inferred = this.guessed;
  }

  /** Takes the records that are whole in a segment, where nothing waits before it; returns where the rest starts. */
  private wholeRecords(side: Side, buf: Uint8Array, from: number, end: number): number {
    const half = this.halves[side];
    let off = from;
    while (end - off >= RECORD_HEADER && half.isClear) {
      const n = recordLength(buf, off);
      if (n < 0 || end - off < n) break;
      this.record(side, buf, off, off + n, undefined);
      off += n;
    }
    return off;
  }

  private record(side: Side, buf: Uint8Array, off: number, end: number, segments: Piece['segments']): void {
    const half = this.halves[side];
    const record = this.session!.record(this.tlsSide(side), buf, off, end, this.host.frame);
    const pdu = new TlsPdu(this, side, record, half.afterGap, segments);
    this.host.pdu(pdu);
    this.host.record(pdu);
    this.plainText!.record(pdu);
    half.afterGap = false;
    if (record.type === HANDSHAKE || record.type === ALERT) this.countHandshake();
  }

  private records(side: Side): void {
    const half = this.halves[side];
    const w = half.window;
    if (half.passing > 0) half.pass();
    if (half.lost) half.findRecord();
    while (!half.lost && w.end - w.off >= 5) {
      const n = recordLength(w.buf, w.off);
      if (n < 0) {
        half.lost = true;
        half.afterGap = true;
        this.host.finding('tls.framing-lost');
        this.session!.gap(this.tlsSide(side), 0);
        half.findRecord();
        continue;
      }
      if (w.end - w.off < n) return;
      const { buf, off, end, segments } = w.take(n);
      this.record(side, buf, off, end, segments);
    }
  }

  private envelopes(side: Side): void {
    const half = this.halves[side];
    const w = half.window;
    const d = half.deframer!;
    if (w.off === w.end) return;
    const piece = w.take(w.end - w.off);
    d.feed(piece.buf, piece.off, piece.end, half.frame);
    for (let e = d.next(); e !== undefined; e = d.next()) {
      if (e === 'lost') this.host.finding('fttims.bad-length');
      else this.host.clear(e);
    }
    d.settle();
  }

  private messages(side: Side): void {
    const half = this.halves[side];
    if (this.tunnel?.proxy !== undefined && side !== this.client) half.messages!.length = connectAnswerLength;
    while (half.mode === 'pdus') {
      const pdu = half.messages!.next();
      if (pdu === undefined) return;
      this.give(pdu);
      if (pdu.dissector === this.host.dissectors.http) this.http(side, pdu.view);
    }
  }

  /** CONNECT and its answer: after a 2xx the connection is a tunnel in which everything starts anew (RFC 9110 §9.3.6). */
  private http(side: Side, v: View): void {
    const line = startLine(v);
    if (line.startsWith('CONNECT ')) {
      this.client = side;
      this.clientKnown = true;
      this.becomeTunnel();
      this.tunnel!.proxy = connectOf(v, line.split(' ')[1] ?? '');
      this.halves[side].mode = 'wait';
      this.connected = false;
      this.dropLineEnds(side);
      return;
    }
    const status = /^HTTP\/1\.\d (\d{3})/.exec(line);
    if (status?.[1] === '101') this.switchProtocols(v);
    if (status === null || this.tunnel?.proxy === undefined || side === this.client || this.connected) return;
    const code = Number(status[1]);
    if (code < 200) return;
    const up = this.halves[other(side)];
    answered(this.tunnel.proxy, code, v, up.mode === 'wait' && up.window.end > up.window.off);
    if (code < 300) {
      this.connected = true;
      this.proxied = true;
      const note: ConnectNote = { connect: this.tunnel.proxy.target };
      this.around = { dissector: this.host.dissectors.http, note };
      this.dropLineEnds(side);
      this.halves[side].mode = 'detect';
      up.mode = 'detect';
    } else up.mode = 'pdus'; // a retry with credentials, or another request
  }
  private connected = false;

  /** After a 101 that names HTTP/2 or WebSocket both sides speak it. RFC 9110 §15.2.2. */
  private switchProtocols(v: View): void {
    const m = readMessage(v.buf, v.off, v.end);
    const name = m === undefined ? undefined : UPGRADES[fieldValue(m, 'upgrade').trim().toLowerCase()];
    const next = name === undefined ? undefined : this.host.application(name);
    if (next === undefined) {
      for (const { messages } of this.halves) if (messages !== null) messages.length = (_, off, end) => end - off;
      return;
    }
    this.around = { dissector: this.host.dissectors.http, note: undefined };
    for (const half of this.halves) {
      half.mode = 'pdus';
      half.messages = new Messages(next, half.window, TCP_NAMES, this.host.dissectors.data);
    }
  }

  /** Line ends behind a message are no part of what follows it. RFC 9112 §2.2. */
  private dropLineEnds(side: Side): void {
    const { window: w } = this.halves[side];
    let n = 0;
    while (w.off + n < w.end && (w.buf[w.off + n] === 13 || w.buf[w.off + n] === 10)) n++;
    if (n === 0) return;
    const { buf, off, end } = w.take(n);
    this.host.pdu({ dissector: this.host.dissectors.data, view: viewOf(buf, off, end, 'Frame') });
  }

  /** The secret that opened the records says which side is the client. */
  turn(): void {
    if (!this.guessed) return;
    this.guessed = false;
    this.tunnel!.inferred = false;
    if (this.session!.swapped) this.tunnel!.ue = other(this.client);
  }
}
