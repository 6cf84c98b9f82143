import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Keys } from '../../src/tui/keymap.js';
import { remapped } from '../../src/tui/remap.js';
import { Stage } from './support/stage.js';

describe('keys of the user', () => {
  test('take the place of the usual ones', () => {
    const { map, problems } = remapped({ sort: ['S', 'g s'], follow: [] });
    assert.deepEqual(problems, []);
    const keys = new Keys(map);
    assert.deepEqual(keys.take('S'), { kind: 'command', id: 'sort', argument: '' });
    assert.equal(keys.take('s').kind, 'nothing');
    keys.take('g');
    assert.deepEqual(keys.take('s'), { kind: 'command', id: 'sort', argument: '' });
    assert.equal(map.key('sort'), 'S');
    assert.equal(map.key('follow'), ':follow');
    assert.equal(map.words('{sort} sorts, {nobody} stays'), 'S sorts, {nobody} stays');
  });

  test('may change places', () => {
    const { map, problems } = remapped({ sort: ['c'], colours: ['s'] });
    assert.deepEqual(problems, []);
    assert.equal(map.key('sort'), 'c');
    assert.equal(map.key('colours'), 's');
  });

  const refused: readonly [Record<string, string[]>, RegExp][] = [
    [{ sort: ['c'] }, /^keys: c would mean colours \(.*\) and sort \(.*\); sort keeps s$/],
    [{ sort: ['m'] }, /^keys: m would mean mark \(.*\) and sort/],
    [{ sort: ['1 2'] }, /^keys: 1 would mean view-tunnels \(.*\) and sort/],
    [{ sort: ['x', 'Hyper-x'] }, /"Hyper-x" of sort is no key/],
    [{ sort: ['m *'] }, /waits for a letter, which sort does not take/],
    [{ mark: ['M'] }, /keys of mark end with a letter/],
    [{ quit: [] }, /quit cannot be without a key/],
    [{ srot: ['S'] }, /there is no command srot/],
  ];
  for (const [wanted, words] of refused)
    test(`are refused in words: ${JSON.stringify(wanted)}`, () => {
      const { map, problems } = remapped(wanted);
      assert.equal(problems.length, 1);
      assert.match(problems[0], words);
      const usual = remapped({}).map;
      assert.deepEqual(map.commands, usual.commands);
    });

  test('of which one is refused leave no key with two meanings', () => {
    // Sort gives s up for c, which is refused; so colours cannot have s either.
    const { map, problems } = remapped({ colours: ['s'], sort: ['o'] });
    assert.equal(problems.length, 2);
    const keys = map.commands.flatMap((c) => c.keys);
    assert.equal(new Set(keys).size, keys.length);
  });

  test('are bound while the program runs; hints and help follow', async () => {
    const s = await Stage.of('20-healthy-call.pcapng', 100, 24);
    try {
      await s.press(':');
      await s.type('bind keys L');
      await s.press('Enter');
      await s.press('Down');
      assert.match(s.display.lines.at(-1)!, /L keys/);
      await s.press('L');
      assert.match(s.text, /┌─ Keys /);
      await s.press('Esc ?');
      await s.type('load keys');
      assert.match(s.text, /L +:keys FILE/);
      await s.press('Esc Esc :');
      await s.type('bind sort o');
      await s.press('Enter');
      assert.match(s.text, /o would mean layers/);
    } finally {
      await s.end();
    }
  });
});
