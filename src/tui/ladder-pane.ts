import { millis } from '../model/moment.js';
import type { LadderItem } from '../report/ladder.js';
import { ladderText } from '../report/ladder-text.js';
import { type Area, cellsOf, harmless } from './cells.js';
import { type Flow, narrowed, type SdpOf, type Wanted } from './flows.js';
import type { CommandId } from './keymap.js';
import { List } from './list.js';
import type { Style, Theme } from './style.js';
import { clockText, type TimeFormat } from './times.js';

/** Cells in which a ladder has the time, and blanks before what follows. */
const TIME = 10;

/** How a ladder is drawn. */
export interface LadderLook {
  readonly theme: Theme;
  readonly focus: boolean;
  readonly time: TimeFormat;
  /** Colours tell dialogues apart instead of what a message is. */
  readonly byDialogue: boolean;
  /** Rows of messages that were chosen to be compared. */
  readonly chosen: readonly string[];
}

type Narrow = ReturnType<typeof narrowed>;

/** Shows a flow as a ladder: as many columns as fit, the others to the side. */
export class LadderPane {
  wanted: Wanted = { media: true, sdp: 'shown' };
  private flow: Flow | undefined;
  private narrow: Narrow | undefined;
  /** Number of the leftmost column. */
  private first = 0;
  private shown = 0;
  private drawn: { flow: Narrow; width: number; first: number; text: ReturnType<typeof ladderText> } | undefined;
  readonly list = new List(() => this.narrow?.items.length ?? 0);

  /** @param sdpOf asked again after {@link refresh} */
  constructor(private readonly sdpOf: SdpOf) {}

  /** Shows another flow; the cursor stays on the same message where there is one. */
  set(flow: Flow | undefined): void {
    if (flow === this.flow) return;
    const { current } = this;
    this.flow = flow;
    this.first = 0;
    this.list.cursor = 0;
    this.list.top = 0;
    this.arrange(current);
  }

  /** Shows more or less of the flow. */
  want(wanted: Wanted): void {
    const { current } = this;
    this.wanted = wanted;
    this.arrange(current);
  }

  /** More is known of session descriptions. */
  refresh(): void {
    if (this.wanted.sdp === 'notes' || this.wanted.sdp === 'only') this.arrange(this.current);
  }

  private arrange(before: LadderItem | undefined): void {
    this.narrow = this.flow === undefined ? undefined : narrowed(this.flow, this.wanted, this.sdpOf);
    if (before !== undefined) this.goTo((x) => x.kind === before.kind && millis(x.at, before.at) === 0);
  }

  get current(): LadderItem | undefined {
    return this.narrow?.items[this.list.cursor];
  }

  get items(): readonly LadderItem[] {
    return this.narrow?.items ?? [];
  }

  /** Goes to the first item that fits; whether there is one. */
  goTo(fits: (item: LadderItem) => boolean): boolean {
    const i = this.items.findIndex(fits);
    if (i >= 0) this.list.centre(i);
    return i >= 0;
  }

  /** Goes to the next item that fits, up or down from the cursor. */
  step(by: 1 | -1, fits: (item: LadderItem) => boolean): boolean {
    for (let i = this.list.cursor + by; i >= 0 && i < this.items.length; i += by)
      if (fits(this.items[i])) {
        this.list.centre(i);
        return true;
      }
    return false;
  }

  /** What is beyond the edges, in words. */
  get beyond(): string {
    const columns = this.flow?.columns.length ?? 0;
    if (this.shown === 0 || this.shown >= columns) return '';
    const right = columns - this.first - this.shown;
    const parts = [...(this.first > 0 ? [`← ${this.first}`] : []), ...(right > 0 ? [`${right} →`] : [])];
    return `columns: ${parts.join('  ')}`;
  }

  run(command: CommandId): boolean {
    const columns = this.flow?.columns.length ?? 0;
    if (command === 'left' || command === 'right') {
      const to = this.first + (command === 'left' ? -1 : 1);
      const ok = to >= 0 && to + this.shown <= columns;
      if (ok) this.first = to;
      return ok;
    }
    return this.list.run(command);
  }

  draw(area: Area, look: LadderLook): void {
    const { narrow } = this;
    if (narrow === undefined) return;
    const { theme } = look;
    const text = this.text(narrow, area.width - 1);
    for (const [y, line] of text.head.entries()) area.text(0, y, line, y === 0 ? theme.strong : theme.dim);
    const body = area.part(0, text.head.length, area.width, area.height - text.head.length);
    this.list.draw(body, look, (line, i, current) => this.line(line, i, text.lines[i], look, current));
  }

  private text(flow: Narrow, width: number): ReturnType<typeof ladderText> {
    const { drawn, first } = this;
    if (drawn !== undefined && drawn.flow === flow && drawn.width === width && drawn.first === first) return drawn.text;
    const text = ladderText(flow, { width, first, plain: harmless });
    this.drawn = { flow, width, first, text };
    this.shown = text.shown;
    return text;
  }

  private line(area: Area, i: number, text: string, look: LadderLook, current: boolean): void {
    const item = this.items[i];
    const { theme } = look;
    const style = this.styleOf(item, i, look);
    const chosen = item.kind === 'arrow' && look.chosen.includes(item.row);
    area.text(0, 0, this.time(i, look.time).padStart(TIME), chosen ? theme.selected : theme.dim);
    area.text(TIME, 0, text.slice(TIME), style);
    if (chosen) area.text(0, 0, '*', theme.selected);
    if (current) return;
    if (item.kind === 'arrow') faint(area, text, theme);
  }

  /** The time of an item: since the first, since the one before, or of the day as far as there is room. */
  private time(i: number, form: TimeFormat): string {
    const { at } = this.items[i];
    if (form === 'd' && i > 0) return `+${(millis(this.items[i - 1].at, at) / 1000).toFixed(3)}`;
    if (form === 'r' || form === 'd' || form === 'e') return (millis(this.items[0].at, at) / 1000).toFixed(3);
    return clockText(at, form.startsWith('u'), false).slice(0, TIME);
  }

  private styleOf(item: LadderItem, i: number, { theme, byDialogue }: LadderLook): Style {
    if (item.kind === 'note') return item.bad ? theme.warn : theme.dim;
    const dialogue = this.narrow?.dialogue[i] ?? -1;
    if (byDialogue) return dialogue < 0 ? theme.dim : theme.series[dialogue % theme.series.length];
    if (item.kind === 'bar') return theme.rtp;
    switch (item.what) {
      case 'request':
        return theme.request;
      case 'provisional':
        return theme.provisional;
      case 'success':
        return theme.success;
      case 'failure':
        return /^[56]/.test(item.text) ? theme.serverError : theme.error;
      case 'other':
        return theme.clientError;
      case 'addressing':
        return theme.addressing;
      default:
        return theme.text;
    }
  }
}

/** Draws the upright lines of the columns, and the number of the packet, faintly. */
function faint(area: Area, text: string, theme: Theme): void {
  let x = 0;
  for (const c of text) {
    if (c === '│') area.restyle(x, 0, 1, theme.dim);
    x += cellsOf(c);
  }
  const row = /\s{2,}([\d:.]+)$/.exec(text);
  if (row !== null) area.restyle(x - row[1].length, 0, row[1].length, theme.dim);
}
