import { RP_CAUSES } from '../../dissectors/sms/values.js';
import { append, counted, grouped, hostAndPortText, isoSecond } from '../kit/index.js';
import type { LimitReached } from '../limits.js';
import type { Cadence } from '../model/cadence.js';
import type {
  CallEntity,
  FindingEntity,
  GapEntry,
  MediaEntity,
  MessageEntity,
  RegistrationEntity,
  TunnelEntity,
} from '../model/entities.js';
import { type Moment, millis } from '../model/moment.js';
import { lossOf } from '../model/quality.js';
import { isCutOff } from '../model/tally.js';
import type { CaptureFileEntry, Report } from './report.js';
import type { Lists } from './report-select.js';
import type { States } from './report-summary.js';
import { isoTime } from './value.js';

/** How reports for people say numbers, times and places. Nothing here is escaped. */

/** A number with one decimal at most, its unit behind it; '' for none. */
export const number = (n: number | undefined, unit = ''): string =>
  n === undefined ? '' : `${Math.round(n * 10) / 10}${unit}`;

/** How long something took, to the millisecond; nothing where it is not known. */
export const delay = (ms: number | undefined): string => number(ms === undefined ? undefined : Math.round(ms), ' ms');

/** Time of day, in UTC, to the millisecond. */
export const clock = (m: Moment | undefined): string =>
  m === undefined ? '' : isoTime(m.seconds, m.nanos).slice(-19, -7);

/** Date and time in UTC, to the second. */
export const date = (m: Moment): string => `${isoSecond(m.seconds)}Z`;

/** `192.0.2.1:443`, `[2001:db8::1]:443`. */
export const place = (p: { readonly address: string; readonly port: number }): string =>
  hostAndPortText(p.address, p.port);

/** The address by which the UE of a tunnel is known best: one that others reach it by, IPv4 before IPv6. */
export const innerAddress = ({ addresses }: TunnelEntity): string | undefined =>
  addresses.find((a) => !a.includes(':')) ?? addresses.find((a) => !a.startsWith('fe80:')) ?? addresses[0];

/** `once`, `3 times`. */
export const times = (n: number): string => (n === 1 ? 'once' : `${n} times`);

/** What a stream is coded with: `AMR-WB`, `type 96`. */
export const codecOf = (m: MediaEntity): string => m.codec ?? `type ${m.payloadType}`;

/** `3 (1.2 %)`, `3 (1.2 %), 40 skipped`: packets of a stream that were lost. */
export function lostText(m: MediaEntity): string {
  const { lost, percent } = lossOf(m);
  return `${lost} (${number(percent, ' %')})${m.skipped === undefined ? '' : `, ${m.skipped} skipped`}`;
}

/** What stands below streams of which some have {@link MediaEntity.skipped}. */
export const SKIPPED =
  'Skipped: numbers that are missing where the session had no such medium for a while, as on hold or during a fax. They were hardly sent, and do not count as lost.';

/** `limit reached: stalls (256), 44 times`. */
export const limitWords = ({ name, cap, hit }: LimitReached): string =>
  `limit reached: ${name} (${cap}), ${times(hit)}`;

/** `the limit stalls (256) was reached 44 times`: said while a capture is read. */
export const limitSentence = ({ name, cap, hit }: LimitReached): string =>
  `the limit ${name} (${cap}) was reached ${times(hit)}`;

/** How a registration stands: `registered (emergency)`, `registered (goes on as 2)`. */
export const registrationWords = (r: RegistrationEntity): string =>
  `${r.state}${r.emergency ? ' (emergency)' : ''}${r.continuedBy === undefined ? '' : ` (goes on as ${r.continuedBy})`}`;

/** What a message is: `RP-DATA 7`, `RP-ERROR 7: Memory capacity exceeded`, or the type of what it carries. */
export function messageWords({ sms, contentType }: MessageEntity): string {
  if (sms === undefined) return contentType ?? '';
  const { rp, reference, cause } = sms;
  return `${rp} ${reference}${cause === undefined ? '' : `: ${RP_CAUSES[cause] ?? `cause ${cause}`}`}`;
}

/** What stands behind the first `shown` of a list that has more: `… and 3 more`. */
export const moreWords = (length: number, shown: number): string =>
  length > shown ? `… and ${length - shown} more` : '';

/** From what is told most closely of to what it is part of. */
const INNERMOST_FIRST: readonly FindingEntity['refs'][0]['kind'][] = [
  'media',
  'call',
  'registration',
  'tunnel',
  'file',
];

/** What a finding is about, in the order in which people read it everywhere: `media 2, call 1, tunnel 1`. */
export const aboutOf = ({ refs }: FindingEntity): FindingEntity['refs'] =>
  [...refs].sort((a, b) => INNERMOST_FIRST.indexOf(a.kind) - INNERMOST_FIRST.indexOf(b.kind));

/** `possible, call 2, tunnel 1, 3 times from row 12, 13`. */
export function where(f: FindingEntity): string {
  const rows = f.rows.slice(0, 5).join(', ');
  return [
    ...(f.confidence === 'certain' ? [] : [f.confidence]),
    ...aboutOf(f).map((r) => `${r.kind} ${r.id}`),
    `${times(f.count)}${rows === '' ? '' : ` from row ${rows}`}`,
  ].join(', ');
}

/** `TLSv1.3, decrypted: full`, `TLSv1.2, decrypted: up full, down none`. */
export function tlsWords({ tls }: TunnelEntity): string {
  if (tls === undefined) return '';
  const { up, down } = tls.decryption;
  const version = tls.version ?? 'TLS';
  if (up.records + down.records === 0) return `${version}, nothing to decrypt`;
  const how = up.verdict === down.verdict ? `${up.verdict}` : `up ${up.verdict}, down ${down.verdict}`;
  return `${version}, decrypted: ${how}`;
}

/** `failed: TCP was refused.`, `established. DHCP was not answered.`: what of a tunnel worked, and what did not. */
export const stateWords = ({ state, failure }: TunnelEntity): string =>
  failure === undefined ? state : `${state}${state === 'failed' ? ':' : '.'} ${failure.cause}`;

/** Whether a call failed, or its tunnel took it with it. */
export const isBad = (c: CallEntity): boolean => c.state === 'failed' || isCutOff(c);

/** `ended`, `established, cut off`, `failed (emergency)`. */
export const callWords = (c: CallEntity): string =>
  `${c.state}${isCutOff(c) ? ', cut off' : ''}${c.emergency ? ' (emergency)' : ''}`;

/** `close_notify by ue`, `still open`; what was only inferred says so. */
export function releaseWords({ release: r, state }: TunnelEntity): string {
  if (r.how === 'capture-end') return state === 'failed' ? '' : 'still open';
  const by = r.by === 'unknown' ? '' : ` by ${r.by}`;
  return `${r.how}${by}${r.basis === 'inferred' ? ' (inferred)' : ''}`;
}

/** `about 1 segment (232 B) missing from UE: record 5 lost, resumed at 6`: a gap as far as it is known. */
export function gapWords(g: GapEntry): string {
  const { octets, estimatedSegments: segments, firstRecord: first, resumedRecord: next } = g;
  const size = `${octets} B`;
  const what = segments === undefined ? size : `about ${counted(segments, 'segment')} (${size})`;
  const missing = `${what} missing ${g.direction === 'up' ? 'from' : 'to'} UE`;
  if (first === undefined) return missing;
  if (next === undefined) return `${missing}: record ${first} and what came after lost`;
  const records = next - first > 1 ? `records ${first} to ${next - 1}` : `record ${first}`;
  return `${missing}: ${records} lost, resumed at ${next}`;
}

/** `484 frames, from 2026-03-01T09:00:00Z, 11.3 s`. */
export function fileWords(f: CaptureFileEntry): string {
  const from = f.start === undefined ? '' : `, from ${date(f.start)}`;
  const span = f.start !== undefined && f.end !== undefined ? `, ${number(millis(f.start, f.end) / 1000, ' s')}` : '';
  return `${counted(f.frames, 'frame')}${from}${span}`;
}

/** `2 tunnels: 1 established, 1 failed`; a call that its tunnel took with it is told as that. */
function statesWords(name: string, { byState, cutOff = 0 }: States): string {
  const told: Readonly<Record<string, number>> =
    cutOff === 0 ? byState : { ...byState, established: byState.established - cutOff, 'cut off': cutOff };
  const states = Object.entries(told).filter(([, n]) => n > 0);
  const total = states.reduce((n, [, k]) => n + k, 0);
  const list = states.map(([s, n]) => `${n} ${s}`).join(', ');
  return `${counted(total, name)}${list === '' ? '' : `: ${list}`}`;
}

/** How tunnels, registrations and calls stand, a line each. */
export const stateLines = ({ summary: { tunnels, registrations, calls } }: Report): string[] => [
  statesWords('tunnel', tunnels),
  statesWords('registration', registrations),
  statesWords('call', calls),
];

/** `118 frames with records up, 115 down; 50 and 51 a second, all of one size, for 1.5 s: looks like a voice call (inferred)`. */
export function cadenceWords({ up, down, steady: s }: Cadence): string {
  const frames = `${up} frames with records up, ${down} down`;
  if (s === undefined) return frames;
  const { upPerSecond: a, downPerSecond: b } = s;
  const pace = a === b ? `${a} a second each way` : `${a} and ${b} a second`;
  return `${frames}; ${pace}, all of one size, for ${s.durationMs / 1000} s: looks like a voice call (inferred)`;
}

/** Reasons for which what ran in a tunnel is not all known. */
const UNREAD: ReadonlySet<string> = new Set(['tls.no-keys', 'tls.partial-keys', 'tls.wrong-key']);

/** `what ran in 1 tunnel of 3 was not read, or not in full`, below the numbers of what did; '' where all was read. */
export function unreadWords({ findings, tunnels }: Report): string {
  const unread = new Set(findings.flatMap((f) => (UNREAD.has(f.code) ? f.refs.map((r) => r.id) : [])));
  return unread.size === 0
    ? ''
    : `what ran in ${counted(unread.size, 'tunnel')} of ${tunnels.length} was not read, or not in full`;
}

/** Notes of one code that say the same, and what all of them are about. */
export function alike(notes: readonly FindingEntity[]): { readonly note: FindingEntity; readonly about: string }[] {
  const groups = grouped(notes, (f) => `${f.code} ${f.meaning}`);
  return [...groups.values()].map((all) => {
    const ids = new Map<string, number[]>();
    for (const { refs } of all) if (refs.length > 0) append(ids, refs[0].kind, refs[0].id);
    const about = [...ids].map(([kind, list]) => `${kind} ${list.slice(0, MOST_ALIKE).join(', ')}${more(list.length)}`);
    return { note: all[0], about: about.join('; ') };
  });
}
/** Things that one line of notes names. */
const MOST_ALIKE = 10;
const more = (length: number): string => (length > MOST_ALIKE ? ` ${moreWords(length, MOST_ALIKE)}` : '');

/** What is said where nothing is worse than a note: no more than the capture can show. */
export function cleanWords(told: Lists, notes: readonly FindingEntity[]): string {
  const { tunnels, registrations, calls, messages, subscriptions, media } = told;
  if ([tunnels, registrations, calls, messages, subscriptions, media, notes].every((list) => list.length === 0))
    return 'There is nothing to judge: no tunnel was found, and no SIP or media outside of one.';
  if (notes.some((f) => f.kind === 'capture'))
    return 'Nothing is wrong as far as this capture shows; the notes say what it does not.';
  return notes.length === 0 ? 'Nothing is wrong.' : 'Nothing is worse than a note.';
}
