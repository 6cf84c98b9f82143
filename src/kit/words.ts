/**
 * Sentences about what others wrote. Our own words and theirs are kept apart until a report is written: what is told of
 * theirs is decided there, by what it is, and nobody has to look for it.
 */

import { counted } from './text.js';

declare const TOLD: unique symbol;
declare const OURS: unique symbol;

/** A sentence as a report tells it: nothing in it is left to be hidden. It may stand in another one. */
export type Told = string & { readonly [TOLD]: true };
/** Text that is ours alone: our words, and numbers. */
export type Own = Told & { readonly [OURS]: true };

/**
 * What others wrote, by what it is: a host (a name or an address, with a port or without), addresses and prefixes of any
 * kind, a URI, a distinguished name, the name of a file, a line of a program that may name such things, and free text.
 */
export type Kind = 'host' | 'address' | 'uri' | 'issuer' | 'file' | 'line' | 'free';

/** Words of others in a sentence. */
export interface Quoted {
  readonly kind: Kind;
  readonly said: string;
}

/** A string that the compiler knows letter by letter stands in the code: it is ours. Any other is not. */
type Known<P> = P extends Own | number
  ? P
  : P extends string
    ? Record<never, 1> extends Record<P, 1>
      ? never
      : P
    : never;
type AllKnown<P> = { [K in keyof P]: Known<P[K]> };
type Fit<P> = P extends Quoted | Words | Told ? P : Known<P>;
type AllFit<P> = { [K in keyof P]: Fit<P[K]> };

let sentence: (parts: readonly (string | Quoted)[]) => Words;

/** A sentence in which others may be quoted. Only {@link words} and {@link joined} make them. */
export class Words {
  /** @param parts our own text as strings */
  private constructor(private readonly parts: readonly (string | Quoted)[]) {}

  static {
    sentence = (parts) => new Words(parts);
  }

  /** What it is made of, to be put into another. */
  static partsOf(w: Words): readonly (string | Quoted)[] {
    return w.parts;
  }

  /** The sentence with something in the place of what is quoted. */
  told(tell: (quoted: Quoted) => string): Told {
    return this.parts.map((p) => (typeof p === 'string' ? p : tell(p))).join('') as Told;
  }
}

/** Puts parts together; what of them is ours becomes one text. */
function composed(parts: readonly (string | number | Quoted | Words)[]): Words {
  const out: (string | Quoted)[] = [];
  const add = (p: string | Quoted): void => {
    const last = out.length - 1;
    if (typeof p === 'string' && typeof out[last] === 'string') out[last] += p;
    else if (p !== '') out.push(p);
  };
  for (const p of parts) {
    if (p instanceof Words) Words.partsOf(p).forEach(add);
    else add(typeof p === 'number' ? String(p) : p);
  }
  return sentence(out);
}

/** How a report tells sentences. */
export type Tell = (words: Words) => Told;

/** Tells a sentence as it is. */
export const asSaid: Tell = (w) => w.told((q) => q.said);

/** Text that is ours alone. What the compiler takes for a string that may come from anywhere it refuses. */
export const ours = <const P extends readonly unknown[]>(text: TemplateStringsArray, ...parts: P & AllKnown<P>): Own =>
  String.raw({ raw: text }, ...parts) as Own;

/** A sentence; words of others stand in it as {@link quoted}, and the compiler refuses them otherwise. */
export const words = <const P extends readonly unknown[]>(text: TemplateStringsArray, ...parts: P & AllFit<P>): Words =>
  composed(text.flatMap((t, i) => (i === 0 ? [t] : [parts[i - 1] as Quoted, t])));

/** Nothing at all. */
export const UNTOLD: Words = sentence([]);

/** Marks what others wrote. */
export const quoted = (kind: Kind, said: string): Quoted => ({ kind, said });

/** What others wrote where it is one of the words that we know, in any case of letters, and free text otherwise. */
export const oneOf = (said: string, known: ReadonlySet<string>): Own | Quoted =>
  known.has(said) || known.has(said.toLowerCase()) ? (said as Own) : quoted('free', said);

/** Text that is part of the code and that the compiler does not see to be so. A test lists who may say that of what. */
export const fromCode = (text: string): Own => text as Own;

/** The text that the code has for a number: its name in a table, or its digits. */
export const ofNumber = (n: number, text: (n: number) => string): Own => text(n) as Own;

/** A number to a tenth. */
export const tenths = (n: number): Own => ofNumber(n, (x) => x.toFixed(1));

/** `1 packet`, `2 packets`. */
export const ownCount = <const P extends string>(n: number, what: P & Known<P>): Own => counted(n, what) as Own;

/** Parts of a sentence with something between them. */
export const joined = (parts: readonly (Own | Quoted | Words)[], between: '' | ', ' | '; ' | ' or ' | ' and '): Words =>
  composed(parts.flatMap((p, i) => (i === 0 ? [p] : [between, p])));
