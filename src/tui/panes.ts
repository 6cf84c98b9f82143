import type { Area } from './cells.js';
import type { Place } from './frame.js';
import { widthFor } from './octets-pane.js';
import type { Style } from './style.js';

/** Ways to put three panes together. */
export const LAYOUTS = ['list over tree and octets', 'list beside tree over octets', 'one under the other'] as const;

/** The parts of the packet view. */
export const PANES = ['list', 'tree', 'octets'] as const;
export type Pane = (typeof PANES)[number];

/** Below this only one pane is shown. */
export const ONE_PANE = { width: 80, height: 12 };

/** Shares of the list and of the tree, in percent of what they divide. */
export interface Shares {
  list: number;
  /** Undefined: so that lines of octets are whole. */
  tree: number | undefined;
}

/** By how many percent a rule is moved. */
const STEP = 6;

/** Makes a pane bigger or smaller. */
export function resizePane(shares: Shares, pane: Pane, to: 'bigger' | 'smaller', width: number): void {
  const by = to === 'bigger' ? STEP : -STEP;
  const clamp = (n: number): number => Math.max(10, Math.min(90, n));
  if (pane === 'list') shares.list = clamp(shares.list + by);
  else shares.tree = clamp((shares.tree ?? besideOctets(width)) + (pane === 'tree' ? by : -by));
}

/** Where the panes stand; a rule of one cell is left free between two. Panes that are not shown are absent. */
export function placePanes(
  width: number,
  height: number,
  layout: number,
  shares: Shares,
  alone: Pane | undefined,
): Partial<Record<Pane, Place>> {
  const whole = { x: 0, y: 0, width, height };
  if (alone !== undefined) return { [alone]: whole };
  if (layout === 1) {
    const [list, rest] = across(whole, shares.list);
    const [tree, octets] = down(rest, shares.tree ?? 50);
    return { list, tree, octets };
  }
  const [list, rest] = down(whole, shares.list);
  const [tree, octets] =
    layout === 0 ? across(rest, shares.tree ?? besideOctets(width)) : down(rest, shares.tree ?? 50);
  return { list, tree, octets };
}

function down(p: Place, percent: number): [Place, Place] {
  const first = share(p.height, percent, 3);
  return [
    { ...p, height: first },
    { ...p, y: p.y + first + 1, height: p.height - first - 1 },
  ];
}

function across(p: Place, percent: number): [Place, Place] {
  const first = share(p.width, percent, 16);
  return [
    { ...p, width: first },
    { ...p, x: p.x + first + 1, width: p.width - first - 1 },
  ];
}

const share = (size: number, percent: number, least: number): number =>
  Math.max(least, Math.min(size - 1 - least, Math.round(((size - 1) * percent) / 100)));

/** The share of the tree that leaves room for lines of sixteen octets, or of eight. */
const besideOctets = (width: number): number => (100 * (width - 1 - widthFor(width >= 144 ? 16 : 8))) / (width - 1);

/** Draws the rules between three panes. */
export function drawRules(area: Area, places: Partial<Record<Pane, Place>>, style: Style): void {
  const { list, tree, octets } = places;
  if (list === undefined || tree === undefined || octets === undefined) return;
  if (list.width === area.width) area.fill(0, list.height, area.width, 1, '─', style);
  else area.fill(list.width, 0, 1, area.height, '│', style);
  if (octets.x > tree.x) {
    area.fill(octets.x - 1, octets.y, 1, octets.height, '│', style);
    area.text(octets.x - 1, octets.y - 1, '┬', style);
  } else {
    area.fill(octets.x, octets.y - 1, octets.width, 1, '─', style);
    if (octets.x > 0) area.text(octets.x - 1, octets.y - 1, '├', style);
  }
}
