import { COMMANDS, type Command, KeyMap } from './keymap.js';

/* The user's own keys, from `keys` of the settings: keys by command. No key gets two meanings. */

/** Keys as terminals name them. */
const NAMED =
  /^(?:(?:Ctrl-|Alt-|Shift-)*(?:Up|Down|Left|Right|Home|End|PgUp|PgDn|Insert|Delete|F\d{1,2})|Shift-Tab|Tab|Enter|Esc|Space|Backspace|Ctrl-[A-Z\\\]^_]|Alt-\S)$/;
const isKey = (key: string): boolean => NAMED.test(key) || (/^\S$/u.test(key) && key >= '!');

/** Without a key for these nobody would find the way. */
const NEEDED = new Set(['open', 'back', 'palette', 'quit']);

const byId = new Map<string, Command>(COMMANDS.map((c) => [c.id, c]));
const takesLetter = (c: Command): boolean => c.keys.some((k) => k.endsWith(' *'));

/** What is wrong with keys for a command, whatever others have; undefined: nothing. */
function wrongKeys(c: Command, keys: readonly string[]): string | undefined {
  if (keys.length === 0 && NEEDED.has(c.id)) return `${c.id} cannot be without a key`;
  for (const key of keys) {
    const parts = key.split(' ');
    const letter = parts.at(-1) === '*';
    if (takesLetter(c) !== letter || (letter && parts.length !== 2))
      return takesLetter(c)
        ? `keys of ${c.id} end with a letter to choose: "${c.keys[0]}"`
        : `"${key}" of ${c.id} waits for a letter, which ${c.id} does not take`;
    const odd = parts.find((p) => p !== '*' && !isKey(p));
    if (parts.length > 2 || odd !== undefined)
      return `"${key}" of ${c.id} is no key; keys are like a, G, "g g", Ctrl-D, Alt-x, F7, PgUp`;
  }
  return undefined;
}

/** Two keys of which one hides the other, and the commands that have them. */
interface Clash {
  readonly key: string;
  readonly first: string;
  readonly second: string;
}

/** The first key that would have two meanings, or would begin another. */
function clash(commands: readonly Command[]): Clash | undefined {
  const owners = new Map<string, string>();
  for (const { id, keys } of commands)
    for (const key of keys) {
      const first = owners.get(key);
      if (first !== undefined && first !== id) return { key, first, second: id };
      owners.set(key, id);
    }
  for (const [key, id] of owners) {
    const first = key.split(' ')[0];
    const owner = first === key ? undefined : owners.get(first);
    if (owner !== undefined) return { key: first, first: owner, second: id };
  }
  return undefined;
}

const quoted = (id: string): string => `${id} (${byId.get(id)!.title})`;

/**
 * The key map with the user's keys in it, and what of them was refused, in words. What clashes is refused whole: the
 * command keeps its usual keys.
 */
export function remapped(wanted: Readonly<Record<string, readonly string[]>>): {
  readonly map: KeyMap;
  readonly problems: readonly string[];
} {
  const problems: string[] = [];
  const own = new Map<string, readonly string[]>();
  for (const [id, keys] of Object.entries(wanted)) {
    const c = byId.get(id);
    const wrong = c === undefined ? `there is no command ${id}` : wrongKeys(c, keys);
    if (wrong === undefined) own.set(id, [...new Set(keys)]);
    else problems.push(`keys: ${wrong}`);
  }
  for (;;) {
    const commands = COMMANDS.map((c): Command => ({ ...c, keys: own.get(c.id) ?? c.keys }));
    const found = clash(commands);
    if (found === undefined) return { map: new KeyMap(commands), problems };
    // Usual keys never clash, so one of the two is the user's.
    const { key, first, second } = found;
    const refused = own.has(second) ? second : first;
    const other = refused === second ? first : second;
    own.delete(refused);
    const usual = byId.get(refused)!.keys.join(', ') || 'no key';
    problems.push(`keys: ${key} would mean ${quoted(other)} and ${quoted(refused)}; ${refused} keeps ${usual}`);
  }
}
