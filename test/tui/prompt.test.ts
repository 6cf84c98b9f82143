import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prompt, type PromptRequest } from '../../src/tui/prompt.js';
import { Stage } from './support/stage.js';

const words = ['sip.Method', 'sip.Method-x', 'sip.CSeq'];

function prompt(more: Partial<PromptRequest> = {}): { p: Prompt; done: string[] } {
  const done: string[] = [];
  const p = new Prompt({
    label: '/',
    history: ['first', 'second'],
    complete: (text, cursor) => ({
      from: text.lastIndexOf(' ', cursor - 1) + 1,
      words: words.filter((w) => w.startsWith(text.slice(text.lastIndexOf(' ') + 1))).map((text) => ({ text })),
    }),
    done: (text) => {
      done.push(text);
      return text === 'bad' ? 'it is bad' : undefined;
    },
    ...more,
  });
  return { p, done };
}

const press = (p: Prompt, ...keys: readonly string[]): string => {
  let last = '';
  for (const k of keys) last = p.key(k);
  return last;
};

test('a line is edited', () => {
  const { p } = prompt();
  press(p, 'a', 'Space', 'b', 'c', 'Left', 'X', 'Home', '>', 'End', 'Backspace');
  assert.equal(p.text, '>a bX');
  press(p, 'Ctrl-W');
  assert.equal(p.text, '>a ');
  press(p, 'Ctrl-U', 'y');
  assert.equal(p.text, 'y');
});

test('keys of shells move by words and bring earlier lines', () => {
  const { p } = prompt();
  press(p, 'a', 'b', 'Space', 'c', 'Ctrl-Left', '1', 'Alt-Left', 'Ctrl-Left', '2', 'Ctrl-Right', '3');
  assert.equal(p.text, '2ab3 1c');
  press(p, 'Ctrl-B', 'x', 'Ctrl-F', 'y', 'Alt-Right', 'z');
  assert.equal(p.text, '2abx3y 1cz');
  press(p, 'Ctrl-P');
  assert.equal(p.text, 'second');
  press(p, 'Ctrl-N');
  assert.equal(p.text, '2abx3y 1cz');
});

test('behind the name of a command that takes something Tab puts a blank', async () => {
  const takes = (text: string, ...words: readonly { text: string; takes: boolean }[]): string => {
    const { p } = prompt({ text, complete: () => ({ from: 0, words }) });
    press(p, 'Tab');
    return p.text;
  };
  assert.equal(takes('c', { text: 'call', takes: true }), 'call ');
  assert.equal(takes('h', { text: 'hangup', takes: false }), 'hangup');
  assert.equal(takes('c', { text: 'call', takes: true }, { text: 'cancel', takes: true }), 'ca');
  const stage = await Stage.of('20-healthy-call.pcapng', 80, 24);
  await stage.press(':');
  await stage.type('the');
  await stage.press('Tab');
  await stage.type(' light');
  assert.match(stage.text, /^ : theme light$/m);
  await stage.end();
});

test('Ctrl-Z and Ctrl-L are of the terminal, also while a line is typed', async () => {
  const stage = await Stage.of('20-healthy-call.pcapng', 80, 24);
  const done: string[] = [];
  stage.display.suspend = () => done.push('suspended');
  stage.display.forget = () => done.push('painted anew');
  await stage.press('2 / x Ctrl-Z Ctrl-L y');
  assert.deepEqual(done, ['suspended', 'painted anew']);
  assert.match(stage.text, /^ \/ xy$/m);
  await stage.end();
});

test('Enter applies what was typed, only Tab completes', () => {
  const { p, done } = prompt();
  press(p, 's', 'i', 'p');
  assert.equal(press(p, 'Enter'), 'done');
  assert.deepEqual(done, ['sip']);
});

test('Tab puts in what all share, then one after the other', () => {
  const { p } = prompt();
  press(p, 'x', 'Space', 's', 'Tab');
  assert.equal(p.text, 'x sip.');
  press(p, 'M', 'Tab');
  assert.equal(p.text, 'x sip.Method');
  press(p, 'Tab', 'Tab');
  assert.equal(p.text, 'x sip.Method-x');
  press(p, 'Shift-Tab');
  assert.equal(p.text, 'x sip.Method');
});

test('earlier lines come back, and the one begun is not lost', () => {
  const { p } = prompt();
  press(p, 'n', 'e', 'w', 'Up');
  assert.equal(p.text, 'second');
  press(p, 'Up', 'Up');
  assert.equal(p.text, 'first');
  press(p, 'Down', 'Down');
  assert.equal(p.text, 'new');
});

test('what stands in the line already is not brought back', () => {
  const { p } = prompt({ text: 'second' });
  press(p, 'Up');
  assert.equal(p.text, 'first');
  press(p, 'Down');
  assert.equal(p.text, 'second');
});

test('a refused line stays, with the reason until it changes', () => {
  const { p } = prompt({ text: 'bad' });
  assert.equal(press(p, 'Enter'), 'more');
  assert.deepEqual(p.verdict, { text: 'it is bad', wrong: true });
  press(p, '!');
  assert.equal(p.verdict, undefined);
  assert.equal(press(p, 'Esc'), 'cancelled');
});

test('pasted text is made harmless', () => {
  const { p } = prompt();
  p.insert('sip\x1b[2J\nx');
  assert.equal(p.text, 'sip·[2J·x');
});

test('the caret under a filter spans wide characters, and is left out where its place is not shown', async () => {
  const stage = await Stage.of('20-healthy-call.pcapng', 80, 24);
  await stage.press('2 /');
  await stage.type('ip.src == 李小龍');
  assert.match(stage.text, /^ \/ ip\.src == 李小龍\n {13}\^~~~~~ "李小龍" is not a valid/m);
  await stage.press('Ctrl-U');
  await stage.type(`sip.Method == "${'x'.repeat(120)}" && foo.bar`);
  assert.match(stage.text, /x" && foo\.bar\n +\^~~~~~~\n "foo\.bar" is neither/);
  await stage.press('Home');
  assert.match(stage.text, /^ \/ sip\.Method == "x+\n "foo\.bar" is neither/m);
  await stage.end();
});
