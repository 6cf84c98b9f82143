import type { CallEntity, RegistrationEntity } from '../model/entities.js';
import { isCutOff } from '../model/tally.js';
import type { Viewer } from '../viewer/viewer.js';
import { type Dialogue, dialoguesOf, mediaOf, partiesOf, stateOf, whyOf } from './dialog-list.js';
import { mediaLine } from './media-words.js';
import { type Story, untilMore } from './told.js';
import { aboutWords, type Desk, type Scope } from './view.js';
import { clock, dateTime, duration, plural } from './words.js';

/** What there is to know about a dialogue, a line each: the info card. */
export function dialogueInfo(d: Dialogue, story: Story | undefined): string[] {
  const why = whyOf(d);
  const lines = [`${partiesOf(d)}: ${stateOf(d)}${why === '' ? '' : `, ${why}`}`, '', `Call-ID: ${d.entity.callId}`];
  lines.push(`Began: ${dateTime(d.entity.start)}`);
  if (d.kind === 'call') lines.push(...callLines(d.entity));
  if (d.kind === 'registration') lines.push(...registrationLines(d.entity));
  if (d.kind === 'call') {
    for (const m of d.media) lines.push(`Media ${m.id}: ${mediaLine(m)}`);
    const { mos } = mediaOf(d);
    if (mos !== undefined) lines.push('MOS values are estimates by the E-model.');
  }
  const findings = story?.findings.filter((f) => f.refs.some((r) => r.kind === d.kind && r.id === d.entity.id)) ?? [];
  if (findings.length > 0)
    lines.push('', ...findings.map((f) => `Finding: ${f.severity} ${f.code}: ${f.title}. ${f.next}`));
  return lines;
}

function callLines(c: CallEntity): string[] {
  const lines = [`From: ${c.fromUri}`, `To: ${c.toUri}`, `Tunnels: ${c.tunnels.join(', ') || 'none'}`];
  if (c.emergency) lines.push('Emergency: yes');
  if (c.pddMs !== undefined) lines.push(`First sign after: ${duration(c.pddMs)}`);
  if (c.setupMs !== undefined) lines.push(`Answered after: ${duration(c.setupMs)}`);
  if (c.durationMs !== undefined) lines.push(`Lasted: ${duration(c.durationMs)}`);
  if (c.end !== undefined)
    lines.push(`Ended: ${clock(c.end)}${c.releasedBy === undefined ? '' : ` by the ${c.releasedBy}`}`);
  if (c.release !== undefined) lines.push(`Reason: ${c.release.reason}`);
  const { failure: f } = c;
  if (f !== undefined) {
    const retry = f.retryAfterSeconds === undefined ? '' : `; retry after ${f.retryAfterSeconds} s`;
    const q850 = f.q850 === undefined ? '' : `; Q.850 cause ${f.q850}`;
    lines.push(
      `${isCutOff(c) ? 'Cut off' : 'Failed'}: ${f.status === undefined ? '' : `${f.status}: `}${f.reason}${q850}${retry}`,
    );
  }
  const again = c.messages.reduce((n, m) => n + m.retransmissions, 0);
  lines.push(`Messages: ${c.messages.length}${again === 0 ? '' : `, ${plural(again, 'retransmission')}`}`);
  return lines;
}

function registrationLines(r: RegistrationEntity): string[] {
  const lines = [`User: ${r.aor}`];
  if (r.contact !== undefined) lines.push(`Contact: ${r.contact}`);
  if (r.tunnel !== undefined) lines.push(`Tunnel: ${r.tunnel}`);
  if (r.expiresSeconds !== undefined) lines.push(`Expires: after ${duration(r.expiresSeconds * 1000)}`);
  if (r.nextRefresh !== undefined) lines.push(`Refresh due: ${dateTime(r.nextRefresh)}`);
  if (r.aka !== undefined)
    lines.push(`Authentication: ${r.aka.algorithm}, ${plural(r.aka.resynchronisations, 'resynchronisation')}`);
  if (r.secAgree !== undefined && r.secAgree.server.length > 0)
    lines.push(`Security: ${r.secAgree.server.map((m) => `${m.mechanism} ${m.alg ?? ''}`.trim()).join(', ')}`);
  for (const t of r.transactions) {
    const again = t.retransmissions === 0 ? '' : `, sent ${t.retransmissions + 1} times`;
    const answer = t.status === undefined ? 'no answer' : `${t.status} ${t.reason ?? ''} after ${duration(t.ms ?? 0)}`;
    lines.push(`${t.method} ${t.cseq}: ${answer}${again}`);
  }
  return lines;
}

/** Why there is no dialogue to list, and what there is instead. */
export function noDialogues(desk: Desk, scope: Scope): string[] {
  const { story, error } = desk.told;
  if (error !== undefined) return [`The report could not be made: ${error}`];
  if (story === undefined) return ['Reading the capture; calls follow.'];
  const [what, ...more] = whyNoDialogues(story, desk.viewer, scope);
  const whole = '{extended} shows what there was of the tunnel, from its first packet on.';
  return [what, ...(scope.tunnels === undefined ? [] : [whole]), ...more].map((line) => desk.keymap.words(line));
}

/** That there are tunnels which cannot be read: nobody knows what is in them. Undefined where there are none. */
export function unreadWords({ tunnels }: Story): string | undefined {
  // No key opens what a refused handshake would have led to.
  const led = tunnels.filter((t) => t.state !== 'failed');
  const unread = led.filter((t) => t.tls !== undefined && t.tls.decryption.up.verdict === 'none').length;
  return unread === 0
    ? undefined
    : `${plural(unread, 'tunnel')} cannot be read: {keys} loads keys and says what is missing.`;
}

function whyNoDialogues(story: Story, viewer: Viewer, scope: Scope): string[] {
  const all = dialoguesOf(story).length;
  if (all > 0)
    return [
      `No call and no registration in ${aboutWords('calls', scope) ?? 'this part'}.`,
      `${all} in the rest of the capture: {view-calls} once more shows them.`,
    ];
  const unread = unreadWords(story);
  if (unread !== undefined) return ['No calls can be seen.', unread];
  const tunnels = story.tunnels.length === 0 ? 'There is no tunnel in it either.' : 'The tunnels carried no SIP.';
  if (!story.whole) return [`No INVITE and no REGISTER ${untilMore(story, viewer)}`];
  return ['No INVITE and no REGISTER in this capture.', tunnels];
}
