/**
 * Part of the build: puts the command and everything it loads into one file beside main.js, and the code that V8 makes
 * of it into another. Node takes about 1 ms for each of some 250 modules (ADR 0004).
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'esbuild';
import { CATALOGUE } from '../model/catalogue.js';
import { reportSchema } from '../report/report-schema.js';
import { BUNDLE } from './load.js';

const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

/**
 * Has string-width loaded when it is first called: what it loads itself, to tell characters apart in all scripts, would
 * take a tenth of the time until the first screen, which is ASCII.
 */
const pictures: Plugin = {
  name: 'pictures',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^string-width$/ }, ({ namespace }) =>
      namespace === 'late' ? null : { path: 'string-width', namespace: 'late' },
    );
    onLoad({ filter: /.*/, namespace: 'late' }, () => ({
      contents: `export default (text) => require('string-width').default(text);`,
      resolveDir: here('.'),
    }));
  },
};

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
    plugins: [pictures],
    banner: { js: "const BUNDLE_URL = require('node:url').pathToFileURL(__filename).href;" },
  });
chmodSync(here('./fttscope.js'), 0o755);
// For programs that check reports without starting the command.
writeFileSync(here('../report.schema.json'), `${JSON.stringify(reportSchema(Object.keys(CATALOGUE)), null, 2)}\n`);
const man = execFileSync(process.execPath, [here('./fttscope.js'), 'man']);
writeFileSync(here('../fttscope.1'), man);
const folder = mkdtempSync(join(tmpdir(), 'fttscope-build-'));
const env = { ...process.env, TERM: 'xterm-256color', XDG_CONFIG_HOME: folder, XDG_STATE_HOME: folder };
execFileSync(process.execPath, [here('./warm.js')], { stdio: ['ignore', 'ignore', 'inherit'], env });
rmSync(folder, { recursive: true });
