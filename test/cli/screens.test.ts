import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { wantsScreens } from '../../src/cli/screens.js';

const before = { out: process.stdout.isTTY, in: process.stdin.isTTY };
const terminal = (out: boolean, input: boolean): void => {
  process.stdout.isTTY = out;
  process.stdin.isTTY = input;
};
afterEach(() => terminal(before.out, before.in));

test('screens open where the terminal is there both ways', () => {
  terminal(true, true);
  assert.ok(wantsScreens(['a.pcapng'], { autoKeys: true }));
  assert.ok(wantsScreens([], { autoKeys: true, read: ['a.pcapng'], filter: 'sip', keylog: ['k'] }));
  assert.ok(wantsScreens([], { autoKeys: true }), 'they ask what to show');
  for (const [out, input] of [
    [true, false],
    [false, true],
    [false, false],
  ]) {
    terminal(out, input);
    assert.ok(!wantsScreens(['a.pcapng'], { autoKeys: true }));
  }
});

test('options of tshark that mean printed rows print them', () => {
  terminal(true, true);
  for (const o of [
    { format: 'json' },
    { tree: true },
    { octets: true },
    { count: 3 },
    { field: ['ip.src'] },
    { z: ['io,stat,0'] },
    { write: 'x' },
    { P: true },
  ])
    assert.ok(!wantsScreens(['a.pcapng'], { autoKeys: true, ...o }), JSON.stringify(o));
});
