import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type Datagram, FragmentTable } from '../../src/stream/ip-fragments.js';
import { Ledger } from '../../src/stream/ledger.js';

const ADDRESSES = Uint8Array.from({ length: 64 }, (_, i) => i);

interface Part {
  off: number;
  bytes: Uint8Array;
  more: boolean;
}

interface Where {
  net?: 4 | 6;
  src?: number;
  proto?: number;
  id?: number;
  scope?: number;
  frame?: number;
  seconds?: number;
}

function add(t: FragmentTable, p: Part, w: Where = {}): Datagram | undefined {
  const { net = 4, src = 0, proto = 17, id = 1, scope = 0, frame = 1, seconds = 0 } = w;
  const b = new Uint8Array(p.bytes.length + 7);
  b.set(p.bytes, 3);
  const at = { buf: b, off: 3, end: 3 + p.bytes.length, net, src, dst: 32, key: proto };
  const fragment = { ...at, fragmentId: id, fragmentOffset: p.off, moreFragments: p.more };
  const whole = t.add(scope, fragment, ADDRESSES, frame, seconds);
  b.fill(0xee); // the table must have copied it
  return whole;
}

const bytes = (n: number, from = 0): Uint8Array => Uint8Array.from({ length: n }, (_, i) => i + from);
const part = (off: number, n: number, more: boolean): Part => ({ off, bytes: bytes(n, off), more });

describe('FragmentTable', () => {
  it('puts parts together in any order, and lists them by offset', () => {
    const t = new FragmentTable();
    assert.equal(add(t, part(16, 4, false), { frame: 1 }), undefined);
    assert.equal(add(t, part(0, 8, true), { frame: 2 }), undefined);
    const whole = add(t, part(8, 8, true), { frame: 3 });
    assert.deepEqual(whole?.bytes, bytes(20));
    assert.deepEqual(whole?.fragments, [
      { frame: 2, off: 0, len: 8 },
      { frame: 3, off: 8, len: 8 },
      { frame: 1, off: 16, len: 4 },
    ]);
    assert.deepEqual([t.size, t.dropped, t.refused], [0, 0, 0]);
  });

  it('keeps datagrams apart by scope, addresses, protocol and identification', () => {
    const t = new FragmentTable();
    add(t, part(0, 8, true));
    for (const w of [{ scope: 1 }, { src: 1 }, { proto: 6 }, { id: 2 }])
      assert.equal(add(t, part(8, 8, false), w), undefined);
    assert.equal(t.size, 5);
    assert.ok(add(t, part(8, 8, false)));
  });

  it('takes the protocol of an IPv6 datagram from its first fragment (RFC 8200 4.5)', () => {
    const t = new FragmentTable();
    add(t, part(8, 8, false), { net: 6, proto: 0 });
    assert.equal(add(t, part(0, 8, true), { net: 6, proto: 17 })?.protocol, 17);
  });

  it('keeps what came first, and marks overlap and conflict', () => {
    const t = new FragmentTable();
    add(t, part(0, 16, true), { frame: 1 });
    add(t, part(0, 16, true), { frame: 2 });
    const other = { off: 8, bytes: new Uint8Array(16).fill(0xff), more: true };
    add(t, other, { frame: 3 });
    const whole = add(t, part(24, 8, false), { frame: 4 });
    const expected = bytes(32);
    expected.fill(0xff, 16, 24);
    assert.deepEqual(whole?.bytes, expected);
    assert.deepEqual(whole?.fragments, [
      { frame: 1, off: 0, len: 16 },
      { frame: 2, off: 0, len: 16, overlap: true, conflict: false },
      { frame: 3, off: 8, len: 16, overlap: true, conflict: true },
      { frame: 4, off: 24, len: 8 },
    ]);
  });

  it('fills a hole from a part that covers both of its sides', () => {
    const t = new FragmentTable();
    add(t, part(0, 8, true));
    add(t, part(16, 8, true));
    add(t, part(32, 8, false));
    assert.deepEqual(add(t, part(0, 40, false))?.bytes, bytes(40));
  });

  it('refuses parts that no datagram can have', () => {
    const t = new FragmentTable();
    assert.equal(add(t, part(65_528, 8, false)), undefined);
    assert.equal(add(t, part(8, 0, true)), undefined);
    assert.deepEqual([t.refused, t.size], [2, 0]);
    add(t, part(8, 8, false));
    add(t, part(16, 8, true));
    add(t, part(16, 8, false));
    assert.equal(t.refused, 4, 'past the end, and another end');
    assert.deepEqual(add(t, part(0, 8, true))?.bytes, bytes(16));
  });

  it('gives up the oldest when there is no room, and what waits too long', () => {
    const t = new FragmentTable(new Ledger(), 3);
    for (let id = 1; id <= 4; id++) add(t, part(0, 8, true), { id });
    assert.deepEqual([t.size, t.dropped], [3, 1]);
    assert.equal(add(t, part(8, 8, false), { id: 1 }), undefined, 'the first was given up');
    assert.ok(add(t, part(8, 8, false), { id: 4 }));
    const late = new FragmentTable();
    add(late, part(0, 8, true), { seconds: 0 });
    assert.equal(add(late, part(8, 8, false), { seconds: 1000 }), undefined, 'another datagram');
    assert.deepEqual([late.size, late.dropped], [1, 1]);
  });

  it('waits for the parts of an IPv6 datagram for a minute (RFC 8200 4.5), and of an IPv4 one for two (RFC 1122 3.3.2)', () => {
    for (const [net, most] of [
      [4, 120],
      [6, 60],
    ] as const)
      for (const late of [0, 1]) {
        const t = new FragmentTable();
        add(t, part(0, 8, true), { net });
        const whole = add(t, part(8, 8, false), { net, seconds: most + late });
        assert.equal(whole === undefined, late === 1, `${net} ${late}`);
      }
  });

  it('rebuilds any datagram from any cutting, order and repetition', () => {
    const cuts = fc.uniqueArray(fc.integer({ min: 1, max: 40 }), { maxLength: 10 });
    fc.assert(
      fc.property(cuts, fc.infiniteStream(fc.nat(1000)), fc.boolean(), (at, random, twice) => {
        const t = new FragmentTable();
        const whole = Uint8Array.from({ length: 41 * 8 - 3 }, (_, i) => (i * 7) & 255);
        const edges = [0, ...at.sort((a, b) => a - b).map((n) => n * 8), whole.length];
        const parts: Part[] = [];
        for (let i = 0; i + 1 < edges.length; i++) {
          const p = { off: edges[i], bytes: whole.slice(edges[i], edges[i + 1]), more: i + 2 < edges.length };
          parts.push(p);
          if (twice && i > 0) parts.push(p);
        }
        const order = parts.map((p) => ({ p, key: random.next().value as number })).sort((a, b) => a.key - b.key);
        let done = 0;
        for (const { p } of order) {
          const d = add(t, p);
          if (d === undefined) continue;
          done++;
          assert.deepEqual(d.bytes, whole);
        }
        assert.ok(done >= 1);
      }),
    );
  });
});
