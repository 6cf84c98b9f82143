import { brotliDecompressSync, constants, gunzipSync, inflateRawSync, inflateSync } from 'node:zlib';
import { LIMITS } from '../limits.js';

const ZLIB = { maxOutputLength: LIMITS.unpackedOctets, finishFlush: constants.Z_SYNC_FLUSH };
const BROTLI = { maxOutputLength: LIMITS.unpackedOctets, finishFlush: constants.BROTLI_OPERATION_FLUSH };

/**
 * Unpacks a body by its content coding, RFC 9110 §8.4.1; undefined where the coding is not known, the octets are none of
 * it, or there are too many of them.
 */
export function unpack(coding: string, octets: Uint8Array): Uint8Array | undefined {
  try {
    if (coding === 'gzip' || coding === 'x-gzip') return new Uint8Array(gunzipSync(octets, ZLIB));
    if (coding === 'deflate' || coding === 'x-deflate') return deflated(octets);
    if (coding === 'br') return new Uint8Array(brotliDecompressSync(octets, BROTLI));
  } catch {
    // broken, or too large
  }
  return undefined;
}

/** RFC 9110 §8.4.1.2: some senders leave the header of zlib away. */
function deflated(octets: Uint8Array): Uint8Array {
  try {
    return new Uint8Array(inflateSync(octets, ZLIB));
  } catch {
    return new Uint8Array(inflateRawSync(octets, ZLIB));
  }
}
