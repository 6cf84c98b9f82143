import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { appendFileSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { connect as tcp } from 'node:net';
import { test } from 'node:test';
import { connect as tls } from 'node:tls';
import {
  codec,
  type DhcpMessage,
  dhcpMessage,
  lanHardware,
  messageType,
  messageTypeOption,
  tunnelHardware,
} from '../../dissectors/dhcp/message.js';
import { encode } from '../../src/kit/index.js';
import { address, addressText, BROADCAST } from '../../src/live/address.js';
import { LeaseFile } from '../../src/live/dhcp-lease-file.js';
import { DhcpServer, type DhcpServerOptions } from '../../src/live/dhcp-server.js';
import { cidr, Eftf } from '../../src/live/eftf.js';
import { udpPacket } from '../../src/live/ip-packet.js';
import { makeCertificate } from '../../src/live/tls-certificate.js';
import { PROFILE } from '../../src/live/tls-settings.js';
import { Ue } from '../../src/live/ue.js';
import { freePort } from '../support/ports.js';
import { PATIENCE_MS, until } from '../support/until.js';
import { VirtualClock } from './clock.js';
import { enveloped, inFolder, startFttscope } from './outer-support.js';

/** Leases outlive the EFTF, and whatever is done to it. RFC 2131 §2.1 */

const SERVER: DhcpServerOptions = {
  server: address('10.0.0.1'),
  pool: { prefix: address('10.0.0.0'), length: 24 },
  leaseSeconds: 3600,
};
const DISCOVER = 1;
const REQUEST = 3;
const DECLINE = 4;
const RELEASE = 7;

/** A message of client `n`, which asks for an address. RFC 2131 §4.4.1 */
const message = (n: number, type: number, wanted?: string, more: Partial<DhcpMessage> = {}): DhcpMessage =>
  dhcpMessage({
    op: 1,
    xid: n,
    ...lanHardware(Uint8Array.of(2, 0, 0, 0, n >> 8, n)),
    options: [messageTypeOption(type), ...(wanted === undefined ? [] : [{ code: 50, bytes: address(wanted) }])],
    ...more,
  });

/** A server whose leases live in a file, with a clock of its own that starts anywhere. */
function kept(name: string, start = 0) {
  const told: string[] = [];
  const clock = new VirtualClock();
  clock.advance(start);
  const file = new LeaseFile(inFolder(name), (words) => told.push(words), clock);
  const server = new DhcpServer({ ...SERVER, onBinding: (b) => file.add(b) });
  server.restore(file.read());
  return { server, file, told, clock };
}

/** Gets an address for client `n` on a link of its own. */
function bind(server: DhcpServer, n: number, now: number): string {
  server.attach(n);
  const offer = server.handle(message(n, DISCOVER), n, now)!.message;
  const wanted = addressText(offer.yiaddr);
  const ack = server.handle(message(n, REQUEST, wanted), n, now)!.message;
  assert.deepEqual([messageType(ack), addressText(ack.yiaddr)], [5, wanted]);
  return wanted;
}

test('what is bound, released and declined is known to the next run', () => {
  const one = kept('three.jsonl');
  const bound = bind(one.server, 1, 0);
  const released = bind(one.server, 2, 0);
  const declined = bind(one.server, 3, 0);
  one.server.handle(message(2, RELEASE, undefined, { ciaddr: address(released) }), 2, 0);
  one.server.handle(message(3, DECLINE, declined), 3, 0);
  one.server.handle(message(4, DISCOVER), 4, 0); // an offer is no lease
  assert.equal(statSync(one.file.path).mode & 0o777, 0o600);
  // Nothing is closed: the program was killed.
  const two = kept('three.jsonl', 9_000_000);
  const states = two.server.bindings().map((b) => [addressText(b.address), b.state]);
  assert.deepEqual(states, [
    [bound, 'bound'],
    [released, 'released'],
    [declined, 'declined'],
  ]);
  const [b] = two.server.bindings();
  const left = b.expires - 9_000_000;
  assert.ok(left > 3_500_000 && left <= 3_600_000, `${left} ms`); // by the time of day, not by the clock of the run
  const again = two.server.handle(message(1, DISCOVER), 1, two.clock.now())!.message;
  assert.equal(addressText(again.yiaddr), bound);
  assert.ok(![bound, declined].includes(bind(two.server, 5, two.clock.now())));
});

test('a file that was cut off in a line, or that somebody wrote into, is used as far as it goes', () => {
  const one = kept('cut.jsonl');
  const first = bind(one.server, 1, 0);
  bind(one.server, 2, 0);
  const text = readFileSync(one.file.path, 'utf8');
  writeFileSync(one.file.path, text.slice(0, -20));
  appendFileSync(one.file.path, '\n{"address":"10.0.0.9"}\n[1]\nnull\n');
  const two = kept('cut.jsonl');
  assert.deepEqual(
    two.server.bindings().map((b) => addressText(b.address)),
    [first],
  );
  assert.match(two.told.join('\n'), /cut\.jsonl: 4 damaged lines are left out/);
  // Of another pool: nothing that this server may lease.
  appendFileSync(
    one.file.path,
    '{"address":"10.7.0.9","client":"01","state":"bound","expires":"2999-01-01T00:00:00Z"}\n',
  );
  assert.equal(kept('cut.jsonl').server.bindings().length, 1);
});

test('the file does not grow with renewals', () => {
  const { server, file } = kept('renewed.jsonl');
  const own = bind(server, 1, 0);
  for (let i = 0; i < 5000; i++) server.handle(message(1, REQUEST, undefined, { ciaddr: address(own) }), 1, i);
  const lines = readFileSync(file.path, 'utf8').trimEnd().split('\n');
  assert.ok(lines.length < 1100, `${lines.length} lines`);
});

test('where the file cannot be written, leases are given all the same, and that is told', () => {
  const told: string[] = [];
  writeFileSync(inFolder('no-folder'), '');
  const file = new LeaseFile(inFolder('no-folder/leases.jsonl'), (words) => told.push(words));
  const server = new DhcpServer({ ...SERVER, onBinding: (b) => file.add(b) });
  bind(server, 1, 0);
  bind(server, 2, 0);
  assert.equal(told.length, 1);
  assert.match(told[0], /leases are not kept: .*no-folder/);
});

const ca = { ...makeCertificate({ name: 'CA', days: 1 }), name: 'CA' };
const certificate = makeCertificate({ name: 'eftf', names: ['127.0.0.1'], issuer: ca, days: 1 });

test('hostile load costs nobody their lease', async () => {
  const told: string[] = [];
  const leases = new LeaseFile(inFolder('hostile.jsonl'), (words) => told.push(words));
  const eftf = new Eftf({
    certificate,
    versions: PROFILE,
    pool: cidr('10.0.0.0/24', 4),
    leases,
    limits: { handshakes: 100, stallMs: 400 },
    tell: (words) => told.push(words),
  });
  const { port } = await eftf.listen('127.0.0.1', 0);
  const connect = { host: '127.0.0.1', port, ca: ca.cert, versions: PROFILE, timeoutMs: PATIENCE_MS };
  const lines: string[] = [];
  const enter = async (): Promise<Ue> => {
    const ue = new Ue({ connect, families: [4], tell: (line) => lines.push(line) });
    await ue.connect();
    await ue.dhcp(PATIENCE_MS);
    return ue;
  };
  const good = await Promise.all(Array.from({ length: 8 }, enter));
  const owned = (): string[] => good.map((u) => addressText(u.host.dhcp.lease!.address));
  const before = owned();
  assert.equal(new Set(before).size, 8);

  // Connections that never speak, octets that are no TLS, and none that are envelopes.
  const rough = Array.from({ length: 600 }, (_, i) => {
    const socket = tcp(port, '127.0.0.1').on('error', () => {});
    if (i % 3 === 0) socket.write(randomBytes(300));
    return socket;
  });
  for (let i = 0; i < 5; i++) (await enter()).established!.link.sendOctets(randomBytes(20_000));
  // Half an envelope, and a reader that reads nothing.
  const slow = tls({ port, host: '127.0.0.1', ca: ca.cert }, () => slow.write(Buffer.of(1, 0xff, 0xff, 0x45)));
  slow.on('error', () => {}).pause();
  // Somebody who wants all addresses, and those of the others.
  const greedy = await enter();
  const say = (m: DhcpMessage): boolean =>
    greedy.established!.link.sendOctets(
      enveloped(udpPacket({ src: m.ciaddr, dst: BROADCAST }, 68, 67, encode(codec, m))),
    );
  for (let n = 0; n < 1000; n++) say(message(n, DISCOVER));
  for (const own of before) {
    const { chaddr, htype, hlen } = tunnelHardware(address('127.0.0.1'));
    for (const type of [REQUEST, DECLINE]) say(message(7, type, own, { chaddr, htype, hlen }));
    say(message(7, RELEASE, undefined, { chaddr, htype, hlen, ciaddr: address(own) }));
  }
  const words = [
    /cut off half-open connections: more than 100 at a time/,
    /half an envelope came, and nothing more for 0\.4 s/,
  ];
  await until(
    () => words.every((w) => told.some((t) => w.test(t))),
    () => told.join('\n'),
  );
  await Promise.all(good.map((u) => u.ping(undefined, PATIENCE_MS)));
  assert.deepEqual(owned(), before);
  assert.ok(eftf.router.dhcp!.bindings().length < 40, `${eftf.router.dhcp!.bindings().length} addresses are taken`);
  for (const socket of rough) socket.destroy();
  slow.destroy();
  await Promise.all([...good, greedy].map((u) => u.release()));
  await eftf.close();
});

test('an EFTF that was killed knows its UEs again', async () => {
  const port = await freePort();
  const start = async () => {
    const eftf = startFttscope(['eftf', '--lab', '--listen', `127.0.0.1:${port}`, '-4']);
    await eftf.line(/^listening/m);
    return eftf;
  };
  const first = await start();
  const enter = async () => {
    const ue = startFttscope(['ue', `127.0.0.1:${port}`, '--lab', '-4']);
    const [, own] = await ue.line(/^IPv4 (\S+) /m);
    await ue.line(/^registered/m);
    ue.child.stdin?.write('ping\n'); // it stays when the tunnel goes
    await ue.line(/octets from/);
    return { ue, own };
  };
  const ues = [await enter(), await enter(), await enter()];
  await first.stop('SIGKILL');
  await Promise.all(ues.map(({ ue }) => ue.line(/^tunnel ended/m)));
  const second = await start();
  assert.match(second.out, /^3 leases taken over from .*127\.0\.0\.1-\d+-10\.45\.0\.0_16\.jsonl$/m);
  for (const { ue, own } of ues.reverse()) {
    ue.child.stdin?.write('connect\ndhcp\nping\nquit\n');
    assert.equal(await ue.ended, 0, ue.err);
    assert.deepEqual(
      [...ue.out.matchAll(/^IPv4 (\S+\/\d+) /gm)].map((m) => m[1]),
      [own, own],
    );
  }
  assert.equal(await second.stop(), 0);
});
