import { test } from 'node:test';
import { at, udp } from '../build/packets.js';
import { octets } from '../dissectors/rtp/world.js';
import { besideTshark, ETHERNET } from '../support/beside-tshark.js';
import { tsharkMissing } from '../support/tshark.js';

/*
 * Headers of what carries tunnels, field by field as tshark 4.0.17 shows them.
 */

test('control fields of LLC are as wide as they are, and SAPs are numbers', { skip: tsharkMissing }, async () => {
  const frame = (llc: string): Uint8Array =>
    octets(`020000000002 0a0000000001 ${(llc.replace(/ /g, '').length / 2).toString(16).padStart(4, '0')} ${llc}`);
  await besideTshark(
    // Unnumbered, information and supervisory frames, and a response.
    ['424203 0102', 'e0e00002 0102', 'f0f10101', 'aaab73', '0a0a 0506'].map(frame),
    ['llc.dsap', 'llc.dsap.sap', 'llc.ssap.sap', 'llc.control', 'llc.control.ftype'],
    ETHERNET,
  );
});

test('the header of Geneve tells how long its options are', { skip: tsharkMissing }, async () => {
  const inner = '020000000002 0a0000000001 88b5 0000';
  const [a, b] = [at('192.0.2.1', 50_000), at('192.0.2.2', 6081)];
  await besideTshark(
    [
      udp(a, b, octets(`00006558 00006400 ${inner}`)),
      udp(a, b, octets(`02006558 00006400 0102 03 01 aabbccdd ${inner}`)),
      udp(a, b, octets(`03006558 00006400 0102 03 00 0102 83 01 aabbccdd ${inner}`)),
    ],
    ['geneve.option.length', 'geneve.option.type', 'geneve.options', 'geneve.vni'],
  );
});
