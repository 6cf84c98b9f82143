import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';

/** The root of the project, from where the compiled tests lie. */
export const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../../..');

/** Captures that do not belong to the project: FTTSCOPE_CORPUS, by default beside the checkout. */
export const CORPUS = resolve(ROOT, process.env.FTTSCOPE_CORPUS ?? '../shared/captures');

/** Why tests that want the corpus skip, or false. */
export const corpusMissing = (part: 'tunnel' | 'public'): string | false =>
  existsSync(join(CORPUS, part)) ? false : `no captures at FTTSCOPE_CORPUS (${part}): skipped`;

/** A line of public/INDEX.tsv. */
export interface PublicCapture {
  readonly file: string;
  readonly path: string;
  readonly keyFile: string;
  readonly options: string;
  readonly decryptedOptions: string;
  readonly references: readonly string[];
  readonly tsharkExit: number;
  /** Layers that tshark finds in it, with its usual settings or those of a reference. */
  readonly protocols: readonly string[];
}

export function publicCaptures(): PublicCapture[] {
  const [head, ...lines] = readFileSync(join(CORPUS, 'public/INDEX.tsv'), 'utf8').trimEnd().split('\n');
  const names = head.split('\t');
  return lines.map((line) => {
    const cells = line.split('\t');
    const get = (name: string): string => cells[names.indexOf(name)] ?? '';
    return {
      file: get('file'),
      path: join(CORPUS, 'public', get('file')),
      keyFile: get('key_file'),
      options: get('tshark_options'),
      decryptedOptions: get('tshark_options_decrypted'),
      references: get('references').split(',').filter(Boolean),
      tsharkExit: Number(get('tshark_exit')),
      protocols: get('protocols').split(','),
    };
  });
}

/** One frame of a reference: scalars for `frame.*`, arrays of strings for all others. */
export type ReferenceFrame = Record<string, string | number | string[]>;

export function reference(path: string): ReferenceFrame[] {
  const text = gunzipSync(readFileSync(path)).toString('utf8');
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as ReferenceFrame);
}
