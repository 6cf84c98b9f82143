import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { LIMITS } from '../../src/limits.js';
import { ChoiceDialog } from '../../src/tui/choice-dialog.js';
import { save } from '../../src/tui/export-actions.js';
import { completePath, entriesOf } from '../../src/tui/files.js';
import { COMMANDS } from '../../src/tui/keymap.js';
import { Stopped } from '../../src/viewer/superseded.js';
import { CaptureBuilder } from '../build/capture.js';
import { at, tcp } from '../build/packets.js';
import { run } from '../cli/run.js';
import { drawn, PaperDesk, paperViewer } from './desk.js';
import { Stage, sample, viewerOf, viewerOn } from './support/stage.js';

const folder = mkdtempSync(join(tmpdir(), 'fttscope-dialogs-'));
after(() => rmSync(folder, { recursive: true }));

/** Types over what a prompt proposes. */
async function typeInstead(stage: Stage, text: string): Promise<void> {
  await stage.press('Ctrl-U');
  await stage.type(text);
}

describe('export', () => {
  test('e m writes the report for people, and asks before it writes over it', async () => {
    const stage = await Stage.of('28-overloaded.pcapng');
    const path = join(folder, 'x.findings.md');
    await stage.press('5 e m');
    assert.match(stage.text, /export to/);
    assert.match(stage.text, /28-overloaded\.findings\.md/);
    await typeInstead(stage, path);
    await stage.press('Enter');
    const written = readFileSync(path, 'utf8');
    assert.match(written, /^# What happened\n/);
    assert.match(written, /call\.overload/);
    writeFileSync(path, 'mine');
    await stage.press('e m');
    await typeInstead(stage, path);
    await stage.press('Enter');
    assert.match(stage.text, /is there already\. Write over/);
    await stage.press('Enter');
    assert.equal(readFileSync(path, 'utf8'), 'mine');
    await stage.press('e m');
    await typeInstead(stage, path);
    await stage.press('Enter y');
    assert.equal(readFileSync(path, 'utf8'), written);
    await stage.press('e m');
    await typeInstead(stage, join(folder, 'none', 'x.md'));
    await stage.press('Enter');
    assert.match(stage.text, /there is no folder \S*none$/m);
    await typeInstead(stage, '/dev/full');
    await stage.press('Enter y');
    assert.match(stage.text, /x \/dev\/full: no space is left on the device/);
    await stage.end();
  });

  test('what people said is asked about before it is asked where to keep it', () => {
    const desk = new PaperDesk(paperViewer());
    let asked = 0;
    desk.prompt = () => void asked++;
    const offer = { name: 'sound', file: 'said.wav', make: async () => '' };
    save(desk.desk, { ...offer, consent: 'May it be kept?' });
    assert.deepEqual([desk.confirmed.length, asked], [1, 0]);
    desk.confirmed[0]!();
    assert.equal(asked, 1);
    save(desk.desk, offer);
    assert.deepEqual([desk.confirmed.length, asked], [1, 2]);
  });

  test('a ladder as text, Mermaid and SVG, the list as CSV', async () => {
    const stage = await Stage.of('28-overloaded.pcapng');
    await stage.press('3');
    const expected = {
      'l a t': /INVITE \(SDP offer\)/,
      'l a m': /^sequenceDiagram/,
      'l a s': /^<svg /,
      'c a': /^name,/,
    };
    for (const [letters, content] of Object.entries(expected)) {
      const path = join(folder, `${letters.replaceAll(' ', '')}.out`);
      await stage.press(`e ${letters}`);
      assert.match(stage.text, /export to/);
      await typeInstead(stage, path);
      await stage.press('Enter');
      assert.match(readFileSync(path, 'utf8'), content);
    }
    await stage.end();
  });

  test('e r m writes a report with pseudonyms; Esc stops the reading for it', async () => {
    const capture = sample('28-overloaded.pcapng');
    const stage = await Stage.of('28-overloaded.pcapng');
    const path = join(folder, 'redacted.md');
    await stage.press('5 e r m');
    assert.match(stage.text, /28-overloaded\.redacted\.findings\.md/);
    await typeInstead(stage, path);
    await stage.press('Enter');
    assert.equal(readFileSync(path, 'utf8'), run(['report', capture, '--redact', '--markdown']).out);
    await stage.end();

    const { viewer, fields } = await viewerOf([capture]);
    viewer.redactedReport = ({ progress, signal }) =>
      new Promise((_, reject) => {
        progress(0.43);
        signal.addEventListener('abort', () => reject(new Stopped()));
      });
    const slow = new Stage(viewer, fields);
    const unwritten = join(folder, 'unwritten.json');
    await slow.press('5 e r j');
    for (const key of ['Ctrl-U', ...unwritten, 'Enter']) slow.app.key(key);
    await slow.until(/█+░+ +43 %/);
    assert.match(slow.text, /Esc stops/);
    await slow.press('Esc');
    assert.match(slow.text, /stopped; nothing was written/);
    assert.equal(existsSync(unwritten), false);
    await slow.end();
  });
});

test('e in the list of tunnels writes it as CSV', async () => {
  const stage = await Stage.of('00-field.pcapng');
  const path = join(folder, 'tunnels.csv');
  await stage.press('e t');
  assert.match(stage.text, /00-field\.tunnels\.csv/);
  await typeInstead(stage, path);
  await stage.press('Enter');
  const [head, ...lines] = readFileSync(path, 'utf8').trimEnd().split('\r\n');
  assert.equal(head, 'worst,number,ue,proxy,eftf,tls,keys,envelopes,inner,user,end');
  // The table beside the sample: 111 and 112 envelopes; addresses are whole, however narrow the screen is.
  assert.equal(lines[0], 'error,1,192.0.2.7:40001,,eftf.example:443,1.3,ok,112/111,10.9.0.50,+15550100,UE');
  assert.deepEqual(
    lines.map((l) => l.split(',')[8]),
    ['10.9.0.50', 'fe80::5054:ff:fe12:3456', '?', '-'],
  );
  await stage.end();
});

test('e in the log writes it as text', async () => {
  const stage = await Stage.of('00-field.pcapng');
  const path = join(folder, 'log.txt');
  stage.app.say('the first');
  stage.app.say('the second', 'warn');
  await stage.press('8 e l');
  assert.match(stage.text, /00-field\.log\.txt/);
  await typeInstead(stage, path);
  await stage.press('Enter');
  assert.match(readFileSync(path, 'utf8'), /^(\d\d:){2}\d\d note: the first\n(\d\d:){2}\d\d warn: the second\n$/);
  await stage.end();
});

test('r in the list of packets shows the message as it stands', async () => {
  const stage = await Stage.of('28-overloaded.pcapng');
  await stage.press('2');
  await stage.press('r');
  assert.match(stage.text, /─ Packet 8\.1 ─[\s\S]*Dynamic Host Configuration Protocol \(Discover\)/);
  await stage.press('Esc / s i p Enter');
  await stage.until(/of 15/);
  // At once after another packet was chosen: it waits until that was read.
  await stage.press('Down Up r');
  assert.match(stage.text, /─ Packet 12\.1 ─[^\n]*\n[^\n]* REGISTER sip:ims\.example SIP\/2\.0 [\s\S]* Via: /);
  await stage.press('Esc');
  assert.doesNotMatch(stage.text, /─ packet/);
  await stage.end();
});

test(':copy takes the octets of a field as hex, as C, as base64 and as text', async () => {
  const stage = await Stage.of('28-overloaded.pcapng');
  await stage.press('2 / s i p Enter');
  await stage.until(/of 15/);
  await stage.press('Tab Ctrl-F');
  await stage.type('method: register');
  await stage.press('Enter');
  assert.match(stage.text, /octets \d+–\d+ \(8\) +sip\.Method/);
  const copied: Record<string, string> = {
    hex: '5245474953544552',
    c: 'static const unsigned char octets[8] = {\n  0x52, 0x45, 0x47, 0x49, 0x53, 0x54, 0x45, 0x52,\n};\n',
    base64: 'UkVHSVNURVI=',
    text: 'REGISTER',
  };
  for (const [form, expected] of Object.entries(copied)) {
    await stage.press(':');
    await stage.type(`copy ${form}`);
    await stage.press('Enter');
    assert.equal(stage.display.offered, expected);
    assert.match(stage.text, /8 octets as \S.*: offered to the terminal's clipboard/);
  }
  await stage.press(':');
  await stage.type('copy rot13');
  await stage.press('Enter');
  assert.match(stage.text, /! octets are copied as hex, c, base64, text, not as rot13/);
  await stage.end();
});

describe('write', () => {
  test('inner packets, all or those listed; keys only after a question', async () => {
    const stage = await Stage.of('28-overloaded.pcapng');
    await stage.press('2');
    await stage.press('w');
    assert.match(stage.text, /inner: decrypted packets, for any tool, tunnel 1 +15 rows/);
    assert.match(stage.text, /keys included: the frames and what opens them/);
    const path = join(folder, 'inner.pcapng');
    await stage.press('Enter');
    await typeInstead(stage, path);
    await stage.press('Enter');
    assert.match(stage.text, /inner\.pcapng: 15 packets written/);
    const { viewer } = await viewerOf([path]);
    // The sample's table: 10 SIP messages and 5 of DHCP.
    assert.equal(viewer.rows.count, 15);
    await viewer.close();
    await stage.press('w k');
    assert.match(stage.text, /Whoever gets the file can read all that the tunnels carried/);
    await stage.press('n');
    assert.doesNotMatch(stage.text, /write to/);
    await stage.end();
  });
});

describe('a write that takes its time', () => {
  test('shows how far it is, and Esc stops it', async () => {
    const { viewer, fields } = await viewerOf([sample('28-overloaded.pcapng')]);
    viewer.write = (_, watch) =>
      new Promise((_, reject) => {
        watch?.progress(0.25);
        watch?.signal.addEventListener('abort', () => reject(new Stopped()));
      });
    const stage = new Stage(viewer, fields);
    await stage.press('w o');
    for (const key of ['Ctrl-U', ...join(folder, 'slow.pcapng'), 'Enter']) stage.app.key(key);
    await stage.until(/Writing slow\.pcapng[\s\S]*█+░+ +25 %[\s\S]*Esc stops/);
    await stage.press('Esc');
    assert.match(stage.text, /stopped; nothing was written/);
    assert.doesNotMatch(stage.text, /Writing/);
    await stage.end();
  });

  test('says where it ends while the capture is still read', async () => {
    const { viewer, fields } = await viewerOf([sample('28-overloaded.pcapng')]);
    viewer.status = { ...viewer.status, done: false };
    const stage = new Stage(viewer, fields);
    await stage.press('w');
    assert.match(stage.text, /The capture is still being read: what is written ends there\./);
    await stage.end();
  });
});

describe('keys', () => {
  test('K says why a tunnel stays closed, and a key log that fits opens it', async () => {
    const path = join(folder, 'closed.pcapng');
    writeFileSync(path, readFileSync(sample('28-overloaded.pcapng')));
    const { viewer, fields } = await viewerOf([path]);
    const stage = new Stage(viewer, fields, 100, 30);
    await stage.press('K');
    assert.match(stage.text, /No key log was found/);
    assert.match(stage.text, /tunnel 1 .* NO KEY/);
    await stage.press('Enter');
    await typeInstead(stage, join(folder, 'nowhere.keys'));
    await stage.press('Enter');
    assert.match(stage.text, /there is no such file/);
    const words = join(folder, 'words.keys');
    writeFileSync(words, 'no key\n');
    for (const [wrong, why] of [
      [words, /words\.keys: not a key log: 0 of 1 lines is a key line/],
      [path, /closed\.pcapng: a capture, not a key log/],
    ] as const) {
      await typeInstead(stage, wrong);
      await stage.press('Enter');
      for (let i = 0; i < 50 && !why.test(stage.text); i++) await stage.settled();
      assert.match(stage.text, why);
      assert.match(stage.text, new RegExp(`^ key log ${wrong}$`, 'm'), 'the text is still there to be mended');
    }
    await typeInstead(stage, sample('28-overloaded.keys'));
    await stage.press('Enter');
    for (let i = 0; i < 50 && !viewer.status.done; i++) await stage.settled();
    await stage.press('K');
    assert.match(stage.text, /tunnel 1 .* ok, opened by a key log that was named/);
    assert.doesNotMatch(stage.text, /[0-9a-f]{64}/);
    await stage.end();
  });
});

test('a handshake that was refused has nothing that keys could open', async () => {
  const stage = await Stage.of('23-sni-missing.pcapng', 100, 30);
  await stage.press('1');
  assert.match(stage.text, / - +0\/0 +- +x tls$/m);
  await stage.press('K');
  assert.match(stage.text, /tunnel 1 .*: nothing encrypted was seen/);
  await stage.end();
});

test('? in a window shows the keys of that window, and Esc leads back to it', async () => {
  const stage = await Stage.of('28-overloaded.pcapng');
  await stage.press('e');
  assert.match(stage.display.lines.at(-1)!, /\? help$/);
  await stage.press('?');
  assert.match(stage.text, /─ Keys in Export ─[\s\S]*In this window[\s\S]*Enter +:open/);
  await stage.press('Esc');
  assert.match(stage.text, /─ Export ─/);
  await stage.end();
});

test('in the help the whole title of a command is told, and a double click does the command', async () => {
  const stage = await Stage.of('28-overloaded.pcapng', 80, 24);
  await stage.press('?');
  await stage.type('prepare');
  assert.match(stage.text, /P +:filter-prepare +the filter with the selected value, to go …/);
  assert.match(stage.text, /^│ the filter with the selected value, to go on with before it is used +│$/m);
  await stage.press('Esc');
  await stage.type('statistics');
  const y = stage.display.lines.findIndex((l) => l.includes(':view-statistics'));
  stage.app.mouse({ kind: 'press', x: 20, y: y + 3 });
  stage.app.mouse({ kind: 'double', x: 20, y });
  await stage.settled();
  assert.match(stage.text, /Stats › charts/);
  await stage.end();
});

test('the wheel scrolls the columns that there are', async () => {
  const stage = await Stage.of('28-overloaded.pcapng', 80, 15);
  await stage.press('2 F10');
  const top = (): string => stage.display.lines.find((l) => l.includes('│'))!;
  const before = top();
  stage.app.mouse({ kind: 'wheel-down', x: 30, y: 5 });
  await stage.settled();
  assert.notEqual(top(), before);
  await stage.end();
});

describe('follow', () => {
  test('shows what both ends said, and leads to the packet', async () => {
    const stage = await Stage.of('28-overloaded.pcapng', 100, 30);
    await stage.press('2');
    stage.app.perform('goto', '16.1');
    await stage.press('=');
    assert.match(stage.text, /UDP .*10\.45\.0\.2:5060/);
    assert.match(stage.text, /> REGISTER sip:ims\.example SIP\/2\.0/);
    assert.match(stage.text, / {3}Via: SIP\/2\.0\/UDP 10\.45\.0\.2:5060/);
    await stage.press('r');
    assert.match(stage.text, /0000 {2}52 45 47 49 53 54 45 52/);
    await stage.press('] Enter');
    assert.match(stage.text, /13\.1/);
    await stage.press('= =');
    await stage.until(/─ Envelopes of tunnel 1 {3}> /);
    await stage.end();
  });
});

test('a stream is followed, whatever packet is looked at meanwhile', async () => {
  const viewer = await viewerOn(sample('20-healthy-call.pcapng'));
  const followed = viewer.follow(viewer.rows.byId('12.1'), 'payload');
  await viewer.detail(viewer.rows.byId('8.1'));
  assert.equal((await followed).title, 'UDP 10.45.0.2:5060 ↔ 10.45.0.1:5060');
  await viewer.close();
});

test('help says all that keys do where there is room', async () => {
  const stage = await Stage.of('28-overloaded.pcapng', 120, 140);
  await stage.press('?');
  for (const { title } of COMMANDS) assert.ok(stage.text.includes(` ${title} `), title);
  await stage.end();
});

test('speech is followed as octets, not as text that it is not', async () => {
  const stage = await Stage.of('01-tls12-aes128-gcm.pcapng', 100, 30);
  await stage.press('2');
  stage.app.perform('filter', 'rtp');
  await stage.settled();
  await stage.press('=');
  assert.match(stage.text, /> 0000 {2}80 [\da-f ]+ {2}/);
  assert.doesNotMatch(stage.text, /\ufffd/);
  await stage.end();
});

test('what TCP carries is followed line by line, wherever its segments end', async () => {
  const path = join(folder, 'segments.pcapng');
  const [a, b] = [at('192.0.2.1', 40_000), at('192.0.2.2', 8080)];
  const capture = new CaptureBuilder({ epoch: 1_772_355_600 });
  const said = ['GET /gr', 'öße HTTP/1.1\r\nHost: exam', 'ple\r', '\n\r\n'].map((s) => Buffer.from(s));
  // The third letter of the word is cut in the middle of its two octets.
  const [first, second] = [Buffer.concat([said[0], said[1].subarray(0, 1)]), said[1].subarray(1)];
  let seq = 1;
  for (const [i, octets] of [first, second, said[2], said[3]].entries()) {
    capture.packet(tcp(a, b, { seq, ack: 1 }, octets), i);
    seq += octets.length;
  }
  capture.packet(tcp(b, a, { seq: 1, ack: seq }, Buffer.from('HTTP/1.1 204 No Content\r\n\r\n')), 9, 1);
  writeFileSync(path, capture.build().octets);
  const { viewer, fields } = await viewerOf([path]);
  const stage = new Stage(viewer, fields, 80, 24);
  await stage.press('2');
  await stage.press('=');
  assert.match(stage.text, /│ > GET \/größe HTTP\/1\.1 +│\n│ {3}Host: example +│\n│ < HTTP\/1\.1 204 No Content/);
  await stage.press('y');
  assert.equal(stage.display.offered.split(/\r?\n/)[0], 'GET /größe HTTP/1.1');
  // The second line begins in the second segment.
  await stage.press('Down Enter');
  assert.match(stage.text, / 2 \/ 5$/m);
  await stage.press('= r');
  assert.match(stage.text, /> 0000 {2}47 45 54 .*GET \/gr\.[\s\S]*> 0000 {2}b6 /);
  await stage.end();
});

describe('other ways in', () => {
  test('a form chooses by tunnel, user, call and time', async () => {
    const stage = await Stage.of('28-overloaded.pcapng');
    await stage.press('5 Esc F7');
    await stage.press('Down');
    await stage.type('alice');
    assert.match(stage.text, /1 tunnel, 1 call, 1 registration/);
    await stage.press('Down Down');
    await stage.type('1x');
    assert.match(stage.text, /Time from is a number of seconds/);
    await stage.press('Backspace Enter');
    assert.match(stage.text, /alice › Packets › .*frame\.time_relative >= 1/);
    await stage.end();
  });

  test('what is typed into the form is edited as any other line', async () => {
    const stage = await Stage.of('28-overloaded.pcapng');
    await stage.press('F7 Down');
    await stage.type('lice');
    await stage.press('Home a');
    assert.match(stage.text, /│ User +alice /);
    const { x } = stage.display.caret!;
    await stage.press('End x');
    await stage.press('Left Delete');
    assert.equal(stage.display.caret!.x, x + 4);
    assert.match(stage.text, /1 tunnel, 1 call, 1 registration/);
    await stage.press('Up');
    await stage.type('7');
    await stage.press('Ctrl-W');
    assert.match(stage.text, /│ Tunnel +number/);
    await stage.press('Esc');
    assert.doesNotMatch(stage.text, /A part of the capture/);
    await stage.end();
  });

  test('a port is read as a protocol that the user names', async () => {
    const stage = await Stage.of('28-overloaded.pcapng');
    stage.app.perform('decode-as', 'nonsense');
    await stage.settled();
    assert.match(stage.text, /FIELD==NUMBER,PROTOCOL/);
    await stage.press('Esc');
    stage.app.perform('decode-as', 'udp.port==5060,data');
    for (let i = 0; i < 50 && !stage.viewer.status.done; i++) await stage.settled();
    await stage.press('3');
    assert.match(stage.text, /The tunnels carried no SIP|No INVITE/);
    await stage.end();
  });

  test('settings change at once', async () => {
    const stage = await Stage.of('28-overloaded.pcapng');
    await stage.press('F8');
    assert.match(stage.text, /theme +dark/);
    await stage.press('Enter');
    assert.match(stage.text, /theme +light/);
    await stage.end();
  });

  test('letters narrow a choice down, and the last one left is taken', () => {
    const desk = new PaperDesk(paperViewer());
    const taken: string[] = [];
    const items = ['ladder as text', 'ladder as Mermaid', 'Markdown report'].map((text) => ({
      text,
      take: () => taken.push(text),
    }));
    const d = new ChoiceDialog(desk.desk, 'Export', () => items);
    desk.show(d);
    d.key('l');
    assert.doesNotMatch(drawn(d, 60, 12).join('\n'), /Markdown/);
    d.key('Backspace');
    d.key('m');
    assert.deepEqual(taken, ['Markdown report']);
    assert.equal(desk.dialogs.length, 0);
  });

  test('a command is typed where a choice offers the same', () => {
    const desk = new PaperDesk(paperViewer());
    const d = new ChoiceDialog(desk.desk, 'Start', () => [
      { text: 'take tunnels', note: ':eftf', take: () => undefined },
    ]);
    desk.show(d);
    assert.equal(d.run('palette'), true);
    assert.deepEqual([desk.dialogs.length, desk.ran], [0, ['palette']]);
  });

  test('paths are completed, folders with a slash', () => {
    writeFileSync(join(folder, 'field.pcapng'), '');
    const typed = join(folder, 'fie');
    assert.deepEqual(completePath(typed, typed.length), { from: folder.length + 1, words: [{ text: 'field.pcapng' }] });
    assert.equal(completePath('/nowhere/at/all', 15), undefined);
  });

  test('a link to itself is in the way of nothing', () => {
    const linked = join(folder, 'linked');
    mkdirSync(linked);
    symlinkSync(join(linked, 'circle.pcapng'), join(linked, 'circle.pcapng'));
    writeFileSync(join(linked, 'field.pcapng'), '');
    const names = entriesOf(linked, (name) => name.endsWith('.pcapng')).entries.map((e) => e.name);
    assert.deepEqual(names, ['..', 'field.pcapng']);
    const { words } = completePath(`${linked}/`, linked.length + 1)!;
    assert.deepEqual(
      words.map((w) => w.text),
      ['circle.pcapng', 'field.pcapng'],
    );
  });

  test('a folder with more captures than a list shows says how many there are', () => {
    const ring = join(folder, 'ring');
    mkdirSync(join(ring, 'zebra'), { recursive: true });
    for (let i = 0; i < LIMITS.folderEntries + 5; i++) writeFileSync(join(ring, `${i}.pcapng`), '');
    const { entries, more } = entriesOf(ring, (name) => name.endsWith('.pcapng'));
    assert.deepEqual(
      entries.slice(0, 3).map((e) => e.name),
      ['..', 'zebra', '0.pcapng'],
    );
    assert.equal(entries.length, 1 + LIMITS.folderEntries);
    assert.equal(more, 6);
    const typed = join(ring, '1');
    const { words } = completePath(typed, typed.length)!;
    assert.equal(words.length, LIMITS.pathCompletions);
    const like = Array.from({ length: LIMITS.folderEntries + 5 }, (_, i) => `${i}`).filter((n) => n.startsWith('1'));
    assert.equal(words[0].note, `${like.length - LIMITS.pathCompletions} more begin like that`);
  });
});
