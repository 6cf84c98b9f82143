import { type Area, cellsOf } from './cells.js';
import type { CommandId } from './keymap.js';
import { List } from './list.js';
import type { Desk, Dialog, MouseAt } from './view.js';

/** A line of a list of choices, and what happens when it is taken. */
export interface ChoiceItem {
  readonly text: string;
  /** Words at the right. */
  readonly note?: string;
  take(): void;
}

/**
 * A window with things to choose from: letters narrow them down, and the last one left is taken. Whoever types a command
 * instead, as the words at the right say, leaves it.
 */
export class ChoiceDialog implements Dialog {
  readonly width: number;
  readonly height: number;
  private typed = '';
  private shown: readonly ChoiceItem[];
  private readonly list = new List(() => this.shown.length);

  /** @param stays the window comes back when something was taken */
  constructor(
    private readonly desk: Desk,
    readonly title: string,
    private readonly items: () => readonly ChoiceItem[],
    private readonly words: readonly string[] = [],
    private readonly stays = false,
  ) {
    this.shown = items();
    const wide = (i: ChoiceItem): number => cellsOf(i.text) + cellsOf(i.note ?? '') + 10;
    this.width = Math.min(
      100,
      Math.max(40, cellsOf(title) + 8, ...this.shown.map(wide), ...words.map((w) => cellsOf(w) + 5)),
    );
    this.height = this.shown.length + words.length + 4;
  }

  draw(area: Area, focus: boolean): void {
    const { theme } = this.desk.preferences;
    for (const [y, line] of this.words.entries()) area.clipped(0, y, line, area.width, theme.text);
    const from = this.words.length;
    const low = area.part(0, from, area.width, area.height - from - 2);
    if (this.shown.length === 0) low.text(0, 0, 'nothing has these letters; Backspace', theme.dim);
    this.list.draw(low, { theme, focus }, (line, i) => {
      const { text, note } = this.shown[i];
      line.clipped(1, 0, text, line.width - cellsOf(note ?? '') - 3, theme.text);
      if (note !== undefined) line.right(line.width - 1, 0, note, theme.dim);
    });
    const x = area.text(0, area.height - 1, this.typed === '' ? 'letters narrow down' : 'letters: ', theme.dim);
    area.text(x, area.height - 1, this.typed, theme.key);
  }

  key(key: string): boolean {
    if (key === 'Backspace') this.narrow(this.typed.slice(0, -1));
    else if (key === 'Esc' && this.typed !== '') this.narrow('');
    else if (/^[\w.]$/.test(key)) this.narrow(this.typed + key.toLowerCase(), true);
    else return false;
    return true;
  }

  /** Letters narrow down, as one or several; what fits nothing leaves the list as it was. */
  line(text: string): boolean {
    const typed = this.typed + text.toLowerCase();
    if (text === 'Q' || !/^[\w.]+$/.test(text) || this.fitting(typed).length === 0) return false;
    this.narrow(typed, true);
    return true;
  }

  private narrow(typed: string, take = false): void {
    this.typed = typed;
    this.shown = this.fitting(typed);
    this.list.go(0);
    if (take && this.shown.length === 1) this.take();
  }

  private fitting(typed: string): readonly ChoiceItem[] {
    const all = this.items();
    const ways: ((i: ChoiceItem) => boolean)[] = [
      (i) => i.text.toLowerCase().startsWith(typed),
      (i) => words(i).some((w) => w.startsWith(typed)),
      (i) => initials(i).startsWith(typed),
      (i) => i.text.toLowerCase().includes(typed),
    ];
    return ways.map((fits) => all.filter(fits)).find((found) => found.length > 0) ?? [];
  }

  private take(): void {
    const item = this.shown[this.list.cursor];
    if (item === undefined) return;
    // What is taken may be a command, and those go to the view only where no window is open.
    this.desk.close(this);
    item.take();
    if (!this.stays) return;
    this.typed = '';
    this.shown = this.items();
    this.desk.show(this);
  }

  offers(): readonly CommandId[] {
    return ['open', 'down', 'up', 'back'];
  }

  run(command: CommandId): boolean {
    if (command === 'open') this.take();
    else if (command === 'palette') {
      this.desk.close(this);
      this.desk.perform(command);
    } else return this.list.run(command);
    return true;
  }

  mouse(at: MouseAt): boolean {
    if (at.kind === 'wheel-up' || at.kind === 'wheel-down') this.list.scroll(at.kind === 'wheel-up' ? -3 : 3);
    else {
      const line = this.list.lineAt(at.y - this.words.length);
      if (line < 0) return false;
      this.list.go(line);
      if (at.kind === 'double') this.take();
    }
    return true;
  }
}

const initials = (i: ChoiceItem): string =>
  words(i)
    .map((w) => w[0])
    .join('');

const words = ({ text }: ChoiceItem): string[] => text.toLowerCase().split(/[\s,()]+/);
