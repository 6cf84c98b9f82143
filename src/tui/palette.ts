import { completeArgument, judgeArgument } from './arguments.js';
import { type Command, type CommandId, keyText } from './keymap.js';
import type { PromptRequest, Verdict } from './prompt.js';
import { isKept, starterOf } from './start.js';
import type { Desk } from './view.js';

const withKeys = (c: Command): string =>
  c.keys.length === 0 ? c.title : `${c.title}   ${c.keys.map(keyText).join(' ')}`;

/** Rows as they are written: `123`, `812.1`, `2:812.1`. */
const ROW = /^(\d+:)?\d+(\.\d+)?$/;

/** The line behind `:`: any command by its name, with Tab to complete and its key beside it; `:123` goes to a packet. */
export function paletteRequest(desk: Desk): PromptRequest {
  const { memory, keymap } = desk;
  return {
    label: ':',
    history: [...(memory.state.history.command ?? [])].reverse(),
    complete: (text, cursor) => {
      const typed = text.slice(0, cursor);
      const behind = typed.indexOf(' ') + 1;
      if (behind > 0) {
        const found = completeArgument(desk, typed.slice(0, behind - 1), typed.slice(behind));
        return found && { from: found.from + behind, words: found.words };
      }
      const { commands } = keymap;
      const words = commands
        .filter((c) => c.id.startsWith(typed))
        .concat(commands.filter((c) => !c.id.startsWith(typed) && typed !== '' && c.id.includes(typed)))
        .map((c) => ({ text: c.id, note: withKeys(c) }));
      return { from: 0, words };
    },
    judge: (text) => {
      const { name, argument } = split(text);
      const ofArgument = text.includes(' ') ? judgeArgument(desk, name, argument) : undefined;
      return ofArgument ?? judge(text, desk);
    },
    done: (text) => {
      const { name, argument } = split(text);
      if (name === '') return undefined;
      const v = judge(text, desk);
      if (v?.wrong === true) return v.text;
      const wrong = argument === '' ? undefined : starterOf(desk, name)?.wrong(argument);
      if (wrong !== undefined) return wrong;
      if (isKept(text)) memory.typed('command', text.trim());
      if (ROW.test(name)) desk.perform('goto', name);
      else desk.perform(name as CommandId, argument);
      return undefined;
    },
  };
}

function split(text: string): { name: string; argument: string } {
  const t = text.trim();
  const blank = t.indexOf(' ');
  return blank < 0 ? { name: t, argument: '' } : { name: t.slice(0, blank), argument: t.slice(blank + 1).trim() };
}

function judge(text: string, { keymap: { commands }, live }: Desk): Verdict | undefined {
  const { name } = split(text);
  if (name === '') return { text: 'a command, or the number of a packet; Tab lists commands', wrong: false };
  if (ROW.test(name)) return { text: `go to packet ${name}`, wrong: false };
  const command = commands.find((c) => c.id === name);
  if (command !== undefined) return { text: withKeys(command), wrong: false };
  const near = commands.filter((c) => c.id.includes(name));
  if (near.length > 0)
    return { text: near.map((c) => c.id).join('  '), wrong: !near.some((c) => c.id.startsWith(name)) };
  if (live?.verbs.some((v) => v.name === name))
    return { text: `${name} is typed to what runs: 7, then Enter`, wrong: true };
  return { text: `there is no command ${name}`, wrong: true };
}
