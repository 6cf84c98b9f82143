import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CaptureBuilder, type Frame } from '../build/capture.js';
import {
  answer,
  clearConversation,
  connect,
  down,
  envelope,
  type Preface,
  proxyHeader,
  type Step,
  up,
} from '../build/conversation.js';
import { innerRows, mark, survivors } from '../build/expect.js';
import type { Link } from '../build/link.js';
import { at, ping } from '../build/packets.js';
import { jitter, late, only, snaplen, where } from '../build/shape.js';
import { type TlsOptions, tlsConversation } from '../build/tls.js';
import { chatter } from '../build/traffic.js';
import { EFTF, ENDS, expectedOf, found, one, readWith, SHORT, UE, V12, V13, verdicts, whole } from './one.js';

const SECLEVEL0 = '@SECLEVEL=0';
const suite13 = (suite: string): TlsOptions => ({ version: 'TLSv1.3', ciphers: `${suite}:AES128-SHA:${SECLEVEL0}` });
const suite12 = (suite: string): TlsOptions => ({ version: 'TLSv1.2', ciphers: `${suite}:${SECLEVEL0}` });

describe('a capture that starts after the handshake', () => {
  for (const suite of [
    'TLS_AES_128_GCM_SHA256',
    'TLS_AES_256_GCM_SHA384',
    'TLS_CHACHA20_POLY1305_SHA256',
    'TLS_AES_128_CCM_SHA256',
    'TLS_AES_128_CCM_8_SHA256',
  ])
    for (const mss of [1400, 333])
      test(`${suite}, ${mss} octets a segment: decrypts`, async () => {
        const c = await tlsConversation(chatter(5, 40), suite13(suite));
        const [a, b] = [0, 1].map((side) => c.inner.filter((i) => i.side === side)[4]!.from);
        const built = one(c, { mss, coalesce: true, capture: { shape: [late([a!, b!])] } });
        const r = await readWith(built);
        for (const side of [0, 1] as const) {
          const list = r.inner.filter((row) => row.direction === (side === 0 ? 'up' : 'down')).map((x) => x.envelope);
          const may = built.truth[0]!.filter((t) => t.inner.side === side && t.captured).map((t) =>
            mark(t.inner.envelope.octets),
          );
          const must = survivors(built.truth[0]!, side);
          assert.deepEqual(list.slice(list.length - must.length), must);
          assert.deepEqual(list, may.slice(may.length - list.length));
          assert.ok(list.length > 8, `${list.length} envelopes`);
        }
      });

  test('what is left of the first record holds the header of a large one', async () => {
    const large = down([envelope(ping(EFTF.address, UE.address, 1, 1, 2000))]);
    const c = await tlsConversation([large, ...chatter(5, 40)], V13);
    const start = c.inner.find((i) => i.side === 1)!.from;
    const header = (frames: readonly Frame[]): Frame[] => {
      const octets = frames[0]!.octets.slice();
      octets.set([23, 3, 3, 0x40, 0], octets.length - frames[0]!.payload + 10);
      return [{ ...frames[0]!, octets }, ...frames.slice(1)];
    };
    const built = one(c, { mss: 333, coalesce: true, capture: { shape: [late([0, start + 1]), header] } });
    assert.deepEqual([built.frames[0]!.side, built.frames[0]!.payload], [1, 333]);
    const r = await readWith(built);
    for (const side of [0, 1] as const) assert.ok(found(built, r, side).length > 8);
  });

  test('envelopes in the clear, from the middle of one on', async () => {
    const c = clearConversation(chatter(5, 60));
    const [a, b] = [0, 1].map((side) => c.inner.filter((i) => i.side === side)[4]!.from + 9);
    const built = one(c, { mss: 333, coalesce: true, capture: { shape: [late([a!, b!])] } });
    const r = await readWith(built);
    for (const side of [0, 1] as const) assert.ok(found(built, r, side).length > 8);
  });

  test('TLS 1.2 says why it cannot be read', async () => {
    const c = await tlsConversation(chatter(5, 10), V12);
    const built = one(c, { capture: { shape: [late([c.inner[0]!.from, 0])] } });
    const r = await readWith(built);
    assert.deepEqual(r.inner, []);
    assert.equal(r.pass.index.tunnels.length, 1);
    for (const v of verdicts(r)) {
      assert.equal(v.verdict, 'none');
      assert.match(v.reason!, /handshake was not captured/);
    }
  });
});

describe('keys', () => {
  for (const [name, o] of [
    ['TLS 1.3', V13],
    ['TLS 1.2', V12],
    ['TLS 1.2 CBC', suite12('AES128-SHA256')],
  ] as const)
    test(`wrong ones give no inner rows: ${name}`, async () => {
      const c = await tlsConversation(SHORT, o);
      const built = one(c);
      const wrong = built.keylog.replace(/ [0-9a-f]+$/gm, (secret) => ` ${'0f'.repeat((secret.length - 1) / 2)}`);
      const r = await readWith(built, { keylog: [wrong] });
      assert.deepEqual(r.inner, []);
      for (const v of verdicts(r)) {
        assert.equal(v.verdict, 'none');
        assert.match(v.reason!, /key does not fit/);
      }
    });

  test('none: every frame is one row', async () => {
    const built = one(await tlsConversation(SHORT, V13));
    const r = await readWith(built, { keylog: [] });
    assert.equal(r.rows.length, built.frames.length);
    assert.deepEqual(r.inner, []);
  });

  test('in a Decryption Secrets Block at the start of a stream', async () => {
    const c = await tlsConversation(SHORT, V13);
    await whole(one(c, { capture: { secrets: true } }), { keylog: [] });
  });

  test('of the first session alone serve those that resume it', async () => {
    const first = await tlsConversation(SHORT, V12);
    const second = await tlsConversation(chatter(3, 10), { ...V12, session: first.session });
    assert.ok(second.reused);
    const built = new CaptureBuilder()
      .connection(first, ENDS)
      .connection(second, { ...ENDS, client: at('192.0.2.10', 40_001), start: 1000 })
      .build();
    await whole(built, { keylog: [first.keylog] });
  });

  test('TLS 1.3 resumption', async () => {
    const first = await tlsConversation(SHORT, V13);
    const second = await tlsConversation(chatter(3, 10), { ...V13, session: first.session });
    assert.ok(second.reused);
    const built = new CaptureBuilder()
      .connection(first, ENDS)
      .connection(second, { ...ENDS, client: at('192.0.2.10', 40_001), start: 1000 })
      .build();
    await whole(built);
  });
});

describe('features of TLS', () => {
  test('KeyUpdate, and padding', async () => {
    const steps: Step[] = [...chatter(1, 10), { keyUpdate: 0 }, ...chatter(2, 10), { keyUpdate: 1 }, { keyUpdate: 1 }];
    for (const suite of ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256'])
      for (const padding of [0, 77]) {
        const c = await tlsConversation([...steps, ...chatter(3, 10)], { ...suite13(suite), sealed: true, padding });
        await whole(one(c));
      }
  });

  test('KeyUpdate in a segment that is missing', async () => {
    const steps: Step[] = [...chatter(1, 10), { keyUpdate: 0 }, ...chatter(2, 10)];
    const c = await tlsConversation(steps, { ...suite13('TLS_AES_128_GCM_SHA256'), sealed: true });
    // Records of a KeyUpdate alone have 5 + 5 + 1 + 16 octets.
    const built = one(c, { capture: { shape: [where((f) => f.payload !== 27)] } });
    const r = await readWith(built);
    for (const side of [0, 1] as const) found(built, r, side);
  });

  test('HelloRetryRequest', async () => {
    const curves = { client: { ecdhCurve: 'X25519:P-384' }, server: { ecdhCurve: 'P-384' } };
    const r = await whole(one(await tlsConversation(chatter(1, 10), { ...V13, ...curves })));
    assert.ok(r.pass.index.tunnels[0]!.session!.retried);
  });

  test('renegotiation', async () => {
    const steps: Step[] = [...chatter(1, 10), { renegotiate: true }, ...chatter(2, 10)];
    for (const suite of ['ECDHE-RSA-AES128-GCM-SHA256', 'ECDHE-RSA-AES256-SHA384', 'ECDHE-RSA-CHACHA20-POLY1305']) {
      const r = await whole(one(await tlsConversation(steps, suite12(suite))));
      assert.equal(r.pass.index.tunnels[0]!.session!.renegotiations, 1);
    }
  });

  test('records of at most 512 octets', async () => {
    const large = [up([envelope(ping(UE.address, EFTF.address, 1, 1, 30_000)), envelope(new Uint8Array(5), 7)])];
    for (const o of [V12, V13]) await whole(one(await tlsConversation(large, { ...o, fragment: 512 })));
  });

  test('TLS 1.0 and 1.1', async () => {
    for (const version of ['TLSv1', 'TLSv1.1'] as const)
      await whole(one(await tlsConversation(chatter(1, 30), { version, ciphers: `AES128-SHA:${SECLEVEL0}` })));
  });
});

describe('what was not captured', () => {
  for (const [name, o] of [
    ['TLS 1.2', V12],
    ['TLS 1.2 CBC', suite12('AES128-SHA256')],
    ['TLS 1.3', V13],
  ] as const)
    for (const octets of [54, 96, 200, 400, 900])
      test(`frames cut after ${octets} octets: ${name}`, async () => {
        const c = await tlsConversation(chatter(octets, 40), o);
        const handshake = Math.max(...[0, 1].map((side) => c.inner.find((i) => i.side === side)!.from));
        // The handshake is whole: a filter on length or a change of the snaplen does that.
        const cut = snaplen(octets);
        const built = one(c, {
          capture: {
            shape: [(frames, next) => frames.map((f) => (f.segment!.from < handshake ? f : cut([f], next)[0]!))],
          },
        });
        const r = await readWith(built);
        for (const side of [0, 1] as const) found(built, r, side);
      });

  test('frames cut from the start on: nothing is made up', async () => {
    const c = await tlsConversation(chatter(3, 40), V13);
    for (const octets of [54, 60, 96, 128, 300]) {
      const built = one(c, { capture: { shape: [snaplen(octets)] } });
      const r = await readWith(built);
      const truth = built.truth[0]!.filter((t) => t.captured).map((t) => mark(t.inner.envelope.octets));
      for (const row of r.inner) assert.ok(truth.includes(row.envelope));
    }
  });

  for (const side of [0, 1] as const)
    test(`one direction: only what the ${side === 0 ? 'UE' : 'EFTF'} sent, TLS 1.3`, async () => {
      const c = await tlsConversation(chatter(4, 40), V13);
      const built = one(c, { capture: { shape: [only(side)] } });
      const r = await readWith(built);
      assert.deepEqual(expectedOf(r), innerRows(built));
    });

  for (const [name, said] of [
    ['of what proxies say', 'Connection established'],
    ['of what servers say too', 'OK'],
  ] as const)
    for (const side of [0, 1] as const)
      test(`one direction behind a CONNECT and an answer ${name}: only what the ${side === 0 ? 'UE' : 'proxy'} sent`, async () => {
        const c = await tlsConversation(chatter(4, 40), V13, [connect(), answer(200, said)]);
        const built = one(c, { capture: { shape: [only(side)] } });
        assert.deepEqual(expectedOf(await readWith(built)), innerRows(built));
      });

  test('one direction of TLS 1.2: that of the UE says why it cannot be read, that of the EFTF needs the key log alone', async () => {
    const c = await tlsConversation(chatter(4, 10), V12);
    const up = await readWith(one(c, { capture: { shape: [only(0)] } }));
    assert.deepEqual(up.inner, []);
    assert.match(verdicts(up)[0].reason!, /both hellos/);
    const built = one(c, { capture: { shape: [only(1)] } });
    assert.deepEqual(expectedOf(await readWith(built)), innerRows(built));
  });

  test('one direction, in the clear', async () => {
    const c = clearConversation(chatter(4, 40));
    for (const side of [0, 1] as const) {
      const built = one(c, { capture: { shape: [only(side)] } });
      assert.deepEqual(expectedOf(await readWith(built)), innerRows(built));
    }
  });

  test('frames that the capture has in the wrong order', async () => {
    for (const o of [V12, V13])
      for (let seed = 0; seed < 20; seed++) {
        const c = await tlsConversation(chatter(6, 20), o);
        const built = one(c, { capture: { seed, shape: [jitter(2)] } });
        const r = await readWith(built);
        const found = r.inner.map((row) => `${row.direction} ${row.envelope}`).sort();
        const truth = innerRows(built)
          .map((row) => `${row.direction} ${row.envelope}`)
          .sort();
        assert.deepEqual(found, truth, `seed ${seed}`);
      }
  });
});

describe('HTTP proxy (access type II)', () => {
  const AUTH = 'Proxy-Authenticate: Basic realm="proxy"';
  const established = answer(200, 'Connection established', ['Via: 1.1 proxy']);
  const cases: readonly (readonly [string, readonly Preface[]])[] = [
    ['200', [connect(), established]],
    [
      '407, then a retry with credentials',
      [
        connect(),
        answer(407, 'Proxy Authentication Required', [AUTH], 'please log in'),
        connect('eftf.example:443', ['Proxy-Authorization: Basic dTpw']),
        established,
      ],
    ],
    [
      'two 407 without a body',
      [connect(), answer(407, 'No', [AUTH]), connect(), answer(407, 'No', [AUTH]), connect(), established],
    ],
    ['an interim answer before it', [connect(), answer(103, 'Early Hints'), established]],
    ['204', [connect(), answer(204, 'No Content')]],
  ];
  for (const [name, preface] of cases)
    for (const mss of [1400, 9])
      test(`${name}, ${mss} octets a segment`, async () => {
        const c = await tlsConversation(chatter(7, 10), V13, preface);
        const built = one(c, { mss, server: at('198.51.100.7', 3128) });
        const r = await whole(built);
        const tunnel = r.pass.index.tunnels[0]!;
        assert.equal(tunnel.proxy?.target, 'eftf.example:443');
        assert.equal(Math.floor(tunnel.proxy!.status! / 100), 2);
        assert.equal(tunnel.ue, 0);
      });

  for (const [status, reason] of [
    [403, 'Forbidden'],
    [502, 'Bad Gateway'],
    [302, 'Found'],
    [511, 'Network Authentication Required'],
  ] as const)
    test(`refused with ${status}`, async () => {
      const page = '<html><body>Log in</body></html>';
      const c = clearConversation([], [connect(), answer(status, reason, ['Location: http://portal.example/'], page)]);
      const r = await readWith(one(c, { server: at('198.51.100.7', 8080) }));
      assert.equal(r.pass.index.tunnels.length, 1);
      assert.equal(r.pass.index.tunnels[0]!.proxy?.status, status);
      assert.deepEqual(r.inner, []);
    });

  test('a portal that answers 200 with a page', async () => {
    const page: Preface = { side: 1, octets: Buffer.from('<html><body>Log in</body></html>') };
    const c = clearConversation([], [connect(), answer(200, 'OK', ['Content-Type: text/html']), page]);
    const r = await readWith(one(c, { server: at('198.51.100.7', 8080) }));
    assert.equal(r.pass.index.tunnels.length, 1);
    assert.deepEqual(r.inner, []);
  });

  test('a ClientHello that was captured before the answer', async () => {
    const c = await tlsConversation(chatter(7, 10), V13, [connect(), established]);
    const built = new CaptureBuilder({
      shape: [
        (frames) => {
          const i = frames.findIndex((f) => f.side === 1 && f.payload > 0);
          const hello = frames.findIndex((f, k) => k > i && f.side === 0 && f.payload > 100);
          const out = [...frames];
          out.splice(i, 0, ...out.splice(hello, 1));
          return out;
        },
      ],
    })
      .connection(c, { ...ENDS, server: at('198.51.100.7', 3128) })
      .build();
    await whole(built);
  });
});

describe('behind a TLS offload', () => {
  for (const [name, preface] of [
    ['no header', []],
    ['PROXY protocol, version 1', [proxyHeader(1)]],
    ['PROXY protocol, version 2', [proxyHeader(2)]],
  ] as const)
    for (const port of [443, 8443, 80, 1])
      test(`${name}, port ${port}`, async () => {
        const built = one(clearConversation(chatter(port, 30), preface), { server: at('198.51.100.1', port) });
        const r = await whole(built);
        const tunnel = r.pass.index.tunnels[0]!;
        assert.equal(tunnel.transport, 'tcp');
        assert.equal(tunnel.inferred, false);
      });
});

describe('outer layers', () => {
  const links: readonly Link[] = ['ethernet', 'vlan', 'qinq', 'pppoe', 'sll', 'sll2', 'raw', 'null', 'loop'];
  const six = { client: at('2001:db8:1::10', 40_000), server: at('2001:db8:2::1', 443) };
  for (const link of links)
    test(link, async () => {
      const c = await tlsConversation(chatter(8, 10), V13);
      await whole(one(c, { capture: { link } }));
      await whole(one(c, { capture: { link }, ...six }));
    });

  test('IP fragments', async () => {
    const c = await tlsConversation(chatter(8, 30), V13);
    await whole(one(c, { fragment: 400, mss: 3000, coalesce: true }));
    await whole(one(c, { fragment: 400, mss: 3000, coalesce: true, ...six }));
    await whole(one(c, { fragment: 8, mss: 100, ...six }));
  });

  test('segments as offload shows them, sequence numbers that wrap', async () => {
    const c = await tlsConversation(
      [up([envelope(ping(UE.address, EFTF.address, 1, 1, 60_000))]), ...chatter(1, 20)],
      V13,
    );
    await whole(one(c, { mss: 65_000, coalesce: true, isn: [0xffff_fffe, 0xffff_ff00] }));
  });

  test('ports other than 443; the UE has the lower one', async () => {
    const ends = { client: at('192.0.2.10', 1234), server: at('198.51.100.1', 8443) };
    for (const o of [V12, V13]) await whole(one(await tlsConversation(SHORT, o), ends));
    await whole(one(clearConversation(SHORT), ends));
  });
});
