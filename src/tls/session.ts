import {
  HANDSHAKE_HEADER,
  parseCertificateChain,
  parseClientHello,
  parseEncryptedExtensions,
  parseNewSessionTicket,
  parseServerHello,
} from '../../dissectors/tls/hello.js';
import { ContentType, HandshakeType, Version } from '../../dissectors/tls/numbers.js';
import { hex, u8, u16 } from '../kit/index.js';
import { LIMITS } from '../limits.js';
import type { SessionCache } from './cache.js';
import { Channel, type ChannelOwner } from './channel.js';
import type { Decryptor } from './decryptor.js';
import type { Epoch, Stage } from './epoch.js';
import type { KeyLog } from './keylog.js';
import { LateJoin } from './late-join.js';
import { looksClear } from './messages.js';
import { Negotiation, type Resumed, type Role } from './negotiation.js';
import { RECORD_HEADER, type Span, TlsRecord } from './record.js';
import type { Candidate } from './seek.js';
import { type DirectionVerdict, verdictOf } from './verdict.js';

/** What the sessions of a capture share. */
export interface TlsServices {
  readonly keys: KeyLog;
  readonly cache: SessionCache;
  readonly decryptor: Decryptor;
}

export interface TlsAlert {
  readonly frame: number;
  readonly direction: 0 | 1;
  /** 1 warning, 2 fatal. */
  readonly level: number;
  /** 0 is close_notify. */
  readonly description: number;
  /** Whether it came under the protection of a key. */
  readonly protected: boolean;
}

/** A Finished message that was seen. */
export interface FinishedSeen {
  readonly frame: number;
  /** Whether its verify_data was computed and fits; undefined where messages or keys for that are missing. */
  readonly valid: boolean | undefined;
}

const STAGES: readonly Stage[] = ['early', 'handshake', 'application'];
/** KeyUpdates that a gap may hide. */
const HIDDEN_UPDATES = 2;
const NO_HELLO = 'The handshake was not captured: keys of TLS 1.2 need the randoms of both hellos.';
const EARLY_MISSING = 'Early data (0-RTT): the key log has no CLIENT_EARLY_TRAFFIC_SECRET line for this session.';

/**
 * One TLS connection. The engine feeds the records of both directions in the order of the capture; the session follows
 * the handshakes, finds the keys, and opens what it can: see {@link TlsRecord.status}. Its properties are what the
 * model reads. It never throws.
 */
export class TlsSession implements ChannelOwner {
  /** 0x0303, 0x0304 …; 0 while unknown. */
  version = 0;
  /** Cipher suite; 0 while unknown. */
  suite = 0;
  /** Server name that the client asked for. */
  sni: string | undefined;
  /** Protocol that was settled by ALPN, and what the client offered. */
  alpn: string | undefined;
  alpnOffered: readonly string[] = [];
  /** How it took an earlier session up again. */
  resumed: Resumed | undefined;
  /** In hex, '' while unknown; those of the first handshake. */
  clientRandom = '';
  serverRandom = '';
  /** The server's certificates of the first handshake, DER, the end entity first. */
  certificates: readonly Uint8Array[] = [];
  /** Whether the client sent a certificate too. */
  clientCertificate = false;
  readonly alerts: TlsAlert[] = [];
  /** KeyUpdate messages by direction. */
  readonly keyUpdates: [number, number] = [0, 0];
  /** Handshakes after the first one. */
  renegotiations = 0;
  /** A HelloRetryRequest was sent. */
  retried = false;
  /** Frames of the first hellos. */
  clientHelloFrame: number | undefined;
  serverHelloFrame: number | undefined;
  /** First Finished of client and server. */
  readonly finished: [FinishedSeen | undefined, FinishedSeen | undefined] = [undefined, undefined];
  /** Handshake messages beyond the cap, which were passed over. */
  get droppedMessages(): number {
    return this.channels[0].reader.dropped + this.channels[1].reader.dropped;
  }
  /** The keys say that direction 0 is the server's. */
  swapped = false;

  private readonly channels: readonly [Channel, Channel];
  private negotiation: Negotiation;
  private readonly searches: readonly [LateJoin, LateJoin] = [new LateJoin(), new LateJoin()];
  private revision = -1;
  private lent = false;
  /** Keys after KeyUpdates that may have been lost, by the keys before them. */
  private readonly updated = new Map<Epoch, Epoch>();

  /** @param connection names the four-tuple, for handshakes lent between captures: see {@link SessionCache} */
  constructor(
    private readonly services: TlsServices,
    private readonly connection: string = '',
  ) {
    this.channels = [new Channel(0, this, services.decryptor), new Channel(1, this, services.decryptor)];
    this.negotiation = new Negotiation(services.keys, services.cache);
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
    if (this.isProtected(channel, r)) {
      channel.push(r);
      const bulk = r.type === ContentType.ApplicationData && this.established2(channel);
      if (!bulk) channel.drain();
    } else this.clear(channel, r);
    return r;
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
    r.closed('cut', 'The record was not captured whole.');
    if (isProtected) {
      channel.push(r);
      channel.reason ??= r.reason;
      if (!this.established2(channel)) {
        // It may have held the message after which the keys change.
        channel.drain();
        channel.lose(1);
      }
    } else {
      channel.torn = true;
      channel.reader.reset();
      this.negotiation.transcript.broken = true;
    }
    return r;
  }

  /** Octets of the stream are missing before the next record; 0 if records could not be told apart for a while. */
  gap(direction: 0 | 1, octets: number): void {
    this.channels[direction].gap(octets);
    if (this.finished[0] === undefined || this.finished[1] === undefined) this.negotiation.transcript.broken = true;
  }

  private role(channel: Channel): Role {
    return this.swapped ? (channel.direction === 0 ? 1 : 0) : channel.direction;
  }

  /** Whether application data of a channel can wait for the flush: no keys of a handshake depend on it. */
  private established2(channel: Channel): boolean {
    if (!this.negotiation.tls13) return true;
    return channel.epoch !== null && channel.epoch.stage === 'application';
  }

  // Which records are protected.

  private isProtected(channel: Channel, r: TlsRecord): boolean {
    const { type } = r;
    if (type === ContentType.ApplicationData) {
      if (channel.state === 'clear') this.begin(channel);
      return true;
    }
    // RFC 8446 §5: what is protected has the outer type of application data.
    if (this.negotiation.tls13) return false;
    if (channel.state !== 'clear') return true;
    const content = r.off + RECORD_HEADER;
    const seemsClear =
      type === ContentType.Handshake
        ? channel.reader.pending || looksClear(r.buf, content, r.end)
        : r.end - content === (type === ContentType.Alert ? 2 : 1);
    if (seemsClear) return false;
    if (channel.torn || !this.negotiation.settled) this.begin(channel);
    return channel.state !== 'clear';
  }

  /** Application data comes without the change of keys before it: it was lost, or the capture starts late. */
  private begin(channel: Channel): void {
    const n = this.negotiation;
    if (!n.settled && !n.tls13) {
      const known = this.connection === '' ? undefined : this.services.cache.handshake(this.connection);
      if (known !== undefined && n.clientHello === undefined && n.serverHello === undefined) this.lend(known);
    }
    channel.lose(this.lent || !this.negotiation.settled ? LIMITS.recordSearch : 0);
  }

  private lend(known: Parameters<typeof Negotiation.known>[0]): void {
    this.negotiation = Negotiation.known(known, this.services.keys, this.services.cache);
    this.lent = true;
    this.settle();
  }

  // ChannelOwner

  content(channel: Channel, r: TlsRecord): void {
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

  revive(channel: Channel): void {
    const { keys } = this.services;
    if (keys.revision === this.revision && channel.state !== 'seeking') return;
    this.revision = keys.revision;
    if (channel.state !== 'locked') return;
    if (!this.negotiation.tls13) {
      const epoch = this.negotiation.epochs12()?.[this.role(channel)];
      if (epoch !== undefined) channel.unlock(epoch, true);
    } else if (this.candidates(channel).length > 0) channel.lose(channel.passed);
  }

  candidates(channel: Channel): readonly Candidate[] {
    const n = this.negotiation;
    channel.hint = undefined;
    if (n.clientRandom.length === 0) return [];
    const role = this.role(channel);
    if (n.version === 0) return n.earlyEpochs().map((e) => channel.range(e));
    if (n.tls13) return this.candidates13(channel, role);
    const epoch = channel.epoch ?? n.epochs12()?.[role];
    if (epoch === undefined) channel.reason ??= n.reason;
    return epoch === undefined ? [] : [channel.range(epoch)];
  }

  private candidates13(channel: Channel, role: Role): Candidate[] {
    const n = this.negotiation;
    const early = role === 0 && n.clientHello?.earlyData === true;
    const now = channel.epoch === null ? (early ? 0 : 1) : STAGES.indexOf(channel.epoch.stage);
    const out: Candidate[] = [];
    for (const stage of STAGES.slice(now)) {
      let epoch = channel.epoch?.stage === stage ? channel.epoch : n.epoch13(stage, role);
      for (let k = 0; epoch !== undefined; k++) {
        out.push(channel.range(epoch));
        if (stage !== 'application' || k === HIDDEN_UPDATES) break;
        epoch = this.after(epoch);
      }
    }
    const waiting = channel.epoch === null || (channel.epoch.stage === 'handshake' && !channel.epoch.proven);
    if (early && waiting && n.epoch13('early', 0) === undefined) channel.hint = EARLY_MISSING;
    if (out.length === 0) channel.reason ??= n.reason;
    return out;
  }

  private after(epoch: Epoch): Epoch {
    let next = this.updated.get(epoch);
    if (next === undefined) {
      next = epoch.next();
      this.updated.set(epoch, next);
    }
    return next;
  }

  join(channel: Channel, r: TlsRecord, next: TlsRecord | undefined): { epoch: Epoch; sequence: number } | null {
    const n = this.negotiation;
    if (n.clientRandom.length > 0) return null; // the session is known: its own lines serve or none
    const { keys, decryptor } = this.services;
    const search = this.searches[channel.direction];
    if (n.serverHello !== undefined && !n.tls13) {
      channel.reason = NO_HELLO;
      return null;
    }
    if (search.exhausted(keys)) {
      channel.reason = search.reason;
      return null;
    }
    const shared = { left: decryptor.lateBudget };
    const found = search.find(r, next, this.role(channel), n.suite, keys, shared);
    decryptor.lateBudget = shared.left;
    channel.reason = found === null ? search.reason : undefined;
    if (found === null) return null;
    if (found.role !== this.role(channel)) this.swapped = !this.swapped;
    this.negotiation = Negotiation.joined(found.clientRandom, found.epoch.how.suite.id, keys, this.services.cache);
    this.settle();
    return found;
  }

  // Content in the clear.

  private clear(channel: Channel, r: TlsRecord): void {
    r.status = 'clear';
    r.plain = { buf: r.buf, off: r.off + RECORD_HEADER, end: r.end };
    this.content(channel, r);
  }

  private alert(channel: Channel, frame: number, b: Uint8Array, off: number, end: number, isProtected: boolean): void {
    if (end - off < 2) return;
    const { direction } = channel;
    this.alerts.push({ frame, direction, level: u8(b, off), description: u8(b, off + 1), protected: isProtected });
  }

  private changeCipherSpec(channel: Channel): void {
    const n = this.negotiation;
    if (n.tls13) return; // RFC 8446 §5: ignored
    if (n.version === 0) {
      // Before a ServerHello it is what TLS 1.3 clients send for middleboxes (RFC 8446 §D.4).
      if (n.clientHello === undefined) channel.lose(LIMITS.recordSearch);
      return;
    }
    n.settleResumption();
    this.resumed = n.resumed;
    const epoch = n.epochs12()?.[this.role(channel)];
    channel.enter(epoch ?? null, n.reason);
    this.remember();
  }

  /** Notes what later sessions may take up. */
  private remember(): void {
    const n = this.negotiation;
    const id = n.serverHello?.sessionId;
    if (id !== undefined && n.resumed === undefined)
      this.services.cache.rememberId(id, { master: n.masterRef, suite: n.suite });
  }

  // Handshake messages.

  private handshake(channel: Channel, r: TlsRecord, b: Uint8Array, off: number, end: number): Span[] {
    const messages = channel.reader.feed(b, off, end);
    for (const m of messages) this.message(channel, r, m);
    return messages;
  }

  private message(channel: Channel, r: TlsRecord, m: Span): void {
    const type = u8(m.buf, m.off);
    const n = this.negotiation;
    switch (type) {
      case HandshakeType.HelloRequest:
        return; // RFC 5246 §7.4.1.1: not part of the transcript
      case HandshakeType.ClientHello:
        return this.clientHello(channel, r.frame, m);
      case HandshakeType.ServerHello:
        return this.serverHello(channel, r.frame, m);
      case HandshakeType.NewSessionTicket:
        this.ticket(m);
        if (n.tls13) return; // RFC 8446 §4.6: after the handshake
        break;
      case HandshakeType.EncryptedExtensions:
        this.alpn = parseEncryptedExtensions(m.buf, m.off, m.end)?.alpn[0];
        break;
      case HandshakeType.Certificate:
        this.certificate(channel, m);
        break;
      case HandshakeType.ServerKeyExchange:
      case HandshakeType.ServerHelloDone:
        n.full = true;
        break;
      case HandshakeType.ClientKeyExchange:
        return this.clientKeyExchange(m);
      case HandshakeType.KeyUpdate:
        return this.keyUpdate(channel);
      case HandshakeType.Finished:
        return this.seeFinished(channel, r.frame, m);
      case HandshakeType.EndOfEarlyData:
        n.transcript.add(m);
        return this.enter13(channel, 'handshake');
    }
    n.transcript.add(m);
  }

  private clientHello(channel: Channel, frame: number, m: Span): void {
    const hello = parseClientHello(m.buf, m.off, m.end);
    if (hello === undefined) return;
    if (channel.direction === 1 && this.clientHelloFrame === undefined) this.swapped = true;
    if (this.negotiation.serverHello !== undefined || this.lent) {
      this.negotiation = new Negotiation(this.services.keys, this.services.cache); // RFC 5246 §7.4.1.2: renegotiation
      this.renegotiations++;
    }
    const n = this.negotiation;
    n.client(hello);
    n.transcript.add(m);
    if (this.clientHelloFrame !== undefined) return;
    this.clientHelloFrame = frame;
    this.clientRandom = hex(hello.random, 0, hello.random.length, '');
    this.sni = hello.sni;
    this.alpnOffered = hello.alpn;
  }

  private serverHello(channel: Channel, frame: number, m: Span): void {
    const hello = parseServerHello(m.buf, m.off, m.end);
    if (hello === undefined) return;
    const n = this.negotiation;
    n.server(hello);
    n.transcript.add(m);
    this.retried ||= hello.retry;
    if (hello.retry) return;
    if (this.serverRandom === '') this.serverRandom = hex(hello.random, 0, hello.random.length, '');
    this.serverHelloFrame ??= frame;
    this.settle();
    this.alpn = hello.alpn[0] ?? this.alpn;
    if (this.connection !== '' && n.settled) this.services.cache.rememberHandshake(this.connection, n.export());
    if (!n.tls13) return;
    this.enter13(channel, 'handshake');
    const client = this.channels[channel.direction === 0 ? 1 : 0];
    const early = n.clientHello?.earlyData === true && !n.retried;
    if (client.state === 'clear')
      this.enter13(client, early && n.epoch13('early', 0) !== undefined ? 'early' : 'handshake');
  }

  /** Takes over what the negotiation settled. */
  private settle(): void {
    const n = this.negotiation;
    this.version = n.version;
    this.suite = n.suite;
    this.resumed = n.resumed;
    if (this.clientRandom === '') this.clientRandom = hex(n.clientRandom, 0, n.clientRandom.length, '');
    if (this.serverRandom === '') this.serverRandom = hex(n.serverRandom, 0, n.serverRandom.length, '');
  }

  /** From now on a direction has the keys of a stage; where they are not known, a later stage's may be. */
  private enter13(channel: Channel, stage: Stage): void {
    const n = this.negotiation;
    const epoch = n.epoch13(stage, this.role(channel));
    channel.enter(epoch ?? null, n.reason);
    if (epoch !== undefined) return;
    if (n.clientRandom.length === 0 || this.candidates(channel).length > 0) channel.lose(0);
  }

  private ticket(m: Span): void {
    const n = this.negotiation;
    const t = parseNewSessionTicket(m.buf, m.off, m.end, n.version);
    if (t === undefined || n.version === 0) return;
    if (n.tls13) return this.services.cache.rememberTicket(t.ticket, { suite: n.suite });
    n.settleResumption();
    this.services.cache.rememberTicket(t.ticket, { master: n.masterRef, suite: n.suite });
  }

  private certificate(channel: Channel, m: Span): void {
    this.negotiation.full = true;
    if (this.role(channel) === 0) this.clientCertificate = true;
    else if (this.certificates.length === 0)
      this.certificates = parseCertificateChain(m.buf, m.off, m.end, this.version)?.certificates ?? [];
  }

  private clientKeyExchange(m: Span): void {
    const n = this.negotiation;
    n.full = true;
    n.transcript.add(m);
    n.sessionHash = n.transcript.digest();
    // RFC 5246 §7.4.7.1: an encrypted pre-master secret has two octets of length (SSL 3.0 had none)
    const off = m.off + HANDSHAKE_HEADER + (this.version > Version.Ssl3 ? 2 : 0);
    if (off < m.end) n.encryptedPreMaster = m.buf.slice(off, m.end);
  }

  private keyUpdate(channel: Channel): void {
    this.keyUpdates[channel.direction]++;
    const { epoch } = channel;
    if (epoch?.secret !== undefined) channel.enter(this.after(epoch)); // RFC 8446 §7.2
  }

  private seeFinished(channel: Channel, frame: number, m: Span): void {
    const n = this.negotiation;
    const role = this.role(channel);
    const valid = n.finishedFits(role, m.buf.subarray(m.off + HANDSHAKE_HEADER, m.end));
    this.finished[role] ??= { frame, valid };
    n.transcript.add(m);
    if (n.tls13) this.enter13(channel, 'application'); // RFC 8446 §4.4.4
  }
}
