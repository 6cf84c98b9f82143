import { ip4, ip6, Malformed, utf8Text } from 'fttscope/kit';
import { fieldsOf } from './certificate.js';
import { Der, derTime, type Element, inside, integerBits, objectId, Tag } from './der.js';
import { KEY_BITS, oidName } from './oids.js';
import { alternativeNames, extensionValues } from './x509extensions.js';
import { attributesOf, nameText } from './x509names.js';

/** What a person wants to know about a certificate. */
export interface CertificateSummary {
  /** `C=SE, O=Example, CN=ue.example`, in the order of the certificate. */
  readonly subject: string;
  readonly issuer: string;
  /** Seconds since the epoch; NaN where the certificate says no time. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** subjectAltName: DNS names, addresses, URIs and mail addresses, in order. */
  readonly names: readonly string[];
  /** `sha256WithRSAEncryption` */
  readonly signatureAlgorithm: string;
  /** `rsaEncryption`, `id-ecPublicKey`, `Ed25519` … */
  readonly keyAlgorithm: string;
  /** Size of the key in bits, 0 if unknown. */
  readonly keyBits: number;
  /** Subject and issuer have the same name. */
  readonly selfIssued: boolean;
}

/** Reads the certificate `der`. Returns undefined where it is none. */
export function certificateSummary(der: Uint8Array): CertificateSummary | undefined {
  try {
    return summarize(der);
  } catch (e) {
    if (e instanceof Malformed) return undefined;
    throw e;
  }
}

function summarize(b: Uint8Array): CertificateSummary {
  const parts = fieldsOf(b, new Der(b, 0, b.length).expect(Tag.Sequence));
  const issuer = nameText(attributesOf(b, parts.issuer));
  const subject = nameText(attributesOf(b, parts.subject));
  const times = inside(b, parts.validity);
  const extensions =
    parts.extensions === undefined
      ? new Map<string, Element>()
      : extensionValues(b, inside(b, parts.extensions).expect(Tag.Sequence));
  const names = extensions.get('2.5.29.17');
  return {
    subject,
    issuer,
    notBefore: derTime(b, times.next()),
    notAfter: derTime(b, times.next()),
    names: names === undefined ? [] : alternativeNames(b, names).flatMap((e) => generalNameText(b, e)),
    signatureAlgorithm: algorithm(b, parts.signature),
    ...keyOf(b, parts.key),
    selfIssued: subject === issuer,
  };
}

const identifierOf = (b: Uint8Array, sequence: Element): string => {
  const id = inside(b, sequence).expect(Tag.ObjectId);
  return objectId(b, id.off, id.end);
};

const algorithm = (b: Uint8Array, sequence: Element): string => oidName(identifierOf(b, sequence));

function keyOf(b: Uint8Array, info: Element): Pick<CertificateSummary, 'keyAlgorithm' | 'keyBits'> {
  const d = inside(b, info);
  const id = d.expect(Tag.Sequence);
  const key = d.expect(Tag.BitString);
  const oid = identifierOf(b, id);
  const keyAlgorithm = oidName(oid);
  const parameters = inside(b, id);
  parameters.next();
  if (oid === '1.2.840.113549.1.1.1') {
    const modulus = inside(b, new Der(b, key.off + 1, key.end).expect(Tag.Sequence)).expect(Tag.Integer);
    return { keyAlgorithm, keyBits: integerBits(b, modulus) };
  }
  if (oid === '1.2.840.10045.2.1' && parameters.tag === Tag.ObjectId) {
    const curve = parameters.next();
    return { keyAlgorithm, keyBits: KEY_BITS[objectId(b, curve.off, curve.end)] ?? 0 };
  }
  if (oid === '1.2.840.10040.4.1' && parameters.tag === Tag.Sequence)
    return { keyAlgorithm, keyBits: integerBits(b, inside(b, parameters.next()).expect(Tag.Integer)) };
  return { keyAlgorithm, keyBits: KEY_BITS[oid] ?? 0 };
}

function generalNameText(b: Uint8Array, e: Element): string[] {
  const n = e.end - e.off;
  switch (e.tag & 0x1f) {
    case 1:
    case 2:
    case 6:
      return [utf8Text(b, e.off, e.end)];
    case 4:
      return [nameText(attributesOf(b, inside(b, e).expect(Tag.Sequence)))];
    case 7:
      return n === 4 ? [ip4(b, e.off)] : n === 16 ? [ip6(b, e.off)] : [];
    default:
      return [];
  }
}
