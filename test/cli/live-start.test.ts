import assert from 'node:assert/strict';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { captureCommand } from '../../src/cli/live-options.js';
import { startersOf } from '../../src/cli/live-start.js';
import type { CaptureInterface } from '../../src/live/capture-source.js';
import { shellWords, typedWord } from '../../src/tui/shell-words.js';
import { ROOT } from '../support/corpus.js';

const starters = startersOf(async () => undefined, undefined);

test('a line is parted into words as a shell does it', () => {
  const words = (line: string) => shellWords(line).words;
  assert.deepEqual(words(`a 'b c' "d e" f\\ g ''`), ['a', 'b c', 'd e', 'f g', '']);
  assert.deepEqual(words('~/x a~ ~'), [`${homedir()}/x`, 'a~', homedir()]);
  assert.deepEqual(shellWords('a b '), { words: ['a', 'b'], from: 4, open: false });
  assert.deepEqual(shellWords("a 'b c"), { words: ['a', 'b c'], from: 2, open: true });
  for (const word of ['tcp port 443', "it's", 'a"b', 'plain']) assert.deepEqual(words(typedWord(word)), [word]);
});

test('lines are completed: options, their values, files', () => {
  const texts = (id: 'ue' | 'eftf' | 'capture', line: string) => {
    const found = starters[id].complete(line);
    return found?.words.map((w) => `${line.slice(0, found.from)}${w.text}`);
  };
  assert.deepEqual(texts('ue', '192.0.2.1 --pr'), [
    '192.0.2.1 --proxy',
    '192.0.2.1 --proxy-credentials',
    '192.0.2.1 --preconditions',
  ]);
  assert.deepEqual(texts('ue', 'h --subscriber '), ['h --subscriber alice', 'h --subscriber bob']);
  assert.deepEqual(texts('ue', 'h --fault drop=0.1 --fault rst'), ['h --fault drop=0.1 --fault rst']);
  assert.deepEqual(texts('eftf', `--cert ${join(ROOT, 'package.js')}`), [`--cert ${join(ROOT, 'package.json')}`]);
  assert.deepEqual(texts('capture', 'lo --backend d'), ['lo --backend dumpcap']);
  assert.equal(starters.ue.about('h --pin'), starters.ue.about('h --pin 00'));
  assert.match(starters.ue.about('h --pin') ?? '', /the only certificate to trust/);
});

/** The interfaces of a command line, with their filters. */
const interfaces = (line: string): CaptureInterface[] => {
  const c = captureCommand().action(() => undefined);
  c.parse(shellWords(line).words, { from: 'user' });
  return c.opts().interface;
};

test('words without an option are the capture filter of all interfaces, as in tshark', () => {
  assert.deepEqual(interfaces('-i lo udp port 5060'), [{ device: 'lo', filter: 'udp port 5060' }]);
  assert.deepEqual(interfaces('udp -i lo port 5060 -i eth0 -s 100 or icmp'), [
    { device: 'lo', filter: 'udp port 5060 or icmp' },
    { device: 'eth0', filter: 'udp port 5060 or icmp' },
  ]);
  assert.deepEqual(interfaces("-i lo -- 'ip[2:2] - 4 > 9' or -1 '<' 'ip[1]'"), [
    { device: 'lo', filter: 'ip[2:2] - 4 > 9 or -1 < ip[1]' },
  ]);
  assert.deepEqual(interfaces('-f udp -i lo -i eth0 -f icmp'), [
    { device: 'lo', filter: 'udp' },
    { device: 'eth0', filter: 'icmp' },
  ]);
  assert.deepEqual(interfaces('tcp'), []);
});

test('what is wrong with a line is said before anything is done', () => {
  assert.equal(starters.ue.wrong('192.0.2.1 --lab -4'), undefined);
  assert.equal(starters.eftf.wrong(''), undefined);
  for (const line of ['lo eth0 -s 100 udp port 9', 'lo -- udp', '-i lo udp'])
    assert.equal(starters.capture.wrong(line), undefined, line);
  assert.equal(starters.capture.wrong("lo eth0 -f 'tcp port 443' -b packets:9 -b files:2 -w x"), undefined);
  const wrong: readonly (readonly ['ue' | 'eftf' | 'capture', string, RegExp])[] = [
    ['ue', '', /missing required argument/],
    ['ue', 'h --lap', /unknown option '--lap' \(Did you mean --lab\?\)/],
    ['ue', "h 'x", /a quote was opened/],
    ['ue', 'h:99999', /h:99999 is no HOST:PORT/],
    ['ue', 'h --fault snow', /no fault is called snow/],
    ['ue', 'h --tls 3', /it is MIN\.\.MAX/],
    ['eftf', '--listen 127.0.0.1:0 -w -', /standard output is the terminal/],
    ['eftf', 'h', /too many arguments/],
    ['eftf', '--max-tunnels 0', /not a number from 1/],
    ['capture', '-s 100', /no interface given; -i NAME/],
    ['capture', 'lo -w -', /standard output is the terminal/],
    ['capture', 'lo -f udp -- tcp', /filter is given twice/],
    ['capture', '-- udp', /no interface given/],
    ['capture', 'lo -a seconds:3', /it is duration:N/],
  ];
  for (const [id, line, words] of wrong) assert.match(starters[id].wrong(line) ?? '', words, `${id} ${line}`);
});
