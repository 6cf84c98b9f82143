import type { App } from './app.js';
import { type Listed, listedOf } from './chosen-rows.js';
import { decodeAs } from './decode-as.js';
import { exportDialog } from './export-actions.js';
import { fileInfo } from './file-card.js';
import { pathOf } from './files.js';
import { keylogsOf, type OpenFile, recentDialog } from './files-dialog.js';
import { FilterForm } from './filter-form.js';
import { FollowDialog } from './follow-dialog.js';
import { keyText } from './keymap.js';
import { askForKeys, KeysDialog } from './keys-dialog.js';
import { PacketsView } from './packets-view.js';
import { edit, page } from './programs.js';
import { settingsDialog } from './settings-dialog.js';
import { STARTERS, startCommand } from './start.js';
import { THEMES, type ThemeName } from './style.js';
import { themeFor } from './theme.js';
import { TIME_FORMATS, type TimeFormat } from './times.js';
import { writeDialog } from './write-actions.js';

/** Says what commands do that are the same in all views. */
export function provideActions(app: App, open?: OpenFile): void {
  app.provide('export', (name) => exportDialog(app, app.view, name));
  app.provide('pager', (what) => void page(app, what));
  app.provide('edit', (what) => void edit(app, what));
  app.provide('write', (name) => writeDialog(app, listed(app), name));
  app.provide('keys', (path) => (path === '' ? app.show(new KeysDialog(app)) : askForKeys(app, path)));
  app.provide('settings', () => settingsDialog(app));
  app.provide('theme', (name) => chooseTheme(app, name));
  app.provide('time-format', () => nextTimeFormat(app));
  app.provide('bind', (typed) => bind(app, typed));
  app.provide('file-info', () => fileInfo(app));
  app.provide('filter-form', () => {
    app.told.want();
    app.show(new FilterForm(app));
  });
  app.provide('decode-as', (rule) => decodeAs(app, rule));
  app.provide('follow', () => follow(app));
  app.provide('open-file', (path) => {
    if (open === undefined) app.say('another capture cannot be opened from here', 'warn');
    else if (path === '') recentDialog(app, (path, keylogs) => instead(app, path, (p) => open(p, keylogs)));
    else instead(app, pathOf(path), (p) => open(p, keylogsOf(app, p)));
  });
  for (const id of STARTERS) app.provide(id, (line) => startCommand(app, id, line));
}

/** Opens a file, after a question where that would end what goes on. */
function instead(app: App, path: string, open: (path: string) => void): void {
  const lost = app.live?.unsaved;
  if (lost === undefined) open(path);
  else app.confirm(`${lost}. Open ${path} instead?`, () => open(path));
}

function chooseTheme(app: App, name: string): void {
  const { preferences, memory } = app;
  const names = Object.keys(THEMES) as ThemeName[];
  const theme = names.find((n) => n === name);
  if (theme === undefined) app.say(`a theme is one of ${names.join(', ')}`, 'warn');
  else {
    memory.settings.theme = preferences.name = theme;
    preferences.theme = themeFor(theme, preferences.depth);
  }
}

function nextTimeFormat(app: App): void {
  const { preferences } = app;
  const all = Object.keys(TIME_FORMATS) as TimeFormat[];
  preferences.time = all[(all.indexOf(preferences.time) + 1) % all.length];
  app.say(`time: ${TIME_FORMATS[preferences.time].words}`);
}

/** Gives a command other keys, parted by commas, and keeps them: `sort S, g s`; without keys it gets the usual ones. */
function bind(app: App, typed: string): void {
  const { settings } = app.memory;
  const [, id = '', list = ''] = /^(\S+)\s*(.*)$/.exec(typed) ?? [];
  if (!app.keymap.has(id)) {
    app.say(id === '' ? ':bind COMMAND KEY, KEY; without keys the usual ones' : `there is no command ${id}`, 'warn');
    return;
  }
  const before = settings.keys;
  const { [id]: _, ...others } = before;
  const keys = list.split(',').map((k) => k.trim());
  settings.keys = list === '' ? others : { ...others, [id]: keys };
  const wrong = app.bindKeys();
  if (wrong.length > 0) {
    settings.keys = before;
    app.bindKeys();
  }
  const told = wrong[0] ?? app.memory.saveSettings();
  if (told !== undefined) app.say(told, 'warn');
  else app.say(`${id}: ${app.keymap.of(id).keys.map(keyText).join(' ') || 'no key'}`);
}

/** The rows that are written unless all are: those in the list, or those of what is selected. */
function listed(app: App): Listed | undefined {
  const { view } = app;
  if (!(view instanceof PacketsView)) return listedOf(app, view.selected?.() ?? app.scope);
  const { packets } = view;
  const words = packets.filter === '' ? (app.scope.label ?? 'as listed') : `/ ${packets.filter}`;
  return { count: packets.count, at: (i) => packets.at(i), words };
}

/** Follows the conversation of the packet under the cursor. */
function follow(app: App): void {
  const { view } = app;
  const { rows } = app.viewer;
  const id = view.selected?.()?.at ?? view.selected?.()?.rows?.[0];
  const row = view instanceof PacketsView ? view.packets.row : id === undefined ? -1 : rows.byId(id);
  if (row < 0) app.say('choose a packet first');
  else app.show(new FollowDialog(app, row));
}
