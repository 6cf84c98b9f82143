import { TCP, UDP } from '../../dissectors/numbers.js';
import type { Row } from '../engine/row.js';
import { type Pdu, u32 } from '../kit/index.js';
import { LIMITS } from '../limits.js';
import { fragmentOf, putChecksum } from './packet-layers.js';
import { PacketRedaction, type RedactedPacket } from './redact-packet.js';

/** Takes a redacted packet. */
type Give = (octets: Uint8Array) => void;

/** A packet with a part of a message, which is blank until the message is whole. */
interface Waiting extends RedactedPacket {
  readonly give: Give;
  /** The stream or the datagram that it is a part of; '': it waits only for its turn. */
  readonly of: string;
  /** Where its octets stand in that: sequence number, or offset in the datagram. */
  readonly position: number;
  /** Where they begin in the packet. */
  readonly at: number;
  /** The octets as they were. */
  readonly original: Uint8Array;
  /** How many of them are not known yet. */
  open: number;
}

/**
 * Redacts the packets of a capture in its order. Messages that several segments carry, and datagrams in fragments, are
 * known when they are whole; until then packets wait, and those behind them.
 */
export class RedactedStream {
  private readonly packets = new PacketRedaction();
  private waiting: Waiting[] = [];

  /** @param most packets that wait; beyond them the oldest goes with blanks */
  constructor(private readonly most: number = LIMITS.redactedWaiting) {}

  /** How often a pseudonym was shared because there were too many to tell all apart. */
  get shared(): number {
    return this.packets.shared;
  }

  /** Redacts the IP packet at `start` of the envelope of a row; `give` gets it, now or later. */
  take(row: Row, start: number, give: Give): void {
    const packet = this.packets.packet(row, start);
    const { view } = row.content!;
    const original = view.buf.slice(start, view.end);
    const fragment = fragmentOf(original);
    const place = fragment ?? this.segment(row, original, start);
    const of = place === undefined ? '' : `${row.tunnel?.id ?? 0} ${place.of}`;
    const at = place?.at ?? original.length;
    const w: Waiting = {
      ...packet,
      ...{ give, of, at, position: place?.offset ?? 0, original: original.subarray(at) },
      open: original.length - at,
    };
    this.waiting.push(w);
    if (fragment !== undefined) this.datagram(row, w);
    else if (of !== '') for (const pdu of row.content!.pdus ?? []) this.message(pdu, w);
    this.flush(this.most);
  }

  /** Nothing more comes. */
  end(): void {
    this.flush(0);
  }

  /** Of a segment of TCP with a payload: its stream, sequence number, and where the payload begins. */
  private segment(row: Row, b: Uint8Array, start: number): { of: string; offset: number; at: number } | undefined {
    const { flow, protocol, transport, header, payload, payloadEnd, view, direction } = row.content!;
    if (flow === null || protocol !== TCP || transport !== view.buf || payloadEnd <= payload) return undefined;
    const at = payload - start;
    return at <= b.length ? { of: `${flow.id} ${direction}`, offset: u32(transport, header + 4), at } : undefined;
  }

  /** A message that `last` completes: parts of it are known now wherever they are. */
  private message(pdu: Pdu, last: Waiting): void {
    const { view, segments } = pdu;
    const whole = view.buf.slice(view.off, view.end);
    const own = segments?.find((s) => holds(last.original, 0, whole, s.off, s.len));
    const found = own === undefined ? indexOf(last.original, whole) : -own.off;
    if (found === undefined) return;
    const told = segments === undefined ? undefined : this.packets.message(pdu.dissector, view);
    const begin = last.position + found;
    for (const w of this.waiting) if (w.of === last.of) fill(w, whole, told, begin);
  }

  /** A datagram that the fragment `last` completes. */
  private datagram(row: Row, last: Waiting): void {
    const { control, protocol, transport, header, payload, view } = row.content!;
    if (transport === null || transport === view.buf || (protocol !== UDP && control === null)) return;
    const off = control === null ? header : payload;
    const told = this.packets.datagram(row, transport, off);
    putChecksum(told, control === null ? 17 : control.proto === 'icmp' ? 1 : 58, last.octets);
    for (const w of this.waiting) if (w.of === last.of) fill(w, transport.subarray(off), told, 0);
  }

  /** Gives what does not wait any more, and the oldest of what waits until `most` are left. */
  private flush(most: number): void {
    let n = 0;
    while (n < this.waiting.length && (this.waiting[n].open <= 0 || this.waiting.length - n > most)) n++;
    for (const w of this.waiting.slice(0, n)) {
      for (const sum of w.sums) sum.put();
      w.give(w.octets);
    }
    this.waiting = this.waiting.slice(n);
  }
}

/** Whether `[off, off + length)` of `a` and `[from, from + length)` of `b` are equal. */
function holds(a: Uint8Array, off: number, b: Uint8Array, from: number, length: number): boolean {
  if (off < 0 || off + length > a.length || from + length > b.length) return false;
  for (let i = 0; i < length; i++) if (a[off + i] !== b[from + i]) return false;
  return true;
}

/** Where `b` is in `a`. */
function indexOf(a: Uint8Array, b: Uint8Array): number | undefined {
  const at = Buffer.from(a.buffer, a.byteOffset, a.length).indexOf(b);
  return at < 0 ? undefined : at;
}

/** Writes into a packet what of a message is in it; the message begins at `begin`, and is `told` (undefined: stays blank). */
function fill(w: Waiting, whole: Uint8Array, told: Uint8Array | undefined, begin: number): void {
  const from = (w.position - begin) | 0; // sequence numbers wrap around
  const off = Math.max(0, -from);
  const length = Math.min(w.original.length - off, whole.length - Math.max(0, from));
  if (length <= 0 || !holds(w.original, off, whole, Math.max(0, from), length)) return;
  if (told !== undefined) w.octets.set(told.subarray(Math.max(0, from), Math.max(0, from) + length), w.at + off);
  w.open -= length;
}
