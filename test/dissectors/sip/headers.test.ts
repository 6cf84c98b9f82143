import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { dissect, message, type Node, valuesOf } from './layers.js';

/** The nodes below one header line, which starts at octet 0 of what is expected. Values and places are tshark's. */
function below(header: string): Node[] {
  const start = message('OPTIONS sip:x@y SIP/2.0').length;
  const { nodes } = dissect(message('OPTIONS sip:x@y SIP/2.0', header, ''));
  const first = nodes.findIndex((n) => n[0] === 'sip.msg_hdr') + 2;
  return nodes.slice(first).map(([name, value, off, len]) => [name, value, off - start, len]);
}

describe('SIP header values', () => {
  test('Via', () => {
    assert.deepEqual(
      below(
        'v: SIP/2.0/TCP [2001:db8::9]:5061;branch=z9hG4bK1;rport=5062;received=1.2.3.4;maddr=224.2.0.1;ttl=16;keep;comp=sigcomp;foo=bar',
      ),
      [
        ['sip.Via.transport', 'TCP', 11, 3],
        ['sip.Via.sent-by.address', '2001:db8::9', 16, 11],
        ['sip.Via.sent-by.port', '5061', 29, 4],
        ['sip.Via.branch', 'z9hG4bK1', 41, 8],
        ['sip.Via.rport', '5062', 56, 4],
        ['sip.Via.received', '1.2.3.4', 70, 7],
        ['sip.Via.maddr', '224.2.0.1', 84, 9],
        ['sip.Via.ttl', '16', 98, 2],
        ['sip.Via.comp', 'sigcomp', 111, 7],
      ],
    );
    assert.deepEqual(below('Via: SIP / 2.0 / UDP host: 5060 ;rport , SIP/2.0/WS b.c;branch="x"'), [
      ['sip.Via.transport', 'UDP', 17, 3],
      ['sip.Via.sent-by.address', 'host', 21, 4],
      ['sip.Via.sent-by.port', '5060', 27, 4],
      ['sip.Via.rport', 'rport', 33, 5],
      ['sip.Via.transport', 'WS', 49, 2],
      ['sip.Via.sent-by.address', 'b.c', 52, 3],
      ['sip.Via.branch', '"x"', 63, 3],
    ]);
    assert.deepEqual(
      below('Via: SIP/2.0/UDP [::1];oc=20;oc-algo="loss";oc-validity=500;oc-seq=1282321615.781').slice(2),
      [
        ['sip.Via.oc', '20', 26, 2],
        ['sip.Via.oc_val', '20', 26, 2],
        ['sip.Via.oc_algo', '"loss"', 37, 6],
        ['sip.Via.oc_validity', '500', 56, 3],
        ['sip.Via.oc_seq', '1282321615.781', 67, 14],
        ['sip.Via.oc_seq.ts', '1282321615.000781', 67, 14],
      ],
    );
    assert.deepEqual(dissect(message('SIP/2.0 200 OK', 'Via: SIP/2.0/UDP h:99999', '')).experts, [
      'Invalid SIP Via sent-by-port',
    ]);
    assert.deepEqual(below('Via: SIP/2.0/UDP h:99999').at(-1), ['sip.Via.sent-by.port', '65535', 19, 5]);
  });

  test('From and To', () => {
    assert.deepEqual(below('f: "Bob \\"x\\" <y>" <sip:bob@a.example:5060;user=phone>;tag=abc;p=q'), [
      ['sip.from.display.info', '"Bob \\"x\\" <y>"', 3, 15],
      ['sip.display.info', '"Bob \\"x\\" <y>"', 3, 15],
      ['sip.from.addr', 'sip:bob@a.example:5060;user=phone', 20, 33],
      ['sip.from.user', 'bob', 24, 3],
      ['sip.from.host', 'a.example', 28, 9],
      ['sip.from.port', '5060', 38, 4],
      ['sip.from.param', 'user=phone', 43, 10],
      ['sip.from.tag', 'abc', 59, 3],
      ['sip.tag', 'abc', 59, 3],
    ]);
    assert.deepEqual(below('t:sip:alice@example.com;tag=zz;foo'), [
      ['sip.to.addr', 'sip:alice@example.com', 2, 21],
      ['sip.to.user', 'alice', 6, 5],
      ['sip.to.host', 'example.com', 12, 11],
      ['sip.to.tag', 'zz', 28, 2],
      ['sip.tag', 'zz', 28, 2],
    ]);
    assert.deepEqual(below('To: Anonymous <sip:anonymous@invalid>').slice(0, 3), [
      ['sip.to.display.info', 'Anonymous ', 4, 10],
      ['sip.display.info', 'Anonymous ', 4, 10],
      ['sip.to.addr', 'sip:anonymous@invalid', 15, 21],
    ]);
    assert.deepEqual(below('From: <tel:+1555;isub=1>;tag=1'), [
      ['sip.from.addr', 'tel:+1555;isub=1', 7, 16],
      ['sip.from.tag', '1', 29, 1],
      ['sip.tag', '1', 29, 1],
    ]);
    assert.deepEqual(below('From: <sips:+155;phone-context=a.b@[::1]:77;p1?h=v>').slice(0, 7), [
      ['sip.from.addr', 'sips:+155;phone-context=a.b@[::1]:77;p1?h=v', 7, 43],
      ['sip.from.user', '+155;phone-context=a.b', 12, 22],
      ['e164.msisdn', '155;phone-context=a.b', 13, 21],
      ['e164.country_code', '1', 13, 3],
      ['sip.from.host', '[::1]', 35, 5],
      ['sip.from.port', '77', 41, 2],
      ['sip.from.param', 'p1?h=v', 44, 6],
    ]);
    assert.deepEqual(below('From: '), []);
    assert.deepEqual(below('From: <sip:aa@bb;tag=1'), [
      ['sip.from.tag', '1', 21, 1],
      ['sip.tag', '1', 21, 1],
    ]);
  });

  test('display names with commas that should be quoted, and more than one', () => {
    assert.deepEqual(below('From: Doe, John <sip:jd@h>;tag=1').slice(0, 5), [
      ['sip.from.display.info', 'Doe, John ', 6, 10],
      ['sip.display.info', 'Doe, John ', 6, 10],
      ['sip.from.addr', 'sip:jd@h', 17, 8],
      ['sip.from.user', 'jd', 21, 2],
      ['sip.from.host', 'h', 24, 1],
    ]);
    assert.deepEqual(below('From: "John" "Doe" < sip:jd@h>').slice(0, 3), [
      ['sip.from.display.info', '"John"', 6, 6],
      ['sip.display.info', '"John"', 6, 6],
      ['sip.from.addr', 'sip:jd@h', 21, 8],
    ]);
    const list = below('P-Asserted-Identity: sip:ab@h, Doe, John <sip:cd@h>');
    assert.deepEqual(
      list.filter(([name]) => name.endsWith('.addr')).map(([, value]) => value),
      ['sip:ab@h', 'sip:cd@h'],
    );
  });

  test('telephone numbers: their country code as tshark takes it', () => {
    const code = (user: string): string[] =>
      below(`To: <sip:${user}@h>`)
        .filter(([name]) => name.startsWith('e164.'))
        .map(([, value]) => value);
    assert.deepEqual(code('+15551234567'), ['15551234567', '1']);
    assert.deepEqual(code('+4989123'), ['4989123', '49']);
    assert.deepEqual(code('+358401'), ['358401', '358']);
    assert.deepEqual(code('+20x'), ['20x', '248']);
    assert.deepEqual(code('+1-555-1'), ['1-555-1', '16635', '']);
    assert.deepEqual(code('+49x'), ['49x', '53', '']);
    assert.deepEqual(code('+abc'), ['abc', '333']);
    assert.deepEqual(code('5551'), []);
  });

  test('spaces that RFC 3261 allows beside separators do not belong to a tag', () => {
    assert.deepEqual(below('To: <sip:aa@bb> ; TAG = tt ;x').slice(-2), [
      ['sip.to.tag', 'tt', 24, 2],
      ['sip.tag', 'tt', 24, 2],
    ]);
  });

  test('Contact', () => {
    assert.deepEqual(
      below('Contact: <sip:ue@h;x=y>;+sip.instance="<urn:gsma:imei:1;2,3>";q="a,b";expires=5, sip:u2@h2:82;a;b, *'),
      [
        ['sip.contact.uri', 'sip:ue@h;x=y', 10, 12],
        ['sip.contact.user', 'ue', 14, 2],
        ['sip.contact.host', 'h', 17, 1],
        ['sip.contact.param', 'x=y', 19, 3],
        ['sip.contact.parameter', '+sip.instance="<urn:gsma:imei:1;2,3>"', 24, 37],
        ['sip.contact.parameter', 'q="a,b"', 62, 7],
        ['sip.contact.parameter', 'expires=5', 70, 9],
        ['sip.contact.uri', 'sip:u2@h2:82', 81, 12],
        ['sip.contact.user', 'u2', 85, 2],
        ['sip.contact.host', 'h2', 88, 2],
        ['sip.contact.port', '82', 91, 2],
        ['sip.contact.parameter', 'a', 94, 1],
        ['sip.contact.parameter', 'b', 96, 1],
      ],
    );
    assert.deepEqual(below('Contact: *'), []);
  });

  test('routes', () => {
    assert.deepEqual(below('Service-Route:<sip:orig@h;lr>,"D" <sip:[::1]:99;lr;p=1>'), [
      ['sip.Service-Route.uri', 'sip:orig@h;lr', 15, 13],
      ['sip.Service-Route.user', 'orig', 19, 4],
      ['sip.Service-Route.host', 'h', 24, 1],
      ['sip.Service-Route.param', 'lr', 26, 2],
      ['sip.Service-Route.display.info', '"D"', 30, 3],
      ['sip.display.info', '"D"', 30, 3],
      ['sip.Service-Route.uri', 'sip:[::1]:99;lr;p=1', 35, 19],
      ['sip.Service-Route.host', '[::1]', 39, 5],
      ['sip.Service-Route.port', '99', 45, 2],
      ['sip.Service-Route.param', 'lr', 48, 2],
      ['sip.Service-Route.param', 'p=1', 51, 3],
    ]);
    for (const [header, prefix] of [
      ['Route', 'sip.Route'],
      ['Record-Route', 'sip.Record-Route'],
      ['Path', 'sip.Path'],
    ])
      assert.deepEqual(
        below(`${header}: <sip:uu@hh:5060;lr>`).map((n) => [n[0], n[1]]),
        [
          [`${prefix}.uri`, 'sip:uu@hh:5060;lr'],
          [`${prefix}.user`, 'uu'],
          [`${prefix}.host`, 'hh'],
          [`${prefix}.port`, '5060'],
          [`${prefix}.param`, 'lr'],
        ],
      );
  });

  test('identities', () => {
    assert.deepEqual(
      below('P-Preferred-Identity: "foo" <sip:aa@b.c>').map((n) => [n[0], n[1]]),
      [
        ['sip.ppi.display.info', '"foo"'],
        ['sip.display.info', '"foo"'],
        ['sip.ppi.addr', 'sip:aa@b.c'],
        ['sip.ppi.user', 'aa'],
        ['sip.ppi.host', 'b.c'],
      ],
    );
    // IMS puts both identities of a subscriber into one header.
    assert.deepEqual(
      below('P-Asserted-Identity: <sip:x1@y;u=1>, <tel:+1>')
        .filter((n) => n[0] === 'sip.pai.addr')
        .map((n) => n[1]),
      ['sip:x1@y;u=1', 'tel:+1'],
    );
    assert.deepEqual(below('Trigger-Consent: sip:aa@bb;foo=1;target-uri="sip:cc@dd"').slice(-1), [
      ['sip.tc.target-uri', 'sip:cc@dd', 45, 9],
    ]);
  });

  test('CSeq and RAck', () => {
    assert.deepEqual(below('CSeq:   00314   INVITE'), [
      ['sip.CSeq.seq', '314', 8, 5],
      ['sip.CSeq.method', 'INVITE', 16, 6],
    ]);
    assert.deepEqual(below('RAck: 776656 1 INVITE'), [
      ['sip.RAck.RSeq.seq', '776656', 6, 6],
      ['sip.RAck.CSeq.seq', '1', 13, 1],
      ['sip.RAck.CSeq.method', 'INVITE', 15, 6],
    ]);
    assert.deepEqual(dissect(message('BYE sip:x@y SIP/2.0', 'CSeq: x', '')).experts, [
      'CSeq is not a number and a method',
    ]);
  });

  test('Reason', () => {
    assert.deepEqual(below('Reason: Q.850;cause=16;text="Terminated"'), [
      ['sip.reason_protocols', 'Q.850', 8, 5],
      ['sip.reason_cause_q850', '16', 20, 2],
      ['sip.reason_text', 'Terminated', 29, 10],
    ]);
    assert.deepEqual(below('Reason: SIP;cause=600;text="a;b", preemption ;cause=1'), [
      ['sip.reason_protocols', 'SIP', 8, 3],
      ['sip.reason_cause_sip', '600', 18, 3],
      ['sip.reason_text', 'a;b', 28, 3],
      ['sip.reason_protocols', 'preemption', 34, 10],
      ['sip.reason_cause_other', '1', 52, 1],
    ]);
  });

  test('security agreement', () => {
    assert.deepEqual(
      below(
        'Security-Client: ipsec-3gpp; alg=hmac-sha-1-96; ealg=null; spi-c=111; spi-s=222; port-c=5062; port-s=5064; prot=esp;q=0.1, tls',
      ),
      [
        ['sip.sec_mechanism', 'ipsec-3gpp', 17, 10],
        ['sip.sec_mechanism.alg', 'hmac-sha-1-96', 33, 13],
        ['sip.sec_mechanism.ealg', 'null', 53, 4],
        ['sip.sec_mechanism.spi_c', '111', 65, 3],
        ['sip.sec_mechanism.spi_s', '222', 76, 3],
        ['sip.sec_mechanism.port_c', '5062', 88, 4],
        ['sip.sec_mechanism.port_s', '5064', 101, 4],
        ['sip.sec_mechanism.prot', 'esp', 112, 3],
        ['sip.sec_mechanism', 'tls', 123, 3],
      ],
    );
  });

  test('Session-ID', () => {
    assert.deepEqual(
      below('Session-ID: ab30317f1a784dc48ff824d0d3715d86;remote=47755a9de7794ba387653f2099600ef2;logme;x=1'),
      [
        ['sip.Session-ID.sess_id', 'ab:30:31:7f:1a:78:4d:c4:8f:f8:24:d0:d3:71:5d:86', 12, 32],
        ['sip.Session-ID.local_uuid', 'ab30317f-1a78-4dc4-8ff8-24d0d3715d86', 12, 32],
        ['sip.Session-ID.remote_uuid', '47755a9d-e779-4ba3-8765-3f2099600ef2', 52, 32],
        ['sip.Session-ID.logme', '1', 85, 5],
        ['sip.Session-ID.param', 'x=1', 91, 3],
      ],
    );
    assert.deepEqual(dissect(message('BYE sip:x@y SIP/2.0', 'Session-ID: ;x', '')).experts, [
      'Session ID cannot be empty',
    ]);
  });

  test('network and charging', () => {
    assert.deepEqual(below('P-Access-Network-Info: 3GPP-E-UTRAN-FDD;utran-cell-id-3gpp=2620100000;network-provided'), [
      ['sip.P-Access-Network-Info.access-type', '3GPP-E-UTRAN-FDD', 23, 16],
      ['sip.P-Access-Network-Info.utran-cell-id-3gpp', '2620100000', 59, 10],
    ]);
    assert.deepEqual(below('P-Charging-Vector: icid-value="abc";icid-gen-addr=1.2.3.4;orig-ioi=home'), [
      ['sip.icid_value', '"abc"', 30, 5],
      ['sip.icid_gen_addr', '1.2.3.4', 50, 7],
    ]);
    assert.deepEqual(below('Feature-Caps: *;+g.3gpp.x;+sip.y="z"'), [
      ['sip.feature_cap', '*', 14, 1],
      ['sip.feature_cap', 'g.3gpp.x', 17, 8],
      ['sip.feature_cap', 'sip.y="z"', 27, 9],
    ]);
  });
});

describe('SIP authentication', () => {
  test('parameters keep their quotes', () => {
    assert.deepEqual(
      below(
        'Authorization: Digest username="u,x", realm=r, nonce="n\\"q",uri="u" , response="r",algorithm=MD5,qop=auth,nc=00000001,foo="bar, baz",auts="a"',
      ).filter((n) => n[0] !== 'sip.auth'),
      [
        ['sip.auth.scheme', 'Digest', 15, 6],
        ['sip.auth.username', '"u,x"', 31, 5],
        ['sip.auth.realm', 'r', 44, 1],
        ['sip.auth.nonce', '"n\\"q"', 53, 6],
        ['sip.auth.uri', '"u"', 64, 3],
        ['sip.auth.digest.response', '"r"', 79, 3],
        ['sip.auth.algorithm', 'MD5', 93, 3],
        ['sip.auth.qop', 'auth', 101, 4],
        ['sip.auth.nc', '00000001', 109, 8],
        ['sip.auth.auts', '"a"', 138, 3],
      ],
    );
    assert.deepEqual(
      below('Authentication-Info: nextnonce="n", qop=auth, rspauth=""').map((n) => [n[0], n[1]]),
      [
        ['sip.auth.nextnonce', '"n"'],
        ['sip.auth.qop', 'auth'],
        ['sip.auth.rspauth', '""'],
        ['sip.auth', 'Authentication-Info: nextnonce="n", qop=auth, rspauth=""\r\n'],
      ],
    );
    // A stack was seen to escape the quotes themselves.
    assert.deepEqual(
      below('WWW-Authenticate: Digest realm=\\"a.b\\",nonce=\\"c\\",stale=false')
        .map((n) => n[1])
        .slice(0, 4),
      ['Digest', '\\"a.b\\"', '\\"c\\"', 'false'],
    );
  });

  test('cipher and integrity key are never shown', () => {
    const l = dissect(
      message(
        'SIP/2.0 401 Unauthorized',
        'WWW-Authenticate: Digest realm="ims",nonce="n",ck="00112233445566778899aabbccddeeff", IK = ffeeddccbbaa99887766554433221100',
        '',
      ),
    );
    assert.deepEqual(valuesOf(l, 'sip.auth.ck'), ['[not shown]']);
    assert.deepEqual(valuesOf(l, 'sip.auth.ik'), ['[not shown]']);
    for (const [name, value] of l.nodes) assert.doesNotMatch(value, /001122|ffeedd/, name);
    for (const t of l.tree.texts.values()) assert.doesNotMatch(t, /001122|ffeedd/);
    assert.match(
      valuesOf(l, 'sip.WWW-Authenticate')[0],
      /realm="ims",nonce="n",ck="\[not shown\]", IK = "\[not shown\]"/,
    );
  });
});
