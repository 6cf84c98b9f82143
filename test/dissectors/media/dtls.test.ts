import assert from 'node:assert/strict';
import { test } from 'node:test';
import { No, Unsure, Yes } from 'fttscope/kit';
import { dtls } from '../../../dissectors/dtls/index.js';
import { rtcp } from '../../../dissectors/rtcp/index.js';
import { rtp } from '../../../dissectors/rtp.js';
import { at, udp } from '../../build/packets.js';
import { FrameSource } from '../../build/source.js';
import { forSource } from '../../support/rows.js';
import { octets, values, World } from '../rtp/world.js';

const hex4 = (n: number): string => n.toString(16).padStart(4, '0');
const hex6 = (n: number): string => n.toString(16).padStart(6, '0');
const size = (hex: string): number => octets(hex).length;

/** A record of the first epoch, RFC 6347 §4.1. */
const record = (type: number, body: string, epoch = 0): string =>
  `${type.toString(16)} fefd ${hex4(epoch)} 000000000005 ${hex4(size(body))} ${body}`;
/** A whole handshake message, RFC 6347 §4.2.2. */
const message = (type: number, body: string): string =>
  `${type.toString(16).padStart(2, '0')} ${hex6(size(body))} 0001 000000 ${hex6(size(body))} ${body}`;

const RANDOM = '11'.repeat(32);
/** use_srtp with SRTP_AES128_CM_HMAC_SHA1_80 and no MKI, RFC 5764 §4.1.1. */
const EXTENSIONS = '0009 000e 0005 0002 0001 00';
const SERVER_HELLO = octets(record(22, message(2, `fefd ${RANDOM} 00 c02b 00 ${EXTENSIONS}`)));
const CLIENT_HELLO = octets(record(22, message(1, `fefd ${RANDOM} 00 02abcd 0002 c02b 01 00 ${EXTENSIONS}`)));
const PACKET = octets(`8060 0001 000000a0 11223344 ${'aa'.repeat(8)} ${'bb'.repeat(10)}`);

test('records and hellos', () => {
  const world = new World([dtls]);
  const client = world.see(dtls, CLIENT_HELLO);
  assert.deepEqual(values(client, 'dtls.record.content_type'), ['22']);
  assert.deepEqual(values(client, 'dtls.record.sequence_number'), ['5']);
  assert.deepEqual(values(client, 'dtls.handshake.type'), ['1']);
  assert.deepEqual(values(client, 'dtls.handshake.cookie'), ['ab:cd']);
  assert.deepEqual(values(client, 'dtls.handshake.ciphersuite'), ['0xc02b']);
  assert.deepEqual(values(client, 'dtls.use_srtp.protection_profile'), ['0x0001']);
  const server = world.see(dtls, SERVER_HELLO);
  assert.deepEqual(values(server, 'dtls.handshake.extension.type'), ['14']);
  assert.equal(server.summary, 'Server Hello');
  const more = world.see(
    dtls,
    octets(record(20, '01') + record(22, '55'.repeat(40), 1) + record(23, 'cc', 1) + record(21, '0228')),
  );
  assert.deepEqual(values(more, 'dtls.record.content_type'), ['20', '22', '23', '21']);
  assert.deepEqual(values(more, 'dtls.handshake.type'), []);
  assert.deepEqual(values(more, 'dtls.alert_message.desc'), ['40']);
  assert.equal(more.summary, 'Change Cipher Spec, Encrypted Handshake Message, Application Data, Alert');
  const part = octets(record(22, `0b 000400 0002 000100 000004 deadbeef`));
  assert.deepEqual(values(world.see(dtls, part), 'dtls.handshake.fragment_offset'), ['256']);
  assert.deepEqual(world.see(dtls, SERVER_HELLO.subarray(0, 30)).stopped, ['dtls']);
});

test('datagrams are known by their records', () => {
  const probe = (b: Uint8Array) => dtls.probe!(b, 0, b.length);
  assert.equal(probe(CLIENT_HELLO), Yes);
  assert.equal(probe(CLIENT_HELLO.subarray(0, 5)), Unsure);
  assert.equal(probe(CLIENT_HELLO.subarray(0, 40)), No);
  assert.equal(probe(PACKET), No);
});

test('a handshake that agrees on SRTP sets up the media of its ports', () => {
  const world = new World([dtls, rtp, rtcp]);
  world.see(dtls, SERVER_HELLO, { frame: 4 });
  const seen = world.see(rtp, PACKET, { frame: 5 });
  assert.deepEqual(values(seen, 'rtp.setup-method'), ['DTLS-SRTP']);
  assert.deepEqual(values(seen, 'rtp.setup-frame'), ['4']);
  assert.deepEqual(values(seen, 'srtp.enc_payload'), ['aa:aa:aa:aa:aa:aa:aa:aa']);
  assert.deepEqual(values(seen, 'srtp.auth_tag'), ['bb:'.repeat(10).slice(0, -1)]);
  assert.deepEqual(values(world.see(rtcp, octets('80c90001 11223344')), 'rtcp.setup-frame'), ['4']);
  assert.deepEqual(world.see(rtp, PACKET.subarray(0, 16)).stopped, ['rtp']);
});

test('SRTP and SRTCP on the ports of such a handshake need no announcement', async () => {
  const a = at('192.0.2.1', 40_000);
  const b = at('192.0.2.2', 3478);
  const report = octets(`81c90001 11223344 ${'cc'.repeat(30)}`);
  const binding = octets('0001 0000 2112a442 0102030405060708090a0b0c');
  const packets = [
    udp(a, b, PACKET),
    udp(a, b, CLIENT_HELLO),
    udp(b, a, SERVER_HELLO),
    udp(a, b, PACKET),
    udp(b, a, report),
    udp(a, b, binding),
  ];
  const stacks: string[] = [];
  const source = new FrameSource(
    packets.map((packet) => ({ octets: packet })),
    101,
  );
  await forSource(source, {}, ({ dissection }) => {
    stacks.push(dissection.protocols.join(':').replace(/^.*udp:/, ''));
  });
  // As tshark 4.0.17 has them: the list of its version names RTP before RTCP where it handed it on.
  assert.deepEqual(stacks, ['data', 'dtls', 'dtls', 'rtp', 'rtp:rtcp', 'stun']);
});
