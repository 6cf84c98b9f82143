import { DhcpType } from '../../dissectors/dhcp/index.js';
import { STATUS_CODES } from '../../dissectors/dhcpv6/values.js';
import {
  joined,
  type Own,
  ofNumber,
  ours,
  ownCount,
  parseAddress,
  quoted,
  tenths,
  type Words,
  words,
} from '../kit/index.js';
import type { Addressing } from './addressing.js';
import type { Backoff } from './backoff.js';
import type { DhcpTransaction } from './dhcp-transaction.js';
import type { AddressingMessage, TunnelEntity, TunnelFailure } from './entities.js';
import type { Findings, Remark } from './findings.js';
import { tunnelRef } from './judge-tunnel.js';
import { isBefore, later, type Moment, millis, type Seen } from './moment.js';
import { LEAST_MTU } from './path-messages.js';
import type { Question } from './resolver.js';

/** RFC 4861 §10: three solicitations four seconds apart, then the host gives up. */
const SOLICITATIONS = 3;
const SOLICIT_MS = 4000;
/** RFC 9915 §7.6 and RFC 1035 §7.2: an answer that has not come by then was lost, or there is none. */
const ANSWER_MS = 5000;
const IPSEC_TUNNEL = 31;
/** Octets of a hardware address: of a LAN interface, and one that is made of an IPv4 address. */
const MAC = 6;
const MADE = 7;

/** Of what did no harm in the end. */
const NOTE = { severity: 'note' } as const;

/** What is known of a tunnel, beside its addressing, that the claims of this module rest on. */
export interface AddressingView {
  /** The UE sent a REGISTER or an INVITE, or asked for a connection for them. */
  readonly signalled: boolean;
  /** It sent something from an IPv6 address that is not of the link alone. */
  readonly hasSix: boolean;
  /** The capture lacks something of the tunnel: what was not seen may have been there. */
  readonly isShaky: boolean;
  /** Until when anything of it could be heard. */
  readonly end: Moment;
}

/** One tunnel as it is judged: what is known of it, and where that is told. */
class Judged {
  /** Where the other side was not captured, only that the UE asks again tells of no answer. */
  readonly heard: boolean;
  /** DHCP gave the UE an address. */
  readonly bound: boolean;
  private served: Seen[] | undefined;

  constructor(
    readonly t: TunnelEntity,
    readonly a: Addressing,
    readonly view: AddressingView,
    private readonly findings: Findings,
  ) {
    this.heard = t.envelopes.down.total > 0 || !findings.has('capture.one-sided', t.id);
    this.bound = a.dhcp.exchanges.some((e) => e.entry.outcome === 'bound' || e.entry.outcome === 'released');
  }

  raise(code: string, at: Seen, remark?: Remark): void {
    this.findings.raise(code, at, [tunnelRef(this.t)], remark);
  }

  /** @param isCertain false: it may only look so. What was seen itself is; what rests on what was not seen, in a whole capture. */
  fail(stage: TunnelFailure['stage'], cause: Own, at: Seen, isCertain = !this.view.isShaky): void {
    if (this.heard && isCertain) this.t.failure ??= { stage, cause, row: at.row };
  }

  /** Whether DHCP served the UE in an exchange later than that. */
  isServedAfter(at: Moment): boolean {
    this.served ??= this.a.dhcp.exchanges.flatMap(
      (e) => e.acknowledged ?? (e.entry.outcome === 'informed' ? e.first : []),
    );
    return this.served.some((s) => isBefore(at, s));
  }

  /** Whether these messages can tell that something was not answered. */
  tells(messages: readonly AddressingMessage[]): boolean {
    return this.heard || asksAgain(messages);
  }
}

/** Judges how a UE got its addresses; what kept it from getting them fails the tunnel (TS 24.322 §6). */
export function judgeAddressing(t: TunnelEntity, a: Addressing, view: AddressingView, findings: Findings): void {
  const j = new Judged(t, a, view, findings);
  const { heard, bound } = j;
  const { signalled, end } = view;
  for (const e of a.dhcp.exchanges) {
    if (e.facts.isDeserted && j.tells(e.messages)) judgeDeserted(j, e);
    judgeExchange(j, e);
  }
  judgeRouters(j);
  judgeDhcpv6(j);
  judgeNames(j);
  const addressed = bound || a.slaac.probes.some((p) => p.up && p.duplicate === null && !p.target.startsWith('fe80'));
  const sources = [...a.dhcp.exchanges, ...a.dhcpv6.exchanges].some((e) => e.entry.pcscf.length > 0);
  const began = a.dhcp.exchanges[0]?.first ?? a.slaac.firstSolicitation ?? a.slaac.probes[0]?.at;
  const isDue = heard && addressed && began !== undefined && millis(began, end) >= ANSWER_MS;
  if (isDue) judgeServers(j, sources, began);
  judgeFamilies(j);
  if (isDue && !sources && !signalled) {
    j.raise('pcscf.none', began);
    j.fail('pcscf', ours`No P-CSCF was found.`, began);
  }
  if (heard && t.pcscf?.source === 'static' && began !== undefined) j.raise('pcscf.static', began);
}

/** Whether the UE asked again for what it had asked for last: it heard no answer. */
function asksAgain(messages: readonly AddressingMessage[]): boolean {
  const asked = messages.filter((m) => m.direction === 'up').map((m) => m.type);
  return asked.length > 1 && asked.at(-1) === asked.at(-2);
}

function judgeSchedule(j: Judged, code: string, { wrong }: Backoff, remark: Remark = {}): void {
  if (wrong === null) return;
  const detail = ours`It was sent again after ${tenths(wrong.ms / 1000)} s, where ${tenths(wrong.expectedMs / 1000)} s are due.`;
  const { at, ms } = wrong;
  j.raise(code, at, { ...remark, detail, lasted: { from: later(at, -ms / 1000), to: at, leastMs: ms } });
}

/** What names the P-CSCF and the DNS servers of a UE. */
const namersOf = (a: Addressing) => [...a.dhcp.exchanges, ...a.dhcpv6.exchanges].map((e) => e.entry);

/** @param sources whether DHCP named a P-CSCF */
function judgeServers(j: Judged, sources: boolean, began: Seen): void {
  const { a } = j;
  const told = namersOf(a);
  if (told.some((e) => e.dns.length > 0) || (a.slaac.lastAdvertisement?.dns.length ?? 0) > 0) return;
  const byName = told.some((e) => e.pcscf.some((p) => parseAddress(p) === undefined));
  const needless = a.dns.isUsed || (sources && !byName);
  j.raise('dns.no-server', began, needless ? { severity: 'note' } : {});
}

/** Whether the UE has an address of the family of its P-CSCF. */
function judgeFamilies(j: Judged): void {
  const { a, bound } = j;
  const known = namersOf(a).flatMap((e) => e.pcscf);
  const there = known.flatMap((p) => (parseAddress(p) === undefined ? a.dns.addressesOf(p) : [p]));
  const six = a.slaac.probes.find((p) => p.up && p.duplicate === null && !p.target.startsWith('fe80'));
  const isSix = j.view.hasSix || six !== undefined;
  const began = a.dhcp.exchanges[0]?.first ?? six?.at ?? a.slaac.firstAdvertisement?.at;
  if (there.length === 0 || began === undefined || !(bound || isSix)) return;
  const four = there.some((p) => !p.includes(':'));
  const foursix = there.some((p) => p.includes(':'));
  if (four && foursix) return;
  const which = four ? 'IPv4' : 'IPv6';
  if (four ? !bound : !isSix)
    j.raise('pcscf.family', began, { detail: ours`The P-CSCF has ${which} addresses only, and the UE has none.` });
  else if (bound && isSix)
    j.raise('pcscf.family', began, { severity: 'note', detail: ours`The UE has both, and the P-CSCF ${which} alone.` });
}

function judgeDhcpv6(j: Judged): void {
  const { exchanges } = j.a.dhcpv6;
  for (const e of exchanges) {
    const { answer, status } = e;
    const later = exchanges.some((o) => o.entry.outcome === 'answered' && isBefore(e.first, o.first));
    const healed = later ? NOTE : {};
    if (answer === null) {
      const isOver = millis(e.asked, j.view.end) >= ANSWER_MS;
      if (isOver && j.tells(e.entry.messages)) j.raise('dhcpv6.no-answer', e.asked, healed);
    } else if (status !== 0) {
      const name = ofNumber(status, (n) => STATUS_CODES[n] ?? `${n}`);
      j.raise('dhcpv6.refused', answer, { detail: ours`Its status is ${name}.`, ...healed });
    }
    judgeSchedule(j, 'dhcpv6.schedule', e.backoff);
  }
}

/** What the client asked last was not answered. */
function judgeDeserted(j: Judged, e: DhcpTransaction): void {
  const { facts } = e;
  const healed = j.bound ? NOTE : {};
  const n = facts.unanswered;
  const detail = ours`${ownCount(n, 'message')} of transaction ${e.xid} got no answer.`;
  const asked = e.seen(facts.asked)!;
  // What is not answered at first and later is, in another exchange, did no harm.
  if (facts.isRenewal || facts.isInform)
    j.raise(facts.isInform ? 'dhcp.no-inform' : 'dhcp.no-renewal', asked, {
      detail,
      ...(j.isServedAfter(asked) && NOTE),
    });
  else {
    const offered = facts.waiting === DhcpType.Request && e.messages.some((m) => m.type === 'OFFER');
    j.raise(offered ? 'dhcp.no-ack' : 'dhcp.no-answer', e.first, { detail, ...healed });
    if (!j.bound)
      j.fail(
        'dhcp',
        offered ? ours`DHCP offered and did not acknowledge.` : ours`DHCP was not answered.`,
        e.first,
        asksAgain(e.messages) || undefined,
      );
  }
}

function judgeExchange(j: Judged, e: DhcpTransaction): void {
  const { facts } = e;
  const healed = j.bound ? NOTE : {};
  const refusal = e.seen(facts.refusal);
  if (refusal !== null) {
    const why = facts.why === '' ? [] : [words`The server says: ${quoted('free', facts.why)}.`];
    const isOffered =
      !e.isAcknowledged && e.seen(facts.unoffered) === null && e.messages.some((m) => m.type === 'OFFER');
    const said = isOffered ? [...why, words`${why.length > 0 ? ' ' : ''}It had offered the address itself.`] : why;
    j.raise('dhcp.nak', refusal, {
      ...(said.length > 0 && { detail: joined(said, '') }),
      ...(j.isServedAfter(refusal) && NOTE),
    });
    if (!j.bound) j.fail('dhcp', ours`DHCP refused the address.`, refusal, true);
  }
  judgeSchedule(j, 'dhcp.schedule', e.backoff, healed);
  const note = (code: string, at: Seen | null): void => {
    if (at !== null) j.raise(code, at);
  };
  note('dhcp.unoffered', e.seen(facts.unoffered));
  note('dhcp.server-changed', e.seen(facts.strange));
  note('dhcp.decline', e.seen(facts.decline));
  const odd = oddHardware(e);
  if (odd !== undefined) j.raise('dhcp.hardware', e.first, { detail: odd });
  note('dhcp.hardware-changed', e.seen(facts.hardwareChanged));
  note('dhcp.broadcast', e.seen(facts.broadcast));
  if (!facts.clientId && e.sent()) j.raise('dhcp.no-client-id', e.first);
}

/** What is not as RFC 3456 §4.1 has it: a MAC address, or 4000 with the IPv4 address of the interface and an octet. */
function oddHardware({ entry: { htype, hlen, chaddr } }: DhcpTransaction): Words | undefined {
  if (htype !== IPSEC_TUNNEL) return words`It is ${htype}.`;
  if (hlen === MAC || (hlen === MADE && chaddr.replaceAll(':', '').startsWith('4000'))) return undefined;
  return words`It is ${htype}, and its address is ${chaddr === '' ? 'empty' : quoted('address', chaddr)}.`;
}

function judgeRouters(j: Judged): void {
  const { a, t } = j;
  const { hasSix, end } = j.view;
  // From elsewhere; and routers advertise themselves to everybody, whether the UE speaks IPv6 at all or not.
  const addressed = j.bound || hasSix;
  const hasHost = t.envelopes.up.ip6 > 0;
  const s = a.slaac;
  const healed = addressed ? NOTE : {};
  const { lastSolicitation, lastAdvertisement } = s;
  if (s.hasty !== null) j.raise('slaac.schedule', s.hasty);
  const isPatient = s.rs > SOLICITATIONS || (lastSolicitation !== null && millis(lastSolicitation, end) >= SOLICIT_MS);
  if (s.ra === 0 && s.rs >= SOLICITATIONS && isPatient) {
    j.raise('slaac.no-ra', s.firstSolicitation!, { detail: ours`${s.rs} solicitations were sent.`, ...healed });
    if (!addressed) j.fail('slaac', ours`Router solicitations were not answered.`, s.firstSolicitation!, true);
  }
  if (lastAdvertisement !== null) {
    const { prefixes, at } = lastAdvertisement;
    if (!s.hadPrefix) {
      j.raise('slaac.no-prefix', at, healed);
      if (!addressed) j.fail('slaac', ours`Router advertisements carry no prefix for addresses.`, at);
    }
    for (const { length, entry } of prefixes)
      if (entry.autonomous && (length !== 64 || entry.preferredSeconds > entry.validSeconds))
        j.raise('slaac.prefix', at, { detail: words`The prefix is ${quoted('address', entry.prefix)}.` });
    const { mtu } = lastAdvertisement;
    if (mtu > 0 && mtu < LEAST_MTU) j.raise('slaac.mtu', at, { detail: ours`It is ${mtu}.` });
    if (lastAdvertisement.managed) j.raise('slaac.managed', at);
    if (lastAdvertisement.lifetimeSeconds === 0) j.raise('slaac.no-router', at);
    const isUnasked = hasHost && a.dhcpv6.exchanges.length === 0;
    if (lastAdvertisement.other && isUnasked && millis(at, end) >= ANSWER_MS) j.raise('dhcpv6.not-asked', at);
  }
  for (const { duplicate, target, up } of s.probes) {
    if (duplicate === null) continue;
    const detail = words`The address is ${quoted('address', target)}.`;
    const other = s.probes.some((p) => p.up === up && p.duplicate === null && isBefore(duplicate, p.at));
    j.raise('slaac.duplicate', duplicate, { detail, ...(other && ({ severity: 'warn' } as const)) });
  }
  for (const { at, why } of s.invalid) j.raise('slaac.invalid', at, { detail: ours`The first has ${why}.` });
}

/** Names matter where the UE did not find its P-CSCF without them; that of the P-CSCF most of all. */
function judgeNames(j: Judged): void {
  const { a, heard } = j;
  const { signalled, end } = j.view;
  const healed = signalled ? NOTE : {};
  const wanted = new Set(namersOf(a).flatMap((e) => e.pcscf.map((p) => p.toLowerCase())));
  const lost = (q: Question): boolean => {
    if (signalled || !wanted.has(q.name) || a.dns.addressesOf(q.name).length > 0) return false;
    const why = q.code < 0 ? 'was not answered' : ours`got code ${q.code}`;
    j.raise('pcscf.unresolved', q.answerAt ?? q.at, {
      detail: words`The question for ${quoted('host', q.name)} ${why}.`,
    });
    j.fail('pcscf', ours`The name of the P-CSCF could not be resolved.`, q.at);
    return true;
  };
  for (const q of a.dns.failed()) {
    if ((q.code < 0 && (!heard || millis(q.at, end) < ANSWER_MS)) || lost(q)) continue;
    const name = quoted('host', q.name);
    const detail =
      q.code > 0 ? words`The question for ${name} got code ${q.code}.` : words`The question was for ${name}.`;
    j.raise('dns.failed', q.at, { detail, ...(a.dns.isMended(q) ? NOTE : healed) });
  }
  for (const q of a.dns.missing()) {
    if (lost(q)) continue;
    const about = wanted.has(q.name) && !a.dns.isMended(q) ? {} : NOTE;
    j.raise('dns.no-name', q.answerAt ?? q.at, { detail: words`The name is ${quoted('host', q.name)}.`, ...about });
  }
}
