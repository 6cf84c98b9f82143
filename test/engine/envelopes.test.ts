import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { dissectors } from '../../dissectors/index.js';
import { fieldText } from '../../src/report/value.js';
import { CaptureBuilder } from '../build/capture.js';
import { Connection } from '../build/connection.js';
import { clearConversation, connect, down, type Envelope, envelope, type Step, up } from '../build/conversation.js';
import { innerRows, mark, rowIds } from '../build/expect.js';
import { at, ping, register, udp } from '../build/packets.js';
import { type Read, read, type Seen } from '../build/read.js';
import { late, twice } from '../build/shape.js';
import { tlsConversation } from '../build/tls.js';
import { chatter } from '../build/traffic.js';
import { ENDS, expectedOf, one, readWith } from './one.js';

const FIELDS = dissectors.flatMap((d) => Object.values(d.fields));
const V13 = { version: 'TLSv1.3' } as const;
const UE = at('10.0.0.2', 5060);
const EFTF = at('10.0.0.1', 5060);
const good = (n: number): Envelope => envelope(ping(UE.address, EFTF.address, 1, n, 20));

/** The rows of envelopes that come from one side, sent in one record each. */
async function rowsOf(envelopes: readonly Envelope[]): Promise<Seen[]> {
  const built = one(await tlsConversation([up([good(0)]), up(envelopes)], V13));
  return (await readWith(built)).inner.slice(1);
}

const marks = (rows: readonly Seen[]): string[] => rows.map((r) => r.envelope);
const wanted = (envelopes: readonly Envelope[]): string[] => envelopes.map((e) => mark(e.octets));

describe('envelopes that break the rules', () => {
  for (const length of [0, 1, 2])
    test(`Length ${length}: an outer row with a finding; the next envelope is found`, async () => {
      const bad = envelope(new Uint8Array(0), 1, length);
      const built = one(await tlsConversation([up([good(1), bad, good(2), good(3)])], V13));
      const r = await readWith(built);
      assert.deepEqual(marks(r.inner), wanted([good(1), good(2), good(3)]));
      const frames = r.rows.filter((x) => x.findings.includes('fttims.bad-length'));
      assert.deepEqual(
        frames.map((x) => x.envelope),
        [''],
      );
    });

  test('Length below 3 within a record of good ones', async () => {
    const bad = envelope(new Uint8Array(9).fill(0x6e), 1, 2);
    const built = one(await tlsConversation([up([good(1), bad, good(2)], [10_000])], V13));
    const r = await readWith(built);
    assert.deepEqual(marks(r.inner), wanted([good(1), good(2)]));
    assert.ok(r.inner[0]!.findings.includes('fttims.bad-length'));
  });

  test('type 1 with Length 3', async () => {
    const rows = await rowsOf([envelope(new Uint8Array(0)), good(1)]);
    assert.deepEqual(
      rows.map((r) => r.findings),
      [['fttims.empty-ip'], []],
    );
  });

  test('unknown types, with and without a payload', async () => {
    const list = [0, 2, 127, 200, 255].flatMap((type) => [
      envelope(new Uint8Array(0), type),
      envelope(new Uint8Array(60), type),
      envelope(ping(UE.address, EFTF.address, 1, type, 0), type),
    ]);
    const rows = await rowsOf(list);
    assert.deepEqual(marks(rows), wanted(list));
    for (const r of rows) {
      assert.deepEqual(r.findings, ['fttims.unknown-type']);
      assert.ok(r.protocols.endsWith(':fttims'), r.protocols);
    }
  });

  test('a version of IP that is neither 4 nor 6', async () => {
    const five = Uint8Array.from(ping(UE.address, EFTF.address, 1, 1, 20));
    five[0] = 0x55;
    const [row, next] = await rowsOf([envelope(five), good(1)]);
    assert.deepEqual(row!.findings, ['fttims.bad-ip-version']);
    assert.ok(row!.protocols.endsWith(':fttims'));
    assert.deepEqual(next!.findings, []);
  });

  test('an inner packet that is longer or shorter than it says', async () => {
    const p = ping(UE.address, EFTF.address, 1, 1, 20);
    const longer = new Uint8Array(p.length + 5);
    longer.set(p);
    const rows = await rowsOf([
      envelope(longer),
      envelope(p.subarray(0, p.length - 4)),
      envelope(p.subarray(0, 10)),
      good(1),
    ]);
    assert.deepEqual(
      rows.map((r) => r.findings.includes('fttims.inner-length')),
      [true, true, true, false],
    );
  });

  test('the longest envelope, and the shortest, in records of one octet', async () => {
    const long = envelope(new Uint8Array(65_532).fill(0x6e), 9);
    const built = one(
      await tlsConversation([up([good(1), long, good(2)]), up([good(3), envelope(new Uint8Array(0), 4)], [1])], V13),
    );
    assert.deepEqual(
      (await readWith(built)).inner.map((r) => r.id),
      innerRows(built).map((r) => r.id),
    );
  });

  test('each of hundreds in a record has its own octets', async () => {
    const list = Array.from({ length: 600 }, (_, i) =>
      envelope(udp(at(`10.1.${i % 4}.${i % 150}`, 4000), at('10.0.0.1', 4000), Uint8Array.of(1))),
    );
    const built = one(await tlsConversation([up(list)], V13));
    for (const bare of [false, true]) {
      const seen: string[] = [];
      const fields = ['ip.src', 'udp.length'].flatMap((name) => FIELDS.filter((f) => f.name === name));
      await readWith(built, { fields, bare }, ({ dissection: { tree } }) => {
        for (let i = 0; i < tree.length; i++) if (tree.source(i) > 0) seen.push(fieldText(tree, i));
      });
      assert.deepEqual(
        seen,
        list.flatMap(({ octets }) => [octets.subarray(15, 19).join('.'), '9']),
      );
    }
  });

  test('an unfinished envelope at the end gives no row', async () => {
    const built = one(await tlsConversation([up([good(1)]), { side: 0, plain: good(2).octets.subarray(0, 20) }], V13));
    assert.deepEqual(marks((await readWith(built)).inner), wanted([good(1)]));
  });
});

describe('other protocols in the TLS stream', () => {
  const text = (s: string): Uint8Array => new TextEncoder().encode(s);
  const stun = new Uint8Array(20);
  stun.set([0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42]);
  /** TS 24.302 annex F: Length, four octets of a non-ESP marker, an IKE header (RFC 7296 §3.1). */
  const annexF = new Uint8Array(34);
  annexF.set([0, 34, 0, 0, 0, 0]);
  annexF.set([1, 2, 3, 4, 5, 6, 7, 8], 6);
  annexF.set([0x21, 0x20, 0x22, 0x08], 6 + 16);
  annexF.set([0, 0, 0, 28], 6 + 24);
  const cases: readonly (readonly [string, Uint8Array, RegExp])[] = [
    ['HTTP/1.1', text('GET / HTTP/1.1\r\nHost: www.example\r\n\r\n'), /HTTP\/1\.1/],
    ['HTTP/2', text('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), /HTTP\/2/],
    ['SIP', register(1), /SIP/],
    ['SIP keep-alive', text('\r\n\r\n'), /SIP/],
    ['STUN', stun, /STUN/],
    ['annex F', annexF, /annex F/],
    ['RFC 9329', text('IKETCP'), /9329/],
  ];
  for (const [name, plain, word] of cases)
    test(name, async () => {
      const steps: Step[] = [{ side: 0, plain }, { side: 1, plain: text('HTTP/1.1 200 OK\r\n\r\n') }, up([good(1)])];
      const r = await readWith(one(await tlsConversation(steps, V13)));
      const [tunnel] = r.pass.index.tunnels;
      assert.equal(tunnel!.content, 'other');
      assert.match(tunnel!.other!, word);
      assert.deepEqual(r.inner, []);
    });

  test('octets that nobody knows are not decoded as envelopes', async () => {
    const noise = Uint8Array.from({ length: 70_000 }, (_, i) => (i * 131 + 7) & 255);
    const r = await readWith(one(await tlsConversation([{ side: 0, plain: noise }], V13)));
    assert.equal(r.pass.index.tunnels[0]!.content, 'other');
    assert.deepEqual(r.inner, []);
  });
});

describe('rows of unknown envelopes in the clear', () => {
  const unknown = (type: number): Envelope => envelope(body(40), type);
  const body = (n: number): Uint8Array => Uint8Array.from({ length: n }, (_, i) => (i * 37 + 201) & 255);
  const alone = clearConversation([up([unknown(37)]), down([unknown(38)])]);

  test('on port 443 they are a tunnel', async () => {
    const r = await readWith(one(alone));
    assert.equal(r.inner.length, 2);
  });

  test('on another port they are anything: other protocols frame their messages alike', async () => {
    const r = await readWith(one(alone, { server: at('198.51.100.1', 5223) }));
    assert.deepEqual(r.pass.index.tunnels, []);
    assert.deepEqual(r.inner, []);
    assert.equal(r.rows.filter((row) => row.protocols.endsWith(':tcp:data')).length, 2);
  });

  test('an IP packet behind them tells', async () => {
    const steps = [up([unknown(37)]), up([good(1)]), down([good(2)])];
    const r = await readWith(one(clearConversation(steps), { server: at('198.51.100.1', 5223) }));
    assert.deepEqual(marks(r.inner), wanted([unknown(37), good(1), good(2)]));
  });
});

describe('rows', () => {
  test('several envelopes of a frame are 812.1, 812.2 …', async () => {
    const steps = [up([good(1), good(2), good(3)], [10_000]), up([good(4), good(5)])];
    const built = one(await tlsConversation(steps, V13), { coalesce: true });
    const r = await readWith(built);
    const frame = Number.parseInt(r.inner[0]!.id, 10);
    assert.deepEqual(
      r.inner.map((x) => x.id),
      [1, 2, 3, 4, 5].map((k) => `${frame}.${k}`),
    );
  });

  test('inner, outer or both', async () => {
    const built = one(await tlsConversation(chatter(2, 20), V13));
    const rows = async (kinds: 'inner' | 'outer' | 'both') => (await readWith(built, { rows: kinds })).rows;
    assert.deepEqual(
      (await rows('inner')).map((r) => r.id),
      innerRows(built).map((r) => r.id),
    );
    assert.deepEqual(
      (await rows('both')).map((r) => r.id),
      rowIds(built),
    );
    const outer = await rows('outer');
    assert.deepEqual(
      outer.map((r) => r.id),
      built.frames.map((_, i) => `${i + 1}`),
    );
    for (const r of outer) assert.ok(!r.protocols.includes('fttims'), r.protocols);
  });

  test('tunnels have numbers in the order in which they are seen, and no row before', async () => {
    const c = await tlsConversation(SMALL, V13);
    const proxied = await tlsConversation(SMALL, V13, [connect(), { side: 1, octets: OK }]);
    const built = new CaptureBuilder()
      .connection(c, { ...ENDS, start: 30 })
      .connection(clearConversation(SMALL), { ...ENDS, client: at('192.0.2.10', 2), start: 20 })
      .connection(proxied, { ...ENDS, client: at('192.0.2.10', 3), server: at('198.51.100.9', 3128), start: 10 })
      .build();
    const r = await readWith(built);
    const { tunnels } = r.pass.index;
    assert.deepEqual(
      tunnels.map((t) => t.ends[t.ue].port),
      [3, 2, 40_000],
    );
    for (const start of [1, 2, 3]) assert.equal(r.rows.find((x) => x.frame === start)!.tunnel, 0);
    assert.deepEqual(
      tunnels.map((t) => t.envelopes.map((e) => e.total)),
      [1, 2, 3].map(() => [1, 1]),
    );
  });

  test('tunnels at the same time keep their packets apart', async () => {
    const builder = new CaptureBuilder();
    for (let i = 0; i < 4; i++) {
      const c = await tlsConversation(chatter(i, 30), { version: i % 2 ? 'TLSv1.2' : 'TLSv1.3' });
      builder.connection(c, { ...ENDS, client: at('192.0.2.10', 40_000 + i), start: i / 100, step: 90 + i });
    }
    const built = builder.build();
    const r = await readWith(built);
    assert.deepEqual(expectedOf(r), innerRows(built));
  });

  test('TLS inside a tunnel is decrypted, and is no tunnel', async () => {
    const inside = await tlsConversation([{ side: 0, plain: register(1) }], V13);
    const conversation = new Connection(inside, { client: at('10.0.0.2', 40_000), server: at('10.0.0.1', 5061) });
    const steps = conversation.segments.map((s, i) => {
      const e = envelope(conversation.packet(s, i));
      return s.side === 0 ? up([e]) : down([e]);
    });
    const outside = await tlsConversation(steps, V13);
    const built = one(outside);
    const plain: string[] = [];
    const r = await read(built.octets, { keylog: [built.keylog, inside.keylog] }, (row) => {
      const { sources, sourceCount } = row.dissection.tree;
      for (const { buf, start, end } of sources.slice(0, sourceCount))
        if (row.inner > 0) plain.push(Buffer.from(buf.subarray(start, end)).toString('latin1'));
    });
    assert.equal(r.pass.index.tunnels.length, 1);
    assert.equal(r.inner.length, steps.length);
    assert.deepEqual(new Set(r.inner.map((x) => x.tunnel)), new Set([1]));
    assert.equal(plain.filter((p) => p.startsWith('REGISTER sip:')).length, 1);
  });

  test('the same endpoints a second time are another tunnel', async () => {
    const builder = new CaptureBuilder();
    for (const [i, end] of (['fin', 'rst', 'none', 'fin'] as const).entries()) {
      const c = await tlsConversation(chatter(i, 5), V13);
      builder.connection(c, { ...ENDS, isn: [1000 * i, 77_000 * i], start: 1000 * i, end });
    }
    const built = builder.build();
    const r = await readWith(built);
    assert.equal(r.pass.index.tunnels.length, 4);
    assert.deepEqual(expectedOf(r), innerRows(built));
  });
});

const SMALL: readonly Step[] = [up([good(1)]), down([envelope(ping(EFTF.address, UE.address, 1, 1, 40))])];
const OK = new TextEncoder().encode('HTTP/1.1 200 OK\r\n\r\n');

describe('direction', () => {
  const low = { client: at('192.0.2.10', 1000), server: at('198.51.100.1', 8443) };
  const directions = (r: Read): string[] => r.inner.map((x) => x.direction!);

  test('by the SYN, for envelopes in the clear', async () => {
    const r = await readWith(one(clearConversation([...SMALL].reverse()), low));
    assert.deepEqual(directions(r), ['down', 'up']);
    assert.equal(r.pass.index.tunnels[0]!.inferred, false);
  });

  test('by the ClientHello, where the SYN is missing', async () => {
    const r = await readWith(one(await tlsConversation(SMALL, V13), { ...low, opening: false }));
    assert.deepEqual(directions(r), ['up', 'down']);
    assert.equal(r.pass.index.tunnels[0]!.inferred, false);
  });

  test('by the secret that opens the records, where the handshake is missing', async () => {
    const c = await tlsConversation([...chatter(1, 20), ...SMALL], V13);
    const from = c.inner[4]!.from;
    const built = one(c, { ...low, capture: { shape: [late([from, 0])] } });
    const r = await readWith(built);
    assert.deepEqual(directions(r).slice(-2), ['up', 'down']);
    assert.equal(r.pass.index.tunnels[0]!.inferred, false);
  });

  test('by port 443, else by the lower port, and then it is marked', async () => {
    for (const server of [at('198.51.100.1', 443), at('198.51.100.1', 999)]) {
      const r = await readWith(one(clearConversation(SMALL), { ...low, server, opening: false }));
      assert.deepEqual(directions(r), ['up', 'down']);
      assert.equal(r.pass.index.tunnels[0]!.inferred, true);
    }
  });
});

describe('frames that were captured twice', () => {
  test('at one interface: marked, and their envelopes are rows once', async () => {
    const built = one(await tlsConversation(chatter(9, 20), V13), { capture: { shape: [twice(1)] } });
    const r = await readWith(built);
    assert.deepEqual(
      r.inner.map((x) => x.id),
      innerRows(built).map((x) => x.id),
    );
    const marked = r.rows.filter((x) => x.findings.includes('capture.duplicate')).map((x) => x.frame);
    const copies = built.frames.flatMap((f, i) => (i % 2 === 1 && f.payload > 0 ? [i + 1] : []));
    assert.deepEqual(
      [...new Set(marked)].filter((n) => copies.includes(n)),
      copies,
    );
    assert.ok(marked.every((n) => n % 2 === 0));
  });

  test('at two interfaces: marked', async () => {
    const built = one(await tlsConversation(chatter(9, 20), V13), { capture: { shape: [twice(1, 1)] } });
    const r = await readWith(built);
    const marked = new Set(r.rows.filter((x) => x.findings.includes('capture.duplicate')).map((x) => x.frame));
    assert.deepEqual(
      [...marked],
      built.frames.flatMap((_, i) => (i % 2 === 1 ? [i + 1] : [])),
    );
  });
});
