import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { echoRequest, icmp } from '../../../dissectors/icmp.js';
import { icmpv6 } from '../../../dissectors/icmpv6/index.js';
import * as nd from '../../../dissectors/icmpv6/messages.js';
import { type AnyDissector, checksum, encode, hex, type NetPair, pseudoHeader, put16 } from '../../../src/kit/index.js';
import { comparePlacesIn } from '../../support/places.js';
import { tsharkMissing } from '../../support/tshark.js';
import { cutEverywhere, octets, see, track } from './layers.js';

const INNER = '4500001c 00010000 4011f6cc c0000201 c0000202 13c413c4 00080000';
const LOCAL = 'fe80000000000000025056fffec00001';
const ALL_NODES = 'ff020000000000000000000000000001';
const PREFIX = '20010db8000900000000000000000000';

/** An ICMP message with its checksum, in IPv4. */
function icmp4(hexText: string): Uint8Array {
  const m = octets(hexText);
  put16(m, 2, checksum(m, 0, m.length));
  const n = (20 + m.length).toString(16).padStart(4, '0');
  return octets(`4500${n} 0001 0000 4001 0000 c0000202 c0000201 ${hex(m, 0, m.length, '')}`);
}

/** An ICMPv6 message with its checksum, in IPv6. */
function icmp6(hexText: string, hops = 'ff'): Uint8Array {
  const m = octets(hexText);
  const n = m.length.toString(16).padStart(4, '0');
  const b = octets(`6000 0000 ${n} 3a ${hops} ${LOCAL} ${ALL_NODES} ${hex(m, 0, m.length, '')}`);
  const net: NetPair = { version: 6, buf: b, src: 8, dst: 24 };
  put16(b, 42, 0);
  put16(b, 42, checksum(b, 40, b.length, pseudoHeader(net, 58, m.length)));
  return b;
}

describe('ICMP', () => {
  it('shows the data of an echo that an error quotes, however little there is, and faults none of it', () => {
    const quoted = '45000024 00010000 40010000 c0000201 c0000202 0800abcd 00010002 0102030405060708';
    const b = icmp4(`0b 00 0000 00000000 ${quoted}`);
    const whole = see('ip.version', 4, b);
    assert.deepEqual(whole.protocols, ['ip', 'icmp', 'ip', 'icmp', 'data']);
    assert.deepEqual(whole.fields['data.len'], ['8']);
    const { protocols, experts } = see('ip.version', 4, icmp4(`0b 00 0000 00000000 ${quoted.slice(0, 54)}`));
    assert.deepEqual([protocols, experts], [['ip', 'icmp', 'ip', 'icmp'], []]);
  });

  it('dissects the packet that an error quotes, and puts the addresses back', () => {
    const b = icmp4(`03 03 0000 00000000 ${INNER}`);
    const { protocols, fields, info, cx, experts } = see('ip.version', 4, b);
    assert.deepEqual(protocols, ['ip', 'icmp', 'ip', 'udp']);
    assert.deepEqual(fields['ip.src'], ['192.0.2.2', '192.0.2.1']);
    assert.deepEqual(fields['icmp.checksum.status'], ['1']);
    assert.equal(info, 'Destination unreachable (Port unreachable)');
    assert.deepEqual([cx.quoted, cx.net.src], [false, 12]);
    assert.deepEqual(experts, []);
    cutEverywhere('ip.version', 4, b);
  });

  it('shows the data of a quoted echo behind the time that ping sends', () => {
    const time = '00000000 00000000'; // the clock of these tests stands at 0
    const quoted = `45000028 00010000 40010000 c0000201 c0000202 0800abcd 00010002 ${time} 61626364`;
    const { protocols, fields } = see('ip.version', 4, icmp4(`0b 00 0000 00000000 ${quoted}`));
    assert.equal(protocols.join(':'), 'ip:icmp:ip:icmp:data');
    assert.deepEqual(fields['data.len'], ['4']);
  });

  it('takes of what a redirect quotes the header and 64 bits, as tshark', () => {
    const quoted = '46000020 00010000 40010000 c0000201 c0000202 01010100 0800abcd 00010002 61626364';
    const { protocols, fields, failed } = see('ip.version', 4, icmp4(`05 01 0000 c0000203 ${quoted}`));
    assert.deepEqual([protocols.join(':'), failed], ['ip:icmp:ip:icmp', undefined]);
    assert.deepEqual(fields['icmp.seq'], ['2']);
  });

  it('does not call a quoted packet cut short malformed', () => {
    const b = icmp4(`0b 00 0000 00000000 45000064 00010000 01110000 c0000201 c0000202 13c413c4 00500000`);
    const { protocols, failed, experts } = see('ip.version', 4, b);
    assert.deepEqual(protocols, ['ip', 'icmp', 'ip', 'udp']);
    assert.equal(failed, undefined);
    assert.ok(!experts.some((m) => m.includes('exceeds packet length')));
  });

  it('shows the MTU of the next hop, a gateway and a pointer', () => {
    const f = (m: string): Record<string, string[]> => see('ip.version', 4, icmp4(`${m} ${INNER}`)).fields;
    assert.deepEqual(f('03 04 0000 0000 0578')['icmp.mtu'], ['1400']);
    assert.deepEqual(f('05 01 0000 c00002fe')['icmp.redir_gw'], ['192.0.2.254']);
    assert.deepEqual(f('0c 00 0000 08000000')['icmp.pointer'], ['8']);
  });

  it('reads the label stack behind the quoted packet (RFC 4884, RFC 4950)', () => {
    const extension = octets('2000 0000 0008 0101 00064b3f');
    put16(extension, 2, checksum(extension, 0, extension.length));
    const quoted = INNER.replace(/\s/g, '').padEnd(256, '0');
    for (const length of ['20', '00']) {
      const b = icmp4(`0b 00 0000 00${length}0000 ${quoted} ${hex(extension, 0, extension.length, '')}`);
      const { fields } = see('ip.version', 4, b);
      assert.deepEqual(fields['icmp.mpls.label'], ['100']);
      assert.deepEqual(fields['icmp.mpls.exp'], ['5']);
      assert.deepEqual(fields['icmp.mpls.s'], ['1']);
      assert.deepEqual(fields['icmp.mpls.ttl'], ['63']);
      assert.deepEqual(fields['icmp.ext.checksum.status'], ['1']);
    }
  });

  it('pairs replies with requests, each once', () => {
    const states = new Map<AnyDissector, unknown>();
    const b = octets('c0000201 c0000202');
    const there: NetPair = { version: 4, buf: b, src: 0, dst: 4 };
    const back: NetPair = { version: 4, buf: b, src: 4, dst: 0 };
    const request = encode(icmp.codec!, echoRequest(7, 1, new Uint8Array(8)));
    const reply = encode(icmp.codec!, { ...echoRequest(7, 1, new Uint8Array(8)), type: 0 });
    const at = (frame: number, seconds: number, nanos: number) => ({ frame, seconds, nanos });
    assert.equal(track(icmp, request, there, at(3, 10, 999_000_000), states), undefined);
    assert.equal(track(icmp, reply, there, at(4, 11, 0), states), undefined, 'a reply from the same side');
    assert.deepEqual(track(icmp, reply, back, at(5, 11, 1_500_000), states), { request: 3, milliseconds: 2.5 });
    assert.equal(track(icmp, reply, back, at(6, 12, 0), states), undefined, 'answered before');
    const notes = new Map<AnyDissector, unknown>([[icmp, { request: 3, milliseconds: 2.5 }]]);
    const shown = see('ip.version', 4, icmp4(`00 00 0000 0007 0001 ${'00'.repeat(8)}`), { notes });
    assert.deepEqual(shown.fields['icmp.resp_to'], ['3']);
    assert.deepEqual(shown.fields['icmp.resptime'], ['2.5']);
    assert.equal(shown.info, 'Echo (ping) reply    id=0x0007, seq=1/256, ttl=64 (request in 3)');
  });

  it('finds the time that ping sends', () => {
    const b = icmp4(`08 00 0000 0007 0001 ${'65c0e100 00000064'} aabb`);
    const { fields } = see('ip.version', 4, b, { seconds: 0x65c0e101 });
    assert.deepEqual(fields['icmp.data_time_relative'], ['0.999900000']);
    assert.deepEqual(fields['data.data'], ['aabb']);
  });

  it('parses what it builds', () => {
    const shape = { type: fc.nat(255), code: fc.nat(255), word: fc.nat(0x7fffffff), data: fc.uint8Array() };
    fc.assert(
      fc.property(fc.record(shape, { noNullPrototype: true }), (r) => {
        const b = encode(icmp.codec!, r);
        assert.equal(checksum(b, 0, b.length), 0);
        assert.deepEqual(icmp.codec!.parse(b, 0, b.length), r);
      }),
    );
  });
});

describe('ICMPv6', () => {
  /** Sent by radvd: prefix, DNS server, search list and MTU; tshark reads it so. */
  const ADVERTISEMENT = [
    '86 00 0000 40 40 000c 00000000 00000000',
    `03 04 40 c0 00015180 00003840 00000000 ${PREFIX}`,
    '19 03 0000 00000004 20010db8000900000000000000000001',
    '1f 03 0000 00000004 03696d73 076578616d706c65 00 000000',
    '05 01 0000 00000578',
  ].join(' ');

  it('reads a router advertisement with its options', () => {
    const b = icmp6(ADVERTISEMENT);
    const { fields, info, failed, experts } = see('ip.version', 6, b);
    assert.equal(failed, undefined);
    assert.deepEqual(fields['icmpv6.checksum.status'], ['1']);
    assert.deepEqual(fields['icmpv6.nd.ra.cur_hop_limit'], ['64']);
    assert.deepEqual(fields['icmpv6.nd.ra.flag.m'], ['0']);
    assert.deepEqual(fields['icmpv6.nd.ra.flag.o'], ['1']);
    assert.deepEqual(fields['icmpv6.nd.ra.router_lifetime'], ['12']);
    assert.deepEqual(fields['icmpv6.opt.type'], ['3', '25', '31', '5']);
    assert.deepEqual(fields['icmpv6.opt.prefix'], ['2001:db8:9::']);
    assert.deepEqual(fields['icmpv6.opt.prefix.valid_lifetime'], ['86400']);
    assert.deepEqual(fields['icmpv6.opt.rdnss'], ['2001:db8:9::1']);
    assert.deepEqual(fields['icmpv6.opt.dnssl'], ['ims.example']);
    assert.deepEqual(fields['icmpv6.opt.mtu'], ['1400']);
    assert.equal(info, 'Router Advertisement');
    assert.deepEqual(experts, []);
    cutEverywhere('ip.version', 6, b);
  });

  it('builds the same advertisement', () => {
    const r = nd.routerAdvertisement(
      { hopLimit: 64, managed: false, other: true, preference: 0, lifetime: 12, reachable: 0, retransmit: 0 },
      [
        nd.prefixOption({
          prefix: octets(PREFIX),
          length: 64,
          onLink: true,
          autonomous: true,
          valid: 86_400,
          preferred: 14_400,
        }),
        nd.rdnssOption(4, [octets('20010db8000900000000000000000001')]),
        nd.dnsslOption(4, ['ims.example']),
        nd.mtuOption(1400),
      ],
    );
    const whole = icmp6(ADVERTISEMENT);
    const b = encode(icmpv6.codec!, r, { version: 6, buf: whole, src: 8, dst: 24 });
    assert.equal(hex(b, 0, b.length), hex(whole, 40, whole.length - 40));
  });

  it('puts what an advertisement says into bits of its own, and nothing else', () => {
    const none = { hopLimit: 0, managed: false, other: false, preference: 0, lifetime: 0, reachable: 0, retransmit: 0 };
    const bits = (said: object): number => nd.routerAdvertisement({ ...none, ...said }, []).body[1]!;
    const made = [
      bits({}),
      bits({ managed: true }),
      bits({ other: true }),
      bits({ preference: 1 }),
      bits({ preference: 3 }),
    ];
    assert.deepEqual(made, [0, 0x80, 0x40, 0x08, 0x18]); // RFC 4861 §4.2, RFC 4191 §2.2
  });

  it('reads solicitations and advertisements of neighbors', () => {
    const ns = see('ip.version', 6, icmp6(`87 00 0000 00000000 ${LOCAL} 01 01 020000000001`));
    assert.equal(ns.info, 'Neighbor Solicitation for fe80::250:56ff:fec0:1 from 02:00:00:00:00:01');
    assert.deepEqual(ns.fields['icmpv6.opt.linkaddr'], ['02:00:00:00:00:01']);
    const na = see('ip.version', 6, icmp6(`88 00 0000 60000000 ${LOCAL} 02 01 020000000001`));
    assert.equal(na.info, 'Neighbor Advertisement fe80::250:56ff:fec0:1 (sol, ovr) is at 02:00:00:00:00:01');
    assert.deepEqual(na.fields['icmpv6.nd.na.flag.s'], ['1']);
    assert.deepEqual(na.fields['icmpv6.nd.na.flag.r'], ['0']);
    const far = see('ip.version', 6, icmp6(`87 00 0000 00000000 ${LOCAL}`, '40'));
    assert.match(far.experts.join(), /not 255/);
  });

  it('reads the options that hosts behind a gateway meet', () => {
    const option = (o: string): Record<string, string[]> =>
      see('ip.version', 6, icmp6(`86 00 0000 40 00 0000 00000000 00000000 ${o}`)).fields;
    const route = option('18 02 40 08 00000258 20010db800010000');
    assert.deepEqual(route['icmpv6.opt.prefix'], ['2001:db8:1::']);
    assert.deepEqual(route['icmpv6.opt.route_info.flag.route_preference'], ['1']);
    assert.deepEqual(route['icmpv6.opt.route_lifetime'], ['600']);
    const nat64 = option('26 02 0258 0064ff9b 0000000000000000');
    assert.deepEqual(nat64['icmpv6.opt.pref64.prefix'], ['64:ff9b::']);
    assert.deepEqual(nat64['icmpv6.opt.pref64.scaled_lifetime'], ['75']);
    const shorter = option('26 02 025c 6d62687378746e726b7a7470'); // code 4: 40 bits
    assert.deepEqual(shorter['icmpv6.opt.pref64.prefix'], ['6d62:6873:7800::']);
    const portal = option(`25 03 ${Buffer.from('https://a.example').toString('hex')} 0000000000`);
    assert.deepEqual(portal['icmpv6.opt.captive_portal'], ['https://a.example']);
    assert.deepEqual(option('0e 01 6069604c0aaa')['icmpv6.opt.nonce'], ['6069604c0aaa']);
    assert.deepEqual(option('07 01 0000 00001388')['icmpv6.opt.advertisement_interval'], ['5000']);
    assert.deepEqual(option('08 01 0000 0005 0006')['icmpv6.opt.home_agent_lifetime'], ['6']);
    assert.deepEqual(option('1a 01 8400 00000000')['icmpv6.opt.efo.m'], ['1']);
  });

  it('finds fields where tshark sees them', { skip: tsharkMissing }, async () => {
    const inner = `6000 0000 0008 11 40 ${LOCAL} ${ALL_NODES} 13c4 13c4 0008 0000`;
    const ra = '86 00 0000 40 00 0000 00000000 00000000';
    const portal = Buffer.from('https://a.example').toString('hex');
    const messages = [
      ADVERTISEMENT,
      ...['18 02 40 08 00000258 20010db800010000', '26 02 0258 0064ff9b 0000000000000000', '0e 01 6069604c0aaa'],
      ...['07 01 0000 00001388', '08 01 0000 0005 0006', '1a 01 8400 00000000', `25 03 ${portal} 0000000000`],
    ].map((o, i) => (i === 0 ? o : `${ra} ${o}`));
    messages.push(
      `87 00 0000 00000000 ${LOCAL} 01 01 020000000001`,
      `88 00 0000 60000000 ${LOCAL} 02 01 020000000001`,
      '85 00 0000 00000000 01 01 020000000001',
      `89 00 0000 00000000 ${LOCAL} ${ALL_NODES} 04 07 000000000000 ${inner}`,
      `82 00 0000 2710 0000 ${ALL_NODES}`,
      `82 00 0000 2710 0000 ${ALL_NODES} 0a 7d 0001 ${LOCAL}`,
      `8f 00 0000 0000 0001 04 00 0001 ${ALL_NODES} ${LOCAL}`,
      '80 00 0000 0007 0001 61626364',
      ...['02 00 0000 00000500', '01 04 0000 00000000', '04 01 0000 00000028'].map((m) => `${m} ${inner}`),
    );
    const { same, different } = await comparePlacesIn(messages.map((m) => icmp6(m)));
    assert.deepEqual(different, []);
    assert.ok(same.size > 90, String(same.size));
  });

  it('stops at an option without length (RFC 4861 4.6)', () => {
    const { experts } = see('ip.version', 6, icmp6(`87 00 0000 00000000 ${LOCAL} 01 00 020000000001`));
    assert.match(experts.join(), /Invalid option length \(Zero\)/);
  });

  it('reads a redirect with the packet that caused it', () => {
    const inner = `6000 0000 0008 11 40 ${LOCAL} ${ALL_NODES} 13c4 13c4 0008 0000`;
    const b = icmp6(`89 00 0000 00000000 ${LOCAL} ${ALL_NODES} 04 07 000000000000 ${inner}`);
    const { protocols, fields } = see('ip.version', 6, b);
    assert.equal(protocols.join(':'), 'ipv6:icmpv6:ipv6:udp');
    assert.deepEqual(fields['icmpv6.rd.na.destination_address'], ['ff02::1']);
  });

  it('reads listener messages of both versions', () => {
    const one = see('ip.version', 6, icmp6(`82 00 0000 2710 0000 ${ALL_NODES}`, '01')).fields;
    assert.deepEqual(one['icmpv6.mld.maximum_response_delay'], ['10000']);
    const two = see('ip.version', 6, icmp6(`82 00 0000 2710 0000 ${ALL_NODES} 0a 7d 0001 ${LOCAL}`, '01')).fields;
    assert.deepEqual(two['icmpv6.mld.maximum_response_code'], ['10000']);
    // RFC 3810 §5.1.3, §5.1.9: exponents 5 and 3, mantissas 0x625 and 7.
    const long = see('ip.version', 6, icmp6(`82 00 0000 d625 0000 ${ALL_NODES} 0a b7 0000`, '01')).fields;
    assert.deepEqual(long['icmpv6.mld.maximum_response_code'], ['1451264']);
    assert.deepEqual(long['icmpv6.mld.qqi'], ['1472']);
    assert.deepEqual(two['icmpv6.mld.flag.s'], ['1']);
    assert.deepEqual(two['icmpv6.mld.flag.qrv'], ['2']);
    assert.deepEqual(two['icmpv6.mld.source_address'], ['fe80::250:56ff:fec0:1']);
    const report = encode(icmpv6.codec!, nd.listenerReport([octets(ALL_NODES), octets(LOCAL)]));
    const shown = see('ip.version', 6, icmp6(hex(report, 0, report.length, ''), '01'));
    assert.deepEqual(shown.fields['icmpv6.mldr.mar.record_type'], ['4', '4']);
    assert.deepEqual(shown.fields['icmpv6.mldr.mar.multicast_address'], ['ff02::1', 'fe80::250:56ff:fec0:1']);
    assert.equal(shown.info, 'Multicast Listener Report Message v2');
    const lies = see('ip.version', 6, icmp6('8f 00 0000 0000 ffff', '01'));
    assert.ok(lies.failed);
  });

  it('quotes packets in errors', () => {
    const inner = `6000 0000 0008 11 40 ${LOCAL} ${ALL_NODES} 13c4 13c4 0008 0000`;
    const big = see('ip.version', 6, icmp6(`02 00 0000 00000500 ${inner}`));
    assert.equal(big.protocols.join(':'), 'ipv6:icmpv6:ipv6:udp');
    assert.deepEqual(big.fields['icmpv6.mtu'], ['1280']);
    assert.equal(big.info, 'Packet Too Big');
    const gone = see('ip.version', 6, icmp6(`01 04 0000 00000000 ${inner}`));
    assert.equal(gone.info, 'Destination Unreachable (Port unreachable)');
  });

  it('parses what it builds, and builds what it parsed', () => {
    const option = fc.record(
      {
        type: fc.nat(255),
        bytes: fc
          .integer({ min: 1, max: 4 })
          .chain((n) => fc.uint8Array({ minLength: 8 * n - 2, maxLength: 8 * n - 2 })),
      },
      { noNullPrototype: true },
    );
    const fixed = { 133: 4, 134: 12, 135: 20, 136: 20, 137: 36 };
    const message = fc.constantFrom(133, 134, 135, 136, 137).chain((type) => {
      const n = fixed[type as keyof typeof fixed];
      const shape = {
        type: fc.constant(type),
        code: fc.nat(255),
        body: fc.uint8Array({ minLength: n, maxLength: n }),
        options: fc.array(option, { maxLength: 4 }),
        rest: fc.constantFrom(new Uint8Array(0), octets('0100'), octets('05ff0000')),
      };
      return fc.record(shape, { noNullPrototype: true });
    });
    const net: NetPair = { version: 6, buf: octets(LOCAL + ALL_NODES), src: 0, dst: 16 };
    fc.assert(
      fc.property(message, (r) => {
        const b = encode(icmpv6.codec!, r, net);
        assert.ok(nd.verified(b, 0, b.length, net));
        assert.deepEqual(icmpv6.codec!.parse(b, 0, b.length), r);
      }),
    );
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 4, maxLength: 120 }), (b) => {
        const zero = b.slice();
        put16(zero, 2, 0);
        assert.deepEqual(encode(icmpv6.codec!, icmpv6.codec!.parse(zero, 0, zero.length)), zero);
      }),
    );
  });
});
