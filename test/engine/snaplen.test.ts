import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fieldText } from '../../src/report/value.js';
import { at, udp } from '../build/packets.js';
import { file, rawPcap } from '../cli/run.js';
import { octets } from '../dissectors/rtp/world.js';
import { captureBesideTshark, Talk } from '../support/beside-tshark.js';
import { forRows } from '../support/rows.js';
import { tsharkMissing } from '../support/tshark.js';

/*
 * Frames that the snaplen cut, as tshark 4.0.17 has them: a message is there as far as it was captured, and the layer says
 * that it goes on. What stands behind it in a stream is not waited for.
 */

const RECORD = 16;
const GLOBAL = 24;
const FIELDS = ['_ws.short', '_ws.malformed', '_ws.expert.message'];

/** A capture of IP packets of which so many octets were kept. */
function cut(snaplen: number, packets: readonly Uint8Array[]): Buffer {
  const whole = rawPcap(...packets);
  const parts = [whole.subarray(0, GLOBAL)];
  let from = GLOBAL;
  for (const { length } of packets) {
    const kept = Math.min(length, snaplen);
    const head = Buffer.from(whole.subarray(from, from + RECORD));
    head.writeUInt32LE(kept, 8);
    parts.push(head, whole.subarray(from + RECORD, from + RECORD + kept));
    from += RECORD + length;
  }
  return Buffer.concat(parts);
}

const beside = async (
  packets: readonly Uint8Array[],
  snaplens: readonly number[],
  fields: readonly string[] = FIELDS,
): Promise<void> => {
  for (const snaplen of snaplens) await captureBesideTshark(cut(snaplen, packets), fields);
};

const lines = (...l: readonly string[]): Buffer => Buffer.from(`${l.join('\r\n')}\r\n\r\n`);
const [A, B] = [at('192.0.2.1', 50_000), at('192.0.2.2', 0)];
const to = (port: number): typeof B => ({ ...B, port });

const OPTIONS = lines(
  'OPTIONS sip:b@example.com SIP/2.0',
  'Via: SIP/2.0/UDP 192.0.2.1:50000;branch=z9hG4bK1',
  'From: <sip:a@example.com>;tag=1',
  'To: <sip:b@example.com>',
  'Call-ID: cut@192.0.2.1',
  'CSeq: 1 OPTIONS',
  'Max-Forwards: 70',
  'Content-Length: 0',
);

test('a SIP message is there as far as it was captured', { skip: tsharkMissing }, () =>
  beside([udp(A, to(5060), OPTIONS)], [90, 120, 200, 290]),
);

test('datagrams are known by how long they were on the wire', { skip: tsharkMissing }, async () => {
  const report = octets(`80c80006 11223344 e9000000 00000000 00000100 00000001 000000a0`);
  const hello = octets(`16 fefd 0000 000000000000 0040 01 000034 0000 000000 000034 fefd ${'ab'.repeat(62)}`);
  const binding = octets(`0001 0008 ${'11'.repeat(16)} 0003 0004 00000000`);
  const name = octets(`0001 0110 0001 0000 0000 0000 20 ${'41'.repeat(32)} 00 0020 0001`);
  const query = octets('0000 0000 0001 0000 0000 0000 05 6c6f63616c 00 000c 0001');
  const talk = (port: number, payload: Uint8Array): Uint8Array => udp({ ...A, port: port + 2 }, to(port), payload);
  await beside([talk(30_001, report)], [38, 44, 50]);
  await beside([talk(40_000, hello)], [60, 80]);
  await beside([talk(41_000, binding)], [50]);
  await beside([udp({ ...A, port: 137 }, to(137), name)], [40, 60]);
  await beside([udp({ ...A, port: 5353 }, at('224.0.0.251', 5353), query)], [46]);
});

/** What is read of a capture that was cut. */
async function read(snaplen: number, packets: readonly Uint8Array[]): Promise<Map<string, string[]>> {
  const values = new Map<string, string[]>();
  await forRows(file('cut.pcap', cut(snaplen, packets)), {}, ({ dissection: { tree } }) => {
    for (let i = 0; i < tree.length; i++) {
      const { name } = tree.field(i);
      values.set(name, [...(values.get(name) ?? []), fieldText(tree, i)]);
    }
  });
  return values;
}

// tshark shows no header of a message that was cut.
test('of a SIP message that was cut all whole headers are read, and none that may go on', async () => {
  const packets = [udp(A, to(5060), OPTIONS)];
  const at = (word: string): number => 28 + OPTIONS.indexOf(word) + word.length;
  const inside = await read(at('Call-ID: cut@'), packets);
  assert.deepEqual(inside.get('sip.To'), ['<sip:b@example.com>']);
  assert.equal(inside.get('sip.Call-ID'), undefined);
  assert.equal(inside.get('sip.msg_body'), undefined);
  assert.deepEqual((await read(at('CSeq: 1'), packets)).get('sip.Call-ID'), ['cut@192.0.2.1']);
});

test('octets of a TLS connection that are less than the header of a record', { skip: tsharkMissing }, () => {
  const talk = new Talk([A, to(443)]);
  talk.say(0, octets(`16 0301 0040 01 00003c 0303 ${'ab'.repeat(58)}`));
  return beside(talk.packets, [42, 44]);
});

test('a body of HTTP goes on in segments that were cut', { skip: tsharkMissing }, () => {
  const talk = new Talk([A, to(80)]);
  talk.say(0, lines('GET /page HTTP/1.1', 'Host: www.example.com'));
  const body = 'one line\n'.repeat(300);
  talk.say(1, lines('HTTP/1.1 200 OK', `Content-Length: ${body.length}`), body.slice(0, 1300), body.slice(1300));
  // Of lines of text tshark says that they were cut, of other octets it does not: we say it of neither.
  return beside(talk.packets, [58, 70], ['http.response.code', '_ws.expert.message']);
});

test('in a TLS connection every segment that was cut is looked at for itself', { skip: tsharkMissing }, () => {
  const talk = new Talk([A, to(443)]);
  const padding = `0015 000d ${'00'.repeat(13)}`;
  const hello = octets(`16 0301 0040 01 00003c 0303 ${'ab'.repeat(32)} 00 0002 1301 01 00 0011 ${padding}`);
  const answer = octets(`16 0303 0030 02 00002c 0303 ${'cd'.repeat(32)} 00 1301 00 0004 0017 0000`);
  const record = Buffer.concat([octets('17 0303 0300'), Buffer.alloc(0x300, 0xc5)]);
  talk.say(0, hello);
  talk.say(1, answer);
  talk.say(0, record.subarray(0, 300), record.subarray(300, 600), record.subarray(600), record);
  // Of a record that goes on in another segment tshark shows nothing: we show as much as was captured.
  return beside(talk.packets, [90, 120], ['_ws.malformed', '_ws.expert.message']);
});

test('a request of HTTP that was cut behind another one, and packets of SSH', { skip: tsharkMissing }, async () => {
  const web = new Talk([A, to(80)]);
  const get = lines(`GET /${'long'.repeat(30)} HTTP/1.1`, 'Host: www.example.com');
  web.say(0, get, get);
  await beside(web.packets, [58, 90], [...FIELDS, 'http.request.method', 'http.request.uri']);
  const shell = new Talk([A, to(22)]);
  shell.say(0, 'SSH-2.0-one\r\n', Buffer.concat([octets('000000fc 06 14'), Buffer.alloc(250, 0x61)]));
  await beside(shell.packets, [60, 90]);
});
