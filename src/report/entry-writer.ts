import type { Moment } from '../model/moment.js';
import { MadeSeries } from '../model/series.js';
import { FALSE, Phrase, TRUE } from './phrase.js';
import type { TextBytes } from './text-bytes.js';
import { jsonText } from './value.js';

const OPEN = 123;
const CLOSE = 125;
const OPEN_LIST = 91;
const CLOSE_LIST = 93;
const COMMA = 44;
/** Some members are named after what a capture holds. */
const MOST_NAMES = 1024;
/** So many thousandths are exactly what their decimal digits say. */
const MOST_THOUSANDTHS = 1e15;
/** What follows the whole number, by thousandths. */
const FRACTIONS: readonly string[] = Array.from({ length: 1000 }, (_, n) => String(n / 1000).slice(1));

const ISO = new Phrase('{"iso":');
const EPOCH = new Phrase(',"epoch":');
const NULL = new Phrase('null');

/** Whether a value is a time: it has both members of one. */
export const isMoment = (v: object): v is Moment =>
  (v as Partial<Moment>).nanos !== undefined && (v as Partial<Moment>).seconds !== undefined;

/**
 * Writes entries of a report as `JSON.stringify` would write their plain values (`jsonOf`), at a fraction of the cost: a
 * long report is mostly that.
 */
export class EntryWriter {
  /** Names of members as they are written: few, and written often. */
  private readonly names = new Map<string, Phrase>();

  constructor(readonly out: TextBytes) {}

  /** An entry, or any value in it. */
  write(value: unknown): void {
    const { out } = this;
    if (typeof value === 'string') out.string(value);
    else if (typeof value === 'number') this.number(value);
    else if (typeof value === 'boolean') out.phrase(value ? TRUE : FALSE);
    else if (typeof value !== 'object' || value === null) out.phrase(NULL);
    else if (Array.isArray(value)) this.list(value);
    else if (isMoment(value)) {
      out.phrase(ISO);
      out.isoTime(value.seconds, value.nanos);
      out.phrase(EPOCH);
      out.decimalSeconds(value.seconds, value.nanos);
      out.octet(CLOSE);
    } else if (value instanceof MadeSeries) this.series(value);
    else this.members(value);
  }

  /** Durations are told to the microsecond, shares and factors to a thousandth. */
  private number(v: number): void {
    const { out } = this;
    const k = Math.round(v * 1000);
    if (Number.isInteger(v)) out.number(v);
    else if (!(k > 0 && k < MOST_THOUSANDTHS)) out.number(k / 1000);
    else {
      const whole = Math.floor(k / 1000);
      out.number(whole);
      out.ascii(FRACTIONS[k - whole * 1000]);
    }
  }

  private members(value: object): void {
    const { out } = this;
    let before = OPEN;
    for (const name in value) {
      const v = (value as Record<string, unknown>)[name];
      if (v === undefined) continue;
      out.octet(before);
      before = COMMA;
      out.phrase(this.names.get(name) ?? this.name(name));
      this.write(v);
    }
    if (before === OPEN) out.octet(OPEN);
    out.octet(CLOSE);
  }

  private name(name: string): Phrase {
    const p = new Phrase(`${jsonText(name)}:`);
    if (this.names.size < MOST_NAMES) this.names.set(name, p);
    return p;
  }

  private list(list: readonly unknown[]): void {
    const { out } = this;
    out.octet(OPEN_LIST);
    for (let i = 0; i < list.length; i++) {
      if (i > 0) out.octet(COMMA);
      this.write(list[i]);
    }
    out.octet(CLOSE_LIST);
  }

  private series(list: Iterable<unknown>): void {
    const { out } = this;
    let before = OPEN_LIST;
    for (const value of list) {
      out.octet(before);
      before = COMMA;
      this.write(value);
    }
    if (before === OPEN_LIST) out.octet(OPEN_LIST);
    out.octet(CLOSE_LIST);
  }
}
