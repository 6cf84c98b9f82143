import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { inTerminal, isAlive, withoutTmux } from './support/tmux.js';

describe('in a real terminal', { skip: withoutTmux() ?? false }, () => {
  for (const [term, lang] of [
    ['xterm-256color', 'C.UTF-8'],
    ['screen-256color', 'C.UTF-8'],
    ['linux', 'C.UTF-8'],
    ['xterm-256color', 'C'],
  ])
    test(`a walk with TERM=${term} and LANG=${lang}`, async () => {
      await inTerminal(80, 24, { TERM: term, LANG: lang }, async (t) => {
        t.run('28-overloaded.pcapng');
        await t.shows(/x +1 192\.0\.2\.10.* ok .*call was refused/s);
        t.press('5');
        await t.shows(/503 Service|call\.overload/);
        t.press('1', 'Enter');
        await t.shows(/Packets.*inner.*DHCP Discover/s);
        t.type('/sip.Status-Code == 503\n');
        await t.shows(/1 of 15 .*503 Service Unavailable/s);
        t.press('Tab');
        t.type('z');
        const screen = await t.shows(lang === 'C' ? /\+ +Status-Line: SIP/ : /[▸▾] Status-Line: SIP/);
        if (lang === 'C') assert.match(screen, /^[\x00-\x7f]*$/);
        t.type('Q');
        await t.isRestored();
      });
    });

  test('120 cells by 40 lines, and another size in the middle', async () => {
    await inTerminal(120, 40, { TERM: 'xterm-256color' }, async (t) => {
      t.run('20-healthy-call.pcapng');
      await t.shows(/10\.45\.0\.2/);
      t.press('2');
      await t.shows(/Session|Dynamic Host/);
      t.resize(80, 24);
      await t.shows(/^ fttscope.{60,}\n(.*\n){22} Tab pane.* \? help *\n*$/);
      t.resize(60, 20);
      await t.shows(/list 1\/3/);
      t.resize(30, 6);
      await t.shows(/30x6 is too small/);
      t.resize(200, 50);
      await t.shows(/Dynamic Host Configuration Protocol \(Discover\)/);
      t.type('Q');
      await t.isRestored();
    });
  });

  test('stopped with Ctrl-Z, and brought back', async () => {
    await inTerminal(80, 24, { TERM: 'xterm-256color' }, async (t) => {
      t.run('20-healthy-call.pcapng');
      await t.shows(/10\.45\.0\.2/);
      t.press('C-z');
      await t.shows(/Stopped/);
      assert.equal(t.modes, '0 0 1');
      t.resize(100, 30);
      t.type('fg\n');
      await t.shows(/^ fttscope.{85,}\n(.*\n){28} .* \? help *\n*$/);
      t.press('2');
      await t.shows(/DHCP Discover/);
      t.type('Q');
      await t.isRestored();
    });
  });

  test('ended by signals, the terminal is as it was', async () => {
    await inTerminal(80, 24, { TERM: 'xterm-256color' }, async (t) => {
      for (const signal of ['TERM', 'HUP', 'INT', 'QUIT']) {
        t.type('ulimit -c 0; clear\n');
        t.run('20-healthy-call.pcapng & P=$!; fg');
        await t.shows(/10\.45\.0\.2/);
        t.type(':');
        await t.shows(/a command, or the number/);
        process.kill(t.programs()[0], `SIG${signal}`);
        await t.isRestored();
      }
    });
  });

  test('a connection that is lost ends the program', async () => {
    let pids: number[] = [];
    await inTerminal(80, 24, { TERM: 'xterm-256color' }, async (t) => {
      t.run('20-healthy-call.pcapng');
      await t.shows(/10\.45\.0\.2/);
      pids = t.programs();
      assert.equal(pids.length, 1);
    });
    assert.ok(!isAlive(pids[0]), 'and nobody had to kill it');
  });

  test('a capture on standard input, keys from the terminal', async () => {
    await inTerminal(80, 24, { TERM: 'xterm-256color' }, async (t) => {
      t.run('- -k 20-healthy-call.keys', '(until [ -e ~/go ]; do sleep 0.1; done; cat 20-healthy-call.pcapng) | ');
      await t.shows(/Waiting for the first packet on standard input/);
      writeFileSync(join(t.home, 'go'), '');
      // All of it was read: G goes to the last of the packets that there are.
      await t.shows(/243 frames {2}\d+\.\d\d s/);
      t.press('2', 'G');
      await t.shows(/238\.1/);
      t.type('Q');
      await t.isRestored();
    });
  });

  test('a terminal that can do nothing gets lines', async () => {
    await inTerminal(80, 24, { TERM: 'dumb' }, async (t) => {
      t.run('20-healthy-call.pcapng');
      // Lines are printed once: where reading takes longer than they wait for it, an empty line asks for them again.
      const whole = / 1 .*192\.0\.2\.10[\s\S]*\s120\/116[\s\S]*\n> ?\n/;
      while (!whole.test(await t.shows(/(?:\s120\/116|Still being read)[\s\S]*\n> ?\n/))) t.type('\n');
      t.type('1\n');
      await t.shows(/ 18 +22\.2 .*PRACK/);
      t.type('Q\n');
      await t.shows(/\$ *\n*$/);
    });
  });

  test('ended by a fault, the terminal is as it was, and the fault is told', async () => {
    await inTerminal(80, 24, { TERM: 'xterm-256color' }, async (t) => {
      const module = new URL('../../src/tui/term.js', import.meta.url).href;
      const options = `{ input: process.stdin, output: process.stdout, term: 'xterm', ascii: false, mouse: true }`;
      const script = `const { openTerminal } = await import('${module}'); await openTerminal(${options}, {}); setTimeout(() => { throw new Error('on purpose'); }, 500);`;
      writeFileSync(join(t.home, 'fault.mjs'), script);
      t.type(`clear; '${process.execPath}' ~/fault.mjs; echo o''ver\n`);
      const screen = await t.shows(/^over$/m);
      assert.match(screen, /Error: on purpose/);
      assert.equal(t.modes, '0 0 1');
    });
  });

  test('the pager and the editor get the terminal, and give it back', async () => {
    const env = { TERM: 'xterm-256color', PAGER: 'sh ~/page', EDITOR: 'sh ~/edit' };
    await inTerminal(80, 24, env, async (t) => {
      writeFileSync(
        join(t.home, 'page'),
        `sed -n 's/^/paged /; 1,3p' "$1"; echo waits; read LINE; echo "got $LINE"; sleep 1\n`,
      );
      writeFileSync(join(t.home, 'edit'), `cat "$1"; echo 'sip.Method == "INVITE"' > "$1"\n`);
      t.run('20-healthy-call.pcapng');
      await t.shows(/10\.45\.0\.2/);
      t.press('2');
      await t.shows(/Dynamic Host/);
      t.press('v');
      const screen = await t.shows(/^waits$/m);
      assert.match(screen, /^paged Frame 8/m);
      assert.doesNotMatch(screen, /Tunnels/);
      assert.equal(t.modes, '0 0 1');
      t.press('C-c');
      t.type('jj\n');
      await t.shows(/ fttscope .*243 frames/);
      t.press('E');
      await t.shows(/\/ sip\.Method == "INVITE" +1 of 236/);
      t.type('Q');
      await t.isRestored();
    });
  });

  test('a Ctrl-C for the pager that is told after its end does not end us', async () => {
    await inTerminal(80, 24, { TERM: 'xterm-256color' }, async (t) => {
      const module = new URL('../../src/tui/term.js', import.meta.url).href;
      const options = `{ input: process.stdin, output: process.stdout, term: 'xterm', ascii: false, mouse: true }`;
      const script = `const { openTerminal } = await import('${module}');
        const terminal = await openTerminal(${options}, { resized() {} });
        await terminal.lend(async () => {});
        process.kill(process.pid, 'SIGINT');
        // A machine that has much else to do lets us go on only now.
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1500);
        setTimeout(() => { terminal.close(); console.log('lived'); process.exit(); }, 1000);`;
      writeFileSync(join(t.home, 'late.mjs'), script);
      t.type(`clear; '${process.execPath}' ~/late.mjs; echo o''ver\n`);
      assert.match(await t.shows(/^over$/m), /^lived$/m);
    });
  });

  test('a capture that cannot be opened leaves words and no screen', async () => {
    await inTerminal(80, 24, { TERM: 'xterm-256color' }, async (t) => {
      t.run('nothing-here.pcapng; echo code $?');
      const screen = await t.shows(/code \d/);
      assert.match(screen, /code 2/);
      assert.match(screen, /nothing-here\.pcapng/);
      assert.equal(t.modes.split(' ')[0], '0');
    });
  });
});
