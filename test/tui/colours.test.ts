import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { DEFAULT_RULES, RowColours, readColourFilters } from '../../src/tui/colour-rules.js';
import { OWN, THEMES, type ThemeName } from '../../src/tui/style.js';
import { contrast, depthOf, paletteColour, themeFor, usualTheme } from '../../src/tui/theme.js';

const foreground = (style: number): number => (style >> 9) & 0x1ff;
const background = (style: number): number => style & 0x1ff;

describe('colours of the terminal', () => {
  test('come from the environment', () => {
    const depth = (env: Record<string, string>) => depthOf(env, 'auto');
    assert.equal(depth({ TERM: 'xterm-256color' }), 256);
    assert.equal(depth({ TERM: 'screen' }), 256);
    assert.equal(depth({ TERM: 'xterm' }), 16);
    assert.equal(depth({ TERM: 'xterm', COLORTERM: 'truecolor' }), 256);
    assert.equal(depth({ TERM: 'linux' }), 8);
    assert.equal(depth({ TERM: 'dumb' }), 0);
    // Entries of ncurses' terminfo without colours (`infocmp -1 NAME | grep colors` is empty).
    for (const TERM of ['xterm-mono', 'linux-m', 'ansi-m'])
      assert.equal(depth({ TERM, COLORTERM: 'truecolor' }), 0, TERM);
  });

  test('NO_COLOR takes them away unless it is empty, and --color decides over it', () => {
    const env = { TERM: 'xterm-256color', NO_COLOR: '1' };
    assert.equal(depthOf(env, 'auto'), 0);
    assert.equal(depthOf({ ...env, NO_COLOR: '' }, 'auto'), 256);
    assert.equal(depthOf(env, 'always'), 256);
    assert.equal(depthOf({ TERM: 'xterm-256color' }, 'never'), 0);
  });

  test('the ground that COLORFGBG tells has the theme for it, as vim takes it', () => {
    // vim's term.c, set_option_bg(): 0 to 6 and 8 are dark, the others light.
    for (let ground = 0; ground < 16; ground++)
      assert.equal(
        usualTheme({ COLORFGBG: `0;${ground}` }),
        ground < 7 || ground === 8 ? 'dark' : 'light',
        `${ground}`,
      );
    assert.equal(usualTheme({ COLORFGBG: '0;default;15' }), 'light');
    for (const odd of ['', '15', '0;default', 'default;default']) assert.equal(usualTheme({ COLORFGBG: odd }), 'dark');
    assert.equal(usualTheme({}), 'dark');
  });

  test('a theme uses only those that there are', () => {
    for (const name of Object.keys(THEMES) as ThemeName[])
      for (const depth of [8, 16] as const)
        for (const s of Object.values(themeFor(name, depth)).flat() as number[])
          for (const c of [foreground(s), background(s)]) assert.ok(c === OWN || c < depth, `${name} ${depth}: ${c}`);
  });

  test('a grey stays one among eight: what is nearest to it is a yellow', () => {
    assert.equal(foreground(themeFor('dark', 8).dim), 7);
    assert.equal(foreground(themeFor('light', 8).dim), 0);
  });

  test('without colours every style is the terminal’s own', () => {
    for (const s of Object.values(themeFor('dark', 0)).flat() as number[]) {
      assert.equal(foreground(s), OWN);
      assert.equal(background(s), OWN);
    }
  });

  test('what is under the cursor can be read', () => {
    for (const name of ['dark', 'light', 'contrast'] as const) {
      const { cursor } = themeFor(name, 256);
      assert.ok(contrast(paletteColour(foreground(cursor)), paletteColour(background(cursor))) > 4.5, name);
    }
  });
});

describe('rules for rows', () => {
  const colours = new RowColours(DEFAULT_RULES, 'dark', 256);
  const find = (protocol: string, info: string, findings: string[] = []): string =>
    DEFAULT_RULES[colours.find(0, { protocol, info, findings }, () => null)]?.name ?? '';

  test('ours tell SIP by its first digit, and faults before all else', () => {
    assert.equal(find('SIP', 'Status: 180 Ringing'), 'SIP 1xx');
    assert.equal(find('SIP/SDP', 'Status: 200 OK (INVITE)'), 'SIP 2xx');
    assert.equal(find('SIP', 'Status: 503 Service Unavailable'), 'SIP 5xx, 6xx');
    assert.equal(find('SIP/SDP', 'Request: INVITE sip:bob@ims.example'), 'SIP request');
    assert.equal(find('SIP', 'Request: INVITE sip:a', ['fttims.bad-length']), 'Envelope fault');
    assert.equal(find('ICMPv6', 'Router Advertisement from x'), 'DHCP, RA');
    assert.equal(find('TCP', '[TCP Retransmission] 443 → 1 [ACK]'), 'Bad TCP');
    assert.equal(find('TCP', '443 → 40000 [RST, ACK] Seq=1'), 'TCP RST');
    assert.equal(find('TCP', '443 → 40000 [SYN] Seq=0'), 'TCP SYN/FIN');
    assert.equal(find('QUIC', 'Initial'), '');
  });

  test('Wireshark’s file is read: name, filter, both colours, what is off', () => {
    // The first lines of the file that Wireshark 4 ships.
    const { rules, problems } = readColourFilters(
      [
        '# This file was created by Wireshark. Edit with care.',
        '@Bad TCP@tcp.analysis.flags && !tcp.analysis.window_update@[4626,10023,11822][63479,34695,34695]',
        '!@___tmp_color_filter___01@(ip.addr eq 192.0.2.1)@[65535,49680,49680][0,0,0]',
        'what is this',
        '@With \\@ in it@frame contains "a\\\\b"@[0,0,0][65535,65535,65535]',
      ].join('\n'),
    );
    assert.equal(rules.length, 3);
    assert.deepEqual(rules[0], {
      name: 'Bad TCP',
      filter: 'tcp.analysis.flags && !tcp.analysis.window_update',
      background: 0x12272e,
      foreground: 0xf78787,
    });
    assert.equal(rules[1].off, true);
    assert.equal(rules[2].name, 'With @ in it');
    assert.equal(rules[2].filter, 'frame contains "a\\b"');
    assert.deepEqual(problems, ['line 4 is no colour rule: @name@filter@[r,g,b][r,g,b] is expected']);
  });

  test('the first rule decides; one that is off or not known to fit is passed over', () => {
    const { rules } = readColourFilters(
      ['!@off@a@[0,0,0][65535,0,0]', '@slow@b@[0,0,0][0,65535,0]', '@fits@c@[0,0,0][0,0,65535]'].join('\n'),
    );
    const imported = new RowColours(rules, 'dark', 256);
    const glance = { protocol: 'X', info: '', findings: [] };
    assert.deepEqual(imported.filters, ['b', 'c']);
    assert.equal(
      imported.find(7, glance, (f, row) => (f === 'b' ? null : row === 7)),
      2,
    );
    assert.equal(
      imported.find(8, glance, (_, row) => row === 7),
      -1,
    );
  });

  test('a colour on the terminal’s own ground can be read there', () => {
    const { rules } = readColourFilters('@dark blue@x@[65535,65535,65535][0,0,20000]');
    const style = new RowColours(rules, 'dark', 256).styleOf(0, { protocol: '', info: '', findings: [] }, () => true)!;
    assert.ok(contrast(paletteColour(foreground(style)), 0x000000) >= 4);
    assert.equal(background(style), OWN);
  });
});
