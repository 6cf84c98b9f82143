/**
 * Compares fttscope with tshark, in turn, on captures of many tunnels, and prints medians and ratios:
 *
 *     npm run bench -- --quick        20 MB, for every change on the hot path
 *     npm run bench                   200 MB
 *     npm run bench -- --capture F --keylog K --runs 5
 *     npm run bench -- --screens      the terminal UI on 200 MB, in a pseudo-terminal
 *     npm run bench -- --memory       what captures that are made to cost much need at their peak
 *
 * tshark reads the envelopes by a Lua dissector that is looked for in `peer/` beside the corpus; where it is missing the
 * comparison with it is left out, in words. Captures are made once and kept in the temporary folder.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { CORPUS, ROOT } from '../support/corpus.js';
import { medians, type Run, run } from './measure.js';
import { measureMemory } from './memory.js';
import { measureScreens } from './screens.js';

const PEER = join(dirname(CORPUS), 'peer');
const LUA = join(PEER, 'ftt_ims.lua');
const GENERATOR = join(PEER, 'gen_big.py');
const MAIN = join(ROOT, 'dist/src/cli/fttscope.js');

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

interface Capture {
  readonly file: string;
  readonly keys: string;
}

/** The capture asked for, or one of the size made by the generator. */
function capture(megabytes: number): Capture {
  const folder = join(tmpdir(), 'fttscope-bench');
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${megabytes}.pcapng`);
  const keys = join(folder, `${megabytes}.keys`);
  if (!existsSync(file)) {
    if (!existsSync(GENERATOR)) throw new Error(`no capture given (--capture), and no generator at ${GENERATOR}`);
    const packets = String(megabytes * 5100);
    console.log(`making a capture of ${megabytes} MB …`);
    const mix = ['--mix', 'sip:5,rtp:93,dhcp:2', '--tls', '1.2gcm,1.3gcm,1.2cbc,chacha', '--per-record', '1-3'];
    const out = ['--out', file, '--keylog', keys, '--inner', join(folder, `${megabytes}.inner.pcap`)];
    execFileSync('python3', [GENERATOR, '--tunnels', '64', '--packets', packets, ...mix, ...out]);
  }
  return { file, keys };
}

const seconds = (s: number): string => s.toFixed(2).padStart(7);

function line(name: string, ours: Run, theirs: Run | null): string {
  const mine = `${seconds(ours.cpu)} s CPU ${seconds(ours.wall)} s wall ${ours.peak.toFixed(0).padStart(5)} MB`;
  if (theirs === null) return `${name}\n    fttscope ${mine}`;
  const other = `${seconds(theirs.cpu)} s CPU ${seconds(theirs.wall)} s wall ${theirs.peak.toFixed(0).padStart(5)} MB`;
  const ratio = `${(theirs.cpu / ours.cpu).toFixed(1)} times as fast in CPU time, ${(theirs.wall / ours.wall).toFixed(1)} in wall time`;
  return `${name}\n    fttscope ${mine}\n    tshark   ${other}\n    ${ratio}, ${(ours.peak / theirs.peak).toFixed(2)} of its memory`;
}

async function main(): Promise<void> {
  const { values: o } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      capture: { type: 'string' },
      keylog: { type: 'string' },
      runs: { type: 'string' },
      'no-tshark': { type: 'boolean', default: false },
      memory: { type: 'boolean', default: false },
      screens: { type: 'boolean', default: false },
    },
  });
  if (o.memory) {
    if (!(await measureMemory())) process.exitCode = 1;
    return;
  }
  const c = o.capture !== undefined ? { file: o.capture, keys: o.keylog ?? '' } : capture(o.quick ? 20 : 200);
  if (o.screens) {
    await measureScreens(MAIN, c.file, c.keys);
    return;
  }
  const runs = Number(o.runs ?? (o.quick ? 1 : 3));
  const withTshark = !o['no-tshark'] && existsSync(LUA) && hasTshark();
  if (!withTshark) console.log('tshark or its Lua dissector is missing, or not wanted: fttscope alone');
  const size = statSync(c.file).size;
  console.log(`${(size / 1e6).toFixed(1)} MB, ${runs} runs each, medians; Node ${process.version}`);

  const ours = (args: string) => `node ${MAIN} read -q ${c.file} ${c.keys === '' ? '' : `-k ${c.keys}`} ${args}`;
  const theirs = (args: string) =>
    `tshark -n -X lua_script:${LUA} -o tls.keylog_file:${c.keys} -o tcp.reassemble_out_of_order:TRUE -r ${c.file} ${args} 2>/dev/null`;
  const fields = (list: readonly string[]) => `-T fields ${list.map((f) => `-e ${f}`).join(' ')}`;
  const compare = async (name: string, args: string, tsharkToo = true): Promise<void> => {
    const mine: Run[] = [];
    const other: Run[] = [];
    for (let i = 0; i < runs; i++) {
      mine.push(await run(ours(args)));
      if (withTshark && tsharkToo) other.push(await run(theirs(args)));
    }
    const m = medians(mine);
    console.log(line(name, m, other.length > 0 ? medians(other) : null));
    console.log(
      `    ${m.lines} rows, ${((1e6 * m.cpu) / m.lines).toFixed(1)} µs a row, ${(size / 1e6 / m.cpu).toFixed(0)} MB/s, first row after ${(1000 * m.first).toFixed(0)} ms`,
    );
  };

  await compare('named fields: frame.number ip.src sip.Method', fields(['frame.number', 'ip.src', 'sip.Method']));
  for (let seed = 1; seed <= 5; seed++) {
    const set = fieldSet(seed);
    await compare(`random fields ${seed}: ${set.join(' ')}`, fields(set), !o.quick || seed === 1);
  }
  await compare(
    "filter: -Y 'sip.Status-Code >= 400'",
    `-Y 'sip.Status-Code >= 400' -T fields -e frame.number`,
    !o.quick,
  );
  await compare('all fields: -T ndjson', '-T ndjson', false);
  await compare(
    'named fields, every tag checked (--verify-all)',
    `--verify-all ${fields(['frame.number', 'ip.src', 'sip.Method'])}`,
    false,
  );
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

function hasTshark(): boolean {
  try {
    execFileSync('tshark', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

await main();
