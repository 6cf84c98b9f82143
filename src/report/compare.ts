import { isChallenge } from '../../dissectors/sip/status.js';
import { printable } from '../kit/index.js';
import type { CallEntity, MediaEntity, RegistrationEntity, TunnelEntity } from '../model/entities.js';
import { isBefore, type Moment, millis } from '../model/moment.js';
import { lossOf } from '../model/quality.js';
import { jsonOf } from './report-json.js';
import type { Lists } from './report-select.js';
import { moreWords, number } from './report-words.js';
import { cells, fit, padEnd, wrapped } from './width.js';

/** Findings that are named. */
const MOST_CODES = 5;

/** One step on the way from the first segment to the end of a call, in a capture. */
export interface Step {
  readonly name: string;
  /** How it went, in words that do not depend on addresses and times. */
  readonly outcome: string;
  /** Since the step before it began, or how long it took. */
  readonly ms?: number | undefined;
  readonly row?: string | undefined;
}

/** A step in both captures; a side that did not come to it lacks it. */
export interface ComparedStep {
  readonly step: string;
  readonly good?: Omit<Step, 'name'> | undefined;
  readonly bad?: Omit<Step, 'name'> | undefined;
  readonly same: boolean;
}

export interface Comparison {
  readonly good: string;
  readonly bad: string;
  readonly steps: readonly ComparedStep[];
  /** Number of the first step that went another way, from 0; -1 where all went the same. */
  readonly first: number;
}

/** What happened in a capture step by step: in its first tunnel that is one, or outside of tunnels. */
export function stepsOf(lists: Lists): Step[] {
  const t = lists.tunnels.find((x) => x.state !== 'other' || x.envelopes.up.total > 0);
  const inside = (id: number | undefined): boolean => (t === undefined ? true : id === t.id);
  const registration = lists.registrations.find((r) => inside(r.tunnel));
  const call = lists.calls.find((c) => t === undefined || c.tunnels.includes(t.id));
  const requests = registration === undefined ? [] : registering(registration);
  return [
    ...(t === undefined ? [] : connection(t)),
    ...(t === undefined ? [] : addressing(lists, t)),
    ...requests.filter((s) => !isAfter(s, call)).map(stepOf),
    ...(call === undefined ? [] : calling(lists, call)),
    ...requests.filter((s) => isAfter(s, call)).map(stepOf),
    ...(registration === undefined ? [] : [{ name: 'registration', outcome: registration.state }]),
    ...(t === undefined ? [] : [release(t)]),
    problems(lists),
  ];
}

const since = (from: Moment | undefined, to: Moment | undefined): number | undefined =>
  from === undefined || to === undefined ? undefined : millis(from, to);

function connection(t: TunnelEntity): Step[] {
  const at = (step: string): TunnelEntity['steps'][0] | undefined => t.steps.find((s) => s.step === step);
  const [syn, answer, connect, hello] = ['syn', 'syn-ack', 'connect', 'client-hello'].map(at);
  const steps: Step[] = [];
  if (syn !== undefined)
    steps.push({
      name: 'TCP',
      outcome: answer === undefined ? 'no answer' : 'connected',
      ms: t.tcp.rttMs,
      row: syn.row,
    });
  if (t.proxy !== undefined) {
    const outcome = t.proxy.status === undefined ? 'no answer' : String(t.proxy.status);
    steps.push({ name: 'CONNECT', outcome, ms: t.proxy.waitMs, row: connect?.row });
  }
  if (t.transport === 'tls' && (hello !== undefined || t.tls !== undefined)) {
    const failed = t.failure?.stage === 'tls' ? `failed: ${t.failure.cause}` : undefined;
    const version = t.tls?.version ?? 'TLS';
    const outcome = failed ?? (t.state === 'partial' ? `${version}, not seen whole` : version);
    steps.push({ name: 'TLS', outcome, ms: since(hello?.at, t.established), row: hello?.row });
    const { up, down } = t.tls?.decryption ?? {};
    if (up !== undefined && down !== undefined && up.records + down.records > 0)
      steps.push({ name: 'keys', outcome: `up ${up.verdict}, down ${down.verdict}` });
  }
  return steps;
}

function addressing(lists: Lists, t: TunnelEntity): Step[] {
  const a = lists.addressing.find((x) => x.tunnel === t.id);
  const steps: Step[] = [];
  const [dhcp] = a?.dhcp.exchanges ?? [];
  const first = dhcp?.messages[0];
  if (dhcp !== undefined) {
    const last = dhcp.messages[dhcp.messages.length - 1];
    steps.push({ name: 'DHCP', outcome: dhcp.outcome, ms: since(first?.at, last?.at), row: first?.row });
  }
  if (a !== undefined && a.slaac.rs + a.slaac.ra > 0) {
    const { ra, prefixes } = a.slaac;
    const outcome = ra === 0 ? 'no advertisement' : prefixes.length === 0 ? 'no prefix' : 'prefix';
    steps.push({ name: 'IPv6 router', outcome, row: a.slaac.messages[0]?.row });
  }
  if (a !== undefined || t.pcscf !== undefined) {
    const source = t.pcscf?.source;
    const outcome = source === undefined ? 'not found' : source === 'unknown' ? 'found' : `by ${source}`;
    steps.push({ name: 'P-CSCF', outcome });
  }
  return steps;
}

/** A step with the time at which it began. */
type Timed = Step & { readonly at: Moment };

const registering = (r: RegistrationEntity): Timed[] =>
  r.transactions.slice(0, 4).map((x, i) => {
    const outcome = x.status === undefined ? 'no answer' : `${x.status} ${x.reason ?? ''}`.trim();
    return { name: `REGISTER${i === 0 ? '' : ` ${i + 1}`}`, outcome, ms: x.ms, row: x.row, at: x.at };
  });

const stepOf = ({ at: _, ...step }: Timed): Step => step;

/** What a UE refreshes or ends when its call has begun has no part in how that came about. */
const isAfter = (s: Timed, call: CallEntity | undefined): boolean => call !== undefined && isBefore(call.start, s.at);

function calling(lists: Lists, c: CallEntity): Step[] {
  const steps: Step[] = [];
  const final = c.messages.find((m) => m.method === 'INVITE' && (m.status ?? 0) >= 200 && !isChallenge(m.status));
  const progress = c.messages.find((m) => m.method === 'INVITE' && (m.status ?? 0) > 100 && (m.status ?? 0) < 200);
  const outcome = final === undefined ? 'no final answer' : `${final.status} ${final.reason ?? ''}`.trim();
  if (progress !== undefined)
    steps.push({ name: 'INVITE, progress', outcome: String(progress.status), ms: c.pddMs, row: progress.row });
  steps.push({ name: 'INVITE, answer', outcome, ms: since(c.start, final?.at), row: final?.row ?? c.messages[0]?.row });
  if (c.answer !== undefined) for (const way of ['up', 'down'] as const) steps.push(...flowing(lists, c, way));
  const by = c.releasedBy === undefined ? '' : ` by the ${c.releasedBy}`;
  return [...steps, { name: 'call', outcome: `${c.state}${by}`, ms: c.durationMs }];
}

function flowing(lists: Lists, c: CallEntity, way: 'up' | 'down'): Step[] {
  const streams = lists.media.filter((m) => m.call === c.id && (m.direction ?? 'up') === way);
  if (c.tunnels.length === 0) return way === 'up' ? [speech('media', streams)] : [];
  return [speech(`media ${way}`, streams)];
}

function speech(name: string, streams: readonly MediaEntity[]): Step {
  if (streams.length === 0) return { name, outcome: 'none' };
  const lost = Math.max(...streams.map((m) => lossOf(m).percent));
  const codecs = [...new Set(streams.map((m) => m.codec ?? `type ${m.payloadType}`))].join(', ');
  return { name, outcome: `${codecs}${lost >= 1 ? `, ${number(lost, ' %')} lost` : ''}` };
}

/** The worst findings, each code once. */
function problems({ findings }: Lists): Step {
  const codes = new Set(findings.filter((f) => f.severity !== 'note').map((f) => f.code));
  const told = [...codes].slice(0, MOST_CODES).join(', ');
  const rest = moreWords(codes.size, MOST_CODES);
  return { name: 'findings', outcome: codes.size === 0 ? 'none' : rest === '' ? told : `${told} ${rest}` };
}

const release = (t: TunnelEntity): Step => ({
  name: 'end',
  outcome: `${t.release.how.replace('_', ' ')} by ${t.release.by}`,
  row: t.release.row,
});

/** Lays the steps of two captures side by side, in the order in which they come. */
export function compare(
  names: readonly [good: string, bad: string],
  good: readonly Step[],
  bad: readonly Step[],
): Comparison {
  const order = merged(
    good.map((s) => s.name),
    bad.map((s) => s.name),
  );
  const steps = order.map((name): ComparedStep => {
    const g = without(good.find((s) => s.name === name));
    const b = without(bad.find((s) => s.name === name));
    return { step: name, good: g, bad: b, same: g?.outcome === b?.outcome };
  });
  return { good: names[0], bad: names[1], steps, first: steps.findIndex((s) => !s.same) };
}

function without(s: Step | undefined): Omit<Step, 'name'> | undefined {
  if (s === undefined) return undefined;
  const { name: _, ...rest } = s;
  return rest;
}

/** Two orders as one: what only the second has stands behind what comes before it there. */
function merged(a: readonly string[], b: readonly string[]): string[] {
  const out = [...a];
  for (const [i, name] of b.entries()) {
    if (out.includes(name)) continue;
    const before = b.slice(0, i).findLast((n) => out.includes(n));
    out.splice(before === undefined ? 0 : out.indexOf(before) + 1, 0, name);
  }
  return out;
}

const told = (s: Omit<Step, 'name'> | undefined): string =>
  s === undefined ? '-' : `${printable(s.outcome)}${s.ms === undefined ? '' : ` (${number(s.ms, ' ms')})`}`;

const HEAD = ['', 'step', 'good', 'bad'] as const;
const mark = (c: Comparison, i: number): string => (i === c.first ? '>' : c.steps[i].same ? '' : '*');

/** The comparison as a table for a terminal; `>` marks the first difference, `*` the others. */
export function compareText(c: Comparison, width: number): string {
  const rows = c.steps.map((s, i) => [mark(c, i), s.step, told(s.good), told(s.bad)]);
  const name = Math.max(...rows.map((r) => cells(r[1])), 4);
  const side = Math.max(10, Math.floor((width - name - 7) / 2));
  const lines = [[...HEAD], ...rows].flatMap(([m, step, good, bad]) => {
    const [g, b] = [wrapped(good, side), wrapped(bad, side)];
    return Array.from({ length: Math.max(g.length, b.length) }, (_, k) => {
      const left = `${k === 0 ? padEnd(m, 1) : ' '} ${padEnd(k === 0 ? step : '', name)}`;
      return `${left}  ${padEnd(g[k] ?? '', side)}  ${b[k] ?? ''}`.trimEnd();
    });
  });
  const files = [`good: ${printable(c.good)}`, `bad:  ${printable(c.bad)}`].map((l) => fit(l, width));
  return `${[...files, '', ...lines, '', verdict(c)].join('\n')}\n`;
}

function verdict(c: Comparison): string {
  if (c.first < 0) return 'Both went the same way.';
  const { step, good, bad } = c.steps[c.first];
  const where = bad?.row === undefined ? '' : ` (row ${bad.row})`;
  const side = (s: typeof good): string => (s === undefined ? 'missing' : told(s));
  return `The first difference is ${step}: ${side(good)} in the good one, ${side(bad)} in the bad one${where}.`;
}

const escapedCell = (s: string): string => s.replace(/[\\`*_[\]<>|&]/g, (x) => `&#${x.charCodeAt(0)};`);

/** The comparison as Markdown; the first difference stands in bold. */
export function compareMarkdown(c: Comparison): string {
  const rows = c.steps.map((s, i) => {
    const row = [s.step, told(s.good), told(s.bad)].map(escapedCell);
    const shown = i === c.first ? row.map((x) => `**${x}**`) : row;
    return `| ${i === c.first ? '→' : s.same ? '' : '≠'} | ${shown.join(' | ')} |`;
  });
  const head = [`- good: ${escapedCell(printable(c.good))}`, `- bad: ${escapedCell(printable(c.bad))}`, ''];
  return `${['# Compared', '', ...head, '|  | step | good | bad |', '| --- | --- | --- | --- |', ...rows, '', escapedCell(verdict(c))].join('\n')}\n`;
}

/** The comparison as JSON: `fttscope.compare/1`. */
export function compareJson(c: Comparison): string {
  const { good, bad, steps, first } = c;
  const value = jsonOf({
    schema: 'fttscope.compare/1',
    good,
    bad,
    steps,
    ...(first >= 0 && { firstDifference: steps[first].step }),
  });
  return `${JSON.stringify(value, null, 1)}\n`;
}
