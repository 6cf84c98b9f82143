import { hex, type Own, ofNumber, ours, parseAddress, quoted, type Words, words } from '../kit/index.js';
import type { Call } from './call.js';
import type { DhcpTransaction } from './dhcp-transaction.js';
import type { TunnelEntity } from './entities.js';
import type { Findings, Ref } from './findings.js';
import { tunnelRef } from './judge-tunnel.js';
import { isBefore, millis, type Seen } from './moment.js';
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
    const refs: Ref[] = [tunnelRef(t), ...left.slice(0, MOST_CALLS).map(({ id }): Ref => ({ kind: 'call', id }))];
    findings.raise('dhcp.address-lost', at, refs, {
      detail: words`${told(loss)}${isKept ? ' The UE does not use that.' : ''}${caught(left, at)}${isStale ? ' It did not register anew.' : ''}`,
      severity: left.length > 0 ? 'error' : isStale || isKept ? 'warn' : 'note',
    });
  }
}

/** Whether a call was up at a time, and whether it was told of another address of the UE. */
const isOn = (c: Call, at: Seen): boolean =>
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
  const since = ofNumber(millis(first.answer!, at) / 1000, (s) => s.toFixed(1));
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
