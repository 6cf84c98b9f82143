import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OuterTape } from '../../src/live/tap-tape.js';
import { PROFILE } from '../../src/live/tls-settings.js';
import { establish } from '../../src/live/tunnel-connect.js';
import { run } from '../cli/run.js';
import { VirtualClock } from './clock.js';
import { inFolder, startEftf } from './outer-support.js';

test('the SYN of a run stands where it was sent, so that the round trip of the handshake is the true one', async () => {
  const { port } = await startEftf('-q');
  const clock = new VirtualClock();
  const target = inFolder('asked.pcapng');
  const tape = new OuterTape([{ target, withKeys: true }], 'test', assert.fail, { clock, epochMs: 0 });
  clock.advance(10_000);
  const coming = establish({ host: '127.0.0.1', port, insecure: true, versions: PROFILE, timeoutMs: 60_000, tape });
  await new Promise((connecting) => process.nextTick(connecting));
  clock.advance(40);
  const { link } = await coming;
  link.close();
  await link.closed;
  tape.end();
  const [tunnel] = JSON.parse(run(['report', target]).out).tunnels;
  assert.deepEqual([tunnel.opened.epoch, tunnel.tcp.rttMs], ['10.000000000', 40]);
});
