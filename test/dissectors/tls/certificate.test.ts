import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Der, derTime, integer, integerBits, objectId } from '../../../dissectors/tls/der.js';
import { certificateSummary } from '../../../dissectors/tls/index.js';
import { ascii, CLEAR, dissect, fromHex, handshake, messagesOf, record, valuesOf, vector } from './octets.js';

/** Made with `openssl req -new -x509`; the values expected below are those that `openssl x509 -text` prints. */
const CERTIFICATE = Uint8Array.from(
  Buffer.from(
    'MIICPjCCAeOgAwIBAgIIEjRWeJCrze8wCgYIKoZIzj0EAwIwPjELMAkGA1UEBhMCU0UxGDAWBgNVBAoMD0V4ZW1wZWwgVMOlZyBBQjEV' +
      'MBMGA1UEAwwMZWZ0Zi5leGFtcGxlMCAXDTI2MTEyMTA0NDgyOFoYDzIwNTIxMTI0MDQ0ODI4WjA+MQswCQYDVQQGEwJTRTEYMBYGA1UE' +
      'CgwPRXhlbXBlbCBUw6VnIEFCMRUwEwYDVQQDDAxlZnRmLmV4YW1wbGUwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAQtmB0fZhrIFi4x' +
      'UR7FUbFc1HLoA3f0TM9o4ZQpaVkD2i4aziXj3HgIVmCZNZPWJ8XUqdbwusbkGsCkzjktWsnbo4HIMIHFMBIGA1UdEwEB/wQIMAYBAf8C' +
      'AQEwDgYDVR0PAQH/BAQDAgKEMB0GA1UdJQQWMBQGCCsGAQUFBwMBBggrBgEFBQcDAjBhBgNVHREEWjBYggxlZnRmLmV4YW1wbGWCDiou' +
      'ZWZ0Zi5leGFtcGxlhwTAAAIBhxAgAQ24AAAAAAAAAAAAAAABhhBzaXA6ZWZ0Zi5leGFtcGxlgQ5hQGVmdGYuZXhhbXBsZTAdBgNVHQ4E' +
      'FgQUkBdJ1mqDDpRfXmbTdJybPIKb/5MwCgYIKoZIzj0EAwIDSQAwRgIhAK95roqZHHKVNYcsrWMthBabWsfv0aZuEUHfsrd8uyFzAiEA' +
      'sReGgiPdH9PmKiFOgXwgXUcMhO56RGLh5OrJaQbthxE=',
    'base64',
  ),
);

/** One that constrains names and policies, signed with RSASSA-PSS; made with `openssl req -x509`, too. */
const CONSTRAINED = Uint8Array.from(
  Buffer.from(
    'MIIC6jCCAh+gAwIBAgIUJPc4S4tL5EQNAGtlEGvLCUi+j0MwQQYJKoZIhvcNAQEKMDSgDzANBglghkgBZQMEAgEFAKEcMBoGCSqGSIb3DQEB' +
      'CDANBglghkgBZQMEAgEFAKIDAgEgMBUxEzARBgNVBAMMCmNhLmV4YW1wbGUwIBcNMjYxMTIzMjE0NzQxWhgPMjA1MTA3MTUyMTQ3NDFaMBUx' +
      'EzARBgNVBAMMCmNhLmV4YW1wbGUwgZ8wDQYJKoZIhvcNAQEBBQADgY0AMIGJAoGBAMJZk+3+z+QO0QZxmFi4yYUsqMNgrxCnECmMCGe0/gVM' +
      'dvjM9YMsI3z1ZKGqLoXyURD2d6OF12NeKbaT0ziPZN2AsBjrbl2aYo5YmUfMucXiqzA68FxZiejMKO3KWLf4uEeEG/EWEJ5TBDIW75rOmZKM' +
      'qJtJi3xbKYxchZnRzTB5AgMBAAGjgcwwgckwJQYDVR0RBB4wHKAaBgorBgEEAYI3FAIDoAwMCnVlQGV4YW1wbGUwPAYDVR0gBDUwMzAxBgMr' +
      'BQgwKjAoBggrBgEFBQcCAjAcMA0aA09yZzAGAgEBAgECDAtOb3RpY2UgdGV4dDAkBgNVHR4EHTAboAswCYIHZXhhbXBsZaEMMAqHCAoAAAD/' +
      'AAAAMA8GA1UdJAQIMAaAAQOBAQIwCgYDVR02BAMCAQIwEQYIKwYBBQUHARgEBTADAgEFMAwGA1UdEwQFMAMBAf8wQQYJKoZIhvcNAQEKMDSg' +
      'DzANBglghkgBZQMEAgEFAKEcMBoGCSqGSIb3DQEBCDANBglghkgBZQMEAgEFAKIDAgEgA4GBALibYQ9b2IWNE1e4BR6224jvrwDUiqJf/nHq' +
      'fSGMzRtqMlmgxQt+RMb9tFglGgI/smJlJVF4kpP/z/SfmJJDcjvdET4Bm2eHEsmV59lO9ptSuTtiEuY2Jyv/uKONyJ4FkNi534yF3tctAmt0' +
      'k3fRggQ7GYD6sswI/kxedZeAaEAc',
    'base64',
  ),
);

/** A record with the messages given, dissected. */
function inClear(...messages: Uint8Array[]) {
  const b = record(22, 0x0303, ...messages);
  return dissect(b, { ...CLEAR, handshake: messagesOf(b) });
}

test('a summary says what openssl says', () => {
  assert.deepEqual(certificateSummary(CERTIFICATE), {
    subject: 'C=SE, O=Exempel Tåg AB, CN=eftf.example',
    issuer: 'C=SE, O=Exempel Tåg AB, CN=eftf.example',
    notBefore: 1795236508,
    notAfter: 2616036508,
    names: ['eftf.example', '*.eftf.example', '192.0.2.1', '2001:db8::1', 'sip:eftf.example', 'a@eftf.example'],
    signatureAlgorithm: 'ecdsa-with-SHA256',
    keyAlgorithm: 'id-ecPublicKey',
    keyBits: 256,
    selfIssued: true,
  });
});

test('what is no certificate has no summary', () => {
  for (let n = 0; n < CERTIFICATE.length; n++) assert.equal(certificateSummary(CERTIFICATE.subarray(0, n)), undefined);
  assert.equal(certificateSummary(fromHex('30053084ffffff')), undefined);
});

test('the tree has the fields of Wireshark', () => {
  const d = inClear(handshake(11, vector(3, vector(3, CERTIFICATE))));
  assert.equal(d.stopped, undefined);
  assert.deepEqual(d.experts, []);
  assert.deepEqual(valuesOf(d, 'x509af.utcTime'), ['2026-11-21 04:48:28 (UTC)']);
  assert.deepEqual(valuesOf(d, 'x509af.generalizedTime'), ['2616036508']);
  assert.deepEqual(valuesOf(d, 'x509sat.CountryName'), ['SE', 'SE']);
  assert.deepEqual(valuesOf(d, 'x509sat.uTF8String').slice(0, 2), ['Exempel Tåg AB', 'eftf.example']);
  assert.deepEqual(valuesOf(d, 'x509ce.dNSName'), ['eftf.example', '*.eftf.example']);
  assert.deepEqual(valuesOf(d, 'x509ce.IPAddress.ipv4'), ['c0:00:02:01']);
  assert.deepEqual(valuesOf(d, 'x509ce.IPAddress.ipv6'), ['20:01:0d:b8:00:00:00:00:00:00:00:00:00:00:00:01']);
  assert.deepEqual(valuesOf(d, 'x509ce.KeyPurposeId'), ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2']);
  assert.deepEqual(valuesOf(d, 'x509ce.pathLenConstraint'), ['1']);
  assert.deepEqual(valuesOf(d, 'x509ce.KeyUsage.keyCertSign'), ['1']);
  assert.deepEqual(valuesOf(d, 'x509ce.KeyUsage.cRLSign'), ['0']);
  assert.deepEqual(valuesOf(d, 'pkcs1.namedCurve'), ['1.2.840.10045.3.1.7']);
  assert.deepEqual(valuesOf(d, 'x509ce.SubjectKeyIdentifier'), [
    '90:17:49:d6:6a:83:0e:94:5f:5e:66:d3:74:9c:9b:3c:82:9b:ff:93',
  ]);
});

test('constraints, notices and parameters of signatures have the fields of Wireshark', () => {
  const d = inClear(handshake(11, vector(3, vector(3, CONSTRAINED))));
  assert.deepEqual(d.experts, []);
  const pss = ['1.2.840.113549.1.1.10', '2.16.840.1.101.3.4.2.1', '1.2.840.113549.1.1.8', '2.16.840.1.101.3.4.2.1'];
  assert.deepEqual(valuesOf(d, 'x509af.algorithm.id'), [...pss, '1.2.840.113549.1.1.1', ...pss]);
  assert.deepEqual(valuesOf(d, 'pkcs1.saltLength'), ['32', '32']);
  assert.deepEqual(valuesOf(d, 'x509ce.type_id'), ['1.3.6.1.4.1.311.20.2.3']);
  assert.deepEqual(valuesOf(d, 'x509sat.UTF8String'), ['ue@example']);
  assert.deepEqual(valuesOf(d, 'pkix1implicit.visibleString'), ['Org']);
  assert.deepEqual(valuesOf(d, 'pkix1implicit.noticeNumbers_item'), ['1', '2']);
  assert.deepEqual(valuesOf(d, 'pkix1implicit.utf8String'), ['Notice text']);
  assert.deepEqual(valuesOf(d, 'x509ce.base'), ['2', '7']);
  assert.deepEqual(valuesOf(d, 'x509ce.dNSName'), ['example']);
  assert.deepEqual(valuesOf(d, 'x509ce.iPAddress'), ['0a:00:00:00:ff:00:00:00']); // tshark shows none of eight octets
  assert.deepEqual(valuesOf(d, 'x509ce.requireExplicitPolicy'), ['3']);
  assert.deepEqual(valuesOf(d, 'x509ce.inhibitPolicyMapping'), ['2']);
  assert.deepEqual(valuesOf(d, 'x509ce.SkipCerts'), ['2']);
  assert.deepEqual(valuesOf(d, 'pkix1explicit.Features_item'), ['5']);
});

test('a broken certificate does not hide the one after it', () => {
  const broken = CERTIFICATE.slice();
  broken[300] ^= 0xff; // inside the key
  broken[4] = 0x04;
  const d = inClear(handshake(11, vector(3, vector(3, broken), vector(3, CERTIFICATE))));
  assert.deepEqual(d.experts, ['x509.malformed']);
  assert.deepEqual(valuesOf(d, 'x509ce.dNSName'), ['eftf.example', '*.eftf.example']);
});

test('changed octets of a certificate never break out', () => {
  const any = fc.constantFrom(CERTIFICATE, CONSTRAINED);
  fc.assert(
    fc.property(any, fc.nat(), fc.nat(255), fc.nat(), (certificate, at, value, also) => {
      const b = certificate.slice();
      b[at % b.length] = value;
      b[also % b.length] ^= 0x80;
      certificateSummary(b);
      const d = inClear(handshake(11, vector(3, vector(3, b))), handshake(14));
      assert.equal(d.stopped, undefined);
      assert.ok(valuesOf(d, 'tls.handshake.type').includes('14'));
    }),
    { numRuns: 1000 },
  );
});

test('elements stay inside what contains them', () => {
  assert.throws(() => new Der(fromHex('3080'), 0, 2).next(), /definite/);
  assert.throws(() => new Der(fromHex('300500'), 0, 3).next(), /element of 5 octets in 1/);
  assert.throws(() => new Der(fromHex('3f0100'), 0, 3).next(), /tag numbers/);
  assert.throws(() => new Der(fromHex('3084ffff'), 0, 4).next(), /cut short/);
  assert.deepEqual(new Der(fromHex('308103010203'), 0, 6).next(), { tag: 0x30, at: 0, off: 3, end: 6 });
});

test('numbers, identifiers and times read as X.690 has them', () => {
  const element = (tag: number, b: Uint8Array) => ({ tag, at: 0, off: 0, end: b.length });
  const of = (s: string) => integer(fromHex(s), element(2, fromHex(s)));
  assert.deepEqual(
    [of('00'), of('7f'), of('0080'), of('80'), of('ff7f'), of('010001')],
    [0, 127, 128, -128, -129, 65537],
  );
  const bits = (s: string) => integerBits(fromHex(s), element(2, fromHex(s)));
  assert.deepEqual([bits('00'), bits('01'), bits('00ff'), bits('008000')], [0, 1, 8, 16]);
  const oid = (s: string) => objectId(fromHex(s), 0, fromHex(s).length);
  assert.equal(oid('2a864886f70d01010b'), '1.2.840.113549.1.1.11');
  assert.equal(oid('551d11'), '2.5.29.17');
  assert.equal(oid('883703'), '2.999.3'); // X.690 §8.19.5
  const time = (tag: number, s: string) => derTime(ascii(s), element(tag, ascii(s)));
  assert.equal(time(0x17, '700101000001Z'), 1);
  assert.equal(time(0x17, '500101000000Z'), Date.UTC(1950, 0, 1) / 1000);
  assert.equal(time(0x18, '20491231235959Z'), Date.UTC(2049, 11, 31, 23, 59, 59) / 1000);
  assert.equal(time(0x17, '7001010100+0100'), 0);
  assert.ok(Number.isNaN(time(0x17, 'yesterday')));
});

test('what Wireshark does not read, and strings of a type that their attribute may not have, are noted', () => {
  const at = (hex: string) => Buffer.from(CERTIFICATE).indexOf(Buffer.from(hex, 'hex'));
  const other = Uint8Array.from(CERTIFICATE);
  other[at('060355040613') + 5] = 0x0c; // the country as UTF8String
  other[at('060355040a0c') + 4] = 97; // organizationIdentifier
  const { experts } = inClear(handshake(11, vector(3, vector(3, other))));
  assert.deepEqual(experts, ['x509.wrong-string-type', 'x509.unread-oid']);
});
