import assert from 'node:assert/strict';
import { test } from 'node:test';
import { octets, see } from './layers.js';

/** A datagram without payload and checksum in IPv4, of which the port at `place` is `port`. */
const probes = (place: number, port: number): string[] => {
  const head = octets('4500001c0000000040110000c0000201c0000202 9c40 9c40 0008 0000');
  head[place] = port >> 8;
  head[place + 1] = port & 255;
  return see('ip.version', 4, head).experts.filter((m) => m.startsWith('Possible'));
};

test('probes of traceroute are counted as tshark counts them', () => {
  for (const place of [20, 22]) {
    assert.deepEqual(probes(place, 33434), []);
    assert.deepEqual(probes(place, 33435), ['Possible traceroute: hop #1, attempt #1']);
    assert.deepEqual(probes(place, 33436), ['Possible traceroute: hop #1, attempt #2']);
    assert.deepEqual(probes(place, 33464), ['Possible traceroute: hop #10, attempt #3']);
    assert.deepEqual(probes(place, 33465), []);
  }
});
