import { cellsOf, harmless } from './cells.js';

/** What is said about the text typed so far. */
export interface Verdict {
  readonly text: string;
  /** Nothing can be done with it. */
  readonly wrong: boolean;
  /** Where in the text, and how many characters. */
  readonly at?: number;
  readonly length?: number;
}

/** Ways to go on from the cursor. */
export interface Completion {
  /** Where the word begins that they stand for. */
  readonly from: number;
  readonly words: readonly {
    readonly text: string;
    readonly note?: string;
    /** An argument goes with it: where it is the only word, a blank comes with it. */
    readonly takes?: boolean;
  }[];
}

/** Keys that do the same in a line, as in shells. */
const SAME: Readonly<Record<string, string>> = {
  'Ctrl-B': 'Left',
  'Ctrl-F': 'Right',
  'Ctrl-P': 'Up',
  'Ctrl-N': 'Down',
  'Ctrl-Left': 'Alt-b',
  'Alt-Left': 'Alt-b',
  'Ctrl-Right': 'Alt-f',
  'Alt-Right': 'Alt-f',
};

/** A line of text that is asked for. */
export interface PromptRequest {
  /** What stands before it: `/`, `:`, `find`. */
  readonly label: string;
  readonly text?: string;
  /** The text is selected: what is typed takes its place. */
  readonly selected?: true;
  /** Why that text did not do, where it was tried. */
  readonly refused?: string;
  /** Earlier lines, the newest last: Up and Down. A line that is done is added. */
  readonly history?: string[];
  complete?(text: string, cursor: number): Completion | undefined;
  /** Asked each time the line is painted. */
  judge?(text: string): Verdict | undefined;
  /** The text is another now. */
  changed?(text: string): void;
  /** Enter; what it returns is said as what is wrong, and the line stays. */
  done(text: string): string | undefined;
  /** Esc. */
  cancelled?(): void;
}

/** A line that is edited: the text, the cursor, and what Tab offers. */
export class Prompt {
  text: string;
  /** In characters. */
  cursor: number;
  /** What Tab found, while it is being gone through. */
  offered: Completion | undefined;
  chosen = -1;
  /** The text as it was given is selected. */
  selected: boolean;
  /** Why Enter did not do. */
  private refused: string | undefined;
  /** Tab has put a blank, which some type all the same. */
  private blank = false;
  private past: number;
  private draft = '';

  constructor(readonly request: PromptRequest) {
    this.text = request.text ?? '';
    this.cursor = this.text.length;
    this.past = request.history?.length ?? 0;
    this.selected = request.selected === true && this.text !== '';
    this.refused = request.refused;
  }

  /** What is to be said about the text. */
  get verdict(): Verdict | undefined {
    const v = this.request.judge?.(this.text);
    return this.refused === undefined || v?.wrong === true ? v : { text: this.refused, wrong: true };
  }

  /** Cells between the start of the text and the cursor. */
  get cells(): number {
    return cellsOf(this.text.slice(0, this.cursor));
  }

  /** Takes a key; `done` and `cancelled` end the line. */
  key(pressed: string): 'more' | 'done' | 'cancelled' {
    const key = SAME[pressed] ?? pressed;
    const typedTwice = this.blank && key === 'Space';
    this.blank = false;
    if (typedTwice) return 'more';
    if (key !== 'Tab' && key !== 'Shift-Tab') this.offered = undefined;
    switch (key) {
      case 'Enter':
        return this.enter();
      case 'Esc':
      case 'Ctrl-C':
        this.request.cancelled?.();
        return 'cancelled';
      case 'Tab':
        this.complete(1);
        return 'more';
      case 'Shift-Tab':
        this.complete(-1);
        return 'more';
      case 'Up':
        this.recall(-1);
        return 'more';
      case 'Down':
        this.recall(1);
        return 'more';
      default:
        if (this.selected && /^(?:Backspace|Ctrl-H|Delete|Ctrl-D)$/.test(key)) this.clear();
        else this.edit(key);
        this.selected = false;
        return 'more';
    }
  }

  private clear(): void {
    this.selected = false;
    this.put('', 0);
  }

  /** Takes pasted or typed text at the cursor. */
  insert(text: string): void {
    const t = harmless(text);
    if (this.selected) this.clear();
    this.put(this.text.slice(0, this.cursor) + t + this.text.slice(this.cursor), this.cursor + t.length);
  }

  private edit(key: string): void {
    const { text, cursor } = this;
    const word = text.slice(0, cursor).search(/\S+\s*$/);
    if (key === 'Space') this.insert(' ');
    else if ([...key].length === 1) this.insert(key);
    else if (key === 'Left') this.cursor = Math.max(0, cursor - 1);
    else if (key === 'Right') this.cursor = Math.min(text.length, cursor + 1);
    else if (key === 'Home' || key === 'Ctrl-A') this.cursor = 0;
    else if (key === 'End' || key === 'Ctrl-E') this.cursor = text.length;
    else if (key === 'Backspace' || key === 'Ctrl-H') {
      if (cursor > 0) this.put(text.slice(0, cursor - 1) + text.slice(cursor), cursor - 1);
    } else if (key === 'Delete' || key === 'Ctrl-D') this.put(text.slice(0, cursor) + text.slice(cursor + 1), cursor);
    else if (key === 'Ctrl-U') this.put(text.slice(cursor), 0);
    else if (key === 'Ctrl-K') this.put(text.slice(0, cursor), cursor);
    else if (key === 'Alt-b') this.cursor = Math.max(0, word);
    else if (key === 'Alt-f') this.cursor += /^\s*\S*/.exec(text.slice(cursor))![0].length;
    else if (key === 'Alt-d') this.put(text.slice(0, cursor) + text.slice(cursor).replace(/^\s*\S*/, ''), cursor);
    else if ((key === 'Ctrl-W' || key === 'Alt-\x7f') && word >= 0)
      this.put(text.slice(0, word) + text.slice(cursor), word);
  }

  private put(text: string, cursor: number): void {
    this.cursor = cursor;
    if (text === this.text) return;
    this.text = text;
    this.refused = undefined;
    this.request.changed?.(text);
  }

  private enter(): 'more' | 'done' {
    this.refused = this.request.done(this.text);
    if (this.refused !== undefined) return 'more';
    const { history } = this.request;
    if (history !== undefined && this.text.trim() !== '' && history.at(-1) !== this.text) history.push(this.text);
    return 'done';
  }

  private recall(step: number): void {
    const history = this.request.history ?? [];
    let to = this.past + step;
    // What stands in the line already would look as if the key did nothing.
    while (history[to] === this.text) to += step;
    if (to < 0 || to > history.length) return;
    if (this.past === history.length) this.draft = this.text;
    this.past = to;
    this.selected = false;
    const text = history[to] ?? this.draft;
    this.put(text, text.length);
  }

  /** Tab: the part that all words share, then one after the other. */
  private complete(step: number): void {
    if (this.offered === undefined) {
      const found = this.request.complete?.(this.text, this.cursor);
      if (found === undefined || found.words.length === 0) return;
      const typed = this.text.slice(found.from, this.cursor);
      const shared = commonStart(found.words.map((w) => w.text));
      const [{ text, takes = false }] = found.words;
      if (found.words.length === 1) {
        this.replace(found.from, takes ? `${text} ` : text);
        this.blank = takes;
      } else {
        if (shared.length > typed.length) this.replace(found.from, shared);
        this.offered = found;
        this.chosen = -1;
      }
      return;
    }
    const { words, from } = this.offered;
    this.chosen = (this.chosen + step + words.length) % words.length;
    this.replace(from, words[this.chosen].text);
  }

  private replace(from: number, word: string): void {
    this.put(this.text.slice(0, from) + word + this.text.slice(this.cursor), from + word.length);
  }
}

/** What all words begin with. */
function commonStart(words: readonly string[]): string {
  let shared = words[0] ?? '';
  for (const w of words) while (!w.startsWith(shared)) shared = shared.slice(0, -1);
  return shared;
}
