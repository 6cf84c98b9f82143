import { type Field, table } from '../kit/index.js';
import { type Names, textHint } from './catalogue.js';
import { BadLiteral, FilterError } from './error.js';
import { octetsOf } from './lex.js';
import { convert, isByteString, type Literal, type Written } from './literal.js';
import type { Comparison, Membership, Operand, Test } from './parse.js';
import { compilePattern, type Pattern } from './regex.js';
import type { Checked, FieldRef, OrderOp, Term } from './term.js';
import { decodeText, encodeText, type Kind, limits, typeTitle } from './value.js';

/** What a literal is compared with: its kind, and the field where the other side is one. */
interface Expected {
  readonly kind: Kind;
  readonly field?: Field | undefined;
}

type FieldTerm = Extract<Term, { op: 'field' }>;
const NUMERIC: readonly Kind[] = ['number', 'float', 'bool'];
const OCTETS: readonly Kind[] = ['bytes', 'ether', 'guid', 'ipv6'];
const isNumeric = (k: Kind): boolean => NUMERIC.includes(k);
const isOctets = (k: Kind): boolean => OCTETS.includes(k);

/** Gives every name its fields and every value its type. */
export class Checker {
  readonly hints: string[] = [];

  constructor(
    private readonly names: Names,
    private readonly text: string,
  ) {}

  test(t: Test): Checked {
    switch (t.kind) {
      case 'and':
      case 'or':
      case 'xor':
        return { op: t.kind, left: this.test(t.left), right: this.test(t.right) };
      case 'not':
        return { op: 'not', of: this.test(t.of) };
      case 'truth':
        return this.truth(t.of);
      case 'compare':
        return this.comparison(t);
      case 'in':
        return this.membership(t);
    }
  }

  private fail(message: string, o: Operand, suggestion?: string): never {
    throw new FilterError(message, this.text, o.at, o.length, suggestion);
  }
  private shown(o: Operand): string {
    return this.text.slice(o.at, o.at + o.length);
  }

  /** An operand on its own: does it exist, or do its bits leave something? */
  private truth(o: Operand): Checked {
    if (o.kind === 'word') {
      const ref = this.field(o);
      if (ref.kind === 'bool')
        this.hints.push(`${ref.name} alone means that the field is there; ${ref.name} == true tests its value.`);
      return { op: 'exists', ref };
    }
    if (o.kind === 'slice') return { op: 'present', of: this.value(o) };
    if (o.kind === 'arithmetic' && o.op === '&') return { op: 'nonzero', of: this.value(o) };
    if (o.kind === 'call') this.fail('You cannot test whether a function is present.', o);
    if (o.kind === 'literal')
      this.fail(
        `${this.shown(o)} is neither a field nor a protocol name.`,
        o,
        o.token.kind === 'string' ? textHint(this.shown(o)) : undefined,
      );
    return this.fail(`"${this.shown(o)}" is not a test.`, o, 'Compare it with something, as in … == 1.');
  }

  private comparison(c: Comparison): Checked {
    const left = this.leftSide(c.left, c.symbol.text);
    if (c.op === 'matches')
      return {
        op: 'matches',
        quantifier: c.quantifier,
        left: this.asSubject(left, c.left),
        pattern: this.pattern(c.right),
      };
    if (c.op === 'contains') return this.contains(c, left);
    const [a, b] = this.pair(left, c.right, c.left);
    if (c.op === '==' || c.op === '!=') this.possible(a, b, c.right);
    if (c.op !== '==' && c.op !== '!=' && b.op === 'constant' && b.literal.oneOf)
      this.fail(`Several values have this name, so that "${c.symbol.text}" has no meaning.`, c.right);
    return { op: 'compare', order: c.op as OrderOp, quantifier: c.quantifier, left: a, right: b };
  }

  /** Refuses a text that a field with a closed list of them never has. */
  private possible(left: Term, right: Term, o: Operand): void {
    if (left.op !== 'field' || right.op !== 'constant') return;
    const [{ name, words }] = left.ref.fields;
    const { value } = right.literal;
    if (words === undefined || words.includes(String(value))) return;
    const list = words.map((w) => `"${w}"`).join(', ');
    this.fail(`"${value}" cannot be found among the possible values for ${name}.`, o, `It can be ${list}.`);
  }

  private leftSide(o: Operand, symbol: string): Term {
    if (o.kind === 'literal' || (o.kind === 'word' && /^[\d:]/.test(o.name) && !this.names.has(o.name)))
      this.fail(`Left side of "${symbol}" expression must be a field or function, not ${this.shown(o)}.`, o);
    if (o.kind !== 'call' && this.isLiteral(o)) {
      if (o.kind === 'word') this.field(o);
      this.fail('Constant arithmetic expression on the LHS is invalid.', o);
    }
    return this.value(o);
  }

  /** Both sides of a comparison, brought to one kind. */
  private pair(left: Term, right: Operand, leftOperand: Operand): [Term, Term] {
    if (left.kind === 'none')
      this.fail(`${this.shown(leftOperand)} (type=Label) has no value to compare.`, leftOperand);
    if (left.kind === 'string' && left.op === 'slice' && right.kind === 'word' && isByteString(right.name))
      return [{ op: 'octets', kind: 'bytes', of: left }, this.literal(right, { kind: 'bytes' })];
    const expected = { kind: left.kind, field: labelField(left) };
    // `ip.proto == udp` means the name of the value, not the layer.
    const name = right.kind === 'word' && !right.raw && !right.layers && this.names.isLayer(right.name);
    const b = name && !isOctets(left.kind) ? this.literal(right, expected) : this.value(right, expected);
    if (comparable(left.kind, b.kind)) return [left, b];
    if (left.kind === 'string' && isOctets(b.kind)) return [{ op: 'octets', kind: 'bytes', of: left }, b];
    if (b.kind === 'string' && isOctets(left.kind)) return [left, { op: 'octets', kind: 'bytes', of: b }];
    return this.fail(`${this.shown(leftOperand)} and ${this.shown(right)} are not of compatible types.`, right);
  }

  private contains(c: Comparison, left: Term): Checked {
    const { quantifier } = c;
    const subject = this.searched(left, c.left);
    if (subject.kind !== 'string' && subject.kind !== 'bytes') this.refuse(c.left, left, 'contains');
    const [a, b] = this.pair(subject, c.right, c.left);
    return { op: 'contains', quantifier, left: a, right: b };
  }

  /** What something is looked for in: the name of a value, all octets of a layer, those of a MAC address. */
  private searched(t: Term, o: Operand): Term {
    if (t.kind === 'number' && hasLabels(t)) return this.asSubject(t, o);
    return t.kind === 'ether' ? rawOctets(t) : whole(t);
  }

  private refuse(o: Operand, t: Term, operator: string): never {
    const title = t.op === 'field' ? typeTitle(t.ref.fields[0].type) : t.kind;
    return this.fail(
      `${this.shown(o)} (type=${title}) cannot participate in ${operator} comparison.`,
      o,
      t.kind === 'none' ? undefined : `As text: string(${this.shown(o)}) ${operator} "…"`,
    );
  }

  /** What a regular expression looks at: text, octets, or the name or text of another value. */
  private asSubject(t: Term, o: Operand): Term {
    if (t.kind === 'none') this.refuse(o, t, 'matches');
    if (t.kind === 'string' || isOctets(t.kind)) return t.kind === 'ipv6' || t.kind === 'ether' ? text(t) : whole(t);
    return hasLabels(t) ? { op: 'label', kind: 'string', ref: t.ref } : text(t);
  }

  private pattern(o: Operand): Pattern {
    if (o.kind !== 'literal' || o.token.kind === 'word' || o.token.kind === 'char')
      this.fail('Matches requires a double quoted string on the right side.', o, `Write "${this.shown(o)}".`);
    return this.placed(o, () => compilePattern(octetsOf(o.token, this.text, true)));
  }

  private membership(m: Membership): Checked {
    const left = this.leftSide(m.left, 'in');
    const member = (o: Operand) => this.pair(left, o, m.left)[1];
    const one = (o: Operand): Term => {
      const term = member(o);
      this.possible(left, term, o);
      return term;
    };
    const members = m.set.map((o) => ('kind' in o ? one(o) : ([member(o[0]), member(o[1])] as const)));
    return { op: 'in', quantifier: m.quantifier, left, members };
  }

  /** Turns an operand into a term; literals become what `expected` says. */
  private value(o: Operand, expected?: Expected): Term {
    switch (o.kind) {
      case 'word':
        return expected && this.isLiteral(o) ? this.literal(o, expected) : this.fieldTerm(o);
      case 'literal':
        return this.literal(o, expected ?? this.fail(`"${this.shown(o)}" has no type here.`, o));
      case 'slice':
        return this.slice(o, expected);
      case 'call':
        return this.call(o);
      case 'negate': {
        const of = this.value(o.of, expected);
        if (!isNumeric(of.kind) && of.kind !== 'duration') this.fail(`${this.shown(o.of)} cannot be negated.`, o.of);
        return { op: 'negate', kind: of.kind, of };
      }
      case 'arithmetic':
        return this.arithmetic(o, expected);
    }
  }

  /** Whether nothing in the operand is a field. */
  private isLiteral(o: Operand): boolean {
    if (o.kind === 'literal') return true;
    if (o.kind === 'word') return !o.raw && o.layers === undefined && !this.names.has(o.name);
    if (o.kind === 'negate' || o.kind === 'slice') return this.isLiteral(o.of);
    if (o.kind === 'arithmetic') return this.isLiteral(o.left) && this.isLiteral(o.right);
    return o.args.length > 0 && o.args.every((a) => this.isLiteral(a));
  }

  private field(o: Extract<Operand, { kind: 'word' }>): FieldRef {
    const ref = this.names.resolve(o.name, o.layers, this.text, o.raw ? o.at + 1 : o.at);
    return o.raw ? { ...ref, kind: 'bytes' } : ref;
  }
  private fieldTerm(o: Extract<Operand, { kind: 'word' }>): FieldTerm {
    const ref = this.field(o);
    return { op: 'field', kind: ref.kind, ref };
  }

  private literal(o: Operand, expected: Expected): Term {
    const written = this.written(o);
    const literal: Literal = this.placed(o, () => convert(written, expected.kind, expected.field));
    return { op: 'constant', kind: expected.kind, literal };
  }

  private written(o: Operand): Written {
    const shown = this.shown(o);
    if (o.kind !== 'literal' || o.token.kind === 'word') {
      const word = o.kind === 'literal' ? o.token.text : shown;
      return { shown, text: word, quoting: 'none', octets: encodeText(word) };
    }
    const octets = octetsOf(o.token, this.text);
    return { shown, text: decodeText(octets), quoting: o.token.kind === 'char' ? 'char' : 'string', octets };
  }

  private placed<T>(o: Operand, f: () => T): T {
    try {
      return f();
    } catch (e) {
      if (e instanceof BadLiteral) this.fail(e.message, o, e.suggestion);
      throw e;
    }
  }

  private slice(o: Extract<Operand, { kind: 'slice' }>, expected?: Expected): Term {
    const of = this.value(o.of, expected);
    if (of.kind === 'string') return { op: 'slice', kind: 'string', of, parts: o.parts };
    if (isOctets(of.kind) || (of.kind === 'ipv4' && of.op === 'field'))
      return { op: 'slice', kind: 'bytes', of: rawOctets(of), parts: o.parts };
    const title = of.op === 'field' ? typeTitle(of.ref.fields[0].type) : of.kind;
    return this.fail(`"${this.shown(o.of)}" is a ${title} and cannot be sliced into a sequence of bytes.`, o.of);
  }

  private arithmetic(o: Extract<Operand, { kind: 'arithmetic' }>, expected?: Expected): Term {
    const rightFirst = this.isLiteral(o.left) && !this.isLiteral(o.right);
    const scaled = o.op === '*' || o.op === '/' || o.op === '%';
    const scale = (t: Term): Expected => ({
      kind: scaled && t.kind === 'duration' ? 'float' : t.kind === 'time' ? 'duration' : t.kind,
    });
    const first = this.value(
      rightFirst ? o.right : o.left,
      expected ?? (this.isLiteral(o) ? undefined : { kind: 'number' }),
    );
    const second = this.value(rightFirst ? o.left : o.right, scale(first));
    const [left, right] = rightFirst ? [second, first] : [first, second];
    if (o.op === '&' && (isLayer(left) || isLayer(right)))
      this.fail('Layers have no bits that are set or not.', o, 'Did you mean &&?');
    const kind = resultKind(o.op, left.kind, right.kind);
    if (kind === undefined)
      this.fail(`${this.shown(o.left)} and ${this.shown(o.right)} cannot be combined by "${o.op}".`, o.right);
    return { op: 'arithmetic', kind, symbol: o.op, left, right };
  }

  private call(o: Extract<Operand, { kind: 'call' }>): Term {
    const name = o.name.text;
    const known = FUNCTIONS[name];
    if (known === undefined) {
      const names = Object.keys(FUNCTIONS).join(', ');
      throw new FilterError(`Function '${name}' does not exist`, this.text, o.at, name.length, `There are ${names}.`);
    }
    const [least, most] = known;
    if (o.args.length < least || o.args.length > most)
      this.fail(
        `Function ${name} needs ${least === most ? least : `at least ${least}`} argument${least === 1 ? '' : 's'}.`,
        o,
      );
    if (name === 'max' || name === 'min') return this.extreme(name, o.args, o);
    const arg = o.args[0];
    if (this.isLiteral(arg)) {
      if (arg.kind === 'word' && /^[A-Za-z_]/.test(arg.name)) this.field(arg);
      this.fail(`Argument '${this.shown(arg)}' is not valid for ${name}()`, arg);
    }
    return this.unaryCall(name, this.value(arg), arg);
  }

  private unaryCall(name: string, of: Term, arg: Operand): Term {
    switch (name) {
      case 'len':
      case 'count':
        if (of.op !== 'field') return this.fail(`Only a field can be used as parameter for ${name}()`, arg);
        return { op: name, kind: 'number', ref: of.ref };
      case 'upper':
      case 'lower':
        if (of.kind !== 'string') this.fail(`Only string type fields can be used as parameter for ${name}()`, arg);
        return { op: name, kind: 'string', of };
      case 'vals':
        if (!hasLabels(of)) return this.fail(`Field "${this.shown(arg)}" has no names of values`, arg);
        return { op: 'label', kind: 'string', ref: of.ref };
      case 'abs':
        if (!isNumeric(of.kind) && of.kind !== 'duration') this.fail(`${this.shown(arg)} is not a number`, arg);
        return { op: 'abs', kind: of.kind, of };
      case 'hex':
      case 'dec':
        if (of.kind !== 'number') this.fail(`Only unsigned integer fields can be used as parameter for ${name}()`, arg);
        return name === 'hex' ? { op: 'hex', kind: 'string', of } : text(of);
      default:
        if (of.kind === 'string' || of.kind === 'bytes' || of.kind === 'none')
          this.fail(`String conversion for field "${this.shown(arg)}" is not supported`, arg);
        return text(of);
    }
  }

  private extreme(op: 'max' | 'min', args: readonly Operand[], o: Operand): Term {
    const typed = args.find((a) => !this.isLiteral(a));
    if (typed === undefined) return this.fail(`Argument '${this.shown(args[0])}' is not valid for ${op}()`, args[0]);
    const { kind } = this.value(typed);
    if (kind === 'none') this.fail(`Argument '${this.shown(typed)}' is not valid for ${op}()`, typed);
    const of = args.map((a) => this.value(a, { kind }));
    if (of.some((t) => !comparable(kind, t.kind))) this.fail(`Arguments of ${op}() must all have the same type.`, o);
    return { op, kind, of };
  }
}

/** Functions and how many arguments they take. */
const FUNCTIONS = table<readonly [least: number, most: number]>({
  ...{ len: [1, 1], count: [1, 1], upper: [1, 1], lower: [1, 1], string: [1, 1], vals: [1, 1], dec: [1, 1] },
  ...{ hex: [1, 1], max: [1, 64], min: [1, 64], abs: [1, 1] },
});

const text = (of: Term): Term => ({ op: 'text', kind: 'string', of });
const whole = (t: Term): Term => (t.op === 'field' && t.kind === 'bytes' ? { ...t, whole: true } : t);
const rawOctets = (t: Term): Term => (t.op === 'field' ? { ...t, kind: 'bytes', ref: { ...t.ref, kind: 'bytes' } } : t);
const hasLabels = (t: Term): t is FieldTerm =>
  t.op === 'field' && isNumeric(t.kind) && t.ref.fields.some((f) => f.values !== undefined);

const isLayer = (t: Term): boolean => t.op === 'field' && t.ref.fields[0].type === 'protocol';

const comparable = (a: Kind, b: Kind): boolean =>
  a === b || (isNumeric(a) && isNumeric(b)) || (isOctets(a) && isOctets(b));

/** The field that tells which numbers and names a literal may be: the widest one, one with names before others. */
function labelField(t: Term): Field | undefined {
  if (t.op !== 'field') return undefined;
  const max = (f: Field) => limits(f)?.max ?? 0n;
  return [...t.ref.fields].sort(
    (a, b) => Number(b.values !== undefined) - Number(a.values !== undefined) || Number(max(b) - max(a)),
  )[0];
}

function resultKind(op: string, a: Kind, b: Kind): Kind | undefined {
  if (isNumeric(a) && isNumeric(b)) return a === 'float' || b === 'float' ? 'float' : 'number';
  if (op === '&') return comparable(a, b) && (isOctets(a) || a === 'ipv4') ? a : undefined;
  if (op === '+' && (a === 'time' || b === 'time')) return a === 'duration' || b === 'duration' ? 'time' : undefined;
  if (op === '-' && a === 'time') return b === 'time' ? 'duration' : b === 'duration' ? 'time' : undefined;
  if ((op === '+' || op === '-') && a === 'duration' && b === 'duration') return 'duration';
  if ((op === '*' || op === '/') && a === 'duration' && isNumeric(b)) return 'duration';
  return undefined;
}
