import {
  counted,
  defineDissector,
  experts,
  type Field,
  fields,
  type Tree,
  type ValueStrings,
  View,
} from 'fttscope/kit';
import { ENCAPSULATIONS } from './encapsulation-types.js';

/**
 * What the capture file says about a frame. Not octets of the frame: the engine calls it first and gives the layer the
 * link type names the octets.
 */

/** What a LINKTYPE is called; undefined where it is not known. */
export const encapsulationName = (link: number): string | undefined => ENCAPSULATIONS[link]?.[1];

/** Whether a program that changes a capture may copy a Custom Block. */
const COPYING: ValueStrings = { 0: 'Not Allowed', 1: 'Allowed' };

const F = fields({
  frame: { name: 'frame', label: 'Frame', type: 'protocol' },
  encapsulation: {
    name: 'frame.encap_type',
    label: 'Encapsulation type',
    type: 'i16',
    values: Object.fromEntries(Object.values(ENCAPSULATIONS)),
  },
  interfaceId: { name: 'frame.interface_id', label: 'Interface id', type: 'u32' },
  interfaceName: { name: 'frame.interface_name', label: 'Interface name', type: 'string' },
  interfaceDescription: { name: 'frame.interface_description', label: 'Interface description', type: 'string' },
  time: { name: 'frame.time', label: 'Arrival Time', type: 'time' },
  epoch: { name: 'frame.time_epoch', label: 'Epoch Time', type: 'time' },
  delta: {
    name: 'frame.time_delta',
    label: 'Time delta from previous captured frame',
    type: 'duration',
    unit: 'seconds',
  },
  relative: {
    name: 'frame.time_relative',
    label: 'Time since reference or first frame',
    type: 'duration',
    unit: 'seconds',
  },
  number: { name: 'frame.number', label: 'Frame Number', type: 'u32' },
  length: { name: 'frame.len', label: 'Frame Length', type: 'u32', unit: 'octets', aliases: ['frame.pkt_len'] },
  captured: { name: 'frame.cap_len', label: 'Capture Length', type: 'u32', unit: 'octets' },
  protocols: { name: 'frame.protocols', label: 'Protocols in frame', type: 'string' },
  customPen: { name: 'frame.cb_pen', label: 'Private Enterprise Number', type: 'u32' },
  customCopy: { name: 'frame.cb_copy', label: 'Copying', type: 'bool', values: COPYING },
  comment: { name: 'frame.comment', label: 'Comment', type: 'string' },
  duplicate: { name: 'frame.duplicate', label: 'Captured twice: the same as frame', type: 'frame' },
});

const E = experts({
  comment: { code: 'frame.comment', severity: 'comment', message: 'Comment' },
  oddTime: {
    code: 'frame.time-out-of-range',
    severity: 'warn',
    message: 'Arrival Time: the fractional second is invalid',
  },
  short: {
    code: 'frame.length-below-captured',
    severity: 'error',
    malformed: true,
    message: 'Frame length is less than captured length',
  },
});

/** What the reader knows about a frame. */
export interface FrameNote {
  readonly link: number;
  readonly interfaceId?: number | undefined;
  readonly interfaceName?: string | undefined;
  readonly interfaceDescription?: string | undefined;
  readonly comments?: readonly string[] | undefined;
  /** {@link Head.oddTime} */
  readonly oddTime?: readonly [number, number] | undefined;
  /** Seconds and nanoseconds since the first and since the previous frame. */
  readonly relative: readonly [number, number];
  readonly delta: readonly [number, number];
  /** What the frame is instead of a packet: a Custom Block, of whose enterprise, and whether it may be copied. */
  readonly customBlock?: { readonly pen: number | undefined; readonly copied: boolean } | undefined;
  /** Frame that it repeats, captured a second time at another interface or by a mirror port. */
  readonly duplicateOf?: number | undefined;
}

/** Number and time of a frame. */
interface Head {
  readonly frame: number;
  readonly seconds: number;
  readonly nanos: number;
  /** Second and nanoseconds as the file has them, where they are no time. */
  readonly oddTime?: readonly [number, number] | undefined;
}

const BILLION = 1_000_000_000;

function addTimes(v: View, t: Tree, { seconds, nanos, oddTime }: Omit<Head, 'frame'>): void {
  t.time(F.time, v.off, 0, seconds, nanos);
  if (oddTime === undefined) {
    t.time(F.epoch, v.off, 0, seconds, nanos);
    return;
  }
  const [second, fraction] = oddTime;
  if (fraction < 0 || fraction >= BILLION) {
    const digits = String(Math.abs(fraction)).padStart(fraction < 0 ? 8 : 9, '0');
    const said = `Fractional second ${fraction < 0 ? '-' : ''}${digits} is invalid, the valid range is 0-${BILLION}`;
    t.expert(E.oddTime, `Arrival Time: ${said}`);
  }
  t.time(F.epoch, v.off, 0, second, fraction);
}

function addNumbers(v: View, t: Tree, { frame }: Head): void {
  t.num(F.number, v.off, 0, frame);
  t.num(F.length, v.off, 0, v.wireLength);
  t.num(F.captured, v.off, 0, v.length);
}

/** The fields that {@link addHead} adds. */
export const HEAD_FIELDS: ReadonlySet<Field> = new Set([F.time, F.epoch, F.number, F.length, F.captured]);

/** Adds what is known of a frame without its file and the frames before it. */
export function addHead(v: View, t: Tree, head: Head): void {
  addTimes(v, t, head);
  addNumbers(v, t, head);
}

/** `64 bytes (512 bits)`, in Wireshark's words. */
const sizeText = (n: number, done = ''): string => `${counted(n, 'byte')}${done} (${8 * n} bits)`;

const interfaceText = ({ interfaceName, interfaceDescription }: FrameNote): string =>
  interfaceName ?? interfaceDescription ?? 'unknown';

/** What Wireshark says of a frame in one line. */
function headline(number: number, v: View, note: FrameNote): string {
  const at = note.interfaceId === undefined ? '' : ` on interface ${interfaceText(note)}, id ${note.interfaceId}`;
  return `Frame ${number}: ${sizeText(v.wireLength, ' on wire')}, ${sizeText(v.length, ' captured')}${at}`;
}

/** A Custom Block has no time, no interface and no encapsulation (draft-ietf-opsawg-pcapng §4.8). */
function addCustomBlock(
  v: View,
  t: Tree,
  number: number,
  { pen, copied }: NonNullable<FrameNote['customBlock']>,
): void {
  if (t.labels) t.label(`PCAPNG Custom Block ${number}: ${sizeText(v.length)} of custom data and options`);
  t.num(F.number, v.off, 0, number);
  t.num(F.length, v.off, 0, v.wireLength);
  t.num(F.captured, v.off, 0, v.length);
  if (pen !== undefined) t.num(F.customPen, v.off, 0, pen);
  t.num(F.customCopy, v.off, 0, copied ? 1 : 0);
  t.text(F.protocols, v.off, 0, '');
}

export const frame = defineDissector({
  proto: 'frame',
  title: 'Frame',
  short: 'Frame',
  spec: 'none',
  fields: F,
  experts: E,
  tables: ['link'],

  dissect(v, t, cx) {
    const note = cx.note<FrameNote>(frame, v);
    if (note === undefined) return;
    t.open(F.frame, v.off, v.length);
    if (note.customBlock !== undefined) {
      addCustomBlock(v, t, cx.frame, note.customBlock);
      t.pop();
      cx.next('link', note.link, v);
      return;
    }
    if (t.labels) t.label(headline(cx.frame, v, note));
    for (const comment of note.comments ?? []) {
      t.text(F.comment, v.off, 0, comment);
      t.expert(E.comment, comment);
    }
    const encapsulation = ENCAPSULATIONS[note.link];
    t.num(F.encapsulation, v.off, 0, encapsulation?.[0] ?? 0);
    if (t.labels) t.label(`Encapsulation type: ${encapsulation?.[1] ?? `link type ${note.link}`}`);
    if (note.interfaceId !== undefined) {
      t.num(F.interfaceId, v.off, 0, note.interfaceId);
      t.text(F.interfaceName, v.off, 0, interfaceText(note));
    }
    if (note.interfaceDescription !== undefined) t.text(F.interfaceDescription, v.off, 0, note.interfaceDescription);
    addTimes(v, t, { seconds: cx.seconds, nanos: cx.nanos, oddTime: note.oddTime });
    if (t.wanted(F.delta)) t.time(F.delta, v.off, 0, note.delta[0], note.delta[1]);
    if (t.wanted(F.relative)) t.time(F.relative, v.off, 0, note.relative[0], note.relative[1]);
    addNumbers(v, t, cx);
    if (v.wireEnd < v.end) t.expert(E.short);
    t.text(F.protocols, v.off, 0, '');
    if (note.duplicateOf !== undefined) t.num(F.duplicate, v.off, 0, note.duplicateOf);
    t.pop();
    cx.next('link', note.link, v.wireEnd < v.end ? new View(v.source, v.off, v.end) : v);
  },

  column(v, cx): string {
    return cx.note<FrameNote>(frame, v)?.customBlock === undefined ? 'Frame' : 'PCAPNG';
  },

  summary(v, cx): string {
    const note: FrameNote | undefined = cx.note<FrameNote>(frame, v);
    if (note?.customBlock !== undefined) {
      const { pen, copied } = note.customBlock;
      return `Custom Block${pen === undefined ? '' : `: PEN = ${pen}`}, will${copied ? '' : ' not'} be copied`;
    }
    const link = note?.link;
    if (link === undefined || cx.takes('link', link)) return '';
    return `Link type ${link}${ENCAPSULATIONS[link] === undefined ? '' : ` (${ENCAPSULATIONS[link][1]})`} is not dissected`;
  },
});

/** The field that lists the protocol stack; its text is known when the packet is dissected to its end. */
export const PROTOCOLS = F.protocols;
