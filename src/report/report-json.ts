import type { Moment } from '../model/moment.js';
import type { Series } from '../model/series.js';
import { decimalSeconds, isoTime } from './value.js';

/** Lists of a report, and what one of their entries is called in a stream of records. */
export const RECORDS = {
  tunnels: 'tunnel',
  addressing: 'addressing',
  registrations: 'registration',
  calls: 'call',
  messages: 'message',
  subscriptions: 'subscription',
  media: 'media',
  findings: 'finding',
} as const;
export type ListName = keyof typeof RECORDS;

/** Entries of these are written one by one, however many there are. */
const isList = (name: string): name is ListName => Object.hasOwn(RECORDS, name);

const isMoment = (v: object): v is Moment => 'seconds' in v && 'nanos' in v;

/** Durations are told to the microsecond, shares and factors to a thousandth. */
const rounded = (n: number): number => (Number.isInteger(n) ? n : Math.round(n * 1000) / 1000);

/** A value as JSON has it: moments as `{iso, epoch}`, absent members left out. */
function plain(value: unknown): unknown {
  if (typeof value === 'number') return rounded(value);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(plain);
  if (isMoment(value)) {
    const { seconds, nanos } = value;
    return { iso: isoTime(seconds, nanos), epoch: decimalSeconds(seconds, nanos) };
  }
  const out: Record<string, unknown> = {};
  for (const key in value) {
    const v = (value as Record<string, unknown>)[key];
    if (v !== undefined) out[key] = typeof v === 'string' ? v : plain(v);
  }
  return out;
}

/** Text that JSON has as it is. */
const SAFE = /^[ !#-[\]-~]*$/;
const quoted = (s: string): string => (SAFE.test(s) ? `"${s}"` : JSON.stringify(s));

/** What `JSON.stringify` makes of {@link plain}, at a third of the cost: a long report is mostly that. */
function compact(value: unknown): string {
  if (typeof value === 'string') return quoted(value);
  if (typeof value === 'number') return Number.isFinite(value) ? String(rounded(value)) : 'null';
  if (typeof value !== 'object' || value === null) return String(value);
  if (Array.isArray(value)) return list(value);
  if (isMoment(value)) {
    const { seconds, nanos } = value;
    return `{"iso":"${isoTime(seconds, nanos)}","epoch":"${decimalSeconds(seconds, nanos)}"}`;
  }
  let s = '';
  for (const key in value) {
    const v = (value as Record<string, unknown>)[key];
    if (v !== undefined) s += `${s === '' ? '{' : ','}${quoted(key)}:${compact(v)}`;
  }
  return s === '' ? '{}' : `${s}}`;
}

function list(values: readonly unknown[]): string {
  if (values.length === 0) return '[]';
  let s = `[${compact(values[0])}`;
  for (let i = 1; i < values.length; i++) s += `,${compact(values[i])}`;
  return `${s}]`;
}

/** An entry of a report as plain JSON values. */
export const jsonOf = (entry: object): object => plain(entry) as object;

/** The text of a report, piece by piece: members in the order in which they were put, entries of lists one a line. */
export function* reportJson(report: object): Generator<string> {
  let separator = '{\n';
  for (const [key, value] of Object.entries(report)) {
    if (value === undefined) continue;
    yield `${separator}${JSON.stringify(key)}: `;
    separator = ',\n';
    if (!isList(key) || (value as Series<unknown>).length === 0) {
      yield isList(key) ? '[]' : JSON.stringify(plain(value), null, 1);
      continue;
    }
    let before = '[\n';
    for (const entry of value as Series<unknown>) {
      yield before + compact(entry);
      before = ',\n';
    }
    yield '\n]';
  }
  yield '\n}\n';
}

/** The entries of these lists of a report, each as one JSON object a line, which says in `record` what it is. */
export function* reportRecords(
  report: Readonly<Record<string, unknown>>,
  lists: readonly ListName[],
): Generator<string> {
  for (const name of lists)
    for (const entry of report[name] as Series<object>) yield `${compact({ record: RECORDS[name], ...entry })}\n`;
}
