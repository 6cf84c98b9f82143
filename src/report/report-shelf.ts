import { LineFile } from '../capture/line-file.js';
import type { Shelf } from '../model/archive.js';
import type { Moment } from '../model/moment.js';
import { entryText } from './report-json.js';

/** Keeps entries on the disk as the text that the report will have of them. */
export class ReportShelf implements Shelf {
  private readonly lines = new LineFile();

  put(entry: object): number {
    return this.lines.put(entryText(entry));
  }

  text(place: number): string {
    return this.lines.get(place);
  }

  get(place: number): object {
    return entryOf(JSON.parse(this.text(place))) as object;
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
