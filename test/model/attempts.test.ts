import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { encode, put32 } from 'fttscope/kit';
import {
  addressRecord,
  type DnsRecord,
  codec as dns,
  dnsQuery,
  dnsResponse,
  TYPE,
} from '../../dissectors/dns/message.js';
import { nameOctets } from '../../dissectors/dns/names.js';
import { CATALOGUE } from '../../src/model/catalogue.js';
import { reportSchema } from '../../src/report/report-schema.js';
import { CaptureBuilder, type CaptureOptions } from '../build/capture.js';
import { clearConversation, envelope, up } from '../build/conversation.js';
import { ACK, address, at, PSH, ping, RST, SYN, tcp, udp } from '../build/packets.js';
import { only } from '../build/shape.js';
import { tlsConversation } from '../build/tls.js';
import { violations } from './schema.js';
import { codes, ENDS, finding, type Json, note, reportOn, sip } from './support.js';

const SCHEMA = reportSchema(Object.keys(CATALOGUE));
const PHONE = '192.0.2.10';
const DNS = [at(PHONE, 41_000), at('192.0.2.53', 53)] as const;
const NOTHING = new Uint8Array(0);

/** A working tunnel at 10 s. */
const tunnel = (b: CaptureBuilder): CaptureBuilder => {
  const packet = ping(address('10.0.0.2'), address('10.0.0.1'), 1, 1, 40);
  return b.connection(clearConversation([up([envelope(packet)])]), { ...ENDS, start: 10_000, step: 10 });
};

async function told(b: CaptureBuilder): Promise<Json> {
  const r = await reportOn(b.build().octets);
  assert.deepEqual(violations(r, SCHEMA), []);
  return r;
}

const attempts = (r: Json): Json => r.tunnels[0].attempts.map((a: Json) => [a.kind, a.outcome, a.tries, a.name ?? '']);
const notes = (r: Json): string[] => codes(r, 0).filter((c) => /^(attempt|portal|dns)\./.test(c));

describe('what a phone tries beside its tunnel', () => {
  test('SIP over TCP that is refused, and over UDP that nobody answers', async () => {
    const [from, to] = [at(PHONE, 5070), at('198.51.100.7', 5060)];
    const b = new CaptureBuilder()
      .packet(tcp(from, to, { seq: 1, flags: SYN }, NOTHING), 0)
      .packet(tcp(to, from, { seq: 0, ack: 2, flags: RST | ACK }, NOTHING), 20, 1);
    const register = sip('REGISTER sip:ims.example').subarray(28);
    const [ue, core] = [at(PHONE, 5060), at('198.51.100.8', 5060)];
    for (const ms of [1000, 1500, 2500]) b.packet(udp(ue, core, register), ms);
    const r = await told(tunnel(b));
    assert.deepEqual(attempts(r), [
      ['sip', 'refused', 1, ''],
      ['sip', 'unanswered', 3, ''],
    ]);
    assert.deepEqual(codes(r), []);
    assert.equal(finding(r, 'attempt.sip-blocked').count, 2);
  });

  test('SIP that gets through makes the tunnel needless', async () => {
    const [ue, core] = [at(PHONE, 5060), at('198.51.100.8', 5060)];
    const b = new CaptureBuilder()
      .packet(udp(ue, core, sip('REGISTER sip:ims.example').subarray(28)), 0)
      .packet(udp(core, ue, sip('200 OK REGISTER', { toTag: 'r' }).subarray(28)), 30, 1);
    const r = await told(tunnel(b));
    assert.deepEqual(notes(r), ['attempt.needless']);
    assert.deepEqual([r.tunnels[0].attempts[0].status, Math.round(r.tunnels[0].attempts[0].ms)], [200, 30]);
  });

  /** A header of IKEv2, RFC 7296 §3.1, and nothing behind it. */
  const ike = (exchange: number, response: boolean): Uint8Array => {
    const b = new Uint8Array(28);
    b.fill(0x11, 0, 8);
    if (exchange === 35 || response) b.fill(0x22, 8, 16);
    b.set([0, 0x20, exchange, response ? 0x20 : 0x08], 16);
    put32(b, 24, 28);
    return b;
  };
  const marked = (b: Uint8Array): Uint8Array => Uint8Array.of(0, 0, 0, 0, ...b);

  test('IKE to an ePDG: no answer, no entry, success', async () => {
    const epdg = '203.0.113.9';
    const asked = () => {
      const b = new CaptureBuilder();
      for (const ms of [0, 1000, 3000]) b.packet(udp(at(PHONE, 500), at(epdg, 500), ike(34, false)), ms);
      return b;
    };
    const silent = await told(tunnel(asked()));
    assert.deepEqual(attempts(silent), [['epdg', 'unanswered', 3, '']]);
    assert.deepEqual(notes(silent), ['attempt.epdg-blocked']);
    const open = () =>
      asked()
        .packet(udp(at(epdg, 500), at(PHONE, 500), ike(34, true)), 3050, 1)
        .packet(udp(at(PHONE, 4500), at(epdg, 4500), marked(ike(35, false))), 3100);
    const half = await told(tunnel(open()));
    assert.deepEqual(attempts(half), [['epdg', 'failed', 4, '']]);
    const whole = open().packet(udp(at(epdg, 4500), at(PHONE, 4500), marked(ike(35, true))), 3200, 1);
    assert.deepEqual(notes(await told(tunnel(whole))), ['attempt.needless']);
  });

  const text = (s: string): Uint8Array => new TextEncoder().encode(s);
  const probe = (b: CaptureBuilder, answer: string, path = '/generate_204'): CaptureBuilder => {
    const [from, to] = [at(PHONE, 42_000), at('203.0.113.80', 80)];
    const ask = text(`GET ${path} HTTP/1.1\r\nHost: connectivitycheck.example\r\n\r\n`);
    return b
      .packet(tcp(from, to, { seq: 0, flags: SYN }, NOTHING), 0)
      .packet(tcp(to, from, { seq: 0, ack: 1, flags: SYN | ACK }, NOTHING), 10, 1)
      .packet(tcp(from, to, { seq: 1, ack: 1, flags: ACK | PSH }, ask), 20)
      .packet(tcp(to, from, { seq: 1, ack: 1 + ask.length, flags: ACK | PSH }, text(answer)), 40, 1);
  };

  test('a probe for a captive portal', async () => {
    const free = await told(tunnel(probe(new CaptureBuilder(), 'HTTP/1.1 204 No Content\r\n\r\n')));
    assert.deepEqual(attempts(free), [['portal', 'succeeded', 1, 'connectivitycheck.example']]);
    assert.deepEqual(notes(free), []);
    const login = 'HTTP/1.1 302 Found\r\nLocation: http://login.example/\r\nContent-Length: 0\r\n\r\n';
    const captive = await told(probe(new CaptureBuilder(), login));
    assert.deepEqual(codes(captive), ['portal.captive']);
    assert.match(captive.findings[0].meaning, /^The probe of connectivitycheck\.example was answered with 302\./);
    assert.equal(finding(await told(tunnel(probe(new CaptureBuilder(), login))), 'portal.captive').severity, 'note');
  });

  test('a portal that lets through after a login', async () => {
    const [from, to] = [at(PHONE, 42_001), at('203.0.113.80', 80)];
    const ask = text('GET /generate_204 HTTP/1.1\r\nHost: connectivitycheck.example\r\n\r\n');
    const free = text('HTTP/1.1 204 No Content\r\n\r\n');
    const b = probe(new CaptureBuilder(), sent('302 Found', 'http://login.example/'))
      .packet(tcp(from, to, { seq: 1, ack: 1, flags: ACK | PSH }, ask), 9000)
      .packet(tcp(to, from, { seq: 1, ack: 1 + ask.length, flags: ACK | PSH }, free), 9020, 1);
    const r = await told(b);
    assert.deepEqual(codes(r), []);
    assert.match(finding(r, 'portal.captive').meaning, /was answered with 302\. A later one got through\./);
  });

  /** What the probe of a captive portal gets by its answer: outcome, and findings. */
  const probed = async (answer: string, path?: string): Promise<[string, string[]]> => {
    const r = await told(tunnel(probe(new CaptureBuilder(), answer, path)));
    return [r.tunnels[0].attempts[0].outcome, notes(r)];
  };
  const sent = (status: string, to: string): string =>
    `HTTP/1.1 ${status}\r\nLocation: ${to}\r\nContent-Length: 0\r\n\r\n`;
  const page = (body: string): string => `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`;

  test('a host that sends to itself is no portal', async () => {
    const own = ['https://connectivitycheck.example/generate_204', 'http://www.connectivitycheck.example/generate_204'];
    for (const to of own) assert.deepEqual(await probed(sent('301 Moved Permanently', to)), ['succeeded', []], to);
    assert.deepEqual(await probed('HTTP/1.1 304 Not Modified\r\n\r\n'), ['succeeded', []]);
    // In the name of that host, but not as it.
    for (const to of ['/login', 'https://login.example/generate_204', 'http://login.connectivitycheck.example/'])
      assert.deepEqual(await probed(sent('302 Found', to)), ['redirected', ['portal.captive']], to);
  });

  test('a page that is not that of the host is one of a portal', async () => {
    assert.deepEqual(await probed(page('<html>log in</html>')), ['answered', ['portal.captive']]);
    assert.deepEqual(await probed(page('')), ['succeeded', []]);
    assert.deepEqual(await probed(page('Microsoft Connect Test'), '/connecttest.txt'), ['succeeded', []]);
    assert.deepEqual(await probed(page('Log in here'), '/connecttest.txt'), ['answered', ['portal.captive']]);
  });

  test('the name of the EFTF', async () => {
    const question = dnsQuery(7, 'eftf.ims.example', 1);
    const asked = (o: CaptureOptions = {}) => new CaptureBuilder(o).packet(udp(...DNS, encode(dns, question)), 0);
    const answer = (b: CaptureBuilder, m: ReturnType<typeof dnsResponse>) =>
      b.packet(udp(DNS[1], DNS[0], encode(dns, m)), 15, 1);
    const found = dnsResponse(question, [addressRecord('eftf.ims.example', ENDS.server.address)]);
    const r = await told(tunnel(answer(asked(), found)));
    assert.deepEqual(attempts(r), [['dns', 'succeeded', 1, 'eftf.ims.example']]);
    assert.equal(r.tunnels[0].eftf.name, 'eftf.ims.example');
    assert.deepEqual(codes(r), []);
    const missing = await told(answer(asked(), dnsResponse(question, [], 3)));
    assert.deepEqual(codes(missing), ['dns.eftf']);
    assert.match(missing.findings[0].meaning, /eftf\.ims\.example got code 3/);
    const silent = await told(asked().packet(udp(DNS[0], at('192.0.2.1', 9), new Uint8Array(4)), 6000));
    assert.deepEqual(codes(silent), ['dns.eftf']);
    const tls = await tlsConversation([], { client: { servername: 'eftf.ims.example' } });
    const opened = (o?: CaptureOptions) => told(asked(o).connection(tls, { ...ENDS, start: 10_000, step: 10 }));
    assert.deepEqual(notes(await opened()), ['dns.eftf']);
    const deaf = codes(await opened({ shape: [only(0)] }));
    assert.deepEqual(deaf, ['capture.one-sided'], 'the answer is among what was not captured');
  });

  describe('several answers of the DNS', () => {
    const NAME = 'eftf.ims.example';
    const SECOND = at('192.0.2.54', 53);
    const ask =
      (name: string, server = DNS[1], ms = 0) =>
      (b: CaptureBuilder) =>
        b.packet(udp(DNS[0], server, encode(dns, dnsQuery(7, name, 1))), ms);
    const reply =
      (name: string, code: number, ms: number, server = DNS[1]) =>
      (b: CaptureBuilder) => {
        const found = code === 0 ? [addressRecord(name, ENDS.server.address)] : [];
        return b.packet(udp(server, DNS[0], encode(dns, dnsResponse(dnsQuery(7, name, 1), found, code))), ms, 1);
      };
    const of = (...parts: ((b: CaptureBuilder) => CaptureBuilder)[]) =>
      parts.reduce((b, part) => part(b), new CaptureBuilder());

    test('one of several servers that knows the name is enough, whoever is first', async () => {
      const both = [ask(NAME), ask(NAME, SECOND, 5)];
      for (const [first, second] of [
        [2, 0],
        [0, 2],
      ] as const) {
        const r = await told(tunnel(of(...both, reply(NAME, first, 20), reply(NAME, second, 30, SECOND))));
        assert.deepEqual(codes(r), []);
        assert.deepEqual(attempts(r), [['dns', 'succeeded', 2, NAME]]);
        assert.equal(r.tunnels[0].eftf.name, NAME);
      }
    });

    /** A response with these records to a question of this type. */
    const answers =
      (name: string, type: number, records: DnsRecord[], ms: number, code = 0) =>
      (b: CaptureBuilder) =>
        b.packet(udp(DNS[1], DNS[0], encode(dns, dnsResponse(dnsQuery(7, name, type), records, code))), ms, 1);
    const asks = (name: string, type: number, ms: number) => (b: CaptureBuilder) =>
      b.packet(udp(...DNS, encode(dns, dnsQuery(7, name, type))), ms);
    const CNAME: DnsRecord = {
      ...addressRecord(NAME, NOTHING),
      type: TYPE.CNAME,
      rdata: nameOctets('lb.example'),
    };
    const FOUND = addressRecord('lb.example', ENDS.server.address);

    test('a name that stands for another one (RFC 1034 §3.6.2)', async () => {
      const whole = of(asks(NAME, TYPE.A, 0), answers(NAME, TYPE.A, [CNAME, FOUND], 10));
      const parts = of(
        asks(NAME, TYPE.A, 0),
        answers(NAME, TYPE.A, [CNAME], 10),
        asks('lb.example', TYPE.A, 20),
        answers('lb.example', TYPE.A, [FOUND], 30),
      );
      for (const b of [whole, parts]) {
        const r = await told(tunnel(b));
        assert.equal(r.tunnels[0].eftf.name, NAME);
        assert.deepEqual(notes(r), []);
      }
    });

    test('an answer without an address of either family', async () => {
      const none = (b: CaptureBuilder) =>
        asks(NAME, TYPE.AAAA, 20)(answers(NAME, TYPE.A, [], 10)(asks(NAME, TYPE.A, 0)(b)));
      const r = await told(of(none, answers(NAME, TYPE.AAAA, [], 30)));
      assert.match(finding(r, 'dns.eftf').meaning, /eftf\.ims\.example got an answer without an address\./);
      const six = addressRecord(NAME, new Uint8Array(16).fill(0x20));
      assert.deepEqual(notes(await told(of(none, answers(NAME, TYPE.AAAA, [six], 30)))), []);
    });

    test('what a server says after the name was known is told', async () => {
      const known = of(asks(NAME, TYPE.A, 0), answers(NAME, TYPE.A, [addressRecord(NAME, ENDS.server.address)], 10));
      const later = answers(NAME, TYPE.A, [], 300_020, 2)(asks(NAME, TYPE.A, 300_000)(tunnel(known)));
      const r = await told(later);
      assert.match(finding(r, 'dns.eftf').meaning, /got code 2 \(server failure\)\./);
      assert.deepEqual(attempts(r), [['dns', 'succeeded', 1, NAME]]);
    });

    test('an ending that a resolver adds says nothing where the name has an address', async () => {
      const added = `${NAME}.home.arpa`;
      const r = await told(of(ask(added), reply(added, 3, 10), ask(NAME, DNS[1], 20), reply(NAME, 0, 30)));
      assert.deepEqual(codes(r), []);
    });

    test('an ending that a resolver adds is a note where the tunnel came', async () => {
      const added = `${NAME}.home.arpa`;
      const r = await told(tunnel(of(ask(added), reply(added, 3, 10), ask(NAME, DNS[1], 20), reply(NAME, 0, 30))));
      assert.deepEqual(codes(r), []);
      note(r, 'dns.eftf');
      assert.deepEqual(codes(await told(of(ask(added), reply(added, 3, 10)))), ['dns.eftf']);
    });

    test('an answer that came over TCP, as what does not fit a datagram', async () => {
      const framed = (m: ReturnType<typeof dnsQuery>): Uint8Array => {
        const b = encode(dns, m);
        return Uint8Array.of(b.length >> 8, b.length & 255, ...b);
      };
      const question = dnsQuery(7, NAME, 1);
      const steps = [
        { side: 0 as const, plain: framed(question) },
        { side: 1 as const, plain: framed(dnsResponse(question, [addressRecord(NAME, ENDS.server.address)])) },
      ];
      const ends = { client: at(PHONE, 41_001), server: DNS[1], step: 10 };
      const r = await told(tunnel(new CaptureBuilder()).connection(clearConversation(steps), ends));
      assert.deepEqual(codes(r), []);
      assert.equal(r.tunnels[0].eftf.name, NAME);
    });
  });

  test('IKE with EAP of which the second message gets no answer did not get through', async () => {
    const epdg = '203.0.113.9';
    const [up, down] = [at(PHONE, 4500), at(epdg, 4500)];
    const b = new CaptureBuilder()
      .packet(udp(at(PHONE, 500), at(epdg, 500), ike(34, false)), 0)
      .packet(udp(at(epdg, 500), at(PHONE, 500), ike(34, true)), 50, 1)
      .packet(udp(up, down, marked(ike(35, false))), 100)
      .packet(udp(down, up, marked(ike(35, true))), 150, 1)
      .packet(udp(up, down, marked(ike(35, false))), 200);
    const r = await told(tunnel(b));
    assert.deepEqual(attempts(r), [['epdg', 'failed', 3, '']]);
    assert.deepEqual(notes(r), ['attempt.epdg-blocked']);
  });

  test('of another phone it is none of its business', async () => {
    const b = new CaptureBuilder();
    b.packet(udp(at('192.0.2.77', 500), at('203.0.113.9', 500), ike(34, false)), 0);
    assert.equal((await told(tunnel(b))).tunnels[0].attempts, undefined);
  });
});
