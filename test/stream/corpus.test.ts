import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { dissectors } from '../../dissectors/index.js';
import { openCapture } from '../../src/capture/open.js';
import { Registry } from '../../src/engine/registry.js';
import { Peek } from '../../src/kit/index.js';
import { type Flow, FlowTable } from '../../src/stream/flow.js';
import { type StreamConsumer, TcpStream } from '../../src/stream/tcp.js';
import { corpusMissing, publicCaptures } from '../support/corpus.js';

/** What tshark's "follow" gives of one direction. */
interface Followed {
  readonly kind: string;
  readonly stream: number;
  readonly dir: 0 | 1;
  readonly length: number;
  readonly sha256: string;
  readonly gap_markers?: number;
}

/** Hashes both directions as tshark does: gaps as a text in their place. */
class Sums implements StreamConsumer {
  readonly hash = [createHash('sha256'), createHash('sha256')];
  readonly octets = [0, 0];
  readonly gaps = [0, 0];
  /** Octets missing before the next ones: a gap counts once octets follow it, as tshark knows of no others. */
  private readonly missing = [0, 0];

  data(direction: 0 | 1, buf: Uint8Array, off: number, end: number): void {
    if (this.missing[direction] > 0) {
      const marker = `[${this.missing[direction]} bytes missing in capture file]\0`;
      this.hash[direction].update(marker);
      this.octets[direction] += marker.length;
      this.gaps[direction]++;
      this.missing[direction] = 0;
    }
    this.hash[direction].update(buf.subarray(off, end));
    this.octets[direction] += end - off;
  }
  gap(direction: 0 | 1, octets: number): void {
    this.missing[direction] += octets;
  }
  close(): void {}
}

/** The streams of a capture in tshark's order; undefined where a layer is of a kind that only others know. */
async function streams(path: string): Promise<Sums[]> {
  const registry = new Registry(dissectors);
  const table = new FlowTable();
  const out: Sums[] = [];
  const p = new Peek();
  const open = (flow: Flow, reused: boolean): TcpStream => {
    const sums = new Sums();
    out.push(sums);
    const stream = new TcpStream(sums, undefined, reused);
    flow.state = stream;
    return stream;
  };
  const source = await openCapture([path]);
  for (let chunk = await source.next(); chunk !== null; chunk = await source.next())
    for (let i = 0; i < chunk.count; i++) {
      p.buf = chunk.buf;
      p.off = chunk.off[i];
      p.end = p.off + chunk.cap[i];
      p.wireEnd = p.off + chunk.wire[i];
      p.table = 'link';
      p.key = chunk.iface[i].link;
      p.net = 0;
      for (let depth = 0; depth < 16 && p.table !== '' && p.table !== 'tcp'; depth++) {
        const d = registry.lookup(p.table, p.key);
        p.table = '';
        p.fragment = false;
        d?.peek?.(p);
        if (p.fragment) p.table = '';
      }
      if (p.table !== 'tcp' || p.net === 0) continue;
      const find = (): Flow => table.find(0, 6, p, p.buf);
      const flow = find();
      const stream = (flow.state as TcpStream | null) ?? open(flow, false);
      const { seconds, nanos, number } = chunk;
      if (stream.segment(table.direction, p, number[i], seconds[i], nanos[i], null)) continue;
      stream.flush();
      table.forget(flow);
      const fresh = open(find(), true);
      assert.ok(fresh.segment(table.direction, p, number[i], seconds[i], nanos[i], null));
    }
  for (const flow of table) (flow.state as TcpStream).flush();
  await source.close();
  return out;
}

/** Captures whose TCP lies in tunnels or link layers that are not followed here, or in fragments. */
const OTHER_LAYERS = /vxlan|gtp|geneve|teredo|gre|ayiya|mpls|frag/i;
/** The snaplen left no payload: tshark shows nothing, and not that something is missing. */
const HEADERS_ONLY = /retransmit-fast009/;
/** A segment that came late repeats octets with other values: tshark takes these, we those that came first. */
const OTHER_COPIES = /tcp\/reassembly\.pcap/;

describe('TcpStream over the public captures', { skip: corpusMissing('public') }, () => {
  it('puts the same octets together as tshark', async () => {
    let directions = 0;
    let gaps = 0;
    const wrong: string[] = [];
    for (const capture of publicCaptures()) {
      const reference = `${capture.path}.streams.ndjson.gz`;
      if (!existsSync(reference) || OTHER_LAYERS.test(capture.file) || HEADERS_ONLY.test(capture.file)) continue;
      const lines = gunzipSync(readFileSync(reference)).toString().split('\n').filter(Boolean);
      const followed = lines.map((l) => JSON.parse(l) as Followed).filter((f) => f.kind === 'tcp');
      if (followed.length === 0) continue;
      const got = await streams(capture.path);
      for (const f of followed) {
        directions++;
        const s = got[f.stream];
        if (s === undefined) wrong.push(`${capture.file} ${f.stream}: not found`);
        else if (
          s.octets[f.dir] !== f.length ||
          (s.hash[f.dir].copy().digest('hex') !== f.sha256 && !OTHER_COPIES.test(capture.file))
        )
          wrong.push(`${capture.file} ${f.stream}/${f.dir}: ${s.octets[f.dir]} instead of ${f.length} octets`);
        else gaps += s.gaps[f.dir];
      }
    }
    assert.deepEqual(wrong, []);
    assert.ok(directions > 300 && gaps > 5, `${directions} directions, ${gaps} gaps`);
  });
});
