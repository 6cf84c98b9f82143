import assert from 'node:assert/strict';
import { test } from 'node:test';
import { at } from '../../build/packets.js';
import { besideTshark, Talk } from '../../support/beside-tshark.js';
import { tsharkMissing } from '../../support/tshark.js';

/** Without those of whole lines: tshark 4.0.17 shows them, and leaves their values empty. */
const FIELDS = [
  ...['pop.request.command', 'pop.request.parameter', 'pop.response.indicator', 'pop.response.description'],
  ...['pop.data.fragment', 'pop.data.fragment.count', 'pop.data.reassembled.length'],
  ...['imf.subject', 'imf.content.type', 'mime_multipart.type', 'mime_multipart.header.content-type'],
];

/** A mail of two parts. */
const MAIL = [
  'Subject: hello\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: text/plain\r\n\r\none\r\n',
  '--x\r\nContent-Type: text/html\r\n\r\n<p>two</p>\r\n--x--\r\n.\r\n',
];

/** A session in which the server says so much of the length of the mail. */
async function session(said: string, ...mail: readonly string[]): Promise<string[]> {
  const talk = new Talk([at('192.0.2.1', 40_000), at('192.0.2.2', 110)]);
  talk.say(1, '+OK ready\r\n');
  talk.say(0, 'USER ann\r\n');
  talk.say(1, '-ERR unknown\r\n');
  talk.say(0, 'CAPA\r\n');
  talk.say(1, '+OK list follows\r\nUIDL\r\nTOP\r\n.\r\n');
  talk.say(0, 'AUTH PLAIN\r\n');
  talk.say(1, '+ \r\n');
  talk.say(0, 'RETR 1\r\n');
  talk.say(1, `+OK${said}\r\n`, ...mail);
  talk.say(0, 'QUIT\r\n');
  talk.say(1, '+OK bye\r\n');
  return (await besideTshark(talk.packets, FIELDS)).slice(3);
}

test('POP: a mail whose length the server says is put together', { skip: tsharkMissing }, async () => {
  const stacks = await session(` ${MAIL.join('').length - 3} octets`, ...MAIL);
  assert.equal(stacks[9], 'tcp:pop');
  assert.equal(stacks[10], 'tcp:pop:imf:mime_multipart:data-text-lines:data-text-lines');
});

test('POP: where nobody says it each segment is taken for a mail', { skip: tsharkMissing }, async () => {
  const stacks = await session('', 'Subject: hello\r\n\r\none\r\n', 'two\r\n.\r\n');
  assert.match(stacks[9]!, /^tcp:pop:imf/);
  assert.match(stacks[10]!, /^tcp:pop:imf/);
  assert.equal(stacks[6], 'tcp:pop:imf');
});
