import { type Field, skipSpace, type Tree } from 'fttscope/kit';
import { NOT_SHOWN, textItem } from '../text-media.js';
import { findOutside, type Parameter, parameter } from './address.js';
import { F } from './fields.js';
import { isToken } from './message.js';
import { equalsName } from './names.js';

/*
 * Challenges and credentials, RFC 3261 §20 with RFC 7616 (Digest) and RFC 3310 (AKA). `ck` and `ik` carry the cipher and
 * integrity key from the S-CSCF to the P-CSCF (TS 24.229 §7.2A.1): they are shown to be there, their values are not.
 */

const COMMA = 44;

const PARAMETERS: readonly (readonly [string, Field])[] = [
  ['response', F.authResponse],
  ['nc', F.authNc],
  ['username', F.authUsername],
  ['realm', F.authRealm],
  ['nonce', F.authNonce],
  ['algorithm', F.authAlgorithm],
  ['opaque', F.authOpaque],
  ['qop', F.authQop],
  ['cnonce', F.authCnonce],
  ['uri', F.authUri],
  ['domain', F.authDomain],
  ['stale', F.authStale],
  ['auts', F.authAuts],
  ['rspauth', F.authRspauth],
  ['nextnonce', F.authNextnonce],
  ['ik', F.authIk],
  ['ck', F.authCk],
];

const isKey = (f: Field | undefined): boolean => f === F.authIk || f === F.authCk;

function fieldAt(b: Uint8Array, p: Parameter): Field | undefined {
  for (const [name, f] of PARAMETERS) if (equalsName(b, p.off, p.nameEnd, name)) return f;
  return undefined;
}

/** Scheme (where the header has one) and parameters, which stand between commas. Values keep their quotes. */
export function authenticationHeader(hasScheme: boolean) {
  return (t: Tree, b: Uint8Array, off: number, end: number): void => {
    const at = hasScheme ? schemeEnd(b, off, end) : off;
    if (at > off) t.text(F.authScheme, off, at - off);
    for (let i = at; i < end; ) {
      const stop = findOutside(b, i, end, COMMA);
      const p = parameter(b, i, stop);
      const f = fieldAt(b, p);
      if (f === undefined) textItem(t, b, p.off, p.end);
      else t.text(f, p.valueOff, p.end - p.valueOff, isKey(f) ? NOT_SHOWN : undefined);
      i = stop + 1;
    }
  };
}

/** One past the scheme; `off` where nothing follows it. */
function schemeEnd(b: Uint8Array, off: number, end: number): number {
  let i = off;
  while (i < end && isToken(b[i])) i++;
  return skipSpace(b, i, end) < end ? i : off;
}

/** The text of a header with the values of `ck` and `ik` left out; undefined where it has none. */
export function withoutKeys(b: Uint8Array, off: number, end: number, text: string): string | undefined {
  let found = false;
  for (let i = schemeEnd(b, off, end); i < end && !found; ) {
    const stop = findOutside(b, i, end, COMMA);
    found = isKey(fieldAt(b, parameter(b, i, stop)));
    i = stop + 1;
  }
  return found ? text.replace(/\b([ci]k\s*=\s*)("[^"]*"|[^,\s]*)/gi, `$1"${NOT_SHOWN}"`) : undefined;
}
