import { LineFile } from '../capture/line-file.js';
import type { Shelf } from '../model/archive.js';
import type { FindingEntity } from '../model/entities.js';
import type { Moment } from '../model/moment.js';
import { MadeSeries } from '../model/series.js';
import { EntryWriter } from './entry-writer.js';
import type { Report } from './report.js';
import { TextBytes } from './text-bytes.js';

/** Findings that are no burden. */
const FEW = 256;

const utf8 = new TextDecoder();

/** Keeps entries on the disk as the text that the report will have of them. */
export class ReportShelf implements Shelf {
  private readonly lines = new LineFile();
  private readonly text = new TextBytes();
  private readonly writer = new EntryWriter(this.text);

  put(entry: object): number {
    this.text.reset();
    this.writer.write(entry);
    return this.lines.put(this.text.octets);
  }

  line(place: number): Uint8Array {
    return this.lines.get(place);
  }

  get(place: number): object {
    return entryOf(JSON.parse(utf8.decode(this.line(place)))) as object;
  }

  /** The report with its findings on the shelf, where they are many: it is kept for whoever asks for it again. */
  aside(report: Report): Report {
    if (report.findings.length < FEW) return report;
    const places = report.findings.map((f) => this.put(f));
    const findings = new MadeSeries(places.length, (i) => this.get(places[i]) as FindingEntity);
    return { ...report, findings };
  }

  close(): void {
    this.lines.close();
  }
}

/** A value of a report that was read: its times are moments again. */
function entryOf(json: unknown): unknown {
  if (typeof json !== 'object' || json === null) return json;
  if (Array.isArray(json)) return json.map(entryOf);
  if ('iso' in json && 'epoch' in json) return momentOf(String(json.epoch));
  return Object.fromEntries(Object.entries(json).map(([key, v]) => [key, entryOf(v)]));
}

/** The time that a decimal number of seconds with nine places says. */
function momentOf(epoch: string): Moment {
  const [seconds, nanos] = epoch.split('.').map(Number);
  return epoch.startsWith('-') ? { seconds, nanos: -nanos } : { seconds, nanos };
}
