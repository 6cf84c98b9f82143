/**
 * Part of the build: runs the command on a sample, and the screens with nobody before them, and keeps the code that V8
 * compiled for it, so that the next start need not.
 */
import { writeFileSync } from 'node:fs';
import { PassThrough, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { Script } from 'node:vm';
import { CACHE, loadBundle, setFlags } from './load.js';
import { PACKAGE } from './root.js';

const sample = fileURLToPath(new URL('samples/03-tls13-aes128-gcm.pcapng', PACKAGE));
let script: Script | undefined;
const { main } = loadBundle((s) => {
  script = s;
});
await main(['read', '--quiet', sample]);
await main(['read', '--quiet', sample, '-T', 'ndjson']);
await main(['read', '--quiet', sample, '-T', 'fields', '-e', 'frame.number', '-e', 'ip.src', '-e', 'sip.Method']);

// Whoever sits before the screens quits as soon as they show something.
const stdin = Object.assign(new PassThrough(), { isTTY: true });
const write = (text: Buffer, _: string, done: () => void): void => {
  if (text.includes('Tunnels')) setImmediate(() => stdin.write('Q'));
  done();
};
const stdout = Object.assign(new Writable({ write }), { isTTY: true, columns: 120, rows: 40 });
for (const [name, value] of Object.entries({ stdin, stdout })) Object.defineProperty(process, name, { value });
await main([sample]);

setFlags();
if (script !== undefined) writeFileSync(CACHE, script.createCachedData());
