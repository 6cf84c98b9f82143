import type { Row } from '../engine/row.js';
import { ahead, hostAndPortText, type Tree } from '../kit/index.js';
import { LIMITS } from '../limits.js';
import type { FollowedStream, StreamPiece } from './viewer.js';

/** Fields that following reads. */
export const FOLLOW_FIELDS = [
  'tcp.stream',
  'udp.stream',
  'tcp.seq_raw',
  'tcp.payload',
  'udp.payload',
  'fttims.payload',
  'fttims.type',
  'tcp.srcport',
  'tcp.dstport',
  'udp.srcport',
  'udp.dstport',
] as const;

/** A transport layer of a row. */
interface Transport {
  readonly kind: 'TCP' | 'UDP';
  /** It ran in an envelope. */
  readonly carried: boolean;
  source: number;
  destination: number;
  stream: number;
  sequence: number;
  octets: Uint8Array | null;
}

/** The transport layers of a row, the outermost first. */
function transports(t: Tree): Transport[] {
  const found: Transport[] = [];
  let carried = false;
  for (let i = 0; i < t.length; i++) {
    const last = found.at(-1);
    const { name } = t.field(i);
    if (name === 'fttims.type') carried = true;
    else if (name === 'tcp.srcport' || name === 'udp.srcport') {
      const kind = name === 'tcp.srcport' ? 'TCP' : 'UDP';
      found.push({ kind, carried, source: t.number[i], destination: 0, stream: 0, sequence: 0, octets: null });
    } else if (last !== undefined) {
      if (name === 'tcp.dstport' || name === 'udp.dstport') last.destination = t.number[i];
      else if (name === 'tcp.stream' || name === 'udp.stream') last.stream = t.number[i];
      else if (name === 'tcp.seq_raw') last.sequence = t.number[i];
      else if (name === 'tcp.payload' || name === 'udp.payload') last.octets = t.octets(i).slice();
    }
  }
  return found;
}

/** A flow. */
export type Conversation = Pick<Transport, 'kind' | 'stream'>;

/** Puts one direction of a TCP connection in order: nothing twice, and what came early behind what it waited for. */
class Sender {
  private next = -1;
  private waiting: { at: number; row: number; octets: Uint8Array }[] = [];

  take(sequence: number, row: number, octets: Uint8Array, give: (row: number, octets: Uint8Array) => void): void {
    if (this.next < 0) this.next = sequence;
    this.waiting.push({ at: sequence, row, octets });
    for (let moved = true; moved; ) {
      moved = false;
      for (const w of this.waiting) {
        const distance = ahead(w.at, this.next);
        if (distance > 0) continue;
        this.waiting = this.waiting.filter((other) => other !== w);
        if (w.octets.length + distance > 0) {
          give(w.row, w.octets.subarray(-distance));
          this.next = (w.at + w.octets.length) >>> 0;
        }
        moved = true;
        break;
      }
    }
  }

  /** What waits for octets that are not there. */
  rest(give: (row: number, octets: Uint8Array) => void): void {
    for (const { row, octets } of this.waiting) give(row, octets);
    this.waiting = [];
  }
}

/** Gathers the octets of the conversation that one row belongs to. */
export class Follower {
  private readonly pieces: StreamPiece[] = [];
  private octets = 0;
  private cut = false;
  private title = '';
  /** Who spoke first. */
  private first = { address: '', port: -1 };
  private readonly senders = [new Sender(), new Sender()];

  /**
   * @param what the payload of a transport layer, or of the envelopes
   * @param stream of TCP or UDP, where the payload is wanted
   */
  constructor(
    private readonly what: 'payload' | 'envelopes',
    private readonly wanted: Conversation | null,
    private readonly tunnel: number,
  ) {}

  /** The conversation of a row, of a carried packet that in its envelope; null where there is no transport layer. */
  static of(row: Row): Conversation | null {
    const innermost = transports(row.dissection.tree).at(-1);
    return innermost === undefined || innermost.carried !== row.inner > 0 ? null : innermost;
  }

  /** @param number of the row @param ends its addresses */
  take(row: Row, number: number, ends: readonly [string, string]): void {
    if (this.what === 'envelopes') {
      this.envelope(row, number);
      return;
    }
    const { wanted } = this;
    const found = transports(row.dissection.tree).find((l) => l.kind === wanted?.kind && l.stream === wanted.stream);
    if (found === undefined) return;
    const { source, destination, octets, kind, sequence } = found;
    // The addresses of a carried packet are not those of the connection that carried it.
    if (this.title === '' && found.carried === row.inner > 0) {
      this.first = { address: ends[0], port: source };
      this.title = `${kind} ${hostAndPortText(ends[0], source)} ↔ ${hostAndPortText(ends[1], destination)}`;
    }
    if (octets === null || octets.length === 0) return;
    const { address, port } = this.first;
    const side = source === port && (source !== destination || ends[0] === address) ? 0 : 1;
    if (kind === 'UDP') this.add(number, side, octets);
    else this.senders[side].take(sequence, number, octets, (at, piece) => this.add(at, side, piece));
  }

  private envelope(row: Row, number: number): void {
    if (row.inner === 0 || row.tunnel?.id !== this.tunnel) return;
    this.title = `Envelopes of tunnel ${this.tunnel}`;
    const { view } = row.content!;
    this.add(number, row.direction === 'up' ? 0 : 1, view.buf.slice(view.off, view.end));
  }

  private add(row: number, side: 0 | 1, octets: Uint8Array): void {
    const room = LIMITS.followedOctets - this.octets;
    if (octets.length > room) this.cut = true;
    if (room <= 0) return;
    this.pieces.push({ row, side, octets: octets.slice(0, room) });
    this.octets += octets.length;
  }

  /** No more can be kept. */
  get full(): boolean {
    return this.octets >= LIMITS.followedOctets;
  }

  end(): FollowedStream {
    for (const side of [0, 1] as const) this.senders[side].rest((row, octets) => this.add(row, side, octets));
    const joined = this.what === 'payload' && this.wanted?.kind === 'TCP';
    return { title: this.title, pieces: this.pieces, cut: this.cut, joined };
  }
}
