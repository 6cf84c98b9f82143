import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { PassThrough, Writable } from 'node:stream';
import { describe, test } from 'node:test';
import { drawCharts } from '../../src/tui/charts.js';
import { csvField } from '../../src/tui/csv.js';
import type { TextOffer } from '../../src/tui/exports.js';
import type { CommandId } from '../../src/tui/keymap.js';
import { StatisticsView } from '../../src/tui/statistics-view.js';
import { NOTHING_READ } from '../../src/viewer/viewer.js';
import { until } from '../support/until.js';
import { drawn, PaperDesk, paperViewer } from './desk.js';
import { sample, viewerOn } from './support/stage.js';

async function view(name: string, width = 80, height = 20) {
  const viewer = await viewerOn(sample(name));
  const desk = new PaperDesk(viewer, await viewer.story());
  const v = new StatisticsView(desk.desk);
  v.show({});
  const settled = async (): Promise<string> => {
    let text = '';
    let same = 0;
    await until(
      () => {
        const before = text;
        text = drawn(desk.dialogs.at(-1) ?? v, width, height).join('\n');
        same = text === before && !/(counting|drawing) …/.test(text) ? same + 1 : 0;
        return same > 10;
      },
      () => text,
    );
    return text;
  };
  const press = async (...commands: CommandId[]): Promise<string> => {
    for (const c of commands) assert.ok((desk.dialogs.at(-1) ?? v).run(c, ''), c);
    return settled();
  };
  await settled();
  return { desk, v, settled, press };
}

describe('statistics', () => {
  test('rates, protocols, answers, overhead and jitter, each in its box', async () => {
    const { settled, v } = await view('33-head-of-line.pcapng');
    const text = await settled();
    for (const title of ['inner packets/s', 'protocols', 'SIP answers', 'tunnel overhead', 'jitter'])
      assert.match(text, new RegExp(`(┌─|┌>) ${title}`));
    const { packets, sip } = JSON.parse(readFileSync(sample('33-head-of-line.expect.json'), 'utf8')).inner;
    assert.match(text, /RTP +█+ +2\d\d /);
    assert.match(text, new RegExp(`SIP +█+ +${sip} `));
    assert.match(text, /1xx +2xx +4xx/);
    assert.match(text, /[⡀-⣿]/);
    assert.match(text, /^┌> inner packets\/s, 100 ms each ─* ── up ── down ┐/m);
    assert.match(v.status(), new RegExp(`^${packets} packets {2}100 ms each$`));
  });

  test('Tab goes from chart to chart, Enter shows the numbers, a filters by one', async () => {
    const { desk, press } = await view('28-overloaded.pcapng');
    const text = await press('next-pane', 'next-pane', 'open');
    assert.match(text, /503 +1 +1/);
    assert.equal(desk.dialogs[0].title, 'SIP answers');
    await press('bottom', 'filter-apply');
    assert.deepEqual(desk.ran, ['filter sip.Status-Code == 503']);
  });

  test('+ and - change the span, z shows one chart alone', async () => {
    const { v, press } = await view('28-overloaded.pcapng');
    await press('smaller');
    assert.match(v.status(), /500 ms each/);
    const text = await press('zoom');
    assert.equal((text.match(/┌/g) ?? []).length, 1);
    assert.ok(v.run('back'));
  });

  test('conversations and ends can be sorted and filtered by', async () => {
    const { desk, press, v } = await view('28-overloaded.pcapng');
    const text = await press('right');
    assert.match(text, /10\.45\.0\.1 +10\.45\.0\.2/);
    assert.deepEqual(v.crumbs(), ['conversations, inner']);
    await press('filter-apply');
    assert.deepEqual(desk.ran, ['filter ip.addr == 10.45.0.1 && ip.addr == 10.45.0.2']);
    await press('layers');
    assert.match(await press('right'), /198\.51\.100\.1/);
    assert.match(await press('right'), /fttims[\s\S]* {2}ip[\s\S]* {6}sip +10/);
  });

  test('where no tunnel can be read the ends are those of the frames', async () => {
    const { press, v } = await view('22-wrong-key-log.pcapng');
    assert.match(await press('right'), /10\.45\.|192\.0\.2\.|127\.0\.0\.1/);
    assert.deepEqual(v.crumbs(), ['conversations, outer']);
    assert.match(await press('layers'), /Nothing among the inner packets; o shows the outer ones/);
  });

  test('of a tunnel that cannot be read the frames are counted beside others that can', async () => {
    const { v, settled, press } = await view('00-field.pcapng', 120, 30);
    v.show({ label: 'tunnel 3', tunnels: [3] });
    assert.match(await settled(), /frames\/s, \d+ ms each/);
    assert.match(v.status(), /^12 frames {2}/);
    assert.match(await press('right'), /192\.0\.2\.11 +198\.51\.100\.1 +12 /);
    v.show({ label: 'tunnel 1', tunnels: [1] });
    await settled();
    assert.deepEqual(v.crumbs(), ['conversations, inner']);
    await press('left');
    assert.match(v.status(), /^223 packets {2}/);
  });

  test('protocols of the capture, and of one of its tunnels', async () => {
    const { v, press, desk } = await view('00-field.pcapng');
    assert.match(await press('left'), /^fttims +233 [\s\S]*^ {6}rtp +197 [\s\S]*^ {4}icmpv6 +10 /m);
    v.show({ label: 'tunnel 2', tunnels: [2] });
    const text = await press('right', 'left');
    assert.match(text, /^fttims +10 [\s\S]*^ {4}icmpv6 +10 /m);
    assert.doesNotMatch(text, /udp/);
    assert.equal(v.status(), '21 packets');
    // All that was inside was inside of one of them.
    const { tunnels, protocols } = desk.told.story!;
    for (const [stack, { rows, bytes }] of Object.entries(protocols)) {
      if (!stack.startsWith('fttims')) continue;
      const of = tunnels.flatMap((t) => t.protocols[stack] ?? []);
      assert.deepEqual([of.reduce((n, c) => n + c.rows, 0), of.reduce((n, c) => n + c.bytes, 0)], [rows, bytes], stack);
    }
  });

  test('tables are saved as CSV', async () => {
    const { v, settled } = await view('28-overloaded.pcapng');
    await settled();
    const offer = v.exports().find((e) => 'make' in e && e.file === 'endpoints.csv') as TextOffer;
    const csv = String(await offer.make());
    assert.match(csv, /^a,packets,octets,packets-ab,packets-ba,octets-ab,octets-ba,first,duration\r\n/);
    assert.match(csv, /\r\n10\.45\.0\.2,/);
  });

  test('what has not come yet is not said to be missing', async () => {
    const { desk, v, settled } = await view('28-overloaded.pcapng');
    await settled();
    desk.told.whole = false;
    assert.match(v.plain().join('\n'), /jitter:\n {3}no media so far/);
  });

  test('while packets come they are counted now and then, not with each', async (t) => {
    t.mock.timers.enable({ apis: ['Date', 'setTimeout'] });
    const lines = 5;
    let passes = 0;
    const rows = {
      count: lines,
      cleared: 0,
      inner: () => 1,
      tunnel: () => 1,
      relative: (row: number) => {
        if (row === 1) passes++; // traffic, conversations and endpoints look at it once each
        return row;
      },
      ...Object.fromEntries(['direction', 'length'].map((name) => [name, () => 0])),
      ...Object.fromEntries(['protocol', 'source', 'destination'].map((name) => [name, () => 'x'])),
    };
    const desk = new PaperDesk({ ...paperViewer(), rows, status: { ...NOTHING_READ, done: false } } as never);
    const v = new StatisticsView(desk.desk);
    v.show({});
    const paint = async (): Promise<void> => {
      rows.count++;
      drawn(v, 80, 20);
      for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
    };
    await paint();
    const once = passes;
    assert.ok(once > 0);
    for (let i = 0; i < 10; i++) await paint();
    assert.equal(passes, once);
    let woken = 0;
    desk.repaint = () => void woken++;
    t.mock.timers.tick(1000);
    assert.equal(woken, 1); // nothing else need happen
    await paint();
    assert.equal(passes, 2 * once);
    assert.match(v.status(), /^17 packets/);
  });

  test('as plain text all numbers are there', async () => {
    const { v, settled, press } = await view('28-overloaded.pcapng');
    await settled();
    const text = v.plain().join('\n');
    assert.match(text, /SIP answers:\n {3}100: 1\n/);
    assert.match(text, /jitter:\n {3}no media/);
    await press('left');
    assert.match(v.plain()[0], /^layer +packets +% +octets$/);
  });
});

test('what a stranger wrote is no formula in a spreadsheet', () => {
  assert.equal(csvField('=cmd()'), "'=cmd()");
  assert.equal(csvField('+15550100'), '+15550100');
  assert.equal(csvField('-2+3+cmd'), "'-2+3+cmd");
  assert.equal(csvField('-'), '-');
  assert.equal(csvField('a "b", c'), '"a ""b"", c"');
});

test('charts are drawn beside a terminal that is open, and leave it alone', async () => {
  const { default: blessed } = (await import('blessed')) as unknown as {
    default: { screen(o: object): { destroy(): void; program: { cols: number } } };
  };
  const written: string[] = [];
  const output = Object.assign(
    new Writable({
      write: (chunk, _encoding, done) => {
        written.push(String(chunk));
        done();
      },
    }),
    { columns: 80, rows: 24, isTTY: true },
  );
  const screen = blessed.screen({ input: new PassThrough(), output, terminal: 'xterm-256color' });
  await new Promise((done) => setImmediate(done));
  const before = written.length;
  const [picture] = await drawCharts([
    { chart: { kind: 'line', series: [{ name: 'a', values: [1, 5] }], labels: ['0', '1'] }, width: 40, height: 10 },
  ]);
  // What blessed finds wrong it says a moment later.
  await new Promise((done) => setTimeout(done, 20));
  assert.equal(picture.chars.length, 400);
  assert.equal(written.length, before);
  screen.destroy();
});

test('charts are drawn in the size that is asked for', async () => {
  const [line, bar, spark] = await drawCharts([
    {
      chart: { kind: 'line', series: [{ name: 'a', values: [1, 5, 3] }], labels: ['0', '1', '2'] },
      width: 40,
      height: 10,
    },
    { chart: { kind: 'bar', titles: ['1xx', '2xx'], values: [3, 9] }, width: 24, height: 8 },
    { chart: { kind: 'sparkline', titles: ['up'], values: [[1, 2, 3]] }, width: 20, height: 4 },
  ]);
  const text = (p: typeof line): string => p.chars.join('');
  assert.deepEqual([line.width, line.height, line.chars.length], [40, 10, 400]);
  assert.match(text(line), /[⡀-⣿]/);
  assert.match(text(bar), /█+9█/);
  assert.match(text(bar), /1xx +2xx/);
  assert.match(text(spark), /up:[\s\S]*▁▄█/);
});
