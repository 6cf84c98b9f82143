import { counted, type Field, latin1, type Tree, utf8Text } from 'fttscope/kit';
import { countElements, type Element, inside, objectId, Tag } from './der.js';
import { ATTRIBUTES, oidName } from './oids.js';
import { X } from './x509fields.js';
import { ATTRIBUTE_LAYERS, EXTENSION_LAYERS } from './x509layers.js';
import { CERTIFICATE_EXPERTS, dissectIdentifier } from './x509nodes.js';

/**
 * Distinguished names, RFC 5280 §4.1.2.4:
 *
 *     SEQUENCE OF RelativeDistinguishedName        C=SE, O=Example, CN=ue.example
 *       SET OF AttributeTypeAndValue
 *         SEQUENCE { OBJECT IDENTIFIER, string }
 */

/** One attribute of a name. */
export interface Attribute {
  /** OBJECT IDENTIFIER in dotted form. */
  readonly oid: string;
  readonly text: string;
}

/** Contents of a character string in any of the types that names use. RFC 5280 appendix B */
export function stringValue(b: Uint8Array, e: Element): string {
  switch (e.tag) {
    case Tag.Bmp:
      return wide(b, e, 2);
    case Tag.Universal:
      return wide(b, e, 4);
    case Tag.Teletex:
      return latin1(b, e.off, e.end);
    default:
      return utf8Text(b, e.off, e.end);
  }
}

function wide(b: Uint8Array, e: Element, octets: 2 | 4): string {
  let s = '';
  for (let i = e.off; i + octets <= e.end; i += octets) {
    let c = 0;
    for (let k = 0; k < octets; k++) c = c * 256 + b[i + k];
    s += c <= 0x10ffff ? String.fromCodePoint(c) : '\ufffd';
  }
  return s;
}

/** The attributes of the Name `e`, in order. @throws Malformed */
export function attributesOf(b: Uint8Array, e: Element): Attribute[] {
  const out: Attribute[] = [];
  const names = inside(b, e);
  while (names.more) out.push(...attributesOfSet(b, names.next()));
  return out;
}

function attributesOfSet(b: Uint8Array, e: Element): Attribute[] {
  const out: Attribute[] = [];
  const set = inside(b, e);
  while (set.more) {
    const pair = inside(b, set.next());
    const id = pair.expect(Tag.ObjectId);
    out.push({ oid: objectId(b, id.off, id.end), text: stringValue(b, pair.next()) });
  }
  return out;
}

/** `C=SE, O=Example, CN=ue.example`, in the order of the certificate. */
export const nameText = (attributes: readonly Attribute[]): string =>
  attributes.map((a) => `${ATTRIBUTES[a.oid] ?? a.oid}=${a.text}`).join(', ');

/** The way that Wireshark writes a name: the last part first, `id-at-commonName=ue.example,id-at-countryName=SE`. */
export const nameLabel = (b: Uint8Array, e: Element): string => labelOf(attributesOf(b, e).reverse());

const labelOf = (attributes: readonly Attribute[]): string =>
  attributes.map((a) => `${oidName(a.oid)}=${a.text}`).join(',');

/** The choice of kind, and the name under it. `field` is who is named, `names` its sequence. */
export function dissectName(t: Tree, b: Uint8Array, e: Element, field: Field, names = X.names): void {
  t.num(field, e.at, e.end - e.at, 0);
  t.push();
  const n = countElements(b, e);
  t.num(names, e.off, e.end - e.off, n);
  if (t.labels) t.label(`rdnSequence: ${counted(n, 'item')} (${nameLabel(b, e)})`);
  t.push();
  dissectRelativeNames(t, b, e);
  t.pop();
  t.pop();
}

/** The parts of the Name `e`. @throws Malformed */
export function dissectRelativeNames(t: Tree, b: Uint8Array, e: Element): void {
  const names = inside(b, e);
  while (names.more) {
    const set = names.next();
    const n = countElements(b, set);
    t.num(X.relativeName, set.off, set.end - set.off, n);
    const said = t.labels ? labelOf(attributesOfSet(b, set)) : '';
    if (t.labels) t.label(`RDNSequence item: ${counted(n, 'item')} (${said})`);
    t.push();
    const pairs = inside(b, set);
    while (pairs.more) {
      const pair = pairs.next();
      t.open(X.attribute, pair.at, pair.end - pair.at);
      if (t.labels) t.label(`RelativeDistinguishedName item (${said})`);
      dissectAttribute(t, b, pair);
      t.pop();
    }
    t.pop();
  }
}

function dissectAttribute(t: Tree, b: Uint8Array, pair: Element): void {
  const d = inside(b, pair);
  const oid = dissectIdentifier(t, b, d.expect(Tag.ObjectId), X.attributeId);
  const value = d.next();
  // Some put what belongs into an extension into a name: what it is says its identifier there, too.
  const layer = ATTRIBUTE_LAYERS.get(oid) ?? EXTENSION_LAYERS.get(oid);
  if (layer === undefined) {
    t.expert(CERTIFICATE_EXPERTS.unread);
    return;
  }
  t.layer(layer);
  const tag = STRINGS[oid];
  if (tag === undefined) dissectDirectoryString(t, b, value);
  else if (tag !== value.tag)
    t.expert(
      CERTIFICATE_EXPERTS.wrongString,
      `BER Error: String with tag=${tag} expected but class:UNIVERSAL(0) Primitive tag:${value.tag} was unexpected`,
    );
  else if (oid in PLAIN) t.text(PLAIN[oid], value.off, value.end - value.off, stringValue(b, value));
}

/** Attributes whose syntax is one kind of string. RFC 5280 appendix A.1, RFC 4519 §2.39 */
const STRINGS: Readonly<Record<string, number>> = {
  '2.5.4.5': Tag.Printable,
  '2.5.4.6': Tag.Printable,
  '2.5.4.46': Tag.Printable,
  '1.3.6.1.4.1.311.60.2.1.3': Tag.Printable,
  '1.2.840.113549.1.9.1': Tag.Ia5,
  '0.9.2342.19200300.100.1.25': Tag.Ia5,
  '0.9.2342.19200300.100.1.1': Tag.Utf8,
};
const PLAIN: Readonly<Record<string, typeof X.ia5>> = {
  '2.5.4.6': X.countryName,
  '1.3.6.1.4.1.311.60.2.1.3': X.countryName,
  '2.5.4.5': X.printable,
  '2.5.4.46': X.printable,
  '1.2.840.113549.1.9.1': X.ia5,
  '0.9.2342.19200300.100.1.25': X.ia5,
};

const DIRECTORY_STRINGS: Readonly<Record<number, readonly [number, typeof X.uTF8String]>> = {
  [Tag.Teletex]: [0, X.teletexString],
  [Tag.Printable]: [1, X.printableString],
  [Tag.Universal]: [2, X.universalString],
  [Tag.Bmp]: [3, X.bmpString],
  [Tag.Utf8]: [4, X.uTF8String],
};

function dissectDirectoryString(t: Tree, b: Uint8Array, e: Element): void {
  const kind = DIRECTORY_STRINGS[e.tag];
  if (kind === undefined) return;
  t.num(X.directoryString, e.at, e.end - e.at, kind[0]);
  t.push();
  t.text(kind[1], e.off, e.end - e.off, stringValue(b, e));
  t.pop();
}
