import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Row } from '../../src/engine/row.js';
import { fieldText } from '../../src/report/value.js';
import { CORPUS, type PublicCapture, type ReferenceFrame, reference } from './corpus.js';
import { forRows } from './rows.js';

/** The references that a capture may have: tshark as it is, with keys, and with the heuristics of RTP. */
export const KINDS = ['tshark', 'decrypted', 'rtpheur'] as const;
export type Kind = (typeof KINDS)[number];

/** Our values of each field, by frame. */
type Values = Map<number, Map<string, string[]>>;

/** Values of one prefix. */
export interface Tally {
  /** In the references. */
  total: number;
  /** Of those, how many we have. */
  equal: number;
  /** That we have and the references do not. */
  extra: number;
}

/** What is different in one field of one capture. */
export interface Difference {
  readonly field: string;
  readonly capture: string;
  readonly kind: Kind;
  /** Values that are missing or too many. */
  values: number;
  readonly example: string;
}

/** Whether a field (with the prefix that it is counted under) is compared. */
export type Choice = (field: string, prefix: string) => boolean;

/** Where the reference of a capture lies. */
const referencePath = (c: PublicCapture, kind: Kind): string =>
  `${c.path}.${kind === 'tshark' ? '' : `${kind}.`}tshark.ndjson.gz`;

/** What a field is counted under: the part before the dot; the protocol stack by itself. */
export const prefixOf = (field: string): string => (field === 'frame.protocols' ? 'protocols' : field.split('.')[0]);

/** Fields of one frame as text, from all its rows: outer fields once, inner ones of each row. */
function collect(row: Row, into: Values): void {
  let frame = into.get(row.frame);
  if (frame === undefined) into.set(row.frame, (frame = new Map()));
  const t = row.dissection.tree;
  for (let i = 0; i < t.length; i++) {
    const name = t.field(i).name;
    if (t.field(i).type === 'protocol' && !name.startsWith('_ws')) continue;
    const list = frame.get(name);
    if (list === undefined) frame.set(name, [fieldText(t, i)]);
    else list.push(fieldText(t, i));
  }
  frame.set('frame.protocols', [row.dissection.protocols.join(':')]);
}

/** How often the values of `b` stand in `a`, each used once. */
function common(a: readonly string[], b: readonly string[]): number {
  const left = new Map<string, number>();
  for (const v of a) left.set(v, (left.get(v) ?? 0) + 1);
  let n = 0;
  for (const v of b) {
    const k = left.get(v) ?? 0;
    if (k > 0) {
      n++;
      left.set(v, k - 1);
    }
  }
  return n;
}

/** The key material that the index names for a capture. */
function keyText(c: PublicCapture): string | undefined {
  if (c.keyFile === '') return undefined;
  const path = [join(dirname(c.path), c.keyFile), join(CORPUS, 'public', c.keyFile)].find((p) => existsSync(p));
  return path === undefined ? undefined : readFileSync(path, 'latin1');
}

async function ours(c: PublicCapture, kind: Kind): Promise<Values> {
  const out: Values = new Map();
  const decrypted = kind === 'decrypted';
  const key = decrypted ? keyText(c) : undefined;
  const rules = [...`${c.options} ${decrypted ? c.decryptedOptions : ''}`.matchAll(/-d (\S+)/g)].map((m) => m[1]);
  if (decrypted && c.decryptedOptions.includes('esp.enable_null_encryption')) rules.push('esp.payload==0,esp.null');
  await forRows(
    c.path,
    {
      ...(key !== undefined && { keylog: [key] }),
      heuristicRtp: kind === 'rtpheur',
      decodeAs: rules,
    },
    (row) => collect(row, out),
  );
  return out;
}

/** Counts what is equal, and gathers what is not. */
export class Comparison {
  readonly tallies = new Map<string, Tally>();
  /** By {@link differenceKey}. */
  readonly differences = new Map<string, Difference>();
  references = 0;
  readonly captures = new Set<string>();

  constructor(private readonly chosen: Choice = () => true) {}

  /** Compares a capture with one of its references; false: it has none of this kind. */
  async add(c: PublicCapture, kind: Kind): Promise<boolean> {
    const path = referencePath(c, kind);
    if (!existsSync(path)) return false;
    const mine = await ours(c, kind);
    this.references++;
    this.captures.add(c.file);
    for (const frame of reference(path)) this.frame(c, kind, frame, mine.get(Number(frame['frame.number'])));
    return true;
  }

  private frame(c: PublicCapture, kind: Kind, frame: ReferenceFrame, have: Map<string, string[]> | undefined): void {
    for (const [field, value] of Object.entries(frame)) {
      const prefix = prefixOf(field);
      if (field === 'frame.md5_hash' || !this.chosen(field, prefix)) continue;
      const wanted = Array.isArray(value) ? value : [String(value)];
      const got = have?.get(field) ?? [];
      const equal = common(got, wanted);
      const t = this.tally(prefix);
      t.total += wanted.length;
      t.equal += equal;
      t.extra += Math.max(0, got.length - wanted.length);
      const values = Math.max(wanted.length, got.length) - equal;
      if (values === 0) continue;
      const key = differenceKey(field, c.file, kind);
      const known = this.differences.get(key);
      if (known !== undefined) known.values += values;
      else {
        const example = `frame ${frame['frame.number']}: tshark ${brief(wanted)}, ours ${brief(got)}`;
        this.differences.set(key, { field, capture: c.file, kind, values, example });
      }
    }
  }

  private tally(prefix: string): Tally {
    let t = this.tallies.get(prefix);
    if (t === undefined) this.tallies.set(prefix, (t = { total: 0, equal: 0, extra: 0 }));
    return t;
  }
}

const brief = (values: readonly string[]): string => JSON.stringify(values).slice(0, 160);

/** One line of the list of differences speaks of this. */
export const differenceKey = (field: string, capture: string, kind: string): string => `${field}\t${capture}\t${kind}`;

/** The share of equal values. */
export const share = (t: Tally): number => t.equal / t.total;
