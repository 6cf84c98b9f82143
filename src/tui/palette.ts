import { completeArgument, judgeArgument } from './arguments.js';
import { type Command, type CommandId, keyText } from './keymap.js';
import { missingPacket } from './packet-words.js';
import type { PromptRequest, Verdict } from './prompt.js';
import { isKept, starterOf } from './start.js';
import type { Desk } from './view.js';

const withKeys = (c: Command): string =>
  c.keys.length === 0 ? c.title : `${c.title}   ${c.keys.map(keyText).join(' ')}`;

/** Rows as they are written: `123`, `812.1`, `2:812.1`. */
const ROW = /^(\d+:)?\d+(\.\d+)?$/;

/** The line behind `:`: any command by its name, with Tab to complete and its key beside it; `:123` goes to a packet. */
export function paletteRequest(desk: Desk): PromptRequest {
  const { memory } = desk;
  const perform = (id: CommandId, argument: string, typed: string): undefined => {
    if (isKept(typed)) memory.typed('command', typed);
    desk.perform(id, argument);
  };
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
      const words = like(typed, desk).map((c) => ({ text: c.id, note: withKeys(c), takes: c.argument !== undefined }));
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
      if (ROW.test(name)) return perform('goto', name, text.trim());
      const command = commandOf(name, desk);
      if (command === undefined) return `several begin so: ${names(beginning(name, desk))}`;
      const wrong = argument === '' ? undefined : starterOf(desk, command.id)?.wrong(argument);
      return wrong ?? perform(command.id as CommandId, argument, `${command.id} ${argument}`.trim());
    },
  };
}

/** The line that asks for the number of a packet; from every view, which stays where it is until the packet is known. */
export function gotoRequest(desk: Desk): PromptRequest {
  const missing = (id: string): string | undefined => {
    if (!ROW.test(id)) return `${id} is no number of a packet; they are like 123, 812.1`;
    return missingPacket(desk.viewer, id);
  };
  return {
    label: 'go to packet',
    judge: (text) => {
      const id = text.trim();
      const wrong = id === '' ? undefined : missing(id);
      return wrong === undefined ? undefined : { text: wrong, wrong: true };
    },
    done: (text) => {
      const id = text.trim();
      const wrong = id === '' ? undefined : missing(id);
      if (id !== '' && wrong === undefined) desk.perform('goto', id);
      return wrong;
    },
  };
}

function split(text: string): { name: string; argument: string } {
  const t = text.trim();
  const blank = t.indexOf(' ');
  return blank < 0 ? { name: t, argument: '' } : { name: t.slice(0, blank), argument: t.slice(blank + 1).trim() };
}

/** The commands with names that begin so. */
const beginning = (name: string, { keymap }: Desk): Command[] => keymap.commands.filter((c) => c.id.startsWith(name));

/** The same, then those that have it elsewhere. */
function like(name: string, desk: Desk): Command[] {
  const begin = beginning(name, desk);
  return [...begin, ...desk.keymap.commands.filter((c) => c.id.includes(name) && !begin.includes(c))];
}

const names = (commands: readonly Command[]): string => commands.map((c) => c.id).join('  ');

/** The command of a name, or the only one whose name begins so. */
function commandOf(name: string, desk: Desk): Command | undefined {
  const begin = beginning(name, desk);
  return begin.find((c) => c.id === name) ?? (begin.length === 1 ? begin[0] : undefined);
}

function judge(text: string, desk: Desk): Verdict | undefined {
  const { name } = split(text);
  if (name === '') return { text: 'a command, or the number of a packet; Tab lists commands', wrong: false };
  if (ROW.test(name)) return { text: `go to packet ${name}`, wrong: false };
  const command = commandOf(name, desk);
  if (command !== undefined)
    return { text: `${command.id === name ? '' : `${command.id}: `}${withKeys(command)}`, wrong: false };
  const near = like(name, desk);
  if (near.length > 0) return { text: names(near), wrong: !near.some((c) => c.id.startsWith(name)) };
  if (desk.live?.verbs.some((v) => v.name === name))
    return { text: `${name} is typed to what runs: 7, then Enter`, wrong: true };
  return { text: `there is no command ${name}`, wrong: true };
}
