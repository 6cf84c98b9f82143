/** Records of application data made by hand, for what no TLS stack here can be made to send, and for very many. */

import { createCipheriv, createHmac } from 'node:crypto';
import { concat, put16, put32 } from 'fttscope/kit';

/** A suite of TLS 1.3, RFC 8446 §B.4. */
interface Suite {
  readonly cipher: 'aes-128-gcm' | 'aes-256-gcm' | 'chacha20-poly1305';
  readonly hash: 'sha256' | 'sha384';
  readonly key: number;
}

const SUITES: Readonly<Record<string, Suite>> = {
  TLS_AES_128_GCM_SHA256: { cipher: 'aes-128-gcm', hash: 'sha256', key: 16 },
  TLS_AES_256_GCM_SHA384: { cipher: 'aes-256-gcm', hash: 'sha384', key: 32 },
  TLS_CHACHA20_POLY1305_SHA256: { cipher: 'chacha20-poly1305', hash: 'sha256', key: 32 },
};

/** HKDF-Expand-Label of RFC 8446 §7.1 with an empty context, for values no longer than the hash. */
export function expand(hash: string, secret: Uint8Array, label: string, length: number): Buffer {
  const name = Buffer.from(`tls13 ${label}`);
  const info = Buffer.concat([Buffer.from([length >> 8, length & 255, name.length]), name, Buffer.from([0, 1])]);
  return createHmac(hash, secret).update(info).digest().subarray(0, length);
}

/** Protects one direction of TLS 1.3. */
export class Sealer {
  private key!: Buffer;
  private iv!: Buffer;
  private readonly suite: Suite;

  /** @param sequence number of the first record */
  constructor(
    suite: string,
    private secret: Uint8Array,
    private sequence: number,
  ) {
    this.suite = SUITES[suite]!;
    this.derive();
  }

  private derive(): void {
    this.key = expand(this.suite.hash, this.secret, 'key', this.suite.key);
    this.iv = expand(this.suite.hash, this.secret, 'iv', 12);
  }

  /** A record with `content` and so many octets of padding, RFC 8446 §5.2. */
  seal(content: Uint8Array, type = 23, padding = 0): Uint8Array {
    const nonce = Uint8Array.from(this.iv);
    const number = new Uint8Array(8);
    put32(number, 0, Math.floor(this.sequence / 0x1_0000_0000));
    put32(number, 4, this.sequence);
    for (let i = 0; i < 8; i++) nonce[4 + i]! ^= number[i]!;
    this.sequence++;
    const n = content.length + 1 + padding + 16;
    const header = Uint8Array.of(23, 3, 3, 0, 0);
    put16(header, 3, n);
    const cipher = createCipheriv(this.suite.cipher as 'aes-128-gcm', this.key, nonce, { authTagLength: 16 });
    cipher.setAAD(header);
    const inner = new Uint8Array(content.length + 1 + padding);
    inner.set(content);
    inner[content.length] = type;
    return concat([header, cipher.update(inner), cipher.final(), cipher.getAuthTag()]);
  }

  /** The record of a KeyUpdate, after which the keys are the next ones. RFC 8446 §4.6.3, §7.2 */
  keyUpdate(): Uint8Array {
    const record = this.seal(Uint8Array.of(24, 0, 0, 1, 0), 22);
    this.secret = expand(this.suite.hash, this.secret, 'traffic upd', this.secret.length);
    this.sequence = 0;
    this.derive();
    return record;
  }
}
