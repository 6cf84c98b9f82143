import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rtp } from '../../../dissectors/rtp.js';
import { rtpRed } from '../../../dissectors/rtp-red.js';
import { rtpPayloads } from '../../../dissectors/well-known/rtp-payloads.js';
import { octets, values, World } from './world.js';

const world = new World([rtp, rtpRed, ...rtpPayloads]);
/** RTP with a payload type and a payload, after SDP that called type 96 `name`. */
const seen = (type: number, payload: string, name = 'x') =>
  world.see(rtp, octets(`80${type.toString(16).padStart(2, '0')} 0009 000000a0 11223344 ${payload}`), {
    expected: { setupFrame: 7, payloadTypes: new Map([[96, { name, clock: 8000 }]]) },
  });

test('redundant data: the headers, and each block. RFC 2198 §3', () => {
  // F, PT 5, offset 160, 3 octets; F, PT 5, offset 80, none; then PT 5
  const s = seen(96, '85 0280 03  85 0140 00  05  aabbcc ddee'.replace(/ /g, ''), 'red');
  assert.deepEqual(values(s, 'rtp.follow'), ['1', '1', '0']);
  assert.deepEqual(values(s, 'rtp.timestamp-offset'), ['160', '80']);
  assert.deepEqual(values(s, 'rtp.block-length'), ['3', '0']);
  assert.deepEqual(values(s, 'rtp.payload').slice(1), ['aa:bb:cc', 'dd:ee']);
  assert.deepEqual(seen(96, '85028003 05 aabb', 'red').stopped, ['rtp_rfc2198']);
});

test('payloads that are only named, as tshark names them', () => {
  const below = (type: number, name?: string): string[] => seen(type, '00010203040506', name).protocols.slice(1);
  assert.deepEqual(below(96, 'VP8'), ['vp8']);
  assert.deepEqual(below(96, 'opus'), ['opus']);
  assert.deepEqual(below(96, 'H263-1998'), ['h263p']);
  assert.deepEqual(below(4), ['g723']);
  assert.deepEqual(below(31), ['h261']);
  assert.deepEqual(below(34), ['rfc2190', 'h263']);
});
