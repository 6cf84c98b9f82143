import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { encode, No, Unsure, Yes } from 'fttscope/kit';
import { connectRequest, type HttpMessage, http } from '../../../dissectors/http/index.js';
import { dataTextLines, json, media } from '../../../dissectors/text-media.js';
import { xml } from '../../../dissectors/xml.js';
import { at } from '../../build/packets.js';
import { besideTshark, Talk } from '../../support/beside-tshark.js';
import { tsharkMissing } from '../../support/tshark.js';
import { type Sent, values, World } from '../rtp/world.js';

const world = (): World => new World([http, dataTextLines, json, media, xml]);
const bytes = (s: string): Uint8Array => Uint8Array.from(Buffer.from(s, 'latin1'));
const lines = (...all: string[]): Uint8Array => bytes(all.map((l) => `${l}\r\n`).join(''));
const see = (s: Uint8Array | string, sent?: Sent, w = world()) =>
  w.see(http, typeof s === 'string' ? bytes(s) : s, sent);
const length = (s: string, end = s.length): number => http.pduLength!(bytes(s), 0, end);

// The values below are those that tshark 4.0 prints for the same octets.

test('very many fields are shown up to a number, and the body is still found', () => {
  const fields = Array.from({ length: 1003 }, (_, i) => `X-${i}: 1`);
  const seen = see(lines('HTTP/1.1 200 OK', 'Content-Type: text/plain', ...fields, '', 'body'));
  assert.equal(values(seen, 'http.response.line').length, 1000);
  assert.deepEqual(values(seen, 'http.file_data'), ['body\r\n']);
  assert.deepEqual(seen.experts, ['http.start-line', 'http.too-many-headers']);
  const few = see(lines('HTTP/1.1 200 OK', 'Content-Type: text/plain', ...fields.slice(4), '', 'body'));
  assert.deepEqual([values(few, 'http.response.line').length, few.experts], [1000, ['http.start-line']]);
});

test('a request with all that hangs on it', () => {
  const seen = see(
    'POST /a/b?x=1&y=%20z#f HTTP/1.1\r\nHost: h.example:8080\r\nCookie: a=1; b=2;c\r\nAuthorization: Basic dXNlcjpwYXNz\r\n' +
      'X-Foo:  bar \r\nTransfer-Encoding: chunked\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n' +
      '5;ext=1\r\nhello\r\n6\r\n world\r\n0\r\nTrail: er\r\n\r\n',
    { frame: 4 },
  );
  const line = (name: string, value: string): [string, string][] => [
    [`http.${name}`, value.replace(/^\S+?:\s*/, '')],
    ['http.request.line', `${value}\r\n`],
  ];
  assert.deepEqual(
    seen.fields.filter(([n]) => n.startsWith('http')),
    [
      ['http.request.method', 'POST'],
      ['http.request.uri', '/a/b?x=1&y=%20z#f'],
      ['http.request.uri.path', '/a/b'],
      ['http.request.uri.query', 'x=1&y=%20z#f'],
      ['http.request.uri.query.parameter', 'x=1'],
      ['http.request.uri.query.parameter', 'y=%20z#f'],
      ['http.request.version', 'HTTP/1.1'],
      ...line('host', 'Host: h.example:8080'),
      ['http.cookie', 'a=1; b=2;c'],
      ['http.cookie_pair', 'a=1'],
      ['http.cookie_pair', 'b=2'],
      ['http.cookie_pair', 'c'],
      ['http.request.line', 'Cookie: a=1; b=2;c\r\n'],
      ['http.authorization', 'Basic dXNlcjpwYXNz'],
      ['http.authbasic', 'user:pass'],
      ['http.request.line', 'Authorization: Basic dXNlcjpwYXNz\r\n'],
      ['http.request.line', 'X-Foo:  bar \r\n'],
      ...line('transfer_encoding', 'Transfer-Encoding: chunked'),
      ...line('content_type', 'Content-Type: text/plain; charset=utf-8'),
      ['http.request.full_uri', 'http://h.example:8080/a/b?x=1&y=%20z#f'],
      ['http.request', '1'],
      ['http.request_number', '1'],
      ['http.chunk_size', '5'],
      ['http.chunk_data', '68:65:6c:6c:6f'],
      ['http.chunk_boundary', '0d:0a'],
      ['http.chunk_size', '6'],
      ['http.chunk_data', '20:77:6f:72:6c:64'],
      ['http.chunk_boundary', '0d:0a'],
      ['http.chunk_size', '0'],
      ['http.chunked_trailer_part', 'Trail: er\r\n'],
      ['http.file_data', 'hello world'],
    ],
  );
  assert.deepEqual(seen.protocols, ['http', 'data-text-lines']);
  assert.equal(seen.summary, 'POST /a/b?x=1&y=%20z#f HTTP/1.1  (text/plain)');
});

test('a response and what it answers', () => {
  const w = world();
  see(lines('GET /p HTTP/1.1', 'Host: h', ''), { frame: 4, seconds: 10, nanos: 900_000_000 }, w);
  const seen = see(
    'HTTP/1.1 404 Not Here\r\nContent-Length: 3\r\nSet-Cookie: q=1; path=/\r\nContent-Type: application/foo\r\n\r\nabc',
    { frame: 5, seconds: 11, nanos: 100_000_000, direction: 1 },
    w,
  );
  const field = (name: string) => values(seen, name)[0];
  assert.equal(field('http.response.version'), 'HTTP/1.1');
  assert.equal(field('http.response.code'), '404');
  assert.equal(field('http.response.code.desc'), 'Not Found');
  assert.equal(field('http.response.phrase'), 'Not Here');
  assert.equal(field('http.content_length_header'), '3');
  assert.equal(field('http.content_length'), '3');
  assert.equal(field('http.set_cookie'), 'q=1; path=/');
  assert.equal(field('http.time'), '0.200000000');
  assert.equal(field('http.request_in'), '4');
  assert.equal(field('http.response_for.uri'), 'http://h/p');
  assert.equal(field('http.file_data'), 'abc');
  assert.equal(field('media.type'), '61:62:63');
  assert.equal(seen.summary, 'HTTP/1.1 404 Not Here  (application/foo)');
  const next = see(lines('GET /q HTTP/1.1', ''), { frame: 6 }, w);
  assert.deepEqual(values(next, 'http.prev_request_in'), ['4']);
  assert.deepEqual(values(next, 'http.request_number'), ['2']);
});

test('pipelined requests are answered in order, interim responses do not count', () => {
  const w = world();
  see(lines('GET /1 HTTP/1.1', 'Host: h', ''), { frame: 1 }, w);
  see(lines('GET /2 HTTP/1.1', 'Host: h', ''), { frame: 2 }, w);
  const answers = (line: string, frame: number) => values(see(lines(line, ''), { frame }, w), 'http.request_in');
  assert.deepEqual(answers('HTTP/1.1 100 Continue', 3), ['1']);
  assert.deepEqual(answers('HTTP/1.1 200 OK', 4), ['1']);
  assert.deepEqual(answers('HTTP/1.1 204 No Content', 5), ['2']);
  assert.deepEqual(answers('HTTP/1.1 200 OK', 6), []);
});

test('CONNECT names host and port', () => {
  const seen = see(lines('CONNECT [2001:db8::1]:443 HTTP/1.1', 'Proxy-Authorization: Basic dTpw', ''));
  assert.deepEqual(values(seen, 'http.request.uri'), ['[2001:db8::1]:443']);
  assert.deepEqual(values(seen, 'http.proxy_connect_host'), ['[2001:db8::1]']);
  assert.deepEqual(values(seen, 'http.proxy_connect_port'), ['443']);
  assert.deepEqual(values(seen, 'http.authbasic'), ['u:p']);
  assert.deepEqual(values(seen, 'http.request.full_uri'), []);
  const denied = see('HTTP/1.1 407 Proxy Auth\r\nProxy-Authenticate: Basic realm="p"\r\nContent-Length: 0\r\n\r\n');
  assert.deepEqual(values(denied, 'http.proxy_authenticate'), ['Basic realm="p"']);
  assert.equal(denied.summary, 'HTTP/1.1 407 Proxy Auth ');
});

test('status lines of any version, with any number of spaces, and codes that are none', () => {
  const parts = (line: string): (readonly string[])[] => {
    const seen = see(lines(line, 'Host: h', ''));
    return ['version', 'code', 'phrase'].map((name) => values(seen, `http.response.${name}`));
  };
  assert.deepEqual(parts('HTTP/2.0 200 ok'), [['HTTP/2.0'], ['200'], ['ok']]);
  assert.deepEqual(parts('HTTP/1.1  200   OK'), [['HTTP/1.1'], ['200'], ['OK']]);
  assert.deepEqual(parts('HTTP/1.1 2000 ok'), [['HTTP/1.1'], ['200'], ['ok']]);
  assert.deepEqual(parts('HTTP/1.1 20x ok'), [['HTTP/1.1'], ['20'], ['ok']]);
  assert.deepEqual(parts('HTTP/1.1 abc ok'), [['HTTP/1.1'], ['0'], ['ok']]);
  assert.deepEqual(parts('HTTP/1.1 20 ok'), [['HTTP/1.1'], [], []]);
});

test('request lines without a version are those of a connection that is known to be HTTP', () => {
  assert.deepEqual([http.probe!(bytes('GET /\r\n'), 0, 7), http.probe!(bytes('GET /\r\n'), 0, 7, true)], [No, Yes]);
  const parts = (line: string): (readonly string[])[] => {
    const seen = see(lines(line, 'Host: h', ''));
    return ['method', 'uri', 'version'].map((name) => values(seen, `http.request.${name}`));
  };
  assert.deepEqual(parts('GET /'), [['GET'], ['/'], ['']]);
  assert.deepEqual(parts('GET /a  HTTP/1.1'), [['GET'], ['/a'], ['HTTP/1.1']]);
  assert.deepEqual(parts('GET  / HTTP/1.1'), [['GET'], [''], ['/ HTTP/1.1']]);
});

test('a CR alone ends a line, an empty line may stand before the first, and white space alone goes on with none', () => {
  const seen = see('HTTP/1.1 200 OK\rContent-Type: text/plain\rHost: h\r\rbody');
  assert.deepEqual([values(seen, 'http.host'), values(seen, 'http.file_data')], [['h'], ['body']]);
  assert.equal(length('HTTP/1.1 204 No Content\rHost: h\r\rGET / HTTP/1.1\r\n\r\n'), 33);
  assert.equal(length('HTTP/1.1 204 No Content\r\nHost: h\r'), 0);
  assert.deepEqual(values(see('\r\nHTTP/1.1 200 OK\r\nHost: h \r\n\r\n'), 'http.host'), ['h ']);
  const cut = see('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n \r\nHost: h\r\n\r\n');
  assert.deepEqual([values(cut, 'http.transfer_encoding'), values(cut, 'http.host')], [['chunked'], []]);
});

test('a body is chunked where a Transfer-Encoding names that coding, not where it only has the word in it', () => {
  const chunked = (value: string): boolean =>
    length(`HTTP/1.1 200 OK\r\nTransfer-Encoding: ${value}\r\n\r\n0\r\n\r\n`) < Number.POSITIVE_INFINITY;
  for (const value of ['chunked', 'Chunked', 'gzip, chunked', 'gzip,chunked;q=1', 'chunked foo'])
    assert.ok(chunked(value));
  for (const value of ['x chunked', ': chunked', '\x0bchunked', 'xchunked']) assert.ok(!chunked(value), value);
});

test('the body starts at a line without a colon, but lengths behind it count', () => {
  const message = 'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nnone\r\nContent-Length: 2\r\n\r\nok';
  const seen = see(message);
  assert.deepEqual(values(seen, 'http.file_data'), ['none\r\nContent-Length: 2\r\n\r\nok']);
  assert.deepEqual(values(seen, 'http.content_length'), []);
  assert.equal(length(`${message}more`), message.length);
});

test('odd lines are shown and named', () => {
  const seen = see(lines('OPTIONS * HTTP/1.1', 'Bad Header: x', 'Long: a', ' folded', 'Host: h', ' i', ''));
  assert.deepEqual(seen.experts, ['http.start-line', 'http.bad-header-name']);
  assert.deepEqual(values(seen, 'http.host'), ['h i']); // RFC 9112 §5.2: a fold is read as a space
  const bare = see('GET http://abs.example/p HTTP/1.0\nHost: z\n\n');
  assert.deepEqual(values(bare, 'http.request.full_uri'), ['http://abs.example/p']);
  assert.equal(bare.summary, 'GET http://abs.example/p HTTP/1.0 ');
  const short = see('HTTP/1.0 200\r\n\r\n');
  assert.deepEqual(values(short, 'http.response.phrase'), []);
  assert.equal(short.summary, 'HTTP/1.0 200 ');
  assert.deepEqual(values(see('HTTP/1.1 999 Foo Bar\r\n\r\n'), 'http.response.code.desc'), ['Unknown (999)']);
  assert.equal(see('until close').summary, 'Continuation');
});

test('octets look like HTTP or do not', () => {
  const probe = (s: string) => http.probe!(bytes(s), 0, s.length);
  for (const s of [
    'GET / HTTP/1.1\r\n',
    'CONNECT a:443 HTTP/1.0\r\n',
    'HTTP/1.1 200 OK\r\n',
    'M-SEARCH * HTTP/1.1\r\n',
  ])
    assert.equal(probe(s), Yes, s);
  for (const s of [
    'OPTIONS sip:a SIP/2.0\r\n',
    'INVITE sip:a SIP/2.0\r\n',
    '\x16\x03\x01',
    'GETTY / HTTP/1.1\r\n',
    'get / HTTP/1.1\r\n',
  ])
    assert.equal(probe(s), No, s);
  for (const s of ['', 'G', 'GET ', 'GET /long', 'HTTP', 'CONN']) assert.equal(probe(s), Unsure, s);
});

test('a message ends where RFC 9112 §6.3 says', () => {
  const head = (...fields: string[]) => ['HTTP/1.1 200 OK', ...fields, '', ''].join('\r\n');
  const whole = (h: string, body: string) => assert.equal(length(`${h}${body}next`), h.length + body.length, h);
  whole(head('Content-Length: 5'), 'hello');
  whole(head('Transfer-Encoding: chunked', 'Content-Length: 1'), '5\r\nhello\r\n0\r\n\r\n');
  whole(head('Transfer-Encoding: gzip, chunked'), '5;a=b\r\nhello\r\n0\r\nT: x\r\n\r\n');
  whole('HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n', '');
  whole('HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n', '');
  whole('GET / HTTP/1.1\r\n\r\n', '');
  whole('POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n', 'ab');
  whole('POST / HTTP/1.1\nContent-Length: 2\n\n', 'ab');
  const endless = `${head('Transfer-Encoding: chunked')}10000000000000000\r\nx`;
  assert.equal(length(endless), endless.length); // malformed: nothing can be said of what follows
  for (const open of [head(), head('Content-Length: x')])
    assert.equal(length(`${open}body`), Number.POSITIVE_INFINITY, open); // §6.3 rule 8: until the connection is closed
  assert.equal(length('not http at all\n'), 16);
  assert.equal(length('not http at all'), 0); // a line is read to its end
  const cut = `${head('Transfer-Encoding: chunked')}5\r\nhello\r\n0\r\n\r\n`;
  for (let n = 0; n < cut.length; n++) assert.equal(length(cut, n), 0, String(n));
  assert.equal(length(cut), cut.length);
});

const plain = { noNullPrototype: true } as const;
const TOKEN = [...'ABCXYZabcxyz019-'];
const token = fc.array(fc.constantFrom(...TOKEN), { minLength: 1, maxLength: 8 }).map((c) => c.join(''));
const visible = fc
  .array(
    fc.integer({ min: 0x21, max: 0xfe }).filter((c) => c !== 0x7f),
    { maxLength: 12 },
  )
  .map((c) => String.fromCharCode(...c));
const arbitrary: fc.Arbitrary<HttpMessage> = fc.record(
  {
    start: fc.oneof(
      fc.record({ method: token, target: visible.map((v) => `/${v}`), version: fc.constant('HTTP/1.1') }, plain),
      fc.record(
        { version: fc.constantFrom('HTTP/1.0', 'HTTP/1.1'), status: fc.integer({ min: 0, max: 999 }), reason: visible },
        plain,
      ),
    ),
    headers: fc.array(fc.record({ name: token, value: visible }, plain), { maxLength: 6 }),
    body: fc.uint8Array({ maxLength: 30 }),
  },
  plain,
);

test('what is built is parsed again', () => {
  const { codec } = http;
  fc.assert(
    fc.property(arbitrary, (r) => {
      const b = encode(codec!, r);
      assert.deepEqual(codec!.parse(b, 0, b.length), r);
      assert.deepEqual(encode(codec!, codec!.parse(b, 0, b.length)), b);
    }),
  );
  const request = encode(codec!, connectRequest('eftf.example:443', [{ name: 'User-Agent', value: 'x' }]));
  assert.equal(
    Buffer.from(request).toString(),
    'CONNECT eftf.example:443 HTTP/1.1\r\nHost: eftf.example:443\r\nUser-Agent: x\r\n\r\n',
  );
});

test('octets cut or changed anywhere throw nothing and never wait for ever', () => {
  const w = world();
  const samples = [
    lines('POST /a?b=c HTTP/1.1', 'Transfer-Encoding: chunked', 'Cookie: a=b', '', '5', 'hello', '0', ''),
    lines('HTTP/1.1 200 OK', 'Content-Length: 7', 'Content-Type: text/plain', '', 'hello'),
  ];
  for (const b of samples) for (let n = 1; n <= b.length; n++) w.see(http, b.slice(0, n), { wire: b.length });
  fc.assert(
    fc.property(fc.constantFrom(...samples), fc.nat(), fc.nat({ max: 255 }), (b, at, value) => {
      const changed = b.slice();
      changed[at % b.length] = value;
      w.see(http, changed);
      const n = http.pduLength!(changed, 0, changed.length);
      assert.ok(n >= 0);
    }),
    { numRuns: 2000 },
  );
});

test('a body of JSON is a layer of its own', () => {
  const seen = see('HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 8\r\n\r\n{"a": 1}');
  assert.deepEqual(seen.protocols, ['http', 'json']);
});

test('chunks are read as receivers read them', () => {
  const sizes =
    (...fields: string[]) =>
    (body: string) => {
      const seen = see(['HTTP/1.1 200 OK', ...fields, '', body].join('\r\n'));
      return [values(seen, 'http.chunk_size'), values(seen, 'http.file_data')];
    };
  const chunked = sizes('Transfer-Encoding: chunked');
  for (const size of ['5', '05', '0000000005', '0x5', ' 5', '5 ', '5x', '5;a'])
    assert.deepEqual(chunked(`${size}\r\nhello\r\n0\r\n\r\n`), [['5', '0'], ['hello']], size);
  // RFC 9112 §6.1: chunked is the last coding; tshark, too, takes it wherever it stands.
  for (const fields of [
    ['Transfer-Encoding: chunked, identity'],
    ['Transfer-Encoding: chunked', 'Transfer-Encoding: x'],
  ])
    assert.deepEqual(sizes(...fields)('5\r\nhello\r\n0\r\n\r\n'), [['5', '0'], ['hello']], fields.join());
});

test('a request line without a target, and methods of other RFCs', () => {
  const probe = (s: string) => http.probe!(bytes(s), 0, s.length);
  const seen = see('OPTIONS HTTP/1.1\nHost: h\n\n');
  assert.deepEqual(values(seen, 'http.request.method'), ['OPTIONS']);
  assert.deepEqual(values(seen, 'http.request.uri'), ['HTTP/1.1']);
  for (const method of ['BASELINE-CONTROL', 'RPC_IN_DATA', 'ACL', 'LINK'])
    assert.equal(probe(`${method} / HTTP/1.1\r\n`), Yes, method);
});

test('the end of a connection is a segment of the message that it ends, as in tshark', {
  skip: tsharkMissing,
}, async () => {
  const fields = ['tcp.segment', 'tcp.segment.count', 'tcp.reassembled.length', 'http.file_data'];
  for (const [segments, last] of [
    [['a'], ''],
    [['a', 'b'], ''],
    [['a'], 'b'],
  ] as const) {
    const talk = new Talk([at('192.0.2.1', 40_000), at('192.0.2.2', 80)]);
    talk.say(0, 'GET / HTTP/1.1\r\n\r\n');
    talk.say(1, 'HTTP/1.0 200 OK\r\n\r\n', ...segments);
    talk.end(1, last);
    const stacks = await besideTshark(talk.packets, fields);
    assert.equal(stacks.at(-1), 'tcp:http:data');
  }
});

test('octets on the port of HTTP that are none of it are those of their segment alone', {
  skip: tsharkMissing,
}, async () => {
  const talk = new Talk([at('192.0.2.1', 40_000), at('192.0.2.2', 80)]);
  talk.say(0, 'pepriedgorrlmkhmedslrrejgskpgjiemiijl', 'nephlologod');
  talk.say(1, 'SSH-like greeting');
  const stacks = await besideTshark(talk.packets, ['data.data', 'data.len', 'tcp.payload']);
  assert.equal(stacks.at(-1), 'tcp');
});

test('what is odd in field lines, as tshark tells of it', { skip: tsharkMissing }, async () => {
  const heads = [
    'Transfer-Encoding: lalala',
    'Transfer-Encoding: gzip deflate',
    'Transfer-Encoding: gzip',
    'Transfer-Encoding: gzip, deflate',
    'Transfer-Encoding:\0chunked',
    'Transfer-Encoding: identity\r\nContent-Length: 3',
    'Content-Length: 3\r\nTransfer-Encoding: lala',
    'Content-Length: x\r\nTransfer-Encoding: gzip',
    'Content-Length: 3\r\nTransfer-Encoding: lala\r\nContent-Length: 3',
    'Content-Encoding: \r\nContent-Length: 3',
    'Content-Encoding: gz\0ip',
    'Content-Encoding: identity\0',
    'Content-Type: te\0xt/plain\r\nServer: a\0b\r\nX: c\0d',
    'Na\0me: x',
    'Server: \u00e9\u20ac\r\nContent-Type: \u00e9/b',
    ' y: z\r\nServer: x',
  ];
  for (const head of heads) {
    const talk = new Talk([at('192.0.2.1', 40000), at('192.0.2.2', 80)]);
    talk.say(0, 'GET /\u00e9"\\ HTTP/1.1\r\nHost: a\r\n\r\n');
    talk.end(1, `HTTP/1.1 200 O\\K "q"\x01\t\x7f\u00e9\u0084\r\n${head}\r\n\r\nabc`);
    await besideTshark(talk.packets, [
      '_ws.expert.message',
      '_ws.malformed',
      'http.request.uri',
      'http.response.code',
      'http.transfer_encoding',
      'http.content_length_header',
      'http.content_type',
      'http.content_encoding',
      'http.server',
      'data.len',
    ]);
  }
});

test('empty lines ahead of a message, NULs in start lines, and no line of a trailer, as tshark has them', {
  skip: tsharkMissing,
}, async () => {
  const request = 'GET / HTTP/1.1\r\n\r\n';
  const answer = 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na';
  const chunked = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n';
  for (const [asked, ...answers] of [
    [`\r\n${request}`, answer],
    [request, `\r\n${answer}`, `\r\n\r\n${answer}`, '\r\n'],
    [request, `${answer}\r\n${answer}`],
    ['GET /a\0b HTTP/1.1\r\n\r\n', 'HTTP/1.1\u0000200\u0000ok\r\nContent-Length: 1\r\n\r\na'],
    ['GET / HT\0TP/1.1\r\n\r\n', 'HTTP/1.1 200 o\0k\r\nContent-Length: 1\r\n\r\na'],
    [request, 'HTTP/1.1 \t20 ok\r\nContent-Length: 1\r\n\r\na'],
    [request, `${chunked}0\r\n \r\n`, answer],
    [request, `${chunked}0\n \n`],
  ]) {
    const talk = new Talk([at('192.0.2.1', 40000), at('192.0.2.2', 80)]);
    talk.say(0, asked);
    talk.say(1, ...answers);
    await besideTshark(talk.packets, [
      '_ws.expert.message',
      '_ws.malformed',
      'http.request.uri',
      'http.request.version',
      'http.response.version',
      'http.response.code',
      'http.response.phrase',
      'http.chunk_size',
      'data.len',
    ]);
  }
});

test('a line that a field goes on with and that looks like a field', () => {
  const seen = see(lines('HTTP/1.1 200 OK', 'Server: x', ' y: z', ' v', 'Connection: close', '', ''));
  assert.deepEqual(seen.experts, ['http.start-line', 'http.bad-header-name']);
});
