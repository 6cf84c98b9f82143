/**
 * A table that is asked with words of strangers, who may write `constructor` or `__proto__`: it has its own entries and
 * nothing that objects have of themselves.
 */
export const table = <T>(
  entries: Readonly<Record<string, T>> | readonly (readonly [string, T])[],
): Readonly<Record<string, T>> =>
  Object.assign(Object.create(null), Array.isArray(entries) ? Object.fromEntries(entries) : entries);
