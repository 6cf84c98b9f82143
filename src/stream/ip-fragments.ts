import type { FragmentPart } from '../../dissectors/ipv4.js';
import { equalBytes, type Peek } from '../kit/index.js';
import { LIMITS } from '../limits.js';
import { Ledger } from './ledger.js';

/** A part of a datagram, as `Peek` describes it after the header of IP: `key` is the protocol of the whole. */
export type Fragment = Pick<
  Peek,
  'net' | 'src' | 'dst' | 'key' | 'fragmentId' | 'fragmentOffset' | 'moreFragments' | 'buf' | 'off' | 'end'
>;

/** A datagram that is whole. */
export interface Datagram {
  readonly bytes: Uint8Array;
  /** Its parts by offset, those that brought nothing new included. */
  readonly fragments: readonly FragmentPart[];
  readonly net: 4 | 6;
  /** IPv4: the protocol; IPv6: the next header that the first fragment names. RFC 8200 §4.5. */
  readonly protocol: number;
}

/** Octets that a fragment was the first to bring. */
interface Piece {
  readonly off: number;
  readonly bytes: Uint8Array;
}

/** A datagram in parts. It sits in a chain of equal hashes and in the queue of age. */
interface Assembly {
  readonly hash: number;
  readonly scope: number;
  readonly net: 4 | 6;
  readonly id: number;
  /** Source and destination address. */
  readonly addresses: Uint8Array;
  /** When its first part came, in seconds. */
  readonly since: number;
  protocol: number;
  /** Octets of the whole, or -1 before the last part is there. */
  total: number;
  /** Octets held, and what holding them costs. */
  held: number;
  cost: number;
  /** Sorted, never overlapping. */
  readonly pieces: Piece[];
  readonly parts: FragmentPart[];
  chain: Assembly | undefined;
  older: Assembly | undefined;
  newer: Assembly | undefined;
}

/** Seconds after which a part no longer belongs to a datagram of the same identification. RFC 1122 §3.3.2, RFC 8200 §4.5. */
const LIFETIME = { 4: 120, 6: 60 } as const;
/** What a datagram, a part of it, and octets that are kept cost beside the octets themselves. */
const DATAGRAM_COST = 500;
const PART_COST = 64;
const PIECE_COST = 320;

/**
 * Puts fragmented IPv4 and IPv6 datagrams together, whatever the order of their parts. What came first stays: octets
 * that a later part brings again are marked as overlap, and as conflict where they differ.
 *
 * Invariant: at most {@link LIMITS.fragmentedDatagrams} are in flight, none longer than {@link LIMITS.datagramOctets},
 * and together they cost no more than {@link LIMITS.fragmentOctets}. The oldest make room.
 */
export class FragmentTable {
  /** Datagrams given up for want of room or for their age. */
  dropped = 0;
  /** Fragments that could not be part of any datagram. */
  refused = 0;
  /** Datagrams in flight. */
  size = 0;
  /** What they cost, in octets. */
  cost = 0;
  private readonly chains = new Map<number, Assembly>();
  private oldest: Assembly | undefined;
  private newest: Assembly | undefined;

  /**
   * @param ledger is told when a cap is reached
   * @param capacity most datagrams in flight
   * @param octets most that they may cost together
   */
  constructor(
    private readonly ledger: Ledger = new Ledger(),
    private readonly capacity: number = LIMITS.fragmentedDatagrams,
    private readonly octets: number = LIMITS.fragmentOctets,
  ) {}

  /**
   * Adds a part, whose octets are copied.
   * @param scope what tells equal addresses apart: the capture's outer world or a tunnel
   * @param addresses holds those of its header
   * @returns the datagram that this part completes
   */
  add(scope: number, p: Fragment, addresses: Uint8Array, frame: number, seconds: number): Datagram | undefined {
    const { fragmentOffset: offset, moreFragments: more } = p;
    const length = p.end - p.off;
    if (length < 0 || (length === 0 && more) || offset + length > LIMITS.datagramOctets) {
      this.refused++;
      return undefined;
    }
    const a = this.find(scope, p, addresses, seconds);
    if (!fits(a, offset + length, more)) {
      this.refused++;
      return undefined;
    }
    if (a.parts.length >= LIMITS.datagramParts) {
      this.refused++;
      this.ledger.capped('datagramParts');
      return undefined;
    }
    if (!more) a.total = offset + length;
    if (offset === 0 && p.net === 6) a.protocol = Number(p.key); // RFC 8200 §4.5
    const cost = a.cost;
    a.parts.push(place(a, p, frame));
    this.cost += a.cost - cost;
    if (a.total < 0 || a.held < a.total) {
      while (this.cost > this.octets) this.makeRoom('fragmentOctets');
      return undefined;
    }
    this.remove(a);
    return whole(a);
  }

  private find(scope: number, p: Fragment, b: Uint8Array, seconds: number): Assembly {
    const { src, dst, fragmentId: id } = p;
    const net = p.net as 4 | 6;
    const proto = Number(p.key);
    const n = net === 4 ? 4 : 16;
    const hash = hashOf(scope, net === 4 ? proto : 0, id, b, src, dst, n);
    for (let a = this.chains.get(hash); a !== undefined; a = a.chain) {
      if (a.scope !== scope || a.net !== net || a.id !== id || (net === 4 && a.protocol !== proto)) continue;
      if (!equalBytes(a.addresses, 0, b, src, n) || !equalBytes(a.addresses, n, b, dst, n)) continue;
      if (Math.abs(seconds - a.since) <= LIFETIME[net]) return a;
      this.drop(a);
      break;
    }
    if (this.size >= this.capacity) this.makeRoom('fragmentedDatagrams');
    const addresses = new Uint8Array(2 * n);
    for (let i = 0; i < n; i++) {
      addresses[i] = b[src + i];
      addresses[n + i] = b[dst + i];
    }
    return this.insert({
      hash,
      scope,
      net,
      id,
      addresses,
      since: seconds,
      protocol: proto,
      total: -1,
      held: 0,
      cost: DATAGRAM_COST,
      pieces: [],
      parts: [],
      chain: this.chains.get(hash),
      older: this.newest,
      newer: undefined,
    });
  }

  private insert(a: Assembly): Assembly {
    this.chains.set(a.hash, a);
    if (this.newest === undefined) this.oldest = a;
    else this.newest.newer = a;
    this.newest = a;
    this.size++;
    this.cost += a.cost;
    return a;
  }

  private makeRoom(limit: 'fragmentedDatagrams' | 'fragmentOctets'): void {
    this.ledger.capped(limit);
    this.drop(this.oldest!);
  }

  private drop(a: Assembly): void {
    this.dropped++;
    this.remove(a);
  }

  private remove(a: Assembly): void {
    this.size--;
    this.cost -= a.cost;
    if (a.older === undefined) this.oldest = a.newer;
    else a.older.newer = a.newer;
    if (a.newer === undefined) this.newest = a.older;
    else a.newer.older = a.older;
    const head = this.chains.get(a.hash);
    if (head === a) {
      if (a.chain === undefined) this.chains.delete(a.hash);
      else this.chains.set(a.hash, a.chain);
      return;
    }
    for (let c = head; c !== undefined; c = c.chain)
      if (c.chain === a) {
        c.chain = a.chain;
        return;
      }
  }
}

/** FNV-1a over what identifies a datagram. RFC 791 §3.2, RFC 8200 §4.5. */
function hashOf(scope: number, proto: number, id: number, b: Uint8Array, src: number, dst: number, n: number): number {
  let h = Math.imul(0x811c9dc5 ^ scope, 0x01000193);
  h = Math.imul(h ^ proto, 0x01000193);
  h = Math.imul(h ^ id, 0x01000193);
  h = Math.imul(h ^ (id >>> 16), 0x01000193);
  for (let i = 0; i < n; i++) {
    h = Math.imul(h ^ b[src + i], 0x01000193);
    h = Math.imul(h ^ b[dst + i], 0x01000193);
  }
  return h;
}

/** Whether a part that ends at `end` agrees with what is known about the end of the whole. */
function fits(a: Assembly, end: number, more: boolean): boolean {
  if (a.total >= 0) return more ? end <= a.total : end === a.total;
  if (more) return true;
  const last = a.pieces[a.pieces.length - 1];
  return last === undefined || last.off + last.bytes.length <= end;
}

/** Copies the octets of a part that nobody brought before, and says whether it overlapped. */
function place(a: Assembly, p: Fragment, frame: number): FragmentPart {
  const { fragmentOffset: offset, buf, off, end } = p;
  const stop = offset + end - off;
  const { pieces } = a;
  let overlap = false;
  let conflict = false;
  let at = offset;
  let i = 0;
  while (i < pieces.length && pieces[i].off + pieces[i].bytes.length <= at) i++;
  while (at < stop) {
    const next = i < pieces.length ? pieces[i] : undefined;
    const gapEnd = next === undefined || next.off > stop ? stop : next.off;
    if (gapEnd > at) {
      pieces.splice(i++, 0, { off: at, bytes: buf.slice(off + at - offset, off + gapEnd - offset) });
      a.held += gapEnd - at;
      a.cost += PIECE_COST + gapEnd - at;
      at = gapEnd;
      continue;
    }
    const shared = Math.min(stop, next!.off + next!.bytes.length) - at;
    overlap = true;
    if (!equalBytes(next!.bytes, at - next!.off, buf, off + at - offset, shared)) conflict = true;
    at += shared;
    i++;
  }
  a.cost += PART_COST;
  const part = { frame, off: offset, len: stop - offset };
  return overlap ? { ...part, overlap, conflict } : part;
}

function whole(a: Assembly): Datagram {
  const bytes = new Uint8Array(a.total);
  for (const p of a.pieces) bytes.set(p.bytes, p.off);
  return { bytes, fragments: a.parts.sort((x, y) => x.off - y.off), net: a.net, protocol: a.protocol };
}
