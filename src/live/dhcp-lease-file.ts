import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, statSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { CaptureError, systemError } from '../capture/errors.js';
import { addressText, parseAddress } from './address.js';
import { type Clock, realClock } from './clock.js';
import type { Binding } from './dhcp-server.js';
import { plainly } from './tls-words.js';

const STATES: readonly string[] = ['bound', 'released', 'declined'];
/** Lines beyond twice the addresses, at which the file is written anew. */
const SPARE = 1024;
/** The link of leases whose tunnel an earlier run had: no tunnel of this one. */
const NO_LINK = 0;

/**
 * What a DHCP server must not forget, on disk: one JSON object a line, of which the last for an address holds. A line is
 * written before the answer goes out (RFC 2131 §3.1 4.), so that the end of the program, at whatever moment, loses none;
 * that of the machine may lose the last ones.
 */
export class LeaseFile {
  private readonly last = new Map<string, string>();
  private lines = 0;
  private fd = -1;
  private failed = false;

  constructor(
    readonly path: string,
    private readonly tell: (words: string) => void,
    private readonly clock: Clock = realClock,
  ) {}

  /** Makes sure that leases can be kept there, and that nothing else is. @throws CaptureError */
  check(): void {
    const { path } = this;
    const what = statSync(path, { throwIfNoEntry: false });
    if (what?.isFile() === true) {
      const lines = textOf(path)
        .split('\n')
        .filter((line) => line !== '');
      if (lines.length > 0 && lines.every((line) => this.bindingOf(line) === undefined))
        throw new CaptureError('FTT_E_SAME_FILE', `${path}: no leases; it would be lost`, 'Name another file.');
    } else if (what?.isDirectory() === false)
      throw new CaptureError('FTT_E_WRITE', `${path}: leases are kept in a file`, 'Name another one.');
    try {
      closeSync(openSync(path, 'a', 0o600));
    } catch (e) {
      throw systemError(path, e, 'FTT_E_WRITE');
    }
  }

  /** What an earlier run left, in the time of the clock; damaged lines are passed over, and told. @throws CaptureError */
  read(): Binding[] {
    const found = new Map<string, Binding>();
    let damaged = 0;
    for (const line of textOf(this.path).split('\n')) {
      if (line === '') continue;
      const binding = this.bindingOf(line);
      if (binding === undefined) damaged++;
      else this.last.set(addressText(binding.address), line);
      if (binding !== undefined) found.set(addressText(binding.address), binding);
    }
    if (damaged > 0) this.tell(`${this.path}: ${damaged} damaged lines are left out`);
    return [...found.values()];
  }

  /** Writes what became of an address. Where that fails, it is told once, and leases live in memory alone. */
  add(b: Binding): void {
    const address = addressText(b.address);
    const expires = new Date(Date.now() + b.expires - this.clock.now()).toISOString();
    const line = JSON.stringify({ address, client: b.client, state: b.state, expires });
    this.last.set(address, line);
    if (this.failed) return;
    try {
      if (this.fd < 0 || this.lines > 2 * this.last.size + SPARE) this.writeAnew();
      else this.lines += writeSync(this.fd, `${line}\n`) > 0 ? 1 : 0;
    } catch (e) {
      this.failed = true;
      this.tell(`leases are not kept: ${this.path}: ${plainly(e as NodeJS.ErrnoException)}`);
    }
  }

  close(): void {
    if (this.fd >= 0) closeSync(this.fd);
    this.fd = -1;
  }

  /** The whole file, in one move: whoever reads it finds the old one or the new one. */
  private writeAnew(): void {
    this.close();
    mkdirSync(dirname(this.path), { recursive: true, mode: 0o700 });
    const beside = `${this.path}.new`;
    const fd = openSync(beside, 'w', 0o600); // who is called what, and when they were there
    try {
      const text = Buffer.from([...this.last.values(), ''].join('\n'));
      for (let at = 0; at < text.length; ) at += writeSync(fd, text, at);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(beside, this.path);
    this.fd = openSync(this.path, 'a');
    this.lines = this.last.size;
  }

  private bindingOf(line: string): Binding | undefined {
    try {
      const { address, client, state, expires } = JSON.parse(line) as Record<string, unknown>;
      const octets = parseAddress(String(address));
      const ms = Date.parse(String(expires));
      if (octets?.length !== 4 || typeof client !== 'string' || Number.isNaN(ms) || !STATES.includes(String(state)))
        return undefined;
      const left = ms - Date.now();
      return {
        address: octets,
        client,
        link: NO_LINK,
        state: state as Binding['state'],
        expires: this.clock.now() + left,
      };
    } catch {
      return undefined;
    }
  }
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (e) {
    if ((e as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw systemError(path, e, 'FTT_E_READ');
  }
}
