import { readScenario, type Step, type Verbs } from '../live/scenario.js';
import { StepFailed } from '../live/scenario-lines.js';
import { BadScenario } from '../live/scenario-values.js';
import { NotEstablished } from '../live/tunnel-failure.js';
import { Exit, UserError } from './errors.js';
import { textOf } from './live-settings.js';
import type { EndSignals } from './signals.js';
import { tell } from './tell.js';

/** The steps of a file. @throws UserError, CaptureError */
export function stepsOf<E>(path: string, verbs: Verbs<E>): Step<E>[] {
  try {
    return readScenario(textOf(path), path, verbs);
  } catch (e) {
    if (e instanceof BadScenario) throw new UserError(e.message, Exit.input);
    throw e;
  }
}

/** Verbs with what they do and take, the argument that a bare value is first: a line each. */
export const verbsInWords = <E>(verbs: Verbs<E>): string[] =>
  Object.entries(verbs).map(([name, { about, takes, bare }]) => {
    const names = Object.keys(takes).sort((a, b) => Number(b === bare) - Number(a === bare));
    return `${name.padEnd(10)} ${about}${names.length === 0 ? '' : ` (${names.join(', ')})`}`;
  });

/** Runs steps to the first that fails; what failed is said, unless it was stopped. Returns the exit code. */
export async function runSteps<E>(end: E, steps: readonly Step<E>[], signals: EndSignals): Promise<number> {
  for (const [i, step] of steps.entries()) {
    const code = await attempt(end, step, `step ${i + 1} (${step.name}, ${step.at})`, signals);
    if (code !== Exit.done || signals.came) return code;
  }
  return Exit.done;
}

/** Runs a step; says what it was where it failed and was not stopped in the middle. Returns the exit code. */
export async function attempt<E>(end: E, step: Step<E>, name: string, signals: EndSignals): Promise<number> {
  try {
    await step.verb.run(end, step.args);
    return Exit.done;
  } catch (e) {
    if (signals.came && (e instanceof NotEstablished || e instanceof StepFailed)) return Exit.done;
    if (e instanceof NotEstablished) {
      tell(`fttscope: ${name}: no tunnel: ${e.message}`);
      if (e.hint !== undefined) tell(`  ${e.hint}`);
      return Exit.notEstablished;
    }
    if (!(e instanceof StepFailed)) throw e;
    tell(`fttscope: ${name} failed: ${e.message}`);
    return Exit.stepFailed;
  }
}
