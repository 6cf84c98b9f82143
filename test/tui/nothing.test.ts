import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { CaptureBuilder } from '../build/capture.js';
import { at, ping } from '../build/packets.js';
import { Stage, stageOf } from './support/stage.js';

/* What is said where there is little or nothing to say anything of. */

const folder = mkdtempSync(join(tmpdir(), 'fttscope-nothing-'));
after(() => rmSync(folder, { recursive: true }));

test('a capture without packets is not judged, and has nothing to count', async () => {
  const path = join(folder, 'empty.pcap');
  // The header of a pcap file alone: version 2.4, snaplen 262144, Ethernet.
  writeFileSync(path, Buffer.from('d4c3b2a10200040000000000000000000000040001000000', 'hex'));
  const stage = await stageOf([path], {});
  await stage.press('5');
  assert.match(stage.text, /There is nothing to judge: the capture has no packets/);
  await stage.press('6');
  assert.match(stage.text, /There are no packets to count/);
  assert.doesNotMatch(stage.display.lines.at(-1)!, /zoom|bigger|smaller/);
  await stage.end();
});

test('a capture of other things is not said to be without fault', async () => {
  const path = join(folder, 'ping.pcapng');
  const [a, b] = [at('192.0.2.1', 0), at('192.0.2.2', 0)];
  const capture = new CaptureBuilder({ epoch: 1_772_355_600 });
  capture.packet(ping(a.address, b.address, 1, 1, 40), 0);
  writeFileSync(path, capture.build().octets);
  const stage = await stageOf([path], {});
  await stage.press('5');
  assert.match(stage.text, /nothing to judge: no tunnel, call, registration or media stream/);
  await stage.end();
});

test('lines of a tree that are not read from octets stand in brackets, also outside of layers', async () => {
  const stage = await Stage.of('20-healthy-call.pcapng');
  await stage.press('2');
  await stage.press('Tab');
  await stage.press('G');
  assert.match(stage.text, /\[Tunnel: 1\]/);
  assert.match(stage.text, /\[Direction in the tunnel: (up|down)\]/);
  await stage.end();
});
