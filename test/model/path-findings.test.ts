import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { put16, put32 } from 'fttscope/kit';
import { CaptureBuilder } from '../build/capture.js';
import { clearConversation, envelope, type Step, up } from '../build/conversation.js';
import { ACK, at, ping, SYN, tcp, udp } from '../build/packets.js';
import {
  addressed,
  CORE,
  CORE_MEDIA,
  called,
  codes,
  deregistered,
  ENDS,
  finding,
  found,
  type Json,
  note,
  registered,
  reportOn,
  sdp,
  sip,
  speech,
  spoken,
  Talk,
  UE,
  UE_MEDIA,
} from './support.js';

const { client, server } = ENDS;
const NOTHING = new Uint8Array(0);

describe('addresses that were not given', () => {
  const datagram = (from: string, to: string) => udp(at(from, 7000), at(to, 7001), new Uint8Array(20));

  test('the UE sends from another address', async () => {
    const r = await found(addressed(new Talk()).up(100, datagram('10.0.0.77', CORE)));
    assert.deepEqual(codes(r), ['inner.foreign-source']);
    assert.match(finding(r, 'inner.foreign-source').meaning, /10\.0\.0\.77/);
  });

  test('the EFTF sends to another address; groups are for all', async () => {
    const t = addressed(new Talk()).down(100, datagram(CORE, '10.0.0.78')).down(110, datagram(CORE, '224.0.0.251'));
    const r = await found(t);
    assert.deepEqual(codes(r), ['inner.foreign-destination']);
    assert.match(r.findings[0].meaning, /10\.0\.0\.78/);
  });

  test('a damaged header says nothing of addresses', async () => {
    const damaged = datagram(CORE, '10.0.0.78');
    damaged[19]! ^= 1;
    assert.deepEqual(codes(await found(addressed(new Talk()).down(100, damaged))), ['inner.checksum']);
  });

  test('without an address that was given nobody can tell', async () => {
    assert.deepEqual(codes(await found(new Talk().up(0, datagram('10.0.0.77', CORE)))), []);
  });
});

describe('several tunnels', () => {
  const SOME: readonly Step[] = [up([envelope(ping(client.address, server.address, 1, 1, 40))])];
  const crowd = (n: number, everyMs: number, end: 'fin' | 'none', steps = SOME) => {
    const b = new CaptureBuilder();
    for (let i = 0; i < n; i++) {
      const ends = { client: at('192.0.2.10', 40_000 + i), server };
      b.connection(clearConversation(steps), { ...ends, start: i * everyMs, end, step: 10 });
    }
    return reportOn(b.build().octets);
  };

  test('at the same time are a note', async () => {
    const r = await crowd(2, 1000, 'none');
    assert.deepEqual(codes(r), []);
    assert.deepEqual(
      finding(r, 'tunnel.several').refs.map((x: { id: number }) => x.id),
      [2, 1],
    );
  });

  test('one after the other without a pause are a storm', async () => {
    assert.deepEqual(codes(await crowd(5, 2000, 'fin')), ['tunnel.storm']);
    assert.deepEqual(codes(await crowd(4, 2000, 'fin')), []);
    assert.deepEqual(codes(await crowd(5, 20_000, 'fin')), []);
    const all = finding(await crowd(12, 2000, 'fin'), 'tunnel.storm');
    assert.match(all.meaning, /^12 tunnels were opened within 22 s\./);
    assert.match(finding(await crowd(12, 8000, 'fin'), 'tunnel.storm').meaning, /^8 tunnels were opened within 56 s\./);
  });

  test('those that the UE needs no more are none', async () => {
    const registration = registered(new Talk());
    assert.ok(codes(await crowd(6, 2000, 'fin', registration.steps)).includes('tunnel.storm'));
    assert.deepEqual(codes(await crowd(6, 2000, 'fin', deregistered(registration, 500).steps)), []);
  });
});

describe('the outer connection and what runs inside', () => {
  const opening = (b: CaptureBuilder) =>
    b
      .packet(tcp(client, server, { seq: 100, flags: SYN }, NOTHING), 0, 0)
      .packet(tcp(server, client, { seq: 500, ack: 101, flags: SYN | ACK }, NOTHING), 10, 1)
      .packet(tcp(client, server, { seq: 101, ack: 501 }, NOTHING), 20, 0);

  test('TCP inside repeats segments while the tunnel recovers', async () => {
    const b = opening(new CaptureBuilder());
    const [inner, outer] = [at(UE, 5062), at(CORE, 5060)];
    let seq = 101;
    const send = (ms: number, packet: Uint8Array, late = 0): void => {
      const { octets } = envelope(packet);
      b.packet(tcp(client, server, { seq, ack: 501 }, octets), ms + late, 0);
      seq += octets.length;
    };
    send(100, tcp(inner, outer, { seq: 1, flags: SYN }, NOTHING));
    const segment = (n: number) => tcp(inner, outer, { seq: 2 + 100 * n, ack: 1 }, new Uint8Array(100).fill(n));
    for (let n = 0; n < 4; n++) send(200 + n, segment(n));
    send(1000, segment(4), 900); // lost outside, and sent again
    for (const [i, n] of [0, 1, 2, 3].entries()) send(1100 + 200 * i, segment(n));
    const r = await reportOn(b.build().octets);
    assert.ok(codes(r).includes('tunnel.meltdown'));
  });

  /** A request up and its answer down, the `n`th of its kind. */
  type Pair = (n: number) => readonly [up: Uint8Array, down: Uint8Array];
  /** Requests up and their answers down, each so many milliseconds later, and what is sent outside meanwhile. */
  const trips = (delays: readonly number[], burst: number, pair: Pair = reports, again = 1) => {
    const b = opening(new CaptureBuilder());
    let seq = 101;
    let ack = 501;
    const send = (ms: number, packet: Uint8Array): void => {
      const { octets } = envelope(packet);
      b.packet(tcp(client, server, { seq, ack }, octets), ms, 0);
      seq += octets.length;
    };
    for (let i = 0; i < 20; i++) send(30 + i, speech(UE_MEDIA, CORE_MEDIA, i, 1));
    for (const [i, delay] of delays.entries()) {
      const start = 1000 + 2000 * i;
      const [request, answer] = pair(i);
      for (let k = 0; k < again; k++) send(start, request);
      if (delay > 100)
        for (let k = 0; k < burst; k++)
          send(start + 1, udp(at(UE, 9000), at(CORE, 9001), new Uint8Array(1300).fill(k)));
      const { octets } = envelope(answer);
      const acked = delay > 100 ? 101 : seq;
      b.packet(tcp(server, client, { seq: ack, ack: acked }, octets), start + delay, 1);
      ack += octets.length;
      b.packet(tcp(server, client, { seq: ack, ack: seq }, NOTHING), start + delay + 1, 1);
    }
    return reportOn(b.build().octets);
  };
  /** A sender report of SSRC 1, or a receiver report about it whose LSR is the middle of the NTP time. RFC 3550 §6.4 */
  const report = (type: 200 | 201, ssrc: number, ntp: number): Uint8Array => {
    const b = new Uint8Array(type === 200 ? 28 : 32);
    b.set([type === 200 ? 0x80 : 0x81, type]);
    put16(b, 2, b.length / 4 - 1);
    put32(b, 4, ssrc);
    if (type === 200) put32(b, 10, ntp);
    else {
      put32(b, 8, 1);
      put32(b, 24, ntp);
    }
    const [ue, core] = [at(UE, 30_001), at(CORE, 40_001)];
    return type === 200 ? udp(ue, core, b) : udp(core, ue, b);
  };

  const reports: Pair = (n) => [report(200, 1, 1000 + n), report(201, 2, 1000 + n)];
  /** RFC 8489 §5: Binding requests and responses to the `n`th transaction. */
  const bindings: Pair = (n) => {
    const [request, response] = [0x0001, 0x0101].map((type) => {
      const b = new Uint8Array(20);
      put16(b, 0, type);
      put32(b, 4, 0x2112_a442);
      put32(b, 16, n);
      return b;
    });
    return [udp(at(UE, 5060), at(CORE, 3478), request!), udp(at(CORE, 3478), at(UE, 5060), response!)];
  };
  const transactions =
    (method: string, answer: string): Pair =>
    (n) => [
      sip(`${method} sip:bob@ims.example`, { callId: `c-${n}` }),
      sip(`${answer} ${method}`, { callId: `c-${n}` }, 'down'),
    ];
  const GROWN = [40, 41, 42, 40, 600];
  const isBloat = async (r: ReturnType<typeof trips>): Promise<boolean> =>
    codes(await r).includes('tunnel.bufferbloat');

  for (const [kind, pair] of [
    ['STUN', bindings],
    ['OPTIONS', transactions('OPTIONS', '200 OK')],
    ['INVITE', transactions('INVITE', '100 Trying')],
  ] as const)
    test(`round trips of ${kind} that grow with what is under way`, async () => {
      assert.match(finding(await trips(GROWN, 40, pair), 'tunnel.bufferbloat').meaning, new RegExp(`\\(${kind}\\)`));
      assert.equal(await isBloat(trips(GROWN, 0, pair)), false, 'with little under way');
      assert.equal(await isBloat(trips(GROWN, 40, pair, 2)), false, 'after requests that were sent again');
    });

  test('somebody who takes his time to answer is no full buffer', async () => {
    assert.equal(await isBloat(trips(GROWN, 40, transactions('INVITE', '180 Ringing'))), false);
    assert.equal(await isBloat(trips(GROWN, 40, transactions('REGISTER', '200 OK'))), false);
  });

  test('round trips that grow with what is under way', async () => {
    const r = await trips([40, 41, 42, 40, 600], 40);
    assert.deepEqual(codes(r), ['tunnel.bufferbloat']);
    assert.match(r.findings[0].meaning, /from 40 to 600 ms/);
  });

  test('one slow round trip with little under way is none', async () => {
    assert.deepEqual(codes(await trips([40, 41, 42, 40, 600], 0)), []);
  });

  test('segments of several envelopes that wait for each acknowledgment', async () => {
    const b = opening(new CaptureBuilder());
    let seq = 101;
    for (let i = 0; i < 40; i++) {
      const pair = [2 * i, 2 * i + 1].map((n) => envelope(speech(UE_MEDIA, CORE_MEDIA, n, 1)).octets);
      const octets = new Uint8Array([...pair[0]!, ...pair[1]!]);
      b.packet(tcp(client, server, { seq, ack: 501 }, octets), 100 + 40 * i, 0);
      seq += octets.length;
      b.packet(tcp(server, client, { seq: 501, ack: seq }, NOTHING), 100 + 40 * i + 39.5, 1);
    }
    const r = await reportOn(b.build().octets);
    assert.deepEqual(codes(r), ['tunnel.held-back']);
  });
});

describe('media beside what was agreed and what RTCP says', () => {
  test('more than b=AS allows', async () => {
    const call = (kbits: number, held = 0, times = 1) => {
      const t = registered(addressed(new Talk()));
      const media = (where: string, port: number) => sdp(where, port, [`b=AS:${kbits}`]);
      t.up(1000, sip('INVITE sip:bob@ims.example', { sdp: media(UE, 30_000) }));
      t.down(1200, sip('200 OK INVITE', { toTag: 'b', sdp: media(CORE, 40_000) }, 'down'));
      t.up(1210, sip('ACK sip:bob@ims.example', { toTag: 'b' }));
      t.up(4300, sip('BYE sip:bob@ims.example', { toTag: 'b', cseq: 2 }));
      // The first of them wait, and come all at once.
      for (let i = 0; i < 150 * times; i++) {
        const n = Math.floor(i / times);
        t.up(1210 + 20 * Math.max(n, held), speech(UE_MEDIA, CORE_MEDIA, n, 1));
      }
      return found(spoken(t, 1210, 150, 'down'));
    };
    // 172 octets of RTP and 28 of headers fifty times a second: 80 kbit/s, which is what G.711 asks for.
    assert.deepEqual(codes(await call(80)), []);
    const r = await call(64);
    assert.deepEqual(codes(r), ['media.bandwidth', 'media.bandwidth']);
    assert.match(r.findings[0].meaning, /^It has 80 kbit\/s, and b=AS says 64\./);
    assert.equal(finding(await call(80, 40), 'media.bandwidth'), undefined, 'it was sent as it should be');
    assert.match(finding(await call(64, 40), 'media.bandwidth').meaning, /^It has 80 kbit\/s/);
    assert.equal(finding(await call(80, 0, 3), 'media.bandwidth'), undefined, 'it came three times, and was sent once');
  });

  const talk = () => registered(addressed(new Talk()));

  test('media of fifteen seconds without RTCP are a note', async () => {
    const t = called(talk(), 1000, 17_000);
    const r = await found(spoken(spoken(t, 1210, 800, 'up'), 1210, 800, 'down'));
    assert.deepEqual(codes(r), []);
    note(r, 'rtcp.missing');
  });

  /** A receiver report (RFC 3550 §6.4.2) about what the UE sends, with so many packets lost since its source began. */
  const missing = (lost: number, lsr = 0, delay = 0): Uint8Array => {
    const b = new Uint8Array(32);
    b.set([0x81, 201, 0, 7]);
    put32(b, 4, 2);
    put32(b, 8, 1);
    put32(b, 12, lost);
    put32(b, 24, lsr);
    put32(b, 28, delay);
    return udp(at(CORE, 40_001), at(UE, 30_001), b);
  };

  /** A sender report (RFC 3550 §6.4.1) of the UE. */
  const sends = udp(
    at(UE, 30_001),
    at(CORE, 40_001),
    Uint8Array.from({ ...[0x80, 200, 0, 6, 0, 0, 0, 1, 0, 0, 0x12, 0x34, 0x56, 0x78], length: 28 }),
  );

  test('a receiver that misses what came by', async () => {
    const t = called(talk(), 1000, 4000);
    spoken(spoken(t, 1210, 150, 'up'), 1210, 150, 'down').down(4000, missing(20));
    const r = await found(t);
    assert.deepEqual(codes(r), ['media.loss-beyond']);
    assert.match(r.findings[0].meaning, /^The receiver misses 20 packets, and 0 were missing here\./);
  });

  test('what it missed before the capture began, it did not miss here', async () => {
    const t = () => spoken(spoken(talk(), 1210, 150, 'up'), 1210, 150, 'down');
    assert.deepEqual(codes(await found(t().down(2000, missing(20)).down(4000, missing(20)))), []);
    const r = await found(t().down(2000, missing(20)).down(4000, missing(35)));
    assert.deepEqual(codes(r), ['media.loss-beyond']);
    assert.match(r.findings[0].meaning, /^The receiver misses 15 packets, and 0 were missing here\./);
    assert.equal(r.media[0].rtcp.lost, 35);
  });

  test('a source that goes on to another port keeps its count of loss', async () => {
    const t = called(talk(), 1000, 4000);
    spoken(
      spoken(t, 1210, 70, 'up', (i) => i >= 10 && i < 30),
      1210,
      150,
      'down',
    ).down(2500, missing(20));
    const moved = at(CORE, 40_002);
    t.up(2620, sip('INVITE sip:bob@ims.example', { toTag: 'b', cseq: 3, sdp: sdp(UE, 30_000) }));
    const answer = sip('200 OK INVITE', { toTag: 'b', cseq: 3, sdp: sdp(CORE, 40_002) }, 'down');
    t.down(2630, answer).up(2640, sip('ACK sip:bob@ims.example', { toTag: 'b', cseq: 3 }));
    for (let i = 70; i < 150; i++) t.up(1250 + 20 * i, speech(UE_MEDIA, moved, i, 1));
    t.up(2000, sends).up(3000, sends).up(4000, sends);
    t.down(3500, missing(20)).down(4300, missing(20));
    const r = await found(t);
    assert.deepEqual(codes(r, 2), ['media.loss']);
    assert.ok(!codes(r).includes('media.loss-beyond'));
    const up = r.media.filter((m: Json) => m.direction === 'up');
    assert.deepEqual(
      up.map((m: Json) => [m.destination.port, m.rtcp.senderReports, m.rtcp.receiverReports]),
      [
        [40_000, 1, 1],
        [40_002, 2, 2],
      ],
    );
  });

  test('a round trip of less than nothing is none', async () => {
    const trip = async (delay: number) => {
      const t = spoken(spoken(called(talk(), 1000, 4000), 1210, 150, 'up'), 1210, 150, 'down');
      t.up(2000, sends).down(2500, missing(0, 0x1234_5678, delay));
      return (await found(t)).media.find((m: Json) => m.direction === 'up').rtcp.roundTripMs;
    };
    assert.equal(Math.round((await trip(0.4 * 65_536)) / 10), 10); // the segments take a little
    assert.equal(await trip(65_536), undefined);
  });
});
