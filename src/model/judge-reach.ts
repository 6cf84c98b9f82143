import { hostAndPortText, ours, quoted, type Words, words } from '../kit/index.js';
import type { TunnelEntity } from './entities.js';
import type { Findings } from './findings.js';
import { tunnelRef } from './judge-tunnel.js';
import { isBefore, type Moment, millis } from './moment.js';
import { isPort, reasonOf } from './path-messages.js';
import type { Inside } from './session-model.js';
import type { SipServer } from './sip-connections.js';
import type { Destination } from './unreached.js';

/** RFC 6298 §2: the first SYN is repeated after a second, and then again: by then an answer would have come. */
const PATIENCE_MS = 3000;

/**
 * Judges whether packets of a tunnel arrive, those to the P-CSCF most of all: without it a UE has no service.
 * @param served when the UE began to register, where it was let in
 * @param isShaky the capture lacks something of the tunnel: what was not seen may have been there
 * @param end until when anything could be heard
 */
export function judgeReach(
  t: TunnelEntity,
  inside: Inside,
  served: Moment | undefined,
  isShaky: boolean,
  end: Moment,
  findings: Findings,
): void {
  judgeUnreached(t, inside, served !== undefined, findings);
  const told = new Set([...inside.unreached.destinations.values()].map((d) => `${d.address} ${d.port}`));
  const servers = [...inside.connections.servers];
  // Where nothing of the other side was captured, nothing tells of it.
  const heard = t.envelopes.down.total > 0 || !findings.has('capture.one-sided', t.id);
  for (const [place, s] of servers) {
    const isOver = s.refused !== null || (heard && millis(s.first, end) >= PATIENCE_MS);
    if (s.accepted !== null || !isOver || told.has(place)) continue;
    const isLast = served === undefined && !servers.some(([, x]) => x.accepted !== null);
    judgeServer(t, s, served, isLast, findings);
    if (!isLast || (s.refused === null && isShaky)) continue;
    const cause =
      s.refused === null ? ours`The P-CSCF did not answer the connection.` : ours`The P-CSCF refused the connection.`;
    t.failure ??= { stage: 'pcscf', cause, row: (s.refused ?? s.first).row };
  }
}

/** A P-CSCF that took no connection. @param isLast the UE reached none by another connection, and did not register */
function judgeServer(
  t: TunnelEntity,
  s: SipServer,
  served: Moment | undefined,
  isLast: boolean,
  findings: Findings,
): void {
  const { tries, first, last, refused } = s;
  const where = words`${quoted('host', hostAndPortText(s.address, s.port))}`;
  const asked: Words =
    tries === 1
      ? words`A SYN went to ${where}`
      : words`${tries} SYN went to ${where} in ${Math.round(millis(first, last) / 1000)} s`;
  const fate = refused === null ? 'nothing came back' : 'a reset came back';
  // Who registers over UDP all the same has lost time; who was registered before has lost its P-CSCF.
  const isLost = served !== undefined && isBefore(served, first);
  findings.raise('pcscf.no-connection', refused ?? first, [tunnelRef(t)], {
    detail: words`${asked}, and ${fate}.`,
    ...(!isLast && { severity: served === undefined || isLost ? 'warn' : 'note' }),
    rows: [first.row, last.row],
  });
}

/** Media that come when their call is over find no listener; so do questions that are answered too late. */
const STRAY = 5;

/** Who says what of which packets. */
function refusal({ said, up, address, port, count }: Destination): Words {
  const what = ours`${count === 1 ? 'a packet' : ours`${count} packets`} of the ${up ? 'UE' : 'network'}`;
  return words`${quoted('address', said.from)} says of ${what} to ${quoted('host', hostAndPortText(address, port))}: ${reasonOf(said)}.`;
}

/** Whether somebody says that packets do not arrive; without its P-CSCF a UE has no service. */
function judgeUnreached(
  t: TunnelEntity,
  { addressing, unreached, server, ports, pcscf, heard }: Inside,
  served: boolean,
  findings: Findings,
): void {
  const servers = new Set([server, ...addressing.dhcp.exchanges.flatMap((e) => e.entry.pcscf)]);
  for (const e of addressing.dhcpv6.exchanges) for (const p of e.entry.pcscf) servers.add(p);
  const signals = (d: Destination): boolean => !isPort(d.said) || d.port === ports[d.up ? 1 : 0];
  const all = [...unreached.destinations.values()].filter((d) => signals(d) || d.count > STRAY);
  const far = all.find((d) => servers.has(d.up ? d.address : d.from) && signals(d));
  const worst = far ?? all[0];
  if (worst === undefined) return;
  const { at, said, up, address } = worst;
  // It was not there for a time: what came of that the UE's requests show.
  const isBack = far !== undefined && up && address === pcscf && heard !== null && isBefore(far.last, heard);
  const since = isBack ? ' SIP came from there after that.' : '';
  // What is refused again and again, as media are in a call, may matter more than a stray answer.
  const most = all.reduce((a, b) => (b.count > a.count ? b : a));
  const more = most === worst || most.count <= STRAY ? words`` : words` ${refusal(most)}`;
  findings.raise('inner.unreachable', at, [tunnelRef(t)], {
    detail: words`${refusal(worst)}${since}${more}`,
    severity: far === undefined ? 'note' : up && !served && !isBack ? 'error' : 'warn',
    rows: all.map((d) => d.at.row),
  });
  if (far !== undefined && up && !served && !isBack)
    t.failure ??= { stage: 'pcscf', cause: ours`The P-CSCF cannot be reached: ${reasonOf(said)}.`, row: at.row };
}
