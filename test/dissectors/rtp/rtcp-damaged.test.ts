import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { file, ip4, rawPcap, udp } from '../../cli/run.js';
import { forRows } from '../../support/rows.js';
import { frames, tsharkMissing } from '../../support/tshark.js';
import { octets } from './world.js';

const RULE = 'udp.port==5005,rtcp';
const SSRC = '769c5f44';
const REPORT = `81c90007 ${SSRC} 62cabfe3 03000005 00001aeb 4a34ac39 b9cb6be3 16c544e9`;
const block = (type: string, words: string, octetsOf: string): string => `${type}00${words}${octetsOf}`;
const xr = (length: string, ...blocks: readonly string[]): string => `80cf${length}${SSRC}${blocks.join('')}`;

/** A capture of datagrams, each to another host: nothing is followed from one to the next. */
const capture = (...datagrams: readonly string[]): string =>
  file('rtcp.pcap', rawPcap(...datagrams.map((d) => ip4(17, udp(5005, 5007, octets(d))))));

describe('Damaged RTCP beside tshark', { skip: tsharkMissing }, () => {
  it('says what is wrong with lengths, reasons and feedback', async () => {
    const path = capture(
      `${REPORT} 81cb0003 ${SSRC} 05627965 62620000`,
      `${REPORT} 81cb0003 ${SSRC} 05627965 62626100`,
      `a1${REPORT.slice(2)} 81cb0001 ${SSRC}`,
      xr('0004', block('04', '0002', '0102030405060708')),
      xr('0008', block('05', '0006', '000102030405060708090a0b0c0d0e0f1011121314151617')),
      `8fce0004 ${SSRC} 00000000 0002000c 01020304`,
      `81cc0003 ${SSRC} 504f4301 01020304`,
    );
    const fields = ['rtcp.length_check', '_ws.expert.message', '_ws.expert.severity', '_ws.malformed'];
    const theirs = await frames(path, ['-d', RULE], fields);
    await forRows(path, { decodeAs: [RULE] }, ({ frame, dissection: { tree } }) => {
      const messages = tree.experts.map((e) => e.message);
      assert.deepEqual(messages, theirs.get(frame)?.get('_ws.expert.message') ?? [], `frame ${frame}`);
    });
  });

  it('is RTCP where a user says so, of whatever length', async () => {
    const path = capture(`${REPORT} 81cb0003 ${SSRC} 05627965 626200`, `80c80006 ${SSRC} 0102`);
    const theirs = await frames(path, ['-d', RULE], ['frame.protocols']);
    await forRows(path, { decodeAs: [RULE] }, ({ frame, dissection: { protocols } }) => {
      assert.deepEqual([protocols.join(':')], theirs.get(frame)?.get('frame.protocols'), `frame ${frame}`);
    });
  });
});
