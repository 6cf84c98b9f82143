import assert from 'node:assert/strict';
import { test } from 'node:test';
import { at, udp } from '../../build/packets.js';
import { besideTshark, Talk } from '../../support/beside-tshark.js';
import { tsharkMissing } from '../../support/tshark.js';

const FIELDS = [
  ...['rtsp.method', 'rtsp.url', 'rtsp.status', 'rtsp.session', 'rtsp.transport'],
  ...['rtsp.content-type', 'rtsp.content-length', 'tcp.reassembled.length', 'tcp.segment.count'],
  ...['sdp.media', 'sdp.session_name', 'data.len'],
];
const URL = 'rtsp://192.0.2.2/a';
const SDP = 'v=0\r\no=- 1 1 IN IP4 192.0.2.2\r\ns=stream\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\nm=video 0 RTP/AVP 96\r\n';
const ANSWER = `RTSP/1.0 200 OK\r\nCSeq: 2\r\nContent-Type: application/sdp\r\nContent-Length: ${SDP.length}\r\n\r\n`;

test('RTSP and the description that it carries, whole and in parts', { skip: tsharkMissing }, async () => {
  for (const port of [554, 8554]) {
    const talk = new Talk([at('192.0.2.1', 40_000), at('192.0.2.2', port)]);
    talk.say(0, `OPTIONS ${URL} RTSP/1.0\r\nCSeq: 1\r\n\r\n`);
    talk.say(1, 'RTSP/1.0 200 OK\r\nCSeq: 1\r\nPublic: DESCRIBE, SETUP\r\n\r\n');
    talk.say(0, `DESCRIBE ${URL} RTSP/1.0\r\nCSeq: 2\r\nAccept: application/sdp\r\n\r\n`);
    talk.say(1, ANSWER + SDP);
    talk.say(0, `DESCRIBE ${URL} RTSP/1.0\r\nCSeq: 2\r\n\r\n`);
    talk.say(1, ANSWER.slice(0, 30), ANSWER.slice(30) + SDP.slice(0, 20), SDP.slice(20));
    talk.say(0, `SETUP ${URL}/1 RTSP/1.0\r\nCSeq: 3\r\nTransport: RTP/AVP/TCP;interleaved=0-1\r\n\r\n`);
    talk.say(1, 'RTSP/1.0 461 Unsupported Transport\r\nCSeq: 3\r\nSession: 12\r\n\r\n');
    const stacks = await besideTshark(talk.packets, FIELDS);
    assert.deepEqual(stacks.slice(3), [
      ...['tcp:rtsp', 'tcp:rtsp', 'tcp:rtsp', 'tcp:rtsp:sdp', 'tcp:rtsp'],
      ...['tcp', 'tcp', 'tcp:rtsp:sdp', 'tcp:rtsp', 'tcp:rtsp'],
    ]);
  }
});

test('RTP goes where the answer to a SETUP says', { skip: tsharkMissing }, async () => {
  const fields = ['rtp.setup-frame', 'rtp.setup-method', 'rtp.p_type', 'rtp.seq', 'rtcp.pt', 'udp.stream'];
  const rtp = (type: string) => Buffer.from(`80${type}000100000002000000030102030405060708`, 'hex');
  const report = Buffer.from('80c9000100000003', 'hex');
  for (const [transport, media, control] of [
    ['RTP/AVP;unicast;client_port=5000-5001;server_port=6000-6001', 'udp:rtp', 'udp:rtcp'],
    ['RTP/AVP/UDP;client_port=5000;server_port=6000', 'udp:rtp', 'udp:rtcp'],
    ['RTP/AVP/TCP;interleaved=0-1', 'udp:data', 'udp:rtcp'],
  ] as const) {
    const talk = new Talk([at('192.0.2.1', 40_000), at('192.0.2.2', 554)]);
    talk.say(0, `SETUP ${URL}/1 RTSP/1.0\r\nCSeq: 1\r\nTransport: RTP/AVP;client_port=5000-5001\r\n\r\n`);
    talk.say(1, `RTSP/1.0 200 OK\r\nCSeq: 1\r\nSession: 1\r\nTransport: ${transport}\r\n\r\n`);
    const ends = (port: number) => [at('192.0.2.2', 1000 + port), at('192.0.2.1', port)] as const;
    const [up, down] = [ends(5000), ends(5001)];
    talk.packets.push(udp(...up, rtp('60')), udp(...up, rtp('00')), udp(...down, report));
    const stacks = await besideTshark(talk.packets, fields);
    assert.deepEqual(stacks.slice(5), [media, media, control]);
  }
});
