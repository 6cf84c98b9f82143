import { type Field, type Tree, View } from 'fttscope/kit';
import { context, Der, type Element, inside, objectId, Tag } from './der.js';
import { oidName } from './oids.js';
import { Scan } from './scan.js';
import { dissectSctList } from './sct.js';
import { X } from './x509fields.js';
import { EXTENSION_LAYERS } from './x509layers.js';
import { dissectName } from './x509names.js';
import {
  CERTIFICATE_EXPERTS,
  content,
  dissectBits,
  dissectIdentifier,
  dissectInteger,
  heading,
  type Read,
  sequence,
} from './x509nodes.js';
import { inhibitAnyPolicy, policies, policyConstraints } from './x509policies.js';

/**
 * Extensions of certificates, RFC 5280 §4.2:
 *
 *     SEQUENCE OF Extension
 *       SEQUENCE { OBJECT IDENTIFIER, critical BOOLEAN DEFAULT FALSE, OCTET STRING }
 */

/** The sequence `e` of extensions. @throws Malformed */
export function dissectCertificateExtensions(t: Tree, b: Uint8Array, e: Element): void {
  sequence(t, b, e, X.extensions, (one) => dissectExtension(t, b, one));
}

function dissectExtension(t: Tree, b: Uint8Array, e: Element): void {
  const d = inside(b, e);
  const id = d.expect(Tag.ObjectId);
  const oid = objectId(b, id.off, id.end);
  heading(t, X.extension, e);
  if (t.labels) t.label(`Extension (${oidName(oid)})`);
  dissectIdentifier(t, b, id, X.extensionId, 'Extension Id');
  const critical = d.optional(Tag.Boolean);
  if (critical !== undefined && critical.end > critical.off)
    t.num(X.critical, critical.off, 1, b[critical.off] ? 1 : 0);
  const layer = EXTENSION_LAYERS.get(oid);
  const value = d.expect(Tag.OctetString);
  if (layer !== undefined) t.layer(layer);
  else if (value.end === value.off || b[value.off] !== Tag.Null) t.expert(CERTIFICATE_EXPERTS.unread);
  EXTENSIONS[oid]?.(t, b, value);
  t.pop();
}

const octets = (t: Tree, e: Element, f: Field): void => t.bytes(f, e.off, e.end - e.off);

function generalNames(t: Tree, b: Uint8Array, e: Element, f: Field = X.generalNames): void {
  sequence(t, b, e, f, (name) => choiceOfName(t, b, name, X.generalName));
}

/** Which kind of name `e` is as the value of `field`, and below it the name. */
function choiceOfName(t: Tree, b: Uint8Array, e: Element, field: Field): void {
  t.num(field, e.off, e.end - e.off, e.tag & 0x1f);
  t.push();
  generalName(t, b, e);
  t.pop();
}

/** RFC 5280 §4.2.1.6 */
function generalName(t: Tree, b: Uint8Array, e: Element): void {
  const n = e.end - e.off;
  switch (e.tag & 0x1f) {
    case 0:
      t.none(X.otherName, e.off, n);
      otherName(t, b, e);
      break;
    case 1:
      t.text(X.rfc822Name, e.off, n);
      break;
    case 2:
      t.text(X.dNSName, e.off, n);
      break;
    case 4:
      dissectName(t, b, inside(b, e).expect(Tag.Sequence), X.directoryName);
      break;
    case 6:
      t.text(X.uri, e.off, n);
      break;
    case 7:
      t.bytes(n === 4 ? X.ipv4Address : n === 16 ? X.ipv6Address : X.iPAddress, e.off, n);
      break;
    case 8:
      dissectIdentifier(t, b, e, X.registeredID);
      break;
  }
}

/** A name of a kind that its OBJECT IDENTIFIER says. */
function otherName(t: Tree, b: Uint8Array, e: Element): void {
  const d = inside(b, e);
  t.push();
  const oid = dissectIdentifier(t, b, d.expect(Tag.ObjectId), X.otherNameType);
  const layer = EXTENSION_LAYERS.get(oid);
  if (layer !== undefined) t.layer(layer);
  else t.expert(CERTIFICATE_EXPERTS.unread);
  const value = d.optional(context(0));
  if (value !== undefined && oid === '1.3.6.1.4.1.311.20.2.3') {
    const name = inside(b, value).expect(Tag.Utf8);
    t.text(X.utf8, name.off, name.end - name.off);
  }
  t.pop();
}

const USAGES = [
  X.digitalSignature,
  X.contentCommitment,
  X.keyEncipherment,
  X.dataEncipherment,
  X.keyAgreement,
  X.keyCertSign,
  X.cRLSign,
  X.encipherOnly,
];

/** RFC 5280 §4.2.1.3 */
const keyUsage: Read = (t, b, value) => {
  const e = inside(b, value).expect(Tag.BitString);
  dissectBits(t, b, e, X.keyUsage);
  const first = e.off + 1;
  const word = first < e.end ? b[first] : 0;
  t.push();
  for (const f of USAGES) t.bits(f, first, 1, word);
  t.bits(X.decipherOnly, first, 1, first + 1 < e.end ? b[first + 1] : 0);
  t.pop();
};

const NETSCAPE_TYPES = [
  X.netscapeSslClient,
  X.netscapeSslServer,
  X.netscapeMime,
  X.netscapeObject,
  X.netscapeReserved,
  X.netscapeSslCa,
  X.netscapeMimeCa,
  X.netscapeObjectCa,
];

const netscapeType: Read = (t, b, value) => {
  const e = inside(b, value).expect(Tag.BitString);
  dissectBits(t, b, e, X.netscapeType);
  const first = e.off + 1;
  t.push();
  for (const f of NETSCAPE_TYPES) t.bits(f, first, 1, first < e.end ? b[first] : 0);
  t.pop();
};

const keyPurposes: Read = (t, b, value) =>
  sequence(t, b, content(b, value), X.keyPurposes, (one) => void dissectIdentifier(t, b, one, X.keyPurpose));

/** RFC 5280 §4.2.1.9 */
const basicConstraints: Read = (t, b, value) => {
  const e = content(b, value);
  heading(t, X.basicConstraints, e);
  const d = inside(b, e);
  const ca = d.optional(Tag.Boolean);
  if (ca !== undefined && ca.end > ca.off) t.num(X.cA, ca.off, 1, b[ca.off] ? 1 : 0);
  const path = d.optional(Tag.Integer);
  if (path !== undefined) dissectInteger(t, b, path, X.pathLength);
  t.pop();
};

/** RFC 5280 §4.2.1.10 */
const nameConstraints: Read = (t, b, value) => {
  const e = content(b, value);
  heading(t, X.nameConstraints, e);
  const d = inside(b, e);
  while (d.more) {
    const part = d.next();
    if (part.tag === context(0)) subtrees(t, b, part, X.permittedSubtrees);
    else if (part.tag === context(1)) subtrees(t, b, part, X.excludedSubtrees);
  }
  t.pop();
};

function subtrees(t: Tree, b: Uint8Array, e: Element, f: Field): void {
  sequence(t, b, e, f, (one) => {
    heading(t, X.subtree, one);
    choiceOfName(t, b, inside(b, one).next(), X.subtreeBase); // minimum is 0 and maximum absent in this profile
    t.pop();
  });
}

/** RFC 7633 §4.1: the extensions of TLS that the server must support. */
const features: Read = (t, b, value) =>
  sequence(t, b, content(b, value), X.features, (one) => dissectInteger(t, b, one, X.feature));

/** RFC 5280 §4.2.1.1 */
const authorityKey: Read = (t, b, value) => {
  const e = content(b, value);
  heading(t, X.authorityKey, e);
  const d = inside(b, e);
  while (d.more) {
    const part = d.next();
    if (part.tag === context(0, false)) octets(t, part, X.keyIdentifier);
    else if (part.tag === context(1)) generalNames(t, b, part, X.authorityIssuer);
    else if (part.tag === context(2, false)) octets(t, part, X.authoritySerial);
  }
  t.pop();
};

/** RFC 5280 §4.2.1.13 */
const crlPoints: Read = (t, b, value) =>
  sequence(t, b, content(b, value), X.crlPoints, (point) => {
    heading(t, X.crlPoint, point);
    const name = inside(b, point).optional(context(0));
    if (name !== undefined) {
      const choice = inside(b, name).next();
      t.num(X.crlName, choice.off, choice.end - choice.off, choice.tag & 0x1f);
      t.push();
      if (choice.tag === context(0)) generalNames(t, b, choice, X.crlFullName);
      t.pop();
    }
    t.pop();
  });

/** RFC 5280 §4.2.2.1 */
const authorityAccess: Read = (t, b, value) =>
  sequence(t, b, content(b, value), X.accessSyntax, (one) => {
    const d = inside(b, one);
    heading(t, X.access, one);
    dissectIdentifier(t, b, d.expect(Tag.ObjectId), X.accessMethod);
    choiceOfName(t, b, d.next(), X.accessLocation);
    t.pop();
  });

/** RFC 6962 §3.3: the list is an OCTET STRING once more. */
const scts: Read = (t, b, value) => {
  const e = inside(b, value).expect(Tag.OctetString);
  const v = new View({ name: '', buf: b, start: 0, end: e.end }, e.off, e.end);
  dissectSctList(new Scan(t, v, e.off, e.end));
};

const template: Read = (t, b, value) => {
  const e = content(b, value);
  const d = inside(b, e);
  heading(t, X.template, e);
  dissectIdentifier(t, b, d.expect(Tag.ObjectId), X.templateId);
  for (const f of [X.templateMajor, X.templateMinor]) {
    const n = d.optional(Tag.Integer);
    if (n !== undefined) dissectInteger(t, b, n, f);
  }
  t.pop();
};

const names: Read = (t, b, value) => generalNames(t, b, content(b, value));

const EXTENSIONS: Readonly<Record<string, Read>> = {
  '2.5.29.14': (t, b, value) => octets(t, inside(b, value).expect(Tag.OctetString), X.subjectKey),
  '2.5.29.15': keyUsage,
  '2.5.29.17': names,
  '2.5.29.18': names,
  '2.5.29.19': basicConstraints,
  '2.5.29.30': nameConstraints,
  '2.5.29.31': crlPoints,
  '2.5.29.46': crlPoints,
  '2.5.29.32': policies,
  '2.5.29.35': authorityKey,
  '2.5.29.36': policyConstraints,
  '2.5.29.37': keyPurposes,
  '2.5.29.54': inhibitAnyPolicy,
  '1.3.6.1.5.5.7.1.1': authorityAccess,
  '1.3.6.1.5.5.7.1.24': features,
  '1.3.6.1.4.1.311.21.1': (t, b, value) => dissectInteger(t, b, inside(b, value).expect(Tag.Integer), X.integer),
  '1.3.6.1.4.1.311.21.7': template,
  '1.3.6.1.4.1.311.21.10': policies,
  '1.3.6.1.4.1.11129.2.4.2': scts,
  '1.3.6.1.5.5.7.48.1.5': (t, _, value) => t.none(X.ocspNull, value.end, 0),
  '2.16.840.1.113730.1.1': netscapeType,
  '2.16.840.1.113730.1.13': (t, b, value) => {
    const e = content(b, value);
    t.text(X.netscapeComment, e.off, e.end - e.off);
  },
};

/** Names that the extension subjectAltName `value` holds, as text. @throws Malformed */
export function alternativeNames(b: Uint8Array, value: Element): Element[] {
  const out: Element[] = [];
  const all = inside(b, content(b, value));
  while (all.more) out.push(all.next());
  return out;
}

/** The OCTET STRINGs of the extensions in the sequence `e`, by OBJECT IDENTIFIER. @throws Malformed */
export function extensionValues(b: Uint8Array, e: Element): Map<string, Element> {
  const out = new Map<string, Element>();
  const all = new Der(b, e.off, e.end);
  while (all.more) {
    const d = inside(b, all.next());
    const id = d.expect(Tag.ObjectId);
    d.optional(Tag.Boolean);
    out.set(objectId(b, id.off, id.end), d.expect(Tag.OctetString));
  }
  return out;
}
