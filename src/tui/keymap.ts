/*
 * Every command, its keys and its words, in one table. The hint line, the help screen and the palette are made from it;
 * a key means the same everywhere.
 */

/** Headings of the help screen. */
export const GROUPS = ['Move', 'Go', 'Find', 'Look', 'Do', 'Program'] as const;
export type Group = (typeof GROUPS)[number];

/** Something that a key, the palette or `:` does. */
export interface Command {
  /** Also what is typed after `:`. */
  readonly id: string;
  /** As terminals name them: `a`, `G`, `g g`, `Ctrl-D`, `Enter`, `F7`; `m *` takes a letter. */
  readonly keys: readonly string[];
  /** One or two words for the hint line. */
  readonly hint: string;
  /** What it does. */
  readonly title: string;
  readonly group: Group;
  /** What it takes after a blank in the palette. */
  readonly argument?: string;
}

const c = <const I extends string>(
  group: Group,
  id: I,
  keys: string,
  hint: string,
  title: string,
  argument?: string,
): Command & { readonly id: I } => ({
  id,
  keys: keys === '' ? [] : keys.split('  '),
  hint,
  title,
  group,
  ...(argument !== undefined && { argument }),
});

// Keys of a command are parted by two blanks, the keys of a sequence by one.
/** All commands; help lists them by group in this order. */
export const COMMANDS = [
  c('Move', 'up', 'Up  k', 'up', 'one line up'),
  c('Move', 'down', 'Down  j', 'down', 'one line down'),
  c('Move', 'left', 'Left  h', 'left', 'to the left; close a branch'),
  c('Move', 'right', 'Right  l', 'right', 'to the right; open a branch'),
  c('Move', 'page-up', 'PgUp', 'page up', 'one page up'),
  c('Move', 'page-down', 'PgDn', 'page down', 'one page down'),
  c('Move', 'half-up', 'Ctrl-U', 'half up', 'half a page up'),
  c('Move', 'half-down', 'Ctrl-D', 'half down', 'half a page down'),
  c('Move', 'top', 'g g  Home', 'top', 'to the first line'),
  c('Move', 'bottom', 'G  End', 'end', 'to the last line'),
  c('Move', 'next-pane', 'Tab', 'pane', 'to the next pane'),
  c('Move', 'previous-pane', 'Shift-Tab', 'pane back', 'to the pane before'),

  c('Go', 'open', 'Enter', 'open', 'open what is selected'),
  c('Go', 'back', 'Esc  q', 'back', 'one level back'),
  c('Go', 'view-tunnels', '1', 'tunnels', 'view 1: tunnels'),
  c('Go', 'view-packets', '2', 'packets', 'view 2: packets'),
  c('Go', 'view-calls', '3', 'calls', 'view 3: calls and registrations'),
  c('Go', 'view-media', '4', 'media', 'view 4: media streams'),
  c('Go', 'view-findings', '5', 'findings', 'view 5: findings'),
  c('Go', 'view-statistics', '6', 'stats', 'view 6: statistics'),
  c('Go', 'view-live', '7', 'live', 'view 7: live endpoint'),
  c('Go', 'view-log', '8', 'log', 'view 8: log of messages'),
  c('Go', 'jump-back', 'Ctrl-O', 'jump back', 'back to where a jump began'),
  c('Go', 'goto', 'Ctrl-G', 'go to', 'go to a packet: 123, 812.1; also :123', 'row'),
  c('Go', 'mark', 'm *', 'mark', 'mark this packet with a letter', 'letter'),
  c('Go', 'jump-to-mark', "' *", 'to mark', 'go to the packet with a mark', 'letter'),
  c('Go', 'previous-mark', '<', 'prev mark', 'previous packet that is marked'),
  c('Go', 'next-mark', '>', 'next mark', 'next packet that is marked'),
  c('Go', 'previous-in-dialog', '[', 'prev in dialog', 'previous packet of the same call or stream'),
  c('Go', 'next-in-dialog', ']', 'next in dialog', 'next packet of the same call or stream'),
  c('Go', 'previous-finding', '{', 'prev finding', 'previous packet with a finding'),
  c('Go', 'next-finding', '}', 'next finding', 'next packet with a finding'),

  c('Find', 'filter', '/', 'filter', 'display filter', 'expression'),
  c('Find', 'find', 'Ctrl-F  F3', 'find', 'find text, /regular expression/ or hex octets', 'text'),
  c('Find', 'find-next', 'n', 'next', 'next place found'),
  c('Find', 'find-previous', 'N', 'previous', 'place found before'),
  c('Find', 'filter-apply', 'a', 'as filter', 'filter for the selected value'),
  c('Find', 'filter-and', 'A', 'and filter', 'narrow the filter down to the selected value'),
  c('Find', 'filter-not', '!', 'not filter', 'leave out what has the selected value'),
  c(
    'Find',
    'filter-prepare',
    'P',
    'prepare filter',
    'the filter with the selected value, to go on with before it is used',
  ),
  c('Find', 'filter-form', 'f  F7', 'form', 'filter by a form: tunnel, user, call, time'),
  c('Find', 'select', 'Space', 'select', 'select this line, or not'),

  c('Look', 'layers', 'o', 'inner/outer', 'inner packets, outer frames, or both', 'kind'),
  c('Look', 'zoom', 'z', 'zoom', 'this pane alone, and back'),
  c('Look', 'layout', '|', 'layout', 'panes side by side or one under the other'),
  c('Look', 'bigger', '+', 'bigger', 'this pane bigger; a shorter interval'),
  c('Look', 'smaller', '-', 'smaller', 'this pane smaller; a longer interval'),
  c('Look', 'follow', '=', 'follow', 'follow the stream that this packet belongs to'),
  c('Look', 'colours', 'c', 'colours', 'colour by what it is, by direction, or not'),
  c('Look', 'media-lane', 'M', 'media', 'media in the ladder, or not'),
  c('Look', 'sdp', 'd', 'SDP', 'session descriptions in the ladder, or not'),
  c('Look', 'sdp-only', 'D', 'SDP only', 'only messages with a session description'),
  c('Look', 'time-format', 't', 'time', 'next form of the time column'),
  c('Look', 'time-reference', 'T', 'time ref', 'count time from this packet'),
  c('Look', 'tail', 'F', 'tail', 'stay at the end as packets come'),
  c('Look', 'pause', 'p', 'pause', 'let the list stand still, or run on'),
  c('Look', 'extended', 'x  F4', 'extend', 'the ladder with the dialogs that belong to it'),
  c('Look', 'raw', 'r  F6', 'raw', 'the message as it stands'),
  c('Look', 'info', 'i', 'info', 'what there is to know about this'),
  c('Look', 'columns', 'F10', 'columns', 'choose columns'),
  c('Look', 'add-column', 'C', 'as column', 'the selected field as a column', 'field'),
  c('Look', 'file-info', 'g f', 'file', 'what there is to know about the whole capture'),
  c('Look', 'sort', 's', 'sort', 'sort by the next column'),

  c('Do', 'write', 'w  F2', 'write', 'write packets to a pcapng file', 'file'),
  c('Do', 'export', 'e', 'export', 'export this as text, CSV, JSON or Markdown', 'file'),
  c('Do', 'copy', 'y', 'copy', 'copy to the clipboard', 'form'),
  c('Do', 'keys', 'K', 'keys', 'load keys; what key logs open', 'file'),
  c('Do', 'mute', 'X', 'mute', 'leave out findings of this kind'),
  c('Do', 'pager', 'v', 'pager', 'read this in $PAGER; :pager report', 'what'),
  c('Do', 'edit', 'E', 'edit', 'the filter, or an export, in $EDITOR; :edit settings', 'what'),
  c('Do', 'remove', 'Delete', 'remove', 'take this column away'),
  c('Do', 'settings', 'F8', 'settings', 'settings'),

  c('Do', 'unmute', '', 'unmute', 'show muted findings again: all, or those of a code', 'code'),
  c('Look', 'group', '', 'group', 'findings under their tunnel, or by severity'),
  c('Do', 'decode-as', '', 'decode as', 'read a port as a protocol: udp.port==5070,sip', 'rule'),
  c('Do', 'wav', '', 'audio', 'what was said in a G.711 stream, as a WAV file'),
  c('Do', 'capture', '', 'capture', 'capture live on an interface', 'interface'),
  c('Do', 'ue', '', 'UE', 'act as a UE, with the options of fttscope ue', 'eftf'),
  c('Do', 'eftf', '', 'EFTF', 'act as an EFTF, with the options of fttscope eftf', 'options'),
  c('Do', 'open-file', '', 'open file', 'open another capture', 'file'),
  c('Look', 'ignore', 'I', 'ignore', 'compare without Via branch, tags and CSeq, or with them'),

  c('Program', 'help', '?  F1', 'help', 'keys and commands'),
  c('Program', 'palette', ':', 'command', 'any command by its name'),
  c('Program', 'redraw', 'Ctrl-L', 'redraw', 'paint the screen anew'),
  c('Program', 'suspend', 'Ctrl-Z', 'suspend', 'stop for now; fg comes back'),
  c('Program', 'cancel', 'Ctrl-C', 'cancel', 'cancel what runs; twice quits'),
  c('Program', 'quit', 'Q', 'quit', 'quit'),
  c('Program', 'bind', '', 'bind', 'other keys for a command: sort S F9; none: the usual ones', 'command'),
  c('Program', 'theme', '', 'theme', 'dark, light, contrast or mono', 'name'),
] as const satisfies readonly Command[];

/** What a command is called after `:`, and in the settings. */
export type CommandId = (typeof COMMANDS)[number]['id'];

/** The commands with the keys that they have here: the usual ones, or those of the user. */
export class KeyMap {
  private readonly byId: ReadonlyMap<string, Command>;

  constructor(readonly commands: readonly Command[] = COMMANDS) {
    this.byId = new Map(commands.map((k) => [k.id, k]));
  }

  /** The command of an id. */
  of(id: CommandId): Command {
    return this.byId.get(id)!;
  }

  has(id: string): id is CommandId {
    return this.byId.has(id);
  }

  /** The first key of a command as people read it; where it has none, what is typed for it. */
  key(id: CommandId): string {
    const { keys } = this.of(id);
    return keys.length > 0 ? keyText(keys[0]) : `:${id}`;
  }

  /** A sentence of ours with keys for the commands that it names: `{keys} loads keys`. */
  words(text: string): string {
    return text.replace(/\{([a-z-]+)\}/g, (all, id: string) => (this.has(id) ? this.key(id) : all));
  }
}

/** What a key says so far. */
export type Meaning =
  | { readonly kind: 'command'; readonly id: CommandId; readonly argument: string }
  /** The first of several keys. */
  | { readonly kind: 'more' }
  | { readonly kind: 'nothing' };

const NOTHING: Meaning = { kind: 'nothing' };
const MORE: Meaning = { kind: 'more' };

/** Finds what keys mean; keeps the first of several until the others have come. */
export class Keys {
  private first = '';
  private readonly table = new Map<string, CommandId>();
  private readonly firsts = new Set<string>();

  constructor({ commands }: KeyMap = new KeyMap()) {
    for (const { id, keys } of commands)
      for (const key of keys) {
        this.table.set(key, id as CommandId);
        const blank = key.indexOf(' ');
        if (blank > 0) this.firsts.add(key.slice(0, blank));
      }
  }

  /** Whether a key means something by itself, or is the first of several. */
  knows(key: string): boolean {
    return this.table.has(key) || this.firsts.has(key);
  }

  /** What a key means after those before it. */
  take(key: string): Meaning {
    const { first } = this;
    this.first = '';
    if (first !== '') {
      const id = this.table.get(`${first} ${key}`);
      if (id !== undefined) return { kind: 'command', id, argument: '' };
      const any = this.table.get(`${first} *`);
      if (any !== undefined) return /^[a-z]$/.test(key) ? { kind: 'command', id: any, argument: key } : NOTHING;
    }
    const id = this.table.get(key);
    if (id !== undefined) return { kind: 'command', id, argument: '' };
    if (!this.firsts.has(key)) return NOTHING;
    this.first = key;
    return MORE;
  }
}

const SHORT: Readonly<Record<string, string>> = {
  Up: '↑',
  Down: '↓',
  Left: '←',
  Right: '→',
  'g g': 'gg',
  'm *': 'm',
  "' *": "'",
};

/** A key as people read it in the hint line. */
export const keyText = (key: string): string => SHORT[key] ?? key;
