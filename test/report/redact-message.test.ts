import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { MessageRedaction } from '../../src/report/redact-message.js';
import { SameLength } from '../../src/report/same-length.js';

const texts = new MessageRedaction(new SameLength());
const START = 'OPTIONS sip:a SIP/2.0\r\n';
const SDP = `${START}Content-Type: application/sdp\r\n\r\n`;
/** What becomes of a text behind `before`. */
const behind = (before: string, s: string, by = texts): string =>
  Buffer.from(by.message(Buffer.from(before + s, 'latin1')))
    .toString('latin1')
    .slice(before.length);
const message = (s: string): string => behind('', s);
const head = (s: string, by = texts): string => (/HTTP\/|^SIP\//.test(s) ? behind('', s, by) : behind(START, s, by));
const description = (s: string): string => behind(SDP, s);
const INVITE = 'INVITE sip:bob@biloxi.org SIP/2.0\r\n';

/** Lines that tell of somebody, and what must be gone. */
const HEADS: readonly (readonly [string, RegExp])[] = [
  ['From: "Alice \\"Al\\" Smith" <sip:alice@atlanta.org>;tag=1', /alice|"al|smith|atlanta/i],
  ['f: Alice\r\n Smith\r\n <sip:alice@atlanta.org>', /alice|smith|atlanta/i],
  ['From: Alice, Smith : x <sip:alice@atlanta.org>', /alice|smith/i],
  ['To: <tel:+1(212)555-0101>, <tel:+1.212.555.0102>', /212|555/],
  ['Subject: I know you are\r\n there, John', /know|there|john/i],
  ['v: SIP/2.0/UDP alicepc:5060;received=2001:db8:bbbb::10.1.2.33', /alice|bbbb|1\.2\.33/],
  ['Contact: <sip:alice@[2001:db8:bbbb::1%25eth0]>', /alice|2001|db8|bbbb/],
  ['m: <sip:a@10.1.2.3>;+sip.instance="<urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6>"', /f81d|7dec|c91e/],
  ['Authorization: Digest username=alice, realm=Atlanta', /alice|atlanta/i],
  ['Authorization: Basic YWxpY2U6c2VjcmV0', /YWxp/],
  ['P-Charging-Vector: icid-value="alice-12";orig-ioi=home1.net', /alice|home1/],
  ['Refer-To: <sip:d@x.org?Replaces=12345%40192.168.118.33%3Bto-tag%3D1>', /12345|168|118/],
  ['Warning: 399 alicepc "Alice is out"', /alice|out/i],
  ['Retry-After: 3600 (Alice is out)', /alice|out/i],
  ['From-Path: msrp://alicepc:7654/iau39;tcp', /alice|iau/],
  ['User-Agent: Phone of Alice', /alice/i],
  ['no field at all, but Alice', /alice/i],
  ['GET /alice/photo.jpg?of=alice HTTP/1.1', /alice|photo/],
  ['__proto__: alice', /alice/],
  ['m: <sip:a@b;__proto__=alice>;__proto__=alice', /alice/],
  ['Authorization: Digest __proto__="alice"', /alice/],
  ['Authorization: Digest response="01ab23cd", auts="AAA111"', /\d/],
  ['Authorization: Basic YWxpY2U6c2VjcmV0MTIz', /\d|=/],
  ['Expires: 4915112345678', /4915/],
  ['Min-Expires: 10.1.2.33', /1\.2\.33/],
  ['Timestamp: 10.1.2.33 4915112345678', /1\.2\.33|4915/],
  ['Via: SIP/2.0/UDP pc:4915112345;rport=4915112345;ttl=10.1.2.33', /4915|1\.2\.33/],
  ['m: <sip:a@b:4915112345>;q=10.1.2.33', /4915|1\.2\.33/],
  ['History-Info: <sip:a@b?Reason=alice%3Bcause%3D302>;index=1.1.4915112345', /alice|4915/],
];
const LINES: readonly (readonly [string, RegExp])[] = [
  ['o=alice smith 1 1 IN IP4 alicepc', /alice|smith/],
  ['c=IN IP4 alicepc', /alice/],
  ['k=clear:s3cr3t', /\d|s.cr.t/],
  ['a=ice-pwd:s3cr3t', /\d|s.cr.t/],
  ['a=crypto:x AES_CM inline:s3cr3t+/|2^20', /\d|\^|s.cr.t/],
  ['p=+1 617 555-6011', /617|555/],
  ['a=key-mgmt:mikey AQAFgM0XflAB', /AQAF/],
  ['a=msid:stream of-alice', /alice/],
  ['a=__proto__:alice', /alice/],
  ['alice', /alice/],
];

describe('redacted messages', () => {
  test('no line of a head tells of anybody, and each is as long as before', () => {
    for (const [line, told] of HEADS) {
      const made = head(`${line}\r\n`);
      assert.doesNotMatch(made, told);
      assert.equal(made.length, line.length + 2);
      assert.deepEqual(made.match(/[\r\n]/g), `${line}\r\n`.match(/[\r\n]/g));
    }
  });

  test('what is needed to follow calls stays', () => {
    for (const line of [
      'SIP/2.0 486 Busy Here',
      'CSeq: 1 INVITE',
      'Reason: Q.850;cause=16',
      'Session-Expires: 1800;refresher=uac',
      'Security-Verify: ipsec-3gpp;alg=hmac-sha-1-96;prot=esp;mod=trans;ealg=null;spi-c=110322342;port-c=5062',
      'Date: Sat, 13 Nov 2010 23:29:00 GMT',
      'History-Info: <sip:b@example.com?Reason=SIP%3Bcause%3D302>;index=1'.replace('b@', 'a@'),
    ])
      assert.equal(head(line, new MessageRedaction(new SameLength())), line);
    assert.match(head('Retry-After: 3600 (busy)'), /^Retry-After: 3600 /);
    assert.match(head('Warning: 399 host "x"'), /^Warning: 399 /);
    assert.equal(description('a=rtpmap:0 PCMU/8000'), 'a=rtpmap:0 PCMU/8000');
  });

  test('words in the value of a parameter stay where each word of its name is known, or is a letter', () => {
    const contact = (parameter: string): string => head(`Contact: <sip:a@b>;${parameter}`).split(';')[1]!;
    for (const known of ['x-sip=sip', 'sip=sip', 'sip-2=sip']) assert.match(contact(known), /=sip$/, known);
    for (const unknown of ['zz=sip', 'sip-zz=sip', 'zz-sip-2=sip'])
      assert.doesNotMatch(contact(unknown), /=sip$/, unknown);
  });

  test('of what a format is like that stays whose name is known', () => {
    const known = 'a=fmtp:96 octet-align=1; mode-set=0,2,7';
    assert.equal(description(known), known);
    for (const name of ['zz', 'mode-zz', 'zz-set'])
      assert.doesNotMatch(description(`a=fmtp:96 ${name}=1,2`), /1|,2/, name);
  });

  test('of credentials of Digest the algorithm stays; of other schemes only their names do', () => {
    assert.equal(
      head('Authorization: Digest algorithm=MD5, qop=auth, stale=false'),
      'Authorization: Digest algorithm=MD5, qop=auth, stale=false',
    );
    const basic = head('Authorization: Basic algorithm=MD5, qop=auth');
    assert.match(basic, /^Authorization: Basic /);
    assert.doesNotMatch(basic, /MD5|auth$/);
  });

  test('the line that ends a message of MSRP stays, with the identifier that its start line has by then', () => {
    for (const [flag, last] of [
      ['$', ''],
      ['+', '\r\n'],
    ]) {
      const whole = `MSRP a786hjs2 SEND\r\nContent-Type: text/plain\r\n\r\nIt is -------a7 Alice\r\n-------a786hjs2${flag}${last}`;
      const made = message(whole);
      const [, id] = /^MSRP (\S{8}) SEND\r\n/.exec(made)!;
      assert.notEqual(id, 'a786hjs2');
      assert.ok(made.endsWith(`-------${id}${flag}${last}`), made);
      assert.doesNotMatch(made, /Alice|It is/);
      assert.equal(made.length, whole.length);
    }
  });

  test('no line of a session description does', () => {
    for (const [line, told] of LINES) {
      assert.doesNotMatch(description(line), told);
      assert.equal(description(line).length, line.length);
    }
  });

  test('of a body in parts, descriptions stay and all else is blanked', () => {
    const body =
      'preamble\r\n--b\r\n\r\nAlice\r\n--b\r\nContent-Type: application/sdp\r\n\r\nt=0 0\r\n--b--\r\nlast words';
    const made = message(`${INVITE}c: multipart/mixed; boundary=b\r\n\r\n${body}`);
    assert.match(made, /\r\n--(\w)\r\nContent-Type: application\/sdp\r\n\r\nt=0 0\r\n--\1--\r\n/);
    assert.doesNotMatch(made, /preamble|Alice|last|words/);
  });
});
