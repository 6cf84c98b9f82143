import { expanded } from '../filter/saved-filters.js';
import type { Detail, DetailNode, RowKind } from '../viewer/viewer.js';
import { type Area, wrap } from './cells.js';
import { decodeAs, ruleBegun } from './decode-as.js';
import type { ExportOffer } from './exports.js';
import { FilterWords } from './filter-words.js';
import type { Place } from './frame.js';
import { Gaps } from './gaps.js';
import type { CommandId } from './keymap.js';
import { drawWords } from './list.js';
import { OctetsPane } from './octets-pane.js';
import { filterFromField, listCommand, offersIn } from './packet-actions.js';
import { PacketColours } from './packet-colours.js';
import { FilterPrompt } from './packet-filter.js';
import { PacketJumps } from './packet-jumps.js';
import { PacketList, type PacketLook } from './packet-list.js';
import { packetOffers, readingOf } from './packet-texts.js';
import { emptyWords, gapText } from './packet-words.js';
import { drawRules, LAYOUTS, ONE_PANE, PANES, type Pane, placePanes, resizePane, type Shares } from './panes.js';
import type { Completion } from './prompt.js';
import { TreePane } from './tree-pane.js';
import type { Desk, MouseAt, Reading, Scope, View } from './view.js';

const KINDS: readonly RowKind[] = ['inner', 'outer', 'both'];
/** Milliseconds after which a tree that is waited for says so. */
const SLOW_MS = 150;
/** Commands that say which packet is meant. */
const MOVES: readonly CommandId[] = [
  ...(['up', 'down', 'left', 'right', 'page-up', 'page-down', 'half-up', 'half-down', 'top'] as const),
  ...(['next-pane', 'previous-pane'] as const),
];
/** Commands about a packet. */
const ABOUT_PACKET: readonly CommandId[] = [
  ...(['open', 'next-in-dialog', 'previous-in-dialog', 'next-finding', 'previous-finding'] as const),
  ...(['find-next', 'find-previous', 'mark', 'time-reference', 'copy', 'info', 'raw'] as const),
  ...(['filter-apply', 'filter-and', 'filter-not', 'filter-prepare'] as const),
];

interface PacketsPlace {
  readonly row: string;
  readonly filter: string;
  readonly kind: RowKind;
  readonly focus: Pane;
}

/** Whether a scope says which rows, whatever they are. */
const isListed = ({ parties, rows, frames }: Scope): boolean => (parties ?? rows ?? frames) !== undefined;

/** View 2: the packets, the tree of the one under the cursor, and its octets. */
export class PacketsView implements View {
  readonly id = 'packets';
  readonly title = 'Packets';
  readonly packets: PacketList;
  readonly tree = new TreePane();
  readonly octets = new OctetsPane();
  focus: Pane = 'list';
  private readonly words: FilterWords;
  private readonly jumps: PacketJumps;
  private readonly shares: Shares = { list: 45, tree: undefined };
  private layout = 0;
  private zoomed = false;
  /** There is room for one pane alone. */
  private oneOfThree = false;
  readonly colours: PacketColours;
  /** Nobody has chosen yet which rows are listed. */
  private undecided = true;
  /** What was listed before frames were asked for. */
  private kindBefore: RowKind | undefined;
  private places: Partial<Record<Pane, Place>> = {};
  private width = 80;
  /** The reading of the capture that is listed, by how often rows were taken away. */
  private cleared = 0;
  private asked = -1;
  /** Lines of words above the tree. */
  private treeTop = 0;
  private askedAt = 0;
  private trouble: string | undefined;
  /** Commands that wait for the first packet, in order. */
  private waiting: { readonly command: CommandId; readonly argument: string }[] = [];

  constructor(readonly desk: Desk) {
    const gaps = new Gaps(desk.viewer.rows, () => desk.told.story);
    this.packets = new PacketList(desk.viewer, () => desk.repaint(), desk.memory.settings.columns, gaps);
    this.jumps = new PacketJumps(this);
    this.colours = new PacketColours(desk);
    this.words = new FilterWords(desk.viewer, desk.fields, () => desk.told.story, desk.memory.settings);
    desk.viewer.onStatus(() => this.decide());
  }

  /** Inner packets, once there are some. */
  private decide(): void {
    const { scope, viewer } = this.desk;
    if (!this.undecided || isListed(scope) || this.packets.kind === 'inner') return;
    if (viewer.status.tunnels.some((t) => t.up + t.down > 0)) this.packets.choose({ kind: 'inner' });
  }

  show(scope: Scope): void {
    const { rows } = this.desk.viewer;
    const anew = rows.cleared !== this.cleared;
    this.cleared = rows.cleared;
    this.waiting = [];
    if (anew) this.jumps.stop();
    if (anew || !this.packets.isOf(scope)) this.list(scope);
    if (scope.at !== undefined) this.jumps.goTo(scope.at);
    this.desk.told.want();
  }

  /** Lists the rows of a scope. */
  private list(scope: Scope): void {
    this.asked = -1;
    this.tree.clear();
    this.octets.clear();
    const { kind } = this.packets;
    const listed = scope.frames ? 'outer' : isListed(scope) ? 'both' : (this.kindBefore ?? kind);
    this.kindBefore = scope.frames ? (this.kindBefore ?? kind) : undefined;
    this.packets.choose(listed === kind ? { scope } : { kind: listed, scope });
    // Rows that were named are listed whatever they are.
    if (!isListed(scope)) this.decide();
    if (scope.at !== undefined) this.jumps.goTo(scope.at);
    this.desk.told.want();
  }

  crumbs(): readonly string[] {
    const { kind, filter } = this.packets;
    return [kind === 'both' ? 'inner and outer' : kind, ...(filter === '' ? [] : [`/ ${filter}`])];
  }

  status(): string {
    const pane = `${this.focus} ${PANES.indexOf(this.focus) + 1}/${PANES.length}`;
    return this.oneOfThree ? `${this.packets.words}  ${pane}` : this.packets.words;
  }

  get busy(): boolean {
    return !this.packets.done;
  }

  /* Drawing */

  private look(pane: Pane, focus: boolean): PacketLook {
    const { theme, time } = this.desk.preferences;
    const mark = (row: number): string => this.jumps.markOf(row);
    return {
      theme,
      focus: focus && this.focus === pane,
      time,
      found: this.jumps.wanted,
      styleOf: (row: number) => this.colours.styleOf(row),
      mark,
    };
  }

  draw(area: Area, focus: boolean): void {
    const { theme } = this.desk.preferences;
    this.width = area.width;
    this.catchUp();
    const narrow = area.width < ONE_PANE.width || area.height < ONE_PANE.height;
    const alone = narrow || this.zoomed || this.packets.count === 0 ? this.focus : undefined;
    this.places = placePanes(
      area.width,
      area.height,
      this.layout,
      this.shares,
      this.packets.count === 0 ? 'list' : alone,
    );
    const part = (p: Place): Area => area.part(p.x, p.y, p.width, p.height);
    const { list, tree, octets } = this.places;
    if (list !== undefined) {
      if (this.packets.count === 0) drawWords(part(list), theme, emptyWords(this.desk, this.packets));
      else this.packets.draw(part(list), this.look('list', focus));
    }
    // Before what rests on it is drawn: drawing brings the cursor in order.
    this.load();
    const gap = gapText(this.desk, this.packets);
    if (tree !== undefined && gap.length > 0) drawWords(part(tree), theme, gap);
    else if (tree !== undefined) this.drawTree(part(tree), focus);
    if (octets !== undefined && gap.length === 0) this.octets.draw(part(octets), this.look('octets', focus));
    drawRules(area, this.places, theme.dim);
    this.oneOfThree = narrow && this.packets.count > 0;
  }

  private drawTree(area: Area, focus: boolean): void {
    const { theme } = this.desk.preferences;
    const { fault } = this.tree.detail ?? {};
    const told = fault && `${fault}, reported in ${this.desk.keymap.key('view-log')} Log`;
    const wrong = wrap(this.trouble ?? told ?? '', area.width - 2);
    for (const [y, line] of wrong.entries()) area.text(1, y, line, theme.error);
    const low = wrong[0] === '' ? 0 : wrong.length;
    this.treeTop = low;
    if (this.tree.detail !== undefined && this.trouble === undefined)
      this.tree.draw(area.part(0, low, area.width, area.height - low), this.look('tree', focus));
    else if (low === 0 && Date.now() - this.askedAt > SLOW_MS) area.text(1, 0, 'reading the packet …', theme.dim);
    const { detail } = this.tree;
    if (detail !== undefined && this.focus !== 'octets') this.octets.show(detail, this.tree.current);
  }

  /** Asks for the tree of the row under the cursor. */
  private load(): void {
    const { row } = this.packets;
    if (row < 0 || row === this.asked) return;
    this.asked = row;
    this.askedAt = Date.now();
    this.desk.viewer.detail(row).then(
      (d) => this.take(d),
      (e: Error) => {
        // An answer that a newer question made useless is no news.
        if (this.asked !== row) return;
        this.trouble = e.message;
        // What stands there is of another packet.
        this.tree.clear();
        this.octets.clear();
        this.desk.repaint();
      },
    );
    setTimeout(() => this.desk.repaint(), SLOW_MS + 10).unref();
  }

  private take(d: Detail): void {
    if (d.row !== this.asked) return;
    this.trouble = undefined;
    this.words.note(d);
    this.tree.set(d);
    this.octets.show(d, this.tree.current);
    if (this.waits?.row === d.row) this.waits.use(d);
    this.waits = undefined;
    this.desk.repaint();
  }

  /** Does something with the packet under the cursor, once it was read. */
  whenRead(use: (d: Detail) => void): void {
    const { row } = this.packets;
    const { detail } = this.tree;
    if (detail?.row === row) use(detail);
    else this.waits = { row, use };
  }
  private waits: { readonly row: number; use(d: Detail): void } | undefined;

  /* Commands */

  offers(): readonly CommandId[] {
    if (this.packets.count === 0) return ['filter', 'layers', 'back', 'palette', 'help'];
    return offersIn(this.focus);
  }

  run(command: CommandId, argument: string): boolean {
    const { count, sought } = this.packets;
    if (sought && (MOVES.includes(command) || ABOUT_PACKET.includes(command))) {
      this.waiting.push({ command, argument });
      return true;
    }
    if (count === 0 && ABOUT_PACKET.includes(command)) {
      this.desk.say('no packet is listed');
      return true;
    }
    return this.runHere(command) || this.jumps.run(command, argument) || this.runView(command, argument);
  }

  /** Does what was asked before a packet was found, once one is or there is none. */
  private catchUp(): void {
    if (this.waiting.length === 0 || this.packets.sought) return;
    const { waiting } = this;
    this.waiting = [];
    for (const { command, argument } of waiting) this.run(command, argument);
  }

  /** What the pane with the focus does. */
  private runHere(command: CommandId): boolean {
    if (this.focus !== 'list' && this.packets.gap !== undefined) return false;
    if (this.focus === 'tree') {
      if (command === 'open' && this.jumps.openLink(this.current)) return true;
      const ran = this.tree.detail !== undefined && this.tree.run(command);
      if (!ran && command === 'open') this.desk.say('there is nothing to open in this line');
      return ran || command === 'open';
    }
    if (this.focus === 'octets') {
      if (command === 'open') this.octets.nextSource();
      else if (!this.octets.run(command)) return false;
      this.follow();
      return true;
    }
    if (command === 'open') {
      if (this.packets.count > 0) this.focus = 'tree';
      return true;
    }
    return this.packets.run(command);
  }

  /** The field follows the octet. */
  follow(): void {
    const { detail } = this.tree;
    if (detail === undefined) return;
    this.tree.select(this.tree.nodeAt(this.octets.source, this.octets.cursor));
    const { source, cursor } = this.octets;
    this.octets.show(detail, this.tree.current);
    this.octets.go(source, cursor);
  }

  private runView(command: CommandId, argument: string): boolean {
    const { desk, packets } = this;
    switch (command) {
      case 'next-pane':
      case 'previous-pane':
        this.focus = PANES[(PANES.indexOf(this.focus) + (command === 'next-pane' ? 1 : 2)) % 3];
        return true;
      case 'back':
        return this.back();
      case 'filter':
        if (argument !== '') this.setFilter(argument);
        else this.askFilter(packets.filter);
        return true;
      case 'decode-as': {
        const { detail } = this.tree;
        decodeAs(desk, argument, detail?.row === packets.row ? ruleBegun(detail) : '');
        return true;
      }
      case 'filter-apply':
      case 'filter-and':
      case 'filter-not':
      case 'filter-prepare':
        filterFromField(this, command);
        return true;
      case 'layers':
        this.undecided = false;
        packets.choose({
          kind: KINDS.find((kind) => kind === argument) ?? KINDS[(KINDS.indexOf(packets.kind) + 1) % 3],
        });
        return true;
      case 'layout':
        this.layout = (this.layout + 1) % LAYOUTS.length;
        this.zoomed = false;
        desk.say(LAYOUTS[this.layout]);
        return true;
      case 'zoom':
        this.zoomed = !this.zoomed;
        return true;
      case 'bigger':
      case 'smaller':
        if (this.zoomed || this.oneOfThree) desk.say('this pane is alone: there is nothing to take room from');
        else resizePane(this.shares, this.focus, command, this.width);
        return true;
      default:
        return listCommand(this, command, argument);
    }
  }

  /** The field under the cursor; undefined while the tree of the row has not come. */
  get current(): DetailNode | undefined {
    return this.tree.detail?.row === this.packets.row ? this.tree.current : undefined;
  }

  /** The id of the row under the cursor. */
  get rowId(): string {
    const { row } = this.packets;
    return row < 0 ? '' : this.desk.viewer.rows.id(row);
  }

  /** One step back: to the list, then without the filter, then out. */
  private back(): boolean {
    this.waiting = [];
    if (this.jumps.stop()) return true;
    const { count, filter } = this.packets;
    // Where nothing is listed there is no other pane that one could come back from.
    const isElsewhere = this.focus !== 'list' && count > 0;
    this.focus = 'list';
    if (!isElsewhere && filter !== '') this.setFilter('');
    return isElsewhere || filter !== '';
  }

  /** Ways to go on with the name of a field. */
  completed(text: string, cursor: number): Completion | undefined {
    return this.words.complete(text, cursor);
  }

  askFilter(text: string): void {
    const { desk, packets, words } = this;
    desk.prompt(new FilterPrompt(text, desk, packets, words, (f) => this.setFilter(f)));
  }

  /** Lists what a filter takes. */
  setFilter(text: string): void {
    const filter = expanded(text, this.desk.memory.settings.filters);
    const e = filter === '' ? null : this.desk.viewer.check(filter);
    if (e === null) this.packets.choose({ filter });
    else this.askFilter(filter);
  }

  /* Mouse and places */

  mouse(at: MouseAt): boolean {
    for (const pane of PANES) {
      const p = this.places[pane];
      if (p === undefined || at.x < p.x || at.x >= p.x + p.width || at.y < p.y || at.y >= p.y + p.height) continue;
      this.mouseIn(pane, { ...at, x: at.x - p.x, y: at.y - p.y });
      return true;
    }
    return false;
  }

  private mouseIn(pane: Pane, at: MouseAt): void {
    const wheel = at.kind === 'wheel-up' ? -3 : at.kind === 'wheel-down' ? 3 : 0;
    if (wheel !== 0) {
      if (pane === 'list') this.packets.list.scroll(wheel);
      else if (pane === 'tree') this.tree.list.scroll(wheel);
      else this.octets.scroll(wheel);
      return;
    }
    this.focus = pane;
    if (pane !== 'list' && this.packets.gap !== undefined) return;
    if (pane === 'tree') {
      if (!this.tree.click(at.x, at.y - this.treeTop) && at.kind === 'double') this.runHere('open');
    } else if (pane === 'octets') {
      if (this.octets.click(at.x, at.y)) this.follow();
    } else if (at.y === 0) this.run('sort', '');
    else {
      const line = this.packets.list.lineAt(at.y - 1);
      if (line >= 0) this.packets.list.go(line);
      if (line >= 0 && at.kind === 'double') this.runHere('open');
    }
  }

  refuses(command: CommandId, argument: string): string | undefined {
    return this.jumps.refuses(command, argument);
  }

  place(): PacketsPlace {
    const { filter, kind, near } = this.packets;
    return { row: near < 0 ? '' : this.desk.viewer.rows.id(near), filter, kind, focus: this.focus };
  }

  restore(place: unknown): void {
    const { row, filter, kind, focus } = place as PacketsPlace;
    this.focus = focus;
    const { rows } = this.desk.viewer;
    this.packets.choose({ filter, kind }, Math.max(rows.byId(row), rows.byId(`${row}.1`))); // it may be read now
    this.decide();
  }

  reading(): Reading | undefined {
    return readingOf(this);
  }

  exports(): readonly ExportOffer[] {
    return packetOffers(this);
  }

  plainItems(): readonly number[] {
    if (this.packets.count === 0 || this.focus === 'octets') return [];
    return this.plain().map((_, i) => i);
  }

  plain(): string[] {
    const { packets, desk, tree, octets } = this;
    this.catchUp();
    if (packets.count === 0) return emptyWords(desk, packets);
    this.load();
    if (this.focus !== 'list' && packets.gap !== undefined) return gapText(desk, packets);
    if (this.focus === 'tree') return tree.plain();
    if (this.focus === 'octets') return octets.plain();
    return packets.plain(desk.preferences.time);
  }
}
