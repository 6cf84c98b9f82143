import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CaptureBuilder } from '../build/capture.js';
import { answer, clearConversation, connect, down, envelope, type Step, up } from '../build/conversation.js';
import { ACK, at, FIN, ping, RST, SYN, tcp, udp } from '../build/packets.js';
import { snaplen } from '../build/shape.js';
import { type TlsOptions, tlsConversation } from '../build/tls.js';
import { CORE_MEDIA, captured, codes, ENDS, finding, type Json, note, reportOn, speech, UE_MEDIA } from './support.js';

const { client, server } = ENDS;
const NOTHING = new Uint8Array(0);
const SOME: readonly Step[] = [
  up([envelope(ping(client.address, server.address, 1, 1, 40))]),
  down([envelope(ping(server.address, client.address, 1, 1, 40))]),
];

/** Segments that are put into a capture one by one. */
const segments = (...list: readonly (readonly [ms: number, side: 0 | 1, packet: Uint8Array])[]): Promise<Json> => {
  const b = new CaptureBuilder();
  for (const [ms, side, packet] of list) b.packet(packet, ms, side);
  return reportOn(b.build().octets);
};

describe('the way to the EFTF', () => {
  const syn = tcp(client, server, { seq: 1, flags: SYN }, NOTHING);

  test('a connection that is not answered', async () => {
    const r = await segments([0, 0, syn], [1000, 0, syn], [3000, 0, syn]);
    assert.deepEqual(codes(r), ['tcp.no-answer']);
    assert.equal(finding(r, 'tcp.no-answer').rows[0], '1');
    assert.match(finding(r, 'tcp.no-answer').meaning, /^3 SYN went to 198\.51\.100\.1:443\./);
  });

  test('a connection that is refused', async () => {
    const r = await segments([0, 0, syn], [20, 1, tcp(server, client, { seq: 0, ack: 2, flags: RST | ACK }, NOTHING)]);
    assert.deepEqual(codes(r), ['tcp.refused']);
    assert.deepEqual(finding(r, 'tcp.refused').rows, ['2']);
  });

  for (const [status, code] of [
    [403, 'proxy.refused'],
    [407, 'proxy.authentication'],
    [429, 'proxy.rate-limited'],
    [451, 'proxy.refused'],
    [502, 'proxy.unreachable'],
    [504, 'proxy.unreachable'],
    [302, 'portal.captive'],
    [511, 'portal.captive'],
  ] as const)
    test(`a proxy that answers ${status}`, async () => {
      const r = await reportOn(captured(clearConversation([], [connect(), answer(status, 'No')])).octets);
      assert.deepEqual(codes(r), [code]);
      assert.equal(r.tunnels[0].state, 'failed');
      assert.deepEqual(r.tunnels[0].failure.stage, 'proxy');
    });

  test('what a proxy refuses with is told by its status alone', async () => {
    const meaning = async (status: number): Promise<string> => {
      const r = await reportOn(captured(clearConversation([], [connect(), answer(status, 'No')])).octets);
      return finding(r, 'proxy.refused').meaning;
    };
    // tinyproxy 1.11 answers 401 where RFC 9110 §15.5.8 has 407, to credentials that are wrong.
    assert.match(await meaning(401), /status 401\. .*do not take the name or the password/);
    for (const status of [401, 404, 405, 451, 501]) assert.doesNotMatch(await meaning(status), /policy|403/);
  });

  test('a proxy that refuses ends its own connection: the EFTF was never there', async () => {
    const ask = new TextEncoder().encode('CONNECT eftf.example:443 HTTP/1.1\r\nHost: eftf.example:443\r\n\r\n');
    const by = async (side: 0 | 1): Promise<unknown> => {
      const end = [
        tcp(client, server, { seq: 2 + ask.length, ack: 1, flags: FIN | ACK }, NOTHING),
        tcp(server, client, { seq: 1, ack: 2 + ask.length, flags: FIN | ACK }, NOTHING),
      ] as const;
      const answered = tcp(server, client, { seq: 0, ack: 2, flags: SYN | ACK }, NOTHING);
      const asked = tcp(client, server, { seq: 2, ack: 1 }, ask);
      const r = await segments([0, 0, syn], [20, 1, answered], [40, 0, asked], [90, side, end[side]]);
      assert.equal(r.tunnels[0].failure.stage, 'proxy');
      return r.tunnels[0].release.by;
    };
    assert.deepEqual([await by(0), await by(1)], ['ue', 'middlebox']);
  });

  test('what answers the CONNECT and is no proxy', async () => {
    const banner = { side: 1 as const, octets: new TextEncoder().encode('SSH-2.0-OpenSSH_9.2\r\n') };
    const c = clearConversation([], [connect()]);
    const flights = [...c.flights, { ...banner, ordered: true, pause: 0 }];
    const r = await reportOn(captured({ ...c, flights }).octets);
    assert.deepEqual(codes(r), ['proxy.no-answer']);
    assert.match(finding(r, 'proxy.no-answer').meaning, /^What answered the CONNECT is no whole answer of HTTP\./);
  });

  test('a proxy that says nothing', async () => {
    const r = await reportOn(captured(clearConversation([], [connect()])).octets);
    assert.deepEqual(codes(r), ['proxy.no-answer']);
  });

  test('an answer that the capture lacks: the client acknowledges it', async () => {
    const up = (seq: number, octets: Uint8Array) => tcp(client, server, { seq, ack: 501 }, octets);
    const data = envelope(ping(client.address, server.address, 1, 1, 40)).octets;
    const r = await segments([0, 0, syn], [40, 0, up(2, data)], [9000, 0, up(2 + data.length, data)]);
    assert.deepEqual(codes(r), ['capture.one-sided']);
  });

  test('the last segment of a client that is gone is no missing direction', async () => {
    const data = envelope(ping(server.address, client.address, 1, 1, 40)).octets;
    const last = (n: number) => [n, 1, tcp(server, client, { seq: 1 + n, ack: 1, flags: FIN | ACK }, data)] as const;
    const r = await segments(last(0));
    assert.deepEqual(codes(r), []);
    note(r, 'capture.one-sided');
    assert.deepEqual(codes(await segments(last(0), last(100), last(200))), ['capture.one-sided']);
  });

  test('a CONNECT to another port', async () => {
    const c = clearConversation([], [connect('eftf.example:8443'), answer(403, 'Forbidden')]);
    assert.deepEqual(codes(await reportOn(captured(c).octets)), ['proxy.refused', 'proxy.bad-target']);
  });

  test('a block page behind the proxy', async () => {
    const page = { side: 1 as const, plain: new TextEncoder().encode('<html>blocked</html>') };
    const c = clearConversation([page], [connect(), answer(200, 'OK')]);
    const r = await reportOn(captured(c).octets);
    assert.deepEqual(codes(r), ['proxy.not-tls']);
    assert.match(finding(r, 'proxy.not-tls').meaning, / and a page of HTML followed\./);
    const told = clearConversation([page], [connect(), answer(200, 'OK', ['Content-Length: 20'])]);
    assert.deepEqual(codes(await reportOn(captured(told).octets)), ['proxy.not-tls'], 'it had a body');
  });
});

describe('TLS', () => {
  const V12: TlsOptions = { version: 'TLSv1.2' };
  const V13: TlsOptions = { version: 'TLSv1.3' };

  test('a healthy session has nothing worse than a note', async () => {
    for (const o of [V12, V13]) {
      const c = await tlsConversation(SOME, o);
      assert.deepEqual(codes(await reportOn(captured(c).octets, c.keylog)), []);
    }
  });

  test('a session without keys', async () => {
    const c = await tlsConversation(SOME, V12);
    const r = await reportOn(captured(c).octets);
    assert.deepEqual(codes(r), []);
    assert.equal(finding(r, 'tls.no-keys').kind, 'capture');
    assert.equal(r.tunnels[0].state, 'established');
  });

  test('keys of another session', async () => {
    for (const o of [V12, V13]) {
      const c = await tlsConversation(SOME, o);
      const wrong = c.keylog.replace(/ [0-9a-f]+$/gm, (secret) => ` ${'5a'.repeat((secret.length - 1) / 2)}`);
      const r = await reportOn(captured(c).octets, wrong);
      assert.equal(r.findings[0].code, 'tls.wrong-key');
      assert.deepEqual(codes(r), ['tls.wrong-key']);
    }
  });

  test('a FIN without close_notify', async () => {
    const c = await tlsConversation(SOME, V12);
    const silent = { ...c, flights: c.flights.filter((f) => f.octets[0] !== 21) };
    const r = await reportOn(captured(silent, { end: 'fin' }).octets, c.keylog);
    assert.deepEqual(codes(r), ['tunnel.no-close-notify']);
    assert.equal(r.tunnels[0].release.how, 'fin');
    assert.match(finding(r, 'tunnel.no-close-notify').meaning, /^The UE closed it\. /);
  });

  test('the same from a proxy whose patience ends: it is not known to be of the EFTF', async () => {
    const c = await tlsConversation(SOME, { ...V12, closeNotify: false }, [connect(), answer(200, 'OK')]);
    const sent = (side: 0 | 1): number => c.flights.reduce((n, f) => n + (f.side === side ? f.octets.length : 0), 0);
    const b = new CaptureBuilder().connection(c, { ...ENDS, step: 10, end: 'none' });
    const last = { seq: 2_000_000_001 + sent(1), ack: 1001 + sent(0), flags: FIN | ACK };
    b.packet(tcp(server, client, last, NOTHING), 60_000, 1);
    const r = await reportOn(b.build().octets, c.keylog);
    const { by, how, basis } = r.tunnels[0].release;
    assert.deepEqual([by, how, basis], ['eftf', 'fin', 'inferred']);
    assert.match(
      finding(r, 'tunnel.no-close-notify').meaning,
      /^The proxy, by itself or for the EFTF behind it, closed it after 60 s in which nothing was sent\./,
    );
  });
});

describe('envelopes', () => {
  const wrong = (e: ReturnType<typeof envelope>): Step[] => [
    ...SOME,
    ...Array.from({ length: 5 }, () => up([e])),
    ...SOME,
  ];
  const of = (steps: readonly Step[]): Promise<Json> => reportOn(captured(clearConversation(steps)).octets);

  test('unknown types are a note', async () => {
    const r = await of(wrong(envelope(Uint8Array.of(1, 2, 3), 77)));
    assert.deepEqual(codes(r), []);
    assert.equal(finding(r, 'fttims.unknown-type').count, 5);
    assert.deepEqual(r.tunnels[0].unknownTypes, { 77: 5 });
  });

  test('packets that are neither IPv4 nor IPv6', async () => {
    assert.deepEqual(codes(await of(wrong(envelope(new Uint8Array(40).fill(0x70))))), ['fttims.bad-ip-version']);
  });

  test('lengths that differ', async () => {
    const packet = new Uint8Array([...ping(client.address, server.address, 1, 1, 40), 0, 0]);
    assert.deepEqual(codes(await of(wrong(envelope(packet)))), ['fttims.inner-length']);
  });

  test('envelopes without a packet', async () => {
    assert.deepEqual(codes(await of(wrong(envelope(NOTHING)))), ['fttims.empty-ip']);
  });

  test('a length below 3 loses the framing', async () => {
    const r = await of([...SOME, up([envelope(Uint8Array.of(9, 9), 1, 2)]), ...SOME]);
    assert.deepEqual(codes(r), ['fttims.bad-length']);
    assert.equal(r.findings[0].refs[0].kind, 'tunnel');
    assert.match(r.findings[0].meaning, /^1 came from the UE\. The length counts/);
  });

  test('which side sent what is wrong', async () => {
    const bare = envelope(NOTHING);
    const said = async (...steps: Step[]) => finding(await of([...SOME, ...steps]), 'fttims.empty-ip').meaning;
    assert.match(await said(up([bare]), up([bare]), up([bare]), up([bare])), /^4 came from the UE\. The receiver/);
    assert.match(await said(down([bare])), /^1 came from the EFTF\. The receiver/);
    assert.match(await said(up([bare]), down([bare]), down([bare])), /^1 came from the UE, and 2 from the EFTF\. /);
  });

  test('one stray packet among many is a note', async () => {
    const r = await of([...Array.from({ length: 10 }, () => SOME).flat(), up([envelope(new Uint8Array(40))])]);
    assert.deepEqual(codes(r), []);
    note(r, 'fttims.bad-ip-version');
  });
});

describe('the end of a tunnel', () => {
  const data = envelope(ping(client.address, server.address, 1, 1, 40)).octets;
  const send = (seq: number) => tcp(client, server, { seq, ack: 501, flags: ACK }, data);
  const opening = [
    [0, 0, tcp(client, server, { seq: 100, flags: SYN }, NOTHING)],
    [10, 1, tcp(server, client, { seq: 500, ack: 101, flags: SYN | ACK }, NOTHING)],
    [20, 0, send(101)],
    [30, 1, tcp(server, client, { seq: 501, ack: 101 + data.length }, NOTHING)],
  ] as const;

  test('a reset that answers the first octets after a long pause', async () => {
    const reset = tcp(server, client, { seq: 501, ack: 0, flags: RST }, NOTHING);
    const r = await segments(...opening, [90_000, 0, send(101 + data.length)], [90_020, 1, reset]);
    assert.deepEqual(codes(r), ['tunnel.idle-cut']);
    const { release } = r.tunnels[0];
    assert.deepEqual([release.by, release.how, release.row], ['eftf', 'rst', '6']);
    assert.equal(Math.round(release.idleBeforeMs), 89_980);
  });

  test('a reset whose TTL is another was made on the way', async () => {
    const reset = tcp(server, client, { seq: 501, ack: 0, flags: RST }, NOTHING, { ttl: 250 });
    const r = await segments(...opening, [100, 1, reset]);
    const { release } = r.tunnels[0];
    assert.deepEqual([release.by, release.basis], ['middlebox', 'inferred']);
  });

  test('a reset out of the blue', async () => {
    const r = await reportOn(captured(clearConversation([...SOME]), { end: 'rst' }).octets);
    assert.deepEqual(codes(r), ['tunnel.reset']);
  });

  test('what was on its way when a reset came is told', async () => {
    const reset = tcp(server, client, { seq: 501, ack: 0, flags: RST }, NOTHING);
    const lost = await segments(...opening, [100, 0, send(101 + data.length)], [120, 1, reset]);
    assert.deepEqual(lost.tunnels[0].release.pending, { up: data.length, down: 0 });
    assert.match(
      finding(lost, 'tunnel.reset').meaning,
      /^The reset came from the EFTF\. Nobody had acknowledged 71 octets up\./,
    );
    const none = await segments(...opening, [120, 1, reset]);
    assert.deepEqual(none.tunnels[0].release.pending, { up: 0, down: 0 });
    assert.match(finding(none, 'tunnel.reset').meaning, /Everything sent before had been acknowledged\./);
  });

  const [SENT, GOT] = [101 + data.length, 501];
  const keepAlive = (ms: number) =>
    [
      [ms, 0, tcp(client, server, { seq: SENT - 1, ack: GOT }, NOTHING)],
      [ms + 20, 1, tcp(server, client, { seq: GOT, ack: SENT }, NOTHING)],
    ] as const;

  test('keep-alives of TCP that are answered are no silence', async () => {
    const reset = tcp(server, client, { seq: GOT, flags: RST }, NOTHING);
    const kept = [20_000, 40_000, 60_000].flatMap(keepAlive);
    const r = await segments(...opening, ...kept, [65_000, 1, reset]);
    assert.deepEqual(codes(r), ['tunnel.reset']);
    assert.equal(Math.round(r.tunnels[0].release.idleBeforeMs), 4980);
    const long = [60_000, 120_000, 180_000].flatMap(keepAlive);
    const lived = await segments(...opening, ...long, [200_000, 0, send(SENT)]);
    assert.equal(finding(lived, 'tunnel.idle-gap'), undefined);
    assert.equal(Math.round(lived.tunnels[0].idleMaxMs), 59_980);
  });

  test('keep-alives of TCP that nobody answers end the silence before them', async () => {
    const [[, , probe]] = keepAlive(0);
    const deaf = [45_000, 120_000, 121_000].map((ms) => [ms, 0, probe] as const);
    const r = await segments(...opening, ...deaf, [
      122_000,
      0,
      tcp(client, server, { seq: SENT, flags: RST }, NOTHING),
    ]);
    assert.deepEqual(codes(r), ['tunnel.idle-cut']);
    assert.match(finding(r, 'tunnel.idle-cut').meaning, /^After 45 s in which nothing was sent/);
  });

  test('a forged reset that both sides pass over is no end', async () => {
    const forged = tcp(server, client, { seq: 9, flags: RST }, NOTHING);
    const answer = tcp(server, client, { seq: GOT, ack: SENT + data.length }, data);
    const ack = tcp(client, server, { seq: SENT + data.length, ack: GOT + data.length }, NOTHING);
    const on = [
      [150, 0, send(SENT)],
      [160, 1, answer],
      [170, 0, ack],
    ] as const;
    const r = await segments(...opening, [100, 1, forged], ...on);
    assert.deepEqual(codes(r), []);
    assert.equal(r.tunnels[0].release.how, 'capture-end');
    assert.deepEqual(codes(await segments(...opening, [100, 1, forged], on[0])), ['tunnel.reset']);
  });

  test('a pause, then one side alone', async () => {
    const r = await segments(
      ...opening,
      [90_000, 0, send(101 + data.length)],
      [90_300, 0, send(101 + data.length)],
      [90_900, 0, send(101 + data.length)],
      [92_100, 0, send(101 + data.length)],
    );
    assert.deepEqual(codes(r), ['tunnel.idle-cut']);
    const { release } = r.tunnels[0];
    assert.deepEqual([release.how, release.basis, release.row], ['silent', 'inferred', '8']);
    assert.equal(Math.round(release.idleBeforeMs), 89_980);
  });

  test('a FIN that is sent again and again and nobody answers', async () => {
    const fin = (ms: number) =>
      [ms, 0, tcp(client, server, { seq: SENT, ack: GOT, flags: FIN | ACK }, NOTHING)] as const;
    const after = (ms: number) => [0, 300, 900, 2100].map((n) => fin(ms + n));
    const idle = await segments(...opening, ...after(90_000));
    assert.deepEqual(codes(idle), ['tunnel.idle-cut']);
    assert.equal(idle.tunnels[0].release.how, 'silent');
    assert.match(finding(idle, 'tunnel.idle-cut').meaning, /^After 90 s in which nothing was sent/);
    assert.deepEqual(codes(await segments(...opening, ...after(1000))), ['tunnel.dead']);
    const ack = tcp(server, client, { seq: GOT, ack: SENT + 1 }, NOTHING);
    for (const fine of [after(90_000).slice(0, 2), [...after(90_000), [92_120, 1, ack] as const]]) {
      const r = await segments(...opening, ...fine);
      assert.deepEqual(codes(r), []);
      assert.equal(r.tunnels[0].release.how, 'fin');
    }
  });
});

describe('stalls', () => {
  /** Speech down the tunnel, every 20 ms or several at a time, of which one segment comes late and the rest waits behind it. */
  const late = (ms: number, packets: number, burst = 1): Promise<Json> => {
    const b = new CaptureBuilder();
    b.packet(tcp(client, server, { seq: 100, flags: SYN }, NOTHING), 0, 0);
    b.packet(tcp(server, client, { seq: 500, ack: 101, flags: SYN | ACK }, NOTHING), 10, 1);
    b.packet(tcp(client, server, { seq: 101, ack: 501 }, NOTHING), 20, 0);
    let seq = 501;
    for (let i = 0; i < packets; i++) {
      const { octets } = envelope(speech(CORE_MEDIA, UE_MEDIA, i, 2));
      const when = 100 + 20 * (i - (i % burst)) + (i === 20 ? ms : i % burst);
      b.packet(tcp(server, client, { seq, ack: 101, flags: ACK }, octets), when, 1);
      // The receiver says again what it lacks.
      if (i > 20 && when < 500 + ms)
        b.packet(tcp(client, server, { seq: 101, ack: 501 + 20 * octets.length }, NOTHING), when + 1, 0);
      seq += octets.length;
    }
    return reportOn(b.build().octets);
  };

  test('media that waited for a lost segment', async () => {
    const r = await late(1210, 100);
    assert.deepEqual(codes(r), ['tunnel.stall', 'media.head-of-line']);
    const [t] = r.tunnels;
    const [stall] = t.tcp.stalls;
    // The hole shows when the next segment comes, 20 ms after the one that is missing.
    assert.deepEqual([Math.round(stall.ms), stall.direction, stall.released, stall.media], [1190, 'down', 61, [1]]);
    assert.deepEqual(r.media[0].headOfLine, [{ stall: 1, packets: 61, ms: stall.ms }]);
    assert.equal(r.media[0].lost, 0);
  });

  test('jitter is what is left without it', async () => {
    // RFC 3550 §6.4.1: one packet comes so much too late, and those behind it as much too early.
    const stalled = await late(1500, 100, 2);
    assert.deepEqual(codes(stalled), ['tunnel.stall', 'media.head-of-line']);
    const { mean } = stalled.media[0].jitterMs;
    assert.ok(mean > 30, String(mean));
    assert.equal(finding(stalled, 'media.jitter'), undefined);
    const both = finding(await late(1500, 250, 8), 'media.jitter').meaning;
    const [, all, own] = /^The mean jitter is (\d+) ms\. Without what waited for the tunnel it is (\d+) ms\./.exec(
      both,
    )!;
    const alone = /^The mean jitter is (\d+) ms\. The receiver/.exec(
      finding(await late(0, 250, 8), 'media.jitter').meaning,
    )!;
    assert.ok(Number(all) > Number(own) && Math.abs(Number(own) - Number(alone[1])) < 10, `${both} ${alone[0]}`);
  });

  test('of more than are listed the longest is told', async () => {
    const b = new CaptureBuilder().packet(tcp(client, server, { seq: 100, flags: SYN }, NOTHING), 0, 0);
    const { octets } = envelope(ping(client.address, server.address, 1, 1, 40));
    const send = (n: number, ms: number) =>
      b.packet(tcp(client, server, { seq: 101 + n * octets.length, ack: 501 }, octets), ms, 0);
    const many = 300;
    // Each second segment comes before the one that should.
    for (let i = 0; i < many; i++) {
      const ms = 1000 * i;
      send(2 * i + 1, ms + 100);
      send(2 * i, ms + 100 + (i === 280 ? 800 : 150));
      const ack = 101 + 2 * (i + 1) * octets.length;
      b.packet(tcp(server, client, { seq: 501, ack }, NOTHING), ms + 950, 1);
    }
    const r = await reportOn(b.build().octets);
    const { stalls } = r.tunnels[0].tcp;
    assert.deepEqual([stalls.length, Math.round(stalls[255].ms), stalls[255].id], [256, 800, 256]);
    assert.deepEqual(r.limits, [{ name: 'stalls', cap: 256, hit: many - 256 }]);
    assert.match(finding(r, 'tunnel.stall').meaning, /^The longest pause took 800 ms\./);
  });

  test('a short one is nothing', async () => {
    assert.deepEqual(codes(await late(90, 60)), []);
  });

  test('a side that goes silent without a pause', async () => {
    const data = envelope(ping(client.address, server.address, 1, 1, 40)).octets;
    const send = (seq: number) => tcp(client, server, { seq, ack: 501, flags: ACK }, data);
    const repeated = (...times: readonly number[]) =>
      segments(
        [0, 0, tcp(client, server, { seq: 100, flags: SYN }, NOTHING)],
        [10, 1, tcp(server, client, { seq: 500, ack: 101, flags: SYN | ACK }, NOTHING)],
        [20, 0, send(101)],
        [30, 1, tcp(server, client, { seq: 501, ack: 101 + data.length }, NOTHING)],
        ...times.map((ms) => [ms, 0, send(101 + data.length)] as const),
      );
    assert.deepEqual(codes(await repeated(1000, 1300, 1900, 3100)), ['tunnel.dead']);
    const burst = await repeated(1000, 1110, 1220, 1330, 1440);
    assert.deepEqual(codes(burst), [], 'a burst waits for no answer');
    assert.equal(burst.tunnels[0].release.how, 'capture-end');
    assert.deepEqual(codes(await repeated(1000, 1110, 1220, 1330, 1440, 1550)), ['tunnel.dead']);
  });
});

describe('the capture', () => {
  test('frames that the snaplen cut', async () => {
    const c = clearConversation([up([envelope(udp(at('10.0.0.2', 9), at('10.0.0.1', 9), new Uint8Array(800)))])]);
    const r = await reportOn(captured(c, {}, { shape: [snaplen(200)] }).octets);
    assert.ok(codes(r).includes('capture.snaplen'));
  });

  test('a file that ends in the middle', async () => {
    const { octets } = captured(clearConversation([...SOME]));
    const r = await reportOn(octets.subarray(0, octets.length - 10));
    assert.ok(codes(r).includes('capture.cut'));
    assert.match(r.capture.files[0].truncated, /cut short/);
  });
});
