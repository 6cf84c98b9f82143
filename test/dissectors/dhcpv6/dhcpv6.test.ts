import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { concat, encode, Short } from 'fttscope/kit';
import * as m from '../../../dissectors/dhcpv6/index.js';
import { cutEverywhere, octets, run } from '../dns/layer.js';

const { dhcpv6 } = m;
const codec = dhcpv6.codec!;
const ADDRESS = '20010db8000000000000000000000001';

const ascii = (s: string): string => Buffer.from(s).toString('hex');
const option = (code: number, value: string): string =>
  code.toString(16).padStart(4, '0') + (value.length / 2).toString(16).padStart(4, '0') + value;
const message = (options: string, type = '01'): Uint8Array => octets(`${type}09f56b${options}`);

describe('DHCPv6', () => {
  it('shows a request with identity association, address and lifetimes', () => {
    const address = option(5, `${ADDRESS}00000e10ffffffff${option(13, `0002${ascii('none')}`)}`);
    const { fields, summary } = run(
      dhcpv6,
      message(option(1, '00030001020000000001') + option(3, `0000000100000064000000c8${address}`)),
    );
    assert.equal(summary, 'Solicit XID: 0x09f56b CID: 00030001020000000001 IAA: 2001:db8::1 ');
    assert.deepEqual(fields['dhcpv6.option.type'], ['1', '3', '5', '13']);
    assert.deepEqual(fields['dhcpv6.duid.bytes'], ['00:03:00:01:02:00:00:00:00:01']);
    assert.deepEqual(fields['dhcpv6.iaid'], ['00000001']);
    assert.deepEqual(fields['dhcpv6.iaid.t1'], ['100']);
    assert.deepEqual(fields['dhcpv6.iaaddr.ip'], ['2001:db8::1']);
    assert.deepEqual(fields['dhcpv6.iaaddr.valid_lifetime'], ['4294967295']);
    assert.deepEqual(fields['dhcpv6.status_code'], ['2']);
    assert.deepEqual(fields['dhcpv6.status_msg'], ['none']);
  });

  // Values as tshark 4.0.17 prints them for these octets.
  const VALUES: readonly (readonly [number, string, Readonly<Record<string, string[]>>])[] = [
    [1, '0001000112345678020000000001', { 'dhcpv6.duidllt.link_layer_addr': ['02:00:00:00:00:01'] }],
    [1, '00020000000961626364', { 'dhcpv6.duiden.enterprise': ['9'], 'dhcpv6.duiden.identifier': ['61:62:63:64'] }],
    [
      1,
      '0003001f4000c000020a03',
      { 'dhcpv6.duidll.hwtype': ['31'], 'dhcpv6.duidll.link_layer_addr': ['4000c000020a03'] },
    ],
    [
      1,
      '000400112233445566778899aabbccddeeff',
      { 'dhcpv6.duiduuid.bytes': ['00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:ee:ff'] },
    ],
    [6, '00170018001f', { 'dhcpv6.requested_option_code': ['23', '24', '31'] }],
    [7, 'ff', { 'dhcpv6.option_preference': ['255'] }],
    [8, '0064', { 'dhcpv6.elapsed_time': ['1000'] }],
    [15, '000361626300026465', { 'dhcpv6.userclass.opaque_data': ['61:62:63', '64:65'] }],
    [
      16,
      `000001370008${ascii('MSFT 5.0')}`,
      { 'dhcpv6.vendorclass.enterprise': ['311'], 'dhcpv6.vendorclass.data': ['MSFT 5.0'] },
    ],
    [17, '0000000900010003616263', { 'dhcpv6.vendoropts.enterprise.option_data': ['61:62:63'] }],
    [18, ascii('eth0'), { 'dhcpv6.interface_id': ['65:74:68:30'] }],
    [19, '05', { 'dhcpv6.reconf_msg': ['5'] }],
    [21, '0373697003616263000131013200', { 'dhcpv6.sip_server_domain_search_fqdn': ['sip.abc.', '1.2.'] }],
    [22, ADDRESS + ADDRESS, { 'dhcpv6.sip_server_a': ['2001:db8::1', '2001:db8::1'] }],
    [23, ADDRESS, { 'dhcpv6.dns_server': ['2001:db8::1'] }],
    [24, '036162630364656600', { 'dhcpv6.search_list_entry': ['abc.def.'] }],
    [
      25,
      `0000000100000064000000c8${option(26, `00000e1000001c2038${'20010db8'.padEnd(32, '0')}`)}`,
      { 'dhcpv6.iaprefix.pref_len': ['56'], 'dhcpv6.iaprefix.pref_addr': ['2001:db8::'] },
    ],
    [31, ADDRESS, { 'dhcpv6.sntp_server': ['2001:db8::1'] }],
    [32, '00000e10', { 'dhcpv6.lifetime': ['3600'] }],
    [
      39,
      '0404686f7374076578616d706c6500',
      { 'dhcpv6.client_domain': ['host.example.'], 'dhcpv6.clientfqdn.client.n': ['1'] },
    ],
    [39, '0104686f7374', { 'dhcpv6.client_domain': ['host'], 'dhcpv6.clientfqdn.client.s': ['1'] }],
    [56, `00010010${ADDRESS}`, { 'dhcpv6.ntpserver.addr': ['2001:db8::1'] }],
    [103, ascii('https://p'), { 'dhcpv6.captive_portal': ['https://p'] }],
  ];
  for (const [code, value, expected] of VALUES)
    it(`reads option ${code} ${value.slice(0, 24)}`, () => {
      const { fields, stopped } = run(dhcpv6, message(option(code, value)));
      assert.equal(stopped, undefined);
      for (const [name, values] of Object.entries(expected)) assert.deepEqual(fields[name], values, name);
    });

  it('reads options that Wireshark leaves alone', () => {
    const { fields } = run(
      dhcpv6,
      message(option(82, '00000e10') + option(83, '00000e10') + option(79, '0001020000000001') + option(9999, 'aabb')),
    );
    assert.deepEqual(fields['dhcpv6.sol_max_rt'], ['3600']);
    assert.deepEqual(fields['dhcpv6.inf_max_rt'], ['3600']);
    assert.deepEqual(fields['dhcpv6.client_link_layer.addr'], ['02:00:00:00:00:01']);
    assert.deepEqual(fields['dhcpv6.option.value'], ['aa:bb']);
  });

  it('follows relayed messages and checks hop counts', () => {
    const relay = (hops: string, inner: string): string =>
      `0c${hops}${ADDRESS}fe80000000000000000000000000000a${option(9, inner)}`;
    const solicit = `01112233${option(1, '00030001020000000001')}`;
    const one = run(dhcpv6, octets(relay('00', solicit)));
    assert.equal(one.summary, 'Relay-forw L: 2001:db8::1 Solicit XID: 0x112233 CID: 00030001020000000001 ');
    assert.deepEqual(one.fields['dhcpv6.msgtype'], ['12', '1']);
    assert.deepEqual(one.fields['dhcpv6.peeraddr'], ['fe80::a']);
    assert.deepEqual(one.experts, []);
    assert.deepEqual(run(dhcpv6, octets(relay('02', relay('01', solicit)))).experts, [
      'Hopcount of most inner message has to equal 0 instead of 1',
    ]);
    let deep = solicit;
    for (let i = 0; i < 60; i++) deep = relay('00', deep);
    assert.ok(run(dhcpv6, octets(deep)).experts.includes('Relay messages nest too deep'));
  });

  it('says what is wrong with names and lengths', () => {
    const expected: readonly (readonly [number, string, string])[] = [
      [1, '00', 'DUID: malformed option'],
      [3, '0000000100000064', 'IA_NA: malformed option'],
      [7, 'ffff', 'PREFERENCE: malformed option'],
      [22, '2001', 'SIP servers address: malformed option'],
      [24, '00', 'ERROR: A root-only domain name cannot be resolved.'],
      [24, '0361626300', 'WARNING: TLDs are rarely resolvable '],
      [24, '0361', 'ERROR: FQDN exceeds length of the domain name field'],
      [24, '4061626300', 'ERROR: This name is not a DNS record encoded'],
      [24, '03616263036465660003616263', 'ERROR: Partial name is preceded by an FQDN'],
      [39, '0504686f73740361626300', 'ERROR: When the N-bit is set, the S-bit must be reset'],
    ];
    for (const [code, value, text] of expected)
      assert.deepEqual(run(dhcpv6, message(option(code, value))).experts, [text], `option ${code} ${value}`);
    assert.deepEqual(run(dhcpv6, message('0001000a0003')).experts, ['Option runs past the end of what holds it']);
  });

  it('reads the options behind one that is broken, and those in containers', () => {
    for (const broken of [option(6, '001700'), option(17, '000000090001')]) {
      const { fields, experts } = run(dhcpv6, message(option(94, broken) + option(32, '00000e10')));
      assert.deepEqual(fields['dhcpv6.option.type'], ['94', broken.startsWith('0006') ? '6' : '17', '32']);
      assert.deepEqual(fields['dhcpv6.lifetime'], ['3600']);
      assert.deepEqual(experts.length, 1);
    }
  });

  it('stops at Short or Malformed however a message is cut or made up', () => {
    cutEverywhere(dhcpv6, message(VALUES.map(([code, value]) => option(code, value)).join('')));
    for (const [code, value] of VALUES)
      for (let n = 0; n <= value.length; n += 2) run(dhcpv6, message(option(code, value.slice(0, n))));
    const inside = fc.record({ code: fc.integer({ min: 0, max: 140 }), bytes: fc.uint8Array({ maxLength: 80 }) });
    fc.assert(
      fc.property(inside, ({ code, bytes }) => {
        run(dhcpv6, message(option(code, Buffer.from(bytes).toString('hex')), code % 2 === 0 ? '01' : '07'));
      }),
      { numRuns: 2000 },
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (b) => {
        run(dhcpv6, b);
        run(dhcpv6, concat([octets(`0c00${ADDRESS}${ADDRESS}0009`), b]));
      }),
    );
  });
});

describe('DHCPv6 codec', () => {
  const PLAIN = { noNullPrototype: true } as const;
  const options = fc.array(fc.record({ code: fc.nat(0xffff), bytes: fc.uint8Array({ maxLength: 40 }) }, PLAIN), {
    maxLength: 6,
  });
  const sixteen = fc.uint8Array({ minLength: 16, maxLength: 16 });
  const rest = fc.uint8Array({ maxLength: 3 });
  const client = fc.record(
    {
      type: fc.nat(255).filter((t) => t !== 12 && t !== 13),
      xid: fc.nat(0xffffff),
      options,
      rest,
    },
    PLAIN,
  );
  const relayed = fc.record(
    {
      type: fc.constantFrom(12 as const, 13 as const),
      hops: fc.nat(255),
      link: sixteen,
      peer: sixteen,
      options,
      rest,
    },
    PLAIN,
  );

  it('parses what it emits', () => {
    fc.assert(
      fc.property(fc.oneof(client, relayed), (r) => {
        const b = encode(codec, r);
        assert.equal(b.length, codec.size(r));
        assert.deepEqual(codec.parse(b, 0, b.length), r);
      }),
    );
  });

  it('emits what it parsed, whatever the octets', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 34, maxLength: 200 }), (b) => {
        assert.deepEqual(encode(codec, codec.parse(b, 0, b.length)), b);
      }),
    );
    assert.throws(() => codec.parse(octets('0c00'), 0, 2), Short);
  });

  it('builds an Information-request and reads its Reply', () => {
    const request = m.dhcpv6Message(11, 0x0a0b0c, [m.requestOption([21, 22, 23]), m.elapsedOption(1500)]);
    assert.deepEqual(encode(codec, request), octets('0b0a0b0c 00060006001500160017 000800020096'));
    const reply = m.dhcpv6Message(7, 0x0a0b0c, [
      { code: 2, bytes: octets('00030001 020000000001') },
      m.namesOption(21, ['pcscf.ims.example']),
      m.addressOption(22, octets(ADDRESS)),
      m.numberOption(32, 86400),
    ]);
    const read = codec.parse(encode(codec, reply), 0, codec.size(reply));
    assert.deepEqual(m.optionNames(read, 21), ['pcscf.ims.example']);
    assert.deepEqual(m.optionAddresses(read, 22), [octets(ADDRESS)]);
    assert.equal(m.optionNumber(read, 32), 86400);
    assert.deepEqual(m.findOption(read, 2), octets('00030001020000000001'));
    assert.deepEqual(m.uuidDuid(octets('00112233445566778899aabbccddeeff')).subarray(0, 3), octets('000400'));
  });
});
