import { join } from 'node:path';
import { Reading } from '../../src/cli/reading.js';
import { version } from '../../src/cli/version.js';
import { SessionTap } from '../../src/engine/session-tap.js';
import { SessionModel } from '../../src/model/session-model.js';
import { type Report, reportOf } from '../../src/report/report.js';
import { type Story, storyOf as shown } from '../../src/viewer/story.js';
import { ROOT } from '../support/corpus.js';

/** The report of a capture, as `fttscope report` makes it. */
export async function reportOfCapture(path: string): Promise<Report> {
  const model = new SessionModel();
  const reading = new Reading([path], { autoKeys: true, quiet: true });
  await reading.prepare(false);
  const tap = new SessionTap(model, reading.registry, false);
  const wanted = { rows: 'inner', fields: [], analyseTcp: true, duplicates: true, heuristicRtp: true, tap } as const;
  const outcome = await reading.run(wanted, () => undefined);
  tap.finish();
  const { files, damage, limits } = outcome;
  const generator = { name: 'fttscope', version: version() };
  return reportOf(model, { generator, options: {}, files, damage, limits, tap });
}

/** What screens show of a sample. */
export async function storyOf(sample: string): Promise<Story> {
  return shown(await reportOfCapture(join(ROOT, 'samples', sample)));
}
