import { type Area, cellsOf } from './cells.js';
import type { Theme } from './style.js';
import type { Dialog } from './view.js';

/** Cells of the screen: the upper left corner, from 0, and the size. */
export interface Place {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Where a dialog stands in an area: in the middle, as large as it wants to be and may. */
export function placeOf(d: Dialog, width: number, height: number): Place {
  const w = Math.min(d.width, width);
  const h = Math.min(d.heightAt?.(w) ?? d.height, height);
  return { x: (width - w) >> 1, y: (height - h) >> 1, width: w, height: h };
}

/** Cells of the frame, and of a blank beside the text, in a width. */
export const FRAME = 4;

/** The part within the frame: a blank beside the text. */
export const insideOf = (p: Place): Place => ({ x: p.x + 2, y: p.y + 1, width: p.width - FRAME, height: p.height - 2 });

/** Draws a frame with a title, blank inside. */
export function drawFrame(area: Area, theme: Theme, title: string, style = theme.dim): void {
  const { width: w, height: h } = area;
  area.clear(theme.text);
  area.text(0, 0, `┌${'─'.repeat(Math.max(0, w - 2))}┐`, style);
  for (let y = 1; y < h - 1; y++) {
    area.text(0, y, '│', style);
    area.text(w - 1, y, '│', style);
  }
  area.text(0, h - 1, `└${'─'.repeat(Math.max(0, w - 2))}┘`, style);
  if (title !== '' && cellsOf(title) < w - 4) area.text(2, 0, ` ${title} `, theme.strong);
}

/** Draws a dialog over what is there. */
export function drawDialog(area: Area, theme: Theme, d: Dialog, focus: boolean): void {
  const p = placeOf(d, area.width, area.height);
  drawFrame(area.part(p.x, p.y, p.width, p.height), theme, d.title);
  const i = insideOf(p);
  d.draw(area.part(i.x, i.y, i.width, i.height), focus);
}
