/** Opening capture files, whatever they are called and however they are packed. */

import { closeSync, createReadStream, fstatSync, open, openSync, type Stats, statSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { LIMITS } from '../limits.js';
import type { Damage } from './chunk.js';
import { CaptureError, InputDamage, labelOf, systemError } from './errors.js';
import { DAMAGED, FileState, type FormatReader } from './format.js';
import { GrowingInput, type GrowingReader } from './growing.js';
import { FileInput, GzipInput, type OctetInput, StreamInput } from './input.js';
import { isGzip, LOOK, notACapture } from './look.js';
import { mergeSources } from './merge.js';
import { isPcap, PcapReader } from './pcap.js';
import { isPcapng, PcapngReader } from './pcapng.js';
import { NoStore, type OctetStore, PlainStore, Spool } from './random.js';
import { type Capture, FileSource } from './source.js';
import { Window } from './window.js';

/** What becomes of inputs that can be read only once. */
export interface OpenOptions {
  /** Keeps what cannot be read twice (pipes, gzip) in a temporary file, so that {@link Capture.octets} works for it. */
  readonly spool?: boolean;
  /** Octets kept at most for each such file. */
  readonly spoolOctets?: number;
}

/** Files that stay open at a time; more are opened for each read. */
const OPEN_FILES = 64;
/** Octets of buffers that all files together get, where there are many. */
const BUFFERS = 32 << 20;
const STDIN = '-';

/** How much memory one of several files may take. */
interface Share {
  readonly octets: number;
  readonly frames: number;
  readonly parked: boolean;
  /** No other capture is read with it. */
  readonly alone: boolean;
}

/**
 * Opens capture files; `-` is standard input. Format and compression are told by content. Frames of several files come
 * merged by time; one among them that is empty, cannot be opened or is no capture is damage, and the others are read. Waits
 * until enough of a pipe has arrived to tell its format.
 * @throws CaptureError for the first file where none can be opened
 */
export async function openCapture(paths: readonly string[], options: OpenOptions = {}): Promise<Capture> {
  if (paths.length === 0) throw new CaptureError('FTT_E_MISSING', 'no capture file is named');
  if (paths.filter((path) => path === STDIN).length > 1) {
    throw new CaptureError('FTT_E_STDIN', 'standard input can be read only once');
  }
  const share = shareOf(paths.length);
  const sources: Capture[] = [];
  const refused: Damage[] = [];
  let first: CaptureError | undefined;
  for (const [i, path] of paths.entries())
    try {
      sources.push(await openInput(path, i + 1, await inputOf(path, share.parked), share, options));
    } catch (error) {
      if (!(error instanceof CaptureError)) throw error;
      first ??= error;
      refused.push({ file: i + 1, offset: 0, label: path, message: error.message });
    }
  if (first !== undefined && sources.length === 0) throw first;
  return sources.length === 1 && refused.length === 0 ? sources[0] : mergeSources(sources, refused);
}

/** Opens a capture that grows; waits until enough is there to tell its format. @throws CaptureError */
export const openGrowing = (from: GrowingReader, options?: OpenOptions): Promise<Capture> =>
  openAlone(from.name, { input: new GrowingInput(from), store: new PlainStore(from.name, from.fd) }, options);

/** Opens a capture whose octets come from wherever they may; `name` is what messages call it. @throws CaptureError */
export const openAlone = (name: string, opened: Opened, options: OpenOptions = {}): Promise<Capture> =>
  openInput(name, 1, opened, shareOf(1), options);

function shareOf(files: number): Share {
  const octets = Math.max(64 << 10, Math.min(LIMITS.chunkOctets, Math.floor(BUFFERS / files)));
  const frames = Math.max(256, Math.min(LIMITS.chunkFrames, octets >> 7));
  return { octets, frames, parked: files > OPEN_FILES, alone: files === 1 };
}

/** Where the octets of a capture come from, and what is known of them. */
export interface Opened {
  readonly input: OctetInput;
  /** Size of a regular file. */
  readonly size?: number;
  /** Where the octets of a plain file can be read again. */
  readonly store?: OctetStore;
}

async function inputOf(path: string, parked: boolean): Promise<Opened> {
  if (path === STDIN) return standardInput();
  try {
    const stats = statSync(path);
    if (stats.isDirectory()) throw systemError(path, { code: 'EISDIR' }, 'FTT_E_DIRECTORY');
    if (!stats.isFile()) return { input: new StreamInput(path, await streamOf(path, stats)) };
    const fd = openSync(path, 'r');
    if (parked) closeSync(fd);
    const kept = parked ? -1 : fd;
    return { input: new FileInput(path, kept), size: stats.size, store: new PlainStore(path, kept) };
  } catch (error) {
    throw systemError(path, error, 'FTT_E_READ');
  }
}

/** A named pipe, whose opening waits for its writer, or a device. */
async function streamOf(path: string, stats: Stats): Promise<Readable> {
  if (!stats.isFIFO()) return createReadStream(path);
  const fd = await new Promise<number>((resolve, reject) => {
    open(path, 'r', (error, n) => (error ? reject(error) : resolve(n)));
  });
  return new Socket({ fd, readable: true, writable: false });
}

function standardInput(): Opened {
  const name = labelOf(STDIN);
  let stats: Stats | null = null;
  try {
    stats = fstatSync(0);
  } catch {
    throw new CaptureError('FTT_E_EMPTY', `${name} is closed`);
  }
  if (stats.isDirectory()) throw systemError(name, { code: 'EISDIR' }, 'FTT_E_DIRECTORY');
  if (stats.isFile()) return { input: new FileInput(name, 0, true), size: stats.size };
  if (process.stdin.isTTY) {
    throw new CaptureError('FTT_E_STDIN', `${name} is a terminal`, 'Name a capture file, or pipe one in.');
  }
  // The main thread alone has it as a stream of its own.
  const stream = 'fd' in process.stdin ? process.stdin : createReadStream('', { fd: 0, autoClose: false });
  return { input: new StreamInput(name, stream) };
}

/** Tells the format of an input and makes the source of its frames; closes the input where that fails. */
async function openInput(
  name: string,
  id: number,
  opened: Opened,
  share: Share,
  options: OpenOptions,
): Promise<Capture> {
  let { input } = opened;
  let window = new Window(input, share.octets, opened.size);
  let format = '';
  try {
    await window.have(4);
    if (window.left >= 2 && isGzip(window.buf, window.pos)) {
      input = new GzipInput(input, window.buf.slice(window.pos, window.end));
      window = new Window(input, share.octets);
      format = ' (gzip)';
      await window.have(4);
    }
    const file = new FileState(id, name, input, opened.size);
    const reader = readerOf(window, file) ?? (share.alone || window.left > 0 ? null : emptyReader(file));
    if (!reader) {
      if (opened.size !== undefined) await window.have(LOOK);
      throw refusal(name, window, format);
    }
    file.format += format;
    const store = storeOf(name, opened, format !== '', options);
    if (store instanceof Spool) {
      store.write(window.buf, window.pos, window.end);
      window.sink = store;
    }
    return new FileSource(file, window, reader, store, framesOf(opened, format !== '', share));
  } catch (error) {
    input.close();
    if (error instanceof InputDamage) throw new CaptureError('FTT_E_DAMAGED', `${labelOf(name)}: ${error.message}`);
    throw error;
  }
}

/** Frames of a chunk: a small file gets a small one. Every record of a capture takes sixteen octets. */
function framesOf(opened: Opened, gzip: boolean, share: Share): number {
  if (gzip || opened.size === undefined) return share.frames;
  return Math.max(16, Math.min(share.frames, opened.size >> 4));
}

function readerOf(window: Window, file: FileState): FormatReader | null {
  const head = window.buf.subarray(window.pos, window.end);
  if (isPcapng(head)) {
    file.format = 'pcapng';
    return new PcapngReader(file);
  }
  if (!isPcap(head)) return null;
  file.format = 'pcap';
  return new PcapReader(file);
}

/** Of an empty file among others, as a rotation ends with one: it is damage, and the others are read. */
function emptyReader(file: FileState): FormatReader {
  file.format = 'empty';
  return { parse: () => DAMAGED, damage: 'there is nothing in it', inside: () => '' };
}

function refusal(name: string, window: Window, format: string): CaptureError {
  const inside = format === '' ? '' : ' inside gzip';
  if (window.left === 0)
    return new CaptureError('FTT_E_EMPTY', `${labelOf(name)}: there is nothing${inside || ' in it'}`);
  return notACapture(name, window.buf.subarray(window.pos, window.end), inside);
}

function storeOf(name: string, opened: Opened, gzip: boolean, options: OpenOptions): OctetStore {
  if (opened.store && !gzip) return opened.store;
  return options.spool ? new Spool(labelOf(name), options.spoolOctets) : new NoStore(labelOf(name));
}
