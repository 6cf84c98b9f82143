/** Reports of several capture files. */

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { dissectors } from '../../dissectors/index.js';
import { openCapture } from '../../src/capture/open.js';
import { tlsServices } from '../../src/cli/services.js';
import { engineFields } from '../../src/engine/dissect.js';
import { NO_ROWS, Pass } from '../../src/engine/pass.js';
import { Registry } from '../../src/engine/registry.js';
import { SessionTap } from '../../src/engine/session-tap.js';
import { CATALOGUE } from '../../src/model/catalogue.js';
import { SessionModel } from '../../src/model/session-model.js';
import { reportOf } from '../../src/report/report.js';
import { reportJson } from '../../src/report/report-json.js';
import { reportSchema } from '../../src/report/report-schema.js';
import { KeyLog } from '../../src/tls/index.js';
import { violations } from './schema.js';
import type { Json } from './support.js';

const FOLDER = mkdtempSync(join(tmpdir(), 'fttscope-files-'));
after(() => rmSync(FOLDER, { recursive: true }));

/** The report of several files, with these names where they have some. */
export async function told(
  files: readonly Uint8Array[],
  keylog: string,
  called: readonly string[] = [],
): Promise<Json> {
  const names = files.map((octets, i) => {
    const name = join(FOLDER, `${called[i] ?? i}.pcapng`);
    writeFileSync(name, octets);
    return name;
  });
  const source = await openCapture(names);
  const registry = new Registry(dissectors, engineFields);
  const keys = new KeyLog();
  keys.add(keylog, 'option');
  const model = new SessionModel();
  const tap = new SessionTap(model, registry, true);
  const options = { ...NO_ROWS, analyseTcp: true, duplicates: true, heuristicRtp: true, severalFiles: true, tap };
  await new Pass(registry, { ...tlsServices(keys, false), ...options, rows: 'none' }, () => undefined).run(source);
  await source.close();
  tap.finish();
  const generator = { name: 'fttscope', version: '0' };
  const report = reportOf(model, {
    generator,
    options: { heuristicRtp: true, verifyAll: false, autoKeys: true, muted: [] },
    files: source.files,
    damage: source.damage,
    tap,
  });
  const r = JSON.parse([...reportJson(report)].join(''));
  assert.deepEqual(violations(r, reportSchema(Object.keys(CATALOGUE))), []);
  return r;
}
