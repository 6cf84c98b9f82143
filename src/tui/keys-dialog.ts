import { existsSync } from 'node:fs';
import type { TunnelEntity, Verdict } from '../model/entities.js';
import type { TunnelGlance, ViewerStatus } from '../viewer/viewer.js';
import { type Area, wrapBeneath } from './cells.js';
import { completePath, pathOf } from './files.js';
import type { CommandId } from './keymap.js';
import { scrollBar } from './list.js';
import type { Story } from './told.js';
import { keysWord } from './tunnel-rows.js';
import type { Desk, Dialog, MouseAt } from './view.js';
import { count, plural } from './words.js';

const SOURCE: Readonly<Record<string, string>> = {
  option: 'a key log that was named',
  dsb: 'keys in the capture',
  sidecar: 'a key log beside the capture',
  environment: 'SSLKEYLOGFILE',
  rsa: 'an RSA private key',
  resumption: 'the session that it resumes',
  endpoint: 'the endpoint itself',
};

interface Line {
  readonly text: string;
  readonly style: 'text' | 'strong' | 'good' | 'warn' | 'error' | 'dim';
}

/** Key logs, what they open, and why the rest stays closed. Secrets are never shown. */
export class KeysDialog implements Dialog {
  readonly title = 'Keys';
  readonly width = 96;
  readonly height: number;
  private top = 0;
  private room = 1;
  private shown = 0;
  private made:
    | {
        readonly status: ViewerStatus;
        readonly story: Story | undefined;
        readonly width: number;
        readonly lines: Line[];
      }
    | undefined;

  constructor(private readonly desk: Desk) {
    this.height = this.lines().length + 8;
  }

  private lines(): Line[] {
    const { status } = this.desk.viewer;
    const { keys, tunnels } = status;
    const out: Line[] = [];
    if (keys.lines === 0) out.push({ text: 'No key log was found.', style: 'warn' });
    else {
      const from = keys.sources.length > 0 ? ` (${keys.sources.join(', ')})` : '';
      out.push({
        text: `${plural(keys.lines, 'line')}: ${count(keys.used)} used${from}, ${count(keys.lines - keys.used)} not.`,
        style: 'text',
      });
    }
    out.push(
      { text: 'Enter: load a key log or an RSA private key (PEM), and read the capture again', style: 'strong' },
      { text: '', style: 'text' },
    );
    if (tunnels.length === 0) out.push({ text: 'No TLS session was seen so far.', style: 'dim' });
    const told = new Map(this.desk.told.story?.tunnels.map((t) => [t.id, t]));
    const lines = (t: TunnelGlance): Line[] => tunnelLines(t, told.get(t.id));
    const closed = tunnels.filter(isClosed);
    out.push(...closed.flatMap(lines));
    if (closed.length > 0) out.push({ text: '', style: 'text' }, ...HELP);
    out.push(...tunnels.filter((t) => !isClosed(t)).flatMap(lines));
    if (status.moreTunnels > 0)
      out.push({
        text: `… and ${count(status.moreTunnels)} more ${status.moreTunnels === 1 ? 'tunnel' : 'tunnels'}`,
        style: 'dim',
      });
    return out;
  }

  draw(area: Area): void {
    const { theme } = this.desk.preferences;
    const lines = this.wrapped(area.width - 1);
    this.room = area.height;
    this.shown = lines.length;
    this.top = Math.max(0, Math.min(this.top, lines.length - area.height));
    for (const [y, l] of lines.slice(this.top, this.top + area.height).entries())
      area.text(0, y, l.text, theme[l.style]);
    if (lines.length > area.height) scrollBar(area, theme, this.top, lines.length);
  }

  /** The lines as wide as the window; made anew only where something is new. */
  private wrapped(width: number): readonly Line[] {
    const { told, viewer } = this.desk;
    const { made } = this;
    if (made !== undefined && made.status === viewer.status && made.story === told.story && made.width === width)
      return made.lines;
    const lines = this.lines().flatMap((l) => wrapBeneath(l.text, width).map((text) => ({ ...l, text })));
    this.made = { status: viewer.status, story: told.story, width, lines };
    return lines;
  }

  offers(): readonly CommandId[] {
    return this.shown > this.room ? ['open', 'down', 'up', 'back'] : ['open', 'back'];
  }

  run(command: CommandId, argument = ''): boolean {
    const step = {
      up: -1,
      down: 1,
      'page-up': -this.room,
      'page-down': this.room,
      top: -this.shown,
      bottom: this.shown,
    };
    const by = step[command as keyof typeof step];
    if (by !== undefined) {
      this.top += by;
      return true;
    }
    if (command !== 'open' && command !== 'keys') return false;
    this.desk.close(this);
    askForKeys(this.desk, argument);
    return true;
  }

  mouse(at: MouseAt): boolean {
    this.top += at.kind === 'wheel-up' ? -3 : at.kind === 'wheel-down' ? 3 : 0;
    return true;
  }
}

const HELP: readonly Line[] = [
  {
    text: 'To get keys, start the UE, or whatever speaks TLS for it, with SSLKEYLOGFILE=FILE in its environment before it connects. A key log serves only the sessions that it was written for.',
    style: 'dim',
  },
  { text: '', style: 'text' },
];

/** Something of a tunnel could not be read. */
const isClosed = (t: TunnelGlance): boolean => t.content !== 'other' && (t.keys === 'none' || t.keys === 'partial');

/** How a tunnel was opened, or why it was not. */
function tunnelLines(t: TunnelGlance, told: TunnelEntity | undefined): Line[] {
  const name = `tunnel ${t.id}  ${t.ue} > ${t.sni ?? t.eftf}`;
  if (t.content === 'other')
    return [{ text: `${name}: not FTT-IMS${t.other === undefined ? '' : `, ${t.other}`}`, style: 'dim' }];
  if (t.keys === 'clear') return [{ text: `${name}: not encrypted`, style: 'good' }];
  if (t.keys === 'unneeded') return [{ text: `${name}: nothing encrypted was seen`, style: 'dim' }];
  const style = { full: 'good', partial: 'warn', none: 'error' } as const;
  const random = told?.tls?.clientRandom === undefined ? '' : `, client random ${told.tls.clientRandom.slice(0, 8)}…`;
  const text = `${name}: ${keysWord(t.keys, t.reason)}${sourceWords(told)}${random}`;
  return [
    { text, style: style[t.keys] },
    ...(t.reason === undefined ? [] : [{ text: `    ${t.reason}`, style: 'text' } as const]),
  ];
}

/** `, with keys in the capture`. */
function sourceWords(t: TunnelEntity | undefined): string {
  const verdicts: readonly Verdict[] = t?.tls === undefined ? [] : [t.tls.decryption.up, t.tls.decryption.down];
  const source = verdicts.find((v) => v.source !== undefined)?.source;
  return source === undefined ? '' : `, opened by ${SOURCE[source] ?? source}`;
}

/** Asks for a key log, and reads the capture again with it; for another one where it is of no use. */
export function askForKeys(desk: Desk, typed = '', refused?: string): void {
  const load = async (text: string): Promise<void> => {
    const path = pathOf(text);
    desk.say(`reading the capture again, with ${path}`);
    const wrong = await desk.reopen({ keylog: [path] });
    if (wrong !== undefined) askForKeys(desk, text, wrong);
  };
  if (typed !== '' && refused === undefined && existsSync(pathOf(typed))) {
    void load(typed);
    return;
  }
  desk.prompt({
    label: 'key log',
    text: typed,
    ...(refused !== undefined && { refused }),
    complete: completePath,
    judge: (text) => ({
      text:
        text.trim() === '' || existsSync(pathOf(text.trim()))
          ? 'a TLS key log, a private key in PEM, or a folder of them'
          : 'there is no such file yet',
      wrong: false,
    }),
    done: (text) => {
      const path = pathOf(text.trim());
      if (text.trim() === '') return 'a file name is needed; Esc cancels';
      if (!existsSync(path)) return `${path}: there is no such file`;
      void load(text.trim());
      return undefined;
    },
  });
}
