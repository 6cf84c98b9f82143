import assert from 'node:assert/strict';
import { copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';

import { sample } from './support/stage.js';
import { inTerminal, type Tmux, withoutTmux } from './support/tmux.js';

/*
 * The first five minutes of somebody who has never seen the program, in a real terminal: at each size, on each kind of
 * terminal, with another size in the middle.
 */

const TERMINALS = [
  { width: 80, height: 24, env: { TERM: 'xterm-256color' }, other: [132, 43] },
  { width: 120, height: 40, env: { TERM: 'screen-256color' }, other: [80, 24] },
  { width: 200, height: 50, env: { TERM: 'linux' }, other: [100, 30] },
  { width: 80, height: 24, env: { TERM: 'xterm-256color', LANG: 'C' }, other: [120, 40] },
  { width: 120, height: 40, env: { TERM: 'xterm-256color', NO_COLOR: '1' }, other: [60, 20] },
] as const;

/** Does something in a terminal, and sees that the shell has it again afterwards, as it was. */
const walk = (at: (typeof TERMINALS)[number], what: (t: Tmux) => Promise<void>): Promise<void> =>
  inTerminal(at.width, at.height, at.env, async (t) => {
    for (const end of ['pcapng', 'keys']) copyFileSync(sample(`00-field.${end}`), join(t.home, `field.${end}`));
    await what(t);
    await t.isRestored();
    // Without UTF-8 nothing but ASCII.
    if ('LANG' in at.env) assert.match(t.screen, /^[\x00-\x7f]*$/);
  });

describe('the first five minutes', { skip: withoutTmux() ?? false, concurrency: 2 }, () => {
  for (const at of TERMINALS) {
    const { width, height, env, other } = at;
    const where = `${width}x${height}, ${Object.entries(env).join(' ').replaceAll(',', '=')}`;

    test(`why a call failed: ${where}`, async () => {
      await walk(at, async (t) => {
        t.run('~/field.pcapng -k ~/field.keys');
        // Four tunnels, worst first; the title tells what keys did.
        await t.shows(/x +1 192\.0\.2\.7[\s\S]*2 192\.0\.2\.9[\s\S]*3 192\.0\.2\.11[\s\S]*4 192\.0\.2\.12/);
        await t.shows(/WRONG KEY|NO KEY/);
        t.press('5');
        await t.shows(/call\.overload[\s\S]*Next: /);
        t.press('Enter');
        await t.shows(/503 Service Unavailable/);
        t.resize(other[0], other[1]);
        await t.shows(/503 Service Unavailable/);
        t.press('o');
        await t.shows(/285 [\s\S]*TLSv1\.3 Application Data/);
        t.resize(width, height);
        t.press('Escape');
        await t.shows(/call 2 . ladder/);
        t.press('e');
        await t.shows(/ Export /);
        t.press('m');
        await t.shows(/export to .*field\.findings\.md/);
        t.press('C-u');
        t.type('~/ticket.md\n');
        await t.shows(/ticket\.md: .* written/);
        assert.match(readFileSync(join(t.home, 'ticket.md'), 'utf8'), /503 Service Unavailable/);
        t.type('Q');
      });
    });

    if (!('NO_COLOR' in env))
      test(`looking closely: ${where}`, async () => {
        await walk(at, async (t) => {
          const pipe = '(until [ -e ~/go ]; do sleep 0.1; done; cat ~/field.pcapng) | ';
          t.run('-r - -k ~/field.keys', pipe);
          await t.shows(/Waiting for the first packet/);
          writeFileSync(join(t.home, 'go'), '');
          await t.shows(/297 frames[\s\S]*\nx +1 192/);
          t.press('2');
          await t.shows(/DHCP Discover/);
          t.type('/sip.Meth');
          await t.shows(/neither a field nor/);
          t.press('Tab');
          t.type(' == "INVITE"');
          await t.shows(/2 of 223/);
          t.press('Enter');
          await t.shows(/\/ sip\.Method == "INVITE" +2 of 223/);
          t.resize(other[0], other[1]);
          t.press('Escape');
          // Where in the list the cursor stands depends on which of the two came first.
          await t.shows(/ 9 \/ 223\n[\s\S]*\n *39\.1 /);
          t.type(']]');
          await t.shows(/180 Ringing/);
          t.press('Tab', 'Down');
          await t.shows(/Session Initiation Protocol/);
          t.resize(width, height);
          t.press('3', 'Enter');
          await t.shows(/200 OK/);
          t.type(' ');
          await t.shows(/Space on another message compares/);
          t.press('Down', 'Down', 'Down');
          t.type(' ');
          await t.shows(/Packets 39\.1 and 62\.1[\s\S]*differ/);
          t.press('Escape');
          await t.shows(/Space select/);
          t.type('22:123\n');
          await t.shows(/ 123(\.1)? /);
          t.type("magg'a?");
          await t.shows(/Keys in Packets/);
          t.press('Escape');
          await t.shows(/Tab pane/);
          t.type('Q');
        });
      });
  }

  test('the tour of the demo', async () => {
    await walk(TERMINALS[0], async (t) => {
      t.run('demo');
      await t.shows(/tour 1\/5 +Enter shows the packets/);
      t.press('Enter');
      await t.shows(/tour 2\/5 +3 shows the calls/);
      t.resize(120, 40);
      t.press('3');
      await t.shows(/tour 3\/5 +5 says what went wrong/);
      t.press('5');
      await t.shows(/tour 4\/5 +5 once more/);
      t.press('5');
      await t.shows(/x call\.overload/);
      await t.shows(/tour 5\/5 +e exports/);
      t.press('e');
      await t.shows(/ Export /);
      t.press('Escape');
      await t.shows(/\? help/);
      t.type('Q');
      await t.isRestored();
      assert.ok(!existsSync(join(t.home, '.local')), 'a demo leaves nothing behind');
    });
  });
});
