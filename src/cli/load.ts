/** Loads the bundled command with the code cache that the build left beside it. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { Script } from 'node:vm';
import { isMainThread, type MessagePort, type Worker } from 'node:worker_threads';

/** The command as the build bundles it into one file. */
export const BUNDLE = fileURLToPath(new URL('./fttscope.cjs', import.meta.url));
/** V8 takes only a cache of its own version; another processor would not be told by it. */
export const CACHE = fileURLToPath(new URL(`./fttscope-${process.version}-${process.arch}.cache`, import.meta.url));

/**
 * Megabytes of either half of the room for young objects in the thread of the engine. With less, what a chunk of frames
 * needs is taken for old, and looking for what is not in use takes longer than all else.
 */
export const YOUNG_MB = 6;

const FLAGS = [
  // By how much memory may grow, in percent of what is in use, before what is not is looked for. Left to itself V8 waits
  // for several times as much, so that a limit on what is followed would mean little.
  '--heap-growing-percent=30',
  // Nearly all that is made while the program starts stays: little room for young objects would have it moved often.
  '--semi-space-growth-factor=4',
  // Of threads that are yet to start. Each collection that closes gaps makes that room as small as it may be.
  `--min-semi-space-size=${YOUNG_MB}`,
  // The main thread alone looks for what is not in use. That is little work here, and several threads that share it
  // take a quarter more time together.
  '--no-parallel-scavenge',
  '--no-concurrent-marking',
  '--no-concurrent-sweeping',
  // Eight seconds after the start V8 would take away the room for young objects, as from a program that is idle. Where that
  // is cut short it never gives it back: all that is read is then taken for old, and twice the memory is held.
  '--gc-memory-reducer-start-delay-ms=1000000000',
  // What commands and threads have told it since, as it was before. (Never --max-inlined-bytecode-size: a thread that
  // compiles looks at it twice, and V8 ends the program where it became less between.)
  '--incremental-marking',
  '--no-optimize-for-size',
  '--no-expose-gc', // a thread may end in the middle of a collection
  '--max-semi-space-size=0',
  '--max-inlined-bytecode-size-cumulative=920',
];

let areSet = false;

/**
 * Tells V8 how to look for what is not in use. To be called before a code cache is made or looked at: it fits only the
 * same flags. They must not change while another thread collects.
 */
export function setFlags(): void {
  areSet = true;
  for (const flag of FLAGS) setFlagsFromString(flag);
}

interface Bundle {
  /** @param engine the thread of the engine, where it was started before */
  main(argv: readonly string[], engine?: Worker): Promise<void>;
  /** The thread of the engine behind the screens; its order comes through the port. */
  view(port: MessagePort): Promise<void>;
}

/** The command; `compiled` gets the script that it was made of. */
export function loadBundle(compiled: (script: Script) => void = () => undefined): Bundle {
  if (isMainThread && !areSet) setFlags(); // a worker finds them set
  // The bundle is ASCII.
  const source = `(function (module, require, __filename) {${readFileSync(BUNDLE, 'latin1')}\n})`;
  const script = new Script(source, { filename: BUNDLE, ...cache() });
  compiled(script);
  const module = { exports: {} as Bundle };
  script.runInThisContext()(module, createRequire(BUNDLE), BUNDLE);
  return module.exports;
}

function cache(): { cachedData?: Buffer } {
  try {
    return { cachedData: readFileSync(CACHE) };
  } catch {
    return {}; // another version of Node: everything is compiled anew
  }
}
