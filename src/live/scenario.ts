import { isMap, isPair, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml';
import { CALL_VERBS } from './scenario-calls.js';
import { type Arguments, BadScenario, checkedValue, type Value } from './scenario-values.js';
import { TUNNEL_VERBS, type Verb } from './scenario-verbs.js';
import type { Ue } from './ue.js';

/** A step: a verb with what it was told. */
export interface Step<E = Ue> {
  readonly name: string;
  readonly verb: Verb<E>;
  readonly args: Arguments;
  /** Where it stands, for messages: `line 3`. */
  readonly at: string;
}

/** Verbs by name. */
export type Verbs<E> = Readonly<Record<string, Verb<E>>>;

/** All verbs of a UE. */
export const VERBS: Verbs<Ue> = { ...TUNNEL_VERBS, ...CALL_VERBS };

/** Most steps of a scenario. */
const MOST_STEPS = 10_000;

/**
 * Reads a scenario, YAML or JSON (which is YAML): `{steps: [VERB | {VERB: VALUE | {NAME: VALUE}}]}`.
 * @param name of the file, for messages @throws BadScenario
 */
export function readScenario<E>(text: string, name: string, verbs: Verbs<E>): Step<E>[] {
  const lines = new LineCounter();
  const doc = parseDocument(text, { lineCounter: lines });
  const where = (node: unknown): string => {
    const offset = (node as Node | undefined)?.range?.[0];
    return offset === undefined ? name : `${name}, line ${lines.linePos(offset).line}`;
  };
  const [error] = doc.errors;
  if (error !== undefined) throw new BadScenario(`${name}: ${error.message.split('\n')[0]}`);
  const steps = isMap(doc.contents) ? doc.contents.get('steps', true) : undefined;
  if (!isSeq(steps)) throw new BadScenario(`${name}: a scenario is {steps: [VERB, {VERB: {NAME: VALUE}} …]}`);
  if (steps.items.length > MOST_STEPS) throw new BadScenario(`${name}: more than ${MOST_STEPS} steps`);
  return steps.items.map((item) => {
    const at = where(item);
    if (isScalar(item)) return step(verbs, String(item.value), undefined, at);
    if (!isMap(item) || item.items.length !== 1 || !isPair(item.items[0]))
      throw new BadScenario(`${at}: a step is a verb, or one verb with its arguments`);
    const value = (item.toJS(doc) as Record<string, unknown>)[String((item.items[0].key as { value: unknown }).value)];
    return step(verbs, String((item.items[0].key as { value: unknown }).value), value, at);
  });
}

/**
 * Reads a line of the console: `ping 10.0.0.1`, `ping to=10.0.0.1 count=3`.
 * @throws BadScenario; undefined for an empty line or a comment
 */
export function readLine(line: string): Step | undefined {
  const text = line.trim();
  if (text === '' || text.startsWith('#')) return undefined;
  const [name, ...words] = text.split(/\s+/);
  const verb = VERBS[name];
  const named = words.every((w) => Object.hasOwn(verb?.takes ?? {}, w.split('=')[0]) && w.includes('='));
  const given = words.length === 0 ? undefined : named ? Object.fromEntries(words.map(cut)) : words.join(' ');
  return step(VERBS, name, given, 'console');
}

function cut(word: string): [string, string] {
  const at = word.indexOf('=');
  return [word.slice(0, at), word.slice(at + 1)];
}

function step<E>(verbs: Verbs<E>, name: string, given: unknown, at: string): Step<E> {
  const verb = Object.hasOwn(verbs, name) ? verbs[name] : undefined;
  if (verb === undefined)
    throw new BadScenario(`${at}: no verb is called ${name}; there are ${Object.keys(verbs).join(', ')}`);
  try {
    return { name, verb, args: argumentsOf(name, verb, given), at };
  } catch (e) {
    if (e instanceof BadScenario) throw new BadScenario(`${at}: ${name}: ${e.message}`);
    throw e;
  }
}

function argumentsOf<E>(name: string, verb: Verb<E>, given: unknown): Arguments {
  if (given === undefined || given === null) return {};
  const only = verb.bare === undefined ? undefined : verb.takes[verb.bare];
  if (typeof given !== 'object' || only === 'faults') {
    if (verb.bare === undefined || only === undefined) throw new BadScenario(`${name} takes nothing`);
    return { [verb.bare]: checkedValue(only, verb.bare, given) };
  }
  const args: Record<string, Value> = {};
  for (const [key, value] of Object.entries(given)) {
    if (!Object.hasOwn(verb.takes, key))
      throw new BadScenario(`it does not take ${key}; it takes ${Object.keys(verb.takes).join(', ') || 'nothing'}`);
    args[key] = checkedValue(verb.takes[key], key, value);
  }
  return args;
}

/** The steps that a UE goes where no scenario is given: a tunnel, then addresses at the same time. */
export function usualSteps(families: readonly (4 | 6)[]): { tunnel: Step; addresses: Step[] } {
  const names = families.map((f) => (f === 4 ? 'dhcp' : 'slaac'));
  return {
    tunnel: step(VERBS, 'connect', undefined, 'start'),
    addresses: names.map((name) => step(VERBS, name, undefined, 'start')),
  };
}

/** Runs a step. @throws StepFailed, NotEstablished */
export const runStep = (s: Step, ue: Ue): Promise<void> => s.verb.run(ue, s.args);
