import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { encode, Short } from 'fttscope/kit';
import * as m from '../../../dissectors/dhcp/index.js';
import { octets } from '../dns/layer.js';

const { dhcp } = m;
const codec = dhcp.codec!;
const IP = (last: number): Uint8Array => Uint8Array.of(10, 0, 0, last);

const size = (n: number) => fc.uint8Array({ minLength: n, maxLength: n });
const option = fc.oneof(
  fc.record(
    { code: fc.integer({ min: 1, max: 254 }), bytes: fc.uint8Array({ maxLength: 255 }) },
    { noNullPrototype: true },
  ),
  fc.constant({ code: 0, bytes: new Uint8Array(0) }),
);
const message: fc.Arbitrary<m.DhcpMessage> = fc
  .record(
    {
      op: fc.nat(255),
      htype: fc.nat(255),
      hlen: fc.nat(255),
      hops: fc.nat(255),
      xid: fc.nat(0xffffffff),
      secs: fc.nat(0xffff),
      flags: fc.nat(0xffff),
      ciaddr: size(4),
      yiaddr: size(4),
      siaddr: size(4),
      giaddr: size(4),
      chaddr: size(16),
      sname: size(64),
      file: size(128),
      cookie: fc.constant(true),
      options: fc.array(option, { maxLength: 8 }),
      end: fc.boolean(),
      rest: fc.uint8Array({ maxLength: 20 }),
    },
    { noNullPrototype: true },
  )
  .map((r) => (r.end ? r : { ...r, rest: new Uint8Array(0) }));

describe('DHCPv4 codec', () => {
  it('parses what it emits', () => {
    fc.assert(
      fc.property(message, (r) => {
        const b = encode(codec, r);
        assert.equal(b.length, codec.size(r));
        assert.deepEqual(codec.parse(b, 0, b.length), r);
      }),
    );
  });

  it('emits what it parsed, whatever the octets', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 236, maxLength: 400 }), fc.boolean(), (b, cookie) => {
        if (cookie) b.set([0x63, 0x82, 0x53, 0x63].slice(0, Math.max(0, b.length - 236)), 236);
        assert.deepEqual(encode(codec, codec.parse(b, 0, b.length)), b);
      }),
    );
  });

  it('refuses fewer octets than the fixed header', () => {
    assert.throws(() => codec.parse(new Uint8Array(235), 0, 235), Short);
  });
});

describe('DHCPv4 options', () => {
  it('builds a Discover as RFC 3456 has it', () => {
    const hardware = m.tunnelHardware(Uint8Array.of(192, 0, 2, 10), 3);
    const options = [m.messageTypeOption(1), m.clientIdOption(hardware), m.octetsOption(55, [1, 3, 120])];
    const b = encode(codec, m.dhcpMessage({ op: 1, xid: 0x01020304, ...hardware, options }));
    assert.deepEqual(b.subarray(0, 8), octets('011f0700 01020304'));
    assert.deepEqual(b.subarray(28, 44), octets('4000c000020a03 000000000000000000'));
    assert.deepEqual(b.subarray(236), octets('63825363 350101 3d081f4000c000020a03 3703010378 ff'));
  });

  it('takes the address of a LAN interface under hardware type 31', () => {
    const h = m.lanHardware(octets('020000000001'));
    assert.equal(h.htype, 31);
    assert.equal(h.hlen, 6);
    assert.deepEqual(m.clientIdOption(h).bytes, octets('1f020000000001'));
  });

  it('reads what it built', () => {
    const reply = m.dhcpMessage({
      op: 2,
      xid: 1,
      options: [
        m.messageTypeOption(5),
        m.numberOption(51, 7200),
        m.addressOption(6, IP(1), IP(2)),
        m.textOption(15, 'ims.example'),
        m.sipServersOption([IP(9)]),
        m.shortOption(26, 1400),
        m.searchListOption(['a.example', 'example']),
      ],
    });
    assert.equal(m.messageType(reply), 5);
    assert.equal(m.optionNumber(reply, 51), 7200);
    assert.equal(m.optionNumber(reply, 26), undefined);
    assert.deepEqual(m.optionAddresses(reply, 6), [IP(1), IP(2)]);
    assert.equal(m.optionText(reply, 15), 'ims.example');
    assert.deepEqual(m.sipServers(reply), [IP(9)]);
    assert.deepEqual(m.optionValue(reply, 119), octets('0161076578616d706c6500 076578616d706c6500'));
    assert.equal(m.optionValue(reply, 99), undefined);
  });

  it('reads SIP servers by name', () => {
    const named = m.dhcpMessage({ op: 2, xid: 1, options: [m.sipServersOption(['pcscf.ims.example', 'b.example'])] });
    assert.deepEqual(m.sipServers(named), ['pcscf.ims.example', 'b.example']);
  });

  it('splits long options and joins them again, over file and sname too', () => {
    const long = new Uint8Array(300).fill(7);
    const pieces = m.splitOption({ code: 121, bytes: long });
    assert.deepEqual(
      pieces.map((p) => p.bytes.length),
      [255, 45],
    );
    const whole = m.dhcpMessage({ op: 2, xid: 1, options: pieces });
    assert.deepEqual(m.optionValue(codec.parse(encode(codec, whole), 0, codec.size(whole)), 121), long);
    const spread = m.dhcpMessage({
      op: 2,
      xid: 1,
      options: [m.octetsOption(52, [3]), m.octetsOption(12, [1])],
      file: Uint8Array.of(12, 1, 2, 255),
      sname: Uint8Array.of(0, 12, 1, 3, 255),
    });
    assert.deepEqual(m.optionValue(spread, 12), Uint8Array.of(1, 2, 3));
  });
});
