import { Direction } from '../viewer/rows.js';
import type { Selection } from '../viewer/viewer.js';
import { type ColourRule, DEFAULT_RULES, RowColours, readColourFilters } from './colour-rules.js';
import type { Style, Theme } from './style.js';
import type { Desk } from './view.js';

/** What lines are coloured by. */
export const COLOURINGS = ['what', 'direction', 'none'] as const;
export type Colouring = (typeof COLOURINGS)[number];

/** The colours of rows: the user's rules first, as Wireshark has them in its file, then ours. */
export class PacketColours {
  colouring: Colouring = 'what';
  private readonly rules: readonly ColourRule[];
  private colours: RowColours | undefined;
  private theme: Theme | undefined;
  /** Rows that fit a filter of a rule; undefined: nobody has looked yet. */
  private readonly fitting = new Map<string, Selection>();

  constructor(private readonly desk: Desk) {
    const { rules, problems } = readColourFilters(desk.memory.colourFilters ?? '');
    this.rules = [...rules, ...DEFAULT_RULES];
    for (const p of problems.slice(0, 1)) desk.say(`colorfilters: ${p}`, 'warn');
    if (desk.memory.settings.colours === false) this.colouring = 'none';
  }

  styleOf(row: number): Style {
    const { theme } = this.desk.preferences;
    if (this.colouring === 'none') return theme.text;
    return (this.colouring === 'direction' ? this.byDirection(row, theme) : this.byRules(row, theme)) ?? theme.text;
  }

  private byDirection(row: number, theme: Theme): Style | undefined {
    const d = this.desk.viewer.rows.direction(row);
    return d === Direction.up ? theme.up : d === Direction.down ? theme.down : undefined;
  }

  private byRules(row: number, theme: Theme): Style | undefined {
    const { rows } = this.desk.viewer;
    if (this.theme !== theme) {
      this.theme = theme;
      this.colours = new RowColours(this.rules, this.desk.preferences.name, this.desk.preferences.depth);
    }
    const glance = { protocol: rows.protocol(row), info: rows.info(row), findings: rows.findings(row) };
    return this.colours!.styleOf(row, glance, (filter, r) => this.fits(filter, r));
  }

  /** Whether a row fits a filter: looked up among all that do, which are sought when the first row asks. */
  private fits(filter: string, row: number): boolean | null {
    const { viewer } = this.desk;
    let s = this.fitting.get(filter);
    if (s === undefined) {
      if (viewer.check(filter) !== null) return false;
      s = viewer.select({ kind: 'both', filter });
      s.onMore(() => this.desk.repaint());
      this.fitting.set(filter, s);
    }
    return s.find(row) >= 0 ? true : s.done ? false : null;
  }
}
