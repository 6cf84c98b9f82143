/** The command, after {@link file://./fttscope.ts} has loaded it. */
import type { MessagePort, Worker } from 'node:worker_threads';
import { adoptEngine } from './engine-thread.js';
import { explain } from './errors.js';
import { run } from './program.js';
import { stopperOf } from './signals.js';
import type { ViewOrder } from './view.js';

/** Runs the command line and sets the exit code. @param engine its thread, where it was started before */
export async function main(argv: readonly string[], engine?: Worker): Promise<void> {
  if (engine !== undefined) adoptEngine(engine);
  process.on('uncaughtException', (e) => {
    process.exit(explain(e));
  });
  const code = argv[0] === '-G' && argv.length < 3 ? await printed(argv[1] ?? 'fields') : await run(argv);
  process.exitCode = code;
  // A shell that runs several commands stops only if this one dies of the signal.
  const stopper = stopperOf(code);
  if (stopper !== undefined) process.kill(process.pid, stopper);
}

/** `-G REPORT`, which tshark takes as its only words. */
async function printed(report: string): Promise<number> {
  try {
    return await (await import('./commands/glossary.js')).glossary(report);
  } catch (e) {
    return explain(e);
  }
}

/** The thread of the engine behind the screens, see {@link file://./view.ts}. */
export async function view(port: MessagePort): Promise<void> {
  const engine = await import('./view.js');
  port.once('message', (order: ViewOrder) => void engine.view(port, order));
}
