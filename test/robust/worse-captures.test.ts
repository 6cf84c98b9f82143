import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CATALOGUE } from '../../src/model/catalogue.js';
import { reportSchema } from '../../src/report/report-schema.js';
import type { Shaper } from '../build/capture.js';
import { answer, connect } from '../build/conversation.js';
import { drop, jitter, only, padded, snaplen, twice, where } from '../build/shape.js';
import { tlsConversation } from '../build/tls.js';
import { violations } from '../model/schema.js';
import { both, called, captured, codes, type Json, reportOn, sip, type Talk, talk } from '../model/support.js';

/*
 * Whoever captures less of a healthy service has no proof of a fault: nothing is claimed for certain then, and nothing is
 * counted, that the whole capture does not have.
 */

/** A call, some silence in which every timer runs out, a refresh, and the end of the registration. */
function day(): Talk {
  const t = both(called(talk(), 1000, 1000), 1210, 40);
  const p = { callId: 'reg-1@10.0.0.2', from: 'sip:alice@ims.example', to: 'sip:alice@ims.example' };
  for (const [ms, cseq, expires] of [
    [140_000, 3, 3600],
    [280_000, 4, 0],
  ] as const) {
    const headers = [['Contact', `<sip:alice@10.0.0.2:5060>;expires=${expires}`]] as const;
    t.up(ms, sip('REGISTER sip:ims.example', { ...p, cseq, headers }));
    t.down(ms + 20, sip('200 OK REGISTER', { ...p, cseq, toTag: 'r', headers }, 'down'));
  }
  return t;
}

const words = [connect(), answer(407, 'No', ['Proxy-Authenticate: Basic realm="a"'], 'no')];
words.push(connect('eftf.example:443', ['Proxy-Authorization: Basic eDp5']), answer(200, 'OK'));

const counts = (r: Json): Record<string, number> => ({
  tunnels: r.tunnels.length,
  registrations: r.registrations.length,
  calls: r.calls.length,
  media: r.media.length,
  envelopes: r.tunnels.reduce((n: number, t: Json) => n + t.envelopes.up.total + t.envelopes.down.total, 0),
  packets: r.media.reduce((n: number, m: Json) => n + m.packets, 0),
  messages: r.calls.reduce((n: number, c: Json) => n + c.messages.length, 0),
});

const times = <T>(n: number, of: (i: number) => T): T[] => Array.from({ length: n }, (_, i) => of(i));
const part =
  (from: number, to: number): Shaper =>
  (frames) =>
    frames.slice(Math.floor(from * frames.length), Math.ceil(to * frames.length));

/** What a place of capture may do to a capture. */
const WORSE: Readonly<Record<string, readonly Shaper[]>> = {
  'it begins later': [...times(24, (n) => where((_, i) => i > n)), ...times(9, (n) => part((n + 1) / 10, 1))],
  'it ends sooner': times(30, (n) => part(0, (n + 1) / 31)),
  'frames are lost': [
    ...[2, 3, 5, 10].flatMap((k) => times(k, (rest) => where((_, i) => i % k !== rest))),
    ...times(8, (n) => where((f) => Math.floor(f.time / 40e9) !== n)),
    ...times(8, (n) => where((_, i) => Math.floor(i / 16) !== n)),
    drop(0.05),
    drop(0.3),
  ],
  'one side is missing': [only(0), only(1)],
  'frames are cut': [64, 96, 128, 256, 400].map(snaplen),
  'frames come twice or late': [twice(1), twice(0.3), jitter(2)],
};
const KEYS: Readonly<Record<string, (line: string) => boolean>> = {
  'no keys': () => false,
  'those of the UE': (l) => !l.startsWith('SERVER_'),
  'those of the EFTF': (l) => !l.startsWith('CLIENT_'),
};

for (const [name, version, preface] of [
  ['TLS 1.2', 'TLSv1.2', []],
  ['TLS 1.3 through a proxy', 'TLSv1.3', words],
] as const)
  describe(`a healthy tunnel of ${name}`, async () => {
    const c = await tlsConversation(day().steps, { version }, preface);
    const of = async (shape: readonly Shaper[], keylog = c.keylog): Promise<Json> =>
      reportOn(captured(c, { acks: 1 }, { shape }).octets, keylog);
    const whole = await of([]);
    const schema = reportSchema(Object.keys(CATALOGUE));
    const identities = new Set([...whole.calls, ...whole.registrations].map((x: Json) => x.uid));

    test('is one in the whole capture', () => {
      assert.deepEqual([codes(whole), whole.tunnels[0].state], [[], 'established']);
      assert.deepEqual([whole.calls[0].state, whole.registrations[0].state], ['ended', 'deregistered']);
    });

    const holds = (r: Json, what: string): void => {
      assert.deepEqual(violations(r, schema), [], what);
      const claims = r.findings.filter((f: Json) => f.kind !== 'capture' && f.severity !== 'note');
      const certain = claims.filter((f: Json) => f.confidence === 'certain');
      assert.deepEqual(
        certain.map((f: Json) => `${f.code}: ${f.meaning}`),
        [],
        what,
      );
      for (const t of r.tunnels) assert.deepEqual([t.state === 'failed', t.failure], [false, undefined], what);
      for (const x of [...r.calls, ...r.registrations]) {
        assert.ok(identities.has(x.uid), `${what}: ${x.callId}`);
        assert.ok(!['failed', 'cancelled', 'expired'].includes(x.state), `${what}: ${x.callId} ${x.state}`);
      }
      const most = counts(whole);
      for (const [of, n] of Object.entries(counts(r))) assert.ok(n <= most[of]!, `${what}: ${n} ${of}`);
    };

    for (const [worse, shapers] of Object.entries(WORSE))
      test(worse, async () => {
        for (const [i, shaper] of shapers.entries()) holds(await of([shaper]), `${worse}, ${i}`);
      });

    test('padding counts as octets of TCP', async () => {
      const r = await of([padded()]);
      holds(r, 'padding');
      assert.deepEqual(counts(r), counts(whole));
    });

    for (const [which, keep] of Object.entries(KEYS))
      test(`only ${which} are there`, async () => {
        const r = await of([], c.keylog.split('\n').filter(keep).join('\n'));
        holds(r, which);
        const { overhead, tls } = r.tunnels[0];
        const isRead = tls.decryption.up.verdict === 'full' && tls.decryption.down.verdict === 'full';
        assert.equal(overhead !== undefined, isRead, which);
      });
  });
