import {
  type AnyDissector,
  defineDissector,
  indexOf,
  latin1,
  lineAt,
  type Tree,
  u8,
  utf8Text,
  View,
} from 'fttscope/kit';
import { showSegments } from '../mail.js';
import { Dialogue, lines, mayBeCommand, type SmtpNote } from './dialogue.js';
import { F } from './fields.js';

/**
 * Simple Mail Transfer Protocol, RFC 5321: lines of a client and of a server, and a mail between them.
 *
 *     C: MAIL FROM:<ann@a.example>
 *     S: 250 OK
 *     C: DATA
 *     S: 354 Start mail input
 *     C: Subject: hello            the mail, up to a line with a dot alone
 *     C: …
 *     C: .
 *     S: 250 OK
 *
 * Like Wireshark it takes a segment of the stream as a whole, from where a line is whole.
 */
const LF = 10;
const PORTS = [25, 587];
const SPACE = 32;
const DASH = 45;
const CODE = 3;

export const smtp = defineDissector({
  proto: 'smtp',
  title: 'Simple Mail Transfer Protocol',
  short: 'SMTP',
  spec: 'RFC 5321',
  fields: F,
  on: { 'tcp.port': PORTS },
  calls: ['data-text-lines', 'imf'],
  serves: { fields: Object.values(F), protocols: ['imf', 'data-text-lines'] },

  pduLength(b, off, end, known) {
    if (indexOf(b, LF, off + (known?.looked ?? 0), end) >= 0) return end - off;
    if (known !== undefined) known.looked = end - off;
    return 0;
  },

  track(v, cx) {
    if (!PORTS.includes(cx.dport)) return;
    cx.note(cx.flow(smtp as AnyDissector, () => new Dialogue()).take(v, cx));
  },

  dissect(v, t, cx) {
    const client = PORTS.includes(cx.dport);
    const note = cx.quoted ? quoted(v, client) : cx.note<SmtpNote>(smtp as AnyDissector, v);
    t.open(F.smtp, v.off, v.length);
    t.num(client ? F.request : F.response, v.off, 0, 1);
    if (!client) replies(v, t);
    else if (note === undefined || note.kind === 'commands') commands(v, t);
    else if (note.kind === 'end') {
      t.none(F.end, v.off + note.endAt, Math.min(3, v.length - note.endAt));
      if (note.mail !== undefined) showSegments(t, F, note.mail);
    } else if (note.kind === 'mail') cx.call('data-text-lines', v);
    else
      t.text(note.kind === 'user' ? F.user : note.kind === 'password' ? F.password : F.userPassword, v.off, v.length);
    t.pop();
    if (note?.mail !== undefined) cx.call('imf', View.of(note.mail.octets, 'Mail'));
  },

  summary(v, cx) {
    const { end: stop } = lineAt(v.buf, v.off, v.end);
    const kind = cx.note<SmtpNote>(smtp as AnyDissector, v)?.kind;
    if (kind === 'mail') return `C: DATA fragment, ${v.length} bytes`;
    if (kind === 'end') return 'C: .';
    return `${PORTS.includes(cx.dport) ? 'C' : 'S'}: ${utf8Text(v.buf, v.off, stop)}`;
  },
});

/** What a segment is that somebody quotes: nothing but its octets says it. */
function quoted({ buf, off, end }: View, client: boolean): SmtpNote | undefined {
  const isMail = client && !mayBeCommand(buf, off, lineAt(buf, off, end).end);
  return isMail ? { kind: 'mail', endAt: -1 } : undefined;
}

function commands(v: View, t: Tree): void {
  const { buf } = v;
  for (const { off: at, end: stop, next } of lines(buf, v.off, v.end)) {
    t.text(F.commandLine, at, next - at);
    t.push();
    const verb = Math.min(stop, at + 4);
    t.text(F.command, at, verb - at);
    let parameter = verb;
    while (parameter < stop && u8(buf, parameter) === SPACE) parameter++;
    if (parameter > verb && parameter < stop) t.text(F.parameter, parameter, stop - parameter);
    t.pop();
  }
}

/** Replies of one or more lines: `250-more to come`, `250 last`. RFC 5321 §4.2.1. */
function replies(v: View, t: Tree): void {
  const { buf } = v;
  let open = false;
  for (const { off: at, end: stop, next } of lines(buf, v.off, v.end)) {
    if (!open) t.text(F.reply, at, next - at);
    t.push();
    const code = latin1(buf, at, Math.min(stop, at + CODE));
    const numbered = /^\d{3}$/.test(code);
    if (numbered && !open) t.num(F.code, at, CODE, Number(code));
    if (numbered && stop > at + CODE + 1) t.text(F.replyText, at + CODE + 1, stop - at - CODE - 1);
    t.pop();
    open = numbered && stop > at + CODE && u8(buf, at + CODE) === DASH;
  }
}
