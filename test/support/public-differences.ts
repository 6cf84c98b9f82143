import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './corpus.js';
import { differenceKey } from './public-compare.js';

const LIST = join(ROOT, 'test/engine/public-differences.tsv');

/** Prefixes that are not compared. */
export const OUTSIDE: ReadonlySet<string> = new Set(['mip6', 'dtls', 'http2', 'websocket']);

/** A line of the list of known differences. */
export interface Listed {
  readonly protocol: string;
  readonly field: string;
  readonly capture: string;
  readonly kind: string;
  readonly cause: string;
}

/** The known differences, by what they speak of. @throws Error for a line that stands twice */
export function listedDifferences(): Map<string, Listed> {
  const out = new Map<string, Listed>();
  if (!existsSync(LIST)) return out;
  for (const line of readFileSync(LIST, 'utf8').trimEnd().split('\n').slice(1)) {
    const [protocol, field, capture, kind, cause] = line.split('\t');
    const key = differenceKey(field, capture, kind);
    if (out.has(key)) throw new Error(`${key} stands twice in the list of differences`);
    out.set(key, { protocol, field, capture, kind, cause });
  }
  return out;
}
