/** A UE and an EFTF of ours in one process, over real TCP and TLS, in a time of their own: hours pass in a moment. */

import { readFileSync } from 'node:fs';
import { tunnelHardware } from '../../dissectors/dhcp/message.js';
import { BLOCK, BlockSplitter } from '../../src/live/capture-blocks.js';
import { Eftf, type EftfOptions } from '../../src/live/eftf.js';
import type { Subscriber } from '../../src/live/subscriber-file.js';
import { OuterTape, type TapedConnection, type TapeEnd } from '../../src/live/tap-tape.js';
import { type Certified, makeCertificate } from '../../src/live/tls-certificate.js';
import { PROFILE } from '../../src/live/tls-settings.js';
import type { TunnelLink } from '../../src/live/tunnel-link.js';
import { Ue, type UeOptions } from '../../src/live/ue.js';
import { VirtualClock } from '../live/clock.js';

/** 2026-03-01T09:00:00Z. */
const EPOCH = 1_772_355_600_000;
export const EFTF_NAME = 'eftf.ims.example';
const PHONE = { address: '192.0.2.10', port: 50_702 };
const EFTF = { address: '198.51.100.1', port: 443 };
const PROXY = { address: '192.0.2.80', port: 3128 };
/** Milliseconds that a packet is under way. */
const UNDER_WAY = 12;
/** Turns of the event loop in which nothing happens until all is said to be quiet. */
const QUIET = 10;
const SEED = 24_322;

const ca = { ...makeCertificate({ name: 'Test CA', days: 7300, from: EPOCH - 86_400_000 }), name: 'Test CA' };
const certificate: Certified = makeCertificate({
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

/** The tape of the UE: its ends have addresses of the examples, and each answer of a handshake takes its time. */
class SampleTape extends OuterTape {
  /** Octets that passed, both ways. */
  passed = 0;
  /** The tunnel is not established yet. */
  connecting = true;
  constructor(
    path: string,
    private readonly time: VirtualClock,
    private readonly proxied: boolean,
  ) {
    super([{ target: path, withKeys: false }], 'fttscope samples', { clock: time, epochMs: EPOCH });
  }

  override connection(_here: TapeEnd, _there: TapeEnd, opened: boolean): TapedConnection {
    const one = super.connection(PHONE, this.proxied ? PROXY : EFTF, opened);
    const { octets } = one;
    let before = true;
    one.octets = (sent, bytes) => {
      this.passed += bytes.length;
      if (this.connecting && sent !== before) this.time.advance(UNDER_WAY);
      before = sent;
      octets.call(one, sent, bytes);
    };
    return one;
  }
}

/** What a run left: the capture, its key log, and the envelopes as the ends gave them to TLS. */
export interface Played {
  readonly octets: Buffer;
  readonly keys: string;
  readonly frames: number;
  readonly up: readonly Uint8Array[];
  readonly down: readonly Uint8Array[];
}

export interface StageOptions {
  readonly eftf?: Partial<EftfOptions>;
  readonly ue?: Partial<UeOptions>;
  readonly connect?: Partial<UeOptions['connect']>;
  /** UEs that were there before, and whose tunnels nobody captures. */
  readonly others?: number;
}

/** The two ends, and their time. */
export class Stage {
  readonly clock = new VirtualClock();
  /** The UE that is captured; there once it knows where to go. */
  ue!: Ue;
  private readonly eftf: Eftf;
  private readonly tape: SampleTape;
  private readonly said: string[] = [];
  private keys = '';
  private readonly up: Uint8Array[] = [];
  private readonly down: Uint8Array[] = [];
  private watched = 0;

  constructor(
    private readonly path: string,
    private readonly o: StageOptions = {},
  ) {
    this.eftf = new Eftf({
      certificate,
      versions: PROFILE,
      clock: this.clock,
      seed: SEED,
      faults: [{ name: 'delay', value: UNDER_WAY }],
      tell: (words) => this.heard(words),
      ...o.eftf,
    });
    this.tape = new SampleTape(path, this.clock, o.connect?.proxy !== undefined);
  }

  /** Says where the EFTF is, for the UE. */
  at(port: number): void {
    this.ue = new Ue(this.options({ tape: this.tape, port, ...this.o.connect }));
  }

  private options(connect: Partial<UeOptions['connect']>): UeOptions {
    return {
      connect: {
        host: '127.0.0.1',
        port: 0,
        sni: EFTF_NAME,
        ca: ca.cert,
        versions: PROFILE,
        timeoutMs: 120_000,
        onKey: (line) => {
          if (connect.tape !== undefined) this.keys += line.toString('latin1');
        },
        ...connect,
      },
      families: [4],
      // RFC 3456 §4.1, of the address that the capture shows.
      hardware: tunnelHardware(Uint8Array.from(PHONE.address.split('.'), Number)),
      clock: this.clock,
      seed: SEED,
      faults: [{ name: 'delay', value: UNDER_WAY }],
      tell: (line) => void this.said.push(line),
      ...this.o.ue,
    };
  }

  /** The envelopes of the tunnel that is captured: the first after those of others. */
  private heard(words: string): void {
    const id = Number(/^tunnel (\d+) established/.exec(words)?.[1] ?? 0);
    if (id === 0 || id <= (this.o.others ?? 0)) return;
    this.watched = id;
    watch(this.eftf.tunnels.get(id)!.link, this.down);
  }

  /** What the UE said so far. */
  get words(): string {
    return this.said.join('\n');
  }

  /** Where the EFTF listens. */
  async open(): Promise<number> {
    const { port } = await this.eftf.listen('127.0.0.1', 0);
    for (let i = 0; i < (this.o.others ?? 0); i++) {
      const other = new Ue({ ...this.options({ port }), hardware: tunnelHardware(Uint8Array.of(192, 0, 2, 20 + i)) });
      await other.connect();
      if (this.o.eftf?.pool !== undefined) await this.run(other.dhcp(60_000));
    }
    return port;
  }

  /** Establishes the tunnel. Only its own octets make time pass. */
  async connect(): Promise<void> {
    await this.ue.connect();
    this.tape.connecting = false;
    watch(this.ue.established!.link, this.up);
    await this.pause(5);
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
      const here = this.eftf.tunnels.get(this.watched)?.link;
      const flying =
        there?.end === undefined && here !== undefined && there !== undefined
          ? Math.abs(there.tap.sentOctets - here.tap.receivedOctets) + here.tap.sentOctets - there.tap.receivedOctets
          : 0;
      if (now !== before || (flying !== 0 && this.o.connect?.proxy === undefined)) still = 0;
      before = now;
    }
  }

  /** Ends both, and says what was left. */
  async close(): Promise<Played> {
    await this.ue.release();
    await this.quiet();
    await this.eftf.close();
    this.tape.end();
    const octets = readFileSync(this.path);
    let frames = 0;
    new BlockSplitter((_, type) => {
      if (type === BLOCK.packet) frames++;
    }).feed(Uint8Array.from(octets));
    return { octets, keys: this.keys, frames, up: this.up, down: this.down };
  }
}

/** Keeps what an end gives to TLS. */
function watch(link: TunnelLink, list: Uint8Array[]): void {
  const send = link.sendOctets.bind(link);
  link.sendOctets = (octets) => {
    const sent = send(octets);
    if (sent) list.push(Uint8Array.from(octets));
    return sent;
  };
}
