import type { Field, Tree } from 'fttscope/kit';
import { context, type Element, inside, objectId, Tag } from './der.js';
import { oidName } from './oids.js';
import { X } from './x509fields.js';
import { dissectIdentifier, dissectInteger, heading } from './x509nodes.js';

/**
 * Algorithms of keys and signatures with their parameters, RFC 5280 §4.1.1.2:
 *
 *     SEQUENCE { OBJECT IDENTIFIER, parameters DEFINED BY the identifier OPTIONAL }
 */

const DSA = '1.2.840.10040.4.1';
const EC_KEY = '1.2.840.10045.2.1';
const MGF1 = '1.2.840.113549.1.1.8';
const RSASSA_PSS = '1.2.840.113549.1.1.10';

/** An AlgorithmIdentifier. Returns its OBJECT IDENTIFIER in dotted form. @throws Malformed */
export function dissectAlgorithm(t: Tree, b: Uint8Array, e: Element, field: Field): string {
  const d = inside(b, e);
  const oid = openAlgorithm(t, b, e, d.expect(Tag.ObjectId), field);
  if (oid === EC_KEY && d.tag === Tag.ObjectId) dissectCurve(t, b, d.next());
  if (oid === EC_KEY && d.tag === Tag.Sequence) dissectOwnCurve(t, d.next());
  if (oid === DSA && d.tag === Tag.Sequence) dissectDss(t, b, d.next());
  if (oid === RSASSA_PSS && d.tag === Tag.Sequence) dissectPss(t, b, d.next());
  t.pop();
  return oid;
}

/** The heading of the algorithm `e` with its identifier; what follows is under it. */
function openAlgorithm(t: Tree, b: Uint8Array, e: Element, id: Element, field: Field): string {
  heading(t, field, e);
  if (t.labels) t.label(`${field.label} (${oidName(objectId(b, id.off, id.end))})`);
  return dissectIdentifier(t, b, id, X.algorithmId);
}

function dissectCurve(t: Tree, b: Uint8Array, e: Element): void {
  t.layer('pkcs-1');
  t.num(X.ecParameters, e.at, e.end - e.at, 1); // RFC 5480 §2.1.1: namedCurve
  t.push();
  dissectIdentifier(t, b, e, X.namedCurve);
  t.pop();
}

/** A curve that is described, not named (RFC 3279 §2.3.5), in a field that is described too. */
function dissectOwnCurve(t: Tree, e: Element): void {
  t.layer('pkcs-1');
  t.num(X.ecParameters, e.at, e.end - e.at, 0);
  t.layer('pkcs-1');
}

function dissectDss(t: Tree, b: Uint8Array, e: Element): void {
  t.layer('x509af');
  heading(t, X.dssParameters, e);
  const d = inside(b, e);
  for (const field of [X.dssP, X.dssQ, X.dssG]) {
    const n = d.expect(Tag.Integer);
    t.bytes(field, n.off, n.end - n.off);
  }
  t.pop();
}

/** RFC 4055 §3.1: what is left out has its default, SHA-1 with a salt of 20 octets. */
function dissectPss(t: Tree, b: Uint8Array, e: Element): void {
  t.layer('pkcs-1');
  heading(t, X.pssParameters, e);
  const d = inside(b, e);
  while (d.more) {
    const part = d.next();
    const value = inside(b, part).next();
    if (part.tag === context(0)) dissectHash(t, b, value, X.pssHash);
    else if (part.tag === context(1)) dissectMask(t, b, value);
    else if (part.tag === context(2)) dissectInteger(t, b, value, X.saltLength);
    else if (part.tag === context(3)) dissectInteger(t, b, value, X.trailerField);
  }
  t.pop();
}

function dissectHash(t: Tree, b: Uint8Array, e: Element, field: Field): void {
  openAlgorithm(t, b, e, inside(b, e).expect(Tag.ObjectId), field);
  t.pop();
}

/** The mask generation function, of which there is one: its parameter is a hash. RFC 4055 §2.2 */
function dissectMask(t: Tree, b: Uint8Array, e: Element): void {
  const d = inside(b, e);
  const oid = openAlgorithm(t, b, e, d.expect(Tag.ObjectId), X.pssMask);
  if (oid === MGF1 && d.tag === Tag.Sequence) {
    t.layer('pkcs-1');
    dissectHash(t, b, d.next(), X.maskHash);
  }
  t.pop();
}
