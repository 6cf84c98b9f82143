import { printable } from '../kit/index.js';
import { asMarkdown } from './markup.js';
import { jsonOf } from './report-json.js';
import { number } from './report-words.js';
import type { Step } from './steps.js';
import { cells, fit, padEnd, wrapped } from './width.js';

type Told = Omit<Step, 'name' | 'counts' | 'failed'>;

/** A step in both captures; a side that did not come to it lacks it. */
export interface ComparedStep {
  readonly step: string;
  readonly good?: Told | undefined;
  readonly bad?: Told | undefined;
  readonly same: boolean;
}

/** A capture that is compared. */
export interface Side {
  readonly name: string;
  /** What of it is compared, where there is more; '' where there is not. */
  readonly part: string;
  readonly steps: readonly Step[];
}

/** Two captures of what should have gone the same way, step by step. */
export interface Comparison {
  readonly good: string;
  readonly bad: string;
  /** What of each is compared, where there is more. */
  readonly parts: { readonly good: string; readonly bad: string };
  readonly steps: readonly ComparedStep[];
  /** Number of the first step that went another way, from 0; -1 where all went the same. */
  readonly first: number;
  /** Number of the first step that failed in the bad capture alone; -1 where none did. */
  readonly failed: number;
}

/** Lays the steps of two captures side by side, in the order in which they come. */
export function compare(good: Side, bad: Side): Comparison {
  const order = merged(
    good.steps.map((s) => s.name),
    bad.steps.map((s) => s.name),
  );
  const pairs = order.map((name) => {
    const of = (side: Side): Step | undefined => side.steps.find((s) => s.name === name);
    return { name, g: of(good), b: of(bad) };
  });
  const steps = pairs.map(({ name, g, b }): ComparedStep => {
    return { step: name, good: toldOf(g), bad: toldOf(b), same: countsOf(g) === countsOf(b) };
  });
  return {
    good: good.name,
    bad: bad.name,
    parts: { good: good.part, bad: bad.part },
    steps,
    first: steps.findIndex((s) => !s.same),
    failed: pairs.findIndex(({ g, b }) => b?.failed === true && g?.failed !== true),
  };
}

const countsOf = (s: Step | undefined): string | undefined => s?.counts ?? s?.outcome;

function toldOf(s: Step | undefined): Told | undefined {
  if (s === undefined) return undefined;
  const { name: _, counts: _counts, failed: _failed, ...rest } = s;
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

const told = (s: Told | undefined): string =>
  s === undefined ? '-' : `${printable(s.outcome)}${s.ms === undefined ? '' : ` (${number(s.ms, ' ms')})`}`;

/** The name of a capture, and what of it is compared. */
function nameOf(c: Comparison, side: 'good' | 'bad'): string {
  const part = c.parts[side];
  return `${printable(c[side])}${part === '' ? '' : `: ${part}`}`;
}

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
  const files = [`good: ${nameOf(c, 'good')}`, `bad:  ${nameOf(c, 'bad')}`].map((l) => fit(l, width));
  return `${[...files, '', ...lines, '', verdict(c)].join('\n')}\n`;
}

function verdict(c: Comparison): string {
  if (c.first < 0) return 'Both went the same way.';
  const first = `The first difference is ${sides(c.steps[c.first])}.`;
  return c.failed < 0 || c.failed === c.first
    ? first
    : `${first} The first that failed in the bad one alone is ${sides(c.steps[c.failed])}.`;
}

function sides({ step, good, bad }: ComparedStep): string {
  const where = bad?.row === undefined ? '' : ` (row ${bad.row})`;
  const side = (s: Told | undefined): string => (s === undefined ? 'missing' : told(s));
  return `${step}: ${side(good)} in the good one, ${side(bad)} in the bad one${where}`;
}

/** The comparison as Markdown; the first difference stands in bold. */
export function compareMarkdown(c: Comparison): string {
  const rows = c.steps.map((s, i) => {
    const row = [s.step, told(s.good), told(s.bad)].map(asMarkdown);
    const shown = i === c.first ? row.map((x) => `**${x}**`) : row;
    return `| ${i === c.first ? '→' : s.same ? '' : '≠'} | ${shown.join(' | ')} |`;
  });
  const head = [`- good: ${asMarkdown(nameOf(c, 'good'))}`, `- bad: ${asMarkdown(nameOf(c, 'bad'))}`, ''];
  return `${['# Compared', '', ...head, '|  | step | good | bad |', '| --- | --- | --- | --- |', ...rows, '', asMarkdown(verdict(c))].join('\n')}\n`;
}

/** The comparison as JSON: `fttscope.compare/1`. */
export function compareJson(c: Comparison): string {
  const { good, bad, parts, steps, first, failed } = c;
  const value = jsonOf({
    schema: 'fttscope.compare/1',
    good,
    bad,
    ...(parts.good !== '' && { goodPart: parts.good }),
    ...(parts.bad !== '' && { badPart: parts.bad }),
    steps,
    ...(first >= 0 && { firstDifference: steps[first].step }),
    ...(failed >= 0 && { firstFailure: steps[failed].step }),
  });
  return `${JSON.stringify(value, null, 1)}\n`;
}
