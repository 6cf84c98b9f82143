import assert from 'node:assert/strict';
import { test } from 'node:test';
import { links } from '../../../dissectors/well-known/links.js';
import { besideTshark, ETHERNET } from '../../support/beside-tshark.js';
import { tsharkMissing } from '../../support/tshark.js';
import { octets } from '../rtp/world.js';

/* Protocols of links that a number names: tshark 4.0.17 is asked about each of them, whatever they carry. */

const PAYLOADS = [
  'a5'.repeat(64),
  Buffer.from('some words and the end of a line\r\n').toString('hex'),
  '00'.repeat(64),
];
const numbers = (table: string): number[] => links.flatMap((d) => (d.on?.[table] ?? []) as number[]);
const hex = (n: number): string => n.toString(16).padStart(4, '0');
const ADDRESSES = '020000000001 020000000002';

for (const [table, header] of [
  ['ethertype', (type: number) => hex(type)],
  ['ppp.protocol', (protocol: number, n: number) => `8864 11 00 0001 ${hex(n + 2)} ${hex(protocol)}`],
] as const)
  test(table, { skip: tsharkMissing }, async () => {
    const all = numbers(table);
    assert.ok(all.length > 10);
    const frames = all.flatMap((number) =>
      PAYLOADS.map((payload) => octets(`${ADDRESSES} ${header(number, payload.length / 2)} ${payload}`)),
    );
    await besideTshark(frames, ['data.len'], ETHERNET);
  });
