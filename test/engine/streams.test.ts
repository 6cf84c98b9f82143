import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import fc from 'fast-check';
import { type Built, CaptureBuilder } from '../build/capture.js';
import type { ConnectionOptions } from '../build/connection.js';
import { type Conversation, clearConversation, proxyHeader } from '../build/conversation.js';
import { survivors } from '../build/expect.js';
import { drop } from '../build/shape.js';
import { type TlsOptions, tlsConversation } from '../build/tls.js';
import { chatter } from '../build/traffic.js';
import { ENDS, readWith, whole } from './one.js';

const SECLEVEL0 = '@SECLEVEL=0';

const v12 = (suite: string, kind?: 'ec'): TlsOptions => ({
  version: 'TLSv1.2',
  ciphers: `${suite}:${SECLEVEL0}`,
  ...(kind && { certificate: kind }),
});
const v13 = (suite: string): TlsOptions => ({ version: 'TLSv1.3', ciphers: `${suite}:AES128-SHA:${SECLEVEL0}` });

/** Conversations are made once; the tests lay them out in ever other segments. */
const TUNNELS: Readonly<Record<string, TlsOptions | null>> = {
  'TLS 1.2 AES-128-GCM': v12('ECDHE-RSA-AES128-GCM-SHA256'),
  'TLS 1.2 AES-256-CBC, MAC under the encryption': {
    ...v12('ECDHE-RSA-AES256-SHA384'),
    client: { secureOptions: 0x80000 }, // SSL_OP_NO_ENCRYPT_THEN_MAC
  },
  'TLS 1.2 AES-128-CBC, encrypt-then-MAC': v12('AES128-SHA'),
  'TLS 1.2 ChaCha20': v12('ECDHE-ECDSA-CHACHA20-POLY1305', 'ec'),
  'TLS 1.3 AES-128-GCM': v13('TLS_AES_128_GCM_SHA256'),
  'TLS 1.3 AES-256-GCM': v13('TLS_AES_256_GCM_SHA384'),
  'TLS 1.3 ChaCha20': v13('TLS_CHACHA20_POLY1305_SHA256'),
  'TLS 1.3 AES-128-CCM': v13('TLS_AES_128_CCM_SHA256'),
  'in the clear': null,
};

const conversations = new Map<string, Conversation>();
before(async () => {
  for (const [name, tls] of Object.entries(TUNNELS)) {
    const steps = chatter(name.length, 60);
    conversations.set(
      name,
      tls === null ? clearConversation(steps, [proxyHeader(2)]) : await tlsConversation(steps, tls),
    );
  }
});

/** Lays out a conversation in one way of many, with nothing missing. */
const layout = fc.record({
  seed: fc.integer({ min: 0, max: 1e6 }),
  mss: fc.constantFrom<number>(7, 60, 536, 1400, 65_000),
  cut: fc.boolean(),
  coalesce: fc.boolean(),
  reorder: fc.constantFrom(0, 3, 12),
  repeat: fc.constantFrom(0, 0.1),
  overlap: fc.constantFrom(0, 0.1),
  isn: fc.tuple(fc.constantFrom(0, 0xffff_ff00, 0x7fff_fff0), fc.constantFrom(1, 0xffff_f000)),
  acks: fc.constantFrom(1, 2, 8),
});
type Layout = typeof layout extends fc.Arbitrary<infer T> ? T : never;

function connection(l: Layout): ConnectionOptions {
  const { seed, cut, reorder, repeat, overlap, ...rest } = l;
  return { ...ENDS, ...rest, network: { seed, cut, reorder, repeat, overlap } };
}

const build = (c: Conversation, l: Layout): Built => new CaptureBuilder().connection(c, connection(l)).build();

describe('however a stream is cut, reordered, repeated and overlapped, every envelope is found', () => {
  for (const name of Object.keys(TUNNELS))
    test(name, async () => {
      const conversation = conversations.get(name)!;
      await fc.assert(
        fc.asyncProperty(layout, async (l) => {
          await whole(build(conversation, l));
        }),
        { numRuns: 12, seed: 24_322 },
      );
    });
});

describe('where segments are missing, what is left is found and nothing else', () => {
  for (const name of Object.keys(TUNNELS))
    test(name, async () => {
      const conversation = conversations.get(name)!;
      const handshake = past(conversation);
      await fc.assert(
        fc.asyncProperty(layout, fc.constantFrom(0.02, 0.1, 0.3), async (l, chance) => {
          const built = new CaptureBuilder({ seed: l.seed, shape: [drop(chance, handshake)] })
            .connection(conversation, connection({ ...l, mss: Math.max(l.mss, 60), repeat: 0, overlap: 0 }))
            .build();
          const { inner } = await readWith(built);
          for (const side of [0, 1] as const) {
            const found = inner.filter((r) => r.direction === (side === 0 ? 'up' : 'down')).map((r) => r.envelope);
            assert.deepEqual(found, survivors(built.truth[0]!, side));
          }
        }),
        { numRuns: 12, seed: 24_322 },
      );
    });
});

/** Octets of each stream up to the first envelope. */
function past(c: Conversation): [number, number] {
  const first = (side: number): number => Math.min(...c.inner.filter((i) => i.side === side).map((i) => i.from));
  return [first(0), first(1)];
}
