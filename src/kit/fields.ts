/** Fields: the vocabulary that tree, filter and export share. Names and types are Wireshark's where it has the field. */

/**
 * - `protocol`: a layer; `none`: a heading or a flag without a value
 * - `bool`, `u8` … `u64`, `i8` … `i64`, `float`: numbers (64-bit ones are bigint)
 * - `ipv4`, `ipv6`, `ether`: addresses, read from the node's octets
 * - `string`: text; `bytes`: octets; `guid`
 * - `time`: absolute, seconds and nanoseconds since the epoch; `duration`: relative, in seconds
 * - `frame`: a frame number (a link to it)
 */
export type FieldType =
  | 'protocol'
  | 'none'
  | 'bool'
  | 'u8'
  | 'u16'
  | 'u24'
  | 'u32'
  | 'u48'
  | 'u64'
  | 'i8'
  | 'i16'
  | 'i32'
  | 'i64'
  | 'float'
  | 'ipv4'
  | 'ipv6'
  | 'ether'
  | 'string'
  | 'bytes'
  | 'guid'
  | 'time'
  | 'duration'
  | 'frame';

/** Names of values: a table, or a function where ranges have names. `undefined`: the value has no name. */
export type ValueStrings = Readonly<Record<number, string>> | ((value: number) => string | undefined);

/** A field as a dissector declares it; {@link fields} makes {@link Field}s of them. */
export interface FieldDef {
  /** Wireshark's filter name, letter case included: `sip.Status-Code`. */
  readonly name: string;
  /** What the tree shows before the value. */
  readonly label: string;
  readonly type: FieldType;
  /**
   * How a number is printed: `dec` (default), `hex`, `dec_hex` (dec first in the tree), `hex_dec`. Octets: `colon` where
   * tshark divides them by colons also in `-T fields`, `zero` where it takes none of them for a value (BASE_ALLOW_ZERO).
   */
  readonly base?: 'dec' | 'hex' | 'dec_hex' | 'hex_dec' | 'colon' | 'zero' | undefined;
  /** Bits of the word given to {@link Tree.bits} that are this field. */
  readonly mask?: number | undefined;
  readonly values?: ValueStrings | undefined;
  /** All texts that a string can be: filters refuse to compare it with another. */
  readonly words?: readonly string[] | undefined;
  /**
   * Offset in its layer and octets (of the masked word, where there is a mask) of a field that always stands there: it can
   * be read without dissecting the layer, where `plain` of the dissector says so.
   */
  readonly at?: readonly [number, number] | undefined;
  /** Unit shown after a number in the tree: `s`, `octets`. */
  readonly unit?: string | undefined;
  /** For filters and exports alone: the tree that people see leaves it out, as another node shows the same octets. */
  readonly hidden?: boolean | undefined;
  /** Known only when all of a capture was read, as the state of a call: no row has it when it is first read. */
  readonly atEnd?: boolean | undefined;
  /** Other names that find this field: `ip.src` also answers to `ip.addr`, `ip.host`. */
  readonly aliases?: readonly string[] | undefined;
  /** Where the field's meaning is laid down: `TS 24.322 §7.1.2.1`. */
  readonly clause?: string | undefined;
}

/** A field as registered: its definition with a small dense number. */
export interface Field extends FieldDef {
  readonly id: number;
  /** Right shift that brings the masked bits down. */
  readonly shift: number;
}

/** By number. */
const all: Field[] = [];

/** Every field has the same members in the same order: V8 then knows where they stand. */
function registered(def: FieldDef, id: number): Field {
  const { name, label, type, base, mask, values, words, at, unit, hidden, atEnd, aliases, clause } = def;
  const shift = mask ? 31 - Math.clz32(mask & -mask) : 0;
  return { id, name, label, type, mask, shift, base, values, words, at, unit, hidden, atEnd, aliases, clause };
}

/** Gives each definition its number. Called once in each dissector file. */
export function fields<const T extends Record<string, FieldDef>>(table: T): { readonly [K in keyof T]: Field } {
  const out: Record<string, Field> = {};
  for (const [key, def] of Object.entries<FieldDef>(table)) all.push((out[key] = registered(def, all.length)));
  // Members of an object that is made at once, as this copy is, are constants to V8. Where they were put in place of others
  // it compiles more: a report took 30 MB more.
  return { ...out } as { readonly [K in keyof T]: Field };
}

/** One more than the largest field number given so far: the size of a table indexed by it. */
export const fieldCount = (): number => all.length;

/** The field that got a number. */
export const fieldOf = (id: number): Field => all[id];

/** The name of `value`, or `fallback` (default "Unknown"). */
export function nameOf(values: ValueStrings, value: number, fallback = 'Unknown'): string {
  return (typeof values === 'function' ? values(value) : values[value]) ?? fallback;
}
