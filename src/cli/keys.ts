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

/** The key material of a run. */
export interface Keys {
  readonly log: KeyLog;
  /** Texts of the key logs, for captures that are written with their keys. */
  readonly texts: readonly string[];
}

/** Gathers key material from every source, in the order in which they serve. @throws UserError for a file that was named but cannot be read */
export async function gatherKeys(captures: readonly string[], options: KeyOptions): Promise<Keys> {
  const log = new KeyLog();
  const texts: string[] = [];
  const add = (text: string, source: KeySource): void => {
    texts.push(text);
    log.add(text, source);
  };
  for (const name of named(options)) add(fileText(name), 'option');
  if (!options.autoKeys) return { log, texts };
  for (const capture of captures) {
    if (capture === '-') continue;
    for (const text of await secretsOf(capture)) add(text, 'dsb');
    for (const file of sidecars(capture)) add(fileText(file), 'sidecar');
  }
  const environment = process.env.SSLKEYLOGFILE;
  if (environment !== undefined && existsSync(environment)) add(fileText(environment), 'environment');
  return { log, texts };
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

function fileText(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch (e) {
    throw new UserError(`${path}: the key log cannot be read (${(e as NodeJS.ErrnoException).code})`, Exit.input);
  }
}

/** The lines of key logs that belong to these client randoms (hex, lower case); all lines where none are given. */
export function keyLines(texts: readonly string[], randoms?: ReadonlySet<string>): string {
  const lines = texts
    .flatMap((text) => text.split(/\r\n|\r|\n/))
    .filter((line) => /^[A-Z_0-9]+ [0-9a-fA-F]{64} /.test(line));
  const wanted = randoms === undefined ? lines : lines.filter((line) => randoms.has(line.split(' ')[1].toLowerCase()));
  return wanted.length === 0 ? '' : `${[...new Set(wanted)].join('\n')}\n`;
}
