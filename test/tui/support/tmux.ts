import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from '../../support/corpus.js';

/** Why tests with a real terminal cannot run; undefined: they can. */
export function withoutTmux(): string | undefined {
  try {
    execFileSync('tmux', ['-V'], { stdio: 'ignore' });
    return undefined;
  } catch {
    return 'tmux is missing: no real terminal to test in';
  }
}

const PROGRAM = join(ROOT, 'dist/src/cli/fttscope.js');

/** A shell in a terminal of tmux, to type into and to look at. */
export class Tmux {
  /** The home of the user. */
  readonly home = mkdtempSync(join(tmpdir(), 'fttscope-tmux-'));

  constructor(width: number, height: number, env: Readonly<Record<string, string>> = {}) {
    const settings = Object.entries({ HOME: this.home, PS1: '$ ', LANG: 'C.UTF-8', ...env }).map(
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

  /** Numbers of the processes of the program in this terminal. */
  programs(): number[] {
    const shell = this.tmux('display-message', '-p', '#{pane_tty}').trim().replace('/dev/', '');
    const list = execFileSync('ps', ['-t', shell, '-o', 'pid=,args='], { encoding: 'utf8' });
    return list
      .split('\n')
      .filter((l) => l.includes('fttscope.js'))
      .map((l) => Number.parseInt(l, 10));
  }

  /** Waits until the screen shows something. @throws Error with the screen after 20 seconds */
  async shows(what: RegExp): Promise<string> {
    const end = Date.now() + 20_000;
    for (;;) {
      const { screen } = this;
      if (what.test(screen)) return screen;
      if (Date.now() > end) throw new Error(`${what} did not come:\n${screen}`);
      await new Promise((resolve) => setTimeout(resolve, 60));
    }
  }

  end(): void {
    this.tmux('kill-server');
    try {
      rmSync(this.home, { recursive: true, force: true, maxRetries: 3 });
    } catch {
      // a program that has just been ended may still write what it remembers
    }
  }
}
