import { test } from 'node:test';
import { at } from '../build/packets.js';
import { octets } from '../dissectors/rtp/world.js';
import { besideTshark, Talk } from '../support/beside-tshark.js';
import { tsharkMissing } from '../support/tshark.js';

/* Octets of HTTP that begin no message, and HTTP where TLS is expected, as tshark 4.0.17 has them. */

const FIELDS = ['_ws.expert.message', '_ws.malformed', 'data.len', 'http.request.method'];
const between = (port: number): Talk => new Talk([at('192.0.2.1', 50_000), at('192.0.2.2', port)]);
const GET = 'GET /page HTTP/1.1\r\nHost: www.example.com\r\n\r\n';

/** The answer to a request, so many octets of whose body are not captured before each of `rests`. */
function answered(rests: readonly Uint8Array[]): readonly Uint8Array[] {
  const talk = between(80);
  talk.say(0, GET);
  talk.say(1, `HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\n${'x'.repeat(40)}`);
  for (const rest of rests) {
    talk.say(0, GET);
    talk.skip(1, 500);
    talk.say(1, rest);
  }
  return talk.packets;
}

const text = (s: string): Uint8Array => Buffer.from(s, 'latin1');

test('lines with a colon at the start of the rest of a body', { skip: tsharkMissing }, async () => {
  const rests = [
    text('Name: value\r\nAnother line\r\nand more\r\n'),
    text('A bad name: value\r\n\x01second: value\r\n\r\nbody\r\n'),
    text('no colon\r\nName: value\r\n'),
    text('\x02Name: value\r\nName: value\r\n'),
    text('all: of it\r\nis: lines\r\nand: this one does not end'),
  ];
  for (const rest of rests) await besideTshark(answered([rest]), FIELDS);
});

test('a NUL in such a line is a stray where characters follow it', { skip: tsharkMissing }, async () => {
  const rests = ['a\0b: c\r\n', 'ab: c\0\0\r\n', `x: ${'\xff'.repeat(9)}\0y\r\n`, `\0x: y\r\n`];
  for (const rest of rests) await besideTshark(answered([text(rest)]), FIELDS);
});

test('HTTP in the clear on the port of HTTP over TLS', { skip: tsharkMissing }, async () => {
  const talk = between(443);
  talk.say(0, GET);
  talk.say(1, 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody');
  await besideTshark(talk.packets, FIELDS);
  const tls = between(443);
  tls.say(0, octets(`16 0301 002f 01 00002b 0303 ${'ab'.repeat(32)} 00 0002 1301 01 00 0002 0000`));
  await besideTshark(tls.packets, ['_ws.expert.message']);
});
