import type { ViewerStatus } from '../viewer/viewer.js';
import { type Area, cellsOf, clip, clipMiddle, wrap } from './cells.js';
import { type CommandId, type KeyMap, keyText } from './keymap.js';
import type { Prompt } from './prompt.js';
import { SIGNS, type Theme } from './style.js';
import { type Message, VIEWS, type View } from './view.js';
import { count, plural } from './words.js';

/* The lines around a view: title, tabs, breadcrumb, and at the foot hints, messages or a line that is typed. */

/** Lines of words at the foot. */
const FOOT = 3;

/** Octets as `512 B`, `23 kB`, `1.4 MB`. */
export function octetsText(n: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let [value, unit] = [n, 0];
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit > 0 && value < 10 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

/** What is said of reading: how far it is, or what there was. */
function progress(s: ViewerStatus, keymap: KeyMap): string {
  const seconds = s.elapsedMs / 1000;
  const frames = plural(s.frames, 'frame');
  const percent = s.size === undefined || s.size === 0 ? undefined : Math.floor((100 * s.read) / s.size);
  const stopped = `  stopped${percent === undefined ? '' : ` at ${percent} %`}`;
  if (s.done) return `${frames}  ${seconds.toFixed(2)} s${s.cancelled ? stopped : ''}`;
  if (s.growing) return `${frames}  more may come`;
  const rate = seconds > 0.2 ? `  ${count(Math.round(s.frames / seconds))}/s` : '';
  const part = percent === undefined ? '' : `reading ${percent} %  `;
  return `${part || 'reading  '}${frames}${rate}  ${keymap.key('cancel')} stops`;
}

/** What is said of keys. */
function keysText({ keys }: ViewerStatus): string {
  if (keys.lines === 0) return 'no keys';
  const lines = `${plural(keys.lines, 'line')}, ${count(keys.used)} used`;
  return keys.sources.length > 0 ? `keys: ${keys.sources.join(', ')} (${lines})` : `keys: ${lines}`;
}

/** The first line: program, file, how far, keys. */
export function drawTitle(area: Area, theme: Theme, status: ViewerStatus, keymap: KeyMap): void {
  area.clear(theme.title);
  const names = status.files.map((f) => (f.name === '-' ? 'standard input' : f.name.replace(/^.*\//, '')));
  const name =
    names.length === 0
      ? status.done
        ? 'no capture'
        : 'opening …'
      : names.length === 1
        ? names[0]
        : `${names[0]} and ${names.length - 1} more`;
  const { lines, used } = status.keys;
  const short = lines === 0 ? 'no keys' : `${count(used)} of ${count(lines)} keys used`;
  const full = `fttscope  ${name}`;
  const far = progress(status, keymap);
  const forms = [`${far}  ${keysText(status)}`, `${far}  ${short}`, far];
  const words = forms.find((f) => cellsOf(full) + cellsOf(f) + 4 <= area.width) ?? forms[2];
  area.right(area.width - 1, 0, clip(words, area.width - 12), theme.title);
  area.text(1, 0, clipMiddle(full, Math.max(8, area.width - cellsOf(words) - 4)), theme.title);
}

/** The second line: the views and their keys. Where the width does not do, only the open one has its name. */
export function drawTabs(area: Area, theme: Theme, views: readonly View[], open: View): void {
  area.clear(theme.tab);
  let x = 0;
  for (const { v, text } of tabTexts(views, open, area.width)) {
    const s = v === open ? theme.tabOpen : theme.tab;
    x = area.text(x, 0, text, s);
  }
}

/** The texts of the tabs with the blanks around them: the longest form of them that has room. */
function tabTexts(views: readonly View[], open: View, width: number): { v: View; text: string }[] {
  const key = (v: View): number => VIEWS.indexOf(v.id) + 1;
  const wrong = (v: View): string => (v.id === 'findings' ? (v.badge?.() ?? '') : '');
  const named = (v: View): string => `${key(v)} ${v.title}${wrong(v)}`;
  // Of all numbers, how much is wrong is the last to go.
  const forms = [
    (v: View) => ` ${key(v)} ${v.title}${v.badge?.() ?? ''} `,
    (v: View) => ` ${named(v)} `,
    (v: View) => ` ${named(v)}`,
    (v: View) => (v === open ? ` ${named(v)} ` : ` ${key(v)}${wrong(v)} `),
    (v: View) => (v === open ? ` ${key(v)} ${v.title} ` : ` ${key(v)} `),
  ];
  const texts = forms.map((form) => views.map((v) => ({ v, text: form(v) })));
  return texts.find((tabs) => tabs.reduce((n, t) => n + cellsOf(t.text), 0) <= width) ?? texts.at(-1)!;
}

/** The view whose tab a click was on. */
export function tabAt(views: readonly View[], open: View, width: number, x: number): View | undefined {
  let end = 0;
  for (const { v, text } of tabTexts(views, open, width)) {
    end += cellsOf(text);
    if (x < end) return v;
  }
  return undefined;
}

/**
 * The third line: where one is, and what the view says of itself, the most important part first and two blanks between
 * parts: where the width does not do, the last go.
 */
export function drawCrumbs(area: Area, theme: Theme, crumbs: readonly string[], status: string): void {
  let text = crumbs.join(' › ');
  const room = Math.max(Math.floor(area.width * 0.6), area.width - cellsOf(text) - 3);
  const parts = status.split('  ');
  while (parts.length > 1 && cellsOf(parts.join('  ')) > room) parts.pop();
  const right = clip(parts.join('  '), room);
  const left = area.width - cellsOf(right) - 3;
  // The last steps say most.
  for (let i = 1; i < crumbs.length && cellsOf(text) > left; i++) text = `… › ${crumbs.slice(i).join(' › ')}`;
  area.text(1, 0, clip(text, left), theme.strong);
  area.right(area.width - 1, 0, right, theme.dim);
}

/** A command in the last line, and the cells that it takes there. */
interface Hint {
  readonly id: CommandId;
  readonly key: string;
  readonly words: string;
  readonly x: number;
  readonly end: number;
}

/** What of the commands fits whole into the last line; `?` is always there. */
function hintsIn(width: number, offers: readonly CommandId[], keymap: KeyMap): Hint[] {
  const at = (id: CommandId, x: number): Hint => {
    const { keys, hint: words } = keymap.of(id);
    const key = keys.length > 0 ? keyText(keys[0]) : '';
    return { id, key, words, x, end: x + cellsOf(key) + 1 + cellsOf(words) };
  };
  const { end: last } = at('help', 0);
  const out: Hint[] = [];
  let x = 1;
  for (const id of offers) {
    const h = at(id, x);
    if (id === 'help' || h.key === '' || h.end > width - last - 2) continue;
    out.push(h);
    x = h.end + 2;
  }
  out.push(at('help', x));
  return out;
}

/** The last line: what keys do here. */
export function drawHints(area: Area, theme: Theme, offers: readonly CommandId[], keymap: KeyMap): void {
  for (const { key, words, x } of hintsIn(area.width, offers, keymap))
    area.text(area.text(x, 0, key, theme.key) + 1, 0, words, theme.text);
}

/** The command on whose words in the last line a click was. */
export const hintAt = (offers: readonly CommandId[], keymap: KeyMap, width: number, x: number): CommandId | undefined =>
  hintsIn(width, offers, keymap).find((h) => x >= h.x && x < h.end)?.id;

/** Lines of a message. */
export const messageLines = (m: Message, width: number): string[] =>
  wrapped(`${SIGNS[m.severity]} ${m.text}`, width - 2);

/** As many lines as the foot has room for; the last one says that there were more. */
function wrapped(text: string, width: number): string[] {
  const lines = wrap(text, width);
  const shown = lines.slice(0, FOOT);
  if (lines.length > FOOT) shown.push(clip(`${shown.pop()!.trimEnd()} …`, width));
  return shown;
}

/** The last lines when there is something to say. */
export function drawMessage(area: Area, theme: Theme, m: Message): void {
  area.clear(theme.text);
  for (const [y, line] of messageLines(m, area.width).entries()) area.text(1, y, line, theme[m.severity]);
}

/** Lines that a prompt takes at the foot. */
export const promptHeight = (p: Prompt, width: number): number =>
  2 + verdictLines(p, width).length + (p.offered === undefined ? 0 : 1);

/** A line that is typed: what Tab offers, the line, what is to be said of it, and what ends it. Returns the cursor. */
export function drawPrompt(area: Area, theme: Theme, p: Prompt): { x: number; y: number } {
  area.clear(theme.text);
  let y = 0;
  if (p.offered !== undefined) drawOffered(area, theme, p, y++);
  const label = `${p.request.label} `;
  const start = labelEnd(p);
  const room = area.width - start - 1;
  // The cursor stays in sight.
  const shift = Math.max(0, p.cells - room + 1);
  area.text(1, y, label, theme.key);
  const style = p.selected ? theme.cursor : p.verdict?.wrong === true ? theme.error : theme.strong;
  area.part(start, y, room, 1).text(-shift, 0, p.text, style);
  const caret = { x: start + p.cells - shift, y };
  y++;
  for (const line of verdictLines(p, area.width)) area.text(0, y++, line, p.verdict!.wrong ? theme.error : theme.dim);
  const hints = [
    ['Enter', 'do it'],
    ['Tab', 'complete'],
    ['↑', 'earlier'],
    ['Esc', 'cancel'],
  ];
  let x = 1;
  for (const [key, words] of hints) {
    if (key === 'Tab' && p.request.complete === undefined) continue;
    if (key === '↑' && (p.request.history?.length ?? 0) === 0) continue;
    x = area.text(area.text(x, y, key, theme.key) + 1, y, words, theme.text) + 2;
  }
  return caret;
}

function drawOffered(area: Area, theme: Theme, p: Prompt, y: number): void {
  const words = p.offered!.words;
  // A window of words around the chosen one.
  let first = 0;
  let x = 1;
  for (let i = 0; i <= p.chosen; i++) {
    const size = cellsOf(words[i].text) + 2;
    if (x + size > area.width - 8) [first, x] = [i, 1];
    x += size;
  }
  x = 1;
  for (let i = first; i < words.length; i++) {
    if (x + cellsOf(words[i].text) > area.width - 8) {
      area.text(x, y, `+${words.length - i}`, theme.dim);
      break;
    }
    x = area.text(x, y, words[i].text, i === p.chosen ? theme.cursor : theme.note) + 2;
  }
  const note = p.chosen >= 0 ? words[p.chosen].note : undefined;
  if (note !== undefined && x + cellsOf(note) < area.width) area.right(area.width - 1, y, note, theme.dim);
}

const labelEnd = (p: Prompt): number => 2 + cellsOf(p.request.label);

/** Lines of words under what is typed; where something is wrong at a place, a caret points there. */
function verdictLines(p: Prompt, width: number): string[] {
  const v = p.verdict;
  if (v === undefined) return [];
  const start = labelEnd(p);
  const shift = Math.max(0, p.cells - (width - start - 1) + 1);
  const at = v.at === undefined ? -1 : start - shift + cellsOf(p.text.slice(0, v.at));
  if (at < start || at >= width) return wrapped(v.text, width - 2).map((l) => ` ${l}`);
  const caret = `${' '.repeat(at)}^${'~'.repeat(Math.max(0, cellsOf(p.text.slice(v.at, (v.at ?? 0) + (v.length ?? 1))) - 1))}`;
  if (cellsOf(caret) + 1 + cellsOf(v.text) < width) return [`${caret} ${v.text}`];
  return [caret, ...wrapped(v.text, width - 2).map((l) => ` ${l}`)];
}
