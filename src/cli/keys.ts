import { closeSync, existsSync, openSync, readdirSync, readSync, realpathSync, statSync } from 'node:fs';
import { dirname, join, parse } from 'node:path';
import { CaptureError, labelOf } from '../capture/errors.js';
import { isPcap } from '../capture/pcap.js';
import { isPcapng } from '../capture/pcapng.js';
import { isPlainFile, scanPlainSecrets, scanSecrets } from '../capture/secrets.js';
import { statsOf } from '../capture/stats.js';
import { EspKeys } from '../crypto/esp-keys.js';
import { SubscriberKeys } from '../crypto/subscriber-keys.js';
import { KEY_LABELS, KeyLog, type KeySource } from '../tls/index.js';
import { contentsOf } from './contents.js';
import { Exit, UserError } from './errors.js';

/** Sidecar key logs: NAME with or without its extension (of `field.pcapng.gz` each, or both), and these. */
const SIDECARS = ['.keys', '.keylog', '.sslkeys'];

/** Where the command line says that keys are. */
export interface KeyOptions {
  readonly keylog?: readonly string[];
  /** Files of tshark's `-o tls.keylog_file:F`. */
  readonly keylogPreference?: readonly string[];
  /** Lines of tshark's `-o uat:esp_sa:LINE`. */
  readonly espLines?: readonly string[];
  readonly autoKeys: boolean;
}

/** A file with other keys than those of TLS, one a line. */
export interface KeyTable {
  readonly origin: string;
  readonly of: 'subscriber' | 'security association';
  readonly good: number;
  /** What is wrong with each line that is of no use. */
  readonly bad: readonly string[];
}

/** The key material of a run. */
export interface Keys {
  readonly log: KeyLog;
  /** Keys of ESP. */
  readonly esp: EspKeys;
  /** Keys of subscribers. */
  readonly subscribers: SubscriberKeys;
  readonly tables: readonly KeyTable[];
  /** Texts of the key logs, for captures that are written with their keys. */
  readonly texts: readonly string[];
  /** Where each text is from, for people. */
  readonly origins: readonly string[];
  /** Files that keys are from. */
  readonly files: readonly string[];
  /** What the user should know about the files, in words. */
  readonly warnings: readonly string[];
  /** How many keys of all kinds there are. */
  readonly usable: number;
  /** Takes one more key log; returns how many of its lines were good. */
  text(text: string, source: KeySource, origin: string): number;
}

const WHERE_FROM = 'a TLS key log is what SSLKEYLOGFILE makes clients write';
const PEM = /-----BEGIN [A-Z ]*PRIVATE KEY-----/;
const KEY_LINE = new RegExp(`^(?:${KEY_LABELS.join('|')})[ \\t:]`, 'm');
/** Octets of a file's beginning that tell what it is. */
const LOOK = 4096;

/** Takes key material in and notes what is wrong with it. */
class Gatherer implements Keys {
  readonly log = new KeyLog();
  readonly esp = new EspKeys();
  readonly subscribers = new SubscriberKeys(this.esp);
  readonly tables: KeyTable[] = [];
  readonly files: string[] = [];
  readonly warnings: string[] = [];
  readonly #texts: string[] = [];
  readonly #origins: string[] = [];

  get texts(): readonly string[] {
    this.log.complete();
    return this.#texts;
  }
  get origins(): readonly string[] {
    this.log.complete();
    return this.#origins;
  }

  get usable(): number {
    return this.log.length + this.log.rsa.length + this.esp.length + this.subscribers.length;
  }

  /** The DSBs of a plain capture file. Whatever is wrong with it the reader will say. */
  secretsOf(capture: string): void {
    try {
      scanPlainSecrets(capture, (text) => this.text(text, 'dsb', blockIn(capture)));
    } catch (e) {
      if (!(e instanceof CaptureError)) throw e;
      this.warnings.push(e.message);
    }
  }

  /** A file that the user named: whatever is wrong with it is said. @throws UserError, CaptureError where it cannot be read */
  named(path: string): void {
    const head = headOf(path);
    if (isPcap(head) || isPcapng(head))
      throw new UserError(`${path}: a capture, not a key log`, Exit.input, 'a capture is given with -r');
    const octets = contentsOf(path);
    this.files.push(path);
    this.given(octets, path);
  }

  /** Keys that the user named or handed over: what is wrong with them is said. */
  given(octets: Buffer, origin: string): void {
    const text = textOf(octets);
    if (PEM.test(text)) {
      const reason = this.log.addPrivateKey(text);
      if (reason !== undefined) this.warnings.push(`${origin}: this private key is of no use: ${reason}`);
      return;
    }
    if (EspKeys.looksLike(text)) {
      this.associations(text, origin);
      return;
    }
    if (SubscriberKeys.looksLike(text)) {
      this.subscriberKeys(text, origin);
      return;
    }
    const { bad } = this.log;
    const kept = this.log.badLines.length;
    const good = this.text(text, 'option', origin);
    const lines = good + this.log.bad - bad;
    if (lines === 0) this.warnings.push(`${origin}: the key log is empty`);
    else if (good === 0)
      this.warnings.push(
        `${origin}: not a key log: 0 of ${lines} lines ${lines === 1 ? 'is a key line' : 'are key lines'}`,
      );
    else if (good < lines) {
      const first = this.log.badLines[kept];
      const where = first === undefined ? '' : `; line ${first.line}: ${first.reason}`;
      this.warnings.push(`${origin}: ${lines - good} of ${lines} lines are no key lines${where}`);
    }
  }

  /** A table of keys of ESP. */
  associations(text: string, origin: string): void {
    this.table(this.esp, 'security association', text, origin);
  }

  /** A file with keys of subscribers. */
  subscriberKeys(text: string, origin: string): void {
    this.table(this.subscribers, 'subscriber', text, origin);
  }

  private table(keys: EspKeys | SubscriberKeys, of: KeyTable['of'], text: string, origin: string): void {
    const before = keys.length;
    const bad = keys.add(text);
    this.tables.push({ origin, of, good: keys.length - before, bad });
    for (const wrong of bad) this.warnings.push(`${origin}: ${wrong}`);
  }

  /** Every file of a directory that the user named; those that are no key logs are passed over. */
  directory(path: string): void {
    const before = this.usable;
    for (const entry of readdirSync(path).sort()) {
      const file = join(path, entry);
      if (!statsOf(file)?.isFile() || isBinary(headOf(file))) continue;
      const text = fileText(file);
      this.files.push(file);
      if (PEM.test(text)) this.log.addPrivateKey(text);
      else if (EspKeys.looksLike(text)) this.associations(text, file);
      else if (SubscriberKeys.looksLike(text)) this.subscriberKeys(text, file);
      else if (KEY_LINE.test(text)) this.text(text, 'option', file);
    }
    if (this.usable === before) this.warnings.push(`${path}: there is no key log in it`);
  }

  /** A file that was found: what cannot be read is passed over, and said. */
  found(path: string, source: KeySource): void {
    this.files.push(path);
    try {
      this.text(fileText(path), source, path);
    } catch (e) {
      if (!(e instanceof CaptureError)) throw e;
      this.warnings.push(e.message);
    }
  }

  /** Returns how many lines were good. */
  text(text: string, source: KeySource, origin: string): number {
    this.#texts.push(text);
    this.#origins.push(origin);
    return this.log.add(text, source);
  }
}

/**
 * Gathers key material from every source, in the order in which they serve.
 * @throws UserError, CaptureError for a file that was named but cannot be read
 */
export async function gatherKeys(captures: readonly string[], options: KeyOptions): Promise<Keys> {
  const g = new Gatherer();
  const files = [...(options.keylog ?? []), ...(options.keylogPreference ?? [])];
  if (files.includes('-') && captures.includes('-'))
    throw new UserError(
      'standard input is either the capture or the key log',
      Exit.usage,
      'one of them has to be a file',
    );
  for (const name of files) {
    if (name === '-') {
      g.given(contentsOf(name), labelOf(name));
      continue;
    }
    if (!existsSync(name)) throw new UserError(`${name}: no such key log`, Exit.input, WHERE_FROM);
    if (statSync(name).isDirectory()) g.directory(name);
    else g.named(name);
  }
  for (const line of options.espLines ?? []) g.associations(line, '-o uat:esp_sa');
  if (!options.autoKeys) {
    g.log.refused = 'dsb'; // the reader meets them in the capture
    return g;
  }
  // A file beside the capture that was named too is read once.
  const named = new Set(files.filter((name) => name !== '-').map((name) => realpathSync(name)));
  for (const capture of captures) {
    if (capture === '-') continue;
    if (isPlainFile(capture)) g.log.defer(() => g.secretsOf(capture));
    else for (const text of await packedSecrets(capture)) g.text(text, 'dsb', blockIn(capture));
    for (const file of sidecars(capture))
      if (existsSync(file) && !named.has(realpathSync(file))) g.found(file, 'sidecar');
  }
  const environment = process.env.SSLKEYLOGFILE;
  if (environment !== undefined && existsSync(environment)) g.found(environment, 'environment');
  // Clients begin it when they first connect; who named others knows where the keys are.
  else if (environment && files.length === 0 && g.files.length === 0)
    g.warnings.push(`SSLKEYLOGFILE is ${environment}, and there is no such file`);
  return g;
}

/**
 * Looks at key logs before a capture is read again with them.
 * @throws UserError, CaptureError where they cannot be read, or hold no key
 */
export async function wantKeys(files: readonly string[]): Promise<void> {
  const { usable, warnings } = await gatherKeys([], { keylog: files, autoKeys: false });
  if (files.length > 0 && usable === 0) throw new UserError(warnings[0], Exit.input, WHERE_FROM);
}

const blockIn = (capture: string): string => `${capture} (Decryption Secrets Block)`;

async function packedSecrets(capture: string): Promise<readonly string[]> {
  try {
    return await scanSecrets(capture);
  } catch {
    return []; // the reader will say what is wrong with the file
  }
}

/** What key logs beside a capture are called, whether they are there or not. */
export function sidecars(capture: string): string[] {
  const { name, ext } = parse(capture);
  const names = ext === '.gz' ? [name, parse(name).name] : [name];
  const stems = new Set([capture, ...names.map((n) => join(dirname(capture), n))]);
  return [...stems].flatMap((stem) => SIDECARS.map((extension) => stem + extension));
}

/** The first octets of a file; none of what can be read only once, or not at all. */
function headOf(path: string): Uint8Array {
  const head = new Uint8Array(LOOK);
  if (!statSync(path).isFile()) return head.subarray(0, 0);
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch {
    return head.subarray(0, 0);
  }
  try {
    return head.subarray(0, readSync(fd, head));
  } catch {
    return head.subarray(0, 0); // reading it says what is wrong
  } finally {
    closeSync(fd);
  }
}

/** Whether these are not the first octets of a text. */
const isBinary = (head: Uint8Array): boolean => !isWide(head) && head.some((octet) => octet < 9);

/** Whether text begins as UTF-16 does. */
const isWide = (head: Uint8Array): boolean => head[0] === 0xff && head[1] === 0xfe;

/** The text of a key file, a byte order mark left out; some shells write UTF-16. */
const fileText = (path: string): string => textOf(contentsOf(path));

function textOf(octets: Buffer): string {
  if (isWide(octets)) return octets.toString('utf16le', 2);
  return octets.toString('latin1', octets[0] === 0xef && octets[1] === 0xbb && octets[2] === 0xbf ? 3 : 0);
}

/** The lines of key logs that belong to these client randoms (hex, lower case); all lines where none are given. */
export function keyLines(texts: readonly string[], randoms?: ReadonlySet<string>): string {
  const lines = texts
    .flatMap((text) => text.split(/\r\n|\r|\n/))
    .filter((line) => /^[A-Z_0-9]+ [0-9a-fA-F]{64} /.test(line));
  const wanted = randoms === undefined ? lines : lines.filter((line) => randoms.has(line.split(' ')[1].toLowerCase()));
  return wanted.length === 0 ? '' : `${[...new Set(wanted)].join('\n')}\n`;
}
