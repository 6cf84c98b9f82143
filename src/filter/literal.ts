import { type Field, fromHex, nameOf, parseAddress } from '../kit/index.js';
import { BadLiteral } from './error.js';
import { type Kind, limits, nanoseconds, typeTitle, type Value } from './value.js';

/** A value that stands in the expression. */
export interface Literal {
  readonly value: Value;
  /** Leading bits that count: `10.0.0.0/8`. */
  readonly prefix?: number;
  /** All numbers that have the name, where a label names several. */
  readonly oneOf?: readonly Value[];
}

/** An unquoted word, or the octets of a quoted string or character. */
export interface Written {
  /** Text as it stands in the expression, for messages. */
  readonly shown: string;
  readonly text: string;
  readonly quoting: 'none' | 'string' | 'char';
  /** The octets of a string or character. */
  readonly octets: Uint8Array;
}

/** Converts text to a value of `kind`, for comparison with `field` if there is one. @throws BadLiteral */
export function convert(w: Written, kind: Kind, field?: Field): Literal {
  if (w.quoting === 'char' && w.octets.length !== 1)
    throw new BadLiteral(
      `${w.shown} is too ${w.octets.length === 0 ? 'short' : 'long'} to be a valid character constant.`,
      `Text stands in double quotes: "${w.text}"`,
    );
  switch (kind) {
    case 'number':
    case 'bool':
      return numberOrLabel(w, kind, field);
    case 'float':
      return { value: float(w) };
    case 'ipv4':
      return ipv4(w);
    case 'ipv6':
      return ipv6(w);
    case 'ether':
      return { value: ether(w) };
    case 'guid':
    case 'bytes':
      return { value: octets(w) };
    case 'string':
      return { value: w.text };
    case 'time':
      return { value: time(w, field) };
    case 'duration':
      return { value: duration(w, field) };
    default:
      throw new BadLiteral(`${field?.name ?? 'It'} (type=Label) has no value to compare.`);
  }
}

function numberOrLabel(w: Written, kind: Kind, field?: Field): Literal {
  if (w.quoting === 'char') return { value: w.octets[0] };
  if (w.quoting === 'none') {
    const n = integer(w.text);
    if (n !== undefined) return { value: kind === 'bool' ? Number(n !== 0n) : inRange(w, n, field) };
    const truth = /^(true|false)$/i.exec(w.text);
    if (kind === 'bool' && truth) return { value: w.text.toLowerCase() === 'true' ? 1 : 0 };
  }
  return label(w, kind, field);
}

const RADIX: readonly (readonly [RegExp, string])[] = [
  [/^0x([0-9a-f]+)$/i, '0x'],
  [/^0b([01]+)$/i, '0b'],
  [/^0([0-7]+)$/, '0o'],
  [/^(\d+)$/, ''],
];

/** Decimal, `0x`, `0b` or octal with a leading 0; undefined for other text. */
function integer(text: string): bigint | undefined {
  const negative = text.startsWith('-');
  const digits = negative ? text.slice(1) : text;
  for (const [form, radix] of RADIX) {
    const m = digits.length <= 70 ? form.exec(digits) : null;
    if (m) return negative ? -BigInt(radix + m[1]) : BigInt(radix + m[1]);
  }
  return undefined;
}

function inRange(w: Written, n: bigint, field?: Field): number | bigint {
  const bounds = field && limits(field);
  if (bounds && n > bounds.max) throw new BadLiteral(`"${w.shown}" too big for this field, maximum ${bounds.max}.`);
  if (bounds && n < bounds.min) throw new BadLiteral(`"${w.shown}" too small for this field, minimum ${bounds.min}.`);
  const small = Number(n);
  return Number.isSafeInteger(small) ? small : n;
}

const LABELLED = 65_536;

/** The numbers whose name is the text, letter case aside. */
function label(w: Written, kind: Kind, field?: Field): Literal {
  if (field?.values === undefined) throw notANumber(w, kind, field);
  const wanted = w.text.toLowerCase();
  const found: number[] = [];
  const names = new Set<string>();
  const look = (n: number, name: string | undefined) => {
    if (name === undefined) return;
    if (names.size < 200) names.add(name);
    if (name.toLowerCase() === wanted) found.push(n);
  };
  const { values } = field;
  if (typeof values === 'object') for (const [n, name] of Object.entries(values)) look(Number(n), name);
  else {
    const top = limits(field)?.max ?? 1n;
    for (let n = 0; n < LABELLED && n <= top; n++) look(n, nameOf(values, n, '') || undefined);
  }
  if (found.length === 0)
    throw new BadLiteral(
      `"${w.text}" cannot be found among the possible values for ${field.name}.`,
      `It can be ${[...names]
        .slice(0, 8)
        .map((n) => `"${n}"`)
        .join(', ')}${names.size > 8 ? ', …' : ''}.`,
    );
  return found.length === 1 ? { value: found[0] } : { value: found[0], oneOf: found };
}

function notANumber(w: Written, kind: Kind, field?: Field): BadLiteral {
  if (kind === 'bool')
    return new BadLiteral(`"${w.text}" cannot be found among the possible values for ${field?.name}.`);
  if (w.quoting === 'none') return new BadLiteral(`"${w.shown}" is not a valid number.`);
  const numeric = integer(w.text) !== undefined;
  return new BadLiteral(
    `${field ? typeTitle(field.type) : 'A number'} cannot be converted from a string ("${w.text}").`,
    numeric ? `Numbers stand without quotes: ${w.text}` : undefined,
  );
}

function float(w: Written): number {
  const n = w.quoting === 'none' ? (integer(w.text) ?? decimal(w.text)) : undefined;
  if (n === undefined) throw new BadLiteral(`"${w.shown}" is not a valid floating-point number.`);
  return Number(n);
}

const decimal = (text: string): number | undefined =>
  /^-?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : undefined;

/** Splits `address/bits`. */
function cidr(w: Written, bits: number, family: string): { address: string; prefix?: number } {
  const [address, text] = w.text.split('/');
  if (text === undefined) return { address };
  const prefix = Number(text);
  if (!/^\d+$/.test(text) || prefix > bits)
    throw new BadLiteral(`Netmask bits in a CIDR ${family} address should be <= ${bits}, not ${text}`);
  return { address, prefix };
}

function ipv4(w: Written): Literal {
  const { address, prefix } = cidr(w, 32, 'IPv4');
  const value = parseIpv4(address);
  if (value === undefined)
    throw new BadLiteral(
      `"${address}" is not a valid hostname or IPv4 address.`,
      /^[\w-]+(\.[\w-]+)*\.?[a-z]\w*$/i.test(address) ? 'Names of hosts are not looked up.' : undefined,
    );
  return prefix === undefined ? { value } : { value, prefix };
}

function parseIpv4(text: string): number | undefined {
  const m = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  const parts = m?.slice(1).map(Number);
  return parts?.every((p) => p < 256) ? parts.reduce((n, p) => n * 256 + p, 0) : undefined;
}

function ipv6(w: Written): Literal {
  const { address, prefix } = cidr(w, 128, 'IPv6');
  const value = address.includes(':') ? parseAddress(address) : undefined;
  if (value === undefined) throw new BadLiteral(`"${address}" is not a valid hostname or IPv6 address.`);
  return prefix === undefined ? { value } : { value, prefix };
}

function ether(w: Written): Uint8Array {
  const b = hexOctets(w.text);
  if (b === undefined) throw new BadLiteral(`"${w.shown}" is not a valid hostname or Ethernet address.`);
  if (b.length !== 6)
    throw new BadLiteral(
      `"${w.shown}" contains too ${b.length < 6 ? 'few' : 'many'} bytes to be a valid Ethernet address.`,
    );
  return b;
}

/** Octets: `49:4e`, `49.4e`, `49-4e`, `494e`, one octet as `0x49`, a character or a string. */
function octets(w: Written): Uint8Array {
  if (w.quoting !== 'none') return w.octets;
  const b = hexOctets(w.text);
  if (b === undefined)
    throw new BadLiteral(`"${w.shown}" is not a valid byte string.`, `Text stands in quotes: "${w.text}"`);
  return b;
}

/** Whether an unquoted word can be read as octets. */
export const isByteString = (text: string): boolean => hexOctets(text) !== undefined;

function hexOctets(written: string): Uint8Array | undefined {
  const text = written.replace(/^:(?!:)/, '');
  const one = /^0x([0-9a-f]{1,2})$/i.exec(text);
  if (one) return Uint8Array.of(Number.parseInt(one[1], 16));
  if (/^[0-9a-f]{1,2}([:.-][0-9a-f]{1,2})*$/i.test(text))
    return Uint8Array.from(text.split(/[:.-]/), (x) => Number.parseInt(x, 16));
  if (/^([0-9a-f]{2})+$/i.test(text)) return fromHex(text);
  return undefined;
}

function duration(w: Written, field?: Field): bigint {
  if (w.quoting === 'none') {
    const m = /^(-?)(\d+)?(?:\.(\d*))?s?$/.exec(w.text);
    if (m && (m[2] || m[3])) {
      const n = BigInt(m[2] ?? 0) * 1_000_000_000n + BigInt((m[3] ?? '').padEnd(9, '0').slice(0, 9));
      return m[1] ? -n : n;
    }
  } else if (field) throw new BadLiteral(`${typeTitle(field.type)} cannot be converted from a string ("${w.text}").`);
  const unit = /^[\d.]+(ms|us|µs|ns|min|m|h)$/.test(w.text) ? 'Times are seconds: 0.5' : undefined;
  throw new BadLiteral(`"${w.shown}" is not a valid time.`, unit);
}

const ISO =
  /^(\d{4})-(\d\d)-(\d\d)(?:[ T](\d\d)(?::?(\d\d)(?::?(\d\d)(?:[.,](\d{1,9}))?)?)?)? ?(Z|UTC|GMT|UT|[+-]\d\d:?\d\d)?$/i;
const LEGACY =
  /^([a-z]{3})[a-z]* +(\d{1,2}), *(\d{4})(?: +(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?)? *(Z|UTC|GMT|UT|[+-]\d\d:?\d\d)?$/i;
/** Fields of time that are shown as seconds since 1970. */
const SECONDS = /_epoch$/;
const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];

/** ISO 8601 or `Nov 12, 1999 08:55:44.123`; local time unless a zone is given. Seconds of fields that show them. */
function time(w: Written, field?: Field): bigint {
  if (field !== undefined && SECONDS.test(field.name) && /^-?[\d.]+$/.test(w.text))
    return duration({ ...w, quoting: 'none' });
  const iso = ISO.exec(w.text);
  const legacy = iso === null ? LEGACY.exec(w.text) : null;
  const m = iso ?? legacy;
  if (m) {
    const month = iso ? Number(iso[2]) - 1 : MONTHS.indexOf(legacy![1].toLowerCase());
    const [year, day] = iso ? [Number(iso[1]), Number(iso[3])] : [Number(legacy![3]), Number(legacy![2])];
    const [hours, minutes, seconds] = [m[4], m[5], m[6]].map((x) => Number(x ?? 0));
    const clock = [year, month, day, hours, minutes, seconds] as const;
    const local = new Date(...clock);
    const plausible = month >= 0 && month < 12 && day <= 31 && hours < 24 && minutes < 60 && seconds <= 60;
    const ms = m[8] === undefined ? local.getTime() : Date.UTC(...clock) - zone(m[8]);
    if (plausible && !Number.isNaN(ms)) return nanoseconds(ms / 1000, Number((m[7] ?? '').padEnd(9, '0')));
  }
  throw new BadLiteral(
    `"${w.shown.replace(/^"|"$/g, '')}" is not a valid absolute time. Example: "Nov 12, 1999 08:55:44.123" or "2011-07-04 12:34:56"`,
  );
}

/** Milliseconds east of Greenwich. */
function zone(text: string): number {
  const m = /^([+-])(\d\d):?(\d\d)$/.exec(text);
  return m ? (m[1] === '-' ? -1 : 1) * (Number(m[2]) * 60 + Number(m[3])) * 60_000 : 0;
}
