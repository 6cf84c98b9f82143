import { type Ctx, remembered, u16, u32, type View } from 'fttscope/kit';
import { ACK, SYN, URG } from './fields.js';
import type { TcpNote } from './note.js';
import { optionsInfo, type Segment } from './options.js';

/* The texts for people: heading, flags, Info column. */

/** Octets of a header without options. RFC 9293 §3.1 */
export const HEADER = 20;
/** From the least significant bit; all of the three reserved bits count as one. */
const FLAG_NAMES = ['FIN', 'SYN', 'RST', 'PSH', 'ACK', 'URG', 'ECE', 'CWR', 'AE'];
const FLAG_LETTERS = 'RRRACEUAPRSF';

/** Octets of the header, as it says itself. */
export const headerLength = (b: Uint8Array, o: number): number => (b[o + 12] >> 4) * 4;
/** All twelve flag bits. */
export const flagBits = (b: Uint8Array, o: number): number => u16(b, o + 12) & 0xfff;

/** "SYN, ACK". */
export function flagsText(flags: number): string {
  let text = '';
  for (let i = 0; i < FLAG_NAMES.length; i++)
    if ((flags & (1 << i)) !== 0) text += text === '' ? FLAG_NAMES[i] : `, ${FLAG_NAMES[i]}`;
  if ((flags & 0xe00) !== 0) text += text === '' ? 'Reserved' : ', Reserved';
  return text === '' ? '<None>' : text;
}

/** "·······A····". */
export const flagsLetters = remembered(4096, (flags: number) =>
  Array.from(FLAG_LETTERS, (letter, i) => ((flags & (0x800 >> i)) !== 0 ? letter : '·')).join(''),
);

/** What the options need to know of their segment. */
export const segmentOf = (v: View, flags: number, note: TcpNote | undefined): Segment => ({
  flags,
  ack: u32(v.buf, v.off + 8),
  peerBase: note === undefined ? 0 : note.peerBase,
});

/** The heading of the layer. */
export function title(v: View, cx: Ctx, flags: number, header: number, note: TcpNote | undefined): string {
  const { buf, off } = v;
  const seq = (u32(buf, off + 4) - (note === undefined ? 0 : note.base)) >>> 0;
  let text = `Transmission Control Protocol, Src Port: ${cx.sport}, Dst Port: ${cx.dport}, Seq: ${seq}`;
  if (header < HEADER) return text;
  if ((flags & ACK) !== 0) text += `, Ack: ${(u32(buf, off + 8) - (note === undefined ? 0 : note.peerBase)) >>> 0}`;
  return `${text}, Len: ${Math.max(0, v.wireLength - header)}`;
}

/** "443 → 53982 [SYN, ACK] Seq=0 Ack=1 Win=65160 Len=0 MSS=1460". */
export function info(v: View, cx: Ctx, header: number, note: TcpNote | undefined): string {
  const { buf, off } = v;
  const flags = flagBits(buf, off);
  const window = u16(buf, off + 14);
  const shift = note === undefined || (flags & SYN) !== 0 ? 0 : note.windowScale;
  let text = `${u16(buf, off)} → ${u16(buf, off + 2)} [${flagsText(flags)}]`;
  text += ` Seq=${(u32(buf, off + 4) - (note === undefined ? 0 : note.base)) >>> 0}`;
  if ((flags & ACK) !== 0) text += ` Ack=${(u32(buf, off + 8) - (note === undefined ? 0 : note.peerBase)) >>> 0}`;
  text += ` Win=${shift > 0 ? window * 2 ** shift : window}`;
  if (header < HEADER) return `${text}, bogus TCP header length (${header}, must be at least ${HEADER})`;
  if (off + header > v.end && !cx.quoted) return text;
  if ((flags & URG) !== 0) text += ` Urg=${u16(buf, off + 18)}`;
  text += ` Len=${Math.max(0, v.wireLength - header)}`;
  text += optionsInfo(buf, off + HEADER, Math.min(off + header, v.end), segmentOf(v, flags, note));
  if (note !== undefined && note.pending !== '') text += ' [TCP segment of a reassembled PDU]';
  return text;
}
