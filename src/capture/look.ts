/** What a file that is no capture looks like, so that its owner hears what to do instead. */

import { latin1, startsWith } from '../kit/text.js';
import { CaptureError, labelOf } from './errors.js';

/** Whether gzip data begins at `off`. RFC 1952 §2.3.1 */
export const isGzip = (b: Uint8Array, off = 0): boolean => b[off] === 0x1f && b[off + 1] === 0x8b;

/** Octets of a file's beginning that {@link notACapture} wants. */
export const LOOK = 512;

interface Likeness {
  readonly magic: string;
  readonly what: string;
  /** Command before `FILE` that writes what is inside to standard output. */
  readonly unpack?: string;
  readonly hint?: string;
  readonly at?: number;
}

const MERGE = 'Wireshark reads this format: convert the file with editcap -F pcapng.';
const KEYLOG = 'Give a TLS key log with -k, beside the capture.';
const LIKENESSES: readonly Likeness[] = [
  { magic: '\x28\xb5\x2f\xfd', what: 'compressed with zstd', unpack: 'zstd -dc' },
  { magic: '\xfd7zXZ\0', what: 'compressed with xz', unpack: 'xz -dc' },
  { magic: '\x04\x22\x4d\x18', what: 'compressed with lz4', unpack: 'lz4 -dc' },
  { magic: 'BZh', what: 'compressed with bzip2', unpack: 'bzip2 -dc' },
  { magic: 'LZIP', what: 'compressed with lzip', unpack: 'lzip -dc' },
  { magic: '\x1f\x9d', what: 'compressed with compress', unpack: 'uncompress -c' },
  { magic: '\x1f\x8b', what: 'gzip data inside gzip data', unpack: 'gzip -dc' },
  { magic: 'PK\x03\x04', what: 'a zip archive', unpack: 'unzip -p' },
  { magic: "7z\xbc\xaf'\x1c", what: 'a 7z archive', unpack: '7z x -so' },
  { magic: 'ustar', at: 257, what: 'a tar archive', unpack: 'tar -xOf' },
  { magic: 'Rar!', what: 'a rar archive', unpack: 'unrar p -inul' },
  { magic: '\x7fELF', what: 'a program (ELF)' },
  { magic: 'MZ', what: 'a Windows program' },
  { magic: '%PDF', what: 'a PDF document' },
  { magic: '\x89PNG', what: 'a PNG picture' },
  { magic: 'SQLite format 3', what: 'an SQLite database' },
  { magic: 'PAR1', what: 'a Parquet file' },
  { magic: 'snoop\0\0\0', what: 'a snoop capture', hint: MERGE },
  { magic: 'btsnoop\0', what: 'a Bluetooth capture (btsnoop)', hint: MERGE },
  { magic: 'GMBU', what: 'a Network Monitor capture', hint: MERGE },
  { magic: 'RTSS', what: 'a Network Monitor capture', hint: MERGE },
  { magic: 'TRSNIFF data', what: 'a Sniffer capture', hint: MERGE },
  { magic: '\x1c\0\x01\xac', what: 'an IXIA capture', hint: MERGE },
  { magic: 'version https://git-lfs', what: 'a Git LFS pointer', hint: 'Fetch the file itself with git lfs pull.' },
  { magic: '-----BEGIN', what: 'PEM text (a key or certificate)', hint: 'Give a private key with -k.' },
];

const KEYLOG_LINE = /^(?:#.*\n|\r?\n)*(CLIENT_RANDOM|RSA|PMS_CLIENT_RANDOM|[A-Z_]+_SECRET(_0)?) [0-9A-Fa-f]{8,}/;

/**
 * The error for a file that begins with `head` and is no capture.
 * @param inside what the file is inside of: `` or ` (inside gzip)`
 */
export function notACapture(name: string, head: Uint8Array, inside: string): CaptureError {
  const known = LIKENESSES.find(({ magic, at = 0 }) => startsWith(head, at, head.length, magic));
  if (known?.unpack) {
    return new CaptureError(
      'FTT_E_COMPRESSED',
      `${labelOf(name)}: ${known.what}${inside}`,
      `Unpack it: ${known.unpack} ${shellWord(name)} | fttscope -r -`,
    );
  }
  const like = known ?? likenessOfText(head) ?? { what: `octets that begin ${hexDump(head)}` };
  const message = `${labelOf(name)}: not a capture; it looks like ${like.what}${inside}`;
  return new CaptureError('FTT_E_NOT_A_CAPTURE', message, like.hint);
}

function likenessOfText(head: Uint8Array): Pick<Likeness, 'what' | 'hint'> | null {
  const n = Math.min(head.length, LOOK);
  const text = latin1(head, 0, n).replace(/^\xef\xbb\xbf/, '');
  if (KEYLOG_LINE.test(text)) return { what: 'a TLS key log', hint: KEYLOG };
  for (let i = 0; i < n; i++) if (head[i] < 9 || (head[i] > 13 && head[i] < 32 && head[i] !== 27)) return null;
  const start = text.trimStart();
  if (/^<(!doctype html|html|head|body)/i.test(start)) return { what: 'HTML', hint: 'Was it saved from a login page?' };
  if (/^<\?xml|^<pdml/i.test(start)) return { what: 'XML' };
  if (/^[{[]/.test(start)) return { what: 'JSON' };
  if (/^0{4,8}[: ]\s*[0-9a-f]{2}/i.test(start)) {
    return { what: 'a hex dump', hint: 'Make a capture of it with text2pcap.' };
  }
  return { what: 'text', hint: `A key log? ${KEYLOG}` };
}

function hexDump(head: Uint8Array): string {
  return Array.from(head.subarray(0, 8), (octet) => octet.toString(16).padStart(2, '0')).join(' ');
}

/** `word` the way a shell takes it. */
export function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
