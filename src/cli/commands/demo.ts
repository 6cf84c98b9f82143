import { fileURLToPath } from 'node:url';
import { Tour } from '../../tui/tour.js';
import { Exit } from '../errors.js';
import { PACKAGE } from '../root.js';
import { wantsScreens } from '../screens.js';
import { tell } from '../tell.js';
import { read } from './read.js';
import { report } from './report.js';
import { ui } from './ui.js';

/** Four tunnels of a day in the field: calls, one of them refused; a gap; one without keys; one that is something else. */
const SAMPLE = '00-field.pcapng';

/** `fttscope demo`: a sample that comes with the program, its keys beside it, on screens with a tour, or as rows and a report. */
export async function demo(): Promise<number> {
  const path = fileURLToPath(new URL(`samples/${SAMPLE}`, PACKAGE));
  if (wantsScreens([path], { autoKeys: true })) return ui([path], { autoKeys: true }, new Tour());
  tell(`${SAMPLE}, decrypted with the key log beside it. The same: fttscope ${path}`, '');
  const code = await read([path], { autoKeys: true, rows: 'both' });
  if (code !== Exit.done) return code;
  tell('', `What happened in it. The same: fttscope report ${path} --markdown`, '');
  return report([path], { autoKeys: true, markdown: true });
}
