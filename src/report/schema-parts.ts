/** Words of the schema of a report: what strings hold, objects that are closed, references. */

import * as Standard from '../model/standard-words.js';
import { HOLDS, type Holds, type Schema } from './holds.js';

/** A string, by what it holds. */
export const text = (holds: Holds): Schema => ({ type: 'string', [HOLDS]: holds });
/** Kinds of values, by what a text of each holds: what `--redact` replaces follows from it. */
export const OURS = text('ours');
export const HOST = text('host');
export const URI = text('uri');
export const CALL = text('call');
export const TAG = text('tag');
export const METHOD = text(Standard.METHODS);
export const CODEC = text('codec');
export const PHRASE = text('phrase');
export const ADDRESS = text('address');
export const NUMBER: Schema = { type: 'number' };
export const COUNT: Schema = { type: 'integer', minimum: 0 };
export const INTEGER: Schema = { type: 'integer' };
export const BOOLEAN: Schema = { type: 'boolean' };
export const MS: Schema = { type: 'number', description: 'milliseconds' };
export const ROW: Schema = { type: 'string', pattern: '^([0-9]+:)?[0-9]+(\\.[0-9]+)?$' };
export const HEX: Schema = { type: 'string', pattern: '^[0-9a-f]*$' };
export const SECRET: Schema = { ...HEX, [HOLDS]: 'secret' };

/** An array. */
export const list = (items: Schema): Schema => ({ type: 'array', items });
/** One of these values. */
export const of = (...values: readonly (string | number | boolean)[]): Schema => ({ enum: values });
/** An object whose members have any names. */
export const map = (values: Schema, keys = '.*'): Schema => ({
  type: 'object',
  propertyNames: { pattern: keys },
  additionalProperties: values,
});
/** A closed object. Members with a `?` behind their name may be absent. */
export function object(members: Readonly<Record<string, Schema>>): Schema {
  const names = Object.keys(members);
  return {
    type: 'object',
    properties: Object.fromEntries(names.map((n) => [n.replace('?', ''), members[n]])),
    required: names.filter((n) => !n.endsWith('?')),
    additionalProperties: false,
  };
}
/** An object of a list of the report: it has a number in it, and a name that other captures have for it, too. */
export const entity = (members: Readonly<Record<string, Schema>>): Schema =>
  object({ id: { type: 'integer', minimum: 1 }, uid: { ...text('uid'), pattern: '^[0-9a-f]{16}$' }, ...members });
/** What `$defs` has under a name. */
export const ref = (name: string): Schema => ({ $ref: `#/$defs/${name}` });

/** What several members refer to. */
export const TIME = ref('time');
export const PLACE = ref('place');
export const DIRECTION = of('up', 'down');
export const SEVERITY = of('note', 'warn', 'error');

/** By stack of protocols. */
export const protocols = map(object({ rows: COUNT, bytes: COUNT }));
/** Of a number that was measured many times. */
export const spread = object({ min: NUMBER, mean: NUMBER, max: NUMBER });
