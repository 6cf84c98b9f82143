import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Input } from '../../src/tui/input.js';
import type { MouseAt } from '../../src/tui/view.js';

/** What chunks are taken for. Sequences are those of ECMA-48, xterm's ctlseqs and the Linux console. */
function taken(...chunks: readonly (string | Buffer)[]): (string | MouseAt | { pasted: string })[] {
  const out: (string | MouseAt | { pasted: string })[] = [];
  let now = 0;
  const input = new Input(
    { key: (k) => out.push(k), paste: (pasted) => out.push({ pasted }), mouse: (m) => out.push(m) },
    () => (now += 100),
  );
  for (const c of chunks) input.take(Buffer.isBuffer(c) ? c : Buffer.from(c, 'utf8'));
  input.end();
  return out;
}

test('letters and control characters', () => {
  assert.deepEqual(taken('aG/ é'), ['a', 'G', '/', 'Space', 'é']);
  assert.deepEqual(taken('\r\t\x7f\x03\x04\x0f'), ['Enter', 'Tab', 'Backspace', 'Ctrl-C', 'Ctrl-D', 'Ctrl-O']);
});

test('a letter may be cut between chunks', () => {
  assert.deepEqual(taken(Buffer.from([0xc3]), Buffer.from([0xa9])), ['é']);
});

test('keys with sequences, as xterm, screen and the Linux console send them', () => {
  assert.deepEqual(taken('\x1b[A\x1bOB\x1b[1;5C\x1b[H\x1b[4~\x1b[6~'), [
    'Up',
    'Down',
    'Ctrl-Right',
    'Home',
    'End',
    'PgDn',
  ]);
  assert.deepEqual(taken('\x1bOP\x1b[[A\x1b[17~\x1b[21~\x1b[Z'), ['F1', 'F1', 'F6', 'F10', 'Shift-Tab']);
});

test('an escape alone is the key; a sequence may be cut', () => {
  assert.deepEqual(taken('\x1b[', 'A'), ['Up']);
  assert.deepEqual(taken('\x1b\x1b[A'), ['Esc', 'Up']);
  assert.deepEqual(taken('\x1bx'), ['Alt-x']);
});

test('an escape is the key where nothing follows it for a moment, as on a serial line', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const keys: string[] = [];
  const input = new Input({ key: (k) => keys.push(k), paste: () => undefined, mouse: () => undefined });
  const take = (text: string): void => input.take(Buffer.from(text));
  take('\x1b');
  t.mock.timers.tick(20);
  take('[');
  t.mock.timers.tick(20);
  take('A');
  assert.deepEqual(keys, ['Up']);
  take('\x1b');
  assert.deepEqual(keys, ['Up']);
  t.mock.timers.tick(60);
  assert.deepEqual(keys, ['Up', 'Esc']);
  take('[');
  take('\x1b');
  take('\x1b[B');
  t.mock.timers.tick(60);
  assert.deepEqual(keys, ['Up', 'Esc', '[', 'Esc', 'Down']);
  take('\x1b');
  input.end();
  t.mock.timers.tick(60);
  assert.equal(keys.length, 5, 'nobody is there to be told');
});

test('what is not known is passed over', () => {
  assert.deepEqual(taken('\x1b[?1;2c', 'x', '\x1b[200;99zq'), ['x', 'q']);
});

test('clicks, all of a chunk; the second at a place is a double click', () => {
  assert.deepEqual(
    taken('\x1b[<0;11;6M\x1b[<0;11;6m\x1b[<0;11;6M\x1b[<65;1;1M\x1b[<66;1;1M\x1b[<67;1;1M\x1b[<64;1;1M\x1b[<2;1;1M'),
    [
      { kind: 'press', x: 10, y: 5 },
      { kind: 'double', x: 10, y: 5 },
      { kind: 'wheel-down', x: 0, y: 0 },
      { kind: 'wheel-up', x: 0, y: 0 },
    ],
  );
  assert.deepEqual(taken('\x1b[M !!'), [{ kind: 'press', x: 0, y: 0 }]);
});

test('pasted text is one thing, whatever is in it', () => {
  assert.deepEqual(taken('\x1b[200~a\rQ\x1b[', '31m\x1b[20', '1~x'), [{ pasted: 'a\rQ\x1b[31m' }, 'x']);
});
