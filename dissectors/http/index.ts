import {
  type Ctx,
  defineDissector,
  type Field,
  find,
  indexOf,
  latin1,
  Malformed,
  need,
  skip,
  type TextLine,
  type Tree,
  Unsure,
  utf8Text,
  View,
  Yes,
} from 'fttscope/kit';
import { handBody } from '../bodies.js';
import { asciiText } from '../dhcp/text.js';
import { decodeBase64, proofs } from './authorization.js';
import { codec, type HttpMessage } from './codec.js';
import { type ConnectNote, type Exchanges, follow, fullUri, type HttpNote, newExchanges, target } from './exchange.js';
import { ALL, E, F, HEADERS } from './fields.js';
import {
  bodyLength,
  Chunked,
  chunkAt,
  chunkTooLarge,
  fieldLines,
  fieldsOf,
  fieldValue,
  type Header,
  hasUnknownCoding,
  isLength,
  isStart,
  type Message,
  messageLength,
  readMessage,
  type StatusLine,
  startsMessage,
  statusLine,
  targetOf,
  UntilClose,
  unfolded,
} from './message.js';
import { STATUS_NAMES } from './status.js';

/**
 * Hypertext Transfer Protocol 1.x, RFC 9112:
 *
 *     GET /path HTTP/1.1            HTTP/1.1 200 OK             start line
 *     Host: example.org             Content-Length: 5           field lines
 *                                                               empty line
 *                                   hello                       body
 */

const LF = 10;
const COLON = 58;
const SPACE = 32;
const AMPERSAND = 38;
const QUESTION = 63;

export * from './codec.js';

export const http = defineDissector<HttpMessage>({
  proto: 'http',
  title: 'Hypertext Transfer Protocol',
  short: 'HTTP',
  spec: 'RFC 9112',
  fields: ALL,
  experts: E,
  on: {
    'tcp.port': [80, 631, 1900, 2710, 2869, 3128, 3132, 3689, 5985, 8080, 8088, 11371],
    'tls.app': ['http/1.1', 'http/1.0'],
    'tls.name': [443],
    'sctp.port': [80],
  },
  tables: ['media_type'],
  calls: ['media', 'gss-api', 'ntlmssp', 'spnego', 'spnego-krb5'],

  probe: (b, off, end, known) => (known === true ? startsMessage : isStart)(b, off, end),
  pduLength: messageLength,

  track(v, cx) {
    const note = follow(v, cx, cx.flow<Exchanges>(http, newExchanges));
    if (note !== undefined) cx.note(note);
  },

  dissect(v, t, cx) {
    if (v.length === 0) return carrier(v, t, cx.note<ConnectNote>(http, v));
    dissectMessage(v, t, cx, F.http, cx.note<HttpNote>(http, v));
  },

  summary: summarize,

  codec,
});

/** Of HTTP over TLS. RFC 9110 §4.2.2 */
const HTTPS_PORT = 443;

/** Shows one message, or what goes on with a body, as a layer called `layer`. */
export function dissectMessage(v: View, t: Tree, cx: Ctx, layer: Field, note?: HttpNote): void {
  const { buf } = v;
  const m = messageOf(v);
  t.open(layer, v.off, v.length);
  const isOnPort = cx.sport === HTTPS_PORT || cx.dport === HTTPS_PORT;
  const isBare = isOnPort && cx.stream === true && cx.inTls !== true;
  if (m === undefined) {
    const stop = v.off + fieldLines(buf, v.off, v.end);
    if (isBare && stop > v.off) t.expert(E.bare);
    for (const h of fieldsOf(buf, v.off, stop)) looseField(buf, h, t);
    t.pop();
    cx.data(v.sub(stop));
    return;
  }
  if (isBare) t.expert(E.bare);
  if (m.start.off > v.off) t.expert(E.leadingLine);
  const status = statusLine(buf, m.start);
  if (status === undefined) requestLine(buf, m, t);
  else statusFields(buf, m, status, t);
  headerFields(buf, m, status === undefined, t);
  if (m.dropped > 0) t.expert(E.tooManyHeaders);
  related(v, m, status === undefined, t, note);
  if (m.complete && m.body < v.end) body(v, m, t, cx);
  else {
    t.pop();
    proofs(m, cx);
  }
  if (v.isCut) need(v, v.wireLength);
}

/** The message that `v` is; undefined for what goes on with one. Where the capture cut its first line, that may be one. */
function messageOf(v: View): Message | undefined {
  const cut = v.isCut;
  const start = startsMessage(v.buf, v.off, v.end);
  return start === Yes || (cut && start === Unsure) ? readMessage(v.buf, v.off, v.end, { cut }) : undefined;
}

/** Start line and media type of the body. */
export function summarize(v: View): string {
  const { buf } = v;
  const m = messageOf(v);
  if (m === undefined) return 'Continuation';
  const line = `${latin1(buf, m.start.off, m.start.end)} `;
  const { type } = mediaType(m);
  const shown = m.complete && m.body < v.end && type !== '' && !/[/+](xml|json)$/.test(type);
  return shown ? `${line} (${type})` : line;
}

function requestLine(b: Uint8Array, m: Message, t: Tree): void {
  const { off, end, next } = m.start;
  t.open(F.startLine, off, next - off, t.labels ? lineText(b, m.start) : undefined);
  if (t.wantsExperts) t.expert(E.chat, lineText(b, m.start));
  const target = targetOf(b, m.start);
  ascii(t, F.method, b, off, Math.min(end, target.off - 1));
  uri(b, target.off, target.end, t);
  const version = skip(b, SPACE, target.end, end);
  ascii(t, F.requestVersion, b, version, end);
  t.pop();
}

function uri(b: Uint8Array, off: number, end: number, t: Tree): void {
  if (t.wanted(F.uri)) t.text(F.uri, off, end - off, asciiText(b, off, end));
  const mark = indexOf(b, QUESTION, off, end);
  if (mark < 0) return;
  t.push();
  t.text(F.uriPath, off, mark - off);
  t.text(F.uriQuery, mark + 1, end - mark - 1);
  t.push();
  for (let at = mark + 1; at < end; ) {
    const i = find(b, AMPERSAND, at, end);
    if (i > at) t.text(F.uriParameter, at, i - at);
    at = i + 1;
  }
  t.pop();
  t.pop();
}

function statusFields(b: Uint8Array, m: Message, status: StatusLine, t: Tree): void {
  const { off, end, next } = m.start;
  t.open(F.startLine, off, next - off, t.labels ? lineText(b, m.start) : undefined);
  if (t.wantsExperts) t.expert(E.chat, lineText(b, m.start));
  const { versionEnd, code, digits, reason } = status;
  ascii(t, F.responseVersion, b, off, versionEnd);
  if (digits !== undefined) {
    const n = Number(digits);
    t.num(F.code, code, 3, n);
    t.text(F.codeText, code, 3, STATUS_NAMES[n] ?? `Unknown (${n})`);
    if (reason < end) ascii(t, F.phrase, b, reason, end);
  }
  t.pop();
}

/** Adds ASCII text (RFC 9112 §2.2) as it is read: up to a NUL, U+FFFD for what is none. */
function ascii(t: Tree, f: Field, b: Uint8Array, off: number, end: number): void {
  if (t.wanted(f)) t.text(f, off, end - off, asciiText(b, off, end));
  t.strays(off, end - off);
}

const ESCAPES: Readonly<Record<string, string>> = {
  '\x07': '\\a',
  '\b': '\\b',
  '\t': '\\t',
  '\n': '\\n',
  '\v': '\\v',
  '\f': '\\f',
  '\r': '\\r',
};

/** A line with its end, control characters as C writes them. */
function lineText(b: Uint8Array, line: TextLine): string {
  return utf8Text(b, line.off, line.next).replace(
    CONTROLS,
    (c) => ESCAPES[c] ?? (c < '\x80' ? `\\${octal(c)}` : `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`),
  );
}
const CONTROLS = /[\0-\x1f\x7f-\x9f]/g;
const octal = (c: string): string => c.charCodeAt(0).toString(8).padStart(3, '0');

/** Characters of a token, RFC 9110 §5.6.2. */
const TOKEN = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;

/** What looks like a field where a message goes on, and is one for Wireshark. */
function looseField(b: Uint8Array, h: Header, t: Tree): void {
  t.open(F.startLine, h.off, h.next - h.off, t.labels ? lineText(b, h) : undefined);
  t.strays(h.off, h.end - h.off);
  if (!TOKEN.test(h.name)) t.expert(E.badHeader);
  t.pop();
}

function headerFields(b: Uint8Array, m: Message, isRequest: boolean, t: Tree): void {
  let length = false;
  let coding = false;
  for (const h of m.headers) {
    headerField(b, h, isRequest, t);
    if (h.name === 'content-length' && isLength(h.value)) {
      length = true;
      if (coding) t.expert(E.teAndLength);
    } else if (h.name === 'transfer-encoding') {
      coding = true;
      if (length) t.expert(E.teAndLength);
      if (hasUnknownCoding(h.value)) t.expert(E.unknownCoding);
    }
    if (t.wantsExperts) for (let n = foldedFields(b, h); n > 0; n--) t.expert(E.badHeader);
  }
}

/** Lines that a field goes on with and that look like a field of their own. */
function foldedFields(b: Uint8Array, { off, end }: Header): number {
  let n = 0;
  for (let at = find(b, LF, off, end) + 1; at < end; ) {
    const lf = find(b, LF, at, end);
    if (indexOf(b, COLON, at, lf) >= 0) n++;
    at = lf + 1;
  }
  return n;
}

function headerField(b: Uint8Array, h: Header, isRequest: boolean, t: Tree): void {
  const { off, next, valueOff, end } = h;
  const f = h.nameEnd < h.end ? HEADERS.get(h.name) : undefined;
  if (f === undefined) {
    t.text(isRequest ? F.requestLine : F.responseLine, off, next - off);
    if (t.labels) t.label(lineText(b, h));
    t.strays(off, next - off);
    if (!TOKEN.test(h.name) || h.nameEnd === h.end) t.expert(E.badHeader);
    return;
  }
  if (t.wanted(f)) t.text(f, off, next - off, unfolded(asciiText(b, valueOff, end)));
  if (t.labels) t.label(lineText(b, h));
  t.push();
  parts(h, t);
  t.pop();
  t.text(isRequest ? F.requestLineHidden : F.responseLineHidden, off, next - off);
  t.strays(off, next - off);
}

/** What a field's value says in parts. */
function parts(h: Header, t: Tree): void {
  const { off, next, value } = h;
  if (h.name === 'content-length' && isLength(value)) t.big(F.contentLength, off, next - off, BigInt(value));
  else if (h.name === 'cookie') {
    for (const pair of value.split(';')) if (pair.trim() !== '') t.text(F.cookiePair, off, next - off, pair.trim());
  } else if (h.name === 'authorization' || h.name === 'proxy-authorization') {
    const basic = /^Basic ([A-Za-z0-9+/]+=*)$/i.exec(value);
    if (basic && t.wanted(F.credentials)) t.text(F.credentials, off, 0, decodeBase64(basic[1]));
  }
}

/** The layer around what runs in a CONNECT: no octets of its own. */
function carrier(v: View, t: Tree, note: ConnectNote | undefined): void {
  t.open(F.http, v.off, 0);
  if (note !== undefined) connectTarget(t, v.off, note.connect);
  t.pop();
}

function connectTarget(t: Tree, off: number, to: string): void {
  const m = /^(.*):(\d{1,5})$/.exec(to);
  if (m === null || Number(m[2]) > 0xffff) return;
  t.text(F.proxyHost, off, 0, m[1]);
  t.num(F.proxyPort, off, 0, Number(m[2]));
}

/** What is known from other lines and messages. */
function related(v: View, m: Message, isRequest: boolean, t: Tree, note: HttpNote | undefined): void {
  const { buf, off } = v;
  if (isRequest) {
    const full = fullUri(buf, m);
    if (full !== '') t.text(F.fullUri, off, 0, full);
    if (latin1(buf, off, off + 8) === 'CONNECT ') connectTarget(t, off, target(buf, m));
    t.num(latin1(buf, off, off + 7) === 'NOTIFY ' ? F.notification : F.request, off, 0, 1);
  } else t.num(F.response, off, 0, 1);
  if (note === undefined) return;
  t.num(isRequest ? F.requestNumber : F.responseNumber, off, 0, note.number);
  if (note.request !== undefined) t.time(F.time, off, 0, note.seconds, note.nanos);
  if (note.prevRequest > 0) t.num(F.prevRequest, off, 0, note.prevRequest);
  if (note.prevResponse > 0) t.num(F.prevResponse, off, 0, note.prevResponse);
  if (note.request === undefined) return;
  t.num(F.requestIn, off, 0, note.request.frame);
  t.text(F.responseFor, off, 0, note.request.uri);
}

/** Media type of the body in lower case and its parameters. */
function mediaType(m: Message): { type: string; parameters: string } {
  const value = fieldValue(m, 'content-type');
  const semicolon = value.indexOf(';');
  if (semicolon < 0) return { type: value.trim().toLowerCase(), parameters: '' };
  return { type: value.slice(0, semicolon).trim().toLowerCase(), parameters: value.slice(semicolon + 1).trim() };
}

/** Shows the body, ends the layer and hands the body on. */
function body(v: View, m: Message, t: Tree, cx: Ctx): void {
  const length = bodyLength(v.buf, m);
  const content =
    length === Chunked ? chunks(v, m.body, t) : length === UntilClose ? v.sub(m.body) : v.sub(m.body, m.body + length);
  const plain = content.length > 0 ? unpacked(content, m, t, cx) : undefined;
  if (plain !== undefined) fileData(plain, v, m, t);
  t.pop();
  proofs(m, cx);
  if (content.length > 0) hand(content, plain, m, cx);
}

/** The body as the file that it is: without its transfer coding, and without its content coding where that is known. */
function fileData({ buf, off, end, length }: View, v: View, m: Message, t: Tree): void {
  if (buf === v.buf) t.text(F.fileData, off, length);
  else t.text(F.fileData, m.body, 0, utf8Text(buf, off, end));
  if (t.labels) t.label(`File Data: ${length} bytes`);
}

/** The body without its content coding; itself where it has none, undefined where it cannot be unpacked. */
function unpacked(content: View, m: Message, t: Tree, cx: Ctx): View | undefined {
  const isCoded = m.headers.some(({ name }) => name === 'content-encoding');
  const coding = fieldValue(m, 'content-encoding').toLowerCase();
  if (!isCoded || coding === 'identity') return content;
  if (!cx.wantsBelow(http) && !t.wantsExperts && !t.wanted(F.fileData)) return undefined;
  const plain = cx.unpack?.(coding, content.buf.subarray(content.off, content.end));
  if (plain === undefined) t.expert(E.notUnpacked);
  return plain === undefined ? undefined : View.of(plain, 'Unpacked entity body');
}

function hand(content: View, plain: View | undefined, m: Message, cx: Ctx): void {
  const { type, parameters } = mediaType(m);
  cx.mediaParameters = parameters;
  if (plain === undefined) cx.data(content);
  else if (plain.length > 0) handBody(cx, type, plain);
}

/** Shows the chunks from `from` on; returns their data joined. RFC 9112 §7.1. */
function chunks(v: View, from: number, t: Tree): View {
  const { buf } = v;
  t.open(F.chunk, from, v.end - from, t.labels ? 'HTTP chunked body' : undefined);
  const data: Uint8Array[] = [];
  let total = 0;
  let at = from;
  for (;;) {
    const c = chunkAt(buf, at, v.end);
    if (c === 0 || c === -1) {
      if (c === -1 && chunkTooLarge(buf, at, v.end)) throw new Malformed('a chunk size of more than 32 bits');
      if (c === -1) t.expert(E.badChunk);
      break;
    }
    t.open(
      F.chunk,
      c.off,
      c.next - c.off,
      t.labels ? (c.size ? `Data chunk (${c.size} octets)` : 'End of chunked encoding') : undefined,
    );
    t.num(F.chunkSize, c.off, c.data - c.off, c.size);
    if (c.size > 0) {
      t.bytes(F.chunkData, c.data, c.size);
      t.bytes(F.chunkBoundary, c.data + c.size, c.next - c.data - c.size);
      data.push(buf.subarray(c.data, c.data + c.size));
      total += c.size;
    }
    t.pop();
    at = c.next;
    if (c.size === 0) {
      trailers(v, at, t);
      break;
    }
  }
  t.pop();
  const joined = new Uint8Array(total);
  let o = 0;
  for (const d of data) {
    joined.set(d, o);
    o += d.length;
  }
  return View.of(joined, 'De-chunked entity body');
}

/** RFC 9112 §7.1.2. */
function trailers(v: View, from: number, t: Tree): void {
  const { buf } = v;
  for (let at = from; at < v.end; ) {
    const lf = indexOf(buf, LF, at, v.end);
    if (lf < 0) return;
    if (lf - at > 1) t.text(F.trailer, at, lf + 1 - at);
    at = lf + 1;
  }
}
