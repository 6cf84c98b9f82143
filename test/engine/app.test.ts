/** What runs in TLS and in TCP beside envelopes. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { concat, put16, put32 } from 'fttscope/kit';
import type { Row } from '../../src/engine/row.js';
import { fieldText } from '../../src/report/value.js';
import { CaptureBuilder } from '../build/capture.js';
import { Connection } from '../build/connection.js';
import { answer, clearConversation, connect, down, envelope, type Side, type Step, up } from '../build/conversation.js';
import { at, register, rtpPacket } from '../build/packets.js';
import { type Read, read } from '../build/read.js';
import { late } from '../build/shape.js';
import { type TlsOptions, tlsConversation } from '../build/tls.js';
import type { RowsOptions } from '../support/rows.js';
import { ENDS, one } from './one.js';

const V13: TlsOptions = { version: 'TLSv1.3' };
const V12: TlsOptions = { version: 'TLSv1.2' };
const bytes = (s: string): Uint8Array => Uint8Array.from(s, (c) => c.charCodeAt(0));
const says = (side: Side, plain: Uint8Array | string): Step => ({
  side,
  plain: typeof plain === 'string' ? bytes(plain) : plain,
});
const lines = (...l: string[]): string => [...l, '', ''].join('\r\n');
const GET = lines('GET /a HTTP/1.1', 'Host: xcap.example');

/** A row that says more than that a frame passed by. */
interface Shown {
  readonly frame: number;
  readonly inner: number;
  readonly protocols: string;
  /** Values of the fields asked for, in the order of the tree. */
  readonly values: readonly string[];
}

async function show(octets: Uint8Array, names: readonly string[], o: RowsOptions = {}): Promise<[Shown[], Read]> {
  const shown: Shown[] = [];
  const r = await read(octets, o, (row: Row) => {
    const { tree, protocols } = row.dissection;
    const values: string[] = [];
    for (let i = 0; i < tree.length; i++) if (names.includes(tree.field(i).name)) values.push(fieldText(tree, i));
    if (values.length > 0)
      shown.push({ frame: row.frame, inner: row.inner, protocols: protocols.slice(2).join(':'), values });
  });
  return [shown, r];
}

const valuesOf = (list: readonly Shown[]): string[][] => list.map((s) => [...s.values]);
const HTTP = ['http.request.uri', 'http.response.code', 'http.file_data'];

describe('in the TLS of a connection', () => {
  for (const [name, o] of [
    ['1.2', V12],
    ['1.3', V13],
  ] as const) {
    test(`TLS ${name}: messages over several records, and several in one`, async () => {
      const body = 'x'.repeat(40);
      const response = lines('HTTP/1.1 200 OK', 'Content-Length: 40') + body;
      const c = await tlsConversation(
        [
          says(0, GET.slice(0, 9)),
          says(0, GET.slice(9)),
          says(1, response.slice(0, 50)),
          says(1, response.slice(50)),
          says(0, GET + GET),
          says(1, lines('HTTP/1.1 404 Not Found', 'Content-Length: 0') + lines('HTTP/1.1 204 No Content')),
        ],
        o,
      );
      const built = one(c);
      const [shown, r] = await show(built.octets, HTTP, { keylog: [built.keylog] });
      assert.deepEqual(valuesOf(shown), [['/a'], ['200', body], ['/a', '/a'], ['404', '204']]);
      for (const s of shown) assert.match(s.protocols, /^ip:tcp:tls:http/);
      assert.equal(r.pass.index.tunnels[0]!.other, 'HTTP/1.1');
    });
  }

  test('the parts of a message are told as tshark 4.0 tells them', async () => {
    const head = lines('HTTP/1.1 200 OK', 'Content-Length: 6');
    const c = await tlsConversation(
      [says(0, GET), says(1, head.slice(0, 20)), says(1, `${head.slice(20)}abc`), says(1, `def${head.slice(0, 5)}`)],
      V12,
    );
    const names = ['segment.data', 'segments', 'segment', 'segment.count', 'reassembled.length', 'reassembled.data'];
    const built = one(c);
    const [shown] = await show(
      built.octets,
      names.map((n) => `tls.${n}`),
      { keylog: [built.keylog] },
    );
    const hex = (s: string): string => Buffer.from(s, 'latin1').toString('hex');
    const [first, second, third] = shown.map((s) => s.frame);
    const whole = `${head}abcdef`;
    assert.deepEqual(
      valuesOf(shown).map((list) => list.map((v) => v.replaceAll(':', ''))),
      [
        [hex(head.slice(0, 20))],
        [hex(`${head.slice(20)}abc`)],
        // The parts of both messages; then those of the one that ends here.
        [
          hex('def'),
          hex(head.slice(0, 5)),
          '1',
          `${first}`,
          `${second}`,
          `${third}`,
          '3',
          `${whole.length}`,
          hex(whole),
        ],
      ],
    );
  });

  test('the frames of a message are those that its records ended in', async () => {
    const c = await tlsConversation([says(0, GET), says(1, lines('HTTP/1.1 200 OK', 'Content-Length: 3000'))], V13);
    const rest = await tlsConversation([says(0, GET)], V13);
    assert.ok(rest.keylog !== c.keylog);
    const built = one(c);
    const [shown] = await show(built.octets, HTTP, { keylog: [rest.keylog] });
    assert.deepEqual(shown, [], 'the keys of another session open nothing');
  });

  test('a body without a length ends with the connection', async () => {
    const c = await tlsConversation([says(0, GET), says(1, lines('HTTP/1.0 200 OK')), says(1, 'to the end')], {
      ...V13,
      closeNotify: false,
    });
    const built = one(c);
    const [shown] = await show(built.octets, HTTP, { keylog: [built.keylog] });
    assert.deepEqual(valuesOf(shown), [['/a'], ['200', 'to the end']]);
  });

  test('ALPN says who takes octets that leave it open; what nobody takes is data', async () => {
    const alpn = (protocol: string): TlsOptions => ({
      ...V13,
      client: { ALPNProtocols: [protocol] },
      server: { ALPNProtocols: [protocol] },
    });
    const keepAlive = [says(0, '\r\n\r\n'), says(0, register(1))];
    const sip = one(await tlsConversation(keepAlive, alpn('sip/2')));
    const [rows] = await show(sip.octets, ['sip.Method'], { keylog: [sip.keylog] });
    assert.deepEqual(valuesOf(rows), [['REGISTER']]);
    const other = one(await tlsConversation([says(0, 'hello'), says(1, 'you too')], alpn('acme')));
    const [data] = await show(other.octets, ['data.len'], { keylog: [other.keylog] });
    assert.deepEqual(
      data.map((s) => [s.protocols, ...s.values]),
      [
        ['ip:tcp:tls', '5'], // on port 443 tshark names no layer for it
        ['ip:tcp:tls', '7'],
      ],
    );
  });

  test('the port says it too, and a rule may', async () => {
    const half = register(1).subarray(0, 5); // "REGIS"
    const conversation = await tlsConversation([says(0, half), says(0, register(1).subarray(5))], V13);
    for (const [port, rules] of [
      [5061, []],
      [8443, ['tls.port==8443,sip']],
    ] as const) {
      const built = one(conversation, { server: at('198.51.100.1', port) });
      const [rows] = await show(built.octets, ['sip.Method', 'data.len'], {
        keylog: [built.keylog],
        decodeAs: rules,
      });
      assert.deepEqual(valuesOf(rows), [['REGISTER']]);
    }
  });

  test('what SIP announces is known to the frames behind it', async () => {
    const [ue, far] = [at('192.0.2.10', 49_170), at('198.51.100.7', 6000)];
    const sdp =
      'v=0\r\no=- 1 1 IN IP4 192.0.2.10\r\ns=-\r\nc=IN IP4 192.0.2.10\r\nt=0 0\r\nm=audio 49170 RTP/AVP 0\r\n';
    const invite = lines(
      'INVITE sip:b@example.org SIP/2.0',
      'Via: SIP/2.0/TLS 192.0.2.10;branch=z9hG4bKa',
      'From: <sip:a@example.org>;tag=1',
      'To: <sip:b@example.org>',
      'Call-ID: c1',
      'CSeq: 1 INVITE',
      'Content-Type: application/sdp',
      `Content-Length: ${sdp.length}`,
    );
    const c = await tlsConversation([says(0, invite.slice(0, 100)), says(0, invite.slice(100) + sdp)], V13);
    const built = new CaptureBuilder()
      .connection(c, { ...ENDS, server: at('198.51.100.1', 5061) })
      .packet(rtpPacket(far, ue, 0, 7), 60_000, 1)
      .build();
    const [rows] = await show(built.octets, ['sip.Method', 'rtp.ssrc'], { keylog: [built.keylog] });
    assert.deepEqual(valuesOf(rows), [['INVITE'], ['0x00000007']]);
  });

  test('joined late: messages are found again at a start line', async () => {
    const steps = Array.from({ length: 12 }, () => [says(0, GET), says(1, lines('HTTP/1.1 204 No Content'))]).flat();
    const c = await tlsConversation(steps, V13);
    const sent = [0, 1].map((side) => c.flights.filter((f) => f.side === side).map((f) => f.octets.length));
    const from = sent.map((list) => list.slice(0, 8).reduce((a, b) => a + b, 0)) as [number, number];
    const built = one(c, { capture: { shape: [late(from)] } });
    const [rows] = await show(built.octets, HTTP, { keylog: [built.keylog] });
    assert.ok(rows.length >= 8, String(rows.length));
    for (const s of rows) assert.ok(s.values[0] === '/a' || s.values[0] === '204');
  });
});

describe('in the TLS of connections inside a tunnel', () => {
  test('SIP and HTTP: one row an inner packet', async () => {
    const cases = [
      [5061, [says(0, register(1).subarray(0, 30)), says(0, register(1).subarray(30))], ['REGISTER']],
      [
        443,
        [says(0, GET), says(1, lines('HTTP/1.1 200 OK', 'Content-Length: 4')), says(1, 'body')],
        ['/a', '200', 'body'],
      ],
    ] as const;
    for (const [port, steps, wanted] of cases) {
      const inside = await tlsConversation(steps, V12);
      const connection = new Connection(inside, { client: at('10.0.0.2', 40_000), server: at('10.0.0.1', port) });
      const packets = connection.segments.map((s, i) => {
        const e = envelope(connection.packet(s, i));
        return s.side === 0 ? up([e]) : down([e]);
      });
      const built = one(await tlsConversation(packets, V13));
      const [rows, r] = await show(built.octets, [...HTTP, 'sip.Method'], { keylog: [built.keylog, inside.keylog] });
      assert.deepEqual(
        rows.flatMap((s) => s.values),
        wanted,
      );
      for (const s of rows) assert.match(s.protocols, /:fttims:ip:tcp:tls:(sip|http)/);
      assert.equal(r.inner.length, packets.length);
      assert.equal(r.pass.index.tunnels.length, 1);
    }
  });
});

describe('in TCP', () => {
  const server = at('198.51.100.1', 8888);
  test('a body without a length stands in the frame of the FIN', async () => {
    const c = clearConversation([says(0, GET), says(1, lines('HTTP/1.0 200 OK')), says(1, 'a'), says(1, 'b')]);
    const built = one(c, { server });
    const [rows] = await show(built.octets, HTTP);
    assert.deepEqual(valuesOf(rows), [['/a'], ['200', 'ab']]);
    const fin = built.frames.findIndex((f) => f.side === 1 && ((f.segment?.flags ?? 0) & 1) !== 0) + 1;
    assert.equal(rows[1]!.frame, fin);
    const [without] = await show(one(c, { server, end: 'none' }).octets, HTTP);
    assert.deepEqual(valuesOf(without), [['/a']]);
  });

  test('what nobody takes is data, in the frame that carries it', async () => {
    const octets = [
      says(0, 'S\x01'),
      says(1, 'no'),
      says(
        0,
        Uint8Array.from({ length: 90 }, (_, i) => 200 - i),
      ),
    ];
    const [rows] = await show(one(clearConversation(octets), { server }).octets, ['data.len']);
    assert.deepEqual(
      rows.map((s) => [s.protocols, ...s.values]),
      [
        ['ip:tcp:data', '2'],
        ['ip:tcp:data', '2'],
        ['ip:tcp:data', '90'],
      ],
    );
  });

  test('TLS begins after a plain-text start, on any port', async () => {
    const plain = [
      { side: 1, octets: bytes('+OK ready\r\n') },
      { side: 0, octets: bytes('STLS\r\n') },
      { side: 1, octets: bytes('+OK\r\n') },
    ] as const;
    const c = await tlsConversation([says(0, GET), says(1, lines('HTTP/1.1 204 No Content'))], V13, plain);
    const built = one(c, { server });
    const [rows] = await show(built.octets, [...HTTP, 'data.len'], { keylog: [built.keylog] });
    assert.deepEqual(valuesOf(rows), [['11'], ['6'], ['5'], ['/a'], ['204']]);
  });

  test('a 2xx answer to CONNECT has no body', async () => {
    for (const reply of [answer(200, 'Connection established'), answer(200, 'OK', ['Content-Length: 5'])]) {
      const c = await tlsConversation([says(0, GET)], V13, [connect(), reply]);
      const built = one(c, { server });
      const [rows] = await show(built.octets, HTTP, { keylog: [built.keylog] });
      assert.deepEqual(valuesOf(rows), [['eftf.example:443'], ['200'], ['/a']]);
    }
  });

  test('a page behind the answer to CONNECT, in its segment, adds nothing to Info, as in tshark', async () => {
    const c = clearConversation([], [connect(), answer(200, 'OK', [], '<html>blocked</html>')]);
    const infos: string[] = [];
    await read(one(c, { server }).octets, {}, ({ dissection: d }) => {
      if (d.protocols.includes('http')) infos.push(d.info());
    });
    assert.deepEqual(infos, ['CONNECT eftf.example:443 HTTP/1.1 ', 'HTTP/1.1 200 OK ']);
  });
});

/** An IKE header, RFC 7296 §3.1, with a body of so many octets. */
function ike(body: number, exchange: number): Uint8Array {
  const b = new Uint8Array(28 + body);
  b.set([0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88]);
  b.set([0, 0x20, exchange, 8], 16);
  put32(b, 24, b.length);
  return b;
}
/** TS 24.302 §F.3.2: Length of the whole, then the payload. */
function ftt(...payload: Uint8Array[]): Uint8Array {
  const all = concat([new Uint8Array(2), ...payload]);
  put16(all, 0, all.length);
  return all;
}
const MARKER = new Uint8Array(4);
function esp(sequence: number, n: number): Uint8Array {
  const b = new Uint8Array(n).fill(0xc5);
  put32(b, 0, 0x0a0b0c0d);
  put32(b, 4, sequence);
  return b;
}
const FTT = ['ftt.length', 'ftt.non_esp_marker', 'ftt.keep_alive'];

describe('FTT to an ePDG', () => {
  test('envelopes of IKEv2, ESP and keep-alives, however records cut them', async () => {
    // Length 348: the first octet is the type of an FTT-IMS envelope.
    const up0 = ftt(MARKER, ike(314, 34));
    assert.deepEqual([...up0.subarray(0, 6)], [0x01, 0x5c, 0, 0, 0, 0]);
    const later = concat([ftt(esp(1, 80)), ftt(esp(2, 60)), ftt(new Uint8Array(2))]);
    const steps = [
      says(0, up0.subarray(0, 20)),
      says(0, up0.subarray(20)),
      says(1, ftt(MARKER, ike(100, 34))),
      says(0, later.subarray(0, 90)),
      says(0, later.subarray(90)),
    ];
    const built = one(await tlsConversation(steps, V13));
    const [rows, r] = await show(built.octets, FTT, { keylog: [built.keylog] });
    assert.deepEqual(valuesOf(rows), [['348', '0x00000000'], ['134', '0x00000000'], ['82'], ['62', '4', '1']]);
    for (const s of rows) assert.match(s.protocols, /^ip:tcp:tls:ftt/);
    const [tunnel] = r.pass.index.tunnels;
    assert.equal(tunnel!.content, 'other');
    assert.match(tunnel!.other!, /annex F/);
    assert.deepEqual(r.inner, []);
  });

  test('told by the first IKE header, and not before', async () => {
    const first = ftt(MARKER, ike(314, 34));
    for (const n of [1, 5, 6, 22, 33]) {
      const built = one(await tlsConversation([says(0, first.subarray(0, n))], V13));
      const [, r] = await show(built.octets, FTT, { keylog: [built.keylog] });
      assert.equal(r.pass.index.tunnels[0]!.content, 'unknown', String(n));
    }
    const built = one(await tlsConversation([says(0, first.subarray(0, 34))], V13));
    const [, r] = await show(built.octets, FTT, { keylog: [built.keylog] });
    assert.equal(r.pass.index.tunnels[0]!.content, 'other');
  });

  test('joined late: told by two ESP packets of one SA', async () => {
    const steps = Array.from({ length: 12 }, (_, i) => says(0, ftt(esp(i + 1, 40))));
    const c = await tlsConversation([says(0, ftt(MARKER, ike(100, 34))), ...steps], V13);
    const flights = c.flights.filter((f) => f.side === 0).map((f) => f.octets.length);
    const from = flights.slice(0, flights.length - 8).reduce((a, b) => a + b, 0);
    const built = one(c, { capture: { shape: [late([from, 0])] } });
    const [rows, r] = await show(built.octets, FTT, { keylog: [built.keylog] });
    assert.match(r.pass.index.tunnels[0]!.other!, /annex F/);
    assert.ok(rows.length >= 5, String(rows.length));
    assert.deepEqual(new Set(rows.flatMap((s) => s.values)), new Set(['42']));
  });

  test('a Length below 2 loses the framing', async () => {
    const steps = [
      says(0, ftt(MARKER, ike(4, 34))),
      says(0, Uint8Array.of(0, 1, 9, 9)),
      says(0, ftt(MARKER, ike(8, 37))),
    ];
    const built = one(await tlsConversation(steps, V13));
    const [rows] = await show(built.octets, [...FTT, 'data.len'], { keylog: [built.keylog] });
    assert.deepEqual(
      rows.map((s) => s.values.filter((v) => v !== '0x00000000')[0]),
      ['38', '4', '42'],
    );
  });
});
