import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Stage } from './support/stage.js';

/* The counts of src/tui/KEYSTROKES.md for this program. */

/** Presses keys one by one; returns how many they were. */
async function press(stage: Stage, keys: readonly string[]): Promise<number> {
  for (const key of keys) await stage.press(key);
  return keys.length;
}

describe('keys that a task takes', { concurrency: 3 }, () => {
  test('why call 2 failed: 1', async () => {
    const stage = await Stage.of('00-field.pcapng', 120, 40);
    assert.equal(await press(stage, ['5']), 1);
    assert.match(stage.text, /The call was refused for overload/);
    assert.match(stage.text, /503 Service Unavailable\): Temporary failure/);
    assert.match(stage.text, /Next: /);
    await stage.press('Enter');
    assert.match(stage.text, /Reason: Q\.850 ;cause=41/);
    await stage.end();
  });

  test('what octets are this header: 9, by its name 12', async () => {
    const ways = [
      { keys: ['G', 'Up', 'Up', 'Up', 'Up'], count: 9 },
      { keys: ['Ctrl-F', ...'Reason', 'Enter'], count: 12 },
    ];
    for (const { keys, count } of ways) {
      const stage = await Stage.of('00-field.pcapng', 120, 40);
      assert.equal(await press(stage, ['5', 'Enter', '2', 'Tab', ...keys]), count);
      assert.match(stage.text, /Reason: Q\.850 ;cause=41 ;text="Temporary failure"/);
      // `Reason: Q.850 ;cause=41 ;text="Temporary failure"` and CRLF are 51 octets.
      assert.match(stage.text, /octets 261–311 \(51\) {2}sip\.Reason/);
      await stage.end();
    }
  });

  test('who closed the tunnel: 0', async () => {
    const stage = await Stage.of('00-field.pcapng', 120, 40);
    assert.match(stage.text, /192\.0\.2\.7:40001 .* UE$/m);
    assert.match(stage.text, /ended by the UE with a close_notify/);
    await stage.end();
  });
});
