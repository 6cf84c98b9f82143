import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { encode } from 'fttscope/kit';
import { addressRecord, codec as dns, dnsQuery, dnsResponse } from '../../dissectors/dns/message.js';
import { CaptureBuilder } from '../build/capture.js';
import { Connection } from '../build/connection.js';
import { answer, clearConversation, connect, down, envelope, up } from '../build/conversation.js';
import { ACK, at, FIN, ping, RST, SYN, tcp, udp } from '../build/packets.js';
import { where } from '../build/shape.js';
import { tlsConversation } from '../build/tls.js';
import {
  addressed,
  captured,
  codes,
  ENDS,
  finding,
  healthy,
  type Json,
  note,
  registered,
  reportOn,
  Talk,
} from './support.js';

const { client, server } = ENDS;
const NOTHING = new Uint8Array(0);
const SOME = Array.from({ length: 8 }, (_, i) => [
  up([envelope(ping(client.address, server.address, 1, i, 40))]),
  down([envelope(ping(server.address, client.address, 1, i, 40))]),
]).flat();

describe('the way to a tunnel', () => {
  test('a SYN that was sent again', async () => {
    const c = clearConversation(SOME);
    const b = new CaptureBuilder().connection(c, { ...ENDS, step: 10, start: 3000 });
    for (const ms of [0, 1000]) b.packet(tcp(client, server, { seq: 1000, flags: SYN }, NOTHING), ms, 0);
    const r = await reportOn(b.build().octets);
    assert.deepEqual(codes(r), []);
    assert.match(finding(r, 'tcp.syn-again').meaning, /^3 SYN were sent, and the answer came after 3000 ms\./);
  });

  test('a SYN that a server answers for the connection before (RFC 9293 §3.5.1)', async () => {
    const c = clearConversation(SOME);
    const b = new CaptureBuilder().connection(c, { ...ENDS, step: 10, start: 3000 });
    b.packet(tcp(client, server, { seq: 1000, flags: SYN }, NOTHING), 0, 0);
    const stale = 860_000_000;
    b.packet(tcp(server, client, { seq: 77, ack: stale, flags: ACK }, NOTHING), 30, 1);
    b.packet(tcp(client, server, { seq: stale, ack: 0, flags: RST }, NOTHING), 31, 0);
    const r = await reportOn(b.build().octets);
    assert.deepEqual(codes(r), []);
    assert.deepEqual([r.tunnels.length, r.tunnels[0].state, r.tunnels[0].release.how], [1, 'established', 'fin']);
  });

  test('words with a proxy that were not captured: the tunnel is read all the same', async () => {
    const words = [connect(), answer(407, 'No', ['Proxy-Authenticate: Basic realm="a"'], 'no')];
    words.push(connect('eftf.example:443', ['Proxy-Authorization: Basic eDp5']), answer(200, 'Connection established'));
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      const c = await tlsConversation(SOME, { version }, words);
      const whole = captured(c, { acks: 1 });
      const said = whole.frames.flatMap((f, i) => (f.payload > 0 ? [i] : [])).slice(0, words.length);
      const envelopes = (r: Json): number[] => ['up', 'down'].map((way) => r.tunnels[0].envelopes[way].total);
      for (let missing = 0; missing < 1 << words.length; missing++) {
        const gone = new Set(said.filter((_, i) => (missing >> i) & 1));
        const { octets } = captured(c, { acks: 1 }, { shape: [where((_, i) => !gone.has(i))] });
        const r = await reportOn(octets, c.keylog);
        const note = `${version}, without ${[...gone].map((i) => said.indexOf(i)).join()}`;
        assert.equal(r.tunnels.length, 1, note);
        assert.deepEqual([r.tunnels[0].state, ...envelopes(r)], ['established', 8, 8], note);
        // Before it is known to be a tunnel, that octets are missing is told of the connection.
        assert.deepEqual([...new Set(codes(r))], missing === 0 ? [] : ['capture.gap'], note);
      }
    }
  });

  test('a proxy that asks who it is, and takes the next connection (RFC 9110 §11.7.1)', async () => {
    const asked = [connect(), answer(407, 'No', ['Proxy-Authenticate: Basic realm="a"', 'Connection: close'], 'no')];
    const known = [connect('eftf.example:443', ['Proxy-Authorization: Basic eDp5']), answer(200, 'OK')];
    const first = clearConversation([], asked);
    const second = await tlsConversation(SOME, { version: 'TLSv1.3' }, known);
    const of = (start: number, close = second) => {
      const b = new CaptureBuilder().connection(first, { ...ENDS, step: 10 });
      b.connection(close, { ...ENDS, client: at('192.0.2.10', 40_001), step: 10, start });
      return reportOn(b.build().octets, second.keylog);
    };
    const r = await of(500);
    assert.deepEqual(codes(r), []);
    note(r, 'proxy.authentication');
    assert.deepEqual(codes(await of(120_000)), ['proxy.authentication']);
    assert.deepEqual(codes(await of(500, first)), ['proxy.authentication', 'proxy.authentication']);
  });

  test('a proxy that closes behind a 407, and is told the credentials before that is heard (RFC 9112 §9.3.1)', async () => {
    const demand = answer(407, 'No', ['Proxy-Authenticate: Basic realm="a"', 'Content-Length: 2'], 'no');
    const known = connect('eftf.example:443', ['Proxy-Authorization: Basic eDp5']);
    const second = await tlsConversation(SOME, { version: 'TLSv1.3' }, [known, answer(200, 'OK')]);
    const c = new Connection(clearConversation([], [connect(), demand, known]), { ...ENDS, end: 'none' });
    const ending = async (side: 0 | 1, flags: number): Promise<Json> => {
      const b = new CaptureBuilder();
      for (const [i, s] of c.segments.entries()) b.packet(c.packet(s, i), s.time / 1e6, s.side);
      const [from, to] = side === 1 ? [server, client] : [client, server];
      const sent = (of: 0 | 1): number => Math.max(...c.segments.map((s) => (s.side === of ? s.to : 0)));
      const [near, far] = [1001 + sent(0), 2_000_000_001 + sent(1)];
      const numbers = side === 1 ? { seq: far, ack: near } : { seq: near, ack: far };
      b.packet(tcp(from, to, { ...numbers, flags }, NOTHING), c.segments.at(-1)!.time / 1e6 + 10, side);
      b.connection(second, { ...ENDS, client: at('192.0.2.10', 40_001), start: 2000 });
      return reportOn(b.build().octets, second.keylog);
    };
    for (const flags of [RST | ACK, FIN | ACK]) {
      const r = await ending(1, flags);
      const [{ state, failure, proxy }, next] = r.tunnels;
      assert.deepEqual(
        [state, failure.cause, proxy.status],
        ['failed', 'The proxy refused the CONNECT with status 407.', 407],
      );
      assert.equal(next.state, 'established');
      assert.deepEqual(codes(r), []);
      note(r, 'proxy.authentication');
    }
    const r = await ending(0, FIN | ACK); // here it is the UE who waits no longer
    assert.equal(r.tunnels[0].failure.cause, 'The proxy did not answer the CONNECT.');
    assert.deepEqual(codes(r), ['proxy.no-answer']);
  });

  test('a proxy that says when it may be asked again', async () => {
    const told = async (status: number, after: string): Promise<Json> =>
      reportOn(captured(clearConversation([], [connect(), answer(status, 'No', [`Retry-After: ${after}`])])).octets);
    const limited = await told(429, '120');
    assert.equal(limited.tunnels[0].proxy.retryAfterSeconds, 120);
    assert.match(
      finding(limited, 'proxy.rate-limited').meaning,
      /status 429 \(too many requests\)\. It may be asked again after 120 s\. It got/,
    );
    assert.match(
      finding(await told(503, '30'), 'proxy.unreachable').meaning,
      /status 503\. It may be asked again after 30 s/,
    );
    const dated = await told(429, 'Wed, 21 Oct 2026 07:28:00 GMT');
    assert.equal(dated.tunnels[0].proxy.retryAfterSeconds, undefined);
    assert.match(finding(dated, 'proxy.rate-limited').meaning, /\(too many requests\)\. It got more requests/);
  });

  test('a rate limit of the proxy that lets the next connection through is a warning', async () => {
    const first = clearConversation([], [connect(), answer(429, 'Too Many Requests', ['Retry-After: 5'])]);
    const second = await tlsConversation(SOME, { version: 'TLSv1.3' }, [connect(), answer(200, 'OK')]);
    const b = new CaptureBuilder().connection(first, { ...ENDS, step: 10 });
    b.connection(second, { ...ENDS, client: at('192.0.2.10', 40_001), step: 10, start: 6000 });
    const r = await reportOn(b.build().octets, second.keylog);
    assert.deepEqual(codes(r), ['proxy.rate-limited']);
    assert.equal(finding(r, 'proxy.rate-limited').severity, 'warn');
  });
});

describe('a connection that goes on from another port', () => {
  /** The first segments of a tunnel, and its next ones after `ms` from another port; `answer` is what the server says. */
  const moved = async (ms: number, answer: 'reset' | 'goes on', shift = 0): Promise<Json> => {
    const c = await tlsConversation(SOME, { version: 'TLSv1.3' });
    const at1 = { ...ENDS, step: 10_000, end: 'none' } as const;
    const at2 = { ...at1, client: at('192.0.2.10', 50_123), isn: [1000 + shift, 2_000_000_000] } as const;
    const [one, two] = [new Connection(c, at1), new Connection(c, at2)];
    const b = new CaptureBuilder();
    const half = Math.floor(one.segments.length * 0.7);
    for (const [i, s] of one.segments.slice(0, half).entries()) b.packet(one.packet(s, i), s.time / 1e6, s.side);
    const rest = one.segments.slice(half);
    if (answer === 'goes on')
      for (const [i, s] of rest.entries()) b.packet(two.packet(s, half + i), s.time / 1e6 + ms, s.side);
    else {
      const next = rest.find((s) => s.side === 0 && s.to > s.from)!;
      b.packet(two.packet(next, half), ms, 0);
      b.packet(tcp(server, at2.client, { seq: 2_000_000_001 + next.ack, flags: RST | ACK }, NOTHING), ms + 20, 1);
    }
    return reportOn(b.build().octets, c.keylog);
  };

  test('and that the EFTF does not know', async () => {
    const r = await moved(300_000, 'reset');
    assert.deepEqual(codes(r), ['tunnel.rebound']);
    const { meaning, refs } = r.findings[0];
    assert.match(meaning, /^It was 192\.0\.2\.10:40000, and is 192\.0\.2\.10:50123 after \d+ s\./);
    assert.deepEqual(
      refs.map((x: { id: number }) => x.id),
      [1, 2],
    );
  });

  test('and that is served there, is a note', async () => {
    const r = await moved(1000, 'goes on');
    assert.deepEqual(codes(r), []);
    note(r, 'tunnel.rebound');
  });

  test('other sequence numbers are another connection', async () => {
    assert.equal(finding(await moved(300_000, 'reset', 1 << 20), 'tunnel.rebound'), undefined);
  });
});

describe('a phone that changes its access', () => {
  const ends = (address: string, start: number) => ({ ...ENDS, client: at(address, 41_000), step: 10, start });
  const moved = (address: string, start: number, end: 'fin' | 'none' = 'none'): Promise<Json> => {
    const [first, second] = [healthy(), registered(addressed(new Talk()))].map((t) => clearConversation(t.steps));
    const b = new CaptureBuilder().connection(first!, { ...ENDS, step: 10, end });
    return reportOn(b.connection(second!, ends(address, start)).build().octets);
  };

  test('has another tunnel', async () => {
    const r = await moved('198.18.0.7', 6000);
    assert.deepEqual(codes(r), []);
    assert.match(
      finding(r, 'tunnel.moved').meaning,
      /^It was 192\.0\.2\.10, and is 198\.18\.0\.7; tunnel 1 was still there\./,
    );
    assert.match(
      finding(await moved('198.18.0.7', 9000, 'fin'), 'tunnel.moved').meaning,
      /tunnel 1 had ended before\./,
    );
    assert.equal(finding(await moved('198.18.0.7', 90_000, 'fin'), 'tunnel.moved'), undefined);
    assert.equal(finding(await moved('192.0.2.10', 6000), 'tunnel.moved'), undefined);
  });
});

describe('other connections of a phone whose tunnel works', () => {
  const phone = (port: number) => at('192.0.2.10', port);
  const web = at('203.0.113.9', 443);
  /** A handshake that the phone ends with the alert certificate_unknown. */
  const refused = async (servername: string) => {
    const c = await tlsConversation([], { version: 'TLSv1.2', client: { servername } });
    const alert = { side: 0 as const, octets: Uint8Array.of(21, 3, 3, 0, 2, 2, 46), ordered: true, pause: 0 };
    return { ...c, flights: [...c.flights.slice(0, 2), alert], inner: [] };
  };
  const beside = async (name: string, tunnel = 'eftf.ims.example') => {
    const b = new CaptureBuilder().connection(await refused(name), {
      ...ENDS,
      client: phone(45_000),
      server: web,
      step: 10,
    });
    if (tunnel === '') return reportOn(b.build().octets);
    const c = await tlsConversation(SOME, { version: 'TLSv1.3', client: { servername: tunnel } });
    return reportOn(b.connection(c, { ...ENDS, step: 10 }).build().octets, c.keylog);
  };
  const worst = (r: Json): string => finding(r, 'tls.alert').severity;

  test('a handshake with a server of another name fails, and the tunnel does not mind', async () => {
    assert.equal(worst(await beside('www.shop.example')), 'note');
    for (const same of ['eftf.ims.example', 'eftf2.ims.example'])
      assert.equal(worst(await beside(same)), 'error', same);
    assert.equal(worst(await beside('www.shop.example', '')), 'error');
  });

  /** SYN to this address that nobody answers, and what the DNS says of its name. */
  const unanswered = (address: string, name?: string, works = true): Promise<Json> => {
    const b = new CaptureBuilder();
    const [from, to] = [phone(46_000), at(address, 443)];
    if (name !== undefined) {
      const [ask, resolver] = [phone(41_000), at('192.0.2.53', 53)];
      const question = dnsQuery(7, name, 1);
      b.packet(udp(ask, resolver, encode(dns, question)), 0);
      b.packet(udp(resolver, ask, encode(dns, dnsResponse(question, [addressRecord(name, to.address)]))), 10, 1);
    }
    for (const ms of [20, 1020, 3020]) b.packet(tcp(from, to, { seq: 5, flags: SYN }, NOTHING), ms);
    const own = dnsQuery(8, 'eftf.ims.example', 1);
    b.packet(udp(phone(41_002), at('192.0.2.53', 53), encode(dns, own)), 30);
    const found = dnsResponse(own, [addressRecord('eftf.ims.example', server.address)]);
    b.packet(udp(at('192.0.2.53', 53), phone(41_002), encode(dns, found)), 40, 1);
    if (works) b.connection(clearConversation(SOME), { ...ENDS, step: 10, start: 5000 });
    return reportOn(b.build().octets);
  };

  test('a server that does not answer is as bad as its name says', async () => {
    const severity = async (r: Promise<Json>) => finding(await r, 'tcp.no-answer').severity;
    assert.equal(await severity(unanswered('203.0.113.9', 'www.shop.example')), 'note');
    assert.equal(await severity(unanswered('203.0.113.9', 'eftf2.ims.example')), 'warn');
    assert.equal(await severity(unanswered('203.0.113.9')), 'warn');
    assert.equal(await severity(unanswered('203.0.113.9', 'www.shop.example', false)), 'error');
  });
});
