import type { Field, Tree } from 'fttscope/kit';
import { dissectCertificateBody, timeText } from './certificate.js';
import { context, Der, derTime, type Element, inside, integer, objectId, Tag } from './der.js';
import { oidName } from './oids.js';
import type { Scan } from './scan.js';
import { dissectAlgorithm } from './x509algorithms.js';
import { X } from './x509fields.js';
import { EXTENSION_LAYERS } from './x509layers.js';
import { dissectName } from './x509names.js';
import {
  CERTIFICATE_EXPERTS,
  dissectBits,
  dissectGeneralizedTime,
  dissectIdentifier,
  heading,
  readDer,
  sequence,
} from './x509nodes.js';

/**
 * OCSP responses, RFC 6960 §4.2.1, as they are stapled to a handshake:
 *
 *     SEQUENCE { responseStatus, [0] SEQUENCE { OBJECT IDENTIFIER, OCTET STRING of BasicOCSPResponse } }
 */
export function dissectOcsp(s: Scan): void {
  const { t, off, end } = s;
  const b = s.v.buf;
  if (!s.has(end - off)) return;
  s.off = end;
  t.open(X.ocsp, off, end - off);
  if (t.labels) t.label('OCSP Response');
  readDer(t, () => dissectResponse(t, b, new Der(b, off, end).expect(Tag.Sequence)));
  t.pop();
}

function dissectResponse(t: Tree, b: Uint8Array, e: Element): void {
  const d = inside(b, e);
  const status = d.expect(Tag.Enumerated);
  t.num(X.ocspStatus, status.off, status.end - status.off, integer(b, status));
  const wrapped = d.optional(context(0));
  if (wrapped === undefined) return;
  const bytes = inside(b, wrapped).expect(Tag.Sequence);
  heading(t, X.ocspBytes, bytes);
  const parts = inside(b, bytes);
  const id = parts.expect(Tag.ObjectId);
  const oid = objectId(b, id.off, id.end);
  t.text(X.ocspType, id.off, id.end - id.off, oid);
  if (t.labels) t.label(`ResponseType Id: ${oid} (${oidName(oid)})`);
  const response = parts.expect(Tag.OctetString);
  if (oid === '1.3.6.1.5.5.7.48.1.1') dissectBasic(t, b, inside(b, response).expect(Tag.Sequence));
  t.pop();
}

function dissectBasic(t: Tree, b: Uint8Array, e: Element): void {
  t.layer('ocsp');
  heading(t, X.ocspBasic, e);
  const d = inside(b, e);
  dissectData(t, b, d.expect(Tag.Sequence));
  dissectAlgorithm(t, b, d.expect(Tag.Sequence), X.ocspSignatureAlgorithm);
  dissectBits(t, b, d.expect(Tag.BitString), X.ocspSignature);
  const wrapped = d.optional(context(0));
  if (wrapped !== undefined)
    sequenceOf(t, b, inside(b, wrapped).expect(Tag.Sequence), X.ocspCertificates, (one) => {
      heading(t, X.ocspCertificate, one);
      dissectCertificateBody(t, b, one);
      t.pop();
    });
  t.pop();
}

/** A SEQUENCE of nothing but SEQUENCEs. */
const sequenceOf = (t: Tree, b: Uint8Array, e: Element, field: Field, one: (element: Element) => void): void =>
  sequence(t, b, e, field, one, Tag.Sequence);

function dissectData(t: Tree, b: Uint8Array, e: Element): void {
  heading(t, X.ocspData, e);
  const d = inside(b, e);
  d.optional(context(0)); // version, which is v1
  const responder = d.next();
  t.num(X.ocspResponder, responder.off, responder.end - responder.off, responder.tag & 0x1f);
  t.push();
  const who = inside(b, responder).next();
  if (responder.tag === context(1)) dissectName(t, b, who, X.ocspByName);
  else t.bytes(X.ocspByKey, who.off, who.end - who.off);
  t.pop();
  dissectGeneralizedTime(t, b, d.expect(Tag.GeneralizedTime), X.ocspProduced);
  sequenceOf(t, b, d.expect(Tag.Sequence), X.ocspResponses, (one) => dissectSingle(t, b, one));
  const extensions = d.optional(context(1));
  if (extensions !== undefined)
    dissectExtensions(t, b, inside(b, extensions).expect(Tag.Sequence), X.ocspResponseExtensions);
  t.pop();
}

function dissectSingle(t: Tree, b: Uint8Array, e: Element): void {
  heading(t, X.ocspSingle, e);
  const d = inside(b, e);
  dissectCertificateId(t, b, d.expect(Tag.Sequence));
  const status = d.next();
  const kind = status.tag & 0x1f;
  t.num(X.ocspCertificateStatus, status.off, status.end - status.off, kind);
  t.push();
  const field = kind === 0 ? X.ocspGood : kind === 1 ? X.ocspRevoked : X.ocspUnknown;
  t.open(field, status.off, status.end - status.off);
  if (kind === 1) dissectGeneralizedTime(t, b, inside(b, status).expect(Tag.GeneralizedTime), X.ocspRevocationTime);
  t.pop();
  t.pop();
  dissectGeneralizedTime(t, b, d.expect(Tag.GeneralizedTime), X.ocspThisUpdate);
  const next = d.optional(context(0));
  if (next !== undefined) dissectGeneralizedTime(t, b, inside(b, next).expect(Tag.GeneralizedTime), X.ocspNextUpdate);
  const extensions = d.optional(context(1));
  if (extensions !== undefined) dissectExtensions(t, b, inside(b, extensions).expect(Tag.Sequence), X.ocspExtensions);
  t.pop();
}

/** RFC 6960 §4.4 */
function dissectExtensions(t: Tree, b: Uint8Array, e: Element, field: Field): void {
  sequenceOf(t, b, e, field, (one) => {
    const d = inside(b, one);
    heading(t, X.ocspExtension, one);
    const oid = dissectIdentifier(t, b, d.expect(Tag.ObjectId), X.ocspExtensionId);
    d.optional(Tag.Boolean);
    const value = inside(b, d.expect(Tag.OctetString));
    const layer = EXTENSION_LAYERS.get(oid);
    if (layer !== undefined) t.layer(layer);
    else t.expert(CERTIFICATE_EXPERTS.unread);
    if (oid === '1.3.6.1.5.5.7.48.1.2') t.bytes(X.ocspNonce, value.off, value.end - value.off);
    else if (value.tag === Tag.UtcTime) {
      const time = value.next();
      t.text(X.utcTimeSyntax, time.off, time.end - time.off, timeText(derTime(b, time)));
    }
    t.pop();
  });
}

function dissectCertificateId(t: Tree, b: Uint8Array, e: Element): void {
  heading(t, X.ocspCertificateId, e);
  const d = inside(b, e);
  dissectAlgorithm(t, b, d.expect(Tag.Sequence), X.ocspHash);
  for (const field of [X.ocspNameHash, X.ocspKeyHash, X.ocspSerial]) {
    const part = d.next();
    t.bytes(field, part.off, part.end - part.off);
  }
  t.pop();
}
