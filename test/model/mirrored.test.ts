import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CaptureOptions, Shaper } from '../build/capture.js';
import { type Conversation, clearConversation } from '../build/conversation.js';
import { ENCAPSULATIONS } from '../build/encapsulate.js';
import { twice } from '../build/shape.js';
import { tlsConversation } from '../build/tls.js';
import { captured, codes, finding, healthy, type Json, reportOn } from './support.js';

/** What a report counts, rows and times aside. */
const counts = (r: Json) => ({
  tunnels: r.tunnels.map((t: Json) => [
    t.envelopes,
    t.tcp.retransmissions,
    t.tcp.outOfOrder,
    t.legs.length,
    t.release.how,
  ]),
  registrations: r.registrations.map((x: Json) => x.transactions.map((t: Json) => [t.method, t.retransmissions])),
  calls: r.calls.map((c: Json) => [c.state, c.messages.map((m: Json) => [m.method, m.status, m.retransmissions])]),
  media: r.media.map((m: Json) => [m.packets, m.lost, m.duplicates, m.reordered]),
  dhcp: r.addressing.map((a: Json) => a.dhcp.exchanges.map((e: Json) => e.messages.map((m: Json) => m.type))),
  findings: r.findings.map((f: Json) => f.code).filter((code: string) => code !== 'capture.duplicate'),
});

/** What was mirrored twice is the same as what was captured once, and that it was is said. */
async function same(c: Conversation): Promise<void> {
  const told = (o: CaptureOptions) => reportOn(captured(c, {}, o).octets, c.keylog);
  const once = await told({});
  assert.equal(finding(once, 'capture.duplicate'), undefined);
  assert.equal(once.calls.length, 1);
  for (const iface of [0, 1]) {
    const r = await told({ shape: [twice(1, iface)] });
    assert.deepEqual(counts(r), counts(once), `interface ${iface}`);
    assert.deepEqual(codes(r), []);
    const f = finding(r, 'capture.duplicate');
    assert.deepEqual([f.severity, f.refs, f.rows], ['note', [{ kind: 'file', id: 1 }], ['2']]);
    const [file] = r.capture.files;
    assert.equal(file.duplicates, file.frames / 2);
    assert.match(f.meaning, new RegExp(`^${file.duplicates} frames repeat others\\.`));
  }
}

// Frames that a mirror port or several interfaces captured twice keep their rows, and count once.
test('a tunnel in the clear that was mirrored twice counts once', () => same(clearConversation(healthy().steps)));

test('and so does one in TLS', async () => {
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const)
    await same(await tlsConversation(healthy().steps, { version }));
});

test('what a gateway wrapped or unwrapped between two places of capture counts once', async () => {
  const c = clearConversation(healthy().steps);
  const once = await reportOn(captured(c).octets);
  for (const e of ENCAPSULATIONS.filter((x) => x.link === undefined)) {
    const wrapped: Shaper = (frames) =>
      frames.flatMap((f) => {
        const octets = e.wrap(f.octets, f.side);
        return [f, { ...f, octets, wire: octets.length, time: f.time + 1000 }];
      });
    const r = await reportOn(captured(c, {}, { shape: [wrapped] }).octets);
    assert.deepEqual(counts(r), counts(once), e.name);
    assert.equal(r.capture.files[0].duplicates, r.capture.files[0].frames / 2, e.name);
  }
});
