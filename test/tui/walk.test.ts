import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { expanded, savedFilters } from '../../src/filter/saved-filters.js';
import { Memory } from '../../src/tui/settings.js';
import { THEMES } from '../../src/tui/style.js';
import { CaptureBuilder } from '../build/capture.js';
import { down, envelope, up } from '../build/conversation.js';
import { at, ping } from '../build/packets.js';
import { tlsConversation } from '../build/tls.js';
import { until } from '../support/until.js';
import { Stage, sample, stageOf, viewerOf, viewerOn } from './support/stage.js';

/** A walk through one sample; the stage is taken down whatever happens. */
async function walk(name: string, what: (s: Stage) => Promise<void>, width = 100, height = 30): Promise<void> {
  const s = await Stage.of(name, width, height);
  try {
    await what(s);
  } finally {
    await s.end();
  }
}

test('from the tunnel to its packets, a field, its octets, and back', async () => {
  await walk('20-healthy-call.pcapng', async (s) => {
    await s.press('Enter');
    assert.match(s.text, /tunnel 1 › Packets › inner +1 \/ 236/);
    await s.press('Down Down Down Down Tab');
    assert.match(s.text, /▾ Session Initiation Protocol \(REGISTER\)/);
    await s.press('Down');
    // The request line: octets 31 to 62 of the envelope.
    assert.match(s.text, /octets 31–62 \(32\) +sip\.Request-Line/);
    await s.press('Tab Right Right Right Right Right Right Right Right Right');
    assert.match(s.text, /▾ Request-Line/);
    assert.match(s.text, /sip\.r-uri/);
    await s.press('Esc Esc');
    assert.match(s.text, /^ Tunnels/m);
    await s.press('Ctrl-O');
    assert.match(s.text, /Packets › inner/);
  });
});

test('a filter: completion, what is wrong, how many, and off again', async () => {
  await walk('20-healthy-call.pcapng', async (s) => {
    await s.press('2 /');
    await s.type('sip.Meth');
    assert.match(s.text, /"sip\.Meth" is neither a field/);
    await s.press('Tab');
    await s.type(' == "INVITE"');
    await s.until(/1 of 236/);
    await s.press('Enter');
    await s.until(/\/ sip\.Method == "INVITE".* 1 of 236/);
    assert.match(s.text, /16\.1 .*INVITE/);
    await s.press('Esc');
    assert.match(s.text, /inner .* 236$/m);
    await s.press('/ Up Enter');
    await s.until(/1 of 236/);
  });
});

test('a filter says of how many of these rows it takes some', async () => {
  await walk('00-field.pcapng', async (s) => {
    await s.press('2');
    const all: string[] = [];
    for (const kind of ['inner', 'outer', 'inner and outer']) {
      await s.until(new RegExp(`› ${kind} .* / \\d+$`, 'm'));
      all.push(/ \/ (\d+)$/m.exec(s.text)![1]);
      await s.press('o');
    }
    await s.press('/');
    await s.type('sip');
    await s.until(new RegExp(`17 of ${all[0]}$`, 'm'));
    await s.press('Enter');
    for (const n of all) {
      await s.until(new RegExp(` 17 of ${n} `));
      await s.press('o /');
      await s.type(' && udp');
      await s.until(/17 of \d+$/m);
      await s.press('Esc');
    }
  });
});

test('a filter that was given up leaves the list as it was', async () => {
  await walk('20-healthy-call.pcapng', async (s) => {
    await s.press('2 /');
    await s.type('rtp');
    await s.press('Esc');
    assert.match(s.text, /inner +1 \/ 236/);
    await s.press('/');
    await s.type('ip.src ==');
    await s.press('Enter');
    assert.match(s.text, /\/ ip\.src ==/, 'Enter does not take what is wrong');
    await s.press('Esc');
  });
});

test('filters from a field: that, and that, and not that', async () => {
  await walk('20-healthy-call.pcapng', async (s) => {
    await s.press('2');
    await s.press(':');
    await s.type('12.1');
    await s.press('Enter');
    await s.press('Tab Down a');
    await s.until(/Request-Line == "REGISTER.*3 of 236/);
    await s.press('Down Down A');
    assert.match(s.text, /&& sip\.Via == /);
    await s.press('Esc Esc');
    await s.press('Tab !');
    assert.match(s.text, /› \/ !\(sip\.Via == /);
  });
});

test('go to, marks, dialog, findings', async () => {
  await walk('28-overloaded.pcapng', async (s) => {
    await s.press('2 :');
    await s.type('16.1');
    await s.press('Enter');
    assert.match(s.text, /Request: INVITE/);
    await s.press('m k ] ]');
    await s.press('i');
    await s.press('Esc');
    assert.match(s.text, / 17\.2 +[\d.]+ ↓ .*503/);
    await s.press("' k [");
    await s.until(/nothing|no packet before/);
    await s.press(': 9 9 9 9 Enter');
    assert.match(s.text, /there is no packet 9999/);
  });
});

test('a tunnel that cannot be read does not hide the others', async () => {
  await walk('00-field.pcapng', async (s) => {
    await s.until(/NOT READ|WRONG KEYS/);
    for (let i = 0; i < 4 && !/─ tunnel 3 ─/.test(s.text); i++) await s.press('Down');
    await s.press('2');
    assert.match(s.text, /^ tunnel 3 › Packets › inner/m);
    assert.match(s.text, /nothing of this tunnel could be read[\s\S]*2 once more lists/);
    await s.press('2');
    // 111 + 112 envelopes of the first, 3 + 7 of the second tunnel.
    assert.match(s.text, /^ Packets › inner +\d+ \/ 233$/m);
  });
});

/** What stands for a saved filter. */
const saved = (name: string): string => `\${${name}}`;

test('saved filters stand for what they are called', async () => {
  await walk('28-overloaded.pcapng', async (s) => {
    await s.press('2 /');
    await s.type('$');
    await s.press('Tab');
    assert.match(s.text, /\$\{failures\} +\$\{registration\}/);
    await s.press('Ctrl-U');
    await s.type(`${saved('failures')} && !${saved('registration')}`);
    await s.until(/1 of 15/);
    await s.press('Enter');
    await s.until(/› \/ \(sip\.Status-Code >= 400\) && !\(sip\.CSeq\.method == "REGISTER"\) .*1 of 15/);
    assert.match(s.text, /503/);
    await s.press('/ Ctrl-U');
    await s.type(saved('nobody'));
    await s.until(/macro 'nobody' does not exist\. There are failures,[\s\S]*those of the settings/);
    await s.press('Esc Esc');
    s.app.perform('filter', saved('media'));
    await s.settled();
    await s.until(/0 of 15 packets match/);
  });
});

test('every filter that comes with the program is one, and those of the user go before them', async () => {
  const viewer = await viewerOn(sample('00-field.pcapng'));
  assert.equal(savedFilters([]).length, 12);
  for (const { name, filter } of savedFilters([])) assert.equal(viewer.check(filter), null, name);
  await viewer.close();
  const own = [{ name: 'media', filter: 'rtp.marker == 1' }];
  assert.equal(savedFilters(own).length, 12);
  assert.equal(expanded(`sip || ${saved('media')}`, own), 'sip || (rtp.marker == 1)');
});

test('from a stream Enter lists its packets, and 2 those of its tunnel; the line above says which', async () => {
  await walk('20-healthy-call.pcapng', async (s) => {
    await s.press('4 2');
    assert.match(s.text, /^ tunnel 1 › Packets › inner .* 236$/m);
    await s.press('4 Enter');
    await s.until(/^ stream 1 › Packets › inner › \/ rtp\.ssrc == \S+ .*\d of 236/m);
  });
});

test('marks belong to their capture, also where its name is known only later', async () => {
  const places = { config: '/dev/null/none', state: '/dev/null/none' };
  const memory = new Memory(places);
  /** Shows a sample whose names come after the screens, as from the other thread. */
  const shown = async (name: string, what: (s: Stage) => Promise<void>): Promise<void> => {
    const { viewer, fields } = await viewerOf([sample(name)]);
    const heard: (() => void)[] = [];
    let known = false;
    const slow = new Proxy(viewer, {
      get: (target, key) => {
        if (key === 'status') return known ? target.status : { ...target.status, files: [] };
        if (key === 'onStatus') return (f: () => void) => heard.push(f);
        const value = Reflect.get(target, key, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
    const s = new Stage(slow, fields, 100, 30, { memory });
    known = true;
    for (const f of heard) f();
    await s.settled();
    await what(s);
    await s.end();
  };
  await shown('28-overloaded.pcapng', async (s) => {
    await s.press('2');
    await s.press('G m k g g m l m l');
    assert.match(s.text, /mark l is gone/);
  });
  await shown('20-healthy-call.pcapng', async (s) => {
    await s.press("2 ' k");
    assert.match(s.text, /no packet is marked k/);
    await s.press('m z');
  });
  await shown('28-overloaded.pcapng', async (s) => {
    await s.press("2 ' l");
    assert.match(s.text, /no packet is marked l; there are k\b/);
    await s.press("' k");
    assert.match(s.text, /(\d+) \/ \1$/m);
  });
});

test('o cycles inner, outer, both; a frame says what it carries', async () => {
  await walk('20-healthy-call.pcapng', async (s) => {
    await s.press('2 o');
    assert.match(s.text, /Packets › outer .* 240/);
    await s.press('G');
    await s.press('Up Up Up Up Up Up');
    await s.until(/ 237 .*198\.51\.100\.1 192\.0\.2\.10 +TLSv1\.3 Application Data +carries SIP: Status: 200/);
    await s.press('o');
    assert.match(s.text, /inner and outer/);
  });
});

test('a flag by its name alone: it only has to be there', async () => {
  await walk('20-healthy-call.pcapng', async (s) => {
    await s.press('2 /');
    for (const typed of ['rtp.marker', 'rtp && !(ip.flags.df)']) {
      await s.press('Ctrl-U');
      await s.type(typed);
      await s.until(/\d of 236 {2}by its name alone it only has to be there: \S+ == 1 asks if it is set/);
    }
    for (const typed of ['rtp.marker == 1', 'rtp.seq', 'sip']) {
      await s.press('Ctrl-U');
      await s.type(typed);
      await s.until(/\d of 236\n/);
    }
  });
});

test('a window with long lines is as high as these are', async () => {
  await walk('00-field.pcapng', async (s) => {
    for (const [width, height] of [
      [80, 24],
      [120, 40],
    ]) {
      s.resize(width, height);
      await s.press('5');
      await s.press('i');
      // From the first line to the last within one frame, without a bar.
      assert.match(s.text, /┌─ call\.overload ─[\s\S]*│ What: [\s\S]*│ Next: [\s\S]*└─+┘/);
      await s.press('Esc');
    }
  });
});

test('find in list, tree and octets', async () => {
  await walk('20-healthy-call.pcapng', async (s) => {
    await s.press('2 Ctrl-F');
    await s.type('401');
    await s.press('Enter');
    await s.until(/Status: 401[\s\S]*Session Initiation Protocol \(401\)/);
    await s.press('Tab Ctrl-F Ctrl-U');
    await s.type('nonce');
    await s.press('Enter');
    assert.match(s.text, /sip\.auth|sip\.WWW/);
    await s.press('Tab Ctrl-F Ctrl-U');
    await s.type('0x53 49 50');
    await s.press('Enter');
    assert.match(s.text, /sip\./);
    // As a dump shows octets, they are found, too.
    for (const typed of ['00 00 40 11', '00:00:40:11']) {
      await s.press('Ctrl-F Ctrl-U');
      await s.type(typed);
      await s.press('Enter');
      assert.match(s.text, /octets? \d+.* ip\b/);
    }
    await s.press('Ctrl-F Ctrl-U');
    await s.type('/(/');
    assert.match(s.text, /Invalid regular expression/);
    await s.press('Esc');
  });
});

test('finding goes on from the other end of the list, and what is typed takes the place of what was found', async () => {
  await walk('20-healthy-call.pcapng', async (s) => {
    await s.press('2 Ctrl-F');
    await s.type('register');
    await s.press('Enter');
    await s.until(/Request: REGISTER/);
    const at = (): string => /inner +(\d+) \//.exec(s.text)![1];
    const places = [at()];
    for (let k = 0; k < 20 && (k === 0 || at() !== places[0]); k++) {
      await s.press('n');
      places.push(at());
    }
    assert.ok(places.length > 3 && places.at(-1) === places[0], places.join());
    assert.match(s.text, /past the end: on from the first line/);
    await s.press('N');
    assert.equal(at(), places.at(-2));
    assert.match(s.text, /past the first line: on from the end/);
    await s.press('Ctrl-F');
    await s.type('discover');
    assert.match(s.text, /find in the list: discover$/m);
    await s.press('Enter');
    await s.until(/inner +1 \//);
    await s.press('n');
    assert.match(s.text, /it is found here alone/);
    // A key that moves keeps the text, as with a selection.
    await s.press('Ctrl-F Left');
    await s.type('x');
    assert.match(s.text, /find in the list: discovexr$/m);
    await s.press('Esc');
  });
});

test('what was found is marked in list, tree and octets, and the one before is found too', async () => {
  await walk('20-healthy-call.pcapng', async (s) => {
    const marked = (): string[] =>
      s.display.lines.map((l, y) => [...l].filter((_, x) => s.display.styles[y][x] === THEMES.dark.found).join(''));
    await s.press('2 Ctrl-F');
    await s.type('invite');
    await s.press('Enter');
    await s.until(/Initiation Protocol \(INVITE\)/);
    // In the list: that line, and every other in sight.
    assert.ok(marked().filter((m) => m.startsWith('INVITE')).length >= 1);
    await s.press('Tab');
    await s.press('n');
    assert.ok(marked().some((m) => m.includes('INVITE')));
    await s.press('Tab');
    await s.press('n');
    const first = /octets? (\d+)/.exec(s.text)![1];
    await s.press('n');
    const second = /octets? (\d+)/.exec(s.text)![1];
    assert.notEqual(first, second);
    await s.press('N');
    assert.equal(/octets? (\d+)/.exec(s.text)![1], first);
    await s.press('Ctrl-F Ctrl-U Enter');
    assert.ok(marked().every((m) => m === ''));
  });
});

test('layouts, zoom, sizes, and other sizes of the window in the middle', async () => {
  await walk('20-healthy-call.pcapng', async (s) => {
    await s.press('2');
    for (const keys of ['|', '|', '|', 'z', 'z', '+', '-', 'Tab +', 'Tab z'])
      for (const [w, h] of [
        [80, 24],
        [60, 16],
        [45, 9],
        [20, 4],
        [200, 50],
        [100, 30],
      ]) {
        s.resize(w, h);
        await s.press(keys.split(' ')[0]);
        assert.equal(s.display.lines.length, h);
        for (const line of s.display.lines) assert.ok(line.length <= w, `${w}: ${line}`);
      }
  });
});

test('time: every form, and counted from a packet', async () => {
  await walk('20-healthy-call.pcapng', async (s) => {
    await s.press('2');
    await s.press('Down T');
    assert.match(s.text, / 9\.1 +0\.000000/);
    assert.match(s.text, / 8\.1 +-0\.012000/);
    await s.press('T t');
    assert.match(s.text, / 9\.1 +0\.012000/, 'since the packet before');
    await s.press('t t t');
    assert.match(s.text, / 8\.1 09:00:00\.041000/, 'time of day in UTC');
  });
});

test('copying says what became of it', async () => {
  await walk('20-healthy-call.pcapng', async (s) => {
    await s.press('2');
    await s.press('y');
    assert.match(s.display.offered, /^8\.1 .*DHCP Discover/);
    assert.match(s.text, /does not say whether it took it/);
    await s.press('Tab Tab y');
    // BOOTREQUEST, hardware type 31, of seven octets.
    assert.match(s.display.offered, /^011f07/);
  });
});

test('help is made from the keys and found by words; the palette knows every command', async () => {
  await walk('20-healthy-call.pcapng', async (s) => {
    await s.press('2 ?');
    assert.match(s.text, /Keys in Packets[\s\S]*In this view[\s\S]*Tab +:next-pane/);
    await s.type('suspend');
    assert.match(s.text, /Ctrl-Z +:suspend/);
    await s.press('Esc Esc :');
    await s.type('zo');
    await s.press('Tab');
    assert.match(s.text, /: zoom\n .*this pane alone.* z$/m);
    await s.press('Ctrl-U');
    await s.type('nonsense');
    assert.match(s.text, /there is no command nonsense/);
    await s.press('Enter Esc');
  });
});

test('Ctrl-C asks once, quits at the second; Q quits', async () => {
  await walk('20-healthy-call.pcapng', async (s) => {
    await s.press('Ctrl-C');
    assert.match(s.text, /once more quits/);
    assert.ok(!s.display.closed);
    s.app.key('Ctrl-C');
    assert.ok(s.display.closed);
  });
});

test('however slow the screen is, Ctrl-C quits while it says so', async (t) => {
  await walk('20-healthy-call.pcapng', async (s) => {
    let now = Date.now();
    t.mock.method(Date, 'now', () => now);
    for (const keys of ['Ctrl-C', 'Down', 'Ctrl-C']) {
      await s.press(keys);
      now += 60_000;
    }
    assert.ok(!s.display.closed, 'another key was pressed meanwhile');
    assert.match(s.text, /once more quits/);
    s.app.key('Ctrl-C');
    assert.ok(s.display.closed);
  });
});

test('the mouse: a click selects, a double click opens, the wheel scrolls, tabs are clicked', async () => {
  await walk('20-healthy-call.pcapng', async (s) => {
    s.app.mouse({ kind: 'press', x: 14, y: 1 });
    await s.settled();
    assert.match(s.text, /Packets › inner/);
    s.app.mouse({ kind: 'press', x: 20, y: 8 });
    await s.settled();
    assert.match(s.text, /inner +5 \/ 236/);
    s.app.mouse({ kind: 'wheel-down', x: 20, y: 8 });
    await s.settled();
    assert.doesNotMatch(s.text, / 8\.1 /);
    s.app.mouse({ kind: 'double', x: 20, y: 8 });
    await s.press('Down');
    assert.match(s.text, /octets? \d+/);
  });
});

test('the mouse: a click on the title opens the card of the capture', async () => {
  await walk('20-healthy-call.pcapng', async (s) => {
    s.app.mouse({ kind: 'press', x: 14, y: 0 });
    await s.until(/┌─ Capture/);
    // The card is open: the same place is outside of it, and does nothing more.
    s.app.mouse({ kind: 'press', x: 14, y: 0 });
    await s.press('Esc');
    assert.doesNotMatch(s.text, /┌─ Capture/);
  });
});

test('the mouse: a click on the head of a column sorts by it, one on a key at the foot presses it', async () => {
  const click = (s: Stage, x: number, y: number, kind: 'press' | 'wheel-down' = 'press') => {
    s.app.mouse({ kind, x, y });
    return s.settled();
  };
  /** Clicks on the first place where a text stands. */
  const clickOn = (s: Stage, text: string) => {
    const lines = s.text.split('\n');
    const y = lines.findIndex((l) => l.includes(text));
    assert.ok(y >= 0, `${text} in\n${s.text}`);
    return click(s, lines[y].indexOf(text), y);
  };
  await walk('00-field.pcapng', async (s) => {
    const first = (): string => /^. +\d /m.exec(s.text)?.[0].trim() ?? '';
    await clickOn(s, '# UE');
    assert.match(s.text, /#↑ UE/);
    await clickOn(s, '#↑ UE');
    assert.match(s.text, /#↓ UE/);
    assert.match(first(), / 4$/);
    await clickOn(s, 'i info');
    assert.match(s.text, /┌─ Tunnel 4/);
    await clickOn(s, 'Esc back');
    assert.doesNotMatch(s.text, /┌─ Tunnel 4/);
    await click(s, 2, 29, 'wheel-down');
    await clickOn(s, '? help');
    assert.match(s.text, /Keys in Tunnels/);
    await s.press('Esc 5');
    // The wheel over the text of a finding scrolls that, and leaves the list as it is.
    s.resize(60, 12);
    await s.settled();
    const what = /What: .*/.exec(s.text)?.[0];
    await click(s, 10, 9, 'wheel-down');
    assert.notEqual(/What: .*/.exec(s.text)?.[0], what);
    await s.press('2');
    s.resize(80, 24);
    await s.settled();
    await clickOn(s, 'Source');
    assert.match(s.text, /packets stay in the order of the capture/);
    const { length } = s.app.messages;
    await click(s, 3, 23);
    assert.equal(s.app.messages.length, length, 'a click takes a message away, and does no more');
  });
});

test('the log keeps nothing of keys that do nothing, and what is said again once', async () => {
  await walk('00-field.pcapng', async (s) => {
    await s.press('D');
    assert.match(s.text, /only messages with a session description: not in Tunnels/);
    await s.press('q');
    assert.match(s.text, /this is the first level/);
    assert.equal(s.app.messages.length, 0);
    await s.press('= =');
    assert.deepEqual(
      s.app.messages.map((m) => m.text),
      ['choose a packet first'],
    );
  });
});

test('what is pasted is typed where something is typed: in forms, too; of much the first', async () => {
  await walk('00-field.pcapng', async (s) => {
    await s.press('f Down');
    s.app.paste('+15550100\n');
    await s.settled();
    assert.match(s.text, /User +\+15550100 [\s\S]*1 tunnel, 2 calls, 1 registration/);
    await s.press('Enter');
    assert.match(s.text, /^ \+15550100 › Packets/m);
    await s.press('/');
    s.app.paste('x'.repeat(100_000));
    await s.press('Enter Esc');
    assert.match(s.app.messages.at(-1)?.text ?? '', /only the first 8192 characters/);
  });
});

test('Esc and a key that come together are two, but for those that edit a line', async () => {
  await walk('00-field.pcapng', async (s) => {
    await s.press('?');
    s.app.key('Alt-3');
    await s.settled();
    assert.match(s.text, /^ tunnel 1 › Calls/m);
    await s.press(':');
    await s.type('find bye');
    s.app.key('Alt-\x7f');
    s.app.key('Alt-b');
    await s.settled();
    assert.match(s.text, /: find ?$/m);
  });
});

test('times have the form that t says, in ladders too', async () => {
  await walk('00-field.pcapng', async (s) => {
    await s.press('3 Enter t');
    assert.match(s.text, /^ +0\.000 │─+ INVITE.*\n +\+0\.030 │<─+ 100 Trying/m);
    await s.press('t t t');
    assert.match(s.text, /^09:00:01\.4 │─+ INVITE/m);
  });
});

test('what is above a view names what the view is about', async () => {
  await walk('00-field.pcapng', async (s) => {
    const head = (): string =>
      s.display.lines[2]
        .trimEnd()
        .replace(/ {2,}.*/, '')
        .trim();
    await s.press('4 Down 5');
    assert.equal(head(), 'call 1 › Findings');
    await s.press('Esc 6');
    assert.equal(head(), 'tunnel 1 › Stats › charts');
    await s.press('Left');
    assert.equal(head(), 'tunnel 1 › Stats › protocols');
    assert.match(s.text, / 243 packets\n/);
    await s.press('7');
    assert.equal(head(), 'Live');
    await s.press('8');
    assert.equal(head(), 'Log');
    await s.press('5 5 2');
    assert.equal(head(), 'call.overload › Packets › inner and outer');
    await s.press('4');
    assert.equal(head(), 'call 2 › Media');
  });
});

test('where rows are taken away to be read anew, every view bears it at once, and keys too', async () => {
  for (const keys of ['1', '2', '2 o Tab', '3 Enter', '4', '5', '6', '6 Right', '8'])
    await walk('00-field.pcapng', async (s) => {
      await s.press(keys);
      const { paintings } = s.display;
      s.viewer.rows.clear();
      for (const key of ['Down', 'G', '}', ']', 'Ctrl-L']) s.app.key(key);
      await until(() => s.display.paintings > paintings);
      await s.settled();
    });
});

test('nothing is written over the capture that is being read', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'fttscope-over-'));
  const path = join(folder, 'a.pcapng');
  copyFileSync(sample('24-dhcp-pool-empty.pcapng'), path);
  symlinkSync(path, join(folder, 'b.pcapng'));
  const before = readFileSync(path);
  const s = await stageOf([path], {});
  try {
    for (const key of ['e', 'w']) {
      await s.press(key === 'e' ? '1 e' : '1 w');
      await s.press('Enter Ctrl-U');
      s.app.paste(join(folder, 'b.pcapng'));
      await s.press('Enter');
      assert.match(s.text, /is being read;/);
      await s.press('Esc');
    }
    assert.deepEqual(readFileSync(path), before);
  } finally {
    await s.end();
    rmSync(folder, { recursive: true });
  }
});

test('pasted text does nothing where nothing is typed', async () => {
  await walk('20-healthy-call.pcapng', async (s) => {
    s.app.paste('Qq\n');
    await s.settled();
    assert.ok(!s.display.closed);
    assert.match(s.text, /pasted text is taken where a line is typed/);
  });
});

test('one tunnel captured at two places is one, with the packets of both', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'fttscope-places-'));
  const [ue, core] = [at('10.0.0.2', 0).address, at('10.0.0.1', 0).address];
  const there = up([envelope(ping(ue, core, 1, 1, 40))]);
  const back = down([envelope(ping(core, ue, 1, 1, 40))]);
  const c = await tlsConversation([there, back, there, back], { version: 'TLSv1.2' });
  const file = (name: string, client: string, epoch: number): string => {
    const ends = { client: at(client, 40_000), server: at('198.51.100.1', 443) };
    const path = join(folder, name);
    writeFileSync(path, new CaptureBuilder({ epoch, secrets: true }).connection(c, ends).build().octets);
    return path;
  };
  const s = await stageOf([file('ue.pcapng', '192.0.2.10', 1000), file('eftf.pcapng', '203.0.113.7', 1002)], {});
  try {
    await s.until(/^ Tunnels +1 tunnel$/m);
    assert.match(s.text, /^ 1 Tunnels {2}2 Packets/m);
    await s.press('i');
    assert.match(s.text, /captured +1: ue\.pcapng, rows of tunnel 1, UE 192\.0\.2\.10:40000/);
    assert.match(s.text, /2: eftf\.pcapng, rows of tunnel 2, UE 203\.0\.113\.7:40000/);
    assert.match(s.text, /clock 2000 ms ahead of the first/);
    await s.press('Esc Enter');
    assert.match(s.text, /tunnel 1 › Packets › inner +1 \/ 8$/m);
    assert.match(s.text, /^ +1:\d+\.1 .* 1 10\.0\.0\.2 [\s\S]*^ +2:\d+\.1 .* 2 10\.0\.0\.2 /m);
    await s.press('g f');
    await s.until(/file 1 .*ue\.pcapng[\s\S]*file 2 .*eftf\.pcapng/);
    await s.press('G');
    assert.match(s.text, /tunnels +1 /);
  } finally {
    await s.end();
    rmSync(folder, { recursive: true });
  }
});

test('the card of the capture says what capinfos says', async () => {
  await walk('00-field.pcapng', async (s) => {
    await s.press('g f');
    await s.until(/┌─ Capture/);
    // capinfos 4.0.17: 297 packets, 186.59 octets on average, 7335 octets/s, 39 packets/s, 7.5549 s, in order.
    assert.match(s.text, /frames +297, 55 kB/);
    assert.match(s.text, /first +2026-03-01 09:00:00\.020000000 UTC/);
    assert.match(s.text, /last +2026-03-01 09:00:07\.574900000 UTC/);
    assert.match(s.text, /duration +7\.5549 s/);
    assert.match(s.text, /rates +39\.3 frames\/s, 7335\.\d octets\/s/);
    assert.match(s.text, /average frame +186\.59 octets/);
    assert.match(s.text, /every frame after the one before/);
    assert.match(s.text, /interface +Ethernet/);
  });
});
