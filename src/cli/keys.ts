import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, parse } from 'node:path';
import { scanSecrets } from '../capture/secrets.js';
import { KeyLog, type KeySource } from '../tls/index.js';
import { Exit, UserError } from './errors.js';

/** Sidecar key logs: NAME with or without its extension, and these. Contract section 3. */
const SIDECARS = ['.keys', '.keylog', '.sslkeys'];

export interface KeyOptions {
  readonly keylog?: readonly string[];
  /** tshark's `-o tls.keylog_file:F`. */
  readonly preferences?: readonly string[];
  readonly autoKeys: boolean;
}

/** Gathers key material from every source, in the order in which they serve. @throws UserError for a file that was named but cannot be read */
export async function gatherKeys(captures: readonly string[], options: KeyOptions): Promise<KeyLog> {
  const keys = new KeyLog();
  for (const name of named(options)) addFile(keys, name, 'option', true);
  if (!options.autoKeys) return keys;
  for (const capture of captures) {
    if (capture === '-') continue;
    for (const text of await secretsOf(capture)) keys.add(text, 'dsb');
    for (const file of sidecars(capture)) addFile(keys, file, 'sidecar', false);
  }
  const environment = process.env.SSLKEYLOGFILE;
  if (environment !== undefined && existsSync(environment)) addFile(keys, environment, 'environment', false);
  return keys;
}

async function secretsOf(capture: string): Promise<readonly string[]> {
  try {
    return await scanSecrets(capture);
  } catch {
    return []; // the reader will say what is wrong with the file
  }
}

/** Files given by `-k` and `-o tls.keylog_file:`, directories opened up. */
function named(options: KeyOptions): string[] {
  const out: string[] = [];
  const given = [...(options.keylog ?? [])];
  for (const p of options.preferences ?? [])
    if (p.startsWith('tls.keylog_file:')) given.push(p.slice('tls.keylog_file:'.length));
  for (const name of given) {
    if (!existsSync(name))
      throw new UserError(
        `${name}: no such key log`,
        Exit.input,
        'a TLS key log is what SSLKEYLOGFILE makes clients write',
      );
    if (statSync(name).isDirectory())
      for (const entry of readdirSync(name).sort()) {
        const path = join(name, entry);
        if (statSync(path).isFile()) out.push(path);
      }
    else out.push(name);
  }
  return out;
}

function sidecars(capture: string): string[] {
  const { name } = parse(capture);
  const base = join(dirname(capture), name);
  const out: string[] = [];
  for (const stem of new Set([capture, base]))
    for (const extension of SIDECARS) if (existsSync(stem + extension)) out.push(stem + extension);
  return out;
}

function addFile(keys: KeyLog, path: string, source: KeySource, must: boolean): void {
  let text: string;
  try {
    text = readFileSync(path, 'latin1');
  } catch (e) {
    if (!must) return;
    throw new UserError(`${path}: cannot be read (${(e as NodeJS.ErrnoException).code})`, Exit.input);
  }
  keys.add(text, source);
}
