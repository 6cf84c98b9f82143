import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { at, PSH, tcp, udp } from '../build/packets.js';
import { file, rawPcap, run, tshark } from '../cli/run.js';
import { tsharkMissing } from '../support/tshark.js';

/* Outside of tunnels checksums are verified where a user asks for it, by the preferences that tshark has for it. */

const [A, B] = [at('192.0.2.1', 50_000), at('192.0.2.2', 40_000)];
const IP_CHECKSUM = 10;
const TCP_CHECKSUM = 20 + 16;
const UDP_CHECKSUM = 20 + 6;

const wrongAt = (packet: Uint8Array, place: number): Uint8Array => {
  const wrong = Uint8Array.from(packet);
  wrong[place] ^= 0x55;
  return wrong;
};
const SEGMENT = tcp(A, B, { seq: 1, ack: 1, flags: PSH }, Buffer.from('octets'));
const DATAGRAM = udp(A, B, Buffer.from('octets'));
const CAPTURE = file(
  'checksums.pcap',
  rawPcap(
    ...[SEGMENT, wrongAt(SEGMENT, IP_CHECKSUM), wrongAt(SEGMENT, TCP_CHECKSUM)],
    ...[DATAGRAM, wrongAt(DATAGRAM, IP_CHECKSUM), wrongAt(DATAGRAM, UDP_CHECKSUM)],
  ),
);
const STATUS = ['ip', 'tcp', 'udp'].flatMap((proto) => ['-e', `${proto}.checksum.status`]);
const FIELDS = ['-T', 'fields', ...STATUS, '-e', '_ws.expert.message'];
const verify = (...protos: readonly string[]): string[] => protos.flatMap((p) => ['-o', `${p}.check_checksum:TRUE`]);

const rows = (...options: readonly string[]): string => run(['read', '-q', CAPTURE, ...FIELDS, ...options]).out;

describe('checksums outside of tunnels', () => {
  for (const protos of [[], ['ip'], ['tcp'], ['udp'], ['ip', 'tcp', 'udp']])
    test(`verified: ${protos.join(', ') || 'none'}`, { skip: tsharkMissing }, () => {
      const expected = tshark(['-n', '-r', CAPTURE, ...FIELDS, ...verify(...protos)]);
      assert.equal(rows(...verify(...protos)), expected);
    });

  test('are verified where that is asked for, and the last word counts', () => {
    assert.doesNotMatch(rows(), /Bad checksum/);
    assert.equal(rows(...verify('tcp', 'udp')).match(/Bad checksum/g)?.length, 2);
    assert.equal(rows(...verify('tcp'), '-o', 'tcp.check_checksum:false'), rows());
  });

  test('are verified for a filter that asks for nothing else', () => {
    const bad = ['read', '-q', CAPTURE, '-Y', 'tcp.checksum_bad.expert', '-T', 'fields', '-e', 'frame.number'];
    assert.equal(run([...bad, ...verify('tcp')]).out, '3\n');
    assert.equal(run(bad).out, '');
  });

  test('are verified of what is decoded by itself, as of what ran in a tunnel', () => {
    const { out } = run(['decode', '--as', 'ip', Buffer.from(wrongAt(DATAGRAM, UDP_CHECKSUM)).toString('hex')]);
    assert.match(out, /Bad checksum/);
  });
});
