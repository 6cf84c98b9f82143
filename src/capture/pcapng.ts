/**
 * pcapng files, draft-ietf-opsawg-pcapng: sections of blocks, each section in its own byte order.
 *
 *     block:  Type 4 | Total Length 4 | Body … padded to 32 bits | Total Length 4
 *
 * Read: SHB, IDB, EPB, SPB, the obsolete PB, ISB and DSB. Custom Blocks are frames without a packet, as in Wireshark, so
 * that the numbers of frames are the same. Every other block is passed over, whatever its length.
 */

import { append, padded } from '../kit/index.js';
import { utf8Text } from '../kit/text.js';
import { LIMITS } from '../limits.js';
import { type CaptureInterface, type Chunk, NO_LINK, onWire } from './chunk.js';
import type { Clock } from './clock.js';
import { DAMAGED, type FileState, type FormatReader, FULL } from './format.js';
import { interfaceOf, options, optionText, type SectionInterface } from './pcapng-options.js';
import type { Window } from './window.js';

/** Types of blocks. */
export const SHB = 0x0a0d0d0a;
const IDB = 1;
const PB = 2;
const SPB = 3;
const ISB = 5;
const EPB = 6;
export const DSB = 10;
/** Custom Blocks: of those that may be copied and those that may not. */
const CB = 0xbad;
const CB_KEPT = 0x4000_0bad;
/** Byte-Order Magic of a Section Header, and the kind of secrets that a TLS key log is. draft-ietf-opsawg-pcapng §4.1, §4.7 */
export const BYTE_ORDER = 0x1a2b3c4d;
export const TLS_KEY_LOG = 0x544c534b;
/** Type and both total lengths. */
const FRAME = 12;
/** What stands before the octets of a packet in EPB and PB, and after them. */
const PACKET_HEADER = 28;
const TRAILER = 4;
/** What stands before the content of a Custom Block: type, length, Private Enterprise Number. */
const CUSTOM_HEADER = 12;

const OPT_END = 0;
const OPT_COMMENT = 1;
const EPB_FLAGS = 2;
const EPB_DROPCOUNT = 4;
/** Of the obsolete Packet Block, where the count is not known. */
const NO_DROPS = 0xffff;
const SHB_USERAPPL = 4;
const ISB_IFDROP = 5;
const ISB_OSDROP = 7;

/** Whether a file that begins with these octets is pcapng. */
export function isPcapng(b: Uint8Array): boolean {
  return b.length >= 4 && b[0] === 0x0a && b[1] === 0x0d && b[2] === 0x0d && b[3] === 0x0a;
}

/** Reads pcapng: sections, interfaces, packets of any kind, Decryption Secrets Blocks and comments. */
export class PcapngReader implements FormatReader {
  damage = '';
  private little = true;
  /** Sections so far, and the interfaces of the present one. */
  private sections = 0;
  private faces: SectionInterface[] = [];
  private clocks: Clock[] = [];
  /** What the frames of Custom Blocks stand for, by the block's type and enterprise. */
  private readonly customs = new Map<string, CaptureInterface>();
  /** Time of the frame before, which Custom Blocks take over; undefined: so far there are Custom Blocks alone. */
  private before: readonly [number, number] | undefined;
  /** Octets still to pass over, and the total length that must follow them. */
  private passing = 0;
  private passingTotal = 0;

  constructor(private readonly file: FileState) {}

  inside(w: Window): string {
    if (this.passingTotal > 0) return 'a block';
    if (w.left === 0) return this.sections > 0 ? '' : 'the section header';
    if (this.sections === 0) return 'the section header';
    if (w.left < 8) return 'a block header';
    const type = w.view.getUint32(w.pos, this.little);
    return type === EPB || type === SPB || type === PB ? 'a packet' : 'a block';
  }

  parse(w: Window, chunk: Chunk): number {
    const state = this.blocks(w, chunk);
    const last = chunk.count - 1;
    if (last >= 0) {
      if (this.before === undefined) this.timeLeading(chunk);
      else this.before = [chunk.seconds[last], chunk.nanos[last]];
    }
    return state;
  }

  /** Gives Custom Blocks in front of the first packet its time. */
  private timeLeading({ count, iface, seconds, nanos }: Chunk): void {
    let first = 0;
    while (first < count && iface[first].customBlock !== undefined) first++;
    if (first === count) return;
    seconds.fill(seconds[first], 0, first);
    nanos.fill(nanos[first], 0, first);
    this.before = [seconds[count - 1], nanos[count - 1]];
  }

  private blocks(w: Window, chunk: Chunk): number {
    chunk.buf = w.buf;
    while (chunk.count < chunk.capacity) {
      if (this.passingTotal === 0 && this.clocks.length > 0) this.run(w, chunk);
      if (chunk.count === chunk.capacity) break;
      const state = this.passingTotal > 0 ? this.pass(w) : this.block(w, chunk);
      if (state !== FULL) return state;
    }
    return FULL;
  }

  /** The plain EPBs at the position; stops before options, damage, the end of the window and every other block. */
  // hot
  private run(w: Window, chunk: Chunk): void {
    const { view, end, base } = w;
    const { off, cap, wire, seconds, nanos, number, fileOffset, iface, capacity } = chunk;
    const { little, faces, clocks } = this;
    const first = this.file.frames + 1 - chunk.count;
    let id = 0;
    let face = faces[0];
    let clock = clocks[0];
    let i = chunk.count;
    let pos = w.pos;
    while (i < capacity && end - pos >= 32 && view.getUint32(pos, little) === EPB) {
      const total = view.getUint32(pos + 4, little);
      if (total < 32 || (total & 3) !== 0 || total > end - pos) break;
      const octets = view.getUint32(pos + 20, little);
      const padding = total - 32 - octets;
      if (padding < 0 || padding > 3 || octets > LIMITS.frameOctets) break;
      if (view.getUint32(pos + total - 4, little) !== total) break;
      const owner = view.getUint32(pos + 8, little);
      if (owner !== id) {
        if (owner >= faces.length) break;
        id = owner;
        face = faces[id];
        clock = clocks[id];
      }
      clock.set(view.getUint32(pos + 12, little), view.getUint32(pos + 16, little));
      off[i] = pos + PACKET_HEADER;
      cap[i] = octets;
      wire[i] = onWire(view.getUint32(pos + 24, little));
      seconds[i] = clock.seconds;
      nanos[i] = clock.nanos;
      number[i] = first + i;
      fileOffset[i] = base + pos + PACKET_HEADER;
      iface[i] = face;
      i++;
      pos += total;
    }
    w.pos = pos;
    this.file.frames += i - chunk.count;
    chunk.count = i;
  }

  /** One block, or what {@link FormatReader.parse} returns; FULL where it was read. */
  private block(w: Window, chunk: Chunk): number {
    const { view, pos } = w;
    if (w.left < FRAME) return FRAME;
    const type = view.getUint32(pos, this.little);
    if (type === SHB) {
      const trouble = this.byteOrder(w);
      if (trouble) return this.damaged(trouble);
    } else if (this.sections === 0) {
      return this.damaged('no section header');
    }
    const { little } = this;
    const claimed = view.getUint32(pos + 4, little);
    // Lengths that are no multiple of four are rounded up, as other readers do for writers that forget the padding.
    const total = (claimed & 3) === 0 ? claimed : claimed - (claimed & 3) + 4;
    const least = leastOf(type);
    if (total < least) return this.damaged(`a block of ${claimed} octets, less than the minimum of ${least}`);
    if (least === FRAME) {
      w.pos += 8;
      this.passing = total - FRAME;
      this.passingTotal = claimed;
      return FULL;
    }
    if (total > LIMITS.blockOctets) {
      return this.damaged(`a block of ${claimed} octets, more than the maximum of ${LIMITS.blockOctets}`);
    }
    if (w.left < total) {
      const trouble = type === EPB || type === PB ? this.packetHeader(w, total) : '';
      return trouble ? this.damaged(trouble) : total;
    }
    const again = view.getUint32(pos + total - TRAILER, little);
    if (again !== claimed) return this.damaged(`the two lengths of a block differ (${claimed} and ${again})`);
    const trouble = this.understand(type, w, total, chunk);
    if (trouble) return this.damaged(trouble);
    w.pos = pos + total;
    return FULL;
  }

  private understand(type: number, w: Window, total: number, chunk: Chunk): string {
    if (type === EPB || type === PB) return this.packet(w, total, chunk, type === PB);
    if (type === SPB) return this.simplePacket(w, total, chunk);
    if (type === IDB) return this.description(w, total);
    if (type === ISB) return this.statistics(w, total);
    if (type === DSB) return this.secrets(w, total, chunk);
    if (type === CB || type === CB_KEPT) return this.custom(w, total, chunk);
    return this.section(w, total);
  }

  private pass(w: Window): number {
    const n = Math.min(this.passing, w.left);
    w.pos += n;
    this.passing -= n;
    if (this.passing > 0) return 1;
    if (w.left < TRAILER) return TRAILER;
    const again = w.view.getUint32(w.pos, this.little);
    const claimed = this.passingTotal;
    if (again !== claimed) return this.damaged(`the two lengths of a block differ (${claimed} and ${again})`);
    w.pos += TRAILER;
    this.passingTotal = 0;
    return FULL;
  }

  private byteOrder(w: Window): string {
    const magic = w.view.getUint32(w.pos + 8, true);
    const little = magic === BYTE_ORDER;
    if (!little && w.view.getUint32(w.pos + 8, false) !== BYTE_ORDER) {
      return `a section with the unknown byte-order magic 0x${magic.toString(16).padStart(8, '0')}`;
    }
    this.little = little;
    return '';
  }

  private section(w: Window, total: number): string {
    const { view, pos } = w;
    const { comments } = this.file;
    const major = view.getUint16(pos + 12, this.little);
    const minor = view.getUint16(pos + 14, this.little);
    if (major !== 1) return `pcapng version ${major}.${minor} is unknown`;
    this.sections++;
    this.faces = [];
    this.clocks = [];
    for (const option of options(view, pos + 24, pos + total - TRAILER, this.little)) {
      if (option.code !== OPT_COMMENT && option.code !== SHB_USERAPPL) continue;
      const text = optionText(w.buf, option.off, option.length);
      if (comments.length < LIMITS.captureComments) comments.push(text);
      else if (comments.length === LIMITS.captureComments) comments.push('(further comments are left out)');
    }
    return '';
  }

  private description(w: Window, total: number): string {
    const { interfaces, id } = this.file;
    if (interfaces.length >= LIMITS.captureInterfaces) return `more than ${LIMITS.captureInterfaces} interfaces`;
    const start = { file: id, index: interfaces.length, section: this.sections, id: this.faces.length };
    const { face, clock } = interfaceOf(w.view, w.pos, w.pos + total - TRAILER, this.little, start);
    this.faces.push(face);
    this.clocks.push(clock);
    interfaces.push(face);
    return '';
  }

  /** Trouble in the fixed fields of an EPB or PB, of which at least 28 octets must be there to be judged. */
  private packetHeader(w: Window, total: number): string {
    if (w.left < PACKET_HEADER) return '';
    const octets = w.view.getUint32(w.pos + 20, this.little);
    if (octets > LIMITS.frameOctets) return tooLong(octets);
    if (PACKET_HEADER + octets + TRAILER > total) return tooShort(total, octets);
    return '';
  }

  private packet(w: Window, total: number, chunk: Chunk, old: boolean): string {
    const { view, pos } = w;
    const { little } = this;
    const octets = view.getUint32(pos + 20, little);
    const after = pos + PACKET_HEADER + padded(octets);
    const stop = pos + total - TRAILER;
    if (octets > LIMITS.frameOctets) return tooLong(octets);
    if (pos + PACKET_HEADER + octets > stop) return tooShort(total, octets);
    const id = old ? view.getUint16(pos + 8, little) : view.getUint32(pos + 8, little);
    if (id >= this.faces.length) return noInterface(id, this.faces.length);
    const clock = this.clocks[id];
    clock.set(view.getUint32(pos + 12, little), view.getUint32(pos + 16, little));
    const i = chunk.count;
    chunk.off[i] = pos + PACKET_HEADER;
    chunk.cap[i] = octets;
    chunk.wire[i] = onWire(view.getUint32(pos + 24, little));
    chunk.seconds[i] = clock.seconds;
    chunk.nanos[i] = clock.nanos;
    chunk.number[i] = ++this.file.frames;
    chunk.fileOffset[i] = w.base + pos + PACKET_HEADER;
    chunk.iface[i] = this.faces[id];
    if (after < stop) this.packetOptions(w, after, stop, chunk);
    if (old) this.missed(chunk, view.getUint16(pos + 10, little));
    chunk.count = i + 1;
    return '';
  }

  private packetOptions(w: Window, from: number, stop: number, chunk: Chunk): void {
    const { view } = w;
    const { little } = this;
    let off = from;
    while (off + 4 <= stop) {
      const code = view.getUint16(off, little);
      const length = view.getUint16(off + 2, little);
      off += 4;
      if (code === OPT_END || off + length > stop) return;
      if (code === EPB_FLAGS && length === 4) {
        chunk.flags.set(chunk.count, view.getUint32(off, little));
      } else if (code === EPB_DROPCOUNT && length === 8) {
        this.missed(chunk, view.getBigUint64(off, little));
      } else if (code === OPT_COMMENT) {
        append(chunk.comments, chunk.count, optionText(w.buf, off, length));
      }
      off += padded(length);
    }
  }

  /** So many packets of its interface were dropped before the packet at hand. */
  private missed(chunk: Chunk, drops: bigint | number): void {
    if (drops === NO_DROPS) return;
    const face = chunk.iface[chunk.count];
    if (drops > 0) face.drops = (face.drops ?? 0n) + BigInt(drops);
  }

  /** A packet without a time; it belongs to the first interface of the section. */
  private simplePacket(w: Window, total: number, chunk: Chunk): string {
    const face: CaptureInterface | undefined = this.faces[0];
    if (!face) return noInterface(0, 0);
    const original = w.view.getUint32(w.pos + 8, this.little);
    const octets = face.snaplen > 0 ? Math.min(original, face.snaplen) : original;
    if (octets > LIMITS.frameOctets) return tooLong(octets);
    if (16 + octets > total) return tooShort(total, octets);
    const i = chunk.count++;
    chunk.off[i] = w.pos + 12;
    chunk.cap[i] = octets;
    chunk.wire[i] = onWire(original);
    chunk.seconds[i] = 0;
    chunk.nanos[i] = 0;
    chunk.number[i] = ++this.file.frames;
    chunk.fileOffset[i] = w.at + 12;
    chunk.iface[i] = face;
    return '';
  }

  /** What is in a Custom Block, its options included, for only its enterprise can tell them apart. */
  private custom(w: Window, total: number, chunk: Chunk): string {
    const octets = total - CUSTOM_HEADER - TRAILER;
    if (octets > LIMITS.frameOctets) return tooLong(octets);
    const i = chunk.count++;
    const [seconds, nanos] = i > 0 ? [chunk.seconds[i - 1], chunk.nanos[i - 1]] : (this.before ?? [0, 0]);
    chunk.off[i] = w.pos + CUSTOM_HEADER;
    chunk.cap[i] = octets;
    chunk.wire[i] = octets;
    chunk.seconds[i] = seconds;
    chunk.nanos[i] = nanos;
    chunk.number[i] = ++this.file.frames;
    chunk.fileOffset[i] = w.at + CUSTOM_HEADER;
    chunk.iface[i] = this.customOf(w.view.getUint32(w.pos, this.little), w.view.getUint32(w.pos + 8, this.little));
    return '';
  }

  private customOf(type: number, enterprise: number): CaptureInterface {
    const { customs } = this;
    const pen = customs.size < LIMITS.customBlocks || customs.has(`${type} ${enterprise}`) ? enterprise : undefined;
    const key = `${type} ${pen}`;
    let face = customs.get(key);
    if (face === undefined) {
      face = { file: this.file.id, index: -1, link: NO_LINK, snaplen: 0, customBlock: { pen, copied: type === CB } };
      customs.set(key, face);
    }
    return face;
  }

  private statistics(w: Window, total: number): string {
    const { view, pos } = w;
    const id = view.getUint32(pos + 8, this.little);
    if (id >= this.faces.length) return noInterface(id, this.faces.length);
    let drops: bigint | undefined;
    for (const option of options(view, pos + 20, pos + total - TRAILER, this.little)) {
      if ((option.code !== ISB_IFDROP && option.code !== ISB_OSDROP) || option.length !== 8) continue;
      drops = (drops ?? 0n) + view.getBigUint64(option.off, this.little);
    }
    // What packets told of may be more: a system that does not count says 0.
    const { drops: known = 0n } = this.faces[id];
    if (drops !== undefined) this.faces[id].drops = drops > known ? drops : known;
    return '';
  }

  private secrets(w: Window, total: number, chunk: Chunk): string {
    const { view, pos } = w;
    const length = view.getUint32(pos + 12, this.little);
    if (16 + length + TRAILER > total) return `a block of ${total} octets is too small for secrets of ${length}`;
    if (view.getUint32(pos + 8, this.little) === TLS_KEY_LOG) {
      chunk.secrets.push(utf8Text(w.buf, pos + 16, pos + 16 + length));
    }
    return '';
  }

  private damaged(what: string): number {
    this.damage = what;
    return DAMAGED;
  }
}

/** Smallest total length of a block that is understood, {@link FRAME} for any other. */
function leastOf(type: number): number {
  switch (type) {
    case EPB:
    case PB:
      return 32;
    case SHB:
      return 28;
    case ISB:
      return 24;
    case IDB:
    case DSB:
      return 20;
    case SPB:
    case CB:
    case CB_KEPT:
      return 16;
    default:
      return FRAME;
  }
}

const tooLong = (octets: number): string =>
  `a packet of ${octets} octets, more than the maximum of ${LIMITS.frameOctets}`;
const tooShort = (total: number, octets: number): string =>
  `a block of ${total} octets is too small for a packet of ${octets}`;
const noInterface = (id: number, n: number): string =>
  `a block of interface ${id}, but the section has described ${n === 0 ? 'none' : n}`;
