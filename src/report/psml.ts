import type { Row } from '../engine/row.js';
import { SUMMARY_TITLES, summary } from './text.js';
import { XML_HEAD, xml } from './xml.js';

const section = (text: string): string => `<section>${xml(text)}</section>\n`;

/** Writes the columns of rows as Wireshark's PSML (`tshark -T psml`). */
export class PsmlWriter {
  constructor(
    private readonly creator: string,
    private readonly timeOf: (row: Row) => string,
  ) {}

  head(): string {
    const titles = SUMMARY_TITLES.map(section).join('');
    return `${XML_HEAD}<psml version="0" creator="${xml(this.creator)}">\n<structure>\n${titles}</structure>\n\n`;
  }
  tail(): string {
    return '</psml>\n';
  }

  row(row: Row): string {
    return `<packet>\n${summary(row, this.timeOf).map(section).join('')}</packet>\n\n`;
  }
}
