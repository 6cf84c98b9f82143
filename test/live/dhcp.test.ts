import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { dhcp } from '../../dissectors/dhcp/index.js';
import {
  addressOption,
  clientIdOption,
  type DhcpMessage,
  lanHardware,
  messageType,
  messageTypeOption,
  optionAddresses,
  optionNumber,
  optionValue,
  tunnelHardware,
} from '../../dissectors/dhcp/message.js';
import { encode, put32 } from '../../src/kit/index.js';
import { type Address, address, addressText } from '../../src/live/address.js';
import { Pacer } from '../../src/live/clock.js';
import { DhcpClient, type DhcpClientEvent } from '../../src/live/dhcp-client.js';
import { DhcpServer, type DhcpServerOptions } from '../../src/live/dhcp-server.js';
import { udpPacket } from '../../src/live/ip-packet.js';
import { type Random, seededRandom } from '../../src/live/random.js';
import { VirtualClock } from './clock.js';
import { noTshark, tsharkFields } from './tshark.js';

const NAMES = ['', 'discover', 'offer', 'request', 'decline', 'ack', 'nak', 'release', 'inform'];
const SERVER: DhcpServerOptions = {
  server: address('10.0.0.1'),
  pool: { prefix: address('10.0.0.0'), length: 24 },
  leaseSeconds: 3600,
  routers: [address('10.0.0.1')],
  dns: [address('10.0.0.1')],
  domain: 'ims.example',
  search: ['ims.example', 'example'],
  sipServers: [address('10.0.0.1')],
};

interface Sent {
  at: number;
  message: DhcpMessage;
  src: string;
  dst: string;
}

/** A client on a virtual clock; `answer` stands for whoever hears it. */
function client(answer: (m: DhcpMessage, now: number) => DhcpMessage | undefined, random: Random = seededRandom(7)) {
  const clock = new VirtualClock();
  const pacer = new Pacer(clock);
  const sent: Sent[] = [];
  const events: DhcpClientEvent[] = [];
  const c = new DhcpClient({
    hardware: tunnelHardware(address('192.168.1.2')),
    random,
    send(message, src, dst) {
      sent.push({ at: clock.now(), message, src: addressText(src), dst: addressText(dst) });
      clock.after(10, () => {
        const reply = answer(message, clock.now());
        if (reply) c.handle(reply, clock.now());
        pacer.arrange();
      });
    },
    onEvent: (e) => events.push(e),
  });
  pacer.add(c);
  const begin = (former?: Address) => {
    c.start(clock.now(), former);
    pacer.arrange();
  };
  const log = () => sent.map((s) => `${NAMES[messageType(s.message)]} ${s.src} > ${s.dst}`);
  return { c, clock, pacer, sent, events, begin, log };
}

const serve =
  (server: DhcpServer, link = 1) =>
  (m: DhcpMessage, now: number) =>
    server.handle(m, link, now)?.message;

test('a client gets an address with RFC 3456 hardware and what the server has to say', () => {
  const server = new DhcpServer(SERVER);
  const { c, clock, sent, events, begin, log } = client(serve(server));
  begin();
  clock.advance(100);
  assert.deepEqual(log(), ['discover 0.0.0.0 > 255.255.255.255', 'request 0.0.0.0 > 255.255.255.255']);
  assert.equal(c.state, 'bound');
  for (const { message } of sent) {
    assert.deepEqual([message.htype, message.hlen, message.flags], [31, 7, 0]);
    assert.equal(Buffer.from(message.chaddr).toString('hex'), `4000c0a80102${'00'.repeat(10)}`);
    assert.equal(Buffer.from(optionValue(message, 61)!).toString('hex'), '1f4000c0a8010200');
  }
  assert.deepEqual(optionAddresses(sent[1].message, 50).map(addressText), ['10.0.0.2']);
  assert.deepEqual(optionAddresses(sent[1].message, 54).map(addressText), ['10.0.0.1']);
  assert.equal(sent[0].message.xid, sent[1].message.xid);
  const [bound] = events;
  assert.equal(bound.type, 'bound');
  if (bound.type !== 'bound') return;
  const { lease } = bound;
  assert.deepEqual(
    [addressText(lease.address), lease.prefixLength, lease.seconds, lease.renewal, lease.rebinding],
    ['10.0.0.2', 24, 3600, 1800, 3150],
  );
  assert.deepEqual(
    [lease.routers, lease.dns].map((l) => l.map(addressText)),
    [['10.0.0.1'], ['10.0.0.1']],
  );
  assert.deepEqual([lease.domain, lease.search], ['ims.example', ['ims.example', 'example']]);
  assert.deepEqual(
    lease.sipServers.map((s) => addressText(s as Address)),
    ['10.0.0.1'],
  );
});

test('an unanswered DISCOVER is repeated after 4, 8, 16, 32, 64 s, give or take one, and then it says so', () => {
  const { c, clock, sent, events, begin } = client(() => undefined);
  begin();
  clock.advance(300_000);
  assert.equal(sent.length, 10);
  assert.ok(sent.every((s) => messageType(s.message) === 1));
  const gaps = sent.slice(1).map((s, i) => (s.at - sent[i].at) / 1000);
  for (const [i, nominal] of [4, 8, 16, 32, 64, 4, 8, 16, 32].entries())
    assert.ok(Math.abs(gaps[i] - nominal) <= 1, `gap ${i}: ${gaps[i]}`);
  assert.equal(new Set(gaps.map((g) => g % 1)).size, gaps.length);
  assert.ok(sent[4].message.secs >= 56 && sent[4].message.secs <= 64);
  assert.deepEqual(events, [{ type: 'failed', reason: 'no offer' }]);
  assert.equal(c.state, 'stopped');
  assert.equal(c.pollAt(), Number.POSITIVE_INFINITY);
});

test('an unanswered REQUEST is repeated for a minute, then the client starts again', () => {
  const server = new DhcpServer(SERVER);
  const { clock, events, begin, log } = client((m, now) => (messageType(m) === 1 ? serve(server)(m, now) : undefined));
  begin();
  clock.advance(300_000);
  const kinds = log().map((l) => l.split(' ')[0][0]);
  assert.equal(kinds.join(''), 'drrrrdrrrr');
  assert.deepEqual(events, [{ type: 'failed', reason: 'no answer to the request' }]);
});

test('a REQUEST says as many seconds as its DISCOVER, a RELEASE and a DECLINE none. RFC 2131 §3.1 3., table 5', () => {
  const server = new DhcpServer(SERVER);
  let asked = 0;
  const { c, clock, sent, begin, log } = client((m, now) =>
    ++asked === 3 || asked > 5 ? serve(server)(m, now) : undefined,
  );
  begin();
  clock.advance(40_000);
  assert.equal(
    log()
      .map((l) => l[0])
      .join(''),
    'dddrrr',
  );
  const secs = () => sent.map((s) => s.message.secs);
  assert.ok(secs()[2] >= 10 && secs()[2] <= 14, `${secs()}`);
  assert.deepEqual(secs().slice(3), [secs()[2], secs()[2], secs()[2]]);
  c.decline(clock.now());
  c.start(clock.now());
  clock.advance(1000);
  c.release(clock.now());
  assert.deepEqual(
    sent.filter((s) => [4, 7].includes(messageType(s.message))).map((s) => s.message.secs),
    [0, 0],
  );
});

test('a lease is renewed at T1 by unicast', () => {
  const server = new DhcpServer(SERVER);
  const { c, clock, sent, events, begin, log } = client(serve(server));
  begin();
  clock.advance(1_801_000);
  assert.equal(log()[2], 'request 10.0.0.2 > 10.0.0.1');
  const { at, message } = sent[2];
  assert.ok(Math.abs(at - 1_800_000) < 100);
  // RFC 2131 table 5: ciaddr, neither option 50 nor 54
  assert.deepEqual(
    [addressText(message.ciaddr), optionValue(message, 50), optionValue(message, 54)],
    ['10.0.0.2', undefined, undefined],
  );
  assert.deepEqual(
    events.map((e) => e.type === 'bound' && e.how),
    ['new', 'renewed'],
  );
  assert.equal(c.state, 'bound');
  clock.advance(24 * 3_600_000);
  assert.equal(events.filter((e) => e.type === 'bound').length, 2 + 48);
});

test('times that cannot be are those of RFC 2131 §4.4.5, and none outlasts the lease', () => {
  // ISC's dhclient does the same with a T1 of 0, and udhcpc looks at neither of them.
  for (const [renewalSeconds, rebindingSeconds] of [
    [0, 0],
    [0, 3150],
    [7200, 10_800],
    [3300, 3150],
  ]) {
    const server = new DhcpServer(SERVER);
    const ask = serve(server);
    const { c, clock, sent, begin } = client((m, now) => {
      const answer = ask(m, now);
      for (const o of answer?.options ?? []) {
        if (o.code === 58) put32(o.bytes, 0, renewalSeconds);
        if (o.code === 59) put32(o.bytes, 0, rebindingSeconds);
      }
      return answer;
    });
    begin();
    clock.advance(1_801_000);
    assert.equal(sent.length, 3, `${renewalSeconds} ${rebindingSeconds}: one renewal in the first half hour`);
    assert.ok(Math.abs(sent[2].at - 1_800_000) < 100);
    const { rebinding, seconds } = c.lease!;
    assert.ok(rebinding <= seconds);
  }
});

test('a silent server is asked again at half the time left, at T2 everybody is asked, at the end all is lost', () => {
  const server = new DhcpServer(SERVER);
  let silent = false;
  const { clock, sent, events, begin, log } = client((m, now) => (silent ? undefined : serve(server)(m, now)));
  begin();
  clock.advance(1000);
  silent = true;
  clock.advance(3_599_500);
  const from = sent[1].at / 1000;
  const times = sent.slice(2).map((s) => Math.round(s.at / 1000 - from));
  // T1 1800; half of 1350, 675, 337.5, 168.75, 84.4, a minute at least; T2 3150; half of 450, 225, 112.5; then DISCOVER
  assert.deepEqual(times.slice(0, 6), [1800, 2475, 2813, 2981, 3066, 3126]);
  assert.deepEqual(times.slice(6, 10), [3150, 3375, 3488, 3548]);
  assert.equal(log()[8], 'request 10.0.0.2 > 255.255.255.255');
  assert.equal(log()[12], 'discover 0.0.0.0 > 255.255.255.255');
  assert.deepEqual(events.at(-1), { type: 'lost', reason: 'expired' });
  silent = false;
  clock.advance(10_000);
  assert.equal(events.at(-1)!.type, 'bound');
});

test('a rebinding client is taken by a server that answers', () => {
  const server = new DhcpServer(SERVER);
  const { clock, events, begin } = client((m, now) =>
    now > 1000 && now < 3_200_000 ? undefined : serve(server)(m, now),
  );
  begin();
  clock.advance(3_400_000);
  assert.deepEqual(
    events.map((e) => e.type === 'bound' && e.how),
    ['new', 'rebound'],
  );
});

test('a former address is confirmed, refused, or asked for in vain', () => {
  const server = new DhcpServer(SERVER);
  const first = client(serve(server));
  first.begin(address('10.0.0.77'));
  first.clock.advance(100);
  assert.deepEqual(first.log(), ['request 0.0.0.0 > 255.255.255.255']);
  assert.equal(optionValue(first.sent[0].message, 54), undefined);
  assert.equal(addressText(first.c.lease!.address), '10.0.0.77');

  const elsewhere = client(serve(server));
  elsewhere.begin(address('172.16.0.5'));
  elsewhere.clock.advance(100);
  assert.deepEqual(
    elsewhere.log().map((l) => l.split(' ')[0]),
    ['request', 'discover', 'request'],
  );
  assert.equal(elsewhere.c.state, 'bound');

  const alone = client(() => undefined);
  alone.begin(address('10.0.0.77'));
  alone.clock.advance(70_000);
  assert.deepEqual(
    alone
      .log()
      .map((l) => l.split(' ')[0])
      .slice(0, 5),
    ['request', 'request', 'request', 'request', 'discover'],
  );
});

test('a NAK takes the address away, and a refused request is not repeated at once', () => {
  const server = new DhcpServer(SERVER);
  let nak = false;
  const nakOf = (m: DhcpMessage): DhcpMessage => ({
    ...server.handle(m, 1, 0)!.message,
    yiaddr: address('0.0.0.0'),
    options: [
      { code: 53, bytes: Uint8Array.of(6) },
      { code: 54, bytes: address('10.0.0.1') },
    ],
  });
  const { c, clock, sent, events, begin } = client((m, now) =>
    nak && messageType(m) === 3 ? nakOf(m) : serve(server)(m, now),
  );
  begin();
  clock.advance(1000);
  nak = true;
  clock.advance(1_799_500);
  assert.deepEqual(
    events.map((e) => e.type),
    ['bound', 'lost'],
  );
  const requested = sent.findLast((s) => messageType(s.message) === 3)!.at;
  assert.equal(c.state, 'init');
  nak = false;
  clock.advance(11_000);
  assert.equal(c.state, 'bound');
  const after = sent.filter((s) => messageType(s.message) === 1).at(-1)!.at;
  assert.ok(after - requested >= 1000 && after - requested <= 10_100);
});

test('decline, release and inform say what RFC 2131 table 5 wants', () => {
  const server = new DhcpServer(SERVER);
  const { c, clock, pacer, sent, events, begin, log } = client(serve(server));
  begin();
  clock.advance(100);
  c.decline(clock.now());
  pacer.arrange();
  clock.advance(9_000);
  assert.equal(log().at(-1), 'decline 0.0.0.0 > 255.255.255.255');
  assert.deepEqual(optionAddresses(sent.at(-1)!.message, 50).map(addressText), ['10.0.0.2']);
  clock.advance(2_000);
  assert.equal(addressText(c.lease!.address), '10.0.0.3');
  c.release(clock.now());
  assert.equal(log().at(-1), 'release 10.0.0.3 > 10.0.0.1');
  assert.equal(addressText(sent.at(-1)!.message.ciaddr), '10.0.0.3');
  assert.deepEqual(events.at(-1), { type: 'lost', reason: 'released' });
  clock.advance(100);
  assert.equal(server.binding(address('10.0.0.3'), clock.now()), undefined);
  c.inform(clock.now(), address('10.0.0.200'));
  pacer.arrange();
  clock.advance(100);
  assert.equal(log().at(-1), 'inform 10.0.0.200 > 255.255.255.255');
  const informed = events.at(-1)!;
  assert.ok(informed.type === 'informed' && informed.lease.domain === 'ims.example' && informed.lease.seconds === 0);
});

test('answers that come while the question is still being sent change nothing of the times', () => {
  const clock = new VirtualClock();
  const pacer = new Pacer(clock);
  const server = new DhcpServer(SERVER);
  const kinds: number[] = [];
  const c: DhcpClient = new DhcpClient({
    hardware: tunnelHardware(address('192.168.1.2')),
    random: seededRandom(7),
    send(m) {
      kinds.push(messageType(m));
      const answer = server.handle(m, 1, clock.now());
      if (answer) c.handle(answer.message, clock.now());
    },
    onEvent: () => undefined,
  });
  pacer.add(c);
  c.start(0);
  pacer.arrange();
  clock.advance(1_790_000);
  assert.deepEqual(kinds, [1, 3]);
  clock.advance(20_000);
  assert.deepEqual([kinds, c.state], [[1, 3, 3], 'bound']);
});

test('messages that are not for this exchange change nothing', () => {
  const server = new DhcpServer(SERVER);
  const { c, clock, sent, begin } = client((m, now) => {
    const reply = serve(server)(m, now);
    return reply && { ...reply, xid: reply.xid ^ 1 };
  });
  begin();
  clock.advance(100);
  const offer = server.handle(sent[0].message, 1, 0)!.message;
  c.handle({ ...offer, chaddr: new Uint8Array(16) }, clock.now());
  c.handle({ ...offer, op: 1 }, clock.now());
  c.handle({ ...offer, options: offer.options.filter((o) => o.code !== 54) }, clock.now());
  assert.equal(c.state, 'selecting');
  c.handle(offer, clock.now());
  assert.equal(c.state, 'requesting');
});

test('two hosts with the same hardware address on two links are two clients; one that comes back is itself', () => {
  const server = new DhcpServer(SERVER);
  const bindOn = (link: number) => {
    server.attach(link);
    const x = client(serve(server, link));
    x.begin();
    x.clock.advance(100);
    return addressText(x.c.lease!.address);
  };
  assert.equal(bindOn(1), '10.0.0.2');
  assert.equal(bindOn(2), '10.0.0.3');
  server.detach(1);
  assert.equal(bindOn(3), '10.0.0.2');
  const later = new DhcpServer(SERVER);
  later.restore(server.bindings());
  later.attach(9);
  const x = client(serve(later, 9));
  x.begin(address('10.0.0.3'));
  x.clock.advance(100);
  assert.equal(addressText(x.c.lease!.address), '10.0.0.3');
});

test('an exhausted pool offers nothing, lapsed leases are used again, and no link gets more than its share', () => {
  const refused: string[] = [];
  const onRefused = (link: number, why: string) => void refused.push(`${link} ${why}`);
  const server = new DhcpServer({ ...SERVER, pool: { prefix: address('10.0.0.0'), length: 28 }, onRefused });
  const discover = (n: number): DhcpMessage => {
    const hardware = lanHardware(Uint8Array.of(2, 0, 0, 0, n >> 8, n));
    const x = client(() => undefined);
    x.begin();
    return { ...x.sent[0].message, ...hardware, options: [x.sent[0].message.options[0], clientIdOption(hardware)] };
  };
  const got: string[] = [];
  for (let n = 0; n < 14; n++) got.push(addressText(server.handle(discover(n), n, 0)?.message.yiaddr ?? address('::')));
  assert.deepEqual(got, [...Array.from({ length: 13 }, (_, i) => `10.0.0.${i + 2}`), '::']);
  assert.equal(server.exhausted, 1);
  assert.deepEqual(refused.splice(0), ['13 pool']);
  assert.equal(addressText(server.handle(discover(14), 14, 121_000)!.message.yiaddr), '10.0.0.2');
  const greedy = new DhcpServer({ ...SERVER, onRefused });
  const offers = Array.from({ length: 20 }, (_, n) => greedy.handle(discover(n), 1, 0));
  assert.equal(offers.filter((o) => o !== undefined).length, 8);
  assert.deepEqual(refused.splice(0), new Array(12).fill('1 link'));
  // Nor where it says that it had them before. RFC 2131 §4.3.2, INIT-REBOOT
  const forgetful = new DhcpServer({ ...SERVER, onRefused });
  const types = Array.from({ length: 20 }, (_, n) => {
    const m = discover(n);
    const options = [messageTypeOption(3), addressOption(50, address(`10.0.0.${n + 20}`)), m.options[1]];
    return messageType(forgetful.handle({ ...m, options }, 1, 0)!.message);
  });
  assert.deepEqual(types, [...new Array(8).fill(5), ...new Array(12).fill(6)]);
  assert.deepEqual(refused, new Array(12).fill('1 link'));
});

test('the server answers where RFC 2131 clause 4.1 says', () => {
  const server = new DhcpServer(SERVER);
  const x = client(() => undefined);
  x.begin();
  const discover = x.sent[0].message;
  assert.equal(addressText(server.handle(discover, 1, 0)!.dst), '10.0.0.2');
  assert.equal(addressText(server.handle({ ...discover, flags: 0x8000 }, 1, 0)!.dst), '255.255.255.255');
  const offer = server.handle(discover, 1, 0)!.message;
  assert.equal(optionNumber(offer, 51), 3600);
  assert.deepEqual([offer.xid, offer.htype, offer.hlen], [discover.xid, 31, 7]);
});

test('tshark reads the exchange', { skip: noTshark }, () => {
  const server = new DhcpServer(SERVER);
  const packets: Uint8Array[] = [];
  const wire = (m: DhcpMessage, up: boolean) =>
    packets.push(
      udpPacket(
        { src: address(up ? '0.0.0.0' : '10.0.0.1'), dst: address('255.255.255.255') },
        up ? 68 : 67,
        up ? 67 : 68,
        encode(dhcp.codec!, m),
      ),
    );
  const { clock, begin } = client((m, now) => {
    wire(m, true);
    const reply = serve(server)(m, now);
    if (reply) wire(reply, false);
    return reply;
  });
  begin();
  clock.advance(100);
  const rows = tsharkFields(packets, [
    'dhcp.option.dhcp',
    'dhcp.hw.type',
    'dhcp.ip.your',
    'dhcp.option.renewal_time_value',
    '_ws.malformed',
  ]);
  assert.deepEqual(rows, [
    ['1', '0x1f', '0.0.0.0', '', ''],
    ['2', '0x1f', '10.0.0.2', '1800', ''],
    ['3', '0x1f', '0.0.0.0', '', ''],
    ['5', '0x1f', '10.0.0.2', '1800', ''],
  ]);
});

test('whatever is lost, doubled or overtaken, there is a lease or a stated failure, and never two for one address', () => {
  fc.assert(
    fc.property(
      fc.integer(),
      fc.double({ min: 0, max: 0.9, noNaN: true }),
      fc.double({ min: 0, max: 0.5, noNaN: true }),
      (seed, loss, twice) => {
        const server = new DhcpServer(SERVER);
        const clock = new VirtualClock();
        const pacer = new Pacer(clock);
        const random = seededRandom(seed);
        const carry = (deliver: () => void) => {
          const copies = random.next() < loss ? 0 : random.next() < twice ? 2 : 1;
          for (let i = 0; i < copies; i++)
            clock.after(random.next() * 5000, () => {
              deliver();
              pacer.arrange();
            });
        };
        const ends: string[][] = [[], []];
        const clients = [1, 2].map((link) => {
          server.attach(link);
          const c: DhcpClient = new DhcpClient({
            hardware: tunnelHardware(address('192.168.1.2')),
            random,
            send: (m) =>
              carry(() => {
                const answer = server.handle(m, link, clock.now());
                if (answer) carry(() => c.handle(answer.message, clock.now()));
              }),
            onEvent: (e) => ends[link - 1].push(e.type),
          });
          pacer.add(c);
          c.start(clock.now());
          return c;
        });
        pacer.arrange();
        clock.advance(400_000);
        for (const [i, c] of clients.entries()) {
          const last = ends[i].at(-1);
          assert.ok(last === 'bound' || last === 'failed', `${c.state} ${ends[i]}`);
          if (c.lease) assert.equal(server.binding(c.lease.address, clock.now())?.link, i + 1);
        }
        const [a, b] = clients.map((c) => c.lease && addressText(c.lease.address));
        if (a !== undefined) assert.notEqual(a, b);
      },
    ),
    { numRuns: 300 },
  );
});
