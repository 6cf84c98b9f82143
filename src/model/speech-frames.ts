import { speechBits } from '../../dissectors/amr.js';
import { frameOctets } from '../../dissectors/evs.js';
import type { SpeechEntry } from './entities.js';

/** Modes of AMR and AMR-WB in kbit/s, by frame type. RFC 4867 §4.3.2, TS 26.101 table 1a, TS 26.201 table 1a */
const AMR = ['4.75', '5.15', '5.9', '6.7', '7.4', '7.95', '10.2', '12.2'] as const;
const AMR_WB = ['6.6', '8.85', '12.65', '14.25', '15.85', '18.25', '19.85', '23.05', '23.85'] as const;
/** Rates of EVS in kbit/s; those of its AMR-WB mode are marked. TS 26.445 tables A.1, A.4 */
const EVS = ['2.8', '7.2', '8', '9.6', '13.2', '16.4', '24.4', '32', '48', '64', '96', '128'] as const;
const LOST = 14;
const NO_DATA = 15;
const NO_REQUEST = 15;
const FRAME_MS = 20;
/** Octets of G.711 in a millisecond. */
export const OCTETS_A_MS = 8;
/** Of packets, that is nearly all. */
const MOSTLY = 0.9;

/** Frame types of one table. */
const TYPES = 16;

type Kind = 'amr' | 'amr-wb' | 'evs' | 'g711';

/** The frames of speech in a stream: their modes and kinds, what the sender asks of the other side, and what does not fit. */
export class SpeechFrames {
  /** Frames by type; those of the AMR-WB mode of EVS stand behind the others. */
  private readonly frames: number[];
  /** How often what was asked for, where it was not the same all along. */
  private counts: Map<number, number> | null = null;
  private sid = 0;
  private noData = 0;
  private lost = 0;
  private damaged = 0;
  private packets = 0;
  /** Of G.711. */
  private octets = 0;
  /** Packets whose length is not that of the frames that they announce, or whose frames are of no type. */
  misfits = 0;
  /** Those of them that the other packing fits. */
  private otherwise = 0;

  private constructor(
    private readonly kind: Kind,
    private readonly aligned: boolean,
    private readonly headerFull: boolean,
  ) {
    this.frames = new Array(kind === 'evs' ? 2 * TYPES : TYPES).fill(0);
  }

  /** For a payload type by its name and what `a=fmtp` says of it; null for other codecs. */
  static of(name: string, parameters = ''): SpeechFrames | null {
    const kinds: Readonly<Record<string, Kind>> = {
      amr: 'amr',
      'amr-wb': 'amr-wb',
      evs: 'evs',
      pcmu: 'g711',
      pcma: 'g711',
    };
    const kind = kinds[name.toLowerCase()];
    if (kind === undefined) return null;
    const aligned = /octet-align\s*=\s*1|crc\s*=\s*1|interleaving|robust-sorting\s*=\s*1/i.test(parameters);
    return new SpeechFrames(kind, aligned, /hf-only\s*=\s*1/i.test(parameters));
  }

  /** Takes the payload `[off, end)` of a packet. */
  take(b: Uint8Array, off: number, end: number): void {
    if (off >= end) return;
    this.packets++;
    if (this.kind === 'evs') this.evs(b, off, end);
    else if (this.kind !== 'g711') this.amr(b, off, end, this.kind === 'amr-wb');
    else {
      this.frames[0]++;
      this.octets += end - off;
    }
  }

  private request(octet: number): void {
    if (octet !== this.asking) {
      if (this.asked > 0) this.counts = this.requests;
      this.asking = octet;
      this.asked = 0;
    }
    this.asked++;
  }
  /** What was last asked for, and how often in a row: not in {@link counts}. */
  private asking = -1;
  private asked = 0;

  /** RFC 4867 §4.3 (bandwidth-efficient: fields of 4 and 6 bits in a row) and §4.4 (octet-aligned). */
  private amr(b: Uint8Array, off: number, end: number, wide: boolean): void {
    const request = b[off] >> 4;
    if (request !== NO_REQUEST) this.request(request);
    let bit = 8 * off + (this.aligned ? 8 : 4);
    let speech = 0;
    let known = true;
    while (bit + 6 <= 8 * end) {
      const entry = bits(b, bit, 6);
      const type = (entry >> 1) & 15;
      bit += this.aligned ? 8 : 6;
      const size = speechBits(wide, type);
      speech += this.aligned ? 8 * Math.ceil(size / 8) : size;
      if ((entry & 1) === 0) this.damaged++;
      known = this.frame(type, 0, wide ? 9 : 8) && known;
      if ((entry & 0x20) === 0) break; // F: no more frames follow
    }
    const isWhole = (bit + speech + 7) >> 3 === end;
    if (!isWhole || !known) this.misfits++;
    if (isWhole) return;
    if (fits(b, off, end, wide, !this.aligned)) this.otherwise++;
  }

  /**
   * Counts a frame; false: it is of no type.
   * @param table 0, or 16 for the AMR-WB mode of EVS
   * @param sid type of a silence descriptor
   */
  private frame(type: number, table: number, sid: number): boolean {
    if (type < sid) this.frames[table + type]++;
    else if (type === sid) this.sid++;
    else if (type === NO_DATA) this.noData++;
    else if (type === LOST) this.lost++;
    else return false;
    return true;
  }

  /** TS 26.445 annex A.2: the compact format is known by its length alone, all others begin with a header. */
  private evs(b: Uint8Array, off: number, end: number): void {
    const octets = end - off;
    const rate = this.headerFull || (octets === AMBIGUOUS && b[off] >= 0x80) ? undefined : COMPACT.get(octets);
    if (rate === SILENCE) this.sid++;
    else if (rate !== undefined) this.frames[rate]++;
    if (rate !== undefined) return;
    let at = off;
    if (b[at] >> 7 === 1) {
      const request = b[at++];
      if ((request & 0x7f) !== 0x7f) this.request(request);
    }
    let speech = 0;
    let known = true;
    while (at < end) {
      const entry = b[at++];
      const io = (entry & 0x20) !== 0;
      known = this.frame(entry & 15, io ? TYPES : 0, io ? 9 : 12) && known;
      speech += frameOctets(entry);
      if ((entry & 0x40) === 0) break;
    }
    // Octets of zero may follow, so that the length is not that of a compact frame.
    if (at + speech > end || !known) this.misfits++;
  }

  /** Frames by mode, as people name it. */
  private get modes(): Record<string, number> {
    const names = NAMES[this.kind];
    const out: Record<string, number> = {};
    for (let type = 0; type < this.frames.length; type++)
      if (this.frames[type] > 0) out[names[type] ?? String(type)] = this.frames[type];
    return out;
  }

  /** The mode that most frames have. */
  get mode(): string | undefined {
    let most = 0;
    for (let type = 1; type < this.frames.length; type++) if (this.frames[type] > this.frames[most]) most = type;
    return this.frames[most] === 0 ? undefined : (NAMES[this.kind][most] ?? String(most));
  }

  /** The mode that most packets of this stream ask the other side for, and whether nearly all do; a frame type of AMR. */
  get asksFor(): number | undefined {
    if (this.kind !== 'amr' && this.kind !== 'amr-wb') return undefined;
    const most = [...this.requests].sort((a, b) => b[1] - a[1])[0];
    return most !== undefined && most[1] >= MOSTLY * this.packets ? most[0] : undefined;
  }

  /** The share of frames above a mode, of those with speech. */
  shareAbove(mode: number): number {
    let all = 0;
    let above = 0;
    for (const [type, n] of this.frames.entries()) {
      all += n;
      if (type > mode) above += n;
    }
    return all === 0 ? 0 : above / all;
  }

  nameOf(mode: number): string {
    return NAMES[this.kind][mode] ?? String(mode);
  }

  /** Milliseconds of speech in a packet, on average; undefined before the first. */
  get packetMs(): number | undefined {
    if (this.packets === 0) return undefined;
    if (this.kind === 'g711') return this.octets / this.packets / OCTETS_A_MS;
    const frames = this.frames.reduce((n, x) => n + x, this.sid + this.noData + this.lost);
    return (FRAME_MS * frames) / this.packets;
  }

  /** Whether most packets are packed in the other way than was agreed. */
  get isForeign(): boolean {
    return this.packets >= 10 && this.otherwise * 2 > this.packets;
  }

  /** How often what was asked for. */
  private get requests(): Map<number, number> {
    const all = new Map(this.counts);
    if (this.asked > 0) all.set(this.asking, (all.get(this.asking) ?? 0) + this.asked);
    return all;
  }

  private get wishes(): Record<string, number> {
    const nameOf = (r: number): string => (this.kind === 'evs' ? requestOf(r) : (NAMES[this.kind][r] ?? String(r)));
    return Object.fromEntries([...this.requests].map(([r, n]) => [nameOf(r), n]));
  }

  get entry(): SpeechEntry | undefined {
    if (this.packets === 0) return undefined;
    const { sid, noData, lost, damaged, misfits, asked } = this;
    return {
      modes: this.modes,
      ...(sid > 0 && { sid }),
      ...(noData > 0 && { noData }),
      ...(lost > 0 && { lost }),
      ...(damaged > 0 && { damaged }),
      ...(misfits > 0 && { misfits }),
      ...(asked > 0 && { requests: this.wishes }),
    };
  }
}

const IO = AMR_WB.map((m) => `AMR-WB ${m}`);
const NAMES: Readonly<Record<Kind, readonly string[]>> = {
  amr: AMR,
  'amr-wb': AMR_WB,
  evs: [...EVS, ...Array.from({ length: TYPES - EVS.length }, () => ''), ...IO],
  g711: ['64'],
};
const SILENCE = -1;
/** A primary frame of 2.8 kbit/s, or behind a request and its header the silence of AMR-WB. TS 26.445 §A.2.1.3 */
const AMBIGUOUS = 7;
/** Octets of compact frames, and the place of their count. */
const COMPACT: ReadonlyMap<number, number> = new Map([
  [6, SILENCE],
  ...[7, 18, 20, 24, 33, 41, 61, 80, 120, 160, 240, 320].map((n, rate): [number, number] => [n, rate]),
  ...[17, 23, 32, 36, 40, 46, 50, 58, 60].map((n, rate): [number, number] => [n, TYPES + rate]),
]);

/** What a request for another mode asks for: bandwidth and rate. TS 26.445 table A.3 */
function requestOf(octet: number): string {
  const kind = (octet >> 4) & 7;
  const band = ['NB', 'IO', 'WB', 'SWB', 'FB', 'WB channel-aware', 'SWB channel-aware', ''][kind];
  if (kind === 1) return IO[octet & 15] ?? `IO ${octet & 15}`;
  return kind >= 5 ? band : `${band} ${EVS[octet & 15] ?? octet & 15}`.trim();
}

/** Whether a payload of AMR has the length that its header asks for in this packing. */
function fits(b: Uint8Array, off: number, end: number, wide: boolean, aligned: boolean): boolean {
  let bit = 8 * off + (aligned ? 8 : 4);
  for (let speech = 0; bit + 6 <= 8 * end; ) {
    const entry = bits(b, bit, 6);
    const size = speechBits(wide, (entry >> 1) & 15);
    bit += aligned ? 8 : 6;
    speech += aligned ? 8 * Math.ceil(size / 8) : size;
    if ((entry & 0x20) === 0) return (bit + speech + 7) >> 3 === end;
  }
  return false;
}

/** `n` bits (at most 8) at a position counted in bits. */
function bits(b: Uint8Array, at: number, n: number): number {
  const word = (b[at >> 3] << 8) | (b[(at >> 3) + 1] ?? 0);
  return (word >> (16 - (at & 7) - n)) & ((1 << n) - 1);
}
