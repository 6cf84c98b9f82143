import { type ClientHello, HANDSHAKE_HEADER, type ServerHello, settledVersion } from '../../dissectors/tls/hello.js';
import { Version } from '../../dissectors/tls/numbers.js';
import { hex, ours, quoted, UNTOLD, Words, words } from '../kit/index.js';
import { idKey, type KnownHandshake, MasterRef, type SessionCache, ticketKey } from './cache.js';
import { Epoch, type Served, type Stage } from './epoch.js';
import type { KeyLabel, KeyLog, Orphan } from './keylog.js';
import { Transcript } from './messages.js';
import type { Span } from './record.js';
import { extendedMasterSecret, finished12, finished13, keyBlock, masterSecret, sameOctets } from './schedule.js';
import { Secret } from './secret.js';
import { type Openable, openable, suitesBySecret } from './suites.js';

/** 0 the client, 1 the server. */
export type Role = 0 | 1;

/** How an earlier session was taken up again. */
export type Resumed = 'id' | 'ticket' | 'psk';

const NONE = new Uint8Array(0);
const NO_RSA = words`There is a private key, but no key log: a private key opens only sessions with RSA key exchange to the server that it is of.`;
const HIDDEN = ours`The ClientHello is encrypted (ECH): where the server accepted that, lines have the random of the inner one, and none of them opens this session.`;
const STAGE_LABELS: Readonly<Record<Stage, readonly [KeyLabel, KeyLabel]>> = {
  early: ['CLIENT_EARLY_TRAFFIC_SECRET', 'CLIENT_EARLY_TRAFFIC_SECRET'],
  handshake: ['CLIENT_HANDSHAKE_TRAFFIC_SECRET', 'SERVER_HANDSHAKE_TRAFFIC_SECRET'],
  application: ['CLIENT_TRAFFIC_SECRET_0', 'SERVER_TRAFFIC_SECRET_0'],
};

/** One handshake: what both hellos settled, and the keys that follow from it. */
export class Negotiation {
  clientHello: ClientHello | undefined;
  serverHello: ServerHello | undefined;
  clientRandom: Uint8Array = NONE;
  serverRandom: Uint8Array = NONE;
  /** 0 while unknown. */
  version = 0;
  suite = 0;
  encryptThenMac = false;
  truncatedHmac = false;
  resumed: Resumed | undefined;
  /** By what the session that was taken up is remembered; '' for none. */
  private taken = '';
  /** A HelloRetryRequest was seen. */
  retried = false;
  /** A message of a full handshake was seen: it is none that resumes a session. */
  full = false;
  readonly transcript = new Transcript();
  /** Encrypted pre-master secret of an RSA key exchange. */
  private encryptedPreMaster: Uint8Array | undefined;
  /** Transcript hash up to ClientKeyExchange. RFC 7627 §3 */
  private sessionHash: Uint8Array | undefined;
  /** Why there are no keys, in words. */
  reason = UNTOLD;
  private how: Openable | undefined;
  private master: MasterRef | undefined;
  private pair: readonly [Epoch, Epoch] | undefined;
  private readonly traffic = new Map<string, Epoch>();

  constructor(
    private readonly keylog: KeyLog,
    private readonly cache: SessionCache,
  ) {}

  get tls13(): boolean {
    return this.version >= Version.Tls13;
  }
  /** Both hellos were seen, or lent by another capture. */
  get settled(): boolean {
    return this.clientRandom.length > 0 && this.serverRandom.length > 0;
  }

  /**
   * The key log may have this session under a random that the capture does not show: where Encrypted ClientHello was
   * accepted, its lines have that of the inner ClientHello.
   */
  get hidden(): boolean {
    if (!this.tls13 || this.clientHello?.ech !== 'outer') return false;
    return !this.keylog.labels(this.clientRandom).some((label) => label.includes('TRAFFIC'));
  }

  /** Below TLS 1.3: all but the ClientHello was captured. */
  get nameless(): boolean {
    return this.serverHello !== undefined && !this.tls13 && this.clientRandom.length === 0;
  }

  /** A handshake that another capture has. */
  static known(h: KnownHandshake, keylog: KeyLog, cache: SessionCache): Negotiation {
    const n = new Negotiation(keylog, cache);
    Object.assign(n, h);
    n.choose();
    keylog.claim(n.clientRandom);
    return n;
  }

  /** A TLS 1.3 session of which only the key log line that fits it is known. */
  static joined(clientRandom: Uint8Array, suite: number, keylog: KeyLog, cache: SessionCache): Negotiation {
    const n = new Negotiation(keylog, cache);
    n.clientRandom = clientRandom;
    n.version = Version.Tls13;
    n.suite = suite;
    n.choose();
    keylog.claim(clientRandom);
    return n;
  }

  /** No more records will come: only what {@link line} needs stays. */
  release(): void {
    if (!this.tls13 && this.clientRandom.length > 0) this.masterRef.find(this.keylog);
    this.clientHello = this.serverHello = undefined;
    this.encryptedPreMaster = this.sessionHash = undefined;
    this.transcript.release();
    this.pair = undefined;
    this.traffic.clear();
  }

  /** What another capture needs to go on. */
  export(): KnownHandshake {
    const { clientRandom, serverRandom, version, suite, encryptThenMac, truncatedHmac } = this;
    return { clientRandom, serverRandom, version, suite, encryptThenMac, truncatedHmac };
  }

  client(hello: ClientHello): void {
    this.clientHello = hello;
    this.clientRandom = hello.random;
    this.keylog.claim(hello.random);
  }

  /** Its ClientHello was not captured, or is hidden, but a key log line says which it was. */
  identified(clientRandom: Uint8Array): void {
    this.clientRandom = clientRandom;
    this.transcript.broken = true;
    this.keylog.claim(clientRandom);
  }

  server(hello: ServerHello): void {
    this.version = settledVersion(hello);
    this.suite = hello.suite;
    this.choose();
    if (hello.retry) {
      this.retried = true;
      if (this.how !== undefined) this.transcript.retry(this.how.hash);
      return;
    }
    this.serverHello = hello;
    this.serverRandom = hello.random;
    this.encryptThenMac = hello.encryptThenMac;
    this.truncatedHmac = hello.truncatedHmac;
    if (this.how !== undefined) this.transcript.start(this.how.hash);
    if (hello.compression !== 0 && !this.tls13) {
      this.how = undefined;
      this.reason = words`The session compresses its records, which is not supported.`;
    }
    if (this.tls13 && hello.selectedPsk !== undefined) {
      this.resumed = 'psk';
      const chosen = this.clientHello?.pskIdentities[hello.selectedPsk]; // RFC 8446 §4.2.11
      if (chosen !== undefined) this.taken = ticketKey(chosen.identity);
    }
  }

  /** Client random of the session that was taken up, where that was seen, and with TLS 1.3 its tickets were read. */
  get giver(): Uint8Array | undefined {
    return this.taken === '' ? undefined : this.cache.by(this.taken)?.giver;
  }

  /** Takes a ClientKeyExchange. */
  keyExchange(m: Span): void {
    this.full = true;
    this.transcript.add(m);
    this.sessionHash = this.transcript.digest();
    // RFC 5246 §7.4.7.1: an encrypted pre-master secret has two octets of length (SSL 3.0 had none)
    const off = m.off + HANDSHAKE_HEADER + (this.version > Version.Ssl3 ? 2 : 0);
    if (off < m.end) this.encryptedPreMaster = m.buf.slice(off, m.end);
  }

  private choose(): void {
    const how = openable(this.suite, this.version);
    if (how instanceof Words) this.reason = how;
    else this.how = how;
  }

  /** Whether a TLS 1.2 handshake takes an earlier session up again; asked when its first ChangeCipherSpec is there. */
  settleResumption(): void {
    const { clientHello: c, serverHello: s } = this;
    if (this.tls13 || this.full || this.resumed !== undefined || c === undefined || s === undefined) return;
    const echoed =
      s.sessionId.length > 0 && hex(s.sessionId, 0, s.sessionId.length) === hex(c.sessionId, 0, c.sessionId.length);
    if (c.ticket !== undefined && c.ticket.length > 0) {
      this.resumed = 'ticket'; // RFC 5077 §3.4: goes before the id
      this.taken = ticketKey(c.ticket);
    } else if (echoed) {
      this.resumed = 'id';
      this.taken = idKey(c.sessionId);
    }
  }

  /** The master secret that this handshake settles or takes up again. */
  get masterRef(): MasterRef {
    if (this.master !== undefined) return this.master;
    const before = this.tls13 || this.taken === '' ? undefined : this.cache.by(this.taken);
    this.master = before?.master ?? new MasterRef(this.clientRandom);
    return this.master;
  }

  private findMaster(): { secret: Secret; served: Served } | undefined {
    const { keylog, how } = this;
    const own = keylog.find('CLIENT_RANDOM', this.clientRandom);
    if (own !== undefined) return { secret: own.secret, served: own.source };
    const id = this.serverHello?.sessionId ?? NONE;
    const byId = id.length > 0 ? keylog.find('RSA Session-ID', id) : undefined;
    if (byId !== undefined) return { secret: byId.secret, served: byId.source };
    const before = this.resumed === undefined ? undefined : this.masterRef.find(keylog);
    if (before !== undefined) return { secret: before.secret, served: 'resumption' };
    const pre = this.findPreMaster();
    if (pre === undefined || how === undefined) return undefined;
    const extended = this.serverHello?.extendedMasterSecret === true;
    if (extended && this.sessionHash === undefined) return undefined;
    const octets = extended
      ? extendedMasterSecret(how.hash, pre.secret.octets, this.sessionHash!)
      : masterSecret(how.hash, pre.secret.octets, this.clientRandom, this.serverRandom);
    return { secret: new Secret(octets), served: pre.served };
  }

  /**
   * The key log line of this handshake, also where its master secret comes from an earlier session or from the server's
   * private key; undefined for TLS 1.3 and without the secret.
   */
  get line(): string | undefined {
    const master = this.tls13 || this.clientRandom.length === 0 ? undefined : this.masterRef.find(this.keylog);
    if (master === undefined) return undefined;
    const { octets } = master.secret;
    return `CLIENT_RANDOM ${hex(this.clientRandom, 0, this.clientRandom.length, '')} ${hex(octets, 0, octets.length, '')}`;
  }

  private findPreMaster(): { secret: Secret; served: Served } | undefined {
    const { keylog, encryptedPreMaster: encrypted } = this;
    let line = keylog.find('PMS_CLIENT_RANDOM', this.clientRandom);
    if (line === undefined && encrypted !== undefined && encrypted.length >= 8)
      line = keylog.find('RSA', encrypted.subarray(0, 8));
    if (line !== undefined) return { secret: line.secret, served: line.source };
    if (encrypted === undefined || this.how?.suite.kx !== 'RSA') return undefined;
    const secret = keylog.rsa.preMaster(encrypted);
    return secret && { secret, served: 'rsa' };
  }

  /** Keys of both sides below TLS 1.3, or undefined: then {@link reason} says why. */
  epochs12(): readonly [Epoch, Epoch] | undefined {
    if (this.pair !== undefined) return this.pair;
    if (!this.settled)
      this.reason = words`The handshake was not captured whole: keys of TLS 1.2 need the randoms of both hellos.`;
    const { how } = this;
    if (!this.settled || how === undefined) return undefined;
    const master = this.findMaster();
    if (master === undefined) {
      this.reason = this.missing('CLIENT_RANDOM');
      return how.opening === 'null' ? this.unencrypted(how) : undefined;
    }
    this.masterRef.set(master.secret, master.served);
    this.pair = this.keysOf(how, master.secret, master.served, this.clientRandom);
    this.reason = UNTOLD;
    return this.pair;
  }

  /** Keys of both sides below TLS 1.3 that follow from a master secret. */
  private keysOf(how: Openable, master: Secret, served: Served, clientRandom: Uint8Array): readonly [Epoch, Epoch] {
    const { suite } = how;
    const iv = this.version < Version.Tls11 ? suite.blockLength : suite.fixedIv; // RFC 2246 §6.3
    const lengths = { mac: suite.macLength, key: suite.keyLength, iv };
    const keys = keyBlock(how.hash, master.octets, clientRandom, this.serverRandom, lengths);
    const { version, encryptThenMac, truncatedHmac } = this;
    const options = { version, served, encryptThenMac, truncatedHmac };
    return [new Epoch(how, keys[0], options), new Epoch(how, keys[1], options)];
  }

  /** Whether the suite is one that can be opened. */
  get openable(): boolean {
    return this.how !== undefined;
  }

  /** Keys of a side below TLS 1.3 if a line of a key log were that of this handshake, whose suite is {@link openable}. */
  keysOfLine(line: Orphan, role: Role): Epoch {
    return this.keysOf(this.how!, line.secret, line.source, line.clientRandom)[role];
  }

  /** A suite without encryption is read without keys; only its MACs cannot be checked. RFC 5246 §6.2.3.1 */
  private unencrypted(how: Openable): readonly [Epoch, Epoch] {
    const none = { mac: NONE, key: NONE, iv: NONE };
    const options = { version: this.version, truncatedHmac: this.truncatedHmac };
    this.pair = [new Epoch(how, none, options), new Epoch(how, none, options)];
    this.reason = UNTOLD;
    return this.pair;
  }

  /** Keys of a stage of TLS 1.3, or undefined: then {@link reason} says why. The same object for every call. */
  epoch13(stage: Stage, role: Role): Epoch | undefined {
    const label = STAGE_LABELS[stage][role];
    const before = this.traffic.get(label);
    if (before !== undefined || this.clientRandom.length === 0) return before;
    const { how } = this;
    if (how === undefined) return undefined;
    const found = this.keylog.find(label, this.clientRandom);
    if (found === undefined) {
      this.reason = this.missing(label);
      return undefined;
    }
    const epoch = Epoch.of13(how, found.secret, stage, found.source);
    this.traffic.set(label, epoch);
    return epoch;
  }

  /** Keys of early data, which may come before the ServerHello says the suite: one for each suite that may be it. */
  earlyEpochs(): Epoch[] {
    if (this.how !== undefined) {
      const known = this.epoch13('early', 0);
      return known === undefined ? [] : [known];
    }
    return this.guesses('early', 0);
  }

  /** Keys of TLS 1.3 that the key log has for a session whose ServerHello is missing: one for each suite that may be it. */
  guesses(stage: Stage, role: Role): Epoch[] {
    const found = this.keylog.find(STAGE_LABELS[stage][role], this.clientRandom);
    const offered = this.clientHello?.suites ?? [];
    if (found === undefined) return [];
    return suitesBySecret(found.secret.length)
      .filter((how) => offered.includes(how.suite.id))
      .map((how) => Epoch.of13(how, found.secret, stage, found.source));
  }

  /** One of {@link guesses} opened a record. */
  adopt(epoch: Epoch, role: Role): void {
    this.version = Version.Tls13;
    this.suite = epoch.how.suite.id;
    this.choose();
    this.traffic.set(STAGE_LABELS[epoch.stage][role], epoch);
  }

  /** Whether verify_data of a Finished is right; undefined where that cannot be told. */
  finishedFits(role: Role, verifyData: Uint8Array): boolean | undefined {
    const hash = this.transcript.digest();
    const { how } = this;
    if (hash === undefined || how === undefined) return undefined;
    if (this.tls13) {
      const secret = this.epoch13('handshake', role)?.secret;
      return secret && sameOctets(finished13(how.hash, secret.octets, hash), verifyData);
    }
    const master = this.masterRef.find(this.keylog);
    return master && sameOctets(finished12(how.hash, master.secret.octets, role, hash), verifyData);
  }

  /** Says which line is not there. */
  private missing(label: KeyLabel): Words {
    const { keylog, clientRandom } = this;
    if (keylog.length === 0 && keylog.rsa.length > 0) return NO_RSA;
    if (keylog.length === 0 && keylog.bad > 0) return words`No line of the key log can be read.`;
    if (keylog.length === 0) return words`There is no key log.`;
    const random = quoted('free', hex(clientRandom, 0, clientRandom.length, ''));
    if (this.hidden) return words`The key log has no line for client random ${random}. ${HIDDEN}`;
    if (keylog.labels(clientRandom).length > 0)
      return words`The key log has client random ${random}, but no ${label} line for it.`;
    const n = keylog.sessions;
    return words`The key log has no line for client random ${random} (it has lines of ${n} other session${n === 1 ? '' : 's'}).`;
  }
}
