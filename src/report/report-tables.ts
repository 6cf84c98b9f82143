import type { CallEntity, MediaEntity, MessageEntity, RegistrationEntity } from '../model/entities.js';
import {
  callWords,
  clock,
  codecOf,
  delay,
  isBad,
  lostText,
  messageWords,
  number,
  place,
  registrationWords,
} from './report-words.js';

/** A column of a table that every report for people has. */
export interface Column<T> {
  readonly head: string;
  readonly text: (entry: T) => string;
  /** It holds what others wrote, which each language of pages escapes in its own way. */
  readonly isTheirs?: boolean;
  /** Only for pages that are wide enough. */
  readonly isWide?: boolean;
  /** Whether it tells of something that went wrong: pages with colours show it. */
  readonly isBad?: (entry: T) => boolean;
  /** The part of the page that it leads to: `call-2`. */
  readonly target?: (entry: T) => string;
}

/** Registrations as the report for people lists them. */
export const REGISTRATION_COLUMNS: readonly Column<RegistrationEntity>[] = [
  { head: '', text: (r) => String(r.id) },
  { head: 'user', text: (r) => r.aor, isTheirs: true },
  { head: 'state', text: registrationWords },
  { head: 'answers', text: (r) => r.transactions.map((t) => t.status ?? 'none').join(', ') },
  { head: 'expires', text: (r) => number(r.expiresSeconds, ' s') },
  { head: 'at', text: (r) => clock(r.start) },
];

/** Calls, likewise; each is a link to its ladder. */
export const CALL_COLUMNS: readonly Column<CallEntity>[] = [
  { head: '', text: (c) => String(c.id), target: (c) => `call-${c.id}` },
  { head: 'from', text: (c) => c.fromUri, isTheirs: true },
  { head: 'to', text: (c) => c.toUri, isTheirs: true },
  { head: 'state', text: callWords, isBad },
  { head: 'first sign after', text: (c) => delay(c.pddMs) },
  { head: 'answered after', text: (c) => delay(c.setupMs) },
  { head: 'lasted', text: (c) => number(c.durationMs === undefined ? undefined : c.durationMs / 1000, ' s') },
  { head: 'at', text: (c) => clock(c.start) },
  { head: 'why', text: (c) => c.failure?.reason ?? c.release?.reason ?? '', isTheirs: true },
];

/** Messages, likewise. */
export const MESSAGE_COLUMNS: readonly Column<MessageEntity>[] = [
  { head: '', text: (m) => String(m.id) },
  { head: 'from', text: (m) => m.fromUri, isTheirs: true },
  { head: 'to', text: (m) => m.toUri, isTheirs: true },
  { head: 'what', text: messageWords, isTheirs: true },
  { head: 'answer', text: (m) => String(m.status ?? 'none') },
  { head: 'at', text: (m) => clock(m.start) },
];

/** Streams of media, likewise. */
export const MEDIA_COLUMNS: readonly Column<MediaEntity>[] = [
  { head: '', text: (m) => String(m.id) },
  { head: 'call', text: (m) => String(m.call ?? '') },
  { head: 'from', text: (m) => place(m.source) },
  { head: 'to', text: (m) => place(m.destination) },
  { head: 'codec', text: codecOf, isTheirs: true },
  { head: 'packets', text: (m) => String(m.packets) },
  { head: 'lost', text: lostText },
  { head: 'jitter', text: (m) => number(m.jitterMs?.mean, ' ms') },
  { head: 'worst jitter', text: (m) => number(m.jitterMs?.max, ' ms'), isWide: true },
  { head: 'longest burst', text: (m) => String(m.bursts.longest), isWide: true },
  { head: 'MOS (estimate)', text: (m) => number(m.mos?.value) },
];
