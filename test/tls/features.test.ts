import assert from 'node:assert/strict';
import { constants, privateDecrypt } from 'node:crypto';
import { test } from 'node:test';
import * as tls from 'node:tls';
import { LIMITS } from '../../src/limits.js';
import { SessionCache } from '../../src/tls/index.js';
import { envelope, hexLine, Sealer, SUITES_13 } from './maker.js';
import {
  follow,
  type Recorded,
  record,
  services,
  type Talk,
  testCertificate,
  type Whole,
  wholeRecords,
} from './pair.js';

const V12 = { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' } as const;
const firstLine = (r: Recorded): string => r.keylog.split('\n').find((l) => l.startsWith('CLIENT_RANDOM'))!;

function context(options: tls.SecureContextOptions = {}): tls.SecureContext {
  const { key, cert } = testCertificate('rsa');
  return tls.createSecureContext({ key, cert, sessionIdContext: 'test', ...options });
}

function allDecrypted(r: Recorded, s: ReturnType<typeof services>): ReturnType<typeof follow>['session'] {
  const { session, data } = follow(wholeRecords(r.segments), { services: s });
  for (const d of [0, 1] as const) {
    assert.ok(data[d].equals(r.sent[d]), `direction ${d}: ${session.verdict(d).reason}`);
    assert.equal(session.finished[d]?.valid, true);
  }
  return session;
}

for (const how of ['ticket', 'id'] as const)
  test(`TLS 1.2 resumption by ${how} with the line of the first session alone`, async () => {
    const shared = how === 'ticket' ? { context: context() } : { store: new Map<string, Buffer>() };
    const options = { ...shared, talk: ({ send }: Talk) => send(0, how) };
    const one = await record({ ...options, client: V12 });
    const two = await record({ ...options, client: { ...V12, session: one.session! } });
    const three = await record({ ...options, client: { ...V12, session: one.session! } });
    assert.ok(two.reused && three.reused);
    const s = services(firstLine(one));
    const { resumed, resumedFrom, clientRandom: first } = allDecrypted(one, s);
    assert.deepEqual([resumed, resumedFrom], [undefined, undefined]);
    for (const r of [two, three]) {
      const session = allDecrypted(r, s);
      assert.equal(session.resumed, how);
      assert.equal(session.resumedFrom, first);
      assert.equal(session.verdict(0).source, 'resumption');
      assert.equal(session.certificates.length, 0);
    }
    // Without having seen the first session there is nothing to go by.
    const alone = follow(wholeRecords(two.segments), { services: services(firstLine(one)) });
    assert.equal(alone.session.verdict(0).verdict, 'none');
    assert.match(alone.session.verdict(0).reason!, /no line for client random .*1 other session\)/);
  });

test('sessions that make room for later ones are counted', async () => {
  const talk = ({ send }: Talk) => send(0, 'x');
  const one = await record({ context: context(), client: V12, talk });
  const two = await record({ context: context(), client: V12, talk });
  const cache = new SessionCache(1);
  const s = services(`${firstLine(one)}\n${firstLine(two)}`, false, cache);
  allDecrypted(one, s);
  assert.deepEqual(cache.limits, []);
  allDecrypted(two, s);
  assert.deepEqual(cache.limits, [{ name: 'tlsSessions', cap: LIMITS.tlsSessions, hit: 1 }]);
});

test('TLS 1.3 resumption', async () => {
  const shared = context();
  const one = await record({ context: shared });
  const two = await record({ context: shared, client: { session: one.session! } });
  assert.ok(two.reused);
  const s = services(one.keylog + two.keylog);
  const first = allDecrypted(one, s);
  assert.deepEqual([first.resumed, first.resumedFrom], [undefined, undefined]);
  const { resumed, resumedFrom } = allDecrypted(two, s);
  assert.deepEqual([resumed, resumedFrom], ['psk', first.clientRandom]);
});

test('external PSK of TLS 1.2 and 1.3', async () => {
  const psk = Buffer.alloc(16, 7);
  for (const versions of [V12, { minVersion: 'TLSv1.3' } as const]) {
    const ciphers = 'PSK-AES128-GCM-SHA256:TLS_AES_128_GCM_SHA256';
    const r = await record({
      client: {
        ...versions,
        ciphers,
        pskCallback: () => ({ psk, identity: 'ue' }),
        checkServerIdentity: () => undefined,
      },
      server: { ciphers, pskCallback: () => psk },
    });
    allDecrypted(r, services(r.keylog));
  }
});

test('RSA key exchange with the private key, or with the pre-master secret in the older forms of lines', async () => {
  const ciphers = 'AES128-GCM-SHA256';
  const r = await record({ client: { ...V12, ciphers }, server: { ciphers } });
  const s = services('');
  assert.equal(s.keys.addPrivateKey(testCertificate('rsa').key), undefined);
  assert.match(s.keys.addPrivateKey(testCertificate('ec').key)!, /only RSA keys/);
  assert.match(s.keys.addPrivateKey('-----BEGIN NONSENSE')!, /cannot be read/);
  assert.equal(allDecrypted(r, s).verdict(0).source, 'rsa');

  // RFC 5246 §7.4.7.1: the last message of the client's flight, with two octets of length
  const flight = wholeRecords(r.segments).find((w) => w.direction === 0 && w.octets[5] === 16)!;
  const encrypted = flight.octets.slice(11, 11 + 256);
  const padded = privateDecrypt({ key: testCertificate('rsa').key, padding: constants.RSA_NO_PADDING }, encrypted);
  const preMaster = padded.subarray(-48);
  const [, random, master] = firstLine(r).split(' ');
  allDecrypted(r, services(hexLine('RSA', encrypted.subarray(0, 8), preMaster)));
  allDecrypted(r, services(hexLine('PMS_CLIENT_RANDOM', Buffer.from(random!, 'hex'), preMaster)));
  const hello = wholeRecords(r.segments).find((w) => w.direction === 1)!;
  const sessionId = Buffer.from(hello.octets.subarray(44, 44 + hello.octets[43]!));
  if (sessionId.length > 0)
    allDecrypted(r, services(`RSA Session-ID:${sessionId.toString('hex')} Master-Key:${master}\n`));

  const other = await record({ client: { ...V12, ciphers: 'ECDHE-RSA-AES128-GCM-SHA256' } });
  const f = follow(wholeRecords(other.segments), { services: s });
  assert.match(f.session.verdict(0).reason!, /private key/);
});

test('HelloRetryRequest', async () => {
  const r = await record({ client: { ecdhCurve: 'X25519:P-384' }, server: { ecdhCurve: 'P-384' } });
  const session = allDecrypted(r, services(r.keylog));
  assert.equal(session.retried, true);
});

test('the ALPN that was chosen is told in both versions', async () => {
  for (const versions of [V12, {}]) {
    const r = await record({
      client: { ...versions, ALPNProtocols: ['other', 'ftt'] },
      server: { ALPNProtocols: ['ftt'] },
    });
    const session = allDecrypted(r, services(r.keylog));
    assert.equal(session.alpn, 'ftt');
  }
});

test('client certificates', async () => {
  const { key, cert } = testCertificate('ec');
  for (const versions of [V12, {}]) {
    const r = await record({
      client: { ...versions, key, cert },
      server: { requestCert: true, rejectUnauthorized: false },
    });
    assert.equal(allDecrypted(r, services(r.keylog)).clientCertificate, true);
  }
});

test('renegotiation in TLS 1.2', async () => {
  const r = await record({
    client: V12,
    talk: async ({ client, send }) => {
      await send(0, 'before');
      await new Promise<void>((done, fail) =>
        client.renegotiate({ rejectUnauthorized: false }, (e) => (e ? fail(e) : done())),
      );
      await send(0, 'after');
      await send(1, 'after');
    },
  });
  const session = allDecrypted(r, services(r.keylog));
  assert.equal(session.renegotiations, 1);
  assert.equal(session.verdict(0).verdict, 'full');
  assert.ok(
    r.keylog.startsWith(`CLIENT_RANDOM ${session.clientRandom} `),
    'the identity is that of the first handshake',
  );
});

test('KeyUpdate inside a batch', () => {
  for (const suite of SUITES_13) {
    const secret = Buffer.alloc(suite.secret, 0x42);
    const sealer = new Sealer(suite, secret);
    const wholes: Whole[] = [];
    const sent: Buffer[] = [];
    const push = (octets: Buffer): number => wholes.push({ direction: 0, frame: wholes.length + 1, octets });
    for (let round = 0; round < 3; round++) {
      for (let i = 0; i < 90; i++) {
        const e = envelope(20 + i, round);
        sent.push(e);
        push(sealer.seal(e, 23, i % 3 === 0 ? i : 0));
      }
      push(sealer.keyUpdate());
    }
    const s = services(hexLine('CLIENT_TRAFFIC_SECRET_0', Buffer.alloc(32, 9), secret));
    const { session, data, records } = follow(wholes, { services: s, flushEvery: 200 });
    assert.ok(data[0].equals(Buffer.concat(sent)), suite.name);
    assert.deepEqual(session.keyUpdates, [3, 0]);
    assert.equal(session.verdict(0).verdict, 'full');
    assert.equal(records[91]!.sequence, 0);
    assert.equal(session.suite, suite.id);
  }
});

test('a handshake can be lent to a later file of the same connection', async () => {
  const chatty = async ({ send }: Talk): Promise<void> => {
    for (let i = 0; i < 30; i++) await send((i & 1) as 0 | 1, `number ${i}`);
  };
  const suites = [
    'ECDHE-RSA-AES128-GCM-SHA256',
    'ECDHE-RSA-AES256-SHA384',
    'ECDHE-RSA-CHACHA20-POLY1305',
    'AES128-CCM',
  ];
  for (const ciphers of [...suites, 'TLS_AES_256_GCM_SHA384']) {
    const r = await record({
      client: ciphers.startsWith('TLS_') ? { minVersion: 'TLSv1.3' } : { ...V12, ciphers },
      talk: chatty,
    });
    const wholes = wholeRecords(r.segments);
    const first = services('');
    follow(wholes.slice(0, 20), { services: first, connection: 'a-b' });
    const late = wholes.slice(30);
    const { session, data } = follow(late, { services: services(r.keylog, false, first.cache), connection: 'a-b' });
    for (const d of [0, 1] as const) {
      assert.equal(session.verdict(d).verdict, 'full', `${ciphers}: ${session.verdict(d).reason}`);
      assert.ok(data[d].length > 0 && r.sent[d].subarray(-data[d].length).equals(data[d]));
      assert.ok(session.verdict(d).resumedAt[0]! > 0);
    }
    assert.notEqual(session.clientRandom, '');
  }
});

test('key log lines may come after the handshake', async () => {
  for (const client of [V12, {}]) {
    const r = await record({
      client,
      talk: async ({ send }) => {
        for (let i = 0; i < 20; i++) await send((i & 1) as 0 | 1, `number ${i}`);
      },
    });
    const wholes = wholeRecords(r.segments);
    const s = services('');
    const half = wholes.length - 12;
    let added = false;
    const { session, records } = follow(wholes, {
      services: s,
      flushEvery: 1,
      edit: (w, i) => {
        if (i === half && !added) {
          added = true;
          s.keys.add(r.keylog, 'sidecar');
        }
        return w;
      },
    });
    assert.ok(
      records.slice(half).every((x) => x.status === 'open'),
      session.verdict(0).reason,
    );
    assert.equal(session.verdict(0).verdict, 'partial');
    assert.equal(session.verdict(0).source, 'sidecar');
  }
});
