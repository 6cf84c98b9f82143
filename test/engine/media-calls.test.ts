import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LIMITS } from '../../src/limits.js';
import { at, udp } from '../build/packets.js';
import { file, rawPcap } from '../cli/run.js';
import { octets } from '../dissectors/rtp/world.js';
import { besideTshark } from '../support/beside-tshark.js';
import { forRows } from '../support/rows.js';
import { tsharkMissing } from '../support/tshark.js';

/*
 * One address of media in several calls, as a B2BUA between two phones shows it: tshark 4.0.17 names all of them.
 */

const [PHONE, MIDDLE, OTHER] = [at('192.0.2.1', 5060), at('192.0.2.9', 5060), at('192.0.2.2', 5060)];

/** An INVITE of a call, or the answer to it, with media of these ports at `host`. */
function message(start: string, call: string, host: string, ...media: (readonly [string, number])[]): Uint8Array {
  const lines = media.map(([kind, port]) => `m=${kind} ${port} RTP/AVP 0\r\n`).join('');
  const body = `v=0\r\no=- 1 1 IN IP4 ${host}\r\ns=-\r\nc=IN IP4 ${host}\r\nt=0 0\r\n${lines}`;
  const head = [
    start,
    `Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK${call}`,
    'From: <sip:a@x>;tag=1',
    'To: <sip:b@x>;tag=2',
  ];
  head.push(`Call-ID: ${call}`, 'CSeq: 1 INVITE', 'Content-Type: application/sdp', `Content-Length: ${body.length}`);
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`);
}
const INVITE = 'INVITE sip:b@x SIP/2.0';
const OK = 'SIP/2.0 200 OK';
const [A, B] = ['192.0.2.1', '192.0.2.2'];
const SPEECH = octets('80000001 000000a0 11223344 01020304');

test('media that two calls announce belong to both', { skip: tsharkMissing }, async () => {
  const [a, b] = [at(A, 4000), at(B, 6000)];
  await besideTshark(
    [
      udp(PHONE, MIDDLE, message(INVITE, '1@a', A, ['audio', 4000])),
      udp(b, a, SPEECH),
      udp(MIDDLE, OTHER, message(INVITE, '2@m', A, ['audio', 4000])),
      udp(b, a, SPEECH),
      udp(OTHER, MIDDLE, message(OK, '2@m', B, ['audio', 6000])),
      udp(MIDDLE, PHONE, message(OK, '1@a', B, ['audio', 6000])),
      udp(a, b, SPEECH),
      udp(b, a, SPEECH),
      // Another medium in the same description, and a later call from the same port.
      udp(PHONE, MIDDLE, message(INVITE, '4@a', A, ['audio', 4000], ['video', 4002])),
      udp(PHONE, MIDDLE, message(INVITE, '5@a', A, ['audio', 4006], ['video', 4002])),
      udp(b, a, SPEECH),
      udp(at(B, 6002), at(A, 4002), SPEECH),
    ],
    ['sip.call_id_generated', 'rtp.setup-frame'],
  );
});

test('the port of RTCP beside media is that of other media', { skip: tsharkMissing }, async () => {
  await besideTshark(
    [
      udp(PHONE, MIDDLE, message(INVITE, '1@a', A, ['audio', 6001])),
      udp(PHONE, MIDDLE, message(INVITE, '2@a', A, ['audio', 6001])),
      udp(MIDDLE, PHONE, message(OK, '2@a', A, ['audio', 6000])),
      udp(PHONE, MIDDLE, message(INVITE, '3@a', A, ['audio', 6001])),
      udp(MIDDLE, PHONE, message(OK, '3@a', A, ['audio', 6000])),
    ],
    ['sip.call_id_generated'],
  );
});

test('a description that refuses all media names no call', { skip: tsharkMissing }, async () => {
  await besideTshark([udp(PHONE, MIDDLE, message(INVITE, '1@a', A, ['audio', 0]))], ['sip.call_id_generated']);
});

test('of very many calls at one address the latest are named', async () => {
  const calls = Array.from({ length: LIMITS.mediaCalls + 3 }, (_, i) => `${i}@a`);
  const path = file(
    'calls.pcap',
    rawPcap(
      ...calls.map((id) => udp(PHONE, MIDDLE, message(INVITE, id, A, ['audio', 4000]))),
      udp(at(B, 6000), at(A, 4000), SPEECH),
    ),
  );
  let last: readonly (string | undefined)[] = [];
  await forRows(path, {}, ({ dissection: { tree } }) => {
    last = Array.from({ length: tree.length }, (_, i) => i)
      .filter((i) => tree.field(i).name === 'sip.call_id_generated')
      .map((i) => String(tree.value(i)));
  });
  assert.deepEqual(last, calls.slice(3));
});
