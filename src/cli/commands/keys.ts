import { counted, grouped, printable } from '../../kit/index.js';
import { tunnelLine } from '../../report/tunnels.js';
import type { BadKeyLine, KeyLog, KeyLogLine } from '../../tls/index.js';
import type { Tunnel } from '../../tunnel/tunnel.js';
import { Exit } from '../errors.js';
import { gatherKeys, type Keys, type KeyTable } from '../keys.js';
import type { ReadOptions } from '../options.js';
import { Output } from '../output.js';
import { Reading } from '../reading.js';

/** Bad lines, and sessions without use, that are told of one by one, of each key log. */
const TOLD = 20;

/**
 * `fttscope keys`: what the lines of key logs are good for. Without a capture only whether they can be read. Nothing of
 * a secret is printed; client randoms stand in every ClientHello. Returns the exit code.
 */
export async function keys(files: readonly string[], o: ReadOptions): Promise<number> {
  const all = { ...o, keylog: [...files, ...(o.keylog ?? [])] };
  const out = new Output();
  if (o.read === undefined) {
    const gathered = await gatherKeys([], { keylog: all.keylog, autoKeys: false });
    const strange = tellKeys(out, gathered, false);
    out.flush();
    return strange ? Exit.input : Exit.done;
  }
  const reading = new Reading([], all);
  await reading.prepare(false);
  const outcome = await reading.run({ rows: 'both', fields: [] }, () => undefined);
  const strange = tellKeys(out, reading.keys, true);
  const served = servedLines(reading.keys.log);
  for (const t of outcome.tunnels) say(out, tunnelLine(t), ...opener(t, served, reading.keys.origins));
  if (outcome.tunnels.length === 0) say(out, 'The capture has no tunnel.');
  out.flush();
  return strange ? Exit.input : reading.code(outcome);
}

/** Prints lines, whatever stands in names of files, and in captures and key logs of strangers, made harmless. */
const say = (out: Output, ...lines: readonly string[]): void =>
  out.write(lines.map((line) => `${printable(line)}\n`).join(''));

/** Says what became of the lines of each key log; returns whether one of the files is none. */
function tellKeys(out: Output, { log, tables, origins, warnings }: Keys, read: boolean): boolean {
  for (const w of warnings.filter((warning) => /private key|there is no key log/.test(warning))) say(out, w);
  if (log.rsa.length > 0) say(out, counted(log.rsa.length, 'RSA private key'));
  const lines = grouped(log.lines(), (line) => line.text);
  const bad = grouped(log.badLines, (line) => line.text);
  for (const t of tables) say(out, ...tableReport(t));
  let strange = tables.some((t) => t.good === 0 && t.bad.length > 0);
  origins.forEach((origin, i) => {
    const good = lines.get(i + 1) ?? [];
    const wrong = bad.get(i + 1) ?? [];
    if (good.length === 0 && wrong.length > 0) {
      strange ||= wrong[0].source === 'option';
      say(out, `${origin}: not a key log: no line of it is a key line`);
      return;
    }
    // What was found beside the capture is of interest where it serves.
    if ((good[0]?.source ?? 'option') !== 'option' && !good.some((l) => l.use === 'served')) return;
    say(out, ...textReport(origin, good, wrong, read));
  });
  const unkept = log.bad - log.badLines.length;
  if (unkept > 0) say(out, `${counted(unkept, 'more bad line')}, of which nothing was kept`);
  if (log.dropped > 0) say(out, `${counted(log.dropped, 'line')} beyond the most that are kept`);
  return strange;
}

/** Keys of subscribers or of ESP. */
function tableReport({ origin, of, good, bad }: KeyTable): string[] {
  const said = [`${origin}: keys of ${counted(good, of)}, ${counted(bad.length, 'bad line')}`];
  said.push(...bad.slice(0, TOLD).map((wrong) => `  ${wrong}`));
  if (bad.length > TOLD) said.push(`  … and ${bad.length - TOLD} more bad lines`);
  return said;
}

/** One key log. */
function textReport(origin: string, lines: readonly KeyLogLine[], bad: readonly BadKeyLine[], read: boolean): string[] {
  const use = (name: KeyLogLine['use']): KeyLogLine[] => lines.filter((l) => l.use === name);
  const unused = use('unused');
  const parts = [counted(lines.length, 'good line')];
  if (read)
    parts.push(`${use('served').length} used`, `${use('session-seen').length} not needed`, `${unused.length} unused`);
  parts.push(`${bad.length} bad`);
  const said = [`${origin}: ${parts.join(', ')}`];
  for (const b of bad.slice(0, TOLD)) said.push(`  line ${b.line} is bad: ${b.reason}`);
  if (bad.length > TOLD) said.push(`  … and ${bad.length - TOLD} more bad lines`);
  if (read) said.push(...unusedSessions(unused));
  return said;
}

/** Lines whose session is not in the capture, session by session. */
function unusedSessions(lines: readonly KeyLogLine[]): string[] {
  const sessions = [...grouped(lines, (l) => l.id)];
  const said = sessions
    .slice(0, TOLD)
    .map(
      ([id, list]) => `  ${places(list)} unused: no session with ${identity(list[0].label)} ${id} is in the capture`,
    );
  if (sessions.length > TOLD) said.push(`  … and ${sessions.length - TOLD} more sessions that are not in the capture`);
  return said;
}

const identity = (label: KeyLogLine['label']): string =>
  label === 'RSA' ? 'encrypted pre-master secret' : label === 'RSA Session-ID' ? 'session id' : 'client random';

/** The lines that opened sessions, by what they name a session by. */
function servedLines(log: KeyLog): ReadonlyMap<string, readonly KeyLogLine[]> {
  const served: KeyLogLine[] = [];
  for (const l of log.lines()) if (l.use === 'served') served.push(l);
  return grouped(served, (l) => l.id);
}

/** Which lines opened a tunnel. */
function opener(t: Tunnel, served: ReturnType<typeof servedLines>, origins: readonly string[]): string[] {
  const { session } = t;
  if (session === undefined) return [];
  const random = session.keyRandom;
  if (random === '') return ['  its client random is not known'];
  const lines = served.get(random) ?? [];
  const by = [...grouped(lines, (l) => l.text)].map(([n, list]) => `${places(list)} of ${origins[n - 1]}`);
  return [`  client random ${random}: ${by.length > 0 ? by.join('; ') : otherwise(t)}`];
}

/** What opened a tunnel without lines of its own, or that nothing did. */
function otherwise({ session }: Tunnel): string {
  const sources = ([0, 1] as const).map((d) => session!.verdict(d).source);
  if (sources.includes('resumption')) return 'keys of the session that it resumes';
  if (sources.includes('rsa')) return 'an RSA private key';
  return sources.some((s) => s !== undefined) ? 'a line with its session id or pre-master secret' : 'no line';
}

/** `line 4`, `lines 1-3, 7`. */
function places(lines: readonly KeyLogLine[]): string {
  const runs: [number, number][] = [];
  for (const { line } of lines) {
    const last = runs.at(-1);
    if (last !== undefined && last[1] + 1 === line) last[1] = line;
    else runs.push([line, line]);
  }
  const text = runs.map(([a, b]) => (a === b ? `${a}` : `${a}-${b}`)).join(', ');
  return `line${lines.length === 1 ? '' : 's'} ${text}`;
}
