import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { encode } from 'fttscope/kit';
import { codec as dhcpCodec, dhcpMessage, lanHardware, messageTypeOption } from '../../dissectors/dhcp/message.js';
import { codec as dhcpv6Codec, dhcpv6Message } from '../../dissectors/dhcpv6/message.js';
import { type DnsMessage, codec as dnsCodec } from '../../dissectors/dns/message.js';
import { nameOctets } from '../../dissectors/dns/names.js';
import {
  neighborAdvertisement,
  neighborSolicitation,
  prefixOption,
  routerAdvertisement,
  routerSolicitation,
} from '../../dissectors/icmpv6/messages.js';
import { rtp } from '../../dissectors/rtp.js';
import { CATALOGUE } from '../../src/model/catalogue.js';
import { reportSchema } from '../../src/report/report-schema.js';
import { address, at, udp } from '../build/packets.js';
import { violations } from './schema.js';
import {
  addressed,
  CORE_MEDIA,
  called,
  codes,
  dhcpDown,
  dhcpUp,
  finding,
  healthy,
  type Json,
  nd,
  registered,
  type SipParts,
  sdp,
  sip,
  speech,
  spoken,
  Talk,
  UE_MEDIA,
} from './support.js';

const SCHEMA = reportSchema(Object.keys(CATALOGUE));

/** The findings of a talk that are worse than a note; its report follows the schema. */
async function found(t: Talk, beyond = 0): Promise<Json> {
  const r = await t.report({ end: 'fin' }, beyond);
  assert.deepEqual(violations(r, SCHEMA), []);
  return r;
}

test('a healthy tunnel has nothing worse than a note', async () => {
  const r = await found(healthy());
  assert.deepEqual(codes(r), []);
  assert.equal(r.tunnels[0].pcscf.source, 'dhcp');
  assert.equal(r.registrations[0].state, 'registered');
  assert.equal(r.calls[0].state, 'ended');
  assert.equal(Math.round(r.calls[0].pddMs / 10), 10);
  assert.equal(Math.round(r.calls[0].setupMs / 10), 20);
  assert.equal(Math.round(r.calls[0].durationMs / 10), 200);
  assert.deepEqual(
    r.media.map((m: Json) => [m.direction, m.packets, m.lost, m.codec, m.call]),
    [
      ['up', 90, 0, 'PCMA', 1],
      ['down', 90, 0, 'PCMA', 1],
    ],
  );
});

describe('addresses', () => {
  test('nobody answers DHCP', async () => {
    const t = new Talk().up(0, dhcpUp('discover')).up(4000, dhcpUp('discover'));
    const r = await found(t, 9000);
    assert.equal(r.findings[0].code, 'dhcp.no-answer');
    assert.deepEqual(codes(r), ['dhcp.no-answer']);
    assert.equal(r.addressing[0].dhcp.exchanges[0].outcome, 'unanswered');
    assert.equal(r.tunnels[0].failure.stage, 'dhcp');
  });

  test('an offer and no acknowledgment', async () => {
    const t = new Talk().up(0, dhcpUp('discover')).down(10, dhcpDown('offer')).up(20, dhcpUp('request'));
    assert.deepEqual(codes(await found(t, 9000)), ['dhcp.no-ack']);
  });

  test('a refusal', async () => {
    const r = await found(new Talk().up(0, dhcpUp('request')).down(10, dhcpDown('nak')));
    assert.deepEqual(codes(r), ['dhcp.nak']);
    assert.equal(r.addressing[0].dhcp.exchanges[0].outcome, 'refused');
  });

  test('a refusal that is healed is a note', async () => {
    const t = new Talk().up(0, dhcpUp('request', 7)).down(5, dhcpDown('nak', 7));
    t.up(10, dhcpUp('discover', 8)).down(20, dhcpDown('offer', 8)).up(30, dhcpUp('request', 8));
    assert.deepEqual(codes(await found(t.down(40, dhcpDown('ack', 8)))), []);
  });

  test('an address that the UE declines', async () => {
    assert.deepEqual(codes(await found(addressed(new Talk()).up(50, dhcpUp('decline')))), ['dhcp.decline']);
  });

  test('an exchange without client identifier is a note', async () => {
    const t = new Talk().up(0, dhcpUp('request', 1, false)).down(10, dhcpDown('ack'));
    const r = await found(t);
    assert.equal(finding(r, 'dhcp.no-client-id').severity, 'note');
  });

  test('no P-CSCF anywhere', async () => {
    const t = new Talk().up(0, dhcpUp('request')).down(10, dhcpDown('ack', 1, false));
    const r = await found(t, 10_000);
    assert.deepEqual(codes(r), []);
    const live = await t.report({ end: 'none' }, 10_000);
    assert.deepEqual(codes(live), ['pcscf.none']);
  });

  const LOCAL = 'fe80::2';
  const ROUTER = 'fe80::1';
  const ALL = 'ff02::1';
  const solicit = nd(LOCAL, 'ff02::2', routerSolicitation());
  const router = {
    hopLimit: 64,
    managed: false,
    other: false,
    preference: 0,
    lifetime: 1800,
    reachable: 0,
    retransmit: 0,
  };
  const prefix = (length: number, autonomous: boolean) =>
    prefixOption({
      prefix: address('2001:db8:9::'),
      length,
      onLink: true,
      autonomous,
      valid: 86_400,
      preferred: 14_400,
    });

  test('no router', async () => {
    const t = new Talk().up(0, solicit).up(4000, solicit).up(8000, solicit);
    const r = await t.report({ end: 'none' }, 13_000);
    assert.deepEqual(codes(r), ['slaac.no-ra']);
    assert.equal(r.addressing[0].slaac.rs, 3);
    assert.equal(r.tunnels[0].failure.stage, 'slaac');
  });

  test('a router without a prefix', async () => {
    const t = new Talk().up(0, solicit).down(10, nd(ROUTER, ALL, routerAdvertisement(router, [prefix(64, false)])));
    const r = await found(t);
    assert.deepEqual(codes(r), ['slaac.no-prefix']);
    assert.equal(r.addressing[0].slaac.prefixes[0].prefix, '2001:db8:9::/64');
  });

  test('a prefix of another length', async () => {
    const t = new Talk().up(0, solicit).down(10, nd(ROUTER, ALL, routerAdvertisement(router, [prefix(48, true)])));
    assert.deepEqual(codes(await found(t)), ['slaac.prefix']);
  });

  test('an address that somebody has', async () => {
    const target = '2001:db8:9::2';
    const t = new Talk()
      .up(0, nd('::', 'ff02::1:ff00:2', neighborSolicitation(address(target))))
      .down(100, nd(target, ALL, neighborAdvertisement(address(target), { override: true })));
    const r = await found(t);
    assert.deepEqual(codes(r), ['slaac.duplicate']);
    assert.deepEqual(r.addressing[0].slaac.dad, [{ target, outcome: 'duplicate' }]);
  });

  test('messages that were routed', async () => {
    const t = new Talk().down(10, nd(ROUTER, ALL, routerAdvertisement(router, [prefix(64, true)]), 64));
    assert.deepEqual(codes(await found(t)), ['slaac.invalid']);
  });
});

describe('registration', () => {
  const p = { callId: 'reg-9@10.0.0.2', to: 'sip:alice@ims.example' };
  const contact = ['Contact', '<sip:alice@10.0.0.2>;expires=3600'] as const;
  const nonce = (n: string) => ['WWW-Authenticate', `Digest realm="ims.example", nonce="${n}", algorithm=MD5`] as const;
  const ask = (cseq: number, more: SipParts['headers'] = []) =>
    sip('REGISTER sip:ims.example', { ...p, cseq, headers: [contact, ...more] });
  const tell = (what: string, cseq: number, more: SipParts['headers'] = []) =>
    sip(`${what} REGISTER`, { ...p, cseq, toTag: 'r', headers: more }, 'down');

  test('nobody answers', async () => {
    const t = addressed(new Talk());
    for (const ms of [100, 600, 1600, 3600, 7600]) t.up(ms, ask(1));
    const r = await t.report({ end: 'none' }, 40_000);
    assert.deepEqual(codes(r), ['sip.register-timeout']);
    assert.equal(r.registrations[0].transactions.length, 1);
    assert.equal(r.registrations[0].transactions[0].retransmissions, 4);
    assert.equal(r.registrations[0].state, 'failed');
  });

  test('challenged again and again', async () => {
    const t = addressed(new Talk());
    for (let i = 1; i <= 3; i++)
      t.up(100 * i, ask(i)).down(100 * i + 10, tell('401 Unauthorized', i, [nonce(`n${i}`)]));
    const r = await found(t);
    assert.equal(r.findings[0].code, 'sip.register-loop');
  });

  test('the same nonce twice', async () => {
    const t = addressed(new Talk());
    for (let i = 1; i <= 2; i++) t.up(100 * i, ask(i)).down(100 * i + 10, tell('401 Unauthorized', i, [nonce('n')]));
    assert.deepEqual(codes(await found(t)), ['sip.register-loop']);
  });

  test('forbidden', async () => {
    const r = await found(addressed(new Talk()).up(100, ask(1)).down(110, tell('403 Forbidden', 1)));
    assert.deepEqual(codes(r), ['sip.register-forbidden']);
    assert.equal(r.registrations[0].state, 'failed');
    assert.equal(r.registrations[0].transactions[0].status, 403);
  });

  test('another error, and overload', async () => {
    const t = addressed(new Talk()).up(100, ask(1)).down(110, tell('500 Server Internal Error', 1));
    assert.deepEqual(codes(await found(t)), ['sip.register-failed']);
    const busy = addressed(new Talk()).up(100, ask(1));
    busy.down(110, tell('503 Service Unavailable', 1, [['Retry-After', '120']]));
    const r = await found(busy);
    assert.deepEqual(codes(r), ['sip.register-overload']);
    assert.match(r.findings[0].meaning, /120 s/);
  });

  const OFFER = 'ipsec-3gpp; alg=hmac-sha-1-96; spi-c=1; spi-s=2; port-c=5062; port-s=5064';

  test('AKA: the challenge is taken apart, a resynchronisation is a note, a second one an error', async () => {
    const octets = Uint8Array.from({ length: 32 }, (_, i) => i);
    const challenge = (n: number) =>
      [
        'WWW-Authenticate',
        `Digest realm="ims.example", nonce="${Buffer.from([...octets.slice(0, 31), n]).toString('base64')}", algorithm=AKAv1-MD5`,
      ] as const;
    const auts = ['Authorization', 'Digest username="u@ims", auts="AAAA", nonce="x"'] as const;
    const t = addressed(new Talk())
      .up(100, ask(1))
      .down(110, tell('401 Unauthorized', 1, [challenge(31)]));
    t.up(120, ask(2, [auts])).down(130, tell('401 Unauthorized', 2, [challenge(32)]));
    const healed = await found(
      t
        .copy()
        .up(140, ask(3))
        .down(150, tell('200 OK', 3, [contact])),
    );
    assert.deepEqual(codes(healed), []);
    assert.equal(finding(healed, 'sip.aka-resync').severity, 'note');
    const { aka } = healed.registrations[0];
    assert.equal(aka.rand, '000102030405060708090a0b0c0d0e0f');
    assert.equal(aka.sqnXorAk, '101112131415');
    assert.equal(aka.amf, '1617');
    assert.equal(aka.mac, '18191a1b1c1d1e20');
    assert.equal(aka.resynchronisations, 1);
    t.up(140, ask(3, [auts])).down(150, tell('401 Unauthorized', 3, [challenge(33)]));
    assert.ok(codes(await found(t)).includes('sip.aka-resync'));
  });

  test('a security agreement that is refused, or changed on the way', async () => {
    const refused = addressed(new Talk()).up(100, ask(1)).down(110, tell('494 Security Agreement Required', 1));
    assert.deepEqual(codes(await found(refused)), ['sip.security-refused']);
    const t = addressed(new Talk()).up(100, ask(1, [['Security-Client', OFFER]]));
    t.down(110, tell('401 Unauthorized', 1, [nonce('n'), ['Security-Server', OFFER]]));
    t.up(120, ask(2, [['Security-Verify', OFFER.replace('spi-s=2', 'spi-s=3')]])).down(
      130,
      tell('200 OK', 2, [contact]),
    );
    const r = await found(t);
    assert.deepEqual(codes(r), ['sip.security-mismatch']);
    assert.equal(r.registrations[0].secAgree.server[0].spiS, 2);
    assert.equal(r.registrations[0].secAgree.verified, false);
  });

  test('a registration that ran out', async () => {
    const short = ['Contact', '<sip:alice@10.0.0.2>;expires=60'] as const;
    const t = addressed(new Talk())
      .up(100, ask(1))
      .down(110, tell('200 OK', 1, [short]));
    const r = await t.report({ end: 'none' }, 120_000);
    assert.deepEqual(codes(r), ['sip.registration-expired']);
    assert.equal(r.registrations[0].state, 'expired');
  });

  test('requests that were sent again', async () => {
    const t = addressed(new Talk())
      .up(100, ask(1))
      .up(600, ask(1))
      .up(1600, ask(1))
      .down(1700, tell('200 OK', 1, [contact]));
    assert.deepEqual(codes(await found(t)), ['sip.register-retransmitted']);
  });
});

describe('calls', () => {
  const invite = sip('INVITE sip:bob@ims.example', { sdp: sdp('10.0.0.2', 30_000) });
  const refusal = (what: string, headers: SipParts['headers'] = []) =>
    found(
      registered(addressed(new Talk()))
        .up(1000, invite)
        .down(1010, sip('100 Trying INVITE', {}, 'down'))
        .down(1100, sip(`${what} INVITE`, { toTag: 'b', headers }, 'down'))
        .up(1110, sip('ACK sip:bob@ims.example', { toTag: 'b' })),
    );

  for (const [what, code, severity] of [
    ['503 Service Unavailable', 'call.overload', 'error'],
    ['500 Server Internal Error', 'call.server-failure', 'error'],
    ['403 Forbidden', 'call.forbidden', 'error'],
    ['488 Not Acceptable Here', 'call.not-acceptable', 'error'],
    ['480 Temporarily Unavailable', 'call.unavailable', 'warn'],
    ['486 Busy Here', 'call.busy', 'note'],
    ['380 Alternative Service', 'call.emergency-redirected', 'warn'],
    ['420 Bad Extension', 'call.failed', 'error'],
  ] as const)
    test(what, async () => {
      const r = await refusal(what);
      assert.deepEqual(
        codes(r, 0).filter((c) => c.startsWith('call.')),
        [code],
      );
      assert.equal(finding(r, code).severity, severity);
      if (severity !== 'note') assert.equal(r.findings[0].code, code);
      assert.equal(r.calls[0].state, 'failed');
      assert.equal(r.calls[0].failure.status, Number(what.slice(0, 3)));
    });

  test('what the response says is told', async () => {
    const r = await refusal('503 Service Unavailable', [
      ['Retry-After', '30 (overload)'],
      ['Reason', 'Q.850;cause=42;text="Switching equipment congestion"'],
      ['Warning', '399 pcscf "too many calls"'],
    ]);
    const { failure } = r.calls[0];
    assert.equal(failure.retryAfterSeconds, 30);
    assert.equal(failure.q850, 42);
    assert.match(failure.reason, /503 Service Unavailable.*Switching equipment congestion; too many calls/);
    assert.match(r.findings[0].meaning, /after 30 s/);
  });

  test('an INVITE that nobody answers', async () => {
    const t = registered(addressed(new Talk()));
    for (const ms of [1000, 1500, 2500]) t.up(ms, invite);
    const r = await t.report({ end: 'none' }, 40_000);
    assert.deepEqual(codes(r), ['call.no-answer']);
    assert.equal(r.calls[0].failure.status, undefined);
    assert.equal(r.calls[0].messages.length, 1);
    assert.equal(r.calls[0].messages[0].retransmissions, 2);
  });

  test('cancelled', async () => {
    const t = registered(addressed(new Talk())).up(1000, invite);
    t.down(1100, sip('180 Ringing INVITE', { toTag: 'b' }, 'down')).up(3000, sip('CANCEL sip:bob@ims.example'));
    t.down(3010, sip('200 OK CANCEL', { toTag: 'b' }, 'down'));
    const r = await found(t.down(3020, sip('487 Request Terminated INVITE', { toTag: 'b' }, 'down')));
    assert.deepEqual(codes(r), []);
    assert.equal(r.calls[0].state, 'cancelled');
  });

  test('a challenge is no failure', async () => {
    const t = registered(addressed(new Talk())).up(1000, invite);
    t.down(1010, sip('407 Proxy Authentication Required INVITE', { toTag: 'x' }, 'down'));
    t.up(1020, sip('ACK sip:bob@ims.example', { toTag: 'x' }));
    t.up(1030, sip('INVITE sip:bob@ims.example', { cseq: 2, sdp: sdp('10.0.0.2', 30_000) }));
    t.down(1100, sip('180 Ringing INVITE', { cseq: 2, toTag: 'b' }, 'down'));
    const r = await found(t);
    assert.deepEqual(codes(r), []);
    assert.equal(r.calls[0].state, 'ringing');
    assert.equal(r.calls.length, 1);
  });

  test('an answer that is not acknowledged', async () => {
    const t = registered(addressed(new Talk())).up(1000, invite);
    t.down(1100, sip('200 OK INVITE', { toTag: 'b', sdp: sdp('10.0.0.1', 40_000) }, 'down'));
    spoken(spoken(t, 1110, 100, 'up'), 1110, 100, 'down');
    assert.deepEqual(codes(await t.report({ end: 'none' }, 40_000)), ['call.no-ack']);
  });

  test('the tunnel ends in the middle', async () => {
    const t = called(registered(addressed(new Talk())), 1000, 0, false);
    const r = await found(spoken(spoken(t, 1210, 60, 'up'), 1210, 60, 'down'));
    assert.deepEqual(codes(r), ['tunnel.closed-in-call']);
  });
});

describe('media', () => {
  const talk = (duration = 4000) => called(registered(addressed(new Talk())), 1000, duration);

  test('none at all', async () => {
    assert.deepEqual(codes(await found(talk())), ['media.none']);
  });

  test('one way', async () => {
    const up = await found(spoken(talk(), 1210, 150, 'up'));
    assert.deepEqual(codes(up), ['media.one-way']);
    assert.match(up.findings[0].meaning, /^Nothing came from the callee; it was to send to 10\.0\.0\.2:30000\./);
    const down = await found(spoken(talk(), 1210, 150, 'down'));
    assert.deepEqual(codes(down), ['media.one-way']);
    assert.match(down.findings[0].meaning, /^Nothing came from the caller/);
  });

  test('on hold silence is wanted', async () => {
    const t = registered(addressed(new Talk()));
    t.up(1000, sip('INVITE sip:bob@ims.example', { sdp: sdp('10.0.0.2', 30_000, ['a=sendonly']) }));
    t.down(1200, sip('200 OK INVITE', { toTag: 'b', sdp: sdp('10.0.0.1', 40_000, ['a=recvonly']) }, 'down'));
    t.up(1210, sip('ACK sip:bob@ims.example', { toTag: 'b' }));
    t.up(6000, sip('BYE sip:bob@ims.example', { toTag: 'b', cseq: 2 }));
    const r = await found(spoken(t, 1210, 150, 'up'));
    assert.deepEqual(codes(r), []);
    assert.equal(r.calls[0].messages[0].hold, true);
  });

  test('loss', async () => {
    const t = spoken(spoken(talk(), 1210, 150, 'up'), 1210, 150, 'down', (i) => i >= 50 && i < 56);
    const r = await found(t);
    assert.deepEqual(codes(r), ['media.loss']);
    const [down] = r.media.filter((m: Json) => m.direction === 'down');
    assert.deepEqual([down.lost, down.lostPercent, down.bursts], [6, 4, { count: 1, longest: 6 }]);
  });

  test('duplicates and late packets are no loss', async () => {
    const t = spoken(spoken(talk(), 1210, 150, 'up'), 1210, 150, 'down', (i) => i === 70 || i === 71);
    t.down(2700, speech(CORE_MEDIA, UE_MEDIA, 71, 2)).down(2701, speech(CORE_MEDIA, UE_MEDIA, 70, 2));
    t.down(2702, speech(CORE_MEDIA, UE_MEDIA, 70, 2));
    const r = await found(t);
    assert.deepEqual(codes(r), []);
    const [down] = r.media.filter((m: Json) => m.direction === 'down');
    assert.deepEqual([down.packets, down.lost, down.duplicates, down.reordered], [151, 0, 1, 2]);
  });

  test('jitter', async () => {
    const t = spoken(talk(), 1210, 150, 'up');
    for (let i = 0; i < 150; i++) t.down(1215 + 20 * i + (i % 2) * 100, speech(CORE_MEDIA, UE_MEDIA, i, 2));
    assert.deepEqual(codes(await found(t)), ['media.jitter']);
  });

  test('a payload type that was not agreed', async () => {
    const t = spoken(talk(), 1210, 150, 'up');
    for (let i = 0; i < 150; i++) t.down(1215 + 20 * i, speech(CORE_MEDIA, UE_MEDIA, i, 2, 3));
    assert.deepEqual(codes(await found(t)), ['media.payload-type']);
  });

  test('media past the session description', async () => {
    const t = spoken(talk(), 1210, 150, 'up');
    for (let i = 0; i < 150; i++) t.down(1215 + 20 * i, speech(at('10.0.0.9', 41_000), at('10.0.0.2', 31_000), i, 2));
    const r = await found(t);
    assert.ok(codes(r).includes('media.outside'));
  });

  test('keep-alives are no error', async () => {
    const t = spoken(spoken(talk(), 1210, 150, 'up'), 1210, 150, 'down');
    for (let i = 0; i < 3; i++) t.up(1500 + 1000 * i + 1, speech(UE_MEDIA, CORE_MEDIA, 900 + i, 77, 20));
    const r = await found(t);
    assert.deepEqual(codes(r), []);
    assert.equal(
      r.media.reduce((n: number, m: Json) => n + m.keepAlives, 0),
      3,
    );
    const [{ kind, intervalMs }] = r.tunnels[0].keepAlives;
    assert.deepEqual([kind, Math.round(intervalMs / 10)], ['rtp-pt20', 100]);
  });
});

describe('what else is noticed inside', () => {
  const PORT = at('10.0.0.2', 30_053);
  const DNS = at('10.0.0.1', 53);
  const question = (id: number, name: string) => {
    const m = { id, flags: 0x0100, questions: [{ name: nameOctets(name), type: 1, class: 1 }] };
    return { ...m, answers: [], authorities: [], additional: [], rest: new Uint8Array(0) };
  };
  const dns = (m: DnsMessage) => encode(dnsCodec, m);

  test('a DNS server that fails, or says nothing', async () => {
    const t = addressed(new Talk()).up(100, udp(PORT, DNS, dns(question(1, 'pcscf.ims.example'))));
    const failed = t.copy().down(110, udp(DNS, PORT, dns({ ...question(1, 'pcscf.ims.example'), flags: 0x8182 })));
    assert.deepEqual(codes(await found(failed)), ['dns.failed']);
    const r = await t.report({ end: 'none' }, 8000);
    assert.deepEqual(codes(r), ['dns.failed']);
    assert.match(finding(r, 'dns.failed').meaning, /pcscf\.ims\.example/);
  });

  test('a name that does not exist', async () => {
    const t = addressed(new Talk()).up(100, udp(PORT, DNS, dns(question(1, 'other.example'))));
    const r = await found(t.down(110, udp(DNS, PORT, dns({ ...question(1, 'other.example'), flags: 0x8183 }))));
    assert.equal(finding(r, 'dns.no-name').severity, 'note');
  });

  test('DHCPv6 that nobody answers', async () => {
    const from = at('fe80::2', 546);
    const ask = udp(from, at('ff02::1:2', 547), encode(dhcpv6Codec, dhcpv6Message(11, 7)));
    const r = await addressed(new Talk()).up(100, ask).up(1100, ask).report({ end: 'none' }, 9000);
    assert.deepEqual(codes(r), ['dhcpv6.no-answer']);
    assert.deepEqual(r.addressing[0].dhcpv6.exchanges[0].outcome, 'unanswered');
  });

  test('hardware of another type is a note, and one that changes a warning', async () => {
    const mac = (last: number) => ({ ...lanHardware(Uint8Array.of(2, 0, 0, 0, 0, last)), htype: 1 });
    const message = (last: number) => {
      const options = [messageTypeOption(1), { code: 61, bytes: Uint8Array.of(0) }];
      const m = encode(dhcpCodec, dhcpMessage({ op: 1, xid: 9, ...mac(last), options }));
      return udp(at('0.0.0.0', 68), at('255.255.255.255', 67), m);
    };
    const r = await found(new Talk().up(0, message(1)).up(10, message(1)));
    assert.equal(finding(r, 'dhcp.hardware').severity, 'note');
    assert.equal(finding(r, 'dhcp.hardware-changed'), undefined);
    assert.deepEqual(codes(await found(new Talk().up(0, message(1)).up(10, message(2)))), ['dhcp.hardware-changed']);
  });

  test('a router that asks for stateful configuration is a note', async () => {
    const router = {
      hopLimit: 64,
      managed: true,
      other: false,
      preference: 0,
      lifetime: 1800,
      reachable: 0,
      retransmit: 0,
    };
    const r = await found(addressed(new Talk()).down(50, nd('fe80::1', 'ff02::1', routerAdvertisement(router, []))));
    assert.equal(finding(r, 'slaac.managed').severity, 'note');
  });

  test('a P-CSCF that nothing in the tunnel named is a note', async () => {
    const t = new Talk().up(0, dhcpUp('request')).down(10, dhcpDown('ack', 1, false));
    const r = await found(registered(t));
    assert.deepEqual(codes(r), []);
    assert.equal(finding(r, 'pcscf.static').severity, 'note');
    assert.deepEqual(r.tunnels[0].pcscf, { address: '10.0.0.1', source: 'static' });
  });

  test('a tunnel that ends while the UE is registered is a note', async () => {
    const r = await found(registered(addressed(new Talk())));
    assert.equal(finding(r, 'tunnel.closed-registered').severity, 'note');
  });

  test('a request that is too long for UDP is a note', async () => {
    const long = ['P-Access-Network-Info', 'x'.repeat(1400)] as const;
    const r = await found(addressed(new Talk()).up(100, sip('OPTIONS sip:ims.example', { headers: [long] })));
    assert.equal(finding(r, 'sip.udp-too-long').severity, 'note');
  });

  test('who uses the tunnel', async () => {
    const [t] = (await found(healthy())).tunnels;
    assert.deepEqual(t.subscriber, { impu: ['sip:alice@ims.example'], impi: 'alice@ims.example' });
  });

  test('digits that were pressed', async () => {
    const t = spoken(called(registered(addressed(new Talk())), 1000, 2000), 1210, 90, 'down');
    spoken(t, 1210, 40, 'up');
    [1, 11].forEach((event, k) => {
      for (let i = 0; i < 3; i++) {
        const payload = Uint8Array.of(event, i === 2 ? 0x8a : 0x0a, 1, 64);
        const head = {
          marker: i === 0,
          payloadType: 101,
          sequence: 40 + 3 * k + i,
          timestamp: 8000 + 800 * k,
          ssrc: 1,
        };
        const octets = encode(rtp.codec!, { ...head, csrc: [], payload, padding: 0 });
        t.up(2100 + 100 * k + 20 * i, udp(UE_MEDIA, CORE_MEDIA, octets));
      }
    });
    const r = await found(t);
    assert.deepEqual(codes(r), []);
    assert.equal(r.media.find((m: Json) => m.direction === 'up').dtmf, '1#');
  });
});
