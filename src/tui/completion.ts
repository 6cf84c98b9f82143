import { times } from '../report/report-words.js';
import type { SeenValues } from '../viewer/seen-values.js';

/*
 * What could be typed next in a display filter: pure, so that it can be asked at every key. Only Tab takes a proposal;
 * Enter applies what was typed.
 */

/** A field that filters may name. */
export interface FieldName {
  readonly name: string;
  /** What it is, in words. */
  readonly label: string;
  readonly type: string;
}

/** Names of fields and layers, sorted by name. */
export interface FilterNames {
  readonly fields: readonly FieldName[];
  readonly protocols: readonly FieldName[];
}

/** A word that may stand where the cursor is. */
export interface Proposal {
  /** What the typed part becomes. */
  readonly text: string;
  readonly kind: 'field' | 'protocol' | 'value' | 'operator' | 'macro';
  /** What it is, in words. */
  readonly detail: string;
  /** How often it was seen; 0: not known. */
  readonly count: number;
}

/** Proposals for the part of the text from `from` to `to`, the best first. */
export interface Completion {
  readonly from: number;
  readonly to: number;
  readonly proposals: readonly Proposal[];
}

const MOST = 50;
const NOTHING: readonly Proposal[] = [];

const OPERATORS: readonly (readonly [string, string])[] = [
  ['==', 'is'],
  ['!=', 'is not, in every place'],
  ['contains', 'holds this text or these octets'],
  ['matches', 'fits a regular expression'],
  ['in', 'is one of { , }'],
  ['>', 'greater'],
  ['<', 'less'],
  ['>=', 'at least'],
  ['<=', 'at most'],
];
const JOINS: readonly (readonly [string, string])[] = [
  ['and', 'both'],
  ['or', 'either'],
];

/** A word that is being typed: of a name, a number, an address. */
const WORD = /[\w.:$/-]*$/;
const FIELD_BEFORE_VALUE =
  /(?:^|[\s(!])([A-Za-z_][\w.-]*)\s*(?:===?|!==?|~=|>=|<=|>|<|eq|ne|gt|lt|ge|le|contains|matches|~|(?:not\s+)?in\s*\{[^}]*)\s*$/;

/** What could stand at the caret of a filter. `macros`: names of saved filters. */
export function complete(
  text: string,
  caret: number,
  names: FilterNames,
  seen: SeenValues,
  macros: readonly { readonly name: string; readonly filter: string }[] = [],
): Completion {
  const before = text.slice(0, caret);
  const quote = openQuote(before);
  if (quote >= 0) {
    const field = FIELD_BEFORE_VALUE.exec(before.slice(0, quote))?.[1];
    const typed = before.slice(quote + 1);
    return { from: quote, to: endOfQuoted(text, caret), proposals: valuesOf(field, typed, names, seen) };
  }
  const word = WORD.exec(before)![0];
  const from = caret - word.length;
  const head = before.slice(0, from);
  const to = caret + /^[\w.:/-]*/.exec(text.slice(caret))![0].length;
  const field = FIELD_BEFORE_VALUE.exec(head)?.[1];
  if (field !== undefined) return { from, to, proposals: valuesOf(field, word, names, seen) };
  const macro = /\$\{?$/.exec(head);
  if (macro !== null || word.startsWith('$'))
    return { from: macro === null ? from : from - macro[0].length, to, proposals: macrosOf(word, macros) };
  const after = wordsAfter(head, word, names);
  return { from, to, proposals: after ?? namesOf(word, names, seen) };
}

/** Where the quoted text begins that the caret stands in; -1: in none. */
function openQuote(before: string): number {
  let open = -1;
  for (let i = 0; i < before.length; i++) {
    if (before[i] === '\\' && open >= 0) i++;
    else if (before[i] === '"') open = open < 0 ? i : -1;
  }
  return open;
}

function endOfQuoted(text: string, caret: number): number {
  const end = text.indexOf('"', caret);
  return end < 0 ? caret : end + 1;
}

/** Operators behind a field, `and` and `or` behind a comparison; undefined: a name is to come. */
function wordsAfter(head: string, word: string, names: FilterNames): Proposal[] | undefined {
  const last = /(?:^|[\s(!])([^\s(!]+)\s+$/.exec(head)?.[1];
  if (last === undefined || /^(and|or|xor|not|&&|\|\||!)$/.test(last)) return undefined;
  const isField = find(names.fields, stripped(last)) !== undefined;
  const fits = ([w]: readonly [string, string]): boolean => w.startsWith(word);
  const asProposal = ([w, detail]: readonly [string, string]): Proposal => ({
    text: w,
    kind: 'operator',
    detail,
    count: 0,
  });
  const list = isField ? [...OPERATORS, ...JOINS] : JOINS;
  const found = list.filter(fits).map(asProposal);
  return found.length > 0 ? found : undefined;
}

const stripped = (name: string): string => name.replace(/^(inner|outer)\./, '').replace(/#.*$/, '');

/** An entry of a sorted list by name. */
function find(list: readonly FieldName[], name: string): FieldName | undefined {
  let [low, high] = [0, list.length];
  while (low < high) {
    const mid = (low + high) >>> 1;
    if (list[mid].name < name) low = mid + 1;
    else high = mid;
  }
  return list[low]?.name === name ? list[low] : undefined;
}

/**
 * How well a name fits what was typed, less is better: the beginning of the name, of its last word, of any word,
 * anywhere; letter case counts half a step.
 */
function fitness(name: string, typed: string): number {
  if (typed === '') return 1;
  if (name.startsWith(typed)) return name === typed ? 0 : 1;
  const n = name.toLowerCase();
  const t = typed.toLowerCase();
  const at = n.indexOf(t);
  if (at < 0) return Number.POSITIVE_INFINITY;
  if (at === 0) return 1.5;
  const lastWord = n.lastIndexOf('.') + 1;
  if (n.startsWith(t, lastWord)) return 2;
  return /[._-]/.test(n[at - 1]) ? 3 : 4;
}

interface Ranked {
  readonly proposal: Proposal;
  readonly fit: number;
}

const best = (list: Ranked[]): Proposal[] =>
  list
    .sort(
      (a, b) =>
        a.fit - b.fit ||
        b.proposal.count - a.proposal.count ||
        a.proposal.text.length - b.proposal.text.length ||
        (a.proposal.text < b.proposal.text ? -1 : 1),
    )
    .slice(0, MOST)
    .map((r) => r.proposal);

function namesOf(word: string, names: FilterNames, seen: SeenValues): readonly Proposal[] {
  const side = /^(?:inner|outer)\./.exec(word)?.[0] ?? '';
  const typed = word.slice(side.length);
  if (/^[\d:]/.test(typed)) return NOTHING;
  const layers = seen.get('');
  const found: Ranked[] = [];
  const add = (kind: 'field' | 'protocol', { name, label }: FieldName): void => {
    const fit = fitness(name, typed);
    if (fit === Number.POSITIVE_INFINITY) return;
    const known = kind === 'field' ? total(seen.get(name)) : 0;
    const count = known > 0 ? known : (layers?.get(name.split('.')[0]) ?? 0);
    // Of layers and their fields those that the capture has come before the others.
    found.push({ fit: fit + (count > 0 ? 0 : 0.25), proposal: { text: side + name, kind, detail: label, count } });
  };
  for (const p of names.protocols) add('protocol', p);
  if (typed !== '') for (const f of names.fields) add('field', f);
  return best(found);
}

const total = (values: ReadonlyMap<string, number> | undefined): number => {
  let n = 0;
  for (const count of values?.values() ?? []) n += count;
  return n;
};

/** Types whose values are written in quotes. */
const QUOTED = new Set(['string', 'text', 'protocol']);

function valuesOf(field: string | undefined, typed: string, names: FilterNames, seen: SeenValues): readonly Proposal[] {
  const name = field === undefined ? '' : stripped(field);
  const values = seen.get(name);
  if (name === '' || values === undefined) return NOTHING;
  const quoted = QUOTED.has(find(names.fields, name)?.type ?? 'string');
  const found: Ranked[] = [];
  for (const [value, count] of values) {
    const fit = fitness(value, typed);
    const text = quoted ? `"${value.replace(/[\\"]/g, '\\$&')}"` : value;
    if (fit !== Number.POSITIVE_INFINITY)
      found.push({ fit, proposal: { text, kind: 'value', detail: `seen ${times(count)}`, count } });
  }
  return best(found);
}

const macrosOf = (
  word: string,
  macros: readonly { readonly name: string; readonly filter: string }[],
): readonly Proposal[] =>
  macros
    .filter((m) => m.name.startsWith(word.replace(/^\$/, '')))
    .slice(0, MOST)
    .map((m) => ({ text: `\${${m.name}}`, kind: 'macro', detail: m.filter, count: 0 }));
