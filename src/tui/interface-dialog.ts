import { type Area, wrap } from './cells.js';
import type { CommandId } from './keymap.js';
import { typedWord } from './shell-words.js';
import { bars } from './sparks.js';
import { type Column, Table } from './table.js';
import type { Desk, Dialog, MouseAt } from './view.js';
import { count, octets } from './words.js';

/** An interface that can be captured on. */
export interface Interface {
  readonly name: string;
  readonly description: string;
  readonly addresses: readonly string[];
}

/** What an interface has carried since it is there. */
export interface Traffic {
  readonly packets: number;
  readonly octets: number;
}

/** The interfaces of this machine. */
export interface Interfaces {
  /** @throws Error in words */
  list(): Promise<readonly Interface[]>;
  /** By name; empty where the system keeps no account. */
  traffic(): ReadonlyMap<string, Traffic>;
}

/** Milliseconds between two looks at the counters, and looks that are kept. */
const EVERY_MS = 1000;
const KEPT = 16;

/** An interface as it is listed. */
interface Line extends Interface {
  /** Packets that came since the window is open, and octets a second. */
  packets: number;
  rate: number;
  /** Packets of the last looks. */
  readonly history: number[];
  last: Traffic | undefined;
}

/** A window with all interfaces and what they carry now: Enter captures on those chosen. */
export class InterfaceDialog implements Dialog {
  readonly title = 'Capture on …';
  readonly width = 100;
  height = 12;
  private readonly chosen = new Set<string>();
  private readonly table: Table<Line>;
  private filter = '';
  private trouble = '';
  private listed = false;
  private counted = true;
  private timer: NodeJS.Timeout | undefined;
  private isClosed = false;

  constructor(
    private readonly desk: Desk,
    private readonly interfaces: Interfaces,
    private readonly capture: (line: string) => void,
  ) {
    this.table = new Table(columnsOf(this.chosen), (a, b) => a.name === b.name);
    interfaces.list().then(
      (all) => this.take(all),
      (e: Error & { hint?: string }) => {
        this.trouble = e.hint === undefined ? e.message : `${e.message}\n${e.hint}`;
        desk.repaint();
      },
    );
  }

  private take(all: readonly Interface[]): void {
    if (this.isClosed) return;
    this.listed = true;
    const lines = all.map((i): Line => ({ ...i, packets: 0, rate: 0, history: [], last: undefined }));
    this.table.set(lines);
    this.height = lines.length + 6;
    this.look();
    this.timer = setInterval(() => this.look(), EVERY_MS);
    this.timer.unref();
    this.desk.repaint();
  }

  /** Looks at the counters. */
  private look(): void {
    const traffic = this.interfaces.traffic();
    this.counted = traffic.size > 0;
    for (const line of this.table.items) {
      const now = traffic.get(line.name);
      const { last } = line;
      if (now !== undefined && last !== undefined) {
        const came = Math.max(0, now.packets - last.packets);
        line.packets += came;
        line.rate = Math.max(0, now.octets - last.octets) / (EVERY_MS / 1000);
        line.history.push(came);
        if (line.history.length > KEPT) line.history.shift();
      }
      line.last = now;
    }
    this.desk.repaint();
  }

  closed(): void {
    this.isClosed = true;
    clearInterval(this.timer);
  }

  draw(area: Area, focus: boolean): void {
    const { theme } = this.desk.preferences;
    if (!this.listed) {
      const words = this.trouble === '' ? ['Looking for interfaces …'] : this.trouble.split('\n');
      let y = 0;
      for (const [i, text] of words.entries())
        for (const line of wrap(text, area.width))
          area.text(0, y++, line, i > 0 || this.trouble === '' ? theme.text : theme.error);
      return;
    }
    const foot = 3;
    this.table.draw(area.part(0, 0, area.width, area.height - foot), { theme, focus });
    const y = area.height - foot + 1;
    const words =
      this.filter === '' ? 'all packets; / takes a capture filter: tcp port 443' : `only packets of: ${this.filter}`;
    area.clipped(0, y, words, area.width, this.filter === '' ? theme.dim : theme.strong);
    const uncounted = 'this system does not tell how many packets interfaces carry';
    area.clipped(0, y + 1, this.counted ? 'counted since this window is open' : uncounted, area.width, theme.dim);
  }

  offers(): readonly CommandId[] {
    return ['open', 'select', 'filter', 'sort', 'back'];
  }

  run(command: CommandId, argument: string): boolean {
    const { table } = this;
    const { current } = table;
    switch (command) {
      case 'open':
        if (current !== undefined) this.begin(this.chosen.size > 0 ? [...this.chosen] : [current.name]);
        return true;
      case 'select':
        if (current !== undefined && !this.chosen.delete(current.name)) this.chosen.add(current.name);
        return true;
      case 'filter':
        if (argument === '') this.ask();
        else this.filter = argument;
        return true;
      case 'sort':
        this.desk.say(`interfaces ${table.sortNext()}`);
        return true;
      default:
        return table.run(command);
    }
  }

  private ask(): void {
    const { desk } = this;
    desk.prompt({
      label: 'capture filter',
      text: this.filter,
      history: [...(desk.memory.state.history.capture ?? [])].reverse(),
      judge: () => ({ text: "in libpcap's language: tcp port 443 and host 192.0.2.1; empty takes all", wrong: false }),
      done: (text) => {
        this.filter = text.trim();
        if (this.filter !== '') desk.memory.typed('capture', this.filter);
        return undefined;
      },
    });
  }

  /** Captures on some interfaces, as a command line says it. */
  private begin(names: readonly string[]): void {
    const filter = this.filter === '' ? [] : ['-f', this.filter];
    this.capture([...filter, ...names.flatMap((name) => ['-i', name])].map(typedWord).join(' '));
  }

  mouse(at: MouseAt): boolean {
    if (this.table.mouse(at)) this.run('open', '');
    return true;
  }
}

function columnsOf(chosen: ReadonlySet<string>): Column<Line>[] {
  return [
    { id: 'chosen', title: '', min: 1, max: 1, priority: 1, text: (l) => (chosen.has(l.name) ? '*' : '') },
    { id: 'name', title: 'interface', min: 9, max: 20, priority: 0, text: (l) => l.name, key: (l) => l.name },
    {
      id: 'packets',
      title: 'packets',
      min: 7,
      max: 12,
      align: 'right',
      priority: 0,
      text: (l) => (l.last === undefined ? '' : count(l.packets)),
      key: (l) => -l.packets,
    },
    {
      id: 'rate',
      title: 'octets/s',
      min: 8,
      max: 10,
      align: 'right',
      priority: 3,
      text: (l) => (l.history.length === 0 ? '' : octets(l.rate)),
      key: (l) => -l.rate,
    },
    {
      id: 'traffic',
      title: 'traffic',
      min: KEPT,
      max: KEPT,
      priority: 2,
      text: (l) => bars(l.history, KEPT, 1)[0]?.padStart(KEPT) ?? '',
    },
    {
      id: 'addresses',
      title: 'addresses',
      min: 10,
      max: 60,
      grow: true,
      priority: 1,
      text: (l) => l.addresses.join(', ') || l.description,
    },
  ];
}
