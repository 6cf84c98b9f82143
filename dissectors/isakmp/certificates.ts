import { fields, need, type Tree, u8, type View } from 'fttscope/kit';
import { dissectCertificateBody } from '../tls/certificate.js';
import { Der, Tag } from '../tls/der.js';
import { X } from '../tls/x509fields.js';
import { dissectName } from '../tls/x509names.js';
import { heading, readDer } from '../tls/x509nodes.js';

/**
 * Certificates, and requests for them: RFC 2408 §3.9 and §3.10, RFC 7296 §3.6 and §3.7.
 *
 *     +---------------+------- - - -
 *     | Encoding (1)  |  certificate, name of an authority, or hashes of keys
 *     +---------------+------- - - -
 */
const ENCODINGS = {
  0: 'NONE',
  1: 'PKCS #7 wrapped X.509 certificate',
  2: 'PGP Certificate',
  3: 'DNS Signed Key',
  4: 'X.509 Certificate - Signature',
  5: 'X.509 Certificate - Key Exchange',
  6: 'Kerberos Tokens',
  7: 'Certificate Revocation List (CRL)',
  8: 'Authority Revocation List (ARL)',
  9: 'SPKI Certificate',
  10: 'X.509 Certificate - Attribute',
  11: 'Raw RSA Key',
  12: 'Hash and URL of X.509 certificate',
  13: 'Hash and URL of X.509 bundle',
  14: 'OCSP Content',
};
const SIGNATURE = 4;
const KEY_EXCHANGE = 5;
const HASH_AND_URL: readonly number[] = [12, 13];
/** Octets of SHA-1. */
const HASH = 20;

export const C = fields({
  encoding: { name: 'isakmp.cert.encoding', label: 'Certificate Encoding', type: 'u8', values: ENCODINGS },
  certificate: { name: 'isakmp.cert.data', label: 'Certificate Data', type: 'none' },
  hash: { name: 'isakmp.cert.x509.hash', label: 'Hash', type: 'bytes' },
  url: { name: 'isakmp.cert.x509.url', label: 'URL', type: 'string' },
  requested: { name: 'isakmp.certreq.type', label: 'Certificate Type', type: 'u8', values: ENCODINGS },
  authority: {
    name: 'isakmp.ike.certreq.authority.sig',
    label: 'Certificate Authority Signature',
    type: 'u32',
  },
  authorities: { name: 'isakmp.ike.certreq.authority', label: 'Certificate Authority Data', type: 'bytes' },
});

/** Fields below those of {@link C}. */
export const CERTIFICATE_FIELDS = {
  ...Object.fromEntries(Object.entries(C).map(([key, field]) => [`certificate.${key}`, field])),
  ...Object.fromEntries(Object.entries(X).map(([key, field]) => [`x509.${key}`, field])),
};

const isX509 = (encoding: number): boolean => encoding === SIGNATURE || encoding === KEY_EXCHANGE;

/** A Certificate payload without its generic header. */
export function certificate(t: Tree, v: View, version: number): void {
  const { buf, off, end } = v;
  const encoding = u8(buf, off);
  t.num(C.encoding, off, 1, encoding);
  const at = off + 1;
  if (at >= end) return;
  if (isX509(encoding))
    readDer(t, () => {
      const e = new Der(buf, at, end).expect(Tag.Sequence);
      heading(t, C.certificate, e);
      dissectCertificateBody(t, buf, e);
    });
  else if (version >= 2 && HASH_AND_URL.includes(encoding)) {
    need(v, HASH, at);
    t.bytes(C.hash, at, HASH);
    t.text(C.url, at + HASH, end - at - HASH);
  } else t.none(C.certificate, at, end - at);
}

/** A Certificate Request payload without its generic header. */
export function certificateRequest(t: Tree, v: View, version: number): void {
  const { buf, off, end } = v;
  const encoding = u8(buf, off);
  t.num(C.requested, off, 1, encoding);
  const at = off + 1;
  if (at >= end) return;
  if (version >= 2) for (let o = at; o < end; o += HASH) t.bytes(C.authorities, o, Math.min(HASH, end - o));
  else if (!isX509(encoding)) t.bytes(C.authorities, at, end - at);
  else readDer(t, () => dissectName(t, buf, new Der(buf, at, end).expect(Tag.Sequence), C.authority));
}
