import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { concat } from 'fttscope/kit';
import { CaptureBuilder, type Frame } from '../build/capture.js';
import {
  answer,
  type Conversation,
  clearConversation,
  connect,
  down,
  envelope,
  type Flight,
  type Preface,
  type Step,
  up,
} from '../build/conversation.js';
import { at, ping, SYN } from '../build/packets.js';
import { Sealer } from '../build/sealer.js';
import { where } from '../build/shape.js';
import { type TlsOptions, tlsConversation } from '../build/tls.js';
import { captured, codes, ENDS, finding, type Json, note, reportOn } from './support.js';

const { client, server } = ENDS;
const [UP, DOWN] = [
  envelope(ping(client.address, server.address, 1, 1, 40)),
  envelope(ping(server.address, client.address, 1, 1, 40)),
];
const SOME: readonly Step[] = Array.from({ length: 4 }, () => [up([UP]), down([DOWN])]).flat();
const V12: TlsOptions = { version: 'TLSv1.2' };
const V13: TlsOptions = { version: 'TLSv1.3' };
const told = (c: Conversation): Promise<Json> => reportOn(captured(c).octets, c.keylog);

describe('CONNECT', () => {
  const asked = (...preface: readonly Preface[]) => told(clearConversation([], preface));

  test('what the proxy wants is named, and what it does not take', async () => {
    const demand = answer(407, 'No', ['Proxy-Authenticate: Digest realm="a"', 'Proxy-Authenticate: Basic realm="a"']);
    const r = await asked(connect(), demand);
    assert.deepEqual(codes(r), ['proxy.authentication']);
    assert.match(r.findings[0].meaning, /^The proxy takes Digest, Basic\./);
    const again = await asked(connect(), demand, connect(undefined, ['Proxy-Authorization: Basic YTpi']), demand);
    assert.deepEqual(codes(again), ['proxy.credentials']);
  });

  test('a Host that is another', async () => {
    const r = await told(
      await tlsConversation(SOME, V12, [
        connect('eftf.example:443', ['Host: other.example:443']),
        answer(200, 'Connection established'),
      ]),
    );
    assert.deepEqual(codes(r), ['proxy.host-differs']);
    const bare = [connect('eftf.example:443', ['Host: eftf.example']), answer(200, 'Connection established')];
    const short = await told(await tlsConversation(SOME, V12, bare));
    assert.deepEqual(codes(short), []);
    note(short, 'proxy.host-differs');
  });

  test('a success with a body that is none', async () => {
    for (const header of ['Content-Length: 0', 'Transfer-Encoding: chunked']) {
      const c = await tlsConversation(SOME, V12, [connect(), answer(200, 'OK', [header])]);
      const r = await told(c);
      assert.deepEqual(codes(r), ['proxy.answer-body'], header);
      assert.equal(r.tunnels[0].envelopes.up.total, 4);
    }
  });

  test('a client that does not wait', async () => {
    const c = await tlsConversation(SOME, V12, [connect(), answer(200, 'OK')]);
    assert.deepEqual(codes(await told(c)), []);
    const [ask, ok, hello, ...rest] = c.flights;
    const r = await told({ ...c, flights: [ask!, { ...hello!, ordered: true }, { ...ok!, ordered: true }, ...rest] });
    assert.deepEqual(codes(r), ['proxy.hasty']);
  });
});

describe('handshakes', () => {
  test('an earlier session, another ClientHello, other keys are notes', async () => {
    const first = await tlsConversation(SOME, V12);
    const again = await tlsConversation(SOME, { ...V12, session: first.session });
    assert.ok(again.reused);
    const resumed = await reportOn(captured(again).octets, first.keylog + again.keylog);
    assert.deepEqual(codes(resumed), []);
    note(resumed, 'tls.taken-up');
    const retried = await told(
      await tlsConversation(SOME, { ...V13, client: { ecdhCurve: 'X25519:P-384' }, server: { ecdhCurve: 'P-384' } }),
    );
    assert.deepEqual(codes(retried), []);
    note(retried, 'tls.retried');
    const updated = await told(
      await tlsConversation([...SOME, { keyUpdate: 0 }, ...SOME, { closeNotify: 0 }], { ...V13, sealed: true }),
    );
    assert.deepEqual(codes(updated), []);
    assert.match(finding(updated, 'tls.key-update').meaning, /^It happened once\./);
  });

  test('of which the answer is not in the capture: that the UE acknowledged it shows that there was one', async () => {
    const c = await tlsConversation(SOME, V12);
    const isData = ({ side, segment: s }: Frame): boolean => side === 1 && s !== null && s.to > s.from;
    // Of the server its SYN alone was captured: later segments would show the gap.
    const lacking = where((f) => f.side === 0 || (f.segment !== null && (f.segment.flags & SYN) !== 0));
    const r = await reportOn(captured(c, {}, { shape: [lacking] }).octets, c.keylog);
    assert.equal(r.tunnels[0].state, 'partial');
    assert.deepEqual(codes(r), ['capture.gap']);
    // A FIN that was not captured counts, too.
    const octets = captured(c).frames.reduce((n, f) => (isData(f) ? n + f.segment!.to - f.segment!.from : n), 0);
    assert.match(
      finding(r, 'capture.gap').meaning,
      new RegExp(`^The UE acknowledged about ${octets + 1} octets that did not`),
    );
    assert.equal(finding(await told(c), 'capture.gap'), undefined);
  });

  test('keys that are changed all the time', async () => {
    const often = async (times: number, between: number) => {
      const steps = Array.from({ length: times }, () => [
        { keyUpdate: 0 } as const,
        ...Array(between).fill(SOME).flat(),
      ]);
      return told(await tlsConversation([...SOME, ...steps.flat(), { closeNotify: 0 }], { ...V13, sealed: true }));
    };
    const storm = await often(40, 1);
    assert.deepEqual(codes(storm), ['tls.key-update']);
    const { meaning } = finding(storm, 'tls.key-update');
    assert.match(meaning, /^It happened 40 times\. That is every 9 records, and TLS stacks may end such a session\./);
    for (const few of [await often(20, 1), await often(40, 10)]) {
      assert.deepEqual(codes(few), []);
      assert.match(finding(few, 'tls.key-update').meaning, /^It happened \d+ times\. Once in a while/);
    }
  });

  test('a ServerHello without extensions that protect it', async () => {
    const c = await tlsConversation(SOME, V12);
    assert.equal(finding(await told(c), 'tls.no-extended-master-secret'), undefined);
    // Both extensions of the ServerHello become ones that nobody knows.
    const flights = c.flights.map((f, i): Flight => {
      if (i !== 1) return f;
      const hex = Buffer.from(f.octets).toString('hex');
      const changed = hex.replace('ff01000100', '0a0a000100').replace('00170000', '1a1a0000');
      assert.notEqual(changed, hex);
      return { ...f, octets: Uint8Array.from(Buffer.from(changed, 'hex')) };
    });
    const r = await told({ ...c, flights });
    assert.deepEqual(codes(r), []);
    note(r, 'tls.no-extended-master-secret');
    note(r, 'tls.no-renegotiation-info');
  });

  const skip = spawnSync('openssl', ['version']).status === 0 ? false : 'openssl is not installed: skipped';

  /** A key and a certificate that OpenSSL makes. */
  function certificate(...options: readonly string[]): { key: string; cert: string } {
    const folder = mkdtempSync(join(tmpdir(), 'fttscope-certificate-'));
    const [key, cert] = [join(folder, 'key'), join(folder, 'cert')];
    try {
      const fixed = ['req', '-x509', '-nodes', '-days', '36500', '-keyout', key, '-out', cert];
      const names = ['-subj', '/CN=eftf.example', '-addext', 'subjectAltName=DNS:eftf.example'];
      execFileSync('openssl', [...fixed, ...names, ...options], { stdio: 'ignore' });
      return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') };
    } finally {
      rmSync(folder, { recursive: true });
    }
  }

  test('a certificate with a short key', { skip }, async () => {
    const weak = certificate('-newkey', 'rsa:1024');
    const o: TlsOptions = { ...V12, ciphers: 'ECDHE-RSA-AES128-GCM-SHA256:@SECLEVEL=0', server: weak };
    const c = await tlsConversation(SOME, o);
    const r = await reportOn(captured(c, {}, { epoch: 1_900_000_000 }).octets, c.keylog);
    assert.deepEqual(codes(r), ['tls.certificate-weak']);
    assert.match(finding(r, 'tls.certificate-weak').meaning, /^Its key is rsaEncryption with 1024 bits\./);
  });

  test('a certificate of another issuer for the same name', { skip }, async () => {
    const other = certificate('-newkey', 'rsa:2048', '-subj', '/O=Inspector/CN=eftf.example');
    const [a, b] = [await tlsConversation(SOME, V12), await tlsConversation(SOME, { ...V12, server: other })];
    const build = (second: Conversation) =>
      new CaptureBuilder({ epoch: 1_900_000_000 })
        .connection(a, { ...ENDS, step: 10 })
        .connection(second, { client: at('192.0.2.11', 40_001), server, step: 10, start: 100 })
        .build().octets;
    const r = await reportOn(build(b), a.keylog + b.keylog);
    assert.deepEqual(codes(r), ['tls.other-issuer']);
    assert.deepEqual(
      r.findings[0].refs.map((x: Json) => x.id),
      [2, 1],
    );
    const same = await tlsConversation(SOME, V12);
    assert.deepEqual(codes(await reportOn(build(same), a.keylog + same.keylog)), []);
  });

  test('a certificate that the server asked for, and did not get', async () => {
    const r = await told(await tlsConversation(SOME, { ...V12, server: { requestCert: true } }));
    note(r, 'tls.client-certificate');
    assert.match(finding(r, 'tls.client-certificate').meaning, /^The server asked, and got none\./);
  });
});

/** A hello with one more extension at its end; `where`: where its extensions begin. */
function extended(flight: Flight, where: number, ...extension: readonly number[]): Flight {
  const b = Buffer.from(flight.octets);
  const end = where + 2 + b.readUInt16BE(where);
  for (const length of [3, 7, where]) b.writeUInt16BE(b.readUInt16BE(length) + extension.length, length);
  return { ...flight, octets: concat([b.subarray(0, end), Uint8Array.from(extension), b.subarray(end)]) };
}

/** RFC 8446 §4.1.2: behind the session id stand suites and compression methods, in a ServerHello one of each. */
function extensionsOf({ octets }: Flight, isServer: boolean): number {
  const b = Buffer.from(octets);
  const at = 44 + b[43]!;
  if (isServer) return at + 3;
  const compression = at + 2 + b.readUInt16BE(at);
  return compression + 1 + b[compression]!;
}

const limited = (hello: Flight, octets: number, isServer = false): Flight =>
  extended(hello, extensionsOf(hello, isServer), 0, 28, 0, 2, octets >> 8, octets & 255);

describe('records that are longer than record_size_limit says', () => {
  // An envelope of a ping with 40 octets: 3 + 20 + 8 + 40.
  const OCTETS = 71;

  test('TLS 1.2', async () => {
    const c = await tlsConversation(SOME, V12);
    const [hello, reply, ...rest] = c.flights;
    const said = async (client: number, server: number) => {
      const flights = [limited(hello!, client), server === 0 ? reply! : limited(reply!, server, true), ...rest];
      return reportOn(captured({ ...c, flights }).octets, c.keylog);
    };
    assert.deepEqual(codes(await said(OCTETS, 16_384)), []);
    assert.deepEqual(codes(await said(64, 0)), [], 'the server does not know the extension');
    const r = await said(64, OCTETS);
    assert.deepEqual(codes(r), ['tls.record-too-long']);
    assert.match(r.findings[0].meaning, /^The EFTF sent \d+ octets in one, and the UE takes 64\./);
    assert.match(
      (await said(16_384, 64)).findings[0].meaning,
      /^The UE sent \d+ octets in one, and the EFTF takes 64\./,
    );
  });

  test('TLS 1.3, where the type of the content counts', async () => {
    const c = await tlsConversation(SOME, { ...V13, ciphers: 'TLS_AES_128_GCM_SHA256:AES128-SHA:@SECLEVEL=0' });
    const [hello, reply, ...rest] = c.flights;
    const secret = /^SERVER_HANDSHAKE_TRAFFIC_SECRET \w+ (\w+)/m.exec(c.keylog)![1]!;
    const said = async (client: number) => {
      const sealer = new Sealer(c.cipher, Buffer.from(secret, 'hex'), 0);
      const serverHello = reply!.octets.subarray(0, 5 + (reply!.octets[3]! << 8) + reply!.octets[4]!);
      const settled = sealer.seal(Uint8Array.of(8, 0, 0, 8, 0, 6, 0, 28, 0, 2, 0x40, 1), 22);
      const finished = sealer.seal(Uint8Array.of(20, 0, 0, 32, ...new Uint8Array(32)), 22);
      const flights = [
        limited(hello!, client),
        { ...reply!, octets: concat([serverHello, settled, finished]) },
        ...rest,
      ];
      return reportOn(captured({ ...c, flights }).octets, c.keylog);
    };
    assert.equal(finding(await said(16_385), 'tls.record-too-long'), undefined);
    const r = await said(OCTETS);
    assert.match(finding(r, 'tls.record-too-long').meaning, /^The EFTF sent \d+ octets in one, and the UE takes 71\./);
  });
});

describe('envelopes at the wrong time', () => {
  test('before the server has finished', async () => {
    const c = await tlsConversation(SOME, V12);
    const finished = c.flights.findIndex((f, i) => f.side === 1 && i > 1);
    const data = c.flights.findIndex((f, i) => f.side === 0 && i > finished);
    const flights = [...c.flights];
    flights.splice(finished, 0, ...flights.splice(data, 1));
    const early = { ...c, flights: flights.map((f) => ({ ...f, ordered: true })) };
    const r = await reportOn(captured(early, { step: 2000 }).octets, c.keylog);
    assert.deepEqual(codes(r), ['fttims.before-finished']);
    assert.equal(finding(r, 'fttims.before-finished').severity, 'error');
  });

  test('in early data', async () => {
    const c = await tlsConversation(SOME, { ...V13, ciphers: 'TLS_AES_128_GCM_SHA256:AES128-SHA:@SECLEVEL=0' });
    const secret = Buffer.alloc(32, 0x5a);
    const sealer = new Sealer(c.cipher, secret, 0);
    const [hello, reply, ...rest] = c.flights;
    // The ClientHello gets the extension early_data at its end. RFC 8446 §4.2.10
    const first = extended(hello!, extensionsOf(hello!, false), 0, 42, 0, 0);
    const early = { ...hello!, octets: sealer.seal(UP!.octets) };
    const end = { ...hello!, octets: sealer.seal(Uint8Array.of(5, 0, 0, 0), 22) };
    const flights = [first, early, reply!, end, ...rest];
    const line = `CLIENT_EARLY_TRAFFIC_SECRET ${c.keylog.split(' ')[1]} ${secret.toString('hex')}\n`;
    const r = await reportOn(captured({ ...c, flights }).octets, c.keylog + line);
    assert.deepEqual(codes(r), ['fttims.early-data']);
  });

  test('in early data that the server refuses (RFC 8446 §4.2.10)', async () => {
    const c = await tlsConversation(SOME, { ...V13, ciphers: 'TLS_AES_128_GCM_SHA256:AES128-SHA:@SECLEVEL=0' });
    const secret = Buffer.alloc(32, 0x5a);
    const sealer = new Sealer(c.cipher, secret, 0);
    const [hello, ...rest] = c.flights;
    const first = extended(hello!, extensionsOf(hello!, false), 0, 42, 0, 0);
    // The last one is cut, and does not go on after the handshake.
    const early = [UP!.octets, UP!.octets.subarray(0, 20)].map((o) => ({ ...hello!, octets: sealer.seal(o) }));
    const line = `CLIENT_EARLY_TRAFFIC_SECRET ${c.keylog.split(' ')[1]} ${secret.toString('hex')}\n`;
    const r = await reportOn(captured({ ...c, flights: [first, ...early, ...rest] }).octets, c.keylog + line);
    assert.deepEqual(codes(r), ['fttims.early-data']);
    assert.match(r.findings[0].meaning, /^The EFTF refused early data/);
    assert.equal(r.tunnels[0].envelopes.up.total, 5);
    assert.equal(r.tunnels[0].tls.decryption.up.verdict, 'full');
  });

  test('after its own close_notify', async () => {
    const sealed = { ...V13, sealed: true };
    const fine = await told(await tlsConversation([...SOME, { closeNotify: 0 }], sealed));
    assert.deepEqual(codes(fine), []);
    const other = await told(await tlsConversation([...SOME, { closeNotify: 0 }, down([DOWN!])], sealed));
    assert.deepEqual(codes(other), []);
    const r = await told(await tlsConversation([...SOME, { closeNotify: 0 }, up([UP!]), up([UP!])], sealed));
    assert.deepEqual(codes(r), ['fttims.after-close']);
    assert.equal(finding(r, 'fttims.after-close').count, 2);
  });

  test('unfinished when the stream ends, in the clear and in TLS', async () => {
    const half = { side: 0 as const, plain: UP!.octets.subarray(0, 20) };
    const clear = await told(clearConversation([...SOME, half]));
    assert.deepEqual(codes(clear), ['fttims.unfinished']);
    assert.match(clear.findings[0].meaning, /^20 octets of it came up, and then the end\./);
    assert.deepEqual(codes(await told(await tlsConversation([...SOME, half], V12))), ['fttims.unfinished']);
    // A capture at the UE may end with what it sent itself: the close_notify of the other side has ended its stream before.
    const sealed = await tlsConversation([...SOME, half, { closeNotify: 0 }], { ...V13, sealed: true });
    const left = await reportOn(captured(sealed, { end: 'none' }).octets, sealed.keylog);
    assert.deepEqual(codes(left), ['fttims.unfinished']);
    const going = captured(clearConversation([...SOME, half]), { end: 'none' });
    assert.deepEqual(codes(await reportOn(going.octets)), []);
  });

  test('with a length that takes in those that follow', async () => {
    const greedy = envelope(new Uint8Array(8), 77, 3000);
    const r = await told(await tlsConversation([...SOME, up([greedy]), up([UP]), up([UP])], V13));
    assert.deepEqual(codes(r), ['fttims.overlong', 'fttims.unfinished']);
    assert.equal(finding(r, 'fttims.overlong').count, 2);
    // Cut anywhere, an envelope goes on with what is its own.
    const whole = envelope(ping(client.address, server.address, 1, 1, 900)).octets;
    const parts = [0, 300, 600].map((from) => ({ side: 0 as const, plain: whole.subarray(from, from + 300) }));
    const last = { side: 0 as const, plain: whole.subarray(900) };
    assert.deepEqual(codes(await told(await tlsConversation([...SOME, ...parts, last], V13))), []);
  });

  test('of a type that the other side does not bear', async () => {
    const unknown = envelope(Uint8Array.of(1, 2, 3), 77);
    const c = clearConversation([...SOME, down([unknown])]);
    const r = await reportOn(captured(c).octets);
    assert.deepEqual(codes(r), ['fttims.unknown-refused']);
    assert.match(finding(r, 'fttims.unknown-refused').meaning, /^The tunnel ended \d+ ms after one/);
    assert.deepEqual(codes(await told(clearConversation([...SOME, up([unknown])]))), []);
    const later = clearConversation([...SOME, down([unknown]), { pause: 3000 }, up([UP!])]);
    assert.deepEqual(codes(await told(later)), []);
  });
});
