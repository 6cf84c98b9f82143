import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { checksum, concat, put16 } from 'fttscope/kit';
import { anchorAfter, anchored, Deframer, type Lane } from '../../src/tunnel/deframe.js';
import { envelope } from '../build/conversation.js';
import { address, at, ping, udp } from '../build/packets.js';

const FOUR = envelope(ping(address('10.0.0.2'), address('10.0.0.1'), 1, 1, 20)).octets;
const SIX = envelope(udp(at('2001:db8::2', 5060), at('2001:db8::1', 5060), Uint8Array.of(1, 2))).octets;
const UNKNOWN = envelope(Uint8Array.of(7, 7), 9).octets;
const EMPTY = envelope(new Uint8Array(0)).octets;

/** What a deframer finds in pieces of a stream: octets of envelopes, and where framing is lost or was found again. */
function found(pieces: readonly (Uint8Array | 'gap')[]): string[] {
  const d = new Deframer({} as Lane);
  const out: string[] = [];
  for (const piece of pieces) {
    if (piece === 'gap') {
      d.gap();
      continue;
    }
    d.feed(concat([Uint8Array.of(1), piece]), 1, piece.length + 1, 1);
    for (let e = d.next(); e !== undefined; e = d.next())
      if (e === 'lost') out.push('lost');
      else out.push(`${e.resync ? 'again ' : ''}${Buffer.from(e.buf.subarray(e.off, e.end)).toString('hex')}`);
    d.settle();
  }
  return out;
}
const hex = (b: Uint8Array): string => Buffer.from(b).toString('hex');

describe('envelopes of a stream (TS 24.322 §7.1.2)', () => {
  test('however it is cut', () => {
    const all = [FOUR, EMPTY, UNKNOWN, SIX, FOUR];
    const stream = concat(all);
    fc.assert(
      fc.property(fc.array(fc.nat(stream.length)), (cuts) => {
        const ends = [...cuts.sort((a, b) => a - b), stream.length];
        assert.deepEqual(found(ends.map((end, i) => stream.slice(ends[i - 1] ?? 0, end))), all.map(hex));
      }),
    );
  });

  test('the same where framing was lost', () => {
    for (const sure of [FOUR, SIX]) {
      const stream = concat([envelope(Uint8Array.of(1, 0, 5), 1, 2).octets, UNKNOWN, sure, UNKNOWN]);
      fc.assert(
        fc.property(fc.array(fc.nat(stream.length)), (cuts) => {
          const ends = [...cuts.sort((a, b) => a - b), stream.length];
          const pieces = ends.map((end, i) => stream.slice(ends[i - 1] ?? 0, end));
          assert.deepEqual(found(pieces), ['lost', `again ${hex(sure)}`, hex(UNKNOWN)]);
        }),
      );
    }
  });

  test('a Length below 3 loses the framing, once, until an envelope is sure', () => {
    for (const length of [0, 1, 2]) {
      const bad = envelope(Uint8Array.of(1, 0, 5), 1, length).octets;
      assert.deepEqual(found([concat([bad, UNKNOWN, SIX, UNKNOWN])]), ['lost', `again ${hex(SIX)}`, hex(UNKNOWN)]);
    }
    assert.deepEqual(found([Uint8Array.of(1, 0, 3)]), ['010003']);
  });

  test('behind a gap, too', () => {
    assert.deepEqual(found([FOUR.slice(0, 9), 'gap', UNKNOWN, FOUR]), [`again ${hex(FOUR)}`]);
  });

  test('the rest of one that waits is told', () => {
    const d = new Deframer({} as Lane);
    d.feed(concat([UNKNOWN, FOUR]), 5, 14, 1);
    assert.equal(d.next(), undefined);
    assert.deepEqual([d.waiting, d.torn], [9, 9]);
    assert.equal(d.ahead(SIX, 0, SIX.length), undefined, 'something waits before it');
    d.gap();
    assert.deepEqual([d.waiting, d.torn, d.ahead(SIX, 0, SIX.length)], [0, 0, undefined]);
  });

  test('those that are whole are taken from where they lie', () => {
    const d = new Deframer({} as Lane);
    const b = concat([EMPTY, UNKNOWN, FOUR]);
    for (const [end, wanted] of [
      [b.length, [3, 8, b.length]],
      [b.length - 1, [3, 8]],
      [2, []],
    ] as const) {
      const ends: number[] = [];
      for (let e = d.ahead(b, 0, end); e !== undefined; e = d.ahead(b, e.end, end)) ends.push(e.end);
      assert.deepEqual(ends, wanted);
    }
    assert.equal(d.ahead(Uint8Array.of(1, 0, 2), 0, 3), undefined);
  });
});

describe('an envelope is sure', () => {
  const sure = (b: Uint8Array, n = b.length): string => anchored(concat([UNKNOWN, b]), 5, 5 + n);

  test('once its IP header is there and agrees with it', () => {
    for (const [b, header] of [
      [FOUR, 20],
      [SIX, 40],
    ] as const)
      for (let n = 1; n <= b.length; n++) assert.equal(sure(b, n), n < 3 + header ? 'unsure' : 'yes', String(n));
  });

  test('unless a length, a version, a header or its checksum contradicts', () => {
    const changed = (b: Uint8Array, i: number, value: number): string => sure(b.with(i, value));
    assert.equal(changed(FOUR, 0, 2), 'no');
    assert.equal(changed(FOUR, 2, FOUR[2] + 1), 'no');
    assert.equal(changed(SIX, 2, SIX[2] - 1), 'no');
    assert.equal(changed(FOUR, 3, 0x55), 'no');
    assert.equal(changed(FOUR, 3, 0x44), 'no');
    assert.equal(changed(FOUR, 3 + 8, FOUR[3 + 8] - 1), 'no', 'the checksum is that of another TTL');
    const short = FOUR.with(3, 0x44);
    put16(short, 13, 0);
    put16(short, 13, checksum(short, 3, 3 + 16));
    assert.equal(sure(short), 'no', 'a header of 16 octets');
    assert.equal(sure(EMPTY), 'unsure', 'more may follow');
    assert.equal(sure(concat([EMPTY, new Uint8Array(60)])), 'no');
  });

  test('wherever it begins', () => {
    const b = concat([UNKNOWN, FOUR]);
    assert.deepEqual([anchorAfter(b, 0, b.length), anchorAfter(b, UNKNOWN.length + 1, b.length)], [true, false]);
  });
});
