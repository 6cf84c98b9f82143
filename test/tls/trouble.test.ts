import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { before, describe, test } from 'node:test';
import fc from 'fast-check';
import { type TlsRecord, TlsSession } from '../../src/tls/index.js';
import { envelope, hexLine, Sealer, SUITES_13 } from './maker.js';
import { type Followed, follow, type Recorded, record, services, type Whole, wholeRecords } from './pair.js';

const V12 = { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' } as const;
const KINDS = [
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-SHA256',
  'ECDHE-RSA-CHACHA20-POLY1305',
  'AES256-CCM',
  'TLS_AES_128_GCM_SHA256',
  'TLS_CHACHA20_POLY1305_SHA256',
];
/** Messages of a conversation, the sides in turn: enough for the sample to look at one of each. */
const TALK = 600;
const recordings = new Map<string, { wholes: Whole[]; recorded: Recorded }>();

before(async () => {
  for (const kind of KINDS) {
    const tls13 = kind.startsWith('TLS_');
    const ciphers = tls13 ? `${kind}:AES128-GCM-SHA256` : kind;
    const recorded = await record({
      client: tls13 ? { ciphers } : { ...V12, ciphers },
      server: { ciphers },
      talk: async ({ send }) => {
        for (let i = 0; i < TALK; i++) await send((i & 1) as 0 | 1, Buffer.from(`number ${i} ${'x'.repeat(i % 90)}`));
      },
    });
    recordings.set(kind, { recorded, wholes: wholeRecords(recorded.segments) });
  }
});

/** Index of the nth application data record of direction 0, counted behind the handshake. */
function nth(wholes: readonly Whole[], n: number): number {
  let left = n;
  const start = wholes.length - TALK;
  for (let i = start; i < wholes.length; i++) if (wholes[i]!.direction === 0 && left-- === 0) return i;
  throw new Error('there are fewer records');
}

/** Every plain text that was given out must be among what was sent. */
function onlyTruth(f: Followed, recorded: Recorded): void {
  f.records.forEach((r, i) => {
    if (r.status === 'open' && r.contentType === 23)
      assert.ok(recorded.sent[r.direction].includes(f.plains[i]!), `record ${r.sequence}`);
  });
}

for (const kind of KINDS)
  describe(kind, () => {
    const get = (): { wholes: Whole[]; recorded: Recorded } => recordings.get(kind)!;

    test('lists alerts in the order of their frames, however many wait for the batch', () => {
      const { wholes, recorded } = get();
      for (const first of [0, 1]) {
        const last = wholes.slice(-2).sort((w) => (w.direction === first ? -1 : 1)); // both close, one before the other
        const reordered = [...wholes.slice(0, -2), ...last].map((w, i) => ({ ...w, frame: i + 1 }));
        for (const flushEvery of [1, 1000]) {
          const { session } = follow(reordered, { services: services(recorded.keylog), flushEvery });
          assert.deepEqual(
            session.alerts.map((x) => x.direction),
            [first, 1 - first],
          );
        }
      }
    });

    for (const lost of [1, 7])
      test(`goes on after ${lost} lost record(s)`, () => {
        const { wholes, recorded } = get();
        const missing = new Set(Array.from({ length: lost }, (_, k) => nth(wholes, 20 + k)));
        for (const flushEvery of [1, 1000]) {
          const f = follow(wholes, {
            services: services(recorded.keylog),
            flushEvery,
            edit: (w, i) => (missing.has(i) ? 'drop' : w),
          });
          const v = f.session.verdict(0);
          assert.equal(v.failed, 0);
          assert.equal(v.decrypted, v.records);
          assert.equal(v.resumedAt.length, 1);
          assert.match(v.reason!, /octets of the stream are missing/);
          const all = f.records.filter((r) => r.direction === 0 && r.sequence >= 0).map((r) => r.sequence);
          assert.ok(all.includes(v.resumedAt[0]!) && !all.includes(v.resumedAt[0]! - 1));
          assert.equal(f.data[0].length, recorded.sent[0].length - sizes(recorded, wholes, missing));
          onlyTruth(f, recorded);
        }
      });

    test('one damaged record is the only one that is lost, and nothing wrong is given out', () => {
      const { wholes, recorded } = get();
      const target = nth(wholes, 30);
      for (const verifyAll of [true, false]) {
        const f = follow(wholes, {
          services: services(recorded.keylog, verifyAll),
          edit: (w, i) => (i === target ? damaged(w) : w),
        });
        const v = f.session.verdict(0);
        if (verifyAll) {
          assert.equal(v.failed, 1);
          assert.equal(v.decrypted, v.records - 1);
          assert.match(v.reason!, /(tag|MAC) of record \d+ is wrong/);
          onlyTruth(f, recorded);
        } else
          for (const r of f.records)
            if (r.verified && r.status === 'open') assert.notEqual(r.buf[r.end - 1], undefined);
        assert.equal(f.session.verdict(1).verdict, 'full');
      }
    });

    test('a damaged record that the sample looks at makes the records around it be checked', () => {
      const { wholes, recorded } = get();
      // The sample takes records 0 to 3 and every 256th.
      const f0 = follow(wholes, { services: services(recorded.keylog) });
      const at = f0.records.findIndex((r) => r.direction === 0 && r.sequence === 256 && r.type === 23);
      const f = follow(wholes, { services: services(recorded.keylog), edit: (w, i) => (i === at ? damaged(w) : w) });
      const v = f.session.verdict(0);
      assert.equal(v.failed, 1);
      assert.equal(f.records[at]!.status, 'failed');
      assert.equal(f.records[at]!.plain, null);
      assert.ok(v.verified > f0.session.verdict(0).verified + 10);
      onlyTruth(f, recorded);
    });

    test('wrong keys never give plain text', () => {
      const { wholes, recorded } = get();
      const wrong = recorded.keylog.replace(/^(\S+ \S+ )(\S+)$/gm, (_, start: string, secret: string) => {
        return start + randomBytes(secret.length / 2).toString('hex');
      });
      const f = follow(wholes, { services: services(wrong) });
      for (const d of [0, 1] as const) {
        const v = f.session.verdict(d);
        assert.equal(v.verdict, 'none');
        assert.equal(v.decrypted, 0);
        assert.match(v.reason!, /key does not fit/);
      }
      assert.ok(f.records.every((r) => r.status !== 'open'));
      assert.ok(f.records.every((r) => r.status === 'clear' || r.plain === null));
    });

    test('without keys it says what is missing', () => {
      const { wholes, recorded } = get();
      const none = follow(wholes, { services: services('') });
      assert.equal(none.session.verdict(0).reason, 'There is no key log.');
      const other = hexLine('CLIENT_RANDOM', randomBytes(32), randomBytes(48));
      const f = follow(wholes, { services: services(other) });
      assert.match(f.session.verdict(1).reason!, new RegExp(`no line for client random ${f.session.clientRandom}`));
      assert.equal(f.session.suite !== 0, true);
      void recorded;
    });

    test('a capture that starts late', () => {
      const { wholes, recorded } = get();
      const late = wholes.slice(wholes.length - 150);
      for (const only of [undefined, 0, 1] as const) {
        const some = late.filter((w) => only === undefined || w.direction === only);
        const f = follow(some, {
          services: services(kind.startsWith('TLS_') ? recorded.keylog + decoys() : recorded.keylog),
        });
        for (const d of [0, 1] as const) {
          if (only !== undefined && d !== only) continue;
          const v = f.session.verdict(d);
          if (!kind.startsWith('TLS_')) {
            assert.equal(v.verdict, 'none');
            assert.match(v.reason!, /handshake was not captured/);
            continue;
          }
          assert.equal(v.verdict, 'full', v.reason);
          assert.ok(recorded.sent[d].subarray(-f.data[d].length).equals(f.data[d]));
          assert.ok(v.resumedAt[0]! > 0);
          assert.equal(f.session.version, 0x0304);
        }
        assert.equal(f.session.swapped, false);
      }
      if (!kind.startsWith('TLS_')) return;
      const turned = late.map((w) => ({ ...w, direction: (1 - w.direction) as 0 | 1 }));
      const f = follow(turned, { services: services(recorded.keylog) });
      assert.equal(f.session.swapped, true);
      assert.ok(recorded.sent[0].subarray(-f.data[1].length).equals(f.data[1]));
    });
  });

function damaged(w: Whole): Whole {
  const octets = w.octets.slice();
  octets[octets.length - 3]! ^= 0x10;
  return { ...w, octets };
}

/** Octets of application data in some records, from what the suite adds to them. */
function sizes(recorded: Recorded, wholes: readonly Whole[], missing: ReadonlySet<number>): number {
  const f = follow(wholes, { services: services(recorded.keylog) });
  assert.equal(f.session.verdict(0).verdict, 'full');
  let n = 0;
  for (const i of missing) n += f.plains[i]!.length;
  return n;
}

const decoys = (): string =>
  Array.from({ length: 3 }, () =>
    [
      hexLine('CLIENT_TRAFFIC_SECRET_0', randomBytes(32), randomBytes(32)),
      hexLine('SERVER_TRAFFIC_SECRET_0', randomBytes(32), randomBytes(48)),
    ].join(''),
  ).join('');

test('a late start finds keys after KeyUpdates, and the first record may be damaged', () => {
  const suite = SUITES_13[1]!;
  const secret = randomBytes(suite.secret);
  const sealer = new Sealer(suite, secret);
  sealer.keyUpdate();
  sealer.keyUpdate();
  sealer.skip(41_000);
  const sent = Array.from({ length: 20 }, (_, i) => envelope(30 + i, i));
  const wholes = sent.map((e, i): Whole => ({ direction: 1, frame: i + 1, octets: sealer.seal(e) }));
  const keys = hexLine('CLIENT_TRAFFIC_SECRET_0', randomBytes(32), secret);
  const f = follow(wholes, { services: services(keys), edit: (w, i) => (i === 0 ? damaged(w) : w) });
  assert.ok(f.data[1].equals(Buffer.concat(sent.slice(1))));
  assert.deepEqual(f.session.verdict(1).resumedAt, [41_001]);
  assert.equal(f.session.swapped, true);
});

test('a search without success says how far it came', () => {
  const suite = SUITES_13[0]!;
  const sealer = new Sealer(suite, randomBytes(32));
  const wholes = [0, 1].map((i): Whole => ({ direction: 0, frame: i, octets: sealer.seal(envelope(40)) }));
  const keys = hexLine('CLIENT_TRAFFIC_SECRET_0', randomBytes(32), randomBytes(48));
  const f = follow(wholes, { services: services(keys) });
  assert.equal(f.session.verdict(0).verdict, 'none');
  assert.match(f.session.verdict(0).reason!, /196608 of 196608 keys and record numbers searched/);
  assert.ok(f.records.every((r) => r.status === 'no-keys' && r.plain === null));
});

test('a gap of megabytes', () => {
  for (const suite of SUITES_13) {
    const secret = randomBytes(suite.secret);
    const sealer = new Sealer(suite, secret);
    const keys = hexLine('CLIENT_TRAFFIC_SECRET_0', randomBytes(32), secret);
    const s = services(keys);
    const session = new TlsSession(s);
    const feed = (n: number): TlsRecord[] =>
      Array.from({ length: n }, (_, i) => {
        const octets = sealer.seal(envelope(60 + i));
        return session.record(0, octets, 0, octets.length, 1);
      });
    const before = feed(5);
    sealer.skip(30_000);
    const hole = {};
    session.tear(0, hole);
    session.gap(0, 30_000 * 85);
    const behind = feed(40);
    s.decryptor.flush();
    assert.ok([...before, ...behind].every((r) => r.status === 'open'));
    assert.deepEqual(session.verdict(0).resumedAt, [30_005]);
    assert.deepEqual(hole, { first: 5, resumed: 30_005 });
  }
});

test('without keys, TLS 1.2 still shows when the handshake was done', () => {
  const { wholes } = recordings.get('ECDHE-RSA-AES128-GCM-SHA256')!;
  const withKeys = follow(wholes, {
    services: services(recordings.get('ECDHE-RSA-AES128-GCM-SHA256')!.recorded.keylog),
  });
  const { session } = follow(wholes, { services: services('') });
  assert.deepEqual(
    session.finished.map((f) => f?.frame),
    withKeys.session.finished.map((f) => f?.frame),
  );
  assert.deepEqual(session.established, withKeys.session.established);
  assert.equal(session.finished[1]?.valid, undefined);
});

test('a gap that swallows the change of keys', async () => {
  for (const kind of ['TLS_AES_128_GCM_SHA256', 'ECDHE-RSA-AES128-GCM-SHA256']) {
    const { wholes, recorded } = recordings.get(kind)!;
    const tls13 = kind.startsWith('TLS_');
    // From behind the hellos up to the first application data, one after the other.
    const hellos = wholes.findIndex((w) => w.direction === 1);
    const lostTo = wholes.length - 180;
    const f = follow(wholes, {
      services: services(recorded.keylog),
      edit: (w, i) => (i > hellos && i < lostTo ? 'drop' : w),
    });
    for (const d of [0, 1] as const) {
      const v = f.session.verdict(d);
      assert.equal(v.decrypted, v.records, `${kind} ${tls13} ${d}: ${v.reason}`);
      assert.ok(recorded.sent[d].subarray(-f.data[d].length).equals(f.data[d]));
    }
  }
});

test('a record that is cut counts, and the next one is read', () => {
  for (const kind of KINDS) {
    const { wholes, recorded } = recordings.get(kind)!;
    const target = nth(wholes, 25);
    const s = services(recorded.keylog);
    const session = new TlsSession(s);
    const records = wholes.map((w, i) =>
      i === target
        ? session.cut(w.direction, w.octets, 0, 30, w.frame)
        : session.record(w.direction, w.octets, 0, w.octets.length, w.frame),
    );
    s.decryptor.flush();
    assert.equal(records[target]!.status, 'cut');
    assert.equal(records.filter((r) => r.status !== 'open' && r.status !== 'clear').length, 1, kind);
    assert.match(
      session.verdict(0).reason!,
      /^1 of \d+ records could not be opened. The record was not captured whole/,
    );
  }
});

test('an inner plain text of zeros is an error', () => {
  const sealer = new Sealer(SUITES_13[0]!, Buffer.alloc(32, 1));
  const wholes = [sealer.seal(envelope(30)), sealer.seal(Buffer.alloc(0), -1, 20), sealer.seal(envelope(31))];
  for (const verifyAll of [false, true]) {
    const keys = hexLine('CLIENT_TRAFFIC_SECRET_0', randomBytes(32), Buffer.alloc(32, 1));
    const f = follow(
      wholes.map((octets, i) => ({ direction: 0, frame: i + 1, octets })),
      { services: services(keys, verifyAll) },
    );
    assert.deepEqual(
      f.records.map((r) => r.status),
      ['open', 'failed', 'open'],
    );
    assert.match(f.records[1]!.reason!, /nothing but padding/);
  }
});

test('no octets make it throw', () => {
  const { wholes, recorded } = recordings.get('TLS_AES_128_GCM_SHA256')!;
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 12 }),
      fc.array(
        fc.oneof(
          fc.record({ at: fc.nat(wholes.length - 1), flip: fc.nat(2000), with: fc.integer({ min: 1, max: 255 }) }),
          fc.record({
            direction: fc.constantFrom(0 as const, 1 as const),
            type: fc.constantFrom(20, 21, 22, 23, 24),
            body: fc.uint8Array({ maxLength: 60 }),
          }),
          fc.record({ gap: fc.constantFrom(0 as const, 1 as const), octets: fc.nat(5000) }),
        ),
        { maxLength: 30 },
      ),
      (start, steps) => {
        const s = services(recorded.keylog);
        const session = new TlsSession(s);
        for (const w of wholes.slice(0, start)) session.record(w.direction, w.octets, 0, w.octets.length, 1);
        for (const step of steps) {
          if ('gap' in step) session.gap(step.gap, step.octets);
          else if ('body' in step) {
            const octets = Buffer.concat([Buffer.from([step.type, 3, 3, 0, step.body.length]), step.body]);
            session.record(step.direction, octets, 0, octets.length, 1);
          } else {
            const w = wholes[step.at]!;
            const octets = w.octets.slice();
            const at = 5 + (step.flip % Math.max(1, octets.length - 5));
            if (at < octets.length) octets[at]! ^= step.with;
            session.record(w.direction, octets, 0, octets.length, 1);
          }
        }
        s.decryptor.flush();
        for (const d of [0, 1] as const) {
          const v = session.verdict(d);
          assert.ok(v.decrypted + v.failed <= v.records);
        }
      },
    ),
    { numRuns: 150 },
  );
});
