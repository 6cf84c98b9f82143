import type { Row } from '../../engine/row.js';
import { type Field, printable } from '../../kit/index.js';
import { CATALOGUE } from '../../model/catalogue.js';
import { named, type Selector, type StatContext, type Statistic, selector } from './statistic.js';

/** Severities, the worst first, and what tshark calls their lists. */
export const SEVERITIES = {
  error: 'Errors',
  warn: 'Warns',
  note: 'Notes',
  chat: 'Chats',
  comment: 'Comments',
} as const;
/** A severity as `-z expert,…` names it. */
export type StatSeverity = keyof typeof SEVERITIES;

interface Entry {
  readonly severity: StatSeverity;
  readonly group: string;
  readonly protocol: string;
  readonly summary: string;
  frequency: number;
}

/** Wireshark's group of an item, as its code tells it. */
const groupOf = (code: string): string =>
  code === 'frame.comment'
    ? 'Comment'
    : /checksum/.test(code)
      ? 'Checksum'
      : /malformed|short|truncated/.test(code)
        ? 'Malformed'
        : code.startsWith('tcp.') || code === 'http.start-line'
          ? 'Sequence'
          : 'Protocol';

/** `expert[,SEVERITY[,FILTER]]`: what was noticed, of this severity and worse, each wording with its number. */
export class Experts implements Statistic {
  readonly asked: string;
  readonly fields: readonly Field[];
  readonly experts = true;
  readonly analyseTcp = true;
  private readonly only: Selector;
  private readonly list = new Map<string, Entry>();

  constructor(
    cx: StatContext,
    private readonly least: StatSeverity,
    filter: string,
  ) {
    this.asked = cx.asked;
    this.only = selector(cx, filter);
    // What dissectors notice hangs on their nodes: that of the layer is enough.
    const layers = named(cx.registry, ...cx.registry.protocols()).filter((f) => f.type === 'protocol');
    this.fields = [...layers, ...this.only.fields];
  }

  take(row: Row): void {
    if (!this.only.matches(row)) return;
    for (const { expert, message } of row.dissection.tree.experts) this.add(expert.severity, expert.code, message);
    for (const code of row.findings) {
      const f = (CATALOGUE as Readonly<Record<string, { severity: StatSeverity; title: string } | undefined>>)[code];
      this.add(f?.severity ?? 'note', code, f?.title ?? code);
    }
  }

  private add(severity: StatSeverity, code: string, summary: string): void {
    const [layer] = code.split('.');
    const protocol = layer === 'frame' ? 'Frame' : layer.toUpperCase();
    const key = `${severity} ${protocol} ${summary}`;
    const known = this.list.get(key);
    if (known === undefined) this.list.set(key, { severity, group: groupOf(code), protocol, summary, frequency: 1 });
    else known.frequency++;
  }

  private get shown(): (readonly [StatSeverity, Entry[]])[] {
    const names = Object.keys(SEVERITIES) as StatSeverity[];
    const wanted = names.slice(0, names.indexOf(this.least) + 1);
    return wanted.map((s) => [s, [...this.list.values()].filter((e) => e.severity === s)] as const);
  }

  text(): string {
    let out = '';
    for (const [severity, entries] of this.shown) {
      if (entries.length === 0) continue;
      const total = entries.reduce((n, e) => n + e.frequency, 0);
      out += `\n${SEVERITIES[severity]} (${total})\n=============\n   Frequency      Group           Protocol  Summary\n`;
      for (const e of entries)
        out += `${String(e.frequency).padStart(12)} ${e.group.padStart(10)} ${e.protocol.padStart(18)}  ${printable(e.summary)}\n`;
    }
    return out;
  }

  json(): object {
    return { statistic: this.asked, filter: this.only.text, items: this.shown.flatMap(([, entries]) => entries) };
  }
}
