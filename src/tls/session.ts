import {
  HANDSHAKE_HEADER,
  parseCertificateChain,
  parseClientHello,
  parseEncryptedExtensions,
  parseNewSessionTicket,
  parseServerHello,
} from '../../dissectors/tls/hello.js';
import { ContentType, HandshakeType, RECORD_HEADER } from '../../dissectors/tls/numbers.js';
import { hex, u8, u16, words } from '../kit/index.js';
import { LIMITS } from '../limits.js';
import { Channel } from './channel.js';
import type { Stage } from './epoch.js';
import type { Hole } from './hole.js';
import { KeyRing } from './key-ring.js';
import { looksClear, looksHeartbeat } from './messages.js';
import type { Resumed } from './negotiation.js';
import { type Span, TlsRecord } from './record.js';
import type { FinishedSeen, TlsAlert, TlsServices } from './services.js';
import { type DirectionVerdict, verdictOf } from './verdict.js';

const CUT = words`The record was not captured whole.`;

/**
 * One TLS connection. The engine feeds the records of both directions in the order of the capture; the session follows
 * the handshakes, finds the keys, and opens what it can: see {@link TlsRecord.status}. Its properties are what the
 * model reads. It never throws.
 */
export class TlsSession {
  /** 0x0303, 0x0304 …; 0 while unknown. */
  version = 0;
  /** Cipher suite; 0 while unknown. */
  suite = 0;
  /** Server name that the client asked for. */
  sni: string | undefined;
  /** Protocol that was settled by ALPN. */
  alpn: string | undefined;
  /** How it took an earlier session up again. */
  resumed: Resumed | undefined;
  /** In hex, '' while unknown; those of the first handshake. */
  clientRandom = '';
  serverRandom = '';
  /** The server's certificates of the first handshake, DER, the end entity first. */
  certificates: readonly Uint8Array[] = [];
  /** Extensions that the ServerHello below TLS 1.3 has (RFC 7627 §5, RFC 5746 §3); undefined while unknown. */
  protections: { readonly extendedMasterSecret: boolean; readonly renegotiationInfo: boolean } | undefined;
  /** Whether the server asked for a certificate of the client. */
  certificateRequested = false;
  /** Whether the client sent a certificate too. */
  clientCertificate = false;
  readonly alerts: TlsAlert[] = [];
  /** Alerts beyond those. */
  droppedAlerts = 0;
  /** KeyUpdate messages by direction. */
  readonly keyUpdates: [number, number] = [0, 0];
  /** Handshakes after the first one. */
  renegotiations = 0;
  /** A HelloRetryRequest was sent. */
  retried = false;
  /** The client offered early data (0-RTT), and the server passed over them: what was in them did not arrive. RFC 8446 §4.2.10 */
  earlyRefused = false;
  private earlyOffered = false;
  /** Frames of the first hellos. */
  clientHelloFrame: number | undefined;
  serverHelloFrame: number | undefined;
  /** First Finished of client and server. */
  readonly finished: [FinishedSeen | undefined, FinishedSeen | undefined] = [undefined, undefined];

  private readonly channels: readonly [Channel, Channel];
  private readonly ring: KeyRing;
  /** The last frame that completed a record of each direction. */
  private readonly frames: [number, number] = [0, 0];

  /** @param connection names the four-tuple, for handshakes lent between captures: see {@link SessionCache} */
  constructor(
    private readonly services: TlsServices,
    private readonly connection: string = '',
  ) {
    this.ring = new KeyRing(services, connection, () => this.settle());
    const content = (channel: Channel, r: TlsRecord): void => this.content(channel, r);
    this.channels = [
      new Channel(0, this.ring, content, services.decryptor),
      new Channel(1, this.ring, content, services.decryptor),
    ];
  }

  /** The key log line that opens this session below TLS 1.3, however its secret was found; undefined without it. */
  get keyLine(): string | undefined {
    return this.ring.negotiation.line;
  }

  /** The client random that key log lines of this session have: that of the inner ClientHello where it is encrypted. */
  get keyRandom(): string {
    const { clientRandom } = this.ring.negotiation;
    return hex(clientRandom, 0, clientRandom.length, '');
  }

  /** The keys, or a ClientHello, say that direction 0 is the server's. */
  get swapped(): boolean {
    return this.ring.swapped;
  }

  /**
   * When each side takes the tunnel for established: the UE when it received a valid Finished (TS 24.322 §5.2.2.4), the
   * EFTF when it sent its own (§5.2.3). Both happen in the frame of the server's Finished, as seen from the capture.
   */
  get established(): { readonly ue?: number; readonly eftf?: number } {
    const f = this.finished[1];
    if (f === undefined) return {};
    return f.valid === false ? { eftf: f.frame } : { ue: f.frame, eftf: f.frame };
  }

  /** Handshake messages beyond the cap, which were passed over. */
  get droppedMessages(): number {
    return this.channels[0].reader.dropped + this.channels[1].reader.dropped;
  }

  /** Octets of handshakes that are kept, by estimate: messages that go on, those for the transcript, certificates. */
  get held(): number {
    let n = this.channels[0].reader.held + this.channels[1].reader.held + this.ring.negotiation.transcript.held;
    for (const c of this.certificates) n += c.length;
    return n;
  }

  /** First record of a direction that is longer than its receiver takes. RFC 8449 §4 */
  tooLong(direction: 0 | 1): Channel['tooLong'] {
    return this.channels[direction].tooLong;
  }

  /** No more records will come: lets go of keys and messages. What the properties and {@link verdict} say stays. */
  release(): void {
    for (const channel of this.channels) channel.release();
    this.ring.release();
  }

  /** What became of the protected records of one direction. */
  verdict(direction: 0 | 1): DirectionVerdict {
    return verdictOf(this.channels[direction]);
  }

  /**
   * Takes a whole record, `[off, end)` of `buf` with its header; `buf` stays as it is until the next flush.
   * @param direction 0 from the client, 1 from the server
   */
  record(direction: 0 | 1, buf: Uint8Array, off: number, end: number, frame: number): TlsRecord {
    const r = new TlsRecord(direction, frame, u8(buf, off), u16(buf, off + 1), buf, off, end);
    const channel = this.channels[direction];
    this.frames[direction] = frame;
    if (this.isProtected(channel, r)) {
      channel.push(r);
      const bulk = r.type === ContentType.ApplicationData && this.canWait(channel);
      if (!bulk) channel.drain();
      if (r.status === 'no-keys') this.inferFinished(channel, r);
    } else this.clear(channel, r);
    return r;
  }

  /** Below TLS 1.3 the first record after ChangeCipherSpec is the Finished, whether or not it can be read. */
  private inferFinished(channel: Channel, r: TlsRecord): void {
    if (r.type === ContentType.Handshake && channel.records === 1 && channel.state === 'locked')
      this.finished[this.ring.role(channel)] ??= { frame: r.frame, valid: undefined };
  }

  /**
   * Takes a record of which only `[off, end)` was captured, the header included. It counts, and messages that are whole
   * in what there is of it are read where it is in the clear.
   */
  cut(direction: 0 | 1, buf: Uint8Array, off: number, end: number, frame: number): TlsRecord {
    const r = new TlsRecord(direction, frame, u8(buf, off), u16(buf, off + 1), buf, off, end);
    const channel = this.channels[direction];
    const isProtected = this.isProtected(channel, r);
    if (!isProtected && r.type === ContentType.Handshake) this.handshake(channel, r, buf, off + RECORD_HEADER, end);
    r.closed('cut', CUT);
    if (isProtected) {
      channel.push(r);
      channel.reason ??= r.why;
      if (!this.canWait(channel)) {
        // It may have held the message after which the keys change.
        channel.drain();
        channel.lose(1);
      }
    } else {
      channel.torn = true;
      this.tornHello(channel, frame);
      channel.reader.reset();
      this.ring.negotiation.transcript.broken = true;
    }
    return r;
  }

  /** A ClientHello whose end was not captured has what the keys need: its random. */
  private tornHello(channel: Channel, frame: number): void {
    const m = channel.reader.begun;
    if (m !== undefined && channel.state === 'clear' && u8(m.buf, m.off) === HandshakeType.ClientHello)
      this.clientHello(channel, frame, m);
  }

  /** Opens what is queued of a direction before the flush, if its key and the number of its next record are known. */
  drain(direction: 0 | 1): void {
    const channel = this.channels[direction];
    if (channel.state === 'open') channel.drain();
  }

  /** Octets of the stream are missing from here on: `hole` gets the numbers of the records that they take away. */
  tear(direction: 0 | 1, hole: Hole): void {
    this.channels[direction].tear(hole);
  }

  /** Octets of the stream are missing before the next record; 0 if records could not be told apart for a while. */
  gap(direction: 0 | 1, octets: number): void {
    this.tornHello(this.channels[direction], this.frames[direction]);
    this.channels[direction].gap(octets);
    if (this.finished[0] === undefined || this.finished[1] === undefined)
      this.ring.negotiation.transcript.broken = true;
  }

  /** Whether application data of a channel can wait for the flush: no keys of a handshake depend on it. */
  private canWait(channel: Channel): boolean {
    if (!this.ring.negotiation.tls13) return true;
    return channel.epoch !== null && channel.epoch.stage === 'application';
  }

  private isProtected(channel: Channel, r: TlsRecord): boolean {
    const { type } = r;
    if (type === ContentType.ApplicationData) {
      if (channel.state === 'clear') this.ring.begin(channel);
      return true;
    }
    // RFC 8446 §5: what is protected has the outer type of application data.
    if (this.ring.negotiation.tls13) return false;
    if (channel.state !== 'clear') return true;
    const content = r.off + RECORD_HEADER;
    const seemsClear =
      type === ContentType.Handshake
        ? channel.reader.pending || looksClear(r.buf, content, r.end)
        : type === ContentType.Heartbeat
          ? looksHeartbeat(r.buf, content, r.end)
          : r.end - content === (type === ContentType.Alert ? 2 : 1);
    if (seemsClear) return false;
    if (channel.torn || !this.ring.negotiation.settled) this.ring.begin(channel);
    return channel.state !== 'clear';
  }

  private content(channel: Channel, r: TlsRecord): void {
    const { buf, off, end } = r.plain!;
    switch (r.contentType) {
      case ContentType.ChangeCipherSpec:
        this.changeCipherSpec(channel);
        break;
      case ContentType.Alert:
        this.alert(channel, r.frame, buf, off, end, r.status === 'open');
        break;
      case ContentType.Handshake:
        r.handshake = this.handshake(channel, r, buf, off, end);
        break;
    }
  }

  private clear(channel: Channel, r: TlsRecord): void {
    r.status = 'clear';
    r.plain = { buf: r.buf, off: r.off + RECORD_HEADER, end: r.end };
    this.content(channel, r);
  }

  private alert(channel: Channel, frame: number, b: Uint8Array, off: number, end: number, isProtected: boolean): void {
    if (end - off < 2) return;
    const { direction } = channel;
    if (this.alerts.length >= LIMITS.tlsAlerts) {
      this.droppedAlerts++;
      return;
    }
    const alert = { frame, direction, level: u8(b, off), description: u8(b, off + 1), protected: isProtected };
    // Both directions are opened by the batch: an alert of one may come after a later one of the other.
    const later = this.alerts.findIndex((other) => other.frame > frame);
    this.alerts.splice(later < 0 ? this.alerts.length : later, 0, alert);
  }

  private changeCipherSpec(channel: Channel): void {
    const n = this.ring.negotiation;
    if (n.tls13) return; // RFC 8446 §5: ignored
    if (n.version === 0) {
      // Before a ServerHello it is what TLS 1.3 clients send for middleboxes (RFC 8446 §D.4).
      if (n.clientHello === undefined) channel.lose(LIMITS.recordSearch);
      return;
    }
    n.settleResumption();
    this.resumed = n.resumed;
    const epoch = n.epochs12()?.[this.ring.role(channel)];
    channel.enter(epoch ?? null, n.reason);
    this.remember();
  }

  /** Notes what later sessions may take up. */
  private remember(): void {
    const n = this.ring.negotiation;
    const id = n.serverHello?.sessionId;
    if (id !== undefined && n.resumed === undefined)
      this.services.cache.rememberId(id, { master: n.masterRef, suite: n.suite, giver: n.clientRandom });
  }

  private handshake(channel: Channel, r: TlsRecord, b: Uint8Array, off: number, end: number): Span[] {
    const messages = channel.reader.feed(b, off, end);
    for (const m of messages) this.message(channel, r, m);
    return messages;
  }

  private message(channel: Channel, r: TlsRecord, m: Span): void {
    const type = u8(m.buf, m.off);
    const n = this.ring.negotiation;
    switch (type) {
      case HandshakeType.HelloRequest:
        return; // RFC 5246 §7.4.1.1: not part of the transcript
      case HandshakeType.ClientHello:
        this.clientHello(channel, r.frame, m);
        return;
      case HandshakeType.ServerHello:
        this.serverHello(channel, r.frame, m);
        return;
      case HandshakeType.NewSessionTicket:
        this.ticket(m);
        if (n.tls13) return; // RFC 8446 §4.6: after the handshake
        break;
      case HandshakeType.EncryptedExtensions:
        this.encryptedExtensions(m);
        break;
      case HandshakeType.Certificate:
        this.certificate(channel, m);
        break;
      case HandshakeType.CertificateRequest:
        this.certificateRequested = true;
        break;
      case HandshakeType.ServerKeyExchange:
      case HandshakeType.ServerHelloDone:
        n.full = true;
        break;
      case HandshakeType.ClientKeyExchange:
        this.clientKeyExchange(m);
        return;
      case HandshakeType.KeyUpdate:
        this.keyUpdate(channel);
        return;
      case HandshakeType.Finished:
        this.seeFinished(channel, r.frame, m);
        return;
      case HandshakeType.EndOfEarlyData:
        n.transcript.add(m);
        this.enter13(channel, 'handshake');
        return;
    }
    n.transcript.add(m);
  }

  private encryptedExtensions(m: Span): void {
    const said = parseEncryptedExtensions(m.buf, m.off, m.end);
    this.alpn = said?.alpn[0];
    if (said?.earlyData === false) this.refuseEarly();
    this.limit(said?.recordSizeLimit);
  }

  /** The server passes over early data: without its own early_data, with another key than that of the ticket, after a retry. RFC 8446 §4.2.10 */
  private refuseEarly(): void {
    if (this.earlyOffered) this.earlyRefused = true;
  }

  /** The server has settled how long records may be: each side said what it takes. RFC 8449 §4 */
  private limit(server: number | undefined): void {
    const client = this.ring.negotiation.clientHello?.recordSizeLimit;
    if (server === undefined || client === undefined) return;
    for (const channel of this.channels) channel.most = this.ring.role(channel) === 0 ? server : client;
  }

  private clientHello(channel: Channel, frame: number, m: Span): void {
    const hello = parseClientHello(m.buf, m.off, m.end);
    if (hello === undefined) return;
    if (channel.direction === 1 && this.clientHelloFrame === undefined) this.ring.swapped = true;
    const before = this.ring.negotiation;
    // Its answer may stand before it in the capture.
    const answered = before.serverHello !== undefined && before.clientHello === undefined && channel.records === 0;
    if (answered) {
      before.transcript.broken = true;
      this.ring.retry();
    } else if (before.serverHello !== undefined || this.ring.lent) {
      this.ring.renew(); // RFC 5246 §7.4.1.2: renegotiation
      this.renegotiations++;
    }
    const n = this.ring.negotiation;
    n.client(hello);
    n.transcript.add(m);
    this.earlyOffered ||= hello.earlyData;
    if (this.clientHelloFrame !== undefined) return;
    this.clientHelloFrame = frame;
    this.clientRandom = hex(hello.random, 0, hello.random.length, '');
    this.sni = hello.sni;
  }

  private serverHello(channel: Channel, frame: number, m: Span): void {
    const hello = parseServerHello(m.buf, m.off, m.end);
    if (hello === undefined) return;
    const n = this.ring.negotiation;
    n.server(hello);
    n.transcript.add(m);
    this.retried ||= hello.retry;
    if (hello.retry || (n.tls13 && n.resumed === undefined)) this.refuseEarly();
    if (hello.retry) return;
    if (this.serverRandom === '') this.serverRandom = hex(hello.random, 0, hello.random.length, '');
    this.serverHelloFrame ??= frame;
    this.settle();
    this.alpn = hello.alpn[0] ?? this.alpn;
    if (this.connection !== '' && n.settled) this.services.cache.rememberHandshake(this.connection, n.export());
    const { extendedMasterSecret, renegotiationInfo } = hello;
    if (!n.tls13) {
      this.protections ??= { extendedMasterSecret, renegotiationInfo: renegotiationInfo !== undefined };
      this.limit(hello.recordSizeLimit);
      return;
    }
    this.enter13(channel, 'handshake');
    const client = this.channels[channel.direction === 0 ? 1 : 0];
    const early = n.clientHello?.earlyData === true && !n.retried;
    if (client.state === 'clear')
      this.enter13(client, early && n.epoch13('early', 0) !== undefined ? 'early' : 'handshake');
  }

  /** Takes over what the negotiation settled. */
  private settle(): void {
    const n = this.ring.negotiation;
    this.version = n.version;
    this.suite = n.suite;
    this.resumed = n.resumed;
    if (this.clientRandom === '') this.clientRandom = hex(n.clientRandom, 0, n.clientRandom.length, '');
    if (this.serverRandom === '') this.serverRandom = hex(n.serverRandom, 0, n.serverRandom.length, '');
  }

  /** From now on a direction has the keys of a stage; where they are not known, a later stage's may be. */
  private enter13(channel: Channel, stage: Stage): void {
    const n = this.ring.negotiation;
    const epoch = n.epoch13(stage, this.ring.role(channel));
    channel.enter(epoch ?? null, n.reason);
    if (epoch !== undefined) return;
    if (n.clientRandom.length === 0 || n.hidden || this.ring.candidates(channel).length > 0) channel.lose(0);
  }

  private ticket(m: Span): void {
    const n = this.ring.negotiation;
    const t = parseNewSessionTicket(m.buf, m.off, m.end, n.version);
    if (t === undefined || n.version === 0) return;
    n.settleResumption();
    const master = n.tls13 ? {} : { master: n.masterRef };
    this.services.cache.rememberTicket(t.ticket, { suite: n.suite, giver: n.clientRandom, ...master });
  }

  /** Client random, in hex, of the session that this one takes up, where that is known; asked at the end. */
  get resumedFrom(): string | undefined {
    const { giver } = this.ring.negotiation;
    return giver && hex(giver, 0, giver.length, '');
  }

  private certificate(channel: Channel, m: Span): void {
    this.ring.negotiation.full = true;
    const certificates = parseCertificateChain(m.buf, m.off, m.end, this.version)?.certificates ?? [];
    if (this.ring.role(channel) === 0) this.clientCertificate ||= certificates.length > 0;
    else if (this.certificates.length === 0) this.certificates = certificates;
  }

  private clientKeyExchange(m: Span): void {
    this.ring.negotiation.keyExchange(m);
    this.ring.retry();
  }

  private keyUpdate(channel: Channel): void {
    this.keyUpdates[channel.direction]++;
    const { epoch } = channel;
    if (epoch?.secret !== undefined) channel.enter(this.ring.after(epoch)); // RFC 8446 §7.2
  }

  private seeFinished(channel: Channel, frame: number, m: Span): void {
    const n = this.ring.negotiation;
    const role = this.ring.role(channel);
    const valid = n.finishedFits(role, m.buf.subarray(m.off + HANDSHAKE_HEADER, m.end));
    this.finished[role] ??= { frame, valid };
    n.transcript.add(m);
    if (n.tls13) this.enter13(channel, 'application'); // RFC 8446 §4.4.4
  }
}
