import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { test } from 'node:test';
import { ROOT } from '../support/corpus.js';

/** Each may import what stands before it, and its own kind. */
const ORDER = [
  ['kit', 'limits'],
  ['dissectors'],
  ['capture', 'stream', 'model'],
  ['crypto', 'tls', 'tunnel', 'filter'],
  ['engine', 'live'],
  ['report'],
  ['viewer'],
  ['tui'],
  ['cli'],
];

/** Node's modules that touch the world, and who may. */
const OUTSIDE: Readonly<Record<string, readonly string[]>> = {
  'node:fs': ['capture', 'live', 'cli', 'tui'],
  'node:net': ['capture', 'live', 'cli'],
  'node:tls': ['live', 'cli'],
  'node:zlib': ['capture', 'viewer', 'cli'],
  'node:child_process': ['capture', 'live', 'cli'],
  'node:crypto': ['tls', 'crypto', 'live'],
  'node:worker_threads': ['viewer', 'cli'],
};

function sources(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((e) => e.isFile() && e.name.endsWith('.ts'))
    .map((e) => relative(ROOT, join(e.parentPath ?? e.path, e.name)));
}

/** `src/tls/session.ts` belongs to `tls`, `dissectors/udp.ts` to `dissectors`. */
function part(path: string): string {
  const parts = path.split('/');
  return parts[0] === 'src' ? parts[1].replace(/\.ts$/, '') : parts[0];
}

const rank = (p: string): number => ORDER.findIndex((group) => group.includes(p));

function imports(path: string): string[] {
  const text = readFileSync(join(ROOT, path), 'utf8');
  return [...text.matchAll(/(?:^|\n)\s*(?:import|export)[^;]*?from\s+'([^']+)'|import\('([^']+)'\)/g)].map(
    (m) => m[1] ?? m[2],
  );
}

test('dependencies point one way', () => {
  const wrong: string[] = [];
  for (const path of [...sources('src'), ...sources('dissectors')]) {
    const from = part(path);
    for (const name of imports(path)) {
      if (name.startsWith('node:')) {
        const allowed = OUTSIDE[name];
        if (allowed !== undefined && !allowed.includes(from)) wrong.push(`${path} imports ${name}`);
        continue;
      }
      if (!name.startsWith('.')) continue;
      const target = relative(ROOT, resolve(ROOT, path, '..', name));
      const to = part(target.replace(/\.js$/, '.ts'));
      if (to === from) continue;
      if (from === 'dissectors') wrong.push(`${path} imports ${name}: a dissector imports fttscope/kit and dissectors`);
      else if (rank(to) < 0 || rank(from) < 0) wrong.push(`${path} imports ${name}: unknown part`);
      else if (rank(to) > rank(from)) wrong.push(`${path} imports ${name}`);
      else if (target.startsWith('dissectors/index') && from !== 'cli')
        wrong.push(`${path} imports the list of dissectors`);
    }
  }
  assert.deepEqual(wrong, []);
});

/** Modules of ours that one needs when it runs: types are gone by then. */
function needs(path: string): string[] {
  const text = readFileSync(join(ROOT, path), 'utf8');
  return [...text.matchAll(/^(?:import|export)\s+(?!type\s)([^;']*?)\s*from\s+'([^']+)'/gm)].flatMap(
    ([, what, name]) => {
      const isTypes = /^\{[^}]*\}$/.test(what) && what.split(/[{},]/).every((w) => /^\s*(type\s.*)?$/.test(w));
      if (isTypes) return [];
      if (name === 'fttscope/kit') return ['src/kit/index.ts'];
      return name.startsWith('.') ? [relative(ROOT, resolve(ROOT, path, '..', name)).replace(/\.js$/, '.ts')] : [];
    },
  );
}

test('no module needs itself by way of others: which one runs first would hang on who asks', () => {
  const done = new Set<string>();
  const circles: string[] = [];
  const visit = (path: string, way: readonly string[]): void => {
    if (way.includes(path)) circles.push([...way.slice(way.indexOf(path)), path].join(' → '));
    else if (!done.has(path)) for (const next of needs(path)) visit(next, [...way, path]);
    done.add(path);
  };
  for (const path of [...sources('src'), ...sources('dissectors')]) visit(path, []);
  assert.ok(done.size > 700, `${done.size} modules`);
  assert.deepEqual(circles, []);
});
