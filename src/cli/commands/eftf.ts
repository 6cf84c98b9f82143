import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { address } from '../../live/address.js';
import { realClock } from '../../live/clock.js';
import { LeaseFile } from '../../live/dhcp-lease-file.js';
import { type Cidr, cidr, Eftf } from '../../live/eftf.js';
import { parseFault } from '../../live/fault.js';
import { EFTF_STEPS } from '../../live/scenario-eftf.js';
import { Lines } from '../../live/scenario-lines.js';
import type { Certified } from '../../live/tls-certificate.js';
import { labCertificate, stateFolder } from '../../live/tls-lab.js';
import { plainly } from '../../live/tls-words.js';
import { Exit, UserError } from '../errors.js';
import {
  familiesOf,
  faultsOf,
  hostAndPort,
  type LiveOptions,
  labOf,
  subscribersOf,
  Traces,
  teller,
  textOf,
  tunOf,
  versionsOf,
} from '../live-settings.js';
import { writeAll } from '../output.js';
import { EndSignals } from '../signals.js';
import { runSteps, stepsOf } from '../steps.js';
import { tell } from '../tell.js';

export interface EftfCommandOptions extends LiveOptions {
  listen: string;
  cert?: string;
  key?: string;
  pool: string;
  prefix: string;
  dns?: string[];
  pcscf?: string[];
  subscribers?: string;
  maxTunnels?: number;
  leases?: string;
  run?: string;
}

/** An EFTF that listens. */
export interface OpenedEftf {
  readonly one: Eftf;
  readonly traces: Traces;
  /** `127.0.0.1:443`. */
  readonly listening: string;
  /** Releases all tunnels, and lets go of everything. */
  end(): Promise<void>;
}

/**
 * Opens the EFTF that the command line describes.
 * @param screens the descriptor of what the screens show @throws UserError
 */
export async function openEftf(
  o: EftfCommandOptions,
  say: (words: string) => void,
  screens?: number,
): Promise<OpenedEftf> {
  const at = hostAndPort(o.listen, '--listen', 443);
  const certificate = certificateOf(o, at.host, screens === undefined ? tell : say);
  const families = familiesOf(o);
  const subscribers = subscribersOf(o.subscribers, o.lab);
  const tun = tunOf(o);
  const traces = new Traces(o, screens);
  const leases = leasesOf(o, at, say);
  const one = make(() => {
    return new Eftf({
      certificate,
      versions: versionsOf(o),
      ...(o.ciphers !== undefined && { ciphers: o.ciphers }),
      ...(families.includes(4) && { pool: range(o.pool, 4) }),
      ...(families.includes(6) && { prefix: range(o.prefix, 6) }),
      dns: (o.dns ?? []).map(address),
      pcscf: (o.pcscf ?? []).map(address),
      ...(traces.tape && { tape: traces.tape }),
      onKey: traces.onKey,
      ...(leases && { leases }),
      ...(tun && { tun }),
      bare: o.bare === true,
      ...(subscribers && { subscribers }),
      faults: faultsOf(o),
      ...(o.seed !== undefined && { seed: o.seed }),
      ...(o.maxTunnels !== undefined && { limits: { tunnels: o.maxTunnels } }),
      tell: say,
    });
  });
  const end = async (): Promise<void> => {
    await one.close();
    tun?.close();
    traces.end();
  };
  try {
    const got = await one.listen(at.host, at.port).catch((e: NodeJS.ErrnoException) => {
      throw new UserError(
        `${o.listen}: ${plainly(e)}`,
        Exit.usage,
        e.code === 'EACCES' ? 'ports below 1024 want root' : undefined,
      );
    });
    if (tun !== undefined && !o.bare) {
      if (families.includes(4)) tun.addRoute(o.pool, 4);
      if (families.includes(6)) tun.addRoute(o.prefix, 6);
    }
    const host = got.address.includes(':') ? `[${got.address}]` : got.address;
    return { one, traces, listening: `${host}:${got.port}`, end };
  } catch (e) {
    await end();
    throw e;
  }
}

/** `fttscope eftf`: acts as an EFTF until it is told to end. Returns the exit code. @throws UserError */
export async function eftf(o: EftfCommandOptions): Promise<number> {
  const lines = new Lines(realClock, teller(o));
  const say = (line: string): void => lines.tell(line);
  const steps = o.run === undefined ? undefined : stepsOf(o.run, EFTF_STEPS);
  const { one, listening, end } = await openEftf(o, say);
  try {
    writeAll(o.write === '-' ? 2 : 1, Buffer.from(`listening ${listening}\n`));
    if (steps === undefined) await untilTold(one, say);
    else
      return await Promise.race([runSteps({ eftf: one, lines }, steps), new EndSignals().told.then(() => Exit.done)]);
  } finally {
    await end();
  }
  return Exit.done;
}

/** What the constructor refuses, in words. */
function make(build: () => Eftf): Eftf {
  try {
    return build();
  } catch (e) {
    if (e instanceof UserError) throw e;
    throw new UserError(plainly(e as NodeJS.ErrnoException));
  }
}

/** Where leases are kept: in the file given, else in one of its own for each place that is listened at. */
function leasesOf(
  o: EftfCommandOptions,
  at: { host: string; port: number },
  say: (words: string) => void,
): LeaseFile | undefined {
  if (o.bare || (o.leases === undefined && at.port === 0)) return undefined;
  const name = `${at.host}-${at.port}-${o.pool}`.replace(/[^\w.-]/g, '_');
  return new LeaseFile(o.leases ?? join(stateFolder(), 'leases', `${name}.jsonl`), say);
}

function range(text: string, family: 4 | 6): Cidr {
  return cidr(text, family);
}

/** The certificate given, or one of the lab. */
function certificateOf(o: EftfCommandOptions, host: string, say: (words: string) => void): Certified {
  if ((o.cert === undefined) !== (o.key === undefined)) throw new UserError('--cert and --key go together');
  if (o.cert !== undefined) return { cert: textOf(o.cert), key: textOf(o.key!) };
  const ca = labOf();
  if (!o.quiet) say(`lab CA ${ca.path}${ca.made ? ', made now' : ''}, SHA-256 ${ca.fingerprint}`);
  return labCertificate(ca, host);
}

/** Takes lines of the console until a signal comes; the end of the console is none. */
async function untilTold(eftf: Eftf, say: (words: string) => void): Promise<void> {
  const console = createInterface({ input: process.stdin, terminal: false });
  console.on('line', (line) => command(eftf, line, say));
  process.stdin.on('error', () => {});
  const alive = setInterval(() => {}, 1 << 30);
  const quit = new Promise<void>((resolve) => {
    console.on('line', (line) => {
      if (line.trim() === 'quit') resolve();
    });
  });
  await Promise.race([new EndSignals().told, quit]);
  clearInterval(alive);
  console.close();
  process.stdin.destroy();
}

const HELP = 'tunnels | release [N] | fault [N] NAME[=VALUE] | fault [N] off | quit';

/** The verbs of the console. */
export const EFTF_VERBS: Readonly<Record<string, string>> = {
  tunnels: 'say what tunnels there are: whose, with which addresses',
  release: 'release a tunnel by its number, or all, by close_notify',
  fault: 'do something wrong in a tunnel by its number, or in all; off ends it',
};

/** A line of the console: `tunnels`, `release 3`, `fault 3 rst`. */
export function command(eftf: Eftf, line: string, say: (words: string) => void): void {
  const [verb = '', ...words] = line.trim().split(/\s+/);
  const id = /^\d+$/.test(words[0] ?? '') ? Number(words.shift()) : undefined;
  const chosen = [...eftf.tunnels.values()].filter((t) => id === undefined || t.id === id);
  if (verb === '' || verb === 'quit') return;
  const known = Object.hasOwn(EFTF_VERBS, verb) && (words.length === 0 || verb === 'fault');
  if (!known) say(HELP);
  else if (chosen.length === 0) say(id === undefined ? 'there is no tunnel' : `there is no tunnel ${id}`);
  else if (verb === 'tunnels') for (const t of chosen) say(eftf.describe(t));
  else if (verb === 'release') for (const t of chosen) t.link.close('released by the EFTF');
  else if (verb === 'fault' && words[0] === 'off') for (const t of chosen) t.faults.off();
  else if (verb === 'fault' && words.length > 0) {
    const fault = parseFault(words[0]);
    if (typeof fault === 'string') say(fault);
    else for (const t of chosen) t.faults.apply(fault);
  } else say(HELP);
}
