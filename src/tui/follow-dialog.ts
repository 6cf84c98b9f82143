import { concat, latin1 } from '../kit/index.js';
import type { FollowedStream, StreamPiece } from '../viewer/viewer.js';
import { type Area, wrap } from './cells.js';
import { offerExports } from './export-actions.js';
import type { TextOffer } from './exports.js';
import type { CommandId } from './keymap.js';
import { List } from './list.js';
import type { Desk, Dialog, MouseAt, Reading } from './view.js';
import { octets, plural } from './words.js';

/** Octets of a stream that are shown. */
const MOST_SHOWN = 4 << 20;
const PER_LINE = 16;

interface Line {
  readonly text: string;
  /** The piece in which it begins. */
  readonly piece: number;
  /** Here somebody begins to speak. */
  readonly first: boolean;
}

/** What two ends said to each other, in the order in which it came: one colour and one sign for each. */
export class FollowDialog implements Dialog {
  readonly width = 400;
  readonly height = 200;
  private stream: FollowedStream | undefined;
  private error: string | undefined;
  private what: 'payload' | 'envelopes' = 'payload';
  private hex = false;
  private lines: readonly Line[] = [];
  private madeFor = '';
  private readonly list = new List(() => this.lines.length);

  constructor(
    private readonly desk: Desk,
    private readonly row: number,
  ) {
    void this.load();
  }

  get title(): string {
    const { stream } = this;
    if (stream === undefined) return `Following packet ${this.desk.viewer.rows.id(this.row)}`;
    const size = (side: 0 | 1): number =>
      stream.pieces.reduce((n, p) => n + (p.side === side ? p.octets.length : 0), 0);
    return `${stream.title}   > ${octets(size(0))}   < ${octets(size(1))}${this.more(stream)}`;
  }

  /** What of a stream is not here. */
  private more({ pieces, cut }: FollowedStream): string {
    if (pieces.reduce((n, p) => n + p.octets.length, 0) > MOST_SHOWN)
      return `   the first ${octets(MOST_SHOWN)} are shown`;
    return cut ? '   more was not kept' : '';
  }

  private async load(): Promise<void> {
    this.stream = undefined;
    this.madeFor = '';
    const { what } = this;
    try {
      const stream = await this.desk.viewer.follow(this.row, what);
      // The other one may have been asked for meanwhile.
      if (what === this.what) this.stream = stream;
    } catch (e) {
      if (what === this.what) this.error = (e as Error).message;
    }
    this.desk.repaint();
  }

  draw(area: Area, focus: boolean): void {
    const { theme } = this.desk.preferences;
    const { stream, error } = this;
    if (error !== undefined || stream === undefined) {
      area.text(0, 0, error ?? 'reading …', error === undefined ? theme.dim : theme.error);
      return;
    }
    if (stream.pieces.length === 0) {
      area.clipped(0, 0, 'Nothing was said: no payload in this conversation.', area.width, theme.text);
      return;
    }
    this.make(stream, area.width);
    this.list.draw(area, { theme, focus }, (line, i) => {
      const { text, piece, first } = this.lines[i];
      const { side } = stream.pieces[piece];
      line.text(0, 0, first ? (side === 0 ? '>' : '<') : ' ', theme.key);
      line.text(2, 0, text, side === 0 ? theme.up : theme.down);
    });
  }

  /** Envelopes are no text. */
  private get isHex(): boolean {
    return this.hex || this.what === 'envelopes';
  }

  private make(stream: FollowedStream, width: number): void {
    const { isHex: hex } = this;
    const key = `${width} ${hex}`;
    if (key === this.madeFor) return;
    this.madeFor = key;
    this.lines = runsOf(stream, hex, MOST_SHOWN).flatMap((run) =>
      linesOf(run, hex, width - 3).map((line, i) => ({ ...line, first: i === 0 })),
    );
  }

  private get piece(): StreamPiece | undefined {
    const line = this.lines[this.list.cursor];
    return line === undefined ? undefined : this.stream?.pieces[line.piece];
  }

  offers(): readonly CommandId[] {
    return ['open', 'raw', 'follow', 'next-in-dialog', 'copy', 'export', 'pager', 'back'];
  }

  run(command: CommandId): boolean {
    switch (command) {
      case 'open':
        this.toPacket();
        return true;
      case 'raw':
        this.hex = !this.hex;
        return true;
      case 'follow':
        this.what = this.what === 'payload' ? 'envelopes' : 'payload';
        this.error = undefined;
        void this.load();
        return true;
      case 'next-in-dialog':
      case 'previous-in-dialog':
        this.toPiece(command === 'next-in-dialog' ? 1 : -1);
        return true;
      case 'copy':
        this.desk.copy(this.text(), this.title);
        return true;
      case 'export':
        offerExports(this.desk, this.exports());
        return true;
      default:
        return this.list.run(command);
    }
  }

  reading(): Reading {
    return { name: this.title, lines: this.text().split('\n') };
  }

  private toPacket(): void {
    const { piece } = this;
    if (piece === undefined) return;
    this.desk.close(this);
    this.desk.perform('goto', this.desk.viewer.rows.id(piece.row));
  }

  private toPiece(by: 1 | -1): void {
    const from = this.lines[this.list.cursor]?.piece ?? 0;
    // In some pieces no line begins.
    const to = by > 0 ? this.lines.find((l) => l.piece > from) : this.lines.findLast((l) => l.piece < from);
    if (to !== undefined) this.list.centre(this.lines.findIndex((l) => l.piece === to.piece));
  }

  private text(): string {
    return this.told().join('\n');
  }

  /** What is shown, run by run. */
  private told(sign: (side: 0 | 1) => string = () => ''): string[] {
    const { stream, isHex } = this;
    if (stream === undefined) return [];
    return runsOf(stream, isHex, Number.POSITIVE_INFINITY).map(({ pieces }) => {
      const [first] = pieces;
      const text = isHex || !isText(first) ? hexLines(first.octets).join('\n') : decoded(octetsOf(pieces));
      return `${sign(first.side)}${text}`;
    });
  }

  private exports(): TextOffer[] {
    const { stream } = this;
    if (stream === undefined || stream.pieces.length === 0) return [];
    const signed = (side: 0 | 1): string => (side === 0 ? '> ' : '< ');
    const raw = (name: string, file: string, pieces: readonly StreamPiece[]): TextOffer => ({
      name,
      file,
      make: async () => octetsOf(pieces),
    });
    const said = ([0, 1] as const).map((side) => stream.pieces.filter((p) => p.side === side));
    return [
      { name: 'what is shown, as text', file: 'stream.txt', make: () => `${this.told(signed).join('\n')}\n` },
      raw('octets of both sides', 'stream.bin', stream.pieces),
      ...(said[0].length > 0 ? [raw('octets of > alone', 'stream.first.bin', said[0])] : []),
      ...(said[1].length > 0 ? [raw('octets of < alone', 'stream.second.bin', said[1])] : []),
    ];
  }

  mouse(at: MouseAt): boolean {
    if (at.kind === 'wheel-up' || at.kind === 'wheel-down') this.list.scroll(at.kind === 'wheel-up' ? -3 : 3);
    else {
      const line = this.list.lineAt(at.y);
      if (line >= 0) this.list.go(line);
      if (at.kind === 'double') this.toPacket();
    }
    return true;
  }

  plain(): string[] {
    return [this.title, plural(this.stream?.pieces.length ?? 0, 'piece'), ...this.text().split('\n')];
  }
}

const octetsOf = (pieces: readonly StreamPiece[]): Uint8Array => concat(pieces.map((p) => p.octets));

const decoded = (b: Uint8Array): string => new TextDecoder('utf-8').decode(b);

/** Pieces that are shown as one, and the place of the first of them. */
interface Run {
  readonly from: number;
  readonly pieces: StreamPiece[];
}

/** What is shown as one: what a side said at a time where that is text and its pieces go on in one another. */
function runsOf({ pieces, joined }: FollowedStream, hex: boolean, most: number): Run[] {
  const runs: Run[] = [];
  let shown = 0;
  for (const [i, p] of pieces.entries()) {
    if (shown >= most) break;
    shown += p.octets.length;
    const last = runs.at(-1);
    const goesOn = joined && !hex && isText(p) && last?.pieces[0].side === p.side && isText(last.pieces[0]);
    if (goesOn) last.pieces.push(p);
    else runs.push({ from: i, pieces: [p] });
  }
  return runs;
}

/** Whether hardly an octet is none of a text in UTF-8; a letter may be cut at either end. */
function isText({ octets: b }: StreamPiece): boolean {
  let start = 0;
  while (start < 3 && (b[start] & 0xc0) === 0x80) start++;
  let odd = 0;
  for (const c of b) if (c < 9 || (c > 13 && c < 32) || c === 127) odd++;
  for (const c of new TextDecoder().decode(b.subarray(start), { stream: true })) if (c === '\ufffd') odd++;
  return odd * 10 <= b.length;
}

/** The lines of a run, each with the piece in which it begins. */
function linesOf({ from, pieces }: Run, hex: boolean, width: number): Pick<Line, 'text' | 'piece'>[] {
  if (hex || !isText(pieces[0])) return hexLines(pieces[0].octets).map((text) => ({ text, piece: from }));
  const all = octetsOf(pieces);
  const lines: Pick<Line, 'text' | 'piece'>[] = [];
  let piece = 0;
  let end = pieces[0].octets.length;
  let start = 0;
  for (const line of latin1(all, 0, all.length)
    .replace(/[\r\n]+$/, '')
    .split(/(\r\n|\n|\r)/)) {
    while (start >= end && piece < pieces.length - 1) end += pieces[++piece].octets.length;
    const isBreak = /^[\r\n]/.test(line);
    if (!isBreak)
      for (const text of wrap(decoded(all.subarray(start, start + line.length)), Math.max(10, width)))
        lines.push({ text, piece: from + piece });
    start += line.length;
  }
  return lines;
}

function hexLines(b: Uint8Array): string[] {
  const out: string[] = [];
  for (let off = 0; off < b.length; off += PER_LINE) {
    const part = b.subarray(off, off + PER_LINE);
    const hex = Array.from(part, (o) => o.toString(16).padStart(2, '0')).join(' ');
    const text = Array.from(part, (o) => (o >= 32 && o < 127 ? String.fromCharCode(o) : '.')).join('');
    out.push(`${off.toString(16).padStart(4, '0')}  ${hex.padEnd(PER_LINE * 3 - 1)}  ${text}`);
  }
  return out;
}
