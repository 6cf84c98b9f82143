import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { timeFilter } from '../../src/cli/times.js';
import { type Beginning, beginAt } from '../../src/tui/beginning.js';
import { FilterForm } from '../../src/tui/filter-form.js';
import { NOTHING_READ, type ViewerStatus } from '../../src/viewer/viewer.js';
import { run } from '../cli/run.js';
import { PaperDesk, paperViewer } from './desk.js';
import { Stage, sample, stageOf } from './support/stage.js';

/* What the command line names of a capture, on the screens. The numbers are those of `fttscope read` with the same options. */

async function begun(beginning: Partial<Beginning>): Promise<{ text: string; stage: Stage }> {
  const stage = await Stage.of('00-field.pcapng', 100, 30);
  await beginAt(stage.app, { filter: '', ...beginning });
  await stage.settled();
  return { text: stage.text, stage };
}

/** As many rows of any kind as `read` prints. */
function listed(...choice: string[]): RegExp {
  const rows = run(['read', sample('00-field.pcapng'), '-q', ...choice])
    .out.trimEnd()
    .split('\n').length;
  return new RegExp(`› Packets › inner and outer .* 1 / ${rows}$`, 'm');
}

describe('screens begin with', () => {
  const cases: [what: string, beginning: Partial<Beginning>, shown: RegExp][] = [
    ['a tunnel by its number', { tunnel: '2' }, /^ tunnel 2 › Packets › inner .* 1 \/ 10$/m],
    ['a tunnel by its UE', { tunnel: '192.0.2.9:40002' }, /^ tunnel 192\.0\.2\.9:40002 › Packets › inner .* 1 \/ 10$/m],
    ['a user', { user: '+15550100' }, listed('--user', '+15550100')],
    ['another user', { user: '+15550122' }, listed('--user', '+15550122')],
    ['a user in a tunnel', { user: '+15550100', tunnel: '1' }, listed('--user', '+15550100', '--tunnel', '1')],
    ['a call without media', { callId: 'f7a2@10.9.0.50' }, listed('--call-id', 'f7a2@10.9.0.50')],
    ['a call with its media', { callId: 'f7a1@10.9.0.50' }, listed('--call-id', 'f7a1@10.9.0.50')],
    ['a call and a filter', { callId: 'f7a2@10.9.0.50', filter: 'sip.Status-Code' }, / 2 of 4 /],
    ['a filter', { filter: 'sip.Method == "INVITE"' }, /^ Packets › inner.* › \/ sip\.Method .* 2 of 2\d\d /m],
    [
      'a time',
      { filter: timeFilter('2026-03-01T09:00:06Z', '1772355606.08') },
      / 2 of 2\d\d [\s\S]* 283\.1 .*INVITE[\s\S]* 284\.1 .*100 Trying/,
    ],
    ['a tunnel that there is not', { tunnel: '77' }, /There is no tunnel 77; the capture has 4\./],
    ['a user that there is not', { user: 'nobody' }, /^ ! user nobody: nothing of the capture is that$/m],
  ];
  for (const [what, beginning, shown] of cases)
    test(what, async () => {
      const { text, stage } = await begun(beginning);
      assert.match(text, shown);
      await stage.end();
    });

  test('a user whose SIP was captured behind the tunnels', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'fttscope-begin-'));
    const path = join(folder, 'behind.pcapng');
    assert.equal(run(['extract', sample('28-overloaded.pcapng'), '-w', path, '-q']).code, 0);
    const stage = await stageOf([path], {});
    await beginAt(stage.app, { filter: '', user: 'alice' });
    await stage.settled();
    const sip = run(['read', path, '-q', '-Y', 'sip']).out.trimEnd().split('\n').length;
    assert.match(stage.text, new RegExp(`› Packets › inner and outer .* 1 / ${sip}$`, 'm'));
    await stage.end();
    rmSync(folder, { recursive: true });
  });

  test('the rows that were asked for', async () => {
    const stage = await Stage.of('00-field.pcapng', 100, 30);
    stage.app.views.find((v) => v.id === 'packets')!.run('layers', 'outer');
    await stage.press('2 2');
    assert.match(stage.text, /^ Packets › outer .* 1 \/ 297$/m);
    await stage.press(':');
    await stage.type('layers both');
    await stage.press('Enter');
    assert.match(stage.text, /^ Packets › inner and outer /m);
    await stage.end();
  });

  test('a user at once, and a form for the end of a tunnel, where a capture has no end', async () => {
    const status: { -readonly [K in keyof ViewerStatus]: ViewerStatus[K] } = { ...NOTHING_READ };
    let grows = (): void => undefined;
    const began = async (beginning: Beginning): Promise<PaperDesk> => {
      status.growing = false;
      const desk = new PaperDesk(paperViewer({ status, onStatus: (listener) => void (grows = listener) }));
      const begun = beginAt(desk.desk, beginning);
      // That it grows is known when it is open.
      status.growing = true;
      grows();
      await begun;
      assert.deepEqual(desk.ran, ['filter sip']);
      return desk;
    };
    const asked = await began({ filter: 'sip', user: 'bob', tunnel: 'eftf.example' });
    assert.ok(asked.dialogs[0] instanceof FilterForm);
    const { dialogs, opened } = await began({ filter: 'sip', user: 'bob' });
    assert.deepEqual(dialogs, []);
    assert.equal(opened[0].scope?.parties?.user, 'bob');
  });
});

test('times are filters, of frames and of the capture', () => {
  assert.equal(timeFilter(undefined, undefined), '');
  assert.equal(timeFilter('+1.5', undefined), 'frame.time_relative >= 1.500000000');
  assert.equal(
    timeFilter('2026-03-01T09:00:00Z', '1772355600.25'),
    'frame.time_epoch >= 1772355600.000000000 && frame.time_epoch <= 1772355600.250000000',
  );
});
