import { isMoment } from './entry-writer.js';
import { HOLDS, type Holds, type Schema } from './holds.js';
import type { Pseudonyms } from './redact.js';

type Members = Readonly<Record<string, unknown>>;

/** A word that a schema lists, or of a form that it prescribes, tells nothing about anybody. */
function isFormal(s: string, { enum: words, const: word, pattern }: Schema): boolean {
  if (pattern !== undefined) return new RegExp(pattern as string).test(s);
  return s === word || (words as readonly unknown[] | undefined)?.includes(s) === true;
}

/**
 * A report with pseudonyms for whatever tells who and where somebody is, and without secrets. What its schema does not say
 * of a string is not told: members without a place in the schema are left out, as are strings of which it does not say what
 * they hold.
 */
export function redacted<T extends object>(report: T, schema: Schema, names: Pseudonyms): T {
  const defs = schema.$defs as Readonly<Record<string, Schema>>;

  const resolved = (s: Schema): Schema => {
    const to = s.$ref as string | undefined;
    return to === undefined ? s : defs[to.slice(to.lastIndexOf('/') + 1)];
  };

  const string = (v: string, s: Schema, beside: Members): string | undefined => {
    const holds: Holds | undefined = s[HOLDS];
    if (holds !== undefined) return names.string(v, holds, typeof beside.status === 'number' ? beside.status : 0);
    return isFormal(v, s) ? v : undefined;
  };

  const value = (v: unknown, declared: Schema, beside: Members): unknown => {
    if (typeof v !== 'object' || v === null) return typeof v === 'string' ? string(v, declared, beside) : v;
    if (isMoment(v)) return { seconds: v.seconds, nanos: v.nanos };
    const s = resolved(declared);
    if (Symbol.iterator in v) return listed(v as Iterable<unknown>, s.items as Schema, beside);
    const out: Record<string, unknown> = {};
    const properties = s.properties as Readonly<Record<string, Schema>> | undefined;
    for (const [name, member] of Object.entries(v)) {
      const own = properties?.[name] ?? (s.additionalProperties as Schema | false | undefined);
      const told = own ? value(member, own, v as Members) : undefined;
      if (told !== undefined) out[name] = told;
    }
    return out;
  };

  const listed = (list: Iterable<unknown>, items: Schema, beside: Members): unknown[] => {
    const out: unknown[] = [];
    for (const x of list) {
      const told = value(x, items, beside);
      if (told !== undefined) out.push(told);
    }
    return out;
  };

  return value(report, schema, {}) as T;
}
