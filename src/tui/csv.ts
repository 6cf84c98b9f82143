import type { Column } from './table.js';

/** What a spreadsheet would take for a formula, unless it is a number, or the dash of what is not known. */
const FORMULA = /^[=@\t\r]|^[+-](?!\d[\d\s.]*$)(?!$)/;

/** A field of RFC 4180. What a stranger wrote never becomes a formula of who opens the file. */
export function csvField(text: string): string {
  const safe = FORMULA.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** Rows as CSV, RFC 4180, the names of the columns first. Columns that only hold a sign are left out. */
export function csvOf<T>(columns: readonly Column<T>[], items: readonly T[]): string {
  const shown = columns.filter((c) => c.title.trim() !== '');
  const lines = [shown.map((c) => c.id), ...items.map((i) => shown.map((c) => c.text(i).trim()))];
  return lines.map((l) => `${l.map(csvField).join(',')}\r\n`).join('');
}
