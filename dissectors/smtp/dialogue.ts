import { latin1, lineAt, startsWith, type TextLine, type Track, u8, type View } from 'fttscope/kit';
import { type Mail, MailParts } from '../mail.js';

/** What a segment of the client is: its last line says it, and the end of a mail ends all before it. */
export type Kind = 'commands' | 'mail' | 'end' | 'user' | 'password' | 'both';

/** What `dissect` must know about a segment of the client. */
export interface SmtpNote {
  readonly kind: Kind;
  /** Where the line that ends the mail starts, from the start of the segment. */
  readonly endAt: number;
  /** The mail that ends here. */
  readonly mail?: Mail | undefined;
}

const CR = 13;
const LF = 10;
const SPACE = 32;
const VERB = 4;
/** RFC 5321 §4.5.1, RFC 3030, RFC 3207, RFC 4954, and what older servers know. */
const VERBS =
  'ATRN AUTH BDAT BURL DATA EHLO ETRN EXPN HELO HELP MAIL NOOP QUIT RCPT RSET SAML SEND SOML STAR TURN VRFY'.split(' ');

/** Lines of a segment; the last may have no end. */
export function* lines(b: Uint8Array, off: number, end: number): Generator<TextLine> {
  for (let at = off; at < end; ) {
    const line = lineAt(b, at, end);
    yield line;
    at = line.next;
  }
}

/** Whether a line may be a command: it begins with a verb, known or of an extension. */
export function mayBeCommand(b: Uint8Array, at: number, stop: number): boolean {
  if (stop - at <= VERB || u8(b, at + VERB) === SPACE) return stop - at >= VERB;
  return VERBS.includes(latin1(b, at, at + VERB).toUpperCase());
}

/** Follows what a client sends, RFC 5321 §3.3: whether its lines are commands or a mail. */
export class Dialogue {
  private reading = false;
  /** The last segment of the mail ended with the end of a line. */
  private lineEnded = false;
  /** Octets of a chunk that BDAT announced and that are to come; -1: none was. RFC 3030 §2. */
  private chunk = -1;
  private last = false;
  private auth: 'none' | 'user' | 'password' | 'both' = 'none';
  private readonly parts = new MailParts();

  /** What it holds, in units that a few entries cost. */
  get size(): number {
    return this.parts.size;
  }

  /** Takes a segment in. */
  take({ buf: b, off, end }: View, cx: Track): SmtpNote {
    let kind: Kind = 'commands';
    for (const { off: at, end: stop, next } of lines(b, off, end)) {
      if (this.reading && this.ends(b, at, end)) {
        this.reading = false;
        this.parts.keep(b, off, at, cx);
        return this.ended(at - off);
      }
      if (!this.reading) kind = this.line(b, at, stop);
      else {
        kind = 'mail';
        if (this.chunk >= 0 && this.chunkEnds(end - at)) return this.chunked(b, off, end, cx);
        if (this.chunk >= 0) break;
      }
      if (next >= end) break;
    }
    if (kind === 'mail') this.parts.keep(b, off, end, cx);
    return { kind, endAt: -1 };
  }

  /** Whether the mail ends with the line at `at`, or with an empty one before that: RFC 5321 §4.1.1.4. */
  private ends(b: Uint8Array, at: number, end: number): boolean {
    const found = (this.lineEnded && startsWith(b, at, end, '.\r\n')) || startsWith(b, at, end, '\r\n.\r\n');
    this.lineEnded = end - at >= 2 && u8(b, end - 2) === CR && u8(b, end - 1) === LF;
    return found && this.chunk < 0;
  }

  private chunkEnds(there: number): boolean {
    this.chunk -= Math.min(this.chunk, there);
    return this.chunk === 0;
  }

  /** A chunk is whole: commands follow, and the last one ends the mail. */
  private chunked(b: Uint8Array, off: number, end: number, cx: Track): SmtpNote {
    this.reading = false;
    this.chunk = -1;
    this.parts.keep(b, off, end, cx);
    return this.last ? { ...this.ended(end - off), kind: 'mail' } : { kind: 'mail', endAt: -1 };
  }

  private line(b: Uint8Array, at: number, stop: number): Kind {
    if (this.auth !== 'none') {
      const kind = this.auth;
      this.auth = kind === 'user' ? 'password' : 'none';
      return kind;
    }
    if (!mayBeCommand(b, at, stop)) return 'mail';
    const verb = latin1(b, at, at + VERB).toUpperCase();
    if (verb === 'DATA') this.reading = true;
    else if (verb === 'BDAT') this.announce(latin1(b, at + VERB, stop));
    else if (verb === 'AUTH') this.authenticate(latin1(b, at + VERB, stop));
    return 'commands';
  }

  private announce(text: string): void {
    const m = /^\s*(\d{1,9})(\s+LAST)?/i.exec(text);
    if (m === null || Number(m[1]) === 0) return;
    this.chunk = Number(m[1]);
    this.last = m[2] !== undefined;
    this.reading = true;
  }

  /** RFC 4954 §4: what is asked for comes in lines of its own, unless it stands behind the mechanism. */
  private authenticate(text: string): void {
    const [mechanism, initial] = text.trim().toUpperCase().split(/\s+/);
    if (mechanism === 'LOGIN') this.auth = initial === undefined ? 'user' : 'password';
    else if (mechanism === 'PLAIN' && initial === undefined) this.auth = 'both';
  }

  private ended(endAt: number): SmtpNote {
    return { kind: 'end', endAt, mail: this.parts.octets === 0 ? undefined : this.parts.take() };
  }
}
