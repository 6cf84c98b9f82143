import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { createSecureContext } from 'node:tls';
import { CaptureError, systemError } from '../capture/errors.js';
import { isSameFile } from '../capture/output.js';
import { printable } from '../kit/text.js';
import { type Address, asciiName, isLinkLocal, parseAddress } from '../live/address.js';
import { type FaultList, type FaultSetting, parseFault } from '../live/fault.js';
import { BadSubscriber, labSubscribers, readSubscribers, type Subscriber } from '../live/subscriber-file.js';
import { OuterTape, type TapeFile } from '../live/tap-tape.js';
import { type LabCa, labCa } from '../live/tls-lab.js';
import { contextOptions, KeyLogFile, PROFILE, type TlsVersions, tlsVersions } from '../live/tls-settings.js';
import { plainly } from '../live/tls-words.js';
import { CannotTun, TunDevice } from '../live/tun.js';
import { contentsOf } from './contents.js';
import { Exit, UserError } from './errors.js';
import { LineQueue } from './line-queue.js';
import type { EndSignals } from './signals.js';
import { forTerminal, tell } from './tell.js';
import { version } from './version.js';

/** Options that `ue` and `eftf` share. */
export interface LiveOptions {
  tls?: string;
  ciphers?: string;
  4?: boolean;
  6?: boolean;
  tun?: string;
  tunAddress?: string[];
  bare?: boolean;
  write?: string;
  withKeys?: boolean;
  keylogOut?: string;
  /** Of a UE: where its TLS session is kept. */
  session?: string;
  fault?: string[];
  seed?: number;
  lab?: boolean;
  quiet?: boolean;
  /** On screens. */
  ui?: boolean;
}

/**
 * A host and a port as people write them: `host`, `host:443`, `[::1]:443`.
 * @param port where none is given @param least the lowest port @throws UserError
 */
export function hostAndPort(text: string, what: string, port?: number, least = 1): { host: string; port: number } {
  const m = /^(?:\[([^\]]+)\]|([^:]+)|([0-9a-f:]+:[0-9a-f:.]*))(?::(\d+))?$/i.exec(text.trim());
  const bare = /^[0-9a-f:]*:[0-9a-f:]*:[0-9a-f:.]*$/i.test(text) ? text : undefined; // IPv6 without brackets has no port
  const written = bare ?? m?.[1] ?? m?.[2];
  const host = written === undefined ? undefined : asciiName(written);
  const number = bare === undefined && m?.[4] !== undefined ? Number(m[4]) : port;
  const octets = host === undefined ? undefined : parseAddress(host);
  const isHost = host !== undefined && (octets !== undefined || /%|^[^:\s]+$/.test(host)); // with a zone, or a name
  if (!isHost || number === undefined || number > 65_535 || number < least)
    throw new UserError(`${what}: ${text} is no HOST:PORT`);
  if (octets?.length === 16 && isLinkLocal(octets))
    throw new UserError(`${what}: ${text} is link-local`, Exit.usage, `its interface belongs to it: [${host}%eth0]`);
  return { host, port: number };
}

/** TLS versions of `--tls`. @throws UserError */
export function versionsOf(o: LiveOptions): TlsVersions {
  if (o.tls === undefined) return PROFILE;
  const versions = tlsVersions(o.tls);
  if (versions === undefined) throw new UserError(`--tls ${o.tls}: it is MIN..MAX, for example 1.2..1.3`);
  return versions;
}

/** The cipher suites of `--ciphers`. @throws UserError where OpenSSL knows none of them */
export function ciphersOf(o: LiveOptions): { ciphers?: string } {
  if (o.ciphers === undefined) return {};
  try {
    createSecureContext(contextOptions(versionsOf(o), o.ciphers));
  } catch (e) {
    throw new UserError(`--ciphers ${o.ciphers}: ${plainly(e as NodeJS.ErrnoException)}`);
  }
  return { ciphers: o.ciphers };
}

/** The families of `-4` and `-6`; both without them. */
export function familiesOf(o: LiveOptions): (4 | 6)[] {
  if (o[4] && !o[6]) return [4];
  return o[6] && !o[4] ? [6] : [4, 6];
}

/** An IP address of an option. @throws UserError */
export function addressOf(flag: string, text: string): Address {
  const octets = parseAddress(text);
  if (octets === undefined) throw new UserError(`${flag} ${text}: it is no IP address`);
  return octets;
}

/** The faults of `--fault`. @param list those that there are @throws UserError */
export function faultsOf<Name extends string>(o: LiveOptions, list: FaultList<Name>): FaultSetting<Name>[] {
  const names = (o.fault ?? []).flatMap((text) => text.trim().split(/[\s,]+/)); // as in the console
  return names.map((text) => {
    const fault = parseFault(text, list);
    if (typeof fault === 'string') throw new UserError(fault);
    return fault;
  });
}

/** The text of a file. @throws CaptureError */
export const textOf = (path: string): string => contentsOf(path).toString('utf8');

/** Something of the lab. @throws UserError where it cannot be made, or read */
function ofLab<T>(make: () => T): T {
  try {
    return make();
  } catch (e) {
    throw new UserError(
      `the lab cannot be made: ${(e as Error).message}`,
      Exit.usage,
      'XDG_STATE_HOME names another folder',
    );
  }
}

/** The CA of the lab. @throws UserError where it cannot be made */
export const labOf = (): LabCa => ofLab(labCa);

/** The addresses of `--tun-address`. @throws UserError where the options of the device make no sense */
export function tunAddressesOf(o: LiveOptions): { address: Address; length: number }[] {
  if (o.tun === undefined && (o.bare || o.tunAddress))
    throw new UserError('--bare and --tun-address are for --tun NAME');
  return (o.tunAddress ?? []).map((text) => {
    const [a, n] = text.split('/');
    const address = parseAddress(a);
    if (address === undefined || !/^\d+$/.test(n ?? '') || Number(n) > 8 * address.length)
      throw new UserError(`--tun-address ${text}: it is ADDRESS/LENGTH`);
    return { address, length: Number(n) };
  });
}

/** The device of `--tun`, with the addresses of `--tun-address`. @throws UserError */
export function tunOf(o: LiveOptions): TunDevice | undefined {
  const addresses = tunAddressesOf(o);
  if (o.tun === undefined) return undefined;
  let tun: TunDevice | undefined;
  try {
    tun = TunDevice.open(o.tun, o.bare);
    for (const { address, length } of addresses) tun.addAddress(address, length);
    return tun;
  } catch (e) {
    tun?.close();
    if (e instanceof CannotTun) throw new UserError(e.message, Exit.usage, e.hint);
    throw e;
  }
}

/** Ends a command whose device somebody takes away. */
export function endWithout(tun: TunDevice | undefined, signals: EndSignals): void {
  void tun?.gone.then(() => {
    tell(`fttscope: the device ${tun.name} is gone`);
    signals.end(Exit.usage);
  });
}

/** The subscribers of a file, or of the lab. @throws UserError */
export function subscribersOf(path: string | undefined, lab: boolean | undefined): Subscriber[] | undefined {
  try {
    if (path !== undefined) return readSubscribers(textOf(path), path);
    return lab ? ofLab(labSubscribers) : undefined;
  } catch (e) {
    if (e instanceof BadSubscriber) throw new UserError(e.message, Exit.input);
    throw e;
  }
}

const isOneFile = (a: string, b: string): boolean => resolve(a) === resolve(b) || (a !== '-' && isSameFile(a, b));

/**
 * That the files of `-w` and `--keylog-out` are two, and none of those that are read.
 * @param inputs files that the run reads @throws UserError, CaptureError
 */
export function checkOutputs(o: LiveOptions, inputs: readonly (string | undefined)[]): void {
  if (o.withKeys && o.write === undefined) throw new UserError('--with-keys is for -w FILE');
  if (o.keylogOut === '-')
    throw new UserError('--keylog-out -: keys go to a file', Exit.usage, '-w - --with-keys puts them into the capture');
  if (o.write !== undefined && o.keylogOut !== undefined && isOneFile(o.write, o.keylogOut))
    throw new UserError(
      `-w ${o.write}: --keylog-out names this file too`,
      Exit.usage,
      'name two, or --with-keys puts the keys into the capture',
    );
  for (const path of [o.write, o.keylogOut])
    if (path !== undefined && inputs.some((input) => input !== undefined && isOneFile(input, path)))
      throw new CaptureError('FTT_E_SAME_FILE', `${path}: is being read; it would be lost`, 'Name another file.');
}

/** What a run leaves behind: the file of `-w`, the key log of `--keylog-out`, the session of `--session`. */
export class Traces {
  readonly tape: OuterTape | undefined;
  /** Resolves when nobody reads a pipe any more that the run is written to. */
  readonly left: Promise<void>;
  private keyLog: KeyLogFile | undefined;
  private leave!: () => void;
  private failed = false;

  /**
   * @param complain says what can be written no more; the run goes on
   * @param screens the descriptor of what the screens show, which gets all, keys included @throws CaptureError
   */
  constructor(
    private readonly o: LiveOptions,
    private readonly complain: (words: string) => void,
    screens?: number,
  ) {
    this.left = new Promise((resolve) => {
      this.leave = resolve;
    });
    const files: TapeFile[] = o.write === undefined ? [] : [{ target: o.write, withKeys: o.withKeys === true }];
    if (screens !== undefined) files.push({ target: screens, withKeys: true });
    this.tape = files.length === 0 ? undefined : new OuterTape(files, `fttscope ${version()}`, this.fail);
    try {
      this.keyLog = o.keylogOut === undefined ? undefined : new KeyLogFile(o.keylogOut);
    } catch (e) {
      this.tape?.end();
      throw systemError(o.keylogOut!, e, 'FTT_E_WRITE');
    }
  }

  readonly onKey = (line: Buffer): void => {
    try {
      this.keyLog?.add(line);
    } catch (e) {
      this.keyLog?.close();
      this.keyLog = undefined;
      this.fail(systemError(this.o.keylogOut!, e, 'FTT_E_WRITE'));
    }
  };

  readonly onSession = (session: Buffer): void => {
    const path = this.o.session!;
    try {
      writeFileSync(path, session, { mode: 0o600 });
    } catch (e) {
      this.fail(systemError(path, e, 'FTT_E_WRITE'));
    }
  };

  /** Something cannot be written, or (`lacks`) not all of it. */
  private readonly fail = (error: CaptureError, lacks = false): void => {
    if (error.code === 'FTT_E_PIPE') {
      this.leave();
      return;
    }
    this.failed = true;
    this.complain(lacks ? error.message : `${error.message}; it is written no more`);
  };

  /** The exit code of a run that ends with `code`, once all is written. */
  outcome(code: number): number {
    return this.failed ? Exit.input : code;
  }

  end(): void {
    this.tape?.end();
    this.keyLog?.close();
  }
}

/**
 * Says what happens: on standard output, or on standard error where the run is written to standard output. The run goes on
 * where nobody takes it.
 */
export class Teller {
  /** Standard output can be written no more; the run goes on. */
  failed = false;
  private readonly lines: LineQueue | undefined;
  private readonly written: (words: string) => string;

  constructor({ quiet, write }: LiveOptions) {
    const beside = write === '-';
    this.written = beside ? forTerminal : printable;
    if (!quiet) this.lines = new LineQueue(beside ? 2 : 1, (e) => this.lost(e, beside));
  }

  readonly say = (words: string): void => this.lines?.write(this.written(words));

  /** Nothing more is said. */
  end(): void {
    this.lines?.end();
  }

  private lost(e: Error, beside: boolean): void {
    if (beside || !(e instanceof CaptureError)) return; // nobody listens any more
    this.failed = true;
    tell(`fttscope: ${e.message}; it is written no more`);
  }
}
