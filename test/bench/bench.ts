/** The benchmark: see {@link USAGE}. Captures are made once and kept in the temporary folder. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ROOT } from '../support/corpus.js';
import { measureLive } from './live.js';
import { medians, type Run, run } from './measure.js';
import { measureMemory } from './memory.js';
import { type Capture, composite, generated, hasSngrep, hasTshark, sngrep, withLua } from './peers.js';
import { measureScreens } from './screens.js';

const USAGE = `Compares fttscope with tshark and sngrep, in turn, on captures of many tunnels, and prints medians and ratios.

  npm run bench                   200 MB
  npm run bench -- --quick        20 MB, for every change on the hot path
  npm run bench -- --capture F --keylog K --inner I
                                  a capture of one's own, its key log, and what ran inside, for the peers
  npm run bench -- --runs N       how often each command runs (3, with --quick 1)
  npm run bench -- --no-tshark    fttscope alone
  npm run bench -- --screens      the terminal UI on 200 MB, in a pseudo-terminal
  npm run bench -- --long         what report on 2 GB needs at its peak
  npm run bench -- --live         capture under load, 1,000 tunnels on one EFTF, and from TUN to TUN beside socat
  npm run bench -- --memory       what captures that are made to cost much need at their peak

tshark reads the envelopes by a Lua dissector that is looked for in peer/ beside the corpus; what is missing is left out.
`;

const OPTIONS = {
  help: { type: 'boolean', short: 'h', default: false },
  quick: { type: 'boolean', default: false },
  capture: { type: 'string' },
  keylog: { type: 'string' },
  inner: { type: 'string' },
  runs: { type: 'string' },
  'no-tshark': { type: 'boolean', default: false },
  live: { type: 'boolean', default: false },
  memory: { type: 'boolean', default: false },
  long: { type: 'boolean', default: false },
  screens: { type: 'boolean', default: false },
} as const;

const MAIN = join(ROOT, 'dist/src/cli/fttscope.js');
const FLOOR = join(ROOT, 'dist/test/bench/floor.js');

/** Fields that the random sets are drawn from. */
const POOL = [
  ...['frame.number', 'frame.len', 'frame.time_epoch', 'ip.src', 'ip.dst', 'ip.ttl', 'ip.len', 'ip.id', 'ip.proto'],
  ...['ipv6.src', 'ipv6.dst', 'ipv6.plen', 'ipv6.nxt', 'tcp.srcport', 'tcp.dstport', 'tcp.seq', 'tcp.ack', 'tcp.len'],
  ...['tcp.stream', 'tcp.flags', 'udp.srcport', 'udp.dstport', 'udp.length', 'udp.stream', 'tls.record.content_type'],
  ...['tls.record.length', 'tls.handshake.type', 'sip.Method', 'sip.Status-Code', 'sip.Call-ID', 'sip.CSeq.seq'],
  ...['sip.from.user', 'sip.to.tag', 'sip.Via.branch', 'sdp.media.port', 'sdp.connection_info.address', 'rtp.seq'],
  ...['rtp.ssrc', 'rtp.timestamp', 'rtp.p_type', 'rtp.marker', 'dhcp.option.dhcp', 'dhcp.id', 'dhcp.ip.your'],
];

function random(seed: number): () => number {
  let x = seed | 0;
  return () => {
    x = (Math.imul(x, 1664525) + 1013904223) | 0;
    return (x >>> 8) / 0x1000000;
  };
}

/** Four different fields, the same for the same seed. */
function fieldSet(seed: number): string[] {
  const next = random(seed);
  const left = [...POOL];
  return Array.from({ length: 4 }, () => left.splice(Math.floor(next() * left.length), 1)[0]);
}

const seconds = (s: number): string => s.toFixed(2).padStart(7);

const told = (who: string, r: Run): string =>
  `    ${who.padEnd(9)}${seconds(r.cpu)} s CPU ${seconds(r.wall)} s wall ${r.peak.toFixed(0).padStart(5)} MB`;

/** How a run compares with that of another program. */
const compared = (who: string, ours: Run, theirs: Run): string =>
  `${told(who, theirs)}: ${(theirs.cpu / ours.cpu).toFixed(1)} times as fast in CPU time, ${(theirs.wall / ours.wall).toFixed(1)} in wall time, ${(ours.peak / theirs.peak).toFixed(2)} of its memory`;

/** Another program that does the same. */
interface Rival {
  readonly name: string;
  readonly command: string;
}

/** What is measured, and how often. */
class Bench {
  private readonly size: number;

  constructor(
    private readonly c: Capture,
    private readonly runs: number,
    private readonly tshark: boolean,
  ) {
    this.size = statSync(c.file).size;
    console.log(`${(this.size / 1e6).toFixed(1)} MB, ${runs} runs each, medians; Node ${process.version}`);
  }

  /** The command on the capture. */
  ours(command: string, args: string): string {
    const { file, keys } = this.c;
    return `node ${MAIN} ${command} -q ${file} ${keys === '' ? '' : `-k ${keys}`} ${args}`;
  }

  /** tshark with Lua, and the composite, with these arguments. */
  tsharks(args: string, wanted = true): Rival[] {
    if (!this.tshark || !wanted) return [];
    const lua = { name: 'tshark', command: withLua(this.c, args) };
    return this.c.inner === '' ? [lua] : [lua, { name: 'two steps', command: composite(this.c, args) }];
  }

  /** Measures a command and its rivals in turn, and prints how they compare. */
  async compare(name: string, command: string, rivals: readonly Rival[] = []): Promise<Run> {
    const mine: Run[] = [];
    const others: Run[][] = rivals.map(() => []);
    for (let i = 0; i < this.runs; i++) {
      mine.push(await run(command));
      for (const [k, r] of rivals.entries()) others[k].push(await run(r.command));
    }
    const m = medians(mine);
    console.log(`${name}\n${told('fttscope', m)}`);
    for (const [k, r] of rivals.entries()) console.log(compared(r.name, m, medians(others[k])));
    return m;
  }

  /** The same for rows, with what one costs. */
  async rows(name: string, args: string, rivals: readonly Rival[] = []): Promise<Run> {
    const m = await this.compare(name, this.ours('read', args), rivals);
    const row = `${((1e6 * m.cpu) / m.lines).toFixed(1)} µs a row`;
    console.log(
      `    ${m.lines} rows, ${row}, ${(this.size / 1e6 / m.cpu).toFixed(0)} MB/s, first row after ${(1000 * m.first).toFixed(0)} ms`,
    );
    return m;
  }

  /** What a frame and an inner packet cost, and how far that is from what nobody can do without. */
  async distance(named: Run): Promise<void> {
    const count = async (rows: string): Promise<number> =>
      (await run(this.ours('read', `--rows ${rows} ${fields(['frame.number'])}`))).lines;
    const frames = await count('outer');
    const inner = await count('inner');
    const ns = (n: number): string => ((1e9 * named.cpu) / n).toFixed(0);
    console.log(`    ${ns(frames)} ns a frame (${frames}), ${ns(inner)} ns an inner packet (${inner})`);
    console.log(`    ${(named.peak / ((frames + inner) / 1e6)).toFixed(0)} MB a million packets`);
    const floor = medians(await this.repeated(`node ${FLOOR} ${this.c.file}`));
    console.log(
      `    the floor, the file read and put through AES once: ${floor.cpu.toFixed(2)} s CPU; named fields take ${(named.cpu / floor.cpu).toFixed(1)} times that`,
    );
  }

  async repeated(command: string): Promise<Run[]> {
    const list: Run[] = [];
    for (let i = 0; i < this.runs; i++) list.push(await run(command));
    return list;
  }
}

const fields = (list: readonly string[]): string => `-T fields ${list.map((f) => `-e ${f}`).join(' ')}`;

/** What a report of 2 GB needs at its peak. */
async function long(): Promise<void> {
  const c = generated(2000);
  const r = await run(`node ${MAIN} report -q ${c.file} -k ${c.keys}`);
  console.log(`report on ${(statSync(c.file).size / 1e9).toFixed(2)} GB\n${told('fttscope', r)}`);
}

async function start(): Promise<void> {
  const empty: Run[] = [];
  const version: Run[] = [];
  for (let i = 0; i < 9; i++) {
    empty.push(await run('node -e 0'));
    version.push(await run(`node ${MAIN} --version`));
  }
  const [e, v] = [medians(empty), medians(version)];
  console.log(
    `fttscope --version: ${(v.wall * 1000).toFixed(0)} ms, an empty node ${(e.wall * 1000).toFixed(0)} ms: ${(v.wall / e.wall).toFixed(2)} times`,
  );
}

/** What the command line asks for; undefined where it is wrong, which is said. */
function asked() {
  try {
    return parseArgs({ options: OPTIONS }).values;
  } catch (e) {
    process.stderr.write(`${(e as Error).message}\n\n${USAGE}`);
    process.exitCode = 1;
    return undefined;
  }
}

async function main(): Promise<void> {
  const o = asked();
  if (o === undefined) return;
  if (o.help) {
    process.stdout.write(USAGE);
    return;
  }
  if (o.long) return long();
  if (o.live) return measureLive();
  if (o.memory) {
    if (!(await measureMemory())) process.exitCode = 1;
    return;
  }
  const { capture, keylog = '', inner = '', quick } = o;
  const c = capture === undefined ? generated(quick ? 20 : 200) : { file: capture, keys: keylog, inner };
  if (o.screens) return measureScreens(MAIN, c.file, c.keys);
  const tshark = !o['no-tshark'] && hasTshark;
  if (!tshark) console.log('tshark or its Lua dissector is missing, or not wanted: it is left out');
  const b = new Bench(c, Number(o.runs ?? (quick ? 1 : 3)), tshark);

  const three = fields(['frame.number', 'ip.src', 'sip.Method']);
  const named = await b.rows('named fields: frame.number ip.src sip.Method', three, b.tsharks(three));
  await b.distance(named);
  for (let seed = 1; seed <= 5; seed++) {
    const set = fieldSet(seed);
    const wanted = b.tsharks(fields(set), !quick || seed === 1).slice(0, 1);
    const m = await b.rows(`random fields ${seed}: ${set.join(' ')}`, fields(set), wanted);
    console.log(`    ${(m.cpu / named.cpu).toFixed(2)} times as long as the named fields`);
  }
  const filter = "-Y 'sip.Status-Code >= 400' -T fields -e frame.number";
  await b.rows("filter: -Y 'sip.Status-Code >= 400'", filter, b.tsharks(filter, !quick).slice(0, 1));
  // tshark takes minutes for all fields of 200 MB, and hours are not worth it.
  await b.rows('all fields: -T ndjson, -T ek', '-T ndjson', b.tsharks('-T ek', quick));
  const all = await b.rows('named fields, every tag checked (--verify-all)', `--verify-all ${three}`);
  console.log(`    ${(all.cpu / named.cpu).toFixed(2)} times as long as with a sample of tags`);
  const statistics = '-q -z sip,stat -z rtp,streams';
  const rivals = b.tsharks(statistics);
  if (hasSngrep && c.inner !== '') rivals.push({ name: 'sngrep', command: sngrep(c) });
  else console.log('sngrep, or the inner capture, is missing: it is left out');
  await b.compare('report; tshark -z sip,stat -z rtp,streams; sngrep -N -q', b.ours('report', ''), rivals);
  await start();
}

await main();
