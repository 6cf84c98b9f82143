import type { Tree } from 'fttscope/kit';
import { context, type Element, inside, Tag } from './der.js';
import { X } from './x509fields.js';
import { stringValue } from './x509names.js';
import { content, dissectIdentifier, dissectInteger, heading, type Read, sequence } from './x509nodes.js';

/**
 * Policies under which a certificate was issued, RFC 5280 §4.2.1.4:
 *
 *     SEQUENCE OF PolicyInformation
 *       SEQUENCE { OBJECT IDENTIFIER, SEQUENCE OF PolicyQualifierInfo OPTIONAL }
 *                                     SEQUENCE { OBJECT IDENTIFIER, IA5String or UserNotice }
 */

const CPS = '1.3.6.1.5.5.7.2.1';
const USER_NOTICE = '1.3.6.1.5.5.7.2.2';

/** Certificate Policies. RFC 5280 §4.2.1.4 */
export const policies: Read = (t, b, value) =>
  sequence(t, b, content(b, value), X.policies, (policy) => {
    const d = inside(b, policy);
    heading(t, X.policy, policy);
    dissectIdentifier(t, b, d.expect(Tag.ObjectId), X.policyId);
    const qualifiers = d.optional(Tag.Sequence);
    if (qualifiers !== undefined) sequence(t, b, qualifiers, X.qualifiers, (one) => policyQualifier(t, b, one));
    t.pop();
  });

function policyQualifier(t: Tree, b: Uint8Array, e: Element): void {
  const d = inside(b, e);
  heading(t, X.qualifier, e);
  const oid = dissectIdentifier(t, b, d.expect(Tag.ObjectId), X.qualifierId, 'Id');
  if (oid === CPS && d.tag === Tag.Ia5) {
    const uri = d.next();
    t.layer('pkix1explicit');
    t.text(X.qualifierText, uri.off, uri.end - uri.off);
  } else if (oid === USER_NOTICE) {
    t.layer('pkix1implicit');
    userNotice(t, b, d.expect(Tag.Sequence));
  }
  t.pop();
}

/** What is to be shown to the one who relies on the certificate. */
function userNotice(t: Tree, b: Uint8Array, e: Element): void {
  heading(t, X.userNotice, e);
  const d = inside(b, e);
  const reference = d.optional(Tag.Sequence);
  if (reference !== undefined) {
    heading(t, X.noticeReference, reference);
    const parts = inside(b, reference);
    displayText(t, b, parts.next(), X.noticeOrganization);
    const numbers = parts.expect(Tag.Sequence);
    sequence(t, b, numbers, X.noticeNumbers, (one) => dissectInteger(t, b, one, X.noticeNumber));
    t.pop();
  }
  if (d.more) displayText(t, b, d.next(), X.explicitText);
  t.pop();
}

const DISPLAY_TEXTS: Readonly<Record<number, readonly [number, typeof X.noticeIa5]>> = {
  [Tag.Ia5]: [0, X.noticeIa5],
  [Tag.Visible]: [1, X.noticeVisible],
  [Tag.Bmp]: [2, X.noticeBmp],
  [Tag.Utf8]: [3, X.noticeUtf8],
};

function displayText(t: Tree, b: Uint8Array, e: Element, f: typeof X.explicitText): void {
  const kind = DISPLAY_TEXTS[e.tag];
  if (kind === undefined) return;
  t.num(f, e.at, e.end - e.at, kind[0]);
  t.push();
  t.text(kind[1], e.off, e.end - e.off, stringValue(b, e));
  t.pop();
}

/** RFC 5280 §4.2.1.11 */
export const policyConstraints: Read = (t, b, value) => {
  const e = content(b, value);
  heading(t, X.policyConstraints, e);
  const d = inside(b, e);
  while (d.more) {
    const part = d.next();
    if (part.tag === context(0, false)) dissectInteger(t, b, part, X.requireExplicitPolicy);
    else if (part.tag === context(1, false)) dissectInteger(t, b, part, X.inhibitPolicyMapping);
  }
  t.pop();
};

/** RFC 5280 §4.2.1.14 */
export const inhibitAnyPolicy: Read = (t, b, value) =>
  dissectInteger(t, b, inside(b, value).expect(Tag.Integer), X.skipCerts);
