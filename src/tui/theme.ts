import { Flag, nearest, OWN, type Style, style, THEMES, type Theme, type ThemeName } from './style.js';

/*
 * Themes on terminals with fewer colours. Whatever is said by a colour is said by a sign or a word first, so that colours
 * may be missing: NO_COLOR, the mono theme, a terminal without.
 */

/** How many colours the terminal has; 0: none are wanted. */
export type Depth = 0 | 8 | 16 | 256;

/** The colours of a terminal as its environment has it. NO_COLOR counts when it is not empty (no-color.org). */
export function depthOf(env: Readonly<Record<string, string | undefined>>, wanted: 'auto' | 'always' | 'never'): Depth {
  if (wanted === 'never') return 0;
  const set = (name: string): boolean => (env[name] ?? '') !== '';
  if (wanted === 'auto' && set('NO_COLOR') && !set('FORCE_COLOR')) return 0;
  const term = env.TERM ?? '';
  // What is called so has no colours, whatever the terminal around it has: term(7), conventions for names.
  if (/-m(ono)?$/.test(term) && wanted === 'auto') return 0;
  if (/256|direct|kitty|alacritty|foot|ghostty/.test(term) || set('COLORTERM')) return 256;
  if (/^(dumb|vt\d)/.test(term)) return wanted === 'always' ? 8 : 0;
  if (/^(linux|cons25|ansi)/.test(term)) return 8;
  return /^(screen|tmux)/.test(term) ? 256 : 16;
}

/**
 * The theme of who chose none: that for the ground of the terminal, where the environment tells it, as rxvt, Konsole and
 * others do (COLORFGBG, `15;0` or `15;default;0`, the ground last). Of the sixteen colours those that vim takes for light are.
 */
export function usualTheme(env: Readonly<Record<string, string | undefined>>): ThemeName {
  const ground = /;(\d{1,2})$/.exec(env.COLORFGBG ?? '')?.[1];
  return ground !== undefined && (ground === '7' || Number(ground) > 8) ? 'light' : 'dark';
}

/** A theme as a terminal with so many colours can show it. */
export function themeFor(name: ThemeName, depth: Depth): Theme {
  if (depth === 256) return THEMES[name];
  if (depth === 0) return THEMES.mono;
  const entries = Object.entries(THEMES[name] as unknown as Record<string, Style | readonly Style[]>);
  const reduced = entries.map(([role, s]) => [
    role,
    typeof s === 'number' ? reduceStyle(s, depth) : s.map((one) => reduceStyle(one, depth)),
  ]);
  return Object.fromEntries(reduced) as unknown as Theme;
}

/** A style with the colours that there are. Of eight colours the bright ones are bold. */
function reduceStyle(s: Style, depth: 8 | 16): Style {
  const foreground = reduce((s >> 9) & 0x1ff, depth);
  const background = reduce(s & 0x1ff, depth);
  let flags = s >> 18;
  if (depth === 16) return style(foreground, flags, background);
  if (foreground > 8 && foreground !== OWN) flags |= Flag.bold;
  // The grey that is bright black would be black.
  return style(foreground === 8 ? 7 : low(foreground), flags, background === 8 ? OWN : low(background));
}

const low = (colour: number): number => (colour === OWN ? OWN : colour & 7);

/** Colours of the themes among the sixteen, where the nearest one would be that of something else. */
const AMONG_SIXTEEN: Readonly<Record<number, number>> = {
  75: 12,
  79: 10,
  80: 14,
  117: 14,
  141: 13,
  176: 13,
  209: 9,
  214: 3,
  215: 3,
  221: 11,
  222: 11,
};

function reduce(colour: number, depth: 8 | 16): number {
  if (colour === OWN || colour < 16) return colour;
  const known = AMONG_SIXTEEN[colour];
  if (known !== undefined) return known;
  // Of eight, what is nearest to a grey is a yellow, which warns.
  if (depth === 8 && colour >= 232) return colour < 243 ? 0 : 7;
  return nearestOf(paletteColour(colour), depth === 16 ? 16 : 8);
}

/** Style of text of a colour (0xRRGGBB) on the terminal's own ground. */
export function textOf(rgb: number, name: ThemeName, depth: Depth): Style {
  if (depth === 0 || name === 'mono') return style();
  const c = readable(rgb, name === 'light');
  return style(depth === 256 ? nearest(c >> 16, (c >> 8) & 255, c & 255) : nearestOf(c, depth));
}

const LEVELS = [0, 95, 135, 175, 215, 255];
/** The sixteen as xterm has them. */
const SIXTEEN = [
  0x000000, 0xcd0000, 0x00cd00, 0xcdcd00, 0x0000ee, 0xcd00cd, 0x00cdcd, 0xe5e5e5, 0x7f7f7f, 0xff0000, 0x00ff00,
  0xffff00, 0x5c5cff, 0xff00ff, 0x00ffff, 0xffffff,
];

/** A colour of xterm's 256 as 0xRRGGBB: the sixteen, a cube, greys. */
export function paletteColour(index: number): number {
  if (index < 16) return SIXTEEN[index];
  if (index >= 232) return (8 + (index - 232) * 10) * 0x010101;
  const i = index - 16;
  return (LEVELS[Math.floor(i / 36)] << 16) | (LEVELS[Math.floor(i / 6) % 6] << 8) | LEVELS[i % 6];
}

function nearestOf(rgb: number, colours: number): number {
  let best = 0;
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < colours; i++) {
    const d = difference(rgb, paletteColour(i));
    if (d < least) [best, least] = [i, d];
  }
  return best;
}

/** How different colours look, roughly: the eye sees green best, and blue least. */
function difference(a: number, b: number): number {
  const r = (a >> 16) - (b >> 16);
  const g = ((a >> 8) & 255) - ((b >> 8) & 255);
  const u = (a & 255) - (b & 255);
  return 3 * r * r + 4 * g * g + 2 * u * u;
}

/** Relative luminance (WCAG 2.1). */
function luminance(rgb: number): number {
  const part = (v: number): number => (v <= 10 ? v / 3295 : ((v / 255 + 0.055) / 1.055) ** 2.4);
  return 0.2126 * part(rgb >> 16) + 0.7152 * part((rgb >> 8) & 255) + 0.0722 * part(rgb & 255);
}

/** Ratio of the luminances of two colours, 1 to 21 (WCAG 2.1). */
export function contrast(a: number, b: number): number {
  const [x, y] = [luminance(a), luminance(b)];
  return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05);
}

/** A colour made lighter on a dark ground, or darker on a light one, until it can be read there (WCAG 2.1 §1.4.3). */
function readable(rgb: number, onLight: boolean): number {
  const [ground, toward] = onLight ? [0xffffff, 0x000000] : [0x000000, 0xffffff];
  let c = rgb;
  for (let i = 0; i < 12 && contrast(c, ground) < 4.5; i++) c = mixed(c, toward, 0.15);
  return c;
}

function mixed(a: number, b: number, share: number): number {
  const part = (shift: number): number => {
    const x = (a >> shift) & 255;
    return Math.round(x + (((b >> shift) & 255) - x) * share) << shift;
  };
  return part(16) | part(8) | part(0);
}
