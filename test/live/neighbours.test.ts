import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  addressOption,
  type ClientMessage,
  dhcpv6Message,
  findOption,
  namesOption,
  numberOption,
  uuidDuid,
} from '../../dissectors/dhcpv6/message.js';
import {
  codec,
  dnsslOption,
  type Icmpv6Message,
  mtuOption,
  type NdOption,
  neighborAdvertisement,
  neighborSolicitation,
  prefixOption,
  rdnssOption,
  routerAdvertisement,
} from '../../dissectors/icmpv6/messages.js';
import { type Address, address, addressText, linkLocal, solicitedNode } from '../../src/live/address.js';
import { Pacer } from '../../src/live/clock.js';
import { Dhcpv6Client, type Dhcpv6ClientEvent } from '../../src/live/dhcpv6-client.js';
import { informationReply } from '../../src/live/dhcpv6-server.js';
import { IpHost } from '../../src/live/host.js';
import { icmpv6Packet, readPacket } from '../../src/live/ip-packet.js';
import { type NeighbourEvent, Neighbours } from '../../src/live/neighbours.js';
import { seededRandom } from '../../src/live/random.js';
import { RouterAdvertiser } from '../../src/live/router-advertiser.js';
import { VirtualClock } from './clock.js';

const ROUTER = address('fe80::1');
const SECRET = Uint8Array.from({ length: 16 }, (_, i) => i);
const PREFIX = address('2001:db8:1::');

interface Heard {
  at: number;
  src: string;
  dst: string;
  ttl: number;
  m: Icmpv6Message;
}

function host(seed = 5, secret: Uint8Array = SECRET) {
  const clock = new VirtualClock();
  const pacer = new Pacer(clock);
  const heard: Heard[] = [];
  const events: NeighbourEvent[] = [];
  const random = seededRandom(seed);
  const ip = new IpHost({
    families: [6],
    random,
    send(packet) {
      const p = readPacket(packet);
      assert.ok(typeof p !== 'string');
      const m = codec.parse(packet, p.off, p.end);
      heard.push({ at: clock.now(), src: addressText(p.src), dst: addressText(p.dst), ttl: p.ttl, m });
    },
  });
  const nd = new Neighbours({ host: ip, random, secret, onEvent: (e) => events.push(e) });
  pacer.add(nd);
  nd.start(0);
  pacer.arrange();
  const hear = (m: Icmpv6Message, src: Address = ROUTER, dst: Address = address('ff02::1'), ttl = 255) => {
    ip.handle(icmpv6Packet({ src, dst, ttl }, m), clock.now());
    pacer.arrange();
  };
  const kinds = () => heard.map((h) => h.m.type);
  const own = () => nd.addresses.map((a) => `${addressText(a.address)} ${a.state}`);
  return { clock, nd, ip, heard, events, hear, kinds, own };
}

const HEAD = { hopLimit: 0, managed: false, other: false, preference: 0, lifetime: 1800, reachable: 0, retransmit: 0 };
const pio = (valid: number, preferred: number, more: object = {}): NdOption =>
  prefixOption({ prefix: PREFIX, length: 64, onLink: false, autonomous: true, valid, preferred, ...more });
const ra = (options: NdOption[], more: object = {}) => routerAdvertisement({ ...HEAD, ...more }, options);
const types = (events: NeighbourEvent[]) => events.map((e) => e.type);

test('a link-local address is announced, probed for a second, and then used to look for routers', () => {
  const { clock, heard, kinds, nd, own } = host();
  clock.advance(3000);
  assert.deepEqual(kinds(), [143, 135, 133]);
  const [report, probe, rs] = heard;
  const a = nd.addresses[0].address;
  assert.match(own()[0], /^fe80::.* preferred$/);
  assert.deepEqual([report.src, report.dst, report.ttl], ['::', 'ff02::16', 1]);
  assert.deepEqual([probe.src, probe.dst, probe.ttl], ['::', addressText(solicitedNode(a)), 255]);
  assert.equal(addressText(probe.m.body.slice(4)), addressText(a));
  assert.deepEqual(
    probe.m.options.map((o) => o.type),
    [14],
  ); // no link-layer address; a nonce: RFC 7527
  assert.deepEqual([rs.src, rs.dst, rs.ttl], [addressText(a), 'ff02::2', 255]);
  assert.ok(probe.at <= 1000);
  assert.ok(rs.at - probe.at >= 1000 && rs.at - probe.at <= 2000);
});

test('routers are asked ever more slowly up to an hour; a second after the third time it is clear that there is none', () => {
  for (const seed of [1, 2, 3]) {
    const { clock, heard, events } = host(seed);
    const at = () => heard.filter((h) => h.m.type === 133).map((h) => h.at / 1000);
    const isTold = () => types(events).includes('no router');
    while (at().length < 3) clock.advance(10);
    clock.advance(950);
    assert.ok(!isTold());
    clock.advance(50); // RFC 4861 §6.3.7, §10: MAX_RTR_SOLICITATION_DELAY
    assert.ok(isTold());
    clock.advance(6 * 3_600_000);
    const gaps = at()
      .slice(1)
      .map((t, i) => t - at()[i]);
    // RFC 7559 §2: 4 s, then as RFC 3315 §14 has it
    assert.ok(Math.abs(gaps[0] - 4) <= 0.4, `${gaps[0]}`);
    const doubled = gaps.filter((g) => g < 1600);
    assert.equal(doubled.length, 9);
    for (const [i, g] of doubled.slice(1).entries()) assert.ok(Math.abs(g / doubled[i] - 2) <= 0.1, `gap ${i}: ${g}`);
    assert.ok(gaps.every((g) => g <= 3960.001));
    assert.ok(gaps.at(-1)! >= 3240);
    assert.equal(types(events).filter((t) => t === 'no router').length, 1);
  }
});

test('what a router advertises is taken: prefix, lifetimes, MTU, hop limit, DNS servers', () => {
  const { clock, hear, own, ip, nd, events, heard } = host();
  clock.advance(3000);
  const solicited = heard.length;
  const servers = rdnssOption(600, [address('2001:db8::53')]);
  hear(
    ra([pio(7200, 3600), mtuOption(1380), servers, dnsslOption(600, ['ims.example'])], { hopLimit: 40, other: true }),
  );
  clock.advance(3000);
  assert.equal(own().length, 2);
  assert.match(own()[1], /^2001:db8:1:0:.* preferred$/);
  assert.deepEqual([ip.mtu, ip.hopLimit], [1380, 40]);
  assert.deepEqual(
    nd.dns.map((s) => addressText(s.address)),
    ['2001:db8::53'],
  );
  assert.deepEqual(
    heard.slice(solicited).map((h) => h.m.type),
    [143, 135],
  );
  const router = events.find((e) => e.type === 'router');
  assert.ok(router?.type === 'router' && router.other && router.lifetimeSeconds === 1800);
  clock.advance(600_000);
  assert.deepEqual(nd.dns, []);
  clock.advance(3_000_000);
  assert.match(own()[1], /deprecated$/);
  assert.deepEqual(types(events).slice(-3), ['router lost', 'no router', 'deprecated']);
  clock.advance(3_600_000);
  assert.equal(own().length, 1);
  assert.equal(events.findLast((e) => e.type === 'expired')?.type, 'expired');
  assert.equal(ip.addresses.length, 1);
});

test('prefixes that make no address, and advertisements that are none, are passed over', () => {
  const { clock, hear, own, events } = host();
  clock.advance(3000);
  hear(ra([pio(3600, 7200), pio(3600, 1800, { autonomous: false }), pio(0, 0)]));
  hear(ra([pio(3600, 1800, { length: 60 }), pio(3600, 1800, { prefix: address('fe80::') })]));
  hear(ra([pio(3600, 1800)]), address('2001:db8::1')); // not from a link-local address
  hear(ra([pio(3600, 1800)]), ROUTER, address('ff02::1'), 254); // came through a router
  const zero = ra([pio(3600, 1800)]);
  zero.rest = Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0); // an option of length 0
  hear(zero);
  clock.advance(3000);
  assert.equal(own().length, 1);
  assert.equal(types(events).filter((t) => t === 'router').length, 2);
});

test('what routers advertise beyond what is kept is counted, and told once', () => {
  const { clock, hear, own, ip, nd, events } = host();
  clock.advance(3000);
  const prefixes = Array.from({ length: 20 }, (_, i) => pio(7200, 3600, { prefix: address(`2001:db8:${i + 1}::`) }));
  const servers = Array.from({ length: 10 }, (_, i) => address(`2001:db8::${i + 1}`));
  hear(ra([...prefixes, rdnssOption(600, servers)]));
  for (let i = 2; i < 7; i++) hear(ra([]), address(`fe80::${i}`));
  clock.advance(3000);
  assert.deepEqual([own().length, nd.routers.length, nd.dns.length], [16, 4, 8]);
  const { prefixes: p, routers, servers: s } = ip.counters;
  assert.deepEqual([p, routers, s], [5, 2, 2]);
  assert.deepEqual(
    events.flatMap((e) => (e.type === 'enough' ? [`${e.what} ${addressText(e.address)} ${e.already}`] : [])),
    ['prefix 2001:db8:16:: 16', 'DNS server 2001:db8::9 8', 'router fe80::5 4'],
  );
  assert.equal(types(events).filter((t) => t === 'router').length, 4); // those that are not kept are no news
});

test('nobody can shorten a lifetime below two hours', () => {
  const { clock, hear, nd } = host();
  clock.advance(3000);
  const left = () => Math.round((nd.addresses[1].validUntil - clock.now()) / 1000);
  hear(ra([pio(86_400, 3600)]));
  assert.equal(left(), 86_400);
  hear(ra([pio(60, 60)]));
  assert.equal(left(), 7200);
  clock.advance(1_000_000);
  hear(ra([pio(60, 60)]));
  assert.equal(left(), 6200);
  hear(ra([pio(6300, 60)]));
  assert.equal(left(), 6300);
  hear(ra([pio(0xffffffff, 0xffffffff)]));
  assert.equal(left(), Number.POSITIVE_INFINITY);
});

test('an address that was deprecated is taken first again when a router says so', () => {
  const { clock, hear, own, ip, events } = host();
  clock.advance(3000);
  hear(ra([pio(7200, 3600)]));
  clock.advance(3000);
  hear(ra([pio(7200, 0)]));
  clock.advance(10);
  assert.match(own()[1], /deprecated$/);
  hear(ra([pio(7200, 3600)]));
  assert.match(own()[1], /preferred$/);
  assert.equal(ip.addresses.find((a) => a.address[0] === 0x20)?.deprecated, false, 'RFC 6724 §5 rule 3');
  assert.deepEqual(types(events).slice(-3), ['deprecated', 'address', 'router']);
});

test('what stands behind the length of a prefix makes no other prefix. RFC 4861 §4.6.2', () => {
  const { clock, hear, own } = host();
  clock.advance(3000);
  hear(ra([pio(7200, 3600)]));
  clock.advance(3000);
  hear(ra([pio(7200, 3600, { prefix: address('2001:db8:1::abcd') })]));
  clock.advance(3000);
  assert.equal(own().length, 2);
});

test('a router that goes is forgotten, and others are looked for', () => {
  const { clock, hear, nd, heard, events } = host();
  clock.advance(3000);
  hear(ra([]));
  assert.equal(nd.routers.length, 1);
  const before = heard.filter((h) => h.m.type === 133).length;
  clock.advance(100_000);
  assert.equal(heard.filter((h) => h.m.type === 133).length, before);
  hear(ra([], { lifetime: 0 }));
  assert.equal(nd.routers.length, 0);
  assert.equal(types(events).at(-2), 'router lost');
  clock.advance(2000);
  assert.equal(heard.filter((h) => h.m.type === 133).length, before + 1);
});

test('an address that somebody has is not used; another is tried, three in all', () => {
  const { clock, hear, nd, events, ip } = host();
  const tried = new Set<string>();
  for (let i = 0; i < 3; i++) {
    clock.advance(i === 0 ? 1000 : 10);
    const target = nd.addresses[0].address;
    tried.add(addressText(target));
    if (i === 1)
      hear(neighborSolicitation(target), address('::'), solicitedNode(target)); // asks for it too
    else hear(neighborAdvertisement(target, { override: true }), address('fe80::99')); // has it
  }
  clock.advance(60_000);
  assert.equal(tried.size, 3);
  assert.equal(nd.addresses.length, 0);
  assert.equal(ip.addresses.length, 0);
  assert.deepEqual(
    events.map((e) => e.type === 'duplicate' && e.final),
    [false, false, true],
  );
});

test('the address after a duplicate is not probed at once: others may have heard the same. RFC 7217 §6', () => {
  const pauses = [1, 2, 3, 4, 5].map((seed) => {
    const { clock, hear, nd, heard } = host(seed);
    clock.advance(1000);
    hear(neighborAdvertisement(nd.addresses[0].address, { override: true }), address('fe80::99'));
    const at = clock.now();
    clock.advance(1000);
    return heard.findLast((h) => h.m.type === 135)!.at - at;
  });
  assert.ok(pauses.every((ms) => ms > 0 && ms <= 1000) && new Set(pauses).size === 5, pauses.join());
});

test('an answer to a group is none, and claims no address. RFC 4861 §7.1.2', () => {
  const { clock, hear, nd, events } = host();
  clock.advance(1000);
  hear(neighborAdvertisement(nd.addresses[0].address, { solicited: true, override: true }), address('fe80::99'));
  clock.advance(3000);
  assert.deepEqual(types(events), ['address']);
});

test('an address that somebody asks for before we do is a duplicate, too. RFC 4862 §5.4.3', () => {
  const { hear, nd, heard, events } = host();
  const target = nd.addresses[0].address;
  assert.deepEqual(heard, [], 'nothing was asked yet');
  hear(neighborSolicitation(target), address('::'), solicitedNode(target));
  assert.deepEqual(types(events), ['duplicate']);
  assert.notEqual(addressText(nd.addresses[0].address), addressText(target));
});

test('our own solicitation, looped back, is no objection', () => {
  const { clock, hear, heard, own } = host();
  clock.advance(1000);
  const probe = heard.find((h) => h.m.type === 135)!;
  hear(probe.m, address('::'), address(probe.dst));
  clock.advance(2000);
  assert.match(own()[0], /preferred$/);
});

test('who asks for our address is told, and who wants it is told off', () => {
  const { clock, hear, heard, nd } = host();
  clock.advance(3000);
  const a = nd.addresses[0].address;
  heard.length = 0;
  hear(neighborSolicitation(a), ROUTER, a);
  hear(neighborSolicitation(a), address('::'), solicitedNode(a));
  hear(neighborSolicitation(address('fe80::77')), ROUTER, solicitedNode(a));
  assert.deepEqual(
    heard.map((h) => [h.m.type, h.dst, h.m.body[0]]),
    [
      [136, 'fe80::1', 0x60], // solicited, override
      [136, 'ff02::1', 0x20], // RFC 4861 §7.2.4: not solicited
    ],
  );
});

test('identifiers are stable for a prefix and a secret, and differ otherwise', () => {
  const of = (secret: Uint8Array) => {
    const h = host(9, secret);
    h.clock.advance(3000);
    h.hear(ra([pio(7200, 3600)]));
    return h.nd.addresses.map((a) => addressText(a.address));
  };
  const [x, y] = [of(SECRET), of(SECRET)];
  assert.deepEqual(x, y);
  assert.notDeepEqual(x, of(new Uint8Array(16)));
  assert.notEqual(x[0].slice(-9), x[1].slice(-9));
});

test('a router advertises three times early, then every few minutes, and answers no more than every three seconds', () => {
  const clock = new VirtualClock();
  const at: number[] = [];
  const r = new RouterAdvertiser(
    { linkLocal: ROUTER, mtu: 1400, other: false },
    seededRandom(1),
    () => at.push(clock.now()),
    0,
  );
  const run = (until: number) => {
    while (r.due <= until) {
      clock.advance(r.due - clock.now());
      r.poll(clock.now());
    }
    clock.advance(until - clock.now());
  };
  run(3_600_000);
  const gaps = at.slice(1).map((t, i) => (t - at[i]) / 1000);
  assert.equal(at[0], 0);
  assert.deepEqual(gaps.slice(0, 2), [16, 16]);
  assert.ok(gaps.slice(2).every((g) => g >= 200 && g <= 600));
  const before = at.length;
  const rs: Icmpv6Message = { type: 133, code: 0, body: new Uint8Array(4), options: [], rest: new Uint8Array(0) };
  for (let i = 0; i < 20; i++) {
    r.handle(rs, linkLocal(Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 9)), address('ff02::2'), clock.now());
    run(clock.now() + 500);
  }
  const answers = at.slice(before);
  assert.ok(answers.length >= 3 && answers.length <= 4);
  const pauses = answers.slice(1).map((t, i) => t - answers[i]);
  assert.ok(pauses.every((ms) => ms > 3000 && ms <= 3500)); // RFC 4861 §6.2.6: and the delay of an answer
});

function dhcpv6(answer: (m: ClientMessage) => ClientMessage | undefined) {
  const clock = new VirtualClock();
  const pacer = new Pacer(clock);
  const sent: { at: number; m: ClientMessage }[] = [];
  const events: Dhcpv6ClientEvent[] = [];
  const c: Dhcpv6Client = new Dhcpv6Client({
    duid: uuidDuid(SECRET),
    random: seededRandom(2),
    send(m) {
      sent.push({ at: clock.now(), m });
      const reply = answer(m);
      if (reply) clock.after(5, () => c.handle(reply, clock.now()));
    },
    onEvent: (e) => events.push(e),
  });
  pacer.add(c);
  c.start(0);
  pacer.arrange();
  return { c, clock, sent, events };
}

const SERVER = {
  duid: uuidDuid(new Uint8Array(16)),
  dns: [address('2001:db8::53')],
  search: ['ims.example'],
  sipNames: ['pcscf.ims.example'],
  sipAddresses: [address('2001:db8::5')],
  refreshSeconds: 900,
};

test('stateless DHCPv6 tells DNS servers and P-CSCFs, and is asked again when it said', () => {
  const { c, clock, sent, events } = dhcpv6((m) => informationReply(m, SERVER));
  clock.advance(2000);
  assert.ok(sent[0].at <= 1000);
  assert.deepEqual([sent[0].m.type, findOption(sent[0].m, 3)], [11, undefined]);
  assert.deepEqual(c.configuration?.sipNames, ['pcscf.ims.example']);
  assert.deepEqual(c.configuration?.sipAddresses.map(addressText), ['2001:db8::5']);
  assert.deepEqual(c.configuration?.dns.map(addressText), ['2001:db8::53']);
  assert.deepEqual(c.configuration?.search, ['ims.example']);
  clock.advance(898_000);
  assert.equal(sent.length, 1);
  clock.advance(3_000);
  assert.equal(sent.length, 2);
  const pause = sent[1].at - sent[0].at - 900_000;
  assert.ok(pause > 20 && pause <= 1020, `${pause}`); // RFC 9915 §21.23: not all clients at once
  assert.equal(events.length, 2);
});

test('an unanswered information request is repeated with doubled times up to an hour', () => {
  const { clock, sent, events } = dhcpv6(() => undefined);
  clock.advance(5 * 3_600_000);
  const gaps = sent.slice(1).map((s, i) => (s.at - sent[i].at) / 1000);
  assert.ok(Math.abs(gaps[0] - 1) <= 0.1);
  for (let i = 1; i < 11; i++) assert.ok(gaps[i] / gaps[i - 1] >= 1.9 && gaps[i] / gaps[i - 1] <= 2.1);
  assert.ok(gaps.every((g) => g <= 3960));
  assert.deepEqual(
    events.map((e) => e.type),
    ['no answer'],
  );
  assert.equal(findOption(sent[1].m, 8)!.length, 2);
});

test('replies to others, and without a server identifier, are passed over; requests for addresses are not answered', () => {
  const other = (m: ClientMessage) => dhcpv6Message(7, m.xid ^ 1, [{ code: 2, bytes: SERVER.duid }]);
  assert.equal(dhcpv6(other).c.configuration, undefined);
  const x = dhcpv6((m) => dhcpv6Message(7, m.xid, [addressOption(23, address('::1')), namesOption(24, ['a.b'])]));
  x.clock.advance(3000);
  assert.equal(x.c.configuration, undefined);
  assert.equal(informationReply(dhcpv6Message(11, 1, [{ code: 3, bytes: new Uint8Array(12) }]), SERVER), undefined);
  assert.equal(informationReply(dhcpv6Message(1, 1, []), SERVER), undefined);
  assert.equal(informationReply(dhcpv6Message(11, 1, [{ code: 2, bytes: SECRET }]), SERVER), undefined);
  const bare = informationReply(dhcpv6Message(11, 1, [numberOption(82, 1)]), SERVER)!;
  assert.deepEqual(
    bare.options.map((o) => o.code),
    [2],
  );
});
