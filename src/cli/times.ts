import type { Row } from '../engine/row.js';
import { isBefore, type Moment } from '../model/moment.js';
import { Exit, UserError } from './errors.js';

/** Seconds and nanoseconds, since 1970 or since the first frame. */
interface Given extends Moment {
  readonly relative: boolean;
}

/** Whether a row lies between two times, both included. @throws UserError for what is no time */
export function timeTest(from: string | undefined, to: string | undefined): (row: Row) => boolean {
  const [low, high] = both(from, to);
  return (row) => (low === null || since(row, low) >= 0) && (high === null || since(row, high) <= 0);
}

/** What makes times out of both options, where the first frame came at `start`. @throws UserError for what is no time */
export function timesOf(
  from: string | undefined,
  to: string | undefined,
): (start: Moment) => { from: Moment | undefined; to: Moment | undefined } {
  const [low, high] = both(from, to);
  return (start) => ({ from: absolute(low, start), to: absolute(high, start) });
}

/** The same as a display filter; empty where neither is given. @throws UserError for what is no time */
export function timeFilter(from: string | undefined, to: string | undefined): string {
  const [low, high] = both(from, to);
  const test = (sign: string, given: Given | null): string[] => {
    if (given === null) return [];
    const seconds = `${given.seconds}.${String(given.nanos).padStart(9, '0')}`;
    return [`frame.time_${given.relative ? 'relative' : 'epoch'} ${sign} ${seconds}`];
  };
  return [...test('>=', low), ...test('<=', high)].join(' && ');
}

/** @throws UserError for what is no time, and for an end before the start */
function both(from: string | undefined, to: string | undefined): [low: Given | null, high: Given | null] {
  const low = from === undefined ? null : moment(from, '--from');
  const high = to === undefined ? null : moment(to, '--to');
  if (low !== null && high !== null && low.relative === high.relative && isBefore(high, low))
    throw new UserError(`--to ${to}: lies before --from ${from}`);
  return [low, high];
}

function absolute(given: Given | null, start: Moment): Moment | undefined {
  if (given === null) return undefined;
  const { seconds, nanos, relative } = given;
  const n = relative ? start.nanos + nanos : nanos;
  return { seconds: (relative ? start.seconds : 0) + seconds + Math.floor(n / 1e9), nanos: n % 1e9 };
}

/** Below, at or above 0: the row is earlier, at the moment, later. */
function since(row: Row, m: Given): number {
  const [seconds, nanos] = m.relative ? row.relative : [row.seconds, row.nanos];
  return seconds - m.seconds || nanos - m.nanos;
}

/** ISO 8601 (UTC unless it says otherwise), seconds since 1970, or +SECONDS from the first frame. */
function moment(text: string, option: string): Given {
  const plain = /^(\+?)(\d+)(?:\.(\d{1,9})\d*)?$/.exec(text);
  if (plain !== null) return { seconds: Number(plain[2]), nanos: nine(plain[3]), relative: plain[1] === '+' };
  const iso = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d)?)(?:\.(\d{1,9})\d*)?)? ?(Z|[+-]\d\d:?\d\d)?$/i.exec(text);
  const [, day, clock = '00:00', fraction, zone = 'Z'] = iso ?? [];
  const ms = Date.parse(`${day}T${clock}${zone}`);
  if (Number.isNaN(ms))
    throw new UserError(
      `${option} ${text}: not a time`,
      Exit.usage,
      'for example 2026-03-01T09:00:00Z, 1772355600.5, or +12.5 (seconds from the first frame)',
    );
  return { seconds: ms / 1000, nanos: nine(fraction), relative: false };
}

/** The digits behind a decimal point as nanoseconds. */
const nine = (digits = ''): number => Number(digits.padEnd(9, '0'));
