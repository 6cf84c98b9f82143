import type { TunnelEntity } from '../model/entities.js';
import { chosen } from '../report/report-select.js';
import { type Area, cellsOf, fit } from './cells.js';
import type { CommandId } from './keymap.js';
import { Prompt } from './prompt.js';
import type { Story } from './told.js';
import type { Desk, Dialog, MouseAt, Scope } from './view.js';
import { placeText, plural } from './words.js';

const FIELDS = [
  { id: 'tunnel', title: 'Tunnel', note: 'number, or host of an end' },
  { id: 'user', title: 'User', note: 'URI or number' },
  { id: 'callId', title: 'Call-ID', note: 'or the number of a call' },
  { id: 'from', title: 'Time from', note: 'seconds since the start' },
  { id: 'to', title: 'Time to', note: 'seconds since the start' },
] as const;
type FieldId = (typeof FIELDS)[number]['id'];

/** What somebody names: a tunnel by its number or an end, a user by a URI or number, a call by its Call-ID or number. */
export interface Named {
  readonly tunnel?: string;
  readonly user?: string;
  readonly callId?: string;
}

/** Keys that change the line under the cursor, or move in it. */
const EDITS =
  /^(?:.|Space|Backspace|Delete|Home|End|(?:(?:Ctrl|Alt)-)?(?:Left|Right)|Ctrl-[ABDEFHKUW]|Alt-[bdf\x7f])$/u;

const WIDTH = 70;
/** Where what is typed begins, and its cells. */
const VALUE = { x: 10, width: 28 };

/** A part of a capture with thousands of tunnels: by tunnel, user, call and time. Enter shows it. */
export class FilterForm implements Dialog {
  readonly title = 'A part of the capture';
  readonly width = WIDTH;
  readonly height = FIELDS.length + 6;
  private at = 0;
  /** The first line in sight, and the cells of what is typed, where the window is small. */
  private top = 0;
  private cells: number = VALUE.width;
  private readonly lines: Readonly<Record<FieldId, Prompt>>;

  constructor(
    private readonly desk: Desk,
    given: Named = {},
  ) {
    const line = (text = ''): Prompt => new Prompt({ label: '', text, done: () => undefined });
    const { tunnel, user, callId } = given;
    this.lines = { tunnel: line(tunnel), user: line(user), callId: line(callId), from: line(), to: line() };
  }

  draw(area: Area): void {
    const { theme } = this.desk.preferences;
    const { x } = VALUE;
    // What has been found stands at the foot of a window that is too small for all lines.
    const room = Math.max(1, Math.min(FIELDS.length, area.height - 1));
    this.top = Math.max(this.at - room + 1, Math.min(this.top, this.at));
    this.cells = Math.max(1, Math.min(VALUE.width, area.width - x));
    for (const [y, f] of FIELDS.slice(this.top, this.top + room).entries()) {
      const here = f.id === FIELDS[this.at].id;
      area.text(0, y, f.title, here ? theme.strong : theme.text);
      area.text(x, y, fit(this.inSight(f.id).text, this.cells), here ? theme.selected : theme.text);
      area.restyle(x, y, this.cells, here ? theme.mark : theme.tab);
      area.clipped(40, y, f.note, area.width - 40, theme.dim);
    }
    const found = this.found();
    const y = Math.min(FIELDS.length + 1, area.height - 1);
    if (typeof found === 'string') area.clipped(0, y, found, area.width, theme.warn);
    else area.clipped(0, y, found.words, area.width, theme.good);
    area.clipped(0, y + 1, 'Up and Down change the line, Enter shows the packets', area.width, theme.dim);
  }

  /** What is typed, or what of it is around the cursor where it is long, and the cells before that. */
  private inSight(id: FieldId): { text: string; before: number } {
    const { text, cursor } = this.lines[id];
    let from = 0;
    while (cellsOf(text.slice(from, cursor)) >= this.cells) from++;
    return { text: text.slice(from), before: cellsOf(text.slice(from, cursor)) };
  }

  caret(): { x: number; y: number } {
    return { x: VALUE.x + this.inSight(FIELDS[this.at].id).before, y: this.at - this.top };
  }

  mouse(at: MouseAt): boolean {
    const line = this.top + at.y;
    if (at.y >= 0 && line < FIELDS.length && at.kind !== 'wheel-up' && at.kind !== 'wheel-down') this.at = line;
    return true;
  }

  key(key: string): boolean {
    if (key === 'Tab' || key === 'Down') this.at = (this.at + 1) % FIELDS.length;
    else if (key === 'Shift-Tab' || key === 'Up') this.at = (this.at + FIELDS.length - 1) % FIELDS.length;
    else if (EDITS.test(key)) this.lines[FIELDS[this.at].id].key(key);
    else return false;
    return true;
  }

  offers(): readonly CommandId[] {
    return ['open', 'back'];
  }

  run(command: CommandId): boolean {
    if (command !== 'open') return false;
    const found = this.found();
    if (typeof found === 'string') this.desk.say(found, 'warn');
    else {
      this.desk.close(this);
      this.desk.open('packets', found.scope);
      if (found.filter !== '') this.desk.perform('filter', found.filter);
    }
    return true;
  }

  /** What was typed as a part of the capture; words where it is none. */
  private found(): { scope: Scope; filter: string; words: string } | string {
    const { told } = this.desk;
    const { story } = told;
    const [from, to] = [this.lines.from.text, this.lines.to.text];
    for (const [name, v] of [
      ['Time from', from],
      ['Time to', to],
    ] as const)
      if (v !== '' && !Number.isFinite(Number(v))) return `${name} is a number of seconds`;
    const times = [
      ...(from === '' ? [] : [`frame.time_relative >= ${Number(from)}`]),
      ...(to === '' ? [] : [`frame.time_relative <= ${Number(to)}`]),
    ].join(' && ');
    const named = this.named();
    if (named === undefined) return { scope: {}, filter: times, words: times === '' ? 'everything' : 'by time alone' };
    if (story === undefined) return 'the report is still being made';
    return partOf(story, named, times, told.whole);
  }

  /** What of a report is chosen; undefined: nothing is said. */
  private named(): Named | undefined {
    const [tunnel, user, callId] = [this.lines.tunnel.text, this.lines.user.text, this.lines.callId.text];
    const call = this.desk.told.story?.calls.find((c) => String(c.id) === callId);
    const said = {
      ...(tunnel !== '' && { tunnel }),
      ...(user !== '' && { user }),
      ...(callId !== '' && { callId: call?.callId ?? callId }),
    };
    return Object.keys(said).length === 0 ? undefined : said;
  }
}

/** Whether a tunnel has that number, or an end with that address or name, with or without its port. */
function isNamed(t: TunnelEntity, which: string): boolean {
  if (/^\d+$/.test(which)) return t.id === Number(which);
  const wanted = which.trim().toLowerCase();
  const hosts = [t.ue, t.eftf, t.proxy, t.eftf.name && { address: t.eftf.name, port: t.eftf.port }];
  const places = hosts.flatMap((p) => (p ? [p.address.toLowerCase(), placeText(p).toLowerCase()] : []));
  const target = t.proxy?.target.toLowerCase() ?? '';
  return [...places, target, target.replace(/:\d+$/, '')].includes(wanted);
}

/** The tunnels, or the call, that somebody chose; words where there are none. */
export function partOf(
  story: Story,
  named: Named,
  filter: string,
  whole: boolean,
): { scope: Scope; filter: string; words: string } | string {
  const { tunnel, user, callId } = named;
  const meant = tunnel === undefined ? undefined : story.tunnels.filter((t) => isNamed(t, tunnel)).map((t) => t.id);
  const lists = chosen(story, { tunnels: meant && new Set(meant), user, callId });
  const { tunnels, calls, registrations } = lists;
  const label = [tunnel && `tunnel ${tunnel}`, user, callId && `call ${callId}`].filter(Boolean).join(' ');
  const words = `${plural(tunnels.length, 'tunnel')}, ${plural(calls.length, 'call')}, ${plural(registrations.length, 'registration')}`;
  if (tunnels.length + calls.length + registrations.length === 0)
    return whole ? 'nothing of the capture is that' : 'nothing so far is that; the report is still being made';
  const ids = tunnels.map((t) => t.id);
  if (user === undefined && callId === undefined) return { scope: { label, tunnels: ids }, filter, words };
  const [call] = calls;
  const scope: Scope = {
    label,
    parties: { user, callId, ...(meant !== undefined && { within: meant }) },
    ...(callId === undefined && ids.length > 0 && { tunnels: ids }),
    ...(callId !== undefined && call !== undefined && { call: call.id }),
  };
  return { scope, filter, words };
}
