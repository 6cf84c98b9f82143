import type { CaptureFile, Damage } from '../capture/chunk.js';
import type { FileSpan } from '../engine/session-tap.js';
import type { Moment } from '../model/moment.js';
import { isBefore } from '../model/moment.js';
import type { SessionModel } from '../model/session-model.js';
import { summaryOf } from './report-summary.js';

/** What a report is made of besides the model. */
export interface ReportParts {
  readonly generator: { readonly name: string; readonly version: string };
  readonly options: Readonly<Record<string, unknown>>;
  readonly files: readonly CaptureFile[];
  readonly damage: readonly Damage[];
  readonly spans: ReadonlyMap<number, FileSpan>;
}

/** The report of a capture, its members in the order of the contract. */
export function reportOf(model: SessionModel, parts: ReportParts): Record<string, unknown> {
  return {
    schema: 'fttscope.report/1',
    generator: parts.generator,
    options: parts.options,
    summary: summaryOf(model),
    capture: captureOf(parts),
    tunnels: model.tunnels,
    addressing: model.addressing,
    registrations: model.signalling.registrations.map((r) => r.entity()),
    calls: model.signalling.calls.map((c) => c.entity()),
    messages: model.signalling.messages.map((m) => m.entity),
    subscriptions: model.signalling.subscriptions.map((s) => s.entity),
    media: model.mediaEntities(),
  };
}

function captureOf({ files, damage, spans }: ReportParts): object {
  let start: Moment | undefined;
  let end: Moment | undefined;
  for (const s of spans.values()) {
    if (start === undefined || isBefore(s.start, start)) start = s.start;
    if (end === undefined || isBefore(end, s.end)) end = s.end;
  }
  return {
    files: files.map((f) => {
      const span = spans.get(f.id);
      const cut = damage.find((d) => d.file === f.id);
      return {
        id: f.id,
        name: f.name,
        format: f.format,
        linkTypes: [...new Set(f.interfaces.map((i) => i.link))].sort((a, b) => a - b),
        frames: f.frames,
        bytes: f.size ?? f.read,
        start: span?.start,
        end: span?.end,
        truncated: cut?.message,
        duplicates: span?.duplicates ?? 0,
      };
    }),
    start,
    end,
  };
}
