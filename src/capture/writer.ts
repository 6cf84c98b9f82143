/** Writing captures: pcapng with everything that it can hold. */

import { padded } from '../kit/index.js';
import { CaptureError } from './errors.js';
import { LiveWriter } from './live-output.js';
import { OctetWriter, put16, put32 } from './output.js';

/** What a writer keeps of an interface besides its link type and name. */
export interface InterfaceNote {
  readonly description?: string;
  readonly filter?: string;
  readonly snaplen?: number;
  readonly fcsLength?: number;
}

/** What a writer keeps of a frame besides its octets and time. */
export interface FrameNote {
  /** Octets on the wire, where the frame was cut. */
  readonly wire?: number;
  readonly comment?: string | readonly string[];
  /** pcapng's epb_flags (bits 0-1: 1 inbound, 2 outbound). */
  readonly flags?: number;
}

/** What a pcapng file that is written says of itself, and what must not happen to others by it. */
export interface PcapngOptions {
  /** Files being read: one of them is never written over. */
  readonly inputs?: readonly string[];
  /** Name and version of the program that captured (shb_userappl). */
  readonly application?: string;
  /** Comment on the whole capture. */
  readonly comment?: string;
  /** Nobody waits for the reader of a pipe: see {@link PcapngWriter.waiting}. */
  readonly live?: boolean;
}

/**
 * Writes pcapng, least significant octet first, with times in nanoseconds, to be fed in the order of the file. Every
 * method throws a {@link CaptureError} where writing fails.
 */
export class PcapngWriter {
  private readonly out: OctetWriter;
  private interfaces = 0;

  /** @param target path, descriptor, or `-` for standard output */
  constructor(target: string | number, options: PcapngOptions = {}) {
    this.out = new (options.live === true ? LiveWriter : OctetWriter)(target, options.inputs ?? []);
    const fixed = new Uint8Array(16);
    put32(fixed, 0, 0x1a2b3c4d);
    put16(fixed, 4, 1);
    fixed.fill(0xff, 8); // The length of the section is not known (draft-ietf-opsawg-pcapng §4.1).
    this.block(0x0a0d0d0a, fixed, [
      [1, optionText(options.comment ?? '')],
      [4, optionText(options.application ?? '')],
    ]);
  }

  /** Describes an interface of a LINKTYPE; returns its number for {@link frame}. */
  iface(link: number, name = '', note: InterfaceNote = {}): number {
    const fixed = new Uint8Array(8);
    put16(fixed, 0, link);
    put32(fixed, 4, note.snaplen ?? 0);
    this.block(1, fixed, [
      [2, optionText(name)],
      [3, optionText(note.description ?? '')],
      [9, Uint8Array.of(9)],
      [11, note.filter ? optionText(`\0${note.filter}`) : NO_OCTETS],
      [13, note.fcsLength === undefined ? NO_OCTETS : Uint8Array.of(note.fcsLength)],
    ]);
    return this.interfaces++;
  }

  /** Adds a frame; its time is seconds since the epoch and nanoseconds. */
  frame(iface: number, seconds: number, nanos: number, octets: Uint8Array, note?: FrameNote): void {
    if (iface >= this.interfaces) throw new RangeError(`interface ${iface} is not described`);
    const options = note ? frameOptions(note) : NO_OCTETS;
    const padding = padded(octets.length) - octets.length;
    const total = 32 + octets.length + padding + options.length;
    const { buf, off } = this.out.room(28);
    put32(buf, off, 6);
    put32(buf, off + 4, total);
    put32(buf, off + 8, iface);
    putTime(buf, off + 12, seconds, nanos);
    put32(buf, off + 20, octets.length);
    put32(buf, off + 24, note?.wire ?? octets.length);
    this.out.octets(octets);
    this.out.room(padding);
    this.out.octets(options);
    const end = this.out.room(4);
    put32(end.buf, end.off, total);
  }

  /** Adds a Custom Block that may be copied; `octets` are its data and options (§4.8). */
  custom(pen: number, octets: Uint8Array): void {
    const fixed = new Uint8Array(4 + padded(octets.length));
    put32(fixed, 0, pen);
    fixed.set(octets, 4);
    this.block(0xbad, fixed, []);
  }

  /** Adds a TLS key log; it serves the frames after it. */
  secrets(keyLog: string): void {
    const octets = text.encode(keyLog);
    const body = new Uint8Array(8 + padded(octets.length));
    put32(body, 0, 0x544c534b);
    put32(body, 4, octets.length);
    body.set(octets, 8);
    this.block(10, body, []);
  }

  /** Packets that an interface received and dropped since the capture began (Interface Statistics Block). */
  statistics(iface: number, seconds: number, nanos: number, received: bigint, dropped: bigint): void {
    const fixed = new Uint8Array(12);
    put32(fixed, 0, iface);
    putTime(fixed, 4, seconds, nanos);
    this.block(5, fixed, [
      [4, counter(received)],
      [5, counter(dropped)],
    ]);
  }

  /** Octets that the reader of a pipe has not taken yet, where nobody waits for it. */
  get waiting(): number {
    return this.out.waiting;
  }

  /** What messages call the target. */
  get label(): string {
    return this.out.label;
  }

  /** Hands over what is still in the buffer. */
  flush(): void {
    this.out.flush();
  }

  /** Flushes and closes. */
  end(): void {
    this.out.end();
  }

  /** Takes the file away that was begun. */
  abandon(): void {
    this.out.abandon();
  }

  private block(type: number, fixed: Uint8Array, list: readonly CodedOption[]): void {
    const options = optionsOf(list);
    const total = 12 + fixed.length + options.length;
    const b = new Uint8Array(total);
    put32(b, 0, type);
    put32(b, 4, total);
    b.set(fixed, 8);
    b.set(options, 8 + fixed.length);
    put32(b, total - 4, total);
    this.out.octets(b);
  }
}

type CodedOption = readonly [code: number, octets: Uint8Array];

const NO_OCTETS = new Uint8Array(0);
const text = new TextEncoder();
/** Longest option value; longer text is cut at a character. */
const OPTION = 65_535;

function optionText(s: string): Uint8Array {
  const octets = text.encode(s);
  if (octets.length <= OPTION) return octets;
  let end = OPTION;
  while ((octets[end] & 0xc0) === 0x80) end--;
  return octets.subarray(0, end);
}

/** Options one after the other with their end; those without octets are left out. */
function optionsOf(list: readonly CodedOption[]): Uint8Array {
  let size = 0;
  for (const [, octets] of list) size += octets.length === 0 ? 0 : 4 + padded(octets.length);
  if (size === 0) return NO_OCTETS;
  const b = new Uint8Array(size + 4);
  let at = 0;
  for (const [code, octets] of list) {
    if (octets.length === 0) continue;
    put16(b, at, code);
    put16(b, at + 2, octets.length);
    b.set(octets, at + 4);
    at += 4 + padded(octets.length);
  }
  return b;
}

function frameOptions(note: FrameNote): Uint8Array {
  const { comment = [], flags } = note;
  const list: CodedOption[] = [];
  for (const one of typeof comment === 'string' ? [comment] : comment) list.push([1, optionText(one)]);
  if (flags !== undefined) {
    const octets = new Uint8Array(4);
    put32(octets, 0, flags);
    list.push([2, octets]);
  }
  return optionsOf(list);
}

function counter(n: bigint): Uint8Array {
  const b = new Uint8Array(8);
  new DataView(b.buffer).setBigUint64(0, n, true);
  return b;
}

/** Whether a time fits 32 bits of seconds; others are written as 0. */
const fits = (seconds: number): boolean => seconds >= 0 && seconds <= 0xffff_ffff;

/** Writes nanoseconds since the epoch in two words; 10⁹ = 1953125 × 2⁹ keeps every product below 2⁵³. */
function putTime(b: Uint8Array, off: number, seconds: number, nanos: number): void {
  const product = fits(seconds) ? seconds * 1_953_125 : 0;
  const low = (product % 0x80_0000) * 512 + (fits(seconds) ? nanos : 0);
  put32(b, off, Math.floor(product / 0x80_0000) + (low > 0xffff_ffff ? 1 : 0));
  put32(b, off + 4, low);
}
