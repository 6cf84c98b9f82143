/*
 * The columns that lists are made of, in memory that both threads see. What all rows of a frame have in common stands
 * with the frame, what all rows of a flow have in common with the flow: a row is 16 octets, its frame 30.
 */

/** Rows of a block of columns, and frames of one. */
export const BLOCK_ROWS = 1 << 14;
export const BLOCK_FRAMES = 1 << 14;

/** The columns of some rows, widest first. */
export class RowBlock {
  /** Number of the frame in the order in which all files were read, from 0. */
  readonly ordinal: Uint32Array;
  readonly flow: Uint32Array;
  /** Number of the envelope in its frame; 0: the row is the frame. */
  readonly inner: Uint32Array;
  /** Octets of the inner packet; 0 where the row is the frame itself. */
  readonly length: Uint16Array;
  /** Number of what was noticed; 0: nothing. */
  readonly notice: Uint16Array;

  constructor(readonly memory: SharedArrayBuffer = new SharedArrayBuffer(BLOCK_ROWS * 16)) {
    const n = BLOCK_ROWS;
    this.ordinal = new Uint32Array(memory, 0, n);
    this.flow = new Uint32Array(memory, 4 * n, n);
    this.inner = new Uint32Array(memory, 8 * n, n);
    this.length = new Uint16Array(memory, 12 * n, n);
    this.notice = new Uint16Array(memory, 14 * n, n);
  }
}

/** Octets of a frame in its columns; those of its number within its file where there are several. */
const FRAME = 30;
const NUMBER = 4;
const HIGH = 2 ** 32;

/** The columns of some frames, widest first. */
export class FrameBlock {
  readonly memory: SharedArrayBuffer;
  readonly nanos: Uint32Array;
  /** Octets captured, and on the wire. */
  readonly cap: Uint32Array;
  readonly wire: Int32Array;
  /** TCP connection, from 1; 0: none. */
  readonly connection: Uint32Array;
  /** Interface by its number. */
  readonly iface: Uint16Array;
  /** Number of the frame within its file, where it is not its place in the capture. */
  readonly number: Uint32Array | null;
  /** 48 bits of where its octets lie in its file, and of the seconds since the epoch. */
  private readonly offsetLow: Uint32Array;
  private readonly offsetHigh: Uint16Array;
  private readonly secondsLow: Uint32Array;
  private readonly secondsHigh: Int16Array;

  /** @param of memory that another thread has made, or whether frames have numbers of their own */
  constructor(of: SharedArrayBuffer | boolean) {
    const n = BLOCK_FRAMES;
    const memory = typeof of === 'boolean' ? new SharedArrayBuffer(n * (of ? FRAME + NUMBER : FRAME)) : of;
    this.memory = memory;
    this.nanos = new Uint32Array(memory, 0, n);
    this.cap = new Uint32Array(memory, 4 * n, n);
    this.wire = new Int32Array(memory, 8 * n, n);
    this.connection = new Uint32Array(memory, 12 * n, n);
    this.offsetLow = new Uint32Array(memory, 16 * n, n);
    this.secondsLow = new Uint32Array(memory, 20 * n, n);
    this.iface = new Uint16Array(memory, 24 * n, n);
    this.offsetHigh = new Uint16Array(memory, 26 * n, n);
    this.secondsHigh = new Int16Array(memory, 28 * n, n);
    this.number = memory.byteLength > n * FRAME ? new Uint32Array(memory, FRAME * n, n) : null;
  }

  /** Where the octets of a frame lie in its file. */
  offset(at: number): number {
    return this.offsetHigh[at] * HIGH + this.offsetLow[at];
  }
  setOffset(at: number, offset: number): void {
    this.offsetLow[at] = offset % HIGH;
    this.offsetHigh[at] = Math.floor(offset / HIGH);
  }

  /** Seconds since the epoch. */
  seconds(at: number): number {
    return this.secondsHigh[at] * HIGH + this.secondsLow[at];
  }
  setSeconds(at: number, seconds: number): void {
    const high = Math.floor(seconds / HIGH);
    this.secondsHigh[at] = high;
    this.secondsLow[at] = seconds - high * HIGH;
  }
}

/** Numbers that tell of a flow: source, destination, tunnel, and protocol with direction. */
export const FLOW_NUMBERS = 4;

/** What all rows of a flow have in common, each once: rows have its number. */
export class FlowNumbers {
  count = 0;
  private list = new Uint32Array(FLOW_NUMBERS << 8);
  /** Numbers of flows plus 1, by hash; 0: free. Never more than half full. */
  private table = new Uint32Array(1 << 10);
  private told = 0;

  number(source: number, destination: number, tunnel: number, kind: number): number {
    const { list, table } = this;
    const mask = table.length - 1;
    let at = hash(source, destination, tunnel, kind) & mask;
    for (let n = table[at]; n !== 0; n = table[(at = (at + 1) & mask)]) {
      const i = (n - 1) * FLOW_NUMBERS;
      if (list[i] === source && list[i + 1] === destination && list[i + 2] === tunnel && list[i + 3] === kind)
        return n - 1;
    }
    table[at] = this.count + 1;
    const i = this.count * FLOW_NUMBERS;
    list[i] = source;
    list[i + 1] = destination;
    list[i + 2] = tunnel;
    list[i + 3] = kind;
    if (++this.count * FLOW_NUMBERS === list.length) this.widen();
    return this.count - 1;
  }

  private widen(): void {
    const list = new Uint32Array(2 * this.list.length);
    list.set(this.list);
    this.list = list;
    const table = new Uint32Array(list.length);
    for (let n = 0; n < this.count; n++) {
      const i = n * FLOW_NUMBERS;
      let at = hash(list[i], list[i + 1], list[i + 2], list[i + 3]) & (table.length - 1);
      while (table[at] !== 0) at = (at + 1) & (table.length - 1);
      table[at] = n + 1;
    }
    this.table = table;
  }

  /** The numbers of the flows that are new since the last call. */
  take(): Uint32Array {
    const from = this.told * FLOW_NUMBERS;
    this.told = this.count;
    return this.list.slice(from, this.count * FLOW_NUMBERS);
  }
}

function hash(a: number, b: number, c: number, d: number): number {
  const h = Math.imul(a, 0x9e3779b1) ^ Math.imul(b, 0x85ebca6b) ^ Math.imul(c, 0xc2b2ae35) ^ Math.imul(d, 0x27d4eb2f);
  return h ^ (h >>> 15);
}
