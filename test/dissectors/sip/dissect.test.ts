import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { dissect, type Layers, message, valuesOf, World } from './layers.js';

const register = (...headers: string[]): string =>
  summary('REGISTER sip:aa@bb SIP/2.0', 'CSeq: 1 REGISTER', ...headers);
const summary = (...lines: string[]): string => dissect(message(...lines, '')).summary;

describe('SIP tree', () => {
  test('start line, what is known of others, headers, body', () => {
    const b = message(
      'INVITE sip:bob%41:pw@[2001:db8::1]:5070 SIP/2.0',
      'Call-ID: c@d',
      'Content-Length: 5',
      'X-Foo: bar',
      '',
      'abcdefg',
    );
    const l = dissect(b, { original: 7, request: 3, sinceMs: 12 });
    assert.deepEqual(
      l.nodes.filter((n) => n[0] !== 'sip.msg_hdr'),
      [
        ['sip', '', 0, 101],
        ['sip.Request-Line', 'INVITE sip:bob%41:pw@[2001:db8::1]:5070 SIP/2.0', 0, 47],
        ['sip.Method', 'INVITE', 0, 6],
        ['sip.r-uri', 'sip:bob%41:pw@[2001:db8::1]:5070', 7, 32],
        ['sip.r-uri.user', 'bob%41:pw', 11, 9],
        ['sip.r-uri.host', '[2001:db8::1]', 21, 13],
        ['sip.r-uri.port', '5070', 35, 4],
        ['sip.resend', '1', 0, 0],
        ['sip.resend-original', '7', 0, 0],
        ['sip.response-request', '3', 0, 0],
        ['sip.response-time', '12', 0, 0],
        ['sip.Call-ID', 'c@d', 49, 14],
        ['sip.call_id_generated', 'c@d', 49, 14],
        ['sip.Content-Length', '5', 63, 19],
        ['sip.msg_body', '', 96, 5],
      ],
    );
    assert.deepEqual(l.experts, ['SIP message sent again', 'Unrecognised SIP header (x-foo)']);
    assert.deepEqual(
      valuesOf(
        dissect(message('SIP/2.0 200 OK', 'CSeq: 2 BYE', ''), { original: 0, request: 3, sinceMs: 9 }),
        'sip.release-time',
      ),
      ['9'],
    );
  });

  test('values of folded, empty and compact headers', () => {
    const l = dissect(
      message('OPTIONS sip:a@b SIP/2.0', 's: Hello', '  folded   line', 'Subject:', 'Max-Forwards: 070', 'k: a', ''),
    );
    assert.deepEqual(valuesOf(l, 'sip.Subject'), ['Hello\r\n  folded   line', '']);
    assert.deepEqual(valuesOf(l, 'sip.Max-Forwards'), ['70']);
    assert.deepEqual(valuesOf(l, 'sip.Supported'), ['a']);
  });

  test('says what is wrong with headers', () => {
    const of = (...h: string[]): readonly string[] => dissect(message('OPTIONS sip:a@b SIP/2.0', ...h)).experts;
    assert.deepEqual(of('Event', ''), ['Header has no colon after the name']);
    assert.deepEqual(of('Event: x'), ['Header not terminated by empty line (CRLF)']);
    assert.deepEqual(of('Content-Length: abc', ''), ['Invalid content_length']);
    assert.deepEqual(of('Content-Length: 9', '', 'x'), ['Body is shorter than Content-Length says']);
    assert.deepEqual(of('Retry-After: soon', ''), ['Invalid retry_after value']);
    assert.deepEqual(of('Retry-After: 5 (bye);duration=3600', ''), []); // RFC 3261 §20.33
  });

  test('keep-alives and octets that are no SIP', () => {
    assert.equal(dissect(message('', '')).summary, 'Keep-alive (CRLF CRLF)');
    assert.equal(dissect(message('')).summary, 'Keep-alive (CRLF)');
    assert.deepEqual(dissect(message('hello world')).protocols, ['data']);
  });
});

// Expected texts are tshark's, without the bar at the end.
describe('SIP summary', () => {
  test('counts bindings', () => {
    assert.equal(register('Contact: *', 'Expires: 0'), 'Request: REGISTER sip:aa@bb  (remove all bindings)');
    assert.equal(register('Contact: <sip:a@b>', 'Expires: 0'), 'Request: REGISTER sip:aa@bb  (remove 1 binding)');
    assert.equal(
      register('Contact: <sip:a@b>;expires=0,<sip:c@d>;expires=5'),
      'Request: REGISTER sip:aa@bb  (remove 1 binding) (add 1 binding)',
    );
    assert.equal(register('m: <sip:a@b>', 'm: <sip:c@d>'), 'Request: REGISTER sip:aa@bb  (2 bindings)');
    assert.equal(register('Contact: <sip:a@b>;expires=7', 'Expires: 0'), 'Request: REGISTER sip:aa@bb  (1 binding)');
    assert.equal(register(), 'Request: REGISTER sip:aa@bb  (fetch bindings)');
    assert.equal(summary('SIP/2.0 200 OK', 'CSeq: 1 REGISTER'), 'Status: 200 OK (REGISTER)  (0 bindings)');
    assert.equal(summary('SIP/2.0 401 OK', 'CSeq: 1 REGISTER'), 'Status: 401 OK');
    assert.equal(
      summary('SIP/2.0 202 OK', 'CSeq: 1 REGISTER', 'Contact: <sip:a@b>;expires=5,<sip:c@d>'),
      'Status: 202 OK  (2 bindings)',
    );
  });

  test('says what a response answers and what lies within a dialog', () => {
    assert.equal(summary('SIP/2.0 200 OK', 'CSeq: 1 INVITE'), 'Status: 200 OK (INVITE)');
    assert.equal(summary('SIP/2.0 200 OK'), 'Status: 200 OK ()');
    assert.equal(summary('INVITE sip:aa@b SIP/2.0', 'To: <sip:a@b>;tag=2'), 'Request: INVITE sip:aa@b, in-dialog');
    assert.equal(summary('BYE sip:aa@b SIP/2.0', 'To: <sip:a@b>;tag=2'), 'Request: BYE sip:aa@b');
  });
});

describe('SIP bodies', () => {
  const body = (type: string, ...lines: string[]): Layers =>
    dissect(message('MESSAGE sip:aa@b SIP/2.0', `Content-Type: ${type}`, '', ...lines));

  test('go to the dissector of their type, else are lines of text', () => {
    assert.deepEqual(body('Application/SDP ; x', 'v=0').protocols, ['sdp']);
    assert.deepEqual(body('text/plain; charset=utf-8', 'hi').protocols, ['data-text-lines']);
    assert.deepEqual(body('application/reginfo+xml', '<reginfo/>').protocols, ['xml']);
    assert.deepEqual(body('application/vnd.example+xml', '<?xml version="1.0"?>').protocols, ['xml']);
    const l = body('application/x-unknown', 'one', 'two');
    assert.deepEqual(l.protocols, []);
    assert.deepEqual([...l.tree.texts.values()].slice(-2), ['one', 'two']);
    const encoded = message('INVITE sip:aa@b SIP/2.0', 'c: application/sdp', 'e: gzip', '', '\u001f');
    assert.deepEqual(dissect(encoded).protocols, ['data']);
  });

  test('of several parts', () => {
    const l = body(
      'multipart/mixed;boundary="bo und";foo=bar',
      'pre amble',
      '--bo und',
      'Content-Type: application/sdp',
      'Content-Length: 12',
      'content-disposition:  session;handling=required',
      'X-Foo: bar',
      'Content-ID: <a@b>',
      '',
      'v=0',
      's=-',
      '--bo und',
      'c: text/plain',
      ' ; charset=utf-8',
      '',
      'hello',
      '',
      '--bo und',
      '',
      'no headers',
      '--bo und',
      'Content-Type: multipart/alternative; boundary=in',
      '',
      '--in',
      'Content-Type: application/pidf+xml',
      'Content-Transfer-Encoding: base64',
      '',
      '<a/>',
      '--in--',
      '--bo und--',
      'epi',
      'logue',
    );
    assert.deepEqual(l.protocols, ['mime_multipart', 'sdp', 'data-text-lines', 'data', 'mime_multipart', 'xml']);
    const start = l.nodes.find((n) => n[0] === 'mime_multipart')![2];
    assert.deepEqual(
      l.nodes
        .filter((n) => n[0].startsWith('mime_multipart.'))
        .map(([n, v, o, len]) => [n.slice(15), v, o - start, len]),
      [
        ['type', 'multipart/mixed', 0, 0],
        ['preamble', '70:72:65:20:61:6d:62:6c:65:0d:0a', 0, 11],
        ['first_boundary', '--bo und\r\n', 11, 10],
        ['part', '', 21, 141],
        ['header.content-type', 'application/sdp', 21, 31],
        ['header.content-length', '12', 52, 20],
        ['header.content-disposition', 'session;handling=required', 72, 49],
        ['header.content-id', '<a@b>', 133, 21],
        ['boundary', '\r\n--bo und\r\n', 162, 12],
        ['part', '', 174, 42],
        ['header.content-type', 'text/plain;charset=utf-8', 174, 35],
        ['boundary', '\r\n--bo und\r\n', 216, 12],
        ['part', '', 228, 12],
        ['boundary', '\r\n--bo und\r\n', 240, 12],
        ['part', '', 252, 143],
        ['header.content-type', 'multipart/alternative;boundary=in', 252, 52],
        ['type', 'multipart/alternative', 304, 0],
        ['first_boundary', '--in\r\n', 304, 6],
        ['part', '', 310, 77],
        ['header.content-type', 'application/pidf+xml', 310, 36],
        ['header.content-transfer-encoding', 'base64', 346, 37],
        ['last_boundary', '\r\n--in--', 387, 8],
        ['last_boundary', '\r\n--bo und--\r\n', 395, 14],
        ['trailer', '65:70:69:0d:0a:6c:6f:67:75:65:0d:0a', 409, 12],
      ],
    );
  });

  test('of several parts without a boundary are data', () => {
    assert.deepEqual(body('multipart/mixed', '--x', '', 'a', '--x--').protocols, ['mime_multipart', 'data']);
    assert.deepEqual(body('multipart/mixed;boundary=x', '--y').protocols, ['mime_multipart', 'data']);
    const open = body('multipart/mixed;boundary=x', '--x', 'Content-Type: application/sdp', '', 'v=0');
    assert.deepEqual([open.protocols, open.experts.at(-1)], [['mime_multipart', 'sdp'], 'Last boundary is missing']);
  });

  test('SDP in a part says where RTP is to be expected', () => {
    const world = new World();
    world.track(
      message(
        'INVITE sip:aa@b SIP/2.0',
        'CSeq: 1 INVITE',
        'Content-Type: multipart/related; boundary=q',
        '',
        '--q',
        'Content-Type: application/sdp',
        '',
        'v=0',
        'c=IN IP4 192.0.2.7',
        'm=audio 4000 RTP/AVP 0',
        '--q--',
      ),
    );
    assert.deepEqual(
      world.expectations.map((e) => [e.address, e.port, e.proto]),
      [
        ['192.0.2.7', 4000, 'rtp'],
        ['192.0.2.7', 4001, 'rtcp'],
      ],
    );
  });
});

describe('SIP that is cut or damaged', () => {
  const sample = message(
    'INVITE tel:+15550199;phone-context=ims.example SIP/2.0',
    'Via: SIP/2.0/UDP [2001:db8::1]:5062;branch=z9hG4bK-1;rport, SIP/2.0/TCP a.b',
    'From: "UE \\"1\\"" <sip:ue1@ims.example;x>;tag=1',
    'To: <tel:+1>',
    'Contact: <sip:ue1@10.9.0.115:5062>;+g.3gpp.icsi-ref="urn%3A";expires=6',
    'Call-ID: 1-2@3',
    'CSeq: 1 INVITE',
    'Authorization: Digest username="u", nonce="c2VlZA==", ck="00"',
    'Security-Client: ipsec-3gpp; alg=x; spi-c=1; port-c=5062',
    'P-Access-Network-Info: IEEE-802.11; i-wlan-node-id=0a',
    'Session-ID: ab30317f1a784dc48ff824d0d3715d86;remote=47755a9de7794ba387653f2099600ef2',
    'Reason: SIP;cause=200;text="x y"',
    'RAck: 1 2 INVITE',
    'Content-Type: multipart/mixed;boundary=b',
    'Content-Length: 9999',
    '',
    '--b',
    'Content-Type: application/sdp',
    '',
    'v=0',
    'o=- 1 2 IN IP4 10.0.0.1',
    's=-',
    'c=IN IP4 10.0.0.1/127/2',
    't=0 0',
    'm=audio 4000/2 RTP/AVP 96',
    'a=rtpmap:96 AMR-WB/16000',
    'a=fmtp:96 mode-set=0; x',
    'a=candidate:1 1 UDP 5 1.1.1.1 3 typ host',
    'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR|2^20|1:4',
    '--b--',
  );

  test('is shown as far as it goes, at every length', () => {
    const whole = dissect(sample);
    for (let n = 0; n <= sample.length; n++) {
      const b = sample.slice(0, n);
      new World().track(b);
      dissect(b);
      const cut = dissect(b, undefined, sample.length);
      for (const [name, , off, len] of cut.nodes)
        assert.ok(off >= 0 && off + len <= n, `${name} at ${off}+${len} of ${n}`);
    }
    assert.equal(whole.stopped, undefined);
  });

  test('never stops the program', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(sample.length - 1), fc.nat(255)), { maxLength: 30 }), (changes) => {
        const b = sample.slice();
        for (const [at, to] of changes) b[at] = to;
        new World().track(b);
        dissect(b);
      }),
      { numRuns: 300 },
    );
  });

  test('takes time in proportion to its length', () => {
    const quotes = message('SIP/2.0 200 OK', `Contact: ${'"'.repeat(200_000)}`, `Via: ${',;"'.repeat(20_000)}`, '');
    dissect(quotes);
    const spaces = message('SIP/2.0 200 OK', `Call-ID: a${' '.repeat(200_000)}b`, ' c', 'CSeq: 1 BYE', '');
    new World().track(spaces);
    const folds = message('SIP/2.0 200 OK', `To: ${'\r\n '.repeat(60_000)}`, '');
    assert.equal(valuesOf(dissect(folds), 'sip.to.addr').length, 0);
  });
});
