import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { CaptureError } from '../../capture/errors.js';
import { hostAndPortText } from '../../kit/index.js';
import { realClock } from '../../live/clock.js';
import { LeaseFile } from '../../live/dhcp-lease-file.js';
import { type Cidr, cidr, Eftf } from '../../live/eftf.js';
import { ALL_FAULTS } from '../../live/fault-eftf.js';
import { folders } from '../../live/folders.js';
import { readLine } from '../../live/scenario.js';
import { EFTF_STEPS, type ToldEftf } from '../../live/scenario-eftf.js';
import { Lines, StepFailed } from '../../live/scenario-lines.js';
import { BadScenario } from '../../live/scenario-values.js';
import type { Certified } from '../../live/tls-certificate.js';
import { labCertificate } from '../../live/tls-lab.js';
import { plainly } from '../../live/tls-words.js';
import type { TunDevice } from '../../live/tun.js';
import { certificatesIn } from '../../live/tunnel-connect.js';
import { Exit, UserError } from '../errors.js';
import {
  addressOf,
  ciphersOf,
  endWithout,
  familiesOf,
  faultsOf,
  hostAndPort,
  type LiveOptions,
  labOf,
  subscribersOf,
  Teller,
  Traces,
  textOf,
  tunOf,
  versionsOf,
} from '../live-settings.js';
import { writeAll } from '../output.js';
import { EndSignals } from '../signals.js';
import { runSteps, stepsOf, verbsInWords } from '../steps.js';
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
  readonly tun: TunDevice | undefined;
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
  const at = hostAndPort(o.listen, '--listen', 443, 0);
  const certificate = certificateOf(o, at.host, screens === undefined ? tell : say);
  const families = familiesOf(o);
  const subscribers = subscribersOf(o.subscribers, o.lab);
  const tun = tunOf(o);
  const inputs = [o.cert, o.key, o.subscribers, o.leases, o.run];
  const traces = new Traces(o, inputs, screens === undefined ? (words) => tell(`fttscope: ${words}`) : say, screens);
  const leases = leasesOf(o, at, say);
  const one = make(() => {
    return new Eftf({
      certificate,
      versions: versionsOf(o),
      ...ciphersOf(o),
      ...(families.includes(4) && { pool: range('--pool', o.pool, 4) }),
      ...(families.includes(6) && { prefix: range('--prefix', o.prefix, 6) }),
      dns: (o.dns ?? []).map((text) => addressOf('--dns', text)),
      pcscf: (o.pcscf ?? []).map((text) => addressOf('--pcscf', text)),
      ...(traces.tape && { tape: traces.tape }),
      onKey: traces.onKey,
      ...(leases && { leases }),
      ...(tun && { tun }),
      bare: o.bare === true,
      ...(subscribers && { subscribers }),
      faults: faultsOf(o, ALL_FAULTS),
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
    return { one, traces, tun, listening: hostAndPortText(got.address, got.port), end };
  } catch (e) {
    await end();
    throw e;
  }
}

/** `fttscope eftf`: acts as an EFTF until it is told to end. Returns the exit code. @throws UserError */
export async function eftf(o: EftfCommandOptions): Promise<number> {
  const teller = new Teller(o);
  const lines = new Lines(realClock, teller.say);
  const say = (line: string): void => lines.tell(line);
  const steps = o.run === undefined ? undefined : stepsOf(o.run, EFTF_STEPS);
  const { one, traces, tun, listening, end } = await openEftf(o, say);
  const signals = new EndSignals();
  void traces.left.then(() => signals.end());
  endWithout(tun, signals);
  const told = { eftf: one, lines };
  const act = async (): Promise<number> => {
    writeAll(o.write === '-' ? 2 : 1, Buffer.from(`listening ${listening}\n`));
    if (steps === undefined) return untilTold(told, signals);
    return Promise.race([runSteps(told, steps, signals), signals.told]);
  };
  const code = await act().finally(end);
  lines.end();
  return teller.failed ? Exit.input : traces.outcome(code);
}

/** What the constructor refuses, in words. */
function make(build: () => Eftf): Eftf {
  try {
    return build();
  } catch (e) {
    if (e instanceof UserError || e instanceof CaptureError) throw e;
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
  const file = new LeaseFile(o.leases ?? join(folders().state, 'leases', `${name}.jsonl`), say);
  if (o.leases !== undefined) file.check();
  return file;
}

function range(flag: string, text: string, family: 4 | 6): Cidr {
  try {
    return cidr(text, family);
  } catch (e) {
    throw new UserError(`${flag}: ${(e as Error).message}`);
  }
}

/** The certificate given, or one of the lab. */
function certificateOf(o: EftfCommandOptions, host: string, say: (words: string) => void): Certified {
  if ((o.cert === undefined) !== (o.key === undefined)) throw new UserError('--cert and --key go together');
  if (o.cert !== undefined) {
    const [cert, key] = [textOf(o.cert), textOf(o.key!)];
    if (certificatesIn(cert).length === 0)
      throw new UserError(`${o.cert}: there is no certificate (PEM) in it`, Exit.input);
    if (!/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(key))
      throw new UserError(`${o.key}: there is no private key (PEM) in it`, Exit.input);
    return { cert, key };
  }
  const ca = labOf();
  if (!o.quiet) say(`lab CA ${ca.path}${ca.made ? ', made now' : ''}, SHA-256 ${ca.fingerprint}`);
  return labCertificate(ca, host);
}

/** Takes lines of the console until a signal comes, or somebody says quit; the end of the console is none. Returns the exit code. */
async function untilTold(end: ToldEftf, signals: EndSignals): Promise<number> {
  const console = createInterface({ input: process.stdin, terminal: false });
  process.stdin.on('error', () => {});
  const alive = setInterval(() => {}, 1 << 30);
  let work = Promise.resolve();
  const quit = new Promise<number>((resolve) => {
    console.on('line', (line) => {
      work = work.then(async () => (line.trim() === 'quit' ? resolve(Exit.done) : command(end, line)));
    });
  });
  const code = await Promise.race([signals.told, quit]);
  clearInterval(alive);
  console.close();
  process.stdin.destroy();
  return code;
}

/** Does a line of the console: `tunnels`, `release 3`, `fault rst tunnel=3`, `fault 3 rst`. What cannot be done is said. */
export async function command(end: ToldEftf, line: string): Promise<void> {
  if (line.trim() === 'help') {
    for (const verb of verbsInWords(EFTF_STEPS).split('\n')) end.lines.tell(verb);
    return;
  }
  try {
    const step = readLine(tunnelNamed(line), EFTF_STEPS);
    await step?.verb.run(end, step.args);
  } catch (e) {
    if (!(e instanceof BadScenario || e instanceof StepFailed)) throw e;
    end.lines.tell(e.message.replace(/^console: /, ''));
  }
}

/** `fault 3 rst` with a name for the number. */
export const tunnelNamed = (line: string): string => line.replace(/^(\s*fault)\s+(\d+)\s+/, '$1 tunnel=$2 faults=');
