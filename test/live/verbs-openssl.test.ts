import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { before, type TestContext, test } from 'node:test';
import { makeCertificate } from '../../src/live/tls-certificate.js';
import { freePort, listening } from '../support/ports.js';
import { enveloped, handMade4, inFolder, missing, startFttscope, startProgram } from './outer-support.js';

/** The verbs of the tunnel, as openssl s_server sees what they do. */

const skip = missing('openssl', 'version');
const PACKET = enveloped(handMade4([10, 0, 0, 2], [10, 0, 0, 1], 1, Buffer.from([8, 0, 0xf7, 0xff, 0, 0, 0, 0])));

before(() => {
  const own = makeCertificate({ name: 'eftf', names: ['127.0.0.1'], days: 1 });
  writeFileSync(inFolder('s.pem'), own.cert);
  writeFileSync(inFolder('s.key'), own.key);
});

/** A UE that goes these steps, and the server; `messages` are what the server says of TLS. */
async function against(t: TestContext, steps: readonly unknown[]) {
  const port = await freePort();
  const files = ['-cert', inFolder('s.pem'), '-key', inFolder('s.key'), '-msg', '-msgfile', inFolder('messages')];
  const server = startProgram('openssl', ['s_server', '-accept', `127.0.0.1:${port}`, '-quiet', ...files]);
  t.after(() => server.stop('SIGKILL'));
  await listening('tcp', port, server.child.pid);
  writeFileSync(inFolder('messages'), '');
  writeFileSync(inFolder('steps.json'), JSON.stringify({ steps }));
  const ue = startFttscope(['ue', `127.0.0.1:${port}`, '--insecure', '--seed', '5', '--run', inFolder('steps.json')]);
  return { server, ue, messages: () => readFileSync(inFolder('messages'), 'utf8') };
}

const hex = (b: Uint8Array): string => Buffer.from(b).toString('hex');

test('connect, send, fault, wait, release: octets and records arrive as they are meant', { skip }, async (t) => {
  const x = await against(t, [
    'connect',
    { send: hex(PACKET) },
    { fault: ['length-3', 'unknown-type=77', 'version-5', 'wrong-length=5'] },
    { wait: '200ms' },
    { fault: 'octet-records' },
    { send: '01 00 08 45 01 02 03 04' },
    { wait: '200ms' },
    { fault: 'off' },
    { send: '01 00 04 60' },
    'release',
  ]);
  assert.equal(await x.ue.ended, 0, x.ue.err);
  await x.server.until(() => x.server.octets.length >= PACKET.length + 3 + 11 + 23 + 23 + 8 + 4);
  // TS 24.322 §7.1.2: Type, Length of the whole envelope, payload
  const random = (n: number): string => `[0-9a-f]{${2 * n}}`;
  const expected = [
    hex(PACKET),
    '010003',
    `4d000b${random(8)}`,
    `01001750${random(19)}`,
    `01001c45${random(19)}`,
    '0100084501020304',
    '01000460',
  ];
  assert.match(hex(x.server.octets), new RegExp(`${expected.join('')}$`));
  // RFC 8446 §5.2: an octet of content, its type, and a tag of 16 octets
  const lengths = [...x.messages().matchAll(/<<< .*RecordHeader.*\n\s+17 03 03 (..) (..)/g)].map(
    (m) => `${m[1]}${m[2]}`,
  );
  const single = lengths.filter((l) => l === '0012').length;
  assert.equal(single, 8);
  assert.match(x.messages(), /<<< TLS 1\.3, Alert \[length 0002\], warning close_notify/); // TS 24.322 §5.4.2
});

test('fault no-close-notify: the server sees the end of TCP alone', { skip }, async (t) => {
  const x = await against(t, ['connect', { fault: 'no-close-notify' }, { expect: { tunnel: 'down', within: '120s' } }]);
  assert.equal(await x.ue.ended, 0, x.ue.err);
  await x.server.line(/unexpected eof while reading/);
  assert.doesNotMatch(x.messages(), /<<< .*close_notify/);
});

test('expect sees what the server does, and what it does not', { skip }, async (t) => {
  const x = await against(t, [
    'connect',
    { expect: { tunnel: 'up' } },
    { expect: { not: 'tunnel ended', within: '200ms' } },
    { send: 'aa' },
    { expect: { event: '/without a close_notify|reset/', within: '120s' } },
    { expect: { tunnel: 'down', within: '120s' } },
  ]);
  await x.server.until(() => x.server.octets.at(-1) === 0xaa);
  await x.server.stop('SIGKILL');
  assert.equal(await x.ue.ended, 0, x.ue.err);
  const y = await against(t, ['connect', { expect: { event: 'tunnel ended', within: '300ms' } }]);
  assert.equal(await y.ue.ended, 5);
});
