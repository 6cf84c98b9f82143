import type { Row } from '../../engine/row.js';
import { counted, type Field, printable } from '../../kit/index.js';
import type { Moment } from '../../model/moment.js';
import { endpoints } from '../columns.js';
import { LadderBuilder } from '../ladder.js';
import { ladderPage } from '../ladder-text.js';
import { named, type Selector, type StatContext, type Statistic, type StatText, selector } from './statistic.js';

/** What of a flow is drawn, and by which protocols it is known. */
export const FLOWS = { any: [], tcp: ['tcp'], sip: ['sip'], icmp: ['icmp'], icmpv6: ['icmpv6'] } as const;
export type FlowKind = keyof typeof FLOWS;

/** Rows that are drawn; the rest is counted. */
const MOST_ROWS = 20_000;
const MOST_TEXT = 200;
/** Speech that pauses for longer is drawn anew. */
const PAUSE_SECONDS = 5;

/** Packets of speech of one source, folded into a bar. */
interface Speech {
  readonly from: number;
  readonly to: number;
  readonly start: Moment;
  end: Moment;
  packets: number;
}

/** A row as an arrow. */
interface Drawn {
  readonly at: Moment;
  readonly row: string;
  readonly from: number;
  readonly to: number;
  readonly text: string;
}

/** `flow,KIND[,standard|network[,FILTER]]`: every row as an arrow from its sender to its receiver; speech is folded. */
export class Flow implements Statistic {
  readonly asked: string;
  readonly fields: readonly Field[];
  readonly info = true;
  readonly analyseTcp = true;
  private readonly ladder = new LadderBuilder();
  private readonly speech = new Map<string, Speech>();
  private readonly bars: Speech[] = [];
  private readonly drawn: Drawn[] = [];
  private dropped = 0;
  private readonly only: Selector;
  private readonly protocols: readonly string[];

  constructor(cx: StatContext, kind: FlowKind, filter: string) {
    this.asked = cx.asked;
    this.protocols = FLOWS[kind];
    this.only = selector(cx, filter);
    this.fields = [...named(cx.registry, 'eth.src', 'eth.dst', 'sll.src.eth', 'rtp.ssrc'), ...this.only.fields];
  }

  take(row: Row): void {
    const { protocols } = row.dissection;
    if (this.protocols.length > 0 && !this.protocols.some((p) => protocols.includes(p))) return;
    if (!this.only.matches(row)) return;
    const [source, destination] = endpoints(row);
    const at = { seconds: row.seconds, nanos: row.nanos };
    const from = this.ladder.column(source, '', source);
    const to = this.ladder.column(destination, '', destination);
    const protocol = row.dissection.protocol();
    if (protocols.includes('rtp') && !protocols.includes('icmp') && !protocols.includes('icmpv6')) {
      this.speak(`${from} ${to} ${ssrcOf(row)}`, from, to, at);
      return;
    }
    if (this.drawn.length >= MOST_ROWS) {
      this.dropped++;
      return;
    }
    const whole = printable(row.dissection.info());
    const info = whole.length > MOST_TEXT ? `${whole.slice(0, MOST_TEXT)}…` : whole;
    const text = info.startsWith(protocol) ? info : `${protocol} ${info}`;
    this.drawn.push({ at, row: row.id, from, to, text });
  }

  private speak(key: string, from: number, to: number, at: Moment): void {
    let s = this.speech.get(key);
    if (s === undefined || at.seconds - s.end.seconds > PAUSE_SECONDS) {
      if (this.bars.length >= MOST_ROWS) {
        this.dropped++;
        return;
      }
      s = { from, to, start: at, end: at, packets: 0 };
      this.speech.set(key, s);
      this.bars.push(s);
    }
    s.end = at;
    s.packets++;
  }

  text({ width, unicode }: StatText): string {
    const { ladder } = this;
    for (const d of this.drawn) ladder.arrow({ ...d, what: 'other' });
    for (const { start, end, packets, from, to } of this.bars)
      ladder.bar({ at: start, end, from, to, text: `RTP ${counted(packets, 'packet')}`, both: false });
    const page = ladderPage(ladder.build('Flow', MOST_ROWS), { width, unicode });
    return this.dropped === 0 ? page : `${page}… and ${counted(this.dropped, 'more row')}\n`;
  }

  json(): object {
    const { columns } = this.ladder;
    const ends = columns.map((c) => c.address);
    const rows = this.drawn.map(({ at, row, from, to, text }) => ({
      row,
      epoch: `${at.seconds}.${String(at.nanos).padStart(9, '0')}`,
      from: ends[from],
      to: ends[to],
      text,
    }));
    const rtp = this.bars.map((s) => ({ from: ends[s.from], to: ends[s.to], packets: s.packets }));
    return { statistic: this.asked, filter: this.only.text, ends, rows, rtp, dropped: this.dropped };
  }
}

function ssrcOf(row: Row): number {
  const t = row.dissection.tree;
  for (let i = t.length - 1; i >= 0; i--) if (t.field(i).name === 'rtp.ssrc') return t.number[i];
  return 0;
}
