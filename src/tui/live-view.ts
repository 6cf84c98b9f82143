import { type Area, wrap } from './cells.js';
import { Reader } from './dialogs.js';
import type { CommandId } from './keymap.js';
import { drawWords, List } from './list.js';
import type { LiveConsole, LiveEvent, LiveStep } from './live-console.js';
import type { PromptRequest, Verdict } from './prompt.js';
import { startDialog } from './start.js';
import type { Style, Theme } from './style.js';
import { SIGNS } from './style.js';
import type { Desk, MouseAt, Scope, View } from './view.js';
import { octets, plural } from './words.js';

const HOW_TO = [
  'Nothing is live here.',
  '',
  '{open} asks what to start. Or type one of these, with Tab for the options:',
  '',
  '  {palette}capture eth0         capture, and look at it meanwhile',
  '  {palette}ue HOST[:443] --lab  act as a UE',
  '  {palette}eftf --lab           act as an EFTF, with all of a lab',
  '',
  'The options are those of fttscope capture, ue and eftf on the command line.',
  'What another machine captures comes by a pipe:',
  '',
  '  ssh GATEWAY tcpdump -U -w - tcp port 443 | fttscope -r -',
];

/** Lines of what happened that stay in sight, however much there is above them. */
const EVENTS = 5;

/** View 7: the endpoint or capture that runs, and a line to type to it. */
export class LiveView implements View {
  readonly id = 'live';
  readonly title = 'Live';
  private readonly list = new List(() => this.live?.events.length ?? 0);
  /** The last thing that happened which was told. */
  private told: LiveEvent | undefined;

  constructor(
    private readonly desk: Desk,
    private readonly live?: LiveConsole,
  ) {
    this.list.tail = true;
    live?.onChange(() => this.hear(live));
  }

  /** Says what went wrong, wherever the user is. */
  private hear({ events, over }: LiveConsole): void {
    if (over && this.asked !== undefined) {
      this.desk.withdraw(this.asked);
      this.asked = undefined;
    }
    const last = events.at(-1);
    if (last !== undefined && last !== this.told) {
      const news = events.slice(events.lastIndexOf(this.told as LiveEvent) + 1);
      const worst = news.findLast((e) => e.severity === 'error') ?? news.findLast((e) => e.severity === 'warn');
      if (worst !== undefined) this.desk.say(worst.text, worst.severity);
      this.told = last;
    }
    this.desk.repaint();
  }

  badge(): string {
    return this.live === undefined || this.live.over ? '' : '*';
  }

  crumbs(): readonly string[] {
    return this.live === undefined ? [] : [this.live.title];
  }

  status(): string {
    return this.live?.state ?? (this.desk.viewer.status.growing ? 'more may come' : 'nothing live');
  }

  show(_scope: Scope): void {}
  place(): unknown {
    return {};
  }
  restore(): void {}

  unsaved(): string | undefined {
    return this.live?.unsaved;
  }

  draw(area: Area, focus: boolean): void {
    const { theme } = this.desk.preferences;
    const { live } = this;
    if (live === undefined) {
      drawWords(area, theme, this.words());
      return;
    }
    let y = 0;
    if (live.faults.length > 0) {
      area.fill(0, y, area.width, 1, ' ', theme.wrong);
      area.clipped(1, y++, `! FAULTS ARE ARMED: ${live.faults.join(', ')}`, area.width - 2, theme.wrong);
    }
    y = drawSteps(area, y, live.steps, theme);
    y = this.drawFigures(area, y, live);
    area.part(0, y, area.width, 1).rule(0, theme.dim, 'what happened');
    const events = area.part(0, y + 1, area.width, area.height - y - 2);
    this.list.draw(events, { theme, focus }, (line, i) => {
      const e = live.events[i];
      line.text(1, 0, e.at.toISOString().slice(11, 19), theme.dim);
      line.text(10, 0, SIGNS[e.severity], theme[e.severity]);
      const text = e.text.slice(this.list.sideways);
      line.clipped(12, 0, text, line.width - 12, e.severity === 'note' ? theme.text : theme[e.severity]);
    });
    const verbs = live.verbs.map((v) => v.name).join(', ');
    const words = live.over ? 'asks what to start next' : `type a verb (${verbs})`;
    area.clipped(1, area.height - 1, `${this.desk.keymap.key('open')}: ${words}`, area.width - 2, theme.key);
  }

  /** The figures, as many as leave room for what happened; returns the next line. */
  private drawFigures(area: Area, y: number, { figures }: LiveConsole): number {
    const { theme } = this.desk.preferences;
    const room = Math.max(1, area.height - y - 2 - EVENTS);
    const shown = figures.length <= room ? figures : figures.slice(0, room - 1);
    for (const line of shown) area.clipped(1, y++, line, area.width - 2, theme.text);
    if (shown.length < figures.length) area.text(1, y++, `and ${figures.length - shown.length} more`, theme.dim);
    return y;
  }

  /** How to start something, or how far a stream has come. */
  private words(): string[] {
    const { growing, frames, read } = this.desk.viewer.status;
    if (!growing) return HOW_TO.map((line) => this.desk.keymap.words(line));
    return [
      `${plural(frames, 'frame')}, ${octets(read)} so far; more may come.`,
      '',
      'New packets appear in view 2: F there follows the end, p lets the list stand still.',
    ];
  }

  offers(): readonly CommandId[] {
    return this.live === undefined
      ? ['open', 'palette', 'view-tunnels', 'view-packets', 'help']
      : ['open', 'tail', 'view-packets', 'write', 'info', 'help'];
  }

  run(command: CommandId): boolean {
    const { live } = this;
    if (command === 'open') {
      if (live === undefined || live.over) startDialog(this.desk);
      else this.ask(live);
    } else if (live === undefined) return false;
    else if (command === 'tail') this.list.tail = !this.list.tail;
    else if (command === 'info') this.card(live);
    else return this.list.run(command);
    return true;
  }

  /** The line under the cursor as a whole, and the verbs with what they do. */
  private card(live: LiveConsole): void {
    const event = live.events[this.list.cursor];
    const lines = [
      ...(event === undefined ? [] : [`${event.at.toISOString()}  ${event.text}`, '']),
      ...live.figures,
      '',
      ...live.verbs.map((v) => `${v.name.padEnd(11)} ${v.words}`),
    ];
    this.desk.show(new Reader(live.title, lines, this.desk));
  }

  /** Asks for one verb after the other, until Esc or an empty line; what comes of each is told where it was typed. */
  private ask(live: LiveConsole): void {
    const { desk } = this;
    const answer = (text: string, wrong: boolean): void => {
      if (this.asked !== undefined) this.answered = { text, wrong };
      // What a verb fails of has happened, and was told.
      if (desk.messages.at(-1)?.text !== text) desk.say(text, wrong ? 'error' : 'note');
    };
    const request: PromptRequest = {
      label: '>',
      history: [...(desk.memory.state.history.live ?? [])].reverse(),
      complete: (text, cursor) => {
        const typed = text.slice(0, cursor);
        if (typed.includes(' ')) return live.complete?.(typed);
        const takes = (verb: string): boolean => (live.complete?.(`${verb} `)?.words.length ?? 0) > 0;
        const like = live.verbs.filter((v) => v.name.startsWith(typed));
        return { from: 0, words: like.map(({ name, words }) => ({ text: name, note: words, takes: takes(name) })) };
      },
      judge: (text) => {
        if (text === '' && this.answered !== undefined) return this.answered;
        const words = live.verbs.find((v) => v.name === text.trimStart().split(' ')[0])?.words;
        return { text: words ?? 'a verb; Tab lists them, Up brings earlier lines', wrong: false };
      },
      done: (text) => {
        const line = text.trim();
        this.asked = this.answered = undefined;
        if (line === '') return undefined;
        desk.memory.typed('live', line);
        if (!live.over) this.ask(live);
        live.type(line).then(
          (said) => said !== undefined && answer(said, false),
          (e: Error) => answer(e.message, true),
        );
        return undefined;
      },
      cancelled: () => {
        this.asked = this.answered = undefined;
      },
    };
    this.asked = request;
    desk.prompt(request);
  }
  /** What asks for a verb now; what came of the one before. */
  private asked: PromptRequest | undefined;
  private answered: Verdict | undefined;

  mouse(at: MouseAt): boolean {
    if (at.kind === 'wheel-up' || at.kind === 'wheel-down') this.list.scroll(at.kind === 'wheel-up' ? -3 : 3);
    return true;
  }

  plain(): string[] {
    const { live } = this;
    if (live === undefined) return this.words();
    return [
      live.title,
      live.state,
      ...live.faults.map((f) => `fault armed: ${f}`),
      ...live.steps.map((s) => `${s.name}: ${s.state} ${s.text}`),
      ...live.figures,
      ...live.events.map((e) => `${e.at.toISOString().slice(11, 19)} ${e.text}`),
    ];
  }
}

const SIGN_OF = { waits: '.', runs: '>', ok: '+', failed: 'x' } as const;

/** Steps one after the other, in as many lines as they need; returns the next line. */
function drawSteps(area: Area, y: number, steps: readonly LiveStep[], theme: Theme): number {
  const styles: Readonly<Record<LiveStep['state'], Style>> = {
    waits: theme.dim,
    runs: theme.strong,
    ok: theme.good,
    failed: theme.error,
  };
  let x = 1;
  let line = y;
  for (const s of steps) {
    const text = `${SIGN_OF[s.state]} ${s.name} ${s.text}`.trim();
    if (x > 1 && x + text.length > area.width - 1) {
      x = 1;
      line++;
    }
    for (const [i, part] of wrap(text, Math.max(10, area.width - 2)).entries())
      x = area.text(i === 0 ? x : 1, i === 0 ? line : ++line, part, styles[s.state]);
    x += 3;
  }
  return steps.length === 0 ? y : line + 1;
}
