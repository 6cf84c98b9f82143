import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ReadOptions } from '../../../src/cli/options.js';
import { Viewing } from '../../../src/cli/viewing.js';
import { App } from '../../../src/tui/app.js';
import type { AppParts } from '../../../src/tui/app-parts.js';
import type { Grid } from '../../../src/tui/cells.js';
import type { Display } from '../../../src/tui/display.js';
import { Memory } from '../../../src/tui/settings.js';
import { THEMES } from '../../../src/tui/style.js';
import type { Catalogue } from '../../../src/tui/view.js';
import { makeViews } from '../../../src/tui/views.js';
import { CaptureViewer } from '../../../src/viewer/capture-viewer.js';
import type { Selection, Viewer } from '../../../src/viewer/viewer.js';
import { ROOT } from '../../support/corpus.js';
import { PATIENCE_MS, until } from '../../support/until.js';

/** A sample of the project. */
export const sample = (name: string): string => join(ROOT, 'samples', name);

/** A capture, read to its end in the thread of the test. */
export const viewerOn = async (...captures: readonly string[]): Promise<CaptureViewer> =>
  (await viewerOf(captures)).viewer;

/** Opens captures in this thread and waits until they are read. */
export async function viewerOf(
  captures: readonly string[],
  options: Partial<ReadOptions> = {},
): Promise<{ viewer: CaptureViewer; fields: Catalogue }> {
  const viewing = await Viewing.of(captures, { autoKeys: true, ...options });
  const viewer = await CaptureViewer.open(viewing);
  await until(() => viewer.status.done);
  return { viewer, fields: viewing.registry };
}

/** Takes so many turns of the event loop, in which work in slices and answers go on. */
async function turns(n: number): Promise<void> {
  for (let i = 0; i < n; i++) await new Promise((resolve) => setImmediate(resolve));
}

/** A viewer that counts the questions which it has not answered yet. */
class Asked {
  private open = 0;
  private readonly selections = new Set<Selection>();
  readonly viewer: Viewer;

  constructor(viewer: Viewer) {
    this.viewer = new Proxy(viewer, {
      get: (target, name) => {
        const value = Reflect.get(target, name, target);
        return typeof value === 'function' ? (...args: unknown[]) => this.heard(value.apply(target, args)) : value;
      },
    });
  }

  private heard(answer: unknown): unknown {
    if (answer instanceof Promise) {
      this.open++;
      const settled = (): void => void this.open--;
      answer.then(settled, settled);
    } else if (answer !== null && typeof answer === 'object' && 'onMore' in answer)
      this.selections.add(answer as Selection);
    return answer;
  }

  get busy(): boolean {
    for (const s of this.selections) if (s.done || s.error !== undefined) this.selections.delete(s);
    return this.open > 0 || this.selections.size > 0;
  }
}

/** A display in memory. */
class MemoryDisplay implements Display {
  lines: string[] = [];
  styles: number[][] = [];
  caret: { readonly x: number; readonly y: number } | undefined;
  offered = '';
  closed = false;
  paintings = 0;

  constructor(
    public width: number,
    public height: number,
  ) {}

  paint(grid: Grid, caret: { readonly x: number; readonly y: number } | undefined): void {
    this.paintings++;
    this.lines = Array.from({ length: grid.height }, (_, y) => grid.line(y));
    this.styles = Array.from({ length: grid.height }, (_, y) => [
      ...grid.styles.subarray(y * grid.width, (y + 1) * grid.width),
    ]);
    this.caret = caret;
  }
  forget(): void {}
  suspend(): void {}
  lend(run: (end: AbortSignal) => Promise<void>): Promise<void> {
    return run(new AbortController().signal);
  }
  offer(text: string): void {
    this.offered = text;
  }
  close(): void {
    this.closed = true;
  }
}

/** The program before a display in memory: press keys, look at lines. */
export class Stage {
  readonly display: MemoryDisplay;
  readonly app: App;
  readonly viewer: Viewer;
  private readonly asked: Asked;

  constructor(viewer: Viewer, fields: Catalogue, width = 80, height = 24, more: Partial<AppParts> = {}) {
    this.display = new MemoryDisplay(width, height);
    this.asked = new Asked(viewer);
    this.viewer = this.asked.viewer;
    this.app = new App({
      viewer: this.viewer,
      fields,
      memory: new Memory({ config: '/dev/null/none', state: '/dev/null/none' }),
      preferences: { name: 'dark', theme: THEMES.dark, depth: 256, time: 'r' },
      views: makeViews,
      ...more,
    });
    void this.app.run(this.display);
  }

  /** Opens a sample. */
  static async of(name: string, width = 80, height = 24, options: Partial<ReadOptions> = {}): Promise<Stage> {
    const { viewer, fields } = await viewerOf([sample(name)], options);
    const stage = new Stage(viewer, fields, width, height);
    await stage.settled();
    return stage;
  }

  /** Presses keys, named as in the key map, with blanks between. */
  async press(keys: string): Promise<void> {
    for (const key of keys.split(' ')) this.app.key(key);
    await this.settled();
  }

  /** Types text. */
  async type(text: string): Promise<void> {
    for (const c of text) this.app.key(c === ' ' ? 'Space' : c);
    await this.settled();
  }

  /** Waits until nothing that was asked for is to come, and nothing is painted any more. */
  async settled(): Promise<void> {
    const end = performance.now() + PATIENCE_MS;
    let last = -1;
    for (let quiet = 0; quiet < 3; ) {
      await new Promise((resolve) => setTimeout(resolve, 14));
      await turns(20);
      if (performance.now() > end) throw new Error(`the screen does not come to rest:\n${this.text}`);
      quiet = this.display.paintings === last && !this.asked.busy ? quiet + 1 : 0;
      last = this.display.paintings;
    }
  }

  /** Waits until the screen shows something. */
  until(what: RegExp): Promise<void> {
    return until(
      () => what.test(this.text),
      () => `${what} did not come:\n${this.text}`,
    );
  }

  resize(width: number, height: number): void {
    this.display.width = width;
    this.display.height = height;
    this.app.resized();
  }

  /** The screen as text; how long reading took is not part of it. */
  get text(): string {
    return `${this.display.lines
      .join('\n')
      .replace(
        / (\S+ frames? {2})(\d+)\.\d\d s( |$)/m,
        (_, frames, s, end) => `${' '.repeat(s.length)}${frames}0.00 s${end}`,
      )
      .replace(/ +(\d+ of \d+) {2}\d+ ms$/gm, '  $1  0 ms')
      .replace(/ {2}\d+ ms$/m, '  0 ms')}\n`;
  }

  async end(): Promise<void> {
    this.app.lost();
    await this.viewer.close();
  }
}

/** The program before captures that were read. */
export async function stageOf(captures: readonly string[], options: Partial<ReadOptions>): Promise<Stage> {
  const { viewer, fields } = await viewerOf(captures, options);
  const stage = new Stage(viewer, fields);
  await stage.settled();
  return stage;
}

/** What a screen is to look like, as it was looked at and kept; `FTTSCOPE_GOLDEN=write` keeps what is there now. */
export function golden(name: string, text: string): { expected: string; actual: string } {
  const path = join(ROOT, 'test/tui/golden', `${name}.txt`);
  if (process.env.FTTSCOPE_GOLDEN === 'write') writeFileSync(path, text);
  return { expected: readFileSync(path, 'utf8'), actual: text };
}
