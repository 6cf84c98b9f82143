import type { FieldCatalogue } from '../filter/index.js';
import type { Detail, Selection, Viewer } from '../viewer/viewer.js';
import type { PacketList } from './packet-list.js';
import type { Completion, PromptRequest, Verdict } from './prompt.js';
import type { Desk } from './view.js';

/** Milliseconds of quiet after which a filter is tried while it is typed. */
const TRY_MS = 120;
/** Names and values that Tab offers. */
const OFFERED = 300;
/** Values remembered of a field. */
const VALUES = 500;

const COMPARISON =
  /([A-Za-z_][\w.-]*)\s*(?:===?|!==?|~=|[<>]=?|\beq\b|\bne\b|\bcontains\b|\bmatches\b|\bin\s*\{)\s*("?[^"\s{},]*)$/;
const NAME = /[A-Za-z_.][\w.-]*$/;

/** Values of fields that were seen, the most frequent first. */
export class SeenValues {
  private readonly fields = new Map<string, Map<string, number>>();
  private last: Detail | undefined;

  /** Notes the values of a packet. */
  note(detail: Detail): void {
    if (this.last?.row === detail.row) return;
    this.last = detail;
    for (const { field, filter } of detail.nodes) {
      if (filter === undefined || !filter.startsWith(`${field} == `)) continue;
      this.add(field, filter.slice(field.length + 4));
    }
  }

  private add(field: string, value: string): void {
    let values = this.fields.get(field);
    if (values === undefined) this.fields.set(field, (values = new Map()));
    const n = values.get(value);
    if (n !== undefined || values.size < VALUES) values.set(value, (n ?? 0) + 1);
  }

  of(field: string): { text: string; note: string }[] {
    return [...(this.fields.get(field) ?? [])]
      .sort((a, b) => b[1] - a[1])
      .map(([text, n]) => ({ text, note: `seen ${n === 1 ? 'once' : `${n} times`}` }));
  }
}

/** Names that begin so, then those that do if letter case does not count. */
function namesFor(typed: string, fields: FieldCatalogue): { text: string }[] {
  const side = /^(inner|outer)\./.exec(typed)?.[0] ?? '';
  const bare = typed.slice(side.length);
  const lower = bare.toLowerCase();
  const all = [...new Set([...fields.protocols(), ...fields.names()])].sort();
  const exact = all.filter((n) => n.startsWith(bare));
  const loose = all.filter((n) => !n.startsWith(bare) && n.toLowerCase().startsWith(lower));
  return [...exact, ...loose].slice(0, OFFERED).map((n) => ({ text: side + n }));
}

/** Packets that are looked into for the values of a field. */
const LOOKED_INTO = 40;

/** Looks into packets that have a field, so that its values are known when Tab is pressed. */
class Gathering {
  private field = '';
  private current: Selection | undefined;

  constructor(
    private readonly viewer: Viewer,
    private readonly seen: SeenValues,
    private readonly found: () => void,
  ) {}

  /** Looks for values of the field that the text compares last. */
  look(text: string): void {
    const field = COMPARISON.exec(text)?.[1];
    if (field === undefined || field === this.field || this.viewer.check(field) !== null) return;
    this.field = field;
    this.stop();
    const s = this.viewer.select({ kind: 'both', filter: field });
    this.current = s;
    s.onMore(() => {
      if (this.current !== s || (!s.done && s.count < LOOKED_INTO)) return;
      this.current = undefined;
      s.cancel();
      void this.read(s, field);
    });
  }

  stop(): void {
    this.current?.cancel();
    this.current = undefined;
  }

  private async read(s: Selection, field: string): Promise<void> {
    const step = Math.max(1, Math.floor(s.count / LOOKED_INTO));
    for (let i = 0; i < s.count && field === this.field; i += step)
      try {
        this.seen.note(await this.viewer.detail(s.at(i)));
      } catch {
        return; // somebody asked for the tree of another packet
      }
    this.found();
  }
}

/** What Tab offers in a filter: names of fields, and behind a comparison values that were seen. */
export function completeFilter(
  text: string,
  cursor: number,
  fields: FieldCatalogue,
  seen: SeenValues,
): Completion | undefined {
  const before = text.slice(0, cursor);
  const m = COMPARISON.exec(before);
  if (m !== null) {
    const [, field, typed] = m;
    const words = seen.of(field.replace(/^(inner|outer)\./, '')).filter((w) => w.text.startsWith(typed));
    return { from: cursor - typed.length, words };
  }
  const typed = NAME.exec(before)?.[0];
  if (typed === undefined || (before.match(/"/g) ?? []).length % 2 === 1) return undefined;
  return { from: cursor - typed.length, words: namesFor(typed, fields) };
}

/** The line in which a display filter is typed: what is wrong with it, or how many packets it takes, is said at once. */
export class FilterPrompt implements PromptRequest {
  readonly label = '/';
  private preview: Selection | undefined;
  private previewed: string | undefined;
  private timer: NodeJS.Timeout | undefined;
  private readonly gathering: Gathering;
  private judged: { text: string; verdict: Verdict | undefined } | undefined;

  constructor(
    readonly text: string,
    readonly history: string[],
    private readonly desk: Desk,
    private readonly packets: PacketList,
    private readonly seen: SeenValues,
    private readonly apply: (filter: string) => void,
  ) {
    this.gathering = new Gathering(desk.viewer, seen, () => desk.repaint());
  }

  complete(text: string, cursor: number): Completion | undefined {
    return completeFilter(text, cursor, this.desk.fields, this.seen);
  }

  judge(text: string): Verdict | undefined {
    if (text.trim() === '')
      return { text: 'a display filter, as sip || rtp.marker == 1; empty: all packets', wrong: false };
    if (this.judged?.text !== text) this.judged = { text, verdict: this.errorIn(text) };
    if (this.judged.verdict !== undefined) return this.judged.verdict;
    const { preview } = this;
    if (this.previewed !== text || preview === undefined) return { text: '…', wrong: false };
    if (preview.error !== undefined) return { text: preview.error, wrong: true };
    const count = `${preview.count} of ${this.packets.filter === '' ? this.packets.count : preview.seen}`;
    return { text: preview.done ? count : `${count} so far`, wrong: false };
  }

  private errorIn(text: string): Verdict | undefined {
    const e = this.desk.viewer.check(text);
    if (e === null) return undefined;
    const words = e.suggestion === undefined ? e.message : `${e.message} ${e.suggestion}`;
    return { text: words, wrong: true, at: e.position, length: Math.max(1, e.length) };
  }

  changed(text: string): void {
    clearTimeout(this.timer);
    this.preview?.cancel();
    this.preview = undefined;
    this.gathering.look(text);
    if (text.trim() === '' || this.desk.viewer.check(text) !== null) return;
    this.timer = setTimeout(() => {
      this.previewed = text;
      this.preview = this.packets.preview(text);
      this.preview.onMore(() => this.desk.repaint());
      this.desk.repaint();
    }, TRY_MS);
  }

  done(text: string): string | undefined {
    const e = this.desk.viewer.check(text);
    if (e !== null && text.trim() !== '') return e.message;
    this.cancelled();
    this.apply(text.trim());
    return undefined;
  }

  cancelled(): void {
    clearTimeout(this.timer);
    this.preview?.cancel();
    this.gathering.stop();
  }
}
