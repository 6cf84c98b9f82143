import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { akaPassword, type DigestInput, digestAlgorithm, digestResponse } from '../../src/crypto/digest.js';
import { f2345 } from '../../src/crypto/milenage.js';

const octets = (s: string): Uint8Array => Uint8Array.from(Buffer.from(s, 'hex'));

suite('Digest', () => {
  /** RFC 7616 §3.9.1. */
  const mufasa: DigestInput = {
    username: 'Mufasa',
    realm: 'http-auth@example.org',
    password: 'Circle of Life',
    method: 'GET',
    uri: '/dir/index.html',
    nonce: '7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v',
    nc: '00000001',
    cnonce: 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ',
    qop: 'auth',
  };
  test('with MD5 and SHA-256 as in RFC 7616 §3.9.1', () => {
    assert.equal(digestResponse({ ...mufasa, algorithm: 'MD5' }), '8ca523f5e9506fed4657c9700eebdbec');
    assert.equal(
      digestResponse({ ...mufasa, algorithm: 'SHA-256' }),
      '753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1',
    );
  });

  test('without an algorithm as in RFC 2617 §3.5', () => {
    const response = digestResponse({
      username: 'Mufasa',
      realm: 'testrealm@host.com',
      password: 'Circle Of Life',
      method: 'GET',
      uri: '/dir/index.html',
      nonce: 'dcd98b7102dd2f0e8b11d0f600bfb0c093',
      nc: '00000001',
      cnonce: '0a4f113b',
      qop: 'auth',
    });
    assert.equal(response, '6629fae49393a05397450978507c4ef1');
  });

  test('what is unknown gives nothing', () => {
    assert.equal(digestResponse({ ...mufasa, algorithm: 'ROT13' }), undefined);
    assert.equal(digestResponse({ ...mufasa, qop: 'auth-conf' }), undefined);
    assert.equal(akaPassword('MD5', { res: octets('00'), ik: octets('00'), ck: octets('00') }), undefined);
    assert.deepEqual(digestAlgorithm('akav2-md5'), { hash: 'md5', session: false, aka: 2 });
    assert.deepEqual(digestAlgorithm('SHA-512-256-sess'), { hash: 'sha512-256', session: true, aka: 0 });
  });
});

suite('AKA', () => {
  /** Test set 1 of TS 35.208. */
  const vector = f2345(
    octets('465b5ce8b199b49faa5f0a2ee238a6bc'),
    octets('cd63cb71954a9f4e48a5994e37a02baf'),
    octets('23553cbe9637a89d218ae64dae47bf35'),
  );
  const register: Omit<DigestInput, 'password'> = {
    username: 'user1_private@ims.example',
    realm: 'ims.example',
    method: 'REGISTER',
    uri: 'sip:ims.example',
    nonce: 'I1U8vpY3qJ0hiuZNrke/NVXzKLQ1d7m5Sp/6w1Tfr7M=',
    nc: '00000001',
    cnonce: '0a4f113b',
    qop: 'auth',
  };
  /** Responses computed outside of this project, by the rules of RFC 3310 §3.3 and RFC 4169 §2.1. */
  test('version 1 takes RES as the password', () => {
    const password = akaPassword('AKAv1-MD5', vector)!;
    assert.equal(digestResponse({ ...register, algorithm: 'AKAv1-MD5', password }), '83f00f55018c4c8de818c63320103649');
  });
  test('version 2 takes a hash with the keys', () => {
    const password = akaPassword('AKAv2-MD5', vector)!;
    assert.equal(Buffer.from(password).toString('latin1'), 'shzt3q8CWaZnCAWqs3WmEQ==');
    assert.equal(digestResponse({ ...register, algorithm: 'AKAv2-MD5', password }), '272fc5546d847aedac550e5e273891a9');
  });
});
