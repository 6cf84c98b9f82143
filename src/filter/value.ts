import { type Field, type FieldType, Held, hex, ip4, ip6, isoSecond, type Tree, utf8Text } from '../kit/index.js';

/**
 * What values of an operand are, and how they are held:
 * - `number`: number or bigint (also frame numbers and floats); `bool`: 0 or 1
 * - `ipv4`: a number; `ipv6`, `ether`, `guid`, `bytes`: octets; `string`: text
 * - `time`, `duration`: nanoseconds as bigint, since the epoch or relative
 * - `none`: present or not, no value
 */
export type Kind =
  | 'number'
  | 'float'
  | 'bool'
  | 'ipv4'
  | 'ipv6'
  | 'ether'
  | 'guid'
  | 'bytes'
  | 'string'
  | 'time'
  | 'duration'
  | 'none';

/**
 * What a filter compares: numbers (64 bits as bigint), texts, and octets for addresses, times and what has no other
 * form.
 */
export type Value = number | bigint | string | Uint8Array;

/** Kinds, sizes and Wireshark's names of the field types. */
const TYPES: Readonly<Record<FieldType, readonly [kind: Kind, size: number, title: string]>> = {
  protocol: ['bytes', 0, 'Protocol'],
  none: ['none', 0, 'Label'],
  bool: ['bool', 8, 'Boolean'],
  u8: ['number', 1, 'Unsigned integer (1 byte)'],
  u16: ['number', 2, 'Unsigned integer (2 bytes)'],
  u24: ['number', 3, 'Unsigned integer (3 bytes)'],
  u32: ['number', 4, 'Unsigned integer (4 bytes)'],
  u48: ['number', 6, 'Unsigned integer (6 bytes)'],
  u64: ['number', 8, 'Unsigned integer (8 bytes)'],
  i8: ['number', 1, 'Signed integer (1 byte)'],
  i16: ['number', 2, 'Signed integer (2 bytes)'],
  i32: ['number', 4, 'Signed integer (4 bytes)'],
  i64: ['number', 8, 'Signed integer (8 bytes)'],
  float: ['float', 8, 'Floating point (double-precision)'],
  ipv4: ['ipv4', 4, 'IPv4 address'],
  ipv6: ['ipv6', 16, 'IPv6 address'],
  ether: ['ether', 6, 'Ethernet or other MAC address'],
  string: ['string', 0, 'Character string'],
  bytes: ['bytes', 0, 'Sequence of bytes'],
  guid: ['guid', 16, 'Globally Unique Identifier'],
  time: ['time', 16, 'Date and time'],
  duration: ['duration', 16, 'Time offset'],
  frame: ['number', 4, 'Frame number'],
};

/** How values of a field type are compared. */
export const kindOf = (type: FieldType): Kind => TYPES[type][0];
/** Wireshark's name of a field type, as its messages and `-G fields` have it. */
export const typeTitle = (type: FieldType): string => TYPES[type][2];

/** Smallest and largest number that a field can hold; undefined where there is no bound. */
export function limits(f: Field): { min: bigint; max: bigint } | undefined {
  const signed = /^i\d/.test(f.type);
  if (!signed && !/^u\d/.test(f.type) && f.type !== 'frame') return undefined;
  const bits = 8 * TYPES[f.type][1];
  return { min: signed ? -(1n << BigInt(bits - 1)) : 0n, max: (1n << BigInt(signed ? bits - 1 : bits)) - 1n };
}

/** Whether a value is compared octet by octet. */
export const isOctets = (v: Value): v is Uint8Array => typeof v === 'object';

/** Orders two values of one kind: negative, 0 or positive; NaN where one of them is. */
export function compare(a: Value, b: Value): number {
  if (typeof a === 'object' || typeof b === 'object') return compareOctets(a as Uint8Array, b as Uint8Array);
  return a < b ? -1 : a > b ? 1 : a >= b ? 0 : Number.NaN;
}

function compareOctets(a: Uint8Array, b: Uint8Array): number {
  const n = Math.min(a.length, b.length);
  for (let i = 0; i < n; i++) if (a[i] !== b[i]) return a[i] - b[i];
  return a.length - b.length;
}

const utf8 = new TextEncoder();
/** UTF-8, as texts are matched and cut into slices. */
export const encodeText = (s: string): Uint8Array => utf8.encode(s);
/** The text of octets that are compared as one; what is no UTF-8 becomes U+FFFD. */
export const decodeText = (b: Uint8Array): string => utf8Text(b, 0, b.length);

/** Whether `part` stands somewhere in `whole`. */
export function containsOctets(whole: Uint8Array, part: Uint8Array): boolean {
  if (part.length === 0) return true;
  for (let i = whole.indexOf(part[0]); i >= 0 && i + part.length <= whole.length; i = whole.indexOf(part[0], i + 1)) {
    let k = 1;
    while (k < part.length && whole[i + k] === part[k]) k++;
    if (k === part.length) return true;
  }
  return false;
}

const BILLION = 1_000_000_000n;

/** Nanoseconds of seconds and nanoseconds; both may be fractional or negative. */
export const nanoseconds = (seconds: number, nanos: number): bigint =>
  Number.isInteger(seconds)
    ? BigInt(seconds) * BILLION + BigInt(Math.round(nanos))
    : BigInt(Math.round(seconds * 1e9 + nanos));

/** The value of node `i` read as `kind`; undefined where the node does not hold one. */
export function read(t: Tree, i: number, kind: Kind): Value | undefined {
  const held = t.held(i);
  switch (kind) {
    case 'number':
    case 'float':
    case 'bool':
      if (held === Held.Number) return t.number[i];
      return held === Held.Made && typeof t.made[i] !== 'object' ? (t.made[i] as Value) : undefined;
    case 'ipv4':
      return held === Held.Made && typeof t.made[i] !== 'object' ? undefined : address4(t.octets(i));
    case 'string':
      return readText(t, i);
    case 'time':
    case 'duration':
      if (held === Held.Time) return nanoseconds(t.number[i], t.made[i] as number);
      return held === Held.Number ? nanoseconds(t.number[i], 0) : undefined;
    case 'none':
      return undefined;
    default:
      return held === Held.Made && typeof t.made[i] === 'string' ? encodeText(t.made[i] as string) : t.octets(i);
  }
}

function readText(t: Tree, i: number): string | undefined {
  const held = t.held(i);
  if (held === Held.Made && typeof t.made[i] === 'string') return t.made[i] as string;
  return held === Held.Text || held === Held.Octets ? decodeText(t.octets(i)) : undefined;
}

/** The IPv4 address in the first four octets as a number. */
const address4 = (b: Uint8Array): number | undefined =>
  b.length < 4 ? undefined : ((b[0] << 24) | (b[1] << 16) | (b[2] << 8) | b[3]) >>> 0;

/** Octets of a layer node up to the end of the layer, payload included; of its source, where that end is not known. */
export function layerOctets(t: Tree, i: number): Uint8Array {
  const source = t.sources[t.source(i)];
  if (t.held(i) !== Held.Nothing || source === undefined) return t.octets(i);
  const end = t.number[i] < 0 ? source.end : Math.max(t.number[i], t.off[i] + t.len[i]);
  return source.buf.subarray(Math.max(source.start, t.off[i]), Math.min(source.end, end));
}

/** Length of the value of node `i` in octets, as `len()` counts. */
export function lengthOf(t: Tree, i: number): number {
  const [kind, size] = TYPES[t.field(i).type];
  if (size > 0) return size;
  if (t.held(i) === Held.Made) {
    const made = t.made[i];
    return typeof made === 'string'
      ? encodeText(made).length
      : isOctets(made as Value)
        ? (made as Uint8Array).length
        : 0;
  }
  return kind === 'none' ? 0 : t.len[i];
}

/** A value as text, as `string()` makes it. */
export function asText(v: Value, kind: Kind): string {
  switch (kind) {
    case 'ipv4': {
      const n = v as number;
      return ip4(Uint8Array.of(n >>> 24, n >>> 16, n >>> 8, n), 0);
    }
    case 'ipv6':
      return (v as Uint8Array).length < 16 ? '' : ip6(v as Uint8Array, 0);
    case 'ether':
      return hex(v as Uint8Array, 0, (v as Uint8Array).length);
    case 'guid':
      return hex(v as Uint8Array, 0, (v as Uint8Array).length, '').replace(
        /^(.{8})(.{4})(.{4})(.{4})(.*)$/,
        '$1-$2-$3-$4-$5',
      );
    case 'bool':
      return v ? 'True' : 'False';
    case 'time':
      return timeText(v as bigint);
    case 'duration':
      return durationText(v as bigint);
    default:
      return String(v);
  }
}

const fraction = (n: bigint): string => (n % BILLION).toString().padStart(9, '0');

function timeText(n: bigint): string {
  const whole = (n - (((n % BILLION) + BILLION) % BILLION)) / BILLION;
  return `${isoSecond(Number(whole))}.${fraction(n - whole * BILLION)}Z`;
}
function durationText(n: bigint): string {
  const positive = n < 0n ? -n : n;
  return `${n < 0n ? '-' : ''}${positive / BILLION}.${fraction(positive)}`;
}
