import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { concat } from 'fttscope/kit';
import { makeCertificate } from '../../src/live/tls-certificate.js';
import { CaptureBuilder, type Frame, type Shaper } from '../build/capture.js';
import type { Conversation, Step } from '../build/conversation.js';
import { answer, clearConversation, connect, down, envelope, up } from '../build/conversation.js';
import { ACK, at, FIN, ping, RST, tcp } from '../build/packets.js';
import { Sealer } from '../build/sealer.js';
import { drop, late, only, snaplen, where } from '../build/shape.js';
import { type TlsOptions, tlsConversation } from '../build/tls.js';
import { testCertificate } from '../tls/pair.js';
import { captured, codes, dhcpUp, ENDS, finding, type Json, note, reportOn, sip, Talk } from './support.js';

const UE = at('10.0.0.2', 0);
const CORE = at('10.0.0.1', 0);
const SOME: readonly Step[] = Array.from({ length: 8 }, (_, i) => [
  up([envelope(ping(UE.address, CORE.address, 1, i, 40))]),
  down([envelope(ping(CORE.address, UE.address, 1, i, 40))]),
]).flat();
const V12: TlsOptions = { version: 'TLSv1.2' };

/** The UE waits so many milliseconds before it ends the connection. */
const patient =
  (ms: number): Shaper =>
  (frames) => {
    const end = frames.findIndex((f) => ((f.segment?.flags ?? 0) & FIN) !== 0);
    return frames.map((f, i) => (end < 0 || i < end ? f : { ...f, time: f.time + 1e6 * ms }));
  };
const told = (c: Conversation, ms = 5000): Promise<Json> =>
  reportOn(captured(c, {}, { shape: [patient(ms)] }).octets, c.keylog);

/** A handshake that goes no further than its first message, with what answers it. */
async function begun(o: TlsOptions, answer?: readonly number[]): Promise<Conversation> {
  const c = await tlsConversation([], o);
  const [hello] = c.flights;
  const flights = [hello!];
  if (answer !== undefined) flights.push({ side: 1, octets: Uint8Array.from(answer), ordered: true, pause: 0 });
  return { ...c, flights, inner: [] };
}
const alert = (description: number): number[] => [21, 3, 3, 0, 2, 2, description];

describe('a handshake of which the capture lacks something', () => {
  test('what the snaplen cut is no silence of the server', async () => {
    const c = await tlsConversation(SOME, V12);
    const r = await reportOn(captured(c, {}, { shape: [snaplen(120)] }).octets, c.keylog);
    assert.equal(r.tunnels[0].state, 'partial');
    assert.deepEqual(codes(r), ['capture.snaplen']); // no larger buffer would have kept what it cut
    const long = await tlsConversation(Array.from({ length: 8 }, () => SOME).flat(), V12);
    const many = await reportOn(captured(long, {}, { shape: [snaplen(120)] }).octets, long.keylog);
    assert.deepEqual(codes(many), ['capture.snaplen'], 'nor is it a limit that was reached');
    const lost = captured(c, {}, { shape: [where((_, i) => i !== 12), snaplen(120)] });
    assert.deepEqual(codes(await reportOn(lost.octets, c.keylog)), ['capture.gap', 'capture.snaplen']);
    const silent = { ...c, flights: c.flights.slice(0, 1), inner: [] };
    const none = await reportOn(captured(silent, {}, { shape: [snaplen(120)] }).octets, c.keylog);
    assert.equal(none.tunnels[0].state, 'failed');
    assert.ok(codes(none).includes('tls.no-answer'));
  });

  test('what the snaplen cut of a ClientHello may be the name', async () => {
    const c = await tlsConversation(SOME, V12);
    const flights = [connect(), answer(200, 'OK')].map((p) => ({ ...p, ordered: true, pause: 0 }));
    const proxied = { ...c, flights: [...flights, ...c.flights], inner: [] };
    let torn = 0;
    for (let octets = 120; octets < 300; octets += 20) {
      const r = await reportOn(captured(proxied, {}, { shape: [snaplen(octets)] }).octets, c.keylog);
      const { tls } = r.tunnels[0];
      if (tls?.clientRandom !== undefined && tls.sni === undefined) torn++;
      assert.equal(finding(r, 'tls.sni-missing'), undefined, String(octets));
    }
    assert.ok(torn > 0, 'some have the random and not the name');
  });

  test('a ServerHello that the capture lacks was there where what follows it is protected', async () => {
    const c = await tlsConversation(SOME, V12);
    // Captured late, by a filter on TLS, the flight of the server among what is missing.
    const hello = c.flights.findIndex((f) => f.side === 1);
    const first = c.flights[hello]!.octets.length;
    const lacks = where((f) => f.side === 0 || f.segment!.from >= first);
    const r = await reportOn(captured(c, { opening: false, acks: 0, end: 'none' }, { shape: [lacks] }).octets);
    assert.deepEqual([r.tunnels[0].state, r.tunnels[0].failure], ['partial', undefined]);
    assert.equal(finding(r, 'tls.no-answer'), undefined);
  });

  test('without the ClientHello nobody knows which name it had', async () => {
    const c = await tlsConversation(SOME, { version: 'TLSv1.3' });
    const r = await reportOn(captured(c, {}, { shape: [only(1)] }).octets, c.keylog);
    assert.ok(r.tunnels[0].envelopes.down.total > 0);
    assert.equal(finding(r, 'tls.sni-missing'), undefined);
  });

  test('a tunnel whose envelopes were read was established', async () => {
    const c = await tlsConversation(SOME, { version: 'TLSv1.3' });
    const built = captured(c);
    const data = built.frames.filter((f) => f.payload > 0);
    for (const lost of data.slice(0, 4)) {
      const r = await reportOn(captured(c, {}, { shape: [where((f) => f.time !== lost.time)] }).octets, c.keylog);
      const [t] = r.tunnels;
      const carried = t.envelopes.up.total + t.envelopes.down.total;
      if (carried > 0) assert.equal(t.state, 'established');
      else assert.equal(t.state, 'partial');
      assert.equal(t.failure, undefined);
    }
  });
});

describe('a key log that lacks lines', () => {
  test('a handshake of which half can be read has not failed for that', async () => {
    const c = await tlsConversation(SOME, { version: 'TLSv1.3' });
    const of = (wanted: RegExp): string =>
      c.keylog
        .split('\n')
        .filter((line) => wanted.test(line))
        .join('\n');
    // The Finished of the client is read, and nothing of the server.
    const client = await reportOn(captured(c).octets, of(/^CLIENT_HANDSHAKE/));
    assert.equal(client.tunnels[0].state, 'established');
    assert.notEqual(finding(client, 'tls.partial-keys'), undefined);
    const lines = c.keylog.split('\n').filter((line) => line !== '');
    for (let i = 1; i < 1 << lines.length; i++) {
      const some = lines.filter((_, k) => (i >> k) & 1).join('\n');
      const r = await reportOn(captured(c).octets, some);
      assert.notEqual(r.tunnels[0].state, 'failed', some);
      assert.equal(finding(r, 'tls.incomplete'), undefined, some);
    }
  });
});

describe('a handshake that fails', () => {
  test('an alert of the server', async () => {
    const r = await told(await begun(V12, alert(40)));
    assert.deepEqual(codes(r), ['tls.alert']);
    assert.equal(r.tunnels[0].state, 'failed');
    assert.equal(r.tunnels[0].tls.alerts[0].name, 'handshake_failure');
    assert.match(r.findings[0].meaning, /EFTF sent the alert handshake_failure\. It can agree to nothing that/);
    const unknown = await told(await begun(V12, alert(120)));
    assert.match(
      unknown.findings[0].meaning,
      /no_application_protocol\. It supports none of the application protocols/,
    );
    assert.match((await told(await begun(V12, alert(80)))).findings[0].meaning, /internal_error\. One side ended/);
  });

  test('what came instead of a ServerHello is told', async () => {
    const c = await begun(V12);
    const [hello] = c.flights;
    const said = (r: Json): string => finding(r, 'tls.no-answer').meaning;
    assert.match(said(await told(c)), /^The ClientHello was not answered\./);
    const page = { side: 1 as const, octets: Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'), ordered: true, pause: 0 };
    assert.match(
      said(await told({ ...c, flights: [hello!, page] })),
      /^The ClientHello was answered with HTTP \(status 400\)\./,
    );
    const other = { ...page, octets: Buffer.from('SSH-2.0-OpenSSH_9.2\r\n') };
    assert.match(
      said(await told({ ...c, flights: [hello!, other] })),
      /^The ClientHello was answered with something that/,
    );
    const { client, server } = ENDS;
    const end = (flags: number, ttl = 64): Promise<Json> => {
      const b = new CaptureBuilder().connection(c, { ...ENDS, step: 10, end: 'none' });
      const header = { seq: 2_000_000_001, ack: 1001 + hello!.octets.length, flags };
      return reportOn(b.packet(tcp(server, client, header, new Uint8Array(0), { ttl }), 50, 1).build().octets);
    };
    assert.match(said(await end(RST | ACK)), /^The ClientHello was answered with a reset\./);
    assert.match(said(await end(RST | ACK, 250)), /a reset that something on the way made, by its TTL\./);
    assert.match(said(await end(FIN | ACK)), /^The connection was closed after the ClientHello, without an answer\./);
  });

  test('and what came instead from behind a proxy', async () => {
    const c = await begun(V12);
    const [hello] = c.flights;
    const before = [connect(), answer(200, 'OK')].map((p) => ({ ...p, ordered: true, pause: 0 }));
    const said = async (...reply: string[]): Promise<string> => {
      const flights = reply.map((s) => ({ side: 1 as const, octets: Buffer.from(s), ordered: true, pause: 0 }));
      const r = await told({ ...c, flights: [...before, hello!, ...flights] });
      return finding(r, 'tls.no-answer').meaning;
    };
    assert.match(await said(), /^The ClientHello was not answered\./);
    for (const reply of ['go away\r\n', '\xff'.repeat(40)])
      assert.match(await said(reply), /^The ClientHello was answered with something that is no TLS\./);
  });

  test('no server name: it stands before the alert that it leads to', async () => {
    const r = await told(await begun({ ...V12, client: { servername: '' } }, alert(112)));
    assert.deepEqual(codes(r), ['tls.sni-missing', 'tls.alert']);
    // Others say that it was something else.
    for (const description of [70, 71, 120]) {
      const other = await told(await begun({ ...V12, client: { servername: '' } }, alert(description)));
      assert.deepEqual(codes(other), ['tls.alert']);
    }
  });

  test('nobody answers', async () => {
    assert.deepEqual(codes(await told(await begun(V12))), ['tls.no-answer']);
    // That it is for want of a name is a guess, which stands behind what is known.
    const nameless = await told(await begun({ ...V12, client: { servername: '' } }));
    assert.deepEqual(codes(nameless), ['tls.no-answer', 'tls.sni-missing']);
  });

  test('a UE that gives up at once did not wait for an answer, as of two ways that it tries (RFC 8305 §5)', async () => {
    const claim = async (ms: number): Promise<string[]> => {
      const { severity, confidence } = finding(await told(await begun(V12), ms), 'tls.no-answer');
      return [severity, confidence];
    };
    assert.deepEqual(await claim(5000), ['error', 'certain']);
    assert.deepEqual(await claim(300), ['warn', 'possible']);
    const r = await told(await begun(V12), 300);
    assert.match(r.findings[0].meaning, /^The UE ended the connection 300 ms after its ClientHello, before an answer /);
  });

  test('the UE ended the connection before the answer came', async () => {
    const { client, server } = ENDS;
    const c = await tlsConversation([], V12);
    const [hello, certificate] = c.flights;
    const b = new CaptureBuilder().connection({ ...c, flights: [hello!] }, { ...ENDS, step: 10, end: 'none' });
    const seq = 1001 + hello!.octets.length;
    b.packet(tcp(client, server, { seq, ack: 2_000_000_001, flags: FIN | ACK }, new Uint8Array(0)), 50);
    b.packet(tcp(server, client, { seq: 2_000_000_001, ack: seq }, certificate!.octets), 60, 1);
    b.packet(tcp(client, server, { seq: seq + 1, flags: RST }, new Uint8Array(0)), 61);
    const r = await reportOn(b.build().octets);
    assert.deepEqual(codes(r), ['tls.incomplete']);
    assert.match(r.findings[0].meaning, /^The UE ended the connection before the answer of the EFTF had come\./);
  });

  test('the end comes after the ServerHello', async () => {
    const c = await tlsConversation([], V12);
    const cut = { ...c, flights: c.flights.slice(0, 2) };
    assert.deepEqual(codes(await told(cut)), ['tls.incomplete']);
  });
});

describe('a certificate that the UE does not take', () => {
  const flight = (side: 0 | 1, octets: Iterable<number>) =>
    ({ side, octets: Uint8Array.from(octets), ordered: true, pause: 0 }) as const;
  /** What the server has to say, and then this of the client. */
  const refused = async (o: TlsOptions, ...client: readonly (readonly number[])[]): Promise<Conversation> => {
    const c = await tlsConversation([], o);
    return { ...c, flights: [...c.flights.slice(0, 2), ...client.map((b) => flight(0, b))], inner: [] };
  };
  const severity = (r: Json, code: string): string => finding(r, code)?.severity;

  test('TLS 1.2: the alert, and before it what explains it', async () => {
    const unknown = await told(await refused(V12, alert(48)));
    assert.deepEqual(codes(unknown), ['tls.certificate-self-signed', 'tls.alert']);
    assert.match(unknown.findings[1].meaning, /unknown_ca\..*The issuer is CN=eftf\.example\./);
    const other = { ...V12, client: { servername: 'other.example' } };
    const misnamed = await told(await refused(other, alert(46)));
    assert.deepEqual(codes(misnamed), ['tls.sni-mismatch', 'tls.alert']);
    assert.equal(severity(misnamed, 'tls.sni-mismatch'), 'error');
    assert.equal(severity(await told(await refused(other, alert(48))), 'tls.sni-mismatch'), 'warn');
    const late = captured(await refused(V12, alert(45)), {}, { epoch: 32_000_000_000 });
    const expired = await reportOn(late.octets);
    assert.deepEqual(codes(expired), ['tls.certificate-dates', 'tls.alert']);
    assert.equal(severity(expired, 'tls.certificate-dates'), 'error');
  });

  test('it ends the connection and says no more', async () => {
    const cause = async (...said: readonly (readonly number[])[]) => {
      const r = await told(await refused(V12, ...said));
      assert.deepEqual(codes(r), ['tls.incomplete']);
      return r.tunnels[0].failure.cause;
    };
    const closing = [21, 3, 3, 0, 2, 1, 0];
    assert.match(await cause(), /^The UE got the certificate, ended the connection, and did not say why\./);
    assert.match(await cause(closing), /^The UE got the certificate, ended/);
    assert.match(await cause([21, 3, 3, 0, 2, 1, 90], closing), /^The handshake was cancelled \(user_canceled\)\./);
  });

  /** TLS 1.3: a record of the client under the keys of its handshake. */
  const sealed13 = async (plain: readonly number[], type: number, o: TlsOptions = {}): Promise<Conversation> => {
    const options = { version: 'TLSv1.3', ciphers: 'TLS_AES_128_GCM_SHA256', ...o } as const;
    const c = await tlsConversation([], options);
    const secret = /^CLIENT_HANDSHAKE_TRAFFIC_SECRET \w+ (\w+)/m.exec(c.keylog)![1]!;
    const record = new Sealer(c.cipher, Buffer.from(secret, 'hex'), 0).seal(Uint8Array.from(plain), type);
    const flights = [...c.flights.slice(0, 2), flight(0, [20, 3, 3, 0, 1, 1]), flight(0, record)];
    return { ...c, flights, inner: [] };
  };

  /** A session of TLS 1.3 that a side, the server mostly, gives up with an alert, after `steps`, and closes. */
  const givenUp = async (steps: readonly Step[], description: number, by: 0 | 1 = 1): Promise<Conversation> => {
    const o = { version: 'TLSv1.3', ciphers: 'TLS_AES_128_GCM_SHA256', closeNotify: false } as const;
    const c = await tlsConversation([...steps], o);
    const line = by === 1 ? /^SERVER_TRAFFIC_SECRET_0 \w+ (\w+)/m : /^CLIENT_TRAFFIC_SECRET_0 \w+ (\w+)/m;
    const secret = line.exec(c.keylog)![1]!;
    // Its records behind the handshake, tickets among them.
    let sequence = 0;
    for (const { side, octets } of c.flights.slice(3))
      for (let i = 0; side === by && i < octets.length; i += 5 + octets[i + 3]! * 256 + octets[i + 4]!) sequence++;
    const alert = new Sealer(c.cipher, Buffer.from(secret, 'hex'), sequence).seal(Uint8Array.of(2, description), 21);
    return { ...c, flights: [...c.flights, flight(by, alert)] };
  };

  test('TLS 1.3: the server wants a certificate of the client, and says so when its own handshake is over', async () => {
    const c = await givenUp([], 116);
    const r = await told(c);
    assert.equal(r.tunnels[0].state, 'failed');
    assert.equal(r.tunnels[0].established, undefined);
    const cause = 'The EFTF sent the alert certificate_required.';
    assert.deepEqual([r.tunnels[0].failure.stage, r.tunnels[0].failure.cause], ['tls', cause]);
    assert.ok(finding(r, 'tls.alert').meaning.startsWith(`${cause} It wants a certificate of the client.`));
  });

  test('a session that was in use ends with an alert: that is why, and no missing close_notify', async () => {
    const r = await told(await givenUp(SOME, 20));
    assert.equal(r.tunnels[0].state, 'established');
    assert.equal(r.tunnels[0].release.how, 'fin');
    assert.deepEqual(codes(r), ['tls.fatal-alert']);
    const said =
      'The EFTF sent the alert bad_record_mac. A record that came to it was damaged, or sealed with another key.';
    assert.ok(finding(r, 'tls.fatal-alert').meaning.startsWith(said), finding(r, 'tls.fatal-alert').meaning);
  });

  test('an alert that answers a FIN is not why: OpenSSL 3 says decode_error to who closes without close_notify', async () => {
    const c = await givenUp(SOME, 50, 0);
    const first = (frames: readonly Frame[]): Frame[] => {
      const alert = frames.findLast((f) => f.side === 0 && f.payload > 0)!;
      const fin = frames.find((f) => f.side === 1 && f.segment !== null && (f.segment.flags & FIN) !== 0)!;
      const others = frames.filter((f) => f !== fin && f.time <= alert.time && f !== alert);
      return [...others, { ...fin, time: alert.time }, { ...alert, time: alert.time + 100_000 }];
    };
    const r = await reportOn(captured(c, {}, { shape: [first] }).octets, c.keylog);
    const { by, how } = r.tunnels[0].release;
    assert.deepEqual([by, how, r.tunnels[0].tls.alerts[0].name], ['eftf', 'fin', 'decode_error']);
    assert.equal(finding(r, 'tls.fatal-alert'), undefined);
    assert.match(finding(r, 'tunnel.no-close-notify').meaning, /^The EFTF closed it\./);
  });

  test('TLS 1.3: after the Finished of the server, and before its own', async () => {
    const c = await sealed13([2, 48], 21);
    const r = await told(c);
    assert.equal(r.tunnels[0].state, 'failed');
    assert.equal(r.tunnels[0].established, undefined);
    assert.deepEqual(codes(r), ['tls.certificate-self-signed', 'tls.alert']);
    // Without keys its length tells what it is, and not what it says.
    const veiled = await reportOn(captured(c).octets);
    assert.deepEqual(codes(veiled), ['tls.incomplete']);
    assert.match(veiled.findings[0].meaning, /^The UE sent an alert that cannot be read without keys\./);
    const silent = await told({ ...c, flights: c.flights.slice(0, 2) });
    assert.match(silent.tunnels[0].failure.cause, /^The UE got the certificate, ended the connection/);
  });

  test('TLS 1.3: a Finished is longer, and what goes on has not failed', async () => {
    const finished = await sealed13([20, 0, 0, 32, ...new Uint8Array(32)], 22);
    assert.equal((await reportOn(captured(finished).octets)).tunnels[0].state, 'partial');
    const c = await tlsConversation(SOME, { version: 'TLSv1.3' });
    assert.equal((await reportOn(captured(c).octets)).tunnels[0].state, 'partial');
    assert.equal((await told(c)).tunnels[0].state, 'established');
    const going = await reportOn(captured(await sealed13([2, 48], 21), { end: 'none' }).octets);
    assert.equal(going.tunnels[0].state, 'partial');
  });
});

describe('names and certificates', () => {
  test('a server name that the certificate does not have', async () => {
    const r = await told(await tlsConversation(SOME, { ...V12, client: { servername: 'other.example' } }));
    assert.deepEqual(codes(r), ['tls.sni-mismatch']);
  });

  test('a CONNECT to a name, and no server name', async () => {
    const preface = [connect('eftf.example:443'), answer(200, 'OK')];
    const c = await tlsConversation(SOME, { ...V12, client: { servername: '' } }, preface);
    assert.deepEqual(codes(await told(c)), ['tls.sni-missing']);
  });

  test('an EFTF that proves its address is not known to have a name', async () => {
    const named = async (...names: string[]) => {
      const server = makeCertificate({ name: 'An EFTF', names, days: 9 });
      const c = await tlsConversation(SOME, { ...V12, client: { servername: '' }, server });
      return finding(await told(c), 'tls.sni-missing');
    };
    assert.match((await named('eftf.example'))!.meaning, /certificate names eftf\.example\./);
    for (const names of [['198.51.100.1', 'eftf.example'], ['2001:db8::1'], ['192.0.2.200']])
      assert.equal(await named(...names), undefined, names.join());
  });

  test('a certificate before and after its time', async () => {
    const c = await tlsConversation(SOME, V12);
    for (const epoch of [10, 32_000_000_000]) {
      const r = await reportOn(captured(c, {}, { epoch }).octets, c.keylog);
      assert.deepEqual(codes(r), ['tls.certificate-dates']);
    }
  });

  test('a certificate issued by itself is a note', async () => {
    const r = await told(await tlsConversation(SOME, V12));
    assert.deepEqual(codes(r), []);
    note(r, 'tls.certificate-self-signed');
  });

  test('another port', async () => {
    const onPort = async (steps: readonly Step[]) => {
      const c = await tlsConversation(steps, V12);
      return reportOn(captured(c, { server: at('198.51.100.1', 8443) }).octets, c.keylog);
    };
    const unanswered = SOME.filter((_, i) => i % 2 === 0);
    assert.deepEqual(codes(await onPort(unanswered)), ['tunnel.port']);
    const fine = await onPort(SOME);
    assert.deepEqual(codes(fine), []);
    note(fine, 'tunnel.port');
  });
});

describe('versions and suites', () => {
  const LOW = '@SECLEVEL=0';

  test('TLS 1.1', async () => {
    const c = await tlsConversation(SOME, { version: 'TLSv1.1', ciphers: `ALL:${LOW}` });
    assert.deepEqual(codes(await told(c)), ['tls.old-version']);
  });

  test('no encryption', async () => {
    const c = await tlsConversation(SOME, { ...V12, ciphers: `NULL-SHA256:${LOW}` });
    assert.deepEqual(codes(await told(c)), ['tls.weak-suite']);
  });

  test('CBC is a note', async () => {
    const c = await tlsConversation(SOME, { ...V12, ciphers: `ECDHE-RSA-AES128-SHA256:${LOW}` });
    const r = await told(c);
    assert.deepEqual(codes(r), []);
    note(r, 'tls.weak-suite');
    assert.match(finding(r, 'tls.weak-suite').meaning, /CBC_SHA256\. Its mode of encryption \(CBC\)/);
  });
});

describe('what of a session can be read', () => {
  test('no key for what the network says: nobody knows whether it answered before the tunnel ended', async () => {
    const p = { callId: 'reg-1@10.0.0.2', from: 'sip:alice@ims.example', to: 'sip:alice@ims.example' };
    const t = new Talk()
      .up(0, sip('REGISTER sip:ims.example', { ...p, headers: [['Contact', '<sip:alice@10.0.0.2:5060>']] }))
      .down(20, sip('401 Unauthorized REGISTER', { ...p, toTag: 'r' }, 'down'))
      .up(3000, ping(UE.address, CORE.address, 1, 1, 40));
    const c = await tlsConversation(t.steps, { version: 'TLSv1.3' });
    const half = c.keylog.split('\n').filter((line) => !line.startsWith('SERVER_TRAFFIC'));
    const r = await reportOn(captured(c).octets, half.join('\n'));
    assert.deepEqual(codes(r), []);
    note(r, 'tls.partial-keys');
  });

  test('the secrets of the handshake are not in the key log', async () => {
    const c = await tlsConversation(SOME, { version: 'TLSv1.3' });
    const lines = c.keylog.split('\n').filter((line) => !line.includes('HANDSHAKE'));
    const r = await reportOn(captured(c).octets, lines.join('\n'));
    assert.deepEqual(codes(r), []);
    assert.match(finding(r, 'tls.partial-keys').meaning, /_HANDSHAKE_TRAFFIC_SECRET/);
    assert.equal(finding(r, 'tls.bad-tag'), undefined);
    const { decryption } = r.tunnels[0].tls;
    assert.deepEqual([decryption.up.failed, decryption.down.failed], [0, 0]);
    assert.equal(r.tunnels[0].envelopes.up.total, 8);
  });

  test('segments are missing', async () => {
    const c = await tlsConversation(SOME, V12);
    const after = [0, 1].map((side) => c.inner.find((i) => i.side === side)!.from);
    const built = captured(c, {}, { shape: [drop(0.3, [after[0]!, after[1]!])], seed: 4 });
    const r = await reportOn(built.octets, c.keylog);
    assert.deepEqual(codes(r), ['capture.gap']);
    assert.equal(finding(r, 'capture.gap').refs[0].kind, 'tunnel');
  });

  test('which records are missing', async () => {
    // Of the UE's records 0 is the Finished in TLS 1.2; in TLS 1.3 it has other keys (RFC 5246 §7.4.9, RFC 8446 §5.3).
    for (const [version, third] of [
      ['TLSv1.2', 3],
      ['TLSv1.3', 2],
    ] as const) {
      const c = await tlsConversation(SOME, { version });
      const [, , a, b] = c.inner.filter((i) => i.side === 0);
      const lost = where(
        ({ side, segment: s }) => side === 1 || s === null || s.from < a!.from || s.to > b!.to || s.to === s.from,
      );
      const r = await reportOn(captured(c, {}, { shape: [lost] }).octets, c.keylog);
      const [{ at: _, row, ...gap }, ...others] = r.tunnels[0].gaps;
      const octets = b!.to - a!.from;
      const { estimatedSegments, ...known } = gap;
      assert.ok(estimatedSegments === 1 || estimatedSegments === 2, 'of two records');
      assert.deepEqual(known, { direction: 'up', octets, firstRecord: third, resumedRecord: third + 2 });
      assert.deepEqual(others, []);
      assert.deepEqual(
        finding(r, 'capture.gap').rows.map((at: string) => at.replace(/\.1$/, '')),
        [row],
      );
    }
  });

  test('a record that was damaged', async () => {
    const c = await tlsConversation(SOME, V12);
    const damaged = c.inner[2]!; // of the first records every tag is checked
    const position = [0, 0];
    const flights = c.flights.map((f) => {
      const from = position[f.side]!;
      position[f.side]! += f.octets.length;
      if (f.side !== damaged.side || from > damaged.from || position[f.side]! <= damaged.from) return f;
      const octets = Uint8Array.from(f.octets);
      octets[damaged.to - 1 - from]! ^= 1;
      return { ...f, octets };
    });
    const r = await reportOn(captured({ ...c, flights }).octets, c.keylog);
    assert.deepEqual(codes(r), ['tls.bad-tag']);
    note(r, 'tls.partial-keys');
  });

  test('octets that are no records', async () => {
    const c = await tlsConversation(SOME, V12);
    const at = c.flights.length - 6;
    const flights = c.flights.map((f, i) =>
      i === at ? { ...f, octets: concat([f.octets, new Uint8Array(20).fill(0xee)]) } : f,
    );
    assert.ok(codes(await reportOn(captured({ ...c, flights }).octets, c.keylog)).includes('tls.framing-lost'));
  });

  test('a capture that starts late, one that has one direction', async () => {
    const c = await tlsConversation(SOME, V12);
    const [a, b] = [0, 1].map((side) => c.inner.filter((i) => i.side === side)[2]!.from);
    const started = await reportOn(captured(c, {}, { shape: [late([a!, b!])] }).octets);
    assert.deepEqual(codes(started), []);
    note(started, 'capture.late');
    // Keys of TLS 1.3 open it all the same: what came before is not known either.
    const c13 = await tlsConversation(SOME, { version: 'TLSv1.3' });
    const [a13, b13] = [0, 1].map((side) => c13.inner.filter((i) => i.side === side)[2]!.from);
    const opened = await reportOn(captured(c13, {}, { shape: [late([a13!, b13!])] }).octets, c13.keylog);
    assert.equal(opened.tunnels[0].state, 'established');
    assert.ok(opened.tunnels[0].envelopes.up.total > 0);
    note(opened, 'capture.late');
    assert.equal(finding(await reportOn(captured(c13).octets, c13.keylog), 'capture.late'), undefined);
    const half = await reportOn(captured(c, {}, { shape: [only(0)] }).octets, c.keylog);
    assert.ok(codes(half).includes('capture.one-sided'));
  });

  test('a client certificate is a note', async () => {
    const { key, cert } = testCertificate('rsa');
    const server = { requestCert: true, rejectUnauthorized: false };
    const r = await told(await tlsConversation(SOME, { ...V12, client: { key, cert }, server }));
    assert.deepEqual(codes(r), []);
    note(r, 'tls.client-certificate');
  });

  test('something else in TLS is a note', async () => {
    const request = { side: 0 as const, plain: new TextEncoder().encode('GET / HTTP/1.1\r\nHost: a\r\n\r\n') };
    const r = await told(await tlsConversation([request], V12));
    assert.deepEqual(codes(r), []);
    assert.equal(r.tunnels[0].state, 'other');
    assert.match(finding(r, 'tunnel.other').meaning, /^It carries HTTP\/1\.1\./);
  });

  test('a web server in the place of the EFTF: the UE begins as in a tunnel', async () => {
    const refusal = 'HTTP/1.1 400 Bad Request\r\nContent-Length: 3\r\nConnection: close\r\n\r\nno\n';
    const asked = new Talk().up(0, dhcpUp('discover')).steps;
    const c = await tlsConversation([...asked, { side: 1, plain: Buffer.from(refusal) }]);
    const r = await reportOn(captured(c).octets, c.keylog);
    assert.deepEqual(codes(r), ['tunnel.no-eftf']);
    assert.deepEqual([r.tunnels[0].state, r.tunnels[0].other], ['other', 'envelopes up, and HTTP/1.1 down']);
  });

  test('the end without close_notify of a connection that may be no tunnel is a note', async () => {
    const c = await tlsConversation(SOME, { ...V12, closeNotify: false });
    const r = await reportOn(captured(c).octets);
    assert.deepEqual(codes(r), []);
    note(r, 'tunnel.no-close-notify');
  });
});

test('a clear tunnel on another port is no matter of TLS', async () => {
  const c = clearConversation(SOME);
  assert.deepEqual(codes(await reportOn(captured(c, { ...ENDS, server: at('198.51.100.1', 9000) }).octets)), []);
});

test('two legs of one session are one tunnel, counted once', async () => {
  const preface = [connect('eftf.example:443'), answer(200, 'OK')];
  const c = await tlsConversation(SOME, V12, preface);
  const beyond = { ...c, flights: c.flights.slice(preface.length), inner: [], keylog: '' };
  const proxy = at('192.0.2.1', 3128);
  const { octets } = new CaptureBuilder()
    .connection(c, { client: ENDS.client, server: proxy })
    .connection(beyond, { client: at('192.0.2.1', 50_000), server: ENDS.server, start: 3 })
    .build();
  const r = await reportOn(octets, c.keylog);
  assert.equal(r.tunnels.length, 1);
  const [t] = r.tunnels;
  assert.deepEqual(
    t.legs.map((l: Json) => [l.role, l.client.port, l.server.port]),
    [
      ['ue-proxy', 40_000, 3128],
      ['proxy-eftf', 50_000, 443],
    ],
  );
  assert.deepEqual([t.envelopes.up.total, t.envelopes.down.total, t.accessType], [8, 8, 'II']);
  assert.deepEqual(codes(r), []);
});
