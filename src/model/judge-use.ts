import { addressText, fromHex, hex, ours, parseAddress, quoted, words } from '../kit/index.js';
import type { AddressUse } from './address-use.js';
import type { TunnelEntity } from './entities.js';
import type { Findings } from './findings.js';
import { tunnelRef } from './judge-tunnel.js';
import { isBefore, millis, type Seen } from './moment.js';
import type { PacketSizes } from './packet-sizes.js';
import { LEAST_MTU } from './path-messages.js';
import type { Inside } from './session-model.js';

/** Hexadecimal digits of an address, and of its first 64 bits. */
const digits = (text: string): string => {
  const b = parseAddress(text);
  return b === undefined ? '' : hex(b, 0, b.length, '');
};
const PREFIX = 16;

/** Addresses that nobody has to be given: unspecified, link-local; and those of all, groups and broadcast. */
const FREE = /^(00000000|0{32}|fe[89ab].{29}|a9fe.{4}|[ef].{7}|ff.{30})$/;

/** Whether packets bear an IPv6 address that is not of the link alone. */
export const usesSix = ({ first }: AddressUse): boolean =>
  [...first.keys()].some((d) => d.length === 32 && !FREE.test(d));

/**
 * Judges whether the packets inside bear the addresses that the UE was given there (TS 24.322 §5.3, §6.3), and get on.
 */
export function judgeUse(t: TunnelEntity, inside: Inside, findings: Findings): void {
  const { addressing, sources, targets, sizes } = inside;
  const own = new Set(addressing.dhcp.exchanges.flatMap((e) => e.facts.held.map(digits)));
  const leased = new Set([...addressing.dhcpv6.given].map(digits));
  const prefixes = new Set(addressing.slaac.usable.map((p) => digits(p).slice(0, PREFIX)));
  const isGiven = (d: string): boolean =>
    d.length === 8 ? own.has(d) : prefixes.has(d.slice(0, PREFIX)) || leased.has(d);
  // Only a family whose addresses were seen to be given can be judged; a broadcast address of the subnet is nobody's.
  const isKnown = (d: string): boolean => (d.length === 8 ? own.size > 0 : prefixes.size > 0);
  const raise = (code: string, used: ReadonlyMap<string, Seen>, shared: boolean): void => {
    for (const [d, at] of used) {
      if (!isKnown(d) || FREE.test(d) || (shared && d.endsWith('ff')) || isGiven(d)) continue;
      findings.raise(code, at, [tunnelRef(t)], {
        detail: words`The first such address is ${quoted('address', addressText(fromHex(d)))}.`,
      });
    }
  };
  judgeSizes(t, addressing.slaac.lastAdvertisement?.mtu ?? 0, sizes, findings);
  judgeProbes(t, addressing, sources.first, findings);
  judgeWithdrawals(t, addressing, sources.first, findings);
  raise('inner.foreign-source', sources.first, false);
  // What the UE sent and got back is known by its sources: where nothing of it was seen, this is no claim.
  if (sources.first.size > 0) raise('inner.foreign-destination', targets.first, true);
}

/** Whether packets keep to the MTU of the link, and to what somebody on the way said. */
function judgeSizes(t: TunnelEntity, mtu: number, { largest, ignored }: PacketSizes, findings: Findings): void {
  for (const l of largest)
    if (l !== null && mtu >= LEAST_MTU && l.octets > mtu)
      findings.raise('inner.over-mtu', l, [tunnelRef(t)], {
        detail: ours`The largest has ${l.octets} octets, and the link takes ${mtu}.`,
      });
  if (ignored !== null)
    findings.raise('inner.too-big-ignored', ignored.at, [tunnelRef(t)], {
      detail: ours`It has ${ignored.at.octets} octets, and ${ignored.limit} is the most.`,
    });
}

/** RFC 4862 §5.4: so long after it was probed for an address may be used (RetransTimer); RFC 4429 lets it be sooner. */
const RETRANS_MS = 1000;
/** By so much less or more the way to where it was captured may take. */
const WAY_MS = 100;

/** Whether the UE probed for the IPv6 addresses that it made of a prefix before it used them. */
function judgeProbes(
  t: TunnelEntity,
  { slaac }: Inside['addressing'],
  used: ReadonlyMap<string, Seen>,
  findings: Findings,
): void {
  const prefixes = new Set(slaac.usable.map((p) => digits(p).slice(0, PREFIX)));
  const probes = new Map(slaac.probes.filter((p) => p.up).map((p) => [digits(p.target), p.at]));
  for (const [d, at] of used) {
    if (d.length !== 32 || !prefixes.has(d.slice(0, PREFIX))) continue;
    const probed = probes.get(d);
    if (probed === undefined) {
      findings.raise('slaac.no-probe', at, [tunnelRef(t)], {
        detail: words`The address is ${quoted('address', addressText(fromHex(d)))}.`,
      });
      continue;
    }
    const ms = millis(probed, at);
    if (ms >= 0 && ms < RETRANS_MS - WAY_MS)
      findings.raise('slaac.early-use', at, [tunnelRef(t)], {
        detail: words`${quoted('address', addressText(fromHex(d)))} was used ${Math.round(ms)} ms after it was probed for.`,
      });
  }
}

/** Whether the network takes back prefixes of which the UE had made addresses that it used. RFC 4862 §5.5.4 */
function judgeWithdrawals(
  t: TunnelEntity,
  { slaac }: Inside['addressing'],
  used: ReadonlyMap<string, Seen>,
  findings: Findings,
): void {
  for (const { at, entry } of slaac.withdrawals) {
    const network = digits(entry.prefix.split('/')[0]).slice(0, PREFIX);
    const since = [...used].find(([d, first]) => d.length === 32 && d.startsWith(network) && isBefore(first, at));
    if (since === undefined) continue;
    const lifetimes = ours`It says valid for ${entry.validSeconds} s, preferred for ${entry.preferredSeconds} s`;
    const left = slaac.isPreferred ? ours`; another prefix is left` : ours`; no other prefix is left`;
    findings.raise('slaac.withdrawn', at, [tunnelRef(t)], {
      detail: words`The prefix is ${quoted('address', entry.prefix)}. ${lifetimes}${left}.`,
      ...(slaac.isPreferred && { severity: 'note' }),
      rows: [since[1].row],
    });
  }
}
