import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { down, envelope, type Step, up } from '../build/conversation.js';
import { at, ping } from '../build/packets.js';
import { where } from '../build/shape.js';
import { tlsConversation } from '../build/tls.js';
import { run } from '../cli/run.js';
import { captured } from '../model/support.js';
import { until } from '../support/until.js';
import { sample, viewerOf } from '../tui/support/stage.js';

/* Files of a rotation are one capture. Frames are numbered in each file anew: a gap is told at the frame, and in the file, where it was found. */

const folder = mkdtempSync(join(tmpdir(), 'fttscope-rotated-'));
after(() => rmSync(folder, { recursive: true }));

/** Writes a pcapng file of one section as a rotation: files that end before the frames at these places. */
function rotated(name: string, file: Buffer, ends: readonly number[]): string[] {
  const heads: Buffer[] = [];
  const files: Buffer[][] = [];
  for (let off = 0, n = 0; off < file.length; ) {
    const length = file.readUInt32LE(off + 4);
    const block = file.subarray(off, off + length);
    off += length;
    // Enhanced Packet Blocks have type 6; others that come before the first are repeated in each file.
    if (file.readUInt32LE(off - length) !== 6) heads.push(block);
    else {
      const k = ends.filter((e) => e <= n).length;
      files[k] = [...(files[k] ?? heads), block];
      n++;
    }
  }
  return files.map((blocks, k) => {
    const path = join(folder, `${name}-${k + 1}.pcapng`);
    writeFileSync(path, Buffer.concat(blocks));
    return path;
  });
}

/** Where the gaps of a capture are told: rows of the report, and rows of the list that have them. */
async function gapsIn(paths: readonly string[], keylog: string): Promise<{ told: string[]; listed: string[] }> {
  const { viewer } = await viewerOf(paths, { keylog: [keylog], autoKeys: false });
  const { tunnels } = await viewer.story();
  const { rows } = viewer;
  const listed = rows.gaps.map((row) => rows.id(row).replace(/\.\d+$/, ''));
  await viewer.close();
  return { told: tunnels.flatMap((t) => t.gaps.map((g) => g.row)), listed };
}

test('files of a rotation are one capture: its tunnels, calls, trees and filters', async () => {
  const name = sample('20-healthy-call.pcapng');
  const keys = sample('20-healthy-call.keys');
  const seen = async (paths: readonly string[]) => {
    const { viewer } = await viewerOf(paths, { keylog: [keys], autoKeys: false });
    const { rows } = viewer;
    const story = await viewer.story();
    const found = viewer.select({
      kind: 'inner',
      tunnels: [1],
      filter: 'sip.Method == "BYE" or sip.Status-Code == 200',
    });
    await until(() => found.done);
    const trees: string[][] = [];
    for (let i = 0; i < found.count; i++) {
      const { nodes } = await viewer.detail(found.at(i));
      const sip = nodes.findIndex((n) => n.field === 'sip');
      trees.push(nodes.slice(sip).map((n) => n.label.replace(/(Frame: )\d+/, '$1…')));
    }
    const out = {
      rows: rows.count,
      tunnels: story.tunnels.map((t) => [t.id, t.state, t.envelopes, t.release.how, t.uid]),
      calls: story.calls.map((c) => [c.state, c.messages.length, c.durationMs]),
      media: story.media.map((m) => [m.packets, m.lost]),
      trees,
    };
    await viewer.close();
    return out;
  };
  const whole = await seen([name]);
  assert.deepEqual(
    whole.calls.map(([state]) => state),
    ['ended'],
  );
  assert.ok(whole.trees.length > 3);
  const [one, two, three] = rotated('whole', readFileSync(name), [90, 180]) as [string, string, string];
  for (const paths of [
    [one, two, three],
    [three, one, two],
  ])
    assert.deepEqual(await seen(paths), whole);
  // Saved they are one file, of one interface.
  const { viewer } = await viewerOf([one, two, three], { keylog: [keys], autoKeys: false });
  const path = join(folder, 'saved.pcapng');
  await viewer.write({ path, what: 'outer', withKeys: false });
  await viewer.close();
  assert.deepEqual(await seen([path]), whole);
  const printed = join(folder, 'printed.pcapng');
  assert.equal(run(['read', one, two, three, '--rows', 'outer', '-w', printed]).code, 0);
  assert.deepEqual(readFileSync(printed), readFileSync(path));
  // pcapng files put behind each other are one file of several sections.
  const sections = join(folder, 'sections.pcapng');
  writeFileSync(sections, Buffer.concat([one, two, three].map((p) => readFileSync(p))));
  const streams = (p: string) => [
    ...new Set(run(['read', p, '-q', '--rows', 'outer', '-e', 'tcp.stream']).out.trim().split('\n')),
  ];
  assert.deepEqual(streams(sections), ['0']);
  assert.deepEqual(await seen([sections]), whole);
  assert.equal(run(['read', sections, '--rows', 'outer', '-w', printed]).code, 0);
  assert.deepEqual(readFileSync(printed), readFileSync(path));
  // The other way round they are older: another capture, at an interface that is called alike.
  writeFileSync(sections, Buffer.concat([two, one].map((p) => readFileSync(p))));
  assert.deepEqual(streams(sections), ['0', '1']);
});

test('what is waited for to the end of the capture is told at its last frame', async () => {
  // 297 frames; those of the tunnel that has the gap end with number 289.
  const file = readFileSync(sample('00-field.pcapng'));
  const keys = sample('00-field.keys');
  for (const [ends, row] of [
    [[150], '2:147'],
    [[150, 290], '3:7'],
    [[10, 280, 296], '4:1'],
  ] as const) {
    const paths = rotated(`end-${ends.length}`, file, ends);
    assert.deepEqual(await gapsIn(paths, keys), { told: [row], listed: [row] });
  }
});

test('a gap in a later file is told there', async () => {
  const [ue, core] = [at('10.0.0.2', 0), at('10.0.0.1', 0)];
  const steps: Step[] = Array.from({ length: 8 }, (_, i) => [
    up([envelope(ping(ue.address, core.address, 1, i, 40))]),
    down([envelope(ping(core.address, ue.address, 1, i, 40))]),
  ]).flat();
  const c = await tlsConversation(steps, { version: 'TLSv1.3' });
  const lost = c.inner.filter((i) => i.side === 0)[4]!;
  const shape = where(
    ({ side, segment: s }) => side === 1 || s === null || s.from < lost.from || s.to > lost.to || s.to === s.from,
  );
  const keys = join(folder, 'later.keys');
  writeFileSync(keys, c.keylog);
  const file = Buffer.from(captured(c, {}, { shape: [shape] }).octets);
  for (const before of [12, 18, 20]) {
    const { told, listed } = await gapsIn(rotated(`later-${before}`, file, [before]), keys);
    assert.deepEqual(told, listed);
    assert.equal(told.length, 1);
    assert.match(told[0], /^2:/);
  }
});
