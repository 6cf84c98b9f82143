import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tunnelHardware } from '../../dissectors/dhcp/message.js';
import { LIMITS } from '../../src/limits.js';
import { type Address, address } from '../../src/live/address.js';
import { InnerUe, type InnerUeEvent } from '../../src/live/inner-ue.js';
import { LabNetwork } from '../../src/live/lab-network.js';
import type { PacketPort } from '../../src/live/port.js';
import { integer, type Random, seededRandom } from '../../src/live/random.js';
import { Router } from '../../src/live/router.js';
import { pcscfAt, SipPhone, type SipProtocol } from '../../src/live/sip-phone.js';
import { ACK, FIN, RST, SYN, tcpPacket } from '../../src/live/tcp-segment.js';
import { VirtualClock } from './clock.js';
import { portPair } from './port-pair.js';

const NONE = new Uint8Array(0);

/** Changes, cuts, doubles or joins octets: what a hostile or broken peer may send. */
function mangled(packet: Uint8Array, random: Random): Uint8Array {
  const out = packet.slice(0, random.next() < 0.2 ? integer(random, 0, packet.length) : packet.length);
  const changes = random.next() < 0.2 ? 20 : 2;
  for (let i = 0; i < changes && out.length > 0; i++) out[integer(random, 0, out.length - 1)] = integer(random, 0, 255);
  return out;
}

/** Puts the checksums right again, so that what is behind them is reached. */
function mended(packet: Uint8Array): Uint8Array {
  const out = packet.slice();
  const sum = (off: number, end: number, start: number) => {
    let s = start;
    for (let i = off; i < end; i += 2) s += (out[i] << 8) | (i + 1 < end ? out[i + 1] : 0);
    while (s > 0xffff) s = (s & 0xffff) + Math.floor(s / 0x10000);
    return ~s & 0xffff;
  };
  const put = (off: number, v: number) => {
    out[off] = v >> 8;
    out[off + 1] = v & 255;
  };
  const v4 = out[0] >> 4 === 4;
  const header = v4 ? (out[0] & 15) * 4 : 40;
  if (out.length < header + 8 || header < 20) return out;
  if (v4) {
    put(10, 0);
    put(10, sum(0, header, 0));
  }
  const protocol = v4 ? out[9] : out[6];
  const [from, to] = v4 ? [12, 20] : [8, 40];
  let pseudo = protocol + out.length - header;
  for (let i = from; i < to; i += 2) pseudo += (out[i] << 8) | out[i + 1];
  if (protocol === 6 && out.length < header + 20) return out;
  const at = header + (protocol === 6 ? 16 : protocol === 17 ? 6 : 2);
  if (protocol === 17) put(header + 4, out.length - header);
  put(at, 0);
  if (protocol !== 1) put(at, sum(header, out.length, pseudo) || 0xffff);
  else put(at, sum(header, out.length, 0));
  return out;
}

/** A lab and a UE that registers and calls; every packet goes through `change`. */
function run(change: (p: Uint8Array) => Uint8Array[], seed: number, protocol: SipProtocol = 'UDP') {
  const clock = new VirtualClock();
  const own = address('10.0.0.1');
  const own6 = address('2001:db8::1');
  const router = new Router({
    clock,
    random: seededRandom(seed),
    ipv4: {
      server: own,
      pool: { prefix: address('10.0.0.0'), length: 24 },
      routers: [own],
      dns: [own],
      sipServers: [own],
    },
    ipv6: {
      prefix: address('2001:db8::'),
      length: 48,
      linkLocal: address('fe80::1'),
      dns: [own6],
      sipAddresses: [own6],
    },
  });
  const network = new LabNetwork({
    host: router.host,
    clock,
    random: seededRandom(seed + 1),
    domain: 'lab.example',
    subscribers: [{ impi: 'a', impus: ['sip:a@lab.example'], algorithm: 'MD5', password: 'x' }],
  });
  const [near, far] = portPair();
  const port: PacketPort = {
    send(p) {
      for (const q of change(p)) near.send(q);
    },
    onPacket: (receive) =>
      near.onPacket((p) => {
        for (const q of change(p)) receive(q);
      }),
    close: () => near.close(),
  };
  router.attach(far);
  const events: InnerUeEvent[] = [];
  const ue = new InnerUe({
    port,
    clock,
    random: seededRandom(seed + 2),
    families: [4, 6],
    hardware: tunnelHardware(address('192.168.0.2')),
    onEvent: (e) => events.push(e),
  });
  ue.startDhcp();
  ue.startSlaac();
  clock.advance(10_000);
  const pcscf = (ue.pcscfs.find((p) => typeof p !== 'string' && p.length === 4) ?? own) as Address;
  const sip = new SipPhone({
    host: ue.host,
    tcp: ue.tcp,
    clock,
    random: seededRandom(seed + 3),
    pcscf: pcscfAt(pcscf, protocol),
    identity: { impi: 'a', password: 'x' },
    impu: 'sip:a@lab.example',
    domain: 'lab.example',
    onEvent: () => undefined,
  });
  return { clock, router, network, ue, sip, events };
}

/** One more UE of the same lab that nobody disturbs. */
function bystander(x: ReturnType<typeof run>): InnerUe {
  const [near, far] = portPair();
  x.router.attach(far);
  const hardware = tunnelHardware(address('192.168.0.3'));
  const ue = new InnerUe({
    port: near,
    clock: x.clock,
    random: seededRandom(9),
    families: [4, 6],
    hardware,
    onEvent: () => undefined,
  });
  ue.startDhcp();
  ue.startSlaac();
  return ue;
}

for (const protocol of ['UDP', 'TCP'] as const)
  test(`mangled packets of a whole run over ${protocol} break neither end, and others are served`, () => {
    const random = seededRandom(2024);
    let mangling = false;
    const seen: Uint8Array[] = [];
    const change = (p: Uint8Array): Uint8Array[] => {
      if (seen.length < 2000) seen.push(p.slice());
      if (!mangling) return [p];
      const others = [mended(mangled(p, random)), mangled(p, random)];
      const old = seen[integer(random, 0, seen.length - 1)];
      return [...others, mended(mangled(old, random)), ...(random.next() < 0.5 ? [p] : [])];
    };
    const x = run(change, 1, protocol);
    mangling = true;
    x.sip.agent.register();
    x.clock.advance(2000);
    for (let i = 0; i < 4; i++) {
      try {
        x.sip.agent.call('sip:echo@lab.example');
      } catch (e) {
        assert.ok(e instanceof RangeError); // mangled DHCP may have taken the address away
      }
      x.clock.advance(5000);
    }
    const other = bystander(x);
    x.clock.advance(10_000);
    assert.ok(other.dhcp.lease);
    let answered = false;
    other.ping(address('10.0.0.1'), (r) => {
      answered = r.answered;
    });
    x.clock.advance(6000);
    assert.equal(answered, true);
  });

test('two ends that do not agree how far they are do not correct each other for ever', () => {
  const { clock, router, ue } = run((p) => [p], 3);
  const heard = { onData: () => undefined, onEnd: () => undefined, onClose: () => undefined };
  const connection = ue.tcp.connect({ address: address('10.0.0.1'), port: 5060 }, heard)!;
  clock.advance(100);
  assert.equal(connection.state, 'established');
  const before = router.host.counters.received;
  for (const flags of [ACK, ACK | FIN, ACK | SYN, ACK | RST]) {
    const forged = { srcport: 5060, dstport: 1, flags, window: 1, urgent: 0, options: NONE, payload: Uint8Array.of(1) };
    for (let i = 0; i < 1000; i++) connection.receive({ ...forged, seq: i * 4_000_000, ack: i * 3_000_000 });
  }
  clock.advance(1000);
  assert.ok(router.host.counters.received - before < 50, `${router.host.counters.received - before} packets`);
});

test('a flood of SYNs ends no conversation', () => {
  const { clock, router, sip } = run((p) => [p], 4, 'TCP');
  sip.agent.register();
  clock.advance(1000);
  assert.equal(sip.agent.registration.state, 'registered');
  const [near, far] = portPair();
  router.attach(far);
  const segment = { dstport: 5060, ack: 0, flags: SYN, window: 1000 };
  for (let i = 0; i < LIMITS.tcpConnections + 1000; i++) {
    const src = Uint8Array.of(10, 0, 0, 100 + (i >> 14));
    near.send(tcpPacket({ src, dst: address('10.0.0.1') }, { ...segment, srcport: 1024 + (i & 0x3fff), seq: i }));
  }
  clock.advance(1000);
  const call = sip.agent.call('sip:echo@lab.example');
  clock.advance(3000);
  assert.equal(call.state, 'confirmed');
});

test('random octets in packets with right headers break neither end', () => {
  const x = run((p) => [p], 5);
  const random = seededRandom(77);
  const [near, far] = portPair();
  x.router.attach(far);
  let received = 0;
  near.onPacket(() => received++);
  for (let i = 0; i < 20_000; i++) {
    const size = integer(random, 0, 200);
    const packet = Uint8Array.from({ length: size }, () => integer(random, 0, 255));
    if (size > 28) {
      const v6 = random.next() < 0.5;
      packet[0] = v6 ? 0x60 : 0x45;
      if (v6 && size > 48) {
        packet[4] = 0;
        packet[5] = size - 40;
        packet[6] = [17, 58, 0, 43, 44, 60, 6][integer(random, 0, 6)];
        packet.set(address(random.next() < 0.5 ? 'fe80::9' : '::'), 8);
        packet.set(address(['fe80::1', 'ff02::1:2', 'ff02::2', '2001:db8::1'][integer(random, 0, 3)]), 24);
      } else {
        packet[2] = 0;
        packet[3] = size;
        packet[6] &= 0x1f;
        packet[9] = [17, 1, 17, 6][integer(random, 0, 3)];
        packet.set(address('0.0.0.0'), 12);
        packet.set(address(random.next() < 0.5 ? '255.255.255.255' : '10.0.0.1'), 16);
        packet[22] = 0;
        packet[23] = [67, 53][integer(random, 0, 1)];
      }
    }
    near.send(mended(packet));
    if (i % 100 === 0) x.clock.advance(10);
  }
  assert.ok(received < 5000, `${received} answers`);
  assert.equal(x.ue.dhcp.state, 'bound');
});

test('a flood of DISCOVERs, REGISTERs and INVITEs takes no more than its share', () => {
  const x = run((p) => [p], 8);
  x.sip.agent.register();
  x.clock.advance(1000);
  const [near, far] = portPair();
  const link = x.router.attach(far);
  for (let i = 0; i < 2000; i++) {
    const hardware = tunnelHardware(Uint8Array.of(i >> 8, i, 1, 2));
    const other = new InnerUe({
      port: near,
      clock: x.clock,
      random: seededRandom(i),
      families: [4],
      hardware,
      onEvent: () => undefined,
    });
    other.startDhcp();
    other.stop();
  }
  assert.ok(x.router.dhcp!.bindings().filter((b) => b.link === link.id).length <= 8);
  const socket = x.ue.host.udp(40_000, () => undefined);
  const text = new TextEncoder();
  for (let i = 0; i < 2000; i++) {
    const method = i % 2 ? 'INVITE' : 'REGISTER';
    const lines = [
      `${method} sip:echo@lab.example SIP/2.0`,
      `Via: SIP/2.0/UDP 10.0.0.2:40000;branch=z9hG4bK${i};rport`,
      'From: <sip:a@lab.example>;tag=1',
      'To: <sip:a@lab.example>',
      `Call-ID: ${i}`,
      `CSeq: 1 ${method}`,
      '',
      '',
    ];
    socket.send(address('10.0.0.1'), 5060, text.encode(lines.join('\r\n')));
  }
  x.clock.advance(1000);
  const call = x.sip.agent.call('sip:echo@lab.example');
  x.clock.advance(3000);
  assert.equal(call.state, 'confirmed');
});
