import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Ledger } from '../../src/stream/ledger.js';
import { PendingPool, TcpStream } from '../../src/stream/tcp.js';
import { ACK, ascii, FIN, give, Log, RST, type Sent, SYN } from './wire.js';

/** A stream of one direction, 0, whose octets the other side never acknowledges unless told. */
function reader(pool?: PendingPool, cap?: number): { log: Log; stream: TcpStream } {
  const log = new Log();
  return { log, stream: new TcpStream(log, pool, false, cap) };
}

const syn = (seq: number): Sent => ({ direction: 0, seq, flags: SYN });
const data = (seq: number, text: string, more: Partial<Sent> = {}): Sent => ({
  direction: 0,
  seq,
  payload: ascii(text),
  ...more,
});
const ack = (n: number, more: Partial<Sent> = {}): Sent => ({ direction: 1, seq: 9000, ack: n, ...more });

function feed(segments: readonly Sent[], flush = true): string {
  const { log, stream } = reader();
  for (const s of segments) give(stream, s);
  if (flush) stream.flush();
  return log.text(0);
}

describe('TcpStream', () => {
  it('passes on octets in order, those that come early once the hole is filled', () => {
    assert.equal(feed([syn(99), data(100, 'ab'), data(104, 'ef'), data(102, 'cd')]), 'abcdef');
    assert.equal(feed([syn(99), data(102, 'cd'), data(104, 'ef'), data(100, 'ab')]), 'abcdef');
  });

  it('names the frame that carried the octets, not the one that set them free', () => {
    const { log, stream } = reader();
    for (const s of [syn(99), data(102, 'cd', { frame: 2 }), data(100, 'ab', { frame: 3 })]) give(stream, s);
    assert.deepEqual(log.frames, [3, 2]);
  });

  it('passes over padding that is counted as octets', () => {
    const opened = { ...syn(99), options: new Uint8Array(4) };
    const zeros = (seq: number, n: number, flags = ACK) => data(seq, '\0'.repeat(n), { flags });
    assert.equal(feed([opened, zeros(100, 6), data(100, 'abcdefgh')]), 'abcdefgh');
    assert.equal(feed([opened, zeros(100, 2), zeros(100, 6), data(100, 'ab'), zeros(102, 6)]), 'ab');
    // Before a hole, behind one, and behind one that nobody fills.
    assert.equal(feed([opened, data(104, 'ef'), zeros(100, 4), data(100, 'abcd')]), 'abcdef');
    assert.equal(feed([opened, zeros(104, 6), data(104, 'efghij'), data(100, 'abcd')]), 'abcdefghij');
    assert.equal(feed([opened, zeros(104, 2), zeros(106, 2), data(100, 'abcd')]), 'abcd\0\0\0\0');
    assert.equal(feed([opened, zeros(100, 4), zeros(104, 4), data(104, 'efgh')]), '\0\0\0\0efgh');
    assert.equal(feed([opened, data(104, 'ef'), zeros(100, 3)]), '[gap 4]ef');
    assert.equal(feed([opened, data(104, 'ef'), zeros(100, 4), ack(104)], false), '\0\0\0\0ef');
    assert.equal(feed([opened, data(100, 'ab'), zeros(102, 6, FIN | ACK)], false), 'ab[fin]');
    // What follows it, or is acknowledged, shows that it was none; and what is pushed, or longer, is none.
    assert.equal(feed([opened, zeros(100, 6), data(106, 'ab')]), '\0\0\0\0\0\0ab');
    assert.equal(feed([opened, zeros(100, 3), ack(103), data(103, 'ab')], false), '\0\0\0ab');
    assert.equal(feed([opened, zeros(100, 3), ack(103)], false), '\0\0\0');
    assert.equal(feed([opened, zeros(100, 3), data(103, '', { flags: FIN | ACK })], false), '\0\0\0[fin]');
    assert.equal(feed([opened, zeros(100, 6, 24), data(100, 'abcdefgh')]), '\0\0\0\0\0\0gh');
    assert.equal(feed([opened, zeros(100, 7), data(100, 'abcdefgh')]), '\0\0\0\0\0\0\0h');
    assert.equal(feed([opened, zeros(100, 1), data(100, 'ab')]), '\0b');
    // Nor is there any where a segment came without, or around options.
    assert.equal(feed([opened, data(100, ''), zeros(100, 6), data(100, 'abcdefgh')]), '\0\0\0\0\0\0gh');
    assert.equal(feed([opened, { ...zeros(100, 2), options: new Uint8Array(12) }, data(100, 'abc')]), '\0\0c');
  });

  it('takes the first copy of each octet', () => {
    assert.equal(feed([syn(99), data(100, 'abcd'), data(100, 'ABCD'), data(102, 'XYef')]), 'abcdef');
    // The waiting part was there first; the later segment only fills the holes around it.
    assert.equal(feed([syn(99), data(102, 'cd'), data(100, 'ABCDEF')]), 'ABcdEF');
    assert.equal(feed([syn(99), data(102, 'c'), data(104, 'e'), data(101, 'BCDEF'), data(100, 'a')]), 'aBcDeF');
  });

  it('goes on past 2^32', () => {
    const near = 0xfffffffe;
    assert.equal(feed([syn(near - 1), data(2, 'ef'), data(near, 'ab'), data(0, 'cd')]), 'abcdef');
  });

  it('goes on behind a gap where numbers are large', () => {
    const near = 0xfffffff0;
    assert.equal(feed([syn(near - 1), data(near, 'ab'), data(near + 5, 'cd'), data(near + 7, 'ef')]), 'ab[gap 3]cdef');
  });

  it('takes data in a SYN and in a FIN, and nothing after the FIN', () => {
    const fin = data(102, 'cd', { flags: FIN | ACK });
    assert.equal(feed([{ ...syn(99), payload: ascii('ab') }, fin, data(104, 'x')]), 'abcd[fin]');
    assert.equal(feed([syn(99), fin, data(100, 'ab')]), 'abcd[fin]');
    assert.equal(feed([syn(99), data(100, 'abcd'), data(104, '', { flags: FIN | ACK })]), 'abcd[fin]');
  });

  it('lets keep-alives pass', () => {
    assert.equal(feed([syn(99), data(100, 'ab'), data(101, 'x'), data(101, ''), data(102, 'cd')]), 'abcd');
    // The first segment seen may be one.
    assert.equal(feed([data(99, ''), data(100, 'ab'), data(102, 'cd')]), 'abcd');
  });

  it('takes octets that begin with the number of the SYN, but one alone, which is a keep-alive', () => {
    assert.equal(feed([syn(99), data(99, 'ab'), data(101, 'cd')]), 'abcd');
    assert.equal(feed([syn(99), data(99, 'x'), data(100, 'ab'), data(102, 'cd')]), 'abcd');
    assert.equal(feed([syn(99), data(100, 'ab'), data(99, 'xABcd')]), 'abcd');
  });

  it('starts in the middle of a connection', () => {
    assert.equal(feed([data(500, 'ab'), data(502, 'cd'), data(400, 'old')]), 'abcd');
    // An acknowledgment said where the direction stands: the first two segments may come in the wrong order.
    assert.equal(feed([ack(500), data(502, 'cd'), data(500, 'ab')]), 'abcd');
    assert.equal(feed([ack(500), data(502, 'cd')]), 'cd');
  });

  it('reports octets that the snaplen cut off', () => {
    const cut = data(100, 'ab', { wire: 5 });
    assert.equal(feed([syn(99), cut, data(105, 'fg')]), 'ab[gap 3]fg');
    assert.equal(feed([syn(99), data(105, 'fg'), cut]), 'ab[gap 3]fg');
    assert.equal(feed([syn(99), data(100, '', { wire: 5 }), data(105, 'fg')]), '[gap 5]fg');
  });

  it('reports a hole once it was acknowledged and three more segments have passed', () => {
    const start = [syn(99), data(100, 'ab'), data(105, 'f'), ack(106), data(106, 'g'), data(107, 'h')];
    assert.equal(feed(start, false), 'ab');
    assert.equal(feed([...start, data(102, 'cde')], false), 'abcdefgh');
    assert.equal(feed([...start, data(108, 'i')], false), 'ab[gap 3]fghi');
  });

  it('does not wait behind a hole that was acknowledged long before', () => {
    const told = [syn(99), data(100, 'ab', { time: 1 }), ack(110, { time: 2 })];
    assert.equal(feed([...told, data(110, 'cd', { time: 9 })], false), 'ab[gap 8]cd');
    assert.equal(feed([...told, data(110, 'cd', { time: 2 })], false), 'ab');
    // The octets came behind their acknowledgment; those of the next hole were never acknowledged.
    const late = [...told, data(102, 'cdefghij', { time: 2 })];
    assert.equal(feed([...late, data(112, 'no', { time: 3 })], false), 'abcdefghij');
    // Of the hole only the first half was acknowledged.
    assert.equal(feed([...told, data(112, 'no', { time: 9 })], false), 'ab');
  });

  it('reports a hole once it was acknowledged and a second has passed', () => {
    const start = [syn(99), data(100, 'ab'), data(105, 'f'), ack(106, { time: 1 })];
    assert.equal(feed([...start, ack(106, { time: 1.9 })], false), 'ab');
    assert.equal(feed([...start, ack(106, { time: 2.1 })], false), 'ab[gap 3]f');
  });

  it('waits for what the other side still asks for', () => {
    const later = Array.from({ length: 200 }, (_, i) => [data(105 + i, 'x', { time: i }), ack(102, { time: i })]);
    assert.equal(feed([syn(99), data(100, 'ab'), ...later.flat()], false), 'ab');
    assert.equal(feed([syn(99), data(100, 'ab'), ...later.flat(), data(102, 'cde')], false).length, 205);
  });

  it('does not wait for ever where the other direction was not captured', () => {
    const later = Array.from({ length: 64 }, (_, i) => data(105 + 2 * i, 'x'));
    assert.equal(feed([syn(99), data(100, 'ab'), ...later.slice(0, 63)], false), 'ab');
    assert.ok(feed([syn(99), data(100, 'ab'), ...later], false).startsWith('ab[gap 3]x'));
    assert.equal(feed([syn(99), data(102, 'c'), data(103, 'd', { time: 2.5 })], false), '[gap 2]cd');
  });

  it('reports what is missing before a FIN that was acknowledged', () => {
    const fin = data(103, '', { flags: FIN | ACK });
    assert.equal(feed([syn(99), data(100, 'ab'), fin], false), 'ab');
    assert.equal(feed([syn(99), data(100, 'ab'), fin, ack(104)], false), 'ab[gap 1][fin]');
    assert.equal(feed([syn(99), data(100, 'ab'), fin]), 'ab[gap 1][fin]');
  });

  it('says that a side gave up, and still takes what was under way', () => {
    const rst: Sent = { direction: 0, seq: 102, flags: RST, payload: ascii('because') };
    assert.equal(feed([syn(99), data(100, 'ab'), rst, data(102, 'cd')]), 'ab[rst]cd');
    assert.equal(feed([syn(99), data(100, 'ab'), data(104, 'ef'), rst, data(102, 'cd')]), 'ab[rst]cdef');
  });

  it('leaves the SYN of a new connection to a new stream', () => {
    const { log, stream } = reader();
    for (const s of [syn(99), syn(99), data(100, 'ab')]) assert.equal(give(stream, s), true);
    assert.equal(give(stream, syn(5000)), false);
    assert.equal(give(stream, data(102, 'cd')), true);
    assert.equal(log.text(0), 'abcd');
  });

  it('ignores segments of no possible window, and follows the other side over gigabytes', () => {
    assert.equal(feed([syn(99), data(100, 'ab'), data(0x70000000, 'x'), data(102, 'cd')]), 'abcd');
    const far = 0x90000000;
    assert.equal(feed([syn(99), data(100, 'ab'), ack(far), data(far, 'cd')]), `ab[gap ${far - 102}]cd`);
  });

  it('keeps no more octets waiting than its cap, nor than that of all streams', () => {
    const { log, stream } = reader(new PendingPool(), 10_000);
    give(stream, syn(99));
    for (let i = 0; i < 100; i++) give(stream, data(200 + 2000 * i, 'x'.repeat(1000)));
    assert.ok(stream.pending <= 10_000);
    assert.ok(log.text(0).startsWith('[gap 100]'));
    const pool = new PendingPool(new Ledger(), 50_000);
    const streams = Array.from({ length: 20 }, () => reader(pool).stream);
    for (const s of streams) {
      give(s, syn(99));
      for (let i = 0; i < 5; i++) give(s, data(200 + 2000 * i, 'x'.repeat(1000)));
    }
    assert.ok(pool.octets <= 50_000);
    assert.equal(
      pool.octets,
      streams.reduce((n, s) => n + s.pending, 0),
    );
    for (const s of streams) s.flush();
    assert.equal(pool.octets, 0);
  });
});

/** Cuts `octets` at random, sends some parts twice or with more than was asked for, and shuffles within a bound. */
const cuttings = fc.record({
  octets: fc.uint8Array({ minLength: 1, maxLength: 300 }),
  isn: fc.oneof(fc.constant(0xffffff80), fc.nat(0xffffffff)),
  sizes: fc.array(fc.integer({ min: 8, max: 60 }), { minLength: 1, maxLength: 40 }),
  again: fc.array(fc.tuple(fc.nat(400), fc.integer({ min: 1, max: 80 })), { maxLength: 12 }),
  swaps: fc.array(fc.tuple(fc.nat(60), fc.nat(3)), { maxLength: 40 }),
});

interface Cutting {
  octets: Uint8Array;
  isn: number;
  sizes: number[];
  again: [number, number][];
  swaps: [number, number][];
}

function segments({ octets, isn, sizes, again, swaps }: Cutting): Sent[] {
  const part = (off: number, n: number): Sent => ({
    direction: 0,
    seq: isn + 1 + off,
    payload: octets.slice(off, off + n),
  });
  const out: Sent[] = [];
  for (let off = 0, i = 0; off < octets.length; off += sizes[i++ % sizes.length])
    out.push(part(off, sizes[i % sizes.length]));
  for (const [at, n] of again) {
    const off = at % octets.length;
    out.splice(Math.floor((out.length * off) / octets.length) + 1, 0, part(off, n));
  }
  for (const [at, by] of swaps) {
    const i = at % out.length;
    const j = Math.min(out.length - 1, i + by);
    [out[i], out[j]] = [out[j], out[i]];
  }
  return out;
}

describe('TcpStream, whatever the network does', () => {
  it('gives the same octets', () => {
    fc.assert(
      fc.property(cuttings, (c: Cutting) => {
        const { log, stream } = reader();
        give(stream, syn(c.isn));
        for (const s of segments(c)) give(stream, s);
        assert.equal(log.text(0), Buffer.from(c.octets).toString('latin1'));
        assert.equal(stream.pending, 0);
      }),
      { numRuns: 400 },
    );
  });

  it('reports exactly the octets that are missing', () => {
    fc.assert(
      fc.property(cuttings, fc.infiniteStream(fc.boolean()), (c: Cutting, lost) => {
        const { log, stream } = reader();
        give(stream, syn(c.isn));
        const have = new Array<boolean>(c.octets.length).fill(false);
        let last = 0;
        for (const s of segments(c)) {
          if (lost.next().value) continue;
          give(stream, s);
          const off = (s.seq - c.isn - 1) | 0;
          have.fill(true, off, off + s.payload!.length);
          last = Math.max(last, off + s.payload!.length);
        }
        stream.flush();
        const wanted: string[] = [];
        for (let i = 0; i < Math.min(last, have.length); ) {
          let j = i;
          while (j < last && have[j] === have[i]) j++;
          wanted.push(have[i] ? Buffer.from(c.octets.slice(i, j)).toString('latin1') : `[gap ${j - i}]`);
          i = j;
        }
        assert.equal(log.text(0), wanted.join(''));
        assert.equal(stream.pending, 0);
      }),
      { numRuns: 400 },
    );
  });

  it('never fails and never keeps much, however little sense the segments make', () => {
    const anything = fc.record({
      direction: fc.constantFrom(0 as const, 1 as const),
      seq: fc.oneof(fc.nat(300), fc.nat(0xffffffff)),
      ack: fc.oneof(fc.nat(300), fc.nat(0xffffffff)),
      flags: fc.constantFrom(0, FIN, SYN, RST, ACK, SYN | ACK, FIN | ACK, RST | ACK, 0xfff),
      payload: fc.uint8Array({ maxLength: 50 }),
      wire: fc.nat(10),
      time: fc.integer({ min: 0, max: 5 }),
    });
    fc.assert(
      fc.property(fc.array(anything, { maxLength: 60 }), (list) => {
        const { stream } = reader(new PendingPool(), 1000);
        for (const s of list) give(stream, { ...s, wire: s.payload.length + s.wire });
        assert.ok(stream.pending <= 2000);
        stream.flush();
        assert.equal(stream.pending, 0);
      }),
      { numRuns: 500 },
    );
  });
});
