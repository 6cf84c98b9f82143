import assert from 'node:assert/strict';
import { test } from 'node:test';
import { watchSilence } from '../../src/live/silence.js';
import type { TunnelEnd } from '../../src/live/tunnel-link.js';
import { VirtualClock } from './clock.js';

test('an EFTF that is sent to and says nothing is told once, and when it is heard again', async () => {
  const clock = new VirtualClock();
  const told: string[] = [];
  let end = (_: TunnelEnd): void => undefined;
  const ended = new Promise<TunnelEnd>((resolve) => {
    end = resolve;
  });
  const link = { ended, lastHeard: clock.now(), sent: { packets: 0, octets: 0, dropped: 0, tooLarge: 0 } };
  watchSilence(link, clock, (line) => told.push(line));
  clock.advance(7_200_000); // nobody says anything, which is no fault
  link.sent.packets = 2;
  clock.advance(60_000); // what wants no answer
  assert.deepEqual(told, []);
  link.lastHeard = clock.now();
  clock.advance(10_000);
  link.sent.packets = 1502;
  clock.advance(60_000);
  assert.deepEqual(told.splice(0), ['nothing came from the EFTF for 30 s, while 1500 packets were sent']);
  link.lastHeard = clock.now();
  clock.advance(10_000);
  assert.deepEqual(told.splice(0), ['the EFTF is heard again, after 70 s']);
  end({ by: 'us', how: 'close_notify', words: '' });
  await ended;
  assert.equal(clock.next(), Number.POSITIVE_INFINITY);
});
