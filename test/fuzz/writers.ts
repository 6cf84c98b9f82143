/** Every form that a row is written in. */

import type { Row } from '../../src/engine/row.js';
import { Held } from '../../src/kit/index.js';
import { EkWriter } from '../../src/report/ek.js';
import { JsonWriter } from '../../src/report/json.js';
import { NdjsonWriter } from '../../src/report/ndjson.js';
import { PdmlWriter } from '../../src/report/pdml.js';
import { octetsText, summaryLine, timeColumn, treeText } from '../../src/report/text.js';
import { TextBytes } from '../../src/report/text-bytes.js';
import { Finding } from './input.js';

const TIMES = (['r', 'a', 'ad', 'adoy', 'd', 'dd', 'e', 'u', 'ud', 'udoy'] as const).map((t) => timeColumn(t));

/** What XML 1.0 does not allow in a document, §2.2. */
const NO_XML = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|&(?!(amp|lt|gt|quot|apos|#\d+|#x[0-9a-fA-F]+);)/;

export class Writers {
  private readonly ndjson = new NdjsonWriter();
  private readonly json = new JsonWriter(null, null);
  private readonly ek = new EkWriter(null, null);
  private readonly pdml = new PdmlWriter(null, null, 'fttscope', 'input');
  private readonly line = new TextBytes();
  private rows = 0;

  /** Writes the row in every form. @throws Finding for one that is not well-formed */
  write(row: Row): void {
    const { line } = this;
    numbers(row);
    summaryLine(row, TIMES[this.rows % TIMES.length], this.rows % 2 === 0);
    treeText(row);
    if (this.rows++ % 4 === 0) octetsText(row);
    line.reset();
    this.ndjson.print(row, line);
    wellFormed('ndjson', Buffer.from(line.octets).toString());
    for (const l of this.ek.row(row).trimEnd().split('\n')) wellFormed('ek', l);
    wellFormed('json', this.json.row(row).replace(/^[,\s]+/, ''));
    const xml = this.pdml.row(row);
    const bad = NO_XML.exec(xml);
    if (bad !== null)
      throw new Finding('output pdml', `${JSON.stringify(bad[0])} in ${xml.slice(bad.index - 200, bad.index + 40)}`);
  }
}

function wellFormed(format: string, text: string): void {
  try {
    JSON.parse(text);
  } catch (e) {
    throw new Finding(`output ${format}`, `${String(e)}: ${text.slice(0, 2000)}`);
  }
}

/** Numbers in the tree are numbers: a value read behind the end of the octets is none. */
export function numbers({ dissection: { tree: t } }: Pick<Row, 'dissection'>): void {
  for (let i = 0; i < t.length; i++) {
    const { name, type } = t.field(i);
    if (t.held(i) === Held.Number && type !== 'float' && !Number.isFinite(t.number[i]))
      throw new Finding(`number ${name}`, `${name} is ${t.number[i]}`);
    if (t.held(i) === Held.Octets && t.len[i]! < 0) throw new Finding(`length ${name}`, `${name}: ${t.len[i]} octets`);
  }
}
