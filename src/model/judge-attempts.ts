import { RCODES } from '../../dissectors/dns/values.js';
import { append, nameOf, ofNumber, ours, quoted, words } from '../kit/index.js';
import type { TunnelEntity } from './entities.js';
import type { Findings, Remark } from './findings.js';
import { tunnelRef } from './judge-tunnel.js';
import { fileOf, isBefore, type Moment, millis, type Seen } from './moment.js';
import { BEFORE_TUNNEL_MS } from './other-attempts.js';
import type { SessionModel } from './session-model.js';

/** RFC 1035 §7.2: an answer that has not come by then was lost, or there is none. */
const ANSWER_MS = 5000;
/** A question may be another one once more, in other words, that was asked so long before or after it. */
const SAME_QUESTION_MS = 120_000;
/** What a name says that is that of an EFTF for sure, where no tunnel came of it. */
const EFTF_NAME = /(^|[.-])eftf\d*[.-]/;

/** Judges what phones tried beside their tunnels. */
export function judgeAttempts(m: SessionModel, end: Moment): void {
  const { findings, outside } = m;
  let works = false;
  for (const t of m.tunnels) {
    works ||= t.envelopes.up.total + t.envelopes.down.total > 0;
    const raise = (code: string, at: Seen, remark: Remark = {}): void =>
      findings.raise(code, at, [tunnelRef(t)], remark);
    for (const a of t.attempts ?? []) {
      const at: Seen = { ...a.at, row: a.row };
      const there = words`${quoted('address', a.to.address)}:${a.to.port}`;
      const isBlocked = a.outcome === 'unanswered' || a.outcome === 'refused';
      if (a.kind === 'sip' && isBlocked)
        raise('attempt.sip-blocked', at, { detail: words`It went to ${there} and was ${a.outcome}.` });
      else if (a.kind === 'epdg' && (isBlocked || a.outcome === 'failed'))
        raise('attempt.epdg-blocked', at, {
          detail: words`It went to ${there} and ${a.outcome === 'failed' ? 'failed' : 'was not answered'}.`,
        });
      else if ((a.kind === 'sip' || a.kind === 'epdg') && a.outcome === 'succeeded')
        raise('attempt.needless', at, {
          detail: words`${a.kind === 'sip' ? 'SIP' : 'IKE'} with ${there} got through.`,
        });
    }
  }
  for (const { met: p, isLifted } of outside.portals) {
    const how = p.outcome === 'redirected' ? ours`${p.status!}` : 'a page that is not its own';
    findings.raise('portal.captive', p.start, [], {
      detail: words`The probe of ${quoted('host', p.name ?? p.to.address)} was answered with ${how}.${isLifted ? ' A later one got through.' : ''}`,
      severity: works || isLifted ? 'note' : 'error',
      ...(p.outcome === 'answered' && { confidence: 'likely' }),
    });
  }
  judgeNames(m, end, findings);
}

/** Whether a resolver makes the one name of the other: as it is, or with endings of its own. RFC 1034 §3.1 */
const isAkin = (a: string, b: string): boolean => a === b || a.startsWith(`${b}.`) || b.startsWith(`${a}.`);

/** Whether the capture has only what a client sends: of its connections, too, one that the other side takes part in. */
const isDeaf = (m: SessionModel, client: string, tunnels: readonly TunnelEntity[], findings: Findings): boolean =>
  !m.outside.names.hears(client) && tunnels.some((t) => findings.has('capture.one-sided', t.id));

function judgeNames(m: SessionModel, end: Moment, findings: Findings): void {
  const known = new Set(
    m.tunnels.flatMap((t) => [t.eftf.name?.toLowerCase(), t.proxy && t.eftf.address.toLowerCase()]),
  );
  const tunnels = new Map<string, TunnelEntity[]>();
  for (const t of m.tunnels) append(tunnels, t.ue.address, t);
  const failed = m.outside.names.failed().filter((q) => known.has(q.name) || EFTF_NAME.test(q.name));
  for (const q of failed) {
    const own = tunnels.get(q.client) ?? [];
    const found = m.outside.names
      .resolved(q.client)
      .filter((o) => isAkin(o.name, q.name) && Math.abs(millis(o.at, q.at)) <= SAME_QUESTION_MS);
    // The other family may have an answer; a proxy resolves the name itself.
    const same = found.some((o) => o.name === q.name);
    const proxied = own.some((t) => t.proxy !== undefined);
    if (
      same ||
      proxied ||
      (q.code < 0 &&
        (millis(q.at, m.watch.until([fileOf(q.at)], end)) < ANSWER_MS || isDeaf(m, q.client, own, findings)))
    )
      continue;
    // Resolvers try endings of their own, and other names, before or after the one that leads to the EFTF.
    const reached =
      found.length > 0 ||
      own.some(
        (t) =>
          t.state === 'established' && millis(q.at, t.opened) <= BEFORE_TUNNEL_MS && isBefore(q.at, t.closed ?? end),
      );
    // Most names have no address of one of the families: that says nothing where the other was taken.
    if (reached && q.code === 0) continue;
    const code = ours`got code ${q.code} (${ofNumber(q.code, (n) => nameOf(RCODES, n, '').toLowerCase())})`;
    const how = q.code < 0 ? 'was not answered' : q.code > 0 ? code : 'got an answer without an address';
    findings.raise('dns.eftf', q.answerAt ?? q.at, [], {
      detail: words`The question for ${quoted('host', q.name)} ${how}.`,
      ...(reached && { severity: 'note' }),
    });
  }
}
