import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { Memory } from '../../src/tui/settings.js';
import type { RowValues } from '../../src/viewer/viewer.js';
import { Stage, sample, viewerOn } from './support/stage.js';

const root = mkdtempSync(join(tmpdir(), 'fttscope-columns-'));
after(() => rmSync(root, { recursive: true }));

/** Values of columns in the inner rows of the field sample, with how often they are there. */
async function valuesOf(...columns: readonly string[]): Promise<Record<string, number>[]> {
  const viewer = await viewerOn(sample('00-field.pcapng'));
  const inner = viewer.select({ kind: 'inner' });
  while (!inner.done) await new Promise((done) => setImmediate(done));
  const left = new Set(Array.from({ length: inner.count }, (_, i) => inner.at(i)));
  const counts = columns.map((): Record<string, number> => ({}));
  while (left.size > 0)
    for (const { row, texts } of await viewer.values({ rows: [...left].slice(0, 60), columns, frames: false })) {
      left.delete(row);
      for (const [i, text] of texts.entries()) counts[i][text] = (counts[i][text] ?? 0) + 1;
    }
  await viewer.close();
  return counts;
}

describe('columns of fields', () => {
  // tshark 4.0.17 on the extracted packets, with gui.column.format "%Cus:FIELD:0:R".
  test('have what Wireshark has in them', async () => {
    const [dhcp, marker, sip, both, length] = await valuesOf(
      'dhcp.option.dhcp',
      'rtp.marker',
      'sip',
      'sip.Status-Code or sip.Method',
      'rtp.ssrc',
    );
    const { '': _, ...types } = dhcp;
    assert.deepEqual(types, { Discover: 1, Offer: 1, Request: 1, ACK: 1 });
    assert.deepEqual({ True: marker.True, False: marker.False }, { True: 2, False: 195 });
    assert.equal(sip['✓'], 17);
    assert.deepEqual([both['200'], both.REGISTER, both.INVITE], [4, 3, 2]);
    assert.deepEqual(Object.keys(length).sort(), ['', '0x5a170001 (1511456769)', '0x5a170002 (1511456770)']);
  });

  test('know outer and inner, and say nothing of what there is not', async () => {
    const [outer, inner, second, none] = await valuesOf('outer.ip.src', 'inner.ip.src', 'ip.src#2', 'no.such');
    // What the end of the capture set free has no outer address.
    assert.deepEqual(Object.keys(outer).sort(), ['', '192.0.2.7', '192.0.2.9', '198.51.100.1']);
    assert.equal(outer[''], 2);
    assert.ok('10.9.0.50' in inner && !('192.0.2.7' in inner));
    assert.deepEqual(second, inner);
    assert.deepEqual(Object.keys(none), ['']);
  });

  test('are asked for the frame where frames are listed', async () => {
    const viewer = await viewerOn(sample('20-healthy-call.pcapng'));
    const rows = ['2', '8.1'].map((id) => viewer.rows.byId(id));
    const found: RowValues[] = [];
    // Those are given that can be read in a moment.
    while (found.length < 2)
      found.push(...(await viewer.values({ rows: rows.slice(found.length), columns: [], frames: true })));
    // tshark 4.0.17: frame 2 is a SYN, ACK, 8 TLSv1.3 Application Data.
    assert.deepEqual(
      found.map((v) => v.frame!.info.replace(/ Seq.*/, '')),
      ['443 → 50702 [SYN, ACK]', 'Application Data'],
    );
    assert.deepEqual(found[1].frame!.source, '192.0.2.10');
    await viewer.close();
  });
});

describe('the columns of the list', () => {
  test('come from a field of the tree, are renamed, moved, made wider and taken away', async () => {
    const s = await Stage.of('20-healthy-call.pcapng', 120, 30);
    try {
      await s.press('2');
      await s.press('Down Down Down Down');
      await s.press('Tab Down');
      await s.press('C');
      await s.until(/ sip\.Request-Line +Info/);
      await s.until(/REGISTER sip:ims\.example SIP\/2\.0 +Request: REGISTER/);
      await s.press('Down F10');
      for (let i = 0; i < 9; i++) await s.press('Down');
      await s.press('Enter Ctrl-U');
      await s.type('First line');
      await s.press('Enter');
      await s.press('Left Left - - -');
      await s.press('Esc');
      assert.match(s.text, /Destination +First line +Proto +Len +Info/);
      assert.match(s.text, / REGISTER sip:ims\.example … SIP /);
      await s.press('F10');
      for (let i = 0; i < 7; i++) await s.press('Down');
      await s.press('Delete Esc');
      assert.match(s.text, /Destination +Proto +Len +Info/);
    } finally {
      await s.end();
    }
  });

  test('are refused in words where nothing has the name', async () => {
    const s = await Stage.of('20-healthy-call.pcapng', 120, 30);
    try {
      await s.press('2 :');
      await s.type('add-column sip.methd');
      await s.press('Enter');
      assert.match(s.text, /"sip\.methd" is neither a field nor a protocol name\. .*sip\.Method/);
    } finally {
      await s.end();
    }
  });

  test('are kept in the settings, and come back', () => {
    const at = { config: join(root, 'c'), state: join(root, 's') };
    new Memory(at).saveSettings();
    const file = join(at.config, 'config.json');
    const settings = JSON.parse(readFileSync(file, 'utf8'));
    settings.columns = ['number', { field: 'sip.Method', title: 'M', width: 9 }, 'info'];
    writeFileSync(file, JSON.stringify(settings));
    const m = new Memory(at);
    assert.deepEqual(m.problems, []);
    assert.deepEqual(m.settings.columns, [
      { column: 'number' },
      { field: 'sip.Method', title: 'M', width: 9 },
      { column: 'info' },
    ]);
    settings.columns = [{ title: 'neither' }];
    writeFileSync(file, JSON.stringify(settings));
    assert.match(new Memory(at).problems.join(), /"columns" should be a list of names/);
  });
});
