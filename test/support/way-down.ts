/** The way down that `peek` finds, compared with the one that `dissect` shows. */

import assert from 'node:assert/strict';
import { dissectors } from '../../dissectors/index.js';
import { Registry } from '../../src/engine/registry.js';
import type { Row } from '../../src/engine/row.js';
import { Peek, type TableKey, type Tree, type View } from '../../src/kit/index.js';

/** A layer as `peek` saw it: where it starts, and what it left. */
interface Layer {
  readonly proto: string;
  /** Its name in the protocol stack. */
  readonly name: string;
  readonly at: number;
  readonly p: Peek;
}

const registry = new Registry(dissectors);

/** The way down from a table entry, as the index pass goes it. */
function walk(v: View, table: string, key: TableKey): Layer[] {
  const layers: Layer[] = [];
  const p = new Peek();
  Object.assign(p, { buf: v.buf, off: v.off, end: v.end, wireEnd: Math.max(v.end, v.wireEnd), table, key });
  while (layers.length < 32) {
    const d = registry.lookup(p.table, p.key);
    if (d?.peek === undefined) break;
    const at = p.off;
    p.table = '';
    p.fragment = false;
    d.peek(p);
    layers.push({ proto: d.proto, name: d.layer ?? d.proto, at, p: Object.assign(new Peek(), p) });
    if (p.table === '' || p.fragment || p.table === 'tcp' || p.table === 'udp') break;
  }
  return layers;
}

const FAILED = /^_ws\.(malformed|short)$/;
const TOO_DEEP = 'Layers nest too deep; the rest is not shown';

/** Reads a tree from front to back. */
class Cursor {
  constructor(
    private readonly t: Tree,
    private at: number,
    private readonly buf: Uint8Array,
  ) {}

  /** Moves to the next node of that name in the packet's own octets; false if there is none. */
  find(name: string): boolean {
    for (let i = this.at + 1; i < this.t.length; i++)
      if (this.t.field(i).name === name && this.t.sources[this.t.source(i)]!.buf === this.buf) {
        this.at = i;
        return true;
      }
    return false;
  }
  /** Whether a layer of the packet could not be read, or is one too many. */
  failed(): boolean {
    const { t } = this;
    for (let i = Math.max(0, this.at); i < t.length; i++) {
      const { name } = t.field(i);
      if (FAILED.test(name) || (name === '_ws.expert.message' && t.value(i) === TOO_DEEP)) return true;
    }
    return false;
  }
  /** Whether there are several MSDUs, of which the index pass follows the first alone. */
  get aggregated(): boolean {
    let n = 0;
    for (let i = 0; i < this.t.length; i++) if (this.t.field(i).name === 'wlan_aggregate.a_mdsu.subframe') n++;
    return n > 1;
  }
  get off(): number {
    return this.t.off[this.at]!;
  }
  get end(): number {
    return this.off + this.t.len[this.at]!;
  }
  value(name: string): unknown {
    return this.find(name) ? this.t.value(this.at) : undefined;
  }
  offset(name: string): number {
    return this.find(name) ? this.off : -1;
  }
}

/** Fields of a layer that say the same as what `peek` left. */
function agrees({ proto, p }: Layer, c: Cursor): void {
  if (p.table === 'ip.version') return; // an IPv6 packet after all
  if (proto === 'ip') {
    if (p.fragment) assert.equal(c.value('ip.id'), p.fragmentId, 'ip.id');
    if (p.fragment) assert.equal(c.value('ip.flags.mf'), p.moreFragments ? 1 : 0, 'ip.flags.mf');
    // Wireshark shows it as it stands in the header: in eights of octets.
    assert.equal(c.value('ip.frag_offset'), p.fragment ? p.fragmentOffset / 8 : 0, 'ip.frag_offset');
    if (p.table === 'ip.proto') assert.equal(c.value('ip.proto'), p.key, 'ip.proto');
    assert.deepEqual([c.offset('ip.src'), c.offset('ip.dst')], [p.src, p.dst], 'IPv4 addresses');
  } else if (proto === 'ipv6') {
    assert.deepEqual([c.offset('ipv6.src'), c.offset('ipv6.dst')], [p.src, p.dst], 'IPv6 addresses');
  } else if (proto === 'udp' || proto === 'tcp') {
    assert.equal(c.off, p.header, 'start of the header');
    assert.equal(c.value(`${proto}.srcport`), p.sport, 'source port');
    assert.equal(c.value(`${proto}.dstport`), p.dport, 'destination port');
    if (proto === 'tcp') {
      assert.equal(c.value('tcp.seq_raw'), p.seq, 'tcp.seq_raw');
      assert.equal(c.value('tcp.ack_raw'), p.ack, 'tcp.ack_raw');
      assert.equal((c.value('tcp.flags') as number) & 0xff, p.flags & 0xff, 'tcp.flags');
      assert.equal(c.value('tcp.window_size_value'), p.window, 'tcp.window_size_value');
    }
    if ((p.flags & RST) !== 0 && proto === 'tcp') return; // what it carries is a reason, RFC 9293 §3.5.3
    const has = c.find(`${proto}.payload`);
    assert.equal(has, p.end > p.off, 'has a payload');
    if (has) assert.deepEqual([c.off, c.end], [p.off, p.end], 'payload');
  }
}

const RST = 4;
const TRANSPORT = ['tcp', 'udp'];
/** Layers after which a packet may quote another, or go on in octets that were put together. */
const BEYOND = ['icmp', 'icmpv6'];

/** Compares both views of a packet; `from` is the first node of the tree that belongs to it. */
function compare(row: Row, v: View, layers: readonly Layer[], stack: readonly string[], from: number): void {
  const c = new Cursor(row.dissection.tree, from - 1, v.buf);
  let last = -1;
  for (const layer of layers) {
    const { name } = layer;
    if (name === '') continue; // Wireshark does not list it
    const found = stack.indexOf(name, last + 1);
    // A layer that is cut too short for its dissector is none for either; below one that is not as it should be the
    // index pass may see more than is shown.
    if (found < 0 && (layer.p.table === '' || c.failed())) return;
    assert.ok(found > last, `${name} in ${stack.join(':')}`);
    last = found;
    if (!c.find(name)) {
      assert.equal(layer.p.table, '', `${name} in the tree`);
      return;
    }
    assert.equal(c.off, layer.at, `start of ${layer.proto}`);
    if (layer.p.table !== '' || layer.p.fragment) agrees(layer, c);
  }
  const end = layers[layers.length - 1];
  const reached = end !== undefined && TRANSPORT.includes(end.proto);
  const shown = stack.findIndex((proto) => TRANSPORT.includes(proto));
  const quoted = stack.findIndex((proto) => BEYOND.includes(proto));
  const together = end?.p.fragment === true;
  if (shown >= 0 && (quoted < 0 || quoted > shown) && !together && !c.aggregated)
    assert.ok(reached, `peek stops before ${stack[shown]}`);
}

/** Compares both views of the packets of a row; returns how many it has. `name` is that of the capture. */
export function agree(row: Row, name: string): number {
  let packets = 0;
  const { protocols, tree } = row.dissection;
  const { outer, content } = row;
  const split = protocols.indexOf('fttims');
  try {
    if (row.inner <= 1 && !outer.isEnd) {
      packets++;
      const stack = split < 0 ? protocols : protocols.slice(0, split);
      compare(row, outer.view, walk(outer.view, 'link', outer.iface.link), stack, 0);
    }
    if (content === null) return packets;
    packets++;
    let first = 0;
    while (tree.field(first).name !== 'fttims') first++;
    compare(row, content.view, walk(content.view, 'tls.app', 'fttims'), protocols.slice(split), first);
  } catch (e) {
    throw new Error(`${name}, row ${row.id}: ${(e as Error).message}`, { cause: e });
  }
  return packets;
}
