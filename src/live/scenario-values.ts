import { parseAddress } from './address.js';
import { type FaultSetting, isFault, parseFault } from './fault.js';

/** What a scenario says that cannot be: the words name the place. */
export class BadScenario extends Error {}

/** What an argument of a verb may be. */
export type Kind = 'text' | 'number' | 'duration' | 'address' | 'hex' | 'flag' | 'faults';

/** A value that was checked: text, number (durations in ms), octets, flag, faults. */
export type Value = string | number | boolean | Uint8Array | readonly FaultSetting[];
export type Arguments = Readonly<Record<string, Value | undefined>>;

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** Milliseconds of `2`, `2s`, `500ms`, `1.5 m`; a number alone is seconds. Undefined where it is none. */
export function duration(value: unknown): number | undefined {
  const m = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h)?$/.exec(String(value).trim());
  return m === null ? undefined : Number(m[1]) * UNITS[m[2] ?? 's'];
}

/** Octets written as hex, with blanks, colons and commas wherever; undefined where it is none. */
function hexOctets(text: string): Uint8Array | undefined {
  const digits = text.replace(/0x|[\s:,-]/gi, '');
  if (digits === '' || digits.length % 2 !== 0 || !/^[0-9a-f]*$/i.test(digits)) return undefined;
  return Uint8Array.from(digits.match(/../g)!, (h) => Number.parseInt(h, 16));
}

function faultsOf(value: unknown): FaultSetting[] {
  if (value === 'off') return [];
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return Object.entries(value).map(([name, v]) => {
      if (!isFault(name)) throw new BadScenario(String(parseFault(name)));
      if (v !== null && typeof v !== 'number') throw new BadScenario(`${name} takes a number`);
      return { name, ...(v !== null && { value: v }) };
    });
  }
  const list = Array.isArray(value) ? value : String(value).split(/[\s,]+/);
  return list.map((one) => {
    const fault = parseFault(String(one));
    if (typeof fault === 'string') throw new BadScenario(fault);
    return fault;
  });
}

/** How long a step waits: what it was told, or else `ms`. */
export const within = (a: Arguments, ms: number): number => (a.within as number | undefined) ?? ms;

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** A value as its kind wants it. @throws BadScenario */
export function checkedValue(kind: Kind, name: string, value: unknown): Value {
  if (kind === 'faults') return faultsOf(value);
  if (typeof value === 'object' && value !== null) throw new BadScenario(`${name} is one value, not several`);
  const text = String(value);
  const number = kind === 'number' ? Number(text) : kind === 'duration' ? duration(text) : undefined;
  if ((kind === 'number' && !Number.isFinite(number)) || (kind === 'duration' && number === undefined))
    throw new BadScenario(`${name}: ${text} is no ${kind}`);
  if (number !== undefined) return number;
  if (kind === 'flag') {
    if (text !== 'true' && text !== 'false') throw new BadScenario(`${name} is true or false`);
    return text === 'true';
  }
  const octets = kind === 'address' ? parseAddress(text) : kind === 'hex' ? hexOctets(text) : undefined;
  if (octets !== undefined) return octets;
  if (kind !== 'text') throw new BadScenario(`${name}: ${text} is no ${kind === 'hex' ? 'hex' : 'IP address'}`);
  return text;
}
