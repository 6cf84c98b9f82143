import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { address, at, ip, udp } from '../../build/packets.js';
import { besideTshark, Talk } from '../../support/beside-tshark.js';
import { tsharkMissing } from '../../support/tshark.js';
import { octets } from '../rtp/world.js';

const zeros = (n: number): string => '00'.repeat(n);

describe('telephony beside SIP, and what leads to media, as tshark', { skip: tsharkMissing }, () => {
  test('RTP is where phones of Cisco are told to send it', async () => {
    const phones = [at('192.0.2.1', 50_000), at('192.0.2.9', 2000)] as const;
    /** Data of a message, of a version with addresses of one family and of one with both. */
    const message = (version: string, id: string, data: string): Uint8Array => {
      const n = octets(data).length + 4;
      return octets(`${n.toString(16).padStart(2, '0')}000000 ${version}000000 ${id}000000 ${data}`);
    };
    const talk = new Talk(phones);
    // OpenReceiveChannelAck of 192.0.2.1 port 20000, StartMediaTransmission to 192.0.2.2 port 30000
    talk.say(0, message('14', '22', `00000000 00000000 c0000201 ${zeros(12)} 204e0000 01000000 01000000`));
    talk.say(1, message('00', '8a', `01000000 01000000 c0000202 30750000 14000000 04000000 ${zeros(80)}`));
    const rtp = (sequence: string) => octets(`8000 ${sequence} 00000000 00000001 ${zeros(160)}`);
    const packets = [
      ...talk.packets,
      udp(at('192.0.2.3', 40_000), at('192.0.2.1', 20_000), rtp('0001')),
      udp(at('192.0.2.4', 40_000), at('192.0.2.2', 30_000), rtp('0002')),
      udp(at('192.0.2.4', 40_000), at('192.0.2.2', 30_002), rtp('0003')),
    ];
    const stacks = await besideTshark(packets, ['rtp.seq', 'rtp.setup-frame', 'rtp.setup-method']);
    assert.deepEqual(stacks.slice(3), ['tcp:skinny', 'tcp:skinny', 'udp:rtp', 'udp:rtp', 'udp:data']);
  });

  test('call signalling of H.323', async () => {
    const talk = new Talk([at('192.0.2.1', 50_000), at('192.0.2.9', 1720)]);
    // Q.931: status enquiry without and release complete with a display, a cause, and no user-user element.
    talk.say(0, octets('03000009 08 02 0001 75'), octets('03000010 08 02 0001 5a 08 02 8090 2801 41'));
    const stacks = await besideTshark(talk.packets, ['tcp.reassembled.length']);
    assert.deepEqual(stacks.slice(3), ['tcp:q931:q931', 'tcp:q931:q931']);
  });

  test('packets behind the header of LISP, and SCTP in UDP', async () => {
    const inner = ip(address('192.0.2.3'), address('192.0.2.4'), 47, octets(`0000 88b5 ${zeros(20)}`));
    const lisp = (packet: Uint8Array) =>
      udp(at('192.0.2.1', 50_000), at('192.0.2.2', 4341), Buffer.concat([octets('c0 000001 00000001'), packet]));
    const init = octets('00078e3c 01020304 a1b2c3d4 03000010 00000001 0001a000 00000000');
    const stacks = await besideTshark(
      [
        lisp(inner),
        lisp(udp(at('192.0.2.3', 41_000), at('192.0.2.4', 42_000), octets('01020304'))),
        udp(at('192.0.2.1', 9899), at('192.0.2.2', 9899), init),
      ],
      ['ip.src', 'gre.proto', 'udp.stream', 'sctp.srcport'],
    );
    assert.deepEqual(stacks, ['udp:lisp-data:ip:gre:data', 'udp:lisp-data:ip:udp:data', 'udp:sctp']);
  });

  test('the header of a load balancer before what a client sends', async () => {
    const talk = new Talk([at('192.0.2.1', 50_000), at('192.0.2.2', 9001)]);
    talk.say(0, 'PROXY TCP4 198.51.100.1 198.51.100.2 56324 80\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n');
    const stacks = await besideTshark(talk.packets, ['http.host']);
    assert.deepEqual(stacks.slice(3), ['tcp:proxy:http']);
  });
});
