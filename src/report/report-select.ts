import type {
  AddressingEntity,
  CallEntity,
  FindingEntity,
  MediaEntity,
  MessageEntity,
  RegistrationEntity,
  SubscriptionEntity,
  TunnelEntity,
} from '../model/entities.js';
import { isBefore, type Moment } from '../model/moment.js';
import type { Series } from '../model/series.js';
import { userTest } from './user.js';

/** The lists of a report. */
export interface Lists {
  readonly tunnels: readonly TunnelEntity[];
  readonly addressing: readonly AddressingEntity[];
  readonly registrations: readonly RegistrationEntity[];
  readonly calls: Series<CallEntity>;
  readonly messages: readonly MessageEntity[];
  readonly subscriptions: readonly SubscriptionEntity[];
  readonly media: Series<MediaEntity>;
  readonly findings: Series<FindingEntity>;
}

/** What a report is to tell of; all of it where nothing is said. */
export interface Choice {
  /** Numbers of tunnels. */
  readonly tunnels?: ReadonlySet<number> | undefined;
  /** URI or number of a user. */
  readonly user?: string | undefined;
  readonly callId?: string | undefined;
  /** What was over before, and what began after, is left out. */
  readonly from?: Moment | undefined;
  readonly to?: Moment | undefined;
}

/** What of the lists belongs to what was chosen. Numbers stay what they are in the whole. */
export function chosen(all: Lists, choice: Choice): Lists {
  const { tunnels: meant, user, callId, from, to } = choice;
  if ([meant, user, callId, from, to].every((x) => x === undefined)) return all;
  /** Whether something that lasted so long lies in the time; without an end it goes on. */
  const during = (start: Moment, end?: Moment): boolean =>
    (to === undefined || !isBefore(to, start)) && (from === undefined || end === undefined || !isBefore(end, from));
  const isUser = user === undefined ? undefined : userTest(user);
  const isWanted = (...uris: readonly (string | undefined)[]): boolean =>
    isUser === undefined || uris.some((u) => u !== undefined && isUser(u));
  const here = new Set(
    all.tunnels.filter((t) => during(t.opened, t.closed) && meant?.has(t.id) !== false).map((t) => t.id),
  );
  const inside = (id: number | undefined): boolean => meant === undefined || (id !== undefined && here.has(id));
  const dialog = (e: { tunnel?: number; callId: string; fromUri: string; toUri: string }): boolean =>
    inside(e.tunnel) && isWanted(e.fromUri, e.toUri) && (callId === undefined || e.callId === callId);
  const registrations = all.registrations.filter(
    (r) =>
      during(r.start, r.end) &&
      inside(r.tunnel) &&
      isWanted(r.aor, r.contact) &&
      (callId === undefined || r.callId === callId),
  );
  const calls = all.calls.filter(
    (c) =>
      during(c.start, c.end) &&
      (meant === undefined || c.tunnels.some((t) => here.has(t))) &&
      isWanted(c.fromUri, c.toUri) &&
      (callId === undefined || c.callId === callId),
  );
  const told = new Set([...calls.flatMap((c) => c.tunnels), ...registrations.flatMap((r) => r.tunnel ?? [])]);
  const tunnels = all.tunnels.filter(
    (t) =>
      here.has(t.id) &&
      (told.has(t.id) || (callId === undefined && isWanted(...(t.subscriber?.impu ?? []), t.subscriber?.impi))),
  );
  const kept = new Set(tunnels.map((t) => t.id));
  const ids = new Set(calls.map((c) => c.id));
  const alone = isUser === undefined && callId === undefined;
  const media = all.media.filter(
    (m) => during(m.start, m.end) && (m.call === undefined ? alone && inside(m.tunnel) : ids.has(m.call)),
  );
  return {
    tunnels,
    addressing: all.addressing.filter((a) => kept.has(a.tunnel)),
    registrations,
    calls,
    messages: all.messages.filter((m) => during(m.start, m.start) && dialog(m)),
    subscriptions: all.subscriptions.filter((x) => during(x.start) && dialog(x)),
    media,
    findings: about(
      all.findings.filter((f) => during(f.first, f.last)),
      {
        tunnel: kept,
        call: ids,
        registration: new Set(registrations.map((r) => r.id)),
        media: new Set(media.map((m) => m.id)),
      },
    ),
  };
}

/** Findings whose first reference is kept. */
const about = (
  findings: Series<FindingEntity>,
  kept: Readonly<Record<'tunnel' | 'call' | 'registration' | 'media', ReadonlySet<number>>>,
): FindingEntity[] =>
  findings.filter(({ refs: [r] }) => r !== undefined && r.kind !== 'file' && kept[r.kind].has(r.id));
