import { strict as assert } from 'node:assert';
import { suite, test } from 'node:test';
import { latin1, type Track, View } from 'fttscope/kit';
import { isJson } from '../../../dissectors/json-text.js';
import { Dialogue, type SmtpNote } from '../../../dissectors/smtp/dialogue.js';

const ascii = (s: string): Uint8Array => Uint8Array.from(s, (c) => c.charCodeAt(0));

/** One segment of a client. */
const send = (d: Dialogue, segment: Uint8Array, frame: number): SmtpNote =>
  d.take(View.of(segment, 'Frame'), { frame, capped: () => {} } as unknown as Track);

/** What a client that sends these segments is understood to say; the mails among it as text. */
function say(...segments: string[]): { kinds: string[]; mails: string[]; notes: SmtpNote[] } {
  const d = new Dialogue();
  const notes = segments.map((s, i) => send(d, ascii(s), i + 1));
  const mails = notes.filter((n) => n.mail !== undefined).map((n) => latin1(n.mail!.octets, 0, n.mail!.octets.length));
  return { kinds: notes.map((n) => n.kind), mails, notes };
}

suite('SMTP', () => {
  test('a mail in several segments', () => {
    const { kinds, mails, notes } = say('DATA\r\n', 'Subject: x\r\n\r\nbo', 'dy\r\n..\r\n', 'end\r\n.\r\n', 'QUIT\r\n');
    assert.deepEqual(kinds, ['commands', 'mail', 'mail', 'end', 'commands']);
    assert.deepEqual(mails, ['Subject: x\r\n\r\nbody\r\n..\r\nend\r\n']);
    assert.deepEqual(
      notes[3].mail!.segments.map((s) => [s.frame, s.off, s.len]),
      [
        [2, 0, 16],
        [3, 16, 8],
        [4, 24, 5],
      ],
    );
  });

  test('an empty line before the dot belongs to the end', () => {
    assert.deepEqual(say('DATA\r\n', 'a\r\n\r\n.\r\n').mails, ['a\r\n']);
  });

  test('the dot in a segment of its own', () => {
    assert.deepEqual(say('DATA\r\n', 'a\r\n', '.\r\n').mails, ['a\r\n']);
  });

  test('a chunk has a length', () => {
    const { kinds, mails } = say('BDAT 4\r\nSubj', 'BDAT 6 LAST\r\n', 'ect: x', 'NOOP\r\n');
    assert.deepEqual(kinds, ['mail', 'commands', 'mail', 'commands']);
    assert.deepEqual(mails, ['BDAT 4\r\nSubject: x']);
  });

  test('credentials are told from commands', () => {
    const { kinds } = say(
      'AUTH LOGIN\r\n',
      'dXNlcg==\r\n',
      'cGFzcw==\r\n',
      'NOOP\r\n',
      'AUTH PLAIN\r\n',
      'AGEAYg==\r\n',
    );
    assert.deepEqual(kinds, ['commands', 'user', 'password', 'commands', 'commands', 'both']);
  });

  test('what is no command is a mail whose start was missed', () => {
    assert.deepEqual(say('some text\r\n', 'NOOP\r\n', '\r\n').kinds, ['commands', 'commands', 'mail']);
    assert.deepEqual(say('sentence\r\n').kinds, ['mail']);
  });

  test('a mail without end is not kept for ever', () => {
    const d = new Dialogue();
    send(d, ascii('DATA\r\n'), 1);
    const segment = ascii(`${'x'.repeat(65_000)}\r\n`);
    for (let i = 0; i < 200; i++) send(d, segment, i + 2);
    assert.ok(d.size <= (4 << 20) >> 8);
  });
});

/** What tshark 4.0 takes for JSON and what not. */
const GOOD = [
  '{}',
  '[1]',
  ' {"a":1} \r\n',
  '{"a":[1,2,{"b":"\\u00e9"}]}\n',
  '{"a":1}{"b":2}',
  '{"a":1}\n{"b":2}',
  '["a\nb"]',
];
const BAD = [
  '"a"',
  '12',
  '{a:1}',
  'nan',
  '{"a":1}x',
  '{"a":1',
  '\xef\xbb\xbf{}',
  '{"a":01}',
  "{'a':1}",
  '[1,]',
  '{"a"}',
  'true',
  '',
];

test('JSON is told from other text', () => {
  for (const s of GOOD) assert.equal(isJson(ascii(s), 0, s.length), true, s);
  for (const s of BAD) assert.equal(isJson(ascii(s), 0, s.length), false, s);
  assert.equal(isJson(ascii('['.repeat(100_000)), 0, 100_000), false);
});
