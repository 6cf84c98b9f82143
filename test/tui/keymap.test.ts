import assert from 'node:assert/strict';
import { test } from 'node:test';
import { COMMANDS, type Command, Keys } from '../../src/tui/keymap.js';

const all: readonly Command[] = COMMANDS;

test('no key has two meanings, and none hides the first of several', () => {
  const meaning = new Map<string, string>();
  for (const { id, keys } of all)
    for (const key of keys) {
      assert.equal(meaning.get(key), undefined, `${key} means ${meaning.get(key)} and ${id}`);
      meaning.set(key, id);
    }
  for (const key of meaning.keys()) {
    const first = key.split(' ')[0];
    if (first !== key) assert.equal(meaning.get(first), undefined, `${first} begins ${key}`);
  }
});

test('names are one word each, every command says what it does', () => {
  assert.equal(new Set(all.map((c) => c.id)).size, all.length);
  for (const { id, hint, title } of all) {
    assert.match(id, /^[a-z][a-z-]*$/);
    assert.ok(hint.length > 0 && hint.length <= 16 && title.length > 0, id);
  }
});

test('the keys that the design asks for', () => {
  const expected: Readonly<Record<string, string>> = {
    'Up k': 'up',
    'Down j': 'down',
    'Left h': 'left',
    'Right l': 'right',
    'Home g+g': 'top',
    'End G': 'bottom',
    PgUp: 'page-up',
    PgDn: 'page-down',
    'Ctrl-D': 'half-down',
    'Ctrl-U': 'half-up',
    Enter: 'open',
    'Esc q': 'back',
    Q: 'quit',
    Tab: 'next-pane',
    '1': 'view-tunnels',
    '8': 'view-log',
    'Ctrl-O': 'jump-back',
    '/': 'filter',
    n: 'find-next',
    N: 'find-previous',
    'Ctrl-F': 'find',
    ':': 'palette',
    '? F1': 'help',
    Space: 'select',
    'm+x': 'mark',
    "'+x": 'jump-to-mark',
    '<': 'previous-mark',
    '>': 'next-mark',
    '[': 'previous-in-dialog',
    ']': 'next-in-dialog',
    '{': 'previous-finding',
    '}': 'next-finding',
    a: 'filter-apply',
    A: 'filter-and',
    '!': 'filter-not',
    P: 'filter-prepare',
    'w F2': 'write',
    e: 'export',
    y: 'copy',
    i: 'info',
    'r F6': 'raw',
    'x F4': 'extended',
    'f F7': 'filter-form',
    F8: 'settings',
    F10: 'columns',
    s: 'sort',
    o: 'layers',
    z: 'zoom',
    '|': 'layout',
    '+': 'bigger',
    '-': 'smaller',
    '=': 'follow',
    c: 'colours',
    M: 'media-lane',
    d: 'sdp',
    D: 'sdp-only',
    t: 'time-format',
    T: 'time-reference',
    F: 'tail',
    p: 'pause',
    K: 'keys',
    X: 'mute',
    'Ctrl-L': 'redraw',
    'Ctrl-Z': 'suspend',
    'Ctrl-C': 'cancel',
  };
  const keys = new Keys();
  for (const [pressed, id] of Object.entries(expected))
    for (const key of pressed.split(' ')) {
      const sequence = key === '+' ? ['+'] : key.split('+');
      const meanings = sequence.map((k) => keys.take(k));
      assert.deepEqual(meanings.at(-1), { kind: 'command', id, argument: /^[m']\+/.test(key) ? 'x' : '' }, key);
    }
});

test('a sequence that means nothing is forgotten', () => {
  const keys = new Keys();
  assert.equal(keys.take('g').kind, 'more');
  assert.deepEqual(keys.take('j'), { kind: 'command', id: 'down', argument: '' });
  assert.equal(keys.take('m').kind, 'more');
  assert.equal(keys.take('Esc').kind, 'nothing');
});
