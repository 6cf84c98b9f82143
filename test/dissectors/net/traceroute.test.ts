import assert from 'node:assert/strict';
import { test } from 'node:test';
import { octets, see } from './layers.js';

/** A datagram from port 40000 without payload and checksum, in IPv4. */
const to = (port: number): string[] => {
  const head = octets('4500001c0000000040110000c0000201c0000202 9c40 0000 0008 0000');
  head[22] = port >> 8;
  head[23] = port & 255;
  return see('ip.version', 4, head).experts.filter((m) => m.startsWith('Possible'));
};

test('probes of traceroute are counted as tshark counts them', () => {
  assert.deepEqual(to(33434), []);
  assert.deepEqual(to(33435), ['Possible traceroute: hop #1, attempt #1']);
  assert.deepEqual(to(33436), ['Possible traceroute: hop #1, attempt #2']);
  assert.deepEqual(to(33464), ['Possible traceroute: hop #10, attempt #3']);
  assert.deepEqual(to(33465), []);
});
