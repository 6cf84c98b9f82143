/** Octets as people paste them: hex in any of its habits, dumps of tools, base64. */
import type { Form } from './options.js';

const HEX = /^(?:[0-9a-f]{2})+$/i;
const DIGITS = /^[0-9a-f]+$/i;
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;
/** Octets of a line of a dump: more are its text column. */
const LINE = 16;

/**
 * The octets that hex stands for: with or without blanks, colons, commas, hyphens, `0x`, `\x`, quotes and braces, over
 * any number of lines. Undefined where it is none.
 */
export function fromHex(text: string): Uint8Array | undefined {
  const digits = text.replace(/0x|\\x/gi, ' ').replace(/[\s:,;'"{}()[\]-]/g, '');
  return HEX.test(digits) ? Buffer.from(digits, 'hex') : undefined;
}

/**
 * The octets of a hex dump, in which each line begins with its offset: `xxd`, `hexdump -C`, `od -Ax -tx1`, `tcpdump -x`,
 * Wireshark. Undefined where the text is none; a line whose offset is not that of its octets ends it.
 */
export function fromDump(text: string): Uint8Array | undefined {
  const out: number[] = [];
  let lines = 0;
  for (const line of text.split('\n')) {
    const m = /^\s*(?:0x)?([0-9a-f]{4,8}):?(?:\s+(.*))?$/i.exec(line.trimEnd());
    if (m === null) {
      if (line.trim() === '') continue;
      return undefined;
    }
    if (Number.parseInt(m[1], 16) !== out.length) return undefined;
    lineOctets(m[2] ?? '', out);
    lines++;
  }
  return lines > 0 && out.length > 0 ? Uint8Array.from(out) : undefined;
}

/** Adds the octets of a line: what stands behind a wide gap, a bar or a word that is no hex is text. */
function lineOctets(rest: string, out: number[]): void {
  const start = out.length;
  for (const word of rest.split(/ {3,}|\t|\|/)[0].split(/\s+/)) {
    if (!HEX.test(word) || out.length - start + word.length / 2 > LINE) return;
    for (let i = 0; i < word.length; i += 2) out.push(Number.parseInt(word.slice(i, i + 2), 16));
  }
}

/** The octets of base64, also in its form for URLs (RFC 4648 §5); undefined where it is none. */
export function fromBase64(text: string): Uint8Array | undefined {
  const bare = text.replace(/\s/g, '').replaceAll('-', '+').replaceAll('_', '/');
  return BASE64.test(bare) && bare.replace(/=+$/, '').length % 4 !== 1 ? Buffer.from(bare, 'base64') : undefined;
}

/** The octets that a text stands for; undefined where it stands for none. Octets themselves are no text. */
export function fromText(text: string, form: Form): Uint8Array | undefined {
  const hex = form === 'base64' ? undefined : (fromDump(text) ?? fromHex(text));
  if (hex !== undefined || form === 'hex') return hex;
  if (form === 'auto' && DIGITS.test(text.replace(/\s/g, ''))) return undefined; // an odd number of hex digits
  return fromBase64(text);
}

/** Whether octets can be a text that stands for others: printable ASCII and white space. */
export function isText(b: Uint8Array): boolean {
  for (const c of b) if (c > 126 || (c < 32 && c !== 9 && c !== 10 && c !== 13)) return false;
  return true;
}
