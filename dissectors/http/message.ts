import {
  Framing,
  find,
  indexOf,
  latin1,
  No,
  type Probe,
  skip,
  startsWith,
  type TextLine,
  Unsure,
  type View,
  Yes,
} from 'fttscope/kit';

/** Where the parts of a message stand; offsets into its buffer. RFC 9112 §2. */
export interface Message {
  readonly start: TextLine;
  readonly headers: readonly Header[];
  /** Field lines beyond {@link MAX_HEADERS}, which are not looked at. */
  readonly dropped: number;
  /** Offset behind the empty line. */
  readonly body: number;
  /** Whether the empty line is there. */
  readonly complete: boolean;
}

/** A field line with its continuation lines; without a colon `nameEnd` is `end`. */
export interface Header extends TextLine {
  readonly nameEnd: number;
  readonly name: string;
  readonly valueOff: number;
  /** Up to a NUL, where most that read it as text end. */
  readonly value: string;
}

const NUL = 0;
const CR = 13;
const LF = 10;
const SPACE = 32;
const TAB = 9;
const COLON = 58;
/** Field lines of one message that are looked at. */
const MAX_HEADERS = 1000;

/** Methods of RFC 9110 §9.3, of WebDAV (RFC 4918, 3253, 3648, 3744, 5323) and of others that took over its syntax. */
const METHODS = new Set(
  (
    'GET HEAD POST PUT DELETE CONNECT OPTIONS TRACE PATCH LINK UNLINK PROPFIND PROPPATCH MKCOL COPY MOVE LOCK UNLOCK ' +
    'VERSION-CONTROL REPORT CHECKOUT CHECKIN UNCHECKOUT MKWORKSPACE UPDATE LABEL MERGE BASELINE-CONTROL MKACTIVITY ' +
    'ORDERPATCH ACL SEARCH BCOPY BDELETE BMOVE BPROPFIND BPROPPATCH POLL RPC_IN_DATA RPC_OUT_DATA CCM_POST ' +
    'NOTIFY M-SEARCH SUBSCRIBE UNSUBSCRIBE'
  ).split(' '),
);
const LONGEST_METHOD = 16;
/** Octets of a start line within which its end must show, and its version where that counts. */
const LONGEST_LINE = 65_536;

/** Whether a request or status line stands at `off`, behind at most one empty line. RFC 9112 §2.2 */
export function isStart(b: Uint8Array, off: number, end: number): Probe {
  const at = behindEmptyLine(b, off, end);
  const start = startsMessage(b, off, end);
  if (start !== Yes || startsWith(b, at, end, 'HTTP/')) return start;
  const line = wholeLineAt(b, at, Math.min(end, at + LONGEST_LINE));
  if (line === undefined) return end - at < LONGEST_LINE ? Unsure : No;
  return hasVersion(b, line) ? Yes : No;
}

/** The same where it is known to be HTTP: the version may be another one, or missing. */
export function startsMessage(b: Uint8Array, off: number, end: number): Probe {
  const at = behindEmptyLine(b, off, end);
  if (startsWith(b, at, end, 'HTTP/')) return Yes;
  if (end - at < 5 && 'HTTP/'.startsWith(latin1(b, at, end))) return Unsure;
  const i = find(b, SPACE, at, Math.min(end, at + LONGEST_METHOD + 1));
  const token = latin1(b, at, i);
  if (i === end) return [...METHODS].some((m) => m.startsWith(token)) ? Unsure : No;
  return b[i] === SPACE && METHODS.has(token) ? Yes : No;
}

/** Behind an empty line at `off` that a line which is not empty stands behind. RFC 9112 §2.2 */
const behindEmptyLine = (b: Uint8Array, off: number, end: number): number =>
  end - off > 2 && b[off] === CR && b[off + 1] === LF && b[off + 2] !== CR && b[off + 2] !== LF ? off + 2 : off;

/** Where the target of a request line starts and ends: between the first two spaces, or up to its end. RFC 9112 §3 */
export function targetOf(b: Uint8Array, { off, end }: TextLine): { readonly off: number; readonly end: number } {
  const at = Math.min(end, find(b, SPACE, off, end) + 1);
  return { off: at, end: find(b, SPACE, at, end) };
}

/** Whether ` HTTP/1.` stands behind the method of a request line, where its target may be missing. */
function hasVersion(b: Uint8Array, line: TextLine): boolean {
  let at = indexOf(b, SPACE, line.off, line.end);
  while (at >= 0 && !isVersion(b, at, line)) at = indexOf(b, SPACE, at + 1, line.end);
  return at >= 0;
}

/** Whether a space and a version stand at `at`, or what is left of them in a line that was cut. */
const isVersion = (b: Uint8Array, at: number, { end, next }: TextLine): boolean =>
  startsWith(b, at, end, ' HTTP/1.') || (next === end && ' HTTP/1.'.startsWith(latin1(b, at, end)));

/**
 * The line that starts at `off`; undefined where its end is not there, but for one that was `cut`. A CR alone ends a line,
 * too: receivers disagree about it (RFC 9112 §2.2), and Wireshark takes it so.
 */
function wholeLineAt(b: Uint8Array, off: number, end: number, cut = false): TextLine | undefined {
  const at = lineEnd(b, off, end);
  const next = at < 0 ? -1 : behindLineEnd(b, at, end);
  if (next >= 0) return { off, end: at, next };
  return cut && off < end ? { off, end, next: end } : undefined;
}

/**
 * How many octets Wireshark takes for field lines of a message whose start is missing: whole lines that have a colon, the
 * first of which begins with a printable character, up to an empty line; all there are where a line does not end. 0: none.
 */
export function fieldLines(b: Uint8Array, off: number, end: number): number {
  for (let at = off; ; ) {
    const line = wholeLineAt(b, at, end);
    if (line === undefined) return at > off ? end - off : 0;
    const isBlank = line.end === line.off;
    const mayBegin = at > off || (b[at] >= SPACE && b[at] <= 126);
    const isField = mayBegin && indexOf(b, COLON, at, line.end) >= 0;
    if (!isField) return at > off ? (isBlank ? line.next : at) - off : 0;
    at = line.next;
  }
}

/** The lines that {@link fieldLines} counts, up to `end`: the last one may have no end. */
export function* fieldsOf(b: Uint8Array, off: number, end: number): Generator<Header> {
  for (let at = off; at < end; ) {
    const line = wholeLineAt(b, at, end, true)!;
    if (line.end > line.off) yield header(b, line);
    at = line.next;
  }
}

/** Where the next line ends, or -1. */
function lineEnd(b: Uint8Array, off: number, end: number): number {
  const lf = find(b, LF, off, end);
  const at = find(b, CR, off, lf);
  return at < end ? at : -1;
}

/** Behind the line end at `at`; -1 where an LF may still come. */
function behindLineEnd(b: Uint8Array, at: number, end: number): number {
  if (b[at] === LF) return at + 1;
  if (at + 1 === end) return -1;
  return b[at + 1] === LF ? at + 2 : at + 1;
}

/** The text of the first line, cut after 2048 characters. */
export function startLine(v: View): string {
  const stop = Math.min(v.end, v.off + 2048);
  let at = v.off;
  while (at < stop && v.buf[at] !== CR && v.buf[at] !== LF) at++;
  return latin1(v.buf, v.off, at);
}

const isBlank = (c: number): boolean => c === SPACE || c === TAB;

function onlyBlanks(b: Uint8Array, { off, end }: TextLine): boolean {
  let at = off;
  while (at < end && isBlank(b[at])) at++;
  return at === end;
}

/** How the head of a message is read. */
interface HeadOptions {
  /** Its last line may have no end: the octets are not all there. */
  readonly cut?: boolean;
  /** All lines up to the empty one belong to it, also those without a colon, at which the body starts otherwise. */
  readonly all?: boolean;
}

/** Reads start line and field lines; undefined where not even the start line is whole. */
export function readMessage(
  b: Uint8Array,
  off: number,
  end: number,
  { cut = false, all = false }: HeadOptions = {},
): Message | undefined {
  const start = wholeLineAt(b, behindEmptyLine(b, off, end), end, cut);
  if (start === undefined) return undefined;
  const headers: Header[] = [];
  let dropped = 0;
  let at = start.next;
  for (;;) {
    let line = wholeLineAt(b, at, end, cut);
    if (line === undefined) break;
    if (line.end === line.off) return { start, headers, dropped, body: line.next, complete: true };
    if (!all && indexOf(b, COLON, line.off, line.end) < 0) {
      if (line.next === line.end) break; // a name that was cut
      return { start, headers, dropped, body: line.off, complete: true };
    }
    // RFC 9112 §5.2: a line that starts with white space goes on with the one before
    while (line.next < end && isBlank(b[line.next])) {
      const more = wholeLineAt(b, line.next, end);
      if (more === undefined || onlyBlanks(b, more)) break;
      line = { off: line.off, end: more.end, next: more.next };
    }
    if (headers.length < MAX_HEADERS) headers.push(header(b, line));
    else dropped++;
    at = line.next;
  }
  return { start, headers, dropped, body: at, complete: false };
}

function header(b: Uint8Array, line: TextLine): Header {
  const nameEnd = find(b, COLON, line.off, line.end);
  let from = Math.min(line.end, nameEnd + 1);
  const to = line.end;
  while (from < to && isBlank(b[from])) from++;
  const value = unfolded(latin1(b, from, find(b, NUL, from, to))).replace(/^[ \t]+|[ \t]+$/g, '');
  return { ...line, nameEnd, name: latin1(b, line.off, nameEnd).toLowerCase(), valueOff: from, value };
}

/** Text of a field whose lines were put together. RFC 9112 §5.2 */
export const unfolded = (text: string): string => text.replace(/\r?\n[ \t]+/g, ' ');

/** The value of the last field of that name (lower case), or ''. */
export function fieldValue(m: Message, name: string): string {
  for (let i = m.headers.length - 1; i >= 0; i--) if (m.headers[i].name === name) return m.headers[i].value;
  return '';
}

/** Status code of a response, -1 where it has none; 0 for a request. */
export function statusOf(b: Uint8Array, m: Message): number {
  const status = statusLine(b, m.start);
  if (status === undefined) return 0;
  return /^[1-9]\d\d$/.test(status.digits ?? '') ? Number(status.digits) : -1;
}

/** Where the parts of a status line stand, RFC 9112 §4: each behind any number of spaces, the reason up to its end. */
export interface StatusLine {
  readonly versionEnd: number;
  readonly code: number;
  /** The digits that the first three characters of the code begin with, behind white space; undefined where there are no three. */
  readonly digits: string | undefined;
  readonly reason: number;
}

/** The parts of a status line; undefined for a request line. */
export function statusLine(b: Uint8Array, { off, end }: TextLine): StatusLine | undefined {
  if (!startsWith(b, off, end, 'HTTP/')) return undefined;
  const versionEnd = find(b, SPACE, off, end);
  const code = skip(b, SPACE, versionEnd, end);
  const codeEnd = find(b, SPACE, code, end);
  if (codeEnd - code < 3) return { versionEnd, code, digits: undefined, reason: end };
  const digits = /^[\t-\r]*(\d*)/.exec(latin1(b, code, code + 3))![1];
  return { versionEnd, code, digits, reason: skip(b, SPACE, codeEnd, end) };
}

/** Bodies that do not begin with a length; `UntilClose`: that of a response that does not say. RFC 9112 §6.3 */
export const Chunked = -1;
export const UntilClose = -2;

/** Octets of the body of `m`, {@link Chunked} or {@link UntilClose}. RFC 9112 §6.3 */
export function bodyLength(b: Uint8Array, m: Message): number {
  const status = statusOf(b, m);
  if ((status >= 100 && status < 200) || status === 204 || status === 304) return 0;
  if (isChunked(m)) return Chunked;
  const length = fieldValue(m, 'content-length');
  if (/^\d{1,15}$/.test(length)) return Number(length);
  return status === 0 ? 0 : UntilClose;
}

/**
 * Whether any Transfer-Encoding names it. RFC 9112 §6.1 wants it last, not everyone puts it there; what only contains the
 * word is another coding, whose body ends with the connection (§6.3).
 */
const isChunked = (m: Message): boolean =>
  m.headers.some(
    ({ name, value }) => name === 'transfer-encoding' && /^chunked|,[ \t]*chunked[ \t]*(?:[;,]|$)/i.test(value),
  );

/** Transfer codings of the registry, RFC 9112 §7.3, and the one that RFC 2616 §3.6 had for none. */
const CODINGS = new Set('chunked compress deflate gzip x-compress x-gzip identity'.split(' '));

/** Whether a Transfer-Encoding names a coding that nobody knows, or more than one beside the chunks. */
export function hasUnknownCoding(value: string): boolean {
  const codings = value.split(',').map((coding) => coding.replace(/^[ \t]+|[ \t]+$/g, '').toLowerCase());
  const named = codings.filter((coding) => coding !== '' && coding !== 'chunked');
  return named.length > 1 || named.some((coding) => !CODINGS.has(coding));
}

/** Whether the value of a Content-Length is a length. RFC 9110 §8.6 */
export const isLength = (value: string): boolean => /^\d{1,19}$/.test(value);

/** One chunk: its size line, its data, and what ends it. */
export interface Chunk {
  readonly off: number;
  readonly data: number;
  readonly size: number;
  /** Behind the line end after the data. */
  readonly next: number;
}

/**
 * The chunk whose size line starts at `off`; 0: more octets are needed; -1: not a chunk. RFC 9112 §7.1. What stands around
 * the digits is passed over, as receivers do.
 */
export function chunkAt(b: Uint8Array, off: number, end: number): Chunk | 0 | -1 {
  const line = wholeLineAt(b, off, end);
  if (line === undefined) return end - off > 1024 ? -1 : 0;
  const m = /^\s*(?:0x)?0*([0-9a-f]{1,8})(?![0-9a-f])/i.exec(latin1(b, off, line.end));
  if (m === null) return -1;
  const size = Number.parseInt(m[1], 16);
  if (size === 0) return { off, data: line.next, size, next: line.next };
  const stop = line.next + size;
  if (stop + 1 > end) return 0;
  if (b[stop] === LF) return { off, data: line.next, size, next: stop + 1 };
  if (stop + 2 > end) return 0;
  return b[stop] === CR && b[stop + 1] === LF ? { off, data: line.next, size, next: stop + 2 } : -1;
}

/**
 * Octets of the message at `off`; 0: more are needed; `Infinity`: the end of the connection ends the body. Anything that is
 * no message is a message of its own ("continuation").
 */
export function messageLength(b: Uint8Array, off: number, end: number, known?: Framing): number {
  return lengthOf(b, off, end, 'any', known);
}

/**
 * The same for what answers a CONNECT. A 2xx response has no body, whatever it says (RFC 9112 §6.3), and no other is waited
 * for to its end: it may be followed by a request with credentials.
 */
export function connectAnswerLength(b: Uint8Array, off: number, end: number, known?: Framing): number {
  return lengthOf(b, off, end, 'connect', known);
}

/** The same for what answers a HEAD: it has no body, whatever it says. RFC 9112 §6.3 */
export function headAnswerLength(b: Uint8Array, off: number, end: number, known?: Framing): number {
  return lengthOf(b, off, end, 'head', known);
}

/**
 * What of a message is looked through: its first line, one that is no start line, up to the empty line, chunks, the line
 * behind them, trailers.
 */
const Phase = { Start: 0, Line: 1, Head: 2, Chunks: 3, FirstTrailer: 4, Trailers: 5 } as const;

function lengthOf(
  b: Uint8Array,
  off: number,
  end: number,
  answers: 'any' | 'connect' | 'head',
  known = new Framing(),
): number {
  if (known.phase === Phase.Start && !starts(b, off, end, known)) return 0;
  if (known.phase === Phase.Line) return lineEndsIn(b, off, end, known) ? end - off : 0; // it may go on: a line is read to its end
  if (known.phase === Phase.Head) {
    const head = emptyLine(b, off, end, known);
    if (head === 0) return 0;
    if (answers === 'head') return head;
    const connect = answers === 'connect';
    const m = readMessage(b, off, off + head, { all: true })!;
    if (connect && Math.trunc(statusOf(b, m) / 100) === 2) return head;
    const length = bodyLength(b, m);
    if (length === UntilClose) return connect ? head : Number.POSITIVE_INFINITY;
    if (length !== Chunked) return head + length;
    known.phase = Phase.Chunks;
    known.looked = known.from = head;
  }
  return chunkedLength(b, off, end, known);
}

/** Whether it can be told if the first line is a start line: that has an end. */
function starts(b: Uint8Array, off: number, end: number, known: Framing): boolean {
  let start = startsMessage(b, off, end);
  if (start === Yes && lineEnd(b, off + known.looked, end) < 0) {
    known.looked = end - off;
    start = known.looked < LONGEST_LINE ? Unsure : No;
  }
  if (start !== Unsure) known.phase = start === Yes ? Phase.Head : Phase.Line;
  return start !== Unsure;
}

/** Whether a line ends in what was not looked at. */
function lineEndsIn(b: Uint8Array, off: number, end: number, known: Framing): boolean {
  if (indexOf(b, LF, off + known.looked, end) >= 0) return true;
  known.looked = end - off;
  return false;
}

/** Octets up to and with the next empty line; 0: it is still to come. */
function emptyLine(b: Uint8Array, off: number, end: number, known: Framing): number {
  let at = off + known.looked;
  for (;;) {
    const ends = lineEnd(b, at, end);
    const next = ends < 0 ? -1 : behindLineEnd(b, ends, end);
    const empty = next < 0 || next === end || (b[next] !== CR && b[next] !== LF) ? -1 : behindLineEnd(b, next, end);
    if (empty >= 0) return empty - off;
    if (next < 0 || next === end || b[next] === CR) {
      known.looked = (ends < 0 ? end : ends) - off;
      return 0;
    }
    at = next;
  }
}

/** Octets of a message whose body, from `known.from` on, comes in chunks; without the body where a chunk is broken. */
function chunkedLength(b: Uint8Array, off: number, end: number, known: Framing): number {
  while (known.phase === Phase.Chunks) {
    const c = chunkAt(b, off + known.looked, end);
    if (c === 0) return 0;
    if (c === -1) return chunkTooLarge(b, off + known.from, end) ? end - off : known.from;
    known.looked = c.next - off;
    if (c.size > 0) continue;
    known.phase = Phase.FirstTrailer;
    known.from = known.looked;
  }
  if (known.phase === Phase.FirstTrailer) {
    const from = off + known.from;
    const ends = lineEnd(b, off + known.looked, end);
    const next = ends < 0 ? -1 : behindLineEnd(b, ends, end);
    if (next < 0) {
      known.looked = (ends < 0 ? end : ends) - off;
      return 0;
    }
    // The empty line, or no trailer field either: that is as much of an end as there will be.
    if (indexOf(b, COLON, from, ends) < 0) return next - off;
    known.phase = Phase.Trailers;
    known.looked = ends - off;
  }
  return emptyLine(b, off, end, known);
}

/** Whether a chunk size stands at `at` that no number of octets can be. */
export const chunkTooLarge = (b: Uint8Array, at: number, end: number): boolean =>
  /^0*[1-9a-f][0-9a-f]{8,}[ \t]*(;|\r?\n)/i.test(latin1(b, at, Math.min(end, at + 64)));
