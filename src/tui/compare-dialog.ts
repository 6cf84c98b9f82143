import type { Area } from './cells.js';
import type { CommandId } from './keymap.js';
import { List } from './list.js';
import { hung } from './message-pane.js';
import type { MessageSource } from './message-source.js';
import { compareMessages, type Pair } from './sip-text.js';
import type { Desk, Dialog, MouseAt, Reading } from './view.js';

/** What is left out of a comparison. */
const LOOSE = { branch: true, tags: true, cseq: true };
const STRICT = { branch: false, tags: false, cseq: false };

/** A line of the screen: parts of both messages. */
interface Shown {
  readonly left: string;
  readonly right: string;
  readonly differs: boolean;
  /** The first of the lines of a pair. */
  readonly first: boolean;
}

/** Two messages side by side; what differs is marked by a sign. */
export class CompareDialog implements Dialog {
  readonly title: string;
  readonly width = 400;
  readonly height = 200;
  private strict = false;
  private onlySdp = false;
  private lines: readonly Shown[] = [];
  private madeFor = '';
  private readonly list = new List(() => this.lines.length);

  /** @param ids rows of the two messages */
  constructor(
    private readonly desk: Desk,
    private readonly source: MessageSource,
    private readonly ids: readonly [string, string],
  ) {
    this.title = `Packets ${ids[0]} and ${ids[1]}`;
  }

  private pairs(): Pair[] {
    const [left, right] = this.ids.map((id) => this.source.get(id));
    const all = compareMessages(left.text, right.text, this.strict ? STRICT : LOOSE);
    return this.onlySdp ? all.filter((p) => (p.left ?? p.right)?.part === 'body') : all;
  }

  draw(area: Area, focus: boolean): void {
    const { theme } = this.desk.preferences;
    const half = (area.width - 3) >> 1;
    this.make(half);
    const [left, right] = this.ids;
    area.clipped(0, 0, left, half, theme.strong);
    area.clipped(half + 3, 0, right, half, theme.strong);
    const differing = this.lines.filter((l) => l.differs && l.first).length;
    const what = this.strict ? 'everything counts' : 'without Via branch, tags and CSeq';
    area.clipped(0, area.height - 1, `${differing} lines differ, marked ≠; ${what}`, area.width, theme.dim);
    this.list.draw(area.part(0, 1, area.width, area.height - 2), { theme, focus }, (line, i) => {
      const s = this.lines[i];
      const style = s.differs ? theme.selected : theme.text;
      line.clipped(0, 0, s.left, half, style);
      line.text(half + 1, 0, s.differs && s.first ? '≠' : '│', s.differs ? theme.warn : theme.dim);
      line.clipped(half + 3, 0, s.right, half, style);
    });
  }

  private make(half: number): void {
    const state = this.ids.map((id) => this.source.get(id).text.length).join(' ');
    const key = `${half} ${this.strict} ${this.onlySdp} ${state}`;
    if (key === this.madeFor) return;
    this.madeFor = key;
    this.lines = this.pairs().flatMap((p) => shown(p, half));
  }

  offers(): readonly CommandId[] {
    return ['ignore', 'sdp-only', 'next-finding', 'down', 'copy', 'back'];
  }

  run(command: CommandId): boolean {
    switch (command) {
      case 'ignore':
        this.strict = !this.strict;
        return true;
      case 'sdp-only':
        this.onlySdp = !this.onlySdp;
        return true;
      case 'next-finding':
        return this.toDifference(1);
      case 'previous-finding':
        return this.toDifference(-1);
      case 'copy':
        this.desk.copy(this.text().join('\n'), this.title);
        return true;
      case 'open':
      case 'select':
        this.desk.close(this);
        return true;
      default:
        return this.list.run(command);
    }
  }

  reading(): Reading {
    return { name: this.title, lines: this.text() };
  }

  private toDifference(by: 1 | -1): boolean {
    for (let i = this.list.cursor + by; i >= 0 && i < this.lines.length; i += by)
      if (this.lines[i].differs && this.lines[i].first) {
        this.list.centre(i);
        break;
      }
    return true;
  }

  /** The comparison as text: what both have, `-` before what the first has alone, `+` before what the second has. */
  private text(): string[] {
    return this.pairs().flatMap((p) =>
      p.same
        ? [`  ${p.left?.text ?? ''}`]
        : [
            ...(p.left === undefined ? [] : [`- ${p.left.text}`]),
            ...(p.right === undefined ? [] : [`+ ${p.right.text}`]),
          ],
    );
  }

  mouse(at: MouseAt): boolean {
    if (at.kind === 'wheel-up') this.list.scroll(-3);
    else if (at.kind === 'wheel-down') this.list.scroll(3);
    return true;
  }
}

/** A pair in as many lines as the longer of its sides needs. */
function shown({ left, right, same }: Pair, half: number): Shown[] {
  const l = left === undefined ? [''] : hung(left.text, Math.max(10, half));
  const r = right === undefined ? [''] : hung(right.text, Math.max(10, half));
  const n = Math.max(l.length, r.length);
  return Array.from({ length: n }, (_, i) => ({ left: l[i] ?? '', right: r[i] ?? '', differs: !same, first: i === 0 }));
}
