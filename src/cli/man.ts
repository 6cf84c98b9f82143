/** The manual page, made from the commands and options as they are defined, in the macros of man(7). */
import type { Argument, Command, Option } from 'commander';

/** Text that roff shows as it stands. */
const plain = (text: string): string =>
  text.replaceAll('\\', '\\e').replaceAll('-', '\\-').replaceAll('…', '...').replace(/^[.']/gm, '\\&$&');

const bold = (text: string): string => `\\fB${plain(text)}\\fR`;
const italic = (text: string): string => `\\fI${plain(text)}\\fR`;

/** A flag in bold, and what it takes slanted: `-k, --keylog <file>`. */
function flags(o: Option): string {
  return o.flags
    .split(/(<[^>]+>)/)
    .map((part) => (part.startsWith('<') ? italic(part.slice(1, -1)) : part.replace(/-[-\w]+/g, bold)))
    .join('')
    .trim();
}

function optionLines(o: Option): string[] {
  const choices = o.argChoices === undefined ? '' : ` (${o.argChoices.join(', ')})`;
  return ['.TP', flags(o), plain(`${o.description}${choices}`)];
}

const argument = (a: Argument): string => {
  const name = `${italic(a.name())}${a.variadic ? ' ...' : ''}`;
  return a.required ? name : `[${name}]`;
};

function commandLines(c: Command, name: string): string[] {
  const options = c.options.filter((o) => !o.hidden);
  const usage = [bold(name), ...(options.length > 0 ? ['[options]'] : []), ...c.registeredArguments.map(argument)];
  return [`.SS ${usage.join(' ')}`, plain(c.description()), ...options.flatMap(optionLines)];
}

const tagged = (entries: readonly (readonly [string, string])[]): string[] =>
  entries.flatMap(([tag, text]) => ['.TP', bold(tag), plain(text)]);

const CODES = [
  ['0', 'done, also when nothing matched'],
  ['1', 'usage, rights or device'],
  ['2', 'input, filter or output, after printing what could be read'],
  ['3', '--fail-on was reached'],
  ['4', '--require-decrypt was not met'],
  ['5', 'a step of a scenario failed'],
  ['6', 'no tunnel was established'],
  ['70', 'a fault in fttscope'],
] as const;

const ENVIRONMENT = [
  ['SSLKEYLOGFILE', 'a key log; ue and eftf append their keys to it'],
  ['XDG_CONFIG_HOME, XDG_STATE_HOME', 'where settings, and marks and history, are kept'],
  ['NO_COLOR', 'no colours'],
  ['COLORFGBG', 'the ground of the terminal: the theme is light on a light one, where none is chosen'],
  ['PAGER, EDITOR', 'what v and E on the screens start'],
] as const;

const FILES = [
  ['$XDG_CONFIG_HOME/fttscope/config.json', 'settings of the screens; columns, filters, keys'],
  ['$XDG_STATE_HOME/fttscope/state.json', 'recent captures, marks and history'],
  ['NAME.keys, NAME.keylog, NAME.sslkeys', 'a key log beside a capture, found by itself'],
] as const;

/** The manual page of a program; its first command is what runs without a name. */
export function manualPage(program: Command, version: string): string {
  const [first, ...others] = program.commands;
  return [
    `.TH FTTSCOPE 1 "" "fttscope ${version}"`,
    '.SH NAME',
    'fttscope \\- analyzer for FTT\\-IMS tunnels',
    '.SH SYNOPSIS',
    `${bold('fttscope')} [${italic('command')}] [options] [${italic('capture')} ...]`,
    '.SH DESCRIPTION',
    plain(program.description()),
    'A capture without a command opens the screens on a terminal, and is printed as rows elsewhere, or where options ask',
    'for rows.',
    '.SH COMMANDS',
    ...commandLines(first, `fttscope [${first.name()}]`),
    ...others.flatMap((c) => commandLines(c, `fttscope ${c.name()}`)),
    '.SH EXIT STATUS',
    ...tagged(CODES),
    '.SH ENVIRONMENT',
    ...tagged(ENVIRONMENT),
    '.SH FILES',
    ...tagged(FILES),
    '.SH SEE ALSO',
    `${bold('tshark')}(1), ${bold('sngrep')}(8)`,
    '',
  ].join('\n');
}
