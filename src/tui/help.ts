import { type Area, fit } from './cells.js';
import { type Command, type CommandId, GROUPS, keyText } from './keymap.js';
import { List } from './list.js';
import type { Desk, Dialog, MouseAt, View } from './view.js';

/** Cells at which commands and their titles begin. */
const COMMAND_AT = 12;
const TITLE_AT = 33;

/** A line of the help screen: a heading, or a command. */
type Line = { readonly heading: string } | { readonly command: Command };

/** The keys of this view and of all, made from the key map; what is typed searches. Enter does the command. */
export class Help implements Dialog {
  readonly title: string;
  readonly width = 104;
  readonly height = 200;
  private searched = '';
  private lines: Line[] = [];
  private readonly list = new List(() => this.lines.length);

  private readonly here: readonly CommandId[];

  /** @param front what has the keys now */
  constructor(
    front: View | Dialog,
    private readonly kind: 'view' | 'window',
    private readonly desk: Desk,
  ) {
    this.here = front.offers();
    this.title = `Keys in ${front.title}`;
    this.search('');
  }

  private search(text: string): void {
    this.searched = text;
    const words = text.toLowerCase().split(' ');
    const found = (c: Command): boolean => {
      const all = `${c.id} ${c.title} ${c.hint} ${c.keys.join(' ')}`.toLowerCase();
      return words.every((w) => all.includes(w));
    };
    const list = this.desk.keymap.commands;
    const section = (heading: string, commands: readonly Command[]): Line[] => {
      const those = commands.filter(found);
      return those.length === 0 ? [] : [{ heading }, ...those.map((command) => ({ command }))];
    };
    const here = this.here.map((id) => list.find((c) => c.id === id)!);
    this.lines = [
      ...section(`In this ${this.kind}`, here),
      ...GROUPS.flatMap((g) =>
        section(
          g,
          list.filter((c) => c.group === g && !here.includes(c)),
        ),
      ),
    ];
    this.list.go(this.lines.length > 1 ? 1 : 0);
    this.list.top = 0;
  }

  draw(area: Area, focus: boolean): void {
    const { theme } = this.desk.preferences;
    const x = area.text(0, 0, 'search: ', theme.key);
    area.text(
      x,
      0,
      this.searched === '' ? 'type a word' : this.searched,
      this.searched === '' ? theme.dim : theme.strong,
    );
    const { current } = this;
    // What the line has no room for.
    if (current !== undefined && current.title.length > area.width - TITLE_AT - 1)
      area.clipped(0, 1, current.title, area.width, theme.text);
    if (this.lines.length === 0)
      area.text(0, 2, 'no command has these words; Backspace takes the last letter away', theme.dim);
    this.list.draw(area.part(0, 2, area.width, area.height - 2), { theme, focus }, (line, i) => {
      const at = this.lines[i];
      if ('heading' in at) line.text(0, 0, at.heading, theme.strong);
      else {
        const { keys, id, title, argument } = at.command;
        line.text(1, 0, fit(keys.map(keyText).join(' '), COMMAND_AT - 2), theme.key);
        const typed = `:${id}${argument === undefined ? '' : ` ${argument.toUpperCase()}`}`;
        line.text(COMMAND_AT, 0, fit(typed, TITLE_AT - COMMAND_AT - 1), theme.dim);
        line.clipped(TITLE_AT, 0, title, line.width - TITLE_AT, theme.text);
      }
    });
  }

  /** The command under the cursor. */
  private get current(): Command | undefined {
    const line = this.lines[this.list.cursor];
    return line === undefined || 'heading' in line ? undefined : line.command;
  }

  plain(): string[] {
    const about = ({ keys, id, title, argument }: Command): string =>
      `   ${keys.map(keyText).join(' or ')}${keys.length === 0 ? '' : '  '}:${id}${argument === undefined ? '' : ` ${argument.toUpperCase()}`}  ${title}`;
    if (this.lines.length === 0) return [`No command has "${this.searched}". Type other words to search for.`];
    return this.lines.map((line) => ('heading' in line ? line.heading : about(line.command)));
  }

  /** Each line is another search: nobody sees what was typed before. */
  line(text: string, known: boolean): boolean {
    if (!known) this.search(text);
    return !known;
  }

  caret(): { x: number; y: number } {
    return { x: 8 + this.searched.length, y: 0 };
  }

  key(key: string): boolean {
    if (key === 'Backspace') this.search(this.searched.slice(0, -1));
    else if (key === 'Space') this.search(`${this.searched} `);
    else if (key === 'Esc' && this.searched !== '') this.search('');
    else if (key.length === 1 && !(key === '?' && this.searched === '')) this.search(this.searched + key);
    else return false;
    return true;
  }

  offers(): readonly CommandId[] {
    return ['back', 'down', 'open'];
  }

  run(command: CommandId): boolean {
    if (command === 'help') this.desk.close(this);
    else if (command === 'open') {
      const { current } = this;
      if (current === undefined) return true;
      this.desk.close(this);
      this.desk.perform(current.id as CommandId);
    } else return this.list.run(command);
    return true;
  }

  mouse(at: MouseAt): boolean {
    if (at.kind === 'wheel-up') this.list.scroll(-3);
    else if (at.kind === 'wheel-down') this.list.scroll(3);
    else {
      const line = this.list.lineAt(at.y - 2);
      if (line >= 0) this.list.go(line);
      if (line >= 0 && at.kind === 'double') return this.run('open');
    }
    return true;
  }
}
