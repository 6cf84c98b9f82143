import {
  type Codec,
  type Ctx,
  defineDissector,
  experts,
  type Field,
  Framing,
  fields,
  indexOf,
  latin1,
  Malformed,
  No,
  type Probe,
  printable,
  startsWith,
  type Tree,
  table,
  Unsure,
  utf8Text,
  type View,
  Yes,
} from 'fttscope/kit';

/**
 * Message Session Relay Protocol, RFC 4975 §9: lines of text, the body behind an empty line, and a line that ends it.
 *
 *     MSRP a786hjs2 SEND                       or  MSRP a786hjs2 200 OK
 *     To-Path: msrp://biloxi.example.com:12763/kjhd37s2s20w2a;tcp
 *     From-Path: msrp://atlanta.example.com:7654/jshA7weztas;tcp
 *     Content-Type: text/plain
 *
 *     Hey Bob, are you there?
 *     -------a786hjs2$
 */
const START = 'MSRP ';
const DASHES = '-------';
const DASH = 0x2d;
const CR = 13;
const LF = 10;
/** Octets that a start line may have, and its transaction identifier (RFC 4975 §9: 4 to 32). */
const MOST_LINE = 1024;
const MOST_ID = 32;
const MOST_HEADERS = 256;

const F = fields({
  msrp: { name: 'msrp', label: 'Message Session Relay Protocol', type: 'protocol' },
  request: { name: 'msrp.request.line', label: 'Request Line', type: 'string' },
  response: { name: 'msrp.response.line', label: 'Response Line', type: 'string' },
  id: { name: 'msrp.transaction.id', label: 'Transaction Id', type: 'string' },
  method: { name: 'msrp.method', label: 'Method', type: 'string' },
  status: { name: 'msrp.status.code', label: 'Status code', type: 'u16' },
  header: { name: 'msrp.hdr', label: 'Header', type: 'string' },
  headers: { name: 'msrp.msg.hdr', label: 'Message Header', type: 'none' },
  end: { name: 'msrp.end.line', label: 'End Line', type: 'string' },
  flag: { name: 'msrp.cnt.flg', label: 'Continuation-flag', type: 'string', clause: 'RFC 4975 §7.1' },
  from: { name: 'msrp.from.path', label: 'From Path', type: 'string' },
  to: { name: 'msrp.to.path', label: 'To Path', type: 'string' },
  messageId: { name: 'msrp.messageid', label: 'Message ID', type: 'string' },
  success: { name: 'msrp.success.report', label: 'Success Report', type: 'string' },
  failure: { name: 'msrp.failure.report', label: 'Failure Report', type: 'string' },
  range: { name: 'msrp.byte.range', label: 'Byte Range', type: 'string', clause: 'RFC 4975 §7.1.1' },
  report: { name: 'msrp.status', label: 'Status', type: 'string' },
  contentType: { name: 'msrp.content.type', label: 'Content-Type', type: 'string' },
  contentId: { name: 'msrp.content.id', label: 'Content-ID', type: 'string' },
  description: { name: 'msrp.content.description', label: 'Content-Description', type: 'string' },
  disposition: { name: 'msrp.content.disposition', label: 'Content-Disposition', type: 'string' },
  usePath: { name: 'msrp.use.path', label: 'Use-Path', type: 'string' },
  challenge: { name: 'msrp.www.authenticate', label: 'WWW-Authenticate', type: 'string' },
  authorization: { name: 'msrp.authorization', label: 'Authorization', type: 'string' },
  authentication: { name: 'msrp.authentication.info', label: 'Authentication-Info', type: 'string' },
  data: { name: 'msrp.data', label: 'Data', type: 'string' },
});

const E = experts({
  headers: { code: 'msrp.too-many-headers', severity: 'warn', message: 'Too many headers; the rest is not shown' },
});

/** By name in lower case. RFC 4975 §9, RFC 4976 §7. */
const HEADERS = table<Field>({
  'from-path': F.from,
  'to-path': F.to,
  'message-id': F.messageId,
  'success-report': F.success,
  'failure-report': F.failure,
  'byte-range': F.range,
  status: F.report,
  'content-type': F.contentType,
  'content-id': F.contentId,
  'content-description': F.description,
  'content-disposition': F.disposition,
  'use-path': F.usePath,
  'www-authenticate': F.challenge,
  authorization: F.authorization,
  'authentication-info': F.authentication,
});

/** A message; `status` and its phrase instead of a method make it a response. `flag`: `$`, `+` or `#`. */
export interface MsrpMessage {
  id: string;
  method: string;
  status?: number;
  phrase?: string;
  headers: [string, string][];
  body?: Uint8Array;
  flag: string;
}

/** Where the parts of a message stand. */
interface Parts {
  /** Its start line without the line end. */
  readonly lineEnd: number;
  readonly id: string;
  /** The end line, and behind its line end. */
  readonly last: number;
  readonly end: number;
}

const START_LINE = /^MSRP ([A-Za-z0-9][A-Za-z0-9.+%=-]{0,31}) (?:(\d{3})(?: (.*))?|([A-Z]+))$/;

/** Offset of the CR of the line at `off`, -1 if it does not end before `end`. */
function lineEnd(b: Uint8Array, off: number, end: number): number {
  const lf = indexOf(b, LF, off, end);
  return lf > off && b[lf - 1] === CR ? lf - 1 : lf < 0 ? -1 : lf;
}

/** Finds the end of the message at `off`: 0 if it is not there yet, undefined if this is no message. */
function partsOf(b: Uint8Array, off: number, end: number, known = new Framing()): Parts | 0 | undefined {
  if (known.phase === Phase.Start) {
    const start = startOf(b, off, end, known);
    if (start !== Yes) return start === Unsure ? 0 : undefined;
  }
  const stop = off + known.from;
  const id = off + START.length;
  for (let at = off + known.looked; ; at++) {
    at = indexOf(b, DASH, at, end);
    const flag = at + DASHES.length + known.length;
    if (at < 0 || flag + 3 > end) {
      known.looked = (at < 0 ? end : at) - off;
      return 0;
    }
    if (
      b[at - 1] === LF &&
      isMark(b, at, id, known.length) &&
      isFlag(b[flag]) &&
      b[flag + 1] === CR &&
      b[flag + 2] === LF
    )
      return { lineEnd: stop, id: latin1(b, id, id + known.length), last: at, end: flag + 3 };
  }
}

/** What of a message is looked through. */
const Phase = { Start: 0, Rest: 1 } as const;

/** Whether a start line is whole; those of its octets that are there count as looked at. */
function startOf(b: Uint8Array, off: number, end: number, known: Framing): Probe {
  if (!startsWith(b, off, end, START)) return No;
  const most = Math.min(end, off + MOST_LINE);
  const lf = indexOf(b, LF, off + known.looked, most);
  if (lf < 0) {
    known.looked = end - off;
    return end - off < MOST_LINE ? Unsure : No;
  }
  const stop = lineEnd(b, off, most);
  const line = START_LINE.exec(latin1(b, off, stop));
  if (line === null) return No;
  known.phase = Phase.Rest;
  known.from = known.looked = stop - off;
  known.length = line[1].length;
  return Yes;
}

/** Whether the dashes and the identifier of an end line stand at `at`; the identifier is that at `id`. */
function isMark(b: Uint8Array, at: number, id: number, length: number): boolean {
  for (let i = 0; i < DASHES.length; i++) if (b[at + i] !== DASH) return false;
  for (let i = 0; i < length; i++) if (b[at + DASHES.length + i] !== b[id + i]) return false;
  return true;
}

/** RFC 4975 §9: complete, to be continued, aborted. */
const isFlag = (octet: number): boolean => octet === 0x24 || octet === 0x2b || octet === 0x23;

function probe(b: Uint8Array, off: number, end: number): Probe {
  if (end - off < START.length) return startsWith(b, off, end, START.slice(0, end - off)) ? Unsure : No;
  if (!startsWith(b, off, end, START)) return No;
  const stop = lineEnd(b, off, Math.min(end, off + MOST_LINE));
  if (stop < 0) return end - off < MOST_ID + START.length ? Unsure : No;
  return START_LINE.test(latin1(b, off, stop)) ? Yes : No;
}

const codec: Codec<MsrpMessage> = {
  parse(b, o, end) {
    const parts = partsOf(b, o, end);
    if (parts === undefined || parts === 0) return { id: '', method: '', headers: [], body: b.slice(o, end), flag: '' };
    const [, id, status, phrase, method = ''] = START_LINE.exec(latin1(b, o, parts.lineEnd))!;
    const headers: [string, string][] = [];
    let at = parts.lineEnd + 2;
    for (let stop = lineEnd(b, at, parts.last); at < parts.last && stop > at; stop = lineEnd(b, at, parts.last)) {
      const [name, value] = header(b, at, stop);
      headers.push([name, value]);
      at = stop + 2;
    }
    const body = at < parts.last ? b.slice(at + 2, Math.max(at + 2, parts.last - 2)) : undefined;
    return {
      id,
      method,
      ...(status !== undefined && { status: Number(status) }),
      ...(phrase !== undefined && { phrase }),
      headers,
      ...(body !== undefined && { body }),
      flag: String.fromCharCode(b[parts.end - 3]),
    };
  },
  size: (r) => head(r).length + (r.body === undefined ? 0 : r.body.length + 4) + tail(r).length,
  emit(r, b, o) {
    const first = head(r);
    let at = o;
    b.set(first, at);
    at += first.length;
    if (r.body !== undefined) {
      b.set([CR, LF], at);
      b.set(r.body, at + 2);
      b.set([CR, LF], at + 2 + r.body.length);
      at += r.body.length + 4;
    }
    b.set(tail(r), at);
    return at + tail(r).length - o;
  },
};

const encoder = new TextEncoder();
const tail = (r: MsrpMessage): Uint8Array => encoder.encode(r.flag === '' ? '' : `${DASHES}${r.id}${r.flag}\r\n`);

/** The start line and the headers. */
function head(r: MsrpMessage): Uint8Array {
  if (r.flag === '') return new Uint8Array(0);
  const what =
    r.status === undefined
      ? r.method
      : `${String(r.status).padStart(3, '0')}${r.phrase === undefined ? '' : ` ${r.phrase}`}`;
  const lines = r.headers.map(([name, value]) => `${name}: ${value}\r\n`);
  return encoder.encode(`${START}${r.id} ${what}\r\n${lines.join('')}`);
}

/** Name and value of a header line. */
function header(b: Uint8Array, at: number, stop: number): [string, string] {
  const colon = indexOf(b, 0x3a, at, stop);
  if (colon < 0) return [utf8Text(b, at, stop), ''];
  return [utf8Text(b, at, colon), utf8Text(b, colon + 1, stop).trim()];
}

export const msrp = defineDissector<MsrpMessage>({
  proto: 'msrp',
  title: 'Message Session Relay Protocol',
  short: 'MSRP',
  spec: 'RFC 4975',
  fields: F,
  experts: E,
  tables: ['media_type'],
  probe,
  pduLength(b, off, end, known) {
    if (end - off < START.length) return startsWith(b, off, end, START.slice(0, end - off)) ? 0 : -1;
    const parts = partsOf(b, off, end, known);
    return parts === undefined ? -1 : parts === 0 ? 0 : parts.end - off;
  },

  dissect(v, t, cx) {
    const { buf, off } = v;
    const parts = partsOf(buf, off, v.end);
    if (parts === undefined || parts === 0) throw new Malformed('a message without its end line');
    t.open(F.msrp, off, parts.end - off);
    startLine(v, t, parts);
    const { body, mediaType } = headers(v, t, parts, cx);
    const stop = Math.max(body, parts.last - 2);
    if (body > 0) t.text(F.data, body, stop - body, printable(utf8Text(buf, body, stop)));
    t.text(F.end, parts.last, parts.end - 2 - parts.last);
    t.push();
    t.text(F.id, parts.last + DASHES.length, parts.id.length);
    t.text(F.flag, parts.end - 3, 1);
    t.pop();
    t.pop();
    if (body > 0 && stop > body && cx.takes('media_type', mediaType))
      cx.next('media_type', mediaType, v.sub(body, stop));
  },

  summary(v) {
    const stop = lineEnd(v.buf, v.off, v.end);
    const line = stop < 0 ? null : START_LINE.exec(latin1(v.buf, v.off, stop));
    if (line === null) return 'Cut short';
    const [, id, status, phrase, method] = line;
    if (status === undefined) return `Request: ${method} Transaction ID: ${id}`;
    return `Response: ${status}${phrase === undefined ? '' : ` ${printable(phrase)}`} Transaction ID: ${id}`;
  },

  codec,
});

function startLine(v: View, t: Tree, parts: Parts): void {
  const { buf, off } = v;
  const [, id, status, , method] = START_LINE.exec(latin1(buf, off, parts.lineEnd))!;
  t.text(status === undefined ? F.request : F.response, off, parts.lineEnd - off);
  t.push();
  const at = off + START.length;
  t.text(F.id, at, id.length);
  if (status === undefined) t.text(F.method, at + id.length + 1, method.length);
  else t.num(F.status, at + id.length + 1, 3, Number(status));
  t.pop();
}

/** The headers; returns where the body begins (-1: there is none) and its media type. RFC 4975 §9. */
function headers(v: View, t: Tree, parts: Parts, cx: Ctx): { body: number; mediaType: string } {
  const { buf } = v;
  const from = lineAfter(buf, parts.lineEnd);
  let mediaType = '';
  let at = from;
  t.open(F.headers, from, parts.last - from);
  for (let n = 0; at < parts.last; n++) {
    const stop = lineEnd(buf, at, parts.last);
    if (stop <= at) break; // the empty line before a body
    if (n === MOST_HEADERS) t.expert(E.headers);
    if (n < MOST_HEADERS) {
      const [name, value] = header(buf, at, stop);
      const field = HEADERS[name.toLowerCase()];
      t.text(field ?? F.header, at, stop - at, printable(field === undefined ? utf8Text(buf, at, stop) : value));
      if (field === F.contentType) mediaType = media(value, cx);
    }
    at = lineAfter(buf, stop);
  }
  t.pop();
  return { body: at < parts.last ? lineAfter(buf, lineEnd(buf, at, parts.last)) : -1, mediaType };
}

/** Behind the line end at `at`, which is CR LF or LF. */
const lineAfter = (b: Uint8Array, at: number): number => at + (b[at] === CR ? 2 : 1);

/** The media type in lower case; its parameters go to whoever reads the body. */
function media(value: string, cx: Ctx): string {
  const semicolon = value.indexOf(';');
  cx.mediaParameters = semicolon < 0 ? '' : value.slice(semicolon + 1);
  return (semicolon < 0 ? value : value.slice(0, semicolon)).trim().toLowerCase();
}
