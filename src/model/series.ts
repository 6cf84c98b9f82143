/** Entries of a report in order: an array, or what reads them from where they wait. */
export interface Series<T> extends Iterable<T> {
  readonly length: number;
  map<U>(make: (value: T) => U): U[];
  flatMap<U>(make: (value: T) => U | readonly U[]): U[];
  filter(wanted: (value: T) => boolean): T[];
  find(wanted: (value: T) => boolean): T | undefined;
  some(wanted: (value: T) => boolean): boolean;
  slice(from?: number, to?: number): T[];
}

/** Takes entries as a report has them: text in UTF-8. */
export interface Teller {
  /** The octets `[off, end)`. */
  raw(octets: Uint8Array, off: number, end: number): void;
  /** Text that is known to be ASCII. */
  ascii(text: string): void;
}

/** A series whose entries are made each time that they are asked for. */
export class MadeSeries<T> implements Series<T> {
  constructor(
    readonly length: number,
    /** Makes an entry. */
    readonly at: (index: number) => T,
    /** Tells of an entry that waits as a report has it; false where it is to be made. */
    readonly tell: (index: number, out: Teller) => boolean = () => false,
  ) {}

  *[Symbol.iterator](): Generator<T> {
    for (let i = 0; i < this.length; i++) yield this.at(i);
  }

  toJSON(): T[] {
    return Array.from(this);
  }

  map<U>(make: (value: T) => U): U[] {
    return Array.from(this, make);
  }

  flatMap<U>(make: (value: T) => U | readonly U[]): U[] {
    return Array.from(this, make).flat() as U[];
  }

  filter(wanted: (value: T) => boolean): T[] {
    const out: T[] = [];
    for (const value of this) if (wanted(value)) out.push(value);
    return out;
  }

  find(wanted: (value: T) => boolean): T | undefined {
    for (const value of this) if (wanted(value)) return value;
    return undefined;
  }

  some(wanted: (value: T) => boolean): boolean {
    return this.find(wanted) !== undefined;
  }

  slice(from = 0, to = this.length): T[] {
    const out: T[] = [];
    for (let i = from < 0 ? Math.max(0, this.length + from) : from; i < Math.min(to, this.length); i++)
      out.push(this.at(i));
    return out;
  }
}
