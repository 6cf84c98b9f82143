import assert from 'node:assert/strict';
import { once } from 'node:events';
import { appendFileSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { FollowedFile, followed } from '../../src/cli/follow.js';
import { Viewing } from '../../src/cli/viewing.js';
import { CaptureViewer } from '../../src/viewer/capture-viewer.js';
import { until } from '../support/until.js';
import { file, run, sample, start } from './run.js';

/** A capture of 243 frames with 236 envelopes, and its key log. */
const octets = readFileSync(sample('20-healthy-call.pcapng'));
const KEYS = readFileSync(sample('20-healthy-call.keys'), 'utf8');
/** In the middle of a block. */
const PART = 20_001;

test('read --follow prints what is added, and ends well with Ctrl-C', async () => {
  const path = file('followed.pcapng', octets.subarray(0, PART));
  file('followed.keys', KEYS);
  const p = start(['read', '--follow', '--rows', 'inner', path]);
  let out = '';
  let err = '';
  p.stdout.on('data', (d) => (out += d));
  p.stderr.on('data', (d) => (err += d));
  await until(() => out.includes('Request: INVITE'));
  assert.doesNotMatch(out, /BYE/);
  appendFileSync(path, octets.subarray(PART));
  await until(() => out.includes('DHCP Release'));
  assert.equal(out.trimEnd().split('\n').length, 236);
  p.kill('SIGINT');
  const [code] = await once(p, 'exit');
  assert.equal(code, 0);
  assert.match(err, /^tunnel 1: .*decrypted, 120 envelopes up, 116 down$/m);
  assert.doesNotMatch(err, /cut short/);
});

test('--follow on the screens: more comes, with keys that come beside it', async () => {
  const path = file('seen.pcapng', octets.subarray(0, PART));
  const reader = followed([path], { follow: true, autoKeys: true })!;
  const live = new FollowedFile(reader);
  const viewer = await CaptureViewer.open(await Viewing.of([path], { autoKeys: true }, reader));
  try {
    await until(() => viewer.status.frames > 15);
    assert.deepEqual([viewer.status.growing, viewer.status.done], [true, false]);
    file('seen.keys', KEYS);
    appendFileSync(path, octets.subarray(PART));
    await until(() => viewer.status.frames === 243);
    // The key log was read as well: it opens what came, and what waited for it is read again by the screens.
    await until(() => (viewer.status.tunnels[0]?.up ?? 0) > 0 && viewer.status.late);
    assert.equal(viewer.status.files[0]!.name, path);
    assert.equal(live.stop(), 'the file is followed no longer');
    await until(() => viewer.status.done);
    assert.equal(live.stop(), undefined);
  } finally {
    await viewer.close();
    await live.end();
  }
});

test('--follow goes with one capture; what is not there is told of as ever', () => {
  const two = run(['read', '--follow', sample('20-healthy-call.pcapng'), sample('00-field.pcapng')]);
  assert.equal(two.code, 1);
  assert.match(two.err, /--follow goes with one capture/);
  const none = run(['read', '--follow', '/nowhere/none.pcapng']);
  assert.equal(none.code, 2);
  assert.match(none.err, /none\.pcapng: /);
});
