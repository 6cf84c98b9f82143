import { dissectors } from '../../../dissectors/index.js';
import type { CaptureSource } from '../../capture/chunk.js';
import { CaptureError } from '../../capture/errors.js';
import { openCapture } from '../../capture/open.js';
import { engineFields } from '../../engine/dissect.js';
import { NO_ROWS, Pass } from '../../engine/pass.js';
import { Registry } from '../../engine/registry.js';
import type { Row } from '../../engine/row.js';
import { printable } from '../../kit/index.js';
import { isReadable, tunnelLine } from '../../report/tunnels.js';
import { applyDecodeAs } from '../decode-as.js';
import { Exit, UserError } from '../errors.js';
import { FrameFile } from '../frame-file.js';
import { gatherKeys } from '../keys.js';
import type { ReadOptions } from '../options.js';
import { Output } from '../output.js';
import { rowPrinter } from '../printers.js';
import { Progress } from '../progress.js';
import { Selection } from '../selection.js';
import { type Services, tlsServices } from '../services.js';

/** `fttscope read`: prints the rows of captures. Returns the exit code. */
export async function read(captures: readonly string[], o: ReadOptions): Promise<number> {
  const names = [...(o.read ?? []), ...captures];
  if (names.length === 0)
    throw new UserError('no capture given', Exit.usage, 'fttscope read FILE, or - for standard input');
  const registry = new Registry(dissectors, engineFields);
  applyDecodeAs(registry, o.decodeAs ?? []);
  const printer = rowPrinter(o, registry);
  const selection = new Selection(o, registry);
  const keys = await gatherKeys(names, {
    ...(o.keylog && { keylog: o.keylog }),
    ...(o.o && { preferences: o.o }),
    autoKeys: o.autoKeys,
  });
  const source = await open(names);
  const out = new Output();
  let worst = 0;
  const frames = o.write === undefined ? null : new FrameFile(o.write, names);
  const printing = frames === null || o.P === true;
  out.write(printer.head());
  const services = tlsServices(keys.log, o.verifyAll === true);
  await lendHandshakes(o.handshakeFrom ?? [], registry, services);
  const pass = new Pass(
    registry,
    {
      ...services,
      rows: o.rows ?? 'both',
      fields: printer.fields === null ? null : [...printer.fields, ...selection.fields],
      labels: printer.labels,
      experts: printer.experts || o.failOn !== undefined,
      info: printer.info,
      frames: o.count ?? 0,
      heuristicRtp: (o.enableHeuristic ?? []).includes('rtp_udp'),
      analyseTcp: printer.analyseTcp || selection.analyseTcp,
      duplicates: printer.info,
      severalFiles: names.length > 1,
    },
    (row: Row) => {
      if (!selection.takes(row)) return undefined;
      if (o.failOn !== undefined) worst = Math.max(worst, severity(row));
      if (printing) out.write(printer.row(row));
      frames?.take(row);
      if (o.l) out.flush();
      return undefined;
    },
  );
  const progress = new Progress(source, o.quiet === true);
  try {
    await pass.run(source, () => {
      out.flush();
      progress.show(pass.frames);
    });
    out.write(printer.tail());
    out.flush();
    frames?.end();
  } finally {
    progress.end();
    await source.close();
  }
  return report(source, pass, o, worst);
}

/** Reads earlier files of a rotation for the handshakes in them: the sessions of later files go on with their keys. */
async function lendHandshakes(files: readonly string[], registry: Registry, services: Services): Promise<void> {
  for (const file of files) {
    const source = await open([file]);
    const options = { ...services, ...NO_ROWS };
    await new Pass(registry, options, () => undefined).run(source);
    await source.close();
  }
}

async function open(names: readonly string[]): Promise<CaptureSource> {
  try {
    return await openCapture(names);
  } catch (e) {
    if (e instanceof CaptureError) throw new UserError(e.message, Exit.input);
    throw e;
  }
}

/** Tunnels that are told of one by one. */
const TOLD = 20;

/** Warnings about the input, what became of the tunnels, and the exit code: 2 before 4 before 3. Contract section 3. */
function report(source: CaptureSource, pass: Pass, o: ReadOptions, worst: number): number {
  const { tunnels } = pass.index;
  if (o.quiet !== true) {
    for (const d of source.damage) process.stderr.write(`fttscope: ${d.message}\n`);
    const told = o.format === undefined || o.format === 'text' ? tunnels : tunnels.filter((t) => !isReadable(t));
    for (const t of told.slice(0, TOLD)) process.stderr.write(`${printable(tunnelLine(t))}\n`);
    if (told.length > TOLD) process.stderr.write(`… and ${told.length - TOLD} more tunnels\n`);
    for (const [proto, n] of pass.dissection.faults)
      process.stderr.write(`fttscope: ${n} faults in dissector ${proto}\n`);
  }
  if (source.damage.length > 0) return Exit.input;
  if (o.requireDecrypt === true && !tunnels.every(isReadable)) return Exit.undecrypted;
  return o.failOn !== undefined && worst >= SEVERITIES.indexOf(o.failOn) ? Exit.failOn : Exit.done;
}

const SEVERITIES = ['chat', 'note', 'warn', 'error'];

/** The worst of what was noticed about a row. */
function severity(row: Row): number {
  let worst = row.findings.length > 0 ? 1 : 0;
  for (const e of row.dissection.tree.experts) worst = Math.max(worst, SEVERITIES.indexOf(e.expert.severity));
  return worst;
}
