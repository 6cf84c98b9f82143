/**
 * Part of the build: runs the command on a sample and keeps the code that V8 compiled for it, so that the next start
 * need not.
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Script } from 'node:vm';
import { CACHE, loadBundle } from './load.js';
import { PACKAGE } from './root.js';

const sample = fileURLToPath(new URL('samples/03-tls13-aes128-gcm.pcapng', PACKAGE));
let script: Script | undefined;
const { main } = loadBundle((s) => {
  script = s;
});
await main(['read', '--quiet', sample]);
await main(['read', '--quiet', sample, '-T', 'ndjson']);
await main(['read', '--quiet', sample, '-T', 'fields', '-e', 'frame.number', '-e', 'ip.src', '-e', 'sip.Method']);
if (script !== undefined) writeFileSync(CACHE, script.createCachedData());
