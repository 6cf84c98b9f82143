import type { CommandId } from './keymap.js';
import { type Wanted, wantedOf } from './packet-find.js';
import type { Table } from './table.js';
import type { Desk } from './view.js';

/**
 * Asks for a text to look for, which `look` takes and says what is wrong with it. @param where it is looked for
 * @param typed what was looked for last @param forms what else one may type
 */
export function askWanted(
  desk: Desk,
  where: string,
  typed: string,
  forms: string,
  look: (text: string) => string | undefined,
): void {
  desk.prompt({
    label: `find in ${where}:`,
    history: [...(desk.memory.state.history.find ?? [])].reverse(),
    text: typed,
    selected: true,
    judge: (text) => {
      if (text === '') return { text: forms, wrong: false };
      try {
        wantedOf(text);
        return undefined;
      } catch (e) {
        return { text: (e as Error).message, wrong: true };
      }
    },
    done: look,
  });
}

/** Looks in a list for the next line that has a text, from the cursor on and around the end. */
export class TableFind<T> {
  private wanted: Wanted | undefined;

  /** @param more what belongs to an item beside what its columns show */
  constructor(
    private readonly desk: Desk,
    private readonly table: Table<T>,
    private readonly more: (item: T) => string = () => '',
  ) {}

  /** Does a command that looks for something; false: it is another. */
  run(command: CommandId, argument = ''): boolean {
    switch (command) {
      case 'find':
        if (argument === '')
          askWanted(
            this.desk,
            'the list',
            this.wanted?.words ?? '',
            'text or /regular expression/; empty: nothing',
            (text) => this.look(text),
          );
        else {
          const wrong = this.look(argument);
          if (wrong !== undefined) this.desk.say(wrong, 'warn');
        }
        return true;
      case 'find-next':
        this.step(1);
        return true;
      case 'find-previous':
        this.step(-1);
        return true;
      default:
        return false;
    }
  }

  private look(text: string): string | undefined {
    this.wanted = undefined;
    if (text === '') return undefined;
    try {
      this.wanted = wantedOf(text);
    } catch (e) {
      return (e as Error).message;
    }
    this.desk.memory.typed('find', text);
    this.step(1);
    return undefined;
  }

  private step(by: 1 | -1): void {
    const { desk, table, wanted } = this;
    if (wanted === undefined) {
      desk.say(desk.keymap.words('nothing was looked for yet: {find}'));
      return;
    }
    const { items, list } = table;
    const n = items.length;
    for (let away = 1; away <= n; away++) {
      const i = (list.cursor + by * away + n * away) % n;
      if (!wanted.text(this.textOf(items[i]))) continue;
      if (away === n) desk.say('it is found here alone');
      else if (by > 0 ? i <= list.cursor : i >= list.cursor)
        desk.say(by > 0 ? 'past the end: on from the first line' : 'past the first line: on from the end');
      table.goTo(i);
      return;
    }
    desk.say(`${wanted.words} is not found in the list`);
  }

  private textOf(item: T): string {
    return [...this.table.columns.map((c) => c.text(item)), this.more(item)].join(' ');
  }
}
