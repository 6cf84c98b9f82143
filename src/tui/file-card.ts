import { encapsulationName } from '../../dissectors/frame.js';
import { isoSecond } from '../kit/index.js';
import type { Rows } from '../viewer/rows.js';
import type { FileStatus, ViewerStatus } from '../viewer/viewer.js';
import { fit } from './cells.js';
import { Reader } from './dialogs.js';
import { inSlices } from './slices.js';
import type { Story } from './told.js';
import type { Desk } from './view.js';
import { count, octets, trimmed } from './words.js';

/** Where the values begin. */
const NAME = 18;
/** Rows that are looked at in one go. */
const SLICE = 20_000;
/** Stacks of protocols that are listed. */
const STACKS = 8;

/** What there is to count of the frames of a capture. */
interface Counts {
  frames: number;
  inner: number;
  octets: number;
  first: number;
  last: number;
  /** No frame is earlier than the one before it. */
  inOrder: boolean;
}

/** Where a file was captured, in words. */
export const POINT_WORDS = {
  ue: 'at the UE',
  proxy: 'at the proxy',
  eftf: 'at the EFTF',
  'behind-eftf': 'behind the EFTF',
} as const;

/** Counts frames row by row: a frame has as many rows as it completes envelopes. */
function* counted(rows: Rows): Generator<void, Counts> {
  const c: Counts = { frames: 0, inner: 0, octets: 0, first: -1, last: -1, inOrder: true };
  let before = Number.NEGATIVE_INFINITY;
  let frame = -1;
  for (let row = 0; row < rows.count; row++) {
    if (row % SLICE === SLICE - 1) yield;
    if (rows.inner(row) > 0) c.inner++;
    const ordinal = rows.ordinal(row);
    if (ordinal === frame) continue;
    frame = ordinal;
    c.frames++;
    c.octets += rows.frameLength(row);
    const at = rows.relative(row);
    if (c.first < 0 || at < rows.relative(c.first)) c.first = row;
    if (c.last < 0 || at >= rows.relative(c.last)) c.last = row;
    if (at < before) c.inOrder = false;
    before = at;
  }
  return c;
}

/** Shows what there is to know about the whole capture, as capinfos does. */
export function fileInfo(desk: Desk): void {
  const { viewer, told } = desk;
  told.want();
  inSlices(viewer.rows, counted(viewer.rows), (c) => {
    if (c === undefined) return;
    desk.show(new Reader('Capture', card(viewer.status, viewer.rows, c, told.story), desk));
    desk.repaint();
  });
}

function card(status: ViewerStatus, rows: Rows, c: Counts, story: Story | undefined): string[] {
  const number = (i: number): string => (status.files.length > 1 ? ` ${i + 1}` : '');
  const out = status.files.flatMap((f, i) => fileLines(f, number(i), story?.capture.files[i]));
  const line = (name: string, value: string): void => void out.push(`${fit(name, NAME)}${value}`);
  const seconds = c.first < 0 ? 0 : rows.relative(c.last) - rows.relative(c.first);
  const per = (n: number): string => (seconds > 0 ? trimmed(n / seconds, 1) : '-');
  if (!status.done) line('so far', 'the capture is still being read');
  line('frames', `${count(c.frames)}, ${octets(c.octets)} on the wire`);
  line('inner packets', count(c.inner));
  if (c.frames > 0) {
    line('first', timeOf(rows, c.first));
    line('last', timeOf(rows, c.last));
    line('duration', `${trimmed(seconds, 6)} s`);
    line('rates', `${per(c.frames)} frames/s, ${per(c.octets)} octets/s, ${per((8 * c.octets) / 1000)} kbit/s`);
    line('average frame', `${trimmed(c.octets / c.frames, 2)} octets`);
    line('order of time', c.inOrder ? 'every frame after the one before' : 'some frames are earlier than those before');
  }
  line('tunnels', String(story?.whole === true ? story.tunnels.length : status.tunnels.length + status.moreTunnels));
  line(
    'keys',
    `${count(status.keys.lines)} lines, ${count(status.keys.used)} used  ${status.keys.sources.join(', ')}`.trim(),
  );
  if (story !== undefined) out.push(...stackLines(story));
  return out;
}

/** One of the files: what it is, and where it was captured. */
function fileLines(f: FileStatus, number: string, told: Story['capture']['files'][number] | undefined): string[] {
  const out: string[] = [];
  const line = (name: string, value: string): void => void out.push(`${fit(name, NAME)}${value}`);
  line(`file${number}`, f.name === '-' ? 'standard input' : f.name);
  line('format', `${f.format}${f.size === undefined ? '' : `, ${octets(f.size)}`}, ${count(f.frames)} frames`);
  for (const i of f.interfaces) {
    const name = [i.name, i.description].filter((x) => x !== undefined).join(', ');
    const parts = [
      encapsulationName(i.link) ?? `link type ${i.link}`,
      ...(i.snaplen > 0 ? [`at most ${count(i.snaplen)} octets`] : []),
      ...(i.filter === undefined ? [] : [`filter ${i.filter}`]),
      ...(i.drops === undefined ? [] : [`${i.drops} dropped by the capturing system`]),
    ];
    line('  interface', [...(name === '' ? [] : [name]), ...parts].join(': '));
  }
  if (told?.point !== undefined) line('  captured', POINT_WORDS[told.point]);
  for (const comment of f.comments) line('  comment', comment);
  if (told?.truncated !== undefined) line('  damage', told.truncated);
  if (told !== undefined && told.duplicates > 0) line('  captured twice', `${count(told.duplicates)} frames`);
  return [...out, ''];
}

/** The stacks of protocols with the most packets. */
function stackLines({ protocols }: Story): string[] {
  const all = Object.entries(protocols).sort((a, b) => b[1].rows - a[1].rows);
  const lines = all
    .slice(0, STACKS)
    .map(([stack, n]) => `${String(n.rows).padStart(10)}  ${octets(n.bytes).padStart(8)}  ${stack}`);
  return lines.length === 0 ? [] : ['', '   packets    octets  protocols', ...lines];
}

const timeOf = (rows: Rows, row: number): string =>
  `${isoSecond(rows.seconds(row)).replace('T', ' ')}.${String(rows.nanos(row)).padStart(9, '0')} UTC`;
