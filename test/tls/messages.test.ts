import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { LIMITS } from '../../src/limits.js';
import { TlsSession } from '../../src/tls/index.js';
import { MessageReader } from '../../src/tls/messages.js';
import { follow, record, services, wholeRecords } from './pair.js';

const message = (type: number, body: Uint8Array): Buffer =>
  Buffer.concat([Buffer.from([type, body.length >> 16, (body.length >> 8) & 255, body.length & 255]), body]);

describe('handshake messages over records', () => {
  test('however they are cut, the messages are the same', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom(1, 2, 11, 20), fc.uint8Array({ maxLength: 700 })), { maxLength: 8 }),
        fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 50 }),
        (list, cuts) => {
          const messages = list.map(([type, body]) => message(type, body));
          const stream = Buffer.concat(messages);
          const reader = new MessageReader();
          const out: Buffer[] = [];
          for (let off = 0, i = 0; off < stream.length; i++) {
            const end = Math.min(stream.length, off + cuts[i % cuts.length]!);
            const piece = Uint8Array.from(stream.subarray(off, end));
            for (const m of reader.feed(piece, 0, piece.length)) out.push(Buffer.from(m.buf.slice(m.off, m.end)));
            off = end;
          }
          assert.deepEqual(out, messages);
          assert.equal(reader.pending, false);
        },
      ),
    );
  });

  test('one beyond the cap is passed over, and the next is read', () => {
    for (const cut of [1000, 16_384, 1 << 20]) {
      const reader = new MessageReader();
      const stream = Buffer.concat([
        message(11, new Uint8Array(LIMITS.handshakeOctets + 5)),
        message(20, new Uint8Array(12)),
      ]);
      const types: number[] = [];
      for (let off = 0; off < stream.length; off += cut)
        for (const m of reader.feed(stream, off, Math.min(stream.length, off + cut))) types.push(m.buf[m.off]!);
      assert.deepEqual(types, [20]);
      assert.equal(reader.dropped, 1);
    }
  });

  test('a first record of one octet, and a heartbeat, are in the clear at the start of a stream', () => {
    const feed = (...records: number[][]): string[] => {
      const session = new TlsSession(services(''));
      return records.map(([type, ...content]) => {
        const octets = Uint8Array.from([type!, 3, 3, content.length >> 8, content.length & 255, ...content]);
        return session.record(0, octets, 0, octets.length, 1).status;
      });
    };
    assert.deepEqual(feed([22, 1], [22, 0, 0, 2, 3, 3]), ['clear', 'clear']);
    const padding = Array<number>(16).fill(7);
    assert.deepEqual(feed([24, 1, 0, 2, 5, 5, ...padding]), ['clear']);
    assert.deepEqual(feed([24, 1, 0, 3, 5, 5, ...padding]), ['no-keys']); // RFC 6520 §4: no room for the padding
    assert.deepEqual(feed([24, 3, 0, 2, 5, 5, ...padding]), ['no-keys']);
  });

  test('handshakes in small records', async () => {
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      const r = await record({
        client: { minVersion: version, maxVersion: version },
        prepare: (client, server) => {
          client.setMaxSendFragment(512);
          server.setMaxSendFragment(512);
        },
      });
      const { session, data } = follow(wholeRecords(r.segments), { services: services(r.keylog) });
      assert.ok(data[1].equals(r.sent[1]));
      assert.deepEqual(
        session.finished.map((f) => f?.valid),
        [true, true],
      );
      assert.equal(session.certificates.length, 1);
    }
  });
});

test('a session that is printed shows no key material', async () => {
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    const r = await record({ client: { minVersion: version, maxVersion: version } });
    const s = services(r.keylog);
    const { session } = follow(wholeRecords(r.segments), { services: s });
    const shown = inspect([session, s], { depth: 12, showHidden: true, maxArrayLength: 1000 });
    assert.ok(shown.length > 1000);
    for (const line of r.keylog.trim().split('\n')) {
      const secret = Buffer.from(line.split(' ')[2]!, 'hex');
      const start = secret.subarray(0, 6);
      assert.ok(!shown.includes([...start].map((v) => v.toString(16).padStart(2, '0')).join(' ')));
      assert.ok(!shown.replace(/\s+/g, ' ').includes([...start].join(', ')));
      assert.ok(!shown.includes(start.toString('hex')));
    }
  }
});
