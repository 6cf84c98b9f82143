import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromALaw, fromMuLaw, g711, wavOf } from '../../src/tui/wav.js';

test('octets of G.711 are the values of its tables', () => {
  // ITU-T G.711 tables 2a and 2b (µ-law) and 1a and 1b (A-law), on the scale of 16 bits.
  const muLaw = [
    [0xff, 0],
    [0x7f, 0],
    [0x80, 32_124],
    [0x00, -32_124],
    [0xfe, 8],
    [0x8f, 16_764],
    [0xef, 132],
  ];
  for (const [octet, value] of muLaw) assert.equal(Math.abs(fromMuLaw(octet) - value), 0, octet.toString(16));
  const aLaw = [
    [0xd5, 8],
    [0x55, -8],
    [0xaa, 32_256],
    [0x2a, -32_256],
    [0xc5, 264],
    [0x80, 5504],
  ];
  for (const [octet, value] of aLaw) assert.equal(fromALaw(octet), value, octet.toString(16));
});

test('only G.711 is decoded, by its name before its number', () => {
  assert.equal(g711('PCMU', 96), fromMuLaw);
  assert.equal(g711(undefined, 8), fromALaw);
  assert.equal(g711('AMR-WB', 0), undefined);
});

/** An RTP packet: version 2, with what its first octet adds. */
function rtp(
  first: number,
  type: number,
  sequence: number,
  time: number,
  ssrc: number,
  rest: readonly number[],
): Uint8Array {
  const head = new DataView(new ArrayBuffer(12));
  head.setUint8(0, 0x80 | first);
  head.setUint8(1, type);
  head.setUint16(2, sequence);
  head.setUint32(4, time);
  head.setUint32(8, ssrc);
  return Uint8Array.from([...new Uint8Array(head.buffer), ...rest]);
}

test('packets stand where their timestamps put them, and what was lost is silence', () => {
  const packets = [
    rtp(0, 0, 1, 0xffff_fffe, 7, [0x80, 0x80]),
    rtp(0, 0, 9, 500, 8, [0x00]), // another stream
    rtp(0, 101, 2, 0, 7, [1, 10, 0, 160]), // an event, not speech
    rtp(0x11, 0, 3, 2, 7, [0, 0, 0, 9, 0xbe, 0xde, 0, 1, 1, 2, 3, 4, 0xfe, 0xfe]), // a contributor and an extension
    rtp(0x20, 0, 4, 4, 7, [0x00, 0, 0, 3]), // padding
  ];
  const pieces = packets.map((octets, row) => ({ row, side: 0 as const, octets }));
  const wanted = { ssrc: 7, payloadType: 0, decode: fromMuLaw };
  const { file, seconds, cut } = wavOf({ title: '', pieces, cut: false, joined: false }, wanted);
  assert.equal(cut, false);
  assert.equal(wavOf({ title: '', pieces, cut: true, joined: false }, wanted).cut, true);
  const view = new DataView(file.buffer);
  assert.equal(seconds, 7 / 8000);
  assert.equal(Buffer.from(file.subarray(0, 16)).toString('latin1'), 'RIFF2\0\0\0WAVEfmt ');
  assert.deepEqual([view.getUint32(24, true), view.getUint16(34, true), view.getUint32(40, true)], [8000, 16, 14]);
  const samples = Array.from({ length: 7 }, (_, i) => view.getInt16(44 + 2 * i, true));
  assert.deepEqual(samples, [32_124, 32_124, 0, 0, 8, 8, -32_124]);
});
