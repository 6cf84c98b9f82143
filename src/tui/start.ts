import { ChoiceDialog, type ChoiceItem } from './choice-dialog.js';
import { InterfaceDialog, type Interfaces } from './interface-dialog.js';
import type { CommandId } from './keymap.js';
import type { Completion, PromptRequest, Verdict } from './prompt.js';
import type { Desk } from './view.js';

/** Commands of the palette that take a command line. */
export const STARTERS = ['capture', 'ue', 'eftf'] as const satisfies readonly CommandId[];
export type StarterId = (typeof STARTERS)[number];

/** Something live that is started by what would stand behind its name on the command line. */
export interface Starter {
  /** How it is written: `HOST[:PORT] [options]`. */
  readonly usage: string;
  /** Ways to go on with a line. */
  complete(line: string): Completion | undefined;
  /** What the last word of a line means, where that is known. */
  about(line: string): string | undefined;
  /** What is wrong with a whole line, as far as can be told without doing anything. */
  wrong(line: string): string | undefined;
  /** Starts it, instead of what is shown now. @throws Error in words */
  start(line: string): Promise<void>;
}

/** What can be started from the screens. */
export interface Starters extends Readonly<Record<StarterId, Starter>> {
  readonly interfaces: Interfaces;
}

/** The starter of a command; undefined for other commands. */
export const starterOf = (desk: Desk, name: string): Starter | undefined =>
  STARTERS.some((id) => id === name) ? desk.starters?.[name as StarterId] : undefined;

/** What `:capture`, `:ue` and `:eftf` do: start it at once, or ask for the rest of the line first. */
export function startCommand(desk: Desk, id: StarterId, line: string): void {
  const { starters } = desk;
  if (starters === undefined) desk.say('nothing can be started from here', 'warn');
  else if (line !== '') start(desk, id, line);
  else if (id === 'capture')
    desk.show(new InterfaceDialog(desk, starters.interfaces, (typed) => start(desk, id, typed)));
  else desk.prompt(lineRequest(desk, id, starters[id]));
}

/** Starts something; why that is not possible is said. What goes on now is ended only after a question. */
function start(desk: Desk, id: StarterId, line: string): void {
  const starter = desk.starters?.[id];
  const wrong = starter?.wrong(line);
  if (starter === undefined || wrong !== undefined) {
    desk.say(`${id}: ${wrong}`, 'error');
    return;
  }
  const go = (): void => {
    desk.say(`starting ${id} ${line} …`);
    starter.start(line).catch((e: Error & { hint?: string }) => {
      desk.say(e.hint === undefined ? e.message : `${e.message}; ${e.hint}`, 'error');
    });
  };
  const lost = desk.live?.unsaved;
  if (lost === undefined) go();
  else desk.confirm(`${lost}. Start ${`${id} ${line}`.trim()} instead?`, go);
}

/** Asks for the rest of a line. */
function lineRequest(desk: Desk, id: StarterId, starter: Starter): PromptRequest {
  const earlier = (desk.memory.state.history.command ?? []).flatMap((l) =>
    l.startsWith(`${id} `) ? [l.slice(id.length + 1)] : [],
  );
  return {
    label: id,
    history: [...earlier].reverse(),
    complete: (text, cursor) => starter.complete(text.slice(0, cursor)),
    judge: (text) => verdictOf(starter, text),
    done: (text) => {
      const line = text.trim();
      const wrong = starter.wrong(line);
      if (wrong !== undefined) return wrong;
      if (isKept(line)) desk.memory.typed('command', `${id} ${line}`.trim());
      start(desk, id, line);
      return undefined;
    },
  };
}

/** Whether a line may be remembered on the disk: not with a password of a proxy in it. */
export const isKept = (line: string): boolean => !/--proxy[= ]\S*:\S*@/.test(line);

/** What is said while a line is typed. */
export const verdictOf = (starter: Starter, line: string): Verdict => ({
  text: starter.about(line) ?? `${starter.usage}; Tab goes on`,
  wrong: false,
});

/** Lines of earlier times that are offered. */
const EARLIER = 5;

/** Asks what is to be started. */
export function startDialog(desk: Desk): void {
  if (desk.starters === undefined) {
    desk.say('nothing can be started from here', 'warn');
    return;
  }
  const item = (text: string, id: CommandId): ChoiceItem => ({
    text,
    note: `:${id}`,
    take: () => desk.perform(id),
  });
  const lines = [...new Set(desk.memory.state.history.command ?? [])];
  const earlier = lines.filter((l) => STARTERS.includes(l.split(' ')[0] as StarterId) && l.includes(' '));
  const items = [
    item('capture on an interface', 'capture'),
    item('act as a UE: establish a tunnel', 'ue'),
    item('act as an EFTF: take tunnels', 'eftf'),
    item('open a capture file', 'open-file'),
    ...earlier.slice(0, EARLIER).map((line): ChoiceItem => {
      const [id, rest] = [line.slice(0, line.indexOf(' ')), line.slice(line.indexOf(' ') + 1)];
      return { text: `again: ${line}`, take: () => startCommand(desk, id as StarterId, rest) };
    }),
  ];
  desk.show(new ChoiceDialog(desk, 'Start', () => items));
}
