import assert from 'node:assert/strict';
import { test } from 'node:test';
import { at, udp } from '../../build/packets.js';
import { besideTshark, Talk } from '../../support/beside-tshark.js';
import { tsharkMissing } from '../../support/tshark.js';
import { octets } from '../rtp/world.js';

/* Protocols of vehicles, plants and laboratories that are only named, as tshark 4.0.17 has them. */

const FIELDS = ['tcp.reassembled.length', 'data.len'];
const SOCKET_CAN = 227;
const skip = tsharkMissing;
const [CLIENT, HOST] = [at('192.0.2.1', 40_000), '192.0.2.2'];
const datagram = (port: number, hex: string) => udp(CLIENT, at(HOST, port), octets(hex));

/** Stacks of streams to a port: a message whole, in two parts, and behind one more of it. */
async function stream(port: number, hex: string): Promise<string[]> {
  const talk = new Talk([CLIENT, at(HOST, port)]);
  const message = octets(hex);
  const half = message.length >> 1;
  talk.say(0, message, message.subarray(0, half), message.subarray(half), Buffer.concat([message, message]));
  return (await besideTshark(talk.packets, FIELDS)).slice(3);
}

test('frames of CAN: data, errors, and network management', { skip }, async () => {
  const packets = [
    '00000123 02 000000 0102',
    '80000000 02 000000 0102',
    '2a010000 08 000000 12201000 00001080',
    '0000000a 00 000000',
    '00000000 08 000000 4543555245534554',
  ];
  await besideTshark(packets.map(octets), FIELDS, SOCKET_CAN);
});

test('frames of CAN FD, as Linux cooks them', { skip }, () =>
  besideTshark(
    [octets(`0004 0118 0000 0000000000000000 000d 23010000 04 01 0000 22334455 ${'00'.repeat(60)}`)],
    FIELDS,
    113,
  ).then(() => undefined),
);

test('data of CIP connections', { skip }, async () => {
  const address = '0280 0800 03064b00 bb943f00';
  const stacks = await besideTshark(
    [
      datagram(2222, `0200 ${address} b100 0600 a587e80f0300`),
      datagram(2222, `0100 ${address}`),
      datagram(2222, `0300 ${address} b100 0200 a587 b100 0200 a587`),
    ],
    FIELDS,
  );
  assert.deepEqual(stacks.slice(0, 2), ['udp:cipio:cipio', 'udp:cipio']);
});

test('S-Bus, and what is none on its ports', { skip }, async () => {
  const stacks = await besideTshark(
    [
      datagram(5050, '0000000d 01 00 0001 00 0a 20 53 18'),
      datagram(5050, '0000000e 01 00 0001 00 0a 20 53 18'),
      datagram(6060, '4553494f 0001 0000 00317616 00000018 0000000d 01000000005c 00000001'),
      datagram(6060, '4553494e 0001 0000 00317616 00000018'),
    ],
    FIELDS,
  );
  assert.deepEqual(stacks, ['udp:sbus', 'udp:data', 'udp:esio', 'udp:data']);
});

test('a session of HART-IP that goes on from another port of the server', { skip }, async () => {
  const [session, other] = [at(HOST, 5095), at(HOST, 20_500)];
  const [ask, answer] = ['010000000002000d0100007530', '010100000002000d010000ea60'].map(octets);
  const stacks = await besideTshark(
    [
      udp(CLIENT, at(HOST, 5094), ask),
      udp(session, CLIENT, answer),
      udp(CLIENT, session, ask),
      udp(other, session, ask),
    ],
    FIELDS,
  );
  assert.deepEqual(stacks, ['udp:hart_ip', 'udp:hart_ip', 'udp:hart_ip', 'udp:data']);
});

test('streams of HiSLIP, Gryphon, NetWare, OpenWire, service location and label distribution', { skip }, async () => {
  const once = (name: string) => [`tcp:${name}`, 'tcp', `tcp:${name}`, `tcp:${name}`];
  assert.deepEqual(await stream(4880, `4853 00 00 01005858 0000000000000007 ${'61'.repeat(7)}`), once('hislip'));
  assert.deepEqual(await stream(7000, '01 00 02 00 0006 01 00 010203040506 0000'), once('gryphon'));
  assert.deepEqual(await stream(524, `446d6454 00000018 00000001 00000000 1111 00ff 01ff 0000`), once('ncp'));
  const wire = '00000021 01 4163746976654d51 0000000c 01 00000010 00000001 0004 54657374 06 00000001';
  assert.deepEqual(await stream(61_616, wire), once('openwire'));
  assert.deepEqual(
    await stream(427, '02 01 00001b 0000 000000 0001 0002 656e 0000 0001 61 0000 0000 0000'),
    once('srvloc'),
  );
  assert.deepEqual(await stream(646, '0001 000e 01010101 0000 0201 0004 00000001'), once('ldp'));
});

test('others by their octets: PANA, GTP prime, and the errors of BitTorrent', { skip }, async () => {
  const stacks = await besideTshark(
    [
      datagram(716, '0000 0010 0000 0001 00000000 00000001'),
      datagram(716, '0000 0010 0000 0009 00000000 00000001'),
      datagram(3386, '0e 01 0000 0001'),
      datagram(3386, '2e 00 0000 0001'),
      datagram(20_000, Buffer.from('d1:eli201e1:xe1:t2:aa1:y1:ee').toString('hex')),
      datagram(30_000, Buffer.from('d2:ip6:abcdef1:t2:aa1:y1:re').toString('hex')),
      datagram(30_001, Buffer.from('d1:t2:aa1:y1:re').toString('hex')),
    ],
    FIELDS,
  );
  const dht = 'udp:bt-dht';
  assert.deepEqual(stacks, ['udp:pana', 'udp:data', 'udp:gtpprime', 'udp:data', dht, dht, 'udp:data']);
});
