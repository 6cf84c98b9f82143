import {
  type Codec,
  type Ctx,
  defineDissector,
  experts,
  type Field,
  fields,
  find,
  latin1,
  printable,
  type Tree,
  table,
  utf8Text,
  type View,
} from 'fttscope/kit';
import { handBody } from './bodies.js';
import { textItem } from './text-media.js';

/**
 * Bodies of several parts, RFC 2046 §5.1:
 *
 *     preamble
 *     --boundary
 *     Content-Type: application/sdp
 *
 *     first part
 *     --boundary
 *     …
 *     --boundary--
 *     epilogue
 */
const MAX_PARTS = 256;
/** How deep bodies of several parts nest for {@link eachBody}. */
const MAX_NESTING = 8;
/** Key of the table of media types for those that have no entry of their own: RFC 2046 §5.1.3 has them be `mixed`. */
export const MULTIPART = 'multipart/';
const CR = 13;
const LF = 10;
const DASH = 45;
const COLON = 58;

const F = fields({
  multipart: { name: 'mime_multipart', label: 'MIME Multipart Media Encapsulation', type: 'protocol' },
  type: { name: 'mime_multipart.type', label: 'Type', type: 'string' },
  preamble: { name: 'mime_multipart.preamble', label: 'Preamble', type: 'bytes' },
  firstBoundary: { name: 'mime_multipart.first_boundary', label: 'First boundary', type: 'string' },
  boundary: { name: 'mime_multipart.boundary', label: 'Boundary', type: 'string' },
  lastBoundary: { name: 'mime_multipart.last_boundary', label: 'Last boundary', type: 'string' },
  trailer: { name: 'mime_multipart.trailer', label: 'Trailer', type: 'bytes' },
  part: { name: 'mime_multipart.part', label: 'Encapsulated multipart part', type: 'string' },
  contentDescription: {
    name: 'mime_multipart.header.content-description',
    label: 'Content-Description',
    type: 'string',
  },
  contentDisposition: {
    name: 'mime_multipart.header.content-disposition',
    label: 'Content-Disposition',
    type: 'string',
  },
  contentEncoding: { name: 'mime_multipart.header.content-encoding', label: 'Content-Encoding', type: 'string' },
  contentId: { name: 'mime_multipart.header.content-id', label: 'Content-Id', type: 'string' },
  contentLanguage: { name: 'mime_multipart.header.content-language', label: 'Content-Language', type: 'string' },
  contentLength: { name: 'mime_multipart.header.content-length', label: 'Content-Length', type: 'string' },
  contentTransferEncoding: {
    name: 'mime_multipart.header.content-transfer-encoding',
    label: 'Content-Transfer-Encoding',
    type: 'string',
  },
  contentType: { name: 'mime_multipart.header.content-type', label: 'Content-Type', type: 'string' },
});

const HEADER_FIELDS = table<Field>({
  'content-description': F.contentDescription,
  'content-disposition': F.contentDisposition,
  'content-encoding': F.contentEncoding,
  'content-id': F.contentId,
  'content-language': F.contentLanguage,
  'content-length': F.contentLength,
  'content-transfer-encoding': F.contentTransferEncoding,
  'content-type': F.contentType,
  // RFC 3261 §7.3.3: compact forms, which SIP stacks write inside parts too
  c: F.contentType,
  e: F.contentEncoding,
  l: F.contentLength,
});

const E = experts({
  noBoundary: {
    code: 'mime_multipart.no-boundary',
    severity: 'error',
    message: 'The multipart dissector could not find a required parameter.',
    clause: 'RFC 2046 §5.1.1',
  },
  tooMany: { code: 'mime_multipart.too-many-parts', severity: 'warn', message: 'Too many parts; the rest is not read' },
  notClosed: {
    code: 'mime_multipart.not-closed',
    severity: 'warn',
    message: 'Last boundary is missing',
    clause: 'RFC 2046 §5.1.1',
  },
});

/** One part of a body: offsets into its buffer. */
export interface MultipartPart {
  /** First octet of the headers. */
  readonly off: number;
  /** First octet after the empty line that ends the headers. */
  readonly bodyOff: number;
  readonly end: number;
  /** Media type in lower case; '' if the part has no Content-Type. */
  readonly type: string;
  /** What follows the first `;` of Content-Type. */
  readonly parameters: string;
}

/** A header of a part: offsets into its buffer, line end included. */
interface PartHeader {
  readonly off: number;
  readonly end: number;
  readonly name: string;
  readonly value: string;
}

/** A boundary line. `off` is where the line end before it stands, `end` is one past its own. RFC 2046 §5.1.1. */
interface Boundary {
  readonly off: number;
  /** Its first dash. */
  readonly line: number;
  readonly end: number;
  readonly last: boolean;
}

/** Media type of a Content-Type value, in lower case, and what follows its first `;`. RFC 3261 §20.15. */
export function mediaType(value: string): { type: string; parameters: string } {
  const semicolon = value.indexOf(';');
  if (semicolon < 0) return { type: value.trim().toLowerCase(), parameters: '' };
  return { type: value.slice(0, semicolon).trim().toLowerCase(), parameters: value.slice(semicolon + 1).trim() };
}

/** A parameter of a media type, without quotes; undefined if it is not there. */
function mediaParameter(parameters: string, name: string): string | undefined {
  const re = /\s*([^\s=;]+)\s*(?:=\s*("(?:[^"\\]|\\.)*"?|[^;]*))?(?:;|$)/gy;
  for (let m = re.exec(parameters); m !== null && m[0] !== ''; m = re.exec(parameters))
    if (m[1].toLowerCase() === name) {
      const v = (m[2] ?? '').trim();
      return v.startsWith('"') ? v.replace(/^"|"$/g, '').replace(/\\(.)/g, '$1') : v;
    }
  return undefined;
}

/** The next boundary line at or after `off`; undefined if there is none. */
function findBoundary(b: Uint8Array, from: number, off: number, end: number, boundary: string): Boundary | undefined {
  for (let at = off; at < end; ) {
    const line = at;
    const i = find(b, LF, at, end);
    at = i + 1;
    if (line + 2 > end || b[line] !== DASH || b[line + 1] !== DASH) continue;
    let k = 0;
    while (k < boundary.length && line + 2 + k < end && b[line + 2 + k] === boundary.charCodeAt(k)) k++;
    if (k < boundary.length) continue;
    let rest = line + 2 + k;
    const last = rest + 1 < end && b[rest] === DASH && b[rest + 1] === DASH;
    if (last) rest += 2;
    while (rest < i && (b[rest] === 32 || b[rest] === 9 || b[rest] === CR)) rest++; // transport padding
    if (rest < i) continue;
    let before = line;
    if (before > from && b[before - 1] === LF) before--;
    if (before > from && before < line && b[before - 1] === CR) before--;
    return { off: before, line, end: Math.min(end, i + 1), last };
  }
  return undefined;
}

/** Reads headers from `off` on; returns where the body starts, `off` itself where the first line is no header. */
function readHeaders(b: Uint8Array, off: number, end: number, into: PartHeader[]): number {
  let at = off;
  while (at < end && into.length < MAX_PARTS) {
    let i = at;
    let colon = -1;
    for (; i < end; i++) {
      if (b[i] === COLON && colon < 0) colon = i;
      if (b[i] !== LF) continue;
      const folded = i > at + 1 && i + 1 < end && (b[i + 1] === 32 || b[i + 1] === 9);
      if (!folded) break;
    }
    const stop = Math.min(end, i + 1);
    if (i === at || (i === at + 1 && b[at] === CR)) return into.length === 0 ? off : stop;
    if (colon < 0) return into.length === 0 ? off : at;
    const name = latin1(b, at, colon).trim().toLowerCase();
    into.push({ off: at, end: stop, name, value: compact(utf8Text(b, colon + 1, stop)) });
    at = stop;
  }
  return at;
}

/** A header value on one line, without space beside its separators, quoted strings as they are. */
const compact = (s: string): string =>
  s
    .trim()
    .replace(/"(?:[^"\\]|\\.)*"|[ \t\r\n]*([;,=/])[ \t\r\n]*|[ \t\r\n]+/g, (m, separator?: string) =>
      m.startsWith('"') ? m : (separator ?? ' '),
    );

function partAt(b: Uint8Array, off: number, end: number, headers: PartHeader[]): MultipartPart {
  const bodyOff = readHeaders(b, off, end, headers);
  const h = headers.find((x) => HEADER_FIELDS[x.name] === F.contentType);
  return { off, bodyOff, end, ...mediaType(h?.value ?? '') };
}

/** The parts of the body in `[off, end)`; none where the boundary does not occur. */
function multipartParts(b: Uint8Array, off: number, end: number, parameters: string): MultipartPart[] {
  const boundary = mediaParameter(parameters, 'boundary');
  const parts: MultipartPart[] = [];
  if (boundary === undefined || boundary === '') return parts;
  let at = findBoundary(b, off, off, end, boundary);
  while (at !== undefined && !at.last && parts.length < MAX_PARTS) {
    const next = findBoundary(b, at.end, at.end, end, boundary);
    parts.push(partAt(b, at.end, next?.off ?? end, []));
    at = next;
  }
  return parts;
}

/**
 * Calls `take` with each body that is not made of parts: itself, or its parts and theirs. `type` is in lower case,
 * `parameters` what follows it.
 */
export function eachBody(
  b: Uint8Array,
  off: number,
  end: number,
  type: string,
  parameters: string,
  take: (type: string, off: number, end: number) => void,
  depth = 0,
): void {
  if (type === '' || end <= off) return;
  if (!type.startsWith(MULTIPART)) take(type, off, end);
  else if (depth < MAX_NESTING)
    for (const p of multipartParts(b, off, end, parameters))
      eachBody(b, p.bodyOff, p.end, p.type, p.parameters, take, depth + 1);
}

function showPart(v: View, t: Tree, cx: Ctx, off: number, end: number): void {
  const { buf } = v;
  const headers: PartHeader[] = [];
  const part = partAt(buf, off, end, headers);
  t.text(F.part, off, end - off, '');
  if (t.labels) t.label(`Encapsulated multipart part: ${part.type === '' ? '' : ` (${part.type})`}`);
  t.push();
  headers.forEach((h, i) => {
    const stop = i === headers.length - 1 ? part.bodyOff : h.end;
    const f = HEADER_FIELDS[h.name];
    if (f === undefined) textItem(t, buf, h.off, stop);
    else t.text(f, h.off, stop - h.off, h.value);
  });
  const body = v.sub(part.bodyOff, end);
  if (body.length > 0) {
    cx.mediaParameters = part.parameters;
    handBody(cx, part.type, body);
  }
  t.pop();
}

function showParts(v: View, t: Tree, cx: Ctx, boundary: string): void {
  const { buf, off, end } = v;
  let at = findBoundary(buf, off, off, end, boundary);
  if (at === undefined) {
    cx.data(v);
    return;
  }
  if (at.line > off) t.bytes(F.preamble, off, at.line - off);
  t.text(F.firstBoundary, at.line, at.end - at.line);
  for (let n = 0; at !== undefined && !at.last; n++) {
    if (n === MAX_PARTS) {
      t.expert(E.tooMany);
      cx.data(v.sub(at.end));
      return;
    }
    const next: Boundary | undefined = findBoundary(buf, at.end, at.end, end, boundary);
    showPart(v, t, cx, at.end, next?.off ?? end);
    if (next === undefined) {
      t.expert(E.notClosed);
      return;
    }
    t.text(next.last ? F.lastBoundary : F.boundary, next.off, next.end - next.off);
    at = next;
  }
  if (at !== undefined && at.end < end) t.bytes(F.trailer, at.end, end - at.end);
}

/** A part as built and parsed: headers in order, body. */
export interface MultipartBody {
  boundary: string;
  parts: { headers: { name: string; value: string }[]; body: Uint8Array }[];
}

const utf8 = new TextEncoder();

function emitParts(r: MultipartBody): Uint8Array[] {
  const out: Uint8Array[] = [];
  r.parts.forEach((p, i) => {
    const headers = p.headers.map((h) => `${h.name}: ${h.value}\r\n`).join('');
    out.push(utf8.encode(`${i === 0 ? '' : '\r\n'}--${r.boundary}\r\n${headers}\r\n`), p.body);
  });
  out.push(utf8.encode(`${r.parts.length === 0 ? '' : '\r\n'}--${r.boundary}--\r\n`));
  return out;
}

/** Builds bodies; reads them by their first boundary line. */
const codec: Codec<MultipartBody> = {
  parse(b, off, end) {
    let i = off;
    while (i < end && b[i] !== CR && b[i] !== LF) i++;
    const boundary = latin1(b, off + 2, i).replace(/--$/, '');
    const parts = multipartParts(b, off, end, `boundary="${boundary}"`).map((p) => {
      const headers: { name: string; value: string }[] = [];
      for (let at = p.off; at < p.bodyOff; ) {
        let lf = at;
        while (lf < p.bodyOff && b[lf] !== LF) lf++;
        const line = utf8Text(b, at, lf).replace(/\r$/, '');
        const colon = line.indexOf(':');
        if (colon > 0) headers.push({ name: line.slice(0, colon), value: line.slice(colon + 1).trimStart() });
        at = lf + 1;
      }
      return { headers, body: b.slice(p.bodyOff, p.end) };
    });
    return { boundary, parts };
  },
  size: (r) => emitParts(r).reduce((n, p) => n + p.length, 0),
  emit(r, b, off) {
    let at = off;
    for (const p of emitParts(r)) {
      b.set(p, at);
      at += p.length;
    }
    return at - off;
  },
};

export const mimeMultipart = defineDissector<MultipartBody>({
  proto: 'mime_multipart',
  title: 'MIME Multipart Media Encapsulation',
  short: 'MIME multipart',
  spec: 'RFC 2046 §5.1',
  fields: F,
  experts: E,
  on: {
    media_type: [
      'multipart/mixed',
      'multipart/related',
      'multipart/alternative',
      'multipart/form-data',
      'multipart/report',
      'multipart/signed',
      'multipart/encrypted',
      'multipart/byteranges',
      'multipart/digest',
      'multipart/parallel',
      MULTIPART,
    ],
  },
  tables: ['media_type'],
  calls: ['media'],

  dissect(v, t, cx) {
    const { mediaType: type, mediaParameters } = cx;
    const boundary = mediaParameter(mediaParameters, 'boundary') ?? '';
    t.open(F.multipart, v.off, v.length);
    if (t.labels) t.label(`MIME Multipart Media Encapsulation, Type: ${type}, Boundary: "${printable(boundary)}"`);
    t.text(F.type, v.off, 0, type);
    if (boundary === '') {
      t.expert(E.noBoundary);
      cx.data(v);
    } else showParts(v, t, cx, boundary);
    t.pop();
  },

  codec,
});
