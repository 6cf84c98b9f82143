import type { Field, Tree } from '../kit/index.js';
import { type FieldCatalogue, Names } from './catalogue.js';
import { FilterError } from './error.js';
import { parse, type Test } from './parse.js';
import { someNode } from './run.js';
import type { FieldRef } from './term.js';

/** Fields whose values are shown: `sip.Method or sip.Status-Code`, `ip.src#2`, `inner.ip.src`. */
export interface References {
  /** Fields that must be kept in the tree. */
  readonly fields: readonly Field[];
  /** Calls `take` with each node that one of the names means: those of the first name first. */
  each(tree: Tree, take: (node: number) => void): void;
}

/** Reads names of fields as a column has them, parted by `or`. @throws FilterError */
export function references(text: string, catalogue: FieldCatalogue): References {
  const names = new Names(catalogue, true);
  const test = parse(text);
  if (test === undefined) throw new FilterError('A field is needed.', text, 0, 0);
  const refs = refsOf(test, names, text);
  return {
    fields: [...names.fields.values()],
    each: (tree, take) => {
      for (const some of refs) some(tree, take);
    },
  };
}

type Each = (tree: Tree, take: (node: number) => void) => void;

function refsOf(t: Test, names: Names, text: string): Each[] {
  if (t.kind === 'or') return [...refsOf(t.left, names, text), ...refsOf(t.right, names, text)];
  if (t.kind !== 'truth' || t.of.kind !== 'word' || t.of.raw)
    throw new FilterError('A column shows fields: a name, or several with "or" between.', text, 0, text.length);
  const { name, layers, at } = t.of;
  return [eachNode(names.resolve(name, layers, text, at))];
}

function eachNode(ref: FieldRef): Each {
  return (tree, take) => {
    someNode(ref, (_, i) => {
      take(i);
      return false;
    })(tree);
  };
}
