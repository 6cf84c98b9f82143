import { Direction, type Rows } from '../viewer/rows.js';
import { SIGNS, severityStyle, type Theme } from './style.js';
import type { Column } from './table.js';
import { TIME_FORMATS, type TimeFormat, timeText } from './times.js';

/** How a frame is listed that carried an inner packet, where outer frames are listed. */
export interface OuterLook {
  readonly id: string;
  readonly source: string;
  readonly destination: string;
  readonly protocol: string;
  readonly info: string;
}

/** Cells of a column of a field where the user has not said how many. */
const FIELD_WIDTH = { least: 5, most: 32 };

/** What columns depend on besides the row. */
export interface ColumnLook {
  readonly theme: Theme;
  readonly time: TimeFormat;
  /** The frame of a row, where frames are listed; undefined: the row is one itself. */
  readonly outer: ((row: number) => OuterLook | undefined) | undefined;
  /** Row that time counts from; -1: the first frame. */
  readonly reference: number;
  /** The row listed before a row; -1: none. */
  before(row: number): number;
  /** The value of a field in a row; undefined: it is not known yet. */
  value(row: number, field: string): string | undefined;
  /** The Info of a row with what the capture lacks before it. */
  withGaps(row: number, info: string): string;
  /** Letter of a row's mark. */
  mark(row: number): string;
}

/** Cells of a time of day: what is longer has more before it. */
const CLOCK = TIME_FORMATS.a.width;

const ARROWS = ['', '↑', '↓'];

/** The columns of the list of packets. */
export function packetColumns(rows: Rows, look: ColumnLook): readonly Column<number>[] {
  const { width, title } = TIME_FORMATS[look.time];
  const timeOf = (r: number): string => timeText(rows, r, look.time, look.reference, look.before(r));
  const outer = (r: number): OuterLook | undefined => look.outer?.(r);
  return [
    {
      id: 'sign',
      title: '',
      min: 1,
      max: 1,
      priority: 1,
      text: (r) => look.mark(r) || SIGNS[signOf(rows, r)],
      style: (r) => (look.mark(r) !== '' ? look.theme.key : severityStyle(look.theme, signOf(rows, r))),
    },
    {
      id: 'number',
      title: 'No',
      min: 4,
      max: 14,
      align: 'right',
      priority: 0,
      whole: true,
      text: (r) => outer(r)?.id ?? rows.id(r),
    },
    {
      id: 'time',
      title,
      min: Math.min(9, width),
      max: width,
      align: 'right',
      priority: 2,
      text: timeOf,
      // What is the same in all rows goes: the date, and the first digits since 1970.
      ...(width > CLOCK && { short: (r: number, room: number) => `…${timeOf(r).slice(1 - room)}` }),
    },
    {
      id: 'direction',
      title: '',
      min: 1,
      max: 1,
      priority: 3,
      text: (r) => ARROWS[rows.direction(r)],
      style: (r) => (rows.direction(r) === Direction.up ? look.theme.up : look.theme.down),
    },
    {
      id: 'tunnel',
      title: 'Tun',
      min: 3,
      max: 5,
      align: 'right',
      priority: 7,
      text: (r) => (rows.tunnel(r) === 0 ? '' : String(rows.tunnel(r))),
    },
    {
      id: 'source',
      title: 'Source',
      min: 10,
      max: 39,
      middle: true,
      priority: 4,
      text: (r) => outer(r)?.source ?? rows.source(r),
    },
    {
      id: 'destination',
      title: 'Destination',
      min: 10,
      max: 39,
      middle: true,
      priority: 5,
      text: (r) => outer(r)?.destination ?? rows.destination(r),
    },
    {
      id: 'protocol',
      title: 'Proto',
      min: 5,
      max: 9,
      priority: 3,
      text: (r) => outer(r)?.protocol ?? rows.protocol(r),
    },
    { id: 'length', title: 'Len', min: 4, max: 6, align: 'right', priority: 8, text: (r) => String(rows.length(r)) },
    {
      id: 'info',
      title: 'Info',
      min: 24,
      max: 400,
      grow: true,
      priority: 1,
      text: (r) => look.withGaps(r, outer(r)?.info ?? rows.info(r)),
    },
  ];
}

/** A column of a field. */
export function fieldColumn(field: string, look: ColumnLook): Column<number> {
  return {
    id: field,
    title: field,
    min: FIELD_WIDTH.least,
    max: FIELD_WIDTH.most,
    priority: 3,
    text: (r) => look.value(r, field) ?? '…',
    style: (r) => (look.value(r, field) === undefined ? look.theme.dim : undefined),
  };
}

/** The severity whose sign a row gets: what is only talk gets none. */
function signOf(rows: Rows, row: number): '' | 'note' | 'warn' | 'error' {
  const s = rows.severity(row);
  if (s !== '' && s !== 'chat') return s;
  return rows.findings(row).length > 0 ? 'note' : '';
}
