import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { dissectors } from '../../dissectors/index.js';
import { Registry } from '../../src/engine/registry.js';
import type { Row } from '../../src/engine/row.js';
import { Peek, type TableKey, type Tree, type View } from '../../src/kit/index.js';
import { LINKTYPES, type Link } from '../build/link.js';
import { at } from '../build/packets.js';
import { read } from '../build/read.js';
import { snaplen } from '../build/shape.js';
import { tlsConversation } from '../build/tls.js';
import { chatter } from '../build/traffic.js';
import { CORPUS, corpusMissing, ROOT } from '../support/corpus.js';
import { forRows } from '../support/rows.js';
import { ENDS, one } from './one.js';

/** A layer as `peek` saw it: where it starts, and what it left. */
interface Layer {
  readonly proto: string;
  readonly at: number;
  readonly p: Peek;
}

const registry = new Registry(dissectors);

/** The way down from a table entry, as the index pass goes it. */
function walk(v: View, table: string, key: TableKey): Layer[] {
  const layers: Layer[] = [];
  const p = new Peek();
  Object.assign(p, { buf: v.buf, off: v.off, end: v.end, wireEnd: v.wireEnd, table, key });
  while (layers.length < 32) {
    const d = registry.lookup(p.table, p.key);
    if (d?.peek === undefined) break;
    const at = p.off;
    p.table = '';
    p.fragment = false;
    d.peek(p);
    layers.push({ proto: d.proto, at, p: Object.assign(new Peek(), p) });
    if (p.table === '' || p.fragment || p.table === 'tcp' || p.table === 'udp') break;
  }
  return layers;
}

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
      if (this.t.field[i]!.name === name && this.t.sources[this.t.source[i]!]!.buf === this.buf) {
        this.at = i;
        return true;
      }
    return false;
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
    const has = c.find(`${proto}.payload`);
    assert.equal(has, p.end > p.off, 'has a payload');
    if (has) assert.deepEqual([c.off, c.end], [p.off, p.end], 'payload');
  }
}

/** Protocols that Wireshark has under another's name. */
const NAMES: Readonly<Record<string, string>> = { sll2: 'sll' };
const TRANSPORT = ['tcp', 'udp'];
/** Layers after which a packet may quote another, or go on in octets that were put together. */
const BEYOND = ['icmp', 'icmpv6'];

/** Compares both views of a packet; `from` is the first node of the tree that belongs to it. */
function compare(row: Row, v: View, layers: readonly Layer[], stack: readonly string[], from: number): void {
  const c = new Cursor(row.dissection.tree, from - 1, v.buf);
  let last = -1;
  for (const layer of layers) {
    const name = NAMES[layer.proto] ?? layer.proto;
    const found = stack.indexOf(name, last + 1);
    // A layer that is cut too short for its dissector is none for either.
    if (found < 0 && layer.p.table === '') return;
    assert.ok(found > last, `${name} in ${stack.join(':')}`);
    last = found;
    assert.ok(c.find(name), `${name} in the tree`);
    assert.equal(c.off, layer.at, `start of ${layer.proto}`);
    if (layer.p.table !== '' || layer.p.fragment) agrees(layer, c);
  }
  const end = layers[layers.length - 1];
  const reached = end !== undefined && TRANSPORT.includes(end.proto);
  const shown = stack.findIndex((proto) => TRANSPORT.includes(proto));
  const quoted = stack.findIndex((proto) => BEYOND.includes(proto));
  const together = end?.p.fragment === true;
  if (shown >= 0 && (quoted < 0 || quoted > shown) && !together)
    assert.ok(reached, `peek stops before ${stack[shown]}`);
}

/** Compares both views of the packets of a row; returns how many it has. */
function agree(row: Row, name: string): number {
  let packets = 0;
  const { protocols, tree } = row.dissection;
  const { outer, content } = row;
  const split = protocols.indexOf('fttims');
  try {
    if (row.inner <= 1) {
      packets++;
      const stack = split < 0 ? protocols : protocols.slice(0, split);
      compare(row, outer.view, walk(outer.view, 'link', outer.iface.link), stack, 0);
    }
    if (content === null) return packets;
    packets++;
    let first = 0;
    while (tree.field[first]!.name !== 'fttims') first++;
    compare(row, content.view, walk(content.view, 'tls.app', 'fttims'), protocols.slice(split), first);
  } catch (e) {
    throw new Error(`${name}, row ${row.id}: ${(e as Error).message}`, { cause: e });
  }
  return packets;
}

/** Reads every capture of a folder. */
async function folder(path: string): Promise<void> {
  let packets = 0;
  for (const file of readdirSync(path)) {
    if (!/\.pcap(ng)?$/.test(file)) continue;
    const keys = join(path, file.replace(/\.pcap(ng)?$/, '.keys'));
    const keylog = existsSync(keys) ? [readFileSync(keys, 'latin1')] : [];
    await forRows(join(path, file), { keylog }, (row) => {
      packets += agree(row, file);
    });
  }
  assert.ok(packets > 1000, `${packets} packets`);
}

describe('the way down that peek finds is the one that dissect shows', () => {
  test('samples', () => folder(join(ROOT, 'samples')));
  test('tunnel captures', { skip: corpusMissing('tunnel') }, () => folder(join(CORPUS, 'tunnel')));
  test('every link layer, IPv4, IPv6, fragments, frames that are cut', async () => {
    const six = { client: at('2001:db8:1::10', 40_000), server: at('2001:db8:2::1', 443) };
    const c = await tlsConversation(chatter(8, 30), { version: 'TLSv1.3' });
    for (const link of Object.keys(LINKTYPES) as Link[])
      for (const ends of [ENDS, six])
        for (const more of [{}, { fragment: 400 }, { octets: 70 }]) {
          const shape = 'octets' in more ? [snaplen(more.octets!)] : [];
          const built = one(c, { ...ends, ...more, mss: 1000, capture: { link, shape } });
          await read(built.octets, { keylog: [built.keylog] }, (row) => {
            agree(row, link);
          });
        }
  });
});
