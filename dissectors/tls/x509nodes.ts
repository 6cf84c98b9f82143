import { counted, experts, type Field, Malformed, type Tree } from 'fttscope/kit';
import { countElements, derTime, type Element, inside, integer, objectId } from './der.js';
import { oidName } from './oids.js';
import { X } from './x509fields.js';

/** Nodes for the kinds of elements that certificates are made of. */

export const CERTIFICATE_EXPERTS = experts({
  unread: {
    code: 'x509.unread-oid',
    severity: 'chat', // no fault of the certificate: a warning in Wireshark
    message: 'What stands below this object identifier is not dissected',
  },
  wrongString: {
    code: 'x509.wrong-string-type',
    severity: 'warn',
    message: 'BER Error: String with another tag expected',
    clause: 'RFC 5280 appendix A.1',
    malformed: true,
  },
  malformed: { code: 'x509.malformed', severity: 'error', message: 'BER Error', clause: 'RFC 5280 §4.1' },
});

/** What stands in the OCTET STRING `value` of an extension. @throws Malformed */
export type Read = (t: Tree, b: Uint8Array, value: Element) => void;

/**
 * Runs `read` on DER, and notes in the tree what is wrong with it: a certificate that cannot be read ends at its own
 * end, and what follows it is shown.
 */
export function readDer(t: Tree, read: () => void): void {
  const depth = t.level;
  try {
    read();
  } catch (e) {
    if (!(e instanceof Malformed)) throw e;
    t.expert(CERTIFICATE_EXPERTS.malformed, e.message);
  }
  t.level = depth;
}

/** A whole element as a heading. */
export function heading(t: Tree, f: Field, e: Element): void {
  t.open(f, e.at, e.end - e.at);
}

/** The one element that the OCTET STRING `e` of an extension wraps. @throws Malformed */
export const content = (b: Uint8Array, e: Element): Element => inside(b, e).next();

/** An OBJECT IDENTIFIER; returns it in dotted form. */
export function dissectIdentifier(t: Tree, b: Uint8Array, e: Element, f: Field, label = f.label): string {
  const oid = objectId(b, e.off, e.end);
  t.text(f, e.off, e.end - e.off, oid);
  if (t.labels) t.label(`${label}: ${oid} (${oidName(oid)})`);
  return oid;
}

/** An INTEGER. */
export function dissectInteger(t: Tree, b: Uint8Array, e: Element, f: Field): void {
  t.num(f, e.off, e.end - e.off, integer(b, e));
}

/** A BIT STRING: the number of unused bits, then the octets. X.690 §8.6 */
export function dissectBits(t: Tree, b: Uint8Array, e: Element, field: Field): void {
  if (e.end === e.off) throw new Malformed('BER Error: bit string without octets');
  t.num(X.padding, e.off, 1, b[e.off]);
  t.bytes(field, e.off + 1, e.end - e.off - 1);
}

/**
 * A sequence: the count of its elements as the value of `field`, as Wireshark shows it, and below it each of them as `one`
 * shows it. @throws Malformed where one is no `tag`
 */
export function sequence(
  t: Tree,
  b: Uint8Array,
  e: Element,
  field: Field,
  one: (element: Element) => void,
  tag?: number,
): void {
  const n = countElements(b, e);
  t.num(field, e.off, e.end - e.off, n);
  if (t.labels) t.label(`${field.label}: ${counted(n, 'item')}`);
  t.push();
  const all = inside(b, e);
  while (all.more) one(tag === undefined ? all.next() : all.expect(tag));
  t.pop();
}

/** A GeneralizedTime as an absolute time; nothing where it says none. */
export function dissectGeneralizedTime(t: Tree, b: Uint8Array, e: Element, field: Field): void {
  const seconds = derTime(b, e);
  if (!Number.isNaN(seconds)) t.time(field, e.off, e.end - e.off, seconds);
}
