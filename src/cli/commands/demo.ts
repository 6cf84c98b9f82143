import { fileURLToPath } from 'node:url';
import { PACKAGE } from '../root.js';
import { tell } from '../tell.js';
import { read } from './read.js';

/** The sample that shows most: DHCP, SLAAC, DNS, a registration, calls with media, in one TLS 1.3 tunnel. */
const SAMPLE = '03-tls13-aes128-gcm.pcapng';

/** `fttscope demo`: the rows of a sample that comes with the program, its keys beside it. */
export async function demo(): Promise<number> {
  const path = fileURLToPath(new URL(`samples/${SAMPLE}`, PACKAGE));
  tell(`${SAMPLE}, decrypted with the key log beside it. The same: fttscope ${path}\n`);
  return read([path], { autoKeys: true, rows: 'both' });
}
