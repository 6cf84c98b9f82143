import type { Area } from './cells.js';
import type { CommandId } from './keymap.js';
import { List } from './list.js';
import type { Desk, Dialog, MouseAt } from './view.js';

export interface CheckItem {
  readonly id: string;
  readonly title: string;
}

/** Things that are on or off: Space turns one, Enter is done. */
export class Checklist implements Dialog {
  readonly width: number;
  readonly height: number;
  private readonly list = new List(() => this.items.length);

  constructor(
    readonly title: string,
    private readonly items: readonly CheckItem[],
    private readonly off: Set<string>,
    private readonly desk: Desk,
    readonly closed: () => void,
  ) {
    this.width = Math.max(title.length + 8, ...items.map((i) => i.title.length + 10));
    this.height = items.length + 2;
  }

  draw(area: Area, focus: boolean): void {
    const { theme } = this.desk.preferences;
    this.list.draw(area, { theme, focus }, (line, i) => {
      const { id, title } = this.items[i];
      line.text(0, 0, `[${this.off.has(id) ? ' ' : 'x'}] ${title}`, theme.text);
    });
  }

  offers(): readonly CommandId[] {
    return ['select', 'open', 'back'];
  }

  run(command: CommandId): boolean {
    if (command === 'open') this.desk.close(this);
    else if (command === 'select') {
      const { id } = this.items[this.list.cursor];
      if (!this.off.delete(id)) this.off.add(id);
    } else return this.list.run(command);
    return true;
  }

  mouse(at: MouseAt): boolean {
    const line = this.list.lineAt(at.y);
    if (at.kind !== 'press' || line < 0) return false;
    this.list.go(line);
    return this.run('select');
  }
}
