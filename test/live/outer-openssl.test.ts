import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { makeCertificate } from '../../src/live/tls-certificate.js';
import { tlsVersions } from '../../src/live/tls-settings.js';
import { type ConnectOptions, establish } from '../../src/live/tunnel-connect.js';
import { NotEstablished } from '../../src/live/tunnel-failure.js';
import { freePort, listening } from '../support/ports.js';
import { PATIENCE_MS, until } from '../support/until.js';
import {
  enveloped,
  handMade4,
  handMadeDiscover,
  inFolder,
  missing,
  type Running,
  startEftf,
  startFttscope,
  startProgram,
} from './outer-support.js';

/** Our UE against openssl s_server, our EFTF against openssl s_client, with envelopes laid out by hand. */

const skip = missing('openssl', 'version');
const ca = makeCertificate({ name: 'test CA', days: 1 });
const own = makeCertificate({
  name: 'eftf',
  names: ['localhost', '127.0.0.1'],
  issuer: { ...ca, name: 'test CA' },
  days: 1,
});
const PACKET = handMade4([10, 0, 0, 2], [10, 0, 0, 1], 1, Buffer.from([8, 0, 0xf7, 0xff, 0, 0, 0, 0]));

before(() => {
  writeFileSync(inFolder('s.pem'), own.cert);
  writeFileSync(inFolder('s.key'), own.key);
  writeFileSync(inFolder('ca.pem'), ca.cert);
});

async function sServer(...more: string[]): Promise<{ server: Running; port: number }> {
  const port = await freePort();
  const files = ['-cert', inFolder('s.pem'), '-key', inFolder('s.key')];
  const server = startProgram('openssl', ['s_server', '-accept', `127.0.0.1:${port}`, ...files, ...more]);
  if (more.includes('-quiet')) await listening('tcp', port, server.child.pid);
  else await server.line(/ACCEPT/);
  return { server, port };
}

const options = (port: number, more: Partial<ConnectOptions> = {}): ConnectOptions => ({
  host: '127.0.0.1',
  port,
  ca: ca.cert,
  versions: tlsVersions('1.2..1.3')!,
  timeoutMs: PATIENCE_MS,
  ...more,
});

const failure = async (o: ConnectOptions): Promise<NotEstablished> => {
  try {
    (await establish(o)).link.close();
  } catch (e) {
    assert.ok(e instanceof NotEstablished);
    return e;
  }
  assert.fail('a tunnel was established');
};

for (const version of ['1.2', '1.3']) {
  test(`a UE exchanges envelopes with s_server over TLS ${version}`, { skip }, async () => {
    const { server, port } = await sServer('-quiet');
    const { link, accessType } = await establish(options(port, { versions: tlsVersions(version)! }));
    assert.equal(accessType, 'I');
    const got: Buffer[] = [];
    link.onPacket((ip) => got.push(Buffer.from(ip)));
    link.send(PACKET);
    await server.until(() => server.octets.length >= PACKET.length + 3);
    assert.deepEqual(server.octets.subarray(-PACKET.length - 3), enveloped(PACKET)); // TS 24.322 §7.1.2.2
    // Envelopes that are discarded (type 200; no packet; IP version 5) stand between two that are not.
    const odd = [Buffer.from([200, 0, 4, 0xaa]), Buffer.from([1, 0, 3]), Buffer.from([1, 0, 4, 0x50])];
    server.child.stdin?.write(Buffer.concat([enveloped(PACKET), ...odd, enveloped(PACKET)]));
    await until(() => got.length >= 2);
    assert.deepEqual(got, [PACKET, PACKET]);
    assert.deepEqual([...link.counts.unknownTypes], [[200, 1]]); // §5.6.2
    assert.equal(link.counts.empty, 1);
    assert.equal(link.counts.otherVersions, 1); // §5.3.2.2
    link.close();
    assert.match((await link.ended).words, /close_notify was sent/);
    await server.stop('SIGKILL');
  });
}

test('an end by close_notify is told from a truncation', { skip }, async () => {
  for (const version of ['1.2', '1.3']) {
    for (const how of ['close_notify', 'fin']) {
      const { server, port } = await sServer('-naccept', '1', '-www');
      const { link } = await establish(options(port, { versions: tlsVersions(version)! }));
      // A server of web pages ends in good order behind its page.
      if (how === 'close_notify') link.sendOctets(Buffer.from('GET / HTTP/1.0\r\n\r\n'));
      else server.child.kill('SIGKILL');
      const end = await link.ended;
      // A kernel resets what a killed server had not read yet, the client's Finished for one. RFC 9293 §3.6.1
      const ways = how === 'fin' ? ['fin', 'rst'] : [how];
      assert.ok(end.by === 'peer' && ways.includes(end.how), `TLS ${version}: ${end.how}, ${end.words}`);
      // No EFTF: it says so itself.
      if (how === 'close_notify') assert.match(end.words, /what the EFTF sent first is text: "HTTP\/1\.0 200 ok"$/);
      await server.stop('SIGKILL');
    }
  }
});

test('a Length below 3 ends the tunnel with words', { skip }, async () => {
  for (const length of [0, 1, 2]) {
    const { server, port } = await sServer('-quiet');
    const { link } = await establish(options(port));
    server.child.stdin?.write(Buffer.from([1, 0, length]));
    const end = await link.ended;
    assert.equal(end.how, 'cut');
    assert.match(end.words, /length below 3/);
    await server.stop('SIGKILL');
  }
});

test('server_name is sent for a name alone, or as asked for', { skip }, async () => {
  const { server, port } = await sServer(
    '-servername',
    'other.example',
    '-servername_fatal',
    '-cert2',
    inFolder('s.pem'),
    '-key2',
    inFolder('s.key'),
  );
  // TS 24.322 §5.2.2.2: the name of the EFTF, which this server does not have
  assert.match((await failure(options(port, { host: 'localhost' }))).message, /alert unrecognized_name/);
  // What was asked for; and RFC 6066 §3: an address is no server name
  for (const more of [{ host: 'localhost', sni: 'other.example', insecure: true }, {}]) {
    const { link } = await establish(options(port, more));
    link.close();
    await link.ended;
  }
  await server.stop('SIGKILL');
});

test('what the UE asks of the certificate', { skip }, async () => {
  const { server, port } = await sServer();
  const { ca: _, ...open } = options(port);
  assert.match((await failure(open)).message, /is not (trusted|known)/);
  assert.match((await failure(options(port, { pin: '00'.repeat(32) }))).message, /not the pinned one/);
  const trusted = await establish({ ...open, insecure: true });
  assert.match(trusted.certificate ?? '', /^[0-9a-f]{64}$/);
  trusted.link.close();
  await trusted.link.ended;
  const pinned = await establish({ ...open, pin: trusted.certificate! }); // whoever issued it
  pinned.link.close();
  await pinned.link.ended;
  const other = await failure(options(port, { sni: 'other.example' }));
  assert.match(other.message, /is for DNS:localhost, IP Address:127\.0\.0\.1, not for other\.example$/);
  assert.match(other.hint ?? '', /^--sni NAME/);
  await server.stop('SIGKILL');
});

test('nothing passes for the pinned certificate', { skip }, async () => {
  const anonymous = 'aNULL@SECLEVEL=0';
  const { server, port } = await sServer('-nocert', '-tls1_2', '-cipher', anonymous);
  const nobody = await failure(options(port, { ciphers: anonymous, pin: '00'.repeat(32) }));
  assert.match(nobody.message, /not the pinned one \(it has none\)/);
  await server.stop('SIGKILL');
  // Nor does a session with a server whose certificate was refused.
  const resumable = await sServer('-tls1_2');
  const sessions: Buffer[] = [];
  const o = options(resumable.port, { onSession: (s) => sessions.push(s) });
  await failure({ ...o, pin: '00'.repeat(32) });
  assert.equal(sessions.length, 0);
  (await establish(o)).link.close();
  assert.equal(sessions.length, 1);
  await resumable.server.stop('SIGKILL');
});

test('an EFTF that wants a certificate of the UE has no tunnel', { skip }, async () => {
  for (const [version, words] of [
    ['1.1', /no tunnel: .*alert handshake_failure: it asked for a certificate of CN=test CA, and a UE of fttscope/],
    ['1.2', /no tunnel: .*alert handshake_failure: it asked for a certificate of CN=test CA, and a UE of fttscope/],
    ['1.3', /alert certificate_required: it wants a certificate/], // after the Finished of the UE
  ] as const) {
    const old = ['-cipher', 'DEFAULT:@SECLEVEL=0'];
    const { server, port } = await sServer('-Verify', '1', '-CAfile', inFolder('ca.pem'), ...old);
    const one = startFttscope(['ue', `127.0.0.1:${port}`, '--insecure', '--tls', version]);
    assert.equal(await one.ended, 6);
    assert.match(one.err, words);
    await server.stop('SIGKILL');
  }
});

test('what a tunnel took is not what the process took that resolved its name', { skip }, async () => {
  const { server, port } = await sServer();
  const from = performance.now();
  const { link, ms } = await establish(options(port, { host: 'localhost' }));
  const all = performance.now() - from;
  link.close();
  assert.ok(ms > 0 && all - ms > 2, `${ms} ms of ${all}`); // no process starts within 2 ms
  await server.stop('SIGKILL');
});

test('a release that comes with the Finished is heard as one', { skip }, async () => {
  // openssl s_server sends both at once where its console has ended
  const { server, port } = await sServer('-quiet', '-tls1_2');
  server.child.stdin!.end();
  const { link } = await establish(options(port));
  await until(
    () => link.end !== undefined,
    () => 'the end of the tunnel',
  );
  assert.deepEqual([link.end?.by, link.end?.words], ['peer', 'released by the EFTF: it sent close_notify']);
});

test('a session is resumed', { skip }, async () => {
  const { server, port } = await sServer();
  for (const version of ['1.2', '1.3']) {
    let session: Buffer | undefined;
    const o = options(port, { versions: tlsVersions(version)!, onSession: (s) => (session = s) });
    const first = await establish(o);
    await until(() => session !== undefined);
    first.link.close();
    await first.link.closed;
    const second = await establish({ ...o, session: session! });
    assert.deepEqual([first.resumed, second.resumed], [false, true]);
    second.link.close();
    await second.link.closed;
  }
  await server.stop('SIGKILL');
});

test('a UE that is told to end in the middle releases its tunnel and blames nobody', { skip }, async () => {
  const { server, port } = await sServer('-quiet');
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    const one = startFttscope(['ue', `127.0.0.1:${port}`, '--insecure']);
    await one.line(/^established/m); // DHCP goes on: nobody answers
    assert.equal(await one.stop(signal), 0, signal);
    assert.match(one.out, /tunnel ended: released by this UE: close_notify was sent/);
    assert.equal(one.err, '');
  }
  await server.stop('SIGKILL');
});

test('no tunnel: stage and words', { skip }, async () => {
  const { server, port } = await sServer('-tls1_2');
  const old = await failure(options(port, { versions: tlsVersions('1.3')! }));
  assert.deepEqual([old.stage, /alert protocol_version/.test(old.message)], ['tls', true], old.message);
  await server.stop('SIGKILL');
  const refused = await failure(options(port));
  assert.deepEqual([refused.stage, /nothing listens/.test(refused.message)], ['tcp', true], refused.message);
  const r = startFttscope(['ue', `127.0.0.1:${port}`]);
  assert.equal(await r.ended, 6);
  assert.match(r.err, /connect: no tunnel: .*nothing listens/);
});

let eftf: Awaited<ReturnType<typeof startEftf>>;
before(async () => {
  if (skip === false) eftf = await startEftf('--pool', '10.45.0.0/24');
});
after(() => eftf?.eftf.child.kill('SIGKILL'));

const sClient = (...more: string[]): Running =>
  startProgram('openssl', [
    's_client',
    '-connect',
    eftf.at,
    '-CAfile',
    inFolder('state/fttscope/lab/ca.pem'),
    '-verify_return_error',
    ...more,
  ]);

for (const version of ['-tls1_2', '-tls1_3']) {
  test(`an EFTF leases an address to s_client ${version}`, { skip }, async () => {
    const client = sClient(version, '-quiet');
    client.child.stdin?.write(enveloped(handMadeDiscover(0x01020304)));
    const isOffer = (b: Buffer): boolean =>
      b[0] === 1 && b[3] >> 4 === 4 && b.readUInt32BE(3 + 20 + 8 + 4) === 0x01020304;
    const offer = await client.until(() => {
      for (let at = 0; at + 3 <= client.octets.length; at += client.octets.readUInt16BE(at + 1)) {
        const e = client.octets.subarray(at, at + client.octets.readUInt16BE(at + 1));
        if (e.length > 60 && isOffer(e)) return e;
      }
      return undefined;
    }, 'an offer');
    assert.equal(offer.readUInt16BE(1), offer.readUInt16BE(3 + 2) + 3); // Length and total length of IPv4
    const yiaddr = offer.subarray(3 + 28 + 16, 3 + 28 + 20);
    assert.deepEqual([...yiaddr.subarray(0, 3)], [10, 45, 0]);
    await client.stop('SIGKILL');
  });
}

test('an EFTF says how a tunnel ended and what it discarded', { skip }, async () => {
  const before = eftf.eftf.out.length;
  const client = sClient('-ign_eof');
  await client.line(/Verify return code: 0/);
  const types = Array.from({ length: 9 }, (_, i) => [100 + i, 0, 3]).flat();
  const odd = Buffer.from([7, 0, 5, 1, 2, ...types, 7, 0, 3, 1, 0, 3]);
  client.child.stdin?.write(Buffer.concat([odd, enveloped(handMadeDiscover(0x0a0b0c0d))]));
  await client.until(() => client.octets.includes(Buffer.from([10, 11, 12, 13])), 'an offer');
  await client.stop('SIGKILL');
  // The end of the tunnel before may be told only now.
  const ended = /tunnel \d+ ended: (.*discarded.*)/;
  const [, words] = await eftf.eftf.until(() => ended.exec(eftf.eftf.out.slice(before)));
  // A kernel resets what a killed client had not read yet. RFC 9293 §3.6.1
  assert.match(words, /without a close_notify \(truncation\)|reset the connection/);
  const few = [100, 101, 102, 103].map((type) => `1 of unknown type ${type}`).join(', ');
  assert.ok(
    words.includes(`discarded 2 of unknown type 7, ${few}, 5 of 5 other unknown types, 1 without a packet`),
    words,
  );
});

test('an EFTF answers close_notify, and ends with 0 on SIGTERM', { skip }, async () => {
  const one = await startEftf();
  const client = startProgram('openssl', ['s_client', '-connect', one.at, '-msg', '-tls1_2']);
  await client.line(/Verify return code/);
  client.child.stdin?.write('Q\n');
  await one.eftf.line(/released by the UE: it sent close_notify/);
  await client.stop('SIGKILL');
  const waits = startProgram('openssl', ['s_client', '-connect', one.at, '-msg', '-tls1_2']);
  await one.eftf.line(/tunnel 2 established/);
  await waits.line(/Verify return code/);
  assert.equal(await one.eftf.stop(), 0);
  await waits.line(/<<< TLS 1\.2, Alert \[length 0002\], warning close_notify/); // TS 24.322 §5.5.2
  await waits.stop('SIGKILL');
  assert.match(readFileSync(inFolder('state/fttscope/lab/ca.pem'), 'utf8'), /BEGIN CERTIFICATE/);
});
