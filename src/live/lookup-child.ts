/** A process of its own that resolves a name as the system does: its only argument. See {@link file://./lookup.ts}. */
import { lookup } from 'node:dns';
import { Socket } from 'node:net';
import type { LookupWord } from './lookup.js';

// It ends with whoever asked, however that ended.
new Socket({ fd: 0 })
  .on('close', () => process.kill(process.pid, 'SIGKILL'))
  .resume()
  .unref();

const from = performance.now();
lookup(process.argv[2], { all: true }, (error, addresses) => {
  const ms = performance.now() - from;
  const word: LookupWord = error === null ? { addresses, ms } : { code: error.code ?? '', message: error.message };
  process.stdout.write(JSON.stringify(word));
});
