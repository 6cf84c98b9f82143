import { basename } from 'node:path';
import type { WriteRequest } from '../viewer/viewer.js';
import { ChoiceDialog } from './choice-dialog.js';
import { type Listed, rowNumbers, withMedia } from './chosen-rows.js';
import { askForFile, stemOf } from './files.js';
import { watched } from './progress-dialog.js';
import type { Desk } from './view.js';
import { plural } from './words.js';

type Packets = Exclude<WriteRequest['what'], 'json'>;

/** What is written instead of everything. */
interface Some {
  readonly listed: Listed;
  /** With the media of its dialogs. */
  readonly media?: true;
}

const INNER = 'inner: decrypted packets, for any tool';
const OUTER = 'outer: the frames as they were captured';

/**
 * Asks which packets to write, then where to. Keys are written only on request, and after a question.
 * @param file what is proposed as the name of the file; empty: a name made of that of the capture
 */
export function writeDialog(desk: Desk, listed: Listed | undefined, file = ''): void {
  const { tunnels } = desk.viewer.status;
  const hasInner = tunnels.some((t) => t.up + t.down > 0);
  const keyed = desk.viewer.status.keys.lines > 0;
  const item = (text: string, note: string, what: Packets, withKeys: boolean, some?: Some) => ({
    text,
    note,
    take: () => ask(desk, what, withKeys, some, file),
  });
  const some = listed !== undefined && listed.count > 0 ? listed : undefined;
  const ofThese = (text: string, what: Packets) => {
    if (some === undefined) return [];
    const these = item(`${text}, ${some.words}`, plural(some.count, 'row'), what, false, { listed: some });
    if (some.dialogs === undefined) return [these];
    const all = item(`${text}, ${some.words}`, 'SIP and media', what, false, { listed: some, media: true });
    return [all, { ...these, note: `SIP, ${these.note}` }];
  };
  const items = [
    ...(hasInner ? [...ofThese(INNER, 'inner'), item(INNER, 'all', 'inner', false)] : []),
    ...ofThese(OUTER, 'outer'),
    item(OUTER, 'all', 'outer', false),
    ...(keyed ? [item('keys included: the frames and what opens them', 'all', 'outer', true)] : []),
  ];
  const words = [
    ...(hasInner ? [] : ['No tunnel can be read, so there are no inner packets to write.']),
    ...(desk.viewer.status.done ? [] : ['The capture is still being read: what is written ends there.']),
  ];
  desk.show(new ChoiceDialog(desk, 'Write packets to a pcapng file', () => items, words));
}

async function numbersOf(desk: Desk, { listed, media }: Some): Promise<Uint32Array> {
  if (media !== true) return rowNumbers(listed);
  return watched(desk, `Looking for the media of ${listed.words}`, (watch) => withMedia(desk, listed, watch));
}

function ask(desk: Desk, what: Packets, withKeys: boolean, some: Some | undefined, file: string): void {
  const go = (): void => {
    const usual = `${stemOf(desk)}.${withKeys ? 'with-keys' : what}.pcapng`;
    askForFile(desk, 'write to', file === '' ? usual : file, async (path) => {
      const rows = some === undefined ? undefined : await numbersOf(desk, some);
      const request = { path, what, withKeys, ...(rows !== undefined && { rows }) };
      const n = await watched(desk, `Writing ${basename(path)}`, (watch) => desk.viewer.write(request, watch));
      if (some === undefined && what === 'outer') desk.live?.saved();
      return `${path}: ${plural(n, 'packet')} written${withKeys ? ', with keys' : ''}`;
    });
  };
  if (withKeys) desk.confirm('Whoever gets the file can read all that the tunnels carried. Put the keys in?', go);
  else go();
}
