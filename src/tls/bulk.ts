import { ContentType, RECORD_HEADER } from '../../dissectors/tls/numbers.js';
import type { Arena, ArenaBlock } from './arena.js';
import { CHACHA_BLOCK, chacha20 } from './chacha.js';
import { cbcPadding, type Epoch, innerType } from './epoch.js';
import type { Span, TlsRecord } from './record.js';

/** Octets of block cipher input that are worked off by one call. */
const BATCH = 32 << 10;
const BLOCK = 16;

/** Records of one key with numbers one behind the other: `[from, to)` of a queue. */
export interface Batch {
  readonly epoch: Epoch;
  readonly queue: readonly TlsRecord[];
  readonly from: number;
  readonly to: number;
  /** The record at index `i` of the queue has number `base + i`. */
  readonly base: number;
}

/**
 * Opens many records of one key at once, without looking at tags or MACs: counter modes and CBC by one ECB call for up
 * to 32 KiB of blocks, ChaCha20 in place. One instance serves all sessions.
 */
export class Bulk {
  private readonly staged = new Uint8Array(BATCH);
  private readonly words = new Int32Array(this.staged.buffer);
  private readonly longs = new BigUint64Array(this.staged.buffer);
  /** A counter block to copy from. */
  private readonly start = new Uint8Array(BLOCK);
  private readonly startWords = new Int32Array(this.start.buffer);
  private readonly key = new Int32Array(8);
  /** Contents that wait for their keystream, and the memory that each stands in. */
  private readonly waiting: Span[] = [];
  private readonly blocks: ArenaBlock[] = [];

  /**
   * Opens the records of a batch that are still queued, into `arena`. Returns the index of the first whose content cannot
   * be right (`to` if there is none): that one and those after it are left as they were.
   */
  open(batch: Batch, arena: Arena): number {
    const { queue, to } = batch;
    const stop = this.decrypt(batch, arena);
    for (let i = stop; i < to; i++) {
      const r = queue[i];
      if (r.status === 'open' && !r.verified) r.requeue();
    }
    return stop;
  }

  private decrypt(batch: Batch, arena: Arena): number {
    const { epoch } = batch;
    switch (epoch.how.opening) {
      case 'gcm':
      case 'gcm-own':
        this.counter(batch, arena, 0);
        break;
      case 'ccm':
        this.counter(batch, arena, 1);
        break;
      case 'chacha':
        this.chacha(batch, arena);
        break;
      case 'cbc':
        return this.cbc(batch, arena);
      default:
        return clear(batch);
    }
    return epoch.tls13 ? inner(batch) : batch.to;
  }

  /** GCM (`ccm` 0, counters from 2: SP 800-38D §7.1) and CCM (`ccm` 1, counters from 1: RFC 3610 §2.3). */
  private counter({ epoch: e, queue, from, to, base }: Batch, arena: Arena, ccm: 0 | 1): void {
    const { explicit, tag } = e;
    let used = 0;
    for (let i = from; i < to; i++) {
      const r = queue[i];
      if (r.status !== 'queued') continue;
      const off = r.off + RECORD_HEADER + explicit;
      const n = r.end - tag - off;
      if (n < 0) continue;
      const octets = (n + BLOCK - 1) & -BLOCK;
      if (used + octets > BATCH) {
        this.addStream(e, used);
        used = 0;
      }
      e.nonce(r, base + i, this.start, ccm);
      if (ccm === 1)
        this.start[0] = 2; // RFC 3610 §2.3: three octets of counter
      else this.start[12] = 0;
      this.stage(used, octets, 2 - ccm);
      used += octets;
      this.copy(r, off, n, arena);
      this.waiting.push(r.plain!);
      this.blocks.push(arena.block);
      r.sequence = base + i;
    }
    this.addStream(e, used);
  }

  /** Writes counter blocks that start like {@link start}; a record has at most 1025, so two octets of counter do. */
  private stage(at: number, octets: number, first: number): void {
    const { words, startWords } = this;
    const w0 = startWords[0];
    const w1 = startWords[1];
    const w2 = startWords[2];
    const w3 = startWords[3]; // holds the last octet of a CCM nonce, and zeros
    let counter = first;
    for (let p = at >> 2, end = (at + octets) >> 2; p < end; p += 4, counter++) {
      words[p] = w0;
      words[p + 1] = w1;
      words[p + 2] = w2;
      words[p + 3] = w3 | ((counter >>> 8) << 16) | (counter << 24);
    }
  }

  /** Puts the ciphertext of a record where its plain text will be. */
  private copy(r: TlsRecord, off: number, n: number, arena: Arena): void {
    const at = arena.take(n);
    const { octets } = arena.block;
    octets.set(r.buf.subarray(off, off + n), at);
    r.opened(octets, at, at + n, r.type, false);
  }

  /** Adds the keystream of the first `used` octets of staged counters to the records that wait for it. */
  private addStream(e: Epoch, used: number): void {
    const { waiting, blocks } = this;
    if (waiting.length === 0) return;
    const stream = e.ecb.update(used === BATCH ? this.staged : this.staged.subarray(0, used));
    const key = new BigUint64Array(stream.buffer, stream.byteOffset, used >> 3);
    let k = 0;
    for (let i = 0; i < waiting.length; i++) {
      const p = waiting[i];
      const { longs } = blocks[i];
      let d = p.off >> 3;
      for (let last = d + (((p.end - p.off + BLOCK - 1) >> 4) << 1); d < last; d++, k++) longs[d] ^= key[k];
    }
    waiting.length = 0;
    blocks.length = 0;
  }

  private chacha({ epoch: e, queue, from, to, base }: Batch, arena: Arena): void {
    const { start, startWords } = this;
    new Uint8Array(this.key.buffer).set(e.key.octets);
    for (let i = from; i < to; i++) {
      const r = queue[i];
      if (r.status !== 'queued') continue;
      const off = r.off + RECORD_HEADER;
      const n = r.end - e.tag - off;
      if (n < 0) continue;
      e.nonce(r, base + i, start, 0);
      this.copy(r, off, n, arena);
      r.sequence = base + i;
      const at = r.plain!.off >> 2;
      const blocks = Math.ceil(n / CHACHA_BLOCK);
      // RFC 8439 §2.8: block 0 makes the key of the tag
      chacha20(this.key, startWords[0], startWords[1], startWords[2], 1, arena.block.words, at, blocks);
    }
    this.key.fill(0);
  }

  private cbc(batch: Batch, arena: Arena): number {
    const { epoch: e, queue, from, to } = batch;
    const n = e.how.suite.blockLength;
    let first = from;
    let used = 0;
    for (let i = from; i < to; i++) {
      const r = queue[i];
      if (r.status !== 'queued') continue;
      const off = r.off + RECORD_HEADER;
      const end = r.end - (e.encryptThenMac ? e.macLength : 0);
      if (end - off < 2 * n || (end - off) % n !== 0 || end - off > BATCH) {
        const bad = this.unchain(batch, arena, first, i, used);
        return Math.min(bad, i);
      }
      if (used + end - off > BATCH) {
        const bad = this.unchain(batch, arena, first, i, used);
        if (bad < i) return bad;
        first = i;
        used = 0;
      }
      this.staged.set(r.buf.subarray(off, end), used);
      used += end - off;
    }
    return this.unchain(batch, arena, first, to, used);
  }

  /**
   * Decrypts the records `[from, to)` of a batch, which are staged, each its IV and blocks: adds to each block the one
   * before it, and takes padding and MAC off.
   */
  private unchain({ epoch: e, queue, base }: Batch, arena: Arena, from: number, to: number, used: number): number {
    if (used === 0) return to;
    const out = e.ecbInverse.update(this.staged.subarray(0, used));
    const blocks = new BigUint64Array(out.buffer, out.byteOffset, used >> 3);
    const step = e.how.suite.blockLength >> 3;
    const mac = e.encryptThenMac ? 0 : e.macLength;
    const outside = e.encryptThenMac ? e.macLength : 0;
    let s = 0;
    for (let i = from; i < to; i++) {
      const r = queue[i];
      if (r.status !== 'queued') continue;
      const n = r.end - outside - (r.off + RECORD_HEADER) - (step << 3);
      const at = arena.take(n);
      const { longs, octets } = arena.block;
      for (let d = at >> 3, last = d + (n >> 3); d < last; d++, s++) longs[d] = blocks[s + step] ^ this.longs[s];
      s += step;
      const padding = cbcPadding(octets, at, at + n);
      if (padding < 0 || padding + mac > n) return i;
      r.opened(octets, at, at + n - padding - mac, r.type, false);
      r.sequence = base + i;
    }
    return to;
  }
}

/** NULL ciphers: the content is there. */
function clear({ epoch: e, queue, from, to, base }: Batch): number {
  for (let i = from; i < to; i++) {
    const r = queue[i];
    if (r.status !== 'queued') continue;
    const end = r.end - e.macLength;
    if (end < r.off + RECORD_HEADER) return i;
    r.opened(r.buf, r.off + RECORD_HEADER, end, r.type, false);
    r.sequence = base + i;
  }
  return to;
}

/** Takes content type and padding off TLS 1.3 records; returns the index of the first that has none, or `to`. */
function inner({ queue, from, to }: Batch): number {
  for (let i = from; i < to; i++) {
    const r = queue[i];
    const p = r.plain;
    if (p === null) {
      if (r.status === 'queued') return i;
      continue;
    }
    if (r.verified) continue;
    const last = p.end - 1;
    // Nearly always: application data without padding.
    const at = last >= p.off && p.buf[last] === ContentType.ApplicationData ? last : innerType(p.buf, p.off, p.end);
    if (at < 0) return i;
    r.trim(at, p.buf[at]);
  }
  return to;
}
