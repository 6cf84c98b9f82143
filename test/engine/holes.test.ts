import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fieldText } from '../../src/report/value.js';
import { ACK, at, SYN, tcp } from '../build/packets.js';
import { FrameSource, type RawFrame } from '../build/source.js';
import { forSource } from '../support/rows.js';

/*
 * TCP streams of which octets are missing, because the capture cut segments or lacks them. Stacks and values are those
 * of tshark 4.0.17 on the same octets, but where it says otherwise.
 */

const RAW = 101;
const CLIENT = at('192.0.2.1', 40_000);
const SERVER = at('198.51.100.1', 80);

/** One direction of a connection as it is captured. */
class Sender {
  private seq = 1000;
  constructor(
    private readonly from: typeof CLIENT,
    private readonly to: typeof CLIENT,
  ) {}
  open(flags: number): RawFrame {
    const frame = { octets: tcp(this.from, this.to, { seq: this.seq, flags }, new Uint8Array(0)) };
    this.seq++;
    return frame;
  }
  /** A segment of text, captured up to `kept` octets of it. */
  send(text: string, kept = text.length, flags = ACK): RawFrame {
    const whole = tcp(this.from, this.to, { seq: this.seq, ack: 1001, flags }, Buffer.from(text, 'latin1'));
    this.seq += text.length;
    return { octets: whole.subarray(0, whole.length - text.length + kept), wire: whole.length };
  }
}

const pair = (server = SERVER): [Sender, Sender] => [new Sender(CLIENT, server), new Sender(server, CLIENT)];

/** Stack of each frame from IP on, and the values of a field. */
async function see(frames: readonly RawFrame[], field = ''): Promise<[string[], string[]]> {
  const stacks: string[] = [];
  const values: string[] = [];
  await forSource(new FrameSource(frames, RAW), {}, ({ dissection: { protocols, tree } }) => {
    stacks.push(protocols.join(':').replace(/^raw:/, ''));
    for (let i = 0; i < tree.length; i++) if (tree.field(i).name === field) values.push(fieldText(tree, i));
  });
  return [stacks, values];
}

const HEAD = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n';

describe('HTTP', () => {
  test('the answer to a HEAD has no body, whatever it says', async () => {
    const [up, down] = pair();
    const asks = (method: string) => up.send(`${method} / HTTP/1.1\r\nHost: h\r\n\r\n`);
    const frames = [
      up.open(SYN),
      down.open(SYN | ACK),
      asks('HEAD'),
      down.send(HEAD),
      asks('GET'),
      down.send(`${HEAD}hello`),
      asks('HEAD'),
      asks('GET'),
      down.send(`${HEAD}${HEAD}world`),
    ];
    const [stacks, codes] = await see(frames, 'http.response.code');
    assert.deepEqual(codes, ['200', '200', '200', '200']);
    assert.equal(stacks[3], 'ip:tcp:http');
    assert.equal(stacks[5], 'ip:tcp:http:data');
    assert.equal(stacks[8], 'ip:tcp:http:data');
  });

  test('a message that the capture cut is shown as far as it is there', async () => {
    const [up, down] = pair();
    const frames = [
      up.open(SYN),
      down.open(SYN | ACK),
      up.send('GET /a/b HTTP/1.1\r\nHost: h\r\n\r\n', 12),
      down.send('HTTP/1.1 200 OK\r\nServer: abcdef\r\nContent-Length: 5\r\n\r\nhello', 27),
      down.send('HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n'),
    ];
    const [stacks, marks] = await see(frames, '_ws.short');
    assert.deepEqual(stacks.slice(2), ['ip:tcp:http', 'ip:tcp:http', 'ip:tcp:http']);
    assert.equal(marks.length, 2);
    assert.deepEqual((await see(frames, 'http.request.uri'))[1], ['/a/b']);
    assert.deepEqual((await see(frames, 'http.server'))[1], ['ab']);
    assert.deepEqual((await see(frames, 'http.response.code'))[1], ['200', '404']);
  });

  const answer = (code: number, more = '') => `HTTP/1.1 ${code} X\r\nContent-Length: 0\r\n\r\n${more}`;

  test('a message behind a hole is shown in its own frame, once', async () => {
    const [, down] = pair();
    const [first, lost, third, fourth] = [
      down.send(answer(200)),
      down.send(answer(201)),
      down.send(answer(202) + answer(203, 'HTTP/1.1 20')),
      down.send('4 X\r\nContent-Length: 0\r\n\r\n'),
    ] as const;
    const never = await see([first, third, fourth], 'http.response.code');
    assert.deepEqual(never[0], ['ip:tcp:http', 'ip:tcp:http', 'ip:tcp']);
    assert.deepEqual(never[1], ['200', '202', '203']);
    // tshark puts no segments together that come out of order; here what is left of them is, once the hole is filled.
    const late = await see([first, third, fourth, lost], 'http.response.code');
    assert.deepEqual(late[0], ['ip:tcp:http', 'ip:tcp:http', 'ip:tcp', 'ip:tcp:http:http']);
    assert.deepEqual(late[1], ['200', '202', '203', '201', '204']);
  });

  test('what goes on with a message behind a hole waits', async () => {
    const [, down] = pair();
    const [first, , third] = [down.send(`${HEAD}he`), down.send('ll'), down.send('o')];
    assert.deepEqual((await see([first, third]))[0], ['ip:tcp', 'ip:tcp']);
  });
});

describe('a proxy', () => {
  test('answers a CONNECT that the snaplen cut, and what follows is a tunnel', async () => {
    const [up, down] = pair(at('198.51.100.1', 8080));
    const record = `\x17\x03\x03\x00\x20${'x'.repeat(32)}`;
    const connect = `CONNECT eftf.example:443 HTTP/1.1\r\nUser-Agent: ${'x'.repeat(200)}\r\n\r\n`;
    const hello = `\x16\x03\x01\x00\x31\x01\x00\x00\x2d\x03\x03${'r'.repeat(32)}\x00\x00\x02\x13\x01\x01\x00\x00\x00`;
    const frames = [
      up.open(SYN),
      down.open(SYN | ACK),
      up.send(connect, 60),
      down.send('HTTP/1.1 200 Connection established\r\n\r\n'),
      up.send(hello),
      down.send(record),
      up.send(record),
    ];
    const [stacks, codes] = await see(frames, 'http.response.code');
    assert.deepEqual(codes, ['200']);
    assert.deepEqual(stacks.slice(2), ['ip:tcp:http', 'ip:tcp:http', ...Array(3).fill('ip:tcp:http:tls')]);
    assert.deepEqual((await see(frames, 'http.proxy_connect_host'))[1].slice(0, 1), ['eftf.example']);
  });
});

describe('TLS without keys', () => {
  const record = (n: number, type = 23): string => String.fromCharCode(type, 3, 3, 0, n) + 'x'.repeat(n);

  test('records behind a hole are shown in their own frame, once', async () => {
    const [, down] = pair(at('198.51.100.1', 443));
    const [first, lost, third, fourth] = [
      down.send(record(10) + record(11)),
      down.send(record(12)),
      down.send(record(13) + record(14)),
      down.send(record(15)),
    ] as const;
    const lengths = async (...frames: RawFrame[]) => (await see(frames, 'tls.record.length'))[1];
    assert.deepEqual(await lengths(first, third, fourth), ['10', '11', '13', '14', '15']);
    assert.deepEqual(await lengths(first, third, fourth, lost), ['10', '11', '13', '14', '15', '12']);
    const [stacks] = await see([first, third, fourth, lost]);
    assert.deepEqual(new Set(stacks), new Set(['ip:tcp:tls']));
  });

  test('of segments that a snaplen cut, each shows the record that it begins with', async () => {
    const [, down] = pair(at('198.51.100.1', 443));
    const frames = [
      down.send(record(10)),
      down.send(record(100) + record(101), 30), // the rest of both is missing
      down.send(record(102) + record(103), 30),
      down.send(record(104), 4),
      down.send('x'.repeat(100), 30), // goes on with a record, perhaps
      down.send(record(105), 30),
      down.send(record(106)),
    ];
    assert.deepEqual((await see(frames, 'tls.record.length'))[1], ['10', '100', '102', '105', '106']);
  });
});

describe('what nobody knows', () => {
  test('is data at once where it begins neither like TLS nor like an envelope, on the port of TLS too', async () => {
    const [up, down] = pair(at('198.51.100.1', 443));
    const frames = [up.open(SYN), down.open(SYN | ACK), up.send('SSH-2.0-OpenSSH_9.2\r\n'), down.send('\x16\x03')];
    assert.deepEqual((await see(frames))[0].slice(2), ['ip:tcp:data', 'ip:tcp:tls']); // as tshark
    const [client, server] = pair(at('198.51.100.1', 443));
    const envelope = [client.open(SYN), server.open(SYN | ACK), client.send('\x01\x00\x30\x45')];
    assert.equal((await see(envelope))[0][2], 'ip:tcp');
  });
});
