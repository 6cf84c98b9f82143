import assert from 'node:assert/strict';
import { test } from 'node:test';
import { at, udp } from '../build/packets.js';
import { file, rawPcap } from '../cli/run.js';
import { captureBesideTshark } from '../support/beside-tshark.js';
import { forRows } from '../support/rows.js';
import { tsharkMissing } from '../support/tshark.js';

/* Headers of packets that no capture should have, as tshark 4.0.17 takes them. */

const GLOBAL = 24;
const RECORD = 16;
const PACKET = udp(at('192.0.2.1', 5000), at('192.0.2.2', 5001), Buffer.from('octets of a datagram'));

/** A capture of the same packet, the headers of which are changed by `change`. */
function changed(n: number, change: (capture: Buffer, header: number, i: number) => void): Buffer {
  const capture = rawPcap(...Array.from({ length: n }, () => PACKET));
  for (let i = 0; i < n; i++) change(capture, GLOBAL + i * (RECORD + PACKET.length), i);
  return capture;
}

const PARTS = [999_999, 1_000_000, 1_010_580, 2_147_483, 2_147_484, 4_294_967, 4_294_968, 0x7fff_ffff, 0xffff_ffff];
const odd = (): Buffer =>
  changed(PARTS.length, (capture, header, i) => {
    capture.writeUInt32LE(1_700_000_000, header);
    capture.writeUInt32LE(PARTS[i], header + 4);
  });

test('a fraction of a second that is more than one is told as it is', { skip: tsharkMissing }, async () => {
  await captureBesideTshark(odd(), ['frame.time_epoch', '_ws.expert.message']);
});

test('times go on where a fraction is more than a second', async () => {
  const times: number[] = [];
  await forRows(file('odd.pcap', odd()), {}, ({ seconds, nanos }) => times.push(seconds + nanos / 1e9));
  assert.deepEqual(
    times,
    PARTS.map((part) => 1_700_000_000 + part / 1e6),
  );
});

test('a frame of which more was captured than there was', { skip: tsharkMissing }, async () => {
  const capture = changed(2, (b, header, i) => b.writeUInt32LE(PACKET.length - i, header + 12));
  await captureBesideTshark(capture, ['frame.len', 'frame.cap_len', '_ws.malformed', '_ws.expert.message']);
});
