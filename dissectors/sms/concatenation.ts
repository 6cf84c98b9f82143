/** Messages that are too long for one, TS 23.040 §9.2.3.24.1: each part says which message it is of, and which part it is. */
import { concat, LIMITS, sameBytes, type Track, type Tree } from 'fttscope/kit';
import { S } from './fields.js';
import type { UserData } from './user-data.js';

/** Times that parts of one message may come. */
const MOST = 512;

/** A part of a message, as one frame brought it. */
interface Piece {
  readonly frame: number;
  /** Its number, from 1. */
  readonly part: number;
  /** What stands behind its header. */
  readonly octets: Uint8Array;
  /** Undefined for data of 8 bits and compressed data. */
  readonly text: string | undefined;
  /** The part had come before… */
  readonly overlap: boolean;
  /** …with other octets. */
  readonly conflict: boolean;
}

/** Left on what brings the last part of a message: all parts by their numbers, those that came again behind the first. */
export interface Whole {
  readonly pieces: readonly Piece[];
  /** Of all parts, each once. */
  readonly octets: Uint8Array;
}

/** The parts of messages that are not whole yet. State of one scope: the outer world or a tunnel. */
export class Concatenations {
  private readonly waiting = new Map<string, Piece[]>();
  /** Parts that are kept. */
  size = 0;

  /** Takes a part in `buf`; `peer` is who the message comes from or goes to. Returns the message that it completes. */
  add(buf: Uint8Array, u: UserData, peer: string, cx: Track): Whole | undefined {
    const { part: p } = u;
    if (p === undefined || p.parts < 2 || p.part < 1 || p.part > p.parts) return undefined;
    const key = `${p.id} ${p.parts} ${peer}`;
    const pieces = this.waiting.get(key) ?? [];
    this.drop(key);
    const octets = buf.slice(u.headerEnd, u.end);
    const before = pieces.find(({ part }) => part === p.part);
    const conflict = before !== undefined && !sameBytes(before.octets, octets);
    pieces.push({ frame: cx.frame, part: p.part, octets, text: u.text, overlap: before !== undefined, conflict });
    if (firsts(pieces).length < p.parts) {
      this.keep(key, pieces, cx);
      return undefined;
    }
    pieces.sort((a, b) => a.part - b.part);
    return { pieces, octets: concat(firsts(pieces).map((x) => x.octets)) };
  }

  /** Puts a message behind all others; what there is no room for goes. */
  private keep(key: string, pieces: Piece[], cx: Track): void {
    if (pieces.length > MOST) {
      cx.capped('smsWaiting');
      return;
    }
    this.waiting.set(key, pieces);
    this.size += pieces.length;
    if (this.waiting.size <= LIMITS.smsWaiting) return;
    this.drop(this.waiting.keys().next().value!);
    cx.capped('smsWaiting');
  }

  private drop(key: string): void {
    this.size -= this.waiting.get(key)?.length ?? 0;
    this.waiting.delete(key);
  }
}

const firsts = (pieces: readonly Piece[]): Piece[] => pieces.filter(({ overlap }) => !overlap);

/** Which frames the message came in. */
export function showPieces(t: Tree, off: number, { pieces, octets }: Whole): void {
  t.none(S.fragments, off, 0);
  if (t.labels) {
    const list = pieces.map((p) => ` #${p.frame}(${p.octets.length})`).join(',');
    t.label(`[${pieces.length} ${S.fragments.label} (${octets.length} octets):${list}]`);
  }
  t.push();
  let at = 0;
  for (const p of pieces) {
    const from = p.overlap ? at - p.octets.length : at;
    t.num(p.conflict ? S.fragmentError : S.fragment, off, 0, p.frame);
    if (t.labels)
      t.label(`[Frame: ${p.frame}, payload: ${from}-${from + p.octets.length - 1} (${p.octets.length} octets)]`);
    t.push();
    if (p.overlap) t.num(S.overlap, off, 0, 1);
    if (p.conflict) t.num(S.conflict, off, 0, 1);
    t.pop();
    if (!p.overlap) at += p.octets.length;
  }
  t.num(S.fragmentCount, off, 0, pieces.length);
  t.num(S.reassembledLength, off, 0, octets.length);
  t.pop();
}

/** The texts of the parts in their order. */
export const textsOf = ({ pieces }: Whole): string[] => firsts(pieces).map((p) => p.text ?? '');
