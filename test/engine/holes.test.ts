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
    for (let i = 0; i < tree.length; i++) if (tree.field[i]!.name === field) values.push(fieldText(tree, i));
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
});
