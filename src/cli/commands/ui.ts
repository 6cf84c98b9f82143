import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import type { Registry } from '../../engine/registry.js';
import { folders } from '../../live/folders.js';
import { App } from '../../tui/app.js';
import { beginAt } from '../../tui/beginning.js';
import type { Display } from '../../tui/display.js';
import type { LiveConsole } from '../../tui/live-console.js';
import { PlainScreens } from '../../tui/plain.js';
import { Memory, type Settings } from '../../tui/settings.js';
import type { Theme } from '../../tui/style.js';
import { loadTerminal, openTerminal, type TerminalOptions } from '../../tui/term.js';
import { depthOf, themeFor, usualTheme } from '../../tui/theme.js';
import type { Tour } from '../../tui/tour.js';
import { makeViews } from '../../tui/views.js';
import { Waiting } from '../../tui/waiting.js';
import { Refused } from '../../viewer/remote.js';
import { Exit, UserError } from '../errors.js';
import { FollowedFile, followed } from '../follow.js';
import { LiveCapture } from '../live-capture.js';
import { NothingYet } from '../live-nothing.js';
import { isPiped, PipedCapture } from '../live-pipe.js';
import type { LiveRun } from '../live-run.js';
import { type Begin, startersOf } from '../live-start.js';
import type { ScreenOptions } from '../options.js';
import { Reading } from '../reading.js';
import { keyboard } from '../screens.js';
import { onEndSignal } from '../signals.js';
import { timeFilter } from '../times.js';
import { openViewer } from '../view.js';
import { tunnelTest } from '../which-tunnel.js';

/** Milliseconds that a capture may take to open before the screen says so. */
const PATIENCE_MS = 300;

/** Whether the terminal shows more than ASCII, by the locale. */
const isUtf8 = ({ LC_ALL, LC_CTYPE, LANG }: NodeJS.ProcessEnv): boolean =>
  /utf-?8/i.test(LC_ALL || LC_CTYPE || LANG || '');

/** Keeps what was copied where only the user can read it; returns the path. */
function keepCopy(folder: string, text: string): string | undefined {
  const path = join(folder, 'copied.txt');
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    writeFileSync(path, `${text}\n`, { mode: 0o600 });
    return path;
  } catch {
    return undefined;
  }
}

/** Runs a program, as shells write it, with a file in this terminal. @throws Error in words */
async function runProgram(command: string, path: string, end: AbortSignal): Promise<void> {
  const terminal = openSync('/dev/tty', 'r+');
  try {
    const child = spawn('/bin/sh', ['-c', `${command} "$1"`, 'sh', path], {
      stdio: [terminal, terminal, terminal],
      signal: end,
    });
    const code = await new Promise<number | null>((ended, failed) => child.on('exit', ended).on('error', failed));
    if (code === 126 || code === 127) throw new Error(`${command} cannot be started; PAGER and EDITOR name others`);
  } finally {
    closeSync(terminal);
  }
}

/** A capture to show, and what is to be said of how that came about. */
interface Shown {
  readonly captures: readonly string[];
  readonly options: ScreenOptions;
  readonly tour?: Tour;
  readonly said?: string;
  /** What brings the packets, instead of files. */
  readonly run?: LiveRun;
}

/** Nothing to show: asks what there shall be. */
const nothing = (options: ScreenOptions, said?: string): Shown => ({
  captures: [],
  options: { ...options, read: [] },
  run: new NothingYet('open'),
  ...(said !== undefined && { said }),
});

/** `fttscope CAPTURE` in a terminal, or `fttscope` alone: the screens. Returns the exit code. @throws UserError */
export async function ui(captures: readonly string[], options: ScreenOptions, tour?: Tour): Promise<number> {
  timeFilter(options.from, options.to);
  if (options.tunnel !== undefined) tunnelTest(options.tunnel);
  if (captures.length + (options.read?.length ?? 0) === 0) return all(nothing(options));
  const follow = followed([...(options.read ?? []), ...captures], options);
  if (follow !== undefined) {
    const file = { captures: [follow.name], options: { ...options, read: [] }, run: new FollowedFile(follow) };
    return all({ ...file, ...(tour !== undefined && { tour }) });
  }
  return all({ captures, options, ...(tour !== undefined && { tour }) });
}

/** The screens of something that goes on. Returns the exit code. */
export async function watch(run: LiveRun, options: ScreenOptions): Promise<number> {
  return all({ captures: [], options, run });
}

/** Shows one capture, and then others that the user opened. */
async function all(first: Shown): Promise<number> {
  let shown = first;
  let code: number = Exit.done;
  for (let next: Shown | undefined = shown; next !== undefined; ) {
    try {
      const wanted: Shown = next;
      [next, code] = await one(wanted);
      shown = wanted;
    } catch (e) {
      // The first capture ends the program, a later one leads back; a run is over and cannot be shown again.
      if (!(e instanceof UserError) || next === first) throw e;
      const { captures, options, run } = shown;
      next = run === undefined ? { captures, options, said: e.message } : nothing(options, e.message);
    }
  }
  return code;
}

/** Options with the issuers of certificates that the settings name, unless the command line names some. */
export function withIssuers<O extends ScreenOptions>(o: O, { eftfIssuer }: Settings): O {
  return o.eftfIssuer !== undefined || eftfIssuer.length === 0 ? o : { ...o, eftfIssuer };
}

/** What the user wants to see after the capture or run that is shown. */
class Following {
  shown: Shown | undefined;
  /** Options for another capture, which has other parts. */
  private readonly options: ScreenOptions;
  private isStarting = false;
  private readonly leaving = new AbortController();

  constructor(
    { read: _, filter: _f, tunnel: _t, user: _u, callId: _c, from: _from, to: _to, ...options }: ScreenOptions,
    private readonly run: LiveRun | undefined,
    /** What is shown ends. */
    private readonly lost: () => void,
  ) {
    this.options = options;
  }

  /** A run that the user starts. */
  readonly begin: Begin = async (make, more) => {
    if (this.isStarting) throw new UserError('something is being started already');
    this.isStarting = true;
    try {
      await this.run?.halt?.(); // what comes may want its address, device or file
      this.shown = { captures: [], options: { ...this.options, ...more }, run: await make(this.leaving.signal) };
      this.lost();
    } finally {
      this.isStarting = false;
    }
  };

  /** Another capture. */
  readonly open = (path: string, keylog: readonly string[]): void => {
    this.shown = { captures: [path], options: { ...this.options, keylog: [...keylog] } };
    this.lost();
  };

  /** Nobody waits any more for what is being started: it would keep the program alive until its name is resolved. */
  leave(): void {
    if (this.isStarting) this.leaving.abort();
  }
}

/** Shows one capture until the user quits, or wants another. Returns that, and the exit code of the run that there was. */
async function one({ captures, options: o, tour, said, run: given }: Shown): Promise<[Shown | undefined, number]> {
  const brought = given === undefined || captures.length > 0 ? captures : ['-'];
  const { registry, names } = new Reading(brought, { ...o, quiet: true });
  const run: LiveRun | undefined = given ?? (names.join() === '-' && isPiped() ? new PipedCapture() : undefined);
  const memory = new Memory(folders(), o.config);
  const name = o.theme ?? memory.settings.theme ?? usualTheme(process.env);
  const depth = depthOf(process.env, o.color ?? 'auto');
  const preferences = { name, theme: themeFor(name, depth), depth, time: memory.settings.time };
  const { viewer, waiting } = await opened({ names, o, run, registry, memory, theme: preferences.theme });
  for (const file of names.filter((n) => n !== '-'))
    memory.opened(
      resolve(file),
      (o.keylog ?? []).map((k) => resolve(k)),
    );
  const next = new Following(o, run, () => app.lost());
  const app = new App({
    viewer,
    fields: registry,
    memory,
    preferences,
    views: makeViews,
    runProgram,
    keepCopy: (text) => keepCopy(memory.places.state, text),
    ...(tour !== undefined && { tour }),
    ...(run?.console && { live: run.console }),
    ...(run && { stop: () => run.stop() }),
    openFile: next.open,
    starters: startersOf(next.begin, o.keylog),
  });
  if (said !== undefined) app.say(said, 'error');
  run?.onTrouble?.((words) => app.say(words, 'error'));
  // A run ends in good order: an end of a tunnel releases it.
  const deaf = run?.console === undefined ? undefined : onEndSignal(() => app.lost());
  let code: number = Exit.done;
  try {
    if (run?.console !== undefined) startLive(app, run.console);
    else if (run instanceof NothingYet) {
      app.open('live');
      app.perform(run.first);
    }
    run?.begin?.();
    await show(app, names, o, waiting);
  } finally {
    next.leave();
    if (tour === undefined) memory.saveState(); // a demo leaves nothing behind
    await viewer.close();
    code = (await run?.end()) ?? Exit.done;
    deaf?.();
    // The terminal opened beside a pipe would keep the program alive.
    if (next.shown === undefined && !process.stdin.isTTY) keyboard(names)?.destroy();
  }
  return [next.shown, code];
}

/** What is to be opened, and what the screens look like that say so meanwhile. */
interface ToOpen {
  readonly names: readonly string[];
  readonly o: ScreenOptions;
  readonly run: LiveRun | undefined;
  readonly registry: Registry;
  readonly memory: Memory;
  readonly theme: Theme;
}

/** Opens captures, or what a run brings, and shows that it goes on where it takes long. @throws UserError */
async function opened({ names, o, run, registry, memory, theme }: ToOpen) {
  // What a run keeps has its keys in it.
  const keys = run?.keyed === true ? { keylog: [], autoKeys: true } : {};
  const order = {
    captures: names,
    options: { ...withIssuers(o, memory.settings), ...keys, read: [] },
    ...(run && { growing: run.reader }),
  };
  const opening = openViewer(order, registry).catch((e: unknown) => {
    throw e instanceof Refused ? new UserError(e.message, e.code ?? Exit.input, e.hint) : e;
  });
  opening.catch(() => undefined); // it may fail before anybody waits for it
  // While the other thread opens the captures.
  if (!isPlain(o)) await loadTerminal();
  const waiting = await waitFor(opening, theme, names, { o, memory, title: run?.console?.title });
  const viewer = await opening.catch(async (e: unknown) => {
    waiting?.display.close();
    await run?.end();
    throw e;
  });
  return { viewer, waiting };
}

/** Where the screens of a run begin: a capture with its packets, an end of a tunnel with itself. */
function startLive(app: App, console: LiveConsole): void {
  app.views.find((v) => v.id === 'packets')?.run('tail', '');
  app.open(console instanceof LiveCapture ? 'packets' : 'live');
}

/** The terminal while a capture is being opened. */
interface Opened {
  readonly display: Display;
  readonly events: Waiting;
}

const isPlain = (o: ScreenOptions): boolean => o.plain === true || (process.env.TERM ?? 'dumb') === 'dumb';

/** Opens the terminal where a capture takes its time to open; what cannot be opened at once leaves no screen. */
async function waitFor(
  opening: Promise<unknown>,
  theme: Theme,
  names: readonly string[],
  { o, memory, title }: { readonly o: ScreenOptions; readonly memory: Memory; readonly title: string | undefined },
): Promise<Opened | undefined> {
  const late = new Promise<true>((done) => setTimeout(() => done(true), PATIENCE_MS).unref());
  if (isPlain(o) || (await Promise.race([opening.catch(() => false), late])) !== true) return undefined;
  const what = title ?? (names.includes('-') ? 'the first packet on standard input' : names.join(', '));
  const events: Waiting = new Waiting(theme, `Waiting for ${what}.`, () => {
    display.close();
    process.exit(Exit.done); // the thread that waits for the capture cannot be asked to end
  });
  const display = await openTerminal(terminalOptions(names, o, memory), events);
  events.showOn(display);
  return { display, events };
}

/** Nothing but ASCII is to be written. */
const isAscii = (o: ScreenOptions, settings: Memory['settings']): boolean =>
  o.ascii === true || settings.ascii || !isUtf8(process.env);

function terminalOptions(names: readonly string[], o: ScreenOptions, { settings }: Memory): TerminalOptions {
  return {
    input: keyboard(names)!,
    output: process.stdout,
    term: process.env.TERM ?? 'dumb',
    ascii: isAscii(o, settings),
    mouse: o.mouse !== false && settings.mouse,
  };
}

async function show(app: App, names: readonly string[], o: ScreenOptions, waiting: Opened | undefined): Promise<void> {
  for (const p of app.memory.problems) app.say(p, 'warn');
  startAt(app, o);
  // A terminal that cannot move its cursor gets lines.
  if (isPlain(o)) {
    const lines = createInterface({ input: keyboard(names)!, terminal: false });
    await new PlainScreens(app, process.stdout, isAscii(o, app.memory.settings)).run(lines);
    lines.close();
    return;
  }
  if (waiting !== undefined) waiting.events.next = app;
  await app.run(waiting?.display ?? (await openTerminal(terminalOptions(names, o, app.memory), app)));
}

/** Begins with what the command line chose. */
function startAt(app: App, { filter, tunnel, user, callId, from, to, rows = 'both' }: ScreenOptions): void {
  if (rows !== 'both') app.views.find((v) => v.id === 'packets')?.run('layers', rows);
  if ([filter, tunnel, user, callId, from, to].every((v) => v === undefined)) return;
  const times = timeFilter(from, to);
  const both = times !== '' && filter !== undefined && filter.trim() !== '';
  const beginning = {
    filter: both ? `(${filter}) && ${times}` : filter === undefined || filter.trim() === '' ? times : filter,
    ...(tunnel !== undefined && { tunnel }),
    ...(user !== undefined && { user }),
    ...(callId !== undefined && { callId }),
  };
  beginAt(app, beginning).catch((e: Error) => app.say(e.message, 'error'));
}
