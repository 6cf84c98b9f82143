import { hex, type Own, ours, parseAddress, quoted, tenths, type Words, words } from '../kit/index.js';
import type { Call } from './call.js';
import type { DhcpTransaction } from './dhcp-transaction.js';
import type { TunnelEntity } from './entities.js';
import type { Findings, Ref } from './findings.js';
import { tunnelRef } from './judge-tunnel.js';
import { isBefore, later, type Moment, millis, type Seen } from './moment.js';
import type { Registration } from './registration.js';
import type { Inside } from './session-model.js';

/** Calls that one finding names. */
const MOST_CALLS = 8;

/** An address that a UE had used is no longer its own. */
interface Loss {
  readonly at: Seen;
  readonly before: string;
  /** What it has instead; '' where nothing followed. */
  readonly after: string;
  /** The server refused to prolong it. */
  readonly refused: boolean;
}

/** Judges whether the server took an IPv4 address from a UE that used it (RFC 2131 §4.4.5), and what was on then. */
export function judgeReaddressing(
  t: TunnelEntity,
  { addressing, sources }: Inside,
  calls: readonly Call[],
  registrations: readonly Registration[],
  findings: Findings,
): void {
  const isUsed = (address: string, before?: Seen): boolean => {
    const b = parseAddress(address);
    const first = b === undefined ? undefined : sources.first.get(hex(b, 0, b.length, ''));
    return first !== undefined && (before === undefined || isBefore(first, before));
  };
  for (const loss of lossesOf(addressing.dhcp.exchanges)) {
    const { at, before, after } = loss;
    if (!isUsed(before, at)) continue;
    // A server may not: the UE asked for more time for its own.
    const isKept = after !== '' && !loss.refused && !isUsed(after);
    const left = isKept ? [] : calls.filter((c) => isOn(c, at) && !isMoved(c, after));
    const wasServed = registrations.some((r) => r.registered !== null && isBefore(r.start, at));
    const isAnew = registrations.some((r) => r.registered !== null && isBefore(at, r.registered));
    const isStale = wasServed && !isKept && (after === '' || !isAnew);
    findings.raise('dhcp.address-lost', at, [tunnelRef(t), ...refsOf(left)], {
      detail: words`${told(loss)}${isKept ? ' The UE does not use that.' : ''}${caught(left, at)}${isStale ? ' It did not register anew.' : ''}`,
      severity: left.length > 0 ? 'error' : isStale || isKept ? 'warn' : 'note',
    });
  }
}

const FOR_EVER = 0xffffffff;

/** A lease that was not renewed in time. */
interface Lapse {
  readonly since: Seen;
  readonly seconds: number;
  /** When it was renewed all the same; or the end of what could be heard. */
  readonly until: Moment;
  readonly renewed: boolean;
}

/**
 * Judges whether a lease ran out while the tunnel was up, and what was on then. RFC 2131 §4.4.5
 * @param end until when anything of the tunnel could be heard
 */
export function judgeLeases(
  t: TunnelEntity,
  { addressing }: Inside,
  calls: readonly Call[],
  end: Moment,
  findings: Findings,
): void {
  const lapse = lapsesOf(addressing.dhcp.exchanges, end)[0];
  if (lapse === undefined) return;
  const { since, seconds, until, renewed } = lapse;
  const over = later(since, seconds);
  const on = calls.filter((c) => isOn(c, over));
  const beyond = Math.round(millis(over, until) / 1000);
  const then = renewed ? ours`it was renewed ${beyond} s after that` : ours`the tunnel went on ${beyond} s longer`;
  findings.raise('dhcp.lease-expired', since, [tunnelRef(t), ...refsOf(on)], {
    detail: ours`It was for ${seconds} s, and ${then}.${on.length === 0 ? '' : ours` Call ${on[0].id} was on then.`}`,
    lasted: { from: since, to: until, leastMs: seconds * 1000 },
  });
}

/** The leases that ran out, of each client of its own. */
function lapsesOf(exchanges: readonly DhcpTransaction[], end: Moment): Lapse[] {
  const held = new Map<string, { readonly since: Seen; readonly seconds: number }>();
  const lapses: Lapse[] = [];
  const until = (chaddr: string, at: Moment, renewed: boolean): void => {
    const lease = held.get(chaddr);
    held.delete(chaddr);
    if (lease !== undefined && lease.seconds !== FOR_EVER && isBefore(later(lease.since, lease.seconds), at))
      lapses.push({ ...lease, until: at, renewed });
  };
  for (const e of exchanges) {
    const { chaddr, outcome, leaseSeconds } = e.entry;
    const { acknowledged } = e;
    const refusal = e.seen(e.facts.refusal);
    if (outcome === 'released' || outcome === 'declined') held.delete(chaddr);
    else if (refusal !== null) until(chaddr, refusal, false);
    else if (acknowledged !== null && leaseSeconds !== undefined) {
      until(chaddr, acknowledged, true);
      held.set(chaddr, { since: acknowledged, seconds: leaseSeconds });
    }
  }
  for (const chaddr of [...held.keys()]) until(chaddr, end, false);
  return lapses;
}

const refsOf = (calls: readonly Call[]): Ref[] =>
  calls.slice(0, MOST_CALLS).map(({ id }): Ref => ({ kind: 'call', id }));

/** Whether a call was up at a time, and whether it was told of another address of the UE. */
const isOn = (c: Call, at: Moment): boolean =>
  c.answer !== null && isBefore(c.answer, at) && (c.end === null || isBefore(at, c.end));
const isMoved = (c: Call, to: string): boolean =>
  to !== '' && [...c.endpoints].some((place) => place.startsWith(`${to} `));

const told = ({ before, after, refused }: Loss): Words =>
  after === ''
    ? words`${quoted('address', before)} was refused, and no other followed.`
    : words`It was ${quoted('address', before)}, and ${quoted('address', after)} was given${refused ? ' after a refusal' : ''}.`;

/** What was on, and was not told of another address. */
function caught([first, ...others]: readonly Call[], at: Seen): Own | '' {
  if (first === undefined) return '';
  const since = tenths(millis(first.answer!, at) / 1000);
  const more = others.length === 0 ? '' : ours`, and ${others.length} more`;
  return ours` Call ${first.id} had been up for ${since} s${more}, and nothing told the other side where the UE is now.`;
}

/** The changes of address that a server brought about, of each client of its own. */
function lossesOf(exchanges: readonly DhcpTransaction[]): Loss[] {
  const owned = new Map<string, string>();
  const out = new Map<string, Loss>();
  const all: Loss[] = [];
  for (const e of exchanges) {
    const { chaddr, outcome, address } = e.entry;
    const before = owned.get(chaddr) ?? '';
    const refusal = e.seen(e.facts.refusal);
    const given = outcome === 'bound' ? e.acknowledged : null;
    if (outcome === 'released' || outcome === 'declined') owned.delete(chaddr);
    else if (given !== null && address !== undefined) {
      const refused = out.get(chaddr);
      if (before !== '' && before !== address)
        all.push({ at: refused?.at ?? given, before, after: address, refused: refused !== undefined });
      out.delete(chaddr);
      owned.set(chaddr, address);
    } else if (refusal !== null && before !== '' && !out.has(chaddr))
      out.set(chaddr, { at: refusal, before, after: '', refused: true });
  }
  return [...all, ...out.values()];
}
