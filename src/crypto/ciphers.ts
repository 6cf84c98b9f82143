import { createCipheriv, createDecipheriv, createHmac } from 'node:crypto';
import type { Ciphers } from '../kit/index.js';

/** What dissectors may open packets with whose keys are no secret. */
export const ciphers: Ciphers = {
  hmacSha256: (key, data) => new Uint8Array(createHmac('sha256', key).update(data).digest()),
  aesBlock: (key, block) =>
    new Uint8Array(createCipheriv('aes-128-ecb', key, null).setAutoPadding(false).update(block)),
  aesGcmOpen(key, nonce, head, text, tag) {
    const d = createDecipheriv('aes-128-gcm', key, nonce).setAAD(head).setAuthTag(tag);
    const plain = d.update(text);
    try {
      d.final();
    } catch {
      return undefined;
    }
    return new Uint8Array(plain);
  },
};
