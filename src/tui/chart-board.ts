import { type Area, clip } from './cells.js';
import { drawCharts, type Picture, paintChart, type SparklineChart } from './charts.js';
import { drawFrame } from './frame.js';
import type { CommandId } from './keymap.js';
import { bars, lyingBar } from './sparks.js';
import type { Panel6 } from './statistics-panels.js';
import { Flag, type Style, type Theme, withFlags } from './style.js';
import type { Desk, MouseAt } from './view.js';

interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Lays out charts in boxes: the first in the largest, and as many as there is room for. */
function boxes(n: number, width: number, height: number): Box[] {
  const perRow = width >= 100 ? 4 : width >= 72 ? 3 : width >= 50 ? 2 : 1;
  const upper = Math.max(6, Math.floor(height * 0.55));
  const wide = n < 2 || width < 60 ? width : Math.floor(width * 0.6);
  const out: Box[] = [{ x: 0, y: 0, width: wide, height: Math.min(height, upper) }];
  if (n > 1 && wide < width) out.push({ x: wide, y: 0, width: width - wide, height: Math.min(height, upper) });
  const rest = n - out.length;
  const room = height - upper;
  if (rest <= 0 || room < 4) return out;
  const lines = Math.max(1, Math.min(Math.ceil(rest / perRow), Math.floor(room / 5)));
  for (let i = 0; i < Math.min(rest, lines * perRow); i++) {
    const line = Math.floor(i / perRow);
    const inLine = Math.min(perRow, rest - line * perRow);
    const x = Math.floor(((i % perRow) * width) / inLine);
    const end = Math.floor((((i % perRow) + 1) * width) / inLine);
    const y = upper + Math.floor((line * room) / lines);
    out.push({ x, y, width: end - x, height: upper + Math.floor(((line + 1) * room) / lines) - y });
  }
  return out;
}

/** Charts side by side, one of them with the focus. */
export class ChartBoard {
  private panels: readonly Panel6[] = [];
  private focused = 0;
  private zoomed = false;
  private placed: readonly (Box & { readonly panel: Panel6 })[] = [];
  private pictures = new Map<string, Picture>();
  private drawnFor = '';
  private version = 0;

  constructor(private readonly desk: Desk) {}

  get current(): Panel6 | undefined {
    return this.panels[Math.min(this.focused, this.panels.length - 1)];
  }

  set(panels: readonly Panel6[]): void {
    const before = this.current?.id;
    this.panels = panels;
    this.version++;
    const at = panels.findIndex((p) => p.id === before);
    if (at >= 0) this.focused = at;
  }

  run(command: CommandId): boolean {
    const n = this.panels.length;
    switch (command) {
      case 'next-pane':
      case 'down':
        this.focused = (this.focused + 1) % Math.max(1, n);
        return true;
      case 'previous-pane':
      case 'up':
        this.focused = (this.focused + n - 1) % Math.max(1, n);
        return true;
      case 'top':
        this.focused = 0;
        return true;
      case 'bottom':
        this.focused = Math.max(0, n - 1);
        return true;
      case 'zoom':
        this.zoomed = !this.zoomed;
        return true;
      case 'back':
        if (!this.zoomed) return false;
        this.zoomed = false;
        return true;
      default:
        return false;
    }
  }

  draw(area: Area, focus: boolean): void {
    const { theme } = this.desk.preferences;
    const { current } = this;
    if (current === undefined) {
      area.text(2, 1, 'counting …', theme.dim);
      return;
    }
    this.place(area.width, area.height, current);
    this.request();
    for (const box of this.placed) {
      const part = area.part(box.x, box.y, box.width, box.height);
      const here = focus && box.panel === current;
      const inside = part.part(1, 1, box.width - 2, box.height - 2);
      const names = this.isDrawn(box.panel, inside) ? namesOf(box.panel) : [];
      const legend = names.reduce((n, name) => n + name.length + 4, 0);
      drawFrame(part, theme, clip(box.panel.title, box.width - 6 - legend), here ? theme.key : theme.dim);
      if (here) part.text(1, 0, '>', theme.key);
      this.legend(part, box.width - legend - 2, names);
      this.inside(inside, box.panel);
    }
  }

  private place(width: number, height: number, current: Panel6): void {
    if (this.zoomed) {
      this.placed = [{ x: 0, y: 0, width, height, panel: current }];
      return;
    }
    const laid = boxes(this.panels.length, width, height);
    // The one with the focus is always in sight.
    const shown = this.panels.slice(0, laid.length);
    if (!shown.includes(current)) shown[shown.length - 1] = current;
    this.placed = laid.map((box, i) => ({ ...box, panel: shown[i] }));
  }

  private inside(area: Area, panel: Panel6): void {
    const { theme } = this.desk.preferences;
    const picture = this.pictures.get(panel.id);
    if (panel.figures.length === 0) area.clipped(1, 0, panel.empty, area.width - 1, theme.dim);
    else if (panel.chart === undefined || !fits(panel, area.width, area.height)) {
      if (panel.chart?.kind === 'sparkline') this.sparks(area, panel.chart);
      else this.list(area, panel);
    } else if (picture === undefined) area.text(1, 0, 'drawing …', theme.dim);
    else paintChart(area, picture, theme, this.styles(panel));
  }

  /** Whether there is a picture of a chart, and room for it. */
  private isDrawn(panel: Panel6, { width, height }: Area): boolean {
    return panel.figures.length > 0 && fits(panel, width, height) && this.pictures.has(panel.id);
  }

  private styles(panel: Panel6): readonly Style[] {
    const { theme } = this.desk.preferences;
    return panel.chart?.kind === 'line' ? twoStyles(theme) : theme.series;
  }

  /** Names the lines of a chart in its frame: within it they would stand over them. */
  private legend(frame: Area, x: number, names: readonly string[]): void {
    const { theme } = this.desk.preferences;
    for (const [i, name] of names.entries()) x = frame.text(x, 0, ` ── ${name}`, twoStyles(theme)[i % 2]);
    if (names.length > 0) frame.text(x, 0, ' ', theme.dim);
  }

  /** Sparklines of one line each, where there is no room for those of blessed-contrib. */
  private sparks(area: Area, { titles, values }: SparklineChart): void {
    const { theme } = this.desk.preferences;
    const name = Math.min(Math.max(...titles.map((t) => t.length)), area.width >> 1);
    for (const [y, title] of titles.entries()) {
      area.clipped(0, y, title, name, theme.text);
      const [line] = bars(values[y], area.width - name - 1, 1);
      area.text(name + 1, y, line, theme.series[y % theme.series.length]);
    }
  }

  /** Numbers with bars: for what no chart of blessed-contrib shows well, and where there is no room for one. */
  private list(area: Area, panel: Panel6): void {
    const { theme } = this.desk.preferences;
    const most = Math.max(...panel.figures.map((f) => f.value));
    const name = Math.min(14, Math.max(...panel.figures.slice(0, area.height).map((f) => f.name.length)));
    const words = Math.max(...panel.figures.slice(0, area.height).map((f) => f.text.length));
    const bar = Math.max(0, area.width - name - words - 3);
    for (const [y, f] of panel.figures.slice(0, area.height).entries()) {
      area.clipped(0, y, f.name, name, theme.text);
      if (bar >= 4) area.text(name + 1, y, lyingBar(f.value / most, bar), theme.series[0]);
      area.right(area.width, y, clip(f.text, area.width - name - 1), theme.dim);
    }
  }

  /** Has the charts drawn if they are others, or of another size. */
  private request(): void {
    const jobs = this.placed
      .filter(({ panel, width, height }) => panel.chart !== undefined && fits(panel, width - 2, height - 2))
      .map(({ panel, width, height }) => ({ id: panel.id, chart: panel.chart!, width: width - 2, height: height - 2 }));
    const key = `${this.version} ${jobs.map((j) => `${j.id} ${j.width} ${j.height}`).join()}`;
    if (key === this.drawnFor) return;
    this.drawnFor = key;
    void drawCharts(jobs).then(
      (pictures) => {
        if (key !== this.drawnFor) return;
        this.pictures = new Map(pictures.map((p, i) => [jobs[i].id, p]));
        this.desk.repaint();
      },
      (e: Error) => this.desk.say(`charts cannot be drawn: ${e.message}`, 'warn'),
    );
  }

  mouse(at: MouseAt): boolean {
    const box = this.placed.find((b) => at.x >= b.x && at.x < b.x + b.width && at.y >= b.y && at.y < b.y + b.height);
    if (box === undefined || at.kind === 'wheel-up' || at.kind === 'wheel-down') return false;
    this.focused = this.panels.indexOf(box.panel);
    return true;
  }
}

/** Styles of two lines that cross; without colours one of them is bold. */
const twoStyles = ({ up, down }: Theme): readonly Style[] => [up === down ? withFlags(up, Flag.bold) : up, down];

/** What the lines of a chart are; those of other kinds say it themselves. */
const namesOf = ({ chart }: Panel6): string[] => (chart?.kind === 'line' ? chart.series.map((s) => s.name) : []);

/** Whether a chart can be read in so many cells. */
function fits({ chart }: Panel6, width: number, height: number): boolean {
  if (chart === undefined || chart.kind === 'line') return width >= 24 && height >= 6;
  if (chart.kind === 'bar') return height >= 7 && width >= chart.titles.length * 6;
  return height >= 3 * chart.titles.length && width >= 12;
}
