import { closeSync, openSync, readSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { CaptureError, labelOf, systemError } from '../capture/errors.js';
import { isGzip } from '../capture/look.js';
import { rest } from '../capture/rest.js';
import { LIMITS } from '../limits.js';

const PART = 64 << 10;
/** Milliseconds to wait before reading again from a pipe that is empty. */
const EMPTY_PIPE_MS = 5;

/**
 * The octets of a file, or of a pipe, that is read as a whole: a key log, a scenario, a recording. What gzip packed is unpacked.
 * `-` is standard input.
 * @throws CaptureError where it cannot be read, or no end is in sight
 */
export function contentsOf(path: string): Buffer {
  let fd: number | undefined;
  try {
    fd = path === '-' ? 0 : openSync(path, 'r'); // where it is a socket /dev/stdin cannot be opened
    const parts: Buffer[] = [];
    for (let length = 0; length <= LIMITS.fileOctets; ) {
      const part = Buffer.allocUnsafe(PART);
      const n = readWaiting(fd, part);
      if (n === 0) return unpacked(path, Buffer.concat(parts, length));
      parts.push(part.subarray(0, n));
      length += n;
    }
  } catch (e) {
    if (e instanceof CaptureError) throw e;
    if ((e as NodeJS.ErrnoException).code === 'EISDIR')
      throw new CaptureError('FTT_E_DIRECTORY', `${path}: is a directory`, 'Name a file in it.');
    throw systemError(labelOf(path), e, 'FTT_E_READ');
  } finally {
    if (fd) closeSync(fd);
  }
  throw tooLarge(path);
}

/** Reads, and waits where a pipe has nothing yet. */
function readWaiting(fd: number, part: Uint8Array): number {
  for (;;)
    try {
      return readSync(fd, part);
    } catch (e) {
      if ((e as NodeJS.ErrnoException).code !== 'EAGAIN') throw e;
      rest(EMPTY_PIPE_MS);
    }
}

const tooLarge = (path: string): CaptureError =>
  new CaptureError('FTT_E_READ', `${labelOf(path)}: more than ${LIMITS.fileOctets >> 20} MiB`);

function unpacked(path: string, octets: Buffer): Buffer {
  if (!isGzip(octets)) return octets;
  try {
    return gunzipSync(octets, { maxOutputLength: LIMITS.fileOctets });
  } catch (e) {
    const { code, message } = e as NodeJS.ErrnoException;
    if (code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(path);
    throw new CaptureError('FTT_E_READ', `${path}: the gzip data is damaged (${message})`);
  }
}
