import {
  defineDissector,
  experts,
  type Field,
  fields,
  indexOf,
  latin1,
  type Tree,
  table,
  u8,
  utf8Text,
} from 'fttscope/kit';
import { takesBody } from './bodies.js';
import { mediaType } from './mime-multipart.js';
import { textLines } from './text-media.js';

/**
 * Internet Message Format, RFC 5322: header fields, an empty line, a body (RFC 2045).
 *
 *     From: Ann <ann@a.example>
 *     Subject: hello,
 *      world
 *     Content-Type: multipart/mixed; boundary=x
 *
 *     body …
 */
const CR = 13;
const LF = 10;
const SPACE = 32;
const TAB = 9;
const COLON = 58;
const MAX_FIELDS = 1024;

const header = (name: string, label: string) => ({ name: `imf.${name}`, label, type: 'string' }) as const;

const F = fields({
  imf: { name: 'imf', label: 'Internet Message Format', type: 'protocol' },
  date: header('date', 'Date'),
  from: header('from', 'From'),
  sender: header('sender', 'Sender'),
  replyTo: header('reply_to', 'Reply-To'),
  to: header('to', 'To'),
  cc: header('cc', 'Cc'),
  bcc: header('bcc', 'Bcc'),
  messageId: header('message_id', 'Message-ID'),
  inReplyTo: header('in_reply_to', 'In-Reply-To'),
  references: header('references', 'References'),
  subject: header('subject', 'Subject'),
  comments: header('comments', 'Comments'),
  userAgent: header('user_agent', 'User-Agent'),
  keywords: header('keywords', 'Keywords'),
  returnPath: header('return_path', 'Return-Path'),
  received: header('received', 'Received'),
  contentType: header('content.type', 'Content-Type'),
  contentDescription: header('content.description', 'Content-Description'),
  contentId: header('content.id', 'Content-ID'),
  contentEncoding: header('content.transfer_encoding', 'Content-Transfer-Encoding'),
  contentLanguage: header('content_language', 'Content-Language'),
  mimeVersion: header('mime_version', 'MIME-Version'),
  deliveredTo: header('delivered_to', 'Delivered-To'),
  deliveryDate: header('delivery_date', 'Delivery-Date'),
  importance: header('importance', 'Importance'),
  priority: header('priority', 'Priority'),
  precedence: header('precedence', 'Precedence'),
  mailer: header('ext.mailer', 'X-Mailer'),
  originalTo: header('ext.original-to', 'X-Original-To'),
  extension: header('extension', 'Unknown-Extension'),
  extensionType: header('extension.type', 'Type'),
  extensionValue: header('extension.value', 'Value'),
  type: header('content.type.type', 'Type'),
  parameters: header('content.type.parameters', 'Parameters'),
  text: { name: 'imf.message_text', label: 'Message-Text', type: 'none' },
});

const E = experts({
  tooMany: {
    code: 'imf.too-many-fields',
    severity: 'warn',
    message: 'Too many header fields; the rest is shown as text',
  },
});

/** By the name of the header field in lower case. */
const HEADERS = table<Field>(
  Object.values(F)
    .filter((f) => f.type === 'string' && !/^imf\.(extension|content\.type\.)/.test(f.name))
    .map((f) => [f.label.toLowerCase(), f] as const),
);

/** Where the header field whose value starts at `at` ends, line end included, and whether it is the last; -1: nowhere. */
function fieldEnd(b: Uint8Array, at: number, end: number): { stop: number; last: boolean } {
  for (let lf = indexOf(b, LF, at, end); lf >= 0; lf = indexOf(b, LF, lf + 1, end)) {
    if (u8(b, lf - 1) !== CR) continue;
    const next = lf + 1 < end ? u8(b, lf + 1) : CR;
    if (next !== SPACE && next !== TAB) return { stop: lf + 1, last: next === CR };
  }
  return { stop: -1, last: true };
}

export const imf = defineDissector({
  proto: 'imf',
  title: 'Internet Message Format',
  short: 'IMF',
  spec: 'RFC 5322',
  fields: F,
  experts: E,
  on: { media_type: ['message/rfc822'] },
  tables: ['media_type'],

  dissect(v, t, cx) {
    const { buf, end } = v;
    let contentType = '';
    let at = v.off;
    t.open(F.imf, v.off, v.length);
    for (let n = 0; ; n++) {
      const colon = indexOf(buf, COLON, at, end);
      if (colon < 0) break;
      if (n === MAX_FIELDS) {
        t.expert(E.tooMany);
        break;
      }
      const { stop, last } = fieldEnd(buf, colon + 1, end);
      if (stop < 0) break;
      const value = showField(t, buf, at, colon, stop);
      if (value !== undefined) contentType = value;
      at = stop;
      if (last) break;
    }
    const body = v.sub(at);
    const { type, parameters } = mediaType(contentType);
    // Wireshark finds the type where parameters follow it.
    if (body.length > 0 && contentType.includes(';') && takesBody(cx, type, body)) {
      cx.mediaParameters = parameters;
      cx.next('media_type', type, body);
    } else if (body.length > 0) {
      t.open(F.text, body.off, body.length);
      textLines(t, buf, body.off, body.end);
      t.pop();
    }
    t.pop();
  },

  summary(v) {
    const m = /(?:^|\n)subject:\s*([^\r\n]*)/i.exec(utf8Text(v.buf, v.off, Math.min(v.end, v.off + 4096)));
    return m === null ? '' : `subject: ${m[1]}`;
  },
});

/** Shows a header field; returns its value where it says what the body is. */
function showField(t: Tree, b: Uint8Array, at: number, colon: number, stop: number): string | undefined {
  let from = colon + 1;
  while (from < stop - 2 && (u8(b, from) === SPACE || u8(b, from) === TAB)) from++;
  const f = HEADERS[latin1(b, at, colon).toLowerCase()] ?? F.extension;
  const until = stop - 2;
  if (f !== F.extension) t.text(f, from, until - from);
  else {
    t.text(f, at, until - at);
    t.push();
    t.text(F.extensionType, at, colon - at);
    t.text(F.extensionValue, from, until - from);
    t.pop();
  }
  if (f !== F.contentType) return undefined;
  const value = utf8Text(b, from, until);
  const { type, parameters } = mediaType(value);
  t.push();
  t.text(F.type, from, type.length, type);
  if (parameters !== '') t.text(F.parameters, from, until - from, parameters);
  t.pop();
  return value;
}
