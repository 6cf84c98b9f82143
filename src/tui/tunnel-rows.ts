import { hostAndPortText } from '../kit/index.js';
import type { FindingEntity, TunnelEntity } from '../model/entities.js';
import { millis } from '../model/moment.js';
import { innerAddress, place } from '../report/report-words.js';
import type { TunnelGlance, ViewerStatus } from '../viewer/viewer.js';
import type { Story } from './told.js';

/** A tunnel as its list shows it. */
export interface TunnelRow {
  readonly id: number;
  readonly ue: string;
  readonly eftf: string;
  readonly proxied: boolean;
  readonly version: string;
  /** How decryption goes, in a word or two. */
  readonly keys: string;
  readonly keysAre: 'good' | 'bad' | 'neither';
  readonly envelopes: string;
  readonly inner: string;
  readonly user: string;
  readonly end: string;
  /** The worst finding. */
  readonly severity: '' | 'note' | 'warn' | 'error';
  /** How much it needs to be looked at, see {@link worstFirst}. */
  readonly trouble: number;
  /** A sentence where something is not as it should be. */
  readonly why: string | undefined;
  readonly entity: TunnelEntity | undefined;
}

/** The reasons of the decryptor in two words: what begins the sentence, or stands in it. */
const REASONS: readonly (readonly [RegExp, string])[] = [
  [/There is no key log/, 'NO KEY'],
  [/private key/, 'WRONG KEY'],
  [/handshake was not captured/, 'LATE'],
  [/does not fit|no line|has no |none of them opens|No line of the key log/, 'WRONG KEYS'],
  [/not supported|not decrypted|not known/, 'UNKNOWN SUITE'],
];

/** How decryption goes, in a word or two. */
export function keysWord(keys: TunnelGlance['keys'], reason: string | undefined): string {
  if (keys === 'clear') return 'in clear';
  if (keys === 'unneeded') return '-';
  if (keys === 'full') return reason === undefined ? 'ok' : 'gap';
  if (keys === 'partial') return 'partly';
  return REASONS.find(([pattern]) => pattern.test(reason ?? ''))?.[1] ?? 'NOT READ';
}

const version = (text: string | undefined): string => (text ?? '').replace(/^TLSv/, '');

/** How a tunnel ended. */
function endWord({ release: r, state, failure }: TunnelEntity): string {
  if (state === 'failed' && failure !== undefined) return `x ${failure.stage}`;
  if (r.how === 'capture-end') return 'open';
  const by = { ue: 'UE', eftf: 'EFTF', middlebox: 'middlebox', unknown: '?' }[r.by];
  const how = { close_notify: '', fin: ' FIN', rst: ' RST', silent: ' silent' }[r.how];
  return `${by}${how}`;
}

const BY = { ue: 'the UE', eftf: 'the EFTF', middlebox: 'a middlebox', unknown: 'nobody knows whom' } as const;
const HOW = {
  close_notify: 'a close_notify',
  fin: 'a FIN and no close_notify',
  rst: 'an RST',
  silent: 'silence',
} as const;

/** How a tunnel ended, in words, as far as the capture is read. */
export function endText(
  { release: r, tls, proxy }: TunnelEntity,
  { whole }: Pick<Story, 'whole'>,
  { cancelled }: Pick<ViewerStatus, 'cancelled'>,
): string {
  if (r.how === 'capture-end')
    return `open${!whole ? '' : cancelled ? ' where reading was stopped' : ' when the capture ended'}`;
  // Without TLS nobody spoke but the proxy, and there is nothing that a close_notify could end.
  const by = tls === undefined && proxy !== undefined && r.by !== 'ue' ? 'the proxy' : BY[r.by];
  const how = tls === undefined && r.how === 'fin' ? 'a FIN' : HOW[r.how];
  return `ended by ${by} with ${how}${r.basis === 'inferred' ? ' (inferred)' : ''}`;
}

/** The verdict of the direction that goes worse. */
function verdict({ tls, transport }: TunnelEntity): { keys: TunnelGlance['keys']; reason: string | undefined } {
  if (tls === undefined) return { keys: transport === 'tcp' ? 'clear' : 'none', reason: undefined };
  const { up, down } = tls.decryption;
  const both = [up, down].filter((v) => v.records > 0);
  if (both.length === 0) return { keys: 'unneeded', reason: undefined };
  const order = ['none', 'partial', 'full'];
  const worst = both.reduce((a, b) => (order.indexOf(b.verdict) < order.indexOf(a.verdict) ? b : a));
  return { keys: worst.verdict, reason: worst.reason ?? both.find((v) => v.reason !== undefined)?.reason };
}

/** What stands for the envelopes of what is no tunnel. */
export const OTHER = 'not FTT-IMS';

const SEVERITIES = ['', 'note', 'warn', 'error'] as const;

/** The tunnels of a report. */
function told(story: Story): TunnelRow[] {
  const findings = new Map<number, FindingEntity[]>();
  for (const f of story.findings)
    for (const r of f.refs) if (r.kind === 'tunnel') findings.set(r.id, [...(findings.get(r.id) ?? []), f]);
  return story.tunnels.map((t) => fromEntity(t, findings.get(t.id) ?? []));
}

function fromEntity(t: TunnelEntity, findings: readonly FindingEntity[]): TunnelRow {
  const { keys, reason } = verdict(t);
  const severity = SEVERITIES[Math.max(0, ...findings.map((f) => SEVERITIES.indexOf(f.severity)))];
  const { up, down } = t.envelopes;
  const noTls = t.tls === undefined && (t.state === 'failed' || t.state === 'other');
  const unread = !noTls && t.state !== 'other' && (keys === 'none' || keys === 'partial');
  const word = noTls || t.state === 'other' ? '-' : keysWord(keys, reason);
  return {
    id: t.id,
    ue: place(t.ue),
    eftf: hostAndPortText(t.eftf.name ?? t.eftf.address, t.eftf.port),
    proxied: t.proxy !== undefined,
    version: version(t.tls?.version),
    keys: word,
    keysAre: unread ? 'bad' : word === 'ok' || word === 'in clear' ? 'good' : 'neither',
    envelopes: t.state === 'other' ? OTHER : unread && keys === 'none' ? '?/?' : `${up.total}/${down.total}`,
    inner: innerAddress(t) ?? (unread ? '?' : '-'),
    user: t.subscriber?.msisdn ?? t.subscriber?.impu[0]?.replace(/^sips?:/, '') ?? '',
    end: endWord(t),
    severity,
    trouble: troubleOf(severity, t.state === 'failed', unread),
    why: t.failure?.cause ?? (t.state === 'other' ? t.other : reason),
    entity: t,
  };
}

function fromGlance(g: TunnelGlance): TunnelRow {
  const other = g.content === 'other';
  const unread = !other && (g.keys === 'none' || g.keys === 'partial');
  return {
    id: g.id,
    ue: g.ue,
    eftf: g.sni === undefined ? g.eftf : `${g.sni}${/:\d+$/.exec(g.eftf)?.[0] ?? ''}`,
    proxied: g.proxy !== undefined,
    version: g.version ?? '',
    keys: other ? '-' : keysWord(g.keys, g.reason),
    keysAre: unread ? 'bad' : other || g.keys === 'unneeded' ? 'neither' : 'good',
    envelopes: other ? OTHER : unread && g.keys === 'none' ? '?/?' : `${g.up}/${g.down}`,
    inner: '',
    user: '',
    end: '',
    severity: '',
    trouble: troubleOf('', false, unread),
    why: g.reason ?? g.other,
    entity: undefined,
  };
}

/** What a report told of a tunnel while it goes on, with the envelopes that there are by now. */
function now(r: TunnelRow, g: TunnelGlance | undefined): TunnelRow {
  return g === undefined ? r : { ...r, envelopes: fromGlance(g).envelopes };
}

/** Severity before failure before what cannot be read. */
const troubleOf = (severity: TunnelRow['severity'], failed: boolean, unread: boolean): number =>
  4 * SEVERITIES.indexOf(severity) + (failed ? 2 : 0) + (unread ? 1 : 0);

/**
 * By the sign that a tunnel has, that of its worst finding: trouble of the service comes before what somebody could not read.
 * Among tunnels with the same sign those that failed are first, then those that cannot be read, then the rest, each in the
 * order of the capture.
 */
const worstFirst = (a: TunnelRow, b: TunnelRow): number => b.trouble - a.trouble || a.id - b.id;

/** The tunnels that there are now, worst first; made anew only where something is new. */
export class TunnelRows {
  private rows: readonly TunnelRow[] = [];
  private story: Story | undefined;
  private glances: ViewerStatus['tunnels'] | undefined;

  get(status: ViewerStatus, story: Story | undefined, whole: boolean): readonly TunnelRow[] {
    if (story === this.story && (whole || status.tunnels === this.glances)) return this.rows;
    this.story = story;
    this.glances = status.tunnels;
    const glances = new Map(whole ? [] : status.tunnels.map((g) => [g.id, g]));
    const known = (story === undefined ? [] : told(story)).map((r) => now(r, glances.get(r.id)));
    for (const { id } of known) glances.delete(id);
    const fresh = [...glances.values()].map(fromGlance);
    this.rows = [...known, ...fresh].sort(worstFirst);
    return this.rows;
  }
}

/** How a tunnel came about, step by step with milliseconds: `TCP 21 ms › TLS 43 › DHCP 58 › RA 40 › REGISTER 200 in 150`. */
export function stepsText(t: TunnelEntity, story: Story): string {
  const at = (step: string) => t.steps.find((s) => s.step === step)?.at;
  const out: string[] = [];
  const span = (name: string, from: ReturnType<typeof at>, to: ReturnType<typeof at>): void => {
    if (from !== undefined && to !== undefined) out.push(`${name} ${ms(millis(from, to))}`);
  };
  span('TCP', at('syn'), at('syn-ack'));
  const { proxy } = t;
  if (proxy !== undefined)
    out.push(`CONNECT ${proxy.status ?? 'no answer'}${proxy.waitMs === undefined ? '' : ` in ${ms(proxy.waitMs)}`}`);
  span('TLS', at('client-hello'), at('finished'));
  const a = story.addressing.find((x) => x.tunnel === t.id);
  for (const e of a?.dhcp.exchanges.slice(0, 1) ?? [])
    out.push(
      e.outcome === 'bound' ? `DHCP ${ms(millis(e.messages[0].at, e.messages.at(-1)!.at))}` : `DHCP ${e.outcome}`,
    );
  const ra = a?.slaac.messages ?? [];
  const rs = ra.find((m) => /RS|solicit/i.test(m.type));
  // Routers also advertise before they are asked.
  const answer = rs && ra.find((m) => /RA|advert/i.test(m.type) && millis(rs.at, m.at) >= 0);
  if (rs !== undefined && answer !== undefined) out.push(`RA ${ms(millis(rs.at, answer.at))}`);
  for (const r of story.registrations.filter((x) => x.tunnel === t.id).slice(0, 1)) {
    const last = r.transactions.filter((x) => x.status !== undefined).at(-1);
    out.push(`REGISTER ${last?.status ?? 'unanswered'}`);
  }
  return out.join(' › ');
}

/** Milliseconds for people. */
export const ms = (n: number): string =>
  n >= 10_000 ? `${(n / 1000).toFixed(1)} s` : `${n >= 10 ? Math.round(n) : Number(n.toPrecision(2))} ms`;
