import type { Moment } from '../model/moment.js';
import { MadeSeries, type Series } from '../model/series.js';
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
export type ListName = keyof typeof RECORDS;

/** Entries of these are written one by one, however many there are. */
const isList = (name: string): name is ListName => Object.hasOwn(RECORDS, name);

const OPEN = 123;
const CLOSE = 125;
const OPEN_LIST = 91;
const CLOSE_LIST = 93;
const COMMA = 44;
const COLON = 58;

const isMoment = (v: object): v is Moment => 'seconds' in v && 'nanos' in v;

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

/** Writes what `JSON.stringify` makes of {@link plain}, at a fraction of the cost: a long report is mostly that. */
function write(out: TextBytes, value: unknown): void {
  if (typeof value === 'string') out.string(value);
  else if (typeof value === 'number') out.number(rounded(value));
  else if (typeof value !== 'object' || value === null) out.ascii(String(value));
  else if (Array.isArray(value)) {
    out.octet(OPEN_LIST);
    for (let i = 0; i < value.length; i++) {
      if (i > 0) out.octet(COMMA);
      write(out, value[i]);
    }
    out.octet(CLOSE_LIST);
  } else if (isMoment(value)) writeMoment(out, value);
  else if (value instanceof MadeSeries) writeSeries(out, value);
  else writeMembers(out, value);
}

function writeMembers(out: TextBytes, value: object): void {
  let before = OPEN;
  for (const key in value) {
    const v = (value as Record<string, unknown>)[key];
    if (v === undefined) continue;
    out.octet(before);
    before = COMMA;
    out.string(key);
    out.octet(COLON);
    write(out, v);
  }
  if (before === OPEN) out.octet(OPEN);
  out.octet(CLOSE);
}

function writeSeries(out: TextBytes, list: Iterable<unknown>): void {
  let before = OPEN_LIST;
  for (const value of list) {
    out.octet(before);
    before = COMMA;
    write(out, value);
  }
  if (before === OPEN_LIST) out.octet(OPEN_LIST);
  out.octet(CLOSE_LIST);
}

function writeMoment(out: TextBytes, { seconds, nanos }: Moment): void {
  out.ascii('{"iso":"');
  out.ascii(isoTime(seconds, nanos));
  out.ascii('","epoch":"');
  out.ascii(decimalSeconds(seconds, nanos));
  out.ascii('"}');
}

/** The text of an entry, on one line. */
export function entryText(entry: object): string {
  scratch.reset();
  write(scratch, entry);
  return scratch.text;
}
const scratch = new TextBytes();

/** The texts of entries in order; those that wait as texts are not taken apart. */
function* texts(list: Series<unknown>): Generator<string> {
  if (list instanceof MadeSeries) yield* list.texts((entry) => entryText(entry as object));
  else for (const entry of list) yield entryText(entry as object);
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
    for (const text of texts(value as Series<unknown>)) {
      yield before;
      yield text;
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
    for (const entry of report[name] as Series<object>) yield `${entryText({ record: RECORDS[name], ...entry })}\n`;
}
