import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { asciiOf } from '../../src/tui/ascii.js';
import { cellsOf, clip, clipMiddle, fit, Grid, harmless, wrap, wrapBeneath } from '../../src/tui/cells.js';
import { Flag, OWN, style, withFlags } from '../../src/tui/style.js';

const plain = style();

test('nothing that a terminal takes for more than text is left', () => {
  assert.equal(harmless('a\x1b[2Jb\x07\x9bc\x7f'), 'a·[2Jb··c·');
  assert.equal(harmless('user\u202egnp.exe\u2066\u200b\ufeff'), 'user·gnp.exe···');
  assert.equal(harmless('😀 ⌚ \ud800 e\u0301 x\u0332'), '· · · é x·');
  assert.equal(harmless('Zoë – 日本 ──▸'), 'Zoë – 日本 ──▸');
});

test('of any text only letters, digits, signs and blanks are left', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const out = harmless(text);
      assert.equal(harmless(out), out);
      assert.doesNotMatch(out, /[\p{C}\p{M}\p{Zl}\p{Zp}]/u);
    }),
  );
});

test('wide characters count two cells', () => {
  assert.equal(cellsOf('日本語 abc'), 10);
  assert.equal(cellsOf('ｆ한'), 4);
  assert.equal(clip('日本語', 5), '日本…');
  assert.equal(clip('日本語', 4), '日…');
  assert.equal(fit('日', 4), '日  ');
  assert.equal(fit('7', 4, 'right'), '   7');
  assert.equal(cellsOf('\ua960\ufe10'), 4, 'old Hangul, and forms of CJK texts that run downwards');
});

test('letters that terminals draw in no cell, or in one or two as they are old or new, stand as dots', () => {
  assert.equal(harmless('\u1112\u1161\u11ab'), '한', 'a syllable in parts is one again');
  assert.equal(harmless('\u1161 \u11ab \ud7b0 \u115f \u3164 \uffa0 ☰'), '· · · · · · ·');
});

test('long text is cut at its end, addresses in the middle', () => {
  assert.equal(clip('abcdef', 4), 'abc…');
  assert.equal(clip('abc', 3), 'abc');
  assert.equal(clipMiddle('2001:db8:0:1:2:3:4:115', 11), '2001:…4:115');
  assert.equal(clipMiddle('[2001:db8:9::1]:40100', 15), '[200…::1]:40100');
  assert.equal(clipMiddle('[2001:db8:9::1]:40100', 12), '[2001:…40100', 'no room for both ends of the address');
});

test('what follows a name in a line stays behind it when it is wrapped', () => {
  assert.deepEqual(wrapBeneath('  comment   one two three', 24), ['  comment   one two', '            three']);
  assert.deepEqual(wrapBeneath('    one two three', 11), ['    one two', '    three']);
  assert.deepEqual(wrapBeneath('one two three', 8), ['one two', 'three']);
  // Where the name takes more than half of the line, only the blanks before it count.
  assert.deepEqual(wrapBeneath('  certificate  one two', 18), ['  certificate  one', '  two']);
});

test('text is wrapped between words', () => {
  assert.deepEqual(wrap('one two three', 8), ['one two', 'three']);
  assert.deepEqual(wrap('abcdefghij', 4), ['abcd', 'efgh', 'ij']);
  assert.deepEqual(wrap('  kept as it is', 40), ['  kept as it is']);
});

test('what is drawn beyond an area is lost', () => {
  const grid = new Grid(10, 3);
  const area = grid.area().part(2, 1, 4, 1);
  area.text(-1, 0, 'abcdefgh', plain);
  area.text(0, 1, 'below', plain);
  assert.equal(grid.line(1), '  bcde');
  assert.equal(grid.line(2), '');
  area.clear(plain);
  area.text(3, 0, '日', plain);
  assert.equal(grid.line(1), '', 'half of a wide character is none');
});

test('flags are added to what is there', () => {
  assert.equal(withFlags(style(1), Flag.bold), style(1, Flag.bold));
  assert.equal(withFlags(style(1, Flag.reverse), Flag.reverse), style(1));
  assert.equal(style(), style(OWN, 0, OWN));
});

test('every line and sign of ours has a likeness in ASCII', () => {
  for (const c of '─│┌┐└┘├┤┬┴┼▸▾▴…·█▁▂▃▄▅▆▇→←↔↑↓×–—‘’“”›‹≥≤§⠀⡀⣿') assert.match(asciiOf(c), /^[ -~]$/, c);
  assert.equal(asciiOf('é'), '?');
  assert.notEqual(asciiOf('‹'), '?');
});
