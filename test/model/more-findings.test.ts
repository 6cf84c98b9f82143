import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import tls from 'node:tls';
import { encode } from 'fttscope/kit';
import { codec as dhcpCodec, dhcpMessage, messageTypeOption, tunnelHardware } from '../../dissectors/dhcp/message.js';
import { prefixOption, routerAdvertisement } from '../../dissectors/icmpv6/messages.js';
import { CaptureBuilder } from '../build/capture.js';
import { clearConversation, envelope, up } from '../build/conversation.js';
import { ACK, address, at, ping, RST, SYN, tcp, udp } from '../build/packets.js';
import type { where } from '../build/shape.js';
import { type TlsOptions, tlsConversation } from '../build/tls.js';
import {
  ADVERTISEMENT,
  addressed,
  CORE,
  CORE_MEDIA,
  called,
  captured,
  codes,
  ENDS,
  finding,
  found,
  healthy,
  nd,
  note,
  PREFIX,
  registered,
  reportOn,
  type SipParts,
  sip,
  speech,
  spoken,
  Talk,
  UE,
  UE_MEDIA,
} from './support.js';

describe('registration', () => {
  const p = { callId: 'reg-5@10.0.0.2', to: 'sip:alice@ims.example' };
  const contact = (host: string, more = '') => ['Contact', `<sip:alice@${host}>;expires=3600${more}`] as const;
  const ask = (cseq: number, headers: SipParts['headers'] = []) =>
    sip('REGISTER sip:ims.example', { ...p, cseq, headers });
  const tell = (what: string, cseq: number, headers: SipParts['headers'] = []) =>
    sip(`${what} REGISTER`, { ...p, cseq, toTag: 'r', headers }, 'down');

  test('a contact without instance, and one of another address, are notes', async () => {
    const good = contact(UE, ';+sip.instance="<urn:gsma:imei:1>";reg-id=1');
    const fine = await found(
      addressed(new Talk())
        .up(100, ask(1, [good]))
        .down(120, tell('200 OK', 1, [good])),
    );
    assert.equal(finding(fine, 'sip.no-instance'), undefined);
    assert.equal(finding(fine, 'sip.contact-address'), undefined);
    const bad = contact('198.51.100.77');
    const r = await found(
      addressed(new Talk())
        .up(100, ask(1, [bad]))
        .down(120, tell('200 OK', 1, [bad])),
    );
    assert.deepEqual(codes(r), []);
    note(r, 'sip.no-instance');
    note(r, 'sip.contact-address');
  });

  test('no mechanism in common', async () => {
    const client = ['Security-Client', 'ipsec-3gpp; alg=hmac-sha-1-96; ealg=aes-cbc; spi-c=1; spi-s=2'] as const;
    const server = ['Security-Server', 'ipsec-3gpp; alg=hmac-md5-96; ealg=null; spi-c=3; spi-s=4'] as const;
    const challenge = ['WWW-Authenticate', 'Digest realm="ims.example", nonce="n", algorithm=MD5'] as const;
    const t = addressed(new Talk())
      .up(100, ask(1, [contact(UE), client]))
      .down(120, tell('401 Unauthorized', 1, [challenge, server]));
    assert.deepEqual(codes(await found(t)), ['sip.security-disjoint']);
  });

  test('a tunnel that stays after the last registration', async () => {
    const gone = (t: Talk) =>
      t
        .up(5000, ask(2, [contact(UE).map((s) => s.replace('3600', '0')) as [string, string]]))
        .down(5050, tell('200 OK', 2));
    const t = gone(
      addressed(new Talk())
        .up(100, ask(1, [contact(UE)]))
        .down(120, tell('200 OK', 1, [contact(UE)])),
    );
    assert.deepEqual(codes(await found(t.copy())), []);
    t.up(100_000, udp(at(UE, 9), at(CORE, 9), new Uint8Array(4)));
    assert.deepEqual(codes(await found(t)), ['tunnel.kept']);
  });
});

describe('addresses', () => {
  test('a lease that runs out, and the broadcast flag', async () => {
    const t = addressed(new Talk()).up(3_700_000, udp(at(UE, 9), at(CORE, 9), new Uint8Array(4)));
    assert.deepEqual(codes(await found(t)), ['tunnel.idle-gap', 'dhcp.lease-expired']);
    const m = dhcpMessage({ op: 1, xid: 1, ...tunnelHardware(address('192.0.2.10')), options: [messageTypeOption(1)] });
    const discover = (flags: number): Talk =>
      new Talk().up(0, udp(at('0.0.0.0', 68), at('255.255.255.255', 67), encode(dhcpCodec, { ...m, flags })));
    note(await found(discover(0x8000)), 'dhcp.broadcast');
    for (const flags of [0, 0x7fff]) assert.equal(finding(await found(discover(flags)), 'dhcp.broadcast'), undefined);
  });

  const router = { ...ADVERTISEMENT, other: true, lifetime: 0 };
  const prefix = prefixOption(PREFIX);

  test('a router that is none, and other configuration that nobody asks for', async () => {
    const t = new Talk().down(10, nd('fe80::1', 'ff02::1', routerAdvertisement(router, [prefix])));
    const r = await found(t.up(8000, udp(at('2001:db8:9::2', 9), at('2001:db8:9::1', 9), new Uint8Array(4))));
    assert.deepEqual(codes(r), []);
    note(r, 'slaac.no-router');
    note(r, 'dhcpv6.not-asked');
    const four = udp(at(UE, 9), at(CORE, 9), new Uint8Array(4));
    const deaf = new Talk().down(10, nd('fe80::1', 'ff02::1', routerAdvertisement(router, [prefix]))).up(8000, four);
    assert.equal(finding(await found(deaf), 'dhcpv6.not-asked'), undefined, 'a UE without IPv6 has nothing to ask for');
  });
});

describe('tunnels', () => {
  test('a long silence is a note, a very long one a warning', async () => {
    const quiet = (ms: number) => found(healthy().up(ms, udp(at(UE, 9), at(CORE, 9), new Uint8Array(4))));
    note(await quiet(200_000), 'tunnel.idle-gap');
    assert.deepEqual(codes(await quiet(1_000_000)), ['tunnel.idle-gap']);
  });

  test('two tunnels that are cut after the same pause', async () => {
    const { server } = ENDS;
    const data = envelope(ping(address('10.0.0.2'), address('10.0.0.1'), 1, 1, 40)).octets;
    const b = new CaptureBuilder();
    for (const [i, pause] of [300_000, 310_000].entries()) {
      const client = at('192.0.2.10', 40_000 + i);
      const start = 400_000 * i;
      const send = (seq: number) => tcp(client, server, { seq, ack: 501, flags: ACK }, data);
      b.packet(tcp(client, server, { seq: 100, flags: SYN }, new Uint8Array(0)), start)
        .packet(tcp(server, client, { seq: 500, ack: 101, flags: SYN | ACK }, new Uint8Array(0)), start + 10, 1)
        .packet(send(101), start + 20)
        .packet(tcp(server, client, { seq: 501, ack: 101 + data.length }, new Uint8Array(0)), start + 30, 1)
        .packet(send(101 + data.length), start + pause)
        .packet(tcp(server, client, { seq: 501, flags: RST }, new Uint8Array(0)), start + pause + 20, 1);
    }
    const r = await reportOn(b.build().octets);
    assert.ok(codes(r).includes('tunnel.idle-timeout'));
    assert.match(finding(r, 'tunnel.idle-timeout').meaning, /^2 tunnels were cut after 300 to 310 s\./);
  });

  const SOME = [up([envelope(ping(address('10.0.0.2'), address('10.0.0.1'), 1, 1, 40))])];

  test('TLS 1.2 with a server that has 1.3, and a renegotiation', async () => {
    const v12: TlsOptions = { client: { maxVersion: 'TLSv1.2' } };
    const c = await tlsConversation(SOME, v12);
    const r = await reportOn(captured(c).octets, c.keylog);
    assert.deepEqual(codes(r), []);
    note(r, 'tls.downgraded');
    const again = await tlsConversation([...SOME, { renegotiate: true }, ...SOME], { version: 'TLSv1.2' });
    note(await reportOn(captured(again).octets, again.keylog), 'tls.renegotiation');
    const limits = tls as { CLIENT_RENEG_LIMIT: number };
    const usual = limits.CLIENT_RENEG_LIMIT;
    limits.CLIENT_RENEG_LIMIT = 100; // Node ends a session that has more than three
    try {
      const steps = Array.from({ length: 10 }, () => [{ renegotiate: true } as const, ...SOME]).flat();
      const storm = await tlsConversation(steps, { version: 'TLSv1.2' });
      const told = await reportOn(captured(storm).octets, storm.keylog);
      assert.deepEqual(codes(told), ['tls.renegotiation']);
      assert.match(finding(told, 'tls.renegotiation').meaning, /^It happened 10 times\. That is every \d+ records/);
    } finally {
      limits.CLIENT_RENEG_LIMIT = usual;
    }
  });

  test('a clock that goes back', async () => {
    const c = clearConversation([...SOME, ...SOME, ...SOME]);
    const back = (frames: Parameters<ReturnType<typeof where>>[0]) =>
      frames.map((f, i) => (i > 3 ? { ...f, time: f.time - 5e9 } : f));
    const r = await reportOn(captured(c, { start: 10_000 }, { shape: [back] }).octets);
    assert.ok(codes(r).includes('capture.clock-jump'));
    assert.match(finding(r, 'capture.clock-jump').meaning, /by 5000 ms/);
  });
});

test('packets that come twice are a note', async () => {
  const t = spoken(spoken(called(registered(addressed(new Talk())), 1000, 2000), 1210, 90, 'up'), 1210, 90, 'down');
  for (let i = 0; i < 10; i++) t.up(1300 + 20 * i, speech(UE_MEDIA, CORE_MEDIA, i, 1));
  const r = await found(t);
  assert.deepEqual(codes(r), []);
  note(r, 'media.duplicates');
});
