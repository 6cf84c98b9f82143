import { twoDigits } from '../kit/index.js';
import type { Area } from './cells.js';
import { Reader } from './dialogs.js';
import type { ExportOffer } from './exports.js';
import type { CommandId } from './keymap.js';
import { drawWords, List } from './list.js';
import { SIGNS } from './style.js';
import type { Desk, Message, MouseAt, Scope, View } from './view.js';
import { capital, count, plural } from './words.js';

/** View 8: what the program said, the newest last. */
export class LogView implements View {
  readonly id = 'log';
  readonly title = 'Log';
  private readonly list = new List(() => this.desk.messages.length);

  constructor(private readonly desk: Desk) {
    this.list.tail = true;
  }

  badge(): string {
    const bad = this.desk.messages.filter((m) => m.severity === 'error').length;
    return bad === 0 ? '' : `(${count(bad)})`;
  }

  crumbs(): readonly string[] {
    return [];
  }

  status(): string {
    return `${plural(this.desk.messages.length, 'message')}${this.list.tail ? '' : `  ${this.desk.keymap.key('tail')} follows the end`}`;
  }

  show(_scope: Scope): void {}

  place(): unknown {
    return { cursor: this.list.cursor, tail: this.list.tail };
  }

  restore(place: unknown): void {
    const { cursor, tail } = place as { cursor: number; tail: boolean };
    this.list.go(cursor);
    this.list.tail = tail;
  }

  draw(area: Area, focus: boolean): void {
    const { theme } = this.desk.preferences;
    if (this.desk.messages.length === 0) {
      drawWords(area, theme, ['Nothing to tell: no damage, no doubtful key logs, no caps reached.']);
      return;
    }
    this.list.draw(area, { theme, focus }, (line, i) => {
      const m = this.desk.messages[i];
      line.text(1, 0, timeOf(m), theme.dim);
      line.text(10, 0, SIGNS[m.severity], theme[m.severity]);
      line.clipped(12, 0, m.text, line.width - 12, m.severity === 'note' ? theme.text : theme[m.severity]);
    });
  }

  offers(): readonly CommandId[] {
    return this.desk.messages.length === 0 ? ['view-tunnels', 'help'] : ['open', 'tail', 'copy', 'export', 'help'];
  }

  run(command: CommandId): boolean {
    const m = this.desk.messages[this.list.cursor];
    switch (command) {
      case 'tail':
        this.list.tail = !this.list.tail;
        return true;
      case 'open':
      case 'info':
        if (m !== undefined) this.desk.show(new Reader(`${capital(m.severity)} at ${timeOf(m)}`, [m.text], this.desk));
        return true;
      case 'copy':
        if (m !== undefined) this.desk.copy(m.text, 'the message');
        return true;
      default:
        if (!this.list.run(command)) return false;
        if (command === 'bottom') this.list.tail = true;
        return true;
    }
  }

  mouse(at: MouseAt): boolean {
    if (at.kind === 'wheel-up' || at.kind === 'wheel-down') this.list.scroll(at.kind === 'wheel-up' ? -3 : 3);
    else {
      const line = this.list.lineAt(at.y);
      if (line >= 0) this.list.go(line);
      if (at.kind === 'double') this.run('open');
    }
    return true;
  }

  exports(): readonly ExportOffer[] {
    if (this.desk.messages.length === 0) return [];
    return [{ name: 'log as text', file: 'log.txt', make: () => `${this.plain().join('\n')}\n` }];
  }

  plainItems(): readonly number[] {
    return this.desk.messages.map((_, i) => i);
  }

  plain(): string[] {
    return this.desk.messages.map((m) => `${timeOf(m)} ${m.severity}: ${m.text}`);
  }
}

const timeOf = ({ at }: Message): string =>
  `${twoDigits(at.getHours())}:${twoDigits(at.getMinutes())}:${twoDigits(at.getSeconds())}`;
