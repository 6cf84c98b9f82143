import {
  type Ctx,
  counted,
  defineDissector,
  type Exchange,
  type Field,
  indexOf,
  No,
  need,
  type Track,
  type Tree,
  Unsure,
  utf8Text,
  View,
  Yes,
} from 'fttscope/kit';
import { handBody, takesBody } from '../bodies.js';
import { E164, E164_EXPERTS } from '../e164.js';
import { eachBody, MULTIPART, mediaType } from '../mime-multipart.js';
import { smsSummary } from '../sms/rp.js';
import { textItem, textLines } from '../text-media.js';
import { udp } from '../udp.js';
import { findOutside, parseAddress, parseUri, showAddress } from './address.js';
import { withoutKeys } from './auth.js';
import { type SipRepresentation, sipCodec } from './codec.js';
import { ADDRESS, E, F, HEADER_FIELD, SIP_FIELDS } from './fields.js';
import { HEADER_DISSECTOR } from './headers.js';
import {
  decimal,
  keepAliveLength,
  looksLikeSip,
  MAX_MESSAGE,
  parseSip,
  type SipHeader,
  type SipMessage,
  sipLength,
} from './message.js';
import { Header } from './names.js';
import { type SipNote, Transactions } from './transactions.js';

export { bareUri, findOutside, ListAhead, parseAddress, parseUri, type SipAddress } from './address.js';
export { headerOf, headersOf, type SipHeaderText, type SipRepresentation, sipRequest, sipResponse } from './codec.js';
export { parseSip, type SipHeader, SipMessage, sipLength } from './message.js';
export { HEADERS, Header, headerId } from './names.js';
export type { SipNote } from './transactions.js';

/**
 * Session Initiation Protocol, RFC 3261 §7:
 *
 *     INVITE sip:bob@example.com SIP/2.0      or   SIP/2.0 200 OK
 *     Via: SIP/2.0/UDP 192.0.2.1;branch=…          headers; a line that begins with space goes on with the one before
 *     Content-Length: 142
 *                                                  empty line
 *     v=0                                          body
 *
 * CRLF alone is a keep-alive (RFC 5626 §4.4.1).
 */
const COMMA = 44;
const AUTHENTICATION: ReadonlySet<number> = new Set([
  Header.AuthenticationInfo,
  Header.Authorization,
  Header.ProxyAuthenticate,
  Header.ProxyAuthorization,
  Header.WwwAuthenticate,
]);

const START_LINE: readonly Field[] = [F.sip, F.requestLine, F.statusLine, F.method, F.statusCode];
/** Fields for which more than the start line has to be read. */
const BEYOND_START_LINE: readonly Field[] = Object.values({ ...SIP_FIELDS, ...E164 }).filter(
  (f) => !START_LINE.includes(f),
);

/** Media type of the body in lower case and its parameters; '' without a Content-Type. */
function bodyType(m: SipMessage): { type: string; parameters: string } {
  return mediaType(m.text(Header.ContentType) ?? '');
}

/** Whether the body is encoded so that its media type does not show. RFC 3261 §20.12. */
function isEncoded(m: SipMessage): boolean {
  const e = m.text(Header.ContentEncoding)?.toLowerCase();
  return e !== undefined && e !== '' && e !== 'identity';
}

/** @param whole more than {@link START_LINE} is wanted */
function showStartLine(t: Tree, m: SipMessage, note: SipNote | undefined, whole: boolean): void {
  const { buf, off } = m;
  t.text(m.isRequest ? F.requestLine : F.statusLine, off, m.lineEnd - off);
  t.push();
  if (m.isRequest) {
    t.text(F.method, off, m.methodEnd - off);
    if (whole) showAddress(t, buf, parseUri(buf, m.uriOff, m.uriEnd), ADDRESS.requestUri);
  } else t.num(F.statusCode, off + 8, 3, m.status);
  if (note !== undefined) showNote(t, m, note);
  t.pop();
}

function showNote(t: Tree, m: SipMessage, note: SipNote): void {
  const { off } = m;
  t.num(F.resend, off, 0, note.original === 0 ? 0 : 1);
  if (note.original !== 0) {
    t.expert(E.resent);
    t.num(F.resendOriginal, off, 0, note.original);
  }
  if (note.request === 0) return;
  t.num(F.responseRequest, off, 0, note.request);
  t.num(F.responseTime, off, 0, note.sinceMs);
  if (!m.isRequest && m.method === 'BYE') t.num(F.releaseTime, off, 0, note.sinceMs);
}

/** @param cut the snaplen cut the message: what ends too early did not on the wire */
function showHeaders(t: Tree, m: SipMessage, end: number, cut: boolean): void {
  t.text(F.messageHeader, m.headersOff, m.headersEnd - m.headersOff, messageHeader(m));
  if (t.labels) t.label('Message Header');
  if (t.wantsExperts && strayAfterZero(m, end)) t.expert(E.stray);
  t.push();
  for (const h of m.headers) showHeader(t, m, h);
  if (m.dropped > 0) t.expert(E.tooManyHeaders);
  if (!m.terminated && !cut && m.headers.length > 0) t.expert(E.notTerminated);
  t.pop();
}

/** Whether anything follows a zero octet: Wireshark takes what follows the start line for text, and says so of a body. */
function strayAfterZero({ buf, headersOff }: SipMessage, end: number): boolean {
  let at = indexOf(buf, 0, headersOff, end);
  while (at >= 0 && at < end && buf[at] === 0) at++;
  return at >= 0 && at < end;
}

/** The text of all headers where key material has to be left out of it; else undefined: the octets say it. */
function messageHeader(m: SipMessage): string | undefined {
  let text: string | undefined;
  for (const h of m.headers) {
    const clean = cleanText(m, h, h.off, h.end);
    if (clean === undefined) continue;
    text ??= utf8Text(m.buf, m.headersOff, m.headersEnd);
    text = text.replace(utf8Text(m.buf, h.off, h.end), () => clean);
  }
  return text;
}

function cleanText(m: SipMessage, h: SipHeader, off: number, end: number): string | undefined {
  return AUTHENTICATION.has(h.id) ? withoutKeys(m.buf, h.valueOff, h.valueEnd, utf8Text(m.buf, off, end)) : undefined;
}

function showHeader(t: Tree, m: SipMessage, h: SipHeader): void {
  const { buf } = m;
  const field = HEADER_FIELD[h.id];
  const len = h.end - h.off;
  if (field === undefined) {
    textItem(t, buf, h.off, h.end);
    if (h.nameEnd === h.off) t.expert(E.noColon);
    else t.expert(E.unrecognized, `Unrecognised SIP header (${m.name(h).toLowerCase()})`);
    return;
  }
  if (field.type === 'u32') t.num(field, h.off, len, decimal(buf, h.valueOff, h.valueEnd));
  else {
    const clean = cleanText(m, h, h.valueOff, h.valueEnd);
    t.text(field, h.off, len, clean ?? utf8Text(buf, h.valueOff, h.valueEnd));
  }
  if (h.id === Header.ContentLength && m.contentLength === -2) t.expert(E.badContentLength);
  t.push();
  HEADER_DISSECTOR[h.id]?.(t, buf, h.valueOff, h.valueEnd);
  t.pop();
  if (h.id === Header.CallId) t.text(F.callIdGenerated, h.off, len, utf8Text(buf, h.valueOff, h.valueEnd));
  if (AUTHENTICATION.has(h.id)) t.text(F.auth, h.off, len, cleanText(m, h, h.off, h.end));
}

function showBody(v: View, t: Tree, cx: Ctx, m: SipMessage): void {
  const missing = m.contentLength > m.bodyEnd - m.bodyOff && v.end === v.wireEnd;
  if (missing && m.terminated) t.expert(E.bodyShort);
  const wireEnd = m.contentLength >= 0 ? m.bodyOff + m.contentLength : v.wireEnd;
  const body = v.sub(m.bodyOff, wireEnd);
  if (m.bodyEnd === m.bodyOff) return;
  t.none(F.messageBody, body.off, body.length);
  t.push();
  const { type, parameters } = bodyType(m);
  cx.mediaParameters = parameters;
  const coding = m.text(Header.ContentEncoding)?.toLowerCase() ?? '';
  const plain = isEncoded(m) ? cx.unpack?.(coding, body.buf.subarray(body.off, body.end)) : undefined;
  if (plain !== undefined && plain.length > 0) handBody(cx, type, View.of(plain, 'Unpacked body'));
  else if (isEncoded(m)) cx.data(body);
  else if (takesBody(cx, type, body)) cx.next('media_type', type, body);
  else if (type.startsWith(MULTIPART)) cx.next('media_type', MULTIPART, body);
  else if (!isXml(type, body) || !cx.call('xml', body)) textLines(t, body.buf, body.off, body.end);
  t.pop();
}

const isXml = (type: string, v: View): boolean =>
  type.endsWith('+xml') && utf8Text(v.buf, v.off, Math.min(v.end, v.off + 5)) === '<?xml';

/** Hands SDP on, alone or as a part of the body, however deep. */
function trackBody(v: View, cx: Track, m: SipMessage, frame: number): void {
  const body = v.sub(m.bodyOff, m.bodyEnd);
  if (body.length === 0 || isEncoded(m)) return;
  const exchange: Exchange = { frame, id: m.text(Header.CallId) ?? '' };
  const { type, parameters } = bodyType(m);
  eachBody(v.buf, body.off, body.end, type, parameters, (t, off, end) => {
    cx.track('media_type', t, v.sub(off, end), exchange);
  });
}

/** How many contacts a message registers and removes. RFC 3261 §10.2. */
function bindings(m: SipMessage): { all: boolean; added: number; removed: number } {
  const out = { all: false, added: 0, removed: 0 };
  const expires = m.text(Header.Expires);
  for (const h of m.headers) {
    if (h.id !== Header.Contact) continue;
    const value = m.value(h);
    if (value === '*') {
      out.all = expires === '0'; // RFC 3261 §10.2.2
      continue;
    }
    for (let i = h.valueOff; i < h.valueEnd; ) {
      const a = parseAddress(m.buf, i, h.valueEnd);
      if (a === undefined) break;
      const stop = findOutside(m.buf, a.end, h.valueEnd, COMMA);
      const own = /;\s*expires\s*=\s*(\d+)/i.exec(utf8Text(m.buf, a.end, stop))?.[1] ?? expires;
      if (own !== undefined && Number(own) === 0) out.removed++;
      else out.added++;
      i = stop + 1;
    }
  }
  return out;
}

function registerSummary(m: SipMessage): string {
  const { all, added, removed } = bindings(m);
  if (all) return '  (remove all bindings)';
  if (removed > 0)
    return `  (remove ${counted(removed, 'binding')})${added > 0 ? ` (add ${counted(added, 'binding')})` : ''}`;
  return added > 0 ? `  (${counted(added, 'binding')})` : '  (fetch bindings)';
}

function requestSummary(m: SipMessage): string {
  const { method } = m;
  const s = `Request: ${method} ${m.uri}`;
  if (method === 'REGISTER') return s + registerSummary(m);
  const dialog = (method === 'INVITE' || method === 'SUBSCRIBE') && /;\s*tag\s*=/i.test(m.text(Header.To) ?? '');
  return dialog ? `${s}, in-dialog` : s;
}

function statusSummary(m: SipMessage): string {
  const { method } = m;
  const s = `Status: ${m.status} ${m.reason}${m.status === 200 ? ` (${method})` : ''}`;
  if (method !== 'REGISTER' || m.status < 200 || m.status > 299) return s;
  const { added, removed } = bindings(m);
  return `${s}  (${counted(added + removed, 'binding')})`;
}

/** What a short message in the body says. TS 24.341 §5.3.1 */
function bodySummary(m: SipMessage): string {
  if (m.bodyEnd === m.bodyOff || isEncoded(m) || bodyType(m).type !== 'application/vnd.3gpp.sms') return '';
  return ` | ${smsSummary(m.buf, m.bodyOff, m.bodyEnd)}`;
}

const isKeepAlive = (v: View): boolean => {
  let at = v.off;
  while (at < v.end) {
    const n = keepAliveLength(v.buf, at, v.end);
    if (n <= 0) return false;
    at += n;
  }
  return v.length > 0;
};

/**
 * The frame that began what a message describes; 0: its own. A request that is sent again describes what it did before. A
 * final answer tells of the session from the request on; a provisional one, and one that is sent again, from there on.
 */
const exchangeOf = (m: SipMessage, { original, request }: SipNote): number =>
  m.isRequest ? original : m.status < 200 || original !== 0 ? 0 : request;

export const sip = defineDissector<SipRepresentation>({
  proto: 'sip',
  title: 'Session Initiation Protocol',
  short: 'SIP',
  spec: 'RFC 3261',
  fields: { ...SIP_FIELDS, ...E164 },
  experts: { ...E, ...E164_EXPERTS },
  on: { 'udp.heuristic': ['sip'], 'udp.port': [5060], 'tcp.port': [5060], 'sctp.port': [5060], 'tls.port': [5061] },
  tables: ['media_type'],
  calls: ['media', 'xml'],
  serves: {
    // What SDP announces counts as a conversation of its own.
    fields: [F.resend, F.resendOriginal, F.responseRequest, F.responseTime, F.releaseTime, udp.fields.stream],
    protocols: ['rtp', 'rtcp', 'gsm_sms', 'gsm_sms_up'],
  },

  /** A start line of RFC 3261. A CRLF keep-alive may be anyone's. */
  probe(b, off, end) {
    if (off >= end || b[off] === 13 || b[off] === 10) return Unsure;
    return looksLikeSip(b, off, end);
  },

  pduLength: sipLength,

  track(v, cx) {
    if (looksLikeSip(v.buf, v.off, v.end) !== Yes) return;
    const m = parseSip(v.buf, v.off, v.end, v.isCut);
    const note = cx.scope(sip, () => new Transactions()).see(m, cx);
    cx.note(note);
    trackBody(v, cx, m, exchangeOf(m, note) || cx.frame);
  },

  dissect(v, t, cx) {
    if (isKeepAlive(v)) {
      t.open(F.sip, v.off, v.length, t.labels ? 'Session Initiation Protocol (keep-alive)' : undefined);
      t.pop();
      return;
    }
    const end = Math.min(v.end, v.off + MAX_MESSAGE);
    const looks = looksLikeSip(v.buf, v.off, end);
    if (looks === Unsure) need(v, v.length + 1);
    if (looks === No) return cx.data(v);
    // Where only the start line is wanted the headers are not looked at.
    const whole = t.wantsExperts || t.wantsAny(BEYOND_START_LINE) || cx.wantsBelow(sip);
    const m = parseSip(v.buf, v.off, end, v.isCut, !whole);
    t.open(F.sip, v.off, m.bodyEnd - v.off);
    if (t.labels) t.label(`Session Initiation Protocol (${m.isRequest ? m.method : m.status})`);
    showStartLine(t, m, cx.note<SipNote>(sip, v), whole);
    if (whole) {
      showHeaders(t, m, end, v.isCut);
      showBody(v, t, cx, m);
    }
    t.pop();
    need(v, v.wireLength);
  },

  summary(v) {
    if (isKeepAlive(v)) return v.length >= 4 ? 'Keep-alive (CRLF CRLF)' : 'Keep-alive (CRLF)';
    if (looksLikeSip(v.buf, v.off, v.end) !== Yes) return 'Not SIP';
    const m = parseSip(v.buf, v.off, v.end, v.isCut);
    return (m.isRequest ? requestSummary(m) : statusSummary(m)) + bodySummary(m);
  },

  codec: sipCodec,
});
