import assert from 'node:assert/strict';
import { test } from 'node:test';
import { at } from '../../build/packets.js';
import { besideTshark, Talk } from '../../support/beside-tshark.js';
import { tsharkMissing } from '../../support/tshark.js';
import { octets } from '../rtp/world.js';

/* Remote Desktop over TPKT, in the octets of MS-RDPBCGR §4.1, as tshark 4.0.17 has it. */

const FIELDS = ['tcp.reassembled.length', 'data.len'];
const text = (s: string): string => Buffer.from(s, 'latin1').toString('hex');
const tpkt = (body: string): Uint8Array => {
  const n = octets(body).length + 4;
  return octets(`0300 ${n.toString(16).padStart(4, '0')} ${body}`);
};
const data = (body: string): Uint8Array => tpkt(`02f080 ${body}`);
const request = (part: string): Uint8Array => {
  const n = octets(part).length + 6;
  return tpkt(`${n.toString(16).padStart(2, '0')} e0 0000 0000 00 ${part}`);
};
const talk = (): Talk => new Talk([at('192.0.2.1', 40_000), at('192.0.2.2', 3389)]);

test('a connection, its channels, and fast-path output', { skip: tsharkMissing }, async () => {
  const t = talk();
  t.say(0, request(`${text('Cookie: mstshash=eltons\r\n')} 01 00 0800 00000000`));
  t.say(1, tpkt('0e d0 0000 1234 00 02 00 0800 00000000'));
  t.say(0, data('04 01000100')); // erectDomainRequest
  t.say(0, data('28')); // attachUserRequest
  t.say(1, data('2e00 0006'));
  const confirm = data('3e00 0006 03eb 03eb');
  t.say(1, confirm.subarray(0, 10), confirm.subarray(10));
  t.say(1, octets('c0 0b 78a2e3f1 0102030405'));
  t.say(1, octets('c0 8400 78a2e3f1 0102030405'));
  const stacks = (await besideTshark(t.packets, FIELDS)).slice(3);
  const rdp = 'tcp:tpkt:rdp';
  const t125 = 'tcp:tpkt:cotp:t125';
  assert.deepEqual(stacks, ['tcp:cotp:rdp', 'tcp:tpkt:cotp:rdp', t125, t125, t125, 'tcp', t125, rdp, 'tcp:tpkt']);
});

test('without a negotiation', { skip: tsharkMissing }, async () => {
  const t = talk();
  t.say(0, request(text('Cookie: mstshash=eltons\r\n')));
  t.say(1, tpkt('06 d0 0000 1234 00'));
  const stacks = (await besideTshark(t.packets, FIELDS)).slice(3);
  assert.deepEqual(stacks, ['tcp:cotp:rdp', 'tcp:tpkt:cotp']);
});
