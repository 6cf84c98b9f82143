import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { PduBuffer, type Piece } from '../../src/stream/pdu-buffer.js';
import { ascii } from './wire.js';

const text = ({ buf, off, end }: Piece): string => Buffer.from(buf.slice(off, end)).toString('latin1');

/** Gives octets in a buffer of their own, as a frame would. */
function feed(w: PduBuffer, s: string, frame: number): Uint8Array {
  const b = ascii(`<${s}>`);
  w.feed(b, 1, b.length - 1, frame);
  return b;
}

describe('PduBuffer', () => {
  it('shows the octets given without copying them', () => {
    const w = new PduBuffer();
    const b = feed(w, 'abcdef', 1);
    assert.deepEqual([w.buf, w.off, w.end, w.length], [b, 1, 7, 6]);
    const piece = w.take(2);
    assert.deepEqual([piece.buf, text(piece), piece.segments], [b, 'ab', undefined]);
    assert.equal(text(w), 'cdef');
  });

  it('keeps what is left over, and says which frames carried a piece', () => {
    const w = new PduBuffer();
    const b = feed(w, 'abcdef', 1);
    w.take(2);
    assert.equal(w.settle(), true);
    b.fill(0);
    feed(w, 'ghi', 2).fill(0);
    feed(w, 'jkl', 3).fill(0);
    assert.equal(text(w), 'cdefghijkl');
    const piece = w.take(8);
    assert.equal(text(piece), 'cdefghij');
    assert.deepEqual(piece.segments, [
      { frame: 1, off: 0, len: 4 },
      { frame: 2, off: 4, len: 3 },
      { frame: 3, off: 7, len: 1 },
    ]);
    const last = w.take(9);
    assert.deepEqual([text(last), last.segments], ['kl', undefined]);
  });

  it('counts parts of one frame as one', () => {
    const w = new PduBuffer();
    feed(w, 'ab', 1);
    w.settle();
    feed(w, 'cd', 1);
    assert.equal(w.take(4).segments, undefined);
  });

  it('drops what exceeds its cap, and all when told', () => {
    const w = new PduBuffer(4);
    feed(w, 'abcdef', 1);
    assert.equal(w.settle(), false);
    assert.equal(w.length, 0);
    feed(w, 'ghi', 2);
    assert.equal(w.settle(), true);
    feed(w, 'jkl', 3);
    w.skip(2);
    assert.equal(text(w), 'ijkl');
    w.clear();
    assert.equal(w.length, 0);
    feed(w, 'mno', 4);
    assert.deepEqual([text(w.take(3)), w.length], ['mno', 0]);
  });

  it('gives pieces that stay as they were, with the right frames', () => {
    const step = fc.record({
      size: fc.nat(3000),
      newFrame: fc.boolean(),
      takes: fc.array(fc.nat(2500), { maxLength: 4 }),
      skip: fc.nat(50),
      settle: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const w = new PduBuffer();
        const given: number[] = [];
        const frames: number[] = [];
        const pieces: [Piece, number][] = [];
        let at = 0;
        let frame = 0;
        const buffers: Uint8Array[] = [];
        for (const s of steps) {
          if (s.newFrame) frame++;
          const b = new Uint8Array(s.size + 2).fill(0xee);
          for (let i = 1; i <= s.size; i++) {
            b[i] = (given.length * 31 + 7) & 0xff;
            given.push(b[i]);
            frames.push(frame);
          }
          buffers.push(b);
          w.feed(b, 1, 1 + s.size, frame);
          for (const n of s.takes) {
            const piece = w.take(n);
            pieces.push([piece, at]);
            at += piece.end - piece.off;
          }
          const skipped = Math.min(s.skip, w.length);
          w.skip(s.skip);
          at += skipped;
          assert.equal(w.length, given.length - at);
          if (s.settle) w.settle();
        }
        for (const [piece, from] of pieces) {
          const n = piece.end - piece.off;
          assert.deepEqual([...piece.buf.slice(piece.off, piece.end)], given.slice(from, from + n));
          const carried = frames.slice(from, from + n);
          const told = (piece.segments ?? []).flatMap((x) => new Array<number>(x.len).fill(x.frame));
          if (piece.segments !== undefined) assert.deepEqual(told, carried);
          else assert.ok(new Set(carried).size <= 1);
        }
      }),
      { numRuns: 200 },
    );
  });
});
