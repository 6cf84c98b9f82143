import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  parseCertificateChain,
  parseClientHello,
  parseEncryptedExtensions,
  parseNewSessionTicket,
  parseServerHello,
  settledVersion,
} from '../../../dissectors/tls/hello.js';
import { ascii, clientHello, counting, extension, handshake, join, serverHello, vector } from './octets.js';

const HELLO = clientHello(
  extension(0, vector(2, [0], vector(2, ascii('eftf.example')))),
  extension(1, [2]),
  extension(4),
  extension(10, vector(2, '4a4a 001d 0017')),
  extension(16, vector(2, vector(1, ascii('h2')), vector(1, ascii('http/1.1')))),
  extension(22),
  extension(23),
  extension(28, '4001'),
  extension(35, 'deadbeef'),
  extension(43, vector(1, '7a7a 0304 0303')),
  extension(42),
  extension(0xfe0d, [0, 1, 2]),
  extension(0xff01, vector(1, '')),
  extension(
    41,
    vector(2, vector(2, 'c0ffee'), '00000001', vector(2, 'aa'), '00000002'),
    vector(2, vector(1, counting(1))),
  ),
);

test('a ClientHello gives what it offers', () => {
  const h = parseClientHello(HELLO, 0, HELLO.length)!;
  assert.equal(h.version, 0x0303);
  assert.deepEqual([...h.random], counting(0));
  assert.deepEqual([...h.sessionId], [0xa1, 0xa2, 0xa3, 0xa4]);
  assert.deepEqual(h.suites, [0x1301, 0xc02f, 0x0a0a, 0x00ff]);
  assert.deepEqual(h.compressions, [0]);
  assert.equal(h.sni, 'eftf.example');
  assert.deepEqual(h.alpn, ['h2', 'http/1.1']);
  assert.deepEqual(h.supportedVersions, [0x7a7a, 0x0304, 0x0303]);
  assert.deepEqual(h.groups, [0x4a4a, 29, 23]);
  assert.deepEqual([h.extendedMasterSecret, h.encryptThenMac, h.truncatedHmac, h.earlyData], [true, true, true, true]);
  assert.equal(h.maxFragmentLength, 2);
  assert.equal(h.recordSizeLimit, 0x4001);
  assert.deepEqual([...h.ticket!], [0xde, 0xad, 0xbe, 0xef]);
  assert.equal(h.renegotiationInfo!.length, 0);
  assert.equal(h.ech, 'outer');
  assert.deepEqual(
    h.pskIdentities.map((p) => [...HELLO.subarray(p.off, p.off + p.len)]),
    [[0xc0, 0xff, 0xee], [0xaa]],
  );
  assert.equal(h.extensions.length, 14);
});

test('a name whose end is not there is no name', () => {
  const name = HELLO.indexOf('eftf.example'.charCodeAt(0), 40);
  assert.equal(new TextDecoder().decode(HELLO.subarray(name, name + 12)), 'eftf.example');
  assert.equal(parseClientHello(HELLO, 0, name + 11)!.sni, undefined);
  assert.equal(parseClientHello(HELLO, 0, name + 12)!.sni, 'eftf.example');
});

test('a ClientHello without extensions is whole', () => {
  const b = handshake(1, '0301', counting(9), vector(1, ''), vector(2, '002f'), vector(1, '00'));
  const h = parseClientHello(b, 0, b.length)!;
  assert.deepEqual([h.version, h.suites, h.extensions], [0x0301, [0x2f], []]);
  assert.equal(h.sni, undefined);
  assert.equal(h.ticket, undefined);
});

test('a ServerHello says version, suite and what it took up', () => {
  const b = serverHello(
    0x1302,
    extension(43, '0304'),
    extension(51, '001d', vector(2, counting(0))),
    extension(41, '0001'),
  );
  const h = parseServerHello(b, 0, b.length)!;
  assert.deepEqual(
    [h.suite, h.selectedVersion, h.selectedPsk, h.selectedGroup, h.retry],
    [0x1302, 0x0304, 1, 29, false],
  );
  assert.equal(settledVersion(h), 0x0304);
  const old = serverHello(0xc02f, extension(23), extension(35));
  const o = parseServerHello(old, 0, old.length)!;
  assert.equal(settledVersion(o), 0x0303);
  assert.deepEqual([o.extendedMasterSecret, o.ticket!.length], [true, 0]);
});

test('a HelloRetryRequest is told by its random', () => {
  // RFC 8446 §4.1.3
  const random = 'CF21AD74E59A6111BE1D8C021E65B891C2A211167ABB8C5E079E09E2C8A8339C';
  const b = handshake(2, '0303', random, vector(1, ''), '1301', [0], vector(2, extension(51, '0017')));
  const h = parseServerHello(b, 0, b.length)!;
  assert.deepEqual([h.retry, h.selectedGroup], [true, 23]);
});

test('tickets of TLS 1.2 and 1.3 differ', () => {
  const old = handshake(4, '00001c20', vector(2, 'c0ffee'));
  assert.deepEqual(parseNewSessionTicket(old, 0, old.length, 0x0303), {
    lifetime: 7200,
    ticket: Uint8Array.of(0xc0, 0xff, 0xee),
  });
  const now = handshake(
    4,
    '00000e10',
    '01020304',
    vector(1, '0007'),
    vector(2, 'beef'),
    vector(2, extension(42, '00004000')),
  );
  assert.deepEqual(parseNewSessionTicket(now, 0, now.length, 0x0304), {
    lifetime: 3600,
    ageAdd: 0x01020304,
    nonce: Uint8Array.of(0, 7),
    ticket: Uint8Array.of(0xbe, 0xef),
    maxEarlyData: 0x4000,
  });
});

test('chains of TLS 1.2 and 1.3 differ', () => {
  const old = handshake(11, vector(3, vector(3, '3000'), vector(3, '3001')));
  assert.deepEqual(parseCertificateChain(old, 0, old.length, 0x0303)!.certificates, [
    Uint8Array.of(0x30, 0),
    Uint8Array.of(0x30, 1),
  ]);
  const now = handshake(
    11,
    vector(1, '77'),
    vector(3, vector(3, '3000'), vector(2, extension(5)), vector(3, '3001'), vector(2)),
  );
  const chain = parseCertificateChain(now, 0, now.length, 0x0304)!;
  assert.deepEqual([chain.context, chain.certificates.length], [Uint8Array.of(0x77), 2]);
});

test('EncryptedExtensions give the protocol', () => {
  const b = handshake(8, vector(2, extension(16, vector(2, vector(1, ascii('h2')))), extension(42)));
  const e = parseEncryptedExtensions(b, 0, b.length)!;
  assert.deepEqual([e.alpn, e.earlyData], [['h2'], true]);
});

const parsers = [
  parseClientHello,
  parseServerHello,
  parseEncryptedExtensions,
  (b: Uint8Array, o: number, e: number) => parseNewSessionTicket(b, o, e, 0x0303),
  (b: Uint8Array, o: number, e: number) => parseNewSessionTicket(b, o, e, 0x0304),
  (b: Uint8Array, o: number, e: number) => parseCertificateChain(b, o, e, 0x0303),
  (b: Uint8Array, o: number, e: number) => parseCertificateChain(b, o, e, 0x0304),
];

test('parsers never throw and never look beyond the end', () => {
  for (let n = 0; n <= HELLO.length; n++) for (const parse of parsers) parse(HELLO, 0, n);
  fc.assert(
    fc.property(fc.constantFrom(1, 2, 4, 8, 11), fc.uint8Array({ maxLength: 200 }), (type, body) => {
      const b = join([type, 0, 0, body.length], body, counting(0));
      const end = 4 + body.length;
      for (const parse of parsers) {
        const alone = parse(b.slice(0, end), 0, end);
        assert.deepEqual(parse(b, 0, end), alone);
      }
    }),
    { numRuns: 500 },
  );
});
