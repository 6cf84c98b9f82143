import { StringDecoder } from 'node:string_decoder';
import type { DisplayEvents } from './display.js';

/** Milliseconds within which a second click makes a double click. */
const DOUBLE_MS = 400;

/** Milliseconds in which what follows an escape comes, also over a slow line, if it is more than the key Esc. */
const ESCAPE_MS = 50;

const PASTE_START = '\x1b[200~';
const PASTE_END = '\x1b[201~';

/** Final characters of CSI and SS3 sequences. */
const FINAL: Readonly<Record<string, string>> = {
  A: 'Up',
  B: 'Down',
  C: 'Right',
  D: 'Left',
  F: 'End',
  H: 'Home',
  P: 'F1',
  Q: 'F2',
  R: 'F3',
  S: 'F4',
  Z: 'Shift-Tab',
};

/** Numbers of `CSI n ~`. */
const TILDE: Readonly<Record<number, string>> = {
  1: 'Home',
  2: 'Insert',
  3: 'Delete',
  4: 'End',
  5: 'PgUp',
  6: 'PgDn',
  7: 'Home',
  8: 'End',
  11: 'F1',
  12: 'F2',
  13: 'F3',
  14: 'F4',
  15: 'F5',
  17: 'F6',
  18: 'F7',
  19: 'F8',
  20: 'F9',
  21: 'F10',
  23: 'F11',
  24: 'F12',
};

const MOUSE = /^\x1b\[<(\d+);(\d+);(\d+)([Mm])/;
const OLD_MOUSE = /^\x1b\[M([\s\S])([\s\S])([\s\S])/;
const LINUX_F = /^\x1b\[\[([A-E])/;
const SEQUENCE = /^\x1b(?:\[([\d;?<>=]*)|O)([ -/]*[@-~])/;

/**
 * Makes keys, clicks and pasted text of what a terminal sends. A chunk may hold many of them, and a sequence may be cut
 * between chunks, on a serial line after each octet; an escape that nothing follows for a moment is the key Esc.
 */
export class Input {
  private readonly decoder = new StringDecoder('utf8');
  private rest = '';
  private pasted: string | undefined;
  private lastPress = { x: -1, y: -1, at: 0 };
  private escape: NodeJS.Timeout | undefined;

  constructor(
    private readonly events: Pick<DisplayEvents, 'key' | 'paste' | 'mouse'>,
    private readonly now: () => number = Date.now,
  ) {}

  /** Takes octets that came. */
  take(octets: Buffer): void {
    clearTimeout(this.escape);
    let text = this.rest + this.decoder.write(octets);
    this.rest = '';
    while (text !== '') {
      const used = this.one(text);
      if (used === 0) {
        this.rest = text;
        break;
      }
      text = text.slice(used);
    }
    if (this.rest === '\x1b' && this.pasted === undefined)
      this.escape = setTimeout(() => {
        this.rest = '';
        this.events.key('Esc');
      }, ESCAPE_MS);
  }

  /** Nothing more comes. */
  end(): void {
    clearTimeout(this.escape);
  }

  /** Takes the first thing of a text; returns how many characters it was, 0: there is more to come. */
  private one(text: string): number {
    if (this.pasted !== undefined) return this.paste(text);
    if (!text.startsWith('\x1b')) return this.plain(text);
    if (text.startsWith(PASTE_START)) {
      this.pasted = '';
      return PASTE_START.length;
    }
    const mouse = MOUSE.exec(text) ?? OLD_MOUSE.exec(text);
    if (mouse !== null) return this.mouse(mouse);
    const f = LINUX_F.exec(text);
    if (f !== null) return this.send(`F${f[1].charCodeAt(0) - 64}`, f[0].length);
    const sequence = SEQUENCE.exec(text);
    if (sequence !== null) return this.sequence(sequence);
    if (/^\x1b(?:O|\[[\d;<]*|\[M[\s\S]{0,2})?$/.test(text) && text.length < 32) return 0;
    if (text[1] === '\x1b' || text[1] < ' ') return this.send('Esc', 1);
    return this.send(`Alt-${text[1]}`, 2);
  }

  private send(key: string, length: number): number {
    this.events.key(key);
    return length;
  }

  private plain(text: string): number {
    const code = text.codePointAt(0)!;
    const length = code > 0xffff ? 2 : 1;
    if (code === 0x0d || code === 0x0a) return this.send('Enter', 1);
    if (code === 0x09) return this.send('Tab', 1);
    if (code === 0x7f || code === 0x08) return this.send('Backspace', 1);
    if (code === 0x20) return this.send('Space', 1);
    if (code < 0x20) return code === 0 ? 1 : this.send(`Ctrl-${String.fromCharCode(code + 64)}`, 1);
    return this.send(text.slice(0, length), length);
  }

  private sequence([all, parameters = '', final]: RegExpExecArray): number {
    const [first = '', modifier = ''] = parameters.split(';');
    const key = final === '~' ? TILDE[Number(first)] : FINAL[final];
    if (key === undefined) return all.length;
    const bits = Math.max(0, Number(modifier) - 1);
    const prefix = `${(bits & 4) !== 0 ? 'Ctrl-' : ''}${(bits & 2) !== 0 ? 'Alt-' : ''}${(bits & 1) !== 0 ? 'Shift-' : ''}`;
    return this.send(prefix + key, all.length);
  }

  private mouse(m: RegExpExecArray): number {
    const old = m[0][2] === 'M';
    const [button, x, y] = old ? [1, 2, 3].map((i) => m[i].charCodeAt(0) - 32) : [1, 2, 3].map((i) => Number(m[i]));
    const at = { x: x - 1, y: y - 1 };
    // Wheels to the left and to the right (66, 67) are those of a hand that moves up or down on a touchpad.
    if ((button & 66) === 66) return m[0].length;
    if ((button & 64) !== 0) this.events.mouse({ kind: (button & 1) === 0 ? 'wheel-up' : 'wheel-down', ...at });
    else if ((button & 3) === 0 && (button & 32) === 0 && m[4] !== 'm') {
      const { lastPress, now } = this;
      const double = lastPress.x === at.x && lastPress.y === at.y && now() - lastPress.at < DOUBLE_MS;
      this.lastPress = { ...at, at: double ? 0 : now() };
      this.events.mouse({ kind: double ? 'double' : 'press', ...at });
    }
    return m[0].length;
  }

  private paste(text: string): number {
    const end = text.indexOf(PASTE_END);
    if (end < 0) {
      // The end may be cut: what could be its beginning waits.
      const keep = text.lastIndexOf('\x1b');
      const take = keep >= 0 && text.length - keep < PASTE_END.length ? keep : text.length;
      this.pasted += text.slice(0, take);
      return take;
    }
    this.events.paste(this.pasted + text.slice(0, end));
    this.pasted = undefined;
    return end + PASTE_END.length;
  }
}
