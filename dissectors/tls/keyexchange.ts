import { cipherSuite } from './ciphersuites.js';
import { F } from './fields.js';
import { Version } from './numbers.js';
import type { Scan } from './scan.js';
import { dissectScheme } from './sct.js';

/**
 * ServerKeyExchange and ClientKeyExchange, whose form depends on the key exchange of the suite: RFC 5246 §7.4.3 and
 * §7.4.7 (RSA, DHE), RFC 8422 §5.4 and §5.7 (ECDHE), RFC 4279 §2 to §4 and RFC 5489 §2 (PSK).
 */

const NAMED_CURVE = 3;

/** The signature over the parameters, which anonymous and PSK suites do not have. */
function signature(s: Scan, version: number, auth: string): void {
  if (auth === 'anon' || auth.includes('PSK')) return;
  if (version >= Version.Tls12) dissectScheme(s);
  s.opaque16(F.signatureLength, F.signature);
}

function ecdheParameters(s: Scan): boolean {
  if (s.u8(F.curveType) !== NAMED_CURVE) return false; // RFC 8422 §5.4: the others are not used any more
  s.u16(F.namedCurve);
  s.opaque8(F.serverPointLength, F.serverPoint);
  return true;
}

function dheParameters(s: Scan): void {
  s.opaque16(F.pLength, F.p);
  s.opaque16(F.gLength, F.g);
  s.opaque16(F.ysLength, F.ys);
}

/** RFC 5246 §7.4.3, for the cipher suite `id`. */
export function dissectServerKeyExchange(s: Scan, version: number, id: number): void {
  const suite = cipherSuite(id);
  const kx = suite?.kx;
  const auth = suite?.auth ?? '';
  switch (kx) {
    case 'ECDHE':
    case 'ECDH':
      s.heading(F.text, 'EC Diffie-Hellman Server Params');
      if (ecdheParameters(s)) signature(s, version, auth);
      s.close();
      break;
    case 'DHE':
    case 'DH':
      s.heading(F.text, 'Diffie-Hellman Server Params');
      dheParameters(s);
      signature(s, version, auth);
      s.close();
      break;
    case 'RSA':
      s.heading(F.text, 'RSA-EXPORT Server Params');
      s.opaque16(F.modulusLength, F.modulus);
      s.opaque16(F.exponentLength, F.exponent);
      signature(s, version, auth);
      s.close();
      break;
    case 'PSK':
    case 'RSA_PSK':
    case 'DHE_PSK':
    case 'ECDHE_PSK':
      s.heading(F.text, 'PSK Server Params');
      s.opaque16(F.hintLength, F.hint);
      if (kx === 'DHE_PSK') dheParameters(s);
      if (kx === 'ECDHE_PSK') ecdheParameters(s);
      s.close();
      break;
    default:
      s.off = s.end; // nobody can say the form
  }
}

function encryptedSecret(s: Scan, version: number): void {
  // RFC 5246 §7.4.7.1: SSL 3.0 has no length there
  if (version === Version.Ssl3) s.bytes(F.encrypted, s.left);
  else s.opaque16(F.encryptedLength, F.encrypted);
}

/** RFC 5246 §7.4.7, for the cipher suite `id`. */
export function dissectClientKeyExchange(s: Scan, version: number, id: number): void {
  const suite = cipherSuite(id);
  switch (suite?.kx) {
    case 'RSA':
    case 'RSA_FIPS':
      s.heading(F.text, 'RSA Encrypted PreMaster Secret');
      encryptedSecret(s, version);
      s.close();
      break;
    case 'ECDHE':
    case 'ECDH':
      s.heading(F.text, 'EC Diffie-Hellman Client Params');
      s.opaque8(F.clientPointLength, F.clientPoint);
      s.close();
      break;
    case 'DHE':
    case 'DH':
      s.heading(F.text, 'Diffie-Hellman Client Params');
      s.opaque16(F.ycLength, F.yc);
      s.close();
      break;
    case 'PSK':
    case 'RSA_PSK':
    case 'DHE_PSK':
    case 'ECDHE_PSK':
      s.heading(F.text, 'PSK Client Params');
      s.opaque16(F.identityLength, F.identity);
      if (suite.kx === 'RSA_PSK') encryptedSecret(s, version);
      if (suite.kx === 'DHE_PSK') s.opaque16(F.ycLength, F.yc);
      if (suite.kx === 'ECDHE_PSK') s.opaque8(F.clientPointLength, F.clientPoint);
      s.close();
      break;
    default:
      s.off = s.end; // nobody can say the form
  }
}
