import type { Field } from '../kit/index.js';
import type { Literal } from './literal.js';
import type { ArithmeticOp, Quantifier, Range } from './parse.js';
import type { Pattern } from './regex.js';
import type { Kind } from './value.js';

/** A field name of the expression, resolved. */
export interface FieldRef {
  readonly name: string;
  readonly kind: Kind;
  readonly fields: readonly Field[];
  /** By field id: 1 for the fields of this name. */
  readonly wanted: Uint8Array;
  /** By field id: 1 for the layer that the fields belong to; its nodes count as layers. */
  readonly layer: Uint8Array;
  /** Layers that count, from 1 (`#2`, `#[1-2]`). */
  readonly layers?: readonly Range[];
  /** Only after the first envelope of the row, or only before it. */
  readonly side?: 'inner' | 'outer';
  /** By field id: 1 for the envelope. */
  readonly envelope: Uint8Array;
}

/** An operand after type checking: it gives any number of values of one kind. */
export type Term = { readonly kind: Kind } & (
  | {
      readonly op: 'field';
      readonly ref: FieldRef;
      /** The octets of a layer up to its end, not of its header alone. */
      readonly whole?: boolean;
    }
  | { readonly op: 'constant'; readonly literal: Literal }
  | { readonly op: 'slice'; readonly of: Term; readonly parts: readonly Range[] }
  | { readonly op: 'len' | 'count'; readonly ref: FieldRef }
  | { readonly op: 'upper' | 'lower' | 'abs' | 'negate' | 'text' | 'hex' | 'octets'; readonly of: Term }
  | { readonly op: 'label'; readonly ref: FieldRef }
  | { readonly op: 'max' | 'min'; readonly of: readonly Term[] }
  | { readonly op: 'arithmetic'; readonly symbol: ArithmeticOp; readonly left: Term; readonly right: Term }
);

/** Comparisons of values that have an order. */
export type OrderOp = '==' | '!=' | '>' | '<' | '>=' | '<=';

/** A test after type checking. */
export type Checked =
  | { readonly op: 'and' | 'or' | 'xor'; readonly left: Checked; readonly right: Checked }
  | { readonly op: 'not'; readonly of: Checked }
  /** A layer or field is there. */
  | { readonly op: 'exists'; readonly ref: FieldRef }
  /** A slice has a value. */
  | { readonly op: 'present'; readonly of: Term }
  /** A bit test leaves something. */
  | { readonly op: 'nonzero'; readonly of: Term }
  | {
      readonly op: 'compare';
      readonly order: OrderOp;
      readonly quantifier: Quantifier;
      readonly left: Term;
      readonly right: Term;
    }
  | { readonly op: 'contains'; readonly quantifier: Quantifier; readonly left: Term; readonly right: Term }
  | { readonly op: 'matches'; readonly quantifier: Quantifier; readonly left: Term; readonly pattern: Pattern }
  | {
      readonly op: 'in';
      readonly quantifier: Quantifier;
      readonly left: Term;
      readonly members: readonly (Term | readonly [Term, Term])[];
    };
