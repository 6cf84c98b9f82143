/** Display filters: Wireshark 4's language on one dissected row, compiled to closures. */
import type { Field } from '../kit/index.js';
import { type LimitReached, ReachedLimits } from '../limits.js';
import { type FieldCatalogue, Names, type RowView } from './catalogue.js';
import { Checker } from './check.js';
import { parse } from './parse.js';
import { compileTest } from './run.js';

export type { FieldCatalogue, RowView } from './catalogue.js';
export { FilterError } from './error.js';
export { type References, references } from './references.js';

/** A compiled filter. */
export interface Filter {
  readonly text: string;
  /** Fields that must be kept in the tree ({@link Tree.wants}) for {@link matches} to be right. */
  readonly fields: readonly Field[];
  /** Layers that the expression speaks of. */
  readonly protocols: readonly string[];
  /** Sentences for a person about what the expression may not mean. */
  readonly hints: readonly string[];
  /** The caps that were reached so far. */
  readonly limits: readonly LimitReached[];
  matches(row: RowView): boolean;
}

/** When rows are asked: as they are read, or when all is known of them. */
export type When = 'as read' | 'at the end';

/** Compiles a display filter; an empty one matches every row. @throws FilterError */
export function compile(text: string, catalogue: FieldCatalogue, when: When = 'as read'): Filter {
  const test = parse(text);
  if (test === undefined) return { text, fields: [], protocols: [], hints: [], limits: [], matches: () => true };
  const names = new Names(catalogue, when === 'at the end');
  const checker = new Checker(names, text);
  const reached = new ReachedLimits();
  const matches = compileTest(checker.test(test), reached);
  return {
    text,
    fields: [...names.fields.values()],
    protocols: [...names.protocols],
    hints: checker.hints,
    get limits() {
      return reached.limits;
    },
    matches: names.hasColumn ? (row) => row.withColumns?.(() => matches(row)) ?? matches(row) : matches,
  };
}
