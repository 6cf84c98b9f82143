import { LIMITS } from '../limits.js';

/** Two endpoints that talk: a TCP connection or a UDP conversation. `a` is the endpoint seen first. */
export class Flow {
  /** What the user of the table hangs on it. */
  state: unknown = null;
  /** Number by which people know it (`tcp.stream`, `udp.stream`); -1 until somebody numbers it. */
  index = -1;

  constructor(
    /** Number of the flow in its table, from 0; never given twice. */
    readonly id: number,
    /** The world that the addresses belong to: an interface of a file, the inside of a tunnel. */
    readonly scope: number,
    /** IP protocol number: 6 or 17. */
    readonly protocol: number,
    readonly net: 4 | 6,
    readonly a: Uint8Array,
    readonly aPort: number,
    readonly b: Uint8Array,
    readonly bPort: number,
    /** Used by the table: its slot, and the hash of its key. */
    readonly slot: number,
    readonly hash: number,
  ) {}
}

const NONE = -1;

/**
 * Finds the flow of a packet without allocating: a hash of scope, protocol, addresses and ports that is the same for
 * both directions leads into an open-addressing table (linear probing, no tombstones). The flow of the packet before is
 * tried first. At most `cap` flows are kept: the one that was idle longest makes room.
 *
 *     table   Int32Array  slot + 1 of a flow, 0 empty; twice as many places as flows at least
 *     hashes  Int32Array  by slot
 *     older, newer        by slot: the flows in the order of their last packet
 */
export class FlowTable {
  /** Of the packet last looked for: 0 from the endpoint `a` of its flow, 1 from `b`. */
  direction: 0 | 1 = 0;
  /** Flows that made room for others. */
  evicted = 0;
  private table = new Int32Array(64);
  private hashes = new Int32Array(32);
  private older = new Int32Array(32);
  private newer = new Int32Array(32);
  private readonly flows: (Flow | null)[] = [];
  private readonly free: number[] = [];
  private oldest = NONE;
  private newest = NONE;
  private live = 0;
  private nextId = 0;
  /** The flow found last, by the lowest bit of its protocol: TCP and UDP take turns where one runs inside the other. */
  private readonly last: [Flow | null, Flow | null] = [null, null];

  /**
   * @param cap most flows kept
   * @param closed is told of each flow that makes room for another
   */
  constructor(
    readonly cap: number = LIMITS.flows,
    private readonly closed: ((flow: Flow) => void) | null = null,
  ) {}

  /** Flows kept now. */
  get size(): number {
    return this.live;
  }

  /** The flow of a packet from `src`:`sport` to `dst`:`dport` (offsets of the addresses in `buf`); made on first sight. */
  find(
    scope: number,
    protocol: number,
    net: 4 | 6,
    buf: Uint8Array,
    src: number,
    dst: number,
    sport: number,
    dport: number,
  ): Flow {
    const last = this.last[(protocol & 1) as 0 | 1];
    if (
      last !== null &&
      last.scope === scope &&
      last.protocol === protocol &&
      last.net === net &&
      this.matches(last, buf, src, dst, sport, dport)
    ) {
      this.touch(last.slot);
      return last;
    }
    const hash = keyHash(scope, protocol, net, buf, src, dst, sport, dport);
    const mask = this.table.length - 1;
    for (let i = hash & mask; ; i = (i + 1) & mask) {
      const slot = this.table[i] - 1;
      if (slot < 0) break;
      if (this.hashes[slot] !== hash) continue;
      const flow = this.flows[slot]!;
      if (flow.scope !== scope || flow.protocol !== protocol || flow.net !== net) continue;
      if (!this.matches(flow, buf, src, dst, sport, dport)) continue;
      this.touch(slot);
      this.last[(protocol & 1) as 0 | 1] = flow;
      return flow;
    }
    return this.add(scope, protocol, net, buf, src, dst, sport, dport, hash);
  }

  /** Drops a flow, so that the next packet between its endpoints makes a new one. */
  forget(flow: Flow): void {
    if (this.flows[flow.slot] !== flow) return;
    this.unhash(flow);
    this.unlink(flow.slot);
    this.flows[flow.slot] = null;
    this.free.push(flow.slot);
    this.live--;
    if (this.last[(flow.protocol & 1) as 0 | 1] === flow) this.last[(flow.protocol & 1) as 0 | 1] = null;
  }

  /** The flows kept, the one that was idle longest first. */
  *[Symbol.iterator](): Generator<Flow> {
    for (let s = this.oldest; s !== NONE; s = this.newer[s]) yield this.flows[s]!;
  }

  /** Whether the packet belongs to `flow`; sets {@link direction} if so. */
  private matches(flow: Flow, buf: Uint8Array, src: number, dst: number, sport: number, dport: number): boolean {
    const { a, b } = flow;
    if (flow.aPort === sport && flow.bPort === dport && same(a, buf, src) && same(b, buf, dst)) this.direction = 0;
    else if (flow.aPort === dport && flow.bPort === sport && same(a, buf, dst) && same(b, buf, src)) this.direction = 1;
    else return false;
    return true;
  }

  private add(
    scope: number,
    protocol: number,
    net: 4 | 6,
    buf: Uint8Array,
    src: number,
    dst: number,
    sport: number,
    dport: number,
    hash: number,
  ): Flow {
    if (this.live >= this.cap) this.evict();
    const slot = this.free.pop() ?? this.flows.length;
    const n = net === 4 ? 4 : 16;
    const a = buf.slice(src, src + n);
    const b = buf.slice(dst, dst + n);
    const flow = new Flow(this.nextId++, scope, protocol, net, a, sport, b, dport, slot, hash);
    this.flows[slot] = flow;
    if (slot >= this.hashes.length) this.growSlots();
    if ((this.live + 1) * 2 > this.table.length) this.growTable();
    this.hashes[slot] = hash;
    this.live++;
    this.place(slot, hash);
    this.link(slot);
    this.last[(protocol & 1) as 0 | 1] = flow;
    this.direction = 0;
    return flow;
  }

  private evict(): void {
    const flow = this.flows[this.oldest]!;
    this.forget(flow);
    this.evicted++;
    this.closed?.(flow);
  }

  private place(slot: number, hash: number): void {
    const mask = this.table.length - 1;
    let i = hash & mask;
    while (this.table[i] !== 0) i = (i + 1) & mask;
    this.table[i] = slot + 1;
  }

  /** Takes a flow out of the table and closes the hole, so that no chain of probes is cut. */
  private unhash(flow: Flow): void {
    const { table } = this;
    const mask = table.length - 1;
    let hole = flow.hash & mask;
    while (table[hole] !== flow.slot + 1) hole = (hole + 1) & mask;
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

function same(address: Uint8Array, buf: Uint8Array, off: number): boolean {
  for (let i = address.length - 1; i >= 0; i--) if (address[i] !== buf[off + i]) return false;
  return true;
}

/** Hash of one endpoint. */
function endpointHash(buf: Uint8Array, off: number, n: number, port: number): number {
  let h = port + 0x9e3779b9;
  for (let i = off, end = off + n; i < end; i += 4) {
    h = Math.imul(h ^ ((buf[i] << 24) | (buf[i + 1] << 16) | (buf[i + 2] << 8) | buf[i + 3]), 0x85ebca6b);
    h ^= h >>> 15;
  }
  return Math.imul(h, 0xc2b2ae35);
}

/** Equal for both directions: the hashes of the endpoints are added. */
function keyHash(
  scope: number,
  protocol: number,
  net: 4 | 6,
  buf: Uint8Array,
  src: number,
  dst: number,
  sport: number,
  dport: number,
): number {
  const n = net === 4 ? 4 : 16;
  let h = (endpointHash(buf, src, n, sport) + endpointHash(buf, dst, n, dport)) | 0;
  h = Math.imul(h ^ (scope * 0x27d4eb2f + protocol), 0x165667b1);
  return h ^ (h >>> 13);
}

function widen(from: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  const to = new Int32Array(from.length * 2);
  to.set(from);
  return to;
}
