import assert from 'node:assert/strict';
import { test } from 'node:test';
import { at, tcp } from '../build/packets.js';
import { file, rawPcap, run } from '../cli/run.js';
import { captureBesideTshark } from '../support/beside-tshark.js';
import { tsharkMissing } from '../support/tshark.js';

const UE = at('192.0.2.1', 40_000);

/**
 * A capture in which a server says `said`, is asked twice for it by duplicate acknowledgments, and says it again `millis`
 * after the last of them.
 */
function askedFor(port: number, asked: string, said: readonly Uint8Array[], millis: number): Buffer {
  const server = at('192.0.2.2', port);
  const open = 1001 + asked.length;
  const up = (flags: number, seq: number, ack: number, octets = '') =>
    tcp(UE, server, { flags, seq, ack }, Buffer.from(octets));
  const down = (flags: number, seq: number, octets: Uint8Array = Buffer.alloc(0)) =>
    tcp(server, UE, { flags, seq, ack: flags === 18 ? 1001 : open }, octets);
  const packets = [up(2, 1000, 0), down(18, 5000), up(16, 1001, 5001), up(24, 1001, 5001, asked)];
  const again: Uint8Array[] = [];
  let seq = 5001;
  for (const octets of said) {
    packets.push(down(24, seq, octets));
    again.push(down(24, seq, octets));
    seq += octets.length;
  }
  packets.push(up(16, open, 5001), up(16, open, 5001), up(16, open, 5001));
  const before = packets.length;
  packets.push(again[0]);
  const capture = rawPcap(...packets);
  for (let i = 0, o = 24; o < capture.length; i++, o += 16 + capture.readUInt32LE(o + 8)) {
    capture.writeUInt32LE(1_700_000_000, o);
    capture.writeUInt32LE(1000 * (i < before ? 10 * i : 10 * (before - 1) + millis), o + 4);
  }
  return capture;
}

const record = (n: number): Buffer => Buffer.from(`17030300${n.toString(16).padStart(2, '0')}${'5a'.repeat(n)}`, 'hex');
const OK = Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi');

test('what a fast retransmission repeats is shown again, as in tshark', { skip: tsharkMissing }, async () => {
  const fields = ['http.response.code', 'tls.record.content_type', 'tls.record.length', 'data.len'];
  const hello = `\x16\x03\x01\0\x2d\x01\0\0\x29\x03\x03${'r'.repeat(32)}\0\0\x02\x13\x01\x01\0`;
  for (const [port, asked, said, layers] of [
    [80, 'GET / HTTP/1.1\r\n\r\n', [OK], 'tcp:http:data'],
    [8443, hello, [Buffer.concat([record(16), record(20)])], 'tcp:tls'],
    [9999, 'hello', [Buffer.from('world')], 'tcp:data'],
    // The message is not whole in the segment.
    [80, 'GET / HTTP/1.1\r\n\r\n', [OK.subarray(0, 20), OK.subarray(20)], 'tcp'],
    [8443, hello, [record(200).subarray(0, 100), record(200).subarray(100)], 'tcp'],
  ] as const) {
    const fast = await captureBesideTshark(askedFor(port, asked, said, 5), fields);
    assert.equal(fast.at(-1), layers);
    const late = await captureBesideTshark(askedFor(port, asked, said, 30), fields);
    assert.equal(late.at(-1), 'tcp');
  }
});

test('a message that is shown again was sent once', () => {
  const message = [
    'MESSAGE sip:ue@192.0.2.1 SIP/2.0',
    'Via: SIP/2.0/TCP 192.0.2.2;branch=z9hG4bKa',
    'From: <sip:a@ims.example>;tag=1',
    'To: <sip:b@ims.example>',
    'Call-ID: once',
    'CSeq: 1 MESSAGE',
    'Content-Length: 0',
  ].join('\r\n');
  const capture = askedFor(5060, '\r\n\r\n', [Buffer.from(`${message}\r\n\r\n`)], 5);
  const path = file('again.pcap', capture);
  const shown = run(['read', path, '-T', 'fields', '-e', 'sip.CSeq.method']).out;
  assert.equal(shown.trim().split(/\s+/).length, 2);
  const { messages } = JSON.parse(run(['report', path]).out);
  assert.deepEqual(
    messages.map((m: { rows: string[] }) => m.rows),
    [['5']],
  );
});
