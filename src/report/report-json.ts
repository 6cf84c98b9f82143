import type { Moment } from '../model/moment.js';
import { decimalSeconds, isoTime } from './value.js';

/** Members of a report whose entries are written one by one, however many there are. */
const LISTS: ReadonlySet<string> = new Set([
  'tunnels',
  'addressing',
  'registrations',
  'calls',
  'messages',
  'subscriptions',
  'media',
  'findings',
]);

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
  for (const [key, v] of Object.entries(value)) if (v !== undefined) out[key] = plain(v);
  return out;
}

const indented = (value: unknown, by: string): string =>
  JSON.stringify(plain(value), null, 2).replaceAll('\n', `\n${by}`);

/** The text of a report, piece by piece: an object whose members stand in the order in which they were put. */
export function* reportJson(report: object): Generator<string> {
  let separator = '{\n';
  for (const [key, value] of Object.entries(report)) {
    if (value === undefined) continue;
    yield `${separator}  ${JSON.stringify(key)}: `;
    separator = ',\n';
    if (!LISTS.has(key) || !Array.isArray(value) || value.length === 0) {
      yield indented(value, '  ');
      continue;
    }
    for (const [i, entry] of value.entries()) yield `${i === 0 ? '[\n    ' : ',\n    '}${indented(entry, '    ')}`;
    yield '\n  ]';
  }
  yield '\n}\n';
}
