import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PipedCapture } from '../../src/cli/live-pipe.js';

test('a pipe that brings more than is kept says so', async () => {
  const said: string[] = [];
  const pipe = new PipedCapture(1000);
  pipe.onTrouble((words) => said.push(words));
  process.stdin.emit('data', Buffer.alloc(900));
  assert.deepEqual(said, []);
  process.stdin.emit('data', Buffer.alloc(101));
  process.stdin.emit('data', Buffer.alloc(1));
  assert.deepEqual(said, ['reading was stopped: only 900 octets are kept to be looked at']);
  assert.equal(pipe.stop(), undefined); // it has ended
  await pipe.end();
});
