/** Checks of octets that are given to one dissector. */

import { dissectors } from '../../dissectors/index.js';
import type { CaptureInterface } from '../../src/capture/chunk.js';
import { Dissection, engineFields } from '../../src/engine/dissect.js';
import { Packet } from '../../src/engine/packet.js';
import { Registry } from '../../src/engine/registry.js';
import { Row } from '../../src/engine/row.js';
import { type AnyDissector, encode, Malformed, Peek, Short, View } from '../../src/kit/index.js';
import { nodeLabel } from '../../src/report/value.js';
import { ADDRESSES, Tracked } from '../support/tracked.js';
import { ROW_SECONDS, spent } from './check-rows.js';
import { Finding, type Input, place } from './input.js';
import { Chance } from './mutate.js';
import { numbers, Writers } from './writers.js';

const registry = new Registry(dissectors, engineFields);
const IFACE: CaptureInterface = { file: 1, index: 0, link: 1, snaplen: 0 };

/** Runs `f`; what a dissector may throw passes. */
function may(what: string, f: () => unknown): void {
  try {
    f();
  } catch (e) {
    if (e instanceof Short || e instanceof Malformed) return;
    throw new Finding(`exception ${what} ${place(e)}`, e instanceof Error ? (e.stack ?? e.message) : String(e));
  }
}

/** A view of octets inside a larger buffer whose other octets are `around`. */
function within(octets: Uint8Array, around: number, before: number, cut: number): View {
  const buf = new Uint8Array(before + octets.length + 40).fill(around);
  buf.set(octets, before);
  const end = before + octets.length;
  return new View({ name: 'Frame', buf, start: before, end }, before, end, end + cut);
}

function peeks(d: AnyDissector, v: View): void {
  const p = new Peek();
  Object.assign(p, { buf: v.buf, off: v.off, end: v.end, wireEnd: v.wireEnd, net: 4, src: 0, dst: 0 });
  d.peek?.(p);
  if (p.end > v.end || (p.table !== '' && p.off > p.end))
    throw new Finding(`peek ${d.proto}`, `${d.proto} peeks beyond its octets: ${p.off}..${p.end} of ${v.end}`);
}

const wants = registry.wants(null);
const dissection = new Dissection(registry, wants, true);
dissection.tree.labels = true;
const row = new Row(dissection);
const writers = new Writers();

/** Dissects; returns the tree as text. */
function dissect(d: AnyDissector, v: View, frame: number, noted: unknown, stream: boolean): string {
  const packet = new Packet(frame, 1, 2, v, IFACE);
  packet.protocol = stream ? 6 : 0;
  if (noted !== undefined) packet.note(d, v.buf, v.off, noted);
  dissection.tree.reset();
  dissection.protocols.length = 0;
  dissection.faults.counts.clear();
  dissection.more(packet, d);
  const { tree } = dissection;
  for (const { expert, message } of tree.experts)
    if (expert.code === 'frame.dissector-fault') throw new Finding(`fault ${message}`, message);
  if (tree.level !== 0) throw new Finding(`depth ${d.proto}`, `depth ${tree.level} after ${d.proto}`);
  numbers(row);
  row.outer = packet;
  row.frame = frame;
  let text = dissection.protocols.join(':');
  for (let i = 0; i < tree.length; i++) text += `\n${tree.depth(i)} ${tree.field(i).name} ${nodeLabel(tree, i)}`;
  may('summary', () => d.summary?.(v, dissection));
  may('column', () => d.column?.(v, dissection));
  return `${text}\n${dissection.info()}`;
}

/** The codec: what it reads it can write. */
function codes(d: AnyDissector, { buf, off, end }: View): void {
  const { codec } = d;
  if (codec === undefined) return;
  may(`codec ${d.proto}`, () => {
    const r: unknown = codec.parse(buf, off, end);
    encode(codec, r, ADDRESSES);
  });
}

/** Gives each part to the dissector as the next message of a flow. */
export function checkLayer(o: Input): void {
  const d = registry.byProto(o.name)!;
  const c = new Chance(o.seed);
  const tracked = new Tracked(registry);
  tracked.stream = c.is(0.5);
  const before = spent();
  o.parts.forEach((octets, i) => {
    const [at, cut] = [c.below(20), c.is(0.2) ? c.below(300) : 0];
    const v = within(octets, 0, at, cut);
    const { buf, off, end } = v;
    tracked.frame = i + 1;
    tracked.direction = c.below(2) as 0 | 1;
    tracked.noted = undefined;
    d.probe?.(buf, off, end);
    const n = d.pduLength?.(buf, off, end) ?? 0;
    // Infinity: up to the end of the connection.
    if ((!Number.isInteger(n) && n !== Number.POSITIVE_INFINITY) || n < -1)
      throw new Finding(`length ${d.proto}`, `length ${n} of ${d.proto}`);
    if (v.length > 0) {
      peeks(d, v);
      may(`track ${d.proto}`, () => d.track?.(v, tracked));
    }
    const stream = tracked.stream;
    const noted = tracked.noted;
    const text = dissect(d, v, i + 1, noted, stream);
    if (!/^\d+ _ws\.(malformed|short) /m.test(text)) codes(d, v);
    if (c.is(0.2)) writers.write(row);
    if (noted === undefined && c.is(0.3)) {
      const other = dissect(d, within(octets, 0xff, at, cut), i + 1, noted, stream);
      if (other !== text) throw new Finding(`overread ${d.proto}`, difference(text, other));
    }
  });
  const seconds = spent() - before;
  if (seconds > ROW_SECONDS) throw new Finding(`slow ${d.proto}`, `${seconds} s`);
}

function difference(a: string, b: string): string {
  const [x, y] = [a.split('\n'), b.split('\n')];
  const i = x.findIndex((line, k) => line !== y[k]);
  return `among zeros ${x[i]}\namong ones  ${y[i]}`;
}
