import { OctetWriter } from '../capture/output.js';
import type { Row } from '../engine/row.js';
import { JsonWriter } from '../report/json.js';
import type { RowFile } from '../viewer/viewed-capture.js';

/** Writes rows to a file as `read -T json` prints them. */
export class JsonFile implements RowFile {
  readonly options = { fields: null, experts: true, info: true, analyseTcp: true } as const;
  private readonly json = new JsonWriter(null, null);
  private readonly out: OctetWriter;
  private count = 0;

  /**
   * @param inputs files being read, which are never written over
   * @throws CaptureError when it cannot be written
   */
  constructor(path: string, inputs: readonly string[]) {
    this.out = new OctetWriter(path, inputs);
    this.write(this.json.head());
  }

  private write(text: string): void {
    this.out.octets(Buffer.from(text, 'utf8'));
  }

  take(row: Row): void {
    this.write(this.json.row(row));
    this.count++;
  }

  end(): number {
    this.write(this.json.tail());
    this.out.end();
    return this.count;
  }

  abandon(): void {
    this.out.abandon();
  }
}
