import type { Registry } from '../engine/registry.js';
import type { Parties } from '../report/dialogs.js';
import type { Reopen, Viewer } from '../viewer/viewer.js';
import type { Area } from './cells.js';
import type { DialogsWithMedia } from './chosen-rows.js';
import type { CommandId, KeyMap } from './keymap.js';
import type { LiveConsole } from './live-console.js';
import type { PromptRequest } from './prompt.js';
import type { Memory } from './settings.js';
import type { Starters } from './start.js';
import type { Theme, ThemeName } from './style.js';
import type { Depth } from './theme.js';
import type { TimeFormat } from './times.js';
import type { Told } from './told.js';

/*
 * What a view is. Views are state and drawing: they know nothing of the terminal. Keys reach them as commands of the
 * key map; what they draw is read from their state anew each time.
 */

/** The views, in the order of the keys 1 to 8. */
export const VIEWS = ['tunnels', 'packets', 'calls', 'media', 'findings', 'statistics', 'live', 'log'] as const;
export type ViewId = (typeof VIEWS)[number];

/** The part of a capture that views are about; conditions hold together. An empty one is the whole capture. */
export interface Scope {
  /** What the breadcrumb says: `tunnel 1`, `call 2`. */
  readonly label?: string;
  readonly tunnels?: readonly number[];
  /** Id of a call in the report. */
  readonly call?: number;
  /** Of packets those of these dialogs alone; `within`: of these tunnels. */
  readonly parties?: Parties & { readonly within?: readonly number[] };
  /** Ids of rows, in the order of the capture. */
  readonly rows?: readonly string[];
  /** Where the rows are messages of calls that have media: what finds these. */
  readonly dialogs?: DialogsWithMedia;
  /** The row that the cursor goes to. */
  readonly at?: string;
  /** Frames are listed instead of what they carried. */
  readonly frames?: true;
}

/** What of a scope a view is about, in words; undefined: the whole capture. */
export function aboutWords(view: ViewId, scope: Scope): string | undefined {
  const { label, tunnels, call, parties, rows, frames } = scope;
  switch (view) {
    case 'packets':
      return (tunnels ?? parties ?? rows ?? frames) === undefined ? undefined : label;
    case 'media':
    case 'findings':
      if (call !== undefined) return `call ${call}`;
      break;
    case 'calls':
    case 'statistics':
      break;
    default:
      return undefined;
  }
  if (tunnels === undefined) return undefined;
  if (call === undefined && rows === undefined && label !== undefined) return label;
  return tunnels.length === 1 ? `tunnel ${tunnels[0]}` : `${tunnels.length} tunnels`;
}

/** What the mouse did, in cells from the corner of what was drawn. */
export interface MouseAt {
  readonly kind: 'press' | 'double' | 'wheel-up' | 'wheel-down';
  readonly x: number;
  readonly y: number;
}

/** Text to be read in another program. */
export interface Reading {
  readonly name: string;
  readonly lines: readonly string[];
}

/** Something that is drawn in a rectangle and takes commands. */
export interface Panel {
  /** Draws everything anew; the area is blank. `focus`: keys go to it. */
  draw(area: Area, focus: boolean): void;
  /** Commands that do something now, the most used first: the hint line shows as many as fit. */
  offers(): readonly CommandId[];
  /**
   * Does what a command says; false: it means nothing here, and the program looks elsewhere. `argument` is the letter of
   * a mark, or what stands after the command in the palette.
   */
  run(command: CommandId, argument: string): boolean;
  mouse?(at: MouseAt): boolean;
  /** What of it has the focus, to be read in the pager; undefined: all of the view. */
  reading?(): Reading | undefined;
  /** Takes a key before the key map sees it (as it is named there): only where text is typed. */
  key?(key: string): boolean;
  /** Where the terminal's cursor stands while text is typed. */
  caret?(): { readonly x: number; readonly y: number } | undefined;
  /** Takes a line of `--plain`; false: it has no use for it. `known`: it is a command, or the key of one. */
  line?(text: string, known: boolean): boolean;
}

/** One of the eight. */
export interface View extends Panel {
  readonly id: ViewId;
  readonly title: string;
  /** A short word behind the title in the line of tabs: `(3)`. */
  badge?(): string;
  /** What the breadcrumb says behind the scope: where in the view this is. */
  crumbs(): readonly string[];
  /** What stands at the right of the breadcrumb, `14 of 219`: parts with two blanks between, the last of which go where it is narrow. */
  status(): string;
  /** The view is shown, with this scope; called each time, also when the capture is read again. */
  show(scope: Scope): void;
  /** What it shows is still being sought. */
  readonly busy?: boolean;
  /** Where one is, so that {@link restore} can lead back there. Plain data. */
  place(): unknown;
  restore(place: unknown): void;
  /** Why a command that only this view knows leads nowhere, so that nobody has to come here for it. */
  refuses?(command: CommandId, argument: string): string | undefined;
  /** What other views are about when they are opened from here by their number; undefined: what this one is about. */
  selected?(): Scope | undefined;
  /** What would be lost if the program ended now, in words. */
  unsaved?(): string | undefined;
  /** Lines of text that say all that the view shows, tables in no more than `width` cells: for screen readers. */
  plain(width?: number): string[];
  /** Which of these lines, counted from 0, open something, in the order of the list; they get numbers. */
  plainItems?(): readonly number[];
  /** What keys turn to, where the names of commands do not say it. */
  plainHint?(): string;
}

/** A window over a view: help, an info card, a question. Esc closes it. */
export interface Dialog extends Panel {
  readonly title: string;
  /** All its lines as text, where what is drawn would cut them. */
  plain?(): string[];
  /** Cells that it would like, frame and all; it gets what there is. */
  readonly width: number;
  readonly height: number;
  /** The same for a width that it gets, where that counts. */
  heightAt?(width: number): number;
  closed?(): void;
}

/** How a line of the log is coloured. */
export type MessageSeverity = 'note' | 'warn' | 'error';

/** A line of the log: what happened that needed no answer. */
export interface Message {
  readonly at: Date;
  readonly severity: MessageSeverity;
  readonly text: string;
}

/** How things are shown, the same in all views. */
export interface Preferences {
  /** Name of the theme. */
  name: ThemeName;
  theme: Theme;
  /** Colours that the terminal has. */
  readonly depth: Depth;
  time: TimeFormat;
}

/** Fields, protocols, and the tables by which packets are given to them. */
export type Catalogue = Pick<Registry, 'byName' | 'names' | 'protocols' | 'byProto' | 'entries'>;

/** What views may ask of the program. */
export interface Desk {
  readonly viewer: Viewer;
  /** What the report says; kept up to date while anybody asks. */
  readonly told: Told;
  readonly preferences: Preferences;
  /** Settings, and what was remembered from earlier times. */
  readonly memory: Memory;
  /** What keys mean. */
  readonly keymap: KeyMap;
  readonly scope: Scope;
  readonly messages: readonly Message[];
  /** What runs now and brings the packets. */
  readonly live: LiveConsole | undefined;
  /** What can be started instead. */
  readonly starters: Starters | undefined;
  /** Names that filters and rules may have. */
  readonly fields: Catalogue;
  /** Something is another now: paint soon. */
  repaint(): void;
  /** A line for the user, kept in the log. */
  say(text: string, severity?: MessageSeverity): void;
  /** Goes to a view; Esc and Ctrl-O lead back. */
  open(view: ViewId, scope?: Scope): void;
  /** Remembers this place for Ctrl-O before a far jump within a view. */
  leaveMark(): void;
  show(dialog: Dialog): void;
  close(dialog: Dialog): void;
  /** Asks for a line of text at the foot of the screen. */
  prompt(request: PromptRequest): void;
  /** Takes such a line back where nothing was typed yet. */
  withdraw(request: PromptRequest): void;
  /** Asks before something cannot be undone; only `y` does it. */
  confirm(question: string, yes: () => void): void;
  /** Puts text on the user's clipboard, or into a file where that cannot be; says what became of it. */
  copy(text: string, what: string): void;
  /** Reads the capture again, with other keys or rules; resolves to why that cannot be. */
  reopen(changes: Reopen): Promise<string | undefined>;
  /** Does a command as if its key had been pressed. */
  perform(command: CommandId, argument?: string): void;
}
