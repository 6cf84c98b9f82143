/** What a JSON Schema says about a value: the words that the schema of the report uses, and no others. */

type Schema = Readonly<Record<string, unknown>>;

const KNOWN: ReadonlySet<string> = new Set([
  '$schema',
  '$id',
  '$defs',
  '$ref',
  'title',
  'description',
  'type',
  'properties',
  'required',
  'additionalProperties',
  'propertyNames',
  'items',
  'enum',
  'const',
  'pattern',
  'minimum',
  'maxItems',
]);

const typeOf = (v: unknown): string =>
  v === null ? 'null' : Array.isArray(v) ? 'array' : Number.isInteger(v) ? 'integer' : typeof v;

/** Where a value does not follow the schema; empty if it does. @throws Error for a word that is not known here */
export function violations(value: unknown, schema: Schema, root: Schema = schema, path = '$'): string[] {
  for (const word of Object.keys(schema)) if (!KNOWN.has(word)) throw new Error(`unknown word ${word} at ${path}`);
  const { $ref } = schema as { $ref?: string };
  if ($ref !== undefined) {
    const defs = root.$defs as Record<string, Schema>;
    return violations(value, defs[$ref.replace('#/$defs/', '')], root, path);
  }
  const type = typeOf(value);
  const wanted = schema.type;
  if (wanted !== undefined && wanted !== type && !(wanted === 'number' && type === 'integer'))
    return [`${path} is ${type}, not ${wanted}`];
  const out: string[] = [];
  if (schema.const !== undefined && schema.const !== value) out.push(`${path} is not ${schema.const}`);
  if (Array.isArray(schema.enum) && !schema.enum.includes(value)) out.push(`${path}: ${value} is none of the values`);
  if (typeof schema.pattern === 'string' && !new RegExp(schema.pattern, 'u').test(String(value)))
    out.push(`${path}: ${value} does not match`);
  if (typeof schema.minimum === 'number' && (value as number) < schema.minimum) out.push(`${path} is too small`);
  if (Array.isArray(value)) {
    if (typeof schema.maxItems === 'number' && value.length > schema.maxItems) out.push(`${path} is too long`);
    const items = schema.items as Schema | undefined;
    if (items !== undefined)
      for (const [i, v] of value.entries()) out.push(...violations(v, items, root, `${path}[${i}]`));
  } else if (type === 'object') out.push(...members(value as Record<string, unknown>, schema, root, path));
  return out;
}

function members(value: Record<string, unknown>, schema: Schema, root: Schema, path: string): string[] {
  const out: string[] = [];
  const properties = (schema.properties ?? {}) as Record<string, Schema>;
  for (const name of (schema.required ?? []) as string[]) if (!(name in value)) out.push(`${path}.${name} is missing`);
  for (const [name, v] of Object.entries(value)) {
    if (properties[name] !== undefined) out.push(...violations(v, properties[name], root, `${path}.${name}`));
    else if (schema.additionalProperties === false) out.push(`${path}.${name} is not in the schema`);
    else if (typeof schema.additionalProperties === 'object')
      out.push(...violations(v, schema.additionalProperties as Schema, root, `${path}.${name}`));
    const names = schema.propertyNames as Schema | undefined;
    if (names !== undefined) out.push(...violations(name, names, root, `${path}.${name} (name)`));
  }
  return out;
}
