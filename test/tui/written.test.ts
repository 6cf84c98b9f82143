import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { run } from '../cli/run.js';
import { Stage, sample, viewerOf } from './support/stage.js';

const folder = mkdtempSync(join(tmpdir(), 'fttscope-written-'));
after(() => rmSync(folder, { recursive: true }));

/** Types over what a prompt proposes. */
async function typeInstead(stage: Stage, text: string): Promise<void> {
  await stage.press('Ctrl-U');
  await stage.type(text);
}

describe('a call', () => {
  const capture = sample('00-field.pcapng');
  const callId = 'f7a1@10.9.0.50';
  const rows = run([capture, '--call-id', callId, '--enable-heuristic', 'rtp_udp', '-T', 'json']).out;
  const packets = (JSON.parse(rows) as unknown[]).length;

  test('is written with its media, or its messages alone', async () => {
    const stage = await Stage.of('00-field.pcapng');
    await stage.press('3 g g w');
    assert.match(stage.text, /inner: .*, call 1 +SIP and media *│/);
    const path = join(folder, 'call.pcapng');
    await stage.press('Enter');
    await typeInstead(stage, path);
    await stage.press('Enter');
    assert.match(stage.text, new RegExp(`call\\.pcapng: ${packets} packets written`));
    await stage.press('w Down Enter');
    // The name that is proposed is selected.
    await stage.type(join(folder, 'messages.pcapng'));
    await stage.press('Enter');
    assert.match(stage.text, /messages\.pcapng: 7 packets written/);
    const { viewer } = await viewerOf([path]);
    assert.equal(viewer.rows.count, packets);
    await viewer.close();
    await stage.end();
  });

  test('without media is written as it is listed, and several as what they are', async () => {
    const stage = await Stage.of('00-field.pcapng');
    await stage.press('3 g g Down w');
    assert.match(stage.text, /, call 2 +\d+ rows/);
    assert.doesNotMatch(stage.text, /SIP and media/);
    await stage.press('Esc Space g g Space w');
    assert.match(stage.text, /, 2 dialogs +SIP and media/);
    await stage.end();
  });

  test('and packets are exported as JSON, as read prints it', async () => {
    const stage = await Stage.of('00-field.pcapng');
    const exported = async (keys: string, name: string): Promise<unknown> => {
      await stage.press(keys);
      const path = join(folder, name);
      await typeInstead(stage, path);
      await stage.press('Enter');
      assert.match(stage.text, new RegExp(`${name}: \\d+ packets? written`));
      return JSON.parse(readFileSync(path, 'utf8'));
    };
    assert.deepEqual(await exported('3 g g e p', 'call.json'), JSON.parse(rows));
    await stage.press('2 2');
    const { out } = run([capture, '--rows', 'inner', '--enable-heuristic', 'rtp_udp', '-T', 'json']);
    const listed = JSON.parse(out) as unknown[];
    assert.deepEqual(await exported('g g e Down Enter', 'listed.json'), listed);
    assert.deepEqual(await exported('Down e Down Down Down Enter', 'packet.json'), [listed[1]]);
    await stage.end();
  });
});

test('a conversation that is followed is saved as it is shown, and as its octets', async () => {
  const stage = await Stage.of('00-field.pcapng', 100, 30);
  /** Chooses among what is offered, by so many lines down, and gives what is in the file then. */
  const saved = async (down: number, name: string): Promise<Buffer> => {
    const path = join(folder, name);
    await stage.press(`e ${'Down '.repeat(down)}Enter`);
    await typeInstead(stage, path);
    await stage.press('Enter');
    assert.match(stage.text, new RegExp(`${name}: .* written`));
    return readFileSync(path);
  };
  const payloads = (filter: string): Buffer => {
    const { out } = run([sample('00-field.pcapng'), '-T', 'fields', '-e', 'udp.payload', '-Y', filter]);
    return Buffer.from(out.replace(/[^\da-f]/g, ''), 'hex');
  };
  await stage.press('2 2');
  stage.app.perform('filter', 'sip');
  await stage.settled();
  await stage.press('=');
  assert.match(String(await saved(0, 'sip.txt')), /^> REGISTER .*[\s\S]*^< SIP\/2\.0 503 /m);
  const sip = 'udp.port == 5060';
  assert.deepEqual(await saved(1, 'sip.bin'), payloads(sip));
  assert.deepEqual(await saved(2, 'first.bin'), payloads(`${sip} && inner.ip.src == 10.9.0.50`));
  assert.deepEqual(await saved(3, 'second.bin'), payloads(`${sip} && inner.ip.src == 10.9.0.1`));
  await stage.press('Esc');
  stage.app.perform('filter', 'rtp');
  await stage.settled();
  await stage.press('=');
  assert.match(String(await saved(0, 'speech.txt')), /^> 0000 {2}80 [\da-f ]+ {2}/);
  await stage.press('y');
  assert.match(stage.display.offered, /^0000 {2}80 /, 'speech is copied as the octets that are shown');
  await stage.end();
});
