import { millis } from '../model/moment.js';
import type { LadderItem } from '../report/ladder.js';
import { answerTo } from './answers.js';
import { type Area, wrap } from './cells.js';
import { CompareDialog } from './compare-dialog.js';
import { type Flow, rowOf } from './flows.js';
import type { CommandId } from './keymap.js';
import { LadderPane } from './ladder-pane.js';
import { drawWords } from './list.js';
import { mediaLine } from './media-words.js';
import { MessagePane } from './message-pane.js';
import { MessageSource } from './message-source.js';
import { mediaLines } from './sip-text.js';
import type { Desk } from './view.js';

/** Which part of the pane has the keys. */
export type FlowFocus = 'ladder' | 'message' | undefined;

/** Width from which a message stands beside the ladder. */
const BESIDE = 110;
/** Share of the width that the ladder then has. */
const LADDER_SHARE = 0.58;

/** A ladder and the message under its cursor. */
export class FlowPane {
  readonly ladder: LadderPane;
  readonly source: MessageSource;
  private readonly message = new MessagePane();
  private byDialogue = false;
  /** Whether the message has a place where there is not enough width for it beside. */
  showsMessage = false;
  /** Rows of messages to compare: none or one. */
  private chosen: string[] = [];

  constructor(private readonly desk: Desk) {
    this.source = new MessageSource(desk.viewer, () => {
      this.ladder.refresh();
      desk.repaint();
    });
    this.ladder = new LadderPane((row) => {
      const m = this.source.get(row);
      return m.kind === 'sip' ? mediaLines(m.text).map((l) => `SDP ${l}`) : [];
    });
  }

  set(flow: Flow | undefined): void {
    this.ladder.set(flow);
  }

  /** The row of the message under the cursor. */
  get row(): string | undefined {
    const item = this.ladder.current;
    return item === undefined ? undefined : rowOf(item);
  }

  /** What is switched off, and what is waited for, in words. */
  get states(): string[] {
    const { media, sdp } = this.ladder.wanted;
    const { keymap } = this.desk;
    return [
      ...(media ? [] : [keymap.words('media off ({media-lane})')]),
      ...(sdp === 'only'
        ? [keymap.words('SDP only ({sdp-only})')]
        : sdp === 'hidden'
          ? [keymap.words('SDP off ({sdp})')]
          : []),
      ...this.chosen.map((row) => {
        const other = answerTo(row, this.desk.told.story);
        const again = other === undefined ? '' : `, here again: with ${other}`;
        return `${row} selected: ${keymap.key('select')} on another message compares them${again}`;
      }),
    ];
  }

  /** @param focus which part has the keys; @param alone the message has the whole area */
  draw(area: Area, focus: FlowFocus, alone: boolean): void {
    const { theme } = this.desk.preferences;
    if (alone) {
      this.drawMessage(area);
      return;
    }
    if (area.width >= BESIDE) {
      const w = Math.floor(area.width * LADDER_SHARE);
      this.drawLadder(area.part(0, 0, w, area.height), focus);
      for (let y = 0; y < area.height; y++) area.text(w, y, '│', focus === 'message' ? theme.strong : theme.dim);
      this.drawMessage(area.part(w + 2, 0, area.width - w - 2, area.height));
      return;
    }
    if (!this.showsMessage && focus !== 'message') {
      this.drawLadder(area, focus);
      return;
    }
    const h = Math.max(4, area.height >> 1);
    this.drawLadder(area.part(0, 0, area.width, area.height - h), focus);
    const low = area.part(0, area.height - h, area.width, h);
    low.rule(0, focus === 'message' ? theme.strong : theme.dim, this.row === undefined ? '' : `packet ${this.row}`);
    this.drawMessage(low.part(1, 1, low.width - 1, h - 1));
  }

  private drawLadder(area: Area, focus: FlowFocus): void {
    const { keymap, preferences } = this.desk;
    const { theme, time } = preferences;
    const { byDialogue, chosen } = this;
    const none =
      this.ladder.wanted.sdp === 'only'
        ? keymap.words('No message of it has a session description. {sdp-only} shows all of it.')
        : 'nothing of this is left to show';
    if (this.ladder.items.length === 0) drawWords(area, theme, [none]);
    else this.ladder.draw(area, { theme, focus: focus === 'ladder', time, byDialogue, chosen });
  }

  private drawMessage(area: Area): void {
    const { theme } = this.desk.preferences;
    const { row } = this;
    if (row !== undefined) {
      this.message.draw(area, theme, this.source.get(row));
      return;
    }
    const lines = this.remark().flatMap((l) => wrap(l, area.width));
    for (const [y, line] of lines.entries()) area.text(0, y, line, theme.text);
  }

  /** What there is to say of a line that is no message. */
  private remark(): string[] {
    const item = this.ladder.current;
    if (item === undefined) return [];
    if (item.kind !== 'bar') return [item.kind === 'note' ? item.text : ''];
    const { story } = this.desk.told;
    const media = story?.media.filter((m) => millis(m.start, item.at) === 0 || millis(m.end, item.end) === 0) ?? [];
    return [
      item.text,
      '',
      ...media.map((m) => `${m.id}: ${mediaLine(m)}`),
      '',
      this.desk.keymap.words('View {view-media} shows them over time.'),
    ];
  }

  /** Does what belongs to the ladder, or to the message where that has the focus. */
  run(command: CommandId, focus: FlowFocus): boolean {
    if (focus === 'message') return this.message.run(command) || this.runAll(command);
    if (focus === 'ladder' && (this.ladder.run(command) || this.runLadder(command))) return true;
    return this.runAll(command);
  }

  /** What is the same wherever the focus is. */
  private runAll(command: CommandId): boolean {
    const { wanted } = this.ladder;
    const next = { shown: 'notes', notes: 'hidden', hidden: 'shown', only: 'notes' } as const;
    switch (command) {
      case 'media-lane':
        this.ladder.want({ ...wanted, media: !wanted.media });
        return true;
      case 'sdp':
        this.ladder.want({ ...wanted, sdp: next[wanted.sdp] });
        return true;
      case 'sdp-only':
        this.ladder.want({ ...wanted, sdp: wanted.sdp === 'only' ? 'shown' : 'only' });
        return true;
      case 'colours':
        this.byDialogue = !this.byDialogue;
        this.desk.say(this.byDialogue ? 'colours tell dialogs apart' : 'colours tell what a message is');
        return true;
      default:
        return false;
    }
  }

  private runLadder(command: CommandId): boolean {
    switch (command) {
      case 'next-in-dialog':
      case 'previous-in-dialog':
        this.ladder.step(command === 'next-in-dialog' ? 1 : -1, (x) => x.kind === 'arrow');
        return true;
      case 'next-finding':
      case 'previous-finding':
        if (!this.ladder.step(command === 'next-finding' ? 1 : -1, isTrouble))
          this.desk.say('no further trouble this way');
        return true;
      case 'select':
        this.choose();
        return true;
      default:
        return false;
    }
  }

  /** Chooses the message under the cursor; the second one, or the answer of the first, opens the comparison. */
  private choose(): void {
    const { row } = this;
    const [first] = this.chosen;
    if (row === undefined) this.desk.say('only messages can be compared');
    else if (first === undefined) this.chosen = [row];
    else {
      this.chosen = [];
      const other = row === first ? answerTo(row, this.desk.told.story) : row;
      if (other !== undefined) this.desk.show(new CompareDialog(this.desk, this.source, [first, other]));
    }
  }

  /** The capture was read anew. */
  forget(): void {
    this.source.forget();
    this.chosen = [];
  }
}

const isTrouble = (x: LadderItem): boolean =>
  x.kind === 'note' ? x.bad : x.kind === 'arrow' && (x.what === 'failure' || x.again > 0);
