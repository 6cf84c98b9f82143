import { mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { table } from '../kit/index.js';

/*
 * What the program remembers between runs: settings, which people may edit, in the configuration folder; marks, history
 * and recent files in the state folder (XDG Base Directory Specification). Nothing is read from the working directory or
 * from beside a capture.
 */

/** A column of the packet list: one of ours, by its name, or a field. */
export interface ColumnSetting {
  readonly column?: string;
  /** As filters name fields, several with `or` between. */
  readonly field?: string;
  /** Instead of the usual one. */
  readonly title?: string;
  /** Cells; absent: by what stands in it. */
  readonly width?: number;
  readonly hidden?: boolean;
}

/** The settings, version 1. */
export interface Settings {
  readonly version: 1;
  /** Undefined: what the ground of the terminal wants. */
  theme: 'dark' | 'light' | 'contrast' | 'mono' | undefined;
  /** Letters of `-t`. */
  time: 'r' | 'a' | 'ad' | 'u' | 'ud' | 'e' | 'd';
  /** Rows of packets are coloured. */
  colours: boolean;
  mouse: boolean;
  /** No lines and arrows beyond ASCII. */
  ascii: boolean;
  /** Columns of the packet list in their order; none: the usual ones. In the file a name alone does. */
  columns: ColumnSetting[];
  /** Codes of findings that are not shown; `dhcp.*` for all that begin so. */
  muted: string[];
  /** Who issues certificates of EFTFs, as `--eftf-issuer` names them, which comes before it; none: anybody. */
  eftfIssuer: string[];
  /** Filters with a name, for `${name}` and the list of the box. */
  filters: { name: string; filter: string }[];
  /** Keys by command, where they are not the usual ones. */
  keys: Record<string, string[]>;
}

/** What holds where the file of settings says nothing. */
export const DEFAULT_SETTINGS: Settings = {
  version: 1,
  theme: undefined,
  time: 'r',
  colours: true,
  mouse: true,
  ascii: false,
  columns: [],
  muted: [],
  eftfIssuer: [],
  filters: [],
  keys: {},
};

/** What was remembered of captures and typed lines. */
export interface State {
  readonly version: 1;
  /** Captures, the last first. */
  recent: RecentFile[];
  /** Lines typed, the last first, by what they were typed into. */
  history: Record<string, string[]>;
  /** Rows by letter, by the path of the capture. */
  marks: Record<string, Record<string, string>>;
}

/** A capture that was opened before. */
export interface RecentFile {
  readonly path: string;
  /** Key logs that were named with it: their paths, never what is in them. */
  readonly keylogs: readonly string[];
}

const NO_STATE: State = { version: 1, recent: [], history: {}, marks: {} };

const MOST_RECENT = 30;
const MOST_LINES = 200;
const MOST_MARKED = 200;
/** Octets of a file of ours that are read. */
const MOST_OCTETS = 4 << 20;

/** Settings and what was remembered, and the files that they come from. */
export class Memory {
  readonly settings: Settings;
  readonly state: State;
  /** What is wrong with the files, in words. */
  readonly problems: string[] = [];
  readonly configFile: string;
  private readonly stateFile: string;
  /** A file that could not be understood is left as it is. */
  private readonly keep = new Set<string>();

  /** @param config settings file to read instead of that in the folder */
  constructor(
    readonly places: { readonly config: string; readonly state: string },
    config?: string,
  ) {
    this.configFile = config ?? join(places.config, 'config.json');
    this.stateFile = join(places.state, 'state.json');
    this.settings = this.read(this.configFile, settingsFrom);
    this.state = this.read(this.stateFile, stateFrom);
  }

  /** Reads the settings again; returns what is wrong with them. */
  reload(): readonly string[] {
    const from = this.problems.length;
    this.keep.delete(this.configFile);
    Object.assign(this.settings, this.read(this.configFile, settingsFrom));
    return this.problems.splice(from);
  }

  /** Wireshark's colour rules, if the folder has them. */
  get colourFilters(): string | undefined {
    const path = join(this.places.config, 'colorfilters');
    return textIn(path, (text) => this.wrong(path, text));
  }

  /** A capture was opened. */
  opened(path: string, keylogs: readonly string[]): void {
    const others = this.state.recent.filter((r) => r.path !== path);
    this.state.recent = [{ path, keylogs }, ...others].slice(0, MOST_RECENT);
  }

  /** A line was typed into `where`: a filter, a search, a command. */
  typed(where: string, line: string): void {
    const lines = (this.state.history[where] ?? []).filter((l) => l !== line);
    this.state.history[where] = [line, ...lines].slice(0, MOST_LINES);
  }

  /** A packet of a capture got a mark, or, without a row, lost it. */
  mark(path: string, letter: string, row?: string): void {
    const { [path]: all = {}, ...others } = this.state.marks;
    const { [letter]: _, ...rest } = all;
    const marks = row === undefined ? rest : { ...rest, [letter]: row };
    const kept = Object.entries(others).slice(-(MOST_MARKED - 1));
    if (Object.keys(marks).length > 0) kept.push([path, marks]);
    this.state.marks = Object.fromEntries(kept);
  }

  /** Writes the settings. Returns what went wrong, in words. */
  saveSettings(): string | undefined {
    return this.write(this.configFile, this.settings);
  }

  /** Writes what is remembered. Returns what went wrong, in words. */
  saveState(): string | undefined {
    return this.write(this.stateFile, this.state);
  }

  private read<T>(path: string, from: (value: unknown, complain: Complain) => T): T {
    const complain = (text: string): void => this.wrong(path, text);
    return from(jsonIn(path, complain), complain);
  }

  private wrong(path: string, text: string): void {
    this.problems.push(`${path}: ${text}`);
    this.keep.add(path);
  }

  private write(path: string, value: object): string | undefined {
    if (this.keep.has(path)) return `${path} is not written: it could not be understood`;
    const part = `${path}.part`;
    try {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      writeFileSync(part, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 });
      renameSync(part, path);
    } catch (e) {
      return `${path} cannot be written (${(e as NodeJS.ErrnoException).code})`;
    }
    return undefined;
  }
}

type Complain = (text: string) => void;

/** The settings in a file, and what is wrong with it. */
export function settingsIn(path: string): { settings: Settings; problems: readonly string[] } {
  const problems: string[] = [];
  const complain = (text: string): void => void problems.push(`${path}: ${text}`);
  return { settings: settingsFrom(jsonIn(path, complain), complain), problems };
}

function jsonIn(path: string, complain: Complain): unknown {
  const text = textIn(path, complain);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    complain('this is not JSON; the usual settings serve, and the file is left as it is');
    return undefined;
  }
}

/** A file of ours; undefined where there is none. */
function textIn(path: string, complain: Complain): string | undefined {
  try {
    if (statSync(path).size <= MOST_OCTETS) return readFileSync(path, 'utf8');
    complain('it is too long to be ours');
  } catch (e) {
    const { code } = e as NodeJS.ErrnoException;
    if (code !== 'ENOENT' && code !== 'ENOTDIR') complain(`it cannot be read (${code})`);
  }
  return undefined;
}

type Plain = Readonly<Record<string, unknown>>;

const isPlain = (v: unknown): v is Plain => typeof v === 'object' && v !== null && !Array.isArray(v);
const isText = (v: unknown): v is string => typeof v === 'string';
const isTexts = (v: unknown): v is string[] => Array.isArray(v) && v.every(isText);
const isOneOf = (words: readonly string[]) => (v: unknown) => isText(v) && words.includes(v);
const isFlag = (v: unknown): boolean => typeof v === 'boolean';
const isListOf = (check: (v: Plain) => boolean) => (v: unknown) =>
  Array.isArray(v) && v.every((e) => isPlain(e) && check(e));
const isRecordOf = (check: (v: unknown) => boolean) => (v: unknown) => isPlain(v) && Object.values(v).every(check);

/** A column as the file has it. */
function isColumn(v: unknown): boolean {
  if (isText(v)) return true;
  if (!isPlain(v) || isText(v.column) === isText(v.field)) return false;
  const { title, width, hidden } = v;
  return (
    (title === undefined || isText(title)) &&
    (width === undefined || typeof width === 'number') &&
    (hidden === undefined || isFlag(hidden))
  );
}

const SETTINGS = table<readonly [check: (v: unknown) => boolean, expected: string]>({
  theme: [isOneOf(['dark', 'light', 'contrast', 'mono']), 'dark, light, contrast or mono'],
  time: [isOneOf(['r', 'a', 'ad', 'u', 'ud', 'e', 'd']), 'r, a, ad, u, ud, e or d'],
  colours: [isFlag, 'true or false'],
  mouse: [isFlag, 'true or false'],
  ascii: [isFlag, 'true or false'],
  columns: [(v) => Array.isArray(v) && v.every(isColumn), 'a list of names, or of {field, title, width, hidden}'],
  muted: [isTexts, 'a list of codes'],
  eftfIssuer: [isTexts, 'a list of names'],
  filters: [isListOf((e) => isText(e.name) && isText(e.filter)), 'a list of {name, filter}'],
  keys: [isRecordOf(isTexts), 'lists of keys by command'],
});

const VERSION = 1;

/** Settings with what a file says; what it says wrong stays as usual, and is told. */
function settingsFrom(value: unknown, complain: Complain): Settings {
  const settings = structuredClone(DEFAULT_SETTINGS);
  const read = versioned(value, complain);
  if (read === undefined) return settings;
  for (const [name, v] of Object.entries(read)) {
    if (name === 'version') continue;
    const known = SETTINGS[name];
    if (known === undefined) complain(`there is no setting "${name}"`);
    else if (!known[0](v)) complain(`"${name}" should be ${known[1]}`);
    else Object.assign(settings, { [name]: v });
  }
  settings.columns = settings.columns.map((c: ColumnSetting | string) => (isText(c) ? { column: c } : c));
  return settings;
}

function stateFrom(value: unknown, complain: Complain): State {
  const state = structuredClone(NO_STATE);
  const read = versioned(value, complain);
  if (read === undefined) return state;
  if (isListOf((e) => isText(e.path) && isTexts(e.keylogs))(read.recent)) state.recent = read.recent as RecentFile[];
  if (isRecordOf(isTexts)(read.history)) state.history = read.history as State['history'];
  if (isRecordOf(isRecordOf(isText))(read.marks)) state.marks = read.marks as State['marks'];
  return state;
}

function versioned(value: unknown, complain: Complain): Plain | undefined {
  if (value === undefined) return undefined;
  if (isPlain(value) && value.version === VERSION) return value;
  const found = isPlain(value) ? String(value.version) : 'none';
  complain(`its version is ${found.slice(0, 20)}, and this program understands ${VERSION}`);
  return undefined;
}
