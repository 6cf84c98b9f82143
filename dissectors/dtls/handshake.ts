import { hexNumber, nameOf, need, type Tree, u8, u16, u24, u32, View } from 'fttscope/kit';
import { dissectCertificate } from '../tls/certificate.js';
import { Der, Tag } from '../tls/der.js';
import { Scan } from '../tls/scan.js';
import { CIPHER_SUITES, EXTENSION_TYPES, HANDSHAKE_TYPES } from '../tls/values.js';
import { dissectRelativeNames, nameLabel } from '../tls/x509names.js';
import { readDer } from '../tls/x509nodes.js';
import type { Whole } from './assembly.js';
import { F } from './fields.js';

/*
 * The handshake of DTLS, RFC 6347 §4.2.2: the message of TLS with its number, and what part of it this is:
 *
 *     0               1               2               3
 *     +---------------+-----------------------------------------------+
 *     |   msg_type    |                    length                     |
 *     +---------------+---------------+-------------------------------+
 *     |          message_seq          |        fragment_offset …
 *     +-------------------------------+-------------------------------+
 *     … |               fragment_length                 |   body …
 */
/** Octets before a message: those of TLS, its number, offset and length of the fragment. RFC 6347 §4.2.2 */
export const HANDSHAKE_HEADER = 12;
const Type = { ClientHello: 1, ServerHello: 2, HelloVerify: 3, Certificate: 11, CertificateRequest: 13 } as const;
const USE_SRTP = 14;
const RANDOM = 32;

/** Whether the message at `o` is whole in this fragment. */
const isWhole = (b: Uint8Array, o: number): boolean => u24(b, o + 6) === 0 && u24(b, o + 9) === u24(b, o + 1);

/** The messages, or parts of them, in the record `[from, end)`; `wholes` are those that end with one of the parts. */
export function handshake(v: View, t: Tree, from: number, end: number, wholes: readonly Whole[]): void {
  const { buf } = v;
  for (let at = from; at + HANDSHAKE_HEADER <= end; ) {
    const type = u8(buf, at);
    const length = u24(buf, at + 9);
    const body = at + HANDSHAKE_HEADER;
    const whole = isWhole(buf, at);
    const name = nameOf(HANDSHAKE_TYPES, type);
    t.open(F.handshake, at, HANDSHAKE_HEADER + length);
    if (t.labels) t.label(`Handshake Protocol: ${name}${whole ? '' : ' (fragment)'}`);
    t.num(F.type, at, 1, type);
    t.num(F.handshakeLength, at + 1, 3, u24(buf, at + 1));
    t.num(F.messageSeq, at + 4, 2, u16(buf, at + 4));
    t.num(F.fragmentOffset, at + 6, 3, u24(buf, at + 6));
    t.num(F.fragmentLength, at + 9, 3, length);
    if (body + length > end) need(v, length, body);
    if (whole && body + length <= end) content(v, t, type, body, body + length);
    for (const w of wholes) if (w.at === at - v.off) together(w.body, t, type);
    t.pop();
    at = body + length;
  }
}

/** A message that several parts brought. */
function together(body: Uint8Array, t: Tree, type: number): void {
  const v = View.of(body, 'Reassembled DTLS');
  const before = t.enter(v.source);
  const depth = t.level;
  content(v, t, type, 0, body.length);
  t.leave(before, depth);
}

function content(v: View, t: Tree, type: number, at: number, end: number): void {
  const s = new Scan(t, v, at, end);
  if (type === Type.ClientHello) clientHello(s);
  else if (type === Type.ServerHello) serverHello(s);
  else if (type === Type.HelloVerify) {
    version(s);
    vector(s, F.cookieLength, F.cookie);
  } else if (type === Type.Certificate) certificates(s);
  else if (type === Type.CertificateRequest) certificateRequest(s);
}

function version(s: Scan): void {
  if (!s.has(2)) return;
  s.t.num(F.helloVersion, s.off, 2, u16(s.v.buf, s.off));
  s.off += 2;
}

function random(s: Scan): void {
  if (!s.has(RANDOM)) return;
  s.t.bytes(F.random, s.off, RANDOM);
  s.t.push();
  s.t.time(F.randomTime, s.off, 4, u32(s.v.buf, s.off));
  s.t.bytes(F.randomBytes, s.off + 4, RANDOM - 4);
  s.t.pop();
  s.off += RANDOM;
}

/** Octets with their number, in one octet, before them. */
function vector(s: Scan, length: typeof F.cookieLength, value: typeof F.cookie): void {
  if (!s.has(1)) return;
  const n = u8(s.v.buf, s.off);
  s.t.num(length, s.off, 1, n);
  s.off++;
  if (n === 0 || !s.has(n)) return;
  s.t.bytes(value, s.off, n);
  s.off += n;
}

/** RFC 6347 §4.2.1: a cookie stands between the session and the cipher suites. */
function clientHello(s: Scan): void {
  version(s);
  random(s);
  vector(s, F.sessionLength, F.session);
  vector(s, F.cookieLength, F.cookie);
  if (!s.has(2)) return;
  const suites = u16(s.v.buf, s.off);
  s.t.num(F.suitesLength, s.off, 2, suites);
  s.off += 2;
  if (!s.has(suites)) return;
  s.t.open(F.suites, s.off, suites, s.t.labels ? `Cipher Suites (${suites >> 1} suites)` : undefined);
  for (let i = 0; i + 2 <= suites; i += 2) suite(s, s.off + i);
  s.t.pop();
  s.off += suites;
  if (!s.has(1)) return;
  const methods = u8(s.v.buf, s.off);
  s.t.num(F.methodsLength, s.off, 1, methods);
  s.off++;
  if (!s.has(methods)) return;
  s.t.open(F.methods, s.off, methods);
  for (let i = 0; i < methods; i++) s.t.num(F.method, s.off + i, 1, u8(s.v.buf, s.off + i));
  s.t.pop();
  s.off += methods;
  extensions(s);
}

function suite(s: Scan, at: number): void {
  s.t.num(F.suite, at, 2, u16(s.v.buf, at));
  if (s.t.labels)
    s.t.label(`Cipher Suite: ${nameOf(CIPHER_SUITES, u16(s.v.buf, at))} (${hexNumber(u16(s.v.buf, at), 4)})`);
}

function serverHello(s: Scan): void {
  version(s);
  random(s);
  vector(s, F.sessionLength, F.session);
  if (!s.has(3)) return;
  suite(s, s.off);
  s.t.num(F.method, s.off + 2, 1, u8(s.v.buf, s.off + 2));
  s.off += 3;
  extensions(s);
}

function extensions(s: Scan): void {
  if (!s.more || !s.has(2)) return;
  const { t } = s;
  const { buf } = s.v;
  t.num(F.extensionsLength, s.off, 2, u16(buf, s.off));
  s.off += 2;
  while (s.left >= 4) {
    const at = s.off;
    const type = u16(buf, at);
    const length = u16(buf, at + 2);
    if (!s.has(4 + length)) return;
    const name = t.labels ? `Extension: ${nameOf(EXTENSION_TYPES, type)} (len=${length})` : undefined;
    t.open(F.extension, at, 4 + length, name);
    t.num(F.extensionType, at, 2, type);
    t.num(F.extensionLen, at + 2, 2, length);
    if (type === USE_SRTP) useSrtp(t, buf, at + 4, at + 4 + length);
    t.pop();
    s.off = at + 4 + length;
  }
}

/** RFC 5764 §4.1.1. */
function useSrtp(t: Tree, b: Uint8Array, at: number, end: number): void {
  if (end - at < 2) return;
  const n = u16(b, at);
  t.num(F.profilesLength, at, 2, n);
  for (let o = at + 2; o + 2 <= Math.min(end, at + 2 + n); o += 2) t.num(F.profile, o, 2, u16(b, o));
  const mki = at + 2 + n;
  if (mki >= end) return;
  t.num(F.mkiLength, mki, 1, u8(b, mki));
  if (u8(b, mki) > 0 && mki + 1 + u8(b, mki) <= end) t.bytes(F.mki, mki + 1, u8(b, mki));
}

function certificates(s: Scan): void {
  if (!s.has(3)) return;
  const { t } = s;
  t.num(F.certificatesLength, s.off, 3, u24(s.v.buf, s.off));
  s.off += 3;
  if (!s.more) return;
  t.open(F.certificates, s.off, s.left);
  while (s.left >= 3) {
    const n = u24(s.v.buf, s.off);
    t.num(F.certificateLength, s.off, 3, n);
    s.off += 3;
    if (!s.has(n)) break;
    dissectCertificate(new Scan(t, s.v, s.off, s.off + n), F.certificate);
    s.off += n;
  }
  t.pop();
}

/** The authorities of a CertificateRequest, behind kinds of certificates and, in DTLS 1.2, of signatures. RFC 5246 §7.4.4 */
function certificateRequest(s: Scan): void {
  const { t, end } = s;
  const b = s.v.buf;
  const kinds = s.has(1) ? u8(b, s.off) : 0;
  let at = s.off + 1 + kinds;
  const signatures = at + 2 <= end ? 2 + u16(b, at) : 0;
  // Before DTLS 1.2 the authorities fill the rest.
  if (at + signatures !== end && at + signatures + 2 <= end) at += signatures;
  s.off = at;
  if (!s.has(2)) return;
  t.num(F.namesLength, at, 2, u16(b, at));
  t.open(F.names, at + 2, u16(b, at));
  const stop = Math.min(end, at + 2 + u16(b, at));
  for (at += 2; at + 2 <= stop; at += 2 + u16(b, at)) {
    const off = at + 2;
    const next = off + u16(b, at);
    t.num(F.nameLength, at, 2, u16(b, at));
    if (next > stop) break;
    readDer(t, () => {
      const e = new Der(b, off, next).expect(Tag.Sequence);
      t.open(F.name, e.off, e.end - e.off);
      if (t.labels) t.label(`Distinguished Name: (${nameLabel(b, e)})`);
      dissectRelativeNames(t, b, e);
      t.pop();
    });
  }
  s.off = stop;
  t.pop();
}

/** The protection profile that the ServerHello in the record `[from, end)` settles, 0 without one. RFC 5764 §4.1.1. */
export function settledProfile(b: Uint8Array, from: number, end: number): number {
  if (end - from < HANDSHAKE_HEADER || u8(b, from) !== Type.ServerHello || !isWhole(b, from)) return 0;
  const stop = Math.min(end, from + HANDSHAKE_HEADER + u24(b, from + 1));
  const session = from + HANDSHAKE_HEADER + 2 + RANDOM;
  if (session >= stop) return 0;
  for (let at = session + 1 + u8(b, session) + 3 + 2; at + 4 <= stop; at += 4 + u16(b, at + 2))
    if (u16(b, at) === USE_SRTP && at + 8 <= stop) return u16(b, at + 6);
  return 0;
}
