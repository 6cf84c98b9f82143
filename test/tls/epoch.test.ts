import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { asSaid, Words } from '../../src/kit/index.js';
import { Arena } from '../../src/tls/arena.js';
import { Bulk } from '../../src/tls/bulk.js';
import { Epoch } from '../../src/tls/epoch.js';
import { TlsRecord } from '../../src/tls/index.js';
import { Secret } from '../../src/tls/secret.js';
import { openable, suitesBySecret } from '../../src/tls/suites.js';
import { Sealer, SUITES_13 } from './maker.js';

const asRecord = (b: Uint8Array): TlsRecord => new TlsRecord(0, 1, b[0]!, 0x0303, b, 0, b.length);

describe('keys of one direction', () => {
  test('batches and single records give the same content, whatever the lengths, padding and types', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...SUITES_13),
        fc.array(
          fc.record({
            n: fc.oneof(fc.nat(80), fc.nat(2500), fc.nat(9000)),
            type: fc.constantFrom(21, 22, 23),
            padding: fc.oneof(fc.constant(0), fc.nat(300)),
          }),
          { maxLength: 40 },
        ),
        fc.nat(1000),
        (suite, list, first) => {
          const secret = randomBytes(suite.secret);
          const sealer = new Sealer(suite, secret);
          sealer.skip(first);
          const contents = list.map((l) => randomBytes(l.n));
          const queue = list.map((l, i) => asRecord(sealer.seal(contents[i]!, l.type, l.padding)));
          const how = openable(suite.id, 0x0304);
          assert.ok(!(how instanceof Words));
          const epoch = Epoch.of13(how, new Secret(secret), 'application', 'option');
          const batch = { epoch, queue, from: 0, to: queue.length, base: first };
          assert.equal(new Bulk().open(batch, new Arena()), queue.length);
          for (const [i, r] of queue.entries()) {
            const p = r.plain!;
            assert.deepEqual(Buffer.from(p.buf.slice(p.off, p.end)), contents[i]);
            assert.equal(r.contentType, list[i]!.type);
            assert.equal(r.verified, false);
            assert.equal(r.sequence, first + i);
            assert.equal(epoch.open(r, first + i), true);
            assert.deepEqual(Buffer.from(r.plain!.buf.slice(r.plain!.off, r.plain!.end)), contents[i]);
            assert.equal(epoch.open(r, first + i + 1), false);
          }
        },
      ),
      { numRuns: 40 },
    );
  });

  test('GCM of our own opens what OpenSSL sealed, and only that', () => {
    for (const [i, block] of [
      [0, 'aes-128'],
      [1, 'aes-256'],
    ] as const) {
      const suite = SUITES_13[i]!;
      const native = openable(suite.id, 0x0304);
      assert.ok(!(native instanceof Words) && native.block === block);
      const secret = randomBytes(suite.secret);
      const epoch = Epoch.of13({ ...native, opening: 'gcm-own' }, new Secret(secret), 'application', 'option');
      const sealer = new Sealer(suite, secret);
      for (const n of [0, 1, 15, 16, 17, 100]) {
        const content = randomBytes(n);
        const sealed = sealer.seal(content);
        const r = asRecord(sealed);
        assert.equal(epoch.open(r, epoch.sequence++), true);
        assert.deepEqual(Buffer.from(r.plain!.buf.slice(r.plain!.off, r.plain!.end)), content);
        sealed[sealed.length - 1]! ^= 1;
        assert.equal(epoch.open(asRecord(sealed), epoch.sequence - 1), false);
      }
    }
  });

  test('what cannot be opened is named', () => {
    const why = (id: number, version: number): string => {
      const how = openable(id, version);
      assert.ok(how instanceof Words);
      return asSaid(how);
    };
    assert.equal(why(0x0003, 0x0303), 'The cipher suite TLS_RSA_EXPORT_WITH_RC4_40_MD5 is not supported.');
    assert.equal(why(0xeeee, 0x0303), 'The cipher suite 0xeeee is not known.');
    assert.equal(why(0x002f, 0x0300), 'SSL 3.0 is not decrypted.');
    assert.match(why(0x1301, 0x0303), /does not belong to the version/);
    assert.deepEqual(
      suitesBySecret(32).map((h) => h.suite.id),
      [0x1301, 0x1303, 0x1304, 0x1305],
    );
    assert.deepEqual(
      suitesBySecret(48).map((h) => h.suite.id),
      [0x1302],
    );
  });
});
