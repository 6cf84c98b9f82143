/** What networks and people write freely, where a report tells of it. */

import { STATUS as HTTP_STATUS } from '../../dissectors/http/fields.js';
import { STATUS_NAMES } from '../../dissectors/sip/status.js';
import { CATALOGUE } from '../model/catalogue.js';

/** In the place of what is left out. */
const GONE = '…';
/** What a proxy says to a CONNECT, mostly. */
const CONNECTED = 'connection established';
/** Why a subscription ended. RFC 6665 §4.1.3 */
const ENDS: ReadonlySet<string> = new Set(
  'deactivated probation rejected timeout giveup noresource invariant'.split(' '),
);
/** What a 380 asks for. TS 24.229 §7.6.2 */
const ALTERNATIVES: ReadonlySet<string> = new Set(
  'emergency restoration emergency-registration initial-registration anonymous-emergencycall'.split(' '),
);

/** Whether a reason phrase is the one that standards have for a status. */
export function isStandard(phrase: string, status: number): boolean {
  const said = phrase.toLowerCase();
  const known = [STATUS_NAMES[status], HTTP_STATUS[status], status === 200 ? CONNECTED : undefined];
  return said === '' || known.some((k) => k?.toLowerCase() === said);
}

/** The reason phrase of a response, or why a subscription ended. */
export const phraseOf = (s: string, status: number): string => (isStandard(s, status) || ENDS.has(s) ? s : GONE);

/**
 * Why a call failed, without what others wrote of it. The words of the project hold no parenthesis: all behind the first
 * is the status with its phrase, then what Reason and Warning say.
 */
export function failureOf(s: string): string {
  const m = /^([^(]*\()(\d{3})\b ?([\s\S]*)$/.exec(s);
  if (m === null) return s;
  const [, words, status, rest] = m;
  const phrase = STATUS_NAMES[Number(status)] ?? '';
  const shown = phrase === '' ? status : `${status} ${phrase}`;
  if (rest === `${phrase}).` || (phrase === '' && rest === ').')) return s;
  if (rest.startsWith(`${phrase}): `)) return `${words}${shown}): ${GONE}.`;
  return `${words}${status} ${GONE}).`;
}

/** What a finding means: its details in front of the words of the catalogue. */
export function meaningOf(s: string, code: string): string {
  const general = CATALOGUE[code]?.meaning ?? '';
  if (!code.startsWith('call.') || !s.endsWith(general)) return s;
  const own = s.slice(0, s.length - general.length);
  const again = /(?: It may be tried again after \d+ s\.)? ?$/.exec(own)![0];
  return failureOf(own.slice(0, own.length - again.length)) + again + general;
}

/** What the XML of a 380 holds. */
export const alternativeOf = (s: string): string => (ALTERNATIVES.has(s) ? s : GONE);

/** Behind these words of the project stands a name of a host, which may have one label. */
const BEFORE_HOST =
  /\b((?:asks for|asked the DNS for|Host is|server name is|certificate names|question for|question was for|name is|probe of) )(\S+?)(?=[.,]?(?:\s|$))/g;

/** The names of hosts in a sentence, changed. */
export const withHosts = (s: string, change: (host: string) => string): string =>
  s.replace(BEFORE_HOST, (_, before: string, host: string) => before + change(host));
