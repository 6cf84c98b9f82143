import { Stopped } from '../viewer/superseded.js';
import type { Watch } from '../viewer/viewer.js';
import type { Area } from './cells.js';
import type { CommandId } from './keymap.js';
import type { Desk, Dialog } from './view.js';

/** Milliseconds after which one wants to know how far it is. */
const PATIENCE_MS = 150;
const WIDTH = 60;

/** A window that shows how far something is. Closed, it stops it. */
class ProgressDialog implements Dialog {
  readonly width = WIDTH;
  readonly height = 5;
  private part = 0;
  private readonly stop = new AbortController();
  readonly watch: Watch;

  constructor(
    private readonly desk: Desk,
    readonly title: string,
  ) {
    this.watch = {
      signal: this.stop.signal,
      progress: (part) => {
        this.part = part;
        desk.repaint();
      },
    };
  }

  draw(area: Area): void {
    const { theme } = this.desk.preferences;
    const percent = `${Math.floor(this.part * 100)} %`;
    const room = area.width - 7;
    area.fill(0, 0, room, 1, '░', theme.dim);
    area.fill(0, 0, Math.round(room * this.part), 1, '█', theme.good);
    area.right(area.width, 0, percent, theme.text);
    area.text(0, 2, `${this.desk.keymap.key('back')} stops`, theme.dim);
  }

  plain(): string[] {
    return [`${Math.floor(this.part * 100)} %`];
  }

  offers(): readonly CommandId[] {
    return ['back'];
  }

  run(command: CommandId): boolean {
    if (command === 'cancel') this.desk.close(this);
    return command === 'cancel';
  }

  closed(): void {
    this.stop.abort();
  }
}

/**
 * Does something that may take its time, and shows how far it is where it does. Esc stops it.
 * @throws Stopped where the user stopped it
 */
export async function watched<T>(desk: Desk, title: string, work: (watch: Watch) => Promise<T>): Promise<T> {
  const dialog = new ProgressDialog(desk, title);
  const timer = setTimeout(() => desk.show(dialog), PATIENCE_MS);
  try {
    const done = await work(dialog.watch);
    if (dialog.watch.signal.aborted) throw new Stopped(); // too late for whoever did it
    return done;
  } finally {
    clearTimeout(timer);
    desk.close(dialog);
  }
}

/** Says why something was not written: that the user stopped it is no error. */
export function sayUnwritten(desk: Desk, e: Error): void {
  if (e instanceof Stopped) desk.say('stopped; nothing was written');
  else desk.say(e.message, 'error');
}
