import { dissectors } from '../../dissectors/index.js';
import type { CaptureSource } from '../../src/capture/chunk.js';
import { openCapture } from '../../src/capture/open.js';
import { scanSecrets } from '../../src/capture/secrets.js';
import { applyDecodeAs } from '../../src/cli/decode-as.js';
import { tlsServices } from '../../src/cli/services.js';
import { EspKeys } from '../../src/crypto/esp-keys.js';
import { engineFields } from '../../src/engine/dissect.js';
import type { Caps } from '../../src/engine/followed.js';
import { Pass } from '../../src/engine/pass.js';
import { Registry } from '../../src/engine/registry.js';
import type { Row } from '../../src/engine/row.js';
import type { Field } from '../../src/kit/index.js';
import { LIMITS } from '../../src/limits.js';
import { KeyLog } from '../../src/tls/index.js';

export interface RowsOptions {
  readonly keylog?: readonly string[];
  readonly rows?: 'inner' | 'outer' | 'both';
  readonly fields?: readonly Field[];
  readonly decodeAs?: readonly string[];
  readonly heuristicRtp?: boolean;
  readonly verifyAll?: boolean;
  /** Nothing but the fields is wanted: neither experts nor the protocol stack. */
  readonly bare?: boolean;
  /** Texts for people, too. */
  readonly labels?: boolean;
  /** Stop after so many frames. */
  readonly frames?: number;
  /** Caps that are others than {@link LIMITS} says. */
  readonly caps?: Partial<Caps>;
}

/** Only decode-as changes a registry, and to make one takes longer than to read a small capture. */
const USUAL = new Registry(dissectors, engineFields);

/** Runs a pass over a capture file and gives each row. Key logs are texts. */
export async function forRows(path: string, options: RowsOptions, give: (row: Row) => void): Promise<Pass> {
  const secrets = path === '-' ? [] : await scanSecrets(path);
  return forSource(await openCapture([path]), options, give, secrets);
}

/** The same for a source that is open; it is closed. */
export async function forSource(
  source: CaptureSource,
  options: RowsOptions,
  give: (row: Row) => void,
  secrets: readonly string[] = [],
): Promise<Pass> {
  const { decodeAs = [] } = options;
  const registry = decodeAs.length === 0 ? USUAL : new Registry(dissectors, engineFields);
  applyDecodeAs(registry, decodeAs);
  const keys = new KeyLog();
  const esp = new EspKeys();
  for (const text of options.keylog ?? [])
    if (EspKeys.looksLike(text)) esp.add(text);
    else keys.add(text, 'option');
  for (const text of secrets) keys.add(text, 'dsb');
  const pass = new Pass(
    registry,
    {
      ...tlsServices(keys, options.verifyAll === true, esp),
      rows: options.rows ?? 'both',
      fields: options.fields ?? null,
      labels: options.labels === true,
      experts: options.bare !== true,
      info: options.bare !== true,
      frames: options.frames ?? 0,
      heuristicRtp: options.heuristicRtp === true,
      analyseTcp: true,
      duplicates: true,
      severalFiles: false,
      contents: options.bare !== true,
      caps: { ...LIMITS, ...options.caps },
    },
    (row) => {
      give(row);
      return undefined;
    },
  );
  await pass.run(source);
  await source.close();
  const faults = [...pass.dissection.faults.counts];
  if (faults.length > 0)
    throw new Error(`faults in fttscope: ${faults.join(' ')}`, { cause: pass.dissection.faults.first });
  return pass;
}
