import type { FilterError } from '../filter/index.js';
import { expanded } from '../filter/saved-filters.js';
import type { Selection } from '../viewer/viewer.js';
import type { FilterWords } from './filter-words.js';
import type { PacketList } from './packet-list.js';
import type { Completion, PromptRequest, Verdict } from './prompt.js';
import type { Desk } from './view.js';
import { count, filterErrorText } from './words.js';

/** Milliseconds of quiet after which a filter is tried while it is typed. */
const TRY_MS = 120;

/** The line in which a display filter is typed: what is wrong with it, or how many packets it takes, is said at once. */
export class FilterPrompt implements PromptRequest {
  readonly label = '/';
  readonly history: string[];
  private preview: Selection | undefined;
  private previewed: string | undefined;
  private timer: NodeJS.Timeout | undefined;
  private judged: { text: string; verdict: Verdict | undefined } | undefined;

  constructor(
    readonly text: string,
    private readonly desk: Desk,
    private readonly packets: PacketList,
    private readonly words: FilterWords,
    private readonly apply: (filter: string) => void,
  ) {
    this.history = [...(desk.memory.state.history.filter ?? [])].reverse();
  }

  complete(text: string, cursor: number): Completion | undefined {
    return this.words.complete(text, cursor);
  }

  judge(text: string): Verdict | undefined {
    if (text.trim() === '')
      return { text: 'a display filter, as sip || rtp.marker == 1; empty: all packets', wrong: false };
    if (this.judged?.text !== text) this.judged = { text, verdict: this.errorIn(text) };
    if (this.judged.verdict !== undefined) return this.judged.verdict;
    const { preview } = this;
    if (this.previewed !== text || preview === undefined) return { text: '…', wrong: false };
    if (preview.error !== undefined) return { text: preview.error, wrong: true };
    const of = this.packets.filter === '' ? this.packets.count : this.packets.seen;
    const matches = `${count(preview.count)} of ${count(of)}`;
    const bare = this.bareFlag(text);
    const hint =
      bare === undefined ? '' : `  by its name alone it only has to be there: ${bare} == 1 asks if it is set`;
    return { text: `${preview.done ? matches : `${matches} so far`}${hint}`, wrong: false };
  }

  /** A flag that stands alone: where it is 0 it is there, too, which surprises. */
  private bareFlag(text: string): string | undefined {
    return text
      .split(/&&|\|\||[()!]|\b(?:and|or|xor|not)\b/)
      .map((part) => part.trim())
      .find((part) => this.desk.fields.byName(part).some((f) => f.type === 'bool'));
  }

  /** What is typed, with saved filters in the place of their names. */
  private meant(text: string): string {
    return expanded(text, this.desk.memory.settings.filters);
  }

  private errorIn(text: string): Verdict | undefined {
    const meant = this.meant(text);
    const e = this.desk.viewer.check(meant);
    if (e === null) return undefined;
    const place = meant === text ? { at: e.position, length: Math.max(1, e.length) } : {};
    return { text: isOnTheWay(meant, e) ? e.message : filterErrorText(e), wrong: true, ...place };
  }

  changed(text: string): void {
    clearTimeout(this.timer);
    this.preview?.cancel();
    this.preview = undefined;
    this.words.lookAhead(text);
    const meant = this.meant(text);
    if (text.trim() === '' || this.desk.viewer.check(meant) !== null) return;
    this.timer = setTimeout(() => {
      this.previewed = text;
      this.preview = this.packets.preview(meant);
      this.preview.onMore(() => this.desk.repaint());
      this.desk.repaint();
    }, TRY_MS);
  }

  done(text: string): string | undefined {
    const e = this.desk.viewer.check(this.meant(text));
    if (e !== null && text.trim() !== '') return e.message;
    this.cancelled();
    if (text.trim() !== '') this.desk.memory.typed('filter', text.trim());
    this.apply(text.trim());
    return undefined;
  }

  cancelled(): void {
    clearTimeout(this.timer);
    this.preview?.cancel();
    this.words.stop();
  }
}

/** Whether what is suggested is how the word goes on that is being typed: Tab does that. */
function isOnTheWay(text: string, { position, length, suggestion }: FilterError): boolean {
  const names = /^Did you mean (.+)\?$/.exec(suggestion ?? '')?.[1].split(' or ');
  const word = text.slice(position).toLowerCase();
  return (
    position + length === text.length &&
    names?.every((n) => n.length > word.length && n.toLowerCase().startsWith(word)) === true
  );
}
