import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as tls from 'node:tls';
import { follow, type PairOptions, record, services, type Talk, testCertificate, wholeRecords } from './pair.js';

/** Every suite that OpenSSL negotiates here, in every version that it has it in, is decrypted. */

const SECLEVEL0 = '@SECLEVEL=0';
const OPENINGS = [
  ...['AES128-GCM-SHA256', 'AES256-GCM-SHA384', 'ARIA128-GCM-SHA256', 'ARIA256-GCM-SHA384', 'CHACHA20-POLY1305'],
  ...['AES128-CCM', 'AES256-CCM', 'AES128-CCM8', 'AES256-CCM8'],
  ...['AES128-SHA256', 'AES256-SHA256', 'AES256-SHA384', 'AES128-CBC-SHA256', 'AES256-CBC-SHA384'],
  ...['CAMELLIA128-SHA256', 'CAMELLIA256-SHA256', 'CAMELLIA256-SHA384', 'NULL-SHA256', 'NULL-SHA384'],
];
/** Those that TLS 1.0 has too. */
const OLD_OPENINGS = [
  ...['AES128-SHA', 'AES256-SHA', 'AES128-CBC-SHA', 'AES256-CBC-SHA', 'CAMELLIA128-SHA', 'CAMELLIA256-SHA'],
  ...['NULL-SHA', 'NULL-MD5', 'RC4-SHA', 'RC4-MD5', 'DES-CBC3-SHA', '3DES-EDE-CBC-SHA', 'DES-CBC-SHA', 'SEED-SHA'],
];
const EXCHANGES = [
  '',
  'ECDHE-RSA-',
  'ECDHE-ECDSA-',
  'ECDHE-',
  'DHE-RSA-',
  'ADH-',
  'AECDH-',
  'PSK-',
  'DHE-PSK-',
  'ECDHE-PSK-',
  'RSA-PSK-',
];

const offered = (names: readonly string[]): string[] =>
  names.flatMap((name) =>
    EXCHANGES.map((exchange) => exchange + name).filter((suite) => {
      try {
        tls.createSecureContext({ ciphers: `${suite}:${SECLEVEL0}`, minVersion: 'TLSv1' });
        return true;
      } catch {
        return false; // OpenSSL was built without it, or it does not exist
      }
    }),
  );

/** Records of lengths that matter to block ciphers and batches. */
async function talk({ send }: Talk): Promise<void> {
  for (const n of [1, 15, 16, 31, 64, 1000]) for (const d of [0, 1] as const) await send(d, Buffer.alloc(n, n));
  await send(0, Buffer.alloc(20_000, 1));
  for (let i = 0; i < 12; i++) await send((i & 1) as 0 | 1, Buffer.alloc(20 + i, i));
}

function options(suite: string, version: tls.SecureVersion): PairOptions {
  const ciphers = `${suite}:${SECLEVEL0}`;
  const versions = { minVersion: version, maxVersion: version };
  const psk = Buffer.alloc(16, 7);
  const keyed = suite.includes('PSK');
  return {
    kind: suite.includes('ECDSA') ? 'ec' : 'rsa',
    talk,
    client: {
      ...versions,
      ciphers,
      ...(keyed && { pskCallback: () => ({ psk, identity: 'ue' }), checkServerIdentity: () => undefined }),
    },
    server: { ...versions, ciphers, dhparam: 'auto', ...(keyed && { pskCallback: () => psk }) },
  };
}

async function decrypts(suite: string, version: tls.SecureVersion): Promise<void> {
  const r = await record(options(suite, version));
  assert.equal(r.protocol, version);
  const { session, data } = follow(wholeRecords(r.segments), { services: services(r.keylog), flushEvery: 20 });
  for (const d of [0, 1] as const) {
    assert.ok(data[d].equals(r.sent[d]), `${suite} ${version}, direction ${d}: ${session.verdict(d).reason}`);
    assert.equal(session.verdict(d).verdict, 'full');
    assert.equal(session.finished[d]?.valid, true);
  }
  if (/^(AES|CAMELLIA|ARIA|NULL|RC4|DES|SEED)/.test(suite)) {
    // The key exchange is RSA: the private key of the server opens it.
    const s = services('');
    assert.equal(s.keys.addPrivateKey(testCertificate('rsa').key), undefined);
    const opened = follow(wholeRecords(r.segments), { services: s });
    for (const d of [0, 1] as const) assert.ok(opened.data[d].equals(r.sent[d]), `${suite} ${version}: private key`);
    assert.equal(opened.session.verdict(0).source, 'rsa');
  }
}

test('a suite without encryption is read without keys, and not called verified', async () => {
  for (const suite of ['NULL-SHA', 'ECDHE-RSA-NULL-SHA', 'NULL-SHA256'].filter((s) => offered([s]).includes(s))) {
    const r = await record(options(suite, 'TLSv1.2'));
    const { session, data, records } = follow(wholeRecords(r.segments), { services: services('') });
    for (const d of [0, 1] as const) {
      assert.ok(data[d].equals(r.sent[d]), `${suite}, direction ${d}`);
      assert.equal(session.verdict(d).verified, 0);
      assert.equal(session.verdict(d).source, undefined);
    }
    assert.ok(records.every((x) => x.status === 'clear' || !x.verified));
  }
});

describe('suites of OpenSSL', () => {
  const suites = offered(OPENINGS);
  const old = offered(OLD_OPENINGS);
  test(`TLS 1.2: ${suites.length + old.length} suites`, async () => {
    assert.ok(suites.length + old.length > 60);
    for (const suite of [...suites, ...old]) await decrypts(suite, 'TLSv1.2');
  });
  for (const version of ['TLSv1.1', 'TLSv1'] as const)
    test(`${version}: ${old.length} suites`, async () => {
      for (const suite of old) await decrypts(suite, version);
    });
});
