import type { Rows } from '../viewer/rows.js';
import { type Area, cellsOf } from './cells.js';
import type { Theme } from './style.js';

/** What is looked for: text, a /regular expression/, or octets in hex. */
export interface Wanted {
  readonly words: string;
  text(text: string): boolean;
  /** Where it stands in a text, and in octets. */
  inText(text: string): readonly Span[];
  inOctets(octets: Uint8Array): readonly Span[];
}

/** A place, and characters or octets. */
export interface Span {
  readonly at: number;
  readonly length: number;
}

/** Places in one text that are looked at. */
const MOST = 10_000;

/** Reads what somebody typed. @throws Error in words */
export function wantedOf(typed: string): Wanted {
  const hex = /^0x((?:[0-9a-f]{2}[ :]?)+)$/i.exec(typed);
  if (hex !== null) {
    const needle = Buffer.from(hex[1].replace(/[ :]/g, ''), 'hex');
    // Numbers of the lists and the tree are written like that, too: an SSRC.
    const written = typed.toLowerCase();
    return {
      words: typed,
      text: (t) => t.toLowerCase().includes(written),
      inText: (t) => spans(t.toLowerCase(), new RegExp(written, 'g')),
      inOctets: (o) => octetSpans(o, needle),
    };
  }
  const regex = /^\/(.+?)\/?$/.exec(typed);
  const pattern = new RegExp(regex === null ? typed.replace(/[.*+?^${}()|[\]\\]/g, '\\$&') : regex[1], 'i');
  const all = new RegExp(pattern.source, 'gi');
  // As a dump shows them, octets may be meant.
  const needle = /^[0-9a-f]{2}([ :][0-9a-f]{2})+$/i.test(typed) ? Buffer.from(typed.replace(/[ :]/g, ''), 'hex') : null;
  const inOctets = (o: Uint8Array): Span[] =>
    spans(Buffer.from(o.buffer, o.byteOffset, o.length).toString('latin1'), all);
  return {
    words: typed,
    text: (t) => pattern.test(t),
    inText: (t) => spans(t, all),
    inOctets: (o) =>
      needle === null ? inOctets(o) : [...octetSpans(o, needle), ...inOctets(o)].sort((a, b) => a.at - b.at),
  };
}

function spans(text: string, pattern: RegExp): Span[] {
  const out: Span[] = [];
  for (const m of text.matchAll(pattern)) {
    if (m[0] !== '') out.push({ at: m.index, length: m[0].length });
    if (out.length >= MOST) break;
  }
  return out;
}

function octetSpans(octets: Uint8Array, needle: Buffer): Span[] {
  const all = Buffer.from(octets.buffer, octets.byteOffset, octets.length);
  const out: Span[] = [];
  for (let at = all.indexOf(needle); at >= 0 && out.length < MOST; at = all.indexOf(needle, at + 1))
    out.push({ at, length: needle.length });
  return out;
}

/** Marks what was found in a text that begins at a cell. */
export function markFound(area: Area, x: number, y: number, text: string, look: FindLook): void {
  for (const { at, length } of look.found?.inText(text) ?? [])
    area.restyle(x + cellsOf(text.slice(0, at)), y, cellsOf(text.slice(at, at + length)), look.theme.found);
}

/** What is looked for, and how it looks where it is found. */
export interface FindLook {
  readonly theme: Theme;
  readonly found?: Wanted | undefined;
}

/** Whether what a list shows of a row has a text. */
export const rowHas = (rows: Rows, row: number, test: (text: string) => boolean): boolean =>
  test(rows.info(row)) ||
  test(rows.protocol(row)) ||
  test(rows.source(row)) ||
  test(rows.destination(row)) ||
  test(rows.id(row));

/** Rows looked at before others are let in. */
const SLICE = 5000;

/**
 * Looks along a list, from a place on in one direction, for a row that passes, and tells where; -1: there is none. What is
 * near is told at once; `goesOn` is asked between slices.
 */
export function seek(
  count: () => number,
  at: (i: number) => number,
  from: number,
  step: 1 | -1,
  test: (row: number) => boolean,
  goesOn: () => boolean,
  tell: (found: number) => void,
): void {
  let i = from;
  const slice = (): void => {
    for (let left = SLICE; left > 0 && i >= 0 && i < count(); left--, i += step)
      if (test(at(i))) {
        tell(i);
        return;
      }
    if (i < 0 || i >= count()) tell(-1);
    else setImmediate(() => goesOn() && slice());
  };
  slice();
}
