import { fieldLines } from '../../dissectors/http/message.js';
import { ContentType, RECORD_HEADER } from '../../dissectors/tls/numbers.js';
import { wholeSsl2 } from '../../dissectors/tls/ssl2.js';
import { type AnyDissector, No, type Pdu, Yes } from '../kit/index.js';
import { LIMITS } from '../limits.js';
import type { Flow } from '../stream/flow.js';
import type { PduBuffer } from '../stream/pdu-buffer.js';
import type { StreamConsumer } from '../stream/tcp.js';
import { type Hole, type TlsServices, TlsSession } from '../tls/index.js';
import { Account } from './account.js';
import { ClientSide, other, type Side } from './client-side.js';
import { goingOn, isWhole } from './continuation.js';
import { Deframer } from './deframe.js';
import { proxyHeader } from './detect.js';
import { nameOf } from './ends.js';
import { Half } from './half.js';
import type { ConnectionHost } from './host.js';
import { HttpLayer } from './http-layer.js';
import { HTTP2 } from './http-upgrade.js';
import { cutMessage, endedBy, Messages, TCP_NAMES, viewOf, wholeAt } from './messages.js';
import type { PlainText } from './plain-text.js';
import { pageOf } from './proxy-exchange.js';
import { isNobodys, mayBeNamed, recognise, signed } from './recognise.js';
import { RecordLayer } from './record-layer.js';
import { followsHello, isClientHello, isRecord, isServerHello, isText } from './records.js';
import type { Tunnel } from './tunnel.js';

/** The header that a load balancer puts before what a client sends. */
const PROXY = 'proxy';

/**
 * What runs in one TCP connection: HTTP CONNECT, TLS, envelopes in the clear (behind a TLS offload), or messages of
 * another stream protocol. Found by content, on any port; the port only decides where the octets leave it open.
 */
export class Connection implements StreamConsumer {
  private readonly halves: readonly [Half, Half];
  tunnel: Tunnel | null = null;
  /** Null while nothing was found to be TLS. */
  private tlsRecords: RecordLayer | null = null;
  private readonly client = new ClientSide();
  private readonly account: Account;
  private readonly http: HttpLayer;
  /** The layer that its messages run in: a CONNECT, or HTTP that went over to another protocol. */
  around: Pdu['around'] = undefined;

  constructor(
    readonly flow: Flow,
    private readonly host: ConnectionHost,
    private readonly tls: TlsServices,
  ) {
    this.halves = [new Half(host.ledger), new Half(host.ledger)];
    this.account = new Account(host.ledger);
    this.http = new HttpLayer(this, host, this.halves, this.client);
  }

  /** Nothing more is fed: what it holds no longer counts. */
  release(): void {
    this.account.close();
    for (const { window, deframer } of this.halves) {
      window.release();
      deframer?.release();
    }
    this.plainText?.release();
  }

  get session(): TlsSession | null {
    return this.tlsRecords === null ? null : this.tlsRecords.session;
  }

  /** What the records of {@link session} say; null without one. */
  get plainText(): PlainText | null {
    return this.tlsRecords === null ? null : this.tlsRecords.plainText;
  }

  /** Messages of a handshake go on, certificates or alerts came. */
  countHandshake(): void {
    this.tlsRecords!.countHandshake();
  }

  /** `side` sent a SYN: its stream is captured from its start; the side whose SYN is no answer is the client. */
  opened(side: Side, answers: boolean): void {
    const half = this.halves[side];
    half.begun ||= half.frame === 0 && half.missing === 0;
    this.client.mayBe(answers ? other(side) : side);
  }

  /** Whether what is taken was shown before. */
  shown = false;
  /** Whether it was shown as nobody's: it may turn out to be somebody's. */
  private shownAsData = false;

  data(side: Side, buf: Uint8Array, start: number, end: number, frame: number, shown: boolean, cut: number): void {
    const half = this.halves[side];
    half.cut = cut;
    if (half.messages !== null) half.messages.cut = cut > 0;
    this.shownAsData = shown && half.shownAsData;
    this.shown = shown && !this.shownAsData;
    this.take(side, buf, start, end, frame);
    this.shown = this.shownAsData = false;
  }

  /**
   * Shows the messages that are whole at the start of a segment before which octets are missing. It stands `at` in the
   * stream, so many octets `beyond` what was taken.
   */
  ahead(side: Side, buf: Uint8Array, off: number, end: number, at: number, beyond: number, last: boolean): number {
    const half = this.halves[side];
    const { mode, messages } = half;
    if (mode === 'tls' || (this.awaitsTls(half) && !isText(buf, off, end))) {
      if (this.tls.keys.length > 0) return 0;
      const n = this.tlsRecords!.ahead(side, buf, off, end);
      if (beyond >= half.left && half.beginAhead(buf, off + n, end, at + n, this.host.frame))
        this.strange(buf, off + n, end, 0);
      return n;
    }
    const isUnclaimed = mode === 'opaque' || mode === 'detect';
    if ((mode !== 'pdus' && !isUnclaimed) || (isUnclaimed && !last)) return 0;
    if (at === half.openAhead) {
      half.openAhead = at + end - off; // the rest of a message, or part of it
      return 0;
    }
    const { http, data } = this.host.dissectors;
    const peer = this.halves[other(side)];
    const isAnswer = mode === 'detect' && peer.messages?.dissector === http;
    if (isUnclaimed && (this.tunnel !== null || half.window.length > half.unclaimed)) return 0;
    if (isUnclaimed && !isAnswer) return this.nobodysAhead(half, peer, buf, off, end);
    const whole = isAnswer ? wholeAt(http, buf, off, end, TCP_NAMES[0]) : messages!.ahead(buf, off, end);
    for (const pdu of whole) this.give(pdu);
    const shown = whole.at(-1)?.view.end ?? off;
    if (shown === end || (!isAnswer && messages!.dissector !== http)) return shown - off;
    const isRest = shown > off || (!isAnswer && beyond < messages!.left);
    if (http.probe!(buf, shown, end) === Yes) half.openAhead = at + end - off;
    else if (!isRest && this.http.isAsked && http.probe!(buf, off, end) === No && isWhole(buf, off, end)) {
      this.give({ dissector: data, view: viewOf(buf, off, end, TCP_NAMES[0]), around: goingOn(http) });
      return end - off;
    }
    return shown - off;
  }

  /** Whether nothing is known of a direction but that the other one is TLS. */
  private awaitsTls({ mode, window }: Half): boolean {
    return mode === 'detect' && this.tlsRecords !== null && window.length === 0;
  }

  /** The same where nobody is known to speak. */
  private nobodysAhead(half: Half, peer: Half, buf: Uint8Array, off: number, end: number): number {
    if (peer.mode !== 'opaque' && peer.mode !== 'detect') return 0;
    if (!isNobodys(this.host, this.flow, buf, off, end)) return 0;
    half.shownAsData = true;
    this.give({ dissector: this.host.dissectors.data, view: viewOf(buf, off, end, TCP_NAMES[0]) });
    return end - off;
  }

  /** An octet that is sent again alone is no message: it is shown where no other waits for the rest. */
  probe(side: Side, buf: Uint8Array, off: number): void {
    const { window, mode, unclaimed } = this.halves[side];
    const { data } = this.host.dissectors;
    // Octets on a port of HTTP that are none wait for the end of a line, as in tshark.
    const waits = mode !== 'pdus' && mode !== 'tls' && this.isHttp;
    if (waits || window.length > unclaimed) return;
    this.give({ dissector: data, view: viewOf(buf, off, off + 1, TCP_NAMES[0]), probes: true });
  }

  /** Whether the ports are those of HTTP. */
  private get isHttp(): boolean {
    return this.host.streamDissector(this.flow) === this.host.dissectors.http;
  }

  /** Whether {@link again} may show anything: records that may be opened are shown once. */
  get repeats(): boolean {
    const [a, b] = this.halves;
    return (a.mode !== 'tls' && b.mode !== 'tls') || this.tls.keys.length === 0;
  }

  /** Shows again the messages that are whole in a segment which is sent again. */
  again(side: Side, buf: Uint8Array, off: number, end: number): void {
    const { mode, messages, window, unclaimed } = this.halves[side];
    const isNobodys = mode === 'opaque' || (mode === 'detect' && window.length === unclaimed);
    this.repeating = true;
    if (mode === 'pdus') for (const pdu of messages!.ahead(buf, off, end)) this.give(pdu);
    else if (mode === 'tls' && this.tls.keys.length === 0) this.tlsRecords!.ahead(side, buf, off, end);
    else if (isNobodys) this.unknown(buf, off, end, 0);
    this.repeating = false;
  }
  private repeating = false;

  private take(side: Side, buf: Uint8Array, start: number, end: number, frame: number): void {
    let off = start;
    const half = this.halves[side];
    half.frame = frame;
    if (this.http.isUnheard && side !== this.client.side) this.http.behindHole(buf, off, end);
    if (buf[off] <= 23 && buf[off] >= 20) this.upgrade(side, buf, off, end);
    this.http.begin(half, buf, off, end);
    const { window, unclaimed } = half;
    if (half.mode === 'opaque' || (half.mode === 'detect' && unclaimed > 0 && unclaimed === window.length))
      this.reopen(half, buf, off, end);
    const { mode } = half;
    if (mode === 'opaque') {
      this.unknown(buf, off, end, half.cut);
      return;
    }
    if (mode === 'tls') {
      if (half.isTorn && frame === this.host.frame && !isRecord(buf, off, end)) this.strange(buf, off, end, half.cut);
      off = this.tlsRecords!.takeWhole(side, half, buf, off, end);
    }
    if (off === end) return;
    // The client goes on, and nothing of the proxy was captured.
    if (mode === 'wait' && this.halves[other(side)].frame === 0 && followsHello(half.window, buf, off, end))
      this.http.establish();
    half.fresh = off === start && half.window.length === 0 && half.passing === 0;
    half.window.feed(buf, off, end, frame);
    this.step(side);
    const isLost = half.mode === 'tls' && half.lost && half.cut === 0 && off === start;
    if (isLost && frame === this.host.frame && end - off >= RECORD_HEADER && !isRecord(buf, off, end))
      this.strange(buf, off, end, 0);
    if (half.unclaimed > 0) this.unknown(buf, Math.max(off, end - half.unclaimed), end, half.cut);
    else if (half.mode === 'detect' && this.isHttp && fieldLines(buf, off, end) > 0)
      this.unknown(buf, off, end, half.cut);
    if (!half.window.settle()) half.window.overflow();
    if (half.mode === mode) return;
    // What one side is says what the other is, and the answer of a proxy what waits behind the CONNECT.
    const peer = this.halves[other(side)];
    if (peer.mode === 'detect' && peer.window.end > peer.window.off) {
      this.step(other(side));
      peer.window.settle();
    }
  }

  /** Shows octets of a segment that nobody takes, of which the snaplen `cut` off so many. */
  private unknown(buf: Uint8Array, off: number, end: number, cut: number): void {
    if (this.shownAsData) return;
    this.give({ dissector: this.host.dissectors.data, view: viewOf(buf, off, end, TCP_NAMES[0], cut) });
  }

  /**
   * Shows octets of TLS that begin no record, where it is known which version it is: tshark ignores them aloud, but for text,
   * which it takes for none of TLS.
   */
  private strange(buf: Uint8Array, off: number, end: number, cut: number): void {
    const [a, b] = this.halves;
    if (isText(buf, off, end)) {
      this.give({ dissector: this.host.dissectors.data, view: viewOf(buf, off, end, TCP_NAMES[0], cut) });
      return;
    }
    if (cut === 0 && buf[off] >= ContentType.ChangeCipherSpec && buf[off] <= ContentType.Heartbeat) return;
    if (cut === 0 && this.session!.version === 0 && !a.versioned && !b.versioned) return;
    this.give({ dissector: this.tlsDissector, view: viewOf(buf, off, end, TCP_NAMES[0], cut) });
  }

  /** @internal */
  give(pdu: Pdu): void {
    if (this.shown) return;
    const given = this.around === undefined ? pdu : { ...pdu, around: this.around };
    this.host.pdu(this.repeating ? { ...given, repeats: true } : given);
  }

  /**
   * After a plain-text start one side may begin with TLS (STARTTLS and its like): a segment starts with a ClientHello,
   * or, once the other side sent one, with a record.
   */
  private upgrade(side: Side, buf: Uint8Array, off: number, end: number): void {
    const half = this.halves[side];
    const peer = this.halves[other(side)];
    if (half.mode === 'tls' || half.mode === 'clear' || half.mode === 'wait') return;
    if (half.mode === 'pdus' && peer.frame === 0 && isServerHello(buf, off, end) && this.http.unasked(half))
      this.messages(side);
    if (half.window.end > half.window.off && half.unclaimed === 0) return;
    const hello = isClientHello(buf, off, end);
    if (!hello && (peer.mode !== 'tls' || !isRecord(buf, off, end))) return;
    if (hello) this.client.is(side);
    half.window.clear();
    if (peer.unclaimed > 0) peer.window.clear();
    half.begun = true;
    half.unclaimed = 0;
    this.startTls(side);
  }

  gap(side: Side, octets: number, cut: boolean): void {
    const half = this.halves[side];
    if (!cut) this.host.finding('capture.gap');
    this.noteGap(side, octets, cut);
    if (half.mode === 'tls') this.tlsRecords!.cut(side, half, octets, cut);
    else {
      if (cut) this.cutShort(side, half, octets);
      half.window.clear();
      half.missing += octets;
      half.begun = false;
      half.restart();
      if (half.mode === 'clear') half.deframer!.gap();
      else if (half.mode === 'pdus') half.messages!.gap(octets);
    }
    this.http.gap(side);
  }

  /** Shows a message that began in the segment at hand as far as it was captured. */
  private cutShort(side: Side, half: Half, missing: number): void {
    const { window, mode, messages, frame } = half;
    if (window.length === 0 || frame !== this.host.frame || (mode !== 'pdus' && mode !== 'detect')) return;
    const dissector = messages === null ? this.host.streamDissector(this.flow) : messages.dissector;
    const pdu = cutMessage(dissector, window, messages?.lost === true, missing, TCP_NAMES[0]);
    if (pdu === undefined) {
      const { buf, off, end } = window;
      if (dissector === undefined && half.unclaimed === 0) this.unknown(buf, off, end, missing);
      return;
    }
    this.give(pdu);
    if (pdu.dissector === this.host.dissectors.http) this.http.begins(side, pdu.view);
  }

  /** The last gap before it was known to be a tunnel: the frame at hand may show that it is one. */
  private lack: { readonly side: Side; readonly octets: number; readonly ordinal: number } | null = null;

  private noteGap(side: Side, octets: number, cut: boolean): void {
    const { tunnel, host } = this;
    if (tunnel === null && !cut) this.lack = { side, octets, ordinal: host.ordinal };
    if (tunnel === null) return;
    host.missing(octets);
    if (tunnel.gaps.length >= LIMITS.tunnelGaps) {
      if (!cut) host.ledger.capped('tunnelGaps'); // that frames are cut is told of each
      return;
    }
    const hole: Hole = {};
    tunnel.gaps.push({ side, octets, frame: host.frame, file: host.file, ordinal: host.ordinal, cut, hole });
    this.account.hold('gap');
    if (this.halves[side].mode === 'tls') this.tlsRecords!.tear(side, hole);
  }

  close(side: Side, how: 'fin' | 'rst'): void {
    if (how === 'rst') return;
    const half = this.halves[side];
    if (half.mode === 'tls') this.plainText!.close(side);
    else if (half.mode === 'clear') this.tunnel!.unfinished[side] = half.deframer!.torn;
    else if (half.mode === 'pdus') {
      const message = half.messages!.close();
      if (message !== undefined) this.give(endedBy(message, half.frame, this.host.frame));
    }
  }

  /** Who reads the octets; undefined: nobody, or it is not known yet. */
  get reader(): AnyDissector | undefined {
    if (this.tlsRecords !== null) return this.tlsDissector;
    return (this.halves[0].messages ?? this.halves[1].messages)?.dissector;
  }

  /** The dissector of TLS. */
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

  /**
   * The record that begins with the last segment of `side`, of so many octets, and is not whole, or what of TLS stands
   * behind a hole; or a message of whoever {@link AnyDissector.listsStart} says it of; null: none of them.
   */
  begun(side: Side, octets: number): Pdu | null {
    const half = this.halves[side];
    if (half.mode === 'pdus' && half.messages!.dissector.listsStart === true)
      return octets > 0 && half.window.length === octets && !half.lost
        ? { dissector: half.messages!.dissector, view: half.waiting, around: this.around }
        : null;
    if ((half.mode !== 'tls' && !this.awaitsTls(half)) || octets === 0) return null;
    if (!half.begins(octets, this.host.frame)) return null;
    return { dissector: this.host.dissectors.tls, view: half.waiting, around: this.around };
  }

  /** `side` as TLS calls it: 0 is the client. */
  tlsSide(side: Side): Side {
    return side === this.client.side ? 0 : 1;
  }

  /** @internal Takes what is whole of what waits. */
  step(side: Side): void {
    const half = this.halves[side];
    for (;;) {
      const before = half.window.off;
      const mode = half.mode;
      if (mode === 'detect') this.detect(side);
      else if (mode === 'tls') this.tlsRecords!.take(side, half);
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
    if (side !== this.client.side) this.answered(half);
    half.unclaimed = 0;
    if ((half.begun && this.tookProxyHeader(side, w)) || this.tookSsl2Hello(side, half)) return;
    const asked = !half.begun || half.undecided.isWorthALook(w);
    const found = asked ? recognise(this.host, this.flow, half, this.halves[other(side)], this.http.isProxied) : 'more';
    if (found === 'more') {
      if (!mayBeNamed(this.host, this.flow, w)) half.unclaimed = n;
      if (n > LIMITS.undecidedOctets) this.giveUp(half);
      return;
    }
    half.restart();
    if (found === null) this.giveUp(half);
    else if (found === this.host.dissectors.tls) this.startTls(side);
    else if (found === this.host.dissectors.fttims) this.startClear(side);
    else {
      const { data } = this.host.dissectors;
      half.mode = 'pdus';
      half.messages = new Messages(found, w, TCP_NAMES, data, side === 0 ? this.flow.bPort : this.flow.aPort);
      half.messages.lost = half.lost;
      // RFC 9113 §3.3: both sides know that HTTP/2 is spoken. On the ports of HTTP tshark lists that, too.
      if (found.proto === HTTP2 && this.isHttp) this.around ??= goingOn(this.host.dissectors.http);
    }
  }

  /** The server says something before it is known what is spoken: to a CONNECT, or a page in the place of TLS. */
  private answered({ begun, window: w }: Half): void {
    if (this.tunnel === null) return;
    const { proxy } = this.tunnel;
    if (this.http.isConnected && proxy !== undefined) proxy.hasReply = true;
    if (begun && (proxy === undefined || this.http.isConnected))
      this.tunnel.page ??= pageOf(viewOf(w.buf, w.off, w.end, TCP_NAMES[0]));
  }

  /** Gives on a header of the PROXY protocol; true also where it is not whole yet. */
  private tookProxyHeader(side: Side, w: PduBuffer): boolean {
    const n = proxyHeader(w.buf, w.off, w.end);
    if (n > 0) {
      this.client.mayBe(side);
      this.giveFirst(this.host.application(PROXY)!, w, n);
    }
    return n >= 0;
  }

  /** Gives on a ClientHello in the form of SSL 2.0; amid a stream it must be all that is there. RFC 5246 §E.2 */
  private tookSsl2Hello(side: Side, { begun, window: w }: Half): boolean {
    const n = wholeSsl2(w.buf, w.off, w.end);
    if (n <= 0 || (!begun && n !== w.end - w.off)) return false;
    this.client.is(side);
    this.giveFirst(this.tlsDissector, w, n);
    return true;
  }

  /** The first `n` octets that wait, as one message. */
  private giveFirst(dissector: AnyDissector, w: PduBuffer, n: number): void {
    const { buf, off, end } = w.take(n);
    this.give({ dissector, view: viewOf(buf, off, end, TCP_NAMES[0]) });
  }

  /** A segment of a stream that is nobody's so far may begin with a message of a protocol that is known by its octets alone. */
  private reopen(half: Half, buf: Uint8Array, off: number, end: number): void {
    const found = signed(this.host.probes, buf, off, end);
    if (found === undefined) return;
    half.window.clear();
    half.mode = 'pdus';
    half.unclaimed = 0;
    half.messages = new Messages(found, half.window, TCP_NAMES, this.host.dissectors.data);
  }

  private giveUp(half: Half): void {
    half.mode = 'opaque';
    half.unclaimed = half.window.end - half.window.off;
    half.window.clear();
  }

  private startTls(side: Side): void {
    const half = this.halves[side];
    const w = half.window;
    if (this.tlsRecords === null) {
      this.client.settle(this.flow, side, w.buf, w.off, w.end);
      const session = new TlsSession(this.tls, nameOf(this.flow));
      this.account.hold('session');
      this.tlsRecords = new RecordLayer(this, this.host, this.account, session);
      this.becomeTunnel();
      this.tunnel!.transport = 'tls';
      this.tunnel!.session = session;
    }
    const proxy = this.tunnel!.proxy;
    if (proxy !== undefined && !this.http.isConnected) delete proxy.status; // what was answered last was not captured
    this.tlsRecords.begin(side, half);
  }

  private startClear(side: Side): void {
    const half = this.halves[side];
    half.mode = 'clear';
    half.deframer = new Deframer({ connection: this, side }, this.host.ledger);
    if (!half.begun) half.deframer.gap();
    if (this.tunnel === null) {
      this.client.settle(this.flow, side, half.window.buf, 0, 0);
      this.becomeTunnel();
    }
    this.tunnel!.content = 'fttims';
  }

  /** @internal The connection is a tunnel, or may be one. */
  becomeTunnel(): Tunnel {
    if (this.tunnel === null) {
      this.tunnel = this.host.tunnel(this);
      this.account.hold('tunnel');
      if (this.lack?.ordinal === this.host.ordinal) this.noteGap(this.lack.side, this.lack.octets, false);
    }
    this.tunnel.ue = this.tunnel.client = this.client.side;
    this.tunnel.inferred = this.client.isGuessed;
    return this.tunnel;
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
    this.http.measure(side);
    while (half.mode === 'pdus') {
      const pdu = half.messages!.next(this.http.length(side));
      if (pdu === undefined) return;
      this.http.give(pdu, half);
      if (pdu.dissector === this.host.dissectors.http) this.http.message(side, pdu.view);
    }
  }

  /** The secret that opened the records says which side is the client. */
  turn(): void {
    if (!this.client.isGuessed) return;
    this.client.isGuessed = false;
    this.tunnel!.inferred = false;
    if (this.session!.swapped) this.tunnel!.ue = other(this.client.side);
  }
}
