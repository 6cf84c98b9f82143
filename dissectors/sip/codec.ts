import { type Codec, concat, Malformed, utf8Text } from 'fttscope/kit';
import { parseSip } from './message.js';
import { HEADERS, Header, headerId } from './names.js';

/** A header as it is written: `name: value`. */
export interface SipHeaderText {
  name: string;
  /** As on the wire, folds included. */
  value: string;
}

/** A message as plain data. Canonical: CRLF line ends, one space after the colon, Content-Length that fits the body. */
export interface SipRepresentation {
  start: { method: string; uri: string } | { status: number; reason: string };
  /** In order. A Content-Length here gets the right number from `emit`. */
  headers: SipHeaderText[];
  body: Uint8Array;
}

const utf8 = new TextEncoder();

const isContentLength = (h: SipHeaderText): boolean => headerId(h.name) === Header.ContentLength;

function head(r: SipRepresentation): Uint8Array {
  const { start } = r;
  const line =
    'method' in start ? `${start.method} ${start.uri} SIP/2.0\r\n` : `SIP/2.0 ${start.status} ${start.reason}\r\n`;
  const headers = r.headers.map(
    (h) => `${h.name}: ${isContentLength(h) ? String(r.body.length) : h.value}\r\n`, // RFC 3261 §20.14
  );
  return utf8.encode(`${line}${headers.join('')}\r\n`);
}

/** A message with its header fields as they are written. Throws {@link Malformed} where their end is missing. */
export const sipCodec: Codec<SipRepresentation> = {
  parse(b, off, end) {
    const m = parseSip(b, off, end);
    if (!m.terminated) throw new Malformed('headers do not end with an empty line');
    return {
      start: m.isRequest
        ? { method: m.method, uri: m.uri }
        : { status: m.status, reason: utf8Text(b, m.reasonOff, m.lineEnd) },
      headers: m.headers.map((h) => ({ name: m.name(h), value: utf8Text(b, h.valueOff, h.valueEnd) })),
      body: b.slice(m.bodyOff, m.bodyEnd),
    };
  },
  size: (r) => head(r).length + r.body.length,
  emit(r, b, off) {
    const octets = concat([head(r), r.body]);
    b.set(octets, off);
    return octets.length;
  },
};

/** Value of the first header of that name, long or compact; undefined if there is none. */
export function headerOf(r: SipRepresentation, name: string): string | undefined {
  return r.headers.find((h) => isSame(h.name, name))?.value;
}

/** Values of every header of that name, long or compact, in order. */
export const headersOf = (r: SipRepresentation, name: string): string[] =>
  r.headers.filter((h) => isSame(h.name, name)).map((h) => h.value);

function isSame(a: string, b: string): boolean {
  const id = headerId(a);
  return id === 0 ? a.toLowerCase() === b.toLowerCase() : id === headerId(b);
}

/** Builds a request: headers in the order given, then Content-Type and Content-Length for the body. */
export function sipRequest(
  method: string,
  uri: string,
  headers: readonly (readonly [string, string])[],
  body?: { type: string; octets: Uint8Array },
): SipRepresentation {
  return build({ method, uri }, headers, body);
}

/** Builds a response to a request: its Via, From, To, Call-ID and CSeq come first. RFC 3261 §8.2.6.2. */
export function sipResponse(
  request: SipRepresentation,
  status: number,
  reason: string,
  headers: readonly (readonly [string, string])[] = [],
  body?: { type: string; octets: Uint8Array },
): SipRepresentation {
  const copied = [Header.Via, Header.From, Header.To, Header.CallId, Header.CSeq].flatMap((id) =>
    headersOf(request, HEADERS[id].name).map((v): readonly [string, string] => [HEADERS[id].name, v]),
  );
  const own = headers.filter(([name]) => headerId(name) === Header.To);
  const kept = own.length === 0 ? copied : copied.map((h) => (headerId(h[0]) === Header.To ? own[0] : h));
  return build({ status, reason }, [...kept, ...headers.filter(([name]) => headerId(name) !== Header.To)], body);
}

function build(
  start: SipRepresentation['start'],
  headers: readonly (readonly [string, string])[],
  body?: { type: string; octets: Uint8Array },
): SipRepresentation {
  const octets = body?.octets ?? new Uint8Array(0);
  const list = headers.map(([name, value]) => ({ name, value }));
  if (body !== undefined) list.push({ name: 'Content-Type', value: body.type });
  list.push({ name: 'Content-Length', value: String(octets.length) });
  return { start, headers: list, body: octets };
}
