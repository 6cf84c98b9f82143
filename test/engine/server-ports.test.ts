import assert from 'node:assert/strict';
import { test } from 'node:test';
import { at, tcp } from '../build/packets.js';
import { besideTshark, Talk } from '../support/beside-tshark.js';
import { tsharkMissing } from '../support/tshark.js';

/*
 * Which of two known ports says what runs in a TCP connection, as tshark 4.0.17 has it.
 */

const PING = Uint8Array.of(0xc0, 0); // MQTT 5.0 §3.12
const KEEPALIVE = Buffer.from(`${'ff'.repeat(16)}001304`, 'hex'); // RFC 4271 §4.4

test('the port that was connected to goes before a lower one', { skip: tsharkMissing }, async () => {
  const mqtt = new Talk([at('192.0.2.1', 110), at('192.0.2.2', 1883)]);
  mqtt.say(0, PING);
  assert.deepEqual((await besideTshark(mqtt.packets, [])).slice(3), ['tcp:mqtt']);
  const bgp = new Talk([at('192.0.2.1', 20), at('192.0.2.2', 179)]);
  bgp.say(0, KEEPALIVE);
  bgp.say(1, KEEPALIVE);
  assert.deepEqual((await besideTshark(bgp.packets, [])).slice(3), ['tcp:bgp', 'tcp:bgp']);
});

test('an answer to a SYN says which one it is, too', { skip: tsharkMissing }, async () => {
  const client = at('192.0.2.1', 110);
  const server = at('192.0.2.2', 1883);
  const packets = [
    tcp(server, client, { seq: 499, ack: 100, flags: 18 }, new Uint8Array(0)),
    tcp(client, server, { seq: 100, ack: 500 }, PING),
  ];
  assert.deepEqual(await besideTshark(packets, []), ['tcp', 'tcp:mqtt']);
});

test('without either it is the lower one', { skip: tsharkMissing }, async () => {
  const packet = tcp(at('192.0.2.1', 110), at('192.0.2.2', 1883), { seq: 100, ack: 500 }, Buffer.from('+OK\r\n'));
  assert.deepEqual(await besideTshark([packet], []), ['tcp:pop']);
});
