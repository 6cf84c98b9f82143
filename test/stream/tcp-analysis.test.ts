import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { Item, SCALE_NONE, SCALE_UNKNOWN, type TcpNote } from '../../dissectors/tcp/note.js';
import { TcpStream } from '../../src/stream/tcp.js';
import { frames, tsharkMissing } from '../support/tshark.js';
import { ACK, ascii, FIN, give, Log, note, PSH, RST, type Sent, SYN, segmentOctets } from './wire.js';

const WINDOW_SCALE_7 = Uint8Array.of(3, 3, 7, 1);

/** The notes of the segments of one connection; frame numbers from 1. */
function analyse(segments: readonly Sent[], reused = false): TcpNote[] {
  const stream = new TcpStream(new Log(), undefined, reused);
  return segments.map((s, i) => {
    const n = note();
    assert.ok(give(stream, { frame: i + 1, ...s }, n));
    return n;
  });
}

const names = (n: TcpNote): string[] =>
  Object.entries(Item)
    .filter(([, bit]) => (n.items & bit) !== 0)
    .map(([name]) => name);

/** A connection opened in the first three frames, 10 ms apart; both sides at relative number 1 then. */
const opening: Sent[] = [
  { direction: 0, seq: 999, flags: SYN, time: 0, options: WINDOW_SCALE_7 },
  { direction: 1, seq: 4999, ack: 1000, flags: SYN | ACK, time: 0.01, options: WINDOW_SCALE_7 },
  { direction: 0, seq: 1000, ack: 5000, time: 0.02 },
];
const from0 = (seq: number, n: number, more: Partial<Sent> = {}): Sent => ({
  direction: 0,
  seq: 999 + seq,
  ack: 5000,
  flags: ACK | PSH,
  payload: ascii('x'.repeat(n)),
  ...more,
});
const from1 = (ack: number, more: Partial<Sent> = {}): Sent => ({ direction: 1, seq: 5000, ack: 999 + ack, ...more });

/** The note of the last of the segments that follow the opening. */
const last = (...segments: Sent[]): TcpNote => analyse([...opening, ...segments]).at(-1)!;

describe('TcpAnalysis, by the rules of the User’s Guide', () => {
  it('measures the handshake, acknowledgments and octets in flight', () => {
    const n = analyse([
      ...opening,
      from0(1, 100, { time: 0.03 }),
      from0(101, 50, { time: 0.04 }),
      from1(151, { time: 0.05 }),
    ]);
    assert.deepEqual(
      n.map((x) => [x.acksFrame, x.ackRtt, x.bytesInFlight, x.pushBytesSent]),
      [
        [-1, 0, -1, -1],
        [1, 10_000_000, -1, -1],
        [2, 10_000_000, -1, -1],
        [-1, 0, 100, 100],
        [-1, 0, 150, 50],
        [5, 10_000_000, -1, -1],
      ],
    );
    assert.deepEqual(
      n.map((x) => x.initialRtt),
      [0, 0, 20_000_000, 20_000_000, 20_000_000, 20_000_000],
    );
    assert.deepEqual(
      [n[0].base, n[1].base, n[1].peerBase, n[5].timeRelative, n[5].timeDelta],
      [999, 4999, 999, 5e7, 1e7],
    );
  });

  it('tells how window scaling was agreed on', () => {
    const scales = (a?: Uint8Array, b?: Uint8Array): number[] =>
      analyse([
        { ...opening[0], ...(a && { options: a }), ...(!a && { options: new Uint8Array(0) }) },
        { ...opening[1], ...(b && { options: b }), ...(!b && { options: new Uint8Array(0) }) },
        opening[2],
        from1(1),
      ])
        .slice(2)
        .map((n) => n.windowScale);
    assert.deepEqual(scales(WINDOW_SCALE_7, Uint8Array.of(1, 3, 3, 2)), [7, 2]);
    assert.deepEqual(scales(WINDOW_SCALE_7), [SCALE_NONE, SCALE_NONE]);
    assert.deepEqual(scales(undefined, WINDOW_SCALE_7), [SCALE_NONE, SCALE_NONE]);
    assert.deepEqual(scales(Uint8Array.of(3, 3, 15, 0), WINDOW_SCALE_7)[0], 14); // RFC 7323 §2.3
    assert.equal(analyse([from0(1, 5)])[0].windowScale, SCALE_UNKNOWN);
  });

  it('says what was seen of the conversation before the frame', () => {
    const n = analyse([
      ...opening,
      from0(1, 5),
      from0(6, 0, { flags: FIN | ACK }),
      from1(7, { flags: RST | ACK }),
      from1(7),
    ]);
    assert.deepEqual(
      n.map((x) => x.completeness),
      [0, 1, 3, 7, 15, 31, 63],
    );
  });

  it('tells retransmissions by what became of the first copy', () => {
    const data = from0(1, 100, { time: 0.1 });
    const n = last(data, { ...data, time: 0.3 });
    assert.deepEqual([names(n), n.rto, n.rtoFrame], [['Retransmission'], 200_000_000, 4]);
    assert.deepEqual(names(last(data, from1(101, { time: 0.2 }), { ...data, time: 0.3 })), [
      'Retransmission',
      'SpuriousRetransmission',
    ]);
    const asks = [from1(1, { time: 0.2 }), from1(1, { time: 0.21 }), from1(1, { time: 0.22 })];
    const dup = last(data, ...asks);
    assert.deepEqual([names(dup), dup.duplicateAck, dup.duplicateAckFrame], [['DuplicateAck'], 3, 2]);
    assert.deepEqual(names(last(data, ...asks, { ...data, time: 0.23 })), ['Retransmission', 'FastRetransmission']);
    assert.deepEqual(names(last(data, ...asks, { ...data, time: 0.25 })), ['Retransmission']);
  });

  it('takes what comes soon after a hole for out of order', () => {
    const ahead = from0(101, 100, { time: 0.1 });
    assert.deepEqual(names(last(ahead)), ['LostSegment']);
    assert.deepEqual(names(last(ahead, from0(1, 100, { time: 0.11 }))), ['OutOfOrder']);
    assert.deepEqual(names(last(ahead, from0(1, 100, { time: 0.13 }))), ['Retransmission']);
  });

  it('notices what was acknowledged and not captured', () => {
    const n = analyse([...opening, from0(1, 10), from1(21), from0(21, 10), from1(31)]);
    assert.deepEqual(n.slice(3).map(names), [[], ['AckLostSegment'], ['LostSegment'], ['AckLostSegment']]);
  });

  it('knows keep-alives, and what answers them', () => {
    const n = analyse([...opening, from0(1, 10), from1(11), from0(10, 1), from1(11), from0(10, 0), from1(11)]);
    assert.deepEqual(n.slice(5).map(names), [['KeepAlive'], ['KeepAliveAck'], ['KeepAlive'], ['KeepAliveAck']]);
  });

  it('follows the window', () => {
    const w = (window: number): TcpNote => last(from0(1, 10), from1(11), from1(11, { window }));
    assert.deepEqual(names(w(2000)), ['WindowUpdate']);
    assert.deepEqual(names(w(1000)), ['DuplicateAck']);
    assert.deepEqual(names(w(0)), ['ZeroWindow']);
    const closed = [from0(1, 10), from1(11, { window: 0 }), from0(11, 1)];
    assert.deepEqual(names(last(...closed)), ['ZeroWindowProbe']);
    assert.deepEqual(names(last(...closed, from1(11, { window: 0 }))), ['ZeroWindow', 'ZeroWindowProbeAck']);
    const full = last(from1(1, { window: 2 }), from0(1, 256));
    assert.deepEqual(names(full), ['WindowFull']);
  });

  it('marks the first segment of a connection that follows another', () => {
    assert.deepEqual(names(analyse(opening, true)[0]), ['ReusedPorts']);
    assert.equal(analyse(opening, true)[0].completeness, 1);
  });

  it('tells who closes first', () => {
    const n = analyse([...opening, from1(1, { flags: FIN | ACK }), from0(1, 0, { ack: 5001, flags: FIN | ACK })]);
    assert.deepEqual([n[3].passiveClose, n[4].passiveClose], [false, true]);
  });

  it('remembers as many segments as Wireshark where nothing is acknowledged', () => {
    const n = analyse(Array.from({ length: 30_000 }, (_, i) => from0(1 + i, 1)));
    assert.deepEqual([n[9_998].bytesInFlight, n[29_999].bytesInFlight, n[29_999].items], [9_999, 10_000, 0]);
  });
});

/** Numbers below `n`, the same in every run. */
function dice(seed: number): (n: number) => number {
  let state = seed;
  return (n) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * n);
  };
}

/** A connection over a path that loses, delays and repeats, seen from somewhere on it. */
function conversation(seed: number): Sent[] {
  const roll = dice(seed);
  const out: Sent[] = [];
  const isn = [roll(2 ** 32), 0xffffff00];
  const next = [isn[0] + 1, isn[1] + 1];
  const acked = [...next];
  const window = [1000, 500];
  const sent: [number, number][][] = [[], []];
  let time = 1000 + seed;
  const options = [WINDOW_SCALE_7, Uint8Array.of(2, 4, 5, 0xb4, 3, 3, 2, 0), new Uint8Array(0)];
  const send = (d: number, more: Partial<Sent>): void => {
    time += [0.0001, 0.001, 0.004, 0.03, 0.2][roll(5)];
    const o = 1 - d;
    out.push({
      direction: d === 0 ? 0 : 1,
      seq: next[d] >>> 0,
      ack: next[o] >>> 0,
      flags: ACK,
      window: window[d],
      time: Math.round(time * 1e6) / 1e6,
      ...more,
    });
    if (((out.at(-1)!.flags ?? 0) & ACK) !== 0) acked[o] = out.at(-1)!.ack!;
  };
  const payload = (n: number): Uint8Array => new Uint8Array(n).fill(0x78);
  const data = (d: number, n: number): void => {
    send(d, { payload: payload(n), flags: roll(3) === 0 ? ACK | PSH : ACK });
    sent[d].push([next[d], n]);
    next[d] += n;
  };
  const middle = seed % 5 === 4;
  if (!middle) {
    send(0, { seq: isn[0] >>> 0, ack: 0, flags: SYN, options: options[roll(3)] });
    send(1, { seq: isn[1] >>> 0, flags: SYN | ACK, options: options[roll(3)] });
    send(0, {});
  }
  for (let i = 0; i < 40; i++) {
    const d = roll(2);
    const kind = roll(20);
    if (kind < 8) data(d, 1 + roll(1400));
    else if (kind < 12) send(d, {});
    else if (kind === 12 && sent[d].length > 0) {
      const [seq, n] = sent[d][sent[d].length - 1 - roll(Math.min(3, sent[d].length))];
      send(d, { seq: seq >>> 0, payload: payload(n) });
    } else if (kind === 13) {
      const [a, b] = [2 + roll(100), 2 + roll(100)];
      send(d, { seq: (next[d] + a) >>> 0, payload: payload(b) });
      send(d, { payload: payload(a) });
      next[d] += a + b;
    } else if (kind === 14) {
      next[d] += 100; // lost before it came here
      data(d, 50);
    } else if (kind === 15) {
      for (let k = roll(4); k >= 0; k--) send(1 - d, { ack: acked[d] >>> 0 });
      if (sent[d].length > 0) send(d, { seq: acked[d] >>> 0, payload: payload(sent[d].at(-1)![1]) });
    } else if (kind === 16) {
      send(d, { seq: (next[d] - 1) >>> 0, payload: payload(roll(2)) });
      send(1 - d, {});
    } else if (kind === 17) {
      window[d] = [0, 100, 1000, 2000][roll(4)];
      send(d, {});
    } else if (kind === 18) {
      send(d, { window: 0 });
      send(1 - d, { payload: payload(1) });
      send(d, { window: 0, ack: acked[1 - d] >>> 0 });
    } else if (kind === 19) send(d, { payload: payload(roll(30)), flags: ACK | PSH });
  }
  send(0, { flags: FIN | ACK });
  next[0]++;
  send(1, roll(2) === 0 ? { flags: FIN | ACK } : { flags: RST | ACK });
  return out;
}

/** A capture of raw IPv4 packets, nanoseconds, ports as given. */
function capture(connections: readonly Sent[][]): Buffer {
  const head = Buffer.alloc(24);
  for (const [i, v] of [0xa1b23c4d, 0x00040002, 0, 0, 262_144, 101].entries()) head.writeUInt32LE(v, 4 * i);
  const out = [head];
  connections.forEach((segments, i) => {
    for (const s of segments) {
      const tcp = Buffer.from(segmentOctets(s));
      tcp.writeUInt16BE(20_000 + i, s.direction === 0 ? 0 : 2);
      tcp.writeUInt16BE(9, s.direction === 0 ? 2 : 0);
      const b = Buffer.alloc(36 + tcp.length);
      const time = s.time!;
      b.writeUInt32LE(Math.floor(time), 0);
      b.writeUInt32LE(Math.round((time % 1) * 1e9), 4);
      b.writeUInt32LE(b.length - 16, 8);
      b.writeUInt32LE(b.length - 16, 12);
      b.set([0x45, 0, 0, 0, 0, 1, 0x40, 0, 64, 6, 0, 0, 10, 0, 0, 1 + s.direction, 10, 0, 0, 2 - s.direction], 16);
      b.writeUInt16BE(b.length - 16, 18);
      b.set(tcp, 36);
      out.push(b);
    }
  });
  return Buffer.concat(out);
}

const seconds = (nanos: number): string =>
  `${nanos < 0 ? '-' : ''}${Math.floor(Math.abs(nanos) / 1e9)}.${String(Math.abs(nanos) % 1e9).padStart(9, '0')}`;

/** What a note says, under tshark's names. */
function fields(s: Sent, n: TcpNote): Record<string, string | undefined> {
  const when = (said: boolean, value: string | number): string | undefined => (said ? String(value) : undefined);
  const open = ((s.flags ?? ACK) & SYN) !== 0;
  const out: Record<string, string | undefined> = {
    'tcp.seq': String((s.seq - n.base) >>> 0),
    'tcp.ack': String(((s.flags ?? ACK) & ACK) === 0 ? s.ack : (s.ack! - n.peerBase) >>> 0),
    'tcp.completeness': String(n.completeness),
    'tcp.window_size_scalefactor': when(!open, n.windowScale < 0 ? n.windowScale : 2 ** n.windowScale),
    'tcp.time_relative': seconds(n.timeRelative),
    'tcp.time_delta': seconds(n.timeDelta),
    'tcp.analysis.acks_frame': when(n.acksFrame >= 0, n.acksFrame),
    'tcp.analysis.ack_rtt': when(n.acksFrame >= 0 && n.ackRtt !== 0, seconds(n.ackRtt)),
    'tcp.analysis.initial_rtt': when(n.analysed && n.initialRtt !== 0, seconds(n.initialRtt)),
    'tcp.analysis.bytes_in_flight': when(n.bytesInFlight >= 0, n.bytesInFlight),
    'tcp.analysis.push_bytes_sent': when(n.pushBytesSent >= 0, n.pushBytesSent),
    'tcp.analysis.rto': when(n.rtoFrame >= 0, seconds(n.rto)),
    'tcp.analysis.rto_frame': when(n.rtoFrame >= 0, n.rtoFrame),
    'tcp.analysis.duplicate_ack_num': when((n.items & Item.DuplicateAck) !== 0, n.duplicateAck),
    'tcp.analysis.duplicate_ack_frame': when((n.items & Item.DuplicateAck) !== 0, n.duplicateAckFrame),
  };
  for (const [name, bit] of Object.entries(Item))
    out[`tcp.analysis.${name.replace(/[A-Z]/g, (c, at) => (at > 0 ? '_' : '') + c.toLowerCase())}`] = when(
      (n.items & bit) !== 0,
      1,
    );
  return out;
}

describe('TcpAnalysis beside tshark', { skip: tsharkMissing }, () => {
  it('says the same of connections that lose, repeat and reorder', async () => {
    const connections = Array.from({ length: 40 }, (_, i) => conversation(i));
    const folder = mkdtempSync(join(tmpdir(), 'fttscope-'));
    try {
      const path = join(folder, 'connections.pcap');
      writeFileSync(path, capture(connections));
      const asked = Object.keys(fields(connections[0][0], note()));
      const theirs = await frames(path, [], asked);
      let frame = 0;
      const wrong: string[] = [];
      let seen = 0;
      for (const segments of connections) {
        const stream = new TcpStream(new Log());
        for (const s of segments) {
          const n = note();
          give(stream, { ...s, frame: ++frame }, n);
          seen |= n.items;
          for (const [name, ours] of Object.entries(fields(s, n))) {
            const values = theirs.get(frame)!.get(name);
            const flag = ours === '1' && name.startsWith('tcp.analysis.') && !/frame|num|bytes|rto/.test(name);
            if (flag ? values === undefined : values?.[0] !== ours)
              wrong.push(`frame ${frame}: ${name} is ${values?.[0]}, not ${ours}`);
          }
        }
      }
      assert.deepEqual(wrong.slice(0, 20), []);
      assert.ok(frame > 1500);
      assert.equal(seen, 0x7fff & ~Item.ReusedPorts, 'every kind of item occurs');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
