import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { tcp } from '../../../dissectors/tcp/index.js';
import { checksum, encode, type NetPair, Peek, pseudoHeader } from '../../../src/kit/index.js';
import { ascii, segmentOctets } from '../../stream/wire.js';

const NET: NetPair = { version: 4, buf: Uint8Array.of(192, 0, 2, 10, 192, 0, 2, 1), src: 0, dst: 4 };
const hex = (s: string): Uint8Array => Uint8Array.from(Buffer.from(s, 'hex'));

describe('TCP on the way down', () => {
  const peek = (b: Uint8Array, wire = b.length): Peek => {
    const p = new Peek();
    p.buf = b;
    p.end = b.length;
    p.wireEnd = wire;
    tcp.peek!(p);
    return p;
  };

  it('gives the numbers and the bounds of the payload', () => {
    const p = peek(
      segmentOctets({
        direction: 0,
        seq: 1000,
        ack: 5000,
        payload: ascii('hello'),
        options: hex('01010101'),
        flags: 0x118,
      }),
      40,
    );
    assert.deepEqual([p.table, p.sport, p.dport, p.seq, p.ack], ['tcp', 1000, 2000, 1000, 5000]);
    assert.deepEqual([p.flags, p.window, p.header, p.off, p.end, p.wireEnd], [0x118, 1000, 0, 24, 29, 40]);
  });

  it('stops where there is no header, and goes on where the snaplen cut the options', () => {
    const b = segmentOctets({
      direction: 0,
      seq: 1000,
      options: hex('0101080a0000000100000002'),
      payload: ascii('hello'),
    });
    assert.equal(peek(b.slice(0, 19)).table, '');
    assert.equal(peek(b.slice(0, 24)).table, '');
    const p = peek(b.slice(0, 24), b.length);
    assert.deepEqual([p.table, p.off, p.end, p.wireEnd - p.off], ['tcp', 24, 24, 5]);
  });
});

describe('TCP codec', () => {
  const segments = fc.record({
    srcport: fc.nat(0xffff),
    dstport: fc.nat(0xffff),
    seq: fc.nat(0xffffffff),
    ack: fc.nat(0xffffffff),
    flags: fc.nat(0xfff),
    window: fc.nat(0xffff),
    urgent: fc.nat(0xffff),
    options: fc.nat(10).chain((n) => fc.uint8Array({ minLength: 4 * n, maxLength: 4 * n })),
    payload: fc.uint8Array({ maxLength: 100 }),
  });
  const codec = tcp.codec!;

  it('reads what it wrote, with a right checksum', () => {
    fc.assert(
      fc.property(segments, (r) => {
        const b = encode(codec, r, NET);
        assert.deepEqual(codec.parse(b, 0, b.length), { ...r });
        assert.equal(checksum(b, 0, b.length, pseudoHeader(NET, 6, b.length)), 0);
        assert.deepEqual(encode(codec, codec.parse(b, 0, b.length), NET), b);
      }),
    );
  });

  it('writes a SYN+ACK that was captured', () => {
    // 192.0.2.1:443 to 192.0.2.10:56194, with the options of a Linux host.
    const captured = '01bbdb8213a1f601e9a09abaa012fe8800000000' + '020405b40402080a54e5e2c947e72d5e0103030a';
    const r = codec.parse(hex(captured), 0, 40);
    assert.deepEqual(
      [r.srcport, r.dstport, r.seq, r.ack, r.flags, r.window],
      [443, 56194, 329381377, 3919616698, 18, 65160],
    );
    assert.deepEqual(encode(codec, r), hex(captured));
  });
});
