import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { LIMITS } from '../../src/limits.js';
import { Epoch } from '../../src/tls/epoch.js';
import { TlsSession } from '../../src/tls/index.js';
import { envelope, hexLine, Sealer, SUITES_13 } from './maker.js';
import { follow, type Recorded, record, services, wholeRecords } from './pair.js';

/** What one more trial may take that was begun with little left: the largest span, in blocks of ChaCha20, and its tags. */
const BEGUN = 8 * LIMITS.recordSearch + LIMITS.recordSearch;

const decoys = (n: number): string =>
  Array.from({ length: n }, () => hexLine('CLIENT_TRAFFIC_SECRET_0', randomBytes(32), randomBytes(32))).join('');

test('a late join with many key lines takes a bounded part of the search at a frame, and goes on', () => {
  const suite = SUITES_13[0]!;
  const secret = randomBytes(suite.secret);
  const sealer = new Sealer(suite, secret);
  sealer.skip(100);
  const s = services(decoys(150) + hexLine('CLIENT_TRAFFIC_SECRET_0', randomBytes(32), secret));
  const session = new TlsSession(s);
  const { allowance } = s.decryptor;
  let opened = 0;
  for (let frame = 1; opened < 5 && frame < 100_000; frame += 200) {
    const octets = sealer.seal(envelope(60));
    const before = allowance.total;
    const r = session.record(0, octets, 0, octets.length, frame);
    s.decryptor.flush();
    const spent = before - allowance.total;
    const most = frame === 1 ? LIMITS.lateJoinBlocksAtOnce : 200 * LIMITS.lateJoinBlocksPerFrame;
    assert.ok(spent <= most + BEGUN, `${spent} blocks at frame ${frame}`);
    if (frame === 1) {
      assert.ok(spent >= most);
      assert.match(
        r.reason!,
        new RegExp(`limit ${LIMITS.lateJoinBlocksAtOnce} blocks at once, more with later records`),
      );
    }
    if (r.status === 'open') opened++;
  }
  assert.equal(opened, 5);
  assert.ok(session.verdict(0).resumedAt[0]! > 101);
});

test('records of one frame share what the frame may take', () => {
  const sealer = new Sealer(SUITES_13[0]!, randomBytes(32));
  const s = services(decoys(500));
  const session = new TlsSession(s);
  const before = s.decryptor.allowance.total;
  for (let i = 0; i < 20; i++) {
    const octets = sealer.seal(envelope(60));
    session.record(0, octets, 0, octets.length, 1);
  }
  s.decryptor.flush();
  const spent = before - s.decryptor.allowance.total;
  assert.ok(spent <= LIMITS.lateJoinBlocksAtOnce + BEGUN, `${spent} blocks`);
});

test('lines for a ClientHello that is missing are tried within what a run may cost', async () => {
  const client = { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' } as const;
  const r = await record({ client, talk: async ({ send }) => send(0, 'one') });
  const wholes = wholeRecords(r.segments).filter((w) => w.octets[0] !== 22 || w.octets[5] !== 1);
  const lines = Array.from({ length: LIMITS.lateJoinLines + 1 }, () =>
    hexLine('CLIENT_RANDOM', randomBytes(32), randomBytes(48)),
  );
  const s = services(lines.join(''));
  const before = s.decryptor.allowance.total;
  for (let i = 0; i < 40; i++)
    follow(
      wholes.map((w) => ({ ...w, frame: 1000 * i + w.frame })),
      { services: s },
    );
  const spent = before - s.decryptor.allowance.total;
  assert.ok(spent >= LIMITS.lateJoinBlocksTotal && spent <= LIMITS.lateJoinBlocksTotal + BEGUN, `${spent} blocks`);
  const last = follow(wholes, { services: s }).session.verdict(0);
  assert.match(last.reason!, /ClientHello was not captured.*the run may search no further/);
  // The line is beyond the cap: that is told.
  const far = follow(wholes, { services: services(lines.join('') + r.keylog) }).session.verdict(1);
  assert.match(far.reason!, new RegExp(`limit ${LIMITS.lateJoinLines} lines of a label`));
});

test('sessions without their ClientHello are found in the order of the key log, also when they are read once more', async () => {
  const client = { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' } as const;
  const sessions: Recorded[] = [];
  for (let i = 0; i < 12; i++)
    sessions.push(await record({ client, talk: async ({ send }) => send(0, `number ${i}`) }));
  const s = services(sessions.map((r) => r.keylog).join(''));
  const spent = (): number => {
    const before = s.decryptor.allowance.total;
    for (const r of sessions) {
      const wholes = wholeRecords(r.segments).filter((w) => w.octets[0] !== 22 || w.octets[5] !== 1);
      assert.ok(follow(wholes, { services: s }).data[0].equals(r.sent[0]));
    }
    return before - s.decryptor.allowance.total;
  };
  const first = spent();
  const each = first / sessions.length;
  assert.ok(each < 10_000, `${each} blocks a session`); // one key, and the tags of two numbers at most
  assert.ok(spent() <= first + each * 2); // around the end of the list
});

test('what a direction may search ends, and that is told', () => {
  const sealer = new Sealer(SUITES_13[0]!, randomBytes(32));
  const s = services(decoys(LIMITS.lateJoinLines + 1));
  const session = new TlsSession(s);
  const before = s.decryptor.allowance.total;
  for (let frame = 1; frame < 100_000; frame += 1000) {
    const octets = sealer.seal(envelope(60));
    session.record(0, octets, 0, octets.length, frame);
    s.decryptor.flush();
  }
  const spent = before - s.decryptor.allowance.total;
  assert.ok(spent >= LIMITS.lateJoinBlocks && spent <= LIMITS.lateJoinBlocks + BEGUN, `${spent} blocks`);
  const { reason } = session.verdict(0);
  assert.match(
    reason!,
    new RegExp(`limit ${LIMITS.lateJoinLines} lines of a label; limit ${LIMITS.lateJoinBlocks} blocks`),
  );
});

test('the search behind a gap tries a bounded number of MACs at a frame, and goes on', async (t) => {
  const ciphers = 'ECDHE-RSA-AES128-SHA256';
  const versions = { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' } as const;
  const recorded = await record({
    client: { ...versions, ciphers },
    server: { ciphers },
    talk: async ({ send }) => {
      for (let i = 0; i < LIMITS.tagTrialsAtOnce + 200; i++) await send(0, 'x');
    },
  });
  const wholes = wholeRecords(recorded.segments).map((w, i) => ({ ...w, frame: i + 1 }));
  const first = wholes.findIndex((w) => w.octets[0] === 23);
  const last = wholes.length - 20;
  const tries = new Map<number, number>();
  const { open } = Epoch.prototype;
  t.mock.method(Epoch.prototype, 'open', function (this: Epoch, ...[r, sequence]: Parameters<Epoch['open']>): boolean {
    tries.set(r.frame, (tries.get(r.frame) ?? 0) + 1);
    return open.call(this, r, sequence);
  });
  const f = follow(wholes, {
    services: services(recorded.keylog),
    edit: (w, i) => (w.direction === 0 && i > first + 4 && i < last ? 'drop' : w),
  });
  assert.ok(Math.max(...tries.values()) <= LIMITS.tagTrialsAtOnce + 1);
  assert.ok(Math.max(...tries.values()) >= LIMITS.tagTrialsAtOnce);
  const searched = f.records.filter((r) => r.direction === 0 && r.status === 'failed');
  assert.equal(searched.length, 1);
  assert.match(searched[0]!.reason!, new RegExp(`limit ${LIMITS.tagTrialsAtOnce} at once`));
  assert.ok(f.session.verdict(0).resumedAt[0]! > LIMITS.tagTrialsAtOnce);
});
