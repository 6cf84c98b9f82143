import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { file, run, sample } from '../cli/run.js';

/** What every object of JavaScript answers to. */
const WORDS = ['__proto__', 'constructor'];
const lines = (...l: readonly string[]): string => l.join('\r\n');

const MESSAGES: Readonly<Record<string, (word: string) => string>> = {
  imf: (w) => lines(`${w}: x`, '', 'text'),
  msrp: (w) => lines('MSRP a786hjs2 SEND', `${w}: x`, '-------a786hjs2$', ''),
  sdp: (w) => lines('v=0', 'm=audio 1 RTP/AVP 96', `a=rtpmap:96 ${w}/8000`, `a=${w}:x`, 'a=ptime:20', ''),
  sip: (w) =>
    lines('OPTIONS sip:a SIP/2.0', `${w}: x`, 'Content-Type: multipart/mixed;boundary=b') +
    lines('', '', '--b', `${w}: x`, `Content-Type: ${w}`, '', 'text', '--b--', ''),
  xml: (w) => `<?xml version="1.0" ${w}="x"?><a/>`,
};

describe('words that every object answers to', () => {
  for (const [proto, message] of Object.entries(MESSAGES))
    test(`in ${proto} are names that nobody knows`, () => {
      const shown = (word: string): string => {
        const ran = run(['decode', '--as', proto, '-r', file('message.txt', message(word))]);
        assert.equal(ran.code, 0, ran.err);
        return ran.out.replaceAll(word, 'NAME');
      };
      for (const word of WORDS) assert.equal(shown(word), shown('x'.repeat(word.length)));
    });

  test('on the command line are refused in words', () => {
    const capture = sample('00-field.pcapng');
    for (const word of WORDS)
      for (const args of [
        ['-G', word],
        ['read', capture, '-T', 'fields', '-e', word],
        ['read', capture, '-Y', `${word}(ip.src) == 1`],
      ]) {
        const ran = run(args);
        assert.ok(ran.code === 1 || ran.code === 2, `${args.join(' ')}: ${ran.err}`);
        assert.match(ran.err, /there is no|does not exist|syntax/i);
      }
  });
});
