import type { CaptureFile, Damage } from '../capture/chunk.js';
import type { SessionTap } from '../engine/session-tap.js';
import { quoted, type Tell, type Words, words } from '../kit/index.js';
import { type LimitReached, ReachedLimits } from '../limits.js';
import { CATALOGUE } from '../model/catalogue.js';
import type { CapturePoint, FindingEntity, ProtocolCounts, Severity } from '../model/entities.js';
import type { KnownFindings } from '../model/findings.js';
import type { Moment } from '../model/moment.js';
import { isBefore } from '../model/moment.js';
import type { Series } from '../model/series.js';
import type { SessionModel } from '../model/session-model.js';
import type { Pseudonyms } from './redact.js';
import { redacted } from './redact-report.js';
import { reportSchema } from './report-schema.js';
import { type Choice, chosen, type Lists } from './report-select.js';
import { type ReportSummary, summaryOf, talliesOf } from './report-summary.js';

/** What a report is made of besides the model. */
export interface ReportParts {
  readonly generator: { readonly name: string; readonly version: string };
  readonly options: Readonly<Record<string, unknown>>;
  readonly files: readonly CaptureFile[];
  readonly damage: readonly Damage[];
  readonly tap: SessionTap;
  /** Caps that were reached while the capture was read. */
  readonly limits?: readonly LimitReached[];
  /** Findings of an earlier report, by uid: they are left out. */
  readonly known?: KnownFindings;
  readonly choice?: Choice;
}

/** A report as values, its members in the order of its schema; {@link reportJson} writes it. */
export interface Report extends Lists {
  readonly schema: 'fttscope.report/1';
  readonly generator: ReportParts['generator'];
  readonly options: ReportParts['options'];
  readonly summary: ReportSummary;
  readonly capture: CaptureEntry;
  /** Rows and octets by stack of protocols: `fttims:ip:udp:sip`. */
  readonly protocols: ProtocolCounts;
  readonly limits: readonly LimitReached[];
}

/** What was read. */
export interface CaptureEntry {
  readonly files: readonly CaptureFileEntry[];
  readonly start?: Moment | undefined;
  readonly end?: Moment | undefined;
  readonly point?: CapturePoint | undefined;
}

/** A file of the capture. */
export interface CaptureFileEntry {
  readonly id: number;
  readonly name: string;
  readonly format: string;
  readonly linkTypes: readonly number[];
  readonly frames: number;
  readonly bytes: number;
  readonly start?: Moment | undefined;
  readonly end?: Moment | undefined;
  /** Why it was not read to its end. */
  readonly truncated?: string | undefined;
  readonly duplicates: number;
  readonly point?: CapturePoint | undefined;
}

/** The report of a capture. */
export function reportOf(model: SessionModel, parts: ReportParts): Report {
  const read = new Set(parts.files.map((f) => f.id));
  for (const d of parts.damage) if (read.has(d.file)) model.damaged(d.file, damageOf(d));
  const limits = limitsOf(model, parts);
  model.limited(limits);
  const findings = model.findingEntities(parts.known);
  const { signalling } = model;
  const all = {
    tunnels: model.tunnels,
    addressing: model.addressing,
    registrations: signalling.registrations.map((r) => r.entity()),
    calls: model.callEntities(),
    messages: signalling.messages.map((m) => m.entity),
    subscriptions: signalling.subscriptions.map((s) => s.entity),
    media: model.mediaEntities(),
    findings,
  };
  const lists = chosen(all, parts.choice ?? {});
  // Calls and media may be many, and those of the whole are counted.
  const tallies = lists === all ? model.tallies() : talliesOf(lists);
  return {
    schema: 'fttscope.report/1',
    generator: parts.generator,
    options: parts.options,
    summary: summaryOf(lists, tallies),
    capture: captureOf(parts, model.tell),
    ...lists,
    protocols: parts.tap.protocols(),
    limits,
  };
}

/** A file is named in the line that says what is wrong with it. */
const damageOf = ({ label, message }: Damage): Words =>
  message.startsWith(label)
    ? words`${quoted('file', label)}${quoted('line', message.slice(label.length))}`
    : words`${quoted('line', message)}`;

/**
 * The same with pseudonyms for whatever tells who and where somebody is, and without secrets.
 * @param model made with `names.tell`, so that its sentences have the same pseudonyms
 */
export function redactedReportOf(model: SessionModel, parts: ReportParts, names: Pseudonyms): Report {
  if (model.tell !== names.tell) throw new Error('the model does not tell its sentences with these pseudonyms');
  return redacted(reportOf(model, parts), reportSchema(Object.keys(CATALOGUE)), names);
}

const SEVERITIES: readonly Severity[] = ['note', 'warn', 'error'];

/** The findings that are as bad as `severity`, or worse. */
export const reaching = (findings: Series<FindingEntity>, severity: Severity): FindingEntity[] =>
  findings.filter((f) => SEVERITIES.indexOf(f.severity) >= SEVERITIES.indexOf(severity));

/** The findings in the text of an earlier report; undefined: their uids are pseudonyms. @throws SyntaxError, TypeError where it is none */
export function knownFindings(text: string): KnownFindings | undefined {
  const { findings, options } = JSON.parse(text) as {
    findings: readonly FindingEntity[];
    options: { redacted?: boolean };
  };
  return options.redacted === true ? undefined : new Map(findings.map((f) => [f.uid, f.severity]));
}

function captureOf({ files, damage, tap }: ReportParts, tell: Tell): CaptureEntry {
  let start: Moment | undefined;
  let end: Moment | undefined;
  for (const s of tap.files.values()) {
    if (start === undefined || isBefore(s.start, start)) start = s.start;
    if (end === undefined || isBefore(end, s.end)) end = s.end;
  }
  const points = new Set(tap.points.values());
  const point = points.size === 1 ? { point: [...points][0] } : {};
  return { files: files.map((f) => fileOf(f, tap, damage, tell)), start, end, ...point };
}

function fileOf(f: CaptureFile, tap: SessionTap, damage: readonly Damage[], tell: Tell): CaptureFileEntry {
  const span = tap.files.get(f.id);
  const damaged = damage.find((d) => d.file === f.id);
  return {
    id: f.id,
    name: f.name,
    format: f.format,
    linkTypes: [...new Set(f.interfaces.map((i) => i.link))].sort((a, b) => a - b),
    frames: f.frames,
    bytes: f.size ?? f.read,
    start: span?.start,
    end: span?.end,
    truncated: damaged && tell(damageOf(damaged)),
    duplicates: span?.duplicates ?? 0,
    point: tap.points.get(f.id),
  };
}

/** The caps that were reached, and how often, or how much did not fit. */
function limitsOf({ reached }: SessionModel, { limits = [], tap }: ReportParts): LimitReached[] {
  const all = new ReachedLimits();
  for (const { name, hit } of [...limits, ...reached.limits, ...tap.limits]) all.capped(name, hit);
  return all.limits;
}
