import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cipherSuite, cipherSuiteName, isGrease } from '../../../dissectors/tls/ciphersuites.js';

/** id, name, kx, auth, kind, mac, prf, key, fixed IV, record IV, tag, MAC: from the RFC named beside each. */
const ROWS: readonly (readonly (string | number)[])[] = [
  [0x0004, 'TLS_RSA_WITH_RC4_128_MD5', 'RSA', 'RSA', 'stream', 'md5', 'sha256', 16, 0, 0, 0, 16], // RFC 5246 §C
  [0x000a, 'TLS_RSA_WITH_3DES_EDE_CBC_SHA', 'RSA', 'RSA', 'cbc', 'sha1', 'sha256', 24, 0, 8, 0, 20], // RFC 5246 §C
  [0x0033, 'TLS_DHE_RSA_WITH_AES_128_CBC_SHA', 'DHE', 'RSA', 'cbc', 'sha1', 'sha256', 16, 0, 16, 0, 20], // RFC 5246 §C
  [0x003b, 'TLS_RSA_WITH_NULL_SHA256', 'RSA', 'RSA', 'null', 'sha256', 'sha256', 0, 0, 0, 0, 32], // RFC 5246 §C
  [0x006d, 'TLS_DH_anon_WITH_AES_256_CBC_SHA256', 'DH', 'anon', 'cbc', 'sha256', 'sha256', 32, 0, 16, 0, 32],
  [0x009d, 'TLS_RSA_WITH_AES_256_GCM_SHA384', 'RSA', 'RSA', 'gcm', '', 'sha384', 32, 4, 8, 16, 0], // RFC 5288 §3
  [0x00ab, 'TLS_DHE_PSK_WITH_AES_256_GCM_SHA384', 'DHE_PSK', 'PSK', 'gcm', '', 'sha384', 32, 4, 8, 16, 0], // RFC 5487
  [0xc024, 'TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384', 'ECDHE', 'ECDSA', 'cbc', 'sha384', 'sha384', 32, 0, 16, 0, 48],
  [0xc02f, 'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256', 'ECDHE', 'RSA', 'gcm', '', 'sha256', 16, 4, 8, 16, 0], // RFC 5289
  [0xc061, 'TLS_ECDHE_RSA_WITH_ARIA_256_GCM_SHA384', 'ECDHE', 'RSA', 'gcm', '', 'sha384', 32, 4, 8, 16, 0], // RFC 6209
  [0xc09e, 'TLS_DHE_RSA_WITH_AES_128_CCM', 'DHE', 'RSA', 'ccm', '', 'sha256', 16, 4, 8, 16, 0], // RFC 6655 §3
  [0xc0aa, 'TLS_PSK_DHE_WITH_AES_128_CCM_8', 'DHE_PSK', 'PSK', 'ccm8', '', 'sha256', 16, 4, 8, 8, 0], // RFC 6655 §4
  [0xcca8, 'TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256', 'ECDHE', 'RSA', 'chacha', '', 'sha256', 32, 12, 0, 16, 0],
  [0x1301, 'TLS_AES_128_GCM_SHA256', 'any', 'any', 'gcm', '', 'sha256', 16, 12, 0, 16, 0], // RFC 8446 §B.4
  [0x1303, 'TLS_CHACHA20_POLY1305_SHA256', 'any', 'any', 'chacha', '', 'sha256', 32, 12, 0, 16, 0], // RFC 8446 §B.4
  [0x1305, 'TLS_AES_128_CCM_8_SHA256', 'any', 'any', 'ccm8', '', 'sha256', 16, 12, 0, 8, 0], // RFC 8446 §B.4
];

test('suites have the parameters of their RFC', () => {
  for (const [id, name, kx, auth, kind, mac, prf, key, fixedIv, recordIv, tag, macLength] of ROWS) {
    const s = cipherSuite(id as number)!;
    const got = [
      s.name,
      s.kx,
      s.auth,
      s.kind,
      s.mac,
      s.prf,
      s.keyLength,
      s.fixedIv,
      s.recordIv,
      s.tagLength,
      s.macLength,
    ];
    assert.deepEqual(got, [name, kx, auth, kind, mac, prf, key, fixedIv, recordIv, tag, macLength], String(name));
  }
});

test('export suites, suites of TLS 1.3 and unsupported ciphers are told', () => {
  assert.equal(cipherSuite(0x0008)!.exportable, true);
  assert.equal(cipherSuite(0x1302)!.tls13, true);
  assert.equal(cipherSuite(0xc02f)!.tls13, false);
  assert.equal(cipherSuite(0xc100)!.kind, 'other');
  assert.equal(cipherSuite(0xcc13)!.kind, 'other');
});

test('signalling values, GREASE and unknown numbers are no suites', () => {
  for (const id of [0x00ff, 0x5600, 0x0a0a, 0xfdfd]) assert.equal(cipherSuite(id), undefined);
  assert.equal(cipherSuiteName(0x00ff), 'TLS_EMPTY_RENEGOTIATION_INFO_SCSV');
  assert.equal(cipherSuiteName(0xdada), 'Reserved (GREASE)');
  assert.equal(isGrease(0x0a1a), false);
});

test('every suite that can be opened has a key length that fits its name', () => {
  let found = 0;
  for (let id = 0; id <= 0xffff; id++) {
    const s = cipherSuite(id);
    if (s === undefined || s.kind === 'null' || s.kind === 'other') continue;
    found++;
    const bits = /_(128|256)(?=_|$)/.exec(s.cipher)?.[1];
    if (bits !== undefined) assert.equal(s.keyLength * 8, Number(bits), s.name);
    assert.ok(s.keyLength > 0, s.name);
    assert.ok(s.tagLength > 0 !== s.macLength > 0, s.name);
  }
  assert.ok(found > 200, `${found} suites`);
});
