import { Header, headerId } from '../../dissectors/sip/index.js';
import { joined, ofNumber, oneOf, quoted, type Words, words } from '../kit/index.js';
import { parameterOf, type SipEvent } from './sip-event.js';
import { isStandard, MEDIA_TYPES, OPTION_TAGS } from './standard-words.js';

const WARNING = headerId('Warning');

/** Headers in which responses name what they take, do not know, or demand: RFC 3261 §21.4.13, §21.4.15, §21.4.16. */
const NAMING: Readonly<Record<number, { readonly header: number; readonly verb: string }>> = {
  415: { header: headerId('Accept'), verb: 'takes' },
  420: { header: headerId('Unsupported'), verb: 'does not know' },
  421: { header: headerId('Require'), verb: 'demands' },
};
const NAMED: ReadonlySet<string> = new Set([...OPTION_TAGS, ...MEDIA_TYPES]);
/** What OpenSER and its heirs write into Warning: where they saw the message, and not why it is refused. */
const NOISE = /^Noisy feedback tells:/;

/** The Warning of a response, where it says why. RFC 3261 §20.43 */
export function warningOf(e: SipEvent): string | undefined {
  const value = e.text(WARNING);
  if (value === undefined) return undefined;
  const text = /"([^"]*)"/.exec(value)?.[1] ?? value;
  return NOISE.test(text) ? undefined : text;
}

/** What a response says of why it refuses, in the Reason headers (RFC 3326) and the Warning; '': nothing. */
export function textsOf(reason: readonly string[], warning: string | undefined): Words | '' {
  const texts = new Set([
    ...reason.flatMap((r) => parameterOf(r, 'text') ?? []),
    ...(warning === undefined ? [] : [warning]),
  ]);
  texts.delete('');
  const free = [...texts].map((t) => quoted('free', t));
  return free.length === 0 ? '' : words`: ${joined(free, '; ')}`;
}

/** What a response names, as it says it itself. */
export const namesOf = (e: SipEvent): string | undefined =>
  NAMING[e.status] === undefined ? undefined : e.text(NAMING[e.status].header);

/** What it names, in a sentence. */
export function namedBy(status: number, named: string | undefined): Words | '' {
  if (named === undefined || NAMING[status] === undefined) return '';
  const all = named.split(',').map((t) => oneOf(t.trim(), NAMED));
  return words` It ${ofNumber(status, (n) => NAMING[n].verb)} ${joined(all, ', ')}.`;
}

/** The status of a response that refuses, and what it says beside that: the end of one sentence, and maybe another. */
export function refusalOf(e: SipEvent): Words {
  const { status } = e;
  const phrase = e.reason.trimEnd();
  const own = isStandard(phrase, status) ? status : words`${status} ${quoted('free', phrase)}`;
  return words`${own}${textsOf(e.texts(Header.Reason), warningOf(e))}.${namedBy(status, namesOf(e))}`;
}
