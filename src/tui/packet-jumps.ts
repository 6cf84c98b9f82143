import { resolve } from 'node:path';
import type { DetailNode } from '../viewer/viewer.js';
import { exists } from './files.js';
import type { CommandId } from './keymap.js';
import { dialogOf, isNoticed, sameStream } from './packet-dialog.js';
import { rowHas, seek, type Wanted, wantedOf } from './packet-find.js';
import { missingPacket } from './packet-words.js';
import type { PacketsView } from './packets-view.js';
import { askWanted } from './table-find.js';

/** Leaps in the packets view: to a number, a mark, the next of a dialog, the next finding, what is looked for. */
export class PacketJumps {
  /** Ids of rows by the letters of their marks. */
  private readonly marks = new Map<string, string>();
  /** The capture that the marks are of; '' while it is not known, and of one that is no file. */
  private path = '';
  /** What was looked for last: it is marked wherever it stands. */
  wanted: Wanted | undefined;
  /** Counts the searches: a newer one ends those before. */
  private searches = 0;
  private searching = false;

  constructor(private readonly view: PacketsView) {
    view.desk.viewer.onStatus(() => this.recall());
    this.recall();
  }

  /** Brings back the marks of earlier runs, once it is known which capture this is. */
  private recall(): void {
    if (this.path !== '') return;
    const { memory, viewer } = this.view.desk;
    const names = viewer.status.files.map((f) => f.name);
    if (names.length === 0 || !names.every(exists)) return;
    this.path = names.map((n) => resolve(n)).join(' ');
    for (const [letter, id] of Object.entries(memory.state.marks[this.path] ?? {}))
      if (!this.marks.has(letter)) this.marks.set(letter, id);
    for (const [letter, id] of this.marks) memory.mark(this.path, letter, id);
  }

  /** Letter of the mark of a row; '' where it has none. */
  markOf(row: number): string {
    if (this.marks.size === 0) return '';
    const id = this.view.desk.viewer.rows.id(row);
    for (const [letter, marked] of this.marks) if (marked === id) return letter;
    return '';
  }

  run(command: CommandId, argument: string): boolean {
    switch (command) {
      case 'goto':
        if (argument === '') return false;
        this.jump(argument);
        return true;
      case 'mark':
        this.mark(argument);
        return true;
      case 'jump-to-mark':
        this.toMark(argument);
        return true;
      case 'next-mark':
        return this.alongMarks(1);
      case 'previous-mark':
        return this.alongMarks(-1);
      case 'next-in-dialog':
        return this.inDialog(1);
      case 'previous-in-dialog':
        return this.inDialog(-1);
      case 'next-finding':
        return this.toFinding(1);
      case 'previous-finding':
        return this.toFinding(-1);
      case 'find':
        if (argument === '') this.askWanted();
        else this.look(argument);
        return true;
      case 'find-next':
        return this.findOn(1);
      case 'find-previous':
        return this.findOn(-1);
      default:
        return false;
    }
  }

  /** Gives a search up; whether there was one. */
  stop(): boolean {
    if (!this.searching) return false;
    this.searches++;
    this.searching = false;
    return true;
  }

  /** Why a jump leads nowhere. */
  refuses(command: CommandId, argument: string): string | undefined {
    if (command === 'goto' && argument !== '') return missingPacket(this.view.desk.viewer, argument);
    if (command === 'jump-to-mark') return this.marks.has(argument) ? undefined : this.noMark(argument);
    return undefined;
  }

  private jump(id: string): void {
    const wrong = this.jumpTo(id);
    if (wrong !== undefined) this.view.desk.say(wrong, 'warn');
  }

  /** Goes to a row that somebody named, be it outside of what the list is about; returns what is wrong. */
  private jumpTo(id: string): string | undefined {
    const { packets, desk } = this.view;
    const row = desk.viewer.rows.byId(id);
    if (row < 0 || packets.isInScope(row)) return this.goTo(id);
    const { label = 'what was listed' } = desk.scope;
    desk.open('packets', { at: id });
    desk.say(desk.keymap.words(`packet ${id} is not of ${label}: this is all of the capture, {back} goes back`));
    return undefined;
  }

  /** Goes to a row; returns what is wrong. */
  goTo(id: string): string | undefined {
    const { packets, desk } = this.view;
    const wrong = missingPacket(desk.viewer, id);
    if (wrong !== undefined) return wrong;
    const row = desk.viewer.rows.byId(id);
    desk.leaveMark();
    if (packets.go(row)) return undefined;
    const isSought = packets.looked > row || packets.done;
    if (packets.filter === '' && isSought) {
      // The frame is listed where inner and outer ones are.
      packets.choose({ kind: 'both' }, row);
      return undefined;
    }
    if (!isSought) packets.choose({}, row);
    else desk.say(`packet ${id} is not among those listed; this is the next that is`);
    return undefined;
  }

  /** Goes to the frame that a field names; whether it names one. */
  openLink(node: DetailNode | undefined): boolean {
    if (node?.frame === undefined || node.field === 'frame.number') return false;
    const { packets, desk } = this.view;
    const { rows } = desk.viewer;
    const file = rows.severalFiles ? `${rows.file(packets.row)}:` : '';
    const wrong = this.jumpTo(`${file}${node.frame}`);
    if (wrong === undefined) this.view.focus = 'list';
    else desk.say(wrong, 'warn');
    return true;
  }

  private mark(letter: string): void {
    const { desk, rowId } = this.view;
    if (rowId === '') desk.say('a gap has no mark: choose a packet');
    if (rowId === '' || letter === '') return;
    const gone = this.marks.get(letter) === rowId;
    if (gone) this.marks.delete(letter);
    else this.marks.set(letter, rowId);
    if (this.path !== '') desk.memory.mark(this.path, letter, gone ? undefined : rowId);
    desk.say(gone ? `mark ${letter} is gone` : `packet ${rowId} is marked ${letter}; ' ${letter} comes back`);
  }

  private toMark(letter: string): void {
    const id = this.marks.get(letter);
    if (id === undefined) this.view.desk.say(this.noMark(letter), 'warn');
    else this.jump(id);
  }

  private noMark(letter: string): string {
    const all = [...this.marks.keys()].sort().join(' ');
    return `no packet is marked ${letter}${all === '' ? '; m and a letter marks one' : `; there are ${all}`}`;
  }

  /* Along marks, a dialog, findings */

  private alongMarks(step: 1 | -1): boolean {
    const { rows } = this.view.desk.viewer;
    const marked = new Set([...this.marks.values()].map((id) => rows.byId(id)));
    this.seekRow(step, (row) => marked.has(row), 'no packet is marked that is listed; m and a letter marks one', true);
    return true;
  }

  private inDialog(step: 1 | -1): boolean {
    const { packets, desk } = this.view;
    const { rows } = desk.viewer;
    const from = packets.near;
    if (from < 0) return true;
    const dialog = dialogOf(desk.told.story, rows, from);
    const what = dialog?.words ?? 'this stream';
    const test =
      dialog === undefined ? (r: number) => sameStream(rows, from, r) : (r: number) => dialog.rows.has(rows.id(r));
    const listed = packets.filter === '' ? '' : ' that the filter takes';
    this.seekRow(step, test, `${what} has no packet ${step > 0 ? 'after' : 'before'} this one${listed}`);
    return true;
  }

  private toFinding(step: 1 | -1): boolean {
    const { desk } = this.view;
    const { rows } = desk.viewer;
    const told = new Set(desk.told.story?.findings.flatMap((f) => (f.severity === 'note' ? [] : f.rows)) ?? []);
    const where = step > 0 ? 'after' : 'before';
    this.seekRow(step, (r) => isNoticed(rows, r) || told.has(rows.id(r)), `no finding ${where} this packet`);
    return true;
  }

  /**
   * Goes to the next row that passes, and says so where there is none. @param around it may go on from the other end of
   * the list, and says that it did
   */
  private seekRow(step: 1 | -1, test: (row: number) => boolean, nothing: string, around = false): void {
    const { packets, desk } = this.view;
    const search = ++this.searches;
    this.searching = true;
    const { cursor } = packets.list;
    const { rows } = desk.viewer;
    const { cleared } = rows;
    const from = (start: number, end: () => number, tell: (found: number) => void): void =>
      seek(
        end,
        (i) => packets.rowAt(i),
        start,
        step,
        (row) => row >= 0 && test(row),
        () => search === this.searches && rows.cleared === cleared,
        tell,
      );
    const tell = (i: number, words: string): void => {
      this.searching = false;
      if (i >= 0) packets.list.centre(i);
      if (words !== '') desk.say(words);
      desk.repaint();
    };
    const none = (): void => tell(-1, step > 0 && !packets.hasEnd ? `${nothing} so far` : nothing);
    const all = (): number => packets.list.length;
    from(cursor + step, all, (i) => {
      if (i >= 0) tell(i, '');
      else if (!around) none();
      else
        from(step > 0 ? 0 : all() - 1, all, (j) => {
          if (j < 0) none();
          else if (j === cursor) tell(j, 'it is found here alone');
          else tell(j, step > 0 ? 'past the end: on from the first line' : 'past the first line: on from the end');
        });
    });
  }

  /* Find */

  private askWanted(): void {
    const { desk, focus } = this.view;
    const where = focus === 'list' ? 'the list' : focus === 'tree' ? 'the tree' : 'the octets';
    const forms = 'text, /regular expression/, or octets as 0a 3c or 0x0a3c; empty: nothing marked';
    askWanted(desk, where, this.wanted?.words ?? '', forms, (text) => this.look(text));
  }

  private look(text: string): string | undefined {
    if (text === '') {
      this.wanted = undefined;
      return undefined;
    }
    try {
      this.wanted = wantedOf(text);
      this.view.desk.memory.typed('find', text);
    } catch (e) {
      return (e as Error).message;
    }
    this.findOn(1);
    return undefined;
  }

  private findOn(step: 1 | -1): boolean {
    const { wanted, view } = this;
    const { desk, focus, tree, octets } = view;
    if (wanted === undefined) {
      desk.say(desk.keymap.words('nothing was looked for yet: {find}'));
      return true;
    }
    if (focus === 'octets') {
      if (octets.find(wanted, step)) view.follow();
      else desk.say(`${wanted.words} is not in these octets`);
    } else if (focus === 'tree') {
      const i = tree.detail === undefined ? -1 : tree.find((t) => wanted.text(t), step);
      if (i >= 0) tree.select(i);
      else desk.say(`${wanted.words} is not in this tree`);
    } else {
      const { rows } = desk.viewer;
      this.seekRow(
        step,
        (r) => rowHas(rows, r, (t) => wanted.text(t)),
        `${wanted.words} is not found in the list`,
        true,
      );
    }
    return true;
  }
}
