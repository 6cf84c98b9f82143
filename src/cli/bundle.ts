/**
 * Part of the build: puts the command and everything it loads into one file beside main.js, and the code that V8 makes
 * of it into another. Node takes about 1 ms for each of some 250 modules (ADR 0004).
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { CATALOGUE } from '../model/catalogue.js';
import { reportSchema } from '../report/report-schema.js';
import { BUNDLE } from './load.js';

const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

// A cache of an older bundle of the same length would be taken for one of the new one.
for (const name of readdirSync(here('.'))) if (name.endsWith('.cache')) rmSync(here(name));

// The thread of the engine starts from a script, too: an ES module would take longer.
for (const [from, outfile] of [
  ['./main.js', BUNDLE],
  ['./viewer-worker.js', here('./viewer-worker.cjs')],
] as const)
  await build({
    entryPoints: [here(from)],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    minifyWhitespace: true,
    legalComments: 'none',
    logLevel: 'warning',
    // Loaded when they are needed: they find files of their own beside them, or are native.
    external: ['blessed', 'blessed-contrib', 'pcap', 'koffi'],
    supported: { 'dynamic-import': false },
    define: { 'import.meta.url': 'BUNDLE_URL' },
    banner: { js: "const BUNDLE_URL = require('node:url').pathToFileURL(__filename).href;" },
  });
chmodSync(here('./fttscope.js'), 0o755);
// For programs that check reports without starting the command.
writeFileSync(here('../report.schema.json'), `${JSON.stringify(reportSchema(Object.keys(CATALOGUE)), null, 2)}\n`);
execFileSync(process.execPath, [here('./warm.js')], { stdio: ['ignore', 'ignore', 'inherit'] });
