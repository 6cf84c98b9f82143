import type { Registry } from '../../engine/registry.js';
import type { Row } from '../../engine/row.js';
import type { Filter } from '../../filter/index.js';
import type { Field, Tree } from '../../kit/index.js';

/** How a statistic is to be printed. */
export interface StatText {
  /** Cells of a line, for what can be fitted. */
  readonly width: number;
  readonly unicode: boolean;
}

/** What is counted over the rows of a capture, for `-z`. */
export interface Statistic {
  /** As it was asked for. */
  readonly asked: string;
  /** Fields that the rows must have. */
  readonly fields: readonly Field[];
  readonly experts?: boolean;
  /** Whether the Info column is read. */
  readonly info?: boolean;
  readonly analyseTcp?: boolean;
  take(row: Row): void;
  /** In tshark's layout where tshark has the statistic. */
  text(o: StatText): string;
  /** The same as a plain value for JSON. */
  json(): object;
}

/** The words of a `-z` behind its name, and what compiles filters. */
export interface StatContext {
  readonly asked: string;
  readonly registry: Registry;
  /** @throws FilterError for one that makes no sense */
  filter(text: string): Filter;
}

/** An argument of `-z` that makes no sense, with what would. */
export class StatError extends Error {
  constructor(
    message: string,
    readonly hint?: string,
  ) {
    super(message);
  }
}

/** Octets that a row counts for: those of the inner packet, or of the frame. */
export const octetsOf = (row: Row): number => (row.inner > 0 ? row.packetLength : row.frameLength);

/** Index of the first node that counts: an inner row begins behind the envelope that carried it. */
export function firstNode(row: Row, t: Tree): number {
  if (row.inner === 0) return 0;
  for (let i = 0; i < t.length; i++) if (t.depth(i) === 0 && t.field(i).name === 'fttims') return i;
  return 0;
}

/** The fields with these names. */
export const named = (registry: Registry, ...names: string[]): Field[] => names.flatMap((n) => [...registry.byName(n)]);

/** A filter that may be absent, and the text behind it. */
export interface Selector {
  readonly text: string;
  readonly fields: readonly Field[];
  matches(row: Row): boolean;
}

/** What a trailing filter of a `-z` selects; everything where it is empty. */
export function selector(cx: StatContext, text: string): Selector {
  if (text.trim() === '') return { text: '', fields: [], matches: () => true };
  const f = cx.filter(text);
  return { text, fields: f.fields, matches: (row) => f.matches(row.dissection) };
}

/** The lines above and below tables, as wide as tshark draws them. */
export const RULE = '='.repeat(67);
export const WIDE_RULE = '='.repeat(80);
