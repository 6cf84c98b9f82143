import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Stage } from './support/stage.js';

/** The list right after a filter was typed: nothing that it takes is found yet. */
async function looking(filter: string): Promise<Stage> {
  const stage = await Stage.of('00-field.pcapng');
  await stage.press('2');
  await stage.press('/');
  await stage.type(filter);
  stage.app.key('Enter');
  return stage;
}

test('keys that are pressed before a packet is found are done once one is', async () => {
  const stage = await looking('sip');
  for (const key of [']', 'Down', 'Tab', 'Down', 'm', 'x']) stage.app.key(key);
  await stage.settled();
  assert.match(stage.text, /\/ sip .* 17 of 223/);
  assert.match(stage.text, /packet 14\.1 is marked x/);
  await stage.press('i');
  assert.match(stage.text, /octets +\d/);
  await stage.end();
});

test('Esc takes back what waits for a packet', async () => {
  const stage = await looking('sip');
  for (const key of ['Down', 'm', 'x', 'Esc']) stage.app.key(key);
  await stage.settled();
  assert.doesNotMatch(stage.text, /is marked x/);
  await stage.press("' x");
  assert.match(stage.text, /no packet is marked x/);
  await stage.end();
});

test('where no packet is listed, what is done with one says so', async () => {
  const stage = await looking('sctp');
  for (const key of [']', '}', 'm x', 'y', 'a', 'T', 'Enter']) {
    await stage.press(key);
    assert.match(stage.text, /no packet is listed/, key);
  }
  await stage.end();
});

test('what is on its way to become a name is not suggested while it is typed', async () => {
  const stage = await Stage.of('00-field.pcapng');
  await stage.press('2');
  await stage.press('/');
  await stage.type('sip.status');
  assert.match(stage.text, /"sip\.status" is neither a field nor a protocol name\.$/m);
  await stage.type(' == 200');
  assert.match(stage.text, /Did you mean\s+sip\.Status-Code/);
  await stage.end();
});
