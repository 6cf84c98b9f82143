/**
 * Gives fttscope inputs that nobody would send, for as long as it is told, and prints how many they were:
 *
 *     npm run fuzz -- --seconds 60                  a seed of its own
 *     npm run fuzz -- --seconds 60 --seed 7         the same inputs again
 *     npm run fuzz -- --seconds 60 --out findings   what is found is made small and saved there
 *     npm run fuzz -- --again findings/x.json       checks a saved input
 *
 * Exit code 1 if something was found.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { Generator } from './generate.js';
import type { Input } from './input.js';
import { minimise } from './minimise.js';
import { captures, layersOf } from './seeds.js';
import { framesOf, handshake, pcap } from './wire.js';
import type { Found, Task } from './worker.js';

/** Processor seconds on one input after which it hangs: all ways of reading it, on a machine that does more than this. */
const HANG_SECONDS = 20;
const HEAP_MEGABYTES = 1024;
const TRIALS = 300;
/** Milliseconds that making one finding small may take. */
const MINIMISE_MS = 20_000;
const LOOK_MS = 250;

const USAGE = 'npm run fuzz -- [--seconds N] [--seed N] [--from N] [--out FOLDER] [--again FILE]';

function argumentsOf() {
  try {
    return parseArgs({
      options: {
        seconds: { type: 'string', default: '60' },
        seed: { type: 'string' },
        from: { type: 'string', default: '0' },
        out: { type: 'string' },
        again: { type: 'string' },
      },
    }).values;
  } catch (e) {
    console.error(`fuzz: ${(e as Error).message}\n  ${USAGE}`);
    process.exit(2);
  }
}
const args = argumentsOf();
const seed = Number(args.seed ?? Date.now() % 1_000_000);

const spent = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};

const list = captures();
const common = { seed, captures: list, layers: await layersOf(list), handshake: await handshake() };

function start(from: number, trials: boolean): { worker: Worker; progress: Int32Array } {
  const memory = new SharedArrayBuffer(4);
  const workerData: Task = { ...common, from, progress: memory, trials };
  const resourceLimits = { maxOldGenerationSizeMb: HEAP_MEGABYTES };
  const worker = new Worker(new URL('./worker.js', import.meta.url), { workerData, resourceLimits });
  return { worker, progress: new Int32Array(memory) };
}

interface Verdict {
  readonly sign: string | null;
  readonly message: string;
  /** The worker is of no more use. */
  readonly dead: boolean;
}

/** What a worker says of an input, within a limit of time. */
function answer(worker: Worker, o: Input): Promise<Verdict> {
  const before = spent();
  const late = Date.now() + 3 * HANG_SECONDS * 1000;
  return new Promise((done) => {
    const end = (v: Verdict): void => {
      clearInterval(timer);
      worker.off('message', onMessage);
      worker.off('error', onError);
      done(v);
    };
    const onMessage = ({ sign, message }: Found): void => end({ sign, message, dead: false });
    const onError = (e: NodeJS.ErrnoException): void =>
      end({ sign: `death ${e.code}`, message: String(e), dead: true });
    const timer = setInterval(() => {
      if (spent() - before > HANG_SECONDS || Date.now() > late)
        end({ sign: 'hang', message: `${HANG_SECONDS} s`, dead: true });
    }, LOOK_MS);
    worker.on('message', onMessage);
    worker.on('error', onError);
    worker.postMessage(o);
  });
}

/** Checks single inputs, each with a limit of time. */
class Trials {
  private worker: Worker | null = null;

  async verdict(o: Input): Promise<Verdict> {
    this.worker ??= start(0, true).worker;
    const { worker } = this;
    const verdict = await answer(worker, o);
    if (!verdict.dead) return verdict;
    this.worker = null;
    await worker.terminate();
    return verdict;
  }

  async end(): Promise<void> {
    await this.worker?.terminate();
  }
}

/** An input as text. */
const saved = (o: Input, about: object): string =>
  `${JSON.stringify({ ...about, ...o, parts: o.parts.map((b) => Buffer.from(b).toString('hex')) }, null, 1)}\n`;

function loaded(path: string): Input {
  const { parts, ...rest } = JSON.parse(readFileSync(path, 'utf8')) as Omit<Input, 'parts'> & { parts: string[] };
  return { ...rest, parts: parts.map((b) => Uint8Array.from(Buffer.from(b, 'hex'))) };
}

const kinds = new Map<string, number>();
const trials = new Trials();

/** Counts a finding; the first of its kind is made small and saved. */
async function report({ n, input, sign, message }: Found): Promise<void> {
  const kind = sign!.replace(/\d+/g, '#');
  kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  if (kinds.get(kind)! > 1) return;
  console.log(`input ${n} (${input.kind} ${input.name}): ${sign}\n  ${message.split('\n').slice(0, 6).join('\n  ')}`);
  if (args.out === undefined) return;
  const end = Date.now() + MINIMISE_MS;
  const shows = async (o: Input): Promise<boolean> =>
    Date.now() < end && (await trials.verdict(o)).sign?.replace(/\d+/g, '#') === kind;
  const again = await shows(input);
  const small = again ? await minimise(input, shows, kind === 'hang' ? 40 : TRIALS) : input;
  const last = again ? (await trials.verdict(small)).message : 'not seen again alone';
  const base = join(args.out, `${seed}-${n}-${kind.replace(/[^\w.-]+/g, '-').slice(0, 60)}`);
  mkdirSync(args.out, { recursive: true });
  writeFileSync(`${base}.json`, saved(small, { fuzzSeed: seed, n, sign, message: last }));
  if (!['frames', 'tunnel', 'stream'].includes(small.kind)) return;
  const { frames, link } = framesOf(small, common.handshake);
  writeFileSync(`${base}.pcap`, pcap(frames, link));
}

/** Runs workers one after the other until the time is over; returns the number of inputs. */
async function run(seconds: number): Promise<number> {
  const generator = new Generator(seed, list, common.layers);
  const until = Date.now() + seconds * 1000;
  const first = Number(args.from);
  let from = first;
  let reports = Promise.resolve();
  while (Date.now() < until) {
    const { worker, progress } = start(from, false);
    worker.on('message', (found: Found) => (reports = reports.then(() => report(found))));
    const sign = await watch(worker, progress, until);
    await worker.terminate();
    from = Math.max(from, Atomics.load(progress, 0));
    if (sign === null) break;
    const n = from++;
    reports = reports.then(async () => report({ n, input: await generator.make(n), sign, message: sign }));
  }
  await reports;
  await trials.end();
  return from - first;
}

/** Waits for the end: of the time, of the worker, or of patience with an input. */
function watch(worker: Worker, progress: Int32Array, until: number): Promise<string | null> {
  return new Promise((done) => {
    let at = -1;
    let since = spent();
    const end = (sign: string | null): void => {
      clearInterval(timer);
      done(sign);
    };
    const timer = setInterval(() => {
      const n = Atomics.load(progress, 0);
      if (n !== at) {
        at = n;
        since = spent();
      }
      if (spent() - since > HANG_SECONDS) end('hang');
      else if (Date.now() >= until) end(null);
    }, LOOK_MS);
    worker.once('error', (e) => end(`death ${(e as NodeJS.ErrnoException).code ?? e.message}`));
  });
}

if (args.again !== undefined) {
  const { sign, message } = await trials.verdict(loaded(args.again));
  console.log(sign === null ? 'nothing is wrong' : `${sign}\n${message}`);
  await trials.end();
  process.exitCode = sign === null ? 0 : 1;
} else {
  const inputs = await run(Number(args.seconds));
  for (const [kind, n] of kinds) console.log(`${n} × ${kind}`);
  console.log(`seed ${seed}: ${inputs} inputs in ${args.seconds} s, ${kinds.size} kinds of findings`);
  process.exitCode = kinds.size === 0 ? 0 : 1;
}
