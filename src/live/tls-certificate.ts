import { createPrivateKey, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { isIP } from 'node:net';
import { parseAddress } from '../kit/index.js';

/** A certificate with its private key, both PEM. */
export interface Certified {
  readonly cert: string;
  readonly key: string;
}

/** What a certificate of the laboratory says. */
export interface CertificateOptions {
  /** Common name of the subject. */
  readonly name: string;
  /** Names and addresses it is valid for; none: it is a CA. */
  readonly names?: readonly string[];
  /** Whoever signs it; absent: itself. */
  readonly issuer?: Certified & { readonly name: string };
  readonly days: number;
  /** When its days begin (milliseconds since the epoch); an hour ago if nothing is said. */
  readonly from?: number;
}

/** One element of DER. X.690 §8.1 */
function tlv(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(parts);
  const n = body.length;
  const length = n < 0x80 ? [n] : n < 0x100 ? [0x81, n] : [0x82, n >> 8, n & 255];
  return Buffer.concat([Uint8Array.of(tag, ...length), body]);
}

const hex = (s: string): Buffer => Buffer.from(s, 'hex');
const sequence = (...parts: readonly Uint8Array[]): Buffer => tlv(0x30, ...parts);
const objectId = (octets: string): Buffer => tlv(6, hex(octets));
const ECDSA_SHA256 = sequence(objectId('2a8648ce3d040302')); // RFC 5758 §3.2
const TRUE = Uint8Array.of(1, 1, 255);

const distinguished = (name: string): Buffer =>
  sequence(tlv(0x31, sequence(objectId('550403'), tlv(12, Buffer.from(name)))));

/** An extension of RFC 5280 §4.2: the last octets of its object identifier, its value, whether it is critical. */
function extension(id: string, value: Uint8Array, critical = false): Buffer {
  return sequence(objectId(id), ...(critical ? [TRUE] : []), tlv(4, value));
}

/** Seconds of a date as UTCTime; certificates of a lab do not live beyond 2049. */
const utcTime = (ms: number): Buffer => {
  const text = new Date(ms).toISOString();
  return tlv(0x17, Buffer.from(`${text.slice(2, 19).replace(/[-:T]/g, '')}Z`));
};

function extensions(o: CertificateOptions): Buffer {
  const ca = o.names === undefined;
  const list = [
    extension('551d13', sequence(...(ca ? [TRUE] : [])), true), // basicConstraints
    extension('551d0f', ca ? hex('03020106') : hex('03020780'), true), // keyUsage: keyCertSign, cRLSign; digitalSignature
  ];
  if (o.names !== undefined) {
    const names = o.names.map((n) => (isIP(n) === 0 ? tlv(0x82, Buffer.from(n)) : tlv(0x87, parseAddress(n)!)));
    list.push(extension('551d25', sequence(objectId('2b06010505070301'))), extension('551d11', sequence(...names)));
  }
  return tlv(0xa3, sequence(...list));
}

/** Makes a certificate for a new P-256 key. RFC 5280 §4.1 */
export function makeCertificate(o: CertificateOptions): Certified {
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const key = pair.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
  const from = o.from ?? Date.now() - 3_600_000;
  const serial = randomBytes(16);
  serial[0] = (serial[0] & 0x3f) | 0x40; // positive, and sixteen octets
  const body = sequence(
    tlv(0xa0, tlv(2, Uint8Array.of(2))),
    tlv(2, serial),
    ECDSA_SHA256,
    distinguished(o.issuer?.name ?? o.name),
    sequence(utcTime(from), utcTime(from + o.days * 86_400_000)),
    distinguished(o.name),
    (pair.publicKey as KeyObject).export({ type: 'spki', format: 'der' }),
    extensions(o),
  );
  const signature = sign('sha256', body, createPrivateKey(o.issuer?.key ?? key));
  const der = sequence(body, ECDSA_SHA256, tlv(3, Uint8Array.of(0), signature));
  const lines = der.toString('base64').match(/.{1,64}/g)!;
  return { key, cert: ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n') };
}
