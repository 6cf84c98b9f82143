/** Key logs and display filters, right and wrong. */

import type { Registry } from '../../src/engine/registry.js';
import { type Chance, mutate } from './mutate.js';

const text = (s: string): Uint8Array => Buffer.from(s, 'utf8');

const LABELS = [
  'CLIENT_RANDOM',
  'CLIENT_TRAFFIC_SECRET_0',
  'RSA',
  'RSA Session-ID:',
  'EXPORTER_SECRET',
  'PMS_CLIENT_RANDOM',
  '',
];
const PEM =
  '-----BEGIN PRIVATE KEY-----\nMIIBVgIBADANBgkqhkiG9w0BAQEFAASCAUAwggE8AgEAAkEA\n-----END PRIVATE KEY-----\n';

const hex = (c: Chance, n: number): string => Buffer.from(c.octets(n)).toString('hex');

/** A key log of a capture changed, or lines of parts that need not fit. */
export function keyLogText(c: Chance, log: string): Uint8Array {
  if (log !== '' && c.is(0.5)) return mutate(text(log), c, 12);
  const line = (): string => {
    if (c.is(0.05)) return PEM;
    const secret = hex(c, c.of([0, 1, 31, 32, 48, 64, 300]));
    const end = c.of(['\n', '\r\n', '', '\0', '\n\n']);
    return `${c.of(LABELS)}${c.of([' ', '  ', '\t', ''])}${hex(c, c.of([32, 32, 31, 8, 0]))} ${secret}${end}`;
  };
  return mutate(text(Array.from({ length: c.few(30) }, line).join('')), c, 4);
}

const TESTS = [
  '==',
  '!=',
  '===',
  '!==',
  '~=',
  '>',
  '<',
  '>=',
  '<=',
  'eq',
  'ne',
  'any_eq',
  'contains',
  'matches',
  '~',
  '&',
  'in',
  'not in',
];
const VALUES = [
  '0',
  '1',
  '-1',
  '0xff',
  '017',
  '4294967296',
  '18446744073709551616',
  '1.5',
  '"a"',
  'r"\\d"',
  '"(a+)+$"',
  '"["',
];
const MORE_VALUES = [
  '10.0.0.1',
  '10.0.0.0/33',
  '::1',
  '2001:db8::/32',
  'aa:bb:cc:dd:ee:ff',
  '12:34',
  ':ff',
  "'a'",
  "'\\x41'",
];
const SETS = [
  '{1,2}',
  '{1..2}',
  '{"a" "b"}',
  '{}',
  '{1,',
  '"Jan  1, 2020 00:00:00"',
  'true',
  'TRUE',
  'and',
  '$x',
  '@ip.src',
];
const FUNCTIONS = ['len', 'upper', 'lower', 'count', 'string', 'max', 'min', 'abs', 'ip_special_name', 'x'];
const SLICES = ['[0]', '[1:2]', '[-1]', '[0-3]', '[:4,2]', '[9999999999]', '[', '#1', '#[-1]', '#[1-2]'];

let names: readonly string[] | undefined;

/** An expression by the grammar, most of them with an error somewhere. */
export function filterText(c: Chance, registry: Registry): Uint8Array {
  names ??= [...registry.names(), ...registry.protocols()];
  const all = names;
  const literal = (): string => c.of(c.of([VALUES, MORE_VALUES, SETS]));
  const operand = (depth: number): string => {
    const kind = c.next();
    if (kind < 0.5) return `${c.is(0.1) ? 'inner.' : ''}${c.of(all)}${c.is(0.15) ? c.of(SLICES) : ''}`;
    if (kind < 0.8 || depth > 4) return literal();
    if (kind < 0.9) return `${c.of(FUNCTIONS)}(${operand(depth + 1)}${c.is(0.3) ? `, ${operand(depth + 1)}` : ''})`;
    return `${operand(depth + 1)} ${c.of(['+', '-', '*', '/', '%', '&', '|'])} ${operand(depth + 1)}`;
  };
  const expression = (depth: number): string => {
    const kind = c.next();
    if (kind < 0.55 || depth > 6) return `${operand(0)} ${c.of(TESTS)} ${operand(0)}`;
    if (kind < 0.65) return operand(0);
    if (kind < 0.75) return `${c.of(['!', 'not ', '!!'])}(${expression(depth + 1)})`;
    return `(${expression(depth + 1)}) ${c.of(['&&', '||', 'and', 'or', 'xor', '^^', ''])} ${expression(depth + 1)}`;
  };
  if (c.is(0.01)) return text(`${c.of(['(', '!', '-', 'not ', '{', 'len('])}`.repeat(c.few(40_000)));
  const b = text(expression(0));
  return c.is(0.3) ? mutate(b, c, 3) : b;
}
