import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { concat } from 'fttscope/kit';
import { dhcp, proxyDhcp } from '../../../dissectors/dhcp/index.js';
import { optionName } from '../../../dissectors/dhcp/options.js';
import { at, udp } from '../../build/packets.js';
import { FrameSource } from '../../build/source.js';
import { comparePlacesIn } from '../../support/places.js';
import { forSource } from '../../support/rows.js';
import { tsharkMissing } from '../../support/tshark.js';
import { cutEverywhere, octets, run } from '../dns/layer.js';

const COOKIE = '63825363';

/** The 236 octets before the cookie, RFC 2131 §2. */
function fixed(parts: { op?: string; hardware?: string; flags?: string; sname?: string; file?: string } = {}): string {
  const chaddr = parts.hardware ?? '1f06 00 020000000001';
  const [types, , ...address] = chaddr.split(' ');
  return [
    parts.op ?? '01',
    `${types}00`,
    '00001234',
    '0000',
    parts.flags ?? '0000',
    '00'.repeat(16),
    address.join('').padEnd(32, '0'),
    (parts.sname ?? '').padEnd(128, '0'),
    (parts.file ?? '').padEnd(256, '0'),
  ].join('');
}

const ascii = (s: string): string => Buffer.from(s).toString('hex');
const option = (code: number, value: string): string =>
  code.toString(16).padStart(2, '0') + (value.length / 2).toString(16).padStart(2, '0') + value;
const message = (options: string, parts = {}): Uint8Array =>
  octets(`${fixed(parts)}${COOKIE}${option(53, '01')}${options}ff`);

describe('DHCPv4', () => {
  it('names the options that IANA left to sites and those that it gave to nobody (RFC 3942 §4)', () => {
    assert.deepEqual([53, 223, 224, 254, 255].map(optionName), [
      'DHCP Message Type',
      'Unassigned',
      'Private',
      'Private',
      'End',
    ]);
  });

  it('shows a Discover over a tunnel without LAN interface (RFC 3456 4.1)', () => {
    const m = message(option(61, '1f4000c000020a03'), { hardware: '1f07 00 4000c000020a03' });
    const { fields, summary, experts } = run(dhcp, m);
    assert.equal(summary, 'DHCP Discover - Transaction ID 0x1234');
    assert.deepEqual(fields['dhcp.hw.type'], ['0x1f']);
    assert.deepEqual(fields['dhcp.hw.len'], ['7']);
    assert.deepEqual(fields['dhcp.hw.addr'], [`40:00:c0:00:02:0a:03${':00'.repeat(9)}`]);
    assert.deepEqual(fields['dhcp.hw.addr_padding'], ['00:00:00:00:00:00:00:00:00']);
    assert.equal(fields['dhcp.hw.mac_addr'], undefined);
    assert.deepEqual(fields['dhcp.client_id'], ['40:00:c0:00:02:0a:03']);
    assert.deepEqual(fields['dhcp.option.type'], ['53', '61', '0']);
    assert.deepEqual(experts, []);
  });

  it('takes Ethernet and IEEE 802 addresses for MAC addresses, others not', () => {
    for (const [hardware, mac] of [
      ['0106 00 020000000001', true],
      ['0606 00 020000000001', true],
      ['1f06 00 020000000001', false],
    ] as const) {
      const { fields } = run(dhcp, message('', { hardware }));
      assert.deepEqual(fields['dhcp.hw.mac_addr'], mac ? ['02:00:00:00:00:01'] : undefined);
      assert.equal(fields['dhcp.hw.addr'] === undefined, mac);
    }
  });

  it('notes a missing hardware address, swapped seconds and a missing End', () => {
    assert.deepEqual(run(dhcp, message('', { hardware: '0100 00 ' })).experts, ['Client address not given']);
    const noEnd = octets(`${fixed()}${COOKIE}${option(53, '01')}`);
    assert.deepEqual(run(dhcp, noEnd).experts, ['End option missing']);
    const swapped = message('');
    swapped[8] = 3;
    const { fields, experts } = run(dhcp, swapped);
    assert.deepEqual(fields['dhcp.secs'], ['3']);
    assert.deepEqual(experts, ['Seconds elapsed appears to be encoded as little-endian']);
  });

  // Values as tshark 4.0.17 prints them for these octets.
  const VALUES: readonly (readonly [number, string, Readonly<Record<string, string[]>>])[] = [
    [1, 'ffffff00', { 'dhcp.option.subnet_mask': ['255.255.255.0'] }],
    [2, 'ffffb9b0', { 'dhcp.option.time_offset': ['-18000'] }],
    [3, '0a0000010a000002', { 'dhcp.option.router': ['10.0.0.1', '10.0.0.2'] }],
    [6, '0a000001', { 'dhcp.option.domain_name_server': ['10.0.0.1'] }],
    [12, ascii('abc\0d'), { 'dhcp.option.hostname': ['abc'] }],
    [15, 'c3a4ff41', { 'dhcp.option.domain_name': ['\ufffd\ufffd\ufffdA'] }],
    [26, '05c0', { 'dhcp.option.interface_mtu': ['1472'] }],
    [31, '01', { 'dhcp.option.perform_router_discover': ['1'] }],
    [
      33,
      '0a0000010a000002',
      { 'dhcp.option.static_route.ip': ['10.0.0.1'], 'dhcp.option.static_route.router': ['10.0.0.2'] },
    ],
    [43, '0104aabb', { 'dhcp.option.vendor.value': ['01:04:aa:bb'] }],
    [46, '08', { 'dhcp.option.netbios_over_tcpip_node_type': ['8'] }],
    [51, 'ffffffff', { 'dhcp.option.ip_address_lease_time': ['4294967295'] }],
    [54, '0a000001', { 'dhcp.option.dhcp_server_id': ['10.0.0.1'] }],
    [55, '010378', { 'dhcp.option.request_list_item': ['1', '3', '120'] }],
    [57, '05c0', { 'dhcp.option.dhcp_max_message_size': ['1472'] }],
    [58, '00000e10', { 'dhcp.option.renewal_time_value': ['3600'] }],
    [60, ascii('ftt-ims'), { 'dhcp.option.vendor_class_id': ['ftt-ims'] }],
    [61, '01020000000001', { 'dhcp.hw.mac_addr': ['02:00:00:00:00:01'] }],
    [61, '1f4000c000020a', { 'dhcp.client_hardware_address': ['4000c000020a'] }],
    [61, `00${ascii('abc')}`, { 'dhcp.client_id.type': ['0'], 'dhcp.client_id.undef': ['abc'] }],
    [61, '00112233445566778899aabbccddeeff00', { 'dhcp.client_id.uuid': ['44332211-6655-8877-99aa-bbccddeeff00'] }],
    [
      61,
      'ff000000010001000112345678020000000001',
      {
        'dhcp.client_id.iaid': ['00000001'],
        'dhcp.client_id.duid_type': ['1'],
        'dhcp.client_id.time': ['305419896'],
        'dhcp.client_id.link_layer_address': ['02:00:00:00:00:01'],
      },
    ],
    [77, `04${ascii('iPXE')}02${ascii('ab')}`, { 'dhcp.option.user_class.data': ['69:50:58:45', '61:62'] }],
    [77, ascii('iPXE'), { 'dhcp.option.user_class.text': ['iPXE'] }],
    [
      81,
      '05ffff04686f7374076578616d706c6500',
      { 'dhcp.fqdn.flags': ['0x05'], 'dhcp.fqdn.s': ['1'], 'dhcp.fqdn.name': ['host.example'] },
    ],
    [81, '04000004686f7374', { 'dhcp.fqdn.name': ['host'] }],
    [93, '00070009', { 'dhcp.option.client_system_architecture': ['7', '9'] }],
    [94, '010302', { 'dhcp.client_network_id_major': ['3'], 'dhcp.client_network_id_minor': ['2'] }],
    [97, '0000112233445566778899aabbccddeeff', { 'dhcp.client_id.uuid': ['33221100-5544-7766-8899-aabbccddeeff'] }],
    [108, '00000e10', { 'dhcp.option.value': ['01', '00:00:0e:10'] }],
    [114, ascii('https://p'), { 'dhcp.option.captive_portal': ['https://p'] }],
    [116, '00', { 'dhcp.option.dhcp_auto_configuration': ['0'] }],
    [118, '0a000001', { 'dhcp.option.subnet_selection_option': ['10.0.0.1'] }],
    [
      119,
      '03656e6704746573740003777777c004',
      { 'dhcp.option.dhcp_dns_domain_search_list_fqdn': ['eng.test', 'www.test'] },
    ],
    [
      120,
      '010a0000010a000002',
      { 'dhcp.option.sip_server.encoding': ['1'], 'dhcp.option.sip_server.address': ['10.0.0.1', '10.0.0.2'] },
    ],
    [120, '0003736970036162630003666f6f00', { 'dhcp.option.sip_server.name': ['sip.abc', 'foo'] }],
    [
      121,
      '000a000001180a01020a000001',
      { 'dhcp.option.classless_static_route': ['00:0a:00:00:01', '18:0a:01:02:0a:00:00:01'] },
    ],
    [124, `00000009${option(3, '').slice(0, 2)}616263`, { 'dhcp.option.vi_class.data': ['abc'] }],
    [3, '0a0000017f', { 'dhcp.option.router': ['10.0.0.1'] }],
    [125, '000000090401020a0b', { 'dhcp.option.vi.enterprise': ['9'], 'dhcp.vendor.data': ['0a:0b'] }],
    [150, '0a000001', { 'dhcp.option.tftp_server_address': ['10.0.0.1'] }],
    [212, `0806${'20010db8'.padEnd(32, '0')}0a000001`, { 'dhcp.option.6RD.prefix': ['2001:db8::'] }],
    [249, '100a000a000001', { 'dhcp.option.classless_static_route': ['10:0a:00:0a:00:00:01'] }],
    [252, ascii('http://wpad'), { 'dhcp.option.private_proxy_autodiscovery': ['http://wpad'] }],
  ];
  for (const [code, value, expected] of VALUES)
    it(`reads option ${code} ${value.slice(0, 24)}`, () => {
      const { fields, stopped } = run(dhcp, message(option(code, value)));
      assert.equal(stopped, undefined);
      for (const [name, values] of Object.entries(expected)) assert.deepEqual(fields[name], values, name);
    });

  it('finds octets of options where tshark sees them', { skip: tsharkMissing }, async () => {
    const more: readonly (readonly [number, string])[] = [
      [50, '0a000009'],
      [56, ascii('no')],
      [61, 'ff0000000100020000000901 02'.replace(' ', '')],
      [61, 'ff0000000100030001020000000001'],
      [82, '0104aabbccdd020341424305040a0000010603616263'],
      [82, '090b0000000906050102030405'],
      [82, '97080161626364656667'],
      [82, '0a01010b04c0000201'],
      [90, '01010000000000000000010102030405'],
      [99, '00555301026162'],
      [122, '0104c000020106040a000000'],
      [125, '00000de90a010630303131323202023132'],
      [138, 'c0000201'],
      [152, '5f000000'],
      [220, '0001020304'],
      [221, '00616263'],
    ];
    const client = [at('0.0.0.0', 68), at('255.255.255.255', 67)] as const;
    const packets = [...VALUES, ...more].map(([code, value]) => udp(...client, message(option(code, value))));
    const { same, different } = await comparePlacesIn(packets);
    assert.deepEqual(different, []);
    assert.ok(same.size > 140, String(same.size));
  });

  it('says what is wrong with a length', () => {
    const expected: readonly (readonly [number, string, string])[] = [
      [1, '01', "length isn't 4"],
      [3, '000a', "Option length isn't a multiple of 4"],
      [33, '0a000001', "Option length isn't a multiple of 8"],
      [57, '01', "length isn't 2"],
      [90, '0101', "length isn't >= 11"],
      [120, '01', "length isn't >= 5 (len = 1)"],
      [120, '0a000001', 'RFC 3361 defines only 0 and 1 for Encoding byte (Encoding = 10).'],
      [121, '210a000001ff', 'Mask width (33) > 32'],
    ];
    for (const [code, value, text] of expected)
      assert.deepEqual(run(dhcp, message(option(code, value))).experts, [text], `option ${code}`);
  });

  it('takes an identifier of no type for opaque: octets behind a NUL are no mistake, where tshark has a warning', () => {
    assert.deepEqual(run(dhcp, message(option(61, '004000c000020a00'))).experts, []);
    assert.deepEqual(run(dhcp, message(option(12, '610062'))).experts, ['Trailing stray characters']);
  });

  it('joins the pieces of a long option (RFC 3396)', () => {
    const { fields } = run(
      dhcp,
      message(option(119, '03656e67047465') + option(12, '68') + option(119, '73740003777777c004')),
    );
    assert.deepEqual(fields['dhcp.option.dhcp_dns_domain_search_list_rfc_3396_detected'], ['1/2', '2/2']);
    assert.deepEqual(fields['dhcp.option.dhcp_dns_domain_search_list_refer_last_option'], ['2/2']);
    assert.deepEqual(fields['dhcp.option.dhcp_dns_domain_search_list_fqdn'], ['eng.test', 'www.test']);
    const routes = run(dhcp, message(option(121, '180a01020a00') + option(121, '0001')));
    assert.deepEqual(routes.fields['dhcp.option.classless_static_route'], ['18:0a:01:02:0a:00:00:01']);
  });

  it('makes no route of what stands behind the option that was to hold it, and goes on there', () => {
    const { fields, experts } = run(dhcp, message(option(121, '180a0102c0a8') + option(12, '68')));
    assert.equal(fields['dhcp.option.classless_static_route'], undefined); // tshark: Malformed Packet
    assert.match(experts.join(), /^Option 121: needs 8 octets at offset \d+, has 6$/);
    assert.deepEqual(fields['dhcp.option.hostname'], ['h']);
  });

  it('finds options in sname and file (option 52)', () => {
    const parts = { sname: `${option(12, ascii('sn'))}ff`, file: `${option(12, ascii('infile'))}ff` };
    const { fields, experts } = run(dhcp, message(option(52, '03'), parts));
    assert.deepEqual(fields['dhcp.option.hostname'], ['sn', 'infile']);
    assert.equal(fields['dhcp.server'], undefined);
    assert.deepEqual(experts, ['Server name option overloaded by DHCP', 'Boot file name option overloaded by DHCP']);
    const open = run(dhcp, message(option(52, '02'), { sname: option(12, '73'.repeat(62)) }));
    assert.ok(open.experts.includes('sname overload end option missing'));
  });

  it('reads what a relay agent added (option 82)', () => {
    const { fields, experts } = run(
      dhcp,
      message(option(82, '0104aabbccdd0203414243050 40a0000010603616263'.replaceAll(' ', ''))),
    );
    assert.deepEqual(fields['dhcp.option.agent_information_option.suboption'], ['1', '2', '5', '6']);
    assert.deepEqual(fields['dhcp.option.agent_information_option.agent_circuit_id'], ['aa:bb:cc:dd']);
    assert.deepEqual(fields['dhcp.option.agent_information_option.link_selection'], ['10.0.0.1']);
    assert.deepEqual(fields['dhcp.option.agent_information_option.subscriber_id'], ['abc']);
    assert.deepEqual(experts, []);
    assert.deepEqual(run(dhcp, message(option(82, '0108aa'))).experts, [
      'Suboption 1: no room left in option for suboption value',
    ]);
  });

  it('shows BOOTP', () => {
    const bootp = octets(`${fixed({ hardware: '0106 00 020000000001' })}${'01020304'.repeat(16)}`);
    const { fields, summary } = run(dhcp, bootp);
    assert.equal(summary, 'Boot Request from 02:00:00:00:00:01 (02:00:00:00:00:01)');
    assert.equal(fields['dhcp.vendor_specific_options'][0].length, 64 * 3 - 1);
    assert.equal(run(dhcp, octets(fixed({ op: '02' }) + COOKIE)).summary, 'Boot Reply');
  });

  it('is all that comes on its ports, but beside a proxy wants the cookie', async () => {
    const m = message('');
    const other = octets('16030100'.repeat(60));
    assert.equal(proxyDhcp.probe!(m, 0, m.length), 2);
    assert.equal(proxyDhcp.probe!(other, 0, other.length), 0);
    const stacks: string[] = [];
    const frames = [67, 68, 4011].flatMap((port) =>
      [m, other, other.subarray(0, 3)].map((b) => ({ octets: udp(at('192.0.2.1', 40_000), at('192.0.2.2', port), b) })),
    );
    await forSource(new FrameSource(frames, 101), {}, ({ dissection }) => {
      stacks.push(dissection.protocols[dissection.protocols.length - 1]!);
    });
    // Each was given to tshark 4.0.17.
    assert.deepEqual(stacks.slice(0, 6), Array(6).fill('dhcp'));
    assert.deepEqual(stacks.slice(6), ['dhcp', 'data', 'data']);
  });

  it('says in words of names that stand in the header whether they are given', () => {
    const said = (parts: { sname?: string; file?: string }): (string | undefined)[] => {
      const { tree } = run(dhcp, octets(`${fixed(parts)} ${COOKIE} 350101 ff`));
      return ['dhcp.server', 'dhcp.file'].map((name) => {
        for (let i = 0; i < tree.length; i++) if (tree.field(i).name === name) return tree.texts.get(i);
        return assert.fail(name);
      });
    };
    assert.deepEqual(said({}), ['Server host name not given', 'Boot file name not given']);
    assert.deepEqual(said({ sname: ascii('pool') }), [undefined, 'Boot file name not given']);
    assert.deepEqual(said({ file: ascii('boot') }), ['Server host name not given', undefined]);
  });

  it('stops at Short or Malformed however a message is cut', () => {
    const all = VALUES.map(([code, value]) => option(code, value)).join('');
    cutEverywhere(dhcp, message(all));
    for (const [code, value] of VALUES) {
      for (let n = 0; n <= value.length; n += 2) run(dhcp, message(option(code, value.slice(0, n))));
    }
  });

  it('reads the options behind one that is broken', () => {
    for (const [broken, name, expert] of [
      ['03616263 07 6578616d706c65', 'abc.example', 'Name without its final zero'], // tshark 4.0.17 has the name, too
      ['03616263 07 6578616d', undefined, 'Option 119: needs 8 octets at offset 4, has 6'],
      ['03616263 80', undefined, 'Option 119: Label type 0x80 is not in use'],
    ] as const) {
      const { fields, experts } = run(dhcp, message(option(119, broken.replaceAll(' ', '')) + option(51, '00000100')));
      assert.deepEqual(fields['dhcp.option.dhcp_dns_domain_search_list_fqdn']?.[0], name);
      assert.deepEqual(fields['dhcp.option.ip_address_lease_time'], ['256']);
      assert.deepEqual(experts, [expert]);
    }
  });

  it('stops at Short or Malformed whatever the options are', () => {
    const head = octets(fixed() + COOKIE);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (tail) => {
        run(dhcp, concat([head, tail]));
      }),
      { numRuns: 500 },
    );
    const inside = fc.record({ code: fc.integer({ min: 1, max: 254 }), bytes: fc.uint8Array({ maxLength: 60 }) });
    fc.assert(
      fc.property(inside, ({ code, bytes }) => {
        run(dhcp, message(option(code, Buffer.from(bytes).toString('hex'))));
      }),
      { numRuns: 2000 },
    );
  });
});
