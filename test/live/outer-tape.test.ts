import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OuterTape } from '../../src/live/tap-tape.js';
import { PROFILE } from '../../src/live/tls-settings.js';
import { establish } from '../../src/live/tunnel-connect.js';
import { run } from '../cli/run.js';
import { freePort } from '../support/ports.js';
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

test('a connection that is refused stands in the capture of a run, as it would in one of the wire', async () => {
  const port = await freePort();
  for (const host of ['127.0.0.1', 'localhost']) {
    const target = inFolder('refused.pcapng');
    const tape = new OuterTape([{ target, withKeys: false }], 'test', assert.fail);
    await assert.rejects(establish({ host, port, versions: PROFILE, timeoutMs: 60_000, tape }), /ECONNREFUSED/);
    tape.end();
    const fields = ['ip.src', 'ip.dst', 'tcp.flags', 'tcp.seq_raw', 'tcp.ack'];
    const { out } = run(['read', target, '-q', '-T', 'fields', ...fields.flatMap((name) => ['-e', name])]);
    const rows = out.split('\n').map((row) => row.split('\t'));
    assert.deepEqual(rows.at(-3)?.slice(0, 3), ['127.0.0.1', '127.0.0.1', '0x0002']);
    // RFC 9293 §3.10.7.1: <SEQ=0><ACK=SEG.SEQ+SEG.LEN><CTL=RST,ACK>
    assert.deepEqual(rows.at(-2), ['127.0.0.1', '127.0.0.1', '0x0014', '0', '1']);
  }
});

test('a connection that nobody answers stands there with the repetitions of its SYN, and is found', () => {
  const target = inFolder('vain.pcapng');
  const tape = new OuterTape([{ target, withKeys: false }], 'test', assert.fail);
  const there = { address: '198.51.100.1', port: 443 };
  tape.inVain({ address: '192.0.2.1', port: 40_000 }, there, { asked: 0, over: 10_000, isRefused: false });
  tape.end();
  const fields = ['frame.time_relative', 'tcp.flags', 'tcp.analysis.retransmission'];
  const { out } = run(['read', target, '-q', '-T', 'fields', ...fields.flatMap((name) => ['-e', name])]);
  // RFC 6298 §2 (2.1), §5 (5.5): after a second, then after twice as long each time, as Linux sends them.
  const rows = [0, 1, 3, 7].map((at, i) => `${at}.000000000\t0x0002\t${i === 0 ? '' : '1'}`);
  assert.deepEqual(out.trimEnd().split('\n'), rows);
  const [found] = JSON.parse(run(['report', target]).out).findings as { code: string; meaning: string }[];
  assert.equal(found?.code, 'tcp.no-answer');
  assert.match(found.meaning, /^4 SYN went to 198\.51\.100\.1:443\./);
});
