import { completeRule, judgeRule } from './decode-as.js';
import { completePath } from './files.js';
import { COPY_FORMS } from './packet-actions.js';
import type { Completion, Verdict } from './prompt.js';
import { starterOf, verdictOf } from './start.js';
import { THEMES } from './style.js';
import type { Desk } from './view.js';

/* What stands behind the name of a command in the palette. */

/** Words that are offered at most. */
const MOST = 200;

/** Ways to go on with the argument of a command; undefined: none are known. */
export function completeArgument(desk: Desk, command: string, typed: string): Completion | undefined {
  const starter = starterOf(desk, command);
  if (starter !== undefined) return starter.complete(typed);
  switch (command) {
    case 'decode-as':
      return completeRule(desk.fields, typed, desk.told.story?.seen.get(''));
    case 'keys':
    case 'open-file':
    case 'write':
    case 'export':
      return completePath(typed, typed.length);
    case 'theme':
      return oneOf(Object.keys(THEMES), typed);
    case 'bind':
      return typed.includes(' ')
        ? undefined
        : oneOf(
            desk.keymap.commands.map((c) => c.id),
            typed,
          );
    case 'add-column':
      return fieldNames(desk, typed);
    case 'layers':
      return oneOf(['inner', 'outer', 'both'], typed);
    case 'copy':
      return oneOf(COPY_FORMS, typed);
    case 'pager':
      return oneOf(['report'], typed);
    case 'edit':
      return oneOf(['settings'], typed);
    default:
      return undefined;
  }
}

const oneOf = (words: readonly string[], typed: string): Completion => ({
  from: 0,
  words: words.filter((w) => w.startsWith(typed)).map((text) => ({ text })),
});

/** Fields by the last word that is typed: columns take expressions. */
function fieldNames({ fields }: Desk, typed: string): Completion {
  const from = typed.search(/[\w.-]*$/);
  const start = typed.slice(from);
  const names = [...fields.names()].filter((name) => name.startsWith(start)).sort();
  return { from, words: names.slice(0, MOST).map((text) => ({ text, note: fields.byName(text)[0]?.label ?? '' })) };
}

/** What is said of the argument of a command while it is typed; undefined: what the command does will do. */
export function judgeArgument(desk: Desk, command: string, argument: string): Verdict | undefined {
  const starter = starterOf(desk, command);
  if (starter !== undefined) return verdictOf(starter, argument);
  return command === 'decode-as' ? judgeRule(desk.fields, argument) : undefined;
}
