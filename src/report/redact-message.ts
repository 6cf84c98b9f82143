import { find } from '../kit/index.js';
import { isStandard } from '../model/standard-words.js';
import { Draft } from './draft.js';
import { headerField } from './redact-head.js';
import { identifier, path, place, tokens, uri } from './redact-parts.js';
import { sessionDescription } from './redact-sdp.js';
import type { SameLength } from './same-length.js';

const CR = 13;
const LF = 10;
/** How deep parts of messages may lie in others. */
const DEEPEST = 8;
/** Bodies that are messages, or the heads of some. */
const MESSAGES = /^message\/(?:sip|sipfrag|http)\b/i;

/**
 * Takes out of messages of SIP, HTTP and MSRP what tells who and where somebody is, and what was said; all keep their
 * length. What the grammar has no place for is blanked, and so is every word that no standard has.
 */
export class MessageRedaction {
  constructor(private readonly names: SameLength) {}

  /** A message. */
  message(octets: Uint8Array): Uint8Array {
    const d = new Draft(octets, this.names);
    this.whole(d, 0, d.length, 0, true);
    return d.made;
  }

  /** A head of lines in `[off, end)`, the first of which is that of a message where `starts`, and what follows it. */
  private whole(d: Draft, off: number, end: number, depth: number, starts: boolean): void {
    let at = off;
    while (at < end && (d.from[at] === CR || d.from[at] === LF)) at++; // RFC 3261 §7.5
    const id = starts ? this.start(d, at, lineEnd(d, at, end)) : '';
    if (starts) at = Math.min(end, lineEnd(d, at, end) + 1);
    const about = { type: '', chunked: false };
    while (at < end && !isEmptyLine(d, at, end)) {
      const stop = fieldEnd(d, at, end);
      headerField(d, at, stop);
      note(about, d.text(at, stop));
      at = stop;
    }
    const body = at < end ? at + (d.from[at] === CR ? 2 : 1) : end;
    if (id !== '') this.ended(d, body, end, id, about.type, depth);
    else if (about.chunked) chunks(d, body, end);
    else this.body(d, body, end, about.type, depth);
  }

  /** A start line; returns the identifier of a transaction of MSRP. */
  private start(d: Draft, off: number, end: number): string {
    const s = d.text(off, end).trimEnd();
    const status = /^((?:SIP|HTTP)\/\d\.\d )(\d{3})(?= |$)( ?)(.*)$/.exec(s);
    const msrp = /^(MSRP )(\S+)( )(?:(\d{3})(?: (.*))?|([A-Z]+))$/.exec(s);
    const request = /^([A-Za-z]+) (\S+) ((?:SIP|HTTP)\/\d\.\d)$/.exec(s);
    if (status !== null) {
      const [, version, code, space, phrase] = status;
      d.keep(off, off + version.length + 3);
      this.phrase(d, off + version.length + 3 + space.length, phrase, Number(code));
    } else if (msrp !== null) {
      const [, magic, id, , code, phrase, method] = msrp;
      const at = off + magic.length + id.length + 1;
      d.keep(off, off + magic.length);
      identifier(d, off + magic.length, at - 1);
      if (method !== undefined) tokens(d, at, at + method.length);
      else d.keep(at, at + 3);
      if (phrase !== undefined) this.phrase(d, at + 4, phrase, Number(code));
      return id;
    } else if (request !== null) {
      const [, method, target, version] = request;
      tokens(d, off, off + method.length);
      const at = off + method.length + 1;
      const stop = at + target.length;
      if (target.startsWith('/')) path(d, at, stop);
      else if (method === 'CONNECT') place(d, at, stop);
      else uri(d, at, stop);
      d.keep(stop + 1, stop + 1 + version.length);
    }
    return '';
  }

  private phrase(d: Draft, off: number, phrase: string, status: number): void {
    if (isStandard(phrase, status)) d.keep(off, off + phrase.length);
  }

  private body(d: Draft, off: number, end: number, type: string, depth: number): void {
    const boundary = /^multipart\/.*;\s*boundary\s*=\s*(?:"([^"]+)"|([^\s;]+))/i.exec(type);
    if (/^application\/sdp\b/i.test(type)) sessionDescription(d, off, end);
    else if (MESSAGES.test(type) && depth < DEEPEST) this.whole(d, off, end, depth + 1, true);
    else if (boundary !== null && depth < DEEPEST) this.several(d, off, end, boundary[1] ?? boundary[2], depth);
    else d.wipe(off, end);
  }

  /** A body of several parts, RFC 2046 §5.1. */
  private several(d: Draft, off: number, end: number, boundary: string, depth: number): void {
    d.wipe(off, end);
    let part = -1;
    for (let at = off; at < end; ) {
      const stop = lineEnd(d, at, end);
      if (d.text(at, at + 2) === '--' && d.text(at + 2, at + 2 + boundary.length) === boundary) {
        if (part >= 0) this.part(d, part, at, depth);
        d.keep(at, at + 2);
        identifier(d, at + 2, at + 2 + boundary.length);
        const isLast = d.text(at + 2 + boundary.length, at + 4 + boundary.length) === '--';
        if (isLast) d.keep(at + 2 + boundary.length, at + 4 + boundary.length);
        part = isLast ? -1 : Math.min(end, stop + 1);
      }
      at = stop + 1;
    }
    if (part >= 0) this.part(d, part, end, depth);
  }

  private part(d: Draft, off: number, end: number, depth: number): void {
    const inner = new Draft(d.from.subarray(off, end), this.names);
    this.whole(inner, 0, inner.length, depth + 1, false);
    d.made.set(inner.made, off);
  }

  /** A body of MSRP, and the line behind it that ends the message. RFC 4975 §7.1 */
  private ended(d: Draft, off: number, end: number, id: string, type: string, depth: number): void {
    const s = d.text(off, end);
    const at = s.lastIndexOf(`-------${id}`);
    const last = at < 0 ? end : off + at;
    this.body(d, off, last, type, depth);
    if (at < 0) return;
    d.keep(last, last + 7);
    identifier(d, last + 7, last + 7 + id.length);
    d.keep(last + 7 + id.length, Math.min(end, last + 8 + id.length));
  }
}

/** What the head says about the body. */
function note(about: { type: string; chunked: boolean }, field: string): void {
  const m = /^(content-type|c|transfer-encoding)\s*:\s*([\s\S]*)$/i.exec(field.trimEnd());
  if (m === null) return;
  if (m[1].length === 'transfer-encoding'.length) about.chunked = /\bchunked\b/i.test(m[2]);
  else about.type = m[2];
}

/** A body in chunks: their lengths stay. RFC 9112 §7.1 */
function chunks(d: Draft, off: number, end: number): void {
  d.wipe(off, end);
  for (let at = off; at < end; ) {
    const size = /^[0-9a-f]{1,8}(?=[\s;])/i.exec(d.text(at, Math.min(end, at + 16)))?.[0];
    if (size === undefined) return;
    d.keep(at, at + size.length);
    at = lineEnd(d, at, end) + 1 + Number.parseInt(size, 16) + 2;
  }
}

/** Offset of the LF that ends the line at `off`, or `end`. */
const lineEnd = (d: Draft, off: number, end: number): number => find(d.from, LF, off, end);

const isEmptyLine = (d: Draft, at: number, end: number): boolean =>
  d.from[at] === LF || (d.from[at] === CR && (at + 1 === end || d.from[at + 1] === LF));

/** Behind the field at `off`, which goes on where a line begins with a space. RFC 3261 §7.3.1 */
function fieldEnd(d: Draft, off: number, end: number): number {
  let at = lineEnd(d, off, end) + 1;
  while (at < end && (d.from[at] === 32 || d.from[at] === 9)) at = lineEnd(d, at, end) + 1;
  return Math.min(at, end);
}
