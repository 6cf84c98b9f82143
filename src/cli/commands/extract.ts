import type { Hindsight } from '../../engine/hindsight.js';
import type { Row } from '../../engine/row.js';
import { counted } from '../../kit/index.js';
import { LIMITS } from '../../limits.js';
import type { TlsSession } from '../../tls/index.js';
import { Exit, UserError } from '../errors.js';
import { FrameFile } from '../frame-file.js';
import { InnerFile } from '../inner-file.js';
import { keyLines } from '../keys.js';
import type { ReadOptions } from '../options.js';
import { type Outcome, Reading } from '../reading.js';
import { Selection } from '../selection.js';
import { tell } from '../tell.js';

/** Options of `extract` beside those of every command that reads captures. */
export interface ExtractOptions extends ReadOptions {
  inner?: boolean;
  outer?: boolean;
  withKeys?: boolean;
  redact?: boolean;
}

/**
 * `fttscope extract`: writes the inner IP packets of the selected rows (LINKTYPE_RAW, original times), or their outer
 * frames with the whole TCP connection of a selected tunnel. Returns the exit code.
 */
export async function extract(captures: readonly string[], o: ExtractOptions): Promise<number> {
  const reading = new Reading(captures, o);
  if (o.inner === true && o.outer === true) throw new UserError('either --inner or --outer, not both');
  if (o.redact === true && o.outer === true)
    throw new UserError(
      '--redact is for inner packets',
      Exit.usage,
      'what is encrypted in outer frames cannot be changed',
    );
  if (o.redact === true && o.withKeys === true) throw new UserError('either --redact or --with-keys, not both');
  if (o.outer === true && reading.names.includes('-'))
    throw new UserError(
      '--outer reads its input twice, which standard input does not allow',
      Exit.usage,
      'save it to a file first',
    );
  const selection = await Selection.of(o, reading.registry);
  await reading.prepare();
  const hindsight = o.twoPass === true ? await reading.hindsight(selection.fields) : undefined;
  const chosen = { selection, hindsight };
  const outcome = o.outer === true ? await outer(reading, chosen, o) : await inner(reading, chosen, o);
  reading.tellTunnels(outcome, false);
  reading.tellLimits(selection.limits);
  if (selection.lacks !== undefined && o.quiet !== true) tell(`fttscope: ${selection.lacks}`);
  return reading.code(outcome);
}

/** Which rows are written, and what is known of them. */
interface Chosen {
  readonly selection: Selection;
  readonly hindsight: Hindsight | undefined;
}

async function inner(reading: Reading, { selection, hindsight }: Chosen, o: ExtractOptions): Promise<Outcome> {
  const redaction = o.redact === true ? new (await import('../../report/redact-stream.js')).RedactedStream() : null;
  const file = new InnerFile(o.write!, reading.inputs, redaction);
  if (o.withKeys === true) file.secrets(keyLines(reading.keys.texts)); // for TLS inside the tunnels
  const { analyseTcp } = selection;
  const fields = redaction === null ? selection.fields : null;
  const wanted = { rows: 'inner', fields, analyseTcp, heuristicRtp: redaction !== null, hindsight } as const;
  const outcome = await reading.run(wanted, (row) => {
    if (selection.takes(row)) file.take(row);
  });
  file.end();
  if (o.quiet !== true && redaction !== null && redaction.shared > 0)
    tell(`fttscope: the limit pseudonyms (${LIMITS.pseudonyms}) was reached: those of later names may be shared`);
  if (o.quiet !== true) tell(`${counted(file.count, 'inner packet')} of ${counted(file.tunnels, 'tunnel')} written`);
  if (o.quiet !== true && file.withoutIp > 0)
    tell(`${counted(file.withoutIp, 'envelope')} left out, whose payload is neither IPv4 nor IPv6`);
  return outcome;
}

/** Two passes: the first finds the connections of the selected tunnels, the second writes all their frames. */
async function outer(reading: Reading, { selection, hindsight }: Chosen, o: ExtractOptions): Promise<Outcome> {
  const flows = new Set<number>();
  const frames = new Set<string>();
  const sessions = new Set<TlsSession>();
  const { fields, analyseTcp } = selection;
  const outcome = await reading.run({ rows: 'both', fields, analyseTcp, hindsight }, (row) => {
    if (!selection.takes(row)) return;
    // What the end of the capture set free stands in its last frame, which is of whatever connection that may be.
    const isCarried = o.tunnel === undefined || row.outer.tunnel === row.tunnel;
    if (isCarried) frames.add(frameOf(row));
    const session = row.tunnel?.session;
    if (session) sessions.add(session);
    if (o.tunnel !== undefined && isCarried && row.outer.flow !== null) flows.add(row.outer.flow.id);
  });
  const file = new FrameFile(o.write!, reading.inputs);
  if (o.withKeys === true) file.secrets(lines(reading, sessions, o.tunnel === undefined));
  await reading.run({ rows: 'both', fields: [] }, (row) => {
    const { flow } = row.outer;
    if (frames.has(frameOf(row)) || (flow !== null && flows.has(flow.id))) file.take(row);
  });
  file.end();
  if (o.quiet !== true) tell(`${counted(file.count, 'frame')} written`);
  return outcome;
}

/** Key log lines that open the sessions; `all`: and every other that there is. */
function lines(reading: Reading, sessions: ReadonlySet<TlsSession>, all: boolean): string {
  const randoms = new Set([...sessions].flatMap((s) => [s.clientRandom, s.keyRandom]));
  const found = [...sessions].flatMap((s) => s.keyLine ?? []);
  return keyLines([...reading.keys.texts, ...found], all ? undefined : randoms);
}

const frameOf = (row: Row): string => `${row.file}:${row.frame}`;
