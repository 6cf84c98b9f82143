/**
 * pcap files, draft-ietf-opsawg-pcap (libpcap's pcap-savefile(5)), in either byte order:
 *
 *     file header:    Magic 4 | Major 2 | Minor 2 | Reserved 8 | SnapLen 4 | FCS len 4 bits, r, p, reserved | LinkType 2
 *     packet header:  Seconds 4 | Micro- or nanoseconds 4 | Captured 4 | Original 4
 *     modified:       … | ifindex 4 | protocol 2 | type 1 | pad 1
 *
 * The third line stands in files of A. Kuznetzov's "modified" libpcap alone. Those that Red Hat 6.1 had have the magic of
 * pcap: only their packets show it.
 */

import { LIMITS } from '../limits.js';
import { type CaptureInterface, type Chunk, onWire } from './chunk.js';
import { DAMAGED, type FileState, type FormatReader, FULL } from './format.js';
import type { Window } from './window.js';

const FILE_HEADER = 24;
const PACKET_HEADER = 16;
const MODIFIED_HEADER = 24;
const MICROSECONDS = 0xa1b2c3d4;
const NANOSECONDS = 0xa1b23c4d;
/** Magic of A. Kuznetzov's "modified" libpcap, whose packet headers are 24 octets long. */
const MODIFIED = 0xa1b2cd34;
/** First packets by which it is seen what headers they have. */
const FIRST_PACKETS = 3;

/** Whether a file that begins with these octets is pcap. */
export function isPcap(b: Uint8Array): boolean {
  if (b.length < 4) return false;
  const view = new DataView(b.buffer, b.byteOffset, 4);
  return isMagic(view.getUint32(0, true)) || isMagic(view.getUint32(0, false));
}

const isMagic = (n: number): boolean => n === MICROSECONDS || n === NANOSECONDS || n === MODIFIED;

/** Reads pcap in either byte order, with its variants of other times and headers. */
export class PcapReader implements FormatReader {
  damage = '';
  private little = true;
  private header = PACKET_HEADER;
  /** Subsecond units in a second, nanoseconds in a unit. */
  private units = 1e6;
  private scale = 1000;
  private minor = 4;
  private face: CaptureInterface | null = null;

  constructor(private readonly file: FileState) {}

  parse(w: Window, chunk: Chunk): number {
    if (this.face === null) {
      if (w.left < FILE_HEADER) return FILE_HEADER;
      const trouble = this.fileHeader(w);
      if (trouble) return this.damaged(trouble);
      const mayBeModified = this.units === 1e6 && this.minor >= 4 && !this.fits(w, this.header);
      if (mayBeModified && this.fits(w, MODIFIED_HEADER)) this.header = MODIFIED_HEADER;
    }
    return this.packets(w, chunk);
  }

  inside(w: Window): string {
    if (this.face === null) return 'the file header';
    if (w.left === 0) return '';
    return w.left < this.header ? 'a packet header' : 'a packet';
  }

  private fileHeader(w: Window): string {
    const { view, pos } = w;
    this.little = isMagic(view.getUint32(pos, true));
    const magic = view.getUint32(pos, this.little);
    const major = view.getUint16(pos + 4, this.little);
    this.minor = view.getUint16(pos + 6, this.little);
    if (major < 2) return `pcap version ${major}.${this.minor} is unknown`;
    if (magic === MODIFIED) this.header = MODIFIED_HEADER;
    if (magic === NANOSECONDS) [this.units, this.scale] = [1e9, 1];
    const link = view.getUint32(pos + 20, this.little);
    const snaplen = view.getUint32(pos + 16, this.little);
    const face = { file: this.file.id, index: 0, link: link & 0xffff, snaplen };
    // Bit p: the uppermost four bits count 16-bit words of FCS (draft-ietf-opsawg-pcap §4).
    this.face = (link & 0x0400_0000) !== 0 ? { ...face, fcsLength: (link >>> 28) * 2 } : face;
    this.file.interfaces.push(this.face);
    w.pos += FILE_HEADER;
    return '';
  }

  /** Whether there are several packets at hand, and the first of them make sense with headers of `size` octets. */
  private fits({ view, pos, end }: Window, size: number): boolean {
    const { little, units } = this;
    const snaplen = this.face!.snaplen || LIMITS.frameOctets;
    let n = 0;
    for (let at = pos; n < FIRST_PACKETS && at + size <= end; n++) {
      const octets = view.getUint32(at + 8, little);
      if (view.getUint32(at + 4, little) >= units || octets > snaplen) return false;
      if (octets > view.getUint32(at + 12, little)) return false;
      at += size + octets;
    }
    return n > 1;
  }

  // hot
  private packets(w: Window, chunk: Chunk): number {
    const { view, end, base } = w;
    const { off, cap, wire, seconds, nanos, number, fileOffset, iface, capacity } = chunk;
    const { little, header, units, scale, minor } = this;
    const face = this.face!;
    const first = this.file.frames + 1 - chunk.count;
    let i = chunk.count;
    let pos = w.pos;
    let state: number = FULL;
    while (i < capacity) {
      if (end - pos < header) {
        state = header;
        break;
      }
      let octets = view.getUint32(pos + 8, little);
      let original = view.getUint32(pos + 12, little);
      // Versions up to 2.2 have the lengths the other way round, 2.3 either way (pcap-savefile(5)).
      if (minor <= 3 && (minor < 3 || octets > original)) {
        const swap = octets;
        octets = original;
        original = swap;
      }
      if (octets > LIMITS.frameOctets || (octets === 0 && isMagic(view.getUint32(pos, little)))) {
        state = this.damaged(this.badPacket(octets));
        break;
      }
      const next = pos + header + octets;
      if (next > end) {
        state = header + octets;
        break;
      }
      const second = view.getUint32(pos, little);
      const part = view.getUint32(pos + 4, little);
      const carry = part < units ? 0 : Math.floor(part / units);
      off[i] = pos + header;
      cap[i] = octets;
      wire[i] = onWire(original);
      if (carry > 0) chunk.oddTimes.set(i, [second, Math.imul(part, scale)]);
      seconds[i] = second + carry;
      nanos[i] = (part - carry * units) * scale;
      number[i] = first + i;
      fileOffset[i] = base + pos + header;
      iface[i] = face;
      i++;
      pos = next;
    }
    chunk.buf = w.buf;
    w.pos = pos;
    this.file.frames += i - chunk.count;
    chunk.count = i;
    return state;
  }

  private badPacket(octets: number): string {
    if (octets === 0) return 'another pcap file begins here (join captures with mergecap, not with cat)';
    return `a packet of ${octets} octets, more than the maximum of ${LIMITS.frameOctets}`;
  }

  private damaged(what: string): number {
    this.damage = what;
    return DAMAGED;
  }
}
