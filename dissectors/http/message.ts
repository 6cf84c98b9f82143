import { Framing, indexOf, latin1, No, type Probe, startsWith, Unsure, type View, Yes } from 'fttscope/kit';

/** Where the parts of a message stand; offsets into its buffer. RFC 9112 §2. */
export interface Message {
  readonly start: Line;
  readonly headers: readonly Header[];
  /** Field lines beyond {@link MAX_HEADERS}, which are not looked at. */
  readonly dropped: number;
  /** Offset behind the empty line. */
  readonly body: number;
  /** Whether the empty line is there. */
  readonly complete: boolean;
}

/** `[off, end)` without its line end, which `next` lies behind. */
export interface Line {
  readonly off: number;
  readonly end: number;
  readonly next: number;
}

/** A field line with its continuation lines; without a colon `nameEnd` is `end`. */
export interface Header extends Line {
  readonly nameEnd: number;
  readonly name: string;
  readonly valueOff: number;
  readonly value: string;
}

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
/** Octets of a request line within which its version must show. */
const LONGEST_LINE = 65_536;

/** Whether a request or status line stands at `off`. */
export function isStart(b: Uint8Array, off: number, end: number): Probe {
  const n = end - off;
  if (startsWith(b, off, end, 'HTTP/1.')) return Yes;
  if (n < 7 && 'HTTP/1.'.startsWith(latin1(b, off, end))) return Unsure;
  let i = off;
  while (i < end && i - off <= LONGEST_METHOD && b[i] !== SPACE) i++;
  const token = latin1(b, off, i);
  if (i === end) return [...METHODS].some((m) => m.startsWith(token)) ? Unsure : No;
  if (b[i] !== SPACE || !METHODS.has(token)) return No;
  const line = lineAt(b, off, Math.min(end, off + LONGEST_LINE));
  if (line === undefined) return n < LONGEST_LINE ? Unsure : No;
  return versionAt(b, line) > off || startsWith(b, i, line.end, ' HTTP/1.') ? Yes : No; // or its target is missing
}

/**
 * Offset of the space before the version of a request line (all that stands behind its target), or -1 where ` HTTP/1.`
 * does not stand in it.
 */
export function versionAt(b: Uint8Array, line: Line): number {
  const method = indexOf(b, SPACE, line.off, line.end);
  const first = method < 0 ? -1 : indexOf(b, SPACE, method + 1, line.end);
  let at = first;
  while (at >= 0 && !isVersion(b, at, line)) at = indexOf(b, SPACE, at + 1, line.end);
  return at < 0 ? -1 : first;
}

/** Whether a space and a version stand at `at`, or what is left of them in a line that was cut. */
const isVersion = (b: Uint8Array, at: number, { end, next }: Line): boolean =>
  startsWith(b, at, end, ' HTTP/1.') || (next === end && ' HTTP/1.'.startsWith(latin1(b, at, end)));

/** The line that starts at `off`; undefined where its end is not there, but for one that was `cut`. */
function lineAt(b: Uint8Array, off: number, end: number, cut = false): Line | undefined {
  const lf = indexOf(b, LF, off, end);
  if (lf < 0) return cut && off < end ? { off, end, next: end } : undefined;
  return { off, end: lf > off && b[lf - 1] === CR ? lf - 1 : lf, next: lf + 1 };
}

/** The text of the first line, cut after 2048 characters. */
export function startLine(v: View): string {
  const stop = Math.min(v.end, v.off + 2048);
  let at = v.off;
  while (at < stop && v.buf[at] !== CR && v.buf[at] !== LF) at++;
  return latin1(v.buf, v.off, at);
}

const isBlank = (c: number): boolean => c === SPACE || c === TAB;

/** Reads start line and field lines; undefined where not even the start line is whole. The last line may be `cut`. */
export function readMessage(b: Uint8Array, off: number, end: number, cut = false): Message | undefined {
  const start = lineAt(b, off, end, cut);
  if (start === undefined) return undefined;
  const headers: Header[] = [];
  let dropped = 0;
  let at = start.next;
  for (;;) {
    let line = lineAt(b, at, end, cut);
    if (line === undefined) break;
    if (line.end === line.off) return { start, headers, dropped, body: line.next, complete: true };
    // RFC 9112 §5.2: a line that starts with white space goes on with the one before
    while (line.next < end && isBlank(b[line.next])) {
      const more = lineAt(b, line.next, end);
      if (more === undefined) break;
      line = { off: line.off, end: more.end, next: more.next };
    }
    if (headers.length < MAX_HEADERS) headers.push(header(b, line));
    else dropped++;
    at = line.next;
  }
  return { start, headers, dropped, body: at, complete: false };
}

function header(b: Uint8Array, line: Line): Header {
  const colon = indexOf(b, COLON, line.off, line.end);
  const nameEnd = colon < 0 ? line.end : colon;
  let from = Math.min(line.end, nameEnd + 1);
  let to = line.end;
  while (from < to && isBlank(b[from])) from++;
  while (to > from && isBlank(b[to - 1])) to--;
  const value = latin1(b, from, to).replace(/\r?\n[ \t]+/g, ' ');
  return { ...line, nameEnd, name: latin1(b, line.off, nameEnd).toLowerCase(), valueOff: from, value };
}

/** The value of the last field of that name (lower case), or ''. */
export function fieldValue(m: Message, name: string): string {
  for (let i = m.headers.length - 1; i >= 0; i--) if (m.headers[i].name === name) return m.headers[i].value;
  return '';
}

/** Status code of a response, 0 for a request. */
export function statusOf(b: Uint8Array, m: Message): number {
  if (!startsWith(b, m.start.off, m.start.end, 'HTTP/')) return 0;
  const code = /^HTTP\/\S+ +(\d{3})/.exec(latin1(b, m.start.off, m.start.end))?.[1];
  return code === undefined ? -1 : Number(code);
}

/**
 * How the body is delimited, RFC 9112 §6.3: its octets, or
 * `Chunked`, or `UntilClose` for a response that does not say.
 */
export const Chunked = -1;
export const UntilClose = -2;
export function bodyLength(b: Uint8Array, m: Message): number {
  const status = statusOf(b, m);
  if ((status >= 100 && status < 200) || status === 204 || status === 304) return 0;
  if (isChunked(m)) return Chunked;
  const length = fieldValue(m, 'content-length');
  if (/^\d{1,15}$/.test(length)) return Number(length);
  return status === 0 ? 0 : UntilClose;
}

/** Whether any Transfer-Encoding names it; RFC 9112 §6.1 wants it last, not everyone puts it there. */
const isChunked = (m: Message): boolean =>
  m.headers.some(({ name, value }) => name === 'transfer-encoding' && /(^|[\s,])chunked/i.test(value));

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
  const line = lineAt(b, off, end);
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

/** What of a message is looked through: its first line, one that is no start line, up to the empty line, chunks, trailers. */
const Phase = { Start: 0, Line: 1, Head: 2, Chunks: 3, Trailers: 4 } as const;

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
    const m = readMessage(b, off, off + head)!;
    if (connect && Math.trunc(statusOf(b, m) / 100) === 2) return head;
    const length = bodyLength(b, m);
    if (length === UntilClose) return connect ? head : Number.POSITIVE_INFINITY;
    if (length !== Chunked) return head + length;
    known.phase = Phase.Chunks;
    known.looked = known.from = head;
  }
  return chunkedLength(b, off, end, known);
}

/** Whether it can be told if the first line is a start line. */
function starts(b: Uint8Array, off: number, end: number, known: Framing): boolean {
  // Behind a method the end of the line says it.
  const waits = known.looked > LONGEST_METHOD && end - off < LONGEST_LINE && !lineEndsIn(b, off, end, known);
  const start = waits ? Unsure : isStart(b, off, end);
  if (start === Unsure) {
    known.looked = end - off;
    return false;
  }
  known.phase = start === Yes ? Phase.Head : Phase.Line;
  return true;
}

/** Whether a line ends in what was not looked at. */
function lineEndsIn(b: Uint8Array, off: number, end: number, known: Framing): boolean {
  if (indexOf(b, LF, off + known.looked, end) >= 0) return true;
  known.looked = end - off;
  return false;
}

/** Octets up to and with the next empty line; 0: it is still to come. */
function emptyLine(b: Uint8Array, off: number, end: number, known: Framing): number {
  for (let at = off + known.looked; ; at++) {
    at = indexOf(b, LF, at, end);
    const next = b[at + 1] === CR ? at + 2 : at + 1;
    if (at < 0 || next >= end) {
      known.looked = (at < 0 ? end : at) - off;
      return 0;
    }
    if (b[next] === LF) return next + 1 - off;
  }
}

/** Octets of a message whose body, from `known.from` on, comes in chunks; without the body where that is broken. */
function chunkedLength(b: Uint8Array, off: number, end: number, known: Framing): number {
  while (known.phase === Phase.Chunks) {
    const c = chunkAt(b, off + known.looked, end);
    if (c === 0) return 0;
    if (c === -1) return chunkTooLarge(b, off + known.from, end) ? end - off : known.from;
    known.looked = c.next - off;
    if (c.size > 0) continue;
    known.looked--; // the line end, behind which the empty line may stand
    known.phase = Phase.Trailers;
  }
  return emptyLine(b, off, end, known);
}

/** Whether a chunk size stands at `at` that no number of octets can be. */
export const chunkTooLarge = (b: Uint8Array, at: number, end: number): boolean =>
  /^0*[1-9a-f][0-9a-f]{8,}[ \t]*(;|\r?\n)/i.test(latin1(b, at, Math.min(end, at + 64)));
