import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { encode, No, Unsure, Yes } from 'fttscope/kit';
import { HeaderReader } from '../../../dissectors/http2/hpack.js';
import { http2 } from '../../../dissectors/http2/index.js';
import { LIMITS } from '../../../src/limits.js';
import { at } from '../../build/packets.js';
import { file, rawPcap } from '../../cli/run.js';
import { besideTshark, Talk } from '../../support/beside-tshark.js';
import { forRows } from '../../support/rows.js';
import { tsharkMissing } from '../../support/tshark.js';

const bytes = (s: string): Uint8Array => Uint8Array.from(s, (c) => c.charCodeAt(0));
/** RFC 9113 §3.4. */
const PREFACE = bytes('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

test('the preface of a client says what follows', () => {
  for (let n = 1; n < PREFACE.length; n++) assert.equal(http2.probe!(PREFACE, 0, n), Unsure, String(n));
  assert.equal(http2.probe!(PREFACE, 0, PREFACE.length), Yes);
  assert.equal(http2.pduLength!(PREFACE, 0, PREFACE.length), PREFACE.length);
  const get = bytes('GET / HTTP/1.1\r\n\r\n');
  assert.equal(http2.probe!(get, 0, get.length), No);
});

test('frames have 9 octets before their payload', () => {
  // RFC 9113 §4.1, §6.7: PING, 8 octets, ACK, stream 0
  const ping = Uint8Array.of(0, 0, 8, 6, 1, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8);
  for (let n = 0; n < 9; n++) assert.equal(http2.pduLength!(ping, 0, n), 0);
  assert.equal(http2.pduLength!(ping, 0, 9), 17);
  const r = http2.codec!.parse(ping, 0, ping.length);
  assert.deepEqual(r, { type: 6, flags: 1, stream: 0, payload: ping.slice(9) });
});

test('what is emitted is parsed, and the other way round', () => {
  const frame = fc.record({
    type: fc.integer({ min: 0, max: 255 }),
    flags: fc.integer({ min: 0, max: 255 }),
    stream: fc.integer({ min: 0, max: 0xffff_ffff }),
    payload: fc.uint8Array({ maxLength: 80 }),
  });
  const preface = fc.constant({ type: -1, flags: 0, stream: 0, payload: new Uint8Array(0) });
  fc.assert(
    fc.property(fc.oneof(frame, preface), (r) => {
      const octets = encode(http2.codec!, r);
      const parsed = http2.codec!.parse(octets, 0, octets.length);
      assert.deepEqual({ ...parsed }, { ...r });
      assert.deepEqual(encode(http2.codec!, parsed), octets);
    }),
  );
});

test('on the ports of HTTP it is listed in it, as in tshark', { skip: tsharkMissing }, async () => {
  const settings = Uint8Array.of(0, 0, 0, 4, 0, 0, 0, 0, 0);
  for (const port of [80, 8080]) {
    const talk = new Talk([at('192.0.2.1', 40_000), at('192.0.2.2', port)]);
    talk.say(0, PREFACE, settings);
    talk.say(1, settings);
    const stacks = await besideTshark(talk.packets, []);
    assert.deepEqual(stacks.slice(3), ['tcp:http:http2', 'tcp:http:http2', 'tcp:http:http2']);
  }
});

const octets = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'));

test('header blocks are read as in RFC 7541 Appendix C', () => {
  // C.4: requests with Huffman code, C.6: answers with it, whose table has 256 octets so that fields leave it.
  const requests = new HeaderReader();
  const first = [
    [':method', 'GET'],
    [':scheme', 'http'],
    [':path', '/'],
    [':authority', 'www.example.com'],
  ];
  assert.deepEqual(requests.read(octets('828684418cf1e3c2e5f23a6ba0ab90f4ff')), first);
  assert.deepEqual(requests.read(octets('828684be5886a8eb10649cbf')), [...first, ['cache-control', 'no-cache']]);
  assert.deepEqual(requests.read(octets('828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf')), [
    [':method', 'GET'],
    [':scheme', 'https'],
    [':path', '/index.html'],
    [':authority', 'www.example.com'],
    ['custom-key', 'custom-value'],
  ]);

  const answers = new HeaderReader();
  const answer = (status: string, date: string): string[][] => [
    [':status', status],
    ['cache-control', 'private'],
    ['date', date],
    ['location', 'https://www.example.com'],
  ];
  const size = '3fe101'; // a table of 256 octets, which the examples take for agreed
  assert.deepEqual(
    answers.read(
      octets(
        `${size}488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad171863c78f0b97c8e9ae82ae43d3`,
      ),
    ),
    answer('302', 'Mon, 21 Oct 2013 20:13:21 GMT'),
  );
  assert.deepEqual(answers.read(octets('4883640effc1c0bf')), answer('307', 'Mon, 21 Oct 2013 20:13:21 GMT'));
  assert.deepEqual(
    answers.read(
      octets(
        '88c16196d07abe941054d444a8200595040b8166e084a62d1bffc05a839bd9ab77ad94e7821dd7f2e6c7b335dfdfcd5b3960d5af27087f3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007',
      ),
    ),
    [
      [':status', '200'],
      ['cache-control', 'private'],
      ['date', 'Mon, 21 Oct 2013 20:13:22 GMT'],
      ['location', 'https://www.example.com'],
      ['content-encoding', 'gzip'],
      ['set-cookie', 'foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1'],
    ],
  );
});

test('header blocks that cannot be read are not guessed at, nor those behind them', () => {
  for (const bad of ['c6', '40', '4085f1', '7fffffffffffff', '3fe2ff07', '408386ffff8386ffff', '00ff']) {
    const reader = new HeaderReader();
    assert.equal(reader.read(octets(bad)), undefined, bad);
    assert.equal(reader.read(octets('82')), undefined, bad);
  }
  fc.assert(fc.property(fc.uint8Array({ maxLength: 60 }), (b) => void new HeaderReader().read(b)));
});

test('a block whose octets each stand for thousands ends where its fields have no room', () => {
  const reader = new HeaderReader();
  const value = 'x'.repeat(3900);
  const bomb = Buffer.concat([octets('40016b7fbd1d'), Buffer.from(value), Buffer.alloc(200_000, 0xbe)]);
  const fields = reader.read(bomb)!;
  const each = 'k'.length + value.length + 32;
  assert.equal(fields.length, Math.floor(LIMITS.headerListOctets / each));
  assert.ok(fields.every(([name, text]) => name === 'k' && text === value));
  assert.ok(reader.isCut);
  // What it remembers is as it would be.
  assert.deepEqual(reader.read(octets('be')), [['k', value]]);
  assert.ok(!reader.isCut);
});

/** A frame of HTTP/2. */
function frame(type: number, flags: number, stream: number, ...parts: readonly (string | Uint8Array)[]): Uint8Array {
  const payload = Buffer.concat(parts.map((part) => Buffer.from(part)));
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}
const [DATA, HEADERS, SETTINGS, PUSH_PROMISE, CONTINUATION] = [0, 1, 4, 5, 9] as const;
const [END_STREAM, END_HEADERS, PADDED, PRIORITY] = [1, 4, 8, 0x20] as const;
/** A header that both ends remember. RFC 7541 §6.2.1 */
const header = (name: string, value: string): Uint8Array =>
  Buffer.concat([Uint8Array.of(0x40, name.length), Buffer.from(name), Uint8Array.of(value.length), Buffer.from(value)]);
/** `:status: 200`, and `:method: GET` with `:path: /`. RFC 7541 Appendix A */
const OK = Uint8Array.of(0x88);
const GET = Uint8Array.of(0x82, 0x84);
const PARTS = 'http2.header.name http2.header.value http2.headers.status http2.headers.content_type'.split(' ');

test('bodies are handed on by their media type, as in tshark', { skip: tsharkMissing }, async () => {
  const talk = new Talk([at('192.0.2.1', 40_000), at('192.0.2.2', 80)]);
  const json = header('content-type', 'application/json');
  talk.say(0, PREFACE, frame(SETTINGS, 0, 0), frame(HEADERS, END_STREAM | END_HEADERS, 1, GET));
  talk.say(1, frame(SETTINGS, 0, 0));
  // In one frame, headers with padding and priority.
  talk.say(1, frame(HEADERS, END_HEADERS | PADDED | PRIORITY, 1, '\x02', '\0\0\0\0\x10', OK, json, '\0\0'));
  talk.say(1, frame(DATA, END_STREAM, 1, '{"a": 1}'));
  // Headers in two frames, the body in three, another stream between them, whose headers point at those.
  talk.say(1, Buffer.concat([frame(HEADERS, 0, 3, OK), frame(CONTINUATION, END_HEADERS, 3, json)]));
  talk.say(1, frame(DATA, 0, 3, '{"b"'), frame(HEADERS, END_HEADERS, 5, OK, Uint8Array.of(0xbe)));
  talk.say(1, frame(DATA, 0, 3, ':'), frame(DATA, END_STREAM, 5, '[5]'), frame(DATA, END_STREAM, 3, '2}'));
  // No type, and one that nobody knows.
  talk.say(1, frame(HEADERS, END_HEADERS, 7, OK), frame(DATA, END_STREAM, 7, '{}'));
  talk.say(1, frame(HEADERS, END_HEADERS, 9, OK, header('content-type', 'x/y')), frame(DATA, END_STREAM, 9, '{}'));
  // A promise is of another stream.
  talk.say(1, frame(PUSH_PROMISE, END_HEADERS, 1, '\0\0\0\x02', GET), frame(HEADERS, END_HEADERS, 2, OK, json));
  talk.say(1, frame(DATA, END_STREAM, 2, '{"e": 5}'));
  talk.say(1, frame(HEADERS, END_HEADERS, 13, OK, json, header('content-encoding', 'gzip')));
  talk.say(1, frame(DATA, END_STREAM, 13, gzipSync('{"c": 3}')));
  talk.say(1, frame(HEADERS, END_HEADERS, 15, OK, header('content-type', 'application/json; a=b')));
  talk.say(1, frame(DATA, 0, 15, '{"d"'), frame(DATA, 0, 15, ':4}'), frame(DATA, END_STREAM, 15));
  const stacks = await besideTshark(talk.packets, PARTS);
  assert.equal(stacks.filter((s) => s.endsWith('http2:json')).length, 6);
});

test('padding is no part of a body', async () => {
  const talk = new Talk([at('192.0.2.1', 40_000), at('192.0.2.2', 80)]);
  talk.say(0, PREFACE, frame(SETTINGS, 0, 0));
  talk.say(1, frame(SETTINGS, 0, 0), frame(HEADERS, END_HEADERS, 1, OK, header('content-type', 'text/plain')));
  talk.say(1, frame(DATA, END_STREAM | PADDED, 1, '\x03', 'ab', '\0\0\0'));
  const lengths: number[] = [];
  // RFC 9113 §6.1; tshark 4.0 takes it for a part.
  await forRows(file('padded.pcap', rawPcap(...talk.packets)), {}, ({ dissection: { tree } }) => {
    for (let i = 0; i < tree.length; i++)
      if (tree.field(i).name === 'data-text-lines') lengths.push(tree.octets(i).length);
  });
  assert.deepEqual(lengths, [2]);
});

test('the answer to a question of the DNS is read in HTTP/2', { skip: tsharkMissing }, async () => {
  const talk = new Talk([at('192.0.2.1', 40_000), at('192.0.2.2', 80)]);
  const type = header('content-type', 'application/dns-message');
  const question = octets('0000 0100 0001 0000 0000 0000 07 6578616d706c65 03 636f6d 00 0001 0001');
  const answer = octets(
    '0000 8180 0001 0001 0000 0000 07 6578616d706c65 03 636f6d 00 0001 0001 c00c 0001 0001 0000003c 0004 c0000201',
  );
  talk.say(0, PREFACE, frame(SETTINGS, 0, 0));
  talk.say(0, frame(HEADERS, END_HEADERS, 1, GET, type), frame(DATA, END_STREAM, 1, question));
  talk.say(1, frame(SETTINGS, 0, 0), frame(HEADERS, END_HEADERS, 1, OK, type), frame(DATA, END_STREAM, 1, answer));
  const fields = ['dns.id', 'dns.qry.name', 'dns.a', 'dns.resp.ttl', 'dns.length', 'dns.response_to'];
  const stacks = await besideTshark(talk.packets, fields);
  assert.equal(stacks.filter((s) => s.endsWith('http2:dns')).length, 2);
});
