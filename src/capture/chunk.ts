/** What capture readers deliver: frames by the thousand, their octets in one buffer. */

/** In place of a LINKTYPE. */
export const NO_LINK = -1;

/** A Custom Block of pcapng (draft-ietf-opsawg-pcapng §4.8): a frame with a number, as in Wireshark, but no packet. */
export interface CustomBlock {
  /** Private Enterprise Number of who defines the content; undefined behind their cap. */
  readonly pen: number | undefined;
  /** Whether a program that changes the capture may copy it. */
  readonly copied: boolean;
}

/** An interface description: pcapng's IDB, or the header of a pcap file. */
export interface CaptureInterface {
  /** Number of its file, from 1. */
  readonly file: number;
  /** Number within the file (counted over all sections), from 0. */
  readonly index: number;
  /** Section of the file, from 1, and number within it, from 0, where the format has sections. */
  readonly section?: number;
  readonly id?: number;
  /** LINKTYPE value of the registry at tcpdump.org; {@link NO_LINK} where the frames are no packets. */
  readonly link: number;
  /** What its frames are instead: blocks of a pcapng file. */
  readonly customBlock?: CustomBlock;
  readonly name?: string;
  readonly description?: string;
  readonly snaplen: number;
  readonly filter?: string;
  /** Octets of FCS at the end of frames, where the file says so. */
  readonly fcsLength?: number;
  /** Packets that the capturing system dropped, from the last statistics block, or from the packets behind which they were. */
  drops?: bigint;
}

/**
 * Frames in the order of the file. The arrays are parallel and used again: what a consumer keeps beyond the next call
 * of {@link CaptureSource.next} it copies.
 */
export class Chunk {
  /** Holds the octets of every frame of the chunk. */
  buf: Uint8Array = new Uint8Array(0);
  count = 0;
  /** Offset in `buf`. */
  off: Int32Array;
  /** Octets captured. */
  cap: Int32Array;
  /** Octets on the wire, see {@link onWire}. */
  wire: Int32Array;
  /** Seconds since the epoch; negative or 0 where the capture has no time. */
  seconds: Float64Array;
  nanos: Int32Array;
  /** Frame number within its file, from 1. */
  number: Float64Array;
  /** Offset of the frame's octets in its (decompressed) file. */
  fileOffset: Float64Array;
  iface: CaptureInterface[];
  /**
   * Times by index in the chunk that a file gives with a fraction of a second and more: second and nanoseconds as Wireshark
   * takes them, the latter for a number of 32 bits with a sign.
   */
  readonly oddTimes = new Map<number, readonly [number, number]>();
  /** Comments by index in the chunk. */
  readonly comments = new Map<number, string[]>();
  /** pcapng's epb_flags by index in the chunk, where present (bits 0-1: 1 inbound, 2 outbound). */
  readonly flags = new Map<number, number>();
  /** TLS key logs (contents of Decryption Secrets Blocks) that stand before or among these frames. */
  readonly secrets: string[] = [];

  constructor(readonly capacity: number) {
    this.off = new Int32Array(capacity);
    this.cap = new Int32Array(capacity);
    this.wire = new Int32Array(capacity);
    this.seconds = new Float64Array(capacity);
    this.nanos = new Int32Array(capacity);
    this.number = new Float64Array(capacity);
    this.fileOffset = new Float64Array(capacity);
    this.iface = new Array(capacity);
  }

  reset(): void {
    this.count = 0;
    this.oddTimes.clear();
    this.comments.clear();
    this.flags.clear();
    this.secrets.length = 0;
  }
}

/** The length that a file says a frame had: any 32 bits, shown as 2147483647 at most, as Wireshark does. */
export const onWire = (octets: number): number => Math.min(octets, 0x7fff_ffff);

/** A capture file as far as it is known. */
export interface CaptureFile {
  /** From 1, as given. */
  readonly id: number;
  /** As given; `-` is standard input. */
  readonly name: string;
  /** `pcap`, `pcapng`, with ` (gzip)` where compressed. */
  readonly format: string;
  readonly interfaces: readonly CaptureInterface[];
  /** Octets of the file, if it has a size. */
  readonly size?: number;
  /** Octets read so far (of the compressed file, so that `read / size` is the progress). */
  readonly read: number;
  /** Frames read so far. */
  readonly frames: number;
  /** It was read to its end. */
  readonly ended: boolean;
  /** Section comments and capture application, if the file names them. */
  readonly comments: readonly string[];
}

/** Why the rest of a file could not be read. */
export interface Damage {
  readonly file: number;
  /** Offset in the (decompressed) file. */
  readonly offset: number;
  /** What messages call the file. */
  readonly label: string;
  /** What is wrong and what was read, in one line that begins with the label. */
  readonly message: string;
}

/** Frames of one or several files. */
export interface CaptureSource {
  readonly files: readonly CaptureFile[];
  readonly damage: readonly Damage[];
  /** The next frames, or null at the end. */
  next(): Promise<Chunk | null>;
  close(): Promise<void>;
}
