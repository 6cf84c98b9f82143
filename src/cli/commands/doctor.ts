import { existsSync } from 'node:fs';
import { CaptureError } from '../../capture/errors.js';
import { counted } from '../../kit/index.js';
import { CannotCapture, listInterfaces, startCapture } from '../../live/capture-source.js';
import { folders } from '../../live/folders.js';
import { CannotTun, TunDevice } from '../../live/tun.js';
import { Memory } from '../../tui/settings.js';
import { depthOf } from '../../tui/theme.js';
import { Exit, UserError } from '../errors.js';
import { gatherKeys } from '../keys.js';
import { CACHE } from '../load.js';
import { Output } from '../output.js';
import { UTF8 } from '../tell.js';
import { version } from '../version.js';

/** What was found about one thing: how it is, and what to do where it does not work. */
interface Found {
  readonly works: boolean;
  readonly text: string;
  readonly remedy?: string;
}

const CHECKS: readonly (readonly [string, () => Found | Promise<Found>])[] = [
  ['start', start],
  ['keys', keys],
  ['settings', settings],
  ['terminal', terminal],
  ['live capture', liveCapture],
  ['TUN devices', tunDevices],
];

/** `fttscope doctor`: what works on this machine, a line each. Files are read without any of it. Returns the exit code. */
export async function doctor(): Promise<number> {
  const out = new Output();
  out.write(`fttscope ${version()}, Node ${process.version}, ${process.platform} ${process.arch}\n`);
  for (const [name, check] of CHECKS) {
    const { works, text, remedy } = await check();
    out.write(`${works ? 'ok' : '--'}  ${name.padEnd(14)}${text}\n`);
    if (remedy !== undefined) out.write(`    ${''.padEnd(14)}${remedy}\n`);
    out.flush();
  }
  return Exit.done;
}

/** The code cache fits one version of Node (ADR 0004). */
function start(): Found {
  if (existsSync(CACHE)) return { works: true, text: 'compiled for this Node' };
  const text = 'not compiled for this Node, so that each start takes half a second longer';
  return { works: false, text, remedy: 'npm run build, or npm install -g fttscope with the Node that runs it' };
}

async function keys(): Promise<Found> {
  const name = process.env.SSLKEYLOGFILE;
  if (!name)
    return { works: true, text: 'SSLKEYLOGFILE is not set; -k names key logs, and those beside a capture are found' };
  try {
    const { log, warnings } = await gatherKeys([], { keylog: [name], autoKeys: false });
    const text = `SSLKEYLOGFILE is ${name}, with lines of ${counted(log.sessions, 'session')}`;
    return warnings.length === 0 ? { works: true, text } : { works: false, text: warnings.join('; ') };
  } catch (e) {
    if (!(e instanceof UserError || e instanceof CaptureError)) throw e;
    return { works: false, text: `SSLKEYLOGFILE: ${e.message}`, ...(e.hint !== undefined && { remedy: e.hint }) };
  }
}

function settings(): Found {
  const memory = new Memory(folders());
  const { configFile, problems } = memory;
  if (problems.length > 0) return { works: false, text: problems.join('; ') };
  return {
    works: true,
    text: existsSync(configFile) ? configFile : `those that come with it; yours would be in ${configFile}`,
  };
}

function terminal(): Found {
  const { TERM = '' } = process.env;
  if (!process.stdout.isTTY)
    return { works: false, text: 'the output is no terminal: rows are printed instead of screens' };
  const { columns, rows } = process.stdout;
  const colours = depthOf(process.env, 'auto');
  const text = `${TERM || 'TERM is not set'}, ${columns}x${rows}, ${colours || 'no'} colours, ${UTF8 ? 'UTF-8' : 'ASCII alone'}`;
  if (TERM === '' || TERM === 'dumb') return { works: false, text, remedy: 'TERM=xterm-256color, or --plain' };
  if (!UTF8) return { works: true, text, remedy: 'LANG=C.UTF-8 has all signs' };
  return { works: true, text };
}

/** Whether packets can be captured: on the first interface, for a moment. */
async function liveCapture(): Promise<Found> {
  try {
    const interfaces = await listInterfaces();
    if (interfaces.length === 0) return { works: false, text: 'there is no interface, or no right to see one' };
    const order = { snaplen: 64, bufferMiB: 1, promiscuous: false, application: 'fttscope', backend: 'auto' } as const;
    const capturing = await startCapture(
      { ...order, interfaces: [{ device: interfaces[0].name, filter: '' }] },
      () => {},
    );
    capturing.stop();
    await capturing.ended;
    const by = capturing.backend === 'pcap' ? 'the package pcap' : 'dumpcap';
    return { works: true, text: `${interfaces.length} interfaces, by ${by}: fttscope interfaces lists them` };
  } catch (e) {
    if (!(e instanceof CannotCapture)) throw e;
    return { works: false, text: e.message, remedy: e.hint };
  }
}

function tunDevices(): Found {
  try {
    TunDevice.check();
    return { works: true, text: 'ue --tun and eftf --tun can make them' };
  } catch (e) {
    if (!(e instanceof CannotTun)) throw e;
    return { works: false, text: e.message, remedy: e.hint };
  }
}
