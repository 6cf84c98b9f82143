import { isWide, printable } from '../kit/index.js';

/** Cells of a terminal that a piece of an expression takes; marks stand upon what is before them. */
const cells = (text: string): number =>
  [...text].reduce((n, c) => n + (/\p{M}/u.test(c) ? 0 : isWide(c.codePointAt(0) ?? 0) ? 2 : 1), 0);

/** Characters of an expression that are shown on one line, where its place can be marked; of a longer one a third each. */
const LINE = 72;

/** The last characters of what stands before something, or the first of what stands behind. */
const last = (text: string, most: number): string => (text.length <= most ? text : `…${text.slice(-most)}`);
const first = (text: string, most: number): string => (text.length <= most ? text : `${text.slice(0, most)}…`);

/** What is wrong with a filter expression, and where. */
export class FilterError extends Error {
  override readonly name = 'FilterError';

  /**
   * @param expression the whole expression
   * @param position offset of the offending part in the expression
   * @param length characters of the offending part, 0 at the end of the expression
   * @param suggestion a sentence that says what to write instead
   */
  constructor(
    message: string,
    readonly expression: string,
    readonly position: number,
    readonly length: number,
    readonly suggestion?: string,
  ) {
    super(message);
  }

  override toString(): string {
    return [this.message, ...this.shown()].join('\n');
  }

  /** Lines that show what is wrong: the expression, a caret under the offending part, and the suggestion if there is one. */
  shown(): string[] {
    const { expression, position, length } = this;
    const most = expression.length <= LINE ? LINE : LINE / 3;
    const before = last(expression.slice(0, position), most);
    const part = first(expression.slice(position, position + length), most);
    const behind = first(expression.slice(position + length), most);
    const caret = `^${'~'.repeat(Math.max(0, cells(part) - 1))}`;
    const lines = [`    ${printable(`${before}${part}${behind}`)}`, `    ${' '.repeat(cells(before))}${caret}`];
    if (this.suggestion !== undefined) lines.push(`  ${this.suggestion}`);
    return lines;
  }
}

/** Thrown where a piece of text is converted; whoever knows its place makes a {@link FilterError} of it. */
export class BadLiteral extends Error {
  constructor(
    message: string,
    readonly suggestion?: string,
  ) {
    super(message);
  }
}

/** A sentence for who writes a capture filter where a display filter belongs. */
export const captureFilterHint = (expression: string): string | undefined =>
  /\b(host|net|port|src|dst|portrange)\s+[\w.:]+/.test(expression)
    ? 'This looks like a capture filter. A display filter is written like tcp.port == 443 or ip.addr == 192.0.2.1.'
    : undefined;
