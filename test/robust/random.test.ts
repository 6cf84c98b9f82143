import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { dissectors } from '../../dissectors/index.js';
import type { CaptureInterface } from '../../src/capture/chunk.js';
import { Dissection } from '../../src/engine/dissect.js';
import { Packet } from '../../src/engine/packet.js';
import { Registry } from '../../src/engine/registry.js';
import { type AnyDissector, Malformed, Peek, Short, View } from '../../src/kit/index.js';
import { random } from '../capture/support.js';
import { Tracked } from '../support/tracked.js';

const registry = new Registry(dissectors);
const IFACE: CaptureInterface = { file: 1, index: 0, link: 1, snaplen: 0 };
const ROUNDS = 4000;

/** Octets that dissectors look for at the start of a message. */
const STARTS = [
  'REGISTER sip:a SIP/2.0\r\n',
  'SIP/2.0 200 OK\r\nVia: ',
  'GET / HTTP/1.1\r\n',
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n',
  'v=0\r\no=',
  '--boundary\r\n',
  '<?xml version="1.0"?>',
  '\x16\x03\x03\x00\x50\x02\x00\x00\x4c\x03\x03',
  '\x16\x03\x01\x01\x00\x01\x00\x00\xfc\x03\x03',
  '\x16\x03\x03\x01\x00\x0b\x00\x00\xfc\x00\x00\xf9\x00\x00\xf6\x30\x82',
  '\x45\x00\x00\x40\x00\x00\x00\x00\x40\x11',
  '\x4f\x00\x00\x40\x00\x00\x00\x00\x40\x06',
  '\x60\x00\x00\x00\x00\x40\x00\x40',
  '\x60\x00\x00\x00\x00\x40\x2c\x40',
  '\x01\x01\x06\x00',
  '\x80\x00\x00\x01',
  '\x90\xc8\x00\x20',
  '\x81\xca\x00\x20',
  '\x01\x00\x40\x45',
  '\x00\x01\x81\x80\x00\x01\x00\x05\x00\x05\x00\x05\xc0\x0c',
  '\x88\x00\x00\x00',
  '\x86\x00\x00\x00\x40\xc0\x00\x00',
];

/** Octets at random, made once: many values, or few. */
const POOL = 1 << 16;
const [MANY, FEW] = [256, 8].map((values) => {
  const next = random(values);
  return Uint8Array.from({ length: POOL }, () => Math.floor(next() * values));
});

/** A view of random octets: some like a message, some cut, some in the middle of a larger buffer. */
function view(next: () => number): View {
  const n = Math.floor(next() ** 2 * 600);
  const before = Math.floor(next() * 20);
  const length = before + n + 10;
  const from = Math.floor(next() * (POOL - length));
  const buf = (next() < 0.4 ? FEW! : MANY!).slice(from, from + length);
  if (next() < 0.5) {
    const start = STARTS[Math.floor(next() * STARTS.length)]!;
    for (let i = 0; i < Math.min(start.length, n); i++) buf[before + i] = start.charCodeAt(i);
  }
  const cut = next() < 0.3 ? Math.floor(next() * 300) : 0;
  const end = before + n;
  return new View({ name: 'Frame', buf, start: before, end }, before, end, end + cut);
}

/** Runs `f`; only what a dissector may throw passes. */
function may(what: () => string, f: () => unknown): void {
  try {
    f();
  } catch (e) {
    if (!(e instanceof Short) && !(e instanceof Malformed)) throw new Error(what(), { cause: e });
  }
}

function peeks(d: AnyDissector, v: View): void {
  const p = new Peek();
  Object.assign(p, { buf: v.buf, off: v.off, end: v.end, wireEnd: v.wireEnd, net: 4, src: 0, dst: 0 });
  d.peek?.(p);
  assert.ok(p.off <= p.buf.length && p.end <= v.end, `${d.proto} peeks beyond its octets`);
}

describe('octets at random', () => {
  for (const d of dissectors)
    test(d.proto, () => {
      const next = random(d.proto.length * 1000 + d.proto.charCodeAt(0));
      const dissection = new Dissection(registry, registry.wants(null), true);
      dissection.tree.labels = true;
      const tracked = new Tracked(registry);
      const before = process.cpuUsage().user;
      for (let round = 0; round < ROUNDS; round++) {
        const v = view(next);
        const { buf, off, end } = v;
        const what = (): string => `${d.proto}, round ${round}: ${Buffer.from(buf.subarray(off, end)).toString('hex')}`;
        tracked.frame = round + 1;
        tracked.direction = (round & 1) as 0 | 1;
        tracked.stream = next() < 0.5;
        d.probe?.(buf, off, end);
        const n = d.pduLength?.(buf, off, end) ?? 0;
        if (!Number.isInteger(n) || n < -1) assert.fail(`${what()}: length ${n}`);
        if (v.length > 0) peeks(d, v);
        if (v.length > 0)
          may(
            () => `track of ${what()}`,
            () => d.track?.(v, tracked),
          );
        dissection.tree.reset();
        dissection.protocols.length = 0;
        dissection.more(new Packet(round + 1, 1, 2, v, IFACE), d);
        if (dissection.faults.counts.size > 0) assert.deepEqual([...dissection.faults.counts], [], what());
        may(
          () => `summary of ${what()}`,
          () => d.summary !== undefined && assert.equal(typeof d.summary(v, dissection), 'string'),
        );
      }
      // A guard against loops that hardly end, by processor time.
      assert.ok((process.cpuUsage().user - before) / 1e6 < 20, d.proto);
    });
});
