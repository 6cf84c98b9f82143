import { constants } from 'node:crypto';
import { Duplex } from 'node:stream';
import * as tls from 'node:tls';
import { Decryptor, KeyLog, SessionCache, type TlsRecord, type TlsServices, TlsSession } from '../../src/tls/index.js';
import { certificate, type TestCertificate } from './certificate.js';

/** Real TLS between two ends of this process, and its octets as a capture would have them. */

/** What one side wrote to the wire at a time. */
export interface Segment {
  readonly direction: 0 | 1;
  readonly octets: Uint8Array;
}

/** A conversation that was recorded. */
export interface Recorded {
  readonly segments: Segment[];
  readonly keylog: string;
  /** Application data that each side sent. */
  readonly sent: readonly [Buffer, Buffer];
  readonly cipher: string;
  readonly protocol: string;
  /** For the next connection. */
  readonly session: Buffer | undefined;
  readonly reused: boolean;
}

/** One end of a wire; what is written to it comes out at the other end. */
class End extends Duplex {
  peer!: End;
  constructor(
    private readonly direction: 0 | 1,
    private readonly segments: Segment[],
  ) {
    super();
  }
  override _read(): void {}
  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.segments.push({ direction: this.direction, octets: Uint8Array.from(chunk) });
    this.peer.push(chunk);
    done();
  }
  override _final(done: () => void): void {
    this.peer.push(null);
    done();
  }
}

const certificates = new Map<string, TestCertificate>();
export function testCertificate(kind: 'rsa' | 'ec'): TestCertificate {
  let c = certificates.get(kind);
  if (c === undefined) {
    c = certificate(kind);
    certificates.set(kind, c);
  }
  return c;
}

export interface PairOptions {
  readonly kind?: 'rsa' | 'ec';
  readonly client?: tls.ConnectionOptions;
  readonly server?: tls.TlsOptions;
  /** Reuses the ticket keys of an earlier pair. */
  readonly context?: tls.SecureContext;
  /** Sessions by id that the server keeps, where it gives no tickets. */
  readonly store?: Map<string, Buffer>;
  /** Called before the handshake. */
  readonly prepare?: (client: tls.TLSSocket, server: tls.TLSSocket) => void;
  /** What happens after the handshake. */
  readonly talk?: (talk: Talk) => Promise<void>;
}

/** Both ends, for the script of a test. */
export interface Talk {
  readonly client: tls.TLSSocket;
  readonly server: tls.TLSSocket;
  /** Sends application data in a record (or several) of its own, and waits until it has arrived. */
  send(direction: 0 | 1, data: Uint8Array | string): Promise<void>;
}

/** The server's socket. Session ids need a server that keeps sessions; all else goes without one. */
function serverSide(
  end: Duplex,
  settings: tls.TlsOptions,
  { context, store, prepare }: PairOptions,
  client: tls.TLSSocket,
): Promise<tls.TLSSocket> {
  if (store === undefined) {
    const secureContext = context ?? tls.createSecureContext(settings);
    const socket = new tls.TLSSocket(end, { ...settings, isServer: true, secureContext });
    prepare?.(client, socket);
    return new Promise((done, fail) => socket.once('secure', () => done(socket)).once('error', fail));
  }
  const server = tls.createServer({ ...settings, secureOptions: constants.SSL_OP_NO_TICKET });
  server.on('newSession', (id: Buffer, data: Buffer, done: () => void) => {
    store.set(id.toString('hex'), data);
    done();
  });
  server.on('resumeSession', (id: Buffer, done: (e: null, data: Buffer | null) => void) =>
    done(null, store.get(id.toString('hex')) ?? null),
  );
  server.emit('connection', end);
  return new Promise((done, fail) => server.once('secureConnection', done).once('tlsClientError', fail));
}

/** Runs a handshake and `talk`, then closes both ways. */
export async function record(options: PairOptions = {}): Promise<Recorded> {
  const segments: Segment[] = [];
  const ends: [End, End] = [new End(0, segments), new End(1, segments)];
  ends[0].peer = ends[1];
  ends[1].peer = ends[0];
  const c = testCertificate(options.kind ?? 'rsa');
  let keylog = '';
  const client = tls.connect({
    socket: ends[0],
    rejectUnauthorized: false,
    servername: 'eftf.example',
    ...options.client,
  });
  const serving = serverSide(ends[1], { key: c.key, cert: c.cert, ...options.server }, options, client);
  client.on('keylog', (line) => (keylog += line.toString('latin1')));
  let session: Buffer | undefined;
  client.on('session', (s) => (session = s));
  const arrived: [number, number] = [0, 0];
  const sent: [Uint8Array[], Uint8Array[]] = [[], []];
  client.on('data', (d: Buffer) => (arrived[1] += d.length));
  const [server] = await Promise.all([
    serving,
    new Promise<void>((done, fail) => client.once('secureConnect', done).once('error', fail)),
  ]);
  server.on('data', (d: Buffer) => (arrived[0] += d.length));
  const send = async (direction: 0 | 1, data: Uint8Array | string): Promise<void> => {
    const octets = Buffer.from(data);
    sent[direction].push(octets);
    const goal = sent[direction].reduce((n, o) => n + o.length, 0);
    (direction === 0 ? client : server).write(octets);
    while (arrived[direction] < goal) await new Promise((r) => setImmediate(r));
  };
  await send(1, 'hello'); // tickets of TLS 1.3 go before this
  await options.talk?.({ client, server, send });
  const closed = Promise.all([client, server].map((s) => new Promise((done) => s.once('close', done))));
  const { standardName } = client.getCipher();
  const protocol = client.getProtocol() ?? '';
  const reused = client.isSessionReused();
  client.end();
  server.end();
  await closed;
  return {
    segments,
    keylog,
    sent: [Buffer.concat(sent[0]), Buffer.concat(sent[1])],
    cipher: standardName,
    protocol,
    session,
    reused,
  };
}

export function services(keylog: string, verifyAll = false, cache = new SessionCache()): TlsServices {
  const keys = new KeyLog();
  if (keylog !== '') keys.add(keylog, 'option');
  return { keys, cache, decryptor: new Decryptor({ verifyAll }) };
}

/** A record cut out of a stream. */
export interface Whole {
  readonly direction: 0 | 1;
  readonly frame: number;
  readonly octets: Uint8Array;
}

/** The records of a conversation in the order in which they were whole; the frame is the segment's number, from 1. */
export function wholeRecords(segments: readonly Segment[]): Whole[] {
  const out: Whole[] = [];
  const rest: [Buffer, Buffer] = [Buffer.alloc(0), Buffer.alloc(0)];
  segments.forEach(({ direction, octets }, i) => {
    let b = Buffer.concat([rest[direction], octets]);
    while (b.length >= 5 && b.length >= 5 + b.readUInt16BE(3)) {
      const n = 5 + b.readUInt16BE(3);
      out.push({ direction, frame: i + 1, octets: Uint8Array.from(b.subarray(0, n)) });
      b = b.subarray(n);
    }
    rest[direction] = b;
  });
  return out;
}

/** A session that was fed, and what it gave. */
export interface Followed {
  readonly session: TlsSession;
  readonly records: TlsRecord[];
  /** Copies of the plain texts, by record. */
  readonly plains: (Buffer | null)[];
  /** Application data by direction, without early data. */
  readonly data: readonly [Buffer, Buffer];
}

export interface FollowOptions {
  readonly services: TlsServices;
  readonly connection?: string;
  /** Flushes after so many records. */
  readonly flushEvery?: number;
  /** Called before a record: 'drop' leaves it out and tells of a gap. */
  readonly edit?: (w: Whole, index: number) => Whole | 'drop';
}

/** Feeds whole records to a session. */
export function follow(wholes: readonly Whole[], options: FollowOptions): Followed {
  const session = new TlsSession(options.services, options.connection);
  const records: TlsRecord[] = [];
  const plains: (Buffer | null)[] = [];
  const data: [Buffer[], Buffer[]] = [[], []];
  let taken = 0;
  const flush = (): void => {
    options.services.decryptor.flush();
    for (; taken < records.length; taken++) {
      const r = records[taken]!;
      const plain = r.plain && Buffer.from(r.plain.buf.slice(r.plain.off, r.plain.end));
      plains.push(plain);
      if (plain !== null && r.status === 'open' && r.contentType === 23 && !r.early) data[r.direction].push(plain);
    }
  };
  wholes.forEach((whole, i) => {
    const w = options.edit?.(whole, i) ?? whole;
    if (w === 'drop') {
      session.gap(whole.direction, whole.octets.length);
      return;
    }
    // Records seldom start at the start of their buffer.
    const buf = new Uint8Array(3 + w.octets.length + 2);
    buf.set(w.octets, 3);
    records.push(session.record(w.direction, buf, 3, 3 + w.octets.length, w.frame));
    if ((i + 1) % (options.flushEvery ?? 1000) === 0) flush();
  });
  flush();
  return { session, records, plains, data: [Buffer.concat(data[0]), Buffer.concat(data[1])] };
}
