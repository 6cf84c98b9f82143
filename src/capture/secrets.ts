/** TLS key logs inside captures, found before the captures are read. */

import { statSync } from 'node:fs';
import { LIMITS } from '../limits.js';
import { CaptureError } from './errors.js';
import { openCapture } from './open.js';

/**
 * The TLS key logs of a file's Decryption Secrets Blocks, in the order of the file; none for other formats, for
 * input that cannot be read twice and for a file with damage before them.
 * @throws CaptureError as {@link openCapture}, and FTT_E_SECRETS for an absurd amount of them
 */
export async function scanSecrets(path: string): Promise<string[]> {
  const found: string[] = [];
  if (path === '-' || !isPlain(path)) return found;
  const source = await openCapture([path]);
  try {
    if (!source.files[0].format.startsWith('pcapng')) return found;
    let octets = 0;
    for (let chunk = await source.next(); chunk; chunk = await source.next()) {
      for (const text of chunk.secrets) {
        octets += text.length;
        if (octets > LIMITS.secretOctets) {
          throw new CaptureError('FTT_E_SECRETS', `${path}: more than ${LIMITS.secretOctets} octets of TLS keys`);
        }
        found.push(text);
      }
    }
  } finally {
    await source.close();
  }
  return found;
}

/** Whether `path` is a file that can be read twice; one that is missing is opened for its error. */
function isPlain(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? true;
}
