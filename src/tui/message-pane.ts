import { type Area, cellsOf, clip, harmless } from './cells.js';
import type { CommandId } from './keymap.js';
import { scrollBar } from './list.js';
import type { MessageText } from './message-source.js';
import type { Theme } from './style.js';

/** Shows a message, its headers highlighted, and scrolls it. */
export class MessagePane {
  private top = 0;
  private height = 1;
  private shown: readonly string[] = [];
  private readonly cache = new WeakMap<MessageText, { width: number; lines: readonly string[] }>();
  private last: MessageText | undefined;

  draw(area: Area, theme: Theme, message: MessageText): void {
    if (message !== this.last) this.top = 0;
    this.last = message;
    this.shown = this.wrapped(message, area.width - 1);
    this.height = area.height;
    this.top = Math.max(0, Math.min(this.top, this.shown.length - area.height));
    for (let y = 0; y < area.height && this.top + y < this.shown.length; y++)
      this.line(area, theme, y, this.shown[this.top + y], message);
    if (this.shown.length > area.height) scrollBar(area, theme, this.top, this.shown.length);
  }

  private wrapped(message: MessageText, width: number): readonly string[] {
    const known = this.cache.get(message);
    if (known !== undefined && known.width === width) return known.lines;
    const lines = message.lines.flatMap((l) => hung(l, Math.max(10, width)));
    this.cache.set(message, { width, lines });
    return lines;
  }

  private line(area: Area, theme: Theme, y: number, line: string, { kind }: MessageText): void {
    if (kind === 'wait' || kind === 'error') {
      area.text(0, y, line, kind === 'error' ? theme.error : theme.dim);
      return;
    }
    const first = this.top + y === 0;
    area.text(0, y, line, first ? theme.strong : line.startsWith('  ') && kind === 'sip' ? theme.dim : theme.text);
    const name = kind === 'sip' && !first ? /^([A-Za-z][\w-]*:|[a-z]=)/.exec(line) : null;
    if (name !== null) area.restyle(0, y, name[0].length, theme.key);
  }

  run(command: CommandId): boolean {
    const step = {
      up: -1,
      down: 1,
      'page-up': 1 - this.height,
      'page-down': this.height - 1,
      'half-up': -(this.height >> 1),
      'half-down': this.height >> 1,
      top: -this.shown.length,
      bottom: this.shown.length,
    } as const;
    const by = step[command as keyof typeof step];
    if (by !== undefined) this.top += by;
    return by !== undefined;
  }
}

/** A line in several where it is too long: broken behind `;`, `,` or a blank; those after the first are indented. */
export function hung(line: string, width: number): string[] {
  const out: string[] = [];
  let rest = harmless(line);
  for (let room = width; cellsOf(rest) > room; room = width - 2) {
    const head = clip(rest, room + 1).slice(0, -1);
    const at = Math.max(head.lastIndexOf(';'), head.lastIndexOf(','), head.lastIndexOf(' ')) + 1;
    const cut = at > room / 3 ? at : head.length;
    out.push(rest.slice(0, cut));
    rest = rest.slice(cut).replace(/^ /, ''); // the line ends there anyway
  }
  out.push(rest);
  return out.map((l, i) => (i === 0 ? l : `  ${l}`));
}
