import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PacketsView } from '../../src/tui/packets-view.js';
import { Stage } from './support/stage.js';

const LINE = /^! about 1 segment \(113 B\) missing to UE: record 7 lost, resumed at 8 ─+/m;

/** The ten packets of the tunnel that has a gap, with the cursor on it. */
async function onGap(): Promise<Stage> {
  const stage = await Stage.of('00-field.pcapng');
  await stage.press('Down');
  await stage.press('Enter');
  await stage.press('G');
  await stage.press('Up Up');
  assert.match(stage.text, LINE);
  assert.match(stage.text, / gap \/ 10$/m);
  return stage;
}

const packetsOf = (stage: Stage): PacketsView => {
  const { view } = stage.app;
  assert.ok(view instanceof PacketsView);
  return view;
};

test('a gap is a line without a number, between packets', async () => {
  const stage = await onGap();
  await stage.press('Down');
  assert.match(stage.text, / 9 \/ 10$/m);
  assert.match(stage.text, /Router lifetime/);
  await stage.press('Up');
  assert.match(stage.text, /What comes next is packet\s+297\.1/);
  assert.doesNotMatch(stage.text, /Router lifetime/);
  await stage.press('Up');
  assert.match(stage.text, / 8 \/ 10$/m);
  await stage.end();
});

test('what is done with packets leaves gaps out', async () => {
  const stage = await onGap();
  const view = packetsOf(stage);
  const csv = await view.packets.csv('r');
  assert.equal(csv.trim().split('\n').length, 11, 'a header, and ten packets');
  await stage.press('m a');
  assert.match(stage.text, /a gap has no mark/);
  await stage.press('y');
  assert.match(stage.display.offered, /^about 1 segment \(113 B\) missing to UE/);
  await stage.press('t');
  await stage.press('Tab Down Enter');
  assert.match(stage.text, /What comes next/);
  await stage.end();
});

test('a filter lists packets alone, and says in their Info what is missing', async () => {
  const stage = await onGap();
  await stage.press('/');
  await stage.type('icmpv6.type == 134');
  await stage.press('Enter');
  await stage.until(/of 10/);
  await stage.settled();
  assert.doesNotMatch(stage.text, LINE);
  assert.match(stage.text, /297\.1 .*\[gap: 113 B, record 7\]/);
  await stage.press('Esc');
  assert.match(stage.text, LINE);
  assert.match(stage.text, / 9 \/ 10$/m);
  await stage.end();
});

test('inner and outer rows show the gap as well, and as text', async () => {
  const stage = await onGap();
  for (const next of [/Nothing comes after it here/, /What comes next is packet\s+297\.1/]) {
    await stage.press('o');
    await stage.press('G');
    assert.match(stage.text, LINE);
    if (!/ gap \//.test(stage.text)) await stage.press('Up Up');
    assert.match(stage.text, next);
  }
  const plain = packetsOf(stage).plain();
  assert.equal(
    plain.filter((l) => l === 'about 1 segment (113 B) missing to UE: record 7 lost, resumed at 8').length,
    1,
  );
  await stage.end();
});

test('of several tunnels, a gap says whose it is', async () => {
  const stage = await Stage.of('00-field.pcapng');
  await stage.press('Down');
  await stage.press('Enter');
  const view = packetsOf(stage);
  view.show({});
  await stage.press('G');
  assert.match(stage.text, /^! tunnel 2: about 1 segment/m);
  await stage.end();
});

test('numbers of packets are whole where it is narrow', async () => {
  const stage = await onGap();
  stage.resize(60, 16);
  await stage.settled();
  assert.match(stage.text, /^i 297\.1 /m);
  assert.match(stage.text, /^! about 1 segment \(113 B\) missing to UE: record 7 lost, /m);
  await stage.end();
});
