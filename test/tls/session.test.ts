import assert from 'node:assert/strict';
import { test } from 'node:test';
import { follow, type PairOptions, record, services, type Talk, testCertificate, wholeRecords } from './pair.js';

const SECLEVEL0 = '@SECLEVEL=0';

/** Records of many lengths, both ways. */
async function chat({ send }: Talk): Promise<void> {
  for (const n of [1, 15, 16, 17, 63, 64, 65, 200, 1400, 2100, 9000, 16384, 40000])
    for (const direction of [0, 1] as const) await send(direction, Buffer.alloc(n, n & 255));
  for (let i = 0; i < 150; i++) await send((i & 1) as 0 | 1, Buffer.alloc(20 + (i % 7) * 30, i));
}

async function decrypts(options: PairOptions, cipher: string): Promise<void> {
  const talk = { talk: chat, ...options };
  const recorded = await record(talk);
  assert.equal(recorded.cipher, cipher);
  for (const verifyAll of [false, true]) {
    const s = services(recorded.keylog, verifyAll);
    const { session, data, records } = follow(wholeRecords(recorded.segments), { services: s, flushEvery: 50 });
    for (const direction of [0, 1] as const) {
      assert.ok(data[direction].equals(recorded.sent[direction]), `direction ${direction}`);
      const v = session.verdict(direction);
      assert.equal(v.verdict, 'full', v.reason);
      assert.equal(v.failed, 0);
      assert.equal(v.source, 'option');
      if (verifyAll) assert.equal(v.verified, v.records);
      else assert.ok(v.verified >= 4 && v.verified <= v.records);
      assert.equal(session.finished[direction]?.valid, true);
    }
    assert.equal(session.sni, 'eftf.example');
    assert.deepEqual(Buffer.from(session.certificates[0]!), testCertificate(options.kind ?? 'rsa').der);
    assert.deepEqual(
      session.alerts.map((a) => a.description),
      [0, 0],
    );
    assert.ok(records.every((r) => r.status === 'open' || r.status === 'clear'));
  }
}

const CLIENT_12 = { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' } as const;
const SUITES_12: readonly [openssl: string, name: string, kind?: 'ec'][] = [
  ['ECDHE-RSA-AES128-GCM-SHA256', 'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256'],
  ['AES256-GCM-SHA384', 'TLS_RSA_WITH_AES_256_GCM_SHA384'],
  ['ECDHE-ECDSA-AES256-GCM-SHA384', 'TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384', 'ec'],
  ['ECDHE-RSA-CHACHA20-POLY1305', 'TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256'],
  ['AES128-CCM', 'TLS_RSA_WITH_AES_128_CCM'],
  ['AES256-CCM8', 'TLS_RSA_WITH_AES_256_CCM_8'],
  ['ECDHE-RSA-AES128-SHA', 'TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA'],
  ['ECDHE-RSA-AES128-SHA256', 'TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256'],
  ['ECDHE-RSA-AES256-SHA384', 'TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384'],
  ['CAMELLIA128-SHA256', 'TLS_RSA_WITH_CAMELLIA_128_CBC_SHA256'],
  ['ECDHE-ARIA128-GCM-SHA256', 'TLS_ECDHE_RSA_WITH_ARIA_128_GCM_SHA256'],
  ['NULL-SHA256', 'TLS_RSA_WITH_NULL_SHA256'],
];

for (const [openssl, name, kind] of SUITES_12)
  test(`TLS 1.2 ${name}`, async () => {
    const ciphers = `${openssl}:${SECLEVEL0}`;
    const options = { client: { ...CLIENT_12, ciphers }, server: { ciphers } };
    await decrypts(kind ? { ...options, kind } : options, name);
  });

for (const openssl of ['ECDHE-RSA-AES128-SHA', 'ECDHE-RSA-AES256-SHA384'])
  test(`TLS 1.2 ${openssl} with the MAC under the encryption`, async () => {
    const ciphers = `${openssl}:${SECLEVEL0}`;
    const secureOptions = 0x80000; // SSL_OP_NO_ENCRYPT_THEN_MAC
    const name = openssl.endsWith('384')
      ? 'TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384'
      : 'TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA';
    await decrypts({ client: { ...CLIENT_12, ciphers, secureOptions }, server: { ciphers, secureOptions } }, name);
  });

for (const version of ['TLSv1', 'TLSv1.1'] as const)
  test(`${version} with CBC`, async () => {
    const ciphers = `AES128-SHA:${SECLEVEL0}`;
    const versions = { minVersion: version, maxVersion: version };
    await decrypts(
      { client: { ...versions, ciphers }, server: { ...versions, ciphers }, talk: chat },
      'TLS_RSA_WITH_AES_128_CBC_SHA',
    );
  });

for (const name of [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'TLS_AES_128_CCM_SHA256',
  'TLS_AES_128_CCM_8_SHA256',
])
  test(`TLS 1.3 ${name}`, async () => {
    const ciphers = `${name}:AES128-GCM-SHA256:${SECLEVEL0}`;
    await decrypts({ client: { ciphers, minVersion: 'TLSv1.3' }, server: { ciphers } }, name);
  });
