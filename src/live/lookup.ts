import { type ChildProcess, spawn } from 'node:child_process';
import type { LookupAddress } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { fileURLToPath } from 'node:url';

/** What the process that resolves says, as JSON. */
export type LookupWord =
  | { readonly addresses: readonly LookupAddress[] /** What the resolver took. */; readonly ms: number }
  | { readonly code: string; readonly message: string };

const CHILD = fileURLToPath(new URL('../live/lookup-child.js', import.meta.url));

/**
 * Resolves a name for a connection, in a process of its own: what the resolver of the system waits for cannot be taken back,
 * and a process with such a wait in one of its threads does not end before that.
 */
export class Lookup {
  /** What the process took beside what the resolver did. */
  overheadMs = 0;
  private child: ChildProcess | undefined;

  /** For `net.connect`. */
  readonly ask: LookupFunction = (name, { all, family }, callback) => {
    const from = performance.now();
    const child = spawn(process.execPath, [CHILD, name], { stdio: ['pipe', 'pipe', 'ignore'] });
    this.child = child;
    let text = '';
    // Where no process can be started any more, it has no output.
    child.stdout?.setEncoding('utf8').on('data', (more: string) => {
      text += more;
    });
    const fail = (code: string, message: string): void => callback(Object.assign(new Error(message), { code }), []);
    child.once('error', (e: NodeJS.ErrnoException) => {
      child.removeAllListeners('close');
      fail(e.code ?? '', e.message);
    });
    child.once('close', () => {
      if (text === '') return fail('EAI_AGAIN', `${name}: the resolver ended`);
      const word = JSON.parse(text) as LookupWord;
      if ('code' in word) return fail(word.code, word.message);
      this.overheadMs = performance.now() - from - word.ms;
      const found = word.addresses.filter((a) => !family || a.family === Number(family));
      if (found.length === 0) return fail('ENOTFOUND', `${name}: no address of IPv${family}`);
      if (all) callback(null, found.slice());
      else callback(null, found[0].address, found[0].family);
    });
  };

  /** Nobody wants to know any more. */
  stop(): void {
    this.child?.kill('SIGKILL');
  }
}

/** The first address of a name. Rejects with the error of the resolver, or when `gone` says that nobody wants to know any more. */
export function addressOfName(name: string, gone?: AbortSignal): Promise<string> {
  const lookup = new Lookup();
  return new Promise((resolve, reject) => {
    gone?.addEventListener('abort', () => lookup.stop());
    lookup.ask(name, {}, (error, address) => (error === null ? resolve(String(address)) : reject(error)));
    if (gone?.aborted) lookup.stop();
  });
}
