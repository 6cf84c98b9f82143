import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SecureContextOptions } from 'node:tls';
import { TlsSession } from '../../src/tls/index.js';
import {
  type Followed,
  follow,
  type PairOptions,
  record,
  services,
  type Talk,
  type Whole,
  wholeRecords,
} from './pair.js';

/** Handshakes of which a part is missing from the capture, or in it in another order. */

const V12 = { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' } as const;
const V13: PairOptions = { client: { minVersion: 'TLSv1.3' } };
const talk = async ({ send }: Talk): Promise<void> => {
  for (let i = 0; i < 40; i++) await send((i & 1) as 0 | 1, Buffer.from(`number ${i} ${'x'.repeat(i)}`));
};
/** Whether a record has a message of a type in the clear; what is encrypted begins with any octet, and has no such length. */
const isHello = ({ octets }: Whole, type: number): boolean =>
  octets[0] === 22 && octets[5] === type && Buffer.from(octets).readUIntBE(6, 3) + 9 <= octets.length;

/** All application data was opened. */
function assertOpened(f: Followed, sent: readonly [Buffer, Buffer], note: string): void {
  for (const d of [0, 1] as const) assert.ok(f.data[d].equals(sent[d]), `${note}: direction ${d}`);
}

/** A key log with lines of other sessions before those that are wanted. */
const among = (keylog: string): string => {
  const others = Array.from({ length: 40 }, (_, i) =>
    keylog
      .replace(/ [0-9a-f]{64} /g, ` ${i.toString(16).padStart(64, '0')} `)
      .replace(/[0-9a-f]{64}$/gm, (s) =>
        s.replace(/./g, (c) => ((Number.parseInt(c, 16) + 1 + (i % 15)) & 15).toString(16)),
      ),
  );
  return others.join('') + keylog;
};

test('TLS 1.3 without the ClientHello', async () => {
  for (const ciphers of ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256']) {
    const r = await record({ client: { minVersion: 'TLSv1.3', ciphers: `${ciphers}:AES128-GCM-SHA256` }, talk });
    const wholes = wholeRecords(r.segments).filter((w) => !isHello(w, 1));
    const keylogs = [r.keylog, among(r.keylog), r.keylog.replace(/^.*HANDSHAKE.*\n/gm, '')];
    for (const keylog of keylogs) {
      const f = follow(wholes, { services: services(keylog) });
      assertOpened(f, r.sent, ciphers);
      assert.equal(f.session.clientRandom, r.keylog.split(' ')[1]);
      assert.notEqual(f.session.serverRandom, '');
      if (keylog.includes('HANDSHAKE')) assert.equal(f.session.certificates.length, 1);
    }
    const none = follow(wholes, {
      services: services(r.keylog.replace(/ [0-9a-f]+$/gm, (s) => ` ${'0f'.repeat(s.length >> 1)}`)),
    });
    assert.match(none.session.verdict(0).reason!, /ClientHello was not captured.*keys tried/);
  }
});

/** Suites of each way to open a record below TLS 1.3. */
const SUITES12: readonly [string, SecureContextOptions][] = [
  ['ECDHE-RSA-AES128-GCM-SHA256', V12],
  ['ECDHE-RSA-AES256-GCM-SHA384', V12],
  ['ECDHE-RSA-CHACHA20-POLY1305', V12],
  ['AES128-CCM', V12],
  ['ECDHE-RSA-AES128-SHA', V12],
  ['ECDHE-RSA-AES128-SHA', { minVersion: 'TLSv1', maxVersion: 'TLSv1' }],
];

test('TLS 1.2 without the ClientHello', async () => {
  for (const [suite, versions] of SUITES12) {
    const settings = { ...versions, ciphers: `${suite}@SECLEVEL=0` };
    const r = await record({ client: settings, server: settings, talk });
    const note = `${r.protocol} ${suite}`;
    const line = /^CLIENT_RANDOM (\S+) .*$/m.exec(r.keylog)!; // with RSA key exchange there is another line
    const wholes = wholeRecords(r.segments).filter((w) => !isHello(w, 1));
    for (const keylog of [r.keylog, among(r.keylog)]) {
      const f = follow(wholes, { services: services(keylog) });
      assertOpened(f, r.sent, note);
      assert.equal(f.session.clientRandom, line[1], note);
      assert.equal(f.session.keyLine, line[0], note);
      for (const d of [0, 1] as const) assert.equal(f.session.verdict(d).verdict, 'full', note);
      // The client's change of keys is missing, too.
      const hidden = wholes.filter((w) => !(w.direction === 0 && w.octets[0] === 20));
      assertOpened(follow(hidden, { services: services(keylog) }), r.sent, `${note}, no ChangeCipherSpec`);
    }
    const wrong = services(among(r.keylog).replace(r.keylog, ''));
    const none = follow(wholes, { services: wrong });
    assert.match(none.session.verdict(0).reason!, /ClientHello was not captured.*\(40 of 40 keys tried\)/, note);
    assert.equal(none.session.verdict(0).decrypted + none.session.verdict(1).decrypted, 0, note);
    assert.notEqual(none.session.finished[1], undefined, note); // told by its place
    const empty = follow(wholes, { services: services('') });
    assert.match(empty.session.verdict(0).reason!, /randoms of both hellos/, note);
  }
});

test('TLS 1.2 without the ClientHello: a session that another one takes up', async () => {
  const first = await record({ client: V12, talk });
  const r = await record({ client: { ...V12, session: first.session }, talk });
  const wholes = wholeRecords(r.segments).filter((w) => !isHello(w, 1));
  assertOpened(follow(wholes, { services: services(first.keylog + r.keylog) }), r.sent, 'resumed');
});

test('TLS 1.2 without the end of the ClientHello', async () => {
  const r = await record({ client: V12, talk });
  const wholes = wholeRecords(r.segments);
  const s = services(r.keylog);
  const session = new TlsSession(s);
  const opened: [number, number] = [0, 0];
  for (const { octets, direction, frame } of wholes)
    if (isHello({ octets, direction, frame }, 1)) session.cut(0, octets, 0, 60, frame);
    else {
      const t = session.record(direction, octets, 0, octets.length, frame);
      s.decryptor.flush();
      if (t.status === 'open' && t.contentType === 23) opened[direction] += t.plain!.end - t.plain!.off;
    }
  assert.deepEqual(opened, [r.sent[0].length, r.sent[1].length]);
  assert.equal(session.clientRandom, r.keylog.split(' ')[1]);
});

test('TLS 1.2 without the second of two records of a ClientHello', async () => {
  const r = await record({ client: V12, talk });
  const wholes = wholeRecords(r.segments).flatMap((w): Whole[] => {
    if (!isHello(w, 1)) return [w];
    const part = (from: number, to: number): Uint8Array =>
      Buffer.concat([Uint8Array.of(22, 3, 1, 0, to - from), w.octets.subarray(from, to)]);
    return [part(5, 80), part(80, w.octets.length)].map((octets) => ({ ...w, octets }));
  });
  const f = follow(wholes, { services: services(r.keylog), edit: (w, i) => (i === 1 ? 'drop' : w) });
  assertOpened(f, r.sent, 'split');
});

test('one direction alone: the other one has a reason', async () => {
  const r = await record({ ...V13, talk });
  for (const side of [0, 1] as const) {
    const wholes = wholeRecords(r.segments).filter((w) => w.direction === side);
    const { session } = follow(wholes, { services: services(r.keylog) });
    const verdict = session.verdict(side === 0 ? 1 : 0);
    assert.deepEqual([verdict.verdict, verdict.records], ['none', 0]);
    assert.match(verdict.reason!, /no protected records/);
  }
});

/** Moves the ClientHello behind the first `n` records of the server. */
function helloAfter(wholes: readonly Whole[], n: number): Whole[] {
  const hello = wholes.find((w) => isHello(w, 1))!;
  const rest = wholes.filter((w) => w !== hello);
  const at = rest.findIndex(
    (w, i) => w.direction === 1 && rest.slice(0, i + 1).filter((x) => x.direction === 1).length === n,
  );
  return [...rest.slice(0, at + 1), hello, ...rest.slice(at + 1)];
}

test('the server speaks before the ClientHello', async () => {
  const first = await record({ client: V12, talk });
  const cases: [string, PairOptions, number][] = [
    ['TLS 1.2', { client: V12 }, 4],
    ['TLS 1.2, resumed', { client: { ...V12, session: first.session } }, 3],
    ['TLS 1.3', V13, 5],
  ];
  for (const [name, options, most] of cases)
    for (let n = 1; n <= most; n++)
      for (const flushEvery of [1, 1000]) {
        const r = await record({ ...options, talk });
        const f = follow(helloAfter(wholeRecords(r.segments), n), { services: services(r.keylog), flushEvery });
        assertOpened(f, r.sent, `${name}, ${n} records`);
      }
});

test('the whole handshake of the client before that of the server', async () => {
  for (const options of [{ client: V12 }, V13]) {
    const r = await record({ ...options, talk });
    const wholes = wholeRecords(r.segments);
    const end = wholes.findIndex((w, i) => w.direction === 1 && i > 0 && wholes[i - 1]!.direction === 0 && i > 3);
    const start = wholes.slice(0, end);
    const order = [0, 1].flatMap((side) => start.filter((w) => w.direction === side)).concat(wholes.slice(end));
    assertOpened(follow(order, { services: services(r.keylog) }), r.sent, r.protocol);
  }
});

test('TLS 1.3 application secrets that do not fit', async () => {
  const r = await record({ ...V13, talk });
  const wrong = r.keylog.replace(
    /^(\S+TRAFFIC_SECRET_0 \S+ )(\S+)$/gm,
    (_, start: string, s: string) => start + '0f'.repeat(s.length / 2),
  );
  const { session } = follow(wholeRecords(r.segments), { services: services(wrong) });
  for (const d of [0, 1] as const)
    assert.match(session.verdict(d).reason!, /key may not fit: the tag of record 0 is wrong/);
});

/** The ClientHello as Encrypted ClientHello shows it (RFC 9849 §5): another random, and an extension of the outer kind. */
function encrypted(w: Whole): Whole {
  const extension = Uint8Array.from([0xfe, 0x0d, 0, 10, 0, 0, 1, 0, 1, 7, 0, 0, 0, 0]);
  const b = Buffer.concat([w.octets, extension]);
  b.fill(0xaa, 11, 43);
  let at = 43 + 1 + b[43]!; // the session id
  at += 2 + b.readUInt16BE(at);
  at += 1 + b[at]!;
  for (const length of [3, 7, at]) b.writeUInt16BE(b.readUInt16BE(length) + extension.length, length);
  return { ...w, octets: b };
}

test('Encrypted ClientHello: the lines of the key log have the inner random', async () => {
  const r = await record({ ...V13, talk });
  const wholes = wholeRecords(r.segments).map((w) => (isHello(w, 1) ? encrypted(w) : w));
  for (const keylog of [r.keylog, among(r.keylog)]) {
    const f = follow(wholes, { services: services(keylog) });
    assertOpened(f, r.sent, 'ECH');
    assert.equal(f.session.clientRandom, 'aa'.repeat(32));
    assert.equal(f.session.keyRandom, r.keylog.split(' ')[1]);
  }
  const outer = r.keylog.replace(/ [0-9a-f]{64} /g, ` ${'aa'.repeat(32)} `);
  const greased = follow(wholes, { services: services(outer) });
  assertOpened(greased, r.sent, 'not accepted');
  const none = follow(wholes, { services: services(`ECH_SECRET ${'aa'.repeat(32)} 00112233`) });
  for (const d of [0, 1] as const) assert.match(none.session.verdict(d).reason!, /encrypted \(ECH\).*inner/);
});
