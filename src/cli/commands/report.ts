import { SessionTap } from '../../engine/session-tap.js';
import { SessionModel } from '../../model/session-model.js';
import { reportOf } from '../../report/report.js';
import { reportJson } from '../../report/report-json.js';
import type { ReadOptions } from '../options.js';
import { Output } from '../output.js';
import { Reading } from '../reading.js';
import { version } from '../version.js';

/** Options of `report` beside those of every command that reads captures. */
export interface ReportOptions extends ReadOptions {
  schema?: boolean;
}

/** `fttscope report`: tells what happened in captures, as JSON. Returns the exit code. */
export async function report(captures: readonly string[], o: ReportOptions): Promise<number> {
  const reading = new Reading(captures, o);
  await reading.prepare();
  const model = new SessionModel();
  const tap = new SessionTap(model, reading.registry, reading.names.length > 1);
  const wanted = { rows: 'inner', fields: [], analyseTcp: true, duplicates: true, heuristicRtp: true, tap } as const;
  const outcome = await reading.run(wanted, () => undefined);
  tap.finish();
  const out = new Output();
  const whole = reportOf(model, {
    generator: { name: 'fttscope', version: version() },
    options: { heuristicRtp: true, verifyAll: o.verifyAll === true, autoKeys: o.autoKeys },
    files: outcome.files,
    damage: outcome.damage,
    spans: tap.files,
  });
  for (const piece of reportJson(whole)) out.write(piece);
  out.flush();
  return reading.code(outcome);
}
