import assert from 'node:assert/strict';
import { test } from 'node:test';
import { at, udp } from '../../build/packets.js';
import { file, rawPcap } from '../../cli/run.js';
import { besideTshark } from '../../support/beside-tshark.js';
import { tsharkMissing } from '../../support/tshark.js';
import { ours } from '../bodies/wire.js';
import { octets } from '../rtp/world.js';

const FIELDS = ['tls.record.content_type', 'tls.record.version', 'tls.handshake.type', 'tls.handshake.random'];
const [CLIENT, SERVER] = [at('192.0.2.1', 40_000), at('192.0.2.2', 3389)];
const HELLO = `16 0303 002d 01 000029 0303 ${'ab'.repeat(32)} 00 0002 c02b 01 00`;

test('TLS in Remote Desktop over UDP, as tshark 4.0.17 reads it', { skip: tsharkMissing }, async () => {
  const stacks = await besideTshark(
    [
      udp(CLIENT, SERVER, octets(`ffffffff 0400 0001 c76d5c16 04d0 04d0 ${'00'.repeat(60)}`)),
      udp(SERVER, CLIENT, octets(`c76d5c16 0400 0005 9fd6752b 04d0 04d0 ${'00'.repeat(60)}`)),
      udp(CLIENT, SERVER, octets(`9fd6752b 0400 0008 c76d5c17 c76d5c17 ${HELLO}`)),
      udp(CLIENT, SERVER, octets('9fd6752b 0400 0004 0001 4c 00')),
    ],
    FIELDS,
  );
  assert.deepEqual(stacks, ['udp:rdpudp', 'udp:rdpudp', 'udp:rdpudp:tls', 'udp:rdpudp']);
});

// tshark 4.0.17 leaves out what fills the vector of acknowledgments up, and knows the second version by the SYN alone.
test('behind acknowledgments, and in the second version', async () => {
  const acknowledged = `9fd6752b 0400 000c 0000 0000 c76d5c17 c76d5c17 ${HELLO}`;
  const newer = `00 14c1 01f401 64 e0 6400 0100 ${HELLO}`;
  const packets = [acknowledged, newer].map((hex) => udp(CLIENT, SERVER, octets(hex)));
  const stacks = (await ours(file('rdpudp.pcap', rawPcap(...packets)))).map((s) => s.protocols.slice(2).join(':'));
  assert.deepEqual(stacks, ['udp:rdpudp:tls', 'udp:rdpudp:tls']);
});
