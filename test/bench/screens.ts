/** Times the screens as a person has them: the real program in a pseudo-terminal, on the capture of the benchmark. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import xterm from '@xterm/headless';

const COLS = 120;
const ROWS = 40;
/** Milliseconds between two keys of somebody who holds one down. */
const KEY_MS = 60;
/** Milliseconds in which nothing more is painted: the screen has settled. */
const QUIET_MS = 400;

/** The program in a terminal of its own. */
class Session {
  readonly started = performance.now();
  private readonly child: ChildProcess;
  private readonly terminal = new xterm.Terminal({ cols: COLS, rows: ROWS, allowProposedApi: true });
  private painted = 0;
  private listeners: (() => void)[] = [];
  /** Largest resident size seen, in megabytes. */
  peak = 0;
  private readonly timer: NodeJS.Timeout;

  constructor(command: string) {
    const line = `stty rows ${ROWS} cols ${COLS}; exec ${command}`;
    const env = { ...process.env, TERM: 'xterm-256color', LANG: 'C.UTF-8' };
    this.child = spawn('script', ['-qfc', line, '/dev/null'], { stdio: ['pipe', 'pipe', 'ignore'], env });
    this.child.stdout!.on('data', (b: Buffer) => {
      this.terminal.write(b, () => {
        this.painted = performance.now();
        for (const listener of this.listeners) listener();
      });
    });
    this.timer = setInterval(() => {
      this.peak = Math.max(this.peak, peakBelow(this.child.pid!));
    }, 100);
  }

  /** The screen as text. */
  text(): string {
    const { active } = this.terminal.buffer;
    const lines: string[] = [];
    for (let y = 0; y < ROWS; y++) lines.push(active.getLine(y)?.translateToString(true) ?? '');
    return lines.join('\n');
  }

  /** Milliseconds until the screen shows what is looked for. @throws Error where it does not */
  async until(shows: (text: string) => boolean, most: number): Promise<number> {
    const from = performance.now();
    while (!shows(this.text())) {
      if (performance.now() - from > most) throw new Error(`not seen within ${most} ms:\n${this.text()}`);
      await this.paint(20);
    }
    return performance.now() - from;
  }

  /** Waits for something to be painted; resolves to whether it was. */
  paint(most: number): Promise<boolean> {
    return new Promise((resolve) => {
      const done = (was: boolean): void => {
        clearTimeout(timer);
        this.listeners = this.listeners.filter((l) => l !== heard);
        resolve(was);
      };
      const heard = (): void => done(true);
      const timer = setTimeout(() => done(false), most);
      this.listeners.push(heard);
    });
  }

  /** Presses a key; resolves to the milliseconds until the screen was another. */
  async press(key: string): Promise<number> {
    const before = this.text();
    const from = performance.now();
    this.child.stdin!.write(key);
    while (this.text() === before && performance.now() - from < 5000) await this.paint(100);
    return performance.now() - from;
  }

  /** Waits until nothing is painted any more. */
  async settle(): Promise<void> {
    while (performance.now() - this.painted < QUIET_MS) await this.paint(QUIET_MS);
  }

  async end(): Promise<void> {
    clearInterval(this.timer);
    this.child.stdin!.write('\x03\x03');
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => this.child.kill('SIGKILL'), 3000);
      this.child.on('close', () => {
        clearTimeout(timer);
        resolve();
      });
    });
  }
}

/** Largest resident size of the processes below one, in megabytes. */
function peakBelow(pid: number): number {
  let peak = 0;
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    if (/^Name:\s+(node|MainThread)/m.test(status)) peak = Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024;
    for (const task of readdirSync(`/proc/${pid}/task`))
      for (const child of readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').trim().split(' '))
        if (child !== '') peak = Math.max(peak, peakBelow(Number(child)));
  } catch {
    // gone meanwhile
  }
  return peak;
}

const quantile = (list: readonly number[], q: number): string => {
  const sorted = [...list].sort((a, b) => a - b);
  return `${(sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN).toFixed(0)} ms`;
};

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Measures the screens on a capture, and prints it. `main` is the program's file. */
export async function measureScreens(main: string, file: string, keys: string): Promise<void> {
  if (spawnSync('script', ['--version']).error !== undefined) {
    console.log('the screens are not measured: there is no script(1) to give them a terminal');
    return;
  }
  const empty = performance.now();
  spawnSync(process.execPath, ['-e', '0']);
  const node = performance.now() - empty;
  const s = new Session(`node ${main} ${file} -k ${keys}`);
  const shown = await s.until((text) => /\n.*1 Tunnels.*\n[\s\S]*\d+\.\d+\.\d+\.\d+:\d+/.test(text), 10_000);
  console.log(`screens: first tunnels after ${shown.toFixed(0)} ms (an empty node takes ${node.toFixed(0)} ms)`);

  await s.press('2');
  await s.until((text) => /\bNo\b.*\bInfo\b/.test(text), 5000);
  const busy: number[] = [];
  for (let i = 0; i < 150 && !isRead(s.text()); i++) {
    busy.push(await s.press(i % 40 === 39 ? '\x1b[6~' : 'j'));
    await pause(KEY_MS);
  }
  console.log(
    `screens: key to paint while the file is read: ${busy.length} keys, half within ${quantile(busy, 0.5)}, 99 % within ${quantile(busy, 0.99)}`,
  );

  await s.until(isRead, 600_000);
  console.log(`screens: the file was read ${((performance.now() - s.started) / 1000).toFixed(1)} s after the start`);
  await s.settle();
  const packets = await everyPacket(s);
  const ends: number[] = [];
  for (let i = 0; i < 5; i++) {
    ends.push(await s.press('G'));
    await s.settle();
    ends.push(await s.press('g'));
    await s.press('g');
    await s.settle();
  }
  const quiet: number[] = [];
  for (let i = 0; i < 100; i++) {
    quiet.push(await s.press(i % 20 === 19 ? '\x1b[6~' : 'j'));
    await pause(KEY_MS);
  }
  console.log(
    `screens: G within ${quantile(
      ends.filter((_, i) => i % 2 === 0),
      0.99,
    )}`,
  );
  console.log(
    `screens: key to paint of a file that is read: half within ${quantile(quiet, 0.5)}, 99 % within ${quantile(quiet, 0.99)}`,
  );
  // Calls and media, whose lists come from the report.
  for (const key of ['3', '4', '5']) {
    await s.press(key);
    await s.settle();
  }
  const allowed = (100 * packets) / 1e6 + 150;
  console.log(`screens: ${s.peak.toFixed(0)} MB at most for ${packets} packets (wanted: ${allowed.toFixed(0)} MB)`);
  await s.end();
}

/** Goes from the packets inside one tunnel to all, inner and outer; returns how many there are. */
async function everyPacket(s: Session): Promise<number> {
  await s.press('2');
  await s.settle();
  for (let i = 0; i < 3 && !/› inner and outer/.test(s.text()); i++) {
    await s.press('o');
    await s.settle();
  }
  return Number(/ \/ ([\d,]+)$/m.exec(s.text())?.[1].replaceAll(',', '') ?? 0);
}

/** Whether the title line says how long reading took, no longer how far it is. */
const isRead = (text: string): boolean => /^ ?fttscope .*frames +\d+(\.\d+)? s/m.test(text);
