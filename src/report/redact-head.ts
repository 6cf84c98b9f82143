import { findOutside, parameter } from '../../dissectors/sip/address.js';
import { table } from '../kit/index.js';
import type { Draft } from './draft.js';
import { HEADER_NAMES } from './harmless.js';
import {
  address,
  addresses,
  by,
  COMMA,
  count,
  eachBetween,
  hex,
  identifier,
  list,
  type Part,
  parameters,
  place,
  references,
  SEMICOLON,
  tokens,
  uri,
  user,
} from './redact-parts.js';

/** RFC 9110 §5.6.7 */
const DATE = /^\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$/;

/** Numbers and words between spaces: `1 INVITE`. */
const counts: Part = (d, off, end) =>
  d.each(off, end, /[^\s/]+/g, (at, stop, w) => (/^[\d.*-]+$/.test(w) ? count : tokens)(d, at, stop));
const range: Part = (d, off, end) => d.each(off, end, /\d{1,10}/g, (at, stop) => count(d, at, stop));
const date: Part = (d, off, end) => (DATE.test(d.text(off, end)) ? d.keep(off, end) : counts(d, off, end));

/** `SIP/2.0/UDP host:port;parameters`, between commas. RFC 3261 §20.42 */
const via: Part = (d, off, end) =>
  eachBetween(d, off, end, COMMA, (at, stop) => {
    const semicolon = findOutside(d.from, at, stop, SEMICOLON);
    const m = /^(\s*\w+\s*\/\s*[\d.]+\s*\/\s*[\w+-]+\s+)(\S+(?:\s*:\s*\d+)?)/.exec(d.text(at, semicolon));
    if (m !== null) {
      tokens(d, at, at + m[1].length);
      place(d, at + m[1].length, at + m[0].length);
    }
    parameters(d, semicolon + 1, stop);
  });

/** Values in credentials and challenges. RFC 7616 §3, RFC 3310; all others are secret. */
const CREDENTIALS = table<Part>({
  ...Object.fromEntries(['nonce', 'nextnonce', 'cnonce', 'opaque'].map((n) => [n, identifier])),
  ...Object.fromEntries(['algorithm', 'qop', 'stale'].map((n) => [n, list])),
  nc: (d, off, end) => /^"?[0-9a-f]{8}"?$/i.test(d.text(off, end)) && d.keep(off, end),
  uri: references,
  domain: references,
  username: (d, off, end) => inQuotes(d, off, end, (at, stop) => credential(d, at, stop, true)),
  realm: (d, off, end) => inQuotes(d, off, end, (at, stop) => credential(d, at, stop, false)),
});

/** Calls `each` with what stands between quotes, or with all where there are none. */
function inQuotes(d: Draft, off: number, end: number, each: (off: number, end: number) => void): void {
  const m = /^(\s*"?)([^"]*)/.exec(d.text(off, end))!;
  each(off + m[1].length, off + m[0].length);
}

function credential(d: Draft, off: number, end: number, isUser: boolean): void {
  const s = d.text(off, end);
  if (/^sips?:/i.test(s)) uri(d, off, end);
  else if (s.includes('@')) address(d, off, end);
  else if (isUser) user(d, off, end);
  else place(d, off, end);
}

/** What proves or leads to a key: not even where it has digits. */
const secret: Part = (d, off, end) => inQuotes(d, off, end, (at, stop) => d.wipe(at, stop));

/** Of other schemes than Digest nothing is told but their names. */
const credentials: Part = (d, off, end) => {
  const scheme = /^\s*(?:[\w-]+(?=\s+[^\s=])\s*)?/.exec(d.text(off, end))![0].length;
  tokens(d, off, off + scheme);
  if (scheme > 0 && !/^\s*digest\b/i.test(d.text(off, off + scheme))) return d.wipe(off + scheme, end);
  eachBetween(d, off + scheme, end, COMMA, (at, stop) => {
    const q = parameter(d.from, at, stop);
    tokens(d, q.off, q.nameEnd);
    const part = CREDENTIALS[d.text(q.off, q.nameEnd).toLowerCase()] ?? secret;
    part(d, q.valueOff, q.end);
  });
};

/** Call-ID and tags. RFC 3891 §6.1 */
const dialog: Part = (d, off, end) => {
  const semicolon = findOutside(d.from, off, end, SEMICOLON);
  identifier(d, off, semicolon);
  parameters(d, semicolon + 1, end);
};

const callIds: Part = (d, off, end) => d.each(off, end, /[^\s,]+/g, (at, stop) => identifier(d, at, stop));

/** RFC 7989 §5 */
const session: Part = (d, off, end) => {
  d.each(off, end, /\b[0-9a-f]{32}\b/gi, (at, stop) => hex(d, at, stop));
  const semicolon = findOutside(d.from, off, end, SEMICOLON);
  d.each(semicolon, end, /\b(?:remote|logme)\b/gi, (at, stop) => d.keep(at, stop));
};

/** `399 host "text"`, RFC 3261 §20.43. */
const warning: Part = (d, off, end) => {
  const m = /^(\s*\d{3}\s+)(\S+)/.exec(d.text(off, end));
  if (m === null) return;
  d.keep(off, off + m[1].length);
  place(d, off + m[1].length, off + m[0].length);
};

/** Seconds, what is said of them, and how long they hold. RFC 3261 §20.33 */
const retryAfter: Part = (d, off, end) => {
  count(d, off, end);
  parameters(d, findOutside(d.from, off, end, SEMICOLON) + 1, end);
};

/** What kind of access it is; where it is, is not told. TS 24.229 §7.2A.4 */
const access: Part = (d, off, end) =>
  eachBetween(d, off, end, COMMA, (from, to) =>
    eachBetween(d, from, to, SEMICOLON, (at, stop) => tokens(d, at, parameter(d.from, at, stop).nameEnd)),
  );

/** By the name of a header field: what its value is made of. Of all others nothing is told but that they are there. */
const FIELDS = table<Part>([
  ...by(
    `additional-identity alert-info b call-info contact diversion error-info f from geolocation history-info m
    p-asserted-identity p-asserted-service p-associated-uri p-called-party-id p-preferred-identity p-preferred-service
    p-profile-key p-refused-uri-list p-served-user p-user-database path permission-missing policy-contact r record-route
    refer-to referred-by remote-party-id reply-to route service-route t to trigger-consent x-3gpp-asserted-identity
    x-3gpp-intended-identity`,
    addresses,
  ),
  ...by('from-path to-path use-path location referer origin content-location', references),
  ...by(
    `a accept accept-contact accept-encoding accept-language accept-ranges accept-resource-priority allow allow-events
    answer-mode c cache-control connection content-disposition content-encoding content-language
    content-transfer-encoding content-type d e event failure-report feature-caps geolocation-error geolocation-routing
    info-package j k mime-version o p-answer-state p-early-media pragma priority priv-answer-mode privacy proxy-connection
    proxy-require reason recv-info refer-sub reject-contact request-disposition require resource-priority
    security-client security-server security-verify subscription-state success-report supported te transfer-encoding
    u unsupported upgrade use-path vary`,
    list,
  ),
  ...by('age content-length cseq flow-timer l max-breadth max-forwards min-expires rack rseq timestamp', counts),
  ...by('min-se session-expires x', retryAfter),
  ...by('byte-range content-range range', range),
  ...by('date expires if-modified-since if-unmodified-since last-modified', date),
  ...by('authentication-info authorization proxy-authenticate proxy-authorization www-authenticate', credentials),
  ...by('content-id etag if-match if-none-match message-id sip-etag sip-if-match suppress-if-match', identifier),
  ...by('call-id i in-reply-to', callIds),
  ...by('join replaces target-dialog', dialog),
  ...by('v via', via),
  ['cellular-network-info', access],
  ['p-access-network-info', access],
  ['host', place],
  ['session-id', session],
  ['retry-after', retryAfter],
  ['warning', warning],
  ['status', (d, off, end) => count(d, off, Math.min(end, off + 3)) /* RFC 4975 §7.1.2: the phrase is not told */],
]);

/** A header field in `[off, end)`, lines that it goes on in included. */
export function headerField(d: Draft, off: number, end: number): void {
  const m = /^([\w.!%*+`'~-]+)([ \t]*:\s*)/.exec(d.text(off, end));
  if (m === null) return;
  const name = m[1].toLowerCase();
  if (HEADER_NAMES.has(name)) d.keep(off, off + m[1].length);
  else d.put(off, m[1].replace(/[a-z]/gi, 'z').replace(/\d/g, '0')); // an `x` alone is Session-Expires
  let stop = end;
  while (stop > off && d.from[stop - 1] <= 32) stop--;
  FIELDS[name]?.(d, off + m[0].length, stop);
}
