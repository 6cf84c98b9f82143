import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chacha20 } from '../../src/tls/chacha.js';
import { block, ghash, inverse, multiply, power } from '../../src/tls/ghash.js';
import { Rc4 } from '../../src/tls/rc4.js';
import { finished13, hkdfExpandLabel, keyBlock, nextTrafficSecret, prf, trafficKeys } from '../../src/tls/schedule.js';

const bytes = (s: string): Buffer => Buffer.from(s.replace(/\s/g, ''), 'hex');
const asHex = (b: Uint8Array): string => Buffer.from(b).toString('hex');

test('PRF of TLS 1.2 gives the vectors published on the IETF TLS list', () => {
  const out256 = prf(
    'sha256',
    bytes('9bbe436ba940f017b17652849a71db35'),
    'test label',
    bytes('a0ba9f936cda311827a6f796ffd5198c'),
    100,
  );
  assert.equal(
    asHex(out256),
    'e3f229ba727be17b8d122620557cd453c2aab21d07c3d495329b52d4e61edb5a6b301791e90d35c9c9a46b4e14baf9af0fa022f7' +
      '077def17abfd3797c0564bab4fbc91666e9def9b97fce34f796789baa48082d122ee42c5a72e5a5110fff70187347b66',
  );
  const out384 = prf(
    'sha384',
    bytes('b80b733d6ceefcdc71566ea48e5567df'),
    'test label',
    bytes('cd665cf6a8447dd6ff8b27555edb7465'),
    48,
  );
  assert.equal(
    asHex(out384),
    '7b0c18e9ced410ed1804f2cfa34a336a1c14dffb4900bb5fd7942107e81c83cde9ca0faa60be9fe34f82b1233c9146a0',
  );
});

test('the key block is cut in the order of RFC 5246 §6.3', () => {
  const [c, s] = keyBlock('sha256', new Uint8Array(48), new Uint8Array(32), new Uint8Array(32), {
    mac: 20,
    key: 16,
    iv: 4,
  });
  const whole = prf('sha256', new Uint8Array(48), 'key expansion', new Uint8Array(64), 80);
  const parts = [c.mac, s.mac, c.key, s.key, c.iv, s.iv];
  assert.equal(parts.map(asHex).join(''), asHex(whole));
});

test('HKDF and traffic keys give the values of RFC 8448 §3', () => {
  const secret = bytes('b67b7d690cc16c4e75e54213cb2d37b4e9c912bcded9105d42befd59d391ad38');
  const keys = trafficKeys('sha256', secret, 16);
  assert.equal(asHex(keys.key), '3fce516009c21727d0f2e4e86ee403bc');
  assert.equal(asHex(keys.iv), '5d313eb2671276ee13000b30');
  assert.equal(
    asHex(hkdfExpandLabel('sha256', secret, 'finished', new Uint8Array(0), 32)),
    '008d3b66f816ea559f96b537e885c31fc068bf492c652f01f288a1d8cdc19fc8',
  );
  const transcript = bytes('edb7725fa7a3473b031ec8ef65a2485493900138a2b91291407d7951a06110ed');
  assert.equal(
    asHex(finished13('sha256', secret, transcript)),
    '9b9b141d906337fbd2cbdce71df4deda4ab42c309572cb7fffee5454b78f0718',
  );
  assert.equal(nextTrafficSecret('sha256', secret).length, 32);
});

test('ChaCha20 gives the ciphertext of RFC 8439 §2.4.2', () => {
  const key = new Int32Array(Uint8Array.from({ length: 32 }, (_, i) => i).buffer);
  const text = Buffer.from(
    "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.",
  );
  const data = new Uint8Array(128);
  data.set(text);
  chacha20(
    key,
    0,
    0x4a000000,
    0,
    1, // nonce 00000000 0000004a 00000000
    new Int32Array(data.buffer),
    0,
    2,
  );
  assert.equal(
    asHex(data.subarray(0, text.length)),
    '6e2e359a2568f98041ba0728dd0d6981e97e7aec1d4360c20a27afccfd9fae0bf91b65c5524733ab8f593dabcd62b3571639d624' +
      'e65152ab8f530c359f0861d807ca0dbf500d6a6156a38e088a22b65e52bc514d16ccf806818ce91ab77937365af90bbf74a35be6' +
      'b40b8eedf2785e42874d',
  );
});

test('RC4 gives the keystream of RFC 6229 §2', () => {
  const stream = Rc4.of(bytes('0102030405'));
  const copy = stream.clone();
  const first = Uint8Array.from({ length: 16 }, () => stream.next());
  assert.equal(asHex(first), 'b2396305f03dc027ccc3524a0a1118a8');
  assert.equal(copy.next(), 0xb2);
});

test('GHASH gives the value of test case 2 of the GCM specification, and division undoes multiplication', () => {
  const h = block(bytes('66e94bd4ef8a2c3b884cfa59ca342b2e'), 0, 16);
  const c = bytes('0388dace60b6a392f328c2b971b2fe78');
  assert.equal(ghash(h, 0n, 0, c, 0, 16).toString(16), 'f38cbb1ad69223dcc3457ae5b6b0f885');
  const x = block(c, 0, 16);
  assert.equal(multiply(multiply(x, power(h, 5n)), inverse(power(h, 5n))), x);
});
