import { RE2JS } from 're2js';
import { BadLiteral } from './error.js';
import type { Value } from './value.js';

/** A compiled regular expression that looks at octets, letter case aside. */
export interface Pattern {
  test(subject: Value): boolean;
}

/** Octets of a subject that are looked at. */
const LONGEST_SUBJECT = 262_144;

/** Spellings of PCRE that RE2 knows by another name, outside of and inside a class. */
const SPELLINGS: Readonly<Record<string, readonly [outside: string, inside: string]>> = {
  h: ['[\\t ]', '\\t '],
  R: ['(?:\\r\\n|[\\n\\v\\f\\r])', 'R'],
  Z: ['(?:\\n?\\z)', 'Z'],
  e: ['\\x1b', '\\x1b'],
};

/**
 * Compiles a regular expression as octets of UTF-8 (what the expression holds and what it is matched against are octets,
 * one character each). The engine runs in time linear in the subject, so look-around and back-references are not to be
 * had. @throws BadLiteral
 */
export function compilePattern(source: Uint8Array): Pattern {
  const text = oneCharacterAnOctet(source);
  let compiled: RE2JS;
  try {
    compiled = RE2JS.compile(respell(text), RE2JS.CASE_INSENSITIVE);
  } catch (e) {
    const detail = (e as Error).message.replace(/^error parsing regexp: /, '');
    throw new BadLiteral(`Regex compilation error: ${detail}.`, advice(text));
  }
  return { test: (subject) => compiled.test(asSubject(subject)) };
}

const advice = (text: string): string | undefined =>
  /\(\?<?[=!]|\\[1-9]/.test(text)
    ? 'Look-around and back-references are not supported: combine two filters with and, not.'
    : undefined;

function respell(text: string): string {
  let out = '';
  let inClass = false;
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (c === '\\' && i + 1 < text.length) {
      const spelling = SPELLINGS[text[++i]];
      out += spelling === undefined ? c + text[i] : spelling[inClass ? 1 : 0];
      continue;
    }
    if (c === '[' && !inClass) inClass = true;
    else if (c === '[' && text[i + 1] === ':') {
      const end = text.indexOf(':]', i + 2);
      if (end > 0) {
        out += text.slice(i, end + 2);
        i = end + 1;
        continue;
      }
    } else if (c === ']' && inClass) inClass = false;
    out += c;
  }
  return out;
}

function asSubject(v: Value): string {
  if (typeof v === 'object') return oneCharacterAnOctet(v);
  const text = String(v).slice(0, LONGEST_SUBJECT);
  return /^[\x00-\x7f]*$/.test(text) ? text : Buffer.from(text).toString('latin1');
}

const oneCharacterAnOctet = (b: Uint8Array): string =>
  Buffer.from(b.buffer, b.byteOffset, Math.min(b.length, LONGEST_SUBJECT)).toString('latin1');
