import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';

type Schema = Readonly<Record<string, unknown>>;

const compiled = new WeakMap<Schema, ValidateFunction>();

/** Where a value does not follow a JSON Schema of draft 2020-12; empty if it does. */
export function violations(value: unknown, schema: Schema): string[] {
  let validate = compiled.get(schema);
  if (validate === undefined) {
    validate = new Ajv2020({ strict: true, allErrors: true }).compile(schema);
    compiled.set(schema, validate);
  }
  if (validate(value)) return [];
  return validate.errors!.map((e) => `${e.instancePath} ${e.message} ${JSON.stringify(e.params)}`);
}
