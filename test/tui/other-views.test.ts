import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { describe, test } from 'node:test';
import type { TunnelEntity } from '../../src/model/entities.js';
import { cellsOf, Grid } from '../../src/tui/cells.js';
import { FilterForm } from '../../src/tui/filter-form.js';
import { Journal } from '../../src/tui/journal.js';
import { LateReading } from '../../src/tui/late-reading.js';
import type { LiveConsole } from '../../src/tui/live-console.js';
import { LiveView } from '../../src/tui/live-view.js';
import { LogView } from '../../src/tui/log-view.js';
import { MediaView } from '../../src/tui/media-view.js';
import { PlainScreens } from '../../src/tui/plain.js';
import type { PromptRequest } from '../../src/tui/prompt.js';
import { drawScreen } from '../../src/tui/screen.js';
import { TunnelsView } from '../../src/tui/tunnels-view.js';
import { until } from '../support/until.js';
import { drawn, PaperDesk, paperViewer } from './desk.js';
import { storyOf } from './story.js';
import { Stage, sample, viewerOn } from './support/stage.js';

const text = (v: Parameters<typeof drawn>[0], width = 80, height = 20): string => drawn(v, width, height).join('\n');

test('the line above a view counts what the view shows', async () => {
  const { viewer, preferences, keymap, desk } = new PaperDesk(paperViewer(), await storyOf('00-field.pcapng'));
  const view = new TunnelsView(desk);
  const none = { dialog: undefined, dialogs: [], prompt: undefined, message: undefined, tour: undefined };
  const grid = new Grid(80, 24);
  drawScreen(grid, {
    ...none,
    ...preferences,
    status: viewer.status,
    keymap,
    views: [view],
    view,
    crumbs: ['Tunnels'],
  });
  assert.match(grid.line(2), /4 tunnels, 3 can be read$/);
});

describe('media', () => {
  async function view(name: string, width = 80, height = 20) {
    const viewer = await viewerOn(sample(name));
    const desk = new PaperDesk(viewer, await viewer.story());
    const v = new MediaView(desk.desk);
    v.show({});
    await until(() => !/following/.test(text(v, width, height)));
    return { desk, v, screen: () => text(v, width, height) };
  }

  test('streams with loss, jitter over time, and what RTCP says itself', async () => {
    const { v, screen } = await view('33-head-of-line.pcapng', 120, 30);
    v.run('down');
    await until(() => /jitter +.*[▁▂▃▄▅▆▇█]/.test(screen()), screen);
    const s = screen();
    assert.match(s, /! {2}2 +1 .* down 10\.45\.0\.1:\d+ .* AMR-WB +\d+ +0 /);
    assert.match(s, /jitter +.*[▁▂▃▄▅▆▇█]/);
    assert.match(s, /Head of line: \d+ packets waited up to 1\.\d+ s/);
    assert.match(s, /RTCP: \d sender reports?/);
    assert.match(s, /MOS 4\.\d+: an estimate by ITU-T G\.107/);
    assert.match(v.status(), /^2 streams {2}\d+ packets {2}0 lost$/);
  });

  test('on a low screen a chart is a line, its name and its largest value beside each other', async () => {
    const { screen } = await view('33-head-of-line.pcapng', 60, 13);
    await until(() => /jitter.*[▁▂▃▄▅▆▇█]/.test(screen()), screen);
    assert.match(screen(), /^ ?jitter +[\d.]+ m?s +[▁▂▃▄▅▆▇█]/m);
  });

  test('the charts of a stream that goes on stay until there are newer ones', async () => {
    const { desk, screen } = await view('33-head-of-line.pcapng', 120, 30);
    const charts = /jitter +.*[▁▂▃▄▅▆▇█]/;
    await until(() => charts.test(screen()), screen);
    // The next packet of a call that goes on, and the next report.
    const { rows } = desk.viewer;
    Object.defineProperty(desk.viewer, 'rows', { value: Object.create(rows, { count: { value: rows.count - 1 } }) });
    assert.match(screen(), charts);
    desk.desk.told.story = structuredClone(desk.desk.told.story);
    assert.match(screen(), charts);
  });

  test('Enter filters the packets of the stream', async () => {
    const { desk, v } = await view('33-head-of-line.pcapng');
    v.run('open');
    assert.equal(desk.opened[0].view, 'packets');
    assert.match(desk.ran.join(), /^filter rtp\.ssrc == 0x[0-9a-f]{8}$/);
  });

  test('Enter lists the packets of the stream alone, also where others have its SSRC', async () => {
    // The calls by IPv4 and by IPv6 have the same two SSRCs.
    const stage = await Stage.of('01-tls12-aes128-gcm.pcapng', 120, 40);
    await stage.press('5 4');
    assert.match(stage.text, / 4 streams {2}240 packets/);
    for (let i = 0; i < 4; i++) {
      await stage.press(`5 4 5 4 g g${' Down'.repeat(i)} Enter`);
      assert.match(stage.text, / 60 of 378 {2}/, `${i}`);
    }
    await stage.end();
  });

  test('an empty list says why', async () => {
    const none = new MediaView(new PaperDesk(paperViewer(), await storyOf('28-overloaded.pcapng')).desk);
    none.show({});
    const answered = await storyOf('20-healthy-call.pcapng');
    const silent = new MediaView(new PaperDesk(paperViewer(), { ...answered, media: [] }).desk);
    silent.show({});
    assert.match(drawn(silent, 60, 10).join(' ').replace(/\s+/g, ' '), /say where media should go\./);
    assert.match(text(none), /No RTP in this capture\.\s+No call was answered/);
    const other = await view('33-head-of-line.pcapng');
    other.v.show({ label: 'tunnel 9', tunnels: [9] });
    assert.match(other.screen(), /No RTP in tunnel 9\.\s+2 streams in the rest/);
  });
});

test('lines of text give the terminal no commands', async () => {
  const stage = await Stage.of('28-overloaded.pcapng');
  stage.app.say('a\x1b[31mred\x07 file', 'error');
  const out = new PassThrough();
  await new PlainScreens(stage.app, out).run((async function* () {})());
  const text = String(out.read());
  assert.match(text, /^error: a.\[31mred. file\n\nTunnels\. 1 tunnel\n/);
  assert.doesNotMatch(text, /[^\P{Cc}\n]/u);
  await stage.end();
});

test('--plain cuts lines between words, and tables that are wider than the terminal say what their columns are', async () => {
  const stage = await Stage.of('00-field.pcapng');
  for (const columns of [80, 107, 112, 119, 200]) {
    const out = Object.assign(new PassThrough(), { columns });
    let text = '';
    const typed = async function* () {
      for (const line of ['tunnels', 'findings', 'media', 'packets', 'Q']) {
        text += String(out.read() ?? '');
        yield line;
      }
    };
    stage.app.perform('view-tunnels');
    await new PlainScreens(stage.app, out).run(typed());
    for (const line of text.split('\n')) assert.ok(cellsOf(line) <= columns, line);
    if (columns < 120)
      assert.match(text, /^ {3}1 {2}x # 1, UE 192\.0\.2\.7:40001, EFTF eftf\.example:443,[\s\S]*?, end UE\n/m);
    else assert.match(text, /^ +# {2}UE +EFTF +TLS .* end\n {3}1 {2}x +1 {2}192\.0\.2\.7:40001 /m);
    assert.match(
      text,
      /Meaning:\s+The\s+network\s+is\s+overloaded[^.]*\.\s+It\s+may\s+be\s+tried\s+again\s+after\s+30\s+s\./,
    );
  }
  await stage.end();
});

/** What --plain had said before it was given each of the lines. */
async function heard(stage: Stage, lines: readonly string[], ascii = false): Promise<string[]> {
  const out = new PassThrough();
  const said: string[] = [];
  const typed = async function* () {
    for (const line of lines) {
      said.push(String(out.read() ?? ''));
      yield line;
    }
  };
  await new PlainScreens(stage.app, out, ascii).run(typed());
  return said;
}

test('what is typed into --plain: a command while help is open, words of a form, a number, what is no command', async () => {
  const stage = await Stage.of('00-field.pcapng');
  const lines = ['?', 'packets', 'f', 'Down', '+15550100', 'Enter', 'filter-form', '2', 'Enter', 'nonsense', 'q', 'Q'];
  const said = await heard(stage, lines, true);
  const after = (line: string): string => said[lines.indexOf(line) + 1] ?? '';
  assert.match(after('?'), /Keys in Tunnels:/);
  assert.match(after('packets'), /^\ntunnel 1, Packets, inner\./);
  assert.match(after('+15550100'), /User +\+15550100[\s\S]*1 tunnel, 2 calls, 1 registration/);
  assert.match(after('Enter'), /^\n\+15550100, Packets, inner and outer\. 1 \/ 218 /);
  assert.match(said[9], /^\ntunnel 2, Packets, inner\./);
  assert.match(after('nonsense'), /^warn: nonsense is no command/);
  assert.match(said.join(''), /^[\n -~]*$/);
  await stage.end();
});

test('the form takes the number of a tunnel, or the address or name of an end', async () => {
  const { desk, opened } = new PaperDesk(paperViewer(), await storyOf('00-field.pcapng'));
  const { tunnels } = desk.told.story!;
  const named = tunnels.find((t) => t.eftf.name !== undefined)!;
  const having = (has: (t: TunnelEntity) => boolean): number[] => tunnels.filter(has).map((t) => t.id);
  const cases: [string, readonly number[]][] = [
    ['2', [2]],
    [tunnels[0].ue.address, having((t) => t.ue.address === tunnels[0].ue.address)],
    [`${tunnels[0].ue.address}:${tunnels[0].ue.port}`, [1]],
    [named.eftf.name!.toUpperCase(), having((t) => t.eftf.name === named.eftf.name)],
    ['drop=0.3', []],
  ];
  for (const [typed, ids] of cases) {
    const form = new FilterForm(desk);
    for (const key of typed) form.key(key);
    const before = opened.length;
    form.run('open');
    assert.deepEqual(
      opened.slice(before).map((o) => o.scope?.tunnels),
      ids.length === 0 ? [] : [ids],
      typed,
    );
  }
});

test('F3 looks for a text in every list, from the cursor on and around the end', async () => {
  const stage = await Stage.of('00-field.pcapng', 100, 30);
  const find = async (text: string): Promise<void> => {
    await stage.press('F3');
    await stage.type(text);
    await stage.press('Enter');
  };
  await stage.press('3');
  const ladder = (): string | undefined => /^─ ((?:call|reg) \d)/m.exec(stage.text)?.[1];
  await find('F7A2@'); // the Call-ID, which no column shows
  assert.equal(ladder(), 'call 2');
  await stage.press('n');
  assert.match(stage.text, /it is found here alone/);
  await find('/deregistered|ended/');
  assert.equal(ladder(), 'reg 1');
  await stage.press('n');
  assert.equal(ladder(), 'call 1');
  assert.match(stage.text, /past the end: on from the first line/);
  await stage.press('N');
  assert.equal(ladder(), 'reg 1');
  await find('nobody');
  assert.match(stage.text, /nobody is not found in the list/);
  assert.equal(ladder(), 'reg 1');
  await stage.press('1 1');
  await find('www');
  assert.match(stage.text, /^─ tunnel 4 /m);
  await stage.press('5 5');
  await find('overload');
  assert.match(stage.text, /The call was refused for overload/);
  await stage.press('4 4');
  await find('0x5a170002'); // not in a column either
  assert.match(stage.text, /^─ stream 2: /m);
  await stage.end();
});

test('in a window that is small the form shows the line that is typed in, and what was found', async () => {
  const { desk } = new PaperDesk(paperViewer(), await storyOf('00-field.pcapng'));
  const form = new FilterForm(desk);
  const lines = (): string[] => drawn(form, 36, 3).map((line) => line.trimEnd());
  assert.deepEqual(lines(), ['Tunnel', 'User', 'everything']);
  for (let i = 0; i < 4; i++) form.key('Down');
  for (const key of '1.50') form.key(key);
  assert.deepEqual(lines(), ['Time from', 'Time to   1.50', 'by time alone']);
  assert.deepEqual(form.caret(), { x: 14, y: 1 });
  form.mouse({ kind: 'press', x: 0, y: 0 });
  for (const key of '0.0000000000000000000000000001') form.key(key);
  assert.deepEqual(lines().slice(0, 2), ['Time from 0000000000000000000000001', 'Time to   1.50']);
  assert.deepEqual(form.caret(), { x: 35, y: 0 });
});

test('--plain: each line searches the help anew, keys are commands there, and letters choose in windows', async () => {
  const stage = await Stage.of('00-field.pcapng');
  const lines = ['?', 'colour', 'no such words', 'clipboard', '2', 'e', 'nothing', 'html', '.', '?', 'Q', 'never'];
  const said = await heard(stage, lines);
  const after = (i: number): string => said[i + 1] ?? '';
  assert.match(after(1), /Keys in Tunnels:\nLook\n {3}c {2}:colours {2}[^\n]*\nq closes this/);
  assert.match(after(2), /Keys in Tunnels:\nNo command has "no such words"\. Type other words to search for\.\n/);
  assert.match(after(3), /Keys in Tunnels:\nIn this view\n {3}y {2}:copy FORM {2}copy to the clipboard\nq closes this/);
  assert.match(after(4), /^\ntunnel 1, Packets, inner\./);
  assert.match(after(5), /Export:[\s\S]*HTML: report as one page/);
  assert.match(after(6), /^warn: nothing is no command[\s\S]*Export:[\s\S]*HTML: report as one page/);
  assert.match(after(7), /export to \(a line, or \. to cancel\) /);
  assert.match(after(9), /Keys in Packets:/);
  assert.equal(said.length, 11, 'Q quits there, too');
  await stage.end();
});

test('--plain: lines typed early, numbers of things, pages, and what keys turn to', async () => {
  const stage = await Stage.of('00-field.pcapng');
  const lines = ['calls', '7', '2', 'q', 'statistics', '2', 'q', 'right', '', '?', 'Q'];
  const said = await heard(stage, lines);
  const after = (i: number): string => said[i + 1] ?? '';
  assert.match(
    after(0),
    /^ {3}1 {2}call 1\n {6} {3}\+15550100[\s\S]*^ {3}2 {2}call 2$[\s\S]*^Page 1 of \d; an empty line/m,
  );
  assert.match(after(0), /^Here: .*\bs sort, .*\.\nViews: tunnels, packets, calls, media, findings, statistics/m);
  assert.match(after(1), /^warn: there is no line 7: they go from 1 to 3\n/);
  assert.match(after(2), /^\ntunnel 1, Calls, call 2, ladder\.[\s\S]*503 Service Unavailable/);
  assert.match(after(4), /^ {3}2 {2}protocols:[\s\S]*left shows protocols, right shows conversations/m);
  assert.match(after(5), /^\ntunnel 1, Stats, charts\.[^\n]*\nprotocols:[\s\S]*RTP +197/);
  assert.match(after(7), /Stats, conversations[\s\S]*left shows charts, right shows endpoints/);
  assert.match(after(9), /Keys in Stats:\nIn this view\n[\s\S]* {3}s {2}:sort {2}sort by the next column\n/);
  await stage.end();
});

test('what waits for late keys is read again later where it could not be read now', async () => {
  let readings = 0;
  const status = { ...paperViewer().status, late: true, done: false };
  const desk = {
    viewer: { status },
    view: { place: () => 1, restore: () => undefined },
    say: () => undefined,
    reopen: async () => {
      readings++;
      return readings > 1 ? undefined : 'the file is gone';
    },
  };
  const late = new LateReading(desk as never);
  late.look();
  await until(() => {
    late.look();
    return readings === 2;
  });
});

test('each sentence of the engine is in the log once, also where key logs speak late, and after a new reading', () => {
  const messages: { severity: 'note' | 'warn'; text: string }[] = [{ severity: 'warn', text: 'damage' }];
  const journal = new Journal({ status: { messages } } as never);
  journal.hear();
  messages.push({ severity: 'warn', text: 'the key log is empty' });
  journal.hear();
  messages.splice(0, 2, { severity: 'note', text: 'other' }, { severity: 'warn', text: 'damage' });
  journal.anew();
  assert.deepEqual(
    journal.messages.map((m) => m.text),
    ['damage', 'the key log is empty', 'other'],
  );
});

describe('log', () => {
  test('what was said, the newest in sight, and nothing where nothing was', () => {
    const desk = new PaperDesk(paperViewer());
    const v = new LogView(desk.desk);
    assert.match(text(v), /Nothing to tell/);
    for (let i = 0; i < 50; i++)
      desk.messages.push({ at: new Date(0), severity: i === 49 ? 'error' : 'note', text: `message ${i}` });
    const s = text(v);
    assert.match(s, /x message 49/);
    assert.doesNotMatch(s, /message 3 /);
    assert.equal(v.badge(), '(1)');
    v.run('open');
    assert.match(text(desk.dialogs[0]), /message 49/);
    v.run('up');
    desk.messages.push({ at: new Date(0), severity: 'note', text: 'one more' });
    assert.match(v.status(), /F follows the end/);
  });
});

describe('live', () => {
  test('says how to start something where nothing is live', () => {
    const desk = new PaperDesk(paperViewer());
    const v = new LiveView(desk.desk);
    assert.match(text(v), /Nothing is live here[\s\S]* {2}:ue HOST\[:443\] --lab/);
    assert.equal(v.run('open'), true);
    assert.deepEqual(desk.said, ['nothing can be started from here']);
  });

  test('a stream that grows says how far it is', () => {
    const status = { ...paperViewer().status, growing: true, frames: 12, read: 3400 };
    assert.match(text(new LiveView(new PaperDesk(paperViewer({ status })).desk)), /12 frames, 3\.4 kB so far/);
  });

  test('an endpoint shows its steps, events and armed faults, and takes verbs', async () => {
    const typed: string[] = [];
    const live: LiveConsole = {
      title: 'UE lab1',
      state: 'CONNECTED 00:01:12',
      steps: [
        { name: 'TCP', state: 'ok', text: '1 ms' },
        { name: 'DHCP', state: 'failed', text: 'no answer' },
      ],
      events: [{ at: new Date(0), severity: 'error', text: 'DHCP: no answer' }],
      figures: ['RTP up 50/s dn 49/s'],
      faults: ['unknown-type'],
      verbs: [{ name: 'call', words: 'call somebody' }],
      unsaved: 'the capture of the UE is not saved',
      over: false,
      type: async (line) => {
        typed.push(line);
        return 'calling';
      },
      saved: () => undefined,
      onChange: () => undefined,
    };
    const desk = new PaperDesk(paperViewer());
    let request: PromptRequest | undefined;
    const v = new LiveView(
      { ...desk, desk, prompt: (r: PromptRequest) => (request = r), say: (s: string) => desk.said.push(s) } as never,
      live,
    );
    const s = text(v);
    assert.match(s, /! FAULTS ARE ARMED: unknown-type/);
    assert.match(s, /\+ TCP 1 ms {3}x DHCP no answer/);
    assert.match(s, /00:00:00 x DHCP: no answer/);
    assert.equal(v.unsaved(), 'the capture of the UE is not saved');
    v.run('open');
    assert.deepEqual(
      request?.complete?.('ca', 2)?.words.map((w) => w.text),
      ['call'],
    );
    request?.done('call bob');
    await new Promise((done) => setImmediate(done));
    assert.deepEqual([typed, desk.said], [['call bob'], ['calling']]);
  });
});
