import { type Address, inPrefix, parseAddress } from './address.js';
import { FAULTS, type FaultList, type FaultSetting, parseFault } from './fault.js';
import { ALL_FAULTS } from './fault-eftf.js';

/** What a scenario says that cannot be: the words name the place. */
export class BadScenario extends Error {}

/** Whole numbers, both ends included. */
export interface Whole {
  readonly from: number;
  readonly to: number;
}

/** What an argument of a verb may be; a list: one of these words. A flag is true, false, or its own name. */
export type Kind = keyof typeof KINDS | FaultKind | Whole | readonly string[];
/** Faults of a UE, and of an EFTF. */
type FaultKind = 'faults' | 'eftf-faults';

/** The kind of whole numbers between two, both included. */
export const whole = (from: number, to: number): Whole => ({ from, to });

/** Number of a tunnel, or of tunnels. */
export const NUMBER = whole(0, Number.MAX_SAFE_INTEGER);

/** A kind for people: `a whole number from 1 to 9`. */
export function kindInWords(kind: Kind): string {
  if (isFaultKind(kind)) return `off, ${Object.keys(FAULT_LISTS[kind]).join(', ')}`;
  if (typeof kind === 'string') return KINDS[kind];
  if (!('from' in kind)) return kind.join(' or ');
  return kind.to === NUMBER.to ? 'a whole number' : `a whole number from ${kind.from} to ${kind.to}`;
}

const KINDS = {
  text: 'text',
  pattern: 'text, or a /regular expression/',
  party: 'USER, USER@DOMAIN, or a URI of sip, sips or tel',
  digits: '0 to 9, *, #, A to D',
  duration: 'a time such as 500ms, 2s, 1.5m',
  address: 'an IP address',
  network: 'ipv4, ipv6, an IP address or ADDRESS/LENGTH',
  hex: 'octets in hex',
  flag: 'true or false',
} as const;

/** Longest time that can be waited for, in ms: longer ones are over at once. */
const LONGEST_MS = 0x7fff_ffff;

/** A value that was checked: text, number (durations in ms), octets, flag, faults. */
export type Value = string | number | boolean | Uint8Array | readonly FaultSetting<string>[];
/** The arguments of a verb, checked, by name. */
export type Arguments = Readonly<Record<string, Value | undefined>>;

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** Milliseconds of `2`, `2s`, `500ms`, `1.5 m`; a number alone is seconds. Undefined where it is none, or 25 days and more. */
export function duration(value: unknown): number | undefined {
  const m = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h)?$/.exec(String(value).trim());
  const ms = m === null ? Number.POSITIVE_INFINITY : Number(m[1]) * UNITS[m[2] ?? 's'];
  return ms > LONGEST_MS ? undefined : ms;
}

/** A pattern from text: `/…/` is a regular expression, anything else stands for itself. @throws BadScenario */
export function patternOf(text: string): RegExp {
  const m = /^\/(.*)\/(i?)$/.exec(text);
  try {
    return m === null ? new RegExp(text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')) : new RegExp(m[1], m[2]);
  } catch (e) {
    throw new BadScenario((e as Error).message);
  }
}

/** Tells addresses of a network: of a family (`ipv4`, `ipv6`), in `ADDRESS/LENGTH`, or one; undefined where the text is none. */
export function networkOf(text: string): ((a: Address) => boolean) | undefined {
  if (text === 'ipv4' || text === 'ipv6') return (a) => a.length === (text === 'ipv4' ? 4 : 16);
  const m = /^([^/]+)(?:\/(\d+))?$/.exec(text);
  const prefix = parseAddress(m?.[1] ?? '');
  if (prefix === undefined) return undefined;
  const most = 8 * prefix.length;
  const length = Number(m?.[2] ?? most);
  return length > most ? undefined : (a) => inPrefix(a, prefix, length);
}

/** Octets written as hex, with blanks, colons and commas wherever; undefined where it is none. */
function hexOctets(text: string): Uint8Array | undefined {
  const digits = text.replace(/0x|[\s:,-]/gi, '');
  if (digits === '' || digits.length % 2 !== 0 || !/^[0-9a-f]*$/i.test(digits)) return undefined;
  return Uint8Array.from(digits.match(/../g)!, (h) => Number.parseInt(h, 16));
}

/** How a fault without a value is written where there must be one. */
const NO_VALUE: ReadonlySet<string> = new Set(['', '~', 'null']);

/** The faults that there are, for arguments that are faults. */
export const FAULT_LISTS: Readonly<Record<FaultKind, FaultList<string>>> = {
  faults: FAULTS,
  'eftf-faults': ALL_FAULTS,
};
/** Whether an argument is a list of faults. */
export const isFaultKind = (kind: Kind | undefined): kind is FaultKind =>
  typeof kind === 'string' && Object.hasOwn(FAULT_LISTS, kind);

function faultsOf(known: FaultList<string>, value: unknown): FaultSetting<string>[] {
  if (value === 'off') return [];
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return Object.entries(value).flatMap(([name, v]) =>
      faultsOf(known, [NO_VALUE.has(String(v)) ? name : `${name}=${v}`]),
    );
  }
  const list = Array.isArray(value)
    ? value
    : String(value)
        .trim()
        .split(/[\s,]+/);
  return list.flatMap((one) => {
    if (typeof one === 'object' && one !== null) return faultsOf(known, one);
    const fault = parseFault(String(one), known);
    if (typeof fault === 'string') throw new BadScenario(fault);
    return fault;
  });
}

/** How long a step waits: what it was told, or else `ms`. */
export const within = (a: Arguments, ms: number): number => (a.within as number | undefined) ?? ms;

/** A value as its kind wants it. @throws BadScenario */
export function checkedValue(kind: Kind, name: string, value: unknown): Value {
  if (isFaultKind(kind)) return faultsOf(FAULT_LISTS[kind], value);
  if (typeof value === 'object' && value !== null) throw new BadScenario(`${name} is one value, not several`);
  const text = String(value ?? '').trim();
  const found = text === '' ? undefined : readValue(kind, name, text);
  if (found === undefined)
    throw new BadScenario(`${name} is ${kindInWords(kind)}${text === '' ? ', not nothing' : `, not ${text}`}`);
  return found;
}

function readValue(kind: Exclude<Kind, FaultKind>, name: string, text: string): Value | undefined {
  if (typeof kind !== 'string') {
    if (!('from' in kind)) return kind.includes(text) ? text : undefined;
    const n = Number(text);
    return /^\d+$/.test(text) && n >= kind.from && n <= kind.to ? n : undefined;
  }
  switch (kind) {
    case 'duration':
      return duration(text);
    case 'flag':
      return text === name || text === 'true' ? true : text === 'false' ? false : undefined;
    case 'address':
      return parseAddress(text);
    case 'network':
      return networkOf(text) && text;
    case 'hex':
      return hexOctets(text);
    case 'pattern':
      patternOf(text);
      return text;
    case 'party':
      return /\s/.test(text) ? undefined : text;
    case 'digits':
      return /^[0-9*#A-D]+$/.test(text) ? text : undefined;
    default:
      return text;
  }
}
