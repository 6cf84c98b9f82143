import type { Peek } from '../kit/index.js';
import { Ledger } from './ledger.js';

/** Two endpoints that talk: a TCP connection or a UDP conversation. `a` is the endpoint seen first. */
export class Flow {
  /** What the user of the table hangs on it. */
  state: unknown = null;

  readonly net: 4 | 6;
  readonly aPort: number;
  readonly bPort: number;
  /** The addresses in words of four octets; arrays would cost three times as much as all the rest. */
  readonly a0: number;
  readonly a1: number;
  readonly a2: number;
  readonly a3: number;
  readonly b0: number;
  readonly b1: number;
  readonly b2: number;
  readonly b3: number;

  /** The flow of a packet that was peeked down to its ports; `buf` holds its addresses. */
  constructor(
    /** Number of the flow in its table, from 0; never given twice. */
    readonly id: number,
    /** Used by the table: its slot. */
    readonly slot: number,
    /** The world that the addresses belong to: an interface of a file, the inside of a tunnel. */
    readonly scope: number,
    /** IP protocol number: 6 or 17. */
    readonly protocol: number,
    { net, src, dst, sport, dport }: Peek,
    buf: Uint8Array,
  ) {
    const isLong = net === 6;
    this.net = isLong ? 6 : 4;
    this.aPort = sport;
    this.bPort = dport;
    this.a0 = word(buf, src);
    this.a1 = isLong ? word(buf, src + 4) : 0;
    this.a2 = isLong ? word(buf, src + 8) : 0;
    this.a3 = isLong ? word(buf, src + 12) : 0;
    this.b0 = word(buf, dst);
    this.b1 = isLong ? word(buf, dst + 4) : 0;
    this.b2 = isLong ? word(buf, dst + 8) : 0;
    this.b3 = isLong ? word(buf, dst + 12) : 0;
  }

  /** The addresses: four or sixteen octets, made when asked for. */
  get a(): Uint8Array {
    return octets(this.net, this.a0, this.a1, this.a2, this.a3);
  }
  get b(): Uint8Array {
    return octets(this.net, this.b0, this.b1, this.b2, this.b3);
  }
}

/** What a flow costs, its places in the table included. */
const FLOW_COST = 240;
const NONE = -1;

/**
 * Finds the flow of a packet without allocating: a hash of scope, protocol, addresses and ports that is the same for
 * both directions leads into an open-addressing table (linear probing, no tombstones). The flow of the packet before is
 * tried first. Whoever owns the table makes room in it by {@link evict}.
 *
 *     table   Int32Array  slot + 1 of a flow, 0 empty; twice as many places as flows at least
 *     hashes  Int32Array  by slot
 *     older, newer        by slot: the flows in the order of their last packet
 *     before, after       by slot: the flows of a scope
 */
export class FlowTable {
  /** Of the packet last looked for: 0 from the endpoint `a` of its flow, 1 from `b`. */
  direction: 0 | 1 = 0;
  private table = new Int32Array(64);
  private hashes = new Int32Array(32);
  private older = new Int32Array(32);
  private newer = new Int32Array(32);
  private before = new Int32Array(32);
  private after = new Int32Array(32);
  /** The flow of each scope that came last. */
  private readonly heads = new Map<number, number>();
  private readonly flows: (Flow | null)[] = [];
  private readonly free: number[] = [];
  private oldest = NONE;
  private newest = NONE;
  private live = 0;
  private nextId = 0;
  /** The flow found last, by the lowest bit of its protocol: TCP and UDP take turns where one runs inside the other. */
  private readonly last: [Flow | null, Flow | null] = [null, null];

  /** @param ledger counts what the flows cost */
  constructor(private readonly ledger: Ledger = new Ledger()) {}

  /** Flows kept now. */
  get size(): number {
    return this.live;
  }

  /** The flow of the packet that was peeked down to its ports; made on first sight. `buf` holds its addresses. */
  find(scope: number, protocol: number, p: Peek, buf: Uint8Array): Flow {
    const last = this.last[(protocol & 1) as 0 | 1];
    if (last !== null && last.scope === scope && last.protocol === protocol && this.matches(last, p, buf)) {
      this.touch(last.slot);
      return last;
    }
    const hash = keyHash(scope, protocol, p, buf);
    const mask = this.table.length - 1;
    for (let i = hash & mask; ; i = (i + 1) & mask) {
      const slot = this.table[i] - 1;
      if (slot < 0) break;
      if (this.hashes[slot] !== hash) continue;
      const flow = this.flows[slot]!;
      if (flow.scope !== scope || flow.protocol !== protocol || !this.matches(flow, p, buf)) continue;
      this.touch(slot);
      this.last[(protocol & 1) as 0 | 1] = flow;
      return flow;
    }
    return this.add(scope, protocol, p, buf, hash);
  }

  /** Whether `flow` is kept and the packet, of the same scope and protocol, belongs to it: then it counts as found. */
  isOf(flow: Flow, p: Peek, buf: Uint8Array): boolean {
    if (this.flows[flow.slot] !== flow || !this.matches(flow, p, buf)) return false;
    this.touch(flow.slot);
    return true;
  }

  /** Drops a flow, so that the next packet between its endpoints makes a new one. */
  forget(flow: Flow): void {
    const { slot } = flow;
    if (this.flows[slot] !== flow) return;
    this.unhash(slot);
    this.unlink(slot);
    this.leave(flow);
    this.flows[slot] = null;
    this.free.push(slot);
    this.live--;
    if (this.last[(flow.protocol & 1) as 0 | 1] === flow) this.last[(flow.protocol & 1) as 0 | 1] = null;
    this.ledger.octets -= FLOW_COST;
  }

  /** Drops the flow that was idle longest and returns it; undefined where there is none. */
  evict(): Flow | undefined {
    if (this.oldest === NONE) return undefined;
    const flow = this.flows[this.oldest]!;
    this.forget(flow);
    return flow;
  }

  /** Drops the flows of a scope and returns them. */
  forgetScope(scope: number): Flow[] {
    const out: Flow[] = [];
    for (let s = this.heads.get(scope); s !== undefined; s = this.heads.get(scope)) {
      const flow = this.flows[s]!;
      this.forget(flow);
      out.push(flow);
    }
    return out;
  }

  /** The flows kept, the one that was idle longest first. */
  *[Symbol.iterator](): Generator<Flow> {
    for (let s = this.oldest; s !== NONE; s = this.newer[s]) yield this.flows[s]!;
  }

  /** Whether the packet belongs to `flow`; sets {@link direction} if so. */
  private matches(flow: Flow, { net, src, dst, sport, dport }: Peek, buf: Uint8Array): boolean {
    if (flow.net !== net) return false;
    const forth = flow.aPort === sport && flow.bPort === dport;
    if (forth && isA(flow, buf, src) && isB(flow, buf, dst)) this.direction = 0;
    else if (flow.aPort === dport && flow.bPort === sport && isA(flow, buf, dst) && isB(flow, buf, src))
      this.direction = 1;
    else return false;
    return true;
  }

  private add(scope: number, protocol: number, p: Peek, buf: Uint8Array, hash: number): Flow {
    const slot = this.free.pop() ?? this.flows.length;
    const flow = new Flow(this.nextId++, slot, scope, protocol, p, buf);
    this.flows[slot] = flow;
    if (slot >= this.hashes.length) this.growSlots();
    if ((this.live + 1) * 2 > this.table.length) this.growTable();
    this.hashes[slot] = hash;
    this.live++;
    this.ledger.octets += FLOW_COST;
    this.place(slot, hash);
    this.link(slot);
    this.last[(protocol & 1) as 0 | 1] = flow;
    this.join(flow);
    this.direction = 0;
    return flow;
  }

  /** Puts a flow at the head of the flows of its scope. */
  private join({ scope, slot }: Flow): void {
    const head = this.heads.get(scope) ?? NONE;
    this.before[slot] = NONE;
    this.after[slot] = head;
    if (head !== NONE) this.before[head] = slot;
    this.heads.set(scope, slot);
  }

  private leave({ scope, slot }: Flow): void {
    const before = this.before[slot];
    const after = this.after[slot];
    if (after !== NONE) this.before[after] = before;
    if (before !== NONE) this.after[before] = after;
    else if (after !== NONE) this.heads.set(scope, after);
    else this.heads.delete(scope);
  }

  private place(slot: number, hash: number): void {
    const mask = this.table.length - 1;
    let i = hash & mask;
    while (this.table[i] !== 0) i = (i + 1) & mask;
    this.table[i] = slot + 1;
  }

  /** Takes a flow out of the table and closes the hole, so that no chain of probes is cut. */
  private unhash(slot: number): void {
    const { table } = this;
    const mask = table.length - 1;
    let hole = this.hashes[slot] & mask;
    while (table[hole] !== slot + 1) hole = (hole + 1) & mask;
    for (let i = (hole + 1) & mask; table[i] !== 0; i = (i + 1) & mask) {
      const home = this.hashes[table[i] - 1] & mask;
      if (((i - home) & mask) < ((i - hole) & mask)) continue;
      table[hole] = table[i];
      hole = i;
    }
    table[hole] = 0;
  }

  private growSlots(): void {
    this.hashes = widen(this.hashes);
    this.older = widen(this.older);
    this.newer = widen(this.newer);
    this.before = widen(this.before);
    this.after = widen(this.after);
  }

  private growTable(): void {
    this.table = new Int32Array(this.table.length * 2);
    for (let s = this.oldest; s !== NONE; s = this.newer[s]) this.place(s, this.hashes[s]);
  }

  private touch(slot: number): void {
    if (slot === this.newest) return;
    this.unlink(slot);
    this.link(slot);
  }

  private link(slot: number): void {
    this.older[slot] = this.newest;
    this.newer[slot] = NONE;
    if (this.newest === NONE) this.oldest = slot;
    else this.newer[this.newest] = slot;
    this.newest = slot;
  }

  private unlink(slot: number): void {
    const before = this.older[slot];
    const after = this.newer[slot];
    if (before === NONE) this.oldest = after;
    else this.newer[before] = after;
    if (after === NONE) this.newest = before;
    else this.older[after] = before;
  }
}

const word = (b: Uint8Array, off: number): number =>
  (b[off] << 24) | (b[off + 1] << 16) | (b[off + 2] << 8) | b[off + 3];

function octets(net: 4 | 6, ...words: number[]): Uint8Array {
  const out = new Uint8Array(net === 4 ? 4 : 16);
  for (let i = 0; i < out.length; i++) out[i] = words[i >> 2] >>> (24 - 8 * (i & 3));
  return out;
}

/** Whether the address at `off` is that of `a`. */
const isA = (f: Flow, b: Uint8Array, off: number): boolean =>
  word(b, off) === f.a0 &&
  (f.net === 4 || (word(b, off + 4) === f.a1 && word(b, off + 8) === f.a2 && word(b, off + 12) === f.a3));

/** Whether the address at `off` is that of `b`. */
const isB = (f: Flow, b: Uint8Array, off: number): boolean =>
  word(b, off) === f.b0 &&
  (f.net === 4 || (word(b, off + 4) === f.b1 && word(b, off + 8) === f.b2 && word(b, off + 12) === f.b3));

/** Hash of one endpoint. */
function endpointHash(buf: Uint8Array, off: number, n: number, port: number): number {
  let h = port + 0x9e3779b9;
  for (let i = off, end = off + n; i < end; i += 4) {
    h = Math.imul(h ^ word(buf, i), 0x85ebca6b);
    h ^= h >>> 15;
  }
  return Math.imul(h, 0xc2b2ae35);
}

/** Equal for both directions: the hashes of the endpoints are added. */
function keyHash(scope: number, protocol: number, p: Peek, buf: Uint8Array): number {
  const n = p.net === 4 ? 4 : 16;
  let h = (endpointHash(buf, p.src, n, p.sport) + endpointHash(buf, p.dst, n, p.dport)) | 0;
  h = Math.imul(h ^ (scope * 0x27d4eb2f + protocol), 0x165667b1);
  return h ^ (h >>> 13);
}

function widen(from: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  const to = new Int32Array(from.length * 2);
  to.set(from);
  return to;
}
