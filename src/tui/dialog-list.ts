import { isChallenge } from '../../dissectors/sip/status.js';
import type {
  CallEntity,
  MediaEntity,
  MessageEntity,
  RegistrationEntity,
  SubscriptionEntity,
} from '../model/entities.js';
import type { Moment } from '../model/moment.js';
import { lossOf } from '../model/quality.js';
import { isCutOff } from '../model/tally.js';
import { subscriptionText } from '../report/ladder-flows.js';
import { cellsOf, clipMiddle } from './cells.js';
import type { Story } from './told.js';
import type { Scope } from './view.js';
import { capital, duration, userOf } from './words.js';

/** What of a report has a ladder: a line of the list of calls. */
export type Dialogue =
  | { readonly kind: 'call'; readonly entity: CallEntity; readonly media: readonly MediaEntity[] }
  | { readonly kind: 'registration'; readonly entity: RegistrationEntity }
  | { readonly kind: 'message'; readonly entity: MessageEntity }
  | { readonly kind: 'subscription'; readonly entity: SubscriptionEntity };

/** `call 2`. */
export const nameOf = (d: Dialogue): string => `${SHORT[d.kind]} ${d.entity.id}`;

/** The same in full, as a title: `Registration 2`. */
export const titleOf = (d: Dialogue): string => `${capital(d.kind)} ${d.entity.id}`;

const SHORT = { call: 'call', registration: 'reg', message: 'msg', subscription: 'sub' } as const;

/** All that a report tells of, calls first, in the order of time among each kind. */
export function dialoguesOf(story: Story): Dialogue[] {
  const streams = new Map(story.media.map((m) => [m.id, m]));
  return [
    ...story.calls.map((entity): Dialogue => {
      const media = entity.media.flatMap((id) => streams.get(id) ?? []);
      return { kind: 'call', entity, media };
    }),
    ...story.registrations.map((entity): Dialogue => ({ kind: 'registration', entity })),
    ...story.subscriptions.map((entity): Dialogue => ({ kind: 'subscription', entity })),
    ...story.messages.map((entity): Dialogue => ({ kind: 'message', entity })),
  ];
}

/** Numbers of the tunnels that a dialogue ran through; none where it ran in the clear. */
export const tunnelsOf = (d: Dialogue): readonly number[] =>
  d.kind === 'call' ? d.entity.tunnels : d.entity.tunnel === undefined ? [] : [d.entity.tunnel];

/** The tunnels that views about a dialogue are about: all of the capture where it ran in the clear. */
export function tunnelScope(d: Dialogue): Pick<Scope, 'tunnels'> {
  const tunnels = tunnelsOf(d);
  return tunnels.length > 0 ? { tunnels } : {};
}

/** What finds the media of calls; nothing where none of them has any. */
export function dialogScope(all: readonly Dialogue[]): Pick<Scope, 'dialogs'> {
  const calls = all.filter((d) => d.kind === 'call' && d.media.length > 0);
  if (calls.length === 0) return {};
  const tunnels = calls.map(tunnelsOf);
  // One that ran in the clear may be anywhere.
  const within = tunnels.some((t) => t.length === 0) ? {} : { tunnels: [...new Set(tunnels.flat())] };
  return { dialogs: { callIds: calls.map((d) => d.entity.callId), ...within } };
}

/** When a dialogue began. */
export const startOf = (d: Dialogue): Moment => d.entity.start;

/** `alice → bob`; with a width, each shortened so far that both can be told. */
export function partiesOf(d: Dialogue, width = 1000): string {
  if (d.kind === 'registration') return userOf(d.entity.aor);
  const [from, to] = [userOf(d.entity.fromUri), userOf(d.entity.toUri)];
  const room = width - cellsOf(' → ');
  const least = Math.floor(room / 2);
  const forTo = Math.max(least, room - cellsOf(from));
  return `${clipMiddle(from, Math.max(room - least, room - cellsOf(to)))} → ${clipMiddle(to, forTo)}`;
}

/** The state in capitals, as it stands in the list. */
export function stateOf(d: Dialogue): string {
  switch (d.kind) {
    case 'call':
      return isCutOff(d.entity) ? 'CUT OFF' : d.entity.state.toUpperCase();
    case 'registration':
      return d.entity.state.toUpperCase();
    default:
      return outcomeOf(d.entity.status);
  }
}

/** What a final status says of a request; one that is challenged is sent again, with credentials. RFC 3261 §22 */
function outcomeOf(status: number | undefined): string {
  if (status === undefined) return 'UNANSWERED';
  if (isChallenge(status)) return 'CHALLENGED';
  return status < 300 ? 'OK' : 'REFUSED';
}

/** Whether something went wrong. */
export function isBad(d: Dialogue): boolean {
  return /^(FAILED|CUT OFF|REFUSED|UNANSWERED)$/.test(stateOf(d));
}

/** Why it failed, shortest first: `503 Q.850 41 …`; or what else there is to know. */
export function whyOf(d: Dialogue): string {
  switch (d.kind) {
    case 'call': {
      const f = d.entity.failure;
      if (f === undefined) return d.entity.releasedBy === undefined ? '' : `ended by the ${d.entity.releasedBy}`;
      const q850 = f.q850 === undefined ? '' : `Q.850 ${f.q850} `;
      return `${f.status === undefined ? '' : `${f.status} `}${q850}${f.reason}`;
    }
    case 'registration': {
      const statuses = d.entity.transactions.map((t) => t.status ?? 'no answer').join(', ');
      return d.entity.expiresSeconds === undefined
        ? statuses
        : `${statuses}; for ${duration(d.entity.expiresSeconds * 1000)}`;
    }
    case 'message':
      return `MESSAGE ${d.entity.status ?? ''}`.trim();
    case 'subscription':
      return `${subscriptionText(d.entity)} ${d.entity.status ?? ''}`.trim();
  }
}

/** The worst of a call's streams: estimated quality and loss. */
export function mediaOf(d: Dialogue): { mos?: number; lost?: number } {
  if (d.kind !== 'call' || d.media.length === 0) return {};
  const mos = d.media.flatMap((m) => (m.mos === undefined ? [] : [m.mos.value]));
  return { lost: Math.max(...d.media.map((m) => lossOf(m).percent)), ...(mos.length > 0 && { mos: Math.min(...mos) }) };
}

/** What tells a dialogue from others beside what the list shows of it: its Call-ID, and who takes part, in full. */
export const wordsOf = ({ kind, entity }: Dialogue): string =>
  `${entity.callId} ${kind === 'registration' ? `${entity.aor} ${entity.contact}` : `${entity.fromUri} ${entity.toUri}`}`;

/** Rows of the messages of a dialogue, in order, as people write them. */
export function rowsOf(d: Dialogue): string[] {
  switch (d.kind) {
    case 'call':
      return d.entity.messages.map((m) => m.row);
    case 'registration':
      return d.entity.transactions.flatMap((t) => [t.row, ...(t.responseRow === undefined ? [] : [t.responseRow])]);
    default:
      return [...d.entity.rows];
  }
}
