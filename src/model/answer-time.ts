import { type Own, ofNumber, ours, type Told, type Words, words } from '../kit/index.js';
import type { Remark } from './findings.js';
import { type Moment, millis } from './moment.js';

/**
 * Timers B, F and H of RFC 3261 (§17.1.1.2, §17.1.2.2, §17.2.1), and that of a 2xx without ACK (§13.3.1.4): 64 times a T1 of
 * 0.5 s. So long is waited at least.
 */
export const ANSWER_MS = 32_000;
/** The same with the T1 of 2 s that UE and P-CSCF have between them. TS 24.229 table 7.7.1 */
export const IMS_ANSWER_MS = 128_000;
/** What another way, or a mirror, brings once more comes sooner. */
export const COPY_MS = 1000;
/** Timers emerg-reg and emerg-request: so long a UE waits at most, before it tries another access. TS 24.229 table 7.8.1 */
export const EMERGENCY = { registerMs: 20_000, inviteMs: 15_000 } as const;
/** Who gives up sooner did not wait for an answer: the first segment is sent again after a second. RFC 6298 §2 (2.1) */
export const HASTY_MS = 1000;
/** What is sent again within this has a T1 of 0.5 s. */
const LONG_T1_MS = 1000;

/** How long an answer is waited for. @param againMs after which the request was sent again, 0 where it was not */
export const patience = (againMs: number): number => (againMs > 0 && againMs < LONG_T1_MS ? ANSWER_MS : IMS_ANSWER_MS);

/**
 * What is to be added where no answer came from `at` to `end`, the end of what could be heard: it may have come later,
 * until nobody waited any more.
 * @param detail what else there is to say
 */
export function awaited(at: Moment, end: Moment, againMs: number, detail: Words | Told | '' = ''): Remark {
  const ms = millis(at, end);
  const most = patience(againMs);
  if (ms >= most) return detail === '' ? {} : { detail };
  const told = ours`What could be heard ends after ${Math.round(ms / 1000)} s; an answer is waited for up to ${most / 1000} s in IMS.`;
  return { confidence: 'likely', detail: detail === '' ? told : words`${detail} ${told}` };
}

/** Short times to a tenth of a second. */
export const inSeconds = (ms: number): Own => ofNumber(ms / 1000, (s) => s.toFixed(s < 10 ? 1 : 0));
