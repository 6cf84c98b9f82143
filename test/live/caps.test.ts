import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LIMITS } from '../../src/limits.js';
import { address } from '../../src/live/address.js';
import { hostDiscards } from '../../src/live/discard-words.js';
import { IpHost } from '../../src/live/host.js';
import { fragments, icmpErrorPacket, type ReadPacket, readPacket, udpPacket } from '../../src/live/ip-packet.js';
import { seededRandom } from '../../src/live/random.js';
import { Lines } from '../../src/live/scenario-lines.js';
import { SipLayer } from '../../src/live/sip/layer.js';
import { RFC_TIMERS, type SipTransport } from '../../src/live/sip/transport.js';
import { LearningSwitch } from '../../src/live/tun-learn.js';
import { VirtualClock } from './clock.js';
import { portPair } from './port-pair.js';

/** Reaching a cap of the live parts is told, never silent. */

function host() {
  const sent: Uint8Array[] = [];
  const h = new IpHost({ families: [4], random: seededRandom(1), send: (p) => sent.push(p.slice()) });
  h.addAddress({ address: address('10.0.0.1'), prefixLength: 24 });
  return { h, sent };
}

test('a host tells how many parts of datagrams it gave up', () => {
  const { h } = host();
  const wholes = LIMITS.hostFragmented + 6;
  for (let i = 0; i < wholes; i++) {
    const datagram = udpPacket(
      { src: address('10.0.0.2'), dst: address('10.0.0.1'), id: i },
      1,
      2,
      new Uint8Array(1000),
    );
    h.handle(fragments(datagram, 600, 0)![0], 1); // the second part never comes
  }
  assert.equal(h.counters.fragments, 6);
  assert.equal(hostDiscards(h.counters), '6 parts of datagrams that did not become whole');
});

test('a host forgets the path that it learnt first for one more, and tells it', () => {
  const { h, sent } = host();
  const socket = h.udp(4000, () => undefined);
  const paths = Array.from({ length: LIMITS.hostPaths + 1 }, (_, i) => address(`10.1.${i >> 8}.${i & 255}`));
  for (const dst of paths) {
    socket.send(dst, 9, new Uint8Array(1000));
    const narrow = { type: 3, code: 4, word: 600 };
    h.handle(icmpErrorPacket(readPacket(sent.at(-1)!) as ReadPacket, address('10.0.0.9'), narrow)!, 0);
  }
  const pieces = (dst: Uint8Array): number => {
    sent.length = 0;
    socket.send(dst, 9, new Uint8Array(1000));
    return sent.length;
  };
  assert.deepEqual([pieces(paths[0]), pieces(paths[1]), pieces(paths.at(-1)!)], [1, 2, 2]);
  assert.equal(hostDiscards(h.counters), '1 MTUs of paths, as 256 are known');
});

test('a switch that knows too many addresses says so, once', () => {
  const [device, kernel] = portPair();
  const [near, far] = portPair();
  const [other, ue] = portPair();
  let [told, heard] = [0, 0];
  const joined = new LearningSwitch(device, () => told++);
  joined.attach(near);
  joined.attach(other);
  ue.onPacket(() => heard++);
  const packet = Buffer.alloc(20);
  packet[0] = 0x45;
  for (let i = 0; i < LIMITS.learntAddresses + 2; i++) {
    packet.writeUInt32BE(0x0a000001 + i, 12);
    far.send(packet);
  }
  assert.equal(told, 1);
  packet.writeUInt32BE(0x0a000001, 16);
  kernel.send(packet);
  assert.equal(heard, 0); // learnt: for the first tunnel alone
  packet.writeUInt32BE(0x0a000001 + LIMITS.learntAddresses, 16);
  kernel.send(packet);
  assert.equal(heard, 1);
});

test('a SIP element that answers as many requests as it can says so, once', () => {
  const transport: SipTransport = {
    onOctets: undefined,
    local: () => undefined,
    send: () => undefined,
    close: () => undefined,
  };
  const layer = new SipLayer({ transport, clock: new VirtualClock(), random: seededRandom(1), timers: RFC_TIMERS });
  const told: number[] = [];
  layer.onFull = (most) => told.push(most);
  const from = { address: address('10.0.0.2'), port: 5060 };
  for (let i = 0; i < LIMITS.sipTransactions + 3; i++) {
    const lines = [
      'OPTIONS sip:a@b SIP/2.0',
      `Via: SIP/2.0/UDP 10.0.0.2;branch=z9hG4bK${i}`,
      'From: <sip:c@d>;tag=1',
      'To: <sip:a@b>',
      `Call-ID: ${i}`,
      'CSeq: 1 OPTIONS',
      '',
      '',
    ];
    transport.onOctets!(Buffer.from(lines.join('\r\n')), from);
  }
  assert.deepEqual([told, layer.counters.refused], [[LIMITS.sipTransactions], 3]);
  layer.close();
});

test('an expectation that fails says that lines before are kept no more', async () => {
  const lines = new Lines(new VirtualClock(), () => undefined, 'tunnel ended');
  lines.tell('the first');
  for (let i = 0; i < LIMITS.liveLines; i++) lines.tell(`line ${i}`);
  const failed = assert.rejects(lines.expect(/^the first/, 1000), {
    message: 'no line like ^the first (of the last 10000: 1 before them are kept no more); the tunnel ended',
  });
  lines.tell('tunnel ended');
  await failed;
});
