/** A UE and an EFTF of ours in one process, over real TCP and TLS, in a time of their own: hours pass in a moment. */

import { readFileSync } from 'node:fs';
import { tunnelHardware } from '../../dissectors/dhcp/message.js';
import { concat } from '../../src/kit/index.js';
import { BLOCK, BlockSplitter } from '../../src/live/capture-blocks.js';
import { Eftf, type EftfOptions } from '../../src/live/eftf.js';
import { octets, seededRandom } from '../../src/live/random.js';
import { recording } from '../../src/live/rtp-sources.js';
import type { CallSettings } from '../../src/live/sip-phone.js';
import type { Subscriber } from '../../src/live/subscriber-file.js';
import { OuterTape, type TapedConnection, type TapeEnd } from '../../src/live/tap-tape.js';
import { type Certified, makeCertificate } from '../../src/live/tls-certificate.js';
import { PROFILE } from '../../src/live/tls-settings.js';
import type { TunnelLink } from '../../src/live/tunnel-link.js';
import { Ue, type UeOptions } from '../../src/live/ue.js';
import { VirtualClock } from '../live/clock.js';
import { CREDENTIALS, type Between as Path, startNat, startProxy } from './endpoint-path.js';

/** 2026-03-01T09:00:00Z. */
export const EPOCH = 1_772_355_600_000;
export const EFTF_NAME = 'eftf.ims.example';
export const PHONE = { address: '192.0.2.10', port: 50_702 };
export const EFTF = { address: '198.51.100.1', port: 443 };
const PROXY = { address: '192.0.2.80', port: 3128 };
/** Milliseconds that a packet is under way. */
export const UNDER_WAY = 12;
const DELAY = { name: 'delay', value: UNDER_WAY } as const;
/** Turns of the event loop in which nothing happens until all is said to be quiet. */
const QUIET = 10;
const SEED = 24_322;

export const ca = { ...makeCertificate({ name: 'Test CA', days: 7300, from: EPOCH - 86_400_000 }), name: 'Test CA' };
export const certificate: Certified = makeCertificate({
  name: EFTF_NAME,
  names: [EFTF_NAME],
  issuer: ca,
  days: 7300,
  from: EPOCH - 86_400_000,
});

export const ALICE: Subscriber = {
  impi: 'alice@ims.example',
  impus: ['sip:alice@ims.example'],
  domain: 'ims.example',
  algorithm: 'AKAv1-MD5',
  // TS 35.208 §4.3, test set 1: keys that everybody knows.
  usim: {
    k: Buffer.from('465b5ce8b199b49faa5f0a2ee238a6bc', 'hex'),
    opc: Buffer.from('cd63cb71954a9f4e48a5994e37a02baf', 'hex'),
  },
};

/** Speech in the storage format of RFC 4867 §5: frames of 12.65 kbit/s whose bits are noise. */
function wideband(frames: number): Uint8Array {
  const random = seededRandom(frames);
  const list = Array.from({ length: frames }, () => [0x14, ...octets(random, 32)]);
  return Uint8Array.of(...Buffer.from('#!AMR-WB\n'), ...list.flat());
}
/** Calls as phones of today make them. */
export const CALLS: CallSettings = {
  codecs: ['AMR-WB'],
  source: (codec) => recording(wideband(25), codec),
  preconditions: { offered: true, reserveMs: 80 },
};

/**
 * The tape of the UE: its ends have addresses of the examples, and each answer of a handshake takes its time. What goes
 * one way in one moment is written as one piece: how sockets cut it is chance.
 */
class SampleTape extends OuterTape {
  /** Octets that passed, both ways. */
  passed = 0;
  /** The tunnel is not established yet. */
  connecting = true;
  private piece: { readonly parts: Uint8Array[]; write(octets: Uint8Array): void } | undefined;
  constructor(
    path: string,
    private readonly time: VirtualClock,
    private readonly proxied: boolean,
  ) {
    const fail = (e: Error): never => {
      throw e;
    };
    super([{ target: path, withKeys: false }], 'fttscope samples', fail, { clock: time, epochMs: EPOCH });
  }

  override connection(_here: TapeEnd, _there: TapeEnd, opened: boolean): TapedConnection {
    const one = super.connection(PHONE, this.proxied ? PROXY : EFTF, opened);
    const { octets, finished, broken } = one;
    let before = true;
    one.octets = (sent, bytes) => {
      this.passed += bytes.length;
      if (sent !== before) {
        this.flush();
        if (this.connecting) this.time.advance(UNDER_WAY);
        before = sent;
      }
      this.piece ??= { parts: [], write: (all) => octets.call(one, sent, all) };
      this.piece.parts.push(Uint8Array.from(bytes));
    };
    one.finished = (sent) => {
      this.flush();
      finished.call(one, sent);
    };
    one.broken = (sent) => {
      this.flush();
      broken.call(one, sent);
    };
    return one;
  }

  /** Writes what passed in this moment. */
  flush(): void {
    const { piece } = this;
    this.piece = undefined;
    piece?.write(concat(piece.parts));
  }
}

/** What a run left: the capture, its key log, and the envelopes as the ends gave them to TLS. */
export interface Played {
  readonly octets: Buffer;
  readonly keys: string;
  readonly frames: number;
  /** TLS connections that came up. */
  readonly tunnels: number;
  readonly up: readonly Uint8Array[];
  readonly down: readonly Uint8Array[];
}

export interface StageOptions {
  readonly eftf?: Partial<EftfOptions>;
  readonly ue?: Partial<UeOptions>;
  readonly connect?: Partial<UeOptions['connect']>;
  /** Who stands between the two. */
  readonly between?: Between;
}

/**
 * `proxy` wants Basic credentials, `refusal` is a proxy that lets nobody through, `nat` forgets a connection after a
 * minute in which nothing passes.
 */
export type Between = 'proxy' | 'refusal' | 'nat';
const NAT_MS = 60_000;

/** The two ends, and their time. */
export class Stage {
  readonly clock = new VirtualClock();
  /** The UE; there once it knows where to go. */
  ue!: Ue;
  private readonly eftf: Eftf;
  private readonly tape: SampleTape;
  private readonly said: string[] = [];
  private keys = '';
  private readonly up: Uint8Array[] = [];
  private readonly down: Uint8Array[] = [];
  private path: Path | undefined;

  constructor(
    private readonly file: string,
    private readonly o: StageOptions = {},
  ) {
    this.eftf = new Eftf({
      certificate,
      versions: PROFILE,
      clock: this.clock,
      seed: SEED,
      tell: (words) => this.heard(words),
      ...o.eftf,
      faults: [DELAY, ...(o.eftf?.faults ?? [])],
    });
    this.tape = new SampleTape(file, this.clock, this.proxied);
  }

  private get proxied(): boolean {
    return this.o.between === 'proxy' || this.o.between === 'refusal';
  }

  /** @param port where the UE goes */
  private options(port: number): UeOptions {
    const proxy = { host: '127.0.0.1', port, credentials: CREDENTIALS };
    return {
      connect: {
        ...(this.proxied ? { host: EFTF_NAME, port: 443, proxy } : { host: '127.0.0.1', port }),
        sni: EFTF_NAME,
        ca: ca.cert,
        versions: PROFILE,
        timeoutMs: 120_000,
        tape: this.tape,
        onKey: (line) => {
          this.keys += line.toString('latin1');
        },
        ...this.o.connect,
      },
      families: [4],
      // RFC 3456 §4.1, of the address that the capture shows.
      hardware: tunnelHardware(Uint8Array.from(PHONE.address.split('.'), Number)),
      clock: this.clock,
      seed: SEED,
      faults: [DELAY],
      tell: (line) => void this.said.push(line),
      ...this.o.ue,
    };
  }

  private heard(words: string): void {
    if (words.startsWith('tunnel 1 established')) watch(this.eftf.tunnels.get(1)!.link, this.down);
  }

  /** What the UE said so far. */
  get words(): string {
    return this.said.join('\n');
  }

  /** Opens the EFTF, and what stands before it. */
  async open(): Promise<void> {
    const { port } = await this.eftf.listen('127.0.0.1', 0);
    const { between } = this.o;
    if (this.proxied) this.path = await startProxy(between === 'proxy' ? port : undefined);
    else if (between === 'nat') this.path = await startNat(port, this.clock, NAT_MS);
    this.ue = new Ue(this.options(this.path?.port ?? port));
  }

  /** Establishes the tunnel. Only its own octets make time pass. */
  async connect(): Promise<void> {
    await this.ue.connect();
    this.tape.connecting = false;
    watch(this.ue.established!.link, this.up);
    await this.pause(5);
  }

  /** Tries to establish the tunnel, in vain. */
  async refused(): Promise<void> {
    await this.ue.connect().then(
      () => Promise.reject(new Error('a tunnel was established')),
      () => {},
    );
    await this.quiet();
  }

  /** Lets time pass until something is done; all that is due happens on the way, and octets arrive. */
  async run<T>(work: Promise<T>): Promise<T> {
    let open = true;
    const settled = work.finally(() => {
      open = false;
    });
    settled.catch(() => {});
    while (open) {
      await this.quiet();
      const next = this.clock.next();
      if (open && next < Number.POSITIVE_INFINITY) this.clock.advance(Math.max(0, next - this.clock.now()));
    }
    return settled;
  }

  /** Lets so many milliseconds pass. */
  pause(ms: number): Promise<void> {
    return this.run(new Promise((resolve) => this.clock.after(ms, () => resolve())));
  }

  /** Waits until what both ends have to say to each other is said. */
  private async quiet(): Promise<void> {
    for (let still = 0, before = -1; still < QUIET; still++) {
      await new Promise((resolve) => setImmediate(resolve));
      const now = this.tape.passed + this.up.length + this.down.length;
      const there = (this.ue as Ue | undefined)?.established?.link;
      const here = this.eftf.tunnels.get(1)?.link;
      const flying =
        there?.end === undefined && here !== undefined && there !== undefined
          ? Math.abs(there.tap.sentOctets - here.tap.receivedOctets) + here.tap.sentOctets - there.tap.receivedOctets
          : 0;
      if (now !== before || (flying !== 0 && !this.proxied)) still = 0;
      before = now;
    }
    this.tape.flush();
  }

  /** Ends both, and says what was left. */
  async close(): Promise<Played> {
    await this.ue.release();
    await this.quiet();
    await this.eftf.close();
    this.path?.close();
    this.tape.flush();
    this.tape.end();
    const capture = readFileSync(this.file);
    let frames = 0;
    new BlockSplitter((_, type) => {
      if (type === BLOCK.packet) frames++;
    }).feed(Uint8Array.from(capture));
    const tunnels = this.ue.established === undefined ? 0 : 1;
    return { octets: capture, keys: this.keys, frames, tunnels, up: this.up, down: this.down };
  }
}

/** Keeps what an end gives to TLS. */
export function watch(link: TunnelLink, list: Uint8Array[]): void {
  const send = link.sendOctets.bind(link);
  link.sendOctets = (octets) => {
    const sent = send(octets);
    if (sent) list.push(Uint8Array.from(octets));
    return sent;
  };
}
