import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { afterEach, test } from 'node:test';
import * as tls from 'node:tls';
import { Faults } from '../../src/live/fault.js';
import { systemRandom } from '../../src/live/random.js';
import { makeCertificate } from '../../src/live/tls-certificate.js';
import { PROFILE, tlsVersions } from '../../src/live/tls-settings.js';
import { Tap } from '../../src/live/tls-tap.js';
import { establish } from '../../src/live/tunnel-connect.js';
import type { TunnelLink } from '../../src/live/tunnel-link.js';
import { type ServedTunnel, type ServerLimits, TunnelServer } from '../../src/live/tunnel-server.js';
import { PATIENCE_MS, until } from '../support/until.js';
import { handMade4 } from './outer-support.js';

/** An EFTF serves the others, and says what it cut and why. */

const ca = { ...makeCertificate({ name: 'CA', days: 1 }), name: 'CA' };
const certificate = makeCertificate({ name: 'eftf', names: ['127.0.0.1'], issuer: ca, days: 1 });
const PACKET = handMade4([10, 0, 0, 2], [10, 0, 0, 1], 17, Buffer.from([0, 9, 0, 9, 0, 8, 0, 0]));

interface Served {
  readonly server: TunnelServer;
  readonly port: number;
  readonly told: string[];
  readonly tunnels: ServedTunnel[];
}
const open: { close(): void }[] = [];
afterEach(() => {
  for (const one of open.splice(0)) one.close();
});

/** A server that sends every packet back. */
async function serve(limits: Partial<ServerLimits> = {}): Promise<Served> {
  const told: string[] = [];
  const tunnels: ServedTunnel[] = [];
  const server = new TunnelServer({
    certificate,
    versions: PROFILE,
    limits,
    tell: (words) => told.push(words),
    onTunnel: (t) => {
      tunnels.push(t);
      t.link.onPacket((ip) => t.link.send(ip));
    },
  });
  const { port } = await server.listen('127.0.0.1', 0);
  open.push({ close: () => void server.close() });
  return { server, port, told, tunnels };
}

const ue = async (port: number, versions = PROFILE): Promise<TunnelLink> => {
  const { link } = await establish({ host: '127.0.0.1', port, insecure: true, versions, timeoutMs: PATIENCE_MS });
  open.push({ close: () => link.cut('the test is over') });
  return link;
};

/** Sends a packet and waits for it to come back. */
function echo(link: TunnelLink): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('no echo')), PATIENCE_MS);
    link.onPacket((ip) => {
      clearTimeout(timer);
      assert.deepEqual(Buffer.from(ip), PACKET);
      resolve();
    });
    link.send(PACKET);
  });
}

function raw(port: number, first?: Uint8Array): Promise<Socket> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      if (first !== undefined) socket.write(first);
      resolve(socket);
    });
    socket.on('error', () => resolve(socket)).resume();
    open.push({ close: () => socket.destroy() });
  });
}

test('10,000 half-open connections make room for others', async () => {
  const { port, told, server } = await serve({ handshakes: 200 });
  const before = await ue(port);
  for (let i = 0; i < 50; i++) await Promise.all(Array.from({ length: 200 }, () => raw(port)));
  await echo(before);
  await echo(await ue(port));
  await until(() => told.some((w) => /cut off half-open connections: more than 200 at a time/.test(w)));
  await until(() => server.refused >= 9700);
});

test('a handshake that does not go on is cut off', async () => {
  const { port, told } = await serve({ handshakeMs: 300 });
  const silent = await raw(port);
  const hello = await raw(port, Buffer.from([22, 3, 1, 0, 200, 1]));
  await Promise.all([silent, hello].map((s) => new Promise((r) => s.once('close', r))));
  assert.match(told.join('\n'), /did not finish their handshake within 0\.3 s/);
});

test('random octets instead of TLS, and within it', async () => {
  const { port, told } = await serve();
  const good = await ue(port);
  await Promise.all(Array.from({ length: 60 }, () => raw(port, randomBytes(500))));
  await echo(good);
  for (let i = 0; i < 20; i++) {
    const link = await ue(port);
    link.sendOctets(randomBytes(30_000));
    if (i === 0) link.sendOctets(Buffer.alloc(70_000)); // a Length of 0 comes at last
  }
  await echo(good);
  await echo(await ue(port));
  await until(() => told.some((w) => /length below 3/.test(w)));
  assert.match(told.join('\n'), /TLS failed: 127\.0\.0\.1:\d+: /);
});

/** A UE that takes nothing. */
async function slowPeer({ port, tunnels }: Served): Promise<tls.TLSSocket> {
  const slow = tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
  slow.on('error', () => undefined);
  open.push({ close: () => slow.destroy() });
  await new Promise((r) => slow.once('secureConnect', r));
  slow.pause();
  await until(() => tunnels.length === 1);
  return slow;
}

/** The tunnel to a UE that takes nothing. */
async function slowReader(served: Served): Promise<TunnelLink> {
  await slowPeer(served);
  return served.tunnels[0].link;
}

/** Sends without end: whatever buffers the system has, they fill. */
function flooding(link: TunnelLink): NodeJS.Timeout {
  const big = Buffer.concat([PACKET, Buffer.alloc(60_000)]);
  return setInterval(() => {
    for (let i = 0; i < 50 && link.end === undefined; i++) link.send(big);
  }, 1);
}

test('a close_notify that cannot be sent is not told as sent', async () => {
  const served = await serve();
  const link = await slowReader(served);
  const flood = flooding(link);
  await until(() => link.stalledSince !== 0 && performance.now() - link.stalledSince > 1000);
  clearInterval(flood);
  await served.server.close();
  const words = 'released by the EFTF, which ends, without close_notify: the UE takes nothing';
  assert.deepEqual([link.end?.how, link.end?.words], ['cut', words]);
});

test('an answer to a close_notify that cannot be sent is not waited for', async () => {
  const served = await serve();
  const slow = await slowPeer(served);
  const { link } = served.tunnels[0];
  const flood = flooding(link);
  await until(() => link.stalledSince !== 0 && performance.now() - link.stalledSince > 1000);
  clearInterval(flood);
  slow.end();
  await link.closed;
  const words = 'released by the UE: it sent close_notify, and takes no answer';
  assert.deepEqual(link.end, { by: 'peer', how: 'close_notify', words });
  await served.server.close();
});

test('what waits for its records in a fault is bounded as all is that waits for a slow reader', async () => {
  const link = await slowReader(await serve());
  const faults = new Faults(link, systemRandom);
  faults.apply({ name: 'octet-records' });
  const big = Buffer.concat([PACKET, Buffer.alloc(60_000)]);
  for (let i = 0; i < 100; i++) link.send(big);
  assert.ok(link.sent.dropped > 80 && link.sent.dropped < 95, `${link.sent.dropped} of 100 packets of 60 kB`);
  link.cut('the test is over');
});

test('a slow reader loses packets, then its tunnel; others do not', async () => {
  const served = await serve({ stallMs: 500 });
  const { port, told } = served;
  const link = await slowReader(served);
  const flood = flooding(link);
  const good = await ue(port);
  await echo(good);
  await until(() => link.end !== undefined);
  clearInterval(flood);
  assert.ok(link.sent.dropped > 0);
  assert.match(told.join('\n'), /tunnel 1 ended: cut off: the UE took nothing for 0\.5 s \(slow reader\)/);
  await echo(good);
});

test('half an envelope is not waited for without end', async () => {
  const { port, told } = await serve({ stallMs: 300 });
  const link = await ue(port);
  link.sendOctets(Buffer.from([1, 0xff, 0xff, 0x45]));
  await link.ended;
  assert.match(told.join('\n'), /half an envelope came, and nothing more for 0\.3 s/);
});

test('an envelope that is not complete at the end of its tunnel is told', async () => {
  const { port, told } = await serve();
  const link = await ue(port);
  link.sendOctets(Buffer.from([1, 0xff, 0xff, 0x45]));
  link.close();
  await link.ended;
  await until(() =>
    told.some((w) => /close_notify; the last envelope of the UE is not complete: 4 octets came$/.test(w)),
  );
});

test('no more tunnels than the limits say', async () => {
  const { port, told, server } = await serve({ tunnels: 3 });
  const links = [await ue(port), await ue(port), await ue(port)];
  const fourth = await ue(port);
  await fourth.ended;
  assert.equal(server.tunnels.size, 3);
  assert.match(told.join('\n'), /refused tunnels: more than 3/);
  for (const link of links) await echo(link);
});

test('a connection that breaks while octets are written is told as broken before the write is', async () => {
  const heard: string[] = [];
  const raw = new Duplex({
    read() {},
    write: (_chunk, _encoding, done) => setImmediate(() => done(Object.assign(new Error('gone'), { code: 'EPIPE' }))),
  });
  const tap = new Tap(raw as Socket, {
    octets: () => undefined,
    finished: () => undefined,
    broken: (sent) => void heard.push(`broken ${sent}`),
  });
  tap.on('error', () => undefined);
  await new Promise<void>((resolve) => {
    tap.write('some', (error) => {
      heard.push((error as NodeJS.ErrnoException).code!);
      resolve();
    });
  });
  assert.deepEqual(heard.slice(0, 2), ['broken false', 'EPIPE']);
});

test('a RST close behind octets arrives as one', async () => {
  const { port, tunnels } = await serve();
  for (const version of ['1.2', '1.3']) {
    const link = await ue(port, tlsVersions(version));
    await echo(link);
    tunnels.at(-1)!.link.onPacket(() => undefined); // which answers nothing
    link.send(PACKET);
    new Faults(link, systemRandom).apply({ name: 'rst' });
    const { by, how } = await tunnels.at(-1)!.link.ended;
    assert.deepEqual([by, how], ['peer', 'rst'], version);
  }
});

test('a RST arrives as one, while the EFTF writes and behind a FIN that is on its way', async () => {
  const { port, tunnels } = await serve();
  for (const version of ['1.2', '1.3'])
    for (let i = 0; i < 20; i++) {
      const link = await ue(port, tlsVersions(version));
      for (let n = 0; n < 10; n++) link.send(PACKET); // each comes back
      if (i % 4 === 1) await new Promise((r) => setImmediate(r));
      if (i % 4 === 2) await new Promise((r) => setTimeout(r, 3));
      const faults = new Faults(link, systemRandom);
      if (i % 4 === 3) faults.apply({ name: 'half-close' });
      faults.apply({ name: 'rst' });
      await link.closed;
      assert.equal((await link.ended).words, 'this end reset the connection');
    }
  await until(() => tunnels.length === 40);
  for (const [i, { link }] of tunnels.entries()) {
    const { by, how } = await link.ended;
    // Whoever hears the FIN before the RST comes has heard a truncation.
    assert.ok(by === 'peer' && (how === 'rst' || (i % 4 === 3 && how === 'fin')), `${i}: ${by}, ${how}`);
  }
});
