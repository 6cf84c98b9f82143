import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { copyFileSync, existsSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { CANNOT_BE_SILENT, CANNOT_CAPTURE, silence } from '../live/outer-support.js';
import { ROOT } from '../support/corpus.js';
import { until } from '../support/until.js';
import { inTerminal, type Tmux, withoutTmux } from './support/tmux.js';

const PROGRAM = join(ROOT, 'dist/src/cli/fttscope.js');
const TERM = { TERM: 'xterm-256color' };

/** A program that runs beside a terminal. */
interface Beside {
  /** What it said so far. */
  readonly text: () => string;
  readonly says: (what: RegExp) => Promise<void>;
  /** It has ended, and all that it said is there. */
  readonly over: Promise<void>;
  end(): void;
}

/** Runs the program beside a terminal, in the same home; resolves when it has said something. */
async function beside(t: Tmux, args: readonly string[], said: RegExp): Promise<Beside> {
  const { XDG_STATE_HOME: _, XDG_CONFIG_HOME: __, ...env } = process.env;
  const child = spawn(process.execPath, [PROGRAM, ...args], {
    env: { ...env, HOME: t.home },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let text = '';
  const take = (octets: Buffer): void => {
    text += octets.toString('utf8');
  };
  child.stdout.on('data', take);
  child.stderr.on('data', take);
  const over = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const says = (what: RegExp): Promise<void> =>
    until(
      () => what.test(text),
      () => `${what} was not said: ${text}`,
    );
  after(() => child.kill('SIGKILL')); // whatever becomes of the test
  await says(said);
  return { text: () => text, says, over, end: () => child.kill('SIGTERM') };
}

const read = (path: string, ...args: readonly string[]): string =>
  execFileSync(process.execPath, [PROGRAM, 'read', path, ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });

describe('live in a real terminal', { skip: withoutTmux() ?? false }, () => {
  test('screens that wait for a name end when they are left', { skip: CANNOT_BE_SILENT }, async () => {
    await inTerminal(80, 24, TERM, async (t) => {
      const quoted = silence().map((word) => `'${word}' `);
      t.run('00-field.pcapng', quoted.join(''));
      await t.shows(/Tunnels\(4\)/);
      t.type(':eftf --lab --listen eftf.example:0');
      await t.shows(/eftf --lab --listen eftf\.example:0/);
      t.press('Enter');
      await t.shows(/starting eftf/);
      t.type('Q');
      await t.isRestored();
    });
  });

  test('a UE of the lab: verbs, its own packets decoded as they come, saved with keys, and released', async () => {
    await inTerminal(80, 24, TERM, async (t) => {
      const eftf = await beside(t, ['eftf', '--lab', '--listen', '127.0.0.1:0'], /listening \S+:\d+\n/);
      const at = /listening (\S+)/.exec(eftf.text())![1];
      t.run(`ue ${at} --lab --ui`);
      await t.shows(/\+ DHCP 10\.45\.0\.\d+.*\+ REG registered/s);
      t.press('Enter');
      t.type('call echo\n');
      await t.shows(/\+ CALL confirmed/);
      t.press('Escape', '3');
      await t.shows(/call 1 alice → echo +ESTABLISHED/);
      t.press('2', '2');
      await t.shows(/RTP +PT=ITU-T G\.711/);
      t.press('7', 'Enter');
      t.type('hang\t\n');
      await t.shows(/call ended by this UE/);
      t.type('fault drop=0.5\n');
      await t.shows(/FAULTS ARE ARMED: drop=0\.5/);
      t.resize(120, 40);
      await t.shows(/(.*\n){36}.*fault: done/);
      t.type('fault off\n');
      t.type('release\n');
      await t.shows(/TUNNEL ENDED/);
      t.press('Escape');
      await t.shows(/Enter: type a verb/);
      t.press('w');
      await t.shows(/keys included/);
      t.type('k');
      await t.shows(/Whoever gets the file can read all/);
      t.type('y');
      await t.shows(/write to/);
      t.press('C-u');
      t.type('~/run.pcapng\n');
      await t.shows(/run\.pcapng: [\d,]+ packets written, with keys/);
      t.type('Q');
      await t.isRestored();
      await eftf.says(/tunnel 1 ended: released by the UE/);
      eftf.end();
      await eftf.over;

      const path = join(t.home, 'run.pcapng');
      assert.equal(statSync(path).mode & 0o077, 0);
      const rows = read(path, '-Y', 'sip.Method == "INVITE" || sip.Method == "BYE" || dhcp.option.dhcp == 5');
      assert.match(rows, /DHCP[\s\S]*INVITE[\s\S]*BYE/);
    });
  });

  test('an EFTF: its tunnels as they come, faults, and Ctrl-C in the middle', async () => {
    await inTerminal(120, 40, TERM, async (t) => {
      t.run('eftf --lab --ui --listen 127.0.0.1:0');
      const at = /listening (\S+)/.exec(await t.shows(/listening 127\.0\.0\.1:\d+/))![1];
      const ue = await beside(t, ['ue', at, '--lab'], /registered for/);
      await t.shows(/LISTENING \S+ {2}1 tunnel\b[\s\S]*tunnel 1: 127\.0\.0\.1:\d+, 10\.45\.0\.\d+/);
      t.press('1');
      await t.shows(/127\.0\.0\.1:\d+.* ok .*10\.45\.0/);
      t.press('7', 'Enter');
      t.type('fault 1 unknown-type\n');
      t.press('Escape', '2');
      await t.shows(/at the end[\s\S]*FTT-IMS +\d+ .*200/);
      t.press('C-c');
      await t.shows(/the EFTF at \S+ is stopped; Ctrl-C once more quits/);
      // What went through tunnels that are no more still counts.
      t.press('7');
      await t.shows(/STOPPED after[\s\S]* 0 tunnels[\s\S]*up [1-9]\d* packets .* down [1-9]\d* packets/);
      t.press('C-c', 'C-c');
      await t.isRestored();
      await ue.over;
      assert.match(ue.text(), /tunnel ended: released by the EFTF: it sent close_notify/);
    });
  });

  test('started from the screens, one after the other: a UE, stopped and again; wrong lines in words', async () => {
    await inTerminal(100, 30, TERM, async (t) => {
      const eftf = await beside(t, ['eftf', '--lab', '--listen', '127.0.0.1:0'], /listening \S+:\d+\n/);
      const at = /listening (\S+)/.exec(eftf.text())![1];
      t.run('');
      await t.shows(/Nothing is live here[\s\S]*act as a UE: establish a tunnel +:ue/);
      t.press('Down', 'Enter');
      await t.shows(/HOST\[:PORT\] \[options\]; Tab goes on/);
      t.type(`${at} --lap\n`);
      await t.shows(/unknown option '--lap'.*--lab/);
      t.press('C-h');
      t.type('b\n');
      await t.shows(/\+ DHCP 10\.45\.0\.\d+.*\+ REG registered/s);
      t.press('2');
      await t.shows(/SIP .*REGISTER/);
      t.press('7', 'Enter');
      t.type('stop\n');
      await t.shows(/STOPPED after[\s\S]*asks what to start next/);
      t.press('2');
      await t.shows(/FTT-IMS|DHCP|SIP/);
      t.press('7', 'Enter');
      await t.shows(/again: ue \S+ --lab/);
      t.type('ag');
      await t.shows(/The run is not saved\. Start ue \S+ --lab instead\?/);
      t.type('y');
      await t.shows(/CONNECTED[\s\S]*\+ REG registered/);
      t.type(':ue 127.0.0.1:443 --ca ~/none.pem\n');
      await t.shows(/The tunnel is up\. Start ue/);
      t.type('y');
      await t.shows(/none\.pem: /);
      await t.shows(/STOPPED after/);
      t.type(':open-file ~/none.pcapng\n');
      await t.shows(/instead\?/);
      t.type('y');
      await t.shows(/Nothing is live here[\s\S]*none\.pcapng/);
      t.press('Escape');
      await t.shows(/open {2}/);
      t.type('Q');
      await t.isRestored();
      await eftf.says(/tunnel 2 ended: released by the UE: it sent close_notify/);
      eftf.end();
      await eftf.over;
    });
  });

  test('an EFTF started beside a file that is open, twice at one address, and a file again', async () => {
    await inTerminal(120, 40, TERM, async (t) => {
      t.run('20-healthy-call.pcapng');
      await t.shows(/192\.0\.2\.10/);
      writeFileSync(join(t.home, 'one.yaml'), 'steps: [{expect: {tunnels: 1, within: 100s}}, tunnels]');
      t.type(':eftf --lab --listen 127.0.0.1:0 --run ~/one.yaml\n');
      const at = /listening (\S+)/.exec(await t.shows(/listening 127\.0\.0\.1:\d+/))![1];
      const first = await beside(t, ['ue', at, '--lab'], /registered for/);
      await t.shows(/scenario done[\s\S]*tunnel 1: 127\.0\.0\.1:\d+, 10\.45[\s\S]*the scenario is done/);
      t.type('1');
      await t.shows(/127\.0\.0\.1:\d+.* ok .*10\.45\.0/);
      t.type(`:eftf --lab --listen ${at}\n`);
      await t.shows(/1 tunnel is up\. Start eftf/);
      t.type('y');
      await t.shows(/LISTENING \S+ {2}0 tunnels/);
      await first.over;
      assert.match(first.text(), /tunnel ended: released by the EFTF/);
      const second = await beside(t, ['ue', at, '--lab'], /registered for/);
      await t.shows(/LISTENING \S+ {2}1 tunnel\b/);
      t.press('7', 'C-c');
      await t.shows(/STOPPED after/);
      await second.over;
      t.type(':open-file 20-healthy-call.pcapng\n');
      await t.shows(/The run is not saved\. Open/);
      t.type('y');
      await t.shows(/192\.0\.2\.10.* ok /);
      t.type('Q');
      await t.isRestored();
    });
  });

  test('an address that is taken, and one where nobody listens, in words', async () => {
    await inTerminal(80, 24, TERM, async (t) => {
      const eftf = await beside(t, ['eftf', '--lab', '--listen', '127.0.0.1:0'], /listening \S+:\d+\n/);
      const at = /listening (\S+)/.exec(eftf.text())![1];
      t.run(`eftf --lab --ui --listen ${at}; echo code $?`);
      assert.match(await t.shows(/code 1/), /the address is in use already/);
      eftf.end();
      await eftf.over;
      t.type('clear\n');
      t.run(`ue ${at} --lab --ui`);
      await t.shows(/NO TUNNEL[\s\S]*x TCP \S+ nothing listens there/);
      t.type('Q');
      await t.isRestored();
    });
  });

  test('a pipe whose keys come later: what waited is opened, and the keyboard lives', async () => {
    await inTerminal(80, 24, TERM, async (t) => {
      t.run('-r - -k ~/late.keys', '(cat 20-healthy-call.pcapng; while [ ! -e ~/go ]; do sleep 0.1; done) | ');
      await t.shows(/243 frames {2}more may come/);
      t.press('2', 'G');
      await t.shows(/TLSv1\.3 Application Data/);
      copyFileSync(join(ROOT, 'samples/20-healthy-call.keys'), join(t.home, 'late.keys'));
      await t.shows(/inner +\d+ \/ 236/);
      t.type('/sip.Method == "BYE"\n');
      await t.shows(/1 of \d+.*\n.*\n.*Request: BYE/);
      t.press('C-c');
      await t.shows(/reading was stopped; Ctrl-C once more quits/);
      t.press('C-c');
      writeFileSync(join(t.home, 'go'), '');
      await t.isRestored();
    });
  });

  test('a capture on lo: a choice that shows traffic, packets as they come, pause, stop, a file', {
    skip: CANNOT_CAPTURE.pcap,
  }, async () => {
    await inTerminal(120, 40, TERM, async (t) => {
      const socket = createSocket('udp4');
      const sending = setInterval(() => socket.send('fttscope', 19_997, '127.0.0.1'), 50);
      try {
        t.run('capture');
        await t.shows(/Capture on …/);
        await t.shows(/lo +[1-9][\d,]* .*127\.0\.0\.1/);
        t.type('/udp port 19997\n');
        await t.shows(/only packets of: udp port 19997/);
        // Sorted by packets; lo may not be the first.
        t.press('Escape');
        await t.shows(/Enter asks what to start/);
        t.type(':capture lo\n');
        await t.shows(/capture on lo|127\.0\.0\.1 +UDP/);
        t.type('/udp.dstport == 19997\n');
        await t.shows(/UDP .*19997/);
        t.type('p');
        const paused = await t.shows(/paused/);
        t.type('p');
        t.press('7');
        await t.shows(/CAPTURING \d\d:\d\d:\d\d[\s\S]*> lo [\d,]+ packets/);
        assert.ok(paused.length > 0);
        t.press('Enter');
        t.type('stop\n');
        await t.shows(/STOPPED after/);
        t.type('Q');
        await t.shows(/What was captured is not saved\. Quit all the same\?/);
        t.type('n');
        t.type('w');
        await t.shows(/outer: the frames as they were captured/);
        t.press('Enter');
        await t.shows(/write to/);
        t.press('C-u');
        t.type('~/lo.pcapng\n');
        await t.shows(/lo\.pcapng: [\d,]+ packets? written/);
        t.type('Q');
        await t.isRestored();
        const path = join(t.home, 'lo.pcapng');
        assert.ok(existsSync(path));
        assert.match(read(path, '-Y', 'udp.dstport == 19997'), /19997/);
      } finally {
        clearInterval(sending);
        socket.close();
      }
    });
  });
});
