import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { file, ip4, rawPcap, udp } from '../../cli/run.js';
import { fieldNames, tsharkMissing } from '../../support/tshark.js';
import { differences, ours } from './wire.js';

const SDP = Buffer.from('v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=Sessions\r\nt=0 0\r\na=keywds:a, b\r\n').toString('hex');
const TYPE = Buffer.from('application/sdp\0').toString('hex');

/** RFC 2974 §6: flags, authentication length, hash, source. */
const MESSAGES = [
  `20 00 0001 c0000201 ${TYPE} ${SDP}`,
  `24 00 1234 c0000201 ${SDP}`,
  `30 00 1234 20010db8000000000000000000000001 ${TYPE} ${SDP}`,
  `20 02 0001 c0000201 3000000000000000 ${TYPE} ${SDP}`,
];

const packets = (list: readonly string[]): string =>
  file('sap.pcap', rawPcap(...list.map((m) => ip4(17, udp(9875, 9875, Buffer.from(m.replaceAll(' ', ''), 'hex'))))));

describe('SAP', () => {
  test('announcements are as in tshark, with the description in them', { skip: tsharkMissing }, async () => {
    const names = await fieldNames(['sap']);
    const fields = names.filter((n) => !n.startsWith('sap.auth.') || n === 'sap.auth.len');
    assert.deepEqual(await differences(packets(MESSAGES), [...fields, 'sdp.session_attr', 'frame.protocols']), []);
  });

  test('what is encrypted or compressed is data', async () => {
    const rows = await ours(packets(['22 00 0001 c0000201 0102', '21 00 0001 c0000201 0102']));
    for (const row of rows) assert.equal(row.protocols.at(-1), 'data');
    assert.deepEqual(rows[0].experts, ['The rest of the packet is encrypted']);
    assert.deepEqual(rows[1].experts, ['The rest of the packet is compressed']);
  });

  test('an authentication length beyond the packet is malformed', async () => {
    const [row] = await ours(packets(['20 ff 0001 c0000201 0102']));
    assert.deepEqual(row.experts, ['Malformed Packet (Exception occurred)']);
  });
});
