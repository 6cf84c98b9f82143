import type { FindingEntity } from '../model/entities.js';
import { aboutOf } from '../report/report-words.js';
import type { Area } from './cells.js';
import { wrap } from './cells.js';
import { csvOf } from './csv.js';
import { Reader } from './dialogs.js';
import type { ExportOffer } from './exports.js';
import type { CommandId } from './keymap.js';
import { drawWords, scrollBar } from './list.js';
import { SIGNS, severityStyle } from './style.js';
import { type Column, cells, Table } from './table.js';
import { TableFind } from './table-find.js';
import { type Story, sinceThen, untilMore } from './told.js';
import { aboutWords, type Desk, type MouseAt, type Reading, type Scope, type View } from './view.js';
import { count, dateTime, headsOf, plural, since } from './words.js';

const RANK = { error: 0, warn: 1, note: 2 } as const;
const WORD = { error: 'error', warn: 'warning', note: 'note' } as const;

/** Codes of findings that the user does not want to see, and how they are remembered. */
export interface Muted {
  readonly codes: Set<string>;
  save(): void;
}

const timeOf = (f: FindingEntity): number => f.first.seconds + f.first.nanos / 1e9;

/** `T1`, `call 2`, `call 2 T1`. */
export function about(f: FindingEntity): string {
  return aboutOf(f)
    .map((r) => (r.kind === 'tunnel' ? `T${r.id}` : `${r.kind} ${r.id}`))
    .join(' ');
}

/** The text of a finding, for the pane beneath the list, for copying and for reports of it. */
function findingText(f: FindingEntity): string[] {
  const sure = f.confidence === 'certain' ? '' : `, ${f.confidence}`;
  const where = about(f);
  const times = f.count === 1 ? 'once' : `${f.count} times`;
  const rows = f.rows.length < f.count && f.rows.length > 0 ? `, the first ${f.rows.length} of them` : '';
  const clause = f.clause === undefined ? '' : ` (${f.clause})`;
  const packets =
    f.rows.length === 0 ? '' : `; ${f.rows.length === 1 ? 'packet' : 'packets'} ${f.rows.slice(0, 8).join(', ')}`;
  return [
    `What: ${f.title}${clause}`,
    `Evidence: ${times}${where === '' ? '' : ` in ${where}`}, first at ${dateTime(f.first)}${sure}${packets}${f.rows.length > 8 ? ' …' : ''}${rows}`,
    `Meaning: ${f.meaning}`,
    `Next: ${f.next}`,
  ];
}

/** What is to be said of a capture without a tunnel and without findings. */
function clearWords({ calls, registrations, media }: Story): string[] {
  const seen = [
    [calls, 'call'],
    [registrations, 'registration'],
    [media, 'media stream'],
  ] as const;
  const words = seen.filter(([all]) => all.length > 0).map(([all, name]) => plural(all.length, name));
  if (words.length > 0) return [`No findings. There is no tunnel; in the clear there are ${words.join(', ')}.`];
  return [
    'There is nothing to judge: no tunnel, call, registration or media stream.',
    '{view-tunnels} says what there is instead.',
  ];
}

/** View 5: what is wrong, why, and what to do. */
export class FindingsView implements View {
  readonly id = 'findings';
  readonly title = 'Findings';
  private scope: Scope = {};
  private grouped = false;
  private readonly table: Table<FindingEntity>;
  private readonly finder: TableFind<FindingEntity>;
  /** Lines that the text of the selected finding is scrolled by. */
  private scrolled = 0;
  /** Lines of the list when it was drawn last; the text stands beneath. */
  private listHeight = 0;
  private onText = false;

  constructor(
    private readonly desk: Desk,
    private readonly muted: Muted,
  ) {
    this.table = new Table(this.columns(), (a, b) => a.uid === b.uid);
    this.finder = new TableFind(desk, this.table);
  }

  private columns(): Column<FindingEntity>[] {
    const style = (f: FindingEntity) => severityStyle(this.desk.preferences.theme, f.severity);
    return [
      {
        id: 'severity',
        title: ' ',
        ...cells(1, 1, 0),
        text: (f) => SIGNS[f.severity],
        style,
        key: (f) => RANK[f.severity],
      },
      { id: 'code', title: 'code', ...cells(24, 27, 6), text: (f) => f.code, style, key: (f) => f.code },
      { id: 'title', title: 'what', ...cells(36, 120, 2), grow: true, text: (f) => `${f.title}. ${f.meaning}` },
      { id: 'about', title: 'about', ...cells(17, 20, 3), text: about, key: about },
      {
        id: 'count',
        title: 'times',
        ...cells(5, 7, 5),
        align: 'right',
        text: (f) => count(f.count),
        key: (f) => f.count,
      },
      {
        id: 'at',
        title: 'at',
        ...cells(9, 12, 4),
        align: 'right',
        text: (f) => this.at(f),
        key: timeOf,
        style: () => this.desk.preferences.theme.dim,
      },
      { id: 'row', title: 'packet', ...cells(6, 12, 3), whole: true, align: 'right', text: (f) => f.rows[0] ?? '' },
    ];
  }

  private at(f: FindingEntity): string {
    const start = this.desk.told.story?.capture.start;
    return start === undefined ? '' : since(start, f.first);
  }

  badge(): string {
    const all = this.desk.told.story?.findings ?? [];
    const bad = all.filter((f) => f.severity !== 'note' && !this.isMuted(f)).length;
    return bad === 0 ? '' : `(${count(bad)})`;
  }

  crumbs(): readonly string[] {
    return [];
  }

  status(): string {
    const { items } = this.table;
    const n = (s: keyof typeof WORD): string => count(items.filter((f) => f.severity === s).length);
    const here = this.inScope().length;
    const all = this.desk.told.story?.findings.length ?? here;
    const counts = `x ${n('error')}  ! ${n('warn')}  i ${n('note')}`;
    const muted = here === items.length ? '' : `  muted ${count(here - items.length)}`;
    return (
      sinceThen(this.desk) +
      counts +
      muted +
      (here === all ? '' : this.desk.keymap.words(`   {view-findings} once more: all ${count(all)}`))
    );
  }

  show(scope: Scope): void {
    this.scope = scope;
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

  private isMuted(f: FindingEntity): boolean {
    const { codes } = this.muted;
    return codes.has(f.code) || codes.has(`${f.code.split('.')[0]}.*`);
  }

  /** Findings about what the scope names. */
  private inScope(): readonly FindingEntity[] {
    const all = this.desk.told.story?.findings ?? [];
    const { call, tunnels } = this.scope;
    if (call === undefined && tunnels === undefined) return all;
    return all.filter(({ refs }) =>
      call !== undefined
        ? refs.some((r) => r.kind === 'call' && r.id === call) || refs.some((r) => this.isMediaOf(r, call))
        : refs.some((r) => r.kind === 'tunnel' && tunnels?.includes(r.id)),
    );
  }

  private isMediaOf(r: FindingEntity['refs'][number], call: number): boolean {
    return r.kind === 'media' && this.desk.told.story?.media.find((m) => m.id === r.id)?.call === call;
  }

  private shown: { all: readonly FindingEntity[]; muted: number; grouped: boolean; scope: Scope } | undefined;

  /** Brings the list up to date, if the report, the scope or what is muted is another. */
  private refresh(): void {
    const all = this.desk.told.story?.findings ?? [];
    const { scope, grouped } = this;
    const muted = this.muted.codes.size;
    const s = this.shown;
    if (s !== undefined && s.all === all && s.muted === muted && s.grouped === grouped && s.scope === scope) return;
    this.shown = { all, muted, grouped, scope };
    const wanted = this.inScope().filter((f) => !this.isMuted(f));
    this.table.set(grouped ? byTunnel(wanted) : wanted);
  }

  draw(area: Area, focus: boolean): void {
    this.refresh();
    const { theme } = this.desk.preferences;
    const { current } = this.table;
    if (current === undefined) {
      this.nothing(area);
      return;
    }
    const text = this.text(current, area.width);
    const room = Math.max(3, Math.min(text.length, Math.floor(area.height * 0.55)));
    const listHeight = Math.max(2, Math.min(this.table.items.length + 1, area.height - room - 1));
    this.listHeight = listHeight;
    this.table.draw(area.part(0, 0, area.width, listHeight), { theme, focus: focus && !this.onText });
    const below = area.part(0, listHeight, area.width, area.height - listHeight);
    below.rule(0, this.onText ? theme.strong : theme.dim, `${WORD[current.severity]} ${current.code}`);
    this.scrolled = Math.max(0, Math.min(this.scrolled, text.length - (below.height - 1)));
    if (text.length > below.height - 1)
      scrollBar(below.part(0, 1, below.width, below.height - 1), theme, this.scrolled, text.length);
    for (const [i, line] of text.slice(this.scrolled, this.scrolled + below.height - 1).entries()) {
      const end = below.text(1, i + 1, line, theme.text);
      const label = /^(What|Evidence|Meaning|Next):/.exec(line)?.[0];
      if (label !== undefined && end > 0) below.restyle(1, i + 1, label.length, theme.strong);
    }
  }

  /** The text of a finding in lines; a blank one between its parts. */
  private text(f: FindingEntity, width: number): string[] {
    return findingText(f).flatMap((part, i) => [...(i > 1 ? [''] : []), ...wrap(part, Math.min(110, width - 2))]);
  }

  private nothing(area: Area): void {
    drawWords(area, this.desk.preferences.theme, this.emptyWords());
  }

  /** Why the list is empty. */
  private emptyWords(): string[] {
    const { told, viewer } = this.desk;
    if (told.error !== undefined) return [`The report could not be made: ${told.error}`];
    if (told.story === undefined) return ['Reading the capture; findings follow.'];
    const hidden = this.inScope().length;
    if (hidden > 0) return [`${plural(hidden, 'finding')} here, all of them muted.  :unmute shows them.`];
    const about = aboutWords(this.id, this.scope);
    if (about !== undefined && told.story.findings.length > 0)
      return [
        `Nothing is wrong with ${about}.`,
        this.desk.keymap.words(
          `${plural(told.story.findings.length, 'finding')} in the rest of the capture: {view-findings} once more.`,
        ),
      ];
    if (!told.story.whole) return [`No findings ${untilMore(told.story, viewer)}`];
    if (viewer.status.frames === 0) return ['There is nothing to judge: the capture has no packets.'];
    if (told.story.tunnels.length > 0) return ['Nothing is wrong: no findings.'];
    return clearWords(told.story).map((line) => this.desk.keymap.words(line));
  }

  offers(): readonly CommandId[] {
    if (this.table.current === undefined) return ['view-tunnels', 'view-packets', 'help'];
    const calls: CommandId[] = this.refOf('call') === undefined ? [] : ['view-calls'];
    return ['open', ...calls, 'mute', 'export', 'sort', 'info', 'copy', 'next-pane', 'help'];
  }

  private refOf(kind: 'tunnel' | 'call'): number | undefined {
    return this.table.current?.refs.find((r) => r.kind === kind)?.id;
  }

  run(command: CommandId, argument: string): boolean {
    if (this.onText && this.runText(command)) return true;
    if (this.table.run(command) || this.finder.run(command, argument)) {
      this.scrolled = 0;
      return true;
    }
    switch (command) {
      case 'next-pane':
      case 'previous-pane':
        this.onText = !this.onText;
        return true;
      case 'sort':
        this.desk.say(`Findings ${this.table.sortNext()}`);
        return true;
      case 'group':
        this.grouped = !this.grouped;
        this.desk.say(this.grouped ? 'Findings under the tunnel that they are about' : 'Findings by severity');
        return true;
      case 'unmute':
        return this.unmute(argument);
      default:
        return this.runOn(command);
    }
  }

  private runText(command: CommandId): boolean {
    const step = { up: -1, down: 1, 'page-up': -8, 'page-down': 8, 'half-up': -4, 'half-down': 4 } as const;
    const by = step[command as keyof typeof step];
    if (by !== undefined) this.scrolled += by;
    if (command === 'top') this.scrolled = 0;
    if (command === 'bottom') this.scrolled = Number.MAX_SAFE_INTEGER;
    return by !== undefined || command === 'top' || command === 'bottom';
  }

  /** Commands about the selected finding. */
  private runOn(command: CommandId): boolean {
    const f = this.table.current;
    if (f === undefined) return false;
    const call = this.refOf('call');
    switch (command) {
      case 'open':
        if (call !== undefined) this.toCall(f, call);
        else this.toPackets(f);
        return true;
      case 'mute':
        this.muted.codes.add(f.code);
        this.muted.save();
        this.desk.say(`${f.code} is muted; :unmute shows it again`);
        return true;
      case 'copy':
        this.desk.copy([f.code, ...findingText(f)].join('\n'), 'the finding');
        return true;
      case 'info':
        this.desk.show(
          new Reader(f.code, () => findingText(this.table.items.find((x) => x.uid === f.uid) ?? f), this.desk),
        );
        return true;
      default:
        return false;
    }
  }

  private toPackets(f: FindingEntity): void {
    this.desk.open('packets', { label: f.code, rows: f.rows, ...(f.rows[0] !== undefined && { at: f.rows[0] }) });
  }

  private toCall(f: FindingEntity, call: number): void {
    this.desk.open('calls', { label: `call ${call}`, call, ...(f.rows[0] !== undefined && { at: f.rows[0] }) });
  }

  selected(): Scope | undefined {
    const f = this.table.current;
    if (f === undefined) return undefined;
    const call = this.refOf('call');
    const tunnel = this.refOf('tunnel');
    return {
      label: f.code,
      rows: f.rows,
      ...(call !== undefined && { call }),
      ...(tunnel !== undefined && { tunnels: [tunnel] }),
      ...(f.rows[0] !== undefined && { at: f.rows[0] }),
    };
  }

  private unmute(code: string): boolean {
    const { codes } = this.muted;
    if (code === '') codes.clear();
    else if (!codes.delete(code)) this.desk.say(`${code} is not muted`, 'warn');
    this.muted.save();
    return true;
  }

  mouse(at: MouseAt): boolean {
    this.onText = at.y >= this.listHeight;
    if (!this.onText) {
      const before = this.table.current;
      if (this.table.mouse(at)) this.run('open', '');
      if (this.table.current !== before) this.scrolled = 0;
    } else if (at.kind === 'wheel-up' || at.kind === 'wheel-down') this.scrolled += at.kind === 'wheel-up' ? -3 : 3;
    return true;
  }

  reading(): Reading | undefined {
    const f = this.table.current;
    return f === undefined ? undefined : { name: f.code, lines: [f.code, '', ...findingText(f)] };
  }

  exports(): readonly ExportOffer[] {
    const { columns, items } = this.table;
    return [{ name: 'findings as CSV', file: 'findings.csv', make: () => csvOf(columns, items) }];
  }

  plainItems(): readonly number[] {
    return this.table.items.length === 0 ? [] : headsOf(this.plain());
  }

  plain(): string[] {
    this.refresh();
    if (this.table.items.length === 0) return this.emptyWords();
    return this.table.items.flatMap((f) => [
      `${WORD[f.severity]} ${f.code}${about(f) === '' ? '' : `, ${about(f)}`}`,
      ...findingText(f).map((line) => `   ${line}`),
    ]);
  }
}

/** Findings in the order of their tunnels; those about none come last. */
function byTunnel(list: readonly FindingEntity[]): FindingEntity[] {
  const tunnel = (f: FindingEntity): number => f.refs.find((r) => r.kind === 'tunnel')?.id ?? Number.MAX_SAFE_INTEGER;
  return [...list].sort((a, b) => tunnel(a) - tunnel(b));
}
