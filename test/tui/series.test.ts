import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { MediaEntity } from '../../src/model/entities.js';
import { partiesOf, spanFor, streamOverTime, trafficOf } from '../../src/tui/series.js';
import { inSlices } from '../../src/tui/slices.js';
import { bars, columnsOf, lyingBar } from '../../src/tui/sparks.js';
import { Direction, type Rows } from '../../src/viewer/rows.js';
import { sample, viewerOn } from './support/stage.js';

interface Line {
  readonly at: number;
  readonly info?: string;
  readonly source?: string;
  readonly destination?: string;
  readonly protocol?: string;
  readonly inner?: number;
  readonly down?: boolean;
  readonly length?: number;
}

/** Rows laid out by hand. */
function rowsOf(lines: readonly Line[]): Rows {
  const rows = {
    count: lines.length,
    start: [1000, 0],
    relative: (i: number) => lines[i].at,
    info: (i: number) => lines[i].info ?? '',
    source: (i: number) => lines[i].source ?? 'a',
    destination: (i: number) => lines[i].destination ?? 'b',
    protocol: (i: number) => lines[i].protocol ?? 'RTP',
    inner: (i: number) => lines[i].inner ?? 1,
    tunnel: () => 1,
    direction: (i: number) => (lines[i].down === true ? Direction.down : Direction.up),
    length: (i: number) => lines[i].length ?? 100,
    id: (i: number) => String(i),
  };
  return rows as unknown as Rows;
}

function finish<T>(g: Generator<void, T>): T {
  for (;;) {
    const step = g.next();
    if (step.done === true) return step.value;
  }
}

const media = (seconds: number): MediaEntity =>
  ({
    ssrc: '0xabc',
    payloadType: 8,
    source: { address: 'a', port: 1 },
    destination: { address: 'b', port: 2 },
    start: { seconds: 1000, nanos: 0 },
    end: { seconds: 1000 + seconds, nanos: 0 },
  }) as unknown as MediaEntity;

const rtp = (at: number, sequence: number, timestamp = sequence * 160): Line => ({
  at,
  info: `PT=ITU-T G.711 PCMA, SSRC=0xABC, Seq=${sequence}, Time=${timestamp}`,
});

describe('a stream over time', () => {
  test('losses in a row are bursts, and stand where they happened', () => {
    // 100 packets of 20 ms; 30, 31, 32 and 70 are lost.
    const lost = [30, 31, 32, 70];
    const lines = Array.from({ length: 100 }, (_, i) => i).flatMap((i) => (lost.includes(i) ? [] : [rtp(i * 0.02, i)]));
    const s = finish(streamOverTime(rowsOf(lines), media(2), 20));
    assert.equal(s.span, 0.1);
    assert.deepEqual([s.bursts[0], s.bursts[2], s.bursts.reduce((a, b) => a + b)], [1, 1, 2]);
    assert.equal(
      s.lost.reduce((a, b) => a + b),
      4,
    );
    assert.equal(
      s.packets.reduce((a, b) => a + b),
      96,
    );
    assert.equal(s.lost[6], 3); // noticed with packet 33, at 0.66 s
    assert.ok(s.jitter.every((j) => j < 0.001));
    assert.equal(Math.round(s.gap!.ms), 80);
  });

  test('a late packet is not lost, and the number may wrap', () => {
    const order = [65_533, 65_534, 0, 65_535, 1, 1, 2];
    const lines = order.map((n, i) => rtp(i * 0.02, n));
    const s = finish(streamOverTime(rowsOf(lines), media(1), 10));
    assert.equal(
      s.lost.reduce((a, b) => a + b),
      0,
    );
  });

  test('events in media are not lost', () => {
    // Ten packets; 3 to 5 are events, 6 is lost; a stream to elsewhere has events too.
    const event = (at: number): Line => ({ at, protocol: 'RTP EVENT', info: 'Payload type=RTP Event, DTMF One 1' });
    const lines = Array.from({ length: 10 }, (_, i) => (i >= 3 && i <= 5 ? event(i * 0.02) : rtp(i * 0.02, i)));
    lines.splice(6, 1, { ...event(0.12), destination: 'c' });
    const s = finish(streamOverTime(rowsOf(lines), media(0.2), 1));
    assert.deepEqual([s.packets, s.lost, s.bursts[0]], [[9], [1], 1]);
  });

  test('what came after the story of a stream stands in no span of it', () => {
    const lines = Array.from({ length: 100 }, (_, i) => rtp(i * 0.02, i));
    const s = finish(streamOverTime(rowsOf(lines), media(0.98), 10));
    assert.equal(
      s.packets.reduce((a, b) => a + b),
      50,
    );
  });

  test('jitter is that of RFC 3550 §6.4.1', () => {
    // Transit times of 0, 0, 16 ms, 0: |D| is 0, 16, 16; J = 0, 1, 1 + 15/16.
    const lines = [rtp(0, 0), rtp(0.02, 1), rtp(0.056, 2), rtp(0.06, 3)];
    const s = finish(streamOverTime(rowsOf(lines), media(0.06), 1));
    assert.ok(Math.abs(Math.max(...s.jitter) - 1.9375) < 0.001, String(s.jitter));
  });

  test('other streams do not count', () => {
    const lines = [rtp(0, 0), { ...rtp(0.02, 9), source: 'c' }, { at: 0.03, info: 'PT=x, SSRC=0xABD, Seq=5, Time=0' }];
    assert.equal(
      finish(streamOverTime(rowsOf(lines), media(1), 10)).packets.reduce((a, b) => a + b),
      1,
    );
  });
});

describe('counts', () => {
  const lines: Line[] = [
    { at: 0, inner: 0, protocol: 'TCP' },
    { at: 0.1, protocol: 'SIP' },
    { at: 0.2, protocol: 'SIP', down: true, source: 'b', destination: 'a' },
    { at: 1.5, length: 40 },
    { at: 9.99, source: 'c' },
  ];

  test('of inner packets by span and protocol', () => {
    const t = finish(trafficOf(rowsOf(lines), { from: 0, to: 9.99 }, 1));
    assert.deepEqual([t.packets, t.octets, t.outer], [4, 340, false]);
    assert.deepEqual(t.up, [1, 1, 0, 0, 0, 0, 0, 0, 0, 1]);
    assert.deepEqual(t.down.slice(0, 2), [1, 0]);
    assert.deepEqual(
      t.protocols.map((p) => [p.name, p.packets]),
      [
        ['RTP', 2],
        ['SIP', 2],
      ],
    );
  });

  test('of frames where nothing is tunnelled', () => {
    const t = finish(trafficOf(rowsOf(lines.map((l) => ({ ...l, inner: 0 }))), { from: 0, to: 9.99 }, 1));
    assert.deepEqual([t.packets, t.outer], [5, true]);
  });

  test('of conversations and ends', () => {
    const { parties } = finish(partiesOf(rowsOf(lines), 'conversations', 'inner'));
    assert.deepEqual(
      parties.map((p) => [p.a, p.b, p.packetsAb, p.packetsBa, p.octetsAb, p.octetsBa]),
      [
        ['a', 'b', 2, 1, 140, 100],
        ['b', 'c', 0, 1, 0, 100],
      ],
    );
    const ends = finish(partiesOf(rowsOf(lines), 'endpoints', 'inner')).parties;
    assert.deepEqual(
      ends.map((p) => [p.a, p.packetsAb, p.packetsBa]),
      [
        ['b', 1, 3],
        ['a', 2, 1],
        ['c', 1, 0],
      ],
    );
  });

  test('spans are those that people think in', () => {
    assert.deepEqual([spanFor(5, 60), spanFor(60, 60), spanFor(7000, 60)], [0.1, 1, 300]);
  });

  test('agree with the report of a capture', async () => {
    const viewer = await viewerOn(sample('20-healthy-call.pcapng'));
    const { media: streams } = await viewer.report();
    for (const m of streams) {
      const s = finish(streamOverTime(viewer.rows, m, 100));
      assert.equal(
        s.packets.reduce((a, b) => a + b),
        m.packets,
      );
      assert.equal(
        s.lost.reduce((a, b) => a + b),
        m.lost,
      );
      assert.ok(Math.abs(Math.max(...s.jitter) - (m.jitterMs?.max ?? 0)) < 0.1);
    }
    assert.equal(streams.length, 2);
  });
});

test('work in slices ends with its result, or is given up', async () => {
  function* work(): Generator<void, number> {
    for (let i = 0; i < 5000; i++) yield;
    return 7;
  }
  assert.equal(await new Promise((done) => inSlices({ cleared: 0 }, work(), done)), 7);
  let came = false;
  inSlices({ cleared: 0 }, work(), () => {
    came = true;
  })();
  await new Promise((done) => setTimeout(done, 20));
  assert.equal(came, false);
  const rows = { cleared: 0 };
  const given = new Promise((done) => inSlices(rows, work(), done));
  rows.cleared++;
  assert.equal(await given, undefined);
});

describe('charts of characters', () => {
  test('bars have nine heights a line', () => {
    assert.deepEqual(bars([0, 1, 4, 8], 4, 1, 8), [' ▁▄█']);
    assert.deepEqual(bars([4, 12, 16], 3, 2, 16), [' ▄█', '▄██']);
  });
  test('of values that share a cell the largest shows', () => {
    assert.deepEqual(columnsOf([1, 9, 2, 3], 2), [9, 3]);
  });
  test('something is never nothing', () => {
    assert.equal(lyingBar(0.001, 20), '█');
    assert.equal(lyingBar(0, 20), '');
    assert.equal(lyingBar(2, 4), '████');
  });
});
