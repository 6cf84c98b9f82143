import assert from 'node:assert/strict';
import { test } from 'node:test';
import { besideTshark, ETHERNET } from '../../support/beside-tshark.js';
import { tsharkMissing } from '../../support/tshark.js';
import { octets } from '../rtp/world.js';

/* Frames of IEEE 802.15.4 and what ZigBee sends in them, as tshark 4.0.17 has them. */

const FIELDS = [
  ...['fcf', 'frame_type', 'security', 'pan_id_compression', 'dst_addr_mode', 'version', 'src_addr_mode', 'seq_no'],
  ...['dst_pan', 'dst16', 'dst64', 'src_pan', 'src16', 'src64'],
].map((name) => `wpan.${name}`);
const WITHOUT_CHECK = 230;
const WITH_CHECK = 195;
const skip = tsharkMissing;
const SHORT = '41 88 33 ff01 ffff 0000';
const LONG = '41 dc 34 ff01 58c50d00006f0d00 59c50d00006f0d00';
const SECURITY = '28 01000000 58c50d00006f0d00 00';

const FRAMES = [
  `${SHORT} 09 12 fcff 0000 01 d1 58c50d00006f0d00 ${SECURITY} 4015 cd19ab20`,
  `${SHORT} 48 00 0000 0100 1e 02 00 01 0600 0401 01 07 00 07 00 0000`,
  `${SHORT} 48 00 0000 0100 1e 02 00 00 0600 0000 00 07 11 22 33`,
  `${SHORT} 09 10 0000 0100 1e 03 58c50d00006f0d00 01 00`,
  `${SHORT} 08 00 0000 0100 1e 03 21 05 30 01000000 58c50d00006f0d00 c0ffee cd19ab20`,
  `${LONG} 01 02 03 04`,
  '00 80 c4 ff01 0000 ff cf 00 00 00 22 84 58c50d00006f0d00 ffffff 00',
  '02 00 35',
  '63 88 36 ff01 0000 0100 04',
  '23 c8 37 ff01 0000 ffff 58c50d00006f0d00 01 80',
];

test('without a check sequence', { skip }, async () => {
  const stacks = await besideTshark(FRAMES.map(octets), FIELDS, WITHOUT_CHECK);
  assert.equal(stacks.length, FRAMES.length);
});

/** The check sequence of CRC-16/KERMIT, which is 0x2189 for "123456789". */
function check(b: Uint8Array): string {
  let crc = 0;
  for (const octet of b) {
    const low = (crc ^ octet) & 0xff;
    const folded = low ^ ((low << 4) & 0xff);
    crc = (crc >>> 8) ^ (folded << 8) ^ (folded << 3) ^ (folded >>> 4);
  }
  return Buffer.from([crc & 0xff, crc >>> 8]).toString('hex');
}

test('with one, that fits or does not', { skip }, () =>
  besideTshark(
    FRAMES.flatMap((f) => [octets(f + check(octets(f))), octets(`${f} a5c3`)]),
    [...FIELDS, 'wpan.fcs'],
    WITH_CHECK,
  ).then(() => undefined),
);

test('in Ethernet', { skip }, async () => {
  const stacks = await besideTshark([octets(`ffffffffffff 020000000001 809a ${FRAMES[5]} a5c3`)], FIELDS, ETHERNET);
  assert.deepEqual(stacks, ['wpan:data']);
});

test('what is cut, and what is secured', { skip }, () =>
  besideTshark(
    ['09 88 33 ff01 ffff 0000 05 01000000 c0ffeec0ffee', '41 88 33 ff01', '41'].map(octets),
    ['wpan.fcf', 'wpan.seq_no'],
    WITHOUT_CHECK,
  ).then(() => undefined),
);
