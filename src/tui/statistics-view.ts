import { type Area, cellsOf } from './cells.js';
import { ChartBoard } from './chart-board.js';
import { csvOf } from './csv.js';
import type { ExportOffer } from './exports.js';
import type { CommandId } from './keymap.js';
import { drawWords } from './list.js';
import {
  type Party,
  partiesOf,
  SPANS,
  type StreamOverTime,
  spanFor,
  streamOverTime,
  type Traffic,
  trafficOf,
} from './series.js';
import { inSlices } from './slices.js';
import {
  codesPanel,
  jitterPanel,
  octetsPanel,
  overheadPanel,
  type Panel6,
  protocolsPanel,
  ratesPanel,
} from './statistics-panels.js';
import {
  figureColumns,
  type LayerLine,
  layerColumns,
  layerTree,
  partyColumns,
  partyFilter,
  protocolsOf,
} from './statistics-tables.js';
import { Table } from './table.js';
import { TableDialog } from './table-dialog.js';
import type { Story } from './told.js';
import type { Desk, MouseAt, Scope, View } from './view.js';
import { count, duration, headsOf, plural } from './words.js';

/** Milliseconds between two counts while packets come, at least; and how many times as long as one took. */
const PAUSE_MS = 1000;
const PAUSE_TIMES = 10;

const PAGES = ['charts', 'conversations', 'endpoints', 'protocols'] as const;
type Page = (typeof PAGES)[number];
/** Spans of time that a chart is divided in at first. */
const SPANS_AT_FIRST = 60;
/** Streams of which jitter is drawn over time. */
const STREAMS = 2;

/** View 6: how much of what, when, and between whom. */
export class StatisticsView implements View {
  readonly id = 'statistics';
  readonly title = 'Stats';
  private page: Page = 'charts';
  /** The layer that the user wants. */
  private chosenLayer: 'inner' | 'outer' | undefined;
  private scope: Scope = {};
  private readonly board: ChartBoard;
  private readonly parties = {
    conversations: new Table<Party>(partyColumns('conversations'), (x, y) => x.a === y.a && x.b === y.b),
    endpoints: new Table<Party>(partyColumns('endpoints'), (x, y) => x.a === y.a),
  };
  private readonly layers: Table<LayerLine>;
  private layerRows = 0;
  private traffic: Traffic | undefined;
  private readonly over = new Map<string, StreamOverTime>();
  /** Seconds of a span of time; 0: as fits. */
  private span = 0;
  private working: (() => void)[] = [];
  private madeFor = '';
  /** What is counted: span, layer and scope. */
  private counted = '';
  /** While packets come: when they are counted again, and what wakes then. */
  private next = 0;
  private waking: NodeJS.Timeout | undefined;
  private story: Story | undefined;
  private readonly dropped = { conversations: 0, endpoints: 0 };

  constructor(private readonly desk: Desk) {
    this.board = new ChartBoard(desk);
    this.layers = new Table(layerColumns(() => this.layerRows));
  }

  /** Whose ends are counted: inner packets where there are any, unless the user wants others. */
  private get layer(): 'inner' | 'outer' {
    const { tunnels: all } = this.desk.viewer.status;
    const { tunnels } = this.scope;
    const isRead = all.some((t) => t.up + t.down > 0 && (tunnels === undefined || tunnels.includes(t.id)));
    return this.chosenLayer ?? (isRead ? 'inner' : 'outer');
  }

  crumbs(): readonly string[] {
    return [
      this.page === 'charts' ? 'charts' : this.page === 'protocols' ? 'protocols' : `${this.page}, ${this.layer}`,
    ];
  }

  status(): string {
    const t = this.traffic;
    if (this.page === 'conversations' || this.page === 'endpoints') {
      const n = this.parties[this.page].items.length;
      const dropped = this.dropped[this.page];
      return dropped > 0 ? `${count(n)}, and ${plural(dropped, 'packet')} of others` : count(n);
    }
    if (this.page === 'protocols') return plural(this.layerRows, 'packet');
    return t === undefined
      ? 'counting …'
      : `${plural(t.packets, t.outer ? 'frame' : 'packet')}  ${duration(t.span * 1000)} each`;
  }

  show(scope: Scope): void {
    this.scope = scope;
    this.desk.told.want();
    this.madeFor = '';
    this.counted = '';
    this.stopAll();
    this.count();
  }

  place(): unknown {
    return { page: this.page };
  }

  restore(place: unknown): void {
    this.page = (place as { page: Page }).page;
  }

  /** Counts anew if there are more rows, now and then while they come, or another span or scope. */
  private count(): void {
    const { rows, status } = this.desk.viewer;
    const counted = `${this.span} ${this.layer} ${this.scope.tunnels?.join() ?? ''}`;
    const key = `${rows.count} ${status.done} ${counted}`;
    if (key === this.madeFor || (!status.done && this.working.length > 0)) return;
    const began = Date.now();
    if (!status.done && counted === this.counted && began < this.next) {
      this.waking ??= setTimeout(() => this.wake(), this.next - began).unref();
      return;
    }
    this.madeFor = key;
    this.counted = counted;
    this.stopAll();
    const done = (): void => {
      const now = Date.now();
      this.next = now + Math.max(PAUSE_MS, PAUSE_TIMES * (now - began));
    };
    const { tunnels } = this.scope;
    const to = rows.count === 0 ? 0 : rows.relative(rows.count - 1);
    const span = this.span === 0 ? spanFor(to, SPANS_AT_FIRST) : this.span;
    this.work(trafficOf(rows, { from: 0, to, ...(tunnels !== undefined && { tunnels }) }, span), (t) => {
      this.traffic = t;
      this.story = undefined;
      done();
    });
    for (const what of ['conversations', 'endpoints'] as const)
      this.work(partiesOf(rows, what, this.layer, tunnels), ({ parties, dropped }) => {
        this.parties[what].set(parties);
        this.dropped[what] = dropped;
        done();
      });
  }

  private wake(): void {
    this.waking = undefined;
    this.desk.repaint();
  }

  private stopAll(): void {
    for (const stop of this.working) stop();
    this.working = [];
  }

  private work<T>(generator: Generator<void, T>, done: (result: T) => void): void {
    const stop = inSlices(this.desk.viewer.rows, generator, (result) => {
      this.working = this.working.filter((w) => w !== stop);
      if (result !== undefined) done(result);
      this.desk.repaint();
    });
    this.working.push(stop);
  }

  /** Makes the charts anew if the report or the counts are others. */
  private refresh(): void {
    this.count();
    const { story } = this.desk.told;
    if (story === this.story && story !== undefined) return;
    if (story !== undefined) {
      this.story = story;
      this.layers.set(layerTree(protocolsOf(story, this.scope.tunnels)));
      this.layerRows = this.layers.items.reduce((n, l) => n + (l.depth === 0 ? l.rows : 0), 0);
      this.followWorst(story);
    }
    this.board.set(this.panels(story));
  }

  private panels(story: Story | undefined): Panel6[] {
    const t = this.traffic;
    const { tunnels } = this.scope;
    if (t === undefined) return [];
    return [
      ratesPanel(t),
      protocolsPanel(t),
      ...(story === undefined
        ? []
        : [codesPanel(story, tunnels), overheadPanel(story, tunnels), jitterPanel(story, this.over, tunnels)].map(
            (p) => (this.desk.told.whole ? p : { ...p, empty: `${p.empty} so far` }),
          )),
      octetsPanel(t),
    ];
  }

  /** Follows the streams that came most unevenly. */
  private followWorst(story: Story): void {
    const { tunnels } = this.scope;
    const here = story.media.filter((m) => tunnels === undefined || tunnels.includes(m.tunnel ?? 0));
    const worst = here.sort((a, b) => (b.jitterMs?.max ?? 0) - (a.jitterMs?.max ?? 0)).slice(0, STREAMS);
    for (const m of worst)
      if (!this.over.has(m.uid))
        this.work(streamOverTime(this.desk.viewer.rows, m, 200), (s) => {
          this.over.set(m.uid, s);
          this.board.set(this.panels(this.story));
        });
  }

  draw(area: Area, focus: boolean): void {
    this.refresh();
    const { theme } = this.desk.preferences;
    this.drawPages(area.part(0, 0, area.width, 1));
    const body = area.part(0, 1, area.width, area.height - 1);
    if (this.page === 'charts') {
      if (this.desk.viewer.rows.count === 0) drawWords(body, theme, [this.emptyWords()]);
      else this.board.draw(body, focus);
      return;
    }
    const table = this.table();
    if (table.items.length > 0) table.draw(body, { theme, focus });
    else drawWords(body, theme, [this.emptyWords()]);
  }

  private drawPages(area: Area): void {
    const { theme } = this.desk.preferences;
    let x = 1;
    for (const page of PAGES) {
      const here = page === this.page;
      x = area.text(x, 0, here ? `[${page}]` : ` ${page} `, here ? theme.strong : theme.dim) + 1;
    }
    const hint = '← →';
    area.text(Math.max(x, area.width - cellsOf(hint) - 1), 0, hint, theme.key);
  }

  private table(): Table<Party> | Table<LayerLine> {
    return this.page === 'conversations' || this.page === 'endpoints' ? this.parties[this.page] : this.layers;
  }

  private emptyWords(): string {
    if (this.working.length > 0) return 'counting …';
    const { rows, status } = this.desk.viewer;
    if (rows.count === 0) return status.done ? 'There are no packets to count.' : 'Reading; numbers follow.';
    if (this.page === 'protocols')
      return this.desk.told.story === undefined ? 'Reading; numbers follow.' : 'No packets.';
    const other = this.layer === 'inner' ? 'outer' : 'inner';
    return `Nothing among the ${this.layer} packets; ${this.desk.keymap.key('layers')} shows the ${other} ones.`;
  }

  offers(): readonly CommandId[] {
    if (this.desk.viewer.rows.count === 0) return ['right', 'view-tunnels', 'help'];
    if (this.page === 'charts')
      return ['next-pane', 'open', 'zoom', 'bigger', 'smaller', 'filter-apply', 'right', 'export', 'help'];
    return ['open', 'sort', 'filter-apply', 'layers', 'export', 'left', 'right', 'help'];
  }

  run(command: CommandId): boolean {
    switch (command) {
      case 'left':
      case 'right':
        this.turn(command === 'left' ? -1 : 1);
        return true;
      case 'bigger':
      case 'smaller':
        return this.page === 'charts' && this.scale(command === 'bigger' ? -1 : 1);
      case 'layers':
        if (this.page === 'charts' || this.page === 'protocols') return false;
        this.chosenLayer = this.layer === 'inner' ? 'outer' : 'inner';
        return true;
      default:
        return this.page === 'charts' ? this.runCharts(command) : this.runTable(command);
    }
  }

  private turn(by: number): void {
    this.page = PAGES[(PAGES.indexOf(this.page) + by + PAGES.length) % PAGES.length];
  }

  /** A shorter or longer span of time. */
  private scale(by: 1 | -1): boolean {
    const now = this.traffic?.span ?? 1;
    const i = SPANS.findIndex((s) => s >= now);
    this.span = SPANS[Math.max(0, Math.min(SPANS.length - 1, i + by))];
    return true;
  }

  private runCharts(command: CommandId): boolean {
    const { current } = this.board;
    if (command === 'filter-apply' || command === 'open') {
      if (current !== undefined) this.desk.show(this.numbers(current));
      return true;
    }
    return this.board.run(command);
  }

  /** The numbers behind a chart, each with its filter. */
  private numbers(panel: Panel6): TableDialog<Panel6['figures'][number]> {
    const table = new Table(figureColumns(panel));
    table.set(panel.figures);
    const filter = (f: Panel6['figures'][number]): string | undefined => f.filter;
    return new TableDialog(this.desk, { title: panel.title, table, filter, empty: panel.empty, width: 84 });
  }

  private runTable(command: CommandId): boolean {
    const table = this.table();
    if (table.run(command)) return true;
    if (command === 'sort') {
      this.desk.say(`${this.page} ${table.sortNext()}`);
      return true;
    }
    if (command !== 'open' && command !== 'filter-apply') return false;
    const filter = this.filterHere();
    if (filter !== undefined) this.desk.perform('filter', filter);
    return true;
  }

  private filterHere(): string | undefined {
    if (this.page === 'protocols') return this.layers.current?.name;
    const { current } = this.parties[this.page === 'conversations' ? 'conversations' : 'endpoints'];
    return current === undefined ? undefined : partyFilter(current);
  }

  exports(): readonly ExportOffer[] {
    const { conversations, endpoints } = this.parties;
    const parties = [
      {
        name: 'conversations as CSV',
        file: 'conversations.csv',
        make: () => csvOf(conversations.columns, conversations.items),
      },
      { name: 'endpoints as CSV', file: 'endpoints.csv', make: () => csvOf(endpoints.columns, endpoints.items) },
      { name: 'protocol layers as CSV', file: 'layers.csv', make: () => csvOf(this.layers.columns, this.layers.items) },
    ];
    const panels = this.panels(this.story).map((p) => ({
      name: `${p.title} as CSV`,
      file: `${p.id}.csv`,
      make: () => csvOf(figureColumns(p), p.figures),
    }));
    const { current } = this.board;
    const first = panels.filter((p) => p.file === `${current?.id}.csv`);
    return this.page === 'charts'
      ? [...first, ...panels.filter((p) => !first.includes(p)), ...parties]
      : [...parties, ...panels];
  }

  mouse(at: MouseAt): boolean {
    if (at.y === 0) {
      let end = 1;
      for (const page of PAGES) {
        end += page.length + 3;
        if (at.x < end) {
          this.page = page;
          return true;
        }
      }
      return false;
    }
    if (this.page === 'charts')
      return this.board.mouse({ ...at, y: at.y - 1 }) && (at.kind !== 'double' || this.run('open'));
    if (this.table().mouse({ ...at, y: at.y - 1 })) this.run('open');
    return true;
  }

  plainItems(): readonly number[] {
    if (this.page !== 'charts') return this.table().plainItems();
    return headsOf(this.plain());
  }

  plainHint(): string {
    const at = PAGES.indexOf(this.page);
    const [left, right] = [-1, 1].map((by) => PAGES[(at + by + PAGES.length) % PAGES.length]);
    return `left shows ${left}, right shows ${right}`;
  }

  plain(width?: number): string[] {
    this.refresh();
    if (this.page !== 'charts') {
      const table = this.table();
      return table.items.length > 0 ? table.plain(width) : [this.emptyWords()];
    }
    return this.panels(this.story).flatMap((p) => [
      `${p.title}:`,
      ...(p.figures.length === 0 ? [`   ${p.empty}`] : p.figures.map((f) => `   ${f.name}: ${f.text}`)),
    ]);
  }
}
