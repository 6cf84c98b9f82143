import type { Reopen, Viewer } from '../viewer/viewer.js';
import { provideActions } from './actions.js';
import type { AppParts } from './app-parts.js';
import { Cancel } from './cancel.js';
import { Grid } from './cells.js';
import { Question } from './dialogs.js';
import type { Display, DisplayEvents } from './display.js';
import { Help } from './help.js';
import { Journal } from './journal.js';
import { type CommandId, type KeyMap, Keys } from './keymap.js';
import { LateReading } from './late-reading.js';
import type { LiveConsole } from './live-console.js';
import { gotoRequest, paletteRequest } from './palette.js';
import type { Lender } from './programs.js';
import { Prompt, type PromptRequest } from './prompt.js';
import { remapped } from './remap.js';
import { click, drawScreen, type Shown } from './screen.js';
import type { Memory } from './settings.js';
import type { Starters } from './start.js';
import { Told } from './told.js';
import { type Stop, Trail } from './trail.js';
import { paste, twoKeys } from './typing.js';
import {
  aboutWords,
  type Catalogue,
  type Dialog,
  type Message,
  type MessageSeverity,
  type MouseAt,
  type Preferences,
  type Scope,
  VIEWS,
  type View,
  type ViewId,
} from './view.js';

/** Milliseconds between two paintings, unless a key was pressed. */
const FRAME_MS = 33;
/** Keys that are of the terminal, also while a line is typed. */
const OVER_PROMPTS = ['suspend', 'redraw'] as const;
/** Commands that are done whatever dialog is open. */
const OVER_DIALOGS = new Set<CommandId>(['quit', 'cancel', 'redraw', 'suspend', 'pager', 'help']);

/** The program as it is seen: views, the lines around them, and what keys and mouse do. */
export class App implements Lender, DisplayEvents {
  readonly viewer: Viewer;
  readonly told: Told;
  readonly preferences: Preferences;
  readonly fields: Catalogue;
  readonly memory: Memory;
  private readonly journal: Journal;
  readonly views: readonly View[];
  keymap!: KeyMap;
  private keys!: Keys;
  private readonly trail = new Trail();
  private readonly dialogs: Dialog[] = [];
  private readonly actions = new Map<CommandId, (argument: string) => void>();
  /** The view that is shown. */
  view: View;
  private around: Scope = {};
  private prompted: Prompt | undefined;
  private display: Display | undefined;
  private ended: () => void = () => undefined;
  private timer: NodeJS.Timeout | undefined;
  private lastPaint = 0;
  /** How often rows were taken away until now. */
  private cleared = 0;
  private readonly cancelling: Cancel;
  private grid = new Grid(1, 1);

  constructor(private readonly parts: AppParts) {
    this.viewer = parts.viewer;
    this.preferences = parts.preferences;
    this.fields = parts.fields;
    this.memory = parts.memory;
    this.journal = new Journal(this.viewer);
    this.cancelling = new Cancel(this, parts.stop?.bind(parts), () => this.end());
    this.told = new Told(this.viewer, () => this.repaint());
    for (const problem of this.bindKeys()) this.say(problem, 'warn');
    this.views = parts.views(this);
    this.view = this.views[0];
    const late = new LateReading(this);
    this.viewer.onStatus(() => {
      this.fresh();
      this.journal.hear();
      late.look();
      this.repaint();
    });
    this.ownActions();
    provideActions(this, parts.openFile);
    this.view.show({});
    this.journal.hear();
  }

  get messages(): readonly Message[] {
    return this.journal.messages;
  }
  get scope(): Scope {
    return this.around;
  }
  get live(): LiveConsole | undefined {
    return this.parts.live;
  }
  get starters(): Starters | undefined {
    return this.parts.starters;
  }

  /** Shows it all until the user quits. */
  run(display: Display): Promise<void> {
    this.display = display;
    this.paint();
    return new Promise((resolve) => {
      this.ended = resolve;
    });
  }

  /** Says what a command does where no view takes it. */
  provide(id: CommandId, action: (argument: string) => void): void {
    this.actions.set(id, action);
  }

  /** Takes the keys that the settings say; returns what is wrong with them. */
  bindKeys(): readonly string[] {
    const { map, problems } = remapped(this.memory.settings.keys);
    this.keymap = map;
    this.keys = new Keys(map);
    return problems;
  }

  private ownActions(): void {
    for (const id of VIEWS) this.provide(`view-${id}`, () => this.tab(id));
    this.provide('back', () => this.back());
    this.provide('jump-back', () => this.jumpBack());
    this.provide('quit', () => this.quit());
    this.provide('cancel', () => this.cancelling.run());
    this.provide('redraw', () => this.display?.forget());
    this.provide('suspend', () => this.display?.suspend());
    this.provide('help', () => this.show(new Help(this.front, this.dialog === undefined ? 'view' : 'window', this)));
    this.provide('palette', () => this.prompt(paletteRequest(this)));
    this.provide('goto', (id) => (id === '' ? this.prompt(gotoRequest(this)) : this.inPackets('goto', id)));
    for (const id of ['jump-to-mark', 'filter'] as const) this.provide(id, (a) => this.inPackets(id, a));
  }

  /** Does in the packets view what only it can do. */
  private inPackets(command: CommandId, argument: string): void {
    if (this.view.id === 'packets') return;
    const why = this.views.find((v) => v.id === 'packets')?.refuses?.(command, argument);
    if (why !== undefined) {
      this.say(why, 'warn');
      return;
    }
    this.open('packets', this.around);
    this.view.run(command, argument);
  }

  /* Painting */

  repaint(): void {
    if (this.timer === undefined) this.paintIn(Math.max(0, this.lastPaint + FRAME_MS - Date.now()));
  }

  /** Paints in so many milliseconds, and not before. */
  private paintIn(ms: number): void {
    clearTimeout(this.timer);
    if (this.display !== undefined) this.timer = setTimeout(() => this.paint(), ms);
  }

  private paint(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    const { display } = this;
    if (display === undefined) return;
    this.fresh();
    this.lastPaint = Date.now();
    const caret = this.draw(display.width, display.height);
    display.paint(this.grid, caret);
  }

  private draw(width: number, height: number): { x: number; y: number } | undefined {
    if (this.grid.width !== width || this.grid.height !== height) this.grid = new Grid(width, height);
    const { theme } = this.preferences;
    const { viewer, views, dialogs, shown, keymap } = this;
    // What is being read is told of again and again, to whoever looks at more than the run itself.
    if (!viewer.status.done && this.view.id !== 'live' && this.view.id !== 'log') this.told.want();
    const tour = this.parts.tour?.words;
    return drawScreen(this.grid, { ...shown, theme, status: viewer.status, keymap, views, dialogs, tour });
  }

  /* Keys and mouse */

  key(key: string): void {
    const two = this.keys.knows(key) ? undefined : twoKeys(key, this.prompted, this.front);
    if (two !== undefined) {
      for (const k of two) this.key(k);
      return;
    }
    this.cancelling.pressed(this.journal.shown);
    this.journal.shown = undefined;
    this.fresh();
    this.paintIn(0);
    const p = this.prompted;
    if (p !== undefined) {
      const over = OVER_PROMPTS.find((id) => key.startsWith('Ctrl-') && this.keymap.of(id).keys.includes(key));
      if (over !== undefined) this.perform(over);
      else if (p.key(key) !== 'more' && this.prompted === p) this.prompted = undefined;
      return;
    }
    if (this.front.key?.(key) === true) return;
    const meaning = this.keys.take(key);
    if (meaning.kind === 'command') this.perform(meaning.id, meaning.argument);
    else if (meaning.kind === 'nothing') this.hint(`${key} has no meaning; ${this.keymap.key('help')} lists the keys`);
  }

  /** What gets the keys, unless a line is asked for. */
  private get front(): Dialog | View {
    return this.dialog ?? this.view;
  }

  paste(text: string): void {
    const told = paste(text, this.prompted, this.front);
    if (told !== undefined) this.say(this.keymap.words(told));
    this.paintIn(0);
  }

  mouse(at: MouseAt): void {
    const { display } = this;
    if (display === undefined || this.prompted !== undefined) return;
    const { shown, views, keymap } = this;
    const { width, height } = display;
    this.journal.shown = undefined;
    this.paintIn(0);
    const tour = this.parts.tour?.words;
    const on = click(at, { ...shown, views, keymap, tour, width, height });
    if (on === undefined) return;
    if ('tab' in on) this.tab(on.tab);
    else this.perform(on.command);
  }

  resized(): void {
    this.paintIn(0);
  }
  lost(): void {
    this.end();
  }

  perform(command: CommandId, argument = ''): void {
    this.paintIn(0);
    this.parts.tour?.done(command);
    const { dialog, front } = this;
    if (front.run(command, argument)) return;
    const { group, keys, title } = this.keymap.of(command);
    const action = this.actions.get(command);
    if (dialog !== undefined && command === 'back') this.close(dialog);
    // What has no key was not typed by mistake: the dialog itself asks for it.
    else if (action !== undefined && (dialog === undefined || OVER_DIALOGS.has(command) || keys.length === 0))
      action(argument);
    else if (group !== 'Move') this.hint(`${title}: not in ${front.title}`);
  }

  get dialog(): Dialog | undefined {
    return this.dialogs.at(-1);
  }

  /** What is on the screen, for whoever shows it in another way than cells. */
  get shown(): Shown {
    const label = aboutWords(this.view.id, this.around);
    return {
      crumbs: [...(label === undefined ? [] : [label]), this.view.title, ...this.view.crumbs()],
      view: this.view,
      dialog: this.dialog,
      prompt: this.prompted,
      message: this.journal.shown,
    };
  }

  /* Where one is */

  private get here(): Stop {
    return { view: this.view.id, scope: this.around, place: this.view.place() };
  }

  open(view: ViewId, scope: Scope = {}): void {
    this.trail.down(this.here);
    this.enter(view, scope);
  }

  leaveMark(): void {
    this.trail.jump(this.here);
  }

  private enter(id: ViewId, scope: Scope): void {
    const view = this.views.find((v) => v.id === id);
    if (view === undefined) return;
    this.view = view;
    this.around = scope;
    view.show(scope);
    this.repaint();
  }

  /** A number was pressed: that view, about what is selected; once more: about everything. */
  private tab(id: ViewId): void {
    if (id === 'tunnels') {
      this.trail.jump(this.here);
      this.trail.home();
      this.enter(id, {});
    } else if (id === this.view.id) this.enter(id, {});
    else this.open(id, this.view.selected?.() ?? this.around);
  }

  private back(): void {
    const { here } = this;
    const stop = this.trail.up();
    if (stop === undefined && this.view === this.views[0]) this.leaveFirst();
    else {
      if (stop === undefined) this.enter(this.views[0].id, {});
      else this.goTo(stop);
      this.trail.jump(here);
    }
  }

  /** One step back from the first level: out of the reading, where that goes on. */
  private leaveFirst(): void {
    const { done, growing } = this.viewer.status;
    if (done || growing) this.hint(this.keymap.words('this is the first level; {quit} quits'));
    else this.confirm('Stop reading? What was read until now stays.', () => this.viewer.cancel());
  }

  private jumpBack(): void {
    const stop = this.trail.back();
    if (stop === undefined) this.hint('no jump to go back from');
    else this.goTo(stop);
  }

  private goTo({ view, scope, place }: Stop): void {
    this.enter(view, scope);
    this.view.restore(place);
  }

  /* What views ask for */

  say(text: string, severity: MessageSeverity = 'note'): void {
    this.journal.say(text, severity);
    this.repaint();
  }

  /** Says what a key did not do. */
  private hint(text: string): void {
    this.journal.hint(text);
    this.repaint();
  }

  show(dialog: Dialog): void {
    this.dialogs.push(dialog);
    this.repaint();
  }

  close(dialog: Dialog): void {
    const at = this.dialogs.indexOf(dialog);
    if (at < 0) return;
    this.dialogs.splice(at, 1);
    dialog.closed?.();
    this.repaint();
  }

  prompt(request: PromptRequest): void {
    this.prompted = new Prompt(request);
    this.repaint();
  }

  withdraw(request: PromptRequest): void {
    if (this.prompted?.request === request && this.prompted.text === '') this.prompted = undefined;
    this.repaint();
  }

  confirm(question: string, yes: () => void): void {
    this.show(new Question(question, this, yes));
  }

  async reopen(changes: Reopen): Promise<string | undefined> {
    try {
      await this.viewer.reopen(changes);
    } catch (e) {
      const { message } = e as Error;
      this.say(message, 'error');
      return message;
    }
    this.fresh();
    return undefined;
  }

  /** Where the capture is read anew, nothing that is shown is of rows that there were. */
  private fresh(): void {
    const { cleared } = this.viewer.rows;
    if (cleared === this.cleared) return;
    this.cleared = cleared;
    this.told.forget();
    this.journal.anew();
    this.enter(this.view.id, this.around);
  }

  async lend(command: string, path: string): Promise<void> {
    const run = this.parts.runProgram;
    if (run === undefined || this.display === undefined) throw new Error('no other program can be started from here');
    await this.display.lend((end) => run(command, path, end));
  }

  copy(text: string, what: string): void {
    this.display?.offer(text);
    const path = this.parts.keepCopy?.(text);
    const kept = path === undefined ? ', which does not say whether it took it' : `, and kept in ${path}`;
    this.say(`${what}: offered to the terminal's clipboard${kept}`);
  }

  private quit(): void {
    const unsaved = this.views.map((v) => v.unsaved?.()).filter((u) => u !== undefined);
    if (unsaved.length === 0) this.end();
    else this.confirm(`${unsaved.join('; ')}. Quit all the same?`, () => this.end());
  }

  private end(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.display?.close();
    this.display = undefined;
    this.ended();
  }
}
