import { twoDigits } from '../kit/index.js';
import type { Moment } from '../model/moment.js';
import type { Rows } from '../viewer/rows.js';

/** Forms of the time column, by the letters that tshark has for them. */
export const TIME_FORMATS = {
  r: { title: 'Time', words: 'seconds since the first frame', width: 11 },
  d: { title: 'Delta', words: 'seconds since the packet listed before', width: 11 },
  a: { title: 'Clock', words: 'time of day, here', width: 15 },
  ad: { title: 'Date and time', words: 'date and time, here', width: 26 },
  u: { title: 'UTC', words: 'time of day, UTC', width: 15 },
  ud: { title: 'Date and UTC', words: 'date and time, UTC', width: 26 },
  e: { title: 'Epoch', words: 'seconds since 1970', width: 20 },
} as const;
export type TimeFormat = keyof typeof TIME_FORMATS;

const micros = (nanos: number): string => String(Math.floor(nanos / 1000)).padStart(6, '0');

/** A time of day or a date, to the microsecond. */
export function clockText(m: Moment, utc: boolean, date: boolean): string {
  const d = new Date(m.seconds * 1000);
  const [h, min, s] = utc
    ? [d.getUTCHours(), d.getUTCMinutes(), d.getUTCSeconds()]
    : [d.getHours(), d.getMinutes(), d.getSeconds()];
  const time = `${twoDigits(h)}:${twoDigits(min)}:${twoDigits(s)}.${micros(m.nanos)}`;
  if (!date) return time;
  const [y, mon, day] = utc
    ? [d.getUTCFullYear(), d.getUTCMonth(), d.getUTCDate()]
    : [d.getFullYear(), d.getMonth(), d.getDate()];
  return `${y}-${twoDigits(mon + 1)}-${twoDigits(day)} ${time}`;
}

const moment = (rows: Rows, row: number): Moment => ({ seconds: rows.seconds(row), nanos: rows.nanos(row) });

/** Seconds from one time to another, to the microsecond. */
const between = (from: Moment, to: Moment): string =>
  (to.seconds - from.seconds + (to.nanos - from.nanos) / 1e9).toFixed(6);

/**
 * The time of a row in a form. `reference` is a row that time counts from instead of the first frame, `before` the row
 * listed before it; -1: none.
 */
export function timeText(rows: Rows, row: number, form: TimeFormat, reference: number, before: number): string {
  const m = moment(rows, row);
  switch (form) {
    case 'r':
      return between(reference < 0 ? { seconds: rows.start[0], nanos: rows.start[1] } : moment(rows, reference), m);
    case 'd':
      return before < 0 ? between(m, m) : between(moment(rows, before), m);
    case 'e':
      return `${m.seconds}.${String(m.nanos).padStart(9, '0')}`;
    default:
      return clockText(m, form.startsWith('u'), form.endsWith('d'));
  }
}
