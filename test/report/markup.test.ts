import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asMarkdown } from '../../src/report/markup.js';

test('text in Markdown: an underscore within a word is left alone, what marks is not', () => {
  // CommonMark 0.31.2, 6.2: examples 360 to 364 (no emphasis within words), 370 (`_foo_bar`) and 357 (`_foo bar_`).
  for (const word of ['SERVER_TRAFFIC_SECRET_0', 'field_2.pcapng', 'пристаням_стремятся_'.slice(0, -1)])
    assert.equal(asMarkdown(word), word);
  assert.equal(asMarkdown('_foo_bar_'), '&#95;foo_bar&#95;');
  assert.equal(asMarkdown('foo__bar'), 'foo&#95;&#95;bar');
  assert.equal(asMarkdown('a*b <i> [x]|`'), 'a&#42;b &#60;i&#62; &#91;x&#93;&#124;&#96;');
});
