import { type Document, isMap, isSeq, LineCounter, type Node, parseDocument, type YAMLMap } from 'yaml';
import { LIMITS } from '../limits.js';
import { CALL_VERBS } from './scenario-calls.js';
import { type Arguments, BadScenario, checkedValue, isFaultKind, kindInWords, type Value } from './scenario-values.js';
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

/**
 * Reads a scenario, YAML or JSON (which is YAML): `{steps: [VERB | {VERB: VALUE | {NAME: VALUE}}]}`. Values stand for
 * themselves as they are written: `+15550100`, `007` and `0100e7` are no numbers.
 * @param name of the file, for messages @throws BadScenario
 */
export function readScenario<E>(text: string, name: string, verbs: Verbs<E>): Step<E>[] {
  const lines = new LineCounter();
  const doc = parseDocument(text, { lineCounter: lines, schema: 'failsafe' });
  const where = (node: unknown): string => {
    const offset = (node as Node | undefined)?.range?.[0];
    return offset === undefined ? name : `${name}, line ${lines.linePos(offset).line}`;
  };
  const [error] = doc.errors;
  if (error !== undefined) throw new BadScenario(`${name}: ${error.message.split('\n')[0].replace(/:$/, '')}`);
  const steps = isMap(doc.contents) ? doc.contents.get('steps', true) : undefined;
  if (!isSeq(steps)) throw new BadScenario(`${name}: a scenario is {steps: [VERB, {VERB: {NAME: VALUE}} …]}`);
  const other = (doc.contents as YAMLMap).items.find(({ key }) => String(key) !== 'steps');
  if (other !== undefined) throw new BadScenario(`${where(other.key)}: a scenario has steps, and no ${other.key}`);
  if (steps.items.length === 0) throw new BadScenario(`${name}: there are no steps`);
  if (steps.items.length > LIMITS.scenarioSteps)
    throw new BadScenario(`${name}: more than ${LIMITS.scenarioSteps} steps`);
  return steps.items.map((item) => {
    const at = where(item);
    const given = plain(item, doc, at);
    if (typeof given === 'string') return step(verbs, given, undefined, at);
    const [[verb, value] = [], more] = Object.entries(given ?? {});
    if (verb === undefined || more !== undefined || Array.isArray(given))
      throw new BadScenario(`${at}: a step is a verb, or one verb with its arguments`);
    return step(verbs, verb, value, at);
  });
}

/** A step as plain data. @throws BadScenario where its aliases lead nowhere, or too far */
function plain(item: unknown, doc: Document, at: string): unknown {
  try {
    return (item as Node | null)?.toJS(doc);
  } catch (e) {
    throw new BadScenario(`${at}: ${(e as Error).message}`);
  }
}

/**
 * Reads a line of the console: `ping 10.0.0.1 count=3`, `message bob text=on my way`: a value without a name, then values with
 * names. Words go on with the value before them.
 * @throws BadScenario; undefined for an empty line or a comment
 */
export function readLine(line: string): Step | undefined;
export function readLine<E>(line: string, verbs: Verbs<E>): Step<E> | undefined;
export function readLine<E>(line: string, verbs: Verbs<E> = VERBS as Verbs<E>): Step<E> | undefined {
  const text = line.trim();
  if (text === '' || text.startsWith('#')) return undefined;
  const [name, ...words] = text.split(/\s+/);
  const verb = Object.hasOwn(verbs, name) ? verbs[name] : undefined;
  const args: Record<string, string> = {};
  let last = '';
  for (const word of words) {
    const named = /^([a-z]+)=(.*)$/s.exec(word);
    if (named !== null && Object.hasOwn(verb?.takes ?? {}, named[1])) {
      last = named[1];
      args[last] = named[2];
    } else args[last] = args[last] === undefined ? word : `${args[last]} ${word}`;
  }
  const { '': bare, ...named } = args;
  const given = bare === undefined ? named : { ...named, [verb?.bare ?? bare]: bare };
  return step(verbs, name, words.length === 0 ? undefined : given, 'console', true);
}

/** @param named what was given has names, all of it */
function step<E>(verbs: Verbs<E>, name: string, given: unknown, at: string, named = false): Step<E> {
  const verb = Object.hasOwn(verbs, name) ? verbs[name] : undefined;
  if (verb === undefined)
    throw new BadScenario(`${at}: no verb is called ${name}; there are ${Object.keys(verbs).join(', ')}`);
  try {
    return { name, verb, args: argumentsOf(verb, given, named), at };
  } catch (e) {
    if (e instanceof BadScenario) throw new BadScenario(`${at}: ${name}: ${e.message}`);
    throw e;
  }
}

function argumentsOf<E>(verb: Verb<E>, given: unknown, named: boolean): Arguments {
  const args = givenTo(verb, given, named);
  const { takes, needs = [] } = verb;
  if (needs.length > 0 && needs.every((name) => args[name] === undefined))
    throw new BadScenario(
      needs.length > 1
        ? `one of ${needs.join(', ')} is missing`
        : `${needs[0]} is missing: ${kindInWords(takes[needs[0]])}`,
    );
  const wrong = verb.wrong?.(args);
  if (wrong !== undefined) throw new BadScenario(wrong);
  return args;
}

function givenTo<E>({ takes, bare }: Verb<E>, given: unknown, named: boolean): Arguments {
  if (given === undefined || given === null || given === '') return {};
  const only = bare === undefined ? undefined : takes[bare];
  // Faults have names of their own.
  const isNamed = named || (typeof given === 'object' && (!isFaultKind(only) || Object.hasOwn(given, bare!)));
  if (!isNamed && (bare === undefined || only === undefined)) throw new BadScenario('it takes nothing');
  if (!isNamed) return { [bare!]: checkedValue(only!, bare!, given) };
  if (Array.isArray(given)) throw new BadScenario('it takes one value, or values with names');
  const args: Record<string, Value> = {};
  for (const [key, value] of Object.entries(given as object)) {
    if (!Object.hasOwn(takes, key))
      throw new BadScenario(`it does not take ${key}; it takes ${Object.keys(takes).join(', ') || 'nothing'}`);
    args[key] = checkedValue(takes[key], key, value);
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
