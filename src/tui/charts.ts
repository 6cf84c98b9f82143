import { PassThrough, Writable } from 'node:stream';
import type { Area } from './cells.js';
import type { Style, Theme } from './style.js';

/*
 * Charts of blessed-contrib as cells: each is drawn on a screen that nobody sees, and read from it. blessed-contrib is
 * loaded when the first chart is wanted.
 */

/** A line over time. */
export interface LineChart {
  readonly kind: 'line';
  readonly series: readonly { readonly name: string; readonly values: readonly number[] }[];
  /** Words beneath, one for each value. */
  readonly labels: readonly string[];
}
/** Bars with their titles, as blessed-contrib's `bar` takes them. */
export interface BarChart {
  readonly kind: 'bar';
  readonly titles: readonly string[];
  readonly values: readonly number[];
}
/** Lines of one row each, as blessed-contrib's `sparkline` takes them. */
export interface SparklineChart {
  readonly kind: 'sparkline';
  readonly titles: readonly string[];
  readonly values: readonly (readonly number[])[];
}
/** A chart, in data: {@link Terminal} has blessed-contrib draw it. */
export type Chart = LineChart | BarChart | SparklineChart;

/** A chart that was drawn; {@link paintChart} puts it on the screen. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly chars: readonly string[];
  /** What each cell is: 0 words and axes, from 1 on the series. */
  readonly kinds: Uint8Array;
}

/** Colours that series are drawn in on the hidden screen, to tell them apart when it is read. */
const SERIES = ['red', 'green', 'yellow', 'blue', 'magenta', 'cyan'] as const;
const WORDS = 'white';
/** Lines that a line chart of blessed-contrib leaves empty. */
const UNUSED = 3;

/** A widget of blessed-contrib, of which no useful types exist. */
interface Widget {
  setData(...data: unknown[]): void;
}
interface HiddenScreen {
  lines: [attribute: number, char: string][][];
  append(w: Widget): void;
  remove(w: Widget): void;
  render(): void;
  destroy(): void;
}
type Maker = new (options: object) => Widget;
interface Library {
  readonly screen: (options: object) => HiddenScreen;
  readonly line: Maker;
  readonly bar: Maker;
  readonly sparkline: Maker;
}

let library: Promise<Library> | undefined;

async function load(): Promise<Library> {
  const get = async (path: string): Promise<unknown> => ((await import(path)) as { default: unknown }).default;
  const { screen } = (await get('blessed')) as { screen: Library['screen'] };
  const widgets = 'blessed-contrib/lib/widget';
  const [line, bar, sparkline] = await Promise.all(
    ['charts/line.js', 'charts/bar.js', 'sparkline.js'].map((name) => get(`${widgets}/${name}`) as Promise<Maker>),
  );
  return { screen, line, bar, sparkline };
}

/** Draws charts, each in a size of its own. */
export async function drawCharts(
  jobs: readonly { readonly chart: Chart; readonly width: number; readonly height: number }[],
): Promise<Picture[]> {
  const lib = await (library ??= load());
  const size = {
    columns: Math.max(1, ...jobs.map((j) => j.width)),
    rows: UNUSED + Math.max(1, ...jobs.map((j) => j.height)),
  };
  const output = Object.assign(new Writable({ write: (_chunk, _encoding, done) => done() }), size, { isTTY: true });
  const hidden = {
    input: new PassThrough(),
    output,
    terminal: 'xterm-256color',
    fullUnicode: true,
    forceUnicode: true,
  };
  const screen = lib.screen(hidden);
  try {
    return jobs.map(({ chart, width, height }) => drawn(lib, screen, chart, width, height));
  } finally {
    screen.destroy();
  }
}

function drawn(lib: Library, screen: HiddenScreen, chart: Chart, width: number, height: number): Picture {
  // Beneath its labels a line chart leaves lines empty, which are cut off here.
  // With the terminal there are two screens, and blessed wants to be told which one is meant.
  const at = { screen, top: 0, left: 0, width, height: chart.kind === 'line' ? height + UNUSED : height };
  const widget = made(lib, chart, at);
  screen.append(widget);
  setData(widget, chart);
  screen.render();
  const chars: string[] = [];
  const kinds = new Uint8Array(width * height);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const [attribute, char] = screen.lines[y]?.[x] ?? [0, ' '];
      const background = kindOf(attribute & 0x1ff);
      chars.push(background > 0 && char === ' ' ? '█' : char === '' ? ' ' : char);
      kinds[y * width + x] = background > 0 && char !== ' ' ? 0 : background || kindOf((attribute >> 9) & 0x1ff);
    }
  screen.remove(widget);
  return { width, height, chars, kinds };
}

/** Number of the series that a colour stands for, 0 for none. blessed counts colours as terminals do. */
const kindOf = (colour: number): number => (colour >= 1 && colour <= SERIES.length ? colour : 0);

function made(lib: Library, chart: Chart, at: { width: number; height: number }): Widget {
  switch (chart.kind) {
    case 'line': {
      const most = Math.max(1, ...chart.series.flatMap((s) => s.values));
      const style = { line: SERIES[0], text: WORDS, baseline: WORDS };
      const xLabelPadding = Math.max(3, String(Math.round(most)).length + 1);
      const labelled = Math.max(1, Math.ceil((chart.labels.length * 12) / Math.max(12, at.width)));
      const options = { style, xLabelPadding, xPadding: 5, numYLabels: at.height >= 10 ? 5 : 3, maxY: most };
      return new lib.line({
        ...at,
        ...options,
        showNthLabel: labelled,
        wholeNumbersOnly: most >= 5,
        showLegend: false,
      });
    }
    case 'bar': {
      const barWidth = Math.max(3, Math.min(8, Math.floor(at.width / Math.max(1, chart.titles.length)) - 3));
      const colours = { barBgColor: SERIES[0], barFgColor: WORDS, labelColor: WORDS };
      const most = Math.max(1, ...chart.values);
      return new lib.bar({ ...at, ...colours, barWidth, barSpacing: barWidth + 3, xOffset: 0, maxHeight: most });
    }
    case 'sparkline':
      return new lib.sparkline({ ...at, tags: true, style: { fg: SERIES[0], titleFg: WORDS } });
  }
}

function setData(widget: Widget, chart: Chart): void {
  if (chart.kind === 'line')
    widget.setData(
      chart.series.map(({ name, values }, i) => ({
        title: name,
        x: chart.labels,
        y: values,
        style: { line: SERIES[i % SERIES.length] },
      })),
    );
  else if (chart.kind === 'bar') widget.setData({ titles: chart.titles, data: chart.values });
  else widget.setData(chart.titles, chart.values);
}

/** Puts a picture on the screen. `series`: the styles of its series; where there is one it serves all. */
export function paintChart(area: Area, picture: Picture, theme: Theme, series: readonly Style[]): void {
  const { width, height, chars, kinds } = picture;
  for (let y = 0; y < Math.min(height, area.height); y++)
    for (let x = 0; x < Math.min(width, area.width); x++) {
      const kind = kinds[y * width + x];
      area.text(x, y, chars[y * width + x], kind === 0 ? theme.dim : series[(kind - 1) % series.length]);
    }
}
