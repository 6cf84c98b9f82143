/**
 * Domain names on the wire, RFC 1035 §3.1 and §4.1.4:
 *
 *     +--+-------+-----------------+--+-------+- - -+--+       two high bits 00: a label of that many octets
 *     |00|  len  |  len octets …   |00|  len  |     |00|       11: go on at an offset from the start of the message
 *     +--+-------+-----------------+--+-------+- - -+--+       length 0: the root, which ends the name
 */
import { Malformed, Short, u16, utf8Text } from 'fttscope/kit';

/** Longest name on the wire, the final zero included. RFC 1035 §2.3.4 */
export const MAX_NAME = 255;
const MAX_LABEL = 63;
/** Most labels that a name can have. */
const MAX_LABELS = 127;
const POINTER = 0xc0;
/** The two high bits of a label of a kind that an octet names. */
const EXTENDED = 1;

/** A name as it was read. */
export interface Name {
  /** Labels joined by dots; `<Root>`, or in the same brackets what is wrong with it, as Wireshark prints it. */
  readonly text: string;
  /** Offset of the first octet after the name where it was read from. */
  readonly end: number;
  /** Octets of the text. */
  readonly length: number;
}

/** Tells how a name ended: whole, longer than {@link MAX_NAME}, by pointers that go round, or at a label of another kind. */
type Ending = 'whole' | 'long' | 'loop' | 'extended';

interface Walk {
  readonly labels: Uint8Array[];
  readonly ending: Ending;
  readonly end: number;
}

/** Follows labels and pointers from `off`. A pointer that is met again is a loop, and so are more than could be of use. */
function walk(b: Uint8Array, off: number, end: number, base: number, wireEnd: number): Walk {
  const labels: Uint8Array[] = [];
  const pointers: number[] = [];
  let at = off;
  let after = -1;
  let length = 1;
  for (;;) {
    if (at >= end) throw new Short(1, 0, at - base, at < wireEnd);
    const n = b[at];
    if (n === 0) break;
    if (n >= POINTER) {
      if (at + 2 > end) throw new Short(2, end - at, at - base, at + 2 <= wireEnd);
      if (after < 0) after = at + 2;
      if (pointers.length > MAX_LABELS || pointers.includes(at)) return { labels, ending: 'loop', end: after };
      pointers.push(at);
      at = base + (u16(b, at) & 0x3fff);
      continue;
    }
    // RFC 2671 §3.1: its kind says how long the label is, and none is in use any more. A name does not begin so.
    if (n >> 6 === EXTENDED && labels.length > 0)
      return { labels, ending: 'extended', end: after < 0 ? at + 1 : after };
    if (n > MAX_LABEL) throw new Malformed(`Label type 0x${(n & POINTER).toString(16)} is not in use`); // RFC 6891 §5
    if (at + 1 + n > end) throw new Short(1 + n, end - at, at - base, at + 1 + n <= wireEnd);
    length += n + 1;
    if (length <= MAX_NAME) labels.push(b.subarray(at + 1, at + 1 + n));
    else if (after >= 0) return { labels, ending: 'long', end: after };
    at += n + 1;
  }
  return { labels, ending: length > MAX_NAME ? 'long' : 'whole', end: after < 0 ? at + 1 : after };
}

/**
 * Reads the name at `off` of the message that starts at `base` and ends at `end` (on the wire: `wireEnd`).
 * @throws Short where the name runs past the message, Malformed at a label type that is not in use
 */
export function readName(b: Uint8Array, off: number, end: number, base: number, wireEnd = end): Name {
  const w = walk(b, off, end, base, wireEnd);
  if (w.ending === 'loop') return plain('<Name contains a pointer that loops>', w.end);
  if (w.ending === 'extended') return plain('<Unknown extended label>', w.end);
  if (w.ending === 'long') return plain('<Name too long>', w.end);
  if (w.labels.length === 0) return plain('<Root>', w.end);
  let length = w.labels.length - 1;
  for (const label of w.labels) length += label.length;
  return { text: labelsText(w.labels), end: w.end, length };
}

const plain = (text: string, end: number): Name => ({ text, end, length: text.length });

const ESCAPES: Readonly<Record<string, string>> = {
  '\u0007': '\\a',
  '\b': '\\b',
  '\t': '\\t',
  '\n': '\\n',
  '\v': '\\v',
  '\f': '\\f',
  '\r': '\\r',
};

/** Text with its control characters as C writes them: `\\t`, `\\000`. */
export const escapeControls = (s: string): string =>
  s.replace(/[\u0000-\u001f\u007f]/g, (c) => ESCAPES[c] ?? `\\${c.charCodeAt(0).toString(8).padStart(3, '0')}`);

const FAULTS = {
  loop: 'Name with a pointer that loops',
  long: 'Name too long',
  extended: 'Label of an unknown kind',
} as const;

/** The name at `off` without compression, as octets of its own. @throws Short, Malformed (a loop and a long name too) */
export function expandName(b: Uint8Array, off: number, end: number, base: number): { wire: Uint8Array; end: number } {
  const w = walk(b, off, end, base, end);
  if (w.ending !== 'whole') throw new Malformed(FAULTS[w.ending]);
  let size = 1;
  for (const label of w.labels) size += label.length + 1;
  const wire = new Uint8Array(size);
  let at = 0;
  for (const label of w.labels) {
    wire[at] = label.length;
    wire.set(label, at + 1);
    at += label.length + 1;
  }
  return { wire, end: w.end };
}

function labelsText(labels: readonly Uint8Array[]): string {
  let s = '';
  for (const label of labels) s += (s === '' ? '' : '.') + utf8Text(label, 0, label.length);
  return s;
}

/** How many labels a name as {@link readName} gives it has. */
export function labelCount(text: string): number {
  let n = 1;
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) === 0x2e) n++;
  return n;
}

/** Octets of a name written with dots; an empty text, `.` and `<Root>` are the root. @throws RangeError */
export function nameOctets(text: string): Uint8Array {
  const plain = text.endsWith('.') ? text.slice(0, -1) : text;
  if (plain === '' || plain === '<Root>') return new Uint8Array(1);
  const octets = new TextEncoder().encode(plain);
  const out = new Uint8Array(octets.length + 2);
  if (out.length > MAX_NAME) throw new RangeError(`Name of ${out.length} octets: ${MAX_NAME} at most`);
  out.set(octets, 1);
  let start = 0;
  for (let i = 0; i <= octets.length; i++) {
    if (i < octets.length && octets[i] !== 0x2e) continue;
    const n = i - start;
    if (n === 0 || n > MAX_LABEL) throw new RangeError(`Label of ${n} octets: 1 to ${MAX_LABEL} are possible`);
    out[start] = n;
    start = i + 1;
  }
  return out;
}

/** Text of a name that stands alone and without compression. @throws Short, Malformed */
export const nameText = (wire: Uint8Array): string => readName(wire, 0, wire.length, 0).text;
