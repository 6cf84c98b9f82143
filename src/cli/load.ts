/** Loads the bundled command with the code cache that the build left beside it. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { Script } from 'node:vm';
import { isMainThread, type MessagePort } from 'node:worker_threads';

export const BUNDLE = fileURLToPath(new URL('./fttscope.cjs', import.meta.url));
/** V8 takes only a cache of its own version; another processor would not be told by it. */
export const CACHE = fileURLToPath(new URL(`./fttscope-${process.version}-${process.arch}.cache`, import.meta.url));

/**
 * By how much memory may grow, in percent of what is in use, before what is not is looked for. Left to itself V8 waits
 * for several times as much, so that a limit on what is followed would mean little.
 */
const GROWTH = 30;
/**
 * Flags that have the main thread alone look for what is not in use. That is little work here, and several threads that
 * share it take a quarter more time together.
 */
const ALONE = ['--no-parallel-scavenge', '--no-concurrent-marking', '--no-concurrent-sweeping'];

interface Bundle {
  main(argv: readonly string[]): Promise<void>;
  /** The thread of the engine behind the screens; its order comes through the port. */
  view(port: MessagePort): Promise<void>;
}

/** The command; `compiled` gets the script that it was made of. */
export function loadBundle(compiled: (script: Script) => void = () => undefined): Bundle {
  // Before the cache is looked at: it fits only the same flags.
  setFlagsFromString(`--heap-growing-percent=${GROWTH}`);
  // They must not change while a thread collects: a worker finds them set.
  if (isMainThread) for (const flag of ALONE) setFlagsFromString(flag);
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
