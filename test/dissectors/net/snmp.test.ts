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
