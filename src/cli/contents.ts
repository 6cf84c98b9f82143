import { closeSync, openSync, readSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { CaptureError, systemError } from '../capture/errors.js';
import { isGzip } from '../capture/look.js';
import { LIMITS } from '../limits.js';

const PART = 64 << 10;

/**
 * The octets of a file, or of a pipe, that is read as a whole: a key log, a scenario, a recording. What gzip packed is unpacked.
 * @throws CaptureError where it cannot be read, or no end is in sight
 */
export function contentsOf(path: string): Buffer {
  let fd: number | undefined;
  try {
    fd = openSync(path, 'r');
    const parts: Buffer[] = [];
    for (let length = 0; length <= LIMITS.fileOctets; ) {
      const part = Buffer.allocUnsafe(PART);
      const n = readSync(fd, part);
      if (n === 0) return unpacked(path, Buffer.concat(parts, length));
      parts.push(part.subarray(0, n));
      length += n;
    }
  } catch (e) {
    if (e instanceof CaptureError) throw e;
    if ((e as NodeJS.ErrnoException).code === 'EISDIR')
      throw new CaptureError('FTT_E_DIRECTORY', `${path}: is a directory`, 'Name a file in it.');
    throw systemError(path, e, 'FTT_E_READ');
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
  throw tooLarge(path);
}

const tooLarge = (path: string): CaptureError =>
  new CaptureError('FTT_E_READ', `${path}: more than ${LIMITS.fileOctets >> 20} MiB`);

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
