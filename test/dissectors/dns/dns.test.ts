import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { concat, Yes } from 'fttscope/kit';
import { dns, dnsGuess, llmnr, mdns } from '../../../dissectors/dns/index.js';
import { at, udp } from '../../build/packets.js';
import { FrameSource } from '../../build/source.js';
import { forSource } from '../../support/rows.js';
import { cutEverywhere, octets, run } from './layer.js';

const ascii = (s: string): string => Buffer.from(s).toString('hex');
const word = (n: number): string => n.toString(16).padStart(4, '0');
const text = (s: string): string => s.length.toString(16).padStart(2, '0') + ascii(s);
const name = (s: string): string => `${s.split('.').map(text).join('')}00`;
const POINTER = 'c00c';

interface Parts {
  flags?: number;
  cls?: number;
  qtype?: number;
  id?: number;
}

/** A message that asks for a.example, with records. */
function message(records: readonly string[], parts: Parts = {}): Uint8Array {
  const counts = `0001${word(records.length)}00000000`;
  const question = `${name('a.example')}${word(parts.qtype ?? 1)}${word(parts.cls ?? 1)}`;
  return octets(`${word(parts.id ?? 0x1234)}${word(parts.flags ?? 0x8180)}${counts}${question}${records.join('')}`);
}

const record = (type: number, data: string, owner = POINTER, cls = 1, ttl = '0000012c'): string =>
  `${owner}${word(type)}${word(cls)}${ttl}${word(data.length / 2)}${data}`;

const AT = '20010db8000000000000000000000001';

/** Type, data, what the Info column says after "A a.example ", and values: as tshark 4.0.17 has them. */
const RECORDS: readonly (readonly [number, string, string, Readonly<Record<string, string[]>>])[] = [
  [1, 'c0000201', 'A 192.0.2.1', { 'dns.a': ['192.0.2.1'] }],
  [2, name('ns.example'), 'NS ns.example', { 'dns.ns': ['ns.example'] }],
  [5, `0163${POINTER}`, 'CNAME c.a.example', { 'dns.cname': ['c.a.example'] }],
  [
    6,
    `${name('m.x')}${name('r.x')}0000000100000e100000003c000151800000012c`,
    'SOA m.x',
    {
      'dns.soa.mname': ['m.x'],
      'dns.soa.rname': ['r.x'],
      'dns.soa.serial_number': ['1'],
      'dns.soa.minimum_ttl': ['300'],
    },
  ],
  [11, 'c00002010600004080', 'WKS 192.0.2.1', { 'dns.wks.protocol': ['6'], 'dns.wks.bits': ['0x40', '0x80'] }],
  [12, name('p.example'), 'PTR p.example', { 'dns.ptr.domain_name': ['p.example'] }],
  [13, text('CPU') + text('OS'), 'HINFO CPU OS', { 'dns.hinfo.cpu': ['CPU'], 'dns.hinfo.os': ['OS'] }],
  [15, `000a${name('mx.x')}`, 'MX 10 mx.x', { 'dns.mx.preference': ['10'], 'dns.mx.mail_exchange': ['mx.x'] }],
  [16, `${text('abc')}00${text('def')}`, 'TXT', { 'dns.txt': ['abc', '', 'def'], 'dns.txt.length': ['3', '0', '3'] }],
  [28, AT, 'AAAA 2001:db8::1', { 'dns.aaaa': ['2001:db8::1'] }],
  [29, '001216138b0d2c8c7f1bc8a000989680', 'LOC', { 'dns.loc.size': ['18'], 'dns.loc.latitude': ['2332896396'] }],
  [
    33,
    `0001000213c4${name('sip.x')}`,
    'SRV 1 2 5060 sip.x',
    {
      'dns.srv.service': ['a'],
      'dns.srv.proto': ['example'],
      'dns.srv.priority': ['1'],
      'dns.srv.weight': ['2'],
      'dns.srv.port': ['5060'],
      'dns.srv.target': ['sip.x'],
    },
  ],
  [
    35,
    `0064000a${text('S')}${text('SIP+D2U')}00${name('_sip._udp.example')}`,
    'NAPTR 100 10 S',
    {
      'dns.naptr.order': ['100'],
      'dns.naptr.preference': ['10'],
      'dns.naptr.flags': ['S'],
      'dns.naptr.service': ['SIP+D2U'],
      'dns.naptr.regex': [''],
      'dns.naptr.replacement_length': ['17'],
      'dns.naptr.replacement': ['_sip._udp.example'],
    },
  ],
  [38, `4020010db800000001${name('p.x')}`, 'A6 64 ::2001:db8:0:1 p.x', { 'dns.a6.address_suffix': ['::2001:db8:0:1'] }],
  [39, name('d.x'), 'DNAME d.x', { 'dns.dname': ['d.x'] }],
  [42, '00011803c00002', 'APL a.example', { 'dns.apl.afdpart.ipv4': ['192.0.2.0'] }],
  [43, `ec450501${'01'.repeat(20)}`, 'DS', { 'dns.ds.key_id': ['0xec45'], 'dns.ds.digest_type': ['1'] }],
  [44, `0101${'02'.repeat(20)}`, 'SSHFP', { 'dns.sshfp.algorithm': ['1'], 'dns.sshfp.fingerprint.type': ['1'] }],
  [
    46,
    `000108020000012c6553f10064bb59c03039${name('example')}010203`,
    'RRSIG',
    { 'dns.rrsig.type_covered': ['1'], 'dns.rrsig.key_tag': ['12345'], 'dns.rrsig.signature': ['01:02:03'] },
  ],
  [
    47,
    `${name('n.x')}0006400000000003`,
    'NSEC n.x',
    { 'dns.nsec.next_domain_name': ['n.x'], 'dns.resp.type': ['47', '1', '46', '47'] },
  ],
  [48, '0101030801020304', 'DNSKEY', { 'dns.dnskey.flags': ['0x0101'], 'dns.dnskey.key_id': ['2063'] }],
  [
    48,
    '0181030801020304',
    'DNSKEY',
    { 'dns.dnskey.flags.reserved': ['0x0000'], 'dns.dnskey.flags.key_revoked': ['1'] },
  ],
  [48, 'a7220308', 'DNSKEY', { 'dns.dnskey.flags.reserved': ['0x5311'] }],
  [25, '4225030801020304', 'KEY', { 'dns.key.flags.signatory': ['5'] }],
  [25, 'd225030801020304', 'KEY', { 'dns.key.flags.confidentiality': ['1'] }],
  [
    50,
    `0101000a04aabbccdd14${'05'.repeat(20)}0006400000000002`,
    'NSEC3',
    { 'dns.nsec3.hash_value': ['0k2ga1850k2ga1850k2ga1850k2ga185'], 'dns.nsec3.flags.opt_out': ['1'] },
  ],
  [51, '0100000a04aabbccdd', 'NSEC3PARAM a.example', { 'dns.nsec3.salt_value': ['aa:bb:cc:dd'] }],
  [52, `030101${'01'.repeat(32)}`, 'TLSA a.example', { 'dns.tlsa.certificate_usage': ['3'] }],
  [
    65,
    `0001${name('svc.x')}0001000602683202683300030002 01bb00040004c0000201`.replaceAll(' ', ''),
    'HTTPS',
    {
      'dns.svcb.svcparam.alpn': ['h2', 'h3'],
      'dns.svcb.svcparam.port': ['443'],
      'dns.svcb.svcparam.ipv4hint.ip': ['192.0.2.1'],
    },
  ],
  [99, text('v=spf1'), 'SPF', { 'dns.spf': ['v=spf1'] }],
  [
    257,
    `80${text('issue')}${ascii('ca.x')}`,
    'CAA',
    { 'dns.caa.issue': ['ca.x'], 'dns.caa.tag': ['issue'], 'dns.caa.value': ['ca.x'] },
  ],
  [999, '0102', 'Unknown (999)', { 'dns.data': ['01:02'] }],
];

describe('DNS', () => {
  it('shows a query', () => {
    const { fields, summary } = run(dns, message([], { flags: 0x0100 }));
    assert.equal(summary, 'Standard query 0x1234 A a.example');
    assert.deepEqual(fields['dns.id'], ['0x1234']);
    assert.deepEqual(fields['dns.flags.recdesired'], ['1']);
    assert.deepEqual(fields['dns.qry.name'], ['a.example']);
    assert.deepEqual(fields['dns.qry.name.len'], ['9']);
    assert.deepEqual(fields['dns.count.labels'], ['2']);
    assert.deepEqual(fields['dns.qry.class'], ['0x0001']);
    assert.equal(fields['dns.flags.rcode'], undefined);
  });

  it('names as many records in the Info column as somebody reads', () => {
    const info = (n: number): string =>
      run(dns, message(Array.from({ length: n }, () => record(1, 'c0000201')))).summary;
    assert.match(info(99), /A a\.example( A 192\.0\.2\.1){99}$/);
    assert.match(info(100), /A a\.example( A 192\.0\.2\.1){99} …$/);
  });

  it('names operations and response codes', () => {
    const info = (flags: number): string => run(dns, message([], { flags })).summary;
    assert.equal(info(0x8183), 'Standard query response 0x1234 No such name A a.example');
    assert.equal(info(0x818c), 'Standard query response 0x1234 Unknown error (12) A a.example');
    assert.equal(info(0xa000), 'Zone change notification response 0x1234 A a.example');
    assert.equal(info(0x1800), 'Unknown operation (3) 0x1234 A a.example');
  });

  for (const [type, data, info, expected] of RECORDS)
    it(`reads ${info}`, () => {
      const { fields, summary, stopped } = run(dns, message([record(type, data)]));
      assert.equal(stopped, undefined);
      assert.equal(summary, `Standard query response 0x1234 A a.example ${info}`);
      assert.deepEqual(fields['dns.resp.ttl'], ['300']);
      assert.deepEqual(fields['dns.resp.len'], [String(data.length / 2)]);
      for (const [field, values] of Object.entries(expected)) assert.deepEqual(fields[field], values, field);
    });

  it('reads EDNS options', () => {
    const options = `000300046e736964 00080007 00011800c00002 000a0008 3132333435363738 000f0007 0006${ascii('bogus')}`;
    const opt = `00${word(41)}100000008000${word(options.replaceAll(' ', '').length / 2)}${options}`.replaceAll(
      ' ',
      '',
    );
    const { fields, summary } = run(dns, message([opt], { flags: 0x0100 }));
    assert.equal(summary, 'Standard query 0x1234 A a.example OPT');
    assert.deepEqual(fields['dns.rr.udp_payload_size'], ['4096']);
    assert.deepEqual(fields['dns.resp.z.do'], ['1']);
    assert.deepEqual(fields['dns.opt.code'], ['3', '8', '10', '15']);
    assert.deepEqual(fields['dns.opt.client.addr4'], ['192.0.2.0']);
    assert.deepEqual(fields['dns.opt.cookie.client'], ['31:32:33:34:35:36:37:38']);
    assert.deepEqual(fields['dns.opt.ext_error.info_code'], ['6']);
    assert.deepEqual(fields['dns.opt.ext_error.extra_text'], ['bogus']);
  });

  it('reads on behind a trust point (CHAIN) that is no name', () => {
    const of = (chain: string) => {
      const options = `000d${word(chain.length / 2)}${chain}000f00020006`;
      return run(dns, message([`00${word(41)}100000008000${word(options.length / 2)}${options}`], { flags: 0x0100 }));
    };
    assert.deepEqual(of('03636f6d00').fields['dns.opt.chain.fqdn'], ['com']);
    for (const wrong of ['c00000a5', '05636f', '03636f6d']) {
      const { fields, stopped } = of(wrong);
      assert.equal(stopped, undefined);
      assert.deepEqual(fields['dns.opt.code'], ['13', '15'], wrong);
      assert.deepEqual(fields['dns.opt.chain.fqdn'], undefined);
    }
  });

  it('names the sections of an update (RFC 2136)', () => {
    const { fields } = run(dns, message([record(1, '', POINTER, 255, '00000000')], { flags: 0x2800 }));
    assert.deepEqual(fields['dns.count.zones'], ['1']);
    assert.deepEqual(fields['dns.count.prerequisites'], ['1']);
    assert.deepEqual(fields['dns.resp.len'], ['0']);
    assert.equal(fields['dns.a'], undefined);
  });

  it('reads stateful operations (RFC 8490)', () => {
    const { fields } = run(dns, octets('0007300000000000000000000001000800003a9800007530'));
    assert.deepEqual(fields['dns.dso.tlv.keepalive.inactivity'], ['15000']);
    assert.deepEqual(fields['dns.dso.tlv.keepalive.interval'], ['30000']);
  });

  it('notes a TTL with its top bit, octets after the end and types without a format', () => {
    assert.deepEqual(run(dns, message([record(1, 'c0000201', POINTER, 1, '80000001')])).experts, [
      'The uppermost bit of the TTL is set (RFC 2181, section 8)',
    ]);
    const extra = run(dns, concat([message([]), octets('6578')]));
    assert.deepEqual(extra.experts, ['Extraneous data']);
    assert.deepEqual(extra.fields['dns.extraneous.data'], ['65:78']);
    assert.match(run(dns, message([record(999, '01')])).experts[0], /DNS Type \(999\)/);
  });

  it('has a length before the message in a stream', () => {
    const m = message([record(1, 'c0000201')]);
    const framed = concat([octets(word(m.length)), m]);
    const { fields, summary } = run(dns, framed, { stream: true });
    assert.deepEqual(fields['dns.length'], [String(m.length)]);
    assert.deepEqual(fields['dns.a'], ['192.0.2.1']);
    assert.equal(summary, 'Standard query response 0x1234 A a.example A 192.0.2.1');
    assert.equal(dns.pduLength!(framed, 0, framed.length), framed.length);
    assert.equal(dns.pduLength!(framed, 0, 1), 0);
  });

  it('takes the top bits of classes for flags in multicast DNS (RFC 6762)', () => {
    const asked = run(mdns, message([], { flags: 0, cls: 0x8001 }));
    assert.equal(asked.summary, 'Standard query 0x1234 A a.example, "QU" question');
    assert.deepEqual(asked.fields['dns.qry.class'], ['0x0001']);
    assert.deepEqual(asked.fields['dns.qry.qu'], ['1']);
    const answered = run(mdns, message([record(1, 'c0000201', POINTER, 0x8001)], { flags: 0x8400 }));
    assert.equal(
      answered.summary,
      'Standard query response 0x1234 A a.example, "QM" question A, cache flush 192.0.2.1',
    );
    assert.deepEqual(answered.fields['dns.resp.cache_flush'], ['1']);
    assert.deepEqual(answered.fields['dns.resp.class'], ['0x0001']);
  });

  it('has other flags in LLMNR (RFC 4795)', () => {
    const { fields } = run(llmnr, message([], { flags: 0x8500 }));
    assert.deepEqual(fields['dns.flags.conflict'], ['1']);
    assert.deepEqual(fields['dns.flags.tentative'], ['1']);
    assert.equal(fields['dns.flags.authoritative'], undefined);
  });

  it('stops at Short or Malformed however a message is cut or made up', () => {
    cutEverywhere(dns, message(RECORDS.map(([type, data]) => record(type, data))));
    for (const [type, data] of RECORDS)
      for (let n = 0; n <= data.length; n += 2) run(dns, message([record(type, data.slice(0, n))]));
    const types = fc.oneof(
      fc.constantFrom(...RECORDS.map(([type]) => type), 24, 25, 30, 37, 41, 45, 55, 62, 249, 250),
      fc.nat(300),
    );
    fc.assert(
      fc.property(types, fc.uint8Array({ maxLength: 80 }), (type, data) => {
        run(dns, message([record(type, Buffer.from(data).toString('hex'))]));
      }),
      { numRuns: 3000 },
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (b) => {
        run(dns, b);
        run(mdns, b);
        run(dns, b, { stream: true });
      }),
      { numRuns: 1000 },
    );
  });

  it('works no harder than the octets allow', () => {
    // As many records as fit, each with a name that is a chain of pointers, none of which is met twice.
    const chain = Array.from({ length: 2000 }, (_, i) => word(0xc000 | (12 + 2 * (i + 1)))).join('');
    const head = octets(`000080000000ffff00000000${chain}00`);
    const { stopped } = run(dns, concat([head, octets(record(1, 'c0000201', 'c00c').repeat(3000))]));
    assert.notEqual(stopped, undefined);
  });
});

describe('DNS on any port', () => {
  const header = (flags: number, ...counts: number[]) =>
    octets(`1234${[flags, ...counts].map(word).join('')}${name('a.example')}00010001`);
  const looks = (b: Uint8Array): boolean => dnsGuess.probe!(b, 0, b.length) === Yes;

  // Each was given to tshark 4.0.17 on port 40123.
  it('is known by a header as queries and their answers have it', () => {
    for (const flags of [0, 0x0100, 0x07ff]) assert.ok(looks(header(flags, 1, 0, 0, 10)), word(flags));
    for (const counts of [
      [0, 0, 0, 0],
      [1, 100, 10, 10],
    ])
      assert.ok(looks(header(0x8180, ...counts)), counts.join());
  });

  it('is not known by any other', () => {
    for (const flags of [0x0800, 0x7800, 0xa800]) assert.ok(!looks(header(flags, 1, 0, 0, 0)), word(flags));
    for (const counts of [
      [0, 0, 0, 0],
      [2, 0, 0, 0],
      [1, 1, 0, 0],
      [1, 0, 1, 0],
      [1, 0, 0, 11],
    ])
      assert.ok(!looks(header(0x0100, ...counts)), counts.join());
    for (const counts of [
      [2, 0, 0, 0],
      [1, 101, 0, 0],
      [1, 0, 11, 0],
      [1, 0, 0, 11],
    ])
      assert.ok(!looks(header(0x8180, ...counts)), counts.join());
    assert.ok(!looks(header(0x0100, 1, 0, 0, 0).subarray(0, 12)));
  });

  it('is shown as DNS', async () => {
    const query = udp(at('192.0.2.1', 40_000), at('192.0.2.2', 40_123), header(0x0100, 1, 0, 0, 0));
    const stacks: string[] = [];
    await forSource(new FrameSource([{ octets: query }], 101), {}, ({ dissection }) => {
      stacks.push(dissection.protocols.join(':'));
    });
    assert.match(stacks.join(), /ip:udp:dns$/);
  });
});
