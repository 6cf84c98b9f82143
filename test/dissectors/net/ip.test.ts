import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { ipv4 } from '../../../dissectors/ipv4.js';
import { ipv6 } from '../../../dissectors/ipv6.js';
import { fragmentHeader, routing } from '../../../dissectors/ipv6-extensions.js';
import { type AnyDissector, checksum, encode, hex, Short } from '../../../src/kit/index.js';
import { address, at, ip, udp } from '../../build/packets.js';
import { rawPcap } from '../../cli/run.js';
import { besideTshark, captureBesideTshark, ETHERNET, fieldsOf } from '../../support/beside-tshark.js';
import { comparePlacesIn } from '../../support/places.js';
import { tsharkMissing } from '../../support/tshark.js';
import { cutEverywhere, octets, see, walk } from './layers.js';

/** The header of the example in RFC 1071's successors: 10 words that sum to ffff. */
const HEADER = '4500 0073 0000 4000 4011 b861 c0a80001 c0a800c7';
const UDP = '13c4 13c4 0008 0000';
const SRC = '20010db8000000000000000000000001';
const DST = '20010db8000000000000000000000002';

/** An IPv4 header with its checksum, and the payload. */
function packet(parts: { frag?: string; ttl?: string; proto?: string; dst?: string; options?: string }, payload = UDP) {
  const options = parts.options ?? '';
  const n = 20 + options.length / 2;
  const length = (n + payload.replace(/\s/g, '').length / 2).toString(16).padStart(4, '0');
  const first = (0x40 | (n / 4)).toString(16);
  const head = `${first}00${length}0001${parts.frag ?? '0000'}${parts.ttl ?? '40'}${parts.proto ?? '11'}`;
  const zero = octets(`${head}0000c0000201${parts.dst ?? 'c0000202'}${options}`);
  const sum = checksum(zero, 0, zero.length);
  zero[10] = sum >> 8;
  zero[11] = sum & 255;
  return octets(hex(zero, 0, zero.length, '') + payload);
}

const six = (next: string, payload: string, length?: string): Uint8Array => {
  const n = length ?? (payload.replace(/\s/g, '').length / 2).toString(16).padStart(4, '0');
  return octets(`6000 0000 ${n} ${next} 40 ${SRC} ${DST} ${payload}`);
};

describe('IPv4', () => {
  it('shows the fields of RFC 791 and verifies the checksum', () => {
    const { fields, experts, cx } = see('ip.version', 4, octets(HEADER + '00'.repeat(95)));
    assert.deepEqual(fields['ip.hdr_len'], ['20']);
    assert.deepEqual(fields['ip.len'], ['115']);
    assert.deepEqual(fields['ip.flags.df'], ['1']);
    assert.deepEqual(fields['ip.checksum'], ['0xb861']);
    assert.deepEqual(fields['ip.checksum.status'], ['1']);
    assert.deepEqual(fields['ip.src'], ['192.168.0.1']);
    assert.deepEqual(
      experts.filter((m) => m.includes('checksum [should')),
      [],
    );
    assert.deepEqual([cx.net.version, cx.net.src, cx.net.dst], [4, 12, 16]);
  });

  it('says what a wrong checksum should be, and leaves a zero to the interface', () => {
    const wrong = see('ip.version', 4, octets(HEADER.replace('b861', 'b862') + '00'.repeat(95)));
    assert.deepEqual(wrong.fields['ip.checksum.status'], ['0']);
    assert.ok(wrong.experts.includes('Bad checksum [should be 0xb861]'));
    const zero = see('ip.version', 4, octets(HEADER.replace('b861', '0000') + '00'.repeat(95)));
    assert.deepEqual(zero.fields['ip.checksum.status'], ['2']);
    assert.ok(!zero.experts.some((m) => m.includes('[should be')));
  });

  it('notices lengths that contradict each other', () => {
    const experts = (b: Uint8Array): string => see('ip.version', 4, b).experts.join();
    assert.match(experts(octets(HEADER)), /IPv4 total length exceeds packet length \(20 bytes\)/);
    assert.match(experts(octets(`44${HEADER.slice(2)}`)), /Bogus IP header length \(16, must be at least 20\)/);
    assert.match(experts(octets(HEADER.replace('0073', '0013'))), /Bogus IP length \(19, must be at least 20\)/);
  });

  it('takes a total length of 0 for a segment that was not cut yet', () => {
    const b = octets(`4500 0000 0000 4000 4011 0000 c0a80001 c0a800c7 ${UDP}`);
    assert.deepEqual(see('ip.version', 4, b).fields['ip.len'], ['28']);
    assert.equal(walk('ip.version', 4, b).p.sport, 5060);
  });

  it('looks at the TTL of single hosts and of local groups (RFC 3171)', () => {
    const ttl = (n: string, dst: string): string => see('ip.version', 4, packet({ ttl: n, dst })).experts.join();
    assert.match(ttl('01', 'c0000202'), /"Time To Live" only 1/);
    assert.equal(ttl('05', 'c0000202'), '');
    assert.match(ttl('40', 'e0000001'), /!= 1 for a packet sent to the Local Network Control Block/);
    assert.equal(ttl('01', 'e0000001'), '');
    assert.equal(ttl('ff', 'e00000fb'), '');
    assert.equal(ttl('40', 'e00000fc'), '');
    assert.equal(ttl('01', 'efffffff'), '');
    const igmp = see('ip.version', 4, packet({ ttl: '01', dst: 'e00000fb', proto: '02' })).experts;
    assert.ok(!igmp.some((m) => m.includes('Local Network Control Block')), 'RFC 3376 §4');
  });

  it('finds octets of options where tshark sees them', { skip: tsharkMissing }, async () => {
    const options = [
      ...['94040000', '070b080a0101010000000000', '830b080a0101010a01010200', '890b080a0101010a01010200'],
      ...['440c0500 00000001 00000002', '440c0d01 0a000001 00000002', '820b0000000000000000 0000', '88040001'],
      '1e040000',
    ];
    const packets = options.map((o) => packet({ options: o.replaceAll(' ', ''), proto: '01' }, '0800f7ff00000000'));
    const { same, different } = await comparePlacesIn(packets);
    assert.deepEqual(different, []);
    for (const name of ['rec_rt', 'opt.time_stamp', 'opt.time_stamp_addr', 'opt.sid', 'opt.ra', 'opt.sec_rfc791_comp'])
      assert.ok(same.has(`ip.${name}`), name);
  });

  it('reads options, and stops at one that goes past the header', () => {
    const alert = see('ip.version', 4, packet({ options: '94040000' }));
    assert.deepEqual(alert.fields['ip.opt.type'], ['148']);
    assert.deepEqual(alert.fields['ip.opt.ra'], ['0']);
    const route = see('ip.version', 4, packet({ options: '070b080a0101010000000000' }));
    assert.deepEqual(route.fields['ip.rec_rt'], ['10.1.1.1']);
    assert.deepEqual(route.fields['ip.empty_rt'], ['0.0.0.0']);
    const nops = see('ip.version', 4, packet({ options: '01010101' }));
    assert.match(nops.experts.join(), /4 NOP in a row/);
    const long = see('ip.version', 4, packet({ options: '07ff0400' }));
    assert.match(long.experts.join(), /option length = 255 bytes says option goes past end of options/);
  });

  it('takes the last address of a source route for the destination until it is reached (RFC 791 §3.1)', () => {
    const options = (pointer: string): string => `830f${pointer}0a0101010a0101020a01010300`;
    const at = (pointer: string): Record<string, string[]> =>
      see('ip.version', 4, packet({ options: options(pointer), dst: 'c0000202' })).fields;
    const names = ['ip.dst', 'ip.cur_rt', 'ip.rec_rt', 'ip.src_rt'];
    const values = (pointer: string): (string[] | undefined)[] => names.map((name) => at(pointer)[name]);
    assert.deepEqual(values('04'), [['10.1.1.3'], ['192.0.2.2'], undefined, ['10.1.1.1', '10.1.1.2']]);
    assert.deepEqual(values('0c'), [['10.1.1.3'], ['192.0.2.2'], ['10.1.1.1', '10.1.1.2'], undefined]);
    assert.deepEqual(values('10'), [['192.0.2.2'], undefined, ['10.1.1.1', '10.1.1.2', '10.1.1.3'], undefined]);
    assert.deepEqual(values('05'), [['192.0.2.2'], undefined, undefined, undefined]); // a pointer amid an address
    assert.deepEqual(walk('ip.version', 4, packet({ options: options('04') })).p.dst, 31);
    assert.deepEqual(walk('ip.version', 4, packet({ options: options('10') })).p.dst, 16);
  });

  it('shows a fragment as data, and the whole with the packet that completes it', () => {
    const b = packet({ frag: '2002' }, '0001020304050607');
    const alone = see('ip.version', 4, b);
    assert.deepEqual(alone.protocols, ['ip', 'data']);
    assert.equal(alone.info, 'Fragmented IP protocol (proto=UDP 17, off=16, ID=0001)');
    assert.deepEqual(alone.fields['ip.frag_offset'], ['2']);
    const { p } = walk('ip.version', 4, b);
    assert.deepEqual(
      [p.fragment, p.fragmentId, p.fragmentOffset, p.moreFragments, p.key, p.off, p.end],
      [true, 1, 16, true, 17, 20, 28],
    );
    const note = {
      fragments: [
        { frame: 7, off: 0, len: 4 },
        { frame: 8, off: 4, len: 4 },
      ],
      bytes: octets(UDP),
    };
    const whole = see('ip.version', 4, b, { notes: new Map<AnyDissector, unknown>([[ipv4, note]]) });
    assert.deepEqual(whole.protocols, ['ip', 'udp']);
    assert.deepEqual(whole.fields['ip.fragment'], ['7', '8']);
    assert.deepEqual(whole.fields['ip.fragment.count'], ['2']);
    assert.deepEqual(whole.fields['ip.reassembled.length'], ['8']);
    assert.deepEqual(whole.fields['udp.srcport'], ['5060']);
  });

  it('shows as much of a header as was captured, as tshark does', { skip: tsharkMissing }, async () => {
    const datagram = udp(at('192.0.2.1', 53), at('192.0.2.2', 40_000), Uint8Array.of(1, 2, 3, 4));
    const whole = Buffer.concat([octets('020000000001 020000000002 0800'), datagram]);
    const lengths = Array.from(datagram, (_, i) => i + 15);
    const capture = rawPcap(...lengths.map((n) => whole.subarray(0, n)));
    capture.writeUInt32LE(ETHERNET, 20);
    for (let o = 24; o < capture.length; o += 16 + capture.readUInt32LE(o + 8)) {
      capture.writeUInt32LE(whole.length, o + 12);
    }
    const header = [
      'hdr_len',
      'dsfield',
      'dsfield.dscp',
      'len',
      'id',
      'flags.df',
      'frag_offset',
      'ttl',
      'proto',
      'checksum',
    ];
    const fields = [...[...header, 'src', 'dst'].map((f) => `ip.${f}`), 'udp.srcport', 'udp.dstport', 'udp.length'];
    await captureBesideTshark(capture, fields);
  });

  it('reads packets within packets as deep as tshark does', { skip: tsharkMissing }, async () => {
    let packet = udp(at('192.0.2.1', 9), at('192.0.2.2', 9), Uint8Array.of(1));
    for (let i = 0; i < 100; i++) packet = ip(address('192.0.2.3'), address('192.0.2.4'), 4, packet);
    const [stack] = await besideTshark([packet], ['ip.proto', 'udp.srcport']);
    assert.equal(stack.split(':').length, 102);
  });

  it('parses what it builds', () => {
    const address = fc.uint8Array({ minLength: 4, maxLength: 4 });
    const shape = {
      ds: fc.nat(255),
      id: fc.nat(0xffff),
      flags: fc.constantFrom(0, 0x20, 0x40, 0x60, 0x80),
      offset: fc.nat(0x1fff).map((n) => n * 8),
      ttl: fc.nat(255),
      protocol: fc.nat(255),
      src: address,
      dst: address,
      options: fc.nat(10).chain((n) => fc.uint8Array({ minLength: n * 4, maxLength: n * 4 })),
      payload: fc.uint8Array({ maxLength: 64 }),
    };
    fc.assert(
      fc.property(fc.record(shape, { noNullPrototype: true }), (r) => {
        const b = encode(ipv4.codec!, r);
        assert.equal(checksum(b, 0, b.length - r.payload.length), 0);
        assert.deepEqual(ipv4.codec!.parse(b, 0, b.length), r);
      }),
    );
  });
});

describe('IPv6', () => {
  it('shows the fields of RFC 8200 and what an address tells', () => {
    const b = octets(`6b8f 8b80 0000 3b ff fe80000000000000025056fffec00001 ${DST}`);
    const { fields, info, experts } = see('ip.version', 6, b);
    assert.deepEqual(fields['ipv6.version'], ['6']);
    assert.deepEqual(fields['ipv6.tclass.dscp'], ['46']);
    assert.deepEqual(fields['ipv6.tclass.ecn'], ['0']);
    assert.deepEqual(fields['ipv6.src_slaac_mac'], ['00:50:56:c0:00:01']);
    assert.equal(info, 'IPv6 no next header');
    assert.deepEqual(experts, []);
  });

  it('shows as much of a header as there is', () => {
    const b = octets(`6b8f 8b80 0014 3b ff ${DST} ${DST}`);
    const KEYS = ['ipv6.flow', 'ipv6.plen', 'ipv6.nxt', 'ipv6.hlim', 'ipv6.src', 'ipv6.dst'];
    const shown = (n: number) => {
      const { fields, failed } = see('ip.version', 6, b.subarray(0, n));
      assert.ok(failed instanceof Short);
      return KEYS.filter((key) => fields[key] !== undefined).length;
    };
    assert.deepEqual([3, 4, 5, 6, 7, 8, 23, 24, 39].map(shown), [0, 1, 1, 2, 3, 4, 4, 5, 5]);
  });

  it('shows a version that it cannot be', () => {
    const { fields } = see('ethertype', 0x86dd, octets(`3b8f 8b80 0000 3b ff ${DST} ${DST}`));
    assert.deepEqual([fields['ipv6.version'], fields['ip.version']], [['3'], ['3']]);
  });

  it('leaves a packet of another version out of the stack, as tshark does', { skip: tsharkMissing }, async () => {
    const ethernet = '020000000001 020000000002 86dd';
    const addresses = `${'00'.repeat(15)}01 ${'00'.repeat(15)}02`;
    const bogus = `30000000 0008 3b 40 ${addresses} ${'aa'.repeat(8)}`;
    const packets = [
      `${ethernet} ${bogus}`,
      `${ethernet} 60000000 0030 29 40 ${addresses} ${bogus}`,
      `${ethernet} 300000`,
      `${ethernet} 60000000 0041 3b 40 ${addresses} ${'aa'.repeat(8)}`,
    ];
    await besideTshark(packets.map(octets), ['ipv6.version', 'ip.version', 'data.len', '_ws.expert.message'], ETHERNET);
  });

  it('follows extension headers, as layers of their own and in the index pass', () => {
    const b = six('00', `2b 00 0502 0000 0100  3c 00 00 00 00000000  11 00 0104 00000000 ${UDP}`);
    const { protocols } = see('ip.version', 6, b);
    assert.equal(protocols.join(':'), 'ipv6:ipv6.hopopts:ipv6.routing:ipv6.dstopts:udp');
    const { protocols: peeked, p } = walk('ip.version', 6, b);
    assert.deepEqual(peeked, ['ipv6', 'ipv6.hopopts', 'ipv6.routing', 'ipv6.dstopts', 'udp']);
    assert.equal(p.sport, 5060);
    cutEverywhere('ip.version', 6, b);
  });

  it('reads each type of routing header as tshark does', { skip: tsharkMissing }, async () => {
    const address = (n: number): string => `20010db8${'00'.repeat(11)}0${n}`;
    const headers = [
      `11 04 00 01 00000000 ${address(3)} ${address(4)}`, // RFC 2460 §4.4
      `11 04 00 07 00000000 ${address(3)} ${address(4)}`, // more segments left than there are
      `11 02 02 01 00000000 ${address(3)}`, // RFC 6275 §6.4.1
      `11 04 04 01 01000000 ${address(3)} ${address(4)}`, // RFC 8754 §2
      '11 00 fd 00 01020304', // RFC 4727 §3.3
    ].map(octets);
    const packets = headers.map((h) => {
      const payload = Buffer.concat([h, octets('c350 c351 0008 0000')]);
      const length = payload.length.toString(16).padStart(4, '0');
      return Buffer.concat([octets(`60000000 ${length} 2b 40 ${address(1)} ${address(2)}`), payload]);
    });
    // More segments left than there are end the way of a packet; tshark only warns.
    await besideTshark(packets, ['ipv6.dst', ...fieldsOf(routing, ['_ws.expert.severity'])]);
  });

  it('reads router alert and padding (RFC 2711)', () => {
    const { fields } = see('ip.version', 6, six('00', '3b 00 0502 0000 0100'));
    assert.deepEqual(fields['ipv6.opt.type'], ['0x05', '0x01']);
    assert.deepEqual(fields['ipv6.opt.router_alert'], ['0']);
    assert.deepEqual(fields['ipv6.opt.padn'], ['']);
    assert.deepEqual(fields['ipv6.hopopts.len_oct'], ['8']);
  });

  it('takes the length of a jumbogram from its option (RFC 2675)', () => {
    const payload = `13c4 13c4 0000 0000 ${'00'.repeat(70_000)}`;
    const total = (8 + 8 + 70_000).toString(16).padStart(8, '0');
    const b = six('00', `11 00 c204 ${total} ${payload} ffff`, '0000');
    const { fields, experts } = see('ip.version', 6, b);
    assert.deepEqual(fields['ipv6.opt.jumbo'], ['70016']);
    assert.deepEqual(
      experts.filter((m) => /umbo/.test(m)),
      [],
    );
    const { p } = walk('ip.version', 6, b);
    assert.equal(p.wireEnd, b.length - 2);
    const small = see('ip.version', 6, six('00', '3b 00 c204 00000008'));
    assert.match(small.experts.join(), /must not be present.*jumbo length < 65536/s);
    const none = see('ip.version', 6, six('00', '3b 00 0104 00000000', '0000'));
    assert.match(none.experts.join(), /Jumbo Payload option missing/);
  });

  it('passes an atomic fragment through (RFC 6946), and any other to the table', () => {
    const atomic = six('2c', `11 00 0000 0000002a ${UDP}`);
    assert.equal(see('ip.version', 6, atomic).protocols.join(':'), 'ipv6:ipv6.fraghdr:udp');
    assert.equal(walk('ip.version', 6, atomic).p.fragment, false);
    const part = six('2c', `11 00 0549 0000002a ${UDP}`);
    const { fields, protocols } = see('ip.version', 6, part);
    assert.equal(protocols.join(':'), 'ipv6:ipv6.fraghdr:data');
    assert.deepEqual(fields['ipv6.fraghdr.offset'], ['169']);
    assert.deepEqual(fields['ipv6.fraghdr.more'], ['1']);
    const { p } = walk('ip.version', 6, part);
    assert.deepEqual([p.fragment, p.fragmentId, p.fragmentOffset, p.moreFragments, p.key], [true, 42, 1352, true, 17]);
    const note = { fragments: [{ frame: 3, off: 0, len: 8 }], bytes: octets(UDP), protocol: 17 };
    const whole = see('ip.version', 6, part, { notes: new Map<AnyDissector, unknown>([[fragmentHeader, note]]) });
    assert.equal(whole.protocols.join(':'), 'ipv6:ipv6.fraghdr:udp');
    assert.deepEqual(whole.fields['ipv6.reassembled.length'], ['8']);
  });

  it('makes checksums with the home address and the final destination (RFC 6275, RFC 8200 8.1)', () => {
    const home = '20010078000100320000000000000001';
    const after = see('ip.version', 6, six('3c', `3b 02 0102 0000 c910 ${home}`)).cx.net;
    assert.equal(hex(after.buf, after.src, 16, ''), home);
    assert.equal(hex(after.buf, after.dst, 16, ''), DST);
    const final = see('ip.version', 6, six('2b', `3b 02 00 01 00000000 ${home}`)).cx.net;
    assert.equal(hex(final.buf, final.dst, 16, ''), home);
    const arrived = see('ip.version', 6, six('2b', `3b 02 00 00 00000000 ${home}`)).cx.net;
    assert.equal(hex(arrived.buf, arrived.dst, 16, ''), DST);
  });

  it('parses what it builds', () => {
    const address = fc.uint8Array({ minLength: 16, maxLength: 16 });
    const shape = {
      tclass: fc.nat(255),
      flow: fc.nat(0xfffff),
      next: fc.integer({ min: 1, max: 255 }),
      hlim: fc.nat(255),
      src: address,
      dst: address,
      payload: fc.uint8Array({ maxLength: 64 }),
    };
    fc.assert(
      fc.property(fc.record(shape, { noNullPrototype: true }), (r) => {
        const b = encode(ipv6.codec!, r);
        assert.deepEqual(ipv6.codec!.parse(b, 0, b.length), r);
      }),
    );
  });
});

describe('Any octets', () => {
  it('never make a layer throw anything but what is foreseen', () => {
    const start = fc.constantFrom<[string, number]>(
      ...([1, 0, 9, 50, 101, 113, 276, 228, 229].map((n) => ['link', n]) as [string, number][]),
      ...([0, 1, 43, 44, 58, 60].map((n) => ['ip.proto', n]) as [string, number][]),
      ['ethertype', 0x8863],
      ['ethertype', 0x0806],
    );
    fc.assert(
      fc.property(start, fc.uint8Array({ maxLength: 200 }), ([table, key], b) => {
        see(table, key, b);
        see(table, key, b, { wire: 300 });
        walk(table, key, b);
      }),
      { numRuns: 3000 },
    );
  });
});

describe('UDP', () => {
  it('takes a checksum that was left to the network card for none that can be told', () => {
    // As the loopback of Linux gives it: the sum of the pseudo-header. tshark 4.0 says it is bad, and asks for the reason.
    const left = '4500 0023 00d0 4000 4011 3bf8 7f000001 7f000001 cf7b 3e7f 000f fe22 68656c6c6f2030';
    const told = (b: string) => see('ip.version', 4, octets(b));
    assert.deepEqual(told(left).fields['udp.checksum.status'], ['2']);
    assert.deepEqual(told(left).experts, []);
    assert.deepEqual(told(left.replace('fe22', '7fe0')).fields['udp.checksum.status'], ['1']);
    const bad = told(left.replace('fe22', 'fe23'));
    assert.deepEqual([bad.fields['udp.checksum.status'], bad.experts], [['0'], ['Bad checksum [should be 0x7fe0]']]);
    const six = `6000 0000 000f 11 40 ${'0'.repeat(31)}1 ${'0'.repeat(31)}1 cf7f 3e7f 000f 0022 68656c6c6f2030`;
    assert.deepEqual(see('ip.version', 6, octets(six)).fields['udp.checksum.status'], ['2']);
  });
});
