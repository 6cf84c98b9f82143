import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { put16, put32 } from '../../src/kit/index.js';
import { LIMITS } from '../../src/limits.js';
import { clearConversation, envelope, up } from '../build/conversation.js';
import { LINKTYPES } from '../build/link.js';
import { ACK, address, at, fragments, ping, register, SYN, tcp, udp } from '../build/packets.js';
import { FrameSource, type RawFrame } from '../build/source.js';
import { ENDS, one } from '../engine/one.js';
import { forSource } from '../support/rows.js';

setFlagsFromString('--expose_gc');
const collect = runInNewContext('gc') as () => void;
const MEGABYTE = 1 << 20;

/** Octets of memory that are in use once nothing is left to be freed. */
function used(): number {
  collect();
  collect(); // octets of buffers that the first found free
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** Megabytes that reading `frames` of raw IP needs in the end, before the pass is let go of. */
async function growth(frames: Iterable<RawFrame>): Promise<number> {
  let grown = 0;
  const before = used();
  function* watched(): Iterable<RawFrame> {
    yield* frames;
    grown = used() - before;
  }
  await forSource(new FrameSource(watched(), LINKTYPES.raw), {}, () => {});
  return grown / MEGABYTE;
}

const A = at('10.0.0.1', 1000);
const B = at('10.0.0.2', 2000);
/** An address of its own for each number. */
const host = (n: number): Uint8Array => Uint8Array.of(11, n >> 16, n >> 8, n);

describe('limits keep memory bounded', () => {
  // What is loaded and compiled once does not count.
  before(async () => {
    const octets = udp(A, B, new Uint8Array(100));
    await growth(Array.from({ length: 20_000 }, () => ({ octets })));
  });

  test('fragments whose datagrams are never whole', async () => {
    const [first] = fragments(ping(A.address, B.address, 1, 1, 1200), 1000);
    function* frames(): Iterable<RawFrame> {
      for (let id = 0; id < 100_000; id++) {
        const octets = Uint8Array.from(first!);
        put16(octets, 4, id & 0xffff);
        octets.set(host(id), 12);
        yield { octets };
      }
    }
    const grown = await growth(frames());
    assert.ok(grown < (2 * LIMITS.fragmentedDatagrams * 1200) / MEGABYTE + 50, `${grown} MB`);
  });

  test('one datagram in very many overlapping fragments', async () => {
    const parts = fragments(udp(A, B, new Uint8Array(60_000)), 8);
    function* frames(): Iterable<RawFrame> {
      for (let i = 0; i < 5; i++) for (const octets of parts.slice(1)) yield { octets };
    }
    const grown = await growth(frames());
    assert.ok(grown < 30, `${grown} MB`);
  });

  test('a stream with a hole before every segment, nothing acknowledged', async () => {
    function* frames(): Iterable<RawFrame> {
      yield { octets: tcp(A, B, { seq: 0, flags: SYN }, new Uint8Array(0)) };
      for (let i = 0; i < 40_000; i++) yield { octets: tcp(A, B, { seq: 1001 + 1000 * i }, new Uint8Array(500)) };
    }
    const grown = await growth(frames());
    assert.ok(grown < (2 * LIMITS.pendingOctets) / MEGABYTE + 30, `${grown} MB`);
  });

  test('a stream that waits behind its first octet', async () => {
    const octets = 1400;
    function* frames(): Iterable<RawFrame> {
      yield { octets: tcp(A, B, { seq: 0, flags: SYN }, new Uint8Array(0)) };
      // Duplicate acknowledgments: the receiver waits too.
      for (let i = 0; i < 20_000; i++) {
        yield { octets: tcp(A, B, { seq: 2 + octets * i }, new Uint8Array(octets)) };
        yield { octets: tcp(B, A, { seq: 1, ack: 1 }, new Uint8Array(0)) };
      }
    }
    const grown = await growth(frames());
    assert.ok(grown < (2 * LIMITS.pendingOctets) / MEGABYTE + 30, `${grown} MB`);
  });

  for (const [name, start, filler] of [
    ['a SIP message whose headers never end', 'REGISTER sip:a SIP/2.0\r\n', 'X: 0123456789abcdef\r\n'],
    ['an HTTP request line that never ends', 'GET /', 'a'],
    ['an HTTP body that never ends', 'POST / HTTP/1.1\r\nContent-Length: 999999999\r\n\r\n', 'a'],
    [
      'a TLS handshake message that never ends',
      '\x16\x03\x01\x00\x04\x01\xff\xff\xff',
      `\x16\x03\x01\x05\x73${'a'.repeat(1395)}`,
    ],
    ['an HTTP header that never ends', 'GET / HTTP/1.1\r\nX: ', 'a'],
    ['TLS records without end', '\x16\x03\x01\x40\x00', '\x16\x03\x01\x40\x00'],
  ] as const)
    test(`${name}, on a stream`, async () => {
      const port = name.includes('SIP') ? 5060 : 80;
      const body = Buffer.from(filler.repeat(Math.ceil(1400 / filler.length)), 'latin1');
      function* frames(): Iterable<RawFrame> {
        const from = at('10.0.0.1', 1000);
        const to = at('10.0.0.2', port);
        yield { octets: tcp(from, to, { seq: 0, flags: SYN }, new Uint8Array(0)) };
        let seq = 1;
        for (let i = 0; i < 6000; i++) {
          const payload = i === 0 ? Buffer.from(start, 'latin1') : body;
          yield { octets: tcp(from, to, { seq }, payload) };
          seq += payload.length;
        }
      }
      const grown = await growth(frames());
      assert.ok(grown < (6 * LIMITS.messageOctets) / MEGABYTE + 30, `${grown} MB`);
    });

  test('10,000 connections, each with the start of a message', async () => {
    const hello = Uint8Array.of(22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3);
    function* frames(): Iterable<RawFrame> {
      for (let i = 0; i < 10_000; i++) {
        const from = { address: host(i), port: 1000 };
        yield { octets: tcp(from, B, { seq: 0, flags: SYN }, new Uint8Array(0)) };
        yield { octets: tcp(B, from, { seq: 0, ack: 1, flags: SYN | ACK }, new Uint8Array(0)) };
        yield { octets: tcp(from, B, { seq: 1, ack: 1 }, hello) };
      }
    }
    const grown = await growth(frames());
    assert.ok(grown < 120, `${grown} MB`);
  });

  test('100,000 conversations of UDP, and SIP requests without an answer', async () => {
    const request = register(1);
    const to = at('10.0.0.2', 5060);
    function* frames(): Iterable<RawFrame> {
      for (let i = 0; i < 100_000; i++) yield { octets: udp({ address: host(i), port: 5000 }, B, new Uint8Array(4)) };
      for (let i = 0; i < 20_000; i++) yield { octets: udp(A, to, register(i)) };
      for (let i = 0; i < 5000; i++) yield { octets: udp({ address: host(i), port: 5060 }, to, request) };
    }
    const grown = await growth(frames());
    assert.ok(grown < 150, `${grown} MB`);
  });

  test('an envelope that is promised in every tunnel and never comes', async () => {
    const steps = [up([envelope(ping(address('10.0.0.2'), address('10.0.0.1'), 1, 1, 20))])];
    const built = one(clearConversation(steps), { capture: { link: 'raw' }, end: 'none' });
    const promise = new Uint8Array(1400);
    put16(promise, 1, 0xffff);
    promise[0] = 9;
    function* frames(): Iterable<RawFrame> {
      for (let i = 0; i < 500; i++) {
        for (const { octets } of built.frames) yield { octets: moved(octets, i) };
        const seq = 1001 + steps.length * 51;
        for (let k = 0; k < 46; k++) {
          const part = k === 0 ? promise : promise.subarray(3);
          const at = seq + k * 1397 + (k === 0 ? 0 : 3);
          yield { octets: moved(tcp(ENDS.client, ENDS.server, { seq: at, ack: 2_000_000_001 }, part), i) };
        }
      }
    }
    const grown = await growth(frames());
    assert.ok(grown < 500 * 0.16 + 40, `${grown} MB`);
  });
});

/** The packet between other addresses: those of the client change. */
function moved(octets: Uint8Array, n: number): Uint8Array {
  const b = Uint8Array.from(octets);
  const client = b[12] === 192 ? 12 : 16;
  put32(b, client, 0x0b00_0000 + n);
  return b;
}
