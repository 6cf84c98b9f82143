/**
 * Part of the build: puts the command and everything it loads into one file beside main.js. Node takes about 1 ms for
 * each of some 250 modules; one file starts in less than half the time (ADR 0004).
 */
import { chmodSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const outfile = here('./fttscope.js');

await build({
  entryPoints: [here('./main.js')],
  outfile,
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  minifyWhitespace: true,
  keepNames: true,
  legalComments: 'none',
  logLevel: 'warning',
  // Loaded when they are needed: they find files of their own beside them, or are native.
  external: ['blessed', 'blessed-contrib', 'pcap', 'koffi'],
  // CommonJS packages inside ask for Node's modules by require.
  banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
});
chmodSync(outfile, 0o755);
