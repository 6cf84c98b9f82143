import { Grid } from '../../src/tui/cells.js';
import { type CommandId, KeyMap } from '../../src/tui/keymap.js';
import { Memory } from '../../src/tui/settings.js';
import { THEMES } from '../../src/tui/style.js';
import type { Story, Told } from '../../src/tui/told.js';
import type { Desk, Dialog, Message, Panel, Scope, ViewId } from '../../src/tui/view.js';
import { NOTHING_READ, type Viewer } from '../../src/viewer/viewer.js';

/** A program without a terminal, for tests of one view: it notes what the view asks for. */
export class PaperDesk {
  readonly preferences: Desk['preferences'] = { name: 'mono', theme: THEMES.mono, depth: 0, time: 'r' };
  readonly memory = new Memory({ config: '/dev/null/none', state: '/dev/null/none' });
  readonly keymap = new KeyMap();
  readonly messages: Message[] = [];
  readonly said: string[] = [];
  readonly opened: { view: ViewId; scope: Scope | undefined }[] = [];
  readonly copied: string[] = [];
  readonly dialogs: Dialog[] = [];
  readonly ran: string[] = [];
  scope: Scope = {};
  confirmed: (() => void)[] = [];
  readonly told: Pick<Told, 'story' | 'whole' | 'error' | 'want' | 'wantCalls' | 'hasMoreCalls'>;

  constructor(
    readonly viewer: Viewer,
    story?: Story,
  ) {
    const nothing = (): void => undefined;
    this.told = { story, whole: true, error: undefined, want: nothing, wantCalls: nothing, hasMoreCalls: false };
  }

  /** As views get it. */
  get desk(): Desk {
    return this as unknown as Desk;
  }

  repaint(): void {}
  leaveMark(): void {}
  say(text: string): void {
    this.said.push(text);
  }
  open(view: ViewId, scope?: Scope): void {
    this.opened.push({ view, scope });
  }
  show(dialog: Dialog): void {
    this.dialogs.push(dialog);
  }
  close(dialog: Dialog): void {
    const i = this.dialogs.indexOf(dialog);
    if (i >= 0) this.dialogs.splice(i, 1);
    dialog.closed?.();
  }
  prompt(): void {}
  withdraw(): void {}
  confirm(_question: string, yes: () => void): void {
    this.confirmed.push(yes);
  }
  copy(text: string): void {
    this.copied.push(text);
  }
  perform(command: CommandId, argument = ''): void {
    this.ran.push(`${command} ${argument}`.trim());
  }
}

/** What a panel draws, line by line. */
export function drawn(panel: Panel, width: number, height: number): string[] {
  const grid = new Grid(width, height);
  panel.draw(grid.area(), true);
  return Array.from({ length: height }, (_, y) => grid.line(y));
}

/** A viewer of nothing that has been read to its end. */
export function paperViewer(more: Partial<Viewer> = {}): Viewer {
  const files = [{ name: 'field.pcapng', format: 'pcapng', frames: 0 }];
  const status = { ...NOTHING_READ, files, done: true, elapsedMs: 10 };
  return { status, rows: { count: 0 }, onStatus: () => undefined, ...more } as unknown as Viewer;
}
