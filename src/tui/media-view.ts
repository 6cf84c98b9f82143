import type { MediaEntity } from '../model/entities.js';
import { codecOf } from '../report/report-words.js';
import type { Viewer } from '../viewer/viewer.js';
import { type Area, cellsOf, wrap } from './cells.js';
import { csvOf } from './csv.js';
import { Reader } from './dialogs.js';
import { unreadWords } from './dialogue-info.js';
import { save } from './export-actions.js';
import type { ExportOffer } from './exports.js';
import type { CommandId } from './keymap.js';
import { drawWords } from './list.js';
import { mediaColumns } from './media-columns.js';
import { mediaInfo, rtcpLines } from './media-words.js';
import { type StreamOverTime, streamOverTime } from './series.js';
import { inSlices } from './slices.js';
import { bars } from './sparks.js';
import { Table } from './table.js';
import { TableFind } from './table-find.js';
import { type Story, sinceThen, untilMore } from './told.js';
import { aboutWords, type Desk, type MouseAt, type Scope, type View } from './view.js';
import { g711, wavOf } from './wav.js';
import { count, duration, headsOf, plural, trimmed } from './words.js';

/** Spans of time that a stream is divided in at most. */
const SPANS = 400;
/** Streams over time that are kept. */
const KEPT = 50;

/** Jitter that fills a chart where there is less, in milliseconds. */
const LEAST_JITTER = 1;

/** View 4: streams of media, how evenly they came, and what was lost. */
export class MediaView implements View {
  readonly id = 'media';
  readonly title = 'Media';
  private readonly table: Table<MediaEntity>;
  private readonly finder: TableFind<MediaEntity>;
  private readonly over = new Map<string, { readonly of: MediaEntity; readonly result: StreamOverTime }>();
  private following: { readonly uid: string; stop(): void } | undefined;
  private scope: Scope = {};
  private story: Story | undefined;
  private cleared = 0;

  constructor(private readonly desk: Desk) {
    this.table = new Table(mediaColumns(desk), (a, b) => a.uid === b.uid);
    this.finder = new TableFind(desk, this.table, (m) => m.ssrc);
  }

  crumbs(): readonly string[] {
    return [];
  }

  status(): string {
    const { items } = this.table;
    const lost = items.reduce((n, m) => n + m.lost, 0);
    const packets = items.reduce((n, m) => n + m.packets, 0);
    const parts = [plural(items.length, 'stream'), plural(packets, 'packet')];
    return sinceThen(this.desk) + (lost > 0 ? [`${count(lost)} lost`, ...parts] : [...parts, '0 lost']).join('  ');
  }

  show(scope: Scope): void {
    this.scope = scope;
    this.story = undefined;
    this.desk.told.want();
    this.refresh();
  }

  place(): unknown {
    return { uid: this.table.current?.uid };
  }

  restore(place: unknown): void {
    const { uid } = place as { uid?: string };
    this.refresh();
    this.table.goToItem((item) => item.uid === uid);
  }

  private refresh(): void {
    const { story } = this.desk.told;
    if (story === this.story) return;
    this.story = story;
    const { call, tunnels } = this.scope;
    const isHere = (m: MediaEntity): boolean =>
      call !== undefined
        ? m.call === call
        : tunnels === undefined || (m.tunnel !== undefined && tunnels.includes(m.tunnel));
    this.table.set((story?.media ?? []).filter(isHere));
  }

  /** The stream over time, as far as it is known; what is not is worked out. Of one that goes on it is what it was. */
  private overTime(m: MediaEntity): StreamOverTime | undefined {
    const { rows } = this.desk.viewer;
    if (rows.cleared !== this.cleared) {
      this.cleared = rows.cleared;
      this.over.clear();
    }
    const known = this.over.get(m.uid);
    if (known?.of === m || this.following?.uid === m.uid) return known?.result;
    this.following?.stop();
    const stop = inSlices(rows, streamOverTime(rows, m, SPANS), (result) => {
      if (this.over.size >= KEPT) this.over.clear();
      if (result !== undefined) this.over.set(m.uid, { of: m, result });
      this.following = undefined;
      this.desk.repaint();
    });
    this.following = { uid: m.uid, stop };
    return known?.result;
  }

  draw(area: Area, focus: boolean): void {
    this.refresh();
    const { theme } = this.desk.preferences;
    const m = this.table.current;
    if (m === undefined) {
      drawWords(area, theme, this.emptyWords());
      return;
    }
    const h = Math.max(3, Math.min(this.table.items.length + 1, Math.floor(area.height * 0.4)));
    this.table.draw(area.part(0, 0, area.width, h), { theme, focus });
    const low = area.part(0, h, area.width, area.height - h);
    low.rule(0, theme.dim, `stream ${m.id}: ${codecOf(m)}, ${m.ssrc}${m.call === undefined ? '' : `, call ${m.call}`}`);
    const body = low.part(1, 1, low.width - 2, low.height - 1);
    const wide = area.width >= 100;
    const left = wide ? Math.floor(body.width * 0.6) : body.width;
    const charts = this.drawCharts(body.part(0, 0, left, body.height), m);
    const words = this.words(m);
    const beside = wide
      ? body.part(left + 2, 0, body.width - left - 2, body.height)
      : body.part(0, charts, body.width, body.height - charts);
    for (const [y, line] of words.flatMap((w) => wrap(w, beside.width)).entries()) beside.text(0, y, line, theme.text);
  }

  /** Jitter and loss over time; returns the lines that they took. */
  private drawCharts(area: Area, m: MediaEntity): number {
    const { theme } = this.desk.preferences;
    const s = this.overTime(m);
    if (s === undefined) {
      area.text(0, 0, 'following the stream …', theme.dim);
      return 2;
    }
    if (s.first < 0) {
      area.text(0, 0, 'no packet of it is in the list', theme.dim);
      return 2;
    }
    const height = area.height >= 24 ? 6 : area.height >= 16 ? 4 : area.height >= 11 ? 2 : 1;
    const most = Math.max(LEAST_JITTER, ...s.jitter);
    // Beside the bars stand their name and the largest value; on one line both want room.
    const left = height === 1 ? 15 : 11;
    const room = area.width - left - 1;
    const width = Math.min(room, s.jitter.length * Math.max(1, Math.floor(room / s.jitter.length)));
    const scaled = (values: readonly number[]): number[] => stretched(values, width);
    let y = chart(
      area,
      0,
      left,
      'jitter',
      duration(most),
      bars(scaled(s.jitter), width, height, most),
      theme.up,
      theme,
    );
    const worst = Math.max(...s.lost);
    y = chart(
      area,
      y,
      left,
      'lost',
      worst === 0 ? 'none' : `${worst}`,
      bars(scaled(s.lost), width, worst === 0 ? 1 : height, worst),
      theme.error,
      theme,
    );
    y = chart(
      area,
      y,
      left,
      'packets',
      `${Math.max(...s.packets)}`,
      bars(scaled(s.packets), width, Math.max(1, height >> 1)),
      theme.rtp,
      theme,
    );
    const scale = `${trimmed(s.jitter.length * s.span, 3)} s in spans of ${duration(s.span * 1000)}; largest value at the left`;
    area.text(Math.max(1, Math.min(left, area.width - cellsOf(scale) - 1)), y, scale, theme.dim);
    return y + 2;
  }

  /** What there is to say of a stream beside its charts. */
  private words(m: MediaEntity): string[] {
    const s = this.over.get(m.uid)?.result;
    const out: string[] = [];
    if (s !== undefined && m.lost > 0) out.push(burstWords(s.bursts));
    if (s?.gap !== undefined && s.first >= 0)
      out.push(`Longest pause: ${duration(s.gap.ms)}, before packet ${this.desk.viewer.rows.id(s.gap.row)}`);
    for (const h of m.headOfLine)
      out.push(
        `Head of line: ${plural(h.packets, 'packet')} waited up to ${duration(h.ms)} for a lost segment of the tunnel`,
      );
    if (m.mos !== undefined) out.push(`MOS ${trimmed(m.mos.value, 2)}: an estimate by ${m.mos.method}`);
    if (m.dtmf !== undefined) out.push(`DTMF: ${m.dtmf}`);
    out.push(...rtcpLines(m));
    if (m.negotiated === undefined) out.push('No session description names this stream: found by its looks');
    return out;
  }

  /** Why the list is empty. */
  private emptyWords(): string[] {
    const { story, error } = this.desk.told;
    if (error !== undefined) return [`The report could not be made: ${error}`];
    if (story === undefined) return ['Reading the capture; streams follow.'];
    if (story.media.length > 0)
      return [
        `No RTP in ${aboutWords(this.id, this.scope) ?? 'this part'}.`,
        this.desk.keymap.words(
          `${plural(story.media.length, 'stream')} in the rest: {view-media} once more shows them.`,
        ),
      ];
    const answered = story.calls.filter((c) => c.answer !== undefined);
    if (answered.length > 0)
      return [
        'No RTP was seen.',
        this.desk.keymap.words(
          `${plural(answered.length, 'call')} answered: {info} on the call (view {view-calls}) and the SDP there ({sdp}) say where media should go.`,
        ),
      ];
    const unread = unreadWords(story);
    if (unread !== undefined) return ['No RTP can be seen.', this.desk.keymap.words(unread)];
    if (!story.whole) return [`No RTP ${untilMore(story, this.desk.viewer)}`];
    return ['No RTP in this capture.', story.calls.length === 0 ? 'There is no call either.' : 'No call was answered.'];
  }

  offers(): readonly CommandId[] {
    if (this.table.current === undefined) return ['view-calls', 'view-tunnels', 'help'];
    return ['open', 'info', 'view-calls', 'sort', 'export', 'copy', 'help'];
  }

  run(command: CommandId, argument = ''): boolean {
    if (this.table.run(command) || this.finder.run(command, argument)) return true;
    const m = this.table.current;
    if (m === undefined) return false;
    switch (command) {
      case 'open':
        this.desk.open('packets', { ...this.selected(), label: `stream ${m.id}` });
        this.desk.perform('filter', this.filterOf(m));
        return true;
      case 'sort':
        this.desk.say(`Streams ${this.table.sortNext()}`);
        return true;
      case 'info':
        this.desk.show(
          new Reader(`Stream ${m.id}`, () => mediaInfo(this.table.items.find((x) => x.uid === m.uid) ?? m), this.desk),
        );
        return true;
      case 'wav':
        this.keepSound();
        return true;
      case 'copy':
        this.desk.copy(mediaInfo(m).join('\n'), `stream ${m.id}`);
        return true;
      default:
        return false;
    }
  }

  /** What takes the packets of a stream, and not those of another with its SSRC: what an echo sends back. */
  private filterOf({ ssrc, source: from, destination: to, uid }: MediaEntity): string {
    const ip = from.address.includes(':') ? 'ipv6' : 'ip';
    const isAlone = !this.desk.told.story?.media.some((m) => m.ssrc === ssrc && m.uid !== uid);
    const ends = [`${ip}.src == ${from.address}`, `udp.srcport == ${from.port}`, `${ip}.dst == ${to.address}`];
    return [`rtp.ssrc == ${ssrc}`, ...(isAlone ? [] : [...ends, `udp.dstport == ${to.port}`])].join(' && ');
  }

  selected(): Scope | undefined {
    const m = this.table.current;
    if (m === undefined) return undefined;
    // Other views tell of the tunnel that it is in, and do not list it alone.
    return {
      ...(m.tunnel !== undefined && { label: `tunnel ${m.tunnel}`, tunnels: [m.tunnel] }),
      ...(m.call !== undefined && { call: m.call }),
    };
  }

  mouse(at: MouseAt): boolean {
    if (this.table.mouse(at)) this.run('open');
    return true;
  }

  exports(): readonly ExportOffer[] {
    const { columns, items } = this.table;
    const sound = this.sound();
    const list = { name: 'streams as CSV', file: 'media.csv', make: () => csvOf(columns, items) };
    return sound === undefined ? [list] : [list, sound];
  }

  /** What was said in the stream under the cursor; undefined where it cannot be decoded. */
  private sound(): ExportOffer | undefined {
    const m = this.table.current;
    const decode = m === undefined ? undefined : g711(m.codec, m.payloadType);
    if (m === undefined || decode === undefined) return undefined;
    let lacks = '';
    return {
      name: `sound of stream ${m.id} as WAV`,
      file: `stream-${m.id}.wav`,
      consent: 'This is what people said to each other. Do you have their consent, or an order, to keep it?',
      make: async () => {
        const { viewer } = this.desk;
        const row = await firstRow(viewer, `rtp.ssrc == ${m.ssrc}`);
        const wanted = { ssrc: Number(m.ssrc), payloadType: m.payloadType, decode };
        const { file, seconds, cut } = wavOf(await viewer.follow(row, 'payload'), wanted);
        if (seconds === 0) throw new Error('no packet of this stream was found');
        lacks = cut ? `only the first ${Math.floor(seconds / 60)} min` : '';
        return file;
      },
      lacks: () => lacks,
    };
  }

  private keepSound(): void {
    const { current } = this.table;
    const sound = this.sound();
    if (sound !== undefined) save(this.desk, sound);
    else if (current !== undefined) this.desk.say(`only G.711 can be heard; this is ${codecOf(current)}`, 'warn');
  }

  plainItems(): readonly number[] {
    return this.table.items.length === 0 ? [] : headsOf(this.plain());
  }

  plain(): string[] {
    this.refresh();
    if (this.table.items.length === 0) return this.emptyWords();
    return this.table.items.flatMap((m) => [`stream ${m.id}`, ...mediaInfo(m).map((l) => `   ${l}`)]);
  }
}

/** The first row that a filter takes. @throws Error where there is none */
function firstRow(viewer: Viewer, filter: string): Promise<number> {
  const s = viewer.select({ kind: 'both', filter });
  return new Promise((resolve, reject) => {
    s.onMore(() => {
      if (s.count > 0) resolve(s.at(0));
      else if (s.done) reject(new Error(s.error ?? 'no packet of this stream was found'));
      else return;
      s.cancel();
    });
  });
}

/** Values over a width: each as often as the width allows. */
function stretched(values: readonly number[], width: number): number[] {
  const times = Math.max(1, Math.floor(width / values.length));
  return times === 1 ? [...values] : values.flatMap((v) => new Array<number>(times).fill(v));
}

/** A chart with its name and its largest value at the left; returns the next line. */
function chart(
  area: Area,
  y: number,
  left: number,
  name: string,
  most: string,
  lines: readonly string[],
  style: number,
  theme: { dim: number; strong: number },
): number {
  area.text(0, y, name, theme.strong);
  if (lines.length > 1) area.text(0, y + 1, most, theme.dim);
  else area.right(left - 1, y, most, theme.dim);
  for (const [i, line] of lines.entries()) area.text(left, y + i, line, style);
  return y + lines.length;
}

/** `Bursts of loss: 3 of 1 packet, 1 of 4`. */
function burstWords(bursts: readonly number[]): string {
  const parts = bursts.flatMap((n, i) =>
    n === 0 ? [] : [`${n}× ${i + 1}${i === bursts.length - 1 ? ' or more' : ''}`],
  );
  return `Lost in a row: ${parts.length === 0 ? 'none' : parts.join(', ')}`;
}
