import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { at, tcp } from '../build/packets.js';
import { file, rawPcap } from '../cli/run.js';
import { differences, ours } from '../dissectors/bodies/wire.js';
import { tsharkMissing } from '../support/tshark.js';

/** What is listed of a stream behind octets that were not captured: tshark is asked. */

const CLIENT = at('192.0.2.1', 40_000);
const text = (s: string): Uint8Array => Buffer.from(s, 'latin1');
const NONE = new Uint8Array(0);
/** Octets that begin no record and no line. */
const noise = (n: number): Uint8Array => Uint8Array.from({ length: n }, (_, i) => 128 + ((i * 37) % 97));

/** Segments of both sides behind a handshake; a number instead of octets is how many of the server's are missing. */
function stream(name: string, port: number, ...sent: readonly (readonly ['asks' | 'answers', Uint8Array | number])[]) {
  const server = at('192.0.2.2', port);
  const packets = [
    tcp(CLIENT, server, { seq: 99, flags: 2 }, NONE),
    tcp(server, CLIENT, { seq: 499, ack: 100, flags: 18 }, NONE),
    tcp(CLIENT, server, { seq: 100, ack: 500 }, NONE),
  ];
  let [asked, answered] = [100, 500];
  for (const [side, octets] of sent) {
    if (typeof octets === 'number') answered += octets;
    else if (side === 'asks') {
      packets.push(tcp(CLIENT, server, { seq: asked, ack: answered }, octets));
      asked += octets.length;
    } else {
      packets.push(tcp(server, CLIENT, { seq: answered, ack: asked }, octets));
      answered += octets.length;
    }
  }
  return file(`${name}.pcap`, rawPcap(...packets));
}

const stacks = async (path: string): Promise<string[]> =>
  (await ours(path)).slice(3).map((s) => s.protocols.slice(3).join(':'));

/** A TLS record with so many octets of application data. */
const record = (n: number): Uint8Array => Uint8Array.from([23, 3, 3, n >> 8, n & 255, ...noise(n)]);

describe('behind a hole, as tshark', { skip: tsharkMissing }, () => {
  test('TLS: what goes on with no record that began is TLS', async () => {
    const octets = Buffer.concat([record(100), record(2995), record(2995), record(2995)]);
    const part = (from: number, to: number) => ['answers', octets.subarray(from, to)] as const;
    const path = stream(
      'tls-holes',
      443,
      part(0, 1105),
      ['answers', 1000],
      part(2105, 3105), // of the record that began
      part(3105, 4105), // another begins
      ['answers', 1000],
      part(5105, 6105), // goes on with it
      part(6105, 7105),
      part(7105, 8105),
    );
    assert.deepEqual(await differences(path, ['frame.protocols', 'tls.record.length']), []);
    assert.deepEqual(await stacks(path), ['tls', '', 'tls', '', 'tls', '']);
  });

  test('TLS: a record whose header was cut in two begins in the second segment', async () => {
    const octets = Buffer.concat([record(1092), record(1995)]);
    const path = stream(
      'tls-split',
      443,
      ...[octets.subarray(0, 1100), octets.subarray(1100, 2100), octets.subarray(2100)].map(
        (part) => ['answers', part] as const,
      ),
    );
    assert.deepEqual(await differences(path, ['frame.protocols', 'tls.record.length']), []);
    assert.deepEqual((await stacks(path))[1], 'tls');
  });

  test('HTTP: what follows a body of known length is HTTP, what is left of it is not', async () => {
    const body = (n: number): Uint8Array => Buffer.concat([noise(n - 1), text('\n')]);
    const path = stream(
      'http-holes',
      80,
      ['asks', text('GET / HTTP/1.1\r\nHost: www.example\r\n\r\n')],
      ['answers', Buffer.concat([text('HTTP/1.1 200 OK\r\nContent-Length: 3000\r\n\r\n'), body(1000)])],
      ['answers', 1000],
      ['answers', body(1000)],
      ['answers', 1000],
      ['answers', body(500)],
      ['answers', body(600)],
    );
    assert.deepEqual(await differences(path, ['frame.protocols', 'data.len']), []);
    assert.deepEqual(await stacks(path), ['http', '', '', 'http:data', 'http:data']);
  });

  test('HTTP behind a handshake that nobody knows', async () => {
    const path = stream(
      'http-later',
      1081,
      ['asks', Uint8Array.of(5, 1, 0)],
      ['answers', Uint8Array.of(5, 0)],
      ['asks', Uint8Array.of(5, 1, 0, 1, 192, 0, 2, 9, 0, 80)],
      ['answers', Uint8Array.of(5, 0, 0, 1, 192, 0, 2, 2, 200, 0)],
      ['asks', text('GET / HTTP/1.1\r\nHost: www.example\r\n\r\n')],
      ['answers', text('HTTP/1.1 204 No Content\r\n\r\n')],
    );
    assert.deepEqual(await differences(path, ['frame.protocols', 'http.host', 'http.response.code']), []);
    assert.deepEqual((await stacks(path)).slice(-2), ['http', 'http']);
  });

  test('octets of nobody are shown at once, and once', async () => {
    const path = stream(
      'nobodys-holes',
      12_345,
      ['asks', noise(20)],
      ['answers', noise(30)],
      ['answers', 100],
      ['answers', noise(40)],
      ['answers', 100],
      ['answers', noise(50)],
      ['asks', noise(60)],
    );
    assert.deepEqual(await differences(path, ['frame.protocols', 'data.len']), []);
    assert.deepEqual(await stacks(path), ['data', 'data', 'data', 'data', 'data']);
    const server = at('192.0.2.2', 12_345);
    const late = [500, 600, 550, 700].map((seq) => tcp(server, CLIENT, { seq, ack: 100 }, noise(50)));
    const opened = [
      tcp(CLIENT, server, { seq: 99, flags: 2 }, NONE),
      tcp(server, CLIENT, { seq: 499, ack: 100, flags: 18 }, NONE),
      tcp(CLIENT, server, { seq: 100, ack: 500 }, NONE),
    ];
    const second = file('nobodys-late.pcap', rawPcap(...opened, ...late));
    assert.deepEqual((await stacks(second)).slice(1), ['data', 'data', 'data']);
  });

  test('HTTP: what the first answer goes on with is HTTP', async () => {
    const path = stream(
      'http-first',
      80,
      ['asks', text('GET / HTTP/1.1\r\nHost: www.example\r\n\r\n')],
      ['answers', 1000],
      ['answers', Buffer.concat([noise(99), text('\n')])],
      ['asks', text('GET /2 HTTP/1.1\r\nHost: www.example\r\n\r\n')],
      ['answers', text('HTTP/1.1 204 No Content\r\n\r\n')],
    );
    assert.deepEqual(await differences(path, ['frame.protocols', 'data.len', 'http.response.code']), []);
    assert.deepEqual(await stacks(path), ['http', 'http:data', 'http', 'http']);
  });

  test('HTTP: an answer behind a hole is shown where it is whole, and once', async () => {
    const path = stream(
      'http-answers',
      80,
      ['asks', text('GET / HTTP/1.1\r\nHost: www.example\r\n\r\n')],
      ['answers', 1000],
      ['answers', Buffer.concat([noise(99), text('\n')])],
      ['asks', text('GET /2 HTTP/1.1\r\nHost: www.example\r\n\r\n')],
      ['answers', 500],
      ['answers', text('HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nContent-Length: 4\r\n\r\nbody')],
      ['asks', text('GET /3 HTTP/1.1\r\nHost: www.example\r\n\r\n')],
      ['answers', text('HTTP/1.1 204 No Content\r\n\r\n')],
      ['asks', text('GET /4 HTTP/1.1\r\nHost: www.example\r\n\r\n')],
    );
    assert.deepEqual(await differences(path, ['frame.protocols', 'http.response.code', 'http.request.uri']), []);
    assert.deepEqual(
      (await stacks(path)).map((s) => s.split(':')[0]),
      Array<string>(7).fill('http'),
    );
  });

  test('what was shown as data is still read with the octets before it', async () => {
    const message = text(
      'OPTIONS sip:b@x SIP/2.0\r\nVia: SIP/2.0/TCP x;branch=z9hG4bK1\r\nFrom: <sip:a@x>;tag=1\r\nTo: <sip:b@x>\r\n' +
        'Call-ID: 1@x\r\nCSeq: 1 OPTIONS\r\nContent-Type: x/y\r\nContent-Length: 40\r\n\r\n',
    );
    const server = at('192.0.2.2', 12_345);
    const packets = [
      tcp(CLIENT, server, { seq: 99, flags: 2 }, NONE),
      tcp(server, CLIENT, { seq: 499, ack: 100, flags: 18 }, NONE),
      tcp(CLIENT, server, { seq: 100, ack: 500 }, NONE),
      tcp(CLIENT, server, { seq: 100 + message.length, ack: 500 }, noise(40)),
      tcp(CLIENT, server, { seq: 100, ack: 500 }, message),
    ];
    assert.deepEqual(await stacks(file('sip-late.pcap', rawPcap(...packets))), ['data', 'sip']);
  });
});
