/** Tunnels of real TLS: both ends run in this process, on a wire that only exists in memory. */

import { Duplex } from 'node:stream';
import * as tls from 'node:tls';
import { concat, u16 } from 'fttscope/kit';
import { testCertificate } from '../tls/pair.js';
import {
  type Carried,
  type Conversation,
  type Preface,
  place,
  type Side,
  type Step,
  Streams,
  writes,
} from './conversation.js';
import { Sealer } from './sealer.js';

export interface TlsOptions {
  /** One version; both ends take it alone. */
  readonly version?: tls.SecureVersion;
  /** In OpenSSL's words. */
  readonly ciphers?: string;
  readonly certificate?: 'rsa' | 'ec';
  readonly client?: tls.ConnectionOptions;
  readonly server?: tls.TlsOptions;
  /** The server's side of an earlier conversation, whose tickets it takes. */
  readonly context?: tls.SecureContext;
  /** The client's side of an earlier conversation: it is resumed. */
  readonly session?: Buffer | undefined;
  /** Application data is protected by hand (TLS 1.3), so that there can be a KeyUpdate, or very many records fast. */
  readonly sealed?: boolean;
  /** Octets of padding in each record made by hand. */
  readonly padding?: number;
  /** Octets of plain text in a record at most; 16384 if nothing is said. */
  readonly fragment?: number;
  /** Whether it ends with close_notify alerts (not where records are made by hand). */
  readonly closeNotify?: boolean;
}

/** One end of the wire. */
class End extends Duplex {
  peer!: End;
  constructor(private readonly sent: (octets: Uint8Array) => void) {
    super();
  }
  override _read(): void {}
  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.sent(Uint8Array.from(chunk));
    this.peer.push(chunk);
    done();
  }
  override _final(done: () => void): void {
    this.peer.push(null);
    done();
  }
}

/** As the first versions of OpenSSL 3 offer them: a ClientHello has a size that tests may rest on. */
const CURVES = 'X25519:P-256:X448:P-521:P-384';

/** Server contexts are costly and hold the keys of tickets. */
const contexts = new Map<string, tls.SecureContext>();
function serverContext(o: TlsOptions): tls.SecureContext {
  const name = JSON.stringify([o.certificate, o.ciphers, o.server]);
  let context = contexts.get(name);
  if (context === undefined) {
    const { key, cert } = testCertificate(o.certificate ?? 'rsa');
    const ciphers = o.ciphers === undefined ? {} : { ciphers: o.ciphers };
    context = tls.createSecureContext({ key, cert, minVersion: 'TLSv1', ...ciphers, ...o.server });
    contexts.set(name, context);
  }
  return context;
}

/** Lets both ends do what they have to do. */
const turn = (): Promise<void> => new Promise((done) => setImmediate(done));

/** A TLS connection that is under way. */
class Link {
  readonly client: tls.TLSSocket;
  readonly server: tls.TLSSocket;
  keylog = '';
  session: Buffer | undefined;
  private readonly arrived: [number, number] = [0, 0];
  private readonly written: [number, number] = [0, 0];
  private failure: Error | null = null;

  constructor(o: TlsOptions, sent: (side: Side, octets: Uint8Array) => void) {
    const ends = [new End((b) => sent(0, b)), new End((b) => sent(1, b))] as const;
    ends[0].peer = ends[1];
    ends[1].peer = ends[0];
    const versions = o.version === undefined ? {} : { minVersion: o.version, maxVersion: o.version };
    const ciphers = o.ciphers === undefined ? {} : { ciphers: o.ciphers };
    const secureContext = o.context ?? serverContext(o);
    this.server = new tls.TLSSocket(ends[1], { isServer: true, secureContext, ...o.server });
    this.client = tls.connect({
      socket: ends[0],
      rejectUnauthorized: false,
      servername: 'eftf.example',
      ecdhCurve: CURVES,
      ...versions,
      ...ciphers,
      ...(o.session && { session: o.session }),
      ...o.client,
    });
    this.client.on('keylog', (line) => (this.keylog += line.toString('latin1')));
    this.client.on('session', (s) => (this.session = s));
    for (const side of [0, 1] as const) {
      const socket = this.socket(side);
      socket.on('error', (e) => (this.failure ??= e));
      this.socket(side === 0 ? 1 : 0).on('data', (d: Buffer) => (this.arrived[side] += d.length));
      if (o.fragment !== undefined) socket.setMaxSendFragment(o.fragment);
    }
  }

  socket(side: Side): tls.TLSSocket {
    return side === 0 ? this.client : this.server;
  }

  async open(): Promise<void> {
    let open = 0;
    this.client.once('secureConnect', () => open++);
    this.server.once('secure', () => open++);
    await this.until(() => open === 2);
    for (let i = 0; i < 3; i++) await turn(); // tickets of TLS 1.3
  }

  /** Writes, and waits until it has arrived. */
  async write(side: Side, octets: Uint8Array): Promise<void> {
    this.written[side] += octets.length;
    this.socket(side).write(octets);
    await this.until(() => this.arrived[side] === this.written[side]);
  }

  async renegotiate(): Promise<void> {
    let done = false;
    this.client.renegotiate({ rejectUnauthorized: false }, (e) => {
      this.failure ??= e;
      done = true;
    });
    await this.until(() => done);
    await turn();
  }

  async close(notify: boolean): Promise<void> {
    let closed = 0;
    for (const side of [0, 1] as const) {
      this.socket(side).once('close', () => closed++);
      if (notify) this.socket(side).end();
      else this.socket(side).destroy();
    }
    await this.until(() => closed === 2);
  }

  private async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      if (this.failure !== null) throw this.failure;
      await turn();
    }
  }
}

/** Lengths of the records that `b` consists of, headers included. */
function recordLengths(b: Uint8Array): number[] {
  const out: number[] = [];
  for (let off = 0; off < b.length; off += out[out.length - 1]!) out.push(5 + u16(b, off + 3));
  return out;
}

/** Runs a tunnel: handshake, steps, close. */
export async function tlsConversation(
  steps: readonly Step[],
  o: TlsOptions = {},
  preface: readonly Preface[] = [],
): Promise<Conversation> {
  const streams = new Streams();
  for (const p of preface) streams.add(p.side, p.octets, true);
  const run = new Run(streams, o);
  await run.open();
  for (const step of steps) await run.step(step);
  await run.close();
  const { link } = run;
  return {
    flights: streams.flights,
    inner: streams.inner,
    keylog: link.keylog,
    cipher: run.cipher,
    session: link.session,
    reused: run.reused,
  };
}

class Run {
  readonly link: Link;
  cipher = '';
  reused = false;
  /** Whether what is sent now belongs to a handshake. */
  private ordered = true;
  private sealers: readonly Sealer[] | null = null;
  /** What the TLS stack sends is no longer part of the conversation. */
  private muted = false;
  /** Octets of the write that is under way. */
  private chunks: Uint8Array[] = [];

  constructor(
    private readonly streams: Streams,
    private readonly o: TlsOptions,
  ) {
    this.link = new Link(o, (side, octets) => {
      if (this.muted) return;
      streams.add(side, octets, this.ordered);
      this.chunks.push(octets);
    });
  }

  async open(): Promise<void> {
    await this.link.open();
    this.cipher = this.link.client.getCipher().standardName;
    this.reused = this.link.client.isSessionReused();
    this.ordered = false;
    if (this.o.sealed) this.seal();
  }

  /** From now on records are made by hand. Tickets have the first numbers of the server's keys. */
  private seal(): void {
    const { flights } = this.streams;
    const finished = flights.findLastIndex((f) => f.side === 0);
    const tickets = flights.slice(finished + 1).reduce((n, f) => n + recordLengths(f.octets).length, 0);
    const secret = (label: string): Buffer => {
      const line = this.link.keylog.split('\n').find((l) => l.startsWith(label))!;
      return Buffer.from(line.split(' ')[2]!, 'hex');
    };
    this.sealers = [
      new Sealer(this.cipher, secret('CLIENT_TRAFFIC_SECRET_0'), 0),
      new Sealer(this.cipher, secret('SERVER_TRAFFIC_SECRET_0'), tickets),
    ];
  }

  async step(step: Step): Promise<void> {
    if ('pause' in step) this.streams.wait(step.pause);
    else if ('renegotiate' in step) {
      this.ordered = true;
      await this.link.renegotiate();
      this.ordered = false;
    } else if ('keyUpdate' in step) this.streams.add(step.keyUpdate, this.sealers![step.keyUpdate]!.keyUpdate());
    else if ('closeNotify' in step)
      this.streams.add(step.closeNotify, this.sealers![step.closeNotify]!.seal(Uint8Array.of(1, 0), 21));
    else if ('plain' in step) await this.write(step.side, step.plain);
    else {
      const carried: Carried[] = [];
      for (const piece of writes(step)) carried.push(...(await this.write(step.side, piece)));
      place(step.side, step.envelopes, carried, this.streams.inner);
    }
  }

  /** Sends application data; returns the records that carry it. */
  private async write(side: Side, plain: Uint8Array): Promise<Carried[]> {
    const { streams } = this;
    const start = streams.sent[side];
    if (this.sealers !== null) {
      const record = this.sealers[side]!.seal(plain, 23, this.o.padding);
      streams.add(side, record);
      return [{ plain: plain.length, from: start, to: start + record.length }];
    }
    this.chunks = [];
    await this.link.write(side, plain);
    const lengths = recordLengths(concat(this.chunks));
    const fragment = this.o.fragment ?? 16_384;
    const parts = Math.ceil(plain.length / fragment);
    // TLS 1.0 sends an empty record first (RFC 2246 errata, "empty fragments" against the attack on chained IVs).
    if (parts > 1 ? lengths.length !== parts : lengths.length > 2) throw new Error('records of an unknown shape');
    const out: Carried[] = [];
    let at = start;
    if (lengths.length > parts) at += lengths.shift()!;
    lengths.forEach((n, i) => {
      out.push({ plain: Math.min(fragment, plain.length - i * fragment), from: at, to: at + n });
      at += n;
    });
    return out;
  }

  async close(): Promise<void> {
    const notify = this.o.closeNotify !== false && this.sealers === null;
    this.muted = !notify;
    await this.link.close(notify);
  }
}
