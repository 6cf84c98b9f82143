import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rtp } from '../../dissectors/rtp.js';
import { fieldText } from '../../src/report/value.js';
import { at, udp } from '../build/packets.js';
import { file, rawPcap } from '../cli/run.js';
import { octets } from '../dissectors/rtp/world.js';
import { besideTshark } from '../support/beside-tshark.js';
import { forRows } from '../support/rows.js';
import { tsharkMissing } from '../support/tshark.js';

/*
 * What SDP announces, and what then comes there, as tshark 4.0.17 has it.
 */

const CALLER = at('192.0.2.1', 5060);
const CALLED = at('192.0.2.2', 5060);

const message = (start: string, cseq: string, media = 0): Uint8Array => {
  const body = media === 0 ? '' : `v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\n${line(start, media)}`;
  const lines = ['Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1', 'From: <sip:a@x>;tag=1', 'To: <sip:b@x>;tag=2'];
  if (media > 0) lines.push('Content-Type: application/sdp');
  const header = [start, ...lines, 'Call-ID: 1@x', `CSeq: ${cseq}`, `Content-Length: ${body.length}`];
  return Buffer.from(`${header.join('\r\n')}\r\n\r\n${body}`);
};
const line = (start: string, port: number): string =>
  `c=IN IP4 ${start.startsWith('SIP') ? '192.0.2.2' : '192.0.2.1'}\r\nm=audio ${port} RTP/AVP 0\r\n`;

const INVITE = message('INVITE sip:b@x SIP/2.0', '1 INVITE', 4000);
const OK = message('SIP/2.0 200 OK', '1 INVITE', 6000);

test('what comes where media were announced and is none is shown as what it is', { skip: tsharkMissing }, async () => {
  const media = at('192.0.2.1', 4000);
  const control = at('192.0.2.1', 4001);
  const query = octets('1234 0100 0001 0000 0000 0000 0161 0162 00 0001 0001');
  const stacks = await besideTshark(
    [
      udp(CALLER, CALLED, INVITE),
      udp(at('192.0.2.2', 6000), media, octets('80000001 000000a0 11223344 01020304')),
      udp(at('192.0.2.2', 6002), media, octets('40404040 40404040 40404040')),
      udp(at('192.0.2.2', 6004), media, message('OPTIONS sip:b@x SIP/2.0', '1 OPTIONS')),
      udp(at('192.0.2.2', 53), media, query),
      udp(at('192.0.2.2', 6006), media, octets('10000001 5a525450 11223344 505a0003 48656c6c 6f202020')),
      udp(at('192.0.2.2', 6001), control, octets('c0c0c0c0 c0c0c0c0')),
      udp(at('192.0.2.2', 6003), control, message('OPTIONS sip:b@x SIP/2.0', '2 OPTIONS')),
    ],
    ['rtp.version', 'rtcp.version', 'data.len', 'udp.stream'],
  );
  assert.deepEqual(stacks, [
    ...['udp:sip:sdp', 'udp:rtp', 'udp:data', 'udp:sip', 'udp:dns', 'udp:rtp:zrtp', 'udp:data', 'udp:sip'],
  ]);
});

test('why it is none is there where nothing else is asked', async () => {
  const media = at('192.0.2.1', 4000);
  const path = file(
    'refused.pcap',
    rawPcap(
      udp(CALLER, CALLED, INVITE),
      udp(at('192.0.2.2', 6002), media, octets('40404040 40404040 40404040')),
      udp(at('192.0.2.2', 6004), media, message('OPTIONS sip:b@x SIP/2.0', '1 OPTIONS')),
    ),
  );
  const versions: string[] = [];
  await forRows(path, { fields: [rtp.fields.version!], bare: true }, ({ dissection: { tree } }) => {
    for (let i = 0; i < tree.length; i++) versions.push(fieldText(tree, i));
  });
  assert.deepEqual(versions, ['1', '1']);
});

test('a request that is sent again sets nothing up', { skip: tsharkMissing }, async () => {
  const [a, b] = [at('192.0.2.1', 4000), at('192.0.2.2', 6000)];
  const speech = octets('80000001 000000a0 11223344 01020304');
  await besideTshark(
    [
      ...[udp(CALLER, CALLED, INVITE), udp(b, a, speech), udp(CALLER, CALLED, INVITE), udp(b, a, speech)],
      ...[udp(CALLED, CALLER, OK), udp(a, b, speech), udp(b, a, speech)],
    ],
    ['rtp.setup-frame', 'udp.stream'],
  );
});

test('an answer that is sent again sets the media up again', { skip: tsharkMissing }, async () => {
  const [a, b] = [at('192.0.2.1', 4000), at('192.0.2.2', 6000)];
  const speech = octets('80000001 000000a0 11223344 01020304');
  await besideTshark(
    [
      ...[
        udp(CALLER, CALLED, INVITE),
        udp(b, a, speech),
        udp(CALLED, CALLER, OK),
        udp(b, a, speech),
        udp(a, b, speech),
      ],
      ...[udp(CALLED, CALLER, OK), udp(b, a, speech), udp(a, b, speech), udp(CALLED, CALLER, OK), udp(a, b, speech)],
    ],
    ['rtp.setup-frame', 'udp.stream'],
  );
});
