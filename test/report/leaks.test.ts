import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { extract } from '../../src/cli/commands/extract.js';
import { file, run } from '../cli/run.js';
import { CORPUS, ROOT } from '../support/corpus.js';
import { identities, leaks, packetsOf } from './identities.js';

const captures = (folder: string): string[] =>
  existsSync(folder)
    ? readdirSync(folder)
        .filter((n) => /\.pcap(?:ng)?$/.test(n) && !/\.inner\./.test(n))
        .map((n) => join(folder, n))
    : [];
const CAPTURES = [...captures(join(ROOT, 'samples')), ...captures(join(CORPUS, 'tunnel'))];
const options = { autoKeys: true, quiet: true };

/** Names that the report gives to what it tells. */
const OURS = new Set(
  run(['report', '--schema'])
    .out.toLowerCase()
    .match(/[a-z0-9]+/g),
);
/** Words that are no part of a word of ours: `orig` of `originated`. */
const notOurs = (words: ReadonlySet<string>, report: string): Set<string> => {
  const whole = new Set(report.toLowerCase().match(/[a-z0-9]+/g));
  return new Set([...words].filter((w) => !/^[a-z]+$/.test(w) || (whole.has(w) && !OURS.has(w))));
};

describe('nothing that a capture tells of anybody is left', () => {
  // What reports show to people comes from what JSON has: one of both forms is looked through for each capture.
  for (const [i, path] of CAPTURES.entries())
    test(path.slice(path.lastIndexOf('/') + 1), async () => {
      const [clear, redacted] = [file('leaks-clear.pcapng'), file('leaks-redacted.pcapng')];
      await extract([path], { ...options, write: clear });
      await extract([path], { ...options, write: redacted, redact: true });
      const told = identities(packetsOf(clear));
      assert.deepEqual(leaks(told, Buffer.concat(packetsOf(redacted))), [], 'in the redacted capture');
      for (const form of ['--json', i % 2 === 0 ? '--html' : '--markdown']) {
        const ran = run(['report', path, '--redact', '-q', form]);
        const found = leaks({ ...told, words: notOurs(told.words, ran.out) }, Buffer.from(ran.out));
        assert.deepEqual(found, [], `in the report as ${form.slice(2)}`);
      }
    });

  test('the search finds what is there, however it is written', () => {
    const told = {
      words: new Set(['mallory', '4915112345678']),
      addresses: new Map([['c0000201', Buffer.of(192, 0, 2, 1)]]),
    };
    const wide = Buffer.from('Mallory'.toLowerCase(), 'utf16le').swap16();
    const hidden = [
      Buffer.from(Buffer.from('a mallory b').toString('base64')),
      Buffer.from(Buffer.from('mallory').toString('hex')),
      wide,
      Buffer.from('945111325476f8', 'hex'),
      Buffer.of(192, 0, 2, 1),
      Buffer.from('\x011\x012\x010\x03192\x07in-addr', 'latin1'),
      Buffer.from('c0000201'),
    ];
    assert.deepEqual(leaks(told, Buffer.concat(hidden)), [
      ...['mallory as hex', 'mallory as base64', 'mallory as UCS-2', '4915112345678 as BCD'],
      ...['c0000201 as octets', 'c0000201 as hex', 'c0000201 as reversed name'],
    ]);
    assert.deepEqual(leaks(told, Buffer.from('Who is Malory?')), []);
  });
});
