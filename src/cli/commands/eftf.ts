import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createSecureContext } from 'node:tls';
import { EFTF_PORT } from '../../../dissectors/ftt-ims.js';
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
import { contextOptions, type TlsVersions } from '../../live/tls-settings.js';
import { plainly } from '../../live/tls-words.js';
import type { TunDevice } from '../../live/tun.js';
import { certificatesIn } from '../../live/tunnel-connect.js';
import { Exit, UserError } from '../errors.js';
import {
  addressOf,
  checkOutputs,
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
  tunAddressesOf,
  tunOf,
  versionsOf,
} from '../live-settings.js';
import { writeAll } from '../output.js';
import { EndSignals } from '../signals.js';
import { runSteps, stepsOf, verbsInWords } from '../steps.js';
import { tell } from '../tell.js';

/** Options of `fttscope eftf` as commander gives them, after the arguments were checked. */
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

interface TlsSettings {
  readonly versions: TlsVersions;
  readonly ciphers?: string;
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

/** What the options alone say, with all that can be wrong with them: nothing is made before. @throws UserError */
function settingsOf(o: EftfCommandOptions) {
  const families = familiesOf(o);
  if ((o.cert === undefined) !== (o.key === undefined)) throw new UserError('--cert and --key go together');
  tunAddressesOf(o);
  checkOutputs(o, [o.cert, o.key, o.subscribers, o.leases, o.run]);
  return {
    versions: versionsOf(o),
    ...ciphersOf(o),
    ...(families.includes(4) && { pool: range('--pool', o.pool, 4) }),
    ...(families.includes(6) && { prefix: range('--prefix', o.prefix, 6) }),
    dns: (o.dns ?? []).map((text) => addressOf('--dns', text)),
    pcscf: (o.pcscf ?? []).map((text) => addressOf('--pcscf', text)),
    bare: o.bare === true,
    faults: faultsOf(o, ALL_FAULTS),
    ...(o.seed !== undefined && { seed: o.seed }),
    ...(o.maxTunnels !== undefined && { limits: { tunnels: o.maxTunnels } }),
  };
}

/**
 * Opens the EFTF that the command line describes.
 * @param screens the descriptor of what the screens show @param gone nobody wants it any more
 * @param written is called when the files are open, and nothing stands still any more @throws UserError
 */
export async function openEftf(
  o: EftfCommandOptions,
  say: (words: string) => void,
  { screens, gone, written }: { screens?: number; gone?: AbortSignal; written?: () => void } = {},
): Promise<OpenedEftf> {
  const at = hostAndPort(o.listen, '--listen', EFTF_PORT, 0);
  const settings = settingsOf(o);
  const given = certificateIn(o, settings);
  const subscribers = subscribersOf(o.subscribers, o.lab);
  const leases = leasesOf(o, at, say);
  const certificate = given ?? certificateOfLab(o, at.host, screens === undefined ? tell : say);
  const tun = tunOf(o);
  const complain = screens === undefined ? (words: string) => tell(`fttscope: ${words}`) : say;
  let traces: Traces | undefined;
  let one: Eftf | undefined;
  const end = async (): Promise<void> => {
    await one?.close();
    tun?.close();
    traces?.end();
  };
  try {
    traces = new Traces(o, complain, screens);
    written?.();
    const { tape, onKey } = traces;
    const files = { ...(tape && { tape }), onKey, ...(leases && { leases }), ...(tun && { tun }) };
    one = make(() => new Eftf({ ...settings, certificate, ...files, ...(subscribers && { subscribers }), tell: say }));
    const got = await one.listen(at.host, at.port, gone).catch((e: NodeJS.ErrnoException) => {
      throw new UserError(`${o.listen}: ${plainly(e)}`, Exit.usage, LISTEN_HINTS[e.code ?? '']);
    });
    if (tun !== undefined && settings.pool !== undefined && !o.bare) tun.addRoute(o.pool, 4);
    if (tun !== undefined && settings.prefix !== undefined && !o.bare) tun.addRoute(o.prefix, 6);
    return { one, traces, tun, listening: hostAndPortText(got.address, got.port), end };
  } catch (e) {
    await end();
    throw e;
  }
}

/** What to do where it cannot listen, by the code of the system. */
const LISTEN_HINTS: Readonly<Record<string, string>> = {
  EACCES: 'Ports below 1024 want root or CAP_NET_BIND_SERVICE; --listen ADDR:PORT takes a higher one.',
  EADDRINUSE: 'Another program has it (ss -ltnp says which); --listen ADDR:0 takes a free port.',
  EADDRNOTAVAIL: 'ip address lists those of this machine; 0.0.0.0 and [::] are all of them.',
};

/** `fttscope eftf`: acts as an EFTF until it is told to end. Returns the exit code. @throws UserError */
export async function eftf(o: EftfCommandOptions): Promise<number> {
  const signals = new EndSignals();
  const teller = new Teller(o);
  const lines = new Lines(realClock, teller.say);
  const say = (line: string): void => lines.tell(line);
  const steps = o.run === undefined ? undefined : stepsOf(o.run, EFTF_STEPS);
  // Not before: -w may wait for the reader of a FIFO.
  const written = (): void => signals.hear();
  const opened = await openEftf(o, say, { gone: signals.gone, written }).catch((e) => {
    if (signals.came) return undefined; // told to end before it could listen
    throw e;
  });
  if (opened === undefined) return Exit.done;
  const { one, traces, tun, listening, end } = opened;
  void traces.left.then(() => signals.end());
  endWithout(tun, signals);
  const told = { eftf: one, lines };
  const act = async (): Promise<number> => {
    writeAll(o.write === '-' ? 2 : 1, Buffer.from(`listening ${listening}\n`));
    if (steps === undefined) return untilTold(told, signals);
    const code = await Promise.race([runSteps(told, steps, signals), signals.told]);
    // SIGTERM is a good end of an EFTF; Ctrl-C also stops a loop of a shell over scenarios.
    return code === Exit.done && signals.came && signals.signal !== 'SIGTERM' ? signals.unfinished : code;
  };
  const code = await act().finally(end);
  lines.end();
  signals.leave();
  teller.end();
  return teller.failed ? Exit.input : traces.outcome(code);
}

/** What TLS or the EFTF refuses, in words. @param what is refused @throws UserError */
function make<T>(build: () => T, what = ''): T {
  try {
    return build();
  } catch (e) {
    if (e instanceof UserError || e instanceof CaptureError) throw e;
    throw new UserError(`${what}${plainly(e as NodeJS.ErrnoException)}`);
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

/** The certificate given, which serves. @throws UserError, CaptureError */
function certificateIn(o: EftfCommandOptions, { versions, ciphers }: TlsSettings): Certified | undefined {
  if (o.cert === undefined) return undefined;
  const [cert, key] = [textOf(o.cert), textOf(o.key!)];
  if (certificatesIn(cert).length === 0)
    throw new UserError(`${o.cert}: there is no certificate (PEM) in it`, Exit.input);
  if (!/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(key))
    throw new UserError(`${o.key}: there is no private key (PEM) in it`, Exit.input);
  make(() => createSecureContext({ cert, key, ...contextOptions(versions, ciphers) }), `${o.cert}, ${o.key}: `);
  return { cert, key };
}

/** A certificate of the lab. */
function certificateOfLab(o: EftfCommandOptions, host: string, say: (words: string) => void): Certified {
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
    for (const verb of verbsInWords(EFTF_STEPS)) end.lines.tell(verb);
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
