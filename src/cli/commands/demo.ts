import { fileURLToPath } from 'node:url';
import { Tour } from '../../tui/tour.js';
import { PACKAGE } from '../root.js';
import { wantsScreens } from '../screens.js';
import { tell } from '../tell.js';
import { read } from './read.js';
import { ui } from './ui.js';

/** The sample that shows most: DHCP, SLAAC, DNS, a registration, calls with media, in one TLS 1.3 tunnel. */
const SAMPLE = '03-tls13-aes128-gcm.pcapng';

/** `fttscope demo`: a sample that comes with the program, its keys beside it, on screens with a tour, or as rows. */
export async function demo(): Promise<number> {
  const path = fileURLToPath(new URL(`samples/${SAMPLE}`, PACKAGE));
  if (wantsScreens([path], { autoKeys: true })) return ui([path], { autoKeys: true }, new Tour());
  tell(`${SAMPLE}, decrypted with the key log beside it. The same: fttscope ${path}\n`);
  return read([path], { autoKeys: true, rows: 'both' });
}
