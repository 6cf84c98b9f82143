import { type CipherGCMTypes, createCipheriv, createHmac } from 'node:crypto';

/** Records made by hand from the text of RFC 8446 and RFC 5288, to have what no library here can be made to send. */

/** HKDF-Expand-Label of RFC 8446 §7.1, for values no longer than the hash. */
function expandLabel(hash: string, secret: Buffer, label: string, length: number): Buffer {
  const name = Buffer.from(`tls13 ${label}`);
  const info = Buffer.concat([Buffer.from([length >> 8, length & 255, name.length]), name, Buffer.from([0, 1])]);
  return createHmac(hash, secret).update(info).digest().subarray(0, length);
}

export interface Suite13 {
  readonly id: number;
  readonly name: 'aes-128-gcm' | 'aes-256-gcm' | 'chacha20-poly1305' | 'aes-128-ccm';
  readonly hash: 'sha256' | 'sha384';
  readonly key: number;
  readonly secret: number;
}
export const SUITES_13: readonly Suite13[] = [
  { id: 0x1301, name: 'aes-128-gcm', hash: 'sha256', key: 16, secret: 32 },
  { id: 0x1302, name: 'aes-256-gcm', hash: 'sha384', key: 32, secret: 48 },
  { id: 0x1303, name: 'chacha20-poly1305', hash: 'sha256', key: 32, secret: 32 },
  { id: 0x1304, name: 'aes-128-ccm', hash: 'sha256', key: 16, secret: 32 },
];

/** Protects one direction of TLS 1.3. */
export class Sealer {
  private sequence = 0;
  constructor(
    readonly suite: Suite13,
    private secret: Buffer,
  ) {}

  /** A record with `content` and so many octets of padding. RFC 8446 §5.2 */
  seal(content: Uint8Array, type = 23, padding = 0): Buffer {
    const { suite, secret } = this;
    const key = expandLabel(suite.hash, secret, 'key', suite.key);
    const nonce = Buffer.from(expandLabel(suite.hash, secret, 'iv', 12));
    const number = Buffer.alloc(8);
    number.writeBigUInt64BE(BigInt(this.sequence++));
    for (let i = 0; i < 8; i++) nonce[4 + i]! ^= number[i]!;
    const inner = Buffer.concat([content, Buffer.from(type < 0 ? [] : [type]), Buffer.alloc(padding)]);
    const n = inner.length + 16;
    const header = Buffer.from([23, 3, 3, n >> 8, n & 255]);
    const cipher = createCipheriv(suite.name as CipherGCMTypes, key, nonce, { authTagLength: 16 });
    cipher.setAAD(header, { plaintextLength: inner.length } as never);
    return Buffer.concat([header, cipher.update(inner), cipher.final(), cipher.getAuthTag()]);
  }

  /** The record of a KeyUpdate, after which the keys are the next ones. RFC 8446 §4.6.3, §7.2 */
  keyUpdate(): Buffer {
    const record = this.seal(Buffer.from([24, 0, 0, 1, 0]), 22);
    this.secret = expandLabel(this.suite.hash, this.secret, 'traffic upd', this.suite.secret);
    this.sequence = 0;
    return record;
  }

  /** Goes on as if `n` records had been sent. */
  skip(n: number): void {
    this.sequence += n;
  }
}

/** An envelope of TS 24.322 §7.1.2.1 with an IPv4 packet of `n` octets. */
export function envelope(n: number, fill = 0): Buffer {
  const b = Buffer.alloc(3 + n, fill);
  b[0] = 1;
  b.writeUInt16BE(n, 1);
  b[3] = 0x45;
  b.writeUInt16BE(n, 5);
  return b;
}

export const hexLine = (label: string, random: Uint8Array, secret: Uint8Array): string =>
  `${label} ${Buffer.from(random).toString('hex')} ${Buffer.from(secret).toString('hex')}\n`;
