/** Completion scripts for shells, made from the commands and options as they are defined. */
import type { Command, Option } from 'commander';
import { CATALOGUE } from '../model/catalogue.js';
import { RECORDS } from '../report/report-json.js';
import { STATISTICS } from '../report/stat/index.js';
import { FORMATS, type Shell, TIMES } from './options.js';

/** What can follow an option or stand for an argument. */
type Values =
  | { readonly kind: 'none' | 'files' | 'any' | Asked }
  | { readonly kind: 'words'; readonly words: readonly string[] };

/** An option as a shell has to know it. */
interface Known {
  /** `-e`, without dashes; undefined if it has only a long name. */
  readonly short: string | undefined;
  readonly long: string | undefined;
  readonly description: string;
  readonly values: Values;
  readonly repeatable: boolean;
}

interface KnownCommand {
  readonly name: string;
  readonly description: string;
  readonly options: readonly Known[];
  readonly argument: Values;
}

/** What a shell asks the program for, and how. */
const ASKED = {
  fields: `fttscope fields 2>/dev/null | awk -F'\\t' '$1 == "F" { print $3 }'`,
  protocols: `fttscope fields 2>/dev/null | awk -F'\\t' '$1 == "P" { print $3 }'`,
  interfaces: `fttscope interfaces 2>/dev/null | awk '{ print $1 }'`,
};
type Asked = keyof typeof ASKED;

/** Values of options whose definition does not list them, and what begins values that are longer. */
const WORDS: Readonly<Record<string, readonly string[]>> = {
  '-E': ['header=y', 'separator=,', 'occurrence=f', 'occurrence=l', 'aggregator=,', 'quote=d', 'quote=s', 'bom=y'],
  '-t': TIMES,
  '-u': ['s', 'hms'],
  '-z': STATISTICS,
  '--enable-heuristic': ['rtp_udp'],
  '--format': FORMATS,
  '--mute': Object.keys(CATALOGUE),
  '--records': [...Object.keys(RECORDS), 'all'],
};
/** The same of what the program is asked for. A filter begins with a field. */
const FROM: Readonly<Record<string, Asked>> = {
  '-j': 'protocols',
  '-J': 'protocols',
  '-O': 'protocols',
  '--filter': 'fields',
  '--interface': 'interfaces',
};

/** What the value of an option is, by the name that its definition gives it. */
function valuesOf(o: Option): Values {
  if (!o.required && !o.optional) return { kind: 'none' };
  if (o.argChoices !== undefined) return { kind: 'words', words: o.argChoices };
  const flag = o.long ?? o.short ?? '';
  if (Object.hasOwn(WORDS, flag)) return { kind: 'words', words: WORDS[flag] };
  if (Object.hasOwn(FROM, flag)) return { kind: FROM[flag] };
  const name = /[<[]([\w-]+)/.exec(o.flags)?.[1] ?? '';
  if (name === 'file') return { kind: 'files' };
  if (name === 'field') return { kind: 'fields' };
  if (name === 'protocol') return { kind: 'protocols' };
  return { kind: 'any' };
}

const bare = (flag: string | undefined): string | undefined => flag?.replace(/^-+/, '');

function optionsOf(c: Command): Known[] {
  const all = c.options.filter((o) => !o.hidden);
  const known = all.map((o) => ({
    short: bare(o.short),
    long: bare(o.long),
    description: o.description,
    values: valuesOf(o),
    repeatable: o.parseArg !== undefined,
  }));
  const help = { short: 'h', long: 'help', description: 'display help', values: { kind: 'none' }, repeatable: false };
  return [...known, help as Known];
}

/** What the arguments of a command are. */
function argumentOf(c: Command): Values {
  const a = c.registeredArguments[0];
  if (a === undefined) return { kind: 'none' };
  if (a.argChoices !== undefined) return { kind: 'words', words: a.argChoices };
  const name = a.name();
  return { kind: name === 'capture' || name === 'file' ? 'files' : name === 'protocol' ? 'protocols' : 'any' };
}

/** The commands of a program; its first one is what runs without a name. */
function commandsOf(program: Command): KnownCommand[] {
  return program.commands.map((c) => ({
    name: c.name(),
    description: c.description(),
    options: optionsOf(c),
    argument: argumentOf(c),
  }));
}

const flags = (o: Known): string[] => [
  ...(o.short === undefined ? [] : [`-${o.short}`]),
  ...(o.long === undefined ? [] : [`--${o.long}`]),
];

/** The completion script of a shell for a program. */
export function completionScript(program: Command, shell: Shell): string {
  const commands = commandsOf(program);
  if (shell === 'bash') return bash(commands);
  return shell === 'zsh' ? zsh(commands) : fish(commands);
}

/** Text between single quotes, for bash and zsh. */
const quoted = (s: string): string => `'${s.replaceAll("'", "'\\''")}'`;

/** Bash: sets `words` to what may stand at the cursor, or leaves it to file names. */
function bashValues(v: Values): string {
  switch (v.kind) {
    case 'words':
      return `words=${quoted(v.words.join(' '))}`;
    case 'fields':
    case 'protocols':
    case 'interfaces':
      return `words=$(${ASKED[v.kind]})`;
    default:
      return ':';
  }
}

/** What may follow an option, by `command:option`. */
function bashOptionValues(c: KnownCommand): string[] {
  const lines = new Map<string, string[]>();
  for (const o of c.options) {
    if (o.values.kind === 'none') continue;
    const line = bashValues(o.values);
    const before = lines.get(line) ?? [];
    lines.set(line, [...before, ...flags(o).map((f) => `${c.name}:${f}`)]);
  }
  return [...lines].map(([line, names]) => `    ${names.join('|')}) ${line} ;;`);
}

function bash(commands: readonly KnownCommand[]): string {
  const names = commands.map((c) => c.name);
  const after = commands.flatMap((c) => bashOptionValues(c));
  const options = commands.map((c) => `      ${c.name}) words=${quoted(c.options.flatMap(flags).join(' '))} ;;`);
  const words = commands.map((c) => `      ${c.name}) ${bashValues(c.argument)} ;;`);
  return `# bash completion for fttscope. To use it: source <(fttscope completion bash)
_fttscope() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD - 1]} command= words= i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case \${COMP_WORDS[i]} in
      ${names.join('|')}) command=\${COMP_WORDS[i]}; break ;;
    esac
  done
  # Bash makes --option=value three words.
  [[ $prev == = ]] && prev=\${COMP_WORDS[COMP_CWORD - 2]}
  [[ $cur == = ]] && cur=
  COMPREPLY=()
  case \${command:-${names[0]}}:$prev in
${after.join('\n')}
    *)
      if [[ $cur == -* ]]; then
        case \${command:-${names[0]}} in
${options.map((l) => `  ${l}`).join('\n')}
        esac
      elif [[ -z $command && $COMP_CWORD -eq 1 ]]; then
        words=${quoted(names.join(' '))}
      else
        case \${command:-${names[0]}} in
${words.map((l) => `  ${l}`).join('\n')}
        esac
      fi ;;
  esac
  [[ -z $words ]] || COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -o default -F _fttscope fttscope
`;
}

/** Zsh: what `_arguments` does for a value. */
function zshValues(v: Values, name: string): string {
  switch (v.kind) {
    case 'words':
      return `${name}:(${v.words.join(' ')})`;
    case 'files':
      return `${name}:_files`;
    case 'fields':
    case 'protocols':
    case 'interfaces':
      return `${name}:_fttscope_${v.kind}`;
    default:
      return `${name}: `;
  }
}

/** Text inside the brackets of an `_arguments` specification. */
const zshText = (s: string): string => s.replace(/[[\]:\\]/g, '\\$&');

function zshOption(o: Known): string {
  const value = o.values.kind === 'none' ? '' : `:${zshValues(o.values, 'value')}`;
  const text = `[${zshText(o.description)}]${value}`;
  const all = flags(o);
  const star = o.repeatable ? '*' : '';
  // The value may stand in the same word (-kFILE, --keylog=FILE) or in the next one: zshcompsys(1), _arguments.
  const withValue = (flag: string): string =>
    o.values.kind === 'none' ? flag : `${flag}${flag.startsWith('--') ? '=' : '+'}`;
  if (all.length === 1) return quoted(`${star}${withValue(all[0])}${text}`);
  const names = `{${all.map(withValue).join(',')}}`;
  return o.repeatable
    ? `${quoted('*')}${names}${quoted(text)}`
    : `${quoted(`(${all.join(' ')})`)}${names}${quoted(text)}`;
}

function zsh(commands: readonly KnownCommand[]): string {
  const list = commands.map((c) => `    ${quoted(`${c.name}:${c.description.replaceAll(':', '\\:')}`)}`);
  const cases = commands.map((c) => {
    const specs = c.options.map((o) => `        ${zshOption(o)}`);
    if (c.argument.kind !== 'none') specs.push(`        ${quoted(`*:${zshValues(c.argument, 'argument')}`)}`);
    return `    ${c.name})\n      _arguments -s \\\n${specs.join(' \\\n')} ;;`;
  });
  const asked = Object.entries(ASKED).map(
    ([name, how]) => `_fttscope_${name}() {\n  local -a names\n  names=(\${(f)"$(${how})"})\n  compadd -a names\n}`,
  );
  return `#compdef fttscope
# zsh completion for fttscope. To use it: fttscope completion zsh > a file _fttscope in a folder of $fpath
${asked.join('\n')}
_fttscope() {
  local command=${commands[0].name}
  local -a commands
  commands=(
${list.join('\n')}
  )
  if (( CURRENT == 2 )) && [[ $words[2] != -* ]]; then
    _describe command commands
    _files
    return
  fi
  if [[ -n \${(M)commands:#$words[2]:*} ]]; then
    command=$words[2]
    shift words
    (( CURRENT-- ))
  fi
  case $command in
${cases.join('\n')}
  esac
}
if [[ $funcstack[1] == _fttscope ]]; then
  _fttscope "$@"
else
  compdef _fttscope fttscope
fi
`;
}

/** Text between single quotes, for fish. */
const fishText = (s: string): string => `'${s.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;

function fishValues(v: Values): string {
  switch (v.kind) {
    case 'none':
      return '';
    case 'words':
      return ` -x -a ${fishText(v.words.join(' '))}`;
    case 'files':
      return ' -r -F';
    case 'fields':
    case 'protocols':
    case 'interfaces':
      return ` -x -a ${fishText(`(${ASKED[v.kind]})`)}`;
    default:
      return ' -x';
  }
}

function fish(commands: readonly KnownCommand[]): string {
  const names = commands.map((c) => c.name);
  const lines = ['# fish completion for fttscope. To use it: fttscope completion fish | source'];
  for (const c of commands)
    lines.push(`complete -c fttscope -n __fish_use_subcommand -a ${c.name} -d ${fishText(c.description)}`);
  commands.forEach((c, i) => {
    const others = `not __fish_seen_subcommand_from ${names.slice(1).join(' ')}`; // the first is what runs without a name
    const when = i === 0 ? others : `__fish_seen_subcommand_from ${c.name}`;
    const start = `complete -c fttscope -n ${fishText(when)}`;
    for (const o of c.options) {
      const short = o.short === undefined ? '' : ` -s ${o.short}`;
      const long = o.long === undefined ? '' : ` -l ${o.long}`;
      lines.push(`${start}${short}${long}${fishValues(o.values)} -d ${fishText(o.description)}`);
    }
    if (c.argument.kind === 'none') lines.push(`${start} -f`);
    else if (c.argument.kind !== 'files') lines.push(start + fishValues(c.argument).replace(/^ -x/, ' -f'));
  });
  return `${lines.join('\n')}\n`;
}
