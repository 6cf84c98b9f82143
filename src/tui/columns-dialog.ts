import { references } from '../filter/index.js';
import { type Area, cellsOf, fit } from './cells.js';
import type { ColumnChoice } from './column-choice.js';
import type { CommandId } from './keymap.js';
import { List } from './list.js';
import type { PacketsView } from './packets-view.js';
import type { Dialog, MouseAt } from './view.js';
import { filterErrorText } from './words.js';

/** Cells by which a column is made wider or narrower. */
const STEP = 2;
const HELP = [
  '{select} on or off   {left} {right} move   {bigger} {smaller} width   {open} title',
  '{add-column} add a field   {remove} take away   {back} done',
];

/** The columns of the packet list: which there are, in which order, how wide, and under which title. */
export class ColumnsDialog implements Dialog {
  readonly title = 'Columns';
  readonly width = 72;
  readonly list = new List(() => this.choice.list.length);

  constructor(private readonly view: PacketsView) {}

  get height(): number {
    return this.choice.list.length + 5;
  }

  private get choice(): ColumnChoice {
    return this.view.packets.choice;
  }

  draw(area: Area, focus: boolean): void {
    const { preferences, keymap } = this.view.desk;
    const { theme } = preferences;
    const ours = this.view.packets.ours;
    this.list.draw(area.part(0, 0, area.width, area.height - 3), { theme, focus }, (line, i) => {
      const c = this.choice.list[i];
      const name = this.choice.nameOf(c, ours);
      line.text(0, 0, `[${c.hidden ? ' ' : 'x'}]`, theme.key);
      line.text(4, 0, fit(name, 30), c.hidden ? theme.dim : theme.text);
      line.text(35, 0, fit(c.width === undefined ? '' : `${c.width} wide`, 9), theme.dim);
      if (c.field) line.clipped(45, 0, c.id, line.width - 45, theme.dim);
    });
    for (const [y, words] of HELP.entries())
      area.clipped(0, area.height - 2 + y, keymap.words(words), area.width, theme.dim);
  }

  offers(): readonly CommandId[] {
    return ['select', 'left', 'right', 'bigger', 'smaller', 'open', 'add-column', 'remove', 'back'];
  }

  run(command: CommandId, argument: string): boolean {
    const { choice, list } = this;
    const i = list.cursor;
    switch (command) {
      case 'select':
        choice.hide(i, !choice.list[i].hidden);
        return this.changed();
      case 'left':
      case 'right':
        list.go(choice.move(i, command === 'left' ? -1 : 1));
        return this.changed();
      case 'bigger':
      case 'smaller':
        choice.widen(i, this.view.packets.widthOf(choice.list[i].id), command === 'bigger' ? STEP : -STEP);
        return this.changed();
      case 'open':
        this.rename(i);
        return true;
      case 'remove':
        choice.remove(i);
        return this.changed();
      case 'add-column':
        addColumn(this.view, argument);
        return true;
      default:
        return list.run(command);
    }
  }

  private changed(): boolean {
    keepColumns(this.view);
    return true;
  }

  private rename(i: number): void {
    const c = this.choice.list[i];
    this.view.desk.prompt({
      label: 'title',
      text: this.choice.nameOf(c, this.view.packets.ours),
      judge: () => ({ text: 'empty: the usual one', wrong: false }),
      done: (text) => {
        c.title = text.trim() === '' ? undefined : text.trim();
        this.changed();
        return undefined;
      },
    });
  }

  mouse(at: MouseAt): boolean {
    if (at.kind === 'wheel-up' || at.kind === 'wheel-down') {
      this.list.scroll(at.kind === 'wheel-up' ? -3 : 3);
      return true;
    }
    const line = this.list.lineAt(at.y);
    if (line < 0) return false;
    this.list.go(line);
    return at.kind === 'double' ? this.run('select', '') : true;
  }
}

/** Keeps the columns as they are now. */
function keepColumns({ desk, packets }: PacketsView): void {
  desk.memory.settings.columns = packets.choice.settings;
  const wrong = desk.memory.saveSettings();
  if (wrong !== undefined) desk.say(wrong, 'warn');
}

/** Adds a column: `sip.Method or sip.Status-Code  Title`, the title after two blanks; without a field it is asked for. */
export function addColumn(view: PacketsView, typed: string): void {
  const { desk } = view;
  const wrong = typed === '' ? undefined : added(view, typed);
  if (typed !== '' && wrong === undefined) return;
  desk.prompt({
    label: 'column of',
    text: typed,
    complete: (text, cursor) => view.completed(text, cursor),
    judge: (text) => {
      const no = text.trim() === '' ? undefined : wrongIn(view, text);
      return no === undefined
        ? { text: 'a field, as sip.Method or sip.Status-Code; behind two blanks a title', wrong: false }
        : { text: no, wrong: true };
    },
    done: (text) => (text.trim() === '' ? 'a field is needed; Esc cancels' : added(view, text)),
  });
}

/** Field and title of what was typed. */
function partsOf(typed: string): { field: string; title: string | undefined } {
  const [field, ...title] = typed.trim().split(/ {2,}/);
  return { field, title: title.length === 0 ? undefined : title.join(' ') };
}

/** What is wrong with a column, in words. */
function wrongIn({ desk }: PacketsView, typed: string): string | undefined {
  try {
    references(partsOf(typed).field, desk.fields);
    return undefined;
  } catch (e) {
    return filterErrorText(e as Error & { suggestion?: string });
  }
}

function added(view: PacketsView, typed: string): string | undefined {
  const wrong = wrongIn(view, typed);
  if (wrong !== undefined) return wrong;
  const { field, title } = partsOf(typed);
  if (!view.packets.choice.add(field, title)) return `${field} is a column already`;
  keepColumns(view);
  view.desk.say(
    view.desk.keymap.words(`${cellsOf(field) > 40 ? 'it' : field} is a column now; {columns} chooses columns`),
  );
  return undefined;
}
