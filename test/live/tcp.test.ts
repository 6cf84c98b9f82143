import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LIMITS } from '../../src/limits.js';
import { address, addressText } from '../../src/live/address.js';
import { IpHost } from '../../src/live/host.js';
import { icmpErrorPacket, readPacket } from '../../src/live/ip-packet.js';
import { type Random, seededRandom } from '../../src/live/random.js';
import { TcpConnection, type TcpUser } from '../../src/live/tcp-connection.js';
import { TcpHost } from '../../src/live/tcp-host.js';
import { TcpReceiver } from '../../src/live/tcp-receiver.js';
import { FIN, mssOf, RST, readSegment, type TcpSegment } from '../../src/live/tcp-segment.js';
import { TcpSender } from '../../src/live/tcp-sender.js';
import { VirtualClock } from './clock.js';

/** What one side of a connection heard. */
class Heard implements TcpUser {
  connection: TcpConnection | undefined;
  readonly octets: number[] = [];
  readonly log: string[] = [];
  onOpen(connection: TcpConnection): void {
    this.connection = connection;
    this.log.push('open');
  }
  onData(octets: Uint8Array): void {
    this.octets.push(...octets);
  }
  onEnd(): void {
    this.log.push('end');
  }
  onClose(why: string | undefined): void {
    this.log.push(`closed ${why ?? 'by both'}`);
  }
}

interface Passed {
  at: number;
  from: string;
  segment: TcpSegment;
  packet: Uint8Array;
}

/** Two hosts with 20 ms between them; `fate` says what becomes of packet n: so many ms late, or lost. */
function pair(fate: (n: number, s: TcpSegment) => number | undefined = () => 0, ip = ['10.0.0.1', '10.0.0.2']) {
  const clock = new VirtualClock();
  const passed: Passed[] = [];
  const hosts: IpHost[] = [];
  const ends = ip.map((own, i) => {
    const host = new IpHost({
      families: [4, 6],
      random: seededRandom(i + 1),
      send(packet) {
        const p = readPacket(packet.slice());
        assert.ok(typeof p !== 'string');
        const segment = readSegment(p);
        assert.ok(segment !== undefined, 'header and checksum are right');
        passed.push({ at: clock.now(), from: addressText(p.src), segment, packet: p.packet });
        const late = fate(passed.length - 1, segment);
        if (late !== undefined) clock.after(20 + late, () => hosts[1 - i].handle(p.packet, clock.now()));
      },
    });
    host.addAddress({ address: address(own), prefixLength: own.includes(':') ? 64 : 24 });
    hosts.push(host);
    return new TcpHost(host, clock, seededRandom(i + 10));
  });
  const server = new Heard();
  ends[1].listen(5060, () => server);
  const client = new Heard();
  const open = () => ends[0].connect({ address: address(ip[1]), port: 5060 }, client)!;
  return { clock, passed, ends, hosts, server, client, open };
}

const text = (length: number, random: Random = seededRandom(7)): Uint8Array =>
  Uint8Array.from({ length }, () => Math.floor(random.next() * 256));

for (const ip of [
  ['10.0.0.1', '10.0.0.2'],
  ['fd00::1', 'fd00::2'],
])
  test(`a connection from ${ip[0]}: opened, used both ways, ended from one side and then the other`, () => {
    const { clock, passed, server, client, open } = pair(undefined, ip);
    const connection = open();
    connection.send(text(5000));
    clock.advance(200);
    assert.deepEqual(server.octets, [...text(5000)]);
    server.connection!.send(text(100, seededRandom(3)));
    clock.advance(100);
    assert.deepEqual(client.octets, [...text(100, seededRandom(3))]);
    connection.close();
    clock.advance(100);
    assert.deepEqual(server.log, ['open', 'end']);
    server.connection!.send(text(10)); // the other direction goes on
    server.connection!.close();
    clock.advance(100);
    assert.equal(client.octets.length, 110);
    assert.deepEqual(server.log, ['open', 'end', 'closed by both']);
    assert.deepEqual(client.log, ['open', 'end']);
    assert.equal(connection.state, 'time-wait');
    clock.advance(60_000);
    assert.deepEqual(client.log, ['open', 'end', 'closed by both']);
    const mss = ip[0].includes(':') ? 1440 : 1460;
    assert.equal(Math.max(...passed.map((p) => p.segment.payload.length)), mss);
    assert.equal(clock.next(), Number.POSITIVE_INFINITY, 'no timer is left');
  });

for (const seed of [1, 2, 3, 4, 5, 6, 7, 8])
  test(`a fifth of all packets lost, a fifth out of order, seed ${seed}: every octet arrives, in order`, () => {
    const chance = seededRandom(seed);
    const { clock, server, client, open } = pair(() => {
      const x = chance.next();
      return x < 0.2 ? undefined : x < 0.4 ? 5 + 40 * chance.next() : 0;
    });
    const connection = open();
    connection.send(text(100_000));
    clock.advance(1_000_000);
    assert.ok(Buffer.from(server.octets).equals(text(100_000)), `${server.octets.length} octets came`);
    server.connection!.send(text(30_000, seededRandom(9)));
    server.connection!.close();
    connection.close();
    clock.advance(1_000_000);
    assert.deepEqual(client.octets, [...text(30_000, seededRandom(9))]);
    assert.ok(client.log.at(-1)!.startsWith('closed'));
    assert.ok(server.log.at(-1)!.startsWith('closed'));
  });

/** A connection whose first `n` SYN were lost, once it is there; what `lost` names of the packets is lost as well. */
function opened(n: number) {
  const lost = new Set(Array.from({ length: n }, (_, i) => i));
  const x = pair((i) => (lost.has(i) ? undefined : 0));
  const connection = x.open();
  x.clock.advance(1000 * (2 ** n - 1) + 100);
  assert.equal(connection.state, 'established');
  const from = x.passed.length;
  /** Data since then: how far the first octet is behind the first of all, and when it was sent. */
  const data = (): [octet: number, at: number][] =>
    x.passed
      .slice(from)
      .filter(({ segment }) => segment.payload.length > 0)
      .map(({ segment, at }) => [segment.seq - x.passed[from].segment.seq, at - x.passed[from].at]);
  return { ...x, lost, from, connection, data };
}

test('what is lost is sent again after a second, then ever later; a lost segment with three behind it at once', () => {
  assert.deepEqual(
    opened(3)
      .passed.slice(0, 4)
      .map((p) => p.at),
    [0, 1000, 3000, 7000], // RFC 6298 §2 (2.1), §5 (5.5)
  );
  const { clock, connection, lost, from, data } = opened(0);
  lost.add(from);
  connection.send(text(1460 * 6));
  clock.advance(100);
  const [octet, at] = data()[6];
  assert.ok(octet === 0 && at < 100, 'RFC 5681 §3.2');
});

test('data behind a SYN that was lost waits three seconds for an acknowledgement. RFC 6298 §5 (5.7)', () => {
  for (const [lostSyns, ms] of [
    [0, 1000],
    [1, 3000],
    [2, 3000],
  ]) {
    const { clock, connection, lost, from, data } = opened(lostSyns);
    lost.add(from);
    connection.send(text(100));
    clock.advance(5000);
    assert.deepEqual(data()[1], [0, ms], `${lostSyns}`);
  }
});

test('ten segments go at first, no more than 14600 octets, and one where two SYN were lost. RFC 6928 §2', () => {
  for (const [lostSyns, segments] of [
    [0, 10],
    [1, 10],
    [2, 1],
  ]) {
    const { clock, connection, data } = opened(lostSyns);
    connection.send(text(1460 * 12));
    clock.advance(15);
    assert.equal(data().length, segments, `${lostSyns}`);
  }
  const sent: number[] = [];
  const sender = new TcpSender(0, {
    clock: new VirtualClock(),
    emit: (_, b) => sent.push(b.length),
    giveUp: assert.fail,
  });
  sender.open();
  sender.mss = 8960;
  sender.send(text(40_000));
  sender.acknowledged(0, 1, 0xffff, false);
  assert.deepEqual(sent, [0, 8960, 8960]);
  sender.stop();
});

test('nobody answers: the connection is given up, and says so', () => {
  const { clock, client, open } = pair(() => undefined);
  open();
  clock.advance(400_000);
  assert.deepEqual(client.log, ['closed no answer']);
  const gone = pair();
  const connection = gone.open();
  gone.clock.advance(100);
  gone.hosts[1].removeAddress(address('10.0.0.2'));
  connection.send(text(1));
  gone.clock.advance(400_000);
  assert.deepEqual(gone.client.log, ['open', 'closed no answer']);
});

test('a port at which nobody listens refuses; a RST ends, but only where it fits', () => {
  const { clock, ends, client, open, server, passed } = pair();
  ends[0].connect({ address: address('10.0.0.2'), port: 81 }, client);
  clock.advance(100);
  assert.deepEqual(client.log, ['closed refused']);
  const connection = open();
  clock.advance(100);
  const [{ segment: syn }] = passed.filter((p) => p.segment.dstport === 5060);
  const forged = { ...syn, flags: RST, options: new Uint8Array(0), seq: (syn.seq + 1000) >>> 0 };
  server.connection!.receive(forged);
  assert.equal(server.connection!.state, 'established', 'RFC 5961 §3.2');
  connection.abort('enough');
  clock.advance(100);
  assert.deepEqual(server.log, ['open', 'closed reset by the peer']);
});

/** What went from an end, besides the handshake: octets of each segment and when, from `start` on. */
const sizes = (passed: readonly Passed[], from: string, start: number): [size: number, at: number][] =>
  passed.filter((p) => p.from === from && p.at >= start).map((p) => [p.segment.payload.length, p.at - start]);

test('an acknowledgement waits a moment for an answer that takes it along. RFC 5681 §4.2', () => {
  const { clock, passed, server, open } = pair();
  const connection = open();
  clock.advance(1000);
  const begin = (): number => {
    clock.advance(1000);
    return clock.now();
  };
  let start = begin();
  connection.send(text(100));
  clock.advance(30);
  server.connection!.send(text(50));
  clock.advance(200);
  assert.deepEqual(sizes(passed, '10.0.0.2', start), [[50, 30]], 'the answer acknowledges');
  assert.deepEqual(sizes(passed, '10.0.0.1', start).slice(1), [[0, 90]], 'what is not answered is acknowledged, too');
  start = begin();
  connection.send(text(100));
  connection.send(text(100));
  clock.advance(200);
  assert.deepEqual(sizes(passed, '10.0.0.2', start), [[0, 20]], 'two are acknowledged at once');
  start = begin();
  connection.send(text(2000));
  clock.advance(200);
  // Who holds the rest back until its first segment is acknowledged (Nagle) would wait for it.
  assert.deepEqual(sizes(passed, '10.0.0.2', start), [
    [0, 20],
    [0, 60],
  ]);
});

test('what fills a gap, or comes again, is acknowledged at once. RFC 5681 §4.2', () => {
  const lost = new Set<number>();
  const { clock, passed, open } = pair((n) => (lost.has(n) ? undefined : 0));
  const connection = open();
  clock.advance(1000);
  const start = clock.now();
  lost.add(passed.length);
  connection.send(text(100));
  clock.advance(10);
  connection.send(text(100));
  clock.advance(1500);
  assert.deepEqual(sizes(passed, '10.0.0.2', start), [
    [0, 30],
    [0, 1020],
  ]);
});

test('a peer that never ends its direction is forgotten a minute after it was heard last', () => {
  const { clock, client, server, open, ends, passed } = pair();
  const connection = open();
  clock.advance(100);
  connection.close();
  clock.advance(50_000);
  server.connection!.send(text(10));
  clock.advance(50_000);
  assert.deepEqual(client.log, ['open'], 'the other direction goes on');
  assert.equal(connection.state, 'fin-wait-2');
  clock.advance(20_000);
  assert.deepEqual(client.log, ['open', 'closed the peer did not end its side']);
  assert.equal(client.octets.length, 10);
  const from = passed.length;
  server.connection!.send(text(10));
  clock.advance(100);
  assert.deepEqual(
    passed.slice(from).map((p) => p.segment.flags & RST),
    [0, RST],
  );
  assert.deepEqual(server.log, ['open', 'end', 'closed reset by the peer']);
  ends[0].stop();
  assert.equal(clock.next(), Number.POSITIVE_INFINITY);
});

for (const { ip, mtu, most, type, code } of [
  { ip: ['10.0.0.1', '10.0.0.2'], mtu: 1000, most: 960, type: 3, code: 4 },
  { ip: ['fd00::1', 'fd00::2'], mtu: 1280, most: 1220, type: 2, code: 0 },
])
  test(`a path that takes ${mtu} octets (ICMP type ${type}): what was lost goes again at once, in segments that fit`, () => {
    const { clock, passed, hosts, server, open } = pair(
      (_, s) => (s.payload.length > most ? undefined : 0), // a router on the path
      ip,
    );
    const connection = open();
    clock.advance(100);
    connection.send(text(5000));
    clock.advance(50);
    const tooLarge = passed.map((p) => p.packet).find((p) => p.length > mtu)!;
    const about = readPacket(tooLarge);
    assert.ok(typeof about !== 'string');
    const router = address(ip[0].includes(':') ? 'fd00::99' : '10.0.0.99');
    const stale = readPacket(tooLarge.slice());
    assert.ok(typeof stale !== 'string');
    stale.packet[stale.off + 4] ^= 0x40; // nothing with that sequence number is under way. RFC 5927 §4.1
    const from = passed.length;
    hosts[0].handle(icmpErrorPacket(stale, router, { type, code, word: mtu })!, clock.now());
    assert.equal(passed.length, from);
    hosts[0].handle(icmpErrorPacket(about, router, { type, code, word: mtu })!, clock.now());
    assert.equal(passed[from].segment.payload.length, most);
    clock.advance(200);
    assert.deepEqual(server.octets, [...text(5000)]);
    assert.equal(passed.slice(from).filter((p) => p.packet.length > mtu).length, 0);
    // A connection that comes later knows it, and says no other size of what it takes itself.
    const next = open();
    next.send(text(3000));
    const later = passed.length - 1;
    clock.advance(200);
    assert.equal(mssOf(passed[later].segment), ip[0].includes(':') ? 1440 : 1460);
    assert.ok(passed.slice(later).every((p) => p.packet.length <= mtu));
  });

test('a window that is closed is asked about until it opens', () => {
  const { clock, server, client, open, passed } = pair();
  const connection = open();
  clock.advance(100);
  const [, synAck] = passed.map((p) => p.segment);
  const ack = (window: number, n: number): TcpSegment => ({
    ...synAck,
    seq: (synAck.seq + 1) >>> 0,
    flags: 16,
    ack: (synAck.ack + n) >>> 0,
    window,
    options: new Uint8Array(0),
  });
  connection.receive(ack(0, 0));
  const from = passed.length;
  connection.send(text(3000));
  clock.advance(500);
  assert.equal(passed.length, from, 'nothing goes');
  clock.advance(700);
  assert.equal(passed[from].segment.payload.length, 1, 'RFC 9293 §3.8.6.1');
  clock.advance(5000);
  assert.deepEqual(server.octets, [...text(3000)], 'its answer had the window open');
  assert.deepEqual(client.log, ['open']);
});

test('a window that stays closed ends nothing while the peer answers, and gets no more than one octet. RFC 9293 §3.8.6.1', () => {
  let closed = true;
  const { clock, server, client, open, passed } = pair();
  const connection = open();
  clock.advance(100);
  const [, synAck] = passed.map((p) => p.segment);
  const whole = connection.receive.bind(connection);
  connection.receive = (s) => whole(closed ? { ...s, ack: (synAck.ack + 0) >>> 0, window: 0 } : s);
  connection.receive({ ...synAck, seq: (synAck.seq + 1) >>> 0, flags: 16, options: new Uint8Array(0) });
  const from = passed.length;
  connection.send(text(3000));
  clock.advance(600_000);
  assert.deepEqual(client.log, ['open']);
  const probes = passed.slice(from).filter((p) => p.from === '10.0.0.1');
  assert.ok(probes.length >= 10);
  assert.deepEqual([...new Set(probes.map((p) => p.segment.payload.length))], [1]);
  closed = false;
  clock.advance(120_000);
  assert.deepEqual(server.octets, [...text(3000)]);
});

test('what comes too early is kept once, and no more of it than there is room for', () => {
  const receiver = new TcpReceiver();
  const one = Uint8Array.of(1);
  const kept = () => (receiver as unknown as { early: unknown[] }).early.length;
  for (let i = 0; i < 1000; i++) receiver.take(10, one, false);
  assert.equal(kept(), 1);
  for (let i = 0; i < 20_000; i++) receiver.take(20 + 2 * i, new Uint8Array(0), true);
  assert.ok(kept() <= LIMITS.tcpEarlySegments);
});

test('both open at once: one connection. RFC 9293 §3.5', () => {
  const clock = new VirtualClock();
  const heard = [new Heard(), new Heard()];
  const places = ['10.0.0.1', '10.0.0.2'].map((own) => ({ address: address(own), port: 40_000 }));
  const ends = places.map((place, i) => {
    const cx = {
      clock,
      mss: 1460,
      pathMss: 1460,
      emit: (s: Omit<TcpSegment, 'srcport' | 'dstport' | 'urgent'>) =>
        void clock.after(20, () => ends[1 - i].receive({ ...s, srcport: 40_000, dstport: 40_000, urgent: 0 })),
      done: () => undefined,
    };
    return new TcpConnection(place, places[1 - i], cx, heard[i], 1000 * (i + 1));
  });
  for (const e of ends) e.open();
  clock.advance(200);
  assert.deepEqual(
    ends.map((e) => e.state),
    ['established', 'established'],
  );
  ends[0].send(text(10));
  ends[1].send(text(20));
  clock.advance(100);
  assert.deepEqual(
    heard.map((h) => [h.octets.length, ...h.log]),
    [
      [20, 'open'],
      [10, 'open'],
    ],
  );
});

test('more than there is room for: the connection that was silent longest makes room, and what waits to be sent is capped', () => {
  const most = LIMITS.tcpConnections;
  (LIMITS as { tcpConnections: number }).tcpConnections = 2;
  try {
    const { clock, ends } = pair();
    const clients = [0, 1, 2].map(() => new Heard());
    for (const c of clients) {
      ends[0].connect({ address: address('10.0.0.2'), port: 5060 }, c);
      clock.advance(100);
    }
    assert.deepEqual(clients[0].log, ['open', 'closed made room for others']);
    assert.equal(ends[0].displaced, 1);
    assert.deepEqual(clients[2].log, ['open']);
  } finally {
    (LIMITS as { tcpConnections: number }).tcpConnections = most;
  }
  const { clock, client, open } = pair();
  const connection = open();
  assert.equal(connection.send(new Uint8Array(LIMITS.tcpSendOctets)), true);
  assert.equal(connection.send(new Uint8Array(1)), false);
  clock.advance(100);
  assert.deepEqual(client.log, ['closed more waits to be sent than there is room for']);
});

test('a host that is stopped tells its peers, and keeps no timer', () => {
  const { clock, ends, server, open, passed } = pair();
  open();
  clock.advance(100);
  ends[0].stop();
  clock.advance(100);
  assert.ok(passed.some((p) => p.from === '10.0.0.1' && (p.segment.flags & FIN) !== 0));
  assert.deepEqual(server.log, ['open', 'end', 'closed reset by the peer'], 'there is nothing left that could answer');
  ends[1].stop();
  assert.equal(clock.next(), Number.POSITIVE_INFINITY);
});
