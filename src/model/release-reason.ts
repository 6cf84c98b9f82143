import { Header } from '../../dissectors/sip/index.js';
import { joined, oneOf, quoted, type Words, words } from '../kit/index.js';
import { parameterOf, type SipEvent } from './sip-event.js';
import { REASONS } from './standard-words.js';

/** Why a call was ended, as BYE or CANCEL says. RFC 3326 */
export interface Release {
  readonly reason: Words;
  /** Cause of ITU-T Q.850. */
  readonly q850: number | undefined;
  /** It is none of those for which people end calls. */
  readonly isFailure: boolean;
}

/** Reasons that are told one by one. */
const MOST = 8;
/** One reason of a list, with its parameters, some of them in quotes. */
const ONE = /([\w.%*+`'~!-]+)((?:\s*;\s*[\w-]+(?:\s*=\s*(?:"(?:[^"\\]|\\.)*"|[^;,\s"]*))?)*)/g;

/** Clearing, busy, no answer, rejected, answered elsewhere. ITU-T Q.850 §2.2.7 */
const USUAL_Q850: ReadonlySet<number> = new Set([16, 17, 18, 19, 21, 26, 31]);
const USUAL_SIP: ReadonlySet<number> = new Set([200, 302, 480, 486, 487, 600, 603]);
/** `User ends call`. TS 24.229 §7.2A.18.11 */
const USER_ENDS = 1;
/** Nobody took up: ITU-T Q.850 `recovery on timer expiry`, and SIP 408. */
const RUNG_OUT = { q850: 102, sip: 408 } as const;

function isFailure(protocol: string, cause: number, rings: boolean): boolean {
  switch (protocol) {
    case 'q.850':
      return !USUAL_Q850.has(cause) && !(rings && cause === RUNG_OUT.q850);
    case 'sip':
      return cause >= 400 && !USUAL_SIP.has(cause) && !(rings && cause === RUNG_OUT.sip);
    case 'release_cause':
      return cause !== USER_ENDS;
    case 'failure_cause':
    case 'preemption': // RFC 4411
      return true;
    default:
      return false;
  }
}

/** What a BYE or CANCEL says of why; undefined where that is nothing. */
export function releaseOf(e: SipEvent): Release | undefined {
  const list = e
    .texts(Header.Reason)
    .flatMap((value) => [...value.matchAll(ONE)])
    .flatMap(([, protocol, parameters]) => {
      const cause = Number(parameterOf(parameters, 'cause') ?? Number.NaN);
      return Number.isInteger(cause) ? [{ protocol, cause, text: parameterOf(parameters, 'text') ?? '' }] : [];
    });
  if (list.length === 0) return undefined;
  const told = list.slice(0, MOST).map(({ protocol, cause, text }) => {
    const said = text === '' ? '' : words`: ${quoted('free', text)}`;
    return words`${oneOf(protocol, REASONS)} ${cause}${said}`;
  });
  const more = list.length > MOST ? words` and ${list.length - MOST} more` : '';
  const rings = e.method === 'CANCEL';
  return {
    reason: words`${joined(told, '; ')}${more}.`,
    q850: list.find((r) => r.protocol.toLowerCase() === 'q.850')?.cause,
    isFailure: list.some((r) => isFailure(r.protocol.toLowerCase(), r.cause, rings)),
  };
}
