import {
  Framing,
  find,
  indexOf,
  isSpace,
  lineAt,
  Malformed,
  No,
  type Probe,
  skipSpace,
  Unsure,
  utf8Text,
  Yes,
} from 'fttscope/kit';
import { equalsName, Header, headerIdAt } from './names.js';

/*
 * The octets of a SIP message, RFC 3261 §7: a start line, headers, an empty line, a body. One pass over the octets makes
 * descriptors; text is made when somebody asks for it.
 */

/** Octets of one message, and its headers, after which nothing more is read. */
export const MAX_MESSAGE = 256 << 10;
const MAX_HEADERS = 512;
const MAX_METHOD = 32;
const MAX_LINE = 16 << 10;

const HT = 9;
const LF = 10;
const CR = 13;
const SP = 32;
const COLON = 58;
const VERSION = 'SIP/2.0';

/** Where one header stands in its buffer. */
export interface SipHeader {
  /** Index into `HEADERS`; 0: a header without a field of its own. */
  readonly id: number;
  /** First octet of the name. */
  readonly off: number;
  /** One past the name; `off` where the line has no colon. */
  readonly nameEnd: number;
  readonly valueOff: number;
  /** One past the value, line ends of a fold included, the last line end not. */
  readonly valueEnd: number;
  /** One past the line end. */
  readonly end: number;
  /** Whether the value goes on in further lines. RFC 3261 §7.3.1. */
  readonly folded: boolean;
}

/** A message as ranges of its buffer: keep it no longer than the buffer. */
export class SipMessage {
  readonly headers: SipHeader[] = [];
  isRequest = true;
  /** One past the start line, without its line end. */
  lineEnd = 0;
  methodEnd = 0;
  uriOff = 0;
  uriEnd = 0;
  /** Of a response; 0 in a request. */
  status = 0;
  reasonOff = 0;
  /** First octet after the start line. */
  headersOff = 0;
  /** One past the last header and, if it is there, the empty line. */
  headersEnd = 0;
  /** Whether the empty line is there. */
  terminated = false;
  /** Headers beyond {@link MAX_HEADERS}, which are not listed. */
  dropped = 0;
  /** What the message says about its body: octets, -1 without a Content-Length, -2 with one that is not a number. */
  contentLength = -1;
  bodyOff = 0;
  bodyEnd = 0;

  constructor(
    readonly buf: Uint8Array,
    readonly off: number,
    readonly end: number,
  ) {}

  /** Method of a request, and of the request that a response answers (from CSeq); '' if it has none. */
  get method(): string {
    if (this.isRequest) return utf8Text(this.buf, this.off, this.methodEnd);
    return this.cseq()?.method ?? '';
  }
  /** Request-URI; '' in a response. */
  get uri(): string {
    return this.isRequest ? utf8Text(this.buf, this.uriOff, this.uriEnd) : '';
  }
  /** Reason phrase of a response. */
  get reason(): string {
    return this.isRequest ? '' : utf8Text(this.buf, this.reasonOff, this.lineEnd);
  }

  /** The first header with this id. */
  find(id: number): SipHeader | undefined {
    for (let i = 0; i < this.headers.length; i++) if (this.headers[i].id === id) return this.headers[i];
    return undefined;
  }
  /** Value of the first header with this id, unfolded and without space around it; undefined if there is none. */
  text(id: number): string | undefined {
    const h = this.find(id);
    return h === undefined ? undefined : this.value(h);
  }
  /** Value of a header, each fold as one space (RFC 3261 §7.3.1), without space around it. */
  value(h: SipHeader): string {
    const s = utf8Text(this.buf, h.valueOff, h.valueEnd);
    return h.folded
      ? s
          .trim()
          .split('\n')
          .map((line) => line.trim())
          .join(' ')
      : s.trim();
  }
  /** Name of a header as it was written. */
  name(h: SipHeader): string {
    return utf8Text(this.buf, h.off, h.nameEnd);
  }
  /** Number and method of CSeq; undefined where they cannot be read. */
  cseq(): { readonly number: number; readonly method: string } | undefined {
    if (this.keptCseq === null) this.keptCseq = this.readCseq();
    return this.keptCseq;
  }
  /** Null: not read yet. */
  private keptCseq: { number: number; method: string } | undefined | null = null;

  private readCseq(): { number: number; method: string } | undefined {
    const h = this.find(Header.CSeq);
    if (h === undefined) return undefined;
    let i = skipSpace(this.buf, h.valueOff, h.valueEnd);
    const digits = i;
    while (i < h.valueEnd && isDigit(this.buf[i])) i++;
    const method = skipSpace(this.buf, i, h.valueEnd);
    if (i === digits || method === i) return undefined;
    return {
      number: decimal(this.buf, digits, i),
      method: utf8Text(this.buf, method, trimEnd(this.buf, method, h.valueEnd)),
    };
  }
}

/** Whether an octet is one of `0` to `9`. */
export const isDigit = (c: number): boolean => c >= 48 && c <= 57;

/** One past the last octet of `[off, end)` that is not space. */
export function trimEnd(b: Uint8Array, off: number, end: number): number {
  let i = end;
  while (i > off && isSpace(b[i - 1])) i--;
  return i;
}

/** The digits at `off` as a number of 32 bits, what does not fit wrapped around; 0 where there are none. */
export function decimal(b: Uint8Array, off: number, end: number): number {
  let n = 0;
  for (let i = off; i < end && isDigit(b[i]); i++) n = (n * 10 + b[i] - 48) % 0x1_0000_0000;
  return n;
}

/** A number that takes up the whole of `[off, end)`, space around it aside, and fits 32 bits; -1 if it does not. */
export function wholeNumber(b: Uint8Array, off: number, end: number): number {
  const at = skipSpace(b, off, end);
  const stop = trimEnd(b, at, end);
  if (at === stop || stop - at > 10) return -1;
  let n = 0;
  for (let i = at; i < stop; i++) {
    if (!isDigit(b[i])) return -1;
    n = n * 10 + b[i] - 48;
  }
  return n > 0xffff_ffff ? -1 : n;
}

/** Letters, digits and `-.!%*_+`'~`: a token of RFC 3261 §25.1. */
const TOKEN = new Uint8Array(256);
for (const c of "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-.!%*_+`'~") TOKEN[c.charCodeAt(0)] = 1;
/** Whether an octet may stand in a token. RFC 3261 §25.1 */
export const isToken = (c: number): boolean => TOKEN[c] === 1;

/** How many octets at `off` equal those of `SIP/2.0`. */
function versionPrefix(b: Uint8Array, off: number, end: number): number {
  let i = 0;
  while (i < VERSION.length && off + i < end && b[off + i] === VERSION.charCodeAt(i)) i++;
  return i;
}

const isLineEnd = (b: Uint8Array, o: number, end: number): boolean =>
  o === end || b[o] === LF || (b[o] === CR && (o + 1 === end || b[o + 1] === LF));

/** An octet that does not end a word of a start line. */
const isInWord = (c: number): boolean => c !== SP && c !== LF && c !== CR && c !== 0;

/** Whether a start line begins at `off`: `Unsure` where the octets end before that is known. RFC 3261 §7.1, §7.2. */
export function looksLikeSip(b: Uint8Array, off: number, end: number): Probe {
  const v = versionPrefix(b, off, end);
  if (v === VERSION.length) return statusFollows(b, off + v, end);
  if (off + v === end) return Unsure;
  if (b[off] <= SP || b[off] >= 127) return No;
  let i = off;
  while (i < end && isToken(b[i])) i++;
  if (i === end) return i - off <= MAX_METHOD ? Unsure : No;
  // What follows says that it is SIP, whatever is wrong with the method.
  while (i < end && i - off <= MAX_METHOD && isInWord(b[i])) i++;
  if (i === off || i - off > MAX_METHOD || b[i] !== SP) return No;
  const uri = ++i;
  let colon = false;
  while (i < end && isInWord(b[i])) if (b[i++] === COLON) colon = true;
  if (i === end) return i - uri <= MAX_LINE ? Unsure : No;
  if (!colon || b[uri] === COLON || b[i] !== SP) return No;
  i++;
  const n = versionPrefix(b, i, end);
  if (n < VERSION.length) return i + n === end ? Unsure : No;
  return isLineEnd(b, i + n, end) ? Yes : No;
}

/** ` 200 OK` after the version: three digits, the first from 1 to 9, and a space or the line's end. */
function statusFollows(b: Uint8Array, off: number, end: number): Probe {
  for (let i = 0; i < 4; i++) {
    if (off + i === end) return Unsure;
    const c = b[off + i];
    if (i === 0 ? c !== SP : !isDigit(c) || (i === 1 && c === 48)) return No;
  }
  return off + 4 === end || b[off + 4] === SP || isLineEnd(b, off + 4, end) ? Yes : No;
}

/** Octets of a CRLF keep-alive at `off` (RFC 5626 §4.4.1: ping CRLF CRLF, pong CRLF); 0: cut; -1: none. */
export function keepAliveLength(b: Uint8Array, off: number, end: number): number {
  if (b[off] === LF) return 1;
  if (off + 1 >= end) return b[off] === CR ? 0 : -1;
  if (b[off] !== CR || b[off + 1] !== LF) return -1;
  return off + 3 < end && b[off + 2] === CR && b[off + 3] === LF ? 4 : 2;
}

/**
 * Octets of the message or keep-alive that starts at `off` of a stream, as `pduLength` says them.
 * A message without Content-Length ends with its headers (RFC 3261 §18.3 demands the header), or with the octets at hand
 * where what follows is no SIP.
 */
export function sipLength(b: Uint8Array, off: number, end: number, known = new Framing()): number {
  if (off >= end) return 0;
  if (b[off] === CR || b[off] === LF) return keepAliveLength(b, off, end);
  if (known.phase === Phase.Start) {
    const looks = startOf(b, off, end, known);
    if (looks === No) return -1;
    if (looks === Unsure) return 0;
  }
  let line = off + known.from;
  for (let i = off + known.looked; i < end; i++) {
    if (b[i] !== LF) continue;
    const blank = line > off && (i === line || (i === line + 1 && b[line] === CR));
    if (blank) return withBody(b, off, i + 1, end, known.length);
    if (known.length < 0 && line > off) known.length = contentLengthAt(b, line, i);
    line = i + 1;
  }
  known.looked = end - off;
  known.from = line - off;
  return end - off > MAX_MESSAGE ? -1 : 0;
}

/** What of a message is looked through. */
const Phase = { Start: 0, Headers: 1 } as const;

/** Whether a start line begins at `off`. While a Request-URI goes on only what is new is looked at. */
function startOf(b: Uint8Array, off: number, end: number, known: Framing): Probe {
  let i = off + known.looked - VERSION.length - 1; // behind the space after it the version may have begun
  if (known.looked > MAX_METHOD && end - off <= MAX_LINE) while (i < end && b[i] > SP && b[i] !== 127) i++;
  const looks = i === end ? Unsure : looksLikeSip(b, off, end);
  known.looked = looks === Unsure ? end - off : 0;
  if (looks !== Yes) return looks;
  known.phase = Phase.Headers;
  known.length = -1;
  return Yes;
}

function withBody(b: Uint8Array, off: number, headersEnd: number, end: number, length: number): number {
  if (length >= 0) {
    const n = headersEnd - off + length;
    return n > MAX_MESSAGE ? -1 : n;
  }
  if (headersEnd === end || b[headersEnd] === CR || looksLikeSip(b, headersEnd, end) !== No) return headersEnd - off;
  return end - off;
}

/** The number of a Content-Length line in `[line, end)`, -1 if it is another header. */
function contentLengthAt(b: Uint8Array, line: number, end: number): number {
  const c = b[line] | 0x20;
  if (c !== 0x63 && c !== 0x6c) return -1; // c, l
  const colon = find(b, COLON, line, end);
  const nameEnd = trimEnd(b, line, colon);
  if (!equalsName(b, line, nameEnd, 'content-length') && !equalsName(b, line, nameEnd, 'l')) return -1;
  return wholeNumber(b, colon + 1, end);
}

/**
 * Reads the message in `[off, end)`.
 * @param cut the snaplen cut it at `end`: a header whose line does not end there may have gone on, and is left out
 * @throws Malformed where no start line stands at `off`
 */
export function parseSip(buf: Uint8Array, off: number, end: number, cut = false, startLineOnly = false): SipMessage {
  const m = new SipMessage(buf, off, end);
  if (looksLikeSip(buf, off, end) !== Yes) throw new Malformed('not a SIP start line');
  startLine(m);
  let at = m.headersOff;
  if (startLineOnly) {
    m.headersEnd = m.bodyOff = m.bodyEnd = at;
    return m;
  }
  while (at < end) {
    if (isLineEnd(buf, at, end)) {
      if (buf[at] === CR && at + 1 === end) break;
      m.terminated = true;
      at += buf[at] === CR ? 2 : 1;
      break;
    }
    if (cut && indexOf(buf, LF, at, end) < 0) break;
    at = headerAt(m, at);
  }
  m.headersEnd = at;
  m.bodyOff = at;
  if (cut && !m.terminated) m.bodyEnd = at;
  else m.bodyEnd = m.contentLength >= 0 && at + m.contentLength < end ? at + m.contentLength : end;
  return m;
}

function startLine(m: SipMessage): void {
  const { buf, off, end } = m;
  const line = lineAt(buf, off, end);
  m.lineEnd = line.end;
  m.headersOff = line.next;
  m.isRequest = versionPrefix(buf, off, end) < VERSION.length;
  if (!m.isRequest) {
    const code = off + VERSION.length + 1;
    m.status = decimal(buf, code, code + 3);
    m.reasonOff = Math.min(code + 4, m.lineEnd);
    return;
  }
  let i = off;
  while (buf[i] !== SP) i++;
  m.methodEnd = i;
  m.uriOff = ++i;
  while (buf[i] !== SP) i++;
  m.uriEnd = i;
}

/** Adds the header at `off`; returns the offset of the line after it. */
function headerAt(m: SipMessage, off: number): number {
  const { buf, end } = m;
  let colon = -1;
  let folded = false;
  let i = off;
  for (; ; i++) {
    while (i < end && buf[i] !== LF) {
      if (buf[i] === COLON && colon < 0 && !folded) colon = i;
      i++;
    }
    if (i + 1 >= end || (buf[i + 1] !== SP && buf[i + 1] !== HT)) break;
    folded = true;
  }
  const lineEnd = i < end ? i + 1 : end;
  if (m.headers.length >= MAX_HEADERS) {
    m.dropped++;
    return lineEnd;
  }
  const stop = i > off && buf[i - 1] === CR ? i - 1 : i;
  const nameEnd = colon < 0 ? off : trimEnd(buf, off, colon); // RFC 3261 §25.1: HCOLON allows space before the colon
  const id = colon < 0 ? 0 : headerIdAt(buf, off, nameEnd);
  const valueOff = colon < 0 ? off : Math.min(skipSpace(buf, colon + 1, stop), stop);
  m.headers.push({ id, off, nameEnd, valueOff, valueEnd: stop, end: lineEnd, folded });
  if (id === Header.ContentLength && m.contentLength < 0) {
    const n = wholeNumber(buf, valueOff, stop);
    m.contentLength = n < 0 ? -2 : n;
  }
  return lineEnd;
}
