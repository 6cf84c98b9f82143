import { type Area, cellsOf, fit } from './cells.js';
import { listedOf } from './chosen-rows.js';
import { csvOf } from './csv.js';
import {
  type Dialogue,
  dialogScope,
  dialoguesOf,
  isBad,
  nameOf,
  partiesOf,
  rowsOf,
  titleOf,
  tunnelScope,
  tunnelsOf,
  wordsOf,
} from './dialog-list.js';
import { Reader } from './dialogs.js';
import { dialogueColumns } from './dialogue-columns.js';
import { dialogueInfo, noDialogues } from './dialogue-info.js';
import { jsonOffer, ladderLines, ladderOffers } from './export-actions.js';
import type { ExportOffer } from './exports.js';
import { FlowPane } from './flow-pane.js';
import { dialogueFlow, extendedFlow, type Flow } from './flows.js';
import type { CommandId } from './keymap.js';
import { drawWords } from './list.js';
import { Table } from './table.js';
import { TableFind } from './table-find.js';
import { type Story, sinceThen } from './told.js';
import type { Desk, MouseAt, Reading, Scope, View } from './view.js';
import { count, headsOf, plural } from './words.js';

type Pane = 'list' | 'ladder' | 'message';
const PANES: readonly Pane[] = ['list', 'ladder', 'message'];

/** `6 calls (1 failed)`: each kind with what failed of it. */
function counted(all: readonly Dialogue[], word: string): string {
  const bad = all.filter(isBad).length;
  return `${plural(all.length, word)}${bad > 0 ? ` (${count(bad)} failed)` : ''}`;
}

/** View 3: calls, registrations and what else has a ladder. */
export class CallsView implements View {
  readonly id = 'calls';
  readonly title = 'Calls';
  private readonly table: Table<Dialogue>;
  private readonly finder: TableFind<Dialogue>;
  private readonly below: FlowPane;
  private scope: Scope = {};
  private pane: Pane = 'list';
  /** The pane with the focus stands alone. */
  private zoomed = false;
  /** The ladder is that of the whole tunnel. */
  private extended = false;
  /** Names of dialogues that are shown together. */
  private readonly picked = new Set<string>();
  private story: Story | undefined;
  private flowOf = '';
  private lastFlow: Flow | undefined;
  /** The row to go to once its ladder is there. */
  private goingTo: string | undefined;
  private listHeight = 0;

  constructor(private readonly desk: Desk) {
    this.table = new Table(dialogueColumns(desk, this.picked), (a, b) => nameOf(a) === nameOf(b));
    this.finder = new TableFind(desk, this.table, wordsOf);
    this.below = new FlowPane(desk);
  }

  badge(): string {
    const bad = this.desk.told.story?.calls.filter((c) => c.state === 'failed').length ?? 0;
    return bad === 0 ? '' : `(${count(bad)} failed)`;
  }

  crumbs(): readonly string[] {
    const { current } = this.table;
    const what = this.extended ? 'from the SYN on' : 'ladder';
    if (current === undefined && this.lastFlow !== undefined) return [what];
    if (this.pane === 'list' || current === undefined) return [];
    const shown = this.together();
    return [shown.length > 1 ? plural(shown.length, 'dialog') : nameOf(current), what];
  }

  status(): string {
    const { beyond } = this.below.ladder;
    if (this.pane !== 'list' && beyond !== '') return beyond;
    const { items } = this.table;
    const others = items.filter((d) => d.kind === 'message' || d.kind === 'subscription');
    const all = [
      counted(
        items.filter((d) => d.kind === 'call'),
        'call',
      ),
      counted(
        items.filter((d) => d.kind === 'registration'),
        'registration',
      ),
      ...(others.length > 0 ? [counted(others, 'other')] : []),
    ];
    const { told } = this.desk;
    return (told.hasMoreCalls ? 'so far: ' : sinceThen(this.desk)) + all.join('  ');
  }

  show(scope: Scope): void {
    if (scope !== this.scope) this.extended = false;
    this.scope = scope;
    this.desk.told.want();
    this.story = undefined;
    this.goingTo = undefined;
    this.refresh();
    // The row is looked for in the ladder of the call, not in the one that was there before.
    this.goingTo = scope.at;
    this.zoomed = scope.call !== undefined;
    this.pane = 'list';
    if (scope.call !== undefined) this.toLadder(`call ${scope.call}`);
  }

  private toLadder(name: string): void {
    const i = this.table.items.findIndex((d) => nameOf(d) === name);
    if (i < 0) return;
    this.table.goTo(i);
    this.pane = 'ladder';
  }

  place(): unknown {
    const { current } = this.table;
    const { pane, zoomed, extended } = this;
    return { name: current && nameOf(current), pane, zoomed, extended, row: this.below.row };
  }

  restore(place: unknown): void {
    const p = place as { name?: string; pane: Pane; zoomed: boolean; extended: boolean; row?: string };
    if (p.name !== undefined) this.toLadder(p.name);
    this.pane = p.pane;
    this.zoomed = p.zoomed;
    this.extended = p.extended;
    this.goingTo = p.row;
  }

  /** Brings the list and the ladder up to date. */
  private refresh(): void {
    this.desk.told.wantCalls();
    const { story } = this.desk.told;
    if (story !== this.story) {
      this.story = story;
      this.flowOf = '';
      this.below.forget();
      this.table.set(story === undefined ? [] : dialoguesOf(story).filter((d) => this.isHere(d)));
      this.pursue();
    }
    const shown = this.together();
    const key = `${this.extended} ${shown.map(nameOf).join()}`;
    if (key !== this.flowOf) {
      this.flowOf = key;
      this.lastFlow = story === undefined ? undefined : this.flow(story, shown);
      this.below.set(this.lastFlow);
    }
    if (this.goingTo === undefined || this.lastFlow === undefined || this.awaitsCall) return;
    const row = this.goingTo;
    this.goingTo = undefined;
    this.below.ladder.goTo((x) => x.kind === 'arrow' && x.row === row);
  }

  /** The ladder of dialogues, or of the tunnels that they are in; where there are none, of those that are looked at. */
  private flow(story: Story, shown: readonly Dialogue[]): Flow | undefined {
    const tunnels = new Set(shown.length > 0 ? shown.flatMap(tunnelsOf) : this.scope.tunnels);
    if (this.extended && tunnels.size > 0) return extendedFlow(story, tunnels, shown);
    return shown.length === 0 ? undefined : dialogueFlow(story, shown);
  }

  /** A call was asked for before the report was there. */
  private get awaitsCall(): boolean {
    return this.scope.call !== undefined && this.pane === 'list' && this.zoomed;
  }

  private pursue(): void {
    if (this.awaitsCall && this.story !== undefined) this.toLadder(`call ${this.scope.call}`);
  }

  private isHere(d: Dialogue): boolean {
    const { tunnels } = this.scope;
    return tunnels === undefined || tunnelsOf(d).some((t) => tunnels.includes(t));
  }

  /** What the ladder shows: what is selected, or the one under the cursor. */
  private together(): Dialogue[] {
    const { current, items } = this.table;
    const picked = items.filter((d) => this.picked.has(nameOf(d)));
    return picked.length > 0 ? picked : current === undefined ? [] : [current];
  }

  draw(area: Area, focus: boolean): void {
    this.refresh();
    const { theme } = this.desk.preferences;
    const { pane, zoomed } = this;
    if (this.isEmpty) {
      drawWords(area, theme, noDialogues(this.desk, this.scope));
      return;
    }
    const h = this.heightOfList(area.height);
    this.listHeight = h;
    if (h > 0) this.table.draw(area.part(0, 0, area.width, h), { theme, focus: focus && pane === 'list' });
    if (h >= area.height) return;
    const low = area.part(0, h, area.width, area.height - h);
    low.rule(0, pane === 'list' ? theme.dim : theme.strong, this.flowTitle(low.width));
    const part = focus && pane !== 'list' ? pane : undefined;
    this.below.draw(low.part(0, 1, low.width, low.height - 1), part, zoomed && pane === 'message');
  }

  /** There is neither a dialogue nor the ladder of a tunnel. */
  private get isEmpty(): boolean {
    return this.table.items.length === 0 && this.lastFlow === undefined;
  }

  private heightOfList(height: number): number {
    if (this.table.items.length === 0) return 0;
    if (this.zoomed) return this.pane === 'list' ? height : 0;
    const most = this.pane === 'list' ? Math.max(5, Math.floor(height * 0.45)) : Math.max(4, height >> 2);
    return Math.min(this.table.items.length + 1, most);
  }

  /** What stands above the ladder, in so many cells. */
  private flowTitle(width: number): string {
    const shown = this.together();
    const names = shown.length > 3 ? plural(shown.length, 'dialog') : shown.map(nameOf).join(', ');
    const what = shown.length === 0 ? (this.lastFlow?.title ?? '') : this.extended ? `tunnel of ${names}` : names;
    const { states } = this.below;
    const parties =
      states.length === 0 && shown.length === 1 ? [partiesOf(shown[0], width - cellsOf(what) - 6)] : states;
    return [what, ...parties].join('  ');
  }

  offers(): readonly CommandId[] {
    if (this.isEmpty)
      return [...(this.scope.tunnels === undefined ? [] : (['extended'] as const)), 'keys', 'view-tunnels', 'help'];
    if (this.pane === 'list')
      return ['open', 'select', 'extended', 'sort', 'info', 'export', 'view-packets', 'find', 'next-pane', 'help'];
    if (this.pane === 'message') return ['zoom', 'copy', 'raw', 'next-pane', 'back', 'help'];
    return [
      'open',
      'select',
      'next-finding',
      'media-lane',
      'sdp',
      'extended',
      'layers',
      'export',
      'view-packets',
      'colours',
      'help',
    ];
  }

  run(command: CommandId, argument = ''): boolean {
    const { pane } = this;
    if (command === 'back' && this.goBack()) return true;
    if (pane === 'list' ? this.runList(command, argument) : this.below.run(command, pane)) return true;
    switch (command) {
      case 'open':
        this.openMore();
        return true;
      case 'next-pane':
        this.turn(1);
        return true;
      case 'previous-pane':
        this.turn(-1);
        return true;
      case 'zoom':
        this.zoomed = !this.zoomed;
        return true;
      case 'extended':
        this.extend(argument === 'on' || !this.extended, argument === 'on');
        return true;
      default:
        return this.below.run(command, undefined) || this.runOn(command);
    }
  }

  /** Shows the ladder of the whole tunnel, or that of the dialogue; `alone`: without the list. */
  private extend(on: boolean, alone: boolean): void {
    this.extended = on;
    this.goingTo = this.below.row;
    if (alone || this.table.items.length === 0) {
      this.pane = on ? 'ladder' : 'list';
      this.zoomed = on;
    }
  }

  /** One step back within the view; false: it is left. */
  private goBack(): boolean {
    if (this.pane === 'message') {
      this.pane = 'ladder';
      this.below.showsMessage = false;
      return true;
    }
    if (this.pane === 'list' || this.scope.call !== undefined || this.table.items.length === 0) return false;
    this.pane = 'list';
    this.zoomed = false;
    return true;
  }

  private openMore(): void {
    if (this.pane === 'list') {
      this.pane = 'ladder';
      this.zoomed = true;
    } else if (this.pane === 'ladder') {
      this.pane = 'message';
      this.below.showsMessage = true;
    }
  }

  private turn(by: 1 | -1): void {
    this.pane = PANES[(PANES.indexOf(this.pane) + by + 3) % 3];
    if (this.pane === 'message') this.below.showsMessage = true;
  }

  private runList(command: CommandId, argument: string): boolean {
    if (this.table.run(command) || this.finder.run(command, argument)) return true;
    const { current } = this.table;
    if (command === 'sort') this.desk.say(`Calls ${this.table.sortNext()}`);
    else if (command === 'select' && current !== undefined) this.pick(nameOf(current));
    else return false;
    return true;
  }

  private pick(name: string): void {
    if (!this.picked.delete(name)) this.picked.add(name);
    const n = this.picked.size;
    this.desk.say(
      n === 0
        ? 'nothing selected'
        : `${plural(n, 'dialog')} selected; ${this.desk.keymap.key('open')} shows them in one ladder`,
    );
    this.table.list.run('down');
  }

  /** A dialogue as it is told of now. */
  private newest(d: Dialogue): Dialogue {
    return this.table.items.find((x) => x.kind === d.kind && x.entity.uid === d.entity.uid) ?? d;
  }

  /** Commands about the dialogue or message under the cursor. */
  private runOn(command: CommandId): boolean {
    const { current } = this.table;
    if (current === undefined) return false;
    const row = this.pane === 'list' ? undefined : this.below.row;
    if (command === 'layers') this.toFrames(current, row ?? rowsOf(current)[0]);
    else if (command === 'info')
      this.desk.show(new Reader(titleOf(current), () => dialogueInfo(this.newest(current), this.story), this.desk));
    else if (command === 'copy' && row === undefined)
      this.desk.copy(dialogueInfo(current, this.story).join('\n'), nameOf(current));
    else if (command === 'copy' && row !== undefined)
      this.below.source.whenRead(row, (m) => this.desk.copy(m.lines.join('\n'), `packet ${row}`));
    else if (command === 'raw' && row !== undefined)
      this.below.source.whenRead(row, (m) => this.desk.show(new Reader(`Packet ${row}`, m.lines, this.desk)));
    else return false;
    return true;
  }

  /** The frames that carried a message, among those of its tunnel. */
  private toFrames(d: Dialogue, row: string | undefined): void {
    if (row === undefined) return;
    const label = `frames around ${row}`;
    this.desk.open('packets', { label, ...tunnelScope(d), at: row, frames: true });
  }

  reading(): Reading | undefined {
    const { current } = this.table;
    const { row, source } = this.below;
    if (current === undefined) return undefined;
    if (this.pane === 'message' && row !== undefined) return { name: `packet-${row}`, lines: source.get(row).lines };
    if (this.pane === 'list' || this.lastFlow === undefined)
      return { name: nameOf(current), lines: dialogueInfo(current, this.story) };
    return { name: `ladder-${nameOf(current)}`, lines: ladderLines(this.lastFlow) };
  }

  exports(): readonly ExportOffer[] {
    this.refresh();
    const { items, columns } = this.table;
    const list = { name: 'calls as CSV', file: 'calls.csv', make: () => csvOf(columns, items) };
    if (this.lastFlow === undefined) return [list];
    const packets = listedOf(this.desk, this.selected());
    const json =
      packets && jsonOffer(this.desk, packets, `packets of ${packets.words}, JSON with all fields`, 'packets.json');
    return [...ladderOffers(this.lastFlow), ...(json === undefined ? [] : [json]), list];
  }

  selected(): Scope | undefined {
    const { current } = this.table;
    if (current === undefined) return undefined;
    const at = this.pane === 'list' ? undefined : this.below.row;
    const shown = this.together();
    return {
      label: shown.length === 1 ? nameOf(shown[0]) : plural(shown.length, 'dialog'),
      ...tunnelScope(current),
      rows: shown.flatMap(rowsOf),
      ...dialogScope(shown),
      ...(current.kind === 'call' && { call: current.entity.id }),
      ...(at !== undefined && { at }),
    };
  }

  mouse(at: MouseAt): boolean {
    const wheel = at.kind === 'wheel-up' ? -3 : at.kind === 'wheel-down' ? 3 : 0;
    const inList = at.y < this.listHeight;
    if (wheel === 0) this.pane = inList ? 'list' : 'ladder';
    if (inList) {
      if (this.table.mouse(at)) this.openMore();
      return true;
    }
    const { list } = this.below.ladder;
    if (wheel !== 0) list.scroll(wheel);
    else {
      const line = list.lineAt(at.y - this.listHeight - 3);
      if (line >= 0) list.go(line);
      if (at.kind === 'double') this.openMore();
    }
    return true;
  }

  plainItems(): readonly number[] {
    return this.pane === 'list' && this.table.items.length > 0 ? headsOf(this.plain()) : [];
  }

  plain(): string[] {
    this.refresh();
    if (this.pane === 'message' && this.below.row !== undefined)
      return [...this.below.source.get(this.below.row).lines];
    if (this.lastFlow !== undefined && (this.pane !== 'list' || this.table.items.length === 0))
      return ladderLines(this.lastFlow);
    if (this.table.items.length === 0) return noDialogues(this.desk, this.scope);
    return this.table.items.flatMap((d) => [
      nameOf(d),
      ...dialogueInfo(d, this.story).map((line) => `   ${fit(line, 200).trimEnd()}`),
    ]);
  }
}
