/**
 * Measures how much memory the command needs at its peak for captures that are made to cost much:
 *
 *     npm run bench -- --memory
 *     node dist/test/bench/memory.js [PART-OF-A-NAME] [--scale 0.1]
 *
 * Captures are made in the temporary folder and removed again. It exits with 1 where a run needs more than {@link MOST}.
 */
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { concat, put16, put32 } from 'fttscope/kit';
import { LINKTYPES } from '../build/link.js';
import { ACK, at, fragments, ping, SYN, tcp, udp } from '../build/packets.js';
import { ROOT } from '../support/corpus.js';
import { run } from './measure.js';

/** Megabytes that no run may need. */
const MOST = 600;
const MAIN = join(ROOT, 'dist/src/cli/fttscope.js');
const MILLION = 1_000_000;

const CLIENT = at('11.0.0.0', 40_000);
const SERVER = at('10.0.0.2', 443);
const NOTHING = new Uint8Array(0);
/** Where the addresses stand in an IPv4 packet. */
const SOURCE = 12;
const DESTINATION = 16;

/** Writes a capture of raw IP; octets of packets may change once they are added. */
class Writer {
  private readonly buf = new Uint8Array(1 << 20);
  private used = 0;
  private count = 0;

  constructor(private readonly fd: number) {
    const b = this.buf;
    put32(b, 0, 0xa1b2c3d4);
    put16(b, 4, 2);
    put16(b, 6, 4);
    put32(b, 16, 65_535);
    put32(b, 20, LINKTYPES.raw);
    this.used = 24;
  }

  /** Adds a packet, 10 microseconds after the one before. */
  add(octets: Uint8Array): void {
    if (this.used + 16 + octets.length > this.buf.length) this.flush();
    const { buf, used, count } = this;
    put32(buf, used, 1_700_000_000 + Math.floor(count / 100_000));
    put32(buf, used + 4, (count % 100_000) * 10);
    put32(buf, used + 8, octets.length);
    put32(buf, used + 12, octets.length);
    buf.set(octets, used + 16);
    this.used += 16 + octets.length;
    this.count++;
  }

  flush(): void {
    writeSync(this.fd, this.buf, 0, this.used);
    this.used = 0;
  }
}

/** A ClientHello with a server name, in a record of its own. RFC 8446 §4.1.2. */
function clientHello(): Uint8Array {
  const name = Buffer.from('eftf.example');
  const sni = concat([Uint8Array.of(0, 0, 0, name.length + 5, 0, name.length + 3, 0, 0, name.length), name]);
  const versions = Uint8Array.of(0, 43, 0, 3, 2, 3, 4);
  const head = concat([Uint8Array.of(3, 3), new Uint8Array(32).fill(7), Uint8Array.of(0, 0, 2, 0x13, 1, 1, 0)]);
  const extensions = concat([sni, versions]);
  const body = concat([head, Uint8Array.of(0, extensions.length), extensions]);
  return concat([Uint8Array.of(22, 3, 1, 0, body.length + 4, 1, 0, 0, body.length), body]);
}

const syn = (): Uint8Array => tcp(CLIENT, SERVER, { seq: 0, flags: SYN }, NOTHING);
const synAck = (): Uint8Array => tcp(SERVER, CLIENT, { seq: 0, ack: 1, flags: SYN | ACK }, NOTHING);
/** Client number `n`. */
const client = (n: number): number => 0x0b00_0000 + n;

interface Case {
  readonly name: string;
  /** Flows, or octets. */
  readonly size: number;
  make(w: Writer, size: number): void;
}

const CASES: readonly Case[] = [
  {
    name: 'flows that are a SYN',
    size: MILLION,
    make(w, size) {
      const a = syn();
      for (let i = 0; i < size; i++) {
        put32(a, SOURCE, client(i));
        w.add(a);
      }
    },
  },
  {
    name: 'flows of SYN and SYN/ACK',
    size: MILLION,
    make(w, size) {
      const a = syn();
      const b = synAck();
      for (let i = 0; i < size; i++) {
        put32(a, SOURCE, client(i));
        put32(b, DESTINATION, client(i));
        w.add(a);
        w.add(b);
      }
    },
  },
  {
    name: 'flows of one UDP packet',
    size: MILLION,
    make(w, size) {
      const a = udp(CLIENT, at('10.0.0.2', 9999), new Uint8Array(20));
      for (let i = 0; i < size; i++) {
        put32(a, SOURCE, client(i));
        w.add(a);
      }
    },
  },
  {
    name: 'tunnels that are a ClientHello',
    size: 50_000,
    make(w, size) {
      const a = syn();
      const b = synAck();
      const hello = tcp(CLIENT, SERVER, { seq: 1, ack: 1 }, clientHello());
      for (let i = 0; i < size; i++) {
        put32(a, SOURCE, client(i));
        put32(b, DESTINATION, client(i));
        put32(hello, SOURCE, client(i));
        for (const octets of [a, b, hello]) w.add(octets);
      }
    },
  },
  {
    name: 'octets behind holes of 64 streams',
    size: 100 * MILLION,
    make(w, size) {
      const part = tcp(CLIENT, SERVER, { seq: 0, flags: SYN }, NOTHING);
      const streams = 64;
      for (let s = 0; s < streams; s++) {
        put32(part, SOURCE, client(s));
        w.add(part);
      }
      const held = tcp(CLIENT, SERVER, { seq: 0 }, new Uint8Array(1400));
      for (let i = 0; i < size / 1400; i++) {
        put32(held, SOURCE, client(i % streams));
        put32(held, 24, 1001 + 2000 * Math.floor(i / streams));
        w.add(held);
      }
    },
  },
  {
    name: 'octets behind holes of one octet each',
    size: 100 * MILLION,
    make(w, size) {
      const streams = 20_000;
      const a = syn();
      const held = tcp(CLIENT, SERVER, { seq: 0 }, new Uint8Array(1));
      for (let i = 0; i < size / 57; i++) {
        const s = i % streams;
        if (i < streams) {
          put32(a, SOURCE, client(s));
          w.add(a);
        }
        put32(held, SOURCE, client(s));
        put32(held, 24, 3 + 2 * Math.floor(i / streams));
        w.add(held);
      }
    },
  },
  {
    name: 'octets of first fragments',
    size: 100 * MILLION,
    make(w, size) {
      const [first] = fragments(ping(CLIENT.address, SERVER.address, 1, 1, 3000), 1400);
      const octets = Uint8Array.from(first!);
      for (let i = 0; i < size / 1420; i++) {
        put16(octets, 4, i & 0xffff);
        put32(octets, SOURCE, client(i >> 10));
        w.add(octets);
      }
    },
  },
  {
    name: 'octets of small fragments',
    size: 100 * MILLION,
    make(w, size) {
      const parts = fragments(udp(CLIENT, SERVER, new Uint8Array(60_000)), 8).slice(1, -1);
      const octets = parts.map((p) => Uint8Array.from(p));
      for (let i = 0; i < size / 44; i++) {
        const part = octets[i % octets.length]!;
        put16(part, 4, Math.floor(i / octets.length) & 0xffff);
        w.add(part);
      }
    },
  },
];

/** What is done with each. Text asks for the analysis of TCP. */
const COMMANDS = [
  ['fields', (file: string) => `read -q ${file} -T fields -e frame.number -e ip.src`],
  ['text', (file: string) => `read -q ${file}`],
  ['report', (file: string) => `report -q ${file}`],
] as const;

/** Measures the captures whose name has `part`, at `scale` of their size. @returns whether all stay below {@link MOST} */
export async function measureMemory(part = '', scale = 1): Promise<boolean> {
  const folder = join(tmpdir(), `fttscope-memory-${process.pid}`);
  mkdirSync(folder, { recursive: true });
  const file = join(folder, 'made.pcap');
  let kept = true;
  console.log(`peak of resident memory in MB (CPU seconds); Node ${process.version}`);
  console.log(`${''.padEnd(48)}${COMMANDS.map(([name]) => name.padStart(16)).join('')}`);
  try {
    for (const { name, size, make } of CASES.filter((c) => c.name.includes(part))) {
      const fd = openSync(file, 'w');
      const w = new Writer(fd);
      const n = Math.round(size * scale);
      make(w, n);
      w.flush();
      closeSync(fd);
      const cells: string[] = [];
      for (const [, args] of COMMANDS) {
        const { peak, cpu } = await run(`node ${MAIN} ${args(file)}`);
        kept &&= peak < MOST;
        cells.push(`${peak.toFixed(0)} (${cpu.toFixed(1)})`.padStart(16));
      }
      console.log(`${`${n.toLocaleString('en')} ${name}`.padEnd(48)}${cells.join('')}`);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  console.log(kept ? `all below ${MOST} MB` : `not all below ${MOST} MB`);
  return kept;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const { values, positionals } = parseArgs({ options: { scale: { type: 'string' } }, allowPositionals: true });
  if (!(await measureMemory(positionals[0], Number(values.scale ?? 1)))) process.exitCode = 1;
}
