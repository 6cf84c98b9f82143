import { MadeSeries, type Series } from '../model/series.js';
import { EntryWriter, isMoment } from './entry-writer.js';
import type { Report } from './report.js';
import { TextBytes } from './text-bytes.js';
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
/** A list of the report: what `--records` takes. */
export type ListName = keyof typeof RECORDS;

/** Entries of these are written one by one, however many there are. */
const isList = (name: string): name is ListName => Object.hasOwn(RECORDS, name);

const LF = 10;

/** Durations are told to the microsecond, shares and factors to a thousandth. */
const rounded = (n: number): number => (Number.isInteger(n) ? n : Math.round(n * 1000) / 1000);

/** A value as JSON has it: moments as `{iso, epoch}`, absent members left out. */
function plain(value: unknown): unknown {
  if (typeof value === 'number') return rounded(value);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value) || value instanceof MadeSeries) return value.map(plain);
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

/** An entry of a report as plain JSON values. */
export const jsonOf = (entry: object): object => plain(entry) as object;

/**
 * Writes a report: members in the order in which they were put, entries of lists one a line. After each piece it waits
 * for what was written to be taken.
 */
export function* writeReport(out: TextBytes, report: object): Generator<void> {
  const entries = new EntryWriter(out);
  let separator = '{\n';
  for (const [key, value] of Object.entries(report)) {
    if (value === undefined) continue;
    out.any(`${separator}${JSON.stringify(key)}: `);
    separator = ',\n';
    if (!isList(key) || (value as Series<unknown>).length === 0) {
      out.any(isList(key) ? '[]' : JSON.stringify(plain(value), null, 1));
      continue;
    }
    yield* writeList(entries, value as Series<object>);
  }
  out.any('\n}\n');
  yield;
}

/** Entries that wait as they are to be written are not taken apart. */
function* writeList(entries: EntryWriter, list: Series<object>): Generator<void> {
  const { out } = entries;
  let before = '[\n';
  const next = (): void => {
    out.ascii(before);
    before = ',\n';
  };
  if (list instanceof MadeSeries) {
    for (let i = 0; i < list.length; i++) {
      next();
      if (!list.tell(i, out)) entries.write(list.at(i));
      yield;
    }
  } else
    for (const entry of list) {
      next();
      entries.write(entry);
      yield;
    }
  out.ascii('\n]');
}

/** The text of a report, piece by piece. */
export function* reportJson(report: object): Generator<string> {
  const out = new TextBytes();
  for (const _ of writeReport(out, report)) {
    yield out.text;
    out.reset();
  }
}

/** Writes the entries of these lists of a report, each as one JSON object a line, which says in `record` what it is. */
export function* writeRecords(
  out: TextBytes,
  report: Pick<Report, ListName>,
  lists: readonly ListName[],
): Generator<void> {
  const entries = new EntryWriter(out);
  for (const name of lists)
    for (const entry of report[name]) {
      entries.write({ record: RECORDS[name], ...entry });
      out.octet(LF);
      yield;
    }
}
