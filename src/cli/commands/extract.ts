import { HEADER, IP_PACKET } from '../../../dissectors/ftt-ims.js';
import { dissectors } from '../../../dissectors/index.js';
import { CaptureError } from '../../capture/errors.js';
import { openCapture } from '../../capture/open.js';
import { PcapngWriter } from '../../capture/writer.js';
import { engineFields } from '../../engine/dissect.js';
import { Pass } from '../../engine/pass.js';
import { Registry } from '../../engine/registry.js';
import type { Row } from '../../engine/row.js';
import { applyDecodeAs } from '../decode-as.js';
import { Exit, UserError } from '../errors.js';
import { FrameFile } from '../frame-file.js';
import { gatherKeys, type Keys, keyLines } from '../keys.js';
import type { ReadOptions } from '../options.js';
import { Progress } from '../progress.js';
import { Selection } from '../selection.js';
import { tlsServices } from '../services.js';

/** Options of `extract` beside those of every command that reads captures. */
export interface ExtractOptions extends ReadOptions {
  inner?: boolean;
  outer?: boolean;
  withKeys?: boolean;
}

const LINKTYPE_RAW = 101;

/**
 * `fttscope extract`: writes the inner IP packets of the selected rows (LINKTYPE_RAW, original times), or their outer
 * frames with the whole TCP connection of a selected tunnel. Returns the exit code.
 */
export async function extract(captures: readonly string[], o: ExtractOptions): Promise<number> {
  const names = [...(o.read ?? []), ...captures];
  if (names.length === 0) throw new UserError('no capture given');
  if (o.inner === true && o.outer === true) throw new UserError('either --inner or --outer, not both');
  if (o.outer === true && names.includes('-'))
    throw new UserError(
      '--outer reads its input twice, which standard input does not allow',
      Exit.usage,
      'save it to a file first',
    );
  const keys = await gatherKeys(names, {
    ...(o.keylog && { keylog: o.keylog }),
    ...(o.o && { preferences: o.o }),
    autoKeys: o.autoKeys,
  });
  try {
    return o.outer === true ? await outer(names, o, keys) : await inner(names, o, keys);
  } catch (e) {
    if (e instanceof CaptureError) throw new UserError(e.message, Exit.input, e.hint);
    throw e;
  }
}

/** Runs one pass and gives each selected row; returns whether the input was whole. */
async function pass(
  names: readonly string[],
  o: ExtractOptions,
  keys: Keys,
  rows: 'inner' | 'both',
  give: (row: Row) => void,
): Promise<boolean> {
  const registry = new Registry(dissectors, engineFields);
  applyDecodeAs(registry, o.decodeAs ?? []);
  const selection = new Selection(o, registry);
  const source = await openCapture(names);
  const progress = new Progress(source, o.quiet === true);
  const p = new Pass(
    registry,
    {
      ...tlsServices(keys.log, o.verifyAll === true),
      rows,
      fields: selection.fields,
      labels: false,
      experts: false,
      info: false,
      frames: o.count ?? 0,
      heuristicRtp: (o.enableHeuristic ?? []).includes('rtp_udp'),
      analyseTcp: selection.analyseTcp,
      duplicates: false,
      severalFiles: names.length > 1,
    },
    (row) => {
      if (selection.takes(row)) give(row);
      return undefined;
    },
  );
  try {
    await p.run(source, () => progress.show(p.frames));
  } finally {
    progress.end();
    await source.close();
  }
  if (o.quiet !== true) for (const d of source.damage) process.stderr.write(`fttscope: ${d.message}\n`);
  return source.damage.length === 0;
}

async function inner(names: readonly string[], o: ExtractOptions, keys: Keys): Promise<number> {
  const writer = new PcapngWriter(o.write!, { inputs: names });
  const interfaces = new Map<number, number>();
  let count = 0;
  const whole = await pass(names, o, keys, 'inner', (row) => {
    const v = row.content!.view;
    if (v.buf[v.off] !== IP_PACKET || v.length <= HEADER) return;
    const id = row.tunnel!.id;
    let iface = interfaces.get(id);
    if (iface === undefined) interfaces.set(id, (iface = writer.iface(LINKTYPE_RAW, `tunnel ${id}`)));
    writer.frame(iface, row.seconds, row.nanos, v.buf.subarray(v.off + HEADER, v.end), {
      comment: `tunnel ${id} ${row.direction}, row ${row.id}`,
      flags: row.direction === 'up' ? 2 : 1,
    });
    count++;
  });
  if (interfaces.size === 0) writer.iface(LINKTYPE_RAW);
  writer.end();
  if (o.quiet !== true) process.stderr.write(`${count} inner packets of ${interfaces.size} tunnels written\n`);
  return whole ? Exit.done : Exit.input;
}

/** Two passes: the first finds the connections of the selected tunnels, the second writes all their frames. */
async function outer(names: readonly string[], o: ExtractOptions, keys: Keys): Promise<number> {
  const flows = new Set<number>();
  const frames = new Set<string>();
  const randoms = new Set<string>();
  await pass(names, o, keys, 'both', (row) => {
    frames.add(`${row.file}:${row.frame}`);
    if (o.tunnel === undefined || row.outer.flow === null) return;
    flows.add(row.outer.flow.id);
    const random = row.tunnel?.session?.clientRandom;
    if (random !== undefined) randoms.add(random);
  });
  const file = new FrameFile(o.write!, names);
  if (o.withKeys === true) file.secrets(keyLines(keys.texts, o.tunnel === undefined ? undefined : randoms));
  const everything: ReadOptions = { autoKeys: o.autoKeys, ...(o.decodeAs && { decodeAs: o.decodeAs }), quiet: true };
  const whole = await pass(names, everything, keys, 'both', (row) => {
    const { flow } = row.outer;
    if (frames.has(`${row.file}:${row.frame}`) || (flow !== null && flows.has(flow.id))) file.take(row);
  });
  file.end();
  if (o.quiet !== true) process.stderr.write(`${file.count} frames written\n`);
  return whole ? Exit.done : Exit.input;
}
