import type { Registry } from '../engine/registry.js';
import type { Row } from '../engine/row.js';
import { FilterError, type References, references } from '../filter/index.js';
import { printable } from '../kit/index.js';
import { endpoints } from '../report/columns.js';
import { columnValue } from '../report/value.js';
import type { FrameLook } from './viewer.js';

/** Characters of a cell that are kept. */
const LONGEST = 300;

/** The columns of a question as they are looked up in a tree; null: nothing has this name. */
export function columnsOf(texts: readonly string[], registry: Registry): readonly (References | null)[] {
  return texts.map((text) => {
    try {
      return references(text, registry);
    } catch (e) {
      if (e instanceof FilterError) return null;
      throw e;
    }
  });
}

/** What a row has in columns: several values with commas between, as Wireshark has them. */
export function cellsOfRow({ dissection }: Row, columns: readonly (References | null)[]): string[] {
  const { tree } = dissection;
  return columns.map((c) => {
    const values: string[] = [];
    c?.each(tree, (i) => values.push(columnValue(tree, i)));
    const text = values.join(',');
    return printable(text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text);
  });
}

/** How a list shows a frame. */
export function frameLook(row: Row): FrameLook {
  const [source, destination] = endpoints(row);
  const { dissection } = row;
  return { source, destination, protocol: dissection.protocol(), info: printable(dissection.info()) };
}
