import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { at, udp } from '../../build/packets.js';
import { besideTshark, Talk } from '../../support/beside-tshark.js';
import { tsharkMissing } from '../../support/tshark.js';
import { octets } from '../rtp/world.js';

const CLIENT = at('192.0.2.1', 50_000);
const SERVER = at('192.0.2.2', 1194);
const SESSION = '1122334455667788';
const PEER = '99aabbccddeeff00';
const word = (n: number): string => n.toString(16).padStart(8, '0');

/** A packet of the control channel: an opcode, packets that it acknowledges, its number, and its part of the TLS. */
const control = (opcode: number, acks: readonly number[], n: number, part: string): string =>
  [
    (opcode << 3).toString(16).padStart(2, '0') + SESSION,
    acks.length.toString(16).padStart(2, '0') + acks.map(word).join(''),
    (acks.length > 0 ? PEER : '') + word(n) + part,
  ].join('');

/** An alert, and application data that do not fit into one packet with it: 132 octets. */
const RECORDS = `15030300020228 1703030078${'a5'.repeat(120)}`.replaceAll(' ', '');
const PARTS = [RECORDS.slice(0, 200), RECORDS.slice(200)] as const;
const FIELDS = 'tls.record.content_type tls.record.length tls.record.version tls.alert_message.desc'.split(' ');

describe('TLS in the control channel of OpenVPN, as tshark', { skip: tsharkMissing }, () => {
  test('in datagrams', async () => {
    const proof = `${'b7'.repeat(20)} 00000003 60000000`;
    const stacks = await besideTshark(
      [
        control(7, [], 0, ''),
        control(4, [0], 1, PARTS[0]),
        control(4, [], 2, PARTS[1]),
        control(4, [0, 1], 3, '15030300020228'),
        control(4, [], 4, '15030300020228').replace(SESSION, `${SESSION}${proof}`),
        control(4, [], 5, `150303000202281703030078${'a5'.repeat(20)}`),
        control(5, [1], 0, '').slice(0, -8),
        `30${'a5'.repeat(60)}`,
        '20',
      ].map((hex) => udp(CLIENT, SERVER, octets(hex))),
      FIELDS,
    );
    const [none, tls] = ['udp:openvpn', 'udp:openvpn:tls'];
    assert.deepEqual(stacks, [none, none, tls, tls, tls, tls, none, none, none]);
  });

  test('in a stream, where a length stands before each packet', async () => {
    const message = (hex: string): string => octets(hex).length.toString(16).padStart(4, '0') + hex;
    const talk = new Talk([CLIENT, SERVER]);
    talk.say(0, octets(message(control(7, [], 0, ''))));
    talk.say(0, octets(message(control(4, [], 1, PARTS[0])) + message(control(4, [], 2, PARTS[1]))));
    const last = octets(message(control(4, [0], 3, '15030300020228')));
    talk.say(0, last.subarray(0, 20), last.subarray(20));
    const stacks = await besideTshark(talk.packets, FIELDS);
    assert.deepEqual(stacks.slice(3), ['tcp:openvpn', 'tcp:openvpn:tls', 'tcp', 'tcp:openvpn:tls']);
  });
});
