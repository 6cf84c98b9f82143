import { hostAndPortText, isoSecond, twoDigits } from '../kit/index.js';
import type { Place } from '../model/entities.js';
import { type Moment, millis } from '../model/moment.js';

/** Numbers, times and names as the screens say them: short, with units. */

/** `0.4 ms`, `45 ms`, `3.2 s`, `1:12`, `2:03:00`. */
export function duration(ms: number): string {
  if (ms < 0) return `-${duration(-ms)}`;
  if (ms < 10) return `${trimmed(ms, 1)} ms`;
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return `${trimmed(ms / 1000, ms < 9995 ? 2 : 1)} s`;
  const s = Math.round(ms / 1000);
  if (s < 3600) return `${Math.floor(s / 60)}:${twoDigits(s % 60)}`;
  if (s < 172_800) return `${Math.floor(s / 3600)}:${twoDigits(Math.floor(s / 60) % 60)}:${twoDigits(s % 60)}`;
  return `${Math.round(s / 86_400)} days`;
}

/** What is wrong with a filter, and what to write instead. */
export function filterErrorText({ message, suggestion }: { message: string; suggestion?: string | undefined }): string {
  if (suggestion === undefined) return message;
  return `${message}${/[.?!]$/.test(message) ? '' : '.'} ${suggestion}`;
}

/** A number with at most so many places and no zeros at its end. */
export const trimmed = (n: number, places: number): string => String(Number(n.toFixed(places)));

/** `512 B`, `23 kB`, `1.5 MB`. */
export function octets(n: number): string {
  if (n < 1000) return `${Math.round(n)} B`;
  for (const unit of ['kB', 'MB', 'GB']) {
    n /= 1000;
    if (n < 999.5) return `${trimmed(n, n < 9.95 ? 1 : 0)} ${unit}`;
  }
  return `${trimmed(n / 1000, 1)} TB`;
}

/** `1,234,567`. */
export const count = (n: number): string => n.toLocaleString('en');

/** A number of thousands or more in a few cells: `112k`, `3M`. */
export const brief = (n: number): string => (n < 1e6 ? `${Math.floor(n / 1e3)}k` : `${Math.floor(n / 1e6)}M`);

/** `1 packet`, `3 packets`. */
export const plural = (n: number, word: string, many = `${word}s`): string => `${count(n)} ${n === 1 ? word : many}`;

/** `192.0.2.1:443`, `[2001:db8::1]:443`. */
export const placeText = ({ address, port }: Place): string => hostAndPortText(address, port);

/** The part of a URI that names somebody: `alice` of `sip:alice@ims.example`, `+15550100` of `tel:+15550100`. */
export function userOf(uri: string): string {
  const m = /^<?(?:sips?|tel):([^>]*)/i.exec(uri);
  if (m === null) return uri;
  const [user, host] = m[1].split(/[;?]/, 1)[0].split('@', 2);
  return user === '' ? (host ?? '') : user;
}

/** Time of day in UTC, with milliseconds. */
export function clock({ seconds, nanos }: Moment): string {
  return `${isoSecond(seconds).slice(-8)}.${String(Math.floor(nanos / 1e6)).padStart(3, '0')}`;
}

/** Date and time in UTC, to the second. */
export function dateTime({ seconds }: Moment): string {
  return `${isoSecond(seconds).replace('T', ' ')} UTC`;
}

/** Seconds since a start, with three places: `1.380`. */
export const since = (start: Moment, at: Moment): string => (millis(start, at) / 1000).toFixed(3);

/** Of lines those that begin something: the others are set in by blanks. */
export const headsOf = (lines: readonly string[]): number[] =>
  lines.flatMap((line, i) => (line.startsWith(' ') ? [] : [i]));

/** With a capital, as titles of dialogs begin. */
export const capital = (s: string): string => s.slice(0, 1).toUpperCase() + s.slice(1);
