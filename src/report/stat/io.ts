import type { Row } from '../../engine/row.js';
import { type Field, Held } from '../../kit/index.js';
import { named, octetsOf, type Selector, type StatContext, StatError, type Statistic, selector } from './statistic.js';

const MICROSECONDS = 1e6;
/** Intervals that are counted; more are a mistake in the command. */
const MOST_INTERVALS = 1_000_000;
/** Cells of the first column: its name has to fit. */
const LEAST_FIRST = 12;
/** A table is made wider for its filters up to here. */
const USUAL_WIDTH = 102;

const CALCULATIONS = ['FRAMES', 'BYTES', 'COUNT', 'SUM', 'MIN', 'MAX', 'AVG'] as const;
/** What a column counts in each interval. */
type Calculation = 'frames and bytes' | (typeof CALCULATIONS)[number];

const CALCULATED = new RegExp(`^(${CALCULATIONS.join('|')})(?:\\(([\\w.-]*)\\))?(.*)$`);
/** The same of what is counted nowhere, or not here (LOAD): a filter follows at once, as nothing follows a function of a filter. */
const UNKNOWN = /^([A-Z]+)\([\w.-]*\)(?=[\w.])/;
/** What can be added up; of anything else there is only COUNT. */
const NUMERIC: ReadonlySet<string> = new Set('u8 u16 u24 u32 u48 u64 i8 i16 i32 i64 float duration'.split(' '));
const isNumeric = ({ name, type }: Field): boolean => NUMERIC.has(type) || name === 'frame.time_epoch';

/** One interval of a column. */
interface Bin {
  frames: number;
  bytes: number;
  /** Values of the field: how many, their sum, the least and the largest. */
  count: number;
  sum: number;
  least: number;
  largest: number;
}

/** One column of the table. */
class Column {
  readonly bins: Bin[] = [];
  readonly fields: readonly Field[];
  readonly what: Calculation;
  /** Whether the field has values with a fraction. */
  readonly fraction: boolean;
  private readonly only: Selector;
  private readonly values: ReadonlySet<Field>;

  constructor(
    cx: StatContext,
    readonly filter: string,
  ) {
    const m = CALCULATED.exec(filter);
    const unknown = m === null ? UNKNOWN.exec(filter)?.[1] : undefined;
    if (unknown !== undefined)
      throw new StatError(`${cx.asked}: there is no ${unknown} here`, `one of ${CALCULATIONS.join(', ')}`);
    this.what = m === null ? 'frames and bytes' : (m[1] as Calculation);
    const name = m?.[2] ?? '';
    const counted = named(cx.registry, ...(name === '' ? [] : [name]));
    if (name !== '' && counted.length === 0) throw new StatError(`${cx.asked}: there is no field ${name}`);
    if (m !== null && name === '' && m[1] !== 'FRAMES' && m[1] !== 'BYTES')
      throw new StatError(`${cx.asked}: ${m[1]} wants a field, for example ${m[1]}(ip.len)ip.len`);
    const odd = m?.[1] === 'COUNT' ? undefined : counted.find((f) => !isNumeric(f));
    if (odd !== undefined)
      throw new StatError(`${cx.asked}: the values of ${name} are no numbers`, `COUNT(${name})${name} counts them`);
    this.values = new Set(counted);
    this.fraction = counted.some((f) => f.type === 'duration' || f.type === 'float' || f.type === 'time');
    this.only = selector(cx, m === null ? filter : m[3] === '' ? name : m[3]);
    this.fields = [...counted, ...this.only.fields];
  }

  take(row: Row, interval: number): void {
    if (!this.only.matches(row)) return;
    let bin = this.bins[interval];
    if (bin === undefined) this.bins[interval] = bin = { frames: 0, bytes: 0, count: 0, sum: 0, least: 0, largest: 0 };
    bin.frames++;
    bin.bytes += octetsOf(row);
    if (this.values.size > 0) this.measure(row, bin);
  }

  private measure(row: Row, bin: Bin): void {
    const t = row.dissection.tree;
    for (let i = 0; i < t.length; i++) {
      if (!this.values.has(t.field(i))) continue;
      const held = t.held(i);
      const made = t.made[i];
      const value =
        held === Held.Time
          ? t.number[i] + (made as number) / 1e9
          : typeof made === 'bigint'
            ? Number(made)
            : t.number[i];
      bin.least = bin.count === 0 ? value : Math.min(bin.least, value);
      bin.largest = bin.count === 0 ? value : Math.max(bin.largest, value);
      bin.sum += value;
      bin.count++;
    }
  }

  /** What the column tells of an interval: one number, or frames and bytes. */
  numbers(interval: number): number[] {
    const b = this.bins[interval] ?? { frames: 0, bytes: 0, count: 0, sum: 0, least: 0, largest: 0 };
    switch (this.what) {
      case 'frames and bytes':
        return [b.frames, b.bytes];
      case 'FRAMES':
        return [b.frames];
      case 'BYTES':
        return [b.bytes];
      case 'COUNT':
        return [b.count];
      case 'SUM':
        return [b.sum];
      case 'MIN':
        return [b.least];
      case 'MAX':
        return [b.largest];
      case 'AVG':
        return [b.count === 0 ? 0 : this.fraction ? b.sum / b.count : Math.floor(b.sum / b.count)];
    }
  }

  get heads(): string[] {
    return this.what === 'frames and bytes' ? ['Frames', 'Bytes'] : [this.what];
  }

  cell(value: number): string {
    return this.fraction && this.what !== 'COUNT' ? value.toFixed(6) : String(value);
  }
}

/** `io,stat,INTERVAL[,FILTER…]`: rows and octets by time; the interval is in seconds, 0 is the whole capture. */
export class InputOutput implements Statistic {
  readonly asked: string;
  readonly fields: readonly Field[];
  readonly analyseTcp: boolean;
  private readonly columns: Column[];
  /** In microseconds; 0: all is one interval. */
  private readonly interval: number;
  /** Decimal places of the interval. */
  private readonly places: number;
  private duration = 0;

  constructor(cx: StatContext, interval: string, filters: readonly string[]) {
    this.asked = cx.asked;
    if (!/^\d+(\.\d{1,6})?$/.test(interval))
      throw new StatError(
        `${cx.asked}: the interval is a number of seconds`,
        'for example io,stat,1 or io,stat,0.1,sip',
      );
    this.interval = Math.round(Number(interval) * MICROSECONDS);
    this.places = interval.includes('.') ? interval.length - interval.indexOf('.') - 1 : 0;
    this.columns = (filters.length === 0 ? [''] : filters).map((f) => new Column(cx, f));
    this.fields = this.columns.flatMap((c) => [...c.fields]);
    this.analyseTcp = this.fields.some((f) => f.name.startsWith('tcp.'));
  }

  take(row: Row): void {
    const [seconds, nanos] = row.relative;
    const at = Math.max(0, seconds * MICROSECONDS + Math.round(nanos / 1000));
    const n = this.interval === 0 ? 0 : Math.floor(at / this.interval);
    if (n >= MOST_INTERVALS)
      throw new StatError(`${this.asked}: more than ${MOST_INTERVALS} intervals`, 'a longer interval shows more');
    this.duration = Math.max(this.duration, at);
    for (const c of this.columns) c.take(row, n);
  }

  /** Whether all stands in one interval. */
  private get single(): boolean {
    return this.interval === 0 || this.interval > this.duration;
  }

  private get count(): number {
    return this.duration === 0 ? 0 : this.single ? 1 : Math.max(1, Math.ceil(this.duration / this.interval));
  }

  json(): object {
    const { interval, duration, columns } = this;
    const step = this.single ? duration : interval;
    const intervals = Array.from({ length: this.count }, (_, n) => ({
      start: (n * step) / MICROSECONDS,
      end: Math.min((n + 1) * step, duration) / MICROSECONDS,
      columns: columns.map((c) => {
        const values = c.numbers(n);
        return c.heads.length === 2 ? { frames: values[0], bytes: values[1] } : { value: values[0] };
      }),
    }));
    const filters = columns.map((c) => c.filter);
    return { statistic: this.asked, filters, durationMs: duration / 1000, intervalMs: step / 1000, intervals };
  }

  text(): string {
    return new Table(this.columns, this.duration, this.single ? 0 : this.interval, this.places, this.count).text();
  }
}

const digits = (n: number): number => String(Math.floor(n)).length;

/** The table as tshark lays it out. */
class Table {
  private readonly places: number;
  private readonly duration: number;
  private readonly whole: number;

  constructor(
    private readonly columns: readonly Column[],
    private readonly exact: number,
    /** In microseconds; 0: that of the capture. */
    private readonly interval: number,
    places: number,
    private readonly count: number,
  ) {
    const magnitude = digits(exact / MICROSECONDS);
    this.places = interval > 0 ? places : magnitude >= 2 ? 1 : 3;
    const unit = MICROSECONDS / 10 ** this.places;
    this.duration = this.places === 0 ? exact : Math.ceil(exact / unit - 0.5) * unit;
    this.whole = digits(this.duration / MICROSECONDS);
  }

  private seconds(us: number): string {
    const { places } = this;
    return (us / MICROSECONDS).toFixed(places).padStart(this.whole + (places === 0 ? 0 : places + 1));
  }

  text(): string {
    const { columns, places, whole } = this;
    const first = Math.max(LEAST_FIRST, places === 0 ? 2 * whole + 8 : 2 * whole + 2 * places + 10);
    const cells = columns.map((c) => this.widths(c));
    const row = first + cells.flat().reduce((n, w) => n + w + 3, 0);
    const width = this.border(Math.max(first, row), row);
    const line = (s: string): string => `|${` ${s}`.padEnd(width - 2)}|`;
    const table = (s: string): string => (row === width ? s : `${s}${' '.repeat(width - row - 1)}|`);
    const blank = `|${' '.repeat(width - 2)}|`;
    const heads = columns.map((c, k) => c.heads.map((h, i) => ` ${centred(h, cells[k][i])} |`).join('')).join('');
    const numbers = columns.map((_, k) => `${String(k + 1).padEnd(sum(cells[k]) + 3 * cells[k].length - 1)}|`).join('');
    const rule = table(`|${'-'.repeat(row - 2)}|`);
    const step = this.interval === 0 ? this.duration : this.interval;
    return `\n${[
      '='.repeat(width),
      line('IO Statistics'),
      blank,
      line(
        `Duration: ${this.interval > 0 && places === 0 ? (this.exact / MICROSECONDS).toFixed(6) : this.seconds(this.duration)} secs`,
      ),
      line(`Interval: ${this.seconds(step)} secs`),
      blank,
      ...columns.map((c, k) =>
        line(
          `${k === 0 ? 'Col' : '   '}${String(k + 1).padStart(2)}: ${c.filter === '' ? 'Frames and bytes' : c.filter}`,
        ),
      ),
      `|${'-'.repeat(width - 2)}|`,
      table(`|${' '.repeat(first - 2)}|${numbers}`),
      table(`|${' Interval'.padEnd(first - 2)}|${heads}`),
      rule,
      ...Array.from({ length: this.count }, (_, n) => table(this.line(n, step, cells, first))),
      '='.repeat(width),
    ].join('\n')}\n`;
  }

  /** Cells of a line: those of the table, or more, for long filters. */
  private border(table: number, row: number): number {
    const { places, whole } = this;
    const shown = places === 0 ? 0 : places + 1;
    const magnitude = Math.max(whole, digits(this.interval / MICROSECONDS));
    let width = Math.max(table, (this.interval === 0 ? 30 + whole : 25 + magnitude) + shown);
    const longest = Math.max(...this.columns.map((c) => (c.filter === '' ? 26 : c.filter.length + 11)));
    if (longest > width && width < USUAL_WIDTH) width = Math.min(longest, USUAL_WIDTH);
    return width - row === 1 ? width + 1 : width;
  }

  private widths(c: Column): number[] {
    return c.heads.map((h, i) => {
      let w = h.length;
      for (let n = 0; n < this.count; n++) w = Math.max(w, c.cell(c.numbers(n)[i]).length);
      return w;
    });
  }

  private line(n: number, step: number, cells: readonly number[][], first: number): string {
    const until = (n + 1) * step;
    const last = this.interval > 0 && until > this.exact;
    const end =
      last && this.places === 0 ? 'Dur'.padEnd(this.whole + 1) : `${this.seconds(Math.min(until, this.duration))} `;
    const values = this.columns.map((c, k) =>
      c
        .numbers(n)
        .map((v, i) => ` ${c.cell(v).padStart(cells[k][i])} |`)
        .join(''),
    );
    const start = this.seconds(n * step);
    const margin = Math.floor((first - 2 * start.length - 6) / 2);
    return `|${`${' '.repeat(margin)}${start} <> ${end}`.padEnd(first - 2)}|${values.join('')}`;
  }
}

const sum = (list: readonly number[]): number => list.reduce((a, b) => a + b, 0);

function centred(s: string, width: number): string {
  const left = Math.ceil((width - s.length) / 2);
  return `${' '.repeat(left)}${s}`.padEnd(width);
}
