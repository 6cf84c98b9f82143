import type { Style, Theme, ThemeName } from './style.js';
import { contrast, type Depth, textOf, themeFor } from './theme.js';

/*
 * Colours of rows: the first rule that fits decides. Ours fit by what a row shows; those of a Wireshark colorfilters file
 * by a display filter, which somebody else has to try.
 */

/** What a rule of ours looks at. */
export interface RowGlance {
  readonly protocol: string;
  readonly info: string;
  readonly findings: readonly string[];
}

/** A rule. It has either `fits` or `filter`. */
export interface ColourRule {
  readonly name: string;
  readonly fits?: (row: RowGlance) => boolean;
  readonly filter?: string;
  /** A style of the theme; otherwise colours as 0xRRGGBB. */
  readonly role?: Exclude<keyof Theme, 'series'>;
  readonly background?: number;
  readonly foreground?: number;
  /** Switched off in the file. */
  readonly off?: true;
}

const status =
  (digits: RegExp) =>
  ({ protocol, info }: RowGlance): boolean =>
    protocol.startsWith('SIP') && digits.test(info);

const protocol =
  (...names: readonly string[]) =>
  (row: RowGlance): boolean =>
    names.includes(row.protocol);

/** Wireshark's rules have none for SIP, RTP, DHCP and TLS; these come first, then its own in its own colours. */
export const DEFAULT_RULES: readonly ColourRule[] = [
  {
    name: 'Envelope fault',
    fits: (r) => r.findings.some((f) => /^(fttims|tls\.bad|_ws)/.test(f)),
    role: 'envelopeFault',
  },
  { name: 'SIP 5xx, 6xx', fits: status(/^Status: [56]/), role: 'serverError' },
  { name: 'SIP 4xx', fits: status(/^Status: 4/), role: 'clientError' },
  { name: 'SIP 3xx', fits: status(/^Status: 3/), role: 'redirect' },
  { name: 'SIP 2xx', fits: status(/^Status: 2/), role: 'success' },
  { name: 'SIP 1xx', fits: status(/^Status: 1/), role: 'provisional' },
  { name: 'SIP request', fits: (r) => r.protocol.startsWith('SIP'), role: 'request' },
  { name: 'RTP', fits: protocol('RTP', 'RTCP', 'RTP EVENT'), role: 'rtp' },
  { name: 'DHCP, RA', fits: (r) => isAddressing(r), role: 'addressing' },
  {
    name: 'Bad TCP',
    fits: (r) => /^\[TCP (?!Keep-Alive|Window Update)/.test(r.info),
    background: 0x12272e,
    foreground: 0xf78787,
  },
  {
    name: 'ICMP errors',
    fits: (r) =>
      r.protocol.startsWith('ICMP') && /unreachable|exceeded|redirect|too big|parameter problem/i.test(r.info),
    background: 0x12272e,
    foreground: 0xb7f774,
  },
  { name: 'ICMP', fits: protocol('ICMP', 'ICMPv6'), background: 0xfce0ff, foreground: 0x12272e },
  {
    name: 'TCP RST',
    fits: (r) => r.protocol === 'TCP' && /\[[A-Z, ]*RST/.test(r.info),
    background: 0xa40000,
    foreground: 0xfffc9c,
  },
  { name: 'HTTP', fits: protocol('HTTP', 'HTTP2'), background: 0xe4ffc7, foreground: 0x12272e },
  {
    name: 'TCP SYN/FIN',
    fits: (r) => r.protocol === 'TCP' && /\[[A-Z, ]*(SYN|FIN)/.test(r.info),
    background: 0xa0a0a0,
    foreground: 0x12272e,
  },
  { name: 'TCP', fits: (r) => /^(TCP|TLSv|SSL)/.test(r.protocol), background: 0xe7e6ff, foreground: 0x12272e },
  { name: 'UDP', fits: protocol('UDP'), background: 0xdaeeff, foreground: 0x12272e },
];

const isAddressing = ({ protocol: p, info }: RowGlance): boolean =>
  p.startsWith('DHCP') || (p === 'ICMPv6' && /^(Router|Neighbor) /.test(info));

/** What a colorfilters file says, and the lines that are no rules. */
export interface ImportedRules {
  readonly rules: readonly ColourRule[];
  readonly problems: readonly string[];
}

/** Rules of one file that are taken. */
const MOST_RULES = 100;
const LINE = /^(!?)@((?:[^@\\]|\\.)*)@((?:[^@\\]|\\.)*)@\[(\d+),(\d+),(\d+)\]\[(\d+),(\d+),(\d+)\]\s*$/;

/** Reads Wireshark's `colorfilters`: `@name@filter@[r,g,b][r,g,b]`, background and foreground of 16 bits each; `!` is off. */
export function readColourFilters(text: string): ImportedRules {
  const rules: ColourRule[] = [];
  const problems: string[] = [];
  for (const [i, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    const m = LINE.exec(line);
    if (m === null) problems.push(`line ${i + 1} is no colour rule: @name@filter@[r,g,b][r,g,b] is expected`);
    else if (rules.length >= MOST_RULES) problems.push(`line ${i + 1}: only ${MOST_RULES} rules are taken`);
    else rules.push(ruleOf(m));
  }
  return { rules, problems: problems.slice(0, MOST_RULES) };
}

function ruleOf(m: RegExpExecArray): ColourRule {
  const unescaped = (s: string): string => s.replace(/\\(.)/g, '$1');
  const colour = (at: number): number => {
    const part = (k: number): number => Math.min(255, Number(m[at + k]) >> 8);
    return (part(0) << 16) | (part(1) << 8) | part(2);
  };
  return {
    name: unescaped(m[2]),
    filter: unescaped(m[3]),
    background: colour(4),
    foreground: colour(7),
    ...(m[1] === '!' && { off: true }),
  };
}

/** Which of two colours says more where only one can be shown: the one that is less grey; a dark ground says nothing. */
function telling(background: number, foreground: number): number {
  if (contrast(background, 0) < 3.2 && saturation(foreground) > 0.2) return foreground;
  return saturation(foreground) > saturation(background) + 0.4 ? foreground : background;
}

function saturation(rgb: number): number {
  const parts = [rgb >> 16, (rgb >> 8) & 255, rgb & 255];
  return (Math.max(...parts) - Math.min(...parts)) / 255;
}

/** Which rows a display filter fits; null: not known yet. */
export type Tried = (filter: string, row: number) => boolean | null;

/** Rules with the style that each gives, in a theme on a terminal: on so few colours the ground stays its own. */
export class RowColours {
  private readonly styles: readonly Style[];

  constructor(
    private readonly rules: readonly ColourRule[],
    name: ThemeName,
    depth: Depth,
  ) {
    const theme = themeFor(name, depth);
    this.styles = rules.map(({ role, background, foreground }) => {
      if (role !== undefined) return theme[role];
      if (background === undefined || foreground === undefined) return theme.text;
      return textOf(telling(background, foreground), name, depth);
    });
  }

  /** Filters that somebody has to try. */
  get filters(): string[] {
    return this.rules.flatMap((r) => (r.filter === undefined || r.off === true ? [] : [r.filter]));
  }

  /** Number of the first rule that fits a row; -1: none. A rule that is not known to fit yet is passed over. */
  find(row: number, glance: RowGlance, tried: Tried): number {
    return this.rules.findIndex((rule) => {
      if (rule.off === true) return false;
      return rule.fits !== undefined ? rule.fits(glance) : tried(rule.filter ?? '', row) === true;
    });
  }

  /** The style of a row; undefined: no rule fits. */
  styleOf(row: number, glance: RowGlance, tried: Tried = () => null): Style | undefined {
    const i = this.find(row, glance, tried);
    return i < 0 ? undefined : this.styles[i];
  }
}
