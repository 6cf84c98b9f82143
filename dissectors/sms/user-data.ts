/** TP-User-Data with its header, TS 23.040 §9.2.3.24. */
import { need, type Tree, u16, type View } from 'fttscope/kit';
import { textItem } from '../text-media.js';
import { septetOctets, septets, ucs2 } from './alphabet.js';
import { showPieces, textsOf, type Whole } from './concatenation.js';
import { showElement } from './elements.js';
import { S, SE } from './fields.js';
import type { Coding } from './parts.js';

/** Which of how many messages a text was cut into. TS 23.040 §9.2.3.24.1 */
export interface Part {
  readonly id: number;
  readonly parts: number;
  readonly part: number;
}

/** Where the parts of user data lie, and what they say. */
export interface UserData {
  readonly coding: Coding;
  /** Where the user data starts, and one past it. */
  readonly off: number;
  readonly end: number;
  /** One past the header; `off` without one. */
  readonly headerEnd: number;
  /** Bits between the header and the first septet. */
  readonly fill: number;
  /** The text; undefined for data of 8 bits and compressed data. */
  readonly text: string | undefined;
  readonly part: Part | undefined;
}

const CONCATENATED = new Set([0x00, 0x08]);

/** Calls `take` with each element of the header: its offset, and where its data start and end. */
function eachElement(b: Uint8Array, off: number, end: number, take: (at: number, data: number, end: number) => void) {
  for (let at = off; at + 2 <= end; ) {
    const stop = at + 2 + b[at + 1];
    if (stop > end) return;
    take(at, at + 2, stop);
    at = stop;
  }
}

function partOf(b: Uint8Array, off: number, end: number): Part | undefined {
  let found: Part | undefined;
  eachElement(b, off, end, (at, data, stop) => {
    if (!CONCATENATED.has(b[at]) || stop - data !== (b[at] === 0 ? 3 : 4)) return;
    const id = b[at] === 0 ? b[data] : u16(b, data);
    found = { id, parts: b[stop - 2], part: b[stop - 1] };
  });
  return found;
}

/** Octets of user data of this length, which counts septets where the text is of septets. TS 23.040 §9.2.3.16 */
const octetsOf = (udl: number, coding: Coding): number => (coding === 'septets' ? septetOctets(0, udl) : udl);

/**
 * What stands behind the length octet at `off`. `header`: TP-UDHI says that user data begin with a header.
 * @throws Short
 */
export function userData(v: View, off: number, coding: Coding, header: boolean): UserData {
  need(v, 1, off);
  need(v, octetsOf(v.buf[off], coding), off + 1);
  return partsOf(v, off, coding, header);
}

/** The same of as much as is there. */
function partsOf(v: View, off: number, coding: Coding, header: boolean): UserData {
  const { buf } = v;
  const start = off + 1;
  const end = Math.min(v.end, start + octetsOf(buf[off], coding));
  const udl = coding === 'septets' ? Math.min(buf[off], Math.floor((8 * (end - start)) / 7)) : end - start;
  const headerEnd = header && end > start ? Math.min(end, start + 1 + buf[start]) : start;
  const bits = 8 * (headerEnd - start);
  const fill = coding === 'septets' ? (7 - (bits % 7)) % 7 : 0;
  let text: string | undefined;
  if (coding === 'ucs2') text = ucs2(buf, headerEnd, end);
  else if (coding === 'septets') text = septets(buf, start, bits + fill, Math.max(0, udl - (bits + fill) / 7));
  return { coding, off: start, end, headerEnd, fill, text, part: partOf(buf, start + 1, headerEnd) };
}

/** TP-User-Data-Length and TP-User-Data; `whole` is the message of which they bring the last part. */
export function showUserData(v: View, t: Tree, off: number, coding: Coding, header: boolean, whole?: Whole): number {
  need(v, 1, off);
  const { buf } = v;
  t.num(S.udl, off, 1, buf[off]);
  if (t.labels) t.label(`TP-User-Data-Length: (${buf[off]}) ${buf[off] === 0 ? 'no User-Data' : LENGTH_DEPENDS}`);
  if (buf[off] === 0) return off + 1;
  const u = partsOf(v, off, coding, header);
  textItem(t, buf, u.off, u.end, 'TP-User-Data');
  t.push();
  if (u.headerEnd > u.off) showHeader(t, buf, u);
  if (whole !== undefined) showPieces(t, u.headerEnd, whole);
  const n = u.end - u.headerEnd;
  if (coding === 'compressed') t.bytes(S.compressedData, u.headerEnd, n, whole?.octets);
  else if (coding === 'octets') t.bytes(S.body, u.headerEnd, n, whole?.octets);
  else for (const text of whole === undefined ? [u.text] : textsOf(whole)) t.text(S.text, u.headerEnd, n, text);
  t.pop();
  need(v, octetsOf(buf[off], coding), u.off);
  return u.end;
}
const LENGTH_DEPENDS = 'depends on Data-Coding-Scheme';

function showHeader(t: Tree, b: Uint8Array, u: UserData): void {
  textItem(t, b, u.off, u.headerEnd, 'User-Data Header');
  t.push();
  t.num(S.udhl, u.off, 1, b[u.off]);
  let end = u.off + 1;
  eachElement(b, u.off + 1, u.headerEnd, (at, data, stop) => {
    showElement(t, b, at, data, stop);
    end = stop;
  });
  if (end < u.headerEnd || u.off + 1 + b[u.off] > u.end) t.expert(SE.headerLength);
  if (u.fill > 0 && u.headerEnd < u.end) t.num(S.fill, u.headerEnd, 1, b[u.headerEnd] & ((1 << u.fill) - 1));
  t.pop();
}
