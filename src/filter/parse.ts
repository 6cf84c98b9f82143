import { captureFilterHint, FilterError } from './error.js';
import { lex, type Token } from './lex.js';
import { shippedNames } from './saved-filters.js';

/** A part of the expression that is about values; `at` and `length` are its place. */
export type Operand = { readonly at: number; readonly length: number } & (
  | { readonly kind: 'word'; readonly name: string; readonly layers?: readonly Range[]; readonly raw: boolean }
  | { readonly kind: 'literal'; readonly token: Token }
  | { readonly kind: 'slice'; readonly of: Operand; readonly parts: readonly Range[] }
  | { readonly kind: 'call'; readonly name: Token; readonly args: readonly Operand[] }
  | { readonly kind: 'arithmetic'; readonly op: ArithmeticOp; readonly left: Operand; readonly right: Operand }
  | { readonly kind: 'negate'; readonly of: Operand }
);

/** `[start:length]`; without `length` to the end. With `last`, `[start-last]`, both included. Negative: from the end. */
export interface Range {
  readonly start: number;
  readonly length?: number;
  readonly last?: number;
}

/** Operators between numbers; `&` also stands for `bitand`, between octets. */
export type ArithmeticOp = '+' | '-' | '*' | '/' | '%' | '&';
/** Operators between two operands; `contains` and `matches` look for a part, or for a regular expression. */
export type CompareOp = '==' | '!=' | '>' | '<' | '>=' | '<=' | 'contains' | 'matches';
/** Of how many values of a field a test must hold. */
export type Quantifier = 'any' | 'all';

/** A part of the expression that holds or does not. */
export type Test =
  | { readonly kind: 'and' | 'or' | 'xor'; readonly left: Test; readonly right: Test }
  | { readonly kind: 'not'; readonly of: Test }
  | { readonly kind: 'truth'; readonly of: Operand }
  | Comparison
  | Membership;

/** Two operands and what is to hold between them; `all` asks it of every value that a field has in a row. */
export interface Comparison {
  readonly kind: 'compare';
  readonly op: CompareOp;
  readonly quantifier: Quantifier;
  readonly left: Operand;
  readonly right: Operand;
  /** The operator as written. */
  readonly symbol: Token;
}

/** `field in {1, 3 .. 5}`. */
export interface Membership {
  readonly kind: 'in';
  readonly quantifier: Quantifier;
  readonly left: Operand;
  /** Members; a pair is a range, both ends included. */
  readonly set: readonly (Operand | readonly [Operand, Operand])[];
}

const COMPARE: Readonly<Record<string, readonly [CompareOp, Quantifier]>> = {
  ...{ '==': ['==', 'any'], eq: ['==', 'any'], any_eq: ['==', 'any'], '===': ['==', 'all'], all_eq: ['==', 'all'] },
  ...{ '!=': ['!=', 'all'], ne: ['!=', 'all'], all_ne: ['!=', 'all'] },
  ...{ '!==': ['!=', 'any'], '~=': ['!=', 'any'], any_ne: ['!=', 'any'] },
  ...{ '>': ['>', 'any'], gt: ['>', 'any'], '<': ['<', 'any'], lt: ['<', 'any'] },
  ...{ '>=': ['>=', 'any'], ge: ['>=', 'any'], '<=': ['<=', 'any'], le: ['<=', 'any'] },
  ...{ contains: ['contains', 'any'], matches: ['matches', 'any'], '~': ['matches', 'any'] },
};
/** Words that cannot be values; upper-case ones get a hint. */
const RESERVED = new Set([...Object.keys(COMPARE), 'and', 'or', 'xor', 'not', 'in', 'bitwise_and', 'bitand']);
const SETS = 'A set is written {80, 443} or {5060 .. 5070}.';
const WILDCARDS = 'There are no wildcards: a network is written 10.0.0.0/24, a pattern as … matches "^INV".';
const DEEPEST = 100;
const LAYER = /^\d+$/;

/** Parses a filter expression; undefined for an empty one. @throws FilterError */
export function parse(text: string): Test | undefined {
  return new Parser(text).expression();
}

class Parser {
  private readonly tokens: Token[];
  private i = 0;
  private depth = 0;

  constructor(private readonly text: string) {
    this.tokens = lex(text);
  }

  expression(): Test | undefined {
    if (this.tokens[0].kind === 'end') return undefined;
    const test = this.or();
    if (this.now.kind !== 'end') this.unexpected();
    return test;
  }

  private get now(): Token {
    return this.tokens[this.i];
  }
  private is(...texts: string[]): boolean {
    const { kind, text } = this.now;
    return (kind === 'op' || kind === 'word') && texts.includes(text);
  }
  private take(...texts: string[]): Token | undefined {
    return this.is(...texts) ? this.tokens[this.i++] : undefined;
  }
  private expect(text: string, suggestion?: string): Token {
    return this.take(text) ?? this.unexpected(this.now, suggestion);
  }

  private unexpected(token = this.now, suggestion = this.hint(token)): never {
    if (token.kind === 'end')
      throw new FilterError('Unexpected end of filter expression.', this.text, this.text.length, 0, suggestion);
    const shown = this.text.slice(token.at, token.at + token.length);
    throw new FilterError(`"${shown}" was unexpected in this context.`, this.text, token.at, token.length, suggestion);
  }

  private hint(token: Token): string | undefined {
    const before = this.i > 0 ? this.tokens[this.i - 1] : undefined;
    if (token.text === '=') return 'Equality is written ==.';
    if (token.kind === 'end') return before?.text === '*' ? WILDCARDS : undefined;
    if (token.text === ',') return 'Several values are a set: … in {80, 443}.';
    for (const { kind, text } of before === undefined ? [token] : [token, before]) {
      const lower = text.toLowerCase();
      if (kind === 'word' && lower !== text && RESERVED.has(lower)) return `Did you mean ${lower}?`;
    }
    return captureFilterHint(this.text);
  }

  /** Runs `parse` one level deeper. */
  private nested<T>(parse: () => T): T {
    if (++this.depth > DEEPEST)
      throw new FilterError('The expression is nested too deeply.', this.text, this.now.at, this.now.length);
    const result = parse();
    this.depth--;
    return result;
  }

  private or(): Test {
    let left = this.xor();
    while (this.take('or', '||')) left = { kind: 'or', left, right: this.xor() };
    return left;
  }
  private xor(): Test {
    let left = this.and();
    while (this.take('xor', '^^')) left = { kind: 'xor', left, right: this.and() };
    return left;
  }
  private and(): Test {
    let left = this.not();
    while (this.take('and', '&&')) left = { kind: 'and', left, right: this.not() };
    return left;
  }
  private not(): Test {
    if (this.take('not', '!')) return { kind: 'not', of: this.nested(() => this.not()) };
    if (!this.take('(')) return this.comparison();
    const test = this.nested(() => this.or());
    this.expect(')');
    return test;
  }

  /** `[any|all] operand [op operand]…`: `a < b < c` means `a < b and b < c`. */
  private comparison(): Test {
    const quantifier = this.take('any', 'all')?.text as Quantifier | undefined;
    let left = this.operand();
    let test: Test | undefined;
    for (;;) {
      const one = this.relation(left, quantifier);
      if (one === undefined) break;
      test = test === undefined ? one.test : { kind: 'and', left: test, right: one.test };
      if (one.right === undefined) break;
      left = one.right;
    }
    if (test === undefined && quantifier !== undefined) this.unexpected();
    return test ?? { kind: 'truth', of: left };
  }

  private relation(left: Operand, quantifier?: Quantifier): { test: Test; right?: Operand } | undefined {
    const symbol = this.now;
    if ((symbol.kind === 'op' || symbol.kind === 'word') && Object.hasOwn(COMPARE, symbol.text)) {
      this.i++;
      const right = this.operand();
      const [op, usual] = COMPARE[symbol.text];
      return { test: { kind: 'compare', op, quantifier: quantifier ?? usual, left, right, symbol }, right };
    }
    if (this.take('in')) return { test: this.membership(left, quantifier ?? 'any') };
    if (this.is('not') && this.tokens[this.i + 1].text === 'in') {
      this.i += 2;
      return { test: { kind: 'not', of: this.membership(left, quantifier ?? 'any') } };
    }
    return undefined;
  }

  private membership(left: Operand, quantifier: Quantifier): Test {
    this.expect('{', SETS);
    const set: (Operand | readonly [Operand, Operand])[] = [];
    do {
      const member = this.operand();
      set.push(this.take('..') ? [member, this.operand()] : member);
    } while (this.take(','));
    this.expect('}', SETS);
    return { kind: 'in', quantifier, left, set };
  }

  private operand(): Operand {
    let left = this.sum();
    while (this.take('&', 'bitwise_and', 'bitand')) left = arithmetic('&', left, this.sum());
    return left;
  }
  private sum(): Operand {
    let left = this.product();
    for (let op = this.take('+', '-'); op; op = this.take('+', '-'))
      left = arithmetic(op.text as ArithmeticOp, left, this.product());
    return left;
  }
  private product(): Operand {
    let left = this.unary();
    for (let op = this.take('*', '/', '%'); op; op = this.take('*', '/', '%'))
      left = arithmetic(op.text as ArithmeticOp, left, this.unary());
    return left;
  }

  private unary(): Operand {
    const sign = this.take('-');
    if (sign === undefined) return this.take('+') ? this.nested(() => this.unary()) : this.postfix();
    const number = this.now;
    if (number.kind === 'word' && /^\d/.test(number.text) && number.at === sign.at + 1) {
      this.i++;
      const token: Token = { kind: 'word', text: `-${number.text}`, at: sign.at, length: number.length + 1 };
      return { kind: 'literal', token, at: token.at, length: token.length };
    }
    const of = this.nested(() => this.unary());
    return { kind: 'negate', of, at: sign.at, length: of.at + of.length - sign.at };
  }

  private postfix(): Operand {
    let operand = this.primary();
    while (this.now.kind === 'range') {
      const token = this.tokens[this.i++];
      const length = token.at + token.length - operand.at;
      operand = { kind: 'slice', of: operand, parts: this.ranges(token), at: operand.at, length };
    }
    return operand;
  }

  private primary(): Operand {
    const token = this.now;
    const { at, length } = token;
    if (this.take('{', '(')) {
      const inner = this.nested(() => this.operand());
      this.expect(token.text === '{' ? '}' : ')');
      return inner;
    }
    if (this.take('@')) return this.word(this.now, at, true);
    if (this.is('$')) return this.macro(token);
    if (token.kind === 'string' || token.kind === 'raw' || token.kind === 'char') {
      this.i++;
      return { kind: 'literal', token, at, length };
    }
    return this.word(token, at, false);
  }

  private word(token: Token, at: number, raw: boolean): Operand {
    if (token.kind !== 'word' || RESERVED.has(token.text)) this.unexpected(token);
    this.i++;
    if (this.is('(') && this.now.at === token.at + token.length) return this.call(token);
    const name = token.text;
    let { length } = token;
    if (this.is('#')) {
      this.i++;
      const layer = this.tokens[this.i++];
      if (layer.kind !== 'range' && !LAYER.test(layer.text))
        throw new FilterError(`Expected digit or "[", not "${layer.text}"`, this.text, layer.at, layer.length);
      const layers = layer.kind === 'range' ? this.ranges(layer) : [{ start: Number(layer.text), length: 1 }];
      length = layer.at + layer.length - at;
      return { kind: 'word', name, raw, layers, at, length };
    }
    return { kind: 'word', name, raw, at, length: token.at + length - at };
  }

  private call(name: Token): Operand {
    this.i++;
    const args: Operand[] = [];
    while (!this.is(')')) {
      args.push(this.nested(() => this.operand()));
      if (!this.take(',')) break;
    }
    const close = this.expect(')');
    return { kind: 'call', name, args, at: name.at, length: close.at + 1 - name.at };
  }

  private macro(token: Token): never {
    const end = /^\$\{?[\w.]*\}?/.exec(this.text.slice(token.at))![0];
    const name = end.replace(/[${}]/g, '');
    const names = shippedNames().join(', ');
    throw new FilterError(
      `macro '${name}' does not exist`,
      this.text,
      token.at,
      end.length,
      `There are ${names}, and those of the settings (on a command line: of --config FILE).`,
    );
  }

  private ranges(token: Token): Range[] {
    return token.text.split(',').map((part) => {
      const m = /^\s*(-?\d{1,9})?(?:\s*([:-])\s*(-?\d{1,9})?)?\s*$/.exec(part);
      const [, start, separator, end] = m ?? [];
      if (m === null || (separator === '-' ? !start || !end : !start && !separator))
        throw new FilterError(`"${part.trim()}" is not a valid range.`, this.text, token.at, token.length);
      if (separator === '-') return { start: Number(start), last: Number(end) };
      if (separator === undefined) return { start: Number(start), length: 1 };
      return end === undefined ? { start: Number(start) } : { start: Number(start ?? 0), length: Number(end) };
    });
  }
}

function arithmetic(op: ArithmeticOp, left: Operand, right: Operand): Operand {
  return { kind: 'arithmetic', op, left, right, at: left.at, length: right.at + right.length - left.at };
}
