import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { arp } from '../../../dissectors/arp.js';
import { ethernet } from '../../../dissectors/ethernet.js';
import { encode } from '../../../src/kit/index.js';
import { cutEverywhere, octets, see, walk } from './layers.js';

const MACS = '020000000002 0a0000000001';
/** UDP 5060 to 5060 without data, in IPv4 from 192.0.2.1 to 192.0.2.2: 28 octets. */
const DATAGRAM = '4500001c 00010000 4011f6cc c0000201 c0000202 13c413c4 00080000';
const ARP_REQUEST = '0001 0800 06 04 0001 0a0000000001 c0000201 000000000000 c0000202';

describe('Ethernet', () => {
  it('shows addresses with their bits, and zeros up to 60 octets as padding', () => {
    const { protocols, fields, experts } = see('link', 1, octets(`${MACS} 0800 ${DATAGRAM} ${'00'.repeat(18)}`));
    assert.deepEqual(protocols, ['eth', 'ethertype', 'ip', 'udp']);
    assert.deepEqual(fields['eth.dst'], ['02:00:00:00:00:02']);
    assert.deepEqual(fields['eth.dst.lg'], ['1']);
    assert.deepEqual(fields['eth.dst.ig'], ['0']);
    assert.deepEqual(fields['eth.type'], ['0x0800']);
    assert.deepEqual(fields['eth.padding'], ['00'.repeat(18)]);
    assert.equal(fields['eth.trailer'], undefined);
    assert.deepEqual(experts, []);
  });

  it('shows padding behind ARP, reverse ARP included', () => {
    for (const type of ['0806', '8035']) {
      const { fields } = see('link', 1, octets(`${MACS} ${type} ${ARP_REQUEST} ${'00'.repeat(18)}`));
      assert.deepEqual([type, fields['eth.padding']], [type, ['00'.repeat(18)]]);
    }
  });

  it('calls what is no zeros a trailer', () => {
    const { fields, experts } = see('link', 1, octets(`${MACS} 0800 ${DATAGRAM} aa${'00'.repeat(17)}`));
    assert.equal(fields['eth.padding'], undefined);
    assert.equal(fields['eth.trailer'].length, 1);
    assert.match(experts.join(), /Didn't find padding of zeros/);
  });

  it('takes the last four octets of a frame of 64 and more for its check sequence', () => {
    const { fields } = see('link', 1, octets(`${MACS} 0800 ${DATAGRAM} ${'00'.repeat(18)} cafe0123`));
    assert.deepEqual(fields['eth.fcs'], ['0xcafe0123']);
  });

  it('warns of a group address as source', () => {
    const { experts } = see('link', 1, octets(`020000000002 0b0000000001 0800 ${DATAGRAM}`));
    assert.match(experts.join(), /Source MAC must not be a group address/);
  });

  it('reads 802.3 frames as LLC, and IP behind SNAP', () => {
    const snap = octets(`${MACS} 0024 aaaa03 000000 0800 ${DATAGRAM} 0000`);
    assert.deepEqual(see('link', 1, snap).protocols, ['eth', 'llc', 'ip', 'udp']);
    assert.deepEqual(walk('link', 1, snap).protocols, ['eth', 'llc', 'ip', 'udp']);
    const bpdu = see('link', 1, octets(`${MACS} 0007 424203 00000000`));
    assert.deepEqual(bpdu.protocols, ['eth', 'llc', 'data']);
    assert.deepEqual(bpdu.fields['llc.dsap'], ['0x42']);
    assert.deepEqual(bpdu.fields['data.data'], ['00000000']);
  });

  it('follows stacked tags', () => {
    const b = octets(`${MACS} 88a8 201e 8100 a064 0800 ${DATAGRAM}`);
    const { protocols, fields } = see('link', 1, b);
    assert.equal(protocols.join(':'), 'eth:ethertype:ieee8021ad:ethertype:vlan:ethertype:ip:udp');
    assert.deepEqual(fields['ieee8021ad.priority'], ['1']);
    assert.deepEqual(fields['ieee8021ad.id'], ['30']);
    assert.deepEqual(fields['vlan.priority'], ['5']);
    assert.deepEqual(fields['vlan.id'], ['100']);
    const { p } = walk('link', 1, b);
    assert.deepEqual([p.net, p.sport, p.dport], [4, 5060, 5060]);
  });

  it('parses what it builds', () => {
    const mac = fc.uint8Array({ minLength: 6, maxLength: 6 });
    const frame = fc.record(
      { dst: mac, src: mac, type: fc.nat(0xffff), payload: fc.uint8Array() },
      { noNullPrototype: true },
    );
    fc.assert(
      fc.property(frame, (r) => {
        const b = encode(ethernet.codec!, r);
        assert.deepEqual(ethernet.codec!.parse(b, 0, b.length), r);
      }),
    );
  });
});

describe('ARP', () => {
  it('shows a request for IPv4 over Ethernet', () => {
    const { fields, info } = see('ethertype', 0x0806, octets(ARP_REQUEST));
    assert.deepEqual(fields['arp.src.hw_mac'], ['0a:00:00:00:00:01']);
    assert.deepEqual(fields['arp.dst.proto_ipv4'], ['192.0.2.2']);
    assert.equal(info, 'Who has 192.0.2.2? Tell 192.0.2.1');
  });

  it('tells probes, announcements and gratuitous packets apart (RFC 5227 1.1)', () => {
    const packet = (op: string, src: string, hw: string): string =>
      see('ethertype', 0x0806, octets(`00010800060400${op} 0a0000000001 ${src} ${hw} c0000202`)).info;
    assert.equal(packet('01', '00000000', '000000000000'), 'Who has 192.0.2.2? (ARP Probe)');
    assert.equal(packet('01', 'c0000202', '000000000000'), 'ARP Announcement for 192.0.2.2');
    assert.equal(packet('01', 'c0000202', 'ffffffffffff'), 'Gratuitous ARP for 192.0.2.2 (Request)');
    assert.equal(packet('02', 'c0000201', '0a0000000002'), '192.0.2.1 is at 0a:00:00:00:00:01');
  });

  it('parses what it builds', () => {
    const of = (n: number) => fc.uint8Array({ minLength: n, maxLength: n });
    const packet = fc.tuple(fc.nat(20), fc.nat(20)).chain(([hw, p]) =>
      fc.record(
        {
          hwType: fc.nat(0xffff),
          protoType: fc.nat(0xffff),
          opcode: fc.nat(0xffff),
          srcHw: of(hw),
          srcProto: of(p),
          dstHw: of(hw),
          dstProto: of(p),
        },
        { noNullPrototype: true },
      ),
    );
    fc.assert(
      fc.property(packet, (r) => {
        const b = encode(arp.codec!, r);
        assert.deepEqual(arp.codec!.parse(b, 0, b.length), r);
      }),
    );
  });
});

describe('Other link layers', () => {
  const under: [string, number, string, string][] = [
    ['Linux cooked', 113, '0004 0001 0006 0a00000000010000 0800', 'sll:ethertype:ip:udp'],
    ['Linux cooked v2', 276, '0800 0000 00000002 0001 04 06 0a00000000010000', 'sll2:ethertype:ip:udp'],
    ['Linux cooked, on an interface of GRE', 113, '0004 030a 0004 0a00000000000000 0800', 'sll:ip:udp'],
    ['Linux cooked v2, on an interface of GRE', 276, '0800 0000 00000002 030a 04 04 0a00000000000000', 'sll2:ip:udp'],
    ['BSD loopback, little-endian', 0, '02000000', 'null:ip:udp'],
    ['BSD loopback, big-endian', 0, '00000002', 'null:ip:udp'],
    ['OpenBSD loopback', 108, '00000002', 'null:ip:udp'],
    ['raw IP', 101, '', 'raw:ip:udp'],
    ['IPv4', 228, '', 'ip:udp'],
    ['PPP in HDLC framing', 50, 'ff03 0021', 'ppp:ip:udp'],
    ['PPP with a short protocol number', 9, '21', 'ppp:ip:udp'],
  ];
  for (const [name, link, header, stack] of under)
    it(`leads from ${name} to IP`, () => {
      const b = octets(header + DATAGRAM);
      const { protocols, failed } = see('link', link, b);
      assert.equal(failed, undefined);
      assert.equal(protocols.join(':'), stack);
      const { p } = walk('link', link, b);
      assert.deepEqual([p.net, p.sport, p.src], [4, 5060, octets(header).length + 12]);
      cutEverywhere('link', link, b);
    });

  it('shows the fields of both versions of Linux cooked captures', () => {
    const one = see('link', 113, octets(`0004 0001 0006 0a00000000010000 0800 ${DATAGRAM}`)).fields;
    const two = see('link', 276, octets(`0800 0000 00000007 0001 04 06 0a00000000010000 ${DATAGRAM}`)).fields;
    for (const f of [one, two]) {
      assert.deepEqual(f['sll.pkttype'], ['4']);
      assert.deepEqual(f['sll.src.eth'], ['0a:00:00:00:00:01']);
      assert.deepEqual(f['sll.etype'], ['0x0800']);
    }
    assert.deepEqual(two['sll.ifindex'], ['7']);
  });

  it('reads PPPoE sessions, padded or not', () => {
    const b = octets(`${MACS} 8864 11 00 0007 001e 0021 ${DATAGRAM} ${'00'.repeat(10)}`);
    const { protocols, fields } = see('link', 1, b);
    assert.equal(protocols.join(':'), 'eth:ethertype:pppoes:ppp:ip:udp');
    assert.deepEqual(fields['pppoe.session_id'], ['0x0007']);
    assert.deepEqual(fields['ppp.protocol'], ['0x0021']);
    assert.deepEqual(walk('link', 1, b).protocols, ['eth', 'pppoes', 'ppp', 'ip', 'udp']);
  });

  it('lists the tags of PPPoE discovery (RFC 2516 appendix A)', () => {
    const pado = octets('11 07 0000 0018 0101 0000 0102 0004 74657374 0103 0004 00001761 0fff 0000');
    const { fields, info, failed } = see('ethertype', 0x8863, pado);
    assert.equal(failed, undefined);
    assert.deepEqual(fields['pppoed.tags.ac_name'], ['test']);
    assert.deepEqual(fields['pppoed.tags.host_uniq'], ['00001761']);
    assert.deepEqual(fields['pppoed.tag'], ['0x0fff']);
    assert.equal(info, "Active Discovery Offer (PADO) AC-Name='test'");
    cutEverywhere('ethertype', 0x8863, pado);
    assert.ok(see('ethertype', 0x8863, octets('11 07 0000 0008 0102 0010 74657374')).failed);
  });
});
