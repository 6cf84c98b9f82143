import type { FindingEntity, TunnelEntity } from '../model/entities.js';
import { cadenceWords } from '../report/report-words.js';
import type { ViewerStatus } from '../viewer/viewer.js';
import { cadenceOf } from './cadence.js';
import { type Area, clip, wrap } from './cells.js';
import { octetsText } from './chrome.js';
import { csvOf } from './csv.js';
import { Reader } from './dialogs.js';
import type { ExportOffer } from './exports.js';
import { glanceOver, type Overview } from './glance-over.js';
import type { CommandId } from './keymap.js';
import { inSlices } from './slices.js';
import { SIGNS, severityStyle } from './style.js';
import { type Column, Table } from './table.js';
import { TableFind } from './table-find.js';
import type { Story } from './told.js';
import { tunnelCard } from './tunnel-card.js';
import { endText, OTHER, stepsText, type TunnelRow, TunnelRows } from './tunnel-rows.js';
import type { Desk, MouseAt, Scope, View } from './view.js';
import { brief, count, plural } from './words.js';

/** Lines of what is said of the tunnel under the cursor, its rule included: at least, and where the list leaves room. */
const BAND = { least: 4, most: 12 };

/** What a tunnel looks like from outside, as far as it was looked at. */
interface Outside {
  readonly id: number;
  readonly cleared: number;
  /** Rows that there were. */
  readonly count: number;
  words: string;
  stop(): void;
}

/** View 1: the tunnels of the capture, worst first, and what is known of the one under the cursor. */
export class TunnelsView implements View {
  readonly id = 'tunnels';
  readonly title = 'Tunnels';
  private readonly rows = new TunnelRows();
  private readonly table: Table<TunnelRow>;
  private readonly finder: TableFind<TunnelRow>;
  private overview: Overview | undefined;
  private cadence: Outside | undefined;

  constructor(private readonly desk: Desk) {
    this.table = new Table(this.columns(), (a, b) => a.id === b.id);
    this.finder = new TableFind(desk, this.table);
  }

  private columns(): Column<TunnelRow>[] {
    const t = (): Desk['preferences']['theme'] => this.desk.preferences.theme;
    return [
      {
        id: 'sign',
        title: '',
        min: 1,
        max: 1,
        priority: 1,
        text: (r) => SIGNS[r.severity],
        style: (r) => severityStyle(t(), r.severity),
      },
      {
        id: 'number',
        title: '#',
        min: 2,
        max: 5,
        align: 'right',
        priority: 0,
        text: (r) => String(r.id),
        key: (r) => r.id,
      },
      { id: 'ue', title: 'UE', min: 14, max: 47, middle: true, priority: 2, text: (r) => r.ue, key: (r) => r.ue },
      {
        id: 'proxy',
        title: '',
        min: 2,
        max: 2,
        ifAny: true,
        priority: 8,
        text: (r) => (r.proxied ? '>P' : ''),
      },
      {
        id: 'eftf',
        title: 'EFTF',
        min: 14,
        max: 50,
        middle: true,
        priority: 6,
        text: (r) => r.eftf,
        key: (r) => r.eftf,
      },
      { id: 'tls', title: 'TLS', min: 3, max: 5, priority: 7, text: (r) => r.version },
      {
        id: 'keys',
        title: 'keys',
        min: 6,
        max: 13,
        priority: 1,
        text: (r) => r.keys,
        style: (r) => (r.keysAre === 'good' ? t().good : r.keysAre === 'bad' ? t().error : undefined),
        key: (r) => r.keys,
      },
      {
        id: 'envelopes',
        title: 'env up/dn',
        min: 9,
        max: 15,
        priority: 4,
        text: (r) => r.envelopes,
        short: ({ envelopes }) =>
          envelopes === OTHER ? 'other' : envelopes.replace(/\d{4,}/g, (n) => brief(Number(n))),
        key: envelopes,
      },
      {
        id: 'inner',
        title: 'inner IP',
        min: 8,
        max: 39,
        middle: true,
        priority: 5,
        text: (r) => r.inner,
        key: (r) => r.inner,
      },
      {
        id: 'user',
        title: 'user',
        min: 12,
        max: 40,
        middle: true,
        priority: 9,
        text: (r) => r.user,
        key: (r) => r.user,
      },
      {
        id: 'end',
        title: 'end',
        min: 4,
        max: 16,
        whole: true,
        grow: true,
        priority: 3,
        text: (r) => r.end,
        key: (r) => r.end,
      },
    ];
  }

  show(_scope: Scope): void {
    this.desk.told.want();
  }

  badge(): string {
    const { tunnels, moreTunnels } = this.desk.viewer.status;
    const { story, whole } = this.desk.told;
    // Two connections may turn out to be one tunnel.
    const n = whole && story !== undefined ? story.tunnels.length : tunnels.length + moreTunnels;
    return n > 1 ? `(${n})` : '';
  }
  crumbs(): readonly string[] {
    return [];
  }

  status(): string {
    const { items } = this.table;
    if (items.length === 0) return '';
    const read = items.filter((r) => r.keysAre !== 'bad').length;
    const { moreTunnels } = this.desk.viewer.status;
    const rest = this.desk.told.whole || moreTunnels === 0 ? '' : ` and ${count(moreTunnels)} more`;
    const all = `${plural(items.length, 'tunnel')}${rest}`;
    return read === items.length ? all : `${all}, ${read} can be read`;
  }

  draw(area: Area, focus: boolean): void {
    const { desk, table } = this;
    const { status } = desk.viewer;
    desk.told.want();
    table.set(this.rows.get(status, desk.told.story, desk.told.whole));
    if (table.items.length === 0) {
      this.drawEmpty(area);
      return;
    }
    const room = area.height - table.items.length - 1;
    const band = area.height >= 12 ? Math.max(BAND.least, Math.min(BAND.most, room)) : 0;
    table.draw(area.part(0, 0, area.width, area.height - band), { theme: desk.preferences.theme, focus });
    const { current } = table;
    if (band > 0 && current !== undefined) this.drawBand(area.part(0, area.height - band, area.width, band), current);
  }

  /** What a tunnel that cannot be read looks like from outside; it is found out when somebody looks. */
  private outside(id: number): string {
    const { viewer } = this.desk;
    const { rows, status } = viewer;
    const { cleared, count: n } = rows;
    const known = this.cadence;
    // As rows come it is looked at again when there are twice as many.
    const isNew =
      known?.id !== id || known.cleared !== cleared || (status.done ? known.count !== n : n >= 2 * known.count);
    if (known !== undefined && !isNew) return known.words;
    known?.stop();
    const found: Outside = { id, cleared, count: n, words: '', stop: () => undefined };
    this.cadence = found;
    found.stop = inSlices(rows, cadenceOf(rows, id), (c) => {
      if (c !== undefined) found.words = cadenceWords(c);
      this.desk.repaint();
    });
    return found.words;
  }

  private drawBand(area: Area, r: TunnelRow): void {
    const { desk } = this;
    const { theme } = desk.preferences;
    const { story } = desk.told;
    area.rule(0, theme.dim, `tunnel ${r.id}`);
    const lines: string[] = [];
    if (r.keys === 'NO KEY') {
      const read = this.table.items.filter((x) => x.keysAre !== 'bad').length;
      const of = `${read} of ${plural(this.table.items.length, 'tunnel')} can be read`;
      lines.push(`NO KEY: ${of}. Load with ${desk.keymap.key('keys')}, or start the UE with SSLKEYLOGFILE.`);
    }
    const known = r.entity !== undefined && story !== undefined;
    if (known) lines.push(stepsText(r.entity, story));
    if (r.why !== undefined) lines.push(r.why);
    const unread = r.keysAre === 'bad' && r.entity?.tls !== undefined;
    if (unread) lines.push(this.outside(r.id));
    if (known) lines.push(countsText(r, story, unread), ...lastLines(r.entity, story, desk.viewer.status));
    else lines.push('more when the capture has been read');
    const wrapped = lines.filter((l) => l !== '').flatMap((l) => wrap(l, area.width - 2));
    for (const [i, line] of wrapped.slice(0, area.height - 1).entries()) {
      const last = i === area.height - 2 && wrapped.length > area.height - 1;
      area.text(1, i + 1, last ? clip(`${line} …`, area.width - 2) : line, theme.text);
    }
  }

  private drawEmpty(area: Area): void {
    const { theme } = this.desk.preferences;
    let y = 1;
    for (const { text, style } of this.emptyLines())
      for (const line of wrap(text, area.width - 4)) area.text(2, y++, line, theme[style]);
  }

  /** Why there is no tunnel, and what there is instead. */
  private emptyLines(): { text: string; style: 'text' | 'strong' | 'dim' }[] {
    const { keymap, viewer } = this.desk;
    const { status, rows } = viewer;
    const line = (text: string, style: 'text' | 'strong' | 'dim' = 'text') => ({ text, style });
    if (!status.done)
      return [line(status.frames === 0 ? 'Waiting for the first packet.' : 'No tunnel so far.', 'strong')];
    if (status.frames === 0) {
      const why = status.messages.find((m) => m.severity === 'error')?.text;
      return [line('0 packets: the capture is empty.', 'strong'), ...(why === undefined ? [] : [line(why)])];
    }
    this.overview ??= glanceOver(rows);
    const { sip, conversations, rows: looked, isWhole } = this.overview;
    const least = isWhole ? '' : 'at least ';
    return [
      line('No FTT-IMS tunnel: there is no TLS stream, CONNECT or envelope in this capture.', 'strong'),
      line(
        sip > 0
          ? keymap.words(
              `It may have been captured behind the tunnel: ${least}${plural(sip, 'SIP message')} in the clear. {view-packets} shows packets, {view-calls} calls.`,
            )
          : keymap.words('{view-packets} shows the packets.'),
      ),
      line(''),
      line(isWhole ? 'Most packets were between' : `Most of the first ${looked} packets were between`, 'dim'),
      ...conversations.map((c) => line(`  ${String(c.packets).padStart(8)}  ${c.between}  ${c.protocols}`)),
    ];
  }

  offers(): readonly CommandId[] {
    const { length } = this.table.items;
    if (length === 0) return ['view-packets', 'keys', 'palette', 'help'];
    return [
      'open',
      'view-calls',
      'view-findings',
      'keys',
      'info',
      'write',
      'filter',
      'extended',
      'sort',
      'copy',
      'palette',
      'help',
    ];
  }

  run(command: CommandId, argument = ''): boolean {
    const { desk, table } = this;
    const { current } = table;
    if (this.finder.run(command, argument)) return true;
    switch (command) {
      case 'open':
        if (current !== undefined) desk.open('packets', this.scopeOf(current));
        else desk.open('packets');
        return true;
      case 'extended':
        if (current !== undefined) {
          desk.open('calls', this.scopeOf(current));
          desk.perform('extended', 'on');
        }
        return true;
      case 'sort':
        desk.say(`sorted ${table.sortNext().replace('in the first order', 'worst first')}`);
        return true;
      case 'info':
        if (current !== undefined) {
          const newest = (): TunnelRow => table.items.find((r) => r.id === current.id) ?? current;
          const card = (): string[] => tunnelCard(newest(), desk.told.story, desk.viewer.status);
          desk.show(new Reader(`Tunnel ${current.id}`, card, desk));
        }
        return true;
      case 'copy':
        desk.copy(table.plain().join('\n'), plural(table.items.length, 'tunnel'));
        return true;
      default:
        return table.run(command);
    }
  }

  mouse(at: MouseAt): boolean {
    if (this.table.mouse(at)) this.run('open');
    return true;
  }

  private scopeOf(r: TunnelRow): Scope {
    const legs = r.entity?.legs.map((l) => l.tunnel) ?? [];
    return { label: `tunnel ${r.id}`, tunnels: [...new Set([r.id, ...legs])] };
  }

  selected(): Scope | undefined {
    const { current } = this.table;
    return current === undefined ? undefined : this.scopeOf(current);
  }

  place(): unknown {
    return this.table.current?.id;
  }
  restore(place: unknown): void {
    const at = this.table.items.findIndex((r) => r.id === place);
    if (at >= 0) this.table.list.go(at);
  }

  exports(): readonly ExportOffer[] {
    const { columns, items } = this.table;
    // What is a sign on the screen is a word there.
    const words: Readonly<Record<string, (r: TunnelRow) => string>> = {
      sign: (r) => r.severity,
      proxy: (r) => (r.proxied ? 'proxied' : ''),
    };
    const names: Readonly<Record<string, string>> = { sign: 'worst' };
    const told = columns.map((c) => ({
      ...c,
      id: names[c.id] ?? c.id,
      title: c.id,
      text: (r: TunnelRow) => (words[c.id] ?? c.text)(r),
    }));
    return [{ name: 'tunnels as CSV', file: 'tunnels.csv', make: () => csvOf(told, items) }];
  }

  plainItems(): readonly number[] {
    return this.table.plainItems();
  }

  plain(width?: number): string[] {
    const { status } = this.desk.viewer;
    this.table.set(this.rows.get(status, this.desk.told.story, this.desk.told.whole));
    if (this.table.items.length === 0) return this.emptyLines().map((l) => l.text);
    return this.table.plain(width);
  }
}

const envelopes = ({ entity: e }: TunnelRow): number =>
  e === undefined ? 0 : e.envelopes.up.total + e.envelopes.down.total;

/** What was found in a tunnel: `2 calls (1 failed 503)   1 error, 2 warnings   up 23 kB  dn 24 kB`. */
function countsText(r: TunnelRow, story: Story, unread: boolean): string {
  const t = r.entity!;
  const calls = story.calls.filter((c) => c.tunnels.includes(t.id));
  const failed = calls.filter((c) => c.state === 'failed');
  const status = failed[0]?.failure?.status;
  const why = failed.length === 0 ? '' : ` (${count(failed.length)} failed${status === undefined ? '' : ` ${status}`})`;
  const findings = findingsOf(t, story);
  const words = { error: 'error', warn: 'warning', note: 'note' } as const;
  const of = (['error', 'warn', 'note'] as const)
    .map((s) => ({ s, n: findings.filter((f) => f.severity === s).length }))
    .filter(({ n }) => n > 0)
    .map(({ s, n }) => plural(n, words[s]));
  // Of what cannot be read it is not known whether there is any.
  if (unread && calls.length === 0 && envelopes(r) === 0) return of.join(', ');
  const soFar = story.whole ? '' : ' so far';
  return [
    calls.length === 0 ? `no calls${soFar}` : `${plural(calls.length, 'call')}${why}`,
    of.length === 0 ? `no findings${soFar}` : of.join(', '),
    `up ${octetsText(t.envelopes.up.bytes)}  dn ${octetsText(t.envelopes.down.bytes)}`,
  ].join('   ');
}

const findingsOf = (t: TunnelEntity, story: Story): FindingEntity[] =>
  story.findings.filter((f) => f.refs.some((x) => x.kind === 'tunnel' && x.id === t.id));

/** How it ended, who it was, and the worst that was found, a line each. */
function lastLines(t: TunnelEntity, story: Story, status: ViewerStatus): string[] {
  const { subscriber } = t;
  const user = subscriber?.impu[0];
  const worst = findingsOf(t, story).filter((f) => f.severity !== 'note');
  return [
    endText(t, story, status),
    ...(user === undefined ? [] : [`user ${subscriber!.impu.join('  ')}`]),
    ...worst.slice(0, 5).map((f) => `${SIGNS[f.severity]} ${f.title}`),
  ];
}
