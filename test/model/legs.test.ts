import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CaptureBuilder, type Frame, type Shaper } from '../build/capture.js';
import type { ConnectionOptions } from '../build/connection.js';
import { answer, type Conversation, clearConversation, connect } from '../build/conversation.js';
import { at } from '../build/packets.js';
import { where } from '../build/shape.js';
import { tlsConversation } from '../build/tls.js';
import { told } from './files.js';
import { addressed, called, codes, ENDS, finding, type Json, note, registered, spoken, Talk } from './support.js';

const call = (drop = false): Talk => {
  const t = called(registered(addressed(new Talk())), 1000, 2000);
  spoken(t, 1210, 90, 'up', (i) => drop && i % 10 === 5);
  return spoken(t, 1210, 90, 'down');
};

/** What is wrong, but for the order: what ends say in no time they say before they are asked, where frames are moved. */
const wrong = (r: Json): string[] => codes(r).filter((code) => code !== 'capture.order');

/** The same frames at another place: each direction has its delay, and the clock is another. */
const elsewhere =
  (upMs: number, downMs: number, clockMs: number): Shaper =>
  (frames) =>
    frames
      .map((f): Frame => ({ ...f, time: f.time + ((f.side === 0 ? upMs : downMs) + clockMs) * 1e6 }))
      .sort((a, b) => a.time - b.time);

/** What comes from the other side has passed so many routers. */
const routed =
  (side: 0 | 1, hops: number): Shaper =>
  (frames) =>
    frames.map((f): Frame => {
      if (f.side !== side) return f;
      const octets = f.octets.slice();
      octets[22]! -= hops; // the TTL behind an Ethernet header
      return { ...f, octets };
    });

describe('one tunnel at two places', () => {
  test('its two ends give the offset of the clocks and the delay', async () => {
    const c = await tlsConversation([{ pause: 40 }, ...call().steps], { version: 'TLSv1.2' });
    // At the UE a segment up is seen 15 ms before the EFTF sees it, one down 15 ms after.
    const file = (shape: readonly Shaper[]) =>
      new CaptureBuilder({ shape }).connection(c, { ...ENDS, step: 10 }).build().octets;
    const r = await told(
      [file([elsewhere(-15, 15, 0), routed(1, 9)]), file([elsewhere(0, 0, 2000), routed(0, 9)])],
      c.keylog,
    );
    assert.equal(r.tunnels.length, 1);
    const [, leg] = r.tunnels[0].legs;
    assert.ok(Math.abs(leg.clockOffsetMs - 2000) < 0.1, `${leg.clockOffsetMs}`);
    assert.ok(Math.abs(leg.delayMs.up.mean - 15) < 0.1);
    assert.ok(Math.abs(leg.delayMs.down.mean - 15) < 0.1);
    assert.equal(leg.nearUe, false);
    assert.deepEqual(
      r.capture.files.map((f: Json) => f.point),
      ['ue', 'eftf'],
    );
    assert.deepEqual(wrong(r), []);
    note(r, 'capture.clocks');
    assert.equal(r.calls.length, 1);
    assert.equal(r.media.length, 2);
  });

  test('also where the clocks differ by more than the capture lasts: that is no rotation', async () => {
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      const c = await tlsConversation([{ pause: 40 }, ...call().steps], { version });
      const file = (shape: readonly Shaper[]) =>
        new CaptureBuilder({ shape }).connection(c, { ...ENDS, step: 10 }).build().octets;
      const ue = file([elsewhere(-15, 15, 0), routed(1, 9)]);
      for (const clock of [5000, 3_600_000, -3_600_000]) {
        const eftf = file([elsewhere(0, 0, clock), routed(0, 9)]);
        for (const files of [
          [ue, eftf],
          [eftf, ue],
        ]) {
          const r = await told(files, c.keylog);
          const name = `${version}, ${clock} ms`;
          assert.deepEqual(wrong(r), [], name);
          assert.deepEqual([r.tunnels.length, r.calls.length, r.media.length], [1, 1, 2], name);
          assert.equal(r.tunnels[0].tcp.stalls.length, 0, name);
          assert.ok(Math.abs(Math.abs(r.tunnels[0].legs[1].clockOffsetMs) - Math.abs(clock)) < 0.1, name);
          assert.match(finding(r, 'capture.clocks').meaning, /^They differ by \d+ ms\./);
          // A report without keys knows it, too.
          assert.equal(codes(await told(files, '')).includes('tunnel.stall'), false, name);
        }
      }
    }
  });

  test('where the capture of one end stops the other one tells what follows', async () => {
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      const c = await tlsConversation([{ pause: 40 }, ...call().steps], { version });
      const file = (shape: readonly Shaper[]) =>
        new CaptureBuilder({ shape }).connection(c, { ...ENDS, step: 10 }).build().octets;
      const ue = [elsewhere(-15, 15, 0), routed(1, 9)];
      const whole = await told([file(ue)], c.keylog);
      const release = ({ by, how }: Json): string[] => [by, how];
      // Early, in the middle of the call, and behind it; the clock of the EFTF is right, fast or slow.
      for (const frames of [40, 200, 400])
        for (const clock of [0, 700, -700]) {
          const short = file([...ue, where((_, i) => i < frames)]);
          const r = await told([short, file([elsewhere(0, 0, clock), routed(0, 9)])], c.keylog);
          const note = `${version}, ${frames} frames, ${clock} ms`;
          assert.equal(r.tunnels.length, 1, note);
          const [t] = r.tunnels;
          for (const way of ['up', 'down'] as const)
            assert.ok(Math.abs(t.envelopes[way].total - whole.tunnels[0].envelopes[way].total) <= 1, note);
          assert.deepEqual(release(t.release), release(whole.tunnels[0].release), note);
          assert.equal(t.steps.at(-1).step, whole.tunnels[0].steps.at(-1).step, note);
          assert.deepEqual(
            [r.registrations[0].state, r.calls.length, r.calls[0].state],
            ['registered', 1, 'ended'],
            note,
          );
          const packets = r.media.reduce((n: number, m: Json) => n + m.packets, 0);
          assert.ok(Math.abs(packets - 180) <= 2, `${note}: ${packets} of 180`);
        }
    }
  });

  test('whatever the clocks say, and where they agree', async () => {
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      const c = await tlsConversation([{ pause: 40 }, ...call().steps], { version });
      const file = (shape: readonly Shaper[]) =>
        new CaptureBuilder({ shape }).connection(c, { ...ENDS, step: 10 }).build().octets;
      const ue = [elsewhere(-3, 3, 0), routed(1, 9)];
      const [whole] = (await told([file(ue)], c.keylog)).tunnels;
      const of = async (far: readonly Shaper[]) => {
        const r = await told([file(ue), file([...far, routed(0, 9)])], c.keylog);
        assert.deepEqual(wrong(r), []);
        assert.equal(finding(r, 'capture.duplicate'), undefined);
        assert.equal(r.tunnels.length, 1);
        assert.deepEqual(r.tunnels[0].envelopes, whole.envelopes);
        assert.equal(r.calls.length, 1);
        return r.tunnels[0];
      };
      const t = await of([elsewhere(0, 0, 0)]);
      assert.ok(Math.abs(t.legs[1].clockOffsetMs) < 0.1, `${t.legs[1].clockOffsetMs}`);
      assert.ok(Math.abs(t.legs[1].delayMs.up.mean - 3) < 0.1);
      assert.ok(t.tcp.rttMs >= 0);
      // One that begins late, whose handshake was not captured.
      const late = await of([elsewhere(0, 0, 0), where((_, i) => i >= 120)]);
      assert.equal(late.legs.length, 2);
    }
  });

  test('each place may have written a rotation', async () => {
    const c = await tlsConversation([{ pause: 40 }, ...call().steps], { version: 'TLSv1.3' });
    const at = (shape: readonly Shaper[], keep: (i: number) => boolean) =>
      new CaptureBuilder({ shape: [...shape, where((_, i) => keep(i))] }).connection(c, { ...ENDS, step: 10 }).build();
    const ue = [elsewhere(-15, 15, 0), routed(1, 9)];
    const eftf = [elsewhere(0, 0, 0), routed(0, 9)];
    const [whole] = (await told([at(ue, () => true).octets], c.keylog)).tunnels;
    for (const [first, second] of [
      [150, 150],
      [150, 320],
      [320, 150],
    ] as const) {
      const files = new Map([
        ['ue-1', at(ue, (i) => i < first)],
        ['ue-2', at(ue, (i) => i >= first)],
        ['eftf-1', at(eftf, (i) => i < second)],
        ['eftf-2', at(eftf, (i) => i >= second)],
      ]);
      for (const names of [
        ['ue-1', 'ue-2', 'eftf-1', 'eftf-2'],
        ['eftf-1', 'ue-1', 'ue-2', 'eftf-2'],
      ]) {
        const r = await told(
          names.map((n) => files.get(n)!.octets),
          c.keylog,
          names,
        );
        const note = `${first}, ${second}, ${names.join()}`;
        assert.deepEqual(wrong(r), [], note);
        assert.equal(r.tunnels.length, 1, note);
        assert.deepEqual(
          [r.tunnels[0].envelopes, r.tunnels[0].release.how],
          [whole.envelopes, whole.release.how],
          note,
        );
        const one = r.tunnels[0].legs.map((l: Json) => [l.tunnel, names[l.file - 1]?.replace(/-.$/, '')].join());
        assert.equal(new Set(one).size, 2, `${note}: ${one.join(' ')}`);
        assert.deepEqual([r.calls.length, r.calls[0].state, r.media.length], [1, 'ended', 2], note);
      }
    }
  });

  for (const way of ['a NAT', 'a proxy'] as const)
    test(`beyond ${way}, with other addresses and sequence numbers, too`, async () => {
      const preface = way === 'a NAT' ? [] : [connect('eftf.example:443'), answer(200, 'OK')];
      const made = await tlsConversation(call().steps, { version: 'TLSv1.2' }, preface);
      // Nobody answers before he was asked, so there is time for what passes between the captures.
      const near = { ...made, flights: made.flights.map((f) => ({ ...f, pause: f.pause + 60 })) };
      const far = { ...near, flights: near.flights.slice(preface.length), inner: [], keylog: '' };
      const file = (c: Conversation, ends: Pick<ConnectionOptions, 'client' | 'isn'>, shape: Shaper) =>
        new CaptureBuilder({ shape: [shape] }).connection(c, { ...ENDS, ...ends, step: 10 }).build().octets;
      const r = await told(
        [
          file(near, { client: ENDS.client, isn: [1000, 2000] }, elsewhere(-25, 25, 0)),
          file(
            far,
            { client: at('203.0.113.7', 61_000), isn: [0xffff_ff00, 5] },
            elsewhere(0, 0, 700 + 60 * preface.length),
          ),
        ],
        near.keylog,
      );
      assert.equal(r.tunnels.length, 1);
      const [first, leg] = r.tunnels[0].legs;
      assert.deepEqual([first.tunnel, leg.tunnel, leg.client.address], [1, 2, '203.0.113.7']);
      assert.ok(Math.abs(leg.clockOffsetMs - 700) < 0.1, `${leg.clockOffsetMs}`);
      assert.ok(Math.abs(leg.delayMs.up.mean - 25) < 0.1, `${leg.delayMs.up.mean}`);
      assert.ok(Math.abs(leg.delayMs.down.mean - 25) < 0.1, `${leg.delayMs.down.mean}`);
    });

  test('behind the EFTF its packets are those of the tunnel, and what is missing there was lost on the way', async () => {
    const whole = call();
    const c = clearConversation(whole.steps);
    const inside = new CaptureBuilder().connection(c, { ...ENDS, step: 10 }).build().octets;
    const clear = (t: Talk) => {
      const b = new CaptureBuilder({ link: 'raw' });
      let ms = 0.5;
      for (const step of t.steps) {
        if ('pause' in step) ms += step.pause;
        else if ('envelopes' in step) for (const e of step.envelopes) b.packet(e.octets.subarray(3), ms, step.side);
      }
      return b.build().octets;
    };
    const r = await told([inside, clear(whole)], '');
    assert.deepEqual(codes(r), []);
    assert.deepEqual([r.registrations.length, r.calls.length, r.registrations[0].tunnel], [1, 1, 1]);
    assert.deepEqual(
      r.calls[0].messages.map((m: Json) => m.retransmissions),
      r.calls[0].messages.map(() => 0),
    );
    assert.deepEqual(
      r.media.map((m: Json) => [m.tunnel, m.copyOf, m.packets]),
      [
        [1, undefined, 90],
        [undefined, 1, 90],
        [1, undefined, 90],
        [undefined, 3, 90],
      ],
    );
    assert.equal(r.summary.media.streams, 2);
    assert.deepEqual(
      r.capture.files.map((f: Json) => f.point),
      [undefined, 'behind-eftf'],
    );
    const lossy = await told([inside, clear(call(true))], '');
    assert.deepEqual(codes(lossy), ['media.loss-at-eftf']);
    assert.match(lossy.findings[0].meaning, /^9 packets did not get through on the way from the tunnel/);
  });
});
