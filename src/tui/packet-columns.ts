import { Direction, type Rows } from '../viewer/rows.js';
import { SIGNS, type Style, severityStyle, type Theme } from './style.js';
import type { Column } from './table.js';
import { TIME_FORMATS, type TimeFormat, timeText } from './times.js';

/** What lines are coloured by. */
export const COLOURINGS = ['what', 'direction', 'none'] as const;
export type Colouring = (typeof COLOURINGS)[number];

/** What columns depend on besides the row. */
export interface ColumnLook {
  readonly theme: Theme;
  readonly time: TimeFormat;
  /** Row that time counts from; -1: the first frame. */
  readonly reference: number;
  /** The row listed before a row; -1: none. */
  before(row: number): number;
  /** Letter of a row's mark. */
  mark(row: number): string;
}

const ARROWS = ['', '↑', '↓'];

/** The columns of the list of packets. */
export function packetColumns(rows: Rows, look: ColumnLook): readonly Column<number>[] {
  const { width, title } = TIME_FORMATS[look.time];
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
    { id: 'number', title: 'No', min: 4, max: 14, align: 'right', priority: 0, text: (r) => rows.id(r) },
    {
      id: 'time',
      title,
      min: Math.min(9, width),
      max: width,
      align: 'right',
      priority: 2,
      text: (r) => timeText(rows, r, look.time, look.reference, look.before(r)),
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
    { id: 'source', title: 'Source', min: 10, max: 39, middle: true, priority: 4, text: (r) => rows.source(r) },
    {
      id: 'destination',
      title: 'Destination',
      min: 10,
      max: 39,
      middle: true,
      priority: 5,
      text: (r) => rows.destination(r),
    },
    { id: 'protocol', title: 'Proto', min: 5, max: 9, priority: 3, text: (r) => rows.protocol(r) },
    { id: 'length', title: 'Len', min: 4, max: 6, align: 'right', priority: 8, text: (r) => String(rows.length(r)) },
    { id: 'info', title: 'Info', min: 30, max: 400, grow: true, priority: 6, text: (r) => rows.info(r) },
  ];
}

/** The severity whose sign a row gets: what is only talk gets none. */
function signOf(rows: Rows, row: number): '' | 'note' | 'warn' | 'error' {
  const s = rows.severity(row);
  if (s !== '' && s !== 'chat') return s;
  return rows.findings(row).length > 0 ? 'note' : '';
}

const SIP_STATUS = /^Status: ([1-6])/;
const ICMP_ERROR = /unreachable|exceeded|quench|Redirect|too big|Parameter problem/i;

/** The colour of a row by what it is: the rules of Wireshark, and ours for SIP, media, addressing and envelopes. */
export function rowStyle(rows: Rows, row: number, theme: Theme): Style {
  const protocol = rows.protocol(row);
  if (rows.findings(row).some((code) => code.startsWith('fttims.'))) return theme.envelopeFault;
  switch (protocol) {
    case 'SIP':
    case 'SIP/SDP':
      return sipStyle(rows.info(row), theme);
    case 'RTP':
    case 'RTCP':
      return theme.rtp;
    case 'TCP':
      return tcpStyle(rows, row, theme);
    case 'ICMP':
    case 'ICMPv6': {
      const info = rows.info(row);
      if (ICMP_ERROR.test(info)) return theme.icmpError;
      return /Router|Neighbor/.test(info) ? theme.addressing : theme.icmp;
    }
    case 'DHCP':
    case 'DHCPv6':
      return theme.addressing;
    default:
      return protocol.startsWith('HTTP') ? theme.http : theme.text;
  }
}

function sipStyle(info: string, theme: Theme): Style {
  const m = SIP_STATUS.exec(info);
  if (m === null) return theme.request;
  const { provisional, success, redirect, clientError, serverError } = theme;
  return [provisional, success, redirect, clientError, serverError, serverError][Number(m[1]) - 1];
}

function tcpStyle(rows: Rows, row: number, theme: Theme): Style {
  const info = rows.info(row);
  if (/\[[^\]]*RST/.test(info)) return theme.reset;
  const s = rows.severity(row);
  if (s === 'warn' || s === 'error' || info.startsWith('[TCP')) return theme.badTcp;
  return /\[[^\]]*(SYN|FIN)/.test(info) ? theme.strong : theme.dim;
}

/** The colour of a row by where it goes. */
export function directionStyle(rows: Rows, row: number, theme: Theme): Style {
  const d = rows.direction(row);
  return d === Direction.up ? theme.up : d === Direction.down ? theme.down : theme.text;
}
