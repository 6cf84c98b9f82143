import type { Kind } from '../kit/index.js';

/**
 * What a string of a report holds: our own words (`ours`: sentences that are told, names that the code has), a word of a
 * list, one of the kinds that sentences quote, or something that has pseudonyms of its own. `secret` is left out altogether;
 * `phrase` is the reason phrase of the `status` beside it; `which` is what a tunnel was chosen by.
 */
export type Holds =
  | 'ours'
  | ReadonlySet<string>
  | Exclude<Kind, 'free'>
  | 'agent'
  | 'call'
  | 'codec'
  | 'instance'
  | 'phrase'
  | 'secret'
  | 'tag'
  | 'uid'
  | 'user'
  | 'which';

/** Under this a schema says what a string holds. It is not printed with the schema. */
export const HOLDS: unique symbol = Symbol('holds');

/** A JSON Schema. */
export type Schema = Readonly<Record<string, unknown>> & { readonly [HOLDS]?: Holds };
