import { accessSync, constants, existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import { EFTF_PORT } from '../../../dissectors/ftt-ims.js';
import { systemError } from '../../capture/errors.js';
import { unescaped } from '../../kit/index.js';
import { FAULTS } from '../../live/fault.js';
import type { HttpProxy } from '../../live/proxy.js';
import { type AudioSource, EchoSource, recording, UnusableAudio } from '../../live/rtp-sources.js';
import { readLine, type Step, usualSteps, VERBS } from '../../live/scenario.js';
import { BadScenario } from '../../live/scenario-values.js';
import { type AudioCodec, CODECS, type CodecName } from '../../live/sip/sdp.js';
import type { CallSettings } from '../../live/sip-phone.js';
import type { Subscriber } from '../../live/subscriber-file.js';
import { isPin } from '../../live/tls-settings.js';
import type { TunDevice } from '../../live/tun.js';
import { type ConnectOptions, certificatesIn } from '../../live/tunnel-connect.js';
import { Ue } from '../../live/ue.js';
import { contentsOf } from '../contents.js';
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
import { EndSignals } from '../signals.js';
import { attempt, runSteps, stepsOf, verbsInWords } from '../steps.js';
import { tell } from '../tell.js';

/** Options of `fttscope ue` as commander gives them, after the arguments were checked. */
export interface UeCommandOptions extends LiveOptions {
  proxy?: string;
  proxyCredentials?: string;
  sni?: string;
  ca?: string;
  insecure?: boolean;
  pin?: string;
  subscriber?: string;
  pcscf?: string;
  audio?: string;
  codec?: CodecName[];
  sessionExpires?: number;
  preconditions?: number;
  sipTransport: 'udp' | 'tcp';
  timeout: number;
  run?: string;
}

/** A UE as the command line describes it, before it does anything. */
export interface PlannedUe {
  readonly families: readonly (4 | 6)[];
  /** Those of a scenario. */
  readonly steps: readonly Step[] | undefined;
  readonly traces: Traces;
  readonly one: Ue;
  readonly tun: TunDevice | undefined;
  /** Releases the tunnel, and lets go of everything. */
  end(): Promise<void>;
}

/**
 * Makes the UE that the command line describes.
 * @param screens the descriptor of what the screens show @throws UserError
 */
export function planUe(target: string, o: UeCommandOptions, say: (words: string) => void, screens?: number): PlannedUe {
  // What can be wrong with the options is found before anything is made.
  const families = familiesOf(o);
  const pcscf = o.pcscf === undefined ? undefined : addressOf('--pcscf', o.pcscf);
  const faults = faultsOf(o, FAULTS);
  tunAddressesOf(o);
  checkOutputs(o, [o.ca, o.proxyCredentials, o.subscriber, o.session, o.run, o.audio]);
  const steps = o.run === undefined ? undefined : stepsOf(o.run, VERBS);
  const calls = callsOf(o);
  const connect = connectOptions(target, o);
  const subscriber = subscriberOf(o);
  const tun = tunOf(o);
  const traces = tracesOf(o, tun, screens === undefined ? (words) => tell(`fttscope: ${words}`) : say, screens);
  const one = new Ue({
    connect: {
      ...connect,
      ...(traces.tape && { tape: traces.tape }),
      onKey: traces.onKey,
      ...(o.session !== undefined && { onSession: traces.onSession }),
    },
    families,
    ...(tun && { tun }),
    bare: o.bare === true,
    ...(subscriber && { subscriber }),
    ...(pcscf && { pcscf }),
    calls,
    sipProtocol: o.sipTransport === 'tcp' ? 'TCP' : 'UDP',
    faults,
    ...(o.seed !== undefined && { seed: o.seed }),
    tell: say,
  });
  const end = async (): Promise<void> => {
    await one.close();
    tun?.close();
    traces.end();
  };
  return { families: o.bare ? [] : families, steps, traces, one, tun, end };
}

/** What the run leaves behind; where that cannot be written, it lets go of the device. @throws UserError */
function tracesOf(
  o: UeCommandOptions,
  tun: TunDevice | undefined,
  complain: (words: string) => void,
  screens: number | undefined,
): Traces {
  try {
    return new Traces(o, complain, screens);
  } catch (e) {
    tun?.close();
    throw e;
  }
}

/** `fttscope ue`: acts as a UE: a tunnel, addresses, then a scenario or the console. Returns the exit code. @throws UserError */
export async function ue(target: string, o: UeCommandOptions): Promise<number> {
  const signals = new EndSignals();
  const teller = new Teller(o);
  const { one, steps, families, traces, tun, end } = planUe(target, o, teller.say);
  signals.hear(); // not before: -w may wait for the reader of a FIFO
  void traces.left.then(() => signals.end());
  endWithout(tun, signals);
  const code = await act(one, steps, families, signals).finally(end);
  signals.leave();
  teller.end();
  return teller.failed ? Exit.input : traces.outcome(code);
}

/** Does the steps of a scenario, or what is usual and then what the console says. Returns the exit code. */
async function act(
  one: Ue,
  steps: readonly Step[] | undefined,
  families: readonly (4 | 6)[],
  signals: EndSignals,
): Promise<number> {
  const work = steps === undefined ? usual(one, families, signals) : runSteps(one, steps, signals);
  const code = await Promise.race([work, signals.told]);
  if (one.refused) return Exit.notEstablished;
  // Steps that were not done: no script takes them for done, and a loop of a shell over scenarios stops with this one.
  if (code === Exit.done && steps !== undefined && signals.came) return signals.unfinished;
  if (code === Exit.done && steps !== undefined && one.unexpected !== undefined) {
    tell(`fttscope: the scenario failed: ${one.unexpected}, and no step expected that`);
    return Exit.stepFailed;
  }
  return code !== Exit.done || steps !== undefined || signals.came ? code : console(one, signals);
}

/** What is said in calls, and how they are negotiated. @throws UserError where the audio does not fit the codecs */
function callsOf(o: UeCommandOptions): CallSettings {
  const codecs = o.codec ?? ['PCMU', 'PCMA'];
  const source = audioOf(o.audio ?? 'tone');
  try {
    for (const name of codecs) source?.(CODECS[name]);
  } catch (e) {
    if (!(e instanceof UnusableAudio)) throw e;
    throw new UserError(`--audio ${o.audio}: ${e.message}`, Exit.usage, '--codec says which codecs are offered');
  }
  return {
    codecs,
    ...(source && { source }),
    ...(o.sessionExpires !== undefined && { sessionExpires: o.sessionExpires }),
    ...(o.preconditions !== undefined && { preconditions: { offered: true, reserveMs: o.preconditions } }),
  };
}

/** `tone`, `echo`, or a recording. @throws CaptureError where it cannot be read */
function audioOf(text: string): ((codec: AudioCodec) => AudioSource) | undefined {
  if (text === 'tone') return undefined;
  if (text === 'echo') return () => new EchoSource();
  const file = contentsOf(text);
  return (codec) => recording(file, codec);
}

/** Of a file with one subscriber; of the lab the first, or the one whose user is named. */
function subscriberOf(o: UeCommandOptions): Subscriber | undefined {
  const isName = o.lab === true && o.subscriber !== undefined && /^\w+$/.test(o.subscriber);
  const list = subscribersOf(isName ? undefined : o.subscriber, o.lab);
  const found = isName ? list?.find((s) => s.impi.startsWith(`${o.subscriber}@`)) : list?.[0];
  if (isName && found === undefined) {
    const names = list?.map((s) => s.impi.split('@')[0]).join(', ');
    throw new UserError(`the lab has no subscriber ${o.subscriber}; there are ${names}`);
  }
  return found;
}

/** A tunnel, then addresses and a registration as far as there are any: what is missing is said. Returns the exit code. */
async function usual(one: Ue, families: readonly (4 | 6)[], signals: EndSignals): Promise<number> {
  const { tunnel, addresses } = usualSteps(families);
  const code = await attempt(one, tunnel, 'connect', signals);
  if (code !== Exit.done) return code;
  await Promise.all(addresses.map((step) => attempt(one, step, step.name, signals)));
  const register = one.registers ? readLine('register') : undefined;
  if (register !== undefined) await attempt(one, register, register.name, signals);
  return code;
}

/** Takes verbs from the console, one line each, until it ends after a line, the tunnel ends, a signal comes, or somebody says quit. */
async function console(one: Ue, signals: EndSignals): Promise<number> {
  if (!one.up) return Exit.done;
  const lines = createInterface({ input: process.stdin, terminal: false });
  let code: number = Exit.done;
  let work = Promise.resolve();
  let count = 0;
  const ended = new Promise<void>((resolve) => {
    const take = async (text: string): Promise<void> => {
      if (text.trim() === 'quit') return resolve();
      if (text.trim() === 'help') return tell(...verbsInWords(VERBS));
      try {
        const step = readLine(text);
        if (step !== undefined) code = Math.max(code, await attempt(one, step, step.name, signals));
      } catch (e) {
        if (!(e instanceof BadScenario)) throw e;
        tell(`fttscope: ${e.message}`);
        code = Math.max(code, Exit.usage);
      }
    };
    lines.on('line', (text) => {
      count++;
      work = work.then(() => take(text));
    });
    // A console that never was open says nothing about the run.
    lines.on('close', () => void work.then(() => count > 0 && resolve()));
    one.listen((line) => {
      if (line.startsWith('tunnel ended') && count === 0) resolve();
    });
  });
  const alive = setInterval(() => {}, 1 << 30);
  await Promise.race([ended, signals.told]);
  clearInterval(alive);
  lines.close();
  process.stdin.destroy();
  return code;
}

function connectOptions(target: string, o: UeCommandOptions): ConnectOptions {
  if (o.proxyCredentials !== undefined && o.proxy === undefined)
    throw new UserError('--proxy-credentials is for --proxy HOST:PORT');
  const settings = {
    ...hostAndPort(target, 'EFTF', EFTF_PORT),
    ...(o.proxy !== undefined && { proxy: proxyOf(o.proxy, o.proxyCredentials) }),
    ...(o.sni !== undefined && { sni: o.sni }),
    versions: versionsOf(o),
    ...ciphersOf(o),
  };
  const given = o.ca === undefined ? '' : textOf(o.ca);
  if (o.ca !== undefined && certificatesIn(given).length === 0)
    throw new UserError(`${o.ca}: there is no certificate (PEM) in it`, Exit.input);
  if (o.pin !== undefined && !isPin(o.pin))
    throw new UserError('--pin is SHA-256 of the certificate in hex, or sha256/BASE64 of its key');
  if (o.pin !== undefined && o.session !== undefined)
    throw new UserError('--pin and --session: a session that is resumed shows no certificate to compare');
  const session = o.session === undefined ? undefined : sessionIn(o.session);
  const ca = given + (o.lab ? labOf().cert : '');
  return {
    ...settings,
    ...(ca !== '' && { ca }),
    ...(o.pin !== undefined && { pin: o.pin }),
    insecure: o.insecure === true,
    ...(session && { session }),
    timeoutMs: o.timeout,
  };
}

/**
 * An ASN.1 sequence that begins with version 1 and a version of TLS, as OpenSSL writes sessions, or the words that later
 * versions of Node put before it.
 */
const SESSION = /^(?:0(?:[\0-\x7f]|\x81.|\x82..)\x02\x01\x01\x02\x02\x03|\0nodejs:tls:session:)/s;
/** Octets in which it shows. */
const SESSION_HEAD = 32;

/** The TLS session that a file holds, if it is there. @throws CaptureError, UserError where it holds something else */
function sessionIn(path: string): Buffer | undefined {
  const isThere = existsSync(path);
  try {
    accessSync(isThere ? path : dirname(path), constants.W_OK);
  } catch (e) {
    throw systemError(path, e, 'FTT_E_WRITE');
  }
  const session = isThere ? contentsOf(path) : Buffer.alloc(0);
  if (session.length === 0) return undefined;
  if (SESSION.test(session.toString('latin1', 0, SESSION_HEAD))) return session;
  throw new UserError(`${path}: no TLS session; it would be lost`, Exit.input, 'Name another file.');
}

/** `[http://][USER:PASSWORD@]HOST:PORT`, the credentials in a file instead. @throws UserError */
function proxyOf(text: string, file: string | undefined): HttpProxy {
  const bare = text.replace(/^http:\/\//i, '').replace(/\/$/, '');
  const at = bare.lastIndexOf('@');
  const where = hostAndPort(bare.slice(at + 1), '--proxy');
  if (file !== undefined) {
    if (at >= 0) throw new UserError('credentials of the proxy stand both in --proxy and in --proxy-credentials');
    return { ...where, credentials: credentialsIn(file) };
  }
  if (at < 0) return where;
  const [username, ...password] = bare.slice(0, at).split(':').map(unescaped);
  return { ...where, credentials: { username, password: password.join(':') } };
}

/** `USER:PASSWORD` as they are, in the one line of a file. @throws UserError, which does not repeat them */
function credentialsIn(path: string): { username: string; password: string } {
  const [line, ...more] = textOf(path).trimEnd().split(/\r?\n/);
  const colon = line.indexOf(':');
  if (colon < 1 || more.length > 0) throw new UserError(`${path}: not one line USER:PASSWORD`, Exit.input);
  return { username: line.slice(0, colon), password: line.slice(colon + 1) };
}
