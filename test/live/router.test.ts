import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { tunnelHardware } from '../../dissectors/dhcp/message.js';
import { type Address, address, addressText } from '../../src/live/address.js';
import { InnerUe, type InnerUeEvent, type PingResult } from '../../src/live/inner-ue.js';
import { ipPacket, udpPacket } from '../../src/live/ip-packet.js';
import type { PacketPort } from '../../src/live/port.js';
import { seededRandom } from '../../src/live/random.js';
import { Router, type RouterOptions } from '../../src/live/router.js';
import { VirtualClock } from './clock.js';
import { portPair } from './port-pair.js';
import { noTshark, tsharkFields } from './tshark.js';

const PCSCF = address('10.0.0.1');

function options(clock: VirtualClock): RouterOptions {
  return {
    clock,
    random: seededRandom(3),
    ipv4: {
      server: address('10.0.0.1'),
      pool: { prefix: address('10.0.0.0'), length: 24 },
      routers: [address('10.0.0.1')],
      dns: [address('10.0.0.1')],
      sipServers: [PCSCF],
    },
    ipv6: {
      prefix: address('2001:db8:100::'),
      length: 48,
      linkLocal: address('fe80::1'),
      dns: [address('2001:db8:100::1')],
      sipAddresses: [address('2001:db8:100::1')],
    },
    mtu: 1400,
  };
}

/** A router with UEs on joined ports; every packet is kept. */
function network(n: number, families: readonly (4 | 6)[] = [4, 6], more: Partial<RouterOptions> = {}) {
  const clock = new VirtualClock();
  const router = new Router({ ...options(clock), ...more });
  const wire: { ue: number; up: boolean; packet: Uint8Array }[] = [];
  const ues = Array.from({ length: n }, (_, i) => {
    const [near, far] = portPair();
    const tapped: PacketPort = {
      send(p) {
        wire.push({ ue: i, up: true, packet: p.slice() });
        near.send(p);
      },
      onPacket: (receive) =>
        near.onPacket((p) => {
          wire.push({ ue: i, up: false, packet: p.slice() });
          receive(p);
        }),
      close: () => near.close(),
    };
    const events: InnerUeEvent[] = [];
    const ue = new InnerUe({
      port: tapped,
      clock,
      random: seededRandom(100 + i),
      families,
      hardware: tunnelHardware(address('192.168.1.2')),
      onEvent: (e) => events.push(e),
    });
    const link = router.attach(far);
    return { ue, link, events, port: tapped };
  });
  return { clock, router, ues, wire };
}

const global6 = (ue: InnerUe): Address => ue.neighbours.addresses.find((a) => a.address[0] === 0x20)!.address;

function pinged(clock: VirtualClock, ue: InnerUe, dst: Address): PingResult {
  let result: PingResult | undefined;
  ue.ping(dst, (r) => {
    result = r;
  });
  clock.advance(6000);
  return result!;
}

test('a UE gets addresses of both families and learns DNS servers and P-CSCFs', () => {
  const { clock, ues } = network(2);
  for (const { ue } of ues) {
    ue.startDhcp();
    ue.startSlaac();
  }
  clock.advance(10_000);
  assert.deepEqual(
    ues.map(({ ue }) => addressText(ue.dhcp.lease!.address)),
    ['10.0.0.2', '10.0.0.3'],
  );
  assert.deepEqual(
    ues.map(({ ue }) => addressText(global6(ue)).startsWith('2001:db8:100:')),
    [true, true],
  );
  assert.deepEqual(
    ues.map(({ ue }) => [...global6(ue).subarray(6, 8)]),
    [
      [0, 1],
      [0, 2],
    ],
  );
  assert.deepEqual(ues[0].ue.dnsServers.map(addressText), ['10.0.0.1', '2001:db8:100::1']);
  assert.deepEqual(
    ues[0].ue.pcscfs.map((p) => addressText(p as Address)),
    ['10.0.0.1', '2001:db8:100::1'],
  );
  assert.equal(ues[0].ue.host.mtu, 1400);
  const states = ues[0].ue.neighbours.addresses.map((a) => a.state);
  assert.deepEqual(states, ['preferred', 'preferred']);
});

test('UEs reach the router and each other, with one hop less to go', () => {
  const { clock, ues } = network(2);
  for (const { ue } of ues) {
    ue.startDhcp();
    ue.startSlaac();
  }
  clock.advance(10_000);
  const [a, b] = ues.map((u) => u.ue);
  for (const [dst, ttl] of [
    [address('10.0.0.1'), 64],
    [address('2001:db8:100::1'), 64],
    [address('fe80::1'), 64],
    [b.dhcp.lease!.address, 63],
    [global6(b), 63],
  ] as const) {
    const result = pinged(clock, a, dst);
    assert.ok(result.answered, addressText(dst));
    assert.equal(result.ttl, ttl);
  }
  for (const [dst, why] of [
    ['10.0.0.99', 'Host unreachable, says 10.0.0.1'],
    ['192.0.2.1', 'Network unreachable, says 10.0.0.1'],
    ['2001:db8:100:77::1', 'Address unreachable, says 2001:db8:100::1'],
  ])
    assert.deepEqual(pinged(clock, a, address(dst)), { answered: false, why });
  const got: Uint8Array[] = [];
  b.host.udp(7000, (d) => got.push(d.payload));
  const payload = Uint8Array.from({ length: 4000 }, (_, i) => i);
  a.host.udp(7001, () => undefined).send(b.dhcp.lease!.address, 7000, payload);
  a.host.udp(7002, () => undefined).send(global6(b), 7000, payload);
  assert.deepEqual(got, [payload, payload]);
});

test('what cannot be forwarded is answered with the errors of RFC 1812 and RFC 4443', () => {
  const { clock, router, ues, wire } = network(2);
  for (const { ue } of ues) {
    ue.startDhcp();
    ue.startSlaac();
  }
  clock.advance(10_000);
  const [a, b] = ues;
  const [a4, b4] = [a.ue.dhcp.lease!.address, b.ue.dhcp.lease!.address];
  const [a6, b6] = [global6(a.ue), global6(b.ue)];
  wire.length = 0;
  const send = (p: Uint8Array) => a.port.send(p);
  const big = new Uint8Array(1500);
  send(udpPacket({ src: a4, dst: b4, ttl: 1 }, 1, 2, new Uint8Array(8)));
  send(udpPacket({ src: a6, dst: b6, ttl: 1 }, 1, 2, new Uint8Array(8)));
  send(udpPacket({ src: a4, dst: b4, dontFragment: true }, 1, 2, big));
  send(udpPacket({ src: a6, dst: b6 }, 1, 2, big));
  send(udpPacket({ src: a4, dst: address('192.0.2.1') }, 1, 2, new Uint8Array(8)));
  send(udpPacket({ src: a6, dst: address('2001:db8:ffff::1') }, 1, 2, new Uint8Array(8)));
  send(udpPacket({ src: a4, dst: address('10.0.0.99') }, 1, 2, new Uint8Array(8)));
  send(udpPacket({ src: a6, dst: address('2001:db8:100:77::1') }, 1, 2, new Uint8Array(8)));
  send(udpPacket({ src: address('10.0.0.50'), dst: b4 }, 1, 2, new Uint8Array(8)));
  send(udpPacket({ src: b6, dst: b6 }, 1, 2, new Uint8Array(8)));
  send(ipPacket({ src: a4, dst: b4, protocol: 17 }, new Uint8Array(8)).fill(0x50, 0, 1));
  const down = wire
    .filter((w) => !w.up && w.ue === 0)
    .map(({ packet: p }) => {
      const at = p[0] >> 4 === 4 ? 20 : 40;
      return `v${p[0] >> 4} ${p[at]}/${p[at + 1]} ${(p[at + 4] << 24) | (p[at + 5] << 16) | (p[at + 6] << 8) | p[at + 7]}`;
    });
  assert.deepEqual(down, [
    'v4 11/0 0',
    'v6 3/0 0',
    'v4 3/4 1400',
    'v6 2/0 1400',
    'v4 3/0 0',
    'v6 1/0 0',
    'v4 3/1 0',
    'v6 1/3 0',
    'v6 1/5 0', // RFC 4443 §3.1: for the sender, whose address is not its own
  ]);
  const { spoofed, expired, tooBig, noRoute, family } = a.link.counters;
  assert.deepEqual(
    { spoofed, expired, tooBig, noRoute, family },
    { spoofed: 2, expired: 2, tooBig: 2, noRoute: 4, family: 1 },
  );
  assert.equal(wire.filter((w) => w.ue === 1).length, 0);
  assert.ok(router.describe(a.link).startsWith('10.0.0.2, 2001:db8:100:1::/64'));
});

test('a router of one family discards the other', () => {
  const { clock, ues } = network(1, [4, 6], { ipv6: undefined as never });
  const [{ ue, link, events }] = ues;
  ue.startDhcp();
  ue.startSlaac();
  clock.advance(60_000);
  assert.ok(ue.dhcp.lease);
  assert.ok(link.counters.family >= 5);
  assert.ok(events.some((e) => e.layer === 'nd' && e.event.type === 'no router'));
});

test('packets for nobody here go to the uplink, and what comes back goes to the UE', () => {
  const { clock, router, ues, wire } = network(1);
  const [inside, outside] = portPair();
  router.setUplink(inside);
  const out: Uint8Array[] = [];
  outside.onPacket((p) => out.push(p.slice()));
  ues[0].ue.startDhcp();
  clock.advance(1000);
  const mine = ues[0].ue.dhcp.lease!.address;
  wire.length = 0;
  ues[0].ue.host.ping(address('192.0.2.9'), 1, 1, new Uint8Array(4));
  assert.deepEqual(
    out.map((p) => [p[8], addressText(p.subarray(16, 20))]),
    [[63, '192.0.2.9']],
  );
  outside.send(udpPacket({ src: address('192.0.2.9'), dst: mine, ttl: 9 }, 53, 1, new Uint8Array(4)));
  assert.equal(wire.at(-1)!.up, true); // the UE's "port unreachable"
  assert.equal(wire.at(-2)!.packet[8], 8);
});

test('who sends from outside to nobody, too far or too much at once, is told', () => {
  const { clock, router, ues } = network(1);
  const [inside, outside] = portPair();
  router.setUplink(inside);
  const out: Uint8Array[] = [];
  outside.onPacket((p) => out.push(p.slice()));
  ues[0].ue.startDhcp();
  ues[0].ue.startSlaac();
  clock.advance(10_000);
  const [out4, out6] = [address('192.0.2.9'), address('2001:db8:ffff::9')];
  const [mine4, mine6] = [ues[0].ue.dhcp.lease!.address, global6(ues[0].ue)];
  const send = (src: Address, dst: Address, more = {}, octets = 8): void =>
    outside.send(udpPacket({ src, dst, ...more }, 1, 2, new Uint8Array(octets)));
  send(out4, address('10.0.0.99'));
  send(out6, address('2001:db8:100:77::1'));
  send(out4, mine4, { ttl: 1 });
  send(out6, mine6, { ttl: 1 });
  send(out4, mine4, { dontFragment: true }, 1450);
  send(out6, mine6, {}, 1450);
  const said = out.map((p) => {
    const v4 = p[0] >> 4 === 4;
    const [at, from, to] = v4 ? [20, 12, 16] : [40, 8, 24];
    const address = (i: number): string => addressText(p.subarray(i, i + (v4 ? 4 : 16)));
    return `${address(from)} ${address(to)} ${p[at]}/${p[at + 1]}`;
  });
  // RFC 792 and RFC 1812 §5.2.7.1: host unreachable; RFC 4443 §3.1: address unreachable
  assert.deepEqual(said, [
    '10.0.0.1 192.0.2.9 3/1',
    '2001:db8:100::1 2001:db8:ffff::9 1/3',
    '10.0.0.1 192.0.2.9 11/0',
    '2001:db8:100::1 2001:db8:ffff::9 3/0',
    '10.0.0.1 192.0.2.9 3/4',
    '2001:db8:100::1 2001:db8:ffff::9 2/0',
  ]);
  out.length = 0;
  clock.advance(10_000);
  for (let i = 0; i < 100; i++) send(out4, address('10.0.0.99'));
  send(out4, address('10.0.0.255')); // RFC 1812 §4.3.2.7: never about a broadcast
  send(out4, address('224.0.0.1'));
  assert.equal(out.length, 20);
  assert.deepEqual(router.uplink!.counters, {
    ...{ up: 108, down: 26, family: 0, damaged: 0, spoofed: 0 },
    ...{ expired: 2, tooBig: 2, noRoute: 103, errorsHeld: 80 },
  });
});

test('tshark finds no fault with what both ends say', { skip: noTshark }, () => {
  const { clock, ues, wire } = network(1);
  ues[0].ue.startDhcp();
  ues[0].ue.startSlaac();
  clock.advance(20_000);
  pinged(clock, ues[0].ue, address('fe80::1'));
  const rows = tsharkFields(
    wire.map((w) => w.packet),
    [
      '_ws.col.Protocol',
      '_ws.malformed',
      '_ws.expert.message',
      'icmpv6.checksum.status',
      'icmpv6.type',
      'udp.checksum.status',
    ],
  );
  assert.deepEqual(
    rows.filter((r) => r[1] !== '' || r[2] !== '' || r[3] === '0' || r[5] === '0'),
    [],
  );
  const kinds = new Set(rows.map((r) => (r[4] === '' ? r[0] : `icmpv6 ${r[4]}`)));
  for (const kind of ['DHCP', 'DHCPv6', 'icmpv6 133', 'icmpv6 134', 'icmpv6 135', 'icmpv6 143'])
    assert.ok(kinds.has(kind), kind);
});

test('whatever is lost, doubled or overtaken, a UE ends with addresses of both families', () => {
  fc.assert(
    fc.property(fc.integer(), fc.double({ min: 0, max: 0.3, noNaN: true }), (seed, loss) => {
      const clock = new VirtualClock();
      const router = new Router(options(clock));
      const chance = seededRandom(seed);
      const [near, far] = portPair();
      const rough = (port: PacketPort): PacketPort => ({
        send(p) {
          const copies = chance.next() < loss ? 0 : chance.next() < 0.2 ? 2 : 1;
          const octets = p.slice();
          for (let i = 0; i < copies; i++) clock.after(chance.next() * 900, () => port.send(octets));
        },
        onPacket: (receive) => port.onPacket(receive),
        close: () => port.close(),
      });
      const ue = new InnerUe({
        port: rough(near),
        clock,
        random: seededRandom(seed + 1),
        families: [4, 6],
        hardware: tunnelHardware(address('192.168.1.2')),
        onEvent: () => undefined,
      });
      const link = router.attach(rough(far));
      ue.startSlaac();
      let tries = 0;
      // Each start ends in a lease or says that it failed; who needs an address tries again.
      while (ue.dhcp.state !== 'bound' && tries++ < 20) {
        if (ue.dhcp.state === 'stopped') ue.startDhcp();
        clock.advance(300_000);
      }
      assert.ok(ue.dhcp.lease);
      clock.advance(3_600_000);
      const own = ue.neighbours.addresses.find((a) => a.address[0] === 0x20);
      assert.ok(own?.state === 'preferred' || own?.state === 'deprecated'); // advertisements may be lost in a row
      assert.deepEqual([...own!.address.subarray(0, 8)], [...link.prefix!.subarray(0, 8)]);
      assert.ok(ue.dhcpv6.configuration);
    }),
    { numRuns: 40, seed: 24_322 }, // chance could lose everything: always the same chance
  );
});
