import type { Range } from './parse.js';
import type { Term } from './term.js';
import { asText, encodeText, isOctets, type Kind, type Value } from './value.js';

/** What a function or slice makes of one value; undefined: nothing. */
export function unary(term: Extract<Term, { of: Term }>): (v: Value) => Value | undefined {
  switch (term.op) {
    case 'slice': {
      const { parts } = term;
      return (v) => slice(v, parts);
    }
    case 'upper':
      return (v) => (v as string).toUpperCase();
    case 'lower':
      return (v) => (v as string).toLowerCase();
    case 'abs':
      return (v) => ((v as number) < 0 ? -(v as number) : v);
    case 'negate':
      return (v) => -(v as number);
    case 'hex':
      return (v) => `0x${(v as number).toString(16)}`;
    case 'octets':
      return (v) => (isOctets(v) ? v : encodeText(v as string));
    case 'text': {
      const { kind } = term.of;
      return (v) => asText(v, kind);
    }
  }
}

/** The parts one after the other; undefined where one of them reaches beyond the value. */
function slice(v: Value, parts: readonly Range[]): Value | undefined {
  const whole = isOctets(v) ? v : [...(v as string)];
  const out: (string | number)[] = [];
  for (const { start, length, last } of parts) {
    const from = start < 0 ? whole.length + start : start;
    let to = whole.length;
    if (last !== undefined) to = (last < 0 ? whole.length + last : last) + 1;
    else if (length !== undefined) to = length < 0 ? whole.length + length : from + length;
    if (from < 0 || from >= whole.length || to > whole.length || to <= from) return undefined;
    for (let i = from; i < to; i++) out.push(whole[i]);
  }
  return isOctets(v) ? Uint8Array.from(out as number[]) : out.join('');
}

/** What an operator makes of two values; undefined: nothing, as where it divides by zero. */
export function binary(term: Extract<Term, { op: 'arithmetic' }>): (a: Value, b: Value) => Value | undefined {
  const { symbol, left, right, kind } = term;
  if (symbol === '&') return bitAnd;
  if (kind === 'duration' && (symbol === '*' || symbol === '/')) {
    const sign = symbol;
    return (a, b) => scaled(a as bigint, Number(b), sign);
  }
  const whole = isWhole(left.kind) && isWhole(right.kind);
  return (a, b) => {
    if (typeof a === 'bigint' || typeof b === 'bigint')
      return whole ? bigSum(symbol, BigInt(a as number), BigInt(b as number)) : undefined;
    return sum(symbol, a as number, b as number, whole);
  };
}

const isWhole = (k: Kind): boolean => k !== 'float';

function scaled(nanos: bigint, factor: number, symbol: '*' | '/'): bigint | undefined {
  const n = symbol === '*' ? Number(nanos) * factor : Number(nanos) / factor;
  return Number.isFinite(n) ? BigInt(Math.round(n)) : undefined;
}

function sum(symbol: string, a: number, b: number, whole: boolean): number | undefined {
  if (symbol === '+') return a + b;
  if (symbol === '-') return a - b;
  if (symbol === '*') return a * b;
  if (b === 0) return undefined;
  if (symbol === '%') return a % b;
  return whole ? Math.trunc(a / b) : a / b;
}

function bigSum(symbol: string, a: bigint, b: bigint): bigint | undefined {
  if (symbol === '+') return a + b;
  if (symbol === '-') return a - b;
  if (symbol === '*') return a * b;
  if (b === 0n) return undefined;
  return symbol === '%' ? a % b : a / b;
}

function bitAnd(a: Value, b: Value): Value | undefined {
  if (isOctets(a) && isOctets(b)) return a.subarray(0, b.length).map((octet, i) => octet & b[i]);
  if (isOctets(a) || isOctets(b)) return undefined;
  if (typeof a === 'number' && typeof b === 'number' && a >= 0 && b >= 0 && a <= 0xffffffff && b <= 0xffffffff)
    return (a & b) >>> 0;
  return Number.isInteger(Number(a)) && Number.isInteger(Number(b)) ? BigInt(a) & BigInt(b) : undefined;
}
