import { type CipherSuite, cipherSuite } from '../../dissectors/tls/ciphersuites.js';
import { Version } from '../../dissectors/tls/numbers.js';
import { hexNumber, ofNumber, Words, words } from '../kit/index.js';
import type { ScheduleHash } from './schedule.js';

/** What of a cipher suite can be opened, and by which names node knows its parts. */

/** Block ciphers by the start of a suite's cipher name: node's name without the mode. */
const BLOCK_CIPHERS: Readonly<Record<string, string>> = {
  AES_128: 'aes-128',
  AES_256: 'aes-256',
  ARIA_128: 'aria-128',
  ARIA_256: 'aria-256',
  CAMELLIA_128: 'camellia-128',
  CAMELLIA_256: 'camellia-256',
  '3DES_EDE': 'des-ede3',
  SM4: 'sm4',
};

/** Block ciphers that node has in GCM; the others' tags are computed here. */
const NATIVE_GCM = /^(aes|aria)-/;

/** Ways to open a record; each is one function of `epoch.ts`. */
export type Opening = 'gcm' | 'gcm-own' | 'ccm' | 'chacha' | 'cbc' | 'rc4' | 'null';

/** A suite that can be opened. */
export interface Openable {
  readonly suite: CipherSuite;
  readonly opening: Opening;
  /** Node's name of the block cipher without mode, '' where there is none. */
  readonly block: string;
  readonly hash: ScheduleHash;
}

/** Node's name of the block cipher of a suite, or ''. */
const blockCipher = (suite: CipherSuite): string =>
  BLOCK_CIPHERS[suite.cipher.replace(/_(GCM|CCM(_8)?|CBC)$/, '')] ?? '';

function openingOf(suite: CipherSuite, block: string): Opening | undefined {
  switch (suite.kind) {
    case 'gcm':
      return block === '' ? undefined : NATIVE_GCM.test(block) ? 'gcm' : 'gcm-own';
    case 'ccm':
    case 'ccm8':
      return NATIVE_GCM.test(block) ? 'ccm' : undefined;
    case 'chacha':
      return 'chacha';
    case 'cbc':
      return block === '' || suite.exportable ? undefined : 'cbc';
    case 'stream':
      return suite.cipher === 'RC4_128' && !suite.exportable ? 'rc4' : undefined;
    case 'null':
      return suite.tls13 || suite.mac === '' ? undefined : 'null';
    default:
      return undefined;
  }
}

function hashOf(suite: CipherSuite, version: number): ScheduleHash | undefined {
  if (version < Version.Tls12) return 'md5-sha1'; // RFC 4346 §5
  const { prf } = suite;
  return prf === 'sha256' || prf === 'sha384' || prf === 'sha512' || prf === 'sm3' ? prf : undefined;
}

/** How suite `id` is opened in `version`, or a sentence that says why it is not. */
export function openable(id: number, version: number): Openable | Words {
  const suite = cipherSuite(id);
  if (suite === undefined) return words`The cipher suite ${ofNumber(id, (n) => hexNumber(n, 4))} is not known.`;
  if (version < Version.Tls10) return words`SSL 3.0 is not decrypted.`;
  const block = blockCipher(suite);
  const opening = openingOf(suite, block);
  const hash = hashOf(suite, version);
  if (opening === undefined || hash === undefined)
    return words`The cipher suite ${ofNumber(id, () => suite.name)} is not supported.`;
  if (suite.tls13 !== version >= Version.Tls13)
    return words`The cipher suite ${ofNumber(id, () => suite.name)} does not belong to the version that was negotiated.`;
  return { suite, opening, block, hash };
}

/** TLS 1.3 suites whose traffic secrets are as long as `octets`, the likelier ones first. RFC 8446 §B.4 */
export function suitesBySecret(octets: number): Openable[] {
  const ids = octets === 48 ? [0x1302] : octets === 32 ? [0x1301, 0x1303, 0x1304, 0x1305] : [];
  return ids.map((id) => openable(id, Version.Tls13)).filter((o): o is Openable => !(o instanceof Words));
}
