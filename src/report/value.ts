import { type Field, type FieldType, Held, hex, ip4, ip6, isoSecond, nameOf, type Tree } from '../kit/index.js';

/** Hex digits that Wireshark pads a number of this type to. */
const DIGITS: Partial<Record<FieldType, number>> = {
  u8: 2,
  i8: 2,
  u16: 4,
  i16: 4,
  u24: 6,
  u32: 8,
  i32: 8,
  u48: 12,
  u64: 16,
  i64: 16,
};

const scratch = Buffer.allocUnsafe(3 << 16);

/** Octets as lower-case hex with colons; long ranges go through a buffer, which is several times as fast. */
export function colonHex(b: Uint8Array, off: number, end: number): string {
  const n = end - off;
  if (n < 24) return hex(b, off, n);
  if (n * 3 > scratch.length) return `${colonHex(b, off, off + 65_536)}:${colonHex(b, off + 65_536, end)}`;
  let at = 0;
  for (let i = off; i < end; i++) {
    const hi = b[i] >> 4;
    const lo = b[i] & 15;
    scratch[at] = hi < 10 ? 48 + hi : 87 + hi;
    scratch[at + 1] = lo < 10 ? 48 + lo : 87 + lo;
    scratch[at + 2] = 58;
    at += 3;
  }
  return scratch.toString('latin1', 0, at - 1);
}

/** A number of nanoseconds with nine digits. */
export const pad9 = (n: number): string => String(n).padStart(9, '0');

/** A decimal number of seconds with nine places; seconds and nanoseconds have the same sign. */
export function decimalSeconds(seconds: number, nanos: number): string {
  const sign = seconds < 0 || nanos < 0 ? '-' : '';
  return `${sign}${Math.abs(seconds)}.${pad9(Math.abs(nanos))}`;
}

/** The same without trailing zeros: a JSON number. */
function jsonSeconds(seconds: number, nanos: number): string {
  if (nanos === 0) return String(seconds);
  return decimalSeconds(seconds, nanos).replace(/0+$/, '');
}

let second = Number.NaN;
let secondText = '';

/** ISO 8601 in UTC with nanoseconds. */
export function isoTime(seconds: number, nanos: number): string {
  if (seconds !== second) {
    second = seconds;
    secondText = isoSecond(seconds);
  }
  return `${secondText}.${pad9(nanos)}Z`;
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** An absolute time as tshark prints it: `Nov 25, 2023 07:55:05.695126000 UTC`. */
export function wiresharkTime(seconds: number, nanos: number): string {
  const [date, time] = isoSecond(seconds).split('T');
  const [month, day] = date.slice(-5).split('-').map(Number);
  const year = Number(date.slice(0, -6));
  return `${MONTHS[month - 1]} ${String(day).padStart(2, ' ')}, ${year} ${time}.${pad9(nanos)} UTC`;
}

function address(f: Field, b: Uint8Array, off: number, end: number): string | undefined {
  const n = end - off;
  if (f.type === 'ipv4') return n === 4 ? ip4(b, off) : undefined;
  if (f.type === 'ipv6') return n === 16 ? ip6(b, off) : undefined;
  if (f.type === 'guid' && n === 16)
    return [
      hex(b, off, 4, ''),
      hex(b, off + 4, 2, ''),
      hex(b, off + 6, 2, ''),
      hex(b, off + 8, 2, ''),
      hex(b, off + 10, 6, ''),
    ].join('-');
  return undefined;
}

/** Octets of a node as text: an address, a GUID, or hex, with colons (JSON, and addresses) or without (as tshark). */
function octetsText(f: Field, b: Uint8Array, off: number, end: number, colons: boolean): string {
  const special = address(f, b, off, end);
  if (special !== undefined) return special;
  if (colons || f.type !== 'bytes' || f.base === 'colon') return colonHex(b, off, end);
  return Buffer.from(b.buffer, b.byteOffset + off, end - off).toString('hex');
}

/** The octets of node `i` as text, without a view of its own. */
function nodeOctets(t: Tree, i: number, colons: boolean): string {
  const s = t.sources[t.source(i)];
  if (s === undefined) return '';
  const off = Math.max(s.start, t.off[i]);
  return octetsText(t.field(i), s.buf, off, Math.max(off, Math.min(s.end, t.off[i] + t.len[i])), colons);
}

// Beyond what JSON must escape: the C1 controls and DEL, which terminals obey, and marks that turn the text around.
const UNSEEN = /[\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** Whether text is printable ASCII without what JSON must escape; long text is not looked at. */
function isPlain(s: string): boolean {
  if (s.length > 64) return false;
  for (let i = 0; i < s.length; i++) {
    const c = s.charCodeAt(i);
    if (c < 32 || c > 126 || c === 34 || c === 92) return false;
  }
  return true;
}

/** A JSON string that is harmless on a terminal. */
export const jsonText = (s: string): string => (isPlain(s) ? `"${s}"` : escaped(s));

const escaped = (s: string): string =>
  JSON.stringify(s).replace(UNSEEN, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);

/**
 * The value of node `i` as JSON: numbers and booleans as such, 64-bit numbers, addresses and text
 * as strings, octets as hex, absolute times in ISO 8601, durations in seconds.
 */
export function jsonValue(t: Tree, i: number): string {
  const f = t.field(i);
  switch (t.held(i)) {
    case Held.Number: {
      const v = t.number[i];
      return f.type === 'bool' ? (v !== 0 ? 'true' : 'false') : Number.isFinite(v) ? String(v) : 'null';
    }
    case Held.Made: {
      const v = t.made[i];
      if (v instanceof Uint8Array) return `"${octetsText(f, v, 0, v.length, true)}"`;
      return typeof v === 'string' ? jsonText(upToNul(v)) : `"${v}"`;
    }
    case Held.Octets:
      return `"${nodeOctets(t, i, true)}"`;
    case Held.Text:
      return jsonText(upToNul(t.value(i) as string));
    case Held.Time: {
      const nanos = t.made[i] as number;
      if (f.type === 'duration') return jsonSeconds(t.number[i], nanos);
      if (f.name === 'frame.time_epoch') return `"${decimalSeconds(t.number[i], nanos)}"`;
      return `"${isoTime(t.number[i], nanos)}"`;
    }
    default:
      return 'true';
  }
}

/** A number in the field's base, as tshark's `-T fields` prints it. */
function numberText(f: Field, v: number | bigint): string {
  if (f.type === 'bool') return v ? '1' : '0';
  if (f.base === 'hex' || f.base === 'hex_dec') {
    return `0x${v.toString(16).padStart(DIGITS[f.type] ?? 1, '0')}`;
  }
  return String(v);
}

/** Text up to its first NUL: Wireshark's values end there, as strings of C do. Trees for people show all of it. */
function upToNul(s: string): string {
  const n = s.indexOf('\0');
  return n < 0 ? s : s.slice(0, n);
}

/** The value of node `i` as tshark's `-T fields` prints it. */
export function fieldText(t: Tree, i: number): string {
  const text = wholeText(t, i);
  return t.field(i).type === 'string' ? upToNul(text) : text;
}

/**
 * The same of a field that `-e` asks for: tshark has words for no octets, says of a layer what its tree says, or its name
 * where that says no more, and shows the octets of what is only data.
 */
export function chosenText(t: Tree, i: number): string {
  if (t.held(i) === Held.Nothing) return layerText(t, i);
  const text = fieldText(t, i);
  if (text !== '') return text;
  const { type, base } = t.field(i);
  return type !== 'bytes' ? '' : base === 'zero' ? '<none>' : '<MISSING>';
}

function layerText(t: Tree, i: number): string {
  const f = t.field(i);
  if (f.type !== 'protocol') return '1';
  if (f.name !== 'data') return t.texts.get(i) ?? f.name;
  const octets = t.octets(i);
  return hex(octets, 0, octets.length, '');
}

/** The value as {@link fieldText} says, NULs included. */
export function wholeText(t: Tree, i: number): string {
  const f = t.field(i);
  switch (t.held(i)) {
    case Held.Number:
      return numberText(f, t.number[i]);
    case Held.Made: {
      const v = t.made[i];
      if (v instanceof Uint8Array) return octetsText(f, v, 0, v.length, false);
      return typeof v === 'bigint' ? numberText(f, v) : String(v);
    }
    case Held.Octets:
      return nodeOctets(t, i, false);
    case Held.Text:
      return t.value(i) as string;
    case Held.Time: {
      const nanos = t.made[i] as number;
      if (f.type === 'duration' || f.name === 'frame.time_epoch') return decimalSeconds(t.number[i], nanos);
      return wiresharkTime(t.number[i], nanos);
    }
    default:
      return t.texts.get(i) ?? (f.type === 'protocol' ? f.label : '1');
  }
}

/** The value of node `i` as tshark's JSON and PDML show it: as {@link fieldText}, but octets always with colons. */
export function shownText(t: Tree, i: number): string {
  if (t.held(i) === Held.Octets) return nodeOctets(t, i, true);
  const made = t.made[i];
  if (t.held(i) === Held.Made && made instanceof Uint8Array) return octetsText(t.field(i), made, 0, made.length, true);
  return fieldText(t, i);
}

/** What a column shows of node `i`: the name of a value where it has one, `✓` for what is only there. */
export function columnValue(t: Tree, i: number): string {
  const f = t.field(i);
  if (t.held(i) === Held.Nothing) return '✓';
  if (t.held(i) !== Held.Number) return fieldText(t, i);
  const v = t.number[i];
  if (f.values === undefined) return f.type === 'bool' ? (v !== 0 ? 'True' : 'False') : namedNumber(f, v);
  const name = f.type === 'bool' || typeof f.values !== 'function' ? nameOf(f.values, v) : f.values(v);
  return name ?? namedNumber(f, v);
}

/** What the tree shows for node `i`: "label: value", with the value's name and unit. */
export function nodeLabel(t: Tree, i: number): string {
  const text = t.texts.get(i);
  if (text !== undefined) return text;
  const f = t.field(i);
  if (t.held(i) === Held.Nothing) return f.label;
  if (t.held(i) === Held.Number) return `${f.label}: ${namedNumber(f, t.number[i])}`;
  const made = t.made[i];
  if (t.held(i) === Held.Made && typeof made === 'bigint') return `${f.label}: ${namedNumber(f, made)}`;
  let value = wholeText(t, i);
  if (value.length > 240) value = `${value.slice(0, 240)}…`;
  return `${f.label}: ${value}${f.unit !== undefined ? ` ${f.unit}` : ''}`;
}

function namedNumber(f: Field, v: number | bigint): string {
  if (f.type === 'bool') return f.values === undefined ? (v ? 'True' : 'False') : nameOf(f.values, Number(v));
  const unit = f.unit !== undefined ? ` ${f.unit}` : '';
  const dec = `${v}${unit}`;
  let text = dec;
  if (f.base === 'hex') text = numberText(f, v);
  else if (f.base === 'dec_hex') text = `${dec} (0x${v.toString(16)})`;
  else if (f.base === 'hex_dec') text = `${numberText(f, v)} (${dec})`;
  if (f.values === undefined || typeof v === 'bigint') return text;
  const name = typeof f.values === 'function' ? f.values(v) : f.values[v];
  return name === undefined ? text : `${name} (${text})`;
}
