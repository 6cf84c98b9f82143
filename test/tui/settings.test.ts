import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { withIssuers } from '../../src/cli/commands/ui.js';
import { folders } from '../../src/live/folders.js';
import { DEFAULT_SETTINGS, Memory } from '../../src/tui/settings.js';

const root = mkdtempSync(join(tmpdir(), 'fttscope-settings-'));
after(() => rmSync(root, { recursive: true }));

let n = 0;
const places = () => ({ config: join(root, `c${++n}`), state: join(root, `s${n}`) });

describe('settings', () => {
  test('lie in the XDG folders; a relative one is passed over', () => {
    assert.deepEqual(folders({ XDG_CONFIG_HOME: '/x/c', XDG_STATE_HOME: '/x/s' }, '/home/a'), {
      config: '/x/c/fttscope',
      state: '/x/s/fttscope',
    });
    assert.deepEqual(folders({ XDG_CONFIG_HOME: 'here' }, '/home/a'), {
      config: '/home/a/.config/fttscope',
      state: '/home/a/.local/state/fttscope',
    });
  });

  test('are the usual ones where there is no file, and come back as they were saved', () => {
    const at = places();
    const first = new Memory(at);
    assert.deepEqual(first.settings, DEFAULT_SETTINGS);
    assert.deepEqual(first.problems, []);
    first.settings.theme = 'light';
    first.settings.muted = ['dhcp.*'];
    assert.equal(first.saveSettings(), undefined);
    assert.equal(statSync(join(at.config, 'config.json')).mode & 0o777, 0o600);
    const second = new Memory(at);
    assert.equal(second.settings.theme, 'light');
    assert.deepEqual(second.settings.muted, ['dhcp.*']);
  });

  test('that are wrong are told one by one, and the file is never written over', () => {
    const at = places();
    new Memory(at).saveSettings();
    const file = join(at.config, 'config.json');
    const text = '{"version":1,"theme":"pink","mouse":false,"wibble":1}';
    writeFileSync(file, text);
    const m = new Memory(at);
    assert.equal(m.settings.theme, undefined);
    assert.equal(m.settings.mouse, false);
    assert.deepEqual(m.problems, [
      `${file}: "theme" should be dark, light, contrast or mono`,
      `${file}: there is no setting "wibble"`,
    ]);
    assert.match(m.saveSettings()!, /not written/);
    assert.equal(readFileSync(file, 'utf8'), text);
  });

  test('of another version, or that are no JSON, are told and left alone', () => {
    for (const [text, words] of [
      ['{"version":2}', /its version is 2, and this program understands 1/],
      ['theme = dark', /not JSON/],
      ['[]', /its version is none/],
    ] as const) {
      const at = places();
      new Memory(at).saveSettings();
      writeFileSync(join(at.config, 'config.json'), text);
      const m = new Memory(at);
      assert.deepEqual(m.settings, DEFAULT_SETTINGS);
      assert.match(m.problems[0], words);
    }
  });

  test('name the issuers of certificates of EFTFs, unless the command line does', () => {
    const at = places();
    const file = join(root, 'issuers.json');
    writeFileSync(file, '{"version":1,"eftfIssuer":["Operator CA"]}');
    const { settings } = new Memory(at, file);
    assert.deepEqual(withIssuers({ autoKeys: true }, settings), { autoKeys: true, eftfIssuer: ['Operator CA'] });
    const named = { autoKeys: true, eftfIssuer: ['Test CA'] };
    assert.equal(withIssuers(named, settings), named);
    assert.deepEqual(withIssuers({ autoKeys: true }, DEFAULT_SETTINGS), { autoKeys: true });
    writeFileSync(file, '{"version":1,"eftfIssuer":"Operator CA"}');
    assert.deepEqual(new Memory(at, file).problems, [`${file}: "eftfIssuer" should be a list of names`]);
  });

  test('a file may be named', () => {
    const at = places();
    const file = join(root, 'mine.json');
    writeFileSync(file, '{"version":1,"ascii":true}');
    assert.equal(new Memory(at, file).settings.ascii, true);
  });
});

describe('what is remembered', () => {
  test('recent captures, lines and marks, the last first, and not without end', () => {
    const at = places();
    const m = new Memory(at);
    for (let i = 0; i < 40; i++) m.opened(`/c/${i}.pcap`, []);
    m.opened('/c/5.pcap', ['/k/ue.keys']);
    for (let i = 0; i < 300; i++) m.typed('filter', `frame.number == ${i}`);
    m.typed('filter', 'frame.number == 299');
    m.mark('/c/5.pcap', 'a', '812.1');
    m.mark('/c/5.pcap', 'b', '9');
    assert.equal(m.saveState(), undefined);
    const { state } = new Memory(at);
    assert.equal(state.recent.length, 30);
    assert.deepEqual(state.recent[0], { path: '/c/5.pcap', keylogs: ['/k/ue.keys'] });
    assert.equal(state.recent.filter((r) => r.path === '/c/5.pcap').length, 1);
    assert.equal(state.history.filter.length, 200);
    assert.equal(state.history.filter[0], 'frame.number == 299');
    assert.deepEqual(state.marks['/c/5.pcap'], { a: '812.1', b: '9' });
    m.mark('/c/5.pcap', 'a');
    assert.deepEqual(m.state.marks, { '/c/5.pcap': { b: '9' } });
    m.mark('/c/5.pcap', 'b');
    assert.deepEqual(m.state.marks, {});
  });

  test('a state that makes no sense is as good as none', () => {
    const at = places();
    new Memory(at).saveState();
    writeFileSync(join(at.state, 'state.json'), '{"version":1,"recent":[1],"history":{"filter":"x"},"marks":{"a":1}}');
    const { state } = new Memory(at);
    assert.deepEqual([state.recent, state.history, state.marks], [[], {}, {}]);
  });
});
