import type { Rows } from '../viewer/rows.js';

/** What is looked for: text, a /regular expression/, or 0x and octets. */
export interface Wanted {
  readonly words: string;
  text(text: string): boolean;
  /** Offset of the first place from `from` on; -1: none. */
  octets(octets: Uint8Array, from: number): number;
}

/** Reads what somebody typed. @throws Error in words */
export function wantedOf(typed: string): Wanted {
  const hex = /^0x((?:[0-9a-f]{2}[ :]?)+)$/i.exec(typed);
  if (hex !== null) {
    const needle = Buffer.from(hex[1].replace(/[ :]/g, ''), 'hex');
    return {
      words: typed,
      text: () => false,
      octets: (o, from) => Buffer.from(o.buffer, o.byteOffset, o.length).indexOf(needle, from),
    };
  }
  const regex = /^\/(.+?)\/?$/.exec(typed);
  const pattern = new RegExp(regex === null ? typed.replace(/[.*+?^${}()|[\]\\]/g, '\\$&') : regex[1], 'i');
  return {
    words: typed,
    text: (t) => pattern.test(t),
    octets: (o, from) => {
      const at = Buffer.from(o.buffer, o.byteOffset, o.length).toString('latin1').slice(from).search(pattern);
      return at < 0 ? -1 : from + at;
    },
  };
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
 * Looks along a list, from a place on in one direction, for a row that passes; -1: there is none, or it was given up.
 * `goesOn` is asked between slices.
 */
export async function seek(
  count: () => number,
  at: (i: number) => number,
  from: number,
  step: 1 | -1,
  test: (row: number) => boolean,
  goesOn: () => boolean,
): Promise<number> {
  let left = SLICE;
  for (let i = from; i >= 0 && i < count(); i += step) {
    if (test(at(i))) return i;
    if (--left > 0) continue;
    left = SLICE;
    await new Promise((resolve) => setImmediate(resolve));
    if (!goesOn()) return -1;
  }
  return -1;
}
