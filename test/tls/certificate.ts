import { createPrivateKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';

/** A self-signed certificate for tests, written as DER by hand. */
export interface TestCertificate {
  readonly key: string;
  readonly cert: string;
  readonly der: Uint8Array;
}

function tlv(tag: number, ...parts: Uint8Array[]): Buffer {
  const body = Buffer.concat(parts);
  const n = body.length;
  const length = n < 128 ? [n] : n < 256 ? [0x81, n] : [0x82, n >> 8, n & 255];
  return Buffer.concat([Buffer.from([tag, ...length]), body]);
}

const hexOctets = (s: string): Buffer => Buffer.from(s, 'hex');
const ECDSA_SHA256 = tlv(0x30, tlv(6, hexOctets('2a8648ce3d040302')));
const RSA_SHA256 = tlv(0x30, tlv(6, hexOctets('2a864886f70d01010b')), hexOctets('0500'));

export function certificate(kind: 'rsa' | 'ec', name = 'eftf.example'): TestCertificate {
  const pair =
    kind === 'rsa'
      ? generateKeyPairSync('rsa', { modulusLength: 2048 })
      : generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const algorithm = kind === 'rsa' ? RSA_SHA256 : ECDSA_SHA256;
  const subject = tlv(0x30, tlv(0x31, tlv(0x30, tlv(6, hexOctets('550403')), tlv(0x0c, Buffer.from(name)))));
  const validity = tlv(0x30, tlv(0x17, Buffer.from('200101000000Z')), tlv(0x17, Buffer.from('491231235959Z')));
  const spki = (pair.publicKey as KeyObject).export({ type: 'spki', format: 'der' });
  const version = tlv(0xa0, tlv(2, Buffer.from([2])));
  const body = tlv(0x30, version, tlv(2, Buffer.from([1])), algorithm, subject, validity, subject, spki);
  const key = pair.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
  const signature = sign('sha256', body, createPrivateKey(key));
  const der = tlv(0x30, body, algorithm, tlv(3, Buffer.from([0]), signature));
  const lines = der.toString('base64').match(/.{1,64}/g)!;
  const cert = ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
  return { key, cert, der };
}
