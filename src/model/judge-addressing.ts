import { DhcpType } from '../../dissectors/dhcp/index.js';
import { STATUS_CODES } from '../../dissectors/dhcpv6/values.js';
import { joined, type Own, ofNumber, ours, parseAddress, quoted, type Words, words } from '../kit/index.js';
import type { Addressing } from './addressing.js';
import type { Backoff } from './backoff.js';
import type { DhcpTransaction } from './dhcp-transaction.js';
import type { AddressingMessage, TunnelEntity, TunnelFailure } from './entities.js';
import type { Findings, Remark } from './findings.js';
import { tunnelRef } from './judge-tunnel.js';
import { isBefore, type Moment, millis, type Seen } from './moment.js';
import { LEAST_MTU } from './path-messages.js';
import type { Question } from './resolver.js';

/** RFC 4861 §10: three solicitations four seconds apart, then the host gives up. */
const SOLICITATIONS = 3;
const SOLICIT_MS = 4000;
/** RFC 9915 §7.6 and RFC 1035 §7.2: an answer that has not come by then was lost, or there is none. */
const ANSWER_MS = 5000;
const IPSEC_TUNNEL = 31;
const FOR_EVER = 0xffffffff;
/** Octets of a hardware address: of a LAN interface, and one that is made of an IPv4 address. */
const MAC = 6;
const MADE = 7;

type Raise = (code: string, at: Seen, remark?: Remark) => void;

/** Of what did no harm in the end. */
const NOTE = { severity: 'note' } as const;

/**
 * Judges how a UE got its addresses; what kept it from getting them fails the tunnel (TS 24.322 §6).
 * @param signalled whether the UE sent a REGISTER or an INVITE, or asked for a connection for them
 * @param hasSix whether it sent anything from an IPv6 address that is not of the link alone
 * @param isShaky the capture lacks something of the tunnel: what was not seen may have been there
 */
export function judgeAddressing(
  t: TunnelEntity,
  a: Addressing,
  signalled: boolean,
  hasSix: boolean,
  isShaky: boolean,
  end: Moment,
  findings: Findings,
): void {
  // Where the other side was not captured, only that the UE asks again tells of no answer.
  const heard = t.envelopes.down.total > 0 || !findings.has('capture.one-sided', t.id);
  const raise: Raise = (code, at, remark) => findings.raise(code, at, [tunnelRef(t)], remark);
  const fail: Fail = (stage, cause, at, isCertain = !isShaky) => {
    if (heard && isCertain) t.failure ??= { stage, cause, row: at.row };
  };
  const bound = a.dhcp.exchanges.some((e) => e.entry.outcome === 'bound' || e.entry.outcome === 'released');
  let served: Seen[] | undefined;
  const isServedAfter = (at: Moment): boolean => {
    served ??= a.dhcp.exchanges.flatMap((e) => e.acknowledged ?? (e.entry.outcome === 'informed' ? e.first : []));
    return served.some((s) => isBefore(at, s));
  };
  const told = (m: readonly AddressingMessage[]): boolean => heard || asksAgain(m);
  for (const e of a.dhcp.exchanges) {
    if (e.facts.isDeserted && told(e.messages)) judgeDeserted(e, bound, isServedAfter, raise, fail);
    judgeExchange(e, bound, isServedAfter, raise, fail);
  }
  judgeLease(a, end, raise);
  judgeRouters(a, bound || hasSix, t.envelopes.up.ip6 > 0, end, raise, fail);
  judgeDhcpv6(a, end, told, raise);
  judgeNames(a, end, signalled, heard, raise, fail);
  const addressed = bound || a.slaac.probes.some((p) => p.up && p.duplicate === null && !p.target.startsWith('fe80'));
  const sources = [...a.dhcp.exchanges, ...a.dhcpv6.exchanges].some((e) => e.entry.pcscf.length > 0);
  const began = a.dhcp.exchanges[0]?.first ?? a.slaac.firstSolicitation ?? a.slaac.probes[0]?.at;
  if (heard && addressed && began !== undefined && millis(began, end) >= ANSWER_MS)
    judgeServers(a, sources, began, raise);
  judgeFamilies(a, bound, hasSix, raise);
  if (heard && addressed && !sources && !signalled && began !== undefined && millis(began, end) >= ANSWER_MS) {
    raise('pcscf.none', began);
    fail('pcscf', ours`No P-CSCF was found.`, began);
  }
  if (heard && t.pcscf?.source === 'static' && began !== undefined) raise('pcscf.static', began);
}

/** Whether the UE asked again for what it had asked for last: it heard no answer. */
function asksAgain(messages: readonly AddressingMessage[]): boolean {
  const asked = messages.filter((m) => m.direction === 'up').map((m) => m.type);
  return asked.length > 1 && asked.at(-1) === asked.at(-2);
}

const rounded = (ms: number): Own => ofNumber(ms, (n) => (n / 1000).toFixed(1));

function judgeSchedule(code: string, { wrong }: Backoff, raise: Raise, remark: Remark = {}): void {
  if (wrong === null) return;
  const detail = ours`It was sent again after ${rounded(wrong.ms)} s, where ${rounded(wrong.expectedMs)} s are due.`;
  raise(code, wrong.at, { ...remark, detail });
}

/** What names the P-CSCF and the DNS servers of a UE. */
const namersOf = (a: Addressing) => [...a.dhcp.exchanges, ...a.dhcpv6.exchanges].map((e) => e.entry);

/** @param sources whether DHCP named a P-CSCF */
function judgeServers(a: Addressing, sources: boolean, began: Seen, raise: Raise): void {
  const told = namersOf(a);
  if (told.some((e) => e.dns.length > 0) || (a.slaac.lastAdvertisement?.dns.length ?? 0) > 0) return;
  const byName = told.some((e) => e.pcscf.some((p) => parseAddress(p) === undefined));
  const needless = a.dns.isUsed || (sources && !byName);
  raise('dns.no-server', began, needless ? { severity: 'note' } : {});
}

/** Whether the UE has an address of the family of its P-CSCF. */
function judgeFamilies(a: Addressing, bound: boolean, hasSix: boolean, raise: Raise): void {
  const known = namersOf(a).flatMap((e) => e.pcscf);
  const there = known.flatMap((p) => (parseAddress(p) === undefined ? a.dns.addressesOf(p) : [p]));
  const six = a.slaac.probes.find((p) => p.up && p.duplicate === null && !p.target.startsWith('fe80'));
  const isSix = hasSix || six !== undefined;
  const began = a.dhcp.exchanges[0]?.first ?? six?.at ?? a.slaac.firstAdvertisement?.at;
  if (there.length === 0 || began === undefined || !(bound || isSix)) return;
  const four = there.some((p) => !p.includes(':'));
  const foursix = there.some((p) => p.includes(':'));
  if (four && foursix) return;
  const which = four ? 'IPv4' : 'IPv6';
  if (four ? !bound : !isSix)
    raise('pcscf.family', began, { detail: ours`The P-CSCF has ${which} addresses only, and the UE has none.` });
  else if (bound && isSix)
    raise('pcscf.family', began, { severity: 'note', detail: ours`The UE has both, and the P-CSCF ${which} alone.` });
}

/** Whether the lease ran out while the tunnel was up. RFC 2131 §4.4.5 */
function judgeLease(a: Addressing, end: Moment, raise: Raise): void {
  const leases = a.dhcp.exchanges.filter((e) => e.isAcknowledged);
  const last = leases[leases.length - 1];
  const seconds = last?.entry.leaseSeconds;
  const since = last?.acknowledged ?? null;
  if (since === null || seconds === undefined || seconds === FOR_EVER) return;
  if (a.dhcp.exchanges.some((e) => e.entry.outcome === 'released')) return;
  const over = millis(since, end) - seconds * 1000;
  if (over > 0)
    raise('dhcp.lease-expired', since, {
      detail: ours`It was for ${seconds} s, and the tunnel went on ${Math.round(over / 1000)} s longer.`,
    });
}

/** @param told whether that an exchange was not answered can be told by its messages */
function judgeDhcpv6(
  { dhcpv6: { exchanges } }: Addressing,
  end: Moment,
  told: (messages: readonly AddressingMessage[]) => boolean,
  raise: Raise,
): void {
  for (const e of exchanges) {
    const { answer, status } = e;
    const later = exchanges.some((o) => o.entry.outcome === 'answered' && isBefore(e.first, o.first));
    const healed = later ? NOTE : {};
    if (answer === null) {
      if (millis(e.asked, end) >= ANSWER_MS && told(e.entry.messages)) raise('dhcpv6.no-answer', e.asked, healed);
    } else if (status !== 0) {
      const name = ofNumber(status, (n) => STATUS_CODES[n] ?? `${n}`);
      raise('dhcpv6.refused', answer, { detail: ours`Its status is ${name}.`, ...healed });
    }
    judgeSchedule('dhcpv6.schedule', e.backoff, raise);
  }
}

/** @param isCertain false: it may only look so. What was seen itself is; what rests on what was not seen, in a whole capture. */
type Fail = (stage: TunnelFailure['stage'], cause: Own, at: Seen, isCertain?: boolean) => void;

/**
 * What the client asked last was not answered.
 * @param isServedAfter whether DHCP served the UE in an exchange later than that
 */
function judgeDeserted(
  e: DhcpTransaction,
  bound: boolean,
  isServedAfter: (at: Moment) => boolean,
  raise: Raise,
  fail: Fail,
): void {
  const { facts } = e;
  const healed = bound ? NOTE : {};
  const n = facts.unanswered;
  const detail = ours`${n} ${n === 1 ? 'message' : 'messages'} of transaction ${e.xid} got no answer.`;
  const asked = e.seen(facts.asked)!;
  // What is not answered at first and later is, in another exchange, did no harm.
  if (facts.isRenewal || facts.isInform)
    raise(facts.isInform ? 'dhcp.no-inform' : 'dhcp.no-renewal', asked, {
      detail,
      ...(isServedAfter(asked) && NOTE),
    });
  else {
    const offered = facts.waiting === DhcpType.Request && e.messages.some((m) => m.type === 'OFFER');
    raise(offered ? 'dhcp.no-ack' : 'dhcp.no-answer', e.first, { detail, ...healed });
    if (!bound)
      fail(
        'dhcp',
        offered ? ours`DHCP offered and did not acknowledge.` : ours`DHCP was not answered.`,
        e.first,
        asksAgain(e.messages) || undefined,
      );
  }
}

/** @param isServedAfter whether DHCP served the UE in an exchange later than that */
function judgeExchange(
  e: DhcpTransaction,
  bound: boolean,
  isServedAfter: (at: Moment) => boolean,
  raise: Raise,
  fail: Fail,
): void {
  const { facts } = e;
  const healed = bound ? NOTE : {};
  const refusal = e.seen(facts.refusal);
  if (refusal !== null) {
    const why = facts.why === '' ? [] : [words`The server says: ${quoted('free', facts.why)}.`];
    const isOffered =
      !e.isAcknowledged && e.seen(facts.unoffered) === null && e.messages.some((m) => m.type === 'OFFER');
    const said = isOffered ? [...why, words`${why.length > 0 ? ' ' : ''}It had offered the address itself.`] : why;
    raise('dhcp.nak', refusal, {
      ...(said.length > 0 && { detail: joined(said, '') }),
      ...(isServedAfter(refusal) && NOTE),
    });
    if (!bound) fail('dhcp', ours`DHCP refused the address.`, refusal, true);
  }
  judgeSchedule('dhcp.schedule', e.backoff, raise, healed);
  const note = (code: string, at: Seen | null): void => {
    if (at !== null) raise(code, at);
  };
  note('dhcp.unoffered', e.seen(facts.unoffered));
  note('dhcp.server-changed', e.seen(facts.strange));
  note('dhcp.decline', e.seen(facts.decline));
  const odd = oddHardware(e);
  if (odd !== undefined) raise('dhcp.hardware', e.first, { detail: odd });
  note('dhcp.hardware-changed', e.seen(facts.hardwareChanged));
  note('dhcp.broadcast', e.seen(facts.broadcast));
  if (!facts.clientId && e.sent()) raise('dhcp.no-client-id', e.first);
}

/** What is not as RFC 3456 §4.1 has it: a MAC address, or 4000 with the IPv4 address of the interface and an octet. */
function oddHardware({ entry: { htype, hlen, chaddr } }: DhcpTransaction): Words | undefined {
  if (htype !== IPSEC_TUNNEL) return words`It is ${htype}.`;
  if (hlen === MAC || (hlen === MADE && chaddr.replaceAll(':', '').startsWith('4000'))) return undefined;
  return words`It is ${htype}, and its address is ${chaddr === '' ? 'empty' : quoted('address', chaddr)}.`;
}

/**
 * @param addressed whether the UE has an address from elsewhere
 * @param hasHost whether the UE speaks IPv6 at all: routers advertise themselves to everybody
 */
function judgeRouters(
  a: Addressing,
  addressed: boolean,
  hasHost: boolean,
  end: Moment,
  raise: Raise,
  fail: Fail,
): void {
  const s = a.slaac;
  const healed = addressed ? NOTE : {};
  const { lastSolicitation, lastAdvertisement } = s;
  if (s.hasty !== null) raise('slaac.schedule', s.hasty);
  const isPatient = s.rs > SOLICITATIONS || (lastSolicitation !== null && millis(lastSolicitation, end) >= SOLICIT_MS);
  if (s.ra === 0 && s.rs >= SOLICITATIONS && isPatient) {
    raise('slaac.no-ra', s.firstSolicitation!, { detail: ours`${s.rs} solicitations were sent.`, ...healed });
    if (!addressed) fail('slaac', ours`Router solicitations were not answered.`, s.firstSolicitation!, true);
  }
  if (lastAdvertisement !== null) {
    const { prefixes, at } = lastAdvertisement;
    if (!s.hadPrefix) {
      raise('slaac.no-prefix', at, healed);
      if (!addressed) fail('slaac', ours`Router advertisements carry no prefix for addresses.`, at);
    }
    for (const { length, entry } of prefixes)
      if (entry.autonomous && (length !== 64 || entry.preferredSeconds > entry.validSeconds))
        raise('slaac.prefix', at, { detail: words`The prefix is ${quoted('address', entry.prefix)}.` });
    const { mtu } = lastAdvertisement;
    if (mtu > 0 && mtu < LEAST_MTU) raise('slaac.mtu', at, { detail: ours`It is ${mtu}.` });
    if (lastAdvertisement.managed) raise('slaac.managed', at);
    if (lastAdvertisement.lifetimeSeconds === 0) raise('slaac.no-router', at);
    const isUnasked = hasHost && a.dhcpv6.exchanges.length === 0;
    if (lastAdvertisement.other && isUnasked && millis(at, end) >= ANSWER_MS) raise('dhcpv6.not-asked', at);
  }
  for (const { duplicate, target, up } of s.probes) {
    if (duplicate === null) continue;
    const detail = words`The address is ${quoted('address', target)}.`;
    const other = s.probes.some((p) => p.up === up && p.duplicate === null && isBefore(duplicate, p.at));
    raise('slaac.duplicate', duplicate, { detail, ...(other && ({ severity: 'warn' } as const)) });
  }
  for (const { at, why } of s.invalid) raise('slaac.invalid', at, { detail: ours`The first has ${why}.` });
}

/** Names matter where the UE did not find its P-CSCF without them; that of the P-CSCF most of all. */
function judgeNames(a: Addressing, end: Moment, signalled: boolean, heard: boolean, raise: Raise, fail: Fail): void {
  const healed = signalled ? NOTE : {};
  const wanted = new Set(namersOf(a).flatMap((e) => e.pcscf.map((p) => p.toLowerCase())));
  const lost = (q: Question): boolean => {
    if (signalled || !wanted.has(q.name) || a.dns.addressesOf(q.name).length > 0) return false;
    const why = q.code < 0 ? 'was not answered' : ours`got code ${q.code}`;
    raise('pcscf.unresolved', q.answerAt ?? q.at, {
      detail: words`The question for ${quoted('host', q.name)} ${why}.`,
    });
    fail('pcscf', ours`The name of the P-CSCF could not be resolved.`, q.at);
    return true;
  };
  for (const q of a.dns.failed()) {
    if ((q.code < 0 && (!heard || millis(q.at, end) < ANSWER_MS)) || lost(q)) continue;
    const name = quoted('host', q.name);
    const detail =
      q.code > 0 ? words`The question for ${name} got code ${q.code}.` : words`The question was for ${name}.`;
    raise('dns.failed', q.at, { detail, ...(a.dns.isMended(q) ? NOTE : healed) });
  }
  for (const q of a.dns.missing()) {
    if (lost(q)) continue;
    const about = wanted.has(q.name) && !a.dns.isMended(q) ? {} : NOTE;
    raise('dns.no-name', q.answerAt ?? q.at, { detail: words`The name is ${quoted('host', q.name)}.`, ...about });
  }
}
