import { type Field, hex, type Tree } from 'fttscope/kit';
import { context, Der, derTime, type Element, inside, integer, Tag } from './der.js';
import { F } from './fields.js';
import type { Scan } from './scan.js';
import { dissectAlgorithm } from './x509algorithms.js';
import { dissectCertificateExtensions } from './x509extensions.js';
import { X } from './x509fields.js';
import { dissectName, dissectRelativeNames, nameLabel } from './x509names.js';
import { dissectBits, dissectGeneralizedTime, heading, readDer } from './x509nodes.js';

/**
 * X.509 certificates, RFC 5280 §4.1, in DER:
 *
 *     SEQUENCE
 *       SEQUENCE               version [0], serialNumber, signature, issuer, validity, subject,
 *                              subjectPublicKeyInfo, unique identifiers [1] [2], extensions [3]
 *       SEQUENCE               signatureAlgorithm
 *       BIT STRING             signature
 */

/** The rest of `s` is one certificate: its octets as `field`, and what they say. */
export function dissectCertificate(s: Scan, field: Field): void {
  const { t, off, end } = s;
  const b = s.v.buf;
  if (!s.has(end - off)) return;
  t.bytes(field, off, end - off);
  s.off = end;
  t.push();
  readDer(t, () => {
    const e = new Der(b, off, end).expect(Tag.Sequence);
    if (t.labels) labelCertificate(t, b, off, e);
    dissectCertificateBody(t, b, e);
  });
  t.pop();
}

function labelCertificate(t: Tree, b: Uint8Array, off: number, e: Element): void {
  const subject = fieldsOf(b, e).subject;
  t.label(`Certificate: ${hex(b, off, Math.min(36, e.end - off), '')}… (${nameLabel(b, subject)})`);
}

/** The parts of a certificate as elements. */
export interface CertificateParts {
  readonly signature: Element;
  readonly issuer: Element;
  readonly validity: Element;
  readonly subject: Element;
  readonly key: Element;
  readonly extensions: Element | undefined;
}

/** Finds the parts of the certificate `e`. @throws Malformed */
export function fieldsOf(b: Uint8Array, e: Element): CertificateParts {
  const d = inside(b, inside(b, e).expect(Tag.Sequence));
  d.optional(context(0)); // version
  d.expect(Tag.Integer); // serialNumber
  const signature = d.expect(Tag.Sequence);
  const issuer = d.expect(Tag.Sequence);
  const validity = d.expect(Tag.Sequence);
  const subject = d.expect(Tag.Sequence);
  const key = d.expect(Tag.Sequence);
  d.optional(context(1, false));
  d.optional(context(2, false));
  return { signature, issuer, validity, subject, key, extensions: d.optional(context(3)) };
}

/** Tree of the certificate `e`. @throws Malformed */
export function dissectCertificateBody(t: Tree, b: Uint8Array, e: Element): void {
  const d = inside(b, e);
  const tbs = d.next();
  heading(t, X.signedCertificate, tbs);
  dissectSigned(t, b, tbs);
  t.pop();
  dissectAlgorithm(t, b, d.expect(Tag.Sequence), X.algorithmIdentifier);
  dissectBits(t, b, d.expect(Tag.BitString), X.encrypted);
}

function dissectSigned(t: Tree, b: Uint8Array, tbs: Element): void {
  const d = inside(b, tbs);
  const version = d.optional(context(0));
  if (version !== undefined) {
    const n = inside(b, version).expect(Tag.Integer);
    t.num(X.version, n.off, n.end - n.off, integer(b, n));
  }
  const serial = d.expect(Tag.Integer);
  t.bytes(X.serialNumber, serial.off, serial.end - serial.off);
  dissectAlgorithm(t, b, d.expect(Tag.Sequence), X.signature);
  dissectName(t, b, d.expect(Tag.Sequence), X.issuer);
  dissectValidity(t, b, d.expect(Tag.Sequence));
  dissectName(t, b, d.expect(Tag.Sequence), X.subject, X.subjectNames);
  dissectKeyInfo(t, b, d.expect(Tag.Sequence));
  d.optional(context(1, false));
  d.optional(context(2, false));
  const extensions = d.optional(context(3));
  if (extensions !== undefined) dissectCertificateExtensions(t, b, inside(b, extensions).expect(Tag.Sequence));
}

function dissectValidity(t: Tree, b: Uint8Array, e: Element): void {
  heading(t, X.validity, e);
  const d = inside(b, e);
  dissectTime(t, b, d.next(), X.notBefore);
  dissectTime(t, b, d.next(), X.notAfter);
  t.pop();
}

function dissectTime(t: Tree, b: Uint8Array, e: Element, field: Field): void {
  const utc = e.tag === Tag.UtcTime;
  t.num(field, e.at, e.end - e.at, utc ? 0 : 1);
  t.push();
  if (utc) t.text(X.utcTime, e.off, e.end - e.off, timeText(derTime(b, e)));
  else dissectGeneralizedTime(t, b, e, X.generalizedTime);
  t.pop();
}

/** "2025-12-03 21:19:34 (UTC)" */
export const timeText = (seconds: number): string =>
  Number.isNaN(seconds) ? '' : `${new Date(seconds * 1000).toISOString().slice(0, 19).replace('T', ' ')} (UTC)`;

/** SubjectPublicKeyInfo; the two numbers of an RSA key stand under it. RFC 3279 §2.3.1 */
function dissectKeyInfo(t: Tree, b: Uint8Array, e: Element): void {
  heading(t, X.keyInfo, e);
  const d = inside(b, e);
  const oid = dissectAlgorithm(t, b, d.expect(Tag.Sequence), X.keyAlgorithm);
  const key = d.expect(Tag.BitString);
  if (oid === '1.2.840.113549.1.1.1' && key.end > key.off) {
    t.bytes(X.subjectPublicKey, key.off + 1, key.end - key.off - 1);
    t.push();
    const numbers = inside(b, new Der(b, key.off + 1, key.end).expect(Tag.Sequence));
    const modulus = numbers.expect(Tag.Integer);
    t.bytes(X.modulus, modulus.off, modulus.end - modulus.off);
    const exponent = numbers.expect(Tag.Integer);
    t.num(X.publicExponent, exponent.off, exponent.end - exponent.off, integer(b, exponent));
    t.pop();
  } else dissectBits(t, b, key, X.subjectPublicKey);
  t.pop();
}

/** A list of DistinguishedName with a length each: the authorities of CertificateRequest. RFC 5246 §7.4.4 */
export function dissectNames(list: Scan): void {
  const { t } = list;
  const b = list.v.buf;
  list.heading(F.names, `Distinguished Names (${list.left} bytes)`);
  while (list.more) {
    const one = list.vector16(F.nameLength);
    if (!one.more || !one.has(one.left)) continue;
    readDer(t, () => {
      const e = new Der(b, one.off, one.end).expect(Tag.Sequence);
      t.open(F.name, e.off, e.end - e.off);
      if (t.labels) t.label(`Distinguished Name: (${nameLabel(b, e)})`);
      dissectRelativeNames(t, b, e);
      t.pop();
    });
  }
  list.close();
}
