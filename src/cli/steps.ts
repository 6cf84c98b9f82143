import { readScenario, type Step } from '../live/scenario.js';
import { StepFailed } from '../live/scenario-lines.js';
import { BadScenario } from '../live/scenario-values.js';
import type { Verb } from '../live/scenario-verbs.js';
import { NotEstablished } from '../live/tunnel-failure.js';
import { Exit, UserError } from './errors.js';
import { textOf } from './live-settings.js';
import { tell } from './tell.js';

/** The steps of a file. @throws UserError, CaptureError */
export function stepsOf<E>(path: string, verbs: Readonly<Record<string, Verb<E>>>): Step<E>[] {
  try {
    return readScenario(textOf(path), path, verbs);
  } catch (e) {
    if (e instanceof BadScenario) throw new UserError(e.message);
    throw e;
  }
}

/** Runs steps to the first that fails; what failed is said. Returns the exit code. */
export async function runSteps<E>(end: E, steps: readonly Step<E>[]): Promise<number> {
  for (const [i, step] of steps.entries()) {
    const code = await attempt(end, step, `step ${i + 1} (${step.name}, ${step.at})`);
    if (code !== Exit.done) return code;
  }
  return Exit.done;
}

/** Runs a step; says what it was where it failed. Returns the exit code. */
export async function attempt<E>(end: E, step: Step<E>, name: string): Promise<number> {
  try {
    await step.verb.run(end, step.args);
    return Exit.done;
  } catch (e) {
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
