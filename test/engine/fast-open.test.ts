import { test } from 'node:test';
import { ip4 } from '../cli/run.js';
import { besideTshark } from '../support/beside-tshark.js';
import { tsharkMissing } from '../support/tshark.js';

/** A segment between port `from` and port `to`, `from` being the client's where `flags` are those of a SYN. */
function segment(ports: [number, number], seq: number, ack: number, flags: number, options: string, data = ''): Buffer {
  const list = Buffer.from(options, 'hex');
  const head = Buffer.alloc(20);
  head.writeUInt16BE(ports[0]);
  head.writeUInt16BE(ports[1], 2);
  head.writeUInt32BE(seq, 4);
  head.writeUInt32BE(ack, 8);
  head[12] = (5 + list.length / 4) << 4;
  head[13] = flags;
  head.writeUInt16BE(8192, 14);
  return Buffer.from(ip4(6, Buffer.concat([head, list, Buffer.from(data)])));
}

const MSS = '020405b4';
const COOKIE = '220a0102030405060708' + '0101';
const REQUEST = '2202' + '0101';

test('a SYN+ACK takes or leaves what a Fast Open SYN brought, as tshark says', { skip: tsharkMissing }, async () => {
  const packets: Buffer[] = [];
  let port = 40_000;
  const back = (b: Buffer): Buffer => {
    const turned = Buffer.from(b);
    b.copy(turned, 12, 16, 20);
    b.copy(turned, 16, 12, 16);
    return turned;
  };
  for (const options of [MSS, MSS + REQUEST, MSS + COOKIE])
    for (const data of ['', 'abcd'])
      for (const ack of [1001, 1005]) {
        port++;
        packets.push(segment([port, 80], 1000, 0, 2, options, data));
        packets.push(back(segment([80, port], 5000, ack, 18, MSS)));
      }
  await besideTshark(packets, ['_ws.expert.message', 'tcp.ack']);
});
