/** Options of pcapng blocks, and the interface that a description block makes with them. */

import { padded } from '../kit/index.js';
import { utf8Text } from '../kit/text.js';
import type { CaptureInterface } from './chunk.js';
import { Clock } from './clock.js';

/** An interface with its place among those of its section: the number that `frame.interface_id` shows. */
export interface SectionInterface extends CaptureInterface {
  /** From 1. */
  readonly section: number;
  /** Number within the section, from 0. */
  readonly id: number;
}

/** One option: its value is `[off, off + length)`. */
export interface Option {
  readonly code: number;
  readonly off: number;
  readonly length: number;
}

/** The options in `[from, stop)`, up to one that does not fit. */
export function options(view: DataView, from: number, stop: number, little: boolean): Option[] {
  const found: Option[] = [];
  let off = from;
  while (off + 4 <= stop) {
    const code = view.getUint16(off, little);
    const length = view.getUint16(off + 2, little);
    off += 4;
    if (code === 0 || off + length > stop) break;
    found.push({ code, off, length });
    off += padded(length);
  }
  return found;
}

/** The text in `length` octets, or in those in front of a zero octet (draft-ietf-opsawg-pcapng §3.5). */
export function optionText(b: Uint8Array, off: number, length: number): string {
  const zero = b.subarray(off, off + length).indexOf(0);
  return utf8Text(b, off, off + (zero < 0 ? length : zero));
}

const IF_NAME = 2;
const IF_DESCRIPTION = 3;
const IF_TSRESOL = 9;
const IF_FILTER = 11;
const IF_FCSLEN = 13;
const IF_TSOFFSET = 14;
/** The first octet of if_filter says what follows: 0 is a filter string. */
const FILTER_TEXT = 0;

/** The interface of the description block at `pos`, whose options end at `stop`, and how its times are read. */
export function interfaceOf(
  view: DataView,
  pos: number,
  stop: number,
  little: boolean,
  start: Pick<SectionInterface, 'file' | 'index' | 'section' | 'id'>,
): { face: SectionInterface; clock: Clock } {
  const b = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  const more: { name?: string; description?: string; filter?: string; fcsLength?: number } = {};
  let resolution = 6;
  let offset = 0;
  for (const { code, off, length } of options(view, pos + 16, stop, little)) {
    if (code === IF_NAME) more.name = optionText(b, off, length);
    else if (code === IF_DESCRIPTION) more.description = optionText(b, off, length);
    else if (code === IF_TSRESOL && length === 1) resolution = b[off];
    else if (code === IF_FILTER && length > 1 && b[off] === FILTER_TEXT)
      more.filter = optionText(b, off + 1, length - 1);
    else if (code === IF_FCSLEN && length === 1) more.fcsLength = b[off];
    else if (code === IF_TSOFFSET && length === 8) offset = Number(view.getBigInt64(off, little));
  }
  const link = view.getUint16(pos + 8, little);
  const snaplen = view.getUint32(pos + 12, little);
  return { face: { ...start, link, snaplen, ...more }, clock: new Clock(resolution, offset) };
}
