import { type Ctx, counted, type Field, nameOf, need, type Tree, u8, u24, u32, View } from 'fttscope/kit';
import { dissectCertificate } from './certificate.js';
import { isGrease } from './ciphersuites.js';
import { dissectAuthorities, dissectExtensions, dissectSchemes, dissectStatus, type Within } from './extensions.js';
import { F } from './fields.js';
import {
  type ClientHello,
  HANDSHAKE_HEADER,
  isBriefDraft,
  isRetryRandom,
  parseClientHello,
  parseServerHello,
  settledVersion,
} from './hello.js';
import { dissectClientKeyExchange, dissectServerKeyExchange } from './keyexchange.js';
import { md5 } from './md5.js';
import { HandshakeType, Version } from './numbers.js';
import { Scan } from './scan.js';
import { dissectScheme } from './sct.js';
import { HANDSHAKE_TYPES } from './values.js';

/**
 * The handshake protocol, RFC 8446 §4 and RFC 5246 §7.4:
 *
 *     0               1               2               3
 *     +---------------+---------------+---------------+---------------+----- - -
 *     |   msg_type    |                    length                     | body …
 *     +---------------+---------------+---------------+---------------+----- - -
 */

/** What the form of messages depends on. */
export interface Session {
  /** Negotiated version; the version of the record while nothing is known. */
  readonly version: number;
  /** Negotiated cipher suite, 0 while unknown. */
  readonly suite: number;
  /** {@link Ctx.unpack} */
  readonly unpack?: Ctx['unpack'];
}

/** Name of the message at `off`: a HelloRetryRequest is told from a ServerHello by its random. RFC 8446 §4.1.3 */
export function messageName(b: Uint8Array, off: number, end: number): string {
  const type = u8(b, off);
  const retry = type === HandshakeType.ServerHello && end - off >= 38 && isRetryRandom(b, off + 6);
  return nameOf(HANDSHAKE_TYPES, retry ? HandshakeType.HelloRetryRequest : type, 'Unknown message');
}

/** Adds the message that `v` begins with: header and body. */
export function dissectHandshake(v: View, t: Tree, session: Session): void {
  need(v, 1);
  const { buf, off } = v;
  const wireEnd = v.wireEnd;
  t.open(F.handshake, off, v.length);
  if (t.labels) t.label(`Handshake Protocol: ${messageName(buf, off, v.end)}`);
  const type = u8(buf, off);
  t.num(F.type, off, 1, type);
  need(v, HANDSHAKE_HEADER);
  const length = u24(buf, off + 1);
  t.num(F.length, off + 1, 3, length);
  const s = new Scan(t, v, off + HANDSHAKE_HEADER, Math.min(wireEnd, off + HANDSHAKE_HEADER + length));
  const read = BODIES[type];
  if (read !== undefined) {
    read(s, session, v);
    s.trailing();
  }
  t.pop();
}

type Body = (s: Scan, session: Session, v: View) => void;

/** The random, in two halves where its first four octets are the time. RFC 5246 §7.4.1.2 */
function random(s: Scan, timed: boolean): void {
  if (!s.has(32)) return;
  const { t, off } = s;
  const { buf } = s.v;
  t.bytes(F.random, off, 32);
  if (isRetryRandom(buf, off) && t.labels) t.label('Random: HelloRetryRequest magic');
  if (timed) {
    t.push();
    t.time(F.randomTime, off, 4, u32(buf, off));
    t.bytes(F.randomBytes, off + 4, 28);
    t.pop();
  }
  s.off += 32;
}

function clientHello(s: Scan, _: Session, v: View): void {
  s.u16(F.version);
  random(s, true);
  s.opaque8(F.sessionIdLength, F.sessionId);
  const suites = s.vector16(F.cipherSuitesLength);
  suites.heading(F.cipherSuites, `Cipher Suites (${counted(suites.left >> 1, 'suite')})`);
  while (suites.more) suites.u16(F.cipherSuite);
  suites.close();
  const methods = s.vector8(F.compressionsLength);
  methods.heading(F.compressions, `Compression Methods (${counted(methods.left, 'method')})`);
  while (methods.more) methods.u8(F.compression);
  methods.close();
  const at = s.off;
  dissectExtensions(s, { message: HandshakeType.ClientHello, retry: false });
  if (!s.t.wanted(F.ja3Text) && !s.t.wanted(F.ja3)) return;
  const hello = parseClientHello(v.buf, v.off, v.end);
  if (hello !== undefined) fingerprint(s, at, F.ja3Text, F.ja3, ja3(hello, v.buf));
}

/** A text that says how a side does TLS, and its MD5. */
function fingerprint({ t }: Scan, at: number, full: Field, short: Field, text: string): void {
  t.text(full, at, 0, text);
  if (t.wanted(short)) t.text(short, at, 0, md5(text));
}

/** The text that JA3 takes the MD5 of: version, suites, extensions, groups, point formats; without GREASE. */
function ja3(hello: ClientHello, b: Uint8Array): string {
  const plain = (codes: readonly number[]) => codes.filter((c) => !isGrease(c)).join('-');
  const formats = hello.extensions.find((e) => e.type === 11 && e.len > 0);
  const formatList = formats === undefined ? [] : [...b.subarray(formats.off + 1, formats.off + formats.len)];
  const extensions = plain(hello.extensions.map((e) => e.type));
  return `${hello.version},${plain(hello.suites)},${extensions},${plain(hello.groups)},${formatList.join('-')}`;
}

function serverHello(s: Scan, _: Session, v: View): void {
  const hello = parseServerHello(v.buf, v.off, v.end);
  const version = hello === undefined ? 0 : settledVersion(hello);
  const brief = isBriefDraft(s.u16(F.version));
  random(s, version < Version.Tls13);
  if (!brief) s.opaque8(F.sessionIdLength, F.sessionId);
  s.u16(F.cipherSuite);
  if (!brief) s.u8(F.compression);
  const at = s.off;
  dissectExtensions(s, { message: HandshakeType.ServerHello, retry: hello?.retry === true });
  if (hello === undefined || !(s.t.wanted(F.ja3sText) || s.t.wanted(F.ja3s))) return;
  const extensions = hello.extensions.map((e) => e.type).filter((type) => !isGrease(type));
  fingerprint(s, at, F.ja3sText, F.ja3s, `${hello.version},${hello.suite},${extensions.join('-')}`);
}

function newSessionTicket(s: Scan, session: Session): void {
  s.heading(F.text, 'TLS Session Ticket');
  s.u32(F.ticketLifetime);
  if (session.version >= Version.Tls13) {
    s.u32(F.ticketAgeAdd);
    s.opaque8(F.ticketNonceLength, F.ticketNonce);
  }
  s.opaque16(F.ticketLength, F.ticket);
  dissectExtensions(s, within(HandshakeType.NewSessionTicket));
  s.close();
}

const within = (message: number): Within => ({ message, retry: false });

/** RFC 5246 §7.4.2, RFC 8446 §4.4.2 */
function certificate(s: Scan, session: Session): void {
  const tls13 = session.version >= Version.Tls13;
  if (tls13) s.opaque8(F.contextLength, F.context);
  const list = s.vector24(F.certificatesLength);
  if (!list.more) return;
  list.heading(F.certificates, `Certificates (${list.left} bytes)`);
  while (list.more) {
    const one = list.vector24(F.certificateLength);
    if (one.more) dissectCertificate(one, F.certificate);
    if (tls13) dissectExtensions(list, within(HandshakeType.Certificate));
  }
  list.close();
}

/** RFC 5246 §7.4.4, RFC 8446 §4.3.2 */
function certificateRequest(s: Scan, session: Session): void {
  if (session.version >= Version.Tls13) {
    s.opaque8(F.contextLength, F.context);
    dissectExtensions(s, within(HandshakeType.CertificateRequest));
    return;
  }
  const types = s.vector8(F.certificateTypesCount);
  types.heading(F.certificateTypes, `Certificate types (${counted(types.left, 'type')})`);
  while (types.more) types.u8(F.certificateType);
  types.close();
  if (session.version >= Version.Tls12) dissectSchemes(s);
  dissectAuthorities(s);
}

function certificateVerify(s: Scan, session: Session): void {
  if (session.version >= Version.Tls12) dissectScheme(s);
  s.opaque16(F.verifyLength, F.verify);
}

function finished(s: Scan, session: Session): void {
  if (session.version === Version.Ssl3) {
    s.none(F.md5Hash, 16); // RFC 6101 §5.6.9
    s.none(F.shaHash, 20);
  } else s.none(F.verifyData, s.left);
}

/** Compressions of certificates as content codings that are the same. RFC 8879 §3, §7.3 */
const CODINGS: Readonly<Record<number, string>> = { 1: 'deflate', 2: 'br' };

/** RFC 8879 §4: the message that was compressed is a Certificate without its header. */
function compressedCertificate(s: Scan, session: Session): void {
  const { t } = s;
  const coding = CODINGS[s.u16(F.compressionAlgorithm)];
  const length = s.u24(F.uncompressedLength);
  const data = s.vector24(F.compressedLength);
  const { off, left } = data;
  data.bytes(F.compressed, left);
  if (coding === undefined || left === 0) return;
  const plain = session.unpack?.(coding, s.v.buf.subarray(off, off + left));
  if (plain === undefined || plain.length !== length) return;
  const v = View.of(plain, 'Decompressed certificate');
  t.push();
  const before = t.enter(v.source);
  const depth = t.level;
  certificate(new Scan(t, v, 0, plain.length), session);
  t.leave(before, depth);
  t.pop();
}

function nextProtocol(s: Scan, session: Session): void {
  if (session.version >= Version.Tls13) return;
  const name = s.vector8(F.npnLength);
  name.text(F.npn, name.left);
  s.opaque8(F.npnPaddingLength, F.npnPadding);
}

const BODIES: Readonly<Record<number, Body>> = {
  [HandshakeType.ClientHello]: clientHello,
  [HandshakeType.ServerHello]: serverHello,
  [HandshakeType.NewSessionTicket]: newSessionTicket,
  [HandshakeType.EncryptedExtensions]: (s) => dissectExtensions(s, within(HandshakeType.EncryptedExtensions)),
  [HandshakeType.Certificate]: certificate,
  [HandshakeType.ServerKeyExchange]: (s, session) => dissectServerKeyExchange(s, session.version, session.suite),
  [HandshakeType.CertificateRequest]: certificateRequest,
  [HandshakeType.CertificateVerify]: certificateVerify,
  [HandshakeType.ClientKeyExchange]: (s, session) => dissectClientKeyExchange(s, session.version, session.suite),
  [HandshakeType.Finished]: finished,
  [HandshakeType.CertificateStatus]: dissectStatus,
  [HandshakeType.KeyUpdate]: (s) => {
    s.u8(F.keyUpdate);
  },
  [HandshakeType.CompressedCertificate]: compressedCertificate,
  [HandshakeType.NextProtocol]: nextProtocol,
};
