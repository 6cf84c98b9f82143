import type { ViewerStatus } from '../viewer/viewer.js';
import type { Grid } from './cells.js';
import {
  drawCrumbs,
  drawHints,
  drawMessage,
  drawPrompt,
  drawTabs,
  drawTitle,
  hintAt,
  messageLines,
  promptHeight,
  tabAt,
} from './chrome.js';
import { drawDialog, insideOf, placeOf } from './frame.js';
import type { CommandId, KeyMap } from './keymap.js';
import type { Prompt } from './prompt.js';
import type { Theme } from './style.js';
import type { Dialog, Message, MouseAt, View, ViewId } from './view.js';

/** Below this there is no room for a view. */
const LEAST = { width: 40, height: 8 };
/** From this height on there is a line for the title. */
const TITLE_FROM = 14;

/** Where one is, and what stands over it. */
export interface Shown {
  readonly crumbs: readonly string[];
  readonly view: View;
  readonly dialog: Dialog | undefined;
  readonly prompt: Prompt | undefined;
  readonly message: Message | undefined;
}

/** All that is on the screen. */
export interface ScreenParts extends Shown {
  readonly theme: Theme;
  readonly status: ViewerStatus;
  readonly keymap: KeyMap;
  readonly views: readonly View[];
  readonly dialogs: readonly Dialog[];
  /** What the tour says; undefined: there is none. */
  readonly tour: string | undefined;
}

/** The first line of a view. */
const bodyTop = (height: number): number => (height >= TITLE_FROM ? 3 : 2);

/** Gives a click to what is there; returns the view whose tab it was on, or the command of which the last line tells, or that of the title. */
export function click(
  at: MouseAt,
  p: Pick<ScreenParts, 'view' | 'views' | 'dialog' | 'message' | 'tour' | 'keymap'> & {
    readonly width: number;
    readonly height: number;
  },
): { readonly tab: ViewId } | { readonly command: CommandId } | undefined {
  const top = bodyTop(p.height);
  const below = { ...at, y: at.y - top };
  const { dialog, view } = p;
  if (at.y === p.height - 1) {
    const offers = hintsOf(p);
    const id = offers === undefined || at.kind !== 'press' ? undefined : hintAt(offers, p.keymap, p.width, at.x);
    return id === undefined ? undefined : { command: id };
  }
  if (dialog !== undefined) {
    const inside = insideOf(placeOf(dialog, p.width, p.height - top - 1));
    dialog.mouse?.({ ...below, x: at.x - inside.x, y: below.y - inside.y });
  } else if (below.y === -3 && at.kind === 'press') {
    return { command: 'file-info' };
  } else if (below.y === -2 && at.kind === 'press') {
    const tab = tabAt(p.views, view, p.width, at.x)?.id;
    return tab === undefined ? undefined : { tab };
  } else if (below.y >= 0) view.mouse?.(below);
  return undefined;
}

/** Commands that the last line tells of; undefined: it says something else. A window that offers nothing takes any key. */
function hintsOf({
  view,
  dialog,
  message,
  tour,
}: Pick<ScreenParts, 'view' | 'dialog' | 'message' | 'tour'>): readonly CommandId[] | undefined {
  if (message !== undefined || (tour !== undefined && dialog === undefined)) return undefined;
  const offers = (dialog ?? view).offers();
  return dialog !== undefined && offers.length === 0 ? undefined : offers;
}

/** Draws the whole screen; returns where the cursor stands, undefined where there is none. */
export function drawScreen(grid: Grid, p: ScreenParts): { x: number; y: number } | undefined {
  const { width, height } = grid;
  const { theme, view, prompt, dialog } = p;
  grid.clear(theme.text);
  const all = grid.area();
  if (width < LEAST.width || height < LEAST.height) {
    all.clipped(0, 0, `${width}x${height} is too small`, width, theme.warn);
    all.clipped(0, 1, `needs ${LEAST.width}x${LEAST.height}; ${p.keymap.key('quit')} quits`, width, theme.text);
    return undefined;
  }
  const top = bodyTop(height);
  if (top === 3) drawTitle(all.part(0, 0, width, 1), theme, p.status, p.keymap);
  const body = all.part(0, top, width, height - top - 1);
  // First: the lines above it count what it takes in when it is drawn.
  view.draw(body, dialog === undefined && prompt === undefined);
  drawTabs(all.part(0, top - 2, width, 1), theme, p.views, view);
  drawCrumbs(all.part(0, top - 1, width, 1), theme, p.crumbs, view.status());
  for (const d of p.dialogs) drawDialog(body, theme, d, d === dialog && prompt === undefined);
  if (prompt !== undefined) {
    const foot = promptHeight(prompt, width);
    const at = drawPrompt(all.part(0, height - foot, width, foot), theme, prompt);
    return { x: at.x, y: height - foot + at.y };
  }
  const last = all.part(0, height - 1, width, 1);
  const hints = hintsOf(p);
  if (p.message !== undefined) {
    const lines = messageLines(p.message, width).length;
    drawMessage(all.part(0, height - lines, width, lines), theme, p.message);
  } else if (p.tour !== undefined && dialog === undefined)
    last.clipped(1, 0, p.keymap.words(p.tour), width - 2, theme.key);
  else if (hints !== undefined) drawHints(last, theme, hints, p.keymap);
  const caret = (dialog ?? view).caret?.();
  if (caret === undefined) return undefined;
  const corner = dialog === undefined ? { x: 0, y: 0 } : insideOf(placeOf(dialog, body.width, body.height));
  return { x: corner.x + caret.x, y: top + corner.y + caret.y };
}
