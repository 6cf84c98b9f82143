import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Ladder, LadderBuilder } from '../../src/report/ladder.js';
import { ladderMermaid } from '../../src/report/ladder-mermaid.js';
import { ladderSvg } from '../../src/report/ladder-svg.js';
import { ladderPage, ladderText } from '../../src/report/ladder-text.js';
import { cells, fit, fitMiddle, padEnd, wrapped } from '../../src/report/width.js';

const at = (seconds: number, nanos = 0) => ({ seconds, nanos });

/** Three ends, a message each way, one that passes an end by, media and a remark. */
function flow(): Ladder {
  const b = new LadderBuilder();
  const ue = b.column('a', 'UE', '10.0.0.2');
  const proxy = b.column('b', 'P-CSCF', '2001:0db8:1111:2222:3333:4444:5555:6666');
  const peer = b.column('c', '', '10.0.0.9');
  b.arrow({ at: at(10), row: '1.1', from: ue, to: proxy, text: 'INVITE', what: 'request', again: 2 });
  b.arrow({ at: at(10, 500_000_000), row: '2.1', from: proxy, to: ue, text: '200 OK', what: 'success' });
  b.bar({ at: at(11), end: at(12), from: ue, to: peer, text: 'RTP 9', both: true });
  b.note(at(13), 'the end', true);
  return b.build('a flow', 100);
}

test('a ladder is drawn with an arrow a message', () => {
  const page = ladderPage(flow(), { width: 60, unicode: false });
  assert.equal(
    page,
    [
      'a flow',
      '           UE                   P-CSCF',
      '           10.0.0.2       2001:0db8~555:6666        10.0.0.9',
      '     0.000 |----- INVITE (3?) ---->|                       |',
      '     0.500 |<------ 200 OK --------|                       |',
      '     1.000 |<=================== RTP 9 ===================>|',
      '     3.000 ! the end',
      '',
    ].join('\n'),
  );
});

test('a row stands at the right where there is room', () => {
  const { lines } = ladderText(flow(), { width: 90 });
  assert.match(lines[0], / 1\.1$/);
  assert.ok(lines.every((l) => cells(l) <= 90));
});

test('where not all ends fit, some are shown, from the one that is asked for', () => {
  const b = new LadderBuilder();
  for (let i = 0; i < 9; i++) b.column(String(i), `end ${i}`, `10.0.0.${i}`);
  for (let i = 0; i < 8; i++) b.arrow({ at: at(i), row: `${i}`, from: i, to: i + 1, text: `m${i}`, what: 'request' });
  const ladder = b.build('wide', 100);
  const left = ladderText(ladder, { width: 60 });
  assert.equal(left.shown, 4);
  assert.match(left.head[0], /end 0 .*end 3/);
  assert.match(left.lines[0], /m0/);
  const right = ladderText(ladder, { width: 60, first: 5 });
  assert.match(right.head[0], /end 5 .*end 8/);
  assert.match(right.lines[7], /m7/);
  assert.match(ladderPage(ladder, { width: 60 }), /4 of 9 ends fit/);
});

const anyText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: 'grapheme' }),
  fc.constant('漢字かな交じり文'),
);

test('no line is wider than the terminal, whatever the names are', () => {
  const item = fc.record({
    from: fc.nat(),
    to: fc.nat(),
    text: anyText,
    kind: fc.constantFrom('arrow', 'bar', 'note'),
  });
  const whole = fc.record({
    ends: fc.array(anyText, { minLength: 1, maxLength: 8 }),
    items: fc.array(item, { maxLength: 12 }),
    width: fc.integer({ min: 40, max: 220 }),
    first: fc.nat({ max: 9 }),
    unicode: fc.boolean(),
  });
  fc.assert(
    fc.property(whole, ({ ends, items, width, first, unicode }) => {
      const b = new LadderBuilder();
      for (const [i, e] of ends.entries()) b.column(String(i), e, e);
      for (const [i, x] of items.entries()) {
        const [from, to] = [x.from % ends.length, x.to % ends.length];
        if (x.kind === 'note') b.note(at(i), x.text);
        else if (x.kind === 'bar') b.bar({ at: at(i), end: at(i), from, to, text: x.text, both: true });
        else b.arrow({ at: at(i), row: `${i}`, from, to, text: x.text, what: 'request' });
      }
      const { head, lines } = ladderText(b.build('any', 100), { width, first, unicode });
      assert.equal(lines.length, items.length);
      for (const l of [...head, ...lines]) assert.ok(cells(l) <= width, `${cells(l)} > ${width}: ${l}`);
    }),
    { numRuns: 200 },
  );
});

test('texts are measured in cells and shortened whole', () => {
  assert.equal(cells('漢字'), 4);
  assert.equal(cells('e\u0301'), 1);
  assert.equal(fit('漢字', 3), '漢…');
  assert.equal(padEnd('漢', 4), '漢  ');
  assert.equal(fitMiddle('2001:db8:1111:2222:3333:4444:5555:6666', 15), '2001:db…55:6666');
  assert.deepEqual(wrapped('one two three', 7), ['one two', 'three']);
  assert.deepEqual(wrapped('abcdefgh', 3), ['abc', 'def', 'gh']);
});

/** Text that would do harm if it were taken for more than text. */
const HOSTILE = "</title><script>alert(1)</script>\" onload='x' & ;\n%%{init}%% \u202e\u001b[31m";

function hostile(): Ladder {
  const b = new LadderBuilder();
  b.column('a', HOSTILE, HOSTILE);
  b.column('b', 'B', HOSTILE);
  b.arrow({ at: at(1), row: '1', from: 0, to: 1, text: HOSTILE, what: 'failure' });
  b.bar({ at: at(2), end: at(3), from: 1, to: 0, text: HOSTILE, both: false });
  b.note(at(4), HOSTILE);
  return b.build(HOSTILE, 100);
}

test('an SVG holds hostile text as text alone', () => {
  const svg = ladderSvg(hostile());
  const tags = new Set([...svg.matchAll(/<\/?([^\s>/]+)/g)].map((m) => m[1]));
  assert.deepEqual([...tags].sort(), ['path', 'rect', 'svg', 'text', 'title']);
  assert.doesNotMatch(svg, /[\u0000-\u0009\u000b-\u001f\u202e]|<script|"\s*onload|&(?!amp;|lt;|gt;|quot;|#39;)/);
});

test('a Mermaid diagram is one statement a line, whatever the names are', () => {
  const lines = ladderMermaid(hostile()).trimEnd().split('\n');
  assert.equal(lines.length, 1 + 2 + 3);
  assert.equal(lines[0], 'sequenceDiagram');
  for (const l of lines.slice(1))
    assert.match(
      l,
      /^ {2}(participant c\d as|c\d->>c\d:|Note over c0,c1:|Note over c1,c0:) [^;<>{}%\n]*(#\d+;[^;<>{}%\n]*)*$/,
    );
});

test('a Mermaid diagram says who sends what to whom', () => {
  assert.equal(
    ladderMermaid(flow()),
    [
      'sequenceDiagram',
      '  participant c0 as UE 10.0.0.2',
      '  participant c1 as P-CSCF 2001:0db8:1111:2222:3333:4444:5555:6666',
      '  participant c2 as 10.0.0.9',
      '  c0->>c1: INVITE (3×)',
      '  c1->>c0: 200 OK',
      '  Note over c0,c2: RTP 9',
      '  Note over c0,c2: the end',
      '',
    ].join('\n'),
  );
});
