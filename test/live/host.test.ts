import assert from 'node:assert/strict';
import { test } from 'node:test';
import { address, addressText } from '../../src/live/address.js';
import { IpHost } from '../../src/live/host.js';
import type { ReceivedDatagram } from '../../src/live/host-types.js';
import {
  fragments,
  icmpErrorPacket,
  ipPacket,
  type ReadPacket,
  readPacket,
  udpPacket,
} from '../../src/live/ip-packet.js';
import { seededRandom } from '../../src/live/random.js';
import { noTshark, tsharkFields } from './tshark.js';

const octets = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex.replace(/\s/g, ''), 'hex'));
const hex = (b: Uint8Array): string => Buffer.from(b).toString('hex');

function host(own: readonly string[], families: readonly (4 | 6)[] = [4, 6], mtu = 1500) {
  const sent: Uint8Array[] = [];
  const h = new IpHost({ families, mtu, random: seededRandom(1), send: (p) => sent.push(p.slice()) });
  for (const text of own) {
    const a = address(text);
    h.addAddress({ address: a, prefixLength: a.length === 4 ? 24 : 64 });
  }
  return { h, sent };
}

/** 10.0.0.1 asks 10.0.0.2, identifier 0x1234, sequence 1, four octets of data; sums made by hand after RFC 1071. */
const ECHO4 = octets('4500 0020 0001 0000 4001 66da 0a00 0001 0a00 0002  0800 2104 1234 0001 61626364');

test('an echo request is answered with its own data', () => {
  const { h, sent } = host(['10.0.0.2']);
  h.handle(ECHO4, 0);
  assert.equal(sent.length, 1);
  const r = readPacket(sent[0]) as ReadPacket;
  assert.equal(addressText(r.src), '10.0.0.2');
  assert.equal(addressText(r.dst), '10.0.0.1');
  assert.equal(hex(sent[0].subarray(24)), '1234000161626364');
  assert.equal(sent[0][20], 0);
});

test('a wrong header checksum, ICMP checksum or length is counted and not answered', () => {
  const { h, sent } = host(['10.0.0.2']);
  for (const at of [10, 22, 3, 30]) {
    const bad = ECHO4.slice();
    bad[at] ^= 1;
    h.handle(bad, 0);
  }
  for (let n = 0; n < ECHO4.length; n++) h.handle(ECHO4.subarray(0, n), 0);
  assert.equal(sent.length, 0);
  assert.equal(h.counters.damaged + h.counters.family, 4 + ECHO4.length);
});

test('a family that is not supported is discarded and counted', () => {
  const { h, sent } = host(['fe80::1'], [6]);
  h.handle(ECHO4, 0);
  h.handle(Uint8Array.of(0x50, 0, 0, 0), 0);
  assert.equal(h.counters.family, 2);
  assert.equal(sent.length, 0);
});

test('datagrams of both families go from socket to socket, in parts where the MTU wants it', () => {
  for (const [a, b] of [
    ['10.0.0.1', '10.0.0.2'],
    ['2001:db8::1', '2001:db8::2'],
  ]) {
    const left = host([a], [4, 6], 1300);
    const right = host([b]);
    const got: ReceivedDatagram[] = [];
    right.h.udp(5060, (d) => got.push(d));
    const socket = left.h.udp(0, () => undefined);
    const payload = Uint8Array.from({ length: 4800 }, (_, i) => i * 7);
    assert.equal(socket.send(address(b), 5060, payload), true);
    assert.equal(left.sent.length, 4);
    assert.ok(left.sent.every((p) => p.length <= 1300));
    for (const p of [...left.sent].reverse()) right.h.handle(p, 0);
    assert.deepEqual(
      got.map((d) => [addressText(d.src), d.srcport, d.payload]),
      [[a, socket.port, payload]],
    );
  }
});

test('tshark finds nothing wrong with what is sent', { skip: noTshark }, () => {
  const payload = new Uint8Array(3000).fill(0x61);
  const packets: Uint8Array[] = [];
  for (const [a, b] of [
    ['10.0.0.1', '10.0.0.2'],
    ['2001:db8::1', '2001:db8::2'],
  ]) {
    const { h, sent } = host([a], [4, 6], 1300);
    const socket = h.udp(9999, () => undefined);
    socket.send(address(b), 9998, payload);
    socket.send(address(b), 9998, Uint8Array.of(1, 2, 3));
    h.ping(address(b), 1, 1, payload.subarray(0, 56));
    const p = readPacket(sent[3]) as ReadPacket;
    packets.push(...sent, icmpErrorPacket(p, address(b), { type: a.includes(':') ? 1 : 3, code: 3 })!);
  }
  const rows = tsharkFields(packets, [
    'udp.checksum.status',
    'icmp.checksum.status',
    'icmpv6.checksum.status',
    'udp.length',
  ]);
  const family = [
    ['', '', '', ''],
    ['', '', '', ''],
    ['1', '', '', '3008'],
    ['1', '', '', '11'],
    ['', '1', '', ''],
    ['', '1', '', '11'],
  ];
  const quoted = (row: string[]) => [row[0].split(',')[0], ...row.slice(1)];
  assert.deepEqual(rows.slice(0, 5).map(quoted), family.slice(0, 5));
  assert.deepEqual(
    rows.slice(6, 11).map(quoted),
    family.slice(0, 5).map(([u, i, , n]) => [u, '', i, n]),
  );
  assert.equal(rows[5][1], '1');
  assert.equal(rows[11][2], '1');
});

test('a closed port, an unknown protocol and an unknown option are answered with the ICMP errors', () => {
  const { h, sent } = host(['10.0.0.2', '2001:db8::2']);
  const to4 = { src: address('10.0.0.1'), dst: address('10.0.0.2') };
  const to6 = { src: address('2001:db8::1'), dst: address('2001:db8::2') };
  h.handle(udpPacket(to4, 1, 2, new Uint8Array(4)), 0);
  h.handle(udpPacket(to6, 1, 2, new Uint8Array(4)), 0);
  h.handle(ipPacket({ ...to4, protocol: 132 }, new Uint8Array(8)), 0);
  h.handle(ipPacket({ ...to6, protocol: 132 }, new Uint8Array(8)), 0);
  h.handle(ipPacket({ ...to6, protocol: 60 }, octets('3b 00 80 00 01 00 01 00')), 0);
  h.handle(ipPacket({ ...to6, protocol: 60 }, octets('3b 00 40 00 01 00 01 00')), 0);
  const told = sent.map((p) => (p[0] >> 4 === 4 ? [p[20], p[21]] : [p[40], p[41], p[47]]));
  // RFC 792; RFC 4443 §3.1, §3.4: next header at octet 6, option at octet 42
  assert.deepEqual(told, [
    [3, 3],
    [1, 4, 0],
    [3, 2],
    [4, 1, 6],
    [4, 2, 42],
  ]);
  assert.equal(h.counters.noPort, 2);
});

test('errors about errors, to groups and in a flood are not sent', () => {
  const { h, sent } = host(['10.0.0.2']);
  const to = { src: address('10.0.0.1'), dst: address('10.0.0.2') };
  const about = readPacket(udpPacket({ src: to.dst, dst: to.src }, 1, 2, new Uint8Array(4))) as ReadPacket;
  const error = readPacket(icmpErrorPacket(about, to.src, { type: 3, code: 3 })!) as ReadPacket;
  assert.equal(icmpErrorPacket(error, to.dst, { type: 3, code: 2 }), undefined);
  h.handle(udpPacket({ ...to, dst: address('255.255.255.255') }, 1, 2, new Uint8Array(4)), 0);
  assert.equal(sent.length, 0);
  for (let i = 0; i < 50; i++) h.handle(udpPacket(to, 1, 2, new Uint8Array(4)), 1);
  assert.equal(sent.length, 10);
  assert.equal(h.counters.errorsHeld, 40);
});

test('the pointer of an unknown protocol leads to the header that names it; options may ask for silence to groups', () => {
  const { h, sent } = host(['2001:db8::2']);
  const src = address('2001:db8::1');
  const options = (dst: string, text: string) =>
    h.handle(ipPacket({ src, dst: address(dst), protocol: 60 }, octets(text)), 0);
  options('2001:db8::2', '84 00 01 04 00000000  0000000000000000'); // PadN, then SCTP
  for (const action of ['40', '80', 'c0']) options('2001:db8::2', `3b 00 ${action} 00 01 00 01 00`);
  for (const action of ['40', '80', 'c0']) options('ff02::1', `3b 00 ${action} 00 01 00 01 00`);
  // RFC 4443 §3.4: type 4, code 1 or 2, pointer; RFC 8200 §4.2: 11 says nothing about a multicast
  assert.deepEqual(
    sent.map((p) => [p[40], p[41], p[47]]),
    [
      [4, 1, 40],
      [4, 2, 42],
      [4, 2, 42],
      [4, 2, 42],
    ],
  );
});

test('a socket learns that a port is closed, and a path that it is narrow', () => {
  const { h, sent } = host(['10.0.0.1']);
  const errors: string[] = [];
  const socket = h.udp(4000, () => undefined);
  socket.onError = (e) => errors.push(`${e.type}/${e.code} ${addressText(e.dst)}:${e.dstport}`);
  socket.send(address('10.0.0.2'), 5060, new Uint8Array(1000));
  const p = readPacket(sent[0]) as ReadPacket;
  h.handle(icmpErrorPacket(p, address('10.0.0.2'), { type: 3, code: 3 })!, 0);
  h.handle(icmpErrorPacket(p, address('10.0.0.9'), { type: 3, code: 4, word: 600 })!, 0);
  assert.deepEqual(errors, ['3/3 10.0.0.2:5060', '3/4 10.0.0.2:5060']);
  sent.length = 0;
  socket.send(address('10.0.0.2'), 5060, new Uint8Array(1000));
  assert.deepEqual(
    sent.map((x) => x.length),
    [596, 452],
  );
  // RFC 1191 §3, RFC 8201 §4: such a message never makes the path wider
  h.handle(icmpErrorPacket(p, address('10.0.0.9'), { type: 3, code: 4, word: 1200 })!, 0);
  assert.equal(h.pathMtu(address('10.0.0.2')), 600);
});

test('what was received stays, though the buffer that it came in is used again', () => {
  const { h } = host(['10.0.0.2']);
  const got: ReceivedDatagram[] = [];
  h.udp(7, (d) => got.push(d));
  const buffer = Buffer.from(
    udpPacket({ src: address('10.0.0.1'), dst: address('10.0.0.2') }, 1, 7, Uint8Array.of(1, 2, 3)),
  );
  h.handle(buffer, 0);
  buffer.fill(0);
  assert.deepEqual([addressText(got[0].src), [...got[0].payload]], ['10.0.0.1', [1, 2, 3]]);
});

test('a packet with DF is not cut', () => {
  const packet = ipPacket(
    { src: address('10.0.0.1'), dst: address('10.0.0.2'), protocol: 17, dontFragment: true },
    new Uint8Array(600),
  );
  assert.equal(fragments(packet, 500, 1), undefined);
});

test('the source address has the scope of the destination, and is not deprecated', () => {
  const { h } = host(['fe80::1', '2001:db8:1::1', '2001:db8:2::1']);
  const from = (to: string) => addressText(h.sourceFor(address(to))!);
  assert.equal(from('fe80::2'), 'fe80::1');
  assert.equal(from('ff02::1'), 'fe80::1');
  assert.equal(from('2001:db8:2::9'), '2001:db8:2::1');
  assert.equal(from('2001:db8:1::9'), '2001:db8:1::1');
  h.addAddress({ address: address('2001:db8:2::1'), prefixLength: 64, deprecated: true });
  assert.equal(from('2001:db8:2::9'), '2001:db8:1::1');
  assert.equal(h.sourceFor(address('10.0.0.1')), undefined);
});
