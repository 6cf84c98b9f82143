import assert from 'node:assert/strict';
import { test } from 'node:test';
import { at, udp } from '../../build/packets.js';
import { besideTshark } from '../../support/beside-tshark.js';
import { tsharkMissing } from '../../support/tshark.js';
import { octets } from '../rtp/world.js';

test('what follows the first message of SNMP is a conversation of its own', { skip: tsharkMissing }, async () => {
  const [a, b, manager] = [at('192.0.2.1', 161), at('192.0.2.2', 40_000), at('192.0.2.3', 162)];
  const get = octets('301b 020101 0400 a014 020101 020100 020100 3009 3007 0603 2b0601 0500');
  const trap = octets('301b 020101 0400 a714 020101 020100 020100 3009 3007 0603 2b0601 0500');
  const stacks = await besideTshark(
    [udp(b, a, get), udp(a, b, get), udp(b, a, get), udp(a, manager, trap), udp(a, manager, trap), udp(a, b, get)],
    ['udp.stream'],
  );
  assert.deepEqual(new Set(stacks), new Set(['udp:snmp']));
});

test('on its port what is no sequence, or not whole, is none', { skip: tsharkMissing }, async () => {
  const [a, b] = [at('192.0.2.1', 161), at('192.0.2.2', 40_000)];
  const stacks = await besideTshark(
    [udp(b, a, octets('00010203')), udp(b, a, octets('3020 020101 0400 a0'))],
    ['udp.stream', 'data.len'],
  );
  assert.deepEqual(stacks, ['udp:data', 'udp:data']);
});

test('texts of a system are layers of their own', { skip: tsharkMissing }, async () => {
  const [a, b] = [at('192.0.2.1', 161), at('192.0.2.2', 40_000)];
  const binding = (object: number, value: string) => `06082b06010201010${object}00 ${value}`;
  const answer = (object: number, value: string) => {
    const one = octets(binding(object, value)).length;
    const n = (more: number) => (one + more).toString(16).padStart(2, '0');
    const list = `30${n(2)} 30${n(0)} ${binding(object, value)}`;
    return octets(`30${n(26)} 020101 0406 7075626c6963 a2${n(13)} 020127 020100 020100 ${list}`);
  };
  const stacks = await besideTshark(
    [
      ...[1, 5, 6].map((object) => udp(a, b, answer(object, '0403 616263'))),
      udp(a, b, answer(5, '0400')),
      udp(a, b, answer(5, '0500')),
      udp(a, b, answer(5, '020101')),
    ],
    ['udp.stream'],
  );
  assert.deepEqual(
    stacks,
    ['snmp:snmp', 'snmp:snmp', 'snmp', 'snmp', 'snmp', 'snmp:snmp'].map((s) => `udp:${s}`),
  );
});
