import assert from 'node:assert/strict';
import { test } from 'node:test';
import { at, tcp } from '../../build/packets.js';
import { besideTshark } from '../../support/beside-tshark.js';
import { tsharkMissing } from '../../support/tshark.js';
import { octets } from '../rtp/world.js';

/* WHOIS and finger: a line in one piece or two, and an answer that the server ends, as tshark 4.0.17 has them. */

const text = (s: string): Uint8Array => octets(Buffer.from(s, 'latin1').toString('hex'));
const NONE = new Uint8Array(0);
const FIN = 17;

for (const [name, port] of [
  ['whois', 43],
  ['finger', 79],
] as const)
  test(name, { skip: tsharkMissing }, async () => {
    const [client, server] = [at('192.0.2.1', 40_000), at('192.0.2.2', port)];
    const stacks = await besideTshark(
      [
        tcp(client, server, { seq: 99, flags: 2 }, NONE),
        tcp(server, client, { seq: 499, ack: 100, flags: 18 }, NONE),
        tcp(client, server, { seq: 100, ack: 500 }, text('exam')),
        tcp(client, server, { seq: 104, ack: 500 }, text('ple\r\n')),
        tcp(server, client, { seq: 500, ack: 109 }, text('one\r\n')),
        tcp(server, client, { seq: 505, ack: 109 }, text('two\r\n')),
        tcp(server, client, { seq: 510, ack: 109, flags: FIN }, NONE),
      ],
      ['tcp.reassembled.length', 'tcp.segment.count', 'data.len'],
    );
    const quiet = ['tcp', 'tcp', 'tcp'];
    assert.deepEqual(stacks, [...quiet, `tcp:${name}`, 'tcp', 'tcp', `tcp:${name}`]);
  });
