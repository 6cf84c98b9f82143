import assert from 'node:assert/strict';
import { test } from 'node:test';
import { address } from '../../../src/live/address.js';
import { udpPacket } from '../../../src/live/ip-packet.js';
import { seededRandom } from '../../../src/live/random.js';
import { bindingRequest, KeepAlive, keepAliveAnswer, mappedAddress } from '../../../src/live/sip/keep-alive.js';
import { VirtualClock } from '../clock.js';
import { noTshark, tsharkFields } from '../tshark.js';

const octets = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex.replace(/\s/g, ''), 'hex'));

function flow(stream: boolean) {
  const clock = new VirtualClock();
  const sent: { at: number; octets: Uint8Array }[] = [];
  const events: string[] = [];
  const keep = new KeepAlive({
    clock,
    random: seededRandom(1),
    stream,
    send: (o) => sent.push({ at: clock.now(), octets: o }),
    onEvent: (e) => events.push(e),
  });
  return { clock, sent, events, keep };
}

test('a mapped address is masked as the test vectors of RFC 5769 have it', () => {
  // RFC 5769 §2.2, header and XOR-MAPPED-ADDRESS of the response: 192.0.2.1 port 32853
  const response = octets('0101 000c 2112a442 b7e7a701bc34d686fa87dfae 0020 0008 0001 a147 e112a643');
  assert.equal(mappedAddress(response), '192.0.2.1 32853');
  // RFC 5769 §2.3: 2001:db8:1234:5678:11:2233:4455:6677 port 32853
  const six = octets(
    '0101 0018 2112a442 b7e7a701bc34d686fa87dfae 0020 0014 0002 a147 0113a9faa5d3f179bc25f4b5bed2b9d9',
  );
  assert.equal(mappedAddress(six), '2001:db8:1234:5678:11:2233:4455:6677 32853');
});

test('a Binding request is answered with where it came from; other octets are not', () => {
  const request = bindingRequest(octets('b7e7a701bc34d686fa87dfae'));
  const answer = keepAliveAnswer(request, { address: address('192.0.2.1'), port: 32_853 })!;
  assert.equal(mappedAddress(answer), '192.0.2.1 32853');
  assert.equal(Buffer.from(answer.subarray(20, 32)).toString('hex'), '002000080001a147e112a643');
  assert.equal(keepAliveAnswer(answer, { address: address('192.0.2.1'), port: 1 }), undefined);
  for (let n = 0; n < request.length; n++)
    assert.equal(keepAliveAnswer(request.subarray(0, n), { address: address('192.0.2.1'), port: 1 }), undefined);
});

test('tshark reads both, fingerprint and all', { skip: noTshark }, () => {
  const request = bindingRequest(octets('b7e7a701bc34d686fa87dfae'));
  const answer = keepAliveAnswer(request, { address: address('2001:db8::9'), port: 4000 })!;
  const net = { src: address('10.0.0.1'), dst: address('10.0.0.2') };
  const rows = tsharkFields(
    [udpPacket(net, 4000, 3478, request), udpPacket(net, 3478, 4000, answer)],
    ['stun.type', 'stun.att.crc32.status', 'stun.att.ipv6', 'stun.att.port', '_ws.malformed'],
  );
  assert.deepEqual(rows, [
    ['0x0001', '1', '', '', ''],
    ['0x0101', '1', '2001:db8::9', '4000', ''],
  ]);
});

test('an unanswered Binding request is repeated seven times, then the flow is dead', () => {
  const x = flow(false);
  x.keep.start(100);
  x.clock.advance(200_000);
  const [first] = x.sent;
  assert.ok(first.at >= 80_000 && first.at <= 100_000);
  // RFC 8489 §6.2.1: 0, 500, 1500, 3500, 7500, 15500, 31500, and the end at 39500 ms
  assert.deepEqual(
    x.sent.map((s) => s.at - first.at),
    [0, 500, 1500, 3500, 7500, 15_500, 31_500],
  );
  assert.deepEqual(x.events, ['failed']);
});

test('another mapped address is told', () => {
  const x = flow(false);
  x.keep.start(10);
  for (const port of [1000, 1000, 2000]) {
    x.clock.advance(10_000);
    assert.equal(
      x.keep.receive(keepAliveAnswer(x.sent.at(-1)!.octets, { address: address('192.0.2.1'), port })!),
      true,
    );
  }
  assert.deepEqual([x.events, x.keep.answered], [['answered', 'address changed'], 3]);
});

test('on a stream an empty line goes every 95 to 120 seconds, and its answer comes within ten', () => {
  const x = flow(true);
  x.keep.start();
  assert.equal(x.keep.receive(Uint8Array.of(13, 10)), false); // nobody asked
  while (x.sent.length === 0 && x.clock.now() < 120_000) x.clock.advance(1000);
  assert.deepEqual([...x.sent[0].octets], [13, 10, 13, 10]); // RFC 5626 §4.4.1
  assert.ok(x.sent[0].at >= 95_000);
  assert.equal(x.keep.receive(Uint8Array.of(13, 10)), true);
  x.clock.advance(130_000);
  assert.equal(x.sent.length, 2);
  assert.deepEqual(x.events, ['answered', 'failed']);
});
