/**
 * How a cell looks: 9 bits of background, 9 of foreground (a colour of the 256, or the terminal's own), and flags.
 *
 *     | flags | foreground 9 | background 9 |
 */
export type Style = number;

/** The terminal's own colour. */
export const OWN = 0x1ff;

/** Attributes of a cell; together with two colours they are its style. */
export const Flag = { bold: 1, underline: 2, reverse: 8 } as const;

/** A style of colours and flags. */
export const style = (foreground: number = OWN, flags = 0, background: number = OWN): Style =>
  (flags << 18) | (foreground << 9) | background;

/** The same with more flags; reverse twice is none. */
export function withFlags(s: Style, flags: number): Style {
  const turned = (flags & Flag.reverse) !== 0 ? s ^ (Flag.reverse << 18) : s;
  return turned | ((flags & ~Flag.reverse) << 18);
}

/** The number of the nearest of the 256 colours. */
export function nearest(red: number, green: number, blue: number): number {
  const step = (v: number): number => (v < 48 ? 0 : v < 115 ? 1 : Math.min(5, Math.round((v - 55) / 40)));
  if (Math.max(red, green, blue) - Math.min(red, green, blue) < 12) {
    const grey = Math.round(((red + green + blue) / 3 - 8) / 10);
    return grey < 0 ? 16 : grey > 23 ? 231 : 232 + grey;
  }
  return 16 + 36 * step(red) + 6 * step(green) + step(blue);
}

/** What things look like; views name these, never colours. */
export interface Theme {
  readonly text: Style;
  /** Of less weight: rules between panes, what is not known. */
  readonly dim: Style;
  readonly strong: Style;
  readonly title: Style;
  readonly tab: Style;
  readonly tabOpen: Style;
  /** Heads of columns. */
  readonly head: Style;
  /** Keys in the hint line, and in help. */
  readonly key: Style;
  /** The line under the cursor, in the pane that has the focus and in another. */
  readonly cursor: Style;
  readonly cursorElsewhere: Style;
  /** Octets of the selected field, what was found, selected lines. */
  readonly mark: Style;
  readonly found: Style;
  readonly selected: Style;
  readonly up: Style;
  readonly down: Style;
  readonly good: Style;
  readonly chat: Style;
  readonly note: Style;
  readonly warn: Style;
  readonly error: Style;
  /** Something is wrong with what was typed. */
  readonly wrong: Style;
  /** Of packets. */
  readonly request: Style;
  readonly provisional: Style;
  readonly success: Style;
  readonly redirect: Style;
  readonly clientError: Style;
  readonly serverError: Style;
  readonly rtp: Style;
  readonly addressing: Style;
  readonly envelopeFault: Style;
  readonly badTcp: Style;
  readonly reset: Style;
  readonly icmp: Style;
  readonly icmpError: Style;
  readonly http: Style;
  /** Parties of a ladder, lines of a chart, dialogs: told apart by more than colour elsewhere. */
  readonly series: readonly Style[];
}

const { bold, underline, reverse } = Flag;

/** For terminals with a dark background. Opposites are blue and orange, which all eyes tell apart. */
const dark: Theme = {
  text: style(),
  dim: style(245),
  strong: style(OWN, bold),
  title: style(15, bold, 24),
  tab: style(250, 0, 236),
  tabOpen: style(15, bold, 24),
  head: style(250, underline),
  key: style(117, bold),
  cursor: style(15, bold, 25),
  cursorElsewhere: style(OWN, 0, 238),
  mark: style(0, 0, 214),
  found: style(0, bold, 80),
  selected: style(222, bold),
  up: style(75),
  down: style(215),
  good: style(79),
  chat: style(245),
  note: style(80),
  warn: style(221),
  error: style(209, bold),
  wrong: style(15, bold, 1),
  request: style(80),
  provisional: style(75),
  success: style(79),
  redirect: style(176),
  clientError: style(222),
  serverError: style(209),
  rtp: style(245),
  addressing: style(141),
  envelopeFault: style(209, reverse),
  badTcp: style(210),
  reset: style(209, bold),
  icmp: style(219),
  icmpError: style(155),
  http: style(157),
  series: [style(75), style(215), style(79), style(176), style(80), style(222), style(219), style(250)],
};

/** For terminals with a light background. */
const light: Theme = {
  ...dark,
  dim: style(242),
  title: style(15, bold, 25),
  tab: style(236, 0, 253),
  tabOpen: style(15, bold, 25),
  head: style(238, underline),
  key: style(25, bold),
  cursor: style(15, bold, 25),
  cursorElsewhere: style(OWN, 0, 252),
  selected: style(94, bold),
  up: style(25),
  down: style(130),
  good: style(28),
  chat: style(242),
  note: style(31),
  warn: style(130),
  error: style(124, bold),
  request: style(31),
  provisional: style(25),
  success: style(28),
  redirect: style(90),
  clientError: style(130),
  serverError: style(124),
  rtp: style(242),
  addressing: style(91),
  envelopeFault: style(124, reverse),
  badTcp: style(124),
  reset: style(124, bold),
  icmp: style(90),
  icmpError: style(64),
  http: style(28),
  series: [style(25), style(130), style(28), style(90), style(31), style(94), style(162), style(240)],
};

/** The sixteen colours that every terminal has, in their strong shades. */
const contrast: Theme = {
  ...dark,
  dim: style(7),
  title: style(0, bold, 15),
  tab: style(15),
  tabOpen: style(0, bold, 15),
  head: style(15, bold | underline),
  key: style(11, bold),
  cursor: style(0, bold, 11),
  cursorElsewhere: style(15, underline),
  mark: style(0, bold, 14),
  found: style(0, bold, 10),
  up: style(14),
  down: style(11),
  chat: style(7),
  rtp: style(7),
  addressing: style(13),
  badTcp: style(9, bold),
  icmp: style(13),
  icmpError: style(10),
  http: style(10),
  series: [style(14), style(11), style(10), style(13), style(12), style(9), style(15), style(7)],
};

const none = style();

/** No colours at all: NO_COLOR. */
const mono: Theme = {
  ...(Object.fromEntries(Object.keys(dark).map((k) => [k, none])) as unknown as Theme),
  strong: style(OWN, bold),
  title: style(OWN, reverse),
  tabOpen: style(OWN, reverse),
  head: style(OWN, underline),
  key: style(OWN, bold),
  cursor: style(OWN, reverse),
  cursorElsewhere: style(OWN, underline),
  mark: style(OWN, reverse),
  found: style(OWN, bold | underline),
  selected: style(OWN, bold),
  warn: style(OWN, bold),
  error: style(OWN, bold),
  wrong: style(OWN, reverse),
  envelopeFault: style(OWN, bold),
  series: [none],
};

/** What `--theme` chooses from. */
export const THEMES = { dark, light, contrast, mono } as const;
export type ThemeName = keyof typeof THEMES;

/** The style of a severity. */
export function severityStyle(t: Theme, severity: 'chat' | 'note' | 'warn' | 'error' | ''): Style {
  return severity === '' ? t.text : t[severity];
}

/** The sign of a severity: what colour says is said by a sign too. */
export const SIGNS = { error: 'x', warn: '!', note: 'i', chat: '.', '': ' ' } as const;
