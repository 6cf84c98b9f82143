import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fieldText } from '../../src/report/value.js';
import { at, udp } from '../build/packets.js';
import { file, rawPcap } from '../cli/run.js';
import { octets } from '../dissectors/rtp/world.js';
import { besideTshark } from '../support/beside-tshark.js';
import { forRows } from '../support/rows.js';
import { tsharkMissing } from '../support/tshark.js';

/*
 * Parts of DTLS handshake messages as they come where packets overtake each other: RFC 6347 §4.2.3, and tshark 4.0.17.
 */

const hex = (n: number, octets: number): string => n.toString(16).padStart(2 * octets, '0');

/** The body of a ClientHello: a random of this octet, a cookie, many cipher suites, an extension. */
const hello = (random: string, cookie: string): Uint8Array => {
  const suites = Array.from({ length: 60 }, (_, i) => hex(0xc001 + i, 2)).join('');
  return octets(
    `fefd ${random.repeat(32)} 00 ${hex(cookie.length / 2, 1)}${cookie} ${hex(suites.length / 2, 2)}${suites} 01 00 0008 000a 0004 0002 0017`,
  );
};

let records = 0;
/** A record with octets `[from, to)` of the message of this number. */
function part(seq: number, body: Uint8Array, from: number, to = body.length): Buffer {
  const head = `01 ${hex(body.length, 3)} ${hex(seq, 2)} ${hex(from, 3)} ${hex(to - from, 3)}`;
  const content = Buffer.concat([octets(head), body.subarray(from, to)]);
  return Buffer.concat([octets(`16 fefd 0000 ${hex(records++, 6)} ${hex(content.length, 2)}`), content]);
}

const [FIRST, SECOND, LATER] = [hello('11', ''), hello('22', 'a1b2c3d4'), hello('33', '')];
const FIELDS = [
  ...['dtls.handshake.message_seq', 'dtls.handshake.fragment_offset', 'dtls.handshake.random', 'dtls.handshake.cookie'],
  ...['dtls.handshake.ciphersuite', 'dtls.handshake.extension.type'],
];

async function compare(parts: readonly Buffer[]): Promise<void> {
  const [client, server] = [at('192.0.2.1', 50_000), at('192.0.2.2', 4433)];
  await besideTshark(
    parts.map((p) => udp(client, server, p)),
    FIELDS,
  );
}

test('parts of a message come between those of another', { skip: tsharkMissing }, () =>
  compare([part(1, SECOND, 0, 90), part(0, FIRST, 0, 100), part(1, SECOND, 90), part(0, FIRST, 100)]),
);

/** The frames that show a hello, each with the first octets of its random. */
async function hellos(parts: readonly Buffer[]): Promise<string[]> {
  const [client, server] = [at('192.0.2.1', 50_000), at('192.0.2.2', 4433)];
  const path = file('parts.pcap', rawPcap(...parts.map((p) => udp(client, server, p))));
  const randoms: string[] = [];
  await forRows(path, {}, ({ frame, dissection: { tree } }) => {
    for (let i = 0; i < tree.length; i++)
      if (tree.field(i).name === 'dtls.handshake.random') randoms.push(`${frame} ${fieldText(tree, i).slice(0, 4)}`);
  });
  return randoms;
}

test('parts come in any order, and overlap, where tshark 4.0.17 shows no message', async () => {
  assert.deepEqual(await hellos([part(0, FIRST, 60), part(0, FIRST, 0, 60)]), ['2 1111']);
  const pieces = [part(0, FIRST, 120), part(0, FIRST, 60, 100), part(0, FIRST, 0, 60), part(0, FIRST, 90, 130)];
  assert.deepEqual(await hellos(pieces), ['4 1111']);
  const both = [part(0, FIRST, 0, 50), part(1, SECOND, 80), part(1, SECOND, 0, 80), part(0, FIRST, 50)];
  assert.deepEqual(await hellos([Buffer.concat(both.slice(0, 2)), Buffer.concat(both.slice(2))]), ['2 2222', '2 1111']);
});

test('a later handshake between the same ends begins anew, and what is sent again is no other', async () => {
  // tshark 4.0.17 takes the parts of the later one for those of the earlier one again.
  const parts = [part(0, FIRST, 0, 90), part(0, FIRST, 90), part(0, FIRST, 0, 90), part(0, FIRST, 90)];
  assert.deepEqual(await hellos([...parts, part(0, LATER, 0, 90), part(0, LATER, 90)]), ['2 1111', '6 3333']);
});
