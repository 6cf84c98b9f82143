import type { Row } from '../engine/row.js';
import type { Tree } from '../kit/index.js';
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

/** The innermost transport layer of a row. */
interface Innermost {
  readonly kind: 'TCP' | 'UDP';
  readonly stream: number;
  readonly sequence: number;
  readonly octets: Uint8Array | null;
  readonly ports: readonly [number, number];
}

function innermost(t: Tree): Innermost | undefined {
  let kind: 'TCP' | 'UDP' | undefined;
  let [stream, sequence, source, destination] = [0, 0, 0, 0];
  let octets: Uint8Array | null = null;
  for (let i = 0; i < t.length; i++) {
    switch (t.field[i].name) {
      case 'tcp.stream':
      case 'udp.stream':
        stream = t.number[i];
        break;
      case 'tcp.srcport':
      case 'udp.srcport':
        kind = t.field[i].name === 'tcp.srcport' ? 'TCP' : 'UDP';
        source = t.number[i];
        octets = null;
        break;
      case 'tcp.dstport':
      case 'udp.dstport':
        destination = t.number[i];
        break;
      case 'tcp.seq_raw':
        sequence = t.number[i];
        break;
      case 'tcp.payload':
      case 'udp.payload':
        octets = t.octets(i).slice();
        break;
    }
  }
  return kind === undefined ? undefined : { kind, stream, sequence, octets, ports: [source, destination] };
}

/** A flow. */
export type Conversation = Pick<Innermost, 'kind' | 'stream'>;

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
        const ahead = (w.at - this.next) | 0;
        if (ahead > 0) continue;
        this.waiting = this.waiting.filter((other) => other !== w);
        if (w.octets.length + ahead > 0) {
          give(w.row, w.octets.subarray(-ahead));
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
  private first = '';
  private readonly senders = [new Sender(), new Sender()];

  /**
   * @param what the payload of the innermost transport layer, or of the envelopes
   * @param stream of TCP or UDP, where the payload is wanted
   */
  constructor(
    private readonly what: 'payload' | 'envelopes',
    private readonly wanted: Conversation | null,
    private readonly tunnel: number,
  ) {}

  /** The conversation of a row; null where it has no transport layer. */
  static of(row: Row): Conversation | null {
    return innermost(row.dissection.tree) ?? null;
  }

  /** @param number of the row @param ends its addresses */
  take(row: Row, number: number, ends: readonly [string, string]): void {
    if (this.what === 'envelopes') {
      this.envelope(row, number);
      return;
    }
    const found = innermost(row.dissection.tree);
    if (found === undefined || found.kind !== this.wanted?.kind || found.stream !== this.wanted.stream) return;
    const [from, to] = ends.map(
      (address, i) => `${address.includes(':') ? `[${address}]` : address}:${found.ports[i]}`,
    );
    if (this.first === '') {
      this.first = from;
      this.title = `${found.kind} ${from} ↔ ${to}`;
    }
    const { octets, kind, sequence } = found;
    if (octets === null || octets.length === 0) return;
    const side = from === this.first ? 0 : 1;
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
    return { title: this.title, pieces: this.pieces, cut: this.cut };
  }
}
