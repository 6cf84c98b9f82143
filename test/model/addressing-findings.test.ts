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
import { address, at, udp } from '../build/packets.js';
import {
  ADVERTISEMENT,
  addressed,
  CORE_MEDIA,
  called,
  codes,
  dhcpDown,
  dhcpUp,
  finding,
  found,
  healthy,
  type Json,
  nd,
  note,
  PREFIX,
  registered,
  rtpPacket,
  sip,
  spoken,
  Talk,
  UE_MEDIA,
} from './support.js';

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
    note(r, 'dhcp.no-client-id');
  });

  test('no P-CSCF anywhere', async () => {
    const t = new Talk().up(0, dhcpUp('request')).down(10, dhcpDown('ack', 1, false));
    const r = await found(t, 10_000);
    assert.deepEqual(codes(r), []);
    const live = await t.report({ end: 'none' }, 10_000);
    assert.deepEqual(codes(live), ['pcscf.none', 'dns.no-server']);
  });

  const LOCAL = 'fe80::2';
  const ROUTER = 'fe80::1';
  const ALL = 'ff02::1';
  const solicit = nd(LOCAL, 'ff02::2', routerSolicitation());
  const prefix = (length: number, autonomous: boolean) => prefixOption({ ...PREFIX, length, autonomous });

  test('no router', async () => {
    const t = new Talk().up(0, solicit).up(4000, solicit).up(8000, solicit);
    const r = await t.report({ end: 'none' }, 13_000);
    assert.deepEqual(codes(r), ['slaac.no-ra']);
    assert.equal(r.addressing[0].slaac.rs, 3);
    assert.equal(r.tunnels[0].failure.stage, 'slaac');
  });

  test('a router without a prefix', async () => {
    const t = new Talk()
      .up(0, solicit)
      .down(10, nd(ROUTER, ALL, routerAdvertisement(ADVERTISEMENT, [prefix(64, false)])));
    const r = await found(t);
    assert.deepEqual(codes(r), ['slaac.no-prefix']);
    assert.equal(r.addressing[0].slaac.prefixes[0].prefix, '2001:db8:9::/64');
  });

  test('a prefix of another length', async () => {
    const t = new Talk()
      .up(0, solicit)
      .down(10, nd(ROUTER, ALL, routerAdvertisement(ADVERTISEMENT, [prefix(48, true)])));
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
    const t = new Talk().down(10, nd(ROUTER, ALL, routerAdvertisement(ADVERTISEMENT, [prefix(64, true)]), 64));
    assert.deepEqual(codes(await found(t)), ['slaac.invalid']);
  });

  test('messages that a receiver discards for what they hold (RFC 4861 §6.1.1, §7.1.1, §7.1.2)', async () => {
    const target = address('2001:db8:9::2');
    const own = [{ type: 1, bytes: Uint8Array.of(2, 0, 0, 0, 0, 1) }];
    const group = 'ff02::1:ff00:2';
    const bad: [Uint8Array, RegExp][] = [
      [nd('::', 'ff02::2', { ...routerSolicitation(), options: own }), /a link-layer address, and no address for/],
      [nd('::', group, neighborSolicitation(target, own)), /a link-layer address, and no address for/],
      [nd('::', 'ff02::1:ff00:3', neighborSolicitation(target)), /another destination than the group of its target/],
      [nd(LOCAL, ALL, neighborSolicitation(address(group))), /a group for its target/],
      [
        nd(LOCAL, ALL, neighborAdvertisement(target, { solicited: true })),
        /the flag of an answer, and goes to a group/,
      ],
    ];
    for (const [packet, why] of bad) {
      const r = await found(new Talk().up(0, packet));
      assert.deepEqual(codes(r), ['slaac.invalid'], String(why));
      assert.match(finding(r, 'slaac.invalid').meaning, why);
    }
    for (const packet of [
      nd(LOCAL, 'ff02::2', { ...routerSolicitation(), options: own }),
      nd('::', group, neighborSolicitation(target)),
      nd(LOCAL, group, neighborSolicitation(target, own)),
      nd(LOCAL, ROUTER, neighborAdvertisement(target, { solicited: true })),
      nd(LOCAL, ALL, neighborAdvertisement(target, {})),
    ])
      assert.deepEqual(codes(await found(new Talk().up(0, packet))), []);
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

  test('a DNS server that fails where the same, or another, answers is a note', async () => {
    const other = at('10.0.0.9', 53);
    const name = 'pcscf.ims.example';
    const fails = { ...question(1, name), flags: 0x8182 };
    for (const id of [1, 2]) {
      const t = addressed(new Talk())
        .up(100, udp(PORT, DNS, dns(question(1, name))))
        .down(110, udp(DNS, PORT, dns(fails)))
        .up(120, udp(PORT, other, dns(question(id, name))))
        .down(130, udp(other, PORT, dns({ ...question(id, name), flags: 0x8180 })));
      const r = await found(t);
      assert.deepEqual(codes(r), []);
      assert.equal(finding(r, 'dns.failed')?.severity, id === 1 ? undefined : 'note');
    }
  });

  test('a name that does not exist', async () => {
    const t = addressed(new Talk()).up(100, udp(PORT, DNS, dns(question(1, 'other.example'))));
    const r = await found(t.down(110, udp(DNS, PORT, dns({ ...question(1, 'other.example'), flags: 0x8183 }))));
    note(r, 'dns.no-name');
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
    const r = await found(new Talk().up(0, message(1)).up(4000, message(1)));
    note(r, 'dhcp.hardware');
    assert.equal(finding(r, 'dhcp.hardware-changed'), undefined);
    assert.deepEqual(codes(await found(new Talk().up(0, message(1)).up(4000, message(2)))), ['dhcp.hardware-changed']);
  });

  test('a router that asks for stateful configuration is a note', async () => {
    const router = { ...ADVERTISEMENT, managed: true };
    const r = await found(addressed(new Talk()).down(50, nd('fe80::1', 'ff02::1', routerAdvertisement(router, []))));
    note(r, 'slaac.managed');
  });

  test('a P-CSCF that nothing in the tunnel named is a note', async () => {
    const t = new Talk().up(0, dhcpUp('request')).down(10, dhcpDown('ack', 1, false));
    const r = await found(registered(t));
    assert.deepEqual(codes(r), []);
    note(r, 'pcscf.static');
    assert.deepEqual(r.tunnels[0].pcscf, { address: '10.0.0.1', source: 'static' });
  });

  test('a tunnel that ends while the UE is registered is a note', async () => {
    const r = await found(registered(addressed(new Talk())));
    note(r, 'tunnel.closed-registered');
  });

  test('a request that is too long for UDP is a note', async () => {
    const long = ['P-Access-Network-Info', 'x'.repeat(1400)] as const;
    const r = await found(addressed(new Talk()).up(100, sip('OPTIONS sip:ims.example', { headers: [long] })));
    note(r, 'sip.udp-too-long');
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
        const head = { marker: i === 0, payloadType: 101, sequence: 40 + 3 * k + i, timestamp: 8000 + 800 * k };
        t.up(2100 + 100 * k + 20 * i, rtpPacket(UE_MEDIA, CORE_MEDIA, { ...head, payload }));
      }
    });
    const r = await found(t);
    assert.deepEqual(codes(r), []);
    assert.equal(r.media.find((m: Json) => m.direction === 'up').dtmf, '1#');
  });
});
