import assert from 'node:assert/strict';
import { test } from 'node:test';
import { at } from '../../build/packets.js';
import { besideTshark, Talk } from '../../support/beside-tshark.js';
import { tsharkMissing } from '../../support/tshark.js';

/** A frame of a client, RFC 6455 §5.2: masked. */
function frame(opcode: number, text: string): Uint8Array {
  const payload = Buffer.from(text);
  const key = [0x11, 0x22, 0x33, 0x44];
  const length = payload.length < 126 ? [0x80 | payload.length] : [0xfe, payload.length >> 8, payload.length & 0xff];
  return Buffer.from([0x80 | opcode, ...length, ...key, ...payload.map((b, i) => b ^ key[i & 3])]);
}

const SDP = 'v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n';
const INVITE =
  'INVITE sip:b@x SIP/2.0\r\nVia: SIP/2.0/WS x.invalid;branch=z9hG4bK1\r\nFrom: <sip:a@x>;tag=1\r\nTo: <sip:b@x>\r\n' +
  `Call-ID: 1@x\r\nCSeq: 1 INVITE\r\nContent-Type: application/sdp\r\nContent-Length: ${SDP.length}\r\n\r\n${SDP}`;
function upgraded(answer: string): Talk {
  const talk = new Talk([at('192.0.2.1', 40_000), at('192.0.2.2', 80)]);
  talk.say(0, 'GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n');
  talk.say(1, `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n${answer}\r\n`);
  return talk;
}

test('SIP runs where both ends took it for the subprotocol', { skip: tsharkMissing }, async () => {
  const talk = upgraded('Sec-WebSocket-Protocol: sip\r\n');
  talk.say(0, frame(1, INVITE), frame(2, INVITE), frame(9, 'hello'));
  const fields = ['sip.Method', 'sip.Call-ID', 'sdp.media', 'http.sec_websocket_protocol'];
  const stacks = await besideTshark(talk.packets, fields);
  const sip = 'tcp:http:websocket:sip:sdp';
  assert.deepEqual(stacks.slice(-3), [sip, sip, 'tcp:http:websocket']);
});

test('text is text where nothing was settled', { skip: tsharkMissing }, async () => {
  const talk = upgraded('');
  talk.say(0, frame(1, INVITE));
  const stacks = await besideTshark(talk.packets, ['sip.Method']);
  assert.deepEqual(stacks.slice(-1), ['tcp:http:websocket:data-text-lines']);
});
