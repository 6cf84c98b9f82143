import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { FindingsView } from '../../src/tui/findings-view.js';
import { drawn, PaperDesk, paperViewer } from './desk.js';
import { storyOf } from './story.js';

async function view(sample?: string, codes = new Set<string>()) {
  const desk = new PaperDesk(paperViewer(), sample === undefined ? undefined : await storyOf(sample));
  let saved = 0;
  const v = new FindingsView(desk.desk, { codes, save: () => saved++ });
  v.show({});
  const lines = (width = 80, height = 20): string[] => drawn(v, width, height);
  return { desk, v, lines, codes, saves: () => saved };
}

describe('findings', () => {
  test('the worst first, with what, evidence, meaning and next step', async () => {
    const { v, lines } = await view('28-overloaded.pcapng');
    const screen = lines();
    assert.match(screen[1], /^x The call was refused for overload/);
    assert.match(screen[1], /call 1 T1 .* 17\.2$/);
    for (const word of ['What:', 'Evidence:', 'Meaning:', 'Next:'])
      assert.ok(
        screen.some((l) => l.startsWith(` ${word}`)),
        word,
      );
    assert.equal(v.badge(), '(1)');
    assert.match(v.status(), /x 1 {2}! 0 {2}i \d/);
  });

  test('Enter goes to the ladder of a call, to the packets of anything else', async () => {
    const { desk, v } = await view('28-overloaded.pcapng');
    v.run('open', '');
    assert.deepEqual(desk.opened[0], { view: 'calls', scope: { label: 'call 1', call: 1, at: '17.2' } });
    const other = await view('48-own-framing-lost.pcapng');
    other.v.run('open', '');
    const [opened] = other.desk.opened;
    assert.equal(opened.view, 'packets');
    assert.deepEqual(opened.scope?.rows, [opened.scope?.at]);
  });

  test('X mutes a kind, :unmute shows it again', async () => {
    const { v, lines, codes, saves } = await view('28-overloaded.pcapng');
    v.run('mute', '');
    assert.deepEqual([...codes], ['call.overload']);
    assert.doesNotMatch(lines().join('\n'), /overload/);
    assert.match(v.status(), /muted 1/);
    v.run('unmute', 'call.overload');
    assert.match(lines()[1], /overload/);
    assert.equal(saves(), 2);
  });

  test('s says what findings are sorted by, each time', async () => {
    const { desk, v } = await view('28-overloaded.pcapng');
    for (const words of ['Findings by severity', 'Findings by severity, largest first', 'Findings by code']) {
      v.run('sort', '');
      assert.equal(desk.said.at(-1), words);
    }
  });

  test('the number of a packet is whole, however large it is, and the sign that one sorts by has its arrow', async () => {
    const story = await storyOf('28-overloaded.pcapng');
    const findings = story.findings.map((f) => ({ ...f, rows: ['4298902.17'] }));
    const v = new FindingsView(new PaperDesk(paperViewer(), { ...story, findings }).desk, {
      codes: new Set(),
      save: () => undefined,
    });
    v.show({});
    for (const width of [80, 120, 200]) assert.match(drawn(v, width, 20)[1], / 4298902\.17$/, `${width}`);
    v.run('sort', '');
    assert.match(drawn(v, 80, 20)[0], /^↑ /);
  });

  test('a scope leaves only what it is about, and says so where nothing is', async () => {
    const { v, lines } = await view('28-overloaded.pcapng');
    v.show({ label: 'tunnel 9', tunnels: [9] });
    assert.match(lines().join('\n'), /Nothing is wrong with tunnel 9\.\s+1 finding in the rest/);
    v.show({ label: 'call 1', call: 1 });
    assert.match(lines()[1], /overload/);
    assert.equal(v.status(), 'x 1  ! 0  i 0');
  });

  test('an empty list says why', async () => {
    assert.match((await view()).lines().join('\n'), /Reading the capture; findings follow/);
    const { lines } = await view('48-own-framing-lost.pcapng', new Set(['fttims.*', 'tunnel.*']));
    assert.match(lines().join('\n'), /2 findings here, all of them muted/);
  });

  test('is complete at 60 columns and at 200', async () => {
    const { lines } = await view('28-overloaded.pcapng');
    for (const width of [60, 200]) {
      const screen = lines(width);
      assert.match(screen[1], /^x .*The call was refused/);
      assert.ok(screen.every((l) => l.length <= width));
    }
  });

  test('as plain text every finding is numbered and told in full', async () => {
    const { v } = await view('28-overloaded.pcapng');
    assert.match(v.plain()[0], /^error call\.overload, call 1 T1$/);
    assert.match(v.plain().join('\n'), / {3}Next: /);
  });
});
