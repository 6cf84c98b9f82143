import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { before, describe, type TestContext, test } from 'node:test';
import { makeCertificate } from '../../src/live/tls-certificate.js';
import type { Conversation } from '../build/conversation.js';
import { mark } from '../build/expect.js';
import { at, udp } from '../build/packets.js';
import { one, readWith } from '../engine/one.js';
import { enveloped, inFolder, missing, type Running, startProgram } from '../live/outer-support.js';
import { captured, codes, finding, reportOn } from '../model/support.js';
import { freePort, listening } from '../support/ports.js';
import { until } from '../support/until.js';
import { follow, services, wholeRecords } from './pair.js';
import { Relay } from './relay.js';

/** What GnuTLS and OpenSSL say to each other where Node's own TLS does not: small records, data before the handshake. */

const withoutGnutls = missing('gnutls-serv') || missing('gnutls-cli');
const withoutOpenssl = missing('openssl', 'version');

const UE = at('10.0.0.2', 5062);
const PCSCF = at('10.0.0.1', 5060);
/** Inner packets of so many octets of payload. */
const packets = (...sizes: number[]): Uint8Array[] => sizes.map((n) => udp(UE, PCSCF, Buffer.alloc(n, `${n} `)));
const envelopes = (list: readonly Uint8Array[]): Buffer => Buffer.concat(list.map(enveloped));

before(() => {
  const own = makeCertificate({ name: 'eftf.example', names: ['eftf.example', '127.0.0.1'], days: 1 });
  writeFileSync(inFolder('peer.pem'), own.cert);
  writeFileSync(inFolder('peer.key'), own.key);
});

const keysIn = (name: string): string => (existsSync(inFolder(name)) ? readFileSync(inFolder(name), 'latin1') : '');

const marks = (list: readonly Uint8Array[]): string[] => list.map((p) => mark(enveloped(p)));

/** A server that has begun to listen, and what stands before it. */
async function serving(
  t: TestContext,
  program: string,
  args: (port: string) => string[],
  env = {},
): Promise<{ server: Running; relay: Relay }> {
  const port = await freePort();
  const server = startProgram(program, args(String(port)), env);
  const relay = await Relay.to(port);
  t.after(async () => {
    relay.close();
    await server.stop('SIGKILL');
  });
  await listening('tcp', port, server.child.pid);
  return { server, relay };
}

/** The envelopes that are rows of a capture; what record_size_limit says in it goes to `limits`. */
async function rowsOf(c: Conversation, limits: number[] = []): Promise<string[]> {
  const r = await readWith(one(c), {}, ({ inner, dissection: { tree } }) => {
    if (inner > 1) return;
    for (let i = 0; i < tree.length; i++)
      if (tree.field(i).name === 'tls.record_size_limit') limits.push(tree.number[i]!);
  });
  return r.inner.map((x) => x.envelope);
}

/** Application data of both directions, and the length of its longest record in each. */
function applicationData(c: Conversation): { data: readonly [Buffer, Buffer]; longest: number[] } {
  const segments = c.flights.map((f) => ({ direction: f.side, octets: f.octets }));
  const { data, plains, records } = follow(wholeRecords(segments), { services: services(c.keylog) });
  const lengths = (d: number): number[] =>
    records.map((r, i) => (r.contentType === 23 && r.direction === d ? plains[i]!.length : 0));
  return { data, longest: [Math.max(...lengths(0)), Math.max(...lengths(1))] };
}

describe('records no longer than record_size_limit says (RFC 8449), between GnuTLS and GnuTLS', () => {
  const UP = packets(1200, 40, 700, 1000);
  const PAGE = Buffer.from('a line of a page\n'.repeat(200));
  for (const [version, extra] of [
    ['1.3', 1], // §4: the content type counts
    ['1.2', 0],
  ] as const)
    test(`TLS ${version}`, { skip: withoutGnutls }, async (t) => {
      const keys = `gnutls-${version}.keys`;
      writeFileSync(inFolder('page'), PAGE);
      const priority = ['--priority', `NORMAL:-VERS-ALL:+VERS-TLS${version}`];
      const files = ['--x509certfile', inFolder('peer.pem'), '--x509keyfile', inFolder('peer.key')];
      const { relay } = await serving(
        t,
        'gnutls-serv',
        (port) => ['--http', '--httpdata', inFolder('page'), '-p', port, ...priority, '--recordsize', '512', ...files],
        { SSLKEYLOGFILE: inFolder(keys) },
      );
      const say = async (octets: Buffer): Promise<Conversation> => {
        const before = relay.ended;
        const to = ['--recordsize', '600', '-p', String(relay.port), '127.0.0.1'];
        const client = startProgram('gnutls-cli', ['--insecure', ...priority, ...to]);
        t.after(() => client.stop('SIGKILL'));
        await client.line(/Simple Client Mode/);
        // gnutls-cli makes one record of what it reads at a time, and drops what that does not hold.
        for (let at = 0; at < octets.length; at += 512) {
          const passed = relay.passed[0];
          client.child.stdin?.write(octets.subarray(at, at + 512));
          await until(() => relay.passed[0] > passed);
        }
        client.child.stdin?.end();
        await until(() => relay.ended > before);
        return relay.said(keysIn(keys));
      };
      const up = await say(envelopes(UP));
      assert.deepEqual(applicationData(up).data[0], envelopes(UP));
      assert.equal(applicationData(up).longest[0], 512);
      const limits: number[] = [];
      assert.deepEqual(await rowsOf(up, limits), marks(UP));
      assert.deepEqual(limits, [600 + extra, 512 + extra]);

      const down = applicationData(await say(Buffer.from('GET / HTTP/1.0\r\n\r\n')));
      assert.ok(down.data[1].includes(PAGE));
      assert.equal(down.longest[1], 600);
    });
});

test('envelopes in early data (0-RTT), between OpenSSL and OpenSSL', { skip: withoutOpenssl }, async (t) => {
  const files = ['-cert', inFolder('peer.pem'), '-key', inFolder('peer.key'), '-keylogfile', inFolder('early.keys')];
  const { server, relay } = await serving(t, 'openssl', (port) => [
    ...['s_server', '-accept', `127.0.0.1:${port}`, '-tls1_3', '-early_data', '-quiet', ...files],
  ]);
  /** Sends `packets` once the handshake is done, and ends when the server has them. */
  const session = async (packets: Uint8Array[], ...more: string[]): Promise<Conversation> => {
    const before = relay.ended;
    const client = startProgram('openssl', ['s_client', '-connect', `127.0.0.1:${relay.port}`, '-tls1_3', ...more]);
    t.after(() => client.stop('SIGKILL'));
    client.child.stdin?.write(envelopes(packets));
    await server.until(() => server.octets.includes(envelopes(packets)));
    await until(() => keysIn('ticket').includes('END SSL SESSION'));
    client.child.stdin?.end(); // an end in good order: else the server forgets the session
    await until(() => relay.ended > before);
    return relay.said(keysIn('early.keys'));
  };
  const ticket = inFolder('ticket');
  const later = packets(60);
  const fine = await session(later, '-sess_out', ticket);
  assert.deepEqual(await rowsOf(fine), marks(later));
  assert.ok(!codes(await reportOn(captured(fine).octets, fine.keylog)).includes('fttims.early-data'));

  const early = packets(300, 500);
  const last = packets(61);
  writeFileSync(inFolder('early.bin'), envelopes(early));
  const zero = await session(last, '-sess_in', ticket, '-early_data', inFolder('early.bin'));
  assert.ok(server.octets.includes(envelopes(early)), 'OpenSSL took no early data');
  assert.deepEqual(await rowsOf(zero), marks([...early, ...last]));
  const report = await reportOn(captured(zero).octets, zero.keylog);
  const found = finding(report, 'fttims.early-data');
  assert.deepEqual([found.severity, found.count], ['warn', 1]);
  assert.match(found.clause, /5\.2\.2\.4/);
  assert.doesNotMatch(found.meaning, /refused/);
});

test('early data that OpenSSL refuses, for a ticket that another server gave', { skip: withoutOpenssl }, async (t) => {
  const files = ['-cert', inFolder('peer.pem'), '-key', inFolder('peer.key')];
  const ticket = inFolder('old-ticket');
  /** A server of its own, whose client sends `packets` once the handshake is done. */
  const session = async (sent: Uint8Array[], ...more: string[]): Promise<[Conversation, Buffer]> => {
    const { server, relay } = await serving(t, 'openssl', (port) => [
      ...['s_server', '-accept', `127.0.0.1:${port}`, '-tls1_3', '-early_data', '-quiet', ...files],
    ]);
    // A server that refuses makes no key for early data: the client's log has it.
    const log = ['-keylogfile', inFolder('refused.keys')];
    const to = ['-connect', `127.0.0.1:${relay.port}`, '-tls1_3', ...log];
    const client = startProgram('openssl', ['s_client', ...to, ...more]);
    t.after(() => client.stop('SIGKILL'));
    client.child.stdin?.write(envelopes(sent));
    await server.until(() => server.octets.includes(envelopes(sent)));
    await until(() => keysIn('old-ticket').includes('END SSL SESSION'));
    client.child.stdin?.end();
    await until(() => relay.ended > 0);
    return [relay.said(keysIn('refused.keys')), server.octets];
  };
  await session(packets(60), '-sess_out', ticket);
  const [early, last] = [packets(300, 500), packets(61)];
  writeFileSync(inFolder('early.bin'), envelopes(early));
  const [zero, octets] = await session(last, '-sess_in', ticket, '-early_data', inFolder('early.bin'));
  assert.ok(!octets.includes(envelopes(early)), 'OpenSSL took early data');
  assert.deepEqual(await rowsOf(zero), marks([...early, ...last]));
  const found = finding(await reportOn(captured(zero).octets, zero.keylog), 'fttims.early-data');
  assert.match(found.meaning, /^The EFTF refused early data/);
});
