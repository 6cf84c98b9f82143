import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from '../../support/corpus.js';
import { PATIENCE_MS } from '../../support/until.js';

/** Why tests with a real terminal cannot run; undefined: they can. */
export function withoutTmux(): string | undefined {
  for (const program of ['tmux', 'ps'])
    if (spawnSync(program, ['-V'], { stdio: 'ignore' }).status !== 0)
      return `${program} is missing: no real terminal to test in`;
  return undefined;
}

const PROGRAM = join(ROOT, 'dist/src/cli/fttscope.js');

/** Whether a process runs; one that has ended and that nobody asked about yet does not. */
export function isAlive(pid: number): boolean {
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return false;
  }
}

/** Does something in a terminal of its own. */
export async function inTerminal(
  width: number,
  height: number,
  env: Readonly<Record<string, string>>,
  what: (t: Tmux) => Promise<void>,
): Promise<void> {
  const t = new Tmux(width, height, env);
  try {
    await what(t);
  } catch (e) {
    await t.end().catch(() => undefined);
    throw e;
  }
  await t.end();
}

/** A shell in a terminal of tmux, to type into and to look at. */
export class Tmux {
  /** The home of the user. */
  readonly home = mkdtempSync(join(tmpdir(), 'fttscope-tmux-'));

  constructor(width: number, height: number, env: Readonly<Record<string, string>> = {}) {
    const settings = Object.entries({ HOME: this.home, HISTFILE: '', PS1: '$ ', LANG: 'C.UTF-8', ...env }).map(
      ([k, v]) => `${k}='${v}'`,
    );
    const shell = `cd '${join(ROOT, 'samples')}'; env -u LC_ALL -u LC_CTYPE -u NO_COLOR -u XDG_STATE_HOME -u XDG_CONFIG_HOME ${settings.join(' ')} bash --norc --noprofile -i`;
    this.tmux('-f', '/dev/null', 'new-session', '-d', '-x', String(width), '-y', String(height), shell);
  }

  private tmux(...args: readonly string[]): string {
    return execFileSync('tmux', ['-S', join(this.home, 'socket'), ...args], { encoding: 'utf8' });
  }

  /** Starts the program with arguments as a shell reads them. */
  run(args: string, before = ''): void {
    this.type(`${before}'${process.execPath}' '${PROGRAM}' ${args}\n`);
  }

  /** Types text as it is. */
  type(text: string): void {
    this.tmux('send-keys', '-l', '--', text);
  }

  /** Presses keys by the names that tmux has. */
  press(...keys: readonly string[]): void {
    this.tmux('send-keys', ...keys);
  }

  resize(width: number, height: number): void {
    this.tmux('resize-window', '-x', String(width), '-y', String(height));
  }

  get screen(): string {
    return this.tmux('capture-pane', '-p');
  }

  /** What the terminal is set to: alternate screen, mouse, cursor. */
  get modes(): string {
    return this.tmux('display-message', '-p', '#{alternate_on} #{mouse_any_flag} #{cursor_flag}').trim();
  }

  /** The processes in this terminal. */
  private all(): (readonly [pid: number, args: string])[] {
    const tty = this.tmux('display-message', '-p', '#{pane_tty}').trim().replace('/dev/', '');
    const list = execFileSync('ps', ['-t', tty, '-o', 'pid=,args='], { encoding: 'utf8' });
    return list
      .trimEnd()
      .split('\n')
      .map((l) => [Number.parseInt(l, 10), l] as const);
  }

  /** Numbers of the processes of the program in this terminal. */
  programs(): number[] {
    return this.all().flatMap(([pid, args]) => (args.includes('fttscope.js') ? [pid] : []));
  }

  /** Waits until the screen shows something. @throws Error with the screen where it does not come */
  async shows(what: RegExp): Promise<string> {
    const end = Date.now() + PATIENCE_MS;
    for (;;) {
      const { screen } = this;
      if (what.test(screen)) return screen;
      if (Date.now() > end) throw new Error(`${what} did not come:\n${screen}`);
      await new Promise((resolve) => setTimeout(resolve, 60));
    }
  }

  /** Waits until the shell has the terminal again, as it was. */
  async isRestored(): Promise<void> {
    const screen = await this.shows(/\$ *\n*$/);
    assert.equal(this.modes, '0 0 1');
    assert.doesNotMatch(screen, /Tunnels/);
  }

  /** Takes the terminal away. @throws Error where something that ran in it does not end */
  async end(): Promise<void> {
    const all = this.all();
    this.tmux('kill-server');
    const end = Date.now() + PATIENCE_MS;
    const left = (): typeof all => all.filter(([pid]) => isAlive(pid));
    while (left().length > 0 && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 20));
    const still = left();
    for (const [pid] of still) process.kill(pid, 'SIGKILL');
    rmSync(this.home, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
    if (still.length > 0) throw new Error(`still there without a terminal: ${still.map(([, args]) => args).join()}`);
  }
}
