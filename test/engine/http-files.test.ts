import { test } from 'node:test';
import { deflateSync, gzipSync } from 'node:zlib';
import { at, udp } from '../build/packets.js';
import { besideTshark, Talk } from '../support/beside-tshark.js';
import { tsharkMissing } from '../support/tshark.js';

/*
 * HTTP as tshark 4.0.17 has it: what a body is without its codings, and requests in datagrams (SSDP).
 */

const PAGE = '<p>one</p>\n'.repeat(40);

/** A response whose body is in codings. */
function response(coding: string, body: Uint8Array, chunked: boolean): Buffer {
  const head = ['HTTP/1.1 200 OK', 'Content-Type: text/html', `Content-Encoding: ${coding}`];
  if (!chunked) return Buffer.concat([text(...head, `Content-Length: ${body.length}`), body]);
  const chunks = [body.subarray(0, 20), body.subarray(20)].flatMap((c) => [
    Buffer.from(`${c.length.toString(16)}\r\n`),
    c,
    Buffer.from('\r\n'),
  ]);
  return Buffer.concat([text(...head, 'Transfer-Encoding: chunked'), ...chunks, Buffer.from('0\r\n\r\n')]);
}
const text = (...lines: string[]): Buffer => Buffer.from(`${lines.join('\r\n')}\r\n\r\n`);

test('the file that a body holds is shown without its content coding', { skip: tsharkMissing }, async () => {
  const talk = new Talk([at('192.0.2.1', 50_000), at('192.0.2.2', 80)]);
  for (const [coding, body, chunked] of [
    ['gzip', gzipSync(PAGE), false],
    ['gzip', gzipSync(PAGE), true],
    ['deflate', deflateSync(PAGE), false],
    ['gzip', Buffer.from('not packed at all'), false],
    ['identity', Buffer.from(PAGE), false],
  ] as const) {
    talk.say(0, text('GET /page HTTP/1.1', 'Host: www.example.com'));
    talk.say(1, response(coding, body, chunked));
  }
  await besideTshark(talk.packets, ['http.file_data', 'http.chunk_size', 'http.response_number']);
});

test('searches and announcements of SSDP are counted in their conversation', { skip: tsharkMissing }, async () => {
  const group = at('239.255.255.250', 1900);
  const [a, b] = [at('192.0.2.1', 50_000), at('192.0.2.2', 1900)];
  const search = text(
    'M-SEARCH * HTTP/1.1',
    'HOST: 239.255.255.250:1900',
    'MAN: "ssdp:discover"',
    'MX: 1',
    'ST: ssdp:all',
  );
  const notify = text('NOTIFY * HTTP/1.1', 'HOST: 239.255.255.250:1900', 'NTS: ssdp:alive');
  const found = text('HTTP/1.1 200 OK', 'ST: ssdp:all', 'EXT:');
  await besideTshark(
    [
      ...[udp(a, group, search), udp(a, group, search), udp(b, group, notify), udp(b, group, notify)],
      ...[udp(b, a, found), udp(a, group, search), udp(a, b, search), udp(b, a, found)],
      ...Array.from({ length: 20 }, () => udp(a, group, search)),
    ],
    ['http.request_number', 'http.response_number', 'http.prev_request_in', 'http.request_in', 'http.time'],
  );
});
